#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "protocol/schema.h"
#include "tests/unit/tools/schemakit.h"
#include "tools/hsds.h"

#define MARKER "LEAKMARKER5736"
#define TOTAL  573607

static json_t *load(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "tools/demo/%s", name);
    json_t *const object = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    return object;
}

/* How often the marker of the leak check stands in a file. */
static size_t markers_count(const json_t *object)
{
    char *const text = json_dumps(object, JSON_COMPACT);
    size_t count = 0;
    for (const char *at = strstr(text, MARKER); at != NULL; at = strstr(at + 1, MARKER)) {
        count++;
    }
    free(text);
    return count;
}

static void the_case_fits_the_schema_and_its_costs_the_survey(void **state)
{
    (void)state;
    json_t *const edit = load("case.json");
    assert_edit_fits(SPEAN_TYPE_CASE, edit);
    const json_t *const costs = json_object_get(json_object_get(edit, "append"), "costs");
    json_int_t total = 0;
    for (size_t i = 0; i < json_array_size(costs); i++) {
        const json_t *const amount = json_object_get(json_array_get(costs, i), "amount");
        assert_string_equal(json_string_value(json_object_get(amount, "currency")), "JPY");
        total += json_integer_value(json_object_get(amount, "amount"));
    }
    assert_int_equal(total, TOTAL);
    assert_true(markers_count(edit) >= 3);
    json_decref(edit);
}

static void the_consent_fits_the_schema(void **state)
{
    (void)state;
    json_t *const edit = load("consent.json");
    assert_edit_fits(SPEAN_TYPE_CONSENT, edit);
    assert_true(markers_count(edit) >= 1);
    json_decref(edit);
}

static void the_referral_fits_the_schema_and_names_only_known_sections(void **state)
{
    (void)state;
    static const struct spean_schema_value section = {
        .type = SPEAN_VALUE_CODE, .array = true, .codes = "section"};
    static const char *const plain[] = {"urgency", "reason", "needs_interpreter", "worker_gender",
                                        "informed"};
    json_t *const draft = load("referral.json");
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        const struct spean_schema_field *const field =
            spean_schema_field_by_name(SPEAN_TYPE_REFERRAL, plain[i]);
        assert_non_null(field);
        assert_value_fits(&field->value, json_object_get(draft, plain[i]), plain[i]);
    }
    const struct spean_schema_field *const services =
        spean_schema_field_by_name(SPEAN_TYPE_REFERRAL, "services_requested");
    json_t *const asked = json_object_get(draft, "services");
    assert_true(json_array_size(asked) > 0);
    for (size_t i = 0; i < json_array_size(asked); i++) {
        assert_value_fits(&services->value, json_array_get(asked, i), "services");
    }
    assert_value_fits(&section, json_object_get(draft, "sections"), "sections");
    assert_true(markers_count(draft) >= 1);
    json_decref(draft);
}

static void agencies_in_four_languages_import_without_a_complaint(void **state)
{
    (void)state;
    static const char *const langs[] = {"km", "vi", "ja", "en"};
    for (size_t i = 0; i < sizeof(langs) / sizeof(langs[0]); i++) {
        char name[64];
        struct spean_hsds hsds;
        (void)snprintf(name, sizeof(name), "agencies-%s.json", langs[i]);
        json_t *const file = load(name);
        assert_int_equal(spean_hsds_read(file, langs[i], NULL, NULL, NULL, &hsds), SPEAN_OK);
        assert_true(json_array_size(hsds.items) >= 2);
        assert_int_equal(json_array_size(hsds.errors), 0);
        assert_int_equal(json_object_size(hsds.left), 0);
        assert_int_equal(markers_count(file), 0); /* They are public. */
        for (size_t k = 0; k < json_array_size(hsds.items); k++) {
            assert_edit_fits(SPEAN_TYPE_AGENCY,
                             json_object_get(json_array_get(hsds.items, k), "edit"));
        }
        spean_hsds_fini(&hsds);
        json_decref(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_case_fits_the_schema_and_its_costs_the_survey),
        cmocka_unit_test(the_consent_fits_the_schema),
        cmocka_unit_test(the_referral_fits_the_schema_and_names_only_known_sections),
        cmocka_unit_test(agencies_in_four_languages_import_without_a_complaint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
