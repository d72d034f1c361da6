#include "protocol/padme.h"

#include <assert.h>
#include <string.h>

#define PAD_FIRST 0x80u

/* Floor of the binary logarithm of value, which is not 0. */
static unsigned log2_floor(size_t value)
{
    unsigned bits = 0;
    while (value > 1) {
        value >>= 1;
        bits++;
    }
    return bits;
}

size_t spean_padme_len(size_t content_len)
{
    if (content_len >= SPEAN_PADME_BYTES_MAX) {
        return 0;
    }
    const size_t with_mark = content_len + 1;
    const size_t len = with_mark > SPEAN_PADME_BYTES_MIN ? with_mark : SPEAN_PADME_BYTES_MIN;

    const unsigned exponent = log2_floor(len);
    const unsigned kept_bits = log2_floor(exponent) + 1;
    const size_t low_bits = ((size_t)1 << (exponent - kept_bits)) - 1;
    const size_t padded_len = (len + low_bits) & ~low_bits;
    return padded_len <= SPEAN_PADME_BYTES_MAX ? padded_len : 0;
}

spean_err spean_padme_pad(uint8_t *buf, size_t cap, size_t content_len, size_t *padded_len)
{
    assert(buf != NULL);
    assert(padded_len != NULL);
    assert(content_len <= cap);

    const size_t len = spean_padme_len(content_len);
    if (len == 0 || len > cap) {
        return SPEAN_ELIMIT;
    }
    buf[content_len] = PAD_FIRST;
    memset(buf + content_len + 1, 0, len - content_len - 1);
    *padded_len = len;
    return SPEAN_OK;
}

spean_err spean_padme_unpad(struct spean_view padded, struct spean_view *content)
{
    assert(content != NULL);

    if (padded.len > SPEAN_PADME_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    size_t marked_len = padded.len;
    while (marked_len > 0 && padded.data[marked_len - 1] == 0) {
        marked_len--;
    }
    if (marked_len == 0 || padded.data[marked_len - 1] != PAD_FIRST) {
        return SPEAN_EFORMAT;
    }
    if (spean_padme_len(marked_len - 1) != padded.len) {
        return SPEAN_EFORMAT;
    }
    content->data = padded.data;
    content->len = marked_len - 1;
    return SPEAN_OK;
}
