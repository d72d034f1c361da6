#include "tools/drafting.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "tools/edit.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/out.h"
#include "tools/recording.h"
#include "tools/show.h"
#include "tools/stepping.h"

#define REASON_BYTES_MAX  4096u
#define PREVIEW_ITEMS_MAX 3u /* Of one field; more are only counted. */

/* Rows of one part of the preview: fields and what they say; a long list only by its length. */
static spean_err part_add(struct spean_grid *grid, const char *label, const json_t *part)
{
    spean_err err = SPEAN_OK;
    if (json_array_size(part) == 0) {
        spean_grid_cell(grid, "%s", label);
        spean_grid_cell(grid, "%s", _("nothing"));
        spean_grid_cell(grid, "%s", "");
    }
    for (size_t i = 0; err == SPEAN_OK && i < json_array_size(part); i++) {
        const json_t *const row = json_array_get(part, i);
        json_t *const value = json_object_get(row, "value");
        char *const text = value == NULL ? strdup("") : spean_show_value(value);
        if (text == NULL) {
            return SPEAN_ENOMEM;
        }
        spean_grid_cell(grid, "%s", i == 0 ? label : "");
        spean_grid_cell(grid, "%s", spean_jsonget_text(row, "field"));
        if (json_array_size(value) > PREVIEW_ITEMS_MAX) {
            spean_grid_cell(grid, COUNTED_(json_array_size(value), "%zu item", "%zu items"),
                            json_array_size(value));
        } else {
            spean_grid_cell(grid, "%s", text);
        }
        free(text);
    }
    return err;
}

/* What sending would be refused for, so that nobody learns it only then. */
static enum spean_exit preview_problems(struct spean_out *out, const json_t *problems)
{
    for (size_t i = 0; i < json_array_size(problems); i++) {
        spean_out_warn(out, "%s", spean_jsonget_text(json_array_get(problems, i), "message"));
    }
    return json_array_size(problems) > 0 ? SPEAN_EXIT_ATTENTION : SPEAN_EXIT_DONE;
}

static enum spean_exit preview_print(struct spean_call *call, const json_t *preview,
                                     struct spean_problem *problem)
{
    static const struct {
        const char *key;
        const char *label;
    } parts[] = {{"now", N_("They will see now")},
                 {"after_accept", N_("After they accept")},
                 {"never", N_("They will never see")}};
    struct spean_out *const out = spean_call_out(call);
    struct spean_grid *grid;
    char to[SPEAN_WHO_BYTES_MAX];
    spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "referral preview");
    }
    for (unsigned i = 0; i < 3; i++) {
        spean_grid_column(grid, NULL, false);
    }
    for (size_t i = 0; err == SPEAN_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
        err = part_add(grid, _(parts[i].label), json_object_get(preview, parts[i].key));
    }
    if (err == SPEAN_OK) {
        spean_jsonget_who(preview, "to", "to_name", to);
        spean_out_json(out, preview);
        spean_out_line(out, _("To %s"), to);
        spean_out_grid(out, grid);
        spean_out_line(out, "%s", _("If they decline, nothing stays on their node."));
    }
    spean_grid_free(grid);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "referral preview");
    }
    const enum spean_exit exit = preview_problems(out, json_object_get(preview, "problems"));
    if (exit == SPEAN_EXIT_DONE) {
        spean_out_next(out, "spean referral send %s", spean_call_value(call, "referral"));
    }
    return exit;
}

enum spean_exit spean_drafting_preview(struct spean_call *call, struct spean_problem *problem)
{
    const struct spean_resource resource = {
        .collection = "referrals", .id = spean_call_value(call, "referral"), .verb = "preview"};
    json_t *preview = NULL;
    const enum spean_exit exit = spean_recording_get(call, &resource, &preview, problem);
    if (preview == NULL) {
        return exit;
    }
    const enum spean_exit printed = preview_print(call, preview, problem);
    json_decref(preview);
    return printed;
}

