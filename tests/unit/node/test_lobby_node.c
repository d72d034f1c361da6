/*
 * A further node at the door of one of its organisation (P12.5): what is let wait for people to
 * compare digits, and what strangers who read, repeat or make up a NODE achieve: nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/core_internal.h"
#include "node/lobby.h"
#include "protocol/invite.h"
#include "protocol/join.h"
#include "protocol/message.h"
#include "protocol/pair.h"
#include "protocol/sign.h"
#include "store/lobby.h"
#include "tests/unit/node/corekit.h"

#define LINK        7u
#define CODE_BYTES  (SPEAN_INVITE_TEXT_LEN_MAX + 1u)
#define FRAME_BYTES 1024u
#define DIGITS      (SPEAN_JOIN_DIGITS_LEN + 1u)
#define LONG_AGO_S  1000u

/* A newcomer with its keys, and the NODE that it sends. */
struct newcomer {
    uint8_t seed[SPEAN_KEY_BYTES];
    struct spean_statement_node node;
    struct spean_message m;
    uint8_t buf[FRAME_BYTES];
    struct spean_view frame;
};

static struct corekit_node *node_a(void **state)
{
    return &((struct corekit *)*state)->nodes[0];
}

/* -- The inviter ------------------------------------------------------------------------------- */

static int founded_setup(void **state)
{
    assert_int_equal(corekit_setup(state), 0);
    corekit_start(node_a(state));
    corekit_found(*state, node_a(state));
    return 0;
}

/* Invite by a route: a node, or another organisation. */
static struct spean_invite invite_by(void **state, const char *path)
{
    struct spean_invite invite;
    const char *code = corekit_text(corekit_ok(node_a(state), "POST", path, json_object()), "code");
    assert_int_equal(
        spean_invite_decode(&invite, (struct spean_view){(const uint8_t *)code, strlen(code)}),
        SPEAN_OK);
    return invite;
}

static struct spean_invite invite_node(void **state)
{
    return invite_by(state, "/v1/nodes/invitations");
}

/* From here on the test is the inviter's core thread. */
static void take_over(void **state)
{
    corekit_stop(node_a(state));
    corekit_open(node_a(state));
}

/* How many nodes wait at the door, or were refused there. */
static size_t standing_count(void **state, const char *standing)
{
    size_t count = 0;
    size_t index;
    const json_t *item;
    const json_t *const page = corekit_ok(node_a(state), "GET", "/v1/nodes", NULL);
    json_array_foreach(json_object_get(page, "items"), index, item)
    {
        count += strcmp(corekit_text(item, "standing"), standing) == 0 ? 1 : 0;
    }
    return count;
}

/* The digits shown for the one that waits. */
static void digits_of_waiting(void **state, char out[DIGITS])
{
    size_t index;
    const json_t *item;
    const json_t *const page = corekit_ok(node_a(state), "GET", "/v1/nodes", NULL);
    out[0] = '\0';
    json_array_foreach(json_object_get(page, "items"), index, item)
    {
        if (strcmp(corekit_text(item, "standing"), "waiting") == 0) {
            (void)snprintf(out, DIGITS, "%s", corekit_text(item, "digits"));
        }
    }
    assert_int_equal(strlen(out), SPEAN_JOIN_DIGITS_LEN);
}

/* -- The newcomer ------------------------------------------------------------------------------ */

/* Compose NODE of what n->node says, for an invitation. */
static void compose(struct newcomer *n, const struct spean_invite *invite)
{
    const struct spean_join join = {.handle = invite->handle,
                                    .inviter = invite->transport,
                                    .newcomer = n->node.transport,
                                    .statement = spean_join_node(&invite->org, &n->node)};
    memset(&n->m, 0, sizeof(n->m));
    n->m.type = SPEAN_MESSAGE_NODE;
    n->m.as.node.handle = invite->handle;
    n->m.as.node.org = invite->org;
    n->m.as.node.signing = n->node.signing;
    n->m.as.node.sealing = n->node.sealing;
    n->m.as.node.acceptance = n->node.acceptance;
    spean_join_mac(n->m.as.node.mac.bytes, &join, invite->secret);
    assert_int_equal(spean_message_encode(&n->m, n->buf, sizeof(n->buf), &n->frame), SPEAN_OK);
}

