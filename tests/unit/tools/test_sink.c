#include "tools/sink.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/tools/clikit.h"

#define PATH_BYTES 160u
#define TEXT_BYTES 64u

static char folder[PATH_BYTES];
static char path[PATH_BYTES + 32];
static char part[PATH_BYTES + 64];

static int folder_make(void **state)
{
    (void)state;
    scratch_make(folder, sizeof(folder));
    (void)snprintf(path, sizeof(path), "%s/out", folder);
    (void)snprintf(part, sizeof(part), "%s" SPEAN_SINK_PART, path);
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static void assert_files(size_t count)
{
    size_t found = 0;
    DIR *const dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        found += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    assert_int_equal(closedir(dir), 0);
    assert_int_equal(found, count);
}

static void assert_holds(const char *name, const char *text)
{
    char got[TEXT_BYTES] = "";
    FILE *const file = fopen(name, "r");
    assert_non_null(file);
    got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_string_equal(got, text);
}

/* How often fill was called, and what it does. */
struct filling {
    const char *text;
    const char *plants; /* A file that appears meanwhile. */
    enum spean_exit exit;
    unsigned calls;
};

static enum spean_exit fill(void *ctx, FILE *file, struct spean_problem *problem)
{
    struct filling *const filling = ctx;
    struct stat facts;
    filling->calls++;
    assert_int_equal(lstat(path, &facts), -1); /* Nobody sees half of it. */
    assert_int_equal(lstat(part, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_true(fputs(filling->text, file) >= 0);
    if (filling->plants != NULL) {
        scratch_write(folder, "out", filling->plants, path, sizeof(path));
    }
    return filling->exit == SPEAN_EXIT_DONE
               ? SPEAN_EXIT_DONE
               : spean_problem_set(problem, filling->exit, "given", "given");
}

static void a_file_appears_whole_and_for_nobody_else(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    struct filling filling = {.text = "all of it"};
    struct stat facts;
    const mode_t before = umask(0);
    const enum spean_exit exit = spean_sink_write(path, fill, &filling, &problem);
    (void)umask(before);
    assert_int_equal(exit, SPEAN_EXIT_DONE);
    assert_holds(path, "all of it");
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_files(1);
}

static void what_is_there_is_refused_before_anything_is_done(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    struct filling filling = {.text = "new"};
    scratch_write(folder, "out", "old", path, sizeof(path));
    assert_int_equal(spean_sink_write(path, fill, &filling, &problem), SPEAN_EXIT_STATE);
    assert_string_equal(problem.code, "exists");
    assert_true(problem.hint[0] != '\0');
    assert_int_equal(filling.calls, 0);
    assert_holds(path, "old");
    assert_files(1);
}

static void a_link_that_leads_nowhere_is_there_too(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    struct filling filling = {.text = "new"};
    assert_int_equal(symlink("nowhere", path), 0);
    assert_int_equal(spean_sink_write(path, fill, &filling, &problem), SPEAN_EXIT_STATE);
    assert_int_equal(filling.calls, 0);
    assert_files(1);
}

/* What a killed export left, or somebody's own file: others may be able to read it. */
static void what_has_the_name_of_an_unfinished_one_is_not_written_into(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    struct filling filling = {.text = "new"};
    char name[PATH_BYTES + 64];
    scratch_write(folder, "out" SPEAN_SINK_PART, "old", name, sizeof(name));
    assert_int_equal(chmod(name, 0644), 0);
    assert_int_equal(spean_sink_write(path, fill, &filling, &problem), SPEAN_EXIT_STATE);
    assert_string_equal(problem.code, "exists");
    assert_non_null(strstr(problem.message, SPEAN_SINK_PART));
    assert_non_null(strstr(problem.hint, "remove it"));
    assert_int_equal(filling.calls, 0);
    assert_holds(part, "old");
    assert_files(1);
}

static void what_appears_meanwhile_is_not_overwritten(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    struct filling filling = {.text = "new", .plants = "theirs"};
    assert_int_equal(spean_sink_write(path, fill, &filling, &problem), SPEAN_EXIT_STATE);
    assert_holds(path, "theirs");
    assert_files(1);
}

static void after_a_refusal_of_what_fills_it_there_is_nothing(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    struct filling filling = {.text = "half", .exit = SPEAN_EXIT_LOCKED};
    assert_int_equal(spean_sink_write(path, fill, &filling, &problem), SPEAN_EXIT_LOCKED);
    assert_string_equal(problem.code, "given");
    assert_files(0);
}

static enum spean_exit fill_full(void *ctx, FILE *file, struct spean_problem *problem)
{
    (void)ctx;
    (void)problem;
    FILE *const full = freopen("/dev/full", "w", file);
    assert_ptr_equal(full, file);
    assert_true(fputs("lost", file) >= 0);
    return SPEAN_EXIT_DONE;
}

static void a_disk_that_is_full_is_told_and_leaves_nothing(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    assert_int_equal(spean_sink_write(path, fill_full, NULL, &problem), SPEAN_EXIT_FAILED);
    assert_non_null(strstr(problem.message, "No space"));
    assert_files(0);
}

static void a_rehearsal_makes_nothing_and_refuses_what_is_there(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    assert_int_equal(spean_sink_rehearse(path, fill_full, NULL, &problem), SPEAN_EXIT_DONE);
    assert_files(0);
    scratch_write(folder, "out", "old", path, sizeof(path));
    assert_int_equal(spean_sink_rehearse(path, fill_full, NULL, &problem), SPEAN_EXIT_STATE);
    assert_holds(path, "old");
}

static void a_folder_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    struct filling filling = {.text = "new"};
    assert_int_equal(spean_sink_write("/nowhere/at/all", fill, &filling, &problem),
                     SPEAN_EXIT_NOT_FOUND);
    assert_int_equal(filling.calls, 0);
}

static void an_array_is_json_however_many_members_it_has(void **state)
{
    (void)state;
    for (json_int_t count = 0; count < 4; count++) {
        struct spean_problem problem = {.code = ""};
        char *text = NULL;
        size_t len = 0;
        FILE *const file = open_memstream(&text, &len);
        for (json_int_t i = 0; i < count; i++) {
            json_t *const member = json_pack("{s:I}", "number", i);
            assert_int_equal(spean_sink_member(file, i, member, &problem), SPEAN_EXIT_DONE);
            json_decref(member);
        }
        spean_sink_members_end(file, count);
        assert_int_equal(fclose(file), 0);
        json_t *const read = json_loadb(text, len, 0, NULL);
        assert_true(json_is_array(read));
        assert_int_equal(json_array_size(read), count);
        json_decref(read);
        free(text);
    }
}

static void a_line_that_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    struct spean_problem problem = {.code = ""};
    json_t *const value = json_pack("{s:s}", "name", "x");
    FILE *const full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(setvbuf(full, NULL, _IONBF, 0), 0);
    assert_int_equal(spean_sink_line(full, value, &problem), SPEAN_EXIT_FAILED);
    assert_non_null(strstr(problem.message, "No space"));
    (void)fclose(full);
    json_decref(value);
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_appears_whole_and_for_nobody_else),
        TEST(what_is_there_is_refused_before_anything_is_done),
        TEST(a_link_that_leads_nowhere_is_there_too),
        TEST(what_has_the_name_of_an_unfinished_one_is_not_written_into),
        TEST(what_appears_meanwhile_is_not_overwritten),
        TEST(after_a_refusal_of_what_fills_it_there_is_nothing),
        TEST(a_disk_that_is_full_is_told_and_leaves_nothing),
        TEST(a_rehearsal_makes_nothing_and_refuses_what_is_there),
        TEST(a_folder_that_is_not_there_is_not_found),
        TEST(an_array_is_json_however_many_members_it_has),
        TEST(a_line_that_cannot_be_written_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
