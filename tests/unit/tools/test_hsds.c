#include "tools/hsds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Read text as a file of Khmer names; the caller ends *hsds. */
static void read_text(const char *text, struct spean_hsds *hsds)
{
    json_t *const file = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(file);
    assert_int_equal(spean_hsds_read(file, "km", NULL, NULL, NULL, hsds), SPEAN_OK);
    json_decref(file);
}

static void assert_items(const struct spean_hsds *hsds, const char *json)
{
    json_t *const wanted = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(wanted);
    if (!json_equal(hsds->items, wanted)) {
        fail_msg("%s", json_dumps(hsds->items, JSON_INDENT(1)));
    }
    json_decref(wanted);
}

static const char *error_place(const struct spean_hsds *hsds, size_t i)
{
    return json_string_value(json_object_get(json_array_get(hsds->errors, i), "place"));
}

static const char *error_reason(const struct spean_hsds *hsds, size_t i)
{
    return json_string_value(json_object_get(json_array_get(hsds->errors, i), "error"));
}

static void an_organization_becomes_an_edit_found_by_its_identifier(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text(
        "{\"id\":\"u-1\",\"name\":\"\u179f\u17d2\u1796\u17b6\u1793\",\"description\":\"d\","
        "\"alternate_name\":\"b\",\"email\":\"a@b.example\",\"website\":\"https://b.example\","
        "\"organization_identifiers\":[{\"id\":\"x\",\"identifier_scheme\":\"GB COH\","
        "\"identifier\":\"12\"}],"
        "\"phones\":[{\"id\":\"p\",\"number\":\"\\\"+855 (23) 000-001\\\"\",\"type\":\"voice\","
        "\"extension\":100,\"languages\":[{\"id\":\"l\",\"code\":\"km\"}]}]}",
        &hsds);
    assert_items(
        &hsds, "[{\"place\":\"$\",\"match\":{\"scheme\":\"gb_coh\",\"value\":\"12\"},\"edit\":{"
               "\"set\":{\"names\":{\"km\":\"\u179f\u17d2\u1796\u17b6\u1793\"},"
               "\"description\":{\"km\":\"d\"},\"email\":\"a@b.example\","
               "\"website\":\"https://b.example\"},"
               "\"add\":{\"aliases\":[{\"km\":\"b\"}],"
               "\"identifiers\":[{\"scheme\":\"gb_coh\",\"value\":\"12\"}],"
               "\"phones\":[{\"number\":\"+85523000001\",\"type\":\"voice\",\"languages\":[\"km\"],"
               "\"extension\":\"100\"}]}}}]");
    assert_int_equal(json_array_size(hsds.errors), 0);
    assert_int_equal(json_object_size(hsds.left), 0);
    spean_hsds_fini(&hsds);
}

static void without_an_identifier_the_id_is_one(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text("{\"id\":\"u-1\",\"name\":\"n\"}", &hsds);
    assert_items(&hsds, "[{\"place\":\"$\",\"match\":{\"scheme\":\"hsds\",\"value\":\"u-1\"},"
                        "\"edit\":{\"set\":{\"names\":{\"km\":\"n\"}},"
                        "\"add\":{\"identifiers\":[{\"scheme\":\"hsds\",\"value\":\"u-1\"}]}}}]");
    spean_hsds_fini(&hsds);
}

