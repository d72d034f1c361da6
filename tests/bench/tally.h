/*
 * tests/bench/tally.h - what the node under measurement made durable, and when.
 *
 * The linker lets spean_log_append() and spean_tx_commit() pass through here (--wrap), so it counts
 * what production code really did, and the bare limit can do the same in the same batches.
 */
#ifndef SPEAN_TESTS_BENCH_TALLY_H
#define SPEAN_TESTS_BENCH_TALLY_H

#include <stdint.h>

#define TALLY_ROWS_MAX 1048576u
#define TALLY_COMMIT   0u /* A row that ends a batch. */

/* Written by the thread that commits; read it when that has ended. */
struct tally {
    uint64_t entries_max; /* Set it first: what a node writes by itself meanwhile is not counted. */
    uint32_t rows_count;
    uint32_t rows[TALLY_ROWS_MAX]; /* Entries of each run; TALLY_COMMIT behind each batch. */
    uint64_t entries;              /* Durable. */
    uint32_t batches;
    double last_s; /* When the last batch was durable. */
};

extern struct tally tally;

#endif
