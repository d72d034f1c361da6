#include "tools/compose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/ledger.h"
#include "protocol/org.h"
#include "protocol/schema.h"
#include "protocol/sign.h"
#include "tests/unit/tools/orgkit.h"

static const uint8_t random_bytes[SPEAN_CHARTER_RANDOM_BYTES] = {7};

/* A founder, a newcomer, and a ledger between them. */
struct scene {
    struct orgkit founder;
    struct orgkit newcomer;
    struct spean_composed genesis;
    struct spean_handle handle;
    json_t *charter; /* As GET /v1/charter gives it. */
    uint8_t buf[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
};

static int scene_make(void **state)
{
    struct scene *const scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    orgkit_make(&scene->founder);
    orgkit_make(&scene->newcomer);
    assert_int_equal(spean_compose_genesis(scene->founder.admin, "Mekong", SPEAN_COMPOSE_DELAY_S,
                                           random_bytes, &scene->genesis),
                     SPEAN_OK);
    scene->handle = spean_handle_of(&scene->genesis.id);
    scene->charter = json_pack("{s:[O]}", "documents", scene->genesis.hex);
    assert_non_null(scene->charter);
    *state = scene;
    return 0;
}

static int scene_fini(void **state)
{
    struct scene *const scene = *state;
    json_decref(scene->charter);
    json_decref(scene->genesis.hex);
    orgkit_fini(&scene->founder);
    orgkit_fini(&scene->newcomer);
    free(scene);
    return 0;
}

static void a_genesis_makes_its_org_the_only_member_and_steward(void **state)
{
    struct scene *const scene = *state;
    struct spean_document doc;
    struct spean_ledger ledger;
    struct spean_id schema;
    spean_schema_hash(&schema);
    orgkit_decode(scene->genesis.hex, scene->buf, &doc);
    spean_ledger_init(&ledger);
    assert_int_equal(spean_ledger_apply(&ledger, &doc, NULL), SPEAN_OK);
    assert_string_equal(ledger.name, "Mekong");
    assert_int_equal(ledger.members_count, 1);
    assert_int_equal(ledger.stewards_count, 1);
    assert_int_equal(ledger.threshold, 1);
    assert_true(spean_ledger_is_steward(&ledger, spean_adminkey_org(scene->founder.admin)));
    assert_int_equal(ledger.entry_format, 1);
    assert_int_equal(ledger.erasure_delay_s, 3 * 24 * 60 * 60);
    assert_true(spean_id_equal(&ledger.schema, &schema));
    spean_ledger_fini(&ledger);
}

static void a_ledger_without_a_proper_name_is_refused(void **state)
{
    struct scene *const scene = *state;
    struct spean_composed out = {.hex = NULL};
    char name[SPEAN_LEDGER_NAME_BYTES_MAX + 2];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    const char *const bad[] = {"", name, "\xff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_not_equal(
            spean_compose_genesis(scene->founder.admin, bad[i], 0, random_bytes, &out), SPEAN_OK);
        assert_null(out.hex);
    }
}

static void an_opened_node_stands_in_the_statement_with_the_handle(void **state)
{
    struct scene *const scene = *state;
    struct spean_document doc;
    struct spean_org org;
    json_t *const chain = orgkit_opened(&scene->founder, &scene->handle);
    spean_org_init(&org);
    for (size_t i = 0; i < 2; i++) {
        orgkit_decode(json_array_get(chain, i), scene->buf, &doc);
        assert_int_equal(spean_org_apply(&org, &doc), SPEAN_OK);
    }
    assert_true(spean_handle_equal(&org.handle, &scene->handle));
    assert_non_null(spean_org_node_get(&org, &scene->founder.node.signing));
    spean_org_fini(&org);
    json_decref(chain);
}

static void a_node_that_is_open_already_gives_the_version_it_has(void **state)
{
    struct scene *const scene = *state;
    struct spean_composed again;
    json_t *const chain = orgkit_opened(&scene->founder, &scene->handle);
    json_t *const last = json_array_get(chain, 1);
    json_t *const more = json_pack("[O]", last);
    json_t *const node = orgkit_node(&scene->founder, more);
    assert_true(spean_compose_node_opened(node, &scene->handle));
    assert_int_equal(spean_compose_node(scene->founder.admin, node, &scene->handle, NULL, &again),
                     SPEAN_OK);
    assert_int_equal(again.version, 2);
    assert_true(json_equal(again.hex, last));
    json_decref(again.hex);

    const struct spean_handle other = {{9}};
    assert_false(spean_compose_node_opened(node, &other));
    assert_int_equal(spean_compose_node(scene->founder.admin, node, &other, NULL, &again),
                     SPEAN_ESTATE);
    json_decref(node);
    json_decref(more);
    json_decref(chain);
}

