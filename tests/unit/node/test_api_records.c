/* Agencies, cases and consents by the local API, on a real store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/entries.h"
#include "store/log.h"
#include "tests/unit/node/records_kit.h"

#define PATH_BYTES 256u

/* "/v1/cases/<id>", in memory that lives until the next call. */
static const char *path_of(const char *group, const char *id, const char *rest)
{
    static char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/v1/%s/%s%s", group, id, rest);
    return path;
}

static void keep_id(char out[64], json_t *answer)
{
    const char *id = records_kit_text(answer, "id");
    assert_non_null(id);
    (void)snprintf(out, 64, "%s", id);
}

static void add_agency(struct records_kit *kit, char id[64])
{
    json_t *answer = records_kit_ok(
        kit, A1, "POST", "/v1/agencies",
        "{\"set\": {\"names\": {\"km\": "
        "\"\xe1\x9e\x81\xe1\x9f\x92\xe1\x9e\x98\xe1\x9f\x82\xe1\x9e\x9a\","
        " \"en\": \"Mekong STRASSE Broker\"}, \"kind\": \"broker\", \"country\": \"KH\"},"
        " \"add\": {\"languages\": [\"km\", \"vi\"], \"phones\": [{\"number\": "
        "\"+85512345678\"}]}}");
    assert_true(json_is_true(records_kit_at(answer, "changed")));
    keep_id(id, answer);
}

static void an_agency_that_was_added_is_shown(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    add_agency(kit, id);
    json_t *answer = records_kit_ok(kit, A1, "GET", path_of("agencies", id, ""), NULL);
    assert_string_equal(records_kit_text(answer, "type"), "agency");
    assert_string_equal(records_kit_text(answer, "fields.names.en"), "Mekong STRASSE Broker");
    assert_string_equal(records_kit_text(answer, "fields.languages.0"), "km");
    assert_string_equal(records_kit_text(answer, "fields.phones.0.number"), "+85512345678");
    assert_string_equal(records_kit_text(answer, "owner_name"), "Bridge Legal Aid");
    assert_int_equal(json_object_size(records_kit_at(answer, "conflicts")), 0);
    assert_int_equal(strlen(records_kit_text(answer, "state_hash.0")), 64);
    assert_non_null(records_kit_text(answer, "created"));
    /* Four digits are enough, three are not. */
    id[4] = '\0';
    (void)records_kit_ok(kit, A1, "GET", path_of("agencies", id, ""), NULL);
    id[3] = '\0';
    assert_refused(kit, A1, "GET", path_of("agencies", id, ""), NULL, "not_found");
}

static void an_edit_changes_what_differs_and_nothing_else(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    add_agency(kit, id);
    const uint64_t height = records_kit_height(kit, A1);
    json_t *answer = records_kit_ok(
        kit, A1, "PATCH", path_of("agencies", id, ""),
        "{\"set\": {\"kind\": \"broker\", \"email\": null}, \"add\": {\"languages\": [\"km\"]},"
        " \"remove\": {\"languages\": [\"ja\"]}}");
    assert_true(json_is_false(records_kit_at(answer, "changed")));
    assert_int_equal(records_kit_height(kit, A1), height);
    answer = records_kit_ok(
        kit, A1, "PATCH", path_of("agencies", id, ""),
        "{\"set\": {\"email\": \"a@b.example\", \"kind\": null}, \"remove\": {\"languages\": "
        "[\"vi\"]}, \"append\": {\"licence_status\": [{\"status\": \"valid\"}]}}");
    assert_true(json_is_true(records_kit_at(answer, "changed")));
    assert_string_equal(records_kit_text(answer, "fields.email"), "a@b.example");
    assert_null(records_kit_at(answer, "fields.kind"));
    assert_int_equal(json_array_size(records_kit_at(answer, "fields.languages")), 1);
    char strike[256];
    (void)snprintf(strike, sizeof(strike), "{\"strike\": {\"licence_status\": [\"%s\"]}}",
                   records_kit_text(answer, "fields.licence_status.0.name"));
    answer = records_kit_ok(kit, A1, "PATCH", path_of("agencies", id, ""), strike);
    assert_true(json_is_true(records_kit_at(answer, "fields.licence_status.0.struck")));
    answer = records_kit_ok(kit, A1, "PATCH", path_of("agencies", id, ""), strike);
    assert_true(json_is_false(records_kit_at(answer, "changed")));
}

