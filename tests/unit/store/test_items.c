/*
 * store/items.h: list items are rows, so a change to a list writes few of them, and what is shown
 * is what folding in memory gives (node_fold() compares the canonical states).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/hash.h"
#include "store/items.h"
#include "tests/unit/store/world.h"

#define LIST          3002u
#define MANY          3000u
#define ROWS_MAX      65536u
#define ROWS_PUT_MAX  12u /* For one operation on a list, of whatever length. */
#define BYTES_PUT_MAX 4096u
#define VALUE_BYTES   1024u

static const uint8_t key_a[SPEAN_KEY_BYTES] = {0xa1};

struct env {
    struct world *w;
    struct node *node;
    struct spean_part_name part;
};

static int setup(void **state)
{
    struct env *e = calloc(1, sizeof(*e));
    uint8_t fixed[WORLD_BYTES_MAX];
    assert_non_null(e);
    e->w = world_new();
    e->node = node_new(e->w, 0);
    e->part = (struct spean_part_name){world_record(e->w, 0, 7), SPEAN_PART_STEPS};
    const struct world_grant grant = world_referral_grant(&e->part, key_a);
    const struct world_change create = world_referral_create(e->w, &e->part, key_a, 7, fixed);
    (void)world_grant(e->w, 0, &grant);
    (void)world_write(e->w, 0, &create);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;
    node_free(e->node);
    world_free(e->w);
    free(e);
    return 0;
}

/* Append count items, as many in one change as there is room for; or strike one. */
static uint64_t append(struct env *e, unsigned log, uint32_t count)
{
    uint64_t seq = 0;
    for (uint32_t done = 0; done < count;) {
        struct world_change change = {.type = SPEAN_TYPE_REFERRAL,
                                      .record = e->part.record,
                                      .part = e->part.part,
                                      .key = key_a};
        for (; change.ops_count < WORLD_OPS_MAX && done < count; done++) {
            change.ops[change.ops_count++] = (struct world_op){.field = LIST,
                                                               .kind = SPEAN_KIND_LIST,
                                                               .verb = SPEAN_VERB_APPEND,
                                                               .value = (uint8_t)(done % 100)};
        }
        seq = world_write(e->w, log, &change);
    }
    return seq;
}

static void strike(struct env *e, unsigned log, unsigned of, uint64_t seq)
{
    uint8_t buf[SPEAN_DOT_BYTES_MAX];
    const struct spean_dot dot = {spean_short_of(&e->w->logs[of]->log), seq, 0};
    const struct world_change change = {
        .type = SPEAN_TYPE_REFERRAL,
        .record = e->part.record,
        .part = e->part.part,
        .key = key_a,
        .ops_count = 1,
        .ops = {{LIST, SPEAN_KIND_LIST, SPEAN_VERB_STRIKE, 0, spean_dot_encode(&dot, buf)}}};
    (void)world_write(e->w, log, &change);
}

static void fold_all(struct env *e)
{
    node_take_all(e->node);
    node_fold(e->node);
}

/* -- What is in the store -------------------------------------------------------------------- */

/* A hash of each row that the fold wrote, and their lengths. */
struct rows {
    uint32_t count;
    uint64_t hashes[ROWS_MAX];
    size_t lens[ROWS_MAX];
};

static void rows_read(struct env *e, enum spean_table table, struct rows *rows)
{
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    struct spean_tx *tx = node_read(e->node);
    assert_int_equal(spean_cursor_init(&cursor, tx, table, (struct spean_view){0}), SPEAN_OK);
    spean_err err = spean_cursor_first(&cursor, &key, &value);
    for (; err == SPEAN_OK; err = spean_cursor_next(&cursor, &key, &value)) {
        const uint8_t head = (uint8_t)table;
        uint8_t hash[SPEAN_HASH_BYTES_MIN];
        struct spean_hash h;
        spean_hash_begin(&h, "test/row", sizeof(hash));
        spean_hash_update(&h, &head, 1);
        spean_hash_update(&h, key.data, key.len);
        spean_hash_update(&h, value.data, value.len);
        spean_hash_end(&h, hash, sizeof(hash));
        assert_true(rows->count < ROWS_MAX);
        rows->hashes[rows->count] = spean_u64_get(hash);
        rows->lens[rows->count] = key.len + value.len;
        rows->count++;
    }
    assert_int_equal(err, SPEAN_ENOTFOUND);
    spean_cursor_fini(&cursor);
    spean_tx_abort(tx);
}

/* Every row beside those of the log itself. */
static struct rows *all_rows(struct env *e)
{
    struct rows *rows = calloc(1, sizeof(*rows));
    assert_non_null(rows);
    for (enum spean_table table = SPEAN_TABLE_PART_KEYS; table < SPEAN_TABLES_COUNT; table++) {
        rows_read(e, table, rows);
    }
    return rows;
}

