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
#include "protocol/org.h"
#include "tests/unit/tools/clikit.h"
#include "tests/unit/tools/orgkit.h"
#include "tools/compose.h"

#define PATH_BYTES  200u
#define JSON_BYTES  4096u
#define LIST_BYTES  (2u * JSON_BYTES + 32u)
#define FAR_FUTURE  4000000000u
#define ZEROS       "0000000000000000000000000000000000000000000000000000000000000000"
#define STATUS      "{\"name\":\"Bridge Legal Aid\"}"
#define SHORT_BYTES 10u

/* An organisation with one node in a ledger, a laptop that knocks, and somebody else's admin key.
 */
struct scene {
    struct orgkit office;
    struct orgkit laptop;
    struct orgkit stranger;
    struct spean_handle handle;
    json_t *chain; /* The statement of the office. */
    char folder[PATH_BYTES];
    char admin[PATH_BYTES + 16];
    char secret[PATH_BYTES + 16];
    char *node;             /* JSON of GET /v1/node of the office. */
    char first[JSON_BYTES]; /* Its row of GET /v1/nodes, and that of the laptop. */
    char waiting[JSON_BYTES];
    char list[LIST_BYTES];        /* Both as the whole list. */
    char laptop_key[SHORT_BYTES]; /* How they begin. */
    char first_key[SHORT_BYTES];
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

static void row_make(char *out, const struct orgkit *kit, const char *name, const char *standing)
{
    json_t *const row =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:i,s:s}}", "name", name, "standing", standing, "digits",
                  "1234 5678", "last_seen", "2026-11-20T07:02:00Z", "acceptance",
                  orgkit_hex(kit->node.acceptance.bytes, sizeof(kit->node.acceptance.bytes)),
                  "head", "seq", 3, "entry", ZEROS);
    assert_non_null(row);
    const struct {
        const char *key;
        const uint8_t *bytes;
    } keys[] = {{"signing", kit->node.signing.bytes},
                {"sealing", kit->node.sealing.bytes},
                {"transport", kit->node.transport.bytes}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_int_equal(
            json_object_set_new(row, keys[i].key, json_string(orgkit_hex(keys[i].bytes, 32))), 0);
    }
    char *const text = dump(row);
    assert_true(strlen(text) < JSON_BYTES);
    (void)snprintf(out, JSON_BYTES, "%s", text);
    free(text);
}

static const char *list_of(const char *first, const char *second)
{
    (void)snprintf(scene.list, sizeof(scene.list), "{\"items\":[%s,%s],\"next\":null}", first,
                   second);
    return scene.list;
}

/* The office's statement as it is now, as GET /v1/node gives it. */
static void node_make(void)
{
    json_t *const node = orgkit_node(&scene.office, NULL);
    assert_int_equal(json_object_set(node, "statement", scene.chain), 0);
    free(scene.node);
    scene.node = dump(node);
}

static int scene_begin(struct orgkit *who)
{
    static const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES] = {1};
    struct spean_composed genesis;
    scene.node = NULL;
    orgkit_make(&scene.office);
    orgkit_make(&scene.laptop);
    orgkit_make(&scene.stranger);
    assert_int_equal(spean_compose_genesis(scene.office.admin, "Mekong", 0, random, &genesis),
                     SPEAN_OK);
    scene.handle = spean_handle_of(&genesis.id);
    json_decref(genesis.hex);
    scene.chain = orgkit_opened(&scene.office, &scene.handle);
    spean_statement_accept(&scene.laptop.node, spean_adminkey_org(scene.office.admin),
                           &scene.handle, scene.laptop.signing_seed);
    scratch_make(scene.folder, sizeof(scene.folder));
    orgkit_save(who, scene.folder);
    (void)snprintf(scene.admin, sizeof(scene.admin), "%s/admin.key", scene.folder);
    (void)snprintf(scene.secret, sizeof(scene.secret), "%s/secret", scene.folder);
    node_make();
    row_make(scene.first, &scene.office, "office", "open");
    row_make(scene.waiting, &scene.laptop, "", "waiting");
    (void)snprintf(scene.first_key, sizeof(scene.first_key), "%.8s",
                   orgkit_hex(scene.office.node.signing.bytes, SPEAN_KEY_BYTES));
    (void)snprintf(scene.laptop_key, sizeof(scene.laptop_key), "%.8s",
                   orgkit_hex(scene.laptop.node.signing.bytes, SPEAN_KEY_BYTES));
    (void)list_of(scene.first, scene.waiting);
    return 0;
}

static int scene_of_office(void **state)
{
    (void)state;
    return scene_begin(&scene.office);
}

