#include <assert.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/fold.h"
#include "protocol/hash.h"
#include "protocol/part.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/writer.h"

#define STATE_ELEMENTS   7u
#define FIELD_ELEMENTS   3u
#define CONTENT_ELEMENTS 2u
#define WRITE_ELEMENTS   6u
#define ITEM_ELEMENTS    7u
#define SET_ELEMENTS     3u
#define ROW_ELEMENTS     2u
#define UNKNOWN_ELEMENTS 2u

/* Upper bounds of what things take encoded, without the bytes that somebody wrote. */
#define STATE_BYTES_MAX   128u
#define FIELD_BYTES_MAX   32u
#define WRITE_BYTES_MAX   160u
#define ELEMENT_BYTES_MAX 16u
#define ROW_BYTES_MAX     20u

size_t spean_part_encoded_max(const struct spean_part *part)
{
    assert(part != NULL);

    size_t len = STATE_BYTES_MAX + part->fixed_len;
    for (size_t i = 0; i < part->fields.count; i++) {
        const struct spean_field *const f = part->fields.items[i];
        len += FIELD_BYTES_MAX + ROW_BYTES_MAX * f->clock.count;
        len += SPEAN_DOT_BYTES_MAX * f->strikes.count;
        for (size_t k = 0; k < f->writes.count; k++) {
            const struct spean_part_write *const w = f->writes.items[k];
            len += WRITE_BYTES_MAX + w->actor_len + w->value_len;
        }
        for (size_t k = 0; k < f->elements.count; k++) {
            const struct spean_part_element *const e = f->elements.items[k];
            len += ELEMENT_BYTES_MAX + e->len + ROW_BYTES_MAX * e->clock.count;
            len += SPEAN_DOT_BYTES_MAX * e->dots.count;
        }
    }
    for (size_t i = 0; i < part->unknowns.count; i++) {
        const struct spean_part_unknown *const u = part->unknowns.items[i];
        len += 1 + SPEAN_DOT_BYTES_MAX + u->len;
    }
    return len;
}

static void write_dot(struct spean_writer *w, const struct spean_dot *dot)
{
    uint8_t buf[SPEAN_DOT_BYTES_MAX];
    spean_writer_raw(w, spean_dot_encode(dot, buf));
}

static void write_dots(struct spean_writer *w, const struct spean_sorted *dots)
{
    spean_writer_array(w, (uint32_t)dots->count);
    for (size_t i = 0; i < dots->count; i++) {
        write_dot(w, dots->items[i]);
    }
}

static void write_clock(struct spean_writer *w, const struct spean_clock *clock)
{
    spean_writer_array(w, clock->count);
    for (uint32_t i = 0; i < clock->count; i++) {
        uint8_t name[SPEAN_SHORT_BYTES];
        spean_u64_put(name, clock->rows[i].log);
        spean_writer_array(w, ROW_ELEMENTS);
        spean_writer_bin(w, name, sizeof(name));
        spean_writer_uint(w, clock->rows[i].seq);
    }
}

/* Write a field's siblings, one-way writes or list items. */
static void write_writes(struct spean_writer *w, const struct spean_field *field)
{
    const bool list = field->kind == SPEAN_KIND_LIST;
    spean_writer_array(w, (uint32_t)field->writes.count);
    for (size_t i = 0; i < field->writes.count; i++) {
        struct spean_write write;
        spean_part_view_write(field->writes.items[i], &write);
        spean_writer_array(w, list ? ITEM_ELEMENTS : WRITE_ELEMENTS);
        write_dot(w, &write.dot);
        spean_writer_uint(w, write.time);
        spean_writer_bin(w, write.entry.bytes, sizeof(write.entry.bytes));
        spean_writer_bin(w, write.org.bytes, sizeof(write.org.bytes));
        spean_writer_str(w, write.actor.data, write.actor.len);
        if (list) {
            spean_writer_bool(w, write.struck);
        }
        spean_writer_raw(w, write.value);
    }
}

static void write_set(struct spean_writer *w, const struct spean_field *field)
{
    spean_writer_array(w, (uint32_t)field->elements.count);
    for (size_t i = 0; i < field->elements.count; i++) {
        const struct spean_part_element *const e = field->elements.items[i];
        spean_writer_array(w, SET_ELEMENTS);
        spean_writer_raw(w, (struct spean_view){e->bytes, e->len});
        write_clock(w, &e->clock);
        write_dots(w, &e->dots);
    }
}

