/* tools/money.h - amounts, rates and counts as people read them. */
#ifndef SPEAN_TOOLS_MONEY_H
#define SPEAN_TOOLS_MONEY_H

#include <stdint.h>

#define SPEAN_MONEY_BYTES_MAX 64u

/* Write an amount in minor units (protocol/currency.h) with its currency: "JPY 573,607", "USD
 * -1,204.50". */
void spean_money_text(int64_t amount, const char *currency, char out[SPEAN_MONEY_BYTES_MAX]);

/* Write basis points as a percentage without its sign: "36", "12.5", "0.25". */
void spean_money_percent(int64_t points, char out[SPEAN_MONEY_BYTES_MAX]);

/* Write a count in groups of thousands: "1,204". */
void spean_money_count(int64_t count, char out[SPEAN_MONEY_BYTES_MAX]);

#endif
