#include "tools/hsds.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "protocol/bytes.h"
#include "protocol/codes.h"
#include "tools/countries.h"
#include "tools/edit.h"
#include "tools/hsdsshape.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"

#define PLACE_BYTES_MAX     256u
#define TEXT_BYTES_MAX      4096u
#define PHONE_BYTES_MAX     21u  /* SCHEMA.md, map phone, with a NUL. */
#define VALUE_BYTES_MAX     128u /* SCHEMA.md, map identifier. */
#define NAME_BYTES_MAX      256u /* SCHEMA.md, place. */
#define POSTAL_BYTES_MAX    16u
#define EXTENSION_BYTES_MAX 16u /* SCHEMA.md, map phone. */
#define COUNT_NAME_BYTES    128u
#define CLOCK_CHARS         5 /* "10:00" of "10:00:00" */

/* One file that is being read. */
struct reading {
    struct spean_hsds out;
    const char *lang;
    const char *kind;
    const char *country;
    const struct spean_codewords *words;
    json_t *edit;                /* Of the row at hand. */
    char place[PLACE_BYTES_MAX]; /* Of the row at hand. */
    spean_err err;               /* Sticky: SPEAN_ENOMEM. */
};

const char *spean_hsds_own_id(const json_t *object)
{
    const char *const id = spean_jsonget_text(object, "id");
    const bool ours =
        strlen(id) == SPEAN_HSDS_ID_LEN && strspn(id, "0123456789abcdef") == SPEAN_HSDS_ID_LEN;
    return ours ? id : NULL;
}

static void fail(struct reading *r)
{
    r->err = SPEAN_ENOMEM;
}

/* Write where an object stands that is a part of another, at above: in a row of a file of its own,
 * if it brings its place along, else under key; index SIZE_MAX: it is not in a list. */
static void place_within(const json_t *object, const char *above, const char *key, size_t index,
                         char out[PLACE_BYTES_MAX])
{
    const char *const own = spean_jsonget_text(object, SPEAN_HSDS_PLACE);
    if (own[0] != '\0') {
        (void)snprintf(out, PLACE_BYTES_MAX, "%s", own); /* As in complain(). */
    } else if (index == SIZE_MAX) {
        (void)snprintf(out, PLACE_BYTES_MAX, "%s.%s", above, key); /* Likewise. */
    } else {
        (void)snprintf(out, PLACE_BYTES_MAX, "%s.%s[%zu]", above, key, index); /* Likewise. */
    }
}

/* Tell what is wrong at a place below the row, or in a row of another file; the row goes on without
 * it. */
static void complain(struct reading *r, const char *reason, const char *where, ...)
    __attribute__((format(printf, 3, 4)));

static void complain(struct reading *r, const char *reason, const char *where, ...)
{
    char below[PLACE_BYTES_MAX];
    char full[2 * PLACE_BYTES_MAX];
    va_list args;
    va_start(args, where);
    (void)vsnprintf(below, sizeof(below), where, args); /* A place that is cut is still one. */
    va_end(args);
    const bool is_below = below[0] == '.' || below[0] == '\0';
    (void)snprintf(full, sizeof(full), "%s%s", is_below ? r->place : "", below);
    const size_t told = json_array_size(r->out.errors);
    const json_t *const last = told == 0 ? NULL : json_array_get(r->out.errors, told - 1);
    const char *const last_place = json_string_value(json_object_get(last, "place"));
    if (last_place != NULL && strcmp(last_place, full) == 0) {
        (void)json_array_remove(r->out.errors, told - 1); /* What follows from it says more. */
    }
    if (json_array_append_new(r->out.errors,
                              json_pack("{s:s,s:s}", "place", full, "error", reason)) != 0) {
        fail(r);
    }
}

/* Count a key that is not read. */
static void count_left(struct reading *r, enum spean_hsds_kind kind, const char *key)
{
    char name[COUNT_NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%s.%s", spean_hsds_kind_name(kind),
                   key); /* Long names share a count. */
    const json_int_t before = json_integer_value(json_object_get(r->out.left, name));
    if (json_object_set_new(r->out.left, name, json_integer(before + 1)) != 0) {
        fail(r);
    }
}

