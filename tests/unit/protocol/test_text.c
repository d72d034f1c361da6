#include "protocol/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A C string with its bytes counted, NULs included. */
#define BYTES(literal) ((struct spean_view){(const uint8_t *)(literal), sizeof(literal) - 1})

/* Encode code point by the definition, whatever it is; 4 bytes of room. */
static size_t utf8_encode(uint8_t *out, uint32_t code)
{
    const size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1;) {
        out[i] = (uint8_t)(0x80u | (code & 0x3fu));
        code >>= 6;
    }
    out[0] = (uint8_t)(leads[len] | code);
    return len;
}

static void every_code_point_but_nul_and_surrogates_is_text(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110100; code++) {
        uint8_t bytes[4];
        const struct spean_view text = {bytes, utf8_encode(bytes, code)};
        const bool allowed = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
        assert_true(spean_text_valid(text) == allowed);
    }
}

static void malformed_sequences_are_refused_at_every_offset(void **state)
{
    (void)state;
    const struct spean_view bad[] = {
        BYTES("\x00"),
        BYTES("\x80"),
        BYTES("\xbf"),
        BYTES("\xc0\x80"),
        BYTES("\xc1\xbf"),
        BYTES("\xc2"),
        BYTES("\xc2\x41"),
        BYTES("\xc2\xc2"),
        BYTES("\xe0\x80\x80"),
        BYTES("\xe0\x9f\xbf"),
        BYTES("\xe1\x80"),
        BYTES("\xe1\x80\x41"),
        BYTES("\xed\xa0\x80"),
        BYTES("\xed\xbf\xbf"),
        BYTES("\xf0\x80\x80\x80"),
        BYTES("\xf0\x8f\xbf\xbf"),
        BYTES("\xf0\x90\x80"),
        BYTES("\xf0\x90\x80\x41"),
        BYTES("\xf4\x90\x80\x80"),
        BYTES("\xf5\x80\x80\x80"),
        BYTES("\xff"),
        BYTES("\xfe"),
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        for (size_t offset = 0; offset < 20; offset++) {
            uint8_t bytes[40];
            memset(bytes, 'x', sizeof(bytes));
            memcpy(bytes + offset, bad[i].data, bad[i].len);
            assert_false(spean_text_valid((struct spean_view){bytes, offset + bad[i].len}));
            assert_false(spean_text_valid((struct spean_view){bytes, sizeof(bytes)}));
        }
    }
}

static void text_cut_within_a_character_is_refused(void **state)
{
    (void)state;
    const struct spean_view khmer = BYTES("\xe1\x9e\x9f\xe1\x9f\x92\xe1\x9e\x96");
    for (size_t len = 0; len <= khmer.len; len++) {
        assert_true(spean_text_valid((struct spean_view){khmer.data, len}) == (len % 3 == 0));
    }
    assert_true(spean_text_valid((struct spean_view){NULL, 0}));
}

static void hex_is_lower_case_both_ways(void **state)
{
    (void)state;
    char text[9];
    uint8_t bytes[4];
    spean_text_hex_encode(text, sizeof(text), BYTES("\x00\x1f\xa0\xff"));
    assert_string_equal(text, "001fa0ff");
    assert_int_equal(spean_text_hex_decode(bytes, 4, BYTES("001fa0ff")), SPEAN_OK);
    assert_memory_equal(bytes, "\x00\x1f\xa0\xff", 4);
    spean_text_hex_encode(text, sizeof(text), (struct spean_view){NULL, 0});
    assert_string_equal(text, "");
}

static void hex_of_another_length_case_or_character_is_refused(void **state)
{
    (void)state;
    const struct spean_view bad[] = {
        BYTES(""),         BYTES("001fa0f"),  BYTES("001fa0fff"), BYTES("001fa0ff00"),
        BYTES("001FA0FF"), BYTES("001fa0fg"), BYTES(" 01fa0ff"),  BYTES("001fa0f\0"),
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint8_t bytes[4] = {1, 2, 3, 4};
        assert_int_equal(spean_text_hex_decode(bytes, 4, bad[i]), SPEAN_EINPUT);
        assert_memory_equal(bytes, "\x01\x02\x03\x04", 4);
    }
}

/* The vectors of RFC 4648, section 10, put into Crockford's alphabet digit by digit. */
static void base32_is_that_of_rfc_4648_in_crockfords_alphabet(void **state)
{
    (void)state;
    static const char *const vectors[] = {"",        "CR",       "CSQG",      "CSQPY",
                                          "CSQPYRG", "CSQPYRK1", "CSQPYRK1E8"};
    for (size_t len = 0; len < COUNT(vectors); len++) {
        char text[16];
        const struct spean_view data = {(const uint8_t *)"foobar", len};
        spean_text_base32_encode(text, sizeof(text), data);
        assert_string_equal(text, vectors[len]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_but_nul_and_surrogates_is_text),
        cmocka_unit_test(malformed_sequences_are_refused_at_every_offset),
        cmocka_unit_test(text_cut_within_a_character_is_refused),
        cmocka_unit_test(hex_is_lower_case_both_ways),
        cmocka_unit_test(hex_of_another_length_case_or_character_is_refused),
        cmocka_unit_test(base32_is_that_of_rfc_4648_in_crockfords_alphabet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
