#include "tools/countries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_country(const char *text, const char *code)
{
    const char *const found = spean_countries_find(text);
    if (code == NULL) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found, code);
}

static void a_code_is_itself_whether_or_not_it_is_given_out(void **state)
{
    (void)state;
    assert_country("KH", "KH");
    assert_country("XK", "XK");
    assert_country("kh", NULL);
    assert_country("KHM", NULL);
    assert_country("", NULL);
}

static void names_are_found_as_forms_and_other_systems_write_them(void **state)
{
    (void)state;
    assert_country("Cambodia", "KH");
    assert_country("vietnam", "VN");
    assert_country("Viet Nam", "VN");
    assert_country("Lao People's Democratic Republic\u00a0", "LA");
    assert_country("united_arab_emirates", "AE");
    assert_country("C\u00f4te d'Ivoire", "CI");
    assert_country("Cambodian", "KH");
    assert_country("Cambo", NULL);
    assert_country("Other", NULL);
}

/* Every choice of the official form, where it is there. */
static void every_country_of_the_official_form_is_known(void **state)
{
    (void)state;
    FILE *const file = fopen("../shared/data/htcds/derived_xlsform_choices.csv", "r");
    char line[256];
    size_t countries = 0;
    if (file == NULL) {
        skip();
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "citizenship,", 12) != 0) {
            continue;
        }
        char code[3] = {line[12], line[13], '\0'};
        char *const label = line + 15;
        label[strcspn(label, "\r\n")] = '\0';
        assert_country(label, code); /* Quotes around it are marks as others are. */
        countries++;
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(countries, 249);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_is_itself_whether_or_not_it_is_given_out),
        cmocka_unit_test(names_are_found_as_forms_and_other_systems_write_them),
        cmocka_unit_test(every_country_of_the_official_form_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
