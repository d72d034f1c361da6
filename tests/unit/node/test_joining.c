/* Our own way into a ledger is kept sealed, and comes back as it was or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/joining.h"
#include "protocol/message.h"
#include "protocol/sign.h"
#include "store/seal.h"
#include "tests/unit/store/fixture.h"

struct world {
    struct fixture *store;
    struct spean_keys *keys;
    struct joining joining;
    struct spean_invite invite;
    struct spean_key own;
    struct spean_id statement;
};

static int setup(void **state)
{
    static const uint8_t credential[SPEAN_WRAP_CREDENTIAL_BYTES] = {1};
    const struct spean_unlock unlock = {.kind = SPEAN_UNLOCK_CREDENTIAL,
                                        .bytes = {credential, sizeof(credential)}};
    struct world *w = calloc(1, sizeof(*w));
    void *store = NULL;
    assert_non_null(w);
    assert_int_equal(fixture_store_setup(&store), 0);
    w->store = store;
    assert_int_equal(spean_keys_new(&w->keys), SPEAN_OK);
    assert_int_equal(spean_keys_create(w->keys, w->store->db, &unlock), SPEAN_OK);
    memset(w->invite.handle.bytes, 3, sizeof(w->invite.handle.bytes));
    memset(w->invite.transport.bytes, 4, sizeof(w->invite.transport.bytes));
    memset(w->invite.secret, 5, sizeof(w->invite.secret));
    memcpy(w->invite.endpoint, "127.0.0.1:7431", sizeof("127.0.0.1:7431"));
    memset(w->own.bytes, 6, sizeof(w->own.bytes));
    memset(w->statement.bytes, 7, sizeof(w->statement.bytes));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    void *store = w->store;
    joining_fini(&w->joining);
    spean_keys_free(w->keys);
    (void)fixture_teardown(&store);
    free(w);
    return 0;
}

static struct spean_tx *begin(struct world *w, enum spean_tx_mode kind)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(w->store->db, kind, &tx), SPEAN_OK);
    return tx;
}

/* Begin to join with documents of len bytes each. */
static spean_err join(struct world *w, uint32_t count, size_t len)
{
    struct spean_view documents[64];
    uint8_t *bytes = calloc(1, len);
    assert_non_null(bytes);
    for (uint32_t i = 0; i < count; i++) {
        documents[i] = (struct spean_view){bytes, len};
    }
    struct spean_tx *tx = begin(w, SPEAN_TX_WRITE);
    spean_err err = joining_make(&w->joining, &w->invite, &w->own, &w->statement, documents, count);
    if (err == SPEAN_OK) {
        err = joining_keep(&w->joining, tx, w->keys);
    }
    if (err == SPEAN_OK) {
        assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    } else {
        spean_tx_abort(tx);
        joining_fini(&w->joining);
    }
    free(bytes);
    return err;
}

static spean_err load(struct world *w, struct joining *out)
{
    struct spean_tx *tx = begin(w, SPEAN_TX_READ);
    const spean_err err = joining_load(out, tx, w->keys);
    spean_tx_abort(tx);
    return err;
}

static void nothing_is_loaded_where_nobody_joins(void **state)
{
    struct joining loaded = {.active = false};
    assert_int_equal(load(*state, &loaded), SPEAN_ENOTFOUND);
    assert_false(loaded.active);
    assert_null(loaded.frame);
}

static void what_was_begun_is_loaded_as_it_was(void **state)
{
    struct world *w = *state;
    struct joining loaded = {.active = false};
    assert_int_equal(join(w, 2, 300), SPEAN_OK);
    assert_true(w->joining.active);
    assert_int_equal(load(w, &loaded), SPEAN_OK);
    assert_true(loaded.active);
    assert_string_equal(loaded.endpoint, "tcp://127.0.0.1:7431");
    assert_memory_equal(loaded.transport.bytes, w->invite.transport.bytes, SPEAN_KEY_BYTES);
    assert_memory_equal(loaded.statement.bytes, w->statement.bytes, SPEAN_ID_BYTES);
    assert_int_equal(loaded.frame_len, w->joining.frame_len);
    assert_memory_equal(loaded.frame, w->joining.frame, loaded.frame_len);
    joining_fini(&loaded);
}

static void the_message_proves_the_secret_and_does_not_show_it(void **state)
{
    struct world *w = *state;
    struct spean_message *m = malloc(sizeof(*m));
    assert_non_null(m);
    assert_int_equal(join(w, 1, 200), SPEAN_OK);
    const struct spean_view frame = {w->joining.frame, w->joining.frame_len};
    assert_int_equal(spean_message_decode(frame, m), SPEAN_OK);
    const struct spean_join join_of = {.handle = w->invite.handle,
                                       .inviter = w->invite.transport,
                                       .newcomer = w->own,
                                       .statement = w->statement};
    assert_true(spean_join_mac_valid(m->as.join.mac.bytes, &join_of, w->invite.secret));
    for (size_t i = 0; i + sizeof(w->invite.secret) <= frame.len; i++) {
        assert_memory_not_equal(frame.data + i, w->invite.secret, sizeof(w->invite.secret));
    }
    free(m);
}

/* The keys of a further node, with its agreement. */
static struct spean_statement_node further_node(const struct world *w, const struct spean_id *org)
{
    static const uint8_t seed[SPEAN_KEY_BYTES] = {9};
    struct spean_statement_node node = {.transport = w->own};
    spean_sign_public(&node.signing, seed);
    memset(node.sealing.bytes, 8, sizeof(node.sealing.bytes));
    spean_statement_accept(&node, org, &w->invite.handle, seed);
    return node;
}

