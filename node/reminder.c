#include "node/reminder.h"

#include <stdio.h>
#include <string.h>

#include "node/json_value.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"

#define DATE_BYTES 16u

static bool is_answer_late(const struct spean_records *at, const struct spean_records_item *item)
{
    struct spean_reader r;
    spean_reader_init(&r,
                      spean_records_value(item, SPEAN_PART_STEPS, SPEAN_FIELD_REFERRAL_RESPOND_BY));
    const uint64_t respond_by = spean_reader_uint(&r, UINT64_MAX);
    return spean_reader_end(&r) == SPEAN_OK && respond_by < at->now_s;
}

/* The date that the last such step of the target gives under name: "2026-11-25"; "" for none. */
static void last_date(const struct spean_records_item *item, const struct spean_referral_now *now,
                      enum spean_referral_step step, const char *name, char out[DATE_BYTES])
{
    const struct spean_schema_field *known =
        spean_schema_field(SPEAN_TYPE_REFERRAL, SPEAN_FIELD_REFERRAL_TARGET_STEPS);
    const struct spean_field *field =
        spean_part_find(item->parts[SPEAN_PART_STEPS], known->number, SPEAN_KIND_LIST);
    out[0] = '\0';
    for (size_t place = 0; field != NULL && place < now->of_target.count; place++) {
        const size_t i = spean_referral_steps_at(&now->of_target, place);
        struct spean_write write;
        json_t *shown = NULL;
        if (now->of_target.items[i].step != step) {
            continue;
        }
        spean_field_get_write(field, now->of_target.writes[i], &write);
        if (spean_json_value_show(&known->value, write.value, &shown) != SPEAN_OK) {
            continue;
        }
        const char *date = json_string_value(json_object_get(shown, name));
        (void)snprintf(out, DATE_BYTES, "%s", date == NULL ? "" : date);
        json_decref(shown);
    }
}

/* Whether all of a date is over; one known to the month stands for all its days. */
static bool is_over(const struct spean_records *at, const char date[DATE_BYTES])
{
    char text[64];
    const struct spean_day today = spean_records_today(at);
    (void)snprintf(text, sizeof(text), "%04u-%02u-%02u", today.year, today.month, today.day);
    return date[0] != '\0' && strncmp(text, date, strlen(date)) > 0;
}

unsigned spean_reminder_of(const struct spean_records *at, const struct spean_records_item *item,
                           const struct spean_referral_now *now)
{
    char date[DATE_BYTES];
    if (item->parts[SPEAN_PART_STEPS] == NULL) {
        return 0;
    }
    const enum spean_referral_state state = now->progress.state;
    unsigned late = 0;
    if (state == SPEAN_REFERRAL_SENT || state == SPEAN_REFERRAL_RECEIVED) {
        late |= is_answer_late(at, item) ? SPEAN_LATE_ANSWER : 0;
        late |= state == SPEAN_REFERRAL_SENT && now->side == SPEAN_SIDE_TARGET ? SPEAN_UNREAD : 0;
    }
    if (state == SPEAN_REFERRAL_ACCEPTED) {
        last_date(item, now, SPEAN_STEP_ACCEPT, "first_contact_by", date);
        late |= is_over(at, date) ? SPEAN_LATE_CONTACT : 0;
    }
    if (state == SPEAN_REFERRAL_ON_HOLD) {
        last_date(item, now, SPEAN_STEP_HOLD, "review_by", date);
        late |= is_over(at, date) ? SPEAN_LATE_REVIEW : 0;
    }
    return late;
}
