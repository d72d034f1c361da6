#include "tools/personcopy.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "protocol/codes.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "tools/html.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/show.h"
#include "tools/timetext.h"

/* The fields that are told, in this order. A field that is not here is not in the copy, so a new
 * one is left out until somebody decides. */
static const struct {
    const char *field;
    const char *heading;
} told[] = {
    {"short_ref", N_("Case number")},
    {"opened_on", N_("Opened on")},
    {"closed_on", N_("Closed on")},
    {"status", N_("Status")},
    {"names", N_("Name")},
    {"birth_date", N_("Date of birth")},
    {"gender", N_("Gender")},
    {"citizenship", N_("Citizenship")},
    {"languages", N_("Languages")},
    {"home", N_("Home")},
    {"place", N_("Place")},
    {"contacts", N_("How to reach you")},
    {"safe_contact", N_("What is safe")},
    {"documents", N_("Documents")},
    {"marital_status", N_("Marital status")},
    {"dependants", N_("Dependants")},
    {"pregnant", N_("Pregnant")},
    {"scheme", N_("Programme")},
    {"field", N_("Field of work")},
    {"job_title", N_("Work")},
    {"status_expires_on", N_("Status of residence ends on")},
    {"employments", N_("Employment")},
    {"issues", N_("What it is about")},
    {"narrative", N_("What happened, as you told us")},
    {"costs", N_("What was paid")},
    {"debts", N_("Debts")},
    {"remedies", N_("What was claimed")},
    {"support_plan", N_("What we agreed to do")},
};

/* Sub-fields that are about somebody else, or are ids of ours. */
static const struct {
    const char *map;
    const char *sub;
} others[] = {{"contact", "ask_for"}, {"document", "holder"}, {"debt", "lender"},
              {"cost", "paid_to"},    {"party", "agency"},    {"cost", "rule"}};

struct page {
    FILE *file; /* The caller asks ferror(). */
    const char *lang;
    const json_t *codes; /* What the record's codes mean; see spean_show_label(). */
};

static void text_write(const struct page *page, const char *text)
{
    spean_html_write(page->file, text);
}

/* A name of the schema, or of a state, "held_by", as a word. */
static void word_write(const struct page *page, const char *name)
{
    for (; *name != '\0'; name++) {
        text_write(page, (const char[]){*name == '_' ? ' ' : *name, '\0'});
    }
}

static void code_write(const struct page *page, const char *list, const char *code)
{
    const char *const label =
        list == NULL ? "" : spean_show_label(page->codes, list, code, page->lang);
    const struct spean_code *const row =
        list == NULL || label[0] != '\0'
            ? NULL
            : spean_codes_find(list, (struct spean_view){(const uint8_t *)code, strlen(code)});
    const bool japanese = page->lang != NULL && strcmp(page->lang, "ja") == 0;
    text_write(page, label[0] != '\0'                       ? label
                     : row == NULL                          ? code
                     : japanese && row->label_ja[0] != '\0' ? row->label_ja
                                                            : row->label_en);
}

/* Every language of a text: it is for the person to choose. */
static void languages_write(const struct page *page, json_t *text)
{
    const char *lang;
    json_t *words;
    bool first = true;
    json_object_foreach(text, lang, words)
    {
        (void)fprintf(page->file, "%s<span lang=\"", first ? "" : "<br>\n");
        text_write(page, lang);
        (void)fputs("\">", page->file);
        text_write(page, json_is_string(words) ? json_string_value(words) : "");
        (void)fputs("</span>", page->file);
        first = false;
    }
}

/* A value that is no map of sub-fields. */
static void leaf_write(const struct page *page, const struct spean_schema_value *type,
                       json_t *value)
{
    if (type->type == SPEAN_VALUE_CODE && json_is_string(value)) {
        code_write(page, type->codes, json_string_value(value));
        return;
    }
    if (type->type == SPEAN_VALUE_TEXT) {
        languages_write(page, value);
        return;
    }
    char *const text = spean_show_coded(value, type, NULL, page->lang);
    text_write(page, text == NULL ? "?" : text);
    free(text);
}

static bool is_other(const struct spean_schema_map *map, const char *sub)
{
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(others[i].map, map->name) == 0 && strcmp(others[i].sub, sub) == 0) {
            return true;
        }
    }
    return false;
}

/* The map within a map: a party. It has no maps within. */
static void inner_write(const struct page *page, const struct spean_schema_map *map, json_t *value)
{
    bool first = true;
    for (size_t i = 0; i < map->subs_count; i++) {
        json_t *const part = json_object_get(value, map->subs[i].name);
        if (part != NULL && !is_other(map, map->subs[i].name)) {
            (void)fputs(first ? "" : ", ", page->file);
            leaf_write(page, &map->subs[i].value, part);
            first = false;
        }
    }
}

