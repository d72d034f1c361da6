/* What follows from a referral: transfers, requests for information, duplicates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/destroy.h"
#include "tests/unit/node/referral_kit.h"

#define ACCEPT "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2026-11-24\"}"

/* -- Transfers ------------------------------------------------------------------------------- */

static void draft_transfer(struct story *s, const char *urgency)
{
    char more[600];
    (void)snprintf(more, sizeof(more), "%s, \"kind\": \"transfer\"", ready(s, urgency));
    add_draft(s, more);
}

static void send_transfer(struct story *s, const char *urgency)
{
    draft_transfer(s, urgency);
    (void)step(s, A1, "send", "{}");
    records_kit_meet(s->kit);
}

static json_t *a_case(struct story *s)
{
    return records_kit_ok(s->kit, A1, "GET", path("cases", s->a_case, ""), NULL);
}

static json_t *cases_of_b(struct story *s)
{
    return records_kit_at(records_kit_ok(s->kit, B1, "GET", "/v1/cases", NULL), "items");
}

/* The one case of B, in full. */
static json_t *case_of_b(struct story *s)
{
    char id[ID_BYTES];
    json_t *items = cases_of_b(s);
    assert_int_equal(json_array_size(items), 1);
    keep(id, json_array_get(items, 0));
    return records_kit_ok(s->kit, B1, "GET", path("cases", id, ""), NULL);
}

static void nothing_changes_hands_before_a_transfer_is_accepted(void **state)
{
    struct story *s = *state;
    send_transfer(s, "urgent");
    (void)step(s, B1, "receive", "{}");
    records_kit_meet(s->kit);
    assert_int_equal(json_array_size(cases_of_b(s)), 0);
    assert_string_equal(records_kit_text(a_case(s), "fields.status"), "active");
}

static void an_accepted_transfer_opens_a_case_there_and_closes_it_here(void **state)
{
    struct story *s = *state;
    send_transfer(s, "urgent");
    take_it(s);
    json_t *theirs = case_of_b(s);
    assert_string_equal(records_kit_text(theirs, "fields.transferred_from"), s->referral);
    assert_string_equal(records_kit_text(theirs, "owner"), s->org_b);
    assert_string_equal(records_kit_text(theirs, "fields.status"), "active");
    assert_string_equal(records_kit_text(theirs, "fields.names.0.full"), "Sok Dara");
    assert_string_equal(records_kit_text(theirs, "fields.costs.0.item.category"), "broker");
    assert_string_equal(records_kit_text(theirs, "fields.age_band"), "adult");
    assert_true(json_is_true(records_kit_at(theirs, "fields.safe_contact.safe")));
    assert_non_null(records_kit_text(theirs, "fields.short_ref"));
    assert_null(records_kit_at(theirs, "fields.narrative")); /* A section that was not chosen. */
    char target[160];
    (void)snprintf(target, sizeof(target), "/v1/referrals?box=in&case=%s",
                   records_kit_text(theirs, "id"));
    json_t *brought = records_kit_ok(s->kit, B1, "GET", target, NULL);
    assert_string_equal(records_kit_text(brought, "items.0.id"), s->referral);
    json_t *ours = a_case(s);
    assert_string_equal(records_kit_text(ours, "fields.status"), "closed_referred");
    assert_string_equal(records_kit_text(ours, "fields.closure_reason"), "referred");
    assert_non_null(records_kit_text(ours, "fields.closed_on"));
    assert_string_equal(records_kit_text(ours, "owner"), s->org_a);
    assert_int_equal(author_fixture_asides(s->kit->f, A1), 0);
    assert_int_equal(author_fixture_asides(s->kit->f, B1), 0);
}

static void an_emergency_transfer_opens_the_case_with_the_acceptance_only(void **state)
{
    struct story *s = *state;
    send_transfer(s, "emergency");
    assert_string_equal(records_kit_text(show(s, B1), "fields.names.0.full"), "Sok Dara");
    assert_int_equal(json_array_size(cases_of_b(s)), 0);
    take_it(s);
    assert_string_equal(records_kit_text(case_of_b(s), "fields.names.0.full"), "Sok Dara");
    assert_string_equal(records_kit_text(a_case(s), "fields.status"), "closed_referred");
}

