#include "tools/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/invite.h"
#include "protocol/ledger.h"
#include "tests/unit/tools/clikit.h"
#include "tests/unit/tools/orgkit.h"
#include "tools/compose.h"

#define PATH_BYTES 200u
#define FAR_FUTURE 4000000000u

/* A steward with a charter, and a newcomer that waits in its lobby. */
struct scene {
    struct orgkit steward;
    struct orgkit newcomer;
    struct spean_composed genesis;
    struct spean_handle handle;
    char folder[PATH_BYTES];
    char admin[PATH_BYTES + 16];
    char secret[PATH_BYTES + 16];
    char *node;    /* JSON of GET /v1/node of the newcomer's daemon. */
    char *charter; /* JSON of GET /v1/charter. */
    char *pending; /* JSON of GET /v1/pending. */
    char org[2 * SPEAN_ID_BYTES + 1];
    char code[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    uint8_t buf[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
};

static struct scene scene;

static char *dump(json_t *taken)
{
    char *const text = json_dumps(taken, JSON_COMPACT);
    json_decref(taken);
    assert_non_null(text);
    return text;
}

static void code_make(uint32_t expires)
{
    struct spean_invite invite = {
        .handle = scene.handle, .transport = {{5}}, .secret = {6}, .expires = expires};
    (void)snprintf(invite.endpoint, sizeof(invite.endpoint), "pp.example.org:7100");
    assert_int_equal(spean_invite_encode(scene.code, &invite), SPEAN_OK);
}

/* who is the organisation whose admin key the commands will find. */
static int scene_begin(struct orgkit *who)
{
    static const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES] = {1};
    orgkit_make(&scene.steward);
    orgkit_make(&scene.newcomer);
    assert_int_equal(
        spean_compose_genesis(scene.steward.admin, "Mekong", 0, random, &scene.genesis), SPEAN_OK);
    scene.handle = spean_handle_of(&scene.genesis.id);
    scratch_make(scene.folder, sizeof(scene.folder));
    orgkit_save(who, scene.folder);
    (void)snprintf(scene.admin, sizeof(scene.admin), "%s/admin.key", scene.folder);
    (void)snprintf(scene.secret, sizeof(scene.secret), "%s/secret", scene.folder);
    (void)snprintf(scene.org, sizeof(scene.org), "%s",
                   orgkit_hex(spean_adminkey_org(scene.newcomer.admin)->bytes, SPEAN_ID_BYTES));
    scene.node = dump(orgkit_node(&scene.newcomer, NULL));
    scene.charter = dump(json_pack("{s:i,s:[O]}", "version", 1, "documents", scene.genesis.hex));
    scene.pending =
        dump(json_pack("{s:[{s:s,s:s,s:s,s:o}],s:n}", "items", "org", scene.org, "digits",
                       "1234 5678", "since", "2026-11-20T07:02:00Z", "statements",
                       orgkit_opened(&scene.newcomer, &scene.handle), "next"));
    code_make(FAR_FUTURE);
    return 0;
}

static int scene_of_steward(void **state)
{
    (void)state;
    return scene_begin(&scene.steward);
}

static int scene_of_newcomer(void **state)
{
    (void)state;
    return scene_begin(&scene.newcomer);
}

static int scene_fini(void **state)
{
    (void)state;
    free(scene.node);
    free(scene.charter);
    free(scene.pending);
    json_decref(scene.genesis.hex);
    scratch_remove(scene.folder);
    orgkit_fini(&scene.steward);
    orgkit_fini(&scene.newcomer);
    return 0;
}

static void approve(struct talk *talk, const struct api_say *says, size_t count, const char *org,
                    const char *digits, const char *extra)
{
    talk_run(talk, says, count,
             (const char *const[]){"spean", "member", "approve", org, "--digits", digits,
                                   "--admin-key", scene.admin, "--admin-passphrase-file",
                                   scene.secret, extra, NULL});
}

static void approving_sends_the_next_charter_version(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = scene.pending},
                                   {.status = 200, .json = scene.charter},
                                   {.status = 200, .json = "{\"version\":2}"}};
    char prefix[12];
    (void)snprintf(prefix, sizeof(prefix), "%.4s-%.4s", scene.org, scene.org + 4);
    approve(&talk, says, 3, prefix, "\u17e1234-5678", NULL); /* A Khmer 1. */
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/pending?limit=1000", NULL);
    assert_asked(&talk, 1, "GET /v1/charter", NULL);
    assert_asked(&talk, 2, "POST /v1/charter", "*");
    assert_non_null(strstr(talk.result.err, "is a member now"));

    json_t *const body = asked_body(&talk, 2);
    struct spean_document doc;
    struct spean_ledger ledger;
    struct spean_id org = *spean_adminkey_org(scene.newcomer.admin);
    spean_ledger_init(&ledger);
    orgkit_decode(scene.genesis.hex, scene.buf, &doc);
    assert_int_equal(spean_ledger_apply(&ledger, &doc, NULL), SPEAN_OK);
    orgkit_decode(json_object_get(body, "document"), scene.buf, &doc);
    assert_int_equal(spean_ledger_apply(&ledger, &doc, NULL), SPEAN_OK);
    assert_true(spean_ledger_is_active(&ledger, &org));
    spean_ledger_fini(&ledger);
    json_decref(body);
    talk_fini(&talk);
}

