/* node/referral_redirect.h - the target passes a referral on. */
#ifndef SPEAN_NODE_REFERRAL_REDIRECT_H
#define SPEAN_NODE_REFERRAL_REDIRECT_H

#include "node/records.h"
#include "protocol/bytes.h"

/*
 * Make the child that the request's body asks for, send it, and take the step redirect, all in one
 * commit; and answer with the referral that was passed on. The child says what we could read of
 * it: before the acceptance that is the preview. It goes under the same consent, which must name
 * its target.
 */
void spean_referral_redirect(struct spean_records *at, const struct spean_record_id *referral);

#endif
