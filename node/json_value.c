#include "node/json_value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/reply.h"
#include "node/when.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/text.h"

#define DEPTH_MAX          SPEAN_READER_DEPTH_MAX
#define KEY_BYTES          24u /* "#" and 20 digits. */
#define I64_BYTES          24u
#define DATE_BYTES         16u
#define TEXT_LANGUAGES_MAX SPEAN_SCHEMA_ELEMENTS_MAX

/* -- Small parts ----------------------------------------------------------------------------- */

json_t *spean_json_hex(const void *data, size_t len)
{
    assert(len <= SPEAN_VALUE_BYTES_MAX);
    const size_t cap = SPEAN_TEXT_HEX_LEN(len) + 1;
    char *text = malloc(cap);
    if (text == NULL) {
        return NULL;
    }
    spean_text_hex_encode(text, cap, (struct spean_view){data, len});
    json_t *json = json_string(text);
    free(text);
    return json;
}

void spean_json_item_format(char out[SPEAN_JSON_ITEM_BYTES], const struct spean_dot *dot)
{
    assert(dot != NULL);
    const int len = snprintf(out, SPEAN_JSON_ITEM_BYTES, "%016" PRIx64 "-%" PRIu64 "-%" PRIu32,
                             dot->log, dot->seq, dot->index);
    assert(len > 0);
    assert((size_t)len < SPEAN_JSON_ITEM_BYTES);
}

/* Read decimal digits up to the character end, without leading zeros; *text moves behind it. */
static bool decimal_take(const char **text, char end, uint64_t max, uint64_t *out)
{
    const char *at = *text;
    uint64_t value = 0;
    if (*at < '0' || *at > '9' || (*at == '0' && at[1] != end)) {
        return false;
    }
    while (*at >= '0' && *at <= '9') {
        const uint64_t digit = (uint64_t)(*at - '0');
        if (value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
        at++;
    }
    if (*at != end) {
        return false;
    }
    *out = value;
    *text = end == '\0' ? at : at + 1;
    return true;
}

spean_err spean_json_item_parse(const char *text, struct spean_dot *out)
{
    assert(text != NULL);
    assert(out != NULL);
    uint8_t log[SPEAN_SHORT_BYTES];
    const size_t log_len = SPEAN_TEXT_HEX_LEN(SPEAN_SHORT_BYTES);
    if (strlen(text) >= SPEAN_JSON_ITEM_BYTES || strlen(text) <= log_len || text[log_len] != '-') {
        return SPEAN_EINPUT;
    }
    if (spean_text_hex_decode(log, sizeof(log),
                              (struct spean_view){(const uint8_t *)text, log_len}) != SPEAN_OK) {
        return SPEAN_EINPUT;
    }
    const char *rest = text + log_len + 1;
    uint64_t seq = 0;
    uint64_t index = 0;
    if (!decimal_take(&rest, '-', UINT64_MAX, &seq) || seq == 0 ||
        !decimal_take(&rest, '\0', UINT32_MAX, &index)) {
        return SPEAN_EINPUT;
    }
    *out = (struct spean_dot){.log = spean_u64_get(log), .seq = seq, .index = (uint32_t)index};
    return SPEAN_OK;
}

/* -- Showing --------------------------------------------------------------------------------- */

/* An array or object that is being filled. */
struct shown_level {
    json_t *into; /* Borrowed: its parent, or the result, owns it. */
    bool is_map;
    uint32_t left;
    const struct spean_schema_map *map; /* Of a map; NULL: not known. */
    struct spean_schema_value element;  /* Of an array with has_element. */
    bool has_element;
};

struct showing {
    struct spean_reader r;
    struct shown_level levels[DEPTH_MAX];
    size_t depth;
    json_t *root;
    bool no_memory;
};

json_t *spean_json_i64(int64_t value)
{
    if (value >= -(int64_t)SPEAN_JSON_INTEGER_MAX && value <= (int64_t)SPEAN_JSON_INTEGER_MAX) {
        return json_integer(value);
    }
    char text[I64_BYTES];
    (void)snprintf(text, sizeof(text), "%" PRId64, value); /* Always fits. */
    return json_string(text);
}

static json_t *show_str(struct spean_view text)
{
    /* The reader has checked that it is valid. */
    return json_stringn_nocheck(text.len == 0 ? "" : (const char *)text.data, text.len);
}

static json_t *show_money(struct spean_reader *r)
{
    (void)spean_reader_array(r, 3, 3);
    const int64_t amount = spean_reader_int(r);
    const struct spean_view currency = spean_reader_str(r, 3, 3);
    const bool exact = spean_reader_bool(r);
    if (spean_reader_end(r) != SPEAN_OK) {
        return NULL;
    }
    return json_pack("{s:o, s:o, s:b}", "amount", spean_json_i64(amount), "currency",
                     show_str(currency), "exact", exact);
}

static json_t *show_place(struct spean_reader *r)
{
    (void)spean_reader_array(r, 3, 3);
    const struct spean_view country = spean_reader_str(r, 0, SPEAN_VALUE_BYTES_MAX);
    const struct spean_view code = spean_reader_str(r, 0, SPEAN_VALUE_BYTES_MAX);
    const struct spean_view name = spean_reader_str(r, 0, SPEAN_VALUE_BYTES_MAX);
    if (spean_reader_end(r) != SPEAN_OK) {
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o}", "country", show_str(country), "code", show_str(code),
                     "name", show_str(name));
}

