/*
 * node/edit.h - what a client asks to change, as operations (docs/API.md, Values).
 *
 * An edit is checked against the schema and against what is there: what would change nothing is
 * left out, so that doing it twice writes once.
 */
#ifndef SPEAN_NODE_EDIT_H
#define SPEAN_NODE_EDIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/json_value.h"
#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/err.h"
#include "protocol/fold.h"
#include "protocol/schema.h"
#include "store/draft.h"

#define SPEAN_EDIT_OPERATIONS_MAX 1024u
#define SPEAN_EDIT_BYTES_MAX      131072u /* Of all values. */

struct spean_edit; /* Opaque. */

/* What an edit is about. Everything is lent for the call. */
struct spean_edit_subject {
    uint64_t type;
    unsigned roles; /* SPEAN_ROLE_..., of who edits. */

    /* What is folded of each part; NULL: nothing. */
    const struct spean_part *parts[SPEAN_SCHEMA_PARTS_MAX];

    /* Which fields may be edited here; NULL: all that the roles may write. */
    bool (*editable)(const struct spean_schema_field *field);

    /*
     * NULL, or this is an import: text that comes without its language is in this one, languages
     * that are there already stay, and a list item equal to one that is there is not added again.
     */
    const char *import_lang;
};

struct spean_edit_operation {
    const struct spean_schema_field *field;
    enum spean_verb verb;
    struct spean_view value; /* Encoded; lives as long as the edit. */
};

/* Create an edit that asks for nothing. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_edit_new(struct spean_edit **out);
void spean_edit_free(struct spean_edit *edit); /* Wipes it. NULL is allowed. */

/*
 * Add what json asks for: an object with some of "set", "add", "remove", "append", "strike".
 * SPEAN_EINPUT: something in it does not fit; SPEAN_EDENIED: a field is not theirs to write;
 * SPEAN_ENOTFOUND: an item that is to be struck out is not there; SPEAN_ELIMIT: too much for one
 * edit. *why says what and where. SPEAN_EFORMAT: fold anew. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_edit_read(struct spean_edit *edit,
                                      const struct spean_edit_subject *subject, json_t *json,
                                      struct spean_json_why *why);

/* Add one operation as it is; value is copied. SPEAN_ELIMIT. */
SPEAN_CHECK spean_err spean_edit_add(struct spean_edit *edit,
                                     const struct spean_schema_field *field, enum spean_verb verb,
                                     struct spean_view value);

/* Add one operation of field number of type whose value is json. SPEAN_EINPUT, SPEAN_ELIMIT: as
 * spean_json_value_encode(). */
SPEAN_CHECK spean_err spean_edit_add_json(struct spean_edit *edit, uint64_t type, uint64_t number,
                                          enum spean_verb verb, json_t *json,
                                          struct spean_json_why *why);

uint32_t spean_edit_count(const struct spean_edit *edit);
const struct spean_edit_operation *spean_edit_at(const struct spean_edit *edit, uint32_t index);

/* Say whether it has an operation that writes to this part. */
bool spean_edit_touches(const struct spean_edit *edit, uint32_t part);

/*
 * Put the operations of one part into draft, in as many changes as they need. is_begun: the first
 * of them is begun already. Errors of spean_draft_change() and spean_draft_op().
 */
SPEAN_CHECK spean_err spean_edit_draft(const struct spean_edit *edit, struct spean_draft *draft,
                                       const struct spean_record_id *record, uint64_t type,
                                       uint32_t part, bool is_begun);

#endif
