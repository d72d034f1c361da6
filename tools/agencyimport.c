#include "tools/agencyimport.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "tools/codefetch.h"
#include "tools/codewords.h"
#include "tools/edit.h"
#include "tools/hsds.h"
#include "tools/hsdscsv.h"
#include "tools/hsdsout.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/out.h"

/* What the daemon said, all chunks together. */
struct sums {
    json_int_t created;
    json_int_t changed;
    json_int_t unchanged;
    json_int_t failed;
    json_t *results;
};

/* Add one answer to the sums. */
static spean_err sums_add(struct sums *sums, const json_t *reply)
{
    sums->created += spean_jsonget_number(reply, "created");
    sums->changed += spean_jsonget_number(reply, "changed");
    sums->unchanged += spean_jsonget_number(reply, "unchanged");
    sums->failed += spean_jsonget_number(reply, "failed");
    json_t *const results = json_object_get(reply, "results");
    return !json_is_array(results) || json_array_extend(sums->results, results) == 0 ? SPEAN_OK
                                                                                     : SPEAN_ENOMEM;
}

/* Send the rows from first on, at most a chunk of them. */
static enum spean_exit chunk_send(struct spean_call *call, const json_t *items, size_t first,
                                  struct sums *sums, struct spean_problem *problem)
{
    json_t *const chunk = json_array();
    bool good = chunk != NULL;
    const size_t count = json_array_size(items);
    for (size_t i = first; good && i < count && i - first < SPEAN_AGENCYIMPORT_CHUNK; i++) {
        good = json_array_append(chunk, json_array_get(items, i)) == 0;
    }
    json_t *const body =
        json_pack("{s:s,s:o}", "lang", spean_call_globals(call)->lang, "items", chunk);
    if (!good || body == NULL) {
        json_decref(body);
        return spean_problem_err(problem, SPEAN_ENOMEM, "agency import");
    }
    json_t *reply = NULL;
    enum spean_exit exit =
        spean_call_exchange(call, "POST", "/v1/agencies/import", body, &reply, problem);
    json_decref(body);
    if (exit == SPEAN_EXIT_DONE && sums_add(sums, reply) != SPEAN_OK) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "agency import");
    }
    json_decref(reply);
    return exit;
}

/* Tell each row that went wrong: with its file, its place and the reason. */
static void errors_tell(struct spean_out *out, const char *path, const json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *const row = json_array_get(rows, i);
        const json_t *const error = json_object_get(row, "error");
        const char *const text = json_string_value(error);
        const char *const reason = text == NULL ? spean_jsonget_text(error, "message") : text;
        if (error != NULL && !json_is_null(error)) {
            spean_out_warn(out, "%s: %s: %s", path, spean_jsonget_text(row, "place"), reason);
        }
    }
}

static enum spean_exit tell(struct spean_call *call, const struct spean_hsds *hsds,
                            const struct sums *sums, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const path = spean_call_value(call, "file");
    const json_int_t failed = sums->failed + (json_int_t)hsds->failed;
    const bool dry_run = spean_call_globals(call)->dry_run;
    json_t *const object =
        json_pack("{s:b,s:I,s:I,s:I,s:I,s:O,s:O,s:O}", "dry_run", dry_run, "created", sums->created,
                  "changed", sums->changed, "unchanged", sums->unchanged, "failed", failed,
                  "results", sums->results, "errors", hsds->errors, "left_out", hsds->left);
    if (object == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "agency import");
    }
    spean_out_json(out, object);
    json_decref(object);
    if (!spean_out_is_json(out)) {
        errors_tell(out, path, hsds->errors);
        errors_tell(out, path, sums->results);
    }
    const char *key;
    json_t *count;
    json_object_foreach(hsds->left, key, count)
    {
        spean_out_note(out,
                       COUNTED_(json_integer_value(count),
                                "left out: %s (%" JSON_INTEGER_FORMAT
                                " time): agencies have no field for it",
                                "left out: %s (%" JSON_INTEGER_FORMAT
                                " times): agencies have no field for it"),
                       key, json_integer_value(count));
    }
    spean_out_line(out,
                   _("created %" JSON_INTEGER_FORMAT ", changed %" JSON_INTEGER_FORMAT
                     ", unchanged %" JSON_INTEGER_FORMAT ", failed %" JSON_INTEGER_FORMAT),
                   sums->created, sums->changed, sums->unchanged, failed);
    if (dry_run) {
        spean_out_note(out, "%s", _("This was a dry run: nothing was changed."));
    } else {
        spean_out_done(out, _("%s imported; all members of the ledger will see it"), path);
        spean_out_next(out, "spean agency list");
    }
    const bool clean = failed == 0 && json_array_size(hsds->errors) == 0;
    return clean ? SPEAN_EXIT_DONE : SPEAN_EXIT_ATTENTION;
}

/* Compare an item that we exported with the record as it is now; *same: it asks for nothing. */
static enum spean_exit own_compare(struct spean_call *call, const struct spean_codewords *words,
                                   json_t *item, bool *same, struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *record = NULL;
    json_t *const edit = json_object_get(item, "edit");
    const char *const id = spean_hsds_own_id(item);
    spean_err err = spean_client_path(path, "/v1/agencies/%s", id);
    enum spean_exit exit = err != SPEAN_OK
                               ? spean_problem_err(problem, err, "agency import")
                               : spean_call_exchange(call, "GET", path, NULL, &record, problem);
    *same = false;
    if (exit == SPEAN_EXIT_NOT_FOUND) {
        *problem = (struct spean_problem){.exit = SPEAN_EXIT_DONE};
        return SPEAN_EXIT_DONE; /* It is another node's, and an agency like any other. */
    }
    if (exit == SPEAN_EXIT_DONE) {
        err = spean_hsdsout_subtract(edit, record, spean_call_globals(call)->lang, words);
        *same = err == SPEAN_OK && json_object_size(edit) == 0;
        if (err == SPEAN_OK &&
            json_object_set_new(item, "match", json_pack("{s:s}", "record", id)) != 0) {
            err = SPEAN_ENOMEM;
        }
        exit = err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "agency import");
    }
    json_decref(record);
    return exit;
}

