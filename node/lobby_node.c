/* Further nodes of our own organisation (P12.5): judged at our door, and handed the org's secrets.
 */
#include <stdlib.h>
#include <string.h>

#include "node/core_internal.h"
#include "node/lobby.h"
#include "store/author.h"
#include "store/handed.h"
#include "store/lobby.h"

static struct spean_statement_node node_of(const struct spean_message *m,
                                           const struct spean_key *transport)
{
    return (struct spean_statement_node){.signing = m->as.node.signing,
                                         .sealing = m->as.node.sealing,
                                         .transport = *transport,
                                         .acceptance = m->as.node.acceptance};
}

/* P3.6: what the statement would refuse is refused here, before anybody compares digits. */
static bool is_new(const struct spean_core *core, const struct spean_statement_node *node)
{
    struct spean_authority_org own;
    if (spean_authority_org(core->authority, &core->org, &own) != SPEAN_OK || own.org == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < own.org->nodes_count; i++) {
        const struct spean_org_node *const known = &own.org->nodes[i];
        const bool open = !known->cut.closed;
        if (spean_key_equal(&known->signing, &node->signing) ||
            (open && (spean_key_equal(&known->sealing, &node->sealing) ||
                      spean_key_equal(&known->transport, &node->transport)))) {
            return false;
        }
    }
    return true;
}

spean_err core_candidate_node(struct spean_core *core, const struct spean_message *m,
                              struct spean_view frame, struct core_candidate *c)
{
    const struct spean_statement_node node = node_of(m, &c->join.newcomer);
    c->node = true;
    c->org = m->as.node.org;
    if (!spean_handle_equal(&m->as.node.handle, &core->handle) ||
        !spean_id_equal(&m->as.node.org, &core->org) || spean_core_own_log(core) == NULL) {
        return SPEAN_EDENIED;
    }
    const spean_err err = spean_statement_accepted(&node, &core->org, &core->handle);
    if (err != SPEAN_OK) {
        return err;
    }
    if (!is_new(core, &node)) {
        return SPEAN_ESTATE;
    }
    c->documents = malloc(sizeof(*c->documents));
    if (c->documents == NULL) {
        return SPEAN_ENOMEM;
    }
    c->documents[0] = frame;
    c->documents_count = 1;
    c->join.statement = spean_join_node(&core->org, &node);
    memcpy(c->mac, m->as.node.mac.bytes, sizeof(c->mac));
    return SPEAN_OK;
}

spean_err core_lobby_read_node(struct spean_view frame, const struct spean_key *transport,
                               struct spean_statement_node *out)
{
    struct spean_message *m = malloc(sizeof(*m));
    if (m == NULL) {
        return SPEAN_ENOMEM;
    }
    const bool good = spean_message_decode(frame, m) == SPEAN_OK && m->type == SPEAN_MESSAGE_NODE;
    if (good) {
        *out = node_of(m, transport);
    }
    free(m);
    return good ? SPEAN_OK : SPEAN_ECORRUPT;
}

/* -- The org's secrets ----------------------------------------------------------------------- */

/* Whether this newcomer is an open node of our org by now. */
static bool is_let_in(const struct spean_core *core, const struct spean_lobby_newcomer *newcomer)
{
    const struct spean_log *log =
        newcomer->node ? spean_authority_log_by_transport(core->authority, &newcomer->transport)
                       : NULL;
    return log != NULL && spean_id_equal(&log->org, &core->org);
}

/* A newcomer that is let in, if there is one. */
struct let_in {
    const struct spean_core *core;
    bool found;
    struct spean_key transport;
};

static spean_err find_let_in(void *ctx, const struct spean_lobby_newcomer *newcomer)
{
    struct let_in *let_in = ctx;
    if (is_let_in(let_in->core, newcomer)) {
        let_in->found = true;
        let_in->transport = newcomer->transport;
    }
    return SPEAN_OK;
}

/* Find one. SPEAN_ENOTFOUND: there is none. */
static spean_err next_let_in(struct spean_core *core, struct spean_tx *tx, struct spean_key *out)
{
    struct let_in let_in = {.core = core};
    const spean_err err = spean_lobby_each_newcomer(tx, core->keys, find_let_in, &let_in);
    if (err != SPEAN_OK) {
        return err;
    }
    *out = let_in.transport;
    return let_in.found ? SPEAN_OK : SPEAN_ENOTFOUND;
}

/* Say whether a newcomer was let in that is not forgotten, and whether an open node of our org
 * lacks the secrets, for all that is known here. */
static spean_err look(struct spean_core *core, bool *let_in, bool *owed)
{
    struct spean_tx *tx = NULL;
    struct spean_key key;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = next_let_in(core, tx, &key);
    *let_in = err == SPEAN_OK;
    if (err == SPEAN_OK || err == SPEAN_ENOTFOUND) {
        err = spean_handed_owes(tx, core->authority, spean_core_own_log(core), owed);
    }
    spean_tx_abort(tx);
    return err;
}

static spean_err hand_keys(struct spean_core *core)
{
    const struct spean_author author = {.db = core->db,
                                        .keys = core->keys,
                                        .authority = core->authority,
                                        .log = spean_core_own_log(core),
                                        .now_s = core_now_s()};
    core_flush(core);
    const spean_err err = spean_author_orgkey(&author, NULL);
    if (err == SPEAN_OK) {
        spean_core_committed(core);
    }
    return err;
}

/* Forget the newcomers that were let in: who lacks the secrets is seen without them. */
static spean_err forget(struct spean_core *core)
{
    struct spean_tx *tx = NULL;
    struct spean_key key;
    core_flush(core);
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    while (err == SPEAN_OK && (err = next_let_in(core, tx, &key)) == SPEAN_OK) {
        err = spean_lobby_del_newcomer(tx, &key);
    }
    if (err != SPEAN_ENOTFOUND) {
        spean_tx_abort(tx);
        return err;
    }
    return spean_tx_commit(tx);
}

void core_lobby_hand_keys(struct spean_core *core, bool guests)
{
    bool let_in = false;
    bool owed = false;
    spean_err err = look(core, &let_in, &owed);
    if (err == SPEAN_OK && owed && (let_in || !guests)) {
        err = hand_keys(core);
    }
    if (err == SPEAN_OK && let_in) {
        err = forget(core);
    }
    if (err == SPEAN_EWAIT) {
        return; /* This node lacks them itself, or has something to fold first. */
    }
    if (let_in || err != SPEAN_OK) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_INFO, "node_is_in",
                            spean_journal_text("err", spean_err_name(err)));
    }
}
