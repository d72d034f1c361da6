/*
 * node/trail.h - how far a referral came: saved, sent, arrived, seen, then what became of it.
 *
 * What is said is what can be proven here: a peer said that it holds the entry (HELD, ROWS), a node
 * of the target named it in a heads entry (P5.10), which travels through relays and files too, or
 * the target took a step after it. Clocks are those of whoever proves it.
 */
#ifndef SPEAN_NODE_TRAIL_H
#define SPEAN_NODE_TRAIL_H

#include <jansson.h>

#include "node/records.h"
#include "node/referral.h"
#include "protocol/err.h"

/* Set object["trail"] to [{event, at, by, by_name, proof}]; an empty array before it was sent.
 * SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_trail_show(struct spean_records *at,
                                       const struct spean_records_item *item,
                                       const struct spean_referral_now *now, json_t *object);

#endif
