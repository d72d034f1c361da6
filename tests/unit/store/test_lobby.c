#include "store/lobby.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store/fixture.h"

static const uint8_t credential_bytes[SPEAN_WRAP_CREDENTIAL_BYTES] = {1, 2, 3};
static const struct spean_unlock credential = {
    .kind = SPEAN_UNLOCK_CREDENTIAL,
    .bytes = {credential_bytes, sizeof(credential_bytes)},
};
static const uint8_t secret[SPEAN_INVITE_SECRET_BYTES] = {7, 7, 7};

static struct spean_keys *keys;

static int setup(void **state)
{
    (void)fixture_store_setup(state);
    const struct fixture *f = *state;
    assert_int_equal(spean_keys_new(&keys), SPEAN_OK);
    assert_int_equal(spean_keys_create(keys, f->db, &credential), SPEAN_OK);
    return 0;
}

static int teardown(void **state)
{
    spean_keys_free(keys);
    return fixture_teardown(state);
}

static struct spean_tx *begin(struct fixture *f)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    return tx;
}

static struct spean_key key_of(uint8_t number)
{
    struct spean_key key;
    (void)memset(key.bytes, number, sizeof(key.bytes));
    return key;
}

static uint32_t add(struct spean_tx *tx, uint64_t expires_s)
{
    uint32_t number = 0;
    assert_int_equal(spean_lobby_add_invite(tx, keys, secret, expires_s, false, &number), SPEAN_OK);
    return number;
}

/* -- Invitations ----------------------------------------------------------------------------- */

static void an_invitation_is_used_once(void **state)
{
    struct spean_tx *tx = begin(*state);
    const uint32_t number = add(tx, 500);
    const struct spean_key first = key_of(1);
    const struct spean_key second = key_of(2);
    struct spean_lobby_invite invite;
    assert_int_equal(spean_lobby_next_invite(tx, keys, 0, &invite), SPEAN_OK);
    assert_false(invite.used);
    assert_int_equal(invite.expires_s, 500);
    assert_memory_equal(invite.secret, secret, sizeof(secret));
    assert_int_equal(spean_lobby_use_invite(tx, keys, number, &first), SPEAN_OK);
    assert_int_equal(spean_lobby_use_invite(tx, keys, number, &second), SPEAN_EEXISTS);
    assert_int_equal(spean_lobby_use_invite(tx, keys, number, &first), SPEAN_OK); /* Repeated. */
    assert_int_equal(spean_lobby_use_invite(tx, keys, number + 1, &first), SPEAN_ENOTFOUND);
    assert_int_equal(spean_lobby_next_invite(tx, keys, number, &invite), SPEAN_OK);
    assert_true(invite.used);
    assert_memory_equal(&invite.newcomer, &first, sizeof(first));
    assert_int_equal(spean_lobby_next_invite(tx, keys, number + 1, &invite), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static void what_an_invitation_and_a_newcomer_are_for_is_kept(void **state)
{
    struct spean_tx *tx = begin(*state);
    uint32_t number = 0;
    struct spean_lobby_invite invite;
    (void)add(tx, 500);
    assert_int_equal(spean_lobby_add_invite(tx, keys, secret, 500, true, &number), SPEAN_OK);
    assert_int_equal(spean_lobby_next_invite(tx, keys, 0, &invite), SPEAN_OK);
    assert_false(invite.node);
    assert_int_equal(spean_lobby_next_invite(tx, keys, number, &invite), SPEAN_OK);
    assert_true(invite.node);
    const struct spean_key newcomer = key_of(1);
    assert_int_equal(spean_lobby_use_invite(tx, keys, number, &newcomer), SPEAN_OK);
    assert_int_equal(spean_lobby_next_invite(tx, keys, number, &invite), SPEAN_OK);
    assert_true(invite.node && invite.used);

    const struct spean_view frame = fixture_text("the message");
    const struct spean_lobby_newcomer further = {
        .transport = newcomer, .node = true, .documents_count = 1, .documents = &frame};
    struct spean_lobby_read *read = NULL;
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &further), SPEAN_OK);
    assert_int_equal(spean_lobby_get_newcomer(tx, keys, &newcomer, &read), SPEAN_OK);
    assert_true(spean_lobby_read_newcomer(read)->node);
    spean_lobby_read_free(read);
    spean_tx_abort(tx);
}

