#include "protocol/costs.h"

#include <assert.h>
#include <string.h>

#include "protocol/change.h"
#include "protocol/reader.h"
#include "protocol/schema.h"

#define MONTHS_A_YEAR 12
#define WEEKS_A_YEAR  52
#define MONTH_STRIDE  100u /* A date as one number: year, two digits of month, two of day. */

enum cost_sub { COST_CATEGORY = 1, COST_AMOUNT = 2, COST_PAID_BY = 4, COST_REFUNDED = 12 };

enum employment_sub {
    EMPLOYMENT_FROM = 4,
    EMPLOYMENT_WAGE = 6,
    EMPLOYMENT_WAGE_PERIOD = 7,
    EMPLOYMENT_HOURS = 8
};

struct money {
    bool has;
    int64_t amount;
    char currency[SPEAN_CURRENCY_LEN + 1];
    bool exact;
};

struct cost {
    char category[SPEAN_CODE_BYTES_MAX + 1];
    char paid_by[SPEAN_CODE_BYTES_MAX + 1];
    struct money amount;
    struct money refunded;
};

const char *spean_costs_missing_name(unsigned number)
{
    static const char *const names[SPEAN_COSTS_MISSING_COUNT] = {
        "paid_by", "amount", "wage", "wage_period", "hours", "same_currency", "too_large"};
    assert(number < SPEAN_COSTS_MISSING_COUNT);
    return names[number];
}

/* -- Reading --------------------------------------------------------------------------------- */

/* Read a whole encoded code; "" for anything else. */
static void code_read(struct spean_view value, char out[SPEAN_CODE_BYTES_MAX + 1])
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    const struct spean_view code = spean_reader_str(&r, 1, SPEAN_CODE_BYTES_MAX);
    out[0] = '\0';
    if (spean_reader_end(&r) == SPEAN_OK && spean_codes_valid(code)) {
        memcpy(out, code.data, code.len);
        out[code.len] = '\0';
    }
}

static struct money money_read(struct spean_view value)
{
    struct money money = {.has = false};
    struct spean_reader r;
    spean_reader_init(&r, value);
    (void)spean_reader_array(&r, 3, 3);
    money.amount = spean_reader_int(&r);
    const struct spean_view currency = spean_reader_str(&r, SPEAN_CURRENCY_LEN, SPEAN_CURRENCY_LEN);
    money.exact = spean_reader_bool(&r);
    if (spean_reader_end(&r) != SPEAN_OK) {
        return (struct money){.has = false};
    }
    memcpy(money.currency, currency.data, SPEAN_CURRENCY_LEN);
    money.has = true;
    return money;
}

/* A date as a number that grows with it; UINT64_MAX for anything else. */
static uint64_t date_read(struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    const uint32_t count = spean_reader_array(&r, 1, 3);
    uint64_t date = 0;
    for (uint32_t i = 0; i < 3; i++) {
        date = date * MONTH_STRIDE + (i < count ? spean_reader_uint(&r, i == 0 ? 9999 : 99) : 0);
    }
    return spean_reader_end(&r) == SPEAN_OK ? date : UINT64_MAX;
}

/* Begin to read a map; false: it is none. */
static bool map_begin(struct spean_reader *r, struct spean_view item, uint32_t *count)
{
    spean_reader_init(r, item);
    *count = spean_reader_map(r, SPEAN_SCHEMA_ELEMENTS_MAX);
    return !spean_reader_failed(r);
}

/* -- Adding ---------------------------------------------------------------------------------- */

/* Add b to *a; false, and nothing changed: it does not fit. */
static bool add_int(int64_t *a, int64_t b)
{
    if (b >= 0 ? *a > INT64_MAX - b : *a < INT64_MIN - b) {
        return false;
    }
    *a += b;
    return true;
}

/* Add an amount to the row of its category and currency. */
static void total_add(struct spean_costs *costs, struct spean_costs_total *rows, uint32_t *count,
                      const char *category, const struct money *money, bool back)
{
    uint32_t i = 0;
    while (i < *count && (strcmp(rows[i].category, category) != 0 ||
                          strcmp(rows[i].currency, money->currency) != 0)) {
        i++;
    }
    if (i == SPEAN_COSTS_TOTALS_MAX) {
        costs->more = true;
        return;
    }
    struct spean_costs_total *const row = &rows[i];
    if (i == *count) {
        *row = (struct spean_costs_total){.amount = 0};
        memcpy(row->category, category, strlen(category) + 1);
        memcpy(row->currency, money->currency, sizeof(row->currency));
        (*count)++;
    }
    const bool negatable = !back || money->amount > INT64_MIN;
    const int64_t amount = !back ? money->amount : negatable ? -money->amount : 0;
    row->overflow = row->overflow || !negatable || !add_int(&row->amount, amount);
    row->about = row->about || !money->exact;
    row->items += back ? 0 : 1;
}

static struct cost cost_read(struct spean_view item)
{
    struct cost cost = {.category = ""};
    struct spean_reader r;
    uint32_t count = 0;
    if (!map_begin(&r, item, &count)) {
        return cost;
    }
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        const uint64_t sub = spean_reader_uint(&r, UINT64_MAX);
        const struct spean_view value = spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        if (spean_reader_failed(&r)) {
            break;
        }
        if (sub == COST_CATEGORY) {
            code_read(value, cost.category);
        } else if (sub == COST_PAID_BY) {
            code_read(value, cost.paid_by);
        } else if (sub == COST_AMOUNT) {
            cost.amount = money_read(value);
        } else if (sub == COST_REFUNDED) {
            cost.refunded = money_read(value);
        }
    }
    return cost;
}

