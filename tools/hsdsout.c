#include "tools/hsdsout.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/hsds.h"
#include "tools/jsonget.h"
#include "tools/show.h"

#define ID_BYTES 96u /* Of a part: the agency's id, what it is, its number. */

/* What is being written. */
struct writing {
    const json_t *fields;
    const char *id;
    const char *lang;
    bool failed;
};

/* Put value, which is taken, under key. */
static void put(struct writing *w, json_t *object, const char *key, json_t *value)
{
    w->failed = json_object_set_new(object, key, value) != 0 || w->failed;
}

static void put_text(struct writing *w, json_t *object, const char *key, const char *text)
{
    if (text[0] != '\0') {
        put(w, object, key, json_string(text));
    }
}

/* Put a text of several languages in the one of the file. */
static void put_words(struct writing *w, json_t *object, const char *key, json_t *text)
{
    put_text(w, object, key, spean_show_text(text, w->lang));
}

/* Append value, which is taken, to the array under key, which is made. */
static void push(struct writing *w, json_t *object, const char *key, json_t *value)
{
    json_t *array = json_object_get(object, key);
    if (array == NULL) {
        array = json_array();
        put(w, object, key, array);
    }
    w->failed = json_array_append_new(array, value) != 0 || w->failed;
}

/* A part of the agency with an id that stays the same as long as its place does. */
static json_t *part_make(struct writing *w, const char *what, size_t index)
{
    char id[ID_BYTES];
    (void)snprintf(id, sizeof(id), "%.32s-%s-%zu", w->id, what, index); /* Fits. */
    json_t *const part = json_object();
    put(w, part, "id", json_string(id));
    return part;
}

static void languages_push(struct writing *w, json_t *object, const json_t *languages)
{
    for (size_t i = 0; i < json_array_size(languages); i++) {
        json_t *const language = part_make(w, "language", i);
        put(w, language, "code", json_incref(json_array_get(languages, i)));
        push(w, object, "languages", language);
    }
}

/* Opening hours, which are words here. */
static void hours_push(struct writing *w, json_t *object, json_t *hours)
{
    const char *const text = spean_show_text(hours, w->lang);
    if (text[0] != '\0') {
        json_t *const schedule = part_make(w, "schedule", 0);
        put(w, schedule, "description", json_string(text));
        push(w, object, "schedules", schedule);
    }
}

/* Tag an object with a code of ours. */
static void term_push(struct writing *w, json_t *object, const char *entity, const char *list,
                      const char *code)
{
    if (code[0] != '\0') {
        json_t *const attribute = part_make(w, list, 0);
        put(w, attribute, "link_entity", json_string(entity));
        put(w, attribute, "taxonomy_term",
            json_pack("{s:s,s:s,s:s,s:s}", "id", code, "code", code, "name", code, "taxonomy",
                      list));
        push(w, object, "attributes", attribute);
    }
}

static void phones_push(struct writing *w, json_t *organization)
{
    const json_t *const phones = json_object_get(w->fields, "phones");
    for (size_t i = 0; i < json_array_size(phones); i++) {
        json_t *const from = json_array_get(phones, i);
        json_t *const phone = part_make(w, "phone", i);
        put_text(w, phone, "number", spean_jsonget_text(from, "number"));
        put_text(w, phone, "type", spean_jsonget_text(from, "type"));
        put_text(w, phone, "extension", spean_jsonget_text(from, "extension"));
        languages_push(w, phone, json_object_get(from, "languages"));
        push(w, organization, "phones", phone);
    }
}

static void identifiers_push(struct writing *w, json_t *organization)
{
    const json_t *const identifiers = json_object_get(w->fields, "identifiers");
    for (size_t i = 0; i < json_array_size(identifiers); i++) {
        json_t *const from = json_array_get(identifiers, i);
        const char *const scheme = spean_jsonget_text(from, "scheme");
        json_t *const identifier = part_make(w, "identifier", i);
        put_text(w, identifier, "identifier_scheme", scheme);
        put_text(w, identifier, "identifier_type", scheme);
        put_text(w, identifier, "identifier", spean_jsonget_text(from, "value"));
        push(w, organization, "organization_identifiers", identifier);
    }
}

/* One location for each address; languages and hours go with the first, or with one without. */
static void locations_push(struct writing *w, json_t *organization)
{
    const json_t *const addresses = json_object_get(w->fields, "addresses");
    const json_t *const languages = json_object_get(w->fields, "languages");
    json_t *const hours = json_object_get(w->fields, "hours");
    const size_t count = json_array_size(addresses);
    const bool needed = json_array_size(languages) > 0 || json_object_size(hours) > 0;
    for (size_t i = 0; i < (count == 0 && needed ? 1 : count); i++) {
        json_t *const from = json_array_get(addresses, i);
        const json_t *const place = json_object_get(from, "place");
        json_t *const location = part_make(w, "location", i);
        put(w, location, "location_type", json_string("physical"));
        if (i == 0) {
            languages_push(w, location, languages);
            hours_push(w, location, hours);
        }
        if (from != NULL) {
            json_t *const address = part_make(w, "address", i);
            put_words(w, address, "address_1", json_object_get(from, "lines"));
            put_text(w, address, "city", spean_jsonget_text(place, "name"));
            put_text(w, address, "country", spean_jsonget_text(place, "country"));
            put_text(w, address, "postal_code", spean_jsonget_text(from, "postal_code"));
            put_text(w, address, "address_type", spean_jsonget_text(from, "kind"));
            push(w, location, "addresses", address);
        }
        push(w, organization, "locations", location);
    }
}