static void a_number_is_never_given_again(void **state)
{
    struct spean_tx *tx = begin(*state);
    const uint32_t number = add(tx, 1);
    assert_int_equal(spean_lobby_del_invite(tx, number), SPEAN_OK);
    assert_int_equal(spean_lobby_del_invite(tx, number), SPEAN_ENOTFOUND);
    assert_int_not_equal(add(tx, 1), number);
    spean_tx_abort(tx);
}

static void invitations_are_limited(void **state)
{
    struct spean_tx *tx = begin(*state);
    for (uint32_t i = 0; i < SPEAN_LOBBY_INVITES_MAX; i++) {
        (void)add(tx, i);
    }
    uint32_t number = 0;
    assert_int_equal(spean_lobby_add_invite(tx, keys, secret, 1, false, &number), SPEAN_ELIMIT);
    assert_int_equal(spean_lobby_del_invite(tx, 5), SPEAN_OK);
    (void)add(tx, 1);
    spean_tx_abort(tx);
}

static void a_damaged_invitation_is_told(void **state)
{
    struct spean_tx *tx = begin(*state);
    const uint32_t number = add(tx, 1);
    struct spean_db_key key = {0};
    spean_db_key_put_u32(&key, number);
    struct spean_view sealed;
    assert_int_equal(spean_tx_get(tx, SPEAN_TABLE_INVITES, spean_db_key_view(&key), &sealed),
                     SPEAN_OK);
    uint8_t copy[256];
    assert_true(sealed.len <= sizeof(copy));
    const size_t len = sealed.len;
    (void)memcpy(copy, sealed.data, len);
    copy[len / 2] ^= 1;
    (void)spean_tx_put(tx, SPEAN_TABLE_INVITES, spean_db_key_view(&key),
                       (struct spean_view){copy, len});
    struct spean_lobby_invite invite;
    assert_int_equal(spean_lobby_next_invite(tx, keys, 0, &invite), SPEAN_ECORRUPT);
    spean_tx_abort(tx);
}

/* -- Newcomers ------------------------------------------------------------------------------- */

static struct spean_lobby_newcomer newcomer_of(uint8_t number, const struct spean_view *documents,
                                               uint32_t count)
{
    struct spean_lobby_newcomer newcomer = {
        .transport = key_of(number),
        .invite = 3,
        .fresh = {9, 9},
        .digits = "1234 5678",
        .since_s = 1800000000u,
        .standing = 1,
        .documents_count = count,
        .documents = documents,
    };
    (void)memset(newcomer.org.bytes, number, sizeof(newcomer.org.bytes));
    return newcomer;
}

static void a_newcomer_reads_back_with_its_documents(void **state)
{
    struct spean_tx *tx = begin(*state);
    const struct spean_view documents[] = {fixture_text("version 1"), fixture_text("two")};
    struct spean_lobby_newcomer newcomer = newcomer_of(1, documents, 2);
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &newcomer), SPEAN_OK);
    newcomer.standing = 2;
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &newcomer), SPEAN_OK);

    struct spean_lobby_read *read = NULL;
    assert_int_equal(spean_lobby_get_newcomer(tx, keys, &newcomer.transport, &read), SPEAN_OK);
    const struct spean_lobby_newcomer *got = spean_lobby_read_newcomer(read);
    assert_memory_equal(&got->transport, &newcomer.transport, sizeof(newcomer.transport));
    assert_memory_equal(&got->org, &newcomer.org, sizeof(newcomer.org));
    assert_memory_equal(got->fresh, newcomer.fresh, sizeof(newcomer.fresh));
    assert_string_equal(got->digits, "1234 5678");
    assert_int_equal(got->invite, 3);
    assert_int_equal(got->since_s, 1800000000u);
    assert_int_equal(got->standing, 2);
    assert_int_equal(got->documents_count, 2);
    assert_memory_equal(got->documents[0].data, "version 1", 9);
    assert_int_equal(got->documents[1].len, 3);
    spean_lobby_read_free(read);
    assert_int_equal(spean_lobby_del_newcomer(tx, &newcomer.transport), SPEAN_OK);
    assert_int_equal(spean_lobby_del_newcomer(tx, &newcomer.transport), SPEAN_ENOTFOUND);
    assert_int_equal(spean_lobby_get_newcomer(tx, keys, &newcomer.transport, &read),
                     SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static void newcomers_are_limited_and_walked_over(void **state)
{
    struct spean_tx *tx = begin(*state);
    const struct spean_view document = fixture_text("version 1");
    for (uint8_t i = 0; i < SPEAN_LOBBY_NEWCOMERS_MAX; i++) {
        const struct spean_lobby_newcomer newcomer = newcomer_of(i, &document, 1);
        assert_int_equal(spean_lobby_put_newcomer(tx, keys, &newcomer), SPEAN_OK);
    }
    const struct spean_lobby_newcomer late = newcomer_of(200, &document, 1);
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &late), SPEAN_ELIMIT);
    const struct spean_lobby_newcomer again = newcomer_of(5, &document, 1);
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &again), SPEAN_OK);

    struct spean_key at;
    const struct spean_key *after = NULL;
    struct spean_lobby_read *read = NULL;
    uint8_t number = 0;
    while (spean_lobby_next_newcomer(tx, keys, after, &read) == SPEAN_OK) {
        const struct spean_key want = key_of(number++);
        at = spean_lobby_read_newcomer(read)->transport;
        assert_memory_equal(&at, &want, sizeof(at));
        after = &at;
        spean_lobby_read_free(read);
    }
    assert_int_equal(number, SPEAN_LOBBY_NEWCOMERS_MAX);
    spean_tx_abort(tx);
}

