/*
 * protocol/grant.h - entries that hand out keys (PROTOCOL.md, 8).
 *
 * A part grant hands a part's key to organisations, an org-key grant hands an organisation's
 * sealing secrets to its nodes. Both have one outer form: whoever is named finds a box by its hint,
 * takes the key out of it, checks the key against the commitment, and opens the sealed section with
 * it. In an org-key grant a party is a node, and its sealing public key stands where otherwise the
 * organisation's id stands.
 *
 * Pair keys come in from outside: deriving one costs an X25519 and serves every grant between the
 * same two keys, so the caller may keep it. They and all keys that come out are secret; the caller
 * holds them in locked memory and wipes them.
 */
#ifndef SPEAN_PROTOCOL_GRANT_H
#define SPEAN_PROTOCOL_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/aead.h"
#include "protocol/aside.h"
#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/err.h"
#include "protocol/limits.h"

#define SPEAN_GRANT_HINT_BYTES 8u
#define SPEAN_GRANT_BOX_BYTES  (SPEAN_KEY_BYTES + SPEAN_AEAD_TAG_BYTES)

/* Room for the largest grant: every box, organisation, older generation and row of context. */
#define SPEAN_GRANT_BYTES_MAX 53248u

/* Where a grant stands, and who wrote it. */
struct spean_grant_place {
    struct spean_id log;
    uint64_t seq;
    struct spean_id author; /* Organisation; in an org-key grant the author node's sealing key. */
};

/* A key with its generation, as grants carry it. */
struct spean_grant_key {
    uint64_t generation;
    uint8_t key[SPEAN_KEY_BYTES];
};

/* To whom a grant goes. */
struct spean_grant_receiver {
    struct spean_id party;   /* Organisation; in an org-key grant the node's sealing key. */
    const uint8_t *pair_key; /* SPEAN_KEY_BYTES, of the author with this receiver. */
};

struct spean_grant_box {
    uint8_t hint[SPEAN_GRANT_HINT_BYTES];
    uint8_t box[SPEAN_GRANT_BOX_BYTES];
};

/* A decoded grant. sealed is a view into what was decoded. */
struct spean_grant {
    struct spean_id commitment;
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES];
    uint64_t author_generation; /* Of the author's sealing key; 0 in an org-key grant. */
    struct spean_view sealed;
    uint32_t boxes_count;
    struct spean_grant_box boxes[SPEAN_GRANT_BOXES_MAX]; /* Ascending by hint. */
};

/* What a part grant says under its seal. */
struct spean_grant_terms {
    struct spean_record_id record;
    uint64_t part;
    uint64_t generation; /* From 1. */
    struct spean_id owner;
    uint32_t audience_count;
    struct spean_id audience[SPEAN_AUDIENCE_ORGS_MAX]; /* Ascending. */
    uint32_t older_count;
    struct spean_view older; /* Read with spean_grant_key_next(). Views the opened bytes. */
    uint32_t rows_count;
    struct spean_view rows; /* Read with spean_context_row_next(). Views the opened bytes. */
};

/* The lists that go with the terms when encoding. */
struct spean_grant_lists {
    const struct spean_grant_key *older; /* Ascending by generation, below that of the terms. */
    uint32_t older_count;
    const struct spean_context_row *rows; /* Ascending by log; none with generation 1. */
    uint32_t rows_count;
};

/* What an org-key grant says under its seal. */
struct spean_grant_secrets {
    uint64_t generation; /* The newest of the organisation's sealing key. */
    uint32_t secrets_count;
    struct spean_view secrets; /* Read with spean_grant_key_next(). Views the opened bytes. */
};

/* What both encoders need. */
struct spean_grant_outer {
    struct spean_grant_place place;
    uint64_t author_generation;            /* 0 in an org-key grant. */
    const uint8_t *key;                    /* The part's key, or the fresh wrapping key. */
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES]; /* Random. */
    const struct spean_grant_receiver *receivers;
    uint32_t receivers_count; /* 1 to SPEAN_GRANT_BOXES_MAX, each party once. */
};

/*
 * Derive the pair key of two organisations' sealing keys (part grants) or of two nodes' sealing
 * keys (org-key grants); both sides derive the same. SPEAN_ESIGNATURE: theirs is a point of low
 * order, which nobody owns; refuse the statement that names it.
 */
SPEAN_CHECK spean_err spean_grant_pair(uint8_t out[SPEAN_KEY_BYTES],
                                       const uint8_t secret[SPEAN_KEY_BYTES],
                                       const struct spean_key *ours,
                                       const struct spean_key *theirs);
SPEAN_CHECK spean_err spean_grant_node_pair(uint8_t out[SPEAN_KEY_BYTES],
                                            const uint8_t secret[SPEAN_KEY_BYTES],
                                            const struct spean_key *ours,
                                            const struct spean_key *theirs);

/*
 * Encode a part grant's content at buf; *out is then a view of it. Older keys and context of terms
 * are not read: lists gives them. The entry's header bears the key's tag.
 * SPEAN_EINPUT: a receiver twice, an audience, generations or rows out of order or range.
 * SPEAN_ELIMIT: cap is below what it takes, SPEAN_GRANT_BYTES_MAX is always enough. buf holds
 * nothing secret afterwards, whatever is returned.
 */
