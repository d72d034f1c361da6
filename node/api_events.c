/* What happens, for programs that tell people: GET /v1/events. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/follow.h"
#include "node/handlers.h"
#include "node/records.h"
#include "node/referral.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/documents.h"
#include "store/news.h"

#define PLACE_MAX       (UINT64_MAX - 1) /* There is a place behind each. */
#define CURSOR_BYTES    48u              /* Two numbers and a dash. */
#define PRESENT_LOOK_MS 1000u

/* How far somebody has read: news of records, and documents, each in the order of arrival. */
enum place { PLACE_RECORDS, PLACE_DOCUMENTS };

/* One answer, or one look of whoever follows. */
struct events {
    struct spean_core_view view;
    struct spean_reply *reply;
    uint64_t at[2];
    json_t *lines;
    size_t limit;
    bool more; /* There was more than limit. */
};

static void cursor_print(const uint64_t at[2], char out[CURSOR_BYTES])
{
    (void)snprintf(out, CURSOR_BYTES, "%" PRIu64 "-%" PRIu64, at[PLACE_RECORDS],
                   at[PLACE_DOCUMENTS]); /* 41 characters at most. */
}

/* Read "124-45". */
static bool cursor_parse(const char *text, uint64_t at[2])
{
    char records[CURSOR_BYTES];
    const size_t len = strcspn(text, "-");
    if (len >= sizeof(records) || text[len] != '-') {
        return false;
    }
    memcpy(records, text, len);
    records[len] = '\0';
    return spean_digits_read(records, PLACE_MAX, &at[PLACE_RECORDS]) == SPEAN_OK &&
           spean_digits_read(text + len + 1, PLACE_MAX, &at[PLACE_DOCUMENTS]) == SPEAN_OK;
}

/* A new line of this kind, with the place behind it. */
static json_t *line_new(const struct events *e, const char *event, uint64_t time_s)
{
    char cursor[CURSOR_BYTES];
    cursor_print(e->at, cursor);
    json_t *line = json_pack("{s:s, s:s}", "event", event, "cursor", cursor);
    spean_answer_time(line, "at", time_s);
    return line;
}

static bool line_add(struct events *e, json_t *line)
{
    return json_array_append_new(e->lines, line) == 0;
}

/* -- Members and rules ----------------------------------------------------------------------- */

static const char *membership(const struct spean_authority_org *org)
{
    return org->removed ? "removed" : org->active ? "active" : "pending";
}

static json_t *document_line(const struct events *e, const struct spean_documents_row *row)
{
    const struct spean_ledger *ledger = spean_authority_ledger(e->view.authority);
    struct spean_authority_org org;
    if (ledger != NULL && spean_id_equal(&row->chain, &ledger->id)) {
        json_t *line = line_new(e, "charter", 0);
        (void)json_object_set_new(line, "version", spean_json_u64(row->title.version));
        return line;
    }
    json_t *line = line_new(e, "member", 0);
    const bool known = spean_authority_org(e->view.authority, &row->chain, &org) == SPEAN_OK;
    spean_answer_org(line, "org", "name", &e->view, &row->chain);
    (void)json_object_set_new(line, "status", json_string(known ? membership(&org) : "pending"));
    (void)json_object_set_new(line, "version", spean_json_u64(row->title.version));
    return line;
}

