/* Agencies: partners, recruiters, employers, authorities. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/agency_find.h"
#include "node/agency_import.h"
#include "node/alike.h"
#include "node/handlers.h"
#include "node/records.h"
#include "protocol/schema_numbers.h"

#define LINE_FIELDS 5u

/* -- List ------------------------------------------------------------------------------------ */

static spean_err agency_line(struct spean_records *at, const struct spean_records_item *item,
                             void *ctx, json_t **out)
{
    static const char *const fields[LINE_FIELDS] = {"names", "kind", "country", "status", "alert"};
    (void)ctx;
    json_t *line = NULL;
    spean_err err = spean_records_line(at, item, &line);
    for (size_t i = 0; i < LINE_FIELDS && err == SPEAN_OK; i++) {
        err = spean_records_line_field(at, item, fields[i], line);
    }
    struct spean_id org;
    if (err == SPEAN_OK && spean_records_fixed_org(item, SPEAN_FIELD_AGENCY_ORG, &org) &&
        !spean_json_set_org(line, "org", &org, &at->names)) {
        err = SPEAN_ENOMEM;
    }
    if (err != SPEAN_OK) {
        json_decref(line);
        return err;
    }
    *out = line;
    return SPEAN_OK;
}

static void agencies_list(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    struct spean_agency_find find;
    if (!spean_records_read(&at, request, ctx, reply)) {
        return;
    }
    if (spean_agency_find_read(&at, &find)) {
        const struct spean_records_listing listing = {.type = SPEAN_TYPE_AGENCY,
                                                      .ctx = &find,
                                                      .wants = spean_agency_find_wants,
                                                      .line = agency_line,
                                                      .as_one = true};
        spean_records_list(&at, &listing);
    }
    spean_agency_find_fini(&find);
    spean_records_end(&at);
}

static void agency_get(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply)) {
        spean_alike_get(&at, SPEAN_TYPE_AGENCY);
        spean_records_end(&at);
    }
}

/* -- Add ------------------------------------------------------------------------------------- */

/* Read "fixed": nothing, or that the record is about our own organisation. */
static bool read_fixed(struct spean_records *at, uint8_t buf[64], struct spean_view *out)
{
    const json_t *fixed = json_object_get(at->request->body, "fixed");
    const struct spean_id *own = spean_core_org(at->view.core);
    struct spean_id org;
    struct spean_record_id self;
    *out = (struct spean_view){NULL, 0};
    if (fixed == NULL || (json_is_object(fixed) && json_object_size(fixed) == 0)) {
        return true;
    }
    const json_t *named = json_object_get(fixed, "org");
    if (named == NULL || json_object_size(fixed) != 1) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL, "fixed: only org can stand here", NULL);
        return false;
    }
    if (!spean_records_find_org(at, "fixed.org", named, &org)) {
        return false;
    }
    if (!spean_id_equal(&org, own)) {
        spean_records_refuse(at, SPEAN_EDENIED, "not_yours",
                             "a member organisation writes its own record",
                             "leave fixed out to describe an agency without a node");
        return false;
    }
    if (spean_records_agency_of(at, own, &self)) {
        spean_records_refuse(at, SPEAN_EEXISTS, NULL,
                             "your organisation has a record of itself already",
                             "edit that one: spean agency edit");
        return false;
    }
    uint8_t id[40];
    const struct spean_records_fixed row = {
        SPEAN_FIELD_AGENCY_ORG, spean_records_encode_id(own->bytes, SPEAN_ID_BYTES, id)};
    const spean_err err = spean_records_fixed_encode(&row, 1, buf, 64, out);
    assert(err == SPEAN_OK); /* 64 bytes are enough. */
    return true;
}

static bool has_names(const struct spean_edit *edit)
{
    for (uint32_t i = 0; i < spean_edit_count(edit); i++) {
        if (spean_edit_at(edit, i)->field->number == SPEAN_FIELD_AGENCY_NAMES) {
            return true;
        }
    }
    return false;
}

/* Read the edit that makes the record. */
static bool read_new(struct spean_records *at, struct spean_edit *edit)
{
    const struct spean_edit_subject subject = {
        .type = SPEAN_TYPE_AGENCY,
        .roles = SPEAN_ROLE_OWNER | SPEAN_ROLE_MEMBER,
        .editable = spean_agency_editable,
    };
    struct spean_json_why why = {""};
    json_t *json = spean_records_body_without(at, "fixed");
    const spean_err err = json == NULL ? SPEAN_ENOMEM : spean_edit_read(edit, &subject, json, &why);
    json_decref(json);
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
        return false;
    }
    if (!has_names(edit)) {
        spean_records_refuse(at, SPEAN_EINPUT, "missing_names", "an agency needs a name",
                             "give \"set\": {\"names\": {\"km\": \"...\"}}");
        return false;
    }
    return true;
}

static void add_agency(struct spean_records *at)
{
    uint8_t buf[64];
    struct spean_view fixed;
    struct spean_record_id record;
    struct spean_edit *edit = NULL;
    struct spean_draft *draft = NULL;
    if (!read_fixed(at, buf, &fixed)) {
        return;
    }
    if (spean_edit_new(&edit) != SPEAN_OK) {
        spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
        return;
    }
    if (read_new(at, edit) && spean_records_draft(at, &draft) &&
        spean_records_create(at, draft, SPEAN_TYPE_AGENCY, NULL, fixed, edit, &record) &&
        spean_records_commit(at, draft)) {
        spean_alike_answer_new(at, &record);
    }
    spean_draft_free(draft);
    spean_edit_free(edit);
}

static void agency_add(struct spean_job *job, void *core)
{
    spean_records_run(job, core, add_agency);
}

static void patch_agency(struct spean_records *at)
{
    spean_records_patch(at, SPEAN_TYPE_AGENCY, spean_agency_editable);
}

static void agency_patch(struct spean_job *job, void *core)
{
    spean_records_run(job, core, patch_agency);
}

static void agency_import(struct spean_job *job, void *core)
{
    spean_records_run(job, core, spean_agency_import);
}

struct spean_route_group spean_agency_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/agencies",
         .flags = SPEAN_ROUTE_READ,
         .query = "kind country status service language q limit after",
         .read = agencies_list},
        {.method = "POST", .path = "/v1/agencies", .flags = SPEAN_ROUTE_WRITE, .run = agency_add},
        {.method = "POST",
         .path = "/v1/agencies/import",
         .flags = SPEAN_ROUTE_WRITE | SPEAN_ROUTE_BIG_BODY,
         .body = "items lang",
         .run = agency_import},
        {.method = "GET",
         .path = "/v1/agencies/{id}",
         .flags = SPEAN_ROUTE_READ,
         .read = agency_get},
        {.method = "PATCH",
         .path = "/v1/agencies/{id}",
         .flags = SPEAN_ROUTE_WRITE,
         .run = agency_patch},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
