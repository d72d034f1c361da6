/*
 * At the door of a node (P12.2, P12.6): a closed node is told that it is one, by documents that
 * prove it, and nothing else; nobody else is told so; and whoever is no member achieves nothing
 * with anything that members say. A and D are nodes of one org, A's log is closed at D; B was
 * removed by the charter; C is an honest member.
 */
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

#define A         0u
#define B         1u
#define C         2u
#define D         3u
#define CLOSED_AT 12u
#define TYPES     32u

struct fixture {
    struct sim *sim;
    struct spean_message m;
    uint8_t hello[SPEAN_FRAME_BYTES_MAX]; /* What A said to D while it was open. */
    size_t hello_len;
};

/* Everybody has been in step; B was removed, A closed with entries that nobody holds. A has heard
 * of neither, nor has B. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->sim = sim_new_sharing(4, sim_no_faults);
    sim_commit(f->sim, A, CLOSED_AT);
    sim_commit(f->sim, B, 5);
    sim_dial(f->sim, A, D);
    sim_dial(f->sim, B, A);
    sim_dial(f->sim, B, D);
    sim_dial(f->sim, C, D);
    sim_settle_all(f->sim);
    sim_hang_up(f->sim, B, A);
    sim_hang_up(f->sim, B, D);
    const struct spean_view said = sim_last(f->sim, A, D, SPEAN_MESSAGE_HELLO);
    assert_true(said.len > 0);
    memcpy(f->hello, said.data, said.len);
    f->hello_len = said.len;
    sim_remove(f->sim, B);
    sim_settle_all(f->sim);
    sim_hang_up(f->sim, A, D);
    sim_commit(f->sim, A, 3);
    sim_close_first(f->sim, D, CLOSED_AT);
    sim_settle_all(f->sim);
    assert_false(sim_authority_equal(f->sim, A, D));
    sim_transcript_clear(f->sim);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sim_free(f->sim);
    free(f);
    return 0;
}

/* The number of the rule that D named to somebody last; 0: it refused nobody. */
static uint64_t rule_named(struct fixture *f, uint32_t to)
{
    const struct spean_view frame = sim_last(f->sim, D, to, SPEAN_MESSAGE_REFUSE);
    if (frame.len == 0) {
        return 0;
    }
    assert_int_equal(spean_message_decode(frame, &f->m), SPEAN_OK);
    return f->m.as.refuse.rule;
}

static void a_closed_node_is_told_so_once_by_its_orgs_documents(void **state)
{
    struct fixture *f = *state;
    sim_dial(f->sim, A, D);
    sim_run(f->sim, 3);
    assert_int_equal(rule_named(f, A), 1302);
    assert_string_equal(sim_transcript(f->sim), "A>D HELLO\nD>A OFFER\nD>A REFUSE\n");
    sim_hang_up(f->sim, A, D);
    const struct spean_view offer = sim_last(f->sim, D, A, SPEAN_MESSAGE_OFFER);
    uint8_t *const copy = malloc(offer.len);
    assert_non_null(copy);
    memcpy(copy, offer.data, offer.len);
    sim_deafen(f->sim, D); /* It would end the link, which here loses what is on its way. */
    sim_dial(f->sim, A, D);
    sim_run(f->sim, 3);
    sim_inject(f->sim, D, A, (struct spean_view){copy, offer.len});
    sim_run(f->sim, 3);
    free(copy);
    assert_true(sim_authority_equal(f->sim, A, D)); /* It believes what proves itself. */
    sim_check(f->sim);
}

/* It gives nothing and gets nothing: not even what it wrote before it heard. */
static void a_closed_node_gets_no_session(void **state)
{
    struct fixture *f = *state;
    static const char *const said[] = {"TITLES", "DIGEST", "ROWS", "RUN", "WANT", "HELD", "HEAD"};
    sim_commit(f->sim, C, 4);
    sim_settle_all(f->sim);
    sim_transcript_clear(f->sim);
    sim_dial(f->sim, A, D);
    sim_run(f->sim, 10);
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (strstr(sim_transcript(f->sim), said[i]) != NULL) {
            fail_msg("%s in %s", said[i], sim_transcript(f->sim));
        }
    }
    assert_int_equal(sim_height(f->sim, D, A), CLOSED_AT);
    assert_int_equal(sim_height(f->sim, A, C), 0);
    assert_int_equal(sim_height(f->sim, D, C), 4);
}

