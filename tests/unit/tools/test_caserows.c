/* Files of cases row by row: CSV and JSON with names of HTCDS, JSON as Primero and OSCaR give it.
 */
#include "tools/caserows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"
#include "tools/casekeys.h"

#define PATH_BYTES 192u
#define LONG_BYTES 512u

static char folder[PATH_BYTES];
static char path[PATH_BYTES + 32];

struct source {
    struct spean_caserows *rows;
    struct spean_caserow row;
    struct spean_problem problem;
};

static int folder_make(void **state)
{
    (void)state;
    scratch_make(folder, sizeof(folder));
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

/* -- Helpers --------------------------------------------------------------------------------- */

static enum spean_exit try_open(struct source *source, struct spean_caserows_options options,
                                const char *text)
{
    memset(source, 0, sizeof(*source));
    scratch_write(folder, "rows", text, path, sizeof(path));
    options.path = path;
    return spean_caserows_open(&options, &source->rows, &source->problem);
}

static void open_as(struct source *source, enum spean_caserows_format format, const char *text)
{
    const struct spean_caserows_options options = {.format = format};
    assert_int_equal(try_open(source, options, text), SPEAN_EXIT_DONE);
}

static void assert_no_open(struct spean_caserows_options options, const char *text,
                           const char *said)
{
    struct source source;
    assert_int_equal(try_open(&source, options, text), SPEAN_EXIT_USAGE);
    assert_null(source.rows);
    if (strstr(source.problem.message, said) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", source.problem.message, said);
    }
}

static bool next(struct source *source)
{
    bool more = false;
    assert_int_equal(spean_caserows_next(source->rows, &source->row, &more, &source->problem),
                     SPEAN_EXIT_DONE);
    return more;
}

static void done(struct source *source)
{
    assert_false(next(source));
    spean_caserows_free(source->rows);
}

static void assert_cell(const struct source *source, const char *column, const char *text)
{
    const json_t *const cell = json_object_get(source->row.cells, column);
    if (text == NULL) {
        assert_null(cell);
        return;
    }
    assert_non_null(cell);
    assert_string_equal(json_string_value(cell), text);
}

static void assert_left(const struct source *source, const char *name, json_int_t count)
{
    const json_t *const left = spean_caserows_left(source->rows);
    assert_int_equal(json_integer_value(json_object_get(left, name)), count);
}

/* -- CSV ------------------------------------------------------------------------------------- */

static void a_row_has_its_line_its_id_and_cells_by_their_columns(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_CSV,
            "prs_FirstName,_uuid,Shoe size\nSok,u-1,\n\"Da\nra\",u-2,41\nChan,,\n");
    assert_true(next(&source));
    assert_string_equal(source.row.place, "line 2");
    assert_string_equal(source.row.id, "u-1");
    assert_cell(&source, "prs_FirstName", "Sok");
    assert_null(source.row.error);
    assert_left(&source, "Shoe size", 0); /* Nothing is in it: nothing is lost. */
    assert_true(next(&source));
    assert_cell(&source, "prs_FirstName", "Da\nra");
    assert_left(&source, "Shoe size", 1);
    assert_true(next(&source));
    assert_string_equal(source.row.place, "line 5"); /* Of the file, not the third row. */
    assert_string_equal(source.row.id, "");
    done(&source);
}

static void groups_before_a_name_are_passed_over_and_single_choices_are_not_counted(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_CSV,
            "a/b/prs_Gender,a/prs_Citizenship,a/prs_Citizenship/KH\nfemale,KH,1\n");
    assert_true(next(&source));
    assert_cell(&source, "prs_Gender", "female");
    assert_int_equal(json_object_size(spean_caserows_left(source.rows)), 0);
    done(&source);
}

static void choices_that_stand_in_columns_of_their_own_alone_are_brought_together(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_CSV,
            "prs_FirstName,g/vic_Methods_of_Control/DebtBondage,"
            "Methods of Control/Threatens children/family\n"
            "A,1,1\nB,0,1\nC,0,0\nD,,\nE,1,perhaps\n");
    assert_true(next(&source));
    assert_cell(&source, "vic_MethodsOfControl", "DebtBondage;Threatens children/family");
    assert_true(next(&source));
    assert_cell(&source, "vic_MethodsOfControl", "Threatens children/family");
    assert_true(next(&source));
    assert_cell(&source, "vic_MethodsOfControl", ""); /* Answered: none of them. */
    assert_true(next(&source));
    assert_cell(&source, "vic_MethodsOfControl", NULL); /* Not answered. */
    assert_true(next(&source));
    assert_non_null(source.row.error);
    assert_int_equal(json_object_size(spean_caserows_left(source.rows)), 0);
    done(&source);
}

