/* protocol/text.h - what counts as text here, and bytes written as text: hex, base 32, check
 * characters. */
#ifndef SPEAN_PROTOCOL_TEXT_H
#define SPEAN_PROTOCOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_TEXT_HEX_LEN(bytes)    ((bytes) * (size_t)2)
#define SPEAN_TEXT_BASE32_LEN(bytes) (((bytes) * (size_t)8 + 4) / 5)

/*
 * Say whether text is UTF-8 without overlong forms, surrogates, code points above U+10FFFF and
 * the byte 0. Empty text is valid. Normalisation is no concern here.
 */
bool spean_text_valid(struct spean_view text);

/* Write data in lower-case hex, SPEAN_TEXT_HEX_LEN(data.len) characters and a NUL, into out. */
void spean_text_hex_encode(char *out, size_t out_cap, struct spean_view data);

/*
 * Read exactly len bytes from 2 * len hex digits; lower case only, so that each value has one
 * spelling. SPEAN_EINPUT: another length or another character; out is unchanged.
 */
SPEAN_CHECK spean_err spean_text_hex_decode(uint8_t *out, size_t len, struct spean_view text);

/*
 * Write data in Crockford's base 32 (digits and upper-case letters without I, L, O and U), most
 * significant bit first, the last character filled up with zero bits:
 * SPEAN_TEXT_BASE32_LEN(data.len) characters and a NUL. For what people read aloud; an invitation
 * has the alphabet of RFC 4648.
 */
void spean_text_base32_encode(char *out, size_t out_cap, struct spean_view data);

#endif
