#include "tools/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A table of our own takes the place of the program's. */
static enum spean_exit run_nothing(struct spean_call *call, struct spean_problem *problem)
{
    (void)call;
    (void)problem;
    return SPEAN_EXIT_DONE;
}

static const struct spean_command commands[] = {
    {
        .path = "thing show",
        .args = (const struct spean_arg[]){{.name = "thing", .kind = SPEAN_KIND_ID}, {0}},
        .run = run_nothing,
    },
    {
        .path = "thing add",
        .flags =
            (const struct spean_flag[]){
                {.name = "name", .kind = SPEAN_KIND_PRIVATE, .value = "@FILE"},
                {.name = "kind", .kind = SPEAN_KIND_CHOICE, .choices = "small|large"},
                {.name = "count", .letter = 'c', .kind = SPEAN_KIND_NUMBER, .required = true},
                {.name = "label", .kind = SPEAN_KIND_TEXT, .repeats = true},
                {.name = "loud", .letter = 'l'},
                {0},
            },
        .run = run_nothing,
    },
    {
        .path = "thing join all",
        .args =
            (const struct spean_arg[]){
                {.name = "file", .kind = SPEAN_KIND_FILE},
                {.name = "more", .kind = SPEAN_KIND_TEXT, .optional = true, .repeats = true},
                {0}},
        .run = run_nothing,
    },
    {0},
};
static const struct spean_group group = {.name = "thing", .commands = commands};
const struct spean_group *const spean_groups[] = {&group, NULL};

/* A parsed command line, with the words it points into. */
struct line {
    char text[1024];
    char *argv[SPEAN_PARSE_WORDS_MAX + 2];
    int argc;
    struct spean_parsed parsed;
    struct spean_problem problem;
    enum spean_exit exit;
};

static struct line line;

/* Parse text, split at spaces. */
static enum spean_exit parse(const char *text)
{
    (void)snprintf(line.text, sizeof(line.text), "%s", text);
    line.argc = 0;
    char *rest = NULL;
    for (char *word = strtok_r(line.text, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        line.argv[line.argc++] = word;
    }
    line.argv[line.argc] = NULL;
    line.problem = (struct spean_problem){0};
    line.exit = spean_parse(line.argc, line.argv, &line.parsed, &line.problem);
    return line.exit;
}

static int line_end(void **state)
{
    (void)state;
    spean_parsed_fini(&line.parsed);
    return 0;
}

static const char *value(const char *name)
{
    for (size_t i = 0; i < line.parsed.values_count; i++) {
        if (strcmp(line.parsed.values[i].name, name) == 0) {
            return line.parsed.values[i].text;
        }
    }
    return NULL;
}

/* Parse text, which must be refused as wrong usage with message in it, and hint if not NULL. */
static void assert_refused(const char *text, const char *message, const char *hint)
{
    assert_int_equal(parse(text), SPEAN_EXIT_USAGE);
    assert_string_equal(line.problem.code, "usage");
    assert_non_null(strstr(line.problem.message, message));
    if (hint != NULL) {
        assert_non_null(strstr(line.problem.hint, hint));
    }
    spean_parsed_fini(&line.parsed);
}

static void flags_stand_before_and_after_the_verb_and_its_arguments(void **state)
{
    (void)state;
    assert_int_equal(parse("spean --json -q thing show --home /h 7F3A-91C4 --color=never -y"),
                     SPEAN_EXIT_DONE);
    assert_string_equal(line.parsed.command->path, "thing show");
    assert_string_equal(value("thing"), "7f3a91c4");
    assert_true(line.parsed.globals.json);
    assert_true(line.parsed.globals.quiet);
    assert_true(line.parsed.globals.yes);
    assert_false(line.parsed.globals.dry_run);
    assert_string_equal(line.parsed.globals.home, "/h");
    assert_int_equal(line.parsed.globals.color, SPEAN_COLOR_NEVER);
}

static void values_come_apart_attached_and_behind_letters(void **state)
{
    (void)state;
    assert_int_equal(parse("spean thing add --count=១២ --label a --label=b -l"), SPEAN_EXIT_DONE);
    assert_string_equal(value("count"), "12");
    assert_string_equal(value("label"), "a");
    assert_non_null(value("loud"));
    assert_null(value("kind"));
    spean_parsed_fini(&line.parsed);
    assert_int_equal(parse("spean thing add -lc７ --kind small --name @f"), SPEAN_EXIT_DONE);
    assert_string_equal(value("count"), "7");
    assert_string_equal(value("name"), "@f");
    spean_parsed_fini(&line.parsed);
    assert_int_equal(parse("spean thing add -c 9 --name -"), SPEAN_EXIT_DONE);
    assert_string_equal(value("name"), "-");
}

static void the_longest_path_is_the_command(void **state)
{
    (void)state;
    assert_int_equal(parse("spean thing join all a b c"), SPEAN_EXIT_DONE);
    assert_string_equal(line.parsed.command->path, "thing join all");
    assert_int_equal(line.parsed.values_count, 3);
    spean_parsed_fini(&line.parsed);
    assert_int_equal(parse("spean thing join all -- --a"), SPEAN_EXIT_DONE);
    assert_string_equal(value("file"), "--a");
}

static void help_asks_for_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(parse("spean thing add --help"), SPEAN_EXIT_DONE);
    assert_true(line.parsed.globals.help);
    assert_string_equal(line.parsed.command->path, "thing add");
    spean_parsed_fini(&line.parsed);
    assert_int_equal(parse("spean thing -h"), SPEAN_EXIT_DONE);
    assert_null(line.parsed.command);
    assert_ptr_equal(line.parsed.group, &group);
    spean_parsed_fini(&line.parsed);
    assert_int_equal(parse("spean --help"), SPEAN_EXIT_DONE);
    assert_true(line.parsed.globals.help);
}

