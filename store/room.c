#include "store/room.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/file.h"

#define BLOCK_BYTES     512u         /* What st_blocks counts. */
#define UNLIMITED_BYTES (1ull << 60) /* Of a file system that says it has no limit. */

static const char ballast_name[] = "ballast";

enum spean_room_step spean_room_step_of(uint64_t used_bytes, uint64_t left_bytes)
{
    if (left_bytes == 0) {
        return SPEAN_ROOM_NONE;
    }
    /* Both are below the largest map and the largest disk, so that nothing overflows. */
    const uint64_t hundredth = (used_bytes + left_bytes) / 100u;
    if (used_bytes >= hundredth * SPEAN_ROOM_WRITES_PERCENT) {
        return SPEAN_ROOM_NO_WRITES;
    }
    if (used_bytes >= hundredth * SPEAN_ROOM_BODIES_PERCENT) {
        return SPEAN_ROOM_NO_BODIES;
    }
    return used_bytes >= hundredth * SPEAN_ROOM_SHORT_PERCENT ? SPEAN_ROOM_SHORT
                                                              : SPEAN_ROOM_PLENTY;
}

/* What the disk would give the store, were there no ballast; and what of it the ballast has. */
struct disk {
    uint64_t bytes;
    uint64_t ballast_bytes;
    uint64_t ballast_size; /* As it was made; with blocks or, on some file systems, without. */
};

static spean_err look_at_disk(const struct spean_db *db, struct disk *out)
{
    struct statvfs fs;
    struct stat st;
    if (fstatvfs(spean_db_dir_fd(db), &fs) != 0) {
        return spean_file_err(errno);
    }
    const bool has = fstatat(spean_db_dir_fd(db), ballast_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                     S_ISREG(st.st_mode);
    const uint64_t available =
        fs.f_blocks > 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : UNLIMITED_BYTES;
    out->ballast_bytes = has ? (uint64_t)st.st_blocks * BLOCK_BYTES : 0;
    out->ballast_size = has ? (uint64_t)st.st_size : 0;
    out->bytes = available + out->ballast_bytes;
    return SPEAN_OK;
}

static spean_err look_at_both(struct spean_db *db, struct disk *disk, struct spean_db_stat *stat)
{
    const spean_err err = look_at_disk(db, disk);
    return err == SPEAN_OK ? spean_db_extent(db, stat) : err;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How much to keep back, where the store has file_bytes and may grow by growth_bytes. */
static uint64_t kept_back(uint64_t file_bytes, uint64_t growth_bytes)
{
    return lesser(SPEAN_ROOM_BALLAST_BYTES, (file_bytes + growth_bytes) / SPEAN_ROOM_BALLAST_SHARE);
}

static bool is_whole(const struct disk *disk, uint64_t keep)
{
    return disk->ballast_size > 0 && disk->ballast_size >= keep;
}

static void measure(const struct spean_db_stat *stat, const struct disk *disk,
                    struct spean_room *out)
{
    const uint64_t growth = lesser(stat->map_bytes - stat->file_bytes, disk->bytes);
    const uint64_t keep = kept_back(stat->file_bytes, growth);
    const uint64_t all = growth + stat->free_bytes;
    out->used_bytes = stat->file_bytes - stat->free_bytes;
    out->left_bytes = all > keep ? all - keep : 0;
    out->ballast = is_whole(disk, keep);
    out->step = spean_room_step_of(out->used_bytes, out->left_bytes);
}

spean_err spean_room_look(struct spean_db *db, struct spean_room *out)
{
    assert(db != NULL);
    assert(out != NULL);

    struct disk disk = {0};
    struct spean_db_stat stat;
    spean_err err = look_at_both(db, &disk, &stat);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_room room;
    measure(&stat, &disk, &room);
    if (room.step != SPEAN_ROOM_PLENTY) {
        err = spean_db_stat(db, &stat); /* Much of the file may be free pages. */
        if (err != SPEAN_OK) {
            return err;
        }
        measure(&stat, &disk, &room);
    }
    *out = room;
    return SPEAN_OK;
}

/* Allocate the blocks of the ballast that is open as fd. */
static spean_err allocate(int fd, uint64_t bytes)
{
    int rc = 0;
    do {
        rc = posix_fallocate(fd, 0, (off_t)bytes);
    } while (rc == EINTR);
    return rc == 0 ? SPEAN_OK : spean_file_err(rc);
}

spean_err spean_room_make_ballast(struct spean_db *db)
{
    assert(db != NULL);

    struct disk disk = {0};
    struct spean_db_stat stat;
    spean_err err = look_at_both(db, &disk, &stat);
    if (err != SPEAN_OK) {
        return err;
    }
    const uint64_t growth = lesser(stat.map_bytes - stat.file_bytes, disk.bytes);
    const uint64_t keep = kept_back(stat.file_bytes, growth);
    if (is_whole(&disk, keep)) {
        return SPEAN_EEXISTS;
    }
    if (disk.bytes <= keep) {
        return SPEAN_EFULL;
    }
    const int fd = openat(spean_db_dir_fd(db), ballast_name,
                          O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return spean_file_err(errno);
    }
    err = allocate(fd, keep);
    (void)close(fd); /* Nothing was written that could be lost. */
    if (err != SPEAN_OK) {
        (void)spean_room_drop_ballast(db); /* A part of it would be in the way of others. */
    }
    return err;
}

bool spean_room_drop_ballast(struct spean_db *db)
{
    assert(db != NULL);
    return unlinkat(spean_db_dir_fd(db), ballast_name, 0) == 0;
}
