#include "protocol/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/reader.h"

static void assert_written(const struct spean_writer *w, const char *bytes, size_t len)
{
    struct spean_view out = {NULL, 0};
    assert_int_equal(spean_writer_end(w, &out), SPEAN_OK);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, bytes, len);
}

static void integers_take_their_shortest_form(void **state)
{
    (void)state;
    uint8_t buf[128];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_uint(&w, 127);
    spean_writer_uint(&w, 128);
    spean_writer_uint(&w, 255);
    spean_writer_uint(&w, 256);
    spean_writer_uint(&w, 65535);
    spean_writer_uint(&w, 65536);
    spean_writer_uint(&w, UINT32_MAX);
    spean_writer_uint(&w, UINT64_C(0x100000000));
    static const char unsigned_bytes[] = "\x7f\xcc\x80\xcc\xff\xcd\x01\x00\xcd\xff\xff"
                                         "\xce\x00\x01\x00\x00\xce\xff\xff\xff\xff"
                                         "\xcf\x00\x00\x00\x01\x00\x00\x00\x00";
    assert_written(&w, unsigned_bytes, sizeof(unsigned_bytes) - 1);

    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_int(&w, 5);
    spean_writer_int(&w, 200);
    spean_writer_int(&w, -1);
    spean_writer_int(&w, -32);
    spean_writer_int(&w, -33);
    spean_writer_int(&w, -129);
    spean_writer_int(&w, -32769);
    spean_writer_int(&w, INT64_MIN);
    static const char signed_bytes[] = "\x05\xcc\xc8\xff\xe0\xd0\xdf\xd1\xff\x7f"
                                       "\xd2\xff\xff\x7f\xff"
                                       "\xd3\x80\x00\x00\x00\x00\x00\x00\x00";
    assert_written(&w, signed_bytes, sizeof(signed_bytes) - 1);
}

static void lengths_take_their_shortest_form(void **state)
{
    (void)state;
    static uint8_t buf[70000];
    static uint8_t content[65536];
    const struct {
        size_t len;
        const char *bin;
        size_t bin_len;
        const char *str;
        size_t str_len;
    } cases[] = {
        {0, "\xc4\x00", 2, "\xa0", 1},
        {31, "\xc4\x1f", 2, "\xbf", 1},
        {32, "\xc4\x20", 2, "\xd9\x20", 2},
        {255, "\xc4\xff", 2, "\xd9\xff", 2},
        {256, "\xc5\x01\x00", 3, "\xda\x01\x00", 3},
        {65535, "\xc5\xff\xff", 3, "\xda\xff\xff", 3},
        {65536, "\xc6\x00\x01\x00\x00", 5, "\xdb\x00\x01\x00\x00", 5},
    };
    memset(content, 'x', sizeof(content));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct spean_writer w;
        spean_writer_init(&w, buf, sizeof(buf));
        spean_writer_bin(&w, content, cases[i].len);
        assert_int_equal(w.len, cases[i].bin_len + cases[i].len);
        assert_memory_equal(buf, cases[i].bin, cases[i].bin_len);

        spean_writer_init(&w, buf, sizeof(buf));
        spean_writer_str(&w, content, cases[i].len);
        assert_int_equal(w.len, cases[i].str_len + cases[i].len);
        assert_memory_equal(buf, cases[i].str, cases[i].str_len);
    }
}

static void counts_take_their_shortest_form(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, 15);
    spean_writer_array(&w, 16);
    spean_writer_array(&w, 65536);
    spean_writer_map(&w, 15);
    spean_writer_map(&w, 16);
    spean_writer_map(&w, 65536);
    static const char bytes[] = "\x9f\xdc\x00\x10\xdd\x00\x01\x00\x00"
                                "\x8f\xde\x00\x10\xdf\x00\x01\x00\x00";
    assert_written(&w, bytes, sizeof(bytes) - 1);
}

