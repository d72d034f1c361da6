/*
 * store/setup.h - what setting up a node leaves for its daemon: who its organisation is.
 *
 * Written once, when the store is made. Where the organisation was made with it, the statement is
 * version 1, whose id is the org's id; name and country go into the organisation's agency record
 * once there is a ledger to keep it in. A further node of an organisation knows the org's id alone:
 * the rest comes to it from the node that invited it (P12.5).
 */
#ifndef SPEAN_STORE_SETUP_H
#define SPEAN_STORE_SETUP_H

#include "protocol/bytes.h"
#include "protocol/document.h"
#include "protocol/err.h"
#include "store/db.h"

#define SPEAN_HOME_STORE "store" /* The store's directory in a node's home. */

#define SPEAN_SETUP_NAME_BYTES_MAX 256u
#define SPEAN_SETUP_COUNTRY_LEN    2u

struct spean_setup {
    struct spean_id org;         /* Read only: spean_setup_put() takes it from the statement. */
    struct spean_view statement; /* A whole encoded document (P2.1); of a further node none. */
    struct spean_view name;      /* 1 to SPEAN_SETUP_NAME_BYTES_MAX bytes of text; or none. */
    struct spean_view country;   /* SPEAN_SETUP_COUNTRY_LEN letters A-Z; or none. */
};

/*
 * Write setup into a store that has none. SPEAN_EEXISTS: it has. SPEAN_EINPUT: a part is not as
 * above, or the statement is not version 1 of one. Other errors as spean_tx_put_new().
 */
SPEAN_CHECK spean_err spean_setup_put(struct spean_tx *tx, const struct spean_setup *setup);

/* The same for a further node of org. */
SPEAN_CHECK spean_err spean_setup_put_further(struct spean_tx *tx, const struct spean_id *org);

/*
 * Read it back; the views lie in the map and live as tx says. doc, decoded from the statement if
 * there is one, too; its signatures are for the caller to judge, as those of any statement.
 * SPEAN_ENOTFOUND: the store was not set up by `spean init`. SPEAN_ECORRUPT: damaged; restore a
 * backup. SPEAN_EVERSION: written by a newer program.
 */
SPEAN_CHECK spean_err spean_setup_get(struct spean_tx *tx, struct spean_setup *setup,
                                      struct spean_document *doc);

#endif