static void only_questions_with_several_answers_have_choices(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_CSV,
            "prs_FirstName,Title,Title/Held since,Email/Work\nSok,Cook,2020,x\n");
    assert_true(next(&source));
    assert_left(&source, "Title/Held since", 1);
    assert_left(&source, "Email/Work", 1);
    done(&source);
}

static void the_name_of_a_submission_that_stays_counts_before_those_that_change(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_CSV,
            "_uuid,prs_FirstName,meta/rootUuid,_id,_submission_time\n"
            "u-2,Sok,uuid:u-1,5,2026-11-22\nu-3,Dara,,6,2026-11-22\n");
    assert_true(next(&source));
    assert_string_equal(source.row.id, "u-1");
    assert_true(next(&source));
    assert_string_equal(source.row.id, "u-3");
    assert_int_equal(json_object_size(spean_caserows_left(source.rows)), 0);
    done(&source);
}

static void other_servers_join_groups_with_other_marks(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_CSV,
            "meta-instanceID,a-b-prs_Gender,c.prs_First_Name,Pre-Title,KEY\n"
            "uuid:i-1,female,Sok,x,uuid:i-1\n");
    assert_true(next(&source));
    assert_string_equal(source.row.id, "i-1");
    assert_cell(&source, "prs_Gender", "female");
    assert_cell(&source, "prs_FirstName", "Sok");
    assert_cell(&source, "prs_Title", NULL); /* A label behind a hyphen is part of another word. */
    assert_left(&source, "Pre-Title", 1);
    assert_int_equal(json_object_size(spean_caserows_left(source.rows)), 1);
    done(&source);
}

/* As GET /api/v2/assets/{uid}/data of KoBo answers. */
static void answers_of_a_form_are_understood_as_json(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_JSON,
            "{\"count\":2,\"next\":null,\"results\":[{\"_id\":71,\"formhub/uuid\":\"f\","
            "\"start\":\"2026-11-22T08:00:00.000+07:00\",\"person/prs_First_Name\":\"Sok\","
            "\"person/detail/vic_Methods_of_Control\":\"DebtBondage PhysicalThreats\","
            "\"__version__\":\"v1\",\"meta/instanceID\":\"uuid:u-2\",\"_uuid\":\"u-2\","
            "\"meta/rootUuid\":\"uuid:u-1\",\"_attachments\":[],\"_geolocation\":[null,null],"
            "\"_validation_status\":{},\"_notes\":[],\"_submitted_by\":null,"
            "\"_tags\":[\"seen\"]},"
            "{\"_uuid\":\"u-3\",\"a/prs_Gender\":\"Feminine\",\"b/prs_Gender\":\"Masculine\"}]}");
    assert_true(next(&source));
    assert_string_equal(source.row.id, "u-1");
    assert_cell(&source, "prs_FirstName", "Sok");
    assert_cell(&source, "vic_MethodsOfControl", "DebtBondage PhysicalThreats");
    assert_left(&source, "start", 1);
    assert_left(&source, "_tags", 1);
    assert_int_equal(json_object_size(spean_caserows_left(source.rows)), 2);
    assert_true(next(&source));
    assert_string_equal(source.row.id, "u-3");
    assert_non_null(source.row.error); /* Nobody knows which of the two is meant. */
    done(&source);
}

static void what_no_heading_or_no_field_takes_is_told(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_CSV, "prs_FirstName,\nSok,x\nDara,,\nChan,,y\n");
    assert_true(next(&source));
    assert_left(&source, "the column without a heading (number 2)", 1);
    assert_true(next(&source)); /* An empty cell too many is what spreadsheets write. */
    assert_null(source.row.error);
    assert_true(next(&source));
    assert_non_null(source.row.error);
    done(&source);
}

