/* A referral from the draft to its close, between two organisations, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/todo.h"
#include "tests/unit/node/referral_kit.h"

static bool lists_field(json_t *preview, const char *list, const char *field)
{
    json_t *array = records_kit_at(preview, list);
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (strcmp(records_kit_text(json_array_get(array, i), "field"), field) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_problem(json_t *preview, const char *code)
{
    json_t *array = records_kit_at(preview, "problems");
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (strcmp(records_kit_text(json_array_get(array, i), "code"), code) == 0) {
            return true;
        }
    }
    return false;
}

/* -- Drafts ---------------------------------------------------------------------------------- */

static void a_draft_stays_here_until_it_is_sent(void **state)
{
    struct story *s = *state;
    const uint64_t height = records_kit_height(s->kit, A1);
    add_draft(s, "");
    assert_int_equal(records_kit_height(s->kit, A1), height);
    json_t *answer = show(s, A1);
    assert_string_equal(records_kit_text(answer, "state"), "draft");
    assert_string_equal(records_kit_text(answer, "target"), s->org_b);
    assert_string_equal(records_kit_text(answer, "target_name"), "Tokyo Migrant Support");
    assert_string_equal(records_kit_text(answer, "draft.case"), s->a_case);
    assert_null(records_kit_at(answer, "draft.random"));
    char code[ID_BYTES];
    (void)snprintf(code, sizeof(code), "%s", records_kit_text(answer, "code"));
    (void)records_kit_ok(s->kit, A1, "GET", path("referrals", code, ""), NULL);
    answer = records_kit_ok(s->kit, A1, "PATCH", path("referrals", code, ""),
                            "{\"urgency\": \"urgent\", \"reason\": {\"en\": \"wages\"}}");
    assert_string_equal(records_kit_text(answer, "draft.urgency"), "urgent");
    answer = records_kit_ok(s->kit, A1, "PATCH", path("referrals", code, ""), "{\"reason\": null}");
    assert_null(records_kit_at(answer, "draft.reason"));
    assert_string_equal(records_kit_text(answer, "draft.urgency"), "urgent");
    answer = records_kit_ok(s->kit, A1, "GET", "/v1/referrals?box=drafts", NULL);
    assert_string_equal(records_kit_text(answer, "items.0.id"), s->referral);
    assert_true(json_is_true(records_kit_at(answer, "items.0.draft")));
    assert_refused(s->kit, B1, "GET", path("referrals", s->referral, ""), NULL, "not_found");
}

static struct spean_todo_counts todo_of(struct story *s, enum author_who who)
{
    struct spean_core_view view;
    struct spean_todo_counts counts;
    assert_int_equal(spean_core_view_begin(&s->kit->cores[who], &view), SPEAN_OK);
    spean_todo_count(&view, &counts);
    spean_core_view_end(&view);
    return counts;
}

static void status_counts_drafts_and_what_waits_for_an_answer(void **state)
{
    struct story *s = *state;
    assert_int_equal(todo_of(s, A1).not_sent, 0);
    add_draft(s, ready(s, "routine"));
    assert_int_equal(todo_of(s, A1).not_sent, 1);
    (void)records_kit_ok(s->kit, A1, "POST", path("referrals", s->referral, "/send"), "{}");
    records_kit_meet(s->kit);
    assert_int_equal(todo_of(s, A1).not_sent, 0);
    assert_int_equal(todo_of(s, A1).referrals_to_answer, 0); /* It waits for B. */
    assert_int_equal(todo_of(s, B1).referrals_to_answer, 1);
    (void)step(s, B1, "receive", "{}");
    assert_int_equal(todo_of(s, B1).referrals_to_answer, 1);
    (void)step(s, B1, "accept", "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2026-11-24\"}");
    assert_int_equal(todo_of(s, B1).referrals_to_answer, 0);
}

