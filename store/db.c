#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/db_internal.h"
#include "store/file.h"
#include "store/fold.h"
#include "store/logs.h"

#define FORMAT_BYTES   4u
#define ROOM_BYTES     (16u << 20) /* More than a transaction of the core writes. */
#define DBI_FREE_PAGES 0u          /* LMDB's own table of free pages, as mdb_stat(1) reads it. */

_Static_assert(SPEAN_TABLES_COUNT <= SPEAN_DB_TABLES_MAX, "raise SPEAN_DB_TABLES_MAX");

struct spean_tx {
    struct spean_db *db;
    MDB_txn *txn; /* NULL once a write transaction has failed. */
    enum spean_tx_mode mode;
    unsigned read_slot;
    spean_err err;
};

static const char *const table_names[] = {
#define SPEAN_TABLE_NAME(table, name) [table] = (name),
    SPEAN_TABLE_TABLE(SPEAN_TABLE_NAME)
#undef SPEAN_TABLE_NAME
};

static const uint8_t format_key[] = "format";

/* LMDB's own codes are negative, the rest is errno. */
spean_err spean_db_err(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return SPEAN_OK;
    case MDB_NOTFOUND:
        return SPEAN_ENOTFOUND;
    case MDB_KEYEXIST:
        return SPEAN_EEXISTS;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
        return SPEAN_EFULL;
    case MDB_READERS_FULL:
        return SPEAN_EBUSY;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_CURSOR_FULL: /* A tree deeper than any real one. */
    case MDB_PAGE_FULL:
        return SPEAN_ECORRUPT;
    default:
        return rc > 0 ? spean_file_err(rc) : SPEAN_EIO;
    }
}

/* LMDB takes inputs through the same struct as outputs, so const has to go. It writes nothing. */
static MDB_val val_of(struct spean_view view)
{
    return (MDB_val){.mv_size = view.len, .mv_data = (void *)(uintptr_t)view.data};
}

static struct spean_view view_of(const MDB_val *val)
{
    return (struct spean_view){.data = val->mv_data, .len = val->mv_size};
}

/* -- The store ------------------------------------------------------------------------------- */

/* From statfs(2); linux/magic.h has only some of them. FUSE may be anything, sshfs among it. */
static const struct {
    uint32_t magic;
    const char *name;
} filesystems_refused[] = {
    {0x0000517bu, "SMB"},   {0xff534d42u, "CIFS"},   {0xfe534d42u, "SMB2"},
    {0x00006969u, "NFS"},   {0x5346414fu, "AFS"},    {0x6b414653u, "AFS"},
    {0x01021997u, "9P"},    {0x73757245u, "Coda"},   {0x00c36400u, "Ceph"},
    {0x0000564cu, "NCP"},   {0x0bd00bd0u, "Lustre"}, {0x47504653u, "GPFS"},
    {0x7461636fu, "OCFS2"}, {0x01161970u, "GFS2"},   {0x786f4256u, "VirtualBox share"},
    {0x00004d44u, "FAT"},   {0x2011bab0u, "exFAT"},  {0x65735546u, "FUSE"},
};

const char *spean_db_filesystem_refused(const char *dir)
{
    assert(dir != NULL);

    struct statfs fs;
    if (statfs(dir, &fs) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(filesystems_refused) / sizeof(filesystems_refused[0]); i++) {
        if ((uint32_t)fs.f_type == filesystems_refused[i].magic) {
            return filesystems_refused[i].name;
        }
    }
    return NULL;
}

void spean_db_break(struct spean_db *db, spean_err err)
{
    int whole = SPEAN_OK;
    /* The first error is the one to tell. */
    (void)atomic_compare_exchange_strong(&db->broken, &whole, (int)err);
}

spean_err spean_db_broken(const struct spean_db *db)
{
    assert(db != NULL);
    return (spean_err)atomic_load(&db->broken);
}