static void wrong_edits_are_refused_and_change_nothing(void **state)
{
    struct records_kit *kit = *state;
    static const struct {
        const char *body, *code;
    } rows[] = {
        {"{\"set\": {\"emial\": \"x\"}}", "bad_input"},
        {"{\"set\": {\"email\": 5}}", "bad_input"},
        {"{\"put\": {\"email\": \"x\"}}", "bad_input"},
        {"{\"set\": []}", "bad_input"},
        {"{\"set\": {\"languages\": [\"km\"]}}", "bad_input"},
        {"{\"set\": {\"org\": \"00\"}}", "bad_input"},
        {"{\"add\": {\"email\": [\"x\"]}}", "bad_input"},
        {"{\"add\": {\"languages\": \"km\"}}", "bad_input"},
        {"{\"remove\": {\"email\": [\"x\"]}}", "bad_input"},
        {"{\"append\": {\"languages\": [\"km\"]}}", "bad_input"},
        {"{\"strike\": {\"licence_status\": [\"x\"]}}", "bad_input"},
        {"{\"strike\": {\"licence_status\": [\"00000000000000ff-1-0\"]}}", "not_found"},
        {"{\"set\": {\"email\": \"ok@example\"}, \"add\": {\"phones\": [{}]}}", "bad_input"},
        {"{\"add\": {\"endpoints\": [{\"address\": \"tcp://192.0.2.1:1\"}]}}", "bad_input"},
    };
    char id[64];
    add_agency(kit, id);
    const uint64_t height = records_kit_height(kit, A1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_refused(kit, A1, "PATCH", path_of("agencies", id, ""), rows[i].body, rows[i].code);
    }
    assert_refused(kit, A1, "PATCH", path_of("agencies", id, "?dry_run=2"), "{}", "bad_input");
    assert_refused(kit, A1, "POST", "/v1/agencies", "{}", "missing_names");
    assert_refused(kit, A1, "GET", "/v1/agencies?colour=red", NULL, "bad_input");
    assert_refused(kit, A1, "GET", "/v1/agencies?limit=0", NULL, "bad_input");
    assert_refused(kit, A1, "GET", "/v1/agencies?after=x", NULL, "bad_input");
    assert_int_equal(records_kit_height(kit, A1), height);
}

static void a_dry_run_checks_and_writes_nothing(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    add_agency(kit, id);
    const uint64_t height = records_kit_height(kit, A1);
    json_t *answer = records_kit_ok(kit, A1, "PATCH", path_of("agencies", id, "?dry_run=1"),
                                    "{\"set\": {\"email\": \"new@example\"}}");
    assert_true(json_is_true(records_kit_at(answer, "dry_run")));
    assert_true(json_is_true(records_kit_at(answer, "changed")));
    answer = records_kit_ok(kit, A1, "POST", "/v1/cases?dry_run=1", "{}");
    assert_true(json_is_true(records_kit_at(answer, "dry_run")));
    assert_int_equal(records_kit_height(kit, A1), height);
    assert_refused(kit, A1, "PATCH", path_of("agencies", id, "?dry_run=1"),
                   "{\"set\": {\"email\": 5}}", "bad_input");
}

static void lists_filter_by_kind_country_and_name(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    add_agency(kit, id);
    (void)records_kit_ok(kit, A1, "POST", "/v1/agencies",
                         "{\"set\": {\"names\": {\"ja\": \"\xe6\x94\xaf\xe6\x8f\xb4\"}, "
                         "\"country\": \"JP\", \"kind\": \"hotline\"}}");
    static const struct {
        const char *query;
        size_t count;
    } rows[] = {
        {"", 2},
        {"?kind=broker", 1},
        {"?country=JP", 1},
        {"?country=JP&kind=broker", 0},
        {"?q=strasse", 1},
        {"?q=STRA%C3%9FE", 1},                                            /* Sharp s folds to ss. */
        {"?q=%EF%BC%AD%EF%BD%85%EF%BD%8B%EF%BD%8F%EF%BD%8E%EF%BD%87", 1}, /* Full-width. */
        {"?q=%E1%9E%81%E2%80%8B%E1%9F%92%E1%9E%98%E1%9F%82%E1%9E%9A", 1}, /* Zero-width space. */
        {"?q=%E6%94%AF", 1},
        {"?q=nobody", 0},
        {"?limit=1", 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char target[128];
        (void)snprintf(target, sizeof(target), "/v1/agencies%s", rows[i].query);
        json_t *answer = records_kit_ok(kit, A1, "GET", target, NULL);
        if (json_array_size(records_kit_at(answer, "items")) != rows[i].count) {
            fail_msg("%s: %s", rows[i].query, json_dumps(answer, 0));
        }
    }
    json_t *page = records_kit_ok(kit, A1, "GET", "/v1/agencies?limit=1", NULL);
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/agencies?limit=1&after=%s",
                   records_kit_text(page, "next"));
    char first[64];
    (void)snprintf(first, sizeof(first), "%s", records_kit_text(page, "items.0.id"));
    page = records_kit_ok(kit, A1, "GET", target, NULL);
    assert_int_equal(json_array_size(records_kit_at(page, "items")), 1);
    assert_string_not_equal(records_kit_text(page, "items.0.id"), first);
    assert_true(json_is_null(records_kit_at(page, "next")));
}

