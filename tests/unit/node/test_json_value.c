/* Values of records as JSON: what is read can be shown again, and what does not fit is refused. */
#include "node/json_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/reply.h"
#include "protocol/limits.h"

#define DEPTH 6u

static uint8_t buf[2 * SPEAN_VALUE_BYTES_MAX];

/* Numbers that look random and are the same in every run. */
static uint64_t seed = 88172645463325252u;

static uint64_t roll(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static json_t *hex_of(size_t bytes)
{
    char text[2 * SPEAN_ID_BYTES + 1];
    for (size_t i = 0; i < 2 * bytes; i++) {
        text[i] = "0123456789abcdef"[roll(16)];
    }
    text[2 * bytes] = '\0';
    return json_string(text);
}

static json_t *word(size_t max)
{
    static const char *const words[] = {
        "a", "\xe1\x9e\x81\xe1\x9f\x92\xe1\x9e\x98\xe1\x9f\x82\xe1\x9e\x9a", "Nguy\xe1\xbb\x85n",
        "\"quoted\\\"", "\xf0\x9f\x8c\xbe"};
    const char *text = words[roll(5)];
    return json_string(strlen(text) <= max ? text : "a");
}

static json_t *scalar(const struct spean_schema_value *type)
{
    static const char *const dates[] = {"0001", "2026-11", "2024-02-29", "9999-12-31"};
    static const char *const times[] = {"1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z",
                                        "9999-12-31T23:59:59Z"};
    char text[SPEAN_JSON_ITEM_BYTES];
    switch (type->type) {
    case SPEAN_VALUE_BOOL:
        return json_boolean(roll(2));
    case SPEAN_VALUE_UINT:
        return spean_json_u64(roll(2) == 0 ? roll(300) : UINT64_MAX - roll(3));
    case SPEAN_VALUE_BYTES:
        return hex_of(1 + roll(SPEAN_ID_BYTES));
    case SPEAN_VALUE_BIN32:
    case SPEAN_VALUE_ORG:
        return hex_of(SPEAN_ID_BYTES);
    case SPEAN_VALUE_RECORD:
        return hex_of(SPEAN_RECORD_ID_BYTES);
    case SPEAN_VALUE_ITEM:
        (void)snprintf(text, sizeof(text), "00ff00ff00ff00%02x-%u-%u", (unsigned)roll(256),
                       (unsigned)roll(1000) + 1, (unsigned)roll(256));
        return json_string(text);
    case SPEAN_VALUE_TIME:
        return json_string(times[roll(3)]);
    case SPEAN_VALUE_STR:
        return word(type->bytes_max);
    case SPEAN_VALUE_CODE:
        return json_string(roll(2) == 0 ? "legal" : "a_b.c:d-9");
    case SPEAN_VALUE_LANG:
        return json_string(roll(2) == 0 ? "km" : "zh-Hant");
    case SPEAN_VALUE_COUNTRY:
        return json_string(roll(2) == 0 ? "KH" : "JP");
    case SPEAN_VALUE_TEXT:
        return json_pack("{s:o, s:o}", "vi", word(256), "en", word(256));
    case SPEAN_VALUE_MONEY:
        return json_pack("{s:o, s:s, s:b}", "amount",
                         roll(2) == 0 ? json_integer(-573607) : json_string("-9223372036854775808"),
                         "currency", "JPY", "exact", (int)roll(2));
    case SPEAN_VALUE_DATE:
        return json_string(dates[roll(4)]);
    case SPEAN_VALUE_PLACE:
        return json_pack("{s:s, s:s, s:o}", "country", roll(2) == 0 ? "" : "KH", "code", "0101",
                         "name", word(256));
    case SPEAN_VALUE_MAP:
    case SPEAN_VALUE_TYPES_COUNT:
        break;
    }
    fail();
    return NULL;
}

struct todo {
    const struct spean_schema_map *map;
    json_t *into;
};

/* Some JSON of this type; maps within are filled with about half of their sub-fields. */
static json_t *some_of(const struct spean_schema_value *type)
{
    struct todo todo[4096];
    size_t count = 0;
    json_t *root = json_object();
    const struct spean_schema_sub whole = {1, "value", *type};
    const struct spean_schema_map outer = {"outer", &whole, 1};
    todo[count++] = (struct todo){&outer, root};
    while (count > 0) {
        const struct todo now = todo[--count];
        for (size_t i = 0; i < now.map->subs_count; i++) {
            const struct spean_schema_sub *sub = &now.map->subs[i];
            if (json_object_size(now.into) > 0 && roll(2) == 0) {
                continue;
            }
            json_t *array = sub->value.array ? json_array() : NULL;
            const size_t n = array == NULL ? 1 : roll(4);
            for (size_t k = 0; k < n; k++) {
                const bool is_map = sub->value.type == SPEAN_VALUE_MAP;
                json_t *one = is_map ? json_object() : scalar(&sub->value);
                if (is_map) {
                    todo[count++] = (struct todo){sub->value.map, one};
                }
                if (array != NULL) {
                    assert_int_equal(json_array_append_new(array, one), 0);
                } else {
                    assert_int_equal(json_object_set_new(now.into, sub->name, one), 0);
                }
            }
            if (array != NULL) {
                assert_int_equal(json_object_set_new(now.into, sub->name, array), 0);
            }
        }
    }
    json_t *value = json_incref(json_object_get(root, "value"));
    json_decref(root);
    return value;
}

static spean_err encode(const struct spean_schema_value *type, json_t *json,
                        struct spean_json_why *why, struct spean_view *out)
{
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    const spean_err err = spean_json_value_encode(&w, type, "f", json, why);
    return err != SPEAN_OK ? err : spean_writer_end(&w, out);
}

static void every_field_of_the_schema_comes_back_as_it_went_in(void **state)
{
    (void)state;
    size_t count = 0;
    const struct spean_schema_field *fields = spean_schema_fields(&count);
    assert_true(count > 100);
    for (size_t i = 0; i < 20 * count; i++) {
        const struct spean_schema_field *field = &fields[i % count];
        json_t *json = some_of(&field->value);
        struct spean_json_why why = {""};
        struct spean_view value;
        const spean_err err = encode(&field->value, json, &why, &value);
        if (err != SPEAN_OK) {
            fail_msg("%s: %s", field->name, why.text);
        }
        struct spean_schema_field member = *field;
        member.kind = SPEAN_KIND_SET;
        assert_int_equal(spean_schema_check_value(&member, value), SPEAN_OK);
        json_t *shown = NULL;
        assert_int_equal(spean_json_value_show(&field->value, value, &shown), SPEAN_OK);
        if (!json_equal(json, shown)) {
            fail_msg("%s:\n%s\n%s", field->name, json_dumps(json, 0), json_dumps(shown, 0));
        }
        json_decref(shown);
        json_decref(json);
    }
}

/* Read text as JSON, encode it as the field of that name, and expect err. */
static void expect(uint64_t type, const char *name, const char *text, spean_err wanted,
                   const char *why_wanted)
{
    const struct spean_schema_field *field = spean_schema_field_by_name(type, name);
    assert_non_null(field);
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    struct spean_json_why why = {""};
    struct spean_view value;
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_err err = spean_json_value_encode(&w, &field->value, name, json, &why);
    if (err == SPEAN_OK) {
        err = spean_writer_end(&w, &value);
    }
    if (err != wanted) {
        fail_msg("%s %s: %s %s", name, text, spean_err_name(err), why.text);
    }
    if (why_wanted != NULL && strstr(why.text, why_wanted) == NULL) {
        fail_msg("%s %s: says '%s', not '%s'", name, text, why.text, why_wanted);
    }
    json_decref(json);
}

static void what_does_not_fit_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        uint64_t type;
        const char *name, *json, *why;
    } rows[] = {
        {1, "email", "5", "email: expected text of 1 to 254 bytes"},
        {1, "email", "\"\"", "email: expected"},
        {1, "email", "null", "email: expected"},
        {1, "country", "\"kh\"", "country: expected a country"},
        {1, "country", "\"KHM\"", NULL},
        {1, "kind", "\"No Code\"", "kind: expected a code"},
        {1, "languages", "\"k\"", "languages: expected a language tag"},
        {1, "names", "{}", "names: expected text by language"},
        {1, "names", "\"plain\"", "names: expected text by language"},
        {1, "names", "{\"km\": \"\"}", NULL},
        {1, "names", "{\"km\": 5}", NULL},
        {1, "names", "{\"k_\": \"x\"}", NULL},
        {1, "parent", "\"00\"", "parent: expected a record's id"},
        {1, "parent", "\"0123456789ABCDEF0123456789abcdef\"", NULL},
        {1, "phones", "{}", "phones: expected an object"},
        {1, "phones", "[]", "phones: expected an object"},
        {1, "phones", "{\"nummer\": \"1\"}", "phones: nummer: there is no such field here"},
        {1, "phones", "{\"#9\": 1}", "phones: #9: there is no such field here"},
        {1, "phones", "{\"languages\": \"km\"}", "phones.languages: expected a list"},
        {1, "phones", "{\"languages\": [\"km\", 5]}", "phones.languages[1]: expected a language"},
        {2, "pregnant", "0", "pregnant: expected true or false"},
        {2, "dependants", "-1", "dependants: expected a whole number"},
        {2, "dependants", "1.0", NULL},
        {2, "dependants", "\"18446744073709551616\"", NULL},
        {2, "dependants", "9007199254740993", NULL},
        {2, "birth_date", "\"2026-02-29\"", "birth_date: expected a date"},
        {2, "birth_date", "\"2026-13\"", NULL},
        {2, "birth_date", "\"2026-1\"", NULL},
        {2, "birth_date", "\"2026-01-01T\"", NULL},
        {2, "birth_date", "\"2026/01\"", NULL},
        {2, "birth_date", "\"0000\"", NULL},
        {2, "birth_date", "[2026]", NULL},
        {2, "home", "{}", "home: expected a place"},
        {2, "home", "{\"country\": \"\", \"code\": \"\", \"name\": \"\"}", NULL},
        {2, "home", "{\"name\": \"x\", \"zip\": \"1\"}", NULL},
        {2, "home", "{\"country\": \"Kh\"}", NULL},
        {2, "costs", "{\"amount\": {\"amount\": 1, \"currency\": \"JPY\"}}",
         "costs.amount: expected money"},
        {2, "costs", "{\"amount\": {\"amount\": 1.5, \"currency\": \"JPY\", \"exact\": true}}",
         NULL},
        {2, "costs", "{\"amount\": {\"amount\": \"01\", \"currency\": \"JPY\", \"exact\": true}}",
         NULL},
        {2, "costs",
         "{\"amount\": {\"amount\": \"9223372036854775808\", \"currency\": \"JPY\", \"exact\": "
         "true}}",
         NULL},
        {2, "costs", "{\"amount\": {\"amount\": 1, \"currency\": \"yen\", \"exact\": true}}", NULL},
        {2, "costs", "{\"paid_to\": {\"agency\": 1}}", "costs.paid_to.agency: expected a record"},
        {2, "withhold_from", "[{\"org\": \"x\"}]",
         "withhold_from[0].org: expected an organisation"},
        {2, "withhold_from", "{}", "withhold_from: expected a list"},
        {4, "respond_by", "1", "respond_by: expected a time"},
        {4, "respond_by", "\"2026-11-25\"", NULL},
        {4, "respond_by", "\"2026-11-25T24:00:00Z\"", NULL},
        {4, "respond_by", "\"2026-11-25 09:00:00Z\"", NULL},
        {4, "respond_by", "\"2026-11-25T09:00:00.5Z\"", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(rows[i].type, rows[i].name, rows[i].json, SPEAN_EINPUT, rows[i].why);
    }
}

