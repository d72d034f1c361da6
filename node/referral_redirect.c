#include "node/referral_redirect.h"

#include <string.h>

#include "node/json_value.h"
#include "node/recipient.h"
#include "node/referral.h"
#include "node/referral_case.h"
#include "protocol/consent.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/text.h"

#define FIXED_BYTES_MAX (SPEAN_VALUE_BYTES_MAX + 512u)
#define WITHHOLD_MAX    64u /* Lists of whom the person does not want to know. */
#define STATUS_GIVEN    "given"

struct redirect {
    struct spean_records *at;
    struct spean_records_item parent;
    struct spean_referral_now now;
    bool has_now;
    struct spean_id to;
    struct spean_edit *child;   /* What the child says. */
    struct spean_edit *parents; /* The step. */
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
    struct spean_record_id child_id;
    bool emergency;
};

static bool refuse(struct redirect *r, spean_err err)
{
    if (err != SPEAN_OK) {
        spean_records_refuse(r->at, err, NULL, NULL, NULL);
    }
    return err == SPEAN_OK;
}

/* -- Whether it may be passed on --------------------------------------------------------------- */

/* Whether the person withheld it from who: by the terms, or by any sibling of the preview. */
static bool is_withheld(const struct redirect *r, const struct spean_consent_terms *terms,
                        const struct spean_recipient *who)
{
    struct spean_view lists[WITHHOLD_MAX + 1];
    size_t count = 0;
    const struct spean_part *part = r->parent.parts[SPEAN_PART_PREVIEW];
    const struct spean_field *field =
        part == NULL
            ? NULL
            : spean_part_find(part, SPEAN_FIELD_REFERRAL_WITHHOLD_FROM, SPEAN_KIND_STRICTEST);
    const size_t siblings = field == NULL ? 0 : spean_field_writes_count(field);
    lists[count++] = terms->withhold_from;
    for (size_t i = 0; i < siblings && count <= WITHHOLD_MAX; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        lists[count++] = write.value;
    }
    return count > WITHHOLD_MAX || spean_consent_withholds(lists, count, who);
}

/* Whether the consent allows that the child's target is told. */
static bool allows_onward(const struct redirect *r)
{
    static const struct spean_view given = {(const uint8_t *)STATUS_GIVEN,
                                            sizeof(STATUS_GIVEN) - 1};
    struct spean_consent_terms terms;
    struct spean_recipient_of of;
    if (!spean_referral_terms(&r->parent, &terms)) {
        return false;
    }
    const struct spean_day today = spean_records_today(r->at);
    const bool holds =
        terms.gives_override || spean_consent_is_in_force(&terms, given, false, &today);
    spean_recipient_init(r->at, &r->to, &of);
    const bool allows =
        holds && spean_consent_covers(&terms, &of.who) && !is_withheld(r, &terms, &of.who);
    spean_recipient_fini(&of);
    return allows;
}

static bool may_redirect(struct redirect *r)
{
    enum spean_referral_refusal why = SPEAN_REFUSAL_NONE;
    const json_t *body = r->at->request->body;
    const struct spean_referral_facts facts = {
        .gives_child = json_object_get(body, "to") != NULL,
        .consent_allows_onward = json_object_get(body, "to") != NULL && allows_onward(r),
    };
    const spean_err err =
        spean_referral_may_step(&r->now.progress, r->now.side, SPEAN_STEP_REDIRECT, &facts, &why);
    if (err != SPEAN_OK) {
        spean_referral_refuse(r->at, err, why);
        return false;
    }
    if (!spean_authority_is_member(r->at->view.authority, &r->to)) {
        spean_referral_refuse(r->at, SPEAN_ESTATE, SPEAN_REFUSAL_NOT_MEMBER);
        return false;
    }
    return true;
}

/* -- The request ------------------------------------------------------------------------------- */

static bool check_keys(struct spean_records *at)
{
    static const char *const known[] = {"to", "reason", "respond_by", "urgency", "services"};
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(at->request->body, key, value)
    {
        size_t i = 0;
        while (i < sizeof(known) / sizeof(known[0]) && strcmp(known[i], key) != 0) {
            i++;
        }
        if (i == sizeof(known) / sizeof(known[0])) {
            spean_records_refuse(at, SPEAN_EINPUT, NULL, "the step redirect takes no such field",
                                 "it takes to, reason, respond_by, urgency and services");
            return false;
        }
    }
    return true;
}

