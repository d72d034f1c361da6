/* Whole nodes: founding, joining, leaving, locking, and what a core must never do. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "node/core_internal.h"
#include "protocol/invite.h"
#include "protocol/schema.h"
#include "store/destroy.h"
#include "store/lobby.h"
#include "tests/unit/node/corekit.h"

#define DISK_BYTES 8192u /* Of each file, when the disk is full: not even a page of the store. */
#define CODE_BYTES (SPEAN_INVITE_TEXT_LEN_MAX + 1u)

static struct corekit_node *node_a(void **state)
{
    return &((struct corekit *)*state)->nodes[0];
}

static struct corekit_node *node_b(void **state)
{
    return &((struct corekit *)*state)->nodes[1];
}

/* A founded a ledger; B and C run and are in none. */
static void begin(void **state)
{
    struct corekit *kit = *state;
    for (unsigned i = 0; i < COREKIT_NODES; i++) {
        corekit_start(&kit->nodes[i]);
    }
    corekit_found(kit, node_a(state));
}

/* The same, and B is a member in step with A; both have published their own records. */
static void begin_with_member(void **state)
{
    char code[CODE_BYTES];
    begin(state);
    corekit_invite(node_a(state), code);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    corekit_approve(*state, node_a(state), node_b(state));
    corekit_await(node_b(state), "/v1/join", "state", "member");
    corekit_await(node_a(state), "/v1/status", "partners.0.name", "Bridge");
    corekit_await(node_b(state), "/v1/status", "partners.0.name", "Bridge");
    corekit_await_equal(node_a(state), node_b(state));
}

static void change_code(char *code, void (*change)(struct spean_invite *invite))
{
    struct spean_invite invite;
    const struct spean_view text = {(const uint8_t *)code, strlen(code)};
    assert_int_equal(spean_invite_decode(&invite, text), SPEAN_OK);
    change(&invite);
    assert_int_equal(spean_invite_encode(code, &invite), SPEAN_OK);
}

static void change_secret(struct spean_invite *invite)
{
    invite->secret[0] ^= 1;
}

static void change_handle(struct spean_invite *invite)
{
    invite->handle.bytes[0] ^= 1;
}

static size_t pending_count(struct corekit_node *node)
{
    return json_array_size(json_object_get(corekit_ok(node, "GET", "/v1/pending", NULL), "items"));
}

static json_int_t todo_count(struct corekit_node *node, const char *path)
{
    return json_integer_value(corekit_at(corekit_ok(node, "GET", "/v1/status", NULL), path));
}

/* -- Founding -------------------------------------------------------------------------------- */

static void a_node_founds_one_ledger_and_keeps_it(void **state)
{
    struct corekit *kit = *state;
    struct corekit_node *a = node_a(state);
    corekit_start(a);
    corekit_refused(a, "GET", "/v1/ledger", NULL, "wrong_state");
    corekit_found(kit, a);
    assert_string_equal(corekit_text(corekit_ok(a, "GET", "/v1/ledger", NULL), "name"), "Mekong");
    corekit_refused(a, "POST", "/v1/ledger", NULL, "wrong_state");
    corekit_stop(a);
    corekit_start(a);
    assert_string_equal(corekit_text(corekit_ok(a, "GET", "/v1/ledger", NULL), "name"), "Mekong");
}

static void a_founded_node_publishes_its_own_record(void **state)
{
    begin(state);
    corekit_await(node_a(state), "/v1/status", "name", "Bridge");
    corekit_await(node_a(state), "/v1/agencies", "items.0.names.und", "Bridge");
    assert_string_equal(
        corekit_text(corekit_ok(node_a(state), "GET", "/v1/logs", NULL), "items.0.standing"),
        "open");
}

static size_t endpoints_count(struct corekit_node *node, const char *record)
{
    const json_t *shown = corekit_ok(node, "GET", record, NULL);
    return json_array_size(corekit_at(shown, "fields.endpoints"));
}

static void an_address_takes_the_place_of_the_one_published_before(void **state)
{
    struct corekit_node *a = node_a(state);
    char before[SPEAN_ENDPOINT_BYTES_MAX + 8];
    char record[128];
    begin(state);
    corekit_await(a, "/v1/agencies", "items.0.names.und", "Bridge");
    (void)snprintf(record, sizeof(record), "/v1/agencies/%s",
                   corekit_text(a->answer, "items.0.id"));
    (void)snprintf(before, sizeof(before), "tcp://%s", a->config.advertise);
    corekit_await(a, record, "fields.endpoints.0.address", before);
    corekit_stop(a);
    (void)snprintf(a->config.advertise, sizeof(a->config.advertise), "192.0.2.7:7431");
    corekit_start(a);
    corekit_await(a, record, "fields.endpoints.0.address", "tcp://192.0.2.7:7431");
    assert_int_equal(endpoints_count(a, record), 1);
    corekit_stop(a);
    a->config.advertise[0] = '\0';
    corekit_start(a);
    corekit_await(a, record, "fields.endpoints.0.address", "");
    assert_int_equal(endpoints_count(a, record), 0);
}

