/* How this node stands with its partners, and syncing now. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "node/todo.h"
#include "protocol/message.h"
#include "store/carry.h"
#include "store/fold.h"
#include "store/lobby.h"
#include "store/logs.h"
#include "store/partkeys.h"
#include "store/peer.h"

#define ENTRIES_UNKNOWN UINT64_MAX

/* -- What we hold of them, what they hold of ours -------------------------------------------- */

/* What peers told that they hold, by number of log; computed once for all partners. */
struct told {
    uint64_t highest[SPEAN_FRONTIER_LOGS_MAX];
};

/* Entries of the logs of org that are here, and how many more a peer told us of. */
static void held_here(const struct spean_core_view *view, const struct spean_id *org,
                      const struct told *told, uint64_t *entries, uint64_t *missing)
{
    *entries = 0;
    *missing = 0;
    for (uint32_t i = 0; i < spean_authority_logs_count(view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(view->authority, i);
        struct spean_logs_row row;
        if (!spean_id_equal(&log->org, org) ||
            spean_logs_get(view->tx, &log->id, &row) != SPEAN_OK) {
            continue;
        }
        *entries += row.head.seq;
        uint64_t known = row.number < SPEAN_FRONTIER_LOGS_MAX ? told->highest[row.number] : 0;
        if (log->status != SPEAN_LOG_OPEN && known > log->cut.seq) {
            known = log->cut.seq; /* Nobody waits for what is above a cut. */
        }
        if (row.standing == SPEAN_LOG_GOING && known > row.head.seq) {
            *missing += known - row.head.seq;
        }
    }
}

/* The most that one node of org said it holds of this log; ENTRIES_UNKNOWN: none ever said. */
static uint64_t log_held_there(const struct spean_core_view *view, const struct spean_id *org,
                               const struct spean_id *of)
{
    uint64_t entries = ENTRIES_UNKNOWN;
    for (uint32_t i = 0; i < spean_authority_logs_count(view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(view->authority, i);
        const struct spean_peer peer = {log->org, log->signing};
        struct spean_place place;
        if (spean_id_equal(&log->org, org) &&
            spean_peer_head(view->tx, &peer, of, &place) == SPEAN_OK &&
            (entries == ENTRIES_UNKNOWN || place.seq > entries)) {
            entries = place.seq;
        }
    }
    return entries;
}

/* What org said it holds of the logs of our organisation, whichever of our nodes wrote them, and
 * how much more of them is here. ENTRIES_UNKNOWN: it never said anything of them. */
static void held_there(const struct spean_core_view *view, const struct spean_id *org,
                       uint64_t *entries, uint64_t *missing)
{
    *entries = ENTRIES_UNKNOWN;
    *missing = 0;
    for (uint32_t i = 0; i < spean_authority_logs_count(view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(view->authority, i);
        struct spean_logs_row row;
        if (!spean_id_equal(&log->org, spean_core_org(view->core)) ||
            spean_logs_get(view->tx, &log->id, &row) != SPEAN_OK) {
            continue;
        }
        const uint64_t here = row.head.seq;
        const uint64_t there = log_held_there(view, org, &log->id);
        if (there != ENTRIES_UNKNOWN) {
            *entries = (*entries == ENTRIES_UNKNOWN ? 0 : *entries) + there;
        }
        *missing += there == ENTRIES_UNKNOWN ? here : (here > there ? here - there : 0);
    }
}

static json_t *amount(uint64_t entries, uint64_t missing)
{
    if (entries == ENTRIES_UNKNOWN) {
        return json_null();
    }
    json_t *row = json_object();
    (void)json_object_set_new(row, "entries", spean_json_u64(entries));
    (void)json_object_set_new(row, "missing", spean_json_u64(missing));
    return row;
}

/* When and how we last heard of an org. */
struct heard {
    uint64_t time; /* 0: never. */
    const char *by;
};

static void hear(struct heard *heard, uint64_t time, const char *by)
{
    /* What came within the second of a meeting says more than that somebody was met. */
    if (time > 0 && time >= heard->time) {
        *heard = (struct heard){time, by};
    }
}

/* Whose node brought a run of a log of org: one of its own, a file, or somebody else's. */
static const char *way_of(const struct spean_core_view *view, const struct spean_id *org,
                          const struct spean_key *from)
{
    static const struct spean_key nobody;
    if (spean_key_equal(from, &nobody)) {
        return "bundle";
    }
    for (uint32_t i = 0; i < spean_authority_logs_count(view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(view->authority, i);
        if (spean_id_equal(&log->org, org) && spean_key_equal(&log->transport, from)) {
            return "direct";
        }
    }
    const struct spean_log *other = spean_authority_log_by_transport(view->authority, from);
    return other != NULL && other->relay ? "relay" : "member";
}

static struct heard last_heard(const struct spean_core_view *view, const struct spean_id *org)
{
    struct heard heard = {0, NULL};
    for (uint32_t i = 0; i < spean_authority_logs_count(view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(view->authority, i);
        const struct spean_peer peer = {log->org, log->signing};
        struct spean_peer_row met;
        struct spean_logs_row row;
        struct spean_arrival last;
        if (!spean_id_equal(&log->org, org)) {
            continue;
        }
        if (spean_peer_get(view->tx, &peer, &met) == SPEAN_OK) {
            hear(&heard, met.contact_s, met.way == SPEAN_PEER_BUNDLE ? "bundle" : "direct");
        }
        if (spean_logs_get(view->tx, &log->id, &row) == SPEAN_OK && row.head.seq > 0 &&
            spean_logs_next_arrival(view->tx, row.number, row.head.seq, &last) == SPEAN_OK) {
            hear(&heard, last.time, way_of(view, org, &last.from));
        }
    }
    return heard;
}

/* The partner of org that is connected, or any; NULL: we never met. */
static const struct spean_partner *session_with(const struct spean_core *core,
                                                const struct spean_id *org)
{
    const struct spean_partner *found = NULL;
    for (uint32_t i = 0; i < core->partners_count; i++) {
        const struct spean_partner *partner = &core->partners[i];
        if (spean_id_equal(&partner->org, org) && (found == NULL || partner->connected)) {
            found = partner;
        }
    }
    return found;
}

static const char *why_not(const struct spean_partner *partner)
{
    if (partner == NULL) {
        return "never met";
    }
    if (!partner->connected && partner->broke == SPEAN_EDENIED) {
        return "they refuse this node: it or its organisation may have been removed; ask them";
    }
    if (!partner->connected && partner->broke != SPEAN_OK) {
        return spean_err_text(partner->broke);
    }
    if (!partner->connected) {
        return "not connected";
    }
    if (partner->silent) {
        return "they do not answer any more";
    }
    if (partner->clock_apart_s > 0) {
        return "one of the two clocks is wrong";
    }
    return partner->equal ? NULL : "still comparing";
}

static const char *state_of(const struct spean_partner *partner)
{
    if (partner == NULL || (!partner->connected && partner->broke == SPEAN_OK)) {
        return "offline";
    }
    if (!partner->connected) {
        return "refused";
    }
    return partner->equal && !partner->silent ? "connected" : "connecting";
}

static json_t *partner_row(const struct spean_core_view *view, const struct spean_id *org,
                           const struct told *told)
{
    const struct spean_partner *partner = session_with(view->core, org);
    const char *why = why_not(partner);
    const struct heard heard = last_heard(view, org);
    json_t *row = json_object();
    uint64_t here = 0;
    uint64_t missing = 0;
    held_here(view, org, told, &here, &missing);
    spean_answer_org(row, "org", "name", view, org);
    (void)json_object_set_new(row, "we_have", amount(here, missing));
    held_there(view, org, &here, &missing);
    (void)json_object_set_new(row, "they_have", amount(here, missing));
    uint64_t lacking = 0;
    if (partner == NULL || partner->missing == 0 ||
        spean_partkeys_lacking_count(view->tx, &lacking) != SPEAN_OK) {
        lacking = 0;
    }
    /* What was lacking when the session settled may have come since. */
    const uint64_t then = partner != NULL ? partner->missing : 0;
    (void)json_object_set_new(row, "missing_bodies",
                              spean_json_u64(lacking < then ? lacking : then));
    spean_answer_time(row, "last_contact", heard.time);
    (void)json_object_set_new(row, "by", heard.by != NULL ? json_string(heard.by) : json_null());
    (void)json_object_set_new(row, "state", json_string(state_of(partner)));
    (void)json_object_set_new(row, "why", why != NULL ? json_string(why) : json_null());
    return row;
}

static json_t *partners_of(const struct spean_core_view *view)
{
    json_t *list = json_array();
    const struct spean_ledger *ledger = spean_authority_ledger(view->authority);
    struct told *told = calloc(1, sizeof(*told));
    if (told != NULL &&
        spean_peer_highest(view->tx, told->highest, SPEAN_FRONTIER_LOGS_MAX) != SPEAN_OK) {
        memset(told, 0, sizeof(*told)); /* verify finds what is damaged. */
    }
    for (uint32_t i = 0; told != NULL && ledger != NULL && i < ledger->members_count; i++) {
        const struct spean_ledger_member *member = &ledger->members[i];
        if (member->standing == SPEAN_STANDING_ACTIVE &&
            !spean_id_equal(&member->org, spean_core_org(view->core))) {
            (void)json_array_append_new(list, partner_row(view, &member->org, told));
        }
    }
    free(told);
    return list;
}

/* -- The whole ------------------------------------------------------------------------------- */

static spean_err digest_of(const struct spean_core_view *view, struct spean_id *out)
{
    struct spean_frontier *frontier = NULL;
    spean_err err = spean_frontier_new(&frontier);
    if (err == SPEAN_OK) {
        err = spean_logs_frontier(view->tx, frontier);
    }
    if (err == SPEAN_OK) {
        spean_frontier_digest(frontier, (struct spean_excluded){NULL, 0}, out);
    }
    spean_frontier_free(frontier);
    return err;
}

static spean_err count_waiting(void *count, const struct spean_lobby_newcomer *newcomer)
{
    *(uint32_t *)count += newcomer->standing == SPEAN_STANDING_WAITING ? 1 : 0;
    return SPEAN_OK;
}

/* How many wait to be approved; 0 as far as the store cannot tell. */
static uint32_t count_pending(const struct spean_core_view *view)
{
    uint32_t count = 0;
    const spean_err err = spean_lobby_each_newcomer(view->tx, view->keys, count_waiting, &count);
    return err == SPEAN_OK ? count : 0;
}

static uint32_t count_disputed(const struct spean_core_view *view)
{
    uint32_t count = 0;
    uint32_t from = 0;
    struct spean_logs_row row;
    while (spean_logs_next(view->tx, from, &row) == SPEAN_OK) {
        from = row.number + 1;
        count += row.standing == SPEAN_LOG_DISPUTED;
    }
    return count;
}

/* A relay that lacks what it should carry is not well, though nobody here could read it. */
static void add_carried(const struct spean_core_view *view, json_t *problems)
{
    const struct spean_log *own = spean_core_own_log(view->core);
    uint64_t lacking = 0;
    char text[160];
    if (own != NULL && own->relay && spean_carry_count(view->tx, &lacking) == SPEAN_OK &&
        lacking > 0) {
        (void)snprintf(text, sizeof(text),
                       "sealed contents that this relay carries for others are not here yet: %llu",
                       (unsigned long long)lacking);
        (void)json_array_append_new(problems, json_string(text));
    }
}

/* What each step means for people. */
static void add_room_problem(json_t *problems, const struct spean_room *room)
{
    static const char *const texts[] = {
        [SPEAN_ROOM_SHORT] = "room is getting short",
        [SPEAN_ROOM_NO_BODIES] = "room is short: sealed contents are not taken from partners now",
        [SPEAN_ROOM_NO_WRITES] = "room is nearly used up: nothing can be written here now but "
                                 "withdrawals of consents",
        [SPEAN_ROOM_NONE] = "the disk or the store is full: nothing is taken from partners now but "
                            "revocations and erasures",
    };
    char text[256];
    if (room->step == SPEAN_ROOM_PLENTY) {
        return;
    }
    (void)snprintf(text, sizeof(text), "%s; %llu MiB left%s; make room on the store's disk",
                   texts[room->step], (unsigned long long)(room->left_bytes >> 20),
                   room->ballast ? "" : ", and what is kept back for revocations is not there");
    (void)json_array_append_new(problems, json_string(text));
}

/* What people were told is destroyed soon is hidden only. */
static void add_destroy_problem(struct spean_core *core, json_t *problems)
{
    if (atomic_load(&core->destroy_full)) {
        (void)json_array_append_new(
            problems, json_string("what was erased is hidden but not destroyed yet: for that the "
                                  "store is written anew, and there is no room for a copy of it; "
                                  "make room on the store's disk"));
    }
}

static json_t *room_of(const struct spean_room *room)
{
    return json_pack("{s:o, s:o, s:b, s:s}", "used_bytes", spean_json_u64(room->used_bytes),
                     "left_bytes", spean_json_u64(room->left_bytes), "kept_back", room->ballast,
                     "step", spean_core_room_name(room));
}

static json_t *health_of(const struct spean_core_view *view, const struct spean_fold_status *fold)
{
    json_t *problems = json_array();
    const uint32_t disputed = count_disputed(view);
    char text[160];
    if (disputed > 0) {
        (void)snprintf(text, sizeof(text),
                       "%u log%s forked: its organisation or a steward has to cut it", disputed,
                       disputed == 1 ? "" : "s");
        (void)json_array_append_new(problems, json_string(text));
    }
    if (view->core->retired) {
        (void)json_array_append_new(
            problems,
            json_string("partners hold entries of this node that it does not hold itself: "
                        "it is a copy or a backup, and writes nothing more"));
    }
    if (core_is_closed(view->core)) {
        (void)json_array_append_new(
            problems,
            json_string("this node was retired by its organisation: it reads what it has, "
                        "writes nothing more and is told nothing more"));
    }
    if (spean_keys_locked(view->keys)) {
        (void)json_array_append_new(
            problems, json_string("locked: nothing can be read or written; spean unlock"));
    }
    if (fold->bodies_lacking > 0) {
        (void)snprintf(text, sizeof(text), "contents that belong here are not here yet: %llu",
                       (unsigned long long)fold->bodies_lacking);
        (void)json_array_append_new(problems, json_string(text));
    }
    add_carried(view, problems);
    core_quota_problems(view, problems);
    add_room_problem(problems, &view->core->room);
    add_destroy_problem(view->core, problems);
    json_t *health = json_object();
    (void)json_object_set_new(health, "ok", json_boolean(json_array_size(problems) == 0));
    (void)json_object_set_new(health, "problems", problems);
    return health;
}

static json_t *todo_of(const struct spean_core_view *view, const struct spean_fold_status *fold)
{
    struct spean_todo_counts counts = {0};
    spean_todo_count(view, &counts);
    json_t *todo = json_object();
    (void)json_object_set_new(todo, "referrals_to_answer",
                              json_integer(counts.referrals_to_answer));
    (void)json_object_set_new(todo, "unread", json_integer(counts.unread));
    (void)json_object_set_new(todo, "overdue", json_integer(counts.overdue));
    (void)json_object_set_new(todo, "not_sent", json_integer(counts.not_sent));
    (void)json_object_set_new(todo, "decisions", json_integer(counts.decisions));
    (void)json_object_set_new(todo, "retention_due", json_integer(counts.retention_due));
    (void)json_object_set_new(todo, "aside", spean_json_u64(fold->aside));
    (void)json_object_set_new(todo, "pending", json_integer(count_pending(view)));
    return todo;
}

static bool any_todo(const json_t *todo)
{
    const char *key = NULL;
    json_t *value = NULL;
    bool any = false;
    json_object_foreach((json_t *)(uintptr_t)todo, key, value)
    {
        any = any || json_integer_value(value) > 0;
    }
    return any;
}

static json_t *ledger_brief(const struct spean_core_view *view)
{
    const struct spean_ledger *ledger = spean_authority_ledger(view->authority);
    if (ledger == NULL) {
        return json_null();
    }
    json_t *row = json_object();
    spean_answer_hex(row, "id", ledger->id.bytes, sizeof(ledger->id.bytes));
    (void)json_object_set_new(row, "name", json_string(ledger->name));
    (void)json_object_set_new(row, "version", spean_json_u64(ledger->version));
    return row;
}

static void get_status(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core *core = ctx;
    struct spean_core_view view;
    if (!spean_answer_begin(core, &view, reply)) {
        return;
    }
    struct spean_id digest;
    struct spean_fold_status fold = {0};
    spean_err err = digest_of(&view, &digest);
    if (err == SPEAN_OK) {
        err = spean_fold_status(view.tx, view.authority, &fold);
    }
    if (err != SPEAN_OK) {
        spean_core_view_end(&view);
        spean_reply_error(reply, err, NULL, "check the store: spean verify");
        return;
    }
    json_t *body = json_object();
    json_t *health = health_of(&view, &fold);
    json_t *sync = core_traffic_status(&view, json_object_get(health, "problems"));
    const bool well = json_array_size(json_object_get(health, "problems")) == 0;
    (void)json_object_set_new(health, "ok", json_boolean(well));
    json_t *todo = todo_of(&view, &fold);
    const bool attention = !json_is_true(json_object_get(health, "ok")) || any_todo(todo);
    spean_answer_hex(body, "node", core->signing.bytes, sizeof(core->signing.bytes));
    spean_answer_org(body, "org", "name", &view, &core->org);
    (void)json_object_set_new(body, "ledger", ledger_brief(&view));
    (void)json_object_set_new(body, "locked", json_boolean(spean_keys_locked(view.keys)));
    spean_answer_hex(body, "digest", digest.bytes, sizeof(digest.bytes));
    (void)json_object_set_new(body, "folded", json_boolean(fold.entries_behind + fold.queued == 0));
    (void)json_object_set_new(body, "health", health);
    (void)json_object_set_new(body, "sync", sync);
    (void)json_object_set_new(body, "room", room_of(&core->room));
    (void)json_object_set_new(body, "partners", partners_of(&view));
    (void)json_object_set_new(body, "todo", todo);
    (void)json_object_set_new(body, "attention", json_boolean(attention));
    spean_core_view_end(&view);
    spean_reply_take(reply, body);
}

/* -- Sync now -------------------------------------------------------------------------------- */

/* How long to wait. False: reply says why not. */
static bool read_wait(const struct spean_request *request, uint64_t *wait_s,
                      struct spean_reply *reply)
{
    const char *given = spean_request_query(request, "wait_s");
    *wait_s = 0;
    if (given == NULL || spean_digits_read(given, SYNC_WAIT_MAX_S, wait_s) == SPEAN_OK) {
        return true;
    }
    spean_reply_error(reply, SPEAN_EINPUT, "wait_s must be a number of seconds up to 3600", NULL);
    return false;
}

static void run_sync(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    uint64_t wait_s = 0;
    if (!read_wait(job->request, &wait_s, &job->reply)) {
        spean_queue_answer(job);
        return;
    }
    if (spean_authority_ledger(core->authority) == NULL) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "this node is in no ledger yet",
                          "spean ledger found, or spean member join");
        spean_queue_answer(job);
        return;
    }
    if (core->sync_paused) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "sync is paused",
                          "let it go on: spean sync resume");
        spean_queue_answer(job);
        return;
    }
    const bool dry = spean_answer_is_dry(job->request);
    if (!dry) {
        spean_core_sync_now(core);
    }
    core_wait_for_step(core, job, dry ? 0 : wait_s);
}

static void set_paused(struct spean_job *job, struct spean_core *core, bool paused)
{
    const spean_err err =
        spean_answer_is_dry(job->request) ? SPEAN_OK : core_pause_sync(core, paused);
    if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL, NULL);
    } else {
        spean_answer_written(job, json_pack("{s:b}", "paused", paused ? 1 : 0));
    }
    spean_queue_answer(job);
}

