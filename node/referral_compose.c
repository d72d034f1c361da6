/* What a draft would send, what speaks against it, and sending it. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/json_value.h"
#include "node/recipient.h"
#include "node/referral.h"
#include "node/referral_case.h"
#include "node/referral_twin.h"
#include "node/withdrawal.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/text.h"
#include "protocol/writer.h"

#define FIXED_BYTES_MAX   (SPEAN_VALUE_BYTES_MAX + 512u)
#define WITHHOLD_MAX      64u /* Lists of whom the person does not want to know. */
#define PERSON_FIELDS_MIN 32u /* Fields of a case below are about the office's work. */

/* -- Gathering ------------------------------------------------------------------------------- */

/* Keys of a draft that become fields as they are. */
static const struct {
    const char *key;
    uint64_t field;
} direct[] = {
    {"urgency", SPEAN_FIELD_REFERRAL_URGENCY},
    {"respond_by", SPEAN_FIELD_REFERRAL_RESPOND_BY},
    {"services", SPEAN_FIELD_REFERRAL_SERVICES_REQUESTED},
    {"already_provided", SPEAN_FIELD_REFERRAL_ALREADY_PROVIDED},
    {"reason", SPEAN_FIELD_REFERRAL_REASON},
    {"languages", SPEAN_FIELD_REFERRAL_LANGUAGES},
    {"needs_interpreter", SPEAN_FIELD_REFERRAL_NEEDS_INTERPRETER},
    {"worker_gender", SPEAN_FIELD_REFERRAL_WORKER_GENDER},
    {"informed", SPEAN_FIELD_REFERRAL_INFORMED},
};

static bool seen_before(json_t *array, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (json_equal(json_array_get(array, i), json_array_get(array, index)) == 1) {
            return true;
        }
    }
    return false;
}

static spean_err add_direct(struct spean_edit *edit, uint64_t number, json_t *value,
                            struct spean_json_why *why)
{
    const struct spean_schema_field *field = spean_schema_field(SPEAN_TYPE_REFERRAL, number);
    if (field->kind != SPEAN_KIND_SET) {
        return spean_edit_add_json(edit, SPEAN_TYPE_REFERRAL, number, SPEAN_VERB_WRITE, value, why);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const spean_err err =
            seen_before(value, i)
                ? SPEAN_OK
                : spean_edit_add_json(edit, SPEAN_TYPE_REFERRAL, number, SPEAN_VERB_ADD,
                                      json_array_get(value, i), why);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

static bool plan_edit(struct spean_records *at, struct spean_referral_plan *plan)
{
    struct spean_json_why why = {""};
    spean_err err = spean_edit_new(&plan->edit);
    for (size_t i = 0; i < sizeof(direct) / sizeof(direct[0]) && err == SPEAN_OK; i++) {
        json_t *value = json_object_get(plan->draft, direct[i].key);
        err = value == NULL ? SPEAN_OK : add_direct(plan->edit, direct[i].field, value, &why);
    }
    if (err == SPEAN_OK) {
        err = spean_referral_copy_case(&plan->case_item, json_object_get(plan->draft, "sections"),
                                       plan->edit);
    }
    if (err == SPEAN_ELIMIT) {
        spean_records_refuse(at, err, "too_large", "this is more than one referral can carry",
                             "choose fewer sections");
    } else if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
    }
    return err == SPEAN_OK;
}

/* Load the consent that the draft names; one that cannot be read is as good as none. */
static bool plan_consent(struct spean_records *at, struct spean_referral_plan *plan)
{
    struct spean_record_id of;
    if (!spean_referral_draft_id(plan->draft, "consent", plan->consent_id.bytes,
                                 SPEAN_RECORD_ID_BYTES)) {
        return true;
    }
    const spean_err err = spean_records_load(at, &plan->consent_id, &plan->consent_item);
    if (err == SPEAN_ENOTFOUND) {
        return true;
    }
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return false;
    }
    plan->has_consent =
        plan->consent_item.info.type == SPEAN_TYPE_CONSENT &&
        spean_records_fixed_record(&plan->consent_item, SPEAN_FIELD_CONSENT_CASE, &of) &&
        spean_record_id_equal(&of, &plan->case_id) &&
        spean_fixed_get(plan->consent_item.info.fixed, SPEAN_FIELD_CONSENT_TERMS,
                        &plan->terms_bytes);
    plan->terms_known = plan->has_consent &&
                        spean_consent_terms_decode(&plan->terms, plan->terms_bytes) == SPEAN_OK;
    return true;
}