static void write_field(struct spean_writer *w, const struct spean_field *field)
{
    spean_writer_array(w, FIELD_ELEMENTS);
    spean_writer_uint(w, field->number);
    spean_writer_uint(w, field->kind);
    if (field->kind == SPEAN_KIND_SET) {
        write_set(w, field);
        return;
    }
    spean_writer_array(w, CONTENT_ELEMENTS);
    if (field->kind == SPEAN_KIND_LIST) {
        write_writes(w, field);
        write_dots(w, &field->strikes);
        return;
    }
    write_clock(w, &field->clock);
    write_writes(w, field);
}

spean_err spean_part_encode(const struct spean_part *part, uint8_t *buf, size_t cap,
                            struct spean_view *out)
{
    assert(part != NULL);
    assert(out != NULL);

    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, STATE_ELEMENTS);
    spean_writer_uint(&w, part->type);
    spean_writer_bin(&w, part->record.bytes, sizeof(part->record.bytes));
    spean_writer_uint(&w, part->part);
    if (part->created) {
        spean_writer_bin(&w, part->owner.bytes, sizeof(part->owner.bytes));
        spean_writer_raw(&w, (struct spean_view){part->fixed, part->fixed_len});
    } else {
        spean_writer_nil(&w);
        spean_writer_nil(&w);
    }
    spean_writer_array(&w, (uint32_t)part->fields.count);
    for (size_t i = 0; i < part->fields.count; i++) {
        write_field(&w, part->fields.items[i]);
    }
    spean_writer_array(&w, (uint32_t)part->unknowns.count);
    for (size_t i = 0; i < part->unknowns.count; i++) {
        const struct spean_part_unknown *const u = part->unknowns.items[i];
        spean_writer_array(&w, UNKNOWN_ELEMENTS);
        write_dot(&w, &u->dot);
        spean_writer_raw(&w, (struct spean_view){u->bytes, u->len});
    }
    return spean_writer_end(&w, out);
}

void spean_part_hash(struct spean_id *out, struct spean_view state)
{
    assert(out != NULL);

    spean_hash(out->bytes, sizeof(out->bytes), SPEAN_DOMAIN_STATE, state.data, state.len);
}

/* A state being read into a part. */
struct reading {
    struct spean_reader r;
    struct spean_part *part;
};

/* Make an error of building the part the reader's: so one loop condition serves both. */
static void check(struct reading *in, spean_err err)
{
    if (err != SPEAN_OK) {
        spean_reader_fail(&in->r, err);
    }
}

static void require(struct reading *in, bool condition)
{
    check(in, condition ? SPEAN_OK : SPEAN_EFORMAT);
}

static bool failed(const struct reading *in)
{
    return spean_reader_failed(&in->r);
}

static struct spean_dot read_dot(struct reading *in)
{
    struct spean_dot dot = {0};
    const struct spean_view value = spean_reader_value(&in->r, SPEAN_DOT_BYTES_MAX);
    if (!failed(in)) {
        check(in, spean_dot_decode(value, &dot));
    }
    return dot;
}

static struct spean_view read_value(struct reading *in)
{
    const struct spean_view value = spean_reader_value(&in->r, SPEAN_VALUE_BYTES_MAX);
    if (!failed(in)) {
        check(in, spean_value_check(value));
    }
    return value;
}

static void read_clock(struct reading *in, struct spean_clock *clock)
{
    const uint32_t count = spean_reader_array(&in->r, 0, SPEAN_PART_ROWS_MAX);
    uint64_t before = 0;
    for (uint32_t i = 0; i < count && !failed(in); i++) {
        uint8_t name[SPEAN_SHORT_BYTES];
        (void)spean_reader_array(&in->r, ROW_ELEMENTS, ROW_ELEMENTS);
        spean_reader_bin_fixed(&in->r, name, sizeof(name));
        const uint64_t seq = spean_reader_uint(&in->r, UINT64_MAX);
        const uint64_t log = spean_u64_get(name);
        require(in, seq > 0 && (i == 0 || log > before));
        before = log;
        if (!failed(in)) {
            check(in, spean_part_raise(in->part, clock, log, seq));
        }
    }
}

