#include "node/referral_twin.h"

#include <string.h>

#include "node/json_record.h"
#include "protocol/reader.h"
#include "protocol/schema_numbers.h"

#define TWINS_MAX 1024u /* Looked at; a person has few. */

/* What a referral asks for, a new array; NULL: nothing, or it cannot be read. */
static json_t *services_of(const struct spean_records_item *item)
{
    const struct spean_part *part = item->parts[SPEAN_PART_PREVIEW];
    const struct spean_field *field =
        part == NULL
            ? NULL
            : spean_part_find(part, SPEAN_FIELD_REFERRAL_SERVICES_REQUESTED, SPEAN_KIND_SET);
    json_t *shown = NULL;
    if (field == NULL ||
        spean_json_field_show(SPEAN_TYPE_REFERRAL, field, NULL, &shown) != SPEAN_OK) {
        return NULL;
    }
    return shown;
}

/* Whether two lists name one service. */
static bool share_service(const json_t *ours, const json_t *theirs)
{
    for (size_t i = 0; i < json_array_size(ours); i++) {
        const json_t *code = json_object_get(json_array_get(ours, i), "code");
        for (size_t k = 0; k < json_array_size(theirs); k++) {
            if (code != NULL &&
                json_equal(code, json_object_get(json_array_get(theirs, k), "code")) == 1) {
                return true;
            }
        }
    }
    return false;
}

/* -- At the origin ----------------------------------------------------------------------------- */

/* Whether one referral of the case goes to the same organisation for the same, and is open. */
static bool is_twin(const struct spean_records *at, const struct spean_record_id *record,
                    const struct spean_id *target, const json_t *services)
{
    struct spean_records_item item = {.record = NULL};
    struct spean_referral_now now;
    bool twin = false;
    if (spean_records_load(at, record, &item) != SPEAN_OK) {
        return false;
    }
    if (item.info.type == SPEAN_TYPE_REFERRAL &&
        spean_referral_now_init(at, &item, &now) == SPEAN_OK) {
        json_t *theirs = services_of(&item);
        twin = spean_id_equal(&now.target, target) &&
               !spean_referral_is_resolved(now.progress.state) &&
               (theirs == NULL || share_service(services, theirs));
        json_decref(theirs);
        spean_referral_now_fini(&now);
    }
    spean_records_unload(&item);
    return twin;
}

bool spean_referral_has_twin(struct spean_records *at, const struct spean_record_id *referral,
                             const struct spean_records_item *a_case, const struct spean_id *target,
                             const json_t *services)
{
    const struct spean_part *part = a_case->parts[SPEAN_PART_CASE];
    const struct spean_field *field =
        part == NULL ? NULL : spean_part_find(part, SPEAN_FIELD_CASE_REFERRALS, SPEAN_KIND_SET);
    const size_t count = field == NULL ? 0 : spean_field_elements_count(field);
    for (size_t i = 0; i < count && i < TWINS_MAX; i++) {
        struct spean_view element;
        struct spean_record_id record;
        struct spean_reader r;
        if (!spean_field_get_element(field, i, &element)) {
            continue;
        }
        spean_reader_init(&r, element);
        spean_reader_bin_fixed(&r, record.bytes, SPEAN_RECORD_ID_BYTES);
        if (spean_reader_end(&r) == SPEAN_OK && !spean_record_id_equal(&record, referral) &&
            is_twin(at, &record, target, services)) {
            return true;
        }
    }
    return false;
}

/* -- At the target ----------------------------------------------------------------------------- */

/* Whether we took a referral, and still work on it, that asks for one of these services. */
static bool is_served(const struct spean_records *at, const struct spean_record_id *record,
                      const json_t *services)
{
    const uint32_t live = (1u << SPEAN_REFERRAL_ACCEPTED) | (1u << SPEAN_REFERRAL_IN_PROGRESS) |
                          (1u << SPEAN_REFERRAL_ON_HOLD);
    const uint32_t mask = (1u << SPEAN_PART_STEPS) | (1u << SPEAN_PART_PREVIEW);
    struct spean_records_item item = {.record = NULL};
    struct spean_referral_now now;
    bool served = false;
    if (spean_records_load_some(at, record, mask, &item) != SPEAN_OK) {
        return false;
    }
    if (spean_referral_now_init(at, &item, &now) == SPEAN_OK) {
        json_t *theirs = services_of(&item);
        served = now.side == SPEAN_SIDE_TARGET && ((1u << now.progress.state) & live) != 0 &&
                 share_service(services, theirs);
        json_decref(theirs);
        spean_referral_now_fini(&now);
    }
    spean_records_unload(&item);
    return served;
}

/* What a referral asks for, whichever of its parts are loaded. */
static json_t *services_of_record(const struct spean_records *at,
                                  const struct spean_record_id *record)
{
    struct spean_records_item item = {.record = NULL};
    json_t *services = NULL;
    if (spean_records_load_some(at, record, 1u << SPEAN_PART_PREVIEW, &item) == SPEAN_OK) {
        services = services_of(&item);
    }
    spean_records_unload(&item);
    return services;
}

bool spean_referral_is_duplicate(const struct spean_records *at,
                                 const struct spean_records_item *item,
                                 const struct spean_referral_now *now)
{
    const enum spean_referral_state state = now->progress.state;
    struct spean_record_id consent;
    struct spean_record_id record = {{0}};
    bool found = false;
    if (now->side != SPEAN_SIDE_TARGET ||
        (state != SPEAN_REFERRAL_SENT && state != SPEAN_REFERRAL_RECEIVED) ||
        !spean_referral_consent(item, &consent)) {
        return false;
    }
    const struct spean_view name = {consent.bytes, SPEAN_RECORD_ID_BYTES};
    json_t *services = services_of_record(at, &item->info.record);
    for (uint32_t i = 0; i < TWINS_MAX && services != NULL && !found; i++) {
        const struct spean_record_id before = record;
        if (spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_REFERRED_BY, name,
                                i == 0 ? NULL : &before, &record) != SPEAN_OK) {
            break;
        }
        found =
            !spean_record_id_equal(&record, &item->info.record) && is_served(at, &record, services);
    }
    json_decref(services);
    return found;
}
