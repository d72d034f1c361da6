#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

#define PATH_BYTES 160u

static void locking_asks_once_and_names_its_inverse(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"locked\":true}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "lock", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/lock", NULL);
    assert_asked_times(&talk, 1);
    assert_non_null(strstr(talk.result.err, "Undo: spean unlock\n"));
    talk_fini(&talk);
}

static void a_passphrase_comes_from_a_file_and_goes_nowhere_else(void **state)
{
    (void)state;
    struct talk talk;
    char folder[PATH_BYTES];
    char path[PATH_BYTES];
    const struct api_say says[] = {{.status = 200, .json = "{\"locked\":false}"}};
    scratch_make(folder, sizeof(folder));
    scratch_write(folder, "secret", "mưa rào \"tháng\" bảy\n", path, sizeof(path));
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "unlock", "--passphrase-file", path, "--json", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/unlock", "{\"passphrase\":\"mưa rào \\\"tháng\\\" bảy\"}");
    assert_non_null(strstr(talk.result.out, "\"locked\": false"));
    assert_null(strstr(talk.result.out, "rào"));
    assert_null(strstr(talk.result.err, "rào"));
    talk_fini(&talk);
    scratch_remove(folder);
}

static void a_credential_goes_as_hex(void **state)
{
    (void)state;
    struct talk talk;
    char folder[PATH_BYTES];
    char path[PATH_BYTES];
    const struct api_say says[] = {{.status = 200, .json = "{}"}};
    scratch_make(folder, sizeof(folder));
    scratch_write(folder, "credential", "0123456789abcdef0123456789abcdef", path, sizeof(path));
    talk_run(&talk, says, 1, (const char *const[]){"spean", "unlock", "--credential", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(
        &talk, 0, "POST /v1/unlock",
        "{\"credential\":\"3031323334353637383961626364656630313233343536373839616263646566"
        "\"}");
    talk_fini(&talk);
    scratch_write(folder, "credential", "too short", path, sizeof(path));
    talk_run(&talk, says, 1, (const char *const[]){"spean", "unlock", "--credential", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
    const char *const none = "/nonexistent/credential";
    talk_run(&talk, says, 1, (const char *const[]){"spean", "unlock", "--credential", none, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
    assert_non_null(strstr(talk.result.err, "hint: look at the path"));
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
    scratch_remove(folder);
}

static void a_wrong_passphrase_is_exit_12(void **state)
{
    (void)state;
    struct talk talk;
    char folder[PATH_BYTES];
    char path[PATH_BYTES];
    const struct api_say says[] = {
        {.status = 403,
         .json = "{\"error\":{\"code\":\"wrong_passphrase\",\"message\":\"no\",\"exit\":12}}"}};
    scratch_make(folder, sizeof(folder));
    scratch_write(folder, "secret", "guess\n", path, sizeof(path));
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "unlock", "--passphrase-file", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_PASSPHRASE);
    talk_fini(&talk);
    scratch_remove(folder);
}

static void a_passphrase_that_is_no_text_two_ways_or_nobody_to_ask_is_refused(void **state)
{
    (void)state;
    char folder[PATH_BYTES];
    char path[PATH_BYTES];
    struct talk talk;
    scratch_make(folder, sizeof(folder));
    scratch_write(folder, "secret", "\xff\xfe", path, sizeof(path));
    const char *const runs[][7] = {
        {"spean", "unlock", "--passphrase-file", path, NULL},
        {"spean", "unlock", "--passphrase-file", path, "--credential", path, NULL},
        {"spean", "unlock", "--passphrase-fd", "4294967296", NULL},
        {"spean", "unlock", NULL},
        {"spean", "unlock", "my-passphrase", NULL},
    };
    const struct api_say says[] = {{.status = 200, .json = "{}"}};
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        talk_run(&talk, says, 1, runs[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locking_asks_once_and_names_its_inverse),
        cmocka_unit_test(a_passphrase_comes_from_a_file_and_goes_nowhere_else),
        cmocka_unit_test(a_credential_goes_as_hex),
        cmocka_unit_test(a_wrong_passphrase_is_exit_12),
        cmocka_unit_test(a_passphrase_that_is_no_text_two_ways_or_nobody_to_ask_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
