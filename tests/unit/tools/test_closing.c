#include "tools/closing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"
#include "tools/timetext.h"

#define CASE(fields)                                                                               \
    "{\"id\":\"aabbccdd00112233\",\"code\":\"KH-2611-0317-B\",\"type\":\"case\",\"changed\":true," \
    "\"fields\":{" fields "},\"retention\":{\"review_on\":\"2031-11-20\",\"delete_by\":null,"      \
    "\"by_person\":false,\"due\":[]}}"
#define OPEN   CASE("\"status\":\"follow_up\",\"opened_on\":\"2026-03-10\"")
#define CLOSED CASE("\"status\":\"closed\",\"closed_on\":\"2026-11-20\"")
#define CODES                                                                                      \
    "{\"items\":[{\"list\":\"closure_reason\",\"code\":\"resolved\"},{\"list\":"                   \
    "\"closure_reason\",\"code\":\"no_contact\"}],\"next\":null}"
#define NONE     "{\"items\":[],\"next\":null}"
#define REFERRAL "{\"id\":\"%s\",\"code\":%s,\"state\":\"%s\"}"

/* What the daemon is asked, and answers, when a case is closed. */
static const struct api_say good[] = {{.status = 200, .json = OPEN},
                                      {.status = 200, .json = CODES},
                                      {.status = 200, .json = NONE},
                                      {.status = 200, .json = NONE},
                                      {.status = 200, .json = CLOSED}};

static void close_run(struct talk *talk, const struct api_say *says, size_t count,
                      const char *reason, const char *on)
{
    talk_run(talk, says, count,
             (const char *const[]){"spean", "case", "close", "KH-2611-0317-B", "--reason", reason,
                                   on == NULL ? NULL : "--on", on, NULL});
}

static void a_closed_case_is_not_closed_again(void **state)
{
    (void)state;
    static const char *const rows[] = {CLOSED, CASE("\"status\":\"closed_referred\""),
                                       CASE("\"status\":\"duplicate\"")};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk;
        const struct api_say says[] = {{.status = 200, .json = rows[i]}};
        close_run(&talk, says, 1, "resolved", NULL);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
        assert_asked_times(&talk, 1);
        assert_non_null(strstr(talk.result.err, "spean case reopen KH-2611-0317-B"));
        talk_fini(&talk);
    }
}

