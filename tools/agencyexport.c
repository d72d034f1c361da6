#include "tools/agencyexport.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/hsdsout.h"
#include "tools/i18n.h"
#include "tools/out.h"
#include "tools/pages.h"
#include "tools/sink.h"

struct export
{
    FILE *file;
    const char *lang;
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
    json_t *const object =
        json_pack("{s:s,s:s,s:I}", "file", path, "format", export->lines ? "jsonl" : "hsds-json",
                  "exported", export->count);
    if (object == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "agency export");
    }
    spean_out_json(out, object);
    json_decref(object);
    spean_out_done(out, _("%" JSON_INTEGER_FORMAT " agencies written to %s"), export->count, path);
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_agencyexport_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    const char *const format = spean_call_value(call, "format");
    struct spean_sink *sink = NULL;
    struct export export = {.lang = spean_call_globals(call)->lang,
                            .lines = format != NULL && strcmp(format, "jsonl") == 0};
    enum spean_exit exit = spean_sink_open(spean_call_value(call, "out"), &sink, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    export.file = spean_sink_file(sink);
    (void)fputs(export.lines ? "" : "[", export.file); /* As above. */
    exit = spean_pages_each(call, "/v1/export?type=agency", agency_take, &export, problem);
    (void)fputs(export.lines ? "" : "\n]\n", export.file); /* As above. */
    if (exit != SPEAN_EXIT_DONE) {
        spean_sink_drop(sink);
        return exit;
    }
    exit = spean_sink_close(sink, problem);
    return exit == SPEAN_EXIT_DONE ? tell(call, &export, problem) : exit;
}
