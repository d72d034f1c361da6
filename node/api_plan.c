/* What the next sync would bring and take, from what partners told last: a dry run of it. */
#include <stdlib.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "store/entries.h"
#include "store/log.h"
#include "store/logs.h"
#include "store/partkeys.h"
#include "store/peer.h"
#include "store/serve.h"

#define ENTRY_BYTES_GUESS 512u                /* Of a log of which nothing is held yet. */
#define COMPOSED_MAX      (UINT64_C(8) << 20) /* Read for one answer; what is beyond is estimated. */

/* Entries, and how many bytes they are on their way. */
struct amount {
    uint64_t changes;
    uint64_t bytes;
};

/* What the nodes of one organisation told that they hold, by number of log. */
struct told {
    uint64_t highest[SPEAN_FRONTIER_LOGS_MAX];
};

/* What the answer works with. Too large for a stack. */
struct plan {
    const struct spean_core_view *view;
    struct told told;
    struct core_travel travel; /* Of the partner at hand. */
    uint64_t composed;         /* Bytes that were read so far. */
    uint8_t run[SPEAN_LOG_RUN_BYTES_MAX];
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

/* Up to where anybody takes a log that is told to reach seq; 0: it stands still here. */
static uint64_t end_of(const struct plan *plan, const struct spean_logs_row *row, uint64_t seq)
{
    const struct spean_log *log = spean_authority_log(plan->view->authority, &row->log);
    if (log == NULL || row->standing != SPEAN_LOG_GOING) {
        return 0;
    }
    return log->status != SPEAN_LOG_OPEN && seq > log->cut.seq ? log->cut.seq : seq;
}

/* Take in what a node told, or forget it again. */
static void take_told(struct plan *plan, const struct spean_peer *peer, bool forget)
{
    struct spean_peer_row met;
    uint32_t number = 0;
    struct spean_place place;
    if (spean_peer_get(plan->view->tx, peer, &met) != SPEAN_OK) {
        return;
    }
    while (spean_peer_next_head(plan->view->tx, met.number, number, &number, &place) == SPEAN_OK &&
           number < SPEAN_FRONTIER_LOGS_MAX) {
        uint64_t *highest = &plan->told.highest[number];
        *highest = forget ? 0 : (place.seq > *highest ? place.seq : *highest);
        number++;
    }
}

/* Call take_told() for each node of org. False: we met none of them. */
static bool take_org(struct plan *plan, const struct spean_id *org, bool forget)
{
    bool met_one = false;
    for (uint32_t i = 0; i < spean_authority_logs_count(plan->view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(plan->view->authority, i);
        const struct spean_peer peer = {log->org, log->signing};
        struct spean_peer_row met;
        if (spean_id_equal(&log->org, org)) {
            met_one = met_one || spean_peer_get(plan->view->tx, &peer, &met) == SPEAN_OK;
            take_told(plan, &peer, forget);
        }
    }
    return met_one;
}

/* Add the entries of a log above seq as they would travel to the partner at hand, and return up to
 * where: what cannot be read, or is too much for one answer, is left to be estimated. */
static uint64_t compose_above(struct plan *plan, const struct spean_logs_row *row, uint64_t seq,
                              struct amount *amount)
{
    struct spean_place at = {.seq = seq};
    struct spean_serve_request request = {.log =
                                              spean_authority_log(plan->view->authority, &row->log),
                                          .places = &at,
                                          .places_count = 1,
                                          .bytes_max = SPEAN_RUN_BYTES_MAX,
                                          .travels = core_body_travels,
                                          .ctx = &plan->travel};
    bool more = spean_entries_id(plan->view->tx, row, seq, &at.entry) == SPEAN_OK;
    while (more && plan->composed < COMPOSED_MAX) {
        struct spean_served served;
        if (spean_serve_run(plan->view->tx, &request, plan->run, sizeof(plan->run), &served) !=
                SPEAN_OK ||
            served.run.len == 0) {
            break;
        }
        amount->changes = add_capped(amount->changes, served.last.seq - at.seq);
        amount->bytes = add_capped(amount->bytes, served.run.len);
        plan->composed += served.size;
        at = served.last;
        more = served.more;
    }
    return at.seq;
}

/* Every log: what we would fetch from who told of it, and, where send is not NULL, what is here and
 * not there. */
static void compare(struct plan *plan, struct amount *fetch, struct amount *send)
{
    struct spean_logs_row row;
    uint32_t from = 0;
    while (spean_logs_next(plan->view->tx, from, &row) == SPEAN_OK &&
           row.number < SPEAN_FRONTIER_LOGS_MAX) {
        const uint64_t theirs = plan->told.highest[row.number];
        const uint64_t known = end_of(plan, &row, theirs);
        const uint64_t ours = end_of(plan, &row, row.head.seq);
        from = row.number + 1;
        if (known > row.head.seq) {
            amount_add(fetch, &row, known - row.head.seq);
        } else if (send != NULL && ours > theirs) {
            const uint64_t composed = compose_above(plan, &row, theirs, send);
            amount_add(send, &row, ours > composed ? ours - composed : 0);
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

/* Whether a node of org carries for others: every body travels to it. */
static bool has_relay(const struct spean_authority *authority, const struct spean_id *org)
{
    for (uint32_t i = 0; i < spean_authority_logs_count(authority); i++) {
        const struct spean_log *log = spean_authority_log_at(authority, i);
        if (log->relay && spean_id_equal(&log->org, org)) {
            return true;
        }
    }
    return false;
}

static json_t *partner_row(struct plan *plan, const struct spean_id *org)
{
    const struct spean_core_view *const view = plan->view;
    struct amount fetch = {0, 0};
    struct amount send = {0, 0};
    const bool known = take_org(plan, org, false);
    json_t *row = json_object();
    plan->travel = (struct core_travel){
        .core = view->core, .tx = view->tx, .org = *org, .relay = has_relay(view->authority, org)};
    if (known) {
        compare(plan, &fetch, &send);
    }
    (void)take_org(plan, org, true);
    spean_answer_org(row, "org", "name", view, org);
    (void)json_object_set_new(row, "connected", json_boolean(is_connected(view->core, org)));
    spean_answer_time(row, "last_contact", spean_status_last_contact(view, org));
    (void)json_object_set_new(row, "fetch", amount_json(&fetch, known));
    (void)json_object_set_new(row, "send", amount_json(&send, known));
    return row;
}

/* All that would be fetched, whoever brings it first. */
static json_t *fetch_all(struct plan *plan)
{
    struct amount fetch = {0, 0};
    if (spean_peer_highest(plan->view->tx, plan->told.highest, SPEAN_FRONTIER_LOGS_MAX) !=
        SPEAN_OK) {
        return amount_json(&fetch, false); /* verify finds what is damaged. */
    }
    compare(plan, &fetch, NULL);
    return amount_json(&fetch, true);
}

static json_t *plan_json(struct plan *plan, uint64_t bodies)
{
    const struct spean_core_view *const view = plan->view;
    const struct spean_ledger *ledger = spean_authority_ledger(view->authority);
    json_t *body = json_object();
    json_t *partners = json_array();
    for (uint32_t i = 0; ledger != NULL && i < ledger->members_count; i++) {
        const struct spean_ledger_member *member = &ledger->members[i];
        if (member->standing == SPEAN_STANDING_ACTIVE &&
            !spean_id_equal(&member->org, spean_core_org(view->core))) {
            (void)json_array_append_new(partners, partner_row(plan, &member->org));
        }
    }
    (void)json_object_set_new(body, "partners", partners);
    (void)json_object_set_new(body, "fetch", fetch_all(plan));
    (void)json_object_set_new(body, "missing_bodies", spean_json_u64(bodies));
    (void)json_object_set_new(body, "paused", json_boolean(view->core->sync_paused));
    return body;
}

static void get_plan(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    if (!spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    struct plan *plan = calloc(1, sizeof(*plan));
    uint64_t bodies = 0;
    spean_err err = plan == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    if (err == SPEAN_OK) {
        err = spean_partkeys_lacking_count(view.tx, &bodies);
    }
    if (err != SPEAN_OK) {
        spean_reply_error(reply, err, NULL, "check the store: spean verify");
    } else {
        plan->view = &view;
        spean_reply_take(reply, plan_json(plan, bodies));
    }
    free(plan);
    spean_core_view_end(&view);
}

struct spean_route_group spean_plan_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET", .path = "/v1/sync/plan", .flags = SPEAN_ROUTE_READ, .read = get_plan},
    };
    return (struct spean_route_group){routes, 1};
}
