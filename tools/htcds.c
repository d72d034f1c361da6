#include "tools/htcds.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tools/countries.h"
#include "tools/edit.h"
#include "tools/htcds_words.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/script.h"

#define PARTS_MAX  256u /* Words in one cell. */
#define DATE_BYTES 16u

/* How a column and the case belong together. Columns of one unit are written together. */
enum unit {
    UNIT_ID,
    UNIT_STR,        /* A value: text as it is. */
    UNIT_DATE,       /* A value. */
    UNIT_CODE,       /* A value of the list more. */
    UNIT_TEXT,       /* A value in several languages. */
    UNIT_NAME,       /* Sub-field more of the name in Latin letters, else of the first. */
    UNIT_NAME_OTHER, /* The same of the first name beside that one. */
    UNIT_LANGUAGE,   /* A person's language: the first, the second (more). */
    UNIT_COUNTRIES,  /* A set of countries. */
    UNIT_DOCUMENT,   /* The number of the document of type more. */
    UNIT_CONTACT,    /* The value of the contact of a channel: "phone", "phone 2". */
    UNIT_MAP,        /* Sub-field more of a value, with a code list if it has one. */
    UNIT_ISSUES, /* Issues: those with a word of HTCDS in the one or the other column, or all. */
    UNIT_JOIN    /* Import only: the text goes behind that of the column field. */
};

struct column {
    const char *name;
    const char *label; /* In the official template; NULL: it is ours. */
    enum unit unit;
    const char *field;
    const char *more;
    const char *list; /* UNIT_MAP: of codes. */
};

static const struct column columns[] = {
    {SPEAN_HTCDS_ID, NULL, UNIT_ID, NULL, NULL, NULL},
    {"spean_Code", NULL, UNIT_STR, "short_ref", NULL, NULL},
    {"prs_FirstName", "First Name", UNIT_NAME, "names", "given", NULL},
    {"prs_SecondName", "Second Name", UNIT_NAME, "names", "family", NULL},
    {"spean_FullName", NULL, UNIT_NAME, "names", "full", NULL},
    {"spean_FirstNameOther", NULL, UNIT_NAME_OTHER, "names", "given", NULL},
    {"spean_SecondNameOther", NULL, UNIT_NAME_OTHER, "names", "family", NULL},
    {"spean_FullNameOther", NULL, UNIT_NAME_OTHER, "names", "full", NULL},
    {"spean_KanaOther", NULL, UNIT_NAME_OTHER, "names", "kana", NULL},
    {"prs_Birthdate", "Birthdate", UNIT_DATE, "birth_date", NULL, NULL},
    {"spean_AgeBand", NULL, UNIT_CODE, "age_band", "age_band", NULL},
    {"prs_Gender", "Gender", UNIT_CODE, "gender", "gender", NULL},
    {"prs_MaritalStatus", "Marital Status", UNIT_CODE, "marital_status", "marital_status", NULL},
    {"prs_PrimaryLanguage", "Primary Language", UNIT_LANGUAGE, "languages", "1", NULL},
    {"prs_SecondaryLanguage", "Secondary Language", UNIT_LANGUAGE, "languages", "2", NULL},
    {"prs_Citizenship", "Citizenship", UNIT_COUNTRIES, "citizenship", NULL, NULL},
    {"prs_IdentityNumber", "Identity Number", UNIT_DOCUMENT, "documents", "national_id_card", NULL},
    {"prs_Title", "Title", UNIT_TEXT, "job_title", NULL, NULL},
    {"prs_Email", "Email", UNIT_CONTACT, "contacts", "email", NULL},
    {"prs_MobilePhone", "Mobile Phone", UNIT_CONTACT, "contacts", "phone", NULL},
    {"prs_HomePhone", "Home Phone", UNIT_CONTACT, "contacts", "phone 2", NULL},
    {"prs_MailingStreet", "Mailing Street", UNIT_CONTACT, "contacts", "post", NULL},
    {"prs_MailingCountry", "Mailing Country", UNIT_MAP, "place", "country", NULL},
    {"prs_MailingCity", "Mailing City", UNIT_MAP, "place", "name", NULL},
    {"spean_PlaceCode", NULL, UNIT_MAP, "place", "code", NULL},
    {"vic_TraffickingStatus", "Trafficking Status", UNIT_MAP, "trafficking_status", "status",
     "trafficking_status"},
    {"vic_TraffickingStatusDecisionMakingOrg", "Trafficking Status Decision Making Organization",
     UNIT_MAP, "trafficking_status", "decided_by_kind", "trafficking_decider"},
    {"vic_MethodsOfControl", "Methods of Control", UNIT_ISSUES, "issues", "methods", NULL},
    {"vic_TypeOfExploitation", "Type of Exploitation", UNIT_ISSUES, "issues", "exploitation", NULL},
    {"spean_Issues", NULL, UNIT_ISSUES, "issues", NULL, NULL},
    {"cas_Status", "Status", UNIT_CODE, "status", "case_status", NULL},
    {"spean_OpenedOn", NULL, UNIT_DATE, "opened_on", NULL, NULL},
    {"spean_ClosedOn", NULL, UNIT_DATE, "closed_on", NULL, NULL},
    {"spean_ClosureReason", NULL, UNIT_CODE, "closure_reason", "closure_reason", NULL},
    {"spean_RiskLevel", NULL, UNIT_CODE, "risk_level", "risk_level", NULL},
    {"spean_Scheme", NULL, UNIT_CODE, "scheme", "scheme", NULL},
    {"hte_Description", "Description", UNIT_TEXT, "narrative", NULL, NULL},
    {"spl_ActionPlan", "Action Plan", UNIT_TEXT, "support_plan", NULL, NULL},
    {"prs_MiddleName", "Middle Name", UNIT_JOIN, "prs_FirstName", " ", NULL},
    {"prs_MailingState", "Mailing State/Province", UNIT_JOIN, "prs_MailingCity", ", ", NULL},
    {"prs_MailingPostalCode", "Mailing Zip/Postal Code", UNIT_JOIN, "prs_MailingStreet", ", ",
     NULL},
};
#define COLUMNS_COUNT (sizeof(columns) / sizeof(columns[0]))
#define JOINS_COUNT   3u /* At the end. */

