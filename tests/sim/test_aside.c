/* What is beyond a cut: fetched by the nodes of the log's org, and given to nobody else (P5.9,
 * P13.14). A's log is closed; C is a second node of A's org, B and D are of others. */
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

/* B and A hold 20 entries of A's; C holds what it got before: 12. */
static struct sim *begin(void)
{
    struct sim *sim = sim_new_sharing(3, sim_no_faults);
    sim_commit(sim, A, 12);
    sim_dial(sim, B, A);
    sim_dial(sim, C, A);
    sim_settle_all(sim);
    sim_hang_up(sim, C, A);
    for (uint32_t i = 0; i < 4; i++) {
        sim_commit(sim, A, 2); /* Each pair is a run, whose signature B keeps. */
        sim_settle_all(sim);
    }
    sim_hang_up(sim, B, A);
    assert_int_equal(sim_height(sim, C, A), 12);
    assert_int_equal(sim_height(sim, B, A), 20);
    return sim;
}

static void a_node_of_the_org_fetches_what_a_cut_took_back_elsewhere(void **state)
{
    (void)state;
    struct sim *sim = begin();
    sim_close_first(sim, C, 12);
    sim_dial(sim, C, B);
    sim_settle_all(sim);
    assert_int_equal(sim_height(sim, B, A), 12); /* B has heard of the cut, */
    assert_int_equal(sim_aside(sim, B, A), 8);   /* and keeps what it took back. */
    assert_int_equal(sim_aside(sim, C, A), 8);
    assert_int_equal(sim_counts(sim).by_type[SPEAN_MESSAGE_BRANCH], 4);
    assert_int_equal(sim_height(sim, C, A), 12);
    assert_int_equal(sim_counts(sim).broke, 0);
    assert_true(sim_equal(sim, B, C));
    sim_free(sim);
}

static void what_is_held_already_does_not_come_again(void **state)
{
    (void)state;
    struct sim *sim = begin();
    sim_close_first(sim, C, 12);
    sim_dial(sim, C, B);
    sim_settle_all(sim);
    sim_hang_up(sim, C, B);
    sim_transcript_clear(sim);
    sim_dial(sim, C, B);
    sim_settle_all(sim);
    assert_string_equal(sim_transcript(sim), "C>B HELLO\nB>C HELLO\nB>C SYNCED\nC>B SYNCED\n"
                                             "C>B ASIDE\nB>C END\n");
    sim_free(sim);
}

static void an_own_node_gives_what_it_has_set_aside_too(void **state)
{
    (void)state;
    struct sim *sim = sim_new_sharing(4, sim_no_faults); /* Here D is the second node. */
    sim_commit(sim, A, 5);
    sim_dial(sim, B, A);
    sim_dial(sim, 3, A);
    sim_settle_all(sim);
    sim_commit(sim, A, 15);
    sim_settle_all(sim);
    sim_hang_up(sim, B, A);
    sim_hang_up(sim, 3, A);
    sim_close_first(sim, 3, 5);
    assert_int_equal(sim_aside(sim, 3, A), 15);
    sim_dial(sim, B, 3);
    sim_settle_all(sim);
    assert_int_equal(sim_aside(sim, B, A), 15); /* Its own: B is of another org. */
    assert_int_equal(sim_aside(sim, 3, A), 15);
    sim_free(sim);
}

/* Say ASIDE about A's log in B's name to C. */
static void ask(struct sim *sim, uint32_t want)
{
    static uint8_t frame[SPEAN_FRAME_BYTES_MAX];
    static struct spean_message m;
    struct spean_view view;
    m = (struct spean_message){.type = SPEAN_MESSAGE_ASIDE};
    m.as.aside.want = want;
    m.as.aside.log = sim_log(sim, A);
    assert_int_equal(spean_message_encode(&m, frame, sizeof(frame), &view), SPEAN_OK);
    sim_inject(sim, B, C, view);
    sim_run(sim, 5);
}

static uint64_t status_told(const struct sim *sim)
{
    static struct spean_message m;
    const struct spean_view last = sim_last(sim, C, B, SPEAN_MESSAGE_END);
    assert_true(last.len > 0);
    assert_int_equal(spean_message_decode(last, &m), SPEAN_OK);
    return m.as.end.status;
}