static void wrong_drafts_are_refused(void **state)
{
    struct story *s = *state;
    static const struct {
        const char *more, *code;
    } rows[] = {
        {", \"hurry\": true", "bad_input"},
        {", \"urgency\": 5", "bad_input"},
        {", \"respond_by\": \"tomorrow\"", "bad_input"},
        {", \"sections\": [\"everything\"]", "bad_input"},
        {", \"sections\": \"identity\"", "bad_input"},
        {", \"consent\": \"00000000000000000000000000000000\"", "not_found"},
        {", \"services\": []", "bad_input"},
        {", \"replaces\": \"R-ZZZZ\"", "not_found"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char body[BODY_BYTES];
        const bool services = strstr(rows[i].more, "services") != NULL;
        (void)snprintf(body, sizeof(body), "{\"case\": \"%s\", \"to\": \"%s\"%s%s}", s->a_case,
                       s->org_b, services ? "" : ", \"services\": [{\"code\": \"legal\"}]",
                       rows[i].more);
        assert_refused(s->kit, A1, "POST", "/v1/referrals", body, rows[i].code);
    }
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body),
                   "{\"case\": \"%s\", \"to\": \"%s\", \"services\": [{\"code\": \"legal\"}]}",
                   s->a_case, s->org_a);
    assert_refused(s->kit, A1, "POST", "/v1/referrals", body, "bad_input");
    assert_refused(s->kit, A1, "POST", "/v1/referrals", "{}", "bad_input");
}

static void the_preview_says_who_sees_what_and_when(void **state)
{
    struct story *s = *state;
    add_draft(s, ready(s, "urgent"));
    json_t *preview =
        records_kit_ok(s->kit, A1, "GET", path("referrals", s->referral, "/preview"), NULL);
    assert_string_equal(records_kit_text(preview, "to_name"), "Tokyo Migrant Support");
    assert_true(lists_field(preview, "now", "services_requested"));
    assert_true(lists_field(preview, "now", "age_band"));
    assert_true(lists_field(preview, "now", "safe_contact"));
    assert_true(lists_field(preview, "now", "urgency"));
    assert_false(lists_field(preview, "now", "names"));
    assert_true(lists_field(preview, "after_accept", "names"));
    assert_true(lists_field(preview, "after_accept", "costs"));
    assert_true(lists_field(preview, "never", "narrative"));
    assert_true(lists_field(preview, "never", "issues"));
    assert_false(lists_field(preview, "never", "names"));
    assert_false(lists_field(preview, "never", "age_band"));
    assert_false(lists_field(preview, "after_accept", "narrative"));
    assert_int_equal(json_array_size(records_kit_at(preview, "problems")), 0);
    /* In an emergency they see all of it at once. */
    (void)records_kit_ok(s->kit, A1, "PATCH", path("referrals", s->referral, ""),
                         "{\"urgency\": \"emergency\"}");
    preview = records_kit_ok(s->kit, A1, "GET", path("referrals", s->referral, "/preview"), NULL);
    assert_true(lists_field(preview, "now", "names"));
    assert_int_equal(json_array_size(records_kit_at(preview, "after_accept")), 0);
}

static void the_preview_lists_every_problem_and_send_refuses_each(void **state)
{
    struct story *s = *state;
    add_draft(s, ", \"sections\": [\"narrative\"]");
    json_t *preview =
        records_kit_ok(s->kit, A1, "GET", path("referrals", s->referral, "/preview"), NULL);
    assert_true(has_problem(preview, "no_consent"));
    assert_true(has_problem(preview, "recipient"));
    assert_true(has_problem(preview, "missing_urgency"));
    assert_true(has_problem(preview, "missing_respond_by"));
    assert_true(has_problem(preview, "section_not_covered"));
    const uint64_t height = records_kit_height(s->kit, A1);
    assert_step_refused(s, A1, "send", "{}", "no_consent");
    assert_int_equal(records_kit_height(s->kit, A1), height);
    char body[128];
    (void)snprintf(body, sizeof(body), "{\"consent\": \"%s\"}", s->consent);
    (void)records_kit_ok(s->kit, A1, "PATCH", path("referrals", s->referral, ""), body);
    assert_step_refused(s, A1, "send", "{}", "missing_urgency");
    (void)records_kit_ok(
        s->kit, A1, "PATCH", path("referrals", s->referral, ""),
        "{\"urgency\": \"normal\", \"respond_by\": \"2026-11-25T09:00:00+09:00\"}");
    assert_step_refused(s, A1, "send", "{}", "section_not_covered");
}

