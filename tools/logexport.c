#include "tools/logexport.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/client.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/pages.h"
#include "tools/recording.h"
#include "tools/sink.h"

#define FORMAT "spean-logs-1"

struct export
{
    struct spean_call *call;
    FILE *file;
    const json_t *log; /* Whose entries come. */
    json_int_t logs;
    json_int_t entries;
};

/* Write one line, {key: value}; value is taken, NULL stands for memory that ran out. */
static enum spean_exit line_write(struct export *export, const char *key, json_t *value,
                                  struct spean_problem *problem)
{
    json_t *const line = value == NULL ? NULL : json_pack("{s:o}", key, value);
    if (line == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "log export");
    }
    const enum spean_exit exit = spean_sink_line(export->file, line, problem);
    json_decref(line);
    return exit;
}

static enum spean_exit entry_take(void *ctx, json_t *item, struct spean_problem *problem)
{
    static const char *const kept[] = {"seq", "id", "header", "signature", "body", "stored"};
    struct export *const export = ctx;
    json_t *const entry = json_object();
    bool good = json_object_set(entry, "log", json_object_get(export->log, "id")) == 0;
    for (size_t i = 0; good && i < sizeof(kept) / sizeof(kept[0]); i++) {
        good = json_object_set(entry, kept[i], json_object_get(item, kept[i])) == 0;
    }
    if (!good) {
        json_decref(entry);
        return spean_problem_err(problem, SPEAN_ENOMEM, "log export");
    }
    export->entries++;
    return line_write(export, "entry", entry, problem);
}

/* Say how many entries of all logs there are so far. */
static void progress_tell(void *ctx, uint64_t now_ms)
{
    const struct export *const export = ctx;
    spean_out_progress(spean_call_out(export->call), now_ms,
                       COUNTED_(export->entries, "%" JSON_INTEGER_FORMAT " entry",
                                "%" JSON_INTEGER_FORMAT " entries"),
                       export->entries);
}

static enum spean_exit log_write(struct export *export, json_t *log, struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    export->log = log;
    export->logs++;
    enum spean_exit exit = line_write(export, "log", json_incref(log), problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    const spean_err err =
        spean_client_path(path, "/v1/logs/%s/entries?whole=1", spean_jsonget_text(log, "id"));
    return err == SPEAN_OK
               ? spean_pages_each(export->call, path, entry_take, progress_tell, export, problem)
               : spean_problem_err(problem, err, "log export");
}

/* Say whether a log is wanted: wanted is NULL, or how its id begins. */
static bool is_wanted(const json_t *log, const char *wanted)
{
    return wanted == NULL || strncmp(spean_jsonget_text(log, "id"), wanted, strlen(wanted)) == 0;
}

static enum spean_exit refuse_count(size_t count, struct spean_problem *problem)
{
    if (count == 0) {
        (void)spean_problem_set(problem, SPEAN_EXIT_NOT_FOUND, "not_found", "%s",
                                _("no log begins like this"));
        spean_problem_hint(problem, "%s", _("spean log list shows them"));
        return SPEAN_EXIT_NOT_FOUND;
    }
    (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "ambiguous", "%s",
                            _("several logs begin like this"));
    spean_problem_hint(problem, "%s", _("give more digits"));
    return SPEAN_EXIT_STATE;
}

static enum spean_exit logs_write(struct export *export, const json_t *logs,
                                  struct spean_problem *problem)
{
    const char *const wanted = spean_call_value(export->call, "log");
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(logs); i++) {
        count += is_wanted(json_array_get(logs, i), wanted);
    }
    if (wanted != NULL && count != 1) {
        return refuse_count(count, problem);
    }
    enum spean_exit exit = SPEAN_EXIT_DONE;
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < json_array_size(logs); i++) {
        json_t *const log = json_array_get(logs, i);
        if (is_wanted(log, wanted)) {
            exit = log_write(export, log, problem);
        }
    }
    return exit;
}

/* Everything of the file: what it is, the logs, and at last how many lines there should be. */
static enum spean_exit file_fill(void *ctx, FILE *file, struct spean_problem *problem)
{
    struct export *const export = ctx;
    struct spean_call *const call = export->call;
    export->file = file;
    json_t *ledger = NULL;
    json_t *list = NULL;
    enum spean_exit exit = spean_call_request(call, "GET", "/v1/ledger", NULL, &ledger, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_listing_get(call, "/v1/logs", &list, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = line_write(
            export, "export",
            json_pack("{s:s, s:O}", "format", FORMAT, "ledger", json_object_get(ledger, "id")),
            problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = logs_write(export, json_object_get(list, "items"), problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = line_write(export, "summary",
                          json_pack("{s:I, s:I}", "logs", export->logs, "entries", export->entries),
                          problem);
    }
    json_decref(ledger);
    json_decref(list);
    return exit;
}

enum spean_exit spean_logexport_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    struct spean_out *const out = spean_call_out(call);
    const char *const path = spean_call_value(call, "out");
    struct export export = {.call = call};
    bool dry = false;
    enum spean_exit exit = spean_recording_export(call, file_fill, &export, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_recording_exported(
            call, json_pack("{s:I, s:I}", "logs", export.logs, "entries", export.entries), &dry,
            problem);
    }
    if (exit != SPEAN_EXIT_DONE || dry) {
        return exit;
    }
    spean_out_done(
        out, COUNTED_(export.entries, "%lld entry written to %s", "%lld entries written to %s"),
        (long long)export.entries, path);
    spean_out_note(out, "%s",
                   _("What is sealed is in it as it is kept: nobody can open it without keys."));
    return SPEAN_EXIT_DONE;
}
