#include "tools/groups.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "tools/call.h"
#include "tools/caseexport.h"
#include "tools/casefind.h"
#include "tools/caseimport.h"
#include "tools/client.h"
#include "tools/closing.h"
#include "tools/costs.h"
#include "tools/display.h"
#include "tools/edit.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/recording.h"
#include "tools/script.h"
#include "tools/show.h"
#include "tools/timetext.h"

#define NAME_BYTES_MAX      257u /* SCHEMA.md, map person_name, with a NUL. */
#define LANG_BYTES_MAX      36u
#define NARRATIVE_BYTES_MAX 32768u
#define WHAT_CHARS_MAX      60u /* Of a value in the history; --json has all of it. */

static enum spean_exit show_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const but[] = {"costs", NULL};
    struct spean_out *const out = spean_call_out(call);
    const struct spean_resource resource = {.collection = "cases",
                                            .id = spean_call_value(call, "case")};
    json_t *record = NULL;
    const enum spean_exit exit = spean_recording_get(call, &resource, &record, problem);
    if (record == NULL) {
        return exit;
    }
    spean_out_json(out, record);
    spean_err err = spean_show_record(out, record, but, spean_call_globals(call)->lang);
    if (err == SPEAN_OK) {
        err = spean_costs_print(out, record, spean_call_globals(call)->lang);
        spean_show_retention(out, json_object_get(record, "retention"));
    }
    json_decref(record);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "case show");
}

/* Write text, but for its end where it is longer than WHAT_CHARS_MAX characters. */
static void what_cell(struct spean_grid *grid, const char *verb, const char *field,
                      const char *text)
{
    const size_t len = strlen(text);
    size_t shown = 0;
    for (unsigned i = 0; i < WHAT_CHARS_MAX && shown < len; i++) {
        bool harmless;
        shown += spean_display_next(text + shown, len - shown, &harmless);
    }
    spean_grid_cell(grid, "%s %s%s%.*s%s", verb, field, text[0] == '\0' ? "" : ": ", (int)shown,
                    text, shown < len ? "..." : "");
}

/* When, and who: the organisation, and the person and the node where they have a name. */
static void change_begin(struct spean_grid *grid, const json_t *change)
{
    const char *const actor = spean_jsonget_text(change, "actor");
    const char *const node = spean_jsonget_text(change, "node");
    char when[SPEAN_WHEN_BYTES_MAX];
    char org[SPEAN_WHO_BYTES_MAX];
    spean_jsonget_when(change, "time", when);
    spean_jsonget_who(change, "org", "org_name", org);
    spean_grid_cell(grid, "%s", when);
    spean_grid_cell(grid, "%s%s%s%s%s", org, actor[0] == '\0' ? "" : ", ", actor,
                    node[0] == '\0' ? "" : ", ", node);
}

/* A row for each thing that a change did, and one that says so where it does not count or cannot
 * be read. */
static void change_add(struct spean_grid *grid, const json_t *change)
{
    const json_t *const operations = json_object_get(change, "operations");
    const char *const why = spean_jsonget_text(change, "why");
    if (why[0] != '\0' || json_array_size(operations) == 0) {
        change_begin(grid, change);
        spean_grid_cell(grid, "%s%s%s", spean_jsonget_text(change, "fate"),
                        why[0] == '\0' ? "" : ": ", why);
    }
    for (size_t i = 0; i < json_array_size(operations); i++) {
        const json_t *const op = json_array_get(operations, i);
        json_t *const value = json_object_get(op, "value");
        char *const text = json_is_null(value) ? NULL : spean_show_value(value);
        change_begin(grid, change);
        what_cell(grid, spean_jsonget_text(op, "verb"), spean_jsonget_text(op, "field"),
                  text == NULL ? "" : text);
        free(text);
    }
}

static enum spean_exit history_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const columns[] = {N_("WHEN"), N_("WHO"), N_("WHAT"), NULL};
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    const spean_err err =
        spean_client_path(path, "/v1/cases/%s/history", spean_call_value(call, "case"));
    return err == SPEAN_OK ? spean_listing_print(call, path, columns, change_add, problem)
                           : spean_problem_err(problem, err, "case history");
}

