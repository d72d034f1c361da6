#include "tools/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

/* Call check for every command of the program and count them. */
static size_t for_each(void (*check)(const struct spean_group *, const struct spean_command *))
{
    size_t count = 0;
    for (size_t g = 0; spean_groups[g] != NULL; g++) {
        for (const struct spean_command *c = spean_groups[g]->commands; c->path != NULL; c++) {
            check(spean_groups[g], c);
            count++;
        }
    }
    return count;
}

static const struct spean_command *find_exact(const char *path)
{
    for (size_t g = 0; spean_groups[g] != NULL; g++) {
        for (const struct spean_command *c = spean_groups[g]->commands; c->path != NULL; c++) {
            if (strcmp(c->path, path) == 0) {
                return c;
            }
        }
    }
    return NULL;
}

/* Refuse a text that is missing, or that ends in a blank as a forgotten continuation does. */
static void assert_text(const char *text)
{
    assert_non_null(text);
    assert_true(strlen(text) > 0);
    assert_true(text[strlen(text) - 1] != ' ');
}

static void check_texts(const struct spean_group *group, const struct spean_command *command)
{
    assert_text(group->summary);
    assert_text(command->summary);
    assert_text(command->text);
    assert_true(command->summary[strlen(command->summary) - 1] != '.');
    assert_true(command->text[strlen(command->text) - 1] == '.');
    assert_true(command->run != NULL);
    assert_non_null(command->examples);
    assert_non_null(command->examples[0]);
    for (const char *const *example = command->examples; *example != NULL; example++) {
        assert_non_null(strstr(*example, command->path));
    }
}

static void every_command_has_summary_text_examples_and_handler(void **state)
{
    (void)state;
    assert_true(for_each(check_texts) > 0);
}

static void check_path(const struct spean_group *group, const struct spean_command *command)
{
    const size_t len = strlen(group->name);
    assert_memory_equal(command->path, group->name, len);
    assert_true(command->path[len] == '\0' || command->path[len] == ' ');
    assert_ptr_equal(find_exact(command->path), command);
    size_t words = 1;
    for (const char *at = command->path; *at != '\0'; at++) {
        words += *at == ' ';
        assert_true((*at >= 'a' && *at <= 'z') || *at == '-' || *at == ' ');
    }
    assert_true(words <= SPEAN_COMMAND_WORDS_MAX);
}

static void every_path_begins_with_its_group_and_exists_once(void **state)
{
    (void)state;
    assert_true(for_each(check_path) > 0);
    for (size_t i = 0; spean_groups[i] != NULL; i++) {
        assert_ptr_equal(spean_group_find(spean_groups[i]->name), spean_groups[i]);
        for (size_t k = 0; k < i; k++) {
            assert_ptr_not_equal(spean_groups[k], spean_groups[i]);
        }
    }
}

static void check_inverse(const struct spean_group *group, const struct spean_command *command)
{
    (void)group;
    assert_non_null(command->inverse);
    if (strcmp(command->inverse, SPEAN_INVERSE_READS) != 0 &&
        strcmp(command->inverse, SPEAN_INVERSE_NONE) != 0) {
        assert_non_null(find_exact(command->inverse));
    }
}

static void every_command_names_an_inverse_that_exists_or_says_none(void **state)
{
    (void)state;
    assert_true(for_each(check_inverse) > 0);
}

