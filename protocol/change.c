#include "protocol/change.h"

#include <assert.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/hash.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/writer.h"

#define CHANGE_ELEMENTS    8u
#define CREATE_ELEMENTS    2u
#define OPERATION_ELEMENTS 4u
#define ROW_ELEMENTS       3u
#define DOT_ELEMENTS       3u

static struct spean_view since(const struct spean_reader *r, const uint8_t *start)
{
    return (struct spean_view){start, (size_t)(r->pos - start)};
}

static struct spean_view rest_of(const struct spean_reader *r)
{
    return (struct spean_view){r->pos, (size_t)(r->end - r->pos)};
}

static bool views_equal(struct spean_view a, struct spean_view b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static uint64_t read_short(struct spean_reader *r)
{
    uint8_t bytes[SPEAN_SHORT_BYTES];
    spean_reader_bin_fixed(r, bytes, sizeof(bytes));
    return spean_u64_get(bytes);
}

static void write_short(struct spean_writer *w, uint64_t name)
{
    uint8_t bytes[SPEAN_SHORT_BYTES];
    spean_u64_put(bytes, name);
    spean_writer_bin(w, bytes, sizeof(bytes));
}

/* Step r over an array or map head within the limits; give how many values follow. */
static uint64_t take_container(struct spean_reader *r)
{
    if (spean_reader_peek(r) == SPEAN_READER_ARRAY) {
        return spean_reader_array(r, 0, SPEAN_SCHEMA_ELEMENTS_MAX);
    }
    return 2u * (uint64_t)spean_reader_map(r, SPEAN_SCHEMA_ELEMENTS_MAX);
}

/*
 * Check depth and counts of a value whose bytes are canonical. left[d] is how many values are still
 * to come in the container at depth d; the value itself is the only one at depth 0.
 */
static spean_err check_shape(struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    uint64_t left[SPEAN_SCHEMA_DEPTH_MAX + 1] = {1};
    size_t depth = 0;
    while (!spean_reader_failed(&r)) {
        while (depth > 0 && left[depth] == 0) {
            depth--;
        }
        if (left[depth] == 0) {
            break;
        }
        left[depth]--;
        const enum spean_reader_kind kind = spean_reader_peek(&r);
        if (kind != SPEAN_READER_ARRAY && kind != SPEAN_READER_MAP) {
            (void)spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX); /* Stepped over. */
            continue;
        }
        if (depth == SPEAN_SCHEMA_DEPTH_MAX) {
            return SPEAN_ELIMIT;
        }
        depth++;
        left[depth] = take_container(&r);
    }
    return spean_reader_end(&r);
}

spean_err spean_value_check(struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    (void)spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
    const spean_err err = spean_reader_end(&r);
    return err == SPEAN_OK ? check_shape(value) : err;
}

/* Read one value of a change and check it. */
static struct spean_view read_value(struct spean_reader *r)
{
    const struct spean_view value = spean_reader_value(r, SPEAN_VALUE_BYTES_MAX);
    if (!spean_reader_failed(r)) {
        const spean_err err = check_shape(value);
        if (err != SPEAN_OK) {
            spean_reader_fail(r, err);
        }
    }
    return value;
}

