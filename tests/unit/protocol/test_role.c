#include "protocol/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/schema.h"

static const struct spean_id ledger = {{0x1e}};

/* Organisations by number; 1 owns, 2 is the target, 3 is any member, 4 a steward, 5 nobody. */
static struct spean_role_author author(uint8_t number)
{
    return (struct spean_role_author){{{number}}, number != 5, number == 4};
}

/* A change of type that writes one value field. */
static struct spean_change change_of(uint64_t type, uint64_t field)
{
    static uint8_t buf[512];
    static const uint8_t seven = 7;
    const struct spean_change change = {.type = type};
    const struct spean_operation op = {
        .field = field, .kind = SPEAN_KIND_VALUE, .value = {&seven, 1}};
    struct spean_change decoded;
    struct spean_view content = {NULL, 0};
    assert_int_equal(spean_change_encode(&change, &op, 1, NULL, 0, buf, sizeof(buf), &content),
                     SPEAN_OK);
    assert_int_equal(spean_change_decode(content, &decoded), SPEAN_OK);
    return decoded;
}

/* A map of fields 1 and up that name organisations. */
static struct spean_view fixed_of(uint8_t count, const uint8_t *numbers)
{
    static uint8_t buf[1 + 2 * 35];
    assert_true(count <= 2);
    buf[0] = 0x80 | count;
    for (size_t i = 0; i < count; i++) {
        uint8_t *const at = buf + 1 + i * 35;
        memset(at, 0, 35);
        at[0] = (uint8_t)(i + 1);
        at[1] = 0xc4;
        at[2] = 32;
        at[3] = numbers[i];
    }
    return (struct spean_view){buf, 1 + count * (size_t)35};
}

static const uint8_t from_1_to_2[] = {1, 2};

/* Assert who of organisations 1 to 5 may write field, one character each: y or n. */
static void assert_writers(uint64_t type, struct spean_view fixed, uint64_t field,
                           const char *expected)
{
    const struct spean_change change = change_of(type, field);
    const struct spean_id owner = {{1}};
    for (uint8_t number = 1; number <= 5; number++) {
        const struct spean_role_author a = author(number);
        const enum spean_aside aside = spean_role_judge(&change, &owner, fixed, &a);
        const enum spean_aside right =
            expected[number - 1] == 'y' ? SPEAN_ASIDE_NOT : SPEAN_ASIDE_WRITER;
        if (aside != right) {
            fail_msg("field %u, organisation %u: %s", (unsigned)field, number,
                     spean_aside_name(aside));
        }
    }
}

static void the_number_of_a_field_says_who_may_write_it(void **state)
{
    (void)state;
    const struct spean_view fixed = fixed_of(2, from_1_to_2);
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 16, "ynnnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 999, "ynnnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 1000, "ynnnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 1999, "ynnnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 2000, "nynnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 2999, "nynnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 3000, "yynnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 4000, "yyyyn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 5000, "ynnyn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 5999, "ynnyn");
}

static void fixed_and_unused_numbers_are_written_by_nobody(void **state)
{
    (void)state;
    const struct spean_view fixed = fixed_of(2, from_1_to_2);
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 0, "nnnnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 1, "nnnnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 15, "nnnnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, 6000, "nnnnn");
    assert_writers(SPEAN_TYPE_REFERRAL, fixed, UINT64_MAX, "nnnnn");
}

static void only_a_referral_has_origin_and_target(void **state)
{
    (void)state;
    const struct spean_view fixed = fixed_of(2, from_1_to_2);
    assert_writers(SPEAN_TYPE_CASE, fixed, 1000, "nnnnn");
    assert_writers(SPEAN_TYPE_CASE, fixed, 2000, "nnnnn");
    assert_writers(SPEAN_TYPE_CASE, fixed, 3000, "nnnnn");
    assert_writers(99, fixed, 16, "ynnnn"); /* A type of a newer program. */
    assert_writers(99, fixed, 4000, "yyyyn");
}

static void an_agency_without_a_member_is_every_members(void **state)
{
    (void)state;
    const uint8_t own[] = {1};
    assert_writers(SPEAN_TYPE_AGENCY, fixed_of(0, NULL), 17, "yyyyn");
    assert_writers(SPEAN_TYPE_AGENCY, fixed_of(1, own), 17, "ynnnn");
    assert_writers(SPEAN_TYPE_CASE, fixed_of(0, NULL), 17, "ynnnn");
}

static void an_agency_whose_member_is_malformed_is_not_every_members(void **state)
{
    (void)state;
    const uint8_t fixed[] = {0x81, 0x01, 0x07};
    assert_writers(SPEAN_TYPE_AGENCY, (struct spean_view){fixed, sizeof(fixed)}, 17, "ynnnn");
}

static void one_operation_of_many_sets_the_whole_change_aside(void **state)
{
    (void)state;
    static const uint8_t seven = 7;
    const struct spean_change change = {.type = SPEAN_TYPE_CASE};
    const struct spean_operation ops[] = {
        {.field = 4001, .kind = SPEAN_KIND_VALUE, .value = {&seven, 1}},
        {.field = 17, .kind = SPEAN_KIND_VALUE, .value = {&seven, 1}}};
    const struct spean_id owner = {{1}};
    const struct spean_role_author member = author(3);
    uint8_t buf[128];
    struct spean_change decoded;
    struct spean_view content = {NULL, 0};
    for (uint32_t count = 1; count <= 2; count++) {
        assert_int_equal(
            spean_change_encode(&change, ops, count, NULL, 0, buf, sizeof(buf), &content),
            SPEAN_OK);
        assert_int_equal(spean_change_decode(content, &decoded), SPEAN_OK);
        assert_int_equal(spean_role_judge(&decoded, &owner, fixed_of(0, NULL), &member),
                         count == 1 ? SPEAN_ASIDE_NOT : SPEAN_ASIDE_WRITER);
    }
}

