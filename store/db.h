/*
 * store/db.h - the one wrapper over LMDB: a directory, named tables, transactions, cursors.
 *
 * One process opens a store, by its own lock file. One transaction writes at a time; any number
 * up to SPEAN_DB_READS_MAX read beside it, from any thread, each seeing the store as it was when
 * it began. A transaction and its cursors belong to one thread at a time.
 *
 * Views. A key or value handed out points into the map. In a read transaction it lives until the
 * transaction ends; in a write transaction only until the next put, reserve, delete, or the end.
 * Copy what must live longer. Stored bytes are as untrusted as a peer's: LMDB keeps no checksums,
 * so every value is hashed or sealed by whoever wrote it.
 *
 * Broken. A commit that fails for another reason than want of room leaves it unknown what the
 * disk holds, and damaged pages cannot be worked around. From then on every call on the store
 * fails with that same error (SPEAN_EIO or SPEAN_ECORRUPT): say so, exit the process, verify at
 * the next start.
 */
#ifndef SPEAN_STORE_DB_H
#define SPEAN_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_STORE_FORMAT         3u                /* What this program writes. */
#define SPEAN_DB_MAP_BYTES_DEFAULT 34359738368ull    /* 32 GiB, sparse; never resized in use. */
#define SPEAN_DB_MAP_BYTES_MIN     1048576ull        /* Room for the tables themselves. */
#define SPEAN_DB_MAP_BYTES_MAX     17592186044416ull /* 16 TiB; a typing error beyond that. */
#define SPEAN_DB_TABLES_MAX        64u
#define SPEAN_DB_KEY_BYTES_MAX     80u
#define SPEAN_DB_VALUE_BYTES_MAX   1048576u
#define SPEAN_DB_READS_MAX         32u   /* Open read transactions. */
#define SPEAN_DB_READ_MS_MAX       2000u /* A read open for longer pins pages: report it. */

/*
 * X(table, name). Only add at the end: the number of a table is bound into its sealed values, and
 * the name is on disk. Composite keys are big-endian, so that order in bytes is order in numbers.
 */
