#include "protocol/erasure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/partkey.h"
#include "tests/unit/protocol/hex.h"

#define BUF_BYTES 65536u
#define RECORD    "c41011000000000000000000000000000000"
#define PROOF     "c420aa00000000000000000000000000000000000000000000000000000000000000"
#define LOG       "c420bb00000000000000000000000000000000000000000000000000000000000000"

static const struct spean_record_id record = {{0x11}};

static spean_err decode_hex(const char *hex, struct spean_erasure *out)
{
    static uint8_t buf[512];
    const size_t len = from_spaced_hex(buf, sizeof(buf), hex);
    return spean_erasure_decode((struct spean_view){buf, len}, out);
}

static void the_erasure_of_a_part_is_as_the_protocol_spells_it(void **state)
{
    (void)state;
    const struct spean_id proof = {{0xaa}};
    const struct spean_view reason = {(const uint8_t *)"r", 1};
    uint8_t buf[128];
    uint8_t expected[128];
    const char *const hex = "95 01" RECORD "03 91" PROOF "c40172";
    struct spean_view out;
    const size_t len = from_spaced_hex(expected, sizeof(expected), hex);
    assert_int_equal(
        spean_erasure_encode_part(&record, 3, &proof, 1, &reason, buf, sizeof(buf), &out),
        SPEAN_OK);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, expected, out.len);

    struct spean_erasure e;
    struct spean_id back;
    assert_int_equal(spean_erasure_decode(out, &e), SPEAN_OK);
    assert_true(e.of_part);
    assert_true(spean_record_id_equal(&e.record, &record));
    assert_int_equal(e.part, 3);
    assert_int_equal(e.proofs_count, 1);
    spean_erasure_proof(&e, 0, &back);
    assert_true(spean_id_equal(&back, &proof));
    assert_true(e.has_reason);
    assert_int_equal(e.reason.len, 1);
}

static void the_erasure_of_entries_is_as_the_protocol_spells_it(void **state)
{
    (void)state;
    const struct spean_erasure_place places[] = {{{{0xbb}}, 300, {{0xaa}}},
                                                 {{{0xbb}}, 2, {{0xaa}}}};
    uint8_t buf[256];
    uint8_t expected[256];
    const char *const hex = "93 02 92 93" LOG "cd012c" PROOF "93" LOG "02" PROOF "c0";
    struct spean_view out;
    const size_t len = from_spaced_hex(expected, sizeof(expected), hex);
    assert_int_equal(spean_erasure_encode_places(places, 2, NULL, buf, sizeof(buf), &out),
                     SPEAN_OK);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, expected, out.len);

    struct spean_erasure e;
    struct spean_erasure_place place;
    assert_int_equal(spean_erasure_decode(out, &e), SPEAN_OK);
    assert_false(e.of_part);
    assert_false(e.has_reason);
    struct spean_view left = e.places;
    for (size_t i = 0; i < 2; i++) {
        assert_true(spean_erasure_place_next(&left, &place));
        assert_memory_equal(&place, &places[i], sizeof(place));
    }
    assert_false(spean_erasure_place_next(&left, &place));
}

static void malformed_erasures_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "95 01" RECORD "03 90 c0",            /* no proofs */
        "93 02 90 c0",                        /* no places */
        "95 00" RECORD "03 91" PROOF "c0",    /* form 0 */
        "95 03" RECORD "03 91" PROOF "c0",    /* form 3 */
        "93 01 91 93" LOG "02" PROOF "c0",    /* form 1 with the elements of 2 */
        "95 02" RECORD "03 91" PROOF "c0",    /* and the other way round */
        "94 01" RECORD "03 91" PROOF,         /* no reason element */
        "93 02 91 93" LOG "00" PROOF "c0",    /* seq 0 */
        "93 02 91 92" LOG "02 c0",            /* no entry */
        "95 01" RECORD "03 91" PROOF "a172",  /* reason as text */
        "95 01" RECORD "03 91" RECORD "c0",   /* a proof of 16 bytes */
        "95 01" RECORD "03 91" PROOF "c0 c0", /* trailing */
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct spean_erasure e;
        const spean_err err = decode_hex(refused[i], &e);
        if (err != SPEAN_EFORMAT && err != SPEAN_ELIMIT) {
            fail_msg("erasure %zu: %d", i, err);
        }
    }
}

