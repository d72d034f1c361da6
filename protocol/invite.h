/*
 * protocol/invite.h - the text that invites one organisation to a ledger (P12.1), or one more node
 * into an organisation (P12.5).
 *
 * `SPEAN1:` or `SPEANNODE1:` and base 32 in capitals without padding, so that it fits a QR code's
 * alphanumeric mode. Whoever holds it may ask to join, once, until it expires; it lets nobody in by
 * itself. A checksum at its end tells one that was cut off or mistyped from a whole one: it
 * protects from slips, not from people.
 */
#ifndef SPEAN_PROTOCOL_INVITE_H
#define SPEAN_PROTOCOL_INVITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_INVITE_SECRET_BYTES       16u
#define SPEAN_INVITE_ENDPOINT_BYTES_MIN 5u
#define SPEAN_INVITE_ENDPOINT_BYTES_MAX 35u
#define SPEAN_INVITE_ORG_TEXT_LEN_MAX   177u /* Without the NUL: of an organisation. */
#define SPEAN_INVITE_TEXT_LEN_MAX       232u /* Of either kind. */

/* secret is one: keep the struct and the text out of logs and wipe them after use. */
struct spean_invite {
    struct spean_handle handle;
    struct spean_key transport;                /* Of the node that invites. */
    uint8_t secret[SPEAN_INVITE_SECRET_BYTES]; /* Random; the caller's. */
    uint32_t expires;                          /* Seconds since 1970; the caller compares. */
    bool node;                                 /* For a node of org, not for another org. */
    struct spean_id org;                       /* With node; otherwise zeros. */
    char endpoint[SPEAN_INVITE_ENDPOINT_BYTES_MAX + 1]; /* "host:port", printable ASCII. */
};

/*
 * Write the text and a NUL. SPEAN_EINPUT: the endpoint is too short, or holds a space or something
 * that is not printable ASCII; choose another. *out is unchanged.
 */
SPEAN_CHECK spean_err spean_invite_encode(char out[SPEAN_INVITE_TEXT_LEN_MAX + 1],
                                          const struct spean_invite *invite);

/*
 * Read text that somebody pasted or scanned. Capitals only: each invitation has one spelling.
 * SPEAN_EVERSION: it begins with SPEAN and another number; this program is too old.
 * SPEAN_EINPUT: it is no invitation, or incomplete, or mistyped. *invite is unchanged.
 */
SPEAN_CHECK spean_err spean_invite_decode(struct spean_invite *invite, struct spean_view text);

#endif
