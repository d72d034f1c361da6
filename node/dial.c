/* Whom to call: every open node of a member whose agency record names an endpoint, and the node
 * that invited us. */
#include <stdlib.h>
#include <string.h>

#include "node/core_internal.h"
#include "node/endpoint.h"
#include "protocol/fold.h"
#include "protocol/message.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/record.h"

#define CANDIDATES_MAX (2u * SPEAN_TRANSPORT_DIALS_MAX) /* Looked at; relays first. */

/* A node that can be dialled, and where. */
struct candidate {
    struct spean_key key;
    uint32_t count;
    char at[SPEAN_DIALPLAN_ENDPOINTS_MAX][SPEAN_TRANSPORT_ENDPOINT_BYTES];
};

struct candidates {
    uint32_t count;
    struct candidate list[CANDIDATES_MAX];
};

/* -- How sessions went ----------------------------------------------------------------------- */

static struct spean_dialplan *plan_find(struct spean_core *core, const struct spean_key *key)
{
    for (uint32_t i = 0; i < core->plans_count; i++) {
        if (spean_key_equal(&core->plans[i].key, key)) {
            return &core->plans[i];
        }
    }
    return NULL;
}

/* The same, a new one if there is none. NULL: there are as many as can be dialled. */
static struct spean_dialplan *plan_of(struct spean_core *core, const struct spean_key *key)
{
    struct spean_dialplan *plan = plan_find(core, key);
    if (plan == NULL && core->plans_count < CORE_PLANS_MAX) {
        plan = &core->plans[core->plans_count++];
        *plan = (struct spean_dialplan){.key = *key};
    }
    return plan;
}

void core_dial_failed(struct spean_core *core, const struct core_link *link)
{
    struct spean_dialplan *plan = link->dialled ? plan_of(core, &link->transport) : NULL;
    if (plan != NULL) {
        spean_dialplan_failed(plan, core_now_ms());
    }
}

void core_dial_worked(struct spean_core *core, const struct core_link *link)
{
    struct spean_dialplan *plan = link->dialled ? plan_find(core, &link->transport) : NULL;
    if (plan != NULL) {
        spean_dialplan_worked(plan);
    }
}

/* -- Who can be dialled ---------------------------------------------------------------------- */

static void add(struct candidates *found, const struct spean_key *key, const char *endpoint)
{
    uint32_t i = 0;
    while (i < found->count && !spean_key_equal(&found->list[i].key, key)) {
        i++;
    }
    const size_t len = strlen(endpoint);
    if (i == CANDIDATES_MAX || len >= SPEAN_TRANSPORT_ENDPOINT_BYTES) {
        return;
    }
    struct candidate *candidate = &found->list[i];
    candidate->key = *key;
    found->count += i == found->count ? 1 : 0;
    if (candidate->count < SPEAN_DIALPLAN_ENDPOINTS_MAX) {
        memcpy(candidate->at[candidate->count++], endpoint, len + 1);
    }
}

/* Add the nodes that an agency record names, if they are its owner's: the relays among them, or the
 * others. */
static void add_agency(struct spean_core *core, const struct spean_part *part, bool relays,
                       struct candidates *found)
{
    struct spean_part_info info;
    struct spean_node_endpoint at;
    spean_part_get_info(part, &info);
    for (size_t i = 0; spean_endpoint_at(part, i, &at, NULL); i++) {
        const struct spean_log *log = spean_authority_log_by_transport(core->authority, &at.node);
        if (at.address[0] == '\0' || spean_key_equal(&at.node, &core->transport_key)) {
            continue;
        }
        if (log != NULL && spean_id_equal(&log->org, &info.owner) && log->relay == relays) {
            add(found, &at.node, at.address);
        }
    }
}

