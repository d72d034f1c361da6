/*
 * node/records.h - what the handlers of records share: one request at work, finding and showing
 * records, refusing, committing. For node/api_*.c and node/referral_*.c.
 *
 * Functions that return false have filled the reply: the handler just returns.
 */
#ifndef SPEAN_NODE_RECORDS_H
#define SPEAN_NODE_RECORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/core.h"
#include "node/edit.h"
#include "node/json_record.h"
#include "node/queue.h"
#include "node/reply.h"
#include "node/request.h"
#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/consent.h"
#include "protocol/err.h"
#include "protocol/fold.h"
#include "store/draft.h"
#include "store/record.h"

/* Whoever may use the socket is the admin, until there are persons with pseudonyms of their own. */

#define SPEAN_RECORDS_NAMES_MAX  64u /* Names of organisations that one request remembers. */
#define SPEAN_RECORDS_NAME_BYTES 257u
#define SPEAN_RECORDS_CODE_BYTES 40u
#define SPEAN_RECORDS_PREFIX_MIN 4u /* Hex digits of an id that is not given whole. */
#define SPEAN_RECORDS_DRAFTS_MAX 4000u
#define SPEAN_RECORDS_LOOKED_MAX 2000u /* Records behind one page of a list, found or not. */

struct spean_records_name {
    struct spean_id org;
    bool known;
    char text[SPEAN_RECORDS_NAME_BYTES];
};

/* One request at work. The caller's memory. */
struct spean_records {
    struct spean_core_view view; /* view.tx is NULL while nothing is read. */
    bool writing;                /* On the core thread, with a transaction of our own. */
    bool dry_run;
    bool urgent;       /* A withdrawal: it is written also when room is short. */
    const char *actor; /* "" where nobody asked for what is written. */
    uint64_t now_s;
    const struct spean_request *request; /* NULL where no request is behind it. */
    struct spean_reply *reply;
    struct spean_json_names names;
    uint32_t held_count;
    struct spean_records_name held[SPEAN_RECORDS_NAMES_MAX];
};

/* Begin a read handler. */
bool spean_records_read(struct spean_records *at, const struct spean_request *request, void *core,
                        struct spean_reply *reply);

/* Work on a view that somebody else began and ends; locked or not. Nothing is to be ended. */
void spean_records_on_view(struct spean_records *at, const struct spean_core_view *view,
                           struct spean_reply *reply);

/* Begin a write handler. Nothing is held that would keep a
 * commit from being made. */
bool spean_records_write(struct spean_records *at, struct spean_job *job, void *core);

/* Begin work that no request is behind, on the core thread. Errors of spean_tx_begin();
 * SPEAN_ELOCKED. */
SPEAN_CHECK spean_err spean_records_settle_begin(struct spean_records *at, void *core,
                                                 struct spean_reply *reply);

void spean_records_end(struct spean_records *at);

/* -- Refusing -------------------------------------------------------------------------------- */

/* Refuse with a code of its own; NULL: the name of err. message NULL: the text of err. */
void spean_records_refuse(struct spean_records *at, spean_err err, const char *code,
                          const char *message, const char *hint);

/* Refuse an edit or a value; why says where. */
void spean_records_refuse_why(struct spean_records *at, spean_err err,
                              const struct spean_json_why *why);

/* -- Finding --------------------------------------------------------------------------------- */

/*
 * Find the record of a type that text names: a whole id, the beginning of one, or a short code.
 * Drafts of referrals count as referrals.
 */
bool spean_records_find(struct spean_records *at, uint64_t type, const char *text,
                        struct spean_record_id *out);

/* The same without a refusal. SPEAN_ENOTFOUND: none. SPEAN_EEXISTS: several. */
SPEAN_CHECK spean_err spean_records_find_one(const struct spean_records *at, uint64_t type,
                                             const char *text, struct spean_record_id *out);

/* The same for a string in a body; key is what errors call it. */
bool spean_records_find_json(struct spean_records *at, uint64_t type, const char *key,
                             const json_t *json, struct spean_record_id *out);

