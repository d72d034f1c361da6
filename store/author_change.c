/* Changes of a draft become entries. */

#include "protocol/body.h"
#include "protocol/partkey.h"
#include "protocol/role.h"
#include "protocol/schema.h"
#include "store/author_internal.h"
#include "store/context.h"
#include "store/record.h"

/* What the change is to be judged by. */
struct subject {
    struct spean_id owner;
    struct spean_view fixed;
};

spean_err spean_author_erased(struct spean_author_work *work, const struct spean_part_name *part,
                              bool *erased)
{
    struct spean_record_part parts[SPEAN_RECORD_PARTS_MAX];
    uint32_t count = 0;
    const spean_err err = spean_record_parts(work->tx, &part->record, parts, &count);
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        return err;
    }
    *erased = false;
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].part == part->part) {
            *erased = parts[i].erased;
        }
    }
    return SPEAN_OK;
}

/* Give the key of the change's part: one that this commit grants, or else the newest held. */
static spean_err find_key(struct spean_author_work *work, const struct spean_part_name *part,
                          const uint8_t **key, struct spean_id *proof)
{
    const struct spean_author_key *granted = spean_author_granted(work, part);
    if (granted != NULL) {
        *key = granted->key;
        *proof = granted->proof;
        return SPEAN_OK;
    }
    struct spean_partkey *held = &work->secrets->held;
    const spean_err err = spean_partkeys_newest(work->tx, work->author->keys, part, held);
    if (err != SPEAN_OK) {
        return err;
    }
    *key = held->key;
    *proof = held->proof;
    return SPEAN_OK;
}

static spean_err put_sealed(struct spean_author_work *work, const struct spean_part_name *part,
                            struct spean_view content, bool ends)
{
    const uint8_t *key = NULL;
    struct spean_id proof;
    const spean_err found = find_key(work, part, &key, &proof);
    if (found != SPEAN_OK) {
        return found;
    }
    const struct spean_id *log = &work->author->log->id;
    struct spean_tag tag;
    spean_partkey_tag(&tag, &proof, log);
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES];
    spean_author_draw(work->author, nonce, sizeof(nonce));
    size_t cap;
    uint8_t *room = spean_author_room(work, &cap);
    struct spean_view body;
    const spean_err err =
        spean_body_seal(room, cap, key, nonce, log, spean_author_seq(work), &tag, content, &body);
    return err == SPEAN_OK ? spean_author_entry(work, SPEAN_ENTRY_CHANGE, &tag, body, ends) : err;
}

/* Judge a change as every other node will; name the field if one is to blame. */
static spean_err judge(struct spean_author_work *work, const struct spean_change *change,
                       const struct subject *subject)
{
    const struct spean_author *author = work->author;
    const struct spean_id *org = &author->log->org;
    const struct spean_role_author who = {
        .org = *org,
        .is_member = spean_authority_is_member(author->authority, org),
        .is_steward = spean_authority_is_steward(author->authority, org),
    };
    const enum spean_aside aside =
        change->creates ? spean_role_judge_create(change, &work->draft->ledger, &who)
                        : spean_role_judge(change, &subject->owner, subject->fixed, &who);
    if (aside == SPEAN_ASIDE_NOT) {
        return SPEAN_OK;
    }
    struct spean_view left = change->operations;
    struct spean_operation op;
    while (aside == SPEAN_ASIDE_WRITER && spean_operation_next(&left, &op)) {
        struct spean_change alone = *change;
        alone.operations = op.encoded;
        if (spean_role_judge(&alone, &subject->owner, subject->fixed, &who) != SPEAN_ASIDE_NOT) {
            work->problem.field = op.field;
            break;
        }
    }
    return spean_author_deny(work, aside);
}

