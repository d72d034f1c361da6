/* tools/qr.h - a code that a telephone can read off the screen. */
#ifndef SPEAN_TOOLS_QR_H
#define SPEAN_TOOLS_QR_H

#include "protocol/err.h"
#include "tools/out.h"

/*
 * Print text, of capitals, digits and a few signs, as a QR code of half blocks, dark on light with
 * its quiet zone. SPEAN_EINPUT: it cannot be one. SPEAN_ENOMEM. Nothing is printed then.
 */
SPEAN_CHECK spean_err spean_qr_print(struct spean_out *out, const char *text);

#endif
