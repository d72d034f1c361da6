/* node/local.h - the Unix socket behind the local API, and who may speak on it. */
#ifndef SPEAN_NODE_LOCAL_H
#define SPEAN_NODE_LOCAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "node/request.h"
#include "protocol/err.h"

#define SPEAN_LOCAL_PATH_BYTES_MAX 107u /* sun_path less its NUL. */
#define SPEAN_LOCAL_BACKLOG        64

/* No group may speak to us: only our own user and root. */
#define SPEAN_LOCAL_NO_GROUP ((gid_t)-1)

/* A listening socket in the file system. Plain value; end it with spean_local_close(). */
struct spean_local {
    int fd; /* Non-blocking; whoever takes it sets it to -1. */
    dev_t device;
    ino_t inode;
    char path[SPEAN_LOCAL_PATH_BYTES_MAX + 1];
};

/*
 * Listen on path, mode 0600, in a directory that is ours and closed to everybody else. With a
 * group: mode 0660, owned by that group, in a directory that the group may enter and not write.
 * A socket that nobody answers on is replaced.
 * SPEAN_EINPUT: path is empty or longer than SPEAN_LOCAL_PATH_BYTES_MAX. SPEAN_EDENIED: the
 * directory belongs to somebody else or is open to others: close it. SPEAN_ENOTFOUND: there is no
 * such directory. SPEAN_EEXISTS: something that is not a socket of ours has this name.
 * SPEAN_EBUSY: another server answers there, or is being started there. SPEAN_EIO: any other
 * failure.
 */
SPEAN_CHECK spean_err spean_local_listen(const char *path, gid_t group, struct spean_local *out);

/*
 * Remove the name, if it is still this socket's, and close the descriptor if it was not taken.
 * Call it while whoever took the descriptor still listens: an inode number in use is not given to
 * another server's socket. Calling it again, or on zeros with fd -1, does nothing.
 */
void spean_local_close(struct spean_local *local);

/* Who connected on the socket fd. SPEAN_EIO: the kernel does not say; refuse the connection. */
SPEAN_CHECK spean_err spean_local_caller(int fd, struct spean_caller *out);

/* Whether the caller on fd may speak to a daemon of user own: root, own, and members of group. */
bool spean_local_allowed(const struct spean_caller *caller, int fd, uid_t own, gid_t group);

#endif
