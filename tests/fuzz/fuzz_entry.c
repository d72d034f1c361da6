/*
 * What lies around an entry, by the first byte: headers, public bodies, padding, names of list
 * items, contexts. What is accepted is written again to the same bytes.
 */
#include <assert.h>
#include <string.h>

#include "protocol/body.h"
#include "protocol/change.h"
#include "protocol/entry.h"
#include "protocol/padme.h"
#include "tests/fuzz/fuzz.h"

static void check_same(struct spean_view a, struct spean_view b)
{
    assert(a.len == b.len);
    assert(a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static void check_header(struct spean_view bytes)
{
    struct spean_header header;
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    if (spean_header_decode(bytes, &header) != SPEAN_OK) {
        return;
    }
    assert(header.seq > 0);
    struct spean_view again = {0};
    const spean_err err = spean_header_encode(&header, buf, sizeof(buf), &again);
    if (header.format == SPEAN_ENTRY_FORMAT) {
        assert(err == SPEAN_OK);
        check_same(again, bytes);
    }
}

static void check_body(struct spean_view body)
{
    static uint8_t buf[SPEAN_BODY_BYTES_MAX];
    struct spean_view content;
    if (spean_body_unwrap(body, &content) != SPEAN_OK) {
        return;
    }
    struct spean_view again = {0};
    const spean_err err = spean_body_wrap(buf, sizeof(buf), body.data, content, &again);
    assert(err == SPEAN_OK);
    check_same(again, body);
}

/* Nobody without the key opens a sealed body. */
static void check_sealed(struct spean_view body)
{
    static uint8_t buf[SPEAN_BODY_BYTES_MAX];
    const uint8_t key[SPEAN_KEY_BYTES] = {1};
    const struct spean_id log = {{2}};
    const struct spean_tag tag = {{3}};
    struct spean_view content;
    const struct spean_keyed_part part = {{{4}}, 1};
    const spean_err err =
        spean_body_open(buf, sizeof(buf), key, &part, &log, 1, &tag, body, &content);
    assert(err != SPEAN_OK);
}

static void check_padding(struct spean_view padded)
{
    static uint8_t buf[SPEAN_PADME_BYTES_MAX];
    struct spean_view content;
    size_t len = 0;
    if (spean_padme_unpad(padded, &content) != SPEAN_OK) {
        return;
    }
    if (content.len > 0) {
        memcpy(buf, content.data, content.len);
    }
    const spean_err err = spean_padme_pad(buf, sizeof(buf), content.len, &len);
    assert(err == SPEAN_OK);
    check_same((struct spean_view){buf, len}, padded);
}

static void check_dot(struct spean_view value)
{
    struct spean_dot dot;
    uint8_t buf[SPEAN_DOT_BYTES_MAX];
    if (spean_dot_decode(value, &dot) == SPEAN_OK) {
        check_same(spean_dot_encode(&dot, buf), value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(struct spean_view) = {check_header, check_body, check_sealed,
                                                        check_padding, check_dot};
    if (size > 0) {
        checks[data[0] % (sizeof(checks) / sizeof(checks[0]))](
            (struct spean_view){data + 1, size - 1});
    }
    return 0;
}
