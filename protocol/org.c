#include "protocol/org.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/reader.h"
#include "protocol/statement.h"

/* What a key is for; no key is for two of these (P3.2). */
enum purpose {
    PURPOSE_ADMIN,
    PURPOSE_SIGNING,
    PURPOSE_NODE_SEALING,
    PURPOSE_TRANSPORT,
    PURPOSE_ORG_SEALING
};

struct use {
    struct spean_key key;
    enum purpose purpose;
};

void spean_org_init(struct spean_org *org)
{
    assert(org != NULL);

    memset(org, 0, sizeof(*org));
}

void spean_org_fini(struct spean_org *org)
{
    assert(org != NULL);

    free(org->sealing);
    free(org->nodes);
    memset(org, 0, sizeof(*org));
}

spean_err spean_org_copy(struct spean_org *to, const struct spean_org *from)
{
    assert(to != NULL);
    assert(from != NULL);

    *to = *from;
    to->sealing = spean_alloc_copy(from->sealing, from->generation, sizeof(*from->sealing));
    to->nodes = spean_alloc_copy(from->nodes, from->nodes_count, sizeof(*from->nodes));
    to->sealing_cap = from->generation;
    to->nodes_cap = from->nodes_count;
    const bool failed = (from->generation > 0 && to->sealing == NULL) ||
                        (from->nodes_count > 0 && to->nodes == NULL);
    if (failed) {
        spean_org_fini(to);
        return SPEAN_ENOMEM;
    }
    return SPEAN_OK;
}

/* Index of the first node whose signing key is not below key. */
static uint32_t node_place(const struct spean_org *org, const struct spean_key *key)
{
    uint32_t low = 0;
    uint32_t high = org->nodes_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (spean_key_compare(&org->nodes[middle].signing, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct spean_org_node *node_find(const struct spean_org *org, const struct spean_key *key)
{
    const uint32_t at = node_place(org, key);
    const bool found = at < org->nodes_count && spean_key_equal(&org->nodes[at].signing, key);
    return found ? &org->nodes[at] : NULL;
}

const struct spean_org_node *spean_org_node_get(const struct spean_org *org,
                                                const struct spean_key *signing)
{
    assert(org != NULL);
    assert(signing != NULL);

    return node_find(org, signing);
}

const struct spean_key *spean_org_sealing_get(const struct spean_org *org, uint64_t generation)
{
    assert(org != NULL);

    return generation == 0 || generation > org->generation ? NULL : &org->sealing[generation - 1];
}

void spean_org_join_cuts(struct spean_org *org, const struct spean_org *other)
{
    assert(org != NULL);
    assert(other != NULL);

    for (uint32_t i = 0; i < org->nodes_count; i++) {
        const struct spean_org_node *const theirs = node_find(other, &org->nodes[i].signing);
        if (theirs != NULL) {
            spean_cut_join(&org->nodes[i].cut, &theirs->cut);
        }
    }
}

void spean_org_settle_cuts(struct spean_org *org)
{
    assert(org != NULL);

    for (uint32_t i = 0; i < org->nodes_count; i++) {
        spean_cut_settle(&org->nodes[i].cut);
    }
}

static bool key_in(const struct spean_key *keys, uint32_t count, const struct spean_key *key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (spean_key_equal(&keys[i], key)) {
            return true;
        }
    }
    return false;
}

/* P3.3: every admin key that version 1 lists signs, and no other. */
static spean_err judge_first_signers(const struct spean_statement *s,
                                     const struct spean_document *doc)
{
    if (doc->signatures_count != s->admins_count) {
        return SPEAN_EDENIED;
    }
    for (uint32_t i = 0; i < doc->signatures_count; i++) {
        if (!key_in(s->admins, s->admins_count, &doc->signatures[i].key)) {
            return SPEAN_EDENIED;
        }
    }
    return SPEAN_OK;
}

static uint32_t new_admins_count(const struct spean_org *org, const struct spean_statement *s)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->admins_count; i++) {
        count += key_in(org->admins, org->admins_count, &s->admins[i]) ? 0 : 1;
    }
    return count;
}