static enum spean_exit retain_run(struct spean_call *call, struct spean_problem *problem)
{
    const char *const review = spean_call_value(call, "review-on");
    const char *const erase = spean_call_value(call, "delete-by");
    const struct spean_resource resource = {
        .collection = "cases", .id = spean_call_value(call, "case"), .verb = "retention"};
    struct spean_out *const out = spean_call_out(call);
    if ((review == NULL && erase == NULL) != spean_call_given(call, "by-settings")) {
        return spean_problem_usage(problem, "%s",
                                   _("give --review-on, --delete-by or both, or --by-settings"));
    }
    json_t *const body = json_pack("{s:s?, s:s?}", "review_on", review, "delete_by", erase);
    json_t *reply = NULL;
    const enum spean_exit exit =
        body == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "case retain")
                     : spean_recording_send(call, "PUT", &resource, body, &reply, problem);
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    char name[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(reply, name);
    spean_out_done(out, "%s", name);
    spean_show_retention(out, json_object_get(reply, "retention"));
    spean_out_note(out, "%s", _("This stays on this node. Nothing is deleted by itself."));
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

/* Ask one question and wipe nothing yet: the caller's buffer holds the answer. */
static enum spean_exit ask(struct spean_call *call, const char *name, char *buf, size_t cap,
                           struct spean_problem *problem)
{
    const struct spean_question question = spean_call_question(call, name);
    return spean_prompt_ask(spean_call_prompt(call), &question, buf, cap, problem);
}

/* Ask for the few things that a new case begins with; each may be left out. */
static enum spean_exit answers_set(struct spean_call *call, json_t *edit, char *buf,
                                   struct spean_problem *problem)
{
    spean_err err = SPEAN_OK;
    enum spean_exit exit = ask(call, "person.name", buf, NAME_BYTES_MAX, problem);
    if (exit == SPEAN_EXIT_DONE && buf[0] != '\0') {
        err =
            spean_edit_append(edit, "add", "names",
                              json_pack("{s:s,s:s}", "script", spean_script_of(buf), "full", buf));
    }
    if (exit == SPEAN_EXIT_DONE && err == SPEAN_OK) {
        exit = ask(call, "person.language", buf, LANG_BYTES_MAX, problem);
        if (exit == SPEAN_EXIT_DONE && buf[0] != '\0') {
            err = spean_edit_append(edit, "add", "languages",
                                    json_pack("{s:s,s:b}", "code", buf, "speaks", 1));
        }
    }
    if (exit == SPEAN_EXIT_DONE && err == SPEAN_OK) {
        exit = ask(call, "narrative", buf, NARRATIVE_BYTES_MAX, problem);
        if (exit == SPEAN_EXIT_DONE && buf[0] != '\0') {
            json_t *text = NULL;
            exit = spean_recording_text(call, buf, &text, problem);
            if (exit == SPEAN_EXIT_DONE) {
                err = spean_edit_set(edit, "set", "narrative", text);
            }
        }
    }
    return err == SPEAN_OK ? exit : spean_problem_err(problem, err, "case add");
}

/* A case that says nothing about it is active, and opened today. */
static spean_err defaults_set(json_t *edit)
{
    const json_t *const set = json_object_get(edit, "set");
    char today[SPEAN_TIMETEXT_BYTES_MAX];
    spean_timetext_today(today);
    spean_err err = SPEAN_OK;
    if (json_object_get(set, "status") == NULL) {
        err = spean_edit_set(edit, "set", "status", json_string("active"));
    }
    if (err == SPEAN_OK && json_object_get(json_object_get(edit, "set"), "opened_on") == NULL) {
        err = spean_edit_set(edit, "set", "opened_on", json_string(today));
    }
    return err;
}

/* Send the edit and say what became of it. */
static enum spean_exit edit_send(struct spean_call *call, const char *method, const char *id,
                                 const json_t *edit, struct spean_problem *problem)
{
    const struct spean_resource resource = {.collection = "cases", .id = id};
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit =
        spean_recording_send(call, method, &resource, edit, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    char name[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(reply, name);
    if (id != NULL && json_is_false(json_object_get(reply, "changed"))) {
        spean_out_done(out, _("%s   nothing to change"), name);
    } else {
        spean_out_done(out, id == NULL ? _("case opened   %s") : _("case changed   %s"), name);
    }
    spean_out_note(out, "%s",
                   _("Only your own organisation's nodes can read it. A referral shows of it "
                     "what you choose."));
    spean_show_codes(out, reply);
    spean_show_alike(out, reply);
    spean_out_next(out, id == NULL ? "spean consent record --case %s" : "spean case show %s", name);
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

static enum spean_exit add_run(struct spean_call *call, struct spean_problem *problem)
{
    json_t *edit = NULL;
    enum spean_exit exit = spean_recording_edit(call, &edit, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    if (!spean_call_given(call, "from")) {
        char *const buf = malloc(NARRATIVE_BYTES_MAX);
        exit = buf == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "case add")
                           : answers_set(call, edit, buf, problem);
        if (buf != NULL) {
            sodium_memzero(buf, NARRATIVE_BYTES_MAX);
            free(buf);
        }
    }
    if (exit == SPEAN_EXIT_DONE && defaults_set(edit) != SPEAN_OK) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "case add");
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = edit_send(call, "POST", NULL, edit, problem);
    }
    json_decref(edit);
    return exit;
}

static enum spean_exit edit_run(struct spean_call *call, struct spean_problem *problem)
{
    const char *const status = spean_call_value(call, "status");
    json_t *edit = NULL;
    enum spean_exit exit = spean_recording_edit(call, &edit, problem);
    if (exit == SPEAN_EXIT_DONE && status != NULL &&
        spean_edit_set(edit, "set", "status", json_string(status)) != SPEAN_OK) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "--status");
    }
    if (exit == SPEAN_EXIT_DONE && json_object_size(edit) == 0) {
        exit = spean_problem_usage(problem, "%s", _("nothing is to be changed"));
        spean_problem_hint(problem, "%s",
                           _("give --from FILE; what is personal comes no other way"));
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = edit_send(call, "PATCH", spean_call_value(call, "case"), edit, problem);
    }
    json_decref(edit);
    return exit;
}

