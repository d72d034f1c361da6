/*
 * The strict reader on any bytes. What it accepts, msgpack-c decodes to the same and would itself
 * have encoded so; what it refuses, it leaves unread. msgpack-c sees accepted bytes only, because
 * it allocates whatever the others claim.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "protocol/reader.h"
#include "protocol/writer.h"
#include "tests/fuzz/fuzz.h"

#define VALUE_BYTES_MAX  4096u /* libFuzzer's own default length. */
#define PREFIX_BYTES_MAX 256u  /* Trying each prefix of a value is quadratic. */

static bool same(struct spean_view a, const void *data, size_t len)
{
    return a.len == len && (len == 0 || memcmp(a.data, data, len) == 0);
}

/* msgpack-c decodes all of value, and encodes what it got to the same bytes. */
static void check_library_agrees(struct spean_view value)
{
    msgpack_unpacked got;
    msgpack_unpacked_init(&got);
    size_t used = 0;
    const msgpack_unpack_return result =
        msgpack_unpack_next(&got, (const char *)value.data, value.len, &used);
    assert(result == MSGPACK_UNPACK_SUCCESS);
    assert(used == value.len);

    msgpack_sbuffer again;
    msgpack_sbuffer_init(&again);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &again, msgpack_sbuffer_write);
    const int packed = msgpack_pack_object(&packer, got.data);
    assert(packed == 0);
    assert(same(value, again.data, again.size));

    msgpack_sbuffer_destroy(&again);
    msgpack_unpacked_destroy(&got);
}

/* Read a bin or str, and write it with both writers. */
static void copy_bytes(struct spean_reader *r, bool is_str, msgpack_packer *packer,
                       struct spean_writer *w)
{
    const struct spean_view bytes =
        is_str ? spean_reader_str(r, 0, VALUE_BYTES_MAX) : spean_reader_bin(r, 0, VALUE_BYTES_MAX);
    if (is_str) {
        (void)msgpack_pack_str_with_body(packer, bytes.data, bytes.len);
        spean_writer_str(w, bytes.data, bytes.len);
        return;
    }
    (void)msgpack_pack_bin_with_body(packer, bytes.data, bytes.len);
    spean_writer_bin(w, bytes.data, bytes.len);
}

/* Read the head of an array or map, and write it with both writers. */
static void copy_count(struct spean_reader *r, bool is_map, msgpack_packer *packer,
                       struct spean_writer *w)
{
    const uint32_t count =
        is_map ? spean_reader_map(r, UINT32_MAX) : spean_reader_array(r, 0, UINT32_MAX);
    if (is_map) {
        (void)msgpack_pack_map(packer, count);
        spean_writer_map(w, count);
        return;
    }
    (void)msgpack_pack_array(packer, count);
    spean_writer_array(w, count);
}

/* Read a negative integer, and write it; one below INT64_MIN has no form and cannot come. */
static void copy_negative(struct spean_reader *r, msgpack_packer *packer, struct spean_writer *w)
{
    const int64_t number = spean_reader_int(r);
    assert(number < 0);
    (void)msgpack_pack_int64(packer, number);
    spean_writer_int(w, number);
}

/* Read the next value by the function for its type. Results of packing show in the bytes. */
static void copy_next(struct spean_reader *r, msgpack_packer *packer, struct spean_writer *w)
{
    const enum spean_reader_kind kind = spean_reader_peek(r);
    switch (kind) {
    case SPEAN_READER_NIL: {
        const bool was_nil = spean_reader_nil(r);
        assert(was_nil);
        (void)msgpack_pack_nil(packer);
        spean_writer_nil(w);
        break;
    }
    case SPEAN_READER_BOOL: {
        const bool value = spean_reader_bool(r);
        (void)(value ? msgpack_pack_true(packer) : msgpack_pack_false(packer));
        spean_writer_bool(w, value);
        break;
    }
    case SPEAN_READER_UINT: {
        const uint64_t value = spean_reader_uint(r, UINT64_MAX);
        (void)msgpack_pack_uint64(packer, value);
        spean_writer_uint(w, value);
        break;
    }
    case SPEAN_READER_NEGATIVE:
        copy_negative(r, packer, w);
        break;
    case SPEAN_READER_BIN:
    case SPEAN_READER_STR:
        copy_bytes(r, kind == SPEAN_READER_STR, packer, w);
        break;
    case SPEAN_READER_ARRAY:
    case SPEAN_READER_MAP:
        copy_count(r, kind == SPEAN_READER_MAP, packer, w);
        break;
    case SPEAN_READER_NONE:
        abort(); /* An accepted value holds a form that is never allowed. */
    }
}

/* Read by type, every value in value is there again in what both writers make of it. */
static void check_typed_reads_agree(struct spean_view value)
{
    uint8_t buf[VALUE_BYTES_MAX];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    msgpack_sbuffer library;
    msgpack_sbuffer_init(&library);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &library, msgpack_sbuffer_write);

    struct spean_reader r;
    spean_reader_init(&r, value);
    while (r.pos < r.end) {
        copy_next(&r, &packer, &w);
        assert(!spean_reader_failed(&r));
    }
    assert(spean_reader_end(&r) == SPEAN_OK);

    struct spean_view ours;
    const spean_err err = spean_writer_end(&w, &ours);
    assert(err == SPEAN_OK);
    assert(same(value, ours.data, ours.len));
    assert(same(value, library.data, library.size));
    msgpack_sbuffer_destroy(&library);
}

/* No proper beginning of a value is a value. */
static void check_prefixes_are_refused(struct spean_view value)
{
    for (size_t len = 0; len < value.len; len++) {
        const struct spean_view prefix = {value.data, len};
        struct spean_reader r;
        spean_reader_init(&r, prefix);
        const struct spean_view got = spean_reader_value(&r, len);
        assert(got.len == 0);
        assert(spean_reader_failed(&r));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct spean_view input = {data, size};
    struct spean_reader r;
    spean_reader_init(&r, input);
    const uint8_t *const start = r.pos;
    const struct spean_view value = spean_reader_value(&r, VALUE_BYTES_MAX);

    if (spean_reader_failed(&r)) {
        assert(value.len == 0);
        assert(r.pos == start);
        assert(spean_reader_end(&r) != SPEAN_OK);
        return 0;
    }
    assert(value.data == data);
    assert(value.len > 0 && value.len <= size && value.len <= VALUE_BYTES_MAX);
    assert((spean_reader_end(&r) == SPEAN_OK) == (value.len == size));
    check_library_agrees(value);
    check_typed_reads_agree(value);
    if (value.len <= PREFIX_BYTES_MAX) {
        check_prefixes_are_refused(value);
    }
    return 0;
}
