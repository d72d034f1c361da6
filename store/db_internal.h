/* store/db_internal.h - the insides of the store's wrapper, for db.c and db_rewrite.c. */
#ifndef SPEAN_STORE_DB_INTERNAL_H
#define SPEAN_STORE_DB_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/err.h"
#include "store/db.h"

#define SPEAN_DB_DATA_NAME "data.mdb"
#define SPEAN_DB_NEW_NAME  "data.mdb.new" /* A copy in the making. */
#define SPEAN_DB_OLD_NAME  "data.mdb.old" /* What a copy took the place of, until it is zeros. */

struct spean_db {
    MDB_env *env; /* NULL while the file is swapped, and for good if that failed. */
    char *dir;
    size_t map_bytes;
    int dir_fd;
    int lock_fd;
    MDB_dbi tables[SPEAN_TABLES_COUNT];
    uint64_t (*now_ms)(void);
    atomic_int broken;   /* spean_err */
    atomic_bool writing; /* A write transaction is open, or the store is being written anew. */
    _Atomic uint64_t reads_ms[SPEAN_DB_READS_MAX]; /* When begun, plus 1; 0: nobody. */

    /* Nobody reads while the file is swapped: a transaction waits for that, or is waited for. */
    pthread_mutex_t gate;
    pthread_cond_t moved; /* The gate opened, or a read ended. */
    bool gate_ready;
    bool swapping;
};

/* The one translation of what LMDB returns. */
spean_err spean_db_err(int rc);

/* The same for what LMDB wrote: SPEAN_EFULL, too, where it reports a short write as one that failed
 * and the disk turns out to be full. */
spean_err spean_db_write_err(const struct spean_db *db, int rc);

/* Remember the first error after which nothing can be relied on. */
void spean_db_break(struct spean_db *db, spean_err err);

/* Open the environment in db->dir, and its tables; is_new: give it its format number. */
SPEAN_CHECK spean_err spean_db_env_open(struct spean_db *db);
SPEAN_CHECK spean_err spean_db_tables_open(struct spean_db *db, bool is_new);

/*
 * Overwrite and remove what writing the store anew left when it was broken off: a copy that was not
 * finished, or the file that one took the place of. Under the store's lock. Errors as of files.
 */
SPEAN_CHECK spean_err spean_db_sweep(const struct spean_db *db);

#endif
