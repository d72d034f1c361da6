/*
 * node/referral.h - what the handlers of referrals share: where one stands, drafts, what a draft
 * would send, steps. For node/api_referral.c and node/referral_*.c.
 *
 * Functions that return false have filled the reply.
 */
#ifndef SPEAN_NODE_REFERRAL_H
#define SPEAN_NODE_REFERRAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/edit.h"
#include "node/records.h"
#include "protocol/bytes.h"
#include "protocol/consent.h"
#include "protocol/err.h"
#include "protocol/referral.h"

/* -- Where one stands (referral_now.c) ------------------------------------------------------- */

/* The steps of one track. */
struct spean_referral_steps {
    struct spean_referral_item *items;
    struct spean_referral_mark *marks; /* Beside items. */
    size_t *writes;                    /* Beside items: which write of the field it is. */
    size_t count;
};

struct spean_referral_now {
    struct spean_id origin;
    struct spean_id target;
    enum spean_referral_side side; /* Of our organisation. */
    struct spean_referral_steps of_origin;
    struct spean_referral_steps of_target;
    struct spean_referral_progress progress;
};

/* The index of the step to show at place, from 0 and below the count: none stands before what it
 * follows, whatever the clocks of its authors say. */
size_t spean_referral_steps_at(const struct spean_referral_steps *steps, size_t place);

/* Compute where a referral stands; end it with spean_referral_now_fini(). SPEAN_ECORRUPT: it has no
 * parties. SPEAN_ELIMIT: too many steps. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_referral_now_init(const struct spean_records *at,
                                              const struct spean_records_item *item,
                                              struct spean_referral_now *out);
void spean_referral_now_fini(struct spean_referral_now *now);

/* The consent that a referral was sent by; false: it names none. */
bool spean_referral_consent(const struct spean_records_item *item, struct spean_record_id *out);

/* The terms that a referral was sent under, views into item; false: none that this program
 * understands. */
bool spean_referral_terms(const struct spean_records_item *item, struct spean_consent_terms *out);

/* Say that a section of the case is not covered by the consent; cap bytes of text. */
void spean_referral_not_covered(const char *section, char *text, size_t cap);

/* Add {state, flags, origin, target, steps, trail, draft: null, details} to a record that is shown.
 */
SPEAN_CHECK spean_err spean_referral_now_show(struct spean_records *at,
                                              const struct spean_records_item *item,
                                              const struct spean_referral_now *now, json_t *object);

/* The list of flags, a new array; NULL: no memory. */
json_t *spean_referral_flags(const struct spean_records *at, const struct spean_records_item *item,
                             const struct spean_referral_now *now);

/* -- Drafts (referral_draft.c) --------------------------------------------------------------- */

/*
 * Check what a client says about a draft, and bring it into the form in which it is kept: ids
 * whole, in hex. base is the draft before, NULL for a new one. *out is a new object.
 */
bool spean_referral_draft_read(struct spean_records *at, const json_t *base, json_t *json,
                               json_t **out);

/* Load a draft. *out is NULL if the record is none. */
bool spean_referral_draft_take(struct spean_records *at, const struct spean_record_id *record,
                               json_t **out);

/* Show a draft as a referral that is shown, a new object, which says so in a dry run; NULL: no
 * memory. */
json_t *spean_referral_draft_show(struct spean_records *at, const struct spean_record_id *record,
                                  const json_t *draft);

/* An id that a draft holds under key; false: it has none. */
bool spean_referral_draft_id(const json_t *draft, const char *key, uint8_t *out, size_t len);

/* -- What a draft sends (referral_compose.c) ------------------------------------------------- */

/* Everything about a draft that is ready to be judged and sent. All zero: nothing is loaded. */
struct spean_referral_plan {
    const json_t *draft; /* Lent. */
    struct spean_record_id record;
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
    struct spean_id target;
    struct spean_record_id case_id;
    struct spean_records_item case_item;
    bool has_consent;
    struct spean_record_id consent_id;
    struct spean_records_item consent_item;
    struct spean_view terms_bytes; /* Of consent_item. */
    bool terms_known;              /* They decode; else they allow nothing. */
    struct spean_consent_terms terms;
    struct spean_edit *edit; /* What goes into steps, preview and payload, but the step itself. */
    bool emergency;
    struct spean_referral_facts facts;
};

/* Gather all that. Free it in any case. */
bool spean_referral_plan_init(struct spean_records *at, const struct spean_record_id *record,
                              const json_t *draft, struct spean_referral_plan *out);
void spean_referral_plan_fini(struct spean_referral_plan *plan);

/* What sending would be refused for, an array of {code, message}; NULL: no memory. */
json_t *spean_referral_problems(const struct spean_referral_plan *plan);

/* The preview of docs/API.md, a new object. Errors: SPEAN_ENOMEM, SPEAN_ECORRUPT. */
SPEAN_CHECK spean_err spean_referral_preview(struct spean_records *at,
                                             const struct spean_referral_plan *plan, json_t **out);

/* Send it: everything in one commit. */
bool spean_referral_send(struct spean_records *at, struct spean_referral_plan *plan);

/* -- Steps (referral_step.c) ----------------------------------------------------------------- */

/* Take a step other than send, by the body of the request, and answer. */
void spean_referral_take_step(struct spean_records *at, const struct spean_record_id *record,
                              enum spean_referral_step step);

/* Write that the person withdrew the consent, as either side, and answer. */
void spean_referral_withdraw(struct spean_records *at, const struct spean_record_id *record);

/* Answer with a referral or a draft as GET does. */
void spean_referral_answer(struct spean_records *at, const struct spean_record_id *record);

/* Refuse a step for what its guards say. */
void spean_referral_refuse(struct spean_records *at, spean_err err,
                           enum spean_referral_refusal why);

/*
 * A step as JSON, to be encoded as a map step: its code, the heads of the own track, the time. A
 * new object; NULL: no memory.
 */
json_t *spean_referral_step_json(const struct spean_records *at, enum spean_referral_step step,
                                 const struct spean_referral_steps *own);

#endif
