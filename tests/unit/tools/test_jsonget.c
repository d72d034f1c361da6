#include "tools/jsonget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static json_t *object;

static int object_make(void **state)
{
    (void)state;
    object =
        json_loads("{\"text\":\"t\",\"number\":7,\"big\":\"9007199254740993\",\"low\":"
                   "\"-9223372036854775808\",\"bad\":\"7x\",\"huge\":\"9223372036854775808\","
                   "\"real\":1.5,\"yes\":true,\"no\":false,\"null\":null,\"empty\":\"\","
                   "\"org\":\"7f3a91c4aabb\",\"name\":\"Tokyo\",\"at\":\"2026-11-20T07:02:00Z\""
                   "}",
                   0, NULL);
    return object == NULL;
}

static int object_free(void **state)
{
    (void)state;
    json_decref(object);
    return 0;
}

static void what_is_absent_or_of_another_type_reads_as_empty(void **state)
{
    (void)state;
    static const char *const keys[] = {"absent", "null", "real", "yes"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_string_equal(spean_jsonget_text(object, keys[i]), "");
        assert_int_equal(spean_jsonget_number(object, keys[i]), 0);
    }
    assert_string_equal(spean_jsonget_text(NULL, "text"), "");
    assert_int_equal(spean_jsonget_number(object, "bad"), 0);
    assert_int_equal(spean_jsonget_number(object, "huge"), 0);
    assert_int_equal(spean_jsonget_number(object, "empty"), 0);
    assert_false(spean_jsonget_true(object, "no"));
    assert_false(spean_jsonget_true(object, "number"));
}

static void numbers_come_as_such_or_as_text(void **state)
{
    (void)state;
    assert_string_equal(spean_jsonget_text(object, "text"), "t");
    assert_int_equal(spean_jsonget_number(object, "number"), 7);
    assert_true(spean_jsonget_number(object, "big") == INT64_C(9007199254740993));
    assert_true(spean_jsonget_number(object, "low") == INT64_MIN);
    assert_true(spean_jsonget_true(object, "yes"));
}

static void an_organisation_has_a_name_and_a_short_id(void **state)
{
    (void)state;
    char who[SPEAN_WHO_BYTES_MAX];
    spean_jsonget_who(object, "org", "name", who);
    assert_string_equal(who, "Tokyo (7f3a-91c4)");
    spean_jsonget_who(object, "org", "null", who);
    assert_string_equal(who, "7f3a-91c4");
    spean_jsonget_who(object, "absent", "absent", who);
    assert_string_equal(who, "?");
    char name[2 * SPEAN_WHO_BYTES_MAX];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(json_object_set_new(object, "name", json_string(name)), 0);
    spean_jsonget_who(object, "org", "name", who);
    assert_string_equal(who, "7f3a-91c4");
}

static void a_time_is_shown_where_the_person_is(void **state)
{
    (void)state;
    char when[SPEAN_WHEN_BYTES_MAX];
    assert_int_equal(setenv("TZ", "<+07>-7", 1), 0);
    tzset();
    spean_jsonget_when(object, "at", when);
    assert_string_equal(when, "2026-11-20 14:02 +07");
    spean_jsonget_when(object, "text", when);
    assert_string_equal(when, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_absent_or_of_another_type_reads_as_empty),
        cmocka_unit_test(numbers_come_as_such_or_as_text),
        cmocka_unit_test(an_organisation_has_a_name_and_a_short_id),
        cmocka_unit_test(a_time_is_shown_where_the_person_is),
    };
    return cmocka_run_group_tests(tests, object_make, object_free);
}
