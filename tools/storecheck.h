/* tools/storecheck.h - verify the store of a node that is stopped. */
#ifndef SPEAN_TOOLS_STORECHECK_H
#define SPEAN_TOOLS_STORECHECK_H

#include <jansson.h>

#include "store/wrap.h"
#include "tools/problem.h"

/*
 * Check the store in home, opened for the time of the call, and put into *reply what the daemon
 * would have answered to POST /v1/verify; the caller frees it with json_decref(). unlock opens the
 * keystore; with NULL what is sealed is not checked. Nothing is written.
 *
 * Exit 10: there is no store. 6: another process has it open, or the keystore opens by the other
 * kind of unlock. 12: wrong passphrase. 9: documents are damaged, so that nothing can be judged by
 * them. 130: interrupted. 1: memory, or the disk.
 */
SPEAN_CHECK enum spean_exit spean_storecheck(const char *home, const struct spean_unlock *unlock,
                                             json_t **reply, struct spean_problem *problem);

#endif