/* A newcomer with keys of number, that has the invitation. */
static void make(struct newcomer *n, uint8_t number, const struct spean_invite *invite)
{
    uint8_t secret[SPEAN_KEY_BYTES];
    memset(n->seed, number, sizeof(n->seed));
    memset(secret, number + 1, sizeof(secret));
    spean_sign_public(&n->node.signing, n->seed);
    spean_x25519_public(&n->node.sealing, secret);
    memset(secret, number + 2, sizeof(secret));
    spean_x25519_public(&n->node.transport, secret);
    spean_statement_accept(&n->node, &invite->org, &invite->handle, n->seed);
    compose(n, invite);
}

/* Hand a frame to the inviter, as come over a link whose other end proved this transport key. */
static void knock(void **state, const struct spean_key *transport, struct spean_view frame)
{
    struct spean_sync_effect effect = {.kind = SPEAN_SYNC_LOBBY_JOIN, .link = LINK};
    effect.as.join.transport = *transport;
    effect.as.join.message = frame;
    core_lobby_join(node_a(state)->core, &effect);
}

static void assert_waits(void **state, const struct newcomer *n)
{
    knock(state, &n->node.transport, n->frame);
    assert_int_equal(standing_count(state, "waiting"), 1);
}

/* The knock is answered as one with no invitation: nobody is asked to compare anything. */
static void assert_nobody(void **state, const struct newcomer *n)
{
    knock(state, &n->node.transport, n->frame);
    assert_int_equal(standing_count(state, "waiting"), 0);
}

/* -- Tests ------------------------------------------------------------------------------------- */

static void who_has_the_invitation_waits_and_shows_the_digits_of_p12_3(void **state)
{
    struct newcomer n;
    char digits[DIGITS];
    const struct spean_invite invite = invite_node(state);
    take_over(state);
    make(&n, 10, &invite);
    assert_waits(state, &n);
    digits_of_waiting(state, digits);
    assert_int_equal(digits[4], ' ');
    assert_int_equal(standing_count(state, "open"), 1); /* It is still none of ours. */
}

static void any_bit_of_a_mac_that_is_wrong_lets_nobody_wait(void **state)
{
    struct newcomer n;
    const struct spean_invite invite = invite_node(state);
    take_over(state);
    make(&n, 10, &invite);
    for (size_t i = 0; i < SPEAN_JOIN_MAC_BYTES; i++) {
        n.m.as.node.mac.bytes[i] ^= 1;
        assert_int_equal(spean_message_encode(&n.m, n.buf, sizeof(n.buf), &n.frame), SPEAN_OK);
        assert_nobody(state, &n);
        n.m.as.node.mac.bytes[i] ^= 1;
    }
    compose(&n, &invite); /* The guesses have not used it up. */
    assert_waits(state, &n);
}

/* Who read a NODE on its way says it over a link of their own, before or after its owner. */
static void a_node_that_is_repeated_over_another_link_is_refused(void **state)
{
    struct newcomer n;
    struct newcomer thief;
    const struct spean_invite invite = invite_node(state);
    take_over(state);
    make(&n, 10, &invite);
    make(&thief, 20, &invite);
    knock(state, &thief.node.transport, n.frame);
    assert_int_equal(standing_count(state, "waiting"), 0);
    assert_waits(state, &n);
    knock(state, &thief.node.transport, n.frame);
    assert_int_equal(standing_count(state, "waiting"), 1);
}

static void a_node_that_is_repeated_over_its_own_link_changes_nothing(void **state)
{
    struct newcomer n;
    struct newcomer other;
    char before[DIGITS];
    char after[DIGITS];
    const struct spean_invite invite = invite_node(state);
    take_over(state);
    make(&n, 10, &invite);
    assert_waits(state, &n);
    digits_of_waiting(state, before);
    assert_waits(state, &n);
    digits_of_waiting(state, after);
    assert_string_equal(before, after); /* People may be comparing them. */
    make(&other, 30, &invite);
    other.node.transport = n.node.transport; /* Other keys under way of the same link: */
    spean_statement_accept(&other.node, &invite.org, &invite.handle, other.seed);
    compose(&other, &invite);
    assert_waits(state, &other);
    digits_of_waiting(state, after);
    assert_string_equal(before, after); /* the digits stay those of what was said first. */
}

static void a_code_lets_one_newcomer_wait(void **state)
{
    struct newcomer n;
    struct newcomer second;
    const struct spean_invite invite = invite_node(state);
    take_over(state);
    make(&n, 10, &invite);
    make(&second, 20, &invite);
    assert_waits(state, &n);
    assert_waits(state, &second);
    corekit_stop(node_a(state)); /* Nor after a restart. */
    corekit_open(node_a(state));
    assert_waits(state, &second);
}

