/* Routes about the nodes of our organisation: joining it as one, listing, naming. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/endpoint.h"
#include "node/handlers.h"
#include "node/lobby.h"
#include "protocol/message.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/author.h"
#include "store/lobby.h"
#include "store/logs.h"
#include "store/peer.h"

/* -- Joining --------------------------------------------------------------------------------- */

static spean_err begin_joining(struct spean_core *core, const struct spean_invite *invite)
{
    struct spean_statement_node node;
    struct joining joining = {.active = false};
    (void)spean_core_public_keys(core, &node.signing, &node.sealing, &node.transport);
    spean_statement_accept(&node, &invite->org, &invite->handle,
                           spean_keys_signing_seed(core->keys));
    const spean_err err = joining_make_node(&joining, invite, &node);
    return err == SPEAN_OK ? core_lobby_join_by(core, &joining, &invite->handle) : err;
}

static void join_with(struct spean_core *core, struct spean_job *job,
                      const struct spean_invite *invite)
{
    if (!spean_id_equal(&invite->org, &core->org)) {
        spean_reply_error(&job->reply, SPEAN_ESTATE,
                          "this node was made for another organisation than the invitation's",
                          "make a new one: spean node join with another --home");
        return;
    }
    if (spean_join_is_open(core, invite, &job->reply)) {
        const bool dry = spean_answer_is_dry(job->request);
        spean_join_reply(core, job, dry ? SPEAN_OK : begin_joining(core, invite));
    }
}

static void run_join(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    const char *code = json_string_value(json_object_get(job->request->body, "code"));
    const struct spean_view text = {(const uint8_t *)code, code != NULL ? strlen(code) : 0};
    struct spean_invite invite = {.expires = 0};
    if (core_is_admitted(core)) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "this node is one of its organisation already",
                          "spean node list");
    } else if (spean_keys_locked(core->keys)) {
        spean_reply_error(&job->reply, SPEAN_ELOCKED, NULL, "unlock it: spean unlock");
    } else if (code == NULL || spean_invite_decode(&invite, text) != SPEAN_OK || !invite.node) {
        spean_reply_error(&job->reply, SPEAN_EINPUT, "this is not a whole invitation of a node",
                          "it begins with SPEANNODE1: and is one line of capitals and digits");
    } else {
        join_with(core, job, &invite);
    }
    sodium_memzero(&invite, sizeof(invite));
    spean_queue_answer(job);
}

/* -- The list -------------------------------------------------------------------------------- */

static void set_name(json_t *row, const struct spean_part *record, const struct spean_key *node)
{
    struct spean_node_endpoint endpoint = {.name = ""};
    const bool named = record != NULL && spean_endpoint_find(record, node, &endpoint);
    (void)json_object_set_new(
        row, "name", named && endpoint.name[0] != '\0' ? json_string(endpoint.name) : json_null());
}

static void set_keys(json_t *row, const struct spean_key *signing, const struct spean_key *sealing,
                     const struct spean_key *transport)
{
    spean_answer_hex(row, "signing", signing->bytes, sizeof(signing->bytes));
    spean_answer_hex(row, "sealing", sealing->bytes, sizeof(sealing->bytes));
    spean_answer_hex(row, "transport", transport->bytes, sizeof(transport->bytes));
}

static json_t *node_row(const struct spean_core_view *view, const struct spean_log *log,
                        const struct spean_part *record)
{
    const struct spean_peer peer = {log->org, log->signing};
    struct spean_peer_row met = {.contact_s = 0};
    struct spean_logs_row held = {.head = {0}};
    const bool self = spean_key_equal(&log->signing, &view->core->signing);
    json_t *row = json_object();
    json_t *head = json_object();
    if (spean_peer_get(view->tx, &peer, &met) != SPEAN_OK) {
        met.contact_s = 0;
    }
    if (spean_logs_get(view->tx, &log->id, &held) != SPEAN_OK) {
        held.head = (struct spean_place){.seq = 0};
    }
    set_keys(row, &log->signing, &log->sealing, &log->transport);
    set_name(row, record, &log->transport);
    (void)json_object_set_new(row, "standing",
                              json_string(log->status == SPEAN_LOG_OPEN ? "open" : "retired"));
    (void)json_object_set_new(row, "self", json_boolean(self));
    spean_answer_time(row, "last_seen", self ? core_now_s() : met.contact_s);
    (void)json_object_set_new(head, "seq", spean_json_u64(held.head.seq));
    spean_answer_hex(head, "entry", held.head.entry.bytes, sizeof(held.head.entry.bytes));
    (void)json_object_set_new(row, "head", head);
    return row;
}

