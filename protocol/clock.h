/* protocol/clock.h - for each log, the seq up to which writes to one field are covered (P10.2). */
#ifndef SPEAN_PROTOCOL_CLOCK_H
#define SPEAN_PROTOCOL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/err.h"

struct spean_clock_row {
    uint64_t log; /* Short name. */
    uint64_t seq; /* From 1: a log that is not there has 0. */
};

/* The caller's memory; all zero is the empty clock. The fields are for reading only. */
struct spean_clock {
    struct spean_clock_row *rows; /* Ascending by log. */
    uint32_t count;
    uint32_t cap;
};

void spean_clock_fini(struct spean_clock *c);

/* Say whether a write at seq of log is covered. */
bool spean_clock_covers(const struct spean_clock *c, uint64_t log, uint64_t seq);

/*
 * Raise the clock at log to seq; where it is as high already, nothing changes. How many rows there
 * may be is up to the caller. SPEAN_ENOMEM: nothing changed.
 */
SPEAN_CHECK spean_err spean_clock_raise(struct spean_clock *c, uint64_t log, uint64_t seq);

#endif
