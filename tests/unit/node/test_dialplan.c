/* When a node is dialled again and where, on virtual time. */
#include "node/dialplan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct spean_dialplan_endpoints none = {.count = 0};
static const struct spean_dialplan_endpoints one = {.count = 1, .at = {"tcp://a:1"}};
static const struct spean_dialplan_endpoints two = {.count = 2, .at = {"tcp://a:1", "tcp://b:1"}};

static void dials(struct spean_dialplan *plan, const struct spean_dialplan_endpoints *endpoints,
                  enum spean_dial_state state, uint64_t now_ms, const char *endpoint)
{
    assert_int_equal(spean_dialplan_next(plan, endpoints, state, false, now_ms),
                     SPEAN_DIALPLAN_DIAL);
    assert_string_equal(plan->endpoint, endpoint);
}

static void leaves(struct spean_dialplan *plan, const struct spean_dialplan_endpoints *endpoints,
                   enum spean_dial_state state, uint64_t now_ms)
{
    assert_int_equal(spean_dialplan_next(plan, endpoints, state, false, now_ms),
                     SPEAN_DIALPLAN_LEAVE);
}

/* -- Sessions that end badly ------------------------------------------------------------------- */

static void each_session_that_ends_badly_doubles_the_wait_up_to_a_limit(void **state)
{
    (void)state;
    static const uint64_t waits_s[] = {10, 20, 40, 80, 160, 300, 300};
    struct spean_dialplan plan = {.tries = 0};
    uint64_t now_ms = 5000;
    for (size_t i = 0; i < sizeof(waits_s) / sizeof(waits_s[0]); i++) {
        spean_dialplan_failed(&plan, now_ms);
        leaves(&plan, &one, SPEAN_DIAL_NONE, now_ms + waits_s[i] * 1000 - 1);
        now_ms += waits_s[i] * 1000;
        dials(&plan, &one, SPEAN_DIAL_NONE, now_ms, "tcp://a:1");
    }
}

static void a_session_that_works_ends_the_wait(void **state)
{
    (void)state;
    struct spean_dialplan plan = {.tries = 0};
    spean_dialplan_failed(&plan, 0);
    spean_dialplan_failed(&plan, 0);
    spean_dialplan_worked(&plan);
    dials(&plan, &one, SPEAN_DIAL_NONE, 0, "tcp://a:1");
    spean_dialplan_failed(&plan, 1000);
    leaves(&plan, &one, SPEAN_DIAL_NONE, 10999);
    dials(&plan, &one, SPEAN_DIAL_NONE, 11000, "tcp://a:1");
}

static void who_is_in_a_hurry_waits_for_nothing(void **state)
{
    (void)state;
    struct spean_dialplan plan = {.tries = 0};
    spean_dialplan_failed(&plan, 0);
    assert_int_equal(spean_dialplan_next(&plan, &one, SPEAN_DIAL_NONE, true, 1),
                     SPEAN_DIALPLAN_DIAL);
    assert_int_equal(spean_dialplan_next(&plan, &one, SPEAN_DIAL_TRYING, true, 2),
                     SPEAN_DIALPLAN_LEAVE);
    assert_int_equal(spean_dialplan_next(&plan, &one, SPEAN_DIAL_UNREACHABLE, true, 3),
                     SPEAN_DIALPLAN_DIAL);
    assert_int_equal(spean_dialplan_next(&plan, &one, SPEAN_DIAL_UP, true, 4),
                     SPEAN_DIALPLAN_LEAVE);
}

/* -- Endpoints --------------------------------------------------------------------------------- */

static void a_node_without_endpoints_is_not_dialled(void **state)
{
    (void)state;
    struct spean_dialplan plan = {.tries = 0};
    leaves(&plan, &none, SPEAN_DIAL_NONE, 0);
    assert_string_equal(plan.endpoint, "");
}

static void the_only_endpoint_is_left_to_the_transport(void **state)
{
    (void)state;
    struct spean_dialplan plan = {.tries = 0};
    dials(&plan, &one, SPEAN_DIAL_NONE, 0, "tcp://a:1");
    leaves(&plan, &one, SPEAN_DIAL_TRYING, 10000);
    leaves(&plan, &one, SPEAN_DIAL_UNREACHABLE, 10000000);
}

