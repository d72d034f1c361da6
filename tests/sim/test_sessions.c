/* Whole sessions on virtual time: what two and three nodes say to each other, and what they then
 * hold. Transcripts read as "who > whom what". */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/message.h"
#include "tests/sim/simnet.h"

#define A 0u
#define B 1u
#define C 2u

static void nothing_new_costs_one_round_trip(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_dial(sim, A, B);
    sim_settle_all(sim);
    assert_string_equal(sim_transcript(sim), "A>B HELLO\nB>A HELLO\nB>A SYNCED\nA>B SYNCED\n");
    assert_true(sim_counts(sim).bytes < 700);
    assert_int_equal(sim_counts(sim).equal, 2);
    sim_free(sim);
}

static void a_newcomer_gets_everything_once(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 600);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_true(sim_equal(sim, A, B));
    assert_int_equal(sim_height(sim, B, A), 600);
    assert_int_equal(sim_bodies(sim, B, A), 600);
    assert_int_equal(sim_counts(sim).by_type[8], 1); /* One WANT. */
    assert_int_equal(sim_counts(sim).equal, 2);
    assert_int_equal(sim_counts(sim).broke, 0);
    sim_free(sim);
}

static void both_sides_catch_up_with_each_other(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 300);
    sim_commit(sim, B, 20);
    sim_dial(sim, A, B);
    sim_settle_all(sim);
    assert_true(sim_equal(sim, A, B));
    assert_int_equal(sim_height(sim, A, B), 20);
    assert_int_equal(sim_counts(sim).equal, 2);
    sim_free(sim);
}

static void a_log_larger_than_the_window_arrives_whole(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 15000); /* About 6 MB by P5.6. */
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_int_equal(sim_height(sim, B, A), 15000);
    assert_true(sim_counts(sim).by_type[11] > 0); /* MORE */
    sim_free(sim);
}

static void only_who_catches_up_is_fetching_and_only_until_it_has(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, (struct sim_faults){.seed = 1, .latency_ms = 20});
    sim_commit(sim, A, 600);
    sim_dial(sim, B, A);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 100; i++) {
        sim_run(sim, 5);
        seen += sim_fetching(sim, B) ? 1 : 0;
        assert_false(sim_fetching(sim, A));
        assert_true(sim_fetching(sim, B) || sim_height(sim, B, A) == 0 ||
                    sim_height(sim, B, A) == 600);
    }
    assert_true(seen > 0);
    sim_settle_all(sim);
    assert_false(sim_fetching(sim, B));
    sim_commit(sim, A, 1); /* Pushed: nobody asked. */
    for (uint32_t i = 0; i < 20; i++) {
        sim_run(sim, 5);
        assert_false(sim_fetching(sim, B));
    }
    assert_int_equal(sim_height(sim, B, A), 601);
    sim_free(sim);
}

static void what_is_new_is_pushed_after_catching_up(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_dial(sim, A, B);
    sim_settle_all(sim);
    sim_transcript_clear(sim);
    sim_commit(sim, A, 1);
    sim_settle_all(sim);
    assert_string_equal(sim_transcript(sim), "A>B RUN\nB>A HELD\n");
    assert_true(sim_equal(sim, A, B));
    sim_free(sim);
}

static void who_was_idle_for_long_has_its_minute_to_answer(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, (struct sim_faults){.seed = 1, .latency_ms = 3000});
    sim_dial(sim, A, B);
    sim_settle_all(sim);
    sim_run(sim, 200000);
    sim_commit(sim, A, 1); /* HELD comes after the next look at who owes something. */
    sim_settle_all(sim);
    assert_true(sim_equal(sim, A, B));
    assert_int_equal(sim_counts(sim).drops, 0);
    sim_free(sim);
}

static void what_is_committed_while_a_session_opens_arrives_in_it(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms < 120; ms += 5) {
        for (uint32_t author = A; author <= B; author++) {
            struct sim *sim = sim_new(2, (struct sim_faults){.seed = 1, .latency_ms = 20});
            sim_commit(sim, A, 3);
            sim_dial(sim, A, B);
            sim_run(sim, ms);
            sim_commit(sim, author, 1);
            sim_settle_all(sim);
            assert_true(sim_equal(sim, A, B));
            sim_free(sim);
        }
    }
}

