#include "tools/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_BYTES_MAX 4096u

/* Read text, fed chunk bytes at a time, and write what was read as "a|b/c|d/", each row with its
 * line in front; or what went wrong. */
static void read_as(const char *text, size_t len, size_t chunk, char out[TEXT_BYTES_MAX])
{
    struct spean_csv *csv;
    struct spean_csv_row row;
    struct spean_csv_why why;
    size_t used = 0;
    size_t at = 0;
    out[0] = '\0';
    assert_int_equal(spean_csv_new(&csv), SPEAN_OK);
    for (;;) {
        const spean_err err = spean_csv_next(csv, &row, &why);
        if (err == SPEAN_EWAIT) {
            const size_t some = chunk < len - at ? chunk : len - at;
            spean_csv_feed(csv, text + at, some);
            at += some;
            continue;
        }
        if (err != SPEAN_OK) {
            if (err != SPEAN_ENOTFOUND) {
                (void)snprintf(out + used, TEXT_BYTES_MAX - used, "!%u:%u", (unsigned)why.line,
                               (unsigned)why.column);
                assert_true(strlen(why.text) > 0);
                assert_int_equal(spean_csv_next(csv, &row, &why), err); /* It stays so. */
            }
            break;
        }
        used += (size_t)snprintf(out + used, TEXT_BYTES_MAX - used, "%u:", (unsigned)row.line);
        for (size_t i = 0; i < row.count; i++) {
            used += (size_t)snprintf(out + used, TEXT_BYTES_MAX - used, "%s%s", i == 0 ? "" : "|",
                                     row.cells[i]);
        }
        used += (size_t)snprintf(out + used, TEXT_BYTES_MAX - used, "/");
    }
    spean_csv_free(csv);
}

/* The same in one piece and byte by byte. */
static void assert_reads(const char *text, const char *expected)
{
    char out[TEXT_BYTES_MAX];
    read_as(text, strlen(text), TEXT_BYTES_MAX, out);
    assert_string_equal(out, expected);
    read_as(text, strlen(text), 1, out);
    assert_string_equal(out, expected);
}

static void rows_end_with_any_line_end_and_the_last_needs_none(void **state)
{
    (void)state;
    assert_reads("", "");
    assert_reads("a,b\r\nc,d\r\n", "1:a|b/2:c|d/");
    assert_reads("a,b\nc,d", "1:a|b/2:c|d/");
    assert_reads("a,b\rc,d\r", "1:a|b/2:c|d/");
    assert_reads("\n\r\na\n\n\nb\n", "3:a/6:b/");
    assert_reads(",\n", "1:|/");
}

static void quoted_cells_hold_anything_and_lines_go_on_counting(void **state)
{
    (void)state;
    assert_reads("\"a,\"\"b\"\"\",\"c\nd\r\ne\"\nf\n", "1:a,\"b\"|c\nd\r\ne/4:f/");
    assert_reads("\"\"\n", "1:/");
    assert_reads(" a , \tb\n", "1: a | \tb/");
}

static void a_byte_order_mark_is_no_part_of_the_first_cell(void **state)
{
    (void)state;
    assert_reads("\xef\xbb\xbf"
                 "a,b\n",
                 "1:a|b/");
    assert_reads("\xef\xbb\xbf", "");
    assert_reads("\xef\xbb\xbf\"a\"\n", "1:a/");
    assert_reads("\uff01,b\n", "1:\uff01|b/"); /* It begins like the mark. */
}

static void what_would_shift_cells_is_refused_with_its_place(void **state)
{
    (void)state;
    assert_reads("a,b\nc\"d,e\n", "1:a|b/!2:2");
    assert_reads("\"a\"b\n", "!1:4");
    assert_reads("a\n\"b\n\n", "1:a/!4:1");
    assert_reads("\u1780\u17b6,\"b\" ,c\n", "!1:7");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    char out[TEXT_BYTES_MAX];
    assert_reads("a,\xff\n", "!1:4");
    assert_reads("\xc0\xaf\n", "!1:2");
    assert_reads("\xef\xbb", "!1:2");
    read_as("a,\0b\n", 5, 5, out);
    assert_string_equal(out, "!1:5");
}

static void what_stands_most_often_in_the_first_line_separates(void **state)
{
    (void)state;
    assert_reads("a;b;c\n1,5;2;3\n", "1:a|b|c/2:1,5|2|3/");
    assert_reads("a\tb\n1,2;3\t4\n", "1:a|b/2:1,2;3|4/");
    assert_reads("a,b;c,d\n1;2,3\n", "1:a|b;c|d/2:1;2|3/");
    assert_reads("\"x;y;z\",b\n", "1:x;y;z|b/");
    assert_reads("\xef\xbb\xbf\"a,a,a\";\"b\"\r\n\"1\";\"2\"\r\n", "1:a,a,a|b/2:1|2/");
    assert_reads("a;b", "1:a|b/"); /* Nothing behind it says more. */
    assert_reads("\n\na;b\n", "3:a|b/");
    assert_reads("a,b\nc;d;e,f\n", "1:a|b/2:c;d;e|f/"); /* The first line alone decides. */
}

static void a_line_that_names_the_separator_is_no_row(void **state)
{
    (void)state;
    assert_reads("sep=;\r\na,b;c\r\n", "2:a,b|c/");
    assert_reads("sep=|\na|b,c\n", "2:a|b,c/");
    assert_reads("sep=,\n", "");
    assert_reads("sep=,,\n", "1:sep=||/"); /* A row that begins like it. */
    assert_reads("sep=", "1:sep=/");
}

