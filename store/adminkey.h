/*
 * store/adminkey.h - the admin key file: who holds it and its passphrase speaks for the org.
 *
 * Meant for a USB stick in a drawer. It holds the org's id, an admin signing seed, and a charter
 * signing seed that serves only if the org is a steward; both are Ed25519, drawn apart. The file is
 * one line of text that says what it is, then a package (store/wrap.h).
 */
#ifndef SPEAN_STORE_ADMINKEY_H
#define SPEAN_STORE_ADMINKEY_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/wrap.h"

#define SPEAN_ADMINKEY_FILE_BYTES_MAX 1024u

struct spean_adminkey; /* Opaque; in locked memory. */

/* Draw fresh seeds in *out; the caller frees it. The org is all zero until it is set, since an
 * org's id follows from these very keys. SPEAN_EMEMLOCK, SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_adminkey_new(struct spean_adminkey **out);

/* Wipe and free. NULL is allowed. */
void spean_adminkey_free(struct spean_adminkey *key);

void spean_adminkey_set_org(struct spean_adminkey *key, const struct spean_id *org);

/*
 * Write key to a new file at path under unlock: whole and durable, or not there.
 * SPEAN_EINPUT: unlock is out of bounds (store/wrap.h), or the path cannot be used. SPEAN_EEXISTS:
 * there is a file; nothing is ever overwritten. SPEAN_ENOTFOUND: no such directory. SPEAN_EDENIED,
 * SPEAN_EFULL, SPEAN_EIO, SPEAN_EMEMLOCK, SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_adminkey_write(const struct spean_adminkey *key, const char *path,
                                           const struct spean_unlock *unlock);

/*
 * Read the file at path into *out; the caller frees it.
 *   SPEAN_EPASSPHRASE  wrong passphrase
 *   SPEAN_ENOTFOUND    no such file
 *   SPEAN_EINPUT       it is no regular file, or a symbolic link; or unlock is out of bounds
 *   SPEAN_EFORMAT      it is no admin key file
 *   SPEAN_ELIMIT       it is too long for one, or its costs are absurd
 *   SPEAN_EVERSION     written by a newer program
 *   SPEAN_ECORRUPT     damaged: use the copy
 *   SPEAN_ESTATE       it opens by the other kind of unlock
 *   SPEAN_EDENIED, SPEAN_EIO, SPEAN_EMEMLOCK, SPEAN_ENOMEM
 */
SPEAN_CHECK spean_err spean_adminkey_read(const char *path, const struct spean_unlock *unlock,
                                          struct spean_adminkey **out);

/* Belong to key. The seeds are SPEAN_KEY_BYTES long. */
const struct spean_id *spean_adminkey_org(const struct spean_adminkey *key);
const uint8_t *spean_adminkey_admin_seed(const struct spean_adminkey *key);
const uint8_t *spean_adminkey_charter_seed(const struct spean_adminkey *key);

#endif
