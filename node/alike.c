#include "node/alike.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "node/json_value.h"
#include "protocol/change.h"
#include "protocol/reader.h"
#include "protocol/schema_numbers.h"
#include "store/record_names.h"
#include "store/searchkey.h"

/* How agencies and cases differ here. */
struct alike_kind {
    uint64_t type;
    uint32_t part;
    enum spean_lookup names;
    uint64_t same_as;
    uint64_t apart; /* The field by which two of one name are told apart. */
    const char *why;
};

static const struct alike_kind kinds[] = {
    {SPEAN_TYPE_AGENCY, SPEAN_PART_PUBLIC, SPEAN_LOOKUP_AGENCY_NAME, SPEAN_FIELD_AGENCY_SAME_AS,
     SPEAN_FIELD_AGENCY_COUNTRY, "same_name"},
    {SPEAN_TYPE_CASE, SPEAN_PART_CASE, SPEAN_LOOKUP_CASE_NAME, SPEAN_FIELD_CASE_SAME_AS,
     SPEAN_FIELD_CASE_BIRTH_DATE, "same_name_and_birth_year"},
};

/* Records found so far. */
struct found {
    uint32_t count;
    struct spean_record_id at[SPEAN_ALIKE_SAME_MAX];
};

/* Looking for others of the same name. */
struct search {
    struct spean_records *at;
    const struct alike_kind *kind;
    const struct spean_records_item *item;
    json_t *hints;
    struct found found;
    uint32_t looked;
};

static const struct alike_kind *kind_of(uint64_t type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].type == type) {
            return &kinds[i];
        }
    }
    return NULL;
}

static spean_err load(struct spean_records *at, const struct spean_record_id *record,
                      struct spean_records_item *item, const struct alike_kind **kind)
{
    const spean_err err = spean_records_load(at, record, item);
    *kind = err == SPEAN_OK ? kind_of(item->info.type) : NULL;
    return err;
}

/* Put a record among those found, once. False: it is there, or there is no room. */
static bool found_add(struct found *found, const struct spean_record_id *record)
{
    for (uint32_t i = 0; i < found->count; i++) {
        if (spean_record_id_equal(&found->at[i], record)) {
            return false;
        }
    }
    if (found->count == SPEAN_ALIKE_SAME_MAX) {
        return false;
    }
    found->at[found->count++] = *record;
    return true;
}

/* {"id", "code"} and why, if it is not NULL. */
static spean_err append(struct spean_records *at, const struct spean_records_item *item,
                        const char *why, json_t *items)
{
    char code[SPEAN_RECORDS_CODE_BYTES];
    const spean_err err = spean_records_code(at, item, code);
    if (err != SPEAN_OK) {
        return err;
    }
    json_t *const one = json_pack("{s:o, s:o}", "id",
                                  spean_json_hex(item->info.record.bytes, SPEAN_RECORD_ID_BYTES),
                                  "code", code[0] == '\0' ? json_null() : json_string(code));
    const bool said = why == NULL || json_object_set_new(one, "why", json_string(why)) == 0;
    if (!said || json_array_append(items, one) != 0) {
        json_decref(one);
        return SPEAN_ENOMEM;
    }
    json_decref(one);
    return SPEAN_OK;
}

/* -- Of one name ----------------------------------------------------------------------------- */

/* The year of an encoded date; 0: it has none. */
static uint64_t year_of(struct spean_view date)
{
    struct spean_reader r;
    spean_reader_init(&r, date);
    (void)spean_reader_array(&r, 1, 3);
    const uint64_t year = spean_reader_uint(&r, UINT64_MAX);
    return spean_reader_failed(&r) ? 0 : year;
}

/* Why one may be the other; NULL: they are two. */
static const char *reason(const struct alike_kind *kind, const struct spean_records_item *left,
                          const struct spean_records_item *right)
{
    const struct spean_view a = spean_records_value(left, kind->part, kind->apart);
    const struct spean_view b = spean_records_value(right, kind->part, kind->apart);
    if (kind->type == SPEAN_TYPE_CASE) {
        if (year_of(a) == 0 || year_of(b) == 0) {
            return "same_name";
        }
        return year_of(a) == year_of(b) ? kind->why : NULL;
    }
    const struct spean_view here = spean_records_text(a);
    const struct spean_view there = spean_records_text(b);
    const bool differ = here.len > 0 && there.len > 0 &&
                        (here.len != there.len || memcmp(here.data, there.data, here.len) != 0);
    return differ ? NULL : kind->why;
}

