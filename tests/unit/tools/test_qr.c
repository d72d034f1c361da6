#include "tools/qr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUIET 4u

/* Print text as a code; the caller frees it. */
static char *printed(const char *text, spean_err wanted)
{
    char *said = NULL;
    size_t len;
    struct spean_out *out;
    struct spean_out_options options = {.results = open_memstream(&said, &len), .talk = stderr};
    assert_int_equal(spean_out_new(&options, &out), SPEAN_OK);
    assert_int_equal(spean_qr_print(out, text), wanted);
    spean_out_free(out);
    assert_int_equal(fclose(options.results), 0);
    return said;
}

/* Read the module at x, y back from the half blocks: dark where neither half is drawn. */
static bool dark_at(const char *said, size_t x, size_t y)
{
    const char *at = said;
    for (size_t line = 0; line < y / 2; line++) {
        at = strchr(at, '\n') + 1;
    }
    for (size_t i = 0; i < x; i++) {
        at += *at == ' ' ? 1 : 3;
    }
    if (*at == ' ') {
        return true;
    }
    const bool upper = memcmp(at, "\xe2\x96\x80", 3) == 0;
    const bool lower = memcmp(at, "\xe2\x96\x84", 3) == 0;
    return y % 2 == 0 ? lower : upper;
}

static void a_code_has_a_quiet_zone_and_its_finder_patterns(void **state)
{
    (void)state;
    static const char *const finder[] = {"#######", "#     #", "# ### #", "# ### #",
                                         "# ### #", "#     #", "#######"};
    char *const said = printed("SPEAN1:ABCDEF234567", SPEAN_OK);
    for (size_t i = 0; i < QUIET; i++) {
        assert_false(dark_at(said, i, 8));
        assert_false(dark_at(said, 8, i));
    }
    for (size_t y = 0; y < 7; y++) {
        for (size_t x = 0; x < 7; x++) {
            assert_int_equal(dark_at(said, QUIET + x, QUIET + y), finder[y][x] == '#');
        }
    }
    free(said);
}

static void text_beyond_the_largest_code_prints_nothing(void **state)
{
    (void)state;
    char text[4096];
    memset(text, 'A', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    char *const said = printed(text, SPEAN_EINPUT);
    assert_true(said == NULL || said[0] == '\0');
    free(said);
}

static void the_largest_code_fits_its_line(void **state)
{
    (void)state;
    char text[2301]; /* Just within version 40 with medium correction. */
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    char *const said = printed(text, SPEAN_OK);
    assert_true(strlen(said) > 0);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_has_a_quiet_zone_and_its_finder_patterns),
        cmocka_unit_test(text_beyond_the_largest_code_prints_nothing),
        cmocka_unit_test(the_largest_code_fits_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