/* Find or make the directory, and take its lock. */
static spean_err dir_open(struct spean_db *db, const struct spean_db_options *options)
{
    if (options->create) {
        if (mkdir(options->dir, 0700) != 0 && errno != EEXIST) {
            return spean_file_err(errno);
        }
        const spean_err err = spean_file_sync_parent(options->dir);
        if (err != SPEAN_OK) {
            return err;
        }
    }

    db->dir_fd = open(options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (db->dir_fd < 0) {
        return spean_file_err(errno);
    }
    if (spean_db_filesystem_refused(options->dir) != NULL) {
        return SPEAN_EINPUT;
    }
    if (!options->create && faccessat(db->dir_fd, SPEAN_DB_DATA_NAME, F_OK, 0) != 0) {
        return spean_file_err(errno);
    }
    struct stat st;
    if (fstat(db->dir_fd, &st) != 0) {
        return spean_file_err(errno);
    }
    if ((st.st_mode & 0777) != 0700 && fchmod(db->dir_fd, 0700) != 0) {
        return spean_file_err(errno);
    }

    db->lock_fd = openat(db->dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (db->lock_fd < 0) {
        return spean_file_err(errno);
    }
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return spean_file_err(errno);
    }
    return spean_db_sweep(db);
}

/* Take over where the store is and how large it may become. */
static spean_err options_take(struct spean_db *db, const struct spean_db_options *options)
{
    const uint64_t asked =
        options->map_bytes != 0 ? options->map_bytes : SPEAN_DB_MAP_BYTES_DEFAULT;
    if (asked < SPEAN_DB_MAP_BYTES_MIN || asked > SPEAN_DB_MAP_BYTES_MAX || asked > SIZE_MAX) {
        return SPEAN_EINPUT;
    }
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    db->map_bytes = (size_t)asked - (size_t)asked % page;
    db->dir = strdup(options->dir);
    return db->dir != NULL ? SPEAN_OK : SPEAN_ENOMEM;
}

spean_err spean_db_env_open(struct spean_db *db)
{
    int rc = mdb_env_create(&db->env);
    if (rc != 0) {
        return spean_db_err(rc);
    }
    rc = mdb_env_set_maxdbs(db->env, SPEAN_DB_TABLES_MAX);
    if (rc == 0) {
        rc = mdb_env_set_maxreaders(db->env, SPEAN_DB_READS_MAX);
    }
    if (rc == 0) {
        rc = mdb_env_set_mapsize(db->env, db->map_bytes);
    }
    if (rc == 0) {
        rc = mdb_env_open(db->env, db->dir, MDB_NOTLS, 0600);
    }
    return spean_db_err(rc);
}

/* Read the format number within txn, 0 for a store whose creation was not finished. */
static spean_err format_read_in(MDB_txn *txn, uint32_t *format)
{
    MDB_dbi dbi;
    int rc = mdb_dbi_open(txn, table_names[SPEAN_TABLE_META], 0, &dbi);
    if (rc == MDB_NOTFOUND) {
        MDB_stat names;
        rc = mdb_dbi_open(txn, NULL, 0, &dbi);
        if (rc == 0) {
            rc = mdb_stat(txn, dbi, &names);
        }
        if (rc != 0) {
            return spean_db_err(rc);
        }
        *format = 0;
        return names.ms_entries == 0 ? SPEAN_OK : SPEAN_ECORRUPT;
    }
    if (rc != 0) {
        return spean_db_err(rc);
    }

    MDB_val key = val_of((struct spean_view){format_key, sizeof(format_key) - 1});
    MDB_val value;
    rc = mdb_get(txn, dbi, &key, &value);
    if (rc == MDB_NOTFOUND) {
        return SPEAN_ECORRUPT; /* The table and this row are made in one transaction. */
    }
    if (rc != 0) {
        return spean_db_err(rc);
    }
    uint32_t found;
    const spean_err err = spean_db_key_u32_at(view_of(&value), 0, &found);
    if (err != SPEAN_OK || value.mv_size != FORMAT_BYTES || found == 0) {
        return SPEAN_ECORRUPT;
    }
    *format = found;
    return SPEAN_OK;
}

static spean_err format_read(MDB_env *env, uint32_t *format)
{
    MDB_txn *txn;
    const int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc != 0) {
        return spean_db_err(rc);
    }
    const spean_err err = format_read_in(txn, format);
    mdb_txn_abort(txn);
    return err;
}

static int format_put(MDB_txn *txn, MDB_dbi meta, uint32_t format)
{
    struct spean_db_key number = {0};
    spean_db_key_put_u32(&number, format);
    MDB_val key = val_of((struct spean_view){format_key, sizeof(format_key) - 1});
    MDB_val value = val_of(spean_db_key_view(&number));
    return mdb_put(txn, meta, &key, &value, 0);
}

spean_err spean_db_tables_open(struct spean_db *db, bool is_new)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(db->env, NULL, 0, &txn);
    if (rc != 0) {
        return spean_db_err(rc);
    }
    for (size_t i = 0; i < SPEAN_TABLES_COUNT && rc == 0; i++) {
        rc = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &db->tables[i]);
    }
    if (rc == 0 && is_new) {
        rc = format_put(txn, db->tables[SPEAN_TABLE_META], SPEAN_STORE_FORMAT);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return spean_db_err(rc);
    }
    rc = mdb_txn_commit(txn);
    if (rc == 0 && fsync(db->dir_fd) != 0) {
        rc = errno;
    }
    return spean_db_err(rc);
}

