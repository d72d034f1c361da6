#include "protocol/caseid.h"

#include <assert.h>
#include <string.h>

#include "protocol/text.h"

#define COUNTRY_LEN   2u
#define BARE_LEN      10u /* Country, year, month and number without hyphens. */
#define CHECK_MOD     31u /* A prime above 26, so that every weight below it is told apart. */
#define CHECK_WEIGHT  2u  /* Of the first character; the check character itself weighs 1. */
#define TYPED_LEN_MAX SPEAN_REFERRAL_CODE_LEN_MAX
#define YEAR_BASE     2000u

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/*
 * The check character of BARE_LEN characters: the weighted sum of letters (A is 0) and digits, and
 * of the check character by its place in the alphabet, is 0 modulo 31. Letters stand only where
 * letters stand, so each wrong character changes the sum, and so does each swap of two.
 */
static char check_char(const char *bare)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < BARE_LEN; i++) {
        const int value = i < COUNTRY_LEN ? bare[i] - 'A' : bare[i] - '0';
        sum += (CHECK_WEIGHT + i) * (unsigned)value;
    }
    return alphabet[(CHECK_MOD - sum % CHECK_MOD) % CHECK_MOD];
}

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void put_digits(char *out, size_t len, unsigned value)
{
    for (size_t i = len; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
}

static unsigned get_digits(const char *text, size_t len)
{
    unsigned value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return value;
}

static bool is_in_range(const struct spean_caseid *id)
{
    return is_letter(id->country[0]) && is_letter(id->country[1]) &&
           id->year >= SPEAN_CASEID_YEAR_MIN && id->year <= SPEAN_CASEID_YEAR_MAX &&
           id->month >= 1 && id->month <= 12 && id->number >= 1 &&
           id->number <= SPEAN_CASEID_NUMBER_MAX;
}

spean_err spean_caseid_make(char out[SPEAN_CASEID_LEN + 1], const struct spean_caseid *id)
{
    assert(out != NULL);
    assert(id != NULL);

    if (!is_in_range(id)) {
        return SPEAN_EINPUT;
    }
    char bare[BARE_LEN];
    memcpy(bare, id->country, COUNTRY_LEN);
    put_digits(bare + 2, 2, id->year - YEAR_BASE);
    put_digits(bare + 4, 2, id->month);
    put_digits(bare + 6, 4, id->number);

    memcpy(out, "KH-2611-0317-B", SPEAN_CASEID_LEN + 1); /* The hyphens. */
    memcpy(out, bare, 2);
    memcpy(out + 3, bare + 2, 4);
    memcpy(out + 8, bare + 6, 4);
    out[13] = check_char(bare);
    return SPEAN_OK;
}

/* Read three bytes at p as a digit, letter or hyphen of another keyboard; 0 for anything else. */
static char narrow(const uint8_t *p)
{
    if (p[0] == 0xe1 && p[1] == 0x9f && p[2] >= 0xa0 && p[2] <= 0xa9) {
        return (char)('0' + (p[2] - 0xa0)); /* U+17E0: Khmer digits. */
    }
    if (p[0] != 0xef || (p[1] != 0xbc && p[1] != 0xbd)) {
        return 0;
    }
    /* U+FF01 to U+FF5E are ASCII from 0x21 on, in the same order. */
    const unsigned point = (p[1] == 0xbc ? 0x00u : 0x40u) + (p[2] - 0x80u);
    const bool fits = p[2] >= 0x80 && p[2] <= 0xbf && point >= 0x01 && point <= 0x5e;
    if (!fits) {
        return 0;
    }
    return (char)(0x20 + point);
}

static char upper(char c)
{
    if (c < 'a' || c > 'z') {
        return c;
    }
    return (char)(c - 'a' + 'A');
}

/*
 * Bring what was typed into upper-case letters and digits without anything between them. Returns
 * their number, 0 if something else was typed or it is longer than any code.
 */
static size_t gather(char out[TYPED_LEN_MAX], struct spean_view typed)
{
    size_t len = 0;
    size_t at = 0;
    if (typed.len > SPEAN_CASEID_TYPED_BYTES_MAX) {
        return 0;
    }
    while (at < typed.len) {
        const bool wide = typed.data[at] >= 0x80;
        if (wide && typed.len - at < 3) {
            return 0;
        }
        char c = (char)typed.data[at];
        if (wide) {
            c = narrow(typed.data + at);
        }
        c = upper(c);
        at += wide ? 3 : 1;
        if (c == '-' || c == ' ') {
            continue;
        }
        if ((!is_letter(c) && !is_digit(c)) || len == TYPED_LEN_MAX) {
            return 0;
        }
        out[len++] = c;
    }
    return len;
}

/* What a look-alike was meant to be where no I, L or O can stand. */
static char unlike(char c)
{
    if (c == 'O') {
        return '0';
    }
    if (c == 'I' || c == 'L') {
        return '1';
    }
    return c;
}

spean_err spean_caseid_parse(struct spean_caseid *out, struct spean_view typed)
{
    assert(out != NULL);

    char text[TYPED_LEN_MAX];
    if (gather(text, typed) != BARE_LEN + 1) {
        return SPEAN_EINPUT;
    }
    for (size_t i = 0; i < BARE_LEN + 1; i++) {
        const bool in_country = i < COUNTRY_LEN;
        if (!in_country) {
            text[i] = unlike(text[i]);
        }
        const bool fits = in_country ? is_letter(text[i]) : is_digit(text[i]) || i == BARE_LEN;
        if (!fits) {
            return SPEAN_EINPUT;
        }
    }

    const struct spean_caseid id = {
        .country = {text[0], text[1], '\0'},
        .year = (uint16_t)(YEAR_BASE + get_digits(text + 2, 2)),
        .month = (uint8_t)get_digits(text + 4, 2),
        .number = (uint16_t)get_digits(text + 6, 4),
    };
    if (!is_in_range(&id) || text[BARE_LEN] != check_char(text)) {
        return SPEAN_EINPUT;
    }
    *out = id;
    return SPEAN_OK;
}

/* The whole record id in the alphabet, and a NUL. */
static void spell(char out[SPEAN_REFERRAL_CODE_CHARS_MAX + 1], const struct spean_record_id *record)
{
    const struct spean_view bytes = {record->bytes, sizeof(record->bytes)};
    spean_text_base32_encode(out, SPEAN_REFERRAL_CODE_CHARS_MAX + 1, bytes);
}

void spean_caseid_referral_make(char out[SPEAN_REFERRAL_CODE_LEN_MAX + 1],
                                const struct spean_record_id *record, size_t chars_count)
{
    assert(out != NULL);
    assert(record != NULL);
    assert(chars_count >= SPEAN_REFERRAL_CODE_CHARS_MIN);
    assert(chars_count <= SPEAN_REFERRAL_CODE_CHARS_MAX);

    out[0] = 'R';
    out[1] = '-';
    spell(out + 2, record);
    out[2 + chars_count] = '\0';
}

size_t spean_caseid_referral_common(const struct spean_record_id *a,
                                    const struct spean_record_id *b)
{
    assert(a != NULL);
    assert(b != NULL);

    char left[SPEAN_REFERRAL_CODE_CHARS_MAX + 1];
    char right[SPEAN_REFERRAL_CODE_CHARS_MAX + 1];
    spell(left, a);
    spell(right, b);
    size_t common = 0;
    while (common < SPEAN_REFERRAL_CODE_CHARS_MAX && left[common] == right[common]) {
        common++;
    }
    return common;
}

spean_err spean_caseid_referral_parse(char out[SPEAN_REFERRAL_CODE_LEN_MAX + 1],
                                      struct spean_view typed)
{
    assert(out != NULL);

    char text[TYPED_LEN_MAX];
    const size_t len = gather(text, typed);
    if (len < 1 + SPEAN_REFERRAL_CODE_CHARS_MIN || len > 1 + SPEAN_REFERRAL_CODE_CHARS_MAX ||
        text[0] != 'R') {
        return SPEAN_EINPUT;
    }
    for (size_t i = 1; i < len; i++) {
        text[i] = unlike(text[i]);
        if (strchr(alphabet, text[i]) == NULL) {
            return SPEAN_EINPUT;
        }
    }
    out[0] = 'R';
    out[1] = '-';
    memcpy(out + 2, text + 1, len - 1);
    out[1 + len] = '\0';
    return SPEAN_OK;
}

bool spean_caseid_referral_matches(const char *code, const struct spean_record_id *record)
{
    assert(code != NULL);
    assert(record != NULL);

    const size_t len = strnlen(code, SPEAN_REFERRAL_CODE_LEN_MAX + 1);
    assert(len >= 2 + SPEAN_REFERRAL_CODE_CHARS_MIN);
    assert(len <= SPEAN_REFERRAL_CODE_LEN_MAX);
    char chars[SPEAN_REFERRAL_CODE_CHARS_MAX + 1];
    spell(chars, record);
    return memcmp(code + 2, chars, len - 2) == 0;
}