static void only_the_own_organisation_is_written_about_as_a_member(void **state)
{
    struct records_kit *kit = *state;
    char hex[2 * SPEAN_ID_BYTES + 1];
    char body[256];
    for (size_t i = 0; i < SPEAN_ID_BYTES; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", kit->f->nodes[B1].org.bytes[i]);
    }
    (void)snprintf(body, sizeof(body),
                   "{\"set\": {\"names\": {\"en\": \"B\"}}, \"fixed\": {\"org\": \"%s\"}}", hex);
    assert_refused(kit, A1, "POST", "/v1/agencies", body, "not_yours");
    json_t *answer = records_kit_ok(kit, B1, "POST", "/v1/agencies", body);
    assert_string_equal(records_kit_text(answer, "fixed.org"), hex);
    assert_string_equal(records_kit_text(answer, "fixed.org_name"), "B");
    char id[64];
    keep_id(id, answer);
    assert_refused(kit, B1, "POST", "/v1/agencies", body, "exists");
    author_fixture_copy(kit->f, B1, A1);
    assert_refused(kit, A1, "PATCH", path_of("agencies", id, ""), "{\"set\": {\"email\": \"x@y\"}}",
                   "not_permitted");
    (void)records_kit_ok(kit, A1, "PATCH", path_of("agencies", id, ""),
                         "{\"append\": {\"observations\": [{\"type\": \"positive\"}]}}");
    assert_int_equal(author_fixture_asides(kit->f, A1), 0);
}

/* The name of A1's organisation as its agencies show it. */
static void assert_owner_name(struct records_kit *kit, const char *id, const char *name)
{
    json_t *answer = records_kit_ok(kit, A1, "GET", path_of("agencies", id, ""), NULL);
    assert_string_equal(records_kit_text(answer, "owner_name"), name);
}

static void an_organisation_is_called_as_its_own_record_says_and_no_other(void **state)
{
    struct records_kit *kit = *state;
    char other[64];
    char own[64];
    char org[2 * SPEAN_ID_BYTES + 1];
    char body[256];
    add_agency(kit, other);
    assert_owner_name(kit, other, "Bridge Legal Aid"); /* As it was set up. */
    json_t *answer = records_kit_ok(kit, A1, "GET", path_of("agencies", other, ""), NULL);
    (void)snprintf(org, sizeof(org), "%s", records_kit_text(answer, "owner"));
    (void)snprintf(body, sizeof(body),
                   "{\"fixed\": {\"org\": \"%s\"}, \"set\": {\"names\": {\"en\": \"Bridge\"}}}",
                   org);
    keep_id(own, records_kit_ok(kit, A1, "POST", "/v1/agencies", body));
    assert_owner_name(kit, other, "Bridge");
    (void)records_kit_ok(kit, A1, "PATCH", path_of("agencies", own, ""),
                         "{\"set\": {\"names\": {\"en\": \"Bridge Two\"}}}");
    assert_owner_name(kit, other, "Bridge Two");
}

static void a_conflict_shows_both_sides_and_an_edit_ends_it(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    add_agency(kit, id);
    author_fixture_copy(kit->f, A1, B1);
    (void)records_kit_ok(kit, A1, "PATCH", path_of("agencies", id, ""),
                         "{\"set\": {\"email\": \"a@example\"}}");
    (void)records_kit_ok(kit, B1, "PATCH", path_of("agencies", id, ""),
                         "{\"set\": {\"email\": \"b@example\"}}");
    author_fixture_copy(kit->f, B1, A1);
    json_t *answer = records_kit_ok(kit, A1, "GET", path_of("agencies", id, ""), NULL);
    json_t *sides = records_kit_at(answer, "conflicts.email");
    assert_int_equal(json_array_size(sides), 2);
    const int first = json_is_true(records_kit_at(sides, "0.provisional"));
    assert_true(first != json_is_true(records_kit_at(sides, "1.provisional")));
    assert_string_equal(records_kit_text(answer, "fields.email"),
                        records_kit_text(sides, first ? "0.value" : "1.value"));
    assert_string_equal(records_kit_text(sides, "0.actor"), "admin");
    answer = records_kit_ok(kit, A1, "PATCH", path_of("agencies", id, ""),
                            "{\"set\": {\"email\": \"a@example\"}}");
    assert_int_equal(json_object_size(records_kit_at(answer, "conflicts")), 0);
    assert_string_equal(records_kit_text(answer, "fields.email"), "a@example");
}

#define IMPORT_ITEM(place, number, name)                                                           \
    "{\"place\": \"" place "\", \"match\": {\"scheme\": \"kh_licence\", \"value\": \"" number      \
    "\"}, \"edit\": {\"set\": {\"names\": \"" name "\", \"country\": \"KH\"}, \"append\": "        \
    "{\"licence_status\": [{\"status\": \"valid\"}]}}}"