static spean_err logs_grow(struct spean_tx *tx)
{
    const spean_err err = spean_logs_migrate(tx);
    return err == SPEAN_OK ? spean_fold_reset(tx) : err;
}

/* What turns a store of format i into one of i + 1. There never was a format 0. */
typedef spean_err migration(struct spean_tx *tx);
static migration *const migrations[SPEAN_STORE_FORMAT] = {
    NULL, spean_fold_reset, /* List items became rows: what was folded is folded again. */
    logs_grow               /* Rows of logs got an element; records are looked up by more. */
};

/* Bring a store of an older format up to ours, in one transaction. */
static spean_err migrate(struct spean_db *db, uint32_t format)
{
    if (format == SPEAN_STORE_FORMAT) {
        return SPEAN_OK;
    }
    struct spean_tx *tx;
    spean_err err = spean_tx_begin(db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    for (uint32_t i = format; i < SPEAN_STORE_FORMAT && err == SPEAN_OK; i++) {
        assert(migrations[i] != NULL);
        err = migrations[i](tx);
    }
    if (err == SPEAN_OK) {
        err = spean_db_err(format_put(tx->txn, db->tables[SPEAN_TABLE_META], SPEAN_STORE_FORMAT));
    }
    if (err != SPEAN_OK) {
        spean_tx_abort(tx);
        return err;
    }
    return spean_tx_commit(tx);
}

static spean_err db_open(struct spean_db *db, const struct spean_db_options *options)
{
    spean_err err = dir_open(db, options);
    if (err == SPEAN_OK) {
        err = options_take(db, options);
    }
    if (err == SPEAN_OK) {
        err = spean_db_env_open(db);
    }
    if (err == SPEAN_OK) {
        err = spean_db_check_readers(db, NULL);
    }
    uint32_t format = 0;
    if (err == SPEAN_OK) {
        err = format_read(db->env, &format);
    }
    if (err != SPEAN_OK) {
        return err;
    }

    const bool is_new = format == 0;
    if (is_new != options->create) {
        return options->create ? SPEAN_EEXISTS : SPEAN_ENOTFOUND;
    }
    if (format > SPEAN_STORE_FORMAT) {
        return SPEAN_EVERSION;
    }
    err = spean_db_tables_open(db, is_new);
    if (err == SPEAN_OK && !is_new) {
        err = migrate(db, format);
    }
    return err;
}

/* Make what readers wait at while the file is swapped. Its clock is that of timeouts. */
static spean_err gate_init(struct spean_db *db)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0) {
        return SPEAN_ENOMEM;
    }
    const bool made = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
                      pthread_cond_init(&db->moved, &attr) == 0;
    (void)pthread_condattr_destroy(&attr);
    if (!made) {
        return SPEAN_ENOMEM;
    }
    (void)pthread_mutex_init(&db->gate, NULL);
    db->gate_ready = true;
    return SPEAN_OK;
}

spean_err spean_db_open(const struct spean_db_options *options, struct spean_db **out)
{
    assert(options != NULL);
    assert(options->dir != NULL);
    assert(out != NULL);

    struct spean_db *db = calloc(1, sizeof(*db));
    if (db == NULL) {
        return SPEAN_ENOMEM;
    }
    db->dir_fd = -1;
    db->lock_fd = -1;
    db->now_ms = options->now_ms;
    atomic_init(&db->broken, SPEAN_OK);
    atomic_init(&db->writing, false);

    spean_err err = gate_init(db);
    if (err == SPEAN_OK) {
        err = db_open(db, options);
    }
    if (err != SPEAN_OK) {
        spean_db_close(db);
        return err;
    }
    *out = db;
    return SPEAN_OK;
}

void spean_db_close(struct spean_db *db)
{
    if (db == NULL) {
        return;
    }
    assert(!atomic_load(&db->writing));
    for (size_t i = 0; i < SPEAN_DB_READS_MAX; i++) {
        assert(atomic_load(&db->reads_ms[i]) == 0);
    }

    if (db->env != NULL) {
        mdb_env_close(db->env);
    }
    /* The lock goes last, after LMDB has let go of the files. Nothing was written through these. */
    if (db->lock_fd >= 0) {
        (void)close(db->lock_fd);
    }
    if (db->dir_fd >= 0) {
        (void)close(db->dir_fd);
    }
    if (db->gate_ready) {
        (void)pthread_cond_destroy(&db->moved);
        (void)pthread_mutex_destroy(&db->gate);
    }
    free(db->dir);
    free(db);
}

