#include "protocol/reader.h"

#include <assert.h>
#include <string.h>

#include "protocol/text.h"

/* One value's first bytes: its kind and what they say. */
struct head {
    enum spean_reader_kind kind;
    uint64_t value; /* Number, length, count or bool; -1 - n for a number n below 0. */
    size_t len;     /* Bytes the head itself takes. */
};

/* Forms whose value follows the first byte. A value below min has a shorter form. */
static const struct {
    enum spean_reader_kind kind;
    uint8_t bytes;
    uint64_t min;
} wide_forms[] = {
    [0xc4 - 0xc0] = {SPEAN_READER_BIN, 1, 0},
    [0xc5 - 0xc0] = {SPEAN_READER_BIN, 2, 0x100},
    [0xc6 - 0xc0] = {SPEAN_READER_BIN, 4, 0x10000},
    [0xcc - 0xc0] = {SPEAN_READER_UINT, 1, 0x80},
    [0xcd - 0xc0] = {SPEAN_READER_UINT, 2, 0x100},
    [0xce - 0xc0] = {SPEAN_READER_UINT, 4, 0x10000},
    [0xcf - 0xc0] = {SPEAN_READER_UINT, 8, UINT64_C(0x100000000)},
    [0xd0 - 0xc0] = {SPEAN_READER_NEGATIVE, 1, 0x20},
    [0xd1 - 0xc0] = {SPEAN_READER_NEGATIVE, 2, 0x80},
    [0xd2 - 0xc0] = {SPEAN_READER_NEGATIVE, 4, 0x8000},
    [0xd3 - 0xc0] = {SPEAN_READER_NEGATIVE, 8, UINT64_C(0x80000000)},
    [0xd9 - 0xc0] = {SPEAN_READER_STR, 1, 0x20},
    [0xda - 0xc0] = {SPEAN_READER_STR, 2, 0x100},
    [0xdb - 0xc0] = {SPEAN_READER_STR, 4, 0x10000},
    [0xdc - 0xc0] = {SPEAN_READER_ARRAY, 2, 0x10},
    [0xdd - 0xc0] = {SPEAN_READER_ARRAY, 4, 0x10000},
    [0xde - 0xc0] = {SPEAN_READER_MAP, 2, 0x10},
    [0xdf - 0xc0] = {SPEAN_READER_MAP, 4, 0x10000},
};

static size_t bytes_left(const struct spean_reader *r)
{
    return (size_t)(r->end - r->pos);
}

/* Kind by the first byte; bytes between 0xc0 and 0xdf that are no wide form fall to NONE. */
static enum spean_reader_kind kind_of(uint8_t first)
{
    if (first < 0x80) {
        return SPEAN_READER_UINT;
    }
    if (first < 0x90) {
        return SPEAN_READER_MAP;
    }
    if (first < 0xa0) {
        return SPEAN_READER_ARRAY;
    }
    if (first < 0xc0) {
        return SPEAN_READER_STR;
    }
    if (first >= 0xe0) {
        return SPEAN_READER_NEGATIVE;
    }
    if (first == 0xc0) {
        return SPEAN_READER_NIL;
    }
    if (first == 0xc2 || first == 0xc3) {
        return SPEAN_READER_BOOL;
    }
    return wide_forms[first - 0xc0].kind;
}

/* The value that the first byte itself holds, for the kinds that are no wide form. */
static uint64_t narrow_value(enum spean_reader_kind kind, uint8_t first)
{
    switch (kind) {
    case SPEAN_READER_UINT:
        return first;
    case SPEAN_READER_MAP:
    case SPEAN_READER_ARRAY:
        return first & 0x0fu;
    case SPEAN_READER_STR:
        return first & 0x1fu;
    case SPEAN_READER_NEGATIVE:
        return 0xffu - first;
    case SPEAN_READER_BOOL:
        return first & 0x01u;
    case SPEAN_READER_NONE:
    case SPEAN_READER_NIL:
    case SPEAN_READER_BIN:
        break;
    }
    return 0;
}

