#include "node/derived.h"

#include <assert.h>
#include <stdlib.h>

#include "node/json_value.h"
#include "node/reply.h"
#include "protocol/costs.h"
#include "protocol/currency.h"
#include "protocol/fold.h"
#include "protocol/schema_numbers.h"

/* Call add for each item of a list field that was not struck out. */
static void each_item(const struct spean_part *part, uint64_t number, struct spean_costs *costs,
                      void (*add)(struct spean_costs *, struct spean_view))
{
    const struct spean_field *field =
        part == NULL ? NULL : spean_part_find(part, number, SPEAN_KIND_LIST);
    const size_t count = field == NULL ? 0 : spean_field_writes_count(field);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(field, i, &write);
        if (!write.struck) {
            add(costs, write.value);
        }
    }
}

/* A sum as money, with how many of its digits stand behind the point. */
static json_t *show_total(const struct spean_costs_total *total, bool category)
{
    json_t *amount = total->overflow ? json_null() : spean_json_i64(total->amount);
    json_t *shown =
        json_pack("{s:o, s:s, s:b, s:i, s:I}", "amount", amount, "currency", total->currency,
                  "exact", !total->about, "digits", (int)spean_currency_digits(total->currency),
                  "items", (json_int_t)total->items);
    if (category && shown != NULL &&
        json_object_set_new(shown, "category",
                            total->category[0] == '\0' ? json_null()
                                                       : json_string(total->category)) != 0) {
        json_decref(shown);
        return NULL;
    }
    return shown;
}

static json_t *show_totals(const struct spean_costs_total *totals, uint32_t count, bool category)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++) {
        if (json_array_append_new(array, show_total(&totals[i], category)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *show_missing(unsigned missing)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < SPEAN_COSTS_MISSING_COUNT; i++) {
        if ((missing & (1u << i)) != 0 &&
            json_array_append_new(array, json_string(spean_costs_missing_name(i))) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *show_month(const struct spean_costs *costs)
{
    return !costs->has_month
               ? json_null()
               : json_pack("{s:o, s:s, s:b, s:i}", "amount", spean_json_i64(costs->month),
                           "currency", costs->wage_currency, "exact", !costs->wage_about, "digits",
                           (int)spean_currency_digits(costs->wage_currency));
}

static json_t *show_ratio(const struct spean_costs *costs)
{
    return !costs->has_ratio
               ? json_null()
               : json_pack("{s:o, s:b}", "hundredths", spean_json_u64(costs->hundredths), "exact",
                           !costs->ratio_about);
}

static json_t *show_costs(const struct spean_costs *costs)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "totals",
                     show_totals(costs->totals, costs->totals_count, true), "sums",
                     show_totals(costs->sums, costs->sums_count, false), "borne",
                     show_totals(costs->borne, costs->borne_count, false), "month_pay",
                     show_month(costs), "sdg_10_7_1", show_ratio(costs), "missing",
                     show_missing(costs->missing), "complete", !costs->more);
}

spean_err spean_derived_show(const struct spean_records_item *item, json_t *record)
{
    assert(item != NULL);
    const bool is_case = item->info.type == SPEAN_TYPE_CASE;
    if (!is_case && item->info.type != SPEAN_TYPE_REFERRAL) {
        return SPEAN_OK;
    }
    const struct spean_part *part =
        item->parts[is_case ? (unsigned)SPEAN_PART_CASE : (unsigned)SPEAN_PART_PAYLOAD];
    struct spean_costs *costs = calloc(1, sizeof(*costs));
    if (costs == NULL) {
        return SPEAN_ENOMEM;
    }
    const uint64_t shift = is_case ? 0 : SPEAN_FIELD_SHARED_OFFSET;
    each_item(part, SPEAN_FIELD_CASE_COSTS + shift, costs, spean_costs_add);
    each_item(part, SPEAN_FIELD_CASE_EMPLOYMENTS + shift, costs, spean_costs_employment);
    spean_costs_end(costs);
    json_t *shown = costs->items == 0 ? json_null() : show_costs(costs);
    free(costs);
    if (shown == NULL) {
        return SPEAN_ENOMEM;
    }
    json_t *derived = json_pack("{s:o}", "costs", shown);
    return json_object_set_new(record, "derived", derived) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}
