#include "protocol/ledger_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/identitykit.h"

/* One steward, key 1 of org 100; version 2 makes org 101 a member, then two versions 3. */
#define ORG 100

static struct fixture_document v1;
static struct fixture_document v2;
static struct fixture_document left;
static struct fixture_document right;
static struct fixture_document more;

static int setup(void **state)
{
    struct spean_ledger_chain *const lc = malloc(sizeof(*lc));
    assert_non_null(lc);
    spean_ledger_chain_init(lc);
    const struct spean_id org = fixture_id(ORG);
    const struct spean_id second = fixture_id(ORG + 1);
    fixture_genesis(&v1, &org, 1);
    fixture_charter_member(&v2, &v1.doc, &second, SPEAN_MEMBER_ACTIVE, 1);
    *state = lc;
    return 0;
}

static int teardown(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    spean_ledger_chain_fini(lc);
    free(lc);
    return 0;
}

static void add(struct spean_ledger_chain *lc, const struct fixture_document *d)
{
    assert_int_equal(spean_ledger_chain_add(lc, &d->doc), SPEAN_OK);
}

static void member(struct fixture_document *out, const struct fixture_document *before,
                   unsigned org, enum spean_member_status status)
{
    const struct spean_id id = fixture_id(org);
    fixture_charter_member(out, &before->doc, &id, status, 1);
}

static void cut(struct fixture_document *out, const struct fixture_document *before, unsigned org,
                uint64_t seq, unsigned entry)
{
    struct spean_charter_cut row = {.org = fixture_id(org), .signing = fixture_key(50)};
    row.cut = fixture_cut(seq, entry);
    const struct spean_charter_draft draft = {.version = before->doc.version + 1,
                                              .previous = before->doc.id,
                                              .cuts_count = 1,
                                              .cuts = &row};
    fixture_charter(out, &draft, SIGNED_BY(1));
}

static void join(struct fixture_document *out, const struct fixture_document *before,
                 const struct fixture_document *other, struct fixture_signers signers)
{
    const struct spean_charter_draft draft = {
        .version = before->doc.version + 1, .previous = before->doc.id, .join = &other->doc.id};
    fixture_charter(out, &draft, signers);
}

static enum spean_ledger_standing standing(const struct spean_ledger_chain *lc, unsigned org)
{
    const struct spean_id id = fixture_id(org);
    const struct spean_ledger_member *const found = spean_ledger_member_get(&lc->ledger, &id);
    assert_non_null(found);
    return found->standing;
}

static uint64_t cut_seq(const struct spean_ledger_chain *lc, unsigned org)
{
    const struct spean_id id = fixture_id(org);
    const struct spean_key key = fixture_key(50);
    const struct spean_cut *const found = spean_ledger_cut_get(&lc->ledger, &id, &key);
    assert_non_null(found);
    return found->seq;
}

/* Add the two branches to a chain of their own, left first or right first. */
static void begin_fork(struct spean_ledger_chain *lc, bool left_first)
{
    spean_ledger_chain_fini(lc);
    spean_ledger_chain_init(lc);
    add(lc, &v1);
    add(lc, &v2);
    add(lc, left_first ? &left : &right);
    add(lc, left_first ? &right : &left);
    assert_int_equal(lc->chain.heads_count, 2);
}

static void what_is_held_missing_or_another_genesis_is_told(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    assert_int_equal(spean_ledger_chain_add(lc, &v2.doc), SPEAN_EGAP);
    add(lc, &v1);
    assert_int_equal(spean_ledger_chain_add(lc, &v1.doc), SPEAN_EEXISTS);
    const struct spean_id other = fixture_id(7);
    fixture_genesis(&more, &other, 1);
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_ECHAIN);
    add(lc, &v2);
    assert_int_equal(lc->ledger.version, 2);
}

static void each_node_keeps_the_branch_it_had_p4_6(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    member(&left, &v2, 110, SPEAN_MEMBER_ACTIVE);
    member(&right, &v2, 111, SPEAN_MEMBER_ACTIVE);
    begin_fork(lc, true);
    assert_int_equal(standing(lc, 110), SPEAN_STANDING_ACTIVE);
    assert_int_equal(standing(lc, 111), SPEAN_STANDING_ELSEWHERE);
    begin_fork(lc, false);
    assert_int_equal(standing(lc, 110), SPEAN_STANDING_ELSEWHERE);
    assert_int_equal(standing(lc, 111), SPEAN_STANDING_ACTIVE);
}

