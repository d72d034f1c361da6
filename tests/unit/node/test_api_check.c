/* POST /v1/verify: slice by slice between the turns of the core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/core_internal.h"
#include "node/handlers.h"
#include "tests/unit/store/world.h"

#define TURNS_MAX 1000u

/* A core of which only the store and what belongs to it is there. */
struct env {
    struct world *w;
    struct node *node;
    struct spean_core core;
};

static int setup(void **state)
{
    struct env *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    e->w = world_new();
    e->node = node_new(e->w, 0);
    const struct world_change agency = {.type = SPEAN_TYPE_AGENCY,
                                        .record = world_record(e->w, 1, 9),
                                        .creates = true,
                                        .random = 9,
                                        .fixed = world_fixed_none()};
    (void)world_write(e->w, 1, &agency);
    node_take_all(e->node);
    node_fold(e->node);
    e->core.db = e->node->db;
    e->core.keys = e->node->keys;
    e->core.authority = e->node->authority;
    assert_int_equal(spean_queue_new(4, &e->core.queue), SPEAN_OK);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;
    spean_queue_free(e->core.queue);
    node_free(e->node);
    world_free(e->w);
    free(e);
    return 0;
}

/* Have the request begin. */
static void ask(struct env *e)
{
    struct spean_job *job = calloc(1, sizeof(*job));
    assert_non_null(job);
    job->request = calloc(1, sizeof(*job->request));
    assert_non_null(job->request);
    job->run = spean_check_routes().routes[0].run;
    assert_int_equal(spean_queue_submit(e->core.queue, job), SPEAN_OK);
    job = spean_queue_take(e->core.queue);
    job->run(job, &e->core);
}

/* Turn until it is answered; returns how often. */
static uint32_t turn_until_done(struct env *e)
{
    uint32_t turns = 0;
    while (e->core.verification != NULL) {
        assert_true(++turns < TURNS_MAX);
        core_verify_turn(&e->core);
    }
    return turns;
}

/* Take the answer, which has this status; the caller frees the body. */
static json_t *answer(struct env *e, int status)
{
    struct spean_job *job = spean_queue_collect(e->core.queue);
    assert_non_null(job);
    assert_int_equal(job->reply.status, status);
    json_t *body = json_incref(job->reply.body);
    spean_job_free(job);
    return body;
}

static json_int_t number(const json_t *body, const char *name)
{
    return json_integer_value(json_object_get(body, name));
}

static void a_turn_with_nothing_under_way_does_nothing(void **state)
{
    struct env *e = *state;
    core_verify_turn(&e->core);
    core_verify_end(&e->core, SPEAN_OK, NULL);
    assert_null(spean_queue_collect(e->core.queue));
}

static void the_answer_comes_after_the_last_slice_and_counts(void **state)
{
    struct env *e = *state;
    ask(e);
    assert_null(spean_queue_collect(e->core.queue));
    assert_true(turn_until_done(e) >= 2); /* Each part is a slice at least. */
    json_t *body = answer(e, 200);
    assert_true(json_is_true(json_object_get(body, "ok")));
    assert_int_equal(json_array_size(json_object_get(body, "problems")), 0);
    assert_int_equal(number(body, "problems_count"), 0);
    assert_int_equal(number(body, "entries"), 1);
    assert_int_equal(number(body, "bodies"), 1);
    assert_int_equal(number(body, "records"), 1);
    assert_int_equal(number(body, "not_checked"), 0);
    json_decref(body);
}

static void between_slices_the_core_may_write_and_fold(void **state)
{
    struct env *e = *state;
    ask(e);
    core_verify_turn(&e->core);
    const struct world_change agency = {.type = SPEAN_TYPE_AGENCY,
                                        .record = world_record(e->w, 2, 11),
                                        .creates = true,
                                        .random = 11,
                                        .fixed = world_fixed_none()};
    (void)world_write(e->w, 2, &agency);
    node_take_all(e->node);
    node_fold(e->node);
    (void)turn_until_done(e);
    json_t *body = answer(e, 200);
    assert_true(json_is_true(json_object_get(body, "ok")));
    assert_int_equal(number(body, "records"), 2);
    json_decref(body);
}

static void damage_in_either_part_is_told(void **state)
{
    struct env *e = *state;
    static const enum spean_table tables[] = {SPEAN_TABLE_PEERS, SPEAN_TABLE_PARTS};
    static const uint8_t bytes[] = {7, 7, 7};
    const struct spean_view junk = {bytes, sizeof(bytes)};
    for (size_t i = 0; i < 2; i++) {
        struct spean_tx *tx;
        assert_int_equal(spean_tx_begin(e->core.db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
        (void)spean_tx_put(tx, tables[i], junk, junk);
        assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
        ask(e);
        (void)turn_until_done(e);
        json_t *body = answer(e, 200);
        assert_true(json_is_false(json_object_get(body, "ok")));
        assert_int_equal(json_array_size(json_object_get(body, "problems")), i + 1);
        assert_int_equal(number(body, "problems_count"), i + 1);
        json_decref(body);
    }
}

static void a_second_request_is_told_to_wait(void **state)
{
    struct env *e = *state;
    ask(e);
    ask(e);
    json_t *body = answer(e, spean_reply_status(SPEAN_EBUSY));
    assert_non_null(json_object_get(body, "error"));
    json_decref(body);
    (void)turn_until_done(e);
    json_decref(answer(e, 200));
    ask(e);
    (void)turn_until_done(e);
    json_decref(answer(e, 200));
}

static void what_ends_early_is_answered_as_an_error(void **state)
{
    struct env *e = *state;
    for (uint32_t turns = 0; turns < 2; turns++) { /* In the first part, and in the second. */
        ask(e);
        for (uint32_t i = 0; i < turns; i++) {
            core_verify_turn(&e->core);
        }
        core_verify_end(&e->core, SPEAN_ESTATE, "the node stops");
        assert_null(e->core.verification);
        json_t *body = answer(e, spean_reply_status(SPEAN_ESTATE));
        assert_non_null(json_object_get(body, "error"));
        json_decref(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_turn_with_nothing_under_way_does_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_answer_comes_after_the_last_slice_and_counts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(between_slices_the_core_may_write_and_fold, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(damage_in_either_part_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_request_is_told_to_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(what_ends_early_is_answered_as_an_error, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
