/*
 * tests/bench/limit.h - the bare limit: what the libraries alone take for the same bytes.
 *
 * For every entry BLAKE2b-256 of its header and of its body and three rows, as the store writes
 * them: entry, body, tag. For every run one Ed25519 verification and the row of its signature. Rows
 * are appended where their order allows it, and committed in the batches that the node had.
 */
#ifndef SPEAN_TESTS_BENCH_LIMIT_H
#define SPEAN_TESTS_BENCH_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "tests/bench/scratch.h"

/* One entry as it is stored; the views belong to whoever fills it. */
struct limit_entry {
    struct spean_view header;
    struct spean_view body;
    struct spean_tag tag; /* All zero: it has none, and no row under it. */
};

/*
 * Do it in an environment of its own in dir, which must not exist, and return how many seconds it
 * took from the first byte to the last commit. batches: as in tests/bench/tally.h.
 */
double limit_measure(const char *dir, const struct limit_entry *entries, uint64_t entries_count,
                     const uint32_t *batches, uint32_t batches_count);

#endif
