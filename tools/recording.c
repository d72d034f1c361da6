#include "tools/recording.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tools/client.h"
#include "tools/edit.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/show.h"

static enum spean_exit path_make(char path[SPEAN_CLIENT_PATH_BYTES_MAX],
                                 const struct spean_resource *resource,
                                 struct spean_problem *problem)
{
    assert(resource->collection != NULL);
    spean_err err;
    if (resource->id == NULL) {
        err = spean_client_path(path, "/v1/%s", resource->collection);
    } else if (resource->verb == NULL) {
        err = spean_client_path(path, "/v1/%s/%s", resource->collection, resource->id);
    } else {
        err = spean_client_path(path, "/v1/%s/%s/%s", resource->collection, resource->id,
                                resource->verb);
    }
    return err == SPEAN_OK ? SPEAN_EXIT_DONE
                           : spean_problem_err(problem, err, resource->collection);
}

enum spean_exit spean_recording_get(struct spean_call *call, const struct spean_resource *resource,
                                    json_t **record, struct spean_problem *problem)
{
    assert(resource != NULL);
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    const enum spean_exit exit = path_make(path, resource, problem);
    return exit != SPEAN_EXIT_DONE ? exit
                                   : spean_call_request(call, "GET", path, NULL, record, problem);
}

enum spean_exit spean_recording_show(struct spean_call *call, const struct spean_resource *resource,
                                     struct spean_problem *problem)
{
    json_t *record = NULL;
    const enum spean_exit exit = spean_recording_get(call, resource, &record, problem);
    if (record == NULL) {
        return exit;
    }
    spean_out_json(spean_call_out(call), record);
    const spean_err err =
        spean_show_record(spean_call_out(call), record, NULL, spean_call_globals(call)->lang);
    json_decref(record);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE
                           : spean_problem_err(problem, err, resource->collection);
}