/* Send a newcomer away, as people do. */
static void refuse(void **state, const struct newcomer *n)
{
    char target[128];
    json_t *const key = corekit_hex(n->node.signing.bytes, sizeof(n->node.signing.bytes));
    (void)snprintf(target, sizeof(target), "/v1/nodes/%s/refuse", json_string_value(key));
    json_decref(key);
    corekit_stop(node_a(state));
    corekit_start(node_a(state));
    (void)corekit_ok(node_a(state), "POST", target, NULL);
    take_over(state);
}

static void a_refused_newcomer_stays_refused_and_its_code_is_used(void **state)
{
    struct newcomer n;
    struct newcomer second;
    const struct spean_invite invite = invite_node(state);
    take_over(state);
    make(&n, 10, &invite);
    make(&second, 20, &invite);
    assert_waits(state, &n);
    refuse(state, &n);
    assert_nobody(state, &n);
    assert_int_equal(standing_count(state, "refused"), 1);
    assert_nobody(state, &second);
}

static void a_dry_run_of_joining_or_refusing_changes_nothing(void **state)
{
    struct newcomer n;
    char target[160];
    char text[CODE_BYTES];
    struct corekit_node *const b = &((struct corekit *)*state)->nodes[1];
    struct spean_invite invite = invite_node(state);
    take_over(state);
    make(&n, 10, &invite);
    assert_waits(state, &n);
    json_t *const key = corekit_hex(n.node.signing.bytes, sizeof(n.node.signing.bytes));
    (void)snprintf(target, sizeof(target), "/v1/nodes/%s/refuse?dry_run=1", json_string_value(key));
    json_decref(key);
    corekit_stop(node_a(state));
    corekit_start(node_a(state));
    (void)corekit_ok(node_a(state), "POST", target, NULL);
    assert_int_equal(standing_count(state, "waiting"), 1);

    corekit_start(b);
    invite.org = b->org;
    assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
    (void)corekit_ok(b, "POST", "/v1/nodes/join?dry_run=1", json_pack("{s:s}", "code", text));
    assert_string_equal(corekit_text(corekit_ok(b, "GET", "/v1/join", NULL), "state"), "none");
}

static void another_code_lets_a_refused_newcomer_wait_again(void **state)
{
    struct newcomer n;
    struct newcomer again;
    char before[DIGITS];
    char after[DIGITS];
    const struct spean_invite first = invite_node(state);
    const struct spean_invite second = invite_node(state);
    take_over(state);
    make(&n, 10, &first);
    make(&again, 10, &second);
    assert_waits(state, &n);
    digits_of_waiting(state, before);
    refuse(state, &n);
    assert_waits(state, &again);
    digits_of_waiting(state, after);
    assert_string_not_equal(before, after);
    assert_waits(state, &again); /* Which it asks more than once, like anybody. */
    digits_of_waiting(state, before);
    assert_string_equal(before, after);
    refuse(state, &again);
    assert_nobody(state, &again);
    assert_nobody(state, &n); /* Nor does the code before count again. */
    assert_int_equal(standing_count(state, "refused"), 1);
}

/* Whoever waits and then uses another code has digits of that code: both sides show the same. */
static void another_code_takes_the_place_of_the_one_before(void **state)
{
    struct newcomer n;
    struct newcomer again;
    char before[DIGITS];
    char after[DIGITS];
    const struct spean_invite first = invite_node(state);
    const struct spean_invite second = invite_node(state);
    take_over(state);
    make(&n, 10, &first);
    make(&again, 10, &second);
    assert_waits(state, &n);
    digits_of_waiting(state, before);
    assert_waits(state, &again);
    digits_of_waiting(state, after);
    assert_string_not_equal(before, after);
    assert_waits(state, &n);
    digits_of_waiting(state, before);
    assert_string_equal(before, after);
}

static void an_invitation_of_the_other_kind_is_not_in_force(void **state)
{
    struct newcomer n;
    struct spean_invite invite = invite_by(state, "/v1/invitations");
    take_over(state);
    invite.org = node_a(state)->org; /* Which is no secret. */
    make(&n, 10, &invite);
    assert_nobody(state, &n);
}