/* Whether nothing is lost without a key: it says only which rows belong together, or that hours
 * come each week, as ours do. */
static bool is_needless(const char *name, const json_t *value)
{
    const size_t len = strlen(name);
    const char *const text = json_string_value(value);
    return json_is_null(value) || strcmp(name, "id") == 0 ||
           (len > 3 && strcmp(name + len - 3, "_id") == 0) || strncmp(name, "link_", 5) == 0 ||
           strcmp(name, SPEAN_HSDS_PLACE) == 0 ||
           (strcmp(name, "freq") == 0 && text != NULL && strcmp(text, "WEEKLY") == 0);
}

/* Tell which keys of an object without lists are not what they must be, and count the rest. */
static void leaf_check(struct reading *r, enum spean_hsds_kind kind, json_t *object,
                       const char *above)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const struct spean_hsds_key *const key = spean_hsds_key(kind, name);
        const char *const misfit = key == NULL ? NULL : spean_hsds_misfit(key->shape, value);
        if (misfit != NULL) {
            complain(r, misfit, "%s.%s", above, name);
        } else if (key == NULL && !is_needless(name, value)) {
            count_left(r, kind, name);
        }
    }
    if (kind == SPEAN_HSDS_LANGUAGE && spean_jsonget_text(object, "code")[0] == '\0') {
        complain(r, _("a language needs its code by ISO 639; it is left out"), "%s.code", above);
    }
}

/* Tell which items of a list are no objects, and check those that hold no lists themselves. */
static void items_check(struct reading *r, enum spean_hsds_kind kind, const json_t *list,
                        const char *above, const char *key)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *const item = json_array_get(list, i);
        const char *const misfit = spean_hsds_misfit(SPEAN_HSDS_OBJECT, item);
        char place[PLACE_BYTES_MAX];
        place_within(item, above, key, i, place);
        if (misfit != NULL) {
            complain(r, misfit, "%s", place);
        } else if (spean_hsds_kind_is_leaf(kind)) {
            leaf_check(r, kind, item, place);
        }
    }
}

/* Count the keys of object that are not read, and tell which of the others are not what they must
 * be: what reads them passes these over. */
static void keys_check(struct reading *r, enum spean_hsds_kind kind, json_t *object,
                       const char *above)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const struct spean_hsds_key *const key = spean_hsds_key(kind, name);
        const char *const misfit = key == NULL ? NULL : spean_hsds_misfit(key->shape, value);
        char place[PLACE_BYTES_MAX];
        (void)snprintf(place, sizeof(place), "%s.%s", above, name); /* As in complain(). */
        if (key == NULL && (json_is_null(value) || strcmp(name, SPEAN_HSDS_PLACE) == 0)) {
            continue;
        }
        if (key == NULL) {
            count_left(r, kind, name);
        } else if (misfit != NULL) {
            complain(r, misfit, "%s", place);
        } else if (key != NULL && key->shape == SPEAN_HSDS_LIST) {
            items_check(r, key->items, value, above, name);
        }
    }
}

/* The text under key, if there is any. */
static const char *text_get(const json_t *object, const char *key)
{
    const char *const text = json_string_value(json_object_get(object, key));
    return text == NULL || text[0] == '\0' ? NULL : text;
}

/* A text value in the language of the file. */
static json_t *text_make(const struct reading *r, const char *text)
{
    return json_pack("{s:s}", r->lang, text);
}

static void set(struct reading *r, const char *field, json_t *value)
{
    if (spean_edit_set(r->edit, "set", field, value) != SPEAN_OK) {
        fail(r);
    }
}

static bool has_field(const struct reading *r, const char *field)
{
    return json_object_get(json_object_get(r->edit, "set"), field) != NULL;
}

/* Add value, which is taken, to a set field, unless it is there. */
static void add(struct reading *r, const char *field, json_t *value)
{
    const json_t *const there = json_object_get(json_object_get(r->edit, "add"), field);
    for (size_t i = 0; i < json_array_size(there); i++) {
        if (json_equal(json_array_get(there, i), value)) {
            json_decref(value);
            return;
        }
    }
    if (json_array_size(there) == SPEAN_HSDS_PARTS_MAX) {
        complain(r, _("too many; the rest is left out"), ".%s", field);
        json_decref(value);
        return;
    }
    if (spean_edit_append(r->edit, "add", field, value) != SPEAN_OK) {
        fail(r);
    }
}

