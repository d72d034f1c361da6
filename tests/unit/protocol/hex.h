/* tests/unit/protocol/hex.h - published vectors as they are printed. */
#ifndef SPEAN_TESTS_UNIT_PROTOCOL_HEX_H
#define SPEAN_TESTS_UNIT_PROTOCOL_HEX_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/bytes.h"
#include "protocol/text.h"

/* Fill out with the len bytes that hex spells. */
static inline void from_hex(uint8_t *out, size_t len, const char *hex)
{
    const struct spean_view text = {(const uint8_t *)hex, strlen(hex)};
    const spean_err err = spean_text_hex_decode(out, len, text);
    assert(err == SPEAN_OK);
}

/* Fill out with what hex spells, spaces left out, and return how many bytes that is. */
static inline size_t from_spaced_hex(uint8_t *out, size_t cap, const char *hex)
{
    char digits[2048];
    size_t count = 0;
    for (const char *at = hex; *at != '\0'; at++) {
        if (*at != ' ') {
            assert(count + 1 < sizeof(digits));
            digits[count] = *at;
            count++;
        }
    }
    digits[count] = '\0';
    assert(count / 2 <= cap);
    from_hex(out, count / 2, digits);
    return count / 2;
}

#endif
