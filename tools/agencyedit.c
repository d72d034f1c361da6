#include "tools/agencyedit.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "tools/edit.h"
#include "tools/out.h"
#include "tools/show.h"

/* Add the names given to those there are: the field holds all languages at once. */
static enum spean_exit names_set(struct spean_call *call, json_t *edit, const json_t *there,
                                 struct spean_problem *problem)
{
    const size_t count = spean_call_count(call, "name");
    const json_t *const own = json_object_get(json_object_get(edit, "set"), "names");
    json_t *const names = json_is_object(own)     ? json_deep_copy(own)
                          : json_is_object(there) ? json_deep_copy(there)
                                                  : json_object();
    bool good = names != NULL;
    for (size_t i = 0; good && i < count; i++) {
        struct spean_edit_pair pair;
        const enum spean_exit exit =
            spean_edit_pair("name", spean_call_value_at(call, "name", i),
                            _("a language and the name: km=..., en=..."), &pair, problem);
        if (exit != SPEAN_EXIT_DONE) {
            json_decref(names);
            return exit;
        }
        good = json_object_set_new(names, pair.key, json_string(pair.value)) == 0;
    }
    if (good && count == 0) {
        json_decref(names);
        return SPEAN_EXIT_DONE;
    }
    if (!good || spean_edit_set(edit, "set", "names", names) != SPEAN_OK) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "--name");
    }
    return SPEAN_EXIT_DONE;
}

/* Put every simple flag that was given into the edit. */
static spean_err flags_set(struct spean_call *call, json_t *edit)
{
    static const char *const plain[] = {"kind", "country", "email", "website", "status"};
    spean_err err = SPEAN_OK;
    for (size_t i = 0; err == SPEAN_OK && i < sizeof(plain) / sizeof(plain[0]); i++) {
        const char *const value = spean_call_value(call, plain[i]);
        if (value != NULL) {
            err = spean_edit_set(edit, "set", plain[i], json_string(value));
        }
    }
    for (size_t i = 0; err == SPEAN_OK && i < spean_call_count(call, "language"); i++) {
        err = spean_edit_append(edit, "add", "languages",
                                json_string(spean_call_value_at(call, "language", i)));
    }
    for (size_t i = 0; err == SPEAN_OK && i < spean_call_count(call, "phone"); i++) {
        err =
            spean_edit_append(edit, "add", "phones",
                              json_pack("{s:s}", "number", spean_call_value_at(call, "phone", i)));
    }
    return err;
}

enum spean_exit spean_agencyedit_make(struct spean_call *call, const json_t *there, json_t **edit,
                                      struct spean_problem *problem)
{
    const struct spean_pairs identifiers = {.flag = "identifier",
                                            .field = "identifiers",
                                            .hint =
                                                _("a scheme and the number: ngo_registration=123")};
    json_t *made = NULL;
    enum spean_exit exit = spean_recording_edit(call, &made, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = names_set(call, made, there, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_recording_pairs(call, made, &identifiers, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        const spean_err err = flags_set(call, made);
        exit = err == SPEAN_OK ? exit : spean_problem_err(problem, err, spean_call_path(call));
    }
    if (exit != SPEAN_EXIT_DONE) {
        json_decref(made);
        return exit;
    }
    *edit = made;
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_agencyedit_send(struct spean_call *call, const char *id, const json_t *edit,
                                      struct spean_problem *problem)
{
    const struct spean_resource agency = {.collection = "agencies", .id = id};
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit =
        spean_recording_send(call, id == NULL ? "POST" : "PATCH", &agency, edit, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    char name[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(reply, name);
    const char *const called =
        spean_show_text(json_object_get(json_object_get(reply, "fields"), "names"), NULL);
    if (id != NULL && json_is_false(json_object_get(reply, "changed"))) {
        spean_out_done(out, _("%s %s   nothing to change"), name, called);
    } else {
        spean_out_done(out,
                       id == NULL ? _("agency added   %s   %s") : _("agency changed   %s   %s"),
                       name, called);
        spean_out_note(out, "%s", _("All members of the ledger will see it."));
    }
    spean_show_codes(out, reply);
    spean_show_alike(out, reply);
    spean_out_next(out, "spean agency show %s", name);
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

/* Put nil into the fields that are to be cleared. */
static spean_err clear_set(struct spean_call *call, json_t *edit)
{
    spean_err err = SPEAN_OK;
    for (size_t i = 0; err == SPEAN_OK && i < spean_call_count(call, "clear"); i++) {
        err = spean_edit_set(edit, "set", spean_call_value_at(call, "clear", i), json_null());
    }
    return err;
}

enum spean_exit spean_agencyedit_run(struct spean_call *call, const char *id,
                                     struct spean_problem *problem)
{
    assert(id != NULL);
    const struct spean_resource agency = {.collection = "agencies", .id = id};
    json_t *record = NULL;
    json_t *edit = NULL;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (spean_call_given(call, "name")) {
        exit = spean_recording_get(call, &agency, &record, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_agencyedit_make(
            call, json_object_get(json_object_get(record, "fields"), "names"), &edit, problem);
    }
    if (exit == SPEAN_EXIT_DONE && clear_set(call, edit) != SPEAN_OK) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "--clear");
    }
    if (exit == SPEAN_EXIT_DONE && json_object_size(edit) == 0) {
        exit = spean_problem_usage(problem, "%s", _("nothing is to be changed"));
        spean_problem_hint(problem, _("give at least one flag: spean help %s"),
                           spean_call_path(call));
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_agencyedit_send(call, agency.id, edit, problem);
    }
    json_decref(edit);
    json_decref(record);
    return exit;
}
