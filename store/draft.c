#include "store/draft.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "store/draft_internal.h"

spean_err spean_draft_new(const struct spean_authority *authority, const struct spean_log *log,
                          struct spean_draft **out)
{
    assert(authority != NULL);
    assert(out != NULL);

    const struct spean_ledger *ledger = spean_authority_ledger(authority);
    if (ledger == NULL || log == NULL || log->status != SPEAN_LOG_OPEN) {
        return SPEAN_ESTATE;
    }
    struct spean_draft *draft = calloc(1, sizeof(*draft));
    if (draft == NULL) {
        return SPEAN_ENOMEM;
    }
    draft->ledger = ledger->id;
    draft->log = log->id;
    draft->org = log->org;
    draft->bytes = malloc(SPEAN_DRAFT_BYTES_MAX);
    if (draft->bytes == NULL) {
        spean_draft_free(draft);
        return SPEAN_ENOMEM;
    }
    *out = draft;
    return SPEAN_OK;
}

void spean_draft_free(struct spean_draft *draft)
{
    if (draft == NULL) {
        return;
    }
    if (draft->bytes != NULL) {
        sodium_memzero(draft->bytes, draft->bytes_len);
    }
    free(draft->bytes);
    free(draft->ops);
    free(draft->items);
    free(draft);
}

uint32_t spean_draft_count(const struct spean_draft *draft)
{
    assert(draft != NULL);
    return draft->items_count;
}

const struct spean_draft_item *spean_draft_creation(const struct spean_draft *draft,
                                                    const struct spean_record_id *record)
{
    for (uint32_t i = 0; i < draft->items_count; i++) {
        const struct spean_draft_item *item = &draft->items[i];
        if (item->kind == SPEAN_DRAFT_CREATE && spean_record_id_equal(&item->record, record)) {
            return item;
        }
    }
    return NULL;
}

static spean_err add_item(struct spean_draft *draft, const struct spean_draft_item *item)
{
    if (draft->items_count == SPEAN_DRAFT_ITEMS_MAX) {
        return SPEAN_ELIMIT;
    }
    void *items = draft->items;
    const spean_err err =
        spean_alloc_more(&items, &draft->items_cap, draft->items_count, sizeof(*draft->items));
    if (err != SPEAN_OK) {
        return err;
    }
    draft->items = items;
    draft->items[draft->items_count] = *item;
    draft->items_count++;
    return SPEAN_OK;
}

/* Say whether so many bytes more have room. */
static bool has_room(const struct spean_draft *draft, size_t len)
{
    return len <= SPEAN_DRAFT_BYTES_MAX - draft->bytes_len;
}

/* Copy bytes that have room. */
static struct spean_view keep(struct spean_draft *draft, struct spean_view bytes)
{
    uint8_t *at = draft->bytes + draft->bytes_len;
    (void)memcpy(at, bytes.data, bytes.len);
    draft->bytes_len += bytes.len;
    return (struct spean_view){at, bytes.len};
}

/* Say whether type is one that we write and has this part. */
static bool is_written(uint64_t type, uint32_t part)
{
    const struct spean_schema_type *known = spean_schema_type(type);
    return known != NULL && type != SPEAN_TYPE_FILE && part < SPEAN_SCHEMA_PARTS_MAX &&
           known->parts[part] != NULL;
}

/* A record is created by a change to its first part (SCHEMA.md, section 7). */
static uint32_t first_part(uint64_t type)
{
    return is_written(type, SPEAN_PART_PUBLIC) ? SPEAN_PART_PUBLIC : 1;
}

/* -- Changes --------------------------------------------------------------------------------- */

/* Check every field of a map of fixed fields; *field is the one that is wrong. */
static spean_err check_fixed(uint64_t type, struct spean_view fixed, uint64_t *field)
{
    struct spean_reader whole;
    spean_reader_init(&whole, fixed);
    (void)spean_fixed_read(&whole); /* The fields are read below. */
    spean_err err = spean_reader_end(&whole);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_reader r;
    spean_reader_init(&r, fixed);
    const uint32_t count = spean_reader_map(&r, SPEAN_CHANGE_FIXED_MAX);
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        *field = spean_reader_uint(&r, UINT64_MAX);
        const struct spean_view value = spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        const struct spean_schema_field *known = spean_schema_field(type, *field);
        if (known == NULL || known->kind != SPEAN_KIND_FIXED) {
            return SPEAN_EINPUT;
        }
        err = spean_schema_check_value(known, value);
    }
    return err;
}