static void an_import_creates_then_changes_nothing(void **state)
{
    struct records_kit *kit = *state;
    static const char body[] =
        "{\"lang\": \"km\", \"items\": [" IMPORT_ITEM("row 1", "001", "One") ", " IMPORT_ITEM(
            "row 2", "002", "Two") ", {\"place\": \"row 3\", "
                                   "\"match\": {\"scheme\": \"kh_licence\", \"value\": \"003\"}, "
                                   "\"edit\": {\"set\": "
                                   "{\"country\": \"khm\"}}}, {\"match\": {\"scheme\": "
                                   "\"kh_licence\"}, \"edit\": {}}, 5]}";
    json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/agencies/import", body);
    assert_int_equal(json_integer_value(records_kit_at(answer, "created")), 2);
    assert_int_equal(json_integer_value(records_kit_at(answer, "failed")), 3);
    assert_string_equal(records_kit_text(answer, "results.2.place"), "row 3");
    assert_non_null(records_kit_text(answer, "results.2.error.message"));
    const uint64_t height = records_kit_height(kit, A1);
    answer = records_kit_ok(kit, A1, "POST", "/v1/agencies/import", body);
    assert_int_equal(json_integer_value(records_kit_at(answer, "unchanged")), 2);
    assert_int_equal(json_integer_value(records_kit_at(answer, "created")), 0);
    assert_int_equal(json_integer_value(records_kit_at(answer, "changed")), 0);
    assert_int_equal(records_kit_height(kit, A1), height);
}

static void an_import_in_another_language_adds_it(void **state)
{
    struct records_kit *kit = *state;
    (void)records_kit_ok(kit, A1, "POST", "/v1/agencies/import",
                         "{\"lang\": \"km\", \"items\": [" IMPORT_ITEM("1", "001", "One") "]}");
    json_t *answer =
        records_kit_ok(kit, A1, "POST", "/v1/agencies/import",
                       "{\"lang\": \"en\", \"items\": [" IMPORT_ITEM("1", "001", "Uno") "]}");
    assert_int_equal(json_integer_value(records_kit_at(answer, "changed")), 1);
    answer = records_kit_ok(
        kit, A1, "GET", path_of("agencies", records_kit_text(answer, "results.0.id"), ""), NULL);
    assert_string_equal(records_kit_text(answer, "fields.names.km"), "One");
    assert_string_equal(records_kit_text(answer, "fields.names.en"), "Uno");
    assert_int_equal(json_array_size(records_kit_at(answer, "fields.licence_status")), 1);
    assert_int_equal(json_array_size(records_kit_at(answer, "fields.identifiers")), 1);
}

static void two_items_of_one_agency_make_one_record(void **state)
{
    struct records_kit *kit = *state;
    json_t *answer =
        records_kit_ok(kit, A1, "POST", "/v1/agencies/import",
                       "{\"lang\": \"en\", \"items\": [" IMPORT_ITEM(
                           "1", "001", "One") ", " IMPORT_ITEM("2", "001", "One again") "]}");
    assert_int_equal(json_integer_value(records_kit_at(answer, "created")), 1);
    assert_int_equal(json_integer_value(records_kit_at(answer, "changed")), 1);
    assert_refused(kit, A1, "POST", "/v1/agencies/import", "{\"items\": {}}", "bad_input");
    json_t *items = json_array();
    for (size_t i = 0; i < 501; i++) {
        (void)json_array_append_new(items, json_object());
    }
    json_t *body = json_pack("{s:o}", "items", items);
    char *text = json_dumps(body, 0);
    assert_refused(kit, A1, "POST", "/v1/agencies/import", text, "limit");
    free(text);
    json_decref(body);
}

/* -- Cases and consents ---------------------------------------------------------------------- */

#define CASE_ITEM(place, match, edit)                                                              \
    "{\"place\": \"" place "\", \"match\": {" match "}, \"edit\": {" edit "}}"
#define CASE_ITEMS(items) "{\"lang\": \"km\", \"items\": [" items "]}"
#define SOURCE(id)        "\"source\": \"kobo\", \"id\": \"" id "\""

static void imported_cases_are_found_again_by_their_source(void **state)
{
    struct records_kit *kit = *state;
    static const char body[] =
        CASE_ITEMS(CASE_ITEM("2", SOURCE("a"), "\"set\": {\"narrative\": \"One\"}") ", " CASE_ITEM(
            "3", SOURCE("b"), "\"append\": {\"contacts\": [{\"channel\": \"phone\"}]}"));
    json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/cases/import", body);
    assert_int_equal(json_integer_value(records_kit_at(answer, "created")), 2);
    char id[33];
    (void)snprintf(id, sizeof(id), "%s", records_kit_text(answer, "results.0.id"));
    const uint64_t height = records_kit_height(kit, A1);
    answer = records_kit_ok(kit, A1, "POST", "/v1/cases/import", body);
    assert_int_equal(json_integer_value(records_kit_at(answer, "unchanged")), 2);
    assert_int_equal(records_kit_height(kit, A1), height);
    answer = records_kit_ok(
        kit, A1, "POST", "/v1/cases/import",
        CASE_ITEMS(CASE_ITEM("2", SOURCE("a"), "\"set\": {\"narrative\": \"Two\"}")));
    assert_int_equal(json_integer_value(records_kit_at(answer, "changed")), 1);
    answer = records_kit_ok(kit, A1, "GET", path_of("cases", id, ""), NULL);
    assert_string_equal(records_kit_text(answer, "fields.narrative.km"), "Two");
    assert_string_equal(records_kit_text(answer, "fields.status"), "active");
    assert_null(records_kit_at(answer, "fields.opened_on"));
    assert_non_null(records_kit_text(answer, "code"));
}

