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
#define TRUNK_ELEMENTS   3u /* State without rows, lists, bytes that the rows take. */
#define AWAY_ELEMENTS    3u

/* Upper bounds of what things take encoded, without the bytes that somebody wrote. */
#define STATE_BYTES_MAX   160u
#define FIELD_BYTES_MAX   64u
#define WRITE_BYTES_MAX   160u
#define ELEMENT_BYTES_MAX 16u
#define ROW_BYTES_MAX     20u

/* More than so many rows can take. */
#define TRUNK_ROWS_BYTES_MAX ((uint64_t)SPEAN_PART_ROWS_MAX * SPEAN_ITEM_BYTES_MAX)

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

/* A state being written. */
struct writing {
    struct spean_writer w;
    bool trunk;                         /* Of lists nothing. */
    const struct spean_part_sink *sink; /* NULL: it stays in the buffer. */
    size_t poured;                      /* Bytes of the buffer that the sink has. */
    spean_err err;                      /* Of the sink. */
};

/* The rows of a list, here and elsewhere. */
static size_t items_count(const struct spean_field *list)
{
    return list->writes.count + list->items_away;
}

static size_t strikes_count(const struct spean_field *list)
{
    return list->strikes.count + list->strikes_away;
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

static void write_write(struct spean_writer *w, const struct spean_write *write, bool list)
{
    spean_writer_array(w, list ? ITEM_ELEMENTS : WRITE_ELEMENTS);
    write_dot(w, &write->dot);
    spean_writer_uint(w, write->time);
    spean_writer_bin(w, write->entry.bytes, sizeof(write->entry.bytes));
    spean_writer_bin(w, write->org.bytes, sizeof(write->org.bytes));
    spean_writer_str(w, write->actor.data, write->actor.len);
    if (list) {
        spean_writer_bool(w, write->struck);
    }
    spean_writer_raw(w, write->value);
}

/* Write a field's siblings or one-way writes, or its list items that are here. */
static void write_writes(struct spean_writer *w, const struct spean_field *field)
{
    for (size_t i = 0; i < field->writes.count; i++) {
        struct spean_write write;
        spean_part_view_write(field->writes.items[i], &write);
        write_write(w, &write, field->kind == SPEAN_KIND_LIST);
    }
}

/* Let the sink have what it does not have yet. */
static void pour(struct writing *out)
{
    if (out->sink == NULL || out->err != SPEAN_OK || out->w.err != SPEAN_OK) {
        return;
    }
    const struct spean_view bytes = {out->w.buf + out->poured, out->w.len - out->poured};
    out->poured = out->w.len;
    out->err = out->sink->bytes(out->sink->ctx, bytes);
}

/* Let the sink have the rows of a list that are kept elsewhere. */
static void pour_rows(struct writing *out, const struct spean_field *field, bool strikes)
{
    const uint32_t count = strikes ? field->strikes_away : field->items_away;
    if (out->sink == NULL || count == 0) {
        return;
    }
    pour(out);
    if (out->err == SPEAN_OK) {
        out->err = strikes ? out->sink->strikes(out->sink->ctx, field->number, count)
                           : out->sink->items(out->sink->ctx, field->number, count);
    }
}

static void write_list(struct writing *out, const struct spean_field *field)
{
    struct spean_writer *const w = &out->w;
    spean_writer_array(w, CONTENT_ELEMENTS);
    if (out->trunk) {
        spean_writer_array(w, 0);
        spean_writer_array(w, 0);
        return;
    }
    spean_writer_array(w, (uint32_t)items_count(field));
    write_writes(w, field);
    pour_rows(out, field, false);
    spean_writer_array(w, (uint32_t)strikes_count(field));
    for (size_t i = 0; i < field->strikes.count; i++) {
        write_dot(w, field->strikes.items[i]);
    }
    pour_rows(out, field, true);
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

static void write_field(struct writing *out, const struct spean_field *field)
{
    struct spean_writer *const w = &out->w;
    spean_writer_array(w, FIELD_ELEMENTS);
    spean_writer_uint(w, field->number);
    spean_writer_uint(w, field->kind);
    if (field->kind == SPEAN_KIND_SET) {
        write_set(w, field);
        return;
    }
    if (field->kind == SPEAN_KIND_LIST) {
        write_list(out, field);
        return;
    }
    spean_writer_array(w, CONTENT_ELEMENTS);
    write_clock(w, &field->clock);
    spean_writer_array(w, (uint32_t)field->writes.count);
    write_writes(w, field);
}

static void write_state(struct writing *out, const struct spean_part *part)
{
    struct spean_writer *const w = &out->w;
    spean_writer_array(w, STATE_ELEMENTS);
    spean_writer_uint(w, part->type);
    spean_writer_bin(w, part->record.bytes, sizeof(part->record.bytes));
    spean_writer_uint(w, part->part);
    if (part->created) {
        spean_writer_bin(w, part->owner.bytes, sizeof(part->owner.bytes));
        spean_writer_raw(w, (struct spean_view){part->fixed, part->fixed_len});
    } else {
        spean_writer_nil(w);
        spean_writer_nil(w);
    }
    spean_writer_array(w, (uint32_t)part->fields.count);
    for (size_t i = 0; i < part->fields.count; i++) {
        write_field(out, part->fields.items[i]);
    }
    spean_writer_array(w, (uint32_t)part->unknowns.count);
    for (size_t i = 0; i < part->unknowns.count; i++) {
        const struct spean_part_unknown *const u = part->unknowns.items[i];
        spean_writer_array(w, UNKNOWN_ELEMENTS);
        write_dot(w, &u->dot);
        spean_writer_raw(w, (struct spean_view){u->bytes, u->len});
    }
}

spean_err spean_part_encode(const struct spean_part *part, uint8_t *buf, size_t cap,
                            struct spean_view *out)
{
    assert(part != NULL);
    assert(part->bytes_away == 0);
    assert(out != NULL);

    struct writing to = {.err = SPEAN_OK};
    spean_writer_init(&to.w, buf, cap);
    write_state(&to, part);
    return spean_writer_end(&to.w, out);
}

/* -- The trunk ------------------------------------------------------------------------------- */

/* What the head of an array takes. */
static size_t head_len(size_t count)
{
    if (count < 16) {
        return 1;
    }
    return count <= UINT16_MAX ? 3 : 5;
}

/* Of all lists: what their rows take, here and elsewhere together, and what heads take that count
 * them rather than none. */
struct tally {
    uint32_t lists;
    size_t bytes;
    size_t heads;
};

static size_t item_len(const struct spean_write *item)
{
    uint8_t buf[WRITE_BYTES_MAX + SPEAN_ACTOR_BYTES_MAX];
    struct spean_write head = *item;
    struct spean_writer w;
    head.value.len = 0;
    spean_writer_init(&w, buf, sizeof(buf));
    write_write(&w, &head, true);
    assert(w.err == SPEAN_OK);
    return w.len + item->value.len;
}

static size_t dot_len(const struct spean_dot *dot)
{
    uint8_t buf[SPEAN_DOT_BYTES_MAX];
    return spean_dot_encode(dot, buf).len;
}

static struct tally tally_of(const struct spean_part *part)
{
    struct tally sum = {.bytes = part->bytes_away};
    for (size_t i = 0; i < part->fields.count; i++) {
        const struct spean_field *const f = part->fields.items[i];
        if (f->kind != SPEAN_KIND_LIST) {
            continue;
        }
        sum.lists++;
        sum.heads += head_len(items_count(f)) + head_len(strikes_count(f)) - 2 * head_len(0);
        for (size_t k = 0; k < f->writes.count; k++) {
            struct spean_write item;
            spean_part_view_write(f->writes.items[k], &item);
            sum.bytes += item_len(&item);
        }
        for (size_t k = 0; k < f->strikes.count; k++) {
            sum.bytes += dot_len(f->strikes.items[k]);
        }
    }
    return sum;
}

spean_err spean_part_pour(const struct spean_part *part, uint8_t *buf, size_t cap,
                          const struct spean_part_sink *sink)
{
    assert(part != NULL);
    assert(sink != NULL);
    assert(tally_of(part).bytes == part->bytes_away);

    struct writing to = {.sink = sink};
    struct spean_view all;
    spean_writer_init(&to.w, buf, cap);
    write_state(&to, part);
    pour(&to);
    return to.err == SPEAN_OK ? spean_writer_end(&to.w, &all) : to.err;
}

spean_err spean_part_encode_trunk(const struct spean_part *part, uint8_t *buf, size_t cap,
                                  struct spean_view *out, size_t *state_len)
{
    assert(part != NULL);
    assert(out != NULL);
    assert(state_len != NULL);

    const struct tally sum = tally_of(part);
    struct writing to = {.trunk = true};
    struct spean_writer *const w = &to.w;
    spean_writer_init(w, buf, cap);
    spean_writer_array(w, TRUNK_ELEMENTS);
    const size_t state_at = w->len;
    write_state(&to, part);
    *state_len = w->len - state_at + sum.heads + sum.bytes;
    spean_writer_array(w, sum.lists);
    for (size_t i = 0; i < part->fields.count; i++) {
        const struct spean_field *const f = part->fields.items[i];
        if (f->kind == SPEAN_KIND_LIST) {
            spean_writer_array(w, AWAY_ELEMENTS);
            spean_writer_uint(w, f->number);
            spean_writer_uint(w, items_count(f));
            spean_writer_uint(w, strikes_count(f));
        }
    }
    spean_writer_uint(w, sum.bytes);
    return spean_writer_end(w, out);
}

/* -- Hashing --------------------------------------------------------------------------------- */

void spean_part_hash_begin(struct spean_hash *h)
{
    spean_hash_begin(h, SPEAN_DOMAIN_STATE, SPEAN_ID_BYTES);
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

/* Read a state up to its end, which may not be that of the bytes; in->part is freed by the caller,
 * also after an error. */
static void read_state(struct reading *in)
{
    struct spean_record_id record;
    (void)spean_reader_array(&in->r, STATE_ELEMENTS, STATE_ELEMENTS);
    const uint64_t type = spean_reader_uint(&in->r, UINT64_MAX);
    spean_reader_bin_fixed(&in->r, record.bytes, sizeof(record.bytes));
    const uint64_t number = spean_reader_uint(&in->r, UINT64_MAX);
    if (failed(in)) {
        return;
    }
    check(in, spean_part_new(&in->part, type, &record, number));
    if (!failed(in)) {
        read_created(in);
        read_fields(in);
        read_unknowns(in);
    }
}

static spean_err read_end(struct reading *in, struct spean_part **out)
{
    const spean_err err = spean_reader_end(&in->r);
    if (err != SPEAN_OK) {
        spean_part_free(in->part);
        return err;
    }
    *out = in->part;
    return SPEAN_OK;
}

spean_err spean_part_decode(struct spean_view state, struct spean_part **out)
{
    assert(out != NULL);

    struct reading in = {.part = NULL};
    spean_reader_init(&in.r, state);
    read_state(&in);
    return read_end(&in, out);
}

/* Read how many rows of a list are kept elsewhere; in the trunk it has none. */
static void read_away(struct reading *in, struct spean_field *list)
{
    struct spean_part *const part = in->part;
    (void)spean_reader_array(&in->r, AWAY_ELEMENTS, AWAY_ELEMENTS);
    require(in, spean_reader_uint(&in->r, UINT64_MAX) == list->number);
    const uint64_t items = spean_reader_uint(&in->r, SPEAN_PART_ROWS_MAX);
    const uint64_t strikes = spean_reader_uint(&in->r, SPEAN_PART_ROWS_MAX);
    require(in, items + strikes > 0 && items + strikes <= SPEAN_PART_ROWS_MAX - part->rows_count);
    require(in, list->writes.count == 0 && list->strikes.count == 0);
    if (!failed(in)) {
        list->items_away = (uint32_t)items;
        list->strikes_away = (uint32_t)strikes;
        part->rows_count += (size_t)(items + strikes);
    }
}

spean_err spean_part_decode_trunk(struct spean_view trunk, struct spean_part **out)
{
    assert(out != NULL);

    struct reading in = {.part = NULL};
    spean_reader_init(&in.r, trunk);
    (void)spean_reader_array(&in.r, TRUNK_ELEMENTS, TRUNK_ELEMENTS);
    read_state(&in);
    const uint32_t count = spean_reader_array(&in.r, 0, SPEAN_PART_ROWS_MAX);
    uint32_t lists = 0;
    for (size_t i = 0; !failed(&in) && i < in.part->fields.count; i++) {
        struct spean_field *const field = in.part->fields.items[i];
        if (field->kind == SPEAN_KIND_LIST) {
            read_away(&in, field);
            lists++;
        }
    }
    const uint64_t bytes = spean_reader_uint(&in.r, TRUNK_ROWS_BYTES_MAX);
    require(&in, lists == count && (bytes > 0) == (lists > 0));
    if (!failed(&in)) {
        in.part->bytes_away = (size_t)bytes;
    }
    return read_end(&in, out);
}

/* -- Rows ------------------------------------------------------------------------------------ */

spean_err spean_item_encode(const struct spean_write *item, uint8_t *buf, size_t cap,
                            struct spean_view *out)
{
    assert(item != NULL);

    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    write_write(&w, item, true);
    return spean_writer_end(&w, out);
}

spean_err spean_item_decode(struct spean_view bytes, struct spean_write *out)
{
    assert(out != NULL);

    struct reading in = {.part = NULL};
    spean_reader_init(&in.r, bytes);
    const struct spean_write item = read_write(&in, true);
    const spean_err err = spean_reader_end(&in.r);
    if (err == SPEAN_OK) {
        *out = item;
    }
    return err;
}

bool spean_part_is_away(const struct spean_part *part, uint64_t field)
{
    const struct spean_field *const list = spean_part_find(part, field, SPEAN_KIND_LIST);
    return list != NULL && (list->items_away > 0 || list->strikes_away > 0);
}

/* The list that a row of len bytes is to be taken back into; NULL: it cannot be. */
static struct spean_field *list_of(struct spean_part *part, uint64_t number, size_t len)
{
    struct spean_field *list = NULL;
    if (!spean_part_is_away(part, number) || len > part->bytes_away) {
        return NULL;
    }
    const spean_err err = spean_part_take_field(part, number, SPEAN_KIND_LIST, &list);
    assert(err == SPEAN_OK); /* It is there. */
    return list;
}

spean_err spean_part_hold_item(struct spean_part *part, uint64_t field,
                               const struct spean_write *item)
{
    assert(part != NULL);
    assert(item != NULL);

    const size_t len = item_len(item);
    struct spean_field *const list = list_of(part, field, len);
    if (list == NULL || list->items_away == 0) {
        return SPEAN_EFORMAT;
    }
    const spean_err err = spean_part_hold_item_at(list, item);
    if (err == SPEAN_OK) {
        list->items_away--;
        part->bytes_away -= len;
    }
    return err;
}

spean_err spean_part_hold_strike(struct spean_part *part, uint64_t field,
                                 const struct spean_dot *dot)
{
    assert(part != NULL);
    assert(dot != NULL);

    const size_t len = dot_len(dot);
    struct spean_field *const list = list_of(part, field, len);
    if (list == NULL || list->strikes_away == 0) {
        return SPEAN_EFORMAT;
    }
    const spean_err err = spean_part_hold_strike_at(list, dot);
    if (err == SPEAN_OK) {
        list->strikes_away--;
        part->bytes_away -= len;
    }
    return err;
}
