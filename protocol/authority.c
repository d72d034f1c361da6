#include "protocol/authority.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/chain.h"
#include "protocol/domains.h"
#include "protocol/entry.h"
#include "protocol/hash.h"
#include "protocol/id_map.h"
#include "protocol/ledger_chain.h"
#include "protocol/org_chain.h"

#define NONE            SPEAN_ID_MAP_NONE
#define SHORT_AMBIGUOUS (UINT32_MAX - 1) /* Two logs share the short name. */
#define ORGS_MAX        (2u * SPEAN_MEMBERS_MAX + SPEAN_AUTHORITY_PENDING_MAX)

/* Where an org stands with the charter in force; pending while the charter does not name it. */
enum standing { STANDING_PENDING, STANDING_ACTIVE, STANDING_REMOVED, STANDING_ELSEWHERE };

struct org_slot {
    struct spean_id id;
    enum standing standing;
    struct spean_org_chain chain;
};

struct log_slot {
    struct spean_log log;
    uint32_t org;            /* Number of its slot. */
    uint32_t transport_next; /* Another log with the same transport key, or NONE. */
};

struct spean_authority {
    bool has_handle;
    struct spean_handle handle;
    uint64_t serial;
    struct spean_ledger_chain charter;
    struct org_slot *orgs; /* In the order in which they became known. */
    uint32_t orgs_count;
    uint32_t orgs_cap;
    uint32_t pending_count;
    uint32_t *order; /* Numbers of orgs, ascending by id. */
    uint32_t order_cap;
    struct log_slot *logs;
    uint32_t logs_count;
    uint32_t logs_cap;
    struct spean_id_map org_numbers;
    struct spean_id_map statement_orgs; /* From statement id to the number of its org. */
    struct spean_id_map log_numbers;
    struct spean_id_map short_numbers; /* By short name and zeros. */
    struct spean_id_map transport_numbers;
};

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

static const struct spean_ledger *ledger_of(const struct spean_authority *a)
{
    return a->charter.chain.versions_count == 0 ? NULL : &a->charter.ledger;
}

static bool org_held(const struct org_slot *slot)
{
    return slot->chain.chain.versions_count > 0;
}

static enum standing standing_of(const struct spean_authority *a, const struct spean_id *org)
{
    const struct spean_ledger *const ledger = ledger_of(a);
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

/* What a log is by the charter and the statement in force; keys and id stay as they are. */
static struct spean_log log_judge(const struct spean_authority *a, const struct log_slot *slot)
{
    const struct org_slot *const org = &a->orgs[slot->org];
    struct spean_log log = slot->log;
    const struct spean_org_node *const node =
        spean_org_node_get(&org->chain.org, &slot->log.signing);
    if (node == NULL) {
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
        after.changed = a->serial;
        *flags |= cut_flags(&slot->log.cut, &after.cut);
    }
    slot->log = after;
    return rekeyed ? transports_rebuild(a) : SPEAN_OK;
}

static spean_err short_put(struct spean_authority *a, const struct spean_id *log, uint32_t number)
{
    uint8_t key[SPEAN_ID_BYTES] = {0};
    memcpy(key, log->bytes, SPEAN_SHORT_BYTES);
    const bool taken = spean_id_map_get(&a->short_numbers, key) != NONE;
    return spean_id_map_put(&a->short_numbers, key, taken ? SHORT_AMBIGUOUS : number);
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
    slot->log.changed = a->serial;
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

static spean_err nodes_update(struct spean_authority *a, uint32_t org,
                              const struct spean_org_node *nodes, uint32_t count, uint32_t *flags)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        struct spean_id id;
        spean_log_id(&id, &a->charter.ledger.id, &a->orgs[org].id, &nodes[i].signing);
        const uint32_t number = spean_id_map_get(&a->log_numbers, id.bytes);
        err =
            number == NONE ? log_put(a, org, &id, &nodes[i], flags) : log_update(a, number, flags);
    }
    return err;
}

