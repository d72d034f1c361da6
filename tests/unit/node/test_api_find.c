/* Finding agencies and cases by the local API, on a real store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/node/records_kit.h"

#define BODY_BYTES 512u

static void add_case(struct records_kit *kit, const char *body, char id[64])
{
    json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/cases", body);
    (void)snprintf(id, 64, "%s", records_kit_text(answer, "id"));
}

/* Which of the cases ids a search finds, as a sum of 1 << index. */
static unsigned found(struct records_kit *kit, const char *method, const char *target,
                      const char *body, char ids[][64], size_t count)
{
    unsigned sum = 0;
    json_t *const items = records_kit_at(records_kit_ok(kit, A1, method, target, body), "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *const id = records_kit_text(json_array_get(items, i), "id");
        size_t k = 0;
        while (k < count && strcmp(ids[k], id) != 0) {
            k++;
        }
        assert_true(k < count);
        sum |= 1u << k;
    }
    return sum;
}

static unsigned by_text(struct records_kit *kit, const char *key, const char *text, char ids[][64],
                        size_t count)
{
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof(body), "{\"%s\": \"%s\"}", key, text);
    return found(kit, "POST", "/v1/cases/find", body, ids, count);
}

#define PEOPLE 5u

static void add_people(struct records_kit *kit, char ids[PEOPLE][64])
{
    static const char *const bodies[PEOPLE] = {
        "{\"add\": {\"names\": [{\"script\": \"latn\", \"full\": \"Nguy\u1ec5n Th\u1ecb "
        "\u0110\u00e0o\"}, {\"script\": \"jpan\", \"family\": \"\u962e\", \"given\": \"\u6c0f"
        "\u6843\", \"kana\": \"\u30b0\u30a8\u30f3\u30fb\u30c0\u30aa\"}], \"issues\": [\"debt\"]},"
        " \"set\": {\"opened_on\": \"2026-03-31\", \"risk_level\": \"high\"}, \"append\": "
        "{\"contacts\": [{\"channel\": \"phone\", \"value\": \"+855 12 345 678\"}]}}",
        "{\"add\": {\"names\": [{\"script\": \"khmr\", \"full\": "
        "\"\u179f\u17bb\u1781\u200b \u1793\u17b6\u179a\u17b8\"}], \"issues\": [\"debt\", "
        "\"unpaid_wages\"]}, \"set\": {\"opened_on\": \"2026-04\", \"status\": \"follow_up\"}}",
        "{\"add\": {\"names\": [{\"script\": \"latn\", \"full\": \"Suharto\"}]}, \"set\": "
        "{\"opened_on\": \"2025\"}, \"append\": {\"contacts\": [{\"channel\": \"email\", "
        "\"value\": \"Harto@example.org\"}]}}",
        "{\"add\": {\"names\": [{\"script\": \"latn\", \"family\": \"Tr\u1ea7n\", \"given\": "
        "\"\u0110\u1ee9c\"}]}, \"set\": {\"opened_on\": \"2026-11-22\"}}",
        "{\"set\": {\"opened_on\": \"2024-01-01\", \"risk_level\": \"low\"}}"};
    for (size_t i = 0; i < PEOPLE; i++) {
        add_case(kit, bodies[i], ids[i]);
    }
}

static void names_are_found_as_they_are_typed(void **state)
{
    struct records_kit *kit = *state;
    char ids[PEOPLE][64];
    static const struct {
        const char *text;
        unsigned found;
    } rows[] = {
        {"nguyen thi dao", 1u},
        {"DAO Nguye\u0302\u0303n", 1u},
        {"\u0111\u00e0o", 1u},
        {"\u962e\u6c0f\u6843", 1u},                          /* Family and given are one. */
        {"\u30b0\u30a8\u30f3", 1u},                          /* The kana field. */
        {"\uff78\uff9e\uff74\uff9d \uff80\uff9e\uff75", 1u}, /* The same in half width. */
        {"\u179f\u17bb\u1781\u1793\u17b6\u179a\u17b8", 2u},
        {"\u1793\u17b6\u179a\u17b8 \u179f\u17bb\u1781", 2u},
        {"\u179f\u17bb\u1781\u1793\u17b8\u179a\u17b6", 0}, /* Another vowel, another name. */
        {"suharto", 4u},
        {"\uff33uharto", 4u},
        {"duc tran", 8u},
        {"duc nguyen", 0},
        {"suharto nguyen", 0},
    };
    add_people(kit, ids);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(by_text(kit, "text", rows[i].text, ids, PEOPLE), rows[i].found);
    }
}

