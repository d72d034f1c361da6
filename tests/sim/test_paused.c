/* Logs that one node paused: excluded by name, while everything else goes on (P13.5); and nodes
 * that save a metered link (P13.9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/simnet.h"

#define A          0u /* Floods. */
#define B          1u /* Pauses it. */
#define C          2u
#define MINUTES_MS 180000u /* A peer that waits for something in vain is dropped in that time. */

static void nobody_waits(struct sim *sim)
{
    sim_run(sim, MINUTES_MS);
    sim_check(sim);
    assert_int_equal(sim_counts(sim).broke, 0);
    assert_int_equal(sim_counts(sim).drops, 0);
}

static struct sim *with_paused(uint64_t latency_ms)
{
    struct sim *sim =
        sim_new(3, (struct sim_faults){.seed = 1, .latency_ms = (uint32_t)latency_ms});
    sim_dial(sim, B, A);
    sim_dial(sim, C, B);
    sim_commit(sim, A, 3);
    sim_run(sim, 2000);
    assert_int_equal(sim_height(sim, C, A), 3);
    sim_pause(sim, B, A, true);
    sim_run(sim, 2000);
    return sim;
}

static void a_paused_log_is_taken_no_more_and_others_go_on(void **state)
{
    (void)state;
    struct sim *sim = with_paused(0);
    for (uint32_t i = 0; i < 10; i++) {
        sim_commit(sim, A, 5);
        sim_commit(sim, B, 1);
        sim_commit(sim, C, 1);
        sim_run(sim, 500);
    }
    nobody_waits(sim);
    assert_int_equal(sim_height(sim, B, A), 3);
    assert_int_equal(sim_height(sim, C, A), 3);
    assert_int_equal(sim_height(sim, A, B), 10);
    assert_int_equal(sim_height(sim, A, C), 10);
    sim_free(sim);
}

static void a_paused_log_goes_on_in_the_open_session_and_in_a_new_one(void **state)
{
    (void)state;
    for (uint32_t again = 0; again < 2; again++) {
        struct sim *sim = with_paused(20);
        sim_commit(sim, A, 700);
        sim_run(sim, 5000);
        if (again != 0) {
            sim_hang_up(sim, B, A);
            sim_dial(sim, B, A);
            sim_run(sim, 5000);
        }
        assert_int_equal(sim_height(sim, B, A), 3);
        sim_pause(sim, B, A, false);
        nobody_waits(sim);
        assert_int_equal(sim_height(sim, B, A), 703);
        assert_int_equal(sim_height(sim, C, A), 703);
        sim_free(sim);
    }
}

static void a_log_may_be_paused_at_any_moment(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms < 300; ms += 7) {
        struct sim *sim = sim_new(3, (struct sim_faults){.seed = ms, .latency_ms = 20});
        sim_commit(sim, A, 2000);
        sim_commit(sim, B, 4);
        sim_dial(sim, B, A);
        sim_dial(sim, C, B);
        sim_run(sim, ms);
        sim_pause(sim, B, A, true);
        const uint64_t then = sim_height(sim, B, A);
        sim_commit(sim, A, 1);
        nobody_waits(sim);
        assert_true(sim_height(sim, B, A) <= then + 512); /* What was on its way to the disk. */
        assert_int_equal(sim_height(sim, C, B), 4);
        assert_int_equal(sim_height(sim, A, B), 4);
        sim_pause(sim, B, A, false);
        nobody_waits(sim);
        assert_int_equal(sim_height(sim, B, A), 2001);
        sim_free(sim);
    }
}

static void a_relay_that_pushes_a_paused_log_is_told_and_not_kept_waiting(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, (struct sim_faults){.seed = 1});
    sim_relay(sim, B, true);
    sim_dial(sim, A, B);
    sim_dial(sim, C, B);
    sim_run(sim, 2000);
    sim_pause(sim, C, A, true); /* Before anything of it is known. */
    sim_commit(sim, A, 1);
    sim_run(sim, 2000);
    sim_commit(sim, A, 1);
    sim_commit(sim, B, 1);
    nobody_waits(sim);
    assert_int_equal(sim_height(sim, B, A), 2);
    assert_int_equal(sim_height(sim, C, A), 0);
    assert_int_equal(sim_height(sim, C, B), 1);
    sim_free(sim);
}

static void who_saves_asks_for_no_backlog_and_gives_none(void **state)
{
    (void)state;
    for (uint32_t saver = A; saver <= B; saver++) {
        struct sim *sim = sim_new(2, (struct sim_faults){.seed = 1, .latency_ms = 10});
        sim_commit(sim, A, 700);
        sim_save(sim, saver, true);
        sim_dial(sim, B, A);
        nobody_waits(sim);
        assert_int_equal(sim_height(sim, B, A), 0);
        assert_int_equal(sim_counts(sim).by_type[9], 0); /* No RUN. */
        sim_save(sim, saver, false);
        nobody_waits(sim);
        assert_int_equal(sim_height(sim, B, A), 700);
        sim_free(sim);
    }
}

static void who_saves_still_gives_and_takes_what_is_written_and_documents(void **state)
{
    (void)state;
    for (uint32_t saver = A; saver <= B; saver++) {
        struct sim *sim = sim_new(3, (struct sim_faults){.seed = 1, .latency_ms = 10});
        sim_dial(sim, B, A);
        sim_run(sim, 2000);
        sim_save(sim, saver, true);
        sim_commit(sim, A, 2);
        sim_commit(sim, B, 1);
        sim_remove(sim, C);
        nobody_waits(sim);
        assert_int_equal(sim_height(sim, B, A), 2);
        assert_int_equal(sim_height(sim, A, B), 1);
        assert_true(sim_authority_equal(sim, A, B));
        sim_free(sim);
    }
}

static void who_saves_fetches_no_bodies_until_it_saves_no_more(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, (struct sim_faults){.seed = 1});
    sim_dial(sim, B, A);
    sim_commit_sealed(sim, A, 7, 1u << A);
    sim_run(sim, 2000);
    sim_save(sim, B, true);
    sim_grant(sim, 7, B);
    nobody_waits(sim);
    assert_int_equal(sim_bodies(sim, B, A), 0);
    sim_save(sim, B, false);
    nobody_waits(sim);
    assert_int_equal(sim_bodies(sim, B, A), 1);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_paused_log_is_taken_no_more_and_others_go_on),
        cmocka_unit_test(a_paused_log_goes_on_in_the_open_session_and_in_a_new_one),
        cmocka_unit_test(a_log_may_be_paused_at_any_moment),
        cmocka_unit_test(a_relay_that_pushes_a_paused_log_is_told_and_not_kept_waiting),
        cmocka_unit_test(who_saves_asks_for_no_backlog_and_gives_none),
        cmocka_unit_test(who_saves_still_gives_and_takes_what_is_written_and_documents),
        cmocka_unit_test(who_saves_fetches_no_bodies_until_it_saves_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