static void an_expired_invitation_is_not_in_force(void **state)
{
    struct newcomer n;
    struct spean_tx *tx = NULL;
    uint32_t number = 0;
    struct spean_invite invite = invite_node(state);
    take_over(state);
    struct spean_core *const core = node_a(state)->core;
    invite.secret[0] ^= 1;
    assert_int_equal(spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(
        spean_lobby_add_invite(tx, core->keys, invite.secret, LONG_AGO_S, true, &number), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    make(&n, 10, &invite);
    assert_nobody(state, &n);
}

static void another_ledger_or_organisation_is_not_ours_to_let_into(void **state)
{
    struct newcomer n;
    const struct spean_invite invite = invite_node(state);
    take_over(state);
    struct spean_invite other = invite;
    other.handle.bytes[0] ^= 1;
    make(&n, 10, &other);
    assert_nobody(state, &n);
    other = invite;
    other.org.bytes[0] ^= 1;
    make(&n, 10, &other);
    assert_nobody(state, &n);
    make(&n, 10, &invite);
    assert_waits(state, &n);
}

/* P3.4: the node itself has to agree, to this organisation and ledger, with these keys. */
static void an_acceptance_that_does_not_hold_lets_nobody_wait(void **state)
{
    struct newcomer n;
    struct newcomer other;
    const struct spean_invite invite = invite_node(state);
    take_over(state);
    make(&n, 10, &invite);
    make(&other, 20, &invite);
    n.node.acceptance.bytes[0] ^= 1;
    compose(&n, &invite);
    assert_nobody(state, &n);
    make(&n, 10, &invite);
    n.node.signing = other.node.signing; /* Somebody else's key. */
    compose(&n, &invite);
    assert_nobody(state, &n);
    make(&n, 10, &invite);
    n.node.sealing = other.node.sealing; /* Agreed to with another one. */
    compose(&n, &invite);
    assert_nobody(state, &n);
}

/* P3.6: a statement that names an open node's keys twice would be refused after the comparing. */
static void keys_of_an_open_node_are_not_taken_again(void **state)
{
    struct newcomer n;
    struct spean_key sealing;
    struct spean_key transport;
    const struct spean_invite invite = invite_node(state);
    const json_t *const own = corekit_ok(node_a(state), "GET", "/v1/node", NULL);
    corekit_read_hex(own, "sealing", sealing.bytes, sizeof(sealing.bytes));
    corekit_read_hex(own, "transport", transport.bytes, sizeof(transport.bytes));
    take_over(state);
    make(&n, 10, &invite);
    n.node.sealing = sealing;
    spean_statement_accept(&n.node, &invite.org, &invite.handle, n.seed);
    compose(&n, &invite);
    assert_nobody(state, &n);
    make(&n, 10, &invite);
    n.node.transport = transport;
    spean_statement_accept(&n.node, &invite.org, &invite.handle, n.seed);
    compose(&n, &invite);
    assert_nobody(state, &n);
}

/* -- The organisation's secrets ---------------------------------------------------------------- */

/* Another node of the organisation, let in by one that died before it handed the secrets over. */
static void let_in_elsewhere(void **state)
{
    struct corekit_node *const a = node_a(state);
    struct fixture_document *next = calloc(1, sizeof(*next));
    assert_non_null(next);
    const struct spean_handle handle = a->core->handle;
    struct spean_statement_node row = fixture_node(a->seed + 70, &a->org, &handle);
    const struct spean_statement_draft draft = {
        .version = 3, .previous = a->second.doc.id, .nodes_count = 1, .nodes = &row};
    fixture_statement(next, &draft, SIGNED_BY(a->seed));
    assert_int_equal(spean_core_put_documents(a->core, &next->view, 1, SPEAN_PENDING_REFUSE),
                     SPEAN_OK);
    free(next);
}

static size_t key_grants_count(void **state)
{
    char target[128];
    size_t count = 0;
    size_t index;
    const json_t *item;
    const struct spean_log *own = spean_core_own_log(node_a(state)->core);
    json_t *const id = corekit_hex(own->id.bytes, sizeof(own->id.bytes));
    (void)snprintf(target, sizeof(target), "/v1/logs/%s/entries", json_string_value(id));
    json_decref(id);
    const json_t *const page = corekit_ok(node_a(state), "GET", target, NULL);
    json_array_foreach(json_object_get(page, "items"), index, item)
    {
        count += strcmp(corekit_text(item, "kind"), "org_key_grant") == 0 ? 1 : 0;
    }
    return count;
}

static void whoever_lacks_the_secrets_is_handed_them_once_by_any_node_that_has_them(void **state)
{
    corekit_await(node_a(state), "/v1/agencies", "items.0.names.und", "Bridge");
    take_over(state);
    struct spean_core *const core = node_a(state)->core;
    core_lobby_hand_keys(core, false);
    assert_int_equal(key_grants_count(state), 0);
    let_in_elsewhere(state);
    core_lobby_hand_keys(core, true); /* It is no guest of ours: there is no haste. */
    assert_int_equal(key_grants_count(state), 0);
    core_lobby_hand_keys(core, false);
    assert_int_equal(key_grants_count(state), 1);
    core_lobby_hand_keys(core, false);
    core_lobby_hand_keys(core, true);
    assert_int_equal(key_grants_count(state), 1);
    corekit_stop(node_a(state)); /* Nor after a restart. */
    corekit_open(node_a(state));
    core_lobby_hand_keys(node_a(state)->core, false);
    assert_int_equal(key_grants_count(state), 1);
}

/* Another organisation, which is a member, opens a node with the keys of n. */
static void open_elsewhere(void **state, const struct newcomer *n)
{
    struct spean_core *const core = node_a(state)->core;
    struct corekit_node *const b = &((struct corekit *)*state)->nodes[1];
    struct fixture_document *next = calloc(1, sizeof(*next));
    struct spean_statement_node row = n->node;
    assert_non_null(next);
    spean_statement_accept(&row, &b->org, &core->handle, n->seed);
    const struct spean_statement_draft draft = {.version = 2,
                                                .previous = b->first.doc.id,
                                                .handle = &core->handle,
                                                .nodes_count = 1,
                                                .nodes = &row};
    fixture_statement(next, &draft, SIGNED_BY(b->seed));
    const struct spean_view documents[] = {b->first.view, next->view};
    assert_int_equal(spean_core_put_documents(core, documents, 2, SPEAN_PENDING_REFUSE), SPEAN_OK);
    free(next);
}

/* Whether what a newcomer said at the door is still kept. */
static bool is_kept(void **state, const struct newcomer *n)
{
    const struct spean_core *const core = node_a(state)->core;
    struct spean_lobby_read *read = NULL;
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(core->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    const spean_err err = spean_lobby_get_newcomer(tx, core->keys, &n->node.transport, &read);
    spean_tx_abort(tx);
    spean_lobby_read_free(read);
    assert_true(err == SPEAN_OK || err == SPEAN_ENOTFOUND);
    return err == SPEAN_OK;
}

/* A node that knocked here and was opened there is none of ours: it is not taken for let in. */
static void a_newcomer_that_another_organisation_opened_is_not_let_in_here(void **state)
{
    struct newcomer n;
    const struct corekit_node *const b = &((struct corekit *)*state)->nodes[1];
    corekit_approve(*state, node_a(state), b);
    corekit_await(node_a(state), "/v1/agencies", "items.0.names.und", "Bridge");
    const struct spean_invite invite = invite_node(state);
    take_over(state);
    make(&n, 10, &invite);
    assert_waits(state, &n);
    open_elsewhere(state, &n);
    const struct spean_log *const log =
        spean_authority_log_by_transport(node_a(state)->core->authority, &n.node.transport);
    assert_non_null(log);
    assert_true(spean_id_equal(&log->org, &b->org));
    core_lobby_hand_keys(node_a(state)->core, true);
    core_lobby_hand_keys(node_a(state)->core, false);
    assert_true(is_kept(state, &n));
    assert_int_equal(key_grants_count(state), 0);
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, founded_setup, corekit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_has_the_invitation_waits_and_shows_the_digits_of_p12_3),
        TEST(any_bit_of_a_mac_that_is_wrong_lets_nobody_wait),
        TEST(a_node_that_is_repeated_over_another_link_is_refused),
        TEST(a_node_that_is_repeated_over_its_own_link_changes_nothing),
        TEST(a_code_lets_one_newcomer_wait),
        TEST(a_refused_newcomer_stays_refused_and_its_code_is_used),
        TEST(a_dry_run_of_joining_or_refusing_changes_nothing),
        TEST(another_code_lets_a_refused_newcomer_wait_again),
        TEST(another_code_takes_the_place_of_the_one_before),
        TEST(an_invitation_of_the_other_kind_is_not_in_force),
        TEST(an_expired_invitation_is_not_in_force),
        TEST(another_ledger_or_organisation_is_not_ours_to_let_into),
        TEST(an_acceptance_that_does_not_hold_lets_nobody_wait),
        TEST(keys_of_an_open_node_are_not_taken_again),
        TEST(whoever_lacks_the_secrets_is_handed_them_once_by_any_node_that_has_them),
        TEST(a_newcomer_that_another_organisation_opened_is_not_let_in_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