static void more_documents_than_one_frame_holds_are_refused(void **state)
{
    struct spean_tx *tx = begin(*state);
    const size_t len = SPEAN_FRAME_BYTES_MAX + 1;
    uint8_t *bytes = calloc(1, len);
    struct spean_view *many = calloc(SPEAN_LOBBY_DOCUMENTS_MAX + 1, sizeof(*many));
    assert_non_null(bytes);
    assert_non_null(many);
    for (size_t i = 0; i <= SPEAN_LOBBY_DOCUMENTS_MAX; i++) {
        many[i] = (struct spean_view){bytes, 1};
    }
    struct spean_lobby_newcomer newcomer = newcomer_of(1, many, SPEAN_LOBBY_DOCUMENTS_MAX + 1);
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &newcomer), SPEAN_ELIMIT);
    newcomer.documents_count = SPEAN_LOBBY_DOCUMENTS_MAX;
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &newcomer), SPEAN_OK);
    many[0].len = len;
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &newcomer), SPEAN_ELIMIT);
    free(many);
    free(bytes);
    spean_tx_abort(tx);
}

static void a_locked_node_judges_nobody(void **state)
{
    struct spean_tx *tx = begin(*state);
    const struct spean_view document = fixture_text("version 1");
    const struct spean_lobby_newcomer newcomer = newcomer_of(1, &document, 1);
    const uint32_t number = add(tx, 1);
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &newcomer), SPEAN_OK);
    spean_keys_lock(keys);
    struct spean_lobby_invite invite;
    struct spean_lobby_read *read = NULL;
    uint32_t another = 0;
    assert_int_equal(spean_lobby_next_invite(tx, keys, 0, &invite), SPEAN_ELOCKED);
    assert_int_equal(spean_lobby_add_invite(tx, keys, secret, 1, false, &another), SPEAN_ELOCKED);
    assert_int_equal(spean_lobby_use_invite(tx, keys, number, &newcomer.transport), SPEAN_ELOCKED);
    assert_int_equal(spean_lobby_put_newcomer(tx, keys, &newcomer), SPEAN_ELOCKED);
    assert_int_equal(spean_lobby_next_newcomer(tx, keys, NULL, &read), SPEAN_ELOCKED);
    assert_int_equal(spean_lobby_del_invite(tx, number), SPEAN_OK);
    spean_tx_abort(tx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_invitation_is_used_once),
        TEST(what_an_invitation_and_a_newcomer_are_for_is_kept),
        TEST(a_number_is_never_given_again),
        TEST(invitations_are_limited),
        TEST(a_damaged_invitation_is_told),
        TEST(a_newcomer_reads_back_with_its_documents),
        TEST(newcomers_are_limited_and_walked_over),
        TEST(more_documents_than_one_frame_holds_are_refused),
        TEST(a_locked_node_judges_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
