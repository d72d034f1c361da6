#include "node/case_new.h"

#include <assert.h>
#include <string.h>

#include "node/endpoint.h"
#include "protocol/fold.h"
#include "protocol/reader.h"
#include "protocol/schema_numbers.h"
#include "store/setup.h"

#define THOUSAND  1000u
#define THOUSANDS 9u /* 1000 to 9000. */

/* Our country: as it was set up, or, at a further node, as our agency record says. SPEAN_EWAIT: it
 * has not come here yet. */
static spean_err own_country(const struct spean_records *at, const struct spean_setup *setup,
                             char out[SPEAN_SETUP_COUNTRY_LEN + 1])
{
    struct spean_record_id record;
    struct spean_part *part = NULL;
    struct spean_write write;
    struct spean_reader r;
    struct spean_view country = setup->country;
    spean_err err = SPEAN_OK;
    if (country.len == 0) {
        err = spean_endpoint_record(at->view.tx, at->view.keys, &setup->org, &record, &part);
    }
    if (part != NULL) {
        const struct spean_field *field =
            spean_part_find(part, SPEAN_FIELD_AGENCY_COUNTRY, SPEAN_KIND_VALUE);
        if (field != NULL && spean_field_get_shown(field, &write)) {
            spean_reader_init(&r, write.value);
            country = spean_reader_str(&r, SPEAN_SETUP_COUNTRY_LEN, SPEAN_SETUP_COUNTRY_LEN);
        }
    }
    if (err == SPEAN_OK && country.len == SPEAN_SETUP_COUNTRY_LEN) {
        memcpy(out, country.data, country.len);
        out[country.len] = '\0';
    } else {
        err = err == SPEAN_OK || err == SPEAN_ENOTFOUND ? SPEAN_EWAIT : err;
    }
    spean_part_free(part);
    return err;
}

/*
 * Below where this node begins to number. Two nodes that do not hear of each other must not give
 * two cases one code: the first node has the numbers below 1000, a further one begins at a thousand
 * that its key chooses. Where two choose alike, the codes tell nobody apart and the ids still do.
 */
static uint32_t number_below(const struct spean_records *at, const struct spean_setup *setup)
{
    const struct spean_log *log = spean_core_own_log(at->view.core); /* NULL: nothing is written. */
    const bool further = setup->statement.len == 0 && log != NULL;
    return further ? THOUSAND * (1 + log->signing.bytes[0] % THOUSANDS) - 1 : 0;
}

