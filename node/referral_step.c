/* Steps of a referral that was sent. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/json_value.h"
#include "node/referral.h"
#include "node/referral_case.h"
#include "node/referral_twin.h"
#include "node/when.h"
#include "node/withdrawal.h"
#include "protocol/consent.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"

#define STEP_KEYS_MAX 4u

/* What the body of a step may say. Keys are sub-fields of map step, or one of the two notes. */
static const struct step_row {
    enum spean_referral_step step;
    const char *keys[STEP_KEYS_MAX]; /* Ends with NULL. */
} step_rows[] = {
    {SPEAN_STEP_CANCEL, {"reason"}},
    {SPEAN_STEP_ERROR, {"reason"}},
    {SPEAN_STEP_CLOSE, {"client_informed", "next_step", "next_referral"}},
    {SPEAN_STEP_RECEIVE, {NULL}},
    {SPEAN_STEP_ACCEPT, {"assigned_ref", "first_contact_by"}},
    {SPEAN_STEP_DECLINE, {"reason"}},
    {SPEAN_STEP_START, {NULL}},
    {SPEAN_STEP_HOLD, {"reason", "review_by"}},
    {SPEAN_STEP_NOTE, {"text"}},
    {SPEAN_STEP_COMPLETE, {"outcome", "services_provided", "closing_note"}},
    {SPEAN_STEP_FAIL, {"reason", "closing_note"}},
    {SPEAN_STEP_ACK_CANCEL, {"data_purged", "reason"}},
};

void spean_referral_refuse(struct spean_records *at, spean_err err, enum spean_referral_refusal why)
{
    const bool missing = err == SPEAN_EINPUT;
    spean_records_refuse(at, err, spean_referral_refusal_name(why),
                         spean_referral_refusal_text(why),
                         missing ? "give it and try again; nothing was written"
                                 : "spean referral show tells where it stands");
}