static void what_either_branch_removes_is_removed_p4_6(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    member(&left, &v2, 110, SPEAN_MEMBER_ACTIVE);
    member(&right, &v2, ORG + 1, SPEAN_MEMBER_REMOVED);
    for (int turn = 0; turn < 2; turn++) {
        begin_fork(lc, turn == 0);
        assert_int_equal(standing(lc, ORG + 1), SPEAN_STANDING_REMOVED);
    }
}

static void what_either_branch_cuts_is_cut_at_the_lower_place_p4_6(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    cut(&left, &v2, ORG + 1, 9, 1);
    cut(&right, &v2, ORG + 1, 4, 2);
    for (int turn = 0; turn < 2; turn++) {
        begin_fork(lc, turn == 0);
        assert_int_equal(cut_seq(lc, ORG + 1), 4);
    }
    cut(&right, &v2, ORG + 1, 9, 2);
    for (int turn = 0; turn < 2; turn++) {
        begin_fork(lc, turn == 0);
        assert_int_equal(cut_seq(lc, ORG + 1), 0);
    }
}

static void the_own_branch_goes_on_and_the_other_too(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    member(&left, &v2, 110, SPEAN_MEMBER_ACTIVE);
    member(&right, &v2, 111, SPEAN_MEMBER_ACTIVE);
    begin_fork(lc, true);
    member(&more, &right, 112, SPEAN_MEMBER_ACTIVE);
    add(lc, &more);
    assert_true(spean_id_equal(&lc->ledger.head, &left.doc.id));
    assert_int_equal(standing(lc, 112), SPEAN_STANDING_ELSEWHERE);
    member(&more, &left, 113, SPEAN_MEMBER_ACTIVE);
    add(lc, &more);
    assert_int_equal(lc->ledger.version, 4);
    assert_int_equal(standing(lc, 113), SPEAN_STANDING_ACTIVE);
}

static void a_join_ends_the_fork_for_either_side_p4_6(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    member(&left, &v2, 110, SPEAN_MEMBER_ACTIVE);
    member(&right, &v2, ORG + 1, SPEAN_MEMBER_REMOVED);
    join(&more, &left, &right, SIGNED_BY(1));
    for (int turn = 0; turn < 2; turn++) {
        begin_fork(lc, turn == 0);
        add(lc, &more);
        assert_int_equal(lc->chain.heads_count, 1);
        assert_int_equal(lc->ledger.version, 4);
        assert_int_equal(standing(lc, 110), SPEAN_STANDING_ACTIVE);
        assert_int_equal(standing(lc, ORG + 1), SPEAN_STANDING_REMOVED);
    }
}

static void what_only_the_joined_branch_added_is_not_taken_over_p4_6(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    member(&left, &v2, 110, SPEAN_MEMBER_ACTIVE);
    member(&right, &v2, 111, SPEAN_MEMBER_ACTIVE);
    join(&more, &left, &right, SIGNED_BY(1));
    begin_fork(lc, true);
    add(lc, &more);
    const struct spean_id org = fixture_id(111);
    assert_null(spean_ledger_member_get(&lc->ledger, &org));
}

static void a_removed_org_does_not_come_back_after_the_join_p4_4(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    static struct fixture_document joint;
    member(&left, &v2, 110, SPEAN_MEMBER_ACTIVE);
    member(&right, &v2, ORG + 1, SPEAN_MEMBER_REMOVED);
    join(&joint, &left, &right, SIGNED_BY(1));
    begin_fork(lc, true);
    add(lc, &joint);
    member(&more, &joint, ORG + 1, SPEAN_MEMBER_ACTIVE);
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_ESTATE);
    member(&more, &joint, 120, SPEAN_MEMBER_ACTIVE);
    add(lc, &more);
    assert_int_equal(standing(lc, ORG + 1), SPEAN_STANDING_REMOVED);
}

