/* Relays: what a node that opens nothing carries between partners who never meet (P6.4, P13.9,
 * P13.10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/message.h"
#include "tests/sim/simnet.h"

#define A       0u /* Writes, and is the steward. */
#define B       1u /* The relay. */
#define C       2u /* A partner that never meets A. */
#define D       3u /* A member that is no party. */
#define A_AND_C (1u << A | 1u << C)

static void settle(struct sim *sim)
{
    sim_settle_all(sim);
    assert_int_equal(sim_counts(sim).broke, 0);
}

/* A and B have met, and the charter names B. */
static struct sim *with_relay(void)
{
    struct sim *sim = sim_new(4, sim_no_faults);
    sim_dial(sim, A, B);
    sim_relay(sim, B, true);
    settle(sim);
    return sim;
}

static void every_body_travels_unasked_to_a_relay_p6_4(void **state)
{
    (void)state;
    struct sim *sim = with_relay();
    sim_transcript_clear(sim);
    sim_commit_sealed(sim, A, 7, A_AND_C);
    settle(sim);
    assert_string_equal(sim_transcript(sim), "A>B RUN\nB>A HELD\n");
    assert_int_equal(sim_bodies(sim, B, A), 1);
    sim_free(sim);
}

static void partners_who_never_meet_sync_through_a_relay_p13_10(void **state)
{
    (void)state;
    struct sim *sim = with_relay();
    sim_commit_sealed(sim, A, 7, A_AND_C);
    settle(sim);
    sim_hang_up(sim, A, B);
    sim_dial(sim, C, B);
    settle(sim);
    assert_int_equal(sim_bodies(sim, C, A), 1);
    sim_commit_sealed(sim, C, 7, A_AND_C);
    settle(sim);
    sim_hang_up(sim, C, B);
    sim_dial(sim, A, B);
    settle(sim);
    assert_int_equal(sim_bodies(sim, A, C), 1);
    sim_free(sim);
}

static void a_relay_pushes_what_others_wrote_and_the_reader_asks_by_proof_p13_9(void **state)
{
    (void)state;
    struct sim *sim = with_relay();
    sim_dial(sim, C, B);
    settle(sim);
    sim_transcript_clear(sim);
    sim_commit_sealed(sim, A, 7, 1u << A);
    settle(sim);
    assert_string_equal(sim_transcript(sim), "A>B RUN\nB>A HELD\nB>C RUN\nC>B HELD\n");
    assert_int_equal(sim_bodies(sim, C, A), 0); /* No party. */
    sim_transcript_clear(sim);
    sim_grant(sim, 7, C);
    settle(sim);
    assert_string_equal(sim_transcript(sim), "C>B SYNCED\nC>B FETCH\nB>C BODIES\nC>B SYNCED\n");
    assert_int_equal(sim_bodies(sim, C, A), 1);
    sim_free(sim);
}

static void who_is_no_party_gets_no_body_from_a_relay_p6_4(void **state)
{
    (void)state;
    struct sim *sim = with_relay();
    sim_commit_sealed(sim, A, 7, A_AND_C);
    sim_dial(sim, D, B);
    settle(sim);
    assert_int_equal(sim_height(sim, D, A), 1);
    assert_int_equal(sim_bodies(sim, D, A), 0);
    sim_free(sim);
}

static void a_relay_asks_the_author_for_what_came_as_headers_alone_p13_10(void **state)
{
    (void)state;
    struct sim *sim = with_relay();
    sim_hang_up(sim, A, B);
    sim_dial(sim, D, A);
    settle(sim);
    sim_commit_sealed(sim, A, 7, A_AND_C);
    settle(sim);
    sim_dial(sim, D, B);
    settle(sim);
    assert_int_equal(sim_height(sim, B, A), 1);
    assert_int_equal(sim_bodies(sim, B, A), 0); /* D had the header alone. */
    sim_dial(sim, A, B);
    settle(sim);
    assert_int_equal(sim_bodies(sim, B, A), 1);
    sim_free(sim);
}

static void a_node_that_becomes_a_relay_carries_what_was_written_before_p13_10(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    sim_dial(sim, B, A);
    for (uint8_t part = 1; part <= 40; part++) {
        sim_commit_sealed(sim, A, part, A_AND_C);
    }
    settle(sim);
    assert_int_equal(sim_bodies(sim, B, A), 0);
    sim_relay(sim, B, true);
    settle(sim);
    assert_int_equal(sim_bodies(sim, B, A), 40); /* In rounds of eight. */
    sim_free(sim);
}

static void a_relay_that_is_none_any_more_gets_no_new_body_p13_4(void **state)
{
    (void)state;
    struct sim *sim = with_relay();
    sim_commit_sealed(sim, A, 7, A_AND_C);
    settle(sim);
    sim_relay(sim, B, false);
    settle(sim);
    sim_commit_sealed(sim, A, 7, A_AND_C);
    settle(sim);
    assert_int_equal(sim_height(sim, B, A), 2);
    assert_int_equal(sim_bodies(sim, B, A), 1);
    sim_hang_up(sim, A, B);
    sim_dial(sim, A, B); /* A new session is no different. */
    settle(sim);
    assert_int_equal(sim_bodies(sim, B, A), 1);
    sim_free(sim);
}

