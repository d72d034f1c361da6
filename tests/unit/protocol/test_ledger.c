#include "protocol/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/identitykit.h"

/* Orgs 100, 101, 102 are members from the genesis on; stewards 1, 2, 3 of each, threshold 2. */
#define ORG      100
#define STRANGER 9

static struct fixture_document made;

static spean_err found_with(struct spean_ledger *ledger, const struct spean_charter_draft *changes,
                            struct fixture_signers signers)
{
    static const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES] = {1};
    const uint64_t number = 1;
    const struct spean_id schema = fixture_id(7);
    struct spean_charter_draft draft = *changes;
    draft.version = 1;
    draft.erasure_delay_s = &number;
    draft.entry_format = &number;
    draft.schema = &schema;
    draft.name = (struct spean_view){(const uint8_t *)"Bridge", 6};
    draft.random = random;
    fixture_charter(&made, &draft, signers);
    return spean_ledger_apply(ledger, &made.doc, NULL);
}

static spean_err found(struct spean_ledger *ledger, struct fixture_signers signers)
{
    struct spean_steward stewards[3];
    struct spean_charter_member members[3];
    for (unsigned i = 0; i < 3; i++) {
        stewards[i] = (struct spean_steward){.org = fixture_id(ORG + i), .key = fixture_key(1 + i)};
        members[i] = (struct spean_charter_member){.org = fixture_id(ORG + i),
                                                   .status = SPEAN_MEMBER_ACTIVE};
    }
    const struct spean_charter_draft draft = {.threshold = 2,
                                              .stewards_count = 3,
                                              .stewards = stewards,
                                              .members_count = 3,
                                              .members = members};
    return found_with(ledger, &draft, signers);
}

static int setup(void **state)
{
    struct spean_ledger *const ledger = calloc(1, sizeof(*ledger));
    assert_non_null(ledger);
    assert_int_equal(found(ledger, SIGNED_BY(1, 2, 3)), SPEAN_OK);
    *state = ledger;
    return 0;
}

static int teardown(void **state)
{
    struct spean_ledger *const ledger = *state;
    spean_ledger_fini(ledger);
    free(ledger);
    return 0;
}

static struct spean_charter_draft next_draft(const struct spean_ledger *ledger)
{
    return (struct spean_charter_draft){.version = ledger->version + 1, .previous = ledger->head};
}

static spean_err apply(struct spean_ledger *ledger, const struct spean_charter_draft *draft,
                       struct fixture_signers signers)
{
    const uint64_t version = ledger->version;
    const struct spean_id head = ledger->head;
    const uint32_t members_count = ledger->members_count;
    const uint32_t cuts_count = ledger->cuts_count;
    fixture_charter(&made, draft, signers);
    const spean_err err = spean_ledger_apply(ledger, &made.doc, NULL);
    if (err != SPEAN_OK) {
        assert_int_equal(ledger->version, version);
        assert_true(spean_id_equal(&ledger->head, &head));
        assert_int_equal(ledger->members_count, members_count);
        assert_int_equal(ledger->cuts_count, cuts_count);
    }
    return err;
}

#define BY_TWO SIGNED_BY(1, 2)

static spean_err set_member(struct spean_ledger *ledger, unsigned org,
                            enum spean_member_status status, struct fixture_signers signers)
{
    struct spean_charter_member member = {.org = fixture_id(org), .status = status};
    struct spean_charter_draft draft = next_draft(ledger);
    draft.members = &member;
    draft.members_count = 1;
    return apply(ledger, &draft, signers);
}

static spean_err cut(struct spean_ledger *ledger, unsigned org, uint64_t seq)
{
    struct spean_charter_cut row = {.org = fixture_id(org), .signing = fixture_key(50)};
    row.cut = fixture_cut(seq, 1);
    struct spean_charter_draft draft = next_draft(ledger);
    draft.cuts = &row;
    draft.cuts_count = 1;
    return apply(ledger, &draft, BY_TWO);
}

static bool is_active(const struct spean_ledger *ledger, unsigned org)
{
    const struct spean_id id = fixture_id(org);
    return spean_ledger_is_active(ledger, &id);
}