static json_t *show_date(struct spean_reader *r)
{
    const uint32_t count = spean_reader_array(r, 1, 3);
    const uint64_t year = spean_reader_uint(r, 9999);
    const uint64_t month = count > 1 ? spean_reader_uint(r, 12) : 0;
    const uint64_t day = count > 2 ? spean_reader_uint(r, 31) : 0;
    if (spean_reader_end(r) != SPEAN_OK) {
        return NULL;
    }
    char text[DATE_BYTES];
    int len = 0;
    if (count == 1) {
        len = snprintf(text, sizeof(text), "%04u", (unsigned)year);
    } else if (count == 2) {
        len = snprintf(text, sizeof(text), "%04u-%02u", (unsigned)year, (unsigned)month);
    } else {
        len = snprintf(text, sizeof(text), "%04u-%02u-%02u", (unsigned)year, (unsigned)month,
                       (unsigned)day);
    }
    assert(len > 0);
    return json_string(text);
}

static json_t *show_item(struct spean_view value)
{
    struct spean_dot dot;
    if (spean_dot_decode(value, &dot) != SPEAN_OK) {
        return NULL;
    }
    char text[SPEAN_JSON_ITEM_BYTES];
    spean_json_item_format(text, &dot);
    return json_string(text);
}

static json_t *show_time(struct spean_reader *r)
{
    const uint64_t time_s = spean_reader_uint(r, UINT64_MAX);
    char text[SPEAN_WHEN_BYTES];
    if (spean_reader_end(r) != SPEAN_OK || spean_when_format(text, time_s) != SPEAN_OK) {
        return NULL;
    }
    return json_string(text);
}

/* Show a value whose form in JSON does not follow from its bytes. NULL: it is of another type, or
 * does not fit; then the general form shows it. */
static json_t *show_typed(const struct spean_schema_value *type, struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    switch (type->type) {
    case SPEAN_VALUE_ITEM:
        return show_item(value);
    case SPEAN_VALUE_TIME:
        return show_time(&r);
    case SPEAN_VALUE_MONEY:
        return show_money(&r);
    case SPEAN_VALUE_DATE:
        return show_date(&r);
    case SPEAN_VALUE_PLACE:
        return show_place(&r);
    case SPEAN_VALUE_BOOL:
    case SPEAN_VALUE_UINT:
    case SPEAN_VALUE_BYTES:
    case SPEAN_VALUE_BIN32:
    case SPEAN_VALUE_ORG:
    case SPEAN_VALUE_RECORD:
    case SPEAN_VALUE_STR:
    case SPEAN_VALUE_CODE:
    case SPEAN_VALUE_LANG:
    case SPEAN_VALUE_COUNTRY:
    case SPEAN_VALUE_TEXT:
    case SPEAN_VALUE_MAP:
    case SPEAN_VALUE_TYPES_COUNT:
        break;
    }
    return NULL;
}