spean_err spean_draft_create(struct spean_draft *draft, uint64_t type,
                             const uint8_t random[SPEAN_CHANGE_RANDOM_BYTES],
                             struct spean_view fixed, struct spean_record_id *out, uint64_t *field)
{
    static const uint8_t empty_map[] = {0x80};

    assert(draft != NULL);
    assert(random != NULL);

    struct spean_draft_item item = {
        .kind = SPEAN_DRAFT_CREATE,
        .type = type,
        .part = first_part(type),
        .ops_first = draft->ops_count,
    };
    if (!is_written(type, item.part)) {
        return SPEAN_EINPUT;
    }
    const struct spean_view map =
        fixed.len == 0 ? (struct spean_view){empty_map, sizeof(empty_map)} : fixed;
    uint64_t wrong = 0;
    const spean_err err = check_fixed(type, map, &wrong);
    if (err != SPEAN_OK) {
        if (field != NULL) {
            *field = wrong;
        }
        return err;
    }
    (void)memcpy(item.random, random, sizeof(item.random));
    spean_record_id_derive(&item.record, &draft->ledger, &draft->org, random);
    if (spean_draft_creation(draft, &item.record) != NULL) {
        return SPEAN_EEXISTS;
    }
    if (!has_room(draft, map.len)) {
        return SPEAN_ELIMIT;
    }
    const spean_err added = add_item(draft, &item);
    if (added != SPEAN_OK) {
        return added;
    }
    draft->items[draft->items_count - 1].fixed = keep(draft, map);
    if (out != NULL) {
        *out = item.record;
    }
    return SPEAN_OK;
}

spean_err spean_draft_change(struct spean_draft *draft, const struct spean_record_id *record,
                             uint64_t type, uint32_t part)
{
    assert(draft != NULL);
    assert(record != NULL);

    if (!is_written(type, part)) {
        return SPEAN_EINPUT;
    }
    const struct spean_draft_item item = {
        .kind = SPEAN_DRAFT_CHANGE,
        .record = *record,
        .type = type,
        .part = part,
        .ops_first = draft->ops_count,
    };
    return add_item(draft, &item);
}

/* -- Operations ------------------------------------------------------------------------------ */

/* A step of a referral's tracks stands for ever (SCHEMA.md, S4). */
static bool is_step(const struct spean_schema_field *field)
{
    return field->type == SPEAN_TYPE_REFERRAL &&
           (field->number == SPEAN_FIELD_REFERRAL_ORIGIN_STEPS ||
            field->number == SPEAN_FIELD_REFERRAL_TARGET_STEPS);
}

static spean_err check_operation(const struct spean_schema_field *field, enum spean_verb verb,
                                 struct spean_view value)
{
    struct spean_dot item;
    switch (field->kind) {
    case SPEAN_KIND_VALUE:
    case SPEAN_KIND_STRICTEST:
    case SPEAN_KIND_ONE_WAY:
        return verb == SPEAN_VERB_WRITE ? spean_schema_check_value(field, value) : SPEAN_EINPUT;
    case SPEAN_KIND_SET:
        return verb == SPEAN_VERB_ADD ? spean_schema_check_value(field, value)
                                      : spean_value_check(value);
    case SPEAN_KIND_LIST:
        if (verb == SPEAN_VERB_APPEND) {
            return spean_schema_check_value(field, value);
        }
        return is_step(field) ? SPEAN_EINPUT : spean_dot_decode(value, &item);
    case SPEAN_KIND_FIXED:
    default:
        return SPEAN_EINPUT;
    }
}

/* Say whether the change writes the field, or this member of the set, already (P9.2). */
static bool is_repeated(const struct spean_draft *draft, const struct spean_draft_item *change,
                        const struct spean_operation *op)
{
    if (op->kind == SPEAN_KIND_LIST) {
        return false;
    }
    for (uint32_t i = 0; i < change->ops_count; i++) {
        const struct spean_operation *before = &draft->ops[change->ops_first + i];
        if (before->field != op->field) {
            continue;
        }
        if (op->kind != SPEAN_KIND_SET ||
            (before->value.len == op->value.len &&
             memcmp(before->value.data, op->value.data, op->value.len) == 0)) {
            return true;
        }
    }
    return false;
}

static spean_err add_operation(struct spean_draft *draft, struct spean_draft_item *change,
                               const struct spean_operation *op)
{
    if (change->ops_count == SPEAN_CHANGE_OPERATIONS_MAX || !has_room(draft, op->value.len)) {
        return SPEAN_ELIMIT;
    }
    void *ops = draft->ops;
    const spean_err err =
        spean_alloc_more(&ops, &draft->ops_cap, draft->ops_count, sizeof(*draft->ops));
    if (err != SPEAN_OK) {
        return err;
    }
    draft->ops = ops;
    draft->ops[draft->ops_count] = *op;
    draft->ops[draft->ops_count].value = keep(draft, op->value);
    draft->ops_count++;
    change->ops_count++;
    return SPEAN_OK;
}

