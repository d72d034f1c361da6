#include "tools/show.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/money.h"

/* In what words values are shown. All NULL: as they are. */
struct words {
    const json_t *codes; /* Of the record: codes[list][code] is what a code means. */
    const char *lang;
};

/* An array or object that is being written, and how far. */
struct frame {
    json_t *value;
    const struct spean_schema_value *looks; /* NULL: not known. */
    void *iter;                             /* Of an object. */
    size_t index; /* Of an array; of an object only whether it is the first. */
    bool bracket;
};

static bool is_money(const json_t *value)
{
    const json_t *const amount = json_object_get(value, "amount");
    return (json_is_integer(amount) || json_is_string(amount)) &&
           json_is_string(json_object_get(value, "currency"));
}

const char *spean_show_label(const json_t *codes, const char *list, const char *code,
                             const char *lang)
{
    json_t *const meaning = json_object_get(json_object_get(codes, list), code);
    return spean_show_text(json_object_get(meaning, "labels"), lang);
}

/* Whether a label is its code in other letters: "Never married" says no more than never_married. */
static bool is_same(const char *label, const char *code)
{
    for (; *label != '\0' && *code != '\0'; label++, code++) {
        const int typed = *label == ' ' ? '_' : tolower((unsigned char)*label);
        if (typed != *code) {
            return false;
        }
    }
    return *label == *code;
}

/* Write a text; a code with what it means behind it. */
static void text_write(FILE *file, const char *text, const struct spean_schema_value *looks,
                       const struct words *words)
{
    const char *const label =
        looks == NULL || looks->type != SPEAN_VALUE_CODE || looks->codes == NULL
            ? ""
            : spean_show_label(words->codes, looks->codes, text, words->lang);
    (void)fputs(text, file); /* fclose() tells whether all went well. */
    if (label[0] != '\0' && !is_same(label, text)) {
        (void)fprintf(file, " (%s)", label);
    }
}

/* Whether a value is the interest of a debt, in basis points a year (docs/SCHEMA.md). */
static bool is_rate(const struct spean_schema_value *looks)
{
    const struct spean_schema_field *const debts =
        spean_schema_field_by_name(SPEAN_TYPE_CASE, "debts");
    assert(debts != NULL);
    const struct spean_schema_sub *const rate = spean_schema_sub_by_name(debts->value.map, "rate");
    assert(rate != NULL);
    return looks == &rate->value;
}

