#include "protocol/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <msgpack.h>

#include "protocol/writer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A C string with its bytes counted, NULs included. */
#define BYTES(literal) ((struct spean_view){(const uint8_t *)(literal), sizeof(literal) - 1})

static struct spean_reader reader_of(struct spean_view bytes)
{
    struct spean_reader r;
    spean_reader_init(&r, bytes);
    return r;
}

/* Outcome of skipping exactly one value that fills bytes. */
static spean_err skip_all(struct spean_view bytes)
{
    struct spean_reader r = reader_of(bytes);
    (void)spean_reader_value(&r, SIZE_MAX);
    return spean_reader_end(&r);
}

static spean_err read_uint(struct spean_view bytes, uint64_t max, uint64_t *out)
{
    struct spean_reader r = reader_of(bytes);
    *out = spean_reader_uint(&r, max);
    return spean_reader_end(&r);
}

static spean_err read_int(struct spean_view bytes, int64_t *out)
{
    struct spean_reader r = reader_of(bytes);
    *out = spean_reader_int(&r);
    return spean_reader_end(&r);
}

static void unsigned_integers_are_read_at_every_boundary(void **state)
{
    (void)state;
    const struct {
        struct spean_view bytes;
        uint64_t value;
    } cases[] = {
        {BYTES("\x00"), 0},
        {BYTES("\x7f"), 127},
        {BYTES("\xcc\x80"), 128},
        {BYTES("\xcc\xff"), 255},
        {BYTES("\xcd\x01\x00"), 256},
        {BYTES("\xcd\xff\xff"), 65535},
        {BYTES("\xce\x00\x01\x00\x00"), 65536},
        {BYTES("\xce\xff\xff\xff\xff"), UINT32_MAX},
        {BYTES("\xcf\x00\x00\x00\x01\x00\x00\x00\x00"), UINT64_C(0x100000000)},
        {BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), UINT64_MAX},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t value = 0;
        assert_int_equal(read_uint(cases[i].bytes, cases[i].value, &value), SPEAN_OK);
        assert_true(value == cases[i].value);
        if (value > 0) {
            assert_int_equal(read_uint(cases[i].bytes, value - 1, &value), SPEAN_ELIMIT);
            assert_true(value == 0);
        }
    }
}

