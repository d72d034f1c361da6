#include "store/author.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/body.h"
#include "protocol/text.h"
#include "store/author_internal.h"
#include "store/fold.h"
#include "store/secret.h"

/* -- Entries --------------------------------------------------------------------------------- */

void spean_author_draw(const struct spean_author *author, uint8_t *out, size_t len)
{
    if (author->random == NULL) {
        randombytes_buf(out, len);
        return;
    }
    author->random(author->random_ctx, out, len);
}

uint8_t *spean_author_room(struct spean_author_work *work, size_t *cap)
{
    *cap = SPEAN_RUN_BYTES_MAX - work->bytes_len;
    return work->bytes + work->bytes_len;
}

uint64_t spean_author_seq(const struct spean_author_work *work)
{
    return work->head.seq + 1;
}

spean_err spean_author_entry(struct spean_author_work *work, enum spean_entry_kind kind,
                             const struct spean_tag *tag, struct spean_view body, bool ends)
{
    assert(body.data == work->bytes + work->bytes_len);
    assert(body.len <= SPEAN_BODY_BYTES_MAX);

    if (work->count == SPEAN_RUN_ENTRIES_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_header header = {
        .format = SPEAN_ENTRY_FORMAT,
        .seq = spean_author_seq(work),
        .previous = work->head.entry,
        .time = work->author->now_s,
        .kind = kind,
        .flags = ends ? SPEAN_ENTRY_ENDS_COMMIT : 0,
        .has_tag = tag != NULL,
        .body_len = (uint32_t)body.len,
    };
    if (tag != NULL) {
        header.tag = *tag;
    }
    spean_body_hash(&header.body_hash, body);

    const size_t used = work->bytes_len + body.len;
    struct spean_view encoded;
    const spean_err err =
        spean_header_encode(&header, work->bytes + used, SPEAN_RUN_BYTES_MAX - used, &encoded);
    if (err != SPEAN_OK) {
        return err;
    }
    work->sources[work->count] = (struct spean_run_source){encoded, body};
    work->count++;
    work->bytes_len = used + encoded.len;
    work->head.seq = header.seq;
    spean_entry_id(&work->head.entry, &work->author->log->id, encoded);
    return SPEAN_OK;
}

spean_err spean_author_public(struct spean_author_work *work, enum spean_entry_kind kind,
                              const struct spean_tag *tag, struct spean_view content, bool ends)
{
    uint8_t salt[SPEAN_BODY_SALT_BYTES];
    spean_author_draw(work->author, salt, sizeof(salt));
    size_t cap;
    uint8_t *room = spean_author_room(work, &cap);
    struct spean_view body;
    const spean_err err = spean_body_wrap(room, cap, salt, content, &body);
    return err == SPEAN_OK ? spean_author_entry(work, kind, tag, body, ends) : err;
}

spean_err spean_author_deny(struct spean_author_work *work, enum spean_aside aside)
{
    work->problem.aside = aside;
    return SPEAN_EDENIED;
}

/* -- The commit as a whole ------------------------------------------------------------------- */

static spean_err check_author(const struct spean_author *author)
{
    const struct spean_log *log = author->log;
    if (log == NULL || log->status != SPEAN_LOG_OPEN || log->cut.closed ||
        spean_authority_entry_format(author->authority) < SPEAN_ENTRY_FORMAT) {
        return SPEAN_ESTATE;
    }
    return spean_keys_locked(author->keys) ? SPEAN_ELOCKED : SPEAN_OK;
}

static spean_err allocate(struct spean_author_work *work)
{
    work->bytes = malloc(SPEAN_RUN_BYTES_MAX);
    work->content = malloc(SPEAN_BODY_BYTES_MAX);
    work->run_buf = malloc(SPEAN_LOG_RUN_BYTES_MAX);
    if (work->bytes == NULL || work->content == NULL || work->run_buf == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err = spean_run_new(&work->run);
    void *secrets = NULL;
    if (err == SPEAN_OK) {
        err = spean_secret_alloc(sizeof(*work->secrets), &secrets);
    }
    if (err == SPEAN_OK) {
        work->secrets = secrets;
        work->secrets->granted_count = 0;
    }
    return err;
}

/* Find where the log stands, and see that all of it is folded: contexts and keys come from there.
 */
static spean_err find_head(struct spean_author_work *work)
{
    spean_err err = spean_logs_get(work->tx, &work->author->log->id, &work->row);
    if (err == SPEAN_ENOTFOUND) {
        work->is_new = true;
        return SPEAN_OK;
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (work->row.standing == SPEAN_LOG_DISPUTED) {
        return SPEAN_ESTATE;
    }
    uint64_t folded = 0;
    err = spean_fold_cursor(work->tx, work->row.number, &folded);
    if (err == SPEAN_OK && folded < work->row.head.seq) {
        err = SPEAN_EWAIT;
    }
    work->head = work->row.head;
    return err;
}

spean_err spean_author_begin(struct spean_author_work **out, const struct spean_author *author)
{
    assert(author != NULL);
    assert(author->now_s <= INT64_MAX);

    spean_err err = check_author(author);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_author_work *work = calloc(1, sizeof(*work));
    if (work == NULL) {
        return SPEAN_ENOMEM;
    }
    *out = work;
    work->author = author;
    work->problem.item = SPEAN_AUTHOR_NO_ITEM;
    err = allocate(work);
    if (err == SPEAN_OK) {
        err = spean_tx_begin(author->db, SPEAN_TX_WRITE, &work->tx);
    }
    return err == SPEAN_OK ? find_head(work) : err;
}

static spean_err check_quota(const struct spean_author_work *work)
{
    const uint64_t quota = spean_authority_ledger(work->author->authority)->quota_bytes;
    const uint64_t used = work->row.bytes;
    return quota != 0 && (used > quota || work->bytes_len > quota - used) ? SPEAN_EFULL : SPEAN_OK;
}

spean_err spean_author_finish(struct spean_author_work *work, bool dry_run,
                              struct spean_author_done *done)
{
    assert(work->count > 0);

    work->problem.item = SPEAN_AUTHOR_NO_ITEM;
    spean_err err = check_quota(work);
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_author *author = work->author;
    struct spean_signature signature;
    spean_commit_sign_by(&signature, &author->log->id, &work->head.entry,
                         spean_keys_signer(author->keys));
    struct spean_view run;
    err = spean_log_commit(work->tx, author->log, work->sources, work->count, &signature, work->run,
                           work->run_buf, &run);
    if (err == SPEAN_OK && !dry_run) {
        err = spean_tx_commit(work->tx);
        work->tx = NULL;
    }
    if (err == SPEAN_OK && done != NULL) {
        *done = (struct spean_author_done){
            .head = dry_run ? work->row.head : work->head,
            .first_seq = work->row.head.seq + 1,
            .entries_count = work->count,
            .bytes = (uint32_t)work->bytes_len,
        };
    }
    return err;
}

void spean_author_end(struct spean_author_work *work)
{
    if (work == NULL) {
        return;
    }
    spean_tx_abort(work->tx);
    spean_secret_free(work->secrets);
    spean_run_free(work->run);
    if (work->content != NULL) {
        sodium_memzero(work->content, SPEAN_BODY_BYTES_MAX);
    }
    free(work->run_buf);
    free(work->content);
    free(work->bytes);
    free(work);
}

/* -- Drafts ---------------------------------------------------------------------------------- */

static spean_err check_draft(const struct spean_author *author, const struct spean_draft *draft,
                             struct spean_view actor)
{
    const struct spean_ledger *ledger = spean_authority_ledger(author->authority);
    if (ledger == NULL || author->log == NULL || draft->committed ||
        !spean_id_equal(&draft->ledger, &ledger->id) ||
        !spean_id_equal(&draft->log, &author->log->id)) {
        return SPEAN_ESTATE;
    }
    if (draft->items_count == 0 || actor.len > SPEAN_ACTOR_BYTES_MAX || !spean_text_valid(actor)) {
        return SPEAN_EINPUT;
    }
    return SPEAN_OK;
}

/* The order in which items are written: keys before what is sealed under them, and erasures last.
 */
enum turn { TURN_GRANTS, TURN_CHANGES, TURN_ERASURES, TURNS_COUNT };

static enum turn turn_of(const struct spean_draft_item *item)
{
    switch (item->kind) {
    case SPEAN_DRAFT_GRANT:
        return TURN_GRANTS;
    case SPEAN_DRAFT_ERASE:
        return TURN_ERASURES;
    case SPEAN_DRAFT_CREATE:
    case SPEAN_DRAFT_CHANGE:
        break;
    }
    return TURN_CHANGES;
}

/* The item whose entry is the last. */
static uint32_t last_item(const struct spean_draft *draft)
{
    uint32_t last = 0;
    for (uint32_t i = 1; i < draft->items_count; i++) {
        last = turn_of(&draft->items[i]) >= turn_of(&draft->items[last]) ? i : last;
    }
    return last;
}

static spean_err put_item(struct spean_author_work *work, const struct spean_draft_item *item,
                          bool ends)
{
    switch (item->kind) {
    case SPEAN_DRAFT_GRANT:
        return spean_author_put_grant(work, item, ends);
    case SPEAN_DRAFT_ERASE:
        return spean_author_put_erasure(work, item, ends);
    case SPEAN_DRAFT_CREATE:
    case SPEAN_DRAFT_CHANGE:
        break;
    }
    return spean_author_put_change(work, item, ends);
}

/* Make the entries of the items whose turn it is. */
static spean_err put_items(struct spean_author_work *work, enum turn turn)
{
    const struct spean_draft *draft = work->draft;
    const uint32_t last = last_item(draft);
    for (uint32_t i = 0; i < draft->items_count; i++) {
        const struct spean_draft_item *item = &draft->items[i];
        if (turn_of(item) != turn) {
            continue;
        }
        work->problem.item = i;
        const spean_err err = put_item(work, item, i == last);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

static spean_err write_draft(struct spean_author_work *work, struct spean_draft *draft,
                             bool dry_run, struct spean_author_done *done)
{
    spean_err err = SPEAN_OK;
    for (unsigned turn = 0; turn < TURNS_COUNT && err == SPEAN_OK; turn++) {
        err = put_items(work, (enum turn)turn);
    }
    if (err == SPEAN_OK) {
        err = spean_author_finish(work, dry_run, done);
    }
    draft->committed = err == SPEAN_OK && !dry_run;
    return err;
}

spean_err spean_author_commit(const struct spean_author *author, struct spean_draft *draft,
                              struct spean_view actor, bool dry_run, struct spean_author_done *done,
                              struct spean_author_problem *problem)
{
    assert(author != NULL);
    assert(draft != NULL);

    struct spean_author_work *work = NULL;
    spean_err err = check_draft(author, draft, actor);
    if (err == SPEAN_OK) {
        err = spean_author_begin(&work, author);
    }
    if (err == SPEAN_OK) {
        work->draft = draft;
        work->actor = actor;
        err = write_draft(work, draft, dry_run, done);
    }
    if (err != SPEAN_OK && problem != NULL) {
        *problem = work != NULL ? work->problem
                                : (struct spean_author_problem){.item = SPEAN_AUTHOR_NO_ITEM};
    }
    spean_author_end(work);
    return err;
}
