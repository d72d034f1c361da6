#include "store/keystore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/pair.h"
#include "tests/unit/store/fixture.h"

static const uint8_t credential_bytes[SPEAN_WRAP_CREDENTIAL_BYTES] = {1, 2, 3};
static const uint8_t other_bytes[SPEAN_WRAP_CREDENTIAL_BYTES] = {3, 2, 1};

static const struct spean_unlock credential = {
    .kind = SPEAN_UNLOCK_CREDENTIAL,
    .bytes = {credential_bytes, sizeof(credential_bytes)},
};
static const struct spean_unlock other = {
    .kind = SPEAN_UNLOCK_CREDENTIAL,
    .bytes = {other_bytes, sizeof(other_bytes)},
};
static const struct spean_unlock passphrase = {
    .kind = SPEAN_UNLOCK_PASSPHRASE,
    .bytes = {(const uint8_t *)"correct horse", 13},
    .ops = SPEAN_WRAP_OPS_MIN,
    .mib = SPEAN_WRAP_MIB_MIN,
};

static struct spean_keys *new_keys(void)
{
    struct spean_keys *keys = NULL;
    assert_int_equal(spean_keys_new(&keys), SPEAN_OK);
    return keys;
}

static struct spean_keys *created(struct fixture *f)
{
    struct spean_keys *keys = new_keys();
    assert_int_equal(spean_keys_create(keys, f->db, &credential), SPEAN_OK);
    return keys;
}

static spean_err unlock_anew(struct fixture *f, const struct spean_unlock *unlock)
{
    struct spean_keys *keys = new_keys();
    const spean_err err = spean_keys_unlock(keys, f->db, unlock);
    assert_int_equal(spean_keys_locked(keys), err != SPEAN_OK);
    assert_int_equal(spean_keys_transport_secret(keys) == NULL, err != SPEAN_OK);
    spean_keys_free(keys);
    return err;
}

static void secret_of(uint8_t fill, uint8_t secret[SPEAN_KEY_BYTES])
{
    (void)memset(secret, fill, SPEAN_KEY_BYTES);
}

static void add_org(struct spean_keys *keys, struct fixture *f, uint32_t generation, uint8_t fill)
{
    uint8_t secret[SPEAN_KEY_BYTES];
    secret_of(fill, secret);
    assert_int_equal(spean_keys_add_org(keys, f->db, generation, secret), SPEAN_OK);
}

static void created_secrets_come_back_after_reopening(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = created(f);
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);

    struct spean_keys *again = new_keys();
    assert_true(spean_keys_locked(again));
    assert_int_equal(spean_keys_unlock(again, f->db, &credential), SPEAN_OK);
    assert_memory_equal(spean_keys_signing_seed(again), spean_keys_signing_seed(keys), 32);
    assert_memory_equal(spean_keys_signer(again), spean_keys_signer(keys), SPEAN_SIGNER_BYTES);
    assert_memory_equal(spean_keys_sealing_secret(again), spean_keys_sealing_secret(keys), 32);
    assert_memory_equal(spean_keys_transport_secret(again), spean_keys_transport_secret(keys), 32);
    assert_memory_equal(spean_keys_value_key(again), spean_keys_value_key(keys), 32);
    assert_memory_equal(spean_keys_name_key(again), spean_keys_name_key(keys), 32);
    spean_keys_free(keys);
    spean_keys_free(again);
}

static void no_two_secrets_are_alike(void **state)
{
    struct spean_keys *keys = created(*state);
    const uint8_t *secrets[] = {
        spean_keys_signing_seed(keys),     spean_keys_sealing_secret(keys),
        spean_keys_transport_secret(keys), spean_keys_value_key(keys),
        spean_keys_name_key(keys),
    };
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(secrets[i], secrets[j], SPEAN_KEY_BYTES);
        }
    }
    spean_keys_free(keys);
}

static void a_keystore_is_never_created_over_another(void **state)
{
    struct fixture *f = *state;
    spean_keys_free(created(f));
    struct spean_keys *keys = new_keys();
    assert_int_equal(spean_keys_create(keys, f->db, &other), SPEAN_EEXISTS);
    assert_true(spean_keys_locked(keys));
    assert_null(spean_keys_transport_secret(keys));
    spean_keys_free(keys);
    assert_int_equal(unlock_anew(f, &credential), SPEAN_OK);
}

static void a_store_without_a_keystore_says_so(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(unlock_anew(f, &credential), SPEAN_ENOTFOUND);
}

static void the_wrong_passphrase_opens_nothing(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = new_keys();
    assert_int_equal(spean_keys_create(keys, f->db, &passphrase), SPEAN_OK);
    spean_keys_free(keys);

    struct spean_unlock wrong = passphrase;
    wrong.bytes.len--;
    assert_int_equal(unlock_anew(f, &wrong), SPEAN_EPASSPHRASE);
    assert_int_equal(unlock_anew(f, &credential), SPEAN_ESTATE);
    assert_int_equal(unlock_anew(f, &passphrase), SPEAN_OK);
}