static struct spean_write read_write(struct reading *in, bool list)
{
    const uint32_t elements = list ? ITEM_ELEMENTS : WRITE_ELEMENTS;
    struct spean_write w = {0};
    (void)spean_reader_array(&in->r, elements, elements);
    w.dot = read_dot(in);
    w.time = spean_reader_uint(&in->r, INT64_MAX);
    spean_reader_bin_fixed(&in->r, w.entry.bytes, sizeof(w.entry.bytes));
    spean_reader_bin_fixed(&in->r, w.org.bytes, sizeof(w.org.bytes));
    w.actor = spean_reader_str(&in->r, 0, SPEAN_ACTOR_BYTES_MAX);
    if (list) {
        w.struck = spean_reader_bool(&in->r);
    }
    w.value = read_value(in);
    return w;
}

/* Read clock and writes of a value, strictest or one-way field. */
static void read_writes(struct reading *in, struct spean_field *field)
{
    (void)spean_reader_array(&in->r, CONTENT_ELEMENTS, CONTENT_ELEMENTS);
    read_clock(in, &field->clock);
    const uint32_t count = spean_reader_array(&in->r, 0, SPEAN_PART_ROWS_MAX);
    struct spean_dot before = {0};
    for (uint32_t i = 0; i < count && !failed(in); i++) {
        const struct spean_write w = read_write(in, false);
        const bool kept = field->kind == SPEAN_KIND_ONE_WAY ||
                          !spean_clock_covers(&field->clock, w.dot.log, w.dot.seq);
        require(in, kept && (i == 0 || spean_dot_compare(&before, &w.dot) < 0));
        before = w.dot;
        if (!failed(in)) {
            check(in, spean_part_add_write(in->part, field, &w));
        }
    }
}

static void read_strikes(struct reading *in, struct spean_field *field)
{
    const uint32_t count = spean_reader_array(&in->r, 0, SPEAN_PART_ROWS_MAX);
    for (uint32_t i = 0; i < count && !failed(in); i++) {
        const struct spean_dot dot = read_dot(in);
        if (failed(in)) {
            return;
        }
        check(in, spean_part_add_strike(in->part, field, &dot));
        /* One that ascends and names no item held is now the last of the strikes. */
        const size_t kept = field->strikes.count;
        require(in, kept == i + 1 && spean_dot_compare(field->strikes.items[i], &dot) == 0);
    }
}

static void read_list(struct reading *in, struct spean_field *field)
{
    (void)spean_reader_array(&in->r, CONTENT_ELEMENTS, CONTENT_ELEMENTS);
    const uint32_t count = spean_reader_array(&in->r, 0, SPEAN_PART_ROWS_MAX);
    for (uint32_t i = 0; i < count && !failed(in); i++) {
        const struct spean_write item = read_write(in, true);
        if (failed(in)) {
            return;
        }
        check(in, spean_part_add_item(in->part, field, &item));
        if (failed(in) || field->writes.count != i + 1) {
            require(in, false); /* It was there already. */
            return;
        }
        struct spean_write last;
        spean_part_view_write(field->writes.items[i], &last);
        require(in, spean_dot_compare(&last.dot, &item.dot) == 0);
        require(in, i == 0 || spean_part_compare_items(field->writes.items[i - 1],
                                                       field->writes.items[i]) < 0);
    }
    read_strikes(in, field);
}

static void read_dots(struct reading *in, struct spean_part_element *element)
{
    const uint32_t count = spean_reader_array(&in->r, 0, SPEAN_PART_ROWS_MAX);
    struct spean_dot before = {0};
    for (uint32_t i = 0; i < count && !failed(in); i++) {
        const struct spean_dot dot = read_dot(in);
        const bool kept = !spean_clock_covers(&element->clock, dot.log, dot.seq);
        require(in, kept && (i == 0 || spean_dot_compare(&before, &dot) < 0));
        before = dot;
        if (!failed(in)) {
            check(in, spean_part_add_dot(element, &dot));
        }
    }
}

