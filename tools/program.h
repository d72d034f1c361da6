/* tools/program.h - one run of `spean`, from the command line to the exit code. */
#ifndef SPEAN_TOOLS_PROGRAM_H
#define SPEAN_TOOLS_PROGRAM_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/exit.h"

/* Where a run speaks and what surrounds it; main() fills in the process's own. */
struct spean_surroundings {
    FILE *results;
    FILE *talk;
    const char *terminal;  /* SPEAN_PROMPT_TERMINAL, or a test's pseudo-terminal. */
    bool results_terminal; /* They are terminals that understand colour. */
    bool talk_terminal;
    bool unicode;  /* The locale's character set is UTF-8. */
    bool no_color; /* NO_COLOR is set to something. */
};

/* Do what argv asks for and return what the process exits with. argv may be reordered. */
enum spean_exit spean_program_run(int argc, char **argv, const struct spean_surroundings *around);

#endif