static void run_pause(struct spean_job *job, void *ctx)
{
    set_paused(job, ctx, true);
}

static void run_resume(struct spean_job *job, void *ctx)
{
    set_paused(job, ctx, false);
}

struct spean_route_group spean_status_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET", .path = "/v1/status", .flags = SPEAN_ROUTE_READ, .read = get_status},
        {.method = "POST",
         .path = "/v1/sync",
         .flags = SPEAN_ROUTE_WRITE,
         .query = "wait_s",
         .body = "",
         .run = run_sync},
        {.method = "POST",
         .path = "/v1/sync/pause",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_pause},
        {.method = "POST",
         .path = "/v1/sync/resume",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_resume},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}

json_t *spean_status_partners(const struct spean_core_view *view)
{
    return partners_of(view);
}

json_t *spean_status_health(const struct spean_core_view *view)
{
    struct spean_fold_status fold = {0};
    return spean_fold_status(view->tx, view->authority, &fold) == SPEAN_OK ? health_of(view, &fold)
                                                                           : json_object();
}

const char *spean_status_state(const struct spean_core_view *view, const struct spean_id *org)
{
    return state_of(session_with(view->core, org));
}

uint64_t spean_status_last_contact(const struct spean_core_view *view, const struct spean_id *org)
{
    return last_heard(view, org).time;
}

json_t *spean_status_todo(const struct spean_core_view *view, const struct spean_fold_status *fold)
{
    return todo_of(view, fold);
}

uint32_t spean_status_pending(const struct spean_core_view *view)
{
    return count_pending(view);
}