static void services_locations_and_hours_are_taken(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text(
        "{\"id\":\"u\",\"name\":\"n\",\"locations\":[{\"id\":\"l\",\"location_type\":\"physical\","
        "\"addresses\":[{\"address_1\":\"1 Street\",\"city\":\"Town\",\"state_province\":\"S\","
        "\"postal_code\":\"123\",\"country\":\"KH\",\"address_type\":\"physical\"}],"
        "\"languages\":[{\"code\":\"km\"},{\"code\":\"km\"}],"
        "\"schedules\":[{\"byday\":\"MO,TU\",\"opens_at\":\"10:00:00\",\"closes_at\":\"18:00:00\"}]"
        "}],\"services\":[{\"id\":\"s\",\"name\":\"Law\",\"status\":\"temporarily closed\","
        "\"eligibility_description\":\"all\",\"fees\":\"none\",\"assured_date\":\"2026-01-02\","
        "\"attributes\":[{\"taxonomy_term\":{\"code\":\"nonsense\"}},"
        "{\"taxonomy_term\":{\"code\":\"legal\"}}],\"service_areas\":[{\"name\":\"East\"}]}]}",
        &hsds);
    assert_items(
        &hsds,
        "[{\"place\":\"$\",\"match\":{\"scheme\":\"hsds\",\"value\":\"u\"},\"edit\":{\"set\":{"
        "\"names\":{\"km\":\"n\"},\"country\":\"KH\",\"hours\":{\"km\":\"MO,TU 10:00-18:00\"}},"
        "\"add\":{\"identifiers\":[{\"scheme\":\"hsds\",\"value\":\"u\"}],"
        "\"addresses\":[{\"place\":{\"country\":\"KH\",\"code\":\"\",\"name\":\"Town\"},"
        "\"kind\":\"physical\",\"lines\":{\"km\":\"1 Street, S\"},\"postal_code\":\"123\"}],"
        "\"languages\":[\"km\"],\"services\":[{\"name\":{\"km\":\"Law\"},"
        "\"eligibility\":{\"km\":\"all\"},\"fees\":{\"km\":\"none\"},\"code\":\"legal\","
        "\"status\":\"temporarily_closed\",\"assured_on\":\"2026-01-02\","
        "\"area\":[{\"country\":\"\",\"code\":\"\",\"name\":\"East\"}]}]}}}]");
    spean_hsds_fini(&hsds);
}

static void a_service_brings_its_organization_along(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text(
        "[{\"id\":\"s\",\"name\":\"Law\",\"status\":\"active\",\"organization\":{\"id\":\"u\","
        "\"name\":\"n\"}},{\"id\":\"x\",\"service\":{\"id\":\"s\",\"name\":\"Aid\",\"status\":"
        "\"active\",\"organization\":{\"id\":\"u\",\"name\":\"n\"}}}]",
        &hsds);
    assert_int_equal(json_array_size(hsds.items), 2);
    assert_int_equal(json_array_size(hsds.errors), 0);
    spean_hsds_fini(&hsds);
}

static void a_wrong_row_is_told_with_its_place_and_stops_no_other(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text(
        "{\"contents\":[{\"id\":\"1\"},{\"id\":\"2\",\"name\":\"good\"},7,"
        "{\"id\":\"3\",\"location_type\":\"physical\",\"name\":\"place\"},{\"name\":\"no id\"},"
        "{\"id\":\"4\",\"name\":\"service\",\"status\":\"active\"}]}",
        &hsds);
    assert_int_equal(json_array_size(hsds.items), 1);
    assert_int_equal(hsds.failed, 5);
    static const char *const places[] = {"$.contents[0].name", "$.contents[2]", "$.contents[3]",
                                         "$.contents[4]", "$.contents[5]"};
    assert_int_equal(json_array_size(hsds.errors), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(error_place(&hsds, i), places[i]);
    }
    spean_hsds_fini(&hsds);
}

static void a_wrong_part_is_left_out_and_the_rest_goes_in(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text(
        "[{\"id\":\"1\",\"name\":\"n\",\"phones\":[{\"number\":\"call us\"},{\"number\":\"\"},"
        "{\"number\":\"+85512345678901234567890\"},{\"number\":\"1280\"}],\"locations\":[{},"
        "{\"addresses\":[{\"country\":\"Cambodia\"}]}],\"organization_identifiers\":["
        "{\"identifier_scheme\":\"x\"}],\"services\":[{\"status\":\"active\"}]}]",
        &hsds);
    assert_items(&hsds,
                 "[{\"place\":\"$[0]\",\"match\":{\"scheme\":\"hsds\",\"value\":\"1\"},"
                 "\"edit\":{\"set\":{\"names\":{\"km\":\"n\"}},\"add\":{\"identifiers\":["
                 "{\"scheme\":\"hsds\",\"value\":\"1\"}],\"phones\":[{\"number\":\"1280\"}]}}"
                 "}]");
    static const char *const places[] = {"$[0].organization_identifiers[0]",
                                         "$[0].phones[0].number",
                                         "$[0].phones[1].number",
                                         "$[0].phones[2].number",
                                         "$[0].locations[1].addresses[0].country",
                                         "$[0].services[0].name"};
    assert_int_equal(json_array_size(hsds.errors), 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(error_place(&hsds, i), places[i]);
    }
    assert_int_equal(hsds.failed, 0);
    spean_hsds_fini(&hsds);
}