/* -- Joining --------------------------------------------------------------------------------- */

static void an_approved_newcomer_becomes_a_member_and_in_step(void **state)
{
    char code[CODE_BYTES];
    char digits[32];
    begin(state);
    corekit_invite(node_a(state), code);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    (void)snprintf(digits, sizeof(digits), "%s",
                   corekit_text(corekit_ok(node_b(state), "GET", "/v1/join", NULL), "digits"));
    assert_int_not_equal(digits[0], '\0');
    corekit_await(node_a(state), "/v1/pending", "items.0.digits", digits);
    corekit_approve(*state, node_a(state), node_b(state));
    corekit_await(node_b(state), "/v1/join", "state", "member");
    corekit_await_equal(node_a(state), node_b(state));
    assert_int_equal(pending_count(node_a(state)), 0);
}

static void refused_as_expired(void **state, const char *code)
{
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "expired");
    assert_int_equal(pending_count(node_a(state)), 0);
}

static void a_wrong_secret_is_answered_as_expired(void **state)
{
    char code[CODE_BYTES];
    begin(state);
    corekit_invite(node_a(state), code);
    change_code(code, change_secret);
    refused_as_expired(state, code);
}

static void an_expired_invitation_is_answered_so_by_the_clock_of_the_inviter(void **state)
{
    char code[CODE_BYTES];
    struct spean_invite invite;
    struct spean_tx *tx = NULL;
    uint32_t number = 0;
    begin(state);
    corekit_invite(node_a(state), code);
    change_code(code, change_secret);
    assert_int_equal(
        spean_invite_decode(&invite, (struct spean_view){(uint8_t *)code, strlen(code)}), SPEAN_OK);
    corekit_stop(node_a(state));
    corekit_open(node_a(state));
    struct spean_core *core = node_a(state)->core;
    assert_int_equal(spean_tx_begin(spean_core_db(core), SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(
        spean_lobby_add_invite(tx, spean_core_keys(core), invite.secret, 1000, false, &number),
        SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    corekit_stop(node_a(state));
    corekit_start(node_a(state));
    refused_as_expired(state, code);
}

static void invitations_that_are_over_leave_room_for_new_ones(void **state)
{
    char code[CODE_BYTES];
    static const uint8_t secret[SPEAN_INVITE_SECRET_BYTES] = {7};
    struct spean_tx *tx = NULL;
    uint32_t number = 0;
    spean_err err = SPEAN_OK;
    begin(state);
    corekit_stop(node_a(state));
    corekit_open(node_a(state));
    struct spean_core *core = node_a(state)->core;
    assert_int_equal(spean_tx_begin(spean_core_db(core), SPEAN_TX_WRITE, &tx), SPEAN_OK);
    while (err == SPEAN_OK) {
        err = spean_lobby_add_invite(tx, spean_core_keys(core), secret, 1000, false, &number);
    }
    assert_int_equal(err, SPEAN_ELIMIT);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    corekit_stop(node_a(state));
    corekit_start(node_a(state));
    corekit_invite(node_a(state), code);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
}

static void an_invitation_is_for_one_newcomer(void **state)
{
    struct corekit *kit = *state;
    char code[CODE_BYTES];
    begin(state);
    corekit_invite(node_a(state), code);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    corekit_join(&kit->nodes[2], code);
    corekit_await(&kit->nodes[2], "/v1/join", "state", "expired");
    assert_int_equal(pending_count(node_a(state)), 1);
}

static void a_chain_with_two_nodes_is_answered_as_expired(void **state)
{
    char code[CODE_BYTES];
    struct spean_invite invite;
    begin(state);
    corekit_invite(node_a(state), code);
    assert_int_equal(
        spean_invite_decode(&invite, (struct spean_view){(uint8_t *)code, strlen(code)}), SPEAN_OK);
    corekit_accept(node_b(state), &invite.handle, 1);
    (void)corekit_ok(node_b(state), "POST", "/v1/join", corekit_join_body(node_b(state), code));
    corekit_await(node_b(state), "/v1/join", "state", "expired");
    assert_int_equal(pending_count(node_a(state)), 0);
}

static void an_invitation_to_another_ledger_brings_nobody_in(void **state)
{
    char code[CODE_BYTES];
    begin(state);
    corekit_invite(node_a(state), code);
    change_code(code, change_handle);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "expired");
    assert_int_equal(pending_count(node_a(state)), 0);
}

/* A sends the newcomer away that waits there. */
static void refuse_pending(void **state)
{
    char target[128];
    const json_t *pending = corekit_ok(node_a(state), "GET", "/v1/pending", NULL);
    (void)snprintf(target, sizeof(target), "/v1/pending/%.8s/refuse",
                   corekit_text(pending, "items.0.org"));
    (void)corekit_ok(node_a(state), "POST", target, NULL);
}

static void a_refused_newcomer_hears_so(void **state)
{
    char code[CODE_BYTES];
    begin(state);
    corekit_invite(node_a(state), code);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    assert_int_equal(todo_count(node_a(state), "todo.pending"), 1);
    refuse_pending(state);
    corekit_await(node_b(state), "/v1/join", "state", "refused");
    assert_int_equal(pending_count(node_a(state)), 0);
    assert_int_equal(todo_count(node_a(state), "todo.pending"), 0); /* There is nothing to do. */
}

static void who_was_refused_gets_in_by_another_invitation(void **state)
{
    char code[CODE_BYTES];
    char digits[32];
    begin(state);
    corekit_invite(node_a(state), code);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    (void)snprintf(digits, sizeof(digits), "%s",
                   corekit_text(corekit_ok(node_b(state), "GET", "/v1/join", NULL), "digits"));
    refuse_pending(state);
    corekit_await(node_b(state), "/v1/join", "state", "refused");
    corekit_invite(node_a(state), code);
    (void)corekit_ok(node_b(state), "POST", "/v1/join", corekit_join_body(node_b(state), code));
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    const char *again = corekit_text(corekit_ok(node_b(state), "GET", "/v1/join", NULL), "digits");
    assert_string_not_equal(again, digits); /* What was compared before is over. */
    corekit_await(node_a(state), "/v1/pending", "items.0.digits", again);
    corekit_approve(*state, node_a(state), node_b(state));
    corekit_await(node_b(state), "/v1/join", "state", "member");
    assert_int_equal(pending_count(node_a(state)), 0);
}

static void a_dry_run_sends_nobody_away(void **state)
{
    char code[CODE_BYTES];
    char target[128];
    begin(state);
    corekit_invite(node_a(state), code);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    const json_t *pending = corekit_ok(node_a(state), "GET", "/v1/pending", NULL);
    (void)snprintf(target, sizeof(target), "/v1/pending/%.8s/refuse?dry_run=1",
                   corekit_text(pending, "items.0.org"));
    const json_t *answer = corekit_ok(node_a(state), "POST", target, NULL);
    assert_true(json_is_true(json_object_get(answer, "dry_run")));
    assert_null(json_object_get(answer, "refused"));
    assert_int_equal(pending_count(node_a(state)), 1);
}

static void after_an_expired_invitation_another_one_lets_in(void **state)
{
    char code[CODE_BYTES];
    char wrong[CODE_BYTES];
    begin(state);
    corekit_invite(node_a(state), code);
    memcpy(wrong, code, sizeof(wrong));
    change_code(wrong, change_secret);
    refused_as_expired(state, wrong);
    (void)corekit_ok(node_b(state), "POST", "/v1/join", corekit_join_body(node_b(state), code));
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    corekit_approve(*state, node_a(state), node_b(state));
    corekit_await(node_b(state), "/v1/join", "state", "member");
}

static void joining_goes_on_after_both_nodes_start_again(void **state)
{
    char code[CODE_BYTES];
    begin(state);
    corekit_invite(node_a(state), code);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    corekit_stop(node_a(state));
    corekit_stop(node_b(state));
    corekit_start(node_b(state));
    corekit_start(node_a(state));
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    corekit_approve(*state, node_a(state), node_b(state));
    corekit_await(node_b(state), "/v1/join", "state", "member");
    corekit_await_equal(node_a(state), node_b(state));
    assert_int_equal(pending_count(node_a(state)), 0);
}

static void a_locked_node_judges_nobody_and_does_so_when_unlocked(void **state)
{
    char code[CODE_BYTES];
    begin(state);
    corekit_invite(node_a(state), code);
    (void)corekit_ok(node_a(state), "POST", "/v1/lock", NULL);
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    assert_true(
        json_is_null(corekit_at(corekit_ok(node_b(state), "GET", "/v1/join", NULL), "digits")));
    static const uint8_t credential[32] = {9};
    (void)corekit_ok(node_a(state), "POST", "/v1/unlock",
                     json_pack("{s:o}", "credential", corekit_hex(credential, 32)));
    corekit_await_org(node_a(state), "/v1/pending", &node_b(state)->org);
}

/* -- Membership ------------------------------------------------------------------------------ */

/* The first entry of B's log as A holds it, for a cut behind it. */
static struct spean_cut cut_after_first(void **state, char *log, size_t cap)
{
    char target[256];
    struct spean_cut cut = {.closed = true, .seq = 1};
    const json_t *row = corekit_await_org(node_a(state), "/v1/logs", &node_b(state)->org);
    (void)snprintf(log, cap, "%s", corekit_text(row, "id"));
    (void)snprintf(target, sizeof(target), "/v1/logs/%s/entries", log);
    corekit_await(node_a(state), target, "items.0.body", "held");
    corekit_read_hex(node_a(state)->answer, "items.0.id", cut.entry.bytes, sizeof(cut.entry.bytes));
    return cut;
}

static json_t *new_agency(void)
{
    return json_pack("{s:{s:{s:s},s:s,s:s}}", "set", "names", "en", "Clinic", "kind", "broker",
                     "country", "KH");
}

/* Ask a node to sync, waiting as long as it takes, and return its answer. */
static const json_t *sync_now(struct corekit_node *node, const char *target)
{
    return corekit_ok(node, "POST", target, NULL);
}

static void nobody_is_in_step_with_who_is_not_there(void **state)
{
    begin_with_member(state);
    corekit_await_equal(node_a(state), node_b(state));
    assert_true(json_is_true(corekit_at(sync_now(node_a(state), "/v1/sync?wait_s=30"), "in_step")));
    corekit_stop(node_b(state));
    corekit_await(node_a(state), "/v1/status", "partners.0.state", "offline");
    const json_t *answer = sync_now(node_a(state), "/v1/sync");
    assert_true(json_is_false(corekit_at(answer, "in_step")));
    assert_string_equal(corekit_text(answer, "partners.0.by"), "direct");
    assert_null(corekit_at(answer, "partners.0.waiting"));
}

/* What a partner is known to hold, and what it is known to lack, also when it is away. */
static void status_counts_what_a_partner_does_not_hold(void **state)
{
    begin_with_member(state);
    corekit_await_equal(node_a(state), node_b(state));
    const json_t *answer = sync_now(node_a(state), "/v1/sync?wait_s=30");
    assert_int_equal(json_integer_value(corekit_at(answer, "partners.0.they_have.missing")), 0);
    assert_int_equal(json_integer_value(corekit_at(answer, "partners.0.we_have.missing")), 0);
    corekit_stop(node_b(state));
    corekit_await(node_a(state), "/v1/status", "partners.0.state", "offline");
    (void)corekit_ok(node_a(state), "POST", "/v1/agencies", new_agency());
    answer = corekit_ok(node_a(state), "GET", "/v1/status", NULL);
    assert_int_equal(json_integer_value(corekit_at(answer, "partners.0.they_have.missing")), 1);
}

static void a_removed_member_is_dropped_and_its_log_cut(void **state)
{
    struct corekit_node *a = node_a(state);
    char log[128];
    begin_with_member(state);
    struct spean_charter_member member = {.org = node_b(state)->org,
                                          .status = SPEAN_MEMBER_REMOVED};
    struct spean_charter_cut row = {.org = node_b(state)->org,
                                    .cut = cut_after_first(state, log, sizeof(log))};
    corekit_read_hex(corekit_ok(node_b(state), "GET", "/v1/node", NULL), "signing",
                     row.signing.bytes, sizeof(row.signing.bytes));
    struct spean_charter_draft draft = {
        .members_count = 1, .members = &member, .cuts_count = 1, .cuts = &row};
    corekit_charter(*state, a, &draft);
    const json_t *status = corekit_ok(a, "GET", "/v1/status", NULL);
    assert_int_equal(json_array_size(json_object_get(status, "partners")), 0);
    const json_t *held = corekit_await_org(a, "/v1/logs", &node_b(state)->org);
    assert_string_equal(corekit_text(held, "standing"), "removed");
    assert_int_equal(json_integer_value(corekit_at(held, "height")), 1);
    const json_t *listed = corekit_await_org(a, "/v1/members", &node_b(state)->org);
    assert_string_equal(corekit_text(listed, "status"), "removed");
    assert_int_equal(json_integer_value(corekit_at(listed, "generation")), 1);
}

/* -- What travels ---------------------------------------------------------------------------- */

/* How many changes of A's log a node has of which the body is so ("held", "missing"), and sealed.
 */
static size_t sealed_count(void **state, struct corekit_node *node, const char *body)
{
    char target[256];
    size_t count = 0;
    size_t index;
    const json_t *item;
    const json_t *row = corekit_await_org(node, "/v1/logs", &node_a(state)->org);
    (void)snprintf(target, sizeof(target), "/v1/logs/%s/entries?limit=1000",
                   corekit_text(row, "id"));
    const json_t *items = corekit_at(corekit_ok(node, "GET", target, NULL), "items");
    json_array_foreach(items, index, item)
    {
        count += strcmp(corekit_text(item, "kind"), "change") == 0 &&
                 corekit_text(item, "tag")[0] != '\0' &&
                 strcmp(corekit_text(item, "body"), body) == 0;
    }
    return count;
}

static void a_case_is_on_its_way_to_nobody(void **state)
{
    begin_with_member(state);
    (void)corekit_ok(node_a(state), "POST", "/v1/cases",
                     json_pack("{s:{s:s}}", "set", "gender", "female"));
    corekit_await_equal(node_a(state), node_b(state));
    assert_int_equal(sealed_count(state, node_a(state), "held"), 1);
    assert_int_equal(sealed_count(state, node_b(state), "held"), 0);
    assert_int_equal(sealed_count(state, node_b(state), "missing"), 1);
}

/* Whether a body is sent, by what was found out about another tag in the same place. */
static bool travels(struct spean_core *core, const struct spean_header *header, bool relay,
                    const struct core_travel_slot *known)
{
    struct core_travel travel = {.core = core, .relay = relay};
    travel.slots[known->tag.bytes[0] % CORE_TRAVEL_SLOTS] = *known;
    assert_int_equal(spean_tx_begin(spean_core_db(core), SPEAN_TX_READ, &travel.tx), SPEAN_OK);
    const bool found = core_body_travels(&travel, header);
    spean_tx_abort(travel.tx);
    return found;
}

static void what_was_found_out_of_a_tag_says_nothing_of_another(void **state)
{
    const struct spean_header sealed = {
        .kind = SPEAN_ENTRY_CHANGE, .has_tag = true, .tag = {{5, 1}}};
    const struct spean_header grant = {.kind = SPEAN_ENTRY_GRANT, .has_tag = true, .tag = {{5, 1}}};
    const struct core_travel_slot same = {.used = true, .tag = {{5, 1}}, .travels = true};
    const struct core_travel_slot other = {.used = true, .tag = {{5, 2}}, .travels = true};
    corekit_open(node_a(state));
    struct spean_core *core = node_a(state)->core;
    assert_false(travels(core, &sealed, false, &other));
    assert_true(travels(core, &sealed, false, &same));
    assert_true(travels(core, &sealed, true, &other));
    assert_true(travels(core, &grant, false, &other));
}

/* -- Settling -------------------------------------------------------------------------------- */

/* A runs no more and is open, in a ledger. */
static struct spean_core *open_founded(void **state)
{
    corekit_start(node_a(state));
    corekit_found(*state, node_a(state));
    corekit_stop(node_a(state));
    corekit_open(node_a(state));
    return node_a(state)->core;
}

/* Withdrawals, erasures and receipts are written by settling: in a turn that noted something of a
 * peer before, they found the store busy and were forgotten. */
static void settling_writes_down_first_what_the_turn_has_gathered(void **state)
{
    struct spean_core *core = open_founded(state);
    const struct spean_peer peer = {.org = {{7}}, .signing = {{8}}};
    core_note_met(core, &peer, SPEAN_PEER_DIALLED, 7);
    core_write_peers(core);
    assert_non_null(core->batch);
    core_settle_records(core);
    assert_null(core->batch);
    assert_int_equal(core->next_settle_ms, 0);
}

static void what_was_in_the_way_of_settling_and_passes_is_waited_for(void **state)
{
    struct spean_core *core = open_founded(state);
    struct spean_tx *reads[SPEAN_DB_READS_MAX];
    size_t count = 0;
    while (spean_tx_begin(spean_core_db(core), SPEAN_TX_READ, &reads[count]) == SPEAN_OK) {
        count++;
        assert_true(count <= SPEAN_DB_READS_MAX);
    }
    core_settle_records(core);
    assert_true(core->next_settle_ms > 0);
    while (count > 0) {
        spean_tx_abort(reads[--count]);
    }
    core_settle_records(core);
    assert_int_equal(core->next_settle_ms, 0);
}

/* -- What goes over the network -------------------------------------------------------------- */

static void a_day_begins_with_nothing_used_of_its_cap(void **state)
{
    struct spean_core *core = open_founded(state);
    node_a(state)->config.day_cap_bytes = 1000;
    core_traffic_tick(core);
    core_traffic_count(core, 1000);
    core_traffic_tick(core);
    assert_int_equal(core->traffic.bytes, 1000);
    assert_true(core->traffic.saving);
    core->traffic.day--; /* What was counted is of yesterday. */
    core_traffic_tick(core);
    assert_int_equal(core->traffic.bytes, 0);
    assert_false(core->traffic.saving);
}

static void what_was_used_of_the_day_is_known_after_a_start(void **state)
{
    struct spean_core *core = open_founded(state);
    core_traffic_tick(core);
    core_traffic_count(core, 1000);
    core_traffic_write(core);
    const uint64_t bytes = core->traffic.bytes;
    corekit_stop(node_a(state));
    corekit_open(node_a(state));
    assert_int_equal(node_a(state)->core->traffic.bytes, bytes);
}

/* -- Destroying ------------------------------------------------------------------------------ */

/* Note that the part of a record was hidden so long ago, and let the core look; was it deleted? */
static bool is_destroyed(struct spean_core *core, uint8_t record, uint64_t ago_s)
{
    const struct spean_part_name part = {.record = {{record}}, .part = SPEAN_PART_CASE};
    struct spean_tx *tx = NULL;
    struct spean_destroy_row row = {.stage = SPEAN_DESTROY_HIDDEN};
    assert_int_equal(spean_tx_begin(spean_core_db(core), SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_destroy_note(tx, &part, core_now_s() - ago_s), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    core_destroy(core);
    assert_int_equal(spean_tx_begin(spean_core_db(core), SPEAN_TX_READ, &tx), SPEAN_OK);
    assert_int_equal(spean_destroy_get(tx, &part, &row), SPEAN_OK);
    spean_tx_abort(tx);
    return row.stage != SPEAN_DESTROY_HIDDEN;
}

static void
what_is_hidden_is_destroyed_after_the_charters_delay_and_when_all_is_folded(void **state)
{
    struct spean_core *core = open_founded(state);
    const uint64_t delay_s = spean_authority_ledger(core->authority)->erasure_delay_s;
    assert_true(delay_s > 60);
    core->fold_pending = false;
    assert_false(is_destroyed(core, 1, delay_s - 60));
    core->fold_pending = true;
    assert_false(is_destroyed(core, 2, delay_s + 60)); /* A cut may take the erasure back. */
    core->fold_pending = false;
    assert_true(is_destroyed(core, 3, delay_s + 60));
}

/* -- Being a copy ---------------------------------------------------------------------------- */

static void a_node_whose_log_is_further_on_elsewhere_writes_no_more(void **state)
{
    begin_with_member(state);
    struct corekit_node *a = node_a(state);
    corekit_stop(a);
    corekit_keep_copy(a);
    corekit_start(a);
    (void)corekit_ok(a, "POST", "/v1/agencies", new_agency());
    corekit_await_equal(a, node_b(state));
    corekit_stop(a);
    corekit_take_copy(a);
    corekit_start(a);
    corekit_await_refused(a, "POST", "/v1/invitations");
    assert_int_equal(
        json_is_true(corekit_at(corekit_ok(a, "GET", "/v1/status", NULL), "health.ok")), 0);
    corekit_stop(node_b(state));
    corekit_stop(a);
    corekit_start(a);
    corekit_refused(a, "POST", "/v1/invitations", NULL, "wrong_state");
}

/* -- Reading --------------------------------------------------------------------------------- */

/* -- A full disk ----------------------------------------------------------------------------- */

/* No file of ours can be written beyond its first bytes, or they all can again. */
static void fill_disk(bool full)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    (void)signal(SIGXFSZ, SIG_IGN); /* Then the write fails, as it does on a full disk. */
    limit.rlim_cur = full ? DISK_BYTES : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* There is room for the tests that follow, also when the test ended while there was none. */
static int teardown_with_room(void **state)
{
    fill_disk(false);
    return corekit_teardown(state);
}

static void a_charter_that_no_room_was_left_for_is_not_in_force_and_nothing_ends(void **state)
{
    struct corekit *kit = *state;
    struct corekit_node *a = node_a(state);
    struct spean_charter_member added = {.org = kit->nodes[2].org, .status = SPEAN_MEMBER_ACTIVE};
    struct spean_charter_draft draft = {.members_count = 1, .members = &added};
    begin_with_member(state);
    const json_int_t version =
        json_integer_value(json_object_get(corekit_ok(a, "GET", "/v1/ledger", NULL), "version"));

    fill_disk(true);
    corekit_charter_refused(kit, a, &draft, "full");
    assert_int_equal(
        json_integer_value(json_object_get(corekit_ok(a, "GET", "/v1/ledger", NULL), "version")),
        version);
    corekit_await_equal(a, node_b(state));
    fill_disk(false);

    corekit_charter(kit, a, &draft);
    assert_int_equal(
        json_integer_value(json_object_get(corekit_ok(a, "GET", "/v1/ledger", NULL), "version")),
        version + 1);
}

static void a_cursor_behind_everything_ends_a_list(void **state)
{
    static const char *const lists[] = {"/v1/members", "/v1/logs"};
    struct corekit_node *a = node_a(state);
    char target[256];
    corekit_start(a);
    corekit_found(*state, a);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        (void)snprintf(target, sizeof(target), "%s?after=4294967295", lists[i]);
        const json_t *page = corekit_ok(a, "GET", target, NULL);
        assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
        assert_true(json_is_null(corekit_at(page, "next")));
    }
    const json_t *row = corekit_await_org(a, "/v1/logs", &a->org);
    (void)snprintf(target, sizeof(target), "/v1/logs/%s/entries?after=18446744073709551614",
                   corekit_text(row, "id"));
    const json_t *page = corekit_ok(a, "GET", target, NULL);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    assert_true(json_is_null(corekit_at(page, "next")));
}

static void an_entry_that_is_not_there_is_told_with_where_to_look(void **state)
{
    struct corekit_node *a = node_a(state);
    char target[256];
    corekit_start(a);
    corekit_found(*state, a);
    const json_t *row = corekit_await_org(a, "/v1/logs", &a->org);
    (void)snprintf(target, sizeof(target), "/v1/logs/%s/entries/99", corekit_text(row, "id"));
    (void)corekit_call(a, "GET", target, NULL);
    assert_int_equal(a->status, 404);
    assert_non_null(strstr(corekit_text(a->answer, "error.hint"), "spean log show"));
}

/* -- Locking --------------------------------------------------------------------------------- */

static void what_unlocks_is_wiped_from_the_request(void **state)
{
    static const uint8_t credential[32] = {9};
    static const char zeros[64] = {0};
    struct corekit_node *a = node_a(state);
    corekit_start_locked(a);
    json_t *text = corekit_hex(credential, sizeof(credential));
    (void)corekit_ok(a, "POST", "/v1/unlock", json_pack("{s:O}", "credential", text));
    assert_memory_equal(json_string_value(text), zeros, sizeof(zeros));
    json_decref(text);
    text = json_string("not the passphrase");
    (void)corekit_call(a, "POST", "/v1/unlock", json_pack("{s:O}", "passphrase", text));
    assert_memory_equal(json_string_value(text), zeros, json_string_length(text));
    json_decref(text);
}

static void a_dry_run_neither_locks_nor_unlocks(void **state)
{
    static const uint8_t credential[32] = {9};
    static const uint8_t wrong[32] = {8};
    struct corekit_node *a = node_a(state);
    corekit_start(a);
    (void)corekit_ok(a, "POST", "/v1/lock?dry_run=1", NULL);
    assert_true(json_is_false(corekit_at(corekit_ok(a, "GET", "/v1/status", NULL), "locked")));
    (void)corekit_ok(a, "POST", "/v1/lock", NULL);
    (void)corekit_ok(a, "POST", "/v1/unlock?dry_run=1",
                     json_pack("{s:o}", "credential", corekit_hex(credential, 32)));
    corekit_refused(a, "POST", "/v1/unlock?dry_run=1",
                    json_pack("{s:o}", "credential", corekit_hex(wrong, 32)), "wrong_passphrase");
    assert_true(json_is_true(corekit_at(corekit_ok(a, "GET", "/v1/status", NULL), "locked")));
}

static json_t *one_document(const char *key, struct spean_view document)
{
    return json_pack("{s:o}", key, corekit_hex(document.data, document.len));
}

/* Founding, joining, a next charter, a next statement: all judged, nothing in force. */
static void a_dry_run_of_documents_changes_nothing(void **state)
{
    struct corekit *kit = *state;
    struct corekit_node *a = node_a(state);
    char code[CODE_BYTES];
    corekit_start(a);
    corekit_start(node_b(state));
    (void)corekit_ok(a, "POST", "/v1/ledger?dry_run=1", corekit_genesis(kit, a));
    corekit_refused(a, "GET", "/v1/ledger", NULL, "wrong_state");
    corekit_found(kit, a);
    const struct spean_handle handle = a->core->handle;
    corekit_accept(node_b(state), &handle, 0);
    corekit_invite(a, code);
    (void)corekit_ok(node_b(state), "POST", "/v1/join?dry_run=1",
                     corekit_join_body(node_b(state), code));
    corekit_refused(node_b(state), "GET", "/v1/ledger", NULL, "wrong_state");
    assert_string_equal(corekit_text(corekit_ok(node_b(state), "GET", "/v1/join", NULL), "state"),
                        "none");

    struct fixture_document *next = calloc(1, sizeof(*next));
    assert_non_null(next);
    struct spean_charter_member added = {.org = node_b(state)->org, .status = SPEAN_MEMBER_ACTIVE};
    const struct spean_charter_draft charter = {
        .version = 2, .previous = kit->charter.doc.id, .members_count = 1, .members = &added};
    fixture_charter(next, &charter, SIGNED_BY(a->seed));
    (void)corekit_ok(a, "POST", "/v1/charter?dry_run=1", one_document("document", next->view));
    assert_int_equal(
        json_integer_value(corekit_at(corekit_ok(a, "GET", "/v1/ledger", NULL), "version")), 1);

    struct spean_statement_node row = fixture_node(a->seed + 70, &a->org, &handle);
    const struct spean_statement_draft statement = {
        .version = 3, .previous = a->second.doc.id, .nodes_count = 1, .nodes = &row};
    fixture_statement(next, &statement, SIGNED_BY(a->seed));
    (void)corekit_ok(a, "POST", "/v1/statement?dry_run=1", one_document("document", next->view));
    assert_int_equal(json_array_size(corekit_at(corekit_ok(a, "GET", "/v1/nodes", NULL), "items")),
                     1);
    free(next);
}

static void a_node_that_starts_locked_opens_its_network_when_unlocked(void **state)
{
    static const uint8_t credential[32] = {9};
    static const uint8_t wrong[32] = {8};
    begin_with_member(state);
    struct corekit_node *a = node_a(state);
    corekit_stop(a);
    corekit_start_locked(a);
    corekit_refused(a, "GET", "/v1/node", NULL, "locked");
    corekit_refused(a, "POST", "/v1/invitations", NULL, "wrong_state");
    corekit_refused(a, "POST", "/v1/unlock",
                    json_pack("{s:o}", "credential", corekit_hex(wrong, 32)), "wrong_passphrase");
    const json_t *said = corekit_call(a, "POST", "/v1/unlock",
                                      json_pack("{s:o}", "credential", corekit_hex(wrong, 32)));
    assert_non_null(strstr(corekit_text(said, "error.hint"), "it is another one"));
    (void)corekit_ok(a, "POST", "/v1/unlock",
                     json_pack("{s:o}", "credential", corekit_hex(credential, 32)));
    (void)corekit_ok(a, "POST", "/v1/unlock",
                     json_pack("{s:o}", "credential", corekit_hex(credential, 32)));
    corekit_await_equal(a, node_b(state));
    assert_true(json_is_false(corekit_at(corekit_ok(a, "GET", "/v1/status", NULL), "locked")));
}

static void two_versions_with_one_number_do_not_fork_the_ledger(void **state)
{
    struct corekit *kit = *state;
    struct fixture_document *late = calloc(1, sizeof(*late));
    begin(state);
    struct spean_charter_member b = {.org = kit->nodes[1].org, .status = SPEAN_MEMBER_ACTIVE};
    const struct spean_charter_draft draft = {
        .version = 2, .previous = kit->charter.doc.id, .members_count = 1, .members = &b};
    fixture_charter(late, &draft, SIGNED_BY(kit->nodes[0].seed));
    corekit_approve(kit, node_a(state), &kit->nodes[2]);
    json_t *body = json_pack("{s:o}", "document", corekit_hex(late->view.data, late->view.len));
    corekit_refused(node_a(state), "POST", "/v1/charter?dry_run=1", json_incref(body),
                    "wrong_state");
    corekit_refused(node_a(state), "POST", "/v1/charter", body, "wrong_state");
    const json_t *ledger = corekit_ok(node_a(state), "GET", "/v1/ledger", NULL);
    assert_int_equal(json_integer_value(corekit_at(ledger, "version")), 2);
    free(late);
}

int main(void)
{
#define NODES(test) cmocka_unit_test_setup_teardown(test, corekit_setup, corekit_teardown)
    const struct CMUnitTest tests[] = {
        NODES(a_node_founds_one_ledger_and_keeps_it),
        NODES(a_founded_node_publishes_its_own_record),
        NODES(an_address_takes_the_place_of_the_one_published_before),
        NODES(an_approved_newcomer_becomes_a_member_and_in_step),
        NODES(a_wrong_secret_is_answered_as_expired),
        NODES(an_expired_invitation_is_answered_so_by_the_clock_of_the_inviter),
        NODES(invitations_that_are_over_leave_room_for_new_ones),
        NODES(an_invitation_is_for_one_newcomer),
        NODES(a_chain_with_two_nodes_is_answered_as_expired),
        NODES(an_invitation_to_another_ledger_brings_nobody_in),
        NODES(a_refused_newcomer_hears_so),
        NODES(who_was_refused_gets_in_by_another_invitation),
        NODES(a_dry_run_sends_nobody_away),
        NODES(after_an_expired_invitation_another_one_lets_in),
        NODES(joining_goes_on_after_both_nodes_start_again),
        NODES(a_locked_node_judges_nobody_and_does_so_when_unlocked),
        NODES(nobody_is_in_step_with_who_is_not_there),
        NODES(status_counts_what_a_partner_does_not_hold),
        NODES(a_removed_member_is_dropped_and_its_log_cut),
        NODES(a_case_is_on_its_way_to_nobody),
        NODES(what_was_found_out_of_a_tag_says_nothing_of_another),
        NODES(settling_writes_down_first_what_the_turn_has_gathered),
        NODES(what_was_in_the_way_of_settling_and_passes_is_waited_for),
        NODES(a_day_begins_with_nothing_used_of_its_cap),
        NODES(what_was_used_of_the_day_is_known_after_a_start),
        NODES(what_is_hidden_is_destroyed_after_the_charters_delay_and_when_all_is_folded),
        NODES(a_node_whose_log_is_further_on_elsewhere_writes_no_more),
        cmocka_unit_test_setup_teardown(
            a_charter_that_no_room_was_left_for_is_not_in_force_and_nothing_ends, corekit_setup,
            teardown_with_room),
        NODES(a_cursor_behind_everything_ends_a_list),
        NODES(an_entry_that_is_not_there_is_told_with_where_to_look),
        NODES(what_unlocks_is_wiped_from_the_request),
        NODES(a_dry_run_neither_locks_nor_unlocks),
        NODES(a_dry_run_of_documents_changes_nothing),
        NODES(a_node_that_starts_locked_opens_its_network_when_unlocked),
        NODES(two_versions_with_one_number_do_not_fork_the_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
