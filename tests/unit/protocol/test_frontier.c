#include "protocol/frontier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct spean_excluded nobody = {NULL, 0};

static struct spean_id log_of(uint8_t first, uint8_t second)
{
    return (struct spean_id){{first, second}};
}

static int set_up(void **state)
{
    struct spean_frontier *f = NULL;
    assert_int_equal(spean_frontier_new(&f), SPEAN_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    spean_frontier_free(*state);
    return 0;
}

static void set(struct spean_frontier *f, struct spean_id log, uint64_t seq, uint8_t entry)
{
    const struct spean_place head = {seq, {{entry}}};
    assert_int_equal(spean_frontier_set(f, &log, &head), SPEAN_OK);
}

static void rows_stay_in_order_whatever_the_order_of_arrival(void **state)
{
    struct spean_frontier *f = *state;
    for (unsigned i = 0; i < 256; i++) {
        set(f, log_of((uint8_t)(i * 167), 0), i + 1, 1);
    }
    assert_int_equal(spean_frontier_count(f), 256);
    for (size_t i = 1; i < 256; i++) {
        assert_true(spean_id_compare(&spean_frontier_row(f, i - 1)->log,
                                     &spean_frontier_row(f, i)->log) < 0);
    }
    const struct spean_id log = log_of((uint8_t)(7 * 167), 0);
    assert_int_equal(spean_frontier_get(f, &log).seq, 8);
}

static void what_is_not_held_has_seq_0(void **state)
{
    struct spean_frontier *f = *state;
    const struct spean_id log = log_of(1, 1);
    assert_int_equal(spean_frontier_get(f, &log).seq, 0);
    set(f, log_of(1, 0), 4, 1);
    assert_int_equal(spean_frontier_get(f, &log).seq, 0);
}

static void seq_0_takes_a_row_away(void **state)
{
    struct spean_frontier *f = *state;
    set(f, log_of(1, 0), 4, 1);
    set(f, log_of(2, 0), 4, 1);
    set(f, log_of(1, 0), 0, 0);
    set(f, log_of(9, 0), 0, 0);
    assert_int_equal(spean_frontier_count(f), 1);
    assert_int_equal(spean_frontier_row(f, 0)->log.bytes[0], 2);
}

static bool digests_equal(const struct spean_frontier *a, const struct spean_frontier *b,
                          struct spean_excluded excluded)
{
    struct spean_id x;
    struct spean_id y;
    spean_frontier_digest(a, excluded, &x);
    spean_frontier_digest(b, excluded, &y);
    return spean_id_equal(&x, &y);
}

static void equal_heights_with_other_entries_do_not_look_in_step(void **state)
{
    struct spean_frontier *f = *state;
    struct spean_frontier *other = NULL;
    assert_int_equal(spean_frontier_new(&other), SPEAN_OK);
    set(f, log_of(1, 0), 4, 1);
    set(other, log_of(1, 0), 4, 1);
    assert_true(digests_equal(f, other, nobody));
    set(other, log_of(1, 0), 4, 2);
    assert_false(digests_equal(f, other, nobody));
    const uint64_t shorts[] = {UINT64_C(1) << 56};
    assert_true(digests_equal(f, other, (struct spean_excluded){shorts, 1}));
    spean_frontier_free(other);
}

static void a_bucket_digest_changes_with_its_own_rows_only(void **state)
{
    struct spean_frontier *f = *state;
    uint8_t before[SPEAN_BUCKETS_COUNT][SPEAN_BUCKET_DIGEST_BYTES];
    set(f, log_of(0x10, 0), 4, 1);
    for (uint32_t b = 0; b < SPEAN_BUCKETS_COUNT; b++) {
        spean_frontier_bucket_digest(f, b, nobody, before[b]);
    }
    const struct spean_id log = log_of(0xff, 0);
    set(f, log, 1, 1);
    assert_int_equal(spean_frontier_bucket(&log), 63);
    for (uint32_t b = 0; b < SPEAN_BUCKETS_COUNT; b++) {
        uint8_t after[SPEAN_BUCKET_DIGEST_BYTES];
        spean_frontier_bucket_digest(f, b, nobody, after);
        assert_int_equal(memcmp(before[b], after, sizeof(after)) == 0, b != 63);
    }
}

static void buckets_cover_every_row_once(void **state)
{
    struct spean_frontier *f = *state;
    for (unsigned i = 0; i < 256; i++) {
        set(f, log_of((uint8_t)i, 7), 1, 1);
    }
    size_t rows = 0;
    for (uint32_t b = 0; b < SPEAN_BUCKETS_COUNT; b++) {
        const size_t start = spean_frontier_bucket_start(f, b);
        const size_t end = spean_frontier_bucket_start(f, b + 1);
        for (size_t i = start; i < end; i++) {
            assert_int_equal(spean_frontier_bucket(&spean_frontier_row(f, i)->log), b);
        }
        rows += end - start;
    }
    assert_int_equal(rows, 256);
}

static void one_log_above_the_limit_is_refused_and_changes_nothing(void **state)
{
    struct spean_frontier *f = *state;
    for (unsigned i = 0; i < SPEAN_FRONTIER_LOGS_MAX; i++) {
        set(f, log_of((uint8_t)(i >> 8), (uint8_t)i), 1, 1);
    }
    struct spean_id log = log_of(0, 0);
    log.bytes[2] = 1;
    const struct spean_place head = {1, {{1}}};
    assert_int_equal(spean_frontier_set(f, &log, &head), SPEAN_ELIMIT);
    assert_int_equal(spean_frontier_count(f), SPEAN_FRONTIER_LOGS_MAX);
    set(f, log_of(0, 0), 2, 2); /* A known log still moves. */
}

static void a_copy_is_equal_and_its_own(void **state)
{
    struct spean_frontier *f = *state;
    struct spean_frontier *copy = NULL;
    assert_int_equal(spean_frontier_new(&copy), SPEAN_OK);
    set(f, log_of(1, 0), 4, 1);
    assert_int_equal(spean_frontier_copy(copy, f), SPEAN_OK);
    assert_true(digests_equal(f, copy, nobody));
    set(f, log_of(2, 0), 1, 1);
    assert_int_equal(spean_frontier_count(copy), 1);
    spean_frontier_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(rows_stay_in_order_whatever_the_order_of_arrival),
        T(what_is_not_held_has_seq_0),
        T(seq_0_takes_a_row_away),
        T(equal_heights_with_other_entries_do_not_look_in_step),
        T(a_bucket_digest_changes_with_its_own_rows_only),
        T(buckets_cover_every_row_once),
        T(one_log_above_the_limit_is_refused_and_changes_nothing),
        T(a_copy_is_equal_and_its_own),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
