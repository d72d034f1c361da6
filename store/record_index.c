/* The names that records can be looked up by: which there are, and the rows that lead from them. */
#include <assert.h>
#include <string.h>

#include "protocol/change.h"
#include "protocol/codes.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "store/record.h"
#include "store/record_names.h"
#include "store/seal.h"
#include "store/searchkey.h"

#define DOMAIN          "spean/store-lookup/1"
#define NAME_BYTES      (1u + SPEAN_SEAL_NAME_BYTES) /* Kind of lookup, hidden name. */
#define NAMES_MAX       1024u                        /* Of one part; more are not found. */
#define NAME_TEXT_BYTES 256u

/* The hidden names of a part, one after the other. */
struct names {
    const struct spean_keys *keys;
    spean_err err;
    uint32_t count;
    uint8_t bytes[NAMES_MAX * NAME_BYTES];
};

static void names_add(struct names *names, enum spean_lookup lookup, struct spean_view name)
{
    if (names->err != SPEAN_OK || names->count == NAMES_MAX) {
        return;
    }
    uint8_t *const at = names->bytes + (size_t)names->count * NAME_BYTES;
    at[0] = (uint8_t)lookup;
    names->err = spean_seal_name(names->keys, DOMAIN, name, at + 1);
    names->count++;
}

/* Add the record id that value encodes. */
static void names_add_record(struct names *names, enum spean_lookup lookup, struct spean_view value)
{
    struct spean_record_id id;
    struct spean_reader r;
    spean_reader_init(&r, value);
    spean_reader_bin_fixed(&r, id.bytes, sizeof(id.bytes));
    if (spean_reader_end(&r) == SPEAN_OK) {
        names_add(names, lookup, (struct spean_view){id.bytes, sizeof(id.bytes)});
    }
}

/* Add scheme, a 0 byte, and value of an encoded identifier. */
static void names_add_identifier(struct names *names, struct spean_view value)
{
    struct spean_view parts[2] = {{0}};
    struct spean_reader r;
    spean_reader_init(&r, value);
    const uint32_t count = spean_reader_map(&r, SPEAN_SCHEMA_ELEMENTS_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        const uint64_t sub = spean_reader_uint(&r, UINT64_MAX);
        if (sub == 1 || sub == 2) {
            parts[sub - 1] = spean_reader_str(&r, 0, NAME_TEXT_BYTES / 2 - 1);
        } else {
            (void)spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        }
    }
    if (spean_reader_end(&r) != SPEAN_OK || parts[0].len == 0 || parts[1].len == 0) {
        return;
    }
    uint8_t text[NAME_TEXT_BYTES];
    (void)memcpy(text, parts[0].data, parts[0].len);
    text[parts[0].len] = 0;
    (void)memcpy(text + parts[0].len + 1, parts[1].data, parts[1].len);
    names_add(names, SPEAN_LOOKUP_IDENTIFIER,
              (struct spean_view){text, parts[0].len + 1 + parts[1].len});
}

/* Where the names by which people look go. */
struct people_names {
    struct names *names;
    enum spean_lookup lookup;
};

/* Add the search key of a name, once: names in several scripts may come to the same. */
static spean_err add_people_name(void *ctx, struct spean_view text)
{
    const struct people_names *const people = ctx;
    struct names *const names = people->names;
    char *key = NULL;
    const spean_err err = spean_searchkey_name(text, &key);
    if (err != SPEAN_OK) {
        return err == SPEAN_EINPUT ? SPEAN_OK : err; /* Nobody can look for it. */
    }
    const uint32_t count = names->count;
    if (key[0] != '\0') {
        names_add(names, people->lookup, (struct spean_view){(const uint8_t *)key, strlen(key)});
    }
    spean_searchkey_free(key);
    const uint8_t *const added = names->bytes + (size_t)count * NAME_BYTES;
    for (uint32_t i = 0; i < count && names->count > count; i++) {
        if (memcmp(names->bytes + (size_t)i * NAME_BYTES, added, NAME_BYTES) == 0) {
            names->count = count;
        }
    }
    return names->err;
}

static void add_people_names(struct names *names, const struct spean_part *part,
                             enum spean_lookup lookup)
{
    struct people_names people = {names, lookup};
    const spean_err err = spean_record_names(part, add_people_name, &people);
    names->err = names->err == SPEAN_OK ? err : names->err;
}

