#include "node/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A supervisor's end of the socket; its name is chosen so that two runs do not meet. */
struct supervisor {
    int fd;
    char name[64];
};

static void supervisor_listen(struct supervisor *s, char first, const char *rest)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(s->name, sizeof(s->name), "%c%s-%ld", first, rest, (long)getpid());
    memcpy(at.sun_path, s->name, strlen(s->name));
    if (first == '@') {
        at.sun_path[0] = '\0';
    }
    s->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_true(s->fd >= 0);
    const socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(s->name));
    assert_int_equal(bind(s->fd, (const struct sockaddr *)&at, len), 0);
}

static void supervisor_expect(const struct supervisor *s, const char *state)
{
    char got[1024];
    const ssize_t len = recv(s->fd, got, sizeof(got) - 1, MSG_DONTWAIT);
    assert_true(len >= 0);
    got[len] = '\0';
    assert_string_equal(got, state);
}

static void each_state_is_one_datagram_at_an_abstract_name(void **state)
{
    (void)state;
    struct supervisor s;
    supervisor_listen(&s, '@', "spean-test-notify");
    struct spean_notify n;
    assert_int_equal(spean_notify_init(&n, s.name), SPEAN_OK);

    assert_int_equal(spean_notify_ready(&n), SPEAN_OK);
    supervisor_expect(&s, "READY=1");
    assert_int_equal(spean_notify_watchdog(&n), SPEAN_OK);
    supervisor_expect(&s, "WATCHDOG=1");
    assert_int_equal(spean_notify_status(&n, "2 partners connected"), SPEAN_OK);
    supervisor_expect(&s, "STATUS=2 partners connected");
    assert_int_equal(spean_notify_stopping(&n), SPEAN_OK);
    supervisor_expect(&s, "STOPPING=1");

    spean_notify_fini(&n);
    (void)close(s.fd);
}

static void a_path_is_an_address_too(void **state)
{
    (void)state;
    struct supervisor s;
    supervisor_listen(&s, '/', "tmp/spean-test-notify");
    struct spean_notify n;
    assert_int_equal(spean_notify_init(&n, s.name), SPEAN_OK);
    assert_int_equal(spean_notify_ready(&n), SPEAN_OK);
    supervisor_expect(&s, "READY=1");
    spean_notify_fini(&n);
    (void)close(s.fd);
    (void)unlink(s.name);
}

static void without_a_supervisor_everything_succeeds_silently(void **state)
{
    (void)state;
    struct spean_notify n;
    assert_int_equal(spean_notify_init(&n, NULL), SPEAN_OK);
    assert_int_equal(spean_notify_ready(&n), SPEAN_OK);
    spean_notify_fini(&n);
    assert_int_equal(spean_notify_init(&n, ""), SPEAN_OK);
    assert_int_equal(spean_notify_stopping(&n), SPEAN_OK);
    spean_notify_fini(&n);
}

static void an_address_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct spean_notify n;
    char longest[sizeof(n.to.sun_path) + 1];
    memset(longest, 'a', sizeof(longest));
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';

    assert_int_equal(spean_notify_init(&n, "vsock:2:1234"), SPEAN_EINPUT);
    assert_int_equal(spean_notify_init(&n, "relative/path"), SPEAN_EINPUT);
    assert_int_equal(spean_notify_init(&n, "@"), SPEAN_EINPUT);
    assert_int_equal(spean_notify_init(&n, longest), SPEAN_EINPUT);
    assert_int_equal(spean_notify_ready(&n), SPEAN_OK); /* As without a supervisor. */
}

static void a_supervisor_that_is_gone_is_an_error_not_a_signal(void **state)
{
    (void)state;
    struct spean_notify n;
    assert_int_equal(spean_notify_init(&n, "@spean-test-nobody-listens"), SPEAN_OK);
    assert_int_equal(spean_notify_ready(&n), SPEAN_EIO);
    spean_notify_fini(&n);
}

static void a_status_cannot_smuggle_in_another_assignment(void **state)
{
    (void)state;
    struct supervisor s;
    supervisor_listen(&s, '@', "spean-test-smuggle");
    struct spean_notify n;
    assert_int_equal(spean_notify_init(&n, s.name), SPEAN_OK);
    assert_int_equal(spean_notify_status(&n, "waiting\nREADY=1"), SPEAN_OK);
    supervisor_expect(&s, "STATUS=waiting READY=1");
    spean_notify_fini(&n);
    (void)close(s.fd);
}

static void the_watchdog_is_told_twice_in_the_time_allowed(void **state)
{
    (void)state;
    assert_int_equal(spean_notify_watchdog_ms("30000000", NULL, 7), 15000);
    assert_int_equal(spean_notify_watchdog_ms("30000000", "7", 7), 15000);
    assert_int_equal(spean_notify_watchdog_ms("86400000000", NULL, 7), 43200000);
}

static void a_watchdog_of_another_process_or_without_a_sane_time_is_told_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "-1",  " 1",  "30s", "86400000001",
                                      "0x1", "1e9", "1.5", "0",   "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(spean_notify_watchdog_ms(bad[i], NULL, 7), 0);
    }
    assert_int_equal(spean_notify_watchdog_ms(NULL, "7", 7), 0);
    assert_int_equal(spean_notify_watchdog_ms("30000000", "8", 7), 0);
    assert_int_equal(spean_notify_watchdog_ms("30000000", "", 7), 0);
    assert_int_equal(spean_notify_watchdog_ms("30000000", "7x", 7), 0);
}

static void a_long_status_is_cut_at_its_limit(void **state)
{
    (void)state;
    struct supervisor s;
    supervisor_listen(&s, '@', "spean-test-long");
    struct spean_notify n;
    char text[2 * SPEAN_NOTIFY_STATUS_BYTES_MAX];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    char want[sizeof("STATUS=") + SPEAN_NOTIFY_STATUS_BYTES_MAX];
    (void)snprintf(want, sizeof(want), "STATUS=%.*s", (int)SPEAN_NOTIFY_STATUS_BYTES_MAX, text);

    assert_int_equal(spean_notify_init(&n, s.name), SPEAN_OK);
    assert_int_equal(spean_notify_status(&n, text), SPEAN_OK);
    supervisor_expect(&s, want);
    spean_notify_fini(&n);
    (void)close(s.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_is_one_datagram_at_an_abstract_name),
        cmocka_unit_test(a_path_is_an_address_too),
        cmocka_unit_test(without_a_supervisor_everything_succeeds_silently),
        cmocka_unit_test(an_address_of_another_kind_is_refused),
        cmocka_unit_test(a_supervisor_that_is_gone_is_an_error_not_a_signal),
        cmocka_unit_test(a_status_cannot_smuggle_in_another_assignment),
        cmocka_unit_test(the_watchdog_is_told_twice_in_the_time_allowed),
        cmocka_unit_test(a_watchdog_of_another_process_or_without_a_sane_time_is_told_nothing),
        cmocka_unit_test(a_long_status_is_cut_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