/* Put value, which is taken, under key of an object; NULL: memory ran out. */
static void put(struct reading *r, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        fail(r);
    }
}

static bool is_code(const char *text)
{
    return spean_codes_valid((struct spean_view){(const uint8_t *)text, strlen(text)});
}

/* Make a code of any text: small letters, '_' for what a code cannot hold. */
static bool code_make(const char *text, char out[SPEAN_CODE_BYTES_MAX + 1])
{
    const size_t len = strlen(text);
    if (len == 0 || len > SPEAN_CODE_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i <= len; i++) {
        const char small = (char)tolower((unsigned char)text[i]);
        const bool fits = isalnum((unsigned char)small) || strchr("_.:-", small) != NULL;
        out[i] = text[i] == '\0' ? '\0' : (fits ? small : '_');
    }
    return is_code(out);
}

/* Languages of an object, each once, into an array that may stay empty. */
static json_t *languages_make(struct reading *r, const json_t *object)
{
    json_t *const codes = json_array();
    const json_t *const languages = json_object_get(object, "languages");
    for (size_t i = 0; i < json_array_size(languages) && i < SPEAN_HSDS_PARTS_MAX; i++) {
        const char *const code = text_get(json_array_get(languages, i), "code");
        if (code != NULL && json_array_append_new(codes, json_string(code)) != 0) {
            fail(r);
        }
    }
    return codes;
}

static void languages_add(struct reading *r, const json_t *object)
{
    json_t *const codes = languages_make(r, object);
    for (size_t i = 0; i < json_array_size(codes); i++) {
        add(r, "languages", json_incref(json_array_get(codes, i)));
    }
    json_decref(codes);
}

/* Put the languages of from under "languages" of to, if it has any. */
static void languages_put(struct reading *r, json_t *to, const json_t *from)
{
    json_t *const codes = languages_make(r, from);
    if (json_array_size(codes) > 0) {
        put(r, to, "languages", codes);
        return;
    }
    json_decref(codes);
}

/* Bring a number into digits with perhaps a plus in front. False: it is no telephone number. */
static bool phone_clean(const char *text, char out[PHONE_BYTES_MAX])
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        if (strchr(" -().\"/", *text) != NULL) {
            continue;
        }
        const bool fits = (*text >= '0' && *text <= '9') || (*text == '+' && used == 0);
        if (!fits || used == PHONE_BYTES_MAX - 1) {
            return false;
        }
        out[used++] = *text;
    }
    out[used] = '\0';
    return used > (out[0] == '+' ? 3u : 1u);
}

/* Why a telephone is left out as a whole. */
static const char *number_misfit(const json_t *phone)
{
    const char *const misfit = spean_hsds_misfit(SPEAN_HSDS_TEXT, json_object_get(phone, "number"));
    return misfit != NULL ? misfit : _("this is no telephone number; it is left out");
}

/* The extension as a text, if there is one that an agency has room for. */
static void extension_put(struct reading *r, json_t *value, const json_t *phone, const char *above)
{
    const json_t *const extension = json_object_get(phone, "extension");
    char digits[24];
    (void)snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
                   json_integer_value(extension)); /* 20 characters at most. */
    const char *const text = json_is_integer(extension) ? digits : text_get(phone, "extension");
    if (text != NULL && strlen(text) > EXTENSION_BYTES_MAX) {
        complain(r, _("this is too long; it is left out"), "%s.extension", above);
    } else if (text != NULL) {
        put(r, value, "extension", json_string(text));
    }
}

/* Put the code of list that the text under key means, or that is made of it, if there is any. */
static void code_put(struct reading *r, json_t *value, const char *as, const char *list,
                     const json_t *object, const char *key, const char *above)
{
    char code[SPEAN_CODE_BYTES_MAX + 1];
    const char *const text = text_get(object, key);
    if (text != NULL &&
        (spean_codewords_find(r->words, list, text, code) || code_make(text, code))) {
        put(r, value, as, json_string(code));
    } else if (text != NULL) {
        complain(r, _("this is no code; it is left out"), "%s.%s", above, key);
    }
}