static void pushes_keep_order_and_lose_nothing_when_they_come_fast(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, (struct sim_faults){.seed = 3, .latency_ms = 20});
    sim_dial(sim, A, B);
    sim_settle_all(sim);
    for (int i = 0; i < 100; i++) {
        sim_commit(sim, A, 1);
        sim_run(sim, 3);
    }
    sim_settle_all(sim);
    assert_true(sim_equal(sim, A, B));
    assert_int_equal(sim_height(sim, B, A), 100);
    assert_int_equal(sim_counts(sim).broke, 0);
    sim_free(sim);
}

static void what_one_link_tells_holds_for_the_other(void **state)
{
    (void)state;
    for (uint32_t author = A; author <= B; author++) {
        struct sim *sim = sim_new(2, (struct sim_faults){.seed = 9, .latency_ms = 15});
        sim_commit(sim, author, 5);
        sim_dial(sim, A, B);
        sim_dial(sim, B, A);
        sim_settle_all(sim);
        assert_true(sim_quiet(sim, A));
        assert_true(sim_quiet(sim, B));
        sim_free(sim);
    }
}

/* With three nodes in a ring a push may come after another peer has brought the same entries. */
static void what_comes_by_two_ways_leaves_nobody_waiting(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim *sim = sim_new(3, (struct sim_faults){.seed = seed, .latency_ms = 25});
        sim_dial(sim, A, B);
        sim_dial(sim, B, C);
        sim_dial(sim, C, A);
        if (seed % 2 == 0) {
            sim_dial(sim, B, A); /* Both sides dial, too. */
            sim_dial(sim, C, B);
            sim_dial(sim, A, C);
        }
        sim_settle_all(sim);
        for (uint32_t i = 0; i < 30; i++) {
            sim_commit(sim, i % 3, 1);
            sim_run(sim, (seed * 7 + i * 5) % 31);
        }
        sim_settle_all(sim);
        for (uint32_t node = A; node <= C; node++) {
            assert_true(sim_quiet(sim, node));
        }
        assert_true(sim_equal(sim, A, B));
        assert_true(sim_equal(sim, B, C));
        sim_free(sim);
    }
}

static void headers_travel_through_a_third_node(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    sim_dial(sim, B, A);
    sim_dial(sim, C, A);
    sim_settle_all(sim);
    sim_commit(sim, B, 5);
    sim_settle_all(sim);
    assert_true(sim_equal(sim, A, B));
    assert_true(sim_equal(sim, B, C));
    assert_int_equal(sim_height(sim, C, B), 5);
    sim_free(sim);
}

/* Each log is asked of one peer only, so what the other named comes from elsewhere. */
static void equality_is_proven_with_every_peer_of_one_that_catches_up(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, (struct sim_faults){.seed = 2, .latency_ms = 10});
    sim_commit(sim, A, 3000);
    sim_dial(sim, A, C);
    sim_settle_all(sim);
    const uint64_t before = sim_counts(sim).equal;
    sim_dial(sim, B, A);
    sim_dial(sim, B, C);
    sim_settle_all(sim);
    assert_true(sim_equal(sim, B, C));
    assert_int_equal(sim_counts(sim).equal, before + 4); /* Both ends of both sessions. */
    sim_free(sim);
}