static void the_number_of_a_row_that_says_nothing_is_not_counted(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_CSV, ",prs_FirstName\n1,Sok\n2,\n3,\n");
    while (next(&source)) {
        assert_null(source.row.error);
    }
    assert_left(&source, "the column without a heading (number 1)", 1);
    spean_caserows_free(source.rows);
}

static void headings_that_cannot_be_used_are_refused(void **state)
{
    (void)state;
    const struct spean_caserows_options options = {.format = SPEAN_CASEROWS_CSV};
    const struct spean_caserows_options with_id = {.format = SPEAN_CASEROWS_CSV,
                                                   .id_column = "Number"};
    assert_no_open(options, "", "is empty");
    assert_no_open(options, "a,b,c\n1,2,3\n", "none of its columns is known");
    assert_no_open(options, "Status,Title\nx,y\n", "none of its columns is known");
    assert_no_open(options, "prs_Gender,x/prs_Gender\na,b\n", "1 and 2 are both");
    assert_no_open(with_id, "prs_FirstName\nSok\n", "has no column \"Number\"");
}

static void a_file_broken_in_its_last_row_is_refused_before_its_first(void **state)
{
    (void)state;
    const struct spean_caserows_options options = {.format = SPEAN_CASEROWS_CSV};
    assert_no_open(options, "prs_FirstName\nSok\n\"Dara\n", "never closed");
    assert_no_open(options, "prs_FirstName\nSok\n\"Dara\"x\n", "line 3");
    assert_no_open(options, "prs_FirstName\nSok\n\xff\n", "line 3");
}

static void a_name_of_192_bytes_spoils_its_row_alone(void **state)
{
    (void)state;
    struct source source;
    char text[LONG_BYTES];
    char longest[SPEAN_CASEROWS_ID_BYTES];
    memset(longest, 'n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    (void)snprintf(text, sizeof(text), "prs_FirstName,_uuid\nSok,%s\nDara,%sx\n", longest, longest);
    open_as(&source, SPEAN_CASEROWS_CSV, text);
    assert_true(next(&source));
    assert_null(source.row.error);
    assert_string_equal(source.row.id, longest);
    assert_true(next(&source));
    assert_non_null(source.row.error);
    assert_string_equal(source.row.id, ""); /* Not a part of it, which is somebody else's. */
    done(&source);
}

static void a_file_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct spean_caserows *rows = NULL;
    struct spean_problem problem = {.exit = SPEAN_EXIT_DONE};
    for (enum spean_caserows_format format = SPEAN_CASEROWS_CSV; format <= SPEAN_CASEROWS_OSCAR;
         format++) {
        const struct spean_caserows_options options = {.path = "/nowhere/rows", .format = format};
        assert_int_equal(spean_caserows_open(&options, &rows, &problem), SPEAN_EXIT_NOT_FOUND);
        assert_null(rows);
    }
}

/* -- JSON ------------------------------------------------------------------------------------ */

static void values_become_texts_and_what_cannot_is_told(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_JSON,
            "[{\"prs_FirstName\":\"Sok\",\"prs_IdentityNumber\":12,\"prs_Gender\":null,"
            "\"prs_Citizenship\":[\"KH\",\"VN\"],\"prs_Email\":{\"a\":1},\"prs_MobilePhone\":1.5,"
            "\"prs_MaritalStatus\":[\"a\",1],\"other\":true},7,{}]");
    assert_true(next(&source));
    assert_string_equal(source.row.place, "$[0]");
    assert_cell(&source, "prs_FirstName", "Sok");
    assert_cell(&source, "prs_IdentityNumber", "12");
    assert_cell(&source, "prs_Gender", NULL); /* null says nothing, not that there is nothing. */
    assert_cell(&source, "prs_Citizenship", "KH;VN");
    static const char *const left[] = {"prs_Email", "prs_MobilePhone", "prs_MaritalStatus",
                                       "other"};
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        assert_cell(&source, left[i], NULL);
        assert_left(&source, left[i], 1);
    }
    assert_true(next(&source));
    assert_string_equal(source.row.place, "$[1]");
    assert_non_null(source.row.error);
    assert_true(next(&source));
    assert_null(source.row.error);
    done(&source);
}

