/* What follows from a referral at a target with two nodes: once, and of what both have seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "node/purge.h"
#include "store/author.h"
#include "store/destroy.h"
#include "tests/unit/node/referral_kit.h"

#define ACCEPT  "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2035-01-02\"}"
#define DECLINE "{\"reason\": \"no_capacity\"}"
#define HOUR_S  3600u

/* The linker lets time() pass through here (--wrap). */
static time_t ahead_s;

time_t __real_time(time_t *out);
time_t __wrap_time(time_t *out);

time_t __wrap_time(time_t *out)
{
    const time_t now = __real_time(NULL) + ahead_s;
    if (out != NULL) {
        *out = now;
    }
    return now;
}

/* -- B sends to A, which has the nodes A1 and A2 ----------------------------------------------- */

static int target_setup(void **state)
{
    ahead_s = 0;
    assert_int_equal(story_setup(state), 0);
    struct story *s = *state;
    char body[BODY_BYTES];
    keep(s->a_case,
         records_kit_ok(s->kit, B1, "POST", "/v1/cases",
                        "{\"set\": {\"gender\": \"female\", \"age_band\": \"adult\", "
                        "\"safe_contact\": {\"safe\": true}}, \"add\": {\"names\": [{\"full\": "
                        "\"Sok Dara\"}], \"issues\": [\"wage\"]}}"));
    (void)snprintf(body, sizeof(body), "{\"fixed\": {\"case\": \"%s\", \"terms\": %s}}", s->a_case,
                   TERMS_WIDE);
    keep(s->consent, records_kit_ok(s->kit, B1, "POST", "/v1/consents", body));
    return 0;
}

/* Both nodes of A hold what B wrote. */
static void tell_a(struct story *s)
{
    records_kit_copy(s->kit, B1, A1);
    records_kit_copy(s->kit, B1, A2);
}

/* B sends, and both nodes of A have it. */
static void send_to_a(struct story *s, const char *kind, const char *urgency)
{
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body),
                   "{\"case\": \"%s\", \"to\": \"%s\", \"kind\": \"%s\", \"services\": "
                   "[{\"code\": \"legal\", \"language\": \"km\"}]%s}",
                   s->a_case, s->org_a, kind, ready(s, urgency));
    keep(s->referral, records_kit_ok(s->kit, B1, "POST", "/v1/referrals", body));
    (void)step(s, B1, "send", "{}");
    tell_a(s);
}

/* B hears from both nodes of A, and gives what is asked for; they do not have it yet. */
static void ask_b(struct story *s)
{
    records_kit_copy(s->kit, A1, B1);
    records_kit_copy(s->kit, A2, B1);
    records_kit_settle(s->kit, B1);
}

/* The nodes of A tell each other. */
static void exchange(struct story *s)
{
    records_kit_copy(s->kit, A1, A2);
    records_kit_copy(s->kit, A2, A1);
}

/* -- Transfers --------------------------------------------------------------------------------- */

/* The cases that were opened of the referral, as a node sees them. */
static size_t opened(struct story *s, enum author_who who)
{
    json_t *items = records_kit_at(records_kit_ok(s->kit, who, "GET", "/v1/cases", NULL), "items");
    char ids[4][ID_BYTES];
    const size_t count = json_array_size(items);
    size_t found = 0;
    assert_true(count <= 4);
    for (size_t i = 0; i < count; i++) {
        keep(ids[i], json_array_get(items, i));
    }
    for (size_t i = 0; i < count; i++) {
        json_t *shown = records_kit_ok(s->kit, who, "GET", path("cases", ids[i], ""), NULL);
        const char *from = records_kit_text(shown, "fields.transferred_from");
        found += from != NULL && strcmp(from, s->referral) == 0 ? 1 : 0;
    }
    return found;
}

/* Each node of A does what it takes for its own before it hears of the other. */
static void settle_apart(struct story *s)
{
    records_kit_settle(s->kit, A1);
    records_kit_settle(s->kit, A2);
}