/* Every list of whom the person does not want to know: of the terms, and all siblings of the case.
 * Returns how many; more than fit count as naming everybody. */
static size_t withhold_lists(const struct spean_referral_plan *plan,
                             struct spean_view lists[WITHHOLD_MAX + 1])
{
    size_t count = 0;
    if (plan->terms_known) {
        lists[count++] = plan->terms.withhold_from;
    }
    const struct spean_part *part = plan->case_item.parts[SPEAN_PART_CASE];
    const struct spean_field *field =
        part == NULL ? NULL
                     : spean_part_find(part, SPEAN_FIELD_CASE_WITHHOLD_FROM, SPEAN_KIND_STRICTEST);
    const size_t siblings = field == NULL ? 0 : spean_field_writes_count(field);
    for (size_t i = 0; i < siblings && count <= WITHHOLD_MAX; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        lists[count++] = write.value;
    }
    return count;
}

static void judge_consent(struct spean_records *at, struct spean_referral_plan *plan)
{
    struct spean_referral_facts *facts = &plan->facts;
    struct spean_recipient_of of;
    spean_recipient_init(at, &plan->target, &of);
    if (plan->terms_known) {
        const struct spean_day today = spean_records_today(at);
        const bool withdrawn = spean_withdrawal_is_set(&plan->consent_item, SPEAN_PART_CONSENT,
                                                       SPEAN_FIELD_CONSENT_WITHDRAWN);
        const struct spean_view status = spean_records_text(spean_records_value(
            &plan->consent_item, SPEAN_PART_CONSENT, SPEAN_FIELD_CONSENT_STATUS));
        facts->consent_in_force =
            spean_consent_is_in_force(&plan->terms, status, withdrawn, &today);
        facts->consent_covers_target = spean_consent_covers(&plan->terms, &of.who);
        facts->gives_override = plan->terms.gives_override && !withdrawn;
    }
    struct spean_view lists[WITHHOLD_MAX + 1];
    const size_t count = withhold_lists(plan, lists);
    facts->target_is_withheld =
        count > WITHHOLD_MAX || spean_consent_withholds(lists, count, &of.who);
    spean_recipient_fini(&of);
}

bool spean_referral_plan_init(struct spean_records *at, const struct spean_record_id *record,
                              const json_t *draft, struct spean_referral_plan *out)
{
    memset(out, 0, sizeof(*out));
    out->draft = draft;
    out->record = *record;
    if (!spean_referral_draft_id(draft, "random", out->random, sizeof(out->random)) ||
        !spean_referral_draft_id(draft, "to", out->target.bytes, SPEAN_ID_BYTES) ||
        !spean_referral_draft_id(draft, "case", out->case_id.bytes, SPEAN_RECORD_ID_BYTES)) {
        spean_records_refuse(at, SPEAN_ECORRUPT, NULL, "the draft is damaged", "make a new one");
        return false;
    }
    if (!spean_records_take(at, &out->case_id, &out->case_item) || !plan_consent(at, out) ||
        !plan_edit(at, out)) {
        return false;
    }
    const char *urgency = json_string_value(json_object_get(draft, "urgency"));
    out->emergency = urgency != NULL && strcmp(urgency, "emergency") == 0;
    judge_consent(at, out);
    out->facts.target_is_active = spean_authority_is_member(at->view.authority, &out->target);
    out->facts.has_unresolved_twin = spean_referral_has_twin(
        at, record, &out->case_item, &out->target, json_object_get(draft, "services"));
    out->facts.gives_urgency = urgency != NULL;
    out->facts.gives_respond_by = json_object_get(draft, "respond_by") != NULL;
    out->facts.gives_service = json_array_size(json_object_get(draft, "services")) > 0;
    return true;
}

void spean_referral_plan_fini(struct spean_referral_plan *plan)
{
    spean_edit_free(plan->edit);
    spean_records_unload(&plan->case_item);
    spean_records_unload(&plan->consent_item);
    memset(plan, 0, sizeof(*plan));
}

