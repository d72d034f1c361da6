/* Routes about invitations: making one, seeing those that are open, taking one back. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/config.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "protocol/invite.h"
#include "protocol/message.h"
#include "store/lobby.h"

#define EXPIRES_DEFAULT_S 604800u
#define EXPIRES_MAX_S     7776000u /* 90 days. */

/* -- Making one ------------------------------------------------------------------------------ */

/* The endpoint that an invitation tells: given, or what the configuration advertises. */
static bool choose_endpoint(const struct spean_core *core, const json_t *body,
                            struct spean_invite *invite, struct spean_reply *reply)
{
    const char *given = json_string_value(json_object_get(body, "endpoint"));
    const char *endpoint = given != NULL ? given : core->config->advertise;
    endpoint = strncmp(endpoint, "tcp://", 6) == 0 ? endpoint + 6 : endpoint;
    if (endpoint[0] == '\0') {
        spean_reply_error(reply, SPEAN_EINPUT,
                          "nobody knows at which address partners reach this node",
                          "start speand with --advertise HOST:PORT, or give --endpoint");
        return false;
    }
    if (!spean_config_endpoint_valid(endpoint)) {
        spean_reply_error(reply, SPEAN_EINPUT, "the address is not of the form host:port",
                          "the name or number of this node's machine and its port: "
                          "node.example.org:7431");
        return false;
    }
    if (strlen(endpoint) > SPEAN_INVITE_ENDPOINT_BYTES_MAX) {
        spean_reply_error(reply, SPEAN_EINPUT, "the address is too long for an invitation",
                          "an address and port of at most 35 characters");
        return false;
    }
    memcpy(invite->endpoint, endpoint, strlen(endpoint) + 1);
    return true;
}

static bool choose_expiry(const json_t *body, struct spean_invite *invite,
                          struct spean_reply *reply)
{
    uint64_t seconds = EXPIRES_DEFAULT_S;
    const json_t *given = json_object_get(body, "expires_s");
    if (given != NULL && (spean_json_get_u64(given, &seconds) != SPEAN_OK || seconds == 0 ||
                          seconds > EXPIRES_MAX_S)) {
        spean_reply_error(reply, SPEAN_EINPUT, "expires_s must be from 1 second to 90 days", NULL);
        return false;
    }
    const uint64_t expires = core_now_s() + seconds;
    invite->expires = expires < UINT32_MAX ? (uint32_t)expires : UINT32_MAX;
    return true;
}

/* A write in which newcomers are looked at. */
struct clearing {
    struct spean_core *core;
    struct spean_tx *tx;
};

