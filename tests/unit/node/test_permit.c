/*
 * Who may do what: every route of the local API by everybody who can stand at the other end of the
 * socket. The table is written from docs/API.md, not from the one in node/permit.c.
 */
#include "node/permit.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "node/routes.h"
#include "tests/unit/node/corekit.h"

#define ROOT ((uid_t)0)

/* Everybody who can ask, in the order of what they may do. */
enum who { NOBODY, RETIRED, WORKER, COORDINATOR, ADMIN, WHO_COUNT };

static const struct {
    const char *name;
    const char *role;
    uid_t uid; /* Of nobody in particular on this machine; the tests do not become them. */
} people[WHO_COUNT] = {
    [NOBODY] = {"", "", 70000},
    [RETIRED] = {"left", "admin", 70001},
    [WORKER] = {"sokha", "case_worker", 70002},
    [COORDINATOR] = {"dara", "coordinator", 70003},
    [ADMIN] = {"chan", "admin", 70004},
};

/* Every route, and who is the least that may use it. */
static const struct {
    enum who least;
    const char *method;
    const char *path;
} rules[] = {
    {WORKER, "GET", "/v1/version"},
    {WORKER, "GET", "/v1/status"},
    {WORKER, "POST", "/v1/unlock"},
    {WORKER, "POST", "/v1/lock"},
    {WORKER, "GET", "/v1/node"},
    {ADMIN, "POST", "/v1/node/accept"},
    {WORKER, "GET", "/v1/ledger"},
    {ADMIN, "POST", "/v1/ledger"},
    {WORKER, "GET", "/v1/charter"},
    {ADMIN, "POST", "/v1/charter"},
    {ADMIN, "POST", "/v1/statement"},
    {WORKER, "GET", "/v1/nodes"},
    {ADMIN, "POST", "/v1/nodes/invitations"},
    {ADMIN, "POST", "/v1/nodes/join"},
    {ADMIN, "PATCH", "/v1/nodes/{node}"},
    {ADMIN, "POST", "/v1/nodes/{node}/refuse"},
    {COORDINATOR, "GET", "/v1/persons"},
    {ADMIN, "POST", "/v1/persons"},
    {ADMIN, "POST", "/v1/persons/{name}/retire"},
    {WORKER, "GET", "/v1/members"},
    {ADMIN, "GET", "/v1/invitations"},
    {ADMIN, "POST", "/v1/invitations"},
    {ADMIN, "POST", "/v1/invitations/{number}/cancel"},
    {ADMIN, "POST", "/v1/join"},
    {WORKER, "GET", "/v1/join"},
    {COORDINATOR, "GET", "/v1/pending"},
    {ADMIN, "POST", "/v1/pending/{org}/refuse"},
    {WORKER, "GET", "/v1/agencies"},
    {WORKER, "POST", "/v1/agencies"},
    {WORKER, "GET", "/v1/agencies/{id}"},
    {WORKER, "GET", "/v1/agencies/{id}/history"},
    {WORKER, "PATCH", "/v1/agencies/{id}"},
    {COORDINATOR, "POST", "/v1/agencies/import"},
    {WORKER, "GET", "/v1/cases"},
    {WORKER, "POST", "/v1/cases"},
    {WORKER, "GET", "/v1/cases/{id}"},
    {WORKER, "GET", "/v1/cases/{id}/history"},
    {WORKER, "PATCH", "/v1/cases/{id}"},
    {COORDINATOR, "PUT", "/v1/cases/{id}/retention"},
    {COORDINATOR, "POST", "/v1/cases/import"},
    {WORKER, "POST", "/v1/cases/find"},
    {COORDINATOR, "GET", "/v1/export"},
    {WORKER, "GET", "/v1/consents"},
    {WORKER, "POST", "/v1/consents"},
    {WORKER, "GET", "/v1/consents/{id}"},
    {WORKER, "POST", "/v1/consents/{id}/withdraw"},
    {WORKER, "GET", "/v1/referrals"},
    {WORKER, "POST", "/v1/referrals"},
    {WORKER, "GET", "/v1/referrals/{id}"},
    {WORKER, "GET", "/v1/referrals/{id}/history"},
    {WORKER, "PATCH", "/v1/referrals/{id}"},
    {WORKER, "GET", "/v1/referrals/{id}/preview"},
    {WORKER, "POST", "/v1/referrals/{id}/{step}"},
    {WORKER, "GET", "/v1/code-lists"},
    {COORDINATOR, "POST", "/v1/code-lists"},
    {WORKER, "GET", "/v1/codes"},
    {COORDINATOR, "POST", "/v1/codes"},
    {WORKER, "GET", "/v1/codes/{id}"},
    {WORKER, "GET", "/v1/logs"},
    {WORKER, "GET", "/v1/logs/{id}/entries"},
    {WORKER, "GET", "/v1/logs/{id}/entries/{seq}"},
    {ADMIN, "POST", "/v1/logs/{id}/pause"},
    {ADMIN, "POST", "/v1/logs/{id}/resume"},
    {WORKER, "GET", "/v1/events"},
    {WORKER, "GET", "/v1/metrics"},
    {WORKER, "GET", "/v1/doctor"},
    {WORKER, "GET", "/v1/org"},
    {COORDINATOR, "GET", "/v1/aside"},
    {COORDINATOR, "POST", "/v1/verify"},
    {WORKER, "POST", "/v1/sync"},
    {WORKER, "GET", "/v1/sync/plan"},
    {COORDINATOR, "POST", "/v1/sync/pause"},
    {COORDINATOR, "POST", "/v1/sync/resume"},
};