static void digits_that_differ_let_nobody_in(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = scene.pending},
                                   {.status = 200, .json = scene.charter}};
    static const struct {
        const char *digits;
        enum spean_exit exit;
    } rows[] = {{"1234 5679", SPEAN_EXIT_INTEGRITY},
                {"1234 567", SPEAN_EXIT_INTEGRITY},
                {"1234 56788", SPEAN_EXIT_INTEGRITY},
                {"yes", SPEAN_EXIT_USAGE},
                {"--", SPEAN_EXIT_USAGE}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        approve(&talk, says, 2, scene.org, rows[i].digits, NULL);
        assert_int_equal(talk.result.exit, rows[i].exit);
        assert_asked_times(&talk, 2);
        talk_fini(&talk);
    }
}

static void digits_are_asked_for_when_they_are_not_given(void **state)
{
    (void)state;
    struct talk talk;
    char answers[PATH_BYTES];
    const struct api_say says[] = {{.status = 200, .json = scene.pending},
                                   {.status = 200, .json = scene.charter},
                                   {.status = 200, .json = "{\"version\":2}"}};
    scratch_write(scene.folder, "answers",
                  "digits: 12345678\nadmin.passphrase: " ORGKIT_SECRET "\n", answers,
                  sizeof(answers));
    talk_run(&talk, says, 3,
             (const char *const[]){"spean", "member", "approve", scene.org, "--admin-key",
                                   scene.admin, "--answers", answers, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    talk_fini(&talk);
    talk_run(&talk, says, 2, (const char *const[]){"spean", "member", "approve", scene.org, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_null(strstr(talk.result.err, "5678")); /* They are to be heard, not read off here. */
    talk_fini(&talk);
}

static void a_newcomer_that_nobody_knows_or_that_lies_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say unknown[] = {{.status = 200, .json = "{\"items\":[]}"}};
    approve(&talk, unknown, 1, scene.org, "12345678", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
    assert_asked_times(&talk, 1);
    talk_fini(&talk);

    char *const liar =
        dump(json_pack("{s:[{s:s,s:s,s:o}]}", "items", "org", scene.org, "digits", "1234 5678",
                       "statements", orgkit_opened(&scene.steward, &scene.handle)));
    const struct api_say lies[] = {{.status = 200, .json = liar},
                                   {.status = 200, .json = scene.charter}};
    approve(&talk, lies, 2, scene.org, "12345678", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_INTEGRITY);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
    free(liar);
}

static void a_prefix_of_two_newcomers_is_ambiguous(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200, .json = "{\"items\":[{\"org\":\"abcd01\"},{\"org\":\"abcd02\"}]}"}};
    approve(&talk, says, 1, "abcd", "12345678", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
}

static void a_dry_run_of_approving_is_checked_by_the_daemon(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = scene.pending},
                                   {.status = 200, .json = scene.charter},
                                   {.status = 200, .json = "{\"dry_run\":true}"}};
    approve(&talk, says, 3, scene.org, "12345678", "--dry-run");
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 2, "POST /v1/charter?dry_run=1", "*");
    assert_null(strstr(talk.result.err, "is a member now"));
    talk_fini(&talk);
}

