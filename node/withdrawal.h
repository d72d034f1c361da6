/* node/withdrawal.h - that a person withdrew a consent: written once, carried to every referral. */
#ifndef SPEAN_NODE_WITHDRAWAL_H
#define SPEAN_NODE_WITHDRAWAL_H

#include <stdbool.h>
#include <stddef.h>

#include "node/records.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "store/draft.h"

#define SPEAN_WITHDRAWAL_BYTES_MAX 256u

/* Say whether a one-way field is set. */
bool spean_withdrawal_is_set(const struct spean_records_item *item, uint32_t part, uint64_t field);

/* Encode {"on", "channel"} of the body, and our organisation, as a map withdrawal at buf. on absent
 * is today. False: refused. */
bool spean_withdrawal_read(struct spean_records *at, uint8_t *buf, size_t cap,
                           struct spean_view *out);

/* Add the withdrawal to draft: to the consent, to one referral. Errors of spean_draft_op(). */
SPEAN_CHECK spean_err spean_withdrawal_draft_consent(struct spean_draft *draft,
                                                     const struct spean_record_id *consent,
                                                     struct spean_view value);
SPEAN_CHECK spean_err spean_withdrawal_draft_referral(struct spean_draft *draft,
                                                      const struct spean_record_id *referral,
                                                      struct spean_view value);

/*
 * Add it to every referral under a consent that does not say so yet; *more: there were more than
 * draft takes. Errors of the store, and of spean_draft_op().
 */
SPEAN_CHECK spean_err spean_withdrawal_draft_referrals(struct spean_records *at,
                                                       struct spean_draft *draft,
                                                       const struct spean_record_id *consent,
                                                       struct spean_view value, bool *more);

#endif
