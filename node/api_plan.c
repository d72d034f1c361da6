/* What the next sync would bring and take, from what partners told last: a dry run of it. */
#include <stdlib.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "store/logs.h"
#include "store/partkeys.h"
#include "store/peer.h"

#define ENTRY_BYTES_GUESS 512u /* Of a log of which nothing is held yet. */

/* Entries, and about how many bytes they are (P5.6). */
struct amount {
    uint64_t changes;
    uint64_t bytes;
};

/* What the nodes of one organisation told that they hold, by number of log. */
struct told {
    uint64_t highest[SPEAN_FRONTIER_LOGS_MAX];
};

static uint64_t add_capped(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Add entries of a log, as long as those that are held are on average. */
static void amount_add(struct amount *amount, const struct spean_logs_row *row, uint64_t entries)
{
    const uint64_t each = row->head.seq > 0 ? row->bytes / row->head.seq : ENTRY_BYTES_GUESS;
    const uint64_t bytes = each > 0 && entries > UINT64_MAX / each ? UINT64_MAX : each * entries;
    amount->changes = add_capped(amount->changes, entries);
    amount->bytes = add_capped(amount->bytes, bytes);
}

/* How many entries of a log we would take, were it to reach up to seq. */
static uint64_t lacking(const struct spean_core_view *view, const struct spean_logs_row *row,
                        uint64_t seq)
{
    const struct spean_log *log = spean_authority_log(view->authority, &row->log);
    if (log == NULL || row->standing != SPEAN_LOG_GOING) {
        return 0;
    }
    const uint64_t end = log->status != SPEAN_LOG_OPEN && seq > log->cut.seq ? log->cut.seq : seq;
    return end > row->head.seq ? end - row->head.seq : 0;
}

/* Take in what a node told, or forget it again. */
static void take_told(const struct spean_core_view *view, const struct spean_peer *peer,
                      struct told *told, bool forget)
{
    struct spean_peer_row met;
    uint32_t number = 0;
    struct spean_place place;
    if (spean_peer_get(view->tx, peer, &met) != SPEAN_OK) {
        return;
    }
    while (spean_peer_next_head(view->tx, met.number, number, &number, &place) == SPEAN_OK &&
           number < SPEAN_FRONTIER_LOGS_MAX) {
        uint64_t *highest = &told->highest[number];
        *highest = forget ? 0 : (place.seq > *highest ? place.seq : *highest);
        number++;
    }
}

/* Call take_told() for each node of org. False: we met none of them. */
static bool take_org(const struct spean_core_view *view, const struct spean_id *org,
                     struct told *told, bool forget)
{
    bool met_one = false;
    for (uint32_t i = 0; i < spean_authority_logs_count(view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(view->authority, i);
        const struct spean_peer peer = {log->org, log->signing};
        struct spean_peer_row met;
        if (spean_id_equal(&log->org, org)) {
            met_one = met_one || spean_peer_get(view->tx, &peer, &met) == SPEAN_OK;
            take_told(view, &peer, told, forget);
        }
    }
    return met_one;
}

/* What would be fetched from who told this, and what of ours would be sent there. */
static void compare(const struct spean_core_view *view, const struct told *told,
                    const struct spean_id *own, struct amount *fetch, struct amount *send)
{
    struct spean_logs_row row;
    uint32_t from = 0;
    while (spean_logs_next(view->tx, from, &row) == SPEAN_OK &&
           row.number < SPEAN_FRONTIER_LOGS_MAX) {
        const uint64_t theirs = told->highest[row.number];
        from = row.number + 1;
        if (own == NULL || !spean_id_equal(&row.log, own)) {
            amount_add(fetch, &row, lacking(view, &row, theirs));
        } else if (row.head.seq > theirs) {
            amount_add(send, &row, row.head.seq - theirs);
        }
    }
}

static json_t *amount_json(const struct amount *amount, bool known)
{
    if (!known) {
        return json_null();
    }
    json_t *row = json_object();
    (void)json_object_set_new(row, "changes", spean_json_u64(amount->changes));
    (void)json_object_set_new(row, "bytes", spean_json_u64(amount->bytes));
    return row;
}

static bool is_connected(const struct spean_core *core, const struct spean_id *org)
{
    for (uint32_t i = 0; i < core->partners_count; i++) {
        if (core->partners[i].connected && spean_id_equal(&core->partners[i].org, org)) {
            return true;
        }
    }
    return false;
}

/* When a node of org was met last; 0: never. */
static uint64_t last_met(const struct spean_core_view *view, const struct spean_id *org)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < spean_authority_logs_count(view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(view->authority, i);
        const struct spean_peer peer = {log->org, log->signing};
        struct spean_peer_row met;
        if (spean_id_equal(&log->org, org) && spean_peer_get(view->tx, &peer, &met) == SPEAN_OK &&
            met.contact_s > last) {
            last = met.contact_s;
        }
    }
    return last;
}

static json_t *partner_row(const struct spean_core_view *view, const struct spean_id *org,
                           const struct spean_id *own, struct told *told)
{
    struct amount fetch = {0, 0};
    struct amount send = {0, 0};
    const bool known = take_org(view, org, told, false);
    json_t *row = json_object();
    if (known) {
        compare(view, told, own, &fetch, &send);
    }
    (void)take_org(view, org, told, true);
    spean_answer_org(row, "org", "name", view, org);
    (void)json_object_set_new(row, "connected", json_boolean(is_connected(view->core, org)));
    spean_answer_time(row, "last_contact", last_met(view, org));
    (void)json_object_set_new(row, "fetch", amount_json(&fetch, known));
    (void)json_object_set_new(row, "send", amount_json(&send, known));
    return row;
}

/* All that would be fetched, whoever brings it first. */
static json_t *fetch_all(const struct spean_core_view *view, const struct spean_id *own,
                         struct told *told)
{
    struct amount fetch = {0, 0};
    struct amount send = {0, 0};
    if (spean_peer_highest(view->tx, told->highest, SPEAN_FRONTIER_LOGS_MAX) != SPEAN_OK) {
        return amount_json(&fetch, false); /* verify finds what is damaged. */
    }
    compare(view, told, own, &fetch, &send);
    return amount_json(&fetch, true);
}

static void get_plan(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    if (!spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    const struct spean_ledger *ledger = spean_authority_ledger(view.authority);
    const struct spean_log *own_log = spean_core_own_log(view.core);
    const struct spean_id *own = own_log != NULL ? &own_log->id : NULL;
    struct told *told = calloc(1, sizeof(*told));
    uint64_t bodies = 0;
    spean_err err = told == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    if (err == SPEAN_OK) {
        err = spean_partkeys_lacking_count(view.tx, &bodies);
    }
    if (err != SPEAN_OK) {
        free(told);
        spean_core_view_end(&view);
        spean_reply_error(reply, err, NULL, "check the store: spean verify");
        return;
    }
    json_t *body = json_object();
    json_t *partners = json_array();
    for (uint32_t i = 0; ledger != NULL && i < ledger->members_count; i++) {
        const struct spean_ledger_member *member = &ledger->members[i];
        if (member->standing == SPEAN_STANDING_ACTIVE &&
            !spean_id_equal(&member->org, spean_core_org(view.core))) {
            (void)json_array_append_new(partners, partner_row(&view, &member->org, own, told));
        }
    }
    (void)json_object_set_new(body, "partners", partners);
    (void)json_object_set_new(body, "fetch", fetch_all(&view, own, told));
    (void)json_object_set_new(body, "missing_bodies", spean_json_u64(bodies));
    (void)json_object_set_new(body, "paused", json_boolean(view.core->sync_paused));
    free(told);
    spean_core_view_end(&view);
    spean_reply_take(reply, body);
}

struct spean_route_group spean_plan_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET", .path = "/v1/sync/plan", .flags = SPEAN_ROUTE_READ, .read = get_plan},
    };
    return (struct spean_route_group){routes, 1};
}
