/* The history of records by the local API, on real stores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/keystore.h"
#include "tests/unit/node/records_kit.h"

#define PATH_BYTES 256u

/* "/v1/cases/<id>/history?limit=1", in memory that lives until the next call. */
static const char *path_of(const char *group, const char *id, const char *rest)
{
    static char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/v1/%s/%s%s", group, id, rest);
    return path;
}

static void add(struct records_kit *kit, const char *group, const char *body, char id[64])
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/v1/%s", group);
    const char *const text = records_kit_text(records_kit_ok(kit, A1, "POST", path, body), "id");
    assert_non_null(text);
    (void)snprintf(id, 64, "%s", text);
}

static void patch(struct records_kit *kit, enum author_who who, const char *id, const char *body)
{
    (void)records_kit_ok(kit, who, "PATCH", path_of("cases", id, ""), body);
}

static json_t *history(struct records_kit *kit, enum author_who who, const char *id)
{
    return records_kit_at(records_kit_ok(kit, who, "GET", path_of("cases", id, "/history"), NULL),
                          "items");
}

/* The operation of a change on a field; it fails the test if there is none. */
static json_t *operation(json_t *change, const char *field)
{
    size_t i;
    json_t *op;
    json_array_foreach(json_object_get(change, "operations"), i, op)
    {
        if (strcmp(records_kit_text(op, "field"), field) == 0) {
            return op;
        }
    }
    fail_msg("no operation on %s", field);
    return NULL;
}

static void assert_did(json_t *change, const char *field, const char *verb, const char *value)
{
    json_t *const op = operation(change, field);
    assert_string_equal(records_kit_text(op, "verb"), verb);
    if (value == NULL) {
        assert_true(json_is_null(json_object_get(op, "value")));
    } else {
        assert_string_equal(records_kit_text(op, "value"), value);
    }
}

static void what_was_replaced_removed_and_struck_since_is_told(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    add(kit, "cases",
        "{\"set\": {\"status\": \"active\", \"risk_level\": \"high\"}, \"add\": {\"issues\": "
        "[\"debt\"]}, \"append\": {\"costs\": [{\"category\": \"travel\"}]}}",
        id);
    char item[128];
    json_t *const change = json_array_get(history(kit, A1, id), 0);
    assert_true(json_is_true(json_object_get(change, "creates")));
    assert_string_equal(records_kit_text(operation(change, "costs"), "value.category"), "travel");
    (void)snprintf(item, sizeof(item), "%s", records_kit_text(operation(change, "costs"), "item"));
    char edit[512];
    (void)snprintf(edit, sizeof(edit),
                   "{\"set\": {\"status\": \"closed\", \"risk_level\": null}, \"remove\": "
                   "{\"issues\": [\"debt\"]}, \"strike\": {\"costs\": [\"%s\"]}}",
                   item);
    patch(kit, A1, id, edit);
    json_t *const items = history(kit, A1, id);
    assert_int_equal(json_array_size(items), 2);
    json_t *const first = json_array_get(items, 0);
    json_t *const second = json_array_get(items, 1);
    assert_did(first, "status", "set", "active");
    assert_did(first, "risk_level", "set", "high");
    assert_did(first, "issues", "add", "debt");
    assert_string_equal(records_kit_text(operation(first, "costs"), "verb"), "append");
    assert_did(second, "status", "set", "closed");
    assert_did(second, "risk_level", "clear", NULL);
    assert_did(second, "issues", "remove", "debt");
    assert_did(second, "costs", "strike", item);
    assert_string_equal(records_kit_text(operation(second, "costs"), "item"), item);
    assert_true(json_is_null(json_object_get(operation(second, "status"), "item")));
    assert_false(json_is_true(json_object_get(second, "creates")));
    assert_string_equal(records_kit_text(second, "fate"), "folded");
    assert_string_equal(records_kit_text(second, "actor"), "admin");
    assert_string_equal(records_kit_text(second, "org_name"), "Bridge Legal Aid");
    assert_string_equal(records_kit_text(second, "part"), "case");
    assert_true(json_is_null(json_object_get(second, "node")));
}