static void consent_is_asked_for_the_recipient_the_day_and_the_case(void **state)
{
    struct story *s = *state;
    static const struct {
        const char *terms, *code;
    } rows[] = {
        {"{\"purposes\": [\"assess\"], \"recipients\": [{\"kind\": \"partner_ngo\"}]}",
         "no_consent"},
        {"{\"purposes\": [\"refer\"], \"recipients\": [{\"kind\": \"partner_ngo\"}], "
         "\"expires_on\": \"2020-01-01\"}",
         "no_consent"},
        {"{\"purposes\": [\"refer\"], \"recipients\": [{\"kind\": \"partner_ngo\"}], "
         "\"effective_on\": \"2999\"}",
         "no_consent"},
        {"{\"purposes\": [\"refer\"], \"recipients\": [{\"kind\": \"hotline\"}]}", "recipient"},
        {"{\"purposes\": [\"refer\"], \"recipients\": [{\"kind\": \"partner_ngo\"}], "
         "\"withhold_from\": [{\"kind\": \"partner_ngo\"}]}",
         "withheld"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char more[512];
        add_consent(s, rows[i].terms);
        (void)snprintf(more, sizeof(more),
                       ", \"consent\": \"%s\", \"urgency\": \"urgent\", \"respond_by\": "
                       "\"2026-11-25T09:00:00Z\"",
                       s->consent);
        add_draft(s, more);
        assert_step_refused(s, A1, "send", "{}", rows[i].code);
    }
    /* Another person's consent is none. */
    add_consent(s, TERMS_WIDE);
    keep(s->a_case, records_kit_ok(s->kit, A1, "POST", "/v1/cases", "{}"));
    add_draft(s, ready(s, "urgent"));
    assert_step_refused(s, A1, "send", "{}", "no_consent");
}

static void what_was_struck_out_is_not_sent(void **state)
{
    struct story *s = *state;
    char body[256];
    json_t *answer = records_kit_ok(s->kit, A1, "GET", path("cases", s->a_case, ""), NULL);
    (void)snprintf(body, sizeof(body), "{\"strike\": {\"costs\": [\"%s\"]}}",
                   records_kit_text(answer, "fields.costs.0.name"));
    (void)records_kit_ok(s->kit, A1, "PATCH", path("cases", s->a_case, ""), body);
    send_it(s, "emergency");
    answer = show(s, B1);
    assert_string_equal(records_kit_text(answer, "fields.names.0.full"), "Sok Dara");
    assert_null(records_kit_at(answer, "fields.costs"));
}

static void whom_the_person_withholds_it_from_gets_nothing(void **state)
{
    struct story *s = *state;
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"set\": {\"withhold_from\": [{\"org\": \"%s\"}]}}",
                   s->org_b);
    (void)records_kit_ok(s->kit, A1, "PATCH", path("cases", s->a_case, ""), body);
    add_draft(s, ready(s, "urgent"));
    assert_step_refused(s, A1, "send", "{}", "withheld");
}

/* -- Sent ------------------------------------------------------------------------------------ */

static void the_target_sees_the_preview_and_the_details_after_accepting(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    json_t *answer = show(s, A1);
    assert_string_equal(records_kit_text(answer, "state"), "sent");
    assert_true(json_is_null(records_kit_at(answer, "draft")));
    assert_string_equal(records_kit_text(answer, "steps.0.step"), "send");
    assert_string_equal(records_kit_text(answer, "fixed.consent.consent"), s->consent);

    answer = show(s, B1);
    assert_string_equal(records_kit_text(answer, "fields.services_requested.0.code"), "legal");
    assert_string_equal(records_kit_text(answer, "fields.age_band"), "adult");
    assert_null(records_kit_at(answer, "fields.names"));
    assert_string_equal(records_kit_text(answer, "waiting.keys.0"), "payload");
    assert_true(json_is_null(records_kit_at(answer, "details")));

    answer =
        step(s, B1, "accept", "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2026-11-24\"}");
    assert_string_equal(records_kit_text(answer, "state"), "accepted");
    assert_string_equal(records_kit_text(answer, "details"), "waiting for details from Bridge");
    records_kit_meet(s->kit);
    answer = show(s, B1);
    assert_string_equal(records_kit_text(answer, "fields.names.0.full"), "Sok Dara");
    assert_string_equal(records_kit_text(answer, "fields.costs.0.item.amount.currency"), "JPY");
    assert_null(records_kit_at(answer, "fields.narrative"));
    assert_true(json_is_null(records_kit_at(answer, "details")));
    assert_int_equal(json_array_size(records_kit_at(answer, "waiting.keys")), 0);
    assert_int_equal(author_fixture_asides(s->kit->f, A1), 0);
    assert_int_equal(author_fixture_asides(s->kit->f, B1), 0);
}