static void nothing_or_a_group_alone_is_no_command(void **state)
{
    (void)state;
    assert_int_equal(parse("spean"), SPEAN_EXIT_DONE);
    assert_null(line.parsed.command);
    assert_null(line.parsed.group);
    spean_parsed_fini(&line.parsed);
    assert_int_equal(parse("spean thing --json"), SPEAN_EXIT_DONE);
    assert_null(line.parsed.command);
    assert_ptr_equal(line.parsed.group, &group);
}

static void unknown_verbs_are_refused_with_the_nearest(void **state)
{
    (void)state;
    assert_refused("spean thnig add", "thnig", "spean thing add");
    assert_refused("spean thing shwo x", "thing shwo", "spean thing show");
    assert_refused("spean thing xyzzy", "thing xyzzy", "spean help thing");
    assert_refused("spean --json xyzzy", "xyzzy", "spean help");
    assert_refused("spean thing --json shwo", "thing shwo", "spean thing show");
    assert_refused("spean tihng", "tihng", "spean thing");
}

static void unknown_flags_are_refused_with_the_nearest(void **state)
{
    (void)state;
    assert_refused("spean thing show 7f3a --jsno", "--jsno", "--json");
    assert_refused("spean --jsno thing show 7f3a", "--jsno", "--json");
    assert_refused("spean thing add --lable x", "--lable", "--label");
    assert_refused("spean thing show --label x 7f3a", "--label", NULL); /* Another verb's. */
    assert_refused("spean thing show -x 7f3a", "-x", NULL);
    assert_refused("spean thing show -yx 7f3a", "-x", NULL);
}

static void abbreviated_flags_are_refused(void **state)
{
    (void)state;
    assert_refused("spean thing add --coun 1", "--coun", "--count");
    assert_refused("spean thing add --cou=1", "--cou", "--count");
    assert_refused("spean thing show 7f3a --dry-ru", "--dry-ru", "--dry-run");
    assert_refused("spean thing show 7f3a --no", "--no", NULL);
}

