/*
 * The store written anew: LMDB never clears what was deleted, neither in free pages nor between the
 * rows of pages in use, so the only file without it is one into which it was never written.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/db_internal.h"
#include "store/file.h"

#define ZEROS_BYTES 4096u /* No more than a block of the disk. */
#define NS_A_MS     1000000
#define MS_A_S      1000u

/* -- What is left ---------------------------------------------------------------------------- */

/*
 * Write zeros over a file: its blocks go back to the disk as they are. On flash this reaches what
 * the device lets it reach. Where there is no room, nothing is overwritten in place: there is a
 * hole, or the file system copies what it writes; what lies behind is gone on with.
 */
static spean_err overwrite(int fd)
{
    static const uint8_t zeros[ZEROS_BYTES];
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return spean_file_err(errno);
    }
    off_t at = 0;
    while (at < st.st_size) {
        const off_t left = st.st_size - at;
        const size_t len = left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
        const ssize_t done = pwrite(fd, zeros, len, at);
        const bool not_in_place = done < 0 && (errno == ENOSPC || errno == EDQUOT);
        if (done < 0 && !not_in_place && errno != EINTR) {
            return spean_file_err(errno);
        }
        at += not_in_place ? (off_t)len : done > 0 ? (off_t)done : 0;
    }
    return fdatasync(fd) == 0 || errno == ENOSPC || errno == EDQUOT ? SPEAN_OK
                                                                    : spean_file_err(errno);
}

/* Say whether a name is another one of the store's own file: then that must stay as it is. */
static bool is_store(const struct spean_db *db, const struct stat *st)
{
    struct stat data;
    return fstatat(db->dir_fd, SPEAN_DB_DATA_NAME, &data, AT_SYMLINK_NOFOLLOW) == 0 &&
           data.st_dev == st->st_dev && data.st_ino == st->st_ino;
}

/* Overwrite and remove a file of the store's directory, if there is one of that name. */
static spean_err destroy(const struct spean_db *db, const char *name)
{
    const int fd = openat(db->dir_fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? SPEAN_OK : spean_file_err(errno);
    }
    struct stat st;
    spean_err err = fstat(fd, &st) == 0 ? SPEAN_OK : spean_file_err(errno);
    if (err == SPEAN_OK && S_ISREG(st.st_mode) && !is_store(db, &st)) {
        err = overwrite(fd);
    }
    (void)close(fd); /* What was written there nobody reads. */
    if (err == SPEAN_OK && (unlinkat(db->dir_fd, name, 0) != 0 || fsync(db->dir_fd) != 0)) {
        err = spean_file_err(errno);
    }
    return err;
}

spean_err spean_db_sweep(const struct spean_db *db)
{
    assert(db != NULL);

    const spean_err err = destroy(db, SPEAN_DB_OLD_NAME);
    return err == SPEAN_OK ? destroy(db, SPEAN_DB_NEW_NAME) : err;
}

/* -- The copy -------------------------------------------------------------------------------- */

static spean_err copy_into(struct spean_db *db, int fd)
{
    const int rc = mdb_env_copyfd2(db->env, fd, MDB_CP_COMPACT);
    if (rc != 0) {
        return spean_db_write_err(db, rc);
    }
    return fsync(fd) == 0 ? SPEAN_OK : spean_file_err(errno);
}

/* See that there is room for a copy, before one fills up the disk for everybody. */
static spean_err look_for_room(struct spean_db *db)
{
    struct spean_db_stat stat;
    const spean_err err = spean_db_stat(db, &stat);
    return err == SPEAN_OK ? spean_file_room(db->dir_fd, stat.file_bytes - stat.free_bytes) : err;
}

/* Write all that is live into a new file, which is then durable. Reads go on meanwhile. */
static spean_err copy(struct spean_db *db)
{
    spean_err err = look_for_room(db);
    if (err != SPEAN_OK) {
        return err;
    }
    const int fd = openat(db->dir_fd, SPEAN_DB_NEW_NAME,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return spean_file_err(errno);
    }
    err = copy_into(db, fd);
    if (close(fd) != 0 && err == SPEAN_OK) {
        err = spean_file_err(errno);
    }
    return err;
}

/* -- The swap -------------------------------------------------------------------------------- */