static void phone_add(struct reading *r, json_t *phone, const char *above, size_t index)
{
    char number[PHONE_BYTES_MAX];
    char place[PLACE_BYTES_MAX];
    const char *const text = text_get(phone, "number");
    if (!json_is_object(phone)) {
        return; /* Told when its list was checked. */
    }
    place_within(phone, above, "phones", index, place);
    if (text == NULL || !phone_clean(text, number)) {
        complain(r, number_misfit(phone), "%s.number", place);
        return;
    }
    keys_check(r, SPEAN_HSDS_PHONE, phone, place);
    json_t *const value = json_pack("{s:s}", "number", number);
    if (value == NULL) {
        fail(r);
        return;
    }
    code_put(r, value, "type", "phone_type", phone, "type", place);
    languages_put(r, value, phone);
    extension_put(r, value, phone, place);
    add(r, "phones", value);
}

/* Telephones and the way to people: of an organization, a service, a location. Names of people who
 * answer are left where they are: agencies are public. */
static void reach_add(struct reading *r, const json_t *object, const char *above)
{
    const json_t *const phones = json_object_get(object, "phones");
    for (size_t i = 0; i < json_array_size(phones); i++) {
        phone_add(r, json_array_get(phones, i), above, i);
    }
    const json_t *const contacts = json_object_get(object, "contacts");
    for (size_t i = 0; i < json_array_size(contacts); i++) {
        json_t *const contact = json_array_get(contacts, i);
        char place[PLACE_BYTES_MAX];
        place_within(contact, above, "contacts", i, place);
        keys_check(r, SPEAN_HSDS_CONTACT, contact, place);
        if (!has_field(r, "email") && text_get(contact, "email") != NULL) {
            set(r, "email", json_string(text_get(contact, "email")));
        }
        const json_t *const theirs = json_object_get(contact, "phones");
        for (size_t k = 0; k < json_array_size(theirs); k++) {
            phone_add(r, json_array_get(theirs, k), place, k);
        }
    }
}

/* Write opening hours as text: as described, or days and times. "" if there are none. */
static void hours_write(const json_t *object, char out[TEXT_BYTES_MAX])
{
    const json_t *const schedules = json_object_get(object, "schedules");
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(schedules); i++) {
        const json_t *const schedule = json_array_get(schedules, i);
        const char *const said = text_get(schedule, "description");
        const char *const days = text_get(schedule, "byday");
        const char *const opens = text_get(schedule, "opens_at");
        const char *const closes = text_get(schedule, "closes_at");
        char text[TEXT_BYTES_MAX] = "";
        if (said != NULL) {
            (void)snprintf(text, sizeof(text), "%s", said);
        } else if (opens != NULL && closes != NULL) {
            (void)snprintf(text, sizeof(text), "%s%s%.*s-%.*s", days == NULL ? "" : days,
                           days == NULL ? "" : " ", CLOCK_CHARS, opens, CLOCK_CHARS, closes);
        }
        const size_t len = strlen(text);
        if (len > 0 && strstr(out, text) == NULL && len + 2 < TEXT_BYTES_MAX - used) {
            used += (size_t)snprintf(out + used, TEXT_BYTES_MAX - used, "%s%s",
                                     used == 0 ? "" : "; ", text); /* Fits: len was checked. */
        }
    }
}

/* Join the parts of an address that are not the city. */
static void lines_write(const json_t *address, char out[TEXT_BYTES_MAX])
{
    static const char *const parts[] = {"address_1", "address_2", "region", "state_province"};
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const char *const part = text_get(address, parts[i]);
        if (part != NULL && strlen(part) + 2 < TEXT_BYTES_MAX - used) {
            used += (size_t)snprintf(out + used, TEXT_BYTES_MAX - used, "%s%s",
                                     used == 0 ? "" : ", ", part);
        }
    }
}

