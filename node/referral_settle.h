/* node/referral_settle.h - what this node writes about referrals by itself. */
#ifndef SPEAN_NODE_REFERRAL_SETTLE_H
#define SPEAN_NODE_REFERRAL_SETTLE_H

#include <stdbool.h>

#include "node/core.h"
#include "protocol/err.h"

/*
 * Write what follows by itself from what was folded: grant the details of a referral that was
 * accepted, carry a consent's withdrawal to every referral under it. On the core thread, after
 * the fold has nothing more to do; calling it again changes nothing. *more: there is more to write,
 * call it again. SPEAN_ELOCKED: after unlocking. Others of spean_author_commit().
 */
SPEAN_CHECK spean_err spean_referral_settle(struct spean_core *core, bool *more);

#endif