static void a_list_of_256_is_read_and_one_of_257_refused(void **state)
{
    (void)state;
    const struct spean_schema_field *field = spean_schema_field_by_name(2, "withhold_from");
    json_t *list = json_array();
    for (size_t i = 0; i < SPEAN_SCHEMA_ELEMENTS_MAX; i++) {
        assert_int_equal(json_array_append_new(list, json_pack("{s:s}", "kind", "broker")), 0);
    }
    struct spean_json_why why = {""};
    struct spean_view value;
    assert_int_equal(encode(&field->value, list, &why, &value), SPEAN_OK);
    assert_int_equal(json_array_append_new(list, json_pack("{s:s}", "kind", "broker")), 0);
    assert_int_equal(encode(&field->value, list, &why, &value), SPEAN_EINPUT);
    json_decref(list);
}

static void a_value_above_the_limit_is_refused(void **state)
{
    (void)state;
    const struct spean_schema_field *field = spean_schema_field_by_name(2, "narrative");
    char *text = malloc(SPEAN_VALUE_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', SPEAN_VALUE_BYTES_MAX);
    text[SPEAN_VALUE_BYTES_MAX] = '\0';
    json_t *json = json_pack("{s:s}", "en", text);
    struct spean_json_why why = {""};
    struct spean_view value;
    assert_int_not_equal(encode(&field->value, json, &why, &value), SPEAN_OK);
    assert_true(strlen(why.text) > 0);
    json_decref(json);
    free(text);
}

static void show(const struct spean_schema_value *type, const char *bytes, size_t len,
                 const char *wanted)
{
    json_t *shown = NULL;
    const struct spean_view value = {(const uint8_t *)bytes, len};
    assert_int_equal(spean_json_value_show(type, value, &shown), SPEAN_OK);
    json_t *expected = json_loads(wanted, JSON_DECODE_ANY, NULL);
    if (!json_equal(shown, expected)) {
        fail_msg("shown %s, not %s", json_dumps(shown, JSON_ENCODE_ANY), wanted);
    }
    json_decref(expected);
    json_decref(shown);
}

static void what_is_not_known_is_shown_in_a_general_form(void **state)
{
    (void)state;
    const struct spean_schema_value *phone = &spean_schema_field_by_name(1, "phones")->value;
    const struct spean_schema_value *date = &spean_schema_field_by_name(2, "birth_date")->value;
    show(phone, "\x82\x01\xa1x\x63\xc4\x02\xab\xcd", 9, "{\"number\": \"x\", \"#99\": \"abcd\"}");
    show(date, "\x92\xcd\x07\xea\x0d", 5, "[2026, 13]");
    show(date, "\xc3", 1, "true");
    show(phone, "\xa1z", 2, "\"z\"");
    show(NULL, "\x93\xff\xc0\x81\xa2km\xa1y", 9, "[-1, null, {\"km\": \"y\"}]");
    show(NULL, "\x81\x05\x90", 3, "{\"#5\": []}");
    show(NULL, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9, "\"18446744073709551615\"");
    show(NULL, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9, "\"-9223372036854775808\"");
}

static void bytes_that_are_no_value_are_refused(void **state)
{
    (void)state;
    const struct spean_schema_value *phone = &spean_schema_field_by_name(1, "phones")->value;
    static const char whole[] = "\x82\x01\xa1x\x03\x92\xa2km\xa2vi";
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        json_t *shown = NULL;
        const struct spean_view value = {(const uint8_t *)whole, len};
        assert_int_equal(spean_json_value_show(phone, value, &shown), SPEAN_EFORMAT);
        assert_null(shown);
    }
    json_t *shown = NULL;
    const struct spean_view deep = {(const uint8_t *)"\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01",
                                    10};
    assert_int_equal(spean_json_value_show(NULL, deep, &shown), SPEAN_EFORMAT);
    const struct spean_view two = {(const uint8_t *)"\x01\x01", 2};
    assert_int_equal(spean_json_value_show(NULL, two, &shown), SPEAN_EFORMAT);
}

