/*
 * store/keystore.h - the secrets of this node: one sealed row at rest, a few locked blocks in use.
 *
 * Held are the node's signing seed (Ed25519), sealing secret (X25519), transport secret
 * (Curve25519), the store key, and the org's sealing secrets of all generations. A struct
 * spean_keys is locked until it is created or unlocked, and again after spean_keys_lock(); only
 * the transport secret stays then, so that a locked node still carries.
 *
 * One thread at a time: whoever locks, adds or rewraps sees to it that no other thread uses a
 * pointer from here. Functions that write run a write transaction of their own (SPEAN_EBUSY: one is
 * open; commit it first) and what they did is durable when they return. Beside the errors named,
 * those of spean_tx_begin() and spean_tx_commit() may come. After an error nothing has changed.
 */
#ifndef SPEAN_STORE_KEYSTORE_H
#define SPEAN_STORE_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/sign.h"
#include "store/db.h"
#include "store/wrap.h"

#define SPEAN_KEYS_ORG_MAX 1024u /* Sealing secrets of the org, all generations together. */

struct spean_keys; /* Opaque. */

/* Make an empty, locked set of keys in *out; the caller frees it. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_keys_new(struct spean_keys **out);

/* Wipe and free all, the transport secret too. NULL is allowed. */
void spean_keys_free(struct spean_keys *keys);

/*
 * Draw fresh secrets for a new node, without any of the org, and write the row under unlock; keys
 * are unlocked then.
 * SPEAN_EEXISTS: the store has a keystore already. SPEAN_EINPUT: unlock is out of bounds
 * (store/wrap.h). SPEAN_EMEMLOCK, SPEAN_ENOMEM. keys hold nothing before (assert).
 */
SPEAN_CHECK spean_err spean_keys_create(struct spean_keys *keys, struct spean_db *db,
                                        const struct spean_unlock *unlock);

/*
 * Open the keystore. Nothing happens if it is unlocked (to check a passphrase, see rewrap).
 *   SPEAN_EPASSPHRASE  this is not the passphrase, or not the credential
 *   SPEAN_ESTATE       it opens by the other kind of unlock
 *   SPEAN_ENOTFOUND    the store has no keystore: create one
 *   SPEAN_ELIMIT       the costs in the row are absurd; the row was tampered with or is damaged
 *   SPEAN_ECORRUPT     the row is damaged: restore a backup
 *   SPEAN_EVERSION     written by a newer program
 *   SPEAN_EINPUT, SPEAN_EMEMLOCK, SPEAN_ENOMEM
 */
SPEAN_CHECK spean_err spean_keys_unlock(struct spean_keys *keys, struct spean_db *db,
                                        const struct spean_unlock *unlock);

/* Wipe all but the transport secret. What the getters gave is gone. Locking twice is allowed. */
void spean_keys_lock(struct spean_keys *keys);

bool spean_keys_locked(const struct spean_keys *keys);

/*
 * Seal the keystore under another passphrase or credential, with a fresh wrapping key, so that
 * the old passphrase and an old copy open nothing written later. The command is a later step.
 * SPEAN_ELOCKED: unlock first. SPEAN_EPASSPHRASE and others of spean_keys_unlock(): before does
 * not open it. SPEAN_EINPUT: after is out of bounds.
 */
SPEAN_CHECK spean_err spean_keys_rewrap(struct spean_keys *keys, struct spean_db *db,
                                        const struct spean_unlock *before,
                                        const struct spean_unlock *after);

/* -- The secrets ----------------------------------------------------------------------------- */

/* Each is SPEAN_KEY_BYTES long, cannot be written to, and is NULL when locked; the transport
 * secret is NULL only before the first unlock. They live until spean_keys_lock(). */
const uint8_t *spean_keys_signing_seed(const struct spean_keys *keys);
const uint8_t *spean_keys_sealing_secret(const struct spean_keys *keys);
const uint8_t *spean_keys_transport_secret(const struct spean_keys *keys);

/* The signing seed made ready for signing many times; NULL when locked. Lives as long. */
const struct spean_signer *spean_keys_signer(const struct spean_keys *keys);

/* Keys drawn from the store key, for store/seal.h: of values, and of names in keys of rows. */
const uint8_t *spean_keys_value_key(const struct spean_keys *keys);
const uint8_t *spean_keys_name_key(const struct spean_keys *keys);

/* One sealing secret of the org. Two branches of a statement may give one generation two keys. */
struct spean_org_secret {
    uint32_t generation;
    struct spean_key key; /* The public key of secret. */
    uint8_t secret[SPEAN_KEY_BYTES];
};

/*
 * Have hold(ctx, true) called before secrets of the org are exchanged, and hold(ctx, false) behind
 * it: other threads must not read keys meanwhile. Both are outside of any transaction of its own.
 * It stays when keys are locked and unlocked.
 */
void spean_keys_guard(struct spean_keys *keys, void (*hold)(void *ctx, bool on), void *ctx);

/*
 * Add a sealing secret of the org. It is durable before it can be got. One held already changes
 * nothing. Whatever spean_keys_org_at() and spean_keys_org_find() gave before is gone.
 * SPEAN_ELOCKED: unlock first. SPEAN_EINPUT: generation is 0. SPEAN_ELIMIT: SPEAN_KEYS_ORG_MAX
 * are held. SPEAN_EMEMLOCK, SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_keys_add_org(struct spean_keys *keys, struct spean_db *db,
                                         uint32_t generation,
                                         const uint8_t secret[SPEAN_KEY_BYTES]);

/* How many sealing secrets of the org are held; 0 when locked. */
size_t spean_keys_org_count(const struct spean_keys *keys);

/* The secret at index (below the count, assert), by ascending generation, then public key. */
const struct spean_org_secret *spean_keys_org_at(const struct spean_keys *keys, size_t index);

/* The secret whose public key is key; NULL: not held, or locked. */
const struct spean_org_secret *spean_keys_org_find(const struct spean_keys *keys,
                                                   const struct spean_key *key);

#endif