static void signed_integers_are_read_at_every_boundary(void **state)
{
    (void)state;
    const struct {
        struct spean_view bytes;
        int64_t value;
    } cases[] = {
        {BYTES("\x00"), 0},
        {BYTES("\xff"), -1},
        {BYTES("\xe0"), -32},
        {BYTES("\xd0\xdf"), -33},
        {BYTES("\xd0\x80"), -128},
        {BYTES("\xd1\xff\x7f"), -129},
        {BYTES("\xd1\x80\x00"), -32768},
        {BYTES("\xd2\xff\xff\x7f\xff"), -32769},
        {BYTES("\xd2\x80\x00\x00\x00"), INT32_MIN},
        {BYTES("\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"), (int64_t)INT32_MIN - 1},
        {BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN},
        {BYTES("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = 0;
        assert_int_equal(read_int(cases[i].bytes, &value), SPEAN_OK);
        assert_true(value == cases[i].value);
    }

    int64_t value = 1;
    const struct spean_view above = BYTES("\xcf\x80\x00\x00\x00\x00\x00\x00\x00");
    assert_int_equal(read_int(above, &value), SPEAN_ELIMIT);
    assert_true(value == 0);
}

static void an_integer_below_zero_is_no_unsigned_integer(void **state)
{
    (void)state;
    uint64_t value = 1;
    assert_int_equal(read_uint(BYTES("\xff"), UINT64_MAX, &value), SPEAN_EFORMAT);
    assert_true(value == 0);
}

static const struct spean_view not_canonical[] = {
    /* Integers in longer forms than needed. */
    {(const uint8_t *)"\xcc\x00", 2},
    {(const uint8_t *)"\xcc\x7f", 2},
    {(const uint8_t *)"\xcd\x00\xff", 3},
    {(const uint8_t *)"\xce\x00\x00\xff\xff", 5},
    {(const uint8_t *)"\xcf\x00\x00\x00\x00\xff\xff\xff\xff", 9},
    {(const uint8_t *)"\xd0\xe0", 2},
    {(const uint8_t *)"\xd0\xff", 2},
    {(const uint8_t *)"\xd1\xff\x80", 3},
    {(const uint8_t *)"\xd2\xff\xff\x80\x00", 5},
    {(const uint8_t *)"\xd3\xff\xff\xff\xff\x80\x00\x00\x00", 9},
    /* Non-negative integers in signed forms. */
    {(const uint8_t *)"\xd0\x00", 2},
    {(const uint8_t *)"\xd0\x7f", 2},
    {(const uint8_t *)"\xd1\x7f\xff", 3},
    {(const uint8_t *)"\xd2\x7f\xff\xff\xff", 5},
    {(const uint8_t *)"\xd3\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
    /* Lengths in longer forms than needed. */
    {(const uint8_t *)"\xd9\x01"
                      "a",
     3},
    {(const uint8_t *)"\xda\x00\x01"
                      "a",
     4},
    {(const uint8_t *)"\xdb\x00\x00\x00\x01"
                      "a",
     6},
    {(const uint8_t *)"\xc5\x00\x01\x00", 4},
    {(const uint8_t *)"\xc6\x00\x00\x00\x01\x00", 6},
    {(const uint8_t *)"\xdc\x00\x01\x00", 4},
    {(const uint8_t *)"\xdd\x00\x00\x00\x01\x00", 6},
    {(const uint8_t *)"\xde\x00\x01\x00\x00", 5},
    {(const uint8_t *)"\xdf\x00\x00\x00\x01\x00\x00", 7},
    /* Never allowed: unused, floats, extensions. */
    {(const uint8_t *)"\xc1", 1},
    {(const uint8_t *)"\xca\x00\x00\x00\x00", 5},
    {(const uint8_t *)"\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 9},
    {(const uint8_t *)"\xc7\x01\x01\x00", 4},
    {(const uint8_t *)"\xc8\x00\x01\x01\x00", 5},
    {(const uint8_t *)"\xc9\x00\x00\x00\x01\x01\x00", 7},
    {(const uint8_t *)"\xd4\x01\x00", 3},
    {(const uint8_t *)"\xd5\x01\x00\x00", 4},
    {(const uint8_t *)"\xd6\x01\x00\x00\x00\x00", 6},
    {(const uint8_t *)"\xd7\x01\x00\x00\x00\x00\x00\x00\x00\x00", 10},
    {(const uint8_t *)"\xd8\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
     18},
    /* Text that is not UTF-8. */
    {(const uint8_t *)"\xa1\x00", 2},
    {(const uint8_t *)"\xa1\x80", 2},
    {(const uint8_t *)"\xa2\xc0\xaf", 3},
};

static void every_form_that_is_not_canonical_is_refused_by_every_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(not_canonical); i++) {
        const struct spean_view bytes = not_canonical[i];
        uint64_t number = 0;
        int64_t signed_number = 0;
        assert_int_equal(skip_all(bytes), SPEAN_EFORMAT);
        assert_int_equal(read_uint(bytes, UINT64_MAX, &number), SPEAN_EFORMAT);
        assert_int_equal(read_int(bytes, &signed_number), SPEAN_EFORMAT);

        struct spean_reader r = reader_of(bytes);
        assert_null(spean_reader_str(&r, 0, SIZE_MAX).data);
        assert_int_equal(r.err, SPEAN_EFORMAT);
        r = reader_of(bytes);
        assert_null(spean_reader_bin(&r, 0, SIZE_MAX).data);
        assert_int_equal(r.err, SPEAN_EFORMAT);
        r = reader_of(bytes);
        assert_int_equal(spean_reader_array(&r, 0, UINT32_MAX), 0);
        assert_int_equal(r.err, SPEAN_EFORMAT);
        r = reader_of(bytes);
        assert_int_equal(spean_reader_map(&r, UINT32_MAX), 0);
        assert_int_equal(r.err, SPEAN_EFORMAT);
        assert_ptr_equal(r.pos, bytes.data);
    }
}

static void a_value_within_an_array_is_checked_as_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(not_canonical); i++) {
        uint8_t bytes[32] = {0x91};
        memcpy(bytes + 1, not_canonical[i].data, not_canonical[i].len);
        assert_int_equal(skip_all((struct spean_view){bytes, not_canonical[i].len + 1}),
                         SPEAN_EFORMAT);
    }
}

