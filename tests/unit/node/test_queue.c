#include "node/queue.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define DEADLINE_MS 20000
#define PRODUCERS   4
#define JOBS_EACH   200

static void run_nothing(struct spean_job *job, void *core)
{
    (void)core;
    spean_queue_answer(job);
}

static struct spean_job *job_make(uintptr_t number)
{
    struct spean_request *request = calloc(1, sizeof(*request));
    struct spean_job *job = NULL;
    assert_non_null(request);
    assert_int_equal(spean_job_new(request, &job), SPEAN_OK);
    job->run = run_nothing;
    job->data = malloc(sizeof(number));
    assert_non_null(job->data);
    *(uintptr_t *)job->data = number;
    job->data_free = free;
    return job;
}

static uintptr_t job_number(const struct spean_job *job)
{
    return *(const uintptr_t *)job->data;
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, timeout_ms) == 1;
}

static void jobs_are_taken_in_order_and_come_back_in_order(void **state)
{
    (void)state;
    struct spean_queue *queue = NULL;
    assert_int_equal(spean_queue_new(4, &queue), SPEAN_OK);
    for (uintptr_t i = 0; i < 3; i++) {
        assert_int_equal(spean_queue_submit(queue, job_make(i)), SPEAN_OK);
    }
    for (uintptr_t i = 0; i < 3; i++) {
        struct spean_job *job = spean_queue_take(queue);
        assert_int_equal(job_number(job), i);
        job->run(job, NULL);
    }
    assert_null(spean_queue_take(queue));
    for (uintptr_t i = 0; i < 3; i++) {
        struct spean_job *job = spean_queue_collect(queue);
        assert_int_equal(job_number(job), i);
        spean_job_free(job);
    }
    assert_null(spean_queue_collect(queue));
    spean_queue_free(queue);
}

static void the_descriptors_are_readable_exactly_while_there_is_something(void **state)
{
    (void)state;
    struct spean_queue *queue = NULL;
    assert_int_equal(spean_queue_new(4, &queue), SPEAN_OK);
    const int core = spean_queue_core_fd(queue);
    const int answers = spean_queue_answers_fd(queue);
    assert_false(readable(core, 0));
    assert_int_equal(spean_queue_submit(queue, job_make(0)), SPEAN_OK);
    assert_int_equal(spean_queue_submit(queue, job_make(1)), SPEAN_OK);
    assert_true(readable(core, 0));
    struct spean_job *first = spean_queue_take(queue);
    assert_true(readable(core, 0));
    struct spean_job *second = spean_queue_take(queue);
    assert_false(readable(core, 0));
    assert_false(readable(answers, 0));
    spean_queue_answer(second);
    spean_queue_answer(first);
    assert_true(readable(answers, 0));
    spean_job_free(spean_queue_collect(queue));
    assert_true(readable(answers, 0));
    spean_job_free(spean_queue_collect(queue));
    assert_false(readable(answers, 0));
    spean_queue_free(queue);
}

static void a_full_queue_refuses_until_an_answer_is_collected(void **state)
{
    (void)state;
    struct spean_queue *queue = NULL;
    assert_int_equal(spean_queue_new(2, &queue), SPEAN_OK);
    assert_int_equal(spean_queue_submit(queue, job_make(0)), SPEAN_OK);
    assert_int_equal(spean_queue_submit(queue, job_make(1)), SPEAN_OK);
    struct spean_job *job = job_make(2);
    assert_int_equal(spean_queue_submit(queue, job), SPEAN_EBUSY);
    spean_queue_answer(spean_queue_take(queue));
    assert_int_equal(spean_queue_submit(queue, job), SPEAN_EBUSY);
    spean_job_free(spean_queue_collect(queue));
    assert_int_equal(spean_queue_submit(queue, job), SPEAN_OK);
    spean_queue_free(queue); /* With jobs in it: they are freed, which the sanitizer checks. */
}

static void a_closed_queue_answers_what_waits_and_refuses_the_rest(void **state)
{
    (void)state;
    struct spean_queue *queue = NULL;
    assert_int_equal(spean_queue_new(4, &queue), SPEAN_OK);
    assert_int_equal(spean_queue_submit(queue, job_make(0)), SPEAN_OK);
    assert_int_equal(spean_queue_submit(queue, job_make(1)), SPEAN_OK);
    struct spean_job *taken = spean_queue_take(queue);
    spean_queue_close(queue);
    spean_queue_close(queue);
    assert_null(spean_queue_take(queue));
    struct spean_job *job = job_make(2);
    assert_int_equal(spean_queue_submit(queue, job), SPEAN_ESTATE);
    spean_job_free(job);
    job = spean_queue_collect(queue);
    assert_int_equal(job_number(job), 1);
    assert_int_equal(job->reply.status, 503);
    spean_job_free(job);
    assert_null(spean_queue_collect(queue));
    spean_queue_answer(taken); /* The core may still finish what it has begun. */
    assert_ptr_equal(spean_queue_collect(queue), taken);
    spean_job_free(taken);
    spean_queue_free(queue);
}

static void *core_main(void *arg)
{
    struct spean_queue *queue = arg;
    int left = PRODUCERS * JOBS_EACH;
    while (left > 0 && readable(spean_queue_core_fd(queue), DEADLINE_MS)) {
        struct spean_job *job = spean_queue_take(queue);
        if (job != NULL) {
            job->run(job, NULL);
            left--;
        }
    }
    return NULL;
}

static void *producer_main(void *arg)
{
    struct spean_queue *queue = arg;
    for (uintptr_t i = 0; i < JOBS_EACH; i++) {
        struct spean_job *job = job_make(i);
        /* A full queue is retried after whoever collects has run: bounded by the test's limit. */
        while (spean_queue_submit(queue, job) == SPEAN_EBUSY) {
            (void)readable(spean_queue_answers_fd(queue), 1);
        }
    }
    return NULL;
}

static void every_job_of_many_threads_comes_back_exactly_once(void **state)
{
    (void)state;
    struct spean_queue *queue = NULL;
    assert_int_equal(spean_queue_new(8, &queue), SPEAN_OK);
    pthread_t core;
    pthread_t producers[PRODUCERS];
    assert_int_equal(pthread_create(&core, NULL, core_main, queue), 0);
    for (int i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_create(&producers[i], NULL, producer_main, queue), 0);
    }
    int seen[JOBS_EACH] = {0};
    int left = PRODUCERS * JOBS_EACH;
    while (left > 0 && readable(spean_queue_answers_fd(queue), DEADLINE_MS)) {
        struct spean_job *job = spean_queue_collect(queue);
        if (job != NULL) {
            seen[job_number(job)]++;
            spean_job_free(job);
            left--;
        }
    }
    assert_int_equal(left, 0);
    for (int i = 0; i < JOBS_EACH; i++) {
        assert_int_equal(seen[i], PRODUCERS);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_join(producers[i], NULL), 0);
    }
    assert_int_equal(pthread_join(core, NULL), 0);
    spean_queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_taken_in_order_and_come_back_in_order),
        cmocka_unit_test(the_descriptors_are_readable_exactly_while_there_is_something),
        cmocka_unit_test(a_full_queue_refuses_until_an_answer_is_collected),
        cmocka_unit_test(a_closed_queue_answers_what_waits_and_refuses_the_rest),
        cmocka_unit_test(every_job_of_many_threads_comes_back_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
