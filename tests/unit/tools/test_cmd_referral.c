#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"
#include "tools/command.h"

#define PATH_BYTES 160u
#define TOKYO      "7f3a91c400000000000000000000000000000000000000000000000000000001"
#define MEMBERS    "{\"items\":[{\"org\":\"" TOKYO "\"}]}"
#define REFERRAL                                                                                   \
    "{\"id\":\"58c2aabbccddeeff\",\"code\":\"R-58Q2\",\"type\":\"referral\",\"state\":"            \
    "\"accepted\","                                                                                \
    "\"flags\":[\"closed_while_live\"],\"origin\":\"aaaabbbbcccc\",\"origin_name\":\"Bridge\","    \
    "\"target\":\"" TOKYO "\",\"urgency\":\"urgent\",\"respond_by\":\"2026-11-25T09:00:00Z\","     \
    "\"fields\":{\"urgency\":\"urgent\",\"target_steps\":[{\"item\":{\"step\":\"raw\"}}]},"        \
    "\"steps\":[{\"track\":\"target\",\"step\":\"accept\",\"at\":\"2026-11-23T09:00:00Z\","        \
    "\"misfit\":true}]}"

static char folder[PATH_BYTES];
static char path[PATH_BYTES + 32];

static int folder_make(void **state)
{
    (void)state;
    scratch_make(folder, sizeof(folder));
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static const struct api_say one[] = {{.status = 200, .json = REFERRAL}};

/* Each step of the table: the words that a person types and the request that they make. */
static const struct {
    const char *words[12];
    const char *line;
    const char *body;
} steps[] = {
    {{"send"}, "send", "{}"},
    {{"receive"}, "receive", "{}"},
    {{"start"}, "start", "{}"},
    {{"cancel", "--reason", "client_request"}, "cancel", "{\"reason\":\"client_request\"}"},
    {{"error", "--reason", "wrong_target"}, "error", "{\"reason\":\"wrong_target\"}"},
    {{"decline", "--reason", "no_capacity"}, "decline", "{\"reason\":\"no_capacity\"}"},
    {{"fail", "--reason", "no_contact"}, "fail", "{\"reason\":\"no_contact\"}"},
    {{"accept", "--assigned", "worker-3", "--first-contact-by", "2026-11-25"},
     "accept",
     "{\"assigned_ref\":\"worker-3\",\"first_contact_by\":\"2026-11-25\"}"},
    {{"hold", "--reason", "safety", "--review-by", "2026-12"},
     "hold",
     "{\"reason\":\"safety\",\"review_by\":\"2026-12\"}"},
    {{"complete", "--outcome", "remedy_obtained", "--service", "legal", "--service", "shelter"},
     "complete",
     "{\"outcome\":\"remedy_obtained\",\"services_provided\":[\"legal\",\"shelter\"]}"},
    {{"ack-cancel", "--data-purged", "kept", "--reason", "retention_end"},
     "ack_cancel",
     "{\"data_purged\":\"kept\",\"reason\":\"retention_end\"}"},
    {{"close", "--client-informed", "yes", "--next-step", "new_referral", "--next-referral",
      "r-58q2"},
     "close",
     "{\"client_informed\":\"yes\",\"next_step\":\"new_referral\",\"next_referral\":\"R-58Q2\"}"},
    {{"amend", "--respond-by", "2026-12-01T00:00:00Z"},
     "amend",
     "{\"respond_by\":\"2026-12-01T00:00:00Z\"}"},
};

static void every_step_sends_what_the_table_of_the_api_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct talk talk;
        const char *words[16] = {"spean", "referral", steps[i].words[0], "R-58Q2"};
        char line[96];
        for (size_t k = 1; k < 12 && steps[i].words[k] != NULL; k++) {
            words[3 + k] = steps[i].words[k];
        }
        (void)snprintf(line, sizeof(line), "POST /v1/referrals/R-58Q2/%s", steps[i].line);
        const struct api_say says[] = {one[0], {.status = 200, .json = "{\"partners\":[]}"}};
        talk_run(&talk, says, 2, words); /* After sending, it asks who is there. */
        assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
        assert_asked(&talk, 0, line, steps[i].body);
        assert_non_null(strstr(talk.result.err, "R-58Q2"));
        assert_non_null(strstr(talk.result.err, "Next:"));
        talk_fini(&talk);
    }
}