json_t *spean_referral_step_json(const struct spean_records *at, enum spean_referral_step step,
                                 const struct spean_referral_steps *own)
{
    json_t *follows = json_array();
    for (size_t i = 0; own != NULL && i < own->count; i++) {
        char name[SPEAN_JSON_ITEM_BYTES];
        if (!own->marks[i].is_head || json_array_size(follows) == SPEAN_REFERRAL_FOLLOWS_MAX) {
            continue;
        }
        spean_json_item_format(name, &own->items[i].name);
        if (json_array_append_new(follows, json_string(name)) != 0) {
            json_decref(follows);
            return NULL;
        }
    }
    json_t *object =
        json_pack("{s:s, s:o}", "step", spean_referral_step_code(step), "follows", follows);
    if (object != NULL && !spean_json_set_time(object, "at", at->now_s)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

void spean_referral_answer(struct spean_records *at, const struct spean_record_id *record)
{
    struct spean_records_item item = {.record = NULL};
    struct spean_referral_now now;
    json_t *object = NULL;
    spean_err err = spean_records_load(at, record, &item);
    if (err == SPEAN_ENOTFOUND) {
        json_t *draft = NULL;
        if (!spean_referral_draft_take(at, record, &draft)) {
            return;
        }
        if (draft == NULL) {
            spean_records_refuse(at, err, NULL, "this referral has not arrived here yet", NULL);
            return;
        }
        spean_reply_take(at->reply, spean_referral_draft_show(at, record, draft));
        json_decref(draft);
        return;
    }
    if (err == SPEAN_OK) {
        err = spean_records_show(at, &item, &object);
    }
    if (err == SPEAN_OK) {
        err = spean_referral_now_init(at, &item, &now);
    }
    if (err == SPEAN_OK) {
        err = spean_referral_now_show(at, &item, &now, object);
        spean_referral_now_fini(&now);
    }
    spean_records_unload(&item);
    if (err == SPEAN_OK && at->dry_run &&
        json_object_set_new(object, "dry_run", json_true()) != 0) {
        err = SPEAN_ENOMEM;
    }
    if (err != SPEAN_OK) {
        json_decref(object);
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return;
    }
    spean_reply_take(at->reply, object);
}

/* -- One step at work ------------------------------------------------------------------------ */

struct taking {
    struct spean_records *at;
    enum spean_referral_step step;
    struct spean_records_item item;
    struct spean_referral_now now;
    bool has_now;
    struct spean_edit *edit;
    struct spean_referral_facts facts;
};

static bool taking_init(struct taking *t, struct spean_records *at,
                        const struct spean_record_id *record)
{
    memset(t, 0, sizeof(*t));
    t->at = at;
    spean_err err = spean_records_load(at, record, &t->item);
    if (err == SPEAN_ENOTFOUND) {
        spean_records_refuse(at, SPEAN_ESTATE, "not_sent", "the referral has not been sent",
                             "send it first: spean referral send");
        return false;
    }
    if (err == SPEAN_OK) {
        err = spean_referral_now_init(at, &t->item, &t->now);
        t->has_now = err == SPEAN_OK;
    }
    if (err == SPEAN_OK) {
        err = spean_edit_new(&t->edit);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
    }
    return err == SPEAN_OK;
}

static void taking_fini(struct taking *t)
{
    if (t->has_now) {
        spean_referral_now_fini(&t->now);
    }
    spean_edit_free(t->edit);
    spean_records_unload(&t->item);
}

/* Write what was put together, and answer. */
static void write_and_answer(struct taking *t)
{
    struct spean_draft *draft = NULL;
    const struct spean_record_id *record = &t->item.info.record;
    if (!spean_records_draft(t->at, &draft)) {
        return;
    }
    spean_err err = SPEAN_OK;
    for (uint32_t part = SPEAN_PART_STEPS; part <= SPEAN_PART_PAYLOAD && err == SPEAN_OK; part++) {
        err = spean_edit_draft(t->edit, draft, record, SPEAN_TYPE_REFERRAL, part, false);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_draft(t->at, err);
    } else if (spean_records_commit(t->at, draft)) {
        spean_referral_answer(t->at, record);
    }
    spean_draft_free(draft);
}

static bool add_json(struct taking *t, uint64_t field, enum spean_verb verb, json_t *json)
{
    struct spean_json_why why = {""};
    const spean_err err =
        json == NULL ? SPEAN_ENOMEM
                     : spean_edit_add_json(t->edit, SPEAN_TYPE_REFERRAL, field, verb, json, &why);
    if (err != SPEAN_OK) {
        spean_records_refuse_why(t->at, err, &why);
    }
    return err == SPEAN_OK;
}

/* Add a note of today to the notes of our side. */
static bool add_note(struct taking *t, json_t *text)
{
    const struct spean_day today = spean_records_today(t->at);
    char date[64];
    (void)snprintf(date, sizeof(date), "%04u-%02u-%02u", today.year, today.month, today.day);
    json_t *note = json_pack("{s:O, s:s}", "text", text, "on", date);
    const bool done =
        add_json(t,
                 t->now.side == SPEAN_SIDE_ORIGIN ? SPEAN_FIELD_REFERRAL_ORIGIN_NOTES
                                                  : SPEAN_FIELD_REFERRAL_INTERIM_NOTES,
                 SPEAN_VERB_APPEND, note);
    json_decref(note);
    return done;
}

static const struct step_row *row_of(enum spean_referral_step step)
{
    for (size_t i = 0; i < sizeof(step_rows) / sizeof(step_rows[0]); i++) {
        if (step_rows[i].step == step) {
            return &step_rows[i];
        }
    }
    return NULL;
}

static bool check_keys(struct spean_records *at, const struct step_row *row)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(at->request->body, key, value)
    {
        size_t i = 0;
        while (i < STEP_KEYS_MAX && row->keys[i] != NULL && strcmp(row->keys[i], key) != 0) {
            i++;
        }
        if (i == STEP_KEYS_MAX || row->keys[i] == NULL) {
            char message[128];
            (void)snprintf(message, sizeof(message), "%.64s: the step %s takes no such field", key,
                           spean_referral_step_code(row->step));
            spean_records_refuse(at, SPEAN_EINPUT, NULL, message, NULL);
            return false;
        }
    }
    return true;
}

static void gather_facts(struct taking *t)
{
    const json_t *body = t->at->request->body;
    struct spean_referral_facts *facts = &t->facts;
    facts->is_known_duplicate =
        t->step == SPEAN_STEP_ACCEPT && spean_referral_is_duplicate(t->at, &t->item, &t->now);
    facts->gives_reason = json_object_get(body, "reason") != NULL;
    facts->gives_worker = json_object_get(body, "assigned_ref") != NULL;
    facts->gives_first_contact = json_object_get(body, "first_contact_by") != NULL;
    facts->gives_note = json_object_get(body, "text") != NULL;
    facts->gives_closing_note = json_object_get(body, "closing_note") != NULL;
    facts->gives_review_by = json_object_get(body, "review_by") != NULL;
    facts->gives_outcome = json_object_get(body, "outcome") != NULL;
    facts->gives_client_informed = json_object_get(body, "client_informed") != NULL;
    facts->gives_next_step = json_object_get(body, "next_step") != NULL;
    facts->gives_data_purged = json_object_get(body, "data_purged") != NULL;
    facts->gives_services_provided = true; /* Not to name one means none. */
}

static bool may_step(struct taking *t)
{
    enum spean_referral_refusal why = SPEAN_REFUSAL_NONE;
    const spean_err err =
        spean_referral_may_step(&t->now.progress, t->now.side, t->step, &t->facts, &why);
    if (err != SPEAN_OK) {
        spean_referral_refuse(t->at, err, why);
    }
    return err == SPEAN_OK;
}

/* Put the body's fields into the step; notes go where they are read. */
static bool fill_step(struct taking *t, json_t *step)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(t->at->request->body, key, value)
    {
        if (strcmp(key, "text") == 0) {
            if (!add_note(t, value)) {
                return false;
            }
            continue;
        }
        if (strcmp(key, "closing_note") == 0) {
            if (!add_json(t, SPEAN_FIELD_REFERRAL_CLOSING_NOTE, SPEAN_VERB_WRITE, value)) {
                return false;
            }
            continue;
        }
        json_t *kept = json_incref(value);
        if (strcmp(key, "next_referral") == 0) {
            struct spean_record_id next;
            json_decref(kept);
            if (!spean_records_find_json(t->at, SPEAN_TYPE_REFERRAL, key, value, &next)) {
                return false;
            }
            kept = spean_json_hex(next.bytes, SPEAN_RECORD_ID_BYTES);
        }
        if (json_object_set_new(step, key, kept) != 0) {
            spean_records_refuse(t->at, SPEAN_ENOMEM, NULL, NULL, NULL);
            return false;
        }
    }
    return true;
}