static void bin_and_str_lengths_are_held_to_their_bounds(void **state)
{
    (void)state;
    const struct spean_view bin = BYTES("\xc4\x03xyz");
    struct spean_reader r = reader_of(bin);
    const struct spean_view found = spean_reader_bin(&r, 3, 3);
    assert_int_equal(spean_reader_end(&r), SPEAN_OK);
    assert_ptr_equal(found.data, bin.data + 2);
    assert_int_equal(found.len, 3);

    r = reader_of(bin);
    assert_int_equal(spean_reader_bin(&r, 0, 2).len, 0);
    assert_int_equal(spean_reader_end(&r), SPEAN_ELIMIT);
    r = reader_of(bin);
    assert_int_equal(spean_reader_bin(&r, 4, 9).len, 0);
    assert_int_equal(spean_reader_end(&r), SPEAN_EFORMAT);

    r = reader_of(BYTES("\xa3xyz"));
    assert_int_equal(spean_reader_str(&r, 0, 2).len, 0);
    assert_int_equal(spean_reader_end(&r), SPEAN_ELIMIT);
    r = reader_of(BYTES("\xa3xyz"));
    assert_int_equal(spean_reader_str(&r, 4, 9).len, 0);
    assert_int_equal(spean_reader_end(&r), SPEAN_EFORMAT);
    r = reader_of(BYTES("\xa0"));
    assert_non_null(spean_reader_str(&r, 0, 0).data);
    assert_int_equal(spean_reader_end(&r), SPEAN_OK);
}

static void bytes_and_text_do_not_stand_for_each_other(void **state)
{
    (void)state;
    struct spean_reader r = reader_of(BYTES("\xa1x"));
    assert_null(spean_reader_bin(&r, 0, 9).data);
    assert_int_equal(spean_reader_end(&r), SPEAN_EFORMAT);
    r = reader_of(BYTES("\xc4\x01x"));
    assert_null(spean_reader_str(&r, 0, 9).data);
    assert_int_equal(spean_reader_end(&r), SPEAN_EFORMAT);
}

static void a_fixed_bin_of_another_length_is_refused_and_gives_zeros(void **state)
{
    (void)state;
    const struct spean_view bytes = BYTES("\xc4\x03xyz");
    for (size_t len = 1; len <= 5; len++) {
        uint8_t out[5] = {1, 1, 1, 1, 1};
        struct spean_reader r = reader_of(bytes);
        spean_reader_bin_fixed(&r, out, len);
        if (len == 3) {
            assert_int_equal(spean_reader_end(&r), SPEAN_OK);
            assert_memory_equal(out, "xyz", 3);
            continue;
        }
        const uint8_t zeros[5] = {0};
        assert_int_equal(spean_reader_end(&r), SPEAN_EFORMAT);
        assert_memory_equal(out, zeros, len);
        assert_ptr_equal(r.pos, bytes.data);
    }
}

static void array_and_map_counts_are_held_to_their_bounds(void **state)
{
    (void)state;
    struct spean_reader r = reader_of(BYTES("\x92\x01\x02"));
    assert_int_equal(spean_reader_array(&r, 2, 2), 2);
    assert_false(spean_reader_failed(&r));

    r = reader_of(BYTES("\x92\x01\x02"));
    assert_int_equal(spean_reader_array(&r, 0, 1), 0);
    assert_int_equal(spean_reader_end(&r), SPEAN_ELIMIT);
    r = reader_of(BYTES("\x92\x01\x02"));
    assert_int_equal(spean_reader_array(&r, 3, 9), 0);
    assert_int_equal(spean_reader_end(&r), SPEAN_EFORMAT);
    r = reader_of(BYTES("\x82\x01\x02\x03\x04"));
    assert_int_equal(spean_reader_map(&r, 1), 0);
    assert_int_equal(spean_reader_end(&r), SPEAN_ELIMIT);
    r = reader_of(BYTES("\x82\x01\x02\x03\x04"));
    assert_int_equal(spean_reader_map(&r, 2), 2);
    assert_false(spean_reader_failed(&r));
}

