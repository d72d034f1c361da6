#include "protocol/authority.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/authority_internal.h"
#include "protocol/chain.h"
#include "protocol/domains.h"
#include "protocol/entry.h"
#include "protocol/hash.h"
#include "protocol/id_map.h"

const struct spean_ledger *spean_authority_ledger(const struct spean_authority *a)
{
    assert(a != NULL);

    return authority_ledger(a);
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
    return number == AUTHORITY_NONE ? NULL : &a->logs[number].log;
}

const struct spean_log *spean_authority_log_by_short(const struct spean_authority *a,
                                                     const uint8_t name[SPEAN_SHORT_BYTES])
{
    assert(a != NULL);
    assert(name != NULL);

    uint8_t key[SPEAN_ID_BYTES] = {0};
    memcpy(key, name, SPEAN_SHORT_BYTES);
    const uint32_t number = spean_id_map_get(&a->short_numbers, key);
    return number == AUTHORITY_NONE || number == AUTHORITY_SHORT_AMBIGUOUS ? NULL
                                                                           : &a->logs[number].log;
}

const struct spean_log *spean_authority_log_by_transport(const struct spean_authority *a,
                                                         const struct spean_key *transport)
{
    assert(a != NULL);
    assert(transport != NULL);

    uint32_t number = spean_id_map_get(&a->transport_numbers, transport->bytes);
    while (number != AUTHORITY_NONE && a->logs[number].log.status != SPEAN_LOG_OPEN) {
        number = a->logs[number].transport_next;
    }
    return number == AUTHORITY_NONE ? NULL : &a->logs[number].log;
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

    if (authority_ledger(a) == NULL) {
        return NULL;
    }
    struct spean_id id;
    spean_log_id(&id, &a->charter.ledger.id, org, signing);
    const struct spean_log *const log = spean_authority_log(a, &id);
    const bool open = log != NULL && log->status == SPEAN_LOG_OPEN;
    return open && spean_key_equal(&log->transport, transport) ? log : NULL;
}

bool spean_authority_is_relay(const struct spean_authority *a, const struct spean_id *org,
                              const struct spean_key *signing)
{
    assert(a != NULL);
    assert(org != NULL);
    assert(signing != NULL);

    if (authority_ledger(a) == NULL) {
        return false;
    }
    struct spean_id id;
    spean_log_id(&id, &a->charter.ledger.id, org, signing);
    const struct spean_log *const log = spean_authority_log(a, &id);
    return log != NULL && log->status == SPEAN_LOG_OPEN && log->relay;
}

uint32_t spean_authority_orgs_count(const struct spean_authority *a)
{
    assert(a != NULL);

    return a->orgs_count;
}

static struct spean_authority_org org_describe(const struct org_slot *slot)
{
    return (struct spean_authority_org){.id = slot->id,
                                        .org = authority_org_held(slot) ? &slot->chain.org : NULL,
                                        .named = slot->standing != STANDING_PENDING,
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
    return number == AUTHORITY_NONE ? NULL : &a->orgs[number];
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

    const struct spean_ledger *const ledger = authority_ledger(a);
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

    const struct spean_ledger *const ledger = authority_ledger(a);
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
        if (slot->standing != STANDING_PENDING && authority_org_held(slot)) {
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
    const struct spean_ledger *const ledger = authority_ledger(a);
    if (ledger != NULL && spean_id_equal(&ledger->id, id)) {
        return &a->charter.chain;
    }
    const struct org_slot *const slot = org_find(a, id);
    return slot != NULL && authority_org_held(slot) ? &slot->chain.chain : NULL;
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

bool spean_authority_has(const struct spean_authority *a, const struct spean_id *chain,
                         const struct spean_id *version)
{
    const struct spean_chain *const held = chain_find(a, chain);
    return held != NULL && spean_chain_find(held, version) != SPEAN_CHAIN_NONE;
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
