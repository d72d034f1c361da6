#include "tools/groups.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tools/agencyexport.h"
#include "tools/agencyimport.h"
#include "tools/call.h"
#include "tools/client.h"
#include "tools/edit.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/recording.h"
#include "tools/show.h"

#define LANG_BYTES_MAX 36u /* A BCP 47 tag of SCHEMA.md, with a NUL. */

static void row_add(struct spean_grid *grid, const json_t *agency)
{
    const bool conflict = spean_jsonget_number(agency, "conflicts") > 0;
    char id[SPEAN_IDTEXT_SHORT_BYTES];
    spean_idtext_short(spean_jsonget_text(agency, "id"), id);
    spean_grid_cell(grid, "%s", spean_show_text(json_object_get(agency, "names"), NULL));
    spean_grid_cell(grid, "%s", spean_jsonget_text(agency, "kind"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(agency, "country"));
    spean_grid_cell(grid, "%s", id);
    spean_grid_cell(grid, "%s", conflict ? _("needs a decision") : "");
}

static enum spean_exit list_run(struct spean_call *call, struct spean_problem *problem)
{
    static const char *const columns[] = {N_("NAME"), N_("KIND"), N_("COUNTRY"),
                                          N_("ID"),   "",         NULL};
    static const char *const filters[] = {"kind", "country", "status", "service", "language", "q"};
    char path[SPEAN_CLIENT_PATH_BYTES_MAX] = "/v1/agencies";
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        if (spean_listing_query(path, filters[i], spean_call_value(call, filters[i])) != SPEAN_OK) {
            return spean_problem_usage(problem, "%s", _("what is searched for is too long"));
        }
    }
    return spean_listing_print(call, path, columns, row_add, problem);
}

static enum spean_exit show_run(struct spean_call *call, struct spean_problem *problem)
{
    const struct spean_resource agency = {.collection = "agencies",
                                          .id = spean_call_value(call, "agency")};
    return spean_recording_show(call, &agency, problem);
}

/* Split "km=..." into the part before the sign and what follows. False: it is not of that form. */
static bool pair_split(const char *text, char *key, size_t key_cap, const char **value)
{
    const size_t len = strcspn(text, "=");
    if (len == 0 || len >= key_cap || text[len] != '=' || text[len + 1] == '\0') {
        return false;
    }
    memcpy(key, text, len);
    key[len] = '\0';
    *value = text + len + 1;
    return true;
}

/* Add the names given to those there are: the field holds all languages at once. */
static enum spean_exit names_set(struct spean_call *call, json_t *edit, const json_t *there,
                                 struct spean_problem *problem)
{
    const size_t count = spean_call_count(call, "name");
    const json_t *const own = json_object_get(json_object_get(edit, "set"), "names");
    json_t *const names = json_is_object(own)     ? json_deep_copy(own)
                          : json_is_object(there) ? json_deep_copy(there)
                                                  : json_object();
    bool good = names != NULL;
    for (size_t i = 0; good && i < count; i++) {
        const char *const text = spean_call_value_at(call, "name", i);
        char lang[LANG_BYTES_MAX];
        const char *name;
        if (!pair_split(text, lang, sizeof(lang), &name)) {
            json_decref(names);
            (void)spean_problem_usage(problem, _("--name cannot be \"%s\""), text);
            spean_problem_hint(problem, "%s", _("a language and the name: km=..., en=..."));
            return SPEAN_EXIT_USAGE;
        }
        good = json_object_set_new(names, lang, json_string(name)) == 0;
    }
    if (good && count == 0) {
        json_decref(names);
        return SPEAN_EXIT_DONE;
    }
    if (!good || spean_edit_set(edit, "set", "names", names) != SPEAN_OK) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "--name");
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit identifiers_add(struct spean_call *call, json_t *edit,
                                       struct spean_problem *problem)
{
    for (size_t i = 0; i < spean_call_count(call, "identifier"); i++) {
        const char *const text = spean_call_value_at(call, "identifier", i);
        char scheme[LANG_BYTES_MAX * 2];
        const char *value;
        if (!pair_split(text, scheme, sizeof(scheme), &value)) {
            (void)spean_problem_usage(problem, _("--identifier cannot be \"%s\""), text);
            spean_problem_hint(problem, "%s", _("a scheme and the number: ngo_registration=123"));
            return SPEAN_EXIT_USAGE;
        }
        if (spean_edit_append(edit, "add", "identifiers",
                              json_pack("{s:s,s:s}", "scheme", scheme, "value", value)) !=
            SPEAN_OK) {
            return spean_problem_err(problem, SPEAN_ENOMEM, "--identifier");
        }
    }
    return SPEAN_EXIT_DONE;
}