/* P3.5: the threshold or the recovery key, each new admin key, and nobody else. */
static spean_err judge_signers(const struct spean_org *org, const struct spean_statement *s,
                               const struct spean_document *doc)
{
    uint32_t in_force = 0;
    uint32_t added = 0;
    bool recovery = false;
    for (uint32_t i = 0; i < doc->signatures_count; i++) {
        const struct spean_key *const key = &doc->signatures[i].key;
        const struct spean_id hash = spean_statement_recovery(key);
        if (key_in(org->admins, org->admins_count, key)) {
            in_force++;
        } else if (key_in(s->admins, s->admins_count, key)) {
            added++;
        } else if (spean_id_equal(&hash, &org->recovery)) {
            recovery = true;
        } else {
            return SPEAN_EDENIED;
        }
    }
    if (added != new_admins_count(org, s)) {
        return SPEAN_EDENIED;
    }
    if (recovery) {
        const bool renewed = s->has_recovery && !spean_id_equal(&s->recovery, &org->recovery);
        return in_force == 0 && renewed ? SPEAN_OK : SPEAN_EDENIED;
    }
    return in_force >= org->threshold && !s->has_recovery ? SPEAN_OK : SPEAN_EDENIED;
}

static spean_err judge(const struct spean_org *org, const struct spean_statement *s,
                       const struct spean_document *doc)
{
    const spean_err err =
        org->version == 0 ? judge_first_signers(s, doc) : judge_signers(org, s, doc);
    return err != SPEAN_OK ? err : spean_document_verify(doc);
}

/* Cuts come before nodes, so that a version may close a log and open its successor. */
static spean_err put_cuts(struct spean_org *org, const struct spean_statement *s)
{
    struct spean_reader r;
    spean_reader_init(&r, s->cuts);
    struct spean_statement_cut cut;
    while (spean_statement_next_cut(&r, &cut)) {
        struct spean_org_node *const node = node_find(org, &cut.signing);
        if (node == NULL || !spean_cut_may_follow(&cut.cut, &node->cut)) {
            return SPEAN_ESTATE; /* P3.7 */
        }
        node->cut = cut.cut;
    }
    return SPEAN_OK;
}

/* P3.6, for one node; also the limits, which bind adding only. */
static spean_err node_may_come(const struct spean_org *org, const struct spean_statement_node *node)
{
    uint32_t open_count = 0;
    for (uint32_t i = 0; i < org->nodes_count; i++) {
        const struct spean_org_node *const known = &org->nodes[i];
        if (spean_key_equal(&known->signing, &node->signing)) {
            return SPEAN_ESTATE;
        }
        if (known->cut.closed) {
            continue;
        }
        open_count++;
        if (spean_key_equal(&known->sealing, &node->sealing) ||
            spean_key_equal(&known->transport, &node->transport)) {
            return SPEAN_ESTATE;
        }
    }
    const bool room =
        org->nodes_count < SPEAN_ORG_NODES_MAX && open_count < SPEAN_ORG_NODES_OPEN_MAX;
    return room ? SPEAN_OK : SPEAN_ELIMIT;
}

static spean_err put_node(struct spean_org *org, const struct spean_statement_node *node)
{
    void *nodes = org->nodes;
    const spean_err err =
        spean_alloc_more(&nodes, &org->nodes_cap, org->nodes_count, sizeof(*org->nodes));
    org->nodes = nodes;
    if (err != SPEAN_OK) {
        return err;
    }
    const uint32_t at = node_place(org, &node->signing);
    memmove(&org->nodes[at + 1], &org->nodes[at], (org->nodes_count - at) * sizeof(*org->nodes));
    org->nodes[at] = (struct spean_org_node){
        .signing = node->signing, .sealing = node->sealing, .transport = node->transport};
    org->nodes_count++;
    return SPEAN_OK;
}

static spean_err put_nodes(struct spean_org *org, const struct spean_statement *s, bool judged)
{
    if (s->nodes.len > 0 && s->has_handle == org->has_handle) {
        return SPEAN_ESTATE; /* P3.4: the handle comes with the first nodes, and never again. */
    }
    if (s->has_handle) {
        org->has_handle = true;
        org->handle = s->handle;
    }
    struct spean_reader r;
    spean_reader_init(&r, s->nodes);
    struct spean_statement_node node;
    while (spean_statement_next_node(&r, &node)) {
        spean_err err = node_may_come(org, &node);
        if (err == SPEAN_OK && !judged) {
            err = spean_statement_accepted(&node, &org->id, &org->handle);
        }
        if (err == SPEAN_OK) {
            err = put_node(org, &node);
        }
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

static spean_err put_sealing(struct spean_org *org, const struct spean_statement *s)
{
    if (!s->has_sealing) {
        return SPEAN_OK;
    }
    if (s->generation != org->generation + 1) {
        return SPEAN_ESTATE; /* P3.8 */
    }
    if (key_in(org->sealing, org->generation, &s->sealing)) {
        return SPEAN_ESTATE;
    }
    void *sealing = org->sealing;
    const spean_err err =
        spean_alloc_more(&sealing, &org->sealing_cap, org->generation, sizeof(*org->sealing));
    org->sealing = sealing;
    if (err != SPEAN_OK) {
        return err;
    }
    org->sealing[org->generation] = s->sealing;
    org->generation++;
    return SPEAN_OK;
}

static int use_order(const void *a, const void *b)
{
    const struct use *const left = a;
    const struct use *const right = b;
    return spean_key_compare(&left->key, &right->key);
}

static uint32_t uses_collect(const struct spean_org *org, struct use *uses)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < org->admins_count; i++) {
        uses[count++] = (struct use){org->admins[i], PURPOSE_ADMIN};
    }
    for (uint32_t i = 0; i < org->generation; i++) {
        uses[count++] = (struct use){org->sealing[i], PURPOSE_ORG_SEALING};
    }
    for (uint32_t i = 0; i < org->nodes_count; i++) {
        uses[count++] = (struct use){org->nodes[i].signing, PURPOSE_SIGNING};
        uses[count++] = (struct use){org->nodes[i].sealing, PURPOSE_NODE_SEALING};
        uses[count++] = (struct use){org->nodes[i].transport, PURPOSE_TRANSPORT};
    }
    return count;
}

