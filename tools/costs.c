#include "tools/costs.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/money.h"

#define TOTALS_MAX     256u /* Categories times currencies of one record. */
#define CURRENCY_BYTES 8u
#define CATEGORY_BYTES 72u

struct total {
    char category[CATEGORY_BYTES]; /* "" for all categories of a currency. */
    char currency[CURRENCY_BYTES];
    int64_t amount;
    bool overflow;
};

struct totals {
    struct total rows[TOTALS_MAX];
    size_t count;
    bool more; /* There was no room for some. */
};

static void total_add(struct totals *totals, const char *category, const char *currency,
                      int64_t amount)
{
    size_t i = 0;
    while (i < totals->count && (strcmp(totals->rows[i].category, category) != 0 ||
                                 strcmp(totals->rows[i].currency, currency) != 0)) {
        i++;
    }
    if (i == TOTALS_MAX) {
        totals->more = true;
        return;
    }
    struct total *const row = &totals->rows[i];
    if (i == totals->count) {
        *row = (struct total){.amount = 0};
        (void)snprintf(row->category, sizeof(row->category), "%s", category);
        (void)snprintf(row->currency, sizeof(row->currency), "%s", currency);
        totals->count++;
    }
    const bool fits =
        amount >= 0 ? row->amount <= INT64_MAX - amount : row->amount >= INT64_MIN - amount;
    row->overflow = row->overflow || !fits;
    row->amount += fits ? amount : 0;
}

static void item_add(struct spean_grid *grid, struct totals *totals, const json_t *row)
{
    const json_t *const item = json_object_get(row, "item");
    const json_t *const amount = json_object_get(item, "amount");
    const json_t *const paid_to = json_object_get(item, "paid_to");
    const char *const name = spean_jsonget_text(paid_to, "name");
    const bool struck = spean_jsonget_true(row, "struck");
    char category[CATEGORY_BYTES];
    char currency[CURRENCY_BYTES];
    char money[SPEAN_MONEY_BYTES_MAX];
    (void)snprintf(category, sizeof(category), "%.71s", spean_jsonget_text(item, "category"));
    (void)snprintf(currency, sizeof(currency), "%.7s", spean_jsonget_text(amount, "currency"));
    const int64_t number = spean_jsonget_number(amount, "amount");
    const bool about = json_is_false(json_object_get(amount, "exact"));
    spean_money_text(number, currency, money);
    spean_grid_cell(grid, "%s", category);
    spean_grid_cell(grid, "%s%s", about ? _("about ") : "", money);
    spean_grid_cell(grid, "%s", name[0] == '\0' ? spean_jsonget_text(paid_to, "kind") : name);
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "paid_on"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "stage"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "evidence"));
    spean_grid_cell(grid, "%s", struck ? _("struck out") : spean_jsonget_text(item, "assessment"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(row, "name"));
    if (!struck && amount != NULL) {
        total_add(totals, category, currency, number);
        total_add(totals, "", currency, number);
    }
}

/* Two columns more than needed would only widen the table: totals have their own. */
static spean_err totals_print(struct spean_out *out, const struct totals *totals)
{
    struct spean_grid *grid;
    const spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_grid_column(grid, _("TOTAL OF"), false);
    spean_grid_column(grid, _("AMOUNT"), true);
    for (unsigned all = 0; all < 2; all++) { /* Categories first, sums of all last. */
        for (size_t i = 0; i < totals->count; i++) {
            const struct total *const row = &totals->rows[i];
            char money[SPEAN_MONEY_BYTES_MAX];
            if ((row->category[0] == '\0') != (all == 1)) {
                continue;
            }
            spean_money_text(row->amount, row->currency, money);
            spean_grid_cell(grid, "%s", all == 1 ? _("everything") : row->category);
            spean_grid_cell(grid, "%s", row->overflow ? "?" : money);
        }
    }
    spean_out_grid(out, grid);
    spean_grid_free(grid);
    if (totals->more) {
        spean_out_line(out, "%s", _("! There are more categories than can be totalled."));
    }
    return SPEAN_OK;
}

spean_err spean_costs_print(struct spean_out *out, const json_t *costs)
{
    assert(out != NULL);
    if (json_array_size(costs) == 0) {
        return SPEAN_OK;
    }
    static const struct {
        const char *heading;
        bool right;
    } columns[] = {{N_("COST"), false},       {N_("AMOUNT"), true}, {N_("PAID TO"), false},
                   {N_("ON"), false},         {N_("STAGE"), false}, {N_("EVIDENCE"), false},
                   {N_("ASSESSMENT"), false}, {N_("ITEM"), false}};
    struct totals totals = {.count = 0};
    struct spean_grid *grid;
    const spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        spean_grid_column(grid, _(columns[i].heading), columns[i].right);
    }
    for (size_t i = 0; i < json_array_size(costs); i++) {
        item_add(grid, &totals, json_array_get(costs, i));
    }
    spean_out_line(out, "%s", "");
    spean_out_grid(out, grid);
    spean_grid_free(grid);
    spean_out_line(out, "%s", "");
    return totals_print(out, &totals);
}
