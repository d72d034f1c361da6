/* Joining (P12): newcomers at our door, and we at somebody else's. */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/core_internal.h"
#include "node/joining.h"
#include "node/lobby.h"
#include "protocol/join.h"
#include "protocol/message.h"
#include "protocol/org_chain.h"
#include "protocol/text.h"
#include "store/lobby.h"

#define PREFIX_DIGITS_MIN 4u

/* -- Sending away ---------------------------------------------------------------------------- */

bool core_lobby_begins(const uint8_t *bytes, size_t len, const char *prefix)
{
    char text[2 * SPEAN_KEY_BYTES + 1];
    assert(len <= SPEAN_KEY_BYTES);
    spean_text_hex_encode(text, sizeof(text), (struct spean_view){bytes, len});
    return strlen(prefix) >= PREFIX_DIGITS_MIN && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Who is to be sent away. */
struct refusal {
    struct spean_core *core;
    struct spean_tx *tx;
    const char *prefix;
    bool (*picks)(const struct spean_lobby_newcomer *, const char *);
    uint32_t found;
};

/* For each newcomer: mark one that waits and is picked as refused. */
static spean_err mark_refused(void *ctx, const struct spean_lobby_newcomer *newcomer)
{
    struct refusal *refusal = ctx;
    if (newcomer->standing != SPEAN_STANDING_WAITING ||
        !refusal->picks(newcomer, refusal->prefix)) {
        return SPEAN_OK;
    }
    struct spean_lobby_newcomer refused = *newcomer;
    refused.standing = SPEAN_STANDING_REFUSED;
    refusal->found++;
    return spean_lobby_put_newcomer(refusal->tx, refusal->core->keys, &refused);
}

spean_err core_lobby_refuse(struct spean_core *core, const char *prefix,
                            bool (*picks)(const struct spean_lobby_newcomer *, const char *),
                            bool dry)
{
    assert(picks != NULL);
    struct refusal refusal = {.core = core, .prefix = prefix, .picks = picks};
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &refusal.tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_lobby_each_newcomer(refusal.tx, core->keys, mark_refused, &refusal);
    if (err == SPEAN_OK && refusal.found != 1) {
        err = refusal.found == 0 ? SPEAN_ENOTFOUND : SPEAN_EEXISTS;
    }
    if (err != SPEAN_OK || dry) {
        spean_tx_abort(refusal.tx);
        return err;
    }
    return spean_tx_commit(refusal.tx);
}

/* -- Newcomers ------------------------------------------------------------------------------- */

/* The chain must make an org of this ledger with one open node: the one that called. */
static spean_err judge_chain(struct spean_core *core, struct core_candidate *c)
{
    struct spean_org_chain *chain = malloc(sizeof(*chain));
    struct spean_document *doc = malloc(sizeof(*doc));
    spean_err err = chain != NULL && doc != NULL ? SPEAN_OK : SPEAN_ENOMEM;
    if (chain != NULL) {
        spean_org_chain_init(chain);
    }
    for (uint32_t i = 0; err == SPEAN_OK && i < c->documents_count; i++) {
        err = spean_document_decode(doc, c->documents[i]);
        if (err == SPEAN_OK) {
            err = spean_org_chain_add(chain, doc);
        }
    }
    if (err == SPEAN_OK) {
        const struct spean_org *org = &chain->org;
        const bool right = org->has_handle && spean_handle_equal(&org->handle, &core->handle) &&
                           org->nodes_count == 1 && !org->nodes[0].cut.closed &&
                           spean_key_equal(&org->nodes[0].transport, &c->join.newcomer);
        c->org = org->id;
        err = right ? SPEAN_OK : SPEAN_EDENIED;
    }
    if (chain != NULL) {
        spean_org_chain_fini(chain);
    }
    free(chain);
    free(doc);
    return err;
}

/* The id of the last version, that the MAC is over. */
static spean_err read_statement(struct core_candidate *c)
{
    struct spean_document *doc = malloc(sizeof(*doc));
    spean_err err = doc != NULL ? SPEAN_EDENIED : SPEAN_ENOMEM;
    if (doc != NULL && c->documents_count > 0) {
        err = spean_document_decode(doc, c->documents[c->documents_count - 1]);
    }
    if (err == SPEAN_OK) {
        c->join.statement = doc->id;
    }
    free(doc);
    return err;
}

static spean_err read_join(struct spean_core *core, const struct spean_message *m,
                           struct core_candidate *c)
{
    struct spean_list list = m->as.join.documents;
    c->documents = calloc(list.count + 1u, sizeof(*c->documents));
    if (c->documents == NULL) {
        return SPEAN_ENOMEM;
    }
    while (spean_document_next(&list, &c->documents[c->documents_count])) {
        c->documents_count++;
    }
    memcpy(c->mac, m->as.join.mac.bytes, sizeof(c->mac));
    return spean_handle_equal(&m->as.join.handle, &core->handle) ? read_statement(c)
                                                                 : SPEAN_EDENIED;
}

static spean_err read_candidate(struct spean_core *core, const struct spean_sync_effect *effect,
                                struct core_candidate *c)
{
    struct spean_message *m = malloc(sizeof(*m));
    if (m == NULL) {
        return SPEAN_ENOMEM;
    }
    const spean_err decoded = spean_message_decode(effect->as.join.message, m);
    assert(decoded == SPEAN_OK); /* The sync step has decoded it. */
    c->join.handle = core->handle;
    c->join.inviter = core->transport_key;
    c->join.newcomer = effect->as.join.transport;
    const spean_err err = m->type == SPEAN_MESSAGE_NODE
                              ? core_candidate_node(core, m, effect->as.join.message, c)
                              : read_join(core, m, c);
    free(m);
    return err;
}

/* Find the unused invitation whose secret made the MAC. SPEAN_ENOTFOUND: none in force did. */
static spean_err find_invite(struct spean_core *core, struct spean_tx *tx,
                             const struct core_candidate *c, uint32_t *number)
{
    struct spean_lobby_invite invite;
    spean_err err = SPEAN_OK;
    uint32_t from = 1;
    while ((err = spean_lobby_next_invite(tx, core->keys, from, &invite)) == SPEAN_OK) {
        const bool kind = invite.node == c->node;
        const bool fits = kind && !invite.used && core_now_s() < invite.expires_s &&
                          spean_join_mac_valid(c->mac, &c->join, invite.secret);
        *number = invite.number;
        from = invite.number + 1;
        sodium_memzero(&invite, sizeof(invite));
        if (fits) {
            return SPEAN_OK;
        }
    }
    return err;
}

static spean_err keep_newcomer(struct spean_core *core, struct spean_tx *tx,
                               const struct core_candidate *c,
                               uint8_t fresh[SPEAN_JOIN_FRESH_BYTES])
{
    uint32_t number = 0;
    spean_err err = find_invite(core, tx, c, &number);
    if (err == SPEAN_OK) {
        err = spean_lobby_use_invite(tx, core->keys, number, &c->join.newcomer);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_lobby_newcomer newcomer = {.transport = c->join.newcomer,
                                            .node = c->node,
                                            .org = c->org,
                                            .invite = number,
                                            .since_s = core_now_s(),
                                            .standing = SPEAN_STANDING_WAITING,
                                            .documents_count = c->documents_count,
                                            .documents = c->documents};
    randombytes_buf(fresh, SPEAN_JOIN_FRESH_BYTES);
    memcpy(newcomer.fresh, fresh, sizeof(newcomer.fresh));
    spean_join_digits(newcomer.digits, &c->join, fresh);
    return spean_lobby_put_newcomer(tx, core->keys, &newcomer);
}

static void send_frame(struct spean_core *core, uint64_t link_id, spean_err err,
                       struct spean_view frame)
{
    struct core_link *link = core_link_find(core, link_id);
    if (link != NULL && err == SPEAN_OK) {
        core_link_send(core, link, frame);
    }
}

static void send_standing(struct spean_core *core, uint64_t link, uint32_t standing)
{
    uint8_t buf[16];
    struct spean_view frame = {0};
    const spean_err err = spean_sync_encode_standing(standing, buf, sizeof(buf), &frame);
    send_frame(core, link, err, frame);
}

static void send_challenge(struct spean_core *core, uint64_t link,
                           const uint8_t fresh[SPEAN_JOIN_FRESH_BYTES])
{
    uint8_t buf[32];
    struct spean_view frame = {0};
    const spean_err err = spean_sync_encode_challenge(fresh, buf, sizeof(buf), &frame);
    send_frame(core, link, err, frame);
}

/* Tell a newcomer whom we know how it stands. Returns whether we know it. */
static bool answer_known(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = NULL;
    struct spean_lobby_read *read = NULL;
    if (spean_tx_begin(core->db, SPEAN_TX_READ, &tx) != SPEAN_OK) {
        return false;
    }
    const spean_err err =
        spean_lobby_get_newcomer(tx, core->keys, &effect->as.join.transport, &read);
    spean_tx_abort(tx);
    if (err != SPEAN_OK) {
        return false;
    }
    const struct spean_lobby_newcomer *newcomer = spean_lobby_read_newcomer(read);
    send_challenge(core, effect->link, newcomer->fresh);
    send_standing(core, effect->link, newcomer->standing);
    spean_lobby_read_free(read);
    return true;
}

/* Whether an invitation lets the candidate wait. Looked at before any signature: whoever has none,
 * or used it and asks every few seconds how it stands, costs little. */
static spean_err look_for_invite(struct spean_core *core, const struct core_candidate *c)
{
    struct spean_tx *tx = NULL;
    uint32_t number = 0;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err == SPEAN_OK) {
        err = find_invite(core, tx, c, &number);
        spean_tx_abort(tx);
    }
    return err;
}

/* Have a newcomer wait by an invitation that was not used, whatever became of one before. */
static spean_err admit(struct spean_core *core, const struct spean_sync_effect *effect,
                       uint8_t fresh[SPEAN_JOIN_FRESH_BYTES])
{
    struct core_candidate c = {0};
    struct spean_tx *tx = NULL;
    spean_err err = read_candidate(core, effect, &c);
    if (err == SPEAN_OK) {
        err = look_for_invite(core, &c);
    }
    if (err == SPEAN_OK && !c.node) {
        err = judge_chain(core, &c);
    }
    if (err == SPEAN_OK) {
        core_flush(core);
        err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    }
    if (err == SPEAN_OK) {
        err = keep_newcomer(core, tx, &c, fresh);
        if (err == SPEAN_OK) {
            err = spean_tx_commit(tx);
        } else {
            spean_tx_abort(tx);
        }
    }
    free(c.documents);
    return err;
}

/* The disk, or memory, and not what the newcomer sent: that judges nobody. */
static bool is_our_fault(spean_err err)
{
    return err == SPEAN_EFULL || err == SPEAN_EIO || err == SPEAN_ENOMEM || err == SPEAN_EBUSY ||
           err == SPEAN_ECORRUPT;
}

void core_lobby_join(struct spean_core *core, const struct spean_sync_effect *effect)
{
    if (spean_keys_locked(core->keys)) {
        send_standing(core, effect->link, SPEAN_STANDING_WAITING); /* Nobody can be judged now. */
        return;
    }
    uint8_t fresh[SPEAN_JOIN_FRESH_BYTES];
    const spean_err err = admit(core, effect, fresh);
    if (err != SPEAN_OK && answer_known(core, effect)) {
        return; /* It asks again, or by what is of no use to it. */
    }
    SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_INFO, "join",
                        spean_journal_number("link", effect->link),
                        spean_journal_text("err", spean_err_name(err)));
    if (is_our_fault(err)) {
        send_standing(core, effect->link, SPEAN_STANDING_WAITING); /* It asks again. */
        return;
    }
    if (err != SPEAN_OK) {
        /* One answer for every reason: an invitation cannot be told from a guess. */
        send_standing(core, effect->link, SPEAN_STANDING_EXPIRED);
        return;
    }
    send_challenge(core, effect->link, fresh);
    send_standing(core, effect->link, SPEAN_STANDING_WAITING);
}

