/* Passing a referral on: refused without consent, and the withdrawal that reaches every child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "store/destroy.h"
#include "tests/unit/node/referral_kit.h"

#define DAY_S 86400

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

#define LATER "\"respond_by\": \"2035-01-01T00:00:00Z\""

/* The body of a redirect to an organisation; more begins with a comma. */
static const char *onward(const char *org, const char *more)
{
    static char body[512];
    (void)snprintf(body, sizeof(body), "{\"to\": \"%s\"%s}", org, more);
    return body;
}

/* B has taken it, and C is a partner that the consent may name. */
static void take_and_meet_c(struct story *s, const char *kind)
{
    add_org_c(s, kind);
    send_it(s, "urgent");
    take_it(s);
    records_kit_meet_all(s->kit);
}

/* B passes it on to C; the child's id is kept in child. */
static void pass_on(struct story *s, char child[ID_BYTES])
{
    json_t *answer =
        step(s, B1, "redirect", onward(s->org_c, ", \"reason\": \"better_placed\", " LATER));
    assert_string_equal(records_kit_text(answer, "state"), "redirected");
    (void)snprintf(child, ID_BYTES, "%s", records_kit_text(step_of(answer, "redirect"), "child"));
    records_kit_meet_all(s->kit);
}

static json_t *show_child(struct story *s, enum author_who who, const char *child)
{
    return records_kit_ok(s->kit, who, "GET", path("referrals", child, ""), NULL);
}

/* -- Refusals -------------------------------------------------------------------------------- */

static void what_the_consent_does_not_name_is_not_passed_on(void **state)
{
    struct story *s = *state;
    take_and_meet_c(s, "recruiter"); /* The consent is for partner_ngo alone. */
    const uint64_t height = records_kit_height(s->kit, B1);
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ", " LATER), "onward");
    assert_int_equal(records_kit_height(s->kit, B1), height);
    assert_string_equal(records_kit_text(show(s, B1), "state"), "accepted");
}

static void whom_it_was_withheld_from_gets_no_child_either(void **state)
{
    struct story *s = *state;
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"set\": {\"withhold_from\": [{\"org\": \"%s\"}]}}",
                   s->org_c);
    (void)records_kit_ok(s->kit, A1, "PATCH", path("cases", s->a_case, ""), body);
    take_and_meet_c(s, "partner_ngo");
    const uint64_t height = records_kit_height(s->kit, B1);
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ", " LATER), "onward");
    assert_int_equal(records_kit_height(s->kit, B1), height);
}

static void what_a_consent_covered_that_has_run_out_is_not_passed_on(void **state)
{
    struct story *s = *state;
    char terms[256];
    char date[16];
    char child[ID_BYTES];
    struct tm tm;
    const time_t ends = __real_time(NULL) + 5 * DAY_S;
    assert_non_null(gmtime_r(&ends, &tm));
    assert_true(strftime(date, sizeof(date), "%Y-%m-%d", &tm) > 0);
    (void)snprintf(terms, sizeof(terms),
                   "{\"purposes\": [\"refer\"], \"recipients\": [{\"kind\": \"partner_ngo\"}], "
                   "\"sections\": [\"identity\", \"costs\"], \"expires_on\": \"%s\"}",
                   date);
    add_consent(s, terms);
    take_and_meet_c(s, "partner_ngo");
    ahead_s = 10 * DAY_S;
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ", " LATER), "onward");
    ahead_s = 0;
    pass_on(s, child);
}

static void passing_on_asks_for_what_a_referral_needs(void **state)
{
    struct story *s = *state;
    take_and_meet_c(s, "partner_ngo");
    assert_step_refused(s, B1, "redirect", "{" LATER "}", "missing_child");
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ""), "missing_respond_by");
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ", \"services\": [], " LATER),
                        "missing_service");
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ", \"case\": \"1234\", " LATER),
                        "bad_input");
    assert_step_refused(s, B1, "redirect", onward(s->org_a, ", " LATER), "bad_input");
    assert_step_refused(s, B1, "redirect", onward(s->org_b, ", " LATER), "bad_input");
    assert_step_refused(s, B1, "redirect", onward("ffffffff", ", " LATER), "not_found");
    assert_step_refused(s, A1, "redirect", onward(s->org_c, ", " LATER), "not_yours");
    assert_string_equal(records_kit_text(show(s, B1), "state"), "accepted");
}

