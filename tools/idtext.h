/* tools/idtext.h - ids and codes as people write them. The daemon resolves prefixes and codes. */
#ifndef SPEAN_TOOLS_IDTEXT_H
#define SPEAN_TOOLS_IDTEXT_H

#include "protocol/err.h"

#define SPEAN_IDTEXT_BYTES_MAX      72u /* 64 hex digits, and then some. */
#define SPEAN_IDTEXT_HEX_DIGITS_MIN 4u  /* A shorter prefix of an id says too little. */
#define SPEAN_IDTEXT_HEX_DIGITS_MAX 64u
#define SPEAN_IDTEXT_SHORT_BYTES    10u /* "7f3a-91c4" with its NUL. */

enum spean_idtext_kind {
    SPEAN_IDTEXT_HEX,    /* Beginning of an id: lower-case hex without dashes. */
    SPEAN_IDTEXT_RECORD, /* "R-58Q2": a letter, a dash, 1 to 26 characters of Crockford's base 32.
                          */
    SPEAN_IDTEXT_CASE,   /* "KH-2611-0317-7": country, year and month, number, check character. */
};

struct spean_idtext {
    enum spean_idtext_kind kind;
    char text[SPEAN_IDTEXT_BYTES_MAX]; /* The one spelling that goes to the daemon. */
};

/*
 * Read what a person typed: upper or lower case, Khmer or full-width digits, any dashes and spaces,
 * and in codes O for 0 and I or L for 1. A case code without dashes is read as an id where it could
 * be one.
 * SPEAN_EINPUT: it has none of the three forms. SPEAN_ESIGNATURE: the check character of a case
 * code does not fit; one character is mistyped, ask again. *out is unchanged after an error.
 */
SPEAN_CHECK spean_err spean_idtext_parse(const char *typed, struct spean_idtext *out);

/*
 * Write the short form that people see, the first eight digits in two groups, of an id in hex.
 * What is not at least eight hex digits (data from elsewhere) becomes "?".
 */
void spean_idtext_short(const char *hex, char out[SPEAN_IDTEXT_SHORT_BYTES]);

#endif
