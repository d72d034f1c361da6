/* tools/sink.h - a file that an export writes: nobody else may read it, and it appears whole or not
 * at all. */
#ifndef SPEAN_TOOLS_SINK_H
#define SPEAN_TOOLS_SINK_H

#include <stdio.h>

#include "tools/problem.h"

struct spean_sink; /* Opaque. */

/*
 * Begin to write path, mode 0600, under another name beside it. Exit 6: path is there already; what
 * is there is not overwritten. 5, 4, 1: no such folder, not permitted, another failure.
 */
SPEAN_CHECK enum spean_exit spean_sink_open(const char *path, struct spean_sink **out,
                                            struct spean_problem *problem);

/* Where to write; ask ferror() or leave it to _close(). */
FILE *spean_sink_file(struct spean_sink *sink);

/* Give the file its name, once all is on disk, and free sink; exit 1: it could not be written, and
 * is not there. */
SPEAN_CHECK enum spean_exit spean_sink_close(struct spean_sink *sink,
                                             struct spean_problem *problem);

/* Take back what was written and free sink. NULL is allowed. */
void spean_sink_drop(struct spean_sink *sink);

#endif
