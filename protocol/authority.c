#include "protocol/authority.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/authority_internal.h"
#include "protocol/chain.h"
#include "protocol/entry.h"
#include "protocol/id_map.h"
#include "protocol/ledger_chain.h"
#include "protocol/org_chain.h"

#define ORGS_MAX (2u * SPEAN_MEMBERS_MAX + SPEAN_AUTHORITY_PENDING_MAX)

spean_err spean_authority_new(struct spean_authority **out, const struct spean_handle *handle)
{
    assert(out != NULL);

    struct spean_authority *const a = spean_alloc_array(1, sizeof(*a));
    if (a == NULL) {
        return SPEAN_ENOMEM;
    }
    if (handle != NULL) {
        a->has_handle = true;
        a->handle = *handle;
    }
    spean_ledger_chain_init(&a->charter);
    *out = a;
    return SPEAN_OK;
}

void spean_authority_free(struct spean_authority *a)
{
    if (a == NULL) {
        return;
    }
    for (uint32_t i = 0; i < a->orgs_count; i++) {
        spean_org_chain_fini(&a->orgs[i].chain);
    }
    free(a->orgs);
    free(a->order);
    free(a->logs);
    spean_ledger_chain_fini(&a->charter);
    spean_id_map_fini(&a->org_numbers);
    spean_id_map_fini(&a->statement_orgs);
    spean_id_map_fini(&a->log_numbers);
    spean_id_map_fini(&a->short_numbers);
    spean_id_map_fini(&a->transport_numbers);
    free(a);
}

static enum standing standing_of(const struct spean_authority *a, const struct spean_id *org)
{
    const struct spean_ledger *const ledger = authority_ledger(a);
    const struct spean_ledger_member *const member =
        ledger == NULL ? NULL : spean_ledger_member_get(ledger, org);
    if (member == NULL) {
        return STANDING_PENDING;
    }
    if (member->standing == SPEAN_STANDING_ACTIVE) {
        return STANDING_ACTIVE;
    }
    return member->standing == SPEAN_STANDING_REMOVED ? STANDING_REMOVED : STANDING_ELSEWHERE;
}