static void who_is_no_steward_cannot_approve(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = scene.pending},
                                   {.status = 200, .json = scene.charter}};
    approve(&talk, says, 2, scene.org, "12345678", NULL); /* With the newcomer's own key. */
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DENIED);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
}

static char *accept_make(const char *request, void *context)
{
    (void)request;
    (void)context;
    char *const text = dump(orgkit_accept(&scene.newcomer, &scene.handle));
    char *const reply = strdup(api_http(200, text));
    free(text);
    return reply;
}

static void join(struct talk *talk, const struct api_say *says, size_t count, const char *code,
                 const char *wait, const char *extra)
{
    talk_run(talk, says, count,
             (const char *const[]){"spean", "member", "join", code, "--wait", wait, "--admin-key",
                                   scene.admin, "--admin-passphrase-file", scene.secret, extra,
                                   NULL});
}

static void joining_knocks_shows_the_digits_and_waits(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200, .json = "{\"state\":\"none\"}"},
        {.status = 200, .json = scene.node},
        {.make = accept_make},
        {.status = 200, .json = "{\"state\":\"dialling\"}"},
        {.status = 200, .json = "{\"state\":\"dialling\",\"digits\":null}"},
        {.status = 200, .json = "{\"state\":\"waiting\",\"digits\":\"1234 5678\"}"},
        {.status = 200, .json = "{\"state\":\"member\",\"digits\":\"1234 5678\"}"}};
    join(&talk, says, 7, scene.code, "30", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_string_equal(talk.result.out, "Digits:  1234 5678\n");
    assert_asked(&talk, 0, "GET /v1/join", NULL);
    assert_asked(&talk, 1, "GET /v1/node", NULL);
    char handle[64];
    (void)snprintf(handle, sizeof(handle), "{\"handle\":\"%s\"}",
                   orgkit_hex(scene.handle.bytes, SPEAN_HANDLE_BYTES));
    assert_asked(&talk, 2, "POST /v1/node/accept", handle);
    assert_asked(&talk, 3, "POST /v1/join", "*");
    json_t *const body = asked_body(&talk, 3);
    json_t *const chain = orgkit_opened(&scene.newcomer, &scene.handle);
    assert_int_equal(json_object_size(body), 2);
    assert_string_equal(json_string_value(json_object_get(body, "code")), scene.code);
    assert_true(json_equal(json_object_get(body, "statements"), chain));
    json_decref(chain);
    json_decref(body);
    talk_fini(&talk);
}

static void joining_again_goes_on_without_the_admin_key(void **state)
{
    (void)state;
    struct talk talk;
    static const char json[] = "{\"state\":\"waiting\",\"digits\":\"1234 5678\","
                               "\"peer\":\"tcp://pp.example.org:7100\"}";
    const struct api_say says[] = {{.status = 200, .json = json}, {.status = 200, .json = json}};
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "member", "join", "--wait", "0", "--json", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_ATTENTION);
    assert_non_null(strstr(talk.result.out, "1234 5678"));
    talk_fini(&talk);
    join(&talk, says, 2, scene.code, "0", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_ATTENTION);
    assert_asked(&talk, 1, "GET /v1/join", NULL);
    talk_fini(&talk);
}

static void a_code_from_a_file_may_be_typed_in_small_letters_and_groups(void **state)
{
    (void)state;
    struct talk talk;
    char path[PATH_BYTES];
    char text[2 * SPEAN_INVITE_TEXT_LEN_MAX + 2];
    size_t used = 0;
    for (size_t i = 0; scene.code[i] != '\0'; i++) {
        if (i % 8 == 7) {
            text[used++] = ' ';
        }
        text[used++] = (char)(scene.code[i] >= 'A' && scene.code[i] <= 'Z' ? scene.code[i] + 32
                                                                           : scene.code[i]);
    }
    text[used] = '\0';
    scratch_write(scene.folder, "code", text, path, sizeof(path));
    const struct api_say says[] = {{.status = 200, .json = "{\"state\":\"member\"}"},
                                   {.status = 200, .json = "{\"state\":\"member\"}"}};
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "member", "join", "--file", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    talk_fini(&talk);
}