static void counts_and_lengths_that_the_bytes_cannot_hold_are_refused(void **state)
{
    (void)state;
    const struct spean_view liars[] = {
        BYTES("\x91"),
        BYTES("\x93\x01\x02"),
        BYTES("\x81\x01"),
        BYTES("\x82\x01\x02\x03"),
        BYTES("\xdd\xff\x00\x00\x00"), /* Asks msgpack-c for 96 GB. */
        BYTES("\xdd\xff\xff\xff\xff\x00"),
        BYTES("\xdf\xff\xff\xff\xff\x00\x00"),
        BYTES("\xdf\x80\x00\x00\x00\x00\x00"),
        BYTES("\xc6\xff\xff\xff\xff\x00"),
        BYTES("\xdb\xff\xff\xff\xff\x00"),
        BYTES("\xc4\x02x"),
        BYTES("\xa2x"),
    };
    for (size_t i = 0; i < COUNT(liars); i++) {
        assert_int_equal(skip_all(liars[i]), SPEAN_EFORMAT);
        struct spean_reader r = reader_of(liars[i]);
        switch (spean_reader_peek(&r)) {
        case SPEAN_READER_ARRAY:
            assert_int_equal(spean_reader_array(&r, 0, UINT32_MAX), 0);
            break;
        case SPEAN_READER_MAP:
            assert_int_equal(spean_reader_map(&r, UINT32_MAX), 0);
            break;
        case SPEAN_READER_BIN:
            assert_null(spean_reader_bin(&r, 0, SIZE_MAX).data);
            break;
        case SPEAN_READER_STR:
            assert_null(spean_reader_str(&r, 0, SIZE_MAX).data);
            break;
        case SPEAN_READER_NONE:
        case SPEAN_READER_NIL:
        case SPEAN_READER_BOOL:
        case SPEAN_READER_UINT:
        case SPEAN_READER_NEGATIVE:
            fail();
        }
        assert_int_equal(r.err, SPEAN_EFORMAT);
        assert_ptr_equal(r.pos, liars[i].data);
    }
}

static void a_lying_count_is_told_before_any_element_is_read(void **state)
{
    (void)state;
    const struct spean_view liars[] = {BYTES("\x93\x01\x02"), BYTES("\x82\x01\x02\x03")};
    for (size_t i = 0; i < COUNT(liars); i++) {
        struct spean_reader r = reader_of(liars[i]);
        /* Elements would run into the limit of one byte first. */
        assert_null(spean_reader_value(&r, 1).data);
        assert_int_equal(spean_reader_end(&r), SPEAN_EFORMAT);
    }
}

static void nil_and_bool_are_told_from_all_else(void **state)
{
    (void)state;
    struct spean_reader r = reader_of(BYTES("\xc0\xc2\xc3"));
    assert_true(spean_reader_nil(&r));
    assert_false(spean_reader_nil(&r));
    assert_false(spean_reader_bool(&r));
    assert_true(spean_reader_bool(&r));
    assert_int_equal(spean_reader_end(&r), SPEAN_OK);
    assert_false(spean_reader_nil(&r));

    r = reader_of(BYTES("\x01"));
    assert_false(spean_reader_bool(&r));
    assert_int_equal(spean_reader_end(&r), SPEAN_EFORMAT);
}

static void peek_names_the_kind_of_every_first_byte(void **state)
{
    (void)state;
    for (unsigned first = 0; first <= 0xff; first++) {
        const uint8_t byte = (uint8_t)first;
        struct spean_reader r = reader_of((struct spean_view){&byte, 1});
        enum spean_reader_kind expected = SPEAN_READER_NONE;
        if (first <= 0x7f || (first >= 0xcc && first <= 0xcf)) {
            expected = SPEAN_READER_UINT;
        } else if (first <= 0x8f || first == 0xde || first == 0xdf) {
            expected = SPEAN_READER_MAP;
        } else if (first <= 0x9f || first == 0xdc || first == 0xdd) {
            expected = SPEAN_READER_ARRAY;
        } else if (first <= 0xbf || (first >= 0xd9 && first <= 0xdb)) {
            expected = SPEAN_READER_STR;
        } else if (first == 0xc0) {
            expected = SPEAN_READER_NIL;
        } else if (first == 0xc2 || first == 0xc3) {
            expected = SPEAN_READER_BOOL;
        } else if (first >= 0xc4 && first <= 0xc6) {
            expected = SPEAN_READER_BIN;
        } else if (first >= 0xe0 || (first >= 0xd0 && first <= 0xd3)) {
            expected = SPEAN_READER_NEGATIVE;
        }
        assert_int_equal(spean_reader_peek(&r), expected);
    }
    struct spean_reader r = reader_of((struct spean_view){NULL, 0});
    assert_int_equal(spean_reader_peek(&r), SPEAN_READER_NONE);
}