static void nobody_elses_admin_key_opens_a_node(void **state)
{
    struct scene *const scene = *state;
    struct spean_composed out = {.hex = NULL};
    json_t *const node = orgkit_node(&scene->founder, NULL);
    json_t *const acceptance = orgkit_accept(&scene->founder, &scene->handle);
    assert_int_equal(
        spean_compose_node(scene->newcomer.admin, node, &scene->handle, acceptance, &out),
        SPEAN_EDENIED);
    assert_null(out.hex);
    json_decref(node);
    json_decref(acceptance);
}

static void an_acceptance_of_another_node_or_ledger_is_refused(void **state)
{
    struct scene *const scene = *state;
    struct spean_composed out = {.hex = NULL};
    const struct spean_handle other = {{9}};
    json_t *const node = orgkit_node(&scene->founder, NULL);
    json_t *const wrong[] = {orgkit_accept(&scene->newcomer, &scene->handle),
                             orgkit_accept(&scene->founder, &other),
                             json_pack("{s:s}", "acceptance", "00"), json_object()};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_not_equal(
            spean_compose_node(scene->founder.admin, node, &scene->handle, wrong[i], &out),
            SPEAN_OK);
        assert_null(out.hex);
        json_decref(wrong[i]);
    }
    json_decref(node);
}

/* -- Further nodes --------------------------------------------------------------------------- */

/* The founder's organisation with its first node, as GET /v1/node tells of it. */
static json_t *own_node(struct scene *scene)
{
    json_t *const chain = orgkit_opened(&scene->founder, &scene->handle);
    json_t *const more = json_pack("[O]", json_array_get(chain, 1));
    json_t *const node = orgkit_node(&scene->founder, more);
    json_decref(more);
    json_decref(chain);
    return node;
}

/* Put three keys, and an acceptance by the first of them, into a new row of GET /v1/nodes. */
static json_t *further_row(const struct scene *scene, const struct spean_id *org, uint8_t number,
                           struct spean_statement_node *node)
{
    const uint8_t seed[SPEAN_KEY_BYTES] = {number};
    spean_sign_public(&node->signing, seed);
    memset(node->sealing.bytes, number, sizeof(node->sealing.bytes));
    memset(node->transport.bytes, number + 1, sizeof(node->transport.bytes));
    spean_statement_accept(node, org, &scene->handle, seed);
    json_t *const row = json_pack("{s:s,s:s,s:s}", "signing", orgkit_hex(node->signing.bytes, 32),
                                  "sealing", orgkit_hex(node->sealing.bytes, 32), "transport",
                                  orgkit_hex(node->transport.bytes, 32));
    assert_non_null(row);
    (void)json_object_set_new(
        row, "acceptance",
        json_string(orgkit_hex(node->acceptance.bytes, sizeof(node->acceptance.bytes))));
    return row;
}

/* A row of GET /v1/nodes for a node whose log stands at seq. */
static json_t *head_row(const struct spean_key *signing, json_int_t seq)
{
    const struct spean_id entry = {{seq == 0 ? 0 : 6}};
    return json_pack("{s:s,s:{s:I,s:s}}", "signing", orgkit_hex(signing->bytes, 32), "head", "seq",
                     seq, "entry", orgkit_hex(entry.bytes, 32));
}

