/* Routes about joining: newcomers who wait, our own way in. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "node/lobby.h"
#include "protocol/message.h"
#include "store/lobby.h"

#define STATEMENTS_MAX 64u

/* -- Newcomers ------------------------------------------------------------------------------- */

/* For each newcomer: append an organisation that waits to the items. */
static spean_err append_pending(void *items, const struct spean_lobby_newcomer *newcomer)
{
    if (newcomer->node || newcomer->standing != SPEAN_STANDING_WAITING) {
        return SPEAN_OK;
    }
    json_t *row = json_object();
    json_t *statements = json_array();
    spean_answer_hex(row, "org", newcomer->org.bytes, sizeof(newcomer->org.bytes));
    (void)json_object_set_new(row, "digits", json_string(newcomer->digits));
    spean_answer_time(row, "since", newcomer->since_s);
    for (uint32_t i = 0; i < newcomer->documents_count; i++) {
        spean_answer_append_hex(statements, newcomer->documents[i].data,
                                newcomer->documents[i].len);
    }
    (void)json_object_set_new(row, "statements", statements);
    (void)json_array_append_new(items, row);
    return SPEAN_OK;
}

static void get_pending(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    if (!spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    json_t *items = json_array();
    const spean_err err = spean_lobby_each_newcomer(view.tx, view.keys, append_pending, items);
    spean_core_view_end(&view);
    spean_answer_items(reply, err, items);
}

/* Whether an organisation waits whose id begins with these digits. */
static bool is_refused(const struct spean_lobby_newcomer *newcomer, const char *prefix)
{
    return !newcomer->node &&
           core_lobby_begins(newcomer->org.bytes, sizeof(newcomer->org.bytes), prefix);
}

void spean_refuse_reply(struct spean_job *job, spean_err err)
{
    if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL, NULL);
        return;
    }
    const bool dry = spean_answer_is_dry(job->request);
    spean_reply_take(&job->reply, json_pack("{s:b}", dry ? "dry_run" : "refused", 1));
}

static void run_refuse(struct spean_job *job, void *ctx)
{
    const spean_err err = core_lobby_refuse(ctx, spean_request_param(job->request, "org"),
                                            is_refused, spean_answer_is_dry(job->request));
    if (err == SPEAN_ENOTFOUND) {
        spean_reply_error(&job->reply, err, "no newcomer's organisation begins like this",
                          "spean member pending shows who waits");
    } else if (err == SPEAN_EEXISTS) {
        spean_reply_named(&job->reply, SPEAN_EEXISTS, "ambiguous",
                          "several newcomers' organisations begin like this", "give more digits");
    } else {
        spean_refuse_reply(job, err);
    }
    spean_queue_answer(job);
}

/* -- Our own way in -------------------------------------------------------------------------- */

static const char *join_state(const struct spean_core *core)
{
    const struct joining *j = &core->joining;
    if (core_is_admitted(core)) {
        return "member";
    }
    if (!j->active) {
        return "none";
    }
    switch (j->standing) {
    case SPEAN_STANDING_WAITING:
    case SPEAN_STANDING_MEMBER: /* The charter is on its way. */
        return "waiting";
    case SPEAN_STANDING_REFUSED:
        return "refused";
    case SPEAN_STANDING_EXPIRED:
        return "expired";
    default:
        return "dialling";
    }
}

json_t *spean_join_answer(const struct spean_core *core)
{
    const struct joining *j = &core->joining;
    json_t *body = json_object();
    (void)json_object_set_new(body, "state", json_string(join_state(core)));
    (void)json_object_set_new(body, "digits",
                              j->digits[0] != '\0' ? json_string(j->digits) : json_null());
    (void)json_object_set_new(body, "peer", j->active ? json_string(j->endpoint) : json_null());
    return body;
}

bool spean_join_is_open(const struct spean_core *core, const struct spean_invite *invite,
                        struct spean_reply *reply)
{
    if (core->entered && !spean_handle_equal(&core->handle, &invite->handle)) {
        spean_reply_error(reply, SPEAN_ESTATE,
                          "this node belongs to another ledger, or is joining one",
                          "a node belongs to one ledger");
        return false;
    }
    if (core_now_s() >= invite->expires) {
        spean_reply_error(reply, SPEAN_ESTATE, "the invitation has expired",
                          "ask for a new one, and look at the clock of this computer");
        return false;
    }
    return true;
}

void spean_join_reply(const struct spean_core *core, struct spean_job *job, spean_err err)
{
    if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL, NULL);
        return;
    }
    spean_answer_written(job, spean_join_answer(core));
}

static void get_join(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    if (spean_answer_begin(ctx, &view, reply)) {
        spean_reply_take(reply, spean_join_answer(ctx));
        spean_core_view_end(&view);
    }
}