void spean_costs_add(struct spean_costs *costs, struct spean_view item)
{
    assert(costs != NULL);
    const struct cost cost = cost_read(item);
    costs->items++;
    if (!cost.amount.has) {
        costs->missing |= SPEAN_COSTS_NO_AMOUNT;
        return;
    }
    total_add(costs, costs->totals, &costs->totals_count, cost.category, &cost.amount, false);
    total_add(costs, costs->sums, &costs->sums_count, "", &cost.amount, false);
    if (cost.paid_by[0] == '\0' || strcmp(cost.paid_by, "unknown") == 0) {
        costs->missing |= SPEAN_COSTS_NO_PAYER;
        return;
    }
    if (strcmp(cost.paid_by, "worker") != 0 && strcmp(cost.paid_by, "family") != 0) {
        return;
    }
    total_add(costs, costs->borne, &costs->borne_count, "", &cost.amount, false);
    if (cost.refunded.has) {
        total_add(costs, costs->borne, &costs->borne_count, "", &cost.refunded, true);
    }
}

void spean_costs_employment(struct spean_costs *costs, struct spean_view item)
{
    assert(costs != NULL);
    struct spean_reader r;
    struct money wage = {.has = false};
    char period[SPEAN_CODE_BYTES_MAX + 1] = "";
    uint64_t from = UINT64_MAX;
    uint64_t hours = 0;
    uint32_t count = 0;
    if (!map_begin(&r, item, &count)) {
        return;
    }
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        const uint64_t sub = spean_reader_uint(&r, UINT64_MAX);
        const struct spean_view value = spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        struct spean_reader inner;
        spean_reader_init(&inner, value);
        if (sub == EMPLOYMENT_FROM) {
            from = date_read(value);
        } else if (sub == EMPLOYMENT_WAGE) {
            wage = money_read(value);
        } else if (sub == EMPLOYMENT_WAGE_PERIOD) {
            code_read(value, period);
        } else if (sub == EMPLOYMENT_HOURS) {
            hours = spean_reader_uint(&inner, UINT64_MAX);
            hours = spean_reader_end(&inner) == SPEAN_OK ? hours : 0;
        }
    }
    if (!wage.has || (costs->has_wage && from >= costs->wage_from)) {
        return;
    }
    costs->has_wage = true;
    costs->wage = wage.amount;
    costs->wage_about = !wage.exact;
    costs->wage_from = from;
    costs->wage_hours = hours;
    memcpy(costs->wage_currency, wage.currency, sizeof(wage.currency));
    memcpy(costs->wage_period, period, sizeof(period));
}

/* -- The ratio ------------------------------------------------------------------------------- */

/* a times b divided by c, none below 0 and c above, rounded half up; false: it does not fit. */
static bool times_over(int64_t a, int64_t b, int64_t c, int64_t *out)
{
    if (b != 0 && a > (INT64_MAX - c / 2) / b) {
        return false;
    }
    *out = (a * b + c / 2) / c;
    return true;
}

/* One month's pay of the wage; what is missing for it goes into missing. */
static void month_find(struct spean_costs *costs)
{
    static const struct {
        const char *period;
        int64_t times;
        int64_t over;
    } periods[] = {
        {"month", 1, 1}, {"year", 1, MONTHS_A_YEAR}, {"week", WEEKS_A_YEAR, MONTHS_A_YEAR}};
    const bool hourly = strcmp(costs->wage_period, "hour") == 0;
    int64_t times = hourly && costs->wage_hours <= INT64_MAX ? (int64_t)costs->wage_hours : 0;
    int64_t over = 1;
    for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
        if (strcmp(periods[i].period, costs->wage_period) == 0) {
            times = periods[i].times;
            over = periods[i].over;
        }
    }
    if (!costs->has_wage || costs->wage <= 0) {
        costs->missing |= SPEAN_COSTS_NO_WAGE;
    } else if (times == 0) {
        costs->missing |= hourly ? SPEAN_COSTS_NO_HOURS : SPEAN_COSTS_NO_PERIOD;
    } else if (!times_over(costs->wage, times, over, &costs->month)) {
        costs->missing |= SPEAN_COSTS_TOO_LARGE;
    } else {
        costs->has_month = costs->month > 0;
        costs->missing |= costs->has_month ? 0 : SPEAN_COSTS_NO_WAGE;
    }
}

void spean_costs_end(struct spean_costs *costs)
{
    assert(costs != NULL);
    int64_t borne = 0;
    int64_t hundredths = 0;
    month_find(costs);
    for (uint32_t i = 0; i < costs->borne_count; i++) {
        const struct spean_costs_total *row = &costs->borne[i];
        if (costs->has_wage && strcmp(row->currency, costs->wage_currency) != 0) {
            costs->missing |= SPEAN_COSTS_OTHER_CURRENCY;
        }
        costs->missing |= row->overflow ? SPEAN_COSTS_TOO_LARGE : 0;
        costs->ratio_about = costs->ratio_about || row->about;
        borne = row->amount > 0 ? row->amount : 0;
    }
    costs->missing |= costs->more ? SPEAN_COSTS_TOO_LARGE : 0;
    costs->ratio_about = costs->ratio_about || costs->wage_about;
    if (costs->missing == 0 && !times_over(borne, 100, costs->month, &hundredths)) {
        costs->missing |= SPEAN_COSTS_TOO_LARGE;
    }
    costs->has_ratio = costs->missing == 0;
    costs->hundredths = costs->has_ratio ? (uint64_t)hundredths : 0;
}
