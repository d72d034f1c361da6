#include "protocol/currency.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct spean_currency currencies[] = {
#include "protocol/currencies_table.inc"
};

#define CURRENCIES_COUNT (sizeof(currencies) / sizeof(currencies[0]))

const struct spean_currency *spean_currency_all(size_t *count)
{
    assert(count != NULL);
    *count = CURRENCIES_COUNT;
    return currencies;
}

static int compare(const void *code, const void *row)
{
    return strcmp(code, ((const struct spean_currency *)row)->code);
}

unsigned spean_currency_digits(const char *code)
{
    assert(code != NULL);
    const struct spean_currency *row =
        bsearch(code, currencies, CURRENCIES_COUNT, sizeof(currencies[0]), compare);
    return row == NULL ? SPEAN_CURRENCY_DIGITS_USUAL : row->digits;
}