static void what_has_no_field_is_counted_by_name(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text(
        "[{\"id\":\"1\",\"name\":\"n\",\"logo\":\"x\",\"contacts\":[{\"name\":\"Ann\",\"email\":"
        "\"ann@b.example\"}]},{\"id\":\"2\",\"name\":\"n\",\"logo\":\"y\",\"logo2\":null}]",
        &hsds);
    json_t *const wanted = json_pack("{s:i,s:i}", "organization.logo", 2, "contact.name", 1);
    assert_true(json_equal(hsds.left, wanted));
    json_decref(wanted);
    char *const text = json_dumps(hsds.items, 0);
    assert_non_null(strstr(text, "ann@b.example"));
    assert_null(strstr(text, "\"Ann\"")); /* Agencies are public; people are not. */
    free(text);
    spean_hsds_fini(&hsds);
}

static void a_kind_and_country_stand_in_only_where_there_is_none(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    json_t *const file = json_loads(
        "[{\"id\":\"1\",\"name\":\"a\"},{\"id\":\"2\",\"name\":\"b\",\"attributes\":[{\"taxonomy_"
        "term\":"
        "{\"code\":\"police\"}}],\"locations\":[{\"addresses\":[{\"country\":\"JP\"}]}]}]",
        0, NULL);
    assert_int_equal(spean_hsds_read(file, "en", "union", "VN", NULL, &hsds), SPEAN_OK);
    static const char *const kinds[] = {"union", "police"};
    static const char *const countries[] = {"VN", "JP"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *const set =
            json_object_get(json_object_get(json_array_get(hsds.items, i), "edit"), "set");
        assert_string_equal(json_string_value(json_object_get(set, "kind")), kinds[i]);
        assert_string_equal(json_string_value(json_object_get(set, "country")), countries[i]);
    }
    spean_hsds_fini(&hsds);
    json_decref(file);
}

static void more_rows_than_the_limit_are_refused(void **state)
{
    (void)state;
    struct spean_hsds hsds = {.items = NULL};
    json_t *const file = json_array();
    json_t *const row = json_object();
    for (size_t i = 0; i < SPEAN_HSDS_ROWS_MAX + 1; i++) {
        assert_int_equal(json_array_append(file, row), 0);
    }
    assert_int_equal(spean_hsds_read(file, "en", NULL, NULL, NULL, &hsds), SPEAN_ELIMIT);
    assert_null(hsds.items);
    json_decref(row);
    json_decref(file);
}

static void parts_of_one_agency_have_a_limit(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    json_t *const file = json_pack("[{s:s,s:s,s:[]}]", "id", "1", "name", "n", "phones");
    json_t *const phones = json_object_get(json_array_get(file, 0), "phones");
    for (int i = 0; i < (int)SPEAN_HSDS_PARTS_MAX + 1; i++) {
        char number[16];
        (void)snprintf(number, sizeof(number), "+855%d", 10000 + i);
        assert_int_equal(json_array_append_new(phones, json_pack("{s:s}", "number", number)), 0);
    }
    assert_int_equal(spean_hsds_read(file, "en", NULL, NULL, NULL, &hsds), SPEAN_OK);
    const json_t *const add =
        json_object_get(json_object_get(json_array_get(hsds.items, 0), "edit"), "add");
    assert_int_equal(json_array_size(json_object_get(add, "phones")), SPEAN_HSDS_PARTS_MAX);
    assert_int_equal(json_array_size(hsds.errors), 1);
    spean_hsds_fini(&hsds);
    json_decref(file);
}