/* Names that official files have beside these. */
static const struct {
    const char *heading;
    const char *name;
} misspelt[] = {
    {"vic_TraffickinStatusDecisionMakingOrg", "vic_TraffickingStatusDecisionMakingOrg"}};

/* An edit that is being made. */
struct making {
    const json_t *row;
    const json_t *shown;  /* NULL: a new case. */
    const json_t *fields; /* Of the record; NULL likewise. */
    const char *lang;
    const struct spean_codewords *words;
    json_t *edit;
    struct spean_htcds_why *why;
    spean_err err; /* Sticky. */
};

size_t spean_htcds_columns_count(void)
{
    return COLUMNS_COUNT - JOINS_COUNT;
}

const char *spean_htcds_column(size_t index)
{
    assert(index < COLUMNS_COUNT - JOINS_COUNT);
    return columns[index].name;
}

const char *spean_htcds_column_find(const char *heading)
{
    assert(heading != NULL);
    for (size_t i = 0; i < COLUMNS_COUNT; i++) {
        if (spean_codewords_same(columns[i].name, heading)) {
            return columns[i].name;
        }
    }
    for (size_t i = 0; i < sizeof(misspelt) / sizeof(misspelt[0]); i++) {
        if (spean_codewords_same(misspelt[i].heading, heading)) {
            return misspelt[i].name;
        }
    }
    for (size_t i = 0; i < COLUMNS_COUNT; i++) {
        if (columns[i].label != NULL && spean_codewords_same(columns[i].label, heading)) {
            return columns[i].name;
        }
    }
    return NULL;
}

bool spean_htcds_is_label(const char *heading)
{
    assert(heading != NULL);
    for (size_t i = 0; i < COLUMNS_COUNT; i++) {
        if (columns[i].label != NULL && spean_codewords_same(columns[i].label, heading)) {
            return true;
        }
    }
    return false;
}

bool spean_htcds_is_multiple(const char *column)
{
    assert(column != NULL);
    for (size_t i = 0; i < COLUMNS_COUNT; i++) {
        if (strcmp(columns[i].name, column) == 0) {
            return columns[i].unit == UNIT_COUNTRIES || columns[i].unit == UNIT_ISSUES;
        }
    }
    return false;
}

/* -- What a case shows ----------------------------------------------------------------------- */

/* The name that a unit is about; NULL: there is none. */
static json_t *name_find(const json_t *fields, enum unit unit)
{
    const json_t *const names = json_object_get(fields, "names");
    size_t first = 0;
    for (size_t i = json_array_size(names); i > 0; i--) {
        if (strcmp(spean_jsonget_text(json_array_get(names, i - 1), "script"), "latn") == 0) {
            first = i - 1;
        }
    }
    if (unit == UNIT_NAME) {
        return json_array_get(names, first);
    }
    return json_array_get(names, first == 0 ? 1 : 0);
}