static void read_set(struct reading *in, struct spean_field *field)
{
    const uint32_t count = spean_reader_array(&in->r, 0, SPEAN_PART_ROWS_MAX);
    for (uint32_t i = 0; i < count && !failed(in); i++) {
        (void)spean_reader_array(&in->r, SET_ELEMENTS, SET_ELEMENTS);
        const struct spean_view bytes = read_value(in);
        struct spean_part_element *element = NULL;
        if (failed(in)) {
            return;
        }
        check(in, spean_part_take_element(in->part, field, bytes, &element));
        /* One that ascends is new, and the last. */
        if (failed(in) || field->elements.count != i + 1 || field->elements.items[i] != element) {
            require(in, false);
            return;
        }
        read_clock(in, &element->clock);
        read_dots(in, element);
    }
}

static void read_fields(struct reading *in)
{
    struct spean_part *const part = in->part;
    const uint32_t count = spean_reader_array(&in->r, 0, SPEAN_PART_ROWS_MAX);
    for (uint32_t i = 0; i < count && !failed(in); i++) {
        (void)spean_reader_array(&in->r, FIELD_ELEMENTS, FIELD_ELEMENTS);
        const uint64_t number = spean_reader_uint(&in->r, UINT64_MAX);
        const uint64_t kind = spean_reader_uint(&in->r, SPEAN_KIND_ONE_WAY);
        struct spean_field *field = NULL;
        require(in, kind != SPEAN_KIND_FIXED);
        if (failed(in)) {
            return;
        }
        check(in, spean_part_take_field(part, number, kind, &field));
        /* One that ascends is new, and the last. */
        if (failed(in) || part->fields.count != i + 1 || part->fields.items[i] != field) {
            require(in, false);
            return;
        }
        switch (kind) {
        case SPEAN_KIND_SET:
            read_set(in, field);
            break;
        case SPEAN_KIND_LIST:
            read_list(in, field);
            break;
        default:
            read_writes(in, field);
            break;
        }
    }
}

static void read_unknowns(struct reading *in)
{
    const uint32_t count = spean_reader_array(&in->r, 0, SPEAN_PART_ROWS_MAX);
    struct spean_dot before = {0};
    for (uint32_t i = 0; i < count && !failed(in); i++) {
        (void)spean_reader_array(&in->r, UNKNOWN_ELEMENTS, UNKNOWN_ELEMENTS);
        const struct spean_dot dot = read_dot(in);
        const uint8_t *const start = in->r.pos;
        struct spean_operation op;
        spean_operation_read(&in->r, &op);
        require(in, op.kind > SPEAN_KIND_ONE_WAY);
        require(in, i == 0 || spean_dot_compare(&before, &dot) < 0);
        before = dot;
        if (!failed(in)) {
            const struct spean_view bytes = {start, (size_t)(in->r.pos - start)};
            check(in, spean_part_add_unknown(in->part, &dot, bytes));
        }
    }
}

/* Read owner and fixed fields: both or none. */
static void read_created(struct reading *in)
{
    if (spean_reader_nil(&in->r)) {
        require(in, spean_reader_nil(&in->r));
        return;
    }
    struct spean_id owner;
    spean_reader_bin_fixed(&in->r, owner.bytes, sizeof(owner.bytes));
    const struct spean_view fixed = spean_fixed_read(&in->r);
    if (!failed(in)) {
        check(in, spean_part_set_created(in->part, &owner, fixed));
    }
}

spean_err spean_part_decode(struct spean_view state, struct spean_part **out)
{
    assert(out != NULL);

    struct reading in = {.part = NULL};
    struct spean_record_id record;
    spean_reader_init(&in.r, state);
    (void)spean_reader_array(&in.r, STATE_ELEMENTS, STATE_ELEMENTS);
    const uint64_t type = spean_reader_uint(&in.r, UINT64_MAX);
    spean_reader_bin_fixed(&in.r, record.bytes, sizeof(record.bytes));
    const uint64_t number = spean_reader_uint(&in.r, UINT64_MAX);
    spean_err err = spean_part_new(&in.part, type, &record, number);
    if (err != SPEAN_OK) {
        return err;
    }
    read_created(&in);
    read_fields(&in);
    read_unknowns(&in);
    err = spean_reader_end(&in.r);
    if (err != SPEAN_OK) {
        spean_part_free(in.part);
        return err;
    }
    *out = in.part;
    return SPEAN_OK;
}