/* Bring all logs of an org up to date, new ones included (P4.7). */
static spean_err org_update(struct spean_authority *a, uint32_t number, uint32_t *flags)
{
    const struct org_slot *const slot = &a->orgs[number];
    const bool named = slot->standing == STANDING_ACTIVE || slot->standing == STANDING_REMOVED;
    if (!named || !org_held(slot)) {
        return SPEAN_OK;
    }
    const struct spean_handle handle = spean_handle_of(&a->charter.ledger.id);
    const struct spean_org_chain *const chain = &slot->chain;
    if (chain->org.has_handle && spean_handle_equal(&chain->org.handle, &handle)) {
        const spean_err err =
            nodes_update(a, number, chain->org.nodes, chain->org.nodes_count, flags);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return nodes_update(a, number, chain->aside, chain->aside_count, flags);
}

/* Take over what the charter says of an org: its standing and its pin. */
static spean_err org_rename(struct spean_authority *a, uint32_t number, uint32_t *flags)
{
    struct org_slot *const slot = &a->orgs[number];
    const enum standing before = slot->standing;
    slot->standing = standing_of(a, &slot->id);
    if (slot->standing != before) {
        *flags |= slot->standing == STANDING_ACTIVE ? SPEAN_CHANGED_MEMBER : 0;
        *flags |= slot->standing == STANDING_REMOVED ? SPEAN_CHANGED_REMOVED : 0;
    }
    if (before == STANDING_PENDING && slot->standing != STANDING_PENDING && org_held(slot)) {
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
        if (spean_id_map_get(&a->org_numbers, org->bytes) == NONE) {
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
        const enum standing before = a->orgs[i].standing;
        const uint32_t old_flags = *flags;
        *flags = 0;
        err = org_rename(a, i, flags);
        if (err == SPEAN_OK && (a->orgs[i].standing != before || *flags != 0)) {
            err = org_update(a, i, flags);
        }
        *flags |= old_flags;
    }
    for (uint32_t i = 0; i < a->logs_count && err == SPEAN_OK; i++) {
        err = log_update(a, i, flags);
    }
    return err;
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
    a->serial++;
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

/* The number of the org that a statement belongs to, NONE for one that is not known. */
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
    if (number == NONE && doc->version > 1) {
        return SPEAN_EGAP;
    }
    spean_err err = SPEAN_OK;
    if (number == NONE) {
        err = newcomer_add(a, doc, pending);
        number = a->orgs_count - 1;
        flags = SPEAN_CHANGED_ORG;
    } else {
        err = known_add(a, number, doc, pending, &flags);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    a->serial++;
    err = spean_id_map_put(&a->statement_orgs, doc->id.bytes, number);
    if (err == SPEAN_OK) {
        err = org_update(a, number, &flags);
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

uint64_t spean_authority_serial(const struct spean_authority *a)
{
    assert(a != NULL);

    return a->serial;
}

const struct spean_ledger *spean_authority_ledger(const struct spean_authority *a)
{
    assert(a != NULL);

    return ledger_of(a);
}

uint32_t spean_authority_logs_count(const struct spean_authority *a)
{
    assert(a != NULL);

    return a->logs_count;
}

const struct spean_log *spean_authority_log_at(const struct spean_authority *a, uint32_t number)
{
    assert(a != NULL);
    assert(number < a->logs_count);

    return &a->logs[number].log;
}

const struct spean_log *spean_authority_log(const struct spean_authority *a,
                                            const struct spean_id *log)
{
    assert(a != NULL);
    assert(log != NULL);

    const uint32_t number = spean_id_map_get(&a->log_numbers, log->bytes);
    return number == NONE ? NULL : &a->logs[number].log;
}

const struct spean_log *spean_authority_log_by_short(const struct spean_authority *a,
                                                     const uint8_t name[SPEAN_SHORT_BYTES])
{
    assert(a != NULL);
    assert(name != NULL);

    uint8_t key[SPEAN_ID_BYTES] = {0};
    memcpy(key, name, SPEAN_SHORT_BYTES);
    const uint32_t number = spean_id_map_get(&a->short_numbers, key);
    return number == NONE || number == SHORT_AMBIGUOUS ? NULL : &a->logs[number].log;
}

const struct spean_log *spean_authority_log_by_transport(const struct spean_authority *a,
                                                         const struct spean_key *transport)
{
    assert(a != NULL);
    assert(transport != NULL);

    uint32_t number = spean_id_map_get(&a->transport_numbers, transport->bytes);
    while (number != NONE && a->logs[number].log.status != SPEAN_LOG_OPEN) {
        number = a->logs[number].transport_next;
    }
    return number == NONE ? NULL : &a->logs[number].log;
}

const struct spean_log *spean_authority_peer(const struct spean_authority *a,
                                             const struct spean_key *transport,
                                             const struct spean_id *org,
                                             const struct spean_key *signing)
{
    assert(a != NULL);
    assert(transport != NULL);
    assert(org != NULL);
    assert(signing != NULL);

    if (ledger_of(a) == NULL) {
        return NULL;
    }
    struct spean_id id;
    spean_log_id(&id, &a->charter.ledger.id, org, signing);
    const struct spean_log *const log = spean_authority_log(a, &id);
    const bool open = log != NULL && log->status == SPEAN_LOG_OPEN;
    return open && spean_key_equal(&log->transport, transport) ? log : NULL;
}

uint32_t spean_authority_orgs_count(const struct spean_authority *a)
{
    assert(a != NULL);

    return a->orgs_count;
}

static struct spean_authority_org org_describe(const struct org_slot *slot)
{
    return (struct spean_authority_org){.id = slot->id,
                                        .org = org_held(slot) ? &slot->chain.org : NULL,
                                        .active = slot->standing == STANDING_ACTIVE,
                                        .removed = slot->standing == STANDING_REMOVED,
                                        .frozen = slot->chain.frozen,
                                        .heads_count = slot->chain.chain.heads_count};
}

struct spean_authority_org spean_authority_org_at(const struct spean_authority *a, uint32_t index)
{
    assert(a != NULL);
    assert(index < a->orgs_count);

    return org_describe(&a->orgs[a->order[index]]);
}

static const struct org_slot *org_find(const struct spean_authority *a, const struct spean_id *id)
{
    assert(a != NULL);
    assert(id != NULL);

    const uint32_t number = spean_id_map_get(&a->org_numbers, id->bytes);
    return number == NONE ? NULL : &a->orgs[number];
}

spean_err spean_authority_org(const struct spean_authority *a, const struct spean_id *id,
                              struct spean_authority_org *out)
{
    assert(out != NULL);

    const struct org_slot *const slot = org_find(a, id);
    if (slot == NULL) {
        return SPEAN_ENOTFOUND;
    }
    *out = org_describe(slot);
    return SPEAN_OK;
}

bool spean_authority_is_member(const struct spean_authority *a, const struct spean_id *org)
{
    const struct org_slot *const slot = org_find(a, org);
    return slot != NULL && slot->standing == STANDING_ACTIVE;
}

bool spean_authority_is_steward(const struct spean_authority *a, const struct spean_id *org)
{
    assert(a != NULL);

    const struct spean_ledger *const ledger = ledger_of(a);
    return ledger != NULL && spean_ledger_is_steward(ledger, org);
}

const struct spean_key *spean_authority_sealing(const struct spean_authority *a,
                                                const struct spean_id *org, uint64_t generation)
{
    const struct org_slot *const slot = org_find(a, org);
    return slot == NULL ? NULL : spean_org_sealing_get(&slot->chain.org, generation);
}

uint64_t spean_authority_entry_format(const struct spean_authority *a)
{
    assert(a != NULL);

    const struct spean_ledger *const ledger = ledger_of(a);
    return ledger == NULL ? 0 : ledger->entry_format;
}

/* The head that comes next after last (NULL: the first) by id; SPEAN_CHAIN_NONE: no more. */
static uint32_t head_after(const struct spean_chain *chain, const struct spean_id *last)
{
    uint32_t best = SPEAN_CHAIN_NONE;
    uint32_t head = spean_chain_next_head(chain, 0);
    while (head != SPEAN_CHAIN_NONE) {
        const struct spean_id *const id = &chain->versions[head].id;
        const bool later = last == NULL || spean_id_compare(id, last) > 0;
        if (later &&
            (best == SPEAN_CHAIN_NONE || spean_id_compare(id, &chain->versions[best].id) < 0)) {
            best = head;
        }
        head = spean_chain_next_head(chain, head + 1);
    }
    return best;
}

static void hash_heads(struct spean_hash *h, const struct spean_chain *chain)
{
    uint32_t head = head_after(chain, NULL);
    while (head != SPEAN_CHAIN_NONE) {
        const struct spean_id *const id = &chain->versions[head].id;
        spean_hash_update(h, id->bytes, sizeof(id->bytes));
        head = head_after(chain, id);
    }
}

void spean_authority_digest(const struct spean_authority *a, struct spean_id *out)
{
    assert(a != NULL);
    assert(out != NULL);

    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_AUTHORITY, sizeof(out->bytes));
    hash_heads(&h, &a->charter.chain);
    for (uint32_t i = 0; i < a->orgs_count; i++) {
        const struct org_slot *const slot = &a->orgs[a->order[i]];
        if (slot->standing != STANDING_PENDING && org_held(slot)) {
            spean_hash_update(&h, slot->id.bytes, sizeof(slot->id.bytes));
            hash_heads(&h, &slot->chain.chain);
        }
    }
    spean_hash_end(&h, out->bytes, sizeof(out->bytes));
}

/* The versions of the charter or of an org's statement; NULL: none held. */
static const struct spean_chain *chain_find(const struct spean_authority *a,
                                            const struct spean_id *id)
{
    const struct spean_ledger *const ledger = ledger_of(a);
    if (ledger != NULL && spean_id_equal(&ledger->id, id)) {
        return &a->charter.chain;
    }
    const struct org_slot *const slot = org_find(a, id);
    return slot != NULL && org_held(slot) ? &slot->chain.chain : NULL;
}

static struct spean_title title_of(const struct spean_chain_version *version)
{
    return (struct spean_title){.version = version->version, .id = version->id};
}

uint32_t spean_authority_heads(const struct spean_authority *a, const struct spean_id *chain,
                               struct spean_title *out, uint32_t cap)
{
    assert(a != NULL);
    assert(out != NULL || cap == 0);

    const struct spean_chain *const held = chain_find(a, chain);
    if (held == NULL) {
        return 0;
    }
    uint32_t head = head_after(held, NULL);
    for (uint32_t i = 0; i < cap && head != SPEAN_CHAIN_NONE; i++) {
        out[i] = title_of(&held->versions[head]);
        head = head_after(held, &held->versions[head].id);
    }
    return held->heads_count;
}

/* Mark what whoever has these heads holds for certain. */
static void marks_set(const struct spean_chain *chain, const struct spean_title *heads,
                      uint32_t heads_count, bool *marks)
{
    bool any_known = false;
    uint64_t theirs = 0;
    for (uint32_t i = 0; i < heads_count; i++) {
        const uint32_t known = spean_chain_find(chain, &heads[i].id);
        if (known != SPEAN_CHAIN_NONE) {
            spean_chain_mark(chain, known, marks);
            any_known = true;
        }
        theirs = heads[i].version > theirs ? heads[i].version : theirs;
    }
    uint64_t ours = 0;
    for (uint32_t i = 0; i < chain->versions_count; i++) {
        ours = chain->versions[i].version > ours ? chain->versions[i].version : ours;
    }
    if (!any_known && theirs > ours) {
        for (uint32_t i = 0; i < chain->versions_count; i++) {
            marks[i] = true; /* They are ahead, and send what they have. */
        }
    }
}

spean_err spean_authority_lacking(const struct spean_authority *a, const struct spean_id *chain,
                                  const struct spean_title *heads, uint32_t heads_count,
                                  struct spean_title **out, uint32_t *out_count)
{
    assert(a != NULL);
    assert(heads != NULL || heads_count == 0);
    assert(out != NULL);
    assert(out_count != NULL);

    const struct spean_chain *const held = chain_find(a, chain);
    if (held == NULL) {
        return SPEAN_ENOTFOUND;
    }
    bool *const marks = spean_alloc_array(held->versions_count, sizeof(*marks));
    struct spean_title *titles = spean_alloc_array(held->versions_count, sizeof(*titles));
    if (marks == NULL || titles == NULL) {
        free(marks);
        free(titles);
        return SPEAN_ENOMEM;
    }
    marks_set(held, heads, heads_count, marks);
    uint32_t count = 0;
    for (uint32_t i = 0; i < held->versions_count; i++) {
        if (!marks[i]) {
            titles[count] = title_of(&held->versions[i]);
            count++;
        }
    }
    free(marks);
    if (count == 0) {
        free(titles);
        titles = NULL;
    }
    *out = titles;
    *out_count = count;
    return SPEAN_OK;
}
