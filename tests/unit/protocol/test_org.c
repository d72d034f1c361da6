#include "protocol/org.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/statement.h"
#include "tests/support/identitykit.h"

/* Seeds of the org under test: admins 1 and 2 (threshold 2), recovery 3; 4 and on are strangers. */
#define ADMIN      1
#define ADMIN_2    2
#define RECOVERY   3
#define STRANGER   4
#define RECOVERY_2 5
#define NODE       10

static struct fixture_document made;

static struct spean_statement_draft first_draft(struct spean_key admins[2],
                                                const struct spean_id *recovery,
                                                const struct spean_key *sealing)
{
    admins[0] = fixture_key(ADMIN);
    admins[1] = fixture_key(ADMIN_2);
    return (struct spean_statement_draft){.version = 1,
                                          .threshold = 2,
                                          .admins_count = 2,
                                          .admins = admins,
                                          .recovery = recovery,
                                          .generation = 1,
                                          .sealing = sealing};
}

static spean_err apply_first(struct spean_org *org, struct fixture_signers signers)
{
    struct spean_key admins[2];
    const struct spean_id recovery = fixture_recovery(RECOVERY);
    const struct spean_key sealing = fixture_x25519(0x8001);
    const struct spean_statement_draft draft = first_draft(admins, &recovery, &sealing);
    fixture_statement(&made, &draft, signers);
    return spean_org_apply(org, &made.doc);
}

static struct spean_statement_draft next_draft(const struct spean_org *org)
{
    return (struct spean_statement_draft){.version = org->version + 1, .previous = org->head};
}

static spean_err apply_draft(struct spean_org *org, const struct spean_statement_draft *draft,
                             struct fixture_signers signers)
{
    fixture_statement(&made, draft, signers);
    const uint64_t version = org->version;
    const struct spean_id head = org->head;
    const uint32_t nodes_count = org->nodes_count;
    const spean_err err = spean_org_apply(org, &made.doc);
    if (err != SPEAN_OK) {
        assert_int_equal(org->version, version);
        assert_true(spean_id_equal(&org->head, &head));
        assert_int_equal(org->nodes_count, nodes_count);
    }
    return err;
}

#define BY_ADMINS SIGNED_BY(ADMIN, ADMIN_2)

static spean_err apply_nodes(struct spean_org *org, struct spean_statement_node *nodes,
                             uint32_t count, bool with_handle)
{
    const struct spean_handle handle = fixture_handle(0x11);
    struct spean_statement_draft draft = next_draft(org);
    draft.handle = with_handle ? &handle : NULL;
    draft.nodes = nodes;
    draft.nodes_count = count;
    return apply_draft(org, &draft, BY_ADMINS);
}

static struct spean_statement_node node_of(const struct spean_org *org, unsigned n)
{
    const struct spean_handle handle = fixture_handle(0x11);
    return fixture_node(n, &org->id, &handle);
}

static spean_err open_node(struct spean_org *org, unsigned n)
{
    struct spean_statement_node node = node_of(org, n);
    return apply_nodes(org, &node, 1, !org->has_handle);
}

static spean_err cut_node(struct spean_org *org, unsigned n, uint64_t seq)
{
    struct spean_statement_cut cut = {.signing = fixture_key(n), .cut = fixture_cut(seq, 77)};
    struct spean_statement_draft draft = next_draft(org);
    draft.cuts = &cut;
    draft.cuts_count = 1;
    return apply_draft(org, &draft, BY_ADMINS);
}

static int setup(void **state)
{
    struct spean_org *const org = calloc(1, sizeof(*org));
    assert_non_null(org);
    assert_int_equal(apply_first(org, BY_ADMINS), SPEAN_OK);
    *state = org;
    return 0;
}

static int teardown(void **state)
{
    struct spean_org *const org = *state;
    spean_org_fini(org);
    free(org);
    return 0;
}

static void version_1_names_the_org_p3_3(void **state)
{
    const struct spean_org *const org = *state;
    assert_true(spean_id_equal(&org->id, &made.doc.id));
    assert_int_equal(org->version, 1);
    assert_int_equal(org->threshold, 2);
    assert_int_equal(org->generation, 1);
    const struct spean_key sealing = fixture_x25519(0x8001);
    assert_true(spean_key_equal(spean_org_sealing_get(org, 1), &sealing));
    assert_null(spean_org_sealing_get(org, 0));
    assert_null(spean_org_sealing_get(org, 2));
}

