/* tools/input.h - values that come from files and standard input instead of the command line. */
#ifndef SPEAN_TOOLS_INPUT_H
#define SPEAN_TOOLS_INPUT_H

#include <stddef.h>

#include "tools/problem.h"

#define SPEAN_INPUT_BYTES_MAX            ((size_t)64 << 20) /* The most for one file. */
#define SPEAN_INPUT_PASSPHRASE_BYTES_MAX 1024u

/*
 * Read all of spec ("@FILE", or "-" for standard input), at most bytes_max bytes, into *text, with
 * a NUL behind it that *len does not count. The caller frees *text. _text() also refuses what is
 * not UTF-8 or contains a NUL, and drops a byte order mark and one line break at the end. Not
 * there: exit 5; not readable: 4; too large or not text: 2.
 */
SPEAN_CHECK enum spean_exit spean_input_bytes(const char *spec, size_t bytes_max, char **text,
                                              size_t *len, struct spean_problem *problem);
SPEAN_CHECK enum spean_exit spean_input_text(const char *spec, size_t bytes_max, char **text,
                                             struct spean_problem *problem);

/*
 * Read a passphrase into buf, cap bytes of the caller's locked memory, without the one line break
 * at its end; *len counts no NUL, and none is written. A regular file that others may read is
 * refused (exit 4): it is no secret. Empty, longer than cap, or a NUL within: exit 2. The caller
 * wipes buf, after an error too.
 */
SPEAN_CHECK enum spean_exit spean_input_passphrase_file(const char *path, char *buf, size_t cap,
                                                        size_t *len, struct spean_problem *problem);
SPEAN_CHECK enum spean_exit spean_input_passphrase_fd(int fd, char *buf, size_t cap, size_t *len,
                                                      struct spean_problem *problem);

#endif