static void address_add(struct reading *r, json_t *address, const char *above, size_t index)
{
    const char *const country = text_get(address, "country");
    const char *const city = text_get(address, "city");
    const char *const postal = text_get(address, "postal_code");
    char lines[TEXT_BYTES_MAX];
    char where[PLACE_BYTES_MAX];
    place_within(address, above, "addresses", index, where);
    keys_check(r, SPEAN_HSDS_ADDRESS, address, where);
    if (country != NULL && !spean_countries_is_code(country)) {
        complain(r, _("a country is two capital letters by ISO 3166; the address is left out"),
                 "%s.country", where);
        return;
    }
    json_t *const value = json_object();
    lines_write(address, lines);
    const bool good_city = city != NULL && strlen(city) <= NAME_BYTES_MAX;
    if (city != NULL && !good_city) {
        complain(r, _("this is too long; it is left out"), "%s.city", where);
    }
    if (country != NULL || good_city) {
        put(r, value, "place",
            json_pack("{s:s,s:s,s:s}", "country", country == NULL ? "" : country, "code", "",
                      "name", good_city ? city : ""));
    }
    code_put(r, value, "kind", "address_kind", address, "address_type", where);
    if (lines[0] != '\0') {
        put(r, value, "lines", text_make(r, lines));
    }
    if (postal != NULL && strlen(postal) <= POSTAL_BYTES_MAX) {
        put(r, value, "postal_code", json_string(postal));
    } else if (postal != NULL) {
        complain(r, _("this is too long; it is left out"), "%s.postal_code", where);
    }
    if (country != NULL && !has_field(r, "country")) {
        set(r, "country", json_string(country));
    }
    if (json_object_size(value) == 0) {
        json_decref(value);
        return;
    }
    add(r, "addresses", value);
}

static void location_add(struct reading *r, json_t *location, const char *above)
{
    char hours[TEXT_BYTES_MAX];
    keys_check(r, SPEAN_HSDS_LOCATION, location, above);
    const json_t *const addresses = json_object_get(location, "addresses");
    for (size_t i = 0; i < json_array_size(addresses); i++) {
        address_add(r, json_array_get(addresses, i), above, i);
    }
    reach_add(r, location, above);
    languages_add(r, location);
    hours_write(location, hours);
    if (hours[0] != '\0' && !has_field(r, "hours")) {
        set(r, "hours", text_make(r, hours));
    }
}

/* Whether a term with which an object is tagged means a code of list. Terms of our own exports name
 * the list, and whatever code they have is one. */
static bool term_means(const struct reading *r, const json_t *term, const char *list,
                       char out[SPEAN_CODE_BYTES_MAX + 1])
{
    const char *const code = spean_jsonget_text(term, "code");
    if (strcmp(spean_jsonget_text(term, "taxonomy"), list) == 0) {
        return spean_codewords_take(r->words, list, code, out);
    }
    return spean_codewords_find(r->words, list, code, out) ||
           spean_codewords_find(r->words, list, spean_jsonget_text(term, "name"), out);
}

/* Find, among the terms that an object is tagged with, a code of one of our lists, and count those
 * that mean none. */
static bool term_find(struct reading *r, const json_t *object, const char *list,
                      char out[SPEAN_CODE_BYTES_MAX + 1])
{
    const json_t *const attributes = json_object_get(object, "attributes");
    bool found = false;
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const json_t *const term = json_object_get(json_array_get(attributes, i), "taxonomy_term");
        const char *const code = spean_jsonget_text(term, "code");
        char means[SPEAN_CODE_BYTES_MAX + 1];
        char name[COUNT_NAME_BYTES];
        if (!json_is_object(term)) {
            continue; /* Told when it was checked. */
        }
        if (!term_means(r, term, list, means)) {
            (void)snprintf(name, sizeof(name), "taxonomy_term %s",
                           code[0] != '\0' ? code
                                           : spean_jsonget_text(term, "name")); /* Cut will do. */
            count_left(r, SPEAN_HSDS_ATTRIBUTE, name);
        } else if (!found) {
            memcpy(out, means, sizeof(means));
            found = true;
        } else if (strcmp(out, means) != 0) {
            (void)snprintf(name, sizeof(name), "taxonomy_term %s", means); /* Fits. */
            count_left(r, SPEAN_HSDS_ATTRIBUTE, name); /* There is room for one. */
        }
    }
    return found;
}

