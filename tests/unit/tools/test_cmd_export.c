/* `spean export`: every record of every type on a line of its own, and a last line that counts. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/tools/clikit.h"

#define PATH_BYTES 160u
#define LINE_BYTES 512u
#define TYPES      6u

#define EMPTY                                                                                      \
    {                                                                                              \
        .status = 200, .json = "{\"items\":[],\"next\":null}"                                      \
    }
#define ONE(ID, TYPE)                                                                              \
    {                                                                                              \
        .status = 200,                                                                             \
        .json = "{\"items\":[{\"id\":\"" ID "\",\"type\":\"" TYPE "\"}],\"next\":null}"            \
    }

static char folder[PATH_BYTES];
static char path[PATH_BYTES + 32];

static int folder_make(void **state)
{
    (void)state;
    scratch_make(folder, sizeof(folder));
    (void)snprintf(path, sizeof(path), "%s/all.jsonl", folder);
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

/* Run it against what the daemon answers, the first of the types first. */
static void run(struct talk *talk, const struct api_say *says, size_t count)
{
    talk_run(talk, says, count,
             (const char *const[]){"spean", "export", "--out", path, "--json", NULL});
}

/* Fail unless the folder holds so many files, whatever they are called. */
static void assert_files(size_t count)
{
    size_t found = 0;
    DIR *const dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        found += strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ? 0 : 1;
    }
    assert_int_equal(closedir(dir), 0);
    assert_int_equal(found, count);
}

/* Read the lines of the file; each has to be JSON. */
static size_t lines_read(json_t *lines[], size_t max)
{
    char line[LINE_BYTES];
    size_t count = 0;
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        assert_true(count < max);
        lines[count] = json_loads(line, 0, NULL);
        assert_non_null(lines[count]);
        count++;
    }
    assert_int_equal(fclose(file), 0);
    return count;
}

static void assert_line(const json_t *line, const char *key, const char *text)
{
    assert_string_equal(json_string_value(json_object_get(line, key)), text);
}

static void every_type_is_asked_for_page_by_page_and_counted_last(void **state)
{
    (void)state;
    struct talk talk;
    struct stat facts;
    json_t *lines[TYPES + 2] = {NULL};
    const struct api_say says[] = {
        {.status = 200, .json = "{\"items\":[{\"id\":\"a1\"}],\"next\":\"a1\"}"},
        ONE("a2", "agency"),
        ONE("b1", "case"),
        EMPTY,
        ONE("d1", "referral"),
        EMPTY,
        ONE("f1", "code"),
    };
    run(&talk, says, sizeof(says) / sizeof(says[0]));
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    static const char *const asked[] = {
        "GET /v1/export?type=agency&limit=200",   "GET /v1/export?type=agency&limit=200&after=a1",
        "GET /v1/export?type=case&limit=200",     "GET /v1/export?type=consent&limit=200",
        "GET /v1/export?type=referral&limit=200", "GET /v1/export?type=code_list&limit=200",
        "GET /v1/export?type=code&limit=200",
    };
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        assert_asked(&talk, i, asked[i], NULL);
    }
    assert_int_equal(lines_read(lines, TYPES + 2), 6);
    static const char *const ids[] = {"a1", "a2", "b1", "d1", "f1"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_line(lines[i], "id", ids[i]);
    }
    assert_line(lines[5], "type", "summary");
    const json_t *const counts = json_object_get(lines[5], "counts");
    assert_int_equal(json_integer_value(json_object_get(lines[5], "exported")), 5);
    assert_int_equal(json_object_size(counts), TYPES); /* Also those of which there are none. */
    assert_int_equal(json_integer_value(json_object_get(counts, "agency")), 2);
    assert_true(json_is_integer(json_object_get(counts, "consent")));
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    for (size_t i = 0; i < 6; i++) {
        json_decref(lines[i]);
    }
    talk_fini(&talk);
}