static void codes_and_contacts_are_found_too(void **state)
{
    struct records_kit *kit = *state;
    char ids[PEOPLE][64];
    char path[BODY_BYTES];
    char code[32];
    add_people(kit, ids);
    (void)snprintf(path, sizeof(path), "/v1/cases/%s", ids[3]);
    (void)snprintf(code, sizeof(code), "%s",
                   records_kit_text(records_kit_ok(kit, A1, "GET", path, NULL), "code"));
    assert_int_equal(by_text(kit, "text", code, ids, PEOPLE), 8u);
    assert_int_equal(by_text(kit, "contact", "012 345 678", ids, PEOPLE), 1u);
    assert_int_equal(by_text(kit, "contact", "+85512345678", ids, PEOPLE), 1u);
    assert_int_equal(by_text(kit, "contact", "\uff10\uff11\uff12-345-678", ids, PEOPLE), 1u);
    assert_int_equal(by_text(kit, "contact",
                             "\u17e0\u17e1\u17e2\u17e3\u17e4\u17e5\u17e6\u17e7\u17e8", ids, PEOPLE),
                     1u);
    assert_int_equal(by_text(kit, "contact", "112 345 678", ids, PEOPLE), 0);
    assert_int_equal(by_text(kit, "contact", "harto@", ids, PEOPLE), 4u);
    assert_int_equal(by_text(kit, "text", "harto@", ids, PEOPLE), 0);
}

static void filters_of_cases_go_together(void **state)
{
    struct records_kit *kit = *state;
    char ids[PEOPLE][64];
    static const struct {
        const char *query;
        unsigned found;
    } rows[] = {
        {"?status=follow_up", 2u},
        {"?status=active", 1u | 4u | 8u | 16u},
        {"?issue=debt", 1u | 2u},
        {"?issue=debt&risk_level=high", 1u},
        {"?issue=debt&risk_level=low", 0},
        {"?risk_level=low", 16u},
        {"?opened_from=2026-04-01", 2u | 8u},
        {"?opened_from=2026-04-15", 2u | 8u}, /* Some day of April: it may be. */
        {"?opened_from=2026-05", 8u},
        {"?opened_to=2026-03-31", 1u | 4u | 16u},
        {"?opened_to=2026-03", 1u | 4u | 16u},
        {"?opened_to=2025", 4u | 16u},
        {"?opened_from=2026&opened_to=2026-04", 1u | 2u},
        {"?opened_from=2026-11-22&opened_to=2026-11-22", 8u},
    };
    add_people(kit, ids);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char target[96];
        (void)snprintf(target, sizeof(target), "/v1/cases%s", rows[i].query);
        assert_int_equal(found(kit, "GET", target, NULL, ids, PEOPLE), rows[i].found);
    }
    assert_int_equal(found(kit, "POST", "/v1/cases/find?limit=10",
                           "{\"issue\": \"debt\", \"text\": \"dao\"}", ids, PEOPLE),
                     1u);
    assert_int_equal(found(kit, "POST", "/v1/cases/find",
                           "{\"status\": \"follow_up\", \"text\": \"dao\"}", ids, PEOPLE),
                     0);
    assert_int_equal(found(kit, "POST", "/v1/cases/find", "{}", ids, PEOPLE), 31u);
}

