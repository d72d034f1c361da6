/*
 * store/person.h - who acts at this node: pseudonyms, roles, and the users of this machine behind
 * them.
 *
 * Kept in this store alone and unsealed: a locked node has to know who may unlock it. A person that
 * was retired stays in the list, since changes bear its pseudonym for ever.
 */
#ifndef SPEAN_STORE_PERSON_H
#define SPEAN_STORE_PERSON_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/err.h"
#include "store/db.h"

#define SPEAN_PERSONS_MAX       256u /* Retired ones too. */
#define SPEAN_PERSON_NAME_BYTES 32u  /* As the actor of a change (P9.1). */
#define SPEAN_PERSON_FIRST      "admin"

/* Each may do all that those before it may. */
enum spean_person_role {
    SPEAN_PERSON_CASE_WORKER = 1,
    SPEAN_PERSON_COORDINATOR = 2,
    SPEAN_PERSON_ADMIN = 3
};

struct spean_person {
    char name[SPEAN_PERSON_NAME_BYTES + 1];
    enum spean_person_role role;
    uint32_t uid; /* Of the machine's user. */
    bool retired;
};

/* Plain value. */
struct spean_persons {
    uint32_t count;
    struct spean_person list[SPEAN_PERSONS_MAX];
};

/* "case_worker", "coordinator" or "admin"; and back. SPEAN_EINPUT: none of them. */
const char *spean_person_role_name(enum spean_person_role role);
SPEAN_CHECK spean_err spean_person_role_read(const char *name, enum spean_person_role *out);

/* Read the list; none was written yet: it is empty. SPEAN_ECORRUPT: damaged; restore a backup. */
SPEAN_CHECK spean_err spean_persons_get(struct spean_tx *tx, struct spean_persons *out);

/* Write the list. Errors of spean_tx_put(). */
SPEAN_CHECK spean_err spean_persons_put(struct spean_tx *tx, const struct spean_persons *persons);

/*
 * Add a person. SPEAN_EINPUT: the name is empty, too long, or has anything but letters, digits,
 * '.', '_' and '-' of ASCII; or the role is none. SPEAN_EEXISTS: the name was given before, also to
 * somebody who is retired, or the user is somebody already. SPEAN_ELIMIT: SPEAN_PERSONS_MAX are
 * there. After an error persons is as before.
 */
SPEAN_CHECK spean_err spean_persons_add(struct spean_persons *persons,
                                        const struct spean_person *person);

/* Retire a person. SPEAN_ENOTFOUND: there is none. SPEAN_ESTATE: retired already. SPEAN_EDENIED: it
 * is the last admin; make another one first. */
SPEAN_CHECK spean_err spean_persons_retire(struct spean_persons *persons, const char *name);

/* The person that a user of this machine is now; NULL: nobody. It belongs to persons. */
const struct spean_person *spean_persons_of(const struct spean_persons *persons, uint32_t uid);

#endif
