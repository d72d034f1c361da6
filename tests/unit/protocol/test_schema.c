#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/codes.h"
#include "protocol/hash.h"
#include "protocol/limits.h"
#include "protocol/schema.h"
#include "protocol/writer.h"

#define LINE_BYTES_MAX  1024u
#define CELLS_MAX       10u
#define FIELD_CELLS     8u
#define SUB_CELLS       5u
#define SECTION_CELLS   2u
#define VALUE_BYTES_CAP 70000u

static struct spean_view view(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

/* The tables of docs/SCHEMA.md, row by row. */

struct document {
    FILE *file;
    char line[LINE_BYTES_MAX];
    char *cells[CELLS_MAX];
    size_t cells_count;
    char heading[LINE_BYTES_MAX]; /* The last one of the third level, without its marks. */
};

static void document_open(struct document *doc)
{
    memset(doc, 0, sizeof(*doc));
    doc->file = fopen("docs/SCHEMA.md", "r");
    assert_non_null(doc->file);
}

static void document_close(struct document *doc)
{
    assert_int_equal(fclose(doc->file), 0);
}

static char *trim(char *text)
{
    text += strspn(text, " ");
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == ' ') {
        text[--len] = '\0';
    }
    return text;
}

static void split_row(struct document *doc)
{
    doc->cells_count = 0;
    if (doc->line[0] != '|') {
        return;
    }
    char *cell = doc->line + 1;
    for (char *bar = strchr(cell, '|'); bar != NULL; bar = strchr(cell, '|')) {
        assert_true(doc->cells_count < CELLS_MAX);
        *bar = '\0';
        doc->cells[doc->cells_count++] = trim(cell);
        cell = bar + 1;
    }
}

