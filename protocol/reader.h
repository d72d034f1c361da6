/*
 * protocol/reader.h - strict reading of msgpack that nobody vouches for.
 *
 * Every untrusted byte comes in through this reader. It allocates nothing and stays within its
 * view. The first error sticks: from then on each read gives zero or an empty view and consumes
 * nothing, so a decoder reads all its fields in a row and asks once, with spean_reader_end().
 *
 * One value has one encoding. Refused as SPEAN_EFORMAT: integers and lengths in longer forms than
 * needed, non-negative integers in a signed form, floats, extensions, text that is not valid by
 * spean_text_valid(), a count or length that the bytes left cannot hold, and a value of another
 * type than asked for. A value above the maximum that the caller names is SPEAN_ELIMIT, one below
 * the minimum is SPEAN_EFORMAT.
 */
#ifndef SPEAN_PROTOCOL_READER_H
#define SPEAN_PROTOCOL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_READER_DEPTH_MAX 8u /* Arrays and maps within each other in one skipped value. */

/* The caller's memory. The fields are for reading only. */
struct spean_reader {
    const uint8_t *pos; /* Next unread byte. */
    const uint8_t *end;
    spean_err err; /* The first error, or SPEAN_OK. */
};

enum spean_reader_kind {
    SPEAN_READER_NONE, /* No more bytes, an earlier error, or a form that is never allowed. */
    SPEAN_READER_NIL,
    SPEAN_READER_BOOL,
    SPEAN_READER_UINT,
    SPEAN_READER_NEGATIVE, /* An integer below 0. */
    SPEAN_READER_BIN,
    SPEAN_READER_STR,
    SPEAN_READER_ARRAY,
    SPEAN_READER_MAP
};

/* Start reading bytes, which must outlive the reader and every view taken from it. */
void spean_reader_init(struct spean_reader *r, struct spean_view bytes);

/* Name the kind of the next value by its first byte alone; consumes nothing, never fails. */
enum spean_reader_kind spean_reader_peek(const struct spean_reader *r);

uint64_t spean_reader_uint(struct spean_reader *r, uint64_t max);

/* Read an integer of either sign. SPEAN_ELIMIT: it is above INT64_MAX. */
int64_t spean_reader_int(struct spean_reader *r);

bool spean_reader_bool(struct spean_reader *r);

/* Consume a nil and return true; if the next value is another one, return false, no error. */
bool spean_reader_nil(struct spean_reader *r);

/* Copy a bin of exactly len bytes to out. After an error out is all zero. */
void spean_reader_bin_fixed(struct spean_reader *r, uint8_t *out, size_t len);

/* Return the bytes of a bin of min to max bytes, as a view into the bytes being read. */
struct spean_view spean_reader_bin(struct spean_reader *r, size_t min, size_t max);

/* Return the text of a str of min to max bytes, as a view into the bytes being read. */
struct spean_view spean_reader_str(struct spean_reader *r, size_t min, size_t max);

/* Read the head of an array of min to max elements; the caller then reads that many values. */
uint32_t spean_reader_array(struct spean_reader *r, uint32_t min, uint32_t max);

/*
 * Read the head of a map of at most max pairs; the caller then reads that many keys and values,
 * and itself refuses keys that do not strictly ascend (spean_reader_fail()).
 */
uint32_t spean_reader_map(struct spean_reader *r, uint32_t max);

/*
 * Skip one whole value, whatever it is, checking all of it, and return its bytes. Keys of a map
 * must be all unsigned integers or all str and strictly ascend: integers by value, str by memcmp
 * with a prefix first. SPEAN_ELIMIT: more than bytes_max bytes, or nested deeper than
 * SPEAN_READER_DEPTH_MAX.
 */
struct spean_view spean_reader_value(struct spean_reader *r, size_t bytes_max);

/* Make err (not SPEAN_OK) the reader's error if it has none: for what the caller finds wrong. */
void spean_reader_fail(struct spean_reader *r, spean_err err);

/* Say whether any read so far failed. Loops over a count read from the bytes ask this. */
bool spean_reader_failed(const struct spean_reader *r);

/* Return the first error; SPEAN_EFORMAT also if bytes are left over. */
SPEAN_CHECK spean_err spean_reader_end(const struct spean_reader *r);

#endif