/* Who catches up never says HELD to the author then; that both are equal says as much. */
static void a_node_that_caught_up_through_a_third_node_leaves_the_author_quiet(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, (struct sim_faults){.seed = 2, .latency_ms = 10});
    sim_commit(sim, A, 3000);
    sim_dial(sim, A, C);
    sim_settle_all(sim);
    sim_dial(sim, B, C);
    for (uint32_t ms = 0; ms < SIM_SETTLE_MS && !sim_fetching(sim, B); ms++) {
        sim_run(sim, 1);
    }
    sim_transcript_clear(sim);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_int_equal(sim_height(sim, B, A), 3000);
    assert_null(strstr(sim_transcript(sim), "A>B RUN"));
    assert_null(strstr(sim_transcript(sim), "B>A HELD"));
    assert_true(sim_quiet(sim, A));
    sim_transcript_clear(sim);
    sim_commit(sim, A, 1); /* And the author goes on from there, by pushing. */
    sim_settle_all(sim);
    assert_non_null(strstr(sim_transcript(sim), "A>B RUN\n"));
    assert_null(strstr(sim_transcript(sim), "WANT"));
    assert_true(sim_quiet(sim, A));
    sim_free(sim);
}

static void a_sealed_body_travels_to_its_audience_only(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    sim_dial(sim, B, A);
    sim_dial(sim, C, A);
    sim_settle_all(sim);
    sim_commit_sealed(sim, A, 7, 1u << A | 1u << C);
    sim_settle_all(sim);
    assert_int_equal(sim_height(sim, B, A), 1);
    assert_int_equal(sim_bodies(sim, B, A), 0);
    assert_int_equal(sim_bodies(sim, C, A), 1);
    sim_free(sim);
}

static void a_body_is_fetched_once_its_key_is_granted(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_dial(sim, B, A);
    sim_commit_sealed(sim, A, 7, 1u << A);
    sim_settle_all(sim);
    assert_int_equal(sim_bodies(sim, B, A), 0);
    sim_grant(sim, 7, B);
    sim_settle_all(sim);
    assert_int_equal(sim_bodies(sim, B, A), 1);
    sim_free(sim);
}

static void both_sides_may_dial(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, (struct sim_faults){.seed = 5, .latency_ms = 15});
    sim_commit(sim, A, 3000);
    sim_commit(sim, B, 3000);
    sim_dial(sim, A, B);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_true(sim_equal(sim, A, B));
    assert_int_equal(sim_counts(sim).broke, 0);
    assert_int_equal(sim_counts(sim).by_type[8], 2); /* One WANT for each log, on one link. */
    sim_free(sim);
}

/* A comparison that is over says again that it was equal, when a body came: about how it was then.
 */
static void an_old_comparison_takes_back_nothing_that_was_told_since(void **state)
{
    (void)state;
    for (int both = 0; both <= 1; both++) {
        struct sim *sim = sim_new(2, sim_no_faults);
        sim_commit(sim, A, 1);
        sim_dial(sim, B, A);
        if (both) {
            sim_dial(sim, A, B);
        }
        sim_settle_all(sim);
        sim_commit_sealed(sim, A, 7, 1u << A);
        sim_commit(sim, A, 5);
        sim_settle_all(sim);
        assert_int_equal(sim_told(sim, A, B, A), sim_height(sim, A, A));
        sim_grant(sim, 7, B);
        sim_settle_all(sim);
        assert_int_equal(sim_bodies(sim, B, A), sim_height(sim, B, A));
        assert_int_equal(sim_told(sim, A, B, A), sim_height(sim, A, A));
        sim_free(sim);
    }
}

static void a_cut_connection_loses_at_most_the_runs_in_flight(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, (struct sim_faults){.seed = 6, .latency_ms = 4});
    sim_commit(sim, A, 10000);
    sim_dial(sim, B, A);
    for (int i = 0; i < 5; i++) {
        const uint64_t before = sim_height(sim, B, A);
        sim_run(sim, 60);
        sim_hang_up(sim, B, A);
        assert_true(sim_height(sim, B, A) >= before);
        sim_check(sim);
        sim_dial(sim, B, A);
    }
    sim_settle_all(sim);
    assert_true(sim_equal(sim, A, B));
    sim_free(sim);
}

