/* How far a referral came, and what is late in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/author.h"
#include "store/peer.h"
#include "tests/unit/node/referral_kit.h"

#define ACCEPT(by) "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"" by "\"}"

/* Send a referral that asks for an answer until by. */
static void send_until(struct story *s, const char *by)
{
    char more[600];
    (void)snprintf(more, sizeof(more),
                   ", \"consent\": \"%s\", \"urgency\": \"urgent\", \"respond_by\": \"%s\", "
                   "\"sections\": [\"identity\"]",
                   s->consent, by);
    add_draft(s, more);
    (void)step(s, A1, "send", "{}");
    records_kit_meet(s->kit);
}

/* Insist on one late flag beside overdue, or (NULL) on none; and on what status counts. */
static void assert_late(struct story *s, enum author_who who, const char *flag)
{
    static const char *const all[] = {"answer_late", "contact_late", "review_late"};
    json_t *answer = show(s, who);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_int_equal(lists(answer, "flags", all[i]), flag != NULL && strcmp(flag, all[i]) == 0);
    }
    assert_int_equal(lists(answer, "flags", "overdue"), flag != NULL);
    assert_int_equal(counts_of(s, who).overdue, flag != NULL ? 1 : 0);
}

/* -- Late ------------------------------------------------------------------------------------ */

static void what_is_not_late_is_not_flagged(void **state)
{
    struct story *s = *state;
    send_until(s, "2099-01-01T00:00:00Z");
    assert_late(s, A1, NULL);
    assert_late(s, B1, NULL);
    (void)step(s, B1, "accept", ACCEPT("2099-01-01"));
    assert_late(s, B1, NULL);
    (void)step(s, B1, "hold", "{\"reason\": \"waiting_client\", \"review_by\": \"2099\"}");
    assert_late(s, B1, NULL);
    (void)step(s, B1, "start", "{}");
    (void)step(s, B1, "hold", "{\"reason\": \"waiting_client\", \"review_by\": \"2098-12\"}");
    assert_late(s, B1, NULL);
}

static void a_late_answer_is_flagged_until_it_comes_and_changes_no_state(void **state)
{
    struct story *s = *state;
    send_until(s, "2020-01-01T00:00:00Z");
    assert_late(s, A1, "answer_late");
    assert_late(s, B1, "answer_late");
    assert_string_equal(records_kit_text(show(s, A1), "state"), "sent");
    (void)step(s, B1, "receive", "{}");
    assert_late(s, B1, "answer_late");
    (void)step(s, B1, "accept", ACCEPT("2099-01-01"));
    assert_late(s, B1, NULL);
}

static void a_late_first_contact_is_flagged_until_work_starts(void **state)
{
    struct story *s = *state;
    send_until(s, "2099-01-01T00:00:00Z");
    (void)step(s, B1, "accept", ACCEPT("2020-01"));
    assert_late(s, B1, "contact_late");
    assert_string_equal(records_kit_text(show(s, B1), "state"), "accepted");
    (void)step(s, B1, "start", "{}");
    assert_late(s, B1, NULL);
}

static void a_late_review_is_flagged_while_it_is_on_hold(void **state)
{
    struct story *s = *state;
    send_until(s, "2099-01-01T00:00:00Z");
    (void)step(s, B1, "accept", ACCEPT("2099-01-01"));
    json_t *answer =
        step(s, B1, "hold", "{\"reason\": \"waiting_client\", \"review_by\": \"2020-01-01\"}");
    assert_string_equal(records_kit_text(step_of(answer, "hold"), "review_by"), "2020-01-01");
    assert_late(s, B1, "review_late");
    (void)step(s, B1, "start", "{}");
    assert_late(s, B1, NULL);
    (void)step(s, B1, "hold", "{\"reason\": \"waiting_client\", \"review_by\": \"2099\"}");
    (void)step(s, B1, "start", "{}");
    (void)step(s, B1, "hold", "{\"reason\": \"waiting_client\", \"review_by\": \"2020\"}");
    assert_late(s, B1, "review_late"); /* What was said last, though it is the earlier day. */
}

static void what_nobody_received_is_unread_at_the_target_alone(void **state)
{
    struct story *s = *state;
    send_until(s, "2099-01-01T00:00:00Z");
    assert_true(lists(show(s, B1), "flags", "unread"));
    assert_false(lists(show(s, A1), "flags", "unread"));
    assert_int_equal(counts_of(s, B1).unread, 1);
    assert_int_equal(counts_of(s, A1).unread, 0);
    (void)step(s, B1, "receive", "{}");
    assert_false(lists(show(s, B1), "flags", "unread"));
    assert_int_equal(counts_of(s, B1).unread, 0);
    assert_int_equal(counts_of(s, B1).referrals_to_answer, 1);
}

/* -- The trail ------------------------------------------------------------------------------- */

/* The event of a trail with that name; NULL: it is not there. */
static json_t *event_of(json_t *answer, const char *name)
{
    json_t *trail = records_kit_at(answer, "trail");
    for (size_t i = 0; i < json_array_size(trail); i++) {
        json_t *row = json_array_get(trail, i);
        if (strcmp(records_kit_text(row, "event"), name) == 0) {
            return row;
        }
    }
    return NULL;
}

static void a_draft_has_no_trail(void **state)
{
    struct story *s = *state;
    add_draft(s, "");
    assert_int_equal(json_array_size(records_kit_at(show(s, A1), "trail")), 0);
}

