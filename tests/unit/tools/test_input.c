#include "tools/input.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

#define PATH_BYTES 128u

static char folder[PATH_BYTES];

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

/* Write text into a file and give "@" and its path. */
static const char *spec_of(const char *text)
{
    static char spec[PATH_BYTES + 1] = "@";
    scratch_write(folder, "value", text, spec + 1, PATH_BYTES);
    return spec;
}

static void assert_text(const char *written, const char *expected)
{
    struct spean_problem problem;
    char *text;
    assert_int_equal(spean_input_text(spec_of(written), 64, &text, &problem), SPEAN_EXIT_DONE);
    assert_string_equal(text, expected);
    free(text);
}

static void text_loses_one_line_break_at_its_end_and_a_byte_order_mark(void **state)
{
    (void)state;
    assert_text("ភ្នំពេញ\n", "ភ្នំពេញ");
    assert_text("one\r\n", "one");
    assert_text("one\n\n", "one\n");
    assert_text("one\ntwo", "one\ntwo");
    assert_text("\xef\xbb\xbfone", "one");
    assert_text("", "");
    assert_text("\n", "");
}

static void assert_text_refused(const char *spec, enum spean_exit exit)
{
    struct spean_problem problem;
    char *text = NULL;
    assert_int_equal(spean_input_text(spec, 16, &text, &problem), exit);
    assert_null(text);
}

static void what_is_no_text_is_refused(void **state)
{
    (void)state;
    assert_text_refused(spec_of("\xff\xfe"), SPEAN_EXIT_USAGE);
    assert_text_refused(spec_of("\xe1\x9e"), SPEAN_EXIT_USAGE);
    assert_text_refused("@/nonexistent/file", SPEAN_EXIT_NOT_FOUND);
    assert_text_refused("@/", SPEAN_EXIT_FAILED);
}

static void a_nul_within_is_no_text(void **state)
{
    (void)state;
    const char *const spec = spec_of("a");
    FILE *const file = fopen(spec + 1, "w");
    assert_non_null(file);
    assert_int_equal(fwrite("a\0b", 1, 3, file), 3);
    assert_int_equal(fclose(file), 0);
    assert_text_refused(spec, SPEAN_EXIT_USAGE);
}

static void the_limit_is_kept_to_the_byte(void **state)
{
    (void)state;
    struct spean_problem problem;
    char *text;
    size_t len;
    assert_int_equal(spean_input_bytes(spec_of("0123456789"), 10, &text, &len, &problem),
                     SPEAN_EXIT_DONE);
    assert_int_equal(len, 10);
    assert_string_equal(text, "0123456789");
    free(text);
    assert_int_equal(spean_input_bytes(spec_of("0123456789"), 9, &text, &len, &problem),
                     SPEAN_EXIT_USAGE);
    assert_int_equal(spean_input_bytes("@/dev/zero", 100000, &text, &len, &problem),
                     SPEAN_EXIT_USAGE);
}

static void a_file_of_several_chunks_arrives_whole(void **state)
{
    (void)state;
    enum { LEN = 300000 };
    char *const big = malloc(LEN + 1);
    assert_non_null(big);
    for (size_t i = 0; i < LEN; i++) {
        big[i] = (char)('a' + i % 26);
    }
    big[LEN] = '\0';
    static const size_t limits[] = {LEN, LEN + 1, SPEAN_INPUT_BYTES_MAX};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct spean_problem problem;
        char *text;
        size_t len;
        assert_int_equal(spean_input_bytes(spec_of(big), limits[i], &text, &len, &problem),
                         SPEAN_EXIT_DONE);
        assert_int_equal(len, LEN);
        assert_memory_equal(text, big, LEN + 1);
        free(text);
    }
    free(big);
}

static enum spean_exit passphrase(const char *written, size_t cap, char *buf, size_t *len)
{
    struct spean_problem problem;
    return spean_input_passphrase_file(spec_of(written) + 1, buf, cap, len, &problem);
}

static void a_passphrase_loses_one_line_break_and_nothing_else(void **state)
{
    (void)state;
    char buf[16];
    size_t len;
    assert_int_equal(passphrase(" a b \n", sizeof(buf), buf, &len), SPEAN_EXIT_DONE);
    assert_int_equal(len, 5);
    assert_memory_equal(buf, " a b ", 5);
    assert_int_equal(passphrase("ab\n\n", sizeof(buf), buf, &len), SPEAN_EXIT_DONE);
    assert_int_equal(len, 3);
    assert_int_equal(passphrase("abcd", 4, buf, &len), SPEAN_EXIT_DONE);
    assert_int_equal(len, 4);
}

static void an_empty_or_overlong_passphrase_is_refused(void **state)
{
    (void)state;
    char buf[16];
    size_t len;
    assert_int_equal(passphrase("", sizeof(buf), buf, &len), SPEAN_EXIT_USAGE);
    assert_int_equal(passphrase("\n", sizeof(buf), buf, &len), SPEAN_EXIT_USAGE);
    assert_int_equal(passphrase("abcde", 4, buf, &len), SPEAN_EXIT_USAGE);
}

static void a_passphrase_that_others_may_read_is_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0640, 0604, 0620, 0601};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct spean_problem problem;
        char buf[16];
        size_t len;
        const char *const path = spec_of("secret") + 1;
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(spean_input_passphrase_file(path, buf, sizeof(buf), &len, &problem),
                         SPEAN_EXIT_DENIED);
        assert_non_null(strstr(problem.hint, "chmod 600"));
        assert_int_equal(chmod(path, 0600), 0);
    }
}

static void a_passphrase_comes_through_a_pipe(void **state)
{
    (void)state;
    struct spean_problem problem;
    char buf[16];
    size_t len;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "sec", 3), 3);
    assert_int_equal(write(ends[1], "ret\n", 4), 4);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(spean_input_passphrase_fd(ends[0], buf, sizeof(buf), &len, &problem),
                     SPEAN_EXIT_DONE);
    assert_int_equal(len, 6);
    assert_memory_equal(buf, "secret", 6);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(spean_input_passphrase_fd(ends[0], buf, sizeof(buf), &len, &problem),
                     SPEAN_EXIT_FAILED);
    assert_int_equal(spean_input_passphrase_fd(1 << 20, buf, sizeof(buf), &len, &problem),
                     SPEAN_EXIT_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_loses_one_line_break_at_its_end_and_a_byte_order_mark),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(a_nul_within_is_no_text),
        cmocka_unit_test(the_limit_is_kept_to_the_byte),
        cmocka_unit_test(a_file_of_several_chunks_arrives_whole),
        cmocka_unit_test(a_passphrase_loses_one_line_break_and_nothing_else),
        cmocka_unit_test(an_empty_or_overlong_passphrase_is_refused),
        cmocka_unit_test(a_passphrase_that_others_may_read_is_refused),
        cmocka_unit_test(a_passphrase_comes_through_a_pipe),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
