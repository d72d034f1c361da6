#include "node/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void read_nothing(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    (void)ctx;
    spean_reply_take(reply, json_object());
}

static void run_nothing(struct spean_job *job, void *core)
{
    (void)core;
    spean_queue_answer(job);
}

static const struct spean_route routes[] = {
    {.method = "GET", .path = "/v1/agencies", .flags = SPEAN_ROUTE_READ, .read = read_nothing},
    {.method = "POST", .path = "/v1/agencies", .flags = SPEAN_ROUTE_WRITE, .run = run_nothing},
    {.method = "GET", .path = "/v1/agencies/new", .flags = SPEAN_ROUTE_READ, .read = read_nothing},
    {.method = "GET", .path = "/v1/agencies/{id}", .flags = SPEAN_ROUTE_READ, .read = read_nothing},
    {.method = "PATCH",
     .path = "/v1/agencies/{id}/fields/{name}",
     .flags = SPEAN_ROUTE_WRITE,
     .run = run_nothing},
};

#define ROUTES_COUNT (sizeof(routes) / sizeof(routes[0]))

static spean_err find(const char *method, const char *path, struct spean_request *request,
                      size_t *row)
{
    const struct spean_route *route = NULL;
    const spean_err err = spean_route_find(routes, ROUTES_COUNT, method, path, request, &route);
    if (err == SPEAN_OK) {
        *row = (size_t)(route - routes);
    } else {
        assert_null(route);
    }
    return err;
}

static void a_path_and_a_method_find_their_row_and_parameters(void **state)
{
    (void)state;
    struct spean_request request = {.params_count = 0};
    size_t row = 0;
    assert_int_equal(find("POST", "/v1/agencies", &request, &row), SPEAN_OK);
    assert_int_equal(row, 1);
    assert_int_equal(find("PATCH", "/v1/agencies/a%2Fb/fields/phone", &request, &row), SPEAN_OK);
    assert_int_equal(row, 4);
    assert_string_equal(spean_request_param(&request, "id"), "a/b");
    assert_string_equal(spean_request_param(&request, "name"), "phone");
}

static void the_upper_of_two_rows_that_fit_counts(void **state)
{
    (void)state;
    struct spean_request request = {.params_count = 0};
    size_t row = 0;
    assert_int_equal(find("GET", "/v1/agencies/new", &request, &row), SPEAN_OK);
    assert_int_equal(row, 2);
    assert_int_equal(find("GET", "/v1/agencies/old", &request, &row), SPEAN_OK);
    assert_int_equal(row, 3);
}

static void a_path_that_no_row_has_is_not_found(void **state)
{
    (void)state;
    static const char *const unknown[] = {"",
                                          "/",
                                          "v1/agencies",
                                          "/v1",
                                          "/v1/agencies/",
                                          "//v1/agencies",
                                          "/v1//agencies",
                                          "/V1/agencies",
                                          "/v1/agencie",
                                          "/v1/agenciess",
                                          "/v1/%61gencies",
                                          "/v1/agencies/x/",
                                          "/v1/agencies/x/fields",
                                          "/v1/agencies//fields/y",
                                          "/v1/agencies/x/fields/y/z",
                                          "http://localhost/v1/agencies"};
    struct spean_request request = {.params_count = 0};
    size_t row = 0;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_int_equal(find("GET", unknown[i], &request, &row), SPEAN_ENOTFOUND);
    }
}

static void a_known_path_with_another_method_is_told_the_allowed_ones(void **state)
{
    (void)state;
    struct spean_request request = {.params_count = 0};
    size_t row = 0;
    char allow[SPEAN_ROUTE_ALLOW_BYTES];
    assert_int_equal(find("DELETE", "/v1/agencies", &request, &row), SPEAN_ESTATE);
    assert_int_equal(find("", "/v1/agencies", &request, &row), SPEAN_ESTATE);
    assert_int_equal(find("get", "/v1/agencies", &request, &row), SPEAN_ESTATE);
    spean_route_allow(routes, ROUTES_COUNT, "/v1/agencies", allow);
    assert_string_equal(allow, "GET, POST");
    spean_route_allow(routes, ROUTES_COUNT, "/v1/agencies/x/fields/y", allow);
    assert_string_equal(allow, "PATCH");
    spean_route_allow(routes, ROUTES_COUNT, "/nowhere", allow);
    assert_string_equal(allow, "");
}

static void a_parameter_that_does_not_decode_is_refused(void **state)
{
    (void)state;
    struct spean_request request = {.params_count = 0};
    size_t row = 0;
    assert_int_equal(find("GET", "/v1/agencies/%zz", &request, &row), SPEAN_EINPUT);
    assert_int_equal(find("PATCH", "/v1/agencies/a/fields/%00", &request, &row), SPEAN_EINPUT);
    assert_int_equal(request.params_count, 0);
    char path[SPEAN_REQUEST_VALUE_BYTES + 32] = "/v1/agencies/";
    memset(path + strlen(path), 'a', SPEAN_REQUEST_VALUE_BYTES + 1);
    assert_int_equal(find("GET", path, &request, &row), SPEAN_ELIMIT);
}

