#include "protocol/schema.h"

#include <assert.h>
#include <string.h>

#include "protocol/change.h"
#include "protocol/codes.h"
#include "protocol/hash.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/schema_table.h"
#include "protocol/writer.h"

#define LANG_BYTES_MIN     2u
#define LANG_BYTES_MAX     35u
#define COUNTRY_BYTES      2u
#define CURRENCY_BYTES     3u
#define PLACE_CODE_BYTES   32u
#define PLACE_NAME_BYTES   256u
#define TIME_MAX           ((UINT64_C(1) << 40) - 1) /* The year 36812: catches milliseconds. */
#define YEAR_MAX           9999u
#define WRITER_RANGE       1000u /* Numbers per class of writers (P9.4). */
#define FIXED_NUMBER_MAX   15u
#define HASH_ROW_BYTES_MAX 10u
#define HASH_ROWS_MAX      512u

const struct spean_schema_type *spean_schema_type(uint64_t number)
{
    for (size_t i = 0; i < spean_schema_table_types_count; i++) {
        if ((uint64_t)spean_schema_table_types[i].number == number) {
            return &spean_schema_table_types[i];
        }
    }
    return NULL;
}

const struct spean_schema_type *spean_schema_type_by_name(const char *name)
{
    assert(name != NULL);
    for (size_t i = 0; i < spean_schema_table_types_count; i++) {
        if (strcmp(spean_schema_table_types[i].name, name) == 0) {
            return &spean_schema_table_types[i];
        }
    }
    return NULL;
}

const struct spean_schema_field *spean_schema_fields(size_t *count)
{
    assert(count != NULL);
    *count = spean_schema_table_fields_count;
    return spean_schema_table_fields;
}

