#include "tools/htcds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/schemakit.h"
#include "tools/htcds_words.h"

#define APOSTROPHE 0x27
#define QUOTE      0x22

/* Parse JSON written with apostrophes for quotes. */
static json_t *parse(const char *text)
{
    char *const quoted = strdup(text);
    assert_non_null(quoted);
    for (char *c = quoted; *c != '\0'; c++) {
        *c = *c == APOSTROPHE ? QUOTE : *c;
    }
    json_error_t error;
    json_t *const value = json_loads(quoted, 0, &error);
    if (value == NULL) {
        fail_msg("%s: %s", error.text, quoted);
    }
    free(quoted);
    return value;
}

/* Say what a row asks of a record (NULL: a new one), in the language km. */
static void assert_asks(const char *row_text, const char *record_text, const char *edit_text)
{
    json_t *const row = parse(row_text);
    json_t *const record = record_text == NULL ? NULL : parse(record_text);
    json_t *const expected = parse(edit_text);
    struct spean_htcds_why why;
    json_t *edit = NULL;
    assert_int_equal(spean_htcds_edit(row, record, "km", NULL, &edit, &why), SPEAN_OK);
    if (!json_equal(edit, expected)) {
        char *const text = json_dumps(edit, JSON_SORT_KEYS);
        fail_msg("%s asks for %s", row_text, text);
    }
    const bool all_known = strstr(edit_text, "htcds:") == NULL;
    if (record == NULL && all_known && json_object_size(edit) > 0) {
        assert_edit_fits(SPEAN_TYPE_CASE, edit);
    }
    json_decref(row);
    json_decref(record);
    json_decref(expected);
    json_decref(edit);
}

static void assert_refuses(const char *row_text, const char *lang, const char *column)
{
    json_t *const row = parse(row_text);
    struct spean_htcds_why why;
    json_t *edit = NULL;
    assert_int_equal(spean_htcds_edit(row, NULL, lang, NULL, &edit, &why), SPEAN_EINPUT);
    assert_string_equal(why.column, column);
    assert_true(strlen(why.text) > 0);
    assert_null(edit);
    json_decref(row);
}

static void a_row_becomes_a_new_case(void **state)
{
    (void)state;
    assert_asks("{'prs_FirstName':'Sokha','prs_MiddleName':'Rith','prs_SecondName':'Chan'}", NULL,
                "{'add':{'names':[{'script':'latn','given':'Sokha Rith','family':'Chan'}]}}");
    assert_asks("{'prs_Birthdate':'1990-03','prs_Gender':'Feminine','cas_Status':'Follow Up'}",
                NULL, "{'set':{'birth_date':'1990-03','gender':'female','status':'follow_up'}}");
    assert_asks("{'prs_PrimaryLanguage':'km','prs_Citizenship':'VN; KH'}", NULL,
                "{'add':{'languages':[{'code':'km','speaks':true}],'citizenship':['VN','KH']}}");
    assert_asks("{'prs_MobilePhone':'012','prs_MailingStreet':'1','prs_MailingPostalCode':'2'}",
                NULL,
                "{'append':{'contacts':[{'channel':'phone','value':'012'},"
                "{'channel':'post','value':'1, 2'}]}}");
    assert_asks("{'prs_MailingCity':'Kratie','prs_MailingCountry':'KH'}", NULL,
                "{'set':{'place':{'name':'Kratie','country':'KH','code':''}}}");
    assert_asks("{'vic_TraffickingStatus':'Possible victim of trafficking',"
                "'vic_TraffickingStatusDecisionMakingOrg':'NGO'}",
                NULL,
                "{'set':{'trafficking_status':{'status':'possible','decided_by_kind':'ngo'}}}");
    assert_asks("{'hte_Description':'x'}", NULL, "{'set':{'narrative':{'km':'x'}}}");
}

static void countries_may_be_written_by_name_and_places_by_code(void **state)
{
    (void)state;
    assert_asks("{'prs_Citizenship':'Cambodia; Viet Nam'}", NULL,
                "{'add':{'citizenship':['KH','VN']}}");
    assert_asks("{'prs_MailingCountry':'Cambodia','spean_PlaceCode':'0201'}", NULL,
                "{'set':{'place':{'name':'','country':'KH','code':'0201'}}}");
}

static void dates_with_the_year_first_are_read_however_a_spreadsheet_writes_them(void **state)
{
    (void)state;
    static const char *const dates[] = {"1990/2/3", "1990-2-3", "1990.02.3", "1990-02-03"};
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        char row[64];
        (void)snprintf(row, sizeof(row), "{'prs_Birthdate':'%s'}", dates[i]);
        assert_asks(row, NULL, "{'set':{'birth_date':'1990-02-03'}}");
    }
    assert_asks("{'prs_Birthdate':'1990/11'}", NULL, "{'set':{'birth_date':'1990-11'}}");
}

