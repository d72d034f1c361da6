#include "node/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int request_make(void **state)
{
    *state = calloc(1, sizeof(struct spean_request));
    return *state != NULL ? 0 : -1;
}

static int request_drop(void **state)
{
    spean_request_free(*state);
    return 0;
}

static spean_err decode(const char *text, char out[SPEAN_REQUEST_VALUE_BYTES + 1])
{
    return spean_percent_decode(text, strlen(text), out);
}

static void percent_escapes_are_decoded_and_plus_stays_plus(void **state)
{
    (void)state;
    char out[SPEAN_REQUEST_VALUE_BYTES + 1];
    assert_int_equal(decode("a%20b+c%2Fd", out), SPEAN_OK);
    assert_string_equal(out, "a b+c/d");
    assert_int_equal(decode("%E1%9E%9F%e1%9f%92", out), SPEAN_OK);
    assert_string_equal(out, "\xe1\x9e\x9f\xe1\x9f\x92");
    assert_int_equal(decode("", out), SPEAN_OK);
    assert_string_equal(out, "");
}

static void a_broken_escape_control_character_or_bad_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"%",      "%4",        "%4g",   "a%zz",   "%+1",
                                      "%00",    "%0A",       "a\x7f", "%1b",    "%ff",
                                      "%c0%af", "%ed%a0%80", "\xe1",  "%e1%9e", "%C2%80"};
    char out[SPEAN_REQUEST_VALUE_BYTES + 1];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(decode(bad[i], out), SPEAN_EINPUT);
    }
}

static void a_value_of_the_limit_is_taken_and_one_byte_more_is_refused(void **state)
{
    (void)state;
    char text[SPEAN_REQUEST_VALUE_BYTES + 2];
    char out[SPEAN_REQUEST_VALUE_BYTES + 1];
    memset(text, 'a', sizeof(text));
    assert_int_equal(spean_percent_decode(text, SPEAN_REQUEST_VALUE_BYTES, out), SPEAN_OK);
    assert_int_equal(strlen(out), SPEAN_REQUEST_VALUE_BYTES);
    assert_int_equal(spean_percent_decode(text, SPEAN_REQUEST_VALUE_BYTES + 1, out), SPEAN_ELIMIT);
}

static void a_query_is_read_into_names_and_values(void **state)
{
    struct spean_request *request = *state;
    assert_int_equal(spean_request_query_read(request, "name=a%26b&limit=5&empty="), SPEAN_OK);
    assert_int_equal(request->query_count, 3);
    assert_string_equal(spean_request_query(request, "name"), "a&b");
    assert_string_equal(spean_request_query(request, "empty"), "");
    assert_null(spean_request_query(request, "other"));
    assert_int_equal(spean_request_query_read(request, NULL), SPEAN_OK);
    assert_int_equal(request->query_count, 0);
}

static void a_query_with_a_repeated_empty_or_valueless_name_is_refused_whole(void **state)
{
    struct spean_request *request = *state;
    static const char *const bad[] = {"",     "&",        "a",       "=1",        "a=1&",
                                      "&a=1", "a=1&&b=2", "a=1&a=2", "a=1&%61=2", "a=%"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(spean_request_query_read(request, bad[i]), SPEAN_EINPUT);
        assert_int_equal(request->query_count, 0);
    }
}

static void one_pair_more_than_the_limit_is_refused(void **state)
{
    struct spean_request *request = *state;
    char query[SPEAN_QUERY_PAIRS_MAX * 8 + 16];
    size_t len = 0;
    for (unsigned i = 0; i < SPEAN_QUERY_PAIRS_MAX; i++) {
        len += (size_t)snprintf(query + len, sizeof(query) - len, "%sn%u=1", i > 0 ? "&" : "", i);
    }
    assert_int_equal(spean_request_query_read(request, query), SPEAN_OK);
    (void)snprintf(query + len, sizeof(query) - len, "&more=1");
    assert_int_equal(spean_request_query_read(request, query), SPEAN_ELIMIT);
}

static void a_cursor_that_is_no_number_or_out_of_range_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1x",
                                        "0x1",
                                        "11",
                                        "now",
                                        "99999999999999999999999999",
                                        "18446744073709551626"};
    uint64_t after = 7;
    assert_int_equal(spean_request_after(&(struct spean_page){.after = ""}, 10, &after), SPEAN_OK);
    assert_int_equal(after, 0);
    assert_int_equal(spean_request_after(&(struct spean_page){.after = "10"}, 10, &after),
                     SPEAN_OK);
    assert_int_equal(after, 10);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const struct spean_page page = {.after = wrong[i]};
        assert_int_equal(spean_request_after(&page, 10, &after), SPEAN_EINPUT);
    }
}