/* Index in order of the first org that is not below id. */
static uint32_t order_place(const struct spean_authority *a, const struct spean_id *id)
{
    uint32_t low = 0;
    uint32_t high = a->orgs_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (spean_id_compare(&a->orgs[a->order[middle]].id, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Add an org; chain, which moves into it, may be empty. */
static spean_err org_put(struct spean_authority *a, const struct spean_id *id,
                         struct spean_org_chain *chain)
{
    if (a->orgs_count >= ORGS_MAX) {
        return SPEAN_ELIMIT;
    }
    void *orgs = a->orgs;
    spean_err err = spean_alloc_more(&orgs, &a->orgs_cap, a->orgs_count, sizeof(*a->orgs));
    a->orgs = orgs;
    if (err == SPEAN_OK) {
        void *order = a->order;
        err = spean_alloc_more(&order, &a->order_cap, a->orgs_count, sizeof(*a->order));
        a->order = order;
    }
    if (err == SPEAN_OK) {
        err = spean_id_map_put(&a->org_numbers, id->bytes, a->orgs_count);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    const uint32_t at = order_place(a, id);
    memmove(&a->order[at + 1], &a->order[at], (a->orgs_count - at) * sizeof(*a->order));
    a->order[at] = a->orgs_count;
    struct org_slot *const slot = &a->orgs[a->orgs_count];
    slot->id = *id;
    slot->standing = STANDING_PENDING;
    slot->chain = *chain;
    spean_org_chain_init(chain); /* It moved. */
    a->orgs_count++;
    return SPEAN_OK;
}

/* P4.5: the lowest binds, at equal seq the charter's. A removed org's logs are closed (P4.4). */
static struct spean_cut cut_effective(const struct spean_cut *org_cut,
                                      const struct spean_cut *charter_cut, bool removed)
{
    const struct spean_cut nothing = {.closed = true};
    struct spean_cut cut = *org_cut;
    if (charter_cut == NULL) {
        return removed ? nothing : cut;
    }
    if (!cut.closed || charter_cut->seq <= cut.seq) {
        cut = *charter_cut;
    }
    return cut;
}

/* Say whether the statement in force is for this ledger (P4.7). */
static bool org_is_here(const struct spean_authority *a, const struct spean_org *org)
{
    const struct spean_handle handle = spean_handle_of(&a->charter.ledger.id);
    return org->has_handle && spean_handle_equal(&org->handle, &handle);
}

/* What a log is by the charter and the statement in force; its id stays as it is. */
static struct spean_log log_judge(const struct spean_authority *a, const struct log_slot *slot)
{
    const struct org_slot *const org = &a->orgs[slot->org];
    struct spean_log log = slot->log;
    const struct spean_org_node *const node =
        spean_org_node_get(&org->chain.org, &slot->log.signing);
    if (node == NULL || !org_is_here(a, &org->chain.org)) {
        log.status = SPEAN_LOG_ASIDE;
        log.cut = (struct spean_cut){.closed = true};
        log.relay = false;
        return log;
    }
    const struct spean_ledger *const ledger = &a->charter.ledger;
    const bool removed = org->standing != STANDING_ACTIVE;
    log.sealing = node->sealing;
    log.transport = node->transport;
    log.cut =
        cut_effective(&node->cut, spean_ledger_cut_get(ledger, &org->id, &node->signing), removed);
    log.status = log.cut.closed ? SPEAN_LOG_CLOSED : SPEAN_LOG_OPEN;
    if (removed) {
        log.status = SPEAN_LOG_REMOVED;
    }
    log.relay = spean_ledger_is_relay(ledger, &org->id, &node->signing);
    return log;
}

static bool cut_equal(const struct spean_cut *a, const struct spean_cut *b)
{
    return a->closed == b->closed && a->seq == b->seq && spean_id_equal(&a->entry, &b->entry);
}

/* The flags of a move from one cut to another. */
static uint32_t cut_flags(const struct spean_cut *before, const struct spean_cut *after)
{
    if (cut_equal(before, after)) {
        return 0;
    }
    const bool up = before->closed && (!after->closed || after->seq > before->seq);
    return up ? SPEAN_CHANGED_OPENED : SPEAN_CHANGED_CLOSED;
}

static spean_err transport_put(struct spean_authority *a, uint32_t number)
{
    struct log_slot *const slot = &a->logs[number];
    const uint8_t *const key = slot->log.transport.bytes;
    slot->transport_next = spean_id_map_get(&a->transport_numbers, key);
    return spean_id_map_put(&a->transport_numbers, key, number);
}

/* A fork was settled so that a node has another transport key: index them all again. */
static spean_err transports_rebuild(struct spean_authority *a)
{
    spean_id_map_fini(&a->transport_numbers);
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < a->logs_count && err == SPEAN_OK; i++) {
        err = transport_put(a, i);
    }
    return err;
}

/* Bring a known log up to date and note in *flags what changed. */
static spean_err log_update(struct spean_authority *a, uint32_t number, uint32_t *flags)
{
    struct log_slot *const slot = &a->logs[number];
    struct spean_log after = log_judge(a, slot);
    const bool rekeyed = !spean_key_equal(&after.transport, &slot->log.transport) ||
                         !spean_key_equal(&after.sealing, &slot->log.sealing);
    const bool moved = after.status != slot->log.status || !cut_equal(&after.cut, &slot->log.cut);
    if (rekeyed || moved) {
        *flags |= cut_flags(&slot->log.cut, &after.cut);
    }
    slot->log = after;
    return rekeyed ? transports_rebuild(a) : SPEAN_OK;
}

static spean_err short_put(struct spean_authority *a, const struct spean_id *log, uint32_t number)
{
    uint8_t key[SPEAN_ID_BYTES] = {0};
    memcpy(key, log->bytes, SPEAN_SHORT_BYTES);
    const bool taken = spean_id_map_get(&a->short_numbers, key) != AUTHORITY_NONE;
    return spean_id_map_put(&a->short_numbers, key, taken ? AUTHORITY_SHORT_AMBIGUOUS : number);
}

static spean_err log_put(struct spean_authority *a, uint32_t org, const struct spean_id *id,
                         const struct spean_org_node *node, uint32_t *flags)
{
    if (a->logs_count >= SPEAN_AUTHORITY_LOGS_MAX) {
        *flags |= SPEAN_CHANGED_FULL;
        return SPEAN_OK;
    }
    void *logs = a->logs;
    spean_err err = spean_alloc_more(&logs, &a->logs_cap, a->logs_count, sizeof(*a->logs));
    a->logs = logs;
    if (err != SPEAN_OK) {
        return err;
    }
    const uint32_t number = a->logs_count;
    struct log_slot *const slot = &a->logs[number];
    memset(slot, 0, sizeof(*slot));
    slot->org = org;
    slot->log.id = *id;
    slot->log.org = a->orgs[org].id;
    slot->log.signing = node->signing;
    slot->log.sealing = node->sealing;
    slot->log.transport = node->transport;
    slot->log = log_judge(a, slot);
    a->logs_count++;
    err = spean_id_map_put(&a->log_numbers, id->bytes, number);
    if (err == SPEAN_OK) {
        err = short_put(a, id, number);
    }
    if (err == SPEAN_OK) {
        err = transport_put(a, number);
    }
    *flags |= slot->log.status == SPEAN_LOG_OPEN ? SPEAN_CHANGED_OPENED : 0;
    return err;
}

/* Add the logs of those nodes whose logs are not known yet. */
static spean_err nodes_put(struct spean_authority *a, uint32_t org,
                           const struct spean_org_node *nodes, uint32_t count, uint32_t *flags)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        struct spean_id id;
        spean_log_id(&id, &a->charter.ledger.id, &a->orgs[org].id, &nodes[i].signing);
        if (spean_id_map_get(&a->log_numbers, id.bytes) == AUTHORITY_NONE) {
            err = log_put(a, org, &id, &nodes[i], flags);
        }
    }
    return err;
}

/* Add the logs that an org has by now: those in force, and those that are set aside. */
static spean_err org_logs_put(struct spean_authority *a, uint32_t number, uint32_t *flags)
{
    const struct org_slot *const slot = &a->orgs[number];
    const struct spean_org_chain *const chain = &slot->chain;
    const bool named = slot->standing == STANDING_ACTIVE || slot->standing == STANDING_REMOVED;
    if (!named || !authority_org_held(slot)) {
        return SPEAN_OK;
    }
    spean_err err = SPEAN_OK;
    if (org_is_here(a, &chain->org)) {
        err = nodes_put(a, number, chain->org.nodes, chain->org.nodes_count, flags);
    }
    return err == SPEAN_OK ? nodes_put(a, number, chain->aside, chain->aside_count, flags) : err;
}

/* Bring the known logs of an org up to date, or with AUTHORITY_NONE those of all. */
static spean_err logs_update(struct spean_authority *a, uint32_t org, uint32_t *flags)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < a->logs_count && err == SPEAN_OK; i++) {
        if (org == AUTHORITY_NONE || a->logs[i].org == org) {
            err = log_update(a, i, flags);
        }
    }
    return err;
}

