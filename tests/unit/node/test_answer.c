/* What answers have in common: bytes in hex. */
#include "node/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct world {
    struct spean_reply reply;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    spean_reply_fini(&w->reply);
    free(w);
    return 0;
}

static void bytes_that_are_not_hex_or_of_another_length_are_refused(void **state)
{
    struct world *w = *state;
    static const char *const wrong[] = {"", "0", "0g", "0A", "001", "000000", "00 0"};
    uint8_t out[2] = {7, 7};
    json_t *object = json_object();
    assert_false(spean_answer_read_fixed(object, "key", out, sizeof(out), &w->reply));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)json_object_set_new(object, "key", json_string(wrong[i]));
        assert_false(spean_answer_read_fixed(object, "key", out, sizeof(out), &w->reply));
        assert_int_equal(w->reply.status, 400);
    }
    (void)json_object_set_new(object, "key", json_integer(7));
    assert_false(spean_answer_read_fixed(object, "key", out, sizeof(out), &w->reply));
    (void)json_object_set_new(object, "key", json_string("00ff"));
    assert_true(spean_answer_read_fixed(object, "key", out, sizeof(out), &w->reply));
    assert_int_equal(out[1], 0xff);
    json_decref(object);
}

static void bytes_beyond_the_limit_are_refused_before_memory_is_taken(void **state)
{
    struct world *w = *state;
    uint8_t *out = NULL;
    size_t len = 0;
    json_t *object = json_pack("{s:s}", "key", "000102");
    assert_false(spean_answer_read_hex(object, "key", 2, &out, &len, &w->reply));
    assert_null(out);
    assert_int_equal(w->reply.status, 400);
    assert_true(spean_answer_read_hex(object, "key", 3, &out, &len, &w->reply));
    assert_int_equal(len, 3);
    assert_int_equal(out[2], 2);
    free(out);
    json_decref(object);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(bytes_that_are_not_hex_or_of_another_length_are_refused),
        TEST(bytes_beyond_the_limit_are_refused_before_memory_is_taken),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
