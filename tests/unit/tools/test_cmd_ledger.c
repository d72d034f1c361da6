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
#include <sodium.h>

#include "protocol/ledger.h"
#include "protocol/org.h"
#include "tests/unit/tools/clikit.h"
#include "tests/unit/tools/orgkit.h"

#define PATH_BYTES 160u

struct scene {
    struct orgkit kit;
    char folder[PATH_BYTES];
    char admin[PATH_BYTES + 16];
    char secret[PATH_BYTES + 16];
    char *node; /* JSON of GET /v1/node. */
    uint8_t buf[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
};

static struct scene scene;

static int scene_make(void **state)
{
    (void)state;
    orgkit_make(&scene.kit);
    scratch_make(scene.folder, sizeof(scene.folder));
    orgkit_save(&scene.kit, scene.folder);
    (void)snprintf(scene.admin, sizeof(scene.admin), "%s/admin.key", scene.folder);
    (void)snprintf(scene.secret, sizeof(scene.secret), "%s/secret", scene.folder);
    json_t *const node = orgkit_node(&scene.kit, NULL);
    scene.node = json_dumps(node, JSON_COMPACT);
    json_decref(node);
    return 0;
}

static int scene_fini(void **state)
{
    (void)state;
    free(scene.node);
    scratch_remove(scene.folder);
    orgkit_fini(&scene.kit);
    return 0;
}

/* Answer POST /v1/node/accept as the daemon would. */
static char *accept_make(const char *request, void *context)
{
    struct orgkit *const kit = context;
    json_t *const body = json_loads(strstr(request, "\r\n\r\n") + 4, 0, NULL);
    const char *const hex = json_string_value(json_object_get(body, "handle"));
    struct spean_handle handle = {{0}};
    size_t len = 0;
    if (hex != NULL) {
        (void)sodium_hex2bin(handle.bytes, sizeof(handle.bytes), hex, strlen(hex), NULL, &len,
                             NULL);
    }
    json_decref(body);
    json_t *const answer = orgkit_accept(kit, &handle);
    char *const text = json_dumps(answer, JSON_COMPACT);
    json_decref(answer);
    char *const reply = strdup(api_http(200, text));
    free(text);
    return reply;
}

/* Run `ledger found` with the scene's admin key and more words. */
static void found(struct talk *talk, const struct api_say *says, size_t count, const char *extra)
{
    talk_run(talk, says, count,
             (const char *const[]){"spean", "ledger", "found", "--name", "Mekong", "--admin-key",
                                   scene.admin, "--admin-passphrase-file", scene.secret, extra,
                                   NULL});
}

static void founding_sends_a_charter_and_a_statement_that_hold(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200, .json = scene.node},
        {.make = accept_make, .context = &scene.kit},
        {.status = 201, .json = "{\"id\":\"aaaabbbbcccc\",\"name\":\"Mekong\"}"},
    };
    found(&talk, says, 3, NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/node", NULL);
    assert_asked(&talk, 1, "POST /v1/node/accept", "*");
    assert_asked(&talk, 2, "POST /v1/ledger", "*");
    assert_non_null(strstr(talk.result.err, "spean member invite"));

    json_t *const body = asked_body(&talk, 2);
    struct spean_document doc;
    struct spean_ledger ledger;
    struct spean_org org;
    assert_int_equal(json_object_size(body), 2);
    spean_ledger_init(&ledger);
    orgkit_decode(json_object_get(body, "charter"), scene.buf, &doc);
    assert_int_equal(spean_ledger_apply(&ledger, &doc, NULL), SPEAN_OK);
    spean_org_init(&org);
    assert_int_equal(spean_document_decode(&doc, scene.kit.first_bytes), SPEAN_OK);
    assert_int_equal(spean_org_apply(&org, &doc), SPEAN_OK);
    orgkit_decode(json_object_get(body, "statement"), scene.buf, &doc);
    assert_int_equal(spean_org_apply(&org, &doc), SPEAN_OK);
    const struct spean_handle handle = spean_handle_of(&ledger.id);
    assert_true(spean_handle_equal(&org.handle, &handle));
    spean_org_fini(&org);
    spean_ledger_fini(&ledger);
    json_decref(body);
    talk_fini(&talk);
}

static void a_dry_run_signs_but_sends_nothing(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = scene.node}};
    found(&talk, says, 1, "--dry-run");
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked_times(&talk, 1);
    assert_non_null(strstr(talk.result.out, "would found"));
    talk_fini(&talk);
}

static void a_delay_that_is_no_time_founds_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"--erasure-delay=", "--erasure-delay=soon",
                                      "--erasure-delay=-1d", "--erasure-delay=53w",
                                      "--erasure-delay=00"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct talk talk;
        const struct api_say says[] = {{.status = 200, .json = scene.node}};
        found(&talk, says, 1, bad[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        talk_fini(&talk);
    }
}

static void a_delay_is_the_charters(void **state)
{
    (void)state;
    static const struct {
        const char *flag;
        json_int_t delay_s;
    } rows[] = {{"--erasure-delay=0", 0}, {"--erasure-delay=36h", 129600}, {NULL, 259200}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk;
        const struct api_say says[] = {{.status = 200, .json = scene.node}};
        talk_run(&talk, says, 1,
                 (const char *const[]){"spean", "ledger", "found", "--name", "Mekong",
                                       "--admin-key", scene.admin, "--admin-passphrase-file",
                                       scene.secret, "--dry-run", "--json", rows[i].flag, NULL});
        json_t *const answer = json_loads(talk.result.out, 0, NULL);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
        assert_int_equal(json_integer_value(json_object_get(answer, "erasure_delay_s")),
                         rows[i].delay_s);
        json_decref(answer);
        talk_fini(&talk);
    }
}