/* The recovery key shows itself by its hash alone. */
static bool is_recovery(const struct spean_org *org, const struct spean_key *key)
{
    const struct spean_id hash = spean_statement_recovery(key);
    return spean_id_equal(&hash, &org->recovery);
}

/* P3.2, over all keys that the org has and its nodes ever had. */
static spean_err check_purposes(const struct spean_org *org)
{
    struct use *const uses = spean_alloc_array(
        org->admins_count + org->generation + (size_t)3 * org->nodes_count, sizeof(*uses));
    if (uses == NULL) {
        return SPEAN_ENOMEM;
    }
    const uint32_t count = uses_collect(org, uses);
    qsort(uses, count, sizeof(*uses), use_order);
    bool clean = true;
    for (uint32_t i = 0; i < count && clean; i++) {
        const bool again = i > 0 && spean_key_equal(&uses[i - 1].key, &uses[i].key) &&
                           uses[i - 1].purpose != uses[i].purpose;
        clean = !again && !is_recovery(org, &uses[i].key);
    }
    free(uses);
    return clean ? SPEAN_OK : SPEAN_ESTATE;
}

/* Put the changes into org, which is a copy that is thrown away after an error. */
static spean_err put_changes(struct spean_org *org, const struct spean_statement *s, bool judged)
{
    if (s->has_admin) {
        org->threshold = s->threshold;
        org->admins_count = s->admins_count;
        memcpy(org->admins, s->admins, sizeof(org->admins));
    }
    if (s->has_recovery) {
        org->recovery = s->recovery;
        org->recoveries += org->version > 0 ? 1 : 0; /* Only a recovery signs another hash in. */
    }
    spean_err err = put_sealing(org, s);
    if (err == SPEAN_OK) {
        err = put_cuts(org, s);
    }
    if (err == SPEAN_OK) {
        err = put_nodes(org, s, judged);
    }
    const bool keys = s->has_admin || s->has_recovery || s->has_sealing || s->nodes.len > 0;
    return err == SPEAN_OK && keys && !judged ? check_purposes(org) : err;
}

static spean_err check_chain(const struct spean_org *org, const struct spean_document *doc)
{
    const bool follows = doc->version == org->version + 1 &&
                         (doc->version == 1 || spean_id_equal(&doc->previous, &org->head));
    return follows ? SPEAN_OK : SPEAN_ECHAIN;
}

static spean_err apply(struct spean_org *org, const struct spean_document *doc, bool judged)
{
    assert(org != NULL);
    assert(doc != NULL);

    struct spean_statement statement;
    spean_err err = spean_statement_decode(&statement, doc);
    if (err == SPEAN_OK) {
        err = check_chain(org, doc);
    }
    if (err == SPEAN_OK && !judged) {
        err = judge(org, &statement, doc);
    }
    struct spean_org next;
    if (err == SPEAN_OK) {
        err = spean_org_copy(&next, org);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (doc->version == 1) {
        next.id = doc->id;
    }
    err = put_changes(&next, &statement, judged);
    if (err != SPEAN_OK) {
        spean_org_fini(&next);
        return err;
    }
    next.version = doc->version;
    next.head = doc->id;
    spean_org_fini(org);
    *org = next;
    return SPEAN_OK;
}

spean_err spean_org_apply(struct spean_org *org, const struct spean_document *doc)
{
    return apply(org, doc, false);
}

spean_err spean_org_replay(struct spean_org *org, const struct spean_document *doc)
{
    return apply(org, doc, true);
}
