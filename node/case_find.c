#include "node/case_find.h"

#include <assert.h>
#include <string.h>

#include <jansson.h>

#include "node/json_value.h"
#include "node/matching.h"
#include "node/retention.h"
#include "protocol/change.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"
#include "store/searchkey.h"

#define SUB_CONTACT_VALUE 2u /* Of map contact. */
#define DAY_BYTES         16u
#define NUMBER_DIGITS_MAX 32u
#define NUMBER_DIGITS_MIN 5u /* Fewer stand in too many numbers. */

enum term {
    STATUS,
    ISSUE,
    RISK,
    FROM,
    TO,
    DUE,
    FILTERS_COUNT,
    TEXT = FILTERS_COUNT,
    CONTACT,
    TERMS
};

/* -- Days ------------------------------------------------------------------------------------ */

static struct spean_day day_of(struct spean_view value)
{
    struct spean_day day = {0, 0, 0};
    struct spean_reader r;
    spean_reader_init(&r, value);
    const uint32_t count = spean_reader_array(&r, 1, 3);
    day.year = (uint16_t)spean_reader_uint(&r, UINT16_MAX);
    day.month = count > 1 ? (uint8_t)spean_reader_uint(&r, UINT8_MAX) : 0;
    day.day = count > 2 ? (uint8_t)spean_reader_uint(&r, UINT8_MAX) : 0;
    return spean_reader_end(&r) == SPEAN_OK ? day : (struct spean_day){0, 0, 0};
}

/* Read a day, or leave it zero where none was given. */
static bool day_read(struct spean_records *at, const struct spean_matching_term *term,
                     struct spean_day *out)
{
    uint8_t buf[DAY_BYTES];
    struct spean_writer w;
    struct spean_view value;
    struct spean_json_why why = {""};
    if (term->value == NULL) {
        return true;
    }
    const struct spean_schema_field *const field =
        spean_schema_field(SPEAN_TYPE_CASE, SPEAN_FIELD_CASE_OPENED_ON);
    json_t *const json = json_string(term->value);
    spean_writer_init(&w, buf, sizeof(buf));
    spean_err err = json == NULL
                        ? SPEAN_ENOMEM
                        : spean_json_value_encode(&w, &field->value, term->name, json, &why);
    json_decref(json);
    if (err == SPEAN_OK) {
        err = spean_writer_end(&w, &value);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, why.text[0] != '\0' ? why.text : NULL, NULL);
        return false;
    }
    *out = day_of(value);
    return true;
}

/* The first or last day that a date may mean, as a number that ascends. */
static uint32_t day_number(const struct spean_day *day, bool last)
{
    const uint32_t open = last ? 99 : 0;
    return day->year * 10000u + (day->month == 0 ? open : day->month) * 100u +
           (day->day == 0 ? open : day->day);
}

/* Whether a case may have been opened between the two. */
static bool is_between(const struct spean_case_find *find, struct spean_view opened_on)
{
    if (find->opened_from.year == 0 && find->opened_to.year == 0) {
        return true;
    }
    const struct spean_day day = day_of(opened_on);
    return day.year > 0 &&
           (find->opened_from.year == 0 ||
            day_number(&day, true) >= day_number(&find->opened_from, false)) &&
           (find->opened_to.year == 0 ||
            day_number(&day, false) <= day_number(&find->opened_to, true));
}

/* -- Contacts -------------------------------------------------------------------------------- */

/* Read a digit of ASCII or Khmer at text, and say how long it is; 0: it is none. */
static size_t digit_read(const char *text, char *out)
{
    static const char khmer[] = {'\xe1', '\x9f'};
    if (text[0] >= '0' && text[0] <= '9') {
        *out = text[0];
        return 1;
    }
    if (strncmp(text, khmer, sizeof(khmer)) == 0 && (uint8_t)text[2] >= 0xa0 &&
        (uint8_t)text[2] <= 0xa9) {
        *out = (char)('0' + ((uint8_t)text[2] - 0xa0));
        return 3;
    }
    return 0;
}

/* The digits of a telephone number without leading zeros; 0: it is something else. */
static size_t number_of(const char *key, char out[NUMBER_DIGITS_MAX])
{
    size_t count = 0;
    while (*key != '\0') {
        char digit = 0;
        const size_t len = digit_read(key, &digit);
        if (len == 0 && strchr("+-.()/ ", *key) == NULL) {
            return 0;
        }
        if (len > 0 && (count > 0 || digit != '0')) {
            if (count == NUMBER_DIGITS_MAX) {
                return 0;
            }
            out[count++] = digit;
        }
        key += len > 0 ? len : 1;
    }
    return count;
}