/* The statements of the request, decoded from hex; freed by the caller. */
struct statements {
    uint8_t *bytes[STATEMENTS_MAX];
    struct spean_view views[STATEMENTS_MAX];
    uint32_t count;
};

static void statements_free(struct statements *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        free(s->bytes[i]);
    }
}

static bool read_statements(const json_t *body, struct statements *s, struct spean_reply *reply)
{
    const json_t *list = json_object_get(body, "statements");
    const size_t count = json_array_size(list);
    if (count == 0 || count > STATEMENTS_MAX) {
        spean_reply_error(reply, SPEAN_EINPUT, "statements must be the whole chain of documents",
                          NULL);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        json_t *holder = json_pack("{s:O}", "statements", json_array_get(list, i));
        size_t len = 0;
        const bool read = spean_answer_read_hex(
            holder, "statements", SPEAN_DOCUMENT_ENCODED_BYTES_MAX, &s->bytes[i], &len, reply);
        json_decref(holder);
        if (!read) {
            return false;
        }
        s->views[i] = (struct spean_view){s->bytes[i], len};
        s->count++;
    }
    return true;
}

/* Try the chain on an authority of its own; gives the id of the last version. */
static spean_err try_statements(struct spean_core *core, const struct statements *s,
                                const struct spean_handle *handle, struct spean_id *last)
{
    struct spean_authority *a = NULL;
    struct spean_authority_org org;
    spean_err err = spean_authority_new(&a, handle);
    for (uint32_t i = 0; err == SPEAN_OK && i < s->count; i++) {
        struct spean_authority_change change;
        err = spean_authority_add(a, s->views[i], SPEAN_PENDING_KEEP, &change);
    }
    if (err == SPEAN_OK) {
        err = spean_authority_org(a, &core->org, &org);
    }
    if (err == SPEAN_OK) {
        const bool right =
            org.org != NULL && org.org->has_handle && spean_handle_equal(&org.org->handle, handle);
        *last = org.org != NULL ? org.org->head : (struct spean_id){{0}};
        err = right ? SPEAN_OK : SPEAN_EINPUT;
    }
    spean_authority_free(a);
    return err;
}

static spean_err begin_joining(struct spean_core *core, const struct spean_invite *invite,
                               const struct statements *s, const struct spean_id *last)
{
    struct joining joining = {.active = false};
    spean_err err = joining_make(&joining, invite, &core->transport_key, last, s->views, s->count);
    if (err == SPEAN_OK) {
        err = core_lobby_join_by(core, &joining, &invite->handle);
    }
    if (err == SPEAN_OK) {
        err = spean_core_put_documents(core, s->views, s->count, SPEAN_PENDING_KEEP);
    }
    return err;
}

static void join_with(struct spean_core *core, struct spean_job *job,
                      const struct spean_invite *invite)
{
    struct statements s = {.count = 0};
    struct spean_id last;
    if (spean_join_is_open(core, invite, &job->reply) &&
        read_statements(job->request->body, &s, &job->reply)) {
        spean_err err = try_statements(core, &s, &invite->handle, &last);
        if (err == SPEAN_OK && !spean_answer_is_dry(job->request)) {
            err = begin_joining(core, invite, &s, &last);
        }
        spean_join_reply(core, job, err);
    }
    statements_free(&s);
}

static void run_join(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    const char *code = json_string_value(json_object_get(job->request->body, "code"));
    const struct spean_view text = {(const uint8_t *)code, code != NULL ? strlen(code) : 0};
    struct spean_invite invite;
    if (spean_authority_is_member(core->authority, &core->org)) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "this organisation is a member already",
                          "spean ledger show");
    } else if (spean_keys_locked(core->keys)) {
        spean_reply_error(&job->reply, SPEAN_ELOCKED, NULL, "unlock it: spean unlock");
    } else if (code == NULL || spean_invite_decode(&invite, text) != SPEAN_OK) {
        spean_reply_error(&job->reply, SPEAN_EINPUT, "the invitation is incomplete or mistyped",
                          "it begins with SPEAN1: and is one line of capitals and digits");
    } else {
        join_with(core, job, &invite);
        sodium_memzero(&invite, sizeof(invite));
    }
    spean_queue_answer(job);
}

struct spean_route_group spean_lobby_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET", .path = "/v1/join", .flags = SPEAN_ROUTE_READ, .read = get_join},
        {.method = "POST",
         .path = "/v1/join",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "code statements",
         .run = run_join},
        {.method = "GET",
         .path = "/v1/pending",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = get_pending},
        {.method = "POST",
         .path = "/v1/pending/{org}/refuse",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_refuse},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