static void assert_that_who_accepts_opens_it(struct story *s, enum author_who who,
                                             enum author_who other)
{
    send_to_a(s, "transfer", "urgent");
    (void)step(s, who, "accept", ACCEPT);
    exchange(s);
    ask_b(s);
    tell_a(s);
    settle_apart(s);
    assert_int_equal(opened(s, who), 1);
    assert_int_equal(opened(s, other), 0);
    exchange(s);
    settle_apart(s);
    assert_int_equal(opened(s, who), 1);
    assert_int_equal(opened(s, other), 1);
}

/* Either node: one of them has the lower log, by which it might be chosen instead. */
static void the_first_node_opens_the_case_that_it_accepted(void **state)
{
    assert_that_who_accepts_opens_it(*state, A1, A2);
}

static void the_second_node_opens_the_case_that_it_accepted(void **state)
{
    assert_that_who_accepts_opens_it(*state, A2, A1);
}

static void of_two_nodes_that_accepted_at_once_one_opens_the_case(void **state)
{
    struct story *s = *state;
    send_to_a(s, "transfer", "urgent");
    (void)step(s, A1, "accept", ACCEPT);
    (void)step(s, A2, "accept", ACCEPT);
    exchange(s);
    ask_b(s);
    tell_a(s);
    settle_apart(s);
    assert_int_equal(opened(s, A1) + opened(s, A2), 1);
    exchange(s);
    settle_apart(s);
    assert_int_equal(opened(s, A1), 1);
    assert_int_equal(opened(s, A2), 1);
}

/* The keys came by way of C, which cannot read the details and so has none to give. */
static void a_case_is_not_opened_before_the_details_are_here(void **state)
{
    struct story *s = *state;
    send_to_a(s, "transfer", "urgent");
    (void)step(s, A1, "accept", ACCEPT);
    ask_b(s);
    records_kit_copy(s->kit, B1, C1);
    records_kit_copy(s->kit, C1, A1);
    const uint64_t height = records_kit_height(s->kit, A1);
    records_kit_settle(s->kit, A1);
    assert_int_equal(records_kit_height(s->kit, A1), height);
    assert_null(records_kit_at(show(s, A1), "fields.names"));
    assert_int_equal(opened(s, A1), 0);
    records_kit_copy(s->kit, B1, A1);
    records_kit_settle(s->kit, A1);
    assert_int_equal(opened(s, A1), 1);
}

/* The details were here with the emergency; of what B changed in them, only that it did. */
static void a_case_is_not_opened_of_details_that_are_here_in_part(void **state)
{
    struct story *s = *state;
    send_to_a(s, "transfer", "emergency");
    assert_string_equal(records_kit_text(show(s, A1), "fields.names.0.full"), "Sok Dara");
    (void)step(s, B1, "amend", "{\"set\": {\"gender\": \"male\"}}");
    records_kit_copy(s->kit, B1, C1);
    records_kit_copy(s->kit, C1, A1);
    (void)step(s, A1, "accept", ACCEPT);
    records_kit_settle(s->kit, A1);
    assert_string_equal(records_kit_text(show(s, A1), "fields.gender"), "female");
    assert_int_equal(opened(s, A1), 0);
    records_kit_copy(s->kit, B1, A1);
    records_kit_settle(s->kit, A1);
    assert_string_equal(records_kit_text(show(s, A1), "fields.gender"), "male");
    assert_int_equal(opened(s, A1), 1);
}

/* -- Purging ----------------------------------------------------------------------------------- */

/* Let a node destroy what is erased, whatever the delay; returns how many parts. */
static uint32_t destroy_at(struct story *s, enum author_who who)
{
    uint32_t destroyed = 0;
    const struct author_node *node = &s->kit->f->nodes[who];
    assert_int_equal(
        spean_destroy_due(node->store->db, node->authority, AUTHOR_NOW_S + 1, 0, &destroyed),
        SPEAN_OK);
    return destroyed;
}

static void assert_kept(struct story *s, enum author_who who)
{
    records_kit_settle(s->kit, who);
    assert_int_equal(destroy_at(s, who), 0);
    assert_string_equal(records_kit_text(show(s, who), "fields.age_band"), "adult");
}

