#include "protocol/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/hash.h"
#include "protocol/schema.h"
#include "tests/unit/protocol/hex.h"

/* Pieces of changes: up to and without create; the name of an item; a row; the log of a row. */
#define HEAD "98 02 c41011000000000000000000000000000000 01 01 a16b"
#define ITEM "93c40800000000000000050300"
#define NAME "c4080000000000000009"
#define ROW  "93" NAME "04 c408aabbccddeeff0011"
#define RND  "c41022000000000000000000000000000000"

static uint8_t bytes[SPEAN_CHANGE_BYTES_MAX + 1];

static spean_err decode_hex(const char *hex, struct spean_change *out)
{
    const size_t len = from_spaced_hex(bytes, sizeof(bytes), hex);
    return spean_change_decode((struct spean_view){bytes, len}, out);
}

#define WHOLE HEAD "92" RND "81 01 07 93 94 10 01 00 a178 94 11 02 01 05 94 12 03 00" ITEM "91" ROW

static void a_change_is_read_as_the_protocol_spells_it(void **state)
{
    (void)state;
    struct spean_change c;
    assert_int_equal(decode_hex(WHOLE, &c), SPEAN_OK);
    assert_int_equal(c.type, 2);
    assert_int_equal(c.record.bytes[0], 0x11);
    assert_int_equal(c.part, 1);
    assert_int_equal(c.schema_version, 1);
    assert_int_equal(c.actor.len, 1);
    assert_int_equal(c.actor.data[0], 'k');
    assert_true(c.creates);
    assert_int_equal(c.random[0], 0x22);
    assert_int_equal(c.operations_count, 3);
    assert_int_equal(c.rows_count, 1);

    static const uint64_t kinds[] = {SPEAN_KIND_VALUE, SPEAN_KIND_SET, SPEAN_KIND_LIST};
    static const uint64_t verbs[] = {SPEAN_VERB_WRITE, SPEAN_VERB_ADD, SPEAN_VERB_STRIKE};
    static const size_t value_lens[] = {2, 1, 13};
    struct spean_view left = c.operations;
    struct spean_operation op;
    for (size_t i = 0; i < 3; i++) {
        assert_true(spean_operation_next(&left, &op));
        assert_int_equal(op.field, 16 + i);
        assert_int_equal(op.kind, kinds[i]);
        assert_int_equal(op.verb, verbs[i]);
        assert_int_equal(op.value.len, value_lens[i]);
        assert_int_equal(op.encoded.len, value_lens[i] + 4);
    }
    assert_false(spean_operation_next(&left, &op));

    struct spean_context_row row;
    left = c.rows;
    assert_true(spean_context_row_next(&left, &row));
    assert_int_equal(row.log, 9);
    assert_int_equal(row.seq, 4);
    assert_true(row.entry == UINT64_C(0xaabbccddeeff0011));
    assert_false(spean_context_row_next(&left, &row));
}

static void encoding_gives_back_the_bytes_that_were_read(void **state)
{
    (void)state;
    struct spean_change c;
    struct spean_operation ops[3];
    struct spean_context_row row;
    uint8_t buf[256];
    struct spean_view out;
    assert_int_equal(decode_hex(WHOLE, &c), SPEAN_OK);
    struct spean_view left = c.operations;
    for (size_t i = 0; i < 3; i++) {
        assert_true(spean_operation_next(&left, &ops[i]));
    }
    left = c.rows;
    assert_true(spean_context_row_next(&left, &row));
    assert_int_equal(spean_change_encode(&c, ops, 3, &row, 1, buf, sizeof(buf), &out), SPEAN_OK);
    const size_t whole = out.len;
    assert_int_equal(whole, from_spaced_hex(bytes, sizeof(bytes), WHOLE));
    assert_memory_equal(out.data, bytes, whole);
    for (size_t cap = 0; cap < whole; cap++) {
        assert_int_equal(spean_change_encode(&c, ops, 3, &row, 1, buf, cap, &out), SPEAN_ELIMIT);
    }
}