static void locking_takes_all_but_the_transport_secret(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = created(f);
    add_org(keys, f, 1, 7);
    struct spean_key org;
    org = spean_keys_org_at(keys, 0)->key;
    uint8_t transport[SPEAN_KEY_BYTES];
    const uint8_t *before = spean_keys_transport_secret(keys);
    (void)memcpy(transport, before, sizeof(transport));

    spean_keys_lock(keys);
    spean_keys_lock(keys);
    assert_true(spean_keys_locked(keys));
    assert_null(spean_keys_signing_seed(keys));
    assert_null(spean_keys_signer(keys));
    assert_null(spean_keys_sealing_secret(keys));
    assert_null(spean_keys_value_key(keys));
    assert_null(spean_keys_name_key(keys));
    assert_null(spean_keys_org_find(keys, &org));
    assert_int_equal(spean_keys_org_count(keys), 0);
    assert_ptr_equal(spean_keys_transport_secret(keys), before);
    assert_memory_equal(before, transport, sizeof(transport));

    assert_int_equal(spean_keys_unlock(keys, f->db, &other), SPEAN_EPASSPHRASE);
    assert_true(spean_keys_locked(keys));
    assert_int_equal(spean_keys_unlock(keys, f->db, &credential), SPEAN_OK);
    assert_non_null(spean_keys_signing_seed(keys));
    assert_int_equal(spean_keys_org_count(keys), 1);
    assert_ptr_equal(spean_keys_transport_secret(keys), before);
    spean_keys_free(keys);
}

static void count_call(void *ctx, bool on)
{
    unsigned *calls = ctx;
    assert_int_equal(on, *calls % 2 == 0);
    (*calls)++;
}

static void readers_are_held_off_while_a_secret_is_added_after_an_unlock_too(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = created(f);
    unsigned calls = 0;
    spean_keys_guard(keys, count_call, &calls);
    add_org(keys, f, 1, 7);
    assert_int_equal(calls, 2);
    add_org(keys, f, 1, 7); /* Held already: nothing is exchanged. */
    assert_int_equal(calls, 2);
    spean_keys_lock(keys);
    assert_int_equal(spean_keys_unlock(keys, f->db, &credential), SPEAN_OK);
    add_org(keys, f, 2, 8);
    assert_int_equal(calls, 4);
    spean_keys_free(keys);
}

static void what_needs_the_secrets_is_refused_when_locked(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = created(f);
    spean_keys_lock(keys);
    uint8_t secret[SPEAN_KEY_BYTES];
    secret_of(1, secret);
    assert_int_equal(spean_keys_add_org(keys, f->db, 1, secret), SPEAN_ELOCKED);
    assert_int_equal(spean_keys_rewrap(keys, f->db, &credential, &other), SPEAN_ELOCKED);
    spean_keys_free(keys);
    assert_int_equal(unlock_anew(f, &credential), SPEAN_OK);
}

static void after_rewrapping_only_the_new_one_opens(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = created(f);
    add_org(keys, f, 1, 7);
    const uint8_t *signing = spean_keys_signing_seed(keys);
    assert_int_equal(spean_keys_rewrap(keys, f->db, &credential, &other), SPEAN_OK);
    assert_ptr_equal(spean_keys_signing_seed(keys), signing);
    assert_int_equal(unlock_anew(f, &credential), SPEAN_EPASSPHRASE);
    assert_int_equal(unlock_anew(f, &other), SPEAN_OK);

    add_org(keys, f, 2, 8); /* Sealed under the new wrapping key. */
    struct spean_keys *again = new_keys();
    assert_int_equal(spean_keys_unlock(again, f->db, &other), SPEAN_OK);
    assert_int_equal(spean_keys_org_count(again), 2);
    assert_memory_equal(spean_keys_signing_seed(again), signing, SPEAN_KEY_BYTES);
    spean_keys_free(keys);
    spean_keys_free(again);
}

static void rewrapping_wants_the_present_passphrase_and_a_good_new_one(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = created(f);
    struct spean_unlock empty = passphrase;
    empty.bytes.len = 0;
    assert_int_equal(spean_keys_rewrap(keys, f->db, &other, &other), SPEAN_EPASSPHRASE);
    assert_int_equal(spean_keys_rewrap(keys, f->db, &passphrase, &other), SPEAN_ESTATE);
    assert_int_equal(spean_keys_rewrap(keys, f->db, &credential, &empty), SPEAN_EINPUT);
    assert_false(spean_keys_locked(keys));
    assert_int_equal(unlock_anew(f, &credential), SPEAN_OK);
    spean_keys_free(keys);
}