/* Who gets it: neither we nor the one it came from. */
static bool read_target(struct redirect *r)
{
    const json_t *to = json_object_get(r->at->request->body, "to");
    if (to == NULL) {
        return true; /* Refused with the step, if nothing else is in the way. */
    }
    if (!spean_records_find_org(r->at, "to", to, &r->to)) {
        return false;
    }
    if (spean_id_equal(&r->to, spean_core_org(r->at->view.core)) ||
        spean_id_equal(&r->to, &r->now.origin)) {
        spean_records_refuse(r->at, SPEAN_EINPUT, NULL,
                             "to: it is with you already, and came from them",
                             "choose another organisation; or decline it");
        return false;
    }
    return true;
}

static bool redirect_init(struct redirect *r, struct spean_records *at,
                          const struct spean_record_id *referral)
{
    memset(r, 0, sizeof(*r));
    r->at = at;
    if (!check_keys(at) || !spean_records_take(at, referral, &r->parent)) {
        return false;
    }
    spean_err err = spean_referral_now_init(at, &r->parent, &r->now);
    r->has_now = err == SPEAN_OK;
    if (err == SPEAN_OK) {
        err = spean_edit_new(&r->child);
    }
    if (err == SPEAN_OK) {
        err = spean_edit_new(&r->parents);
    }
    return refuse(r, err) && read_target(r);
}

static void redirect_fini(struct redirect *r)
{
    if (r->has_now) {
        spean_referral_now_fini(&r->now);
    }
    spean_edit_free(r->child);
    spean_edit_free(r->parents);
    spean_records_unload(&r->parent);
}

/* -- The child --------------------------------------------------------------------------------- */

/* Add what the body says, or else what the parent does. */
static bool add_given(struct redirect *r, const char *key, uint64_t number)
{
    struct spean_json_why why = {""};
    const struct spean_schema_field *field = spean_schema_field(SPEAN_TYPE_REFERRAL, number);
    json_t *given = json_object_get(r->at->request->body, key);
    const bool many = field->kind == SPEAN_KIND_SET;
    spean_err err = SPEAN_OK;
    if (given == NULL) {
        return refuse(r, spean_referral_copy_same(&r->parent, number, r->child));
    }
    const size_t count = many ? json_array_size(given) : 1;
    for (size_t i = 0; i < count && err == SPEAN_OK; i++) {
        err = spean_edit_add_json(r->child, SPEAN_TYPE_REFERRAL, number,
                                  many ? SPEAN_VERB_ADD : SPEAN_VERB_WRITE,
                                  many ? json_array_get(given, i) : given, &why);
    }
    if (err == SPEAN_OK && count == 0) {
        spean_referral_refuse(r->at, SPEAN_EINPUT, SPEAN_REFUSAL_MISSING_SERVICE);
        return false;
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_why(r->at, err, &why);
    }
    return err == SPEAN_OK;
}

/* Add a step to an edit of steps. with is what it says beside. */
static bool add_step(struct redirect *r, struct spean_edit *edit, uint64_t field, json_t *step,
                     json_t *with)
{
    struct spean_json_why why = {""};
    spean_err err = step == NULL || with == NULL || json_object_update(step, with) != 0
                        ? SPEAN_ENOMEM
                        : SPEAN_OK;
    if (err == SPEAN_OK) {
        err = spean_edit_add_json(edit, SPEAN_TYPE_REFERRAL, field, SPEAN_VERB_APPEND, step, &why);
    }
    json_decref(step);
    json_decref(with);
    if (err != SPEAN_OK) {
        spean_records_refuse_why(r->at, err, &why);
    }
    return err == SPEAN_OK;
}

static bool fill_child(struct redirect *r)
{
    json_t *respond_by = json_object_get(r->at->request->body, "respond_by");
    if (respond_by == NULL) {
        spean_referral_refuse(r->at, SPEAN_EINPUT, SPEAN_REFUSAL_MISSING_RESPOND_BY);
        return false;
    }
    if (!add_given(r, "urgency", SPEAN_FIELD_REFERRAL_URGENCY) ||
        !add_given(r, "respond_by", SPEAN_FIELD_REFERRAL_RESPOND_BY) ||
        !add_given(r, "services", SPEAN_FIELD_REFERRAL_SERVICES_REQUESTED) ||
        !refuse(r, spean_referral_copy_on(&r->parent, r->child))) {
        return false;
    }
    return add_step(r, r->child, SPEAN_FIELD_REFERRAL_ORIGIN_STEPS,
                    spean_referral_step_json(r->at, SPEAN_STEP_SEND, NULL),
                    json_pack("{s:O}", "respond_by", respond_by));
}