/* Put the documents of one newcomer whom the charter names now, and forget it. */
static spean_err settle_newcomer(struct spean_core *core,
                                 const struct spean_lobby_newcomer *newcomer)
{
    spean_err err = spean_core_put_documents(core, newcomer->documents, newcomer->documents_count,
                                             SPEAN_PENDING_REFUSE);
    struct spean_tx *tx = NULL;
    if (err == SPEAN_OK) {
        err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    }
    if (err == SPEAN_OK) {
        err = spean_lobby_del_newcomer(tx, &newcomer->transport);
        const spean_err committed = spean_tx_commit(tx);
        err = err == SPEAN_OK ? committed : err;
    }
    return err;
}

void core_lobby_settle(struct spean_core *core)
{
    core->lobby_pending = false;
    if (spean_keys_locked(core->keys)) {
        return;
    }
    struct spean_key after;
    const struct spean_key *from = NULL;
    for (;;) {
        struct spean_tx *tx = NULL;
        struct spean_lobby_read *read = NULL;
        spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
        if (err != SPEAN_OK) {
            return;
        }
        err = spean_lobby_next_newcomer(tx, core->keys, from, &read);
        spean_tx_abort(tx);
        if (err != SPEAN_OK) {
            return;
        }
        const struct spean_lobby_newcomer *newcomer = spean_lobby_read_newcomer(read);
        after = newcomer->transport;
        from = &after;
        if (!newcomer->node && spean_authority_is_member(core->authority, &newcomer->org)) {
            err = settle_newcomer(core, newcomer);
            SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_INFO, "newcomer_is_member",
                                spean_journal_text("err", spean_err_name(err)));
        }
        spean_lobby_read_free(read);
    }
}