static void a_node_of_another_org_gets_nothing(void **state)
{
    (void)state;
    struct sim *sim = begin();
    sim_close_first(sim, C, 12);
    sim_dial(sim, B, C);
    sim_settle_all(sim);
    assert_int_equal(sim_aside(sim, C, A), 8);
    ask(sim, 77);
    assert_int_equal(status_told(sim), SPEAN_END_NOT_SERVED);
    assert_int_equal(sim_counts(sim).broke, 0);
    assert_int_equal(sim_last(sim, C, B, SPEAN_MESSAGE_BRANCH).len, 0);
    sim_free(sim);
}

static void of_an_open_log_nothing_is_set_aside(void **state)
{
    (void)state;
    struct sim *sim = begin();
    sim_dial(sim, B, C);
    sim_settle_all(sim);
    assert_null(strstr(sim_transcript(sim), "ASIDE")); /* Nobody asks, */
    ask(sim, 77);
    assert_int_equal(status_told(sim), SPEAN_END_NOT_SERVED); /* and who does gets nothing. */
    sim_free(sim);
}

static void beyond_the_quota_nothing_is_asked_for(void **state)
{
    (void)state;
    struct sim *sim = begin();
    sim_aside_room(sim, C, 3);
    sim_close_first(sim, C, 12);
    sim_dial(sim, C, B);
    sim_settle_all(sim);
    assert_int_equal(sim_aside(sim, C, A), 4); /* The last run that there was room for. */
    assert_true(sim_equal(sim, B, C));         /* The session goes on. */
    assert_int_equal(sim_counts(sim).broke, 0);
    sim_commit(sim, B, 2);
    sim_settle_all(sim);
    assert_int_equal(sim_height(sim, C, B), 2);
    sim_free(sim);
}

static void a_branch_that_nobody_asked_for_is_passed_over(void **state)
{
    (void)state;
    static uint8_t frame[SPEAN_FRAME_BYTES_MAX];
    static uint8_t run[SPEAN_FRAME_BYTES_MAX];
    static struct spean_message m;
    struct sim *sim = begin();
    sim_close_first(sim, C, 12);
    sim_dial(sim, C, B);
    sim_settle_all(sim);
    m = (struct spean_message){.type = SPEAN_MESSAGE_BRANCH};
    m.as.branch.want = 999;
    m.as.branch.log = sim_log(sim, A);
    m.as.branch.run = sim_run_of(sim, A, A, 19, 20, run);
    struct spean_view view;
    assert_int_equal(spean_message_encode(&m, frame, sizeof(frame), &view), SPEAN_OK);
    sim_inject(sim, B, C, view);
    sim_run(sim, 20);
    assert_int_equal(sim_counts(sim).broke, 0);
    assert_int_equal(sim_aside(sim, C, A), 8);
    sim_free(sim);
}

/* C has asked B, which does not answer by itself; what C asked last is in its ASIDE. */
static struct sim *begin_asked(struct spean_message *asked)
{
    struct sim *sim = begin();
    sim_close_first(sim, C, 12);
    sim_dial(sim, C, B);
    for (uint32_t ms = 0; ms < 1000 && sim_last(sim, C, B, SPEAN_MESSAGE_ASIDE).len == 0; ms++) {
        sim_run(sim, 1);
        if (strstr(sim_transcript(sim), "B>C SYNCED") != NULL) {
            sim_silence(sim, B);
        }
    }
    const struct spean_view last = sim_last(sim, C, B, SPEAN_MESSAGE_ASIDE);
    assert_true(last.len > 0);
    assert_int_equal(spean_message_decode(last, asked), SPEAN_OK);
    return sim;
}

static void answer(struct sim *sim, const struct spean_message *asked, uint64_t first,
                   const struct spean_id *previous, bool damaged)
{
    static uint8_t frame[SPEAN_FRAME_BYTES_MAX];
    static uint8_t run[SPEAN_FRAME_BYTES_MAX];
    static struct spean_message m;
    struct spean_view view;
    m = (struct spean_message){.type = SPEAN_MESSAGE_BRANCH};
    m.as.branch.want = asked->as.aside.want;
    m.as.branch.log = asked->as.aside.log;
    m.as.branch.previous = *previous;
    m.as.branch.run = sim_run_of(sim, A, A, first, first, run);
    run[m.as.branch.run.len - 1] ^= damaged ? 1 : 0; /* Of the signature. */
    assert_int_equal(spean_message_encode(&m, frame, sizeof(frame), &view), SPEAN_OK);
    sim_inject(sim, B, C, view);
    sim_run(sim, 20);
}