static void a_refused_flag_does_not_repeat_its_value(void **state)
{
    (void)state;
    assert_refused("spean thing add --nmae=Sokha", "--nmae", "--name");
    assert_null(strstr(line.problem.message, "Sokha"));
}

static void private_values_on_the_command_line_are_refused_and_not_repeated(void **state)
{
    (void)state;
    assert_refused("spean thing add -c 1 --name Sokha", "--name takes @FILE", "shells remember");
    assert_null(strstr(line.problem.message, "Sokha"));
    assert_null(strstr(line.problem.hint, "Sokha"));
    assert_refused("spean thing add -c 1 --name @", "--name takes @FILE", NULL);
}

static void missing_and_surplus_words_are_refused(void **state)
{
    (void)state;
    assert_refused("spean thing show", "THING is missing", "spean help thing show");
    assert_refused("spean thing show 7f3a 91c4", "too many", "spean help thing show");
    assert_refused("spean thing add", "--count is missing", "spean help thing add");
    assert_refused("spean thing add --count", "--count needs a value", NULL);
    assert_refused("spean thing add -c", "--count needs a value", NULL);
    assert_refused("spean thing add -c 1 --loud=yes", "--loud takes no value", NULL);
    assert_refused("spean thing join all", "FILE is missing", NULL);
}

static void a_flag_given_twice_is_refused(void **state)
{
    (void)state;
    assert_refused("spean thing add -c 1 --count 2", "--count is given twice", NULL);
    assert_refused("spean --json thing show --json 7f3a", "--json is given twice", NULL);
}

static void malformed_values_are_refused(void **state)
{
    (void)state;
    assert_refused("spean thing add -c x", "--count must be a whole number", NULL);
    assert_refused("spean thing add -c -1", "--count must be a whole number", NULL);
    assert_refused("spean thing add -c 1.5", "--count must be a whole number", NULL);
    assert_refused("spean thing add -c 9007199254740993", "--count must be", NULL);
    assert_refused("spean thing add -c 99999999999999999999999", "--count must be", NULL);
    assert_refused("spean thing add -c 1 --kind medium", "--kind cannot be", "small|large");
    assert_refused("spean thing add -c 1 --kind small|large", "--kind cannot be", NULL);
    assert_refused("spean thing add -c 1 --label=", "--label is empty", NULL);
    assert_refused("spean thing show zz", "neither an id nor a code", NULL);
    assert_refused("spean thing show KH-2611-0317-C", "mistyped", "check character");
    assert_refused("spean thing show 7f3a --color blue", "--color cannot be", "auto|always|never");
    assert_refused("spean thing show 7f3a --label \xff", "not UTF-8", NULL);
    assert_int_equal(parse("spean thing add -c 9007199254740992"), SPEAN_EXIT_DONE);
}

static void globals_before_a_mistake_still_decide_how_it_is_told(void **state)
{
    (void)state;
    assert_int_equal(parse("spean thing add --json --nope"), SPEAN_EXIT_USAGE);
    assert_true(line.parsed.globals.json);
}

static void globals_behind_a_mistake_decide_how_it_is_told_too(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "spean xyzzy --json",
        "spean thing xyzzy --json",
        "spean thing add --nope --json",
        "spean thing add -c x --json",
        "spean thing show zz --json",
        "spean thing show 7f3a \xff --json",
        "spean xyzzy --nope --lang km --plain --color=never --quiet --json",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        spean_parsed_fini(&line.parsed);
        assert_int_equal(parse(wrong[i]), SPEAN_EXIT_USAGE);
        assert_true(line.parsed.globals.json);
    }
    assert_true(line.parsed.globals.plain);
    assert_true(line.parsed.globals.quiet);
    assert_string_equal(line.parsed.globals.lang, "km");
    assert_int_equal(line.parsed.globals.color, SPEAN_COLOR_NEVER);
    spean_parsed_fini(&line.parsed);
    assert_int_equal(parse("spean xyzzy --jsonx --lang=xx --color --plainly"), SPEAN_EXIT_USAGE);
    assert_false(line.parsed.globals.json);
    assert_false(line.parsed.globals.plain);
    assert_null(line.parsed.globals.lang);
    spean_parsed_fini(&line.parsed);
    assert_int_equal(parse("spean xyzzy -- --json"), SPEAN_EXIT_USAGE);
    assert_false(line.parsed.globals.json);
}