static void a_refusal_is_4_and_an_expired_invitation_is_6(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say refused[] = {{.status = 200, .json = "{\"state\":\"waiting\"}"},
                                      {.status = 200, .json = "{\"state\":\"refused\"}"}};
    const struct api_say expired[] = {{.status = 200, .json = "{\"state\":\"waiting\"}"},
                                      {.status = 200, .json = "{\"state\":\"expired\"}"}};
    const char *const words[] = {"spean", "member", "join", NULL};
    talk_run(&talk, refused, 2, words);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DENIED);
    talk_fini(&talk);
    talk_run(&talk, expired, 2, words);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    talk_fini(&talk);
    code_make(1000000000u);
    join(&talk, expired, 2, scene.code, "0", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
}

static void what_is_no_invitation_is_refused_before_anything_is_asked(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"state\":\"none\"}"}};
    for (size_t len = strlen(scene.code) - 1; len > 0; len -= len > 20 ? 20 : 1) {
        scene.code[len] = '\0';
        join(&talk, says, 1, scene.code, "0", NULL);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_non_null(strstr(talk.result.err, "incomplete or mistyped"));
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
    talk_run(&talk, says, 1, (const char *const[]){"spean", "member", "join", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
}

static void a_dry_run_of_joining_knocks_nowhere(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"state\":\"none\"}"},
                                   {.status = 200, .json = scene.node}};
    join(&talk, says, 2, scene.code, "0", "--dry-run");
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked_times(&talk, 2);
    assert_non_null(strstr(talk.result.out, "pp.example.org:7100"));
    talk_fini(&talk);
}

static void an_invitation_is_asked_for_with_its_terms_and_given_once(void **state)
{
    (void)state;
    struct talk talk;
    char path[PATH_BYTES + 16];
    const struct api_say says[] = {
        {.status = 201, .json = "{\"code\":\"SPEAN1:ABC\",\"expires\":\"2026-11-29T00:00:00Z\"}"}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "member", "invite", "--expires", "2d", "--endpoint",
                                   "pp.example.org:7100", "--qr", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/invitations",
                 "{\"expires_s\":172800,\"endpoint\":\"tcp://pp.example.org:7100\"}");
    assert_memory_equal(talk.result.out, "SPEAN1:ABC\n", 11);
    assert_non_null(strstr(talk.result.out, "\xe2\x96\x88"));
    talk_fini(&talk);

    (void)snprintf(path, sizeof(path), "%s/invitation", scene.folder);
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "member", "invite", "--out", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/invitations", "{\"expires_s\":604800}");
    assert_string_equal(talk.result.out, "");
    talk_fini(&talk);

    /* The same again: no invitation is made that nobody would get. */
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "member", "invite", "--out", path, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
}

