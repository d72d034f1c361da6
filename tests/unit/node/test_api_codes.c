/* What codes mean, by the local API: A is the steward of the ledger, B is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/codes.h"
#include "protocol/schema_numbers.h"
#include "protocol/text.h"
#include "store/draft.h"
#include "tests/unit/node/records_kit.h"

#define FIXED(list, code) "\"fixed\": {\"list\": \"" list "\", \"code\": \"" code "\"}"

static void add(struct records_kit *kit, enum author_who who, const char *body)
{
    (void)records_kit_ok(kit, who, "POST", "/v1/codes", body);
}

/* The one item of GET /v1/codes?list= that has this code; NULL: none has. */
static json_t *code_at(struct records_kit *kit, enum author_who who, const char *list,
                       const char *code)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/codes?limit=1000&list=%s", list);
    json_t *items = records_kit_at(records_kit_ok(kit, who, "GET", target, NULL), "items");
    json_t *found = NULL;
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(items, i, item)
    {
        if (strcmp(records_kit_text(item, "code"), code) == 0) {
            assert_null(found);
            found = item;
        }
    }
    return found;
}

static void what_the_program_brings_along_is_listed_in_its_order(void **state)
{
    struct records_kit *kit = *state;
    size_t count = 0;
    const struct spean_code *rows = spean_codes_list("urgency", &count);
    json_t *answer = records_kit_ok(kit, B1, "GET", "/v1/codes?list=urgency", NULL);
    json_t *items = records_kit_at(answer, "items");
    assert_int_equal(json_array_size(items), count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(records_kit_text(json_array_get(items, i), "code"), rows[i].code);
        assert_string_equal(records_kit_text(json_array_get(items, i), "standing"), "built_in");
    }
    answer = records_kit_ok(kit, B1, "GET", "/v1/codes?list=nobody_has_it", NULL);
    assert_int_equal(json_array_size(records_kit_at(answer, "items")), 0);
}

static void pages_give_every_code_once(void **state)
{
    struct records_kit *kit = *state;
    size_t rows = 0;
    size_t seen = 0;
    char target[256] = "/v1/codes?limit=100";
    (void)spean_codes_all(&rows);
    for (;;) {
        json_t *answer = records_kit_ok(kit, A1, "GET", target, NULL);
        seen += json_array_size(records_kit_at(answer, "items"));
        if (json_is_null(records_kit_at(answer, "next"))) {
            break;
        }
        (void)snprintf(target, sizeof(target), "/v1/codes?limit=100&after=%s",
                       records_kit_text(answer, "next"));
    }
    assert_int_equal(seen, rows);
    assert_refused(kit, A1, "GET", "/v1/codes?limit=0", NULL, "bad_input");
    assert_refused(kit, A1, "GET", "/v1/codes?list=No%20List", NULL, "bad_input");
    assert_refused(kit, A1, "GET", "/v1/codes?unmapped=yes", NULL, "bad_input");
}

static void a_published_code_counts_before_a_local_one_at_every_node(void **state)
{
    struct records_kit *kit = *state;
    add(kit, B1, "{" FIXED("scheme", "new") ", \"set\": {\"labels\": {\"en\": \"by B\"}}}");
    assert_string_equal(records_kit_text(code_at(kit, B1, "scheme", "new"), "standing"), "local");
    records_kit_meet(kit);
    /* The steward has it as it is, and then takes it over. */
    json_t *seen = code_at(kit, A1, "scheme", "new");
    assert_string_equal(records_kit_text(seen, "labels.en"), "by B");
    add(kit, A1,
        "{" FIXED("scheme",
                  "new") ", \"set\": {\"labels\": {\"km\": \"A\"}, \"published\": true}}");
    records_kit_meet(kit);
    for (enum author_who who = A1; who <= B1; who++) {
        if (who == A2) {
            continue; /* It did not meet anybody. */
        }
        seen = code_at(kit, who, "scheme", "new");
        assert_string_equal(records_kit_text(seen, "standing"), "published");
        assert_string_equal(records_kit_text(seen, "labels.en"), "by B");
        assert_string_equal(records_kit_text(seen, "labels.km"), "A");
    }
}

static void a_local_record_does_not_rename_a_code_of_the_program(void **state)
{
    struct records_kit *kit = *state;
    assert_refused(kit, B1, "POST", "/v1/codes",
                   "{" FIXED("agency_kind", "police") ", \"set\": {\"labels\": {\"en\": \"x\"}}}",
                   "code_exists");
    /* A steward may, without publishing: it says nothing yet. */
    add(kit, A1, "{" FIXED("agency_kind", "police") ", \"set\": {\"labels\": {\"en\": \"x\"}}}");
    json_t *seen = code_at(kit, A1, "agency_kind", "police");
    assert_string_equal(records_kit_text(seen, "standing"), "built_in");
    assert_string_equal(records_kit_text(seen, "labels.en"), "Police");
    add(kit, A1, "{" FIXED("agency_kind", "police") ", \"set\": {\"published\": true}}");
    seen = code_at(kit, A1, "agency_kind", "police");
    assert_string_equal(records_kit_text(seen, "labels.en"), "x");
    assert_int_equal(strlen(records_kit_text(seen, "labels.ja")), strlen("警察"));
}