static void assert_purged(struct story *s, enum author_who who, uint32_t parts)
{
    records_kit_settle(s->kit, who);
    assert_null(records_kit_at(show(s, who), "fields.age_band"));
    assert_int_equal(destroy_at(s, who), parts);
}

/* A node says what it holds, as it does daily. */
static void say_heads(struct story *s, enum author_who who)
{
    assert_int_equal(spean_author_heads(&s->kit->f->nodes[who].author, NULL), SPEAN_OK);
    spean_core_committed(&s->kit->cores[who]);
}

static void a_decline_purges_nothing_before_the_other_node_says_that_it_saw_it(void **state)
{
    struct story *s = *state;
    send_to_a(s, "referral", "urgent");
    say_heads(s, A2); /* Of what was before the decline: that does not count. */
    (void)step(s, A1, "decline", DECLINE);
    records_kit_copy(s->kit, A2, A1);
    assert_kept(s, A1);
    records_kit_copy(s->kit, A1, A2); /* It heard, and A1 does not know that it did. */
    assert_kept(s, A1);
    say_heads(s, A2);
    assert_kept(s, A1);
    records_kit_copy(s->kit, A2, A1);
    assert_purged(s, A1, 1);
}

static void a_decline_purges_when_the_other_node_had_its_time_to_say_so(void **state)
{
    struct story *s = *state;
    send_to_a(s, "referral", "urgent");
    (void)step(s, A1, "decline", DECLINE);
    ahead_s = SPEAN_PURGE_WAIT_S - HOUR_S;
    assert_kept(s, A1);
    ahead_s = SPEAN_PURGE_WAIT_S + HOUR_S;
    assert_purged(s, A1, 1);
}

static void what_one_node_declined_and_the_other_accepted_stays_until_they_decide(void **state)
{
    struct story *s = *state;
    send_to_a(s, "referral", "urgent");
    (void)step(s, A1, "decline", DECLINE);
    (void)step(s, A2, "accept", ACCEPT);
    exchange(s);
    assert_true(lists(show(s, A1), "flags", "target_conflict"));
    ahead_s = 2 * SPEAN_PURGE_WAIT_S; /* However long they take. */
    assert_kept(s, A1);
    assert_kept(s, A2);
    (void)step(s, A2, "decline", DECLINE);
    assert_kept(s, A1); /* It does not know yet. */
    records_kit_copy(s->kit, A2, A1);
    say_heads(s, A1);
    records_kit_copy(s->kit, A1, A2);
    assert_purged(s, A2, 1);
}

/* SCHEMA S6: an erasure cannot be taken back, so that even a withdrawal waits for their decision.
 */
static void a_withdrawal_purges_nothing_while_the_track_has_a_second_head(void **state)
{
    struct story *s = *state;
    send_to_a(s, "referral", "urgent");
    (void)step(s, A1, "decline", DECLINE);
    (void)step(s, A2, "accept", ACCEPT);
    exchange(s);
    ask_b(s);
    (void)records_kit_ok(s->kit, B1, "POST", path("consents", s->consent, "/withdraw"),
                         "{\"channel\": \"phone\"}");
    tell_a(s);
    assert_kept(s, A1);
    assert_kept(s, A2);
    (void)step(s, A1, "decline", DECLINE);
    assert_purged(s, A1, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, target_setup, story_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_node_opens_the_case_that_it_accepted),
        TEST(the_second_node_opens_the_case_that_it_accepted),
        TEST(of_two_nodes_that_accepted_at_once_one_opens_the_case),
        TEST(a_case_is_not_opened_before_the_details_are_here),
        TEST(a_case_is_not_opened_of_details_that_are_here_in_part),
        TEST(a_decline_purges_nothing_before_the_other_node_says_that_it_saw_it),
        TEST(a_decline_purges_when_the_other_node_had_its_time_to_say_so),
        TEST(what_one_node_declined_and_the_other_accepted_stays_until_they_decide),
        TEST(a_withdrawal_purges_nothing_while_the_track_has_a_second_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
