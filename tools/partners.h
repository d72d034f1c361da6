/* tools/partners.h - the table of partners, for `status` and `sync now`. */
#ifndef SPEAN_TOOLS_PARTNERS_H
#define SPEAN_TOOLS_PARTNERS_H

#include <stdint.h>

#include <jansson.h>

#include "protocol/err.h"
#include "tools/out.h"

/*
 * Print partners (docs/API.md) as they are at now, and under the table why one of them is not in
 * step, where the daemon says so. SPEAN_ENOMEM: nothing was printed.
 */
SPEAN_CHECK spean_err spean_partners_print(struct spean_out *out, const json_t *partners,
                                           int64_t now);

#endif
