#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

#define PATH_BYTES 160u
#define CASE_ID    "00112233445566778899aabbccddeeff"
#define TOKYO      "7f3a91c400000000000000000000000000000000000000000000000000000001"
#define MEMBERS    "{\"items\":[{\"org\":\"" TOKYO "\",\"status\":\"active\"},{\"org\":\"aaaa\"}]}"
#define CONSENT    "{\"id\":\"91c47f3a00112233\",\"type\":\"consent\",\"fixed\":{\"terms\":{}}}"

static const struct api_say says[] = {{.status = 200, .json = "{\"id\":\"" CASE_ID "\"}"},
                                      {.status = 200, .json = MEMBERS},
                                      {.status = 201, .json = CONSENT}};

static void flags_become_terms_with_whole_ids(void **state)
{
    (void)state;
    struct talk talk;
    talk_run(&talk, says, 3,
             (const char *const[]){
                 "spean",          "consent",    "record",       "--case",     "KH-2611-0317-B",
                 "--purpose",      "refer",      "--to",         "7f3a-91c4",  "--to-kind",
                 "legal",          "--section",  "identity",     "--section",  "costs",
                 "--effective-on", "2026-11-22", "--expires-on", "2027-05-31", "--medium",
                 "paper",          NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/cases/KH-2611-0317-B", NULL);
    assert_asked(&talk, 1, "GET /v1/members?limit=1000", NULL);
    assert_asked(&talk, 2, "POST /v1/consents",
                 "{\"fixed\":{\"case\":\"" CASE_ID "\",\"terms\":{\"legal_basis\":\"consent\","
                 "\"purposes\":[\"refer\"],\"recipients\":[{\"kind\":\"legal\"},{\"org\":\"" TOKYO
                 "\"}],\"sections\":[\"identity\",\"costs\"],\"medium\":\"paper\",\"effective_on\":"
                 "\"2026-11-22\",\"expires_on\":\"2027-05-31\"}},\"set\":{\"status\":\"given\"}}");
    assert_non_null(strstr(talk.result.err, "never change"));
    assert_non_null(strstr(talk.result.err, "91c4-7f3a"));
    talk_fini(&talk);
}

static void a_file_gives_terms_and_flags_go_on_top(void **state)
{
    (void)state;
    struct talk talk;
    char folder[PATH_BYTES];
    char path[PATH_BYTES];
    scratch_make(folder, sizeof(folder));
    scratch_write(folder, "consent.json",
                  "{\"fixed\":{\"terms\":{\"legal_basis\":\"vital_interest\",\"effective_on\":"
                  "\"2026\",\"sections\":[\"identity\"]}},\"set\":{\"status\":\"renewed\"}}",
                  path, sizeof(path));
    const struct api_say two[] = {{.status = 200, .json = "{\"id\":\"" CASE_ID "\"}"},
                                  {.status = 201, .json = CONSENT}};
    talk_run(&talk, two, 2,
             (const char *const[]){"spean", "consent", "record", "--case", "KH-2611-0317-B",
                                   "--section", "costs", "--from", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 1, "POST /v1/consents",
                 "{\"fixed\":{\"case\":\"" CASE_ID "\",\"terms\":{\"legal_basis\":"
                 "\"vital_interest\",\"effective_on\":\"2026\",\"sections\":[\"identity\",\"costs\""
                 "]}},\"set\":{\"status\":\"renewed\"}}");
    talk_fini(&talk);
    scratch_remove(folder);
}

static void a_recipient_that_is_no_member_or_ambiguous_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say ambiguous[] = {
        {.status = 200, .json = "{\"id\":\"" CASE_ID "\"}"},
        {.status = 200, .json = "{\"items\":[{\"org\":\"7f3a01\"},{\"org\":\"7f3a02\"}]}"}};
    talk_run(&talk, says, 3,
             (const char *const[]){"spean", "consent", "record", "--case", "KH-2611-0317-B", "--to",
                                   "bbbb", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
    talk_run(&talk, ambiguous, 2,
             (const char *const[]){"spean", "consent", "record", "--case", "KH-2611-0317-B", "--to",
                                   "7f3a", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    talk_fini(&talk);
}

static void withdrawing_is_asked_about_and_sent_once(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say one[] = {{.status = 200, .json = CONSENT}};
    talk_run(
        &talk, one, 1,
        (const char *const[]){"spean", "consent", "withdraw", "91c4", "--channel", "phone", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE); /* Nobody could be asked. */
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
    talk_run(&talk, one, 1,
             (const char *const[]){"spean", "consent", "withdraw", "91c4", "--channel", "phone",
                                   "--on", "2026-11-22", "--yes", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/consents/91c4/withdraw",
                 "{\"on\":\"2026-11-22\",\"channel\":\"phone\"}");
    talk_fini(&talk);
}

/* Who got a referral under it knows no record of the consent, and names the referral. */
static void a_partners_consent_is_withdrawn_by_a_referral_under_it(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say two[] = {
        {.status = 404,
         .json = "{\"error\":{\"code\":\"not_found\",\"message\":\"no\",\"exit\":5}}"},
        {.status = 200, .json = "{\"id\":\"aa\",\"type\":\"referral\",\"fields\":{}}"}};
    talk_run(&talk, two, 2,
             (const char *const[]){"spean", "consent", "withdraw", "R-58Q2", "--channel", "phone",
                                   "--on", "2026-11-22", "--yes", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 1, "POST /v1/referrals/R-58Q2/withdraw",
                 "{\"on\":\"2026-11-22\",\"channel\":\"phone\"}");
    talk_fini(&talk);
    const struct api_say none[] = {two[0], two[0]};
    talk_run(&talk, none, 2,
             (const char *const[]){"spean", "consent", "withdraw", "R-58Q2", "--channel", "phone",
                                   "--yes", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
}

static void show_prints_the_terms(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say one[] = {
        {.status = 200,
         .json = "{\"id\":\"91c47f3a00112233\",\"type\":\"consent\",\"fixed\":{\"terms\":"
                 "{\"purposes\":[\"refer\",\"assist\"],\"notice\":{\"id\":\"n\",\"version\":\"1\"}}"
                 "},\"fields\":{\"status\":\"given\"}}"}};
    talk_run(&talk, one, 1, (const char *const[]){"spean", "consent", "show", "91c4", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/consents/91c4", NULL);
    assert_non_null(
        strstr(talk.result.out, "purposes: (refer; assist), notice: (id: n, version: 1)"));
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_become_terms_with_whole_ids),
        cmocka_unit_test(a_file_gives_terms_and_flags_go_on_top),
        cmocka_unit_test(a_recipient_that_is_no_member_or_ambiguous_is_refused),
        cmocka_unit_test(withdrawing_is_asked_about_and_sent_once),
        cmocka_unit_test(a_partners_consent_is_withdrawn_by_a_referral_under_it),
        cmocka_unit_test(show_prints_the_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