/* Open an array or map: an empty JSON value that a new level fills. */
static json_t *show_open(struct showing *s, const struct spean_schema_value *type, bool is_map)
{
    if (s->depth == DEPTH_MAX) {
        spean_reader_fail(&s->r, SPEAN_EFORMAT);
        return json_null();
    }
    struct shown_level level = {.is_map = is_map};
    if (is_map) {
        level.left = spean_reader_map(&s->r, UINT32_MAX);
        level.map =
            type != NULL && !type->array && type->type == SPEAN_VALUE_MAP ? type->map : NULL;
    } else {
        level.left = spean_reader_array(&s->r, 0, UINT32_MAX);
        level.has_element = type != NULL && type->array;
        if (level.has_element) {
            level.element = *type;
            level.element.array = false;
        }
    }
    level.into = is_map ? json_object() : json_array();
    s->levels[s->depth++] = level;
    return level.into;
}

/* Read the next value and give it as JSON; an array or map is still empty then. */
static json_t *show_next(struct showing *s, const struct spean_schema_value *type)
{
    if (type != NULL && !type->array) {
        struct spean_reader ahead = s->r;
        const struct spean_view value = spean_reader_value(&ahead, SPEAN_VALUE_BYTES_MAX);
        json_t *typed = ahead.err == SPEAN_OK ? show_typed(type, value) : NULL;
        if (typed != NULL) {
            s->r = ahead;
            return typed;
        }
    }
    switch (spean_reader_peek(&s->r)) {
    case SPEAN_READER_NIL:
        (void)spean_reader_nil(&s->r);
        return json_null();
    case SPEAN_READER_BOOL:
        return json_boolean(spean_reader_bool(&s->r));
    case SPEAN_READER_UINT:
        return spean_json_u64(spean_reader_uint(&s->r, UINT64_MAX));
    case SPEAN_READER_NEGATIVE:
        return spean_json_i64(spean_reader_int(&s->r));
    case SPEAN_READER_BIN: {
        const struct spean_view bytes = spean_reader_bin(&s->r, 0, SPEAN_VALUE_BYTES_MAX);
        return spean_json_hex(bytes.data, bytes.len);
    }
    case SPEAN_READER_STR:
        return show_str(spean_reader_str(&s->r, 0, SPEAN_VALUE_BYTES_MAX));
    case SPEAN_READER_ARRAY:
        return show_open(s, type, false);
    case SPEAN_READER_MAP:
        return show_open(s, type, true);
    case SPEAN_READER_NONE:
        break;
    }
    spean_reader_fail(&s->r, SPEAN_EFORMAT);
    return json_null();
}

/* Read the key of the next pair, and give the type of its value, NULL if it is not known. */
static const struct spean_schema_value *show_key(struct showing *s, const struct shown_level *level,
                                                 char number[KEY_BYTES], struct spean_view *key)
{
    if (spean_reader_peek(&s->r) == SPEAN_READER_STR) {
        *key = spean_reader_str(&s->r, 0, SPEAN_VALUE_BYTES_MAX);
        return NULL;
    }
    const uint64_t sub_number = spean_reader_uint(&s->r, UINT64_MAX);
    const struct spean_schema_sub *sub =
        level->map == NULL ? NULL : spean_schema_sub(level->map, sub_number);
    if (sub != NULL) {
        *key = (struct spean_view){(const uint8_t *)sub->name, strlen(sub->name)};
        return &sub->value;
    }
    const int len = snprintf(number, KEY_BYTES, "#%" PRIu64, sub_number);
    *key = (struct spean_view){(const uint8_t *)number, (size_t)len};
    return NULL;
}

/* Read the next element or pair of the innermost level and put it in. */
static void show_element(struct showing *s)
{
    struct shown_level *level = &s->levels[s->depth - 1];
    json_t *into = level->into;
    level->left--;
    int failed = 0;
    if (level->is_map) {
        char number[KEY_BYTES];
        struct spean_view key = {NULL, 0};
        const struct spean_schema_value *type = show_key(s, level, number, &key);
        json_t *value = show_next(s, type);
        failed = json_object_setn_new_nocheck(into, key.len == 0 ? "" : (const char *)key.data,
                                              key.len, value);
    } else {
        json_t *value = show_next(s, level->has_element ? &level->element : NULL);
        failed = json_array_append_new(into, value);
    }
    s->no_memory = s->no_memory || failed != 0;
}