static void a_change_truncated_at_any_byte_or_with_one_more_is_refused(void **state)
{
    (void)state;
    struct spean_change c;
    assert_int_equal(decode_hex(WHOLE, &c), SPEAN_OK);
    const size_t whole = from_spaced_hex(bytes, sizeof(bytes), WHOLE);
    for (size_t len = 0; len < whole; len++) {
        assert_int_not_equal(spean_change_decode((struct spean_view){bytes, len}, &c), SPEAN_OK);
    }
    bytes[whole] = 0xc0;
    assert_int_equal(spean_change_decode((struct spean_view){bytes, whole + 1}, &c), SPEAN_EFORMAT);
}

static void malformed_changes_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        HEAD "c0 91 94 10 00 00 07 90",                             /* kind fixed */
        HEAD "c0 91 94 10 01 01 07 90",                             /* a value is written only */
        HEAD "c0 91 94 10 04 01 07 90",                             /* so is a strictest */
        HEAD "c0 91 94 10 05 01 07 90",                             /* and a one-way */
        HEAD "c0 91 94 10 02 02 07 90",                             /* a set has two verbs */
        HEAD "c0 91 94 10 03 02 07 90",                             /* a list has two verbs */
        HEAD "c0 91 94 10 03 00 07 90",                             /* a strike of nothing */
        HEAD "c0 91 94 10 03 00 93c40800000000000000050000 90",     /* seq 0 */
        HEAD "c0 91 94 10 03 00 93c408000000000000000503cd0100 90", /* index 256 */
        HEAD "c0 91 93 10 01 00 90",                                /* no value */
        HEAD "c0 91 94 10 01 00 cc07 90",               /* a value that is not canonical */
        HEAD "c0 91 94 10 01 00 cb3ff0000000000000 90", /* a float */
        HEAD "c0 92 94 10 01 00 07 94 10 01 00 08 90",  /* value twice */
        HEAD "c0 92 94 10 04 00 07 94 10 04 00 07 90",  /* strictest */
        HEAD "c0 92 94 10 05 00 07 94 10 05 00 07 90",  /* one-way */
        HEAD "c0 92 94 10 02 01 07 94 10 02 00 07 90",  /* element */
        HEAD "c0 90 92" ROW ROW,                        /* row twice */
        HEAD "c0 90 92" ROW "93c4080000000000000008 04 c408aabbccddeeff0011", /* descend */
        HEAD "c0 90 91 93" NAME "00 c408aabbccddeeff0011",                    /* row of seq 0 */
        HEAD "c0 90 91 92" NAME "04",                                         /* no entry */
        HEAD "91" RND "90 90",                                                /* no fixed */
        HEAD "92" RND "80 90",                                                /* no context */
        HEAD "92" RND "82 02 07 01 07 90 90",                                 /* descend */
        HEAD "92" RND "82 01 07 01 07 90 90",                                 /* field twice */
        HEAD "92" RND "81 a161 07 90 90",                                     /* a name */
        HEAD "92 c40122 80 90 90",                                            /* short random */
        /* An actor of 33 bytes. */
        "98 02 c41011000000000000000000000000000000 01 01 "
        "d921616161616161616161616161616161616161616161616161616161616161616161 c0 90 90",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct spean_change c;
        const spean_err err = decode_hex(refused[i], &c);
        if (err != SPEAN_EFORMAT && err != SPEAN_ELIMIT) {
            fail_msg("change %zu: %d", i, err);
        }
    }
}

static void changes_beside_the_malformed_ones_are_read(void **state)
{
    (void)state;
    static const char *const accepted[] = {
        HEAD "c0 90 90",                               /* nothing */
        HEAD "c0 91 94 10 01 00 c0 90",                /* cleared */
        HEAD "c0 92 94 10 01 00 07 94 11 01 00 07 90", /* other field */
        HEAD "c0 92 94 10 01 00 07 94 10 04 00 07 90", /* other kind */
        HEAD "c0 92 94 10 02 01 07 94 10 02 00 08 90", /* other element */
        HEAD "c0 92 94 10 03 01 07 94 10 03 01 07 90", /* two items */
        HEAD "c0 92 94 10 06 4d 07 94 10 06 4d 07 90", /* unknown kind */
        HEAD "92" RND "80 90 90",                      /* nothing fixed */
    };
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        struct spean_change c;
        assert_int_equal(decode_hex(accepted[i], &c), SPEAN_OK);
    }
}

