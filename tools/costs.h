/* tools/costs.h - cost items of a case or referral as a table with totals. */
#ifndef SPEAN_TOOLS_COSTS_H
#define SPEAN_TOOLS_COSTS_H

#include <jansson.h>

#include "protocol/err.h"
#include "tools/out.h"

/*
 * Print the items of the field `costs` of a record (docs/API.md), and beneath them the totals by
 * category and currency, without those that were struck out; nothing where there are none. Totals
 * are worked out here, never stored; one that does not fit 64 bits shows as "?". SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_costs_print(struct spean_out *out, const json_t *costs);

#endif