spean_err spean_db_check_readers(struct spean_db *db, unsigned *freed_count)
{
    assert(db != NULL);

    const spean_err broken = spean_db_broken(db);
    if (broken != SPEAN_OK) {
        return broken;
    }
    int dead = 0;
    const int rc = mdb_reader_check(db->env, &dead);
    if (rc == 0 && freed_count != NULL) {
        *freed_count = (unsigned)dead;
    }
    return spean_db_err(rc);
}

static uint64_t db_now_ms(const struct spean_db *db)
{
    return db->now_ms != NULL ? db->now_ms() : 0;
}

uint64_t spean_db_oldest_read_ms(const struct spean_db *db)
{
    assert(db != NULL);

    const uint64_t now = db_now_ms(db);
    uint64_t oldest = 0;
    for (size_t i = 0; i < SPEAN_DB_READS_MAX; i++) {
        const uint64_t begun = atomic_load(&db->reads_ms[i]);
        /* One begun since we took the time is no older than 0. */
        if (begun != 0 && begun - 1 < now && now - (begun - 1) > oldest) {
            oldest = now - (begun - 1);
        }
    }
    return oldest;
}

/* Each row of the table of free pages holds a count and that many page numbers. */
static int free_pages_count(MDB_txn *txn, uint64_t *pages)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, DBI_FREE_PAGES, &cursor);
    if (rc != 0) {
        return rc;
    }
    uint64_t sum = 0;
    MDB_val key;
    MDB_val value;
    for (rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); rc == 0;
         rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        size_t n = 0;
        if (value.mv_size < sizeof(n)) {
            rc = MDB_CORRUPTED;
            break;
        }
        (void)memcpy(&n, value.mv_data, sizeof(n));
        sum += n;
    }
    mdb_cursor_close(cursor);
    if (rc != MDB_NOTFOUND) {
        return rc;
    }
    *pages = sum;
    return 0;
}

static uint64_t page_bytes(const struct spean_db *db)
{
    MDB_stat stat;
    const int rc = mdb_env_stat(db->env, &stat);
    assert(rc == 0); /* It fails for want of an environment alone. */
    (void)rc;
    return stat.ms_psize;
}

/* The caller keeps the environment where it is: by a transaction, or at the gate. */
static spean_err extent_read(const struct spean_db *db, struct spean_db_stat *out)
{
    MDB_envinfo info;
    const int rc = mdb_env_info(db->env, &info);
    if (rc != 0) {
        return spean_db_err(rc);
    }
    *out = (struct spean_db_stat){
        .map_bytes = info.me_mapsize,
        .file_bytes = ((uint64_t)info.me_last_pgno + 1) * page_bytes(db),
        .free_bytes = 0,
    };
    return SPEAN_OK;
}

spean_err spean_db_extent(struct spean_db *db, struct spean_db_stat *out)
{
    assert(db != NULL);
    assert(out != NULL);

    (void)pthread_mutex_lock(&db->gate);
    while (db->swapping) {
        (void)pthread_cond_wait(&db->moved, &db->gate);
    }
    spean_err err = spean_db_broken(db);
    if (err == SPEAN_OK) {
        err = extent_read(db, out);
    }
    (void)pthread_mutex_unlock(&db->gate);
    return err;
}