/* Put what a service says in words. */
static void service_texts_put(struct reading *r, json_t *value, const json_t *service)
{
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {{"name", "name"},
                {"description", "description"},
                {"eligibility_description", "eligibility"},
                {"fees", "fees"},
                {"fees_description", "fees"}}; /* The longer one counts. */
    char hours[TEXT_BYTES_MAX];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const text = text_get(service, rows[i].from);
        if (text != NULL) {
            put(r, value, rows[i].to, text_make(r, text));
        }
    }
    hours_write(service, hours);
    if (hours[0] != '\0') {
        put(r, value, "hours", text_make(r, hours));
    }
}

static void areas_put(struct reading *r, json_t *value, const json_t *service, const char *above)
{
    const json_t *const areas = json_object_get(service, "service_areas");
    json_t *const places = json_array();
    for (size_t i = 0; i < json_array_size(areas) && i < SPEAN_HSDS_PARTS_MAX; i++) {
        const char *const name = text_get(json_array_get(areas, i), "name");
        if (name == NULL || strlen(name) > NAME_BYTES_MAX) {
            char place[PLACE_BYTES_MAX];
            place_within(json_array_get(areas, i), above, "service_areas", i, place);
            complain(r, _("a service area needs a name of at most 256 bytes; it is left out"),
                     "%s.name", place);
        } else if (json_array_append_new(places, json_pack("{s:s,s:s,s:s}", "country", "", "code",
                                                           "", "name", name)) != 0) {
            fail(r);
        }
    }
    if (json_array_size(places) > 0) {
        put(r, value, "area", places);
        return;
    }
    json_decref(places);
}

/* The places where a service is given. */
static void places_add(struct reading *r, const json_t *service, const char *above)
{
    const json_t *const places = json_object_get(service, "service_at_locations");
    for (size_t i = 0; i < json_array_size(places); i++) {
        json_t *const place = json_array_get(places, i);
        json_t *const location = json_object_get(place, "location");
        char where[PLACE_BYTES_MAX];
        place_within(place, above, "service_at_locations", i, where);
        keys_check(r, SPEAN_HSDS_AT_LOCATION, place, where);
        reach_add(r, place, where);
        if (json_is_object(location)) {
            char inner[PLACE_BYTES_MAX];
            place_within(location, where, "location", SIZE_MAX, inner);
            location_add(r, location, inner);
        }
    }
}

static void service_add(struct reading *r, json_t *service, const char *above)
{
    const char *const assured = text_get(service, "assured_date");
    char code[SPEAN_CODE_BYTES_MAX + 1];
    if (!json_is_object(service)) {
        return; /* Told when its list was checked. */
    }
    keys_check(r, SPEAN_HSDS_SERVICE, service, above);
    if (text_get(service, "name") == NULL) {
        complain(r, _("a service needs a name that is a text; it is left out"), "%s.name", above);
        return;
    }
    json_t *const value = json_object();
    service_texts_put(r, value, service);
    if (term_find(r, service, "service", code)) {
        put(r, value, "code", json_string(code));
    }
    code_put(r, value, "status", "service_status", service, "status", above);
    if (assured != NULL) {
        put(r, value, "assured_on", json_string(assured));
    }
    languages_put(r, value, service);
    areas_put(r, value, service, above);
    add(r, "services", value);
    reach_add(r, service, above);
    languages_add(r, service);
    places_add(r, service, above);
}