static void after_an_error_every_read_gives_zero_and_consumes_nothing(void **state)
{
    (void)state;
    const struct spean_view bytes = BYTES("\x05\x01\xc3\xc0\xc4\x01x\xa1x\x91\x01\x81\x01\x01");
    struct spean_reader r = reader_of(bytes);
    assert_true(spean_reader_uint(&r, 4) == 0);
    for (size_t at = 0; at < bytes.len; at++) {
        r.pos = bytes.data + at; /* Whatever comes next must not be looked at. */
        uint8_t out[1] = {9};
        spean_reader_bin_fixed(&r, out, 1);
        assert_int_equal(out[0], 0);
        assert_true(spean_reader_uint(&r, UINT64_MAX) == 0);
        assert_true(spean_reader_int(&r) == 0);
        assert_false(spean_reader_bool(&r));
        assert_false(spean_reader_nil(&r));
        assert_null(spean_reader_bin(&r, 0, 9).data);
        assert_null(spean_reader_str(&r, 0, 9).data);
        assert_int_equal(spean_reader_array(&r, 0, 9), 0);
        assert_int_equal(spean_reader_map(&r, 9), 0);
        assert_null(spean_reader_value(&r, SIZE_MAX).data);
        assert_int_equal(spean_reader_peek(&r), SPEAN_READER_NONE);
        assert_ptr_equal(r.pos, bytes.data + at);
        assert_true(spean_reader_failed(&r));
        spean_reader_fail(&r, SPEAN_EDENIED);
        assert_int_equal(spean_reader_end(&r), SPEAN_ELIMIT); /* The first error stays. */
    }
}

static void what_the_caller_finds_wrong_sticks_too(void **state)
{
    (void)state;
    struct spean_reader r = reader_of(BYTES("\x01"));
    spean_reader_fail(&r, SPEAN_EVERSION);
    assert_true(spean_reader_uint(&r, 9) == 0);
    assert_int_equal(spean_reader_end(&r), SPEAN_EVERSION);
}

static void bytes_left_over_are_refused(void **state)
{
    (void)state;
    uint64_t value = 0;
    assert_int_equal(read_uint(BYTES("\x01\x01"), 9, &value), SPEAN_EFORMAT);
    struct spean_reader r = reader_of((struct spean_view){NULL, 0});
    assert_int_equal(spean_reader_end(&r), SPEAN_OK);
    assert_true(spean_reader_uint(&r, 9) == 0);
    assert_int_equal(spean_reader_end(&r), SPEAN_EFORMAT);
}

