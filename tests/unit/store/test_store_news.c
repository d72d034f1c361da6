#include "store/news.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store/fixture.h"

static struct spean_record_id record_of(uint8_t number)
{
    struct spean_record_id record;
    (void)memset(record.bytes, number, sizeof(record.bytes));
    return record;
}

static void changed(struct fixture *f, uint8_t number, uint64_t time_s)
{
    const struct spean_record_id record = record_of(number);
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_news_put(tx, &record, time_s), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

/* Read on from after: fail unless these records come, in this order. */
static void assert_news(struct fixture *f, uint64_t after, const char *numbers)
{
    struct spean_tx *tx = NULL;
    struct spean_news row = {.number = after};
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    for (const char *at = numbers; *at != '\0'; at++) {
        const struct spean_record_id want = record_of((uint8_t)(*at - '0'));
        const uint64_t before = row.number;
        assert_int_equal(spean_news_next(tx, before, &row), SPEAN_OK);
        assert_true(row.number > before);
        assert_memory_equal(&row.record, &want, sizeof(want));
    }
    assert_int_equal(spean_news_next(tx, row.number, &row), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static uint64_t last(struct fixture *f)
{
    struct spean_tx *tx = NULL;
    uint64_t number = UINT64_MAX;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    assert_int_equal(spean_news_last(tx, &number), SPEAN_OK);
    spean_tx_abort(tx);
    return number;
}

static void an_empty_list_has_no_end(void **state)
{
    struct fixture *f = *state;
    assert_news(f, 0, "");
    assert_news(f, UINT64_MAX, "");
    assert_int_equal(last(f), 0);
}

static void records_come_in_the_order_of_their_last_change(void **state)
{
    struct fixture *f = *state;
    changed(f, 1, 100);
    changed(f, 2, 100);
    changed(f, 3, 100);
    changed(f, 1, 101);
    assert_news(f, 0, "231");
}

static void a_place_stays_one_over_changes_and_a_new_start(void **state)
{
    struct fixture *f = *state;
    changed(f, 1, 100);
    changed(f, 2, 100);
    const uint64_t place = last(f);
    changed(f, 2, 101);
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, 0), SPEAN_OK);
    assert_news(f, place, "2");
    assert_news(f, last(f), "");
    changed(f, 2, 102);
    changed(f, 2, 103);
    assert_news(f, place, "2");
}

static void the_time_is_that_of_the_last_change(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = NULL;
    struct spean_news row;
    changed(f, 1, 100);
    changed(f, 1, 250);
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    assert_int_equal(spean_news_next(tx, 0, &row), SPEAN_OK);
    assert_int_equal(row.time_s, 250);
    spean_tx_abort(tx);
}

static void a_damaged_row_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct spean_record_id record = record_of(1);
    const struct spean_view id = {record.bytes, sizeof(record.bytes)};
    struct spean_tx *tx = NULL;
    struct spean_news row;
    changed(f, 1, 100);
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    (void)spean_tx_put(tx, SPEAN_TABLE_NEWS_OF, id, fixture_text("short"));
    assert_int_equal(spean_news_put(tx, &record, 101), SPEAN_ECORRUPT);
    assert_int_equal(spean_tx_err(tx), SPEAN_ECORRUPT);
    spean_tx_abort(tx);
    struct spean_db_key key = {0};
    spean_db_key_put_u64(&key, 1);
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    (void)spean_tx_put(tx, SPEAN_TABLE_NEWS, spean_db_key_view(&key), fixture_text("short"));
    assert_int_equal(spean_news_next(tx, 0, &row), SPEAN_ECORRUPT);
    spean_tx_abort(tx);
}

int main(void)
{
#define RULE(name) cmocka_unit_test_setup_teardown(name, fixture_store_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        RULE(an_empty_list_has_no_end),
        RULE(records_come_in_the_order_of_their_last_change),
        RULE(a_place_stays_one_over_changes_and_a_new_start),
        RULE(the_time_is_that_of_the_last_change),
        RULE(a_damaged_row_is_refused),
    };
#undef RULE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
