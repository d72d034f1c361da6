#include "tools/program.h"

#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

#define NO_USER "4000000001" /* Which no machine gives to anybody. */

static void add(struct talk *talk, const struct api_say *says, size_t count, const char *user)
{
    talk_run(talk, says, count,
             (const char *const[]){"spean", "person", "add", "sokha", "--role", "case_worker",
                                   "--user", user, NULL});
}

static void a_user_that_this_machine_has_not_is_refused_before_anything_is_asked(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "no-such-user-here", "", "-1", "12x", "0x10", "4294967295", "99999999999999999999999"};
    const struct api_say says[] = {{.status = 201, .json = "{\"role\":\"case_worker\"}"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct talk talk;
        add(&talk, says, 1, bad[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
}

static void somebody_without_role_or_user_is_refused(void **state)
{
    (void)state;
    const struct api_say says[] = {{.status = 201, .json = "{}"}};
    static const char *const rows[][9] = {
        {"spean", "person", "add", "sokha", "--role", "case_worker", NULL},
        {"spean", "person", "add", "sokha", "--user", NO_USER, NULL},
        {"spean", "person", "add", "--role", "admin", "--user", NO_USER, NULL},
        {"spean", "person", "add", "sokha", "--role", "boss", "--user", NO_USER, NULL},
        {"spean", "person", "add", NULL},
        {"spean", "person", "retire", NULL},
        {"spean", "person", "retire", "sokha", "dara", NULL}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk;
        talk_run(&talk, says, 1, rows[i]);
        assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
        assert_asked_times(&talk, 0);
        talk_fini(&talk);
    }
}

static void a_refusal_of_the_node_is_told_with_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *json;
        enum spean_exit exit;
    } rows[] = {{403,
                 "{\"error\":{\"code\":\"role\",\"message\":\"an admin's\",\"hint\":\"ask one\","
                 "\"exit\":4}}",
                 SPEAN_EXIT_DENIED},
                {409,
                 "{\"error\":{\"code\":\"exists\",\"message\":\"was given\",\"hint\":\"another\","
                 "\"exit\":6}}",
                 SPEAN_EXIT_STATE},
                {404,
                 "{\"error\":{\"code\":\"not_found\",\"message\":\"nobody\",\"hint\":\"look\","
                 "\"exit\":5}}",
                 SPEAN_EXIT_NOT_FOUND}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk;
        const struct api_say says[] = {{.status = rows[i].status, .json = rows[i].json}};
        add(&talk, says, 1, NO_USER);
        assert_int_equal(talk.result.exit, rows[i].exit);
        assert_null(strstr(talk.result.err, "may use this node"));
        assert_string_equal(talk.result.out, "");
        talk_fini(&talk);
        talk_run(&talk, says, 1, (const char *const[]){"spean", "person", "retire", "sokha", NULL});
        assert_int_equal(talk.result.exit, rows[i].exit);
        assert_null(strstr(talk.result.err, "any more"));
        talk_fini(&talk);
    }
}

static void a_person_is_added_by_the_number_of_its_user(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 201, .json = "{\"role\":\"case_worker\"}"}};
    add(&talk, says, 1, NO_USER);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/persons",
                 "{\"name\":\"sokha\",\"role\":\"case_worker\",\"uid\":" NO_USER "}");
    assert_non_null(strstr(talk.result.err, "sokha may use this node as case worker"));
    talk_fini(&talk);

    char wanted[80];
    const struct passwd *const user = getpwuid(geteuid());
    if (user == NULL) {
        return; /* The test runs as a number without a name. */
    }
    (void)snprintf(wanted, sizeof(wanted),
                   "{\"name\":\"sokha\",\"role\":\"case_worker\",\"uid\":%ld}", (long)user->pw_uid);
    add(&talk, says, 1, user->pw_name);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/persons", wanted);
    talk_fini(&talk);
}

static void a_name_is_one_segment_of_the_path_whatever_it_is(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {{.status = 200, .json = "{\"retired\":true}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "person", "retire", "a/../b?c", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "POST /v1/persons/a%2F..%2Fb%3Fc/retire", NULL);
    assert_non_null(strstr(talk.result.err, "may not use this node any more"));
    talk_fini(&talk);
}

static void the_list_shows_roles_and_users_in_words(void **state)
{
    (void)state;
    struct talk talk;
    const struct api_say says[] = {
        {.status = 200,
         .json = "{\"items\":[{\"name\":\"admin\",\"role\":\"admin\",\"uid\":0,\"retired\":false},"
                 "{\"name\":\"dara\",\"role\":\"coordinator\",\"uid\":" NO_USER
                 ",\"retired\":true}],\"next\":null}"}};
    talk_run(&talk, says, 1, (const char *const[]){"spean", "person", "list", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    assert_asked(&talk, 0, "GET /v1/persons?limit=1000", NULL);
    const char *const last = strstr(talk.result.out, "dara");
    assert_non_null(last);
    assert_non_null(strstr(talk.result.out, "root"));
    assert_non_null(strstr(last, "coordinator"));
    assert_non_null(strstr(last, NO_USER));
    assert_non_null(strstr(last, "retired"));
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_that_this_machine_has_not_is_refused_before_anything_is_asked),
        cmocka_unit_test(somebody_without_role_or_user_is_refused),
        cmocka_unit_test(a_refusal_of_the_node_is_told_with_its_exit_code),
        cmocka_unit_test(a_person_is_added_by_the_number_of_its_user),
        cmocka_unit_test(a_name_is_one_segment_of_the_path_whatever_it_is),
        cmocka_unit_test(the_list_shows_roles_and_users_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
