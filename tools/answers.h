/*
 * tools/answers.h - answers prepared in a file, so that scripts can go where people are asked.
 *
 * The file is UTF-8. Each line is empty, a comment ("# ...") or "name: answer"; names are those
 * that "spean help VERB" lists. Spaces around an answer do not count. An answer that begins with
 * '@' is the text of that file, read when the question is asked, so that it may be a file that the
 * same command has just written; "@@" begins an answer with one '@'.
 * Nothing is guessed: a name that the command never asks for, a name given twice and an answer that
 * is missing are refused, and a command can refuse unused answers before it acts.
 * The file may hold secrets: like a passphrase file it must be readable by its owner alone.
 */
#ifndef SPEAN_TOOLS_ANSWERS_H
#define SPEAN_TOOLS_ANSWERS_H

#include "tools/command.h"
#include "tools/problem.h"

#define SPEAN_ANSWERS_COUNT_MAX      256u
#define SPEAN_ANSWERS_NAME_BYTES_MAX 64u
#define SPEAN_ANSWERS_FILE_BYTES_MAX (1u << 20)
#define SPEAN_ANSWER_BYTES_MAX       65536u /* One answer; the most a record's body could hold. */

/* Names that every command knows: for harmless and for dangerous confirmations. */
#define SPEAN_ANSWER_PROCEED "proceed" /* yes or no */
#define SPEAN_ANSWER_CONFIRM "confirm" /* the organisation's name */

struct spean_answers; /* Opaque. */

/*
 * Read the answers in path to the questions in known (ends with {0}; may be NULL) into *out; the
 * caller frees it. What is not well-formed is exit 2 and names the line; a file that cannot be read
 * is 4 or 5.
 */
SPEAN_CHECK enum spean_exit spean_answers_load(const char *path, const struct spean_question *known,
                                               struct spean_answers **out,
                                               struct spean_problem *problem);
void spean_answers_free(struct spean_answers *answers); /* Wipes. NULL is allowed. */

/* Give the answer to name and mark it used; NULL: there is none. It lives as long as answers. */
const char *spean_answers_take(struct spean_answers *answers, const char *name);

/* Give the name of an answer that was never taken; NULL: all were. */
const char *spean_answers_unused(const struct spean_answers *answers);

#endif
