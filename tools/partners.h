/* tools/partners.h - the table of partners, for `status` and `sync now`. */
#ifndef SPEAN_TOOLS_PARTNERS_H
#define SPEAN_TOOLS_PARTNERS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "protocol/err.h"
#include "tools/out.h"
#include "tools/timetext.h"

/*
 * Print partners (docs/API.md) as they are at now, and under the table why one of them is not in
 * step, where the daemon says so. SPEAN_ENOMEM: nothing was printed.
 */
SPEAN_CHECK spean_err spean_partners_print(struct spean_out *out, const json_t *partners,
                                           int64_t now);

/* Write when a partner was last seen, in words. */
void spean_partners_seen(const json_t *partner, int64_t now, char ago[SPEAN_TIMETEXT_BYTES_MAX]);

/* Whether the partner of that id is not connected; ago is then when it was last seen, in words. */
bool spean_partners_away(const json_t *partners, const char *org, int64_t now,
                         char ago[SPEAN_TIMETEXT_BYTES_MAX]);

#endif
