/* node/reply.h - what the local API answers: an HTTP status and one JSON object, or plain text. */
#ifndef SPEAN_NODE_REPLY_H
#define SPEAN_NODE_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/err.h"

/* JSON readers keep whole numbers only up to here; larger ones travel as decimal strings. */
#define SPEAN_JSON_INTEGER_MAX (UINT64_C(1) << 53)

/* What the command line tool exits with (see `man spean`); an error object carries it. */
enum spean_exit_code {
    SPEAN_REPLY_EXIT_OK = 0,
    SPEAN_REPLY_EXIT_FAILED = 1,
    SPEAN_REPLY_EXIT_USAGE = 2,
    SPEAN_REPLY_EXIT_ATTENTION = 3,
    SPEAN_REPLY_EXIT_DENIED = 4,
    SPEAN_REPLY_EXIT_NOTFOUND = 5,
    SPEAN_REPLY_EXIT_STATE = 6,
    SPEAN_REPLY_EXIT_DOWN = 7,
    SPEAN_REPLY_EXIT_UNREACHABLE = 8,
    SPEAN_REPLY_EXIT_INTEGRITY = 9,
    SPEAN_REPLY_EXIT_NOSTORE = 10,
    SPEAN_REPLY_EXIT_LOCKED = 11,
    SPEAN_REPLY_EXIT_PASSPHRASE = 12
};

#define SPEAN_STREAM_LINES_MAX 256u /* Made at one time, for one client. */

/* How far somebody is who follows a route (node/follow.h). All zero at the start. */
struct spean_stream {
    bool begun;
    uint64_t at[2];                /* The route's own count of what was said. */
    void *seen;                    /* Owned; what else the route remembers. */
    void (*seen_free)(void *seen); /* NULL: nothing is to be freed. */
};

struct spean_reply;
struct spean_request;

/*
 * Append to lines, an array, what came since stream, at most SPEAN_STREAM_LINES_MAX objects, and
 * bring stream to its end; on the API thread, ctx as for read handlers. False: reply says why not;
 * where something was said before, the answer just ends.
 */
typedef bool spean_reply_lines(const struct spean_request *request, void *ctx,
                               struct spean_stream *stream, json_t *lines,
                               struct spean_reply *reply);

/*
 * One answer. Starts as all zeros, which is "nothing said yet"; whatever is set last counts. It
 * owns body and text; spean_reply_fini() releases them.
 */
struct spean_reply {
    int status;   /* HTTP status; 0: nothing said yet. */
    json_t *body; /* NULL when memory ran out while building it: the API answers 500 for it. */
    char *text;   /* Sent in its place, as plain text; NULL: there is none. */

    /* From a read handler: the answer is lines that go on, as this gives them. */
    spean_reply_lines *follow;
};

void spean_reply_fini(struct spean_reply *reply); /* A zeroed reply is allowed. */

/* The HTTP status for err. SPEAN_OK gives 200. */
int spean_reply_status(spean_err err);

/* The exit code of the command line tool for err. */
enum spean_exit_code spean_reply_exit(spean_err err);

/* Answer 200 with the object body, which is taken, also when it is NULL: it could not be built. */
void spean_reply_take(struct spean_reply *reply, json_t *body);

/* Answer 200 with plain text (Prometheus' format), which is taken, also when it is NULL. */
void spean_reply_text(struct spean_reply *reply, char *text);

/* Answer with lines that go on; for read handlers. */
void spean_reply_go_on(struct spean_reply *reply, spean_reply_lines *follow);

/*
 * Answer 200 with {"items": items, "next": next}. items is taken. next is the cursor that the
 * client gives as `after` to go on; NULL says that this was the last page.
 */
void spean_reply_page(struct spean_reply *reply, json_t *items, const char *next);

/*
 * Answer an error: {"error": {"code", "message", "hint", "exit"}}. message NULL stands for the
 * text of err; hint says what to do next and may be NULL. Both are valid UTF-8 and never contain
 * personal data. err is not SPEAN_OK.
 */
void spean_reply_error(struct spean_reply *reply, spean_err err, const char *message,
                       const char *hint);

/* The same with a code of its own, where the name of err says too little: "ambiguous". */
void spean_reply_named(struct spean_reply *reply, spean_err err, const char *code,
                       const char *message, const char *hint);

/* The same with an HTTP status of its own, where err alone does not say it (404 of a path). */
void spean_reply_refuse(struct spean_reply *reply, int status, spean_err err, const char *message,
                        const char *hint);

/* A number for an answer: an integer, or a decimal string above SPEAN_JSON_INTEGER_MAX. */
json_t *spean_json_u64(uint64_t value);

/* Read text, decimal digits and nothing else, into *out. SPEAN_EINPUT: it is no number, or above
 * max; *out is unchanged. */
SPEAN_CHECK spean_err spean_digits_read(const char *text, uint64_t max, uint64_t *out);

/*
 * Read such a number, in either form, into *out. SPEAN_EINPUT: value is NULL, of another type,
 * negative, out of range, or a string with anything but digits; *out is unchanged.
 */
SPEAN_CHECK spean_err spean_json_get_u64(const json_t *value, uint64_t *out);

#endif
