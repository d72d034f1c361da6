#include "store/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/schema.h"
#include "protocol/writer.h"
#include "store/draft_internal.h"
#include "tests/support/identitykit.h"

static const uint8_t random_one[SPEAN_CHANGE_RANDOM_BYTES] = {1};
static const uint8_t random_two[SPEAN_CHANGE_RANDOM_BYTES] = {2};

struct draft_fixture {
    struct spean_authority *authority;
    const struct spean_log *log;
    struct spean_draft *draft;
    uint8_t buf[SPEAN_VALUE_BYTES_MAX + 64u];
};

static void add(struct spean_authority *a, const struct fixture_document *document)
{
    struct spean_authority_change change;
    assert_int_equal(spean_authority_add(a, document->view, SPEAN_PENDING_KEEP, &change), SPEAN_OK);
}

static int setup(void **state)
{
    struct draft_fixture *f = calloc(1, sizeof(*f));
    struct fixture_document *documents = calloc(3, sizeof(*documents));
    assert_non_null(f);
    assert_non_null(documents);
    fixture_org_first(&documents[0], 1);
    const struct spean_id org = documents[0].doc.id;
    fixture_genesis(&documents[1], &org, 5);
    const struct spean_handle handle = spean_handle_of(&documents[1].doc.id);
    fixture_org_node(&documents[2], &documents[0].doc, &org, &handle, true, 30, 1);

    assert_int_equal(spean_authority_new(&f->authority, NULL), SPEAN_OK);
    add(f->authority, &documents[1]);
    add(f->authority, &documents[0]);
    add(f->authority, &documents[2]);
    free(documents);
    f->log = spean_authority_log_at(f->authority, 0);
    assert_int_equal(spean_draft_new(f->authority, f->log, &f->draft), SPEAN_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct draft_fixture *f = *state;
    spean_draft_free(f->draft);
    spean_authority_free(f->authority);
    free(f);
    return 0;
}

static struct spean_view encoded(const struct spean_writer *w)
{
    struct spean_view out;
    assert_int_equal(spean_writer_end(w, &out), SPEAN_OK);
    return out;
}

static struct spean_view a_str(struct draft_fixture *f, const char *text)
{
    struct spean_writer w;
    spean_writer_init(&w, f->buf, sizeof(f->buf));
    spean_writer_str(&w, text, strlen(text));
    return encoded(&w);
}

static struct spean_view a_uint(struct draft_fixture *f, uint64_t number)
{
    struct spean_writer w;
    spean_writer_init(&w, f->buf, sizeof(f->buf));
    spean_writer_uint(&w, number);
    return encoded(&w);
}

/* A map of one fixed field: str, or without one the number of the field itself. */
static struct spean_view a_fixed(struct draft_fixture *f, uint64_t field, const char *text)
{
    struct spean_writer w;
    spean_writer_init(&w, f->buf, sizeof(f->buf));
    spean_writer_map(&w, 1);
    spean_writer_uint(&w, field);
    if (text == NULL) {
        spean_writer_uint(&w, field);
    } else {
        spean_writer_str(&w, text, strlen(text));
    }
    return encoded(&w);
}

static struct spean_view a_text(struct draft_fixture *f, size_t len)
{
    char *text = malloc(len);
    assert_non_null(text);
    (void)memset(text, 'x', len);
    struct spean_writer w;
    spean_writer_init(&w, f->buf, sizeof(f->buf));
    spean_writer_map(&w, 1);
    spean_writer_str(&w, "en", 2);
    spean_writer_str(&w, text, len);
    free(text);
    return encoded(&w);
}

static const struct spean_view nothing = {NULL, 0};

static struct spean_record_id create(struct draft_fixture *f, uint64_t type)
{
    struct spean_record_id record;
    assert_int_equal(spean_draft_create(f->draft, type, random_one, nothing, &record, NULL),
                     SPEAN_OK);
    return record;
}

static spean_err op(struct draft_fixture *f, uint64_t field, enum spean_verb verb,
                    struct spean_view value)
{
    return spean_draft_op(f->draft, field, verb, value);
}

static void without_a_ledger_or_an_open_log_there_is_no_draft(void **state)
{
    struct draft_fixture *f = *state;
    struct spean_draft *draft = NULL;
    assert_int_equal(spean_draft_new(f->authority, NULL, &draft), SPEAN_ESTATE);

    struct spean_log closed = *f->log;
    closed.status = SPEAN_LOG_CLOSED;
    assert_int_equal(spean_draft_new(f->authority, &closed, &draft), SPEAN_ESTATE);

    struct spean_authority *empty = NULL;
    assert_int_equal(spean_authority_new(&empty, NULL), SPEAN_OK);
    assert_int_equal(spean_draft_new(empty, f->log, &draft), SPEAN_ESTATE);
    spean_authority_free(empty);
    assert_null(draft);
    spean_draft_free(NULL);
}

static void a_created_record_is_named_by_ledger_author_and_random(void **state)
{
    struct draft_fixture *f = *state;
    struct spean_record_id expected;
    spean_record_id_derive(&expected, &spean_authority_ledger(f->authority)->id, &f->log->org,
                           random_one);
    const struct spean_record_id record = create(f, SPEAN_TYPE_CASE);
    assert_true(spean_record_id_equal(&record, &expected));
    assert_int_equal(spean_draft_count(f->draft), 1);
    assert_int_equal(f->draft->items[0].part, SPEAN_PART_CASE);
}

static void a_record_is_created_once(void **state)
{
    struct draft_fixture *f = *state;
    (void)create(f, SPEAN_TYPE_CASE);
    assert_int_equal(spean_draft_create(f->draft, SPEAN_TYPE_CASE, random_one, nothing, NULL, NULL),
                     SPEAN_EEXISTS);
    assert_int_equal(spean_draft_create(f->draft, SPEAN_TYPE_CASE, random_two, nothing, NULL, NULL),
                     SPEAN_OK);
    assert_int_equal(spean_draft_count(f->draft), 2);
}

static void unknown_and_reserved_types_are_not_written(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_record_id record = {{1}};
    static const uint64_t types[] = {0, SPEAN_TYPE_FILE, 8, UINT64_MAX};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_int_equal(spean_draft_create(f->draft, types[i], random_one, nothing, NULL, NULL),
                         SPEAN_EINPUT);
        assert_int_equal(spean_draft_change(f->draft, &record, types[i], 1), SPEAN_EINPUT);
        assert_int_equal(
            spean_draft_grant(f->draft, &record, types[i], 1, SPEAN_GRANT_FIRST, NULL, 0),
            SPEAN_EINPUT);
    }
    assert_int_equal(spean_draft_count(f->draft), 0);
}

