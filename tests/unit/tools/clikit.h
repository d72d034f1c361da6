/*
 * tests/unit/tools/clikit.h - run `spean` within a test, against a socket that plays the daemon.
 *
 *     struct api_server *server = api_server_start(replies, 1);
 *     struct cli_result result;
 *     cli_run(&result, "spean", "version", "--socket", api_server_path(server), NULL);
 *     assert_int_equal(result.exit, SPEAN_EXIT_DONE);
 *     cli_result_fini(&result);
 *     api_server_stop(server);
 */
#ifndef SPEAN_TESTS_UNIT_TOOLS_CLIKIT_H
#define SPEAN_TESTS_UNIT_TOOLS_CLIKIT_H

#include <stddef.h>

#include <jansson.h>

#include "tools/exit.h"

#define API_SERVER_REPLIES_MAX 16u
#define CLI_WORDS_MAX          64u

struct cli_result {
    enum spean_exit exit;
    char *out; /* What went to standard output, and to standard error. */
    char *err;
};

/* Run the words up to NULL as a command line, without a terminal; fails the test if it cannot. */
void cli_run(struct cli_result *result, const char *first, ...);
void cli_run_words(struct cli_result *result, const char *const *words); /* Ends with NULL. */
void cli_result_fini(struct cli_result *result);

/* Bytes that answer one connection, as they are. */
struct api_reply {
    const char *data; /* NULL: what make returns, which is then freed. */
    size_t len;       /* 0: strlen(data). */
    char *(*make)(const char *request, void *context); /* Runs on the server's thread. */
    void *context;
    int pause_ms; /* Between its lines: of a daemon that has little to say. */
};

struct api_server;

/* Answer connection i with replies[i], then close it; the replies are lent until the stop. */
struct api_server *api_server_start(const struct api_reply *replies, size_t count);
const char *api_server_path(const struct api_server *server);

/* Stop, and wait for the thread. Give the request that came i-th before calling _free(); NULL if
 * none came. */
void api_server_stop(struct api_server *server);
const char *api_server_request(const struct api_server *server, size_t i);
void api_server_free(struct api_server *server);

/* Make a whole HTTP reply of status and JSON text; valid until the next call in this thread. */
const char *api_http(int status, const char *json);

/* What one connection is answered: a status and JSON text, or what make returns: a whole HTTP reply
 * (see api_http()) in memory that is then freed. */
struct api_say {
    int status;
    const char *json;
    char *(*make)(const char *request, void *context);
    void *context;
};

/* One run of `spean` that speaks to the daemon. */
struct talk {
    struct cli_result result;
    struct api_server *server;
};

/* Run words (at most CLI_WORDS_MAX - 2, ends with NULL) against a daemon that answers as said, and
 * stop it; end with talk_fini(). */
void talk_run(struct talk *talk, const struct api_say *says, size_t count,
              const char *const *words);
void talk_fini(struct talk *talk);

/* Fail unless the request number i was line ("POST /v1/lock") with this JSON body; NULL: with none.
 * "*": any body. */
void assert_asked(const struct talk *talk, size_t i, const char *line, const char *json);

/* Fail unless exactly count requests came. */
void assert_asked_times(const struct talk *talk, size_t count);

/* The JSON body of a request, which the caller frees; NULL if it has none. */
json_t *asked_body(const struct talk *talk, size_t i);

/* Make a scratch folder, and remove it with the files in it. */
void scratch_make(char *path, size_t cap);
void scratch_remove(const char *path);

/* Write text into the file name of folder, mode 0600, and give its path in out. */
void scratch_write(const char *folder, const char *name, const char *text, char *out, size_t cap);

#endif
