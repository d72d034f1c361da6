#include "protocol/org_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/statement.h"
#include "tests/support/identitykit.h"

/*
 * The story of most tests: version 1, version 2 opens nodes 10 and 11, and after that two versions
 * 3 contradict each other. All are signed by admin 1; recovery keys are 2 and then 5.
 */
#define ADMIN 1
#define NODE  10

static struct fixture_document v1;
static struct fixture_document v2;
static struct fixture_document left;
static struct fixture_document right;
static struct fixture_document more;

static int setup(void **state)
{
    struct spean_org_chain *const oc = malloc(sizeof(*oc));
    assert_non_null(oc);
    spean_org_chain_init(oc);
    fixture_org_first(&v1, ADMIN);
    const struct spean_handle handle = fixture_handle(3);
    struct spean_statement_node nodes[2] = {fixture_node(NODE, &v1.doc.id, &handle),
                                            fixture_node(NODE + 1, &v1.doc.id, &handle)};
    const struct spean_statement_draft draft = {
        .version = 2, .previous = v1.doc.id, .handle = &handle, .nodes_count = 2, .nodes = nodes};
    fixture_statement(&v2, &draft, SIGNED_BY(ADMIN));
    *state = oc;
    return 0;
}

static int teardown(void **state)
{
    struct spean_org_chain *const oc = *state;
    spean_org_chain_fini(oc);
    free(oc);
    return 0;
}

static void add(struct spean_org_chain *oc, const struct fixture_document *d)
{
    assert_int_equal(spean_org_chain_add(oc, &d->doc), SPEAN_OK);
}

static void open_node(struct fixture_document *out, const struct fixture_document *before,
                      unsigned node)
{
    const struct spean_handle handle = fixture_handle(3);
    fixture_org_node(out, &before->doc, &v1.doc.id, &handle, false, node, ADMIN);
}

/* A recovery-signed version after one given: recovery key n to n + 3, admin key to admin. */
static void recover(struct fixture_document *out, const struct fixture_document *before, unsigned n,
                    unsigned admin)
{
    struct spean_key key = fixture_key(admin);
    const struct spean_id recovery = fixture_recovery(n + 3);
    const struct spean_statement_draft draft = {.version = before->doc.version + 1,
                                                .previous = before->doc.id,
                                                .threshold = 1,
                                                .admins_count = 1,
                                                .admins = &key,
                                                .recovery = &recovery};
    fixture_statement(out, &draft, SIGNED_BY(n, admin));
}

static const struct spean_org_node *node_of(const struct spean_org_chain *oc, unsigned n)
{
    const struct spean_key key = fixture_key(n);
    return spean_org_node_get(&oc->org, &key);
}

/* Add the two branches in one order and in the other, each time to a fresh chain. */
static void with_both_orders(void (*check)(const struct spean_org_chain *oc))
{
    for (int turn = 0; turn < 2; turn++) {
        struct spean_org_chain oc;
        spean_org_chain_init(&oc);
        add(&oc, &v1);
        add(&oc, &v2);
        add(&oc, turn == 0 ? &left : &right);
        assert_false(oc.frozen);
        add(&oc, turn == 0 ? &right : &left);
        check(&oc);
        spean_org_chain_fini(&oc);
    }
}

static void the_last_of_a_line_is_in_force(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    add(oc, &v2);
    assert_int_equal(oc->org.version, 2);
    assert_false(oc->frozen);
    assert_int_equal(oc->aside_count, 0);
}

static void what_is_held_is_told_and_a_gap_too(void **state)
{
    struct spean_org_chain *const oc = *state;
    assert_int_equal(spean_org_chain_add(oc, &v2.doc), SPEAN_EGAP);
    add(oc, &v1);
    assert_int_equal(spean_org_chain_add(oc, &v1.doc), SPEAN_EEXISTS);
    fixture_org_cut(&more, &v2.doc, NODE, 1, 1, ADMIN);
    assert_int_equal(spean_org_chain_add(oc, &more.doc), SPEAN_EGAP);
    add(oc, &v2);
    assert_int_equal(spean_org_chain_add(oc, &v2.doc), SPEAN_EEXISTS);
}

static void another_version_1_is_another_org(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    fixture_org_first(&more, 30);
    assert_int_equal(spean_org_chain_add(oc, &more.doc), SPEAN_ECHAIN);
}

static void a_version_number_that_skips_is_refused(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    add(oc, &v2);
    struct spean_document lying = v2.doc;
    lying.version = 9;
    fixture_org_cut(&more, &lying, NODE, 1, 1, ADMIN);
    assert_int_equal(spean_org_chain_add(oc, &more.doc), SPEAN_ECHAIN);
}

static void check_frozen_at_2(const struct spean_org_chain *oc)
{
    assert_true(oc->frozen);
    assert_int_equal(oc->org.version, 2);
    assert_int_equal(oc->org.nodes_count, 2);
    assert_int_equal(oc->aside_count, 2);
    assert_false(node_of(oc, NODE)->cut.closed);
}

