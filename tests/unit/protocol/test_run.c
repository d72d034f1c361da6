#include "protocol/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/logkit.h"

struct fixture {
    struct logkit *k;
    struct spean_run *run;
    uint8_t *buf;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->k = logkit_new(3);
    f->buf = malloc(SPEAN_FRAME_BYTES_MAX);
    assert_non_null(f->buf);
    assert_int_equal(spean_run_new(&f->run), SPEAN_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    spean_run_free(f->run);
    logkit_free(f->k);
    free(f->buf);
    free(f);
    return 0;
}

static spean_err decode_from(struct fixture *f, struct spean_view bytes, uint32_t after)
{
    const struct spean_place place = logkit_place(f->k, after);
    return spean_run_decode(f->run, bytes, &f->k->log, &place);
}

static void a_run_restores_every_id_and_verifies(void **state)
{
    struct fixture *f = *state;
    logkit_fill(f->k, 40);
    const struct spean_view bytes = logkit_run(f->k, 11, 40, true, f->buf);
    assert_int_equal(decode_from(f, bytes, 10), SPEAN_OK);
    assert_int_equal(spean_run_count(f->run), 30);
    for (uint32_t i = 0; i < 30; i++) {
        assert_true(spean_id_equal(&spean_run_entry(f->run, i)->id, &f->k->entries[10 + i].id));
        assert_int_equal(spean_run_entry(f->run, i)->body.len, 64);
    }
    assert_int_equal(spean_run_verify(f->run, &f->k->signing, NULL), SPEAN_OK);
}

static void bodies_may_stay_behind_and_the_chain_still_verifies(void **state)
{
    struct fixture *f = *state;
    logkit_fill(f->k, 5);
    const struct spean_view bytes = logkit_run(f->k, 1, 5, false, f->buf);
    assert_int_equal(decode_from(f, bytes, 0), SPEAN_OK);
    assert_int_equal(spean_run_entry(f->run, 4)->body.len, 0);
    assert_int_equal(spean_run_verify(f->run, &f->k->signing, NULL), SPEAN_OK);
}

/* P5.7: 20 bytes an entry beyond the body, 32 more without it, tags once, one signature. */
static void check_overhead(struct fixture *f, uint32_t tags, size_t body_len, uint64_t time_step)
{
    const size_t fixed = 1 + 9 + 9 + 3 + 3 + 66;
    for (uint32_t i = 0; i < 200; i++) {
        struct spean_tag tag = {{(uint8_t)(i % tags)}};
        logkit_add(f->k, SPEAN_ENTRY_CHANGE, &tag, body_len, (uint8_t)i, 1 + i * time_step, true);
    }
    const size_t with = logkit_run(f->k, 1, 200, true, f->buf).len;
    assert_true(with <= fixed + tags * 18 + 200 * (body_len + 20));
    const size_t without = logkit_run(f->k, 1, 200, false, f->buf).len;
    assert_true(without <= fixed + tags * 18 + 200 * (20 + 32));
}

static void an_entry_costs_at_most_20_bytes_beyond_its_body(void **state)
{
    check_overhead(*state, 1, 296, 60);
}

static void it_does_so_with_many_tags_and_wild_clocks(void **state)
{
    check_overhead(*state, 200, 300, 40000000000);
}

static void a_run_truncated_at_any_byte_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct spean_tag tag = {{5}};
    logkit_fill(f->k, 2);
    logkit_add(f->k, SPEAN_ENTRY_CHANGE, &tag, 300, 1, 9, true);
    const struct spean_view whole = logkit_run(f->k, 1, 3, true, f->buf);
    for (size_t len = 0; len < whole.len; len++) {
        assert_int_not_equal(decode_from(f, (struct spean_view){whole.data, len}, 0), SPEAN_OK);
        assert_int_equal(spean_run_count(f->run), 0);
    }
    f->buf[whole.len] = 0;
    assert_int_equal(decode_from(f, (struct spean_view){whole.data, whole.len + 1}, 0),
                     SPEAN_EFORMAT);
}

