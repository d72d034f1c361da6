/*
 * tools/printing.h - a referral on one page of plain text or HTML, to be handed on as paper.
 *
 * It says what this node may read and no more, what of that did not fit, and what is not on it at
 * all: nobody should take the page for the whole. Words of people get the lines that are left when
 * every field has one.
 */
#ifndef SPEAN_TOOLS_PRINTING_H
#define SPEAN_TOOLS_PRINTING_H

#include <stdbool.h>

#include <jansson.h>

#include "protocol/err.h"
#include "tools/out.h"

#define SPEAN_PRINTING_LINES_MAX 60u /* Of A4 and Letter, with their margins. */
#define SPEAN_PRINTING_CELLS_MAX 84u /* Of one line. */

/* Print a referral as GET /v1/referrals/{id} gives it, with what codes mean in lang (may be NULL).
 * SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_printing_page(struct spean_out *out, json_t *referral, bool html,
                                          const char *lang);

#endif