static void org_secrets_are_durable_and_ordered_by_generation(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = created(f);
    add_org(keys, f, 3, 3);
    add_org(keys, f, 1, 1);
    add_org(keys, f, 2, 2);
    add_org(keys, f, 2, 9); /* Of another branch: both are kept. */
    add_org(keys, f, 2, 2); /* Held already. */
    spean_keys_free(keys);

    keys = new_keys();
    assert_int_equal(spean_keys_unlock(keys, f->db, &credential), SPEAN_OK);
    assert_int_equal(spean_keys_org_count(keys), 4);
    static const uint32_t generations[] = {1, 2, 2, 3};
    for (size_t i = 0; i < 4; i++) {
        const struct spean_org_secret *org = spean_keys_org_at(keys, i);
        struct spean_key key;
        assert_int_equal(org->generation, generations[i]);
        spean_x25519_public(&key, org->secret);
        assert_memory_equal(key.bytes, org->key.bytes, sizeof(key.bytes));
        assert_ptr_equal(spean_keys_org_find(keys, &key), org);
    }
    const struct spean_key unknown = {{0}};
    assert_null(spean_keys_org_find(keys, &unknown));
    spean_keys_free(keys);
}

static void an_org_secret_is_not_held_unless_it_is_durable(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = created(f);
    uint8_t secret[SPEAN_KEY_BYTES];
    secret_of(1, secret);
    assert_int_equal(spean_keys_add_org(keys, f->db, 0, secret), SPEAN_EINPUT);
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_keys_add_org(keys, f->db, 1, secret), SPEAN_EBUSY);
    spean_tx_abort(tx);
    assert_int_equal(spean_keys_org_count(keys), 0);
    assert_int_equal(spean_keys_add_org(keys, f->db, 1, secret), SPEAN_OK);
    assert_int_equal(spean_keys_org_count(keys), 1);
    spean_keys_free(keys);
}

static void one_org_secret_too_many_is_refused(void **state)
{
    struct fixture *f = *state;
    struct spean_keys *keys = created(f);
    for (uint32_t i = 1; i <= SPEAN_KEYS_ORG_MAX; i++) {
        add_org(keys, f, UINT32_MAX - i, (uint8_t)i);
    }
    uint8_t secret[SPEAN_KEY_BYTES];
    secret_of(1, secret);
    assert_int_equal(spean_keys_add_org(keys, f->db, 1, secret), SPEAN_ELIMIT);
    assert_int_equal(spean_keys_org_count(keys), SPEAN_KEYS_ORG_MAX);
    spean_keys_free(keys);
    assert_int_equal(unlock_anew(f, &credential), SPEAN_OK);
}

static void a_row_with_a_byte_changed_or_cut_is_refused(void **state)
{
    struct fixture *f = *state;
    spean_keys_free(created(f));
    uint8_t row[1024];
    const size_t len = fixture_get(f, SPEAN_TABLE_META, "keystore", row, sizeof(row));
    for (size_t i = 0; i < len; i += 13) {
        row[i] ^= 0x20;
        fixture_put(f, SPEAN_TABLE_META, "keystore", (struct spean_view){row, len});
        row[i] ^= 0x20;
        assert_int_not_equal(unlock_anew(f, &credential), SPEAN_OK);
        fixture_put(f, SPEAN_TABLE_META, "keystore", (struct spean_view){row, i});
        assert_int_equal(unlock_anew(f, &credential), SPEAN_ECORRUPT);
    }
    fixture_put(f, SPEAN_TABLE_META, "keystore", (struct spean_view){row, len});
    assert_int_equal(unlock_anew(f, &credential), SPEAN_OK);
}

static void an_overlong_row_is_corrupt(void **state)
{
    struct fixture *f = *state;
    static const uint8_t row[100000] = {0};
    fixture_put(f, SPEAN_TABLE_META, "keystore", (struct spean_view){row, sizeof(row)});
    assert_int_equal(unlock_anew(f, &credential), SPEAN_ECORRUPT);
}

#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_store_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(created_secrets_come_back_after_reopening),
        ON_STORE(no_two_secrets_are_alike),
        ON_STORE(a_keystore_is_never_created_over_another),
        ON_STORE(a_store_without_a_keystore_says_so),
        ON_STORE(the_wrong_passphrase_opens_nothing),
        ON_STORE(locking_takes_all_but_the_transport_secret),
        ON_STORE(readers_are_held_off_while_a_secret_is_added_after_an_unlock_too),
        ON_STORE(what_needs_the_secrets_is_refused_when_locked),
        ON_STORE(after_rewrapping_only_the_new_one_opens),
        ON_STORE(rewrapping_wants_the_present_passphrase_and_a_good_new_one),
        ON_STORE(org_secrets_are_durable_and_ordered_by_generation),
        ON_STORE(an_org_secret_is_not_held_unless_it_is_durable),
        ON_STORE(one_org_secret_too_many_is_refused),
        ON_STORE(a_row_with_a_byte_changed_or_cut_is_refused),
        ON_STORE(an_overlong_row_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
