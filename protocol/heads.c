#include "protocol/heads.h"

#include <assert.h>

#include "protocol/reader.h"
#include "protocol/writer.h"

#define ROW_ELEMENTS 3u

spean_err spean_heads_decode(struct spean_view content, struct spean_heads_row *rows,
                             uint32_t *count)
{
    struct spean_reader r;
    spean_reader_init(&r, content);
    const uint32_t n = spean_reader_array(&r, 0, SPEAN_HEADS_ROWS_MAX);
    for (uint32_t i = 0; i < n && !spean_reader_failed(&r); i++) {
        uint8_t name[SPEAN_SHORT_BYTES];
        (void)spean_reader_array(&r, ROW_ELEMENTS, ROW_ELEMENTS);
        spean_reader_bin_fixed(&r, name, sizeof(name));
        rows[i].log = spean_u64_get(name);
        rows[i].seq = spean_reader_uint(&r, UINT64_MAX);
        spean_reader_bin_fixed(&r, rows[i].entry, sizeof(rows[i].entry));
        if (rows[i].seq == 0 || (i > 0 && rows[i].log <= rows[i - 1].log)) {
            spean_reader_fail(&r, SPEAN_EFORMAT);
        }
    }
    const spean_err err = spean_reader_end(&r);
    if (err == SPEAN_OK) {
        *count = n;
    }
    return err;
}

spean_err spean_heads_encode(const struct spean_heads_row *rows, uint32_t count, uint8_t *buf,
                             size_t cap, struct spean_view *out)
{
    assert(count <= SPEAN_HEADS_ROWS_MAX);
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t name[SPEAN_SHORT_BYTES];
        spean_u64_put(name, rows[i].log);
        spean_writer_array(&w, ROW_ELEMENTS);
        spean_writer_bin(&w, name, sizeof(name));
        spean_writer_uint(&w, rows[i].seq);
        spean_writer_bin(&w, rows[i].entry, sizeof(rows[i].entry));
    }
    return spean_writer_end(&w, out);
}