static void json_that_is_no_list_of_cases_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "{\"data\":{}}", "{\"other\":[]}"};
    for (enum spean_caserows_format format = SPEAN_CASEROWS_JSON; format <= SPEAN_CASEROWS_OSCAR;
         format++) {
        const struct spean_caserows_options options = {.format = format};
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            assert_no_open(options, texts[i], "no list of cases");
        }
        assert_no_open(options, "[{}", "line 1");
        assert_no_open(options, "[{\"id\":1,\"id\":2}]", "duplicate");
    }
}

static void answers_of_an_api_are_lists_within_an_object(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"data\":[{}]}", "{\"contents\":[{}]}", "{\"clients\":[{}],\"meta\":{}}",
        "{\"meta\":[],\"cases\":[{}]}", "{\"data\":{\"id\":\"1\"}}"}; /* One alone. */
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct source source;
        open_as(&source, SPEAN_CASEROWS_PRIMERO, texts[i]);
        assert_true(next(&source));
        done(&source);
    }
}

static void primero_and_oscar_have_names_of_their_own(void **state)
{
    (void)state;
    struct source source;
    open_as(&source, SPEAN_CASEROWS_PRIMERO,
            "[{\"id\":\"p-1\",\"name_first\":\"Sok\",\"name_last\":\"Dara\",\"sex\":\"female\","
            "\"date_of_birth\":\"2000-02-29\",\"given_name\":\"no\",\"owned_by\":\"somebody\"}]");
    assert_true(next(&source));
    assert_string_equal(source.row.id, "p-1");
    assert_cell(&source, "prs_FirstName", "Sok");
    assert_cell(&source, "prs_SecondName", "Dara");
    assert_cell(&source, "prs_Gender", "female");
    assert_cell(&source, "prs_Birthdate", "2000-02-29");
    assert_left(&source, "given_name", 1);
    assert_left(&source, "owned_by", 1);
    assert_int_equal(json_object_size(spean_caserows_left(source.rows)), 2);
    done(&source);
    open_as(&source, SPEAN_CASEROWS_OSCAR,
            "[{\"global_id\":\"o-1\",\"given_name\":\"Sok\",\"client_phone\":\"012\",\"id\":5}]");
    assert_true(next(&source));
    assert_string_equal(source.row.id, "o-1");
    assert_cell(&source, "prs_FirstName", "Sok");
    assert_cell(&source, "prs_MobilePhone", "012");
    assert_left(&source, "id", 1); /* It counts within one database of OSCaR: no name of a case. */
    done(&source);
}

/* Keys of an object have no order, and the id decides which case a row is. */
static void the_id_does_not_depend_on_the_order_of_keys(void **state)
{
    (void)state;
    static const char *const texts[] = {"[{\"id\":\"p-1\",\"case_id\":\"c-1\"}]",
                                        "[{\"case_id\":\"c-1\",\"id\":\"p-1\"}]",
                                        "[{\"case_id\":\"c-1\",\"id\":\"p-1\",\"sex\":\"\"}]"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct source source;
        open_as(&source, SPEAN_CASEROWS_PRIMERO, texts[i]);
        assert_true(next(&source));
        assert_string_equal(source.row.id, "p-1");
        assert_int_equal(json_object_size(spean_caserows_left(source.rows)), 0);
        done(&source);
    }
    struct source source;
    open_as(&source, SPEAN_CASEROWS_PRIMERO, "[{\"case_id\":\"c-1\",\"id\":null}]");
    assert_true(next(&source));
    assert_string_equal(source.row.id, "c-1");
    done(&source);
}

static void a_named_id_takes_the_place_of_the_systems_own(void **state)
{
    (void)state;
    struct source source;
    const struct spean_caserows_options options = {.format = SPEAN_CASEROWS_PRIMERO,
                                                   .id_column = "short_id"};
    assert_int_equal(
        try_open(&source, options, "[{\"id\":\"p-1\",\"short_id\":77},{\"id\":\"p\"}]"),
        SPEAN_EXIT_DONE);
    assert_true(next(&source));
    assert_string_equal(source.row.id, "77");
    assert_true(next(&source));
    assert_string_equal(source.row.id, "");
    done(&source);
}

