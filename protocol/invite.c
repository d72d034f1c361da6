#include "protocol/invite.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "protocol/hash.h"

#define PREFIX      "SPEAN1:"
#define PREFIX_LEN  (sizeof(PREFIX) - 1)
#define NAME_LEN    5u /* "SPEAN" */
#define EXPIRES_LEN 4u
#define CHECK_LEN   3u
#define FIXED_LEN   (SPEAN_HANDLE_BYTES + SPEAN_KEY_BYTES + SPEAN_INVITE_SECRET_BYTES + EXPIRES_LEN)
#define RAW_LEN_MAX (FIXED_LEN + SPEAN_INVITE_ENDPOINT_BYTES_MAX + CHECK_LEN)
#define RAW_LEN_MIN (FIXED_LEN + SPEAN_INVITE_ENDPOINT_BYTES_MIN + CHECK_LEN)
#define CHAR_BITS   5u
#define NOT_A_DIGIT 32u

/* RFC 4648; not the alphabet of protocol/text.h, which is made for reading aloud. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static_assert(PREFIX_LEN + (RAW_LEN_MAX * 8 + 4) / 5 <= SPEAN_INVITE_TEXT_LEN_MAX,
              "the longest invitation is within P12.1");

static bool endpoint_valid(const uint8_t *endpoint, size_t len)
{
    if (len < SPEAN_INVITE_ENDPOINT_BYTES_MIN || len > SPEAN_INVITE_ENDPOINT_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (endpoint[i] <= ' ' || endpoint[i] > '~') {
            return false;
        }
    }
    return true;
}

/* The first bytes of H8, which is the first half of H16 (P1.3). */
static void check_make(uint8_t out[CHECK_LEN], const uint8_t *raw, size_t len)
{
    uint8_t hash[SPEAN_HASH_BYTES_MIN];
    spean_hash(hash, sizeof(hash), SPEAN_DOMAIN_INVITATION, raw, len);
    memcpy(out, hash, CHECK_LEN);
}

/* Say whether the last bytes of raw are the checksum of those before. Nothing secret is compared.
 */
static bool check_fits(const uint8_t *raw, size_t len)
{
    uint8_t check[CHECK_LEN];
    check_make(check, raw, len - CHECK_LEN);
    return memcmp(check, raw + len - CHECK_LEN, CHECK_LEN) == 0;
}

static void base32_encode(char *out, const uint8_t *data, size_t len)
{
    uint32_t bits = 0;
    unsigned bits_count = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | data[i]) & 0xffffu; /* At most 4 bits are left over. */
        bits_count += 8;
        while (bits_count >= CHAR_BITS) {
            bits_count -= CHAR_BITS;
            *out++ = digits[bits >> bits_count & 0x1fu];
        }
    }
    if (bits_count > 0) {
        *out++ = digits[bits << (CHAR_BITS - bits_count) & 0x1fu];
    }
    *out = '\0';
}

static unsigned digit_of(uint8_t c)
{
    unsigned digit = 0;
    while (digit < NOT_A_DIGIT && (uint8_t)digits[digit] != c) {
        digit++;
    }
    return digit;
}

/* Decode into out, which has room for RAW_LEN_MAX; false for anything but the one spelling. */
static bool base32_decode(uint8_t *out, size_t *out_len, struct spean_view text)
{
    uint32_t bits = 0;
    unsigned bits_count = 0;
    size_t written = 0;
    for (size_t i = 0; i < text.len; i++) {
        const unsigned digit = digit_of(text.data[i]);
        if (digit == NOT_A_DIGIT) {
            return false;
        }
        bits = (bits << CHAR_BITS | digit) & 0xffffu;
        bits_count += CHAR_BITS;
        if (bits_count >= 8) {
            bits_count -= 8;
            if (written == RAW_LEN_MAX) {
                return false;
            }
            out[written++] = (uint8_t)(bits >> bits_count & 0xffu);
        }
    }
    *out_len = written;
    return bits_count < CHAR_BITS && (bits & ((1u << bits_count) - 1)) == 0;
}

