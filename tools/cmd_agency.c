#include "tools/groups.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tools/agencyedit.h"
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

static void row_add(struct spean_grid *grid, const json_t *agency)
{
    const bool conflict = spean_jsonget_number(agency, "conflicts") > 0;
    char id[SPEAN_IDTEXT_SHORT_BYTES];
    char same[SPEAN_SHOW_SAME_BYTES];
    spean_idtext_short(spean_jsonget_text(agency, "id"), id);
    spean_show_same(agency, same);
    spean_grid_cell(grid, "%s%s", spean_show_text(json_object_get(agency, "names"), NULL), same);
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

static enum spean_exit add_run(struct spean_call *call, struct spean_problem *problem)
{
    json_t *edit = NULL;
    enum spean_exit exit = spean_agencyedit_make(call, NULL, &edit, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    if (json_object_size(json_object_get(json_object_get(edit, "set"), "names")) == 0) {
        exit = spean_problem_usage(problem, "%s", _("an agency needs a name"));
        spean_problem_hint(problem, "%s", _("give --name km=... or --from FILE"));
    } else {
        exit = spean_agencyedit_send(call, NULL, edit, problem);
    }
    json_decref(edit);
    return exit;
}

static enum spean_exit edit_run(struct spean_call *call, struct spean_problem *problem)
{
    return spean_agencyedit_run(call, spean_call_value(call, "agency"), problem);
}

static const struct spean_flag add_flags[] = {SPEAN_AGENCYEDIT_FLAGS_ADD, {0}};

static const struct spean_flag edit_flags[] = {SPEAN_AGENCYEDIT_FLAGS, {0}};

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