static void map_keys_must_be_of_one_kind_and_strictly_ascend(void **state)
{
    (void)state;
    const struct spean_view good[] = {
        BYTES("\x80"),
        BYTES("\x82\x01\x00\x02\x00"),
        BYTES("\x82\x7f\x00\xcc\x80\x00"),
        BYTES("\x82\xcc\xff\x00\xcd\x01\x00\x00"),
        BYTES("\x82\xa0\x00\xa1"
              "a\x00"),
        BYTES("\x82\xa1"
              "a\x00\xa2"
              "aa\x00"),
        BYTES("\x82\xa2"
              "aa\x00\xa1"
              "b\x00"), /* Not by length. */
        BYTES("\x82\xa1"
              "a\x00\xa2\xc3\xa9\x00"),
        BYTES("\x82\x01\x81\x01\x00\x02\x81\x01\x00"), /* Inner keys start anew. */
    };
    const struct spean_view bad[] = {
        BYTES("\x82\x02\x00\x01\x00"),
        BYTES("\x82\x01\x00\x01\x00"),
        BYTES("\x82\xa1"
              "a\x00\xa1"
              "a\x00"),
        BYTES("\x82\xa1"
              "b\x00\xa1"
              "a\x00"),
        BYTES("\x82\xa2"
              "aa\x00\xa1"
              "a\x00"),
        BYTES("\x82\xa1"
              "a\x00\xa0\x00"),
        BYTES("\x82\x01\x00\xa1"
              "a\x00"),
        BYTES("\x82\xa1"
              "a\x00\x01\x00"),
        BYTES("\x81\xff\x00"),
        BYTES("\x81\xc0\x00"),
        BYTES("\x81\xc3\x00"),
        BYTES("\x81\xc4\x01x\x00"),
        BYTES("\x81\x90\x00"),
        BYTES("\x81\x80\x00"),
        BYTES("\x82\x02\x81\x01\x00\x01\x00"), /* The outer key outlives the inner map. */
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(skip_all(good[i]), SPEAN_OK);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(skip_all(bad[i]), SPEAN_EFORMAT);
    }
}

static void values_nest_to_the_limit_and_no_deeper(void **state)
{
    (void)state;
    uint8_t arrays[SPEAN_READER_DEPTH_MAX + 2];
    memset(arrays, 0x91, sizeof(arrays));
    arrays[SPEAN_READER_DEPTH_MAX] = 0x05;
    assert_int_equal(skip_all((struct spean_view){arrays, SPEAN_READER_DEPTH_MAX + 1}), SPEAN_OK);
    arrays[SPEAN_READER_DEPTH_MAX] = 0x90; /* Empty, yet one deeper. */
    assert_int_equal(skip_all((struct spean_view){arrays, SPEAN_READER_DEPTH_MAX + 1}),
                     SPEAN_ELIMIT);
    arrays[SPEAN_READER_DEPTH_MAX - 1] = 0x90;
    assert_int_equal(skip_all((struct spean_view){arrays, SPEAN_READER_DEPTH_MAX}), SPEAN_OK);

    uint8_t maps[2 * (SPEAN_READER_DEPTH_MAX + 1) + 1];
    for (size_t i = 0; i <= SPEAN_READER_DEPTH_MAX; i++) {
        maps[2 * i] = 0x81;
        maps[2 * i + 1] = 0x01;
    }
    maps[2 * SPEAN_READER_DEPTH_MAX] = 0x05;
    assert_int_equal(skip_all((struct spean_view){maps, 2 * SPEAN_READER_DEPTH_MAX + 1}), SPEAN_OK);
    maps[2 * SPEAN_READER_DEPTH_MAX] = 0x81;
    maps[sizeof(maps) - 1] = 0x05;
    assert_int_equal(skip_all((struct spean_view){maps, sizeof(maps)}), SPEAN_ELIMIT);
}

static void a_deeply_nested_flood_is_refused_at_the_limit(void **state)
{
    (void)state;
    static uint8_t flood[65536];
    memset(flood, 0x91, sizeof(flood));
    assert_int_equal(skip_all((struct spean_view){flood, sizeof(flood)}), SPEAN_ELIMIT);
}

static void many_siblings_are_not_depth(void **state)
{
    (void)state;
    uint8_t bytes[1 + 15 * 2];
    bytes[0] = 0x9f;
    for (size_t i = 0; i < 15; i++) {
        bytes[1 + 2 * i] = 0x91;
        bytes[2 + 2 * i] = 0xc0;
    }
    assert_int_equal(skip_all((struct spean_view){bytes, sizeof(bytes)}), SPEAN_OK);
}

static void a_skipped_value_is_exactly_one_and_within_its_limit(void **state)
{
    (void)state;
    const struct spean_view bytes = BYTES("\x92\x01\xa1x\x07");
    struct spean_reader r = reader_of(bytes);
    const struct spean_view value = spean_reader_value(&r, 4);
    assert_ptr_equal(value.data, bytes.data);
    assert_int_equal(value.len, 4);
    assert_true(spean_reader_uint(&r, 9) == 7);
    assert_int_equal(spean_reader_end(&r), SPEAN_OK);

    r = reader_of(bytes);
    assert_null(spean_reader_value(&r, 3).data);
    assert_int_equal(spean_reader_end(&r), SPEAN_ELIMIT);
    assert_ptr_equal(r.pos, bytes.data);
}