static void the_same_name_in_two_sources_is_of_two_people(void **state)
{
    static const char body[] = CASE_ITEMS(CASE_ITEM(
        "2", "\"source\": \"one\", \"id\": \"17\"",
        "\"set\": {\"gender\": \"female\"}") ", " CASE_ITEM("3",
                                                            "\"source\": \"two\", \"id\": \"17\"",
                                                            "\"set\": {\"gender\": \"male\"}"));
    json_t *answer = records_kit_ok(*state, A1, "POST", "/v1/cases/import", body);
    assert_int_equal(json_integer_value(records_kit_at(answer, "created")), 2);
    assert_string_not_equal(records_kit_text(answer, "results.0.id"),
                            records_kit_text(answer, "results.1.id"));
}

static void imported_cases_get_codes_one_after_the_other(void **state)
{
    struct records_kit *kit = *state;
    json_t *answer = records_kit_ok(
        kit, A1, "POST", "/v1/cases/import",
        CASE_ITEMS(CASE_ITEM("2", SOURCE("a"), "\"set\": {\"gender\": \"female\"}") ", " CASE_ITEM(
            "3", SOURCE("b"),
            "\"set\": {\"short_ref\": \"OLD/17\"}") ", " CASE_ITEM("4", SOURCE("c"),
                                                                   "\"set\": {\"gender\": "
                                                                   "\"male\"}")));
    assert_int_equal(json_integer_value(records_kit_at(answer, "created")), 3);
    answer = records_kit_ok(kit, A1, "GET", "/v1/cases", NULL);
    json_t *items = records_kit_at(answer, "items");
    unsigned seen = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *code = json_string_value(json_object_get(json_array_get(items, i), "code"));
        assert_non_null(code);
        seen |= strstr(code, "-0001-") != NULL   ? 1u
                : strstr(code, "-0002-") != NULL ? 2u
                : strcmp(code, "OLD/17") == 0    ? 4u
                                                 : 8u;
    }
    assert_int_equal(seen, 7);
}

static void an_imported_case_that_is_wrong_stops_no_other(void **state)
{
    struct records_kit *kit = *state;
    json_t *answer = records_kit_ok(
        kit, A1, "POST", "/v1/cases/import",
        CASE_ITEMS(
            CASE_ITEM("2", SOURCE("a"), "\"set\": {\"birth_date\": \"yesterday\"}") ", " CASE_ITEM("3", "\"record\": \"ffffffff\"", "\"set\": {\"gender\": \"female\"}") ", " CASE_ITEM(
                "4", "",
                "\"set\": {\"gender\": \"female\"}") ", " CASE_ITEM("5", SOURCE("e"),
                                                                    "\"set\": "
                                                                    "{\"gender\": "
                                                                    "\"female\", "
                                                                    "\"names\": 7}") ","
                                                                                     " " CASE_ITEM("6", "\"source\": \"Not a code\", \"id\": \"x\"", "") ", " CASE_ITEM(
                                                                                         "7",
                                                                                         SOURCE(
                                                                                             "g"),
                                                                                         "\"add\": "
                                                                                         "{\"referr"
                                                                                         "als\": "
                                                                                         "[\"00\"]"
                                                                                         "}") ","
                                                                                              " " CASE_ITEM(
                                                                                                  "8",
                                                                                                  SOURCE(
                                                                                                      "h"),
                                                                                                  "\"set\": {\"gender\": \"female\"}")));
    assert_int_equal(json_integer_value(records_kit_at(answer, "created")), 1);
    assert_int_equal(json_integer_value(records_kit_at(answer, "failed")), 6);
    json_t *results = records_kit_at(answer, "results");
    for (size_t i = 0; i < 6; i++) {
        json_t *error = json_object_get(json_array_get(results, i), "error");
        assert_true(json_string_length(json_object_get(error, "message")) > 0);
    }
    answer = records_kit_ok(kit, A1, "GET", "/v1/cases", NULL);
    assert_int_equal(json_array_size(records_kit_at(answer, "items")), 1);
}

