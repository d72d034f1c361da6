/*
 * node/derived.h - what is worked out of a record each time it is shown, and never stored.
 */
#ifndef SPEAN_NODE_DERIVED_H
#define SPEAN_NODE_DERIVED_H

#include <jansson.h>

#include "node/records.h"
#include "protocol/err.h"

/*
 * Set record["derived"] of a case or referral, with "costs" (docs/API.md): totals, what the worker
 * bore, and SDG 10.7.1 or what is missing for it; null without cost items. Other types get none.
 * SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_derived_show(const struct spean_records_item *item, json_t *record);

#endif