static void a_case_that_is_opened_again_stays_open(void **state)
{
    struct story *s = *state;
    send_transfer(s, "urgent");
    take_it(s);
    (void)records_kit_ok(s->kit, A1, "PATCH", path("cases", s->a_case, ""),
                         "{\"set\": {\"status\": \"active\", \"closed_on\": null}}");
    records_kit_meet(s->kit);
    assert_string_equal(records_kit_text(a_case(s), "fields.status"), "active");
    assert_int_equal(json_array_size(cases_of_b(s)), 1);
}

static void a_declined_transfer_changes_no_case(void **state)
{
    struct story *s = *state;
    send_transfer(s, "urgent");
    (void)step(s, B1, "decline", "{\"reason\": \"no_capacity\"}");
    records_kit_meet(s->kit);
    assert_int_equal(json_array_size(cases_of_b(s)), 0);
    assert_string_equal(records_kit_text(a_case(s), "fields.status"), "active");
}

static void a_transfer_without_sections_is_refused(void **state)
{
    struct story *s = *state;
    char more[600];
    (void)snprintf(more, sizeof(more), "%s, \"kind\": \"transfer\", \"sections\": []", "");
    add_draft(s, more);
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body),
                   "{\"consent\": \"%s\", \"urgency\": \"urgent\", \"respond_by\": "
                   "\"2026-11-25T09:00:00Z\"}",
                   s->consent);
    (void)records_kit_ok(s->kit, A1, "PATCH", path("referrals", s->referral, ""), body);
    assert_step_refused(s, A1, "send", "{}", "missing_sections");
}

static void a_plain_referral_opens_no_case(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    assert_int_equal(json_array_size(cases_of_b(s)), 0);
    assert_string_equal(records_kit_text(a_case(s), "fields.status"), "active");
}

/* -- Kinds ----------------------------------------------------------------------------------- */

static void a_kind_that_nobody_knows_is_refused(void **state)
{
    struct story *s = *state;
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body),
                   "{\"case\": \"%s\", \"to\": \"%s\", \"services\": [{\"code\": \"legal\"}], "
                   "\"kind\": \"gift\"}",
                   s->a_case, s->org_b);
    assert_refused(s->kit, A1, "POST", "/v1/referrals", body, "bad_input");
}

static void a_request_for_information_is_answered_in_words(void **state)
{
    struct story *s = *state;
    char more[600];
    (void)snprintf(more, sizeof(more), "%s, \"kind\": \"information_request\"", ready(s, "normal"));
    add_draft(s, more);
    (void)step(s, A1, "send", "{}");
    records_kit_meet(s->kit);
    assert_string_equal(records_kit_text(show(s, B1), "fixed.kind"), "information_request");
    take_it(s);
    (void)step(s, B1, "complete",
               "{\"outcome\": \"service_provided\", \"closing_note\": {\"en\": \"the licence "
               "ended in May\"}}");
    records_kit_meet(s->kit);
    json_t *answer = show(s, A1);
    assert_string_equal(records_kit_text(answer, "state"), "completed");
    assert_string_equal(records_kit_text(answer, "fields.closing_note.en"),
                        "the licence ended in May");
    assert_int_equal(json_array_size(cases_of_b(s)), 0);
    assert_string_equal(records_kit_text(a_case(s), "fields.status"), "active");
}

/* -- Duplicates ------------------------------------------------------------------------------ */

/* Send a second referral of the same case, for shelter. */
static void send_second(struct story *s)
{
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body),
                   "{\"case\": \"%s\", \"to\": \"%s\", \"services\": [{\"code\": "
                   "\"shelter\"}]%s}",
                   s->a_case, s->org_b, ready(s, "urgent"));
    keep(s->referral, records_kit_ok(s->kit, A1, "POST", "/v1/referrals", body));
    (void)step(s, A1, "send", "{}");
}

static void another_service_for_the_same_person_is_no_duplicate(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    send_second(s);
    records_kit_meet(s->kit);
    assert_false(lists(show(s, B1), "flags", "duplicate"));
    (void)step(s, B1, "accept", ACCEPT);
}

static void a_known_duplicate_is_marked_and_not_accepted(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    send_second(s);
    (void)step(s, A1, "amend", "{\"add\": {\"services_requested\": [{\"code\": \"legal\"}]}}");
    records_kit_meet(s->kit);
    assert_true(lists(show(s, B1), "flags", "duplicate"));
    assert_false(lists(show(s, A1), "flags", "duplicate")); /* The target's to know. */
    assert_step_refused(s, B1, "accept", ACCEPT, "duplicate");
    (void)step(s, B1, "decline", "{\"reason\": \"duplicate\"}");
    assert_false(lists(show(s, B1), "flags", "duplicate"));
}