static int scene_of_stranger(void **state)
{
    (void)state;
    return scene_begin(&scene.stranger);
}

static int scene_fini(void **state)
{
    (void)state;
    free(scene.node);
    json_decref(scene.chain);
    scratch_remove(scene.folder);
    orgkit_fini(&scene.office);
    orgkit_fini(&scene.laptop);
    orgkit_fini(&scene.stranger);
    return 0;
}

/* -- Inviting and joining -------------------------------------------------------------------- */

static const char *code_make(bool node, uint32_t expires)
{
    static char code[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    struct spean_invite invite = {.handle = scene.handle,
                                  .transport = {{5}},
                                  .secret = {6},
                                  .expires = expires,
                                  .node = node,
                                  .org = *spean_adminkey_org(scene.office.admin)};
    (void)snprintf(invite.endpoint, sizeof(invite.endpoint), "pp.example.org:7100");
    assert_int_equal(spean_invite_encode(code, &invite), SPEAN_OK);
    return code;
}

static void join_refused(const char *word, enum spean_exit exit)
{
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"state\":\"none\"}"}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "node", "join", word, "--wait", "0", "--home",
                                   scene.folder, NULL});
    assert_int_equal(talk.result.exit, exit);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
}

static void what_is_no_invitation_for_a_node_is_refused_before_anything_is_asked(void **state)
{
    (void)state;
    char half[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    join_refused("SPEANNODE1:ABC", SPEAN_EXIT_USAGE);
    join_refused("hello", SPEAN_EXIT_USAGE);
    join_refused("", SPEAN_EXIT_USAGE);
    join_refused(code_make(false, FAR_FUTURE), SPEAN_EXIT_USAGE); /* For an organisation. */
    (void)snprintf(half, sizeof(half), "%s", code_make(true, FAR_FUTURE));
    half[strlen(half) / 2] = '\0';
    join_refused(half, SPEAN_EXIT_USAGE);
    join_refused(code_make(true, 1000), SPEAN_EXIT_STATE); /* It has expired. */
}

static void joining_that_ended_says_how(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum spean_exit exit;
    } rows[] = {{"{\"state\":\"none\"}", SPEAN_EXIT_USAGE},
                {"{\"state\":\"refused\"}", SPEAN_EXIT_DENIED},
                {"{\"state\":\"expired\"}", SPEAN_EXIT_STATE},
                {"{\"state\":\"member\"}", SPEAN_EXIT_DONE}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk;
        const struct api_say says[] = {{.status = 200, .json = rows[i].json},
                                       {.status = 200, .json = rows[i].json}};
        talk_run(&talk, says, 2,
                 (const char *const[]){"spean", "node", "join", "--wait", "0", NULL});
        assert_int_equal(talk.result.exit, rows[i].exit);
        assert_asked(&talk, 0, "GET /v1/join", NULL);
        talk_fini(&talk);
    }
}