/* Take over what the charter says of an org: its standing and its pin. */
static spean_err org_take_charter(struct spean_authority *a, uint32_t number, uint32_t *flags)
{
    struct org_slot *const slot = &a->orgs[number];
    const enum standing before = slot->standing;
    slot->standing = standing_of(a, &slot->id);
    if (slot->standing != before) {
        *flags |= slot->standing == STANDING_ACTIVE ? SPEAN_CHANGED_MEMBER : 0;
        *flags |= slot->standing == STANDING_REMOVED ? SPEAN_CHANGED_REMOVED : 0;
    }
    if (before == STANDING_PENDING && slot->standing != STANDING_PENDING &&
        authority_org_held(slot)) {
        a->pending_count--;
    }
    const struct spean_pin *const pin = spean_ledger_pin_get(&a->charter.ledger, &slot->id);
    const bool same =
        pin == NULL ? !slot->chain.has_pin
                    : slot->chain.has_pin && spean_id_equal(&slot->chain.pin, &pin->statement);
    if (same) {
        return SPEAN_OK;
    }
    const bool frozen = slot->chain.frozen;
    const spean_err err = spean_org_chain_pin(&slot->chain, pin == NULL ? NULL : &pin->statement);
    *flags |= frozen && !slot->chain.frozen ? SPEAN_CHANGED_THAWED : 0;
    *flags |= !frozen && slot->chain.frozen ? SPEAN_CHANGED_FROZEN : 0;
    *flags |= SPEAN_CHANGED_ORG;
    return err;
}

