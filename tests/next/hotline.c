/* Routes for the record type that only speand_next has; see overlay.py. */
#include "node/edit.h"
#include "node/handlers.h"
#include "node/queue.h"
#include "node/records.h"

#define TYPE 900u

struct spean_route_group spean_hotline_routes(void);

static void add(struct spean_records *at)
{
    const struct spean_edit_subject subject = {.type = TYPE, .roles = SPEAN_ROLE_OWNER};
    struct spean_json_why why = {""};
    struct spean_record_id record;
    struct spean_edit *edit = NULL;
    struct spean_draft *draft = NULL;
    spean_err err = spean_edit_new(&edit);
    if (err == SPEAN_OK) {
        err = spean_edit_read(edit, &subject, at->request->body, &why);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
    } else if (spean_records_draft(at, &draft) &&
               spean_records_create(at, draft, TYPE, NULL, (struct spean_view){NULL, 0}, edit,
                                    &record) &&
               spean_records_commit(at, draft)) {
        spean_records_answer_new(at, &record);
    }
    spean_draft_free(draft);
    spean_edit_free(edit);
}

static void hotline_add(struct spean_job *job, void *core)
{
    spean_records_run(job, core, add);
}

static void patch(struct spean_records *at)
{
    spean_records_patch(at, TYPE, NULL);
}

static void hotline_patch(struct spean_job *job, void *core)
{
    spean_records_run(job, core, patch);
}

static void hotline_get(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply)) {
        spean_records_get(&at, TYPE);
        spean_records_end(&at);
    }
}

struct spean_route_group spean_hotline_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "POST", .path = "/v1/hotlines", .flags = SPEAN_ROUTE_WRITE, .run = hotline_add},
        {.method = "GET",
         .path = "/v1/hotlines/{id}",
         .flags = SPEAN_ROUTE_READ,
         .read = hotline_get},
        {.method = "PATCH",
         .path = "/v1/hotlines/{id}",
         .flags = SPEAN_ROUTE_WRITE,
         .run = hotline_patch},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