static void what_was_finished_before_makes_no_duplicate(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    (void)step(s, B1, "complete", "{\"outcome\": \"service_provided\"}");
    records_kit_meet(s->kit);
    send_it(s, "urgent");
    assert_false(lists(show(s, B1), "flags", "duplicate"));
    (void)step(s, B1, "accept", ACCEPT);
}

/* -- What must not be kept ------------------------------------------------------------------- */

/* Let B destroy what is erased, whatever the delay; returns how many parts. */
static uint32_t destroy_at_b(struct story *s)
{
    uint32_t destroyed = 0;
    const struct author_node *b = &s->kit->f->nodes[B1];
    assert_int_equal(spean_destroy_due(b->store->db, b->authority, AUTHOR_NOW_S + 1, 0, &destroyed),
                     SPEAN_OK);
    return destroyed;
}

/* The parts that the one receipt names. */
static json_t *receipt_of(json_t *answer)
{
    json_t *receipts = records_kit_at(answer, "fields.purge_receipts");
    assert_int_equal(json_array_size(receipts), 1);
    return json_object_get(json_array_get(receipts, 0), "item");
}

static void a_declined_referral_leaves_nothing_at_the_target(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    assert_string_equal(records_kit_text(show(s, B1), "fields.age_band"), "adult");
    (void)step(s, B1, "decline", "{\"reason\": \"no_capacity\"}");
    records_kit_meet(s->kit);
    json_t *answer = show(s, B1);
    assert_string_equal(records_kit_text(answer, "state"), "declined");
    assert_null(records_kit_at(answer, "fields.age_band")); /* Hidden at once. */
    assert_null(records_kit_at(answer, "fields.services_requested"));
    assert_null(records_kit_at(answer, "fields.purge_receipts"));
    assert_false(lists(records_kit_at(answer, "waiting"), "keys", "preview"));
    assert_int_equal(destroy_at_b(s), 1); /* The payload was never here. */
    records_kit_meet(s->kit);
    json_t *receipt = receipt_of(show(s, A1));
    assert_string_equal(records_kit_text(receipt, "by_org"), s->org_b);
    assert_string_equal(records_kit_text(receipt, "method"), "erased");
    assert_true(json_is_true(records_kit_at(receipt, "keys_destroyed")));
    assert_int_equal(json_integer_value(records_kit_at(receipt, "parts.0")), SPEAN_PART_PREVIEW);
    assert_int_equal(json_array_size(records_kit_at(receipt, "parts")), 1);
    /* The origin keeps its own. */
    assert_string_equal(records_kit_text(show(s, A1), "fields.age_band"), "adult");
    assert_int_equal(author_fixture_asides(s->kit->f, A1), 0);
    assert_int_equal(author_fixture_asides(s->kit->f, B1), 0);
}

static void a_declined_emergency_leaves_no_details_either(void **state)
{
    struct story *s = *state;
    send_it(s, "emergency");
    assert_string_equal(records_kit_text(show(s, B1), "fields.names.0.full"), "Sok Dara");
    (void)step(s, B1, "decline", "{\"reason\": \"no_capacity\"}");
    records_kit_meet(s->kit);
    assert_null(records_kit_at(show(s, B1), "fields.names"));
    assert_int_equal(destroy_at_b(s), 2);
    records_kit_meet(s->kit);
    assert_int_equal(json_array_size(records_kit_at(receipt_of(show(s, A1)), "parts")), 2);
}

static void a_withdrawn_consent_erases_what_the_target_took(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    assert_string_equal(records_kit_text(show(s, B1), "fields.names.0.full"), "Sok Dara");
    (void)records_kit_ok(s->kit, A1, "POST", path("consents", s->consent, "/withdraw"),
                         "{\"channel\": \"phone\"}");
    records_kit_meet(s->kit);
    assert_null(records_kit_at(show(s, B1), "fields.names"));
    assert_int_equal(destroy_at_b(s), 2);
    records_kit_meet(s->kit);
    assert_int_equal(json_array_size(records_kit_at(receipt_of(show(s, A1)), "parts")), 2);
    assert_string_equal(records_kit_text(show(s, B1), "state"), "consent_withdrawn");
}

static bool names_number(json_t *array, json_int_t number)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (json_integer_value(json_array_get(array, i)) == number) {
            return true;
        }
    }
    return false;
}