/* -- Problems -------------------------------------------------------------------------------- */

static bool add_problem(json_t *array, const char *code, const char *message)
{
    return json_array_append_new(array,
                                 json_pack("{s:s, s:s}", "code", code, "message", message)) == 0;
}

/* Make the facts as they would be without what was refused, to see what else is in the way. False:
 * nothing can be done about it here. */
static bool set_right(struct spean_referral_facts *facts, enum spean_referral_refusal why)
{
    const struct {
        enum spean_referral_refusal why;
        bool *fact;
        bool value;
    } rows[] = {
        {SPEAN_REFUSAL_NO_CONSENT, &facts->consent_in_force, true},
        {SPEAN_REFUSAL_RECIPIENT, &facts->consent_covers_target, true},
        {SPEAN_REFUSAL_WITHHELD, &facts->target_is_withheld, false},
        {SPEAN_REFUSAL_NOT_MEMBER, &facts->target_is_active, true},
        {SPEAN_REFUSAL_TWIN, &facts->has_unresolved_twin, false},
        {SPEAN_REFUSAL_MISSING_URGENCY, &facts->gives_urgency, true},
        {SPEAN_REFUSAL_MISSING_RESPOND_BY, &facts->gives_respond_by, true},
        {SPEAN_REFUSAL_MISSING_SERVICE, &facts->gives_service, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].why == why && *rows[i].fact != rows[i].value) {
            *rows[i].fact = rows[i].value;
            return true;
        }
    }
    return false;
}

/* Where a referral stands that was never sent. SPEAN_ENOMEM. */
static spean_err nothing_sent(struct spean_referral_progress *out)
{
    const struct spean_referral_item no_item = {.follows_count = 0};
    struct spean_referral_mark no_mark;
    struct spean_referral_track origin;
    struct spean_referral_track target;
    spean_err err = spean_referral_track(&origin, &no_mark, SPEAN_SIDE_ORIGIN, &no_item, 0);
    if (err == SPEAN_OK) {
        err = spean_referral_track(&target, &no_mark, SPEAN_SIDE_TARGET, &no_item, 0);
    }
    if (err == SPEAN_OK) {
        *out = spean_referral_join(&origin, &target, false);
    }
    return err;
}

void spean_referral_not_covered(const char *section, char *text, size_t cap)
{
    (void)snprintf(
        text, cap,
        "the consent does not cover the section %.64s; leave it out, or record a wider one",
        section);
}

/* What is wrong with the sections that were chosen: the consent does not name them, or a transfer
 * would hand over nothing. */
static bool add_sections(const struct spean_referral_plan *plan, json_t *array)
{
    const json_t *sections = json_object_get(plan->draft, "sections");
    const char *kind = json_string_value(json_object_get(plan->draft, "kind"));
    if (kind != NULL && strcmp(kind, "transfer") == 0 && json_array_size(sections) == 0 &&
        !add_problem(array, "missing_sections",
                     "a transfer hands the case over; say which sections go with it")) {
        return false;
    }
    if (plan->facts.gives_override) {
        return true;
    }
    for (size_t i = 0; i < json_array_size(sections); i++) {
        const json_t *section = json_array_get(sections, i);
        const struct spean_view code = {(const uint8_t *)json_string_value(section),
                                        json_string_length(section)};
        char message[160];
        if (plan->terms_known && spean_consent_has_section(&plan->terms, code)) {
            continue;
        }
        spean_referral_not_covered(json_string_value(section), message, sizeof(message));
        if (!add_problem(array, "section_not_covered", message)) {
            return false;
        }
    }
    return true;
}

json_t *spean_referral_problems(const struct spean_referral_plan *plan)
{
    struct spean_referral_facts facts = plan->facts;
    struct spean_referral_progress now;
    json_t *array = json_array();
    bool done = array != NULL && nothing_sent(&now) == SPEAN_OK;
    for (bool more = true; more && done;) {
        enum spean_referral_refusal why = SPEAN_REFUSAL_NONE;
        const spean_err err =
            spean_referral_may_step(&now, SPEAN_SIDE_ORIGIN, SPEAN_STEP_SEND, &facts, &why);
        if (err == SPEAN_OK) {
            break;
        }
        done =
            add_problem(array, spean_referral_refusal_name(why), spean_referral_refusal_text(why));
        more = set_right(&facts, why);
    }
    if (!done || !add_sections(plan, array)) {
        json_decref(array);
        return NULL;
    }
    return array;
}