#define SPEAN_TABLE_TABLE(X)                                                                       \
    X(SPEAN_TABLE_META, "meta")           /* format number, keystore, things there is one of */    \
    X(SPEAN_TABLE_LOCAL, "local")         /* drafts, comments, retention: never in a log */        \
    X(SPEAN_TABLE_DOCUMENTS, "documents") /* by order of arrival: store/documents.h */             \
    X(SPEAN_TABLE_DOCUMENT_IDS, "document_ids") /* to their order of arrival */                    \
    X(SPEAN_TABLE_LOGS, "logs")                 /* by log number: store/logs.h */                  \
    X(SPEAN_TABLE_LOG_IDS, "log_ids")           /* to log numbers */                               \
    X(SPEAN_TABLE_ARRIVALS, "arrivals")         /* of runs, by log and last seq */                 \
    X(SPEAN_TABLE_ENTRIES, "entries")           /* headers by log and seq: store/entries.h */      \
    X(SPEAN_TABLE_SIGNATURES, "signatures")     /* kept ones, by log and seq */                    \
    X(SPEAN_TABLE_BODIES, "bodies")             /* by log and seq: store/body.h */                 \
    X(SPEAN_TABLE_TAGS, "tags")                 /* tag, body held or not, log, seq */              \
    X(SPEAN_TABLE_ASIDE, "aside")               /* taken back by a cut: store/log.h */             \
    X(SPEAN_TABLE_EVIDENCE, "evidence")         /* of forks, by log id: store/evidence.h */        \
    X(SPEAN_TABLE_PEERS, "peers")               /* met so far: store/peer.h */                     \
    X(SPEAN_TABLE_PEER_HEADS, "peer_heads")     /* what they said they hold */                     \
    X(SPEAN_TABLE_INVITES, "invites")           /* given out by this node: store/lobby.h */        \
    X(SPEAN_TABLE_NEWCOMERS, "newcomers")       /* who wait for a steward */                       \
    X(SPEAN_TABLE_PART_KEYS, "part_keys")       /* by key number: store/partkeys.h */              \
    X(SPEAN_TABLE_PART_KEY_NUMBERS, "part_key_numbers") /* by record, part, generation */          \
    X(SPEAN_TABLE_PART_TAGS, "part_tags")               /* tags to key numbers, or erased */       \
    X(SPEAN_TABLE_PART_GRANTS, "part_grants")     /* opened ones, by record, part, log, seq */     \
    X(SPEAN_TABLE_PART_WANTED, "part_wanted")     /* tags under which bodies are lacking */        \
    X(SPEAN_TABLE_FOLD_CURSORS, "fold_cursors")   /* how far each log is folded: store/fold.h */   \
    X(SPEAN_TABLE_FOLD_QUEUE, "fold_queue")       /* entries to look at again, by log and seq */   \
    X(SPEAN_TABLE_FOLD_DIRTY, "fold_dirty")       /* parts to fold again from their changes */     \
    X(SPEAN_TABLE_FOLD_WAITING, "fold_waiting")   /* entries waiting for their record */           \
    X(SPEAN_TABLE_FOLD_UNOPENED, "fold_unopened") /* grants not for us, so far */                  \
    X(SPEAN_TABLE_FOLD_ASIDE, "fold_aside")       /* entries judged and not folded, with reason */ \
    X(SPEAN_TABLE_FOLD_ROWS, "fold_rows")         /* context rows that do not count yet */         \
    X(SPEAN_TABLE_FOLD_NAMED, "fold_named")       /* parts whose contexts name a log */            \
    X(SPEAN_TABLE_KNOWLEDGE, "knowledge")       /* how far a node has seen logs: heads entries */  \
    X(SPEAN_TABLE_CHANGES, "changes")           /* of a part, by log and seq */                    \
    X(SPEAN_TABLE_RECORDS, "records")           /* type, owner, fixed fields: store/record.h */    \
    X(SPEAN_TABLE_RECORD_TYPES, "record_types") /* records by type */                              \
    X(SPEAN_TABLE_PARTS, "parts")               /* what there is of each part */                   \
    X(SPEAN_TABLE_STATES, "states")             /* trunks of states, by record, part, piece */     \
    X(SPEAN_TABLE_LOOKUPS, "lookups")           /* hidden names to records */                      \
    X(SPEAN_TABLE_LOOKUPS_OF, "lookups_of")     /* the hidden names a part gave */                 \
    X(SPEAN_TABLE_ERASURES, "erasures")         /* of parts, by record, part, log, seq */          \
    X(SPEAN_TABLE_ERASED_PLACES, "erased_places") /* public entries */                             \
    X(SPEAN_TABLE_ITEMS, "items")           /* of lists, by record, part, field: store/items.h */  \
    X(SPEAN_TABLE_DESTROYING, "destroying") /* how far that is, by part: store/destroy.h */        \
    X(SPEAN_TABLE_NEWS, "news")             /* records by their last change: store/news.h */       \
    X(SPEAN_TABLE_NEWS_OF, "news_of")       /* their numbers in it */

#define SPEAN_TABLE_ENUM(table, name) table,
enum spean_table { SPEAN_TABLE_TABLE(SPEAN_TABLE_ENUM) SPEAN_TABLES_COUNT };
#undef SPEAN_TABLE_ENUM

struct spean_db; /* Opaque. */
struct spean_tx; /* Opaque. */

/* -- The store ------------------------------------------------------------------------------- */

struct spean_db_options {
    const char *dir;          /* Its parent exists. Group and others lose all rights on it. */
    uint64_t map_bytes;       /* 0: SPEAN_DB_MAP_BYTES_DEFAULT. */
    bool create;              /* Make a new store; an unfinished creation is taken up again. */
    uint64_t (*now_ms)(void); /* Monotonic clock, any thread, for spean_db_oldest_read_ms(). May be
                                 NULL: then every read is 0 ms old. */
};

