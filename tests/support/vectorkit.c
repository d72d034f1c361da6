#include "tests/support/vectorkit.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/limits.h"

#define PATH_BYTES 256u

struct block {
    struct block *next;
    uint64_t bytes[]; /* Of a type that aligns whatever is put there. */
};

struct vectorkit {
    json_t *root;
    struct block *blocks;
};

struct vectorkit *vectorkit_open(const char *file)
{
    char path[PATH_BYTES];
    assert_in_range(snprintf(path, sizeof(path), "tests/vectors/%s", file), 1, sizeof(path) - 1);
    json_error_t err;
    struct vectorkit *const kit = calloc(1, sizeof(*kit));
    assert_non_null(kit);
    kit->root = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);
    if (kit->root == NULL) {
        fail_msg("%s:%d: %s", path, err.line, err.text);
    }
    return kit;
}

void vectorkit_close(struct vectorkit *kit)
{
    while (kit->blocks != NULL) {
        struct block *const next = kit->blocks->next;
        free(kit->blocks);
        kit->blocks = next;
    }
    json_decref(kit->root);
    free(kit);
}

void *vectorkit_alloc(struct vectorkit *kit, size_t count, size_t size)
{
    assert_true(size == 0 || count <= SPEAN_FRAME_BYTES_MAX / size * 4);
    struct block *const block = calloc(1, sizeof(*block) + count * size + 1);
    assert_non_null(block);
    block->next = kit->blocks;
    kit->blocks = block;
    return block->bytes;
}

void vectorkit_writer(struct vectorkit *kit, struct spean_writer *w)
{
    spean_writer_init(w, vectorkit_alloc(kit, SPEAN_FRAME_BYTES_MAX, 1), SPEAN_FRAME_BYTES_MAX);
}

const json_t *vectorkit_top(const struct vectorkit *kit)
{
    return kit->root;
}

const json_t *vectorkit_list(const struct vectorkit *kit, const char *name)
{
    const json_t *const list = vector_list(kit->root, name);
    assert_true(json_array_size(list) > 0);
    return list;
}

static const json_t *get(const json_t *v, const char *key)
{
    const json_t *const value = json_object_get(v, key);
    if (value == NULL) {
        fail_msg("a vector has no \"%s\"", key);
    }
    return value;
}

bool vector_has(const json_t *v, const char *key)
{
    const json_t *const value = json_object_get(v, key);
    return value != NULL && !json_is_null(value);
}

const json_t *vector_list(const json_t *v, const char *key)
{
    const json_t *const list = get(v, key);
    assert_true(json_is_array(list));
    return list;
}

uint32_t vector_count(const json_t *v, const char *key)
{
    return (uint32_t)json_array_size(vector_list(v, key));
}

uint64_t vector_uint(const json_t *v, const char *key)
{
    const json_t *const value = get(v, key);
    assert_true(json_is_integer(value));
    assert_true(json_integer_value(value) >= 0);
    return (uint64_t)json_integer_value(value);
}

bool vector_bool(const json_t *v, const char *key)
{
    const json_t *const value = get(v, key);
    assert_true(json_is_boolean(value));
    return json_is_true(value);
}

const char *vector_text(const json_t *v, const char *key)
{
    const json_t *const value = get(v, key);
    assert_true(json_is_string(value));
    return json_string_value(value);
}

struct spean_view vector_str(const json_t *v, const char *key)
{
    const char *const text = vector_text(v, key);
    return (struct spean_view){(const uint8_t *)text, json_string_length(get(v, key))};
}

struct spean_view vector_hex(struct vectorkit *kit, const json_t *value)
{
    assert_true(json_is_string(value));
    const size_t hex_len = json_string_length(value);
    uint8_t *const bytes = vectorkit_alloc(kit, hex_len / 2, 1);
    size_t len = 0;
    const int err =
        sodium_hex2bin(bytes, hex_len / 2 + 1, json_string_value(value), hex_len, NULL, &len, NULL);
    assert_int_equal(err, 0);
    assert_int_equal(len * 2, hex_len);
    return (struct spean_view){bytes, len};
}

struct spean_view vector_bytes(struct vectorkit *kit, const json_t *v, const char *key)
{
    return vector_hex(kit, get(v, key));
}

void vector_fixed(const json_t *v, const char *key, uint8_t *out, size_t len)
{
    const char *const hex = vector_text(v, key);
    size_t got = 0;
    assert_int_equal(sodium_hex2bin(out, len, hex, strlen(hex), NULL, &got, NULL), 0);
    assert_int_equal(got, len);
    assert_int_equal(strlen(hex), len * 2);
}

struct spean_id vector_id(const json_t *v, const char *key)
{
    struct spean_id id;
    vector_fixed(v, key, id.bytes, sizeof(id.bytes));
    return id;
}

struct spean_key vector_key(const json_t *v, const char *key)
{
    struct spean_key found;
    vector_fixed(v, key, found.bytes, sizeof(found.bytes));
    return found;
}

struct spean_tag vector_tag(const json_t *v, const char *key)
{
    struct spean_tag tag;
    vector_fixed(v, key, tag.bytes, sizeof(tag.bytes));
    return tag;
}

struct spean_record_id vector_record(const json_t *v, const char *key)
{
    struct spean_record_id record;
    vector_fixed(v, key, record.bytes, sizeof(record.bytes));
    return record;
}

struct spean_handle vector_handle(const json_t *v, const char *key)
{
    struct spean_handle handle;
    vector_fixed(v, key, handle.bytes, sizeof(handle.bytes));
    return handle;
}

uint64_t vector_short(const json_t *v, const char *key)
{
    uint8_t bytes[SPEAN_SHORT_BYTES];
    vector_fixed(v, key, bytes, sizeof(bytes));
    return spean_u64_get(bytes);
}

struct spean_place vector_place(const json_t *v)
{
    return (struct spean_place){.seq = vector_uint(v, "seq"), .entry = vector_id(v, "entry")};
}

static void print_hex(const char *what, const uint8_t *bytes, size_t len)
{
    print_error("%s: ", what);
    for (size_t i = 0; i < len; i++) {
        print_error("%02x", bytes[i]);
    }
    print_error("\n");
}

void assert_vector(const json_t *v, const char *key, const void *ours, size_t len)
{
    const char *const hex = vector_text(v, key);
    uint8_t *const bytes = malloc(strlen(hex) / 2 + 1);
    assert_non_null(bytes);
    size_t got = 0;
    assert_int_equal(sodium_hex2bin(bytes, strlen(hex) / 2, hex, strlen(hex), NULL, &got, NULL), 0);
    const bool same = got == len && (len == 0 || memcmp(bytes, ours, len) == 0);
    if (!same) {
        print_hex("vector", bytes, got);
        print_hex("ours  ", ours, len);
    }
    free(bytes);
    if (!same) {
        const char *const name = json_string_value(json_object_get(v, "name"));
        fail_msg("%s: other bytes than the vector's \"%s\"", name == NULL ? "" : name, key);
    }
}

void assert_vector_view(const json_t *v, const char *key, struct spean_view ours)
{
    assert_vector(v, key, ours.data, ours.len);
}

void assert_refused(const json_t *v, spean_err err)
{
    if (err != SPEAN_EFORMAT && err != SPEAN_ELIMIT) {
        fail_msg("%s: %s", vector_text(v, "name"), spean_err_name(err));
    }
}
