#include "tools/groups.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/client.h"
#include "tools/codesinuse.h"
#include "tools/edit.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/recording.h"
#include "tools/show.h"
#include "tools/suggest.h"

/* -- Lists ----------------------------------------------------------------------------------- */

/* What is worth knowing of a code before using it. */
static void note_add(struct spean_grid *grid, const json_t *code)
{
    const char *const other = spean_jsonget_text(code, "superseded_by");
    const char *const meant = spean_jsonget_text(code, "mapped_to");
    const char *const from = spean_jsonget_text(code, "valid_from");
    const char *const to = spean_jsonget_text(code, "valid_to");
    if (other[0] != '\0') {
        spean_grid_cell(grid, _("superseded by %s"), other);
    } else if (meant[0] != '\0') {
        spean_grid_cell(grid, _("means %s"), meant);
    } else if (from[0] != '\0' || to[0] != '\0') {
        spean_grid_cell(grid, _("valid %s to %s"), from[0] == '\0' ? "..." : from,
                        to[0] == '\0' ? "..." : to);
    } else if (json_object_get(code, "times") != NULL) {
        spean_grid_cell(grid, _("in %" PRId64 " records"), spean_jsonget_number(code, "times"));
    } else {
        spean_grid_cell(grid, "%s", spean_jsonget_text(code, "owner_name"));
    }
}

