/* tools/paths.h - where the node lives and where its daemon listens. */
#ifndef SPEAN_TOOLS_PATHS_H
#define SPEAN_TOOLS_PATHS_H

#include "tools/problem.h"

#define SPEAN_PATH_BYTES_MAX        4096u
#define SPEAN_SOCKET_PATH_BYTES_MAX 108u /* sun_path; a longer path cannot be connected to. */
#define SPEAN_SOCKET_NAME           "spean.sock" /* The daemon's own default, too. */

/*
 * Work out the home: given (--home, may be NULL), or SPEAN_HOME, or spean in XDG_DATA_HOME, or
 * .local/share/spean in HOME; variables that hold no absolute path count as not set. Exit 2: none
 * of them is set, or it is too long.
 */
SPEAN_CHECK enum spean_exit spean_path_home(const char *given, char out[SPEAN_PATH_BYTES_MAX],
                                            struct spean_problem *problem);

/* Work out the socket: given (--socket, may be NULL), or spean.sock in home. Exit 2: too long. */
SPEAN_CHECK enum spean_exit spean_path_socket(const char *given, const char *home,
                                              char out[SPEAN_SOCKET_PATH_BYTES_MAX],
                                              struct spean_problem *problem);

#endif
