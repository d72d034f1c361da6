/* Invitations that were given out: what is shown of them, and taking one back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/core_internal.h"
#include "protocol/invite.h"
#include "protocol/message.h"
#include "store/lobby.h"
#include "tests/unit/node/corekit.h"

#define CODE_BYTES   (SPEAN_INVITE_TEXT_LEN_MAX + 1u)
#define TARGET_BYTES 160u
#define LONG_AGO_S   1000u

static struct corekit_node *node_a(void **state)
{
    return &((struct corekit *)*state)->nodes[0];
}

static struct corekit_node *node_b(void **state)
{
    return &((struct corekit *)*state)->nodes[1];
}

/* A founded a ledger; B runs and is in none. */
static int founded_setup(void **state)
{
    assert_int_equal(corekit_setup(state), 0);
    corekit_start(node_a(state));
    corekit_start(node_b(state));
    corekit_found(*state, node_a(state));
    return 0;
}

/* Make an invitation and return its number. */
static json_int_t made(void **state, const char *path)
{
    return json_integer_value(corekit_at(corekit_ok(node_a(state), "POST", path, NULL), "number"));
}

static size_t open_count(void **state, const char *query)
{
    char target[TARGET_BYTES];
    (void)snprintf(target, sizeof(target), "/v1/invitations%s", query);
    return json_array_size(corekit_at(corekit_ok(node_a(state), "GET", target, NULL), "items"));
}

static char *cancelling(char target[TARGET_BYTES], json_int_t number, const char *query)
{
    (void)snprintf(target, TARGET_BYTES, "/v1/invitations/%lld/cancel%s", (long long)number, query);
    return target;
}

/* B uses the code, and hears that it is of no use. */
static void assert_useless(void **state, const char *code)
{
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "expired");
}

static void open_invitations_are_listed_without_what_opens_the_door(void **state)
{
    const json_int_t of_org = made(state, "/v1/invitations");
    const json_int_t of_node = made(state, "/v1/nodes/invitations");
    assert_true(of_org > 0);
    assert_int_equal(of_node, of_org + 1);
    assert_int_equal(open_count(state, ""), 2);
    assert_int_equal(open_count(state, "?for=node"), 1);
    assert_string_equal(corekit_text(node_a(state)->answer, "items.0.for"), "node");
    assert_int_equal(json_integer_value(corekit_at(node_a(state)->answer, "items.0.number")),
                     of_node);
    assert_int_equal(json_object_size(corekit_at(node_a(state)->answer, "items.0")), 3);
    corekit_refused(node_a(state), "GET", "/v1/invitations?for=everybody", NULL, "bad_input");
    (void)corekit_ok(node_a(state), "POST", "/v1/invitations?dry_run=1", NULL);
    assert_true(json_is_null(corekit_at(node_a(state)->answer, "code")));
    assert_int_equal(open_count(state, ""), 2);
}

static void an_address_that_nobody_can_dial_makes_no_invitation(void **state)
{
    static const char *const bad[] = {"nonsense",       "host:",  ":7431",       "host:0",
                                      "host:70000",     "*:7431", "ho st:7431",  "tcp://",
                                      "tcp://nonsense", "host:x", "host:74:31x", "[::1]"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        corekit_refused(node_a(state), "POST", "/v1/invitations",
                        json_pack("{s:s}", "endpoint", bad[i]), "bad_input");
    }
    assert_int_equal(open_count(state, ""), 0);
    (void)corekit_ok(node_a(state), "POST", "/v1/invitations",
                     json_pack("{s:s}", "endpoint", "tcp://[2001:db8::1]:7431"));
    assert_int_equal(open_count(state, ""), 1);
}

static void one_that_was_taken_back_lets_nobody_knock(void **state)
{
    char code[CODE_BYTES];
    char target[TARGET_BYTES];
    corekit_invite(node_a(state), code);
    const json_int_t number = json_integer_value(
        corekit_at(corekit_ok(node_a(state), "GET", "/v1/invitations", NULL), "items.0.number"));
    (void)corekit_ok(node_a(state), "POST", cancelling(target, number, "?dry_run=1"), NULL);
    assert_int_equal(open_count(state, ""), 1);
    const json_t *answer = corekit_ok(node_a(state), "POST", cancelling(target, number, ""), NULL);
    assert_string_equal(corekit_text(answer, "for"), "organisation");
    assert_int_equal(open_count(state, ""), 0);
    corekit_refused(node_a(state), "POST", target, NULL, "not_found");
    assert_useless(state, code);
    assert_int_equal(
        json_array_size(corekit_at(corekit_ok(node_a(state), "GET", "/v1/pending", NULL), "items")),
        0);
}

