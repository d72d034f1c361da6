/* tools/costs.h - cost items of a case or referral as a table with totals. */
#ifndef SPEAN_TOOLS_COSTS_H
#define SPEAN_TOOLS_COSTS_H

#include <jansson.h>

#include "protocol/err.h"
#include "tools/out.h"

/*
 * Print the items of the field `costs` of a record (docs/API.md), those over a cap or forbidden
 * marked with their rule, and beneath them what the daemon derived: totals by category and
 * currency, and SDG 10.7.1 or what is missing for it; nothing where there are none. What codes
 * mean is in lang (may be NULL). SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_costs_print(struct spean_out *out, const json_t *record,
                                        const char *lang);

#endif
