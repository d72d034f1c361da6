/* Our own organisation: what its statement says, and the agency record it made of itself. */
#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "node/records.h"
#include "protocol/org.h"
#include "store/setup.h"

static json_t *nodes_of(const struct spean_org *org)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < org->nodes_count; i++) {
        const struct spean_org_node *const node = &org->nodes[i];
        json_t *row = json_object();
        spean_answer_hex(row, "signing", node->signing.bytes, sizeof(node->signing.bytes));
        spean_answer_hex(row, "sealing", node->sealing.bytes, sizeof(node->sealing.bytes));
        spean_answer_hex(row, "transport", node->transport.bytes, sizeof(node->transport.bytes));
        (void)json_object_set_new(row, "standing",
                                  json_string(node->cut.closed ? "closed" : "open"));
        (void)json_array_append_new(list, row);
    }
    return list;
}

static json_t *statement_of(const struct spean_org *org)
{
    json_t *body = json_object();
    json_t *admins = json_array();
    for (uint32_t i = 0; i < org->admins_count; i++) {
        spean_answer_append_hex(admins, org->admins[i].bytes, sizeof(org->admins[i].bytes));
    }
    (void)json_object_set_new(body, "version", spean_json_u64(org->version));
    spean_answer_hex(body, "id", org->head.bytes, sizeof(org->head.bytes));
    (void)json_object_set_new(body, "threshold", json_integer(org->threshold));
    (void)json_object_set_new(body, "admins", admins);
    (void)json_object_set_new(body, "recoveries", spean_json_u64(org->recoveries));
    (void)json_object_set_new(body, "generation", json_integer(org->generation));
    (void)json_object_set_new(body, "nodes", nodes_of(org));
    return body;
}

/* The statement as it was set up, before there is a ledger; null for a further node, to which it
 * has not come yet. */
static json_t *first_statement(const struct spean_core_view *view)
{
    struct spean_setup setup;
    struct spean_document doc;
    struct spean_org org;
    json_t *body = NULL;
    spean_org_init(&org);
    if (spean_setup_get(view->tx, &setup, &doc) == SPEAN_OK && setup.statement.len > 0 &&
        spean_org_apply(&org, &doc) == SPEAN_OK) {
        body = statement_of(&org);
    }
    spean_org_fini(&org);
    return body != NULL ? body : json_null();
}

/* The record that we made of ourselves; null while there is none, or the store is locked. */
static json_t *own_agency(const struct spean_core_view *view, struct spean_reply *reply)
{
    struct spean_records at;
    struct spean_records_item item;
    struct spean_record_id id;
    json_t *record = NULL;
    spean_records_on_view(&at, view, reply);
    if (spean_keys_locked(view->keys) ||
        !spean_records_agency_of(&at, spean_core_org(view->core), &id) ||
        spean_records_load(&at, &id, &item) != SPEAN_OK) {
        return json_null();
    }
    const spean_err err = spean_records_show(&at, &item, &record);
    spean_records_unload(&item);
    return err == SPEAN_OK ? record : json_null();
}

static void get_org(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    struct spean_authority_org own;
    if (!spean_answer_begin(ctx, &view, reply)) {
        return;
    }
    const bool known =
        spean_authority_org(view.authority, spean_core_org(view.core), &own) == SPEAN_OK &&
        own.org != NULL;
    json_t *body = json_object();
    spean_answer_org(body, "org", "name", &view, spean_core_org(view.core));
    (void)json_object_set_new(body, "locked", json_boolean(spean_keys_locked(view.keys)));
    (void)json_object_set_new(body, "statement",
                              known ? statement_of(own.org) : first_statement(&view));
    (void)json_object_set_new(body, "agency", own_agency(&view, reply));
    spean_core_view_end(&view);
    spean_reply_take(reply, body);
}

struct spean_route_group spean_org_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET", .path = "/v1/org", .flags = SPEAN_ROUTE_READ, .read = get_org},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