static void a_case_that_a_transfer_opened_is_told_of_when_the_consent_goes(void **state)
{
    struct story *s = *state;
    send_transfer(s, "urgent");
    take_it(s);
    (void)records_kit_ok(s->kit, A1, "POST", path("consents", s->consent, "/withdraw"),
                         "{\"channel\": \"phone\"}");
    records_kit_meet(s->kit);
    assert_int_equal(destroy_at_b(s), 2);
    records_kit_meet(s->kit);
    json_t *kept = records_kit_at(receipt_of(show(s, A1)), "fields_kept");
    assert_true(names_number(kept, SPEAN_FIELD_REFERRAL_AGE_BAND));
    assert_true(names_number(kept, SPEAN_FIELD_SHARED_OFFSET + SPEAN_FIELD_CASE_NAMES));
    assert_false(names_number(kept, SPEAN_FIELD_SHARED_OFFSET + SPEAN_FIELD_CASE_NARRATIVE));
    assert_non_null(strstr(records_kit_text(show(s, B1), "details"), "still open"));
    assert_int_equal(counts_of(s, B1).decisions, 1);
    assert_int_equal(counts_of(s, A1).decisions, 0);

    char id[ID_BYTES];
    keep(id, case_of_b(s));
    (void)records_kit_ok(s->kit, B1, "PATCH", path("cases", id, ""),
                         "{\"set\": {\"status\": \"closed\"}}");
    assert_int_equal(counts_of(s, B1).decisions, 0);
    assert_true(json_is_null(records_kit_at(show(s, B1), "details")));
}

static void who_said_that_nothing_is_kept_keeps_nothing(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    (void)step(s, A1, "cancel", "{\"reason\": \"no_longer_needed\"}");
    records_kit_meet(s->kit);
    assert_string_equal(records_kit_text(show(s, B1), "fields.names.0.full"), "Sok Dara");
    (void)step(s, B1, "ack_cancel", "{\"data_purged\": \"yes\"}");
    records_kit_meet(s->kit);
    assert_null(records_kit_at(show(s, B1), "fields.names"));
    assert_int_equal(destroy_at_b(s), 2);
}

static void who_keeps_it_for_a_reason_keeps_it(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    (void)step(s, A1, "cancel", "{\"reason\": \"no_longer_needed\"}");
    records_kit_meet(s->kit);
    (void)step(s, B1, "ack_cancel",
               "{\"data_purged\": \"kept\", \"reason\": \"other_authority_request\"}");
    records_kit_meet(s->kit);
    assert_string_equal(records_kit_text(show(s, B1), "fields.names.0.full"), "Sok Dara");
    assert_int_equal(destroy_at_b(s), 0);
}

static void nothing_is_erased_of_what_was_accepted_or_finished(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    assert_int_equal(destroy_at_b(s), 0);
    (void)step(s, B1, "complete", "{\"outcome\": \"service_provided\"}");
    records_kit_meet(s->kit);
    assert_int_equal(destroy_at_b(s), 0);
    assert_string_equal(records_kit_text(show(s, B1), "fields.names.0.full"), "Sok Dara");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_setup, story_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_changes_hands_before_a_transfer_is_accepted),
        TEST(an_accepted_transfer_opens_a_case_there_and_closes_it_here),
        TEST(an_emergency_transfer_opens_the_case_with_the_acceptance_only),
        TEST(a_case_that_is_opened_again_stays_open),
        TEST(a_declined_transfer_changes_no_case),
        TEST(a_transfer_without_sections_is_refused),
        TEST(a_plain_referral_opens_no_case),
        TEST(a_kind_that_nobody_knows_is_refused),
        TEST(a_request_for_information_is_answered_in_words),
        TEST(another_service_for_the_same_person_is_no_duplicate),
        TEST(a_known_duplicate_is_marked_and_not_accepted),
        TEST(what_was_finished_before_makes_no_duplicate),
        TEST(a_declined_referral_leaves_nothing_at_the_target),
        TEST(a_declined_emergency_leaves_no_details_either),
        TEST(a_withdrawn_consent_erases_what_the_target_took),
        TEST(a_case_that_a_transfer_opened_is_told_of_when_the_consent_goes),
        TEST(who_said_that_nothing_is_kept_keeps_nothing),
        TEST(who_keeps_it_for_a_reason_keeps_it),
        TEST(nothing_is_erased_of_what_was_accepted_or_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
