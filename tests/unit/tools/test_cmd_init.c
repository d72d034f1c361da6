#include "tools/program.h"

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
#include <sodium.h>

#include "protocol/org.h"
#include "protocol/sign.h"
#include "protocol/statement.h"
#include "protocol/text.h"
#include "store/adminkey.h"
#include "store/keystore.h"
#include "store/recovery.h"
#include "store/setup.h"
#include "tests/unit/tools/clikit.h"

#define PATH_BYTES   160u
#define SHEET_BYTES  256u
#define ADMIN_SECRET "correct horse battery"

/* Files of one set-up, all in one folder. */
struct place {
    char folder[PATH_BYTES];
    char home[PATH_BYTES];
    char store[PATH_BYTES];
    char admin[PATH_BYTES];
    char sheet[PATH_BYTES];
    char credential[PATH_BYTES];
    char answers[PATH_BYTES];
};

static const char credential_text[] = "0123456789abcdef0123456789abcdef";

static void path_make(char path[PATH_BYTES], const char *folder, const char *name)
{
    assert_true(snprintf(path, PATH_BYTES, "%.100s/%s", folder, name) < (int)PATH_BYTES);
}

static int place_make(void **state)
{
    struct place *const place = calloc(1, sizeof(*place));
    char text[2 * PATH_BYTES];
    assert_non_null(place);
    scratch_make(place->folder, sizeof(place->folder));
    path_make(place->home, place->folder, "home");
    path_make(place->store, place->home, "store");
    path_make(place->admin, place->folder, "admin.key");
    path_make(place->sheet, place->folder, "sheet");
    scratch_write(place->folder, "credential", credential_text, place->credential, PATH_BYTES);
    (void)snprintf(text, sizeof(text), "admin.passphrase: " ADMIN_SECRET "\nrecovery.words: @%s\n",
                   place->sheet);
    scratch_write(place->folder, "answers", text, place->answers, PATH_BYTES);
    *state = place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *const place = *state;
    if (access(place->store, F_OK) == 0) {
        scratch_remove(place->store);
    }
    if (access(place->home, F_OK) == 0) {
        scratch_remove(place->home);
    }
    scratch_remove(place->folder);
    free(place);
    return 0;
}

/* Set up at place, by answers out of a file; extra is one more word or NULL. */
static void init(const struct place *place, struct cli_result *result, const char *extra)
{
    cli_run(result, "spean", "init", "--org", "Bridge Legal Aid Phnom Penh", "--country", "KH",
            "--home", place->home, "--admin-key", place->admin, "--sheet", place->sheet,
            "--credential", place->credential, "--answers", place->answers, extra, NULL);
}

static void assert_nothing_made(const struct place *place)
{
    assert_int_not_equal(access(place->admin, F_OK), 0);
    assert_int_not_equal(access(place->store, F_OK), 0);
}

/* Open the admin key and have it speak for the org of the document. */
static void assert_admin_speaks(const struct place *place, const struct spean_document *doc,
                                struct spean_org *org)
{
    const struct spean_unlock unlock = {
        .kind = SPEAN_UNLOCK_PASSPHRASE,
        .bytes = {(const uint8_t *)ADMIN_SECRET, strlen(ADMIN_SECRET)}};
    struct spean_adminkey *admin;
    struct spean_key public_key;
    assert_int_equal(spean_adminkey_read(place->admin, &unlock, &admin), SPEAN_OK);
    assert_true(spean_id_equal(spean_adminkey_org(admin), &doc->id));
    spean_sign_public(&public_key, spean_adminkey_admin_seed(admin));
    assert_true(spean_key_equal(&public_key, &org->admins[0]));
    spean_adminkey_free(admin);
}