static void sending_says_when_the_partner_is_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *partners;
        const char *says; /* NULL: nothing of the kind. */
    } rows[] = {
        {"[{\"org\":\"bb\",\"state\":\"offline\",\"last_contact\":\"2020-01-02T03:04:05Z\"}]",
         "Not sent yet: Tokyo"},
        {"[{\"org\":\"bb\",\"state\":\"offline\",\"last_contact\":null}]", "(last seen: never)"},
        {"[{\"org\":\"bb\",\"state\":\"connected\",\"last_contact\":null}]", NULL},
        {"[{\"org\":\"cc\",\"state\":\"offline\",\"last_contact\":null}]", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk;
        char json[256];
        (void)snprintf(json, sizeof(json), "{\"partners\":%s}", rows[i].partners);
        const struct api_say says[] = {
            {.status = 200,
             .json =
                 "{\"id\":\"58c2\",\"code\":\"R-58Q2\",\"type\":\"referral\",\"state\":\"sent\","
                 "\"target\":\"bb\",\"target_name\":\"Tokyo\"}"},
            {.status = 200, .json = json}};
        talk_run(&talk, says, 2,
                 (const char *const[]){"spean", "referral", "send", "R-58Q2", NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
        assert_asked(&talk, 1, "GET /v1/status", NULL);
        if (rows[i].says == NULL) {
            assert_null(strstr(talk.result.err, "Not sent yet"));
        } else {
            assert_non_null(strstr(talk.result.err, rows[i].says));
        }
        talk_fini(&talk);
    }
}

static void a_step_without_what_it_must_give_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    const char *const runs[][8] = {
        {"spean", "referral", "accept", "R-58Q2", NULL},
        {"spean", "referral", "accept", "R-58Q2", "--assigned", "worker-3", NULL},
        {"spean", "referral", "decline", "R-58Q2", NULL},
        {"spean", "referral", "cancel", "R-58Q2", NULL},
        {"spean", "referral", "complete", "R-58Q2", NULL},
        {"spean", "referral", "close", "R-58Q2", "--client-informed", "yes", NULL},
        {"spean", "referral", "amend", "R-58Q2", NULL},
        {"spean", "referral", "amend", "R-58Q2", "--respond-by", "soon", NULL},
        {"spean", "referral", "note", "R-58Q2", NULL},
        {"spean", "referral", "send", NULL},
        {"spean", "referral", "redirect", "R-58Q2", NULL},
    };
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        talk_run(&talk, one, 1, runs[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
}

static void words_come_from_a_file_with_their_language(void **state)
{
    (void)state;
    struct talk talk;
    char spec[PATH_BYTES + 40];
    scratch_write(folder, "note.txt", "\u9023\u7d61\u6e08\u307f\n", path, sizeof(path));
    (void)snprintf(spec, sizeof(spec), "@%s", path);
    talk_run(&talk, one, 1,
             (const char *const[]){"spean", "referral", "note", "R-58Q2", "--text", spec, "--lang",
                                   "ja", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/referrals/R-58Q2/note",
                 "{\"text\":{\"ja\":\"\u9023\u7d61\u6e08\u307f\"}}");
    assert_null(strstr(talk.result.err, "\u9023\u7d61"));
    talk_fini(&talk);
    talk_run(&talk, one, 1,
             (const char *const[]){"spean", "referral", "complete", "R-58Q2", "--outcome", "x",
                                   "--closing-note", spec, "--lang", "ja", NULL});
    assert_asked(&talk, 0, "POST /v1/referrals/R-58Q2/complete",
                 "{\"outcome\":\"x\",\"closing_note\":{\"ja\":\"\u9023\u7d61\u6e08\u307f\"}}");
    talk_fini(&talk);
    talk_run(&talk, one, 1,
             (const char *const[]){"spean", "referral", "note", "R-58Q2", "--text", spec, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE); /* In which language? */
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
}

static void personal_data_is_refused_on_the_command_line(void **state)
{
    (void)state;
    struct talk talk;
    const char *const runs[][10] = {
        {"spean", "referral", "note", "R-58Q2", "--text", "she called", "--lang", "en", NULL},
        {"spean", "referral", "complete", "R-58Q2", "--outcome", "x", "--closing-note", "she left",
         NULL},
        {"spean", "referral", "create", "--reason", "she was beaten", NULL},
        {"spean", "referral", "create", "--narrative", "x", NULL},
    };
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        talk_run(&talk, one, 1, runs[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
}

static void a_draft_is_made_of_file_and_flags(void **state)
{
    (void)state;
    struct talk talk;
    char spec[PATH_BYTES + 40];
    const struct api_say says[] = {{.status = 200, .json = MEMBERS},
                                   {.status = 201, .json = REFERRAL}};
    scratch_write(folder, "reason.txt", "fees", path, sizeof(path));
    (void)snprintf(spec, sizeof(spec), "@%s", path);
    scratch_write(folder, "draft.json",
                  "{\"services\":[{\"code\":\"fee_refund\"}],\"urgency\":\"normal\",\"informed\":"
                  "true}",
                  path, sizeof(path));
    talk_run(&talk, says, 2,
             (const char *const[]){"spean",
                                   "referral",
                                   "create",
                                   "--from",
                                   path,
                                   "--case",
                                   "KH-2611-0317-B",
                                   "--to",
                                   "7f3a91c4",
                                   "--consent",
                                   "91c4",
                                   "--service",
                                   "legal",
                                   "--section",
                                   "costs",
                                   "--urgency",
                                   "urgent",
                                   "--respond-by",
                                   "2026-11-25T09:00:00Z",
                                   "--reason",
                                   spec,
                                   "--lang",
                                   "en",
                                   NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/members?limit=1000", NULL);
    assert_asked(&talk, 1, "POST /v1/referrals",
                 "{\"case\":\"KH-2611-0317-B\",\"to\":\"" TOKYO "\",\"consent\":\"91c4\","
                 "\"services\":[{\"code\":\"fee_refund\"},{\"code\":\"legal\"}],\"sections\":["
                 "\"costs\"],\"urgency\":\"urgent\",\"respond_by\":\"2026-11-25T09:00:00Z\","
                 "\"reason\":{\"en\":\"fees\"},\"informed\":true}");
    assert_non_null(strstr(talk.result.err, "spean referral preview R-58Q2"));
    talk_fini(&talk);
}

static void a_draft_without_case_target_or_service_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = MEMBERS},
                                   {.status = 201, .json = REFERRAL}};
    const char *const runs[][9] = {
        {"spean", "referral", "create", "--to", "7f3a91c4", "--service", "legal", NULL},
        {"spean", "referral", "create", "--case", "KH-2611-0317-B", "--service", "legal", NULL},
        {"spean", "referral", "create", "--case", "KH-2611-0317-B", "--to", "7f3a91c4", NULL},
    };
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        talk_run(&talk, says, 2, runs[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_null(api_server_request(talk.server, 1));
        talk_fini(&talk);
    }
}

static void a_preview_says_who_sees_what_and_what_stands_in_the_way(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say good[] = {
        {.status = 200,
         .json =
             "{\"to\":\"" TOKYO "\",\"to_name\":\"Tokyo\",\"now\":[{\"field\":\"age_band\","
             "\"value\":\"25_34\"}],\"after_accept\":[{\"field\":\"costs\",\"value\":[1,2,3,4,5,"
             "6]}],\"never\":[{\"field\":\"pregnant\"}],\"problems\":[]}"}};
    const struct api_say bad[] = {{.status = 200,
                                   .json = "{\"to\":\"" TOKYO
                                           "\",\"problems\":[{\"code\":\"no_consent\","
                                           "\"message\":\"the consent ended yesterday\"}]}"}};
    const char *const words[] = {"spean", "referral", "preview", "R-58Q2", "--plain", NULL};
    talk_run(&talk, good, 1, words);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/referrals/R-58Q2/preview", NULL);
    static const char *const said[] = {"To Tokyo (7f3a-91c4)", "They will see now\tage_band\t25_34",
                                       "After they accept\tcosts\t6 items",
                                       "They will never see\tpregnant"};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        assert_non_null(strstr(talk.result.out, said[i]));
    }
    talk_fini(&talk);
    talk_run(&talk, bad, 1, words);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_ATTENTION);
    assert_non_null(strstr(talk.result.err, "the consent ended yesterday"));
    assert_null(strstr(talk.result.err, "referral send"));
    talk_fini(&talk);
}

static void boxes_are_lists_and_show_prints_state_and_steps(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say list[] = {{.status = 200, .json = "{\"items\":[" REFERRAL "]}"}};
    static const struct {
        const char *words[4];
        const char *line;
    } rows[] = {{{"inbox"}, "GET /v1/referrals?box=in&limit=1000"},
                {{"outbox"}, "GET /v1/referrals?box=out&limit=1000"},
                {{"list"}, "GET /v1/referrals?limit=1000"},
                {{"list", "--box", "drafts"}, "GET /v1/referrals?box=drafts&limit=1000"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        talk_run(&talk, list, 1,
                 (const char *const[]){"spean", "referral", rows[i].words[0], rows[i].words[1],
                                       rows[i].words[2], NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
        assert_asked(&talk, 0, rows[i].line, NULL);
        assert_non_null(strstr(talk.result.out, "accepted, closed_while_live"));
        assert_non_null(strstr(talk.result.out, "Bridge (aaaa-bbbb)"));
        talk_fini(&talk);
    }
    talk_run(&talk, one, 1, (const char *const[]){"spean", "referral", "show", "R-58Q2", NULL});
    assert_asked(&talk, 0, "GET /v1/referrals/R-58Q2", NULL);
    assert_non_null(strstr(talk.result.out, "State: accepted, closed_while_live"));
    assert_non_null(strstr(talk.result.out, "accept  (does not fit)"));
    assert_null(strstr(talk.result.out, "raw")); /* Steps are told once, in words. */
    talk_fini(&talk);
}

#define PAGE                                                                                       \
    "{\"id\":\"58c2\",\"code\":\"R-58Q2\",\"type\":\"referral\",\"state\":\"declined\",\"flags\":" \
    "["                                                                                            \
    "\"consent_withdrawn\"],\"state_hash\":{\"1\":\"aa\"},\"waiting\":{\"parts\":0,\"keys\":["     \
    "\"payload\"]},\"codes\":{\"urgency\":{\"urgent\":{\"labels\":{\"en\":\"Within 72 "            \
    "hours\"}}}},"                                                                                 \
    "\"steps\":[],\"fields\":{\"urgency\":\"urgent\",\"narrative\":{\"en\":\"%s\"}}}"

/* A sentence that is longer than one line, and its last word. */
#define SENTENCE                                                                                   \
    "She paid before she left and pays still, and the company at which she works does not answer " \
    "letters, calls or visits of anybody who asks <what> became of her wages in the winter of "    \
    "the "                                                                                         \
    "year before the last & the FINISH"

static void print_page(struct talk *talk, const char *format)
{
    char json[2048];
    (void)snprintf(json, sizeof(json), PAGE, SENTENCE);
    const struct api_say says[] = {{.status = 200, .json = json}};
    talk_run(talk, says, 1,
             (const char *const[]){"spean", "referral", "show", "R-58Q2", "--print", format, NULL});
    assert_int_equal(talk->result.exit, SPEAN_EXIT_DONE);
}

static void words_of_people_get_the_lines_that_are_left_on_a_page(void **state)
{
    (void)state;
    struct talk talk;
    print_page(&talk, NULL);
    size_t width = 0;
    for (const char *at = talk.result.out; *at != '\0'; at++) {
        width = *at == '\n' ? 0 : width + 1;
        assert_true(width <= 84);
    }
    assert_non_null(strstr(talk.result.out, "FINISH\n"));
    assert_non_null(strstr(talk.result.out, "asks <what> became"));
    assert_non_null(strstr(talk.result.out, "urgent (Within 72 hours)"));
    assert_non_null(strstr(talk.result.out, "declined, consent_withdrawn"));
    assert_non_null(strstr(talk.result.out, "the part preview: it was erased here"));
    assert_non_null(strstr(talk.result.out, "the part payload: this node has not got its key"));
    assert_null(strstr(talk.result.out, "the part payload: it was erased"));
    talk_fini(&talk);
}

static void a_page_of_html_says_the_same_and_words_stay_words(void **state)
{
    (void)state;
    struct talk talk;
    print_page(&talk, "--html");
    assert_int_equal(strncmp(talk.result.out, "<!DOCTYPE html>", 15), 0);
    assert_non_null(strstr(talk.result.out, "<th>narrative</th><td>en: She paid"));
    assert_non_null(strstr(talk.result.out, "&lt;what&gt; became"));
    assert_non_null(strstr(talk.result.out, "last &amp; the FINISH</td>"));
    assert_non_null(strstr(talk.result.out, "the part preview: it was erased here"));
    assert_null(strstr(talk.result.out, "<what>"));
    assert_non_null(strstr(talk.result.out, "</body></html>\n"));
    talk_fini(&talk);
}

static void show_and_print_say_what_a_step_promised_and_who_took_it(void **state)
{
    (void)state;
    static const char json[] =
        "{\"id\":\"58c2\",\"code\":\"R-58Q2\",\"type\":\"referral\",\"state\":\"on_hold\","
        "\"fields\":{},"
        "\"codes\":{\"outcome\":{\"x\":{\"labels\":{\"en\":\"Got it\"}}}},\"steps\":[{\"track\":"
        "\"target\",\"step\":\"accept\",\"actor\":\"dara\",\"assigned_ref\":\"worker-3\","
        "\"first_contact_by\":\"2026-11-25\",\"follows\":[\"aa-1-0\"]},{\"track\":\"target\","
        "\"step\":"
        "\"hold\",\"actor\":\"\",\"reason\":\"safety\",\"review_by\":\"2026-12-01\"},{\"track\":"
        "\"target\",\"step\":\"complete\",\"actor\":\"\",\"outcome\":\"x\",\"services_provided\":[]"
        "}]}";
    const struct api_say says[] = {{.status = 200, .json = json}};
    for (unsigned print = 0; print < 2; print++) {
        struct talk talk;
        talk_run(&talk, says, 1,
                 (const char *const[]){"spean", "referral", "show", "R-58Q2",
                                       print == 0 ? NULL : "--print", NULL});
        assert_non_null(strstr(talk.result.out, "assigned_ref: worker-3, first_contact_by: 2026"));
        assert_non_null(strstr(talk.result.out, "review_by: 2026-12-01"));
        assert_non_null(strstr(talk.result.out, "outcome: x (Got it)"));
        assert_null(strstr(talk.result.out, "services_provided"));
        assert_null(strstr(talk.result.out, "aa-1-0"));
        assert_int_equal(strstr(talk.result.out, "dara") != NULL, print == 0);
        talk_fini(&talk);
    }
}

static void a_print_is_one_page_and_says_what_is_not_on_it(void **state)
{
    (void)state;
    struct talk talk;
    char *const long_text = calloc(201, 1);
    json_t *const fields = json_object();
    json_t *const taken = json_array();
    assert_non_null(long_text);
    memset(long_text, 'x', 200);
    for (unsigned i = 0; i < 40; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "field_%u", i);
        assert_int_equal(json_object_set_new(fields, name, json_string(long_text)), 0);
        assert_int_equal(
            json_array_append_new(taken, json_pack("{s:s,s:s,s:s}", "track", "target", "step",
                                                   "note", "at", "2026-11-23T09:00:00Z")),
            0);
    }
    json_t *const referral = json_pack(
        "{s:s,s:s,s:s,s:s,s:o,s:o,s:s,s:{s:[s]}}", "id", "58c2aabbccddeeff", "code", "R-58Q2",
        "type", "referral", "state", "accepted", "fields", fields, "steps", taken, "details",
        "waiting for details from Bridge", "waiting", "keys", "payload");
    char *const text = json_dumps(referral, JSON_COMPACT);
    const struct api_say says[] = {{.status = 200, .json = text}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "referral", "show", "R-58Q2", "--print", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    unsigned lines = 0;
    for (const char *at = talk.result.out; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    assert_true(lines <= 60);
    assert_non_null(strstr(talk.result.out, "Not on this page"));
    assert_non_null(strstr(talk.result.out, "6 more fields"));
    assert_non_null(strstr(talk.result.out, "36 earlier steps"));
    assert_non_null(strstr(talk.result.out, "the part payload"));
    assert_non_null(strstr(talk.result.out, "waiting for details from Bridge"));
    assert_null(strstr(talk.result.out, long_text));
    talk_fini(&talk);
    free(text);
    free(long_text);
    json_decref(referral);
}

static void a_draft_shows_what_was_entered_and_a_wait_what_is_waited_for(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say draft[] = {
        {.status = 200,
         .json = "{\"id\":\"58c2aabb\",\"code\":\"R-58Q2\",\"state\":\"draft\",\"draft\":{"
                 "\"sections\":[\"costs\"]},\"details\":\"waiting for details from Bridge\"}"}};
    talk_run(&talk, draft, 1, (const char *const[]){"spean", "referral", "show", "R-58Q2", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(talk.result.out, "sections  costs"));
    assert_non_null(strstr(talk.result.out, "waiting for details from Bridge"));
    talk_fini(&talk);
}

static void a_refusal_of_the_daemon_keeps_its_code_and_exit(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say refused[] = {
        {.status = 409,
         .json = "{\"error\":{\"code\":\"no_consent\",\"message\":\"no\",\"hint\":\"ask\","
                 "\"exit\":6}}"}};
    talk_run(&talk, refused, 1,
             (const char *const[]){"spean", "referral", "send", "R-58Q2", "--json", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    json_t *const said = json_loads(talk.result.out, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json_object_get(said, "error"), "code")),
                        "no_consent");
    json_decref(said);
    talk_fini(&talk);
}

static void a_dry_run_is_asked_of_the_daemon(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say checked[] = {{.status = 200, .json = "{\"dry_run\":true}"}};
    talk_run(&talk, checked, 1,
             (const char *const[]){"spean", "referral", "send", "R-58Q2", "--dry-run", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/referrals/R-58Q2/send?dry_run=1", "{}");
    assert_null(strstr(talk.result.err, "signed and sealed"));
    talk_fini(&talk);
}

/* A command without its row in the table of steps would end in an assert. */
static void every_command_of_the_group_can_be_asked(void **state)
{
    (void)state;
    const struct spean_group *const group = spean_group_find("referral");
    size_t seen = 0;
    for (const struct spean_command *c = group->commands; c->path != NULL; c++) {
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            if (strcmp(c->path + strlen("referral "), steps[i].words[0]) == 0) {
                seen++;
                break;
            }
        }
    }
    assert_int_equal(seen, 13); /* And "note", which is asked for above. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
        TEST(every_step_sends_what_the_table_of_the_api_says),
        TEST(a_step_without_what_it_must_give_is_refused),
        TEST(words_come_from_a_file_with_their_language),
        TEST(personal_data_is_refused_on_the_command_line),
        TEST(a_draft_is_made_of_file_and_flags),
        TEST(a_draft_without_case_target_or_service_is_refused),
        TEST(a_preview_says_who_sees_what_and_what_stands_in_the_way),
        TEST(boxes_are_lists_and_show_prints_state_and_steps),
        TEST(sending_says_when_the_partner_is_not_there),
        TEST(a_print_is_one_page_and_says_what_is_not_on_it),
        TEST(show_and_print_say_what_a_step_promised_and_who_took_it),
        TEST(words_of_people_get_the_lines_that_are_left_on_a_page),
        TEST(a_page_of_html_says_the_same_and_words_stay_words),
        TEST(a_draft_shows_what_was_entered_and_a_wait_what_is_waited_for),
        TEST(a_refusal_of_the_daemon_keeps_its_code_and_exit),
        TEST(a_dry_run_is_asked_of_the_daemon),
        TEST(every_command_of_the_group_can_be_asked),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
