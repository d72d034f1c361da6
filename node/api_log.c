/* Routes about logs and their entries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/follow.h"
#include "node/handlers.h"
#include "protocol/entry.h"
#include "protocol/text.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/erased.h"
#include "store/fold.h"
#include "store/logs.h"
#include "store/partkeys.h"

#define PREFIX_DIGITS_MIN 4u
#define SEQ_AFTER_MAX     (UINT64_MAX - 1) /* There is a seq behind each. */
#define WHOLE_MAX         100u             /* Entries with bodies in one answer. */

static const char *standing_name(const struct spean_log *log, const struct spean_logs_row *row)
{
    if (row != NULL && row->standing == SPEAN_LOG_DISPUTED) {
        return "disputed";
    }
    if (row != NULL && row->standing == SPEAN_LOG_PAUSED) {
        return "paused";
    }
    switch (log->status) {
    case SPEAN_LOG_OPEN:
        return "open";
    case SPEAN_LOG_CLOSED:
        return "closed";
    case SPEAN_LOG_REMOVED:
        return "removed";
    case SPEAN_LOG_ASIDE:
        return "aside";
    }
    return "aside";
}

static json_t *log_row(const struct spean_core_view *view, const struct spean_log *log)
{
    struct spean_logs_row row;
    const bool held = spean_logs_get(view->tx, &log->id, &row) == SPEAN_OK;
    json_t *item = json_object();
    spean_answer_hex(item, "id", log->id.bytes, sizeof(log->id.bytes));
    spean_answer_org(item, "org", "name", view, &log->org);
    spean_answer_hex(item, "signing", log->signing.bytes, sizeof(log->signing.bytes));
    (void)json_object_set_new(item, "height", spean_json_u64(held ? row.head.seq : 0));
    (void)json_object_set_new(item, "standing",
                              json_string(standing_name(log, held ? &row : NULL)));
    json_t *cut = json_null();
    if (log->cut.closed) {
        cut = json_object();
        (void)json_object_set_new(cut, "seq", spean_json_u64(log->cut.seq));
        spean_answer_hex(cut, "entry", log->cut.entry.bytes, sizeof(log->cut.entry.bytes));
    }
    (void)json_object_set_new(item, "cut", cut);
    const struct spean_log *own = spean_core_own_log(view->core);
    (void)json_object_set_new(item, "self",
                              json_boolean(own != NULL && spean_id_equal(&own->id, &log->id)));
    return item;
}

static void get_logs(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_page page;
    struct spean_core_view view;
    uint64_t after = 0;
    if (!spean_answer_page(request, UINT32_MAX, &page, &after, reply) ||
        !spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    const uint32_t total = spean_authority_logs_count(view.authority);
    const uint32_t start = (uint32_t)after;
    uint32_t i = start;
    json_t *items = json_array();
    for (; i < total && i - start < page.limit; i++) {
        (void)json_array_append_new(items,
                                    log_row(&view, spean_authority_log_at(view.authority, i)));
    }
    char next[16];
    (void)snprintf(next, sizeof(next), "%u", i);
    spean_core_view_end(&view);
    spean_reply_page(reply, items, i < total ? next : NULL);
}

/* -- Entries --------------------------------------------------------------------------------- */

/* The log whose id begins with these digits. NULL: reply says why not. */
static const struct spean_log *find_log(const struct spean_authority *authority, const char *prefix,
                                        struct spean_reply *reply)
{
    const struct spean_log *found = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < spean_authority_logs_count(authority); i++) {
        const struct spean_log *log = spean_authority_log_at(authority, i);
        char text[2 * SPEAN_ID_BYTES + 1];
        spean_text_hex_encode(text, sizeof(text),
                              (struct spean_view){log->id.bytes, sizeof(log->id.bytes)});
        if (strlen(prefix) >= PREFIX_DIGITS_MIN && strncmp(text, prefix, strlen(prefix)) == 0) {
            found = log;
            count++;
        }
    }
    if (count > 1) {
        spean_reply_named(reply, SPEAN_EEXISTS, "ambiguous", "several logs begin like this",
                          "give more digits");
    } else if (count == 0) {
        spean_reply_error(reply, SPEAN_ENOTFOUND, "no log begins like this",
                          "spean log list shows them");
    }
    return count == 1 ? found : NULL;
}