enum spean_exit spean_recording_edit(struct spean_call *call, json_t **edit,
                                     struct spean_problem *problem)
{
    assert(edit != NULL);
    const char *const path = spean_call_value(call, "from");
    json_t *object = NULL;
    if (path == NULL) {
        object = json_object();
        if (object == NULL) {
            return spean_problem_err(problem, SPEAN_ENOMEM, "--from");
        }
        *edit = object;
        return SPEAN_EXIT_DONE;
    }
    enum spean_exit exit = spean_edit_read(path, &object, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_edit_check(object, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        json_decref(object);
        return exit;
    }
    *edit = object;
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_recording_send(struct spean_call *call, const char *method,
                                     const struct spean_resource *resource, const json_t *body,
                                     json_t **reply, struct spean_problem *problem)
{
    assert(resource != NULL);
    assert(reply != NULL);
    *reply = NULL;
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    enum spean_exit exit = path_make(path, resource, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_request(call, method, path, body, reply, problem);
    }
    if (*reply != NULL) {
        spean_out_json(spean_call_out(call), *reply);
    }
    return exit;
}

enum spean_exit spean_recording_pairs(struct spean_call *call, json_t *edit,
                                      const struct spean_pairs *pairs,
                                      struct spean_problem *problem)
{
    assert(pairs != NULL);
    for (size_t i = 0; i < spean_call_count(call, pairs->flag); i++) {
        struct spean_edit_pair pair;
        const enum spean_exit exit = spean_edit_pair(
            pairs->flag, spean_call_value_at(call, pairs->flag, i), pairs->hint, &pair, problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
        const spean_err err =
            spean_edit_append(edit, "add", pairs->field,
                              json_pack("{s:s,s:s}", "scheme", pair.key, "value", pair.value));
        if (err != SPEAN_OK) {
            return spean_problem_err(problem, err, pairs->field);
        }
    }
    return SPEAN_EXIT_DONE;
}

void spean_recording_name(const json_t *record, char out[SPEAN_RECORDING_NAME_BYTES])
{
    assert(out != NULL);
    const char *const code = spean_jsonget_text(record, "code");
    char brief[SPEAN_IDTEXT_SHORT_BYTES];
    spean_idtext_short(spean_jsonget_text(record, "id"), brief);
    const int len = snprintf(out, SPEAN_RECORDING_NAME_BYTES, "%s", code[0] == '\0' ? brief : code);
    if (len < 0 || (unsigned)len >= SPEAN_RECORDING_NAME_BYTES) {
        (void)snprintf(out, SPEAN_RECORDING_NAME_BYTES, "%s", brief); /* Fits. */
    }
}

enum spean_exit spean_recording_text(const struct spean_call *call, const char *text,
                                     json_t **value, struct spean_problem *problem)
{
    assert(text != NULL);
    assert(value != NULL);
    const char *const lang = spean_call_globals(call)->lang;
    if (lang == NULL) {
        (void)spean_problem_usage(problem, "%s", _("the language of the text is not known"));
        spean_problem_hint(problem, "%s", _("say which one it is: --lang km"));
        return SPEAN_EXIT_USAGE;
    }
    json_t *const made = json_pack("{s:s}", lang, text);
    if (made == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, lang);
    }
    *value = made;
    return SPEAN_EXIT_DONE;
}

/* Look for the one member and write its id into out. */
static enum spean_exit org_find(const json_t *list, const char *typed,
                                char out[SPEAN_RECORDING_ORG_BYTES], struct spean_problem *problem)
{
    const json_t *const items = json_object_get(list, "items");
    const char *found = NULL;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *const org = spean_jsonget_text(json_array_get(items, i), "org");
        if (strncmp(org, typed, strlen(typed)) != 0) {
            continue;
        }
        if (found != NULL) {
            return spean_problem_set(problem, SPEAN_EXIT_STATE, "ambiguous",
                                     _("more than one organisation's id begins with %s"), typed);
        }
        found = org;
    }
    if (found == NULL || strlen(found) != SPEAN_RECORDING_ORG_BYTES - 1) {
        (void)spean_problem_set(problem, SPEAN_EXIT_NOT_FOUND, "not_found",
                                _("no member organisation's id begins with %s"), typed);
        spean_problem_hint(problem, "%s", _("see the members: spean member list"));
        return SPEAN_EXIT_NOT_FOUND;
    }
    memcpy(out, found, SPEAN_RECORDING_ORG_BYTES);
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_recording_org(struct spean_call *call, const char *typed,
                                    char out[SPEAN_RECORDING_ORG_BYTES],
                                    struct spean_problem *problem)
{
    assert(typed != NULL);
    assert(out != NULL);
    json_t *list = NULL;
    enum spean_exit exit = spean_listing_get(call, "/v1/members", &list, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = org_find(list, typed, out, problem);
    }
    json_decref(list);
    return exit;
}

enum spean_exit spean_recording_export(struct spean_call *call, spean_sink_fill *fill, void *ctx,
                                       struct spean_problem *problem)
{
    const char *const path = spean_call_value(call, "out");
    return spean_call_globals(call)->dry_run ? spean_sink_rehearse(path, fill, ctx, problem)
                                             : spean_sink_write(path, fill, ctx, problem);
}

enum spean_exit spean_recording_exported(struct spean_call *call, json_t *facts, bool *dry,
                                         struct spean_problem *problem)
{
    assert(dry != NULL);
    struct spean_out *const out = spean_call_out(call);
    const char *const path = spean_call_value(call, "out");
    *dry = spean_call_globals(call)->dry_run;
    if (json_object_set_new(facts, "file", json_string(path)) != 0 ||
        (*dry && json_object_set_new(facts, "dry_run", json_true()) != 0)) {
        json_decref(facts);
        return spean_problem_err(problem, SPEAN_ENOMEM, spean_call_path(call));
    }
    spean_out_json(out, facts);
    json_decref(facts);
    if (*dry) {
        spean_out_note(out, _("This was a dry run: %s was not written."), path);
    }
    return SPEAN_EXIT_DONE;
}