/* Fill in the country of the office, this month, and the number below the first. */
static spean_err month_begin(struct spean_records *at, struct spean_caseid *id)
{
    const struct spean_day today = spean_records_today(at);
    struct spean_setup setup;
    struct spean_document doc;
    struct spean_caseid begun = {.country = "", .year = today.year, .month = today.month};
    spean_err err = spean_setup_get(at->view.tx, &setup, &doc);
    if (err == SPEAN_OK) {
        err = own_country(at, &setup, begun.country);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    begun.number = (uint16_t)number_below(at, &setup);
    *id = begun;
    return SPEAN_OK;
}

/* Say whether a case has the code of that number. */
static spean_err is_taken(struct spean_records *at, const struct spean_caseid *month,
                          uint32_t number, bool *taken)
{
    char code[SPEAN_CASEID_LEN + 1];
    struct spean_record_id holder;
    struct spean_caseid id = *month;
    id.number = (uint16_t)number;
    spean_err err = spean_caseid_make(code, &id);
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_view name = {(const uint8_t *)code, strlen(code)};
    err = spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_SHORT_REF, name, NULL,
                              &holder);
    *taken = err == SPEAN_OK;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* Find a free number above from: by doubled steps to one that is free, then by halves back to the
 * one behind a taken one. Where the highest is taken, look at each. */
static spean_err number_find(struct spean_records *at, const struct spean_caseid *month,
                             uint32_t from, uint32_t *out)
{
    uint32_t below = from; /* Taken. */
    uint32_t above = from + 1;
    bool taken = true;
    spean_err err = SPEAN_OK;
    for (uint32_t step = 1; err == SPEAN_OK && taken && above <= SPEAN_CASEID_NUMBER_MAX;) {
        err = is_taken(at, month, above, &taken);
        if (err == SPEAN_OK && taken) {
            below = above;
            step *= 2;
            above = above < SPEAN_CASEID_NUMBER_MAX && step > SPEAN_CASEID_NUMBER_MAX - above
                        ? SPEAN_CASEID_NUMBER_MAX
                        : above + step;
        }
    }
    while (err == SPEAN_OK && !taken && above - below > 1) {
        const uint32_t middle = below + (above - below) / 2;
        bool middle_taken = false;
        err = is_taken(at, month, middle, &middle_taken);
        below = middle_taken ? middle : below;
        above = middle_taken ? above : middle;
    }
    for (uint32_t number = from + 1; err == SPEAN_OK && taken; number++) {
        if (number > SPEAN_CASEID_NUMBER_MAX) {
            return SPEAN_ELIMIT;
        }
        err = is_taken(at, month, number, &taken);
        above = number;
    }
    *out = above;
    return err;
}

spean_err spean_case_code_next(struct spean_records *at, struct spean_case_numbers *numbers,
                               char out[SPEAN_CASEID_LEN + 1])
{
    assert(numbers != NULL);
    uint32_t number = 0;
    spean_err err = SPEAN_OK;
    if (numbers->last.number == 0) {
        err = month_begin(at, &numbers->last);
    }
    if (err == SPEAN_OK) {
        err = numbers->last.number == SPEAN_CASEID_NUMBER_MAX
                  ? SPEAN_ELIMIT
                  : number_find(at, &numbers->last, numbers->last.number, &number);
    }
    if (err == SPEAN_ELIMIT) {
        numbers->last.number = SPEAN_CASEID_NUMBER_MAX; /* Nobody needs to look again. */
    }
    if (err != SPEAN_OK) {
        return err;
    }
    numbers->last.number = (uint16_t)number;
    return spean_caseid_make(out, &numbers->last);
}

bool spean_case_edit_gives(const struct spean_edit *edit, uint64_t field)
{
    for (uint32_t i = 0; i < spean_edit_count(edit); i++) {
        if (spean_edit_at(edit, i)->field->number == field) {
            return true;
        }
    }
    return false;
}

spean_err spean_case_edit_text(struct spean_edit *edit, uint64_t field, const char *text)
{
    struct spean_json_why why;
    json_t *json = json_string(text);
    const spean_err err = json == NULL ? SPEAN_ENOMEM
                                       : spean_edit_add_json(edit, SPEAN_TYPE_CASE, field,
                                                             SPEAN_VERB_WRITE, json, &why);
    json_decref(json);
    return err;
}

bool spean_case_editable(const struct spean_schema_field *field)
{
    return field->number != SPEAN_FIELD_CASE_REFERRALS;
}

spean_err spean_case_defaults(struct spean_records *at, struct spean_edit *edit)
{
    char code[SPEAN_CASEID_LEN + 1];
    struct spean_case_numbers numbers = {.last = {.number = 0}};
    spean_err err = SPEAN_OK;
    if (!spean_case_edit_gives(edit, SPEAN_FIELD_CASE_SHORT_REF)) {
        err = spean_case_code_next(at, &numbers, code);
        if (err == SPEAN_OK) {
            err = spean_case_edit_text(edit, SPEAN_FIELD_CASE_SHORT_REF, code);
        }
    }
    if (err == SPEAN_OK && !spean_case_edit_gives(edit, SPEAN_FIELD_CASE_STATUS)) {
        err = spean_case_edit_text(edit, SPEAN_FIELD_CASE_STATUS, "active");
    }
    if (err == SPEAN_OK && !spean_case_edit_gives(edit, SPEAN_FIELD_CASE_OPENED_ON)) {
        uint8_t buf[16];
        const struct spean_day today = spean_records_today(at);
        err = spean_edit_add(edit, spean_schema_field(SPEAN_TYPE_CASE, SPEAN_FIELD_CASE_OPENED_ON),
                             SPEAN_VERB_WRITE, spean_records_encode_day(&today, buf));
    }
    return err;
}