/* Whether an invitation is kept, used or not. */
static spean_err is_kept(const struct clearing *clearing, uint32_t number, bool *kept)
{
    struct spean_lobby_invite invite = {.number = 0};
    const spean_err err =
        spean_lobby_next_invite(clearing->tx, clearing->core->keys, number, &invite);
    *kept = err == SPEAN_OK && invite.number == number;
    sodium_memzero(&invite, sizeof(invite));
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* For each newcomer: forget who was sent away and has no invitation any more. */
static spean_err drop_refused(void *ctx, const struct spean_lobby_newcomer *newcomer)
{
    const struct clearing *clearing = ctx;
    bool kept = true;
    if (newcomer->standing != SPEAN_STANDING_REFUSED) {
        return SPEAN_OK;
    }
    const spean_err err = is_kept(clearing, newcomer->invite, &kept);
    return err == SPEAN_OK && !kept ? spean_lobby_del_newcomer(clearing->tx, &newcomer->transport)
                                    : err;
}

/* Forget invitations that are over, used or not: nobody can join by them any more. */
static spean_err drop_expired(struct spean_core *core, struct spean_tx *tx)
{
    const uint64_t now_s = core_now_s();
    struct spean_lobby_invite invite;
    uint32_t from = 0;
    spean_err err = SPEAN_OK;
    while ((err = spean_lobby_next_invite(tx, core->keys, from, &invite)) == SPEAN_OK) {
        from = invite.number + 1;
        const bool is_over = invite.expires_s <= now_s;
        sodium_memzero(&invite, sizeof(invite));
        if (is_over) {
            err = spean_lobby_del_invite(tx, from - 1);
        }
        if (err != SPEAN_OK) {
            return err;
        }
    }
    if (err != SPEAN_ENOTFOUND) {
        return err;
    }
    struct clearing clearing = {.core = core, .tx = tx};
    return spean_lobby_each_newcomer(tx, core->keys, drop_refused, &clearing);
}

static spean_err keep_invite(struct spean_core *core, const struct spean_invite *invite,
                             uint32_t *number)
{
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = drop_expired(core, tx);
    if (err == SPEAN_OK) {
        err = spean_lobby_add_invite(tx, core->keys, invite->secret, invite->expires, invite->node,
                                     number);
    }
    if (err != SPEAN_OK) {
        spean_tx_abort(tx);
        return err;
    }
    return spean_tx_commit(tx);
}

/* Number 0: of a dry run, in which there is none, and no code. */
static void answer_made(struct spean_job *job, uint32_t number, const char *code, uint64_t expires)
{
    json_t *answer = json_object();
    const bool dry = number == 0;
    (void)json_object_set_new(answer, "number", dry ? json_null() : spean_json_u64(number));
    (void)json_object_set_new(answer, "code", dry ? json_null() : json_string(code));
    spean_answer_time(answer, "expires", expires);
    spean_answer_written(job, answer);
}

static void make_invite(struct spean_core *core, struct spean_job *job, bool node)
{
    char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
    uint32_t number = 0;
    struct spean_invite invite = {.handle = core->handle, .transport = core->transport_key};
    if (node) {
        invite.node = true;
        invite.org = core->org;
    }
    const json_t *body = job->request->body;
    if (!choose_endpoint(core, body, &invite, &job->reply) ||
        !choose_expiry(body, &invite, &job->reply)) {
        return;
    }
    randombytes_buf(invite.secret, sizeof(invite.secret));
    spean_err err = spean_invite_encode(text, &invite);
    if (err == SPEAN_OK && !spean_answer_is_dry(job->request)) {
        err = keep_invite(core, &invite, &number);
    }
    if (err == SPEAN_ELIMIT) {
        spean_reply_error(&job->reply, err, "as many invitations as can be are open",
                          "take back some: spean member invitations, spean node invitations");
    } else if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL, NULL);
    } else {
        answer_made(job, number, text, invite.expires);
    }
    sodium_memzero(&invite, sizeof(invite));
    sodium_memzero(text, sizeof(text));
}

static void invite(struct spean_job *job, struct spean_core *core, bool node)
{
    if (spean_core_own_log(core) == NULL) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "this node is a member of no ledger",
                          "found one: spean ledger found");
    } else if (spean_keys_locked(core->keys)) {
        spean_reply_error(&job->reply, SPEAN_ELOCKED, NULL, "unlock it: spean unlock");
    } else {
        make_invite(core, job, node);
    }
    spean_queue_answer(job);
}

static void run_invite(struct spean_job *job, void *ctx)
{
    invite(job, ctx, false);
}

static void run_invite_node(struct spean_job *job, void *ctx)
{
    invite(job, ctx, true);
}

/* -- Those that are open --------------------------------------------------------------------- */

static bool is_open(const struct spean_lobby_invite *invite)
{
    return !invite->used && invite->expires_s > core_now_s();
}

static const char *kind_name(bool node)
{
    return node ? "node" : "organisation";
}

/* What people may see of one: everything but its secret. */
static json_t *invite_row(const struct spean_lobby_invite *invite)
{
    json_t *row = json_object();
    (void)json_object_set_new(row, "number", spean_json_u64(invite->number));
    (void)json_object_set_new(row, "for", json_string(kind_name(invite->node)));
    spean_answer_time(row, "expires", invite->expires_s);
    return row;
}