static void an_import_may_edit_a_case_by_its_code(void **state)
{
    struct records_kit *kit = *state;
    json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/cases",
                                    "{\"set\": {\"short_ref\": \"KH-2611-0317-B\"}}");
    char id[33];
    (void)snprintf(id, sizeof(id), "%s", records_kit_text(answer, "id"));
    answer = records_kit_ok(kit, A1, "POST", "/v1/cases/import",
                            CASE_ITEMS(CASE_ITEM("2", "\"record\": \"KH-2611-0317-B\"",
                                                 "\"set\": {\"gender\": \"female\"}")));
    assert_string_equal(records_kit_text(answer, "results.0.result"), "changed");
    assert_string_equal(records_kit_text(answer, "results.0.id"), id);
}

static void an_export_says_who_wrote_each_value(void **state)
{
    struct records_kit *kit = *state;
    (void)records_kit_ok(kit, A1, "POST", "/v1/cases",
                         "{\"set\": {\"narrative\": {\"km\": \"One\"}}, \"add\": {\"citizenship\": "
                         "[\"VN\", \"KH\"]}, \"append\": {\"contacts\": [{\"channel\": "
                         "\"phone\"}]}}");
    json_t *answer = records_kit_ok(kit, A1, "GET", "/v1/export?type=case", NULL);
    json_t *record = records_kit_at(answer, "items.0");
    assert_string_equal(records_kit_text(record, "fields.narrative.km"), "One");
    static const char *const fields[] = {"narrative", "citizenship", "contacts"};
    static const size_t counts[] = {1, 2, 1};
    for (size_t i = 0; i < 3; i++) {
        json_t *writes = json_object_get(json_object_get(record, "written"), fields[i]);
        assert_int_equal(json_array_size(writes), counts[i]);
        for (size_t k = 0; k < counts[i]; k++) {
            json_t *write = json_array_get(writes, k);
            assert_string_equal(json_string_value(json_object_get(write, "by")),
                                records_kit_text(record, "owner"));
            assert_int_equal(json_string_length(json_object_get(write, "entry")), 64);
            assert_string_equal(json_string_value(json_object_get(write, "at")),
                                records_kit_text(record, "created"));
        }
    }
    assert_string_equal(records_kit_text(record, "written.narrative.0.actor"), "admin");
    assert_string_equal(records_kit_text(record, "written.contacts.0.name"),
                        records_kit_text(record, "fields.contacts.0.name"));
    assert_refused(kit, A1, "GET", "/v1/export", NULL, "bad_input");
    assert_refused(kit, A1, "GET", "/v1/export?type=file", NULL, "bad_input");
}

static void a_case_gets_the_next_code_of_the_month(void **state)
{
    struct records_kit *kit = *state;
    json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/cases",
                                    "{\"set\": {\"gender\": \"female\"}, \"add\": {\"names\": "
                                    "[{\"full\": \"Sok Dara\"}]}}");
    char code[64];
    (void)snprintf(code, sizeof(code), "%s", records_kit_text(answer, "code"));
    assert_int_equal(strlen(code), 14);
    assert_memory_equal(code, "KH-", 3);
    assert_memory_equal(code + 7, "-0001-", 6);
    assert_string_equal(records_kit_text(answer, "fields.status"), "active");
    assert_non_null(records_kit_text(answer, "fields.opened_on"));
    answer = records_kit_ok(kit, A1, "POST", "/v1/cases", "{}");
    assert_memory_equal(records_kit_text(answer, "code") + 7, "-0002-", 6);
    answer = records_kit_ok(kit, A1, "GET", path_of("cases", code, ""), NULL);
    assert_string_equal(records_kit_text(answer, "fields.names.0.full"), "Sok Dara");
    answer = records_kit_ok(kit, A1, "GET", "/v1/cases", NULL);
    assert_int_equal(json_array_size(records_kit_at(answer, "items")), 2);
    assert_refused(kit, A1, "PATCH", path_of("cases", code, ""),
                   "{\"add\": {\"referrals\": [\"00000000000000000000000000000000\"]}}",
                   "bad_input");
    assert_refused(kit, A1, "GET", path_of("cases", "KH-2611-9999-9", ""), NULL, "not_found");
    /* Another organisation has none of it. */
    author_fixture_copy(kit->f, A1, B1);
    assert_refused(kit, B1, "GET", path_of("cases", code, ""), NULL, "not_found");
}