/* Add the identifiers; give the first as what the agency is found by again. */
static json_t *identifiers_add(struct reading *r, const json_t *organization, const char *above)
{
    const json_t *const rows = json_object_get(organization, "organization_identifiers");
    json_t *match = NULL;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *const row = json_array_get(rows, i);
        if (!json_is_object(row)) {
            continue; /* Told when its list was checked. */
        }
        const char *const value = text_get(row, "identifier");
        const char *const misfit =
            spean_hsds_misfit(SPEAN_HSDS_TEXT, json_object_get(row, "identifier"));
        const char *const scheme = text_get(row, "identifier_scheme");
        const char *const type = text_get(row, "identifier_type");
        const char *const said = scheme != NULL ? scheme : type != NULL ? type : "other";
        char code[SPEAN_CODE_BYTES_MAX + 1];
        if (value == NULL || strlen(value) > VALUE_BYTES_MAX ||
            (!spean_codewords_find(r->words, "identifier_scheme", said, code) &&
             !code_make(said, code))) {
            char place[PLACE_BYTES_MAX];
            place_within(row, above, "organization_identifiers", i, place);
            complain(r, _("this is no identifier; it is left out"), "%s%s", place,
                     misfit == NULL ? "" : ".identifier");
            continue;
        }
        json_t *const identifier = json_pack("{s:s,s:s}", "scheme", code, "value", value);
        match = match == NULL ? json_incref(identifier) : match;
        add(r, "identifiers", identifier);
    }
    const char *const tax = text_get(organization, "tax_id");
    const char *const id = text_get(organization, "id");
    if (tax != NULL && strlen(tax) <= VALUE_BYTES_MAX) {
        json_t *const identifier = json_pack("{s:s,s:s}", "scheme", "tax_id_number", "value", tax);
        match = match == NULL ? json_incref(identifier) : match;
        add(r, "identifiers", identifier);
    }
    if (match == NULL && id != NULL && strlen(id) <= VALUE_BYTES_MAX) {
        match = json_pack("{s:s,s:s}", "scheme", "hsds", "value", id);
        add(r, "identifiers", json_incref(match));
    }
    return match;
}

/* Fill the edit with everything that the organization says about itself. */
static void organization_fill(struct reading *r, json_t *organization, const char *above)
{
    static const char *const plain[] = {"email", "website"};
    char kind[SPEAN_CODE_BYTES_MAX + 1];
    const bool has_kind = term_find(r, organization, "agency_kind", kind);
    const char *const alias = text_get(organization, "alternate_name");
    const char *const description = text_get(organization, "description");
    set(r, "names", text_make(r, text_get(organization, "name")));
    if (description != NULL) {
        set(r, "description", text_make(r, description));
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (text_get(organization, plain[i]) != NULL) {
            set(r, plain[i], json_string(text_get(organization, plain[i])));
        }
    }
    if (alias != NULL) {
        add(r, "aliases", text_make(r, alias));
    }
    if (has_kind || r->kind != NULL) {
        set(r, "kind", json_string(has_kind ? kind : r->kind));
    }
    reach_add(r, organization, above);
    const json_t *const locations = json_object_get(organization, "locations");
    for (size_t i = 0; i < json_array_size(locations); i++) {
        char place[PLACE_BYTES_MAX];
        place_within(json_array_get(locations, i), above, "locations", i, place);
        location_add(r, json_array_get(locations, i), place);
    }
    const json_t *const services = json_object_get(organization, "services");
    for (size_t i = 0; i < json_array_size(services); i++) {
        char place[PLACE_BYTES_MAX];
        place_within(json_array_get(services, i), above, "services", i, place);
        service_add(r, json_array_get(services, i), place);
    }
}

/* Read one organization, at above in its row, into an item; service (may be NULL) is the one that
 * brought it along, at its own place in the row. */
static void organization_read(struct reading *r, json_t *organization, const char *above,
                              json_t *service, const char *service_above)
{
    keys_check(r, SPEAN_HSDS_ORGANIZATION, organization, above);
    if (text_get(organization, "name") == NULL) {
        complain(r, _("an organization needs a name that is a text; it is left out"), "%s.name",
                 above);
        r->out.failed++;
        return;
    }
    r->edit = json_object();
    json_t *const match = identifiers_add(r, organization, above);
    if (match == NULL) {
        complain(r,
                 _("an organization needs an identifier, or an id that is a text; it is left out"),
                 "%s.id", above);
        r->out.failed++;
        json_decref(r->edit);
        return;
    }
    organization_fill(r, organization, above);
    if (service != NULL) {
        service_add(r, service, service_above);
    }
    if (r->country != NULL && !has_field(r, "country")) {
        set(r, "country", json_string(r->country));
    }
    json_t *const item =
        json_pack("{s:s,s:o,s:o}", "place", r->place, "match", match, "edit", r->edit);
    const char *const own = spean_hsds_own_id(organization);
    if (own != NULL) {
        put(r, item, "id", json_string(own));
    }
    if (json_array_append_new(r->out.items, item) != 0) {
        fail(r);
    }
}

