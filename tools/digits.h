/* tools/digits.h - codes and numbers as people type them, brought into one spelling. */
#ifndef SPEAN_TOOLS_DIGITS_H
#define SPEAN_TOOLS_DIGITS_H

#include <stddef.h>

#include "protocol/err.h"

/*
 * Write typed into out (out_cap bytes with its NUL) with Khmer digits and full-width letters,
 * digits and signs as ASCII, every kind of dash as '-', and spaces of every kind (zero-width ones
 * too) removed. Letters keep their case. For codes and numbers only, never for names.
 * SPEAN_EINPUT: something else than printable ASCII remains, or nothing at all. SPEAN_ELIMIT: it
 * does not fit. out is unchanged after an error.
 */
SPEAN_CHECK spean_err spean_digits_fold(const char *typed, char *out, size_t out_cap);

#endif
