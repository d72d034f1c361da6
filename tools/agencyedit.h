/* tools/agencyedit.h - an edit of an agency record from flags: for `agency add|edit`, `org edit`.
 */
#ifndef SPEAN_TOOLS_AGENCYEDIT_H
#define SPEAN_TOOLS_AGENCYEDIT_H

#include <jansson.h>

#include "tools/call.h"
#include "tools/command.h"
#include "tools/i18n.h"
#include "tools/problem.h"
#include "tools/recording.h"

/* The fields that have flags of their own. */
#define SPEAN_AGENCYEDIT_FIELDS                                                                    \
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

/* The flags of commands that make an agency, and of those that change one. */
#define SPEAN_AGENCYEDIT_FLAGS_ADD SPEAN_AGENCYEDIT_FIELDS, SPEAN_FLAG_FROM
#define SPEAN_AGENCYEDIT_FLAGS                                                                     \
    SPEAN_AGENCYEDIT_FIELDS,                                                                       \
        {.name = "clear",                                                                          \
         .kind = SPEAN_KIND_TEXT,                                                                  \
         .value = "FIELD",                                                                         \
         .repeats = true,                                                                          \
         .help = N_("empty a field that holds one value: email, website")},                        \
        SPEAN_FLAG_FROM

/*
 * Make the edit of --from and the flags into *edit; the caller frees it. there: the names that the
 * record has, or NULL. Exit 2: a value cannot be one. Others as spean_recording_edit().
 */
SPEAN_CHECK enum spean_exit spean_agencyedit_make(struct spean_call *call, const json_t *there,
                                                  json_t **edit, struct spean_problem *problem);

/* Send the edit of record id, NULL for a new one, and say what became of it. Errors as
 * spean_call_request(). */
SPEAN_CHECK enum spean_exit spean_agencyedit_send(struct spean_call *call, const char *id,
                                                  const json_t *edit,
                                                  struct spean_problem *problem);

/* Do all of it for the record id, by a command with SPEAN_AGENCYEDIT_FLAGS. Exit 2: nothing is to
 * be changed. Errors as above. */
SPEAN_CHECK enum spean_exit spean_agencyedit_run(struct spean_call *call, const char *id,
                                                 struct spean_problem *problem);

#endif
