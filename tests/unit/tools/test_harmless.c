/* Whatever partners and files put into texts, no command hands it to the terminal: every command
 * that prints is run against answers in which each text is hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/tools/clikit.h"
#include "tools/display.h"

/* Clears the screen, sets the title, turns lines round, begins a line of its own. */
#define EVIL                                                                                       \
    "\x1b[2J\x1b]0;x\x07\xc2\x9b"                                                                  \
    "31m\xe2\x80\xae"                                                                              \
    "EVIL\n\xe2\x81\xa7\xf3\xa0\x81\x81\x7f\r"
#define REPLIES 4u

static const char *const text_keys[] = {
    "name",       "org",         "org_name",      "owner",      "owner_name",
    "code",       "status",      "kind",          "country",    "state",
    "standing",   "role",        "digits",        "signing",    "sealing",
    "transport",  "since",       "last_seen",     "expires",    "urgency",
    "respond_by", "origin",      "origin_name",   "target",     "target_name",
    "reason",     "step",        "track",         "at",         "by",
    "by_name",    "proof",       "event",         "field",      "message",
    "text",       "do",          "check",         "why",        "list",
    "note",       "mapped_to",   "opened_on",     "risk_level", "id",
    "to",         "to_name",     "details",       "handle",     "fate",
    "body",       "tag",         "time",          "type",       "review_on",
    "delete_by",  "short_ref",   "superseded_by", "version",    "program",
    "actor",      "last_contact"};

/* An object with every key that a command prints, each of a hostile text; deep holds it again. */
static json_t *evil_object(json_t *deep)
{
    static const char *const lists[] = {
        "items", "partners",     "problems_of", "steps",  "trail", "nodes",     "stewards",
        "now",   "after_accept", "never",       "checks", "same",  "looks_like"};
    json_t *const object = json_object();
    for (size_t i = 0; i < sizeof(text_keys) / sizeof(text_keys[0]); i++) {
        assert_int_equal(json_object_set_new(object, text_keys[i], json_string(EVIL)), 0);
    }
    assert_int_equal(
        json_object_set_new(object, "names", json_pack("{s:s,s:s}", "en", EVIL, EVIL, EVIL)), 0);
    assert_int_equal(json_object_set_new(object, "flags", json_pack("[s]", EVIL)), 0);
    assert_int_equal(json_object_set_new(object, "problems", json_pack("[s]", EVIL)), 0);
    assert_int_equal(json_object_set_new(object, "value", json_string(EVIL)), 0);
    for (size_t i = 0; deep != NULL && i < sizeof(lists) / sizeof(lists[0]); i++) {
        assert_int_equal(json_object_set_new(object, lists[i], json_pack("[O]", deep)), 0);
    }
    return object;
}

static json_t *evil_answer(void)
{
    static const char *const maps[] = {"fields",    "fixed", "health", "todo",    "agency",
                                       "statement", "sync",  "draft",  "derived", "retention"};
    json_t *const deep = evil_object(NULL);
    json_t *const answer = evil_object(deep);
    assert_int_equal(json_object_set_new(deep, EVIL, json_pack("[s,{s:s}]", EVIL, EVIL, EVIL)), 0);
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        assert_int_equal(json_object_set(answer, maps[i], deep), 0);
    }
    assert_int_equal(
        json_object_set_new(answer, "waiting", json_pack("{s:i,s:[s]}", "parts", 1, "keys", EVIL)),
        0);
    assert_int_equal(json_object_set_new(answer, "conflicts", json_pack("{s:[s]}", EVIL, EVIL)), 0);
    assert_int_equal(json_object_set_new(answer, "codes",
                                         json_pack("{s:{s:{s:s,s:{s:s}}}}", EVIL, EVIL, "standing",
                                                   "unknown", "labels", "en", EVIL)),
                     0);
    assert_int_equal(json_object_set_new(answer, "next", json_null()), 0);
    json_decref(deep);
    return answer;
}

