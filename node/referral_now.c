/* Where a referral stands: its two tracks as steps, and the state that follows from them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/json_value.h"
#include "node/referral.h"
#include "node/referral_twin.h"
#include "node/reminder.h"
#include "node/trail.h"
#include "node/transfer.h"
#include "node/withdrawal.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/partkeys.h"

static const struct spean_field *track_field(const struct spean_records_item *item,
                                             enum spean_referral_side side)
{
    const struct spean_part *steps = item->parts[SPEAN_PART_STEPS];
    const uint64_t number = side == SPEAN_SIDE_ORIGIN ? SPEAN_FIELD_REFERRAL_ORIGIN_STEPS
                                                      : SPEAN_FIELD_REFERRAL_TARGET_STEPS;
    return steps == NULL ? NULL : spean_part_find(steps, number, SPEAN_KIND_LIST);
}

static void steps_fini(struct spean_referral_steps *steps)
{
    free(steps->items);
    free(steps->marks);
    free(steps->writes);
    memset(steps, 0, sizeof(*steps));
}

static spean_err steps_init(const struct spean_records_item *item, enum spean_referral_side side,
                            struct spean_referral_steps *steps, struct spean_referral_track *track)
{
    const struct spean_field *field = track_field(item, side);
    const size_t count = field == NULL ? 0 : spean_field_writes_count(field);
    if (count > SPEAN_REFERRAL_STEPS_MAX) {
        return SPEAN_ELIMIT;
    }
    steps->items = calloc(count + 1, sizeof(*steps->items));
    steps->marks = calloc(count + 1, sizeof(*steps->marks));
    steps->writes = calloc(count + 1, sizeof(*steps->writes));
    if (steps->items == NULL || steps->marks == NULL || steps->writes == NULL) {
        return SPEAN_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        struct spean_referral_item *step = &steps->items[steps->count];
        if (spean_referral_item_decode(step, write.value) != SPEAN_OK) {
            continue; /* No step; it is shown among the fields (S4). */
        }
        step->name = write.dot;
        step->entry = write.entry;
        steps->writes[steps->count++] = i;
    }
    return spean_referral_track(track, steps->marks, side, steps->items, steps->count);
}

size_t spean_referral_steps_at(const struct spean_referral_steps *steps, size_t place)
{
    size_t i = 0;
    while (steps->marks[i].place != place) {
        i++;
        assert(i < steps->count); /* Places are all from 0 on, each once. */
    }
    return i;
}

spean_err spean_referral_now_init(const struct spean_records *at,
                                  const struct spean_records_item *item,
                                  struct spean_referral_now *out)
{
    struct spean_referral_now now = {.side = SPEAN_SIDE_NONE};
    struct spean_referral_track origin;
    struct spean_referral_track target;
    const struct spean_id *own = spean_core_org(at->view.core);
    if (!spean_records_fixed_org(item, SPEAN_FIELD_REFERRAL_FROM, &now.origin) ||
        !spean_records_fixed_org(item, SPEAN_FIELD_REFERRAL_TO, &now.target)) {
        return SPEAN_ECORRUPT;
    }
    if (spean_id_equal(own, &now.origin)) {
        now.side = SPEAN_SIDE_ORIGIN;
    } else if (spean_id_equal(own, &now.target)) {
        now.side = SPEAN_SIDE_TARGET;
    }
    spean_err err = steps_init(item, SPEAN_SIDE_ORIGIN, &now.of_origin, &origin);
    if (err == SPEAN_OK) {
        err = steps_init(item, SPEAN_SIDE_TARGET, &now.of_target, &target);
    }
    if (err != SPEAN_OK) {
        spean_referral_now_fini(&now);
        return err;
    }
    const bool withdrawn =
        spean_withdrawal_is_set(item, SPEAN_PART_STEPS, SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN);
    now.progress = spean_referral_join(&origin, &target, withdrawn);
    *out = now;
    return SPEAN_OK;
}