/* The item of a list that stands, whose sub-field key is value; the second one for "phone 2". */
static json_t *item_find(const json_t *fields, const struct column *column)
{
    const char *const key = column->unit == UNIT_DOCUMENT ? "type" : "channel";
    const json_t *const items = json_object_get(fields, column->field);
    const size_t len = strcspn(column->more, " ");
    size_t left = column->more[len] == '\0' ? 1 : 2;
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *const shown = json_array_get(items, i);
        const char *const value = spean_jsonget_text(json_object_get(shown, "item"), key);
        const bool same = strlen(value) == len && strncmp(value, column->more, len) == 0;
        left -= same && !spean_jsonget_true(shown, "struck") ? 1 : 0;
        if (left == 0) {
            return shown;
        }
    }
    return NULL;
}

static json_t *language_find(const json_t *fields, const struct column *column)
{
    return json_array_get(json_object_get(fields, column->field), column->more[0] == '1' ? 0 : 1);
}

/* The language in which a text is shown: the one asked for, English, the first; NULL: no text. */
static const char *text_lang(json_t *text, const char *lang)
{
    if (lang != NULL && json_object_get(text, lang) != NULL) {
        return lang;
    }
    return json_object_get(text, "en") != NULL ? "en"
                                               : json_object_iter_key(json_object_iter(text));
}

/* Whether an issue goes into a column: by its word of HTCDS, or with all others. */
static bool issue_belongs(const struct spean_codewords *words, const struct column *column,
                          const char *code, char word[SPEAN_CODEWORDS_TERM_BYTES])
{
    if (column->more == NULL) {
        (void)snprintf(word, SPEAN_CODEWORDS_TERM_BYTES, "%s", code); /* A code fits. */
        return true;
    }
    const char *const *const list =
        strcmp(column->more, "methods") == 0 ? spean_htcds_methods : spean_htcds_exploitation;
    return spean_htcds_issue_show(words, code, word) && spean_htcds_word_find(list, word) != NULL;
}

/* Append a word to a cell, unless it is there; NULL: no memory. cell is taken. */
static json_t *cell_append(json_t *cell, const char *word)
{
    const char *const before = json_string_value(cell);
    const size_t len = strlen(word);
    for (const char *at = before; at != NULL && *at != '\0'; at += at[0] == ';' ? 1 : 0) {
        const size_t here = strcspn(at, ";");
        if (here == len && strncmp(at, word, len) == 0) {
            return cell;
        }
        at += here;
    }
    json_t *const longer =
        json_sprintf("%s%s%s", before, before == NULL || before[0] == '\0' ? "" : ";", word);
    json_decref(cell);
    return longer;
}

static json_t *set_show(const struct spean_codewords *words, const struct column *column,
                        const json_t *fields)
{
    const json_t *const members = json_object_get(fields, column->field);
    json_t *cell = json_string("");
    for (size_t i = 0; cell != NULL && i < json_array_size(members); i++) {
        const char *const code = json_string_value(json_array_get(members, i));
        char word[SPEAN_CODEWORDS_TERM_BYTES];
        if (code == NULL || strlen(code) >= sizeof(word)) {
            continue;
        }
        if (column->unit == UNIT_COUNTRIES) {
            cell = cell_append(cell, code);
        } else if (issue_belongs(words, column, code, word)) {
            cell = cell_append(cell, column->more == NULL ? word : spean_htcds_word_show(word));
        }
    }
    return cell;
}

static json_t *code_show(const struct spean_codewords *words, const char *list, const char *code)
{
    char word[SPEAN_CODEWORDS_TERM_BYTES];
    if (code[0] == '\0' || strlen(code) > SPEAN_CODE_BYTES_MAX) {
        return json_string("");
    }
    spean_htcds_code_show(words, list, code, word);
    return json_string(word);
}