static bool add_step(struct taking *t)
{
    const bool origin = t->now.side == SPEAN_SIDE_ORIGIN;
    json_t *step =
        spean_referral_step_json(t->at, t->step, origin ? &t->now.of_origin : &t->now.of_target);
    if (step == NULL) {
        spean_records_refuse(t->at, SPEAN_ENOMEM, NULL, NULL, NULL);
        return false;
    }
    bool done = fill_step(t, step);
    if (done && t->step == SPEAN_STEP_COMPLETE &&
        json_object_get(step, "services_provided") == NULL) {
        done = json_object_set_new(step, "services_provided", json_array()) == 0;
    }
    done =
        done &&
        add_json(t, origin ? SPEAN_FIELD_REFERRAL_ORIGIN_STEPS : SPEAN_FIELD_REFERRAL_TARGET_STEPS,
                 SPEAN_VERB_APPEND, step);
    json_decref(step);
    return done;
}

/* -- Amending -------------------------------------------------------------------------------- */

/* What the origin may still change: all that it wrote but the steps and the notes. */
static bool amendable(const struct spean_schema_field *field)
{
    return field->writer == SPEAN_WRITER_ORIGIN &&
           field->number != SPEAN_FIELD_REFERRAL_ORIGIN_STEPS &&
           field->number != SPEAN_FIELD_REFERRAL_ORIGIN_NOTES &&
           field->number != SPEAN_FIELD_REFERRAL_FILES;
}

/* The body as an edit: respond_by is one of the fields. A new object. */
static json_t *amend_edit(const struct spean_records *at)
{
    json_t *edit = json_deep_copy(at->request->body);
    json_t *respond_by = json_object_get(edit, "respond_by");
    if (respond_by == NULL) {
        return edit;
    }
    if (json_object_get(edit, "set") == NULL) {
        (void)json_object_set_new(edit, "set", json_object()); /* Looked at below. */
    }
    const bool moved = json_object_set(json_object_get(edit, "set"), "respond_by", respond_by) == 0;
    if (!moved || json_object_del(edit, "respond_by") != 0) {
        json_decref(edit);
        return NULL;
    }
    return edit;
}

static bool read_amend(struct taking *t)
{
    struct spean_json_why why = {""};
    struct spean_edit_subject subject = spean_records_subject(t->at, &t->item);
    subject.editable = amendable;
    json_t *json = amend_edit(t->at);
    const spean_err err =
        json == NULL ? SPEAN_ENOMEM : spean_edit_read(t->edit, &subject, json, &why);
    json_decref(json);
    if (err != SPEAN_OK) {
        spean_records_refuse_why(t->at, err, &why);
    }
    t->facts.gives_changes = err == SPEAN_OK && spean_edit_count(t->edit) > 0;
    return err == SPEAN_OK;
}

/* Whether the consent covers what an amendment adds of the case. */
static bool covers_amend(struct taking *t)
{
    struct spean_consent_terms terms;
    const bool known = spean_referral_terms(&t->item, &terms);
    if (known && terms.gives_override) {
        return true;
    }
    for (uint32_t i = 0; i < spean_edit_count(t->edit); i++) {
        char text[160];
        const char *section = spean_referral_section_of(spean_edit_at(t->edit, i)->field);
        const struct spean_view code = {(const uint8_t *)section,
                                        section == NULL ? 0 : strlen(section)};
        if (section == NULL || (known && spean_consent_has_section(&terms, code))) {
            continue;
        }
        spean_referral_not_covered(section, text, sizeof(text));
        spean_records_refuse(t->at, SPEAN_ESTATE, "section_not_covered", text, NULL);
        return false;
    }
    return true;
}