static void a_page_has_a_default_a_largest_and_a_cursor(void **state)
{
    struct spean_request *request = *state;
    struct spean_page page;
    assert_int_equal(spean_request_page(request, &page), SPEAN_OK);
    assert_int_equal(page.limit, SPEAN_PAGE_LIMIT_DEFAULT);
    assert_string_equal(page.after, "");
    assert_int_equal(spean_request_query_read(request, "after=x&limit=1000"), SPEAN_OK);
    assert_int_equal(spean_request_page(request, &page), SPEAN_OK);
    assert_int_equal(page.limit, 1000);
    assert_string_equal(page.after, "x");
}

static void a_limit_that_is_no_number_or_out_of_range_is_refused(void **state)
{
    struct spean_request *request = *state;
    static const char *const bad[] = {"limit=0",    "limit=",   "limit=-1",
                                      "limit=1001", "limit=1x", "limit=99999999999999999999"};
    struct spean_page page = {.limit = 7};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(spean_request_query_read(request, bad[i]), SPEAN_OK);
        assert_int_equal(spean_request_page(request, &page), SPEAN_EINPUT);
    }
    assert_int_equal(page.limit, 7);
}

static spean_err json(const char *text, char where[SPEAN_JSON_WHERE_BYTES])
{
    json_t *value = NULL;
    const spean_err err = spean_json_read(text, strlen(text), &value, where);
    assert_int_equal(err == SPEAN_OK, value != NULL);
    json_decref(value);
    return err;
}

static void json_must_be_one_object_in_strict_form(void **state)
{
    (void)state;
    char where[SPEAN_JSON_WHERE_BYTES];
    assert_int_equal(json("{\"a\":[1,\"]}\\\"{\"]}", where), SPEAN_OK);
    static const char *const bad[] = {"",
                                      "[]",
                                      "1",
                                      "null",
                                      "{} {}",
                                      "{\"a\":1,}",
                                      "{'a':1}",
                                      "{\"a\":01}",
                                      "{\"a\":NaN}",
                                      "{a:1}",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":9223372036854775808}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(json(bad[i], where), SPEAN_EINPUT);
        assert_true(strlen(where) > 0);
    }
}

static void json_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,{\"b\":\"\xe1\x9e\x9f\"}],\"c\":null}";
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        char where[SPEAN_JSON_WHERE_BYTES];
        json_t *value = NULL;
        assert_int_equal(spean_json_read(text, len, &value, where), SPEAN_EINPUT);
        assert_null(value);
    }
}

static void a_json_key_given_twice_is_refused_and_named_by_place_only(void **state)
{
    (void)state;
    char where[SPEAN_JSON_WHERE_BYTES];
    assert_int_equal(json("{\"secret\":1,\n\"secret\":2}", where), SPEAN_EINPUT);
    assert_non_null(strstr(where, "line 2"));
    assert_non_null(strstr(where, "twice"));
    assert_null(strstr(where, "secret"));
}

static void json_may_be_nested_up_to_the_limit_and_no_deeper(void **state)
{
    (void)state;
    char where[SPEAN_JSON_WHERE_BYTES];
    for (size_t inner = SPEAN_JSON_DEPTH_MAX - 1; inner <= SPEAN_JSON_DEPTH_MAX; inner++) {
        char text[2 * SPEAN_JSON_DEPTH_MAX + 16];
        size_t len = (size_t)snprintf(text, sizeof(text), "{\"a\":");
        memset(text + len, '[', inner);
        memset(text + len + inner, ']', inner);
        (void)snprintf(text + len + 2 * inner, sizeof(text) - len - 2 * inner, "}");
        assert_int_equal(json(text, where), inner < SPEAN_JSON_DEPTH_MAX ? SPEAN_OK : SPEAN_ELIMIT);
    }
}

int main(void)
{
#define WITH_REQUEST(test) cmocka_unit_test_setup_teardown(test, request_make, request_drop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_escapes_are_decoded_and_plus_stays_plus),
        cmocka_unit_test(a_broken_escape_control_character_or_bad_utf8_is_refused),
        cmocka_unit_test(a_value_of_the_limit_is_taken_and_one_byte_more_is_refused),
        WITH_REQUEST(a_query_is_read_into_names_and_values),
        WITH_REQUEST(a_query_with_a_repeated_empty_or_valueless_name_is_refused_whole),
        WITH_REQUEST(one_pair_more_than_the_limit_is_refused),
        WITH_REQUEST(a_cursor_that_is_no_number_or_out_of_range_is_refused),
        WITH_REQUEST(a_page_has_a_default_a_largest_and_a_cursor),
        WITH_REQUEST(a_limit_that_is_no_number_or_out_of_range_is_refused),
        cmocka_unit_test(json_must_be_one_object_in_strict_form),
        cmocka_unit_test(json_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_json_key_given_twice_is_refused_and_named_by_place_only),
        cmocka_unit_test(json_may_be_nested_up_to_the_limit_and_no_deeper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