static json_t *cell_show(const struct spean_codewords *words, const struct column *column,
                         const json_t *record, const char *lang)
{
    json_t *const fields = json_object_get(record, "fields");
    switch (column->unit) {
    case UNIT_ID:
        return json_string(spean_jsonget_text(record, "id"));
    case UNIT_STR:
    case UNIT_DATE:
        return json_string(spean_jsonget_text(fields, column->field));
    case UNIT_CODE:
        return code_show(words, column->more, spean_jsonget_text(fields, column->field));
    case UNIT_TEXT: {
        json_t *const text = json_object_get(fields, column->field);
        const char *const in = text_lang(text, lang);
        return json_string(in == NULL ? "" : spean_jsonget_text(text, in));
    }
    case UNIT_NAME:
    case UNIT_NAME_OTHER:
        return json_string(spean_jsonget_text(name_find(fields, column->unit), column->more));
    case UNIT_LANGUAGE:
        return json_string(spean_jsonget_text(language_find(fields, column), "code"));
    case UNIT_COUNTRIES:
    case UNIT_ISSUES:
        return set_show(words, column, fields);
    case UNIT_DOCUMENT:
    case UNIT_CONTACT:
        return json_string(spean_jsonget_text(json_object_get(item_find(fields, column), "item"),
                                              column->unit == UNIT_DOCUMENT ? "number" : "value"));
    case UNIT_MAP: {
        const char *const sub =
            spean_jsonget_text(json_object_get(fields, column->field), column->more);
        return column->list == NULL ? json_string(sub) : code_show(words, column->list, sub);
    }
    case UNIT_JOIN:
        break;
    }
    return json_string("");
}

json_t *spean_htcds_show(const json_t *record, const char *lang,
                         const struct spean_codewords *words)
{
    json_t *const row = json_object();
    for (size_t i = 0; i < COLUMNS_COUNT - JOINS_COUNT; i++) {
        if (json_object_set_new(row, columns[i].name,
                                cell_show(words, &columns[i], record, lang)) != 0) {
            json_decref(row);
            return NULL;
        }
    }
    return row;
}

/* -- What a row asks for --------------------------------------------------------------------- */

static void refuse(struct making *m, const struct column *column, const char *text)
{
    if (m->err == SPEAN_OK) {
        m->err = SPEAN_EINPUT;
        m->why->column = column->name;
        (void)snprintf(m->why->text, sizeof(m->why->text), "%s", text); /* Cut is good enough. */
    }
}

static void keep(struct making *m, spean_err err)
{
    m->err = m->err == SPEAN_OK ? err : m->err;
}

/* The cell as the row has it, else as the case shows it. */
static const char *cell_of(const struct making *m, const struct column *column)
{
    const json_t *const given = json_object_get(m->row, column->name);
    return json_is_string(given) ? json_string_value(given)
                                 : spean_jsonget_text(m->shown, column->name);
}

static bool is_changed(const struct making *m, const struct column *column)
{
    const json_t *const given = json_object_get(m->row, column->name);
    return json_is_string(given) &&
           strcmp(json_string_value(given), spean_jsonget_text(m->shown, column->name)) != 0;
}

static void set(struct making *m, const char *field, json_t *value)
{
    keep(m, spean_edit_set(m->edit, "set", field, value));
}

static void append(struct making *m, const char *verb, const char *field, json_t *value)
{
    keep(m, spean_edit_append(m->edit, verb, field, value));
}

/* Read one or two digits, which a separator follows or the end. False: they are not there. */
static bool date_part(const char **at, char separator, char out[3])
{
    const size_t len = strspn(*at, "0123456789");
    if (len < 1 || len > 2 || ((*at)[len] != '\0' && (*at)[len] != separator)) {
        return false;
    }
    out[0] = len == 1 ? '0' : (*at)[0];
    out[1] = (*at)[len - 1];
    out[2] = '\0';
    *at += len;
    return true;
}

/* Write a date as 1990, 1990-03 or 1990-03-12; the daemon knows the calendar. Spreadsheets make
 * 1990/3/12 of it in some countries, which says the same; where the day or month comes first nobody
 * knows which. */
static bool date_read(const char *text, char out[DATE_BYTES])
{
    char month[3] = "";
    char day[3] = "";
    const char *at = text + strspn(text, "0123456789");
    const char separator = *at;
    bool good = at - text == 4 && (separator == '\0' || strchr("-/.", separator) != NULL);
    if (good && separator != '\0') {
        at++;
        good = date_part(&at, separator, month);
    }
    if (good && *at != '\0') {
        at++;
        good = date_part(&at, separator, day);
    }
    if (!good || *at != '\0') {
        return false;
    }
    (void)snprintf(out, DATE_BYTES, "%.4s%s%s%s%s", text, month[0] == '\0' ? "" : "-", month,
                   day[0] == '\0' ? "" : "-", day); /* Fits. */
    return true;
}