static void check_flag(const struct spean_flag *flag)
{
    assert_text(flag->help);
    for (const char *at = flag->name; *at != '\0'; at++) {
        assert_true((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '-');
    }
    if (flag->kind == SPEAN_KIND_NONE) {
        assert_null(flag->value);
        assert_false(flag->required);
    } else {
        assert_text(flag->value);
    }
    assert_int_equal(flag->choices != NULL, flag->kind == SPEAN_KIND_CHOICE);
}

static size_t flags_named(const struct spean_flag *flags, const struct spean_flag *like)
{
    size_t count = 0;
    for (; flags != NULL && flags->name != NULL; flags++) {
        count += strcmp(flags->name, like->name) == 0 ||
                 (like->letter != '\0' && flags->letter == like->letter);
    }
    return count;
}

static void check_flags(const struct spean_group *group, const struct spean_command *command)
{
    (void)group;
    size_t count = 0;
    for (const struct spean_flag *f = spean_global_flags; f->name != NULL; f++) {
        count++;
        assert_int_equal(flags_named(command->flags, f), 0);
    }
    for (const struct spean_flag *f = command->flags; f != NULL && f->name != NULL; f++) {
        count++;
        check_flag(f);
        assert_int_equal(flags_named(command->flags, f), 1);
    }
    assert_true(count <= SPEAN_COMMAND_FLAGS_MAX);
}

static void every_flag_is_documented_and_named_once(void **state)
{
    (void)state;
    assert_true(for_each(check_flags) > 0);
    for (const struct spean_flag *f = spean_global_flags; f->name != NULL; f++) {
        check_flag(f);
        assert_int_equal(flags_named(spean_global_flags, f), 1);
    }
}

static void check_args(const struct spean_group *group, const struct spean_command *command)
{
    (void)group;
    size_t count = 0;
    bool optional = false;
    for (const struct spean_arg *a = command->args; a != NULL && a->name != NULL; a++) {
        const struct spean_flag like = {.name = a->name};
        assert_text(a->help);
        assert_int_not_equal(a->kind, SPEAN_KIND_NONE);
        assert_int_equal(a->choices != NULL, a->kind == SPEAN_KIND_CHOICE);
        assert_int_equal(flags_named(command->flags, &like), 0);
        assert_int_equal(flags_named(spean_global_flags, &like), 0);
        assert_true(a->optional || !optional); /* Optional ones stand at the end. */
        assert_true(!a->repeats || a[1].name == NULL);
        optional = a->optional;
        count++;
    }
    assert_true(count <= SPEAN_COMMAND_ARGS_MAX);
}

static void every_argument_is_documented_and_its_place_unambiguous(void **state)
{
    (void)state;
    assert_true(for_each(check_args) > 0);
}

static void check_questions(const struct spean_group *group, const struct spean_command *command)
{
    (void)group;
    for (const struct spean_question *q = command->questions; q != NULL && q->name != NULL; q++) {
        assert_text(q->text);
        assert_int_equal(strspn(q->name, "abcdefghijklmnopqrstuvwxyz0123456789._-"),
                         strlen(q->name));
        if (q->flag != NULL) {
            const struct spean_flag like = {.name = q->flag};
            assert_int_equal(flags_named(command->flags, &like), 1);
        }
        for (const struct spean_question *other = command->questions; other != q; other++) {
            assert_string_not_equal(other->name, q->name);
        }
    }
}

static void every_question_has_a_name_for_answers_and_a_flag_that_exists(void **state)
{
    (void)state;
    assert_true(for_each(check_questions) > 0);
}

/* Split path into the words of a help command, and give what "spean help" says about it. */
static void help_run(struct cli_result *result, const char *path, const char *extra)
{
    char words[SPEAN_COMMAND_WORDS_MAX][32] = {"", "", ""};
    (void)sscanf(path, "%31s %31s %31s", words[0], words[1], words[2]);
    const char *list[SPEAN_COMMAND_WORDS_MAX + 2] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < SPEAN_COMMAND_WORDS_MAX && words[i][0] != '\0'; i++) {
        list[count++] = words[i];
    }
    list[count] = extra;
    cli_run(result, "spean", "help", list[0], list[1], list[2], list[3], NULL);
}

/* Put what was broken into lines into one again, with single spaces. */
static void lines_join(char *text)
{
    size_t used = 0;
    for (const char *at = text; *at != '\0'; at++) {
        const bool space = *at == ' ' || *at == '\n';
        if (!space || (used > 0 && text[used - 1] != ' ')) {
            text[used++] = space ? ' ' : *at;
        }
    }
    text[used] = '\0';
}

static void check_help(const struct spean_group *group, const struct spean_command *command)
{
    (void)group;
    struct cli_result result;
    help_run(&result, command->path, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    lines_join(result.out);
    assert_non_null(strstr(result.out, command->summary));
    for (const struct spean_flag *f = command->flags; f != NULL && f->name != NULL; f++) {
        assert_non_null(strstr(result.out, f->help));
    }
    for (const struct spean_question *q = command->questions; q != NULL && q->name != NULL; q++) {
        assert_non_null(strstr(result.out, q->name));
    }
    cli_result_fini(&result);

    help_run(&result, command->path, "--json");
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_int_equal(result.out[0], '{');
    cli_result_fini(&result);
}

static void every_command_is_explained_by_help_in_text_and_json(void **state)
{
    (void)state;
    assert_true(for_each(check_help) > 0);
}

static void the_global_flags_are_those_that_were_promised(void **state)
{
    (void)state;
    static const char *const promised[] = {"json", "plain",    "quiet",   "dry-run",
                                           "yes",  "no-input", "lang",    "color",
                                           "home", "socket",   "answers", "help"};
    for (size_t i = 0; i < sizeof(promised) / sizeof(promised[0]); i++) {
        const struct spean_flag like = {.name = promised[i]};
        assert_int_equal(flags_named(spean_global_flags, &like), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_summary_text_examples_and_handler),
        cmocka_unit_test(every_path_begins_with_its_group_and_exists_once),
        cmocka_unit_test(every_command_names_an_inverse_that_exists_or_says_none),
        cmocka_unit_test(every_flag_is_documented_and_named_once),
        cmocka_unit_test(every_argument_is_documented_and_its_place_unambiguous),
        cmocka_unit_test(every_question_has_a_name_for_answers_and_a_flag_that_exists),
        cmocka_unit_test(every_command_is_explained_by_help_in_text_and_json),
        cmocka_unit_test(the_global_flags_are_those_that_were_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
