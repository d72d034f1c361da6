#include "tools/timetext.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define SECONDS_FIRST INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define SECONDS_LAST  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static bool in_range(int64_t unix_seconds)
{
    return unix_seconds >= SECONDS_FIRST && unix_seconds <= SECONDS_LAST;
}

void spean_timetext_utc(int64_t unix_seconds, char out[SPEAN_TIMETEXT_BYTES_MAX])
{
    struct tm parts;
    const time_t seconds = (time_t)unix_seconds;
    if (!in_range(unix_seconds) || gmtime_r(&seconds, &parts) == NULL ||
        strftime(out, SPEAN_TIMETEXT_BYTES_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        (void)snprintf(out, SPEAN_TIMETEXT_BYTES_MAX, "?"); /* Always fits. */
    }
}

void spean_timetext_local(int64_t unix_seconds, char out[SPEAN_TIMETEXT_BYTES_MAX])
{
    struct tm parts;
    const time_t seconds = (time_t)unix_seconds;
    if (!in_range(unix_seconds) || localtime_r(&seconds, &parts) == NULL ||
        strftime(out, SPEAN_TIMETEXT_BYTES_MAX, "%Y-%m-%d %H:%M %Z", &parts) == 0) {
        (void)snprintf(out, SPEAN_TIMETEXT_BYTES_MAX, "?"); /* Always fits. */
    }
}
