/* store/file.h - small secret files and what durable means for a file's name. */
#ifndef SPEAN_STORE_FILE_H
#define SPEAN_STORE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

/* Translate an errno value, not 0, of a file operation. Never SPEAN_OK. */
spean_err spean_file_err(int err);

/* Make the names in the directory that holds path durable. SPEAN_EIO and others as below. */
SPEAN_CHECK spean_err spean_file_sync_parent(const char *path);

/*
 * Write a new file, readable by its owner alone: whole and durable when this returns, or not there
 * at all (a name ending in ".new" may be left by a power cut).
 * SPEAN_EEXISTS: something has that name; nothing is overwritten. SPEAN_EINPUT: the path is too
 * long or passes through something that is no directory. SPEAN_ENOTFOUND: no such directory.
 * SPEAN_EDENIED, SPEAN_EFULL, SPEAN_EIO.
 */
SPEAN_CHECK spean_err spean_file_write_new(const char *path, struct spean_view bytes);

/*
 * Read a whole regular file into buf of size bytes, its length into *len. Follows no symbolic link.
 * SPEAN_ENOTFOUND: there is none. SPEAN_EINPUT: it is no regular file. SPEAN_ELIMIT: it is longer
 * than size. SPEAN_EDENIED, SPEAN_EIO. After an error buf holds anything.
 */
SPEAN_CHECK spean_err spean_file_read(const char *path, uint8_t *buf, size_t size, size_t *len);

/*
 * Look whether a file in the directory dir_fd could grow by this much: SPEAN_OK, or SPEAN_EFULL:
 * the disk, a quota or a limit of the process is in the way. Other errors as they came.
 */
SPEAN_CHECK spean_err spean_file_room(int dir_fd, uint64_t bytes);

#endif
