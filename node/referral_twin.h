/* node/referral_twin.h - two referrals that ask the same organisation for the same. */
#ifndef SPEAN_NODE_REFERRAL_TWIN_H
#define SPEAN_NODE_REFERRAL_TWIN_H

#include <jansson.h>
#include <stdbool.h>

#include "node/records.h"
#include "node/referral.h"
#include "protocol/bytes.h"

/*
 * At the origin, before sending: say whether another referral of the case to target, which asks for
 * one of services ([map service_request] as JSON), is not resolved. What cannot be read counts.
 */
bool spean_referral_has_twin(struct spean_records *at, const struct spean_record_id *referral,
                             const struct spean_records_item *a_case, const struct spean_id *target,
                             const json_t *services);

/*
 * At the target, before answering: say whether we serve this person already. Whose case it is we
 * never learn; but a consent is of one case, so another referral under it that we took and have not
 * finished, and that asks for one of the same services, is of the same person. False for the
 * origin, and once this one is answered.
 */
bool spean_referral_is_duplicate(const struct spean_records *at,
                                 const struct spean_records_item *item,
                                 const struct spean_referral_now *now);

#endif