static void in_an_emergency_the_details_go_at_once(void **state)
{
    struct story *s = *state;
    send_it(s, "emergency");
    assert_string_equal(records_kit_text(show(s, B1), "fields.names.0.full"), "Sok Dara");
}

static void what_becomes_an_emergency_before_it_is_answered_goes_at_once(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    (void)step(s, B1, "receive", "{}");
    assert_null(records_kit_at(show(s, B1), "fields.names"));
    (void)step(s, A1, "amend", "{\"set\": {\"urgency\": \"emergency\"}}");
    records_kit_meet(s->kit);
    assert_string_equal(records_kit_text(show(s, B1), "fields.names.0.full"), "Sok Dara");
}

static void what_was_declined_is_no_emergency_any_more(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    (void)step(s, A1, "amend", "{\"set\": {\"urgency\": \"emergency\"}}");
    (void)step(s, B1, "decline", "{\"reason\": \"no_capacity\"}");
    records_kit_meet(s->kit);
    records_kit_meet(s->kit);
    assert_null(records_kit_at(show(s, B1), "fields.names"));
}

static void an_amendment_adds_no_section_that_the_consent_does_not_cover(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    assert_step_refused(s, A1, "amend", "{\"set\": {\"pregnant\": true}}", "section_not_covered");
    (void)step(s, A1, "amend", "{\"set\": {\"gender\": \"male\"}}");
}

static void what_is_on_hold_says_when_it_is_looked_at_again(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    assert_step_refused(s, B1, "hold", "{\"reason\": \"waiting_client\"}", "missing_review_by");
    (void)step(s, B1, "hold", "{\"reason\": \"waiting_client\", \"review_by\": \"2099-01\"}");
}

static void nobody_writes_about_a_person_who_withdrew(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    take_it(s);
    (void)step(s, B1, "withdraw", "{\"channel\": \"phone\"}");
    records_kit_meet(s->kit);
    static const char note[] = "{\"text\": {\"en\": \"moved away\"}}";
    static const char amend[] = "{\"respond_by\": \"2099-01-01T00:00:00Z\"}";
    assert_step_refused(s, A1, "note", note, "note_withdrawn");
    assert_step_refused(s, B1, "note", note, "note_withdrawn");
    assert_step_refused(s, A1, "amend", amend, "withdrawn");
    assert_step_refused(s, B1, "complete",
                        "{\"outcome\": \"service_provided\", \"closing_note\": {\"en\": \"x\"}}",
                        "note_withdrawn");
    (void)step(s, B1, "complete", "{\"outcome\": \"service_provided\"}");
}

static void a_referral_goes_through_to_its_close(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    (void)step(s, B1, "receive", "{}");
    (void)step(s, B1, "accept", "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2026-11-24\"}");
    records_kit_meet(s->kit);
    (void)step(s, B1, "start", "{}");
    (void)step(s, B1, "hold", "{\"reason\": \"waiting_client\", \"review_by\": \"2099\"}");
    (void)step(s, B1, "start", "{}");
    (void)step(s, B1, "note", "{\"text\": {\"en\": \"called\"}}");
    (void)step(s, A1, "note", "{\"text\": {\"en\": \"more\"}}");
    json_t *answer =
        step(s, B1, "complete",
             "{\"outcome\": \"service_provided\", \"closing_note\": {\"en\": \"ok\"}}");
    assert_string_equal(records_kit_text(answer, "state"), "completed");
    records_kit_meet(s->kit);
    answer = show(s, A1);
    assert_string_equal(records_kit_text(answer, "fields.closing_note.en"), "ok");
    assert_string_equal(records_kit_text(answer, "fields.interim_notes.0.item.text.en"), "called");
    answer = step(s, A1, "close", "{\"client_informed\": \"yes\", \"next_step\": \"none\"}");
    assert_string_equal(records_kit_text(answer, "state"), "closed");
    assert_int_equal(json_array_size(records_kit_at(answer, "flags")), 0);
    assert_int_equal(author_fixture_asides(s->kit->f, A1), 0);
}

