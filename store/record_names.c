#include "store/record_names.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/change.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"

/* Sub-fields of map person_name. */
#define SUB_FULL   2u
#define SUB_FAMILY 3u
#define SUB_GIVEN  4u
#define SUB_KANA   5u
#define SUBS_COUNT 6u

#define NAME_BYTES_MAX 256u

struct listing {
    spean_record_name *each;
    void *ctx;
    spean_err err;
};

static void give(struct listing *listing, struct spean_view text)
{
    if (listing->err == SPEAN_OK && text.len > 0) {
        listing->err = listing->each(listing->ctx, text);
    }
}

/* Give every language of an encoded text. */
static void give_text(struct listing *listing, struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    const uint32_t count = spean_reader_map(&r, SPEAN_SCHEMA_ELEMENTS_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        (void)spean_reader_str(&r, 1, SPEAN_VALUE_BYTES_MAX);
        const struct spean_view text = spean_reader_str(&r, 0, SPEAN_VALUE_BYTES_MAX);
        if (!spean_reader_failed(&r)) {
            give(listing, text);
        }
    }
}

/* Give family and given name as one. */
static void give_both(struct listing *listing, struct spean_view family, struct spean_view given)
{
    uint8_t both[2 * NAME_BYTES_MAX + 1];
    if (family.len == 0 || given.len == 0) {
        give(listing, family.len > 0 ? family : given);
        return;
    }
    memcpy(both, family.data, family.len);
    both[family.len] = ' ';
    memcpy(both + family.len + 1, given.data, given.len);
    give(listing, (struct spean_view){both, family.len + 1 + given.len});
}

/* Give the names in an encoded map person_name. */
static void give_person(struct listing *listing, struct spean_view value)
{
    struct spean_view subs[SUBS_COUNT] = {{0}};
    struct spean_reader r;
    spean_reader_init(&r, value);
    const uint32_t count = spean_reader_map(&r, SPEAN_SCHEMA_ELEMENTS_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        const uint64_t sub = spean_reader_uint(&r, UINT64_MAX);
        if (sub >= SUB_FULL && sub < SUBS_COUNT) {
            subs[sub] = spean_reader_str(&r, 0, NAME_BYTES_MAX);
        } else {
            (void)spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        }
    }
    if (spean_reader_end(&r) != SPEAN_OK) {
        return;
    }
    give(listing, subs[SUB_FULL]);
    give_both(listing, subs[SUB_FAMILY], subs[SUB_GIVEN]);
    give(listing, subs[SUB_KANA]);
}

static void each_member(struct listing *listing, const struct spean_part *part, uint64_t field,
                        void (*give_one)(struct listing *, struct spean_view))
{
    const struct spean_field *const f = spean_part_find(part, field, SPEAN_KIND_SET);
    const size_t count = f == NULL ? 0 : spean_field_elements_count(f);
    for (size_t i = 0; i < count; i++) {
        struct spean_view element;
        if (spean_field_get_element(f, i, &element)) {
            give_one(listing, element);
        }
    }
}

static void each_sibling(struct listing *listing, const struct spean_part *part, uint64_t field)
{
    const struct spean_field *const f = spean_part_find(part, field, SPEAN_KIND_VALUE);
    const size_t count = f == NULL ? 0 : spean_field_writes_count(f);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(f, i, &write);
        give_text(listing, write.value);
    }
}

spean_err spean_record_names(const struct spean_part *part, spean_record_name *each, void *ctx)
{
    assert(part != NULL);
    assert(each != NULL);
    struct listing listing = {.each = each, .ctx = ctx, .err = SPEAN_OK};
    struct spean_part_info info;
    spean_part_get_info(part, &info);
    if (info.type == SPEAN_TYPE_AGENCY) {
        each_sibling(&listing, part, SPEAN_FIELD_AGENCY_NAMES);
        each_member(&listing, part, SPEAN_FIELD_AGENCY_ALIASES, give_text);
    } else if (info.type == SPEAN_TYPE_CASE) {
        each_member(&listing, part, SPEAN_FIELD_CASE_NAMES, give_person);
    }
    return listing.err;
}