static void code_row(struct spean_grid *grid, const json_t *code)
{
    spean_grid_cell(grid, "%s", spean_jsonget_text(code, "list"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(code, "code"));
    spean_grid_cell(grid, "%s", spean_show_text(json_object_get(code, "labels"), NULL));
    spean_grid_cell(grid, "%s", spean_jsonget_text(code, "standing"));
    note_add(grid, code);
}

static void list_row(struct spean_grid *grid, const json_t *list)
{
    spean_grid_cell(grid, "%s", spean_jsonget_text(list, "list"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(list, "version"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(list, "standing"));
    spean_grid_cell(grid, "%s", spean_show_text(json_object_get(list, "title"), NULL));
}

static const char *const code_columns[] = {N_("LIST"),     N_("CODE"), N_("LABEL"),
                                           N_("STANDING"), N_("NOTE"), NULL};

static enum spean_exit codes_path(struct spean_call *call, const char *unmapped,
                                  char path[SPEAN_CLIENT_PATH_BYTES_MAX],
                                  struct spean_problem *problem)
{
    (void)snprintf(path, SPEAN_CLIENT_PATH_BYTES_MAX, "/v1/codes"); /* Fits. */
    if (spean_listing_query(path, "list", spean_call_value(call, "list")) != SPEAN_OK ||
        spean_listing_query(path, "unmapped", unmapped) != SPEAN_OK) {
        return spean_problem_usage(problem, "%s", _("what is searched for is too long"));
    }
    return SPEAN_EXIT_DONE;
}

/* Refuse the name of a list that nobody knows: an empty answer would pass for a list of nothing. */
static enum spean_exit list_check(struct spean_call *call, const char *list,
                                  struct spean_problem *problem)
{
    json_t *lists = NULL;
    const enum spean_exit exit = spean_listing_get(call, "/v1/code-lists", &lists, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    struct spean_suggestion best = {0};
    bool known = false;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(lists, "items"), i, row)
    {
        const char *const name = spean_jsonget_text(row, "list");
        known = known || strcmp(name, list) == 0;
        spean_suggest_offer(&best, list, name);
    }
    if (!known) {
        (void)spean_problem_set(problem, SPEAN_EXIT_NOT_FOUND, "not_found",
                                _("there is no code list \"%s\""), list);
        if (best.word != NULL) {
            spean_problem_hint(problem, _("did you mean \"%s\"?"), best.word);
        } else {
            spean_problem_hint(problem, "%s", _("see \"spean code list\""));
        }
    }
    json_decref(lists);
    return known ? SPEAN_EXIT_DONE : SPEAN_EXIT_NOT_FOUND;
}

/* Show codes that were got; no codes only of a list that there is. */
static enum spean_exit codes_show(struct spean_call *call, const json_t *codes,
                                  struct spean_problem *problem)
{
    const char *const list = spean_call_value(call, "list");
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (list != NULL && json_array_size(json_object_get(codes, "items")) == 0) {
        exit = list_check(call, list, problem);
    }
    return exit == SPEAN_EXIT_DONE
               ? spean_listing_show(call, codes, code_columns, code_row, problem)
               : exit;
}

static enum spean_exit list_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const columns[] = {N_("LIST"), N_("VERSION"), N_("STANDING"), N_("TITLE"),
                                          NULL};
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    if (spean_call_value(call, "list") == NULL) {
        return spean_listing_print(call, "/v1/code-lists", columns, list_row, problem);
    }
    json_t *codes = NULL;
    enum spean_exit exit = codes_path(call, NULL, path, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_listing_get(call, path, &codes, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = codes_show(call, codes, problem);
    }
    json_decref(codes);
    return exit;
}

static enum spean_exit unmapped_run(struct spean_call *call, struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *list = NULL;
    enum spean_exit exit = codes_path(call, "1", path, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_listing_get(call, path, &list, problem);
    }
    if (exit == SPEAN_EXIT_DONE && spean_call_given(call, "in-use")) {
        exit = spean_codesinuse_add(call, spean_call_value(call, "list"),
                                    json_object_get(list, "items"), problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = codes_show(call, list, problem);
    }
    json_decref(list);
    return exit;
}

/* -- Adding ---------------------------------------------------------------------------------- */

/* Put the labels, by language, under field; the daemon keeps languages that are there. */
static enum spean_exit labels_set(struct spean_call *call, json_t *edit, const char *field,
                                  struct spean_problem *problem)
{
    const size_t count = spean_call_count(call, "label");
    json_t *const labels = count == 0 ? NULL : json_object();
    for (size_t i = 0; i < count; i++) {
        struct spean_edit_pair pair;
        const enum spean_exit exit = spean_edit_pair(
            "label", spean_call_value_at(call, "label", i),
            _("a language and what the code means: ja=..., en=..."), &pair, problem);
        if (exit != SPEAN_EXIT_DONE) {
            json_decref(labels);
            return exit;
        }
        if (json_object_set_new(labels, pair.key, json_string(pair.value)) != 0) {
            json_decref(labels);
            return spean_problem_err(problem, SPEAN_ENOMEM, "--label");
        }
    }
    if (count > 0 && spean_edit_set(edit, "set", field, labels) != SPEAN_OK) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "--label");
    }
    return SPEAN_EXIT_DONE;
}

/* Flags that hold one value; only_of: 'c' codes, 'l' lists, 0 both. */
static const struct {
    const char *flag;
    const char *field;
    char only_of;
} plain[] = {
    {"valid-from", "valid_from", 0},
    {"valid-to", "valid_to", 0},
    {"superseded-by", "superseded_by", 'c'},
    {"version", "version", 'l'},
};

static enum spean_exit plain_set(struct spean_call *call, json_t *edit, char kind,
                                 struct spean_problem *problem)
{
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        const char *const value = spean_call_value(call, plain[i].flag);
        if (value == NULL) {
            continue;
        }
        if (plain[i].only_of != 0 && plain[i].only_of != kind) {
            return spean_problem_usage(problem,
                                       kind == 'c' ? _("--%s is for whole lists; leave CODE out")
                                                   : _("--%s is for codes; CODE is missing"),
                                       plain[i].flag);
        }
        if (spean_edit_set(edit, "set", plain[i].field, json_string(value)) != SPEAN_OK) {
            return spean_problem_err(problem, SPEAN_ENOMEM, plain[i].flag);
        }
    }
    if (kind == 'l' && spean_call_given(call, "mapping")) {
        return spean_problem_usage(problem, _("--%s is for codes; CODE is missing"), "mapping");
    }
    if (spean_call_given(call, "publish") &&
        spean_edit_set(edit, "set", "published", json_true()) != SPEAN_OK) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "--publish");
    }
    return SPEAN_EXIT_DONE;
}