static void what_is_asked_for_badly_is_refused(void **state)
{
    struct records_kit *kit = *state;
    static const char *const bodies[] = {"{\"text\": \"\"}",
                                         "{\"text\": \"\u200b \"}",
                                         "{\"text\": 7}",
                                         "{\"contact\": \" \"}",
                                         "{\"who\": \"x\"}",
                                         "{\"opened_from\": \"March\"}",
                                         "{\"opened_to\": \"2026-02-30\"}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_refused(kit, A1, "POST", "/v1/cases/find", bodies[i], "bad_input");
    }
    /* Names stand in no path: paths are shown and kept in too many places. */
    assert_refused(kit, A1, "GET", "/v1/cases?text=Suharto", NULL, "bad_input");
    assert_refused(kit, A1, "POST", "/v1/cases/find?text=Suharto", "{}", "bad_input");
    assert_refused(kit, A1, "GET", "/v1/cases?opened_from=22.11.2026", NULL, "bad_input");
    assert_refused(kit, A1, "GET", "/v1/agencies?q=%20", NULL, "bad_input");
}

static void pages_of_what_is_found_come_to_an_end(void **state)
{
    struct records_kit *kit = *state;
    char ids[PEOPLE][64];
    char target[128] = "/v1/cases?issue=debt&limit=1";
    unsigned sum = 0;
    unsigned pages = 0;
    add_people(kit, ids);
    bool more = true;
    while (more) {
        json_t *answer = records_kit_ok(kit, A1, "GET", target, NULL);
        sum += (unsigned)json_array_size(records_kit_at(answer, "items"));
        const char *const next = records_kit_text(answer, "next");
        more = next != NULL;
        if (more) {
            (void)snprintf(target, sizeof(target), "/v1/cases?issue=debt&limit=1&after=%s", next);
        }
        assert_true(++pages <= PEOPLE + 1);
    }
    assert_int_equal(sum, 2);
}

/* -- Agencies -------------------------------------------------------------------------------- */

static void filters_of_agencies_go_together(void **state)
{
    struct records_kit *kit = *state;
    char ids[2][64];
    static const char *const bodies[2] = {
        "{\"set\": {\"names\": {\"en\": \"Mekong Shelter\", \"vi\": \"Nh\u00e0 M\u1edf\"}, "
        "\"kind\": \"shelter\", \"country\": \"VN\", \"status\": \"active\"}, \"add\": "
        "{\"languages\": [\"vi\"], \"services\": [{\"code\": \"shelter\"}, {\"code\": "
        "\"legal\"}], \"aliases\": [{\"en\": \"The Blue House\"}]}}",
        "{\"set\": {\"names\": {\"ja\": \"\u6771\u4eac \u652f\u63f4\"}, \"kind\": \"legal\", "
        "\"country\": \"JP\", \"status\": \"closed\"}, \"add\": {\"languages\": [\"ja\", \"vi\"],"
        " \"identifiers\": [{\"scheme\": \"th\", \"value\": \"NO-12\"}]}}"};
    static const struct {
        const char *query;
        unsigned found;
    } rows[] = {
        {"?language=vi", 3u},
        {"?language=ja", 2u},
        {"?language=v", 0},
        {"?service=legal", 1u},
        {"?status=closed", 2u},
        {"?status=closed&language=vi&kind=legal&country=JP", 2u},
        {"?status=closed&service=legal", 0},
        {"?q=nha%20mo", 1u},
        {"?q=blue%20house", 1u},
        {"?q=%E6%9D%B1%E4%BA%AC%E6%94%AF%E6%8F%B4", 2u},
        {"?q=no-12", 2u},
        {"?q=legal", 0}, /* That is no name. */
    };
    for (size_t i = 0; i < 2; i++) {
        json_t *answer = records_kit_ok(kit, A1, "POST", "/v1/agencies", bodies[i]);
        (void)snprintf(ids[i], 64, "%s", records_kit_text(answer, "id"));
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char target[128];
        (void)snprintf(target, sizeof(target), "/v1/agencies%s", rows[i].query);
        assert_int_equal(found(kit, "GET", target, NULL, ids, 2), rows[i].found);
    }
}

/* -- Hints and sameness ---------------------------------------------------------------------- */

static json_t *hints_of(struct records_kit *kit, const char *path, const char *body)
{
    return records_kit_at(records_kit_ok(kit, A1, "POST", path, body), "looks_like");
}