#define RULES_COUNT (sizeof(rules) / sizeof(rules[0]))

/* Whether a user may use a route; else reply, whose body the caller releases, says why. */
static bool may(struct corekit *kit, uid_t uid, const struct spean_route *route,
                struct spean_request *request, struct spean_reply *reply)
{
    *request = (struct spean_request){.caller = {.uid = uid}};
    *reply = (struct spean_reply){0};
    return spean_permit_check(route, request, kit->nodes[0].core, reply);
}

static void assert_refusal(const struct spean_reply *reply, const char *code)
{
    const json_t *const error = json_object_get(reply->body, "error");
    assert_int_equal(reply->status, 403);
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    assert_true(json_string_length(json_object_get(error, "message")) > 0);
    assert_true(json_string_length(json_object_get(error, "hint")) > 0);
    assert_int_equal(json_integer_value(json_object_get(error, "exit")), 4);
}

/* Hold one route against one of the people. */
static void judge(struct corekit *kit, const struct spean_route *route, enum who least,
                  enum who asks)
{
    struct spean_request request;
    struct spean_reply reply;
    const bool right = asks >= least;
    if (may(kit, people[asks].uid, route, &request, &reply) != right) {
        fail_msg("%s %s: wrong for %s", route->method, route->path,
                 asks == NOBODY ? "a stranger" : people[asks].name);
    }
    if (right) {
        assert_string_equal(request.actor, people[asks].name);
        assert_null(reply.body);
    } else {
        assert_refusal(&reply, asks <= RETIRED ? "unknown_person" : "role");
        assert_string_equal(request.actor, "");
    }
    spean_reply_fini(&reply);
}

static enum who least_of(const struct spean_route *route)
{
    size_t found = 0;
    enum who least = WHO_COUNT;
    for (size_t i = 0; i < RULES_COUNT; i++) {
        if (strcmp(rules[i].method, route->method) == 0 &&
            strcmp(rules[i].path, route->path) == 0) {
            least = rules[i].least;
            found++;
        }
    }
    if (found != 1) {
        fail_msg("%s %s: decide who may, for docs/API.md and the rules of this test", route->method,
                 route->path);
    }
    return least;
}

/* The people, at a node whose daemon runs as the user of these tests. */
static int people_setup(void **state)
{
    assert_int_equal(corekit_setup(state), 0);
    struct corekit *kit = *state;
    corekit_start(&kit->nodes[0]);
    for (enum who who = WHO_COUNT; who-- > RETIRED;) { /* The last admin is not the one retired. */
        (void)corekit_ok(&kit->nodes[0], "POST", "/v1/persons",
                         json_pack("{s:s,s:s,s:I}", "name", people[who].name, "role",
                                   people[who].role, "uid", (json_int_t)people[who].uid));
    }
    (void)corekit_ok(&kit->nodes[0], "POST", "/v1/persons/left/retire", NULL);
    return 0;
}

static int empty_setup(void **state)
{
    assert_int_equal(corekit_setup(state), 0);
    struct corekit *kit = *state;
    corekit_start(&kit->nodes[0]);
    return 0;
}