static void a_consent_is_recorded_once_and_withdrawn_for_ever(void **state)
{
    struct records_kit *kit = *state;
    json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/cases", "{}");
    char code[64];
    char id[64];
    char body[512];
    (void)snprintf(code, sizeof(code), "%s", records_kit_text(answer, "code"));
    (void)snprintf(body, sizeof(body),
                   "{\"fixed\": {\"case\": \"%s\", \"terms\": {\"purposes\": [\"refer\"], "
                   "\"recipients\": [{\"kind\": \"partner_ngo\"}], \"sections\": [\"identity\"]}}}",
                   code);
    answer = records_kit_ok(kit, A1, "POST", "/v1/consents", body);
    keep_id(id, answer);
    assert_string_equal(records_kit_text(answer, "fields.status"), "given");
    assert_string_equal(records_kit_text(answer, "fixed.terms.purposes.0"), "refer");
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/consents?case=%s", code);
    answer = records_kit_ok(kit, A1, "GET", target, NULL);
    assert_int_equal(json_array_size(records_kit_at(answer, "items")), 1);
    assert_refused(kit, A1, "POST", path_of("consents", id, "/withdraw"), "{}", "missing_channel");
    assert_refused(kit, A1, "POST", path_of("consents", id, "/withdraw"),
                   "{\"channel\": \"in_person\", \"on\": \"yesterday\"}", "bad_input");
    answer = records_kit_ok(kit, A1, "POST", path_of("consents", id, "/withdraw"),
                            "{\"channel\": \"in_person\", \"on\": \"2026-11-22\"}");
    assert_string_equal(records_kit_text(answer, "fields.withdrawn.on"), "2026-11-22");
    const uint64_t height = records_kit_height(kit, A1);
    answer = records_kit_ok(kit, A1, "POST", path_of("consents", id, "/withdraw"),
                            "{\"channel\": \"phone\"}");
    assert_true(json_is_false(records_kit_at(answer, "changed")));
    assert_int_equal(records_kit_height(kit, A1), height);
}

static void without_room_nothing_is_written_but_a_withdrawal(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    char body[512];
    json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/cases", "{}");
    (void)snprintf(body, sizeof(body),
                   "{\"fixed\": {\"case\": \"%s\", \"terms\": {\"purposes\": [\"refer\"], "
                   "\"recipients\": [{\"kind\": \"partner_ngo\"}], \"sections\": [\"identity\"]}}}",
                   records_kit_text(answer, "code"));
    answer = records_kit_ok(kit, A1, "POST", "/v1/consents", body);
    keep_id(id, answer);
    const uint64_t height = records_kit_height(kit, A1);
    kit->cores[A1].full = true;
    assert_refused(kit, A1, "POST", "/v1/cases", "{}", "full");
    assert_int_equal(kit->status, 507);
    assert_refused(kit, A1, "POST", "/v1/cases?dry_run=1", "{}", "full");
    assert_refused(kit, A1, "POST", "/v1/consents", body, "full");
    assert_int_equal(records_kit_height(kit, A1), height);
    assert_false(kit->cores[A1].urgent);
    answer = records_kit_ok(kit, A1, "POST", path_of("consents", id, "/withdraw"),
                            "{\"channel\": \"phone\"}");
    assert_string_equal(records_kit_text(answer, "fields.withdrawn.channel"), "phone");
    assert_true(kit->cores[A1].urgent);
}

static void consents_that_allow_nothing_are_refused(void **state)
{
    struct records_kit *kit = *state;
    json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/cases", "{}");
    char code[64];
    char body[512];
    (void)snprintf(code, sizeof(code), "%s", records_kit_text(answer, "code"));
    static const struct {
        const char *terms, *code;
    } rows[] = {
        {"{\"purposes\": [\"refer\"]}", "terms_allow_nothing"},
        {"{\"recipients\": [{\"kind\": \"partner_ngo\"}]}", "terms_allow_nothing"},
        {"{\"purpose\": [\"refer\"]}", "bad_input"},
        {"{}", "bad_input"},
        {"5", "bad_input"},
        {"{\"purposes\": [\"refer\"], \"recipients\": [{\"org\": \"00\"}]}", "bad_input"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(body, sizeof(body), "{\"fixed\": {\"case\": \"%s\", \"terms\": %s}}", code,
                       rows[i].terms);
        assert_refused(kit, A1, "POST", "/v1/consents", body, rows[i].code);
    }
    assert_refused(kit, A1, "POST", "/v1/consents", "{}", "bad_input");
    assert_refused(kit, A1, "POST", "/v1/consents",
                   "{\"fixed\": {\"case\": \"R-1\", \"terms\": {}}}", "not_found");
}

static void nothing_is_read_or_written_while_the_store_is_locked(void **state)
{
    struct records_kit *kit = *state;
    spean_keys_lock(kit->f->nodes[A1].keys);
    assert_refused(kit, A1, "GET", "/v1/agencies", NULL, "locked");
    assert_int_equal(kit->status, 423);
    assert_refused(kit, A1, "POST", "/v1/cases", "{}", "locked");
    assert_int_equal(json_integer_value(records_kit_at(kit->answer, "error.exit")), 11);
    assert_refused(kit, A1, "GET", "/v1/aside", NULL, "locked");
}

static void what_was_set_aside_is_listed_with_its_reason(void **state)
{
    struct records_kit *kit = *state;
    const struct spean_view junk = {(const uint8_t *)"0123456789abcdef\xc0", 17};
    author_fixture_raw(kit->f, B1, SPEAN_ENTRY_CHANGE, NULL, junk);
    author_fixture_raw(kit->f, B1, SPEAN_ENTRY_CHANGE, NULL, junk);
    author_fixture_copy(kit->f, B1, A1);
    json_t *answer = records_kit_ok(kit, A1, "GET", "/v1/aside?limit=1", NULL);
    assert_string_equal(records_kit_text(answer, "items.0.reason"), "malformed");
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/aside?limit=5&after=%s",
                   records_kit_text(answer, "next"));
    answer = records_kit_ok(kit, A1, "GET", target, NULL);
    assert_int_equal(json_array_size(records_kit_at(answer, "items")), 1);
    assert_true(json_is_null(records_kit_at(answer, "next")));
    assert_refused(kit, A1, "GET", "/v1/aside?after=x", NULL, "bad_input");
}

