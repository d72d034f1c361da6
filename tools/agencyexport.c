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
    struct spean_call *call;
    FILE *file;                /* NULL: */
    struct spean_hsdscsv *csv; /* it is a folder. */
    const char *lang;
    const char *format;
    json_int_t count;
};

/* Write the agency as HSDS 3. */
static enum spean_exit hsds_write(struct export *export, const json_t *record,
                                  struct spean_problem *problem)
{
    json_t *const shown = spean_hsdsout_show(record, export->lang);
    if (shown == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "agency export");
    }
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (export->csv == NULL) {
        exit = spean_sink_member(export->file, export->count, shown, problem);
    } else {
        const spean_err err = spean_hsdscsv_add(export->csv, shown);
        exit = err == SPEAN_OK ? exit : spean_problem_err(problem, err, "agency export");
    }
    json_decref(shown);
    return exit;
}

static enum spean_exit agency_take(void *ctx, json_t *record, struct spean_problem *problem)
{
    struct export *const export = ctx;
    const enum spean_exit exit = strcmp(export->format, "jsonl") == 0
                                     ? spean_sink_line(export->file, record, problem)
                                     : hsds_write(export, record, problem);
    export->count++;
    return exit;
}

static enum spean_exit agencies_write(struct export *export, struct spean_problem *problem)
{
    return spean_pages_each(export->call, "/v1/export?type=agency", agency_take, NULL, export,
                            problem);
}

static enum spean_exit tell(struct spean_call *call, const struct export *export,
                            struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const path = spean_call_value(call, "out");
    bool dry = false;
    const enum spean_exit exit = spean_recording_exported(
        call, json_pack("{s:s,s:I}", "format", export->format, "exported", export->count), &dry,
        problem);
    if (exit != SPEAN_EXIT_DONE || dry) {
        return exit;
    }
    spean_out_done(out,
                   COUNTED_(export->count, "%" JSON_INTEGER_FORMAT " agency written to %s",
                            "%" JSON_INTEGER_FORMAT " agencies written to %s"),
                   export->count, path);
    return SPEAN_EXIT_DONE;
}

static enum spean_exit file_fill(void *ctx, FILE *file, struct spean_problem *problem)
{
    struct export *const export = ctx;
    export->file = file;
    const enum spean_exit exit = agencies_write(export, problem);
    if (strcmp(export->format, "hsds-json") == 0) {
        spean_sink_members_end(file, export->count);
    }
    return exit;
}

/* Write a folder of CSV files. */
static enum spean_exit folder_write(const char *path, struct export *export,
                                    struct spean_problem *problem)
{
    enum spean_exit exit = spean_hsdscsv_open(path, &export->csv, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    exit = agencies_write(export, problem);
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
    struct export export = {.call = call,
                            .lang = spean_call_globals(call)->lang,
                            .format = given == NULL ? "hsds-json" : given};
    const bool folder =
        strcmp(export.format, "hsds-csv") == 0 && !spean_call_globals(call)->dry_run;
    const enum spean_exit exit = folder
                                     ? folder_write(spean_call_value(call, "out"), &export, problem)
                                     : spean_recording_export(call, file_fill, &export, problem);
    return exit == SPEAN_EXIT_DONE ? tell(call, &export, problem) : exit;
}