spean_err spean_json_value_show(const struct spean_schema_value *type, struct spean_view value,
                                json_t **out)
{
    assert(out != NULL);
    struct showing s = {.depth = 0};
    spean_reader_init(&s.r, value);
    s.root = show_next(&s, type);
    s.no_memory = s.root == NULL;
    while (s.depth > 0 && !s.no_memory && !spean_reader_failed(&s.r)) {
        if (s.levels[s.depth - 1].left == 0) {
            s.depth--;
            continue;
        }
        show_element(&s);
    }
    spean_err err = s.no_memory ? SPEAN_ENOMEM : spean_reader_end(&s.r);
    if (err == SPEAN_ELIMIT) {
        err = SPEAN_EFORMAT;
    }
    if (err != SPEAN_OK) {
        json_decref(s.root);
        return err;
    }
    *out = s.root;
    return SPEAN_OK;
}

/* -- Reading --------------------------------------------------------------------------------- */

/* An array or object that is being encoded. */
struct read_level {
    const struct spean_schema_value *type; /* Of the array's elements, or the map. */
    json_t *json;
    size_t next;      /* Element, or sub-field by place in the schema. */
    const char *name; /* Of the sub-field at hand; NULL in an array. */
};

struct reading {
    struct spean_writer *w;
    struct read_level levels[SPEAN_SCHEMA_DEPTH_MAX];
    size_t depth;
    const char *name;
    struct spean_json_why *why;
};

/* Append to text of cap bytes; what does not fit is cut off. */
static void append(char *text, size_t cap, const char *more)
{
    const size_t len = strlen(text);
    if (len + 1 < cap) {
        (void)snprintf(text + len, cap - len, "%s", more);
    }
}

/* Say where we are: costs[0].amount. */
static void say_where(const struct reading *in)
{
    char *text = in->why->text;
    text[0] = '\0';
    append(text, SPEAN_JSON_WHY_BYTES, in->name);
    for (size_t i = 0; i < in->depth; i++) {
        const struct read_level *level = &in->levels[i];
        char step[SPEAN_JSON_WHY_BYTES];
        if (level->name != NULL) {
            (void)snprintf(step, sizeof(step), ".%s", level->name);
        } else {
            (void)snprintf(step, sizeof(step), "[%zu]", level->next - 1);
        }
        append(text, SPEAN_JSON_WHY_BYTES, step);
    }
    append(text, SPEAN_JSON_WHY_BYTES, ": ");
}

void spean_json_expected(const struct spean_schema_value *type, char *out, size_t cap)
{
    static const char *const expected[SPEAN_VALUE_TYPES_COUNT] = {
        [SPEAN_VALUE_BOOL] = "true or false",
        [SPEAN_VALUE_UINT] = "a whole number from 0",
        [SPEAN_VALUE_BYTES] = "bytes as lower-case hex digits",
        [SPEAN_VALUE_BIN32] = "64 lower-case hex digits",
        [SPEAN_VALUE_ORG] = "an organisation's id: 64 lower-case hex digits",
        [SPEAN_VALUE_RECORD] = "a record's id: 32 lower-case hex digits",
        [SPEAN_VALUE_ITEM] = "the name of an item, as the record shows it",
        [SPEAN_VALUE_TIME] = "a time such as \"2026-11-22T09:00:00Z\"",
        [SPEAN_VALUE_CODE] = "a code: 1 to 64 of a-z 0-9 _ . : -",
        [SPEAN_VALUE_LANG] = "a language tag such as \"km\"",
        [SPEAN_VALUE_COUNTRY] = "a country: two capital letters such as \"KH\"",
        [SPEAN_VALUE_TEXT] = "text by language, such as {\"km\": \"...\", \"en\": \"...\"}",
        [SPEAN_VALUE_MONEY] = ("money, such as {\"amount\": 573607, \"currency\": \"JPY\", "
                               "\"exact\": true}"),
        [SPEAN_VALUE_DATE] = "a date such as \"2026\", \"2026-11\" or \"2026-11-22\"",
        [SPEAN_VALUE_PLACE] = ("a place, such as {\"country\": \"KH\", \"code\": \"1201\", "
                               "\"name\": \"...\"}"),
    };
    assert(cap > 0);
    if (type->array) {
        (void)snprintf(out, cap, "expected a list of at most %u", SPEAN_SCHEMA_ELEMENTS_MAX);
        return;
    }
    if (type->type == SPEAN_VALUE_STR) {
        (void)snprintf(out, cap, "expected text of 1 to %u bytes", (unsigned)type->bytes_max);
        return;
    }
    if (type->type == SPEAN_VALUE_MAP) {
        (void)snprintf(out, cap, "expected an object with some of the fields of %s",
                       type->map->name);
        return;
    }
    (void)snprintf(out, cap, "expected %s", expected[type->type]);
}