/* Complete h, whose first byte is a wide form, from its big-endian value. */
static bool wide_read(const uint8_t *pos, size_t left, struct head *h)
{
    const size_t form = (size_t)(pos[0] - 0xc0u);
    const size_t bytes = wide_forms[form].bytes;
    assert(bytes > 0); /* kind_of() knows wide forms only. */
    if (bytes > left - 1) {
        return false;
    }

    uint64_t value = 0;
    for (size_t i = 1; i <= bytes; i++) {
        value = value << 8 | pos[i];
    }
    if (h->kind == SPEAN_READER_NEGATIVE) {
        const bool negative = (pos[1] & 0x80u) != 0;
        if (!negative) {
            return false; /* Has an unsigned form. */
        }
        value = ~value & UINT64_MAX >> (64 - 8 * bytes);
    }
    h->value = value;
    h->len = bytes + 1;
    return value >= wide_forms[form].min;
}

/* Read the head at pos; false if it is cut off, not canonical or never allowed. */
static bool head_read(const uint8_t *pos, const uint8_t *end, struct head *h)
{
    if (pos == end) {
        return false;
    }
    h->kind = kind_of(pos[0]);
    if (h->kind == SPEAN_READER_NONE) {
        return false;
    }
    if (pos[0] >= 0xc4 && pos[0] <= 0xdf) {
        return wide_read(pos, (size_t)(end - pos), h);
    }
    h->value = narrow_value(h->kind, pos[0]);
    h->len = 1;
    return true;
}

/* Read the head of a value of kind with its value within min and max, and step over it. */
static uint64_t take_head(struct spean_reader *r, enum spean_reader_kind kind, uint64_t min,
                          uint64_t max)
{
    if (r->err != SPEAN_OK) {
        return 0;
    }
    struct head h;
    if (!head_read(r->pos, r->end, &h) || h.kind != kind || h.value < min) {
        r->err = SPEAN_EFORMAT;
        return 0;
    }
    if (h.value > max) {
        r->err = SPEAN_ELIMIT;
        return 0;
    }
    r->pos += h.len;
    return h.value;
}

void spean_reader_init(struct spean_reader *r, struct spean_view bytes)
{
    static const uint8_t nothing[1]; /* Keeps NULL out of pointer arithmetic. */

    assert(r != NULL);
    assert(bytes.data != NULL || bytes.len == 0);

    r->pos = bytes.len > 0 ? bytes.data : nothing;
    r->end = r->pos + bytes.len;
    r->err = SPEAN_OK;
}

enum spean_reader_kind spean_reader_peek(const struct spean_reader *r)
{
    assert(r != NULL);

    if (r->err != SPEAN_OK || r->pos == r->end) {
        return SPEAN_READER_NONE;
    }
    return kind_of(r->pos[0]);
}

uint64_t spean_reader_uint(struct spean_reader *r, uint64_t max)
{
    assert(r != NULL);

    return take_head(r, SPEAN_READER_UINT, 0, max);
}

int64_t spean_reader_int(struct spean_reader *r)
{
    assert(r != NULL);

    if (spean_reader_peek(r) != SPEAN_READER_NEGATIVE) {
        return (int64_t)take_head(r, SPEAN_READER_UINT, 0, INT64_MAX);
    }
    const uint64_t below = take_head(r, SPEAN_READER_NEGATIVE, 0, INT64_MAX);
    return r->err == SPEAN_OK ? -1 - (int64_t)below : 0;
}

bool spean_reader_bool(struct spean_reader *r)
{
    assert(r != NULL);

    return take_head(r, SPEAN_READER_BOOL, 0, 1) != 0;
}

bool spean_reader_nil(struct spean_reader *r)
{
    assert(r != NULL);

    if (spean_reader_peek(r) != SPEAN_READER_NIL) {
        return false;
    }
    r->pos++;
    return true;
}