static void what_is_over_or_was_not_received_is_not_passed_on(void **state)
{
    struct story *s = *state;
    add_org_c(s, "partner_ngo");
    send_it(s, "urgent");
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ", " LATER), "track");
    take_it(s);
    (void)step(s, A1, "cancel", "{\"reason\": \"no_longer_needed\"}");
    records_kit_meet_all(s->kit);
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ", " LATER), "cancelled");
    (void)step(s, B1, "complete", "{\"outcome\": \"service_provided\"}");
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ", " LATER), "track");
}

static void after_a_withdrawal_nothing_is_passed_on(void **state)
{
    struct story *s = *state;
    take_and_meet_c(s, "partner_ngo");
    (void)records_kit_ok(s->kit, A1, "POST", path("consents", s->consent, "/withdraw"),
                         "{\"channel\": \"phone\"}");
    records_kit_meet_all(s->kit);
    assert_step_refused(s, B1, "redirect", onward(s->org_c, ", " LATER), "withdrawn");
    assert_int_equal(json_array_size(records_kit_at(
                         records_kit_ok(s->kit, C1, "GET", "/v1/referrals", NULL), "items")),
                     0);
}

static void a_dry_run_passes_nothing_on(void **state)
{
    struct story *s = *state;
    take_and_meet_c(s, "partner_ngo");
    const uint64_t height = records_kit_height(s->kit, B1);
    json_t *answer = step(s, B1, "redirect?dry_run=1", onward(s->org_c, ", " LATER));
    assert_true(json_is_true(records_kit_at(answer, "dry_run")));
    assert_int_equal(records_kit_height(s->kit, B1), height);
}

/* -- The child ------------------------------------------------------------------------------- */

static void the_child_carries_what_was_read_under_the_same_consent(void **state)
{
    struct story *s = *state;
    char child[ID_BYTES];
    take_and_meet_c(s, "partner_ngo");
    pass_on(s, child);
    assert_string_equal(records_kit_text(show(s, A1), "state"), "redirected");
    json_t *seen = show_child(s, C1, child);
    assert_string_equal(records_kit_text(seen, "state"), "sent");
    assert_string_equal(records_kit_text(seen, "origin"), s->org_b);
    assert_string_equal(records_kit_text(seen, "fixed.parent"), s->referral);
    assert_string_equal(records_kit_text(seen, "fixed.kind"), "referral");
    assert_string_equal(records_kit_text(seen, "fixed.consent.consent"), s->consent);
    assert_string_equal(records_kit_text(seen, "fields.services_requested.0.code"), "legal");
    assert_string_equal(records_kit_text(seen, "fields.urgency"), "urgent");
    assert_string_equal(records_kit_text(seen, "fields.age_band"), "adult");
    assert_true(json_is_true(records_kit_at(seen, "fields.safe_contact.safe")));
    assert_null(records_kit_at(seen, "fields.names")); /* After C accepts. */
    (void)records_kit_ok(s->kit, C1, "POST", path("referrals", child, "/accept"),
                         "{\"assigned_ref\": \"w2\", \"first_contact_by\": \"2035-01-02\"}");
    records_kit_meet_all(s->kit);
    seen = show_child(s, C1, child);
    assert_string_equal(records_kit_text(seen, "fields.names.0.full"), "Sok Dara");
    assert_string_equal(records_kit_text(seen, "fields.costs.0.item.category"), "broker");
    for (enum author_who who = A1; who <= C1; who++) {
        assert_int_equal(who == A2 ? 0 : author_fixture_asides(s->kit->f, who), 0);
    }
}

static void the_origin_does_not_read_the_child(void **state)
{
    struct story *s = *state;
    char child[ID_BYTES];
    take_and_meet_c(s, "partner_ngo");
    pass_on(s, child);
    assert_refused(s->kit, A1, "GET", path("referrals", child, ""), NULL, "not_found");
}

