#include "protocol/part.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/schema.h"

/* Free what held len bytes of somebody's words. */
static void wipe_free(void *memory, size_t len)
{
    if (memory != NULL) {
        sodium_memzero(memory, len);
        free(memory);
    }
}

static void write_free(struct spean_part_write *w)
{
    wipe_free(w, sizeof(*w) + w->actor_len + w->value_len);
}

static void dots_fini(struct spean_sorted *dots)
{
    for (size_t i = 0; i < dots->count; i++) {
        free(dots->items[i]);
    }
    spean_sorted_fini(dots);
}

static void element_free(struct spean_part_element *e)
{
    spean_clock_fini(&e->clock);
    dots_fini(&e->dots);
    wipe_free(e, sizeof(*e) + e->len);
}

static void field_free(struct spean_field *f)
{
    for (size_t i = 0; i < f->writes.count; i++) {
        write_free(f->writes.items[i]);
    }
    for (size_t i = 0; i < f->elements.count; i++) {
        element_free(f->elements.items[i]);
    }
    spean_clock_fini(&f->clock);
    spean_sorted_fini(&f->writes);
    spean_sorted_fini(&f->by_dot);
    dots_fini(&f->strikes);
    spean_sorted_fini(&f->elements);
    free(f);
}

spean_err spean_part_new(struct spean_part **out, uint64_t type,
                         const struct spean_record_id *record, uint64_t part)
{
    assert(out != NULL);
    assert(record != NULL);

    struct spean_part *const p = calloc(1, sizeof(*p));
    if (p == NULL) {
        return SPEAN_ENOMEM;
    }
    p->type = type;
    p->record = *record;
    p->part = part;
    *out = p;
    return SPEAN_OK;
}

void spean_part_free(struct spean_part *part)
{
    if (part == NULL) {
        return;
    }
    for (size_t i = 0; i < part->fields.count; i++) {
        field_free(part->fields.items[i]);
    }
    for (size_t i = 0; i < part->unknowns.count; i++) {
        struct spean_part_unknown *const u = part->unknowns.items[i];
        wipe_free(u, sizeof(*u) + u->len);
    }
    spean_sorted_fini(&part->fields);
    spean_sorted_fini(&part->unknowns);
    wipe_free(part->fixed, part->fixed_len);
    free(part);
}

/* Count one thing more of those that SPEAN_PART_ROWS_MAX bounds. */
static spean_err count_row(struct spean_part *part)
{
    if (part->rows_count == SPEAN_PART_ROWS_MAX) {
        return SPEAN_ELIMIT;
    }
    part->rows_count++;
    return SPEAN_OK;
}

/* Insert a new counted thing at index; the caller frees it after an error. */
static spean_err insert_counted(struct spean_part *part, struct spean_sorted *s, size_t index,
                                void *item)
{
    const spean_err err = count_row(part);
    return err == SPEAN_OK ? spean_sorted_insert(s, index, item) : err;
}

static int bytes_compare(struct spean_view a, struct spean_view b)
{
    const size_t shared = a.len < b.len ? a.len : b.len;
    const int order = memcmp(a.data, b.data, shared);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int field_compare(const void *key, const void *item)
{
    const struct spean_field *const a = key;
    const struct spean_field *const b = item;
    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }
    return (a->kind > b->kind) - (a->kind < b->kind);
}

static int element_compare(const void *key, const void *item)
{
    const struct spean_view *const a = key;
    const struct spean_part_element *const b = item;
    return bytes_compare(*a, (struct spean_view){b->bytes, b->len});
}

static int dot_compare(const void *key, const void *item)
{
    return spean_dot_compare(key, item);
}

static int write_compare(const void *key, const void *item)
{
    const struct spean_part_write *const w = item;
    return spean_dot_compare(key, &w->dot);
}

static int unknown_compare(const void *key, const void *item)
{
    const struct spean_part_unknown *const u = item;
    return spean_dot_compare(key, &u->dot);
}

int spean_part_compare_items(const void *a, const void *b)
{
    const struct spean_part_write *const x = a;
    const struct spean_part_write *const y = b;
    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }
    const int order = spean_id_compare(&x->entry, &y->entry);
    return order != 0 ? order : (x->dot.index > y->dot.index) - (x->dot.index < y->dot.index);
}

const struct spean_field *spean_part_find(const struct spean_part *part, uint64_t field,
                                          uint64_t kind)
{
    assert(part != NULL);

    const struct spean_field key = {.number = field, .kind = kind};
    bool found = false;
    const size_t at = spean_sorted_find(&part->fields, &key, field_compare, &found);
    return found ? part->fields.items[at] : NULL;
}

