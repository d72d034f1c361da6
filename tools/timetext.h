/* tools/timetext.h - a moment as text: for people with their zone, for programs in UTC. */
#ifndef SPEAN_TOOLS_TIMETEXT_H
#define SPEAN_TOOLS_TIMETEXT_H

#include <stdint.h>

#include "protocol/err.h"

#define SPEAN_TIMETEXT_BYTES_MAX 64u
#define SPEAN_TIMETEXT_SPAN_MAX  31536000 /* Seconds: a year. */

/*
 * Write unix_seconds into out: the first as RFC 3339 in UTC ("2026-11-20T07:02:00Z"), for JSON; the
 * second in local time with its zone ("2026-11-20 14:02 +07"). A time outside the years 0 to 9999
 * becomes "?": other people's clocks are data, and may say anything.
 */
void spean_timetext_utc(int64_t unix_seconds, char out[SPEAN_TIMETEXT_BYTES_MAX]);
void spean_timetext_local(int64_t unix_seconds, char out[SPEAN_TIMETEXT_BYTES_MAX]);

/* Read RFC 3339 in UTC as the daemon writes it, "2026-11-20T07:02:00Z". SPEAN_EINPUT: it is not. */
SPEAN_CHECK spean_err spean_timetext_parse(const char *text, int64_t *unix_seconds);

/*
 * Write how long ago then was and when: "now" (within two minutes), "12 min ago 09:12", "3 h ago
 * 09:12", "5 d ago 2026-11-20"; "never" if then is 0. A time that lies ahead is shown as it is.
 */
void spean_timetext_ago(int64_t now, int64_t then, char out[SPEAN_TIMETEXT_BYTES_MAX]);

/* Read a length of time: "90s", "30m", "72h", "7d", "2w". SPEAN_EINPUT: it is none, or zero, or
 * more than SPEAN_TIMETEXT_SPAN_MAX seconds. */
SPEAN_CHECK spean_err spean_timetext_span(const char *text, int64_t *seconds);

/* Write today as this machine's calendar has it, "2026-11-20"; "" where the clock is beyond all
 * years. */
void spean_timetext_today(char out[SPEAN_TIMETEXT_BYTES_MAX]);

#endif
