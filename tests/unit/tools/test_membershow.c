#include "tools/membershow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"

#define TOKYO  "7f3a91c4000000000000000000000000000000000000000000000000000000aa"
#define BRIDGE "7f3b000000000000000000000000000000000000000000000000000000000000"
#define SIGNER "48219037000000000000000000000000000000000000000000000000000000bb"
#define OTHER  "5a5a9037000000000000000000000000000000000000000000000000000000cc"
#define MEMBERS                                                                                    \
    "{\"items\":[{\"org\":\"" BRIDGE "\",\"name\":\"Bridge\",\"status\":\"active\",\"self\":true," \
    "\"steward\":true,\"nodes\":[]},{\"org\":\"" TOKYO                                             \
    "\",\"name\":\"Tokyo Support\",\"status\":\"active\",\"steward\":false,\"self\":false,"        \
    "\"generation\":2,\"nodes\":[{\"signing\":\"" SIGNER                                           \
    "\",\"standing\":\"open\",\"relay\":true},{\"signing\":\"" OTHER                               \
    "\",\"standing\":\"closed\",\"relay\":false}]}],\"next\":null}"
#define STATUS                                                                                     \
    "{\"partners\":[{\"org\":\"" TOKYO "\",\"name\":\"Tokyo Support\",\"state\":\"offline\","      \
    "\"last_contact\":\"2020-01-02T03:04:05Z\",\"by\":\"relay\",\"why\":\"no way to them\"}]}"
#define LOGS                                                                                       \
    "{\"items\":[{\"id\":\"aabbccdd00\",\"org\":\"" BRIDGE "\",\"signing\":\"00\",\"height\":9,"   \
    "\"standing\":\"paused\"},{\"id\":\"11223344aa\",\"org\":\"" TOKYO "\",\"signing\":\"" SIGNER  \
    "\",\"name\":\"Tokyo Support\",\"height\":1204,\"standing\":\"paused\"}],\"next\":null}"

static const struct api_say says[] = {{.status = 200, .json = MEMBERS},
                                      {.status = 200, .json = MEMBERS},
                                      {.status = 200, .json = STATUS},
                                      {.status = 200, .json = LOGS}};

static void run(struct talk *talk, const char *org, const char *how)
{
    talk_run(talk, says, 4, (const char *const[]){"spean", "member", "show", org, how, NULL});
}

static void who_is_no_member_or_not_one_alone_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    run(&talk, "ffff", NULL);
    assert_int_equal(talk.result.exit, SPEAN_EXIT_NOT_FOUND);
    assert_asked_times(&talk, 1);
    assert_non_null(strstr(talk.result.err, "spean member list"));
    talk_fini(&talk);
    run(&talk, "7f3", NULL); /* Too short. */
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    talk_fini(&talk);
    talk_run(&talk, says, 4, (const char *const[]){"spean", "member", "show", NULL});
    assert_int_equal(talk.result.exit, SPEAN_EXIT_USAGE);
    assert_asked_times(&talk, 0);
    talk_fini(&talk);
}

static void a_refusal_of_the_daemon_prints_nothing_half(void **state)
{
    (void)state;
    for (size_t i = 1; i < 4; i++) {
        struct talk talk;
        struct api_say broken[4];
        memcpy(broken, says, sizeof(broken));
        broken[i] = (struct api_say){
            .status = 423,
            .json = "{\"error\":{\"code\":\"locked\",\"message\":\"m\",\"exit\":11}}"};
        talk_run(&talk, broken, 4, (const char *const[]){"spean", "member", "show", TOKYO, NULL});
        assert_int_equal(talk.result.exit, SPEAN_EXIT_LOCKED);
        assert_string_equal(talk.result.out, "");
        talk_fini(&talk);
    }
}

static void a_member_is_shown_with_its_nodes_and_by_which_way_it_was_last_seen(void **state)
{
    (void)state;
    struct talk talk;
    run(&talk, "7f3a91c4", "--plain");
    assert_int_equal(talk.result.exit, SPEAN_EXIT_DONE);
    static const char *const said[] = {
        "Tokyo Support (7f3a-91c4)\n",  TOKYO,
        "Standing:     active\n",       "2020-01-02, by: relay\n",
        "Sealing key:  generation 2\n", "\n4821-9037\t1122-3344\t1,204\tpaused\tyes\n",
        "\n5a5a-9037\t-\t-\tclosed\t-", "spean log resume 1122-3344\n",
        "Not in step: no way to them\n"};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        assert_non_null(strstr(talk.result.out, said[i]));
    }
    assert_null(strstr(talk.result.out, "aabb-ccdd")); /* A log of another organisation. */
    talk_fini(&talk);
}

static void json_has_the_member_with_its_partner_and_logs(void **state)
{
    (void)state;
    struct talk talk;
    run(&talk, TOKYO, "--json");
    json_t *const object = json_loads(talk.result.out, 0, NULL);
    assert_non_null(object);
    assert_int_equal(json_array_size(json_object_get(object, "logs")), 1);
    assert_int_equal(json_array_size(json_object_get(object, "nodes")), 2);
    assert_true(json_is_object(json_object_get(object, "partner")));
    json_decref(object);
    talk_fini(&talk);
    run(&talk, BRIDGE, "--json");
    json_t *const own = json_loads(talk.result.out, 0, NULL);
    assert_true(json_is_null(json_object_get(own, "partner")));
    json_decref(own);
    talk_fini(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_no_member_or_not_one_alone_is_refused),
        cmocka_unit_test(a_refusal_of_the_daemon_prints_nothing_half),
        cmocka_unit_test(a_member_is_shown_with_its_nodes_and_by_which_way_it_was_last_seen),
        cmocka_unit_test(json_has_the_member_with_its_partner_and_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