/*
 * Open the store in options->dir into *out; the caller closes it. The strings are borrowed for the
 * call. A store just created is durable, name and all, when this returns.
 *   SPEAN_ENOTFOUND  no store there (or its parent is missing): create one, or correct the path
 *   SPEAN_EEXISTS    create, but there is a store already
 *   SPEAN_EBUSY      another process has it open
 *   SPEAN_EINPUT     the map size is out of range, or the directory lies on a network, FAT or FUSE
 *                    file system, where LMDB loses data: spean_db_filesystem_refused() names it
 *   SPEAN_EVERSION   written by a newer program: it was not touched; install that version
 *   SPEAN_ECORRUPT   data.mdb is not a store of ours, or damaged: restore a backup
 *   SPEAN_EDENIED    the operating system forbids it: owner or mode of the directory
 *   SPEAN_EFULL, SPEAN_ENOMEM, SPEAN_EIO
 */
SPEAN_CHECK spean_err spean_db_open(const struct spean_db_options *options, struct spean_db **out);

/* Close the store and let go of its lock. No transaction is open. NULL is allowed. */
void spean_db_close(struct spean_db *db);

/* The name of the refused file system that dir lies on; NULL when it may hold a store or when
 * dir cannot be looked at. */
const char *spean_db_filesystem_refused(const char *dir);

/* SPEAN_OK, or the error that broke the store (see above). Any thread. */
spean_err spean_db_broken(const struct spean_db *db);

/* Free the reader slots of threads that died, into *freed_count if not NULL. At open it is done;
 * call it each minute. */
SPEAN_CHECK spean_err spean_db_check_readers(struct spean_db *db, unsigned *freed_count);

/* For how long the oldest open read transaction has been open, 0 for none. Any thread. Beyond
 * SPEAN_DB_READ_MS_MAX the file grows without need: report it as a fault of this program. */
uint64_t spean_db_oldest_read_ms(const struct spean_db *db);

struct spean_db_stat {
    uint64_t map_bytes;  /* The most the store can hold. */
    uint64_t file_bytes; /* Highest page ever used: what the file occupies. */
    uint64_t free_bytes; /* Of these, pages waiting to be used again. */
};

/* Tell how full the store is: (file_bytes - free_bytes) of map_bytes. Opens a read transaction for
 * the moment and walks the list of free pages: for every few seconds, not for every commit. */
SPEAN_CHECK spean_err spean_db_stat(struct spean_db *db, struct spean_db_stat *out);

/* The same without the list of free pages, as if none were free: cheap, for every commit. */
SPEAN_CHECK spean_err spean_db_extent(struct spean_db *db, struct spean_db_stat *out);

/* The store's directory, for files beside the store: store/room.h. Belongs to db. */
int spean_db_dir_fd(const struct spean_db *db);

/*
 * Write the store anew, without anything that was deleted from it, put that in the place of the old
 * file and overwrite the old one. LMDB itself clears nothing: what was deleted stays in free pages,
 * and between the rows of others. Reads go on, but for the moment in which the files change places;
 * views of transactions that have ended are gone as ever. It takes as much room on the disk again
 * as what is live in the store, and the time to copy it. Until it is overwritten the old file has a
 * name beside the store; broken off, it is found by that and overwritten when the store is opened,
 * and so is a copy that was not finished.
 *   SPEAN_EBUSY  a write transaction is open, or a read was for longer than SPEAN_DB_READ_MS_MAX
 *   SPEAN_EFULL  there is no room for the copy; none is begun then
 * After these, and others from before the change of places, the store is as it was: try later.
 * SPEAN_EIO, SPEAN_ECORRUPT: see spean_db_broken().
 */
SPEAN_CHECK spean_err spean_db_rewrite(struct spean_db *db);

/* -- Keys ------------------------------------------------------------------------------------ */

/* A composite key under construction. Start from {0}; more than fits is our own mistake (assert).
 */