static void version_1_needs_every_admin_key_and_no_other_p3_3(void **state)
{
    (void)state;
    struct spean_org org;
    spean_org_init(&org);
    assert_int_equal(apply_first(&org, SIGNED_BY_NOBODY), SPEAN_EDENIED);
    assert_int_equal(apply_first(&org, SIGNED_BY(ADMIN)), SPEAN_EDENIED);
    assert_int_equal(apply_first(&org, SIGNED_BY(ADMIN, STRANGER)), SPEAN_EDENIED);
    assert_int_equal(apply_first(&org, SIGNED_BY(ADMIN, ADMIN_2, STRANGER)), SPEAN_EDENIED);
    assert_int_equal(apply_first(&org, SIGNED_BY(ADMIN, ADMIN_2, RECOVERY)), SPEAN_EDENIED);
    assert_int_equal(org.version, 0);
}

static void a_signature_that_does_not_hold_is_refused_p2_3(void **state)
{
    struct spean_org *const org = *state;
    struct spean_statement_draft draft = next_draft(org);
    const struct spean_key sealing = fixture_x25519(0x8002);
    draft.generation = 2;
    draft.sealing = &sealing;
    fixture_statement(&made, &draft, BY_ADMINS);
    made.doc.signatures[1].signature.bytes[5] ^= 0x20;
    assert_int_equal(spean_org_apply(org, &made.doc), SPEAN_ESIGNATURE);
    assert_int_equal(org->version, 1);
}

static void a_version_follows_the_one_before_p2_2(void **state)
{
    struct spean_org *const org = *state;
    const struct spean_key sealing = fixture_x25519(0x8002);
    struct spean_statement_draft draft = next_draft(org);
    draft.generation = 2;
    draft.sealing = &sealing;
    draft.version = 3;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_ECHAIN);
    draft.version = 2;
    draft.previous = fixture_id(1);
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_ECHAIN);
    draft.previous = org->head;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_OK);
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_ECHAIN); /* Replayed. */
    assert_int_equal(apply_first(org, BY_ADMINS), SPEAN_ECHAIN);
}

static void a_charter_is_no_statement(void **state)
{
    struct spean_org *const org = *state;
    fixture_genesis(&made, &org->id, ADMIN);
    assert_int_equal(spean_org_apply(org, &made.doc), SPEAN_EFORMAT);
}

static void an_ordinary_version_needs_the_threshold_and_nobody_else_p3_5(void **state)
{
    struct spean_org *const org = *state;
    const struct spean_key sealing = fixture_x25519(0x8002);
    struct spean_statement_draft draft = next_draft(org);
    draft.generation = 2;
    draft.sealing = &sealing;
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY_NOBODY), SPEAN_EDENIED);
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(ADMIN)), SPEAN_EDENIED);
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(ADMIN, STRANGER)), SPEAN_EDENIED);
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(ADMIN, ADMIN_2, STRANGER)), SPEAN_EDENIED);
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_OK);
}

/* Set the admin keys to ADMIN and one more. */
static spean_err change_admins(struct spean_org *org, unsigned more, struct fixture_signers signers)
{
    struct spean_key admins[2] = {fixture_key(ADMIN), fixture_key(more)};
    struct spean_statement_draft draft = next_draft(org);
    draft.threshold = 1;
    draft.admins_count = 2;
    draft.admins = admins;
    return apply_draft(org, &draft, signers);
}

static void a_new_admin_key_signs_and_does_not_count_p3_5(void **state)
{
    struct spean_org *const org = *state;
    assert_int_equal(change_admins(org, STRANGER, BY_ADMINS), SPEAN_EDENIED);
    assert_int_equal(change_admins(org, STRANGER, SIGNED_BY(ADMIN, STRANGER)), SPEAN_EDENIED);
    assert_int_equal(change_admins(org, STRANGER, SIGNED_BY(ADMIN, ADMIN_2, STRANGER)), SPEAN_OK);
    assert_int_equal(org->threshold, 1);
}

