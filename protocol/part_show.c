#include <assert.h>
#include <string.h>

#include "protocol/fold.h"
#include "protocol/part.h"
#include "protocol/schema.h"

void spean_part_get_info(const struct spean_part *part, struct spean_part_info *out)
{
    assert(part != NULL);
    assert(out != NULL);

    *out = (struct spean_part_info){
        .type = part->type,
        .record = part->record,
        .part = part->part,
        .created = part->created,
        .owner = part->owner,
        .fixed = {part->fixed, part->fixed_len},
    };
}

size_t spean_part_fields_count(const struct spean_part *part)
{
    assert(part != NULL);

    return part->fields.count;
}

const struct spean_field *spean_part_field(const struct spean_part *part, size_t index)
{
    assert(part != NULL);
    assert(index < part->fields.count);

    return part->fields.items[index];
}

uint64_t spean_field_number(const struct spean_field *field)
{
    assert(field != NULL);

    return field->number;
}

uint64_t spean_field_kind(const struct spean_field *field)
{
    assert(field != NULL);

    return field->kind;
}

void spean_part_view_write(const struct spean_part_write *held, struct spean_write *out)
{
    *out = (struct spean_write){
        .dot = held->dot,
        .time = held->time,
        .entry = held->entry,
        .org = held->org,
        .actor = {held->bytes, held->actor_len},
        .value = {held->bytes + held->actor_len, held->value_len},
        .struck = held->struck,
    };
}

size_t spean_field_writes_count(const struct spean_field *field)
{
    assert(field != NULL);

    return field->writes.count;
}

void spean_field_get_write(const struct spean_field *field, size_t index, struct spean_write *out)
{
    assert(field != NULL);
    assert(index < field->writes.count);
    assert(out != NULL);

    spean_part_view_write(field->writes.items[index], out);
}

uint32_t spean_field_items_away(const struct spean_field *field)
{
    assert(field != NULL);

    return field->items_away;
}

uint32_t spean_field_strikes_away(const struct spean_field *field)
{
    assert(field != NULL);

    return field->strikes_away;
}

size_t spean_field_strikes_count(const struct spean_field *field)
{
    assert(field != NULL);

    return field->strikes.count;
}

void spean_field_get_strike(const struct spean_field *field, size_t index, struct spean_dot *out)
{
    assert(field != NULL);
    assert(index < field->strikes.count);
    assert(out != NULL);

    *out = *(const struct spean_dot *)field->strikes.items[index];
}

bool spean_field_conflict(const struct spean_field *field)
{
    assert(field != NULL);

    if (field->kind != SPEAN_KIND_VALUE || field->writes.count == 0) {
        return false;
    }
    struct spean_write first;
    spean_part_view_write(field->writes.items[0], &first);
    for (size_t i = 1; i < field->writes.count; i++) {
        struct spean_write other;
        spean_part_view_write(field->writes.items[i], &other);
        if (other.value.len != first.value.len ||
            memcmp(other.value.data, first.value.data, first.value.len) != 0) {
            return true;
        }
    }
    return false;
}

/* Say whether a is shown rather than b: of values the highest, of one-way writes the lowest. */
static bool shown_before(uint64_t kind, const struct spean_part_write *a,
                         const struct spean_part_write *b)
{
    if (kind == SPEAN_KIND_ONE_WAY) {
        return spean_id_compare(&a->entry, &b->entry) < 0;
    }
    return a->time != b->time ? a->time > b->time : spean_id_compare(&a->entry, &b->entry) > 0;
}

bool spean_field_get_shown(const struct spean_field *field, struct spean_write *out)
{
    assert(field != NULL);
    assert(out != NULL);

    const bool has_one = field->kind == SPEAN_KIND_VALUE || field->kind == SPEAN_KIND_ONE_WAY;
    if (!has_one || field->writes.count == 0) {
        return false;
    }
    const struct spean_part_write *shown = field->writes.items[0];
    for (size_t i = 1; i < field->writes.count; i++) {
        if (shown_before(field->kind, field->writes.items[i], shown)) {
            shown = field->writes.items[i];
        }
    }
    spean_part_view_write(shown, out);
    return true;
}

size_t spean_field_elements_count(const struct spean_field *field)
{
    assert(field != NULL);

    return field->elements.count;
}

bool spean_field_get_element(const struct spean_field *field, size_t index,
                             struct spean_view *element)
{
    assert(field != NULL);
    assert(index < field->elements.count);
    assert(element != NULL);

    const struct spean_part_element *const e = field->elements.items[index];
    *element = (struct spean_view){e->bytes, e->len};
    return e->dots.count > 0;
}

bool spean_field_get_element_dot(const struct spean_field *field, size_t index,
                                 struct spean_dot *out)
{
    assert(field != NULL);
    assert(index < field->elements.count);
    assert(out != NULL);

    const struct spean_part_element *const e = field->elements.items[index];
    if (e->dots.count == 0) {
        return false;
    }
    *out = *(const struct spean_dot *)e->dots.items[0];
    return true;
}

size_t spean_part_unknown_count(const struct spean_part *part)
{
    assert(part != NULL);

    return part->unknowns.count;
}

void spean_part_get_unknown(const struct spean_part *part, size_t index, struct spean_dot *dot,
                            struct spean_view *operation)
{
    assert(part != NULL);
    assert(index < part->unknowns.count);
    assert(dot != NULL);
    assert(operation != NULL);

    const struct spean_part_unknown *const u = part->unknowns.items[index];
    *dot = u->dot;
    *operation = (struct spean_view){u->bytes, u->len};
}