/* Give every org that the charter names its place. */
static spean_err members_put(struct spean_authority *a)
{
    const struct spean_ledger *const ledger = &a->charter.ledger;
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < ledger->members_count && err == SPEAN_OK; i++) {
        const struct spean_id *const org = &ledger->members[i].org;
        if (spean_id_map_get(&a->org_numbers, org->bytes) == AUTHORITY_NONE) {
            struct spean_org_chain empty;
            spean_org_chain_init(&empty);
            err = org_put(a, org, &empty);
        }
    }
    return err;
}

static spean_err charter_update(struct spean_authority *a, uint32_t *flags)
{
    spean_err err = members_put(a);
    for (uint32_t i = 0; i < a->orgs_count && err == SPEAN_OK; i++) {
        uint32_t org_flags = 0;
        err = org_take_charter(a, i, &org_flags);
        if (err == SPEAN_OK && org_flags != 0) {
            err = org_logs_put(a, i, &org_flags);
        }
        *flags |= org_flags;
    }
    return err == SPEAN_OK ? logs_update(a, AUTHORITY_NONE, flags) : err;
}

static spean_err charter_add(struct spean_authority *a, const struct spean_document *doc,
                             struct spean_authority_change *change)
{
    const struct spean_handle handle = spean_handle_of(&doc->id);
    if (doc->version == 1 && a->has_handle && !spean_handle_equal(&handle, &a->handle)) {
        return SPEAN_EDENIED; /* P12.4 */
    }
    const struct spean_id head = a->charter.ledger.head;
    const uint32_t heads_count = a->charter.chain.heads_count;
    spean_err err = spean_ledger_chain_add(&a->charter, doc);
    if (err != SPEAN_OK) {
        return err;
    }
    uint32_t flags = 0;
    if (!spean_id_equal(&head, &a->charter.ledger.head)) {
        flags |= SPEAN_CHANGED_LEDGER;
    }
    if (heads_count > 0 && a->charter.chain.heads_count > heads_count) {
        flags |= SPEAN_CHANGED_FORK;
    }
    err = charter_update(a, &flags);
    change->chain = a->charter.ledger.id;
    change->flags = flags;
    return err;
}

