/*
 * store/wrap.h - a package of secrets at rest, sealed under a passphrase or a credential.
 *
 * The content is sealed under a random wrapping key; that key is sealed under what opens the
 * package: Argon2id of a passphrase, or a credential of 32 random bytes that the system hands to
 * the service. Package, in canonical msgpack, version 1:
 *
 *   [1, wrap, nonce: bin24, content: bin]
 *                              content is sealed with [domain, 1, wrap]
 *   wrap = [1, ops, MiB, salt: bin16, nonce: bin24, key: bin48]
 *                              a passphrase; key is sealed with [domain, 1, ops, MiB, salt]
 *   wrap = [2, nonce: bin24, key: bin48]
 *                              a credential; key is sealed with [domain, 2]
 *
 * where "with" names the additional data, as a canonical array, and domain says what the package
 * is. The credential is not used as a key itself, but BLAKE2b-256 keyed with it, of nothing under
 * the domain "spean/store-credential/1".
 */
#ifndef SPEAN_STORE_WRAP_H
#define SPEAN_STORE_WRAP_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/aead.h"
#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_WRAP_EXTRA_BYTES_MAX      256u /* What a package has beyond its content. */
#define SPEAN_WRAP_CONTENT_BYTES_MAX    65536u
#define SPEAN_WRAP_SALT_BYTES           16u
#define SPEAN_WRAP_CREDENTIAL_BYTES     32u
#define SPEAN_WRAP_PASSPHRASE_BYTES_MAX 1024u

/* The price of one guess at a passphrase. Below the floor guessing is cheap, above the ceiling a
 * damaged or planted file could exhaust the machine: both are refused before anything is tried. */
#define SPEAN_WRAP_OPS_DEFAULT 3u
#define SPEAN_WRAP_OPS_MIN     3u
#define SPEAN_WRAP_OPS_MAX     16u
#define SPEAN_WRAP_MIB_DEFAULT 256u
#define SPEAN_WRAP_MIB_MIN     64u
#define SPEAN_WRAP_MIB_MAX     1024u

enum spean_unlock_kind {
    SPEAN_UNLOCK_PASSPHRASE = 1,
    SPEAN_UNLOCK_CREDENTIAL = 2,
};

/* What opens a package. The bytes are the caller's, who wipes them; nothing is normalised. */
struct spean_unlock {
    enum spean_unlock_kind kind;
    struct spean_view bytes; /* Passphrase: 1 to 1,024 bytes. Credential: 32. */
    uint32_t ops;            /* For a new passphrase only; 0: the default. */
    uint32_t mib;            /* Likewise. */
};

/* How a package's key is wrapped; nothing in it is secret. */
struct spean_wrap {
    enum spean_unlock_kind kind;
    uint32_t ops;
    uint32_t mib;
    uint8_t salt[SPEAN_WRAP_SALT_BYTES];
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES];
    uint8_t key[SPEAN_KEY_BYTES + SPEAN_AEAD_TAG_BYTES];
};

/*
 * Make a fresh wrapping key in key (locked memory) and its wrap under unlock in *wrap.
 * SPEAN_EINPUT: a length or a cost in unlock is out of bounds. SPEAN_ENOMEM: also when the memory
 * that the passphrase costs is not there. SPEAN_EMEMLOCK.
 */
SPEAN_CHECK spean_err spean_wrap_new(const char *domain, const struct spean_unlock *unlock,
                                     struct spean_wrap *wrap, uint8_t key[SPEAN_KEY_BYTES]);

/*
 * Write the package of content into buf, its length into *len. Every call draws a fresh nonce.
 * SPEAN_ELIMIT: content is longer than SPEAN_WRAP_CONTENT_BYTES_MAX, or the package than cap
 * (content.len + SPEAN_WRAP_EXTRA_BYTES_MAX is enough). SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_wrap_seal(const char *domain, const struct spean_wrap *wrap,
                                      const uint8_t key[SPEAN_KEY_BYTES], struct spean_view content,
                                      uint8_t *buf, size_t cap, size_t *len);

/*
 * Open a package: its wrap into *wrap, its wrapping key into key and its content into buf of cap
 * bytes (package.len is enough), both in locked memory, the content's length into *len.
 *   SPEAN_EPASSPHRASE  unlock is not what opens it
 *   SPEAN_ESTATE       it wants the other kind of unlock
 *   SPEAN_EVERSION     written by a newer program
 *   SPEAN_EFORMAT      it is no package
 *   SPEAN_ELIMIT       its costs are below the floor or above the ceiling, or buf is too small
 *   SPEAN_ECORRUPT     the content does not verify
 *   SPEAN_EINPUT, SPEAN_ENOMEM, SPEAN_EMEMLOCK  as for spean_wrap_new()
 * After an error key and buf hold nothing of worth.
 */
SPEAN_CHECK spean_err spean_wrap_open(const char *domain, struct spean_view package,
                                      const struct spean_unlock *unlock, struct spean_wrap *wrap,
                                      uint8_t key[SPEAN_KEY_BYTES], uint8_t *buf, size_t cap,
                                      size_t *len);

#endif
