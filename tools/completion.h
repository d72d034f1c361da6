/* tools/completion.h - the table of commands as scripts that complete command lines in shells. */
#ifndef SPEAN_TOOLS_COMPLETION_H
#define SPEAN_TOOLS_COMPLETION_H

#include "protocol/err.h"

#define SPEAN_COMPLETION_SHELLS "bash|fish|zsh"

/*
 * Write the script for shell, one of SPEAN_COMPLETION_SHELLS: verbs, flags, words of choices and
 * files; ids are not asked for. The caller frees *out. SPEAN_ENOMEM: *out is unchanged.
 */
SPEAN_CHECK spean_err spean_completion_make(const char *shell, char **out);

#endif
