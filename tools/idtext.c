#include "tools/idtext.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "protocol/bytes.h"
#include "protocol/caseid.h"
#include "tools/digits.h"

#define BASE32             "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#define RECORD_DIGITS_MAX  26u /* 128 bits. */
#define CASE_COUNTRY_CHARS 2u
#define CASE_DIGITS        4u

static struct spean_view view_of(const char *text)
{
    return (struct spean_view){.data = (const uint8_t *)text, .len = strlen(text)};
}

/* Say whether text, in upper case, looks like "KH-2611-0317-B", whatever its check character. */
static bool has_case_form(const char *text)
{
    if (strlen(text) != SPEAN_CASEID_LEN) {
        return false;
    }
    const char *const month = text + CASE_COUNTRY_CHARS + 1;
    const char *const number = month + CASE_DIGITS + 1;
    return isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]) && month[-1] == '-' &&
           strspn(month, "0123456789") == CASE_DIGITS && number[-1] == '-' &&
           strspn(number, "0123456789") == CASE_DIGITS && number[CASE_DIGITS] == '-';
}

static spean_err case_read(char *text)
{
    struct spean_caseid id;
    char code[SPEAN_CASEID_LEN + 1];
    const spean_err err = spean_caseid_parse(&id, view_of(text));
    if (err != SPEAN_OK) {
        return has_case_form(text) ? SPEAN_ESIGNATURE : SPEAN_EINPUT;
    }
    const spean_err made = spean_caseid_make(code, &id);
    if (made == SPEAN_OK) {
        memcpy(text, code, sizeof(code));
    }
    return made;
}

/* Read "M-13", in upper case, and take look-alikes for what they look like. */
static spean_err record_read(char *text)
{
    char referral[SPEAN_REFERRAL_CODE_LEN_MAX + 1];
    if (text[0] == 'R') {
        const spean_err err = spean_caseid_referral_parse(referral, view_of(text));
        if (err == SPEAN_OK) {
            memcpy(text, referral, sizeof(referral));
        }
        return err;
    }
    size_t len = 0;
    for (char *at = text + 2; *at != '\0'; at++, len++) {
        if (*at == 'O') {
            *at = '0';
        }
        if (*at == 'I' || *at == 'L') {
            *at = '1';
        }
        if (strchr(BASE32, *at) == NULL) {
            return SPEAN_EINPUT;
        }
    }
    const bool good = isupper((unsigned char)text[0]) && len > 0 && len <= RECORD_DIGITS_MAX;
    return good ? SPEAN_OK : SPEAN_EINPUT;
}

static bool is_hex(const char *text)
{
    return strspn(text, "0123456789ABCDEF-") == strlen(text);
}

/* Take the dashes and the capitals out of hex digits. */
static spean_err hex_read(char *text)
{
    size_t len = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '-') {
            text[len++] = (char)tolower((unsigned char)*at);
        }
    }
    text[len] = '\0';
    const bool good = len >= SPEAN_IDTEXT_HEX_DIGITS_MIN && len <= SPEAN_IDTEXT_HEX_DIGITS_MAX;
    return good ? SPEAN_OK : SPEAN_EINPUT;
}

spean_err spean_idtext_parse(const char *typed, struct spean_idtext *out)
{
    assert(typed != NULL);
    assert(out != NULL);
    struct spean_idtext id = {.text = ""};
    if (spean_digits_fold(typed, id.text, sizeof(id.text)) != SPEAN_OK) {
        return SPEAN_EINPUT;
    }
    for (char *at = id.text; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }

    spean_err err;
    if (id.text[1] == '-') {
        id.kind = SPEAN_IDTEXT_RECORD;
        err = record_read(id.text);
    } else if (id.text[2] != '-' && is_hex(id.text)) {
        id.kind = SPEAN_IDTEXT_HEX;
        err = hex_read(id.text);
    } else {
        id.kind = SPEAN_IDTEXT_CASE;
        err = case_read(id.text);
    }
    if (err == SPEAN_OK) {
        *out = id;
    }
    return err;
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