/* A code of list for a cell; NULL where it was refused. */
static json_t *code_make(struct making *m, const struct column *column, const char *list,
                         const char *cell)
{
    char code[SPEAN_CODE_BYTES_MAX + 1];
    if (!spean_htcds_code_read(m->words, list, cell, code)) {
        char why[SPEAN_HTCDS_WHY_BYTES];
        (void)snprintf(why, sizeof(why),
                       _("this word is in no code list; make it known: spean code add %s CODE "
                         "--label LANG=WORD"),
                       list); /* Cut is good enough. */
        refuse(m, column, why);
        return NULL;
    }
    return json_string(code);
}

static void text_make(struct making *m, const struct column *column, const char *cell)
{
    json_t *const there = json_object_get(m->fields, column->field);
    const char *const shown = text_lang(there, m->lang);
    const char *const lang = shown == NULL ? m->lang : shown;
    if (cell[0] == '\0' && json_object_size(there) > 1) {
        refuse(m, column, _("the text has other languages; take it out with spean case edit"));
    } else if (cell[0] == '\0') {
        set(m, column->field, json_null());
    } else if (lang == NULL) {
        refuse(m, column, _("the language of the text is not known; say it with --lang"));
    } else {
        set(m, column->field, json_pack("{s:s}", lang, cell));
    }
}

static void value_make(struct making *m, const struct column *column)
{
    const char *const cell = cell_of(m, column);
    if (column->unit == UNIT_TEXT) {
        text_make(m, column, cell);
    } else if (cell[0] == '\0') {
        set(m, column->field, json_null());
    } else if (column->unit == UNIT_DATE) {
        char date[DATE_BYTES];
        if (date_read(cell, date)) {
            set(m, column->field, json_string(date));
        } else {
            refuse(m, column,
                   _("a date is written 1990, 1990-03 or 1990-03-12; give the column that form in "
                     "the spreadsheet"));
        }
    } else if (column->unit == UNIT_CODE) {
        json_t *const code = code_make(m, column, column->more, cell);
        if (code != NULL) {
            set(m, column->field, code);
        }
    } else {
        set(m, column->field, json_string(cell));
    }
}

/* A copy of an object, or an empty one. */
static json_t *copy_of(const json_t *object)
{
    return json_is_object(object) ? json_deep_copy(object) : json_object();
}

/* Set key of object, or take it out where the text is empty. */
static void sub_set(struct making *m, json_t *object, const char *key, json_t *value)
{
    if (json_is_string(value) && json_string_length(value) == 0) {
        json_decref(value);
        (void)json_object_del(object, key); /* It need not be there. */
    } else if (json_object_set_new(object, key, value) != 0) {
        keep(m, SPEAN_ENOMEM);
    }
}

/* Put every column of the same unit into a copy of what is there. */
static json_t *unit_make(struct making *m, const struct column *first, const json_t *there)
{
    json_t *const object = copy_of(there);
    for (size_t i = 0; i < COLUMNS_COUNT; i++) {
        const struct column *const column = &columns[i];
        if (column->unit != first->unit || strcmp(column->field, first->field) != 0) {
            continue;
        }
        const char *const cell = cell_of(m, column);
        json_t *const value = column->list == NULL || cell[0] == '\0'
                                  ? json_string(cell)
                                  : code_make(m, column, column->list, cell);
        if (value == NULL) {
            keep(m, SPEAN_ENOMEM); /* Or it was refused, which stays. */
        } else {
            sub_set(m, object, column->more, value);
        }
    }
    return object;
}

static void name_make(struct making *m, const struct column *column)
{
    json_t *const there = name_find(m->fields, column->unit);
    json_t *const name = unit_make(m, column, there);
    const char *text = "";
    static const char *const parts[] = {"full", "family", "given"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        text = text[0] == '\0' ? spean_jsonget_text(name, parts[i]) : text;
    }
    if (there != NULL) {
        append(m, "remove", column->field, json_incref(there));
    }
    if (text[0] != '\0') {
        if (there == NULL) {
            sub_set(m, name, "script", json_string(spean_script_of(text)));
        }
        append(m, "add", column->field, json_incref(name));
    }
    json_decref(name);
}

static bool is_language(const char *text)
{
    const size_t primary = strcspn(text, "-");
    const size_t len = strlen(text);
    if (primary < 2 || primary > 3 || len > 35) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (isalnum((unsigned char)text[i]) == 0 && text[i] != '-') {
            return false;
        }
    }
    return true;
}

