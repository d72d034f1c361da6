#include "tools/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

static void an_edit_grows_by_parts_and_fields(void **state)
{
    (void)state;
    json_t *const edit = json_object();
    json_t *const wanted = json_loads(
        "{\"set\":{\"a\":\"x\",\"b\":null},\"add\":{\"c\":[1,2]},\"append\":{\"c\":[3]}}", 0, NULL);
    assert_int_equal(spean_edit_set(edit, "set", "a", json_string("w")), SPEAN_OK);
    assert_int_equal(spean_edit_set(edit, "set", "a", json_string("x")), SPEAN_OK);
    assert_int_equal(spean_edit_set(edit, "set", "b", json_null()), SPEAN_OK);
    assert_int_equal(spean_edit_append(edit, "add", "c", json_integer(1)), SPEAN_OK);
    assert_int_equal(spean_edit_append(edit, "add", "c", json_integer(2)), SPEAN_OK);
    assert_int_equal(spean_edit_append(edit, "append", "c", json_integer(3)), SPEAN_OK);
    assert_true(json_equal(edit, wanted));
    json_decref(wanted);
    json_decref(edit);
}

static void memory_that_ran_out_before_is_noticed(void **state)
{
    (void)state;
    json_t *const edit = json_object();
    assert_int_equal(spean_edit_set(edit, "set", "a", NULL), SPEAN_ENOMEM);
    assert_int_equal(spean_edit_append(edit, "add", "a", NULL), SPEAN_ENOMEM);
    assert_int_equal(spean_edit_set(edit, "add", "b", json_string("no array")), SPEAN_OK);
    assert_int_equal(spean_edit_append(edit, "add", "b", json_string("x")), SPEAN_EINPUT);
    json_decref(edit);
}

static void a_mistake_in_a_file_is_told_with_its_line(void **state)
{
    (void)state;
    char folder[64];
    char path[96];
    struct spean_problem problem = {.code = ""};
    json_t *out = NULL;
    scratch_make(folder, sizeof(folder));
    scratch_write(folder, "edit.json", "{\n  \"set\": {\n    oops\n", path, sizeof(path));
    assert_int_equal(spean_edit_read(path, &out, &problem), SPEAN_EXIT_USAGE);
    assert_non_null(strstr(problem.message, "line 3"));
    assert_null(out);
    scratch_remove(folder);
}

static void a_file_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    char folder[64];
    char path[96];
    struct spean_problem problem = {.code = ""};
    json_t *out = NULL;
    scratch_make(folder, sizeof(folder));
    scratch_write(folder, "edit.json", "{\"set\":{}}", path, sizeof(path));
    assert_int_equal(spean_edit_json(path, 9, &out, &problem), SPEAN_EXIT_USAGE);
    assert_null(out);
    assert_int_equal(spean_edit_json(path, 10, &out, &problem), SPEAN_EXIT_DONE);
    json_decref(out);
    assert_int_equal(spean_edit_json("/nonexistent", 10, &out, &problem), SPEAN_EXIT_NOT_FOUND);
    scratch_remove(folder);
}

static void only_the_six_parts_make_an_edit(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    json_t *const good = json_loads("{\"set\":{},\"add\":{},\"remove\":{},\"append\":{},\"strike\":"
                                    "{},\"fixed\":{}}",
                                    0, NULL);
    json_t *const bad = json_loads("{\"set\":{},\"Set\":{}}", 0, NULL);
    assert_int_equal(spean_edit_check(good, &problem), SPEAN_EXIT_DONE);
    assert_int_equal(spean_edit_check(bad, &problem), SPEAN_EXIT_USAGE);
    assert_non_null(strstr(problem.message, "\"Set\""));
    json_decref(good);
    json_decref(bad);
}

static void a_pair_is_split_at_its_first_sign(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    struct spean_edit_pair pair;
    assert_int_equal(spean_edit_pair("name", "km=a=b", "hint", &pair, &problem), SPEAN_EXIT_DONE);
    assert_string_equal(pair.key, "km");
    assert_string_equal(pair.value, "a=b");
}

static void what_is_no_pair_is_refused_with_the_flag_and_a_hint(void **state)
{
    (void)state;
    char text[SPEAN_EDIT_KEY_BYTES + 3];
    memset(text, 'k', sizeof(text));
    memcpy(text + SPEAN_EDIT_KEY_BYTES, "=v", 3); /* One too long. */
    const char *const rows[] = {"", "=", "=v", "k=", "km", text};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spean_problem problem = {.code = ""};
        struct spean_edit_pair pair;
        assert_int_equal(spean_edit_pair("name", rows[i], "km=...", &pair, &problem),
                         SPEAN_EXIT_USAGE);
        assert_non_null(strstr(problem.message, "--name"));
        assert_string_equal(problem.hint, "km=...");
    }
    struct spean_problem problem = {.code = ""};
    struct spean_edit_pair pair;
    assert_int_equal(spean_edit_pair("name", text + 1, "", &pair, &problem), SPEAN_EXIT_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_split_at_its_first_sign),
        cmocka_unit_test(what_is_no_pair_is_refused_with_the_flag_and_a_hint),
        cmocka_unit_test(an_edit_grows_by_parts_and_fields),
        cmocka_unit_test(memory_that_ran_out_before_is_noticed),
        cmocka_unit_test(a_mistake_in_a_file_is_told_with_its_line),
        cmocka_unit_test(a_file_beyond_the_limit_is_refused),
        cmocka_unit_test(only_the_six_parts_make_an_edit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