static void a_part_that_the_type_lacks_is_refused(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_record_id record = {{1}};
    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_CASE, 0), SPEAN_EINPUT);
    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_CASE, 2), SPEAN_EINPUT);
    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_AGENCY, 1), SPEAN_EINPUT);
    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_REFERRAL, UINT32_MAX),
                     SPEAN_EINPUT);
    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_REFERRAL, 3), SPEAN_OK);
}

static void fixed_fields_are_checked_and_the_wrong_one_named(void **state)
{
    struct draft_fixture *f = *state;
    uint64_t field = 0;
    const uint64_t type = SPEAN_TYPE_CODE_LIST;
    assert_int_equal(
        spean_draft_create(f->draft, type, random_one, a_fixed(f, 1, "Not A Code"), NULL, &field),
        SPEAN_EINPUT);
    assert_int_equal(field, 1);
    assert_int_equal(
        spean_draft_create(f->draft, type, random_one, a_fixed(f, 1, NULL), NULL, &field),
        SPEAN_EFORMAT);
    assert_int_equal(
        spean_draft_create(f->draft, type, random_one, a_fixed(f, 9, "x"), NULL, &field),
        SPEAN_EINPUT);
    assert_int_equal(field, 9);
    assert_int_equal(
        spean_draft_create(f->draft, type, random_one, a_fixed(f, 5018, "x"), NULL, &field),
        SPEAN_EINPUT);
    assert_int_equal(field, 5018);
    assert_int_equal(spean_draft_create(f->draft, type, random_one, a_uint(f, 1), NULL, NULL),
                     SPEAN_EFORMAT);
    assert_int_equal(spean_draft_count(f->draft), 0);
    assert_int_equal(
        spean_draft_create(f->draft, type, random_one, a_fixed(f, 1, "issue"), NULL, NULL),
        SPEAN_OK);
}