/* Read a head of kind and the bytes it announces. */
static struct spean_view take_bytes(struct spean_reader *r, enum spean_reader_kind kind, size_t min,
                                    size_t max)
{
    const struct spean_view none = {NULL, 0};
    const uint8_t *const start = r->pos;
    const size_t len = (size_t)take_head(r, kind, min, max);
    if (r->err != SPEAN_OK) {
        return none;
    }
    const struct spean_view found = {r->pos, len};
    if (len > bytes_left(r) || (kind == SPEAN_READER_STR && !spean_text_valid(found))) {
        r->pos = start;
        r->err = SPEAN_EFORMAT;
        return none;
    }
    r->pos += len;
    return found;
}

void spean_reader_bin_fixed(struct spean_reader *r, uint8_t *out, size_t len)
{
    assert(r != NULL);
    assert(out != NULL);

    const uint8_t *const start = r->pos;
    const struct spean_view found = take_bytes(r, SPEAN_READER_BIN, len, SIZE_MAX);
    if (r->err == SPEAN_OK && found.len == len) {
        memcpy(out, found.data, len);
        return;
    }
    r->pos = start;
    spean_reader_fail(r, SPEAN_EFORMAT); /* Another length is malformed, not above a limit. */
    memset(out, 0, len);
}

struct spean_view spean_reader_bin(struct spean_reader *r, size_t min, size_t max)
{
    assert(r != NULL);
    assert(min <= max);

    return take_bytes(r, SPEAN_READER_BIN, min, max);
}

struct spean_view spean_reader_str(struct spean_reader *r, size_t min, size_t max)
{
    assert(r != NULL);
    assert(min <= max);

    return take_bytes(r, SPEAN_READER_STR, min, max);
}

/* Read a head of kind whose count of elements the bytes left can hold. */
static uint32_t take_count(struct spean_reader *r, enum spean_reader_kind kind, uint32_t min,
                           uint32_t max)
{
    const size_t element_bytes_min = kind == SPEAN_READER_MAP ? 2 : 1;
    const uint8_t *const start = r->pos;
    const uint64_t count = take_head(r, kind, min, max);
    if (count > bytes_left(r) / element_bytes_min) {
        r->pos = start;
        r->err = SPEAN_EFORMAT;
        return 0;
    }
    return (uint32_t)count;
}

uint32_t spean_reader_array(struct spean_reader *r, uint32_t min, uint32_t max)
{
    assert(r != NULL);
    assert(min <= max);

    return take_count(r, SPEAN_READER_ARRAY, min, max);
}

uint32_t spean_reader_map(struct spean_reader *r, uint32_t max)
{
    assert(r != NULL);

    return take_count(r, SPEAN_READER_MAP, 0, max);
}

/* An array or map being skipped: what is still to come and, in a map, the key before. */
struct level {
    uint64_t values_left; /* Keys count as values. */
    bool map;
    bool keyed; /* A key was read: key_kind and one of the two below are set. */
    enum spean_reader_kind key_kind;
    uint64_t key_uint;
    struct spean_view key_str;
};

static bool str_ascends(struct spean_view before, struct spean_view after)
{
    const size_t shared = before.len < after.len ? before.len : after.len;
    const int order = memcmp(before.data, after.data, shared);
    return order < 0 || (order == 0 && before.len < after.len);
}

/* Accept h, with content at, as the next key of the map, or refuse it. */
static bool key_accept(struct level *map, const struct head *h, const uint8_t *at)
{
    const bool is_uint = h->kind == SPEAN_READER_UINT;
    const struct spean_view text = {at, is_uint ? 0 : (size_t)h->value};

    if (!is_uint && h->kind != SPEAN_READER_STR) {
        return false;
    }
    if (map->keyed && map->key_kind != h->kind) {
        return false;
    }
    if (map->keyed && is_uint && h->value <= map->key_uint) {
        return false;
    }
    if (map->keyed && !is_uint && !str_ascends(map->key_str, text)) {
        return false;
    }
    map->keyed = true;
    map->key_kind = h->kind;
    map->key_uint = h->value;
    map->key_str = text;
    return true;
}

