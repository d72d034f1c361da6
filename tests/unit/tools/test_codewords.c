/* What words of other systems mean: by the program's table, and by what members added. */
#include "tools/codewords.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct spean_codewords words;

static int words_make(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"list\":\"gender\",\"code\":\"female\",\"standing\":\"published\",\"id\":\"1\","
        "\"labels\":{\"en\":\"Female\",\"km\":\"ស្រី\"},"
        "\"mappings\":[{\"scheme\":\"Old office\",\"value\":\"F\"}]}",
        "{\"list\":\"gender\",\"code\":\"pp:wanita\",\"standing\":\"local\",\"id\":\"2\","
        "\"labels\":{\"id\":\"Wanita\"},\"mapped_to\":\"female\"}",
        "{\"list\":\"gender\",\"code\":\"pp:waria\",\"standing\":\"local\",\"id\":\"3\","
        "\"labels\":{\"id\":\"Waria\"},\"mappings\":[{\"scheme\":\"HTCDS\",\"value\":\"Male\"},"
        "{\"scheme\":\"HTCDS\",\"value\":\"Waria\"}]}",
        "{\"list\":\"gender\",\"code\":\"male\",\"standing\":\"built_in\","
        "\"labels\":{\"en\":\"Not from a record\"}}",
        "{\"list\":\"issue\",\"code\":\"pp:threats\",\"standing\":\"published\",\"id\":\"4\","
        "\"mappings\":[{\"scheme\":\"HTCDS\",\"value\":\"PhysicalThreats\"},"
        "{\"scheme\":\"HTCDS\",\"value\":\"DebtBondage\"}]}",
    };
    assert_int_equal(spean_codewords_init(&words), SPEAN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *const row = json_loads(rows[i], JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(row);
        assert_int_equal(spean_codewords_add(&words, row), SPEAN_OK);
        json_decref(row);
    }
    return 0;
}

static int words_drop(void **state)
{
    (void)state;
    spean_codewords_fini(&words);
    return 0;
}

static void assert_means(const struct spean_codewords *in, const char *list, const char *text,
                         const char *code)
{
    char out[SPEAN_CODE_BYTES_MAX + 1] = "";
    const bool found = spean_codewords_find(in, list, text, out);
    if (code == NULL) {
        assert_false(found);
        return;
    }
    assert_true(found);
    assert_string_equal(out, code);
}

static void the_programs_table_has_codes_terms_and_labels(void **state)
{
    (void)state;
    assert_means(NULL, "gender", "female", "female");
    assert_means(NULL, "gender", "Feminine", "female");
    assert_means(NULL, "gender", "transgender  MALE\u00a0", "transgender_male");
    assert_means(NULL, "case_status", "Follow-up", "follow_up");
    assert_means(NULL, "agency_kind", "ブローカー", "sub_agent");
    assert_means(NULL, "gender", "wanita", NULL);
    assert_means(NULL, "no_list", "female", NULL);
    assert_means(NULL, "gender", "", NULL);
    assert_means(NULL, "gender", "?!", NULL); /* Nothing in it tells words apart. */
}

static void what_members_added_is_found_by_labels_terms_and_codes(void **state)
{
    (void)state;
    assert_means(&words, "gender", "ស្រី", "female");
    assert_means(&words, "gender", "f", "female");
    assert_means(&words, "gender", "Waria", "pp:waria");
    assert_means(&words, "gender", "pp:waria", "pp:waria");
    assert_means(&words, "scheme", "Waria", NULL); /* Another list. */
    assert_means(&words, "gender", "Not from a record", NULL);
}

static void a_code_that_is_mapped_stands_for_that_other_one(void **state)
{
    (void)state;
    assert_means(&words, "gender", "Wanita", "female");
    assert_means(&words, "gender", "pp:wanita", "female");
}

static void a_member_cannot_give_a_word_of_the_table_another_meaning_but_a_steward_can(void **state)
{
    (void)state;
    assert_means(&words, "gender", "Male", "male"); /* Not pp:waria. */
    assert_means(&words, "issue", "Debt bondage", "pp:threats");
    assert_means(NULL, "issue", "Debt bondage", "recruitment_fee");
}

static void a_word_in_no_list_is_kept_if_it_is_a_code_and_is_counted(void **state)
{
    (void)state;
    char out[SPEAN_CODE_BYTES_MAX + 1] = "";
    assert_true(spean_codewords_take(&words, "gender", "femail", out));
    assert_string_equal(out, "femail");
    assert_true(spean_codewords_take(&words, "gender", "femail", out));
    assert_true(spean_codewords_take(&words, "gender", "female", out));
    assert_true(spean_codewords_take(NULL, "gender", "femail", out)); /* Nobody asks. */
    assert_false(spean_codewords_take(&words, "gender", "Femail", out));
    assert_false(spean_codewords_take(&words, "gender", "", out));
    assert_int_equal(json_object_size(words.unknown), 1);
    assert_int_equal(json_integer_value(json_object_get(words.unknown, "gender femail")), 2);
}

static void terms_are_told_both_ways(void **state)
{
    (void)state;
    char term[SPEAN_CODEWORDS_TERM_BYTES] = "";
    char code[SPEAN_CODE_BYTES_MAX + 1] = "";
    assert_true(spean_codewords_term(NULL, "gender", "female", "HTCDS", term));
    assert_string_equal(term, "Feminine");
    assert_true(spean_codewords_term(&words, "gender", "pp:waria", "HTCDS", term));
    assert_string_equal(term, "Male");
    assert_false(spean_codewords_term(NULL, "gender", "pp:waria", "HTCDS", term));
    assert_false(spean_codewords_term(&words, "gender", "pp:waria", "HSDS", term));
    assert_true(spean_codewords_mapped(&words, "issue", "PhysicalThreats", "HTCDS", code));
    assert_string_equal(code, "pp:threats");
    assert_true(spean_codewords_mapped(&words, "issue", "DebtBondage", "HTCDS", code));
    assert_string_equal(code, "debt"); /* The table's narrowest. */
    assert_false(spean_codewords_mapped(&words, "issue", "PhysicalThreats", "HSDS", code));
}

int main(void)
{
#define TEST(F) cmocka_unit_test_setup_teardown(F, words_make, words_drop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_programs_table_has_codes_terms_and_labels),
        TEST(what_members_added_is_found_by_labels_terms_and_codes),
        TEST(a_code_that_is_mapped_stands_for_that_other_one),
        TEST(a_member_cannot_give_a_word_of_the_table_another_meaning_but_a_steward_can),
        TEST(a_word_in_no_list_is_kept_if_it_is_a_code_and_is_counted),
        TEST(terms_are_told_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
