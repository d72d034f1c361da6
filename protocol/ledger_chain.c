#include "protocol/ledger_chain.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"
#include "protocol/charter.h"

/* Kept whole, because a joining version rests on two branches and not on a path alone. */
struct spean_ledger_joint {
    uint32_t number;
    struct spean_ledger ledger;
};

void spean_ledger_chain_init(struct spean_ledger_chain *lc)
{
    assert(lc != NULL);

    memset(lc, 0, sizeof(*lc));
    spean_chain_init(&lc->chain);
    spean_ledger_init(&lc->tip);
    spean_ledger_init(&lc->ledger);
    lc->tip_number = SPEAN_CHAIN_NONE;
    lc->own_number = SPEAN_CHAIN_NONE;
}

void spean_ledger_chain_fini(struct spean_ledger_chain *lc)
{
    assert(lc != NULL);

    for (uint32_t i = 0; i < lc->joints_count; i++) {
        spean_ledger_fini(&lc->joints[i].ledger);
    }
    free(lc->joints);
    spean_chain_fini(&lc->chain);
    spean_ledger_fini(&lc->tip);
    spean_ledger_fini(&lc->ledger);
    memset(lc, 0, sizeof(*lc));
}

static const struct spean_ledger *joint_get(const struct spean_ledger_chain *lc, uint32_t number)
{
    for (uint32_t i = 0; i < lc->joints_count; i++) {
        if (lc->joints[i].number == number) {
            return &lc->joints[i].ledger;
        }
    }
    return NULL;
}

/* The version that a replay starts from (a joint, or none) and the numbers that it then applies. */
struct path {
    const struct spean_ledger *start;
    uint32_t *numbers;
    uint32_t count;
};

static spean_err path_to(const struct spean_ledger_chain *lc, uint32_t number, struct path *path)
{
    const uint32_t len = (uint32_t)lc->chain.versions[number].version;
    path->start = NULL;
    path->count = 0;
    path->numbers = spean_alloc_array(len, sizeof(*path->numbers));
    if (path->numbers == NULL) {
        return SPEAN_ENOMEM;
    }
    while (number != SPEAN_CHAIN_NONE) {
        path->start = joint_get(lc, number);
        if (path->start != NULL) {
            return SPEAN_OK;
        }
        path->numbers[path->count] = number; /* Backwards: from the last. */
        path->count++;
        number = lc->chain.versions[number].previous;
    }
    return SPEAN_OK;
}

/* Work out in *ledger, which is empty, what a version puts in force on its branch. */
static spean_err state_at(const struct spean_ledger_chain *lc, uint32_t number,
                          struct spean_ledger *ledger)
{
    if (number == lc->tip_number) {
        return spean_ledger_copy(ledger, &lc->tip);
    }
    struct path path;
    spean_err err = path_to(lc, number, &path);
    if (err == SPEAN_OK && path.start != NULL) {
        err = spean_ledger_copy(ledger, path.start);
    }
    for (uint32_t i = path.count; i > 0 && err == SPEAN_OK; i--) {
        struct spean_document doc;
        spean_chain_document(&lc->chain, path.numbers[i - 1], &doc);
        err = spean_ledger_replay(ledger, &doc, NULL);
    }
    free(path.numbers);
    return err;
}

/* Put in force the own branch, less what any other branch removed or cut (P4.6). */
static spean_err settle(struct spean_ledger_chain *lc)
{
    struct spean_ledger ledger;
    spean_ledger_init(&ledger);
    spean_err err = state_at(lc, lc->own_number, &ledger);
    uint32_t head =
        lc->chain.heads_count > 1 ? spean_chain_next_head(&lc->chain, 0) : SPEAN_CHAIN_NONE;
    while (head != SPEAN_CHAIN_NONE && err == SPEAN_OK) {
        struct spean_ledger branch;
        spean_ledger_init(&branch);
        if (head != lc->own_number) {
            err = state_at(lc, head, &branch);
            if (err == SPEAN_OK) {
                err = spean_ledger_join(&ledger, &branch, true);
            }
        }
        spean_ledger_fini(&branch);
        head = spean_chain_next_head(&lc->chain, head + 1);
    }
    if (err != SPEAN_OK) {
        spean_ledger_fini(&ledger);
        return err;
    }
    spean_ledger_settle_cuts(&ledger);
    spean_ledger_fini(&lc->ledger);
    lc->ledger = ledger;
    return SPEAN_OK;
}

/* Removing and cutting are legal above every limit (P4.4). */
static bool only_reduces(const struct spean_charter *c)
{
    const bool sets = c->has_relays || c->has_quota || c->has_heads_interval ||
                      c->has_erasure_delay || c->has_entry_format || c->has_schema || c->has_join ||
                      c->pins.len > 0;
    struct spean_reader r;
    spean_reader_init(&r, c->members);
    struct spean_charter_member member;
    while (spean_charter_next_member(&r, &member)) {
        if (member.status != SPEAN_MEMBER_REMOVED) {
            return false;
        }
    }
    return !sets && (c->members.len > 0 || c->cuts.len > 0);
}