/* Cut the first log that a node got to know back by so many entries. */
static void cut_back(struct records_kit *kit, unsigned node, uint64_t entries)
{
    struct spean_tx *tx = NULL;
    struct spean_logs_row row;
    bool more = false;
    assert_int_equal(spean_tx_begin(kit->f->nodes[node].store->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_logs_next(tx, 0, &row), SPEAN_OK);
    assert_true(row.head.seq >= entries);
    struct spean_place place = {.seq = row.head.seq - entries};
    assert_int_equal(spean_entries_id(tx, &row, place.seq, &place.entry), SPEAN_OK);
    assert_int_equal(spean_log_cut_back(tx, &row.log, &place, &more), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    author_fixture_fold(&kit->f->nodes[node]);
}

static void what_is_beyond_a_cut_is_listed_after_what_was_judged(void **state)
{
    struct records_kit *kit = *state;
    const struct spean_view junk = {(const uint8_t *)"0123456789abcdef\xc0", 17};
    for (unsigned i = 0; i < 4; i++) {
        author_fixture_raw(kit->f, B1, SPEAN_ENTRY_CHANGE, NULL, junk);
    }
    author_fixture_copy(kit->f, B1, A1);
    cut_back(kit, A1, 3);
    char target[160] = "/v1/aside?limit=1";
    const char *const reasons[] = {"malformed", "beyond", "beyond", "beyond"};
    for (size_t i = 0; i < 4; i++) {
        json_t *answer = records_kit_ok(kit, A1, "GET", target, NULL);
        assert_int_equal(json_array_size(records_kit_at(answer, "items")), 1);
        assert_string_equal(records_kit_text(answer, "items.0.reason"), reasons[i]);
        assert_int_equal(json_is_null(records_kit_at(answer, "items.0.since")), i > 0);
        assert_int_equal(json_is_null(records_kit_at(answer, "next")), i == 3);
        if (i < 3) {
            (void)snprintf(target, sizeof(target), "/v1/aside?limit=1&after=%s",
                           records_kit_text(answer, "next"));
        }
    }
    static const char *const wrong[] = {"b",
                                        "b1",
                                        "b1-",
                                        "b1-2",
                                        "b1-2-",
                                        "b1-2-zz",
                                        "1-2-3",
                                        "-1",
                                        "b1-2-00112233445566778899aabbccddee",
                                        "b1-2-00112233445566778899aabbccddeeff00",
                                        "4294967296-1",
                                        "1-18446744073709551615"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(target, sizeof(target), "/v1/aside?after=%s", wrong[i]);
        assert_refused(kit, A1, "GET", target, NULL, "bad_input");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_kit_setup, records_kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_agency_that_was_added_is_shown),
        TEST(an_edit_changes_what_differs_and_nothing_else),
        TEST(wrong_edits_are_refused_and_change_nothing),
        TEST(a_dry_run_checks_and_writes_nothing),
        TEST(lists_filter_by_kind_country_and_name),
        TEST(only_the_own_organisation_is_written_about_as_a_member),
        TEST(an_organisation_is_called_as_its_own_record_says_and_no_other),
        TEST(a_conflict_shows_both_sides_and_an_edit_ends_it),
        TEST(an_import_creates_then_changes_nothing),
        TEST(an_import_in_another_language_adds_it),
        TEST(imported_cases_are_found_again_by_their_source),
        TEST(the_same_name_in_two_sources_is_of_two_people),
        TEST(imported_cases_get_codes_one_after_the_other),
        TEST(an_imported_case_that_is_wrong_stops_no_other),
        TEST(an_import_may_edit_a_case_by_its_code),
        TEST(an_export_says_who_wrote_each_value),
        TEST(two_items_of_one_agency_make_one_record),
        TEST(a_case_gets_the_next_code_of_the_month),
        TEST(a_consent_is_recorded_once_and_withdrawn_for_ever),
        TEST(without_room_nothing_is_written_but_a_withdrawal),
        TEST(consents_that_allow_nothing_are_refused),
        TEST(nothing_is_read_or_written_while_the_store_is_locked),
        TEST(what_was_set_aside_is_listed_with_its_reason),
        TEST(what_is_beyond_a_cut_is_listed_after_what_was_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