static spean_err add_documents(struct events *e)
{
    struct spean_documents_row row;
    spean_err err = spean_documents_next(e->view.tx, e->at[PLACE_DOCUMENTS] + 1, &row);
    while (err == SPEAN_OK && json_array_size(e->lines) < e->limit) {
        e->at[PLACE_DOCUMENTS] = row.number;
        if (!line_add(e, document_line(e, &row))) {
            return SPEAN_ENOMEM;
        }
        err = spean_documents_next(e->view.tx, row.number + 1, &row);
    }
    e->more = e->more || err == SPEAN_OK;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* -- Records --------------------------------------------------------------------------------- */

/* Where a referral stands. */
static spean_err set_state(const struct spean_records *at, const struct spean_records_item *item,
                           json_t *line)
{
    struct spean_referral_now now;
    const spean_err err = spean_referral_now_init(at, item, &now);
    if (err != SPEAN_OK) {
        return err;
    }
    json_t *const flags = spean_referral_flags(at, item, &now);
    const char *const state = spean_referral_state_name(now.progress.state);
    spean_referral_now_fini(&now);
    const bool done = json_object_set_new(line, "state", json_string(state)) == 0 &&
                      json_object_set_new(line, "flags", flags) == 0;
    return done ? SPEAN_OK : SPEAN_ENOMEM;
}

/* Ids, codes and states; nothing that anybody wrote. */
static spean_err set_record(struct spean_records *at, const struct spean_records_item *item,
                            json_t *line)
{
    static const char *const kept[] = {"id", "code", "conflicts"};
    json_t *whole = NULL;
    spean_err err = spean_records_line(at, item, &whole);
    for (size_t i = 0; err == SPEAN_OK && i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (json_object_set(line, kept[i], json_object_get(whole, kept[i])) != 0) {
            err = SPEAN_ENOMEM;
        }
    }
    json_decref(whole);
    return err == SPEAN_OK && item->info.type == SPEAN_TYPE_REFERRAL ? set_state(at, item, line)
                                                                     : err;
}

/* Tell of one record. One whose beginning is not here, or that is damaged, is not told of: it comes
 * again when the rest comes, and verify finds what is damaged. */
static spean_err add_record(struct events *e, const struct spean_news *news)
{
    struct spean_records at;
    struct spean_records_item item;
    spean_records_on_view(&at, &e->view, e->reply);
    spean_err err = spean_records_load(&at, &news->record, &item);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOMEM ? err : SPEAN_OK;
    }
    const struct spean_schema_type *const type = spean_schema_type(item.info.type);
    json_t *const line = line_new(e, type != NULL ? type->name : "record", news->time_s);
    err = set_record(&at, &item, line);
    spean_records_unload(&item);
    if (err == SPEAN_OK) {
        return line_add(e, line) ? SPEAN_OK : SPEAN_ENOMEM;
    }
    json_decref(line);
    return err == SPEAN_ENOMEM ? err : SPEAN_OK;
}

