#include "tools/idtext.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "protocol/bytes.h"
#include "protocol/text.h"
#include "tools/digits.h"

#define BASE32             "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#define RECORD_DIGITS_MAX  26u /* 128 bits. */
#define CASE_COUNTRY_CHARS 2u
#define CASE_MONTH_DIGITS  4u
#define CASE_NUMBER_MIN    4u
#define CASE_NUMBER_MAX    8u

static size_t digits_len(const char *text)
{
    return strspn(text, "0123456789");
}

/* Read "KH-2611-0317-7", already in upper case. */
static bool has_case_form(const char *text)
{
    if (!isupper((unsigned char)text[0]) || !isupper((unsigned char)text[1]) || text[2] != '-') {
        return false;
    }
    const char *const month = text + CASE_COUNTRY_CHARS + 1;
    if (digits_len(month) != CASE_MONTH_DIGITS || month[CASE_MONTH_DIGITS] != '-') {
        return false;
    }
    const char *const number = month + CASE_MONTH_DIGITS + 1;
    const size_t number_len = digits_len(number);
    if (number_len < CASE_NUMBER_MIN || number_len > CASE_NUMBER_MAX) {
        return false;
    }
    const char *const check = number + number_len;
    return check[0] == '-' && isalnum((unsigned char)check[1]) && check[2] == '\0';
}

static bool check_fits(const char *text)
{
    uint8_t bare[SPEAN_IDTEXT_BYTES_MAX];
    size_t len = 0;
    for (; *text != '\0'; text++) {
        if (*text != '-') {
            bare[len++] = (uint8_t)*text;
        }
    }
    return spean_text_check_valid((struct spean_view){.data = bare, .len = len});
}

/* Read "R-58Q2", in upper case, and take look-alikes for what they look like. */
static bool record_read(char *text)
{
    if (!isupper((unsigned char)text[0]) || text[1] != '-') {
        return false;
    }
    size_t len = 0;
    for (char *at = text + 2; *at != '\0'; at++, len++) {
        *at = *at == 'O' ? '0' : *at == 'I' || *at == 'L' ? '1' : *at;
        if (strchr(BASE32, *at) == NULL) {
            return false;
        }
    }
    return len > 0 && len <= RECORD_DIGITS_MAX;
}

static bool hex_read(char *text)
{
    size_t len = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '-') {
            continue;
        }
        if (!isxdigit((unsigned char)*at)) {
            return false;
        }
        text[len++] = (char)tolower((unsigned char)*at);
    }
    text[len] = '\0';
    return len >= SPEAN_IDTEXT_HEX_DIGITS_MIN && len <= SPEAN_IDTEXT_HEX_DIGITS_MAX;
}

spean_err spean_idtext_parse(const char *typed, struct spean_idtext *out)
{
    assert(typed != NULL);
    assert(out != NULL);
    struct spean_idtext id;
    if (spean_digits_fold(typed, id.text, sizeof(id.text)) != SPEAN_OK) {
        return SPEAN_EINPUT;
    }
    for (char *at = id.text; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }

    if (has_case_form(id.text)) {
        id.kind = SPEAN_IDTEXT_CASE;
        if (!check_fits(id.text)) {
            return SPEAN_ESIGNATURE;
        }
    } else if (id.text[1] == '-') {
        id.kind = SPEAN_IDTEXT_RECORD;
        if (!record_read(id.text)) {
            return SPEAN_EINPUT;
        }
    } else {
        id.kind = SPEAN_IDTEXT_HEX;
        if (!hex_read(id.text)) {
            return SPEAN_EINPUT;
        }
    }
    *out = id;
    return SPEAN_OK;
}

void spean_idtext_short(const char *hex, char out[SPEAN_IDTEXT_SHORT_BYTES])
{
    assert(hex != NULL);
    if (strspn(hex, "0123456789abcdef") < 8) {
        (void)snprintf(out, SPEAN_IDTEXT_SHORT_BYTES, "?"); /* Always fits. */
        return;
    }
    (void)snprintf(out, SPEAN_IDTEXT_SHORT_BYTES, "%.4s-%.4s", hex, hex + 4); /* Likewise. */
}