/* Write what has no parts; false: it has. */
static bool leaf_write(FILE *file, const json_t *value, const struct spean_schema_value *looks,
                       const struct words *words)
{
    if (json_is_string(value)) {
        text_write(file, json_string_value(value), looks, words);
        return true;
    }
    if (json_is_integer(value) && is_rate(looks)) {
        char percent[SPEAN_MONEY_BYTES_MAX];
        spean_money_percent(json_integer_value(value), percent);
        (void)fprintf(file, _("%s %% a year"), percent);
        return true;
    }
    if (json_is_integer(value)) {
        (void)fprintf(file, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return true;
    }
    if (is_money(value)) {
        char text[SPEAN_MONEY_BYTES_MAX];
        const json_t *const exact = json_object_get(value, "exact");
        spean_money_text(spean_jsonget_number(value, "amount"),
                         spean_jsonget_text(value, "currency"), text);
        (void)fprintf(file, "%s%s", json_is_false(exact) ? _("about ") : "", text);
        return true;
    }
    if (json_is_array(value) || json_is_object(value)) {
        return false;
    }
    (void)fputs(json_is_true(value) ? _("yes") : json_is_false(value) ? _("no") : "-", file);
    return true;
}

/* Step to the next part of the top frame and write what stands before it. NULL: there is none. */
static json_t *part_next(FILE *file, struct frame *top, const struct spean_schema_value **looks)
{
    json_t *part;
    *looks = top->looks;
    if (json_is_array(top->value)) {
        part = json_array_get(top->value, top->index);
        (void)fputs(part == NULL || top->index == 0 ? "" : "; ", file);
        top->index++;
        return part;
    }
    do { /* An empty part of a place says nothing. */
        top->iter = top->iter == NULL ? json_object_iter(top->value)
                                      : json_object_iter_next(top->value, top->iter);
        part = json_object_iter_value(top->iter);
    } while (json_is_string(part) && json_string_length(part) == 0);
    if (part != NULL) {
        (void)fprintf(file, "%s%s: ", top->index == 0 ? "" : ", ", json_object_iter_key(top->iter));
        top->index = 1;
        const struct spean_schema_sub *const sub =
            top->looks == NULL || top->looks->type != SPEAN_VALUE_MAP
                ? NULL
                : spean_schema_sub_by_name(top->looks->map, json_object_iter_key(top->iter));
        *looks = sub == NULL ? NULL : &sub->value;
    }
    return part;
}

static void value_write(FILE *file, json_t *value, const struct spean_schema_value *looks,
                        const struct words *words)
{
    struct frame stack[SPEAN_SHOW_DEPTH_MAX];
    size_t depth = 0;
    if (leaf_write(file, value, looks, words)) {
        return;
    }
    stack[depth++] = (struct frame){.value = value, .looks = looks};
    while (depth > 0) {
        struct frame *const top = &stack[depth - 1];
        const struct spean_schema_value *inner;
        json_t *const part = part_next(file, top, &inner);
        if (part == NULL) {
            (void)fputs(top->bracket ? ")" : "", file);
            depth--;
        } else if (!leaf_write(file, part, inner, words)) {
            if (depth == SPEAN_SHOW_DEPTH_MAX) {
                (void)fputs("...", file);
                continue;
            }
            const bool bracket = json_is_object(top->value);
            (void)fputs(bracket ? "(" : "", file);
            stack[depth++] = (struct frame){.value = part, .looks = inner, .bracket = bracket};
        }
    }
}

static char *value_text(json_t *value, const struct spean_schema_value *looks,
                        const struct words *words)
{
    char *text = NULL;
    size_t len = 0;
    FILE *const file = open_memstream(&text, &len);
    if (file == NULL) {
        return NULL;
    }
    value_write(file, value, looks, words);
    if (fclose(file) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

char *spean_show_value(json_t *value)
{
    return value_text(value, NULL, &(struct words){NULL, NULL});
}

char *spean_show_coded(json_t *value, const struct spean_schema_value *looks, const json_t *codes,
                       const char *lang)
{
    return value_text(value, looks, &(struct words){codes, lang});
}

char *spean_show_step(const json_t *step, const json_t *codes, const char *lang)
{
    static const char *const told[] = {"assigned_ref",    "first_contact_by",  "review_by",
                                       "outcome",         "services_provided", "child",
                                       "client_informed", "next_step",         "next_referral",
                                       "data_purged",     "respond_by"};
    const struct spean_schema_field *const field =
        spean_schema_field_by_name(SPEAN_TYPE_REFERRAL, "target_steps");
    json_t *const says = json_object();
    bool done = says != NULL;
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]) && done; i++) {
        json_t *const value = json_object_get(step, told[i]);
        const bool empty = json_is_array(value) && json_array_size(value) == 0;
        done = value == NULL || empty || json_object_set(says, told[i], value) == 0;
    }
    char *const text = done ? spean_show_coded(says, &field->value, codes, lang) : NULL;
    json_decref(says);
    return text;
}

void spean_show_state(const json_t *referral, char out[SPEAN_SHOW_STATE_BYTES])
{
    const json_t *const flags = json_object_get(referral, "flags");
    int len = snprintf(out, SPEAN_SHOW_STATE_BYTES, "%.64s", spean_jsonget_text(referral, "state"));
    for (size_t i = 0; i < json_array_size(flags); i++) {
        const char *const flag = json_string_value(json_array_get(flags, i));
        if (flag == NULL || len < 0 || strlen(flag) + 3 > SPEAN_SHOW_STATE_BYTES - (size_t)len) {
            return; /* The rest is in --json. */
        }
        len += snprintf(out + len, SPEAN_SHOW_STATE_BYTES - (size_t)len, ", %s", flag);
    }
}

const char *spean_show_text(json_t *text, const char *lang)
{
    const char *const asked = lang == NULL ? NULL : json_string_value(json_object_get(text, lang));
    const char *const english = json_string_value(json_object_get(text, "en"));
    const char *const first = json_string_value(json_object_iter_value(json_object_iter(text)));
    return asked != NULL ? asked : english != NULL ? english : first != NULL ? first : "";
}

