#include "node/codebook.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/json_value.h"
#include "protocol/fold.h"
#include "protocol/reader.h"
#include "protocol/schema_numbers.h"
#include "store/record.h"

#define NAME_BYTES      (2u * SPEAN_CODE_BYTES_MAX + 2u)
#define PUBLIC_PART     (1u << SPEAN_PART_PUBLIC)
#define WRITTEN_BY_US   "ours" /* In the program's table: the row is of no other standard. */
#define TODAY_BYTES     16u
#define STANDINGS_COUNT 4u

static const char *const standings[STANDINGS_COUNT] = {
    [SPEAN_CODEBOOK_UNKNOWN] = "unknown",
    [SPEAN_CODEBOOK_LOCAL] = "local",
    [SPEAN_CODEBOOK_BUILT_IN] = "built_in",
    [SPEAN_CODEBOOK_PUBLISHED] = "published",
};

/* What is looked for: in which lookup, under which name. */
struct sought {
    enum spean_lookup lookup;
    uint8_t name[NAME_BYTES];
    size_t len;
    uint64_t published; /* The field that says so. */
};

static struct spean_view view_of(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

static bool is_true(struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    const bool truth = spean_reader_bool(&r);
    return spean_reader_end(&r) == SPEAN_OK && truth;
}

/* Whether a steward's organisation says that the record is published: of several versions, one. */
static bool is_published(const struct spean_records *at, const struct spean_records_item *item,
                         uint64_t number)
{
    const struct spean_part *part = item->parts[SPEAN_PART_PUBLIC];
    const struct spean_field *field =
        part == NULL ? NULL : spean_part_find(part, number, SPEAN_KIND_VALUE);
    const size_t count = field == NULL ? 0 : spean_field_writes_count(field);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        if (is_true(write.value) && spean_authority_is_steward(at->view.authority, &write.org)) {
            return true;
        }
    }
    return false;
}

/* Look at one record, which comes in the order of ids. */
static spean_err look_at(struct spean_records *at, const struct sought *sought,
                         const struct spean_record_id *record, struct spean_codebook_code *found)
{
    struct spean_records_item item = {.record = NULL};
    const spean_err err = spean_records_load_some(at, record, PUBLIC_PART, &item);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    const bool published = is_published(at, &item, sought->published);
    if (!found->has_own && spean_id_equal(&item.info.owner, spean_core_org(at->view.core))) {
        found->has_own = true;
        found->own = *record;
    }
    spean_records_unload(&item);
    const enum spean_codebook_standing standing =
        published ? SPEAN_CODEBOOK_PUBLISHED : SPEAN_CODEBOOK_LOCAL;
    if (!found->has_record || standing > found->standing) {
        found->has_record = true;
        found->record = *record;
        found->standing = standing;
    }
    return SPEAN_OK;
}

static spean_err find(struct spean_records *at, const struct sought *sought,
                      struct spean_codebook_code *out)
{
    struct spean_codebook_code found = {.standing = SPEAN_CODEBOOK_UNKNOWN};
    struct spean_record_id record;
    struct spean_record_id before;
    const struct spean_view name = {sought->name, sought->len};
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < SPEAN_CODEBOOK_RECORDS_MAX && err == SPEAN_OK; i++) {
        err = spean_record_lookup(at->view.tx, at->view.keys, sought->lookup, name,
                                  i == 0 ? NULL : &before, &record);
        if (err == SPEAN_OK) {
            err = look_at(at, sought, &record, &found);
            before = record;
        }
    }
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    *out = found;
    return SPEAN_OK;
}

spean_err spean_codebook_find(struct spean_records *at, const char *list, const char *code,
                              struct spean_codebook_code *out)
{
    assert(strlen(list) <= SPEAN_CODE_BYTES_MAX);
    assert(strlen(code) <= SPEAN_CODE_BYTES_MAX);
    struct sought sought = {.lookup = SPEAN_LOOKUP_CODE, .published = SPEAN_FIELD_CODE_PUBLISHED};
    /* The NUL behind the list is the byte between the two. */
    memcpy(sought.name, list, strlen(list) + 1);
    memcpy(sought.name + strlen(list) + 1, code, strlen(code));
    sought.len = strlen(list) + 1 + strlen(code);
    const spean_err err = find(at, &sought, out);
    if (err == SPEAN_OK && out->standing < SPEAN_CODEBOOK_BUILT_IN &&
        spean_codes_find(list, view_of(code)) != NULL) {
        out->standing = SPEAN_CODEBOOK_BUILT_IN;
    }
    return err;
}

spean_err spean_codebook_find_list(struct spean_records *at, const char *list,
                                   struct spean_codebook_code *out)
{
    assert(strlen(list) <= SPEAN_CODE_BYTES_MAX);
    struct sought sought = {.lookup = SPEAN_LOOKUP_CODE_LIST,
                            .published = SPEAN_FIELD_CODE_LIST_PUBLISHED};
    memcpy(sought.name, list, strlen(list));
    sought.len = strlen(list);
    size_t count = 0;
    const spean_err err = find(at, &sought, out);
    if (err == SPEAN_OK && out->standing < SPEAN_CODEBOOK_BUILT_IN &&
        spean_codes_list(list, &count) != NULL) {
        out->standing = SPEAN_CODEBOOK_BUILT_IN;
    }
    return err;
}

