#include "tools/agencyexport.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/hsdscsv.h"
#include "tools/hsdsout.h"
#include "tools/i18n.h"
#include "tools/out.h"
#include "tools/pages.h"
#include "tools/recording.h"
#include "tools/sink.h"

struct export
{
    FILE *file;                /* NULL: */
    struct spean_hsdscsv *csv; /* it is a folder. */
    const char *lang;
    const char *format;
    bool lines;
    json_int_t count;
};

static enum spean_exit agency_take(void *ctx, json_t *record, struct spean_problem *problem)
{
    struct export *const export = ctx;
    json_t *const shown =
        export->lines ? json_incref(record) : spean_hsdsout_show(record, export->lang);
    if (shown == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "agency export");
    }
    if (export->csv != NULL) {
        const spean_err err = spean_hsdscsv_add(export->csv, shown);
        json_decref(shown);
        export->count++;
        return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "agency export");
    }
    if (!export->lines) {
        (void)fputs(export->count == 0 ? "\n" : ",\n", export->file); /* _close() asks ferror(). */
    }
    const bool good = json_dumpf(shown, export->file, JSON_COMPACT) == 0;
    (void)fputs(export->lines ? "\n" : "", export->file); /* As above. */
    json_decref(shown);
    export->count++;
    return good ? SPEAN_EXIT_DONE : spean_problem_err(problem, SPEAN_EIO, "agency export");
}

static enum spean_exit tell(struct spean_call *call, const struct export *export,
                            struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const path = spean_call_value(call, "out");
    const enum spean_exit exit =
        spean_recording_exported(call, export->format, export->count, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    spean_out_done(out, _("%" JSON_INTEGER_FORMAT " agencies written to %s"), export->count, path);
    return SPEAN_EXIT_DONE;
}

/* Write one file. */
static enum spean_exit file_write(struct spean_call *call, struct export *export,
                                  struct spean_problem *problem)
{
    struct spean_sink *sink = NULL;
    enum spean_exit exit = spean_sink_open(spean_call_value(call, "out"), &sink, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    export->file = spean_sink_file(sink);
    (void)fputs(export->lines ? "" : "[", export->file); /* As above. */
    exit = spean_pages_each(call, "/v1/export?type=agency", agency_take, export, problem);
    (void)fputs(export->lines ? "" : "\n]\n", export->file); /* As above. */
    if (exit != SPEAN_EXIT_DONE) {
        spean_sink_drop(sink);
        return exit;
    }
    return spean_sink_close(sink, problem);
}

/* Write a folder of CSV files. */
static enum spean_exit folder_write(struct spean_call *call, struct export *export,
                                    struct spean_problem *problem)
{
    enum spean_exit exit = spean_hsdscsv_open(spean_call_value(call, "out"), &export->csv, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    exit = spean_pages_each(call, "/v1/export?type=agency", agency_take, export, problem);
    if (exit != SPEAN_EXIT_DONE) {
        spean_hsdscsv_drop(export->csv);
        return exit;
    }
    return spean_hsdscsv_close(export->csv, problem);
}

enum spean_exit spean_agencyexport_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    const char *const given = spean_call_value(call, "format");
    struct export export = {.lang = spean_call_globals(call)->lang,
                            .format = given == NULL ? "hsds-json" : given};
    export.lines = strcmp(export.format, "jsonl") == 0;
    const enum spean_exit exit = strcmp(export.format, "hsds-csv") == 0
                                     ? folder_write(call, &export, problem)
                                     : file_write(call, &export, problem);
    return exit == SPEAN_EXIT_DONE ? tell(call, &export, problem) : exit;
}