static spean_err check_hex(const char *hex)
{
    const size_t len = from_spaced_hex(bytes, sizeof(bytes), hex);
    return spean_value_check((struct spean_view){bytes, len});
}

static void a_value_nests_five_deep_and_no_deeper(void **state)
{
    (void)state;
    struct spean_change c;
    assert_int_equal(check_hex("9191919190"), SPEAN_OK);
    assert_int_equal(check_hex("919191919190"), SPEAN_ELIMIT);
    assert_int_equal(check_hex("8101810181018101810107"), SPEAN_OK);
    assert_int_equal(check_hex("81018101810181018101810107"), SPEAN_ELIMIT);
    assert_int_equal(check_hex("929191919007"), SPEAN_OK); /* Up again after the deepest. */
    assert_int_equal(check_hex("92919191919007919191919190"), SPEAN_EFORMAT);
    assert_int_equal(decode_hex(HEAD "c0 91 94 10 01 00 9191919190 90", &c), SPEAN_OK);
    assert_int_equal(decode_hex(HEAD "c0 91 94 10 01 00 919191919190 90", &c), SPEAN_ELIMIT);
    assert_int_equal(decode_hex(HEAD "92" RND "81 01 919191919190 90 90", &c), SPEAN_ELIMIT);
}

static void a_container_has_256_elements_and_no_more(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof(bytes));
    bytes[0] = 0xdc;
    bytes[1] = 1;
    assert_int_equal(spean_value_check((struct spean_view){bytes, 3 + 256}), SPEAN_OK);
    bytes[2] = 1;
    assert_int_equal(spean_value_check((struct spean_view){bytes, 3 + 257}), SPEAN_ELIMIT);
}

static void a_value_has_32_kib_and_no_more(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof(bytes));
    bytes[0] = 0xc5;
    bytes[1] = 0x7f;
    bytes[2] = 0xfd;
    assert_int_equal(spean_value_check((struct spean_view){bytes, 32768}), SPEAN_OK);
    bytes[2] = 0xfe;
    assert_int_equal(spean_value_check((struct spean_view){bytes, 32769}), SPEAN_ELIMIT);
}

/* Encode count appends and rows_count rows. */
static spean_err encode_many(uint32_t count, uint32_t rows_count, struct spean_view *out)
{
    static const uint8_t seven = 7;
    static struct spean_operation ops[SPEAN_CHANGE_OPERATIONS_MAX + 1];
    static struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX + 1];
    static const struct spean_change change = {.type = 2};
    for (uint32_t i = 0; i < count; i++) {
        ops[i] = (struct spean_operation){
            .field = 16, .kind = SPEAN_KIND_LIST, .verb = SPEAN_VERB_APPEND, .value = {&seven, 1}};
    }
    for (uint32_t i = 0; i < rows_count; i++) {
        rows[i] = (struct spean_context_row){i, UINT64_MAX, 0};
    }
    return spean_change_encode(&change, ops, count, rows, rows_count, bytes, sizeof(bytes), out);
}

static void the_most_operations_and_rows_fit_and_one_more_does_not(void **state)
{
    (void)state;
    struct spean_view out = {NULL, 0};
    assert_int_equal(encode_many(256, 256, &out), SPEAN_OK);
    assert_int_equal(encode_many(257, 256, &out), SPEAN_EINPUT);
    assert_int_equal(encode_many(256, 257, &out), SPEAN_EINPUT);
    struct spean_change c;
    assert_int_equal(
        spean_change_decode((struct spean_view){bytes, SPEAN_CHANGE_BYTES_MAX + 1}, &c),
        SPEAN_ELIMIT);
}