static void the_genesis_names_the_ledger_p4_2(void **state)
{
    const struct spean_ledger *const ledger = *state;
    assert_true(spean_id_equal(&ledger->id, &made.doc.id));
    assert_string_equal(ledger->name, "Bridge");
    assert_int_equal(ledger->members_count, 3);
    assert_true(is_active(ledger, ORG + 2));
    assert_false(is_active(ledger, ORG + 3));
    const struct spean_id org = fixture_id(ORG);
    assert_true(spean_ledger_is_steward(ledger, &org));
}

static void a_genesis_is_signed_by_every_charter_key_and_no_other_p4_2(void **state)
{
    (void)state;
    struct spean_ledger ledger;
    spean_ledger_init(&ledger);
    assert_int_equal(found(&ledger, SIGNED_BY_NOBODY), SPEAN_EDENIED);
    assert_int_equal(found(&ledger, SIGNED_BY(1, 2)), SPEAN_EDENIED);
    assert_int_equal(found(&ledger, SIGNED_BY(1, 2, STRANGER)), SPEAN_EDENIED);
    assert_int_equal(found(&ledger, SIGNED_BY(1, 2, 3, STRANGER)), SPEAN_EDENIED);
    assert_int_equal(ledger.version, 0);
}

static void a_genesis_has_stewards_of_active_members_alone_p4_2(void **state)
{
    (void)state;
    struct spean_ledger ledger;
    spean_ledger_init(&ledger);
    struct spean_steward steward = {.org = fixture_id(5), .key = fixture_key(1)};
    struct spean_charter_member member = {.org = fixture_id(6), .status = SPEAN_MEMBER_ACTIVE};
    struct spean_charter_draft draft = {.threshold = 1,
                                        .stewards_count = 1,
                                        .stewards = &steward,
                                        .members_count = 1,
                                        .members = &member};
    assert_int_equal(found_with(&ledger, &draft, SIGNED_BY(1)), SPEAN_ESTATE);
    member.org = fixture_id(5);
    member.status = SPEAN_MEMBER_REMOVED;
    assert_int_equal(found_with(&ledger, &draft, SIGNED_BY(1)), SPEAN_ESTATE);
}

static void a_version_follows_the_one_before(void **state)
{
    struct spean_ledger *const ledger = *state;
    struct spean_charter_member member = {.org = fixture_id(5), .status = SPEAN_MEMBER_ACTIVE};
    struct spean_charter_draft draft = next_draft(ledger);
    draft.members = &member;
    draft.members_count = 1;
    draft.version = 3;
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_ECHAIN);
    draft.version = 2;
    draft.previous = fixture_id(1);
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_ECHAIN);
    draft.previous = ledger->head;
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_OK);
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_ECHAIN); /* Replayed. */
}

static void there_is_one_genesis_p4_2(void **state)
{
    struct spean_ledger *const ledger = *state;
    assert_int_equal(found(ledger, SIGNED_BY(1, 2, 3)), SPEAN_ECHAIN);
}

static void a_version_needs_the_threshold_and_nobody_else_p4_3(void **state)
{
    struct spean_ledger *const ledger = *state;
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, SIGNED_BY_NOBODY), SPEAN_EDENIED);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, SIGNED_BY(1)), SPEAN_EDENIED);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, SIGNED_BY(1, STRANGER)),
                     SPEAN_EDENIED);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, SIGNED_BY(1, 2, STRANGER)),
                     SPEAN_EDENIED);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, SIGNED_BY(2, 3)), SPEAN_OK);
    assert_true(is_active(ledger, 5));
}

static void a_signature_that_does_not_hold_is_refused(void **state)
{
    struct spean_ledger *const ledger = *state;
    struct spean_charter_member member = {.org = fixture_id(5), .status = SPEAN_MEMBER_ACTIVE};
    struct spean_charter_draft draft = next_draft(ledger);
    draft.members = &member;
    draft.members_count = 1;
    fixture_charter(&made, &draft, BY_TWO);
    made.doc.signatures[0].signature.bytes[0] ^= 1;
    assert_int_equal(spean_ledger_apply(ledger, &made.doc, NULL), SPEAN_ESIGNATURE);
    assert_false(is_active(ledger, 5));
}

static spean_err set_stewards(struct spean_ledger *ledger, unsigned last, unsigned last_org,
                              struct fixture_signers signers)
{
    struct spean_steward stewards[2] = {{.org = fixture_id(ORG), .key = fixture_key(1)},
                                        {.org = fixture_id(last_org), .key = fixture_key(last)}};
    struct spean_charter_draft draft = next_draft(ledger);
    draft.threshold = 2;
    draft.stewards = stewards;
    draft.stewards_count = 2;
    return apply(ledger, &draft, signers);
}