/* Find the active or former member that json names, by its id or the beginning of one. */
bool spean_records_find_org(struct spean_records *at, const char *key, const json_t *json,
                            struct spean_id *out);

/* The record that a member organisation made of itself; false: none is here. */
bool spean_records_agency_of(const struct spean_records *at, const struct spean_id *org,
                             struct spean_record_id *out);

/* -- One record ------------------------------------------------------------------------------ */

/* A record with all parts that can be read. All zero: nothing is loaded. */
struct spean_records_item {
    struct spean_record *record;
    struct spean_record_info info;
    struct spean_part *parts[SPEAN_SCHEMA_PARTS_MAX]; /* NULL: nothing of it can be shown. */
    struct spean_record_part listed[SPEAN_RECORD_PARTS_MAX];
    uint32_t listed_count;
};

/* Errors of spean_record_get(); a part that cannot be shown is left out. */
SPEAN_CHECK spean_err spean_records_load(const struct spean_records *at,
                                         const struct spean_record_id *record,
                                         struct spean_records_item *out);
void spean_records_unload(struct spean_records_item *item);

/* The same for some parts only: those whose bit, 1u << part, is in mask. */
SPEAN_CHECK spean_err spean_records_load_some(const struct spean_records *at,
                                              const struct spean_record_id *record, uint32_t mask,
                                              struct spean_records_item *out);

/* Load, and refuse if that fails. */
bool spean_records_take(struct spean_records *at, const struct spean_record_id *record,
                        struct spean_records_item *out);

/* The record as docs/API.md shows it, a new object. Errors: SPEAN_ENOMEM, SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_records_show(struct spean_records *at,
                                         const struct spean_records_item *item, json_t **out);

/* Its short code; empty if it has none. */
SPEAN_CHECK spean_err spean_records_code(struct spean_records *at,
                                         const struct spean_records_item *item,
                                         char out[SPEAN_RECORDS_CODE_BYTES]);

/* Answer with the record. changed below 0: it is not said. */
void spean_records_answer(struct spean_records *at, const struct spean_record_id *record,
                          int changed);

/* Answer with a record that was made just now; in a dry run, with its id alone. */
void spean_records_answer_new(struct spean_records *at, const struct spean_record_id *record);

/* What an organisation is to a record (SPEAN_ROLE_...). */
unsigned spean_records_roles(const struct spean_records *at, const struct spean_records_item *item,
                             const struct spean_id *org);

/* What our own organisation edits when it edits this record. */
struct spean_edit_subject spean_records_subject(const struct spean_records *at,
                                                const struct spean_records_item *item);

/* A fixed field that is an organisation or a record; false: it is not there. */
bool spean_records_fixed_org(const struct spean_records_item *item, uint64_t field,
                             struct spean_id *out);
bool spean_records_fixed_record(const struct spean_records_item *item, uint64_t field,
                                struct spean_record_id *out);

/* The shown value of a value field; empty: none. Lives as long as the item. */
struct spean_view spean_records_value(const struct spean_records_item *item, uint32_t part,
                                      uint64_t field);

/* The text of an encoded str; empty for anything else. */
struct spean_view spean_records_text(struct spean_view value);

/* -- Writing --------------------------------------------------------------------------------- */

/* Draw 16 bytes that were never used. */
void spean_records_random(uint8_t out[SPEAN_CHANGE_RANDOM_BYTES]);

/* Begin a draft for this node. */
bool spean_records_draft(struct spean_records *at, struct spean_draft **out);

/*
 * Write a draft, unless this is a dry run: then only check it. Nothing is read meanwhile; what was
 * loaded from the store stays valid, views into the store do not.
 */
bool spean_records_commit(struct spean_records *at, struct spean_draft *draft);

/* The same without a refusal: what spean_author_commit() said, and about which item. */
SPEAN_CHECK spean_err spean_records_try_commit(struct spean_records *at, struct spean_draft *draft,
                                               uint32_t *item);

/* Encode the fixed fields of a record that is made, from JSON by their names; the caller frees
 * *out. given are those that have a value already, encoded, ascending with the others. */