static void what_decoding_would_refuse_is_not_written(void **state)
{
    (void)state;
    const uint8_t not_canonical[] = {0xcc, 0x07};
    const struct spean_change change = {.type = 2};
    const struct spean_change creating = {.type = 2, .creates = true};
    const struct spean_operation bad = {
        .field = 16, .kind = SPEAN_KIND_VALUE, .value = {not_canonical, 2}};
    const struct spean_context_row descending[] = {{2, 1, 0}, {1, 1, 0}};
    const struct spean_change bad_actor = {.type = 2, .actor = {(const uint8_t *)"\xff", 1}};
    uint8_t buf[256];
    struct spean_view out = {NULL, 0};
    assert_int_equal(spean_change_encode(&change, &bad, 1, NULL, 0, buf, sizeof(buf), &out),
                     SPEAN_EINPUT);
    assert_int_equal(spean_change_encode(&change, NULL, 0, descending, 2, buf, sizeof(buf), &out),
                     SPEAN_EINPUT);
    assert_int_equal(spean_change_encode(&creating, NULL, 0, NULL, 0, buf, sizeof(buf), &out),
                     SPEAN_EINPUT);
    assert_int_equal(spean_change_encode(&bad_actor, NULL, 0, NULL, 0, buf, sizeof(buf), &out),
                     SPEAN_EINPUT);
    assert_null(out.data);
}

static void the_name_of_an_item_reads_back_and_its_order_is_log_seq_index(void **state)
{
    (void)state;
    const struct spean_dot dots[] = {
        {1, 9, 9}, {2, 1, 9}, {2, 2, 1}, {2, 2, 255}, {UINT64_MAX, UINT64_MAX, 255}};
    for (size_t i = 0; i < 5; i++) {
        uint8_t buf[SPEAN_DOT_BYTES_MAX];
        struct spean_dot back;
        assert_int_equal(spean_dot_decode(spean_dot_encode(&dots[i], buf), &back), SPEAN_OK);
        for (size_t k = 0; k < 5; k++) {
            const int order = spean_dot_compare(&back, &dots[k]);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
}

static void a_fixed_field_is_found_by_its_number(void **state)
{
    (void)state;
    const uint8_t fixed[] = {0x82, 0x02, 0x07, 0x0f, 0xa1, 'x'};
    const struct spean_view view = {fixed, sizeof(fixed)};
    struct spean_view value = {NULL, 0};
    assert_true(spean_fixed_get(view, 15, &value));
    assert_ptr_equal(value.data, fixed + 4);
    assert_int_equal(value.len, 2);
    assert_false(spean_fixed_get(view, 7, &value));
    assert_false(spean_fixed_get((struct spean_view){fixed, 5}, 15, &value));
    assert_int_equal(value.len, 2);
}

static void a_record_id_follows_from_ledger_author_and_random(void **state)
{
    (void)state;
    uint8_t message[80];
    struct spean_id ledger;
    struct spean_id author;
    struct spean_record_id expected;
    struct spean_record_id id;
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] = (uint8_t)i;
    }
    memcpy(ledger.bytes, message, 32);
    memcpy(author.bytes, message + 32, 32);
    spean_hash(expected.bytes, 16, "spean/record/1", message, sizeof(message));
    spean_record_id_derive(&id, &ledger, &author, message + 64);
    assert_true(spean_record_id_equal(&id, &expected));
    author.bytes[31] ^= 1;
    spean_record_id_derive(&id, &ledger, &author, message + 64);
    assert_false(spean_record_id_equal(&id, &expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_read_as_the_protocol_spells_it),
        cmocka_unit_test(encoding_gives_back_the_bytes_that_were_read),
        cmocka_unit_test(a_change_truncated_at_any_byte_or_with_one_more_is_refused),
        cmocka_unit_test(malformed_changes_are_refused),
        cmocka_unit_test(changes_beside_the_malformed_ones_are_read),
        cmocka_unit_test(a_value_nests_five_deep_and_no_deeper),
        cmocka_unit_test(a_container_has_256_elements_and_no_more),
        cmocka_unit_test(a_value_has_32_kib_and_no_more),
        cmocka_unit_test(the_most_operations_and_rows_fit_and_one_more_does_not),
        cmocka_unit_test(what_decoding_would_refuse_is_not_written),
        cmocka_unit_test(the_name_of_an_item_reads_back_and_its_order_is_log_seq_index),
        cmocka_unit_test(a_fixed_field_is_found_by_its_number),
        cmocka_unit_test(a_record_id_follows_from_ledger_author_and_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
