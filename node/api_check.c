/* Verifying the store while the node runs: a slice between two turns of the core. */
#include <stdlib.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "store/check.h"
#include "store/check_records.h"

#define PROBLEMS_SHOWN_MAX 100u

/* The request under way. */
struct core_verification {
    struct spean_job *job;
    struct spean_check *check;
    struct spean_check_records *records; /* NULL: the first part is not done yet. */
    json_t *problems;
};

static void note(void *ctx, const struct spean_check_problem *problem)
{
    json_t *problems = ctx;
    char text[SPEAN_CHECK_TEXT_BYTES];
    if (json_array_size(problems) < PROBLEMS_SHOWN_MAX) {
        spean_check_describe(problem, text);
        (void)json_array_append_new(problems, json_string(text));
    }
}

static json_t *answer_body(const struct core_verification *v)
{
    const uint64_t found =
        spean_check_problems(v->check) + spean_check_records_problems(v->records);
    json_t *body = json_object();
    (void)json_object_set_new(body, "ok", json_boolean(found == 0));
    (void)json_object_set(body, "problems", v->problems);
    (void)json_object_set_new(body, "problems_count", spean_json_u64(found));
    (void)json_object_set_new(body, "entries", spean_json_u64(spean_check_entries(v->check)));
    (void)json_object_set_new(body, "bodies", spean_json_u64(spean_check_bodies(v->check)));
    (void)json_object_set_new(body, "records",
                              spean_json_u64(spean_check_records_parts(v->records)));
    (void)json_object_set_new(body, "not_checked",
                              spean_json_u64(spean_check_records_skipped(v->records)));
    return body;
}

static void verification_free(struct core_verification *v)
{
    spean_check_records_free(v->records);
    spean_check_free(v->check);
    json_decref(v->problems);
    free(v);
}

void core_verify_end(struct spean_core *core, spean_err err, const char *why)
{
    struct core_verification *v = core->verification;
    if (v == NULL) {
        return;
    }
    struct spean_job *job = v->job;
    if (err == SPEAN_OK) {
        spean_answer_written(job, answer_body(v));
    } else {
        spean_reply_error(&job->reply, err, why, why == NULL ? NULL : "verify again");
    }
    verification_free(v); /* Before the other thread has the answer: it holds the same problems. */
    core->verification = NULL;
    spean_queue_answer(job);
}

/* Do a slice of the first part, or of the second. */
static spean_err step(struct spean_core *core, struct core_verification *v, bool *done)
{
    if (v->records != NULL) {
        return spean_check_records_step(v->records, done);
    }
    bool first_done = false;
    const spean_err err = spean_check_step(v->check, &first_done);
    if (err != SPEAN_OK || !first_done) {
        return err;
    }
    return spean_check_records_new(core->db, core->authority, core->keys, &core->org, note,
                                   v->problems, &v->records);
}

void core_verify_turn(struct spean_core *core)
{
    if (core->verification == NULL) {
        return;
    }
    bool done = false;
    const spean_err err = step(core, core->verification, &done);
    core->next_verify_ms = core_now_ms() + CORE_VERIFY_MS;
    if (err == SPEAN_EBUSY) {
        return; /* Too many read at this moment. */
    }
    if (err != SPEAN_OK || done) {
        core_verify_end(core, err, NULL);
    }
}

static spean_err begin(struct spean_core *core, struct spean_job *job)
{
    struct core_verification *v = calloc(1, sizeof(*v));
    if (v == NULL) {
        return SPEAN_ENOMEM;
    }
    v->job = job;
    v->problems = json_array();
    spean_err err = v->problems != NULL ? SPEAN_OK : SPEAN_ENOMEM;
    if (err == SPEAN_OK) {
        err = spean_check_new(core->db, core->authority, note, v->problems, &v->check);
    }
    if (err != SPEAN_OK) {
        verification_free(v);
        return err;
    }
    core->verification = v;
    core->next_verify_ms = 0;
    return SPEAN_OK;
}

static void run_verify(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    if (core->verification != NULL) {
        spean_reply_error(&job->reply, SPEAN_EBUSY, "the store is being verified already",
                          "wait for that to end");
        spean_queue_answer(job);
        return;
    }
    const spean_err err = begin(core, job);
    if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL, NULL);
        spean_queue_answer(job);
    }
}

struct spean_route_group spean_check_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "POST",
         .path = "/v1/verify",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_verify},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