/* Fail if text has what a terminal obeys. Line breaks, and tabs between plain columns, are ours. */
static void assert_harmless(const char *text, const char *words)
{
    const size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        bool harmless = false;
        const size_t bytes = spean_display_next(text + at, len - at, &harmless);
        if (!harmless && text[at] != '\n' && text[at] != '\t') {
            fail_msg("spean %s printed an unsafe character: %s", words, text);
        }
        at += bytes;
    }
}

static const char *const commands[][5] = {
    {"agency", "list"},
    {"agency", "show", "aaaa"},
    {"case", "list"},
    {"case", "show", "aaaa"},
    {"code", "list"},
    {"code", "list", "scheme"},
    {"code", "unmapped"},
    {"consent", "show", "aaaa"},
    {"doctor"},
    {"ledger", "show"},
    {"log", "list"},
    {"log", "show", "aaaa"},
    {"member", "list"},
    {"member", "pending"},
    {"node", "list"},
    {"org", "show"},
    {"person", "list"},
    {"referral", "inbox"},
    {"referral", "list"},
    {"referral", "outbox"},
    {"referral", "preview", "aaaa"},
    {"referral", "send", "aaaa"},
    {"referral", "show", "aaaa"},
    {"referral", "show", "aaaa", "--print"},
    {"referral", "show", "aaaa", "--print", "--html"},
    {"status"},
    {"sync", "now"},
    {"sync", "plan"},
    {"verify"},
};

/* What the daemon says to everything. */
struct said {
    int status;
    const char *json;
};

static char *reply_make(const char *request, void *context)
{
    const struct said *const said = context;
    const size_t cap = strlen(said->json) + 256;
    char *const reply = malloc(cap);
    (void)request;
    assert_non_null(reply);
    const int len = snprintf(reply, cap,
                             "HTTP/1.1 %d X\r\nContent-Type: application/json; charset=utf-8\r\n"
                             "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                             said->status, strlen(said->json), said->json);
    assert_true(len > 0 && (size_t)len < cap);
    return reply;
}

static void run(size_t row, const char *flag, int status, const char *json)
{
    struct said said = {status, json};
    const char *words[8] = {"spean"};
    struct api_say says[REPLIES];
    struct talk talk;
    size_t count = 1;
    for (size_t i = 0; i < 5 && commands[row][i] != NULL; i++) {
        words[count++] = commands[row][i];
    }
    words[count] = flag;
    for (size_t i = 0; i < REPLIES; i++) {
        says[i] = (struct api_say){.make = reply_make, .context = &said};
    }
    talk_run(&talk, says, REPLIES, words);
    assert_harmless(talk.result.out, words[1]);
    assert_harmless(talk.result.err, words[1]);
    /* It was there to be printed. */
    assert_true(strstr(talk.result.out, "EVIL") != NULL || strstr(talk.result.err, "EVIL") != NULL);
    talk_fini(&talk);
}

static void no_answer_reaches_the_terminal_as_it_is(void **state)
{
    (void)state;
    json_t *const answer = evil_answer();
    char *const text = json_dumps(answer, JSON_COMPACT);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        run(i, NULL, 200, text);
        run(i, "--plain", 200, text);
        run(i, "--json", 200, text);
    }
    free(text);
    json_decref(answer);
}

static void no_refusal_reaches_the_terminal_as_it_is(void **state)
{
    (void)state;
    json_t *const refusal = json_pack("{s:{s:s,s:s,s:s,s:i}}", "error", "code", EVIL, "message",
                                      EVIL, "hint", EVIL, "exit", 6);
    char *const text = json_dumps(refusal, JSON_COMPACT);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        run(i, NULL, 409, text);
        run(i, "--json", 409, text);
    }
    free(text);
    json_decref(refusal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_answer_reaches_the_terminal_as_it_is),
        cmocka_unit_test(no_refusal_reaches_the_terminal_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
