/* Heads entries: this node's signed word on how far it has seen all logs (P5.10). */
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/heads.h"
#include "store/author_internal.h"
#include "store/fold.h"

static int compare_rows(const void *a, const void *b)
{
    const struct spean_heads_row *left = a;
    const struct spean_heads_row *right = b;
    return (left->log > right->log) - (left->log < right->log);
}

/* Up to where our heads entries told of a log, and the last of them that did; 0: none. */
static spean_err find_told(struct spean_author_work *work, const struct spean_id *log,
                           uint64_t *seq, uint64_t *told_at)
{
    *seq = 0;
    *told_at = 0;
    if (work->is_new) {
        return SPEAN_OK;
    }
    return spean_fold_seen(work->tx, work->row.number, spean_short_of(log), seq, told_at);
}

/* A short name that two logs share names neither (P5.1). */
static bool has_name(const struct spean_authority *authority, const struct spean_id *log)
{
    const struct spean_log *named = spean_authority_log_by_short(authority, log->bytes);
    return named != NULL && spean_id_equal(&named->id, log);
}

/* Add a row if the log has a name. */
static void add_row(struct spean_author_work *work, const struct spean_logs_row *log,
                    struct spean_heads_row *rows, uint32_t *count)
{
    if (!has_name(work->author->authority, &log->log)) {
        return;
    }
    struct spean_heads_row *row = &rows[*count];
    row->log = spean_short_of(&log->log);
    row->seq = log->head.seq;
    (void)memcpy(row->entry, log->head.entry.bytes, sizeof(row->entry));
    (*count)++;
}

/* Collect the logs that moved. Our own did if it goes on behind our last heads entry. */
static spean_err collect(struct spean_author_work *work, struct spean_heads_row *rows,
                         uint32_t *count)
{
    struct spean_logs_row log;
    uint64_t last_heads = 0;
    uint32_t from = 0;
    *count = 0;
    while (*count < SPEAN_HEADS_ROWS_MAX) {
        spean_err err = spean_logs_next(work->tx, from, &log);
        if (err == SPEAN_ENOTFOUND) {
            break;
        }
        uint64_t seq = 0;
        uint64_t told_at = 0;
        if (err == SPEAN_OK) {
            err = find_told(work, &log.log, &seq, &told_at);
        }
        if (err != SPEAN_OK) {
            return err;
        }
        from = log.number + 1; /* Numbers are below SPEAN_FRONTIER_LOGS_MAX. */
        last_heads = told_at > last_heads ? told_at : last_heads;
        const bool own = spean_id_equal(&log.log, &work->author->log->id);
        if (!own && log.head.seq > seq) {
            add_row(work, &log, rows, count);
        }
    }
    if (*count < SPEAN_HEADS_ROWS_MAX && work->row.head.seq > last_heads) {
        add_row(work, &work->row, rows, count);
    }
    return SPEAN_OK;
}

static spean_err put_heads(struct spean_author_work *work, struct spean_heads_row *rows)
{
    uint32_t count = 0;
    spean_err err = collect(work, rows, &count);
    if (err == SPEAN_OK && count == 0) {
        err = SPEAN_EEXISTS;
    }
    if (err != SPEAN_OK) {
        return err;
    }
    qsort(rows, count, sizeof(*rows), compare_rows);
    struct spean_view content;
    err = spean_heads_encode(rows, count, work->content, SPEAN_BODY_BYTES_MAX, &content);
    return err == SPEAN_OK ? spean_author_public(work, SPEAN_ENTRY_HEADS, NULL, content, true)
                           : err;
}

spean_err spean_author_heads(const struct spean_author *author, struct spean_author_done *done)
{
    struct spean_author_work *work = NULL;
    struct spean_heads_row *rows = NULL;
    spean_err err = spean_author_begin(&work, author);
    if (err == SPEAN_OK) {
        rows = spean_alloc_array(SPEAN_HEADS_ROWS_MAX, sizeof(*rows));
        err = rows == NULL ? SPEAN_ENOMEM : put_heads(work, rows);
    }
    if (err == SPEAN_OK) {
        err = spean_author_finish(work, false, done);
    }
    free(rows);
    spean_author_end(work);
    return err;
}