static void a_fork_is_found_at_unequal_height_and_proven_to_both(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    sim_commit(sim, A, 40);
    sim_dial(sim, B, A);
    sim_dial(sim, C, A);
    sim_settle_all(sim);
    sim_hang_up(sim, B, A);
    sim_fork(sim, A, 30, B, 25); /* B holds another chain from 31 to 55. */
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_true(sim_disputed(sim, A, A));
    assert_true(sim_disputed(sim, B, A));
    assert_true(sim_disputed(sim, C, A));        /* Evidence is passed on. */
    assert_int_equal(sim_height(sim, A, A), 40); /* Each keeps the chain it had. */
    assert_int_equal(sim_height(sim, B, A), 55);
    sim_commit(sim, B, 3); /* Other logs go on. */
    sim_settle_all(sim);
    assert_int_equal(sim_height(sim, C, B), 3);
    assert_int_equal(sim_counts(sim).broke, 0);
    sim_free(sim);
}

static void a_fork_at_equal_height_does_not_look_in_step(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 12);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    sim_hang_up(sim, B, A);
    sim_fork(sim, A, 11, B, 1);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_true(sim_disputed(sim, A, A));
    assert_true(sim_disputed(sim, B, A));
    sim_free(sim);
}

static void a_fork_from_the_first_entry_is_found_too(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 9);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    sim_hang_up(sim, B, A);
    sim_fork(sim, A, 0, B, 9);
    sim_dial(sim, A, B);
    sim_settle_all(sim);
    assert_true(sim_disputed(sim, A, A));
    assert_true(sim_disputed(sim, B, A));
    sim_free(sim);
}

/* The places that A asks from lie 1,024 entries apart here, of which a run repeats 256. */
static void a_fork_behind_runs_of_what_both_hold_is_found_too(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 2200);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    sim_hang_up(sim, B, A);
    sim_fork(sim, A, 900, B, 1400);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_true(sim_disputed(sim, A, A));
    assert_true(sim_disputed(sim, B, A));
    assert_int_equal(sim_height(sim, A, A), 2200);
    assert_int_equal(sim_height(sim, B, A), 2300);
    assert_int_equal(sim_counts(sim).broke, 0);
    sim_free(sim);
}

static void a_removed_member_is_dropped_from_the_open_session_and_gets_nothing_more(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    sim_dial(sim, B, A);
    sim_dial(sim, C, A);
    sim_settle_all(sim);
    sim_remove(sim, B);
    sim_run(sim, 2000);
    sim_commit(sim, A, 4);
    sim_run(sim, 5000);
    assert_int_equal(sim_height(sim, B, A), 0);
    assert_int_equal(sim_height(sim, C, A), 4);
    sim_check(sim);
    sim_free(sim);
}

/* Branches of unequal length at two nodes, so that one of them sees a higher head alone. */
static void both_branches_of_a_charter_reach_both_nodes_whoever_dials(void **state)
{
    (void)state;
    for (uint32_t dialler = A; dialler <= B; dialler++) {
        for (uint32_t longer = A; longer <= B; longer++) {
            struct sim *sim = sim_new(2, sim_no_faults);
            sim_branch_charter(sim, longer, 3, 1000);
            sim_branch_charter(sim, 1 - longer, 1, 2000);
            sim_dial(sim, dialler, 1 - dialler);
            sim_settle_all(sim);
            assert_true(sim_authority_equal(sim, A, B));
            assert_int_equal(sim_charter_heads(sim, A), 2);
            assert_int_equal(sim_charter_heads(sim, B), 2);
            assert_int_equal(sim_counts(sim).equal, 2);
            assert_int_equal(sim_counts(sim).broke, 0);
            sim_free(sim);
        }
    }
}

static void both_branches_of_a_statement_reach_every_node_whoever_dials(void **state)
{
    (void)state;
    for (uint32_t dialler = A; dialler <= B; dialler++) {
        for (uint32_t longer = A; longer <= B; longer++) {
            struct sim *sim = sim_new(3, sim_no_faults);
            sim_branch_statement(sim, C, longer, 3, 1000);
            sim_branch_statement(sim, C, 1 - longer, 1, 2000);
            sim_dial(sim, dialler, 1 - dialler);
            sim_settle_all(sim);
            assert_true(sim_authority_equal(sim, A, B));
            assert_int_equal(sim_heads(sim, A, C), 2);
            sim_dial(sim, C, A);
            sim_settle_all(sim);
            assert_true(sim_authority_equal(sim, A, C));
            assert_int_equal(sim_counts(sim).broke, 0);
            sim_free(sim);
        }
    }
}