static const struct spean_flag edit_flags[] = {
    {.name = "status",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("a code of the list case_status: active, follow_up")},
    SPEAN_FLAG_FROM,
    {0},
};

static const struct spean_flag close_flags[] = {
    {.name = "reason",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .required = true,
     .help = N_("why, a code of the list closure_reason: goal_reached, referred")},
    {.name = "on",
     .kind = SPEAN_KIND_TEXT,
     .value = "DATE",
     .help = N_("closed on this day, month or year, not in the future; today if left out")},
    {0},
};

static const struct spean_flag reopen_flags[] = {
    {.name = "status",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("a code of the list case_status: follow_up; active if left out")},
    {0},
};

static const struct spean_flag find_flags[] = {
    {.name = "name",
     .kind = SPEAN_KIND_PRIVATE,
     .value = "@FILE",
     .help = N_("the name, from FILE, or - for standard input; otherwise it is asked for")},
    {.name = "contact",
     .kind = SPEAN_KIND_PRIVATE,
     .value = "@FILE",
     .help = N_("a telephone number or another contact, from FILE, or - for standard input")},
    SPEAN_CASEFIND_FLAGS,
    {0},
};

static const struct spean_flag import_flags[] = {
    {.name = "format",
     .kind = SPEAN_KIND_CHOICE,
     .value = "FORM",
     .choices = "csv|json|primero|oscar",
     .help = N_("what the file is; csv and json have the column names of HTCDS 2.0")},
    {.name = "id-column",
     .kind = SPEAN_KIND_TEXT,
     .value = "NAME",
     .help = N_("the column in which the other system names its cases")},
    {.name = "source",
     .kind = SPEAN_KIND_TEXT,
     .value = "NAME",
     .help = N_("the other system, in small letters: its names are found again under this")},
    {.name = "header",
     .kind = SPEAN_KIND_CHOICE,
     .value = "ROW",
     .choices = "names|labels",
     .help = N_("which of two header rows is right where they disagree")},
    {0},
};

static const struct spean_flag export_flags[] = {
    {.name = "out",
     .kind = SPEAN_KIND_FILE,
     .value = "FILE",
     .required = true,
     .help = N_("write to FILE, which must not be there yet; nobody else may read it")},
    {.name = "format",
     .kind = SPEAN_KIND_CHOICE,
     .value = "FORM",
     .choices = "csv|json|jsonl",
     .help = N_("csv for spreadsheets, json with the same names, jsonl with who wrote what")},
    {.name = "for-person",
     .kind = SPEAN_KIND_ID,
     .value = "CASE",
     .help = N_("instead, the person's own copy of this case, to read and to print")},
    {0},
};