spean_err spean_invite_encode(char out[SPEAN_INVITE_TEXT_LEN_MAX + 1],
                              const struct spean_invite *invite)
{
    assert(out != NULL);
    assert(invite != NULL);

    const size_t endpoint_len = strnlen(invite->endpoint, sizeof(invite->endpoint));
    if (!endpoint_valid((const uint8_t *)invite->endpoint, endpoint_len)) {
        return SPEAN_EINPUT;
    }
    uint8_t raw[RAW_LEN_MAX];
    uint8_t *at = raw;
    memcpy(at, invite->handle.bytes, sizeof(invite->handle.bytes));
    at += sizeof(invite->handle.bytes);
    memcpy(at, invite->transport.bytes, sizeof(invite->transport.bytes));
    at += sizeof(invite->transport.bytes);
    memcpy(at, invite->secret, sizeof(invite->secret));
    at += sizeof(invite->secret);
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        *at++ = (uint8_t)(invite->expires >> (shift - 8) & 0xffu);
    }
    memcpy(at, invite->endpoint, endpoint_len);
    check_make(at + endpoint_len, raw, FIXED_LEN + endpoint_len);

    memcpy(out, PREFIX, PREFIX_LEN);
    base32_encode(out + PREFIX_LEN, raw, FIXED_LEN + endpoint_len + CHECK_LEN);
    sodium_memzero(raw, sizeof(raw));
    return SPEAN_OK;
}

static spean_err prefix_check(struct spean_view text)
{
    if (text.len >= PREFIX_LEN && memcmp(text.data, PREFIX, PREFIX_LEN) == 0) {
        return SPEAN_OK;
    }
    const bool named = text.len >= PREFIX_LEN && memcmp(text.data, PREFIX, NAME_LEN) == 0;
    const bool numbered = named && text.data[NAME_LEN] >= '2' && text.data[NAME_LEN] <= '9';
    return numbered && text.data[NAME_LEN + 1] == ':' ? SPEAN_EVERSION : SPEAN_EINPUT;
}

static void fields_take(struct spean_invite *invite, const uint8_t *raw, size_t endpoint_len)
{
    memset(invite, 0, sizeof(*invite));
    memcpy(invite->handle.bytes, raw, sizeof(invite->handle.bytes));
    raw += sizeof(invite->handle.bytes);
    memcpy(invite->transport.bytes, raw, sizeof(invite->transport.bytes));
    raw += sizeof(invite->transport.bytes);
    memcpy(invite->secret, raw, sizeof(invite->secret));
    raw += sizeof(invite->secret);
    for (unsigned i = 0; i < EXPIRES_LEN; i++) {
        invite->expires = invite->expires << 8 | *raw++;
    }
    memcpy(invite->endpoint, raw, endpoint_len);
}

spean_err spean_invite_decode(struct spean_invite *invite, struct spean_view text)
{
    assert(invite != NULL);

    const spean_err err = prefix_check(text);
    if (err != SPEAN_OK) {
        return err;
    }
    uint8_t raw[RAW_LEN_MAX];
    size_t raw_len = 0;
    const struct spean_view coded = {text.data + PREFIX_LEN, text.len - PREFIX_LEN};
    bool ok =
        base32_decode(raw, &raw_len, coded) && raw_len >= RAW_LEN_MIN && check_fits(raw, raw_len);
    const size_t endpoint_len = ok ? raw_len - FIXED_LEN - CHECK_LEN : 0;
    ok = ok && endpoint_valid(raw + FIXED_LEN, endpoint_len);
    if (ok) {
        fields_take(invite, raw, endpoint_len);
    }
    sodium_memzero(raw, sizeof(raw));
    return ok ? SPEAN_OK : SPEAN_EINPUT;
}
