/*
 * tools/out.h - everything that `spean` says. Results go to standard output, talk to standard
 * error; under --json standard output carries JSON alone.
 *
 * One call is one line: what is formatted into it is cleaned (tools/display.h), so data can neither
 * command the terminal nor begin a line that looks like ours. Failures to write are remembered and
 * reported once by spean_out_finish().
 */
#ifndef SPEAN_TOOLS_OUT_H
#define SPEAN_TOOLS_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "protocol/err.h"
#include "tools/grid.h"
#include "tools/problem.h"

#define SPEAN_OUT_PROGRESS_MS UINT64_C(10000) /* Between lines where there is no terminal. */

struct spean_out_options {
    FILE *results;
    FILE *talk;
    bool json;
    bool plain;
    bool quiet;
    bool unicode;       /* Marks may be ✔; otherwise "ok:". */
    bool results_color; /* Colour, for each of the two. */
    bool talk_color;
    bool talk_terminal; /* Progress may overwrite its line. */
};

struct spean_out; /* Opaque. */

/* Create in *out what prints as options say; the files stay the caller's. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_out_new(const struct spean_out_options *options,
                                    struct spean_out **out);
void spean_out_free(struct spean_out *out); /* NULL is allowed. */

/* Say whether results are JSON, for a handler that would otherwise work for nothing. */
bool spean_out_is_json(const struct spean_out *out);

/* Results for people; nothing under --json. _text() prints data of several lines, each indented by
 * two spaces. */
void spean_out_line(struct spean_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void spean_out_text(struct spean_out *out, const char *text);
void spean_out_grid(struct spean_out *out, const struct spean_grid *table);

/* Results for programs; nothing without --json. _json() once per command, the whole object;
 * _json_line() for streams, whose last line is a summary. */
void spean_out_json(struct spean_out *out, const json_t *object);
void spean_out_json_line(struct spean_out *out, const json_t *object);

/* Talk: what was done (✔), what is worth knowing about it, the next useful command ("Next:").
 * Nothing under --quiet and --json. */
void spean_out_done(struct spean_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void spean_out_note(struct spean_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void spean_out_next(struct spean_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Talk that is never left out (!). */
void spean_out_warn(struct spean_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print an error: to standard output as {"error":{code,message,hint}} in one line under --json,
 * otherwise to standard error. A problem with an empty code prints nothing. */
void spean_out_problem(struct spean_out *out, const struct spean_problem *problem);

/*
 * Say how far it is: one line that is overwritten on a terminal, otherwise a line each
 * SPEAN_OUT_PROGRESS_MS by now_ms, any clock that only goes forward. _progress_end() clears the
 * line; other output does so by itself. Nothing under --quiet and --json; but results that were
 * printed before are always handed on, so that a script can read them while this one waits.
 */
void spean_out_progress(struct spean_out *out, uint64_t now_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void spean_out_progress_end(struct spean_out *out);

/* Hand on the results so far: for commands that go on, one line at a time. */
void spean_out_flush(struct spean_out *out);

/* Flush both files. SPEAN_EIO, SPEAN_ENOMEM, SPEAN_ELIMIT: something that was to be said since
 * spean_out_new() was not; the command has failed. *number: the errno of it, 0 where there is none
 * (and where all was said). */
SPEAN_CHECK spean_err spean_out_finish(struct spean_out *out, int *number);

#endif