static spean_err look_at(struct search *search, const struct spean_record_id *record)
{
    struct spean_records_item other = {.record = NULL};
    if (spean_record_id_equal(record, &search->item->info.record) ||
        !found_add(&search->found, record)) {
        return SPEAN_OK;
    }
    spean_err err = spean_records_load(search->at, record, &other);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    const char *const why = reason(search->kind, search->item, &other);
    if (why != NULL) {
        err = append(search->at, &other, why, search->hints);
    }
    spean_records_unload(&other);
    return err;
}

/* Look at all that have this name. */
static spean_err look_for(void *ctx, struct spean_view text)
{
    struct search *const search = ctx;
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    char *key = NULL;
    spean_err err = spean_searchkey_name(text, &key);
    if (err != SPEAN_OK || key[0] == '\0') {
        spean_searchkey_free(key);
        return err == SPEAN_EINPUT ? SPEAN_OK : err;
    }
    const struct spean_view name = {(const uint8_t *)key, strlen(key)};
    while (err == SPEAN_OK && json_array_size(search->hints) < SPEAN_ALIKE_HINTS_MAX &&
           search->looked < SPEAN_ALIKE_LOOKED_MAX) {
        err = spean_record_lookup(search->at->view.tx, search->at->view.keys, search->kind->names,
                                  name, after, &record);
        if (err == SPEAN_OK) {
            err = look_at(search, &record);
            search->looked++;
            after = &record;
        }
    }
    spean_searchkey_free(key);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Set answer["looks_like"]. */
static spean_err set_hints(struct spean_records *at, const struct spean_record_id *record,
                           json_t *answer)
{
    struct spean_records_item item = {.record = NULL};
    struct search search = {.at = at, .item = &item};
    spean_err err = load(at, record, &item, &search.kind);
    if (err != SPEAN_OK) {
        return err;
    }
    assert(search.kind != NULL); /* It was just made. */
    search.hints = json_array();
    const struct spean_part *const part = item.parts[search.kind->part];
    if (search.hints == NULL) {
        err = SPEAN_ENOMEM;
    } else if (part != NULL) {
        err = spean_record_names(part, look_for, &search);
    }
    spean_records_unload(&item);
    if (err == SPEAN_OK && json_object_set(answer, "looks_like", search.hints) != 0) {
        err = SPEAN_ENOMEM;
    }
    json_decref(search.hints);
    return err;
}

/* -- Decided to be the same ------------------------------------------------------------------ */

/* Add the records that a part says are the same. */
static void add_named(const struct spean_part *part, uint64_t field, struct found *found)
{
    const struct spean_field *const f =
        part == NULL ? NULL : spean_part_find(part, field, SPEAN_KIND_SET);
    const size_t count = f == NULL ? 0 : spean_field_elements_count(f);
    for (size_t i = 0; i < count; i++) {
        struct spean_view element;
        struct spean_record_id id;
        struct spean_reader r;
        if (!spean_field_get_element(f, i, &element)) {
            continue;
        }
        spean_reader_init(&r, element);
        spean_reader_bin_fixed(&r, id.bytes, sizeof(id.bytes));
        if (spean_reader_end(&r) == SPEAN_OK) {
            (void)found_add(found, &id);
        }
    }
}

/* Add the records that say so of this one. */
static spean_err add_naming(struct spean_records *at, const struct spean_record_id *record,
                            struct found *found)
{
    struct spean_record_id other;
    const struct spean_record_id *after = NULL;
    const struct spean_view name = {record->bytes, sizeof(record->bytes)};
    spean_err err = SPEAN_OK;
    while (err == SPEAN_OK && found->count < SPEAN_ALIKE_SAME_MAX) {
        err = spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_SAME_AS, name, after,
                                  &other);
        if (err == SPEAN_OK) {
            (void)found_add(found, &other);
            after = &other;
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Follow what people decided from the first of *found on, until nothing is added. */
static spean_err gather(struct spean_records *at, struct found *found)
{
    uint64_t type = 0;
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < found->count && err == SPEAN_OK; i++) {
        const struct spean_record_id id = found->at[i];
        struct spean_records_item item = {.record = NULL};
        const struct alike_kind *kind = NULL;
        err = load(at, &id, &item, &kind);
        if (err == SPEAN_ENOTFOUND) {
            err = SPEAN_OK; /* It has not arrived here. */
            continue;
        }
        type = i == 0 ? item.info.type : type;
        if (err == SPEAN_OK && kind != NULL && item.info.type == type) {
            add_named(item.parts[kind->part], kind->same_as, found);
            err = add_naming(at, &id, found);
        }
        spean_records_unload(&item);
    }
    return err;
}

/* Append to *same all of found but the first that are here and of its type. *first false: one of
 * lower id, which listing wants too (NULL: nobody asks), stands for them. */
static spean_err same_show(struct spean_records *at, const struct found *found, uint64_t type,
                           const struct spean_records_listing *listing, json_t *same, bool *first)
{
    spean_err err = SPEAN_OK;
    *first = true;
    for (uint32_t i = 1; i < found->count && err == SPEAN_OK && *first; i++) {
        struct spean_records_item item = {.record = NULL};
        const struct alike_kind *kind = NULL;
        err = load(at, &found->at[i], &item, &kind);
        if (err == SPEAN_ENOTFOUND) {
            err = SPEAN_OK; /* It has not arrived here. */
            continue;
        }
        if (err == SPEAN_OK && item.info.type == type) {
            err = append(at, &item, NULL, same);
            *first = listing == NULL ||
                     memcmp(found->at[i].bytes, found->at[0].bytes, SPEAN_RECORD_ID_BYTES) > 0 ||
                     (listing->wants != NULL && !listing->wants(at, &item, listing->ctx));
        }
        spean_records_unload(&item);
    }
    return err;
}

/* Set answer["same"]. */
static spean_err set_same(struct spean_records *at, const struct spean_record_id *record,
                          uint64_t type, json_t *answer)
{
    struct found found = {.count = 0};
    json_t *const same = json_array();
    bool first = true;
    (void)found_add(&found, record);
    spean_err err = same == NULL ? SPEAN_ENOMEM : gather(at, &found);
    if (err == SPEAN_OK) {
        err = same_show(at, &found, type, NULL, same, &first);
    }
    if (err == SPEAN_OK && json_object_set(answer, "same", same) != 0) {
        err = SPEAN_ENOMEM;
    }
    json_decref(same);
    return err;
}

spean_err spean_alike_one(struct spean_records *at, const struct spean_records_listing *listing,
                          const struct spean_records_item *item, bool *first, json_t **same)
{
    assert(first != NULL);
    assert(same != NULL);
    const struct alike_kind *const kind = kind_of(item->info.type);
    struct found found = {.count = 0};
    assert(kind != NULL); /* Who lists others does not ask. */
    (void)found_add(&found, &item->info.record);
    add_named(item->parts[kind->part], kind->same_as, &found);
    spean_err err = add_naming(at, &item->info.record, &found);
    json_t *const others = json_array();
    if (err == SPEAN_OK && others == NULL) {
        err = SPEAN_ENOMEM;
    }
    if (err == SPEAN_OK && found.count > 1) { /* Most are alone. */
        err = gather(at, &found);
    }
    *first = true;
    if (err == SPEAN_OK) {
        err = same_show(at, &found, item->info.type, listing, others, first);
    }
    if (err != SPEAN_OK) {
        json_decref(others);
        return err;
    }
    *same = others;
    return SPEAN_OK;
}

/* -- Handlers -------------------------------------------------------------------------------- */

void spean_alike_answer_new(struct spean_records *at, const struct spean_record_id *record)
{
    spean_records_answer_new(at, record);
    if (!at->dry_run && json_object_get(at->reply->body, "fields") != NULL) {
        (void)set_hints(at, record, at->reply->body); /* What was written is what matters. */
    }
}

void spean_alike_get(struct spean_records *at, uint64_t type)
{
    struct spean_record_id record;
    if (!spean_records_find(at, type, spean_request_param(at->request, "id"), &record)) {
        return;
    }
    spean_records_answer(at, &record, -1);
    if (json_object_get(at->reply->body, "fields") == NULL) {
        return; /* Refused. */
    }
    const spean_err err = set_same(at, &record, type, at->reply->body);
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
    }
}
