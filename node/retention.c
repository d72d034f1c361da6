#include "node/retention.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "node/config.h"
#include "node/json_value.h"
#include "node/when.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"

#define LOCAL_NAME  "retention"
#define DATE_BYTES  11u /* 2026-11-22 and a NUL. */
#define DAY_S       86400u
#define VALUE_BYTES 32u

static const char *const keys[] = {"review_on", "delete_by"};

#define KEYS_COUNT (sizeof(keys) / sizeof(keys[0]))

static void day_write(const struct spean_day *day, char out[DATE_BYTES])
{
    (void)snprintf(out, DATE_BYTES, "%04u-%02u-%02u", (unsigned)day->year % 10000u,
                   (unsigned)day->month % 100u, (unsigned)day->day % 100u);
}

/* The beginning of a day; of one known to the year or month, of its last day. */
static bool last_day(const char *date, uint64_t *out)
{
    static const char *const months[] = {"", "-12"};
    static const char *const days[] = {"", "-31", "-30", "-29", "-28"};
    char text[SPEAN_WHEN_BYTES + 8];
    for (size_t m = 0; m < sizeof(months) / sizeof(months[0]); m++) {
        for (size_t d = 0; d < sizeof(days) / sizeof(days[0]); d++) {
            (void)snprintf(text, sizeof(text), "%.10s%s%sT00:00:00Z", date, months[m], days[d]);
            const struct spean_view view = {(const uint8_t *)text, strlen(text)};
            if (spean_when_parse(view, out) == SPEAN_OK) {
                return true;
            }
        }
    }
    return false;
}

/* The date so many days after another; false: there is none. 0 days: none is asked for. */
static bool add_days(const char *date, uint32_t days, char out[DATE_BYTES])
{
    uint64_t time_s = 0;
    if (days == 0 || !last_day(date, &time_s) || (uint64_t)days * DAY_S > SPEAN_WHEN_MAX - time_s) {
        return false;
    }
    const struct spean_day day = spean_when_day(time_s + (uint64_t)days * DAY_S);
    day_write(&day, out);
    return true;
}

/* Fill in what the settings say of a case that is closed. */
static spean_err defaults_set(const struct spean_records *at, const struct spean_part *part,
                              json_t *shown)
{
    const struct spean_config *config = spean_core_config(at->view.core);
    const uint32_t days[KEYS_COUNT] = {config->retention_review_days,
                                       config->retention_delete_days};
    const struct spean_field *closed =
        part == NULL ? NULL : spean_part_find(part, SPEAN_FIELD_CASE_CLOSED_ON, SPEAN_KIND_VALUE);
    json_t *date = NULL;
    spean_err err =
        closed == NULL ? SPEAN_OK : spean_json_field_show(SPEAN_TYPE_CASE, closed, NULL, &date);
    for (size_t i = 0; i < KEYS_COUNT && err == SPEAN_OK && json_is_string(date); i++) {
        char text[DATE_BYTES];
        if (add_days(json_string_value(date), days[i], text) &&
            json_object_set_new(shown, keys[i], json_string(text)) != 0) {
            err = SPEAN_ENOMEM;
        }
    }
    json_decref(date);
    return err == SPEAN_EFORMAT ? SPEAN_ECORRUPT : err;
}

/* A date known to the year or month is due with its first day: better early than late. */
static spean_err due_set(const struct spean_records *at, json_t *shown)
{
    const struct spean_day day = spean_records_today(at);
    char today[DATE_BYTES];
    json_t *due = json_array();
    bool done = due != NULL;
    day_write(&day, today);
    for (size_t i = 0; i < KEYS_COUNT && done; i++) {
        const char *date = json_string_value(json_object_get(shown, keys[i]));
        if (date != NULL && strncmp(today, date, strlen(date)) >= 0) {
            done = json_array_append_new(due, json_string(keys[i])) == 0;
        }
    }
    return json_object_set_new(shown, "due", due) == 0 && done ? SPEAN_OK : SPEAN_ENOMEM;
}

spean_err spean_retention_show(const struct spean_records *at, const struct spean_record_id *record,
                               const struct spean_part *part, json_t **out)
{
    assert(out != NULL);
    json_t *held = NULL;
    spean_err err = spean_records_local_get(at, record, LOCAL_NAME, &held);
    if (err != SPEAN_OK) {
        return err;
    }
    json_t *shown = json_pack("{s:O?, s:O?, s:b}", keys[0], json_object_get(held, keys[0]), keys[1],
                              json_object_get(held, keys[1]), "by_person", held != NULL);
    err = shown == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    if (err == SPEAN_OK && held == NULL) {
        err = defaults_set(at, part, shown);
    }
    json_decref(held);
    if (err == SPEAN_OK) {
        err = due_set(at, shown);
    }
    if (err != SPEAN_OK) {
        json_decref(shown);
        return err;
    }
    *out = shown;
    return SPEAN_OK;
}

bool spean_retention_due(const json_t *shown)
{
    return json_array_size(json_object_get(shown, "due")) > 0;
}

/* -- Setting --------------------------------------------------------------------------------- */

static bool is_key(const char *name)
{
    for (size_t i = 0; i < KEYS_COUNT; i++) {
        if (strcmp(keys[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Read the body into *out, a new object of dates; NULL: it gives none. */
static bool read_body(struct spean_records *at, json_t **out)
{
    static const struct spean_schema_value date = {.type = SPEAN_VALUE_DATE};
    const char *name = NULL;
    json_t *value = NULL;
    json_t *dates = json_object();
    struct spean_json_why why = {""};
    spean_err err = dates == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    json_object_foreach(at->request->body, name, value)
    {
        uint8_t buf[VALUE_BYTES];
        struct spean_writer w;
        if (err != SPEAN_OK) {
            break;
        }
        if (!is_key(name)) {
            (void)snprintf(why.text, sizeof(why.text),
                           "%.64s: expected review_on or delete_by here", name);
            err = SPEAN_EINPUT;
        } else if (!json_is_null(value)) {
            spean_writer_init(&w, buf, sizeof(buf));
            err = spean_json_value_encode(&w, &date, name, value, &why);
            if (err == SPEAN_OK && json_object_set(dates, name, value) != 0) {
                err = SPEAN_ENOMEM;
            }
        }
    }
    if (err != SPEAN_OK) {
        json_decref(dates);
        spean_records_refuse_why(at, err, &why);
        return false;
    }
    *out = dates;
    if (json_object_size(dates) == 0) {
        json_decref(dates);
        *out = NULL;
    }
    return true;
}

void spean_retention_put(struct spean_records *at)
{
    struct spean_record_id record;
    json_t *dates = NULL;
    json_t *before = NULL;
    if (!spean_records_find(at, SPEAN_TYPE_CASE, spean_request_param(at->request, "id"), &record) ||
        !read_body(at, &dates)) {
        return;
    }
    spean_err err = spean_records_local_get(at, &record, LOCAL_NAME, &before);
    const bool changed =
        (before == NULL) != (dates == NULL) || (dates != NULL && json_equal(before, dates) == 0);
    if (err == SPEAN_OK && changed && !at->dry_run) {
        err = spean_records_local_put(at, &record, LOCAL_NAME, dates);
    }
    json_decref(before);
    json_decref(dates);
    if (err == SPEAN_EFULL) {
        spean_records_refuse(at, err, NULL, NULL, "make room; spean status says how much is left");
    } else if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
    } else {
        spean_records_answer(at, &record, changed);
    }
}
