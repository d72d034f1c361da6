#include "node/zap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>
#include <zmq.h>

#include "node/selftest.h"

#define KEY_TEXT "0123456789abcdef0123456789ABCDEF" /* 32 bytes, as good as any. */

/* A handler, and an asker that speaks as libzmq's sessions do. */
struct fixture {
    void *zmq;
    struct spean_zap *zap;
    void *asker;
    bool admit;
    size_t asked;
    char domain[64];
    struct spean_key key;
};

struct part {
    const char *data;
    size_t len;
};

static const struct part good[] = {
    {"", 0},          {"1.0", 3}, {"1", 1},     {"spean", 5},
    {"192.0.2.1", 9}, {"", 0},    {"CURVE", 5}, {KEY_TEXT, 32},
};

#define GOOD_COUNT (sizeof(good) / sizeof(good[0]))

static bool decide(void *ctx, const char *domain, const struct spean_key *key)
{
    struct fixture *f = ctx;
    f->asked++;
    f->key = *key;
    strncpy(f->domain, domain, sizeof(f->domain) - 1);
    return f->admit;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->zmq = zmq_ctx_new();
    assert_int_equal(spean_zap_new(&f->zap, f->zmq, decide, f), SPEAN_OK);
    f->asker = zmq_socket(f->zmq, ZMQ_DEALER);
    const int patience_ms = 5000;
    assert_int_equal(zmq_setsockopt(f->asker, ZMQ_RCVTIMEO, &patience_ms, sizeof(patience_ms)), 0);
    assert_int_equal(zmq_connect(f->asker, "inproc://zeromq.zap.01"), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    const int linger_ms = 0;
    (void)zmq_setsockopt(f->asker, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    (void)zmq_close(f->asker);
    spean_zap_free(f->zap);
    (void)zmq_ctx_term(f->zmq);
    free(f);
    return 0;
}

/* Ask with these parts; returns what spean_zap_work() did. */
static size_t ask(struct fixture *f, const struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int flags = i + 1 < count ? ZMQ_SNDMORE : 0;
        assert_true(zmq_send(f->asker, parts[i].data, parts[i].len, flags) >= 0);
    }
    zmq_pollitem_t item = {.socket = spean_zap_socket(f->zap), .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, 5000), 1);
    return spean_zap_work(f->zap, 1);
}

static void expect_frame(struct fixture *f, const char *text)
{
    char got[128];
    const int len = zmq_recv(f->asker, got, sizeof(got) - 1, 0);
    assert_true(len >= 0);
    got[len] = '\0';
    assert_string_equal(got, text);
}

static void expect_answer(struct fixture *f, const char *request_id, const char *status,
                          const char *user_id)
{
    expect_frame(f, "");
    expect_frame(f, "1.0");
    expect_frame(f, request_id);
    expect_frame(f, status);
    expect_frame(f, "");
    expect_frame(f, user_id);
    expect_frame(f, "");
}

static void an_admitted_key_becomes_the_user_id_in_hex(void **state)
{
    struct fixture *f = *state;
    f->admit = true;
    assert_int_equal(ask(f, good, GOOD_COUNT), 0);
    expect_answer(f, "1", "200",
                  "3031323334353637383961626364656630313233343536373839414243444546");
    assert_memory_equal(f->key.bytes, KEY_TEXT, 32);
    assert_string_equal(f->domain, "spean");
}

static void a_refused_key_gets_400_and_no_user_id(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask(f, good, GOOD_COUNT), 0);
    expect_answer(f, "1", "400", "");
    assert_int_equal(f->asked, 1);
}

static void a_request_cut_after_any_frame_is_refused_unasked(void **state)
{
    struct fixture *f = *state;
    f->admit = true;
    for (size_t count = 2; count < GOOD_COUNT; count++) {
        assert_int_equal(ask(f, good, count), 1);
        expect_answer(f, count > 2 ? "1" : "", "500", "");
    }
    assert_int_equal(f->asked, 0);
}