struct spean_records_fixed {
    uint64_t field;
    struct spean_view value;
};
SPEAN_CHECK spean_err spean_records_fixed_encode(const struct spean_records_fixed *given,
                                                 uint32_t count, uint8_t *buf, size_t cap,
                                                 struct spean_view *out);

/* Today, by our clock, in UTC. */
struct spean_day spean_records_today(const struct spean_records *at);

/* Dates and ids as encoded values in buf. */
struct spean_view spean_records_encode_day(const struct spean_day *day, uint8_t buf[16]);
struct spean_view spean_records_encode_id(const void *bytes, size_t len, uint8_t buf[40]);

/* -- Fields that never leave this node ------------------------------------------------------- */

/* Read a local field as JSON into *out; NULL: there is none. Errors of spean_local_get(). */
SPEAN_CHECK spean_err spean_records_local_get(const struct spean_records *at,
                                              const struct spean_record_id *record,
                                              const char *name, json_t **out);

/* Write it, or delete it if json is NULL, in a transaction of its own. */
SPEAN_CHECK spean_err spean_records_local_put(struct spean_records *at,
                                              const struct spean_record_id *record,
                                              const char *name, const json_t *json);

/* The ids, in hex, of the drafts of referrals on this node: a new array. */
SPEAN_CHECK spean_err spean_records_drafts(const struct spean_records *at, json_t **out);

/* Keep a draft, or forget it where json is NULL. SPEAN_ELIMIT: too many drafts, or too large. */
SPEAN_CHECK spean_err spean_records_draft_put(struct spean_records *at,
                                              const struct spean_record_id *record,
                                              const json_t *json);

/* -- Whole handlers -------------------------------------------------------------------------- */

/* Answer a job by what act does between spean_records_write() and spean_records_end(). */
void spean_records_run(struct spean_job *job, void *core, void (*act)(struct spean_records *at));

/* GET of one record, named by the path's {id}. */
void spean_records_get(struct spean_records *at, uint64_t type);

/* PATCH of one record with the edit in the body; editable as in struct spean_edit_subject. */
void spean_records_patch(struct spean_records *at, uint64_t type,
                         bool (*editable)(const struct spean_schema_field *field));

/* Write an edit of a record that is loaded. False: refused. */
bool spean_records_write_edit(struct spean_records *at, const struct spean_records_item *item,
                              const struct spean_edit *edit);

/* What a list shows. */
struct spean_records_listing {
    uint64_t type;
    void *ctx;
    /* Whether the list has the record; NULL: every one. */
    bool (*wants)(struct spean_records *at, const struct spean_records_item *item, void *ctx);
    /* Its line, a new object; SPEAN_ENOMEM, SPEAN_ECORRUPT. */
    spean_err (*line)(struct spean_records *at, const struct spean_records_item *item, void *ctx,
                      json_t **out);
    /* Agencies and cases: those that people decided to be the same are one line, with "same". */
    bool as_one;
};

/* Answer with a page of records, ascending by id. It ends early when many were looked at, so that
 * no transaction is open for long. */
void spean_records_list(struct spean_records *at, const struct spean_records_listing *listing);

/*
 * Make a record of type in draft: its fixed fields, encoded, and the operations of edit, all of
 * which are of its first part. random NULL: draw it. False: refused.
 */
bool spean_records_create(struct spean_records *at, struct spean_draft *draft, uint64_t type,
                          const uint8_t *random, struct spean_view fixed,
                          const struct spean_edit *edit, struct spean_record_id *out);

/* Say what went wrong between a draft and its operations; these are mostly our own mistakes. */
void spean_records_refuse_draft(struct spean_records *at, spean_err err);

/* The body without what stands under key: an edit that travels with something else. A new
 * object. */
json_t *spean_records_body_without(const struct spean_records *at, const char *key);

/* Set line[name] to the field as it is shown, null if it has no value. */
SPEAN_CHECK spean_err spean_records_line_field(struct spean_records *at,
                                               const struct spean_records_item *item,
                                               const char *name, json_t *line);

/* {"id", "code", "owner", "owner_name", "conflicts": number} of a record, a new object. */
SPEAN_CHECK spean_err spean_records_line(struct spean_records *at,
                                         const struct spean_records_item *item, json_t **out);

#endif
