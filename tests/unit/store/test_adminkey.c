#include "store/adminkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/file.h"
#include "tests/unit/store/fixture.h"

static const uint8_t credential_bytes[SPEAN_WRAP_CREDENTIAL_BYTES] = {1, 2, 3};
static const struct spean_unlock credential = {
    .kind = SPEAN_UNLOCK_CREDENTIAL,
    .bytes = {credential_bytes, sizeof(credential_bytes)},
};
static const struct spean_unlock passphrase = {
    .kind = SPEAN_UNLOCK_PASSPHRASE,
    .bytes = {(const uint8_t *)"in the drawer", 13},
    .ops = SPEAN_WRAP_OPS_MIN,
    .mib = SPEAN_WRAP_MIB_MIN,
};
static const struct spean_id org = {{9, 8, 7}};

/* Write a fresh key to dir/admin.key, whose path is given back. The caller frees the key. */
static struct spean_adminkey *written(const struct fixture *f, const struct spean_unlock *unlock,
                                      char path[FIXTURE_PATH_BYTES])
{
    struct spean_adminkey *key = NULL;
    fixture_path(f, "admin.key", path);
    assert_int_equal(spean_adminkey_new(&key), SPEAN_OK);
    spean_adminkey_set_org(key, &org);
    assert_int_equal(spean_adminkey_write(key, path, unlock), SPEAN_OK);
    return key;
}

static void expect_equal(const struct spean_adminkey *a, const struct spean_adminkey *b)
{
    assert_true(spean_id_equal(spean_adminkey_org(a), spean_adminkey_org(b)));
    assert_memory_equal(spean_adminkey_admin_seed(a), spean_adminkey_admin_seed(b), 32);
    assert_memory_equal(spean_adminkey_charter_seed(a), spean_adminkey_charter_seed(b), 32);
}

static spean_err read_back(const char *path, const struct spean_unlock *unlock)
{
    struct spean_adminkey *key = NULL;
    const spean_err err = spean_adminkey_read(path, unlock, &key);
    assert_int_equal(key == NULL, err != SPEAN_OK);
    spean_adminkey_free(key);
    return err;
}

static void a_written_key_reads_back(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    struct spean_adminkey *key = written(*state, &credential, path);
    struct spean_adminkey *again = NULL;
    assert_int_equal(spean_adminkey_read(path, &credential, &again), SPEAN_OK);
    expect_equal(key, again);
    assert_true(spean_id_equal(spean_adminkey_org(again), &org));
    spean_adminkey_free(key);
    spean_adminkey_free(again);
}

static void its_passphrase_alone_opens_it(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    spean_adminkey_free(written(*state, &passphrase, path));
    struct spean_unlock wrong = passphrase;
    wrong.bytes.len--;
    assert_int_equal(read_back(path, &passphrase), SPEAN_OK);
    assert_int_equal(read_back(path, &wrong), SPEAN_EPASSPHRASE);
    assert_int_equal(read_back(path, &credential), SPEAN_ESTATE);
}

static void the_two_seeds_are_drawn_apart(void **state)
{
    (void)state;
    struct spean_adminkey *key = NULL;
    struct spean_adminkey *second = NULL;
    assert_int_equal(spean_adminkey_new(&key), SPEAN_OK);
    assert_int_equal(spean_adminkey_new(&second), SPEAN_OK);
    assert_memory_not_equal(spean_adminkey_admin_seed(key), spean_adminkey_charter_seed(key), 32);
    assert_memory_not_equal(spean_adminkey_admin_seed(key), spean_adminkey_admin_seed(second), 32);
    spean_adminkey_free(key);
    spean_adminkey_free(second);
}