static void a_branch_with_another_signature_is_refused(void **state)
{
    (void)state;
    static struct spean_message asked;
    struct sim *sim = begin_asked(&asked);
    const struct spean_place before = sim_place(sim, A, A, 12);
    answer(sim, &asked, 13, &before.entry, true);
    assert_int_equal(sim_counts(sim).broke, 1);
    assert_int_equal(sim_counts(sim).last_rule, 509);
    assert_int_equal(sim_aside(sim, C, A), 0);
    sim_free(sim);
}

static void a_branch_behind_another_entry_is_refused(void **state)
{
    (void)state;
    static struct spean_message asked;
    struct sim *sim = begin_asked(&asked);
    const struct spean_place before = sim_place(sim, A, A, 11);
    answer(sim, &asked, 13, &before.entry, false);
    assert_int_equal(sim_counts(sim).last_rule, 509);
    assert_int_equal(sim_aside(sim, C, A), 0);
    sim_free(sim);
}

static void a_branch_that_comes_again_is_refused(void **state)
{
    (void)state;
    static struct spean_message asked;
    struct sim *sim = begin_asked(&asked);
    const struct spean_place before = sim_place(sim, A, A, 12);
    answer(sim, &asked, 13, &before.entry, false);
    assert_int_equal(sim_counts(sim).broke, 0);
    assert_int_equal(sim_aside(sim, C, A), 1);
    answer(sim, &asked, 13, &before.entry, false);
    assert_int_equal(sim_counts(sim).last_rule, 509);
    assert_int_equal(sim_aside(sim, C, A), 1);
    sim_free(sim);
}

/* B has not heard of the cut and offers what it has: C sets aside what is beyond. */
static void what_is_offered_beyond_a_cut_is_set_aside_by_the_orgs_nodes(void **state)
{
    (void)state;
    static uint8_t frame[SPEAN_FRAME_BYTES_MAX];
    static uint8_t run[SPEAN_FRAME_BYTES_MAX];
    static struct spean_message m;
    for (uint32_t at = B; at <= C; at++) {
        struct sim *sim = begin();
        sim_close_first(sim, C, 12);
        sim_dial(sim, C, B);
        sim_settle_all(sim);
        sim_commit(sim, A, 3); /* A has not heard of it either. */
        m = (struct spean_message){.type = SPEAN_MESSAGE_RUN};
        m.as.run.log = sim_log(sim, A);
        m.as.run.run = sim_run_of(sim, A, A, 13, 23, run);
        struct spean_view view;
        assert_int_equal(spean_message_encode(&m, frame, sizeof(frame), &view), SPEAN_OK);
        sim_inject(sim, at == B ? C : B, at, view);
        sim_run(sim, 20);
        assert_int_equal(sim_counts(sim).by_report[SPEAN_REPORT_SET_ASIDE], 1);
        assert_int_equal(sim_height(sim, at, A), 12);
        assert_int_equal(sim_aside(sim, at, A), at == C ? 11 : 8); /* B is of another org. */
        sim_free(sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_of_the_org_fetches_what_a_cut_took_back_elsewhere),
        cmocka_unit_test(what_is_held_already_does_not_come_again),
        cmocka_unit_test(an_own_node_gives_what_it_has_set_aside_too),
        cmocka_unit_test(a_node_of_another_org_gets_nothing),
        cmocka_unit_test(of_an_open_log_nothing_is_set_aside),
        cmocka_unit_test(beyond_the_quota_nothing_is_asked_for),
        cmocka_unit_test(a_branch_that_nobody_asked_for_is_passed_over),
        cmocka_unit_test(a_branch_with_another_signature_is_refused),
        cmocka_unit_test(a_branch_behind_another_entry_is_refused),
        cmocka_unit_test(a_branch_that_comes_again_is_refused),
        cmocka_unit_test(what_is_offered_beyond_a_cut_is_set_aside_by_the_orgs_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
