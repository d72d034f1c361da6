#include "protocol/text.h"

#include <assert.h>
#include <string.h>

#define LOW_BITS    UINT64_C(0x0101010101010101)
#define HIGH_BITS   UINT64_C(0x8080808080808080)
#define NOT_A_DIGIT 255u

static const char hex_digits[] = "0123456789abcdef";
static const char base32_digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* True when the eight bytes at p are all in 1..127. */
static bool eight_are_plain(const uint8_t *p)
{
    uint64_t word = 0;
    memcpy(&word, p, sizeof(word));
    return (((word - LOW_BITS) | word) & HIGH_BITS) == 0;
}

/* Length of the well-formed sequence at p (Unicode 15, table 3-7), 0 if there is none. */
static size_t sequence_len(const uint8_t *p, size_t left)
{
    const uint8_t lead = p[0];
    if (lead < 0x80) {
        return lead == 0 ? 0 : 1;
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    const size_t len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (len > left) {
        return 0;
    }

    /* The second byte is where overlong forms, surrogates and too high code points show. */
    const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0u) != 0x80) {
            return 0;
        }
    }
    return len;
}

bool spean_text_valid(struct spean_view text)
{
    size_t at = 0;
    while (at < text.len) {
        if (text.len - at >= sizeof(uint64_t) && eight_are_plain(text.data + at)) {
            at += sizeof(uint64_t);
            continue;
        }
        const size_t len = sequence_len(text.data + at, text.len - at);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

/* Value of the hex digit c, NOT_A_DIGIT if it is none. */
static uint8_t digit_of(uint8_t c)
{
    for (size_t i = 0; i < sizeof(hex_digits) - 1; i++) {
        if ((uint8_t)hex_digits[i] == c) {
            return (uint8_t)i;
        }
    }
    return NOT_A_DIGIT;
}

static bool all_digits(struct spean_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (digit_of(text.data[i]) == NOT_A_DIGIT) {
            return false;
        }
    }
    return true;
}

void spean_text_hex_encode(char *out, size_t out_cap, struct spean_view data)
{
    assert(out != NULL);
    assert(out_cap / 2 >= data.len);
    assert(out_cap > SPEAN_TEXT_HEX_LEN(data.len));

    for (size_t i = 0; i < data.len; i++) {
        out[2 * i] = hex_digits[data.data[i] >> 4];
        out[2 * i + 1] = hex_digits[data.data[i] & 0x0fu];
    }
    out[SPEAN_TEXT_HEX_LEN(data.len)] = '\0';
}

spean_err spean_text_hex_decode(uint8_t *out, size_t len, struct spean_view text)
{
    assert(out != NULL);

    if (text.len / 2 != len || text.len % 2 != 0 || !all_digits(text)) {
        return SPEAN_EINPUT;
    }
    for (size_t i = 0; i < len; i++) {
        const uint8_t high = digit_of(text.data[2 * i]);
        const uint8_t low = digit_of(text.data[2 * i + 1]);
        out[i] = (uint8_t)(high << 4 | low);
    }
    return SPEAN_OK;
}

void spean_text_base32_encode(char *out, size_t out_cap, struct spean_view data)
{
    assert(out != NULL);
    assert(data.len <= SIZE_MAX / 16);
    assert(out_cap > SPEAN_TEXT_BASE32_LEN(data.len));

    uint32_t bits = 0;
    unsigned bits_count = 0;
    size_t written = 0;
    for (size_t i = 0; i < data.len; i++) {
        bits = (bits << 8 | data.data[i]) & 0xffffu; /* At most 4 bits are left over. */
        bits_count += 8;
        while (bits_count >= 5) {
            bits_count -= 5;
            out[written++] = base32_digits[bits >> bits_count & 0x1fu];
        }
    }
    if (bits_count > 0) {
        out[written++] = base32_digits[bits << (5 - bits_count) & 0x1fu];
    }
    out[written] = '\0';
}