/* Locked, nothing of records is told; it is afterwards. */
static spean_err add_records(struct events *e)
{
    struct spean_news news;
    if (spean_keys_locked(e->view.keys)) {
        return SPEAN_OK;
    }
    spean_err err = spean_news_next(e->view.tx, e->at[PLACE_RECORDS], &news);
    while (err == SPEAN_OK && json_array_size(e->lines) < e->limit) {
        e->at[PLACE_RECORDS] = news.number;
        err = add_record(e, &news);
        if (err == SPEAN_OK) {
            err = spean_news_next(e->view.tx, news.number, &news);
        }
    }
    e->more = e->more || err == SPEAN_OK;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* What lasts: it can be read again from any place, after any time. */
static spean_err add_lasting(struct events *e)
{
    const spean_err err = add_documents(e);
    return err == SPEAN_OK ? add_records(e) : err;
}

/* -- What is so now -------------------------------------------------------------------------- */

/* What a follower was told last of what does not last. */
struct present {
    json_t *told; /* From a name ("health", an org) to what was said. */
    uint64_t next_ms;
};

static void present_free(void *seen)
{
    struct present *const present = seen;
    if (present != NULL) {
        json_decref(present->told);
        free(present);
    }
}

/* Say it if it is not what was said last. what is taken; NULL: no memory. */
static bool tell(struct events *e, struct present *present, const char *event, const char *name,
                 json_t *what)
{
    if (what == NULL) {
        return false;
    }
    if (json_equal(json_object_get(present->told, name), what)) {
        json_decref(what);
        return true;
    }
    json_t *line = line_new(e, event, core_now_s());
    const bool told =
        json_object_update(line, what) == 0 && json_object_set_new(present->told, name, what) == 0;
    if (!told) {
        json_decref(line);
        return false;
    }
    return line_add(e, line);
}

static bool tell_partners(struct events *e, struct present *present)
{
    const struct spean_ledger *ledger = spean_authority_ledger(e->view.authority);
    for (uint32_t i = 0; ledger != NULL && i < ledger->members_count; i++) {
        const struct spean_ledger_member *member = &ledger->members[i];
        if (member->standing != SPEAN_STANDING_ACTIVE ||
            spean_id_equal(&member->org, spean_core_org(e->view.core))) {
            continue;
        }
        json_t *what = json_object();
        spean_answer_org(what, "org", "name", &e->view, &member->org);
        (void)json_object_set_new(what, "state",
                                  json_string(spean_status_state(&e->view, &member->org)));
        const char *const id = json_string_value(json_object_get(what, "org"));
        if (id == NULL || !tell(e, present, "partner", id, what)) {
            return false;
        }
    }
    return true;
}

static bool tell_present(struct events *e, struct present *present)
{
    if (core_now_ms() < present->next_ms) {
        return true;
    }
    present->next_ms = core_now_ms() + PRESENT_LOOK_MS;
    json_t *health = spean_status_health(&e->view);
    (void)json_object_set_new(health, "locked", json_boolean(spean_keys_locked(e->view.keys)));
    return tell(e, present, "health", "health", health) &&
           tell(e, present, "newcomers", "newcomers",
                json_pack("{s:I}", "waiting", (json_int_t)spean_status_pending(&e->view))) &&
           tell_partners(e, present);
}

static struct present *present_of(struct spean_stream *stream)
{
    if (stream->seen == NULL) {
        struct present *const present = calloc(1, sizeof(*present));
        if (present == NULL) {
            return NULL;
        }
        present->told = json_object();
        stream->seen = present;
        stream->seen_free = present_free;
    }
    return stream->seen;
}

/* -- The route ------------------------------------------------------------------------------- */

/* The place behind all that there is. */
static spean_err place_at_end(struct spean_tx *tx, uint64_t end[2])
{
    struct spean_documents_row row;
    uint64_t documents = 0;
    spean_err err = spean_news_last(tx, &end[PLACE_RECORDS]);
    while (err == SPEAN_OK && (err = spean_documents_next(tx, documents + 1, &row)) == SPEAN_OK) {
        documents = row.number;
    }
    end[PLACE_DOCUMENTS] = documents;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Put the place that the query names into at. False: reply says why not. */
static bool begin_at(struct events *e, const struct spean_request *request)
{
    const char *const after = spean_request_query(request, "after");
    uint64_t end[2] = {0, 0};
    if (after == NULL || after[0] == '\0') {
        return true;
    }
    const spean_err err = place_at_end(e->view.tx, end);
    if (err != SPEAN_OK) {
        spean_reply_error(e->reply, err, NULL, NULL);
        return false;
    }
    if (strcmp(after, "now") == 0) {
        memcpy(e->at, end, sizeof(e->at));
        return true;
    }
    if (!cursor_parse(after, e->at)) {
        spean_reply_error(e->reply, SPEAN_EINPUT, "after: expected a cursor, or now",
                          "each event has one");
        return false;
    }
    /* Waiting there would pass over all that comes until then. */
    if (e->at[PLACE_RECORDS] > end[PLACE_RECORDS] ||
        e->at[PLACE_DOCUMENTS] > end[PLACE_DOCUMENTS]) {
        spean_reply_named(e->reply, SPEAN_ESTATE, "cursor_beyond",
                          "this cursor is beyond all that is here: it is of another store, or of "
                          "this one before it was made anew",
                          "begin anew, without after: every record comes once");
        return false;
    }
    return true;
}

/* For node/follow.h. */
static bool events_follow(const struct spean_request *request, void *ctx,
                          struct spean_stream *stream, json_t *lines, struct spean_reply *reply)
{
    struct events e = {.reply = reply, .lines = lines, .limit = SPEAN_STREAM_LINES_MAX};
    struct present *const present = present_of(stream);
    memcpy(e.at, stream->at, sizeof(e.at));
    if (present == NULL || !spean_answer_begin(ctx, &e.view, reply)) {
        return false;
    }
    bool good = stream->begun || begin_at(&e, request);
    if (good) {
        const spean_err err = add_lasting(&e);
        good = err == SPEAN_OK && (e.more || tell_present(&e, present));
        if (!good) {
            spean_reply_error(reply, err != SPEAN_OK ? err : SPEAN_ENOMEM, NULL, NULL);
        }
    }
    spean_core_view_end(&e.view);
    memcpy(stream->at, e.at, sizeof(e.at));
    stream->begun = true;
    return good;
}

static void answer_page(struct events *e, const struct spean_request *request)
{
    struct spean_page page;
    if (spean_request_page(request, &page) != SPEAN_OK) {
        spean_reply_error(e->reply, SPEAN_EINPUT, "limit must be from 1 to 1000", NULL);
        return;
    }
    e->limit = page.limit;
    if (!begin_at(e, request)) {
        return;
    }
    const spean_err err = add_lasting(e);
    char cursor[CURSOR_BYTES];
    cursor_print(e->at, cursor);
    if (err != SPEAN_OK) {
        spean_reply_error(e->reply, err, NULL, NULL);
        return;
    }
    spean_reply_take(e->reply, json_pack("{s:O, s:s?, s:s}", "items", e->lines, "next",
                                         e->more ? cursor : NULL, "cursor", cursor));
}

static void get_events(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    if (spean_follow_asked(request)) {
        spean_reply_go_on(reply, events_follow);
        return;
    }
    struct events e = {.reply = reply, .lines = json_array()};
    if (e.lines == NULL) {
        spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
        return;
    }
    if (spean_answer_begin(ctx, &e.view, reply)) {
        answer_page(&e, request);
        spean_core_view_end(&e.view);
    }
    json_decref(e.lines);
}

struct spean_route_group spean_event_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/events",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after follow",
         .read = get_events},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
