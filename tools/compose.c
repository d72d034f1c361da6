#include "tools/compose.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/document.h"
#include "protocol/ledger.h"
#include "protocol/org.h"
#include "protocol/schema.h"
#include "protocol/sign.h"
#include "protocol/statement.h"
#include "protocol/text.h"

#define ENTRY_FORMAT 1u

/* Room for one document, on the heap: it is large. */
struct room {
    uint8_t bytes[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    uint8_t body[SPEAN_DOCUMENT_BYTES_MAX];
    char hex[2 * SPEAN_DOCUMENT_ENCODED_BYTES_MAX + 1];
    struct spean_document doc;
};

static struct spean_view view_of(const char *text)
{
    return (struct spean_view){.data = (const uint8_t *)text, .len = strlen(text)};
}

/* Read exactly len bytes of hex from the string value. */
static spean_err hex_read(const json_t *value, uint8_t *out, size_t len)
{
    const char *const text = json_string_value(value);
    if (text == NULL || spean_text_hex_decode(out, len, view_of(text)) != SPEAN_OK) {
        return SPEAN_EFORMAT;
    }
    return SPEAN_OK;
}

/* Decode the document in the hex string value into room. */
static spean_err document_read(const json_t *value, struct room *room)
{
    const char *const text = json_string_value(value);
    const size_t digits = text == NULL ? 0 : strlen(text);
    if (digits == 0 || digits % 2 != 0 || digits / 2 > sizeof(room->bytes)) {
        return SPEAN_EFORMAT;
    }
    const size_t len = digits / 2;
    if (spean_text_hex_decode(room->bytes, len, view_of(text)) != SPEAN_OK) {
        return SPEAN_EFORMAT;
    }
    return spean_document_decode(&room->doc, (struct spean_view){room->bytes, len});
}

static spean_err org_apply(void *org, const struct spean_document *doc)
{
    return spean_org_apply(org, doc);
}

static spean_err ledger_apply(void *ledger, const struct spean_document *doc)
{
    return spean_ledger_apply(ledger, doc, NULL);
}

/* Apply a whole chain of documents in hex to an org or a ledger. */
static spean_err chain_apply(const json_t *documents, struct room *room, void *chain,
                             spean_err (*apply)(void *, const struct spean_document *))
{
    const size_t count = json_array_size(documents);
    spean_err err = count == 0 || count > SPEAN_DOCUMENT_VERSIONS_MAX ? SPEAN_EFORMAT : SPEAN_OK;
    for (size_t i = 0; err == SPEAN_OK && i < count; i++) {
        err = document_read(json_array_get(documents, i), room);
        if (err == SPEAN_OK) {
            err = apply(chain, &room->doc);
        }
    }
    return err;
}

/* Sign the body in room and put the document into *out. */
static spean_err finish(struct room *room, struct spean_view body, const uint8_t *seed,
                        struct spean_composed *out)
{
    struct spean_view encoded;
    spean_err err = spean_document_begin(&room->doc, body);
    if (err == SPEAN_OK) {
        err = spean_document_sign(&room->doc, seed);
    }
    if (err == SPEAN_OK) {
        err = spean_document_encode(&room->doc, room->bytes, sizeof(room->bytes), &encoded);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    spean_text_hex_encode(room->hex, sizeof(room->hex), encoded);
    json_t *const hex = json_string(room->hex);
    if (hex == NULL) {
        return SPEAN_ENOMEM;
    }
    *out = (struct spean_composed){.hex = hex, .id = room->doc.id, .version = room->doc.version};
    return SPEAN_OK;
}

static struct room *room_new(void)
{
    return calloc(1, sizeof(struct room));
}

spean_err spean_compose_genesis(const struct spean_adminkey *admin, const char *name,
                                uint64_t erasure_delay_s,
                                const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES],
                                struct spean_composed *out)
{
    assert(admin != NULL);
    assert(name != NULL);
    assert(random != NULL);
    assert(out != NULL);
    const struct spean_id org = *spean_adminkey_org(admin);
    const uint64_t format = ENTRY_FORMAT;
    struct spean_steward steward = {.org = org};
    struct spean_charter_member member = {.org = org, .status = SPEAN_MEMBER_ACTIVE};
    struct spean_id schema;
    spean_sign_public(&steward.key, spean_adminkey_charter_seed(admin));
    spean_schema_hash(&schema);
    const struct spean_charter_draft draft = {
        .version = 1,
        .threshold = 1,
        .stewards_count = 1,
        .stewards = &steward,
        .members_count = 1,
        .members = &member,
        .erasure_delay_s = &erasure_delay_s,
        .entry_format = &format,
        .schema = &schema,
        .name = view_of(name),
        .random = random,
    };
    struct room *const room = room_new();
    if (room == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_view body;
    spean_err err = spean_charter_compose(&draft, room->body, sizeof(room->body), &body);
    if (err == SPEAN_OK) {
        err = finish(room, body, spean_adminkey_charter_seed(admin), out);
    }
    free(room);
    return err;
}

/* Read the chain of GET /v1/node into *org, which is begun. */
static spean_err node_chain(const json_t *node, struct room *room, struct spean_org *org)
{
    struct spean_id id;
    spean_err err = hex_read(json_object_get(node, "org"), id.bytes, sizeof(id.bytes));
    if (err == SPEAN_OK) {
        err = chain_apply(json_object_get(node, "statement"), room, org, org_apply);
    }
    if (err == SPEAN_OK && !spean_id_equal(&id, &org->id)) {
        err = SPEAN_ECHAIN;
    }
    return err;
}

/* Say whether the chain opens the node with this signing key in the ledger of handle. */
static bool is_opened(const struct spean_org *org, const json_t *node,
                      const struct spean_handle *handle)
{
    struct spean_key signing;
    if (hex_read(json_object_get(node, "signing"), signing.bytes, sizeof(signing.bytes)) !=
        SPEAN_OK) {
        return false;
    }
    const struct spean_org_node *const found = spean_org_node_get(org, &signing);
    return org->has_handle && spean_handle_equal(&org->handle, handle) && found != NULL &&
           !found->cut.closed;
}

bool spean_compose_node_opened(const json_t *node, const struct spean_handle *handle)
{
    assert(handle != NULL);
    struct room *const room = room_new();
    struct spean_org org;
    spean_org_init(&org);
    const bool opened =
        room != NULL && node_chain(node, room, &org) == SPEAN_OK && is_opened(&org, node, handle);
    spean_org_fini(&org);
    free(room);
    return opened;
}

/* Read the node's keys and its acceptance. */
static spean_err node_read(const json_t *node, const json_t *acceptance,
                           struct spean_statement_node *out)
{
    spean_err err =
        hex_read(json_object_get(node, "signing"), out->signing.bytes, sizeof(out->signing.bytes));
    if (err == SPEAN_OK) {
        err = hex_read(json_object_get(node, "sealing"), out->sealing.bytes,
                       sizeof(out->sealing.bytes));
    }
    if (err == SPEAN_OK) {
        err = hex_read(json_object_get(node, "transport"), out->transport.bytes,
                       sizeof(out->transport.bytes));
    }
    if (err == SPEAN_OK) {
        err = hex_read(json_object_get(acceptance, "acceptance"), out->acceptance.bytes,
                       sizeof(out->acceptance.bytes));
    }
    return err;
}

/* Compose, sign and try a version of the statement. */
static spean_err version_make(const struct spean_adminkey *admin, struct spean_org *org,
                              const struct spean_statement_draft *draft, struct room *room,
                              struct spean_composed *out)
{
    struct spean_view body;
    spean_err err = spean_statement_compose(draft, room->body, sizeof(room->body), &body);
    if (err == SPEAN_OK) {
        err = finish(room, body, spean_adminkey_admin_seed(admin), out);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_org_apply(org, &room->doc);
    if (err != SPEAN_OK) {
        json_decref(out->hex);
    }
    return err;
}

/* The version that opens the node. */
static spean_err node_open(const struct spean_adminkey *admin, struct spean_org *org,
                           struct spean_statement_node *opened, const struct spean_handle *handle,
                           struct room *room, struct spean_composed *out)
{
    const struct spean_statement_draft draft = {
        .version = org->version + 1,
        .previous = org->head,
        .handle = org->has_handle ? NULL : handle,
        .nodes_count = 1,
        .nodes = opened,
    };
    return version_make(admin, org, &draft, room, out);
}

spean_err spean_compose_node(const struct spean_adminkey *admin, const json_t *node,
                             const struct spean_handle *handle, const json_t *acceptance,
                             struct spean_composed *out)
{
    assert(admin != NULL);
    assert(handle != NULL);
    assert(out != NULL);
    struct room *const room = room_new();
    if (room == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_composed composed = {.hex = NULL};
    struct spean_statement_node opened;
    struct spean_org org;
    spean_org_init(&org);
    spean_err err = node_chain(node, room, &org);
    if (err == SPEAN_OK && !spean_id_equal(&org.id, spean_adminkey_org(admin))) {
        err = SPEAN_EDENIED;
    }
    if (err == SPEAN_OK && org.has_handle && !spean_handle_equal(&org.handle, handle)) {
        err = SPEAN_ESTATE;
    }
    if (err == SPEAN_OK && is_opened(&org, node, handle)) {
        const json_t *const chain = json_object_get(node, "statement");
        json_t *const last = json_array_get(chain, json_array_size(chain) - 1);
        composed = (struct spean_composed){
            .hex = json_incref(last), .id = org.head, .version = org.version};
    } else if (err == SPEAN_OK) {
        err = node_read(node, acceptance, &opened);
        if (err == SPEAN_OK) {
            err = node_open(admin, &org, &opened, handle, room, &composed);
        }
    }
    if (err == SPEAN_OK) {
        *out = composed;
    }
    spean_org_fini(&org);
    free(room);
    return err;
}

/* Add the node that row names to the statement. */
static spean_err further_add(const struct spean_adminkey *admin, struct spean_org *org,
                             const json_t *row, struct room *room, struct spean_composed *out)
{
    struct spean_statement_node opened;
    spean_err err = node_read(row, row, &opened);
    if (err == SPEAN_OK && !org->has_handle) {
        err = SPEAN_ESTATE;
    }
    if (err == SPEAN_OK) {
        err = spean_statement_accepted(&opened, &org->id, &org->handle);
    }
    return err == SPEAN_OK ? node_open(admin, org, &opened, NULL, room, out) : err;
}

/* Close the log of the node that row names. */
static spean_err retired_cut(const struct spean_adminkey *admin, struct spean_org *org,
                             const json_t *row, struct room *room, struct spean_composed *out)
{
    struct spean_statement_cut cut = {.cut.closed = true};
    const json_t *const head = json_object_get(row, "head");
    spean_err err =
        hex_read(json_object_get(row, "signing"), cut.signing.bytes, sizeof(cut.signing.bytes));
    if (err == SPEAN_OK) {
        cut.cut.seq = (uint64_t)json_integer_value(json_object_get(head, "seq"));
        err = hex_read(json_object_get(head, "entry"), cut.cut.entry.bytes,
                       sizeof(cut.cut.entry.bytes));
    }
    if (err != SPEAN_OK) {
        return err;
    }
    uint32_t open = 0;
    for (uint32_t i = 0; i < org->nodes_count; i++) {
        open += !org->nodes[i].cut.closed;
    }
    const struct spean_org_node *const found = spean_org_node_get(org, &cut.signing);
    if (found == NULL || found->cut.closed) {
        return SPEAN_ESTATE;
    }
    if (open == 1) {
        return SPEAN_ELIMIT;
    }
    const struct spean_statement_draft draft = {
        .version = org->version + 1, .previous = org->head, .cuts_count = 1, .cuts = &cut};
    return version_make(admin, org, &draft, room, out);
}

/* Continue the statement of our own organisation, in force with nodes, by what change composes. */
static spean_err
own_continue(const struct spean_adminkey *admin, const json_t *node, const json_t *row,
             spean_err (*change)(const struct spean_adminkey *, struct spean_org *, const json_t *,
                                 struct room *, struct spean_composed *),
             struct spean_composed *out)
{
    struct room *const room = room_new();
    if (room == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_composed composed = {.hex = NULL};
    struct spean_org org;
    spean_org_init(&org);
    spean_err err = node_chain(node, room, &org);
    if (err == SPEAN_OK && !spean_id_equal(&org.id, spean_adminkey_org(admin))) {
        err = SPEAN_EDENIED;
    }
    if (err == SPEAN_OK) {
        err = change(admin, &org, row, room, &composed);
    }
    if (err == SPEAN_OK) {
        *out = composed;
    }
    spean_org_fini(&org);
    free(room);
    return err;
}

spean_err spean_compose_further(const struct spean_adminkey *admin, const json_t *node,
                                const json_t *row, struct spean_composed *out)
{
    assert(admin != NULL);
    assert(out != NULL);
    return own_continue(admin, node, row, further_add, out);
}

spean_err spean_compose_retired(const struct spean_adminkey *admin, const json_t *node,
                                const json_t *row, struct spean_composed *out)
{
    assert(admin != NULL);
    assert(out != NULL);
    return own_continue(admin, node, row, retired_cut, out);
}

spean_err spean_compose_newcomer(const json_t *pending, const struct spean_handle *handle,
                                 struct spean_id *org)
{
    assert(handle != NULL);
    assert(org != NULL);
    struct room *const room = room_new();
    if (room == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_id named;
    struct spean_org chain;
    spean_org_init(&chain);
    spean_err err = hex_read(json_object_get(pending, "org"), named.bytes, sizeof(named.bytes));
    if (err == SPEAN_OK) {
        err = chain_apply(json_object_get(pending, "statements"), room, &chain, org_apply);
    }
    if (err == SPEAN_OK && !spean_id_equal(&named, &chain.id)) {
        err = SPEAN_ECHAIN;
    }
    if (err == SPEAN_OK && (!chain.has_handle || !spean_handle_equal(&chain.handle, handle) ||
                            chain.nodes_count == 0)) {
        err = SPEAN_ESTATE;
    }
    if (err == SPEAN_OK) {
        *org = named;
    }
    spean_org_fini(&chain);
    free(room);
    return err;
}

/* Say whether this admin key can sign a charter version alone. SPEAN_EDENIED: it cannot. */
static spean_err steward_check(const struct spean_adminkey *admin,
                               const struct spean_ledger *ledger)
{
    struct spean_key key;
    spean_sign_public(&key, spean_adminkey_charter_seed(admin));
    for (uint32_t i = 0; i < ledger->stewards_count; i++) {
        if (spean_key_equal(&ledger->stewards[i].key, &key)) {
            return ledger->threshold == 1 ? SPEAN_OK : SPEAN_EDENIED;
        }
    }
    return SPEAN_EDENIED;
}

/* Say what stands in the way of org becoming a member by this admin key. */
static spean_err member_check(const struct spean_adminkey *admin, const struct spean_ledger *ledger,
                              const struct spean_id *org)
{
    const struct spean_ledger_member *const member = spean_ledger_member_get(ledger, org);
    if (member != NULL && member->standing == SPEAN_STANDING_ACTIVE) {
        return SPEAN_EEXISTS;
    }
    if (member != NULL && member->standing == SPEAN_STANDING_REMOVED) {
        return SPEAN_ESTATE;
    }
    return steward_check(admin, ledger);
}

/* Compose, sign and try the version that follows with these changes. */
static spean_err charter_next(const struct spean_adminkey *admin, struct spean_ledger *ledger,
                              struct spean_charter_draft *draft, struct room *room,
                              struct spean_composed *out)
{
    struct spean_composed composed;
    struct spean_view body;
    draft->version = ledger->version + 1;
    draft->previous = ledger->head;
    spean_err err = spean_charter_compose(draft, room->body, sizeof(room->body), &body);
    if (err == SPEAN_OK) {
        err = finish(room, body, spean_adminkey_charter_seed(admin), &composed);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_ledger_apply(ledger, &room->doc, NULL);
    if (err != SPEAN_OK) {
        json_decref(composed.hex);
        return err;
    }
    *out = composed;
    return SPEAN_OK;
}

spean_err spean_compose_member(const struct spean_adminkey *admin, const json_t *charter,
                               const struct spean_id *org, struct spean_composed *out)
{
    assert(admin != NULL);
    assert(org != NULL);
    assert(out != NULL);
    struct room *const room = room_new();
    if (room == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_ledger ledger;
    spean_ledger_init(&ledger);
    spean_err err = chain_apply(json_object_get(charter, "documents"), room, &ledger, ledger_apply);
    if (err == SPEAN_OK) {
        err = member_check(admin, &ledger, org);
    }
    if (err == SPEAN_OK) {
        struct spean_charter_member member = {.org = *org, .status = SPEAN_MEMBER_ACTIVE};
        struct spean_charter_draft draft = {.members_count = 1, .members = &member};
        err = charter_next(admin, &ledger, &draft, room, out);
    }
    spean_ledger_fini(&ledger);
    free(room);
    return err;
}

/* Fill list, which has room for one more than there are, with the relays as they are to be. */
static uint32_t relays_next(const struct spean_ledger *ledger, const struct spean_relay *relay,
                            bool named, struct spean_relay *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ledger->relays_count; i++) {
        const struct spean_relay *const known = &ledger->relays[i];
        if (!spean_id_equal(&known->org, &relay->org) ||
            !spean_key_equal(&known->signing, &relay->signing)) {
            list[count++] = *known;
        }
    }
    if (named) {
        list[count++] = *relay;
    }
    return count;
}

spean_err spean_compose_relay(const struct spean_adminkey *admin, const json_t *charter,
                              const struct spean_relay *relay, bool named,
                              struct spean_composed *out)
{
    assert(admin != NULL);
    assert(relay != NULL);
    assert(out != NULL);
    struct room *const room = room_new();
    if (room == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_ledger ledger;
    struct spean_relay *list = NULL;
    spean_ledger_init(&ledger);
    spean_err err = chain_apply(json_object_get(charter, "documents"), room, &ledger, ledger_apply);
    if (err == SPEAN_OK && spean_ledger_is_relay(&ledger, &relay->org, &relay->signing) == named) {
        err = SPEAN_EEXISTS;
    }
    if (err == SPEAN_OK) {
        err = steward_check(admin, &ledger);
    }
    if (err == SPEAN_OK) {
        list = calloc((size_t)ledger.relays_count + 1, sizeof(*list));
        err = list == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    }
    if (err == SPEAN_OK) {
        struct spean_charter_draft draft = {.has_relays = true, .relays = list};
        draft.relays_count = relays_next(&ledger, relay, named, list);
        err = charter_next(admin, &ledger, &draft, room, out);
    }
    free(list);
    spean_ledger_fini(&ledger);
    free(room);
    return err;
}

spean_err spean_compose_handle(const json_t *charter, struct spean_handle *handle)
{
    assert(handle != NULL);
    struct room *const room = room_new();
    if (room == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_ledger ledger;
    spean_ledger_init(&ledger);
    const spean_err err =
        chain_apply(json_object_get(charter, "documents"), room, &ledger, ledger_apply);
    if (err == SPEAN_OK) {
        *handle = spean_handle_of(&ledger.id);
    }
    spean_ledger_fini(&ledger);
    free(room);
    return err;
}