#define PERSON(name, born)                                                                         \
    "{\"add\": {\"names\": [{\"script\": \"latn\", \"full\": \"" name                              \
    "\"}]}, \"set\": {\"birth_date\": " born "}}"

static void a_case_of_the_same_name_and_year_is_hinted_at(void **state)
{
    struct records_kit *kit = *state;
    char id[64];
    assert_int_equal(json_array_size(hints_of(kit, "/v1/cases",
                                              PERSON("L\u00ea Th\u1ecb Lan", "\"1990-02-03\""))),
                     0);
    json_t *hints = hints_of(kit, "/v1/cases", PERSON("THI LAN LE", "\"1990\""));
    assert_int_equal(json_array_size(hints), 1);
    assert_string_equal(records_kit_text(json_array_get(hints, 0), "why"),
                        "same_name_and_birth_year");
    assert_non_null(records_kit_text(json_array_get(hints, 0), "code"));
    (void)snprintf(id, sizeof(id), "%s", records_kit_text(json_array_get(hints, 0), "id"));
    assert_int_equal(json_array_size(hints_of(kit, "/v1/cases", PERSON("Le Thi Lan", "\"1991\""))),
                     0);
    assert_int_equal(json_array_size(hints_of(kit, "/v1/cases", PERSON("Le Lan", "\"1990\""))), 0);
    hints = hints_of(kit, "/v1/cases", PERSON("Le Thi Lan", "null"));
    assert_int_equal(json_array_size(hints), 3);
    assert_string_equal(records_kit_text(json_array_get(hints, 0), "why"), "same_name");
    /* A name that is edited away leads there no more. */
    char path[BODY_BYTES];
    (void)snprintf(path, sizeof(path), "/v1/cases/%s", id);
    (void)records_kit_ok(kit, A1, "PATCH", path,
                         "{\"remove\": {\"names\": [{\"script\": \"latn\", \"full\": "
                         "\"L\u00ea Th\u1ecb Lan\"}]}}");
    hints = hints_of(kit, "/v1/cases", PERSON("Le Thi Lan", "\"1990\""));
    for (size_t i = 0; i < json_array_size(hints); i++) {
        assert_string_not_equal(records_kit_text(json_array_get(hints, i), "id"), id);
    }
    assert_int_equal(json_array_size(hints), 2);
}

static void hints_are_few_and_never_a_refusal(void **state)
{
    struct records_kit *kit = *state;
    size_t told = 0;
    for (size_t i = 0; i < 8; i++) {
        told = json_array_size(hints_of(kit, "/v1/cases", PERSON("Sok Sophea", "\"1990\"")));
        assert_int_equal(told, i < 5 ? i : 5);
    }
    json_t *answer =
        records_kit_ok(kit, A1, "POST", "/v1/cases?dry_run=1", PERSON("Sok Sophea", "\"1990\""));
    assert_null(records_kit_at(answer, "looks_like"));
}

static void an_agency_of_another_country_is_no_duplicate(void **state)
{
    struct records_kit *kit = *state;
    static const char *const kh =
        "{\"set\": {\"names\": {\"en\": \"Red Lotus\"}, \"country\": \"KH\"}}";
    static const char *const vn =
        "{\"set\": {\"names\": {\"en\": \"red  LOTUS\"}, \"country\": \"VN\"}}";
    static const char *const open = "{\"set\": {\"names\": {\"km\": \"Lotus Red\"}}}";
    assert_int_equal(json_array_size(hints_of(kit, "/v1/agencies", kh)), 0);
    assert_int_equal(json_array_size(hints_of(kit, "/v1/agencies", vn)), 0);
    assert_int_equal(json_array_size(hints_of(kit, "/v1/agencies", open)), 2);
    assert_int_equal(json_array_size(hints_of(kit, "/v1/agencies", kh)), 2);
}

