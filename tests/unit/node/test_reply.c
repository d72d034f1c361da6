#include "node/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_error_has_a_status_and_an_exit_code(void **state)
{
    (void)state;
    for (int i = 0; i < SPEAN_ERRS_COUNT; i++) {
        const int status = spean_reply_status((spean_err)i);
        if (i == SPEAN_OK) {
            assert_int_equal(status, 200);
            assert_int_equal(spean_reply_exit((spean_err)i), SPEAN_REPLY_EXIT_OK);
        } else {
            assert_in_range(status, 400, 599);
            assert_int_not_equal(spean_reply_exit((spean_err)i), SPEAN_REPLY_EXIT_OK);
        }
    }
}

static void errors_that_scripts_tell_apart_have_their_own_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(spean_reply_exit(SPEAN_EINPUT), 2);
    assert_int_equal(spean_reply_exit(SPEAN_EDENIED), 4);
    assert_int_equal(spean_reply_exit(SPEAN_ENOTFOUND), 5);
    assert_int_equal(spean_reply_exit(SPEAN_ESTATE), 6);
    assert_int_equal(spean_reply_exit(SPEAN_ECORRUPT), 9);
    assert_int_equal(spean_reply_exit(SPEAN_ELOCKED), 11);
    assert_int_equal(spean_reply_exit(SPEAN_EPASSPHRASE), 12);
}

static void an_error_is_one_object_with_code_message_hint_and_exit(void **state)
{
    (void)state;
    struct spean_reply reply = {.status = 0};
    spean_reply_error(&reply, SPEAN_ENOTFOUND, "no such agency", "see: spean agency list");
    assert_int_equal(reply.status, 404);
    const json_t *error = json_object_get(reply.body, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), "not_found");
    assert_string_equal(json_string_value(json_object_get(error, "message")), "no such agency");
    assert_string_equal(json_string_value(json_object_get(error, "hint")),
                        "see: spean agency list");
    assert_int_equal(json_integer_value(json_object_get(error, "exit")), 5);
    assert_int_equal(json_object_size(error), 4);
    spean_reply_fini(&reply);
}

static void an_error_without_words_of_its_own_uses_those_of_its_code(void **state)
{
    (void)state;
    struct spean_reply reply = {.status = 0};
    spean_reply_error(&reply, SPEAN_ELOCKED, NULL, NULL);
    const json_t *error = json_object_get(reply.body, "error");
    assert_string_equal(json_string_value(json_object_get(error, "message")),
                        spean_err_text(SPEAN_ELOCKED));
    assert_string_equal(json_string_value(json_object_get(error, "hint")), "");
    spean_reply_fini(&reply);
}

static void the_last_thing_said_counts_and_nothing_leaks(void **state)
{
    (void)state;
    struct spean_reply reply = {.status = 0};
    spean_reply_take(&reply, json_object());
    spean_reply_page(&reply, json_array(), "abc");
    assert_string_equal(json_string_value(json_object_get(reply.body, "next")), "abc");
    spean_reply_page(&reply, json_array(), NULL);
    assert_true(json_is_null(json_object_get(reply.body, "next")));
    spean_reply_refuse(&reply, 421, SPEAN_EINPUT, NULL, NULL);
    assert_int_equal(reply.status, 421);
    spean_reply_fini(&reply);
    assert_null(reply.body);
}

static void a_page_whose_items_could_not_be_built_has_no_body(void **state)
{
    (void)state;
    struct spean_reply reply = {.status = 0};
    spean_reply_page(&reply, NULL, NULL);
    assert_null(reply.body);
    spean_reply_fini(&reply);
}

static void numbers_beyond_2_to_the_53_travel_as_strings(void **state)
{
    (void)state;
    json_t *small = spean_json_u64(UINT64_C(9007199254740992));
    json_t *large = spean_json_u64(UINT64_C(9007199254740993));
    json_t *largest = spean_json_u64(UINT64_MAX);
    assert_true(json_is_integer(small));
    assert_string_equal(json_string_value(large), "9007199254740993");
    assert_string_equal(json_string_value(largest), "18446744073709551615");
    uint64_t value = 0;
    assert_int_equal(spean_json_get_u64(small, &value), SPEAN_OK);
    assert_true(value == UINT64_C(9007199254740992));
    assert_int_equal(spean_json_get_u64(largest, &value), SPEAN_OK);
    assert_true(value == UINT64_MAX);
    json_decref(small);
    json_decref(large);
    json_decref(largest);
}

static void a_number_that_is_none_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    json_t *const bad[] = {
        json_integer(-1),
        json_integer(9007199254740993),
        json_real(1.0),
        json_true(),
        json_string(""),
        json_string("-1"),
        json_string("1 "),
        json_string("0x10"),
        json_string("18446744073709551616"),
        json_string("99999999999999999999"),
        json_string("184467440737095516150"),
    };
    uint64_t value = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(spean_json_get_u64(bad[i], &value), SPEAN_EINPUT);
        json_decref(bad[i]);
    }
    assert_int_equal(spean_json_get_u64(NULL, &value), SPEAN_EINPUT);
    assert_true(value == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_status_and_an_exit_code),
        cmocka_unit_test(errors_that_scripts_tell_apart_have_their_own_exit_codes),
        cmocka_unit_test(an_error_is_one_object_with_code_message_hint_and_exit),
        cmocka_unit_test(an_error_without_words_of_its_own_uses_those_of_its_code),
        cmocka_unit_test(the_last_thing_said_counts_and_nothing_leaks),
        cmocka_unit_test(a_page_whose_items_could_not_be_built_has_no_body),
        cmocka_unit_test(numbers_beyond_2_to_the_53_travel_as_strings),
        cmocka_unit_test(a_number_that_is_none_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
