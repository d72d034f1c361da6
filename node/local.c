#define _GNU_SOURCE /* struct ucred, flock() */
#include "node/local.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GROUPS_MAX 256u /* More supplementary groups than this are not looked through. */

static spean_err local_err(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return SPEAN_ENOTFOUND;
    case EACCES:
    case EPERM:
    case ELOOP: /* A symbolic link where a directory of ours should be. */
        return SPEAN_EDENIED;
    case EWOULDBLOCK:
        return SPEAN_EBUSY;
    case ENOMEM:
        return SPEAN_ENOMEM;
    default:
        return SPEAN_EIO;
    }
}

static spean_err address_make(const char *path, struct sockaddr_un *out)
{
    const size_t len = strlen(path);
    if (len == 0 || len > SPEAN_LOCAL_PATH_BYTES_MAX) {
        return SPEAN_EINPUT;
    }
    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path, path, len);
    return SPEAN_OK;
}

/* Check that it is ours and closed to others, and lock it. */
static spean_err directory_check(int fd, gid_t group)
{
    struct stat info;
    const mode_t closed = group == SPEAN_LOCAL_NO_GROUP ? 0077 : 0027;
    if (fstat(fd, &info) != 0) {
        return local_err(errno);
    }
    if (info.st_uid != geteuid() || (info.st_mode & closed) != 0) {
        return SPEAN_EDENIED;
    }
    return flock(fd, LOCK_EX | LOCK_NB) == 0 ? SPEAN_OK : local_err(errno);
}

/* Open the directory that path is in and take its lock, so that two servers cannot both decide. */
static spean_err directory_lock(const char *path, gid_t group, int *out)
{
    char name[SPEAN_LOCAL_PATH_BYTES_MAX + 1];
    (void)snprintf(name, sizeof(name), "%s", path); /* address_make() has bounded it. */
    char *slash = strrchr(name, '/');
    if (slash != NULL) {
        slash[slash == name ? 1 : 0] = '\0';
    }
    const int fd =
        open(slash != NULL ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return local_err(errno);
    }
    const spean_err err = directory_check(fd, group);
    if (err != SPEAN_OK) {
        (void)close(fd); /* It was only read. */
        return err;
    }
    *out = fd;
    return SPEAN_OK;
}

/* Remove a socket that a server which did not end well has left behind. */
static spean_err stale_remove(const struct sockaddr_un *address)
{
    struct stat info;
    if (lstat(address->sun_path, &info) != 0) {
        return errno == ENOENT ? SPEAN_OK : local_err(errno);
    }
    if (!S_ISSOCK(info.st_mode) || info.st_uid != geteuid()) {
        return SPEAN_EEXISTS;
    }
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return local_err(errno);
    }
    const int connected = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    const int code = errno;
    (void)close(fd);                        /* Nothing was sent. */
    if (connected == 0 || code == EAGAIN) { /* EAGAIN: it lives, its backlog is full. */
        return SPEAN_EBUSY;
    }
    if (code != ECONNREFUSED) {
        return local_err(code);
    }
    return unlink(address->sun_path) == 0 ? SPEAN_OK : local_err(errno);
}

/* The mode is set before the name exists, so there is no moment in which it is too wide. */
static spean_err socket_bind(int fd, const struct sockaddr_un *address, gid_t group,
                             struct stat *info)
{
    if (fchmod(fd, 0600) != 0 ||
        bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0) {
        return local_err(errno);
    }
    const bool shared = group != SPEAN_LOCAL_NO_GROUP;
    if (shared && chown(address->sun_path, (uid_t)-1, group) != 0) {
        return local_err(errno);
    }
    if (chmod(address->sun_path, shared ? 0660 : 0600) != 0 ||
        listen(fd, SPEAN_LOCAL_BACKLOG) != 0 || lstat(address->sun_path, info) != 0) {
        return local_err(errno);
    }
    return SPEAN_OK;
}

spean_err spean_local_listen(const char *path, gid_t group, struct spean_local *out)
{
    assert(path != NULL);
    assert(out != NULL);
    struct sockaddr_un address;
    struct stat info;
    int directory = -1;
    int fd = -1;
    spean_err err = address_make(path, &address);
    if (err != SPEAN_OK) {
        return err;
    }
    err = directory_lock(path, group, &directory);
    if (err != SPEAN_OK) {
        return err;
    }
    err = stale_remove(&address);
    if (err != SPEAN_OK) {
        goto out;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        err = local_err(errno);
        goto out;
    }
    err = socket_bind(fd, &address, group, &info);
    if (err != SPEAN_OK) {
        (void)close(fd); /* A name it may have left is stale, and the next start removes it. */
        goto out;
    }
    out->fd = fd;
    out->device = info.st_dev;
    out->inode = info.st_ino;
    (void)snprintf(out->path, sizeof(out->path), "%s", path); /* Bounded as well. */
out:
    (void)close(directory); /* This also releases the lock. */
    return err;
}

void spean_local_close(struct spean_local *local)
{
    assert(local != NULL);
    struct stat info;
    if (lstat(local->path, &info) == 0 && info.st_dev == local->device &&
        info.st_ino == local->inode) {
        (void)unlink(local->path); /* If it stays it is stale, and the next start removes it. */
    }
    local->path[0] = '\0';
    if (local->fd >= 0) {
        (void)close(local->fd); /* A listening socket holds no data. */
        local->fd = -1;
    }
}

spean_err spean_local_caller(int fd, struct spean_caller *out)
{
    assert(out != NULL);
    struct ucred credentials;
    socklen_t len = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) != 0 ||
        len != sizeof(credentials)) {
        return SPEAN_EIO;
    }
    out->uid = credentials.uid;
    out->gid = credentials.gid;
    out->pid = credentials.pid;
    return SPEAN_OK;
}

static bool caller_in_group(const struct spean_caller *caller, int fd, gid_t group)
{
    if (caller->gid == group) {
        return true;
    }
    gid_t groups[GROUPS_MAX];
    socklen_t len = sizeof(groups);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0) {
        return false;
    }
    for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
        if (groups[i] == group) {
            return true;
        }
    }
    return false;
}

bool spean_local_allowed(const struct spean_caller *caller, int fd, uid_t own, gid_t group)
{
    assert(caller != NULL);
    if (caller->uid == 0 || caller->uid == own) {
        return true;
    }
    return group != SPEAN_LOCAL_NO_GROUP && caller_in_group(caller, fd, group);
}