static void language_make(struct making *m, const struct column *column)
{
    json_t *const there = language_find(m->fields, column);
    const char *const cell = cell_of(m, column);
    if (cell[0] != '\0' && !is_language(cell)) {
        refuse(m, column, _("a language is written as its tag: km, vi, id, pt-BR"));
        return;
    }
    if (there != NULL) {
        append(m, "remove", column->field, json_incref(there));
    }
    if (cell[0] != '\0') {
        json_t *const language = copy_of(there);
        sub_set(m, language, "code", json_string(cell));
        if (there == NULL) {
            sub_set(m, language, "speaks", json_true());
        }
        append(m, "add", column->field, language);
    }
}

static void item_make(struct making *m, const struct column *column)
{
    const bool is_document = column->unit == UNIT_DOCUMENT;
    json_t *const there = item_find(m->fields, column);
    const char *const cell = cell_of(m, column);
    const char *const key = is_document ? "type" : "channel";
    if (there != NULL) {
        append(m, "strike", column->field, json_string(spean_jsonget_text(there, "name")));
    }
    if (cell[0] != '\0') {
        json_t *const item = copy_of(json_object_get(there, "item"));
        sub_set(m, item, key, json_stringn(column->more, strcspn(column->more, " ")));
        sub_set(m, item, is_document ? "number" : "value", json_string(cell));
        append(m, "append", column->field, item);
    }
}

/* A place says its three parts, of which some may be empty. */
static void place_complete(struct making *m, const struct column *column, json_t *place)
{
    static const char *const parts[] = {"country", "code", "name"};
    const char *const said = spean_jsonget_text(place, "country");
    const char *const country = said[0] == '\0' ? said : spean_countries_find(said);
    if (country == NULL) {
        refuse(m, column, _("the country is two capital letters by ISO 3166, KH, or its name"));
    } else if (country != said &&
               json_object_set_new(place, "country", json_string(country)) != 0) {
        keep(m, SPEAN_ENOMEM);
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (json_object_get(place, parts[i]) == NULL &&
            json_object_set_new(place, parts[i], json_string("")) != 0) {
            keep(m, SPEAN_ENOMEM);
        }
    }
}

static void map_make(struct making *m, const struct column *column)
{
    const bool is_place = strcmp(column->field, "place") == 0;
    json_t *map = unit_make(m, column, json_object_get(m->fields, column->field));
    const bool is_empty = is_place ? spean_jsonget_text(map, "country")[0] == '\0' &&
                                         spean_jsonget_text(map, "name")[0] == '\0' &&
                                         spean_jsonget_text(map, "code")[0] == '\0'
                                   : json_object_size(map) == 0;
    if (is_empty) {
        json_decref(map);
        map = json_null();
    } else if (is_place) {
        place_complete(m, column, map);
    }
    set(m, column->field, map);
}

/* -- Cells with several words ---------------------------------------------------------------- */

/* Split a cell at semicolons into an array of texts without spaces around them. */
static json_t *words_split(const char *cell)
{
    json_t *const words = json_array();
    while (*cell != '\0') {
        cell += strspn(cell, "; \t\r\n");
        size_t len = strcspn(cell, ";");
        const char *const next = cell + len;
        while (len > 0 && strchr(" \t\r\n", cell[len - 1]) != NULL) {
            len--;
        }
        if (len > 0 && (json_array_size(words) == PARTS_MAX ||
                        json_array_append_new(words, json_stringn(cell, len)) != 0)) {
            json_decref(words);
            return NULL;
        }
        cell = next;
    }
    return words;
}

/* Whether a text stands in an array. */
static bool array_has(const json_t *array, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *const other = json_string_value(json_array_get(array, i));
        if (other != NULL && strcmp(other, text) == 0) {
            return true;
        }
    }
    return false;
}

/* Bring the word of a cell into our form: a country, a word of HTCDS, an issue. */
static bool word_read(const struct spean_codewords *words, const struct column *column,
                      const char *text, char out[SPEAN_CODEWORDS_TERM_BYTES])
{
    if (column->unit == UNIT_COUNTRIES) {
        const char *const country = spean_countries_find(text);
        (void)snprintf(out, SPEAN_CODEWORDS_TERM_BYTES, "%s",
                       country == NULL ? "" : country); /* Two letters. */
        return country != NULL;
    }
    if (column->more == NULL) {
        return spean_htcds_code_read(words, "issue", text, out);
    }
    const char *const word = spean_htcds_word_find(
        strcmp(column->more, "methods") == 0 ? spean_htcds_methods : spean_htcds_exploitation,
        text);
    (void)snprintf(out, SPEAN_CODEWORDS_TERM_BYTES, "%s", word == NULL ? "" : word); /* Fits. */
    return word != NULL;
}