/* Call for the members of a set field. */
static void each_member(struct names *names, const struct spean_part *part, uint64_t field,
                        void (*add)(struct names *, struct spean_view))
{
    const struct spean_field *const f = spean_part_find(part, field, SPEAN_KIND_SET);
    if (f == NULL) {
        return;
    }
    const size_t count = spean_field_elements_count(f);
    for (size_t i = 0; i < count; i++) {
        struct spean_view element;
        if (spean_field_get_element(f, i, &element)) {
            add(names, element);
        }
    }
}

static void add_referral(struct names *names, struct spean_view value)
{
    names_add_record(names, SPEAN_LOOKUP_CASE_OF, value);
}

static void add_same(struct names *names, struct spean_view value)
{
    names_add_record(names, SPEAN_LOOKUP_SAME_AS, value);
}

/* Every sibling of a case's short reference leads to it. */
static void add_short_refs(struct names *names, const struct spean_part *part)
{
    const struct spean_field *const f =
        spean_part_find(part, SPEAN_FIELD_CASE_SHORT_REF, SPEAN_KIND_VALUE);
    const size_t count = f == NULL ? 0 : spean_field_writes_count(f);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(f, i, &write);
        struct spean_reader r;
        spean_reader_init(&r, write.value);
        const struct spean_view text = spean_reader_str(&r, 1, NAME_TEXT_BYTES);
        if (spean_reader_end(&r) == SPEAN_OK) {
            names_add(names, SPEAN_LOOKUP_SHORT_REF, text);
        }
    }
}

/* Every sibling of the referral that brought a case leads to it. */
static void add_transferred(struct names *names, const struct spean_part *part)
{
    const struct spean_field *const f =
        spean_part_find(part, SPEAN_FIELD_CASE_TRANSFERRED_FROM, SPEAN_KIND_VALUE);
    const size_t count = f == NULL ? 0 : spean_field_writes_count(f);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(f, i, &write);
        names_add_record(names, SPEAN_LOOKUP_TRANSFERRED, write.value);
    }
}

static void add_fixed_record(struct names *names, const struct spean_part_info *info,
                             uint64_t field, enum spean_lookup lookup)
{
    struct spean_view value;
    if (info->created && spean_fixed_get(info->fixed, field, &value)) {
        names_add_record(names, lookup, value);
    }
}

/* Add the org whose own record this is. */
static void add_self(struct names *names, const struct spean_part_info *info)
{
    struct spean_view value;
    if (info->created && spean_fixed_get(info->fixed, SPEAN_FIELD_AGENCY_ORG, &value)) {
        names_add(names, SPEAN_LOOKUP_SELF,
                  (struct spean_view){info->owner.bytes, sizeof(info->owner.bytes)});
    }
}

/* Add the consent's record id, the first sub-field of a referral's fixed field `consent`. */
static void add_consent(struct names *names, const struct spean_part_info *info)
{
    struct spean_view value;
    if (!info->created || !spean_fixed_get(info->fixed, SPEAN_FIELD_REFERRAL_CONSENT, &value)) {
        return;
    }
    struct spean_reader r;
    spean_reader_init(&r, value);
    if (spean_reader_map(&r, SPEAN_SCHEMA_ELEMENTS_MAX) > 0 &&
        spean_reader_uint(&r, UINT64_MAX) == 1) {
        names_add_record(names, SPEAN_LOOKUP_REFERRED_BY,
                         spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX));
    }
}

/* Read the code that stands in a fixed field; empty: none does. */
static struct spean_view fixed_code(const struct spean_part_info *info, uint64_t field)
{
    struct spean_view value;
    struct spean_reader r;
    if (!info->created || !spean_fixed_get(info->fixed, field, &value)) {
        return (struct spean_view){NULL, 0};
    }
    spean_reader_init(&r, value);
    const struct spean_view code = spean_reader_str(&r, 1, SPEAN_CODE_BYTES_MAX);
    return spean_reader_end(&r) == SPEAN_OK ? code : (struct spean_view){NULL, 0};
}