static void before_the_acceptance_only_the_preview_goes_on(void **state)
{
    struct story *s = *state;
    char child[ID_BYTES];
    add_org_c(s, "partner_ngo");
    send_it(s, "urgent");
    (void)step(s, B1, "receive", "{}");
    pass_on(s, child);
    (void)records_kit_ok(s->kit, C1, "POST", path("referrals", child, "/accept"),
                         "{\"assigned_ref\": \"w2\", \"first_contact_by\": \"2035-01-02\"}");
    records_kit_meet_all(s->kit);
    json_t *seen = show_child(s, C1, child);
    assert_string_equal(records_kit_text(seen, "fields.age_band"), "adult");
    assert_null(records_kit_at(seen, "fields.names"));
}

static void a_transferred_case_goes_on_with_the_child(void **state)
{
    struct story *s = *state;
    char child[ID_BYTES];
    char more[600];
    add_org_c(s, "partner_ngo");
    (void)snprintf(more, sizeof(more), "%s, \"kind\": \"transfer\"", ready(s, "urgent"));
    add_draft(s, more);
    (void)step(s, A1, "send", "{}");
    records_kit_meet(s->kit);
    take_it(s);
    pass_on(s, child);
    (void)records_kit_ok(s->kit, C1, "POST", path("referrals", child, "/accept"),
                         "{\"assigned_ref\": \"w2\", \"first_contact_by\": \"2035-01-02\"}");
    records_kit_meet_all(s->kit);
    json_t *cases = records_kit_ok(s->kit, C1, "GET", "/v1/cases", NULL);
    assert_int_equal(json_array_size(records_kit_at(cases, "items")), 1);
    cases = records_kit_ok(s->kit, B1, "GET", "/v1/cases", NULL);
    assert_string_equal(records_kit_text(cases, "items.0.status"), "closed_referred");
}

/* -- Withdrawal ------------------------------------------------------------------------------ */

static void a_withdrawal_reaches_the_child_and_erases_both(void **state)
{
    struct story *s = *state;
    char child[ID_BYTES];
    uint32_t destroyed = 0;
    take_and_meet_c(s, "partner_ngo");
    pass_on(s, child);
    (void)records_kit_ok(s->kit, A1, "POST", path("consents", s->consent, "/withdraw"),
                         "{\"channel\": \"phone\"}");
    records_kit_meet_all(s->kit);
    json_t *seen = show_child(s, C1, child);
    assert_string_equal(records_kit_text(seen, "state"), "consent_withdrawn");
    assert_null(records_kit_at(seen, "fields.age_band"));
    const struct author_node *b = &s->kit->f->nodes[B1];
    assert_int_equal(spean_destroy_due(b->store->db, b->authority, AUTHOR_NOW_S + 1, 0, &destroyed),
                     SPEAN_OK);
    assert_int_equal(destroyed, 4); /* What came, and what went on. */
    assert_null(records_kit_at(show_child(s, B1, child), "fields.names"));
    for (enum author_who who = A1; who <= C1; who++) {
        assert_int_equal(who == A2 ? 0 : author_fixture_asides(s->kit->f, who), 0);
    }
}

static void a_withdrawal_told_to_the_last_reaches_the_first(void **state)
{
    struct story *s = *state;
    char child[ID_BYTES];
    take_and_meet_c(s, "partner_ngo");
    pass_on(s, child);
    (void)records_kit_ok(s->kit, C1, "POST", path("referrals", child, "/withdraw"),
                         "{\"channel\": \"in_person\", \"on\": \"2026-11-22\"}");
    records_kit_meet_all(s->kit);
    json_t *consent = records_kit_ok(s->kit, A1, "GET", path("consents", s->consent, ""), NULL);
    assert_string_equal(records_kit_text(consent, "fields.withdrawn.by_org"), s->org_c);
    assert_true(lists(show(s, A1), "flags", "consent_withdrawn"));
}

/* -- Without consent ------------------------------------------------------------------------- */

