/* protocol/currency.h - how many digits of an amount stand behind the point, by ISO 4217.
 *
 * The rows are those of protocol/currencies.csv. A currency that is not there is kept and shown
 * like any other, with the usual two digits.
 */
#ifndef SPEAN_PROTOCOL_CURRENCY_H
#define SPEAN_PROTOCOL_CURRENCY_H

#include <stdbool.h>
#include <stddef.h>

#define SPEAN_CURRENCY_LEN          3u
#define SPEAN_CURRENCY_DIGITS_USUAL 2u

struct spean_currency {
    char code[SPEAN_CURRENCY_LEN + 1];
    unsigned digits;
};

/* Return every row, ascending by code; *count is their number. */
const struct spean_currency *spean_currency_all(size_t *count);

/* Return the digits of a currency; SPEAN_CURRENCY_DIGITS_USUAL for one that is not known. */
unsigned spean_currency_digits(const char *code);

#endif