static int hashes_compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Say how many rows are others now, new or written again: sealing never gives the same bytes. */
static void assert_few_put(struct env *e, struct rows *before)
{
    struct rows *after = all_rows(e);
    uint32_t put = 0;
    size_t bytes = 0;
    qsort(before->hashes, before->count, sizeof(before->hashes[0]), hashes_compare);
    for (uint32_t i = 0; i < after->count; i++) {
        if (bsearch(&after->hashes[i], before->hashes, before->count, sizeof(before->hashes[0]),
                    hashes_compare) == NULL) {
            put++;
            bytes += after->lens[i];
        }
    }
    assert_true(put > 0);
    assert_true(put <= ROWS_PUT_MAX);
    assert_true(bytes <= BYTES_PUT_MAX);
    free(before);
    free(after);
}

static uint64_t items_rows(struct env *e)
{
    uint64_t count = 0;
    struct spean_tx *tx = node_read(e->node);
    assert_int_equal(spean_items_count(tx, &e->part, &count), SPEAN_OK);
    spean_tx_abort(tx);
    return count;
}

/* Count the items that are shown, and those of them that are struck. */
static uint32_t items_shown(struct env *e, uint32_t *struck)
{
    struct spean_part *part = NULL;
    struct spean_tx *tx = node_read(e->node);
    *struck = 0;
    assert_int_equal(spean_record_part(tx, e->node->keys, &e->part, &part), SPEAN_OK);
    const struct spean_field *const list = spean_part_find(part, LIST, SPEAN_KIND_LIST);
    const size_t count = list == NULL ? 0 : spean_field_writes_count(list);
    for (size_t i = 0; i < count; i++) {
        struct spean_write item;
        spean_field_get_write(list, i, &item);
        *struck += item.struck ? 1 : 0;
    }
    spean_part_free(part);
    spean_tx_abort(tx);
    return (uint32_t)count;
}

/* -- Few rows -------------------------------------------------------------------------------- */

static void one_append_or_strike_writes_few_rows_however_long_the_list(void **state)
{
    struct env *e = *state;
    uint32_t struck = 0;
    const uint64_t some = append(e, 0, MANY);
    fold_all(e);
    assert_int_equal(items_rows(e), 2 * MANY);
    struct rows *before = all_rows(e);
    (void)append(e, 1, 1);
    fold_all(e);
    assert_few_put(e, before);
    before = all_rows(e);
    strike(e, 1, 0, some - 5);
    fold_all(e);
    assert_few_put(e, before);
    before = all_rows(e);
    strike(e, 1, 1, 1000); /* Of what may come. */
    fold_all(e);
    assert_few_put(e, before);
    assert_int_equal(items_shown(e, &struck), MANY + 1);
    assert_int_equal(struck, 1);
    assert_int_equal(items_rows(e), 2 * (MANY + 1) + 1);
}

static void the_hash_of_streamed_rows_is_that_of_the_canonical_state(void **state)
{
    struct env *e = *state;
    const uint64_t some = append(e, 0, 40);
    strike(e, 1, 0, some);
    strike(e, 1, 0, 500);
    fold_all(e);
    uint8_t *bytes = NULL;
    size_t len = 0;
    struct spean_part *part = NULL;
    struct spean_part *whole = NULL;
    struct spean_id hash;
    struct spean_id expected;
    struct spean_tx *tx = node_read(e->node);
    assert_int_equal(spean_record_state(tx, e->node->keys, &e->part, &bytes, &len), SPEAN_OK);
    assert_int_equal(spean_record_hash(tx, e->node->keys, &e->part, &hash), SPEAN_OK);
    spean_part_hash(&expected, (struct spean_view){bytes, len});
    assert_memory_equal(hash.bytes, expected.bytes, sizeof(hash.bytes));
    assert_int_equal(spean_part_decode((struct spean_view){bytes, len}, &part), SPEAN_OK);
    assert_int_equal(spean_record_part(tx, e->node->keys, &e->part, &whole), SPEAN_OK);
    struct spean_view again;
    uint8_t *buf = malloc(spean_part_encoded_max(whole));
    assert_non_null(buf);
    assert_int_equal(spean_part_encode(whole, buf, spean_part_encoded_max(whole), &again),
                     SPEAN_OK);
    assert_int_equal(again.len, len);
    assert_memory_equal(again.data, bytes, len);
    spean_tx_abort(tx);
    spean_part_free(part);
    spean_part_free(whole);
    free(bytes);
    free(buf);
}

/* -- Order ----------------------------------------------------------------------------------- */