static void text_that_is_not_utf_8_is_refused(void **state)
{
    (void)state;
    uint8_t buf[16];
    struct spean_writer w;
    struct spean_view out = {NULL, 0};
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_str(&w, "\xff", 1);
    spean_writer_nil(&w);
    assert_int_equal(spean_writer_end(&w, &out), SPEAN_EFORMAT);
    assert_null(out.data);
    assert_int_equal(w.len, 0);
}

static void write_sample(struct spean_writer *w)
{
    static const uint8_t raw[] = {0x92, 0x01, 0x02};
    spean_writer_array(w, 8);
    spean_writer_nil(w);
    spean_writer_bool(w, true);
    spean_writer_bool(w, false);
    spean_writer_uint(w, 300);
    spean_writer_int(w, -300);
    spean_writer_bin(w, "\x01\x02", 2);
    spean_writer_raw(w, (struct spean_view){raw, sizeof(raw)});
    spean_writer_map(w, 1);
    spean_writer_str(w, "name", 4);
    spean_writer_str(w, "\xe1\x9e\x80", 3);
}

static void what_is_written_the_reader_accepts(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct spean_writer w;
    struct spean_view out = {NULL, 0};
    spean_writer_init(&w, buf, sizeof(buf));
    write_sample(&w);
    assert_int_equal(spean_writer_end(&w, &out), SPEAN_OK);

    struct spean_reader r;
    spean_reader_init(&r, out);
    (void)spean_reader_value(&r, sizeof(buf));
    assert_int_equal(spean_reader_end(&r), SPEAN_OK);
}

static void a_buffer_one_byte_or_more_too_small_is_a_limit_and_never_overrun(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    write_sample(&w);
    const size_t needed = w.len;

    for (size_t cap = 0; cap < needed; cap++) {
        struct spean_view out = {NULL, 0};
        memset(buf, 0xee, sizeof(buf));
        spean_writer_init(&w, buf, cap);
        write_sample(&w);
        assert_int_equal(spean_writer_end(&w, &out), SPEAN_ELIMIT);
        assert_null(out.data);
        assert_true(w.len <= cap);
        for (size_t i = cap; i < sizeof(buf); i++) {
            assert_int_equal(buf[i], 0xee);
        }
    }
    spean_writer_init(&w, buf, needed);
    write_sample(&w);
    assert_int_equal(w.err, SPEAN_OK);
}

static void after_an_error_nothing_is_written_though_it_would_fit(void **state)
{
    (void)state;
    uint8_t buf[4];
    struct spean_writer w;
    struct spean_view out = {NULL, 0};
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_nil(&w);
    spean_writer_bin(&w, "12345678", 8);
    spean_writer_nil(&w);
    spean_writer_str(&w, "x", 1);
    assert_int_equal(w.len, 1);
    assert_int_equal(spean_writer_end(&w, &out), SPEAN_ELIMIT);
}

static void a_length_beyond_32_bits_is_a_limit_not_cut_short(void **state)
{
    (void)state;
    uint8_t buf[4];
    struct spean_writer w;
    struct spean_view out = {NULL, 0};
    spean_writer_init(&w, buf, SIZE_MAX); /* Only says so: nothing is written. */
    spean_writer_bin(&w, buf, (size_t)UINT32_MAX + 1);
    assert_int_equal(w.len, 0);
    assert_int_equal(spean_writer_end(&w, &out), SPEAN_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_take_their_shortest_form),
        cmocka_unit_test(lengths_take_their_shortest_form),
        cmocka_unit_test(counts_take_their_shortest_form),
        cmocka_unit_test(text_that_is_not_utf_8_is_refused),
        cmocka_unit_test(what_is_written_the_reader_accepts),
        cmocka_unit_test(a_buffer_one_byte_or_more_too_small_is_a_limit_and_never_overrun),
        cmocka_unit_test(after_an_error_nothing_is_written_though_it_would_fit),
        cmocka_unit_test(a_length_beyond_32_bits_is_a_limit_not_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