static bool fill_parent(struct redirect *r)
{
    return add_step(r, r->parents, SPEAN_FIELD_REFERRAL_TARGET_STEPS,
                    spean_referral_step_json(r->at, SPEAN_STEP_REDIRECT, &r->now.of_target),
                    json_pack("{s:o, s:O*}", "child",
                              spean_json_hex(r->child_id.bytes, SPEAN_RECORD_ID_BYTES), "reason",
                              json_object_get(r->at->request->body, "reason")));
}

/* The same kind, under the same consent, with the parent named. */
static bool encode_fixed(struct redirect *r, uint8_t *buf, struct spean_view *out)
{
    uint8_t from[40];
    uint8_t to[40];
    uint8_t parent[40];
    struct spean_view kind;
    struct spean_view consent;
    const struct spean_id *own = spean_core_org(r->at->view.core);
    if (!spean_fixed_get(r->parent.info.fixed, SPEAN_FIELD_REFERRAL_KIND, &kind) ||
        !spean_fixed_get(r->parent.info.fixed, SPEAN_FIELD_REFERRAL_CONSENT, &consent)) {
        return refuse(r, SPEAN_ECORRUPT);
    }
    const struct spean_records_fixed rows[] = {
        {SPEAN_FIELD_REFERRAL_FROM, spean_records_encode_id(own->bytes, SPEAN_ID_BYTES, from)},
        {SPEAN_FIELD_REFERRAL_TO, spean_records_encode_id(r->to.bytes, SPEAN_ID_BYTES, to)},
        {SPEAN_FIELD_REFERRAL_KIND, kind},
        {SPEAN_FIELD_REFERRAL_CONSENT, consent},
        {SPEAN_FIELD_REFERRAL_PARENT,
         spean_records_encode_id(r->parent.info.record.bytes, SPEAN_RECORD_ID_BYTES, parent)},
    };
    return refuse(r, spean_records_fixed_encode(rows, sizeof(rows) / sizeof(rows[0]), buf,
                                                FIXED_BYTES_MAX, out));
}

/* Whether a record is a referral of ours to the organisation that is asked for now. */
static bool is_to_them(const struct redirect *r, const struct spean_record_id *record)
{
    struct spean_records_item item = {.record = NULL};
    struct spean_id to;
    const bool loaded =
        spean_records_load_some(r->at, record, 1u << SPEAN_PART_STEPS, &item) == SPEAN_OK;
    const bool same = loaded && item.info.type == SPEAN_TYPE_REFERRAL &&
                      spean_records_fixed_org(&item, SPEAN_FIELD_REFERRAL_TO, &to) &&
                      spean_id_equal(&to, &r->to);
    spean_records_unload(&item);
    return same;
}

/* Find the child that a head of our own track names already: to decide for that head, over what
 * another node of ours did at the same time, makes no second one. */
static bool find_child(struct redirect *r)
{
    const struct spean_referral_steps *steps = &r->now.of_target;
    const struct spean_schema_field *looks =
        spean_schema_field(SPEAN_TYPE_REFERRAL, SPEAN_FIELD_REFERRAL_TARGET_STEPS);
    const struct spean_field *field =
        spean_part_find(r->parent.parts[SPEAN_PART_STEPS], looks->number, SPEAN_KIND_LIST);
    bool found = false;
    for (size_t i = 0; i < steps->count && !found; i++) {
        struct spean_write write;
        json_t *shown = NULL;
        if (steps->items[i].step != SPEAN_STEP_REDIRECT || !steps->marks[i].is_head) {
            continue;
        }
        spean_field_get_write(field, steps->writes[i], &write);
        if (spean_json_value_show(&looks->value, write.value, &shown) == SPEAN_OK) {
            const char *hex = json_string_value(json_object_get(shown, "child"));
            const struct spean_view text = {(const uint8_t *)hex, hex == NULL ? 0 : strlen(hex)};
            found =
                spean_text_hex_decode(r->child_id.bytes, SPEAN_RECORD_ID_BYTES, text) == SPEAN_OK &&
                is_to_them(r, &r->child_id);
        }
        json_decref(shown);
    }
    return found;
}