/* Say in the edit which code or list it is about. */
static spean_err fixed_set(json_t *edit, const char *list, const char *code)
{
    spean_err err = spean_edit_set(edit, "fixed", "list", json_string(list));
    if (err == SPEAN_OK && code != NULL) {
        err = spean_edit_set(edit, "fixed", "code", json_string(code));
    }
    return err;
}

/* Send the edit and say what became of it. */
static enum spean_exit edit_send(struct spean_call *call, const char *list, const char *code,
                                 const json_t *edit, struct spean_problem *problem)
{
    const struct spean_resource resource = {.collection = code == NULL ? "code-lists" : "codes"};
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit =
        spean_recording_send(call, "POST", &resource, edit, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    const bool changed = !json_is_false(json_object_get(reply, "changed"));
    spean_out_done(out, changed ? _("%s %s kept") : _("%s %s   nothing to change"), list,
                   code == NULL ? "" : code);
    spean_out_note(out, "%s", _("All members of the ledger will see it."));
    spean_out_next(out, "spean code list %s", list);
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

static enum spean_exit add_run(struct spean_call *call, struct spean_problem *problem)
{
    const char *const list = spean_call_value(call, "list");
    const char *const code = spean_call_value(call, "code");
    const char kind = code == NULL ? 'l' : 'c';
    const struct spean_pairs mappings = {.flag = "mapping",
                                         .field = "mappings",
                                         .hint = _("another standard and its term: HTCDS=...")};
    json_t *edit = NULL;
    enum spean_exit exit = spean_recording_edit(call, &edit, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = labels_set(call, edit, kind == 'c' ? "labels" : "title", problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = plain_set(call, edit, kind, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_recording_pairs(call, edit, &mappings, problem);
    }
    if (exit == SPEAN_EXIT_DONE && kind == 'l' && json_object_size(edit) == 0) {
        (void)spean_problem_usage(problem, "%s", _("nothing is said of the list"));
        spean_problem_hint(problem,
                           _("add a code to it: spean code add %s CODE --label en=..., or say more "
                             "of the list: --label, --version, --publish"),
                           list);
        exit = SPEAN_EXIT_USAGE;
    }
    if (exit == SPEAN_EXIT_DONE && fixed_set(edit, list, code) != SPEAN_OK) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "code add");
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = edit_send(call, list, code, edit, problem);
    }
    json_decref(edit);
    return exit;
}

static enum spean_exit map_run(struct spean_call *call, struct spean_problem *problem)
{
    const char *const list = spean_call_value(call, "list");
    const char *const code = spean_call_value(call, "code");
    const char *const to = spean_call_value(call, "to");
    if ((to == NULL) != spean_call_given(call, "nothing")) {
        return spean_problem_usage(problem, "%s", _("give either --to CODE or --nothing"));
    }
    json_t *const edit = json_object();
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (edit == NULL || fixed_set(edit, list, code) != SPEAN_OK ||
        spean_edit_set(edit, "set", "mapped_to", to == NULL ? json_null() : json_string(to)) !=
            SPEAN_OK) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "code map");
    } else {
        exit = edit_send(call, list, code, edit, problem);
    }
    json_decref(edit);
    return exit;
}

/* -- The table ------------------------------------------------------------------------------- */

static const struct spean_arg maybe_list_args[] = {
    {.name = "list",
     .kind = SPEAN_KIND_TEXT,
     .optional = true,
     .help = N_("the name of a list: scheme, ssw_field, service")},
    {0},
};

static const struct spean_arg code_args[] = {
    {.name = "list", .kind = SPEAN_KIND_TEXT, .help = N_("the name of its list: scheme")},
    {.name = "code",
     .kind = SPEAN_KIND_TEXT,
     .help = N_("the code: at most 64 of a-z 0-9 _ . : -")},
    {0},
};

static const struct spean_arg add_args[] = {
    {.name = "list", .kind = SPEAN_KIND_TEXT, .help = N_("the name of the list: scheme")},
    {.name = "code",
     .kind = SPEAN_KIND_TEXT,
     .optional = true,
     .help = N_("the code: at most 64 of a-z 0-9 _ . : -; without it, the list itself")},
    {0},
};