struct spean_db_key {
    uint8_t bytes[SPEAN_DB_KEY_BYTES_MAX];
    size_t len;
};

void spean_db_key_put_u8(struct spean_db_key *key, uint8_t value);
void spean_db_key_put_u32(struct spean_db_key *key, uint32_t value);
void spean_db_key_put_u64(struct spean_db_key *key, uint64_t value);
void spean_db_key_put_bytes(struct spean_db_key *key, const uint8_t *data, size_t len);

/* The bytes so far; valid until the next put or the end of *key. */
struct spean_view spean_db_key_view(const struct spean_db_key *key);

/* Read a number back at byte pos of a stored key into *out. SPEAN_ECORRUPT: it is too short. */
SPEAN_CHECK spean_err spean_db_key_u32_at(struct spean_view key, size_t pos, uint32_t *out);
SPEAN_CHECK spean_err spean_db_key_u64_at(struct spean_view key, size_t pos, uint64_t *out);

/* -- Transactions ---------------------------------------------------------------------------- */

enum spean_tx_mode {
    SPEAN_TX_READ,
    SPEAN_TX_WRITE,
};

/*
 * Begin a transaction in *out; the caller ends it with commit or abort.
 * SPEAN_EBUSY: a write transaction is open already, or SPEAN_DB_READS_MAX reads are; try later.
 * SPEAN_ENOMEM. SPEAN_EIO, SPEAN_ECORRUPT: broken.
 */
SPEAN_CHECK spean_err spean_tx_begin(struct spean_db *db, enum spean_tx_mode mode,
                                     struct spean_tx **out);

/*
 * The first error of a transaction sticks: later calls on it do nothing and return it, and commit
 * returns it. So a run of writes may be checked at its end only. The transaction's work is lost
 * as a whole: with SPEAN_EFULL it is undone at once. SPEAN_ENOTFOUND, and SPEAN_EEXISTS from
 * spean_tx_put_new(), are answers and do not stick.
 *
 * SPEAN_EFULL    map or disk is full: stop taking bodies, make room
 * SPEAN_ELIMIT   the value is longer than SPEAN_DB_VALUE_BYTES_MAX
 * SPEAN_ECORRUPT, SPEAN_EIO  broken
 * SPEAN_ENOMEM
 *
 * Keys are 1 to SPEAN_DB_KEY_BYTES_MAX bytes (assert). Writing wants a write transaction (assert).
 */

/* Look up key; *value views the map. SPEAN_ENOTFOUND: there is no such row. */
SPEAN_CHECK spean_err spean_tx_get(struct spean_tx *tx, enum spean_table table,
                                   struct spean_view key, struct spean_view *value);

/* Write or replace a row. value is not a view into this store's map. */
spean_err spean_tx_put(struct spean_tx *tx, enum spean_table table, struct spean_view key,
                       struct spean_view value);

/* Write a row that must not be there yet. SPEAN_EEXISTS: it is; nothing changed. */
SPEAN_CHECK spean_err spean_tx_put_new(struct spean_tx *tx, enum spean_table table,
                                       struct spean_view key, struct spean_view value);

enum spean_tx_place {
    SPEAN_TX_ANYWHERE, /* As spean_tx_put(). */
    SPEAN_TX_AT_END,   /* Behind the last row of the table; fills pages to the brim. SPEAN_EEXISTS:
                          the key does not sort behind it (sticks). */
};

/* Write or replace a row of len > 0 bytes, which the caller fills through *out before its next
 * call on tx. What is not filled holds stray bytes. Saves one copy. */
SPEAN_CHECK spean_err spean_tx_reserve(struct spean_tx *tx, enum spean_table table,
                                       struct spean_view key, size_t len, enum spean_tx_place place,
                                       uint8_t **out);

/* Delete a row. SPEAN_ENOTFOUND: there was none. */
spean_err spean_tx_del(struct spean_tx *tx, enum spean_table table, struct spean_view key);

