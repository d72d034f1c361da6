/* What was written of a record, change by change: GET /v1/cases/{id}/history and its like. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/endpoint.h"
#include "node/handlers.h"
#include "node/json_value.h"
#include "node/records.h"
#include "protocol/change.h"
#include "protocol/schema.h"
#include "store/history.h"

#define CHANGES_MAX  100u /* Of one answer: each may be as long as a body. */
#define CURSOR_BYTES 64u  /* Two numbers, 16 hex digits, two dashes. */
#define LOG_DIGITS   16u

static void cursor_print(const struct spean_history_place *place, char out[CURSOR_BYTES])
{
    (void)snprintf(out, CURSOR_BYTES, "%" PRIu64 "-%016" PRIx64 "-%" PRIu64, place->time_s,
                   place->log, place->seq); /* 58 characters at most. */
}

/* Read "1795000000-7f3a91c4d2e80b15-12", as it is printed and in no other form. */
static bool cursor_parse(const char *text, struct spean_history_place *out)
{
    char again[CURSOR_BYTES];
    char *end = NULL;
    struct spean_history_place place = {.time_s = strtoull(text, &end, 10)};
    if (*end == '-') {
        place.log = strtoull(end + 1, &end, LOG_DIGITS);
    }
    if (*end == '-') {
        place.seq = strtoull(end + 1, &end, 10);
    }
    cursor_print(&place, again);
    if (strcmp(text, again) != 0) {
        return false;
    }
    *out = place;
    return true;
}

/* -- One change ------------------------------------------------------------------------------ */

/* What its organisation calls the node that wrote it; null: nothing. */
static json_t *node_name(const struct spean_records *at, const struct spean_history_change *change)
{
    const struct spean_log *const log = spean_authority_log(at->view.authority, &change->log);
    struct spean_node_endpoint endpoint = {.name = ""};
    struct spean_record_id id;
    struct spean_part *part = NULL;
    if (log == NULL ||
        spean_endpoint_record(at->view.tx, at->view.keys, &change->org, &id, &part) != SPEAN_OK) {
        return json_null();
    }
    const bool named = spean_endpoint_find(part, &log->transport, &endpoint);
    spean_part_free(part);
    json_t *const name = named && endpoint.name[0] != '\0' ? json_string(endpoint.name) : NULL;
    return name == NULL ? json_null() : name;
}

static json_t *part_name(uint64_t type, uint32_t part)
{
    const struct spean_schema_type *const known = spean_schema_type(type);
    char number[16];
    (void)snprintf(number, sizeof(number), "#%" PRIu32, part);
    const bool named = known != NULL && part < SPEAN_SCHEMA_PARTS_MAX && known->parts[part] != NULL;
    return json_string(named ? known->parts[part] : number);
}

/* What is known of a change without its content. */
static bool set_head(struct spean_records *at, uint64_t type,
                     const struct spean_history_change *change, json_t *item)
{
    return spean_json_set_time(item, "time", change->place.time_s) &&
           spean_json_set_org(item, "org", &change->org, &at->names) &&
           json_object_set_new(item, "node", node_name(at, change)) == 0 &&
           json_object_set_new(item, "log", spean_json_hex(change->log.bytes, SPEAN_ID_BYTES)) ==
               0 &&
           json_object_set_new(item, "seq", spean_json_u64(change->place.seq)) == 0 &&
           json_object_set_new(item, "entry",
                               spean_json_hex(change->entry.bytes, SPEAN_ID_BYTES)) == 0 &&
           json_object_set_new(item, "part", part_name(type, change->part)) == 0;
}

static bool set_fate(const struct spean_history_change *change, spean_err err, json_t *item)
{
    const char *fate = "folded";
    const char *why = NULL;
    if (change->fate == SPEAN_HISTORY_ASIDE) {
        fate = "aside";
        why = spean_aside_text(change->aside);
    } else if (change->fate == SPEAN_HISTORY_ERASED) {
        fate = "erased";
        why = "it was erased";
    } else if (change->fate == SPEAN_HISTORY_WAITING || err != SPEAN_OK) {
        fate = "waiting";
        why = err == SPEAN_OK ? "it is not folded yet" : "its content is not here";
    }
    return json_object_set_new(item, "fate", json_string(fate)) == 0 &&
           json_object_set_new(item, "why", why == NULL ? json_null() : json_string(why)) == 0;
}

/* What a change did, nothing where it could not be read (change NULL). */
static spean_err set_content(struct spean_records *at, const struct spean_history_change *where,
                             const struct spean_change *change, json_t *item)
{
    json_t *const operations = json_array();
    json_t *fixed = NULL;
    spean_err err = operations == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    struct spean_view left = {NULL, 0};
    if (change != NULL) {
        left = change->operations;
    }
    const struct spean_fold_input input = {
        .change = change, .log = where->place.log, .seq = where->place.seq};
    struct spean_operation op;
    for (uint32_t i = 0; err == SPEAN_OK && left.len > 0 && spean_operation_next(&left, &op); i++) {
        json_t *shown = NULL;
        err = spean_json_operation_show(&input, &op, i, &shown);
        if (err == SPEAN_OK && json_array_append_new(operations, shown) != 0) {
            err = SPEAN_ENOMEM;
        }
    }
    const bool creates = change != NULL && change->creates;
    if (err == SPEAN_OK && creates) {
        err = spean_json_fixed_show(change->type, change->fixed, &at->names, &fixed);
    }
    if (err != SPEAN_OK) {
        json_decref(operations);
        return err;
    }
    json_t *const actor = change == NULL || change->actor.len == 0
                              ? json_null()
                              : json_stringn((const char *)change->actor.data, change->actor.len);
    const bool done = json_object_set_new(item, "operations", operations) == 0 &&
                      json_object_set_new(item, "actor", actor) == 0 &&
                      json_object_set_new(item, "creates", json_boolean(creates)) == 0 &&
                      json_object_set_new(item, "fixed", creates ? fixed : json_object()) == 0;
    return done ? SPEAN_OK : SPEAN_ENOMEM;
}

