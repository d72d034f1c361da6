/* tools/unlocking.h - passphrases and credentials that commands need once, and the admin key. */
#ifndef SPEAN_TOOLS_UNLOCKING_H
#define SPEAN_TOOLS_UNLOCKING_H

#include "store/adminkey.h"
#include "store/wrap.h"
#include "tools/call.h"
#include "tools/command.h"
#include "tools/paths.h"
#include "tools/problem.h"

#define SPEAN_UNLOCKING_BYTES (SPEAN_WRAP_PASSPHRASE_BYTES_MAX + 1u)

/* Names of the command's flags and of its question; a flag that it does not have is NULL. */
struct spean_unlocking {
    const char *credential;
    const char *passphrase_file;
    const char *passphrase_fd;
    const char *question;
};

/*
 * Get what opens something from one of the flags or from the person into buf, SPEAN_UNLOCKING_BYTES
 * of locked memory, and describe it in *unlock. Exit 2 also when more than one flag is given, and
 * when a credential has another length. Otherwise as tools/input.h and tools/prompt.h. The caller
 * wipes buf, after an error too.
 */
SPEAN_CHECK enum spean_exit spean_unlocking_get(struct spean_call *call,
                                                const struct spean_unlocking *names, char *buf,
                                                struct spean_unlock *unlock,
                                                struct spean_problem *problem);

/* The flags of a command that opens the node. */
#define SPEAN_UNLOCKING_FLAGS                                                                      \
    SPEAN_FLAG_PASSPHRASE_FILE, SPEAN_FLAG_PASSPHRASE_FD,                                          \
    {                                                                                              \
        .name = "credential", .kind = SPEAN_KIND_FILE, .value = "FILE",                            \
        .help = N_("unlock by the 32 random bytes in FILE that the node was set up with")          \
    }

/* Flags and question of a command that signs as the organisation. */
#define SPEAN_FLAG_ADMIN_KEY                                                                       \
    {                                                                                              \
        .name = "admin-key", .kind = SPEAN_KIND_FILE, .value = "FILE",                             \
        .help = N_("the admin key; otherwise ~/spean-admin.key")                                   \
    }
#define SPEAN_FLAG_ADMIN_PASSPHRASE_FILE                                                           \
    {                                                                                              \
        .name = "admin-passphrase-file", .kind = SPEAN_KIND_FILE, .value = "FILE",                 \
        .help = N_("read the admin key's passphrase from FILE, which nobody else may read")        \
    }
#define SPEAN_QUESTION_ADMIN_PASSPHRASE                                                            \
    {                                                                                              \
        .name = "admin.passphrase", .text = N_("Passphrase of the admin key"), .secret = true      \
    }

/* Where the admin key file is: given (may be NULL), or in the person's own folder. Exit 2: HOME is
 * not set, or the path is too long. */
SPEAN_CHECK enum spean_exit spean_unlocking_admin_path(const char *given,
                                                       char out[SPEAN_PATH_BYTES_MAX],
                                                       struct spean_problem *problem);

/*
 * Open the admin key that the command's flags --admin-key and --admin-passphrase-file name into
 * *admin; the caller frees it. Exit 12: wrong passphrase. 5: there is no such file. 9: damaged.
 */
SPEAN_CHECK enum spean_exit spean_unlocking_admin(struct spean_call *call,
                                                  struct spean_adminkey **admin,
                                                  struct spean_problem *problem);

#endif
