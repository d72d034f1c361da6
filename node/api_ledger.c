/* Routes about the ledger: founding it, its charter, its members. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/handlers.h"
#include "protocol/document.h"
#include "store/documents.h"

static const char no_ledger_hint[] =
    "found one: spean ledger found, or join one: spean member join";

static const struct spean_ledger *ledger_of(const struct spean_core_view *view,
                                            struct spean_reply *reply)
{
    const struct spean_ledger *ledger = spean_authority_ledger(view->authority);
    if (ledger == NULL) {
        spean_reply_error(reply, SPEAN_ESTATE, "this node is in no ledger yet", no_ledger_hint);
    }
    return ledger;
}

static json_t *stewards_of(const struct spean_core_view *view, const struct spean_ledger *ledger)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < ledger->stewards_count; i++) {
        json_t *row = json_object();
        spean_answer_org(row, "org", "name", view, &ledger->stewards[i].org);
        spean_answer_hex(row, "key", ledger->stewards[i].key.bytes,
                         sizeof(ledger->stewards[i].key.bytes));
        (void)json_array_append_new(list, row);
    }
    return list;
}

static uint32_t active_members(const struct spean_ledger *ledger)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ledger->members_count; i++) {
        count += ledger->members[i].standing == SPEAN_STANDING_ACTIVE;
    }
    return count;
}

static void get_ledger(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    if (!spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    const struct spean_ledger *ledger = ledger_of(&view, reply);
    if (ledger != NULL) {
        const struct spean_handle handle = spean_handle_of(&ledger->id);
        json_t *body = json_object();
        spean_answer_hex(body, "id", ledger->id.bytes, sizeof(ledger->id.bytes));
        spean_answer_hex(body, "handle", handle.bytes, sizeof(handle.bytes));
        (void)json_object_set_new(body, "name", json_string(ledger->name));
        (void)json_object_set_new(body, "version", spean_json_u64(ledger->version));
        (void)json_object_set_new(body, "stewards", stewards_of(&view, ledger));
        (void)json_object_set_new(body, "threshold", json_integer(ledger->threshold));
        (void)json_object_set_new(body, "members", json_integer(active_members(ledger)));
        spean_answer_hex(body, "schema", ledger->schema.bytes, sizeof(ledger->schema.bytes));
        (void)json_object_set_new(body, "erasure_delay_s", spean_json_u64(ledger->erasure_delay_s));
        (void)json_object_set_new(body, "entry_format", spean_json_u64(ledger->entry_format));
        spean_reply_take(reply, body);
    }
    spean_core_view_end(&view);
}

static void get_charter(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    if (!spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    const struct spean_ledger *ledger = ledger_of(&view, reply);
    if (ledger != NULL) {
        json_t *documents = json_array();
        struct spean_documents_row row;
        uint64_t from = 1;
        while (spean_documents_next(view.tx, from, &row) == SPEAN_OK) {
            from = row.number + 1;
            if (spean_id_equal(&row.chain, &ledger->id)) {
                spean_answer_append_hex(documents, row.bytes.data, row.bytes.len);
            }
        }
        json_t *body = json_object();
        (void)json_object_set_new(body, "version", spean_json_u64(ledger->version));
        spean_answer_hex(body, "id", ledger->head.bytes, sizeof(ledger->head.bytes));
        (void)json_object_set_new(body, "documents", documents);
        spean_reply_take(reply, body);
    }
    spean_core_view_end(&view);
}

/* -- Members --------------------------------------------------------------------------------- */