/* The words on the sheet must be those of the recovery key in the statement. */
static void assert_sheet_recovers(const struct place *place, const struct spean_org *org)
{
    char text[SHEET_BYTES] = "";
    uint8_t seed[SPEAN_KEY_BYTES];
    struct spean_key public_key;
    unsigned word;
    FILE *const file = fopen(place->sheet, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(
        spean_recovery_seed((struct spean_view){(const uint8_t *)text, strlen(text)}, seed, &word),
        SPEAN_OK);
    spean_sign_public(&public_key, seed);
    const struct spean_id hash = spean_statement_recovery(&public_key);
    assert_true(spean_id_equal(&hash, &org->recovery));
}

static void a_set_up_leaves_keys_that_fit_the_statement(void **state)
{
    const struct place *const place = *state;
    struct cli_result result;
    init(place, &result, "--json");
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    json_t *const object = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    cli_result_fini(&result);

    const struct spean_db_options options = {.dir = place->store};
    const struct spean_unlock unlock = {
        .kind = SPEAN_UNLOCK_CREDENTIAL,
        .bytes = {(const uint8_t *)credential_text, strlen(credential_text)}};
    struct spean_db *db;
    struct spean_keys *keys;
    struct spean_tx *tx;
    struct spean_setup setup;
    struct spean_document doc;
    struct spean_org org;
    assert_int_equal(spean_db_open(&options, &db), SPEAN_OK);
    assert_int_equal(spean_keys_new(&keys), SPEAN_OK);
    assert_int_equal(spean_keys_unlock(keys, db, &unlock), SPEAN_OK);
    assert_int_equal(spean_tx_begin(db, SPEAN_TX_READ, &tx), SPEAN_OK);
    assert_int_equal(spean_setup_get(tx, &setup, &doc), SPEAN_OK);
    spean_org_init(&org);
    assert_int_equal(spean_org_apply(&org, &doc), SPEAN_OK);
    assert_memory_equal(setup.name.data, "Bridge Legal Aid Phnom Penh", setup.name.len);
    assert_non_null(spean_keys_org_find(keys, spean_org_sealing_get(&org, 1)));
    assert_admin_speaks(place, &doc, &org);
    assert_sheet_recovers(place, &org);

    char hex[2 * SPEAN_ID_BYTES + 1];
    spean_text_hex_encode(hex, sizeof(hex), (struct spean_view){doc.id.bytes, SPEAN_ID_BYTES});
    assert_string_equal(json_string_value(json_object_get(object, "org")), hex);
    struct spean_key signing;
    spean_sign_public(&signing, spean_keys_signing_seed(keys));
    spean_text_hex_encode(hex, sizeof(hex), (struct spean_view){signing.bytes, SPEAN_KEY_BYTES});
    assert_string_equal(json_string_value(json_object_get(object, "signing")), hex);
    json_decref(object);
    spean_org_fini(&org);
    spean_tx_abort(tx);
    spean_keys_free(keys);
    spean_db_close(db);
}

static void a_second_set_up_in_the_same_place_is_refused_and_changes_nothing(void **state)
{
    const struct place *const place = *state;
    struct cli_result result;
    struct stat before;
    struct stat after;
    init(place, &result, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(result.err, "organisation created"));
    assert_non_null(strstr(result.err, "speand --home /"));
    assert_null(strstr(result.err, ADMIN_SECRET));
    cli_result_fini(&result);
    assert_int_equal(stat(place->admin, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    init(place, &result, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_STATE);
    assert_non_null(strstr(result.err, "--home"));
    cli_result_fini(&result);
    assert_int_equal(stat(place->admin, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
}

static void a_dry_run_makes_nothing(void **state)
{
    const struct place *const place = *state;
    struct cli_result result;
    init(place, &result, "--dry-run");
    assert_non_null(strstr(result.out, place->home));
    cli_result_fini(&result);
    assert_nothing_made(place);
    assert_int_not_equal(access(place->home, F_OK), 0);
    assert_int_not_equal(access(place->sheet, F_OK), 0);
}

/* Answer with text instead and have the set-up refused. */
static void assert_answers_refused(struct place *place, const char *text, const char *said)
{
    struct cli_result result;
    scratch_write(place->folder, "answers", text, place->answers, PATH_BYTES);
    init(place, &result, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.err, said));
    cli_result_fini(&result);
    assert_nothing_made(place);
    (void)unlink(place->sheet); /* It may have been written before the refusal. */
}

static void words_that_are_not_typed_back_make_nothing(void **state)
{
    struct place *const place = *state;
    assert_answers_refused(place, "admin.passphrase: x\n", "recovery.words");
    assert_answers_refused(place, "admin.passphrase: x\nrecovery.words: lorry anchor\n",
                           "not the recovery words");
    assert_answers_refused(
        place,
        "admin.passphrase: x\nrecovery.words: abandon abandon abandon abandon abandon abandon "
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
        "abandon abandon abandon abandon abandon abandon art\n",
        "not the recovery words");
    assert_answers_refused(place, "recovery.words: x\n", "admin.passphrase");
}

static void an_answer_that_is_left_over_makes_nothing(void **state)
{
    struct place *const place = *state;
    char text[2 * PATH_BYTES];
    (void)snprintf(text, sizeof(text),
                   "passphrase: unused\nadmin.passphrase: x\nrecovery.words: @%s\n", place->sheet);
    assert_answers_refused(place, text, "\"passphrase\" was not asked for");
}

static void the_words_are_shown_on_a_terminal_or_written_to_a_sheet_only(void **state)
{
    struct place *const place = *state;
    struct cli_result result;
    char secret[PATH_BYTES];
    scratch_write(place->folder, "secret", ADMIN_SECRET "\n", secret, sizeof(secret));
    cli_run(&result, "spean", "init", "--org", "Bridge", "--country", "KH", "--home", place->home,
            "--admin-key", place->admin, "--credential", place->credential,
            "--admin-passphrase-file", secret, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.err, "--sheet"));
    assert_string_equal(result.out, "");
    cli_result_fini(&result);
    assert_nothing_made(place);
}

static void malformed_flags_are_refused(void **state)
{
    const struct place *const place = *state;
    struct cli_result result;
    cli_run(&result, "spean", "init", "--org", "Bridge", "--country", "kh", "--home", place->home,
            NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    cli_result_fini(&result);
    cli_run(&result, "spean", "init", "--org", "Bridge", "--country", "KH", "--home", place->home,
            "--admin-key", place->admin, "--credential", place->answers, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.err, "32 random bytes"));
    cli_result_fini(&result);
    cli_run(&result, "spean", "init", "--org", "Bridge", "--country", "KH", "--home", place->home,
            "--admin-key", place->admin, "--credential", place->credential, "--passphrase-fd", "0",
            NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.err, "only one of"));
    cli_result_fini(&result);
    cli_run(&result, "spean", "init", "--org", "Bridge", "--country", "KH", "--home", place->home,
            "--admin-key", place->admin, "--passphrase-fd", "4294967296", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_USAGE);
    assert_non_null(strstr(result.err, "no descriptor"));
    cli_result_fini(&result);
    assert_nothing_made(place);
}

static void a_broken_off_set_up_and_a_taken_name_are_told_apart(void **state)
{
    struct place *const place = *state;
    struct cli_result result;
    char taken[PATH_BYTES];
    scratch_write(place->folder, "admin.key", "mine", taken, sizeof(taken));
    init(place, &result, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_STATE);
    assert_non_null(strstr(result.err, "--admin-key"));
    cli_result_fini(&result);
    assert_int_equal(unlink(taken), 0);
    assert_int_equal(mkdir(place->home, 0700), 0);
    path_make(taken, place->home, "store.new");
    assert_int_equal(mkdir(taken, 0700), 0);
    init(place, &result, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_STATE);
    assert_non_null(strstr(result.err, "broken off"));
    cli_result_fini(&result);
    assert_int_equal(rmdir(taken), 0);
    assert_nothing_made(place);
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)
        TEST(a_set_up_leaves_keys_that_fit_the_statement),
        TEST(a_second_set_up_in_the_same_place_is_refused_and_changes_nothing),
        TEST(a_dry_run_makes_nothing),
        TEST(words_that_are_not_typed_back_make_nothing),
        TEST(an_answer_that_is_left_over_makes_nothing),
        TEST(the_words_are_shown_on_a_terminal_or_written_to_a_sheet_only),
        TEST(malformed_flags_are_refused),
        TEST(a_broken_off_set_up_and_a_taken_name_are_told_apart),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