static void steps_out_of_turn_are_refused_with_their_own_code(void **state)
{
    struct story *s = *state;
    add_draft(s, ready(s, "urgent"));
    assert_step_refused(s, A1, "cancel", "{\"reason\": \"x\"}", "not_sent");
    assert_step_refused(s, A1, "dance", "{}", "unknown_step");
    (void)records_kit_ok(s->kit, A1, "POST", path("referrals", s->referral, "/send"), "{}");
    records_kit_meet(s->kit);
    assert_step_refused(s, A1, "send", "{}", "sent_already");
    assert_refused(s->kit, A1, "PATCH", path("referrals", s->referral, ""), "{}", "sent_already");
    assert_step_refused(s, A1, "accept", "{}", "not_yours");
    assert_step_refused(s, B1, "cancel", "{\"reason\": \"x\"}", "not_yours");
    assert_step_refused(s, B1, "accept", "{}", "missing_worker");
    assert_step_refused(s, B1, "accept", "{\"assigned_ref\": \"w1\"}", "missing_first_contact");
    assert_step_refused(s, B1, "accept",
                        "{\"assigned_ref\": \"W 1\", \"first_contact_by\": \"2026-11-24\"}",
                        "bad_input");
    assert_step_refused(s, B1, "accept", "{\"who\": \"w1\"}", "bad_input");
    assert_step_refused(s, B1, "start", "{}", "track");
    assert_step_refused(s, B1, "decline", "{}", "missing_reason");
    assert_step_refused(s, B1, "ack_cancel", "{\"data_purged\": \"yes\"}", "not_cancelled");
    assert_step_refused(s, A1, "close", "{\"client_informed\": \"yes\", \"next_step\": \"none\"}",
                        "not_resolved");
    assert_step_refused(s, A1, "amend", "{}", "missing_changes");
    assert_step_refused(s, A1, "amend", "{\"append\": {\"origin_steps\": [{\"step\": \"close\"}]}}",
                        "bad_input");
    assert_step_refused(s, A1, "amend", "{\"set\": {\"closing_note\": {\"en\": \"x\"}}}",
                        "not_permitted");
    (void)step(s, B1, "accept", "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2026-11-24\"}");
    assert_step_refused(s, B1, "complete", "{}", "missing_outcome");
    assert_step_refused(s, B1, "decline", "{\"reason\": \"capacity\"}", "track");
    records_kit_meet(s->kit);
    assert_step_refused(s, A1, "error", "{\"reason\": \"wrong_person\"}", "accepted");
    assert_step_refused(s, A1, "amend", "{\"set\": {\"urgency\": \"normal\"}}", "answered");
}

static void an_amendment_names_what_changed(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    json_t *answer =
        step(s, A1, "amend",
             "{\"set\": {\"urgency\": \"normal\"}, \"add\": {\"languages\": [\"vi\"]}, "
             "\"respond_by\": \"2026-12-01T00:00:00Z\"}");
    assert_string_equal(records_kit_text(answer, "fields.respond_by"), "2026-12-01T00:00:00Z");
    assert_string_equal(records_kit_text(answer, "fields.urgency"), "normal");
    assert_int_equal(json_array_size(records_kit_at(step_of(answer, "amend"), "changed")), 3);
    assert_string_equal(records_kit_text(answer, "state"), "sent");
    assert_true(json_is_true(records_kit_at(step_of(answer, "amend"), "head")));
    assert_true(json_is_false(records_kit_at(step_of(answer, "send"), "head")));
}

static void a_cancelled_referral_waits_for_the_target(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    (void)step(s, B1, "accept", "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2026-11-24\"}");
    records_kit_meet(s->kit);
    json_t *answer = step(s, A1, "cancel", "{\"reason\": \"no_longer_needed\"}");
    assert_string_equal(records_kit_text(answer, "state"), "cancel_pending");
    records_kit_meet(s->kit);
    answer = step(s, B1, "ack_cancel", "{\"data_purged\": \"yes\"}");
    assert_string_equal(records_kit_text(answer, "state"), "cancelled");
    assert_string_equal(records_kit_text(answer, "flags.0"), "cancel_acknowledged");
}