static void an_override_that_is_not_whole_is_refused(void **state)
{
    struct story *s = *state;
    static const char *const rows[] = {
        "\"consent\"|\"override\": {\"reason\": \"life_at_risk\", \"approved_by_role\": "
        "\"coordinator\"}|{\"en\": \"why\"}",
        "\"vital_interest\"|\"override\": {\"approved_by_role\": \"coordinator\"}|{\"en\": "
        "\"why\"}",
        "\"vital_interest\"|\"override\": {\"reason\": \"life_at_risk\"}|{\"en\": \"why\"}",
        "\"vital_interest\"|\"override\": {\"reason\": \"life_at_risk\", \"approved_by_role\": "
        "\"coordinator\"}|null",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char row[256];
        char body[BODY_BYTES];
        char *rest = NULL;
        (void)snprintf(row, sizeof(row), "%s", rows[i]);
        const char *basis = strtok_r(row, "|", &rest);
        const char *override = strtok_r(NULL, "|", &rest);
        const char *note = strtok_r(NULL, "|", &rest);
        (void)snprintf(body, sizeof(body),
                       "{\"fixed\": {\"case\": \"%s\", \"terms\": {\"legal_basis\": %s, "
                       "\"purposes\": [\"refer\"], \"recipients\": [{\"org\": \"%s\"}], %s}}, "
                       "\"set\": {\"override_note\": %s}}",
                       s->a_case, basis, s->org_b, override, note);
        assert_refused(s->kit, A1, "POST", "/v1/consents", body, "override_incomplete");
    }
}

/* Somebody approved that A refers without a consent. */
static void override(struct story *s)
{
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body),
                   "{\"fixed\": {\"case\": \"%s\", \"terms\": {\"legal_basis\": "
                   "\"vital_interest\", \"purposes\": [\"refer\"], \"recipients\": [{\"kind\": "
                   "\"partner_ngo\"}], \"override\": {\"reason\": \"life_at_risk\", "
                   "\"approved_by_role\": \"coordinator\"}}}, \"set\": {\"status\": "
                   "\"not_asked\", \"override_note\": {\"en\": \"unconscious\"}}}",
                   s->a_case);
    keep(s->consent, records_kit_ok(s->kit, A1, "POST", "/v1/consents", body));
}

static void an_override_sends_nothing_once_the_person_says_no(void **state)
{
    struct story *s = *state;
    override(s);
    (void)records_kit_ok(s->kit, A1, "POST", path("consents", s->consent, "/withdraw"),
                         "{\"channel\": \"phone\"}");
    add_draft(s, ready(s, "emergency"));
    const uint64_t height = records_kit_height(s->kit, A1);
    assert_step_refused(s, A1, "send", "{}", "no_consent");
    assert_int_equal(records_kit_height(s->kit, A1), height);
}

static void an_approved_override_sends_without_consent(void **state)
{
    struct story *s = *state;
    override(s);
    send_it(s, "emergency");
    json_t *seen = show(s, B1);
    assert_string_equal(records_kit_text(seen, "fields.names.0.full"), "Sok Dara");
    assert_string_equal(records_kit_text(seen, "fixed.consent.terms.override.reason"),
                        "life_at_risk");
    assert_null(records_kit_at(seen, "fixed.consent.terms.override_note")); /* Words stay here. */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, story_setup, story_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_consent_does_not_name_is_not_passed_on),
        TEST(whom_it_was_withheld_from_gets_no_child_either),
        TEST(what_a_consent_covered_that_has_run_out_is_not_passed_on),
        TEST(passing_on_asks_for_what_a_referral_needs),
        TEST(what_is_over_or_was_not_received_is_not_passed_on),
        TEST(after_a_withdrawal_nothing_is_passed_on),
        TEST(a_dry_run_passes_nothing_on),
        TEST(the_child_carries_what_was_read_under_the_same_consent),
        TEST(the_origin_does_not_read_the_child),
        TEST(before_the_acceptance_only_the_preview_goes_on),
        TEST(a_transferred_case_goes_on_with_the_child),
        TEST(a_withdrawal_reaches_the_child_and_erases_both),
        TEST(a_withdrawal_told_to_the_last_reaches_the_first),
        TEST(an_override_that_is_not_whole_is_refused),
        TEST(an_override_sends_nothing_once_the_person_says_no),
        TEST(an_approved_override_sends_without_consent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