static const char *kind_name(uint64_t kind)
{
    switch (kind) {
    case SPEAN_ENTRY_CHANGE:
        return "change";
    case SPEAN_ENTRY_GRANT:
        return "grant";
    case SPEAN_ENTRY_ORGKEY:
        return "org_key_grant";
    case SPEAN_ENTRY_ERASURE:
        return "erasure";
    case SPEAN_ENTRY_HEADS:
        return "heads";
    default:
        return "unknown";
    }
}

/* Say whether this organisation can open what the tag names: it has the key, or it is its own. */
static bool is_ours(const struct spean_core_view *view, const struct spean_logs_row *row,
                    const struct spean_header *header)
{
    uint32_t key = 0;
    if (header->kind == SPEAN_ENTRY_ORGKEY) {
        return spean_id_compare(&row->org, spean_core_org(view->core)) == 0;
    }
    return spean_partkeys_number_of(view->tx, &header->tag, &key) == SPEAN_OK && key != 0;
}

static void put_fate(const struct spean_core_view *view, const struct spean_logs_row *row,
                     const struct spean_header *header, bool held, bool erased, json_t *item)
{
    struct spean_fold_aside aside;
    uint64_t cursor = 0;
    const char *fate = "none";
    const char *why = NULL;
    if (spean_fold_aside_next(view->tx, row->number, header->seq, &aside) == SPEAN_OK &&
        aside.number == row->number && aside.seq == header->seq) {
        fate = "aside";
        why = spean_aside_text(aside.reason);
    } else if (spean_fold_cursor(view->tx, row->number, &cursor) != SPEAN_OK ||
               cursor < header->seq) {
        fate = "waiting";
        why = "it is not folded yet";
    } else if (erased && header->kind == SPEAN_ENTRY_CHANGE) {
        why = "it was erased";
    } else if (header->has_tag &&
               (header->kind == SPEAN_ENTRY_CHANGE || header->kind == SPEAN_ENTRY_GRANT ||
                header->kind == SPEAN_ENTRY_ORGKEY)) {
        const bool ours = is_ours(view, row, header);
        fate = ours ? (held ? "folded" : "waiting") : "none";
        why = ours ? (held ? NULL : "its body is not here yet") : "it is not for this organisation";
    } else {
        fate = "folded";
    }
    (void)json_object_set_new(item, "fate", json_string(fate));
    (void)json_object_set_new(item, "why", why != NULL ? json_string(why) : json_null());
}

/* Say whether the body of an entry is erased: by its tag, or as a public change by its name. */
static bool is_erased(const struct spean_core_view *view, const struct spean_logs_row *row,
                      const struct spean_run_entry *entry)
{
    const struct spean_header *const h = &entry->header;
    bool erased = false;
    spean_err err = SPEAN_OK;
    if (h->has_tag) {
        err = spean_partkeys_refused(view->tx, &h->tag, &erased);
    } else if (h->kind == SPEAN_ENTRY_CHANGE) {
        err = spean_erased_named(view->tx, &row->log, h->seq, &entry->id, &erased);
    }
    return err == SPEAN_OK && erased;
}

static json_t *entry_row(const struct spean_core_view *view, const struct spean_logs_row *row,
                         const struct spean_run_entry *entry)
{
    const struct spean_header *h = &entry->header;
    struct spean_view body;
    const bool held = spean_body_get(view->tx, row->number, h, &body) == SPEAN_OK;
    json_t *item = json_object();
    (void)json_object_set_new(item, "seq", spean_json_u64(h->seq));
    spean_answer_hex(item, "id", entry->id.bytes, sizeof(entry->id.bytes));
    spean_answer_time(item, "time", h->time);
    (void)json_object_set_new(item, "kind", json_string(kind_name(h->kind)));
    if (h->has_tag) {
        spean_answer_hex(item, "tag", h->tag.bytes, sizeof(h->tag.bytes));
    } else {
        (void)json_object_set_new(item, "tag", json_null());
    }
    (void)json_object_set_new(item, "body_bytes", json_integer(h->body_len));
    const bool erased = is_erased(view, row, entry);
    (void)json_object_set_new(item, "body",
                              json_string(erased ? "erased" : (held ? "held" : "missing")));
    put_fate(view, row, h, held, erased, item);
    return item;
}

