#include "tools/costs.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/money.h"
#include "tools/show.h"

#define MISSING_BYTES 512u

/* What is printed, and in which words. */
struct printing {
    struct spean_out *out;
    const json_t *codes; /* Of the record. */
    const char *lang;
};

static void money_write(const json_t *money, char out[SPEAN_MONEY_BYTES_MAX])
{
    out[0] = '\0';
    const json_t *const amount = json_object_get(money, "amount");
    if (json_is_integer(amount) || json_is_string(amount)) {
        spean_money_text(spean_jsonget_number(money, "amount"),
                         spean_jsonget_text(money, "currency"), out);
    }
}

static const char *about(const json_t *money)
{
    return json_is_false(json_object_get(money, "exact")) ? _("about ") : "";
}

/* What a code means, or the code where nobody says. */
static const char *label(const struct printing *p, const char *list, const char *code)
{
    const char *const text = spean_show_label(p->codes, list, code, p->lang);
    return text[0] == '\0' ? code : text;
}

/* An item over a cap or forbidden stands out, with the rule that it was assessed by. */
static void assessment_add(const struct printing *p, struct spean_grid *grid, const json_t *item,
                           bool struck)
{
    const char *const code = spean_jsonget_text(item, "assessment");
    const char *const rule = spean_jsonget_text(item, "rule");
    const bool bad = strcmp(code, "over_cap") == 0 || strcmp(code, "forbidden") == 0;
    spean_grid_cell(grid, "%s%s%s%s", bad && !struck ? "! " : "",
                    struck ? _("struck out") : label(p, "cost_assessment", code),
                    struck || rule[0] == '\0' ? "" : ": ", struck ? "" : rule);
}

static void item_add(const struct printing *p, struct spean_grid *grid, const json_t *row)
{
    const json_t *const item = json_object_get(row, "item");
    const json_t *const amount = json_object_get(item, "amount");
    const json_t *const paid_to = json_object_get(item, "paid_to");
    const char *const name = spean_jsonget_text(paid_to, "name");
    char money[SPEAN_MONEY_BYTES_MAX];
    money_write(amount, money);
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "category"));
    spean_grid_cell(grid, "%s%s", about(amount), money);
    spean_grid_cell(grid, "%s",
                    name[0] == '\0' ? label(p, "agency_kind", spean_jsonget_text(paid_to, "kind"))
                                    : name);
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "paid_on"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "stage"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(item, "evidence"));
    assessment_add(p, grid, item, spean_jsonget_true(row, "struck"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(row, "name"));
}

static spean_err items_print(const struct printing *p, const json_t *costs)
{
    static const struct {
        const char *heading;
        bool right;
    } columns[] = {{N_("COST"), false},       {N_("AMOUNT"), true}, {N_("PAID TO"), false},
                   {N_("ON"), false},         {N_("STAGE"), false}, {N_("EVIDENCE"), false},
                   {N_("ASSESSMENT"), false}, {N_("ITEM"), false}};
    struct spean_grid *grid;
    const spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        spean_grid_column(grid, _(columns[i].heading), columns[i].right);
    }
    for (size_t i = 0; i < json_array_size(costs); i++) {
        item_add(p, grid, json_array_get(costs, i));
    }
    spean_out_line(p->out, "%s", "");
    spean_out_grid(p->out, grid);
    spean_grid_free(grid);
    return SPEAN_OK;
}

/* Rows "name  amount" of sums; a sum that does not fit shows as "VND ?". */
static void sums_add(const struct printing *p, struct spean_grid *grid, const json_t *sums,
                     const char *name)
{
    for (size_t i = 0; i < json_array_size(sums); i++) {
        const json_t *const sum = json_array_get(sums, i);
        char money[SPEAN_MONEY_BYTES_MAX];
        money_write(sum, money);
        const char *const category = spean_jsonget_text(sum, "category");
        spean_grid_cell(grid, "%s", name != NULL ? name : label(p, "cost_category", category));
        if (money[0] == '\0') {
            spean_grid_cell(grid, "%s ?", spean_jsonget_text(sum, "currency"));
        } else {
            spean_grid_cell(grid, "%s%s", about(sum), money);
        }
    }
}

static spean_err totals_print(const struct printing *p, const json_t *derived)
{
    struct spean_grid *grid;
    const spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_grid_column(grid, _("TOTAL OF"), false);
    spean_grid_column(grid, _("AMOUNT"), true);
    sums_add(p, grid, json_object_get(derived, "totals"), NULL);
    sums_add(p, grid, json_object_get(derived, "sums"), _("everything"));
    sums_add(p, grid, json_object_get(derived, "borne"), _("borne by the worker"));
    spean_out_line(p->out, "%s", "");
    spean_out_grid(p->out, grid);
    spean_grid_free(grid);
    if (json_is_false(json_object_get(derived, "complete"))) {
        spean_out_line(p->out, "%s", _("! There are more categories than can be totalled."));
    }
    return SPEAN_OK;
}

/* What a person has to find out, by the names of docs/API.md. */
static const char *missing_text(const char *name)
{
    static const struct {
        const char *name;
        const char *text;
    } rows[] = {
        {"paid_by", N_("who paid each item")},
        {"amount", N_("an amount for each item")},
        {"wage", N_("a wage in employments")},
        {"wage_period", N_("whether the wage is by the hour, week, month or year")},
        {"hours", N_("the hours a month")},
        {"same_currency", N_("costs in the currency of the wage")},
        {"too_large", N_("amounts that can be added up")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return _(rows[i].text);
        }
    }
    return name;
}

static void missing_print(const struct printing *p, const json_t *missing)
{
    char text[MISSING_BYTES] = "";
    size_t used = 0;
    for (size_t i = 0; i < json_array_size(missing); i++) {
        const char *const name = json_string_value(json_array_get(missing, i));
        const int len = snprintf(text + used, sizeof(text) - used, "%s%s", i == 0 ? "" : ", ",
                                 missing_text(name == NULL ? "" : name));
        if (len < 0 || (size_t)len >= sizeof(text) - used) {
            break; /* The rest is in --json. */
        }
        used += (size_t)len;
    }
    spean_out_line(p->out, _("SDG 10.7.1: cannot be told; missing: %s"), text);
}

static void ratio_print(const struct printing *p, const json_t *derived)
{
    const json_t *const ratio = json_object_get(derived, "sdg_10_7_1");
    const json_t *const month = json_object_get(derived, "month_pay");
    char money[SPEAN_MONEY_BYTES_MAX];
    if (!json_is_object(ratio)) {
        missing_print(p, json_object_get(derived, "missing"));
        return;
    }
    const int64_t hundredths = spean_jsonget_number(ratio, "hundredths");
    money_write(month, money);
    spean_out_line(p->out, _("SDG 10.7.1: %s%" PRId64 ".%02" PRId64 " months' pay of %s"),
                   about(ratio), hundredths / 100, hundredths % 100, money);
}

spean_err spean_costs_print(struct spean_out *out, const json_t *record, const char *lang)
{
    assert(out != NULL);
    const json_t *const costs = json_object_get(json_object_get(record, "fields"), "costs");
    const json_t *const derived = json_object_get(json_object_get(record, "derived"), "costs");
    const struct printing p = {out, json_object_get(record, "codes"), lang};
    if (json_array_size(costs) == 0) {
        return SPEAN_OK;
    }
    spean_err err = items_print(&p, costs);
    if (err == SPEAN_OK && json_is_object(derived)) {
        err = totals_print(&p, derived);
        ratio_print(&p, derived);
    }
    return err;
}