static void a_further_node_is_added_and_retired_where_it_stands(void **state)
{
    struct scene *const scene = *state;
    struct spean_statement_node further;
    struct spean_composed added;
    struct spean_composed retired;
    struct spean_document doc;
    struct spean_org org;
    const struct spean_id own = *spean_adminkey_org(scene->founder.admin);
    json_t *const node = own_node(scene);
    json_t *const chain = json_object_get(node, "statement");
    json_t *const row = further_row(scene, &own, 40, &further);
    assert_int_equal(spean_compose_further(scene->founder.admin, node, row, &added), SPEAN_OK);
    assert_int_equal(added.version, 3);
    assert_int_equal(json_array_append_new(chain, added.hex), 0);

    json_t *const head = head_row(&further.signing, 12);
    assert_int_equal(spean_compose_retired(scene->founder.admin, node, head, &retired), SPEAN_OK);
    assert_int_equal(json_array_append_new(chain, retired.hex), 0);
    spean_org_init(&org);
    for (size_t i = 0; i < 4; i++) {
        orgkit_decode(json_array_get(chain, i), scene->buf, &doc);
        assert_int_equal(spean_org_apply(&org, &doc), SPEAN_OK);
    }
    const struct spean_org_node *const found = spean_org_node_get(&org, &further.signing);
    assert_non_null(found);
    assert_true(found->cut.closed);
    assert_int_equal(found->cut.seq, 12);
    assert_int_equal(found->cut.entry.bytes[0], 6);
    assert_false(spean_org_node_get(&org, &scene->founder.node.signing)->cut.closed);
    spean_org_fini(&org);

    /* For ever: neither again into the statement, nor out of it. */
    assert_int_equal(spean_compose_further(scene->founder.admin, node, row, &added), SPEAN_ESTATE);
    assert_int_equal(spean_compose_retired(scene->founder.admin, node, head, &added), SPEAN_ESTATE);
    json_decref(head);
    json_decref(row);
    json_decref(node);
}

static void a_node_that_never_agreed_is_not_added(void **state)
{
    struct scene *const scene = *state;
    struct spean_statement_node further;
    struct spean_composed out = {.hex = NULL};
    const struct spean_id own = *spean_adminkey_org(scene->founder.admin);
    const struct spean_id other = *spean_adminkey_org(scene->newcomer.admin);
    json_t *const node = own_node(scene);
    json_t *row = further_row(scene, &other, 40, &further);
    assert_int_equal(spean_compose_further(scene->founder.admin, node, row, &out),
                     SPEAN_ESIGNATURE);
    json_decref(row);
    row = further_row(scene, &own, 40, &further);
    assert_int_equal(spean_compose_further(scene->newcomer.admin, node, row, &out), SPEAN_EDENIED);
    (void)json_object_del(row, "acceptance");
    assert_int_equal(spean_compose_further(scene->founder.admin, node, row, &out), SPEAN_EFORMAT);
    assert_null(out.hex);
    json_decref(row);
    json_decref(node);
}

static void the_last_open_node_is_not_retired(void **state)
{
    struct scene *const scene = *state;
    struct spean_composed out = {.hex = NULL};
    const struct spean_key stranger = {{3}};
    json_t *const node = own_node(scene);
    json_t *const last = head_row(&scene->founder.node.signing, 0);
    json_t *const unknown = head_row(&stranger, 0);
    assert_int_equal(spean_compose_retired(scene->founder.admin, node, last, &out), SPEAN_ELIMIT);
    assert_int_equal(spean_compose_retired(scene->founder.admin, node, unknown, &out),
                     SPEAN_ESTATE);
    assert_int_equal(spean_compose_retired(scene->newcomer.admin, node, last, &out), SPEAN_EDENIED);
    assert_null(out.hex);
    json_decref(unknown);
    json_decref(last);
    json_decref(node);
}

/* A row of GET /v1/pending: the org of one, the statements of another. */
static json_t *pending_make(const struct orgkit *named, json_t *statements)
{
    json_t *const row = json_pack(
        "{s:s,s:o}", "org", orgkit_hex(spean_adminkey_org(named->admin)->bytes, SPEAN_ID_BYTES),
        "statements", statements);
    assert_non_null(row);
    return row;
}

static void a_newcomer_whose_statements_hold_is_taken_in(void **state)
{
    struct scene *const scene = *state;
    struct spean_id org;
    struct spean_composed next;
    struct spean_document doc;
    struct spean_ledger ledger;
    json_t *const row =
        pending_make(&scene->newcomer, orgkit_opened(&scene->newcomer, &scene->handle));
    assert_int_equal(spean_compose_newcomer(row, &scene->handle, &org), SPEAN_OK);
    assert_int_equal(spean_compose_member(scene->founder.admin, scene->charter, &org, &next),
                     SPEAN_OK);
    assert_int_equal(next.version, 2);
    spean_ledger_init(&ledger);
    orgkit_decode(scene->genesis.hex, scene->buf, &doc);
    assert_int_equal(spean_ledger_apply(&ledger, &doc, NULL), SPEAN_OK);
    orgkit_decode(next.hex, scene->buf, &doc);
    assert_int_equal(spean_ledger_apply(&ledger, &doc, NULL), SPEAN_OK);
    assert_true(spean_ledger_is_active(&ledger, &org));
    spean_ledger_fini(&ledger);
    json_decref(next.hex);
    json_decref(row);
}