static void equal_branches_freeze_the_org_and_open_nothing_p3_9(void **state)
{
    (void)state;
    open_node(&left, &v2, 20);
    open_node(&right, &v2, 21);
    with_both_orders(check_frozen_at_2);
}

static void check_lower_cut(const struct spean_org_chain *oc)
{
    assert_true(oc->frozen);
    const struct spean_id entry = fixture_id(101);
    assert_int_equal(node_of(oc, NODE)->cut.seq, 5);
    assert_true(spean_id_equal(&node_of(oc, NODE)->cut.entry, &entry));
    assert_false(node_of(oc, NODE + 1)->cut.closed);
}

static void a_frozen_org_keeps_the_lower_cut_of_each_log_p3_9(void **state)
{
    (void)state;
    fixture_org_cut(&left, &v2.doc, NODE, 9, 100, ADMIN);
    fixture_org_cut(&right, &v2.doc, NODE, 5, 101, ADMIN);
    with_both_orders(check_lower_cut);
}

static void three_branches_freeze_an_org_at_the_same_cut_in_every_order_p3_9(void **state)
{
    (void)state;
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const struct fixture_document *const branches[3] = {&left, &right, &more};
    fixture_org_cut(&left, &v2.doc, NODE, 9, 100, ADMIN);
    fixture_org_cut(&right, &v2.doc, NODE, 9, 101, ADMIN);
    fixture_org_cut(&more, &v2.doc, NODE, 4, 102, ADMIN);
    for (size_t i = 0; i < 6; i++) {
        struct spean_org_chain oc;
        spean_org_chain_init(&oc);
        add(&oc, &v1);
        add(&oc, &v2);
        for (size_t k = 0; k < 3; k++) {
            add(&oc, branches[orders[i][k]]);
        }
        assert_int_equal(node_of(&oc, NODE)->cut.seq, 4);
        spean_org_chain_fini(&oc);
    }
}

static void check_one_sided_cuts(const struct spean_org_chain *oc)
{
    assert_true(oc->frozen);
    assert_int_equal(node_of(oc, NODE)->cut.seq, 9);
    assert_int_equal(node_of(oc, NODE + 1)->cut.seq, 4);
}

static void a_frozen_org_keeps_cuts_of_one_branch_alone_p3_9(void **state)
{
    (void)state;
    fixture_org_cut(&left, &v2.doc, NODE, 9, 100, ADMIN);
    fixture_org_cut(&right, &v2.doc, NODE + 1, 4, 101, ADMIN);
    with_both_orders(check_one_sided_cuts);
}

static void check_cut_at_0(const struct spean_org_chain *oc)
{
    assert_true(oc->frozen);
    assert_true(node_of(oc, NODE)->cut.closed);
    assert_int_equal(node_of(oc, NODE)->cut.seq, 0);
}

static void cuts_at_one_seq_with_two_entries_leave_nothing_p3_9(void **state)
{
    (void)state;
    fixture_org_cut(&left, &v2.doc, NODE, 9, 100, ADMIN);
    fixture_org_cut(&right, &v2.doc, NODE, 9, 101, ADMIN);
    with_both_orders(check_cut_at_0);
}

static void check_recovered(const struct spean_org_chain *oc)
{
    assert_false(oc->frozen);
    assert_int_equal(oc->org.recoveries, 1);
    assert_int_equal(oc->org.version, 3);
    assert_false(node_of(oc, NODE)->cut.closed); /* The thief's cut counts no more. */
    assert_int_equal(oc->aside_count, 0);
}

static void the_branch_with_more_recoveries_is_in_force_p3_9(void **state)
{
    (void)state;
    recover(&left, &v2, 2, 40);
    fixture_org_cut(&right, &v2.doc, NODE, 0, 0, ADMIN);
    with_both_orders(check_recovered);
}

static void what_a_losing_branch_opens_is_set_aside_p3_9(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    add(oc, &v2);
    open_node(&right, &v2, 21);
    add(oc, &right);
    assert_non_null(node_of(oc, 21));
    recover(&left, &v2, 2, 40);
    add(oc, &left);
    assert_null(node_of(oc, 21));
    const struct spean_key key = fixture_key(21);
    assert_int_equal(oc->aside_count, 1);
    assert_true(spean_key_equal(&oc->aside[0].signing, &key));
}

static void recovery_ends_a_freeze_and_a_second_recovery_is_needed_against_one(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    add(oc, &v2);
    open_node(&left, &v2, 20);
    open_node(&right, &v2, 21);
    add(oc, &left);
    add(oc, &right);
    assert_true(oc->frozen);
    recover(&more, &left, 2, 40);
    add(oc, &more);
    assert_false(oc->frozen);
    assert_non_null(node_of(oc, 20));

    static struct fixture_document rival;
    recover(&rival, &right, 2, 41);
    add(oc, &rival);
    assert_true(oc->frozen);
    assert_int_equal(oc->org.version, 2);
    static struct fixture_document last;
    recover(&last, &more, 5, 42);
    add(oc, &last);
    assert_false(oc->frozen);
    assert_int_equal(oc->org.recoveries, 2);
}

