#include "tools/caseexport.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/codefetch.h"
#include "tools/codewords.h"
#include "tools/csv.h"
#include "tools/htcds.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/out.h"
#include "tools/pages.h"
#include "tools/personcopy.h"
#include "tools/recording.h"
#include "tools/sink.h"

#define CELLS_MAX 64u /* Columns that we write. */

struct export
{
    struct spean_call *call;
    FILE *file;
    const char *lang;
    const char *format;
    struct spean_codewords words;
    json_int_t count;
};

static enum spean_exit row_write(struct export *export, const json_t *row,
                                 struct spean_problem *problem)
{
    const char *cells[CELLS_MAX];
    const size_t count = spean_htcds_columns_count();
    assert(count <= CELLS_MAX);
    if (strcmp(export->format, "csv") != 0) {
        return spean_sink_member(export->file, export->count, row, problem);
    }
    for (size_t i = 0; i < count; i++) {
        cells[i] = spean_jsonget_text(row, spean_htcds_column(i));
    }
    spean_csv_write_row(export->file, cells, count);
    return SPEAN_EXIT_DONE;
}

static enum spean_exit case_take(void *ctx, json_t *record, struct spean_problem *problem)
{
    struct export *const export = ctx;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (strcmp(export->format, "jsonl") == 0) {
        exit = spean_sink_line(export->file, record, problem);
    } else {
        json_t *const row = spean_htcds_show(record, export->lang, &export->words);
        exit = row == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "case export")
                           : row_write(export, row, problem);
        json_decref(row);
    }
    export->count++;
    return exit;
}

static void headings_write(FILE *file)
{
    const char *names[CELLS_MAX];
    const size_t count = spean_htcds_columns_count();
    for (size_t i = 0; i < count; i++) {
        names[i] = spean_htcds_column(i);
    }
    spean_csv_write_mark(file);
    spean_csv_write_row(file, names, count);
}

static enum spean_exit all_fill(void *ctx, FILE *file, struct spean_problem *problem)
{
    struct export *const export = ctx;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    export->file = file;
    if (strcmp(export->format, "csv") == 0) {
        headings_write(file);
    }
    if (strcmp(export->format, "jsonl") != 0) {
        exit = spean_codefetch_all(export->call, &export->words, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_pages_each(export->call, "/v1/export?type=case", case_take, NULL, export,
                                problem);
    }
    spean_codewords_fini(&export->words);
    if (strcmp(export->format, "json") == 0) {
        spean_sink_members_end(file, export->count);
    }
    return exit;
}

/* Write the copy for the person that a case is about. */
static enum spean_exit copy_fill(void *ctx, FILE *file, struct spean_problem *problem)
{
    struct export *const export = ctx;
    struct spean_call *const call = export->call;
    const struct spean_resource resource = {.collection = "cases",
                                            .id = spean_call_value(call, "for-person")};
    json_t *record = NULL;
    json_t *const referrals = json_array();
    enum spean_exit exit = spean_recording_get(call, &resource, &record, problem);
    const json_t *const ids = json_object_get(json_object_get(record, "fields"), "referrals");
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < json_array_size(ids); i++) {
        const struct spean_resource made = {.collection = "referrals",
                                            .id = json_string_value(json_array_get(ids, i))};
        json_t *referral = NULL;
        exit = spean_recording_get(call, &made, &referral, problem);
        if (exit == SPEAN_EXIT_DONE && json_array_append_new(referrals, referral) != 0) {
            exit = spean_problem_err(problem, SPEAN_ENOMEM, "case export");
        }
    }
    if (exit == SPEAN_EXIT_DONE) {
        spean_personcopy_write(record, referrals, export->lang, file);
        export->count = 1;
    }
    json_decref(referrals);
    json_decref(record);
    return exit;
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
                   COUNTED_(export->count, "%" JSON_INTEGER_FORMAT " case written to %s",
                            "%" JSON_INTEGER_FORMAT " cases written to %s"),
                   export->count, path);
    spean_out_note(out, "%s",
                   _("The file is not sealed: whoever gets it can read it. Remove it when it has "
                     "served."));
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_caseexport_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    const char *const person = spean_call_value(call, "for-person");
    const char *const format = spean_call_value(call, "format");
    struct export export = {.call = call,
                            .lang = spean_call_globals(call)->lang,
                            .format = person != NULL   ? "html"
                                      : format == NULL ? "csv"
                                                       : format};
    if (person != NULL && format != NULL) {
        return spean_problem_usage(problem, "%s", _("--for-person has a form of its own"));
    }
    const enum spean_exit exit =
        spean_recording_export(call, person != NULL ? copy_fill : all_fill, &export, problem);
    return exit == SPEAN_EXIT_DONE ? tell(call, &export, problem) : exit;
}