SPEAN_CHECK spean_err spean_grant_encode(const struct spean_grant_outer *outer,
                                         const struct spean_grant_terms *terms,
                                         const struct spean_grant_lists *lists, uint8_t *buf,
                                         size_t cap, struct spean_view *out);

/* Encode an org-key grant's content, as above; secrets, ascending, end with generation. */
SPEAN_CHECK spean_err spean_grant_encode_secrets(const struct spean_grant_outer *outer,
                                                 const struct spean_grant_key *secrets,
                                                 uint32_t secrets_count, uint8_t *buf, size_t cap,
                                                 struct spean_view *out);

/*
 * Decode a grant's content, either kind. SPEAN_EFORMAT: not canonical, or boxes do not ascend;
 * SPEAN_ELIMIT: too many boxes. Set the entry aside after both.
 */
SPEAN_CHECK spean_err spean_grant_decode(struct spean_view content, struct spean_grant *out);

/*
 * Take the key out of the box for party, trying the pair keys given (own generations, the newest
 * first, each with the author's key of grant->author_generation).
 * SPEAN_ENOTFOUND: no box is for party under these pair keys. SPEAN_ESIGNATURE: the author made the
 * box so that it does not open: set the grant aside and report its author (SPEAN_ASIDE_KEY). key is
 * written on success only. Whether it is the one committed to is known when the sealed section is
 * opened with it: it is used for nothing before.
 */
SPEAN_CHECK spean_err spean_grant_open(const struct spean_grant *grant,
                                       const struct spean_grant_place *place,
                                       const struct spean_id *party,
                                       const uint8_t (*pair_keys)[SPEAN_KEY_BYTES],
                                       size_t pair_keys_count, uint8_t key[SPEAN_KEY_BYTES]);

/*
 * Open the sealed section with the key from a box, into buf (grant->sealed.len bytes are enough),
 * which the caller wipes, also after an error; *terms or *secrets view it. SPEAN_ESIGNATURE: key
 * does not open it, or with the part that it names does not give the commitment (P8.4);
 * SPEAN_EFORMAT, SPEAN_ELIMIT: not in the form of its kind. Set the grant aside after each; *terms
 * and *secrets are then unchanged.
 */
SPEAN_CHECK spean_err spean_grant_open_terms(const struct spean_grant *grant,
                                             const struct spean_grant_place *place,
                                             const uint8_t key[SPEAN_KEY_BYTES], uint8_t *buf,
                                             size_t cap, struct spean_grant_terms *terms);
SPEAN_CHECK spean_err spean_grant_open_secrets(const struct spean_grant *grant,
                                               const struct spean_grant_place *place,
                                               const uint8_t key[SPEAN_KEY_BYTES], uint8_t *buf,
                                               size_t cap, struct spean_grant_secrets *secrets);

/* Take the next key from *left, which began as terms->older or secrets->secrets; false at its end.
 * The keys ascend by generation. */
bool spean_grant_key_next(struct spean_view *left, struct spean_grant_key *out);

/* What judging needs of a part grant; the audience is lent and ascends. */
struct spean_grant_facts {
    struct spean_id author; /* Organisation. */
    struct spean_id owner;  /* As the grant says. */
    uint64_t generation;
    struct spean_id proof; /* Key proof of its key. */
    const struct spean_id *audience;
    uint32_t audience_count;
    uint64_t log; /* Short name; for spean_grant_left_out(), as what follows. */
    uint64_t seq;
    struct spean_view rows; /* Of its context, as opened; lent. */
};

/*
 * Judge a grant of a part by the grants of that part that were accepted (P8.4). record_owner is
 * NULL while the record is not known; then what the grant says counts, and the grants of the part
 * are judged again when it is. Accepting more never turns an accepted grant down, so going over
 * those set aside until none is accepted any more gives one answer in every order. Only accepted
 * grants of its generation and of the one before matter to a grant.
 * SPEAN_ASIDE_NOT, or SPEAN_ASIDE_OWNER, _GENERATION, _AUDIENCE, _LARGER.
 */
enum spean_aside spean_grant_judge(const struct spean_grant_facts *accepted,
                                   uint32_t accepted_count, const struct spean_grant_facts *grant,
                                   const struct spean_id *record_owner);

/* A change to a part, as a grant may or may not cover it. */
struct spean_grant_change {
    struct spean_id org; /* The author's. */
    uint64_t log;        /* Short name. */
    uint64_t seq;
    uint64_t generation; /* Of the key that it is sealed under. */
};

/*
 * Say whether a change is to be set aside (SPEAN_ASIDE_LEFT_OUT), because a generation above the
 * one that it is sealed under leaves its organisation out, and no grant of that generation covers
 * it (P8.5). accepted are all accepted grants of the part, in any order; record_owner is the
 * record's. *rows_missing: a row covers it that does not count; judge again when the entry arrives
 * that it names. Judge again, too, all changes of a part whenever a grant of it is accepted.
 */
bool spean_grant_left_out(const struct spean_grant_facts *accepted, uint32_t accepted_count,
                          const struct spean_id *record_owner,
                          const struct spean_grant_change *change, spean_row_counts *row_counts,
                          void *ctx, bool *rows_missing);

#endif