static void endpoints_are_tried_in_turn_and_each_round_takes_twice_as_long(void **state)
{
    (void)state;
    struct spean_dialplan plan = {.tries = 0};
    dials(&plan, &two, SPEAN_DIAL_NONE, 0, "tcp://a:1");
    leaves(&plan, &two, SPEAN_DIAL_UNREACHABLE, 9999);
    dials(&plan, &two, SPEAN_DIAL_UNREACHABLE, 10000, "tcp://b:1");
    dials(&plan, &two, SPEAN_DIAL_TRYING, 20000, "tcp://a:1");
    leaves(&plan, &two, SPEAN_DIAL_UNREACHABLE, 39999);
    dials(&plan, &two, SPEAN_DIAL_UNREACHABLE, 40000, "tcp://b:1");
    leaves(&plan, &two, SPEAN_DIAL_UNREACHABLE, 59999);
    dials(&plan, &two, SPEAN_DIAL_UNREACHABLE, 60000, "tcp://a:1");
}

static void a_link_ends_the_rounds(void **state)
{
    (void)state;
    struct spean_dialplan plan = {.tries = 0};
    dials(&plan, &two, SPEAN_DIAL_NONE, 0, "tcp://a:1");
    dials(&plan, &two, SPEAN_DIAL_TRYING, 10000, "tcp://b:1");
    dials(&plan, &two, SPEAN_DIAL_TRYING, 20000, "tcp://a:1");
    leaves(&plan, &two, SPEAN_DIAL_UP, 30000);
    leaves(&plan, &two, SPEAN_DIAL_UP, 30000000);
    leaves(&plan, &two, SPEAN_DIAL_LOST, 30009999);
    dials(&plan, &two, SPEAN_DIAL_LOST, 30010000, "tcp://b:1");
}

static void an_endpoint_that_is_named_no_more_is_left_unless_a_link_lives(void **state)
{
    (void)state;
    static const struct spean_dialplan_endpoints other = {.count = 1, .at = {"tcp://c:1"}};
    struct spean_dialplan plan = {.tries = 0};
    dials(&plan, &one, SPEAN_DIAL_NONE, 0, "tcp://a:1");
    leaves(&plan, &other, SPEAN_DIAL_UP, 1);
    dials(&plan, &other, SPEAN_DIAL_LOST, 2, "tcp://c:1");
    leaves(&plan, &none, SPEAN_DIAL_UP, 3);
    assert_int_equal(spean_dialplan_next(&plan, &none, SPEAN_DIAL_TRYING, false, 4),
                     SPEAN_DIALPLAN_UNDIAL);
    leaves(&plan, &none, SPEAN_DIAL_NONE, 5);
}

static void after_an_endpoint_that_cannot_be_used_comes_the_next(void **state)
{
    (void)state;
    struct spean_dialplan plan = {.tries = 0};
    dials(&plan, &two, SPEAN_DIAL_NONE, 0, "tcp://a:1");
    dials(&plan, &two, SPEAN_DIAL_NONE, 10000, "tcp://b:1");
    dials(&plan, &two, SPEAN_DIAL_NONE, 20000, "tcp://a:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_session_that_ends_badly_doubles_the_wait_up_to_a_limit),
        cmocka_unit_test(a_session_that_works_ends_the_wait),
        cmocka_unit_test(who_is_in_a_hurry_waits_for_nothing),
        cmocka_unit_test(a_node_without_endpoints_is_not_dialled),
        cmocka_unit_test(the_only_endpoint_is_left_to_the_transport),
        cmocka_unit_test(endpoints_are_tried_in_turn_and_each_round_takes_twice_as_long),
        cmocka_unit_test(a_link_ends_the_rounds),
        cmocka_unit_test(an_endpoint_that_is_named_no_more_is_left_unless_a_link_lives),
        cmocka_unit_test(after_an_endpoint_that_cannot_be_used_comes_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