/* Put every simple flag that was given into the edit. */
static spean_err flags_set(struct spean_call *call, json_t *edit)
{
    static const char *const plain[] = {"kind", "country", "email", "website", "status"};
    spean_err err = SPEAN_OK;
    for (size_t i = 0; err == SPEAN_OK && i < sizeof(plain) / sizeof(plain[0]); i++) {
        const char *const value = spean_call_value(call, plain[i]);
        if (value != NULL) {
            err = spean_edit_set(edit, "set", plain[i], json_string(value));
        }
    }
    for (size_t i = 0; err == SPEAN_OK && i < spean_call_count(call, "language"); i++) {
        err = spean_edit_append(edit, "add", "languages",
                                json_string(spean_call_value_at(call, "language", i)));
    }
    for (size_t i = 0; err == SPEAN_OK && i < spean_call_count(call, "phone"); i++) {
        err =
            spean_edit_append(edit, "add", "phones",
                              json_pack("{s:s}", "number", spean_call_value_at(call, "phone", i)));
    }
    return err;
}

/* Make the edit of --from and the flags; there: the names that the record has, or NULL. */
static enum spean_exit edit_make(struct spean_call *call, const json_t *there, json_t **edit,
                                 struct spean_problem *problem)
{
    json_t *made = NULL;
    enum spean_exit exit = spean_recording_edit(call, &made, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = names_set(call, made, there, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = identifiers_add(call, made, problem);
    }
    if (exit == SPEAN_EXIT_DONE && flags_set(call, made) != SPEAN_OK) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "agency");
    }
    if (exit != SPEAN_EXIT_DONE) {
        json_decref(made);
        return exit;
    }
    *edit = made;
    return SPEAN_EXIT_DONE;
}

