/* tools/timetext.h - a moment as text: for people with their zone, for programs in UTC. */
#ifndef SPEAN_TOOLS_TIMETEXT_H
#define SPEAN_TOOLS_TIMETEXT_H

#include <stdint.h>

#define SPEAN_TIMETEXT_BYTES_MAX 64u

/*
 * Write unix_seconds into out: the first as RFC 3339 in UTC ("2026-11-20T07:02:00Z"), for JSON; the
 * second in local time with its zone ("2026-11-20 14:02 +07"). A time outside the years 0 to 9999
 * becomes "?": other people's clocks are data, and may say anything.
 */
void spean_timetext_utc(int64_t unix_seconds, char out[SPEAN_TIMETEXT_BYTES_MAX]);
void spean_timetext_local(int64_t unix_seconds, char out[SPEAN_TIMETEXT_BYTES_MAX]);

#endif
