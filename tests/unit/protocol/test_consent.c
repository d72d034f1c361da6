#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/consent.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"

static const struct spean_id tokyo = {{2}};
static const struct spean_id hanoi = {{3}};
static const struct spean_record_id tokyo_agency = {{5}};

static struct spean_view view(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

static void put(struct spean_writer *w, const char *text)
{
    spean_writer_str(w, text, strlen(text));
}

static struct spean_view written(const struct spean_writer *w)
{
    struct spean_view bytes = {NULL, 0};
    assert_int_equal(spean_writer_end(w, &bytes), SPEAN_OK);
    return bytes;
}

static void put_day(struct spean_writer *w, const struct spean_day *day)
{
    const uint32_t count = day->month == 0 ? 1 : day->day == 0 ? 2 : 3;
    const uint64_t parts[] = {day->year, day->month, day->day};
    spean_writer_array(w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_uint(w, parts[i]);
    }
}

/* What a test says of a consent; the rest is as most consents are. */
struct wishes {
    const char *basis;
    const char *purpose;
    struct spean_day effective;
    struct spean_day expires;
    uint64_t extra_key; /* A sub-field that this program does not know; 0 for none. */
    bool not_approved;  /* The override names no role. */
};

static struct wishes usual(void)
{
    return (struct wishes){"consent", "refer", {2026, 11, 1}, {2027, 4, 30}, 0, false};
}

static uint8_t terms_buffer[2048];

static struct spean_view encode_terms(const struct wishes *wishes)
{
    struct spean_writer w;
    spean_writer_init(&w, terms_buffer, sizeof(terms_buffer));
    spean_writer_map(&w, wishes->extra_key == 0 ? 7 : 8);
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_TERMS_LEGAL_BASIS);
    put(&w, wishes->basis);
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_TERMS_PURPOSES);
    spean_writer_array(&w, 2);
    put(&w, "statistics");
    put(&w, wishes->purpose);
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_TERMS_RECIPIENTS);
    spean_writer_array(&w, 2);
    spean_writer_map(&w, 1); /* Tokyo, whatever kind it is. */
    spean_writer_uint(&w, 1);
    spean_writer_bin(&w, tokyo.bytes, sizeof(tokyo.bytes));
    spean_writer_map(&w, 2); /* Hanoi, but only as a shelter. */
    spean_writer_uint(&w, 1);
    spean_writer_bin(&w, hanoi.bytes, sizeof(hanoi.bytes));
    spean_writer_uint(&w, 2);
    put(&w, "shelter");
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_TERMS_SECTIONS);
    spean_writer_array(&w, 2);
    put(&w, "identity");
    put(&w, "costs");
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_TERMS_EFFECTIVE_ON);
    put_day(&w, &wishes->effective);
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_TERMS_EXPIRES_ON);
    put_day(&w, &wishes->expires);
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_TERMS_OVERRIDE);
    spean_writer_map(&w, wishes->not_approved ? 1 : 2);
    spean_writer_uint(&w, 1);
    put(&w, "life_at_risk");
    if (!wishes->not_approved) {
        spean_writer_uint(&w, 2);
        put(&w, "coordinator");
    }
    if (wishes->extra_key != 0) {
        spean_writer_uint(&w, wishes->extra_key);
        spean_writer_bool(&w, true);
    }
    return written(&w);
}

static struct spean_consent_terms decoded(const struct wishes *wishes)
{
    struct spean_consent_terms terms;
    assert_int_equal(spean_consent_terms_decode(&terms, encode_terms(wishes)), SPEAN_OK);
    return terms;
}

static bool in_force(const struct wishes *wishes, uint16_t year, uint8_t month, uint8_t day)
{
    const struct spean_consent_terms terms = decoded(wishes);
    const struct spean_day today = {year, month, day};
    return spean_consent_is_in_force(&terms, view("given"), false, &today);
}

