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

#define ZEROS_BYTES 65536u
#define NS_A_MS     1000000
#define MS_A_S      1000u

/* -- The copy -------------------------------------------------------------------------------- */

static spean_err copy_into(struct spean_db *db, int fd)
{
    const int rc = mdb_env_copyfd2(db->env, fd, MDB_CP_COMPACT);
    if (rc == 0) {
        return fsync(fd) == 0 ? SPEAN_OK : spean_file_err(errno);
    }
    /* A short write is reported as one that failed. */
    return rc == EIO ? SPEAN_EFULL : spean_db_err(rc);
}

/* Write all that is live into a new file; it is durable, or not there. Reads go on meanwhile. */
static spean_err copy(struct spean_db *db)
{
    const int fd = openat(db->dir_fd, SPEAN_DB_NEW_NAME,
                          O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return spean_file_err(errno);
    }
    spean_err err = copy_into(db, fd);
    if (close(fd) != 0 && err == SPEAN_OK) {
        err = spean_file_err(errno);
    }
    if (err != SPEAN_OK) {
        (void)unlinkat(db->dir_fd, SPEAN_DB_NEW_NAME, 0); /* Else the next open does it. */
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

/* -- The old file ---------------------------------------------------------------------------- */

/* Write zeros over the file that has lost its name: its blocks go back to the disk as they are. On
 * flash this reaches what the device lets it reach. */
static spean_err overwrite(int fd)
{
    static const uint8_t zeros[ZEROS_BYTES];
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return spean_file_err(errno);
    }
    off_t left = st.st_size;
    while (left > 0) {
        const size_t len = left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
        const ssize_t done = write(fd, zeros, len);
        if (done < 0 && errno != EINTR) {
            return spean_file_err(errno);
        }
        left -= done > 0 ? done : 0;
    }
    return fdatasync(fd) == 0 ? SPEAN_OK : spean_file_err(errno);
}

static spean_err replace(struct spean_db *db)
{
    const int old = openat(db->dir_fd, SPEAN_DB_DATA_NAME, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (old < 0) {
        return spean_file_err(errno);
    }
    spean_err err = gate_close(db);
    if (err == SPEAN_OK) {
        err = swap(db);
        gate_open(db);
    }
    if (err == SPEAN_OK) {
        err = overwrite(old);
    }
    (void)close(old); /* What was written there nobody reads. */
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
    spean_err err = copy(db);
    if (err == SPEAN_OK) {
        err = replace(db);
        if (err == SPEAN_EBUSY) {
            (void)unlinkat(db->dir_fd, SPEAN_DB_NEW_NAME, 0);
        }
    }
    atomic_store(&db->writing, false);
    return err;
}