/* A code leads to its records by its list, and by list and code. */
static void add_code(struct names *names, const struct spean_part_info *info)
{
    const struct spean_view list = fixed_code(info, SPEAN_FIELD_CODE_LIST);
    const struct spean_view code = fixed_code(info, SPEAN_FIELD_CODE_CODE);
    uint8_t text[2 * SPEAN_CODE_BYTES_MAX + 1];
    if (list.len == 0 || code.len == 0) {
        return;
    }
    (void)memcpy(text, list.data, list.len);
    text[list.len] = 0;
    (void)memcpy(text + list.len + 1, code.data, code.len);
    names_add(names, SPEAN_LOOKUP_CODE, (struct spean_view){text, list.len + 1 + code.len});
    names_add(names, SPEAN_LOOKUP_CODES_OF, list);
}

static void add_code_list(struct names *names, const struct spean_part_info *info)
{
    const struct spean_view list = fixed_code(info, SPEAN_FIELD_CODE_LIST_LIST);
    if (list.len > 0) {
        names_add(names, SPEAN_LOOKUP_CODE_LIST, list);
    }
}

static void collect(struct names *names, const struct spean_part *part)
{
    struct spean_part_info info;
    spean_part_get_info(part, &info);
    switch (info.type) {
    case SPEAN_TYPE_AGENCY:
        each_member(names, part, SPEAN_FIELD_AGENCY_IDENTIFIERS, names_add_identifier);
        add_self(names, &info);
        each_member(names, part, SPEAN_FIELD_AGENCY_SAME_AS, add_same);
        add_people_names(names, part, SPEAN_LOOKUP_AGENCY_NAME);
        break;
    case SPEAN_TYPE_CASE:
        add_short_refs(names, part);
        add_transferred(names, part);
        each_member(names, part, SPEAN_FIELD_CASE_REFERRALS, add_referral);
        each_member(names, part, SPEAN_FIELD_CASE_SAME_AS, add_same);
        add_people_names(names, part, SPEAN_LOOKUP_CASE_NAME);
        break;
    case SPEAN_TYPE_CONSENT:
        add_fixed_record(names, &info, SPEAN_FIELD_CONSENT_CASE, SPEAN_LOOKUP_CONSENTS);
        break;
    case SPEAN_TYPE_REFERRAL:
        add_fixed_record(names, &info, SPEAN_FIELD_REFERRAL_PARENT, SPEAN_LOOKUP_REDIRECTED);
        add_consent(names, &info);
        break;
    case SPEAN_TYPE_CODE:
        add_code(names, &info);
        break;
    case SPEAN_TYPE_CODE_LIST:
        add_code_list(names, &info);
        break;
    default:
        break;
    }
}

/* Collect the names of a part; NULL has none. */
static void names_of(struct names *names, const struct spean_keys *keys,
                     const struct spean_part *part)
{
    names->keys = keys;
    names->err = SPEAN_OK;
    names->count = 0;
    if (part != NULL) {
        collect(names, part);
    }
}

static struct spean_db_key lookup_key(const uint8_t name[NAME_BYTES],
                                      const struct spean_record_id *record)
{
    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, name, NAME_BYTES);
    spean_db_key_put_bytes(&key, record->bytes, sizeof(record->bytes));
    return key;
}

/* Delete the rows of the names that the part gave before. */
static void forget(struct spean_tx *tx, const struct spean_part_name *name, uint8_t *held,
                   size_t len)
{
    for (size_t at = 0; len - at >= NAME_BYTES; at += NAME_BYTES) {
        const struct spean_db_key key = lookup_key(held + at, &name->record);
        (void)spean_tx_del(tx, SPEAN_TABLE_LOOKUPS, spean_db_key_view(&key));
    }
}

/* Replace the names that a part gave by those it gives now, if they are others. */
static spean_err replace(struct spean_tx *tx, const struct spean_part_name *name,
                         const struct names *names)
{
    const struct spean_db_key of = spean_part_name_key(name);
    const size_t len = (size_t)names->count * NAME_BYTES;
    struct spean_view held = {0};
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_LOOKUPS_OF, spean_db_key_view(&of), &held);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    if (held.len > sizeof(names->bytes)) {
        return spean_tx_fail(tx, SPEAN_ECORRUPT);
    }
    if (held.len == len && (len == 0 || memcmp(held.data, names->bytes, len) == 0)) {
        return SPEAN_OK;
    }
    uint8_t before[sizeof(names->bytes)];
    const size_t before_len = held.len;
    if (before_len > 0) {
        (void)memcpy(before, held.data, before_len);
    }
    forget(tx, name, before, before_len);
    if (len == 0) {
        return spean_tx_del(tx, SPEAN_TABLE_LOOKUPS_OF, spean_db_key_view(&of));
    }
    for (size_t at = 0; at < len; at += NAME_BYTES) {
        const struct spean_db_key key = lookup_key(names->bytes + at, &name->record);
        (void)spean_tx_put(tx, SPEAN_TABLE_LOOKUPS, spean_db_key_view(&key),
                           (struct spean_view){names->bytes, 0});
    }
    return spean_tx_put(tx, SPEAN_TABLE_LOOKUPS_OF, spean_db_key_view(&of),
                        (struct spean_view){names->bytes, len});
}