static void a_second_open_referral_for_the_same_is_refused(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    char first[ID_BYTES];
    (void)snprintf(first, sizeof(first), "%s", s->referral);
    add_draft(s, ready(s, "urgent"));
    assert_step_refused(s, A1, "send", "{}", "twin");
    char second[ID_BYTES];
    (void)snprintf(second, sizeof(second), "%s", s->referral);
    (void)snprintf(s->referral, sizeof(s->referral), "%s", first);
    (void)step(s, A1, "cancel", "{\"reason\": \"no_response\"}");
    (void)snprintf(s->referral, sizeof(s->referral), "%s", second);
    json_t *answer = step(s, A1, "send", "{}");
    assert_string_equal(records_kit_text(answer, "state"), "sent");
}

static void a_dry_run_of_send_writes_nothing(void **state)
{
    struct story *s = *state;
    add_draft(s, ready(s, "urgent"));
    const uint64_t height = records_kit_height(s->kit, A1);
    json_t *answer = step(s, A1, "send?dry_run=1", "{}");
    assert_string_equal(records_kit_text(answer, "state"), "draft");
    assert_true(json_is_true(records_kit_at(answer, "dry_run")));
    assert_int_equal(records_kit_height(s->kit, A1), height);
}

static void lists_show_each_side_its_own_box(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    add_draft(s, "");
    static const struct {
        enum author_who who;
        const char *query;
        size_t count;
    } rows[] = {
        {A1, "", 1},        {A1, "?box=out", 1}, {A1, "?box=in", 0},     {A1, "?box=drafts", 1},
        {B1, "?box=in", 1}, {B1, "?box=out", 0}, {B1, "?box=drafts", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char target[64];
        (void)snprintf(target, sizeof(target), "/v1/referrals%s", rows[i].query);
        json_t *answer = records_kit_ok(s->kit, rows[i].who, "GET", target, NULL);
        assert_int_equal(json_array_size(records_kit_at(answer, "items")), rows[i].count);
    }
    json_t *answer = records_kit_ok(s->kit, B1, "GET", "/v1/referrals?box=in", NULL);
    assert_string_equal(records_kit_text(answer, "items.0.state"), "sent");
    assert_string_equal(records_kit_text(answer, "items.0.urgency"), "urgent");
    assert_string_equal(records_kit_text(answer, "items.0.origin_name"), "Bridge");
    assert_refused(s->kit, A1, "GET", "/v1/referrals?box=all", NULL, "bad_input");
}

static void a_list_can_be_of_one_case(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    char other[ID_BYTES];
    (void)snprintf(other, sizeof(other), "%s",
                   records_kit_text(records_kit_ok(s->kit, A1, "POST", "/v1/cases", "{}"), "id"));
    const struct {
        const char *a_case;
        const char *more;
        size_t count;
    } rows[] = {
        {s->a_case, "", 1}, {s->a_case, "&box=out", 1}, {s->a_case, "&box=in", 0}, {other, "", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char target[160];
        (void)snprintf(target, sizeof(target), "/v1/referrals?case=%s%s", rows[i].a_case,
                       rows[i].more);
        json_t *answer = records_kit_ok(s->kit, A1, "GET", target, NULL);
        assert_int_equal(json_array_size(records_kit_at(answer, "items")), rows[i].count);
    }
    assert_refused(s->kit, A1, "GET", "/v1/referrals?case=ZZ-1", NULL, "not_found");
    assert_refused(s->kit, A1, "GET", "/v1/referrals?box=drafts&case=aa", NULL, "bad_input");
}

/* -- Withdrawal ------------------------------------------------------------------------------ */

static void a_withdrawal_stops_what_was_not_accepted(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    (void)records_kit_ok(s->kit, A1, "POST", path("consents", s->consent, "/withdraw"),
                         "{\"channel\": \"phone\"}");
    json_t *answer = show(s, A1);
    assert_string_equal(records_kit_text(answer, "state"), "consent_withdrawn");
    records_kit_meet(s->kit);
    assert_step_refused(s, B1, "accept",
                        "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2026-11-24\"}",
                        "withdrawn");
    assert_null(records_kit_at(show(s, B1), "fields.names"));
    add_draft(s, ready(s, "urgent"));
    assert_step_refused(s, A1, "send", "{}", "no_consent");
}

static void an_acceptance_that_crossed_a_withdrawal_gets_no_details(void **state)
{
    struct story *s = *state;
    send_it(s, "urgent");
    (void)step(s, B1, "accept", "{\"assigned_ref\": \"w1\", \"first_contact_by\": \"2026-11-24\"}");
    (void)records_kit_ok(s->kit, A1, "POST", path("consents", s->consent, "/withdraw"),
                         "{\"channel\": \"phone\"}");
    records_kit_meet(s->kit);
    json_t *answer = show(s, B1);
    assert_string_equal(records_kit_text(answer, "state"), "consent_withdrawn");
    assert_null(records_kit_at(answer, "fields.names"));
}

static void a_withdrawal_told_to_the_target_reaches_every_referral(void **state)
{
    struct story *s = *state;
    char first[ID_BYTES];
    send_it(s, "urgent");
    (void)snprintf(first, sizeof(first), "%s", s->referral);
    char more[600];
    (void)snprintf(more, sizeof(more), "%s, \"services\": [{\"code\": \"shelter\"}]",
                   ready(s, "urgent"));
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body), "{\"case\": \"%s\", \"to\": \"%s\"%s}", s->a_case, s->org_b,
                   more);
    keep(s->referral, records_kit_ok(s->kit, A1, "POST", "/v1/referrals", body));
    (void)step(s, A1, "send", "{}");
    records_kit_meet(s->kit);
    (void)step(s, B1, "withdraw", "{\"channel\": \"in_person\", \"on\": \"2026-11-22\"}");
    records_kit_meet(s->kit);
    json_t *answer = records_kit_ok(s->kit, A1, "GET", path("consents", s->consent, ""), NULL);
    assert_string_equal(records_kit_text(answer, "fields.withdrawn.on"), "2026-11-22");
    assert_string_equal(records_kit_text(answer, "fields.withdrawn.by_org"), s->org_b);
    records_kit_meet(s->kit);
    (void)snprintf(s->referral, sizeof(s->referral), "%s", first);
    assert_string_equal(records_kit_text(show(s, B1), "state"), "consent_withdrawn");
    assert_int_equal(author_fixture_asides(s->kit->f, A1), 0);
    assert_int_equal(author_fixture_asides(s->kit->f, B1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_setup, story_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_draft_stays_here_until_it_is_sent),
        TEST(status_counts_drafts_and_what_waits_for_an_answer),
        TEST(wrong_drafts_are_refused),
        TEST(the_preview_says_who_sees_what_and_when),
        TEST(the_preview_lists_every_problem_and_send_refuses_each),
        TEST(consent_is_asked_for_the_recipient_the_day_and_the_case),
        TEST(what_was_struck_out_is_not_sent),
        TEST(whom_the_person_withholds_it_from_gets_nothing),
        TEST(the_target_sees_the_preview_and_the_details_after_accepting),
        TEST(in_an_emergency_the_details_go_at_once),
        TEST(what_becomes_an_emergency_before_it_is_answered_goes_at_once),
        TEST(what_was_declined_is_no_emergency_any_more),
        TEST(an_amendment_adds_no_section_that_the_consent_does_not_cover),
        TEST(what_is_on_hold_says_when_it_is_looked_at_again),
        TEST(nobody_writes_about_a_person_who_withdrew),
        TEST(a_referral_goes_through_to_its_close),
        TEST(steps_out_of_turn_are_refused_with_their_own_code),
        TEST(an_amendment_names_what_changed),
        TEST(a_cancelled_referral_waits_for_the_target),
        TEST(a_second_open_referral_for_the_same_is_refused),
        TEST(a_dry_run_of_send_writes_nothing),
        TEST(lists_show_each_side_its_own_box),
        TEST(a_list_can_be_of_one_case),
        TEST(a_withdrawal_stops_what_was_not_accepted),
        TEST(an_acceptance_that_crossed_a_withdrawal_gets_no_details),
        TEST(a_withdrawal_told_to_the_target_reaches_every_referral),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
