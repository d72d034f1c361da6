/* node/recipient.h - an organisation as consents name it: itself, its agency, its kind. */
#ifndef SPEAN_NODE_RECIPIENT_H
#define SPEAN_NODE_RECIPIENT_H

#include "node/records.h"
#include "protocol/bytes.h"
#include "protocol/consent.h"

struct spean_recipient_of {
    struct spean_recipient who; /* Views of what stands below. */
    struct spean_id org;
    struct spean_record_id agency;
    struct spean_records_item about; /* The agency. */
};

/* Find what is known of org; what is not stays empty. *out does not move until it is ended with
 * spean_recipient_fini(). */
void spean_recipient_init(const struct spean_records *at, const struct spean_id *org,
                          struct spean_recipient_of *out);
void spean_recipient_fini(struct spean_recipient_of *of);

#endif
