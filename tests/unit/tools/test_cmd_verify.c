#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/db.h"
#include "tests/unit/tools/clikit.h"

#define PATH_BYTES 160u

/* -- While the daemon runs ------------------------------------------------------------------- */

static void a_sound_store_is_exit_0_with_what_was_counted(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200, .json = "{\"ok\":true,\"problems\":[],\"entries\":1204,\"bodies\":9}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", "--plain", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/verify", NULL);
    assert_non_null(strstr(talk.result.out, "entries\t1204\n"));
    talk_fini(&talk);
}

static void damage_is_exit_9_and_is_told(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200, .json = "{\"ok\":false,\"problems\":[\"entry 7 of 91c4 is torn\"]}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_INTEGRITY);
    assert_non_null(strstr(talk.result.out, "entry 7 of 91c4 is torn"));
    talk_fini(&talk);
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", "--json", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_INTEGRITY);
    json_t *const said = json_loads(talk.result.out, 0, NULL);
    assert_true(json_is_false(json_object_get(said, "ok")));
    json_decref(said);
    talk_fini(&talk);
}

static void an_answer_that_does_not_say_ok_is_not_taken_for_it(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_INTEGRITY);
    talk_fini(&talk);
}

static void what_was_not_checked_is_said(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200, .json = "{\"ok\":true,\"problems\":[],\"records\":3,\"not_checked\":17}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", "--quiet", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(talk.result.err, "not checked: 17 parts"));
    talk_fini(&talk);
}

static void an_error_of_the_daemon_does_not_open_its_store(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 503,
         .json = "{\"error\":{\"code\":\"busy\",\"message\":\"later\",\"exit\":6}}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "verify", "--home", "/nowhere", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_non_null(strstr(talk.result.err, "later"));
    talk_fini(&talk);
}

/* -- While it is stopped --------------------------------------------------------------------- */

/* A node that was set up, of which no daemon runs. */
struct place {
    char folder[PATH_BYTES];
    char home[PATH_BYTES];
    char store[PATH_BYTES];
    char admin[PATH_BYTES];
    char sheet[PATH_BYTES];
    char credential[PATH_BYTES];
    char wrong[PATH_BYTES];
    char answers[PATH_BYTES];
};

static void path_make(char path[PATH_BYTES], const char *folder, const char *name)
{
    assert_true(snprintf(path, PATH_BYTES, "%.100s/%s", folder, name) < (int)PATH_BYTES);
}

static int place_make(void **state)
{
    struct place *const place = calloc(1, sizeof(*place));
    char text[2 * PATH_BYTES];
    struct cli_result result;
    assert_non_null(place);
    scratch_make(place->folder, sizeof(place->folder));
    path_make(place->home, place->folder, "home");
    path_make(place->store, place->home, "store");
    path_make(place->admin, place->folder, "admin.key");
    path_make(place->sheet, place->folder, "sheet");
    scratch_write(place->folder, "credential", "0123456789abcdef0123456789abcdef",
                  place->credential, PATH_BYTES);
    scratch_write(place->folder, "wrong", "1123456789abcdef0123456789abcdef", place->wrong,
                  PATH_BYTES);
    (void)snprintf(text, sizeof(text),
                   "admin.passphrase: correct horse battery\nrecovery.words: @%s\n", place->sheet);
    scratch_write(place->folder, "answers", text, place->answers, PATH_BYTES);
    cli_run(&result, "spean", "init", "--org", "Bridge", "--country", "KH", "--home", place->home,
            "--admin-key", place->admin, "--sheet", place->sheet, "--credential", place->credential,
            "--answers", place->answers, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    cli_result_fini(&result);
    *state = place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *const place = *state;
    scratch_remove(place->store);
    scratch_remove(place->home);
    scratch_remove(place->folder);
    free(place);
    return 0;
}

static struct spean_db *open_store(const struct place *place)
{
    struct spean_db *db;
    const struct spean_db_options options = {.dir = place->store};
    assert_int_equal(spean_db_open(&options, &db), SPEAN_OK);
    return db;
}

static void damage(const struct place *place)
{
    static const uint8_t bytes[] = {7, 7, 7};
    const struct spean_view junk = {bytes, sizeof(bytes)};
    struct spean_db *db = open_store(place);
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    (void)spean_tx_put(tx, SPEAN_TABLE_PEERS, junk, junk);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    spean_db_close(db);
}

static void a_stopped_nodes_store_is_opened_and_checked(void **state)
{
    const struct place *place = *state;
    struct cli_result result;
    cli_run(&result, "spean", "verify", "--home", place->home, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(result.err, "locked"));
    cli_result_fini(&result);
    cli_run(&result, "spean", "verify", "--home", place->home, "--credential", place->credential,
            "--json", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_DONE);
    json_t *const said = json_loads(result.out, 0, NULL);
    static const char *const counts[] = {"problems_count", "entries", "bodies", "records",
                                         "not_checked"};
    assert_true(json_is_true(json_object_get(said, "ok")));
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        assert_true(json_is_integer(json_object_get(said, counts[i])));
    }
    json_decref(said);
    cli_result_fini(&result);
}

static void damage_in_a_stopped_nodes_store_is_exit_9(void **state)
{
    const struct place *place = *state;
    struct cli_result result;
    damage(place);
    cli_run(&result, "spean", "verify", "--home", place->home, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_INTEGRITY);
    assert_non_null(strstr(result.out, "another node is damaged"));
    cli_result_fini(&result);
    cli_run(&result, "spean", "verify", "--home", place->home, "--json", NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_INTEGRITY);
    json_t *const said = json_loads(result.out, 0, NULL);
    assert_true(json_is_false(json_object_get(said, "ok")));
    assert_int_equal(json_array_size(json_object_get(said, "problems")), 1);
    json_decref(said);
    cli_result_fini(&result);
}

static void a_wrong_credential_checks_nothing(void **state)
{
    const struct place *place = *state;
    struct cli_result result;
    cli_run(&result, "spean", "verify", "--home", place->home, "--credential", place->wrong, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_PASSPHRASE);
    cli_result_fini(&result);
}

static void a_store_that_another_process_has_open_is_left_alone(void **state)
{
    const struct place *place = *state;
    struct cli_result result;
    struct spean_db *db = open_store(place);
    cli_run(&result, "spean", "verify", "--home", place->home, NULL);
    spean_db_close(db);
    assert_int_equal(result.exit, SPEAN_EXIT_STATE);
    assert_non_null(strstr(result.err, "another process"));
    cli_result_fini(&result);
}

static void without_a_store_the_exit_is_10(void **state)
{
    const struct place *place = *state;
    struct cli_result result;
    cli_run(&result, "spean", "verify", "--home", place->folder, NULL);
    assert_int_equal(result.exit, SPEAN_EXIT_NO_STORE);
    cli_result_fini(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_store_is_exit_0_with_what_was_counted),
        cmocka_unit_test(damage_is_exit_9_and_is_told),
        cmocka_unit_test(an_answer_that_does_not_say_ok_is_not_taken_for_it),
        cmocka_unit_test(what_was_not_checked_is_said),
        cmocka_unit_test(an_error_of_the_daemon_does_not_open_its_store),
        cmocka_unit_test_setup_teardown(a_stopped_nodes_store_is_opened_and_checked, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(damage_in_a_stopped_nodes_store_is_exit_9, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(a_wrong_credential_checks_nothing, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(a_store_that_another_process_has_open_is_left_alone,
                                        place_make, place_remove),
        cmocka_unit_test_setup_teardown(without_a_store_the_exit_is_10, place_make, place_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