spean_err spean_record_unindex(struct spean_tx *tx, const struct spean_part_name *name)
{
    assert(tx != NULL);
    assert(name != NULL);

    struct names none;
    none.count = 0;
    return replace(tx, name, &none);
}

spean_err spean_record_index(struct spean_tx *tx, const struct spean_keys *keys,
                             const struct spean_part_name *name, const struct spean_part *part)
{
    assert(tx != NULL);
    assert(keys != NULL);
    assert(name != NULL);

    struct names names;
    names_of(&names, keys, part);
    if (names.err != SPEAN_OK) {
        return spean_tx_fail(tx, names.err);
    }
    return replace(tx, name, &names);
}

/* See that each of the names has its row. */
static spean_err rows_are_there(struct spean_tx *tx, const struct spean_part_name *name,
                                const struct names *names, bool *are)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < names->count && err == SPEAN_OK; i++) {
        const struct spean_db_key key =
            lookup_key(names->bytes + (size_t)i * NAME_BYTES, &name->record);
        struct spean_view value;
        err = spean_tx_get(tx, SPEAN_TABLE_LOOKUPS, spean_db_key_view(&key), &value);
    }
    *are = err == SPEAN_OK;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_record_is_indexed(struct spean_tx *tx, const struct spean_keys *keys,
                                  const struct spean_part_name *name, const struct spean_part *part,
                                  bool *is)
{
    assert(keys != NULL);
    assert(name != NULL);
    assert(is != NULL);

    struct names names;
    names_of(&names, keys, part);
    if (names.err != SPEAN_OK) {
        return names.err;
    }
    const struct spean_db_key of = spean_part_name_key(name);
    const size_t len = (size_t)names.count * NAME_BYTES;
    struct spean_view held = {0};
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_LOOKUPS_OF, spean_db_key_view(&of), &held);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    if (held.len != len || (len > 0 && memcmp(held.data, names.bytes, len) != 0)) {
        *is = false;
        return SPEAN_OK;
    }
    return rows_are_there(tx, name, &names, is);
}

static bool has_name(struct spean_view held, struct spean_view name)
{
    for (size_t at = 0; held.len - at >= NAME_BYTES; at += NAME_BYTES) {
        if (memcmp(held.data + at, name.data, NAME_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

spean_err spean_record_lookup_belongs(struct spean_tx *tx, struct spean_view key, bool *belongs)
{
    assert(belongs != NULL);

    *belongs = false;
    if (key.len != NAME_BYTES + SPEAN_RECORD_ID_BYTES) {
        return SPEAN_OK;
    }
    struct spean_cursor cursor;
    spean_err err =
        spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOOKUPS_OF,
                          (struct spean_view){key.data + NAME_BYTES, SPEAN_RECORD_ID_BYTES});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view of;
    struct spean_view held;
    err = spean_cursor_first(&cursor, &of, &held);
    while (err == SPEAN_OK && !*belongs) {
        *belongs = has_name(held, key);
        err = spean_cursor_next(&cursor, &of, &held);
    }
    spean_cursor_fini(&cursor);
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_record_lookup(struct spean_tx *tx, const struct spean_keys *keys,
                              enum spean_lookup lookup, struct spean_view name,
                              const struct spean_record_id *after, struct spean_record_id *out)
{
    assert(keys != NULL);
    assert(out != NULL);

    uint8_t prefix[NAME_BYTES] = {(uint8_t)lookup};
    const spean_err err = spean_seal_name(keys, DOMAIN, name, prefix + 1);
    if (err != SPEAN_OK) {
        return err;
    }
    return spean_record_id_next(tx, SPEAN_TABLE_LOOKUPS,
                                (struct spean_view){prefix, sizeof(prefix)}, after, out);
}
