#include "node/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const time_t moment = 1795338725; /* date -u -d 2026-11-22T09:12:05Z +%s */

static void expect_shown(const char *value, const char *shown)
{
    char line[SPEAN_JOURNAL_LINE_BYTES_MAX + 1];
    char want[SPEAN_JOURNAL_LINE_BYTES_MAX + 1];
    const struct spean_journal_field field = spean_journal_text("v", value);
    const size_t len =
        spean_journal_format(line, false, moment, SPEAN_JOURNAL_INFO, "e", &field, 1);
    (void)snprintf(want, sizeof(want), "2026-11-22T09:12:05Z info event=e v=%s\n", shown);
    assert_string_equal(line, want);
    assert_int_equal(len, strlen(want));
}

static void a_line_is_time_level_event_and_fields(void **state)
{
    (void)state;
    char line[SPEAN_JOURNAL_LINE_BYTES_MAX + 1];
    const struct spean_journal_field fields[] = {
        spean_journal_text("peer", "3fa2"),
        spean_journal_number("count", UINT64_MAX),
    };
    (void)spean_journal_format(line, false, moment, SPEAN_JOURNAL_WARNING, "peer_drop", fields, 2);
    assert_string_equal(line, "2026-11-22T09:12:05Z warning event=peer_drop peer=3fa2 "
                              "count=18446744073709551615\n");
}

static void in_the_journal_a_line_begins_with_its_priority(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"<3>", "<4>", "<6>", "<7>"};
    for (int level = SPEAN_JOURNAL_ERROR; level <= SPEAN_JOURNAL_DEBUG; level++) {
        char line[SPEAN_JOURNAL_LINE_BYTES_MAX + 1];
        (void)spean_journal_format(line, true, moment, (enum spean_journal_level)level, "e", NULL,
                                   0);
        assert_memory_equal(line, prefixes[level], 3);
    }
}

static void values_that_are_not_plain_are_quoted(void **state)
{
    (void)state;
    expect_shown("tcp://[::1]:7431", "\"tcp://[::1]:7431\"");
    expect_shown("10.0.0.1:7431", "10.0.0.1:7431");
    expect_shown("two words", "\"two words\"");
    expect_shown("", "\"\"");
    expect_shown("a=b", "\"a=b\"");
    expect_shown("say \"yes\" \\", "\"say \\\"yes\\\" \\\\\"");
}

static void a_value_cannot_forge_a_line(void **state)
{
    (void)state;
    expect_shown("x\n<3>event=forged", "\"x\\x0a<3>event=forged\"");
    expect_shown("\x1b[2J", "\"\\x1b[2J\"");
    expect_shown("\xe1\x9e\x9f", "\"\\xe1\\x9e\\x9f\"");
    expect_shown("\x7f", "\"\\x7f\"");
}

static void a_long_value_is_cut_at_its_limit(void **state)
{
    (void)state;
    char value[SPEAN_JOURNAL_VALUE_BYTES_MAX + 2];
    char shown[SPEAN_JOURNAL_VALUE_BYTES_MAX + 4];
    memset(value, 'a', sizeof(value));
    value[SPEAN_JOURNAL_VALUE_BYTES_MAX] = '\0';
    expect_shown(value, value);

    value[SPEAN_JOURNAL_VALUE_BYTES_MAX] = 'a';
    value[SPEAN_JOURNAL_VALUE_BYTES_MAX + 1] = '\0';
    (void)snprintf(shown, sizeof(shown), "%.*s...", (int)SPEAN_JOURNAL_VALUE_BYTES_MAX, value);
    expect_shown(value, shown);
}

static void fields_beyond_the_line_are_left_out_and_said_to_be(void **state)
{
    (void)state;
    char line[SPEAN_JOURNAL_LINE_BYTES_MAX + 1];
    char value[SPEAN_JOURNAL_VALUE_BYTES_MAX + 1];
    memset(value, '\n', sizeof(value) - 1); /* Four characters for each byte. */
    value[sizeof(value) - 1] = '\0';
    struct spean_journal_field fields[SPEAN_JOURNAL_FIELDS_MAX];
    for (size_t i = 0; i < SPEAN_JOURNAL_FIELDS_MAX; i++) {
        fields[i] = spean_journal_text("v", value);
    }

    const size_t len = spean_journal_format(line, true, moment, SPEAN_JOURNAL_ERROR, "e", fields,
                                            SPEAN_JOURNAL_FIELDS_MAX);
    assert_true(len <= SPEAN_JOURNAL_LINE_BYTES_MAX);
    assert_string_equal(line + len - strlen(" cut=1\n"), " cut=1\n");
    assert_int_equal(strlen(line), len);
}

static void only_what_is_important_enough_is_written(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct spean_journal log;
    spean_journal_init(&log, ends[1], SPEAN_JOURNAL_WARNING, NULL);

    SPEAN_JOURNAL_EVENT(&log, SPEAN_JOURNAL_INFO, "chatter", spean_journal_number("n", 1));
    SPEAN_JOURNAL_EVENT(&log, SPEAN_JOURNAL_WARNING, "peer_drop",
                        spean_journal_text("peer", "3fa2"), spean_journal_number("n", 2));
    (void)close(ends[1]);

    char got[SPEAN_JOURNAL_LINE_BYTES_MAX];
    const ssize_t len = read(ends[0], got, sizeof(got) - 1);
    assert_true(len > 0);
    got[len] = '\0';
    assert_non_null(strstr(got, " warning event=peer_drop peer=3fa2 n=2\n"));
    assert_null(strstr(got, "chatter"));
    (void)close(ends[0]);
}

static void the_journal_is_recognised_by_device_and_inode(void **state)
{
    (void)state;
    int ends[2];
    struct stat st;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fstat(ends[1], &st), 0);
    char stream[64];
    struct spean_journal log;

    (void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    spean_journal_init(&log, ends[1], SPEAN_JOURNAL_INFO, stream);
    assert_true(log.journal);
    (void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino + 1);
    spean_journal_init(&log, ends[1], SPEAN_JOURNAL_INFO, stream);
    assert_false(log.journal); /* stderr was sent elsewhere; the variable was inherited. */
    spean_journal_init(&log, ends[1], SPEAN_JOURNAL_INFO, "nonsense");
    assert_false(log.journal);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_time_level_event_and_fields),
        cmocka_unit_test(in_the_journal_a_line_begins_with_its_priority),
        cmocka_unit_test(values_that_are_not_plain_are_quoted),
        cmocka_unit_test(a_value_cannot_forge_a_line),
        cmocka_unit_test(a_long_value_is_cut_at_its_limit),
        cmocka_unit_test(fields_beyond_the_line_are_left_out_and_said_to_be),
        cmocka_unit_test(only_what_is_important_enough_is_written),
        cmocka_unit_test(the_journal_is_recognised_by_device_and_inode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