static void a_former_admin_key_signs_no_more(void **state)
{
    struct spean_org *const org = *state;
    assert_int_equal(change_admins(org, STRANGER, SIGNED_BY(ADMIN, ADMIN_2, STRANGER)), SPEAN_OK);
    const struct spean_key sealing = fixture_x25519(0x8002);
    struct spean_statement_draft draft = next_draft(org);
    draft.generation = 2;
    draft.sealing = &sealing;
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(ADMIN_2)), SPEAN_EDENIED);
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(ADMIN, ADMIN_2)), SPEAN_EDENIED);
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(STRANGER)), SPEAN_OK);
}

static void recovery_sets_another_hash_and_stands_alone_p3_5(void **state)
{
    struct spean_org *const org = *state;
    struct spean_key admin = fixture_key(STRANGER);
    const struct spean_id same = fixture_recovery(RECOVERY);
    const struct spean_id other = fixture_recovery(RECOVERY_2);
    struct spean_statement_draft draft = next_draft(org);
    draft.threshold = 1;
    draft.admins_count = 1;
    draft.admins = &admin;

    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(RECOVERY, STRANGER)), SPEAN_EDENIED);
    draft.recovery = &same;
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(RECOVERY, STRANGER)), SPEAN_EDENIED);
    draft.recovery = &other;
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(RECOVERY, STRANGER, ADMIN)), SPEAN_EDENIED);
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(RECOVERY_2, STRANGER)), SPEAN_EDENIED);
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(RECOVERY)), SPEAN_EDENIED);
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(RECOVERY, STRANGER)), SPEAN_OK);
    assert_int_equal(org->recoveries, 1);

    draft = next_draft(org);
    draft.recovery = &same;
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(RECOVERY)), SPEAN_EDENIED);
}

static void an_ordinary_version_never_sets_the_recovery_hash_p3_5(void **state)
{
    struct spean_org *const org = *state;
    const struct spean_id other = fixture_recovery(RECOVERY_2);
    struct spean_statement_draft draft = next_draft(org);
    draft.recovery = &other;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_EDENIED);
}

static void the_handle_comes_with_the_first_nodes_and_never_again_p3_4(void **state)
{
    struct spean_org *const org = *state;
    struct spean_statement_node node = node_of(org, NODE);
    assert_int_equal(apply_nodes(org, &node, 1, false), SPEAN_ESTATE);
    assert_int_equal(apply_nodes(org, &node, 1, true), SPEAN_OK);
    node = node_of(org, NODE + 1);
    assert_int_equal(apply_nodes(org, &node, 1, true), SPEAN_ESTATE);
    assert_int_equal(apply_nodes(org, &node, 1, false), SPEAN_OK);
    assert_int_equal(org->nodes_count, 2);
}

static void a_node_accepts_this_org_this_ledger_and_these_keys_p3_4(void **state)
{
    struct spean_org *const org = *state;
    const struct spean_handle here = fixture_handle(0x11);
    const struct spean_handle elsewhere = fixture_handle(0x12);
    const struct spean_id other_org = fixture_id(1);

    struct spean_statement_node node = fixture_node(NODE, &other_org, &here);
    assert_int_equal(apply_nodes(org, &node, 1, true), SPEAN_ESIGNATURE);
    node = fixture_node(NODE, &org->id, &elsewhere);
    assert_int_equal(apply_nodes(org, &node, 1, true), SPEAN_ESIGNATURE);
    node = fixture_node(NODE, &org->id, &here);
    node.transport = fixture_x25519(0x4001);
    assert_int_equal(apply_nodes(org, &node, 1, true), SPEAN_ESIGNATURE);
    node = fixture_node(NODE, &org->id, &here);
    node.sealing = fixture_x25519(0x4001);
    assert_int_equal(apply_nodes(org, &node, 1, true), SPEAN_ESIGNATURE);
    node = fixture_node(NODE, &org->id, &here);
    node.signing = fixture_key(NODE + 1);
    assert_int_equal(apply_nodes(org, &node, 1, true), SPEAN_ESIGNATURE);
}

static void a_closed_log_never_reopens_p3_6(void **state)
{
    struct spean_org *const org = *state;
    assert_int_equal(open_node(org, NODE), SPEAN_OK);
    assert_int_equal(open_node(org, NODE), SPEAN_ESTATE);
    assert_int_equal(cut_node(org, NODE, 9), SPEAN_OK);
    assert_int_equal(open_node(org, NODE), SPEAN_ESTATE);
}