/* Read the words of a cell. What is no word as a whole may be several, set apart by spaces. */
static json_t *words_read(struct making *m, const struct column *column, const char *cell)
{
    json_t *const texts = words_split(cell);
    json_t *const words = json_array();
    for (size_t i = 0; m->err == SPEAN_OK && i < json_array_size(texts); i++) {
        const char *at = json_string_value(json_array_get(texts, i));
        char word[SPEAN_CODEWORDS_TERM_BYTES];
        while (m->err == SPEAN_OK && *at != '\0') {
            size_t len = strlen(at);
            if (!word_read(m->words, column, at, word)) {
                char one[SPEAN_CODEWORDS_TERM_BYTES];
                len = strcspn(at, " ");
                (void)snprintf(one, sizeof(one), "%.*s", (int)(len < sizeof(one) ? len : 0), at);
                if (!word_read(m->words, column, one, word)) {
                    refuse(m, column, _("a word in this cell is not known here"));
                    break;
                }
            }
            if (!array_has(words, word) && json_array_append_new(words, json_string(word)) != 0) {
                keep(m, SPEAN_ENOMEM);
            }
            at += len;
            at += strspn(at, " ");
        }
    }
    keep(m, texts == NULL || words == NULL ? SPEAN_ENOMEM : SPEAN_OK);
    json_decref(texts);
    return words;
}

/* Ask that the set has the members of wanted and no others. */
static void set_make(struct making *m, const char *field, const json_t *there, const json_t *wanted)
{
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        json_t *const member = json_array_get(wanted, i);
        if (!array_has(there, json_string_value(member))) {
            append(m, "add", field, json_incref(member));
        }
    }
    for (size_t i = 0; i < json_array_size(there); i++) {
        json_t *const member = json_array_get(there, i);
        if (json_is_string(member) && !array_has(wanted, json_string_value(member))) {
            append(m, "remove", field, json_incref(member));
        }
    }
}

static void countries_make(struct making *m, const struct column *column)
{
    json_t *const wanted = words_read(m, column, cell_of(m, column));
    set_make(m, column->field, json_object_get(m->fields, column->field), wanted);
    json_decref(wanted);
}

/* Take out of issues those that word means, in words of column. */
static void issues_drop(const struct spean_codewords *words, const struct column *column,
                        json_t *issues, const char *word)
{
    for (size_t i = json_array_size(issues); i > 0; i--) {
        const char *const code = json_string_value(json_array_get(issues, i - 1));
        char means[SPEAN_CODEWORDS_TERM_BYTES];
        if (code != NULL && strlen(code) < sizeof(means) &&
            issue_belongs(words, column, code, means) && strcmp(means, word) == 0) {
            (void)json_array_remove(issues, i - 1); /* It is there. */
        }
    }
}

static bool issues_mean(const struct spean_codewords *words, const struct column *column,
                        const json_t *issues, const char *word)
{
    json_t *const copy = json_copy((json_t *)(uintptr_t)issues); /* Only read. */
    const size_t before = json_array_size(copy);
    issues_drop(words, column, copy, word);
    const bool mean = json_array_size(copy) < before;
    json_decref(copy);
    return mean;
}

/* Change issues by what a column says now and showed before. */
static void issues_apply(struct making *m, const struct column *column, json_t *issues)
{
    json_t *const now = words_read(m, column, cell_of(m, column));
    json_t *const before = words_split(spean_jsonget_text(m->shown, column->name));
    for (size_t i = 0; i < json_array_size(before); i++) {
        char word[SPEAN_CODEWORDS_TERM_BYTES] = "";
        const char *const shown = json_string_value(json_array_get(before, i));
        const bool is_word = word_read(m->words, column, shown, word);
        if (!array_has(now, is_word ? word : shown)) {
            issues_drop(m->words, column, issues, is_word ? word : shown);
        }
    }
    for (size_t i = 0; m->err == SPEAN_OK && i < json_array_size(now); i++) {
        const char *const word = json_string_value(json_array_get(now, i));
        char code[SPEAN_CODE_BYTES_MAX + 1];
        if (issues_mean(m->words, column, issues, word)) {
            continue;
        }
        if (column->more == NULL) {
            (void)snprintf(code, sizeof(code), "%s", word); /* It is a code. */
        } else {
            spean_htcds_issue_read(m->words, word, code);
        }
        keep(m, json_array_append_new(issues, json_string(code)) == 0 ? SPEAN_OK : SPEAN_ENOMEM);
    }
    json_decref(now);
    json_decref(before);
}