/* Over a link of its own, somebody else says what the closed node would say. */
static void who_repeats_a_closed_nodes_hello_is_told_nothing(void **state)
{
    struct fixture *f = *state;
    sim_silence(f->sim, B);
    sim_dial(f->sim, B, D);
    sim_run(f->sim, 3);
    sim_inject(f->sim, B, D, (struct spean_view){f->hello, f->hello_len});
    sim_run(f->sim, 3);
    assert_int_equal(rule_named(f, B), 1202);
    assert_int_equal(sim_last(f->sim, D, B, SPEAN_MESSAGE_OFFER).len, 0);
}

static void a_removed_members_hello_is_refused_without_a_word(void **state)
{
    struct fixture *f = *state;
    sim_dial(f->sim, B, D);
    sim_run(f->sim, 10);
    assert_int_equal(rule_named(f, B), 1202);
    assert_int_equal(sim_last(f->sim, D, B, SPEAN_MESSAGE_OFFER).len, 0);
    assert_false(sim_authority_equal(f->sim, B, D));
}

/* Whatever B said to A while it was a member, said at D's door: each ends the link by 1202. */
static void nothing_that_members_say_is_taken_in_the_lobby(void **state)
{
    struct fixture *f = *state;
    uint8_t *const copy = malloc(SPEAN_FRAME_BYTES_MAX);
    uint32_t tried = 0;
    assert_non_null(copy);
    const uint64_t height = sim_height(f->sim, D, B);
    sim_silence(f->sim, B);
    for (uint64_t type = 1; type < TYPES; type++) {
        const struct spean_view said = sim_last(f->sim, B, A, type);
        if (said.len == 0 || type == SPEAN_MESSAGE_OFFER) {
            continue;
        }
        memcpy(copy, said.data, said.len);
        const uint64_t drops = sim_counts(f->sim).drops;
        sim_dial(f->sim, B, D);
        sim_run(f->sim, 3);
        assert_true(sim_connected(f->sim, B, D));
        sim_inject(f->sim, B, D, (struct spean_view){copy, said.len});
        sim_run(f->sim, 3);
        assert_int_equal(rule_named(f, B), 1202);
        assert_true(sim_counts(f->sim).drops > drops);
        sim_hang_up(f->sim, B, D);
        tried++;
    }
    free(copy);
    assert_true(tried >= 4); /* HELLO, DIGEST, ROWS or RUN, ... */
    assert_int_equal(sim_height(f->sim, D, B), height);
    sim_check(f->sim);
}

/* The honest session beside it goes on. */
static void what_happens_at_the_door_does_not_disturb_members(void **state)
{
    struct fixture *f = *state;
    sim_dial(f->sim, A, D);
    sim_dial(f->sim, B, D);
    sim_run(f->sim, 50);
    sim_hang_up(f->sim, A, D);
    sim_hang_up(f->sim, B, D);
    sim_commit(f->sim, D, 7);
    sim_commit(f->sim, C, 7);
    sim_run(f->sim, SIM_SETTLE_MS);
    sim_check(f->sim);
    assert_true(sim_equal(f->sim, C, D));
    assert_int_equal(sim_height(f->sim, C, D), 7);
    assert_int_equal(sim_height(f->sim, D, C), 7);
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_closed_node_is_told_so_once_by_its_orgs_documents),
        TEST(a_closed_node_gets_no_session),
        TEST(who_repeats_a_closed_nodes_hello_is_told_nothing),
        TEST(a_removed_members_hello_is_refused_without_a_word),
        TEST(nothing_that_members_say_is_taken_in_the_lobby),
        TEST(what_happens_at_the_door_does_not_disturb_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