/* One row. An item of a list shows its content, its name and whether it was struck out. */
static spean_err row_add(struct spean_grid *grid, const char *label, json_t *value,
                         const struct spean_schema_value *looks, const struct words *words)
{
    json_t *const item = json_object_get(value, "item");
    char *const text = value_text(item == NULL ? value : item, looks, words);
    if (text == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_grid_cell(grid, "%s", label);
    if (item == NULL) {
        spean_grid_cell(grid, "%s", text);
    } else {
        const bool struck = spean_jsonget_true(value, "struck");
        spean_grid_cell(grid, "%s%s   [%s]", struck ? _("struck out: ") : "", text,
                        spean_jsonget_text(value, "name"));
    }
    free(text);
    return SPEAN_OK;
}

static spean_err rows_add(struct spean_grid *grid, const char *label, json_t *value,
                          const struct spean_schema_value *looks, const struct words *words)
{
    if (!json_is_array(value)) {
        return row_add(grid, label, value, looks, words);
    }
    spean_err err = SPEAN_OK;
    for (size_t i = 0; err == SPEAN_OK && i < json_array_size(value); i++) {
        err = row_add(grid, i == 0 ? label : "", json_array_get(value, i), looks, words);
    }
    return err;
}

spean_err spean_show_row(struct spean_grid *grid, const char *label, json_t *value)
{
    assert(grid != NULL);
    assert(label != NULL);
    return rows_add(grid, label, value, NULL, &(struct words){NULL, NULL});
}

static bool is_in(const char *const *names, const char *name)
{
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Rows for every field of one object of a record of type, which may be NULL. */
static spean_err fields_add(struct spean_grid *grid, json_t *fields, const char *const *but,
                            const struct spean_schema_type *type, const struct words *words)
{
    const char *name;
    json_t *value;
    spean_err err = SPEAN_OK;
    json_object_foreach(fields, name, value)
    {
        const struct spean_schema_field *const field =
            type == NULL ? NULL : spean_schema_field_by_name(type->number, name);
        if (err == SPEAN_OK && !is_in(but, name)) {
            err = rows_add(grid, name, value, field == NULL ? NULL : &field->value, words);
        }
    }
    return err;
}

/* The name by which people call a record: its code, or the short form of its id. */
static const char *name_of(const json_t *record, char brief[SPEAN_IDTEXT_SHORT_BYTES])
{
    const char *const code = spean_jsonget_text(record, "code");
    spean_idtext_short(spean_jsonget_text(record, "id"), brief);
    return code[0] == '\0' ? brief : code;
}

static void head_print(struct spean_out *out, const json_t *record)
{
    char brief[SPEAN_IDTEXT_SHORT_BYTES];
    spean_out_line(out, "%s %s   %s", spean_jsonget_text(record, "type"), name_of(record, brief),
                   spean_jsonget_text(record, "id"));
}

void spean_show_codes(struct spean_out *out, const json_t *record)
{
    const char *list;
    json_t *codes;
    json_object_foreach(json_object_get(record, "codes"), list, codes)
    {
        const char *code;
        json_t *meaning;
        json_object_foreach(codes, code, meaning)
        {
            const char *const other = spean_jsonget_text(meaning, "superseded_by");
            if (strcmp(spean_jsonget_text(meaning, "standing"), "unknown") == 0) {
                spean_out_line(out, _("! %s: \"%s\" is in no code list here"), list, code);
            } else if (other[0] != '\0') {
                spean_out_line(out, _("! %s: \"%s\" was superseded by \"%s\""), list, code, other);
            } else if (json_is_false(json_object_get(meaning, "in_force"))) {
                spean_out_line(out, _("! %s: \"%s\" is not in force today"), list, code);
            }
        }
    }
}

void spean_show_retention(struct spean_out *out, const json_t *retention)
{
    const char *const review = spean_jsonget_text(retention, "review_on");
    const char *const erase = spean_jsonget_text(retention, "delete_by");
    if (review[0] == '\0' && erase[0] == '\0') {
        return;
    }
    const bool due = json_array_size(json_object_get(retention, "due")) > 0;
    spean_out_line(out, _("%sKept: look at it again on %s, delete it by %s%s"), due ? "! " : "",
                   review[0] == '\0' ? "-" : review, erase[0] == '\0' ? "-" : erase,
                   spean_jsonget_true(retention, "by_person") ? "" : _(" (by the settings)"));
}

void spean_show_alike(struct spean_out *out, const json_t *record)
{
    size_t i;
    json_t *other;
    json_array_foreach(json_object_get(record, "looks_like"), i, other)
    {
        char brief[SPEAN_IDTEXT_SHORT_BYTES];
        const bool born = strcmp(spean_jsonget_text(other, "why"), "same_name_and_birth_year") == 0;
        spean_out_note(out,
                       born ? _("Looks like %s: same name and birth year. Nothing was joined.")
                            : _("Looks like %s: same name. Nothing was joined."),
                       name_of(other, brief));
    }
}

void spean_show_same(const json_t *line, char out[SPEAN_SHOW_SAME_BYTES])
{
    const json_t *const same = json_object_get(line, "same");
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(same); i++) {
        char brief[SPEAN_IDTEXT_SHORT_BYTES];
        const int len = snprintf(out + used, SPEAN_SHOW_SAME_BYTES - used, " = %s",
                                 name_of(json_array_get(same, i), brief));
        if (len < 0 || (size_t)len >= SPEAN_SHOW_SAME_BYTES - used) {
            out[used] = '\0'; /* The rest is in --json, and in show. */
            return;
        }
        used += (size_t)len;
    }
}

/* The records that somebody decided to be the same as this one. */
static void same_print(struct spean_out *out, const json_t *record)
{
    size_t i;
    json_t *other;
    json_array_foreach(json_object_get(record, "same"), i, other)
    {
        char brief[SPEAN_IDTEXT_SHORT_BYTES];
        spean_out_line(out, _("= the same as %s, as somebody decided"), name_of(other, brief));
    }
}

/* What a person should know before trusting the fields: conflicts, and what is not here. */
static void state_print(struct spean_out *out, const json_t *record)
{
    const char *name;
    json_t *values;
    json_object_foreach(json_object_get(record, "conflicts"), name, values)
    {
        const size_t count = json_array_size(values);
        spean_out_line(out,
                       COUNTED_(count,
                                "! %s: %zu version, a decision is needed; one of them is shown",
                                "! %s: %zu versions, a decision is needed; one of them is shown"),
                       name, count);
    }
    same_print(out, record);
    spean_show_codes(out, record);
    const json_t *const waiting = json_object_get(record, "waiting");
    const int64_t parts = spean_jsonget_number(waiting, "parts");
    if (parts > 0) {
        spean_out_line(out,
                       COUNTED_(parts, "! changes to %" PRId64 " of its parts have not arrived yet",
                                "! changes to %" PRId64 " of its parts have not arrived yet"),
                       parts);
    }
    size_t i;
    json_t *part;
    json_array_foreach(json_object_get(waiting, "keys"), i, part)
    {
        spean_out_line(out, _("! waiting for the key of: %s"),
                       json_is_string(part) ? json_string_value(part) : "?");
    }
    const int64_t unknown = spean_jsonget_number(record, "unknown");
    if (unknown > 0) {
        spean_out_line(
            out,
            COUNTED_(unknown, "! %" PRId64 " change is of a kind that this program is too old for",
                     "! %" PRId64 " changes are of a kind that this program is too old for"),
            unknown);
    }
}

spean_err spean_show_record(struct spean_out *out, json_t *record, const char *const *but,
                            const char *lang)
{
    assert(out != NULL);
    const struct spean_schema_type *const type =
        spean_schema_type_by_name(spean_jsonget_text(record, "type"));
    const struct words words = {json_object_get(record, "codes"), lang};
    struct spean_grid *grid;
    spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_grid_column(grid, NULL, false);
    spean_grid_column(grid, NULL, false);
    err = fields_add(grid, json_object_get(record, "fixed"), but, type, &words);
    if (err == SPEAN_OK) {
        err = fields_add(grid, json_object_get(record, "fields"), but, type, &words);
    }
    if (err == SPEAN_OK) {
        head_print(out, record);
        spean_out_grid(out, grid);
        state_print(out, record);
    }
    spean_grid_free(grid);
    return err;
}

spean_err spean_show_object(struct spean_out *out, json_t *object)
{
    assert(out != NULL);
    struct spean_grid *grid;
    spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_grid_column(grid, NULL, false);
    spean_grid_column(grid, NULL, false);
    err = fields_add(grid, object, NULL, NULL, &(struct words){NULL, NULL});
    if (err == SPEAN_OK) {
        spean_out_grid(out, grid);
    }
    spean_grid_free(grid);
    return err;
}