/* Put the flags of one value into the draft; they count before the file. */
static enum spean_exit words_set(struct spean_call *call, json_t *draft,
                                 struct spean_problem *problem)
{
    static const char *const plain[] = {"case", "consent", "kind", "urgency"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        const char *const given = spean_call_value(call, plain[i]);
        if (given != NULL && json_object_set_new(draft, plain[i], json_string(given)) != 0) {
            return spean_problem_err(problem, SPEAN_ENOMEM, plain[i]);
        }
    }
    const char *const by = spean_call_value(call, "respond-by");
    json_t *value = NULL;
    if (by != NULL) {
        const enum spean_exit exit = spean_stepping_time("respond-by", by, &value, problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
        if (json_object_set_new(draft, "respond_by", value) != 0) {
            return spean_problem_err(problem, SPEAN_ENOMEM, "--respond-by");
        }
    }
    return SPEAN_EXIT_DONE;
}

/* Append the values of a flag that repeats to an array of the draft; wrap makes them objects. */
static enum spean_exit list_append(struct spean_call *call, json_t *draft, const char *flag,
                                   const char *key, bool wrap, struct spean_problem *problem)
{
    const size_t count = spean_call_count(call, flag);
    json_t *array = json_object_get(draft, key);
    bool good = true;
    if (count > 0 && array == NULL) {
        array = json_array();
        good = json_object_set_new(draft, key, array) == 0;
    }
    for (size_t i = 0; good && i < count; i++) {
        const char *const text = spean_call_value_at(call, flag, i);
        good = json_array_append_new(array, wrap ? json_pack("{s:s}", "code", text)
                                                 : json_string(text)) == 0;
    }
    return good ? SPEAN_EXIT_DONE : spean_problem_err(problem, SPEAN_ENOMEM, flag);
}

/* Who is to get it, by whole id; and why, in the person's own words or the worker's. */
static enum spean_exit target_and_reason_set(struct spean_call *call, json_t *draft,
                                             struct spean_problem *problem)
{
    char org[SPEAN_RECORDING_ORG_BYTES];
    const char *const to = spean_call_value(call, "to");
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (to != NULL) {
        exit = spean_recording_org(call, to, org, problem);
        if (exit == SPEAN_EXIT_DONE && json_object_set_new(draft, "to", json_string(org)) != 0) {
            exit = spean_problem_err(problem, SPEAN_ENOMEM, "--to");
        }
    }
    if (exit != SPEAN_EXIT_DONE || !spean_call_given(call, "reason")) {
        return exit;
    }
    char *text = NULL;
    json_t *value = NULL;
    exit = spean_call_private(call, "reason", REASON_BYTES_MAX, &text, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_recording_text(call, text, &value, problem);
        sodium_memzero(text, strlen(text));
        free(text);
    }
    if (exit == SPEAN_EXIT_DONE && json_object_set_new(draft, "reason", value) != 0) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "--reason");
    }
    return exit;
}

/* Read --from and put the flags on top of it. */
static enum spean_exit draft_make(struct spean_call *call, json_t **draft,
                                  struct spean_problem *problem)
{
    const char *const from = spean_call_value(call, "from");
    json_t *made = NULL;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (from != NULL) {
        exit = spean_edit_read(from, &made, problem);
    } else {
        made = json_object();
        exit = made == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "referral create")
                            : SPEAN_EXIT_DONE;
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = words_set(call, made, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = list_append(call, made, "service", "services", true, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = list_append(call, made, "section", "sections", false, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = target_and_reason_set(call, made, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        json_decref(made);
        return exit;
    }
    *draft = made;
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_drafting_create(struct spean_call *call, struct spean_problem *problem)
{
    static const struct spean_resource referrals = {.collection = "referrals"};
    static const char *const needed[] = {"case", "to", "services"};
    struct spean_out *const out = spean_call_out(call);
    json_t *draft = NULL;
    json_t *reply = NULL;
    enum spean_exit exit = draft_make(call, &draft, problem);
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (json_object_get(draft, needed[i]) == NULL) {
            exit = spean_problem_usage(problem, _("\"%s\" is missing"), needed[i]);
            spean_problem_hint(problem, "%s", _("give --case, --to and --service, or --from FILE"));
        }
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_recording_send(call, "POST", &referrals, draft, &reply, problem);
    }
    json_decref(draft);
    if (reply == NULL) {
        return exit;
    }
    char name[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(reply, name);
    json_decref(reply);
    spean_out_done(out, _("draft saved   %s"), name);
    spean_out_note(out, "%s", _("Nobody sees a draft; it stays on this node until it is sent."));
    spean_out_next(out, "spean referral preview %s", name);
    return SPEAN_EXIT_DONE;
}