static spean_err refuse(const struct reading *in, const struct spean_schema_value *type)
{
    char expected[SPEAN_JSON_WHY_BYTES];
    spean_json_expected(type, expected, sizeof(expected));
    say_where(in);
    append(in->why->text, SPEAN_JSON_WHY_BYTES, expected);
    return SPEAN_EINPUT;
}

static struct spean_view string_view(json_t *json)
{
    return (struct spean_view){(const uint8_t *)json_string_value(json), json_string_length(json)};
}

static bool write_bytes(struct spean_writer *w, json_t *json, size_t len_wanted)
{
    const struct spean_view text = string_view(json);
    const size_t len = text.len / 2;
    if (!json_is_string(json) || len > SPEAN_VALUE_BYTES_MAX || len == 0 ||
        (len_wanted > 0 && len != len_wanted)) {
        return false;
    }
    uint8_t *bytes = malloc(len);
    if (bytes == NULL) {
        w->err = SPEAN_ENOMEM;
        return true;
    }
    const bool fits = spean_text_hex_decode(bytes, len, text) == SPEAN_OK;
    if (fits) {
        spean_writer_bin(w, bytes, len);
    }
    free(bytes);
    return fits;
}

static bool write_str(struct spean_writer *w, json_t *json)
{
    if (!json_is_string(json)) {
        return false;
    }
    spean_writer_str(w, json_string_value(json), json_string_length(json));
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool write_text(struct spean_writer *w, json_t *json)
{
    const size_t count = json_object_size(json); /* 0 for what is no object. */
    if (count == 0 || count > TEXT_LANGUAGES_MAX) {
        return false;
    }
    const char *keys[TEXT_LANGUAGES_MAX];
    const char *key = NULL;
    json_t *value = NULL;
    size_t n = 0;
    json_object_foreach(json, key, value)
    {
        keys[n++] = key;
    }
    qsort(keys, n, sizeof(keys[0]), compare_keys);
    spean_writer_map(w, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        spean_writer_str(w, keys[i], strlen(keys[i]));
        if (!write_str(w, json_object_get(json, keys[i]))) {
            return false;
        }
    }
    return true;
}

/* Whether every key of an object is among names, which ends with NULL. */
static bool keys_among(json_t *json, const char *const *names)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(json, key, value)
    {
        size_t i = 0;
        while (names[i] != NULL && strcmp(names[i], key) != 0) {
            i++;
        }
        if (names[i] == NULL) {
            return false;
        }
    }
    return json_is_object(json);
}

/* Read a signed integer, as a number or, beyond what JSON readers keep, as a string. */
static bool read_signed(json_t *json, int64_t *out)
{
    if (json_is_integer(json)) {
        *out = json_integer_value(json);
        return *out >= -(int64_t)SPEAN_JSON_INTEGER_MAX && *out <= (int64_t)SPEAN_JSON_INTEGER_MAX;
    }
    if (!json_is_string(json)) {
        return false;
    }
    const char *text = json_string_value(json);
    const bool negative = text[0] == '-';
    const char *digits = negative ? text + 1 : text;
    uint64_t value = 0;
    if (!decimal_take(&digits, '\0', negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, &value)) {
        return false;
    }
    *out = !negative ? (int64_t)value : value == 0 ? 0 : -(int64_t)(value - 1) - 1;
    return true;
}

