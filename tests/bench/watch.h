/*
 * tests/bench/watch.h - looks at a node from a second thread while it catches up, as the threads of
 * the local API do, and ends it when there is no more to see.
 */
#ifndef SPEAN_TESTS_BENCH_WATCH_H
#define SPEAN_TESTS_BENCH_WATCH_H

#include <stdint.h>

#include "node/core.h"

/* Seconds are those of scratch_now_s(). */
struct watch_seen {
    double connected_s; /* A connection was accepted. */
    double folded_s;    /* The fold's cursor reached the last entry. */
    uint64_t wire_in;   /* Bytes of all TCP connections when the last entry was durable. */
    uint64_t wire_out;
    uint64_t anonymous_max; /* Peak of anonymous memory, in bytes. */
};

struct watch; /* Opaque. */

/*
 * Begin to watch core, whose journal is written into the pipe that ends in journal_fd, until
 * entries entries of the other node's log are durable and folded; then send this process SIGTERM.
 */
struct watch *watch_begin(struct spean_core *core, int journal_fd, uint64_t entries);

/* Wait for the end, and free it. */
struct watch_seen watch_end(struct watch *watch);

#endif