/* Judge the creation of a record of type by organisation 1 with these fixed fields. */
static enum spean_aside judge_create(uint64_t type, struct spean_view fixed)
{
    struct spean_change change = {.type = type, .creates = true, .random = {5}, .fixed = fixed};
    const struct spean_role_author creator = author(1);
    spean_record_id_derive(&change.record, &ledger, &creator.org, change.random);
    return spean_role_judge_create(&change, &ledger, &creator);
}

static void a_record_is_created_in_the_own_name_only(void **state)
{
    (void)state;
    const uint8_t foreign[] = {2, 1};
    const uint8_t malformed[] = {0x81, 0x01, 0x07};
    assert_int_equal(judge_create(SPEAN_TYPE_CASE, fixed_of(0, NULL)), SPEAN_ASIDE_NOT);
    assert_int_equal(judge_create(SPEAN_TYPE_REFERRAL, fixed_of(2, from_1_to_2)), SPEAN_ASIDE_NOT);
    assert_int_equal(judge_create(SPEAN_TYPE_REFERRAL, fixed_of(2, foreign)), SPEAN_ASIDE_PARTY);
    assert_int_equal(judge_create(SPEAN_TYPE_REFERRAL, fixed_of(0, NULL)), SPEAN_ASIDE_PARTY);
    assert_int_equal(judge_create(SPEAN_TYPE_AGENCY, fixed_of(0, NULL)), SPEAN_ASIDE_NOT);
    assert_int_equal(judge_create(SPEAN_TYPE_AGENCY, fixed_of(1, from_1_to_2)), SPEAN_ASIDE_NOT);
    assert_int_equal(judge_create(SPEAN_TYPE_AGENCY, fixed_of(1, foreign)), SPEAN_ASIDE_PARTY);
    assert_int_equal(judge_create(SPEAN_TYPE_AGENCY, (struct spean_view){malformed, 3}),
                     SPEAN_ASIDE_PARTY);
}

static void a_record_id_that_was_not_derived_by_its_author_is_refused(void **state)
{
    (void)state;
    const struct spean_role_author creator = author(1);
    const struct spean_role_author other = author(3);
    const struct spean_id other_ledger = {{0x1f}};
    struct spean_change change = {
        .type = SPEAN_TYPE_CASE, .creates = true, .fixed = fixed_of(0, NULL)};
    spean_record_id_derive(&change.record, &ledger, &creator.org, change.random);
    assert_int_equal(spean_role_judge_create(&change, &ledger, &creator), SPEAN_ASIDE_NOT);
    assert_int_equal(spean_role_judge_create(&change, &ledger, &other), SPEAN_ASIDE_RECORD);
    assert_int_equal(spean_role_judge_create(&change, &other_ledger, &creator), SPEAN_ASIDE_RECORD);
    change.random[15] ^= 1;
    assert_int_equal(spean_role_judge_create(&change, &ledger, &creator), SPEAN_ASIDE_RECORD);
}

static void a_field_that_is_not_a_fixed_one_cannot_be_fixed(void **state)
{
    (void)state;
    const uint8_t last[] = {0x81, 0x0f, 0x07};
    const uint8_t above[] = {0x82, 0x0f, 0x07, 0x10, 0x07};
    const uint8_t zero[] = {0x81, 0x00, 0x07};
    assert_int_equal(judge_create(SPEAN_TYPE_CASE, (struct spean_view){last, 3}), SPEAN_ASIDE_NOT);
    assert_int_equal(judge_create(SPEAN_TYPE_CASE, (struct spean_view){above, 5}),
                     SPEAN_ASIDE_FIXED);
    assert_int_equal(judge_create(SPEAN_TYPE_CASE, (struct spean_view){zero, 3}),
                     SPEAN_ASIDE_FIXED);
}

static void a_creating_change_writes_only_what_its_author_may(void **state)
{
    (void)state;
    const struct spean_role_author creator = author(1);
    struct spean_change change = change_of(SPEAN_TYPE_REFERRAL, 2001);
    change.creates = true;
    change.fixed = fixed_of(2, from_1_to_2);
    spean_record_id_derive(&change.record, &ledger, &creator.org, change.random);
    assert_int_equal(spean_role_judge_create(&change, &ledger, &creator), SPEAN_ASIDE_WRITER);
    change.operations = change_of(SPEAN_TYPE_REFERRAL, 1001).operations;
    assert_int_equal(spean_role_judge_create(&change, &ledger, &creator), SPEAN_ASIDE_NOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_of_a_field_says_who_may_write_it),
        cmocka_unit_test(fixed_and_unused_numbers_are_written_by_nobody),
        cmocka_unit_test(only_a_referral_has_origin_and_target),
        cmocka_unit_test(an_agency_without_a_member_is_every_members),
        cmocka_unit_test(an_agency_whose_member_is_malformed_is_not_every_members),
        cmocka_unit_test(one_operation_of_many_sets_the_whole_change_aside),
        cmocka_unit_test(a_record_is_created_in_the_own_name_only),
        cmocka_unit_test(a_record_id_that_was_not_derived_by_its_author_is_refused),
        cmocka_unit_test(a_field_that_is_not_a_fixed_one_cannot_be_fixed),
        cmocka_unit_test(a_creating_change_writes_only_what_its_author_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