static const struct spean_flag add_flags[] = {
    {.name = "label",
     .kind = SPEAN_KIND_TEXT,
     .value = "LANG=TEXT",
     .repeats = true,
     .help = N_("what it means, by language: ja=..., en=...; others stay")},
    {.name = "mapping",
     .kind = SPEAN_KIND_TEXT,
     .value = "SCHEME=TERM",
     .repeats = true,
     .help = N_("the term of another standard for it: HTCDS=...")},
    {.name = "valid-from",
     .kind = SPEAN_KIND_TEXT,
     .value = "DATE",
     .help = N_("in force from this day, month or year: 2027-04-01")},
    {.name = "valid-to",
     .kind = SPEAN_KIND_TEXT,
     .value = "DATE",
     .help = N_("in force up to and with this day, month or year")},
    {.name = "superseded-by",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("the code of the same list that takes its place")},
    {.name = "version",
     .kind = SPEAN_KIND_TEXT,
     .value = "TEXT",
     .help = N_("of a list: which version of it this is")},
    {.name = "publish",
     .kind = SPEAN_KIND_NONE,
     .help = N_("stand behind it, for all members; only stewards can")},
    SPEAN_FLAG_FROM,
    {0},
};

static const struct spean_flag map_flags[] = {
    {.name = "to",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("the code of the same list that it means")},
    {.name = "nothing", .kind = SPEAN_KIND_NONE, .help = N_("take back what it was mapped to")},
    {0},
};

static const struct spean_flag unmapped_flags[] = {
    {.name = "in-use",
     .kind = SPEAN_KIND_NONE,
     .help = N_("also codes that stand in agencies and cases and are in no list")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "code list",
        .summary = N_("List code lists, or the codes of one"),
        .text = N_("Lists the code lists that fields use, or the codes of one of them with what "
                   "they mean. Published codes have a steward behind them, built-in ones come "
                   "with the program, local ones were added by a member. Wherever a code is "
                   "expected, one that is on no list can be used too."),
        .args = maybe_list_args,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean code list", "spean code list ssw_field", NULL},
        .run = list_run,
    },
    {
        .path = "code add",
        .summary = N_("Add a code, or say more about one"),
        .text = N_("Adds a code to a list. All members will see it; nobody needs a new program. "
                   "A steward publishes it with --publish, and changes what is there; other "
                   "members add local codes and change their own. What is given is added to what "
                   "is known already. Without CODE it is about the list itself; --label is its "
                   "title then."),
        .flags = add_flags,
        .args = add_args,
        .inverse = "code add",
        .examples =
            (const char *const[]){
                "spean code add scheme esd_1 --label \"en=Employment for skill development (i)\" "
                "--valid-from 2027-04-01 --publish",
                "spean code add scheme titp_1 --superseded-by esd_1 --publish",
                "spean code add ssw_field --version 2027-04 --label \"en=Fields of work\" "
                "--publish",
                NULL},
        .run = add_run,
    },
    {
        .path = "code map",
        .summary = N_("Say which code a local one means"),
        .text = N_("Maps a local code to another code of the same list. The local one stays as it "
                   "is wherever it was written; it leaves the list of those that need a mapping. "
                   "Stewards map any code, other members their own."),
        .flags = map_flags,
        .args = code_args,
        .inverse = "code map",
        .examples = (const char *const[]){"spean code map service pp:legal_desk --to legal",
                                          "spean code map service pp:legal_desk --nothing", NULL},
        .run = map_run,
    },
    {
        .path = "code unmapped",
        .summary = N_("List local codes that need a mapping"),
        .text = N_("Lists codes that members added, that no steward has published, and of which "
                   "nobody has said yet which published or built-in code they mean. With --in-use "
                   "also codes that nobody added, as an import may have brought them; that reads "
                   "every agency and case."),
        .flags = unmapped_flags,
        .args = maybe_list_args,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean code unmapped", "spean code unmapped service",
                                          "spean code unmapped --in-use", NULL},
        .run = unmapped_run,
    },
    {0},
};

const struct spean_group spean_group_code = {
    .name = "code",
    .summary = N_("Codes and what they mean"),
    .commands = commands,
};
