/*
 * store/draft.h - a commit that is planned: changes, grants and erasures, composed in memory.
 *
 * A draft is composed item by item, in the order in which it is meant, and written by
 * spean_author_commit() (store/author.h) whole or not at all. Items are numbered from 0, all
 * of them together. What is given is copied, and wiped when the draft is freed.
 *
 * Each call checks what the schema alone can tell; what depends on records and organisations is
 * checked when committing. After an error the draft is as before: go on, or free it.
 */
#ifndef SPEAN_STORE_DRAFT_H
#define SPEAN_STORE_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/err.h"
#include "protocol/limits.h"

/* Items, and their entries: the grants that a creation implies count too. */
#define SPEAN_DRAFT_ITEMS_MAX SPEAN_RUN_ENTRIES_MAX
/* All values together; encoded, the commit must stay within SPEAN_RUN_BYTES_MAX. */
#define SPEAN_DRAFT_BYTES_MAX SPEAN_RUN_BYTES_MAX

struct spean_draft; /* Opaque. */

/*
 * Begin an empty draft in *out for the node that writes log, which is NULL when it has none; the
 * caller frees it. SPEAN_ESTATE: there is no ledger, or no open log: nothing can be written.
 * SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_draft_new(const struct spean_authority *authority,
                                      const struct spean_log *log, struct spean_draft **out);
void spean_draft_free(struct spean_draft *draft); /* NULL is allowed. */

/* How many items there are: the next gets this number. */
uint32_t spean_draft_count(const struct spean_draft *draft);

/*
 * Begin the change that creates a record of type (enum spean_record_type), in its first part;
 * operations that follow go into it. random is drawn by the caller, 16 bytes never used before:
 * they make the record's id, given in *out, which may be NULL. fixed is an encoded canonical map
 * of field number to value; {NULL, 0} is the empty one.
 *   SPEAN_EINPUT   a type that this version does not write; a field of fixed is not a fixed one of
 *                  type, or its value not what the schema says (*field names it, if not NULL)
 *   SPEAN_EFORMAT  fixed, or a value in it, is not canonical or of another type (likewise)
 *   SPEAN_EEXISTS  the draft creates this very record already
 *   SPEAN_ELIMIT   the draft is full, or a value too long: make two commits
 *   SPEAN_ENOMEM
 */
SPEAN_CHECK spean_err spean_draft_create(struct spean_draft *draft, uint64_t type,
                                         const uint8_t random[SPEAN_CHANGE_RANDOM_BYTES],
                                         struct spean_view fixed, struct spean_record_id *out,
                                         uint64_t *field);

/*
 * Begin a change to a part of a record, one that is there or that the draft creates; operations
 * that follow go into it. SPEAN_EINPUT: type has no such part, or is not written by this version.
 * SPEAN_ELIMIT: the draft is full. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_draft_change(struct spean_draft *draft,
                                         const struct spean_record_id *record, uint64_t type,
                                         uint32_t part);

/*
 * Add an operation to the change begun last; its index there is how many were added before. The
 * kind is the schema's. value is encoded: for value, strictest and one-way fields the value (nil
 * clears a value field), for sets the member, for lists the item, to strike one its name
 * (spean_dot_encode()).
 *   SPEAN_EINPUT   no such field in this part, a fixed one, not a verb of its kind, a step struck
 *                  out, or spean_schema_check_value() said so
 *   SPEAN_EFORMAT  value is not canonical or of another type than the field
 *   SPEAN_EEXISTS  this change writes the field, or this member of the set, already
 *   SPEAN_ESTATE   no change was begun, or a grant came after it
 *   SPEAN_ELIMIT   value is too long, or the change or the draft is full: begin another
 *   SPEAN_ENOMEM
 * What is removed from a set need not fit the schema: it may be older than it.
 */
SPEAN_CHECK spean_err spean_draft_op(struct spean_draft *draft, uint64_t field,
                                     enum spean_verb verb, struct spean_view value);

enum spean_draft_grant {
    SPEAN_GRANT_FIRST, /* The key of a part that has none yet: generation 1, by its owner. */
    SPEAN_GRANT_MORE,  /* Every key, to those named beside those who have the newest; by its owner.
                        * One entry for each generation. */
    SPEAN_GRANT_RENEW  /* A new key for those named, all of whom had the one before. */
};

/*
 * Hand the key of a part of a record to the organisations of audience, in any order, each once at
 * most; one's own is always among them. A commit writes its grants before its changes, so changes
 * are sealed under what it grants. A part of a record that the draft creates and for which it has
 * no grant gets a first key for one's own organisation alone, when a change is written to it.
 *   SPEAN_EINPUT   type has no such part, it is public, or an organisation stands there twice
 *   SPEAN_EDENIED  cases and consents are handed to nobody else
 *   SPEAN_EEXISTS  the draft grants a key of this part already
 *   SPEAN_ELIMIT   above SPEAN_AUDIENCE_ORGS_MAX, or the draft is full
 *   SPEAN_ENOMEM
 */
SPEAN_CHECK spean_err spean_draft_grant(struct spean_draft *draft,
                                        const struct spean_record_id *record, uint64_t type,
                                        uint32_t part, enum spean_draft_grant how,
                                        const struct spean_id *audience, uint32_t audience_count);

/*
 * Erase a part of a record, by the keys of it that are held (P8.7). By its owner that binds
 * everybody, by another party its own nodes. A commit writes its erasures last.
 *   SPEAN_EINPUT   type has no such part, or it is public
 *   SPEAN_EEXISTS  the draft erases it already
 *   SPEAN_ELIMIT   the draft is full
 *   SPEAN_ENOMEM
 */
SPEAN_CHECK spean_err spean_draft_erase(struct spean_draft *draft,
                                        const struct spean_record_id *record, uint64_t type,
                                        uint32_t part);

#endif
