/* node/export.h - whole records with where each value comes from. */
#ifndef SPEAN_NODE_EXPORT_H
#define SPEAN_NODE_EXPORT_H

#include <jansson.h>

#include "node/records.h"
#include "protocol/err.h"

/*
 * Show a record as GET of it does, with "written" beside "fields": for each field the writes behind
 * what is shown, {"by", "by_name", "actor", "at", "entry", "name"}; of a set one for each member in
 * the order shown, of a list one for each item, else one for each version there is. What is not
 * known here is null. *out is a new object. SPEAN_ENOMEM, SPEAN_ECORRUPT.
 */
SPEAN_CHECK spean_err spean_export_record(struct spean_records *at,
                                          const struct spean_records_item *item, json_t **out);

#endif