void spean_referral_now_fini(struct spean_referral_now *now)
{
    steps_fini(&now->of_origin);
    steps_fini(&now->of_target);
}

bool spean_referral_consent(const struct spean_records_item *item, struct spean_record_id *out)
{
    struct spean_view value;
    struct spean_reader r;
    if (!spean_fixed_get(item->info.fixed, SPEAN_FIELD_REFERRAL_CONSENT, &value)) {
        return false;
    }
    spean_reader_init(&r, value);
    const uint32_t pairs = spean_reader_map(&r, UINT32_MAX);
    const uint64_t key = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, out->bytes, SPEAN_RECORD_ID_BYTES);
    return pairs > 0 && key == SPEAN_SUB_CONSENT_REF_CONSENT && !spean_reader_failed(&r);
}

bool spean_referral_terms(const struct spean_records_item *item, struct spean_consent_terms *out)
{
    struct spean_view value;
    struct spean_reader r;
    if (!spean_fixed_get(item->info.fixed, SPEAN_FIELD_REFERRAL_CONSENT, &value)) {
        return false;
    }
    spean_reader_init(&r, value);
    const uint32_t pairs = spean_reader_map(&r, SPEAN_SCHEMA_ELEMENTS_MAX);
    for (uint32_t i = 0; i < pairs && !spean_reader_failed(&r); i++) {
        const uint64_t key = spean_reader_uint(&r, UINT64_MAX);
        const struct spean_view sub = spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        if (!spean_reader_failed(&r) && key == SPEAN_SUB_CONSENT_REF_TERMS) {
            return spean_consent_terms_decode(out, sub) == SPEAN_OK;
        }
    }
    return false;
}

/* -- Showing --------------------------------------------------------------------------------- */

