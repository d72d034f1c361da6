/* Routes about this node itself: version, keys, locking. */
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/handlers.h"
#include "protocol/statement.h"
#include "protocol/version.h"
#include "store/documents.h"
#include "store/setup.h"

static void get_version(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    (void)ctx;
    spean_reply_take(reply, json_pack("{s:s, s:i, s:i}", "program", spean_version(), "protocol",
                                      (int)SPEAN_PROTOCOL_VERSION, "store_format",
                                      (int)SPEAN_STORE_FORMAT));
}

/* Every version of our own statement: as kept, or version 1 as it was set up. */
static json_t *own_statement(const struct spean_core_view *view)
{
    json_t *list = json_array();
    struct spean_documents_row row;
    uint64_t from = 1;
    while (spean_documents_next(view->tx, from, &row) == SPEAN_OK) {
        from = row.number + 1;
        if (spean_id_equal(&row.chain, spean_core_org(view->core))) {
            spean_answer_append_hex(list, row.bytes.data, row.bytes.len);
        }
    }
    struct spean_setup setup;
    struct spean_document doc;
    if (json_array_size(list) == 0 && spean_setup_get(view->tx, &setup, &doc) == SPEAN_OK &&
        setup.statement.len > 0) {
        spean_answer_append_hex(list, setup.statement.data, setup.statement.len);
    }
    return list;
}

static void get_node(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core *core = ctx;
    struct spean_core_view view;
    if (!spean_answer_begin(core, &view, reply)) {
        return;
    }
    struct spean_key signing;
    struct spean_key sealing;
    struct spean_key transport;
    if (!spean_core_public_keys(core, &signing, &sealing, &transport)) {
        spean_reply_error(reply, SPEAN_ELOCKED, "the node was never unlocked since it started",
                          "unlock it: spean unlock");
        spean_core_view_end(&view);
        return;
    }
    json_t *body = json_object();
    spean_answer_org(body, "org", "name", &view, spean_core_org(core));
    spean_answer_hex(body, "signing", signing.bytes, sizeof(signing.bytes));
    spean_answer_hex(body, "sealing", sealing.bytes, sizeof(sealing.bytes));
    spean_answer_hex(body, "transport", transport.bytes, sizeof(transport.bytes));
    const struct spean_config *config = spean_core_config(core);
    (void)json_object_set_new(body, "endpoint", json_string(config->listen));
    (void)json_object_set_new(body, "advertise", json_string(config->advertise));
    (void)json_object_set_new(body, "statement", own_statement(&view));
    (void)json_object_set_new(body, "in_ledger",
                              json_boolean(spean_authority_ledger(view.authority) != NULL));
    spean_core_view_end(&view);
    spean_reply_take(reply, body);
}

/* -- Accepting a place in an org ------------------------------------------------------------- */

static void run_accept(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    struct spean_handle handle;
    struct spean_statement_node node;
    const struct spean_keys *keys = spean_core_keys(core);
    if (spean_authority_ledger(spean_core_authority(core)) != NULL) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "this node is in a ledger already",
                          "a node belongs to one ledger: spean ledger show");
    } else if (spean_keys_locked(keys)) {
        spean_reply_error(&job->reply, SPEAN_ELOCKED, NULL, "unlock it: spean unlock");
    } else if (spean_answer_read_fixed(job->request->body, "handle", handle.bytes,
                                       sizeof(handle.bytes), &job->reply)) {
        (void)spean_core_public_keys(core, &node.signing, &node.sealing, &node.transport);
        spean_statement_accept(&node, spean_core_org(core), &handle, spean_keys_signing_seed(keys));
        json_t *body = json_object();
        spean_answer_hex(body, "acceptance", node.acceptance.bytes, sizeof(node.acceptance.bytes));
        spean_answer_written(job, body);
    }
    spean_queue_answer(job);
}

/* -- Locking --------------------------------------------------------------------------------- */

static void answer_unlock(struct spean_job *job, enum spean_unlock_kind kind, spean_err err)
{
    if (err == SPEAN_EPASSPHRASE && kind == SPEAN_UNLOCK_CREDENTIAL) {
        spean_reply_error(&job->reply, err, "this credential does not open the keystore",
                          "it is another one: give the file that this node was made with");
    } else if (err == SPEAN_EPASSPHRASE) {
        spean_reply_error(&job->reply, err, "this does not open the keystore",
                          "check the passphrase, its keyboard layout and capitals");
    } else if (err == SPEAN_ESTATE) {
        spean_reply_error(&job->reply, err, "the keystore opens the other way",
                          "a passphrase where a credential was given, or the reverse");
    } else if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL, NULL);
    } else {
        spean_answer_written(job, json_pack("{s:b}", "locked", 0));
    }
}

static void run_unlock(struct spean_job *job, void *ctx)
{
    const json_t *body = job->request->body;
    const json_t *passphrase = json_object_get(body, "passphrase");
    struct spean_unlock unlock = {.kind = SPEAN_UNLOCK_PASSPHRASE};
    uint8_t credential[SPEAN_WRAP_CREDENTIAL_BYTES];
    bool given = true;
    if (json_is_string(passphrase)) {
        unlock.bytes = (struct spean_view){(const uint8_t *)json_string_value(passphrase),
                                           json_string_length(passphrase)};
    } else {
        given = spean_answer_read_fixed(body, "credential", credential, sizeof(credential),
                                        &job->reply);
        unlock.kind = SPEAN_UNLOCK_CREDENTIAL;
        unlock.bytes = (struct spean_view){credential, sizeof(credential)};
    }
    if (given) {
        const spean_err err = spean_answer_is_dry(job->request)
                                  ? spean_core_unlock_try(ctx, &unlock)
                                  : spean_core_unlock(ctx, &unlock);
        answer_unlock(job, unlock.kind, err);
    }
    sodium_memzero(credential, sizeof(credential));
    spean_queue_answer(job);
}

static void run_lock(struct spean_job *job, void *ctx)
{
    if (!spean_answer_is_dry(job->request)) {
        spean_core_lock(ctx);
    }
    spean_answer_written(job, json_pack("{s:b}", "locked", 1));
    spean_queue_answer(job);
}

struct spean_route_group spean_node_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET", .path = "/v1/version", .flags = SPEAN_ROUTE_READ, .read = get_version},
        {.method = "GET", .path = "/v1/node", .flags = SPEAN_ROUTE_READ, .read = get_node},
        {.method = "POST",
         .path = "/v1/node/accept",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "handle",
         .run = run_accept},
        {.method = "POST",
         .path = "/v1/unlock",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "passphrase credential",
         .run = run_unlock},
        {.method = "POST",
         .path = "/v1/lock",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_lock},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