/* Asserting a table ends the process when it is malformed, so each has a child of its own. */
static bool table_is_accepted(const struct spean_route *table, size_t count)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(STDERR_FILENO); /* The assertion's words would look like a failure. */
        spean_route_assert(table, count);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void a_malformed_table_does_not_start(void **state)
{
    (void)state;
    static const struct spean_route bad[] = {
        {.method = "get", .path = "/", .flags = SPEAN_ROUTE_READ, .read = read_nothing},
        {.method = "GET", .path = "v1", .flags = SPEAN_ROUTE_READ, .read = read_nothing},
        {.method = "GET", .path = "/", .flags = 0, .read = read_nothing},
        {.method = "GET", .path = "/", .flags = SPEAN_ROUTE_READ, .run = run_nothing},
        {.method = "GET", .path = "/", .flags = SPEAN_ROUTE_WRITE, .read = read_nothing},
        {.method = "GET",
         .path = "/{a}/{b}/{c}/{d}/{e}",
         .flags = SPEAN_ROUTE_READ,
         .read = read_nothing},
        {.method = "GET",
         .path = "/1/2/3/4/5/6/7/8/9",
         .flags = SPEAN_ROUTE_READ,
         .read = read_nothing},
    };
    assert_true(table_is_accepted(routes, ROUTES_COUNT));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(table_is_accepted(&bad[i], 1));
    }
}

/* Whether a row takes a request with this query and body. */
static bool fits(const struct spean_route *route, const char *query, const char *body)
{
    struct spean_request *request = calloc(1, sizeof(*request));
    struct spean_reply reply = {0};
    char where[SPEAN_JSON_WHERE_BYTES];
    assert_non_null(request);
    assert_int_equal(spean_request_query_read(request, query[0] != '\0' ? query : NULL), SPEAN_OK);
    assert_int_equal(spean_json_read(body, strlen(body), &request->body, where), SPEAN_OK);
    const bool good = spean_route_fits(route, request, &reply);
    assert_int_equal(reply.status, good ? 0 : 400);
    spean_reply_fini(&reply);
    spean_request_free(request);
    return good;
}

static void what_a_row_does_not_know_is_refused_in_query_and_body(void **state)
{
    (void)state;
    const struct spean_route list = {.flags = SPEAN_ROUTE_READ, .query = "limit after kind"};
    const struct spean_route one = {.flags = SPEAN_ROUTE_READ};
    const struct spean_route write = {.flags = SPEAN_ROUTE_WRITE, .body = "name uid"};
    const struct spean_route edit = {.flags = SPEAN_ROUTE_WRITE};
    const struct spean_route bare = {.flags = SPEAN_ROUTE_WRITE, .body = ""};
    assert_true(fits(&list, "kind=x&limit=1000&after=y", "{}"));
    assert_false(fits(&list, "kin=x", "{}"));
    assert_false(fits(&list, "kinds=x", "{}"));
    assert_false(fits(&list, "Kind=x", "{}"));
    assert_false(fits(&list, "limit=1001", "{}"));
    assert_false(fits(&list, "dry_run=1", "{}")); /* It changes nothing anyway. */
    assert_false(fits(&one, "limit=1", "{}"));
    assert_true(fits(&write, "dry_run=1", "{\"uid\":1}"));
    assert_false(fits(&write, "dry-run=1", "{}"));
    assert_false(fits(&write, "dryrun=1", "{}"));
    assert_false(fits(&write, "", "{\"uids\":1}"));
    assert_false(fits(&write, "", "{\"dry_run\":true}"));
    assert_false(fits(&write, "", "{\"\":1}"));
    assert_false(fits(&bare, "", "{\"name\":1}"));
    assert_true(fits(&bare, "", "{}"));
    assert_true(fits(&edit, "", "{\"anything\":1}")); /* Its handler judges. */
}

/* Whoever asks for a dry run in another way must not get a real one. */
static void a_dry_run_is_asked_for_by_1_alone(void **state)
{
    (void)state;
    static const char *const wrong[] = {"dry_run=", "dry_run=0", "dry_run=true", "dry_run=11",
                                        "dry_run=yes"};
    const struct spean_route write = {.flags = SPEAN_ROUTE_WRITE, .body = ""};
    assert_true(fits(&write, "dry_run=1", "{}"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(fits(&write, wrong[i], "{}"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_and_a_method_find_their_row_and_parameters),
        cmocka_unit_test(the_upper_of_two_rows_that_fit_counts),
        cmocka_unit_test(a_path_that_no_row_has_is_not_found),
        cmocka_unit_test(a_known_path_with_another_method_is_told_the_allowed_ones),
        cmocka_unit_test(a_parameter_that_does_not_decode_is_refused),
        cmocka_unit_test(a_malformed_table_does_not_start),
        cmocka_unit_test(what_a_row_does_not_know_is_refused_in_query_and_body),
        cmocka_unit_test(a_dry_run_is_asked_for_by_1_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