spean_err spean_db_stat(struct spean_db *db, struct spean_db_stat *out)
{
    assert(db != NULL);
    assert(out != NULL);

    struct spean_tx *tx;
    struct spean_db_stat stat;
    spean_err err = spean_tx_begin(db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    uint64_t free_pages = 0;
    err = extent_read(db, &stat);
    if (err == SPEAN_OK) {
        err = spean_db_err(free_pages_count(tx->txn, &free_pages));
    }
    if (err == SPEAN_OK) {
        stat.free_bytes = free_pages * page_bytes(db);
        *out = stat;
    }
    spean_tx_abort(tx);
    return err;
}

int spean_db_dir_fd(const struct spean_db *db)
{
    assert(db != NULL);
    return db->dir_fd;
}

/* -- Keys ------------------------------------------------------------------------------------ */

static void key_put_number(struct spean_db_key *key, uint64_t value, size_t bytes)
{
    assert(key != NULL);
    assert(bytes <= sizeof(key->bytes) - key->len);

    for (size_t i = 0; i < bytes; i++) {
        key->bytes[key->len + i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    key->len += bytes;
}

void spean_db_key_put_u8(struct spean_db_key *key, uint8_t value)
{
    key_put_number(key, value, sizeof(value));
}

void spean_db_key_put_u32(struct spean_db_key *key, uint32_t value)
{
    key_put_number(key, value, sizeof(value));
}

void spean_db_key_put_u64(struct spean_db_key *key, uint64_t value)
{
    key_put_number(key, value, sizeof(value));
}

void spean_db_key_put_bytes(struct spean_db_key *key, const uint8_t *data, size_t len)
{
    assert(key != NULL);
    assert(data != NULL || len == 0);
    assert(len <= sizeof(key->bytes) - key->len);

    if (len > 0) {
        (void)memcpy(key->bytes + key->len, data, len);
        key->len += len;
    }
}

struct spean_view spean_db_key_view(const struct spean_db_key *key)
{
    assert(key != NULL);
    return (struct spean_view){.data = key->bytes, .len = key->len};
}

static spean_err number_at(struct spean_view key, size_t pos, size_t bytes, uint64_t *out)
{
    if (pos > key.len || bytes > key.len - pos) {
        return SPEAN_ECORRUPT;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | key.data[pos + i];
    }
    *out = value;
    return SPEAN_OK;
}

spean_err spean_db_key_u32_at(struct spean_view key, size_t pos, uint32_t *out)
{
    assert(out != NULL);

    uint64_t value = 0;
    const spean_err err = number_at(key, pos, sizeof(*out), &value);
    if (err == SPEAN_OK) {
        *out = (uint32_t)value;
    }
    return err;
}

spean_err spean_db_key_u64_at(struct spean_view key, size_t pos, uint64_t *out)
{
    assert(out != NULL);
    return number_at(key, pos, sizeof(*out), out);
}

/* -- Transactions ---------------------------------------------------------------------------- */

/* Take a place among the open transactions. Returns false when there is none. */
static bool tx_admit(struct spean_tx *tx)
{
    struct spean_db *db = tx->db;
    if (tx->mode == SPEAN_TX_WRITE) {
        return !atomic_exchange(&db->writing, true);
    }
    const uint64_t begun = db_now_ms(db) + 1;
    bool admitted = false;
    (void)pthread_mutex_lock(&db->gate);
    while (db->swapping) {
        (void)pthread_cond_wait(&db->moved, &db->gate);
    }
    for (unsigned i = 0; i < SPEAN_DB_READS_MAX && !admitted; i++) {
        uint64_t nobody = 0;
        if (atomic_compare_exchange_strong(&db->reads_ms[i], &nobody, begun)) {
            tx->read_slot = i;
            admitted = true;
        }
    }
    (void)pthread_mutex_unlock(&db->gate);
    return admitted;
}

static void tx_leave(struct spean_tx *tx)
{
    if (tx->mode == SPEAN_TX_WRITE) {
        atomic_store(&tx->db->writing, false);
        return;
    }
    (void)pthread_mutex_lock(&tx->db->gate);
    atomic_store(&tx->db->reads_ms[tx->read_slot], 0);
    if (tx->db->swapping) {
        (void)pthread_cond_broadcast(&tx->db->moved);
    }
    (void)pthread_mutex_unlock(&tx->db->gate);
}

spean_err spean_tx_begin(struct spean_db *db, enum spean_tx_mode mode, struct spean_tx **out)
{
    assert(db != NULL);
    assert(out != NULL);

    const spean_err broken = spean_db_broken(db);
    if (broken != SPEAN_OK) {
        return broken;
    }
    struct spean_tx *tx = calloc(1, sizeof(*tx));
    if (tx == NULL) {
        return SPEAN_ENOMEM;
    }
    tx->db = db;
    tx->mode = mode;
    if (!tx_admit(tx)) {
        free(tx);
        return SPEAN_EBUSY;
    }

    const spean_err swapped = spean_db_broken(db); /* We may have waited for that. */
    if (swapped != SPEAN_OK) {
        tx_leave(tx);
        free(tx);
        return swapped;
    }
    const unsigned flags = mode == SPEAN_TX_READ ? MDB_RDONLY : 0;
    const spean_err err = spean_db_err(mdb_txn_begin(db->env, NULL, flags, &tx->txn));
    if (err != SPEAN_OK) {
        if (err == SPEAN_ECORRUPT) {
            spean_db_break(db, err);
        }
        tx_leave(tx);
        free(tx);
        return err;
    }
    *out = tx;
    return SPEAN_OK;
}

spean_err spean_tx_err(const struct spean_tx *tx)
{
    assert(tx != NULL);
    return tx->err != SPEAN_OK ? tx->err : spean_db_broken(tx->db);
}

/* A write transaction that failed is undone at once: after MDB_MAP_FULL every commit on it would
 * fail, and its pages are needed. One that reads lives on, since views into it do. */
spean_err spean_tx_fail(struct spean_tx *tx, spean_err err)
{
    assert(tx != NULL);
    assert(err != SPEAN_OK);

    if (tx->err == SPEAN_OK) {
        tx->err = err;
    }
    if (tx->mode == SPEAN_TX_WRITE && tx->txn != NULL) {
        mdb_txn_abort(tx->txn); /* Closes the cursors of a write transaction, too. */
        tx->txn = NULL;
    }
    return tx->err;
}

/* Deal with what LMDB returned for an operation of tx. */
static spean_err tx_result(struct spean_tx *tx, int rc)
{
    const spean_err err = spean_db_err(rc);
    if (err == SPEAN_OK || err == SPEAN_ENOTFOUND) {
        return err;
    }
    if (err == SPEAN_ECORRUPT) {
        spean_db_break(tx->db, err);
    }
    return spean_tx_fail(tx, err);
}

static void assert_row(const struct spean_tx *tx, enum spean_table table, struct spean_view key)
{
    assert(tx != NULL);
    assert(table < SPEAN_TABLES_COUNT);
    assert(key.data != NULL);
    assert(key.len > 0);
    assert(key.len <= SPEAN_DB_KEY_BYTES_MAX);
}

spean_err spean_tx_get(struct spean_tx *tx, enum spean_table table, struct spean_view key,
                       struct spean_view *value)
{
    assert_row(tx, table, key);
    assert(value != NULL);

    const spean_err stuck = spean_tx_err(tx);
    if (stuck != SPEAN_OK) {
        return stuck;
    }
    MDB_val k = val_of(key);
    MDB_val v;
    const spean_err err = tx_result(tx, mdb_get(tx->txn, tx->db->tables[table], &k, &v));
    if (err == SPEAN_OK) {
        *value = view_of(&v);
    }
    return err;
}

/* Write a row, or make room for one with MDB_RESERVE. */
static spean_err tx_put(struct spean_tx *tx, enum spean_table table, struct spean_view key,
                        MDB_val *value, unsigned flags)
{
    assert_row(tx, table, key);
    assert(tx->mode == SPEAN_TX_WRITE);

    const spean_err stuck = spean_tx_err(tx);
    if (stuck != SPEAN_OK) {
        return stuck;
    }
    if (value->mv_size > SPEAN_DB_VALUE_BYTES_MAX) {
        return spean_tx_fail(tx, SPEAN_ELIMIT);
    }
    MDB_val k = val_of(key);
    const int rc = mdb_put(tx->txn, tx->db->tables[table], &k, value, flags);
    if (rc == MDB_KEYEXIST && (flags & MDB_NOOVERWRITE) != 0) {
        return SPEAN_EEXISTS;
    }
    return tx_result(tx, rc);
}

spean_err spean_tx_put(struct spean_tx *tx, enum spean_table table, struct spean_view key,
                       struct spean_view value)
{
    MDB_val v = val_of(value);
    return tx_put(tx, table, key, &v, 0);
}

spean_err spean_tx_put_new(struct spean_tx *tx, enum spean_table table, struct spean_view key,
                           struct spean_view value)
{
    MDB_val v = val_of(value);
    return tx_put(tx, table, key, &v, MDB_NOOVERWRITE);
}

spean_err spean_tx_reserve(struct spean_tx *tx, enum spean_table table, struct spean_view key,
                           size_t len, enum spean_tx_place place, uint8_t **out)
{
    assert(len > 0);
    assert(out != NULL);

    MDB_val v = {.mv_size = len, .mv_data = NULL};
    const unsigned flags = place == SPEAN_TX_AT_END ? MDB_RESERVE | MDB_APPEND : MDB_RESERVE;
    const spean_err err = tx_put(tx, table, key, &v, flags);
    if (err == SPEAN_OK) {
        *out = v.mv_data;
    }
    return err;
}

spean_err spean_tx_del(struct spean_tx *tx, enum spean_table table, struct spean_view key)
{
    assert_row(tx, table, key);
    assert(tx->mode == SPEAN_TX_WRITE);

    const spean_err stuck = spean_tx_err(tx);
    if (stuck != SPEAN_OK) {
        return stuck;
    }
    MDB_val k = val_of(key);
    return tx_result(tx, mdb_del(tx->txn, tx->db->tables[table], &k, NULL));
}

spean_err spean_tx_clear(struct spean_tx *tx, enum spean_table table)
{
    assert(tx != NULL);
    assert(table < SPEAN_TABLES_COUNT);
    assert(tx->mode == SPEAN_TX_WRITE);

    const spean_err stuck = spean_tx_err(tx);
    return stuck != SPEAN_OK ? stuck : tx_result(tx, mdb_drop(tx->txn, tx->db->tables[table], 0));
}

static void tx_free(struct spean_tx *tx)
{
    if (tx->txn != NULL) {
        mdb_txn_abort(tx->txn);
    }
    tx_leave(tx);
    free(tx);
}

/* LMDB reports a short write, as a disk that fills up makes it, like one that failed. Pages of the
 * transaction were on their way then and nothing refers to them, so it can be gone on with. */
spean_err spean_db_write_err(const struct spean_db *db, int rc)
{
    const spean_err err = spean_db_err(rc);
    const bool full = err == SPEAN_EIO && spean_file_room(db->dir_fd, ROOM_BYTES) == SPEAN_EFULL;
    return full ? SPEAN_EFULL : err;
}

spean_err spean_tx_commit(struct spean_tx *tx)
{
    assert(tx != NULL);

    spean_err err = spean_tx_err(tx);
    if (err == SPEAN_OK && tx->mode == SPEAN_TX_WRITE) {
        err = spean_db_write_err(tx->db, mdb_txn_commit(tx->txn));
        tx->txn = NULL; /* Gone, whatever was returned. */
        if (err != SPEAN_OK && err != SPEAN_EFULL) {
            spean_db_break(tx->db, err == SPEAN_ECORRUPT ? SPEAN_ECORRUPT : SPEAN_EIO);
            err = spean_db_broken(tx->db);
        }
    }
    tx_free(tx);
    return err;
}

void spean_tx_abort(struct spean_tx *tx)
{
    if (tx != NULL) {
        tx_free(tx);
    }
}

/* -- Cursors --------------------------------------------------------------------------------- */

static bool begins_with(struct spean_view key, const struct spean_db_key *prefix)
{
    return key.len >= prefix->len &&
           (prefix->len == 0 || memcmp(key.data, prefix->bytes, prefix->len) == 0);
}

spean_err spean_cursor_init(struct spean_cursor *cursor, struct spean_tx *tx,
                            enum spean_table table, struct spean_view prefix)
{
    assert(cursor != NULL);
    assert(tx != NULL);
    assert(table < SPEAN_TABLES_COUNT);
    assert(prefix.len <= SPEAN_DB_KEY_BYTES_MAX);

    const spean_err stuck = spean_tx_err(tx);
    if (stuck != SPEAN_OK) {
        return stuck;
    }
    MDB_cursor *handle;
    const spean_err err = tx_result(tx, mdb_cursor_open(tx->txn, tx->db->tables[table], &handle));
    if (err != SPEAN_OK) {
        return err;
    }
    *cursor = (struct spean_cursor){.tx = tx, .handle = handle};
    spean_db_key_put_bytes(&cursor->prefix, prefix.data, prefix.len);
    return SPEAN_OK;
}

void spean_cursor_fini(struct spean_cursor *cursor)
{
    assert(cursor != NULL);

    /* A write transaction that failed has closed it already. */
    if (cursor->handle != NULL && cursor->tx->txn != NULL) {
        mdb_cursor_close(cursor->handle);
    }
    cursor->handle = NULL;
}

/* Give the row that LMDB moved to, if the move succeeded and the row is within the prefix. */
static spean_err cursor_result(struct spean_cursor *cursor, int rc, const MDB_val *k,
                               const MDB_val *v, struct spean_view *key, struct spean_view *value)
{
    const spean_err err = tx_result(cursor->tx, rc);
    if (err != SPEAN_OK) {
        return err;
    }
    if (!begins_with(view_of(k), &cursor->prefix)) {
        return SPEAN_ENOTFOUND;
    }
    *key = view_of(k);
    *value = view_of(v);
    return SPEAN_OK;
}

static void assert_move(const struct spean_cursor *cursor, const struct spean_view *key,
                        const struct spean_view *value)
{
    assert(cursor != NULL);
    assert(cursor->handle != NULL);
    assert(key != NULL);
    assert(value != NULL);
}

static spean_err cursor_move(struct spean_cursor *cursor, struct spean_view at, MDB_cursor_op op,
                             struct spean_view *key, struct spean_view *value)
{
    assert_move(cursor, key, value);

    const spean_err stuck = spean_tx_err(cursor->tx);
    if (stuck != SPEAN_OK) {
        return stuck;
    }
    MDB_val k = val_of(at);
    MDB_val v;
    const int rc = mdb_cursor_get(cursor->handle, &k, &v, op);
    return cursor_result(cursor, rc, &k, &v, key, value);
}

/* Move to the highest key below at, or at itself where that is wanted. */
static spean_err cursor_move_back(struct spean_cursor *cursor, struct spean_view at, bool or_at,
                                  struct spean_view *key, struct spean_view *value)
{
    assert_move(cursor, key, value);

    const spean_err stuck = spean_tx_err(cursor->tx);
    if (stuck != SPEAN_OK) {
        return stuck;
    }
    MDB_val k = val_of(at);
    MDB_val v;
    int rc = mdb_cursor_get(cursor->handle, &k, &v, MDB_SET_RANGE);
    const bool is_at = rc == 0 && k.mv_size == at.len && memcmp(k.mv_data, at.data, at.len) == 0;
    if (rc == MDB_NOTFOUND) {
        rc = mdb_cursor_get(cursor->handle, &k, &v, MDB_LAST);
    } else if (rc == 0 && !(is_at && or_at)) {
        rc = mdb_cursor_get(cursor->handle, &k, &v, MDB_PREV);
    }
    return cursor_result(cursor, rc, &k, &v, key, value);
}

spean_err spean_cursor_first(struct spean_cursor *cursor, struct spean_view *key,
                             struct spean_view *value)
{
    const struct spean_view prefix = spean_db_key_view(&cursor->prefix);
    return cursor_move(cursor, prefix, prefix.len == 0 ? MDB_FIRST : MDB_SET_RANGE, key, value);
}

spean_err spean_cursor_last(struct spean_cursor *cursor, struct spean_view *key,
                            struct spean_view *value)
{
    /* The last row is the one before the lowest string that sorts behind the whole prefix. */
    struct spean_db_key behind = cursor->prefix;
    while (behind.len > 0 && behind.bytes[behind.len - 1] == UINT8_MAX) {
        behind.len--;
    }
    if (behind.len == 0) {
        return cursor_move(cursor, (struct spean_view){0}, MDB_LAST, key, value);
    }
    behind.bytes[behind.len - 1]++;
    return cursor_move_back(cursor, spean_db_key_view(&behind), false, key, value);
}

spean_err spean_cursor_next(struct spean_cursor *cursor, struct spean_view *key,
                            struct spean_view *value)
{
    return cursor_move(cursor, (struct spean_view){0}, MDB_NEXT, key, value);
}

spean_err spean_cursor_seek(struct spean_cursor *cursor, struct spean_view at,
                            struct spean_view *key, struct spean_view *value)
{
    assert(at.len > 0);
    assert(begins_with(at, &cursor->prefix));
    return cursor_move(cursor, at, MDB_SET_RANGE, key, value);
}

spean_err spean_cursor_behind(struct spean_cursor *cursor, struct spean_view at,
                              struct spean_view *key, struct spean_view *value)
{
    if (at.len == 0) {
        return spean_cursor_first(cursor, key, value);
    }
    const spean_err err = spean_cursor_seek(cursor, at, key, value);
    if (err == SPEAN_OK && key->len == at.len && memcmp(key->data, at.data, at.len) == 0) {
        return spean_cursor_next(cursor, key, value);
    }
    return err;
}

spean_err spean_cursor_seek_back(struct spean_cursor *cursor, struct spean_view at,
                                 struct spean_view *key, struct spean_view *value)
{
    assert(at.len > 0);
    assert(begins_with(at, &cursor->prefix));
    return cursor_move_back(cursor, at, true, key, value);
}

spean_err spean_tx_first(struct spean_tx *tx, enum spean_table table, struct spean_view prefix,
                         struct spean_db_key *key)
{
    assert(key != NULL);

    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, table, prefix);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view found;
    struct spean_view value;
    err = spean_cursor_first(&cursor, &found, &value);
    if (err == SPEAN_OK && found.len > sizeof(key->bytes)) {
        err = SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        *key = (struct spean_db_key){0};
        spean_db_key_put_bytes(key, found.data, found.len);
    }
    spean_cursor_fini(&cursor);
    return err;
}

spean_err spean_tx_number_next(struct spean_tx *tx, enum spean_table table, uint32_t first,
                               uint32_t *number)
{
    assert(number != NULL);

    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, table, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view value;
    uint32_t last = 0;
    err = spean_cursor_last(&cursor, &key, &value);
    const bool empty = err == SPEAN_ENOTFOUND;
    if (err == SPEAN_OK) {
        err = spean_db_key_u32_at(key, 0, &last);
    }
    spean_cursor_fini(&cursor);
    if (err != SPEAN_OK && !empty) {
        return err;
    }
    if (last == UINT32_MAX) {
        return SPEAN_ELIMIT;
    }
    *number = empty ? first : last + 1;
    return SPEAN_OK;
}

spean_err spean_tx_count(struct spean_tx *tx, enum spean_table table, struct spean_view prefix,
                         uint64_t max, uint64_t *count)
{
    assert(count != NULL);

    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, table, prefix);
    if (err != SPEAN_OK) {
        return err;
    }
    uint64_t found = 0;
    struct spean_view key;
    struct spean_view value;
    err = spean_cursor_first(&cursor, &key, &value);
    while (err == SPEAN_OK && found < max) {
        found++;
        err = spean_cursor_next(&cursor, &key, &value);
    }
    spean_cursor_fini(&cursor);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    *count = found;
    return SPEAN_OK;
}
