#include "tools/show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *json)
{
    json_t *const value = json_loads(json, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    return value;
}

static void values_are_lines_that_people_read(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *text;
    } rows[] = {{"\"x\"", "x"},
                {"7", "7"},
                {"true", "yes"},
                {"false", "no"},
                {"null", "-"},
                {"[]", ""},
                {"{}", ""},
                {"[\"km\",\"vi\"]", "km; vi"},
                {"{\"km\":\"a\",\"en\":\"b\"}", "km: a, en: b"},
                {"{\"amount\":573607,\"currency\":\"JPY\",\"exact\":true}", "JPY 573,607"},
                {"{\"amount\":5,\"currency\":\"USD\",\"exact\":false}", "about USD 0.05"},
                {"{\"amount\":\"9223372036854775807\",\"currency\":\"JPY\",\"exact\":true}",
                 "JPY 9,223,372,036,854,775,807"},
                {"{\"party\":{\"kind\":\"legal\",\"name\":\"n\"},\"on\":\"2026\"}",
                 "party: (kind: legal, name: n), on: 2026"},
                {"{\"country\":\"\",\"code\":\"\",\"name\":\"Aichi\"}", "name: Aichi"},
                {"{\"country\":\"\"}", ""},
                {"[{\"a\":[1,2]},{\"b\":{}}]", "a: (1; 2); b: ()"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *const value = parse(rows[i].json);
        char *const text = spean_show_value(value);
        assert_string_equal(text, rows[i].text);
        free(text);
        json_decref(value);
    }
}

static void what_is_nested_too_deep_is_cut_not_followed(void **state)
{
    (void)state;
    char json[256] = "";
    for (size_t i = 0; i < 100; i++) {
        json[i] = '[';
        json[199 - i] = ']';
    }
    json_t *const value = parse(json);
    char *const text = spean_show_value(value);
    assert_string_equal(text, "...");
    free(text);
    json_decref(value);
}

static void a_text_is_picked_by_language_then_english_then_any(void **state)
{
    (void)state;
    json_t *const both = parse("{\"km\":\"k\",\"en\":\"e\"}");
    json_t *const one = parse("{\"ja\":\"j\"}");
    assert_string_equal(spean_show_text(both, "km"), "k");
    assert_string_equal(spean_show_text(both, "vi"), "e");
    assert_string_equal(spean_show_text(both, NULL), "e");
    assert_string_equal(spean_show_text(one, "km"), "j");
    assert_string_equal(spean_show_text(NULL, "km"), "");
    json_decref(both);
    json_decref(one);
}

/* Print record without the field b; the caller frees the text. */
static char *printed(const char *json)
{
    static const char *const but[] = {"b", NULL};
    char *text = NULL;
    size_t len;
    struct spean_out *out;
    struct spean_out_options options = {.results = open_memstream(&text, &len), .talk = stderr};
    json_t *const record = parse(json);
    assert_int_equal(spean_out_new(&options, &out), SPEAN_OK);
    assert_int_equal(spean_show_record(out, record, but, "km"), SPEAN_OK);
    int number = 0;
    assert_int_equal(spean_out_finish(out, &number), SPEAN_OK);
    spean_out_free(out);
    assert_int_equal(fclose(options.results), 0);
    json_decref(record);
    return text;
}

static void a_record_shows_its_fields_and_never_hides_a_conflict(void **state)
{
    (void)state;
    char *const text = printed(
        "{\"id\":\"aabbccddee\",\"code\":null,\"type\":\"agency\",\"fixed\":{\"org\":\"77\"},"
        "\"fields\":{\"a\":[\"x\",\"y\"],\"b\":\"hidden\",\"c\":[{\"name\":\"n-1-0\",\"struck\":"
        "true,"
        "\"item\":{\"k\":\"v\"}}]},\"conflicts\":{\"a\":[{},{},{}]},\"waiting\":{\"parts\":0,"
        "\"keys\":[]},\"unknown\":0}");
    assert_string_equal(text, "agency aabb-ccdd   aabbccddee\n"
                              "org  77\n"
                              "a    x\n"
                              "     y\n"
                              "c    struck out: k: v   [n-1-0]\n"
                              "! a: 3 versions, a decision is needed; one of them is shown\n");
    free(text);
}

static void codes_stand_with_what_they_mean_and_what_is_odd_about_them(void **state)
{
    (void)state;
    char *const text = printed(
        "{\"id\":\"aabbccddee\",\"type\":\"case\",\"fixed\":{},\"fields\":{\"scheme\":\"old\","
        "\"issues\":[\"debt\",\"new\"],\"debts\":[{\"name\":\"n-1-0\",\"struck\":false,\"item\":"
        "{\"lender_kind\":\"bank\",\"rate\":3600}}]},\"codes\":{\"scheme\":{\"old\":{\"labels\":"
        "{\"km\":\"k\",\"en\":\"e\"},\"standing\":\"published\",\"in_force\":false,"
        "\"superseded_by\":\"newer\"}},\"issue\":{\"debt\":{\"labels\":{\"en\":\"In debt\"},"
        "\"standing\":\"built_in\",\"in_force\":false},\"new\":{\"labels\":{},\"standing\":"
        "\"unknown\",\"in_force\":true}},\"lender_kind\":{\"bank\":{\"labels\":{\"en\":\"A bank\"},"
        "\"standing\":\"local\",\"in_force\":true}}}}");
    assert_string_equal(text, "case aabb-ccdd   aabbccddee\n"
                              "scheme  old (k)\n"
                              "issues  debt (In debt)\n"
                              "        new\n"
                              "debts   lender_kind: bank (A bank), rate: 36 % a year   [n-1-0]\n"
                              "! scheme: \"old\" was superseded by \"newer\"\n"
                              "! issue: \"debt\" is not in force today\n"
                              "! issue: \"new\" is in no code list here\n");
    free(text);
}

static void a_label_that_says_no_more_than_its_code_is_left_out(void **state)
{
    (void)state;
    char *const text = printed(
        "{\"id\":\"aabbccddee\",\"type\":\"case\",\"fields\":{\"marital_status\":\"never_married\","
        "\"status\":\"active\",\"gender\":\"f\"},\"codes\":{\"marital_status\":{\"never_married\":"
        "{\"labels\":{\"en\":\"Never married\"}}},\"case_status\":{\"active\":{\"labels\":{\"en\":"
        "\"Activeness\"}}},\"gender\":{\"f\":{\"labels\":{\"en\":\"Female\"}}}}}");
    assert_string_equal(text, "case aabb-ccdd   aabbccddee\n"
                              "marital_status  never_married\n"
                              "status          active (Activeness)\n"
                              "gender          f (Female)\n");
    free(text);
}

static void data_never_begins_a_line_of_its_own(void **state)
{
    (void)state;
    char *const text = printed("{\"id\":\"x\",\"fields\":{\"a\\nerror\":\"b\\u001b[2J\\nc\"}}");
    assert_null(strchr(text, '\x1b'));
    assert_null(strstr(text, "\nerror"));
    assert_null(strstr(text, "\nc"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_lines_that_people_read),
        cmocka_unit_test(what_is_nested_too_deep_is_cut_not_followed),
        cmocka_unit_test(a_text_is_picked_by_language_then_english_then_any),
        cmocka_unit_test(a_record_shows_its_fields_and_never_hides_a_conflict),
        cmocka_unit_test(codes_stand_with_what_they_mean_and_what_is_odd_about_them),
        cmocka_unit_test(a_label_that_says_no_more_than_its_code_is_left_out),
        cmocka_unit_test(data_never_begins_a_line_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
