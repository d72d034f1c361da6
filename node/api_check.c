/* Verifying the store while the node runs. */
#include <stdio.h>
#include <string.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "store/check.h"

#define PROBLEMS_SHOWN_MAX 100u

static void note(void *ctx, const struct spean_check_problem *problem)
{
    json_t *problems = ctx;
    char text[200];
    if (json_array_size(problems) < PROBLEMS_SHOWN_MAX) {
        (void)snprintf(
            text, sizeof(text), "%s (log %016llx, entry %llu)", spean_check_text(problem->kind),
            (unsigned long long)spean_short_of(&problem->log), (unsigned long long)problem->seq);
        (void)json_array_append_new(problems, json_string(text));
    }
}

/* One request under way. */
struct verification {
    struct spean_job *job;
    struct spean_check *check;
    json_t *problems;
};

static void answer(struct verification *v, spean_err err)
{
    if (err != SPEAN_OK) {
        spean_reply_error(&v->job->reply, err, NULL, NULL);
        json_decref(v->problems);
    } else {
        const uint64_t found = spean_check_problems(v->check);
        json_t *body = json_object();
        (void)json_object_set_new(body, "ok", json_boolean(found == 0));
        (void)json_object_set_new(body, "problems", v->problems);
        (void)json_object_set_new(body, "problems_count", spean_json_u64(found));
        (void)json_object_set_new(body, "entries", spean_json_u64(spean_check_entries(v->check)));
        spean_reply_take(&v->job->reply, body);
    }
    spean_check_free(v->check);
    spean_queue_answer(v->job);
}

static void run_verify(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    struct verification v = {.job = job, .problems = json_array()};
    bool done = false;
    spean_err err = spean_check_new(core->db, core->authority, note, v.problems, &v.check);
    while (err == SPEAN_OK && !done) {
        err = spean_check_step(v.check, &done);
    }
    answer(&v, err);
}

struct spean_route_group spean_check_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "POST", .path = "/v1/verify", .flags = SPEAN_ROUTE_WRITE, .run = run_verify},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
