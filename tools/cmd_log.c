#include "tools/groups.h"

#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/client.h"
#include "tools/following.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/logexport.h"
#include "tools/money.h"
#include "tools/out.h"
#include "tools/show.h"

static void log_add(struct spean_grid *grid, const json_t *log)
{
    const json_t *const cut = json_object_get(log, "cut");
    char id[SPEAN_IDTEXT_SHORT_BYTES];
    char who[SPEAN_WHO_BYTES_MAX];
    char height[SPEAN_MONEY_BYTES_MAX];
    spean_idtext_short(spean_jsonget_text(log, "id"), id);
    spean_jsonget_who(log, "org", "name", who);
    spean_money_count(spean_jsonget_number(log, "height"), height);
    spean_grid_cell(grid, "%s", id);
    spean_grid_cell(grid, "%s%s", who, spean_jsonget_true(log, "self") ? _("  (this node)") : "");
    spean_grid_cell(grid, "%s", height);
    spean_grid_cell(grid, "%s", spean_jsonget_text(log, "standing"));
    if (json_is_object(cut)) {
        spean_grid_cell(grid, _("closed at %" PRId64), spean_jsonget_number(cut, "seq"));
    } else {
        spean_grid_cell(grid, "-");
    }
}

static enum spean_exit list_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const columns[] = {N_("LOG"),      N_("ORGANISATION"), N_("ENTRIES"),
                                          N_("STANDING"), N_("CUT"),          NULL};
    return spean_listing_print(call, "/v1/logs", columns, log_add, problem);
}

static void entry_add(struct spean_grid *grid, const json_t *entry)
{
    char when[SPEAN_WHEN_BYTES_MAX];
    spean_jsonget_when(entry, "time", when);
    spean_grid_cell(grid, "%" PRId64, spean_jsonget_number(entry, "seq"));
    spean_grid_cell(grid, "%s", when);
    spean_grid_cell(grid, "%s", spean_jsonget_text(entry, "kind"));
    spean_grid_cell(grid, "%" PRId64, spean_jsonget_number(entry, "body_bytes"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(entry, "body"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(entry, "fate"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(entry, "why"));
}

/* Print one entry, everything that is known of it. */
static enum spean_exit entry_show(struct spean_call *call, const char *log, const char *seq,
                                  struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *entry = NULL;
    spean_err err = spean_client_path(path, "/v1/logs/%s/entries/%s", log, seq);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "log show");
    }
    const enum spean_exit exit = spean_call_request(call, "GET", path, NULL, &entry, problem);
    if (entry == NULL) {
        return exit;
    }
    spean_out_json(out, entry);
    err = spean_show_object(out, entry);
    json_decref(entry);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "log show");
}

static enum spean_exit show_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const columns[] = {N_("SEQ"),   N_("WHEN"), N_("KIND"),
                                          N_("BYTES"), N_("BODY"), N_("WHAT BECAME OF IT"),
                                          N_("WHY"),   NULL};
    const char *const log = spean_call_value(call, "log");
    const char *const seq = spean_call_value(call, "seq");
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    if (seq != NULL) {
        return entry_show(call, log, seq, problem);
    }
    const spean_err err = spean_client_path(path, "/v1/logs/%s/entries", log);
    return err == SPEAN_OK ? spean_listing_print(call, path, columns, entry_add, problem)
                           : spean_problem_err(problem, err, "log show");
}

/* Pause a log or let it go on. */
static enum spean_exit set_run(struct spean_call *call, const char *verb, bool paused,
                               struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const log = spean_call_value(call, "log");
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *reply = NULL;
    const spean_err err = spean_client_path(path, "/v1/logs/%s/%s", log, verb);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, paused ? "log pause" : "log resume");
    }
    const enum spean_exit exit = spean_call_request(call, "POST", path, NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    char id[SPEAN_IDTEXT_SHORT_BYTES];
    spean_idtext_short(spean_jsonget_text(reply, "id"), id);
    spean_out_json(out, reply);
    json_decref(reply);
    if (paused) {
        spean_out_done(out, _("log %s is paused: nothing more of it is taken or passed on"), id);
        spean_out_note(out, "%s",
                       _("This holds for this node alone. The lasting answer is a steward's: to "
                         "cut the log."));
        spean_out_next(out, "spean log resume %s", id);
    } else {
        spean_out_done(out, _("log %s goes on"), id);
        spean_out_next(out, "spean log list");
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit pause_run(struct spean_call *call, struct spean_problem *problem)
{
    return set_run(call, "pause", true, problem);
}

static enum spean_exit resume_run(struct spean_call *call, struct spean_problem *problem)
{
    return set_run(call, "resume", false, problem);
}

/* One entry, as it comes. */
static void entry_print(struct spean_out *out, const json_t *entry)
{
    char when[SPEAN_WHEN_BYTES_MAX];
    spean_jsonget_when(entry, "time", when);
    spean_out_line(out, "%" PRId64 "   %s   %s   %s   %s", spean_jsonget_number(entry, "seq"), when,
                   spean_jsonget_text(entry, "kind"), spean_jsonget_text(entry, "body"),
                   spean_jsonget_text(entry, "fate"));
}

static enum spean_exit follow_run(struct spean_call *call, struct spean_problem *problem)
{
    const char *const after = spean_call_value(call, "after");
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    spean_err err =
        spean_client_path(path, "/v1/logs/%s/entries?follow=1", spean_call_value(call, "log"));
    if (err == SPEAN_OK) {
        err = spean_listing_query(path, "after", after == NULL ? "now" : after);
    }
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "log follow");
    }
    json_t *const from =
        after == NULL ? NULL : json_integer((json_int_t)spean_call_number(call, "after", 0));
    const struct spean_following what = {.path = path,
                                         .place = "seq",
                                         .from = from,
                                         .count = spean_call_number(call, "count", 0),
                                         .print = entry_print};
    const enum spean_exit exit = spean_following_run(call, &what, problem);
    json_decref(from);
    return exit;
}

