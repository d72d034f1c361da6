#include "store/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/store/fixture.h"

static void a_written_file_reads_back_and_is_its_owners_alone(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    fixture_path(*state, "key", path);
    assert_int_equal(spean_file_write_new(path, fixture_text("secret")), SPEAN_OK);

    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    uint8_t buf[16];
    size_t len = 0;
    assert_int_equal(spean_file_read(path, buf, sizeof(buf), &len), SPEAN_OK);
    assert_int_equal(len, 6);
    assert_memory_equal(buf, "secret", 6);
}

static void nothing_is_overwritten(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    fixture_path(*state, "key", path);
    assert_int_equal(spean_file_write_new(path, fixture_text("first")), SPEAN_OK);
    assert_int_equal(spean_file_write_new(path, fixture_text("second")), SPEAN_EEXISTS);

    uint8_t buf[16];
    size_t len = 0;
    assert_int_equal(spean_file_read(path, buf, sizeof(buf), &len), SPEAN_OK);
    assert_memory_equal(buf, "first", 5);
    fixture_path(*state, "key.new", path);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_draft_left_by_a_power_cut_is_replaced(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    char draft[FIXTURE_PATH_BYTES];
    fixture_path(*state, "key", path);
    fixture_path(*state, "key.new", draft);
    assert_int_equal(spean_file_write_new(draft, fixture_text("half")), SPEAN_OK);
    assert_int_equal(spean_file_write_new(path, fixture_text("whole")), SPEAN_OK);
    assert_int_equal(access(draft, F_OK), -1);
}

static void a_missing_directory_is_not_found(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    fixture_path(*state, "nowhere/key", path);
    assert_int_equal(spean_file_write_new(path, fixture_text("x")), SPEAN_ENOTFOUND);
    uint8_t buf[1];
    size_t len = 7;
    assert_int_equal(spean_file_read(path, buf, sizeof(buf), &len), SPEAN_ENOTFOUND);
    assert_int_equal(len, 7);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char path[5000];
    (void)memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(spean_file_write_new(path, fixture_text("x")), SPEAN_EINPUT);
    path[4999 - 1] = '/';
    assert_int_equal(spean_file_sync_parent("plain"), SPEAN_OK);
    (void)memset(path, '/', 1);
    path[4990] = '/';
    assert_int_equal(spean_file_sync_parent(path), SPEAN_EINPUT);
}

static void a_symbolic_link_is_not_followed(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    char alias[FIXTURE_PATH_BYTES];
    fixture_path(*state, "key", path);
    fixture_path(*state, "link", alias);
    assert_int_equal(spean_file_write_new(path, fixture_text("secret")), SPEAN_OK);
    assert_int_equal(symlink(path, alias), 0);
    uint8_t buf[16];
    size_t len = 0;
    assert_int_equal(spean_file_read(alias, buf, sizeof(buf), &len), SPEAN_EINPUT);
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    fixture_path(*state, "pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    uint8_t buf[16];
    size_t len = 0;
    assert_int_equal(spean_file_read(path, buf, sizeof(buf), &len), SPEAN_EINPUT);
    const struct fixture *f = *state;
    assert_int_equal(spean_file_read(f->dir, buf, sizeof(buf), &len), SPEAN_EINPUT);
}

static void a_file_of_the_limit_is_read_and_one_byte_more_is_refused(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    fixture_path(*state, "key", path);
    assert_int_equal(spean_file_write_new(path, fixture_text("12345")), SPEAN_OK);
    uint8_t buf[5];
    size_t len = 0;
    assert_int_equal(spean_file_read(path, buf, 5, &len), SPEAN_OK);
    assert_int_equal(len, 5);
    assert_int_equal(spean_file_read(path, buf, 4, &len), SPEAN_ELIMIT);
}

static void a_full_disk_is_told_from_a_failing_one(void **state)
{
    (void)state;
    assert_int_equal(spean_file_err(ENOSPC), SPEAN_EFULL);
    assert_int_equal(spean_file_err(EDQUOT), SPEAN_EFULL);
    assert_int_equal(spean_file_err(EIO), SPEAN_EIO);
    assert_int_equal(spean_file_err(EACCES), SPEAN_EDENIED);
    assert_int_equal(spean_file_err(EINVAL), SPEAN_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_written_file_reads_back_and_is_its_owners_alone,
                                        fixture_dir_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_overwritten, fixture_dir_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_draft_left_by_a_power_cut_is_replaced, fixture_dir_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_missing_directory_is_not_found, fixture_dir_setup,
                                        fixture_teardown),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test_setup_teardown(a_symbolic_link_is_not_followed, fixture_dir_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_regular_file_is_refused_without_waiting,
                                        fixture_dir_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_file_of_the_limit_is_read_and_one_byte_more_is_refused,
                                        fixture_dir_setup, fixture_teardown),
        cmocka_unit_test(a_full_disk_is_told_from_a_failing_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