/* One value with every kind in it, and its field-by-field reading. */
static const struct spean_view sample = {
    (const uint8_t
         *)"\x98\x01\xd1\xff\x7f\xc3\xc0\xc4\x02xy\xa3\xe1\x9e\x80\x92\x01\x02\x81\x01\x02",
    21};

static spean_err sample_decode(struct spean_view bytes)
{
    struct spean_reader r = reader_of(bytes);
    uint8_t bin[2];
    (void)spean_reader_array(&r, 8, 8);
    (void)spean_reader_uint(&r, 9);
    (void)spean_reader_int(&r);
    (void)spean_reader_bool(&r);
    if (!spean_reader_nil(&r)) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    spean_reader_bin_fixed(&r, bin, sizeof(bin));
    (void)spean_reader_str(&r, 1, 9);
    (void)spean_reader_value(&r, 9);
    if (spean_reader_map(&r, 4) > 0) {
        (void)spean_reader_uint(&r, 9);
        (void)spean_reader_uint(&r, 9);
    }
    return spean_reader_end(&r);
}

static void a_value_cut_off_at_any_byte_is_refused(void **state)
{
    (void)state;
    assert_int_equal(skip_all(sample), SPEAN_OK);
    assert_int_equal(sample_decode(sample), SPEAN_OK);
    for (size_t len = 0; len < sample.len; len++) {
        uint8_t *exact = malloc(len + 1); /* So that a sanitizer sees a read past the end. */
        assert_non_null(exact);
        memcpy(exact + 1, sample.data, len);
        const struct spean_view cut = {exact + 1, len};
        assert_int_equal(skip_all(cut), SPEAN_EFORMAT);
        assert_int_equal(sample_decode(cut), SPEAN_EFORMAT);
        free(exact);
    }
}

/* Differential test: msgpack-c's unpacker is the oracle. */

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* A number whose size is random too, so that each form comes up. */
static uint64_t random_number(uint64_t *seed)
{
    return next_random(seed) >> next_random(seed) % 64;
}

static void write_scalar(struct spean_writer *w, uint64_t *seed)
{
    static const char text[] = "sok \xe1\x9e\x9f\xe1\x9f\x92\xe1\x9e\x96\xe1\x9e\xb6\xe1\x9e\x93";
    static const uint8_t zeros[300];
    switch (next_random(seed) % 6) {
    case 0:
        spean_writer_nil(w);
        break;
    case 1:
        spean_writer_bool(w, next_random(seed) % 2 == 0);
        break;
    case 2:
        spean_writer_uint(w, random_number(seed));
        break;
    case 3:
        spean_writer_int(w, -1 - (int64_t)(random_number(seed) >> 1));
        break;
    case 4:
        spean_writer_bin(w, zeros, random_number(seed) % sizeof(zeros));
        break;
    default:
        spean_writer_str(w, text, next_random(seed) % 2 == 0 ? 4 : sizeof(text) - 1);
        break;
    }
}

/* One value, nested up to three deep by loops. */
static void write_value(struct spean_writer *w, uint64_t *seed)
{
    const uint32_t rows = (uint32_t)(next_random(seed) % 20);
    spean_writer_array(w, rows);
    for (uint32_t i = 0; i < rows; i++) {
        const uint32_t pairs = (uint32_t)(next_random(seed) % 18);
        uint64_t key = random_number(seed) / 2;
        spean_writer_map(w, pairs);
        for (uint32_t j = 0; j < pairs; j++) {
            spean_writer_uint(w, key);
            key += 1 + random_number(seed) % (UINT64_MAX / 64);
            if (next_random(seed) % 4 == 0) {
                spean_writer_array(w, 2);
                write_scalar(w, seed);
            }
            write_scalar(w, seed);
        }
    }
}