static void what_is_there_is_not_overwritten_and_nothing_is_asked(void **state)
{
    (void)state;
    struct talk talk;
    FILE *const mine = fopen(path, "w");
    assert_non_null(mine);
    assert_true(fputs("mine", mine) >= 0);
    assert_int_equal(fclose(mine), 0);
    run(&talk, NULL, 0);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_non_null(strstr(talk.result.out, "\"exists\""));
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_size, 4);
    assert_files(1);
    talk_fini(&talk);
}

/* A refusal, whenever it comes, leaves nothing: not half a file, not one without its last line. */
static void a_refusal_at_any_type_leaves_no_file(void **state)
{
    (void)state;
    static const char refused[] = "{\"error\":{\"code\":\"role\",\"message\":\"no\",\"hint\":\"\","
                                  "\"exit\":4}}";
    for (size_t at = 0; at < TYPES; at++) {
        struct api_say says[TYPES];
        struct talk talk;
        for (size_t i = 0; i < at; i++) {
            says[i] = (struct api_say)ONE("a1", "agency");
        }
        says[at] = (struct api_say){.status = 403, .json = refused};
        run(&talk, says, at + 1);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_DENIED);
        assert_files(0);
        talk_fini(&talk);
    }
}

static void a_page_that_is_no_list_is_no_end_of_one(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {ONE("a1", "agency"), {.status = 200, .json = "{}"}};
    run(&talk, says, 2);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_FAILED);
    assert_files(0);
    talk_fini(&talk);
}

static void pages_that_go_round_are_refused(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say round = {.status = 200,
                                  .json = "{\"items\":[{\"id\":\"a1\"}],\"next\":\"a1\"}"};
    const struct api_say says[] = {round, round};
    run(&talk, says, 2);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_FAILED);
    assert_files(0);
    talk_fini(&talk);
}

static void one_record_is_no_records(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 2; count++) {
        struct api_say says[TYPES] = {ONE("a1", "agency"), EMPTY, EMPTY, EMPTY, EMPTY, EMPTY};
        struct talk talk;
        char said[64];
        if (count == 2) {
            says[1] = (struct api_say)ONE("b1", "case");
        }
        talk_run(&talk, says, TYPES, (const char *const[]){"spean", "export", "--out", path, NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
        (void)snprintf(said, sizeof(said), "%zu record%s written to ", count,
                       count == 1 ? "" : "s");
        assert_non_null(strstr(talk.result.err, said));
        talk_fini(&talk);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_dry_run_writes_no_file(void **state)
{
    (void)state;
    const struct api_say says[TYPES] = {ONE("a1", "agency"), EMPTY, EMPTY, EMPTY, EMPTY, EMPTY};
    struct talk talk;
    talk_run(&talk, says, TYPES,
             (const char *const[]){"spean", "export", "--out", path, "--dry-run", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(talk.result.err, "dry run"));
    assert_null(strstr(talk.result.err, "written to"));
    talk_fini(&talk);
    assert_files(0);
    talk_run(&talk, says, TYPES,
             (const char *const[]){"spean", "export", "--out", path, "--dry-run", "--json", NULL});
    assert_non_null(strstr(talk.result.out, "\"dry_run\": true"));
    talk_fini(&talk);
}

static void without_a_file_it_is_no_command(void **state)
{
    (void)state;
    struct cli_result result;
    cli_run(&result, "spean", "export", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.err, "--out"));
    cli_result_fini(&result);
    cli_run(&result, "spean", "export", "--out", "/nowhere/at/all.jsonl", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_NOT_FOUND);
    cli_result_fini(&result);
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_is_asked_for_page_by_page_and_counted_last),
        TEST(what_is_there_is_not_overwritten_and_nothing_is_asked),
        TEST(a_refusal_at_any_type_leaves_no_file),
        TEST(a_page_that_is_no_list_is_no_end_of_one),
        TEST(pages_that_go_round_are_refused),
        TEST(one_record_is_no_records),
        TEST(a_dry_run_writes_no_file),
        TEST(without_a_file_it_is_no_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
