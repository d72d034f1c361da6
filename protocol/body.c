#include "protocol/body.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "protocol/padme.h"
#include "protocol/partkey.h"

#define AD_BYTES (SPEAN_ID_BYTES + 8u + SPEAN_TAG_BYTES)

spean_err spean_body_wrap(uint8_t *out, size_t cap, const uint8_t salt[SPEAN_BODY_SALT_BYTES],
                          struct spean_view content, struct spean_view *body)
{
    assert(out != NULL);
    assert(salt != NULL);
    assert(body != NULL);

    if (content.len > SPEAN_BODY_PUBLIC_CONTENT_BYTES_MAX || cap < SPEAN_BODY_SALT_BYTES ||
        content.len > cap - SPEAN_BODY_SALT_BYTES) {
        return SPEAN_ELIMIT;
    }
    memcpy(out, salt, SPEAN_BODY_SALT_BYTES);
    if (content.len > 0) {
        memcpy(out + SPEAN_BODY_SALT_BYTES, content.data, content.len);
    }
    *body = (struct spean_view){out, SPEAN_BODY_SALT_BYTES + content.len};
    return SPEAN_OK;
}

spean_err spean_body_unwrap(struct spean_view body, struct spean_view *content)
{
    assert(content != NULL);

    if (body.len > SPEAN_BODY_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    if (body.len < SPEAN_BODY_SALT_BYTES) {
        return SPEAN_EFORMAT;
    }
    *content =
        (struct spean_view){body.data + SPEAN_BODY_SALT_BYTES, body.len - SPEAN_BODY_SALT_BYTES};
    return SPEAN_OK;
}

size_t spean_body_sealed_len(size_t content_len)
{
    const size_t padded_len = spean_padme_len(content_len);
    const bool fits = padded_len > 0 && padded_len <= SPEAN_BODY_BYTES_MAX - SPEAN_BODY_SEAL_BYTES;
    return fits ? padded_len + SPEAN_BODY_SEAL_BYTES : 0;
}

/* What a sealed body is bound to: so it opens in no other place. */
static struct spean_view place_of(uint8_t buf[AD_BYTES], const struct spean_id *log, uint64_t seq,
                                  const struct spean_tag *tag)
{
    memcpy(buf, log->bytes, sizeof(log->bytes));
    spean_u64_put(buf + sizeof(log->bytes), seq);
    memcpy(buf + AD_BYTES - sizeof(tag->bytes), tag->bytes, sizeof(tag->bytes));
    return (struct spean_view){buf, AD_BYTES};
}

spean_err spean_body_seal(uint8_t *out, size_t cap, const uint8_t key[SPEAN_KEY_BYTES],
                          const uint8_t nonce[SPEAN_AEAD_NONCE_BYTES], const struct spean_id *log,
                          uint64_t seq, const struct spean_tag *tag, struct spean_view content,
                          struct spean_view *body)
{
    assert(out != NULL);
    assert(nonce != NULL);
    assert(log != NULL);
    assert(tag != NULL);
    assert(body != NULL);

    const size_t len = spean_body_sealed_len(content.len);
    if (len == 0 || len > cap) {
        return SPEAN_ELIMIT;
    }
    memcpy(out, nonce, SPEAN_AEAD_NONCE_BYTES);
    uint8_t *const padded = out + SPEAN_AEAD_NONCE_BYTES;
    if (content.len > 0) {
        memcpy(padded, content.data, content.len);
    }
    size_t padded_len = 0;
    spean_err err = spean_padme_pad(padded, len - SPEAN_AEAD_NONCE_BYTES, content.len, &padded_len);
    assert(err == SPEAN_OK); /* Its length was computed from the same content. */

    uint8_t ad[AD_BYTES];
    err = spean_aead_seal(padded, len - SPEAN_AEAD_NONCE_BYTES, key, nonce,
                          place_of(ad, log, seq, tag), (struct spean_view){padded, padded_len});
    assert(err == SPEAN_OK);
    *body = (struct spean_view){out, len};
    return SPEAN_OK;
}

spean_err spean_body_open(uint8_t *out, size_t cap, const uint8_t key[SPEAN_KEY_BYTES],
                          const struct spean_keyed_part *part, const struct spean_id *log,
                          uint64_t seq, const struct spean_tag *tag, struct spean_view body,
                          struct spean_view *content)
{
    assert(out != NULL);
    assert(part != NULL);
    assert(log != NULL);
    assert(tag != NULL);
    assert(content != NULL);

    if (body.len > SPEAN_BODY_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    if (body.len < SPEAN_BODY_SEAL_BYTES) {
        return SPEAN_EFORMAT;
    }
    /* The cipher does not commit to its key, so the tag must (P6.3). */
    if (!spean_partkey_bears(key, part, log, tag)) {
        return SPEAN_ESIGNATURE;
    }
    uint8_t ad[AD_BYTES];
    const struct spean_view sealed = {body.data + SPEAN_AEAD_NONCE_BYTES,
                                      body.len - SPEAN_AEAD_NONCE_BYTES};
    const spean_err err =
        spean_aead_open(out, cap, key, body.data, place_of(ad, log, seq, tag), sealed);
    if (err != SPEAN_OK) {
        return err;
    }
    return spean_padme_unpad((struct spean_view){out, body.len - SPEAN_BODY_SEAL_BYTES}, content);
}
