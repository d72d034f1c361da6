/* tools/recording.h - what the commands for records have in common: show one, write one. */
#ifndef SPEAN_TOOLS_RECORDING_H
#define SPEAN_TOOLS_RECORDING_H

#include <stdbool.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/problem.h"
#include "tools/sink.h"

#define SPEAN_RECORDING_NAME_BYTES 64u
#define SPEAN_RECORDING_ORG_BYTES  65u /* 64 hex digits and a NUL. */

/* The flag by which a command takes an edit or another object; never a value by itself. */
#define SPEAN_FLAG_FROM                                                                            \
    {                                                                                              \
        .name = "from", .kind = SPEAN_KIND_FILE, .value = "FILE",                                  \
        .help = N_("take the fields from FILE, JSON as in docs/API.md; - is standard input")       \
    }

/* Which resource: "cases", its id or NULL, and what stands behind it ("withdraw") or NULL. */
struct spean_resource {
    const char *collection;
    const char *id;
    const char *verb;
};

/* Get the record into *record; the caller frees it. Errors as spean_call_request(). */
SPEAN_CHECK enum spean_exit spean_recording_get(struct spean_call *call,
                                                const struct spean_resource *resource,
                                                json_t **record, struct spean_problem *problem);

/* Get the record and print it. */
SPEAN_CHECK enum spean_exit spean_recording_show(struct spean_call *call,
                                                 const struct spean_resource *resource,
                                                 struct spean_problem *problem);

/* Read the edit that --from names into *edit, an empty one where it was not given; the caller frees
 * it. Errors as spean_edit_read() and spean_edit_check(). */
SPEAN_CHECK enum spean_exit spean_recording_edit(struct spean_call *call, json_t **edit,
                                                 struct spean_problem *problem);

/*
 * Send body with method and print the answer as JSON. *reply is NULL where nothing is left to do
 * (spean_call_request()); otherwise the caller tells and frees it.
 */
SPEAN_CHECK enum spean_exit spean_recording_send(struct spean_call *call, const char *method,
                                                 const struct spean_resource *resource,
                                                 const json_t *body, json_t **reply,
                                                 struct spean_problem *problem);

/* A flag that repeats, "scheme=value", and the set field whose members it adds. */
struct spean_pairs {
    const char *flag;
    const char *field;
    const char *hint;
};

/* Add {scheme, value} of every such flag that was given. Exit 2: one is not of that form. */
SPEAN_CHECK enum spean_exit spean_recording_pairs(struct spean_call *call, json_t *edit,
                                                  const struct spean_pairs *pairs,
                                                  struct spean_problem *problem);

/* The name by which people call the record: its code, or the short form of its id. */
void spean_recording_name(const json_t *record, char out[SPEAN_RECORDING_NAME_BYTES]);

/* Make a text value of text in the language of --lang. Exit 2: that was not given. */
SPEAN_CHECK enum spean_exit spean_recording_text(const struct spean_call *call, const char *text,
                                                 json_t **value, struct spean_problem *problem);

/*
 * Find the member organisation whose id begins with typed and write its whole id into out. Exit 5:
 * none. 6: more than one.
 */
SPEAN_CHECK enum spean_exit spean_recording_org(struct spean_call *call, const char *typed,
                                                char out[SPEAN_RECORDING_ORG_BYTES],
                                                struct spean_problem *problem);

/* Have fill write the file of --out, as spean_sink_write() does; under --dry-run rehearse it. */
SPEAN_CHECK enum spean_exit spean_recording_export(struct spean_call *call, spean_sink_fill *fill,
                                                   void *ctx, struct spean_problem *problem);

/*
 * Say as JSON what was exported: facts, an object that is taken, NULL for memory that ran out, and
 * the file of --out. *dry: it was a dry run, which is said to people, too. Exit 1: out of memory.
 */
SPEAN_CHECK enum spean_exit spean_recording_exported(struct spean_call *call, json_t *facts,
                                                     bool *dry, struct spean_problem *problem);

#endif
