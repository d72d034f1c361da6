/*
 * store/record.h - reading records as they were folded.
 *
 * Public records can be read while the keys are locked; sealed ones give SPEAN_ELOCKED. Every
 * function works on the caller's transaction, mostly a read one.
 */
#ifndef SPEAN_STORE_RECORD_H
#define SPEAN_STORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/fold.h"
#include "store/db.h"
#include "store/keystore.h"
#include "store/partkeys.h"

#define SPEAN_RECORD_PARTS_MAX       64u       /* Of one record, as listed; the lowest numbers. */
#define SPEAN_RECORD_STATE_BYTES_MAX 67108864u /* Of one canonical state; above: too large. */

/* -- One record ------------------------------------------------------------------------------ */

struct spean_record; /* Opaque. */

/* What the creating change said. */
struct spean_record_info {
    struct spean_record_id record;
    uint64_t type; /* enum spean_record_type, or one that is not known. */
    struct spean_id owner;
    struct spean_view fixed; /* Encoded map; see spean_fixed_get(). */
    uint32_t created_part;
    uint32_t created_number; /* Log number and seq of the creating change. */
    uint64_t created_seq;
};

/*
 * Read what is known of a record into *out; free it. SPEAN_ENOTFOUND: its creating change is not
 * known. SPEAN_ELOCKED. SPEAN_ECORRUPT: fold anew. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_record_get(struct spean_tx *tx, const struct spean_keys *keys,
                                       const struct spean_record_id *record,
                                       struct spean_record **out);
void spean_record_free(struct spean_record *record); /* NULL is allowed. */

/* What it is; the view lives as long as the record. */
void spean_record_get_info(const struct spean_record *record, struct spean_record_info *out);

/* What there is of a part. */
struct spean_record_part {
    uint32_t part;
    bool folded;     /* There is a state. */
    bool erased;     /* Values are not shown (SPEAN_ESTATE); the fold forgot them. */
    bool too_large;  /* Above SPEAN_RECORD_STATE_BYTES_MAX or SPEAN_PART_ROWS_MAX; not shown. */
    bool incomplete; /* Bodies that we can read are lacking. */
    bool behind;     /* It waits to be folded again. */
};

/* List the parts of which anything is known, ascending. Needs no keys. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_record_parts(struct spean_tx *tx, const struct spean_record_id *record,
                                         struct spean_record_part out[SPEAN_RECORD_PARTS_MAX],
                                         uint32_t *count);

/*
 * Read the trunk of a part (protocol/fold.h) into *out, which is all of it but list items; free it
 * with spean_part_free(). SPEAN_ENOTFOUND: nothing of it is folded. SPEAN_ESTATE: it is erased.
 * SPEAN_ELIMIT: it is too large. SPEAN_ELOCKED. SPEAN_ECORRUPT: fold anew. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_record_trunk(struct spean_tx *tx, const struct spean_keys *keys,
                                         const struct spean_part_name *name,
                                         struct spean_part **out);

/* Read a part with all its list items likewise. */
SPEAN_CHECK spean_err spean_record_part(struct spean_tx *tx, const struct spean_keys *keys,
                                        const struct spean_part_name *name,
                                        struct spean_part **out);

/* Compute the state hash of a part (P10.9), reading one list item at a time. Errors as above. */
SPEAN_CHECK spean_err spean_record_hash(struct spean_tx *tx, const struct spean_keys *keys,
                                        const struct spean_part_name *name, struct spean_id *out);

/*
 * Read the canonical state of a part into *out, which the caller wipes and frees. Errors as above.
 */
SPEAN_CHECK spean_err spean_record_state(struct spean_tx *tx, const struct spean_keys *keys,
                                         const struct spean_part_name *name, uint8_t **out,
                                         size_t *len);

/* -- Finding records ------------------------------------------------------------------------- */