json_t *spean_referral_flags(const struct spean_records *at, const struct spean_records_item *item,
                             const struct spean_referral_now *now)
{
    const struct spean_referral_progress *progress = &now->progress;
    const unsigned late = spean_reminder_of(at, item, now);
    const struct {
        bool set;
        const char *name;
    } flags[] = {
        {progress->is_consent_withdrawn, "consent_withdrawn"},
        {progress->is_closed_while_live, "closed_while_live"},
        {progress->target.is_cancel_acknowledged, "cancel_acknowledged"},
        {progress->origin.heads_count > 1, "origin_conflict"},
        {progress->target.heads_count > 1, "target_conflict"},
        {progress->origin.misfits_count + progress->target.misfits_count > 0, "misfit"},
        {(late & SPEAN_LATE) != 0, "overdue"},
        {(late & SPEAN_LATE_ANSWER) != 0, "answer_late"},
        {(late & SPEAN_LATE_CONTACT) != 0, "contact_late"},
        {(late & SPEAN_LATE_REVIEW) != 0, "review_late"},
        {(late & SPEAN_UNREAD) != 0, "unread"},
        {spean_referral_is_duplicate(at, item, now), "duplicate"},
    };
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (flags[i].set && json_array_append_new(array, json_string(flags[i].name)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* One step: what was given with it, who took it when, and what became of the track. */
static json_t *show_step(struct spean_records *at, const struct spean_field *field,
                         const struct spean_referral_steps *steps, size_t index, const char *track)
{
    const struct spean_referral_mark *mark = &steps->marks[index];
    const struct spean_schema_value *looks =
        &spean_schema_field(SPEAN_TYPE_REFERRAL, SPEAN_FIELD_REFERRAL_ORIGIN_STEPS)->value;
    struct spean_write write;
    json_t *object = NULL;
    char name[SPEAN_JSON_ITEM_BYTES];
    spean_field_get_write(field, steps->writes[index], &write);
    spean_json_item_format(name, &write.dot);
    if (spean_json_value_show(looks, write.value, &object) != SPEAN_OK) {
        return NULL;
    }
    const bool done =
        json_object_set_new(object, "track", json_string(track)) == 0 &&
        json_object_set_new(object, "name", json_string(name)) == 0 &&
        spean_json_set_org(object, "by", &write.org, &at->names) &&
        json_object_set_new(object, "actor",
                            json_stringn(write.actor.len == 0 ? "" : (const char *)write.actor.data,
                                         write.actor.len)) == 0 &&
        json_object_set_new(object, "after", json_string(spean_referral_track_name(mark->after))) ==
            0 &&
        json_object_set_new(object, "head", json_boolean(mark->is_head)) == 0 &&
        json_object_set_new(object, "misfit", json_boolean(mark->is_misfit)) == 0;
    if (!done ||
        (json_object_get(object, "at") == NULL && !spean_json_set_time(object, "at", write.time))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool show_track(struct spean_records *at, const struct spean_records_item *item,
                       enum spean_referral_side side, const struct spean_referral_steps *steps,
                       json_t *array)
{
    const struct spean_field *field = track_field(item, side);
    const char *track = side == SPEAN_SIDE_ORIGIN ? "origin" : "target";
    for (size_t i = 0; i < steps->count; i++) {
        const size_t index = spean_referral_steps_at(steps, i);
        if (json_array_append_new(array, show_step(at, field, steps, index, track)) != 0) {
            return false;
        }
    }
    return true;
}

/* What the target waits for, or is to decide; null: nothing. */
static json_t *show_details(struct spean_records *at, const struct spean_records_item *item,
                            const struct spean_referral_now *now)
{
    const struct spean_part_name name = {item->info.record, SPEAN_PART_PAYLOAD};
    struct spean_partkey key;
    const spean_err err = spean_partkeys_newest(at->view.tx, at->view.keys, &name, &key);
    if (err == SPEAN_OK) {
        spean_partkeys_wipe(&key);
    }
    struct spean_record_id a_case;
    bool worked_on = false;
    if (now->side == SPEAN_SIDE_TARGET && now->progress.is_consent_withdrawn &&
        spean_transfer_case(at, &item->info.record, &a_case, &worked_on) == SPEAN_OK && worked_on) {
        return json_string("the consent was withdrawn; the case that was opened here of this "
                           "referral is still open: close it");
    }
    const uint32_t live = (1u << SPEAN_TRACK_ACCEPTED) | (1u << SPEAN_TRACK_IN_PROGRESS) |
                          (1u << SPEAN_TRACK_ON_HOLD);
    if (err != SPEAN_ENOTFOUND || now->side != SPEAN_SIDE_TARGET ||
        ((1u << now->progress.target.state) & live) == 0 || now->progress.is_consent_withdrawn) {
        return json_null();
    }
    char text[SPEAN_RECORDS_NAME_BYTES + 32];
    const char *origin = at->names.of(at->names.ctx, &now->origin);
    (void)snprintf(text, sizeof(text), "waiting for details from %s",
                   origin != NULL ? origin : "the sender");
    return json_string(text);
}

spean_err spean_referral_now_show(struct spean_records *at, const struct spean_records_item *item,
                                  const struct spean_referral_now *now, json_t *object)
{
    json_t *steps = json_array();
    const bool shown = show_track(at, item, SPEAN_SIDE_ORIGIN, &now->of_origin, steps) &&
                       show_track(at, item, SPEAN_SIDE_TARGET, &now->of_target, steps);
    const char *state = spean_referral_state_name(now->progress.state);
    const bool done =
        json_object_set_new(object, "steps", steps) == 0 && shown &&
        json_object_set_new(object, "state", json_string(state)) == 0 &&
        json_object_set_new(object, "flags", spean_referral_flags(at, item, now)) == 0 &&
        spean_json_set_org(object, "origin", &now->origin, &at->names) &&
        spean_json_set_org(object, "target", &now->target, &at->names) &&
        json_object_set_new(object, "draft", json_null()) == 0 &&
        json_object_set_new(object, "details", show_details(at, item, now)) == 0;
    return done ? spean_trail_show(at, item, now, object) : SPEAN_ENOMEM;
}