static void what_was_decided_to_be_the_same_is_shown_from_every_side(void **state)
{
    struct records_kit *kit = *state;
    char ids[4][64];
    char path[BODY_BYTES];
    char body[BODY_BYTES];
    json_t *same = NULL;
    for (size_t i = 0; i < 4; i++) {
        add_case(kit, PERSON("Sok Sophea", "\"1990\""), ids[i]);
    }
    for (size_t i = 0; i < 2; i++) { /* 0 is 1, and 2 is 1. */
        (void)snprintf(path, sizeof(path), "/v1/cases/%s", ids[2 * i]);
        (void)snprintf(body, sizeof(body), "{\"add\": {\"same_as\": [\"%s\"]}}", ids[1]);
        (void)records_kit_ok(kit, A1, "PATCH", path, body);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof(path), "/v1/cases/%s", ids[i]);
        same = records_kit_at(records_kit_ok(kit, A1, "GET", path, NULL), "same");
        assert_int_equal(json_array_size(same), i < 3 ? 2 : 0);
        for (size_t k = 0; k < json_array_size(same); k++) {
            const char *const id = records_kit_text(json_array_get(same, k), "id");
            assert_string_not_equal(id, ids[i]);
            assert_string_not_equal(id, ids[3]);
        }
    }
    /* A list has the three as one, the lowest id that it is asked for. */
    (void)snprintf(path, sizeof(path), "/v1/cases");
    json_t *items = records_kit_at(records_kit_ok(kit, A1, "GET", path, NULL), "items");
    assert_int_equal(json_array_size(items), 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *const row = json_array_get(items, i);
        const char *const id = records_kit_text(row, "id");
        const bool alone = strcmp(id, ids[3]) == 0;
        same = json_object_get(row, "same");
        assert_int_equal(json_array_size(same), alone ? 0 : 2);
        for (size_t k = 0; k < json_array_size(same); k++) {
            assert_true(strcmp(id, records_kit_text(json_array_get(same, k), "id")) < 0);
        }
    }
    for (size_t i = 0; i < 3; i++) { /* One by one they leave the status; the rest is still one. */
        (void)snprintf(path, sizeof(path), "/v1/cases/%s", ids[i]);
        (void)records_kit_ok(kit, A1, "PATCH", path, "{\"set\": {\"status\": \"follow_up\"}}");
        items = records_kit_at(records_kit_ok(kit, A1, "GET", "/v1/cases?status=active", NULL),
                               "items");
        assert_int_equal(json_array_size(items), i < 2 ? 2 : 1);
    }
    (void)snprintf(path, sizeof(path), "/v1/cases/%s", ids[0]);
    (void)snprintf(body, sizeof(body), "{\"remove\": {\"same_as\": [\"%s\"]}}", ids[1]);
    (void)records_kit_ok(kit, A1, "PATCH", path, body);
    same = records_kit_at(records_kit_ok(kit, A1, "GET", path, NULL), "same");
    assert_int_equal(json_array_size(same), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_found_as_they_are_typed, records_kit_setup,
                                        records_kit_teardown),
        cmocka_unit_test_setup_teardown(codes_and_contacts_are_found_too, records_kit_setup,
                                        records_kit_teardown),
        cmocka_unit_test_setup_teardown(filters_of_cases_go_together, records_kit_setup,
                                        records_kit_teardown),
        cmocka_unit_test_setup_teardown(what_is_asked_for_badly_is_refused, records_kit_setup,
                                        records_kit_teardown),
        cmocka_unit_test_setup_teardown(pages_of_what_is_found_come_to_an_end, records_kit_setup,
                                        records_kit_teardown),
        cmocka_unit_test_setup_teardown(filters_of_agencies_go_together, records_kit_setup,
                                        records_kit_teardown),
        cmocka_unit_test_setup_teardown(a_case_of_the_same_name_and_year_is_hinted_at,
                                        records_kit_setup, records_kit_teardown),
        cmocka_unit_test_setup_teardown(hints_are_few_and_never_a_refusal, records_kit_setup,
                                        records_kit_teardown),
        cmocka_unit_test_setup_teardown(an_agency_of_another_country_is_no_duplicate,
                                        records_kit_setup, records_kit_teardown),
        cmocka_unit_test_setup_teardown(what_was_decided_to_be_the_same_is_shown_from_every_side,
                                        records_kit_setup, records_kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