/* A map as "sub: value" in lines, in the schema's order; what the schema does not know is ours. */
static void map_write(const struct page *page, const struct spean_schema_map *map, json_t *value)
{
    bool first = true;
    for (size_t i = 0; i < map->subs_count; i++) {
        const struct spean_schema_sub *const sub = &map->subs[i];
        json_t *const part = json_object_get(value, sub->name);
        if (part == NULL || is_other(map, sub->name)) {
            continue;
        }
        (void)fputs(first ? "" : "<br>\n", page->file);
        word_write(page, sub->name);
        (void)fputs(": ", page->file);
        if (sub->value.type == SPEAN_VALUE_MAP && !sub->value.array) {
            inner_write(page, sub->value.map, part);
        } else {
            leaf_write(page, &sub->value, part);
        }
        first = false;
    }
}

static void value_write(const struct page *page, const struct spean_schema_value *type,
                        json_t *value)
{
    (void)fputs("<dd>", page->file);
    if (type->type == SPEAN_VALUE_MAP) {
        map_write(page, type->map, value);
    } else {
        leaf_write(page, type, value);
    }
    (void)fputs("</dd>\n", page->file);
}

/* A field with all that stands of it; nothing where that is nothing. */
static void field_write(const struct page *page, const json_t *fields, size_t index)
{
    const struct spean_schema_field *const field =
        spean_schema_field_by_name(SPEAN_TYPE_CASE, told[index].field);
    assert(field != NULL);
    json_t *const value = json_object_get(fields, field->name);
    const bool several = field->kind == SPEAN_KIND_SET || field->kind == SPEAN_KIND_LIST;
    if (value == NULL) {
        return;
    }
    (void)fputs("<dt>", page->file);
    text_write(page, _(told[index].heading));
    (void)fputs("</dt>\n", page->file);
    if (!several) {
        value_write(page, &field->value, value);
    }
    for (size_t i = 0; several && i < json_array_size(value); i++) {
        json_t *const member = json_array_get(value, i);
        json_t *const item =
            field->kind == SPEAN_KIND_LIST ? json_object_get(member, "item") : member;
        if (!(field->kind == SPEAN_KIND_LIST && spean_jsonget_true(member, "struck"))) {
            value_write(page, &field->value, item);
        }
    }
}

/* Whom the case was shown to, and what became of it. */
static void referrals_write(const struct page *page, const json_t *referrals)
{
    if (json_array_size(referrals) > 0) {
        (void)fputs("<dt>", page->file);
        text_write(page, _("Whom we told"));
        (void)fputs("</dt>\n", page->file);
    }
    for (size_t i = 0; i < json_array_size(referrals); i++) {
        const json_t *const referral = json_array_get(referrals, i);
        (void)fputs("<dd>", page->file);
        text_write(page, spean_jsonget_text(referral, "target_name"));
        (void)fputs(" (", page->file);
        word_write(page, spean_jsonget_text(referral, "state"));
        (void)fputs(")</dd>\n", page->file);
    }
}

static void head_write(const struct page *page, const json_t *record)
{
    char today[SPEAN_TIMETEXT_BYTES_MAX];
    spean_timetext_today(today);
    (void)fputs("<!DOCTYPE html>\n<html lang=\"", page->file);
    text_write(page, page->lang == NULL ? "en" : page->lang);
    (void)fputs("\">\n<head>\n<meta charset=\"utf-8\">\n<title>", page->file);
    text_write(page, _("Your case"));
    (void)fputs("</title>\n<style>body{font-family:sans-serif;max-width:45em;margin:2em auto}"
                "dt{font-weight:bold;margin-top:1em}dd{margin:.2em 0 .2em 1em}</style>\n"
                "</head>\n<body>\n<h1>",
                page->file);
    text_write(page, _("Your case"));
    (void)fputs("</h1>\n<p>", page->file);
    text_write(page, spean_jsonget_text(record, "owner_name"));
    (void)fputs(", ", page->file);
    text_write(page, today);
    (void)fputs("</p>\n<p>", page->file);
    text_write(page, _("This is what we have written down about you. You may ask us to correct it "
                       "or to take it out. Keep this paper where nobody else finds it."));
    (void)fputs("</p>\n<dl>\n", page->file);
}

void spean_personcopy_write(const json_t *record, const json_t *referrals, const char *lang,
                            FILE *file)
{
    assert(record != NULL);
    assert(file != NULL);
    const struct page page = {file, lang, json_object_get(record, "codes")};
    const json_t *const fields = json_object_get(record, "fields");
    head_write(&page, record);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        field_write(&page, fields, i);
    }
    referrals_write(&page, referrals);
    (void)fputs("</dl>\n</body>\n</html>\n", file);
}