static json_t *nodes_of(const struct spean_core_view *view, const struct spean_id *org)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < spean_authority_logs_count(view->authority); i++) {
        const struct spean_log *log = spean_authority_log_at(view->authority, i);
        if (!spean_id_equal(&log->org, org)) {
            continue;
        }
        json_t *row = json_object();
        spean_answer_hex(row, "signing", log->signing.bytes, sizeof(log->signing.bytes));
        spean_answer_hex(row, "transport", log->transport.bytes, sizeof(log->transport.bytes));
        (void)json_object_set_new(row, "standing",
                                  json_string(log->status == SPEAN_LOG_OPEN ? "open" : "closed"));
        (void)json_object_set_new(
            row, "relay",
            json_boolean(spean_authority_is_relay(view->authority, &log->org, &log->signing)));
        (void)json_array_append_new(list, row);
    }
    return list;
}

static const char *standing_name(enum spean_ledger_standing standing)
{
    switch (standing) {
    case SPEAN_STANDING_ACTIVE:
        return "active";
    case SPEAN_STANDING_REMOVED:
        return "removed";
    case SPEAN_STANDING_ELSEWHERE:
        return "elsewhere";
    }
    return "elsewhere";
}

static json_t *member_row(const struct spean_core_view *view,
                          const struct spean_ledger_member *member)
{
    json_t *row = json_object();
    const bool self = spean_id_equal(&member->org, spean_core_org(view->core));
    spean_answer_org(row, "org", "name", view, &member->org);
    (void)json_object_set_new(row, "status", json_string(standing_name(member->standing)));
    (void)json_object_set_new(
        row, "steward", json_boolean(spean_authority_is_steward(view->authority, &member->org)));
    (void)json_object_set_new(row, "self", json_boolean(self));
    struct spean_authority_org org;
    const bool stated =
        spean_authority_org(view->authority, &member->org, &org) == SPEAN_OK && org.org != NULL;
    (void)json_object_set_new(row, "generation",
                              stated ? json_integer(org.org->generation) : json_null());
    (void)json_object_set_new(row, "nodes", nodes_of(view, &member->org));
    return row;
}

