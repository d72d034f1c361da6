/* tools/choosing.h - what shall open something new: asked twice of a person, once of a script. */
#ifndef SPEAN_TOOLS_CHOOSING_H
#define SPEAN_TOOLS_CHOOSING_H

#include "store/wrap.h"
#include "tools/call.h"
#include "tools/command.h"
#include "tools/problem.h"

#define SPEAN_CHOOSING_BYTES (SPEAN_WRAP_PASSPHRASE_BYTES_MAX + 1u)

/* In locked memory; the caller's. */
struct spean_choosing {
    char chosen[SPEAN_CHOOSING_BYTES];
    char again[SPEAN_CHOOSING_BYTES];
};

/*
 * Get a new passphrase into room, from the file that file_flag names or by the question, and
 * describe it in *unlock, which lives as long as room. Exit 2: the two that were typed differ.
 * Otherwise as tools/input.h and tools/prompt.h.
 */
SPEAN_CHECK enum spean_exit spean_choosing_passphrase(struct spean_call *call,
                                                      const char *file_flag, const char *question,
                                                      struct spean_choosing *room,
                                                      struct spean_unlock *unlock,
                                                      struct spean_problem *problem);

/*
 * The same for a new node: --credential, --passphrase-fd, --passphrase-file or the question
 * "passphrase". Exit 2 also where a credential has another length.
 */
SPEAN_CHECK enum spean_exit spean_choosing_node(struct spean_call *call,
                                                struct spean_choosing *room,
                                                struct spean_unlock *unlock,
                                                struct spean_problem *problem);

/* The flags that spean_choosing_node() reads. */
#define SPEAN_CHOOSING_FLAGS                                                                       \
    {.name = "credential",                                                                         \
     .kind = SPEAN_KIND_FILE,                                                                      \
     .value = "FILE",                                                                              \
     .help = N_("unlock the node by 32 random bytes that the system keeps, not by a passphrase")}, \
        SPEAN_FLAG_PASSPHRASE_FILE, SPEAN_FLAG_PASSPHRASE_FD

/* Refuse (exit 2) more than one of those flags, and a descriptor that cannot be one. */
SPEAN_CHECK enum spean_exit spean_choosing_check(struct spean_call *call,
                                                 struct spean_problem *problem);

#endif
