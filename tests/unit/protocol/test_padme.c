#include "protocol/padme.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint8_t buf[SPEAN_PADME_BYTES_MAX + 1];

/* Worked out by hand from the paper: E = floor(log2 L), S = floor(log2 E) + 1, E - S low bits 0. */
static void padded_lengths_are_those_of_the_paper(void **state)
{
    (void)state;
    const struct {
        size_t content;
        size_t padded;
    } cases[] = {
        {0, 256},
        {1, 256},
        {255, 256},
        {256, 272},
        {271, 272},
        {272, 288},
        {511, 512},
        {512, 544},
        {999, 1024},
        {1024, 1088},
        {9, 256},
        {32767, 32768},
        {32768, 34816},
        {59391, 59392},
        {59392, 61440},
        {61439, 61440},
        {61440, 0 /* none */},
        {SIZE_MAX, 0 /* none */},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(spean_padme_len(cases[i].content), cases[i].padded);
    }
}

static void padding_costs_at_most_a_sixteenth_and_never_shrinks(void **state)
{
    (void)state;
    size_t before = 0;
    for (size_t len = 0; len < SPEAN_PADME_BYTES_MAX; len++) {
        const size_t padded = spean_padme_len(len);
        assert_true(padded > len);
        assert_true(padded >= before);
        assert_true(padded == SPEAN_PADME_BYTES_MIN || padded - len - 1 <= (len + 1) / 16);
        before = padded;
    }
}

static void what_was_padded_is_given_back(void **state)
{
    (void)state;
    const size_t lens[] = {0, 1, 254, 255, 256, 271, 1000, 4096, 61439};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct spean_view content = {NULL, 0};
        size_t padded_len = 0;
        memset(buf, 0x80, sizeof(buf));
        if (lens[i] > 0) {
            buf[lens[i] - 1] = 0; /* Content that itself looks like padding. */
        }
        assert_int_equal(spean_padme_pad(buf, sizeof(buf), lens[i], &padded_len), SPEAN_OK);
        assert_int_equal(padded_len, spean_padme_len(lens[i]));
        assert_int_equal(spean_padme_unpad((struct spean_view){buf, padded_len}, &content),
                         SPEAN_OK);
        assert_ptr_equal(content.data, buf);
        assert_int_equal(content.len, lens[i]);
    }
}

static void every_other_amount_of_padding_is_refused(void **state)
{
    (void)state;
    size_t padded_len = 0;
    memset(buf, 0, sizeof(buf));
    memset(buf, 'x', 300);
    assert_int_equal(spean_padme_pad(buf, sizeof(buf), 300, &padded_len), SPEAN_OK);
    for (size_t len = 0; len < 2 * padded_len; len++) {
        struct spean_view content = {NULL, 7};
        const spean_err err = spean_padme_unpad((struct spean_view){buf, len}, &content);
        assert_int_equal(err, len == padded_len ? SPEAN_OK : SPEAN_EFORMAT);
        assert_int_equal(content.len, len == padded_len ? 300 : 7);
    }
}

static void padding_bytes_other_than_the_mark_and_zeros_are_refused(void **state)
{
    (void)state;
    size_t padded_len = 0;
    struct spean_view content = {NULL, 0};
    memset(buf, 'x', 256);
    assert_int_equal(spean_padme_pad(buf, sizeof(buf), 100, &padded_len), SPEAN_OK);
    for (size_t at = 100; at < padded_len; at++) {
        const uint8_t before = buf[at];
        buf[at] = 0x01;
        /* Zeros then end in a byte that is no mark. */
        assert_int_equal(spean_padme_unpad((struct spean_view){buf, padded_len}, &content),
                         SPEAN_EFORMAT);
        buf[at] = before;
    }
    memset(buf, 0, padded_len);
    assert_int_equal(spean_padme_unpad((struct spean_view){buf, padded_len}, &content),
                     SPEAN_EFORMAT);
    assert_int_equal(spean_padme_unpad((struct spean_view){NULL, 0}, &content), SPEAN_EFORMAT);
}

static void what_is_above_the_maximum_is_a_limit(void **state)
{
    (void)state;
    size_t padded_len = 7;
    struct spean_view content = {NULL, 0};
    memset(buf, 0, sizeof(buf));
    assert_int_equal(spean_padme_pad(buf, sizeof(buf), SPEAN_PADME_BYTES_MAX, &padded_len),
                     SPEAN_ELIMIT);
    assert_int_equal(spean_padme_pad(buf, 255, 10, &padded_len), SPEAN_ELIMIT);
    assert_int_equal(padded_len, 7);
    assert_int_equal(spean_padme_unpad((struct spean_view){buf, sizeof(buf)}, &content),
                     SPEAN_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padded_lengths_are_those_of_the_paper),
        cmocka_unit_test(padding_costs_at_most_a_sixteenth_and_never_shrinks),
        cmocka_unit_test(what_was_padded_is_given_back),
        cmocka_unit_test(every_other_amount_of_padding_is_refused),
        cmocka_unit_test(padding_bytes_other_than_the_mark_and_zeros_are_refused),
        cmocka_unit_test(what_is_above_the_maximum_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
