#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/codes.h"

static struct spean_view view(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

static void every_row_has_a_list_a_valid_code_and_an_english_label(void **state)
{
    (void)state;
    size_t count = 0;
    const struct spean_code *rows = spean_codes_all(&count);

    assert_true(count > 100);
    for (size_t i = 0; i < count; i++) {
        assert_true(spean_codes_valid(view(rows[i].list)));
        assert_true(spean_codes_valid(view(rows[i].code)));
        assert_true(rows[i].label_en[0] != '\0');
        assert_non_null(rows[i].label_ja);
        assert_non_null(rows[i].maps_to);
    }
}

static void no_code_is_in_a_list_twice_and_no_list_is_torn_apart(void **state)
{
    (void)state;
    size_t count = 0;
    const struct spean_code *rows = spean_codes_all(&count);

    for (size_t i = 0; i < count; i++) {
        /* The first row that matches is this very one, also if its list began again later. */
        assert_ptr_equal(spean_codes_find(rows[i].list, view(rows[i].code)), &rows[i]);
    }
}

static void labels_and_mappings_are_those_of_the_table(void **state)
{
    (void)state;
    const struct spean_code *row = spean_codes_find("agency_kind", view("otit"));

    assert_non_null(row);
    assert_string_equal(row->label_en, "Organisation for Technical Intern Training");
    assert_string_equal(row->label_ja, "外国人技能実習機構");
    assert_string_equal(row->maps_to, "HTCDS CentralGovernmentOrganisation");

    /* Semicolons and brackets are text here, whatever they mean to the build. */
    row = spean_codes_find("service", view("legal"));
    assert_non_null(row);
    assert_string_equal(
        row->maps_to,
        "HTCDS spl_Type=Legal; IASC Legal Assistance; Primero legal_assistance_service");
}

static void a_list_gives_its_rows_in_order(void **state)
{
    (void)state;
    size_t count = 0;
    const struct spean_code *rows = spean_codes_list("urgency", &count);

    assert_int_equal(count, 3);
    assert_string_equal(rows[0].code, "emergency");
    assert_string_equal(rows[1].code, "urgent");
    assert_string_equal(rows[2].code, "normal");
}

static void unknown_lists_and_codes_are_told_apart_from_known_ones(void **state)
{
    (void)state;
    size_t count = 1;

    assert_null(spean_codes_list("urgenc", &count));
    assert_int_equal(count, 0);
    assert_null(spean_codes_list("", &count));
    assert_null(spean_codes_find("urgency", view("emergenc")));
    assert_null(spean_codes_find("urgency", view("emergencyy")));
    assert_null(spean_codes_find("urgency", (struct spean_view){NULL, 0}));
    assert_null(spean_codes_find("no_such_list", view("normal")));
    assert_null(spean_codes_find("outcome", view("normal"))); /* A code of another list. */
}

static void codes_with_other_bytes_or_lengths_are_refused(void **state)
{
    (void)state;
    char longest[SPEAN_CODE_BYTES_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[SPEAN_CODE_BYTES_MAX + 1] = '\0';

    assert_true(spean_codes_valid(view("az09_.:-")));
    assert_false(spean_codes_valid(view(longest)));
    longest[SPEAN_CODE_BYTES_MAX] = '\0';
    assert_true(spean_codes_valid(view(longest)));
    assert_false(spean_codes_valid(view("")));
    assert_false(spean_codes_valid(view("A")));
    assert_false(spean_codes_valid(view("a b")));
    assert_false(spean_codes_valid(view("é")));
    assert_false(spean_codes_valid(view("a/b")));
    assert_false(spean_codes_valid(view("@")));
    assert_false(spean_codes_valid(view("{")));
    assert_false(spean_codes_valid(view("`")));
}

/* The lists that the project was given may grow here, but none of their codes goes missing. */
static void the_given_lists_are_all_here(void **state)
{
    (void)state;
    FILE *file = fopen("../shared/codes/codelists.csv", "r");
    if (file == NULL) {
        skip();
    }
    char line[1024];
    assert_non_null(fgets(line, sizeof(line), file)); /* The names of the columns. */
    size_t rows = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char *code = strchr(line, ',');
        assert_non_null(code);
        *code++ = '\0';
        char *label = strchr(code, ',');
        assert_non_null(label);
        *label++ = '\0';
        label[strcspn(label, ",")] = '\0';
        const struct spean_code *row = spean_codes_find(line, view(code));
        assert_non_null(row);
        assert_string_equal(row->label_en, label);
        rows++;
    }
    assert_int_equal(fclose(file), 0);
    assert_true(rows > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_a_list_a_valid_code_and_an_english_label),
        cmocka_unit_test(no_code_is_in_a_list_twice_and_no_list_is_torn_apart),
        cmocka_unit_test(labels_and_mappings_are_those_of_the_table),
        cmocka_unit_test(a_list_gives_its_rows_in_order),
        cmocka_unit_test(unknown_lists_and_codes_are_told_apart_from_known_ones),
        cmocka_unit_test(codes_with_other_bytes_or_lengths_are_refused),
        cmocka_unit_test(the_given_lists_are_all_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
