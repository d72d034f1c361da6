#include "tools/grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *written(struct spean_grid *table, bool plain, spean_err expected)
{
    char *text;
    size_t len;
    FILE *const file = open_memstream(&text, &len);
    assert_non_null(file);
    assert_int_equal(spean_grid_write(table, file, plain, "<", ">"), expected);
    assert_int_equal(fclose(file), 0);
    return text;
}

static struct spean_grid *partners(void)
{
    struct spean_grid *table;
    assert_int_equal(spean_grid_new(&table), SPEAN_OK);
    spean_grid_column(table, "PARTNER", false);
    spean_grid_column(table, "CASES", true);
    spean_grid_column(table, "BY", false);
    spean_grid_cell(table, "%s", "東京");
    spean_grid_cell(table, "%d", 7);
    spean_grid_cell(table, "direct");
    spean_grid_cell(table, "%s", "ភ្នំពេញ");
    spean_grid_cell(table, "%d", 12);
    spean_grid_cell(table, "%s", "");
    return table;
}

static void columns_line_up_by_cells_and_not_by_bytes(void **state)
{
    (void)state;
    struct spean_grid *const table = partners();
    char *const text = written(table, false, SPEAN_OK);
    assert_string_equal(text, "<PARTNER  CASES  BY>\n"
                              "東京         7  direct\n"
                              "ភ្នំពេញ       12  \n");
    free(text);
    spean_grid_free(table);
}

static void plain_columns_are_set_apart_by_one_tab(void **state)
{
    (void)state;
    struct spean_grid *const table = partners();
    char *const text = written(table, true, SPEAN_OK);
    assert_string_equal(text, "<PARTNER\tCASES\tBY>\n"
                              "東京\t7\tdirect\n"
                              "ភ្នំពេញ\t12\t\n");
    free(text);
    spean_grid_free(table);
}

static void a_tab_or_a_line_break_in_data_moves_no_column(void **state)
{
    (void)state;
    struct spean_grid *table;
    assert_int_equal(spean_grid_new(&table), SPEAN_OK);
    spean_grid_column(table, NULL, false);
    spean_grid_column(table, NULL, false);
    spean_grid_cell(table, "%s", "a\tb");
    spean_grid_cell(table, "%s", "c\nd\x1b[m");
    char *const text = written(table, true, SPEAN_OK);
    assert_string_equal(text, "a b\tc\xe2\x86\xb5"
                              "d\xef\xbf\xbd[m\n");
    free(text);
    spean_grid_free(table);
}

static void the_last_column_is_broken_at_spaces_below_itself(void **state)
{
    (void)state;
    static const char text[] = "eight letters here and averyveryverylongwordindeed and an end";
    static const struct {
        const char *first;
        bool plain;
        const char *shown;
    } rows[] = {
        {"ab", false,
         "ab  eight letters here\n    and\n    averyveryverylongwordindeed\n    and an end\n"},
        {"abcdefghij", false, /* No room is left: it takes what it needs at least. */
         "abcdefghij  eight letters here\n            and\n"
         "            averyveryverylongwordindeed\n            and an end\n"},
        {"ab", true, "ab\teight letters here and averyveryverylongwordindeed and an end\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spean_grid *table;
        assert_int_equal(spean_grid_new(&table), SPEAN_OK);
        spean_grid_column(table, NULL, false);
        spean_grid_column(table, NULL, false);
        spean_grid_wrap(table, 4 + SPEAN_GRID_WRAP_MIN);
        spean_grid_cell(table, "%s", rows[i].first);
        spean_grid_cell(table, "%s", text);
        char *const shown = written(table, rows[i].plain, SPEAN_OK);
        assert_string_equal(shown, rows[i].shown);
        free(shown);
        spean_grid_free(table);
    }
}

static void a_row_that_is_not_full_ends_with_nothing(void **state)
{
    (void)state;
    struct spean_grid *table;
    assert_int_equal(spean_grid_new(&table), SPEAN_OK);
    spean_grid_column(table, "A", false);
    spean_grid_column(table, "B", false);
    spean_grid_cell(table, "one");
    char *const text = written(table, true, SPEAN_OK);
    assert_string_equal(text, "<A\tB>\none\t\n");
    free(text);
    spean_grid_free(table);
}

static void a_table_without_rows_has_its_headings(void **state)
{
    (void)state;
    struct spean_grid *table;
    assert_int_equal(spean_grid_new(&table), SPEAN_OK);
    spean_grid_column(table, "A", false);
    char *const text = written(table, false, SPEAN_OK);
    assert_string_equal(text, "<A>\n");
    free(text);
    spean_grid_free(table);
}

static void one_cell_beyond_the_limit_is_reported_and_nothing_written(void **state)
{
    (void)state;
    struct spean_grid *table;
    assert_int_equal(spean_grid_new(&table), SPEAN_OK);
    spean_grid_column(table, NULL, false);
    for (size_t i = 0; i < SPEAN_GRID_CELLS_MAX; i++) {
        spean_grid_cell(table, "x");
    }
    spean_grid_cell(table, "one too many");
    char *const text = written(table, false, SPEAN_ELIMIT);
    assert_string_equal(text, "");
    free(text);
    spean_grid_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up_by_cells_and_not_by_bytes),
        cmocka_unit_test(plain_columns_are_set_apart_by_one_tab),
        cmocka_unit_test(a_tab_or_a_line_break_in_data_moves_no_column),
        cmocka_unit_test(the_last_column_is_broken_at_spaces_below_itself),
        cmocka_unit_test(a_row_that_is_not_full_ends_with_nothing),
        cmocka_unit_test(a_table_without_rows_has_its_headings),
        cmocka_unit_test(one_cell_beyond_the_limit_is_reported_and_nothing_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