static void fixed_fields_cut_short_at_any_byte_are_refused(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_view whole = a_fixed(f, 1, "issue");
    for (size_t len = 1; len < whole.len; len++) {
        assert_int_equal(spean_draft_create(f->draft, SPEAN_TYPE_CODE_LIST, random_one,
                                            (struct spean_view){whole.data, len}, NULL, NULL),
                         SPEAN_EFORMAT);
    }
}

static void an_operation_needs_a_change(void **state)
{
    struct draft_fixture *f = *state;
    assert_int_equal(op(f, SPEAN_FIELD_CASE_DEPENDANTS, SPEAN_VERB_WRITE, a_uint(f, 2)),
                     SPEAN_ESTATE);
    const struct spean_record_id record = create(f, SPEAN_TYPE_CASE);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_DEPENDANTS, SPEAN_VERB_WRITE, a_uint(f, 2)), SPEAN_OK);
    assert_int_equal(
        spean_draft_grant(f->draft, &record, SPEAN_TYPE_CASE, 1, SPEAN_GRANT_FIRST, NULL, 0),
        SPEAN_OK);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_PREGNANT, SPEAN_VERB_WRITE, a_uint(f, 2)),
                     SPEAN_ESTATE);
}

static void a_field_belongs_to_its_type_and_part(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_record_id record = {{1}};
    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS),
                     SPEAN_OK);
    const struct spean_view name = a_text(f, 4);
    assert_int_equal(op(f, SPEAN_FIELD_REFERRAL_REASON, SPEAN_VERB_WRITE, name), SPEAN_EINPUT);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_NARRATIVE, SPEAN_VERB_WRITE, name), SPEAN_EINPUT);
    assert_int_equal(op(f, SPEAN_FIELD_REFERRAL_FROM, SPEAN_VERB_WRITE, name), SPEAN_EINPUT);
    assert_int_equal(op(f, UINT64_MAX, SPEAN_VERB_WRITE, name), SPEAN_EINPUT);
    assert_int_equal(f->draft->ops_count, 0);
}

static void a_value_fits_its_field(void **state)
{
    struct draft_fixture *f = *state;
    (void)create(f, SPEAN_TYPE_CASE);
    const uint64_t status = SPEAN_FIELD_CASE_STATUS;
    assert_int_equal(op(f, status, SPEAN_VERB_WRITE, a_uint(f, 1)), SPEAN_EFORMAT);
    assert_int_equal(op(f, status, SPEAN_VERB_WRITE, a_str(f, "Not a code")), SPEAN_EINPUT);
    assert_int_equal(op(f, status, SPEAN_VERB_WRITE, nothing), SPEAN_EFORMAT);
    assert_int_equal(op(f, status, SPEAN_VERB_ADD, a_str(f, "open")), SPEAN_EINPUT);
    assert_int_equal(op(f, status, SPEAN_VERB_WRITE, a_str(f, "open")), SPEAN_OK);
    assert_int_equal(f->draft->ops[0].kind, SPEAN_KIND_VALUE);
}