static void a_request_with_a_frame_too_many_is_refused_unasked(void **state)
{
    struct fixture *f = *state;
    f->admit = true;
    struct part parts[GOOD_COUNT + 1];
    memcpy(parts, good, sizeof(good));
    parts[GOOD_COUNT] = (struct part){"", 0};
    assert_int_equal(ask(f, parts, GOOD_COUNT + 1), 1);
    expect_answer(f, "1", "500", "");
    assert_int_equal(f->asked, 0);
}

static void a_request_with_any_wrong_frame_is_refused_unasked(void **state)
{
    struct fixture *f = *state;
    f->admit = true;
    static const struct {
        size_t place;
        struct part part;
    } wrong[] = {
        {1, {"2.0", 3}},     {1, {"1.00", 4}},        {1, {"", 0}},        {3, {"spean\0x", 7}},
        {6, {"NULL", 4}},    {6, {"PLAIN", 5}},       {6, {"CURVE\0", 6}}, {6, {"", 0}},
        {7, {KEY_TEXT, 31}}, {7, {KEY_TEXT "x", 33}}, {7, {"", 0}},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct part parts[GOOD_COUNT];
        memcpy(parts, good, sizeof(good));
        parts[wrong[i].place] = wrong[i].part;
        assert_int_equal(ask(f, parts, GOOD_COUNT), 1);
        expect_answer(f, "1", "500", "");
    }
    assert_int_equal(f->asked, 0);
}

static void a_field_longer_than_its_limit_is_refused_unasked(void **state)
{
    struct fixture *f = *state;
    f->admit = true;
    static char longest[SPEAN_ZAP_FIELD_BYTES_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    struct part parts[GOOD_COUNT];
    memcpy(parts, good, sizeof(good));
    parts[4] = (struct part){longest, SPEAN_ZAP_FIELD_BYTES_MAX};
    assert_int_equal(ask(f, parts, GOOD_COUNT), 0);
    assert_int_equal(f->asked, 1);
    expect_answer(f, "1", "200",
                  "3031323334353637383961626364656630313233343536373839414243444546");

    parts[4].len++;
    assert_int_equal(ask(f, parts, GOOD_COUNT), 1);
    assert_int_equal(f->asked, 1);
    expect_answer(f, "1", "500", "");
}

static void a_context_has_one_handler_only(void **state)
{
    struct fixture *f = *state;
    struct spean_zap *second = NULL;
    assert_int_equal(spean_zap_new(&second, f->zmq, decide, f), SPEAN_EEXISTS);
    assert_null(second);
}

/* The self-test needs nothing of us but a handler, so its failures can be shown with bad ones. */

static void the_self_test_passes_when_the_handler_refuses(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(spean_selftest_run(f->zmq, f->zap), SPEAN_OK);
    assert_int_equal(f->asked, 1);
    assert_string_equal(f->domain, SPEAN_ZAP_DOMAIN_SELFTEST);
}

static void the_self_test_fails_when_the_handler_lets_everybody_in(void **state)
{
    struct fixture *f = *state;
    f->admit = true;
    assert_int_equal(spean_selftest_run(f->zmq, f->zap), SPEAN_EDENIED);
}

static void the_self_test_fails_without_a_handler(void **state)
{
    (void)state;
    void *zmq = zmq_ctx_new();
    assert_int_equal(spean_selftest_run(zmq, NULL), SPEAN_EIO);
    (void)zmq_ctx_term(zmq);
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_admitted_key_becomes_the_user_id_in_hex, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_refused_key_gets_400_and_no_user_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_cut_after_any_frame_is_refused_unasked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_request_with_a_frame_too_many_is_refused_unasked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_request_with_any_wrong_frame_is_refused_unasked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_field_longer_than_its_limit_is_refused_unasked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_context_has_one_handler_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_self_test_passes_when_the_handler_refuses, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_self_test_fails_when_the_handler_lets_everybody_in,
                                        set_up, tear_down),
        cmocka_unit_test(the_self_test_fails_without_a_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