int spean_dot_compare(const struct spean_dot *a, const struct spean_dot *b)
{
    assert(a != NULL);
    assert(b != NULL);

    if (a->log != b->log) {
        return a->log < b->log ? -1 : 1;
    }
    if (a->seq != b->seq) {
        return a->seq < b->seq ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

struct spean_view spean_dot_encode(const struct spean_dot *dot, uint8_t buf[SPEAN_DOT_BYTES_MAX])
{
    assert(dot != NULL);

    struct spean_writer w;
    struct spean_view out = {NULL, 0};
    spean_writer_init(&w, buf, SPEAN_DOT_BYTES_MAX);
    spean_writer_array(&w, DOT_ELEMENTS);
    write_short(&w, dot->log);
    spean_writer_uint(&w, dot->seq);
    spean_writer_uint(&w, dot->index);
    const spean_err err = spean_writer_end(&w, &out);
    assert(err == SPEAN_OK); /* 1 + 10 + 9 + 3 bytes at most. */
    return out;
}

spean_err spean_dot_decode(struct spean_view value, struct spean_dot *out)
{
    assert(out != NULL);

    struct spean_dot dot;
    struct spean_reader r;
    spean_reader_init(&r, value);
    (void)spean_reader_array(&r, DOT_ELEMENTS, DOT_ELEMENTS);
    dot.log = read_short(&r);
    dot.seq = spean_reader_uint(&r, UINT64_MAX);
    dot.index = (uint32_t)spean_reader_uint(&r, SPEAN_CHANGE_OPERATIONS_MAX - 1);
    if (dot.seq == 0) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    const spean_err err = spean_reader_end(&r);
    if (err == SPEAN_OK) {
        *out = dot;
    }
    return err;
}

struct spean_view spean_fixed_read(struct spean_reader *r)
{
    assert(r != NULL);

    const uint8_t *const start = r->pos;
    const uint32_t count = spean_reader_map(r, SPEAN_CHANGE_FIXED_MAX);
    uint64_t before = 0;
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        const uint64_t field = spean_reader_uint(r, UINT64_MAX);
        if (i > 0 && field <= before) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        before = field;
        (void)read_value(r); /* Kept with the whole map. */
    }
    return since(r, start);
}

static void read_create(struct spean_reader *r, struct spean_change *c)
{
    c->creates = !spean_reader_nil(r);
    if (c->creates) {
        (void)spean_reader_array(r, CREATE_ELEMENTS, CREATE_ELEMENTS);
        spean_reader_bin_fixed(r, c->random, sizeof(c->random));
        c->fixed = spean_fixed_read(r);
    }
}

/* Check what the kind asks of verb and value; kinds that are not known ask nothing. */
static spean_err check_operation(const struct spean_operation *op)
{
    struct spean_dot dot;
    switch (op->kind) {
    case SPEAN_KIND_FIXED:
        return SPEAN_EFORMAT;
    case SPEAN_KIND_VALUE:
    case SPEAN_KIND_STRICTEST:
    case SPEAN_KIND_ONE_WAY:
        return op->verb == SPEAN_VERB_WRITE ? SPEAN_OK : SPEAN_EFORMAT;
    case SPEAN_KIND_SET:
        return op->verb <= SPEAN_VERB_ADD ? SPEAN_OK : SPEAN_EFORMAT;
    case SPEAN_KIND_LIST:
        if (op->verb == SPEAN_VERB_STRIKE) {
            return spean_dot_decode(op->value, &dot);
        }
        return op->verb == SPEAN_VERB_APPEND ? SPEAN_OK : SPEAN_EFORMAT;
    default:
        return SPEAN_OK;
    }
}

void spean_operation_read(struct spean_reader *r, struct spean_operation *out)
{
    assert(r != NULL);
    assert(out != NULL);

    const uint8_t *const start = r->pos;
    (void)spean_reader_array(r, OPERATION_ELEMENTS, OPERATION_ELEMENTS);
    out->field = spean_reader_uint(r, UINT64_MAX);
    out->kind = spean_reader_uint(r, UINT64_MAX);
    out->verb = spean_reader_uint(r, UINT64_MAX);
    out->value = read_value(r);
    out->encoded = since(r, start);
}

/* Say whether two operations of one change may not stand beside each other (P9.2). */
static bool write_the_same(const struct spean_operation *a, const struct spean_operation *b)
{
    if (a->field != b->field || a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case SPEAN_KIND_VALUE:
    case SPEAN_KIND_STRICTEST:
    case SPEAN_KIND_ONE_WAY:
        return true;
    case SPEAN_KIND_SET:
        return views_equal(a->value, b->value);
    default:
        return false;
    }
}

static void read_operations(struct spean_reader *r, struct spean_change *c)
{
    struct spean_operation ops[SPEAN_CHANGE_OPERATIONS_MAX];
    c->operations_count = spean_reader_array(r, 0, SPEAN_CHANGE_OPERATIONS_MAX);
    const uint8_t *const start = r->pos;
    for (uint32_t i = 0; i < c->operations_count; i++) {
        spean_operation_read(r, &ops[i]);
        if (spean_reader_failed(r)) {
            return;
        }
        const spean_err err = check_operation(&ops[i]);
        if (err != SPEAN_OK) {
            spean_reader_fail(r, err);
            return;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (write_the_same(&ops[k], &ops[i])) {
                spean_reader_fail(r, SPEAN_EFORMAT);
                return;
            }
        }
    }
    c->operations = since(r, start);
}

static void read_row(struct spean_reader *r, struct spean_context_row *row)
{
    (void)spean_reader_array(r, ROW_ELEMENTS, ROW_ELEMENTS);
    row->log = read_short(r);
    row->seq = spean_reader_uint(r, UINT64_MAX);
    row->entry = read_short(r);
    if (row->seq == 0) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

struct spean_view spean_context_read(struct spean_reader *r, uint32_t *count)
{
    assert(r != NULL);
    assert(count != NULL);

    *count = spean_reader_array(r, 0, SPEAN_CONTEXT_ROWS_MAX);
    const uint8_t *const start = r->pos;
    uint64_t before = 0;
    for (uint32_t i = 0; i < *count && !spean_reader_failed(r); i++) {
        struct spean_context_row row;
        read_row(r, &row);
        if (i > 0 && row.log <= before) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        before = row.log;
    }
    return since(r, start);
}

bool spean_context_fits(const struct spean_context_row *rows, uint32_t count)
{
    assert(rows != NULL || count == 0);

    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].seq == 0 || (i > 0 && rows[i].log <= rows[i - 1].log)) {
            return false;
        }
    }
    return count <= SPEAN_CONTEXT_ROWS_MAX;
}

void spean_context_write(struct spean_writer *w, const struct spean_context_row *rows,
                         uint32_t count)
{
    assert(w != NULL);
    assert(rows != NULL || count == 0);

    spean_writer_array(w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_array(w, ROW_ELEMENTS);
        write_short(w, rows[i].log);
        spean_writer_uint(w, rows[i].seq);
        write_short(w, rows[i].entry);
    }
}

