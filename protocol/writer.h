/*
 * protocol/writer.h - canonical msgpack into the caller's buffer.
 *
 * What it writes is what spean_reader accepts: the shortest form of every integer and length, text
 * that is valid by spean_text_valid(). The caller writes as many values after an array or map head
 * as the head announces, and map keys in ascending order. The first error sticks: later writes
 * change nothing, and spean_writer_end() tells.
 */
#ifndef SPEAN_PROTOCOL_WRITER_H
#define SPEAN_PROTOCOL_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

/* The caller's memory. The fields are for reading only. */
struct spean_writer {
    uint8_t *buf;
    size_t cap;
    size_t len;    /* Bytes written so far. */
    spean_err err; /* The first error, or SPEAN_OK. */
};

/* Start writing at buf, which has room for cap bytes and must outlive the writer. */
void spean_writer_init(struct spean_writer *w, uint8_t *buf, size_t cap);

void spean_writer_nil(struct spean_writer *w);
void spean_writer_bool(struct spean_writer *w, bool value);
void spean_writer_uint(struct spean_writer *w, uint64_t value);
void spean_writer_int(struct spean_writer *w, int64_t value);
void spean_writer_bin(struct spean_writer *w, const void *data, size_t len);

/* Write len bytes of text, without a NUL at the end. Text that is not valid is SPEAN_EFORMAT. */
void spean_writer_str(struct spean_writer *w, const void *text, size_t len);

void spean_writer_array(struct spean_writer *w, uint32_t count);
void spean_writer_map(struct spean_writer *w, uint32_t pairs_count);

/* Append bytes that are canonical msgpack already, as they are. */
void spean_writer_raw(struct spean_writer *w, struct spean_view bytes);

/*
 * Give in *out what was written, a view of the buffer.
 * SPEAN_ELIMIT: the buffer is too small; SPEAN_EFORMAT: invalid text was given. *out is unchanged.
 */
SPEAN_CHECK spean_err spean_writer_end(const struct spean_writer *w, struct spean_view *out);

#endif