static void a_branch_from_below_a_joint_is_worked_out_again(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    static struct fixture_document joint;
    static struct fixture_document after;
    member(&left, &v2, 110, SPEAN_MEMBER_ACTIVE);
    member(&right, &v2, ORG + 1, SPEAN_MEMBER_REMOVED);
    join(&joint, &left, &right, SIGNED_BY(1));
    begin_fork(lc, true);
    add(lc, &joint);
    member(&after, &joint, 120, SPEAN_MEMBER_ACTIVE);
    add(lc, &after);
    member(&more, &joint, 121, SPEAN_MEMBER_ACTIVE);
    add(lc, &more);
    assert_int_equal(lc->chain.heads_count, 2);
    assert_int_equal(standing(lc, 120), SPEAN_STANDING_ACTIVE);
    assert_int_equal(standing(lc, 121), SPEAN_STANDING_ELSEWHERE);
    assert_int_equal(standing(lc, ORG + 1), SPEAN_STANDING_REMOVED);
}

static void a_join_needs_the_rule_of_each_head_p4_6(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    const struct spean_id org = fixture_id(ORG);
    struct spean_steward steward = {.org = org, .key = fixture_key(2)};
    const struct spean_charter_draft draft = {.version = 3,
                                              .previous = v2.doc.id,
                                              .threshold = 1,
                                              .stewards_count = 1,
                                              .stewards = &steward};
    fixture_charter(&right, &draft, SIGNED_BY(1, 2)); /* From here steward 2, not 1. */
    member(&left, &v2, 110, SPEAN_MEMBER_ACTIVE);
    begin_fork(lc, true);
    join(&more, &left, &right, SIGNED_BY(1));
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_EDENIED);
    join(&more, &left, &right, SIGNED_BY(2));
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_EDENIED);
    join(&more, &left, &right, SIGNED_BY(1, 2, 3));
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_EDENIED);
    join(&more, &left, &right, SIGNED_BY(1, 2));
    add(lc, &more);
    assert_int_equal(lc->chain.heads_count, 1);
}

static void a_join_names_two_heads_that_are_apart_and_held_p4_6(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    add(lc, &v1);
    add(lc, &v2);
    member(&left, &v2, 110, SPEAN_MEMBER_ACTIVE);
    member(&right, &v2, 111, SPEAN_MEMBER_ACTIVE);
    add(lc, &left);
    join(&more, &left, &right, SIGNED_BY(1));
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_EGAP);
    join(&more, &left, &v2, SIGNED_BY(1));
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_ECHAIN);
    join(&more, &left, &left, SIGNED_BY(1));
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_ECHAIN);
    join(&more, &v2, &left, SIGNED_BY(1));
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_ECHAIN);
}

static void branches_are_limited_and_removal_passes_the_limit(void **state)
{
    struct spean_ledger_chain *const lc = *state;
    add(lc, &v1);
    add(lc, &v2);
    for (unsigned i = 0; i < SPEAN_CHAIN_HEADS_MAX; i++) {
        member(&more, &v2, 200 + i, SPEAN_MEMBER_ACTIVE);
        add(lc, &more);
    }
    member(&more, &v2, 300, SPEAN_MEMBER_ACTIVE);
    assert_int_equal(spean_ledger_chain_add(lc, &more.doc), SPEAN_ELIMIT);
    member(&more, &v2, ORG + 1, SPEAN_MEMBER_REMOVED);
    add(lc, &more);
    assert_int_equal(standing(lc, ORG + 1), SPEAN_STANDING_REMOVED);
}

#define CHAIN_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHAIN_TEST(what_is_held_missing_or_another_genesis_is_told),
        CHAIN_TEST(each_node_keeps_the_branch_it_had_p4_6),
        CHAIN_TEST(what_either_branch_removes_is_removed_p4_6),
        CHAIN_TEST(what_either_branch_cuts_is_cut_at_the_lower_place_p4_6),
        CHAIN_TEST(the_own_branch_goes_on_and_the_other_too),
        CHAIN_TEST(a_join_ends_the_fork_for_either_side_p4_6),
        CHAIN_TEST(what_only_the_joined_branch_added_is_not_taken_over_p4_6),
        CHAIN_TEST(a_removed_org_does_not_come_back_after_the_join_p4_4),
        CHAIN_TEST(a_branch_from_below_a_joint_is_worked_out_again),
        CHAIN_TEST(a_join_needs_the_rule_of_each_head_p4_6),
        CHAIN_TEST(a_join_names_two_heads_that_are_apart_and_held_p4_6),
        CHAIN_TEST(branches_are_limited_and_removal_passes_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