/* Encode the change in work->content, judge it, and make its entry. */
static spean_err put(struct spean_author_work *work, const struct spean_draft_item *item,
                     const struct subject *subject, uint32_t rows_count, bool ends)
{
    struct spean_change change = {
        .type = item->type,
        .record = item->record,
        .part = item->part,
        .schema_version = SPEAN_SCHEMA_VERSION,
        .actor = work->actor,
        .creates = item->kind == SPEAN_DRAFT_CREATE,
        .fixed = item->fixed,
    };
    for (size_t i = 0; i < sizeof(change.random); i++) {
        change.random[i] = item->random[i];
    }
    const size_t cap = item->part == SPEAN_PART_PUBLIC ? SPEAN_BODY_PUBLIC_CONTENT_BYTES_MAX
                                                       : SPEAN_BODY_SEALED_CONTENT_BYTES_MAX;
    const struct spean_operation *ops =
        item->ops_count == 0 ? NULL : work->draft->ops + item->ops_first;
    struct spean_view content;
    spean_err err = spean_change_encode(&change, ops, item->ops_count, work->rows, rows_count,
                                        work->content, cap, &content);
    if (err == SPEAN_OK) {
        err = spean_change_decode(content, &change);
    }
    if (err == SPEAN_OK) {
        err = judge(work, &change, subject);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (item->part == SPEAN_PART_PUBLIC) {
        return spean_author_public(work, SPEAN_ENTRY_CHANGE, NULL, content, ends);
    }
    const struct spean_part_name part = {item->record, item->part};
    return put_sealed(work, &part, content, ends);
}

/* A record that the commit itself creates: nobody else has written to it. */
static spean_err put_to_created(struct spean_author_work *work, const struct spean_draft_item *item,
                                const struct spean_draft_item *creation, bool ends)
{
    if (item->type != creation->type || item < creation) {
        return SPEAN_EINPUT;
    }
    if (item == creation) {
        struct spean_record *record = NULL;
        const spean_err err =
            spean_record_get(work->tx, work->author->keys, &item->record, &record);
        spean_record_free(record);
        if (err != SPEAN_ENOTFOUND) {
            return err == SPEAN_OK ? SPEAN_EEXISTS : err;
        }
    }
    const struct spean_part_name part = {item->record, item->part};
    if (item->part != SPEAN_PART_PUBLIC && spean_author_granted(work, &part) == NULL) {
        const spean_err err = spean_author_put_own(work, &part);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    const struct subject subject = {work->author->log->org, creation->fixed};
    return put(work, item, &subject, 0, ends);
}

static spean_err put_to_held(struct spean_author_work *work, const struct spean_draft_item *item,
                             const struct spean_record_info *info, bool ends)
{
    if (item->type != info->type) {
        return SPEAN_EINPUT;
    }
    const struct spean_author *author = work->author;
    const struct spean_part_name part = {item->record, item->part};
    bool erased = false;
    spean_err err = spean_author_erased(work, &part, &erased);
    if (err == SPEAN_OK && erased) {
        err = SPEAN_ESTATE;
    }
    uint32_t rows_count = 0;
    if (err == SPEAN_OK) {
        err = spean_context_rows(work->tx, author->keys, author->authority, &author->log->id, &part,
                                 work->draft->ops + item->ops_first, item->ops_count, work->rows,
                                 &rows_count);
    }
    const struct subject subject = {info->owner, info->fixed};
    return err == SPEAN_OK ? put(work, item, &subject, rows_count, ends) : err;
}

spean_err spean_author_put_change(struct spean_author_work *work,
                                  const struct spean_draft_item *item, bool ends)
{
    const struct spean_draft_item *creation = spean_draft_creation(work->draft, &item->record);
    if (creation != NULL) {
        if (item->kind == SPEAN_DRAFT_CHANGE && item->ops_count == 0) {
            return SPEAN_EINPUT;
        }
        return put_to_created(work, item, creation, ends);
    }
    if (item->ops_count == 0) {
        return SPEAN_EINPUT;
    }
    struct spean_record *record = NULL;
    spean_err err = spean_record_get(work->tx, work->author->keys, &item->record, &record);
    if (err == SPEAN_OK) {
        struct spean_record_info info;
        spean_record_get_info(record, &info);
        err = put_to_held(work, item, &info, ends);
    }
    spean_record_free(record);
    return err;
}