static void consent_lasts_from_its_first_to_its_last_day(void **state)
{
    (void)state;
    const struct wishes wishes = usual();
    assert_false(in_force(&wishes, 2026, 10, 31));
    assert_true(in_force(&wishes, 2026, 11, 1));
    assert_true(in_force(&wishes, 2027, 1, 1));
    assert_true(in_force(&wishes, 2027, 4, 30));
    assert_false(in_force(&wishes, 2027, 5, 1));
    assert_false(in_force(&wishes, 2025, 12, 31));
    assert_false(in_force(&wishes, 2028, 1, 1));
}

static void a_date_known_to_the_month_or_year_stands_for_all_its_days(void **state)
{
    (void)state;
    struct wishes wishes = usual();
    wishes.effective = (struct spean_day){2026, 11, 0};
    wishes.expires = (struct spean_day){2027, 0, 0};
    assert_false(in_force(&wishes, 2026, 10, 31));
    assert_true(in_force(&wishes, 2026, 11, 1));
    assert_true(in_force(&wishes, 2027, 12, 31));
    assert_false(in_force(&wishes, 2028, 1, 1));
}

static void only_given_or_renewed_consent_that_nobody_withdrew_is_in_force(void **state)
{
    (void)state;
    const struct wishes wishes = usual();
    const struct spean_consent_terms terms = decoded(&wishes);
    const struct spean_day today = {2026, 11, 22};
    static const char *const dead[] = {"requested",   "refused", "withdrawn", "revoked", "expired",
                                       "invalidated", "unknown", "given2",    ""};

    assert_true(spean_consent_is_in_force(&terms, view("given"), false, &today));
    assert_true(spean_consent_is_in_force(&terms, view("renewed"), false, &today));
    assert_false(spean_consent_is_in_force(&terms, view("given"), true, &today));
    for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
        assert_false(spean_consent_is_in_force(&terms, view(dead[i]), false, &today));
    }
}

static void consent_to_something_else_is_no_consent_to_referring(void **state)
{
    (void)state;
    struct wishes wishes = usual();
    wishes.purpose = "advocacy";
    assert_false(in_force(&wishes, 2026, 11, 22));
}

static void an_override_that_nobody_approved_is_none(void **state)
{
    (void)state;
    struct wishes wishes = usual();
    wishes.basis = "vital_interest";
    wishes.not_approved = true;
    assert_false(decoded(&wishes).gives_override);
}

static void an_override_counts_in_vital_interest_only(void **state)
{
    (void)state;
    struct wishes wishes = usual();
    assert_false(decoded(&wishes).gives_override);
    wishes.basis = "vital_interest";
    assert_true(decoded(&wishes).gives_override);
}

static void terms_that_say_more_than_is_understood_are_refused(void **state)
{
    (void)state;
    struct wishes wishes = usual();
    struct spean_consent_terms terms;
    wishes.extra_key = 40;
    assert_int_equal(spean_consent_terms_decode(&terms, encode_terms(&wishes)), SPEAN_EINPUT);
}

static void terms_cut_at_any_byte_are_refused(void **state)
{
    (void)state;
    const struct wishes wishes = usual();
    const struct spean_view whole = encode_terms(&wishes);
    for (size_t len = 0; len < whole.len; len++) {
        struct spean_consent_terms terms;
        assert_int_not_equal(
            spean_consent_terms_decode(&terms, (struct spean_view){whole.data, len}), SPEAN_OK);
    }
}

static void terms_that_leave_everything_out_allow_nothing(void **state)
{
    (void)state;
    struct spean_writer w;
    spean_writer_init(&w, terms_buffer, sizeof(terms_buffer));
    spean_writer_map(&w, 1);
    spean_writer_uint(&w, SPEAN_SUB_CONSENT_TERMS_MEDIUM);
    put(&w, "paper");
    struct spean_consent_terms terms;
    assert_int_equal(spean_consent_terms_decode(&terms, written(&w)), SPEAN_OK);

    const struct spean_day today = {2026, 11, 22};
    const struct spean_recipient who = {&tokyo, view("legal"), NULL};
    assert_false(spean_consent_is_in_force(&terms, view("given"), false, &today));
    assert_false(spean_consent_covers(&terms, &who));
    assert_false(spean_consent_has_section(&terms, view("identity")));
    assert_false(terms.gives_override);
}

