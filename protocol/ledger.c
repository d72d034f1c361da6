#include "protocol/ledger.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/reader.h"

void spean_ledger_init(struct spean_ledger *ledger)
{
    assert(ledger != NULL);

    memset(ledger, 0, sizeof(*ledger));
}

void spean_ledger_fini(struct spean_ledger *ledger)
{
    assert(ledger != NULL);

    free(ledger->members);
    free(ledger->relays);
    free(ledger->cuts);
    free(ledger->pins);
    memset(ledger, 0, sizeof(*ledger));
}

/* Copy an array whose struct was copied already; false: no memory. */
static bool own(void **array, uint32_t count, size_t size)
{
    *array = spean_alloc_copy(*array, count, size);
    return count == 0 || *array != NULL;
}

spean_err spean_ledger_copy(struct spean_ledger *to, const struct spean_ledger *from)
{
    assert(to != NULL);
    assert(from != NULL);

    *to = *from;
    void *members = from->members;
    void *relays = from->relays;
    void *cuts = from->cuts;
    void *pins = from->pins;
    bool copied = own(&members, from->members_count, sizeof(*from->members));
    copied = own(&relays, from->relays_count, sizeof(*from->relays)) && copied;
    copied = own(&cuts, from->cuts_count, sizeof(*from->cuts)) && copied;
    copied = own(&pins, from->pins_count, sizeof(*from->pins)) && copied;
    to->members = members;
    to->relays = relays;
    to->cuts = cuts;
    to->pins = pins;
    to->members_cap = from->members_count;
    to->cuts_cap = from->cuts_count;
    to->pins_cap = from->pins_count;
    if (!copied) {
        spean_ledger_fini(to);
        return SPEAN_ENOMEM;
    }
    return SPEAN_OK;
}

