/* The command `export`: every record that this node can read, in one file. */
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/command.h"
#include "tools/groups.h"
#include "tools/i18n.h"
#include "tools/out.h"
#include "tools/pages.h"
#include "tools/recording.h"
#include "tools/sink.h"

static const struct {
    const char *name;
    const char *path;
} types[] = {
    {"agency", "/v1/export?type=agency"},       {"case", "/v1/export?type=case"},
    {"consent", "/v1/export?type=consent"},     {"referral", "/v1/export?type=referral"},
    {"code_list", "/v1/export?type=code_list"}, {"code", "/v1/export?type=code"},
};

#define TYPES_COUNT (sizeof(types) / sizeof(types[0]))

struct export
{
    struct spean_call *call;
    FILE *file;
    json_t *counts; /* How many of each type. */
    json_int_t count;
};

static enum spean_exit record_take(void *ctx, json_t *record, struct spean_problem *problem)
{
    struct export *const export = ctx;
    export->count++;
    return spean_sink_line(export->file, record, problem);
}

static enum spean_exit records_write(struct export *export, struct spean_problem *problem)
{
    enum spean_exit exit = SPEAN_EXIT_DONE;
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < TYPES_COUNT; i++) {
        const json_int_t before = export->count;
        exit = spean_pages_each(export->call, types[i].path, record_take, NULL, export, problem);
        if (exit == SPEAN_EXIT_DONE &&
            json_object_set_new(export->counts, types[i].name,
                                json_integer(export->count - before)) != 0) {
            exit = spean_problem_err(problem, SPEAN_ENOMEM, "export");
        }
    }
    return exit;
}

/* Write the last line: a file without it is not whole. */
static enum spean_exit summary_write(const struct export *export, struct spean_problem *problem)
{
    json_t *const summary = json_pack("{s:s,s:I,s:O}", "type", "summary", "exported", export->count,
                                      "counts", export->counts);
    const enum spean_exit exit = summary == NULL
                                     ? spean_problem_err(problem, SPEAN_ENOMEM, "export")
                                     : spean_sink_line(export->file, summary, problem);
    json_decref(summary);
    return exit;
}

static enum spean_exit file_fill(void *ctx, FILE *file, struct spean_problem *problem)
{
    struct export *const export = ctx;
    export->file = file;
    const enum spean_exit exit = records_write(export, problem);
    return exit == SPEAN_EXIT_DONE ? summary_write(export, problem) : exit;
}

static enum spean_exit tell(struct spean_call *call, const struct export *export,
                            struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const path = spean_call_value(call, "out");
    bool dry = false;
    const enum spean_exit exit = spean_recording_exported(
        call, json_pack("{s:I,s:O}", "exported", export->count, "counts", export->counts), &dry,
        problem);
    if (exit != SPEAN_EXIT_DONE || dry) {
        return exit;
    }
    spean_out_done(out,
                   COUNTED_(export->count, "%" JSON_INTEGER_FORMAT " record written to %s",
                            "%" JSON_INTEGER_FORMAT " records written to %s"),
                   export->count, path);
    spean_out_note(out, "%s",
                   _("The file is not sealed: whoever gets it can read it. Remove it when it has "
                     "served."));
    return SPEAN_EXIT_DONE;
}

static enum spean_exit export_run(struct spean_call *call, struct spean_problem *problem)
{
    struct export export = {.call = call, .counts = json_object()};
    enum spean_exit exit = export.counts == NULL
                               ? spean_problem_err(problem, SPEAN_ENOMEM, "export")
                               : spean_recording_export(call, file_fill, &export, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = tell(call, &export, problem);
    }
    json_decref(export.counts);
    return exit;
}

static const struct spean_flag export_flags[] = {
    {.name = "out",
     .kind = SPEAN_KIND_FILE,
     .value = "FILE",
     .required = true,
     .help = N_("write to FILE, which must not be there yet; nobody else may read it")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "export",
        .summary = N_("Write every record that this node can read into one file"),
        .text = N_("Writes agencies, cases with what is kept of them on this node alone, consents, "
                   "referrals, code lists and codes as JSON Lines: each record on a line of its "
                   "own, whole, with who wrote which value and when. The last line counts them; a "
                   "file without it is not whole. Records written meanwhile may be in it or not. "
                   "Drafts that were never sent, and records of a kind that only a later program "
                   "knows, are not. Nobody else on this machine may read the file."),
        .flags = export_flags,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean export --out everything.jsonl", NULL},
        .run = export_run,
    },
    {0},
};

const struct spean_group spean_group_export = {
    .name = "export",
    .summary = N_("Everything in one file"),
    .commands = commands,
};
