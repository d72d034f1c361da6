/* node/supervise.c: who started the daemon hears that it lives, and what it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/core_internal.h"
#include "node/notify.h"
#include "tests/unit/node/corekit.h"

static int supervisor_fd = -1;
static struct spean_notify notify;

/* Open a node that tells a socket of ours. */
static struct spean_core *open_supervised(void **state, uint64_t alive_ms)
{
    struct corekit *const kit = *state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[64];
    (void)snprintf(name, sizeof(name), "@spean-test-supervise-%ld", (long)getpid());
    (void)memcpy(at.sun_path, name, strlen(name));
    at.sun_path[0] = '\0';
    supervisor_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(supervisor_fd >= 0);
    const size_t len = offsetof(struct sockaddr_un, sun_path) + strlen(name);
    assert_int_equal(bind(supervisor_fd, (const struct sockaddr *)&at, (socklen_t)len), 0);
    assert_int_equal(spean_notify_init(&notify, name), SPEAN_OK);
    corekit_open(&kit->nodes[0]);
    spean_core_supervise(kit->nodes[0].core, &notify, alive_ms);
    return kit->nodes[0].core;
}

static int teardown(void **state)
{
    const int result = corekit_teardown(state);
    spean_notify_fini(&notify);
    (void)close(supervisor_fd);
    return result;
}

/* The next thing told; NULL: nothing. */
static void assert_told(const char *expected)
{
    char got[512];
    const ssize_t len = recv(supervisor_fd, got, sizeof(got) - 1, MSG_DONTWAIT);
    if (expected == NULL) {
        assert_int_equal(len, -1);
        return;
    }
    assert_true(len >= 0);
    got[len] = '\0';
    assert_string_equal(got, expected);
}

static void the_status_is_told_when_it_changes_and_only_then(void **state)
{
    struct spean_core *const core = open_supervised(state, 0);
    core_supervise_turn(core);
    assert_told("STATUS=open; connected nodes: 0");
    core_supervise_turn(core);
    assert_told(NULL);
    core->partners_count = 2;
    core->partners[1].connected = true;
    core_supervise_turn(core);
    assert_told("STATUS=open; connected nodes: 1");
    spean_core_lock(core);
    core_supervise_turn(core);
    assert_told("STATUS=locked; 'spean unlock' opens it");
    assert_told(NULL); /* Nor is a watchdog fed that nobody asked for. */
}

static void the_watchdog_hears_of_the_core_at_once_and_not_before_it_is_due(void **state)
{
    struct spean_core *const core = open_supervised(state, UINT32_MAX);
    core_supervise_turn(core);
    assert_told("WATCHDOG=1");
    assert_told("STATUS=open; connected nodes: 0");
    core_supervise_turn(core);
    assert_told(NULL);
    core->supervisor.next_alive_ms = 0;
    core_supervise_turn(core);
    assert_told("WATCHDOG=1");
    assert_told(NULL);
}

/* Destroying may write the store anew, which is silent: the whole of the time begins with it. */
static void the_watchdog_hears_of_the_core_before_it_destroys(void **state)
{
    struct corekit *const kit = *state;
    corekit_start(&kit->nodes[0]);
    corekit_found(kit, &kit->nodes[0]);
    corekit_await(&kit->nodes[0], "/v1/agencies", "items.0.names.und", "Bridge");
    corekit_stop(&kit->nodes[0]);
    struct spean_core *const core = open_supervised(state, UINT32_MAX);
    core_supervise_turn(core);
    assert_told("WATCHDOG=1");
    assert_told("STATUS=open; connected nodes: 0");
    core->fold_pending = false;
    core_destroy(core);
    assert_told("WATCHDOG=1");
    assert_told(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, corekit_setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_status_is_told_when_it_changes_and_only_then),
        TEST(the_watchdog_hears_of_the_core_at_once_and_not_before_it_is_due),
        TEST(the_watchdog_hears_of_the_core_before_it_destroys),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
