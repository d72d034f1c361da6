/* node/queue.h - the bounded way from the API thread to the core and back. */
#ifndef SPEAN_NODE_QUEUE_H
#define SPEAN_NODE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/reply.h"
#include "node/request.h"
#include "protocol/err.h"

#define SPEAN_QUEUE_JOBS_MAX 256u /* The most a queue may be made for. */

struct spean_queue; /* Opaque; every function below may be called from any thread. */

/*
 * One write on its way to the core. A job owns its memory, and whoever holds it is the only one
 * who touches it: first the API, after spean_queue_submit() the queue, after spean_queue_take()
 * the core until it calls spean_queue_answer().
 */
struct spean_job {
    /*
     * Do the work on the core's thread. Either fill reply and call spean_queue_answer(), or keep
     * the job and do so later, when the change is durable. Every job is answered exactly once.
     */
    void (*run)(struct spean_job *job, void *core);
    struct spean_request *request; /* Owned. */
    void *data;                    /* Owned; what the route's check made of the request, or NULL. */
    void (*data_free)(void *data); /* NULL: data is not to be freed. */
    struct spean_reply reply;      /* Filled by the core before it answers. */

    struct spean_queue *queue; /* Of the queue. */
    struct spean_job *next;    /* Of the queue. */
    void *owner;               /* Of the API: the connection that waits. Nobody else's business. */
};

/* Create a job in *out around request, which it takes. SPEAN_ENOMEM: request is still yours. */
SPEAN_CHECK spean_err spean_job_new(struct spean_request *request, struct spean_job **out);
void spean_job_free(struct spean_job *job); /* NULL is allowed. */

/*
 * Create a queue in *out that holds at most jobs_max jobs (1 to SPEAN_QUEUE_JOBS_MAX) which are
 * submitted and not yet collected. SPEAN_EIO: no event descriptor. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_queue_new(uint32_t jobs_max, struct spean_queue **out);

/*
 * Free the queue and the jobs in it. Both threads must have stopped using it and the core must
 * have answered every job it took. NULL is allowed.
 */
void spean_queue_free(struct spean_queue *queue);

/*
 * Hand job to the core. SPEAN_EBUSY: the queue is full, tell the client to come again.
 * SPEAN_ESTATE: the queue is closed, the core is going. After an error job is still yours.
 */
SPEAN_CHECK spean_err spean_queue_submit(struct spean_queue *queue, struct spean_job *job);

/* Becomes readable when there is a job for the core; spean_queue_take() clears it. */
int spean_queue_core_fd(const struct spean_queue *queue);

/* The oldest job, now the core's; NULL when there is none. */
struct spean_job *spean_queue_take(struct spean_queue *queue);

/* Hand job back with its reply. Works after spean_queue_close() too. */
void spean_queue_answer(struct spean_job *job);

/*
 * The core stops: refuse further jobs and answer those not yet taken with 503. Jobs that the core
 * has taken are still its to answer. Calling it again changes nothing.
 */
void spean_queue_close(struct spean_queue *queue);

/* Becomes readable when there is an answer for the API; spean_queue_collect() clears it. */
int spean_queue_answers_fd(const struct spean_queue *queue);

/* The oldest answered job, now the API's to free; NULL when there is none. */
struct spean_job *spean_queue_collect(struct spean_queue *queue);

#endif