spean_err spean_draft_op(struct spean_draft *draft, uint64_t field, enum spean_verb verb,
                         struct spean_view value)
{
    assert(draft != NULL);

    if (draft->items_count == 0) {
        return SPEAN_ESTATE;
    }
    struct spean_draft_item *change = &draft->items[draft->items_count - 1];
    if (change->kind == SPEAN_DRAFT_GRANT || change->kind == SPEAN_DRAFT_ERASE) {
        return SPEAN_ESTATE;
    }
    const struct spean_schema_field *known = spean_schema_field(change->type, field);
    if (known == NULL || known->part != change->part) {
        return SPEAN_EINPUT;
    }
    const spean_err err = check_operation(known, verb, value);
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_operation op = {
        .field = field,
        .kind = known->kind,
        .verb = verb,
        .value = value,
    };
    if (is_repeated(draft, change, &op)) {
        return SPEAN_EEXISTS;
    }
    return add_operation(draft, change, &op);
}

/* -- Grants ---------------------------------------------------------------------------------- */

spean_err spean_draft_add_org(struct spean_id *orgs, uint32_t *count, const struct spean_id *org)
{
    uint32_t place = 0;
    while (place < *count && spean_id_compare(&orgs[place], org) < 0) {
        place++;
    }
    if (place < *count && spean_id_equal(&orgs[place], org)) {
        return SPEAN_EEXISTS;
    }
    if (*count == SPEAN_AUDIENCE_ORGS_MAX) {
        return SPEAN_ELIMIT;
    }
    (void)memmove(&orgs[place + 1], &orgs[place], (*count - place) * sizeof(*org));
    orgs[place] = *org;
    (*count)++;
    return SPEAN_OK;
}

static spean_err fill_audience(struct spean_draft_item *grant, const struct spean_id *own,
                               const struct spean_id *audience, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const spean_err err =
            spean_draft_add_org(grant->audience, &grant->audience_count, &audience[i]);
        if (err != SPEAN_OK) {
            return err == SPEAN_EEXISTS ? SPEAN_EINPUT : err;
        }
    }
    const spean_err err = spean_draft_add_org(grant->audience, &grant->audience_count, own);
    return err == SPEAN_EEXISTS ? SPEAN_OK : err;
}

/* Whether the draft has an item of the same kind for the same part. */
static bool has_same(const struct spean_draft *draft, const struct spean_draft_item *wanted)
{
    for (uint32_t i = 0; i < draft->items_count; i++) {
        const struct spean_draft_item *item = &draft->items[i];
        if (item->kind == wanted->kind && item->part == wanted->part &&
            spean_record_id_equal(&item->record, &wanted->record)) {
            return true;
        }
    }
    return false;
}

spean_err spean_draft_grant(struct spean_draft *draft, const struct spean_record_id *record,
                            uint64_t type, uint32_t part, enum spean_draft_grant how,
                            const struct spean_id *audience, uint32_t audience_count)
{
    assert(draft != NULL);
    assert(record != NULL);
    assert(audience != NULL || audience_count == 0);

    if (!is_written(type, part) || part == SPEAN_PART_PUBLIC) {
        return SPEAN_EINPUT;
    }
    struct spean_draft_item item = {
        .kind = SPEAN_DRAFT_GRANT,
        .record = *record,
        .type = type,
        .part = part,
        .how = how,
    };
    const spean_err err = fill_audience(&item, &draft->org, audience, audience_count);
    if (err != SPEAN_OK) {
        return err;
    }
    const bool own = type == SPEAN_TYPE_CASE || type == SPEAN_TYPE_CONSENT;
    if (own && item.audience_count > 1) {
        return SPEAN_EDENIED;
    }
    if (has_same(draft, &item)) {
        return SPEAN_EEXISTS;
    }
    return add_item(draft, &item);
}

spean_err spean_draft_erase(struct spean_draft *draft, const struct spean_record_id *record,
                            uint64_t type, uint32_t part)
{
    assert(draft != NULL);
    assert(record != NULL);

    if (!is_written(type, part) || part == SPEAN_PART_PUBLIC) {
        return SPEAN_EINPUT;
    }
    const struct spean_draft_item item = {
        .kind = SPEAN_DRAFT_ERASE, .record = *record, .type = type, .part = part};
    return has_same(draft, &item) ? SPEAN_EEXISTS : add_item(draft, &item);
}