spean_err spean_part_take_field(struct spean_part *part, uint64_t number, uint64_t kind,
                                struct spean_field **out)
{
    const struct spean_field key = {.number = number, .kind = kind};
    bool found = false;
    const size_t at = spean_sorted_find(&part->fields, &key, field_compare, &found);
    if (found) {
        *out = part->fields.items[at];
        return SPEAN_OK;
    }
    struct spean_field *const f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return SPEAN_ENOMEM;
    }
    f->number = number;
    f->kind = kind;
    const spean_err err = insert_counted(part, &part->fields, at, f);
    if (err != SPEAN_OK) {
        free(f);
        return err;
    }
    *out = f;
    return SPEAN_OK;
}

spean_err spean_part_take_element(struct spean_part *part, struct spean_field *field,
                                  struct spean_view bytes, struct spean_part_element **out)
{
    bool found = false;
    const size_t at = spean_sorted_find(&field->elements, &bytes, element_compare, &found);
    if (found) {
        *out = field->elements.items[at];
        return SPEAN_OK;
    }
    struct spean_part_element *const e = calloc(1, sizeof(*e) + bytes.len);
    if (e == NULL) {
        return SPEAN_ENOMEM;
    }
    e->len = bytes.len;
    memcpy(e->bytes, bytes.data, bytes.len);
    const spean_err err = insert_counted(part, &field->elements, at, e);
    if (err != SPEAN_OK) {
        element_free(e);
        return err;
    }
    *out = e;
    return SPEAN_OK;
}

spean_err spean_part_raise(struct spean_part *part, struct spean_clock *clock, uint64_t log,
                           uint64_t seq)
{
    const uint32_t before = clock->count;
    const spean_err err = spean_clock_raise(clock, log, seq);
    if (err != SPEAN_OK || clock->count == before) {
        return err;
    }
    return count_row(part);
}

static struct spean_part_write *write_new(const struct spean_write *w)
{
    struct spean_part_write *const held = calloc(1, sizeof(*held) + w->actor.len + w->value.len);
    if (held == NULL) {
        return NULL;
    }
    held->dot = w->dot;
    held->time = w->time;
    held->entry = w->entry;
    held->org = w->org;
    held->struck = w->struck;
    held->actor_len = w->actor.len;
    held->value_len = w->value.len;
    if (w->actor.len > 0) {
        memcpy(held->bytes, w->actor.data, w->actor.len);
    }
    memcpy(held->bytes + w->actor.len, w->value.data, w->value.len);
    return held;
}

spean_err spean_part_add_write(struct spean_part *part, struct spean_field *field,
                               const struct spean_write *write)
{
    bool found = false;
    const size_t at = spean_sorted_find(&field->writes, &write->dot, write_compare, &found);
    if (found) {
        return SPEAN_OK;
    }
    struct spean_part_write *const held = write_new(write);
    if (held == NULL) {
        return SPEAN_ENOMEM;
    }
    /* Siblings come and go; there are never more of them than logs in the clock and one. */
    const spean_err err = field->kind == SPEAN_KIND_ONE_WAY
                              ? insert_counted(part, &field->writes, at, held)
                              : spean_sorted_insert(&field->writes, at, held);
    if (err != SPEAN_OK) {
        write_free(held);
    }
    return err;
}

void spean_part_drop_covered(struct spean_field *field)
{
    for (size_t i = field->writes.count; i-- > 0;) {
        struct spean_part_write *const w = field->writes.items[i];
        if (spean_clock_covers(&field->clock, w->dot.log, w->dot.seq)) {
            spean_sorted_remove(&field->writes, i);
            write_free(w);
        }
    }
}

void spean_part_drop_covered_dots(struct spean_part_element *element)
{
    for (size_t i = element->dots.count; i-- > 0;) {
        struct spean_dot *const dot = element->dots.items[i];
        if (spean_clock_covers(&element->clock, dot->log, dot->seq)) {
            spean_sorted_remove(&element->dots, i);
            free(dot);
        }
    }
}

/* Take away the strike of an item that was not held. */
static void drop_strike(struct spean_field *field, const struct spean_dot *dot)
{
    bool found = false;
    const size_t at = spean_sorted_find(&field->strikes, dot, dot_compare, &found);
    assert(found);
    free(field->strikes.items[at]);
    spean_sorted_remove(&field->strikes, at);
}

/* Put held into both orders of the list. */
static spean_err insert_item(struct spean_field *field, size_t by_dot_at,
                             struct spean_part_write *held)
{
    spean_err err = spean_sorted_insert(&field->by_dot, by_dot_at, held);
    if (err != SPEAN_OK) {
        write_free(held);
        return err;
    }
    bool found = false;
    const size_t at = spean_sorted_find(&field->writes, held, spean_part_compare_items, &found);
    err = spean_sorted_insert(&field->writes, at, held);
    if (err != SPEAN_OK) {
        spean_sorted_remove(&field->by_dot, by_dot_at);
        write_free(held);
    }
    return err;
}

bool spean_field_holds(const struct spean_field *field, const struct spean_dot *dot)
{
    assert(field != NULL);
    assert(dot != NULL);

    bool item = false;
    bool strike = false;
    (void)spean_sorted_find(&field->by_dot, dot, write_compare, &item);
    (void)spean_sorted_find(&field->strikes, dot, dot_compare, &strike);
    return item || strike;
}