/* A node that knocked and waits, or was sent away. NULL: it cannot be read. */
static json_t *waiting_row(const struct spean_lobby_newcomer *newcomer)
{
    struct spean_statement_node node;
    if (newcomer->documents_count != 1 ||
        core_lobby_read_node(newcomer->documents[0], &newcomer->transport, &node) != SPEAN_OK) {
        return NULL;
    }
    json_t *row = json_object();
    const bool waiting = newcomer->standing == SPEAN_STANDING_WAITING;
    set_keys(row, &node.signing, &node.sealing, &node.transport);
    spean_answer_hex(row, "acceptance", node.acceptance.bytes, sizeof(node.acceptance.bytes));
    (void)json_object_set_new(row, "name", json_null());
    (void)json_object_set_new(row, "standing", json_string(waiting ? "waiting" : "refused"));
    (void)json_object_set_new(row, "self", json_false());
    (void)json_object_set_new(row, "digits", json_string(newcomer->digits));
    spean_answer_time(row, "last_seen", newcomer->since_s);
    return row;
}

static void append_nodes(const struct spean_core_view *view, json_t *items)
{
    struct spean_record_id id;
    struct spean_part *record = NULL;
    if (spean_endpoint_record(view->tx, view->keys, &view->core->org, &id, &record) != SPEAN_OK) {
        record = NULL; /* Then nothing has a name. */
    }
    for (uint32_t i = 0; i < spean_authority_logs_count(view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(view->authority, i);
        if (spean_id_equal(&log->org, &view->core->org)) {
            (void)json_array_append_new(items, node_row(view, log, record));
        }
    }
    spean_part_free(record);
}

/* A list of nodes that is being made. */
struct listing {
    const struct spean_core_view *view;
    json_t *items;
};

/* For each newcomer: append a node that is not in yet. */
static spean_err append_waiting(void *ctx, const struct spean_lobby_newcomer *newcomer)
{
    struct listing *listing = ctx;
    const bool in =
        spean_authority_log_by_transport(listing->view->authority, &newcomer->transport) != NULL;
    json_t *row = newcomer->node && !in ? waiting_row(newcomer) : NULL;
    if (row != NULL) {
        (void)json_array_append_new(listing->items, row);
    }
    return SPEAN_OK;
}

static void get_nodes(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    if (!spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    struct listing listing = {.view = &view, .items = json_array()};
    append_nodes(&view, listing.items);
    const spean_err err = spean_lobby_each_newcomer(view.tx, view.keys, append_waiting, &listing);
    spean_core_view_end(&view);
    spean_answer_items(reply, err, listing.items);
}

/* -- Sending away ---------------------------------------------------------------------------- */

/* Whether a node waits whose signing key begins with these digits. */
static bool is_refused(const struct spean_lobby_newcomer *newcomer, const char *prefix)
{
    struct spean_statement_node node;
    return newcomer->node &&
           core_lobby_read_node(newcomer->documents[0], &newcomer->transport, &node) == SPEAN_OK &&
           core_lobby_begins(node.signing.bytes, sizeof(node.signing.bytes), prefix);
}

static void run_refuse(struct spean_job *job, void *ctx)
{
    const spean_err err = core_lobby_refuse(ctx, spean_request_param(job->request, "node"),
                                            is_refused, spean_answer_is_dry(job->request));
    if (err == SPEAN_ENOTFOUND) {
        spean_reply_error(&job->reply, err, "no waiting node's key begins like this",
                          "spean node list shows who waits");
    } else if (err == SPEAN_EEXISTS) {
        spean_reply_refuse(&job->reply, 409, SPEAN_EINPUT, "several nodes' keys begin like this",
                           "give more digits");
    } else {
        spean_refuse_reply(job, err);
    }
    spean_queue_answer(job);
}

/* -- Naming ---------------------------------------------------------------------------------- */

/* The one node of our org whose signing key begins with these digits. NULL: reply says why not. */
static const struct spean_log *find_node(const struct spean_core *core, const char *prefix,
                                         struct spean_reply *reply)
{
    const struct spean_log *found = NULL;
    for (uint32_t i = 0; i < spean_authority_logs_count(core->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(core->authority, i);
        if (!spean_id_equal(&log->org, &core->org) ||
            !core_lobby_begins(log->signing.bytes, sizeof(log->signing.bytes), prefix)) {
            continue;
        }
        if (found != NULL) {
            spean_reply_refuse(reply, 409, SPEAN_EINPUT, "several nodes' keys begin like this",
                               "give more digits");
            return NULL;
        }
        found = log;
    }
    if (found == NULL) {
        spean_reply_error(reply, SPEAN_ENOTFOUND, "no node of this organisation begins like this",
                          "spean node list shows them");
    }
    return found;
}

/* Whether another node of our org has this name. */
static bool is_taken(const struct spean_part *part, const struct spean_key *node, const char *name)
{
    struct spean_node_endpoint at;
    for (size_t i = 0; spean_endpoint_at(part, i, &at, NULL); i++) {
        if (!spean_key_equal(&at.node, node) && strcmp(at.name, name) == 0) {
            return true;
        }
    }
    return false;
}

static spean_err write_name(struct spean_core *core, const struct spean_record_id *record,
                            const struct spean_part *part, const struct spean_key *node,
                            const char *name, const char *actor, bool dry)
{
    struct spean_draft *draft = NULL;
    bool changed = false;
    if (is_taken(part, node, name)) {
        return SPEAN_EEXISTS;
    }
    const struct spean_author author = {.db = core->db,
                                        .keys = core->keys,
                                        .authority = core->authority,
                                        .log = spean_core_own_log(core),
                                        .now_s = core_now_s()};
    spean_err err = spean_draft_new(core->authority, author.log, &draft);
    if (err == SPEAN_OK) {
        err = spean_draft_change(draft, record, SPEAN_TYPE_AGENCY, SPEAN_PART_PUBLIC);
    }
    if (err == SPEAN_OK) {
        err = spean_endpoint_rename(draft, part, node, name, &changed);
    }
    if (err == SPEAN_OK && changed) {
        err = spean_author_commit(&author, draft,
                                  (struct spean_view){(const uint8_t *)actor, strlen(actor)}, dry,
                                  NULL, NULL);
    }
    if (err == SPEAN_OK && changed && !dry) {
        spean_core_committed(core);
    }
    spean_draft_free(draft);
    return err;
}

static spean_err rename_node(struct spean_core *core, const struct spean_key *node,
                             const char *name, const char *actor, bool dry)
{
    struct spean_tx *tx = NULL;
    struct spean_part *part = NULL;
    struct spean_record_id record;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_endpoint_record(tx, core->keys, &core->org, &record, &part);
    spean_tx_abort(tx);
    if (err == SPEAN_OK) {
        err = write_name(core, &record, part, node, name, actor, dry);
    }
    spean_part_free(part);
    return err == SPEAN_ENOTFOUND ? SPEAN_EWAIT : err;
}

static void answer_rename(struct spean_core *core, struct spean_job *job,
                          const struct spean_log *log, const char *name)
{
    const struct spean_key node = log->transport;
    const struct spean_key signing = log->signing;
    const bool dry = spean_answer_is_dry(job->request);
    const spean_err err = rename_node(core, &node, name, job->request->actor, dry);
    if (err == SPEAN_EEXISTS) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "another node has this name",
                          "spean node list shows them");
    } else if (err == SPEAN_EWAIT) {
        spean_reply_error(&job->reply, SPEAN_EBUSY, "the organisation's record is not here yet",
                          "wait until this node is in step: spean sync now");
    } else if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL, NULL);
    } else {
        json_t *answer = json_pack("{s:s}", "name", name);
        spean_answer_hex(answer, "signing", signing.bytes, sizeof(signing.bytes));
        spean_answer_written(job, answer);
    }
}

static void run_rename(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    const char *name = json_string_value(json_object_get(job->request->body, "name"));
    const struct spean_log *log = NULL;
    if (name == NULL || name[0] == '\0' || strlen(name) > SPEAN_NODE_ENDPOINT_NAME_BYTES_MAX) {
        spean_reply_error(&job->reply, SPEAN_EINPUT, "name must be text of 1 to 64 bytes", NULL);
    } else if (spean_core_own_log(core) == NULL) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "this node can write nothing",
                          "spean status says why");
    } else if ((log = find_node(core, spean_request_param(job->request, "node"), &job->reply)) !=
               NULL) {
        answer_rename(core, job, log, name);
    }
    spean_queue_answer(job);
}

struct spean_route_group spean_nodes_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/nodes",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = get_nodes},
        {.method = "POST",
         .path = "/v1/nodes/join",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "code",
         .run = run_join},
        {.method = "PATCH",
         .path = "/v1/nodes/{node}",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "name",
         .run = run_rename},
        {.method = "POST",
         .path = "/v1/nodes/{node}/refuse",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_refuse},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