static void a_newcomer_who_is_not_what_it_says_is_refused(void **state)
{
    struct scene *const scene = *state;
    const struct spean_handle other = {{9}};
    struct spean_id org = {{1}};
    json_t *const alone = json_pack(
        "[s]", orgkit_hex(scene->newcomer.first_bytes.data, scene->newcomer.first_bytes.len));
    json_t *const elsewhere = orgkit_opened(&scene->newcomer, &other);
    json_t *const good = orgkit_opened(&scene->newcomer, &scene->handle);
    json_t *const backwards = json_pack("[O,O]", json_array_get(good, 1), json_array_get(good, 0));
    json_t *const rows[] = {
        pending_make(&scene->founder, good),          pending_make(&scene->newcomer, alone),
        pending_make(&scene->newcomer, elsewhere),    pending_make(&scene->newcomer, backwards),
        pending_make(&scene->newcomer, json_array()), json_object(),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_not_equal(spean_compose_newcomer(rows[i], &scene->handle, &org), SPEAN_OK);
        assert_int_equal(org.bytes[0], 1);
        json_decref(rows[i]);
    }
}

static void only_a_steward_takes_in_and_only_who_is_no_member(void **state)
{
    struct scene *const scene = *state;
    struct spean_composed out = {.hex = NULL};
    const struct spean_id stranger = {{3}};
    const struct spean_id founder = *spean_adminkey_org(scene->founder.admin);
    assert_int_equal(spean_compose_member(scene->newcomer.admin, scene->charter, &stranger, &out),
                     SPEAN_EDENIED);
    assert_int_equal(spean_compose_member(scene->founder.admin, scene->charter, &founder, &out),
                     SPEAN_EEXISTS);
    json_t *const empty = json_pack("{s:[]}", "documents");
    assert_int_equal(spean_compose_member(scene->founder.admin, empty, &stranger, &out),
                     SPEAN_EFORMAT);
    assert_null(out.hex);
    json_decref(empty);
}

static void a_charter_that_was_touched_is_not_built_upon(void **state)
{
    struct scene *const scene = *state;
    struct spean_composed out = {.hex = NULL};
    struct spean_handle handle;
    const struct spean_id stranger = {{3}};
    char *const hex = strdup(json_string_value(scene->genesis.hex));
    assert_non_null(hex);
    for (size_t i = 0; hex[i] != '\0'; i++) { /* Any digit of it. */
        const char before = hex[i];
        hex[i] = before == '0' ? '1' : '0';
        json_t *const charter = json_pack("{s:[s]}", "documents", hex);
        assert_int_not_equal(spean_compose_member(scene->founder.admin, charter, &stranger, &out),
                             SPEAN_OK);
        json_decref(charter);
        hex[i] = before;
    }
    hex[strlen(hex) - 1] = '\0';
    json_t *const cut = json_pack("{s:[s]}", "documents", hex);
    assert_int_equal(spean_compose_handle(cut, &handle), SPEAN_EFORMAT);
    json_decref(cut);
    free(hex);
    assert_int_equal(spean_compose_handle(scene->charter, &handle), SPEAN_OK);
    assert_true(spean_handle_equal(&handle, &scene->handle));
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_make, scene_fini)
        TEST(a_genesis_makes_its_org_the_only_member_and_steward),
        TEST(a_ledger_without_a_proper_name_is_refused),
        TEST(an_opened_node_stands_in_the_statement_with_the_handle),
        TEST(a_node_that_is_open_already_gives_the_version_it_has),
        TEST(nobody_elses_admin_key_opens_a_node),
        TEST(an_acceptance_of_another_node_or_ledger_is_refused),
        TEST(a_further_node_is_added_and_retired_where_it_stands),
        TEST(a_node_that_never_agreed_is_not_added),
        TEST(the_last_open_node_is_not_retired),
        TEST(a_newcomer_whose_statements_hold_is_taken_in),
        TEST(a_newcomer_who_is_not_what_it_says_is_refused),
        TEST(only_a_steward_takes_in_and_only_who_is_no_member),
        TEST(a_charter_that_was_touched_is_not_built_upon),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