/* Give the first record of a type whose id is above *after (NULL: any), of the creating changes
 * known. Needs no keys. SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_record_next(struct spean_tx *tx, uint64_t type,
                                        const struct spean_record_id *after,
                                        struct spean_record_id *out);

/*
 * Give the first record above *after (NULL: any) whose id begins with digits half-bytes of prefix
 * (at most 32). Needs no keys. SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_record_prefix(struct spean_tx *tx, const struct spean_record_id *prefix,
                                          uint32_t digits, const struct spean_record_id *after,
                                          struct spean_record_id *out);

/* What records can be looked up by. */
enum spean_lookup {
    SPEAN_LOOKUP_IDENTIFIER = 1,   /* Agencies: scheme code, a 0 byte, value. */
    SPEAN_LOOKUP_SHORT_REF = 2,    /* Cases: the text; every sibling of it. */
    SPEAN_LOOKUP_CONSENTS = 3,     /* Consents: the case's record id. */
    SPEAN_LOOKUP_CASE_OF = 4,      /* Cases: the record id of a referral made of it. */
    SPEAN_LOOKUP_REDIRECTED = 5,   /* Referrals: the record id of the one that was redirected. */
    SPEAN_LOOKUP_REFERRED_BY = 6,  /* Referrals: the record id of their consent. */
    SPEAN_LOOKUP_TRANSFERRED = 7,  /* Cases: the record id of the referral that brought them. */
    SPEAN_LOOKUP_SELF = 8,         /* Agencies: the id of the org that made it of itself. */
    SPEAN_LOOKUP_CODE = 9,         /* Codes: list, a 0 byte, code. */
    SPEAN_LOOKUP_CODES_OF = 10,    /* Codes: their list. */
    SPEAN_LOOKUP_CODE_LIST = 11,   /* Code lists: their name. */
    SPEAN_LOOKUP_AGENCY_NAME = 12, /* Agencies: spean_searchkey_name() of a name or alias. */
    SPEAN_LOOKUP_CASE_NAME = 13,   /* Cases: the same of a person's name. */
    SPEAN_LOOKUP_SAME_AS = 14      /* Agencies, cases: the record id of one said to be the same. */
};

/*
 * Give the first record above *after (NULL: any) that name leads to. SPEAN_ENOTFOUND: no more.
 * SPEAN_ELOCKED: names are hidden by a key. SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_record_lookup(struct spean_tx *tx, const struct spean_keys *keys,
                                          enum spean_lookup lookup, struct spean_view name,
                                          const struct spean_record_id *after,
                                          struct spean_record_id *out);

/* -- For the fold ---------------------------------------------------------------------------- */

/* Write or replace what is known of a record, or forget it. Errors stick to tx. */
spean_err spean_record_put(struct spean_tx *tx, const struct spean_keys *keys,
                           const struct spean_record_info *info);
spean_err spean_record_del(struct spean_tx *tx, const struct spean_record_info *info);

/* Make a record of what is said of it, without a store; free it. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_record_of(const struct spean_record_info *info,
                                      struct spean_record **out);

/*
 * Write the state of a part, of its list items those that part holds; NULL: it is too large. What
 * is too long by now is written as too large. anew: list items that were kept before go. Errors
 * stick to tx, but SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_record_put_state(struct spean_tx *tx, const struct spean_keys *keys,
                                             const struct spean_part_name *name,
                                             const struct spean_part *part, bool anew);

/* Forget the state of a part, if there is one. Errors stick to tx. */
spean_err spean_record_del_state(struct spean_tx *tx, const struct spean_part_name *name);

/* Let the names of a part in its present state lead to its record, and no others any more; part
 * NULL: none. Errors stick to tx. */
spean_err spean_record_index(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_part_name *name, const struct spean_part *part);

/*
 * Say whether just the names of a part in its present state lead to its record; part NULL: none do.
 * SPEAN_ELOCKED. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_record_is_indexed(struct spean_tx *tx, const struct spean_keys *keys,
                                              const struct spean_part_name *name,
                                              const struct spean_part *part, bool *is);

/* Say whether a row of the lookups is one of those that a part of its record gave. Needs no keys.
 * Errors stick to tx. */
SPEAN_CHECK spean_err spean_record_lookup_belongs(struct spean_tx *tx, struct spean_view key,
                                                  bool *belongs);

/* Let no name of a part lead to its record any more. Needs no keys. Errors stick to tx. */
spean_err spean_record_unindex(struct spean_tx *tx, const struct spean_part_name *name);

/* Give the first record id above *after (NULL: any) that stands behind prefix in the keys of a
 * table. SPEAN_ENOTFOUND: no more. SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_record_id_next(struct spean_tx *tx, enum spean_table table,
                                           struct spean_view prefix,
                                           const struct spean_record_id *after,
                                           struct spean_record_id *out);

/* What a row of the table of changes says; its key is part, log number, seq. */
#define SPEAN_CHANGE_FOLDED  (1u << 0)
#define SPEAN_CHANGE_CREATES (1u << 1)
#define SPEAN_CHANGE_STEWARD (1u << 2) /* Who is a steward decides about it. */

#endif
