/* protocol/costs.h - what the cost items of a case add up to, and how many months' pay they are.
 *
 * Derived whenever it is shown, never stored (RECORDS: cost item). Amounts are whole minor units,
 * and never converted from one currency into another. Indicator SDG 10.7.1 is what the worker bore
 * (paid_by worker or family, less what was refunded) divided by one month's pay at destination:
 * that of the first employment which has a wage.
 */
#ifndef SPEAN_PROTOCOL_COSTS_H
#define SPEAN_PROTOCOL_COSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/codes.h"
#include "protocol/currency.h"
#include "protocol/err.h"

#define SPEAN_COSTS_TOTALS_MAX 128u /* Categories times currencies; of all currencies likewise. */

/* A sum. */
struct spean_costs_total {
    char category[SPEAN_CODE_BYTES_MAX + 1]; /* "": all; also of items that have none. */
    char currency[SPEAN_CURRENCY_LEN + 1];
    int64_t amount; /* Minor units. */
    uint32_t items;
    bool about;    /* Some of it is not exact. */
    bool overflow; /* It does not fit; amount is of no use. */
};

/* Why there is no ratio; bits, for several may be so. */
#define SPEAN_COSTS_NO_PAYER       (1u << 0) /* Of an item it is not said who paid. */
#define SPEAN_COSTS_NO_AMOUNT      (1u << 1) /* An item has no amount. */
#define SPEAN_COSTS_NO_WAGE        (1u << 2) /* No employment has a wage. */
#define SPEAN_COSTS_NO_PERIOD      (1u << 3) /* For how long a wage is, is not said, or a day. */
#define SPEAN_COSTS_NO_HOURS       (1u << 4) /* An hour's wage, without the hours a month. */
#define SPEAN_COSTS_OTHER_CURRENCY (1u << 5) /* Some was not paid in the currency of the wage. */
#define SPEAN_COSTS_TOO_LARGE      (1u << 6) /* A sum does not fit 64 bits. */
#define SPEAN_COSTS_MISSING_COUNT  7u

/* Return the stable name of a bit, by its number: "paid_by". */
const char *spean_costs_missing_name(unsigned number);

/* A sum at work, and its result. The caller's memory; all zero to begin with. */
struct spean_costs {
    struct spean_costs_total totals[SPEAN_COSTS_TOTALS_MAX]; /* In the order met. */
    uint32_t totals_count;
    struct spean_costs_total sums[SPEAN_COSTS_TOTALS_MAX]; /* All categories, by currency. */
    uint32_t sums_count;
    struct spean_costs_total borne[SPEAN_COSTS_TOTALS_MAX]; /* By the worker, by currency. */
    uint32_t borne_count;
    uint32_t items; /* That were added. */
    bool more;      /* There was no room for some: totals are not complete. */

    bool has_wage; /* Of the first employment with one. */
    int64_t wage;
    char wage_currency[SPEAN_CURRENCY_LEN + 1];
    bool wage_about;
    char wage_period[SPEAN_CODE_BYTES_MAX + 1];
    uint64_t wage_hours;
    uint64_t wage_from; /* The day it began, as one number; UINT64_MAX: it is not said. */

    /* What spean_costs_end() works out. */
    bool has_month;
    int64_t month; /* One month's pay in minor units of wage_currency, rounded half up. */
    bool has_ratio;
    uint64_t hundredths; /* Months' pay times 100, rounded half up. */
    bool ratio_about;
    unsigned missing; /* SPEAN_COSTS_..., while there is no ratio. */
};

/* Add one cost item as it is encoded (map cost); what does not fit the schema counts as not said.
 * Leave out those that were struck out. */
void spean_costs_add(struct spean_costs *costs, struct spean_view item);

/* Look at one employment likewise (map employment), in any order. */
void spean_costs_employment(struct spean_costs *costs, struct spean_view item);

/* Work out the ratio, or what is missing for it. */
void spean_costs_end(struct spean_costs *costs);

#endif