static void who_opens_the_file_in_an_editor_sees_what_it_is(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    spean_adminkey_free(written(*state, &credential, path));
    uint8_t file[SPEAN_ADMINKEY_FILE_BYTES_MAX];
    size_t len = 0;
    assert_int_equal(spean_file_read(path, file, sizeof(file), &len), SPEAN_OK);
    assert_memory_equal(file, "spean admin key, version 1", 26);
    const uint8_t *end = memchr(file, '\n', len);
    assert_non_null(end);
    for (const uint8_t *c = file; c < end; c++) {
        assert_true(*c >= ' ' && *c < 0x7f);
    }
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void neither_seed_stands_in_the_file(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    struct spean_adminkey *key = written(*state, &credential, path);
    uint8_t file[SPEAN_ADMINKEY_FILE_BYTES_MAX];
    size_t len = 0;
    assert_int_equal(spean_file_read(path, file, sizeof(file), &len), SPEAN_OK);
    for (size_t i = 0; i + 8 <= len; i++) {
        assert_memory_not_equal(file + i, spean_adminkey_admin_seed(key), 8);
        assert_memory_not_equal(file + i, spean_adminkey_charter_seed(key), 8);
    }
    spean_adminkey_free(key);
}

static void a_key_is_never_written_over_a_file(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    struct spean_adminkey *key = written(*state, &credential, path);
    struct spean_adminkey *second = NULL;
    struct spean_adminkey *again = NULL;
    assert_int_equal(spean_adminkey_new(&second), SPEAN_OK);
    assert_int_equal(spean_adminkey_write(second, path, &credential), SPEAN_EEXISTS);
    assert_int_equal(spean_adminkey_read(path, &credential, &again), SPEAN_OK);
    expect_equal(key, again);
    spean_adminkey_free(key);
    spean_adminkey_free(second);
    spean_adminkey_free(again);
}

static void an_empty_passphrase_writes_nothing(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    struct spean_adminkey *key = NULL;
    struct spean_unlock empty = passphrase;
    empty.bytes.len = 0;
    fixture_path(*state, "admin.key", path);
    assert_int_equal(spean_adminkey_new(&key), SPEAN_OK);
    assert_int_equal(spean_adminkey_write(key, path, &empty), SPEAN_EINPUT);
    assert_int_equal(access(path, F_OK), -1);
    spean_adminkey_free(key);
}

/* Write bytes to a file of its own and read it as an admin key. */
static spean_err read_bytes(const struct fixture *f, const uint8_t *bytes, size_t len)
{
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, "forged.key", path);
    (void)unlink(path);
    assert_int_equal(spean_file_write_new(path, (struct spean_view){bytes, len}), SPEAN_OK);
    return read_back(path, &credential);
}

static void a_file_changed_or_cut_anywhere_is_refused(void **state)
{
    char path[FIXTURE_PATH_BYTES];
    spean_adminkey_free(written(*state, &credential, path));
    uint8_t file[SPEAN_ADMINKEY_FILE_BYTES_MAX];
    size_t len = 0;
    assert_int_equal(spean_file_read(path, file, sizeof(file), &len), SPEAN_OK);
    for (size_t i = 0; i < len; i += 7) {
        file[i] ^= 0x10;
        assert_int_not_equal(read_bytes(*state, file, len), SPEAN_OK);
        file[i] ^= 0x10;
        assert_int_equal(read_bytes(*state, file, i), SPEAN_EFORMAT);
    }
    assert_int_equal(read_bytes(*state, file, len), SPEAN_OK);
}

static void other_files_are_refused_by_name(void **state)
{
    static const uint8_t big[SPEAN_ADMINKEY_FILE_BYTES_MAX + 1] = {0};
    static const char newer[] = "spean admin key, version 2: who knows\n";
    static const char stranger[] = "-----BEGIN PRIVATE KEY-----\n";
    assert_int_equal(read_bytes(*state, (const uint8_t *)newer, sizeof(newer)), SPEAN_EVERSION);
    assert_int_equal(read_bytes(*state, (const uint8_t *)stranger, sizeof(stranger)),
                     SPEAN_EFORMAT);
    assert_int_equal(read_bytes(*state, big, sizeof(big)), SPEAN_ELIMIT);
    assert_int_equal(read_back("/nonexistent/admin.key", &credential), SPEAN_ENOTFOUND);
}

#define ON_DIR(test) cmocka_unit_test_setup_teardown(test, fixture_dir_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_DIR(a_written_key_reads_back),
        ON_DIR(its_passphrase_alone_opens_it),
        cmocka_unit_test(the_two_seeds_are_drawn_apart),
        ON_DIR(who_opens_the_file_in_an_editor_sees_what_it_is),
        ON_DIR(neither_seed_stands_in_the_file),
        ON_DIR(a_key_is_never_written_over_a_file),
        ON_DIR(an_empty_passphrase_writes_nothing),
        ON_DIR(a_file_changed_or_cut_anywhere_is_refused),
        ON_DIR(other_files_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
