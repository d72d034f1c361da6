#include "protocol/writer.h"

#include <assert.h>
#include <msgpack.h>
#include <string.h>

#include "protocol/text.h"

/* msgpack_packer_write: 0 when all was taken. */
static int append(void *data, const char *bytes, size_t len)
{
    struct spean_writer *w = data;
    if (w->err != SPEAN_OK) {
        return -1;
    }
    if (len > w->cap - w->len) {
        w->err = SPEAN_ELIMIT;
        return -1;
    }
    if (len > 0) {
        memcpy(w->buf + w->len, bytes, len);
        w->len += len;
    }
    return 0;
}

/* The packer only carries w to append(), which keeps the error, so its results tell nothing. */
static msgpack_packer packer_of(struct spean_writer *w)
{
    assert(w != NULL);

    const msgpack_packer packer = {w, append};
    return packer;
}

void spean_writer_init(struct spean_writer *w, uint8_t *buf, size_t cap)
{
    assert(w != NULL);
    assert(buf != NULL || cap == 0);

    w->buf = buf;
    w->cap = cap;
    w->len = 0;
    w->err = SPEAN_OK;
}

void spean_writer_nil(struct spean_writer *w)
{
    msgpack_packer packer = packer_of(w);
    (void)msgpack_pack_nil(&packer);
}

void spean_writer_bool(struct spean_writer *w, bool value)
{
    msgpack_packer packer = packer_of(w);
    (void)(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

void spean_writer_uint(struct spean_writer *w, uint64_t value)
{
    msgpack_packer packer = packer_of(w);
    (void)msgpack_pack_uint64(&packer, value);
}

void spean_writer_int(struct spean_writer *w, int64_t value)
{
    msgpack_packer packer = packer_of(w);
    (void)msgpack_pack_int64(&packer, value);
}

/* Refuse content that cannot fit before its head is written; msgpack cuts lengths to 32 bits. */
static bool content_fits(struct spean_writer *w, size_t len)
{
    if (w->err == SPEAN_OK && (len > w->cap - w->len || len > UINT32_MAX)) {
        w->err = SPEAN_ELIMIT;
    }
    return w->err == SPEAN_OK;
}

void spean_writer_bin(struct spean_writer *w, const void *data, size_t len)
{
    assert(data != NULL || len == 0);

    msgpack_packer packer = packer_of(w);
    if (content_fits(w, len)) {
        (void)msgpack_pack_bin(&packer, len);
        (void)append(w, data, len);
    }
}

void spean_writer_str(struct spean_writer *w, const void *text, size_t len)
{
    assert(text != NULL || len == 0);

    msgpack_packer packer = packer_of(w);
    if (!content_fits(w, len)) {
        return;
    }
    const struct spean_view view = {text, len};
    if (!spean_text_valid(view)) {
        w->err = SPEAN_EFORMAT;
        return;
    }
    (void)msgpack_pack_str(&packer, len);
    (void)append(w, text, len);
}

void spean_writer_array(struct spean_writer *w, uint32_t count)
{
    msgpack_packer packer = packer_of(w);
    (void)msgpack_pack_array(&packer, count);
}

void spean_writer_map(struct spean_writer *w, uint32_t pairs_count)
{
    msgpack_packer packer = packer_of(w);
    (void)msgpack_pack_map(&packer, pairs_count);
}

void spean_writer_raw(struct spean_writer *w, struct spean_view bytes)
{
    assert(w != NULL);
    assert(bytes.data != NULL || bytes.len == 0);

    (void)append(w, (const char *)bytes.data, bytes.len);
}

spean_err spean_writer_end(const struct spean_writer *w, struct spean_view *out)
{
    assert(w != NULL);
    assert(out != NULL);

    if (w->err != SPEAN_OK) {
        return w->err;
    }
    out->data = w->buf;
    out->len = w->len;
    return SPEAN_OK;
}