static const struct spean_arg case_args[] = {
    {.name = "case", .kind = SPEAN_KIND_ID, .help = N_("its code, KH-2611-0317-B, or its id")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "case list",
        .summary = N_("List cases"),
        .text = N_("Lists the cases of your own organisation. Nobody else has them. With --due, "
                   "only those that are to be looked at again or to be deleted by now."),
        .flags = (const struct spean_flag[]){SPEAN_CASEFIND_FLAGS, {0}},
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean case list", "spean case list --status active",
                                          "spean case list --due", NULL},
        .run = spean_casefind_list,
    },
    {
        .path = "case find",
        .summary = N_("Find a case by a name, a telephone number or its code"),
        .text = N_("Asks for a name in any script, and shows the cases of your own organisation "
                   "that have all its words, in any order. Capitals, marks on Latin letters, width "
                   "and characters that nobody sees make no difference; a name in kana finds what "
                   "has it in kana. That two names look alike does not make them one person. What "
                   "is personal is never a word of the command."),
        .flags = find_flags,
        .args =
            (const struct spean_arg[]){
                {.name = "case",
                 .kind = SPEAN_KIND_ID,
                 .optional = true,
                 .help = N_("its code, KH-2611-0317-B")},
                {0},
            },
        .questions =
            (const struct spean_question[]){
                {.name = "find.name",
                 .flag = "name",
                 .text = N_("Name, or part of one, in any script")},
                {0},
            },
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean case find", "spean case find --name @name.txt",
                                          "spean case find --contact - --status active",
                                          "spean case find KH-2611-0317-B", NULL},
        .run = spean_casefind_run,
    },
    {
        .path = "case show",
        .summary = N_("Show a case"),
        .text = N_("Prints every field of a case, and its costs as a table with totals by "
                   "category and currency, those over a cap or forbidden marked, and how many "
                   "months' pay the worker bore (SDG 10.7.1). Amounts are never converted."),
        .args = case_args,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean case show KH-2611-0317-B", NULL},
        .run = show_run,
    },
    {
        .path = "case history",
        .summary = N_("Show who wrote what in a case, and when"),
        .text = N_("Prints every change of a case that this node can read, the newest last: also "
                   "what was replaced or struck since, and changes that do not count, with the "
                   "reason. Times are those of the clocks of the nodes that wrote. Long texts are "
                   "shortened; --json has all of them."),
        .args = case_args,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean case history KH-2611-0317-B", NULL},
        .run = history_run,
    },
    {
        .path = "case add",
        .summary = N_("Open a case"),
        .text = N_("Asks for a name, a language and what happened; each may be left empty. With "
                   "--from it takes everything, costs too, from a JSON file instead. What is "
                   "personal is never a word of the command. Nothing of a case leaves your "
                   "organisation; the program makes its code."),
        .flags = (const struct spean_flag[]){SPEAN_FLAG_FROM, {0}},
        .questions =
            (const struct spean_question[]){
                {.name = "person.name",
                 .text = N_("Name, in the person's script"),
                 .optional = true},
                {.name = "person.language",
                 .text = N_("Language the person speaks (km, vi, id, ja)"),
                 .optional = true},
                {.name = "narrative", .text = N_("What happened"), .optional = true},
                {0},
            },
        .inverse = "case edit",
        .examples =
            (const char *const[]){"spean case add", "spean case add --from case.json", NULL},
        .run = add_run,
    },
    {
        .path = "case edit",
        .summary = N_("Change a case"),
        .text = N_("Changes what the JSON file says and nothing else: values are set, members of "
                   "sets added or removed, items of lists appended or struck out."),
        .flags = edit_flags,
        .args = case_args,
        .inverse = "case edit",
        .examples =
            (const char *const[]){"spean case edit KH-2611-0317-B --from changes.json",
                                  "spean case edit KH-2611-0317-B --status follow_up", NULL},
        .run = edit_run,
    },
    {
        .path = "case close",
        .summary = N_("Close a case"),
        .text = N_("Sets status, day and reason of its closing at once. Referrals of the case that "
                   "are not at their end stay as they are; they are named, each with the command "
                   "that goes on with it, and the exit code is 3. Where the settings say how long "
                   "closed cases are kept, that time begins now. Only your own organisation's "
                   "nodes see any of it. \"spean code list closure_reason\" shows the reasons."),
        .flags = close_flags,
        .args = case_args,
        .inverse = "case reopen",
        .examples =
            (const char *const[]){"spean case close KH-2611-0317-B --reason goal_reached",
                                  "spean case close KH-2611-0317-B --reason returned_home --on "
                                  "2026-11-20",
                                  NULL},
        .run = spean_closing_run,
    },
    {
        .path = "case reopen",
        .summary = N_("Take a closed case up again"),
        .text = N_("Makes the case active, or what --status says, and clears day and reason of its "
                   "closing. Both stay in the history. The time for which the settings keep closed "
                   "cases no longer runs; days that a person set with case retain stay."),
        .flags = reopen_flags,
        .args = case_args,
        .inverse = "case close",
        .examples =
            (const char *const[]){"spean case reopen KH-2611-0317-B",
                                  "spean case reopen KH-2611-0317-B --status follow_up", NULL},
        .run = spean_closing_reopen,
    },
    {
        .path = "case retain",
        .summary = N_("Say until when a case is kept"),
        .text = N_("Sets the day on which somebody looks at the case again, the day by which it is "
                   "to be deleted, or both; each takes the place of what was set before. Where "
                   "nobody has set any, the settings retention_review_days and "
                   "retention_delete_days of the node count from the day on which the case was "
                   "closed. What is due shows in status and in case list --due; nothing is deleted "
                   "by itself. This stays on this node."),
        .flags =
            (const struct spean_flag[]){
                {.name = "review-on",
                 .kind = SPEAN_KIND_TEXT,
                 .value = "DATE",
                 .help = N_("look at it again on this day, month or year: 2027-04-01")},
                {.name = "delete-by",
                 .kind = SPEAN_KIND_TEXT,
                 .value = "DATE",
                 .help = N_("delete it by this day, month or year")},
                {.name = "by-settings",
                 .kind = SPEAN_KIND_NONE,
                 .help = N_("let the node's settings count again")},
                {0}},
        .args = case_args,
        .inverse = "case retain",
        .examples =
            (const char *const[]){
                "spean case retain KH-2611-0317-B --review-on 2027-11 --delete-by 2031", NULL},
        .run = retain_run,
    },
    {
        .path = "case import",
        .summary = N_("Import cases from another system"),
        .text = N_(
            "Takes rows with the column names of HTCDS 2.0, as CSV or JSON, or JSON as Primero and "
            "OSCaR give it. A case is found again by its spean_ID, else by what its system names "
            "it (--id-column and --source), else by what the row says: so the same file once more "
            "changes nothing. Of a row that names a case of ours, cells that differ are changed, "
            "and an empty cell empties. A row that is wrong is told with its line and column and "
            "stops no other; columns that cases have no field for, and codes in no list, are told "
            "too. Of KoBo take \"XML values\" as CSV or JSON. Texts are in --lang. Interrupt it "
            "when "
            "you like and import the file again."),
        .flags = import_flags,
        .args =
            (const struct spean_arg[]){
                {.name = "file",
                 .kind = SPEAN_KIND_FILE,
                 .help = N_("CSV or JSON in UTF-8; - is standard input")},
                {0},
            },
        .inverse = "case edit",
        .examples =
            (const char *const[]){
                "spean case import cases.csv --lang km",
                "spean case import old.csv --id-column number --source old_office --dry-run", NULL},
        .run = spean_caseimport_run,
    },
    {
        .path = "case export",
        .summary = N_("Write cases into a file"),
        .text = N_("Writes every case into a file that nobody else may read: rows with the column "
                   "names of HTCDS 2.0 for spreadsheets and other systems, or all there is, with "
                   "who wrote what and when. Cells that a spreadsheet would compute get an "
                   "apostrophe in front, which an import takes away. With --for-person it is one "
                   "case for the person it is about, without what is about others and what is of "
                   "the office alone. The file is not sealed."),
        .flags = export_flags,
        .inverse = SPEAN_INVERSE_READS,
        .examples =
            (const char *const[]){
                "spean case export --out cases.csv",
                "spean case export --out copy.html --for-person KH-2611-0317-B --lang ja", NULL},
        .run = spean_caseexport_run,
    },
    {0},
};

const struct spean_group spean_group_case = {
    .name = "case",
    .summary = N_("Cases of your own organisation"),
    .commands = commands,
};