/* B asks A, in its own name, for the body at seq under a tag and with a proof. */
static void ask(struct sim *sim, const struct spean_tag *tag, const struct spean_id *proof)
{
    static uint8_t frame[SPEAN_FRAME_BYTES_MAX];
    struct spean_message m = {.type = SPEAN_MESSAGE_FETCH};
    struct spean_view view;
    m.as.fetch.fetch = 77;
    m.as.fetch.log = sim_log(sim, A);
    m.as.fetch.tag = *tag;
    m.as.fetch.proof = *proof;
    m.as.fetch.seqs_count = 1;
    m.as.fetch.seqs[0] = 1;
    assert_int_equal(spean_message_encode(&m, frame, sizeof(frame), &view), SPEAN_OK);
    sim_transcript_clear(sim);
    sim_inject(sim, B, A, view);
    sim_run(sim, 5);
}

/* How many bodies A answered B with last. */
static uint32_t given(struct sim *sim)
{
    struct spean_message m;
    assert_int_equal(spean_message_decode(sim_last(sim, A, B, SPEAN_MESSAGE_BODIES), &m), SPEAN_OK);
    assert_false(m.as.bodies.more);
    return m.as.bodies.items.count;
}

static void no_proof_gets_nothing_for_who_is_no_relay_p13_10(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, sim_no_faults);
    sim_commit_sealed(sim, A, 7, 1u << A);
    sim_dial(sim, B, A);
    settle(sim);
    const struct spean_tag tag = sim_tag(sim, A, 7);
    ask(sim, &tag, &(struct spean_id){{0}});
    assert_string_equal(sim_transcript(sim), "A>B BODIES\n");
    assert_int_equal(sim_bodies(sim, B, A), 0);
    assert_int_equal(given(sim), 0);
    assert_int_equal(sim_counts(sim).broke, 0);
    sim_free(sim);
}

static void no_proof_gets_nothing_for_who_is_a_relay_no_more_when_it_is_served_p13_4(void **state)
{
    (void)state;
    struct sim *sim = with_relay();
    sim_commit_sealed(sim, A, 7, 1u << A);
    settle(sim);
    const struct spean_tag tag = sim_tag(sim, A, 7);
    ask(sim, &tag, &(struct spean_id){{0}});
    assert_int_equal(given(sim), 1);
    sim_full_pipe(sim, A, true);
    ask(sim, &tag, &(struct spean_id){{0}});
    sim_relay(sim, B, false);
    sim_full_pipe(sim, A, false);
    settle(sim);
    assert_int_equal(given(sim), 0);
    sim_free(sim);
}

static void a_wrong_proof_is_refused_to_a_relay_too_p13_10(void **state)
{
    (void)state;
    struct sim *sim = with_relay();
    sim_commit_sealed(sim, A, 7, A_AND_C);
    settle(sim);
    const struct spean_tag tag = sim_tag(sim, A, 7);
    ask(sim, &tag, &(struct spean_id){{1}});
    assert_int_equal(sim_counts(sim).broke, 1);
    assert_int_equal(sim_counts(sim).last_rule, 1310);
    sim_free(sim);
}

static void under_another_tag_a_relay_gets_nothing_p13_10(void **state)
{
    (void)state;
    struct sim *sim = with_relay();
    sim_commit_sealed(sim, A, 7, A_AND_C);
    sim_commit_sealed(sim, A, 8, A_AND_C);
    settle(sim);
    const struct spean_tag other = sim_tag(sim, A, 8);
    ask(sim, &other, &(struct spean_id){{0}});
    struct spean_message m;
    assert_int_equal(spean_message_decode(sim_last(sim, A, B, SPEAN_MESSAGE_BODIES), &m), SPEAN_OK);
    assert_int_equal(m.as.bodies.items.count, 0);
    sim_free(sim);
}

static void what_the_peer_lacks_too_is_asked_of_it_once(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, sim_no_faults);
    sim_dial(sim, B, A);
    for (uint8_t part = 1; part <= 20; part++) {
        sim_commit_sealed(sim, A, part, 1u << A);
    }
    settle(sim);
    sim_hang_up(sim, B, A);
    for (uint8_t part = 1; part <= 20; part++) {
        sim_grant(sim, part, C);
    }
    sim_transcript_clear(sim);
    sim_dial(sim, C, B); /* B, no party, has twenty headers and no body. */
    settle(sim);
    assert_int_equal(sim_height(sim, C, A), 20);
    assert_int_equal(sim_counts(sim).by_type[SPEAN_MESSAGE_FETCH], 20);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_body_travels_unasked_to_a_relay_p6_4),
        cmocka_unit_test(partners_who_never_meet_sync_through_a_relay_p13_10),
        cmocka_unit_test(a_relay_pushes_what_others_wrote_and_the_reader_asks_by_proof_p13_9),
        cmocka_unit_test(who_is_no_party_gets_no_body_from_a_relay_p6_4),
        cmocka_unit_test(a_relay_asks_the_author_for_what_came_as_headers_alone_p13_10),
        cmocka_unit_test(a_node_that_becomes_a_relay_carries_what_was_written_before_p13_10),
        cmocka_unit_test(a_relay_that_is_none_any_more_gets_no_new_body_p13_4),
        cmocka_unit_test(no_proof_gets_nothing_for_who_is_no_relay_p13_10),
        cmocka_unit_test(no_proof_gets_nothing_for_who_is_a_relay_no_more_when_it_is_served_p13_4),
        cmocka_unit_test(a_wrong_proof_is_refused_to_a_relay_too_p13_10),
        cmocka_unit_test(under_another_tag_a_relay_gets_nothing_p13_10),
        cmocka_unit_test(what_the_peer_lacks_too_is_asked_of_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
