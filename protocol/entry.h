/* protocol/entry.h - the header of a log entry, and the ids that chain entries (PROTOCOL.md, 5). */
#ifndef SPEAN_PROTOCOL_ENTRY_H
#define SPEAN_PROTOCOL_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/sign.h"

#define SPEAN_ENTRY_FORMAT 1u /* The highest that this program writes and folds. */

/* Flags of a header. Bits that are not named here are kept and passed on. */
#define SPEAN_ENTRY_ENDS_COMMIT (1u << 0)

/* Kinds. Others are verified, stored and passed on, and nothing of them is folded (P5.4). */
enum spean_entry_kind {
    SPEAN_ENTRY_CHANGE = 1,
    SPEAN_ENTRY_GRANT = 2,
    SPEAN_ENTRY_ORGKEY = 3,
    SPEAN_ENTRY_ERASURE = 4,
    SPEAN_ENTRY_HEADS = 5
};

struct spean_header {
    uint64_t format;
    uint64_t seq;             /* From 1, by one. */
    struct spean_id previous; /* All zero for seq 1. */
    uint64_t time; /* Seconds since 1970 by the author's clock, to INT64_MAX; for display. */
    uint64_t kind; /* enum spean_entry_kind, or one of a later format. */
    uint64_t flags;
    bool has_tag;
    struct spean_tag tag;
    uint32_t body_len; /* 1 to SPEAN_BODY_BYTES_MAX. */
    struct spean_id body_hash;
    struct spean_view rest; /* Elements that formats above 1 append, encoded; a view. */
    uint32_t rest_count;
};

/* Compute the id of the log of an org's signing key in a ledger (P5.1). */
void spean_log_id(struct spean_id *out, const struct spean_id *ledger, const struct spean_id *org,
                  const struct spean_key *signing);

/*
 * Encode h at buf, *out is then the encoded view.
 * SPEAN_ELIMIT: cap is too small or the header is above SPEAN_HEADER_BYTES_MAX.
 */
SPEAN_CHECK spean_err spean_header_encode(const struct spean_header *h, uint8_t *buf, size_t cap,
                                          struct spean_view *out);

/*
 * Decode a whole header; out->rest is a view into bytes. SPEAN_EFORMAT: not canonical, or seq or
 * body length out of range; SPEAN_ELIMIT: above a named limit. *out is written on success only.
 */
SPEAN_CHECK spean_err spean_header_decode(struct spean_view bytes, struct spean_header *out);

/* Say whether the body is sealed: a change's with a tag; a grant's is public (P6.1, P6.2). */
bool spean_header_is_sealed(const struct spean_header *h);

/* Compute the id of the entry with this encoded header in this log (P5.3). */
void spean_entry_id(struct spean_id *out, const struct spean_id *log, struct spean_view header);

/* Compute the hash of a body as stored (P5.3). */
void spean_body_hash(struct spean_id *out, struct spean_view body);

/*
 * Check a body that arrived on its own against the header that announced it.
 * SPEAN_ESIGNATURE: another length or hash; drop it and ask somebody else.
 */
SPEAN_CHECK spean_err spean_body_check(const struct spean_header *h, struct spean_view body);

/* Sign the entry with this id as the end of a commit; seed is the log's signing key. */
void spean_commit_sign(struct spean_signature *out, const struct spean_id *log,
                       const struct spean_id *entry, const uint8_t seed[SPEAN_KEY_BYTES]);

/* The same, where the log's signing key was made ready before. */
void spean_commit_sign_by(struct spean_signature *out, const struct spean_id *log,
                          const struct spean_id *entry, const struct spean_signer *signer);

/* SPEAN_ESIGNATURE: key did not sign this entry as the end of a commit of this log. */
SPEAN_CHECK spean_err spean_commit_verify(const struct spean_signature *sig,
                                          const struct spean_id *log, const struct spean_id *entry,
                                          const struct spean_key *key);

#endif