/* Known keys, each with a value of another type, put where the published form has them. */
static const struct {
    const char *key;   /* In an organization, or below one. */
    const char *json;  /* What stands there instead. */
    const char *place; /* Where the error points. */
} misfits[] = {
    {"alternate_name", "7", ".alternate_name"},
    {"description", "[]", ".description"},
    {"email", "{}", ".email"},
    {"website", "true", ".website"},
    {"tax_id", "12345", ".tax_id"},
    {"locations", "{}", ".locations"},
    {"locations", "[1]", ".locations[0]"},
    {"locations", "[{\"addresses\":\"here\"}]", ".locations[0].addresses"},
    {"locations", "[{\"addresses\":[{\"city\":5}]}]", ".locations[0].addresses[0].city"},
    {"locations", "[{\"languages\":[\"km\"]}]", ".locations[0].languages[0]"},
    {"locations", "[{\"schedules\":[{\"byday\":1}]}]", ".locations[0].schedules[0].byday"},
    {"organization_identifiers", "\"x\"", ".organization_identifiers"},
    {"organization_identifiers", "[{\"identifier\":12}]",
     ".organization_identifiers[0].identifier"},
    {"phones", "\"012\"", ".phones"},
    {"phones", "[\"012 345\"]", ".phones[0]"},
    {"phones", "[{\"number\":12345}]", ".phones[0].number"},
    {"phones", "[{\"number\":\"12345\",\"type\":1}]", ".phones[0].type"},
    {"phones",
     "[{\"number\":\"12345\",\"type\":"
     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}]",
     ".phones[0].type"},
    {"phones", "[{\"number\":\"12345\",\"extension\":1.5}]", ".phones[0].extension"},
    {"phones", "[{\"number\":\"12345\",\"languages\":[{\"code\":1}]}]",
     ".phones[0].languages[0].code"},
    {"contacts", "[{\"email\":1}]", ".contacts[0].email"},
    {"contacts", "[null, {\"phones\":1}]", ".contacts[1].phones"},
    {"services", "[[]]", ".services[0]"},
    {"services", "[{\"name\":1}]", ".services[0].name"},
    {"services", "[{\"name\":\"s\",\"fees\":100}]", ".services[0].fees"},
    {"services", "[{\"name\":\"s\",\"service_areas\":[{\"name\":1}]}]",
     ".services[0].service_areas[0].name"},
    {"services", "[{\"name\":\"s\",\"service_at_locations\":[{\"location\":1}]}]",
     ".services[0].service_at_locations[0].location"},
    {"attributes", "[{\"taxonomy_term\":\"ngo\"}]", ".attributes[0].taxonomy_term"},
};

static void a_known_field_of_another_type_is_told_with_its_place_and_the_rest_goes_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
        char text[512];
        char place[128];
        struct spean_hsds hsds;
        (void)snprintf(text, sizeof(text), "[{\"id\":\"u-1\",\"name\":\"N\",\"%s\":%s}]",
                       misfits[i].key, misfits[i].json);
        (void)snprintf(place, sizeof(place), "$[0]%s", misfits[i].place);
        read_text(text, &hsds);
        assert_int_equal(json_array_size(hsds.items), 1);
        assert_int_equal(hsds.failed, 0);
        assert_int_equal(json_array_size(hsds.errors), 1);
        assert_string_equal(error_place(&hsds, 0), place);
        spean_hsds_fini(&hsds);
    }
}