/* Two heads may be joined when neither follows the other. */
static spean_err check_apart(const struct spean_chain *chain, uint32_t a, uint32_t b)
{
    bool *const marks = spean_alloc_array(chain->versions_count, sizeof(*marks));
    if (marks == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_chain_mark(chain, a > b ? a : b, marks);
    const bool apart = !marks[a > b ? b : a];
    free(marks);
    return apart ? SPEAN_OK : SPEAN_ECHAIN;
}

/* Find the head that a version joins, and what it puts in force, in *other, which is empty. */
static spean_err find_joined(const struct spean_ledger_chain *lc, const struct spean_charter *c,
                             uint32_t previous, uint32_t *joined, struct spean_ledger *other)
{
    *joined = SPEAN_CHAIN_NONE;
    if (!c->has_join) {
        return SPEAN_OK;
    }
    const uint32_t found = spean_chain_find(&lc->chain, &c->join);
    if (found == SPEAN_CHAIN_NONE) {
        return SPEAN_EGAP;
    }
    const spean_err err = check_apart(&lc->chain, previous, found);
    if (err != SPEAN_OK) {
        return err;
    }
    *joined = found;
    return state_at(lc, found, other);
}

static spean_err joint_put(struct spean_ledger_chain *lc, uint32_t number,
                           const struct spean_ledger *ledger)
{
    void *joints = lc->joints;
    spean_err err =
        spean_alloc_more(&joints, &lc->joints_cap, lc->joints_count, sizeof(*lc->joints));
    lc->joints = joints;
    if (err != SPEAN_OK) {
        return err;
    }
    lc->joints[lc->joints_count].number = number;
    err = spean_ledger_copy(&lc->joints[lc->joints_count].ledger, ledger);
    if (err == SPEAN_OK) {
        lc->joints_count++;
    }
    return err;
}

/* Keep a version that was judged; next is what it puts in force. */
static spean_err keep(struct spean_ledger_chain *lc, const struct spean_document *doc,
                      uint32_t previous, uint32_t joined, struct spean_ledger *next)
{
    const uint32_t number = lc->chain.versions_count;
    spean_err err = spean_chain_append(&lc->chain, doc, previous, joined);
    if (err == SPEAN_OK && joined != SPEAN_CHAIN_NONE) {
        err = joint_put(lc, number, next);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    /* NONE equals NONE: the genesis is our first head. */
    if (previous == lc->own_number || (joined != SPEAN_CHAIN_NONE && joined == lc->own_number)) {
        lc->own_number = number;
    }
    spean_ledger_fini(&lc->tip);
    lc->tip = *next;
    lc->tip_number = number;
    spean_ledger_init(next); /* It moved. */
    return settle(lc);
}

static spean_err judge(const struct spean_ledger_chain *lc, const struct spean_document *doc,
                       const struct spean_charter *charter, uint32_t previous, uint32_t *joined,
                       struct spean_ledger *next)
{
    struct spean_ledger other;
    spean_ledger_init(&other);
    spean_err err = find_joined(lc, charter, previous, joined, &other);
    if (err == SPEAN_OK && previous != SPEAN_CHAIN_NONE) {
        err = state_at(lc, previous, next);
    }
    if (err == SPEAN_OK) {
        err = spean_ledger_apply(next, doc, charter->has_join ? &other : NULL);
    }
    spean_ledger_fini(&other);
    return err;
}

spean_err spean_ledger_chain_add(struct spean_ledger_chain *lc, const struct spean_document *doc)
{
    assert(lc != NULL);
    assert(doc != NULL);

    struct spean_charter charter;
    spean_err err = spean_charter_decode(&charter, doc);
    if (err != SPEAN_OK) {
        return err;
    }
    const bool reduces = only_reduces(&charter);
    uint32_t previous = SPEAN_CHAIN_NONE;
    err = spean_chain_place(&lc->chain, doc, reduces, &previous);
    if (err != SPEAN_OK) {
        return err;
    }
    /* A flood of branches must not shut out a removal, or the version that joins two of them. */
    const bool branches = previous != SPEAN_CHAIN_NONE && !lc->chain.versions[previous].is_head;
    if (branches && !reduces && lc->chain.heads_count >= SPEAN_CHAIN_HEADS_MAX) {
        return SPEAN_ELIMIT;
    }
    uint32_t joined = SPEAN_CHAIN_NONE;
    struct spean_ledger next;
    spean_ledger_init(&next);
    err = judge(lc, doc, &charter, previous, &joined, &next);
    if (err == SPEAN_OK) {
        err = keep(lc, doc, previous, joined, &next);
    }
    spean_ledger_fini(&next);
    return err;
}