/* A node with keys of its own but those of another node where asked, accepted as it is. */
static struct spean_statement_node node_sharing(const struct spean_org *org, unsigned n,
                                                bool sealing, bool transport)
{
    struct spean_statement_node node = node_of(org, n);
    const struct spean_statement_node other = node_of(org, NODE);
    node.sealing = sealing ? other.sealing : node.sealing;
    node.transport = transport ? other.transport : node.transport;
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, n);
    const struct spean_handle handle = fixture_handle(0x11);
    spean_statement_accept(&node, &org->id, &handle, seed);
    return node;
}

static void open_nodes_share_no_key_p3_6(void **state)
{
    struct spean_org *const org = *state;
    assert_int_equal(open_node(org, NODE), SPEAN_OK);
    struct spean_statement_node node = node_sharing(org, NODE + 1, true, false);
    assert_int_equal(apply_nodes(org, &node, 1, false), SPEAN_ESTATE);
    node = node_sharing(org, NODE + 1, false, true);
    assert_int_equal(apply_nodes(org, &node, 1, false), SPEAN_ESTATE);
    struct spean_statement_node both[2] = {node_of(org, NODE + 1), node_of(org, NODE + 2)};
    both[1].transport = both[0].transport;
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, NODE + 2);
    const struct spean_handle handle = fixture_handle(0x11);
    spean_statement_accept(&both[1], &org->id, &handle, seed);
    assert_int_equal(apply_nodes(org, both, 2, false), SPEAN_ESTATE);
}

static void one_version_closes_a_log_and_opens_its_successor(void **state)
{
    struct spean_org *const org = *state;
    assert_int_equal(open_node(org, NODE), SPEAN_OK);
    struct spean_statement_node node = node_sharing(org, NODE + 1, true, true);
    struct spean_statement_cut cut = {.signing = fixture_key(NODE), .cut = fixture_cut(4, 77)};
    struct spean_statement_draft draft = next_draft(org);
    draft.nodes = &node;
    draft.nodes_count = 1;
    draft.cuts = &cut;
    draft.cuts_count = 1;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_OK);

    const struct spean_key old = fixture_key(NODE);
    const struct spean_key successor = fixture_key(NODE + 1);
    assert_int_equal(spean_org_node_get(org, &old)->cut.seq, 4);
    assert_false(spean_org_node_get(org, &successor)->cut.closed);
}

static void a_second_cut_is_lower_p3_7(void **state)
{
    struct spean_org *const org = *state;
    assert_int_equal(open_node(org, NODE), SPEAN_OK);
    assert_int_equal(cut_node(org, NODE, 9), SPEAN_OK);
    assert_int_equal(cut_node(org, NODE, 10), SPEAN_ESTATE);
    assert_int_equal(cut_node(org, NODE, 9), SPEAN_ESTATE);
    assert_int_equal(cut_node(org, NODE, 8), SPEAN_OK);
    assert_int_equal(cut_node(org, NODE, 0), SPEAN_OK);
    assert_int_equal(cut_node(org, NODE, 0), SPEAN_ESTATE);
}

static void a_log_that_is_not_known_cannot_be_cut_p3_7(void **state)
{
    struct spean_org *const org = *state;
    assert_int_equal(cut_node(org, NODE, 9), SPEAN_ESTATE);
}

static void sealing_generations_go_up_by_one_with_another_key_p3_8(void **state)
{
    struct spean_org *const org = *state;
    struct spean_key sealing = fixture_x25519(0x8001);
    struct spean_statement_draft draft = next_draft(org);
    draft.sealing = &sealing;
    draft.generation = 2;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_ESTATE);
    sealing = fixture_x25519(0x8002);
    draft.generation = 1;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_ESTATE);
    draft.generation = 3;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_ESTATE);
    draft.generation = 2;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_OK);
    assert_non_null(spean_org_sealing_get(org, 1));
    assert_true(spean_key_equal(spean_org_sealing_get(org, 2), &sealing));
}