/* Send the edit and say what became of it. */
static enum spean_exit edit_send(struct spean_call *call, const char *method, const char *id,
                                 const json_t *edit, struct spean_problem *problem)
{
    const struct spean_resource agency = {.collection = "agencies", .id = id};
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit = spean_recording_send(call, method, &agency, edit, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    char name[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(reply, name);
    const char *const called =
        spean_show_text(json_object_get(json_object_get(reply, "fields"), "names"), NULL);
    if (id != NULL && json_is_false(json_object_get(reply, "changed"))) {
        spean_out_done(out, _("%s %s   nothing to change"), name, called);
    } else {
        spean_out_done(out,
                       id == NULL ? _("agency added   %s   %s") : _("agency changed   %s   %s"),
                       name, called);
        spean_out_note(out, "%s", _("All members of the ledger will see it."));
    }
    spean_show_codes(out, reply);
    spean_show_alike(out, reply);
    spean_out_next(out, "spean agency show %s", name);
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

static enum spean_exit add_run(struct spean_call *call, struct spean_problem *problem)
{
    json_t *edit = NULL;
    enum spean_exit exit = edit_make(call, NULL, &edit, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    if (json_object_size(json_object_get(json_object_get(edit, "set"), "names")) == 0) {
        exit = spean_problem_usage(problem, "%s", _("an agency needs a name"));
        spean_problem_hint(problem, "%s", _("give --name km=... or --from FILE"));
    } else {
        exit = edit_send(call, "POST", NULL, edit, problem);
    }
    json_decref(edit);
    return exit;
}

/* Put nil into the fields that are to be cleared. */
static spean_err clear_set(struct spean_call *call, json_t *edit)
{
    spean_err err = SPEAN_OK;
    for (size_t i = 0; err == SPEAN_OK && i < spean_call_count(call, "clear"); i++) {
        err = spean_edit_set(edit, "set", spean_call_value_at(call, "clear", i), json_null());
    }
    return err;
}

static enum spean_exit edit_run(struct spean_call *call, struct spean_problem *problem)
{
    const struct spean_resource agency = {.collection = "agencies",
                                          .id = spean_call_value(call, "agency")};
    json_t *record = NULL;
    json_t *edit = NULL;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (spean_call_given(call, "name")) {
        exit = spean_recording_get(call, &agency, &record, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = edit_make(call, json_object_get(json_object_get(record, "fields"), "names"), &edit,
                         problem);
    }
    if (exit == SPEAN_EXIT_DONE && clear_set(call, edit) != SPEAN_OK) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "--clear");
    }
    if (exit == SPEAN_EXIT_DONE && json_object_size(edit) == 0) {
        exit = spean_problem_usage(problem, "%s", _("nothing is to be changed"));
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = edit_send(call, "PATCH", agency.id, edit, problem);
    }
    json_decref(edit);
    json_decref(record);
    return exit;
}

#define AGENCY_FLAGS                                                                               \
    {.name = "name",                                                                               \
     .kind = SPEAN_KIND_TEXT,                                                                      \
     .value = "LANG=NAME",                                                                         \
     .repeats = true,                                                                              \
     .help = N_("its name in a language: km=..., en=...; others stay")},                           \
        {.name = "kind",                                                                           \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "CODE",                                                                          \
         .help = N_("what it is, a code of the list agency_kind: ngo_other, legal, sending_org")}, \
        {.name = "country",                                                                        \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "CC",                                                                            \
         .help = N_("its country by ISO 3166")},                                                   \
        {.name = "email",                                                                          \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "ADDRESS",                                                                       \
         .help = N_("its public mail address")},                                                   \
        {.name = "website", .kind = SPEAN_KIND_TEXT, .value = "URL", .help = N_("its website")},   \
        {.name = "phone",                                                                          \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "NUMBER",                                                                        \
         .repeats = true,                                                                          \
         .help = N_("a public telephone number of it, as +855...")},                               \
        {.name = "language",                                                                       \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "LANG",                                                                          \
         .repeats = true,                                                                          \
         .help = N_("a language in which it helps")},                                              \
        {.name = "identifier",                                                                     \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "SCHEME=NUMBER",                                                                 \
         .repeats = true,                                                                          \
         .help = N_("a permit or registration: ngo_registration=123")},                            \
    {                                                                                              \
        .name = "status", .kind = SPEAN_KIND_TEXT, .value = "CODE",                                \
        .help = N_("a code of the list agency_status: active, suspended, closed")                  \
    }

static const struct spean_flag add_flags[] = {AGENCY_FLAGS, SPEAN_FLAG_FROM, {0}};

static const struct spean_flag edit_flags[] = {
    AGENCY_FLAGS,
    {.name = "clear",
     .kind = SPEAN_KIND_TEXT,
     .value = "FIELD",
     .repeats = true,
     .help = N_("empty a field that holds one value: email, website")},
    SPEAN_FLAG_FROM,
    {0},
};

static const struct spean_flag list_flags[] = {
    {.name = "kind",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("only this kind, a code of the list agency_kind")},
    {.name = "country",
     .kind = SPEAN_KIND_TEXT,
     .value = "CC",
     .help = N_("only this country by ISO 3166")},
    {.name = "status",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("only this status, a code of the list agency_status: active, closed")},
    {.name = "service",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("only with this service, a code of the list service: legal, shelter")},
    {.name = "language",
     .kind = SPEAN_KIND_TEXT,
     .value = "LANG",
     .help = N_("only those who help in this language")},
    {.name = "q",
     .kind = SPEAN_KIND_TEXT,
     .value = "TEXT",
     .help = N_("only those with every word of TEXT in a name, another name or a permit number; "
                "capitals and marks make no difference")},
    {0},
};

static const struct spean_flag import_flags[] = {
    {.name = "kind",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("the kind of those that say none, a code of the list agency_kind")},
    {.name = "country",
     .kind = SPEAN_KIND_TEXT,
     .value = "CC",
     .help = N_("the country of those that say none, by ISO 3166")},
    {0},
};

static const struct spean_flag export_flags[] = {
    {.name = "out",
     .kind = SPEAN_KIND_FILE,
     .value = "FILE",
     .required = true,
     .help = N_("write to FILE, or the folder FILE, which must not be there yet")},
    {.name = "format",
     .kind = SPEAN_KIND_CHOICE,
     .value = "FORM",
     .choices = "hsds-json|hsds-csv|jsonl",
     .help = N_("hsds-json, or hsds-csv, a folder of files, for other registers; jsonl for all "
                "there is with who wrote what")},
    {0},
};

static const struct spean_arg agency_args[] = {
    {.name = "agency", .kind = SPEAN_KIND_ID, .help = N_("its id, or the beginning of it")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "agency list",
        .summary = N_("List agencies"),
        .text = N_("Partners, recruiters, employers, authorities: every agency that a member of "
                   "the ledger has written down. All members see the same list."),
        .flags = list_flags,
        .inverse = SPEAN_INVERSE_READS,
        .examples =
            (const char *const[]){"spean agency list",
                                  "spean agency list --country JP --service legal --language vi",
                                  NULL},
        .run = list_run,
    },
    {
        .path = "agency show",
        .summary = N_("Show an agency"),
        .text = N_("Prints every field of an agency, what is in conflict, and what has not "
                   "arrived yet."),
        .args = agency_args,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean agency show 7f3a-91c4", NULL},
        .run = show_run,
    },
    {
        .path = "agency add",
        .summary = N_("Add an agency"),
        .text = N_("Writes down an agency that has no node of its own. It is public: all members "
                   "see it and may change it. Write nothing about persons into it."),
        .flags = add_flags,
        .inverse = "agency edit",
        .examples = (const char *const[]){"spean agency add --name en=\"Example Shelter\" --kind "
                                          "shelter --country JP",
                                          "spean agency add --from agency.json", NULL},
        .run = add_run,
    },
    {
        .path = "agency edit",
        .summary = N_("Change an agency"),
        .text = N_("Changes the fields that are given and no others. Where somebody else changes "
                   "the same field meanwhile, both versions are kept for a decision."),
        .flags = edit_flags,
        .args = agency_args,
        .inverse = "agency edit",
        .examples = (const char *const[]){"spean agency edit 7f3a --email help@example.org",
                                          "spean agency edit 7f3a --clear website", NULL},
        .run = edit_run,
    },
    {
        .path = "agency import",
        .summary = N_("Import agencies from HSDS 3"),
        .text = N_("Takes organisations with their services, locations, telephones and "
                   "identifiers. Names in HSDS have no language: say it with --lang. An agency "
                   "that is there already, by its identifier, is completed, so a second file in "
                   "another language adds its names; the same file once more changes nothing. A "
                   "row that is wrong is told and stops no other. All members will see the "
                   "agencies."),
        .flags = import_flags,
        .args =
            (const struct spean_arg[]){
                {.name = "file",
                 .kind = SPEAN_KIND_FILE,
                 .help = N_("HSDS 3 JSON of at most 64 MiB, - for standard input; or a folder of "
                            "its CSV files")},
                {0},
            },
        .inverse = "agency edit",
        .examples = (const char *const[]){"spean agency import agencies-km.json --lang km", NULL},
        .run = spean_agencyimport_run,
    },
    {
        .path = "agency export",
        .summary = N_("Write agencies into a file"),
        .text = N_("Writes every agency as HSDS 3, in the language of --lang where a text has "
                   "it; or all there is, with who wrote what and when. Importing the file again in "
                   "the same language changes nothing."),
        .flags = export_flags,
        .inverse = SPEAN_INVERSE_READS,
        .examples =
            (const char *const[]){"spean agency export --out agencies.json --lang en", NULL},
        .run = spean_agencyexport_run,
    },
    {0},
};

const struct spean_group spean_group_agency = {
    .name = "agency",
    .summary = N_("Partners, recruiters, employers, authorities"),
    .commands = commands,
};