static void one_word_or_value_beyond_the_limits_is_refused(void **state)
{
    (void)state;
    static char word[] = "a";
    static char first[] = "spean";
    line.argv[0] = first;
    for (size_t i = 1; i <= SPEAN_PARSE_WORDS_MAX; i++) {
        line.argv[i] = word;
    }
    line.argv[SPEAN_PARSE_WORDS_MAX + 1] = NULL;
    assert_int_equal(
        spean_parse((int)SPEAN_PARSE_WORDS_MAX + 1, line.argv, &line.parsed, &line.problem),
        SPEAN_EXIT_USAGE);
    assert_non_null(strstr(line.problem.message, "256 words"));
    spean_parsed_fini(&line.parsed);

    static char verb[][8] = {"thing", "join", "all"};
    for (size_t i = 0; i < 3; i++) {
        line.argv[1 + i] = verb[i];
    }
    const int most = 4 + (int)SPEAN_PARSE_VALUES_MAX;
    line.argv[most + 1] = NULL;
    assert_int_equal(spean_parse(most + 1, line.argv, &line.parsed, &line.problem),
                     SPEAN_EXIT_USAGE);
    assert_non_null(strstr(line.problem.message, "128 flags and arguments"));
    spean_parsed_fini(&line.parsed);
    line.argv[most] = NULL;
    assert_int_equal(spean_parse(most, line.argv, &line.parsed, &line.problem), SPEAN_EXIT_DONE);
}

static void a_value_longer_than_the_limit_is_refused(void **state)
{
    (void)state;
    char *const longest = malloc(SPEAN_PARSE_VALUE_BYTES_MAX + 2);
    assert_non_null(longest);
    memset(longest, 'a', SPEAN_PARSE_VALUE_BYTES_MAX + 1);
    longest[SPEAN_PARSE_VALUE_BYTES_MAX + 1] = '\0';
    char words[][8] = {"spean", "thing", "join", "all"};
    char *argv[] = {words[0], words[1], words[2], words[3], longest, NULL};
    assert_int_equal(spean_parse(5, argv, &line.parsed, &line.problem), SPEAN_EXIT_USAGE);
    assert_non_null(strstr(line.problem.message, "FILE is too long"));
    spean_parsed_fini(&line.parsed);
    longest[SPEAN_PARSE_VALUE_BYTES_MAX] = '\0';
    assert_int_equal(spean_parse(5, argv, &line.parsed, &line.problem), SPEAN_EXIT_DONE);
    free(longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, line_end)
        TEST(flags_stand_before_and_after_the_verb_and_its_arguments),
        TEST(values_come_apart_attached_and_behind_letters),
        TEST(the_longest_path_is_the_command),
        TEST(help_asks_for_nothing_else),
        TEST(nothing_or_a_group_alone_is_no_command),
        TEST(unknown_verbs_are_refused_with_the_nearest),
        TEST(unknown_flags_are_refused_with_the_nearest),
        TEST(abbreviated_flags_are_refused),
        TEST(a_refused_flag_does_not_repeat_its_value),
        TEST(private_values_on_the_command_line_are_refused_and_not_repeated),
        TEST(missing_and_surplus_words_are_refused),
        TEST(a_flag_given_twice_is_refused),
        TEST(malformed_values_are_refused),
        TEST(globals_before_a_mistake_still_decide_how_it_is_told),
        TEST(globals_behind_a_mistake_decide_how_it_is_told_too),
        TEST(one_word_or_value_beyond_the_limits_is_refused),
        TEST(a_value_longer_than_the_limit_is_refused),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
