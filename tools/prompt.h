/* tools/prompt.h - asking the person: on the terminal, or out of an answers file. */
#ifndef SPEAN_TOOLS_PROMPT_H
#define SPEAN_TOOLS_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/answers.h"
#include "tools/command.h"
#include "tools/problem.h"

#define SPEAN_PROMPT_TERMINAL "/dev/tty"

struct spean_prompt_options {
    bool yes;                      /* --yes */
    bool no_input;                 /* --no-input */
    struct spean_answers *answers; /* --answers; NULL: none. Borrowed. */
    const char *terminal;          /* SPEAN_PROMPT_TERMINAL; tests bring their own. Borrowed. */
};

struct spean_prompt; /* Opaque. */

/* Create *out, which asks as options say. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_prompt_new(const struct spean_prompt_options *options,
                                       struct spean_prompt **out);
void spean_prompt_free(struct spean_prompt *prompt); /* NULL is allowed. */

/* Say whether answers come from a file. */
bool spean_prompt_scripted(const struct spean_prompt *prompt);

/*
 * Ask question and put the answer, without its line break, into buf with a NUL. A secret is not
 * echoed; buf should be locked memory then, and the caller wipes it. The terminal is put back in
 * order however this ends. Exit 2: nobody can be asked (--no-input, no terminal, not in the answers
 * file; the hint names the flag), the answer is empty though it may not be, longer than cap, or not
 * UTF-8. 130: interrupted.
 */
SPEAN_CHECK enum spean_exit spean_prompt_ask(struct spean_prompt *prompt,
                                             const struct spean_question *question, char *buf,
                                             size_t cap, struct spean_problem *problem);

/*
 * Show text (lines of our own, not data) on the terminal itself, so that neither a pipe nor a file
 * gets it: for secrets that people write down. Exit 2: there is nobody to show it to; the hint is
 * the caller's.
 */
SPEAN_CHECK enum spean_exit spean_prompt_show(const struct spean_prompt *prompt, const char *text,
                                              struct spean_problem *problem);

/*
 * Ask whether to go on with something harmless; text is a whole question. --yes is a yes, as is
 * "proceed: yes" in the answers file. No: exit 1, "declined".
 */
SPEAN_CHECK enum spean_exit spean_prompt_proceed(struct spean_prompt *prompt, const char *text,
                                                 struct spean_problem *problem);

/*
 * Have something dangerous confirmed by the organisation's name. given is the value of --confirm or
 * NULL, in which case it is asked; --yes does not count. Names are compared in NFC. Another name:
 * exit 2, nothing done.
 */
SPEAN_CHECK enum spean_exit spean_prompt_confirm(struct spean_prompt *prompt, const char *name,
                                                 const char *given, struct spean_problem *problem);

/*
 * Refuse answers that were prepared and never asked for (exit 2). A command that asks everything
 * before it acts calls this between the two; otherwise the program says so at the end, with exit 3.
 */
SPEAN_CHECK enum spean_exit spean_prompt_finish(const struct spean_prompt *prompt,
                                                struct spean_problem *problem);

#endif
