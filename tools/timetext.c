#include "tools/timetext.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/digits.h"
#include "tools/i18n.h"

#define SECONDS_FIRST INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define SECONDS_LAST  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

#define SECONDS_PER_MINUTE 60
#define SECONDS_PER_HOUR   3600
#define SECONDS_PER_DAY    86400
#define TM_YEAR_ZERO       1900
#define UTC_LEN            20 /* "2026-11-20T07:02:00Z" */
#define SPAN_BYTES_MAX     12u

static bool in_range(int64_t unix_seconds)
{
    return unix_seconds >= SECONDS_FIRST && unix_seconds <= SECONDS_LAST;
}

void spean_timetext_utc(int64_t unix_seconds, char out[SPEAN_TIMETEXT_BYTES_MAX])
{
    struct tm parts;
    const time_t seconds = (time_t)unix_seconds;
    if (!in_range(unix_seconds) || gmtime_r(&seconds, &parts) == NULL) {
        (void)snprintf(out, SPEAN_TIMETEXT_BYTES_MAX, "?"); /* Always fits. */
        return;
    }
    /* Not strftime(): it writes early years with fewer than four digits. */
    (void)snprintf(out, SPEAN_TIMETEXT_BYTES_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ",
                   parts.tm_year + TM_YEAR_ZERO, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                   parts.tm_min, parts.tm_sec); /* in_range() keeps it short. */
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

/* Days from 1970-01-01 to a day of the Gregorian calendar (H. Hinnant, days_from_civil). */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t of_era = y - era * 400;
    const int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The number that len digits at text make; other characters give another number, which the caller
 * finds out by writing it back. */
static int64_t digits_at(const char *text, size_t len)
{
    int64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

spean_err spean_timetext_parse(const char *text, int64_t *unix_seconds)
{
    assert(text != NULL);
    assert(unix_seconds != NULL);
    if (strlen(text) != UTC_LEN) {
        return SPEAN_EINPUT;
    }
    const int64_t month = digits_at(text + 5, 2);
    const int64_t day = digits_at(text + 8, 2);
    if (month < 1 || month > 12 || day < 1 || day > 31) {
        return SPEAN_EINPUT;
    }
    const int64_t read =
        days_of(digits_at(text, 4), (unsigned)month, (unsigned)day) * SECONDS_PER_DAY +
        digits_at(text + 11, 2) * SECONDS_PER_HOUR + digits_at(text + 14, 2) * SECONDS_PER_MINUTE +
        digits_at(text + 17, 2);
    char back[SPEAN_TIMETEXT_BYTES_MAX];
    spean_timetext_utc(read, back);
    if (strcmp(back, text) != 0) {
        return SPEAN_EINPUT; /* A 31st of February, a 61st second, a letter. */
    }
    *unix_seconds = read;
    return SPEAN_OK;
}

void spean_timetext_ago(int64_t now, int64_t then, char out[SPEAN_TIMETEXT_BYTES_MAX])
{
    assert(out != NULL);
    struct tm parts;
    const time_t seconds = (time_t)then;
    char clock[8] = "?";
    if (then == 0) {
        (void)snprintf(out, SPEAN_TIMETEXT_BYTES_MAX, "%s", _("never"));
        return;
    }
    if (!in_range(then) || then > now || localtime_r(&seconds, &parts) == NULL ||
        strftime(clock, sizeof(clock), "%H:%M", &parts) == 0) {
        spean_timetext_local(then, out);
        return;
    }
    const int64_t ago = now - then;
    if (ago < 2 * SECONDS_PER_MINUTE) {
        (void)snprintf(out, SPEAN_TIMETEXT_BYTES_MAX, "%s", _("now"));
    } else if (ago < SECONDS_PER_HOUR) {
        (void)snprintf(out, SPEAN_TIMETEXT_BYTES_MAX, _("%d min ago %s"),
                       (int)(ago / SECONDS_PER_MINUTE), clock);
    } else if (ago < SECONDS_PER_DAY) {
        (void)snprintf(out, SPEAN_TIMETEXT_BYTES_MAX, _("%d h ago %s"),
                       (int)(ago / SECONDS_PER_HOUR), clock);
    } else {
        char day[16] = "?";
        (void)strftime(day, sizeof(day), "%Y-%m-%d", &parts); /* in_range() keeps it to 10 bytes. */
        (void)snprintf(out, SPEAN_TIMETEXT_BYTES_MAX, _("%d d ago %s"),
                       (int)(ago / SECONDS_PER_DAY), day);
    }
}

spean_err spean_timetext_span(const char *text, int64_t *seconds)
{
    assert(text != NULL);
    assert(seconds != NULL);
    static const char units[] = "smhdw";
    static const int64_t lengths[] = {1, SECONDS_PER_MINUTE, SECONDS_PER_HOUR, SECONDS_PER_DAY,
                                      7 * SECONDS_PER_DAY};
    char folded[SPAN_BYTES_MAX];
    if (spean_digits_fold(text, folded, sizeof(folded)) != SPEAN_OK) {
        return SPEAN_EINPUT;
    }
    const size_t len = strspn(folded, "0123456789");
    const char *const unit = folded[len] == '\0' ? NULL : strchr(units, folded[len]);
    if (len == 0 || unit == NULL || folded[len + 1] != '\0') {
        return SPEAN_EINPUT;
    }
    const int64_t count = strtoll(folded, NULL, 10); /* SPAN_BYTES_MAX keeps it small. */
    const int64_t length = lengths[unit - units];
    if (count < 1 || count > SPEAN_TIMETEXT_SPAN_MAX / length) {
        return SPEAN_EINPUT;
    }
    *seconds = count * length;
    return SPEAN_OK;
}

void spean_timetext_today(char out[SPEAN_TIMETEXT_BYTES_MAX])
{
    assert(out != NULL);
    const time_t now = time(NULL);
    struct tm parts;
    if (!in_range(now) || localtime_r(&now, &parts) == NULL ||
        strftime(out, SPEAN_TIMETEXT_BYTES_MAX, "%Y-%m-%d", &parts) == 0) {
        out[0] = '\0';
    }
}
