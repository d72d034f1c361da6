/* tools/newnode.h - make an organisation and its first node out of nothing, or a further node. */
#ifndef SPEAN_TOOLS_NEWNODE_H
#define SPEAN_TOOLS_NEWNODE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "store/wrap.h"
#include "tools/paths.h"
#include "tools/problem.h"

struct spean_newnode_plan {
    const char *home;       /* Made, with its parents, for its owner alone. */
    const char *admin_path; /* Where the admin key file goes; its directory exists. */
    const char *name;       /* Of the organisation; see store/setup.h for both. */
    const char *country;
    struct spean_unlock node;     /* What opens the keystore. */
    struct spean_unlock admin;    /* What opens the admin key file. */
    const uint8_t *recovery_seed; /* SPEAN_KEY_BYTES; known to its people already. */
};

/* A further node of an organisation that exists already. */
struct spean_newnode_further {
    const char *home; /* As above. */
    struct spean_id org;
    struct spean_unlock node;
};

struct spean_newnode {
    struct spean_id org;
    struct spean_key signing; /* Of the node. */
};

/*
 * Refuse early what spean_newnode_make() would refuse: a store (exit 6), the rest of a set-up that
 * was broken off (6), an admin key file of that name (6; NULL: none is made), a file system that
 * loses data (1). Changes nothing.
 */
SPEAN_CHECK enum spean_exit spean_newnode_check(const char *home, const char *admin_path,
                                                struct spean_problem *problem);

/*
 * Make the admin key file, the store with keystore and statement version 1, and give the ids. The
 * store gets its name when all of it is durable; when something fails, the admin key file is
 * removed again and the store has no name, so that the same may be tried once more.
 */
SPEAN_CHECK enum spean_exit spean_newnode_make(const struct spean_newnode_plan *plan,
                                               struct spean_newnode *out,
                                               struct spean_problem *problem);

/* Say whether there is a node in home, or the rest of a set-up that was broken off. */
bool spean_newnode_exists(const char *home);

/* Make the store of a further node, as above; it holds no key of the organisation, and no admin
 * key. Refuses as spean_newnode_check() does. */
SPEAN_CHECK enum spean_exit spean_newnode_make_further(const struct spean_newnode_further *further,
                                                       struct spean_newnode *out,
                                                       struct spean_problem *problem);

#endif