static void a_new_charter_key_signs_and_does_not_count_p4_3(void **state)
{
    struct spean_ledger *const ledger = *state;
    assert_int_equal(set_stewards(ledger, STRANGER, ORG, BY_TWO), SPEAN_EDENIED);
    assert_int_equal(set_stewards(ledger, STRANGER, ORG, SIGNED_BY(1, STRANGER)), SPEAN_EDENIED);
    assert_int_equal(set_stewards(ledger, STRANGER, ORG, SIGNED_BY(1, 2, STRANGER)), SPEAN_OK);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, BY_TWO), SPEAN_EDENIED);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, SIGNED_BY(1, STRANGER)), SPEAN_OK);
}

static void a_steward_belongs_to_an_active_member_p4_3(void **state)
{
    struct spean_ledger *const ledger = *state;
    assert_int_equal(set_stewards(ledger, STRANGER, 55, SIGNED_BY(1, 2, STRANGER)), SPEAN_ESTATE);
}

static void a_stewards_org_is_removed_with_its_steward_only_p4_3(void **state)
{
    struct spean_ledger *const ledger = *state;
    assert_int_equal(set_member(ledger, ORG + 2, SPEAN_MEMBER_REMOVED, BY_TWO), SPEAN_ESTATE);

    struct spean_charter_member member = {.org = fixture_id(ORG + 2),
                                          .status = SPEAN_MEMBER_REMOVED};
    struct spean_steward stewards[2] = {{.org = fixture_id(ORG), .key = fixture_key(1)},
                                        {.org = fixture_id(ORG + 1), .key = fixture_key(2)}};
    struct spean_charter_draft draft = next_draft(ledger);
    draft.members = &member;
    draft.members_count = 1;
    draft.threshold = 2;
    draft.stewards = stewards;
    draft.stewards_count = 2;
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_OK);
    assert_false(is_active(ledger, ORG + 2));
}

static void a_removed_org_never_comes_back_p4_4(void **state)
{
    struct spean_ledger *const ledger = *state;
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, BY_TWO), SPEAN_OK);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_REMOVED, BY_TWO), SPEAN_OK);
    assert_false(is_active(ledger, 5));
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, BY_TWO), SPEAN_ESTATE);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_REMOVED, BY_TWO), SPEAN_OK);
}

static void who_was_never_a_member_cannot_be_removed_cut_or_pinned(void **state)
{
    struct spean_ledger *const ledger = *state;
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_REMOVED, BY_TWO), SPEAN_ESTATE);
    assert_int_equal(cut(ledger, 5, 1), SPEAN_ESTATE);
    struct spean_pin pin = {.org = fixture_id(5), .statement = fixture_id(6)};
    struct spean_charter_draft draft = next_draft(ledger);
    draft.pins = &pin;
    draft.pins_count = 1;
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_ESTATE);
}

static void a_second_charter_cut_is_lower_p4_5(void **state)
{
    struct spean_ledger *const ledger = *state;
    assert_int_equal(cut(ledger, ORG, 9), SPEAN_OK);
    assert_int_equal(cut(ledger, ORG, 9), SPEAN_ESTATE);
    assert_int_equal(cut(ledger, ORG, 10), SPEAN_ESTATE);
    assert_int_equal(cut(ledger, ORG, 0), SPEAN_OK);
    const struct spean_id org = fixture_id(ORG);
    const struct spean_key key = fixture_key(50);
    assert_int_equal(spean_ledger_cut_get(ledger, &org, &key)->seq, 0);
}

static void a_later_pin_takes_the_place_of_the_earlier(void **state)
{
    struct spean_ledger *const ledger = *state;
    const struct spean_id org = fixture_id(ORG);
    for (unsigned n = 1; n <= 2; n++) {
        struct spean_pin pin = {.org = org, .statement = fixture_id(n)};
        struct spean_charter_draft draft = next_draft(ledger);
        draft.pins = &pin;
        draft.pins_count = 1;
        assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_OK);
        assert_true(spean_id_equal(&spean_ledger_pin_get(ledger, &org)->statement, &pin.statement));
    }
    assert_int_equal(ledger->pins_count, 1);
}