spean_err spean_change_decode(struct spean_view content, struct spean_change *out)
{
    assert(out != NULL);

    if (content.len > SPEAN_CHANGE_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_change c = {0};
    struct spean_reader r;
    spean_reader_init(&r, content);
    (void)spean_reader_array(&r, CHANGE_ELEMENTS, CHANGE_ELEMENTS);
    c.type = spean_reader_uint(&r, UINT64_MAX);
    spean_reader_bin_fixed(&r, c.record.bytes, sizeof(c.record.bytes));
    c.part = spean_reader_uint(&r, UINT64_MAX);
    c.schema_version = spean_reader_uint(&r, UINT64_MAX);
    c.actor = spean_reader_str(&r, 0, SPEAN_ACTOR_BYTES_MAX);
    read_create(&r, &c);
    read_operations(&r, &c);
    c.rows = spean_context_read(&r, &c.rows_count);
    const spean_err err = spean_reader_end(&r);
    if (err == SPEAN_OK) {
        *out = c;
    }
    return err;
}

static void write_create(struct spean_writer *w, const struct spean_change *c)
{
    if (!c->creates) {
        spean_writer_nil(w);
        return;
    }
    spean_writer_array(w, CREATE_ELEMENTS);
    spean_writer_bin(w, c->random, sizeof(c->random));
    spean_writer_raw(w, c->fixed);
}

spean_err spean_change_encode(const struct spean_change *change,
                              const struct spean_operation *operations, uint32_t operations_count,
                              const struct spean_context_row *rows, uint32_t rows_count,
                              uint8_t *buf, size_t cap, struct spean_view *out)
{
    assert(change != NULL);
    assert(operations != NULL || operations_count == 0);
    assert(rows != NULL || rows_count == 0);
    assert(out != NULL);

    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, CHANGE_ELEMENTS);
    spean_writer_uint(&w, change->type);
    spean_writer_bin(&w, change->record.bytes, sizeof(change->record.bytes));
    spean_writer_uint(&w, change->part);
    spean_writer_uint(&w, change->schema_version);
    spean_writer_str(&w, change->actor.data, change->actor.len);
    write_create(&w, change);
    spean_writer_array(&w, operations_count);
    for (uint32_t i = 0; i < operations_count; i++) {
        spean_writer_array(&w, OPERATION_ELEMENTS);
        spean_writer_uint(&w, operations[i].field);
        spean_writer_uint(&w, operations[i].kind);
        spean_writer_uint(&w, operations[i].verb);
        spean_writer_raw(&w, operations[i].value);
    }
    spean_context_write(&w, rows, rows_count);

    struct spean_view encoded;
    const spean_err err = spean_writer_end(&w, &encoded);
    if (err == SPEAN_ELIMIT) {
        return err;
    }
    /* What we sign is there for ever: nothing goes out that we would set aside ourselves. */
    struct spean_change check;
    if (err != SPEAN_OK || spean_change_decode(encoded, &check) != SPEAN_OK) {
        return SPEAN_EINPUT;
    }
    *out = encoded;
    return SPEAN_OK;
}

bool spean_operation_next(struct spean_view *left, struct spean_operation *out)
{
    assert(left != NULL);
    assert(out != NULL);

    if (left->len == 0) {
        return false;
    }
    struct spean_reader r;
    spean_reader_init(&r, *left);
    spean_operation_read(&r, out);
    assert(!spean_reader_failed(&r)); /* Decoding has read it. */
    *left = rest_of(&r);
    return true;
}

bool spean_context_row_next(struct spean_view *left, struct spean_context_row *out)
{
    assert(left != NULL);
    assert(out != NULL);

    if (left->len == 0) {
        return false;
    }
    struct spean_reader r;
    spean_reader_init(&r, *left);
    read_row(&r, out);
    assert(!spean_reader_failed(&r)); /* Decoding has read it. */
    *left = rest_of(&r);
    return true;
}

bool spean_fixed_get(struct spean_view fixed, uint64_t field, struct spean_view *value)
{
    assert(value != NULL);

    struct spean_reader r;
    spean_reader_init(&r, fixed);
    const uint32_t count = spean_reader_map(&r, SPEAN_CHANGE_FIXED_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t at = spean_reader_uint(&r, UINT64_MAX);
        const struct spean_view found = spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        if (at == field && !spean_reader_failed(&r)) {
            *value = found;
            return true;
        }
    }
    return false;
}

void spean_record_id_derive(struct spean_record_id *out, const struct spean_id *ledger,
                            const struct spean_id *author,
                            const uint8_t random[SPEAN_CHANGE_RANDOM_BYTES])
{
    assert(out != NULL);
    assert(ledger != NULL);
    assert(author != NULL);
    assert(random != NULL);

    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_RECORD, sizeof(out->bytes));
    spean_hash_update(&h, ledger->bytes, sizeof(ledger->bytes));
    spean_hash_update(&h, author->bytes, sizeof(author->bytes));
    spean_hash_update(&h, random, SPEAN_CHANGE_RANDOM_BYTES);
    spean_hash_end(&h, out->bytes, sizeof(out->bytes));
}