static void branches_that_appear_in_an_open_session_reach_the_other_side(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_dial(sim, A, B);
    sim_settle_all(sim);
    sim_hang_up(sim, A, B);
    sim_branch_charter(sim, A, 1, 1000);
    sim_branch_statement(sim, B, B, 2, 1000);
    sim_dial(sim, A, B);
    sim_settle_all(sim);
    sim_branch_charter(sim, B, 4, 2000);
    sim_branch_statement(sim, B, A, 1, 2000);
    sim_settle_all(sim);
    assert_true(sim_authority_equal(sim, A, B));
    assert_int_equal(sim_charter_heads(sim, A), 2);
    assert_int_equal(sim_heads(sim, A, B), 2);
    assert_int_equal(sim_counts(sim).broke, 0);
    sim_free(sim);
}

/* An org's admins make more branches than a node keeps, other ones for each node (P13.3). */
static void more_branches_than_are_kept_part_nobody(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    for (unsigned i = 0; i < 15; i++) {
        sim_branch_statement(sim, C, A, 1, 1000 + i);
        sim_branch_statement(sim, C, B, 1, 2000 + i);
    }
    sim_branch_charter(sim, A, 1, 1000);
    sim_commit(sim, A, 7);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_false(sim_authority_equal(sim, A, B));
    assert_int_equal(sim_heads(sim, A, C), 15);
    assert_int_equal(sim_heads(sim, B, C), 15);
    assert_int_equal(sim_charter_heads(sim, B), 1); /* All else came. */
    assert_true(sim_equal(sim, A, B));
    assert_int_equal(sim_counts(sim).by_report[SPEAN_REPORT_UNEQUAL], 2);
    assert_int_equal(sim_counts(sim).by_type[SPEAN_MESSAGE_TITLES], 2 * 3);
    assert_int_equal(sim_counts(sim).broke, 0);
    sim_free(sim);
}

static void a_full_disk_loses_nothing_and_goes_on_when_there_is_room(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 3000);
    sim_fill_disk(sim, B, 4);
    sim_dial(sim, B, A);
    sim_run(sim, 3000);
    sim_check(sim);
    assert_true(sim_height(sim, B, A) < 3000);
    sim_fill_disk(sim, B, UINT32_MAX);
    sim_run(sim, 180000);
    assert_true(sim_equal(sim, A, B));
    sim_free(sim);
}

static void a_pause_after_a_full_disk_ends_at_once_when_somebody_asks(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 3000);
    sim_fill_disk(sim, B, 4);
    sim_dial(sim, B, A);
    sim_run(sim, 3000);
    sim_fill_disk(sim, B, UINT32_MAX);
    sim_run(sim, 1000);
    assert_true(sim_height(sim, B, A) < 3000); /* It would wait for ten seconds. */
    sim_resume(sim, B);
    sim_run(sim, 1000);
    assert_true(sim_equal(sim, A, B));
    sim_free(sim);
}

/* At 1,000 bytes a second. Every commit is signed, so runs can be as short as is asked for. */
static void a_slow_link_makes_progress_all_the_time(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 600);
    sim_rate(sim, 1000);
    sim_dial(sim, B, A);
    for (uint32_t minute = 1; minute <= 6 && !sim_equal(sim, A, B); minute++) {
        const uint64_t before = sim_height(sim, B, A);
        sim_run(sim, 60000);
        assert_true(sim_height(sim, B, A) > before);
    }
    assert_true(sim_equal(sim, A, B));
    assert_int_equal(sim_counts(sim).drops, 0);
    sim_free(sim);
}