static void no_key_serves_two_purposes_p3_2(void **state)
{
    struct spean_org *const org = *state;
    struct spean_statement_node node = node_of(org, ADMIN); /* Signing key of an admin. */
    assert_int_equal(apply_nodes(org, &node, 1, true), SPEAN_ESTATE);
    node = node_of(org, RECOVERY);
    assert_int_equal(apply_nodes(org, &node, 1, true), SPEAN_ESTATE);

    assert_int_equal(open_node(org, NODE), SPEAN_OK);
    assert_int_equal(change_admins(org, NODE, SIGNED_BY(ADMIN, ADMIN_2, NODE)), SPEAN_ESTATE);
    assert_int_equal(change_admins(org, RECOVERY, SIGNED_BY(ADMIN, ADMIN_2, RECOVERY)),
                     SPEAN_ESTATE);

    const struct spean_statement_node known = node_of(org, NODE);
    struct spean_statement_draft draft = next_draft(org);
    draft.generation = 2;
    draft.sealing = &known.transport;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_ESTATE);
    draft.sealing = &known.sealing;
    assert_int_equal(apply_draft(org, &draft, BY_ADMINS), SPEAN_ESTATE);

    const struct spean_id recovery = fixture_recovery(ADMIN);
    draft = next_draft(org);
    draft.recovery = &recovery;
    assert_int_equal(apply_draft(org, &draft, SIGNED_BY(RECOVERY)), SPEAN_ESTATE);
}

static void sixty_four_nodes_are_open_at_most_and_cutting_stays_legal(void **state)
{
    struct spean_org *const org = *state;
    struct spean_statement_node nodes[SPEAN_ORG_NODES_OPEN_MAX];
    for (unsigned i = 0; i < SPEAN_ORG_NODES_OPEN_MAX; i++) {
        nodes[i] = node_of(org, NODE + i);
    }
    assert_int_equal(apply_nodes(org, nodes, SPEAN_ORG_NODES_OPEN_MAX, true), SPEAN_OK);
    struct spean_statement_node more = node_of(org, 200);
    assert_int_equal(apply_nodes(org, &more, 1, false), SPEAN_ELIMIT);
    assert_int_equal(cut_node(org, NODE, 1), SPEAN_OK);
    assert_int_equal(apply_nodes(org, &more, 1, false), SPEAN_OK);
}

static void a_copy_is_apart_from_what_it_was_made_of(void **state)
{
    struct spean_org *const org = *state;
    assert_int_equal(open_node(org, NODE), SPEAN_OK);
    struct spean_org copy;
    assert_int_equal(spean_org_copy(&copy, org), SPEAN_OK);
    assert_int_equal(cut_node(org, NODE, 3), SPEAN_OK);
    const struct spean_key key = fixture_key(NODE);
    assert_false(spean_org_node_get(&copy, &key)->cut.closed);
    assert_int_equal(copy.version, 2);
    spean_org_fini(&copy);
}

#define ORG_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ORG_TEST(version_1_names_the_org_p3_3),
        ORG_TEST(version_1_needs_every_admin_key_and_no_other_p3_3),
        ORG_TEST(a_signature_that_does_not_hold_is_refused_p2_3),
        ORG_TEST(a_version_follows_the_one_before_p2_2),
        ORG_TEST(a_charter_is_no_statement),
        ORG_TEST(an_ordinary_version_needs_the_threshold_and_nobody_else_p3_5),
        ORG_TEST(a_new_admin_key_signs_and_does_not_count_p3_5),
        ORG_TEST(a_former_admin_key_signs_no_more),
        ORG_TEST(recovery_sets_another_hash_and_stands_alone_p3_5),
        ORG_TEST(an_ordinary_version_never_sets_the_recovery_hash_p3_5),
        ORG_TEST(the_handle_comes_with_the_first_nodes_and_never_again_p3_4),
        ORG_TEST(a_node_accepts_this_org_this_ledger_and_these_keys_p3_4),
        ORG_TEST(a_closed_log_never_reopens_p3_6),
        ORG_TEST(open_nodes_share_no_key_p3_6),
        ORG_TEST(one_version_closes_a_log_and_opens_its_successor),
        ORG_TEST(a_second_cut_is_lower_p3_7),
        ORG_TEST(a_log_that_is_not_known_cannot_be_cut_p3_7),
        ORG_TEST(sealing_generations_go_up_by_one_with_another_key_p3_8),
        ORG_TEST(no_key_serves_two_purposes_p3_2),
        ORG_TEST(sixty_four_nodes_are_open_at_most_and_cutting_stays_legal),
        ORG_TEST(a_copy_is_apart_from_what_it_was_made_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
