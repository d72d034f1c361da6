/* tools/problem.h - one error as a person and a script see it: code, message, hint, exit code. */
#ifndef SPEAN_TOOLS_PROBLEM_H
#define SPEAN_TOOLS_PROBLEM_H

#include "protocol/err.h"
#include "tools/exit.h"

#define SPEAN_PROBLEM_CODE_BYTES_MAX 48u
#define SPEAN_PROBLEM_TEXT_BYTES_MAX 1024u /* Longer texts are cut at a character. */

/* Plain value. An empty code means that there is nothing to print. */
struct spean_problem {
    enum spean_exit exit;
    char code[SPEAN_PROBLEM_CODE_BYTES_MAX];    /* Stable English key: "not_found". */
    char message[SPEAN_PROBLEM_TEXT_BYTES_MAX]; /* What went wrong, translated. */
    char hint[SPEAN_PROBLEM_TEXT_BYTES_MAX];    /* What to do next; may be empty. */
};

/*
 * Describe what went wrong and return exit, so that a function can end with it. code is one of
 * exit.h's names or a finer one. format: what went wrong, in one sentence, without a full stop.
 * The hint becomes empty.
 */
enum spean_exit spean_problem_set(struct spean_problem *problem, enum spean_exit exit,
                                  const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Add what the person can do about it. */
void spean_problem_hint(struct spean_problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for exit 2, "usage", and for an error of the project's libraries about what. */
enum spean_exit spean_problem_usage(struct spean_problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum spean_exit spean_problem_err(struct spean_problem *problem, spean_err err, const char *what);

/* The exit code that belongs to err; SPEAN_EXIT_DONE for SPEAN_OK. */
enum spean_exit spean_exit_of(spean_err err);

#endif