/* Say whether msgpack-c decodes bytes and packs what it decoded to the same bytes. */
static bool oracle_agrees(struct spean_view bytes)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t used = 0;
    const msgpack_unpack_return got =
        msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.len, &used);
    bool agrees = got == MSGPACK_UNPACK_SUCCESS && used == bytes.len;
    if (agrees) {
        msgpack_sbuffer again;
        msgpack_sbuffer_init(&again);
        msgpack_packer packer;
        msgpack_packer_init(&packer, &again, msgpack_sbuffer_write);
        agrees = msgpack_pack_object(&packer, unpacked.data) == 0 && again.size == bytes.len &&
                 memcmp(again.data, bytes.data, bytes.len) == 0;
        msgpack_sbuffer_destroy(&again);
    }
    msgpack_unpacked_destroy(&unpacked);
    return agrees;
}

static void what_is_accepted_msgpack_c_decodes_and_packs_to_the_same_bytes(void **state)
{
    (void)state;
    static uint8_t buf[131072];
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned round = 0; round < 300; round++) {
        struct spean_writer w;
        struct spean_view bytes = {NULL, 0};
        spean_writer_init(&w, buf, sizeof(buf));
        write_value(&w, &seed);
        assert_int_equal(spean_writer_end(&w, &bytes), SPEAN_OK);
        assert_int_equal(skip_all(bytes), SPEAN_OK);
        assert_true(oracle_agrees(bytes));
    }
}

static void damaged_bytes_that_are_accepted_still_agree_with_msgpack_c(void **state)
{
    (void)state;
    static uint8_t buf[131072];
    uint64_t seed = UINT64_C(0xd1b54a32d192ed03);
    unsigned accepted = 0;
    unsigned refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        struct spean_writer w;
        struct spean_view bytes = {NULL, 0};
        spean_writer_init(&w, buf, sizeof(buf));
        spean_writer_array(&w, 3);
        write_scalar(&w, &seed);
        write_scalar(&w, &seed);
        write_scalar(&w, &seed);
        assert_int_equal(spean_writer_end(&w, &bytes), SPEAN_OK);
        buf[next_random(&seed) % bytes.len] = (uint8_t)next_random(&seed);
        if (skip_all(bytes) != SPEAN_OK) {
            refused++;
            continue;
        }
        accepted++;
        assert_true(oracle_agrees(bytes));
    }
    assert_true(accepted > 100);
    assert_true(refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_integers_are_read_at_every_boundary),
        cmocka_unit_test(signed_integers_are_read_at_every_boundary),
        cmocka_unit_test(an_integer_below_zero_is_no_unsigned_integer),
        cmocka_unit_test(every_form_that_is_not_canonical_is_refused_by_every_read),
        cmocka_unit_test(a_value_within_an_array_is_checked_as_strictly),
        cmocka_unit_test(bin_and_str_lengths_are_held_to_their_bounds),
        cmocka_unit_test(bytes_and_text_do_not_stand_for_each_other),
        cmocka_unit_test(a_fixed_bin_of_another_length_is_refused_and_gives_zeros),
        cmocka_unit_test(array_and_map_counts_are_held_to_their_bounds),
        cmocka_unit_test(counts_and_lengths_that_the_bytes_cannot_hold_are_refused),
        cmocka_unit_test(a_lying_count_is_told_before_any_element_is_read),
        cmocka_unit_test(nil_and_bool_are_told_from_all_else),
        cmocka_unit_test(peek_names_the_kind_of_every_first_byte),
        cmocka_unit_test(after_an_error_every_read_gives_zero_and_consumes_nothing),
        cmocka_unit_test(what_the_caller_finds_wrong_sticks_too),
        cmocka_unit_test(bytes_left_over_are_refused),
        cmocka_unit_test(map_keys_must_be_of_one_kind_and_strictly_ascend),
        cmocka_unit_test(values_nest_to_the_limit_and_no_deeper),
        cmocka_unit_test(a_deeply_nested_flood_is_refused_at_the_limit),
        cmocka_unit_test(many_siblings_are_not_depth),
        cmocka_unit_test(a_skipped_value_is_exactly_one_and_within_its_limit),
        cmocka_unit_test(a_value_cut_off_at_any_byte_is_refused),
        cmocka_unit_test(what_is_accepted_msgpack_c_decodes_and_packs_to_the_same_bytes),
        cmocka_unit_test(damaged_bytes_that_are_accepted_still_agree_with_msgpack_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