/* Show a change in *out; buf is room for its content. */
static spean_err change_show(struct spean_records *at, uint64_t type,
                             const struct spean_history_change *change, uint8_t *buf, json_t **out)
{
    struct spean_change content;
    const spean_err read = spean_history_read(at->view.tx, at->view.keys, change, buf, &content);
    if (read != SPEAN_OK && read != SPEAN_ENOTFOUND && read != SPEAN_EFORMAT &&
        read != SPEAN_ECORRUPT) {
        return read;
    }
    json_t *const item = json_object();
    spean_err err = item != NULL && set_head(at, type, change, item) && set_fate(change, read, item)
                        ? SPEAN_OK
                        : SPEAN_ENOMEM;
    if (err == SPEAN_OK) {
        err = set_content(at, change, read == SPEAN_OK ? &content : NULL, item);
    }
    if (err != SPEAN_OK) {
        json_decref(item);
        return err;
    }
    *out = item;
    return SPEAN_OK;
}

/* -- The list -------------------------------------------------------------------------------- */

/* Append count changes to items. */
static spean_err changes_show(struct spean_records *at, uint64_t type,
                              const struct spean_history_change *changes, uint32_t count,
                              json_t *items)
{
    uint8_t *const buf = malloc(SPEAN_BODY_BYTES_MAX);
    spean_err err = buf == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        json_t *item = NULL;
        err = change_show(at, type, &changes[i], buf, &item);
        if (err == SPEAN_OK && json_array_append_new(items, item) != 0) {
            err = SPEAN_ENOMEM;
        }
    }
    if (buf != NULL) {
        sodium_memzero(buf, SPEAN_BODY_BYTES_MAX);
    }
    free(buf);
    return err;
}

static void answer(struct spean_records *at, uint64_t type, const struct spean_page *page,
                   const struct spean_history_place *after)
{
    struct spean_history_change changes[CHANGES_MAX];
    struct spean_record_id record;
    char next[CURSOR_BYTES];
    uint32_t count = 0;
    bool more = false;
    if (!spean_records_find(at, type, spean_request_param(at->request, "id"), &record)) {
        return;
    }
    spean_err err =
        spean_history_list(at->view.tx, at->view.keys, at->view.authority, &record, after, changes,
                           page->limit < CHANGES_MAX ? page->limit : CHANGES_MAX, &count, &more);
    json_t *const items = json_array();
    if (err == SPEAN_OK) {
        err = changes_show(at, type, changes, count, items);
    }
    if (err != SPEAN_OK) {
        json_decref(items);
        spean_records_refuse(at, err == SPEAN_EFORMAT ? SPEAN_ECORRUPT : err, NULL, NULL, NULL);
        return;
    }
    if (more) {
        cursor_print(&changes[count - 1].place, next);
    }
    spean_reply_page(at->reply, items, more ? next : NULL);
}

static void history(const struct spean_request *request, void *ctx, struct spean_reply *reply,
                    uint64_t type)
{
    struct spean_records at;
    struct spean_page page;
    struct spean_history_place after = {.seq = 0};
    if (!spean_records_read(&at, request, ctx, reply)) {
        return;
    }
    if (spean_request_page(request, &page) != SPEAN_OK) {
        spean_records_refuse(&at, SPEAN_EINPUT, NULL, "limit must be from 1 to 1000", NULL);
    } else if (page.after[0] != '\0' && !cursor_parse(page.after, &after)) {
        spean_records_refuse(&at, SPEAN_EINPUT, NULL, "after: expected what came as next",
                             "begin without it");
    } else {
        answer(&at, type, &page, page.after[0] == '\0' ? NULL : &after);
    }
    spean_records_end(&at);
}

static void agency_history(const struct spean_request *request, void *ctx,
                           struct spean_reply *reply)
{
    history(request, ctx, reply, SPEAN_TYPE_AGENCY);
}

static void case_history(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    history(request, ctx, reply, SPEAN_TYPE_CASE);
}

static void referral_history(const struct spean_request *request, void *ctx,
                             struct spean_reply *reply)
{
    history(request, ctx, reply, SPEAN_TYPE_REFERRAL);
}

struct spean_route_group spean_history_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/agencies/{id}/history",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = agency_history},
        {.method = "GET",
         .path = "/v1/cases/{id}/history",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = case_history},
        {.method = "GET",
         .path = "/v1/referrals/{id}/history",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = referral_history},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