/* The body as it is kept and served: ciphertext where it is sealed. */
static void put_stored(const struct spean_core_view *view, const struct spean_logs_row *row,
                       const struct spean_header *header, json_t *item)
{
    struct spean_view body;
    if (spean_body_get(view->tx, row->number, header, &body) == SPEAN_OK) {
        spean_answer_hex(item, "stored", body.data, body.len);
    } else {
        (void)json_object_set_new(item, "stored", json_null());
    }
}

/* All that an independent check of the chain needs: header, signature, body, as they are kept. */
static void put_whole(const struct spean_core_view *view, const struct spean_logs_row *row,
                      const struct spean_run_entry *entry, json_t *item)
{
    struct spean_signature signature;
    const bool is_signed =
        spean_entries_signature(view->tx, row, entry->header.seq, &signature) == SPEAN_OK;
    spean_answer_hex(item, "header", entry->header_bytes.data, entry->header_bytes.len);
    if (is_signed) {
        spean_answer_hex(item, "signature", signature.bytes, sizeof(signature.bytes));
    } else {
        (void)json_object_set_new(item, "signature", json_null());
    }
    put_stored(view, row, &entry->header, item);
}

/* Append entries from seq on to items, and give the seq behind the last. */
static uint64_t add_entries(const struct spean_core_view *view, const struct spean_logs_row *row,
                            uint64_t seq, size_t limit, bool whole, json_t *items)
{
    struct spean_run_entry entry;
    while (json_array_size(items) < limit &&
           spean_entries_get(view->tx, row, seq, &entry) == SPEAN_OK) {
        json_t *item = entry_row(view, row, &entry);
        if (whole) {
            put_whole(view, row, &entry, item);
        }
        if (json_array_append_new(items, item) != 0) {
            break;
        }
        seq++;
    }
    return seq;
}

/* Whether the query asks to begin with what comes next. */
static bool is_from_now(const struct spean_request *request)
{
    const char *after = spean_request_query(request, "after");
    return after != NULL && strcmp(after, "now") == 0;
}

/* For node/follow.h: entries as they become durable. */
static bool entries_follow(const struct spean_request *request, void *ctx,
                           struct spean_stream *stream, json_t *lines, struct spean_reply *reply)
{
    struct spean_core_view view;
    struct spean_page page;
    struct spean_logs_row row;
    uint64_t after = 0;
    const bool from_now = is_from_now(request);
    if ((!from_now && !spean_answer_page(request, SEQ_AFTER_MAX, &page, &after, reply)) ||
        !spean_answer_begin(ctx, &view, reply)) {
        return false;
    }
    const struct spean_log *log =
        find_log(view.authority, spean_request_param(request, "id"), reply);
    const bool held = log != NULL && spean_logs_get(view.tx, &log->id, &row) == SPEAN_OK;
    if (log != NULL && !stream->begun) {
        const uint64_t now = held ? row.head.seq + 1 : 1;
        stream->at[0] = from_now ? now : after + 1;
        stream->begun = true;
    }
    if (held) {
        stream->at[0] =
            add_entries(&view, &row, stream->at[0], SPEAN_STREAM_LINES_MAX, false, lines);
    }
    spean_core_view_end(&view);
    return log != NULL;
}

static bool is_whole(const struct spean_request *request)
{
    const char *const whole = spean_request_query(request, "whole");
    return whole != NULL && strcmp(whole, "1") == 0;
}