/* C has kept signatures at the ends of the runs it got, which were long: one takes two minutes. */
static void a_slow_link_carries_the_longest_run(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    sim_commit(sim, A, 2000);
    sim_dial(sim, C, A);
    sim_settle_all(sim);
    sim_hang_up(sim, C, A);
    sim_rate(sim, 1000);
    sim_dial(sim, B, C);
    sim_run(sim, 400000);
    assert_true(sim_height(sim, B, A) > 300);
    assert_int_equal(sim_counts(sim).by_report[SPEAN_REPORT_PEER_SILENT], 0);
    sim_check(sim);
    sim_free(sim);
}

static void a_long_push_over_a_slow_link_is_waited_for(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    sim_rate(sim, 500);
    sim_commit(sim, A, 200); /* Some 80 kB: more than two minutes. */
    sim_run(sim, 300000);
    assert_int_equal(sim_height(sim, B, A), 200);
    assert_int_equal(sim_counts(sim).drops, 0);
    assert_true(sim_quiet(sim, A));
    sim_free(sim);
}

static void the_first_run_over_a_link_is_short(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit(sim, A, 600);
    sim_dial(sim, B, A);
    while (sim_last(sim, A, B, SPEAN_MESSAGE_RUN).len == 0) {
        sim_run(sim, 1);
    }
    assert_true(sim_last(sim, A, B, SPEAN_MESSAGE_RUN).len <= 16384);
    sim_settle_all(sim);
    assert_true(sim_counts(sim).by_type[SPEAN_MESSAGE_RUN] < 10); /* And the others are not. */
    sim_free(sim);
}

/* Status says from it how much there is to come, and how far others are with our own log. */
static void what_a_peer_says_it_holds_is_handed_on(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    sim_commit(sim, A, 9);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_int_equal(sim_told(sim, B, A, A), 9); /* B learned what there was to come, */
    assert_int_equal(sim_told(sim, A, B, A), 9); /* and A that B has it now. */
    sim_commit(sim, C, 4);
    sim_dial(sim, C, B);
    sim_settle_all(sim);
    assert_int_equal(sim_told(sim, A, B, C), 4); /* From a HEAD. */
    sim_dial(sim, C, A);                         /* C has it from B, and never said HELD to A. */
    sim_settle_all(sim);
    assert_int_equal(sim_told(sim, A, C, A), 9);
    sim_free(sim);
}

static void a_frame_that_is_no_message_ends_the_session_and_changes_nothing(void **state)
{
    (void)state;
    static const uint8_t garbage[] = {0x93, 0x05, 0xdd, 0xff, 0xff, 0xff, 0xff};
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    sim_commit(sim, A, 2);
    sim_settle_all(sim);
    sim_inject(sim, B, A, (struct spean_view){garbage, sizeof(garbage)});
    sim_settle_all(sim);
    assert_int_equal(sim_counts(sim).broke, 1);
    assert_int_equal(sim_counts(sim).last_rule, 1301);
    assert_true(sim_equal(sim, A, B)); /* After dialling again. */
    sim_free(sim);
}

/* Loss, repetition, reordering and cuts on both sides; then the faults end. */
static void whatever_the_network_did_nodes_are_equal_after_it_heals(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        const struct sim_faults faults = {
            .seed = seed, .lost = 10, .repeated = 30, .reordered = 20, .cut = 10, .latency_ms = 30};
        struct sim *sim = sim_new(3, faults);
        sim_dial(sim, A, B);
        sim_dial(sim, B, C);
        sim_dial(sim, C, A);
        for (uint32_t round = 0; round < 12; round++) {
            sim_commit(sim, (uint32_t)(seed + round) % 3, 1 + (round * 37) % 300);
            sim_commit_sealed(sim, round % 3, (uint8_t)(round % 5 + 1),
                              1u << (round % 3) | 1u << ((round + 1) % 3));
            sim_run(sim, 500);
            sim_check(sim);
        }
        sim_heal(sim);
        sim_run(sim, 150000);
        sim_check(sim);
        if (!sim_equal(sim, A, B) || !sim_equal(sim, B, C)) {
            fail_msg("seed %llu: not equal after healing", (unsigned long long)seed);
        }
        sim_free(sim);
    }
}