/* Add version 1 of an org that nobody has named so far. */
static spean_err newcomer_add(struct spean_authority *a, const struct spean_document *doc,
                              enum spean_authority_pending pending)
{
    if (pending == SPEAN_PENDING_REFUSE) {
        return SPEAN_EWAIT;
    }
    if (a->pending_count >= SPEAN_AUTHORITY_PENDING_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_org_chain chain;
    spean_org_chain_init(&chain);
    spean_err err = spean_org_chain_add(&chain, doc);
    if (err == SPEAN_OK) {
        err = org_put(a, &doc->id, &chain);
    }
    spean_org_chain_fini(&chain);
    if (err == SPEAN_OK) {
        a->pending_count++;
    }
    return err;
}

/* The number of the org that a statement belongs to, AUTHORITY_NONE for one that is not known. */
static uint32_t org_of_statement(const struct spean_authority *a, const struct spean_document *doc)
{
    return doc->version == 1 ? spean_id_map_get(&a->org_numbers, doc->id.bytes)
                             : spean_id_map_get(&a->statement_orgs, doc->previous.bytes);
}

/* Add a statement of a known org and note in *flags what became of the chain. */
static spean_err known_add(struct spean_authority *a, uint32_t number,
                           const struct spean_document *doc, enum spean_authority_pending pending,
                           uint32_t *flags)
{
    struct org_slot *const slot = &a->orgs[number];
    if (spean_chain_find(&slot->chain.chain, &doc->id) != SPEAN_CHAIN_NONE) {
        return SPEAN_EEXISTS;
    }
    if (slot->standing == STANDING_PENDING && pending == SPEAN_PENDING_REFUSE) {
        return SPEAN_EWAIT;
    }
    const bool frozen = slot->chain.frozen;
    const struct spean_id head = slot->chain.org.head;
    const uint32_t heads_count = slot->chain.chain.heads_count;
    const spean_err err = spean_org_chain_add(&slot->chain, doc);
    if (err != SPEAN_OK) {
        return err;
    }
    const bool forked = heads_count > 0 && slot->chain.chain.heads_count > heads_count;
    const bool moved = !spean_id_equal(&head, &slot->chain.org.head);
    *flags |= forked ? SPEAN_CHANGED_FORK : 0;
    *flags |= moved || frozen != slot->chain.frozen ? SPEAN_CHANGED_ORG : 0;
    *flags |= !frozen && slot->chain.frozen ? SPEAN_CHANGED_FROZEN : 0;
    *flags |= frozen && !slot->chain.frozen ? SPEAN_CHANGED_THAWED : 0;
    return SPEAN_OK;
}

static spean_err statement_add(struct spean_authority *a, const struct spean_document *doc,
                               enum spean_authority_pending pending,
                               struct spean_authority_change *change)
{
    uint32_t flags = 0;
    uint32_t number = org_of_statement(a, doc);
    if (number == AUTHORITY_NONE && doc->version > 1) {
        return SPEAN_EGAP;
    }
    spean_err err = SPEAN_OK;
    if (number == AUTHORITY_NONE) {
        err = newcomer_add(a, doc, pending);
        number = a->orgs_count - 1;
        flags = SPEAN_CHANGED_ORG;
    } else {
        err = known_add(a, number, doc, pending, &flags);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_id_map_put(&a->statement_orgs, doc->id.bytes, number);
    if (err == SPEAN_OK) {
        err = org_logs_put(a, number, &flags);
    }
    if (err == SPEAN_OK) {
        err = logs_update(a, number, &flags);
    }
    change->chain = a->orgs[number].id;
    change->flags = flags;
    change->pending = a->orgs[number].standing == STANDING_PENDING;
    return err;
}

spean_err spean_authority_add(struct spean_authority *a, struct spean_view bytes,
                              enum spean_authority_pending pending,
                              struct spean_authority_change *change)
{
    assert(a != NULL);
    assert(change != NULL);

    struct spean_document doc;
    spean_err err = spean_document_decode(&doc, bytes);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_authority_change made = {.type = doc.type,
                                          .title = {.version = doc.version, .id = doc.id}};
    err = doc.type == SPEAN_DOCUMENT_CHARTER ? charter_add(a, &doc, &made)
                                             : statement_add(a, &doc, pending, &made);
    if (err == SPEAN_OK) {
        *change = made;
    }
    return err;
}
