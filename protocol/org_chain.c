#include "protocol/org_chain.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/statement.h"

void spean_org_chain_init(struct spean_org_chain *oc)
{
    assert(oc != NULL);

    memset(oc, 0, sizeof(*oc));
    spean_chain_init(&oc->chain);
    spean_org_init(&oc->tip);
    spean_org_init(&oc->org);
    oc->tip_number = SPEAN_CHAIN_NONE;
}

void spean_org_chain_fini(struct spean_org_chain *oc)
{
    assert(oc != NULL);

    spean_chain_fini(&oc->chain);
    spean_org_fini(&oc->tip);
    spean_org_fini(&oc->org);
    free(oc->recoveries);
    free(oc->aside);
    memset(oc, 0, sizeof(*oc));
}

/* The numbers of the versions from the first to the one given; NULL: no memory. */
static uint32_t *path_to(const struct spean_chain *chain, uint32_t number, uint32_t *count)
{
    const uint32_t len = (uint32_t)chain->versions[number].version;
    uint32_t *const path = spean_alloc_array(len, sizeof(*path));
    if (path == NULL) {
        return NULL;
    }
    for (uint32_t i = len; i > 0; i--) {
        path[i - 1] = number;
        number = chain->versions[number].previous;
    }
    *count = len;
    return path;
}

/* Work out in *org, which is empty, what a version puts in force. */
static spean_err state_at(const struct spean_org_chain *oc, uint32_t number, struct spean_org *org)
{
    if (number == oc->tip_number) {
        return spean_org_copy(org, &oc->tip);
    }
    uint32_t count = 0;
    uint32_t *const path = path_to(&oc->chain, number, &count);
    if (path == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        struct spean_document doc;
        spean_chain_document(&oc->chain, path[i], &doc);
        err = spean_org_replay(org, &doc);
    }
    free(path);
    return err;
}

/* Say whether a head may be in force: under a pin only those that follow the pinned version. */
static bool eligible(const struct spean_org_chain *oc, uint32_t head)
{
    const uint32_t pinned = oc->has_pin ? spean_chain_find(&oc->chain, &oc->pin) : SPEAN_CHAIN_NONE;
    return pinned == SPEAN_CHAIN_NONE || spean_chain_follows(&oc->chain, head, pinned);
}

/* The most recovery-signed versions that an eligible head has. */
static uint64_t recoveries_best(const struct spean_org_chain *oc)
{
    uint64_t best = 0;
    uint32_t head = spean_chain_next_head(&oc->chain, 0);
    while (head != SPEAN_CHAIN_NONE) {
        if (eligible(oc, head) && oc->recoveries[head] > best) {
            best = oc->recoveries[head];
        }
        head = spean_chain_next_head(&oc->chain, head + 1);
    }
    return best;
}

static bool leads(const struct spean_org_chain *oc, uint32_t head, uint64_t best)
{
    return eligible(oc, head) && oc->recoveries[head] == best;
}

/* The version that all leading heads have in common, and how many they are. */
static uint32_t leading_common(const struct spean_org_chain *oc, uint64_t best, uint32_t *count)
{
    uint32_t common = SPEAN_CHAIN_NONE;
    *count = 0;
    uint32_t head = spean_chain_next_head(&oc->chain, 0);
    while (head != SPEAN_CHAIN_NONE) {
        if (leads(oc, head, best)) {
            common = *count == 0 ? head : spean_chain_common(&oc->chain, common, head);
            (*count)++;
        }
        head = spean_chain_next_head(&oc->chain, head + 1);
    }
    return common;
}

static bool aside_has(const struct spean_org_chain *oc, const struct spean_key *signing)
{
    for (uint32_t i = 0; i < oc->aside_count; i++) {
        if (spean_key_equal(&oc->aside[i].signing, signing)) {
            return true;
        }
    }
    return false;
}

/* Note the nodes of a branch that what is in force does not have. */
static spean_err aside_collect(struct spean_org_chain *oc, const struct spean_org *branch)
{
    for (uint32_t i = 0; i < branch->nodes_count; i++) {
        const struct spean_org_node *const node = &branch->nodes[i];
        if (spean_org_node_get(&oc->org, &node->signing) != NULL || aside_has(oc, &node->signing) ||
            oc->aside_count == SPEAN_ORG_NODES_MAX) {
            continue;
        }
        void *aside = oc->aside;
        const spean_err err =
            spean_alloc_more(&aside, &oc->aside_cap, oc->aside_count, sizeof(*oc->aside));
        oc->aside = aside;
        if (err != SPEAN_OK) {
            return err;
        }
        oc->aside[oc->aside_count] = *node;
        oc->aside_count++;
    }
    return SPEAN_OK;
}