/* -- Preview --------------------------------------------------------------------------------- */

static bool written_before(const struct spean_edit *edit, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (spean_edit_at(edit, i)->field == spean_edit_at(edit, index)->field) {
            return true;
        }
    }
    return false;
}

/* All that an edit says of a field: its value, or an array of its members. */
static spean_err show_written(const struct spean_edit *edit, const struct spean_schema_field *field,
                              json_t **out)
{
    const bool many = field->kind == SPEAN_KIND_SET || field->kind == SPEAN_KIND_LIST;
    json_t *shown = many ? json_array() : NULL;
    spean_err err = many && shown == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    for (uint32_t i = 0; i < spean_edit_count(edit) && err == SPEAN_OK; i++) {
        const struct spean_edit_operation *operation = spean_edit_at(edit, i);
        json_t *value = NULL;
        if (operation->field != field) {
            continue;
        }
        err = spean_json_value_show(&field->value, operation->value, &value);
        if (err == SPEAN_OK && many) {
            err = json_array_append_new(shown, value) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
        } else if (err == SPEAN_OK) {
            shown = value;
        }
    }
    if (err != SPEAN_OK) {
        json_decref(shown);
        return err;
    }
    *out = shown;
    return SPEAN_OK;
}

/* Add {field, value} for each field of the edit to now or to after. */
static spean_err show_edit(const struct spean_referral_plan *plan, json_t *now, json_t *after)
{
    for (uint32_t i = 0; i < spean_edit_count(plan->edit); i++) {
        const struct spean_schema_field *field = spean_edit_at(plan->edit, i)->field;
        json_t *value = NULL;
        if (written_before(plan->edit, i)) {
            continue;
        }
        const spean_err err = show_written(plan->edit, field, &value);
        if (err != SPEAN_OK) {
            return err;
        }
        json_t *into = field->part == SPEAN_PART_PAYLOAD && !plan->emergency ? after : now;
        if (json_array_append_new(
                into, json_pack("{s:s, s:o}", "field", field->name, "value", value)) != 0) {
            return SPEAN_ENOMEM;
        }
    }
    return SPEAN_OK;
}

/* Whether the edit writes a field of a referral. */
static bool writes(const struct spean_edit *edit, uint64_t number)
{
    for (uint32_t i = 0; i < spean_edit_count(edit); i++) {
        if (spean_edit_at(edit, i)->field->number == number) {
            return true;
        }
    }
    return false;
}

/* What the case says of the person and this referral does not. */
static spean_err show_never(const struct spean_referral_plan *plan, json_t *never)
{
    const struct spean_part *part = plan->case_item.parts[SPEAN_PART_CASE];
    const size_t count = part == NULL ? 0 : spean_part_fields_count(part);
    for (size_t i = 0; i < count; i++) {
        const struct spean_field *field = spean_part_field(part, i);
        const uint64_t number = spean_field_number(field);
        const uint64_t preview = spean_referral_preview_field(number);
        json_t *shown = NULL;
        const spean_err err = spean_json_field_show(SPEAN_TYPE_CASE, field, NULL, &shown);
        if (err != SPEAN_OK) {
            return err;
        }
        const bool has_value = shown != NULL;
        json_decref(shown);
        if (!has_value || number < PERSON_FIELDS_MIN ||
            (preview != 0 ? writes(plan->edit, preview)
                          : writes(plan->edit, number + SPEAN_FIELD_SHARED_OFFSET))) {
            continue;
        }
        char name[SPEAN_JSON_FIELD_BYTES];
        spean_json_field_name(name, SPEAN_TYPE_CASE, number, spean_field_kind(field));
        if (json_array_append_new(never, json_pack("{s:s}", "field", name)) != 0) {
            return SPEAN_ENOMEM;
        }
    }
    return SPEAN_OK;
}