static void a_value_is_copied(void **state)
{
    struct draft_fixture *f = *state;
    (void)create(f, SPEAN_TYPE_CASE);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_STATUS, SPEAN_VERB_WRITE, a_str(f, "open")), SPEAN_OK);
    (void)memset(f->buf, 0, sizeof(f->buf));
    assert_memory_equal(f->draft->ops[0].value.data + 1, "open", 4);
}

static void nil_clears_a_value_and_nothing_else(void **state)
{
    static const uint8_t nil[] = {0xc0};
    const struct spean_view cleared = {nil, sizeof(nil)};
    struct draft_fixture *f = *state;
    (void)create(f, SPEAN_TYPE_CASE);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_STATUS, SPEAN_VERB_WRITE, cleared), SPEAN_OK);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_SAFE_CONTACT, SPEAN_VERB_WRITE, cleared),
                     SPEAN_EFORMAT);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_ISSUES, SPEAN_VERB_ADD, cleared), SPEAN_EFORMAT);
}

static void a_field_is_written_once_in_a_change(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_record_id record = create(f, SPEAN_TYPE_CASE);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_STATUS, SPEAN_VERB_WRITE, a_str(f, "open")), SPEAN_OK);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_STATUS, SPEAN_VERB_WRITE, a_str(f, "closed")),
                     SPEAN_EEXISTS);
    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_CASE, 1), SPEAN_OK);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_STATUS, SPEAN_VERB_WRITE, a_str(f, "closed")),
                     SPEAN_OK);
}

static void a_member_of_a_set_is_written_once_in_a_change(void **state)
{
    struct draft_fixture *f = *state;
    (void)create(f, SPEAN_TYPE_CASE);
    const uint64_t issues = SPEAN_FIELD_CASE_ISSUES;
    assert_int_equal(op(f, issues, SPEAN_VERB_ADD, a_str(f, "wage")), SPEAN_OK);
    assert_int_equal(op(f, issues, SPEAN_VERB_ADD, a_str(f, "housing")), SPEAN_OK);
    assert_int_equal(op(f, issues, SPEAN_VERB_REMOVE, a_str(f, "wage")), SPEAN_EEXISTS);
    assert_int_equal(f->draft->items[0].ops_count, 2);
}

static void what_is_removed_may_be_older_than_the_schema(void **state)
{
    struct draft_fixture *f = *state;
    (void)create(f, SPEAN_TYPE_CASE);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_ISSUES, SPEAN_VERB_ADD, a_uint(f, 7)), SPEAN_EFORMAT);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_ISSUES, SPEAN_VERB_REMOVE, a_uint(f, 7)), SPEAN_OK);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_ISSUES, SPEAN_VERB_REMOVE, nothing), SPEAN_EFORMAT);
}

static void an_item_is_struck_by_its_name_and_a_step_never(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_record_id record = create(f, SPEAN_TYPE_CASE);
    uint8_t buf[SPEAN_DOT_BYTES_MAX];
    const struct spean_dot dot = {.log = 7, .seq = 1, .index = 0};
    const struct spean_view name = spean_dot_encode(&dot, buf);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_COSTS, SPEAN_VERB_STRIKE, a_uint(f, 1)), SPEAN_EFORMAT);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_COSTS, SPEAN_VERB_STRIKE, name), SPEAN_OK);

    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_REFERRAL, 1), SPEAN_OK);
    assert_int_equal(op(f, SPEAN_FIELD_REFERRAL_ORIGIN_STEPS, SPEAN_VERB_STRIKE, name),
                     SPEAN_EINPUT);
    assert_int_equal(op(f, SPEAN_FIELD_REFERRAL_TARGET_STEPS, SPEAN_VERB_STRIKE, name),
                     SPEAN_EINPUT);
    assert_int_equal(op(f, SPEAN_FIELD_REFERRAL_PURGE_RECEIPTS, SPEAN_VERB_STRIKE, name), SPEAN_OK);
}