/* Whether two telephone numbers are one, where the country may stand before one of them. */
static bool is_one_number(const char *left, const char *right)
{
    char a[NUMBER_DIGITS_MAX];
    char b[NUMBER_DIGITS_MAX];
    const size_t a_len = number_of(left, a);
    const size_t b_len = number_of(right, b);
    const size_t len = a_len < b_len ? a_len : b_len;
    return len >= NUMBER_DIGITS_MIN && memcmp(a + a_len - len, b + b_len - len, len) == 0;
}

static bool is_contact(struct spean_view value, const char *query)
{
    char *key = NULL;
    const bool is = spean_searchkey_new(value, &key) == SPEAN_OK &&
                    (is_one_number(key, query) || spean_searchkey_match(key, query));
    spean_searchkey_free(key);
    return is;
}

static bool has_contact(const struct spean_part *part, const char *query)
{
    const struct spean_field *const f =
        part == NULL ? NULL : spean_part_find(part, SPEAN_FIELD_CASE_CONTACTS, SPEAN_KIND_LIST);
    const size_t count = f == NULL ? 0 : spean_field_writes_count(f);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(f, i, &write); /* Struck ones too: people call from old numbers. */
        if (is_contact(spean_matching_sub(write.value, SUB_CONTACT_VALUE), query)) {
            return true;
        }
    }
    return false;
}

/* Whether something about keeping the case is due. What cannot be read is not hidden. */
static bool is_due(struct spean_records *at, const struct spean_records_item *item)
{
    json_t *retention = NULL;
    const spean_err err =
        spean_retention_show(at, &item->info.record, item->parts[SPEAN_PART_CASE], &retention);
    const bool due = err != SPEAN_OK || spean_retention_due(retention);
    json_decref(retention);
    return due;
}

/* -- The whole ------------------------------------------------------------------------------- */

bool spean_case_find_read(struct spean_records *at, bool from_body, struct spean_case_find *out)
{
    assert(out != NULL);
    struct spean_matching_term terms[TERMS] = {
        [STATUS] = {"status", NULL},   [ISSUE] = {"issue", NULL},
        [RISK] = {"risk_level", NULL}, [FROM] = {"opened_from", NULL},
        [TO] = {"opened_to", NULL},    [DUE] = {"due", NULL},
        [TEXT] = {"text", NULL},       [CONTACT] = {"contact", NULL},
    };
    *out = (struct spean_case_find){.names = NULL};
    if (!spean_matching_read(at, from_body ? at->request->body : NULL, terms,
                             from_body ? TERMS : FILTERS_COUNT)) {
        return false;
    }
    out->status = terms[STATUS].value;
    out->issue = terms[ISSUE].value;
    out->risk_level = terms[RISK].value;
    out->due = terms[DUE].value != NULL;
    if (out->due && strcmp(terms[DUE].value, "1") != 0) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL, "due: expected 1", NULL);
        return false;
    }
    return day_read(at, &terms[FROM], &out->opened_from) &&
           day_read(at, &terms[TO], &out->opened_to) &&
           spean_matching_query(at, &terms[TEXT], &out->names) &&
           spean_matching_query(at, &terms[CONTACT], &out->contact);
}

void spean_case_find_fini(struct spean_case_find *find)
{
    assert(find != NULL);
    spean_searchkey_free(find->names);
    spean_searchkey_free(find->contact);
    *find = (struct spean_case_find){.names = NULL};
}

bool spean_case_find_wants(struct spean_records *at, const struct spean_records_item *item,
                           void *ctx)
{
    const struct spean_case_find *const find = ctx;
    const struct spean_part *const part = item->parts[SPEAN_PART_CASE];
    if (!spean_matching_text(spean_records_value(item, SPEAN_PART_CASE, SPEAN_FIELD_CASE_STATUS),
                             find->status) ||
        !spean_matching_text(
            spean_records_value(item, SPEAN_PART_CASE, SPEAN_FIELD_CASE_RISK_LEVEL),
            find->risk_level) ||
        !spean_matching_member(part, SPEAN_FIELD_CASE_ISSUES, 0, find->issue) ||
        !is_between(find, spean_records_value(item, SPEAN_PART_CASE, SPEAN_FIELD_CASE_OPENED_ON))) {
        return false;
    }
    const struct spean_view code =
        spean_records_text(spean_records_value(item, SPEAN_PART_CASE, SPEAN_FIELD_CASE_SHORT_REF));
    return (find->names == NULL || spean_matching_names(part, find->names) ||
            spean_matching_words(code, find->names)) &&
           (find->contact == NULL || has_contact(part, find->contact)) &&
           (!find->due || is_due(at, item));
}