static void every_route_is_for_whom_the_documents_name(void **state)
{
    size_t count = 0;
    const struct spean_route *const routes = spean_routes(&count);
    for (size_t i = 0; i < count; i++) {
        const enum who least = least_of(&routes[i]);
        for (enum who asks = NOBODY; asks < WHO_COUNT; asks++) {
            judge(*state, &routes[i], least, asks);
        }
    }
    assert_int_equal(count, RULES_COUNT); /* And the table names nothing that is not there. */
}

/* Where there are persons, neither root nor the daemon's own user is one without being entered. */
static void root_and_the_daemons_user_are_strangers_where_there_are_persons(void **state)
{
    const uid_t users[] = {ROOT, geteuid()};
    size_t count = 0;
    const struct spean_route *const routes = spean_routes(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < sizeof(users) / sizeof(users[0]); k++) {
            struct spean_request request;
            struct spean_reply reply;
            assert_false(may(*state, users[k], &routes[i], &request, &reply));
            assert_refusal(&reply, "unknown_person");
            spean_reply_fini(&reply);
        }
    }
}

static void the_user_of_somebody_retired_can_be_somebody_new(void **state)
{
    struct corekit *kit = *state;
    struct spean_request request;
    struct spean_reply reply;
    (void)corekit_ok(&kit->nodes[0], "POST", "/v1/persons",
                     json_pack("{s:s,s:s,s:I}", "name", "new", "role", "case_worker", "uid",
                               (json_int_t)people[RETIRED].uid));
    const struct spean_route worker = {.method = "GET", .path = "/v1/cases"};
    const struct spean_route admin = {.method = "POST", .path = "/v1/persons"};
    assert_true(may(kit, people[RETIRED].uid, &worker, &request, &reply));
    assert_string_equal(request.actor, "new"); /* Not what it was called before, */
    assert_false(may(kit, people[RETIRED].uid, &admin, &request, &reply)); /* nor with its role. */
    assert_refusal(&reply, "role");
    spean_reply_fini(&reply);
}

static void where_nobody_was_entered_the_daemons_user_does_all_without_a_name(void **state)
{
    size_t count = 0;
    const struct spean_route *const routes = spean_routes(&count);
    for (size_t i = 0; i < count; i++) {
        struct spean_request request;
        struct spean_reply reply;
        assert_true(may(*state, geteuid(), &routes[i], &request, &reply));
        assert_string_equal(request.actor, "");
        assert_true(may(*state, ROOT, &routes[i], &request, &reply));
        assert_false(may(*state, people[ADMIN].uid, &routes[i], &request, &reply));
        assert_refusal(&reply, "unknown_person");
        spean_reply_fini(&reply);
    }
}

/* A route that nobody gave a role ends the daemon at its first use, in a child of the test. */
static void a_route_that_is_not_in_the_table_is_never_answered(void **state)
{
    static const struct spean_route unlisted[] = {
        {.method = "GET", .path = "/v1/nothing"},
        {.method = "DELETE", .path = "/v1/cases"},
        {.method = "GET", .path = "/v1/cases/"},
        {.method = "get", .path = "/v1/cases"},
    };
    for (size_t i = 0; i < sizeof(unlisted) / sizeof(unlisted[0]); i++) {
        enum spean_person_role role = SPEAN_PERSON_CASE_WORKER;
        assert_false(spean_permit_needs(unlisted[i].method, unlisted[i].path, &role));
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            const struct rlimit none = {0, 0};
            struct spean_request request;
            struct spean_reply reply;
            (void)setrlimit(RLIMIT_CORE, &none); /* Only spares a file. */
            (void)signal(SIGABRT, SIG_DFL);
            (void)close(STDERR_FILENO);
            _exit(may(*state, people[ADMIN].uid, &unlisted[i], &request, &reply) ? 1 : 2);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_route_is_for_whom_the_documents_name, people_setup,
                                        corekit_teardown),
        cmocka_unit_test_setup_teardown(
            root_and_the_daemons_user_are_strangers_where_there_are_persons, people_setup,
            corekit_teardown),
        cmocka_unit_test_setup_teardown(the_user_of_somebody_retired_can_be_somebody_new,
                                        people_setup, corekit_teardown),
        cmocka_unit_test_setup_teardown(
            where_nobody_was_entered_the_daemons_user_does_all_without_a_name, empty_setup,
            corekit_teardown),
        cmocka_unit_test_setup_teardown(a_route_that_is_not_in_the_table_is_never_answered,
                                        empty_setup, corekit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