/* What a row brings along must be an object, or it would be taken for something else. */
static bool brings_object(struct reading *r, const json_t *object, const char *key,
                          const char *above)
{
    const json_t *const value = json_object_get(object, key);
    const char *const misfit = spean_hsds_misfit(SPEAN_HSDS_OBJECT, value);
    if (misfit != NULL) {
        complain(r, misfit, "%s.%s", above, key);
        r->out.failed++;
    }
    return misfit == NULL;
}

/* Find out what a row is and read it. */
static void row_read(struct reading *r, json_t *row)
{
    json_t *const at_location = json_object_get(row, "service");
    const bool within = json_is_object(at_location);
    json_t *const service = within ? at_location : row;
    json_t *const around = json_object_get(service, "organization");
    if (!brings_object(r, row, "service", "") ||
        !brings_object(r, service, "organization", within ? ".service" : "")) {
        return;
    }
    const bool other =
        json_object_get(row, "location_type") != NULL || json_object_get(row, "status") != NULL ||
        json_object_get(row, "version") != NULL || json_object_get(row, "taxonomy") != NULL ||
        json_object_get(row, "term_uri") != NULL;
    if (json_is_object(around)) {
        if (within) {
            keys_check(r, SPEAN_HSDS_AT_LOCATION, row, "");
        }
        organization_read(r, around, within ? ".service.organization" : ".organization", service,
                          within ? ".service" : "");
    } else if (!within && !other && json_object_get(row, "id") != NULL) {
        organization_read(r, row, "", NULL, NULL);
    } else {
        complain(r, _("this is no organization, and brings none along"), "%s", "");
        r->out.failed++;
    }
}

/* Read the rows of an array; where says what its place begins with. */
static spean_err rows_read(struct reading *r, const json_t *rows, const char *where)
{
    if (json_array_size(rows) > SPEAN_HSDS_ROWS_MAX) {
        return SPEAN_ELIMIT;
    }
    for (size_t i = 0; r->err == SPEAN_OK && i < json_array_size(rows); i++) {
        const char *const place = text_get(json_array_get(rows, i), SPEAN_HSDS_PLACE);
        if (place == NULL) {
            (void)snprintf(r->place, sizeof(r->place), "%s[%zu]", where, i); /* Fits. */
        } else {
            (void)snprintf(r->place, sizeof(r->place), "%s", place); /* Cut is good enough. */
        }
        row_read(r, json_array_get(rows, i));
    }
    return r->err;
}

spean_err spean_hsds_read(const json_t *file, const char *lang, const char *kind,
                          const char *country, const struct spean_codewords *words,
                          struct spean_hsds *out)
{
    assert(file != NULL);
    assert(lang != NULL);
    assert(out != NULL);
    struct reading r = {
        .lang = lang, .kind = kind, .country = country, .words = words, .err = SPEAN_OK};
    r.out =
        (struct spean_hsds){.items = json_array(), .errors = json_array(), .left = json_object()};
    const json_t *const contents = json_object_get(file, "contents");
    spean_err err;
    if (json_is_array(file)) {
        err = rows_read(&r, file, "$");
    } else if (json_is_array(contents)) {
        err = rows_read(&r, contents, "$.contents");
    } else {
        json_t *const rows = json_pack("[O]", file);
        (void)snprintf(r.place, sizeof(r.place), "$"); /* Fits. */
        row_read(&r, json_array_get(rows, 0));
        json_decref(rows);
        err = r.err;
    }
    if (err != SPEAN_OK) {
        spean_hsds_fini(&r.out);
        return err;
    }
    *out = r.out;
    return SPEAN_OK;
}

void spean_hsds_fini(struct spean_hsds *hsds)
{
    assert(hsds != NULL);
    json_decref(hsds->items);
    json_decref(hsds->errors);
    json_decref(hsds->left);
}