static void what_is_not_a_stewards_to_say_is_refused(void **state)
{
    struct records_kit *kit = *state;
    static const struct {
        const char *body, *code;
    } rows[] = {
        {"{" FIXED("scheme", "b:x") ", \"set\": {\"published\": true}}", "not_steward"},
        {"{" FIXED("scheme", "b:x") ", \"set\": {\"mapped_to\": \"nothing\"}}", "unknown_code"},
        {"{" FIXED("scheme", "b:x") ", \"set\": {\"mapped_to\": \"b:x\"}}", "unknown_code"},
        {"{" FIXED("scheme", "b:x") ", \"set\": {\"superseded_by\": \"x y\"}}", "bad_input"},
        {"{" FIXED("scheme", "b:x") ", \"set\": {\"valid_from\": \"2027-02-30\"}}", "bad_input"},
        {"{" FIXED("scheme", "B X") "}", "bad_input"},
        {"{" FIXED("", "x") "}", "bad_input"},
        {"{\"fixed\": {\"list\": \"scheme\"}}", "bad_input"},
        {"{\"set\": {\"labels\": {\"en\": \"x\"}}}", "bad_input"},
    };
    const uint64_t height = records_kit_height(kit, B1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_refused(kit, B1, "POST", "/v1/codes", rows[i].body, rows[i].code);
    }
    assert_refused(kit, B1, "POST", "/v1/code-lists",
                   "{\"fixed\": {\"list\": \"x\"}, \"set\": {\"published\": true}}", "not_steward");
    assert_refused(kit, B1, "POST", "/v1/code-lists", "{\"fixed\": {\"list\": \"scheme\"}}",
                   "code_exists");
    assert_int_equal(records_kit_height(kit, B1), height);
}

/* Its program would refuse to write it; another one may not. */
static void what_another_member_calls_published_is_a_local_code(void **state)
{
    struct records_kit *kit = *state;
    static const uint8_t yes[] = {0xc3};
    struct spean_record_id record;
    json_t *answer = records_kit_ok(kit, B1, "POST", "/v1/codes", "{" FIXED("scheme", "b:x") "}");
    const char *id = records_kit_text(answer, "id");
    assert_int_equal(spean_text_hex_decode(record.bytes, SPEAN_RECORD_ID_BYTES,
                                           (struct spean_view){(const uint8_t *)id, strlen(id)}),
                     SPEAN_OK);
    struct spean_draft *draft = author_fixture_draft(kit->f, B1);
    assert_int_equal(spean_draft_change(draft, &record, SPEAN_TYPE_CODE, SPEAN_PART_PUBLIC),
                     SPEAN_OK);
    assert_int_equal(spean_draft_op(draft, SPEAN_FIELD_CODE_PUBLISHED, SPEAN_VERB_WRITE,
                                    (struct spean_view){yes, sizeof(yes)}),
                     SPEAN_OK);
    assert_int_equal(author_fixture_commit(kit->f, B1, draft), SPEAN_OK);
    spean_draft_free(draft);
    records_kit_meet(kit);
    assert_string_equal(records_kit_text(code_at(kit, A1, "scheme", "b:x"), "standing"), "local");
    assert_string_equal(records_kit_text(code_at(kit, B1, "scheme", "b:x"), "standing"), "local");
}

static void saying_the_same_again_writes_nothing(void **state)
{
    struct records_kit *kit = *state;
    static const char body[] = "{" FIXED(
        "scheme", "b:x") ", \"set\": {\"labels\": {\"en\": \"X\"}},"
                         " \"add\": {\"mappings\": [{\"scheme\": \"HTCDS\", \"value\": \"v\"}]}}";
    add(kit, B1, body);
    const uint64_t height = records_kit_height(kit, B1);
    json_t *answer = records_kit_ok(kit, B1, "POST", "/v1/codes", body);
    assert_true(json_is_false(records_kit_at(answer, "changed")));
    answer = records_kit_ok(kit, B1, "POST", "/v1/codes?dry_run=1",
                            "{" FIXED("scheme", "b:y") ", \"set\": {\"labels\": {\"en\": \"Y\"}}}");
    assert_true(json_is_true(records_kit_at(answer, "dry_run")));
    assert_int_equal(records_kit_height(kit, B1), height);
    assert_null(code_at(kit, B1, "scheme", "b:y"));
}