/* A case that a transfer brought here goes on with the child. */
static spean_err draft_case(struct redirect *r, struct spean_draft *draft)
{
    uint8_t id[40];
    struct spean_record_id a_case;
    const struct spean_view name = {r->parent.info.record.bytes, SPEAN_RECORD_ID_BYTES};
    spean_err err = spean_record_lookup(r->at->view.tx, r->at->view.keys, SPEAN_LOOKUP_TRANSFERRED,
                                        name, NULL, &a_case);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    err = spean_draft_change(draft, &a_case, SPEAN_TYPE_CASE, SPEAN_PART_CASE);
    return err != SPEAN_OK ? err
                           : spean_draft_op(draft, SPEAN_FIELD_CASE_REFERRALS, SPEAN_VERB_ADD,
                                            spean_records_encode_id(r->child_id.bytes,
                                                                    SPEAN_RECORD_ID_BYTES, id));
}

/* What is sealed of the child, who gets which key, and the step of the parent. */
static spean_err draft_rest(struct redirect *r, struct spean_draft *draft)
{
    const struct spean_record_id *child = &r->child_id;
    const struct spean_id both[] = {*spean_core_org(r->at->view.core), r->to};
    spean_err err =
        spean_edit_draft(r->child, draft, child, SPEAN_TYPE_REFERRAL, SPEAN_PART_PREVIEW, false);
    if (err == SPEAN_OK) {
        err = spean_edit_draft(r->child, draft, child, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD,
                               false);
    }
    for (uint32_t part = SPEAN_PART_STEPS; part <= SPEAN_PART_PAYLOAD && err == SPEAN_OK; part++) {
        err = spean_draft_grant(draft, child, SPEAN_TYPE_REFERRAL, part, SPEAN_GRANT_FIRST, both,
                                part == SPEAN_PART_PAYLOAD && !r->emergency ? 1 : 2);
    }
    return err;
}

static bool write_all(struct redirect *r, struct spean_view fixed)
{
    struct spean_draft *draft = NULL;
    bool done = spean_records_draft(r->at, &draft) &&
                spean_records_create(r->at, draft, SPEAN_TYPE_REFERRAL, r->random, fixed, r->child,
                                     &r->child_id) &&
                fill_parent(r);
    if (done) {
        spean_err err = spean_edit_draft(r->parents, draft, &r->parent.info.record,
                                         SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS, false);
        if (err == SPEAN_OK) {
            err = draft_case(r, draft);
        }
        if (err == SPEAN_OK) {
            err = draft_rest(r, draft);
        }
        if (err != SPEAN_OK) {
            spean_records_refuse_draft(r->at, err);
        }
        done = err == SPEAN_OK && spean_records_commit(r->at, draft);
    }
    spean_draft_free(draft);
    return done;
}

/* Decide for the head that named the child. */
static bool write_step(struct redirect *r)
{
    struct spean_draft *draft = NULL;
    bool done = spean_records_draft(r->at, &draft) && fill_parent(r);
    if (done) {
        const spean_err err = spean_edit_draft(r->parents, draft, &r->parent.info.record,
                                               SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS, false);
        if (err != SPEAN_OK) {
            spean_records_refuse_draft(r->at, err);
        }
        done = err == SPEAN_OK && spean_records_commit(r->at, draft);
    }
    spean_draft_free(draft);
    return done;
}

static bool is_emergency(const struct redirect *r)
{
    static const char emergency[] = "emergency";
    for (uint32_t i = 0; i < spean_edit_count(r->child); i++) {
        const struct spean_edit_operation *operation = spean_edit_at(r->child, i);
        if (operation->field->number == SPEAN_FIELD_REFERRAL_URGENCY) {
            const struct spean_view code = spean_records_text(operation->value);
            return code.len == sizeof(emergency) - 1 && memcmp(code.data, emergency, code.len) == 0;
        }
    }
    return false;
}

void spean_referral_redirect(struct spean_records *at, const struct spean_record_id *referral)
{
    struct redirect redirect;
    uint8_t buf[FIXED_BYTES_MAX];
    struct spean_view fixed;
    const bool may = redirect_init(&redirect, at, referral) && may_redirect(&redirect);
    if (may && redirect.now.progress.target.heads_count > 1 && find_child(&redirect)) {
        if (write_step(&redirect)) {
            spean_referral_answer(at, referral);
        }
    } else if (may && fill_child(&redirect) && encode_fixed(&redirect, buf, &fixed)) {
        redirect.emergency = is_emergency(&redirect);
        spean_records_random(redirect.random);
        if (write_all(&redirect, fixed)) {
            spean_referral_answer(at, referral);
        }
    }
    redirect_fini(&redirect);
}