static void one_that_was_used_is_not_open_and_not_taken_back(void **state)
{
    char code[CODE_BYTES];
    char target[TARGET_BYTES];
    corekit_invite(node_a(state), code);
    const json_int_t number = json_integer_value(
        corekit_at(corekit_ok(node_a(state), "GET", "/v1/invitations", NULL), "items.0.number"));
    corekit_join(node_b(state), code);
    corekit_await(node_b(state), "/v1/join", "state", "waiting");
    assert_int_equal(open_count(state, ""), 0);
    corekit_refused(node_a(state), "POST", cancelling(target, number, ""), NULL, "wrong_state");
    (void)corekit_await_org(node_a(state), "/v1/pending", &node_b(state)->org);
}

static void what_is_no_number_of_one_that_is_open_is_not_found(void **state)
{
    static const char *const wrong[] = {"0",   "2",  "4294967297", "99999999999999999999999",
                                        "0x1", "-1", "%201",       "1%20",
                                        "one", "+1", "1.0",        "18446744073709551617"};
    char target[TARGET_BYTES];
    assert_int_equal(made(state, "/v1/invitations"), 1);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(target, sizeof(target), "/v1/invitations/%s/cancel", wrong[i]);
        corekit_refused(node_a(state), "POST", target, NULL, "not_found");
    }
    assert_int_equal(open_count(state, ""), 1);
}

static void a_locked_node_shows_and_takes_back_none(void **state)
{
    char target[TARGET_BYTES];
    const json_int_t number = made(state, "/v1/invitations");
    (void)corekit_ok(node_a(state), "POST", "/v1/lock", NULL);
    corekit_refused(node_a(state), "GET", "/v1/invitations", NULL, "locked");
    corekit_refused(node_a(state), "POST", cancelling(target, number, ""), NULL, "locked");
    assert_true(
        json_is_true(corekit_at(corekit_ok(node_a(state), "GET", "/v1/status", NULL), "locked")));
}

/* Give A's core an invitation that is over, and a newcomer that was refused by it; and by number.
 */
static void add_refused(struct spean_core *core, uint32_t number, uint8_t key)
{
    struct spean_tx *tx = NULL;
    struct spean_lobby_newcomer newcomer = {
        .invite = number, .standing = SPEAN_STANDING_REFUSED, .since_s = 1};
    newcomer.transport.bytes[0] = key;
    assert_int_equal(spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_lobby_put_newcomer(tx, core->keys, &newcomer), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

static size_t newcomers_count(struct spean_core *core)
{
    struct spean_tx *tx = NULL;
    uint64_t count = 0;
    assert_int_equal(spean_tx_begin(core->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    assert_int_equal(spean_tx_count(tx, SPEAN_TABLE_NEWCOMERS, (struct spean_view){0}, 100, &count),
                     SPEAN_OK);
    spean_tx_abort(tx);
    return count;
}

/* There is room for 64 at the door: they must not stay for ever. */
static void who_was_refused_is_forgotten_with_the_invitation(void **state)
{
    static const uint8_t secret[SPEAN_INVITE_SECRET_BYTES] = {7};
    struct spean_tx *tx = NULL;
    uint32_t over = 0;
    const uint32_t open = (uint32_t)made(state, "/v1/invitations");
    corekit_stop(node_a(state));
    corekit_open(node_a(state));
    struct spean_core *core = node_a(state)->core;
    assert_int_equal(spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_lobby_add_invite(tx, core->keys, secret, LONG_AGO_S, false, &over),
                     SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    add_refused(core, over, 1);
    add_refused(core, over, 2);
    add_refused(core, open, 3);
    assert_int_equal(newcomers_count(core), 3);
    corekit_stop(node_a(state));
    corekit_start(node_a(state));
    (void)made(state, "/v1/invitations");
    assert_int_equal(newcomers_count(node_a(state)->core), 1);
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, founded_setup, corekit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_invitations_are_listed_without_what_opens_the_door),
        TEST(an_address_that_nobody_can_dial_makes_no_invitation),
        TEST(one_that_was_taken_back_lets_nobody_knock),
        TEST(one_that_was_used_is_not_open_and_not_taken_back),
        TEST(what_is_no_number_of_one_that_is_open_is_not_found),
        TEST(a_locked_node_shows_and_takes_back_none),
        TEST(who_was_refused_is_forgotten_with_the_invitation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
