/*
 * store/lobby.h - invitations given out by this node, and newcomers who wait for a steward (P12).
 *
 * Both are sealed at rest: without the keys a node judges nobody's JOIN.
 */
#ifndef SPEAN_STORE_LOBBY_H
#define SPEAN_STORE_LOBBY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/invite.h"
#include "protocol/join.h"
#include "protocol/limits.h"
#include "store/db.h"
#include "store/keystore.h"

#define SPEAN_LOBBY_INVITES_MAX   256u
#define SPEAN_LOBBY_NEWCOMERS_MAX 64u
#define SPEAN_LOBBY_DOCUMENTS_MAX 1024u /* Of one newcomer, in one JOIN frame. */

/* An invitation that was given out. Wipe the secret after use. */
struct spean_lobby_invite {
    uint32_t number; /* From 1. */
    uint8_t secret[SPEAN_INVITE_SECRET_BYTES];
    uint64_t expires_s; /* Seconds since 1970; the caller compares. */
    bool node;          /* For a further node of our org (P12.5), not for another org. */
    bool used;
    struct spean_key newcomer; /* Transport key of who used it. */
};

/*
 * Keep a new invitation and number it. SPEAN_ELIMIT: SPEAN_LOBBY_INVITES_MAX are kept; delete some.
 * SPEAN_ELOCKED. Others stick to tx.
 */
SPEAN_CHECK spean_err spean_lobby_add_invite(struct spean_tx *tx, const struct spean_keys *keys,
                                             const uint8_t secret[SPEAN_INVITE_SECRET_BYTES],
                                             uint64_t expires_s, bool node, uint32_t *number);

/* Give the first invitation whose number is at least from: to try each against the MAC of a JOIN.
 * SPEAN_ENOTFOUND: no more. SPEAN_ELOCKED, SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_lobby_next_invite(struct spean_tx *tx, const struct spean_keys *keys,
                                              uint32_t from, struct spean_lobby_invite *out);

/* Mark an invitation as used by a newcomer. SPEAN_EEXISTS: it was used by another; refuse.
 * SPEAN_ENOTFOUND, SPEAN_ELOCKED, SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_lobby_use_invite(struct spean_tx *tx, const struct spean_keys *keys,
                                             uint32_t number, const struct spean_key *newcomer);

/* Take an invitation back. SPEAN_ENOTFOUND. */
SPEAN_CHECK spean_err spean_lobby_del_invite(struct spean_tx *tx, uint32_t number);

/* Who asked to join, and stands where a steward has put it. */
struct spean_lobby_newcomer {
    struct spean_key transport;
    bool node;                              /* Of our org (P12.5). */
    struct spean_id org;                    /* That its documents are of. */
    uint32_t invite;                        /* Number of the invitation. */
    uint8_t fresh[SPEAN_JOIN_FRESH_BYTES];  /* Of the CHALLENGE. */
    char digits[SPEAN_JOIN_DIGITS_LEN + 1]; /* Shown on both sides. */
    uint64_t since_s;
    uint32_t standing; /* 1 waiting, 2 refused, 3 expired, 4 member: as in P13.1. */
    uint32_t documents_count;
    const struct spean_view *documents; /* Its statement chain from version 1; of a node one, the
                                           NODE message. */
};

/*
 * Keep or replace a newcomer under its transport key. SPEAN_ELIMIT: SPEAN_LOBBY_NEWCOMERS_MAX wait,
 * or the documents are more or longer than one frame. SPEAN_ELOCKED, SPEAN_ENOMEM. Others stick.
 */
SPEAN_CHECK spean_err spean_lobby_put_newcomer(struct spean_tx *tx, const struct spean_keys *keys,
                                               const struct spean_lobby_newcomer *newcomer);

/* A newcomer as it was read; opaque. Free it. */
struct spean_lobby_read;
void spean_lobby_read_free(struct spean_lobby_read *read); /* NULL is allowed. */
const struct spean_lobby_newcomer *spean_lobby_read_newcomer(const struct spean_lobby_read *read);

/* Read the newcomer with this transport key into *out. SPEAN_ENOTFOUND: there is none.
 * SPEAN_ELOCKED, SPEAN_ECORRUPT, SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_lobby_get_newcomer(struct spean_tx *tx, const struct spean_keys *keys,
                                               const struct spean_key *transport,
                                               struct spean_lobby_read **out);

/* Read the first newcomer whose transport key is above *after (NULL: any). Errors as above. */
SPEAN_CHECK spean_err spean_lobby_next_newcomer(struct spean_tx *tx, const struct spean_keys *keys,
                                                const struct spean_key *after,
                                                struct spean_lobby_read **out);

/*
 * Call visit for each newcomer, ascending by transport key, until it gives an error, which is then
 * returned. It may put and forget newcomers. Errors as above, but for SPEAN_ENOTFOUND.
 */
SPEAN_CHECK spean_err spean_lobby_each_newcomer(
    struct spean_tx *tx, const struct spean_keys *keys,
    spean_err (*visit)(void *ctx, const struct spean_lobby_newcomer *newcomer), void *ctx);

/* Forget a newcomer. SPEAN_ENOTFOUND. */
SPEAN_CHECK spean_err spean_lobby_del_newcomer(struct spean_tx *tx,
                                               const struct spean_key *transport);

#endif