/* -- Ourselves ------------------------------------------------------------------------------- */

/* Our own log as the documents name it, open or closed; NULL: they do not. */
static const struct spean_log *find_own(const struct spean_core *core)
{
    const struct spean_ledger *ledger = spean_authority_ledger(core->authority);
    struct spean_id id;
    if (ledger == NULL || !core->has_public) {
        return NULL;
    }
    spean_log_id(&id, &ledger->id, &core->org, &core->signing);
    return spean_authority_log(core->authority, &id);
}

bool core_is_admitted(const struct spean_core *core)
{
    return spean_authority_is_member(core->authority, &core->org) && find_own(core) != NULL;
}

bool core_is_closed(const struct spean_core *core)
{
    const struct spean_log *own = find_own(core);
    return own != NULL && own->cut.closed;
}

bool core_lobby_join_message(struct spean_core *core, const struct spean_key *transport,
                             uint8_t *buf, size_t cap, struct spean_view *out)
{
    const struct joining *j = &core->joining;
    if (!j->active || !spean_key_equal(transport, &j->transport) || j->frame_len > cap ||
        spean_authority_log_by_transport(core->authority, transport) != NULL) {
        return false;
    }
    memcpy(buf, j->frame, j->frame_len);
    *out = (struct spean_view){buf, j->frame_len};
    return true;
}

