#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

#define PARTNERS                                                                                   \
    "[{\"org\":\"aaaaaaaabbbbbbbb\",\"name\":\"Hanoi Workers' Centre\",\"state\":\"offline\","     \
    "\"we_have\":{\"entries\":1204,\"missing\":0},\"they_have\":{\"entries\":10,\"missing\":2},"   \
    "\"last_contact\":\"2020-01-02T03:04:05Z\",\"by\":\"direct\",\"why\":\"not reachable\"},"      \
    "{\"org\":\"ccccccccdddddddd\",\"name\":null,\"state\":\"connected\",\"we_have\":null,"        \
    "\"they_have\":{\"entries\":0,\"missing\":0},\"last_contact\":null,\"by\":null}]"

static void run(struct talk *talk, const char *json, const char *extra)
{
    const struct api_say says[] = {{.status = 200, .json = json}};
    talk_run(talk, says, 1, (const char *const[]){"spean", "status", extra, NULL});
    assert_asked(talk, 0, "GET /v1/status", NULL);
    assert_asked_times(talk, 1);
}

static void partners_stand_in_a_table_and_what_waits_below(void **state)
{
    (void)state;
    struct talk talk;
    run(&talk,
        "{\"ledger\":\"x\",\"locked\":false,\"partners\":" PARTNERS ",\"attention\":true,"
        "\"todo\":{\"not_sent\":2,\"decisions\":1,\"aside\":0},\"health\":{\"ok\":true}}",
        NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_ATTENTION);
    static const char *const said[] = {"PARTNER",
                                       "WE HAVE THEIRS",
                                       "THEY HAVE OURS",
                                       "LAST CONTACT",
                                       "BY",
                                       "Hanoi Workers' Centre",
                                       "all (1,204)",
                                       "2 waiting",
                                       "d ago 2020-01-02",
                                       "direct",
                                       "cccc-cccc",
                                       "?",
                                       "now",
                                       "Hanoi Workers' Centre (aaaa-aaaa): not reachable",
                                       "To do:   2 not sent yet · 1 needs a decision\n",
                                       "Health:  ok\n"};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        assert_non_null(strstr(talk.result.out, said[i]));
    }
    talk_fini(&talk);
}

static void one_and_two_are_counted_in_their_own_words(void **state)
{
    (void)state;
    static const struct {
        const char *todo;
        const char *said;
    } rows[] = {{"\"referrals_to_answer\":1", "1 referral to answer\n"},
                {"\"referrals_to_answer\":2", "2 referrals to answer\n"},
                {"\"decisions\":1", "1 needs a decision\n"},
                {"\"decisions\":2", "2 need a decision\n"},
                {"\"pending\":1", "1 newcomer to approve\n"},
                {"\"pending\":2", "2 newcomers to approve\n"},
                {"\"retention_due\":1", "1 case whose time is up\n"},
                {"\"retention_due\":2", "2 cases whose time is up\n"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk;
        char status[256];
        (void)snprintf(status, sizeof(status),
                       "{\"ledger\":\"x\",\"locked\":false,\"partners\":[],\"attention\":true,"
                       "\"todo\":{%s},\"health\":{\"ok\":true}}",
                       rows[i].todo);
        run(&talk, status, NULL);
        assert_non_null(strstr(talk.result.out, rows[i].said));
        assert_int_equal(strstr(talk.result.err, "spean case list --due") != NULL,
                         strstr(rows[i].todo, "retention_due") != NULL);
        talk_fini(&talk);
    }
}

static void without_anything_to_do_the_exit_is_0(void **state)
{
    (void)state;
    struct talk talk;
    run(&talk,
        "{\"ledger\":\"x\",\"locked\":false,\"partners\":[],\"attention\":false,\"todo\":{},"
        "\"health\":{\"ok\":true}}",
        NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(talk.result.out, "To do:   nothing"));
    talk_fini(&talk);
}

static void a_problem_is_told_and_a_locked_or_lonely_node_says_what_is_next(void **state)
{
    (void)state;
    struct talk talk;
    run(&talk,
        "{\"ledger\":null,\"locked\":true,\"partners\":[],\"attention\":true,\"todo\":{},"
        "\"health\":{\"ok\":false,\"problems\":[\"the disk is nearly full\"]}}",
        NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_ATTENTION);
    assert_non_null(strstr(talk.result.out, "the disk is nearly full"));
    assert_non_null(strstr(talk.result.err, "spean unlock"));
    talk_fini(&talk);
    run(&talk, "{\"ledger\":null,\"locked\":false}", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(talk.result.err, "spean ledger found"));
    assert_non_null(strstr(talk.result.out, "not well")); /* What is not said to be well is not. */
    talk_fini(&talk);
}

static void json_is_the_daemons_own_object(void **state)
{
    (void)state;
    struct talk talk;
    run(&talk, "{\"attention\":true,\"digest\":\"77\"}", "--json");
    assert_int_equal(talk.result.exit, SPEAN_EXIT_ATTENTION);
    assert_string_equal(talk.result.out, "{\n  \"attention\": true,\n  \"digest\": \"77\"\n}\n");
    assert_string_equal(talk.result.err, "");
    talk_fini(&talk);
}

static void watching_prints_nothing_anew_for_figures_that_never_stand_still(void **state)
{
    (void)state;
#define STATUS(bytes, locked)                                                                      \
    "{\"locked\":" locked ",\"room\":{\"left_bytes\":" bytes "},\"sync\":{\"bytes_today\":" bytes  \
    "}}"
    const struct api_say says[] = {{.status = 200, .json = STATUS("7", "false")},
                                   {.status = 200, .json = STATUS("8", "false")},
                                   {.status = 200, .json = STATUS("9", "true")}};
    const char *const words[] = {"spean", "status", "--watch", "--count", "2", "--json", NULL};
    struct talk talk;
    talk_run(&talk, says, 3, words);
    assert_non_null(strstr(talk.result.out, "\"left_bytes\":7"));
    assert_null(strstr(talk.result.out, "\"left_bytes\":8"));
    assert_non_null(strstr(talk.result.out, "\"left_bytes\":9"));
    assert_non_null(strstr(talk.result.out, "{\"summary\":{\"lines\":2,\"last\":null}}\n"));
    talk_fini(&talk);
#undef STATUS
}

static void names_from_elsewhere_cannot_command_the_terminal(void **state)
{
    (void)state;
    struct talk talk;
    run(&talk, "{\"partners\":[{\"name\":\"\\u001b[2J\\nevil\",\"why\":\"\\u202ex\"}]}", NULL);
    assert_null(strchr(talk.result.out, '\x1b'));
    assert_null(strstr(talk.result.out, "\nevil"));
    assert_null(strstr(talk.result.out, "\xe2\x80\xae"));
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partners_stand_in_a_table_and_what_waits_below),
        cmocka_unit_test(one_and_two_are_counted_in_their_own_words),
        cmocka_unit_test(without_anything_to_do_the_exit_is_0),
        cmocka_unit_test(a_problem_is_told_and_a_locked_or_lonely_node_says_what_is_next),
        cmocka_unit_test(json_is_the_daemons_own_object),
        cmocka_unit_test(watching_prints_nothing_anew_for_figures_that_never_stand_still),
        cmocka_unit_test(names_from_elsewhere_cannot_command_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