/* Index of the first member whose org is not below the one given. */
static uint32_t member_place(const struct spean_ledger *ledger, const struct spean_id *org)
{
    uint32_t low = 0;
    uint32_t high = ledger->members_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (spean_id_compare(&ledger->members[middle].org, org) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct spean_ledger_member *member_find(const struct spean_ledger *ledger,
                                               const struct spean_id *org)
{
    const uint32_t at = member_place(ledger, org);
    const bool found = at < ledger->members_count && spean_id_equal(&ledger->members[at].org, org);
    return found ? &ledger->members[at] : NULL;
}

static spean_err member_put(struct spean_ledger *ledger, const struct spean_id *org,
                            enum spean_ledger_standing standing)
{
    void *members = ledger->members;
    const spean_err err = spean_alloc_more(&members, &ledger->members_cap, ledger->members_count,
                                           sizeof(*ledger->members));
    ledger->members = members;
    if (err != SPEAN_OK) {
        return err;
    }
    const uint32_t at = member_place(ledger, org);
    memmove(&ledger->members[at + 1], &ledger->members[at],
            (ledger->members_count - at) * sizeof(*ledger->members));
    ledger->members[at] = (struct spean_ledger_member){.org = *org, .standing = standing};
    ledger->members_count++;
    return SPEAN_OK;
}

static int cut_compare(const struct spean_charter_cut *cut, const struct spean_id *org,
                       const struct spean_key *signing)
{
    const int order = spean_id_compare(&cut->org, org);
    return order != 0 ? order : spean_key_compare(&cut->signing, signing);
}

/* Index of the first cut that is not below the log given. */
static uint32_t cut_place(const struct spean_ledger *ledger, const struct spean_id *org,
                          const struct spean_key *signing)
{
    uint32_t low = 0;
    uint32_t high = ledger->cuts_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (cut_compare(&ledger->cuts[middle], org, signing) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct spean_charter_cut *cut_find(const struct spean_ledger *ledger,
                                          const struct spean_id *org,
                                          const struct spean_key *signing)
{
    const uint32_t at = cut_place(ledger, org, signing);
    const bool found = at < ledger->cuts_count && cut_compare(&ledger->cuts[at], org, signing) == 0;
    return found ? &ledger->cuts[at] : NULL;
}

static spean_err cut_put(struct spean_ledger *ledger, const struct spean_charter_cut *cut)
{
    void *cuts = ledger->cuts;
    const spean_err err =
        spean_alloc_more(&cuts, &ledger->cuts_cap, ledger->cuts_count, sizeof(*ledger->cuts));
    ledger->cuts = cuts;
    if (err != SPEAN_OK) {
        return err;
    }
    const uint32_t at = cut_place(ledger, &cut->org, &cut->signing);
    memmove(&ledger->cuts[at + 1], &ledger->cuts[at],
            (ledger->cuts_count - at) * sizeof(*ledger->cuts));
    ledger->cuts[at] = *cut;
    ledger->cuts_count++;
    return SPEAN_OK;
}

static uint32_t pin_place(const struct spean_ledger *ledger, const struct spean_id *org)
{
    uint32_t at = 0;
    while (at < ledger->pins_count && spean_id_compare(&ledger->pins[at].org, org) < 0) {
        at++;
    }
    return at;
}

static spean_err pin_put(struct spean_ledger *ledger, const struct spean_pin *pin)
{
    const uint32_t at = pin_place(ledger, &pin->org);
    if (at < ledger->pins_count && spean_id_equal(&ledger->pins[at].org, &pin->org)) {
        ledger->pins[at] = *pin;
        return SPEAN_OK;
    }
    void *pins = ledger->pins;
    const spean_err err =
        spean_alloc_more(&pins, &ledger->pins_cap, ledger->pins_count, sizeof(*ledger->pins));
    ledger->pins = pins;
    if (err != SPEAN_OK) {
        return err;
    }
    memmove(&ledger->pins[at + 1], &ledger->pins[at],
            (ledger->pins_count - at) * sizeof(*ledger->pins));
    ledger->pins[at] = *pin;
    ledger->pins_count++;
    return SPEAN_OK;
}

const struct spean_ledger_member *spean_ledger_member_get(const struct spean_ledger *ledger,
                                                          const struct spean_id *org)
{
    assert(ledger != NULL);
    assert(org != NULL);

    return member_find(ledger, org);
}

bool spean_ledger_is_active(const struct spean_ledger *ledger, const struct spean_id *org)
{
    const struct spean_ledger_member *const member = spean_ledger_member_get(ledger, org);
    return member != NULL && member->standing == SPEAN_STANDING_ACTIVE;
}

bool spean_ledger_is_steward(const struct spean_ledger *ledger, const struct spean_id *org)
{
    assert(ledger != NULL);
    assert(org != NULL);

    for (uint32_t i = 0; i < ledger->stewards_count; i++) {
        if (spean_id_equal(&ledger->stewards[i].org, org)) {
            return spean_ledger_is_active(ledger, org);
        }
    }
    return false;
}

bool spean_ledger_is_relay(const struct spean_ledger *ledger, const struct spean_id *org,
                           const struct spean_key *signing)
{
    assert(ledger != NULL);

    for (uint32_t i = 0; i < ledger->relays_count; i++) {
        if (spean_id_equal(&ledger->relays[i].org, org) &&
            spean_key_equal(&ledger->relays[i].signing, signing)) {
            return true;
        }
    }
    return false;
}

const struct spean_cut *spean_ledger_cut_get(const struct spean_ledger *ledger,
                                             const struct spean_id *org,
                                             const struct spean_key *signing)
{
    assert(ledger != NULL);

    const struct spean_charter_cut *const cut = cut_find(ledger, org, signing);
    return cut == NULL ? NULL : &cut->cut;
}

const struct spean_pin *spean_ledger_pin_get(const struct spean_ledger *ledger,
                                             const struct spean_id *org)
{
    assert(ledger != NULL);

    const uint32_t at = pin_place(ledger, org);
    const bool found = at < ledger->pins_count && spean_id_equal(&ledger->pins[at].org, org);
    return found ? &ledger->pins[at] : NULL;
}

static bool key_among(const struct spean_steward *stewards, uint32_t count,
                      const struct spean_key *key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (spean_key_equal(&stewards[i].key, key)) {
            return true;
        }
    }
    return false;
}

/* P4.2: every charter key that the genesis lists signs, and no other. */
static spean_err judge_genesis_signers(const struct spean_charter *c,
                                       const struct spean_document *doc)
{
    if (doc->signatures_count != c->stewards_count) {
        return SPEAN_EDENIED;
    }
    for (uint32_t i = 0; i < doc->signatures_count; i++) {
        if (!key_among(c->stewards, c->stewards_count, &doc->signatures[i].key)) {
            return SPEAN_EDENIED;
        }
    }
    return SPEAN_OK;
}

static uint32_t added_count(const struct spean_ledger *ledger, const struct spean_charter *c)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->stewards_count; i++) {
        const struct spean_key *const key = &c->stewards[i].key;
        count += key_among(ledger->stewards, ledger->stewards_count, key) ? 0 : 1;
    }
    return count;
}

/* P4.3, and P4.6 where other is not NULL: each head's threshold, each added key, nobody else. */
static spean_err judge_signers(const struct spean_ledger *ledger, const struct spean_charter *c,
                               const struct spean_document *doc, const struct spean_ledger *other)
{
    uint32_t ours = 0;
    uint32_t theirs = 0;
    uint32_t added = 0;
    for (uint32_t i = 0; i < doc->signatures_count; i++) {
        const struct spean_key *const key = &doc->signatures[i].key;
        const bool is_ours = key_among(ledger->stewards, ledger->stewards_count, key);
        const bool is_theirs =
            other != NULL && key_among(other->stewards, other->stewards_count, key);
        const bool is_added = !is_ours && key_among(c->stewards, c->stewards_count, key);
        if (!is_ours && !is_theirs && !is_added) {
            return SPEAN_EDENIED;
        }
        ours += is_ours ? 1 : 0;
        theirs += is_theirs ? 1 : 0;
        added += is_added ? 1 : 0;
    }
    const bool enough = ours >= ledger->threshold && (other == NULL || theirs >= other->threshold);
    return enough && added == added_count(ledger, c) ? SPEAN_OK : SPEAN_EDENIED;
}

static spean_err judge(const struct spean_ledger *ledger, const struct spean_charter *c,
                       const struct spean_document *doc, const struct spean_ledger *other)
{
    const spean_err err =
        ledger->version == 0 ? judge_genesis_signers(c, doc) : judge_signers(ledger, c, doc, other);
    return err != SPEAN_OK ? err : spean_document_verify(doc);
}

/* P4.4. Limits bind adding only. */
static spean_err put_members(struct spean_ledger *ledger, const struct spean_charter *c)
{
    struct spean_reader r;
    spean_reader_init(&r, c->members);
    struct spean_charter_member row;
    while (spean_charter_next_member(&r, &row)) {
        struct spean_ledger_member *const member = member_find(ledger, &row.org);
        if (row.status == SPEAN_MEMBER_REMOVED) {
            if (member == NULL) {
                return SPEAN_ESTATE;
            }
            member->standing = SPEAN_STANDING_REMOVED;
            continue;
        }
        if (member != NULL && member->standing == SPEAN_STANDING_REMOVED) {
            return SPEAN_ESTATE;
        }
        if (member == NULL && ledger->members_count >= SPEAN_MEMBERS_MAX) {
            return SPEAN_ELIMIT;
        }
        if (member == NULL) {
            const spean_err err = member_put(ledger, &row.org, SPEAN_STANDING_ACTIVE);
            if (err != SPEAN_OK) {
                return err;
            }
        }
    }
    return SPEAN_OK;
}

/* P4.5. An org that was never a member has no log to cut. */
static spean_err put_cuts(struct spean_ledger *ledger, const struct spean_charter *c)
{
    struct spean_reader r;
    spean_reader_init(&r, c->cuts);
    struct spean_charter_cut row;
    while (spean_charter_next_cut(&r, &row)) {
        if (member_find(ledger, &row.org) == NULL) {
            return SPEAN_ESTATE;
        }
        struct spean_charter_cut *const before = cut_find(ledger, &row.org, &row.signing);
        if (before == NULL) {
            const spean_err err = cut_put(ledger, &row);
            if (err != SPEAN_OK) {
                return err;
            }
            continue;
        }
        if (!spean_cut_may_follow(&row.cut, &before->cut)) {
            return SPEAN_ESTATE;
        }
        before->cut = row.cut;
    }
    return SPEAN_OK;
}

static spean_err put_pins(struct spean_ledger *ledger, const struct spean_charter *c)
{
    struct spean_reader r;
    spean_reader_init(&r, c->pins);
    struct spean_pin row;
    while (spean_charter_next_pin(&r, &row)) {
        if (member_find(ledger, &row.org) == NULL) {
            return SPEAN_ESTATE;
        }
        const spean_err err = pin_put(ledger, &row);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

static spean_err put_relays(struct spean_ledger *ledger, const struct spean_charter *c)
{
    if (!c->has_relays) {
        return SPEAN_OK;
    }
    struct spean_relay *relays = NULL;
    uint32_t count = 0;
    uint32_t cap = 0;
    struct spean_reader r;
    spean_reader_init(&r, c->relays);
    struct spean_relay row;
    while (spean_charter_next_relay(&r, &row)) {
        void *grown = relays;
        const spean_err err = spean_alloc_more(&grown, &cap, count, sizeof(*relays));
        relays = grown;
        if (err != SPEAN_OK) {
            free(relays);
            return err;
        }
        relays[count] = row;
        count++;
    }
    free(ledger->relays);
    ledger->relays = relays;
    ledger->relays_count = count;
    return SPEAN_OK;
}

static void put_parameters(struct spean_ledger *ledger, const struct spean_charter *c)
{
    if (c->has_stewards) {
        ledger->threshold = c->threshold;
        ledger->stewards_count = c->stewards_count;
        memcpy(ledger->stewards, c->stewards, sizeof(ledger->stewards));
    }
    if (c->has_quota) {
        ledger->quota_bytes = c->quota_bytes;
    }
    if (c->has_heads_interval) {
        ledger->heads_interval_s = c->heads_interval_s;
    }
    if (c->has_erasure_delay) {
        ledger->erasure_delay_s = c->erasure_delay_s;
    }
    if (c->has_entry_format) {
        ledger->entry_format = c->entry_format;
    }
    if (c->has_schema) {
        ledger->schema = c->schema;
    }
    if (c->name.len > 0) {
        memcpy(ledger->name, c->name.data, c->name.len); /* At most 128; the NUL is there. */
    }
}

/* P4.2, P4.3: whoever holds a charter key belongs to an active member after this version. */
static spean_err check_stewards(const struct spean_ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->stewards_count; i++) {
        if (!spean_ledger_is_active(ledger, &ledger->stewards[i].org)) {
            return SPEAN_ESTATE;
        }
    }
    return SPEAN_OK;
}

/* Put the changes into ledger, which is a copy that is thrown away after an error. */
static spean_err put_changes(struct spean_ledger *ledger, const struct spean_charter *c,
                             const struct spean_ledger *other)
{
    spean_err err = other == NULL ? SPEAN_OK : spean_ledger_join(ledger, other, false);
    if (err == SPEAN_OK) {
        spean_ledger_settle_cuts(ledger);
        put_parameters(ledger, c);
        err = put_members(ledger, c);
    }
    if (err == SPEAN_OK) {
        err = put_cuts(ledger, c);
    }
    if (err == SPEAN_OK) {
        err = put_pins(ledger, c);
    }
    if (err == SPEAN_OK) {
        err = put_relays(ledger, c);
    }
    return err == SPEAN_OK ? check_stewards(ledger) : err;
}

static spean_err check_chain(const struct spean_ledger *ledger, const struct spean_charter *c,
                             const struct spean_document *doc, const struct spean_ledger *other)
{
    const bool follows = doc->version == ledger->version + 1 &&
                         (doc->version == 1 || spean_id_equal(&doc->previous, &ledger->head));
    const bool joins =
        c->has_join == (other != NULL) && (other == NULL || spean_id_equal(&c->join, &other->head));
    return follows && joins ? SPEAN_OK : SPEAN_ECHAIN;
}

static spean_err apply(struct spean_ledger *ledger, const struct spean_document *doc,
                       const struct spean_ledger *other, bool judged)
{
    assert(ledger != NULL);
    assert(doc != NULL);

    struct spean_charter charter;
    spean_err err = spean_charter_decode(&charter, doc);
    if (err == SPEAN_OK) {
        err = check_chain(ledger, &charter, doc, other);
    }
    if (err == SPEAN_OK && !judged) {
        err = judge(ledger, &charter, doc, other);
    }
    struct spean_ledger next;
    if (err == SPEAN_OK) {
        err = spean_ledger_copy(&next, ledger);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (doc->version == 1) {
        next.id = doc->id;
    }
    err = put_changes(&next, &charter, other);
    if (err != SPEAN_OK) {
        spean_ledger_fini(&next);
        return err;
    }
    next.version = doc->version;
    next.head = doc->id;
    spean_ledger_fini(ledger);
    *ledger = next;
    return SPEAN_OK;
}

spean_err spean_ledger_apply(struct spean_ledger *ledger, const struct spean_document *doc,
                             const struct spean_ledger *other)
{
    return apply(ledger, doc, other, false);
}

spean_err spean_ledger_replay(struct spean_ledger *ledger, const struct spean_document *doc,
                              const struct spean_ledger *other)
{
    return apply(ledger, doc, other, true);
}

static spean_err join_members(struct spean_ledger *ledger, const struct spean_ledger *other,
                              bool list_others)
{
    for (uint32_t i = 0; i < other->members_count; i++) {
        const struct spean_ledger_member *const theirs = &other->members[i];
        struct spean_ledger_member *const ours = member_find(ledger, &theirs->org);
        const bool removed = theirs->standing == SPEAN_STANDING_REMOVED;
        if (ours != NULL && removed) {
            ours->standing = SPEAN_STANDING_REMOVED;
        }
        if (ours != NULL || (!removed && !list_others)) {
            continue;
        }
        const spean_err err = member_put(
            ledger, &theirs->org, removed ? SPEAN_STANDING_REMOVED : SPEAN_STANDING_ELSEWHERE);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

spean_err spean_ledger_join(struct spean_ledger *ledger, const struct spean_ledger *other,
                            bool list_others)
{
    assert(ledger != NULL);
    assert(other != NULL);

    spean_err err = join_members(ledger, other, list_others);
    for (uint32_t i = 0; i < other->cuts_count && err == SPEAN_OK; i++) {
        const struct spean_charter_cut *const theirs = &other->cuts[i];
        struct spean_charter_cut *const ours = cut_find(ledger, &theirs->org, &theirs->signing);
        if (ours != NULL) {
            spean_cut_join(&ours->cut, &theirs->cut);
        } else {
            err = cut_put(ledger, theirs);
        }
    }
    return err;
}

void spean_ledger_settle_cuts(struct spean_ledger *ledger)
{
    assert(ledger != NULL);

    for (uint32_t i = 0; i < ledger->cuts_count; i++) {
        spean_cut_settle(&ledger->cuts[i].cut);
    }
}