static void no_changed_byte_yields_another_accepted_run(void **state)
{
    struct fixture *f = *state;
    const struct spean_tag tag = {{5}};
    logkit_fill(f->k, 2);
    logkit_add(f->k, SPEAN_ENTRY_CHANGE, &tag, 40, 1, 1790000003, true);
    const struct spean_view whole = logkit_run(f->k, 1, 3, true, f->buf);
    for (size_t i = 0; i < whole.len; i++) {
        f->buf[i] ^= 1;
        if (decode_from(f, whole, 0) == SPEAN_OK) {
            assert_int_not_equal(spean_run_verify(f->run, &f->k->signing, NULL), SPEAN_OK);
        }
        f->buf[i] ^= 1;
    }
}

/* P5.7: two names for one tag would give one run two encodings. */
static void a_tag_that_is_named_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct spean_tag one = {{5}};
    const struct spean_tag other = {{6}};
    logkit_add(f->k, SPEAN_ENTRY_CHANGE, &one, 40, 1, 9, true);
    logkit_add(f->k, SPEAN_ENTRY_CHANGE, &other, 40, 1, 9, true);
    const struct spean_view whole = logkit_run(f->k, 1, 2, true, f->buf);
    assert_int_equal(decode_from(f, whole, 0), SPEAN_OK);
    uint8_t *second = memchr(f->buf, 6, whole.len);
    assert_non_null(second);
    *second = 5;
    assert_int_equal(decode_from(f, whole, 0), SPEAN_EFORMAT);
}

static void a_run_that_starts_elsewhere_is_a_gap(void **state)
{
    struct fixture *f = *state;
    logkit_fill(f->k, 10);
    const struct spean_view bytes = logkit_run(f->k, 5, 10, true, f->buf);
    uint64_t first = 0;
    assert_int_equal(spean_run_first_seq(bytes, &first), SPEAN_OK);
    assert_int_equal(first, 5);
    assert_int_equal(decode_from(f, bytes, 3), SPEAN_EGAP);
    assert_int_equal(decode_from(f, bytes, 5), SPEAN_EGAP);
}

static void a_run_on_top_of_another_entry_does_not_verify(void **state)
{
    struct fixture *f = *state;
    logkit_fill(f->k, 10);
    const struct spean_view bytes = logkit_run(f->k, 5, 10, true, f->buf);
    const struct spean_place other = {4, {{0xee}}};
    assert_int_equal(spean_run_decode(f->run, bytes, &f->k->log, &other), SPEAN_OK);
    assert_int_equal(spean_run_verify(f->run, &f->k->signing, NULL), SPEAN_ESIGNATURE);
}

static void a_run_of_another_key_is_refused(void **state)
{
    struct fixture *f = *state;
    struct logkit *other = logkit_new(4);
    logkit_fill(f->k, 1);
    assert_int_equal(decode_from(f, logkit_run(f->k, 1, 1, true, f->buf), 0), SPEAN_OK);
    assert_int_equal(spean_run_verify(f->run, &other->signing, NULL), SPEAN_ESIGNATURE);
    logkit_free(other);
}

static void a_run_may_not_end_inside_a_commit(void **state)
{
    struct fixture *f = *state;
    logkit_add(f->k, SPEAN_ENTRY_CHANGE, NULL, 20, 1, 1, true);
    logkit_add(f->k, SPEAN_ENTRY_CHANGE, NULL, 20, 2, 1, false);
    assert_int_equal(decode_from(f, logkit_run(f->k, 1, 2, true, f->buf), 0), SPEAN_OK);
    assert_int_equal(spean_run_verify(f->run, &f->k->signing, NULL), SPEAN_EFORMAT);
}

static void a_cut_vouches_for_the_entry_that_it_names_and_no_other(void **state)
{
    struct fixture *f = *state;
    logkit_fill(f->k, 3);
    f->k->entries[2].ends_commit = false; /* Makes the kit leave the signature out. */
    assert_int_equal(decode_from(f, logkit_run(f->k, 1, 3, true, f->buf), 0), SPEAN_OK);
    struct spean_place cut = logkit_place(f->k, 3);
    assert_int_equal(spean_run_verify(f->run, &f->k->signing, &cut), SPEAN_OK);
    assert_int_equal(spean_run_verify(f->run, &f->k->signing, NULL), SPEAN_ESIGNATURE);
    cut.entry.bytes[31] ^= 1;
    assert_int_equal(spean_run_verify(f->run, &f->k->signing, &cut), SPEAN_ESIGNATURE);
    cut = logkit_place(f->k, 2);
    assert_int_equal(spean_run_verify(f->run, &f->k->signing, &cut), SPEAN_ESIGNATURE);
}

