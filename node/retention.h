/*
 * node/retention.h - until when a case is kept: a local field, which never leaves this node.
 *
 * A person sets when a case is to be looked at again and by when it is to be deleted. Where nobody
 * did, the settings retention_review_days and retention_delete_days count from the day on which the
 * case was closed. Nothing is deleted by itself: what is due is told.
 */
#ifndef SPEAN_NODE_RETENTION_H
#define SPEAN_NODE_RETENTION_H

#include <jansson.h>
#include <stdbool.h>

#include "node/records.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/fold.h"

/*
 * Show the retention of a case in *out, a new object {"review_on", "delete_by": dates or null,
 * "by_person": bool, "due": ["review_on", "delete_by"]}. part is its part `case`, NULL: not here.
 * SPEAN_ELOCKED, SPEAN_ECORRUPT, SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_retention_show(const struct spean_records *at,
                                           const struct spean_record_id *record,
                                           const struct spean_part *part, json_t **out);

/* Say whether something of a retention that was shown is due today. */
bool spean_retention_due(const json_t *shown);

/* PUT of a case's retention with what the body says: "review_on" and "delete_by", dates or null;
 * neither: the settings count again. */
void spean_retention_put(struct spean_records *at);

#endif