static void
a_row_whose_name_or_organization_is_of_another_type_fails_and_the_next_goes_in(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        const char *place;
    } rows[] = {
        {"{\"id\":\"u\",\"name\":7}", "$[0].name"},
        {"{\"id\":7,\"name\":\"N\"}", "$[0].id"},
        {"{\"id\":\"s\",\"name\":\"N\",\"organization\":\"o\"}", "$[0].organization"},
        {"{\"id\":\"s\",\"service\":[]}", "$[0].service"},
        {"{\"id\":\"s\",\"service\":{\"organization\":1}}", "$[0].service.organization"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        struct spean_hsds hsds;
        (void)snprintf(text, sizeof(text), "[%s,{\"id\":\"u-2\",\"name\":\"good\"}]", rows[i].row);
        read_text(text, &hsds);
        assert_int_equal(json_array_size(hsds.items), 1);
        assert_int_equal(hsds.failed, 1);
        assert_int_equal(json_array_size(hsds.errors), 1);
        assert_string_equal(error_place(&hsds, 0), rows[i].place);
        assert_non_null(strstr(error_reason(&hsds, 0), "it is left out"));
        spean_hsds_fini(&hsds);
    }
}

static void the_reason_of_a_row_that_fails_says_that_the_organization_is_left_out(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text("[{\"id\":7,\"name\":\"N\"},{\"id\":\"u\",\"name\":7}]", &hsds);
    assert_int_equal(json_array_size(hsds.errors), 2);
    assert_non_null(strstr(error_reason(&hsds, 0), "an organization needs an identifier"));
    assert_non_null(strstr(error_reason(&hsds, 1), "an organization needs a name"));
    spean_hsds_fini(&hsds);
}

static void null_says_nothing_and_is_no_error(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text("{\"id\":\"u\",\"name\":\"N\",\"email\":null,\"phones\":null,\"locations\":null,"
              "\"logo\":null}",
              &hsds);
    assert_int_equal(json_array_size(hsds.items), 1);
    assert_int_equal(json_array_size(hsds.errors), 0);
    assert_int_equal(json_object_size(hsds.left), 0);
    spean_hsds_fini(&hsds);
}

static void an_extension_written_as_text_is_kept_as_it_is(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text("{\"id\":\"u\",\"name\":\"N\",\"phones\":[{\"number\":\"12345\","
              "\"extension\":\"007\"}]}",
              &hsds);
    assert_items(&hsds, "[{\"place\":\"$\",\"match\":{\"scheme\":\"hsds\",\"value\":\"u\"},"
                        "\"edit\":{\"set\":{\"names\":{\"km\":\"N\"}},\"add\":{\"identifiers\":"
                        "[{\"scheme\":\"hsds\",\"value\":\"u\"}],"
                        "\"phones\":[{\"number\":\"12345\",\"extension\":\"007\"}]}}}]");
    assert_int_equal(json_array_size(hsds.errors), 0);
    spean_hsds_fini(&hsds);
}

/* Rows of CSV come from several files, and bring their places along. */
static void what_is_wrong_in_a_row_of_another_file_is_told_with_that_files_place(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text("[{\"_place\":\"organizations.csv, line 2\",\"id\":\"u\",\"name\":\"N\",\"email\":1,"
              "\"phones\":[{\"_place\":\"phones.csv, line 7\",\"number\":\"x\"}]}]",
              &hsds);
    assert_int_equal(json_array_size(hsds.errors), 2);
    assert_string_equal(error_place(&hsds, 0), "organizations.csv, line 2.email");
    assert_string_equal(error_place(&hsds, 1), "phones.csv, line 7.number");
    spean_hsds_fini(&hsds);
}

static void
a_language_without_a_code_is_told_and_so_is_what_schedules_and_areas_have_more(void **state)
{
    (void)state;
    struct spean_hsds hsds;
    read_text(
        "{\"id\":\"u\",\"name\":\"N\",\"services\":[{\"id\":\"s\",\"name\":\"S\","
        "\"languages\":[{\"id\":\"1\",\"name\":\"Khmer\"},{\"code\":\"vi\",\"name\":\"x\"}],"
        "\"schedules\":[{\"service_id\":\"s\",\"notes\":\"closed at noon\",\"freq\":null}]}]}",
        &hsds);
    assert_int_equal(json_array_size(hsds.errors), 1);
    assert_string_equal(error_place(&hsds, 0), "$.services[0].languages[0].code");
    assert_int_equal(json_object_size(hsds.left), 1);
    assert_int_equal(json_integer_value(json_object_get(hsds.left, "schedule.notes")), 1);
    spean_hsds_fini(&hsds);
}

