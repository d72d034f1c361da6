#include "protocol/invite.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "protocol/hash.h"

#define EXPIRES_LEN 4u
#define CHECK_LEN   3u
#define FIXED_LEN   (SPEAN_HANDLE_BYTES + SPEAN_KEY_BYTES + SPEAN_INVITE_SECRET_BYTES + EXPIRES_LEN)
#define RAW_LEN_MAX (FIXED_LEN + SPEAN_ID_BYTES + SPEAN_INVITE_ENDPOINT_BYTES_MAX + CHECK_LEN)
#define TEXT_LEN(n) (((n)*8 + 4) / 5)
#define CHAR_BITS   5u
#define NOT_A_DIGIT 32u

/* What an invitation begins with: a name and the number of its form. */
struct prefix {
    const char *name;
    size_t len;
    bool node;
};

static const struct prefix prefixes[] = {
    {"SPEAN", 5, false},
    {"SPEANNODE", 9, true},
};

#define PREFIXES_COUNT (sizeof(prefixes) / sizeof(prefixes[0]))
#define FORM           "1:"
#define FORM_LEN       2u
#define PREFIX_LEN_MAX (9u + FORM_LEN)

/* RFC 4648; not the alphabet of protocol/text.h, which is made for reading aloud. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static_assert(PREFIX_LEN_MAX + TEXT_LEN(RAW_LEN_MAX) <= SPEAN_INVITE_TEXT_LEN_MAX,
              "the longest invitation is within P12.5");

/* The bytes before the endpoint. */
static size_t fixed_len(bool node)
{
    return FIXED_LEN + (node ? SPEAN_ID_BYTES : 0);
}

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
    const struct prefix *const prefix = &prefixes[invite->node ? 1 : 0];
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
    if (invite->node) {
        memcpy(at, invite->org.bytes, sizeof(invite->org.bytes));
        at += sizeof(invite->org.bytes);
    }
    memcpy(at, invite->endpoint, endpoint_len);
    const size_t len = fixed_len(invite->node) + endpoint_len;
    check_make(raw + len, raw, len);

    memcpy(out, prefix->name, prefix->len);
    memcpy(out + prefix->len, FORM, FORM_LEN);
    base32_encode(out + prefix->len + FORM_LEN, raw, len + CHECK_LEN);
    sodium_memzero(raw, sizeof(raw));
    return SPEAN_OK;
}

/* Find what text begins with. SPEAN_EVERSION: the name of one, and a later number. */
static spean_err prefix_find(struct spean_view text, const struct prefix **out)
{
    for (size_t i = 0; i < PREFIXES_COUNT; i++) {
        const struct prefix *const prefix = &prefixes[i];
        if (text.len < prefix->len + FORM_LEN ||
            memcmp(text.data, prefix->name, prefix->len) != 0) {
            continue;
        }
        const uint8_t *const form = text.data + prefix->len;
        if (memcmp(form, FORM, FORM_LEN) == 0) {
            *out = prefix;
            return SPEAN_OK;
        }
        if (form[0] >= '2' && form[0] <= '9' && form[1] == ':') {
            return SPEAN_EVERSION;
        }
    }
    return SPEAN_EINPUT;
}

static void fields_take(struct spean_invite *invite, const uint8_t *raw, size_t raw_len, bool node)
{
    const uint8_t *const end = raw + raw_len;
    memset(invite, 0, sizeof(*invite));
    invite->node = node;
    memcpy(invite->handle.bytes, raw, sizeof(invite->handle.bytes));
    raw += sizeof(invite->handle.bytes);
    memcpy(invite->transport.bytes, raw, sizeof(invite->transport.bytes));
    raw += sizeof(invite->transport.bytes);
    memcpy(invite->secret, raw, sizeof(invite->secret));
    raw += sizeof(invite->secret);
    for (unsigned i = 0; i < EXPIRES_LEN; i++) {
        invite->expires = invite->expires << 8 | *raw++;
    }
    if (node) {
        memcpy(invite->org.bytes, raw, sizeof(invite->org.bytes));
        raw += sizeof(invite->org.bytes);
    }
    memcpy(invite->endpoint, raw, (size_t)(end - raw));
}

spean_err spean_invite_decode(struct spean_invite *invite, struct spean_view text)
{
    assert(invite != NULL);

    const struct prefix *prefix = NULL;
    const spean_err err = prefix_find(text, &prefix);
    if (err != SPEAN_OK) {
        return err;
    }
    uint8_t raw[RAW_LEN_MAX];
    size_t raw_len = 0;
    const size_t skip = prefix->len + FORM_LEN;
    const size_t fixed = fixed_len(prefix->node);
    const struct spean_view coded = {text.data + skip, text.len - skip};
    bool ok = base32_decode(raw, &raw_len, coded) && raw_len >= fixed + CHECK_LEN &&
              check_fits(raw, raw_len);
    ok = ok && endpoint_valid(raw + fixed, raw_len - fixed - CHECK_LEN);
    if (ok) {
        fields_take(invite, raw, raw_len - CHECK_LEN, prefix->node);
    }
    sodium_memzero(raw, sizeof(raw));
    return ok ? SPEAN_OK : SPEAN_EINPUT;
}