static void an_id_that_is_no_text_or_too_long_spoils_its_row(void **state)
{
    (void)state;
    struct source source;
    char text[LONG_BYTES];
    char longer[SPEAN_CASEROWS_ID_BYTES + 1];
    memset(longer, 'n', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    (void)snprintf(text, sizeof(text), "[{\"id\":\"%s\"},{\"id\":{}},{\"id\":1.5}]", longer);
    open_as(&source, SPEAN_CASEROWS_PRIMERO, text);
    for (size_t i = 0; i < 3; i++) {
        assert_true(next(&source));
        assert_string_equal(source.row.id, "");
        assert_non_null(source.row.error);
    }
    done(&source);
}

static void keys_of_one_system_mean_nothing_in_another(void **state)
{
    (void)state;
    assert_string_equal(spean_casekeys_column(SPEAN_CASEROWS_PRIMERO, "sex"), "prs_Gender");
    assert_null(spean_casekeys_column(SPEAN_CASEROWS_OSCAR, "sex"));
    assert_null(spean_casekeys_column(SPEAN_CASEROWS_JSON, "sex"));
    assert_null(spean_casekeys_column(SPEAN_CASEROWS_PRIMERO, "id"));
    assert_null(spean_casekeys_column(SPEAN_CASEROWS_PRIMERO, ""));
    assert_string_equal(spean_casekeys_column(SPEAN_CASEROWS_JSON, "prs_Gender"), "prs_Gender");
    assert_int_equal(spean_casekeys_id_rank(SPEAN_CASEROWS_PRIMERO, "id"), 1);
    assert_int_equal(spean_casekeys_id_rank(SPEAN_CASEROWS_PRIMERO, "case_id"), 2);
    assert_int_equal(spean_casekeys_id_rank(SPEAN_CASEROWS_OSCAR, "global_id"), 1);
    assert_int_equal(spean_casekeys_id_rank(SPEAN_CASEROWS_OSCAR, "case_id"), 0);
    assert_int_equal(spean_casekeys_id_rank(SPEAN_CASEROWS_PRIMERO, "sex"), 0);
    assert_int_equal(spean_casekeys_id_rank(SPEAN_CASEROWS_CSV, "meta/rootUuid"), 1);
    assert_true(spean_casekeys_is_bookkeeping("_submission_time"));
    assert_false(spean_casekeys_is_bookkeeping("_notes")); /* People write them. */
    assert_string_equal(spean_casekeys_source(SPEAN_CASEROWS_PRIMERO), "primero");
    assert_string_equal(spean_casekeys_source(SPEAN_CASEROWS_OSCAR), "oscar");
    assert_null(spean_casekeys_source(SPEAN_CASEROWS_CSV));
    assert_null(spean_casekeys_source(SPEAN_CASEROWS_JSON));
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_has_its_line_its_id_and_cells_by_their_columns),
        TEST(groups_before_a_name_are_passed_over_and_single_choices_are_not_counted),
        TEST(choices_that_stand_in_columns_of_their_own_alone_are_brought_together),
        TEST(only_questions_with_several_answers_have_choices),
        TEST(the_name_of_a_submission_that_stays_counts_before_those_that_change),
        TEST(other_servers_join_groups_with_other_marks),
        TEST(answers_of_a_form_are_understood_as_json),
        TEST(what_no_heading_or_no_field_takes_is_told),
        TEST(the_number_of_a_row_that_says_nothing_is_not_counted),
        TEST(headings_that_cannot_be_used_are_refused),
        TEST(a_file_broken_in_its_last_row_is_refused_before_its_first),
        TEST(a_name_of_192_bytes_spoils_its_row_alone),
        TEST(a_file_that_is_not_there_is_not_found),
        TEST(values_become_texts_and_what_cannot_is_told),
        TEST(json_that_is_no_list_of_cases_is_refused),
        TEST(answers_of_an_api_are_lists_within_an_object),
        TEST(primero_and_oscar_have_names_of_their_own),
        TEST(the_id_does_not_depend_on_the_order_of_keys),
        TEST(a_named_id_takes_the_place_of_the_systems_own),
        TEST(an_id_that_is_no_text_or_too_long_spoils_its_row),
        cmocka_unit_test(keys_of_one_system_mean_nothing_in_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