static bool write_money(struct spean_writer *w, json_t *json)
{
    static const char *const names[] = {"amount", "currency", "exact", NULL};
    int64_t amount = 0;
    const json_t *exact = json_object_get(json, "exact");
    if (!keys_among(json, names) || !read_signed(json_object_get(json, "amount"), &amount) ||
        !json_is_boolean(exact)) {
        return false;
    }
    spean_writer_array(w, 3);
    spean_writer_int(w, amount);
    const bool fits = write_str(w, json_object_get(json, "currency"));
    spean_writer_bool(w, json_is_true(exact));
    return fits;
}

static bool write_place(struct spean_writer *w, json_t *json)
{
    static const char *const names[] = {"country", "code", "name", NULL};
    if (!keys_among(json, names)) {
        return false;
    }
    spean_writer_array(w, 3);
    for (size_t i = 0; names[i] != NULL; i++) {
        json_t *part = json_object_get(json, names[i]);
        if (part == NULL) {
            spean_writer_str(w, "", 0);
        } else if (!write_str(w, part)) {
            return false;
        }
    }
    return true;
}

/* Read count digits. */
static bool digits_at(const char *text, size_t count, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = value;
    return true;
}

static bool write_date(struct spean_writer *w, json_t *json)
{
    const size_t len = json_is_string(json) ? json_string_length(json) : 0;
    if (len != 4 && len != 7 && len != 10) {
        return false;
    }
    const char *text = json_string_value(json);
    const uint32_t count = (uint32_t)(len - 1) / 3;
    uint64_t parts[3] = {0, 0, 0};
    if (!digits_at(text, 4, &parts[0]) ||
        (count > 1 && (text[4] != '-' || !digits_at(text + 5, 2, &parts[1]))) ||
        (count > 2 && (text[7] != '-' || !digits_at(text + 8, 2, &parts[2])))) {
        return false;
    }
    spean_writer_array(w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_uint(w, parts[i]);
    }
    return true;
}

static bool write_item(struct spean_writer *w, json_t *json)
{
    struct spean_dot dot;
    if (!json_is_string(json) || spean_json_item_parse(json_string_value(json), &dot) != SPEAN_OK) {
        return false;
    }
    uint8_t buf[SPEAN_DOT_BYTES_MAX];
    spean_writer_raw(w, spean_dot_encode(&dot, buf));
    return true;
}

static bool write_number(struct spean_writer *w, json_t *json, bool is_time)
{
    uint64_t value = 0;
    if (is_time) {
        if (!json_is_string(json) || spean_when_parse(string_view(json), &value) != SPEAN_OK) {
            return false;
        }
    } else if (spean_json_get_u64(json, &value) != SPEAN_OK) {
        return false;
    }
    spean_writer_uint(w, value);
    return true;
}

/* Write a value that is no map; false: it is not of this type. */
static bool write_scalar(struct spean_writer *w, const struct spean_schema_value *type,
                         json_t *json)
{
    switch (type->type) {
    case SPEAN_VALUE_BOOL:
        spean_writer_bool(w, json_is_true(json));
        return json_is_boolean(json);
    case SPEAN_VALUE_UINT:
        return write_number(w, json, false);
    case SPEAN_VALUE_TIME:
        return write_number(w, json, true);
    case SPEAN_VALUE_BYTES:
        return write_bytes(w, json, 0);
    case SPEAN_VALUE_BIN32:
    case SPEAN_VALUE_ORG:
        return write_bytes(w, json, SPEAN_ID_BYTES);
    case SPEAN_VALUE_RECORD:
        return write_bytes(w, json, SPEAN_RECORD_ID_BYTES);
    case SPEAN_VALUE_ITEM:
        return write_item(w, json);
    case SPEAN_VALUE_STR:
    case SPEAN_VALUE_CODE:
    case SPEAN_VALUE_LANG:
    case SPEAN_VALUE_COUNTRY:
        return write_str(w, json);
    case SPEAN_VALUE_TEXT:
        return write_text(w, json);
    case SPEAN_VALUE_MONEY:
        return write_money(w, json);
    case SPEAN_VALUE_DATE:
        return write_date(w, json);
    case SPEAN_VALUE_PLACE:
        return write_place(w, json);
    case SPEAN_VALUE_MAP:
    case SPEAN_VALUE_TYPES_COUNT:
        break;
    }
    assert(false); /* Maps are opened by the caller. */
    return false;
}