static void a_local_code_needs_a_mapping_until_it_has_one(void **state)
{
    struct records_kit *kit = *state;
    add(kit, B1, "{" FIXED("service", "b:x") "}");
    json_t *answer = records_kit_ok(kit, B1, "GET", "/v1/codes?unmapped=1", NULL);
    assert_int_equal(json_array_size(records_kit_at(answer, "items")), 1);
    assert_string_equal(records_kit_text(answer, "items.0.code"), "b:x");
    add(kit, B1, "{" FIXED("service", "b:x") ", \"set\": {\"mapped_to\": \"legal\"}}");
    answer = records_kit_ok(kit, B1, "GET", "/v1/codes?unmapped=1", NULL);
    assert_int_equal(json_array_size(records_kit_at(answer, "items")), 0);
    add(kit, B1, "{" FIXED("service", "b:x") ", \"set\": {\"mapped_to\": null}}");
    answer = records_kit_ok(kit, B1, "GET", "/v1/codes?unmapped=1&list=service", NULL);
    assert_int_equal(json_array_size(records_kit_at(answer, "items")), 1);
    answer = records_kit_ok(kit, B1, "GET", "/v1/codes?unmapped=1&list=scheme", NULL);
    assert_int_equal(json_array_size(records_kit_at(answer, "items")), 0);
}

static void a_record_says_of_each_of_its_codes_what_it_means(void **state)
{
    struct records_kit *kit = *state;
    /* Today is somewhere before the one and the other. */
    add(kit, A1,
        "{" FIXED("scheme", "esd_1") ", \"set\": {\"labels\": {\"en\": \"ESD\"}, \"valid_from\": "
                                     "\"9998-04\", \"published\": true}}");
    add(kit, A1,
        "{" FIXED("scheme", "titp_1") ", \"set\": {\"superseded_by\": \"esd_1\", \"valid_to\": "
                                      "\"9999\", \"published\": true}}");
    json_t *answer = records_kit_ok(
        kit, A1, "POST", "/v1/cases",
        "{\"set\": {\"scheme\": \"esd_1\", \"field\": \"moon_work\", \"safe_contact\": {\"safe\": "
        "true}}, \"append\": {\"costs\": [{\"category\": \"fee_broker\", \"paid_to\": {\"kind\": "
        "\"lender\"}}]}, \"add\": {\"issues\": [\"debt\"]}}");
    json_t *codes = records_kit_at(answer, "codes");
    assert_string_equal(records_kit_text(codes, "scheme.esd_1.standing"), "published");
    assert_true(json_is_false(records_kit_at(codes, "scheme.esd_1.in_force")));
    assert_string_equal(records_kit_text(codes, "ssw_field.moon_work.standing"), "unknown");
    assert_string_equal(records_kit_text(codes, "cost_category.fee_broker.labels.en"),
                        "Broker or sub-agent fee");
    assert_string_equal(records_kit_text(codes, "agency_kind.lender.standing"), "built_in");
    assert_non_null(records_kit_at(codes, "issue.debt"));
    assert_non_null(records_kit_at(codes, "case_status.active"));
    answer = records_kit_ok(kit, A1, "POST", "/v1/cases", "{\"set\": {\"scheme\": \"titp_1\"}}");
    assert_string_equal(records_kit_text(answer, "codes.scheme.titp_1.superseded_by"), "esd_1");
    assert_true(json_is_true(records_kit_at(answer, "codes.scheme.titp_1.in_force")));
}

static void a_list_of_its_own_has_a_title_and_a_version(void **state)
{
    struct records_kit *kit = *state;
    (void)records_kit_ok(kit, B1, "POST", "/v1/code-lists",
                         "{\"fixed\": {\"list\": \"b:buses\"}, \"set\": {\"title\": \"Buses\", "
                         "\"version\": \"1\"}}");
    add(kit, B1, "{" FIXED("b:trains", "express") "}");
    json_t *answer = records_kit_ok(kit, B1, "GET", "/v1/code-lists?limit=1000", NULL);
    json_t *items = records_kit_at(answer, "items");
    const size_t count = json_array_size(items);
    assert_true(count > 2);
    json_t *own = json_array_get(items, count - 2);
    assert_string_equal(records_kit_text(own, "list"), "b:buses");
    assert_string_equal(records_kit_text(own, "title.en"), "Buses");
    assert_string_equal(records_kit_text(own, "standing"), "local");
    own = json_array_get(items, count - 1);
    assert_string_equal(records_kit_text(own, "list"), "b:trains");
    assert_string_equal(records_kit_text(own, "standing"), "unknown");
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, records_kit_setup, records_kit_teardown)
    const struct CMUnitTest tests[] = {
        ROW(what_the_program_brings_along_is_listed_in_its_order),
        ROW(pages_give_every_code_once),
        ROW(a_published_code_counts_before_a_local_one_at_every_node),
        ROW(a_local_record_does_not_rename_a_code_of_the_program),
        ROW(what_is_not_a_stewards_to_say_is_refused),
        ROW(what_another_member_calls_published_is_a_local_code),
        ROW(saying_the_same_again_writes_nothing),
        ROW(a_local_code_needs_a_mapping_until_it_has_one),
        ROW(a_record_says_of_each_of_its_codes_what_it_means),
        ROW(a_list_of_its_own_has_a_title_and_a_version),
    };
#undef ROW
    return cmocka_run_group_tests(tests, NULL, NULL);
}