static void a_recipient_must_fit_in_all_that_is_named(void **state)
{
    (void)state;
    const struct wishes wishes = usual();
    const struct spean_consent_terms terms = decoded(&wishes);
    const struct spean_id other = {{9}};
    const struct spean_recipient in_tokyo = {&tokyo, view("legal"), &tokyo_agency};
    const struct spean_recipient shelter = {&hanoi, view("shelter"), NULL};
    const struct spean_recipient office = {&hanoi, view("legal"), NULL};
    const struct spean_recipient unnamed_kind = {&hanoi, {NULL, 0}, NULL};
    const struct spean_recipient another_shelter = {&other, view("shelter"), NULL};
    const struct spean_recipient nobody = {NULL, {NULL, 0}, NULL};

    assert_true(spean_consent_covers(&terms, &in_tokyo));
    assert_true(spean_consent_covers(&terms, &shelter));
    assert_false(spean_consent_covers(&terms, &office));
    assert_false(spean_consent_covers(&terms, &unnamed_kind));
    assert_false(spean_consent_covers(&terms, &another_shelter));
    assert_false(spean_consent_covers(&terms, &nobody));
}

static void only_named_sections_may_be_shared(void **state)
{
    (void)state;
    const struct wishes wishes = usual();
    const struct spean_consent_terms terms = decoded(&wishes);
    assert_true(spean_consent_has_section(&terms, view("identity")));
    assert_true(spean_consent_has_section(&terms, view("costs")));
    assert_false(spean_consent_has_section(&terms, view("health")));
    assert_false(spean_consent_has_section(&terms, view("cost")));
    assert_false(spean_consent_has_section(&terms, view("")));
}

/* A list that withholds from an organisation of a kind, and names a cousin. */
static struct spean_view withhold_list(uint8_t *buf, size_t cap)
{
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, 2);
    spean_writer_map(&w, 2);
    spean_writer_uint(&w, 1);
    spean_writer_bin(&w, hanoi.bytes, sizeof(hanoi.bytes));
    spean_writer_uint(&w, 2);
    put(&w, "police");
    spean_writer_map(&w, 1);
    spean_writer_uint(&w, 4);
    spean_writer_map(&w, 1);
    put(&w, "en");
    put(&w, "her cousin");
    return written(&w);
}

static void withholding_from_anything_that_fits_withholds(void **state)
{
    (void)state;
    uint8_t buf[256];
    const struct spean_view lists[] = {{NULL, 0}, withhold_list(buf, sizeof(buf))};
    const struct spean_recipient hanoi_legal = {&hanoi, view("legal"), NULL};
    const struct spean_recipient tokyo_police = {&tokyo, view("police"), NULL};
    const struct spean_recipient tokyo_legal = {&tokyo, view("legal"), &tokyo_agency};
    const struct spean_recipient tokyo_unknown = {&tokyo, {NULL, 0}, &tokyo_agency};

    assert_true(spean_consent_withholds(lists, 2, &hanoi_legal));
    assert_true(spean_consent_withholds(lists, 2, &tokyo_police));
    assert_true(spean_consent_withholds(lists, 2, &tokyo_unknown)); /* It might be the police. */
    assert_false(spean_consent_withholds(lists, 2, &tokyo_legal));
    assert_false(spean_consent_withholds(lists, 1, &hanoi_legal));
    assert_false(spean_consent_withholds(NULL, 0, &hanoi_legal));
}

static void a_wish_that_cannot_be_read_withholds_from_everybody(void **state)
{
    (void)state;
    uint8_t buf[256];
    const struct spean_view whole = withhold_list(buf, sizeof(buf));
    const struct spean_recipient who = {&tokyo, view("legal"), &tokyo_agency};
    for (size_t len = 1; len < whole.len; len++) {
        const struct spean_view cut = {whole.data, len};
        assert_true(spean_consent_withholds(&cut, 1, &who));
    }
    assert_false(spean_consent_withholds(&whole, 1, &who));
}