spean_err core_lobby_join_by(struct spean_core *core, struct joining *joining,
                             const struct spean_handle *handle)
{
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err == SPEAN_OK) {
        err = joining_keep(joining, tx, core->keys);
        const spean_err committed = spean_tx_commit(tx);
        err = err == SPEAN_OK ? committed : err;
    }
    if (err != SPEAN_OK) {
        joining_fini(joining);
        return err;
    }
    core_set_joining(core, joining);
    err = core->entered ? SPEAN_OK : spean_core_enter(core, handle);
    spean_core_sync_now(core); /* However the invitation before this one ended. */
    return err;
}

/* Keep how we stand; say it once when no more asking will change it. */
static void note_standing(struct spean_core *core, uint32_t standing)
{
    struct joining *j = &core->joining;
    if (spean_standing_is_final(standing) && j->standing != standing) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "join_over",
                            spean_journal_number("standing", standing));
    }
    j->standing = standing;
}

void core_lobby_answer(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct joining *j = &core->joining;
    if (!j->active) {
        return;
    }
    (void)pthread_rwlock_wrlock(&core->lock);
    if (effect->as.answer.challenge) {
        const struct spean_join join = {.handle = core->handle,
                                        .inviter = j->transport,
                                        .newcomer = core->transport_key,
                                        .statement = j->statement};
        spean_join_digits(j->digits, &join, effect->as.answer.fresh);
    } else {
        note_standing(core, effect->as.answer.standing);
    }
    (void)pthread_rwlock_unlock(&core->lock);
}

void core_lobby_ask_again(struct spean_core *core)
{
    const struct joining *j = &core->joining;
    for (size_t i = 0; j->active && i < CORE_LINKS_MAX; i++) {
        struct core_link *link = &core->links[i];
        struct spean_view frame;
        if (link->id != 0 && link->dialled &&
            core_lobby_join_message(core, &link->transport, core->frame, SPEAN_FRAME_BYTES_MAX,
                                    &frame)) {
            struct spean_sync_event event = {.kind = SPEAN_SYNC_ASK_AGAIN, .link = link->id};
            event.as.message = frame;
            core_step(core, &event);
        }
    }
}