static void a_change_has_a_limit_of_operations(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_record_id record = create(f, SPEAN_TYPE_CASE);
    char code[16];
    for (uint32_t i = 0; i < SPEAN_CHANGE_OPERATIONS_MAX; i++) {
        (void)snprintf(code, sizeof(code), "c%u", i);
        assert_int_equal(op(f, SPEAN_FIELD_CASE_ISSUES, SPEAN_VERB_ADD, a_str(f, code)), SPEAN_OK);
    }
    assert_int_equal(op(f, SPEAN_FIELD_CASE_ISSUES, SPEAN_VERB_ADD, a_str(f, "one")), SPEAN_ELIMIT);
    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_CASE, 1), SPEAN_OK);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_ISSUES, SPEAN_VERB_ADD, a_str(f, "one")), SPEAN_OK);
}

static void a_draft_has_a_limit_of_bytes(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_record_id record = create(f, SPEAN_TYPE_CASE);
    uint32_t taken = 0;
    spean_err err = SPEAN_OK;
    while (err == SPEAN_OK) {
        assert_true(taken < SPEAN_DRAFT_BYTES_MAX / 30000u + 1u);
        assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_CASE, 1), SPEAN_OK);
        err = op(f, SPEAN_FIELD_CASE_NARRATIVE, SPEAN_VERB_WRITE, a_text(f, 30000));
        taken += err == SPEAN_OK ? 1 : 0;
    }
    assert_int_equal(err, SPEAN_ELIMIT);
    assert_int_equal(taken, 4);
    assert_int_equal(op(f, SPEAN_FIELD_CASE_STATUS, SPEAN_VERB_WRITE, a_str(f, "open")), SPEAN_OK);
}

static void a_draft_has_a_limit_of_items(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_record_id record = {{1}};
    for (uint32_t i = 0; i < SPEAN_DRAFT_ITEMS_MAX; i++) {
        assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_CASE, 1), SPEAN_OK);
    }
    assert_int_equal(spean_draft_change(f->draft, &record, SPEAN_TYPE_CASE, 1), SPEAN_ELIMIT);
    assert_int_equal(spean_draft_create(f->draft, SPEAN_TYPE_CASE, random_one, nothing, NULL, NULL),
                     SPEAN_ELIMIT);
    assert_int_equal(
        spean_draft_grant(f->draft, &record, SPEAN_TYPE_CASE, 1, SPEAN_GRANT_FIRST, NULL, 0),
        SPEAN_ELIMIT);
    assert_int_equal(spean_draft_count(f->draft), SPEAN_DRAFT_ITEMS_MAX);
}

static spean_err grant(struct draft_fixture *f, uint64_t type, uint32_t part,
                       const struct spean_id *audience, uint32_t count)
{
    static const struct spean_record_id record = {{1}};
    return spean_draft_grant(f->draft, &record, type, part, SPEAN_GRANT_FIRST, audience, count);
}

static void an_audience_ascends_and_we_are_in_it(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_id orgs[] = {fixture_id(9), fixture_id(3)};
    assert_int_equal(grant(f, SPEAN_TYPE_REFERRAL, 1, orgs, 2), SPEAN_OK);
    const struct spean_draft_item *item = &f->draft->items[0];
    assert_int_equal(item->audience_count, 3);
    bool ours = false;
    for (uint32_t i = 0; i < 3; i++) {
        ours = ours || spean_id_equal(&item->audience[i], &f->log->org);
        assert_true(i == 0 || spean_id_compare(&item->audience[i - 1], &item->audience[i]) < 0);
    }
    assert_true(ours);
}