static void two_nodes_of_an_organisation_tell_the_same(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    add(kit, "cases", "{\"set\": {\"status\": \"active\"}}", id);
    author_fixture_copy(kit->f, A1, A2);
    patch(kit, A2, id, "{\"set\": {\"status\": \"follow_up\"}}");
    author_fixture_copy(kit->f, A2, A1);
    patch(kit, A1, id, "{\"set\": {\"status\": \"closed\"}}");
    author_fixture_copy(kit->f, A1, A2);
    json_t *const here = json_incref(history(kit, A1, id));
    assert_int_equal(json_array_size(here), 3);
    assert_true(json_equal(here, history(kit, A2, id)));
    json_decref(here);
}

static void pages_give_each_change_once_and_end(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    char rest[128] = "/history?limit=1";
    add(kit, "cases", "{\"set\": {\"status\": \"active\"}}", id);
    patch(kit, A1, id, "{\"set\": {\"status\": \"follow_up\"}}");
    patch(kit, A1, id, "{\"set\": {\"status\": \"closed\"}}");
    json_t *const all = json_incref(history(kit, A1, id));
    assert_int_equal(json_array_size(all), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *const page = records_kit_ok(kit, A1, "GET", path_of("cases", id, rest), NULL);
        json_t *const items = records_kit_at(page, "items");
        assert_int_equal(json_array_size(items), 1);
        assert_true(json_equal(json_array_get(items, 0), json_array_get(all, i)));
        const char *const next = records_kit_text(page, "next");
        assert_true((next != NULL) == (i < 2));
        (void)snprintf(rest, sizeof(rest), "/history?limit=1&after=%s", next == NULL ? "" : next);
    }
    json_decref(all);
}

static void an_agency_has_a_history_too(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    add(kit, "agencies", "{\"set\": {\"names\": {\"en\": \"Shelter\"}, \"country\": \"JP\"}}", id);
    json_t *const answer =
        records_kit_ok(kit, A1, "GET", path_of("agencies", id, "/history"), NULL);
    json_t *const change = json_array_get(records_kit_at(answer, "items"), 0);
    assert_string_equal(records_kit_text(change, "part"), "public");
    assert_string_equal(records_kit_text(operation(change, "names"), "value.en"), "Shelter");
    assert_true(json_is_object(json_object_get(change, "fixed")));
}

static void what_is_not_known_or_not_asked_for_rightly_is_refused(void **state)
{
    struct records_kit *kit = *state;
    static const char *const wrong[] = {
        "?limit=0",
        "?limit=1001",
        "?colour=red",
        "?after=x",
        "?after=1-2",
        "?after=1-000000000000000a-",
        "?after=01-000000000000000a-1",
        "?after=-1-000000000000000a-1",
        "?after=1-000000000000000A-1",
        "?after=1-000000000000000a-1-1",
        "?after=99999999999999999999-000000000000000a-1",
    };
    char id[64];
    char rest[128];
    add(kit, "cases", "{\"set\": {\"status\": \"active\"}}", id);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(rest, sizeof(rest), "/history%s", wrong[i]);
        assert_refused(kit, A1, "GET", path_of("cases", id, rest), NULL, "bad_input");
    }
    (void)records_kit_ok(kit, A1, "GET",
                         path_of("cases", id, "/history?after=1-000000000000000a-1"), NULL);
    assert_refused(kit, A1, "GET", path_of("agencies", id, "/history"), NULL, "not_found");
    assert_refused(kit, A1, "GET", "/v1/cases/ffffffffffff/history", NULL, "not_found");
    /* Nobody else has it. */
    records_kit_meet(kit);
    assert_refused(kit, B1, "GET", path_of("cases", id, "/history"), NULL, "not_found");
    spean_keys_lock(kit->f->nodes[A1].keys);
    assert_refused(kit, A1, "GET", path_of("cases", id, "/history"), NULL, "locked");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, records_kit_setup, records_kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_replaced_removed_and_struck_since_is_told),
        TEST(two_nodes_of_an_organisation_tell_the_same),
        TEST(pages_give_each_change_once_and_end),
        TEST(an_agency_has_a_history_too),
        TEST(what_is_not_known_or_not_asked_for_rightly_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
