#include "tools/membershow.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/money.h"
#include "tools/out.h"
#include "tools/partners.h"
#include "tools/recording.h"
#include "tools/timetext.h"

/* The element of an array that says text under key; NULL: none does. */
static json_t *element_of(const json_t *array, const char *key, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *const element = json_array_get(array, i);
        if (strcmp(spean_jsonget_text(element, key), text) == 0) {
            return element;
        }
    }
    return NULL;
}

/* -- Getting it -------------------------------------------------------------------------------- */

/* Put into *logs a new array of those of the organisation. */
static spean_err logs_pick(const json_t *list, const char *org, json_t **logs)
{
    const json_t *const items = json_object_get(list, "items");
    json_t *const picked = json_array();
    bool good = picked != NULL;
    for (size_t i = 0; good && i < json_array_size(items); i++) {
        json_t *const log = json_array_get(items, i);
        good =
            strcmp(spean_jsonget_text(log, "org"), org) != 0 || json_array_append(picked, log) == 0;
    }
    if (!good) {
        json_decref(picked);
        return SPEAN_ENOMEM;
    }
    *logs = picked;
    return SPEAN_OK;
}

/* Make of three answers what is known of the member, a new object. */
static spean_err join(const json_t *members, const json_t *status, const json_t *list,
                      const char *org, json_t **member)
{
    json_t *const row = element_of(json_object_get(members, "items"), "org", org);
    json_t *const partner = element_of(json_object_get(status, "partners"), "org", org);
    json_t *logs = NULL;
    if (row == NULL) {
        return SPEAN_ENOTFOUND; /* It was there a moment ago. */
    }
    const spean_err err = logs_pick(list, org, &logs);
    if (err != SPEAN_OK) {
        return err;
    }
    json_t *const made = json_copy(row);
    if (made == NULL || json_object_set_new(made, "logs", logs) != 0 ||
        json_object_set_new(made, "partner",
                            partner == NULL ? json_null() : json_incref(partner)) != 0) {
        json_decref(made);
        return SPEAN_ENOMEM;
    }
    *member = made;
    return SPEAN_OK;
}

static enum spean_exit member_get(struct spean_call *call, const char *org, json_t **member,
                                  struct spean_problem *problem)
{
    json_t *members = NULL;
    json_t *status = NULL;
    json_t *logs = NULL;
    enum spean_exit exit = spean_listing_get(call, "/v1/members", &members, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_request(call, "GET", "/v1/status", NULL, &status, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_listing_get(call, "/v1/logs", &logs, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        const spean_err err = join(members, status, logs, org, member);
        exit = err == SPEAN_OK ? exit : spean_problem_err(problem, err, org);
    }
    json_decref(members);
    json_decref(status);
    json_decref(logs);
    return exit;
}

/* -- Printing it ------------------------------------------------------------------------------- */

static void head_print(struct spean_out *out, const json_t *member)
{
    const json_t *const partner = json_object_get(member, "partner");
    const char *const by = spean_jsonget_text(partner, "by");
    char who[SPEAN_WHO_BYTES_MAX];
    spean_jsonget_who(member, "org", "name", who);
    spean_out_line(out, "%s%s", who, spean_jsonget_true(member, "self") ? _("  (we)") : "");
    spean_out_line(out, "%s", spean_jsonget_text(member, "org"));
    if (spean_jsonget_text(member, "name")[0] == '\0') {
        spean_out_line(out, "%s", _("Name:         none; its agency's record has not arrived"));
    }
    spean_out_line(out, _("Standing:     %s%s"), spean_jsonget_text(member, "status"),
                   spean_jsonget_true(member, "steward") ? _(", steward") : "");
    if (json_is_object(partner)) {
        char ago[SPEAN_TIMETEXT_BYTES_MAX];
        spean_partners_seen(partner, (int64_t)time(NULL), ago);
        spean_out_line(out, _("Last contact: %s, by: %s"), ago, by[0] == '\0' ? "-" : by);
    }
    if (json_is_integer(json_object_get(member, "generation"))) {
        spean_out_line(out, _("Sealing key:  generation %" JSON_INTEGER_FORMAT),
                       (json_int_t)spean_jsonget_number(member, "generation"));
    }
}

static void node_add(struct spean_grid *grid, const json_t *node, const json_t *log)
{
    const char *const standing = spean_jsonget_text(log, "standing");
    char key[SPEAN_IDTEXT_SHORT_BYTES];
    char id[SPEAN_IDTEXT_SHORT_BYTES];
    char height[SPEAN_MONEY_BYTES_MAX];
    spean_idtext_short(spean_jsonget_text(node, "signing"), key);
    spean_idtext_short(spean_jsonget_text(log, "id"), id);
    spean_money_count(spean_jsonget_number(log, "height"), height);
    spean_grid_cell(grid, "%s", key);
    spean_grid_cell(grid, "%s", log == NULL ? "-" : id);
    spean_grid_cell(grid, "%s", log == NULL ? "-" : height);
    spean_grid_cell(grid, "%s", log == NULL ? spean_jsonget_text(node, "standing") : standing);
    spean_grid_cell(grid, "%s", spean_jsonget_true(node, "relay") ? _("yes") : "-");
}

static spean_err nodes_print(struct spean_out *out, const json_t *member)
{
    const json_t *const nodes = json_object_get(member, "nodes");
    const json_t *const logs = json_object_get(member, "logs");
    struct spean_grid *grid;
    const spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_grid_column(grid, _("NODE'S SIGNING KEY"), false);
    spean_grid_column(grid, _("LOG"), false);
    spean_grid_column(grid, _("ENTRIES"), false);
    spean_grid_column(grid, _("STANDING"), false);
    spean_grid_column(grid, _("RELAY"), false);
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *const node = json_array_get(nodes, i);
        node_add(grid, node, element_of(logs, "signing", spean_jsonget_text(node, "signing")));
    }
    spean_out_grid(out, grid);
    spean_grid_free(grid);
    return SPEAN_OK;
}

/* Say which logs are paused, and why it is not in step. */
static void waiting_print(struct spean_out *out, const json_t *member)
{
    const json_t *const logs = json_object_get(member, "logs");
    const char *const why = spean_jsonget_text(json_object_get(member, "partner"), "why");
    for (size_t i = 0; i < json_array_size(logs); i++) {
        const json_t *const log = json_array_get(logs, i);
        char id[SPEAN_IDTEXT_SHORT_BYTES];
        spean_idtext_short(spean_jsonget_text(log, "id"), id);
        if (strcmp(spean_jsonget_text(log, "standing"), "paused") == 0) {
            spean_out_line(out, _("! log %s is paused; to take more of it: spean log resume %s"),
                           id, id);
        }
    }
    if (why[0] != '\0') {
        spean_out_line(out, _("Not in step: %s"), why);
    }
}

enum spean_exit spean_membershow_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    struct spean_out *const out = spean_call_out(call);
    char org[SPEAN_RECORDING_ORG_BYTES];
    json_t *member = NULL;
    enum spean_exit exit = spean_recording_org(call, spean_call_value(call, "org"), org, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = member_get(call, org, &member, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    spean_out_json(out, member);
    head_print(out, member);
    const spean_err err = nodes_print(out, member);
    if (err == SPEAN_OK) {
        waiting_print(out, member);
    }
    json_decref(member);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "member show");
}