static void an_invitation_is_asked_for_with_its_terms(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 201,
         .json = "{\"code\":\"SPEANNODE1:ABC\",\"expires\":\"2026-11-29T00:00:00Z\"}"}};
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "node", "invite", "--expires", "7x", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
    talk_run(&talk, says, 1, (const char *const[]){"spean", "node", "invite", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/nodes/invitations", "{\"expires_s\":604800}");
    assert_string_equal(talk.result.out, "SPEANNODE1:ABC\n");
    talk_fini(&talk);
}

/* -- Naming a node --------------------------------------------------------------------------- */

static void a_node_that_nobody_knows_or_that_is_not_clear_is_refused(void **state)
{
    (void)state;
    static const char *const verbs[] = {"approve", "refuse", "rename", "retire"};
    char twin[JSON_BYTES];
    row_make(twin, &scene.laptop, "office", "open");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        struct talk talk;
        const char *const name = strcmp(verbs[i], "rename") == 0 ? "new-name" : NULL;
        const struct api_say known[] = {
            {.status = 200, .json = list_of(scene.first, scene.waiting)},
            {.status = 200, .json = scene.node}};
        talk_run(&talk, known, 2,
                 (const char *const[]){"spean", "node", verbs[i], "kratie-laptop", name, NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
        assert_asked(&talk, 0, "GET /v1/nodes?limit=1000", NULL);
        assert_asked_times(&talk, 1);
        talk_fini(&talk);

        const struct api_say twins[] = {{.status = 200, .json = list_of(scene.first, twin)},
                                        {.status = 200, .json = scene.node}};
        talk_run(&talk, twins, 2,
                 (const char *const[]){"spean", "node", verbs[i], "office", name, NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
        assert_non_null(strstr(talk.result.err, "more than one"));
        assert_asked_times(&talk, 1);
        talk_fini(&talk);
    }
}

static void refusing_and_renaming_ask_for_the_whole_key(void **state)
{
    (void)state;
    struct talk talk;
    char line[PATH_BYTES];
    const char *const key = orgkit_hex(scene.laptop.node.signing.bytes, SPEAN_KEY_BYTES);
    const struct api_say says[] = {{.status = 200, .json = scene.list},
                                   {.status = 200, .json = "{}"}};
    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "node", "refuse", scene.laptop_key, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    (void)snprintf(line, sizeof(line), "POST /v1/nodes/%s/refuse", key);
    assert_asked(&talk, 1, line, NULL);
    talk_fini(&talk);

    talk_run(&talk, says, 2,
             (const char *const[]){"spean", "node", "rename", scene.laptop_key, "reception", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    (void)snprintf(line, sizeof(line), "PATCH /v1/nodes/%s", key);
    assert_asked(&talk, 1, line, "{\"name\":\"reception\"}");
    talk_fini(&talk);
}

static void the_list_shows_what_each_stands_as(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = scene.list}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "node", "list", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked_times(&talk, 1);
    const char *const last = strstr(talk.result.out, "waiting");
    assert_non_null(strstr(talk.result.out, "office"));
    assert_non_null(last);
    assert_non_null(strstr(last, "1234 5678"));
    talk_fini(&talk);
}

/* -- Letting in ------------------------------------------------------------------------------ */

static void approve(struct talk *talk, const char *which, const char *digits, const char *extra)
{
    const struct api_say says[] = {{.status = 200, .json = scene.list},
                                   {.status = 200, .json = scene.node},
                                   {.status = 200, .json = "{\"version\":3}"}};
    talk_run(talk, says, 3,
             (const char *const[]){"spean", "node", "approve", which, "--digits", digits,
                                   "--admin-key", scene.admin, "--admin-passphrase-file",
                                   scene.secret, extra, NULL});
}

static void digits_that_differ_let_no_node_in(void **state)
{
    (void)state;
    static const struct {
        const char *digits;
        enum spean_exit exit;
    } rows[] = {{"1234 5679", SPEAN_EXIT_INTEGRITY},
                {"1234 567", SPEAN_EXIT_INTEGRITY},
                {"yes", SPEAN_EXIT_USAGE}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk;
        approve(&talk, scene.laptop_key, rows[i].digits, NULL);
        assert_int_equal(talk.result.exit, rows[i].exit);
        assert_asked_times(&talk, 1);
        talk_fini(&talk);
    }
}

static void only_a_node_that_waits_is_let_in(void **state)
{
    (void)state;
    struct talk talk;
    char refused[JSON_BYTES];
    approve(&talk, "office", "1234 5678", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_non_null(strstr(talk.result.err, "in already"));
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
    row_make(refused, &scene.laptop, "", "refused");
    (void)list_of(scene.first, refused);
    approve(&talk, scene.laptop_key, "1234 5678", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_non_null(strstr(talk.result.err, "sent away"));
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
}

static void a_node_that_never_agreed_is_not_let_in(void **state)
{
    (void)state;
    struct talk talk;
    spean_statement_accept(&scene.laptop.node, spean_adminkey_org(scene.stranger.admin),
                           &scene.handle, scene.laptop.signing_seed); /* To somebody else. */
    row_make(scene.waiting, &scene.laptop, "", "waiting");
    (void)list_of(scene.first, scene.waiting);
    approve(&talk, scene.laptop_key, "1234 5678", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_INTEGRITY);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
}

static void the_admin_key_of_another_organisation_decides_nothing(void **state)
{
    (void)state;
    struct talk talk;
    approve(&talk, scene.laptop_key, "1234 5678", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DENIED);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
}

/* Apply the statement that was sent as request i behind the chain that is known; take it in. */
static void sent_apply(const struct talk *talk, size_t i, struct spean_org *org)
{
    json_t *const body = asked_body(talk, i);
    json_t *const sent = json_object_get(body, "document");
    struct spean_document doc;
    spean_org_init(org);
    assert_int_equal(json_array_append(scene.chain, sent), 0);
    for (size_t k = 0; k < json_array_size(scene.chain); k++) {
        orgkit_decode(json_array_get(scene.chain, k), scene.buf, &doc);
        assert_int_equal(spean_org_apply(org, &doc), SPEAN_OK);
    }
    json_decref(body);
    node_make();
}

static void approving_signs_the_statement_with_the_node(void **state)
{
    (void)state;
    struct talk talk;
    struct spean_org org;
    approve(&talk, scene.laptop_key, "1234-5678", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 1, "GET /v1/node", NULL);
    assert_asked(&talk, 2, "POST /v1/statement", "*");
    assert_non_null(strstr(talk.result.err, "is one of this organisation's"));
    sent_apply(&talk, 2, &org);
    const struct spean_org_node *const node = spean_org_node_get(&org, &scene.laptop.node.signing);
    assert_non_null(node);
    assert_false(node->cut.closed);
    spean_org_fini(&org);
    talk_fini(&talk);

    approve(&talk, scene.laptop_key, "1234 5678", NULL); /* It is in; the list is older. */
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
}

/* -- Shutting out ---------------------------------------------------------------------------- */

static void retire(struct talk *talk, const char *which, const char *confirm, const char *extra)
{
    const struct api_say says[] = {
        {.status = 200, .json = scene.list},
        {.status = 200, .json = STATUS},
        {.status = 200, .json = scene.node},
        {.status = 200, .json = extra == NULL ? "{\"version\":4}" : "{\"dry_run\":true}"}};
    const bool dry = extra != NULL; /* Then nothing is to be confirmed. */
    const struct api_say fewer[] = {says[0], says[2], says[3]};
    talk_run(talk, dry ? fewer : says, dry ? 3 : 4,
             (const char *const[]){"spean", "node", "retire", which, "--confirm", confirm,
                                   "--admin-key", scene.admin, "--admin-passphrase-file",
                                   scene.secret, extra, NULL});
}

static void the_last_open_node_is_not_retired(void **state)
{
    (void)state;
    struct talk talk;
    retire(&talk, "office", "Bridge Legal Aid", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_non_null(strstr(talk.result.err, "the last open node"));
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
    retire(&talk, scene.laptop_key, "Bridge Legal Aid", NULL); /* It only waits. */
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
}

/* Take the laptop in, and list it as open. */
static void both_open(void)
{
    struct talk talk;
    struct spean_org org;
    approve(&talk, scene.laptop_key, "1234 5678", NULL);
    sent_apply(&talk, 2, &org);
    spean_org_fini(&org);
    talk_fini(&talk);
    row_make(scene.waiting, &scene.laptop, "reception", "open");
    (void)list_of(scene.first, scene.waiting);
}

static void a_node_is_retired_only_under_the_organisations_name(void **state)
{
    (void)state;
    static const char *const wrong[] = {"yes", "Bridge Legal", "bridge legal aid"};
    both_open();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct talk talk;
        retire(&talk, "reception", wrong[i], NULL);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 2);
        talk_fini(&talk);
    }
}

static void retiring_signs_a_cut_where_the_node_stood(void **state)
{
    (void)state;
    struct talk talk;
    struct spean_org org;
    both_open();
    retire(&talk, "reception", "Bridge Legal Aid", "--dry-run");
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 2, "POST /v1/statement?dry_run=1", "*");
    assert_null(strstr(talk.result.err, "is retired"));
    talk_fini(&talk);

    retire(&talk, "reception", "Bridge Legal Aid", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 1, "GET /v1/status", NULL);
    assert_asked(&talk, 3, "POST /v1/statement", "*");
    sent_apply(&talk, 3, &org);
    const struct spean_org_node *const node = spean_org_node_get(&org, &scene.laptop.node.signing);
    assert_non_null(node);
    assert_true(node->cut.closed);
    assert_int_equal(node->cut.seq, 3);
    spean_org_fini(&org);
    talk_fini(&talk);
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_of_office, scene_fini)
        TEST(what_is_no_invitation_for_a_node_is_refused_before_anything_is_asked),
        TEST(joining_that_ended_says_how),
        TEST(an_invitation_is_asked_for_with_its_terms),
        TEST(a_node_that_nobody_knows_or_that_is_not_clear_is_refused),
        TEST(refusing_and_renaming_ask_for_the_whole_key),
        TEST(the_list_shows_what_each_stands_as),
        TEST(digits_that_differ_let_no_node_in),
        TEST(only_a_node_that_waits_is_let_in),
        TEST(a_node_that_never_agreed_is_not_let_in),
        TEST(approving_signs_the_statement_with_the_node),
        TEST(the_last_open_node_is_not_retired),
        TEST(a_node_is_retired_only_under_the_organisations_name),
        TEST(retiring_signs_a_cut_where_the_node_stood),
#undef TEST
        cmocka_unit_test_setup_teardown(the_admin_key_of_another_organisation_decides_nothing,
                                        scene_of_stranger, scene_fini),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