static void get_members(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_core_view view;
    struct spean_page page;
    uint64_t after = 0;
    if (!spean_answer_page(request, UINT32_MAX, &page, &after, reply) ||
        !spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    const struct spean_ledger *ledger = ledger_of(&view, reply);
    if (ledger != NULL) {
        json_t *items = json_array();
        const uint32_t start = (uint32_t)after;
        uint32_t i = start;
        for (; i < ledger->members_count && i - start < page.limit; i++) {
            (void)json_array_append_new(items, member_row(&view, &ledger->members[i]));
        }
        char next[16];
        (void)snprintf(next, sizeof(next), "%u", i);
        spean_reply_page(reply, items, i < ledger->members_count ? next : NULL);
    }
    spean_core_view_end(&view);
}

/* -- Writing --------------------------------------------------------------------------------- */

static void refuse_documents(struct spean_reply *reply, spean_err err)
{
    if (err == SPEAN_EDENIED) {
        spean_reply_error(reply, err, "the document is not signed by the keys it needs",
                          "use the admin key file of an organisation that may do this");
    } else if (err == SPEAN_EGAP || err == SPEAN_ECHAIN) {
        spean_reply_error(reply, SPEAN_ESTATE, "the chain that it continues has moved on meanwhile",
                          "try again: the next version is made from the newest one");
    } else {
        spean_reply_error(reply, err, NULL, NULL);
    }
}

/* Try the documents on an authority of their own, so that a wrong one changes nothing. */
static spean_err try_founding(const struct spean_view *documents, uint32_t count,
                              struct spean_id *ledger)
{
    struct spean_authority *a = NULL;
    spean_err err = spean_authority_new(&a, NULL);
    for (uint32_t i = 0; err == SPEAN_OK && i < count; i++) {
        struct spean_authority_change change;
        err = spean_authority_add(a, documents[i], SPEAN_PENDING_REFUSE, &change);
    }
    if (err == SPEAN_OK && spean_authority_ledger(a) == NULL) {
        err = SPEAN_EINPUT;
    }
    if (err == SPEAN_OK) {
        *ledger = spean_authority_ledger(a)->id;
    }
    spean_authority_free(a);
    return err;
}

/* The charter and our statement, version 1 from the set-up and version 2 from the request. */
static spean_err found(struct spean_core *core, struct spean_view charter,
                       struct spean_view statement, bool dry)
{
    uint8_t first[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    size_t first_len = 0;
    spean_err err = spean_answer_own_first(core, first, sizeof(first), &first_len);
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_view documents[] = {charter, {first, first_len}, statement};
    struct spean_id ledger;
    err = try_founding(documents, 3, &ledger);
    if (err != SPEAN_OK || dry) {
        return err;
    }
    const struct spean_handle handle = spean_handle_of(&ledger);
    err = spean_core_enter(core, &handle);
    return err == SPEAN_OK ? spean_core_put_documents(core, documents, 3, SPEAN_PENDING_REFUSE)
                           : err;
}

static void run_found(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    uint8_t *charter = NULL;
    uint8_t *statement = NULL;
    size_t charter_len = 0;
    size_t statement_len = 0;
    const json_t *body = job->request->body;
    if (spean_authority_ledger(spean_core_authority(core)) != NULL) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "this node is in a ledger already",
                          "a node belongs to one ledger: spean ledger show");
    } else if (spean_answer_read_hex(body, "charter", SPEAN_DOCUMENT_ENCODED_BYTES_MAX, &charter,
                                     &charter_len, &job->reply) &&
               spean_answer_read_hex(body, "statement", SPEAN_DOCUMENT_ENCODED_BYTES_MAX,
                                     &statement, &statement_len, &job->reply)) {
        const bool dry = spean_answer_is_dry(job->request);
        const spean_err err = found(core, (struct spean_view){charter, charter_len},
                                    (struct spean_view){statement, statement_len}, dry);
        if (err != SPEAN_OK) {
            refuse_documents(&job->reply, err);
        } else if (dry) {
            spean_reply_take(&job->reply, json_pack("{s:b}", "dry_run", 1));
        } else {
            const struct spean_ledger *ledger = spean_authority_ledger(spean_core_authority(core));
            json_t *answer = json_object();
            spean_answer_hex(answer, "id", ledger->id.bytes, sizeof(ledger->id.bytes));
            (void)json_object_set_new(answer, "name", json_string(ledger->name));
            (void)json_object_set_new(answer, "version", spean_json_u64(ledger->version));
            spean_reply_take(&job->reply, answer);
        }
    }
    free(charter);
    free(statement);
    spean_queue_answer(job);
}

/*
 * Two people who sign at the same time make two versions of the same number. The later one is
 * refused: kept, it would fork the ledger, and one of the two has to begin anew in any case.
 */
static bool would_fork(const struct spean_authority *authority, const struct spean_id *chain,
                       const struct spean_document *doc)
{
    struct spean_title heads[SPEAN_CHAIN_HEADS_MAX];
    if (spean_authority_has(authority, chain, &doc->id)) {
        return false;
    }
    const uint32_t count = spean_authority_heads(authority, chain, heads, SPEAN_CHAIN_HEADS_MAX);
    for (uint32_t i = 0; i < count && i < SPEAN_CHAIN_HEADS_MAX; i++) {
        if (spean_id_equal(&heads[i].id, &doc->previous)) {
            return false;
        }
    }
    return true;
}

/* Judge a document on an authority of its own. */
static spean_err try_document(struct spean_core *core, struct spean_view document)
{
    struct spean_authority *a = NULL;
    struct spean_authority_change change;
    spean_err err = spean_authority_new(&a, NULL);
    if (err == SPEAN_OK) {
        err = spean_documents_load(spean_core_db(core), a);
    }
    if (err == SPEAN_OK) {
        err = spean_authority_add(a, document, SPEAN_PENDING_REFUSE, &change);
    }
    spean_authority_free(a);
    return err == SPEAN_EEXISTS ? SPEAN_OK : err;
}