static void a_fork_further_up_freezes_at_the_fork(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    add(oc, &v2);
    open_node(&left, &v2, 20);
    add(oc, &left);
    open_node(&more, &left, 22);
    add(oc, &more);
    open_node(&right, &left, 23);
    add(oc, &right);
    assert_true(oc->frozen);
    assert_int_equal(oc->org.version, 3);
    assert_non_null(node_of(oc, 20));
    assert_null(node_of(oc, 22));
}

static void a_pin_settles_a_freeze_whatever_the_recoveries_p4_8(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    add(oc, &v2);
    recover(&left, &v2, 2, 40);
    open_node(&right, &v2, 21);
    add(oc, &left);
    add(oc, &right);
    assert_int_equal(oc->org.recoveries, 1);
    assert_int_equal(spean_org_chain_pin(oc, &right.doc.id), SPEAN_OK);
    assert_false(oc->frozen);
    assert_non_null(node_of(oc, 21));
    assert_int_equal(spean_org_chain_pin(oc, NULL), SPEAN_OK);
    assert_null(node_of(oc, 21));
}

static void a_pin_waits_for_the_version_that_it_names(void **state)
{
    struct spean_org_chain *const oc = *state;
    open_node(&left, &v2, 20);
    open_node(&right, &v2, 21);
    assert_int_equal(spean_org_chain_pin(oc, &right.doc.id), SPEAN_OK);
    add(oc, &v1);
    add(oc, &v2);
    add(oc, &left);
    assert_non_null(node_of(oc, 20));
    add(oc, &right);
    assert_false(oc->frozen);
    assert_null(node_of(oc, 20));
    assert_non_null(node_of(oc, 21));
}

static void an_invalid_branch_is_not_kept(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    add(oc, &v2);
    fixture_org_cut(&left, &v2.doc, NODE, 9, 1, ADMIN);
    add(oc, &left);
    fixture_org_cut(&right, &v2.doc, NODE, 5, 1, 99);
    assert_int_equal(spean_org_chain_add(oc, &right.doc), SPEAN_EDENIED);
    assert_int_equal(oc->chain.versions_count, 3);
    assert_int_equal(oc->chain.heads_count, 1);
    assert_false(oc->frozen);
}

static void a_branch_is_judged_by_what_it_follows_not_by_what_is_in_force(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    add(oc, &v2);
    recover(&left, &v2, 2, 40);
    add(oc, &left);
    open_node(&right, &v2, 21); /* By the old admin, valid after version 2 alone. */
    add(oc, &right);
    open_node(&more, &left, 22);
    assert_int_equal(spean_org_chain_add(oc, &more.doc), SPEAN_EDENIED);
}

static void branches_are_limited_and_recovery_passes_the_limit(void **state)
{
    struct spean_org_chain *const oc = *state;
    add(oc, &v1);
    add(oc, &v2);
    for (unsigned i = 0; i < SPEAN_CHAIN_HEADS_MAX; i++) {
        fixture_org_cut(&more, &v2.doc, NODE, 100 + i, i, ADMIN);
        add(oc, &more);
    }
    fixture_org_cut(&more, &v2.doc, NODE, 500, 1, ADMIN);
    assert_int_equal(spean_org_chain_add(oc, &more.doc), SPEAN_ELIMIT);
    recover(&left, &v2, 2, 40);
    add(oc, &left);
    assert_false(oc->frozen);
    assert_int_equal(oc->org.recoveries, 1);
}

#define CHAIN_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHAIN_TEST(the_last_of_a_line_is_in_force),
        CHAIN_TEST(what_is_held_is_told_and_a_gap_too),
        CHAIN_TEST(another_version_1_is_another_org),
        CHAIN_TEST(a_version_number_that_skips_is_refused),
        CHAIN_TEST(equal_branches_freeze_the_org_and_open_nothing_p3_9),
        CHAIN_TEST(a_frozen_org_keeps_the_lower_cut_of_each_log_p3_9),
        CHAIN_TEST(three_branches_freeze_an_org_at_the_same_cut_in_every_order_p3_9),
        CHAIN_TEST(a_frozen_org_keeps_cuts_of_one_branch_alone_p3_9),
        CHAIN_TEST(cuts_at_one_seq_with_two_entries_leave_nothing_p3_9),
        CHAIN_TEST(the_branch_with_more_recoveries_is_in_force_p3_9),
        CHAIN_TEST(what_a_losing_branch_opens_is_set_aside_p3_9),
        CHAIN_TEST(recovery_ends_a_freeze_and_a_second_recovery_is_needed_against_one),
        CHAIN_TEST(a_fork_further_up_freezes_at_the_fork),
        CHAIN_TEST(a_pin_settles_a_freeze_whatever_the_recoveries_p4_8),
        CHAIN_TEST(a_pin_waits_for_the_version_that_it_names),
        CHAIN_TEST(an_invalid_branch_is_not_kept),
        CHAIN_TEST(a_branch_is_judged_by_what_it_follows_not_by_what_is_in_force),
        CHAIN_TEST(branches_are_limited_and_recovery_passes_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