spean_err spean_referral_preview(struct spean_records *at, const struct spean_referral_plan *plan,
                                 json_t **out)
{
    json_t *now = json_array();
    json_t *after = json_array();
    json_t *never = json_array();
    spean_err err =
        now == NULL || after == NULL || never == NULL ? SPEAN_ENOMEM : show_edit(plan, now, after);
    if (err == SPEAN_OK) {
        err = show_never(plan, never);
    }
    json_t *object =
        json_pack("{s:o, s:o, s:o, s:o}", "now", now, "after_accept", after, "never", never,
                  "problems", err == SPEAN_OK ? spean_referral_problems(plan) : json_null());
    if (err == SPEAN_OK &&
        (object == NULL || !spean_json_set_org(object, "to", &plan->target, &at->names))) {
        err = SPEAN_ENOMEM;
    }
    if (err != SPEAN_OK) {
        json_decref(object);
        return err == SPEAN_EFORMAT ? SPEAN_ECORRUPT : err;
    }
    *out = object;
    return SPEAN_OK;
}

/* -- Sending --------------------------------------------------------------------------------- */

/* The map consent_ref: which consent, its hash, its terms. */
static spean_err encode_consent(const struct spean_referral_plan *plan, uint8_t *buf, size_t cap,
                                struct spean_view *out)
{
    struct spean_id hash;
    struct spean_writer w;
    spean_schema_terms_hash(&hash, &plan->consent_id, plan->terms_bytes);
    spean_writer_init(&w, buf, cap);
    spean_writer_map(&w, 3);
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_REF_CONSENT);
    spean_writer_bin(&w, plan->consent_id.bytes, SPEAN_RECORD_ID_BYTES);
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_REF_HASH);
    spean_writer_bin(&w, hash.bytes, SPEAN_ID_BYTES);
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_REF_TERMS);
    spean_writer_raw(&w, plan->terms_bytes);
    return spean_writer_end(&w, out);
}

static struct spean_view encode_code(const char *code, uint8_t buf[80])
{
    struct spean_writer w;
    struct spean_view out;
    spean_writer_init(&w, buf, 80);
    spean_writer_str(&w, code, strlen(code));
    const spean_err err = spean_writer_end(&w, &out);
    assert(err == SPEAN_OK); /* A code of a checked draft. */
    return out;
}

static spean_err encode_fixed(const struct spean_records *at,
                              const struct spean_referral_plan *plan, uint8_t *buf, size_t cap,
                              struct spean_view *out)
{
    uint8_t from[40];
    uint8_t to[40];
    uint8_t kind[80];
    uint8_t replaced[40];
    uint8_t consent[FIXED_BYTES_MAX];
    struct spean_record_id replaces;
    struct spean_view consent_ref;
    const char *code = json_string_value(json_object_get(plan->draft, "kind"));
    const struct spean_id *own = spean_core_org(at->view.core);
    const spean_err err = encode_consent(plan, consent, sizeof(consent), &consent_ref);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_records_fixed rows[5] = {
        {SPEAN_FIELD_REFERRAL_FROM, spean_records_encode_id(own->bytes, SPEAN_ID_BYTES, from)},
        {SPEAN_FIELD_REFERRAL_TO, spean_records_encode_id(plan->target.bytes, SPEAN_ID_BYTES, to)},
        {SPEAN_FIELD_REFERRAL_KIND, encode_code(code != NULL ? code : "referral", kind)},
        {SPEAN_FIELD_REFERRAL_CONSENT, consent_ref},
    };
    uint32_t count = 4;
    if (spean_referral_draft_id(plan->draft, "replaces", replaces.bytes, SPEAN_RECORD_ID_BYTES)) {
        rows[count++] = (struct spean_records_fixed){
            SPEAN_FIELD_REFERRAL_REPLACES,
            spean_records_encode_id(replaces.bytes, SPEAN_RECORD_ID_BYTES, replaced)};
    }
    return spean_records_fixed_encode(rows, count, buf, cap, out);
}

static bool add_send_step(struct spean_records *at, struct spean_referral_plan *plan)
{
    struct spean_json_why why = {""};
    json_t *step = spean_referral_step_json(at, SPEAN_STEP_SEND, NULL);
    json_t *respond_by = json_object_get(plan->draft, "respond_by");
    spean_err err = step == NULL || json_object_set(step, "respond_by", respond_by) != 0
                        ? SPEAN_ENOMEM
                        : SPEAN_OK;
    if (err == SPEAN_OK) {
        err = spean_edit_add_json(plan->edit, SPEAN_TYPE_REFERRAL,
                                  SPEAN_FIELD_REFERRAL_ORIGIN_STEPS, SPEAN_VERB_APPEND, step, &why);
    }
    json_decref(step);
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
    }
    return err == SPEAN_OK;
}

