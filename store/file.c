#include "store/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

spean_err spean_file_err(int err)
{
    switch (err) {
    case ENOENT:
        return SPEAN_ENOTFOUND;
    case EEXIST:
        return SPEAN_EEXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return SPEAN_EDENIED;
    case ELOOP:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
        return SPEAN_EINPUT;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SPEAN_EFULL;
    case ENOMEM:
        return SPEAN_ENOMEM;
    case EAGAIN: /* EWOULDBLOCK is the same number. */
    case EBUSY:
        return SPEAN_EBUSY;
    default:
        return SPEAN_EIO;
    }
}

spean_err spean_file_sync_parent(const char *path)
{
    assert(path != NULL);

    char parent[PATH_MAX];
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    while (len > 0 && path[len - 1] != '/') {
        len--;
    }
    if (len >= sizeof(parent)) {
        return SPEAN_EINPUT;
    }
    (void)memcpy(parent, len > 0 ? path : ".", len > 0 ? len : 1);
    parent[len > 0 ? len : 1] = '\0';

    const int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return spean_file_err(errno);
    }
    const int rc = fsync(fd);
    const int reason = errno;
    (void)close(fd); /* Nothing was written through it. */
    return rc == 0 ? SPEAN_OK : spean_file_err(reason);
}

static spean_err write_all(int fd, struct spean_view bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        const ssize_t n = write(fd, bytes.data + done, bytes.len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? spean_file_err(errno) : SPEAN_EIO;
        }
        done += (size_t)n;
    }
    return fsync(fd) == 0 ? SPEAN_OK : spean_file_err(errno);
}

spean_err spean_file_write_new(const char *path, struct spean_view bytes)
{
    assert(path != NULL);

    char draft[PATH_MAX];
    const int n = snprintf(draft, sizeof(draft), "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof(draft)) {
        return SPEAN_EINPUT;
    }

    (void)unlink(draft); /* Left by a power cut; if it stays, O_EXCL finds it. */
    const int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return spean_file_err(errno);
    }
    spean_err err = write_all(fd, bytes);
    if (close(fd) != 0 && err == SPEAN_OK) {
        err = spean_file_err(errno);
    }
    /* FAT, as USB sticks have it, knows no hard links; rename would overwrite. So look first: the
     * name is the user's own choice and nobody races for it. */
    struct stat there;
    if (err == SPEAN_OK && lstat(path, &there) == 0) {
        err = SPEAN_EEXISTS;
    }
    if (err == SPEAN_OK && rename(draft, path) != 0) {
        err = spean_file_err(errno);
    }
    if (err != SPEAN_OK) {
        (void)unlink(draft); /* The first error is the one to tell. */
        return err;
    }
    return spean_file_sync_parent(path);
}

static spean_err read_all(int fd, uint8_t *buf, size_t size, size_t *len)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return spean_file_err(errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return SPEAN_EINPUT;
    }

    size_t done = 0;
    while (done < size) {
        const ssize_t n = read(fd, buf + done, size - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return spean_file_err(errno);
        }
        if (n == 0) {
            *len = done;
            return SPEAN_OK;
        }
        done += (size_t)n;
    }
    uint8_t more;
    if (read(fd, &more, 1) != 0) {
        return SPEAN_ELIMIT;
    }
    *len = done;
    return SPEAN_OK;
}

spean_err spean_file_read(const char *path, uint8_t *buf, size_t size, size_t *len)
{
    assert(path != NULL);
    assert(buf != NULL);
    assert(len != NULL);

    /* O_NONBLOCK: a named pipe in the place must not hold us up before fstat() refuses it. */
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return spean_file_err(errno);
    }
    const spean_err err = read_all(fd, buf, size, len);
    (void)close(fd); /* Only read from. */
    return err;
}

spean_err spean_file_room(int dir_fd, uint64_t bytes)
{
    assert(bytes > 0);
    assert(bytes <= INT64_MAX); /* What off_t holds. */

    static const char name[] = "room"; /* Never seen: it has no name as soon as it is open. */
    (void)unlinkat(dir_fd, name, 0);   /* Left by a power cut; if it stays, O_EXCL finds it. */
    const int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return spean_file_err(errno);
    }
    (void)unlinkat(dir_fd, name, 0);
    int rc = 0;
    do {
        rc = posix_fallocate(fd, 0, (off_t)bytes);
    } while (rc == EINTR);
    (void)close(fd); /* Nothing was written that could be lost. */
    return rc == 0 ? SPEAN_OK : spean_file_err(rc);
}
