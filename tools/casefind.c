#include "tools/casefind.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/recording.h"
#include "tools/show.h"

#define TEXT_BYTES_MAX 256u /* docs/API.md */

/* Flags, and the names that the API has for what they say. */
static const struct {
    const char *flag;
    const char *name;
    bool given_is_one; /* It has no value: "1" says that it was given. */
} filters[] = {
    {"status", "status", false},       {"issue", "issue", false},
    {"risk", "risk_level", false},     {"opened-from", "opened_from", false},
    {"opened-to", "opened_to", false}, {"due", "due", true},
};
#define FILTERS_COUNT (sizeof(filters) / sizeof(filters[0]))

static const char *const columns[] = {N_("CASE"), N_("STATUS"), N_("OPENED"), N_("RISK"),
                                      N_("NAME"), "",           NULL};

/* What is due with keeping a case, and since when; most have nothing there. */
static void due_add(struct spean_grid *grid, const json_t *record)
{
    const json_t *const retention = json_object_get(record, "retention");
    const json_t *const due = json_object_get(retention, "due");
    bool is_delete = false;
    for (size_t i = 0; i < json_array_size(due); i++) {
        const char *const what = json_string_value(json_array_get(due, i));
        is_delete = is_delete || (what != NULL && strcmp(what, "delete_by") == 0);
    }
    if (json_array_size(due) == 0) {
        spean_grid_cell(grid, "%s", "");
    } else if (is_delete) {
        spean_grid_cell(grid, _("! delete it by %s"), spean_jsonget_text(retention, "delete_by"));
    } else {
        spean_grid_cell(grid, _("! look at it again on %s"),
                        spean_jsonget_text(retention, "review_on"));
    }
}

static void row_add(struct spean_grid *grid, const json_t *record)
{
    const json_t *const name = json_array_get(json_object_get(record, "names"), 0);
    char code[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(record, code);
    spean_grid_cell(grid, "%s", code);
    spean_grid_cell(grid, "%s", spean_jsonget_text(record, "status"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(record, "opened_on"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(record, "risk_level"));
    const char *const full = spean_jsonget_text(name, "full");
    const char *const family = spean_jsonget_text(name, "family");
    const char *const given = spean_jsonget_text(name, "given");
    char same[SPEAN_SHOW_SAME_BYTES];
    spean_show_same(record, same);
    spean_grid_cell(grid, "%s%s%s%s", full[0] == '\0' ? family : full,
                    full[0] == '\0' && family[0] != '\0' && given[0] != '\0' ? " " : "",
                    full[0] == '\0' ? given : "", same);
    due_add(grid, record);
}

/* What a flag says to the API; NULL: it was not given. */
static const char *filter_value(struct spean_call *call, size_t index)
{
    return filters[index].given_is_one ? (spean_call_given(call, filters[index].flag) ? "1" : NULL)
                                       : spean_call_value(call, filters[index].flag);
}

enum spean_exit spean_casefind_list(struct spean_call *call, struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX] = "/v1/cases";
    for (size_t i = 0; i < FILTERS_COUNT; i++) {
        if (spean_listing_query(path, filters[i].name, filter_value(call, i)) != SPEAN_OK) {
            return spean_problem_usage(problem, "%s", _("what is searched for is too long"));
        }
    }
    return spean_listing_print(call, path, columns, row_add, problem);
}

/* Put a private text into the body, if there is one. */
static enum spean_exit private_set(struct spean_call *call, const char *flag, const char *name,
                                   json_t *body, struct spean_problem *problem)
{
    char *text = NULL;
    const enum spean_exit exit = spean_call_private(call, flag, TEXT_BYTES_MAX, &text, problem);
    if (exit != SPEAN_EXIT_DONE || text == NULL) {
        return exit;
    }
    text[strcspn(text, "\r\n")] = '\0'; /* Files end with a line break. */
    const bool kept = json_object_set_new(body, name, json_string(text)) == 0;
    sodium_memzero(text, strlen(text));
    free(text);
    return kept ? SPEAN_EXIT_DONE : spean_problem_err(problem, SPEAN_ENOMEM, flag);
}

/* Put what the words of the command say into the body; nothing of it is personal. */
static spean_err words_set(struct spean_call *call, json_t *body)
{
    const char *const code = spean_call_value(call, "case");
    bool kept = code == NULL || json_object_set_new(body, "text", json_string(code)) == 0;
    for (size_t i = 0; i < FILTERS_COUNT && kept; i++) {
        const char *const value = filter_value(call, i);
        kept = value == NULL || json_object_set_new(body, filters[i].name, json_string(value)) == 0;
    }
    return kept ? SPEAN_OK : SPEAN_ENOMEM;
}

/* Read whom to look for; who says nothing else is asked for a name. */
static enum spean_exit body_fill(struct spean_call *call, json_t *body,
                                 struct spean_problem *problem)
{
    if (spean_call_given(call, "case") && spean_call_given(call, "name")) {
        return spean_problem_usage(problem, "%s", _("give a code or --name, not both"));
    }
    if (words_set(call, body) != SPEAN_OK) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "case find");
    }
    enum spean_exit exit = private_set(call, "contact", "contact", body, problem);
    if (exit == SPEAN_EXIT_DONE &&
        (spean_call_given(call, "name") || json_object_size(body) == 0)) {
        exit = private_set(call, "name", "text", body, problem);
    }
    return exit;
}

enum spean_exit spean_casefind_run(struct spean_call *call, struct spean_problem *problem)
{
    json_t *const body = json_object();
    if (body == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "case find");
    }
    enum spean_exit exit = body_fill(call, body, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_listing_find(call, "/v1/cases/find", body, columns, row_add, problem);
    }
    json_decref(body);
    return exit;
}