/* Preview, payload, the link from the case, and who gets which key. */
static spean_err draft_rest(const struct spean_records *at, const struct spean_referral_plan *plan,
                            struct spean_draft *draft)
{
    uint8_t id[40];
    const struct spean_record_id *record = &plan->record;
    const struct spean_id *own = spean_core_org(at->view.core);
    const struct spean_id both[] = {*own, plan->target};
    spean_err err =
        spean_edit_draft(plan->edit, draft, record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PREVIEW, false);
    if (err == SPEAN_OK) {
        err = spean_edit_draft(plan->edit, draft, record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD,
                               false);
    }
    if (err == SPEAN_OK) {
        err = spean_draft_change(draft, &plan->case_id, SPEAN_TYPE_CASE, SPEAN_PART_CASE);
    }
    if (err == SPEAN_OK) {
        err = spean_draft_op(draft, SPEAN_FIELD_CASE_REFERRALS, SPEAN_VERB_ADD,
                             spean_records_encode_id(record->bytes, SPEAN_RECORD_ID_BYTES, id));
    }
    const struct {
        uint32_t part;
        uint32_t count; /* Of both; the first is our own. */
    } grants[] = {{SPEAN_PART_STEPS, 2},
                  {SPEAN_PART_PREVIEW, 2},
                  {SPEAN_PART_PAYLOAD, plan->emergency ? 2 : 1}};
    for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]) && err == SPEAN_OK; i++) {
        err = spean_draft_grant(draft, record, SPEAN_TYPE_REFERRAL, grants[i].part,
                                SPEAN_GRANT_FIRST, both, grants[i].count);
    }
    return err;
}

/* Refuse what the preview would list as a problem. */
static bool may_send(struct spean_records *at, const struct spean_referral_plan *plan)
{
    enum spean_referral_refusal why = SPEAN_REFUSAL_NONE;
    struct spean_referral_progress now;
    spean_err err = nothing_sent(&now);
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return false;
    }
    err = spean_referral_may_step(&now, SPEAN_SIDE_ORIGIN, SPEAN_STEP_SEND, &plan->facts, &why);
    if (err != SPEAN_OK) {
        spean_referral_refuse(at, err, why);
        return false;
    }
    json_t *problems = spean_referral_problems(plan);
    const json_t *first = json_array_get(problems, 0);
    if (problems == NULL) {
        spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
    } else if (first != NULL) {
        spean_records_refuse(at, SPEAN_ESTATE, json_string_value(json_object_get(first, "code")),
                             json_string_value(json_object_get(first, "message")),
                             "spean referral preview shows what they would see");
    }
    const bool may = problems != NULL && first == NULL;
    json_decref(problems);
    return may;
}

bool spean_referral_send(struct spean_records *at, struct spean_referral_plan *plan)
{
    uint8_t buf[FIXED_BYTES_MAX];
    struct spean_view fixed;
    struct spean_draft *draft = NULL;
    struct spean_record_id record;
    if (!may_send(at, plan) || !add_send_step(at, plan)) {
        return false;
    }
    spean_err err = encode_fixed(at, plan, buf, sizeof(buf), &fixed);
    if (err != SPEAN_OK) {
        spean_records_refuse_draft(at, err);
        return false;
    }
    bool done = spean_records_draft(at, &draft) &&
                spean_records_create(at, draft, SPEAN_TYPE_REFERRAL, plan->random, fixed,
                                     plan->edit, &record);
    if (done && !spean_record_id_equal(&record, &plan->record)) {
        spean_records_refuse(at, SPEAN_ESTATE, NULL, "the draft was made in another ledger",
                             "make a new one");
        done = false;
    }
    if (done) {
        err = draft_rest(at, plan, draft);
        if (err != SPEAN_OK) {
            spean_records_refuse_draft(at, err);
        }
        done = err == SPEAN_OK && spean_records_commit(at, draft);
    }
    spean_draft_free(draft);
    return done;
}
