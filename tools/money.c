#include "tools/money.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "protocol/currency.h"

#define GROUP_DIGITS  3u
#define POINTS        100u /* Basis points in a per cent. */
#define GROUPED_BYTES 32u  /* 20 digits, 6 commas and a NUL. */

/* Write number with a comma between groups of three digits. */
static void group(uint64_t number, char out[GROUPED_BYTES])
{
    char digits[GROUPED_BYTES];
    const int put = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    assert(put > 0); /* 20 digits fit. */
    const size_t len = (size_t)put;
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % GROUP_DIGITS == 0) {
            out[used++] = ',';
        }
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

/* The size of a number without its sign; the lowest one has no positive counterpart. */
static uint64_t magnitude(int64_t number)
{
    return number < 0 ? UINT64_C(0) - (uint64_t)number : (uint64_t)number;
}

void spean_money_text(int64_t amount, const char *currency, char out[SPEAN_MONEY_BYTES_MAX])
{
    assert(out != NULL);
    const unsigned digits = spean_currency_digits(currency);
    uint64_t unit = 1;
    for (unsigned i = 0; i < digits; i++) {
        unit *= 10;
    }
    char major[GROUPED_BYTES];
    char minor[GROUPED_BYTES] = "";
    group(magnitude(amount) / unit, major);
    if (digits > 0) {
        (void)snprintf(minor, sizeof(minor), ".%0*" PRIu64, (int)digits, magnitude(amount) % unit);
    }
    (void)snprintf(out, SPEAN_MONEY_BYTES_MAX, "%.8s %s%.27s%.6s", currency, amount < 0 ? "-" : "",
                   major, minor); /* Fits. */
}

void spean_money_percent(int64_t points, char out[SPEAN_MONEY_BYTES_MAX])
{
    assert(out != NULL);
    const uint64_t size = magnitude(points);
    const uint64_t rest = size % POINTS;
    char whole[GROUPED_BYTES];
    char part[GROUPED_BYTES] = "";
    group(size / POINTS, whole);
    if (rest % 10 > 0) {
        (void)snprintf(part, sizeof(part), ".%02" PRIu64, rest);
    } else if (rest > 0) {
        (void)snprintf(part, sizeof(part), ".%" PRIu64, rest / 10);
    }
    (void)snprintf(out, SPEAN_MONEY_BYTES_MAX, "%s%.27s%.6s", points < 0 ? "-" : "", whole,
                   part); /* Fits. */
}

void spean_money_count(int64_t count, char out[SPEAN_MONEY_BYTES_MAX])
{
    assert(out != NULL);
    char grouped[GROUPED_BYTES];
    group(magnitude(count), grouped);
    (void)snprintf(out, SPEAN_MONEY_BYTES_MAX, "%s%s", count < 0 ? "-" : "", grouped); /* Fits. */
}