/* Leave of our own agencies what is new; those of which nothing is are counted as unchanged. */
static enum spean_exit own_subtract(struct spean_call *call, const struct spean_codewords *words,
                                    json_t *items, struct sums *sums, struct spean_problem *problem)
{
    enum spean_exit exit = SPEAN_EXIT_DONE;
    for (size_t i = json_array_size(items); exit == SPEAN_EXIT_DONE && i > 0; i--) {
        json_t *const item = json_array_get(items, i - 1);
        bool same = false;
        if (spean_hsds_own_id(item) != NULL) {
            exit = own_compare(call, words, item, &same, problem);
            (void)json_object_del(item, "id"); /* The daemon does not ask for it. */
        }
        if (exit == SPEAN_EXIT_DONE && same) {
            sums->unchanged++;
            (void)json_array_remove(items, i - 1); /* It is there. */
        }
    }
    return exit;
}

/* Send everything, chunk by chunk. */
static enum spean_exit send_and_tell(struct spean_call *call, const struct spean_codewords *words,
                                     const struct spean_hsds *hsds, struct spean_problem *problem)
{
    struct sums sums = {.results = json_array()};
    enum spean_exit exit = sums.results == NULL
                               ? spean_problem_err(problem, SPEAN_ENOMEM, "agency import")
                               : own_subtract(call, words, hsds->items, &sums, problem);
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < json_array_size(hsds->items);
         i += SPEAN_AGENCYIMPORT_CHUNK) {
        exit = chunk_send(call, hsds->items, i, &sums, problem);
        if (exit != SPEAN_EXIT_DONE && i > 0) {
            spean_out_warn(spean_call_out(call),
                           COUNTED_(i, "%zu row was imported before this; import the file again",
                                    "%zu rows were imported before this; import the file again"),
                           i);
        }
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = tell(call, hsds, &sums, problem);
    }
    json_decref(sums.results);
    return exit;
}

/* Nothing in the file could be taken: say why and ask the daemon nothing. */
static enum spean_exit refuse(struct spean_call *call, const struct spean_hsds *hsds,
                              struct spean_problem *problem)
{
    const char *const path = spean_call_value(call, "file");
    if (!spean_out_is_json(spean_call_out(call))) {
        errors_tell(spean_call_out(call), path, hsds->errors);
    }
    (void)spean_problem_set(problem, SPEAN_EXIT_FAILED, "bad_input",
                            _("%s: nothing in it can be imported"), path);
    spean_problem_hint(problem, "%s",
                       _("it should be HSDS 3 JSON: an organization, or a list of them"));
    return SPEAN_EXIT_FAILED;
}

/* Read a file of JSON, or a folder of CSV; *lost has the rows of the latter that belong nowhere. */
static enum spean_exit file_read(const char *path, json_t **file, json_t **lost,
                                 struct spean_problem *problem)
{
    json_t *const errors = json_array();
    const enum spean_exit exit =
        errors == NULL           ? spean_problem_err(problem, SPEAN_ENOMEM, path)
        : spean_hsdscsv_is(path) ? spean_hsdscsv_read(path, errors, file, problem)
                                 : spean_edit_json(path, SPEAN_HSDS_FILE_BYTES_MAX, file, problem);
    if (exit != SPEAN_EXIT_DONE) {
        json_decref(errors);
        return exit;
    }
    *lost = errors;
    return SPEAN_EXIT_DONE;
}

/* Import what was read. */
static enum spean_exit file_import(struct spean_call *call, const struct spean_codewords *words,
                                   const json_t *file, json_t *lost, struct spean_problem *problem)
{
    struct spean_hsds hsds;
    const spean_err err =
        spean_hsds_read(file, spean_call_globals(call)->lang, spean_call_value(call, "kind"),
                        spean_call_value(call, "country"), words, &hsds);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, spean_call_value(call, "file"));
    }
    hsds.failed += json_array_size(lost);
    const enum spean_exit exit =
        json_array_extend(hsds.errors, lost) != 0
            ? spean_problem_err(problem, SPEAN_ENOMEM, spean_call_value(call, "file"))
        : json_array_size(hsds.items) == 0 && hsds.failed > 0
            ? refuse(call, &hsds, problem)
            : send_and_tell(call, words, &hsds, problem);
    spean_hsds_fini(&hsds);
    return exit;
}

enum spean_exit spean_agencyimport_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    const char *const path = spean_call_value(call, "file");
    const char *const lang = spean_call_globals(call)->lang;
    if (lang == NULL) {
        (void)spean_problem_usage(problem, "%s", _("the language of the names is not known"));
        spean_problem_hint(problem, "%s", _("HSDS does not say it: give --lang km"));
        return SPEAN_EXIT_USAGE;
    }
    json_t *file = NULL;
    json_t *lost = NULL; /* Rows of CSV that belong nowhere. */
    struct spean_codewords words = {.added = NULL};
    enum spean_exit exit = file_read(path, &file, &lost, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_codefetch_all(call, &words, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = file_import(call, &words, file, lost, problem);
    }
    spean_codewords_fini(&words);
    json_decref(file);
    json_decref(lost);
    return exit;
}