/* Terms of other taxonomies mean what members said, else they are counted. */
static void terms_mean_what_a_list_or_a_member_says_and_others_are_told(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\":\"u\",\"name\":\"N\",\"services\":["
        "{\"id\":\"1\",\"name\":\"A\",\"attributes\":[{\"taxonomy_term\":{\"code\":\"FT-3000\","
        "\"taxonomy\":\"AIRS\"}}]},"
        "{\"id\":\"2\",\"name\":\"B\",\"attributes\":[{\"taxonomy_term\":{\"code\":\"x1\",\"name\":"
        "\"Safe shelter\"}},{\"taxonomy_term\":{\"code\":\"BH-1800\",\"taxonomy\":\"AIRS\"}}]},"
        "{\"id\":\"3\",\"name\":\"C\",\"attributes\":[{\"taxonomy_term\":{\"code\":\"pp:ours\","
        "\"taxonomy\":\"service\"}}]}]}";
    struct spean_codewords words;
    struct spean_hsds hsds;
    json_t *const row =
        json_pack("{s:s,s:s,s:s,s:s,s:[{s:s,s:s}]}", "list", "service", "code", "legal", "id", "1",
                  "standing", "published", "mappings", "scheme", "AIRS", "value", "FT-3000");
    json_t *const file = json_loads(text, 0, NULL);
    assert_int_equal(spean_codewords_init(&words), SPEAN_OK);
    assert_int_equal(spean_codewords_add(&words, row), SPEAN_OK);
    assert_int_equal(spean_hsds_read(file, "km", NULL, NULL, &words, &hsds), SPEAN_OK);
    const json_t *const services = json_object_get(
        json_object_get(json_object_get(json_array_get(hsds.items, 0), "edit"), "add"), "services");
    static const char *const codes[] = {"legal", "shelter", "pp:ours"};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_string_equal(json_string_value(json_object_get(json_array_get(services, i), "code")),
                            codes[i]);
    }
    assert_int_equal(json_object_size(hsds.left), 1);
    assert_int_equal(
        json_integer_value(json_object_get(hsds.left, "attribute.taxonomy_term BH-1800")), 1);
    assert_int_equal(json_object_size(words.unknown), 1);
    spean_hsds_fini(&hsds);
    spean_codewords_fini(&words);
    json_decref(row);
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_organization_becomes_an_edit_found_by_its_identifier),
        cmocka_unit_test(without_an_identifier_the_id_is_one),
        cmocka_unit_test(services_locations_and_hours_are_taken),
        cmocka_unit_test(a_service_brings_its_organization_along),
        cmocka_unit_test(a_wrong_row_is_told_with_its_place_and_stops_no_other),
        cmocka_unit_test(a_wrong_part_is_left_out_and_the_rest_goes_in),
        cmocka_unit_test(what_has_no_field_is_counted_by_name),
        cmocka_unit_test(a_kind_and_country_stand_in_only_where_there_is_none),
        cmocka_unit_test(more_rows_than_the_limit_are_refused),
        cmocka_unit_test(parts_of_one_agency_have_a_limit),
        cmocka_unit_test(a_known_field_of_another_type_is_told_with_its_place_and_the_rest_goes_in),
        cmocka_unit_test(
            a_row_whose_name_or_organization_is_of_another_type_fails_and_the_next_goes_in),
        cmocka_unit_test(null_says_nothing_and_is_no_error),
        cmocka_unit_test(the_reason_of_a_row_that_fails_says_that_the_organization_is_left_out),
        cmocka_unit_test(an_extension_written_as_text_is_kept_as_it_is),
        cmocka_unit_test(terms_mean_what_a_list_or_a_member_says_and_others_are_told),
        cmocka_unit_test(what_is_wrong_in_a_row_of_another_file_is_told_with_that_files_place),
        cmocka_unit_test(
            a_language_without_a_code_is_told_and_so_is_what_schedules_and_areas_have_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