static void a_reason_that_no_list_has_is_refused_with_the_one_that_was_meant(void **state)
{
    (void)state;
    struct talk talk;
    close_run(&talk, good, 5, "resolvd", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked(&talk, 1, "GET /v1/codes?list=closure_reason&limit=1000", NULL);
    assert_asked_times(&talk, 2);
    assert_non_null(strstr(talk.result.err, "did you mean resolved?"));
    talk_fini(&talk);
    close_run(&talk, good, 5, "boredom", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 2);
    assert_non_null(strstr(talk.result.err, "spean code list closure_reason"));
    talk_fini(&talk);
    talk_run(&talk, good, 5, (const char *const[]){"spean", "case", "close", "KH-1", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
}

static void a_day_ahead_or_before_the_case_was_opened_is_refused(void **state)
{
    (void)state;
    static const char *const days[] = {"9999-12-31", "9999-12", "9999",   "2026-03-09",
                                       "2026-02",    "2025",    "1999-12"};
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        struct talk talk;
        close_run(&talk, good, 5, "resolved", days[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 1);
        talk_fini(&talk);
    }
}

static void what_is_no_date_is_left_to_the_daemon_to_refuse(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        good[0],
        good[1],
        good[2],
        good[3],
        {.status = 400,
         .json = "{\"error\":{\"code\":\"bad_input\",\"message\":\"m\",\"exit\":2}}"}};
    close_run(&talk, says, 5, "resolved", "soon");
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 5);
    talk_fini(&talk);
}

static void a_day_known_to_its_month_or_year_may_hold_the_opening(void **state)
{
    (void)state;
    static const char *const days[] = {"2026-03-10", "2026-03", "2026"};
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        struct talk talk;
        char body[160];
        close_run(&talk, good, 5, "resolved", days[i]);
        (void)snprintf(body, sizeof(body),
                       "{\"set\":{\"status\":\"closed\",\"closed_on\":\"%s\",\"closure_reason\":"
                       "\"resolved\"}}",
                       days[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
        assert_asked(&talk, 4, "PATCH /v1/cases/aabbccdd00112233", body);
        talk_fini(&talk);
    }
}

static void closing_is_one_change_of_today_that_says_how_to_take_it_back(void **state)
{
    (void)state;
    struct talk talk;
    char today[SPEAN_TIMETEXT_BYTES_MAX];
    char body[160];
    spean_timetext_today(today);
    close_run(&talk, good, 5, "no_contact", NULL);
    (void)snprintf(body, sizeof(body),
                   "{\"set\":{\"status\":\"closed\",\"closed_on\":\"%s\",\"closure_reason\":"
                   "\"no_contact\"}}",
                   today);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked_times(&talk, 5);
    assert_asked(&talk, 2, "GET /v1/referrals?box=out&case=aabbccdd00112233&limit=1000", NULL);
    assert_asked(&talk, 3, "GET /v1/referrals?box=in&case=aabbccdd00112233&limit=1000", NULL);
    assert_asked(&talk, 4, "PATCH /v1/cases/aabbccdd00112233", body);
    assert_non_null(strstr(talk.result.out, "look at it again on 2031-11-20"));
    assert_non_null(strstr(talk.result.err, "Undo: spean case reopen KH-2611-0317-B"));
    talk_fini(&talk);
}

static void referrals_that_are_not_at_their_end_are_named_with_what_goes_on_with_them(void **state)
{
    (void)state;
    static const struct {
        const char *out; /* The state of one that was sent, and of one that came; "": none. */
        const char *in;
        const char *next; /* NULL: neither is open. */
    } rows[] = {{"sent", "", "spean referral cancel R-1"},
                {"on_hold", "", "spean referral cancel R-1"},
                {"cancel_pending", "", "spean referral show R-1"},
                {"unsuccessful", "", "spean referral close R-1"},
                {"", "in_progress", "spean referral complete R-1"},
                {"", "accepted", "spean referral start R-1"},
                {"closed", "completed", NULL},
                {"declined", "unsuccessful", NULL},
                {"cancelled", "closed", NULL},
                {"a_newer_one", "redirected", NULL}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk;
        char lists[2][128];
        (void)snprintf(lists[0], sizeof(lists[0]), "{\"items\":[" REFERRAL "],\"next\":null}", "aa",
                       "\"R-1\"", rows[i].out);
        (void)snprintf(lists[1], sizeof(lists[1]), "{\"items\":[" REFERRAL "],\"next\":null}", "aa",
                       "\"R-1\"", rows[i].in);
        const struct api_say says[] = {good[0],
                                       good[1],
                                       {.status = 200, .json = lists[0]},
                                       {.status = 200, .json = lists[1]},
                                       good[4]};
        close_run(&talk, says, 5, "resolved", NULL);
        assert_asked_times(&talk, 5);
        assert_int_equal(talk.result.exit,
                         rows[i].next == NULL ? SPEAN_EXIT_DONE : SPEAN_EXIT_ATTENTION);
        if (rows[i].next != NULL) {
            assert_non_null(strstr(talk.result.err, rows[i].next));
        }
        talk_fini(&talk);
    }
}

static void json_names_the_open_referrals_and_a_dry_run_changes_nothing(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        good[0],
        good[1],
        {.status = 200,
         .json = "{\"items\":[{\"id\":\"aabbccdd\",\"code\":null,\"state\":\"sent\"}]}"},
        good[3],
        {.status = 200,
         .json = "{\"id\":\"aabbccdd00112233\",\"code\":\"KH-2611-0317-B\",\"dry_run\":true}"}};
    talk_run(&talk, says, 5,
             (const char *const[]){"spean", "case", "close", "KH-2611-0317-B", "--reason",
                                   "resolved", "--dry-run", "--json", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_ATTENTION);
    assert_asked(&talk, 4, "PATCH /v1/cases/aabbccdd00112233?dry_run=1", "*");
    assert_non_null(strstr(talk.result.out, "\"spean referral cancel aabb-ccdd\""));
    talk_fini(&talk);
    talk_run(&talk, says, 5,
             (const char *const[]){"spean", "case", "close", "KH-2611-0317-B", "--reason",
                                   "resolved", "--dry-run", NULL});
    assert_non_null(strstr(talk.result.out, "would be closed"));
    assert_null(strstr(talk.result.err, "Undo"));
    talk_fini(&talk);
}

static void an_open_case_is_not_reopened(void **state)
{
    (void)state;
    struct talk talk;
    talk_run(&talk, good, 1,
             (const char *const[]){"spean", "case", "reopen", "KH-2611-0317-B", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
    talk_run(&talk, good, 1,
             (const char *const[]){"spean", "case", "reopen", "KH-2611-0317-B", "--status",
                                   "closed", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
}

static void reopening_clears_day_and_reason(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = CLOSED}, {.status = 200, .json = OPEN}};
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "case", "reopen", "KH-2611-0317-B", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 1, "PATCH /v1/cases/aabbccdd00112233",
                 "{\"set\":{\"status\":\"active\",\"closed_on\":null,\"closure_reason\":null}}");
    assert_non_null(strstr(talk.result.err, "Undo: spean case close KH-2611-0317-B"));
    talk_fini(&talk);
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "case", "reopen", "KH-2611-0317-B", "--status",
                                   "follow_up", NULL});
    assert_asked(&talk, 1, "PATCH /v1/cases/aabbccdd00112233",
                 "{\"set\":{\"status\":\"follow_up\",\"closed_on\":null,\"closure_reason\":null}}");
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_case_is_not_closed_again),
        cmocka_unit_test(a_reason_that_no_list_has_is_refused_with_the_one_that_was_meant),
        cmocka_unit_test(a_day_ahead_or_before_the_case_was_opened_is_refused),
        cmocka_unit_test(what_is_no_date_is_left_to_the_daemon_to_refuse),
        cmocka_unit_test(a_day_known_to_its_month_or_year_may_hold_the_opening),
        cmocka_unit_test(closing_is_one_change_of_today_that_says_how_to_take_it_back),
        cmocka_unit_test(referrals_that_are_not_at_their_end_are_named_with_what_goes_on_with_them),
        cmocka_unit_test(json_names_the_open_referrals_and_a_dry_run_changes_nothing),
        cmocka_unit_test(an_open_case_is_not_reopened),
        cmocka_unit_test(reopening_clears_day_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