static void headers_and_bodies_together_stay_within_the_size_of_a_run(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < 3; i++) {
        logkit_add(f->k, SPEAN_ENTRY_CHANGE, NULL, 60000, (uint8_t)i, 1, true);
    }
    struct spean_run_source sources[3];
    for (uint32_t i = 0; i < 3; i++) {
        sources[i] = (struct spean_run_source){.header = f->k->entries[i].header};
    }
    struct spean_view out = {0};
    const struct spean_signature *sig = &f->k->entries[1].signature;
    assert_int_equal(spean_run_encode(sources, 2, sig, f->buf, SPEAN_FRAME_BYTES_MAX, &out),
                     SPEAN_OK);
    assert_int_equal(spean_run_encode(sources, 3, sig, f->buf, SPEAN_FRAME_BYTES_MAX, &out),
                     SPEAN_ELIMIT);
}

static void a_liar_cannot_pass_the_size_of_a_run_by_leaving_bodies_out(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < 2; i++) {
        logkit_add(f->k, SPEAN_ENTRY_CHANGE, NULL, 60000, (uint8_t)i, 1, true);
    }
    /* [1, 1, [], [3 entries of 60000 bytes that do not travel], nil] */
    static const uint8_t entry[] = {0x95, 1, 1, 0, 0xc0, 0x92, 0xcd, 0xea, 0x60, 0xc4, 0x20};
    uint8_t *p = f->buf;
    const uint8_t head[] = {0x95, 1, 1, 0x90, 0x93};
    memcpy(p, head, sizeof(head));
    p += sizeof(head);
    for (size_t i = 0; i < 3; i++) {
        memcpy(p, entry, sizeof(entry));
        memset(p + sizeof(entry), 0x44, 32);
        p += sizeof(entry) + 32;
    }
    *p++ = 0xc0;
    assert_int_equal(decode_from(f, (struct spean_view){f->buf, (size_t)(p - f->buf)}, 0),
                     SPEAN_ELIMIT);
}

static void more_entries_than_a_run_holds_are_refused_before_they_are_read(void **state)
{
    struct fixture *f = *state;
    const uint8_t bytes[] = {0x95, 1, 1, 0x90, 0xdc, 0x01, 0x01, 0xc0};
    memset(f->buf, 0xc0, 4096);
    memcpy(f->buf, bytes, sizeof(bytes));
    assert_int_equal(decode_from(f, (struct spean_view){f->buf, 4096}, 0), SPEAN_ELIMIT);
}

static void times_may_jump_years_ahead_and_back(void **state)
{
    struct fixture *f = *state;
    const uint64_t times[] = {1790000000, 2105000000, 3, INT64_MAX, 0};
    for (size_t i = 0; i < 5; i++) {
        logkit_add(f->k, SPEAN_ENTRY_CHANGE, NULL, 20, 1, times[i], true);
    }
    assert_int_equal(decode_from(f, logkit_run(f->k, 1, 5, true, f->buf), 0), SPEAN_OK);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(spean_run_entry(f->run, i)->header.time, times[i]);
    }
    assert_int_equal(spean_run_verify(f->run, &f->k->signing, NULL), SPEAN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_run_restores_every_id_and_verifies),
        T(bodies_may_stay_behind_and_the_chain_still_verifies),
        T(an_entry_costs_at_most_20_bytes_beyond_its_body),
        T(it_does_so_with_many_tags_and_wild_clocks),
        T(a_run_truncated_at_any_byte_is_refused),
        T(no_changed_byte_yields_another_accepted_run),
        T(a_tag_that_is_named_twice_is_refused),
        T(a_run_that_starts_elsewhere_is_a_gap),
        T(a_run_on_top_of_another_entry_does_not_verify),
        T(a_run_of_another_key_is_refused),
        T(a_run_may_not_end_inside_a_commit),
        T(a_cut_vouches_for_the_entry_that_it_names_and_no_other),
        T(headers_and_bodies_together_stay_within_the_size_of_a_run),
        T(a_liar_cannot_pass_the_size_of_a_run_by_leaving_bodies_out),
        T(more_entries_than_a_run_holds_are_refused_before_they_are_read),
        T(times_may_jump_years_ahead_and_back),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