static void a_further_node_says_its_keys_and_proves_the_secret_p12_5(void **state)
{
    struct world *w = *state;
    struct joining loaded = {.active = false};
    struct spean_message *m = malloc(sizeof(*m));
    assert_non_null(m);
    w->invite.node = true;
    memset(w->invite.org.bytes, 2, sizeof(w->invite.org.bytes));
    const struct spean_statement_node node = further_node(w, &w->invite.org);
    struct spean_tx *tx = begin(w, SPEAN_TX_WRITE);
    assert_int_equal(joining_make_node(&w->joining, &w->invite, &node), SPEAN_OK);
    assert_int_equal(joining_keep(&w->joining, tx, w->keys), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    assert_int_equal(load(w, &loaded), SPEAN_OK);
    const struct spean_view frame = {loaded.frame, loaded.frame_len};
    assert_int_equal(spean_message_decode(frame, m), SPEAN_OK);
    assert_int_equal(m->type, SPEAN_MESSAGE_NODE);
    assert_memory_equal(&m->as.node.org, &w->invite.org, sizeof(w->invite.org));
    assert_memory_equal(&m->as.node.signing, &node.signing, sizeof(node.signing));
    const struct spean_statement_node said = {.signing = m->as.node.signing,
                                              .sealing = m->as.node.sealing,
                                              .transport = w->own,
                                              .acceptance = m->as.node.acceptance};
    assert_int_equal(spean_statement_accepted(&said, &w->invite.org, &w->invite.handle), SPEAN_OK);
    const struct spean_join join_of = {.handle = w->invite.handle,
                                       .inviter = w->invite.transport,
                                       .newcomer = w->own,
                                       .statement = spean_join_node(&w->invite.org, &said)};
    assert_true(spean_join_mac_valid(m->as.node.mac.bytes, &join_of, w->invite.secret));
    assert_memory_equal(&loaded.statement, &join_of.statement, sizeof(loaded.statement));
    for (size_t i = 0; i + sizeof(w->invite.secret) <= frame.len; i++) {
        assert_memory_not_equal(frame.data + i, w->invite.secret, sizeof(w->invite.secret));
    }
    joining_fini(&loaded);
    free(m);
}

static void a_chain_too_long_for_one_message_is_refused_and_nothing_kept(void **state)
{
    struct world *w = *state;
    struct joining loaded = {.active = false};
    assert_int_equal(join(w, 64, 8000), SPEAN_EINPUT);
    assert_false(w->joining.active);
    assert_null(w->joining.frame);
    assert_int_equal(load(w, &loaded), SPEAN_ENOTFOUND);
}

static void a_second_beginning_takes_the_place_of_the_first(void **state)
{
    struct world *w = *state;
    struct joining loaded = {.active = false};
    assert_int_equal(join(w, 1, 200), SPEAN_OK);
    memcpy(w->invite.endpoint, "[::1]:1", sizeof("[::1]:1"));
    assert_int_equal(join(w, 1, 100), SPEAN_OK);
    assert_int_equal(load(w, &loaded), SPEAN_OK);
    assert_string_equal(loaded.endpoint, "tcp://[::1]:1");
    joining_fini(&loaded);
}

static void locked_keys_neither_keep_nor_load(void **state)
{
    struct world *w = *state;
    struct joining loaded = {.active = false};
    assert_int_equal(join(w, 1, 200), SPEAN_OK);
    spean_keys_lock(w->keys);
    assert_int_equal(load(w, &loaded), SPEAN_ELOCKED);
    assert_false(loaded.active);
    assert_int_equal(join(w, 1, 200), SPEAN_ELOCKED);
    assert_false(w->joining.active);
}

/* A row cut short at every byte, sealed as it should be: it is damaged and nothing is taken. */
static void a_row_that_is_cut_short_is_damaged(void **state)
{
    struct world *w = *state;
    static const char name[] = "joining";
    const struct spean_view key = {(const uint8_t *)name, sizeof(name) - 1};
    uint8_t row[1024];
    size_t len = 0;
    assert_int_equal(join(w, 1, 100), SPEAN_OK);
    struct spean_tx *tx = begin(w, SPEAN_TX_READ);
    assert_int_equal(spean_seal_get(tx, w->keys, SPEAN_TABLE_META, key, row, sizeof(row), &len),
                     SPEAN_OK);
    spean_tx_abort(tx);
    for (size_t cut = 0; cut < len; cut++) {
        struct joining loaded = {.active = false};
        tx = begin(w, SPEAN_TX_WRITE);
        assert_int_equal(
            spean_seal_put(tx, w->keys, SPEAN_TABLE_META, key, (struct spean_view){row, cut}),
            SPEAN_OK);
        assert_int_equal(joining_load(&loaded, tx, w->keys), SPEAN_ECORRUPT);
        assert_false(loaded.active);
        assert_null(loaded.frame);
        spean_tx_abort(tx);
    }
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WORLD(nothing_is_loaded_where_nobody_joins),
        WORLD(what_was_begun_is_loaded_as_it_was),
        WORLD(the_message_proves_the_secret_and_does_not_show_it),
        WORLD(a_further_node_says_its_keys_and_proves_the_secret_p12_5),
        WORLD(a_chain_too_long_for_one_message_is_refused_and_nothing_kept),
        WORLD(a_second_beginning_takes_the_place_of_the_first),
        WORLD(locked_keys_neither_keep_nor_load),
        WORLD(a_row_that_is_cut_short_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