static bool is_read(const struct spean_db *db)
{
    for (size_t i = 0; i < SPEAN_DB_READS_MAX; i++) {
        if (atomic_load(&db->reads_ms[i]) != 0) {
            return true;
        }
    }
    return false;
}

static struct timespec deadline(void)
{
    struct timespec at;
    const int rc = clock_gettime(CLOCK_MONOTONIC, &at);
    assert(rc == 0);
    at.tv_sec += SPEAN_DB_READ_MS_MAX / MS_A_S;
    at.tv_nsec += (long)(SPEAN_DB_READ_MS_MAX % MS_A_S) * NS_A_MS;
    return at; /* Whole seconds: no nanosecond carries over. */
}

_Static_assert(SPEAN_DB_READ_MS_MAX % MS_A_S == 0, "deadline() carries nothing over");

/* Close the gate and wait until nobody reads. SPEAN_EBUSY: somebody reads for too long. */
static spean_err gate_close(struct spean_db *db)
{
    const struct timespec until = deadline();
    spean_err err = SPEAN_OK;
    (void)pthread_mutex_lock(&db->gate);
    db->swapping = true;
    while (is_read(db) && err == SPEAN_OK) {
        if (pthread_cond_timedwait(&db->moved, &db->gate, &until) != 0) {
            err = SPEAN_EBUSY;
        }
    }
    if (err != SPEAN_OK) {
        db->swapping = false;
        (void)pthread_cond_broadcast(&db->moved);
    }
    (void)pthread_mutex_unlock(&db->gate);
    return err;
}

static void gate_open(struct spean_db *db)
{
    (void)pthread_mutex_lock(&db->gate);
    db->swapping = false;
    (void)pthread_cond_broadcast(&db->moved);
    (void)pthread_mutex_unlock(&db->gate);
}

/* Put the copy in the place of the store. After an error the store is broken, and whichever file
 * has the name is whole. */
static spean_err swap(struct spean_db *db)
{
    mdb_env_close(db->env);
    db->env = NULL;
    spean_err err = SPEAN_OK;
    if (renameat(db->dir_fd, SPEAN_DB_NEW_NAME, db->dir_fd, SPEAN_DB_DATA_NAME) != 0 ||
        fsync(db->dir_fd) != 0) {
        err = spean_file_err(errno);
    }
    if (err == SPEAN_OK) {
        err = spean_db_env_open(db);
    }
    if (err == SPEAN_OK) {
        err = spean_db_tables_open(db, false);
    }
    if (err != SPEAN_OK) {
        spean_db_break(db, err == SPEAN_ECORRUPT ? SPEAN_ECORRUPT : SPEAN_EIO);
        return spean_db_broken(db);
    }
    return SPEAN_OK;
}

/* Give the old file a second name, by which it is found and overwritten whatever happens. */
static spean_err name_old(const struct spean_db *db)
{
    return linkat(db->dir_fd, SPEAN_DB_DATA_NAME, db->dir_fd, SPEAN_DB_OLD_NAME, 0) == 0 &&
                   fsync(db->dir_fd) == 0
               ? SPEAN_OK
               : spean_file_err(errno);
}

static spean_err replace(struct spean_db *db)
{
    spean_err err = name_old(db);
    if (err == SPEAN_OK) {
        err = gate_close(db);
    }
    if (err == SPEAN_OK) {
        err = swap(db);
        gate_open(db);
    }
    return err;
}

spean_err spean_db_rewrite(struct spean_db *db)
{
    assert(db != NULL);

    const spean_err broken = spean_db_broken(db);
    if (broken != SPEAN_OK) {
        return broken;
    }
    if (atomic_exchange(&db->writing, true)) {
        return SPEAN_EBUSY;
    }
    spean_err err = spean_db_sweep(db);
    if (err == SPEAN_OK) {
        err = copy(db);
    }
    if (err == SPEAN_OK) {
        err = replace(db);
    }
    if (spean_db_broken(db) == SPEAN_OK) {
        /* The old file, or after an error the copy: what is live in it now is to go some day. */
        const spean_err swept = spean_db_sweep(db);
        err = err == SPEAN_OK ? swept : err;
    }
    atomic_store(&db->writing, false);
    return err;
}
