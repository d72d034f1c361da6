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

#endif