/* All columns of issues at once: first ours, which say more, then the words of HTCDS. */
static void issues_make(struct making *m)
{
    const json_t *const there = json_object_get(m->fields, "issues");
    json_t *const issues = json_array();
    keep(m, issues == NULL ||
                    (there != NULL && json_array_extend(issues, (json_t *)(uintptr_t)there) != 0)
                ? SPEAN_ENOMEM
                : SPEAN_OK);
    for (size_t i = COLUMNS_COUNT; m->err == SPEAN_OK && i > 0; i--) {
        const struct column *const column = &columns[i - 1];
        if (column->unit == UNIT_ISSUES && is_changed(m, column)) {
            issues_apply(m, column, issues);
        }
    }
    if (m->err == SPEAN_OK) {
        set_make(m, "issues", there, issues);
    }
    json_decref(issues);
}

/* -- A whole row ----------------------------------------------------------------------------- */

static void column_make(struct making *m, const struct column *column)
{
    switch (column->unit) {
    case UNIT_ID:
    case UNIT_JOIN:
        break; /* Read elsewhere. */
    case UNIT_STR:
    case UNIT_DATE:
    case UNIT_CODE:
    case UNIT_TEXT:
        value_make(m, column);
        break;
    case UNIT_NAME:
    case UNIT_NAME_OTHER:
        name_make(m, column);
        break;
    case UNIT_LANGUAGE:
        language_make(m, column);
        break;
    case UNIT_COUNTRIES:
        countries_make(m, column);
        break;
    case UNIT_DOCUMENT:
    case UNIT_CONTACT:
        item_make(m, column);
        break;
    case UNIT_MAP:
        map_make(m, column);
        break;
    case UNIT_ISSUES:
        issues_make(m);
        break;
    }
}

/* Whether columns of this unit are written by the first of them that changed. */
static bool is_together(const struct column *a, const struct column *b)
{
    const bool together = a->unit == UNIT_NAME || a->unit == UNIT_NAME_OTHER ||
                          a->unit == UNIT_MAP || a->unit == UNIT_ISSUES;
    return together && a->unit == b->unit && strcmp(a->field, b->field) == 0;
}

static bool is_written(const struct making *m, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (is_together(&columns[i], &columns[index]) && is_changed(m, &columns[i])) {
            return true;
        }
    }
    return false;
}

/* The row with the columns that are joined to others put there, a new object; NULL: no memory. */
static json_t *row_join(const json_t *row)
{
    json_t *const joined = json_copy((json_t *)(uintptr_t)row); /* Only read. */
    for (size_t i = COLUMNS_COUNT - JOINS_COUNT; joined != NULL && i < COLUMNS_COUNT; i++) {
        const char *const more = spean_jsonget_text(row, columns[i].name);
        const char *const base = spean_jsonget_text(row, columns[i].field);
        if (more[0] != '\0' &&
            json_object_set_new(
                joined, columns[i].field,
                json_sprintf("%s%s%s", base, base[0] == '\0' ? "" : columns[i].more, more)) != 0) {
            json_decref(joined);
            return NULL;
        }
    }
    return joined;
}

spean_err spean_htcds_edit(const json_t *row, const json_t *record, const char *lang,
                           const struct spean_codewords *words, json_t **edit,
                           struct spean_htcds_why *why)
{
    assert(json_is_object(row));
    assert(edit != NULL);
    assert(why != NULL);
    json_t *const joined = row_join(row);
    json_t *const shown = record == NULL ? json_object() : spean_htcds_show(record, lang, words);
    struct making m = {.row = joined,
                       .shown = shown,
                       .fields = json_object_get(record, "fields"),
                       .lang = lang,
                       .words = words,
                       .edit = json_object(),
                       .why = why};
    m.err = joined == NULL || shown == NULL || m.edit == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    *why = (struct spean_htcds_why){.column = NULL};
    for (size_t i = 0; m.err == SPEAN_OK && i < COLUMNS_COUNT; i++) {
        if (is_changed(&m, &columns[i]) && !is_written(&m, i)) {
            column_make(&m, &columns[i]);
        }
    }
    json_decref(joined);
    json_decref(shown);
    if (m.err != SPEAN_OK) {
        json_decref(m.edit);
        return m.err;
    }
    *edit = m.edit;
    return SPEAN_OK;
}