static void open_invitations_are_shown_and_taken_back_by_number(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say list[] = {
        {.status = 200,
         .json = "{\"items\":[{\"number\":3,\"for\":\"organisation\",\"expires\":"
                 "\"2026-11-29T00:00:00Z\"}],\"next\":null}"}};
    talk_run(&talk, list, 1, (const char *const[]){"spean", "member", "invitations", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/invitations?for=organisation&limit=1000", NULL);
    assert_non_null(strstr(talk.result.out, "3 "));
    assert_non_null(strstr(talk.result.out, "2026"));
    talk_fini(&talk);

    const struct api_say done[] = {
        {.status = 200,
         .json = "{\"number\":3,\"for\":\"organisation\",\"expires\":\"2026-11-29T00:00:00Z\"}"}};
    talk_run(&talk, done, 1, (const char *const[]){"spean", "member", "uninvite", "3", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/invitations/3/cancel", NULL);
    assert_non_null(strstr(talk.result.err, "invitation 3, for one organisation, was taken back"));
    talk_fini(&talk);

    talk_run(&talk, done, 1, (const char *const[]){"spean", "member", "uninvite", "three", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
}

static void a_time_that_is_none_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    static const char *const bad[] = {"7", "d", "0d", "-1d", "7x", "7dd", "99999999d", "1.5h"};
    const struct api_say says[] = {{.status = 201, .json = "{}"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        talk_run(&talk, says, 1,
                 (const char *const[]){"spean", "member", "invite", "--expires", bad[i], NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
}

static void lists_are_tables_of_all_pages(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"items\":[{\"org\":\"aaaaaaaa\",\"name\":\"Bridge\",\"status\":\"active\","
                 "\"steward\":true,\"self\":true,\"nodes\":[{}]}],\"next\":\"a b\"}"},
        {.status = 200,
         .json = "{\"items\":[{\"org\":\"bbbbbbbb\",\"status\":\"removed\"}],\"next\":null}"}};
    talk_run(&talk, says, 2, (const char *const[]){"spean", "member", "list", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/members?limit=1000", NULL);
    assert_asked(&talk, 1, "GET /v1/members?limit=1000&after=a%20b", NULL);
    assert_non_null(strstr(talk.result.out, "Bridge (aaaa-aaaa)  (we)"));
    assert_non_null(strstr(talk.result.out, "bbbb-bbbb"));
    talk_fini(&talk);
    const struct api_say pending[] = {{.status = 200, .json = scene.pending}};
    talk_run(&talk, pending, 1, (const char *const[]){"spean", "member", "pending", NULL});
    assert_non_null(strstr(talk.result.out, "1234 5678"));
    talk_fini(&talk);
}

/* -- Relays ---------------------------------------------------------------------------------- */

#define NODE(key)   "{\"signing\":\"" key "\",\"standing\":\"open\",\"relay\":false}"
#define CLOSED(key) "{\"signing\":\"" key "\",\"standing\":\"closed\",\"relay\":false}"
#define KEY_1       "1111111111111111111111111111111111111111111111111111111111111111"
#define KEY_2       "2222222222222222222222222222222222222222222222222222222222222222"

/* GET /v1/members: the steward's org with these nodes. */
static char *members(const char *status, const char *nodes)
{
    static char text[2000];
    (void)snprintf(text, sizeof(text),
                   "{\"items\":[{\"org\":\"%s\",\"name\":\"Bridge\",\"status\":\"%s\",\"nodes\":"
                   "[%s]}],\"next\":null}",
                   orgkit_hex(spean_adminkey_org(scene.steward.admin)->bytes, SPEAN_ID_BYTES),
                   status, nodes);
    return text;
}

static void relay(struct talk *talk, const char *verb, const char *nodes, const char *charter,
                  const char *which)
{
    const struct api_say says[] = {{.status = 200, .json = members("active", nodes)},
                                   {.status = 200, .json = charter},
                                   {.status = 200, .json = "{\"version\":2}"}};
    talk_run(talk, says, 3,
             (const char *const[]){"spean", "member", "relay", verb, which, "--admin-key",
                                   scene.admin, "--admin-passphrase-file", scene.secret, NULL});
}

/* Apply the charter version that was sent to the ledger. */
static void apply_sent(struct talk *talk, struct spean_ledger *ledger, json_t **sent)
{
    struct spean_document doc;
    *sent = asked_body(talk, 2);
    orgkit_decode(json_object_get(*sent, "document"), scene.buf, &doc);
    assert_int_equal(spean_ledger_apply(ledger, &doc, NULL), SPEAN_OK);
}

static void a_relay_is_named_and_taken_off_by_charter_versions(void **state)
{
    (void)state;
    struct talk talk;
    struct spean_ledger ledger;
    struct spean_document doc;
    struct spean_key key;
    json_t *sent = NULL;
    const char *const org =
        orgkit_hex(spean_adminkey_org(scene.steward.admin)->bytes, SPEAN_ID_BYTES);
    char prefix[9];
    (void)snprintf(prefix, sizeof(prefix), "%.8s", org);
    memset(key.bytes, 0x11, sizeof(key.bytes));
    spean_ledger_init(&ledger);
    orgkit_decode(scene.genesis.hex, scene.buf, &doc);
    assert_int_equal(spean_ledger_apply(&ledger, &doc, NULL), SPEAN_OK);

    relay(&talk, "add", NODE(KEY_1) "," CLOSED(KEY_2), scene.charter, prefix);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(talk.result.err, "is a relay now"));
    apply_sent(&talk, &ledger, &sent);
    assert_true(spean_ledger_is_relay(&ledger, spean_adminkey_org(scene.steward.admin), &key));
    char *const charter = dump(json_pack("{s:i,s:[O,O]}", "version", 2, "documents",
                                         scene.genesis.hex, json_object_get(sent, "document")));
    json_decref(sent);
    talk_fini(&talk);

    relay(&talk, "add", NODE(KEY_1), charter, KEY_1);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked_times(&talk, 2); /* Nothing to do. */
    talk_fini(&talk);

    relay(&talk, "remove", NODE(KEY_1), charter, "1111");
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_non_null(strstr(talk.result.err, "is no relay any more"));
    apply_sent(&talk, &ledger, &sent);
    assert_int_equal(ledger.relays_count, 0);
    json_decref(sent);
    talk_fini(&talk);
    free(charter);
    spean_ledger_fini(&ledger);
}

static void a_relay_that_nobody_knows_or_that_is_not_clear_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    const char *const org =
        orgkit_hex(spean_adminkey_org(scene.steward.admin)->bytes, SPEAN_ID_BYTES);
    char prefix[9];
    (void)snprintf(prefix, sizeof(prefix), "%.8s", org);
    relay(&talk, "add", CLOSED(KEY_1), scene.charter, KEY_1);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
    relay(&talk, "add", NODE(KEY_1) "," NODE(KEY_2), scene.charter, prefix);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
    relay(&talk, "remove", NODE(KEY_1), scene.charter, KEY_1);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE); /* It is none. */
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
}

static void who_is_no_steward_names_no_relay(void **state)
{
    (void)state;
    struct talk talk;
    relay(&talk, "add", NODE(KEY_1), scene.charter, KEY_1);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DENIED);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
}

static void refusing_sends_the_newcomer_away(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "member", "refuse", "7F3A-91C4", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/pending/7f3a91c4/refuse", NULL);
    talk_fini(&talk);
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_of_steward, scene_fini)
        TEST(approving_sends_the_next_charter_version),
        TEST(digits_that_differ_let_nobody_in),
        TEST(digits_are_asked_for_when_they_are_not_given),
        TEST(a_newcomer_that_nobody_knows_or_that_lies_is_refused),
        TEST(a_prefix_of_two_newcomers_is_ambiguous),
        TEST(a_dry_run_of_approving_is_checked_by_the_daemon),
        TEST(an_invitation_is_asked_for_with_its_terms_and_given_once),
        TEST(open_invitations_are_shown_and_taken_back_by_number),
        TEST(a_time_that_is_none_is_refused),
        TEST(lists_are_tables_of_all_pages),
        TEST(refusing_sends_the_newcomer_away),
        TEST(a_relay_is_named_and_taken_off_by_charter_versions),
        TEST(a_relay_that_nobody_knows_or_that_is_not_clear_is_refused),
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_of_newcomer, scene_fini)
        TEST(who_is_no_steward_cannot_approve),
        TEST(who_is_no_steward_names_no_relay),
        TEST(joining_knocks_shows_the_digits_and_waits),
        TEST(joining_again_goes_on_without_the_admin_key),
        TEST(a_code_from_a_file_may_be_typed_in_small_letters_and_groups),
        TEST(a_refusal_is_4_and_an_expired_invitation_is_6),
        TEST(what_is_no_invitation_is_refused_before_anything_is_asked),
        TEST(a_dry_run_of_joining_knocks_nowhere),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