static void names_of_items_have_one_form(void **state)
{
    (void)state;
    struct spean_dot dot = {0};
    char text[SPEAN_JSON_ITEM_BYTES];
    assert_int_equal(spean_json_item_parse("00000000000000ff-12-0", &dot), SPEAN_OK);
    assert_int_equal(dot.log, 255);
    assert_int_equal(dot.seq, 12);
    assert_int_equal(dot.index, 0);
    spean_json_item_format(text, &dot);
    assert_string_equal(text, "00000000000000ff-12-0");
    static const char *const wrong[] = {
        "",
        "00000000000000ff",
        "00000000000000ff-",
        "00000000000000ff-0-0",
        "00000000000000ff-1-",
        "00000000000000ff-01-0",
        "00000000000000ff-1-00",
        "00000000000000ff-1-4294967296",
        "00000000000000ff-18446744073709551616-1",
        "00000000000000FF-1-1",
        "0000000000000ff-1-1",
        "00000000000000ff-1-1 ",
        "00000000000000ff-1-1-1",
        "00000000000000ff--1-1",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(spean_json_item_parse(wrong[i], &dot), SPEAN_EINPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_the_schema_comes_back_as_it_went_in),
        cmocka_unit_test(what_does_not_fit_is_refused_with_its_place),
        cmocka_unit_test(a_list_of_256_is_read_and_one_of_257_refused),
        cmocka_unit_test(a_value_above_the_limit_is_refused),
        cmocka_unit_test(what_is_not_known_is_shown_in_a_general_form),
        cmocka_unit_test(bytes_that_are_no_value_are_refused),
        cmocka_unit_test(names_of_items_have_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