/* Name the fields that change, each once. */
static bool set_changed(struct taking *t, json_t *step)
{
    json_t *changed = json_array();
    bool done = changed != NULL;
    for (uint32_t i = 0; i < spean_edit_count(t->edit) && done; i++) {
        json_t *number = json_integer(spean_edit_at(t->edit, i)->field->number);
        bool named = false;
        for (size_t k = 0; k < json_array_size(changed); k++) {
            named = named || json_equal(json_array_get(changed, k), number) == 1;
        }
        done = named || json_array_append(changed, number) == 0;
        json_decref(number);
    }
    return json_object_set_new(step, "changed", changed) == 0 && done;
}

static void take_amend(struct taking *t)
{
    if (!read_amend(t) || !may_step(t) || !covers_amend(t)) {
        return;
    }
    json_t *step = spean_referral_step_json(t->at, SPEAN_STEP_AMEND, &t->now.of_origin);
    json_t *respond_by = json_object_get(t->at->request->body, "respond_by");
    bool done = step != NULL && set_changed(t, step) &&
                (respond_by == NULL || json_object_set(step, "respond_by", respond_by) == 0);
    if (!done) {
        spean_records_refuse(t->at, SPEAN_ENOMEM, NULL, NULL, NULL);
    }
    done = done && add_json(t, SPEAN_FIELD_REFERRAL_ORIGIN_STEPS, SPEAN_VERB_APPEND, step);
    json_decref(step);
    if (done) {
        write_and_answer(t);
    }
}

/* -- Taking one ------------------------------------------------------------------------------ */

/* The origin's note is no step: its track knows none. */
static void take_origin_note(struct taking *t)
{
    enum spean_referral_refusal why = SPEAN_REFUSAL_NONE;
    const spean_err err = spean_referral_may_note(&t->now.progress, &t->facts, &why);
    if (err != SPEAN_OK) {
        spean_referral_refuse(t->at, err, why);
    } else if (add_note(t, json_object_get(t->at->request->body, "text"))) {
        write_and_answer(t);
    }
}

void spean_referral_take_step(struct spean_records *at, const struct spean_record_id *record,
                              enum spean_referral_step step)
{
    struct taking taking;
    const struct step_row *row = row_of(step);
    if (taking_init(&taking, at, record)) {
        taking.step = step;
        if (step == SPEAN_STEP_AMEND) {
            take_amend(&taking);
        } else if (row == NULL) {
            spean_referral_refuse(at, SPEAN_EINPUT, SPEAN_REFUSAL_UNKNOWN_STEP);
        } else if (check_keys(at, row)) {
            gather_facts(&taking);
            if (step == SPEAN_STEP_NOTE && taking.now.side == SPEAN_SIDE_ORIGIN) {
                take_origin_note(&taking);
            } else if (may_step(&taking) && add_step(&taking)) {
                write_and_answer(&taking);
            }
        }
    }
    taking_fini(&taking);
}

void spean_referral_withdraw(struct spean_records *at, const struct spean_record_id *record)
{
    struct taking taking;
    uint8_t buf[SPEAN_WITHDRAWAL_BYTES_MAX];
    struct spean_view value;
    if (!taking_init(&taking, at, record)) {
        taking_fini(&taking);
        return;
    }
    const struct spean_schema_field *field =
        spean_schema_field(SPEAN_TYPE_REFERRAL, SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN);
    const bool said = taking.now.progress.is_consent_withdrawn; /* Then there is nothing to give. */
    const struct spean_referral_facts facts = {
        .gives_channel = said || json_object_get(at->request->body, "channel") != NULL,
        .gives_date = true, /* Absent is today. */
    };
    enum spean_referral_refusal why;
    const spean_err may = spean_referral_may_withdraw(taking.now.side, &facts, &why);
    if (may != SPEAN_OK) {
        spean_referral_refuse(at, may, why);
    } else if (said) {
        spean_referral_answer(at, record);
    } else if (spean_withdrawal_read(at, buf, sizeof(buf), &value)) {
        const spean_err err = spean_edit_add(taking.edit, field, SPEAN_VERB_WRITE, value);
        if (err != SPEAN_OK) {
            spean_records_refuse_draft(at, err);
        } else {
            write_and_answer(&taking);
        }
    }
    taking_fini(&taking);
}