/* Whether the query asks for invitations of this kind; without one it asks for all. */
static bool is_asked_for(const char *kind, bool node)
{
    return kind == NULL || strcmp(kind, kind_name(node)) == 0;
}

static void get_invites(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_core_view view;
    const char *kind = spean_request_query(request, "for");
    if (!is_asked_for(kind, false) && !is_asked_for(kind, true)) {
        spean_reply_error(reply, SPEAN_EINPUT, "for must be organisation or node", NULL);
        return;
    }
    if (!spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    json_t *items = json_array();
    struct spean_lobby_invite invite;
    uint32_t from = 0;
    spean_err err = SPEAN_OK;
    while ((err = spean_lobby_next_invite(view.tx, view.keys, from, &invite)) == SPEAN_OK) {
        from = invite.number + 1;
        if (is_open(&invite) && is_asked_for(kind, invite.node)) {
            (void)json_array_append_new(items, invite_row(&invite));
        }
        sodium_memzero(&invite, sizeof(invite));
    }
    spean_core_view_end(&view);
    spean_answer_items(reply, err == SPEAN_ENOTFOUND ? SPEAN_OK : err, items);
}

/* -- Taking one back ------------------------------------------------------------------------- */

/* Delete the invitation of this number and show in *shown which it was; a new object. Of a dry run
 * nothing is deleted. SPEAN_ENOTFOUND. SPEAN_EEXISTS: somebody knocked with it. */
static spean_err cancel(struct spean_core *core, uint32_t number, bool dry, json_t **shown)
{
    struct spean_tx *tx = NULL;
    struct spean_lobby_invite invite = {.number = 0};
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_lobby_next_invite(tx, core->keys, number, &invite);
    if (err == SPEAN_OK && (invite.number != number || (!invite.used && !is_open(&invite)))) {
        err = SPEAN_ENOTFOUND;
    }
    if (err == SPEAN_OK && invite.used) {
        err = SPEAN_EEXISTS;
    }
    if (err == SPEAN_OK) {
        *shown = invite_row(&invite);
        err = spean_lobby_del_invite(tx, number);
    }
    sodium_memzero(&invite, sizeof(invite));
    if (err != SPEAN_OK || dry) {
        spean_tx_abort(tx);
        return err;
    }
    return spean_tx_commit(tx);
}

static void run_cancel(struct spean_job *job, void *ctx)
{
    json_t *shown = NULL;
    uint64_t number = 0;
    const bool dry = spean_answer_is_dry(job->request);
    const char *given = spean_request_param(job->request, "number");
    const spean_err err = spean_digits_read(given, UINT32_MAX, &number) == SPEAN_OK
                              ? cancel(ctx, (uint32_t)number, dry, &shown)
                              : SPEAN_ENOTFOUND;
    if (err == SPEAN_ENOTFOUND) {
        spean_reply_error(&job->reply, err, "no open invitation has this number",
                          "spean member invitations, and spean node invitations, show them");
    } else if (err == SPEAN_EEXISTS) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "somebody has knocked with this invitation",
                          "send them away: spean member pending, or spean node list");
    } else if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL,
                          err == SPEAN_ELOCKED ? "unlock it: spean unlock" : NULL);
    } else {
        spean_answer_written(job, shown);
        shown = NULL;
    }
    json_decref(shown);
    spean_queue_answer(job);
}

struct spean_route_group spean_invite_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/invitations",
         .flags = SPEAN_ROUTE_READ,
         .query = "for limit after",
         .read = get_invites},
        {.method = "POST",
         .path = "/v1/invitations",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "endpoint expires_s",
         .run = run_invite},
        {.method = "POST",
         .path = "/v1/invitations/{number}/cancel",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_cancel},
        {.method = "POST",
         .path = "/v1/nodes/invitations",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "endpoint expires_s",
         .run = run_invite_node},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