static void a_node_that_is_in_a_ledger_founds_no_other(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"in_ledger\":true}"}};
    found(&talk, says, 1, NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_STATE);
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
}

static void another_orgs_admin_key_founds_nothing(void **state)
{
    (void)state;
    struct talk talk;
    struct orgkit other;
    orgkit_make(&other);
    json_t *const node = orgkit_node(&other, NULL);
    char *const text = json_dumps(node, JSON_COMPACT);
    const struct api_say says[] = {
        {.status = 200, .json = text},
        {.make = accept_make, .context = &other},
    };
    found(&talk, says, 2, NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DENIED);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
    free(text);
    json_decref(node);
    orgkit_fini(&other);
}

static void a_wrong_passphrase_is_12_and_a_missing_key_is_5(void **state)
{
    (void)state;
    struct talk talk;
    char wrong[PATH_BYTES + 16];
    const struct api_say says[] = {{.status = 200, .json = scene.node}};
    scratch_write(scene.folder, "wrong", "guess\n", wrong, sizeof(wrong));
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "ledger", "found", "--name", "x", "--admin-key",
                                   scene.admin, "--admin-passphrase-file", wrong, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_PASSPHRASE);
    assert_asked_times(&talk, 1);
    talk_fini(&talk);
    talk_run(&talk, says, 1,
             (const char *const[]){"spean", "ledger", "found", "--name", "x", "--admin-key",
                                   "/nonexistent/admin.key", "--admin-passphrase-file",
                                   scene.secret, NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
    talk_fini(&talk);
}

static void an_acceptance_that_does_not_hold_founds_nothing(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = scene.node},
                                   {.status = 200, .json = "{\"acceptance\":\"00\"}"}};
    found(&talk, says, 2, NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_FAILED);
    assert_asked_times(&talk, 2);
    talk_fini(&talk);
}

static void show_prints_what_the_charter_says(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json =
             "{\"name\":\"Mekong\",\"threshold\":1,\"handle\":\"0a1b2c\",\"schema\":"
             "\"d0d0\",\"entry_format\":1,\"erasure_delay_s\":259200,\"stewards\":[{\"org\":"
             "\"aa\",\"name\":\"Bridge\",\"key\":\"cc\"},{\"org\":\"bb\",\"name\":\"Pier\"}]}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "ledger", "show", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/ledger", NULL);
    assert_non_null(strstr(talk.result.out, "Mekong"));
    assert_non_null(strstr(talk.result.out, "Bridge"));
    assert_non_null(strstr(talk.result.out, "Pier"));
    static const char *const raw[] = {"erasure_delay_s", "259200", "handle",
                                      "0a1b2c",          "schema", "entry_format"};
    for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
        assert_null(strstr(talk.result.out, raw[i]));
    }
    talk_fini(&talk);
    talk_run(&talk, says, 1, (const char *const[]){"spean", "ledger", "show", "--json", NULL});
    assert_non_null(strstr(talk.result.out, "\"erasure_delay_s\""));
    assert_non_null(strstr(talk.result.out, "\"handle\""));
    talk_fini(&talk);
}

static void show_says_how_long_an_erasure_can_be_stopped_in_whole_units(void **state)
{
    (void)state;
    static const struct {
        int seconds;
        const char *text;
    } rows[] = {{0, "stopped for  not at all"},    {1, "stopped for  1 second\n"},
                {90, "stopped for  90 seconds"},   {60, "stopped for  1 minute\n"},
                {5400, "stopped for  90 minutes"}, {3600, "stopped for  1 hour\n"},
                {90000, "stopped for  25 hours"},  {86400, "stopped for  1 day\n"},
                {259200, "stopped for  3 days"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char json[64];
        (void)snprintf(json, sizeof(json), "{\"erasure_delay_s\":%d}", rows[i].seconds);
        struct talk talk;
        const struct api_say says[] = {{.status = 200, .json = json}};
        talk_run(&talk, says, 1, (const char *const[]){"spean", "ledger", "show", NULL});
        if (strstr(talk.result.out, rows[i].text) == NULL) {
            fail_msg("\"%s\" is not in: %s", rows[i].text, talk.result.out);
        }
        talk_fini(&talk);
    }
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(founding_sends_a_charter_and_a_statement_that_hold),
        cmocka_unit_test(a_dry_run_signs_but_sends_nothing),
        cmocka_unit_test(a_delay_that_is_no_time_founds_nothing),
        cmocka_unit_test(a_delay_is_the_charters),
        cmocka_unit_test(a_node_that_is_in_a_ledger_founds_no_other),
        cmocka_unit_test(another_orgs_admin_key_founds_nothing),
        cmocka_unit_test(a_wrong_passphrase_is_12_and_a_missing_key_is_5),
        cmocka_unit_test(an_acceptance_that_does_not_hold_founds_nothing),
        cmocka_unit_test(show_prints_what_the_charter_says),
        cmocka_unit_test(show_says_how_long_an_erasure_can_be_stopped_in_whole_units),
    };
    return cmocka_run_group_tests(tests, scene_make, scene_fini);
}
