#include "protocol/heads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BUF_BYTES 65536u

static void rows_read_back_as_they_were_written(void **state)
{
    (void)state;
    uint8_t buf[BUF_BYTES];
    const struct spean_heads_row rows[] = {{5, 1, {1}}, {6, UINT64_MAX, {2}}};
    struct spean_heads_row back[SPEAN_HEADS_ROWS_MAX];
    struct spean_view out = {0};
    uint32_t count = 0;
    assert_int_equal(spean_heads_encode(rows, 2, buf, sizeof(buf), &out), SPEAN_OK);
    assert_int_equal(spean_heads_decode(out, back, &count), SPEAN_OK);
    assert_int_equal(count, 2);
    assert_memory_equal(back, rows, sizeof(rows));
}

static void rows_out_of_order_or_twice_are_refused(void **state)
{
    (void)state;
    uint8_t buf[BUF_BYTES];
    const struct spean_heads_row descending[] = {{6, 1, {1}}, {5, 1, {2}}};
    const struct spean_heads_row twice[] = {{6, 1, {1}}, {6, 2, {2}}};
    struct spean_heads_row back[SPEAN_HEADS_ROWS_MAX];
    struct spean_view out = {0};
    uint32_t count = 7;
    assert_int_equal(spean_heads_encode(descending, 2, buf, sizeof(buf), &out), SPEAN_OK);
    assert_int_equal(spean_heads_decode(out, back, &count), SPEAN_EFORMAT);
    assert_int_equal(spean_heads_encode(twice, 2, buf, sizeof(buf), &out), SPEAN_OK);
    assert_int_equal(spean_heads_decode(out, back, &count), SPEAN_EFORMAT);
    assert_int_equal(count, 7);
}

static void a_row_of_seq_0_is_refused(void **state)
{
    (void)state;
    uint8_t buf[BUF_BYTES];
    const struct spean_heads_row rows[] = {{5, 0, {1}}};
    struct spean_heads_row back[SPEAN_HEADS_ROWS_MAX];
    struct spean_view out = {0};
    uint32_t count = 0;
    assert_int_equal(spean_heads_encode(rows, 1, buf, sizeof(buf), &out), SPEAN_OK);
    assert_int_equal(spean_heads_decode(out, back, &count), SPEAN_EFORMAT);
}

static void heads_truncated_at_any_byte_are_refused(void **state)
{
    (void)state;
    uint8_t buf[BUF_BYTES];
    const struct spean_heads_row rows[] = {{5, 1, {1}}, {6, 300, {2}}};
    struct spean_heads_row back[SPEAN_HEADS_ROWS_MAX];
    struct spean_view out = {0};
    uint32_t count = 0;
    assert_int_equal(spean_heads_encode(rows, 2, buf, sizeof(buf), &out), SPEAN_OK);
    for (size_t len = 0; len < out.len; len++) {
        assert_int_not_equal(spean_heads_decode((struct spean_view){buf, len}, back, &count),
                             SPEAN_OK);
    }
}

static void the_largest_heads_entry_fits_a_body_and_one_row_more_is_refused(void **state)
{
    (void)state;
    static struct spean_heads_row rows[SPEAN_HEADS_ROWS_MAX];
    static struct spean_heads_row back[SPEAN_HEADS_ROWS_MAX];
    uint8_t buf[BUF_BYTES];
    struct spean_view out = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < SPEAN_HEADS_ROWS_MAX; i++) {
        rows[i] = (struct spean_heads_row){i, UINT64_MAX, {0}};
    }
    assert_int_equal(spean_heads_encode(rows, SPEAN_HEADS_ROWS_MAX, buf, sizeof(buf), &out),
                     SPEAN_OK);
    assert_true(out.len + 16 <= SPEAN_BODY_BYTES_MAX);
    assert_int_equal(spean_heads_decode(out, back, &count), SPEAN_OK);
    assert_int_equal(buf[0], 0xdc);
    buf[2]++; /* The count in the array's head. */
    assert_int_equal(spean_heads_decode(out, back, &count), SPEAN_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_read_back_as_they_were_written),
        cmocka_unit_test(rows_out_of_order_or_twice_are_refused),
        cmocka_unit_test(a_row_of_seq_0_is_refused),
        cmocka_unit_test(heads_truncated_at_any_byte_are_refused),
        cmocka_unit_test(the_largest_heads_entry_fits_a_body_and_one_row_more_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