static void an_organisation_stands_once_in_an_audience(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_id twice[] = {fixture_id(9), fixture_id(9)};
    assert_int_equal(grant(f, SPEAN_TYPE_REFERRAL, 1, twice, 2), SPEAN_EINPUT);
    assert_int_equal(grant(f, SPEAN_TYPE_REFERRAL, 1, &f->log->org, 1), SPEAN_OK);
    assert_int_equal(f->draft->items[0].audience_count, 1);
}

static void an_audience_has_a_limit(void **state)
{
    struct draft_fixture *f = *state;
    struct spean_id orgs[SPEAN_AUDIENCE_ORGS_MAX];
    for (unsigned i = 0; i < SPEAN_AUDIENCE_ORGS_MAX; i++) {
        orgs[i] = fixture_id(i);
    }
    assert_int_equal(grant(f, SPEAN_TYPE_REFERRAL, 1, orgs, SPEAN_AUDIENCE_ORGS_MAX), SPEAN_ELIMIT);
    assert_int_equal(grant(f, SPEAN_TYPE_REFERRAL, 1, orgs, SPEAN_AUDIENCE_ORGS_MAX - 1), SPEAN_OK);
}

static void a_case_and_a_consent_are_handed_to_nobody(void **state)
{
    struct draft_fixture *f = *state;
    const struct spean_id other = fixture_id(9);
    assert_int_equal(grant(f, SPEAN_TYPE_CASE, 1, &other, 1), SPEAN_EDENIED);
    assert_int_equal(grant(f, SPEAN_TYPE_CONSENT, 1, &other, 1), SPEAN_EDENIED);
    assert_int_equal(grant(f, SPEAN_TYPE_CASE, 1, NULL, 0), SPEAN_OK);
}

static void a_public_part_has_no_key(void **state)
{
    struct draft_fixture *f = *state;
    assert_int_equal(grant(f, SPEAN_TYPE_AGENCY, 0, NULL, 0), SPEAN_EINPUT);
    assert_int_equal(grant(f, SPEAN_TYPE_REFERRAL, 0, NULL, 0), SPEAN_EINPUT);
}

static void a_part_is_granted_once_in_a_draft(void **state)
{
    struct draft_fixture *f = *state;
    assert_int_equal(grant(f, SPEAN_TYPE_REFERRAL, 1, NULL, 0), SPEAN_OK);
    assert_int_equal(grant(f, SPEAN_TYPE_REFERRAL, 1, NULL, 0), SPEAN_EEXISTS);
    assert_int_equal(grant(f, SPEAN_TYPE_REFERRAL, 2, NULL, 0), SPEAN_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(without_a_ledger_or_an_open_log_there_is_no_draft),
        TEST(a_created_record_is_named_by_ledger_author_and_random),
        TEST(a_record_is_created_once),
        TEST(unknown_and_reserved_types_are_not_written),
        TEST(a_part_that_the_type_lacks_is_refused),
        TEST(fixed_fields_are_checked_and_the_wrong_one_named),
        TEST(fixed_fields_cut_short_at_any_byte_are_refused),
        TEST(an_operation_needs_a_change),
        TEST(a_field_belongs_to_its_type_and_part),
        TEST(a_value_fits_its_field),
        TEST(a_value_is_copied),
        TEST(nil_clears_a_value_and_nothing_else),
        TEST(a_field_is_written_once_in_a_change),
        TEST(a_member_of_a_set_is_written_once_in_a_change),
        TEST(what_is_removed_may_be_older_than_the_schema),
        TEST(an_item_is_struck_by_its_name_and_a_step_never),
        TEST(a_change_has_a_limit_of_operations),
        TEST(a_draft_has_a_limit_of_bytes),
        TEST(a_draft_has_a_limit_of_items),
        TEST(an_audience_ascends_and_we_are_in_it),
        TEST(an_organisation_stands_once_in_an_audience),
        TEST(an_audience_has_a_limit),
        TEST(a_case_and_a_consent_are_handed_to_nobody),
        TEST(a_public_part_has_no_key),
        TEST(a_part_is_granted_once_in_a_draft),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