static spean_err put_document(struct spean_core *core, enum spean_document_type type,
                              struct spean_view document, bool dry)
{
    const struct spean_authority *authority = spean_core_authority(core);
    const struct spean_id chain = type == SPEAN_DOCUMENT_CHARTER
                                      ? spean_authority_ledger(authority)->id
                                      : *spean_core_org(core);
    struct spean_document *doc = malloc(sizeof(*doc));
    spean_err err = doc != NULL ? spean_document_decode(doc, document) : SPEAN_ENOMEM;
    if (err == SPEAN_OK && doc->type != type) {
        err = SPEAN_EINPUT;
    }
    if (err == SPEAN_OK && would_fork(authority, &chain, doc)) {
        err = SPEAN_ECHAIN;
    }
    free(doc);
    if (err != SPEAN_OK) {
        return err;
    }
    return dry ? try_document(core, document)
               : spean_core_put_documents(core, &document, 1, SPEAN_PENDING_REFUSE);
}

/* The version now in force of the chain that a document of this type continues. */
static json_t *in_force(struct spean_core *core, enum spean_document_type type)
{
    const struct spean_authority *authority = spean_core_authority(core);
    struct spean_authority_org own;
    json_t *answer = json_object();
    if (type == SPEAN_DOCUMENT_CHARTER) {
        const struct spean_ledger *ledger = spean_authority_ledger(authority);
        (void)json_object_set_new(answer, "version", spean_json_u64(ledger->version));
        spean_answer_hex(answer, "id", ledger->head.bytes, sizeof(ledger->head.bytes));
    } else if (spean_authority_org(authority, spean_core_org(core), &own) == SPEAN_OK &&
               own.org != NULL) {
        (void)json_object_set_new(answer, "version", spean_json_u64(own.org->version));
        spean_answer_hex(answer, "id", own.org->head.bytes, sizeof(own.org->head.bytes));
    }
    return answer;
}

static void run_document(struct spean_job *job, struct spean_core *core,
                         enum spean_document_type type)
{
    uint8_t *document = NULL;
    size_t len = 0;
    if (spean_authority_ledger(spean_core_authority(core)) == NULL) {
        spean_reply_error(&job->reply, SPEAN_ESTATE, "this node is in no ledger yet",
                          no_ledger_hint);
    } else if (spean_answer_read_hex(job->request->body, "document",
                                     SPEAN_DOCUMENT_ENCODED_BYTES_MAX, &document, &len,
                                     &job->reply)) {
        const bool dry = spean_answer_is_dry(job->request);
        const spean_err err = put_document(core, type, (struct spean_view){document, len}, dry);
        if (err != SPEAN_OK) {
            refuse_documents(&job->reply, err);
        } else {
            spean_reply_take(&job->reply,
                             dry ? json_pack("{s:b}", "dry_run", 1) : in_force(core, type));
        }
    }
    free(document);
    spean_queue_answer(job);
}

static void run_charter(struct spean_job *job, void *ctx)
{
    run_document(job, ctx, SPEAN_DOCUMENT_CHARTER);
}

static void run_statement(struct spean_job *job, void *ctx)
{
    run_document(job, ctx, SPEAN_DOCUMENT_STATEMENT);
}

struct spean_route_group spean_ledger_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET", .path = "/v1/ledger", .flags = SPEAN_ROUTE_READ, .read = get_ledger},
        {.method = "POST",
         .path = "/v1/ledger",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "charter statement",
         .run = run_found},
        {.method = "GET", .path = "/v1/charter", .flags = SPEAN_ROUTE_READ, .read = get_charter},
        {.method = "POST",
         .path = "/v1/charter",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "document",
         .run = run_charter},
        {.method = "POST",
         .path = "/v1/statement",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "document",
         .run = run_statement},
        {.method = "GET",
         .path = "/v1/members",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = get_members},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