static spean_err read_scalar(struct reading *in, const struct spean_schema_value *type,
                             json_t *json)
{
    const size_t before = in->w->len;
    if (!write_scalar(in->w, type, json)) {
        return refuse(in, type);
    }
    if (in->w->err != SPEAN_OK) {
        return in->w->err;
    }
    /* What is in the form of its type may still be no such day, code or language. */
    const struct spean_schema_field field = {.kind = SPEAN_KIND_SET, .value = *type};
    const struct spean_view written = {in->w->buf + before, in->w->len - before};
    return spean_schema_check_value(&field, written) == SPEAN_OK ? SPEAN_OK : refuse(in, type);
}

static spean_err open_map(struct reading *in, const struct spean_schema_value *type, json_t *json)
{
    const size_t count = json_object_size(json); /* 0 for what is no object. */
    if (count == 0) {
        struct spean_schema_value single = *type;
        single.array = false;
        return refuse(in, &single);
    }
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(json, key, value)
    {
        if (spean_schema_sub_by_name(type->map, key) == NULL) {
            say_where(in);
            append(in->why->text, SPEAN_JSON_WHY_BYTES, key);
            append(in->why->text, SPEAN_JSON_WHY_BYTES, ": there is no such field here");
            return SPEAN_EINPUT;
        }
    }
    assert(in->depth < SPEAN_SCHEMA_DEPTH_MAX); /* No value of the schema is deeper. */
    spean_writer_map(in->w, (uint32_t)count);
    in->levels[in->depth++] = (struct read_level){.type = type, .json = json};
    return SPEAN_OK;
}

/* Encode a scalar whole; of an array or map only the head, and go down into it. */
static spean_err read_value(struct reading *in, const struct spean_schema_value *type,
                            bool is_element, json_t *json)
{
    if (type->array && !is_element) {
        if (!json_is_array(json) || json_array_size(json) > SPEAN_SCHEMA_ELEMENTS_MAX) {
            return refuse(in, type);
        }
        assert(in->depth < SPEAN_SCHEMA_DEPTH_MAX); /* As above. */
        spean_writer_array(in->w, (uint32_t)json_array_size(json));
        in->levels[in->depth++] = (struct read_level){.type = type, .json = json};
        return SPEAN_OK;
    }
    if (type->type != SPEAN_VALUE_MAP) {
        struct spean_schema_value single = *type;
        single.array = false;
        return read_scalar(in, &single, json);
    }
    return open_map(in, type, json);
}

/* Encode the next element or sub-field of the innermost level; leave the level at its end. */
static spean_err read_next(struct reading *in)
{
    struct read_level *level = &in->levels[in->depth - 1];
    if (json_is_array(level->json)) {
        if (level->next == json_array_size(level->json)) {
            in->depth--;
            return SPEAN_OK;
        }
        json_t *element = json_array_get(level->json, level->next++);
        return read_value(in, level->type, true, element);
    }
    const struct spean_schema_map *map = level->type->map;
    while (level->next < map->subs_count) {
        const struct spean_schema_sub *sub = &map->subs[level->next++];
        json_t *value = json_object_get(level->json, sub->name);
        if (value != NULL) {
            level->name = sub->name;
            spean_writer_uint(in->w, sub->number);
            return read_value(in, &sub->value, false, value);
        }
    }
    in->depth--;
    return SPEAN_OK;
}

spean_err spean_json_value_encode(struct spean_writer *w, const struct spean_schema_value *type,
                                  const char *name, json_t *json, struct spean_json_why *why)
{
    assert(w != NULL);
    assert(type != NULL);
    assert(name != NULL);
    assert(why != NULL);
    struct reading in = {.w = w, .name = name, .why = why};
    const size_t before = w->len;
    spean_err err = read_value(&in, type, false, json);
    while (err == SPEAN_OK && in.depth > 0) {
        err = read_next(&in);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (w->err != SPEAN_OK) {
        return w->err == SPEAN_EFORMAT ? SPEAN_EINPUT : w->err;
    }
    if (w->len - before > SPEAN_VALUE_BYTES_MAX) {
        (void)snprintf(why->text, sizeof(why->text), "%s: longer than %u bytes", name,
                       SPEAN_VALUE_BYTES_MAX);
        return SPEAN_ELIMIT;
    }
    return SPEAN_OK;
}