enum flag { LEFT_OUT, YES, NO };

static struct spean_view contact(uint8_t *buf, size_t cap, enum flag safe, enum flag message)
{
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_map(&w, (safe != LEFT_OUT ? 1u : 0) + (message != LEFT_OUT ? 1u : 0));
    if (safe != LEFT_OUT) {
        spean_writer_uint(&w, SPEAN_SUB_SAFE_CONTACT_SAFE);
        spean_writer_bool(&w, safe == YES);
    }
    if (message != LEFT_OUT) {
        spean_writer_uint(&w, SPEAN_SUB_SAFE_CONTACT_MAY_LEAVE_MESSAGE);
        spean_writer_bool(&w, message == YES);
    }
    return written(&w);
}

static void contact_is_safe_only_if_somebody_says_so_and_nobody_denies_it(void **state)
{
    (void)state;
    uint8_t bufs[3][16];
    struct spean_view siblings[3];

    struct spean_safe_contact joined = spean_consent_safe_contact(NULL, 0);
    assert_false(joined.is_safe);
    assert_false(joined.may_leave_message);

    siblings[0] = contact(bufs[0], sizeof(bufs[0]), YES, LEFT_OUT);
    joined = spean_consent_safe_contact(siblings, 1);
    assert_true(joined.is_safe);
    assert_false(joined.may_leave_message);

    siblings[1] = contact(bufs[1], sizeof(bufs[1]), LEFT_OUT, YES);
    joined = spean_consent_safe_contact(siblings, 2);
    assert_true(joined.is_safe);
    assert_true(joined.may_leave_message);

    /* One denial is enough, whatever stands before or after it. */
    for (size_t at = 0; at < 3; at++) {
        siblings[0] = contact(bufs[0], sizeof(bufs[0]), YES, YES);
        siblings[1] = contact(bufs[1], sizeof(bufs[1]), YES, YES);
        siblings[2] = contact(bufs[2], sizeof(bufs[2]), YES, YES);
        siblings[at] = contact(bufs[at], sizeof(bufs[at]), NO, YES);
        joined = spean_consent_safe_contact(siblings, 3);
        assert_false(joined.is_safe);
        assert_true(joined.may_leave_message);
    }
}

static void contact_is_not_safe_where_one_sibling_cannot_be_read(void **state)
{
    (void)state;
    uint8_t buf[16];
    const uint8_t nonsense[] = {0xc3};
    const struct spean_view siblings[] = {contact(buf, sizeof(buf), YES, YES),
                                          {nonsense, sizeof(nonsense)}};
    assert_true(spean_consent_safe_contact(siblings, 1).is_safe);
    assert_false(spean_consent_safe_contact(siblings, 2).is_safe);
    assert_false(spean_consent_safe_contact(siblings, 2).may_leave_message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consent_lasts_from_its_first_to_its_last_day),
        cmocka_unit_test(a_date_known_to_the_month_or_year_stands_for_all_its_days),
        cmocka_unit_test(only_given_or_renewed_consent_that_nobody_withdrew_is_in_force),
        cmocka_unit_test(consent_to_something_else_is_no_consent_to_referring),
        cmocka_unit_test(an_override_that_nobody_approved_is_none),
        cmocka_unit_test(an_override_counts_in_vital_interest_only),
        cmocka_unit_test(terms_that_say_more_than_is_understood_are_refused),
        cmocka_unit_test(terms_cut_at_any_byte_are_refused),
        cmocka_unit_test(terms_that_leave_everything_out_allow_nothing),
        cmocka_unit_test(a_recipient_must_fit_in_all_that_is_named),
        cmocka_unit_test(only_named_sections_may_be_shared),
        cmocka_unit_test(withholding_from_anything_that_fits_withholds),
        cmocka_unit_test(a_wish_that_cannot_be_read_withholds_from_everybody),
        cmocka_unit_test(contact_is_safe_only_if_somebody_says_so_and_nobody_denies_it),
        cmocka_unit_test(contact_is_not_safe_where_one_sibling_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