/* Look at every branch: what it cuts while the org is frozen, and what only it opened. */
static spean_err branches_collect(struct spean_org_chain *oc, uint64_t best)
{
    uint32_t head = spean_chain_next_head(&oc->chain, 0);
    while (head != SPEAN_CHAIN_NONE) {
        struct spean_org branch;
        spean_org_init(&branch);
        spean_err err = state_at(oc, head, &branch);
        if (err == SPEAN_OK && oc->frozen && leads(oc, head, best)) {
            spean_org_join_cuts(&oc->org, &branch);
        }
        if (err == SPEAN_OK) {
            err = aside_collect(oc, &branch);
        }
        spean_org_fini(&branch);
        if (err != SPEAN_OK) {
            return err;
        }
        head = spean_chain_next_head(&oc->chain, head + 1);
    }
    spean_org_settle_cuts(&oc->org);
    return SPEAN_OK;
}

/* P3.9 */
static spean_err settle(struct spean_org_chain *oc)
{
    uint64_t best = 0;
    uint32_t leading = 1;
    uint32_t number = oc->chain.versions_count - 1; /* The last added is always a head. */
    if (oc->chain.heads_count > 1) {
        best = recoveries_best(oc);
        number = leading_common(oc, best, &leading);
    }
    struct spean_org org;
    spean_org_init(&org);
    const spean_err err = state_at(oc, number, &org);
    if (err != SPEAN_OK) {
        spean_org_fini(&org);
        return err;
    }
    spean_org_fini(&oc->org);
    oc->org = org;
    oc->frozen = leading > 1;
    oc->aside_count = 0;
    return oc->chain.heads_count > 1 ? branches_collect(oc, best) : SPEAN_OK;
}

/* A version that only cuts is taken above every limit (P3.7). */
static bool only_cuts(const struct spean_statement *s)
{
    return !s->has_admin && !s->has_recovery && !s->has_sealing && s->nodes.len == 0;
}

/* Keep a version that was judged; next is what it puts in force. */
static spean_err keep(struct spean_org_chain *oc, const struct spean_document *doc,
                      uint32_t previous, struct spean_org *next)
{
    const uint32_t number = oc->chain.versions_count;
    void *recoveries = oc->recoveries;
    spean_err err =
        spean_alloc_more(&recoveries, &oc->recoveries_cap, number, sizeof(*oc->recoveries));
    oc->recoveries = recoveries;
    if (err == SPEAN_OK) {
        err = spean_chain_append(&oc->chain, doc, previous, SPEAN_CHAIN_NONE);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    oc->recoveries[number] = next->recoveries;
    spean_org_fini(&oc->tip);
    oc->tip = *next;
    oc->tip_number = number;
    spean_org_init(next); /* It moved. */
    return settle(oc);
}

spean_err spean_org_chain_add(struct spean_org_chain *oc, const struct spean_document *doc)
{
    assert(oc != NULL);
    assert(doc != NULL);

    struct spean_statement statement;
    spean_err err = spean_statement_decode(&statement, doc);
    if (err != SPEAN_OK) {
        return err;
    }
    uint32_t previous = SPEAN_CHAIN_NONE;
    err = spean_chain_place(&oc->chain, doc, only_cuts(&statement), &previous);
    if (err != SPEAN_OK) {
        return err;
    }
    /* A flood of branches must not shut out the recovery that ends it. */
    const bool branches = previous != SPEAN_CHAIN_NONE && !oc->chain.versions[previous].is_head;
    if (branches && !statement.has_recovery && oc->chain.heads_count >= SPEAN_CHAIN_HEADS_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_org next;
    spean_org_init(&next);
    if (previous != SPEAN_CHAIN_NONE) {
        err = state_at(oc, previous, &next);
    }
    if (err == SPEAN_OK) {
        err = spean_org_apply(&next, doc);
    }
    if (err == SPEAN_OK) {
        err = keep(oc, doc, previous, &next);
    }
    spean_org_fini(&next);
    return err;
}

spean_err spean_org_chain_pin(struct spean_org_chain *oc, const struct spean_id *pin)
{
    assert(oc != NULL);

    oc->has_pin = pin != NULL;
    memset(&oc->pin, 0, sizeof(oc->pin));
    if (pin != NULL) {
        oc->pin = *pin;
    }
    return oc->chain.versions_count == 0 ? SPEAN_OK : settle(oc);
}