/* Go to the next row of that many cells under headings that start with prefix. */
static bool document_next(struct document *doc, const char *prefix, size_t cells_count)
{
    while (fgets(doc->line, sizeof(doc->line), doc->file) != NULL) {
        doc->line[strcspn(doc->line, "\n")] = '\0';
        if (strncmp(doc->line, "## ", 3) == 0) {
            doc->heading[0] = '\0';
        }
        if (strncmp(doc->line, "### ", 4) == 0) {
            memcpy(doc->heading, doc->line + 4, strlen(doc->line + 4) + 1);
        }
        split_row(doc);
        const bool is_data = doc->cells_count == cells_count && strcmp(doc->cells[0], "no") != 0 &&
                             strcmp(doc->cells[0], "section") != 0 && doc->cells[0][0] != '-';
        if (is_data && strncmp(doc->heading, prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

/* The document's names. */
static const char *const kind_names[] = {"fixed", "value", "set", "list", "strictest", "one-way"};
static const char *const writer_names[] = {"fixed",  "owner",  "origin",  "target",
                                           "either", "member", "steward", "nobody"};
static const char *const value_type_names[SPEAN_VALUE_TYPES_COUNT] = {
    "bool", "uint", "bytes",   "bin32", "org",   "record", "item",  "time", "str",
    "code", "lang", "country", "text",  "money", "date",   "place", "map",
};

static bool is_map(const struct spean_schema_value *value, const char *name)
{
    return value->type == SPEAN_VALUE_MAP && strcmp(value->map->name, name) == 0;
}

/* A map of a field, or one within such a map. */
static const struct spean_schema_map *map_by_name(const char *name)
{
    size_t count = 0;
    const struct spean_schema_field *const fields = spean_schema_fields(&count);
    for (size_t i = 0; i < count; i++) {
        const struct spean_schema_value *const value = &fields[i].value;
        if (is_map(value, name)) {
            return value->map;
        }
        for (size_t k = 0; value->type == SPEAN_VALUE_MAP && k < value->map->subs_count; k++) {
            if (is_map(&value->map->subs[k].value, name)) {
                return value->map->subs[k].value.map;
            }
        }
    }
    return NULL;
}

/* Write a value type as the document does: "[map cost]". */
static void value_text(char *out, size_t cap, const struct spean_schema_value *value)
{
    char detail[256] = "";
    if (value->type == SPEAN_VALUE_STR) {
        (void)snprintf(detail, sizeof(detail), " %u", (unsigned)value->bytes_max);
    }
    if (value->type == SPEAN_VALUE_MAP) {
        (void)snprintf(detail, sizeof(detail), " %s", value->map->name);
    }
    (void)snprintf(out, cap, "%s%s%s%s", value->array ? "[" : "", value_type_names[value->type],
                   detail, value->array ? "]" : "");
}

static void assert_value_row(const struct spean_schema_value *value, const char *text,
                             const char *codes)
{
    char expected[LINE_BYTES_MAX];
    value_text(expected, sizeof(expected), value);
    assert_string_equal(expected, text);
    assert_string_equal(value->codes == NULL ? "" : value->codes, codes);
}

/* The type that a heading like "case (2)" is about, or NULL. */
static const struct spean_schema_type *type_of_heading(const char *heading)
{
    char name[LINE_BYTES_MAX];
    unsigned number = 0;
    if (sscanf(heading, "%1000[a-z_] (%u)", name, &number) != 2) {
        return NULL;
    }
    const struct spean_schema_type *type = spean_schema_type_by_name(name);
    assert_non_null(type);
    assert_int_equal(type->number, number);
    assert_ptr_equal(spean_schema_type(number), type);
    return type;
}

static void every_documented_field_is_in_the_table_and_the_other_way_round(void **state)
{
    (void)state;
    struct document doc;
    document_open(&doc);
    size_t rows = 0;
    while (document_next(&doc, "", FIELD_CELLS)) {
        const struct spean_schema_type *type = type_of_heading(doc.heading);
        assert_non_null(type);
        const struct spean_schema_field *field =
            spean_schema_field_by_name(type->number, doc.cells[1]);
        assert_non_null(field);
        assert_int_equal(field->number, strtoul(doc.cells[0], NULL, 10));
        assert_ptr_equal(spean_schema_field(type->number, field->number), field);
        assert_value_row(&field->value, doc.cells[2], doc.cells[6]);
        assert_string_equal(kind_names[field->kind], doc.cells[3]);
        assert_string_equal(writer_names[field->writer], doc.cells[4]);
        assert_string_equal(type->parts[field->part], doc.cells[5]);
        rows++;
    }
    document_close(&doc);

    size_t count = 0;
    (void)spean_schema_fields(&count);
    assert_int_equal(rows, count); /* Names are unique, so equal counts leave none over. */
}

static void every_documented_map_is_in_the_table_and_the_other_way_round(void **state)
{
    (void)state;
    struct document doc;
    document_open(&doc);
    const struct spean_schema_map *map = NULL;
    size_t rows = 0;
    while (document_next(&doc, "map ", SUB_CELLS)) {
        if (map == NULL || strcmp(map->name, doc.heading + strlen("map ")) != 0) {
            assert_true(map == NULL || rows == map->subs_count);
            map = map_by_name(doc.heading + strlen("map "));
            assert_non_null(map);
            rows = 0;
        }
        const uint64_t number = strtoul(doc.cells[0], NULL, 10);
        const struct spean_schema_sub *sub = spean_schema_sub(map, number);
        assert_non_null(sub);
        assert_string_equal(sub->name, doc.cells[1]);
        assert_ptr_equal(spean_schema_sub_by_name(map, sub->name), sub);
        assert_value_row(&sub->value, doc.cells[2], doc.cells[3]);
        rows++;
    }
    assert_non_null(map);
    assert_int_equal(rows, map->subs_count);
    document_close(&doc);
}

static void sections_are_the_documented_ones_in_case_and_payload(void **state)
{
    (void)state;
    struct document doc;
    document_open(&doc);
    size_t named = 0;
    while (document_next(&doc, "Sections", SECTION_CELLS)) {
        assert_non_null(spean_codes_find("section", view(doc.cells[0])));
        char *pos = doc.cells[1];
        while (*pos != '\0') {
            const uint64_t number = strtoul(pos, &pos, 10);
            pos += strspn(pos, ", ");
            const struct spean_schema_field *own = spean_schema_field(SPEAN_TYPE_CASE, number);
            const struct spean_schema_field *shared =
                spean_schema_field(SPEAN_TYPE_REFERRAL, number + SPEAN_FIELD_SHARED_OFFSET);
            assert_non_null(own);
            assert_non_null(shared);
            assert_string_equal(own->section, doc.cells[0]);
            assert_string_equal(shared->section, doc.cells[0]);
            assert_int_equal(own->kind, shared->kind);
            assert_memory_equal(&own->value, &shared->value, sizeof(own->value));
            assert_int_equal(shared->part, SPEAN_PART_PAYLOAD);
            named += 2;
        }
    }
    document_close(&doc);

    size_t count = 0;
    const struct spean_schema_field *fields = spean_schema_fields(&count);
    for (size_t i = 0; i < count; i++) {
        named -= fields[i].section != NULL ? 1 : 0;
    }
    assert_int_equal(named, 0);
}

/* What must hold for any table. */

static void fields_are_sorted_and_their_writer_follows_from_their_number(void **state)
{
    (void)state;
    size_t count = 0;
    const struct spean_schema_field *fields = spean_schema_fields(&count);
    for (size_t i = 0; i < count; i++) {
        const bool fixed = fields[i].kind == SPEAN_KIND_FIXED;
        assert_int_equal(fields[i].writer, spean_schema_writer_of(fields[i].number));
        assert_int_equal(fixed, fields[i].writer == SPEAN_WRITER_FIXED);
        assert_true(i == 0 || fields[i - 1].type < fields[i].type ||
                    fields[i - 1].number < fields[i].number);
        assert_non_null(spean_schema_type((uint64_t)fields[i].type));
    }
}

static void every_code_list_that_a_field_names_exists(void **state)
{
    (void)state;
    size_t count = 0;
    const struct spean_schema_field *fields = spean_schema_fields(&count);
    for (size_t i = 0; i < count; i++) {
        size_t codes_count = 1;
        if (fields[i].value.codes != NULL) {
            (void)spean_codes_list(fields[i].value.codes, &codes_count);
        }
        assert_true(codes_count > 0);
        const struct spean_schema_map *map = fields[i].value.map;
        for (size_t k = 0; map != NULL && k < map->subs_count; k++) {
            if (map->subs[k].value.codes != NULL) {
                (void)spean_codes_list(map->subs[k].value.codes, &codes_count);
            }
            assert_true(codes_count > 0);
        }
    }
}

#define PENDING_MAX 512u

/* Follow every path from field to its scalars; calls visit with the containers on the way. */
static void walk_values(const struct spean_schema_field *field,
                        void (*visit)(const struct spean_schema_value *, size_t))
{
    struct {
        const struct spean_schema_value *value;
        size_t depth;
    } pending[PENDING_MAX] = {{&field->value, 0}};
    size_t count = 1;
    while (count > 0) {
        count--;
        const struct spean_schema_value *value = pending[count].value;
        const size_t depth = pending[count].depth + (value->array ? 1 : 0);
        if (value->type != SPEAN_VALUE_MAP) {
            visit(value, depth);
            continue;
        }
        for (size_t i = 0; i < value->map->subs_count; i++) {
            assert_true(count < PENDING_MAX);
            pending[count].value = &value->map->subs[i].value;
            pending[count].depth = depth + 1;
            count++;
        }
    }
}

static void depth_is_within_the_limit(const struct spean_schema_value *value, size_t depth)
{
    const bool container = value->type == SPEAN_VALUE_TEXT || value->type == SPEAN_VALUE_MONEY ||
                           value->type == SPEAN_VALUE_DATE || value->type == SPEAN_VALUE_PLACE ||
                           value->type == SPEAN_VALUE_ITEM;
    assert_true(depth + (container ? 1 : 0) <= SPEAN_SCHEMA_DEPTH_MAX);
}

static void no_value_nests_deeper_than_the_limit(void **state)
{
    (void)state;
    size_t count = 0;
    const struct spean_schema_field *fields = spean_schema_fields(&count);
    for (size_t i = 0; i < count; i++) {
        walk_values(&fields[i], depth_is_within_the_limit);
    }
}

static void is_no_free_text(const struct spean_schema_value *value, size_t depth)
{
    (void)depth;
    assert_int_not_equal(value->type, SPEAN_VALUE_STR);
    assert_int_not_equal(value->type, SPEAN_VALUE_TEXT);
    assert_int_not_equal(value->type, SPEAN_VALUE_PLACE);
    assert_int_not_equal(value->type, SPEAN_VALUE_BYTES);
}

static void no_free_text_can_be_written_into_the_steps_of_a_referral(void **state)
{
    (void)state;
    size_t count = 0;
    const struct spean_schema_field *fields = spean_schema_fields(&count);
    size_t steps = 0;
    for (size_t i = 0; i < count; i++) {
        if (fields[i].type == SPEAN_TYPE_REFERRAL && fields[i].part == SPEAN_PART_STEPS) {
            walk_values(&fields[i], is_no_free_text);
            steps++;
        }
    }
    assert_true(steps > 0);
}

static void what_is_not_known_is_not_found(void **state)
{
    (void)state;
    assert_null(spean_schema_type(0));
    assert_null(spean_schema_type(8));
    assert_null(spean_schema_type_by_name("cases"));
    assert_null(spean_schema_field(SPEAN_TYPE_CASE, 999));
    assert_null(spean_schema_field(SPEAN_TYPE_CASE, UINT64_MAX));
    assert_null(spean_schema_field(SPEAN_TYPE_CASE, 16 + 65536)); /* Not narrowed. */
    assert_null(spean_schema_field(UINT64_MAX, 16));
    assert_null(spean_schema_field_by_name(SPEAN_TYPE_AGENCY, "short_ref"));
    assert_null(spean_schema_sub(map_by_name("cost"), 99));
    assert_null(spean_schema_sub_by_name(map_by_name("cost"), "price"));
}

/* Who may write. */

static void the_edges_of_the_number_ranges_belong_to_whom_they_should(void **state)
{
    (void)state;
    assert_int_equal(spean_schema_writer_of(0), SPEAN_WRITER_NOBODY);
    assert_int_equal(spean_schema_writer_of(1), SPEAN_WRITER_FIXED);
    assert_int_equal(spean_schema_writer_of(15), SPEAN_WRITER_FIXED);
    assert_int_equal(spean_schema_writer_of(16), SPEAN_WRITER_OWNER);
    assert_int_equal(spean_schema_writer_of(999), SPEAN_WRITER_OWNER);
    assert_int_equal(spean_schema_writer_of(1000), SPEAN_WRITER_ORIGIN);
    assert_int_equal(spean_schema_writer_of(2000), SPEAN_WRITER_TARGET);
    assert_int_equal(spean_schema_writer_of(3999), SPEAN_WRITER_EITHER);
    assert_int_equal(spean_schema_writer_of(4000), SPEAN_WRITER_MEMBER);
    assert_int_equal(spean_schema_writer_of(5999), SPEAN_WRITER_STEWARD);
    assert_int_equal(spean_schema_writer_of(6000), SPEAN_WRITER_NOBODY);
    assert_int_equal(spean_schema_writer_of(UINT64_MAX), SPEAN_WRITER_NOBODY);
}

static void nobody_writes_the_track_of_the_other_side(void **state)
{
    (void)state;
    const unsigned origin = SPEAN_ROLE_MEMBER | SPEAN_ROLE_OWNER | SPEAN_ROLE_ORIGIN;
    const unsigned target = SPEAN_ROLE_MEMBER | SPEAN_ROLE_TARGET;
    const unsigned other = SPEAN_ROLE_MEMBER | SPEAN_ROLE_STEWARD;

    assert_true(spean_schema_may_write(SPEAN_FIELD_REFERRAL_ORIGIN_STEPS, origin));
    assert_false(spean_schema_may_write(SPEAN_FIELD_REFERRAL_ORIGIN_STEPS, target));
    assert_false(spean_schema_may_write(SPEAN_FIELD_REFERRAL_ORIGIN_STEPS, other));
    assert_true(spean_schema_may_write(SPEAN_FIELD_REFERRAL_TARGET_STEPS, target));
    assert_false(spean_schema_may_write(SPEAN_FIELD_REFERRAL_TARGET_STEPS, origin));
    assert_true(spean_schema_may_write(SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN, origin));
    assert_true(spean_schema_may_write(SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN, target));
    assert_false(spean_schema_may_write(SPEAN_FIELD_REFERRAL_CONSENT_WITHDRAWN, other));
}

static void fixed_and_unassigned_numbers_are_written_by_nobody(void **state)
{
    (void)state;
    const unsigned everything = UINT32_MAX;
    assert_false(spean_schema_may_write(0, everything));
    assert_false(spean_schema_may_write(SPEAN_FIELD_REFERRAL_TO, everything));
    assert_false(spean_schema_may_write(6000, everything));
    assert_false(spean_schema_may_write(SPEAN_FIELD_CASE_STATUS, 0));
    assert_false(spean_schema_may_write(SPEAN_FIELD_AGENCY_SAME_AS, 0));
}

static void roles_come_from_who_is_named_in_the_record(void **state)
{
    (void)state;
    const struct spean_id phnom_penh = {{1}};
    const struct spean_id tokyo = {{2}};
    const struct spean_id hanoi = {{3}};
    const struct spean_schema_parties referral = {SPEAN_TYPE_REFERRAL, &phnom_penh, &phnom_penh,
                                                  &tokyo, NULL};

    assert_int_equal(spean_schema_roles(&referral, &phnom_penh, false),
                     SPEAN_ROLE_MEMBER | SPEAN_ROLE_OWNER | SPEAN_ROLE_ORIGIN);
    assert_int_equal(spean_schema_roles(&referral, &tokyo, true),
                     SPEAN_ROLE_MEMBER | SPEAN_ROLE_TARGET | SPEAN_ROLE_STEWARD);
    assert_int_equal(spean_schema_roles(&referral, &hanoi, false), SPEAN_ROLE_MEMBER);
}

static void an_agency_without_a_node_is_everybodys_and_a_partners_is_its_own(void **state)
{
    (void)state;
    const struct spean_id tokyo = {{2}};
    const struct spean_id hanoi = {{3}};
    const struct spean_schema_parties broker = {SPEAN_TYPE_AGENCY, &tokyo, NULL, NULL, NULL};
    const struct spean_schema_parties partner = {SPEAN_TYPE_AGENCY, &tokyo, NULL, NULL, &tokyo};
    const struct spean_schema_parties own_case = {SPEAN_TYPE_CASE, &tokyo, NULL, NULL, NULL};
    const uint64_t names = SPEAN_FIELD_AGENCY_NAMES;
    const uint64_t observations = SPEAN_FIELD_AGENCY_OBSERVATIONS;

    assert_true(spean_schema_may_write(names, spean_schema_roles(&broker, &hanoi, false)));
    assert_true(spean_schema_may_write(names, spean_schema_roles(&partner, &tokyo, false)));
    assert_false(spean_schema_may_write(names, spean_schema_roles(&partner, &hanoi, true)));
    assert_true(spean_schema_may_write(observations, spean_schema_roles(&partner, &hanoi, false)));
    assert_false(spean_schema_may_write(SPEAN_FIELD_CASE_STATUS,
                                        spean_schema_roles(&own_case, &hanoi, false)));
}

static void a_steward_or_the_maker_writes_a_code(void **state)
{
    (void)state;
    const uint64_t labels = SPEAN_FIELD_CODE_LABELS;
    assert_true(spean_schema_may_write(labels, SPEAN_ROLE_MEMBER | SPEAN_ROLE_STEWARD));
    assert_true(spean_schema_may_write(labels, SPEAN_ROLE_MEMBER | SPEAN_ROLE_OWNER));
    assert_false(spean_schema_may_write(labels, SPEAN_ROLE_MEMBER));
}

/* Values. Each builder writes one value; check() says what the schema makes of it. */

static uint8_t buffer[VALUE_BYTES_CAP];

static struct spean_view written(const struct spean_writer *w)
{
    struct spean_view bytes = {NULL, 0};
    assert_int_equal(spean_writer_end(w, &bytes), SPEAN_OK);
    return bytes;
}

static struct spean_writer begin(void)
{
    struct spean_writer w;
    spean_writer_init(&w, buffer, sizeof(buffer));
    return w;
}

static void put(struct spean_writer *w, const char *text)
{
    spean_writer_str(w, text, strlen(text));
}

static spean_err check(uint64_t type, const char *name, const struct spean_writer *w)
{
    const struct spean_schema_field *field = spean_schema_field_by_name(type, name);
    assert_non_null(field);
    return spean_schema_check_value(field, written(w));
}

static spean_err check_str(uint64_t type, const char *name, const char *text)
{
    struct spean_writer w = begin();
    put(&w, text);
    return check(type, name, &w);
}

static spean_err check_date(uint32_t count, uint64_t year, uint64_t month, uint64_t day)
{
    struct spean_writer w = begin();
    const uint64_t parts[] = {year, month, day, 0};
    spean_writer_array(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_uint(&w, parts[i]);
    }
    return check(SPEAN_TYPE_CASE, "birth_date", &w);
}

static void dates_that_never_were_are_refused(void **state)
{
    (void)state;
    assert_int_equal(check_date(1, 1998, 0, 0), SPEAN_OK);
    assert_int_equal(check_date(2, 1998, 12, 0), SPEAN_OK);
    assert_int_equal(check_date(3, 1998, 4, 30), SPEAN_OK);
    assert_int_equal(check_date(3, 2000, 2, 29), SPEAN_OK);
    assert_int_equal(check_date(3, 2024, 2, 29), SPEAN_OK);
    assert_int_equal(check_date(3, 1900, 2, 29), SPEAN_EINPUT);
    assert_int_equal(check_date(3, 2023, 2, 29), SPEAN_EINPUT);
    assert_int_equal(check_date(3, 1998, 4, 31), SPEAN_EINPUT);
    assert_int_equal(check_date(3, 1998, 4, 0), SPEAN_EINPUT);
    assert_int_equal(check_date(2, 1998, 0, 0), SPEAN_EINPUT);
    assert_int_equal(check_date(2, 1998, 13, 0), SPEAN_EINPUT);
    assert_int_equal(check_date(1, 0, 0, 0), SPEAN_EINPUT);
    assert_int_equal(check_date(1, 10000, 0, 0), SPEAN_EINPUT);
    assert_int_equal(check_date(1, UINT64_MAX, 0, 0), SPEAN_EINPUT);
    assert_int_not_equal(check_date(0, 0, 0, 0), SPEAN_OK);
    assert_int_not_equal(check_date(4, 1998, 4, 30), SPEAN_OK);
}

static void codes_need_not_be_known_but_well_formed(void **state)
{
    (void)state;
    assert_int_equal(check_str(SPEAN_TYPE_CASE, "status", "active"), SPEAN_OK);
    assert_int_equal(check_str(SPEAN_TYPE_CASE, "status", "local:waiting"), SPEAN_OK);
    assert_int_equal(check_str(SPEAN_TYPE_CASE, "status", "Active"), SPEAN_EINPUT);
    assert_int_equal(check_str(SPEAN_TYPE_CASE, "status", "in progress"), SPEAN_EINPUT);
    assert_int_not_equal(check_str(SPEAN_TYPE_CASE, "status", ""), SPEAN_OK);
}

static void countries_and_languages_are_well_formed(void **state)
{
    (void)state;
    assert_int_equal(check_str(SPEAN_TYPE_AGENCY, "country", "KH"), SPEAN_OK);
    assert_int_equal(check_str(SPEAN_TYPE_AGENCY, "country", "kh"), SPEAN_EINPUT);
    assert_int_not_equal(check_str(SPEAN_TYPE_AGENCY, "country", "KHM"), SPEAN_OK);
    assert_int_equal(check_str(SPEAN_TYPE_AGENCY, "languages", "km"), SPEAN_OK);
    assert_int_equal(check_str(SPEAN_TYPE_AGENCY, "languages", "zh-Hant-TW"), SPEAN_OK);
    assert_int_equal(check_str(SPEAN_TYPE_AGENCY, "languages", "k_m"), SPEAN_EINPUT);
    assert_int_not_equal(check_str(SPEAN_TYPE_AGENCY, "languages", "k"), SPEAN_OK);
}

static spean_err check_names(const char *first, const char *second, const char *name)
{
    struct spean_writer w = begin();
    spean_writer_map(&w, second == NULL ? 1 : 2);
    put(&w, first);
    put(&w, name);
    if (second != NULL) {
        put(&w, second);
        put(&w, name);
    }
    return check(SPEAN_TYPE_AGENCY, "names", &w);
}

static void text_has_each_language_once_in_order_and_says_something(void **state)
{
    (void)state;
    assert_int_equal(check_names("km", NULL, "ស្ពាន"), SPEAN_OK);
    assert_int_equal(check_names("en", "km", "x"), SPEAN_OK);
    assert_int_equal(check_names("km", "km-KH", "x"), SPEAN_OK);
    assert_int_equal(check_names("km", "en", "x"), SPEAN_EFORMAT);
    assert_int_equal(check_names("km-KH", "km", "x"), SPEAN_EFORMAT);
    assert_int_equal(check_names("km", "km", "x"), SPEAN_EFORMAT);
    assert_int_not_equal(check_names("km", NULL, ""), SPEAN_OK);

    struct spean_writer w = begin();
    spean_writer_map(&w, 0);
    assert_int_equal(check(SPEAN_TYPE_AGENCY, "names", &w), SPEAN_EINPUT);
}

static spean_err check_place(const char *country, const char *code, const char *name)
{
    struct spean_writer w = begin();
    spean_writer_array(&w, 3);
    put(&w, country);
    put(&w, code);
    put(&w, name);
    return check(SPEAN_TYPE_CASE, "place", &w);
}

static void a_place_says_at_least_one_thing_and_keeps_its_zeros(void **state)
{
    (void)state;
    assert_int_equal(check_place("KH", "0102", "Banteay Meanchey"), SPEAN_OK);
    assert_int_equal(check_place("", "", "near the border"), SPEAN_OK);
    assert_int_equal(check_place("", "", ""), SPEAN_EINPUT);
    assert_int_equal(check_place("K", "", ""), SPEAN_EINPUT);
    assert_int_equal(check_place("jp", "", ""), SPEAN_EINPUT);
    assert_int_not_equal(check_place("JP", "123456789012345678901234567890123", ""), SPEAN_OK);
}

static spean_err check_cost(int64_t amount, const char *currency, uint64_t extra_key)
{
    struct spean_writer w = begin();
    spean_writer_map(&w, extra_key == 0 ? 3 : 4);
    spean_writer_uint(&w, 1);
    put(&w, "deposit");
    spean_writer_uint(&w, 2);
    spean_writer_array(&w, 3);
    spean_writer_int(&w, amount);
    put(&w, currency);
    spean_writer_bool(&w, true);
    spean_writer_uint(&w, 3);
    spean_writer_map(&w, 2);
    spean_writer_uint(&w, 2);
    put(&w, "sub_agent");
    spean_writer_uint(&w, 3);
    put(&w, "a man called Dara");
    if (extra_key != 0) {
        spean_writer_uint(&w, extra_key);
        spean_writer_bool(&w, true);
    }
    return check(SPEAN_TYPE_CASE, "costs", &w);
}

static void a_cost_is_checked_down_to_its_parts(void **state)
{
    (void)state;
    assert_int_equal(check_cost(573600, "JPY", 0), SPEAN_OK);
    assert_int_equal(check_cost(INT64_MAX, "KHR", 0), SPEAN_OK);
    assert_int_equal(check_cost(INT64_MIN, "KHR", 0), SPEAN_OK);
    assert_int_equal(check_cost(1, "JPY", 9), SPEAN_OK);
    assert_int_equal(check_cost(1, "jpy", 0), SPEAN_EINPUT);
    assert_int_not_equal(check_cost(1, "YEN!", 0), SPEAN_OK);
    assert_int_equal(check_cost(1, "JPY", 99), SPEAN_EINPUT); /* No such sub-field. */
    assert_int_equal(check_cost(1, "JPY", 3), SPEAN_EFORMAT); /* Twice. */
    assert_int_equal(check_cost(1, "JPY", 1), SPEAN_EFORMAT); /* Out of order. */
    assert_int_not_equal(check_cost(1, "JPY", 8), SPEAN_OK);  /* A code, not a bool. */
    assert_int_not_equal(check_cost(1, "JPY", 1u << 16), SPEAN_OK);
}

static void a_value_cut_anywhere_or_followed_by_anything_is_refused(void **state)
{
    (void)state;
    assert_int_equal(check_cost(573600, "JPY", 9), SPEAN_OK); /* Leaves its bytes in buffer. */
    const struct spean_schema_field *field = spean_schema_field_by_name(SPEAN_TYPE_CASE, "costs");
    size_t len = 0;
    while (spean_schema_check_value(field, (struct spean_view){buffer, len}) != SPEAN_OK) {
        len++;
        assert_true(len < 100);
    }
    assert_true(len > 40);
    buffer[len] = 0xc0;
    assert_int_equal(spean_schema_check_value(field, (struct spean_view){buffer, len + 1}),
                     SPEAN_EFORMAT);
}

static void only_a_value_field_can_be_cleared(void **state)
{
    (void)state;
    struct spean_writer w = begin();
    spean_writer_nil(&w);
    assert_int_equal(check(SPEAN_TYPE_CASE, "narrative", &w), SPEAN_OK);
    assert_int_not_equal(check(SPEAN_TYPE_CASE, "costs", &w), SPEAN_OK);
    assert_int_not_equal(check(SPEAN_TYPE_CASE, "issues", &w), SPEAN_OK);
    assert_int_not_equal(check(SPEAN_TYPE_CASE, "safe_contact", &w), SPEAN_OK);
    assert_int_not_equal(check(SPEAN_TYPE_CONSENT, "withdrawn", &w), SPEAN_OK);
    spean_writer_nil(&w);
    assert_int_equal(check(SPEAN_TYPE_CASE, "narrative", &w), SPEAN_EFORMAT);
}

static void a_withdrawal_of_another_type_is_refused(void **state)
{
    (void)state;
    struct spean_writer w = begin();
    spean_writer_bool(&w, true);
    assert_int_equal(check(SPEAN_TYPE_REFERRAL, "consent_withdrawn", &w), SPEAN_EFORMAT);
    w = begin();
    spean_writer_array(&w, 0);
    assert_int_equal(check(SPEAN_TYPE_REFERRAL, "consent_withdrawn", &w), SPEAN_EFORMAT);
    assert_int_equal(check(SPEAN_TYPE_REFERRAL, "withhold_from", &w), SPEAN_OK); /* Nobody. */
}

static spean_err check_step(size_t log_bytes, uint64_t index)
{
    static const uint8_t log[16] = {7};
    struct spean_writer w = begin();
    spean_writer_map(&w, 3);
    spean_writer_uint(&w, SPEAN_SUB_STEP_STEP);
    put(&w, "accept");
    spean_writer_uint(&w, SPEAN_SUB_STEP_FOLLOWS);
    spean_writer_array(&w, 1);
    spean_writer_array(&w, 3);
    spean_writer_bin(&w, log, log_bytes);
    spean_writer_uint(&w, 12);
    spean_writer_uint(&w, index);
    spean_writer_uint(&w, SPEAN_SUB_STEP_AT);
    spean_writer_uint(&w, 1795000000);
    return check(SPEAN_TYPE_REFERRAL, "target_steps", &w);
}

static void a_step_names_what_it_follows_by_log_seq_and_index(void **state)
{
    (void)state;
    assert_int_equal(check_step(SPEAN_SHORT_BYTES, 0), SPEAN_OK);
    assert_int_equal(check_step(SPEAN_SHORT_BYTES, SPEAN_CHANGE_OPERATIONS_MAX - 1), SPEAN_OK);
    assert_int_not_equal(check_step(SPEAN_SHORT_BYTES, SPEAN_CHANGE_OPERATIONS_MAX), SPEAN_OK);
    assert_int_not_equal(check_step(SPEAN_SHORT_BYTES - 1, 0), SPEAN_OK);
    assert_int_not_equal(check_step(SPEAN_SHORT_BYTES + 1, 0), SPEAN_OK);
}

static void milliseconds_are_no_time(void **state)
{
    (void)state;
    struct spean_writer w = begin();
    spean_writer_uint(&w, 1795000000);
    assert_int_equal(check(SPEAN_TYPE_REFERRAL, "respond_by", &w), SPEAN_OK);
    w = begin();
    spean_writer_uint(&w, UINT64_C(1795000000000));
    assert_int_equal(check(SPEAN_TYPE_REFERRAL, "respond_by", &w), SPEAN_ELIMIT);
}

static spean_err check_text_of(size_t len)
{
    static char text[VALUE_BYTES_CAP];
    memset(text, 'a', sizeof(text));
    struct spean_writer w = begin();
    spean_writer_map(&w, 1);
    put(&w, "en");
    spean_writer_str(&w, text, len);
    return check(SPEAN_TYPE_CASE, "narrative", &w);
}

static void a_value_is_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    const size_t around = 1 + 3 + 3; /* Map of one, "en", length of the text. */
    assert_int_equal(check_text_of(SPEAN_VALUE_BYTES_MAX - around), SPEAN_OK);
    assert_int_equal(check_text_of(SPEAN_VALUE_BYTES_MAX - around + 1), SPEAN_ELIMIT);

    struct spean_writer w = begin();
    spean_writer_array(&w, SPEAN_SCHEMA_ELEMENTS_MAX + 1);
    for (size_t i = 0; i <= SPEAN_SCHEMA_ELEMENTS_MAX; i++) {
        spean_writer_map(&w, 1);
        spean_writer_uint(&w, 2);
        put(&w, "police");
    }
    assert_int_equal(check(SPEAN_TYPE_CASE, "withhold_from", &w), SPEAN_ELIMIT);
}

/* Hashes. */

static void the_schema_hash_is_over_the_rows_of_the_document(void **state)
{
    (void)state;
    struct document doc;
    document_open(&doc);
    uint8_t rows[8192];
    struct spean_writer w;
    spean_writer_init(&w, rows, sizeof(rows));
    size_t count = 0;
    (void)spean_schema_fields(&count);
    spean_writer_array(&w, (uint32_t)count);
    while (document_next(&doc, "", FIELD_CELLS)) {
        const struct spean_schema_type *type = type_of_heading(doc.heading);
        const struct spean_schema_field *field =
            spean_schema_field_by_name(type->number, doc.cells[1]);
        spean_writer_array(&w, 5);
        spean_writer_uint(&w, type->number);
        spean_writer_uint(&w, strtoul(doc.cells[0], NULL, 10));
        spean_writer_uint(&w, field->kind);
        spean_writer_uint(&w, field->writer);
        spean_writer_uint(&w, field->part);
    }
    document_close(&doc);

    const struct spean_view bytes = written(&w);
    struct spean_id expected;
    struct spean_id actual;
    spean_hash(expected.bytes, sizeof(expected.bytes), "spean/schema/1", bytes.data, bytes.len);
    spean_schema_hash(&actual);
    assert_memory_equal(actual.bytes, expected.bytes, sizeof(expected.bytes));
}

static void terms_hash_to_something_else_under_another_consent(void **state)
{
    (void)state;
    const struct spean_record_id first = {{1}};
    const struct spean_record_id second = {{2}};
    const struct spean_view terms = view("terms");
    struct spean_id a;
    struct spean_id b;
    struct spean_id expected;
    uint8_t joined[SPEAN_RECORD_ID_BYTES + 5] = {1};
    memcpy(joined + SPEAN_RECORD_ID_BYTES, "terms", 5);

    spean_schema_terms_hash(&a, &first, terms);
    spean_schema_terms_hash(&b, &second, terms);
    spean_hash(expected.bytes, sizeof(expected.bytes), "spean/consent-terms/1", joined,
               sizeof(joined));
    assert_memory_equal(a.bytes, expected.bytes, sizeof(expected.bytes));
    assert_memory_not_equal(a.bytes, b.bytes, sizeof(a.bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_documented_field_is_in_the_table_and_the_other_way_round),
        cmocka_unit_test(every_documented_map_is_in_the_table_and_the_other_way_round),
        cmocka_unit_test(sections_are_the_documented_ones_in_case_and_payload),
        cmocka_unit_test(fields_are_sorted_and_their_writer_follows_from_their_number),
        cmocka_unit_test(every_code_list_that_a_field_names_exists),
        cmocka_unit_test(no_value_nests_deeper_than_the_limit),
        cmocka_unit_test(no_free_text_can_be_written_into_the_steps_of_a_referral),
        cmocka_unit_test(what_is_not_known_is_not_found),
        cmocka_unit_test(the_edges_of_the_number_ranges_belong_to_whom_they_should),
        cmocka_unit_test(nobody_writes_the_track_of_the_other_side),
        cmocka_unit_test(fixed_and_unassigned_numbers_are_written_by_nobody),
        cmocka_unit_test(roles_come_from_who_is_named_in_the_record),
        cmocka_unit_test(an_agency_without_a_node_is_everybodys_and_a_partners_is_its_own),
        cmocka_unit_test(a_steward_or_the_maker_writes_a_code),
        cmocka_unit_test(dates_that_never_were_are_refused),
        cmocka_unit_test(codes_need_not_be_known_but_well_formed),
        cmocka_unit_test(countries_and_languages_are_well_formed),
        cmocka_unit_test(text_has_each_language_once_in_order_and_says_something),
        cmocka_unit_test(a_place_says_at_least_one_thing_and_keeps_its_zeros),
        cmocka_unit_test(a_cost_is_checked_down_to_its_parts),
        cmocka_unit_test(a_value_cut_anywhere_or_followed_by_anything_is_refused),
        cmocka_unit_test(only_a_value_field_can_be_cleared),
        cmocka_unit_test(a_withdrawal_of_another_type_is_refused),
        cmocka_unit_test(a_step_names_what_it_follows_by_log_seq_and_index),
        cmocka_unit_test(milliseconds_are_no_time),
        cmocka_unit_test(a_value_is_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(the_schema_hash_is_over_the_rows_of_the_document),
        cmocka_unit_test(terms_hash_to_something_else_under_another_consent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