/* Bytes that follow head h as its content; UINT64_MAX where they are more than left. */
static uint64_t content_len(const struct head *h, size_t left)
{
    const bool has_content = h->kind == SPEAN_READER_BIN || h->kind == SPEAN_READER_STR;
    if (!has_content) {
        return 0;
    }
    return h->value <= left ? h->value : UINT64_MAX;
}

/* Read a value's head and bytes as an element of in, NULL for none; its own elements come after. */
static spean_err skip_one(struct spean_reader *r, struct level *in, struct head *h)
{
    if (!head_read(r->pos, r->end, h)) {
        return SPEAN_EFORMAT;
    }
    const uint8_t *const at = r->pos + h->len;
    const uint64_t len = content_len(h, (size_t)(r->end - at));
    if (len == UINT64_MAX) {
        return SPEAN_EFORMAT;
    }
    const struct spean_view content = {at, (size_t)len};
    if (h->kind == SPEAN_READER_STR && !spean_text_valid(content)) {
        return SPEAN_EFORMAT;
    }
    if (in != NULL) {
        const bool is_key = in->map && in->values_left % 2 == 0;
        if (is_key && !key_accept(in, h, at)) {
            return SPEAN_EFORMAT;
        }
        in->values_left--;
    }
    r->pos = at + len;
    return SPEAN_OK;
}

static bool is_container(const struct head *h)
{
    return h->kind == SPEAN_READER_ARRAY || h->kind == SPEAN_READER_MAP;
}

/* Step r over one value; on error r->pos is somewhere within it. */
static spean_err skip_value(struct spean_reader *r, size_t bytes_max)
{
    const uint8_t *const start = r->pos;
    struct level levels[SPEAN_READER_DEPTH_MAX];
    size_t depth = 0;

    do {
        struct head h;
        const spean_err err = skip_one(r, depth > 0 ? &levels[depth - 1] : NULL, &h);
        if (err != SPEAN_OK) {
            return err;
        }
        if ((size_t)(r->pos - start) > bytes_max) {
            return SPEAN_ELIMIT;
        }
        if (is_container(&h)) {
            const bool map = h.kind == SPEAN_READER_MAP;
            const uint64_t values = map ? h.value * 2 : h.value;
            if (values > bytes_left(r)) {
                return SPEAN_EFORMAT;
            }
            if (depth == SPEAN_READER_DEPTH_MAX) {
                return SPEAN_ELIMIT;
            }
            levels[depth] = (struct level){.values_left = values, .map = map};
            depth++;
        }
        while (depth > 0 && levels[depth - 1].values_left == 0) {
            depth--;
        }
    } while (depth > 0);
    return SPEAN_OK;
}

struct spean_view spean_reader_value(struct spean_reader *r, size_t bytes_max)
{
    assert(r != NULL);

    const struct spean_view none = {NULL, 0};
    if (r->err != SPEAN_OK) {
        return none;
    }
    const uint8_t *const start = r->pos;
    r->err = skip_value(r, bytes_max);
    if (r->err != SPEAN_OK) {
        r->pos = start;
        return none;
    }
    const struct spean_view found = {start, (size_t)(r->pos - start)};
    return found;
}

void spean_reader_fail(struct spean_reader *r, spean_err err)
{
    assert(r != NULL);
    assert(err != SPEAN_OK);

    if (r->err == SPEAN_OK) {
        r->err = err;
    }
}

bool spean_reader_failed(const struct spean_reader *r)
{
    assert(r != NULL);

    return r->err != SPEAN_OK;
}

spean_err spean_reader_end(const struct spean_reader *r)
{
    assert(r != NULL);

    if (r->err != SPEAN_OK) {
        return r->err;
    }
    return r->pos == r->end ? SPEAN_OK : SPEAN_EFORMAT;
}