static void get_entries(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_page page;
    struct spean_core_view view;
    if (spean_follow_asked(request)) {
        spean_reply_go_on(reply, entries_follow);
        return;
    }
    uint64_t after = 0;
    if (!spean_answer_page(request, SEQ_AFTER_MAX, &page, &after, reply) ||
        !spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    const struct spean_log *log =
        find_log(view.authority, spean_request_param(request, "id"), reply);
    struct spean_logs_row row;
    json_t *items = json_array();
    const bool whole = is_whole(request);
    const size_t limit = whole && page.limit > WHOLE_MAX ? WHOLE_MAX : page.limit;
    uint64_t seq = after + 1;
    const bool held = log != NULL && spean_logs_get(view.tx, &log->id, &row) == SPEAN_OK;
    if (held) {
        seq = add_entries(&view, &row, seq, limit, whole, items);
    }
    char next[24];
    (void)snprintf(next, sizeof(next), "%llu", (unsigned long long)(seq - 1));
    const bool more = held && seq <= row.head.seq;
    spean_core_view_end(&view);
    if (log != NULL) {
        spean_reply_page(reply, items, more ? next : NULL);
    } else {
        json_decref(items);
    }
}

static void get_entry(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_core_view view;
    if (!spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    const struct spean_log *log =
        find_log(view.authority, spean_request_param(request, "id"), reply);
    const char *given = spean_request_param(request, "seq");
    uint64_t seq = 0;
    struct spean_logs_row row;
    struct spean_run_entry entry;
    if (log != NULL) {
        spean_err err = spean_logs_get(view.tx, &log->id, &row);
        if (err == SPEAN_OK) {
            const bool read = spean_digits_read(given, UINT64_MAX, &seq) == SPEAN_OK && seq > 0;
            err = read ? spean_entries_get(view.tx, &row, seq, &entry) : SPEAN_ENOTFOUND;
        }
        if (err == SPEAN_OK) {
            json_t *item = entry_row(&view, &row, &entry);
            put_stored(&view, &row, &entry.header, item);
            spean_reply_take(reply, item);
        } else {
            const bool none = err == SPEAN_ENOTFOUND;
            spean_reply_error(reply, err, none ? "the log has no entry of this number here" : NULL,
                              none ? "spean log show LOG lists those that are here" : NULL);
        }
    }
    spean_core_view_end(&view);
}

/* -- Pausing --------------------------------------------------------------------------------- */

static void set_paused(struct spean_job *job, struct spean_core *core, bool paused)
{
    const struct spean_log *log =
        find_log(core->authority, spean_request_param(job->request, "id"), &job->reply);
    const struct spean_log *own = spean_core_own_log(core);
    if (log == NULL) {
        return;
    }
    if (own != NULL && spean_id_equal(&own->id, &log->id)) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "this is the log of this node itself",
                          "only logs of others can be paused");
        return;
    }
    spean_err err = SPEAN_OK;
    if (!spean_answer_is_dry(job->request)) {
        err = core_pause_log(core, log, paused);
    }
    if (err == SPEAN_ESTATE) {
        spean_reply_error(&job->reply, err, "this log has forked, and stands still by itself",
                          "its organisation or a steward has to cut it");
    } else if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL, NULL);
    } else {
        json_t *body = json_object();
        spean_answer_hex(body, "id", log->id.bytes, sizeof(log->id.bytes));
        (void)json_object_set_new(body, "paused", json_boolean(paused));
        spean_answer_written(job, body);
    }
}

static void run_pause(struct spean_job *job, void *ctx)
{
    set_paused(job, ctx, true);
    spean_queue_answer(job);
}

static void run_resume(struct spean_job *job, void *ctx)
{
    set_paused(job, ctx, false);
    spean_queue_answer(job);
}

struct spean_route_group spean_log_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/logs",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = get_logs},
        {.method = "GET",
         .path = "/v1/logs/{id}/entries",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after whole follow",
         .read = get_entries},
        {.method = "GET",
         .path = "/v1/logs/{id}/entries/{seq}",
         .flags = SPEAN_ROUTE_READ,
         .read = get_entry},
        {.method = "POST",
         .path = "/v1/logs/{id}/pause",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_pause},
        {.method = "POST",
         .path = "/v1/logs/{id}/resume",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_resume},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