static void an_erasure_truncated_at_any_byte_is_refused(void **state)
{
    (void)state;
    const char *const hex = "93 02 91 93" LOG "cd012c" PROOF "c40172";
    uint8_t buf[128];
    const size_t whole = from_spaced_hex(buf, sizeof(buf), hex);
    struct spean_erasure e;
    for (size_t len = 0; len < whole; len++) {
        assert_int_not_equal(spean_erasure_decode((struct spean_view){buf, len}, &e), SPEAN_OK);
    }
    assert_int_equal(spean_erasure_decode((struct spean_view){buf, whole}, &e), SPEAN_OK);
}

static const struct spean_id orgs[] = {{{1}}, {{2}}, {{3}}};

static void a_part_is_erased_for_everybody_by_its_owner_alone(void **state)
{
    (void)state;
    for (int steward = 0; steward < 2; steward++) {
        assert_int_equal(spean_erasure_may(true, &orgs[0], steward, &orgs[0]), SPEAN_ERASURE_ALL);
        assert_int_equal(spean_erasure_may(true, &orgs[1], steward, &orgs[0]), SPEAN_ERASURE_OWN);
    }
}

static void public_entries_are_erased_by_their_org_or_a_steward(void **state)
{
    (void)state;
    assert_int_equal(spean_erasure_may(false, &orgs[0], false, &orgs[0]), SPEAN_ERASURE_ALL);
    assert_int_equal(spean_erasure_may(false, &orgs[1], true, &orgs[0]), SPEAN_ERASURE_ALL);
    assert_int_equal(spean_erasure_may(false, &orgs[1], false, &orgs[0]), SPEAN_ERASURE_NOBODY);
}

static void an_erasure_by_another_party_binds_its_own_nodes_alone(void **state)
{
    (void)state;
    assert_true(spean_erasure_binds(SPEAN_ERASURE_OWN, &orgs[1], &orgs[1]));
    assert_false(spean_erasure_binds(SPEAN_ERASURE_OWN, &orgs[1], &orgs[0]));
    assert_true(spean_erasure_binds(SPEAN_ERASURE_ALL, &orgs[0], &orgs[2]));
    assert_false(spean_erasure_binds(SPEAN_ERASURE_NOBODY, &orgs[1], &orgs[1]));
}

static void counts_and_reasons_above_their_limits_are_refused(void **state)
{
    (void)state;
    static struct spean_id proofs[SPEAN_PART_GENERATIONS_MAX + 1];
    static struct spean_erasure_place places[SPEAN_ERASURE_PLACES_MAX + 1];
    static uint8_t buf[2 * BUF_BYTES];
    static const uint8_t words[SPEAN_ERASURE_REASON_BYTES_MAX + 1] = {0};
    const struct spean_view longer = {words, sizeof(words)};
    struct spean_view out;
    assert_int_equal(spean_erasure_encode_part(&record, 1, proofs, SPEAN_PART_GENERATIONS_MAX + 1,
                                               NULL, buf, sizeof(buf), &out),
                     SPEAN_ELIMIT);
    assert_int_equal(spean_erasure_encode_places(places, SPEAN_ERASURE_PLACES_MAX + 1, NULL, buf,
                                                 sizeof(buf), &out),
                     SPEAN_ELIMIT);
    assert_int_equal(
        spean_erasure_encode_part(&record, 1, proofs, 1, &longer, buf, sizeof(buf), &out),
        SPEAN_ELIMIT);
    assert_int_equal(spean_erasure_encode_part(&record, 1, proofs, SPEAN_PART_GENERATIONS_MAX, NULL,
                                               buf, sizeof(buf), &out),
                     SPEAN_OK);
    struct spean_erasure e;
    assert_int_equal(spean_erasure_decode(out, &e), SPEAN_OK);
    assert_int_equal(e.proofs_count, SPEAN_PART_GENERATIONS_MAX);
    buf[22]++; /* The low byte of the count. */
    assert_int_equal(spean_erasure_decode(out, &e), SPEAN_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_erasure_of_a_part_is_as_the_protocol_spells_it),
        cmocka_unit_test(the_erasure_of_entries_is_as_the_protocol_spells_it),
        cmocka_unit_test(malformed_erasures_are_refused),
        cmocka_unit_test(an_erasure_truncated_at_any_byte_is_refused),
        cmocka_unit_test(a_part_is_erased_for_everybody_by_its_owner_alone),
        cmocka_unit_test(public_entries_are_erased_by_their_org_or_a_steward),
        cmocka_unit_test(an_erasure_by_another_party_binds_its_own_nodes_alone),
        cmocka_unit_test(counts_and_reasons_above_their_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
