#include "store/local.h"

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
static const struct spean_record_id record = {{1, 2, 3}};
static const struct spean_record_id other = {{1, 2, 4}};

static struct spean_keys *keys;
static uint8_t buf[SPEAN_LOCAL_VALUE_BYTES_MAX];
static size_t len;

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

static spean_err put(struct fixture *f, const struct spean_record_id *of, const char *name,
                     struct spean_view value)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    const spean_err err = spean_local_put(tx, keys, of, fixture_text(name), value);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    return err;
}

static spean_err get(struct fixture *f, const struct spean_record_id *of, const char *name,
                     size_t cap)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    const spean_err err = spean_local_get(tx, keys, of, fixture_text(name), buf, cap, &len);
    spean_tx_abort(tx);
    return err;
}

static spean_err del(struct fixture *f, const struct spean_record_id *of, const char *name)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    const spean_err err = spean_local_del(tx, keys, of, fixture_text(name));
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    return err;
}

static void a_field_reads_back_until_it_is_replaced_or_deleted(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(put(f, &record, "comment", fixture_text("first")), SPEAN_OK);
    assert_int_equal(put(f, &record, "comment", fixture_text("second")), SPEAN_OK);
    assert_int_equal(get(f, &record, "comment", sizeof(buf)), SPEAN_OK);
    assert_int_equal(len, 6);
    assert_memory_equal(buf, "second", 6);
    assert_int_equal(get(f, &record, "draft", sizeof(buf)), SPEAN_ENOTFOUND);
    assert_int_equal(get(f, &other, "comment", sizeof(buf)), SPEAN_ENOTFOUND);
    assert_int_equal(del(f, &record, "comment"), SPEAN_OK);
    assert_int_equal(del(f, &record, "comment"), SPEAN_ENOTFOUND);
    assert_int_equal(get(f, &record, "comment", sizeof(buf)), SPEAN_ENOTFOUND);
}

static void the_longest_field_fits_and_a_longer_one_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t *value = calloc(1, SPEAN_LOCAL_VALUE_BYTES_MAX + 1);
    assert_non_null(value);
    assert_int_equal(
        put(f, &record, "draft", (struct spean_view){value, SPEAN_LOCAL_VALUE_BYTES_MAX + 1}),
        SPEAN_EINPUT);
    assert_int_equal(
        put(f, &record, "draft", (struct spean_view){value, SPEAN_LOCAL_VALUE_BYTES_MAX}),
        SPEAN_OK);
    free(value);
    assert_int_equal(get(f, &record, "draft", sizeof(buf) - 1), SPEAN_ELIMIT);
    assert_int_equal(get(f, &record, "draft", sizeof(buf)), SPEAN_OK);
    assert_int_equal(len, SPEAN_LOCAL_VALUE_BYTES_MAX);
}

static void names_have_a_length(void **state)
{
    struct fixture *f = *state;
    char name[SPEAN_LOCAL_NAME_BYTES_MAX + 2] = {0};
    (void)memset(name, 'n', SPEAN_LOCAL_NAME_BYTES_MAX + 1);
    assert_int_equal(put(f, &record, name, fixture_text("v")), SPEAN_EINPUT);
    assert_int_equal(put(f, &record, "", fixture_text("v")), SPEAN_EINPUT);
    assert_int_equal(get(f, &record, "", sizeof(buf)), SPEAN_EINPUT);
    assert_int_equal(del(f, &record, name), SPEAN_EINPUT);
    name[SPEAN_LOCAL_NAME_BYTES_MAX] = '\0';
    assert_int_equal(put(f, &record, name, (struct spean_view){0}), SPEAN_OK);
    assert_int_equal(get(f, &record, name, 0), SPEAN_OK);
    assert_int_equal(len, 0);
}

static void nothing_of_it_is_readable_on_disk_or_when_locked(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(put(f, &record, "comment", fixture_text("knows Maria")), SPEAN_OK);
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    assert_int_equal(
        spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOCAL, (struct spean_view){record.bytes, 16}),
        SPEAN_OK);
    assert_int_equal(spean_cursor_first(&cursor, &key, &value), SPEAN_OK);
    for (size_t i = 0; i + 7 <= value.len; i++) {
        assert_memory_not_equal(value.data + i, "comment", 7);
    }
    for (size_t i = 0; i + 7 <= key.len; i++) {
        assert_memory_not_equal(key.data + i, "comment", 7);
    }
    spean_cursor_fini(&cursor);
    spean_tx_abort(tx);
    spean_keys_lock(keys);
    assert_int_equal(get(f, &record, "comment", sizeof(buf)), SPEAN_ELOCKED);
    assert_int_equal(put(f, &record, "comment", fixture_text("x")), SPEAN_ELOCKED);
    assert_int_equal(del(f, &record, "comment"), SPEAN_ELOCKED);
}

static void all_fields_of_a_record_go_at_once_also_when_locked(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(put(f, &record, "comment", fixture_text("a")), SPEAN_OK);
    assert_int_equal(put(f, &record, "draft", fixture_text("b")), SPEAN_OK);
    assert_int_equal(put(f, &other, "draft", fixture_text("c")), SPEAN_OK);
    spean_keys_lock(keys);
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_local_del_all(tx, &record), SPEAN_OK);
    assert_int_equal(spean_local_del_all(tx, &record), SPEAN_OK); /* Nothing is left. */
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    assert_int_equal(spean_keys_unlock(keys, f->db, &credential), SPEAN_OK);
    assert_int_equal(get(f, &record, "draft", sizeof(buf)), SPEAN_ENOTFOUND);
    assert_int_equal(get(f, &other, "draft", sizeof(buf)), SPEAN_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_field_reads_back_until_it_is_replaced_or_deleted),
        TEST(the_longest_field_fits_and_a_longer_one_is_refused),
        TEST(names_have_a_length),
        TEST(nothing_of_it_is_readable_on_disk_or_when_locked),
        TEST(all_fields_of_a_record_go_at_once_also_when_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