/* -- Showing --------------------------------------------------------------------------------- */

/* Add the fields of a record, its id and its owner to a shown code or list. */
static spean_err show_record(struct spean_records *at, const struct spean_record_id *record,
                             const char *const *fields, json_t *shown)
{
    struct spean_records_item item = {.record = NULL};
    spean_err err = spean_records_load_some(at, record, PUBLIC_PART, &item);
    if (err != SPEAN_OK) {
        return err;
    }
    for (; err == SPEAN_OK && *fields != NULL; fields++) {
        err = spean_records_line_field(at, &item, *fields, shown);
        if (err == SPEAN_OK && json_is_null(json_object_get(shown, *fields))) {
            (void)json_object_del(shown, *fields);
        }
    }
    if (err == SPEAN_OK &&
        (json_object_set_new(shown, "id", spean_json_hex(record->bytes, SPEAN_RECORD_ID_BYTES)) !=
             0 ||
         !spean_json_set_org(shown, "owner", &item.info.owner, &at->names))) {
        err = SPEAN_ENOMEM;
    }
    spean_records_unload(&item);
    return err;
}

/* Give the labels what the program's row says in languages that they lack. */
static spean_err add_row(json_t *shown, const struct spean_code *row)
{
    json_t *labels = json_object_get(shown, "labels");
    if (labels == NULL) {
        labels = json_object();
        if (json_object_set_new(shown, "labels", labels) != 0) {
            return SPEAN_ENOMEM;
        }
    }
    if (row == NULL) {
        return SPEAN_OK;
    }
    bool done = true;
    if (json_object_get(labels, "en") == NULL) {
        done = json_object_set_new(labels, "en", json_string(row->label_en)) == 0;
    }
    if (done && row->label_ja[0] != '\0' && json_object_get(labels, "ja") == NULL) {
        done = json_object_set_new(labels, "ja", json_string(row->label_ja)) == 0;
    }
    if (done && row->maps_to[0] != '\0' && strcmp(row->maps_to, WRITTEN_BY_US) != 0) {
        done = json_object_set_new(shown, "maps_to", json_string(row->maps_to)) == 0;
    }
    return done ? SPEAN_OK : SPEAN_ENOMEM;
}

spean_err spean_codebook_show(struct spean_records *at, const char *list, const char *code,
                              json_t **out)
{
    static const char *const fields[] = {"labels",        "mappings", "valid_from", "valid_to",
                                         "superseded_by", "note",     "mapped_to",  NULL};
    struct spean_codebook_code found;
    spean_err err = spean_codebook_find(at, list, code, &found);
    if (err != SPEAN_OK) {
        return err;
    }
    json_t *shown = json_pack("{s:s, s:s, s:s}", "list", list, "code", code, "standing",
                              standings[found.standing]);
    err = shown == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    /* A local record says nothing of a code that the program knows. */
    if (err == SPEAN_OK && found.has_record && found.standing != SPEAN_CODEBOOK_BUILT_IN) {
        err = show_record(at, &found.record, fields, shown);
    }
    if (err == SPEAN_OK) {
        err = add_row(shown, spean_codes_find(list, view_of(code)));
    }
    if (err == SPEAN_OK &&
        json_object_set_new(shown, "in_force", json_boolean(spean_codebook_in_force(at, shown))) !=
            0) {
        err = SPEAN_ENOMEM;
    }
    if (err != SPEAN_OK) {
        json_decref(shown);
        return err;
    }
    *out = shown;
    return SPEAN_OK;
}

spean_err spean_codebook_show_list(struct spean_records *at, const char *list, json_t **out)
{
    static const char *const fields[] = {"title",      "description", "version",
                                         "valid_from", "valid_to",    NULL};
    struct spean_codebook_code found;
    spean_err err = spean_codebook_find_list(at, list, &found);
    if (err != SPEAN_OK) {
        return err;
    }
    json_t *shown = json_pack("{s:s, s:s}", "list", list, "standing", standings[found.standing]);
    err = shown == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    if (err == SPEAN_OK && found.has_record && found.standing != SPEAN_CODEBOOK_BUILT_IN) {
        err = show_record(at, &found.record, fields, shown);
    }
    if (err != SPEAN_OK) {
        json_decref(shown);
        return err;
    }
    *out = shown;
    return SPEAN_OK;
}

/* Dates are written so that their texts compare as they do; one that is known to the year or the
 * month stands for all its days. */
bool spean_codebook_in_force(const struct spean_records *at, const json_t *shown)
{
    const struct spean_day today = spean_records_today(at);
    const char *from = json_string_value(json_object_get(shown, "valid_from"));
    const char *to = json_string_value(json_object_get(shown, "valid_to"));
    char text[TODAY_BYTES];
    (void)snprintf(text, sizeof(text), "%04u-%02u-%02u", (unsigned)today.year % 10000u,
                   (unsigned)today.month % 100u, (unsigned)today.day % 100u);
    return (from == NULL || strncmp(text, from, strlen(from)) >= 0) &&
           (to == NULL || strncmp(text, to, strlen(to)) <= 0);
}