const struct spean_schema_field *spean_schema_field(uint64_t type, uint64_t number)
{
    size_t low = 0;
    size_t high = spean_schema_table_fields_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct spean_schema_field *field = &spean_schema_table_fields[middle];
        if ((uint64_t)field->type == type && field->number == number) {
            return field;
        }
        const bool before = (uint64_t)field->type < type ||
                            ((uint64_t)field->type == type && field->number < number);
        if (before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct spean_schema_field *spean_schema_field_by_name(uint64_t type, const char *name)
{
    assert(name != NULL);
    for (size_t i = 0; i < spean_schema_table_fields_count; i++) {
        const struct spean_schema_field *field = &spean_schema_table_fields[i];
        if ((uint64_t)field->type == type && strcmp(field->name, name) == 0) {
            return field;
        }
    }
    return NULL;
}

const struct spean_schema_sub *spean_schema_sub(const struct spean_schema_map *map, uint64_t number)
{
    assert(map != NULL);
    for (size_t i = 0; i < map->subs_count; i++) {
        if (map->subs[i].number == number) {
            return &map->subs[i];
        }
    }
    return NULL;
}

const struct spean_schema_sub *spean_schema_sub_by_name(const struct spean_schema_map *map,
                                                        const char *name)
{
    assert(map != NULL);
    assert(name != NULL);
    for (size_t i = 0; i < map->subs_count; i++) {
        if (strcmp(map->subs[i].name, name) == 0) {
            return &map->subs[i];
        }
    }
    return NULL;
}

static bool is_upper(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static bool all_upper(struct spean_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_upper(text.data[i])) {
            return false;
        }
    }
    return true;
}

static bool is_lang(struct spean_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t byte = text.data[i];
        const bool ok = is_upper(byte) || (byte >= 'a' && byte <= 'z') ||
                        (byte >= '0' && byte <= '9') || byte == '-';
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* Note that something well-formed does not fit; what the reader itself refused says more. */
static void refuse_unless(struct spean_reader *r, bool fits)
{
    if (!fits) {
        spean_reader_fail(r, SPEAN_EINPUT);
    }
}

static struct spean_view read_lang(struct spean_reader *r)
{
    const struct spean_view lang = spean_reader_str(r, LANG_BYTES_MIN, LANG_BYTES_MAX);
    refuse_unless(r, is_lang(lang));
    return lang;
}

/* Byte order, a prefix first: the order of keys in canonical maps. */
static bool comes_before(struct spean_view a, struct spean_view b)
{
    const size_t shorter = a.len < b.len ? a.len : b.len;
    const int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order < 0 || (order == 0 && a.len < b.len);
}

static void read_text(struct spean_reader *r)
{
    const uint32_t count = spean_reader_map(r, SPEAN_SCHEMA_ELEMENTS_MAX);
    refuse_unless(r, count > 0);
    struct spean_view before = {NULL, 0};
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        const struct spean_view lang = read_lang(r);
        (void)spean_reader_str(r, 1, SPEAN_VALUE_BYTES_MAX);
        if (!spean_reader_failed(r) && !comes_before(before, lang)) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        before = lang;
    }
}

static void read_money(struct spean_reader *r)
{
    (void)spean_reader_array(r, 3, 3);
    (void)spean_reader_int(r);
    refuse_unless(r, all_upper(spean_reader_str(r, CURRENCY_BYTES, CURRENCY_BYTES)));
    (void)spean_reader_bool(r);
}

static uint64_t days_in(uint64_t year, uint64_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    assert(month >= 1);
    assert(month <= 12);
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static void read_date(struct spean_reader *r)
{
    const uint32_t count = spean_reader_array(r, 1, 3);
    const uint64_t year = spean_reader_uint(r, UINT64_MAX);
    const uint64_t month = count > 1 ? spean_reader_uint(r, UINT64_MAX) : 1;
    const uint64_t day = count > 2 ? spean_reader_uint(r, UINT64_MAX) : 1;
    refuse_unless(r, year >= 1 && year <= YEAR_MAX);
    refuse_unless(r, month >= 1 && month <= 12);
    if (!spean_reader_failed(r)) {
        refuse_unless(r, day >= 1 && day <= days_in(year, month));
    }
}

static void read_place(struct spean_reader *r)
{
    (void)spean_reader_array(r, 3, 3);
    const struct spean_view country = spean_reader_str(r, 0, COUNTRY_BYTES);
    const struct spean_view code = spean_reader_str(r, 0, PLACE_CODE_BYTES);
    const struct spean_view name = spean_reader_str(r, 0, PLACE_NAME_BYTES);
    refuse_unless(r, all_upper(country) && (country.len == 0 || country.len == COUNTRY_BYTES));
    refuse_unless(r, country.len > 0 || code.len > 0 || name.len > 0);
}

static void read_item(struct spean_reader *r)
{
    struct spean_dot dot;
    const spean_err err = spean_dot_decode(spean_reader_value(r, SPEAN_DOT_BYTES_MAX), &dot);
    if (err != SPEAN_OK) {
        spean_reader_fail(r, err);
    }
}

static void read_scalar(struct spean_reader *r, const struct spean_schema_value *value)
{
    switch (value->type) {
    case SPEAN_VALUE_BOOL:
        (void)spean_reader_bool(r);
        return;
    case SPEAN_VALUE_UINT:
        (void)spean_reader_uint(r, UINT64_MAX);
        return;
    case SPEAN_VALUE_BYTES:
        (void)spean_reader_bin(r, 1, SPEAN_VALUE_BYTES_MAX);
        return;
    case SPEAN_VALUE_BIN32:
    case SPEAN_VALUE_ORG:
        (void)spean_reader_bin(r, SPEAN_ID_BYTES, SPEAN_ID_BYTES);
        return;
    case SPEAN_VALUE_RECORD:
        (void)spean_reader_bin(r, SPEAN_RECORD_ID_BYTES, SPEAN_RECORD_ID_BYTES);
        return;
    case SPEAN_VALUE_ITEM:
        read_item(r);
        return;
    case SPEAN_VALUE_TIME:
        (void)spean_reader_uint(r, TIME_MAX);
        return;
    case SPEAN_VALUE_STR:
        (void)spean_reader_str(r, 1, value->bytes_max);
        return;
    case SPEAN_VALUE_CODE:
        refuse_unless(r, spean_codes_valid(spean_reader_str(r, 1, SPEAN_CODE_BYTES_MAX)));
        return;
    case SPEAN_VALUE_LANG:
        (void)read_lang(r);
        return;
    case SPEAN_VALUE_COUNTRY:
        refuse_unless(r, all_upper(spean_reader_str(r, COUNTRY_BYTES, COUNTRY_BYTES)));
        return;
    case SPEAN_VALUE_TEXT:
        read_text(r);
        return;
    case SPEAN_VALUE_MONEY:
        read_money(r);
        return;
    case SPEAN_VALUE_DATE:
        read_date(r);
        return;
    case SPEAN_VALUE_PLACE:
        read_place(r);
        return;
    case SPEAN_VALUE_MAP:
    case SPEAN_VALUE_TYPES_COUNT:
        break;
    }
    assert(false); /* Maps are opened by the caller. */
}

/* An array or map that is being read. */
struct level {
    const struct spean_schema_map *map; /* NULL in an array. */
    struct spean_schema_value element;  /* Of the array. */
    uint32_t left;
    uint64_t key_min; /* Keys of the map from here on. */
};

struct walk {
    struct level levels[SPEAN_SCHEMA_DEPTH_MAX];
    size_t depth;
};

/* Read a scalar whole; of an array or map only the head, and go down into it. */
static void read_value(struct walk *walk, struct spean_reader *r,
                       const struct spean_schema_value *value)
{
    if (!value->array && value->type != SPEAN_VALUE_MAP) {
        read_scalar(r, value);
        return;
    }

    assert(walk->depth < SPEAN_SCHEMA_DEPTH_MAX); /* Our tables go no deeper. */
    struct level *level = &walk->levels[walk->depth];
    *level = (struct level){.element = *value};
    walk->depth++;
    if (value->array) {
        level->element.array = false;
        level->left = spean_reader_array(r, 0, SPEAN_SCHEMA_ELEMENTS_MAX);
        return;
    }
    level->map = value->map;
    level->left = spean_reader_map(r, SPEAN_SCHEMA_ELEMENTS_MAX);
    refuse_unless(r, level->left > 0);
}

/* Read the key of the next sub-field and say what its value must be; NULL after an error. */
static const struct spean_schema_value *read_key(struct level *level, struct spean_reader *r)
{
    const uint64_t key = spean_reader_uint(r, UINT16_MAX);
    if (!spean_reader_failed(r) && key < level->key_min) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
    level->key_min = key + 1;
    const struct spean_schema_sub *sub = spean_schema_sub(level->map, key);
    refuse_unless(r, sub != NULL);
    return sub == NULL ? NULL : &sub->value;
}

spean_err spean_schema_check_value(const struct spean_schema_field *field, struct spean_view value)
{
    assert(field != NULL);

    if (value.len > SPEAN_VALUE_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_reader r;
    spean_reader_init(&r, value);
    if (field->kind == SPEAN_KIND_VALUE && spean_reader_nil(&r)) {
        return spean_reader_end(&r);
    }

    struct walk walk = {.depth = 0};
    read_value(&walk, &r, &field->value);
    while (walk.depth > 0 && !spean_reader_failed(&r)) {
        struct level *level = &walk.levels[walk.depth - 1];
        if (level->left == 0) {
            walk.depth--;
            continue;
        }
        level->left--;
        const struct spean_schema_value *next =
            level->map == NULL ? &level->element : read_key(level, &r);
        if (next != NULL) {
            read_value(&walk, &r, next);
        }
    }
    return spean_reader_end(&r);
}

enum spean_schema_writer spean_schema_writer_of(uint64_t number)
{
    static const enum spean_schema_writer writers[] = {
        SPEAN_WRITER_OWNER,  SPEAN_WRITER_ORIGIN, SPEAN_WRITER_TARGET,
        SPEAN_WRITER_EITHER, SPEAN_WRITER_MEMBER, SPEAN_WRITER_STEWARD,
    };

    const uint64_t range = number / WRITER_RANGE;
    if (number == 0 || range >= sizeof(writers) / sizeof(writers[0])) {
        return SPEAN_WRITER_NOBODY;
    }
    return number <= FIXED_NUMBER_MAX ? SPEAN_WRITER_FIXED : writers[range];
}

static bool is_same(const struct spean_id *a, const struct spean_id *b)
{
    return a != NULL && spean_id_equal(a, b);
}

unsigned spean_schema_roles(const struct spean_schema_parties *parties, const struct spean_id *org,
                            bool is_steward)
{
    assert(parties != NULL);
    assert(org != NULL);

    unsigned roles = SPEAN_ROLE_MEMBER;
    const bool everybodys = parties->type == SPEAN_TYPE_AGENCY && parties->agency == NULL;
    if (everybodys || is_same(parties->owner, org)) {
        roles |= SPEAN_ROLE_OWNER;
    }
    if (is_same(parties->origin, org)) {
        roles |= SPEAN_ROLE_ORIGIN;
    }
    if (is_same(parties->target, org)) {
        roles |= SPEAN_ROLE_TARGET;
    }
    if (is_steward) {
        roles |= SPEAN_ROLE_STEWARD;
    }
    return roles;
}

bool spean_schema_may_write(uint64_t number, unsigned roles)
{
    switch (spean_schema_writer_of(number)) {
    case SPEAN_WRITER_OWNER:
        return (roles & SPEAN_ROLE_OWNER) != 0;
    case SPEAN_WRITER_ORIGIN:
        return (roles & SPEAN_ROLE_ORIGIN) != 0;
    case SPEAN_WRITER_TARGET:
        return (roles & SPEAN_ROLE_TARGET) != 0;
    case SPEAN_WRITER_EITHER:
        return (roles & (SPEAN_ROLE_ORIGIN | SPEAN_ROLE_TARGET)) != 0;
    case SPEAN_WRITER_MEMBER:
        return (roles & SPEAN_ROLE_MEMBER) != 0;
    case SPEAN_WRITER_STEWARD:
        return (roles & (SPEAN_ROLE_STEWARD | SPEAN_ROLE_OWNER)) != 0;
    case SPEAN_WRITER_FIXED:
    case SPEAN_WRITER_NOBODY:
        break;
    }
    return false;
}

void spean_schema_hash(struct spean_id *out)
{
    assert(out != NULL);
    assert(spean_schema_table_fields_count <= HASH_ROWS_MAX);

    uint8_t rows[HASH_ROWS_MAX * HASH_ROW_BYTES_MAX];
    struct spean_writer w;
    spean_writer_init(&w, rows, sizeof(rows));
    spean_writer_array(&w, (uint32_t)spean_schema_table_fields_count);
    for (size_t i = 0; i < spean_schema_table_fields_count; i++) {
        const struct spean_schema_field *field = &spean_schema_table_fields[i];
        spean_writer_array(&w, 5);
        spean_writer_uint(&w, (uint64_t)field->type);
        spean_writer_uint(&w, field->number);
        spean_writer_uint(&w, (uint64_t)field->kind);
        spean_writer_uint(&w, (uint64_t)field->writer);
        spean_writer_uint(&w, (uint64_t)field->part);
    }
    struct spean_view bytes = {NULL, 0};
    const spean_err err = spean_writer_end(&w, &bytes);
    assert(err == SPEAN_OK); /* Rows are below HASH_ROW_BYTES_MAX. */
    spean_hash(out->bytes, sizeof(out->bytes), SPEAN_DOMAIN_SCHEMA, bytes.data, bytes.len);
}

void spean_schema_terms_hash(struct spean_id *out, const struct spean_record_id *consent,
                             struct spean_view terms)
{
    assert(out != NULL);
    assert(consent != NULL);
    assert(terms.len > 0);

    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_CONSENT_TERMS, sizeof(out->bytes));
    spean_hash_update(&h, consent->bytes, sizeof(consent->bytes));
    spean_hash_update(&h, terms.data, terms.len);
    spean_hash_end(&h, out->bytes, sizeof(out->bytes));
}