static void services_push(struct writing *w, json_t *organization)
{
    const json_t *const services = json_object_get(w->fields, "services");
    for (size_t i = 0; i < json_array_size(services); i++) {
        json_t *const from = json_array_get(services, i);
        const json_t *const area = json_object_get(from, "area");
        const char *const code = spean_jsonget_text(from, "code");
        const char *const name = spean_show_text(json_object_get(from, "name"), w->lang);
        const char *const status = spean_jsonget_text(from, "status");
        json_t *const service = part_make(w, "service", i);
        put_text(w, service, "name", name[0] == '\0' ? code : name); /* HSDS wants one. */
        put_words(w, service, "description", json_object_get(from, "description"));
        put_words(w, service, "eligibility_description", json_object_get(from, "eligibility"));
        put_words(w, service, "fees_description", json_object_get(from, "fees"));
        put_text(w, service, "status", status[0] == '\0' ? "active" : status); /* Likewise. */
        put_text(w, service, "assured_date", spean_jsonget_text(from, "assured_on"));
        languages_push(w, service, json_object_get(from, "languages"));
        hours_push(w, service, json_object_get(from, "hours"));
        term_push(w, service, "service", "service", code);
        for (size_t k = 0; k < json_array_size(area); k++) {
            json_t *const place = part_make(w, "area", k);
            put_text(w, place, "name", spean_jsonget_text(json_array_get(area, k), "name"));
            push(w, service, "service_areas", place);
        }
        push(w, organization, "services", service);
    }
}

json_t *spean_hsdsout_show(const json_t *record, const char *lang)
{
    assert(record != NULL);
    struct writing w = {.fields = json_object_get(record, "fields"),
                        .id = spean_jsonget_text(record, "id"),
                        .lang = lang};
    json_t *const organization = json_object();
    json_t *const alias = json_array_get(json_object_get(w.fields, "aliases"), 0);
    const char *const name = spean_show_text(json_object_get(w.fields, "names"), lang);
    put(&w, organization, "id", json_string(w.id));
    put(&w, organization, "name", json_string(name[0] == '\0' ? w.id : name)); /* HSDS wants one. */
    put_words(&w, organization, "alternate_name", alias);
    const char *const description = spean_show_text(json_object_get(w.fields, "description"), lang);
    put(&w, organization, "description", json_string(description));
    put_text(&w, organization, "email", spean_jsonget_text(w.fields, "email"));
    put_text(&w, organization, "website", spean_jsonget_text(w.fields, "website"));
    term_push(&w, organization, "organization", "agency_kind",
              spean_jsonget_text(w.fields, "kind"));
    identifiers_push(&w, organization);
    phones_push(&w, organization);
    locations_push(&w, organization);
    services_push(&w, organization);
    if (w.failed) {
        json_decref(organization);
        return NULL;
    }
    return organization;
}

/* Take out of a list of members those that are in another. */
static void members_subtract(json_t *members, const json_t *others)
{
    for (size_t i = json_array_size(members); i > 0; i--) {
        for (size_t k = 0; k < json_array_size(others); k++) {
            if (json_equal(json_array_get(members, i - 1), json_array_get(others, k))) {
                (void)json_array_remove(members, i - 1); /* It is there. */
                break;
            }
        }
    }
}

/* Take out of one part of an edit what the same part of another says. */
static void fields_subtract(json_t *fields, json_t *others)
{
    const char *name;
    json_t *other;
    json_object_foreach(others, name, other)
    {
        json_t *const value = json_object_get(fields, name);
        if (json_is_array(value)) {
            members_subtract(value, other);
        }
        if (value != NULL &&
            (json_equal(value, other) || (json_is_array(value) && json_array_size(value) == 0))) {
            (void)json_object_del(fields, name); /* It is there. */
        }
    }
}

spean_err spean_hsdsout_subtract(json_t *edit, const json_t *record, const char *lang,
                                 const struct spean_codewords *words)
{
    assert(json_is_object(edit));
    assert(lang != NULL);
    static const char *const parts[] = {"set", "add"};
    struct spean_hsds read;
    json_t *const organization = spean_hsdsout_show(record, lang);
    if (organization == NULL) {
        return SPEAN_ENOMEM;
    }
    const spean_err err = spean_hsds_read(organization, lang, NULL, NULL, words, &read);
    json_decref(organization);
    if (err != SPEAN_OK) {
        return err;
    }
    json_t *const before = json_object_get(json_array_get(read.items, 0), "edit");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        json_t *const fields = json_object_get(edit, parts[i]);
        fields_subtract(fields, json_object_get(before, parts[i]));
        if (fields != NULL && json_object_size(fields) == 0) {
            (void)json_object_del(edit, parts[i]); /* It is there. */
        }
    }
    spean_hsds_fini(&read);
    return SPEAN_OK;
}