static void other_is_told_apart_by_its_column_and_comes_back(void **state)
{
    (void)state;
    assert_asks("{'vic_MethodsOfControl':'Other;DebtBondage','vic_TypeOfExploitation':'other'}",
                NULL,
                "{'add':{'issues':['htcds:other_exploitation','htcds:other_control','debt']}}");
    const char *const record =
        "{'id':'7','fields':{'issues':['htcds:other_control','htcds:other_exploitation','debt']}}";
    assert_asks("{'vic_MethodsOfControl':'Other;DebtBondage','vic_TypeOfExploitation':'Other'}",
                record, "{}");
    assert_asks("{'vic_MethodsOfControl':'DebtBondage'}", record,
                "{'remove':{'issues':['htcds:other_control']}}");
}

static void what_is_empty_or_absent_asks_for_nothing(void **state)
{
    (void)state;
    assert_asks("{}", NULL, "{}");
    assert_asks("{'prs_FirstName':'','prs_Gender':'','vic_MethodsOfControl':'','spean_ID':'7'}",
                NULL, "{}");
    assert_asks("{'no_column':'x','prs_Gender':7}", NULL, "{}");
}

static void words_are_codes_labels_or_our_own_codes(void **state)
{
    (void)state;
    static const char *const words[] = {"NonSpecifiedUnknown", "Not Specified/Unknown",
                                        "not_stated", "Not Specified/Unknown\u00a0"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char row[128];
        (void)snprintf(row, sizeof(row), "{'prs_Gender':'%s'}", words[i]);
        assert_asks(row, NULL, "{'set':{'gender':'not_stated'}}");
    }
    char code[SPEAN_CODE_BYTES_MAX + 1];
    assert_true(spean_htcds_code_read(NULL, "case_status", "open", code));
    assert_string_equal(code, "active");
    assert_true(spean_htcds_code_read(NULL, "gender", "a_local_code", code)); /* Kept as it is. */
    assert_string_equal(code, "a_local_code");
    assert_false(spean_htcds_code_read(NULL, "gender", "Man?", code));
}

static void methods_of_control_become_issues_and_come_back(void **state)
{
    (void)state;
    for (const char *const *word = spean_htcds_methods; *word != NULL; word++) {
        char code[SPEAN_CODE_BYTES_MAX + 1];
        char back[SPEAN_CODEWORDS_TERM_BYTES];
        spean_htcds_issue_read(NULL, *word, code);
        assert_true(spean_codes_valid((struct spean_view){(const uint8_t *)code, strlen(code)}));
        assert_true(spean_htcds_issue_show(NULL, code, back));
        assert_string_equal(back, *word);
    }
    assert_asks("{'vic_MethodsOfControl':'Threats of law enforcement;DebtBondage TakesEarnings'}",
                NULL, "{'add':{'issues':['htcds:threats_law_enforcement','debt','unpaid_wages']}}");
    /* Our own column says it more exactly already. */
    assert_asks("{'vic_MethodsOfControl':'DebtBondage','spean_Issues':'recruitment_fee'}", NULL,
                "{'add':{'issues':['recruitment_fee']}}");
}

static void cells_that_are_wrong_are_named(void **state)
{
    (void)state;
    assert_refuses("{'prs_Birthdate':'28/02/1990'}", "km", "prs_Birthdate");
    static const char *const dates[] = {"2/3/1990",   "33000",      "1990-",
                                        "1990-02-",   "1990/02-03", "1990-002",
                                        "1990-2-3-4", "199-2-3",    "1990 2 3"};
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        char row[64];
        (void)snprintf(row, sizeof(row), "{'prs_Birthdate':'%s'}", dates[i]);
        assert_refuses(row, "km", "prs_Birthdate");
    }
    assert_refuses("{'prs_Gender':'Who?'}", "km", "prs_Gender");
    assert_refuses("{'prs_Citizenship':'KH;Vietnamia'}", "km", "prs_Citizenship");
    assert_refuses("{'prs_PrimaryLanguage':'English'}", "km", "prs_PrimaryLanguage");
    assert_refuses("{'prs_MailingCountry':'Cambo'}", "km", "prs_MailingCountry");
    assert_refuses("{'vic_MethodsOfControl':'DebtBondage;Hypnosis'}", "km", "vic_MethodsOfControl");
    assert_refuses("{'hte_Description':'x'}", NULL, "hte_Description");
}

