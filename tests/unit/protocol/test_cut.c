#include "protocol/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/identitykit.h"

static void an_open_log_may_be_cut_anywhere(void **state)
{
    (void)state;
    const struct spean_cut open = {0};
    const struct spean_cut low = fixture_cut(0, 0);
    const struct spean_cut high = fixture_cut(UINT64_MAX, 1);
    assert_true(spean_cut_may_follow(&low, &open));
    assert_true(spean_cut_may_follow(&high, &open));
    assert_false(spean_cut_may_follow(&high, &high));
    assert_false(spean_cut_may_follow(&high, &low));
    assert_true(spean_cut_may_follow(&low, &high));
}

static void joining_gives_the_lower_whichever_comes_first_p3_9(void **state)
{
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        const struct spean_cut nine = fixture_cut(9, 1);
        const struct spean_cut four = fixture_cut(4, 2);
        struct spean_cut cut = turn == 0 ? nine : four;
        spean_cut_join(&cut, turn == 0 ? &four : &nine);
        assert_int_equal(cut.seq, 4);
        assert_true(spean_id_equal(&cut.entry, &four.entry));
    }
}

static void joining_with_an_open_log_keeps_the_cut(void **state)
{
    (void)state;
    const struct spean_cut open = {0};
    const struct spean_cut nine = fixture_cut(9, 1);
    struct spean_cut cut = nine;
    spean_cut_join(&cut, &open);
    assert_int_equal(cut.seq, 9);
    cut = open;
    spean_cut_join(&cut, &nine);
    assert_true(cut.closed);
    assert_int_equal(cut.seq, 9);
}

static void one_seq_with_two_entries_joins_to_nothing_p3_9(void **state)
{
    (void)state;
    const struct spean_cut other = fixture_cut(9, 2);
    struct spean_cut cut = fixture_cut(9, 1);
    struct spean_cut same = cut;
    spean_cut_join(&same, &cut);
    spean_cut_settle(&same);
    assert_int_equal(same.seq, 9);
    spean_cut_join(&cut, &other);
    spean_cut_join(&cut, &other);
    spean_cut_settle(&cut);
    assert_true(cut.closed);
    assert_int_equal(cut.seq, 0);
}

static void three_branches_join_to_one_cut_in_every_order_p3_9(void **state)
{
    (void)state;
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const struct spean_cut cuts[3] = {fixture_cut(9, 1), fixture_cut(9, 2), fixture_cut(4, 3)};
    for (size_t i = 0; i < 6; i++) {
        struct spean_cut cut = {0};
        for (size_t k = 0; k < 3; k++) {
            spean_cut_join(&cut, &cuts[orders[i][k]]);
        }
        spean_cut_settle(&cut);
        assert_int_equal(cut.seq, 4);
        assert_true(spean_id_equal(&cut.entry, &cuts[2].entry));
    }
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    const uint64_t seqs[] = {0, 1, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        const struct spean_cut cut = fixture_cut(seqs[i], 3);
        uint8_t buf[64];
        struct spean_writer w;
        struct spean_view bytes;
        spean_writer_init(&w, buf, sizeof(buf));
        spean_cut_write(&w, &cut);
        assert_int_equal(spean_writer_end(&w, &bytes), SPEAN_OK);
        struct spean_reader r;
        struct spean_cut read;
        spean_reader_init(&r, bytes);
        spean_cut_read(&r, &read);
        assert_int_equal(spean_reader_end(&r), SPEAN_OK);
        assert_true(read.closed);
        assert_int_equal(read.seq, seqs[i]);
        assert_true(spean_id_equal(&read.entry, &cut.entry));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_log_may_be_cut_anywhere),
        cmocka_unit_test(joining_gives_the_lower_whichever_comes_first_p3_9),
        cmocka_unit_test(joining_with_an_open_log_keeps_the_cut),
        cmocka_unit_test(one_seq_with_two_entries_joins_to_nothing_p3_9),
        cmocka_unit_test(three_branches_join_to_one_cut_in_every_order_p3_9),
        cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
