/* tools/client.h - the daemon's local API: HTTP and JSON over its Unix socket. */
#ifndef SPEAN_TOOLS_CLIENT_H
#define SPEAN_TOOLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "tools/problem.h"

#define SPEAN_CLIENT_REPLY_BYTES_MAX ((size_t)64 << 20)
#define SPEAN_CLIENT_PATH_BYTES_MAX  4096u
#define SPEAN_CLIENT_CONNECT_MS      5000L
#define SPEAN_CLIENT_REPLY_MS        60000L /* Unless spean_client_wait() says otherwise. */

struct spean_client; /* Opaque. One request at a time. */

/* Create *out, which speaks to the daemon at socket_path; nothing is connected yet. home is for
 * hints. Exit 1: memory, or libcurl cannot be used. */
SPEAN_CHECK enum spean_exit spean_client_new(const char *socket_path, const char *home,
                                             struct spean_client **out,
                                             struct spean_problem *problem);
void spean_client_free(struct spean_client *client); /* NULL is allowed. */

/* Wait up to reply_ms for the replies that follow: `sync now` waits for partners. */
void spean_client_wait(struct spean_client *client, long reply_ms);

/*
 * Send method ("GET", "POST", ...) for path ("/v1/..."; spean_client_path() makes it) with body,
 * borrowed, NULL for none, and put the JSON reply into *reply; the caller frees it with
 * json_decref(). Status 204, no content, is an empty object.
 *
 * Exit 7: nobody listens there. 4: the socket is somebody else's. 130: interrupted. 1: no answer in
 * time, a broken, oversized or senseless one; the hint says whether a change may have been made.
 * Otherwise what the daemon's error object says: its code, message, hint and exit.
 */
SPEAN_CHECK enum spean_exit spean_client_request(struct spean_client *client, const char *method,
                                                 const char *path, const json_t *body,
                                                 json_t **reply, struct spean_problem *problem);

#define SPEAN_CLIENT_LINE_BYTES_MAX 1048576u

/* What takes a line, without its end; anything but SPEAN_EXIT_DONE ends it. */
typedef enum spean_exit spean_client_take(void *ctx, const char *line,
                                          struct spean_problem *problem);

/*
 * GET path, whose answer is lines, and hand each that is not empty to take as it comes. endless: it
 * may take for ever, as long as the daemon says something, if only an empty line, within the time
 * that a reply may take (it does every 15 s). SPEAN_EXIT_DONE: the
 * daemon has ended the answer. What take returned, if that is something else. Exit 1 also for a
 * line beyond SPEAN_CLIENT_LINE_BYTES_MAX; others as spean_client_request().
 */
SPEAN_CHECK enum spean_exit spean_client_lines(struct spean_client *client, const char *path,
                                               bool endless, spean_client_take *take, void *ctx,
                                               struct spean_problem *problem);

/*
 * Write into out the path made of pattern, in which each %s stands for one string that is
 * percent-encoded, so that whatever it holds remains one segment. %% is a percent sign; nothing
 * else is understood. SPEAN_ELIMIT: too long.
 */
SPEAN_CHECK spean_err spean_client_path(char out[SPEAN_CLIENT_PATH_BYTES_MAX], const char *pattern,
                                        ...) __attribute__((format(printf, 2, 3)));

#endif
