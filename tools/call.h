/* tools/call.h - what a handler of a command works with. */
#ifndef SPEAN_TOOLS_CALL_H
#define SPEAN_TOOLS_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "tools/client.h"
#include "tools/out.h"
#include "tools/parse.h"
#include "tools/paths.h"
#include "tools/problem.h"
#include "tools/prompt.h"

struct spean_call; /* Opaque. */

/* Create *out for parsed, which prints by printer and asks by prompt; all three borrowed. */
SPEAN_CHECK spean_err spean_call_new(const struct spean_parsed *parsed, struct spean_out *printer,
                                     struct spean_prompt *prompt, struct spean_call **out);
void spean_call_free(struct spean_call *call); /* NULL is allowed. */

struct spean_out *spean_call_out(struct spean_call *call);
struct spean_prompt *spean_call_prompt(struct spean_call *call);
const struct spean_globals *spean_call_globals(const struct spean_call *call);

/* The words of the command that runs: "referral accept". */
const char *spean_call_path(const struct spean_call *call);

/*
 * The values given for the flag or argument name, which must be one of the command's: how many, and
 * each in the order given; NULL where there is none. They live as long as the call.
 */
size_t spean_call_count(const struct spean_call *call, const char *name);
const char *spean_call_value_at(const struct spean_call *call, const char *name, size_t index);
const char *spean_call_value(const struct spean_call *call, const char *name); /* The first. */

/* Say whether it was given at all: for flags without a value. */
bool spean_call_given(const struct spean_call *call, const char *name);

/* Give the number of a SPEAN_KIND_NUMBER, absent if it was not given. */
uint64_t spean_call_number(const struct spean_call *call, const char *name, uint64_t absent);

/*
 * Get the text of a SPEAN_KIND_PRIVATE flag or argument (@FILE or -), or, where it was not given,
 * the answer to the question that names it as its flag, if there is one. At most bytes_max bytes
 * into *text, which the caller frees; NULL when there is neither. Errors as spean_input_text() and
 * spean_prompt_ask().
 */
SPEAN_CHECK enum spean_exit spean_call_private(struct spean_call *call, const char *name,
                                               size_t bytes_max, char **text,
                                               struct spean_problem *problem);

/* Find a question of the command by its name, which must be one of them; text is translated. */
struct spean_question spean_call_question(const struct spean_call *call, const char *name);

/* Work out the home of the node. Errors as spean_path_home(). */
SPEAN_CHECK enum spean_exit spean_call_home(struct spean_call *call, char out[SPEAN_PATH_BYTES_MAX],
                                            struct spean_problem *problem);

/*
 * Ask the daemon; see spean_client_request() for arguments and errors. Under --dry-run everything
 * but GET asks it to check and change nothing, its answer is printed here, and the handler has
 * nothing left to do: SPEAN_EXIT_DONE with *reply NULL. So:
 *
 *     json_t *reply = NULL;
 *     const enum spean_exit exit = spean_call_request(call, "POST", path, body, &reply, problem);
 *     if (reply == NULL) {
 *         return exit;
 *     }
 */
SPEAN_CHECK enum spean_exit spean_call_request(struct spean_call *call, const char *method,
                                               const char *path, const json_t *body, json_t **reply,
                                               struct spean_problem *problem);

/*
 * The same, but under --dry-run the daemon's answer comes to the handler, which says that nothing
 * was changed: for commands that ask several times and tell once.
 */
SPEAN_CHECK enum spean_exit spean_call_exchange(struct spean_call *call, const char *method,
                                                const char *path, const json_t *body,
                                                json_t **reply, struct spean_problem *problem);

/* Ask by POST what changes nothing, also under --dry-run: where the question is personal and may
 * stand in no path. Errors as spean_client_request(). */
SPEAN_CHECK enum spean_exit spean_call_ask(struct spean_call *call, const char *path,
                                           const json_t *body, json_t **reply,
                                           struct spean_problem *problem);

/* Ask the daemon for lines; see spean_client_lines() for arguments and errors. */
SPEAN_CHECK enum spean_exit spean_call_lines(struct spean_call *call, const char *path,
                                             bool endless, spean_client_take *take, void *ctx,
                                             struct spean_problem *problem);

/* Say whether a request changed something: one that is no GET and no dry run was answered, and the
 * answer does not say that nothing is changed. */
bool spean_call_changed(const struct spean_call *call);

/* Wait longer than usual for the replies that follow. Errors as spean_client_new(). */
SPEAN_CHECK enum spean_exit spean_call_wait(struct spean_call *call, long reply_ms,
                                            struct spean_problem *problem);

#endif