static void a_strike_may_arrive_before_its_item(void **state)
{
    struct env *e = *state;
    uint32_t struck = 0;
    const uint64_t seq = append(e, 0, 1);
    strike(e, 1, 0, seq);
    node_take(e->node, 0, seq - 1, true);
    node_take(e->node, 0, seq, false);
    node_take(e->node, 1, 1, true);
    node_fold(e->node);
    assert_int_equal(items_shown(e, &struck), 0);
    assert_int_equal(items_rows(e), 1);
    node_body(e->node, 0, seq);
    node_fold(e->node);
    assert_int_equal(items_shown(e, &struck), 1);
    assert_int_equal(struck, 1);
    assert_int_equal(items_rows(e), 2); /* The strike has found its item. */
    const struct spean_id late = node_shown(e->node);
    node_wipe(e->node);
    fold_all(e);
    const struct spean_id shown = node_shown(e->node);
    assert_memory_equal(shown.bytes, late.bytes, sizeof(shown.bytes));
}

static void items_of_a_cut_log_go_and_those_of_others_stay(void **state)
{
    struct env *e = *state;
    uint32_t struck = 0;
    (void)append(e, 0, 10);
    const uint64_t keep = append(e, 1, 1);
    (void)append(e, 1, 9);
    strike(e, 1, 0, 3);
    fold_all(e);
    assert_int_equal(items_shown(e, &struck), 20);
    assert_int_equal(struck, 1);
    world_cut(e->w, 1, keep);
    node_documents(e->node);
    node_fold(e->node);
    assert_int_equal(items_shown(e, &struck), 11);
    assert_int_equal(struck, 0);
    assert_int_equal(items_rows(e), 22);
}

static void an_erased_part_has_no_rows(void **state)
{
    struct env *e = *state;
    (void)append(e, 0, 10);
    strike(e, 1, 0, 900);
    fold_all(e);
    assert_int_equal(items_rows(e), 21);
    (void)world_erase_part(e->w, 0, &e->part, key_a);
    fold_all(e);
    assert_int_equal(items_rows(e), 0);
}

/* -- Damage ---------------------------------------------------------------------------------- */

/* Turn a bit of the last byte of the value of the row at index of the table of items, or delete it.
 */
static void damage(struct env *e, uint32_t index, bool gone)
{
    uint8_t copy[VALUE_BYTES];
    struct spean_db_key at = {0};
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(e->node->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_cursor_init(&cursor, tx, SPEAN_TABLE_ITEMS, (struct spean_view){0}),
                     SPEAN_OK);
    assert_int_equal(spean_cursor_first(&cursor, &key, &value), SPEAN_OK);
    for (uint32_t i = 0; i < index; i++) {
        assert_int_equal(spean_cursor_next(&cursor, &key, &value), SPEAN_OK);
    }
    spean_db_key_put_bytes(&at, key.data, key.len);
    assert_true(value.len <= sizeof(copy));
    memcpy(copy, value.data, value.len);
    copy[value.len - 1] ^= 1;
    const size_t len = value.len;
    spean_cursor_fini(&cursor);
    if (gone) {
        (void)spean_tx_del(tx, SPEAN_TABLE_ITEMS, spean_db_key_view(&at));
    } else {
        (void)spean_tx_put(tx, SPEAN_TABLE_ITEMS, spean_db_key_view(&at),
                           (struct spean_view){copy, len});
    }
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

static void a_damaged_or_missing_item_is_not_shown_as_if_it_were_whole(void **state)
{
    struct env *e = *state;
    (void)append(e, 0, 3);
    fold_all(e);
    for (uint32_t gone = 0; gone < 2; gone++) {
        struct spean_part *part = NULL;
        struct spean_id hash;
        damage(e, 1, gone == 1);
        struct spean_tx *tx = node_read(e->node);
        assert_int_equal(spean_record_part(tx, e->node->keys, &e->part, &part), SPEAN_ECORRUPT);
        assert_int_equal(spean_record_hash(tx, e->node->keys, &e->part, &hash), SPEAN_ECORRUPT);
        assert_int_equal(spean_record_trunk(tx, e->node->keys, &e->part, &part), SPEAN_OK);
        spean_part_free(part);
        spean_tx_abort(tx);
    }
}

static void locked_keys_show_no_items(void **state)
{
    struct env *e = *state;
    struct spean_part *part = NULL;
    (void)append(e, 0, 3);
    fold_all(e);
    spean_keys_lock(e->node->keys);
    struct spean_tx *tx = node_read(e->node);
    assert_int_equal(spean_record_part(tx, e->node->keys, &e->part, &part), SPEAN_ELOCKED);
    spean_tx_abort(tx);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_append_or_strike_writes_few_rows_however_long_the_list),
        T(the_hash_of_streamed_rows_is_that_of_the_canonical_state),
        T(a_strike_may_arrive_before_its_item),
        T(items_of_a_cut_log_go_and_those_of_others_stay),
        T(an_erased_part_has_no_rows),
        T(a_damaged_or_missing_item_is_not_shown_as_if_it_were_whole),
        T(locked_keys_show_no_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