static void who_has_no_room_for_documents_accuses_nobody_and_gets_them_later(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    sim_remove(sim, C);
    sim_refuse_documents(sim, B, true);
    sim_dial(sim, B, A);
    sim_run(sim, SIM_SETTLE_MS);
    assert_int_equal(sim_counts(sim).broke, 0);
    assert_int_equal(sim_counts(sim).by_type[SPEAN_MESSAGE_REFUSE], 0);
    assert_true(sim_counts(sim).drops > 0);
    assert_false(sim_authority_equal(sim, A, B));
    sim_refuse_documents(sim, B, false);
    sim_dial(sim, B, A);
    sim_settle_all(sim);
    assert_true(sim_authority_equal(sim, A, B));
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_new_costs_one_round_trip),
        cmocka_unit_test(a_newcomer_gets_everything_once),
        cmocka_unit_test(who_has_no_room_for_documents_accuses_nobody_and_gets_them_later),
        cmocka_unit_test(both_sides_catch_up_with_each_other),
        cmocka_unit_test(a_log_larger_than_the_window_arrives_whole),
        cmocka_unit_test(only_who_catches_up_is_fetching_and_only_until_it_has),
        cmocka_unit_test(what_is_new_is_pushed_after_catching_up),
        cmocka_unit_test(who_was_idle_for_long_has_its_minute_to_answer),
        cmocka_unit_test(what_is_committed_while_a_session_opens_arrives_in_it),
        cmocka_unit_test(pushes_keep_order_and_lose_nothing_when_they_come_fast),
        cmocka_unit_test(what_one_link_tells_holds_for_the_other),
        cmocka_unit_test(what_comes_by_two_ways_leaves_nobody_waiting),
        cmocka_unit_test(headers_travel_through_a_third_node),
        cmocka_unit_test(equality_is_proven_with_every_peer_of_one_that_catches_up),
        cmocka_unit_test(a_node_that_caught_up_through_a_third_node_leaves_the_author_quiet),
        cmocka_unit_test(a_sealed_body_travels_to_its_audience_only),
        cmocka_unit_test(a_body_is_fetched_once_its_key_is_granted),
        cmocka_unit_test(both_sides_may_dial),
        cmocka_unit_test(an_old_comparison_takes_back_nothing_that_was_told_since),
        cmocka_unit_test(a_cut_connection_loses_at_most_the_runs_in_flight),
        cmocka_unit_test(a_fork_is_found_at_unequal_height_and_proven_to_both),
        cmocka_unit_test(a_fork_at_equal_height_does_not_look_in_step),
        cmocka_unit_test(a_fork_from_the_first_entry_is_found_too),
        cmocka_unit_test(a_fork_behind_runs_of_what_both_hold_is_found_too),
        cmocka_unit_test(a_removed_member_is_dropped_from_the_open_session_and_gets_nothing_more),
        cmocka_unit_test(both_branches_of_a_charter_reach_both_nodes_whoever_dials),
        cmocka_unit_test(both_branches_of_a_statement_reach_every_node_whoever_dials),
        cmocka_unit_test(branches_that_appear_in_an_open_session_reach_the_other_side),
        cmocka_unit_test(more_branches_than_are_kept_part_nobody),
        cmocka_unit_test(a_full_disk_loses_nothing_and_goes_on_when_there_is_room),
        cmocka_unit_test(a_pause_after_a_full_disk_ends_at_once_when_somebody_asks),
        cmocka_unit_test(a_slow_link_makes_progress_all_the_time),
        cmocka_unit_test(a_slow_link_carries_the_longest_run),
        cmocka_unit_test(a_long_push_over_a_slow_link_is_waited_for),
        cmocka_unit_test(the_first_run_over_a_link_is_short),
        cmocka_unit_test(what_a_peer_says_it_holds_is_handed_on),
        cmocka_unit_test(a_frame_that_is_no_message_ends_the_session_and_changes_nothing),
        cmocka_unit_test(whatever_the_network_did_nodes_are_equal_after_it_heals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
