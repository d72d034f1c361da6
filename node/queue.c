#include "node/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* First in, first out, with a descriptor that is readable exactly while jobs are in it. */
struct lane {
    struct spean_job *first;
    struct spean_job *last;
    int fd;
};

struct spean_queue {
    pthread_mutex_t mutex; /* Guards everything below but the descriptors' numbers. */
    struct lane core;      /* Submitted, not yet taken. */
    struct lane answers;   /* Answered, not yet collected. */
    uint32_t jobs_count;   /* Submitted, not yet collected. */
    uint32_t jobs_max;
    bool closed;
};

spean_err spean_job_new(struct spean_request *request, struct spean_job **out)
{
    assert(request != NULL);
    assert(out != NULL);
    struct spean_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return SPEAN_ENOMEM;
    }
    job->request = request;
    *out = job;
    return SPEAN_OK;
}

void spean_job_free(struct spean_job *job)
{
    if (job == NULL) {
        return;
    }
    if (job->data_free != NULL) {
        job->data_free(job->data);
    }
    spean_request_free(job->request);
    spean_reply_fini(&job->reply);
    free(job);
}

static void queue_lock(struct spean_queue *queue)
{
    const int failed = pthread_mutex_lock(&queue->mutex);
    assert(failed == 0);
    (void)failed;
}

static void queue_unlock(struct spean_queue *queue)
{
    const int failed = pthread_mutex_unlock(&queue->mutex);
    assert(failed == 0);
    (void)failed;
}

/* The descriptor is written and read under the mutex, so it cannot disagree with the list. */
static void lane_put(struct lane *lane, struct spean_job *job)
{
    job->next = NULL;
    if (lane->last != NULL) {
        lane->last->next = job;
    } else {
        lane->first = job;
        const uint64_t one = 1;
        const ssize_t wrote = write(lane->fd, &one, sizeof(one));
        assert(wrote == (ssize_t)sizeof(one)); /* The counter was 0: it cannot be full. */
        (void)wrote;
    }
    lane->last = job;
}

static struct spean_job *lane_get(struct lane *lane)
{
    struct spean_job *job = lane->first;
    if (job == NULL) {
        return NULL;
    }
    lane->first = job->next;
    job->next = NULL;
    if (lane->first == NULL) {
        lane->last = NULL;
        uint64_t count = 0;
        const ssize_t got = read(lane->fd, &count, sizeof(count));
        assert(got == (ssize_t)sizeof(count)); /* Put wrote it when the lane was empty. */
        (void)got;
    }
    return job;
}

spean_err spean_queue_new(uint32_t jobs_max, struct spean_queue **out)
{
    assert(jobs_max > 0);
    assert(jobs_max <= SPEAN_QUEUE_JOBS_MAX);
    assert(out != NULL);
    struct spean_queue *queue = calloc(1, sizeof(*queue));
    if (queue == NULL) {
        return SPEAN_ENOMEM;
    }
    if (pthread_mutex_init(&queue->mutex, NULL) != 0) {
        free(queue);
        return SPEAN_ENOMEM;
    }
    queue->jobs_max = jobs_max;
    queue->core.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    queue->answers.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->core.fd < 0 || queue->answers.fd < 0) {
        spean_queue_free(queue);
        return SPEAN_EIO;
    }
    *out = queue;
    return SPEAN_OK;
}

static void lane_fini(struct lane *lane)
{
    struct spean_job *job = lane->first;
    while (job != NULL) {
        struct spean_job *next = job->next;
        spean_job_free(job);
        job = next;
    }
    if (lane->fd >= 0) {
        (void)close(lane->fd); /* Nothing was written that could be lost. */
    }
}

void spean_queue_free(struct spean_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    lane_fini(&queue->core);
    lane_fini(&queue->answers);
    (void)pthread_mutex_destroy(&queue->mutex); /* Nobody holds it: see the header. */
    free(queue);
}

spean_err spean_queue_submit(struct spean_queue *queue, struct spean_job *job)
{
    assert(queue != NULL);
    assert(job != NULL);
    assert(job->run != NULL);
    spean_err err = SPEAN_OK;
    queue_lock(queue);
    if (queue->closed) {
        err = SPEAN_ESTATE;
    } else if (queue->jobs_count == queue->jobs_max) {
        err = SPEAN_EBUSY;
    } else {
        job->queue = queue;
        queue->jobs_count++;
        lane_put(&queue->core, job);
    }
    queue_unlock(queue);
    return err;
}

int spean_queue_core_fd(const struct spean_queue *queue)
{
    assert(queue != NULL);
    return queue->core.fd;
}

struct spean_job *spean_queue_take(struct spean_queue *queue)
{
    assert(queue != NULL);
    queue_lock(queue);
    struct spean_job *job = lane_get(&queue->core);
    queue_unlock(queue);
    return job;
}

void spean_queue_answer(struct spean_job *job)
{
    assert(job != NULL);
    struct spean_queue *queue = job->queue;
    assert(queue != NULL);
    queue_lock(queue);
    lane_put(&queue->answers, job);
    queue_unlock(queue);
}

void spean_queue_close(struct spean_queue *queue)
{
    assert(queue != NULL);
    queue_lock(queue);
    queue->closed = true;
    struct spean_job *job = lane_get(&queue->core);
    while (job != NULL) {
        spean_reply_refuse(&job->reply, 503, SPEAN_EBUSY, "the node is stopping",
                           "nothing was changed; start the node and try again");
        lane_put(&queue->answers, job);
        job = lane_get(&queue->core);
    }
    queue_unlock(queue);
}

int spean_queue_answers_fd(const struct spean_queue *queue)
{
    assert(queue != NULL);
    return queue->answers.fd;
}

struct spean_job *spean_queue_collect(struct spean_queue *queue)
{
    assert(queue != NULL);
    queue_lock(queue);
    struct spean_job *job = lane_get(&queue->answers);
    if (job != NULL) {
        assert(queue->jobs_count > 0);
        queue->jobs_count--;
    }
    queue_unlock(queue);
    return job;
}
