/* The command `export`: every record that this node can read, in one file. */
#include <stdio.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/command.h"
#include "tools/groups.h"
#include "tools/i18n.h"
#include "tools/out.h"
#include "tools/pages.h"
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
    FILE *file; /* spean_sink_close() asks ferror(). */
    json_int_t count;
};

static enum spean_exit line_write(struct export *export, const json_t *line,
                                  struct spean_problem *problem)
{
    if (json_dumpf(line, export->file, JSON_COMPACT) != 0) {
        return spean_problem_err(problem, SPEAN_EIO, "export");
    }
    (void)fputs("\n", export->file); /* As above. */
    return SPEAN_EXIT_DONE;
}

static enum spean_exit record_take(void *ctx, json_t *record, struct spean_problem *problem)
{
    struct export *const export = ctx;
    export->count++;
    return line_write(export, record, problem);
}

/* Write all records of all types, and how many of each into counts. */
static enum spean_exit records_write(struct spean_call *call, struct export *export, json_t *counts,
                                     struct spean_problem *problem)
{
    enum spean_exit exit = SPEAN_EXIT_DONE;
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < TYPES_COUNT; i++) {
        const json_int_t before = export->count;
        exit = spean_pages_each(call, types[i].path, record_take, export, problem);
        if (exit == SPEAN_EXIT_DONE &&
            json_object_set_new(counts, types[i].name, json_integer(export->count - before)) != 0) {
            exit = spean_problem_err(problem, SPEAN_ENOMEM, "export");
        }
    }
    return exit;
}

/* Write the last line: a file without it is not whole. */
static enum spean_exit summary_write(struct export *export, json_t *counts,
                                     struct spean_problem *problem)
{
    json_t *const summary =
        json_pack("{s:s,s:I,s:O}", "type", "summary", "exported", export->count, "counts", counts);
    const enum spean_exit exit = summary == NULL
                                     ? spean_problem_err(problem, SPEAN_ENOMEM, "export")
                                     : line_write(export, summary, problem);
    json_decref(summary);
    return exit;
}

static enum spean_exit file_write(struct spean_call *call, struct export *export, json_t *counts,
                                  struct spean_problem *problem)
{
    struct spean_sink *sink = NULL;
    enum spean_exit exit = spean_sink_open(spean_call_value(call, "out"), &sink, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    export->file = spean_sink_file(sink);
    exit = records_write(call, export, counts, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = summary_write(export, counts, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        spean_sink_drop(sink);
        return exit;
    }
    return spean_sink_close(sink, problem);
}

static enum spean_exit tell(struct spean_call *call, const struct export *export, json_t *counts,
                            struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const path = spean_call_value(call, "out");
    json_t *const object =
        json_pack("{s:s,s:I,s:O}", "file", path, "exported", export->count, "counts", counts);
    if (object == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "export");
    }
    spean_out_json(out, object);
    json_decref(object);
    spean_out_done(out, _("%" JSON_INTEGER_FORMAT " records written to %s"), export->count, path);
    spean_out_note(out, "%s",
                   _("The file is not sealed: whoever gets it can read it. Remove it when it has "
                     "served."));
    return SPEAN_EXIT_DONE;
}

static enum spean_exit export_run(struct spean_call *call, struct spean_problem *problem)
{
    struct export export = {.file = NULL};
    json_t *const counts = json_object();
    enum spean_exit exit = counts == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "export")
                                          : file_write(call, &export, counts, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = tell(call, &export, counts, problem);
    }
    json_decref(counts);
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