static const struct spean_arg log_args[] = {
    {.name = "log", .kind = SPEAN_KIND_ID, .help = N_("its id, or the beginning of it")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "log list",
        .summary = N_("List the logs, one for each node that ever wrote"),
        .text = N_("Every node writes one log, which nobody else can change. Shows how many "
                   "entries of each are here, and where one was closed."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean log list", NULL},
        .run = list_run,
    },
    {
        .path = "log show",
        .summary = N_("Show the entries of a log, or one of them"),
        .text = N_("Prints the headers, which every member has, whether the content is here, and "
                   "what became of it: folded, waiting, or set aside and why. It opens nothing "
                   "that is sealed for others."),
        .args =
            (const struct spean_arg[]){
                {.name = "log",
                 .kind = SPEAN_KIND_ID,
                 .help = N_("its id, or the beginning of it")},
                {.name = "seq",
                 .kind = SPEAN_KIND_NUMBER,
                 .optional = true,
                 .help = N_("the number of one entry, from 1")},
                {0},
            },
        .inverse = SPEAN_INVERSE_READS,
        .examples =
            (const char *const[]){"spean log show 91c4-7f3a", "spean log show 91c4-7f3a 12", NULL},
        .run = show_run,
    },
    {
        .path = "log follow",
        .summary = N_("Print the entries of a log as they become durable"),
        .text = N_("One line for each new entry of the log, ours or a partner's, once it is on "
                   "the disk of this node. With --after it begins with those that are here "
                   "already, behind that number; 0 is all."),
        .flags =
            (const struct spean_flag[]){
                {.name = "after",
                 .kind = SPEAN_KIND_NUMBER,
                 .value = "SEQ",
                 .help = N_("begin behind this entry; otherwise with the next one that comes")},
                SPEAN_FLAG_COUNT,
                {0},
            },
        .args = log_args,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean log follow 91c4-7f3a",
                                          "spean log follow 91c4-7f3a --after 0 --count 10", NULL},
        .run = follow_run,
    },
    {
        .path = "log export",
        .summary = N_("Write logs into a file that anybody can check"),
        .text = N_("Writes JSON lines: each log, and each of its entries with header, signature "
                   "and body as they are kept. Whoever has the file can check every hash and "
                   "signature without this program; docs/API.md says how. Bodies that are not "
                   "here are named as missing or erased. Without a log it writes all of them."),
        .flags =
            (const struct spean_flag[]){
                {.name = "out",
                 .kind = SPEAN_KIND_FILE,
                 .value = "FILE",
                 .required = true,
                 .help = N_("write to FILE, which must not be there yet")},
                {0},
            },
        .args =
            (const struct spean_arg[]){
                {.name = "log",
                 .kind = SPEAN_KIND_ID,
                 .optional = true,
                 .help = N_("its id, or the beginning of it")},
                {0},
            },
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean log export --out logs.jsonl", NULL},
        .run = spean_logexport_run,
    },
    {
        .path = "log pause",
        .summary = N_("Take nothing more of a log for now"),
        .text = N_("For a node that writes without end. This node asks for no more of its log, "
                   "refuses what comes, and passes nothing of it on; everything else goes on, and "
                   "what is here stays. The node does the same by itself when a log grows beyond "
                   "log_quota_mib, and status says so."),
        .args = log_args,
        .inverse = "log resume",
        .examples = (const char *const[]){"spean log pause 91c4-7f3a", NULL},
        .run = pause_run,
    },
    {
        .path = "log resume",
        .summary = N_("Take more of a log that was paused"),
        .text = N_("The node fetches what it missed. A log that was paused because it grew too "
                   "large may now grow by as much again."),
        .args = log_args,
        .inverse = "log pause",
        .examples = (const char *const[]){"spean log resume 91c4-7f3a", NULL},
        .run = resume_run,
    },
    {0},
};

const struct spean_group spean_group_log = {
    .name = "log",
    .summary = N_("What the nodes wrote"),
    .commands = commands,
};