spean_err spean_part_hold_item_at(struct spean_field *field, const struct spean_write *item)
{
    bool found = false;
    const size_t at = spean_sorted_find(&field->by_dot, &item->dot, write_compare, &found);
    if (found) {
        return SPEAN_EFORMAT;
    }
    struct spean_part_write *const held = write_new(item);
    return held == NULL ? SPEAN_ENOMEM : insert_item(field, at, held);
}

spean_err spean_part_add_item(struct spean_part *part, struct spean_field *field,
                              const struct spean_write *item)
{
    bool struck = false;
    bool found = false;
    (void)spean_sorted_find(&field->by_dot, &item->dot, write_compare, &found);
    if (found) {
        return SPEAN_OK;
    }
    (void)spean_sorted_find(&field->strikes, &item->dot, dot_compare, &struck);
    struct spean_write held = *item;
    held.struck = item->struck || struck;
    const spean_err err = spean_part_hold_item_at(field, &held);
    if (err != SPEAN_OK) {
        return err;
    }
    if (struck) {
        drop_strike(field, &item->dot);
        return SPEAN_OK; /* Counted when the strike came. */
    }
    return count_row(part);
}

static spean_err insert_dot(struct spean_sorted *dots, size_t at, const struct spean_dot *dot)
{
    struct spean_dot *const held = malloc(sizeof(*held));
    if (held == NULL) {
        return SPEAN_ENOMEM;
    }
    *held = *dot;
    const spean_err err = spean_sorted_insert(dots, at, held);
    if (err != SPEAN_OK) {
        free(held);
    }
    return err;
}

spean_err spean_part_hold_strike_at(struct spean_field *field, const struct spean_dot *dot)
{
    bool found = false;
    const size_t at = spean_sorted_find(&field->strikes, dot, dot_compare, &found);
    return found ? SPEAN_EFORMAT : insert_dot(&field->strikes, at, dot);
}

spean_err spean_part_add_strike(struct spean_part *part, struct spean_field *field,
                                const struct spean_dot *dot)
{
    bool found = false;
    size_t at = spean_sorted_find(&field->by_dot, dot, write_compare, &found);
    if (found) {
        struct spean_part_write *const item = field->by_dot.items[at];
        item->struck = true;
        return SPEAN_OK;
    }
    at = spean_sorted_find(&field->strikes, dot, dot_compare, &found);
    if (found) {
        return SPEAN_OK;
    }
    const spean_err err = count_row(part);
    return err == SPEAN_OK ? insert_dot(&field->strikes, at, dot) : err;
}

spean_err spean_part_add_dot(struct spean_part_element *element, const struct spean_dot *dot)
{
    bool found = false;
    const size_t at = spean_sorted_find(&element->dots, dot, dot_compare, &found);
    return found ? SPEAN_OK : insert_dot(&element->dots, at, dot);
}

spean_err spean_part_add_unknown(struct spean_part *part, const struct spean_dot *dot,
                                 struct spean_view operation)
{
    bool found = false;
    const size_t at = spean_sorted_find(&part->unknowns, dot, unknown_compare, &found);
    if (found) {
        return SPEAN_OK;
    }
    struct spean_part_unknown *const u = calloc(1, sizeof(*u) + operation.len);
    if (u == NULL) {
        return SPEAN_ENOMEM;
    }
    u->dot = *dot;
    u->len = operation.len;
    memcpy(u->bytes, operation.data, operation.len);
    const spean_err err = insert_counted(part, &part->unknowns, at, u);
    if (err != SPEAN_OK) {
        wipe_free(u, sizeof(*u) + u->len);
    }
    return err;
}

/*
 * Whether to take this in place of what is there. An author may create a record twice with unequal
 * fixed fields; the lowest bytes stand, in whatever order they come.
 */
static bool stands_before(const struct spean_part *part, const struct spean_id *owner,
                          struct spean_view fixed)
{
    if (!part->created) {
        return true;
    }
    const int order = spean_id_compare(owner, &part->owner);
    if (order != 0) {
        return order < 0;
    }
    return bytes_compare(fixed, (struct spean_view){part->fixed, part->fixed_len}) < 0;
}

spean_err spean_part_set_created(struct spean_part *part, const struct spean_id *owner,
                                 struct spean_view fixed)
{
    if (!stands_before(part, owner, fixed)) {
        return SPEAN_OK;
    }
    uint8_t *const copy = malloc(fixed.len);
    if (copy == NULL) {
        return SPEAN_ENOMEM;
    }
    memcpy(copy, fixed.data, fixed.len);
    wipe_free(part->fixed, part->fixed_len);
    part->created = true;
    part->owner = *owner;
    part->fixed = copy;
    part->fixed_len = fixed.len;
    return SPEAN_OK;
}