static void a_file_in_another_form_is_refused_with_what_to_do(void **state)
{
    (void)state;
    static const char *const others[] = {
        "PK\x03\x04 rest of it",
        "\xff\xfe"
        "a\n",
        "\xfe\xff\x01"
        "a\n",
        "a,b\n\x89\xd4\x8e\x71,c\n", /* Shift_JIS. */
        "a,b\nJos\xe9,c\n",          /* Windows-1252. */
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct spean_csv *csv;
        struct spean_csv_row row;
        struct spean_csv_why why = {.hint = NULL};
        spean_err err = SPEAN_OK;
        assert_int_equal(spean_csv_new(&csv), SPEAN_OK);
        spean_csv_feed(csv, others[i], strlen(others[i]));
        while (err == SPEAN_OK || err == SPEAN_EWAIT) {
            err = spean_csv_next(csv, &row, &why);
            if (err == SPEAN_EWAIT) {
                spean_csv_feed(csv, "", 0);
            }
        }
        assert_int_equal(err, SPEAN_EINPUT);
        assert_non_null(why.hint);
        assert_non_null(strstr(why.hint, "UTF-8"));
        spean_csv_free(csv);
    }
}

/* Read one generated cell, bare or quoted, of count bytes. */
static spean_err read_cell(size_t count, size_t cells, struct spean_csv_why *why)
{
    struct spean_csv *csv;
    struct spean_csv_row row;
    char *const text = malloc((count + 1) * cells + 1);
    size_t used = 0;
    assert_non_null(text);
    for (size_t i = 0; i < cells; i++) {
        memset(text + used, 'a', count);
        used += count;
        text[used++] = i + 1 == cells ? '\n' : ',';
    }
    assert_int_equal(spean_csv_new(&csv), SPEAN_OK);
    spean_csv_feed(csv, text, used);
    const spean_err err = spean_csv_next(csv, &row, why);
    spean_csv_free(csv);
    free(text);
    return err;
}

static void cells_and_rows_have_limits(void **state)
{
    (void)state;
    struct spean_csv_why why;
    assert_int_equal(read_cell(SPEAN_CSV_CELL_BYTES_MAX, 1, &why), SPEAN_OK);
    assert_int_equal(read_cell(SPEAN_CSV_CELL_BYTES_MAX + 1, 1, &why), SPEAN_ELIMIT);
    assert_int_equal(why.line, 1);
    assert_int_equal(read_cell(3 * (size_t)SPEAN_CSV_CELL_BYTES_MAX, 1, &why), SPEAN_ELIMIT);
    assert_int_equal(read_cell(1, SPEAN_CSV_CELLS_MAX, &why), SPEAN_OK);
    assert_int_equal(read_cell(1, SPEAN_CSV_CELLS_MAX + 1, &why), SPEAN_ELIMIT);
    assert_int_equal(read_cell(SPEAN_CSV_ROW_BYTES_MAX / 16 - 1, 16, &why), SPEAN_OK);
    assert_int_equal(read_cell(SPEAN_CSV_ROW_BYTES_MAX / 16 - 1, 17, &why), SPEAN_ELIMIT);
}

/* Write one cell and give what stands in the file. */
static void assert_writes(const char *cell, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *const file = open_memstream(&text, &len);
    assert_non_null(file);
    spean_csv_write_row(file, (const char *const[]){cell, "x"}, 2);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(strlen(expected) + 4, len);
    assert_memory_equal(text, expected, strlen(expected));
    assert_string_equal(text + strlen(expected), ",x\r\n");
    char out[TEXT_BYTES_MAX];
    char back[TEXT_BYTES_MAX];
    read_as(text, len, 3, out);
    (void)snprintf(back, sizeof(back), "1:%s|x/", cell);
    assert_string_equal(out, back);
    free(text);
}

static void what_a_spreadsheet_would_compute_is_guarded_and_comes_back(void **state)
{
    (void)state;
    assert_writes("=1+1", "'=1+1");
    assert_writes("+855 12 345 678", "'+855 12 345 678");
    assert_writes("-5", "'-5");
    assert_writes("@SUM(A1)", "'@SUM(A1)");
    assert_writes("\tx", "\"'\tx\"");
    assert_writes("\rx", "\"'\rx\"");
    assert_writes("\nx", "\"'\nx\"");
    assert_writes("\uff1d1", "'\uff1d1");
    assert_writes("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
}

static void an_apostrophe_of_ones_own_comes_back_too(void **state)
{
    (void)state;
    assert_writes("'tis", "'tis");
    assert_writes("'", "'");
    assert_writes("''", "'''");
    assert_writes("'=x", "''=x");
    assert_writes("''=x", "'''=x");
    assert_writes("a=b", "a=b");
}

static void what_needs_quotes_gets_them(void **state)
{
    (void)state;
    assert_writes("", "");
    assert_writes("a,b", "\"a,b\"");
    assert_writes("a\"b", "\"a\"\"b\"");
    assert_writes("a\r\nb", "\"a\r\nb\"");
    assert_writes(" a", "\" a\"");
    assert_writes("\u1780\u200b\u1781", "\u1780\u200b\u1781");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_end_with_any_line_end_and_the_last_needs_none),
        cmocka_unit_test(quoted_cells_hold_anything_and_lines_go_on_counting),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_first_cell),
        cmocka_unit_test(what_would_shift_cells_is_refused_with_its_place),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(what_stands_most_often_in_the_first_line_separates),
        cmocka_unit_test(a_line_that_names_the_separator_is_no_row),
        cmocka_unit_test(a_file_in_another_form_is_refused_with_what_to_do),
        cmocka_unit_test(cells_and_rows_have_limits),
        cmocka_unit_test(what_a_spreadsheet_would_compute_is_guarded_and_comes_back),
        cmocka_unit_test(an_apostrophe_of_ones_own_comes_back_too),
        cmocka_unit_test(what_needs_quotes_gets_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
