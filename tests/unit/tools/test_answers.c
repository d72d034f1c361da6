#include "tools/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

#define PATH_BYTES 128u

static char folder[PATH_BYTES];

static const struct spean_question known[] = {
    {.name = "person.name", .text = "Name"},
    {.name = "passphrase", .text = "Passphrase", .secret = true},
    {0},
};

static int folder_make(void **state)
{
    (void)state;
    scratch_make(folder, sizeof(folder));
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static struct spean_problem problem;

static enum spean_exit load(const char *text, struct spean_answers **answers)
{
    char path[PATH_BYTES];
    scratch_write(folder, "answers", text, path, sizeof(path));
    return spean_answers_load(path, known, answers, &problem);
}

static void assert_refused(const char *text, const char *message)
{
    struct spean_answers *answers = NULL;
    assert_int_equal(load(text, &answers), SPEAN_EXIT_USAGE);
    assert_non_null(strstr(problem.message, message));
    assert_null(answers);
}

static void answers_are_found_by_name_with_spaces_around_them_ignored(void **state)
{
    (void)state;
    struct spean_answers *answers;
    assert_int_equal(
        load("# who\n\nperson.name:   Sok Dara  \r\n  passphrase: a: b # c\nproceed:yes", &answers),
        SPEAN_EXIT_DONE);
    assert_string_equal(spean_answers_take(answers, "person.name"), "Sok Dara");
    assert_string_equal(spean_answers_take(answers, "passphrase"), "a: b # c");
    assert_string_equal(spean_answers_take(answers, "proceed"), "yes");
    assert_null(spean_answers_take(answers, "confirm"));
    spean_answers_free(answers);
}

static void unused_answers_are_known_by_name(void **state)
{
    (void)state;
    struct spean_answers *answers;
    assert_int_equal(load("person.name: a\npassphrase: b\n", &answers), SPEAN_EXIT_DONE);
    assert_string_equal(spean_answers_unused(answers), "person.name");
    (void)spean_answers_take(answers, "person.name");
    assert_string_equal(spean_answers_unused(answers), "passphrase");
    (void)spean_answers_take(answers, "passphrase");
    assert_null(spean_answers_unused(answers));
    spean_answers_free(answers);
}

static void a_name_that_is_never_asked_is_refused_before_anything_is_done(void **state)
{
    (void)state;
    assert_refused("person.nmae: Sok Dara\n", "line 1: \"person.nmae\" is never asked");
    assert_null(strstr(problem.message, "Dara"));
}

static void what_is_not_name_and_answer_is_refused_by_line(void **state)
{
    (void)state;
    assert_refused("person.name: a\nsecret words\n", "line 2");
    assert_null(strstr(problem.message, "secret"));
    assert_refused("person.name\n", "line 1");
    assert_refused("person.name = a\n", "line 1");
    assert_refused(": a\n", "line 1");
    assert_refused("Person.Name: a\n", "line 1");
    assert_refused("person.name: a\nperson.name: b\n", "line 2: \"person.name\" is answered twice");
    assert_refused("person.name: \xff\n", "not UTF-8");
}

static void a_name_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    char text[SPEAN_ANSWERS_NAME_BYTES_MAX + 8];
    memset(text, 'a', sizeof(text));
    memcpy(text + SPEAN_ANSWERS_NAME_BYTES_MAX, ": x", 4);
    assert_refused(text, "never asked"); /* Well-formed, if unknown. */
    memset(text, 'a', sizeof(text));
    memcpy(text + SPEAN_ANSWERS_NAME_BYTES_MAX + 1, ": x", 4);
    assert_refused(text, "not \"name: answer\"");
}

static void an_answer_or_file_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    char *const text = malloc(SPEAN_ANSWERS_FILE_BYTES_MAX + 2);
    assert_non_null(text);
    memset(text, 'a', SPEAN_ANSWERS_FILE_BYTES_MAX + 1);
    memcpy(text, "passphrase: ", 12);
    text[SPEAN_ANSWERS_FILE_BYTES_MAX + 1] = '\0';
    assert_refused(text, "bytes");
    text[12 + SPEAN_ANSWER_BYTES_MAX + 1] = '\0';
    assert_refused(text, "line 1: too long");
    text[12 + SPEAN_ANSWER_BYTES_MAX] = '\0';
    struct spean_answers *answers;
    assert_int_equal(load(text, &answers), SPEAN_EXIT_DONE);
    spean_answers_free(answers);
    free(text);
}

static void more_answers_than_the_limit_are_refused(void **state)
{
    (void)state;
    enum { COUNT = SPEAN_ANSWERS_COUNT_MAX + 1, NAME = 16, LINE = 32 };
    static char names[COUNT][NAME];
    static struct spean_question many[COUNT + 1];
    static char text[COUNT * LINE];
    char path[PATH_BYTES];
    struct spean_answers *answers = NULL;
    for (size_t used = 0, i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], NAME, "name.%zu", i);
        many[i].name = names[i];
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s: x\n", names[i]);
    }
    scratch_write(folder, "many", text, path, sizeof(path));
    assert_int_equal(spean_answers_load(path, many, &answers, &problem), SPEAN_EXIT_USAGE);
    assert_non_null(strstr(problem.message, "256 answers"));
    *strrchr(text, 'n') = '\0';
    scratch_write(folder, "many", text, path, sizeof(path));
    assert_int_equal(spean_answers_load(path, many, &answers, &problem), SPEAN_EXIT_DONE);
    spean_answers_free(answers);
}

static void a_file_that_is_absent_or_readable_by_others_is_refused(void **state)
{
    (void)state;
    struct spean_answers *answers = NULL;
    assert_int_equal(spean_answers_load("/nonexistent/x", known, &answers, &problem),
                     SPEAN_EXIT_NOT_FOUND);
    char path[PATH_BYTES];
    scratch_write(folder, "open", "passphrase: x\n", path, sizeof(path));
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(spean_answers_load(path, known, &answers, &problem), SPEAN_EXIT_DENIED);
    assert_null(answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_found_by_name_with_spaces_around_them_ignored),
        cmocka_unit_test(unused_answers_are_known_by_name),
        cmocka_unit_test(a_name_that_is_never_asked_is_refused_before_anything_is_done),
        cmocka_unit_test(what_is_not_name_and_answer_is_refused_by_line),
        cmocka_unit_test(a_name_beyond_the_limit_is_refused),
        cmocka_unit_test(an_answer_or_file_beyond_the_limit_is_refused),
        cmocka_unit_test(more_answers_than_the_limit_are_refused),
        cmocka_unit_test(a_file_that_is_absent_or_readable_by_others_is_refused),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
