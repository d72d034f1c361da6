#include "node/name.h"

#include <string.h>

#include "protocol/change.h"
#include "protocol/fold.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/record.h"
#include "store/setup.h"

#define LANGS_MAX  64u
#define LANG_BYTES 64u
#define NAME_BYTES 4096u

/* Copy text, cut at a character's end if it is too long. */
static bool copy_text(struct spean_view text, char *out, size_t cap)
{
    size_t len = text.len < cap ? text.len : cap - 1;
    while (len > 0 && len < text.len && (text.data[len] & 0xc0) == 0x80) {
        len--;
    }
    if (len > 0) {
        memcpy(out, text.data, len);
    }
    out[len] = '\0';
    return len > 0;
}

static bool first_name(const struct spean_part *part, char *out, size_t cap)
{
    const struct spean_field *field =
        spean_part_find(part, SPEAN_FIELD_AGENCY_NAMES, SPEAN_KIND_VALUE);
    struct spean_write write;
    if (field == NULL || !spean_field_get_shown(field, &write)) {
        return false;
    }
    struct spean_reader r;
    spean_reader_init(&r, write.value);
    if (spean_reader_map(&r, LANGS_MAX) == 0) {
        return false;
    }
    (void)spean_reader_str(&r, 1, LANG_BYTES);
    const struct spean_view name = spean_reader_str(&r, 1, NAME_BYTES);
    return !spean_reader_failed(&r) && copy_text(name, out, cap);
}

static bool setup_name(const struct spean_core_view *view, char *out, size_t cap)
{
    struct spean_setup setup;
    struct spean_document doc;
    return spean_setup_get(view->tx, &setup, &doc) == SPEAN_OK && copy_text(setup.name, out, cap);
}

bool spean_name_of_org(const struct spean_core_view *view, const struct spean_id *org, char *out,
                       size_t cap)
{
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    bool found = false;
    while (!found && spean_record_lookup(view->tx, view->keys, SPEAN_LOOKUP_SELF,
                                         (struct spean_view){org->bytes, sizeof(org->bytes)}, after,
                                         &record) == SPEAN_OK) {
        const struct spean_part_name name = {record, SPEAN_PART_PUBLIC};
        struct spean_part *part = NULL;
        after = &record;
        if (spean_record_trunk(view->tx, view->keys, &name, &part) == SPEAN_OK) {
            found = first_name(part, out, cap);
            spean_part_free(part);
        }
    }
    return found || (spean_id_equal(org, spean_core_org(view->core)) && setup_name(view, out, cap));
}
