/* Cases: what only the own organisation sees. */
#include <stdbool.h>

#include "node/alike.h"
#include "node/case_find.h"
#include "node/case_import.h"
#include "node/case_new.h"
#include "node/handlers.h"
#include "node/records.h"
#include "node/retention.h"
#include "protocol/schema_numbers.h"

#define LINE_FIELDS 6u

/* -- List and show --------------------------------------------------------------------------- */

static spean_err case_line(struct spean_records *at, const struct spean_records_item *item,
                           void *ctx, json_t **out)
{
    static const char *const fields[LINE_FIELDS] = {"names",     "status",     "opened_on",
                                                    "closed_on", "risk_level", "safe_contact"};
    (void)ctx;
    json_t *line = NULL;
    spean_err err = spean_records_line(at, item, &line);
    for (size_t i = 0; i < LINE_FIELDS && err == SPEAN_OK; i++) {
        err = spean_records_line_field(at, item, fields[i], line);
    }
    json_t *retention = NULL;
    if (err == SPEAN_OK) {
        err =
            spean_retention_show(at, &item->info.record, item->parts[SPEAN_PART_CASE], &retention);
    }
    if (err == SPEAN_OK && json_object_set_new(line, "retention", retention) != 0) {
        err = SPEAN_ENOMEM;
    }
    if (err != SPEAN_OK) {
        json_decref(line);
        return err;
    }
    *out = line;
    return SPEAN_OK;
}

/* Answer with the cases that are looked for. */
static void list(struct spean_records *at, bool from_body)
{
    struct spean_case_find find;
    if (spean_case_find_read(at, from_body, &find)) {
        const struct spean_records_listing listing = {.type = SPEAN_TYPE_CASE,
                                                      .ctx = &find,
                                                      .wants = spean_case_find_wants,
                                                      .line = case_line,
                                                      .as_one = true};
        spean_records_list(at, &listing);
    }
    spean_case_find_fini(&find);
}

static void cases_list(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply)) {
        list(&at, false);
        spean_records_end(&at);
    }
}

static void cases_find(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply)) {
        list(&at, true);
        spean_records_end(&at);
    }
}

static void case_get(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply)) {
        spean_alike_get(&at, SPEAN_TYPE_CASE);
        spean_records_end(&at);
    }
}

/* -- Add ------------------------------------------------------------------------------------- */

static bool read_new(struct spean_records *at, struct spean_edit *edit)
{
    const struct spean_edit_subject subject = {
        .type = SPEAN_TYPE_CASE,
        .roles = SPEAN_ROLE_OWNER | SPEAN_ROLE_MEMBER,
        .editable = spean_case_editable,
    };
    struct spean_json_why why = {""};
    spean_err err = spean_edit_read(edit, &subject, at->request->body, &why);
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
        return false;
    }
    err = spean_case_defaults(at, edit);
    if (err == SPEAN_ELIMIT) {
        spean_records_refuse(at, err, "no_number", "this month's case numbers are used up",
                             "give a code of your own: \"set\": {\"short_ref\": \"...\"}");
    } else if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
    }
    return err == SPEAN_OK;
}

static void add_case(struct spean_records *at)
{
    struct spean_record_id record;
    struct spean_edit *edit = NULL;
    struct spean_draft *draft = NULL;
    if (spean_edit_new(&edit) != SPEAN_OK) {
        spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
        return;
    }
    if (read_new(at, edit) && spean_records_draft(at, &draft) &&
        spean_records_create(at, draft, SPEAN_TYPE_CASE, NULL, (struct spean_view){NULL, 0}, edit,
                             &record) &&
        spean_records_commit(at, draft)) {
        spean_alike_answer_new(at, &record);
    }
    spean_draft_free(draft);
    spean_edit_free(edit);
}

static void case_add(struct spean_job *job, void *core)
{
    spean_records_run(job, core, add_case);
}

static void patch_case(struct spean_records *at)
{
    spean_records_patch(at, SPEAN_TYPE_CASE, spean_case_editable);
}

static void case_patch(struct spean_job *job, void *core)
{
    spean_records_run(job, core, patch_case);
}

static void retention_put(struct spean_job *job, void *core)
{
    spean_records_run(job, core, spean_retention_put);
}

static void case_import(struct spean_job *job, void *core)
{
    spean_records_run(job, core, spean_case_import);
}

struct spean_route_group spean_case_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/cases",
         .flags = SPEAN_ROUTE_READ,
         .query = "status issue risk_level opened_from opened_to due limit after",
         .read = cases_list},
        {.method = "POST", .path = "/v1/cases", .flags = SPEAN_ROUTE_WRITE, .run = case_add},
        {.method = "POST",
         .path = "/v1/cases/find",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = cases_find},
        {.method = "POST",
         .path = "/v1/cases/import",
         .flags = SPEAN_ROUTE_WRITE | SPEAN_ROUTE_BIG_BODY,
         .body = "items lang",
         .run = case_import},
        {.method = "GET", .path = "/v1/cases/{id}", .flags = SPEAN_ROUTE_READ, .read = case_get},
        {.method = "PATCH",
         .path = "/v1/cases/{id}",
         .flags = SPEAN_ROUTE_WRITE,
         .run = case_patch},
        {.method = "PUT",
         .path = "/v1/cases/{id}/retention",
         .flags = SPEAN_ROUTE_WRITE,
         .run = retention_put},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
