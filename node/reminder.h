/* node/reminder.h - what is late in a referral: derived from the clock whenever it is shown, never
 * a state. */
#ifndef SPEAN_NODE_REMINDER_H
#define SPEAN_NODE_REMINDER_H

#include "node/records.h"
#include "node/referral.h"

#define SPEAN_LATE_ANSWER  (1u << 0) /* respond_by is over, and the target did not answer. */
#define SPEAN_LATE_CONTACT (1u << 1) /* first_contact_by is over: accepted, and not started. */
#define SPEAN_LATE_REVIEW  (1u << 2) /* review_by is over, and it is on hold still. */
#define SPEAN_UNREAD       (1u << 3) /* To us, and nobody said that it was received. */

#define SPEAN_LATE (SPEAN_LATE_ANSWER | SPEAN_LATE_CONTACT | SPEAN_LATE_REVIEW)

/* Tell which of them hold. A day is over when the next one begins, in UTC; of several dates that
 * were given for the same, that of the last step counts. */
unsigned spean_reminder_of(const struct spean_records *at, const struct spean_records_item *item,
                           const struct spean_referral_now *now);

#endif