/* Delete all rows of a table. */
spean_err spean_tx_clear(struct spean_tx *tx, enum spean_table table);

/* The error that stuck, or SPEAN_OK. */
spean_err spean_tx_err(const struct spean_tx *tx);

/* Make an error of the caller's stick to tx (the first one wins), so that it cannot be committed.
 * err is not SPEAN_OK. Returns the error that sticks. */
spean_err spean_tx_fail(struct spean_tx *tx, spean_err err);

/*
 * End tx, in all cases, and free it. SPEAN_OK: what it wrote is on the disk, and only then may it
 * be acknowledged to anybody. Otherwise nothing of it is there, unless the store is broken (see
 * above). Cursors are finished before. A read transaction may be ended either way.
 */
SPEAN_CHECK spean_err spean_tx_commit(struct spean_tx *tx);

/* End tx without effect and free it. Cursors are finished before. NULL is allowed. */
void spean_tx_abort(struct spean_tx *tx);

/* -- Cursors --------------------------------------------------------------------------------- */

/* A place in one table, kept to keys that begin with a prefix. The caller's memory; the fields are
 * private. Finish it before its transaction ends. */
struct spean_cursor {
    struct spean_tx *tx;
    struct MDB_cursor *handle;
    struct spean_db_key prefix;
};

/* Make a cursor over the rows of table whose key begins with prefix (empty: all). */
SPEAN_CHECK spean_err spean_cursor_init(struct spean_cursor *cursor, struct spean_tx *tx,
                                        enum spean_table table, struct spean_view prefix);
void spean_cursor_fini(struct spean_cursor *cursor);

/*
 * Each moves the cursor and gives the row there. SPEAN_ENOTFOUND: no row of the prefix on that
 * side; the place is then undefined until the next first, last or seek. Other errors are as for
 * transactions. next goes on from a row that was given; after a write to the table, seek
 * again before it.
 */
SPEAN_CHECK spean_err spean_cursor_first(struct spean_cursor *cursor, struct spean_view *key,
                                         struct spean_view *value);
SPEAN_CHECK spean_err spean_cursor_last(struct spean_cursor *cursor, struct spean_view *key,
                                        struct spean_view *value);
SPEAN_CHECK spean_err spean_cursor_next(struct spean_cursor *cursor, struct spean_view *key,
                                        struct spean_view *value);

/* To the lowest key >= at. at is 1 to SPEAN_DB_KEY_BYTES_MAX bytes and begins with the prefix. */
SPEAN_CHECK spean_err spean_cursor_seek(struct spean_cursor *cursor, struct spean_view at,
                                        struct spean_view *key, struct spean_view *value);

/* To the lowest key > at; at empty: to the first. */
SPEAN_CHECK spean_err spean_cursor_behind(struct spean_cursor *cursor, struct spean_view at,
                                          struct spean_view *key, struct spean_view *value);

/* To the highest key <= at. */
SPEAN_CHECK spean_err spean_cursor_seek_back(struct spean_cursor *cursor, struct spean_view at,
                                             struct spean_view *key, struct spean_view *value);

/* Copy the first key of table that begins with prefix into *key, to change the row.
 * SPEAN_ENOTFOUND: there is none. SPEAN_ECORRUPT: it is longer than any that is written. Others as
 * above. */
SPEAN_CHECK spean_err spean_tx_first(struct spean_tx *tx, enum spean_table table,
                                     struct spean_view prefix, struct spean_db_key *key);

/* Find the number for a new row of a table whose keys begin with one: that of the last row and one
 * more, first in an empty table. SPEAN_ELIMIT: every number is used up. */
SPEAN_CHECK spean_err spean_tx_number_next(struct spean_tx *tx, enum spean_table table,
                                           uint32_t first, uint32_t *number);

/* Count the rows of table whose key begins with prefix; it counts no further than max. */
SPEAN_CHECK spean_err spean_tx_count(struct spean_tx *tx, enum spean_table table,
                                     struct spean_view prefix, uint64_t max, uint64_t *count);

#endif