#define RECORD                                                                                     \
    "{'id':'77','fields':{'gender':'female','names':[{'script':'khmr','full':'k'},{'script':"      \
    "'latn','given':'A','family':'B'}],'languages':[{'code':'km','reads':true}],"                  \
    "'issues':['recruitment_fee','debt','trafficking'],'citizenship':['KH','VN'],"                 \
    "'contacts':[{'name':'1-1-0','struck':true,'item':{'channel':'phone','value':'0'}},"           \
    "{'name':'1-1-1','struck':false,'item':{'channel':'phone','value':'1','ask_for':'x'}}],"       \
    "'narrative':{'vi':'v'},'place':{'country':'KH','code':'12','name':'Kratie'}}}"

static void a_row_that_is_shown_asks_for_nothing(void **state)
{
    (void)state;
    json_t *const record = parse(RECORD);
    json_t *const row = spean_htcds_show(record, "km", NULL);
    struct spean_htcds_why why;
    json_t *edit = NULL;
    assert_string_equal(json_string_value(json_object_get(row, "prs_FirstName")), "A");
    assert_string_equal(json_string_value(json_object_get(row, "spean_FullNameOther")), "k");
    assert_string_equal(json_string_value(json_object_get(row, "prs_MobilePhone")), "1");
    assert_string_equal(json_string_value(json_object_get(row, "vic_MethodsOfControl")),
                        "DebtBondage");
    assert_int_equal(json_object_size(row), spean_htcds_columns_count());
    assert_int_equal(spean_htcds_edit(row, record, "km", NULL, &edit, &why), SPEAN_OK);
    assert_int_equal(json_object_size(edit), 0);
    json_decref(edit);
    json_decref(row);
    json_decref(record);
}

static void a_cell_that_differs_changes_what_it_shows(void **state)
{
    (void)state;
    assert_asks("{'prs_Gender':''}", RECORD, "{'set':{'gender':null}}");
    assert_asks("{'prs_FirstName':'C'}", RECORD,
                "{'remove':{'names':[{'script':'latn','given':'A','family':'B'}]},"
                "'add':{'names':[{'script':'latn','given':'C','family':'B'}]}}");
    assert_asks("{'prs_PrimaryLanguage':'vi'}", RECORD,
                "{'remove':{'languages':[{'code':'km','reads':true}]},"
                "'add':{'languages':[{'code':'vi','reads':true}]}}");
    assert_asks("{'prs_MobilePhone':'2'}", RECORD,
                "{'strike':{'contacts':['1-1-1']},"
                "'append':{'contacts':[{'channel':'phone','value':'2','ask_for':'x'}]}}");
    assert_asks("{'prs_Citizenship':'VN;JP'}", RECORD,
                "{'add':{'citizenship':['JP']},'remove':{'citizenship':['KH']}}");
    assert_asks("{'vic_MethodsOfControl':''}", RECORD,
                "{'remove':{'issues':['recruitment_fee','debt']}}");
    assert_asks("{'hte_Description':'w'}", RECORD, "{'set':{'narrative':{'vi':'w'}}}");
    assert_asks("{'prs_MailingCity':'Siem Reap'}", RECORD,
                "{'set':{'place':{'country':'KH','code':'12','name':'Siem Reap'}}}");
}

static void headings_are_found_by_name_by_label_and_as_forms_write_them(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"prs_FirstName", "prs_FirstName"},
        {"prs_First_Name", "prs_FirstName"},
        {"First Name", "prs_FirstName"},
        {"vic_Methods_of_Control", "vic_MethodsOfControl"},
        {"vic_TraffickinStatusDecisionMakingOrg", "vic_TraffickingStatusDecisionMakingOrg"},
        {"Mailing Zip/Postal Code", "prs_MailingPostalCode"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_string_equal(spean_htcds_column_find(pairs[i][0]), pairs[i][1]);
    }
    assert_null(spean_htcds_column_find("prs_Salutation"));
    assert_null(spean_htcds_column_find(""));
    assert_true(spean_htcds_is_label("First Name"));
    assert_false(spean_htcds_is_label("prs_FirstName"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_becomes_a_new_case),
        cmocka_unit_test(countries_may_be_written_by_name_and_places_by_code),
        cmocka_unit_test(dates_with_the_year_first_are_read_however_a_spreadsheet_writes_them),
        cmocka_unit_test(other_is_told_apart_by_its_column_and_comes_back),
        cmocka_unit_test(what_is_empty_or_absent_asks_for_nothing),
        cmocka_unit_test(words_are_codes_labels_or_our_own_codes),
        cmocka_unit_test(methods_of_control_become_issues_and_come_back),
        cmocka_unit_test(cells_that_are_wrong_are_named),
        cmocka_unit_test(a_row_that_is_shown_asks_for_nothing),
        cmocka_unit_test(a_cell_that_differs_changes_what_it_shows),
        cmocka_unit_test(headings_are_found_by_name_by_label_and_as_forms_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