static void relays_are_replaced_as_a_whole_p4_1(void **state)
{
    struct spean_ledger *const ledger = *state;
    const struct spean_id org = fixture_id(ORG);
    const struct spean_key key = fixture_key(50);
    struct spean_relay relay = {.org = org, .signing = key};
    struct spean_charter_draft draft = next_draft(ledger);
    draft.has_relays = true;
    draft.relays = &relay;
    draft.relays_count = 1;
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_OK);
    assert_true(spean_ledger_is_relay(ledger, &org, &key));
    draft = next_draft(ledger);
    draft.has_relays = true;
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_OK);
    assert_false(spean_ledger_is_relay(ledger, &org, &key));
}

static void what_a_version_does_not_say_stays_p2_2(void **state)
{
    struct spean_ledger *const ledger = *state;
    const uint64_t format = 2;
    struct spean_charter_draft draft = next_draft(ledger);
    draft.entry_format = &format;
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_OK);
    assert_int_equal(ledger->entry_format, 2);
    assert_int_equal(ledger->erasure_delay_s, 1);
    assert_int_equal(ledger->threshold, 2);
    assert_int_equal(ledger->members_count, 3);
    assert_string_equal(ledger->name, "Bridge");
}

/* Fill the ledger with members, each version with as many as a body holds. */
static void fill_members(struct spean_ledger *ledger)
{
    static struct spean_charter_member members[800];
    while (ledger->members_count < SPEAN_MEMBERS_MAX) {
        uint32_t count = SPEAN_MEMBERS_MAX - ledger->members_count;
        count = count > 800 ? 800 : count;
        for (uint32_t i = 0; i < count; i++) {
            members[i].org = fixture_id(1000 + ledger->members_count + i);
            members[i].status = SPEAN_MEMBER_ACTIVE;
        }
        struct spean_charter_draft draft = next_draft(ledger);
        draft.members = members;
        draft.members_count = count;
        assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_OK);
    }
}

static void removal_is_legal_where_adding_is_not_p4_4(void **state)
{
    struct spean_ledger *const ledger = *state;
    fill_members(ledger);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, BY_TWO), SPEAN_ELIMIT);
    assert_int_equal(set_member(ledger, 1003, SPEAN_MEMBER_REMOVED, BY_TWO), SPEAN_OK);
    assert_int_equal(cut(ledger, 1003, 4), SPEAN_OK);
    assert_int_equal(set_member(ledger, 5, SPEAN_MEMBER_ACTIVE, BY_TWO), SPEAN_ELIMIT);
}

static void a_join_without_the_other_head_is_refused_p4_6(void **state)
{
    struct spean_ledger *const ledger = *state;
    const struct spean_id other = fixture_id(1);
    struct spean_charter_draft draft = next_draft(ledger);
    draft.join = &other;
    assert_int_equal(apply(ledger, &draft, BY_TWO), SPEAN_ECHAIN);
}

#define LEDGER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(the_genesis_names_the_ledger_p4_2),
        LEDGER_TEST(a_genesis_is_signed_by_every_charter_key_and_no_other_p4_2),
        LEDGER_TEST(a_genesis_has_stewards_of_active_members_alone_p4_2),
        LEDGER_TEST(a_version_follows_the_one_before),
        LEDGER_TEST(there_is_one_genesis_p4_2),
        LEDGER_TEST(a_version_needs_the_threshold_and_nobody_else_p4_3),
        LEDGER_TEST(a_signature_that_does_not_hold_is_refused),
        LEDGER_TEST(a_new_charter_key_signs_and_does_not_count_p4_3),
        LEDGER_TEST(a_steward_belongs_to_an_active_member_p4_3),
        LEDGER_TEST(a_stewards_org_is_removed_with_its_steward_only_p4_3),
        LEDGER_TEST(a_removed_org_never_comes_back_p4_4),
        LEDGER_TEST(who_was_never_a_member_cannot_be_removed_cut_or_pinned),
        LEDGER_TEST(a_second_charter_cut_is_lower_p4_5),
        LEDGER_TEST(a_later_pin_takes_the_place_of_the_earlier),
        LEDGER_TEST(relays_are_replaced_as_a_whole_p4_1),
        LEDGER_TEST(what_a_version_does_not_say_stays_p2_2),
        LEDGER_TEST(removal_is_legal_where_adding_is_not_p4_4),
        LEDGER_TEST(a_join_without_the_other_head_is_refused_p4_6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