static void what_nobody_proves_is_saved_and_no_more(void **state)
{
    struct story *s = *state;
    send_until(s, "2099-01-01T00:00:00Z");
    json_t *answer = show(s, A1);
    assert_int_equal(json_array_size(records_kit_at(answer, "trail")), 1);
    assert_string_equal(records_kit_text(event_of(answer, "saved"), "proof"), "log");
    assert_string_equal(records_kit_text(event_of(answer, "saved"), "by"), s->org_a);
}

/* Note at A1 that a node of who, met at met_s, holds A1's log up to its head less `less`. */
static void peer_met_holds(struct story *s, enum author_who who, uint64_t met_s, uint64_t less)
{
    struct author_node *a = &s->kit->f->nodes[A1];
    const struct spean_peer peer = {s->kit->f->nodes[who].org, s->kit->f->nodes[who].signing};
    struct spean_place place = author_fixture_head(s->kit->f, A1);
    struct spean_tx *tx = NULL;
    place.seq -= less;
    assert_int_equal(spean_tx_begin(a->store->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_peer_contact(tx, &peer, SPEAN_PEER_DIALLED, met_s), SPEAN_OK);
    assert_int_equal(spean_peer_holds(tx, &peer, &a->author.log->id, &place), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

static void peer_holds(struct story *s, enum author_who who, uint64_t less)
{
    peer_met_holds(s, who, 1900000000, less);
}

static void nothing_arrives_before_it_was_written(void **state)
{
    struct story *s = *state;
    send_until(s, "2099-01-01T00:00:00Z");
    peer_met_holds(s, B1, 1000000000, 0); /* The connection stands since then. */
    json_t *answer = show(s, A1);
    static const char *const events[] = {"sent", "arrived"};
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(records_kit_text(event_of(answer, events[i]), "at"),
                            records_kit_text(event_of(answer, "saved"), "at"));
    }
}

static void who_holds_less_proves_nothing(void **state)
{
    struct story *s = *state;
    const uint64_t before = records_kit_height(s->kit, A1);
    send_until(s, "2099-01-01T00:00:00Z");
    peer_holds(s, B1, records_kit_height(s->kit, A1) - before);
    assert_int_equal(json_array_size(records_kit_at(show(s, A1), "trail")), 1);
}

static void another_node_proves_that_it_was_sent_and_the_targets_that_it_arrived(void **state)
{
    struct story *s = *state;
    send_until(s, "2099-01-01T00:00:00Z");
    peer_holds(s, C1, 0);
    json_t *answer = show(s, A1);
    assert_string_equal(records_kit_text(event_of(answer, "sent"), "by"), s->org_c);
    assert_null(event_of(answer, "arrived"));
    peer_holds(s, B1, 0);
    answer = show(s, A1);
    assert_string_equal(records_kit_text(event_of(answer, "arrived"), "proof"), "direct");
    assert_string_equal(records_kit_text(event_of(answer, "arrived"), "by"), s->org_b);
    assert_null(event_of(answer, "seen"));
}

static void a_heads_entry_of_the_target_proves_that_it_arrived(void **state)
{
    struct story *s = *state;
    send_until(s, "2099-01-01T00:00:00Z");
    struct author_node *b = &s->kit->f->nodes[B1];
    assert_int_equal(spean_author_heads(&b->author, NULL), SPEAN_OK);
    author_fixture_fold(b);
    assert_null(event_of(show(s, A1), "arrived"));
    records_kit_meet(s->kit);
    json_t *answer = show(s, A1);
    assert_string_equal(records_kit_text(event_of(answer, "arrived"), "proof"), "heads");
    assert_string_equal(records_kit_text(event_of(answer, "arrived"), "by"), s->org_b);
    assert_non_null(event_of(answer, "sent")); /* What arrived was sent. */
    assert_null(event_of(answer, "seen"));
}

static void steps_are_the_rest_of_the_trail(void **state)
{
    struct story *s = *state;
    send_until(s, "2099-01-01T00:00:00Z");
    (void)step(s, B1, "receive", "{}");
    (void)step(s, B1, "accept", ACCEPT("2099-01-01"));
    records_kit_meet(s->kit);
    (void)step(s, B1, "note", "{\"text\": {\"en\": \"called\"}}");
    records_kit_meet(s->kit);
    json_t *answer = show(s, A1);
    static const char *const events[] = {"saved", "sent", "arrived", "seen", "accepted"};
    json_t *trail = records_kit_at(answer, "trail");
    assert_int_equal(json_array_size(trail), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(records_kit_text(json_array_get(trail, i), "event"), events[i]);
    }
    assert_string_equal(records_kit_text(event_of(answer, "seen"), "proof"), "step");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_setup, story_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_late_is_not_flagged),
        TEST(a_late_answer_is_flagged_until_it_comes_and_changes_no_state),
        TEST(a_late_first_contact_is_flagged_until_work_starts),
        TEST(a_late_review_is_flagged_while_it_is_on_hold),
        TEST(what_nobody_received_is_unread_at_the_target_alone),
        TEST(a_draft_has_no_trail),
        TEST(nothing_arrives_before_it_was_written),
        TEST(what_nobody_proves_is_saved_and_no_more),
        TEST(who_holds_less_proves_nothing),
        TEST(another_node_proves_that_it_was_sent_and_the_targets_that_it_arrived),
        TEST(a_heads_entry_of_the_target_proves_that_it_arrived),
        TEST(steps_are_the_rest_of_the_trail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
