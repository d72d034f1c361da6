/*
 * tests/bench/bare.h - LMDB alone, opened like the store: what a bare limit is measured in.
 *
 * Whatever fails ends the process, as in tests/bench/scratch.h.
 */
#ifndef SPEAN_TESTS_BENCH_BARE_H
#define SPEAN_TESTS_BENCH_BARE_H

#include <lmdb.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"

struct bare {
    MDB_env *env;
    MDB_txn *txn; /* Valid between bare_begin() and bare_commit(). */
};

/* Open an environment of its own in dir, which must not exist, with tables of these names; NULL:
 * with the one that has no name. tables has room for them all. */
void bare_open(struct bare *bare, const char *dir, const char *const *names, size_t count,
               MDB_dbi *tables);

/* Close it; what was not committed is gone. The folder stays. */
void bare_close(struct bare *bare);

void bare_begin(struct bare *bare);
void bare_commit(struct bare *bare);

/* Put a row and return the room for its len bytes, which the caller fills. flags: 0, or MDB_APPEND
 * where the key is behind all others. */
uint8_t *bare_put(const struct bare *bare, MDB_dbi table, struct spean_view key, size_t len,
                  unsigned flags);

#endif