static void add_agencies(struct spean_core *core, bool relays, struct candidates *found)
{
    struct spean_tx *tx = NULL;
    if (spean_tx_begin(core->db, SPEAN_TX_READ, &tx) != SPEAN_OK) {
        return;
    }
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    while (spean_record_next(tx, SPEAN_TYPE_AGENCY, after, &record) == SPEAN_OK) {
        const struct spean_part_name name = {record, SPEAN_PART_PUBLIC};
        struct spean_part *part = NULL;
        after = &record;
        if (spean_record_trunk(tx, core->keys, &name, &part) == SPEAN_OK) {
            add_agency(core, part, relays, found);
            spean_part_free(part);
        }
    }
    spean_tx_abort(tx);
}

/* -- Dialling -------------------------------------------------------------------------------- */

/* Do what is due about a node; candidate NULL: nothing names it any more. */
static void follow(struct spean_core *core, struct spean_dialplan *plan,
                   const struct candidate *candidate)
{
    struct spean_dialplan_endpoints endpoints = {.count = candidate != NULL ? candidate->count : 0};
    for (uint32_t i = 0; i < endpoints.count; i++) {
        endpoints.at[i] = candidate->at[i];
    }
    const enum spean_dial_state state = spean_transport_dial_state(core->transport, &plan->key);
    const enum spean_dialplan_next next =
        spean_dialplan_next(plan, &endpoints, state, core->dial_now, core_now_ms());
    if (next != SPEAN_DIALPLAN_LEAVE && state != SPEAN_DIAL_NONE) {
        spean_transport_undial(core->transport, &plan->key);
    }
    if (next != SPEAN_DIALPLAN_DIAL) {
        return;
    }
    const spean_err err = spean_transport_dial(core->transport, &plan->key, plan->endpoint);
    if (err != SPEAN_OK && err != SPEAN_EEXISTS) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "dial",
                            spean_journal_text("err", spean_err_name(err)));
    }
}

static bool is_among(const struct candidates *found, const struct spean_key *key)
{
    for (uint32_t i = 0; i < found->count; i++) {
        if (spean_key_equal(&found->list[i].key, key)) {
            return true;
        }
    }
    return false;
}

/* Dial nodes that nothing names any more no longer, and forget them when no link lives. */
static void let_go(struct spean_core *core, const struct candidates *found)
{
    uint32_t i = 0;
    while (i < core->plans_count) {
        struct spean_dialplan *plan = &core->plans[i];
        if (is_among(found, &plan->key)) {
            i++;
            continue;
        }
        follow(core, plan, NULL);
        if (spean_transport_dial_state(core->transport, &plan->key) == SPEAN_DIAL_NONE &&
            core_now_ms() >= plan->not_before_ms) {
            *plan = core->plans[--core->plans_count];
        } else {
            i++;
        }
    }
}

static void dial_all(struct spean_core *core, const struct candidates *found)
{
    for (uint32_t i = 0; i < found->count; i++) {
        struct spean_dialplan *plan = plan_of(core, &found->list[i].key);
        if (plan != NULL) {
            follow(core, plan, &found->list[i]);
        }
    }
}

void core_dial(struct spean_core *core)
{
    core->next_dial_ms = core_now_ms() + CORE_DIAL_MS;
    if (core->transport == NULL || !core->config->dial || core->sync_paused) {
        return;
    }
    const bool member = core_is_admitted(core);
    const bool asks = core->joining.active && !spean_standing_is_final(core->joining.standing);
    if (asks && !member) {
        core->next_dial_ms = core_now_ms() + CORE_JOIN_MS;
    }
    struct candidates *found = calloc(1, sizeof(*found));
    if (found == NULL) {
        return; /* The next look may find memory. */
    }
    /* Through a relay everybody can be reached, should there be more than can be dialled. */
    add_agencies(core, true, found);
    add_agencies(core, false, found);
    if (asks || (core->joining.active && member)) {
        if (!is_among(found, &core->joining.transport)) {
            add(found, &core->joining.transport, core->joining.endpoint);
        }
        core_lobby_ask_again(core);
    }
    if (!spean_keys_locked(core->keys)) {
        let_go(core, found); /* A locked node cannot read records, and knows nothing new. */
    }
    dial_all(core, found);
    core->dial_now = false;
    free(found);
}
