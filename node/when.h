/* node/when.h - times as the local API writes them: RFC 3339, in UTC. */
#ifndef SPEAN_NODE_WHEN_H
#define SPEAN_NODE_WHEN_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/consent.h"
#include "protocol/err.h"

#define SPEAN_WHEN_BYTES 21u                    /* 2026-11-22T09:50:53Z and a NUL. */
#define SPEAN_WHEN_MAX   UINT64_C(253402300799) /* The last second of the year 9999. */

/* Write seconds since 1970, at most SPEAN_WHEN_MAX. SPEAN_EINPUT: they are more. */
SPEAN_CHECK spean_err spean_when_format(char out[SPEAN_WHEN_BYTES], uint64_t time_s);

/*
 * Read `2026-11-22T09:50:53Z`, or with `+09:00` in the place of the Z, into seconds since 1970.
 * SPEAN_EINPUT: another form, no such day or time, or before 1970; *out is unchanged.
 */
SPEAN_CHECK spean_err spean_when_parse(struct spean_view text, uint64_t *out);

/* The day of a time, in UTC. time_s is at most SPEAN_WHEN_MAX. */
struct spean_day spean_when_day(uint64_t time_s);

#endif
