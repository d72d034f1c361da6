/* What each role may do: every route of the local API, by every role. */
#include "node/permit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/routes.h"

/* What only an admin, or a coordinator and an admin, may do; everything else every person may. */
static const char *const admins[] = {
    "POST /v1/ledger",
    "POST /v1/charter",
    "POST /v1/statement",
    "POST /v1/node/accept",
    "POST /v1/invitations",
    "POST /v1/join",
    "POST /v1/nodes/join",
    "POST /v1/pending/{org}/refuse",
    "PATCH /v1/nodes/{node}",
    "POST /v1/nodes/{node}/refuse",
    "POST /v1/persons",
    "POST /v1/persons/{name}/retire",
    "POST /v1/nodes/invitations",
};
static const char *const workers[] = {
    "GET /v1/status",     "POST /v1/unlock",          "POST /v1/lock",
    "POST /v1/cases",     "PATCH /v1/cases/{id}",     "POST /v1/consents",
    "POST /v1/referrals", "PATCH /v1/referrals/{id}", "POST /v1/referrals/{id}/{step}",
    "GET /v1/cases",      "GET /v1/referrals",        "POST /v1/consents/{id}/withdraw",
    "POST /v1/sync",      "GET /v1/agencies",         "POST /v1/agencies",
};
static const char *const coordinators[] = {
    "GET /v1/pending", "GET /v1/persons",          "GET /v1/aside",
    "POST /v1/verify", "POST /v1/agencies/import", "POST /v1/cases/import",
    "POST /v1/codes",  "POST /v1/code-lists",      "PUT /v1/cases/{id}/retention",
};

static enum spean_person_role needed(const char *row)
{
    enum spean_person_role role = SPEAN_PERSON_ADMIN;
    char method[8];
    const size_t len = strcspn(row, " ");
    assert_true(len < sizeof(method));
    memcpy(method, row, len);
    method[len] = '\0';
    assert_true(spean_permit_needs(method, row + len + 1, &role));
    return role;
}

static void every_route_has_its_role(void **state)
{
    (void)state;
    size_t count = 0;
    const struct spean_route *routes = spean_routes(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        enum spean_person_role role = (enum spean_person_role)0;
        if (!spean_permit_needs(routes[i].method, routes[i].path, &role)) {
            fail_msg("no role for %s %s: see node/permit.c", routes[i].method, routes[i].path);
        }
        assert_true(role >= SPEAN_PERSON_CASE_WORKER && role <= SPEAN_PERSON_ADMIN);
    }
}

static void keys_nodes_members_and_persons_are_for_admins(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(admins) / sizeof(admins[0]); i++) {
        assert_int_equal(needed(admins[i]), SPEAN_PERSON_ADMIN);
    }
}

static void looking_into_and_moving_much_is_for_coordinators(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(coordinators) / sizeof(coordinators[0]); i++) {
        assert_int_equal(needed(coordinators[i]), SPEAN_PERSON_COORDINATOR);
    }
}

static void daily_work_is_for_everybody(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
        assert_int_equal(needed(workers[i]), SPEAN_PERSON_CASE_WORKER);
    }
}

static void what_is_no_route_has_no_role(void **state)
{
    (void)state;
    enum spean_person_role role = SPEAN_PERSON_CASE_WORKER;
    assert_false(spean_permit_needs("DELETE", "/v1/cases", &role));
    assert_false(spean_permit_needs("GET", "/v1/nothing", &role));
    assert_int_equal(role, SPEAN_PERSON_CASE_WORKER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_has_its_role),
        cmocka_unit_test(keys_nodes_members_and_persons_are_for_admins),
        cmocka_unit_test(looking_into_and_moving_much_is_for_coordinators),
        cmocka_unit_test(daily_work_is_for_everybody),
        cmocka_unit_test(what_is_no_route_has_no_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
