#include "tools/hsdsshape.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "tools/i18n.h"

/* Rows, one line each. */
#define ANY(key)                                                                                   \
    {                                                                                              \
        .name = (key), .shape = SPEAN_HSDS_ANY                                                     \
    }
#define TEXT(key)                                                                                  \
    {                                                                                              \
        .name = (key), .shape = SPEAN_HSDS_TEXT                                                    \
    }
#define DIGITS(key)                                                                                \
    {                                                                                              \
        .name = (key), .shape = SPEAN_HSDS_DIGITS                                                  \
    }
#define OBJECT(key)                                                                                \
    {                                                                                              \
        .name = (key), .shape = SPEAN_HSDS_OBJECT                                                  \
    }
#define LIST(key, what)                                                                            \
    {                                                                                              \
        .name = (key), .shape = SPEAN_HSDS_LIST, .items = SPEAN_HSDS_##what                        \
    }
#define KEYS_OF(key, ...)                                                                          \
    [SPEAN_HSDS_##key] = (const struct spean_hsds_key[])                                           \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

static const struct spean_hsds_key *const keys[] = {
    KEYS_OF(ORGANIZATION, TEXT("id"), TEXT("name"), TEXT("alternate_name"), TEXT("description"),
            TEXT("email"), TEXT("website"), TEXT("tax_id"), LIST("locations", LOCATION),
            LIST("organization_identifiers", IDENTIFIER), LIST("phones", PHONE),
            LIST("contacts", CONTACT), LIST("services", SERVICE), LIST("attributes", ATTRIBUTE)),
    KEYS_OF(SERVICE, ANY("id"), ANY("organization_id"), OBJECT("organization"), TEXT("name"),
            TEXT("description"), TEXT("status"), TEXT("assured_date"),
            TEXT("eligibility_description"), TEXT("fees_description"), TEXT("fees"),
            LIST("phones", PHONE), LIST("schedules", SCHEDULE), LIST("service_areas", AREA),
            LIST("service_at_locations", AT_LOCATION), LIST("languages", LANGUAGE),
            LIST("contacts", CONTACT), LIST("attributes", ATTRIBUTE)),
    KEYS_OF(AT_LOCATION, ANY("id"), ANY("service_id"), ANY("location_id"),
            LIST("contacts", CONTACT), LIST("phones", PHONE), LIST("schedules", SCHEDULE),
            OBJECT("location"), OBJECT("service")),
    KEYS_OF(LOCATION, ANY("id"), ANY("organization_id"), ANY("location_type"),
            LIST("addresses", ADDRESS), LIST("contacts", CONTACT), LIST("languages", LANGUAGE),
            LIST("phones", PHONE), LIST("schedules", SCHEDULE)),
    KEYS_OF(CONTACT, ANY("id"), ANY("organization_id"), ANY("service_id"), ANY("location_id"),
            ANY("service_at_location_id"), TEXT("email"), LIST("phones", PHONE)),
    KEYS_OF(PHONE, ANY("id"), ANY("location_id"), ANY("service_id"), ANY("organization_id"),
            ANY("contact_id"), ANY("service_at_location_id"), TEXT("number"), TEXT("type"),
            DIGITS("extension"), LIST("languages", LANGUAGE)),
    KEYS_OF(ADDRESS, ANY("id"), ANY("location_id"), TEXT("address_1"), TEXT("address_2"),
            TEXT("city"), TEXT("region"), TEXT("postal_code"), TEXT("country"),
            TEXT("state_province"), TEXT("address_type")),
    KEYS_OF(IDENTIFIER, TEXT("identifier"), TEXT("identifier_scheme"), TEXT("identifier_type")),
    KEYS_OF(LANGUAGE, TEXT("code"), ANY("name")),
    KEYS_OF(SCHEDULE, TEXT("description"), TEXT("byday"), TEXT("opens_at"), TEXT("closes_at")),
    KEYS_OF(AREA, TEXT("name")),
    KEYS_OF(ATTRIBUTE, OBJECT("taxonomy_term")),
};

static const char *const names[] = {
    [SPEAN_HSDS_ORGANIZATION] = "organization",
    [SPEAN_HSDS_SERVICE] = "service",
    [SPEAN_HSDS_AT_LOCATION] = "service_at_location",
    [SPEAN_HSDS_LOCATION] = "location",
    [SPEAN_HSDS_CONTACT] = "contact",
    [SPEAN_HSDS_PHONE] = "phone",
    [SPEAN_HSDS_ADDRESS] = "address",
    [SPEAN_HSDS_IDENTIFIER] = "organization_identifier",
    [SPEAN_HSDS_LANGUAGE] = "language",
    [SPEAN_HSDS_SCHEDULE] = "schedule",
    [SPEAN_HSDS_AREA] = "service_area",
    [SPEAN_HSDS_ATTRIBUTE] = "attribute",
};

const char *spean_hsds_kind_name(enum spean_hsds_kind kind)
{
    return names[kind];
}

bool spean_hsds_kind_is_leaf(enum spean_hsds_kind kind)
{
    return kind >= SPEAN_HSDS_IDENTIFIER;
}

const struct spean_hsds_key *spean_hsds_key(enum spean_hsds_kind kind, const char *name)
{
    assert(name != NULL);
    for (const struct spean_hsds_key *key = keys[kind]; key->name != NULL; key++) {
        if (strcmp(key->name, name) == 0) {
            return key;
        }
    }
    return NULL;
}

const char *spean_hsds_misfit(enum spean_hsds_shape shape, const json_t *value)
{
    if (value == NULL || json_is_null(value)) {
        return NULL;
    }
    switch (shape) {
    case SPEAN_HSDS_ANY:
        break;
    case SPEAN_HSDS_TEXT:
        return json_is_string(value) ? NULL : _("this must be a text; it is left out");
    case SPEAN_HSDS_DIGITS:
        return json_is_string(value) || json_is_integer(value)
                   ? NULL
                   : _("this must be a text or a whole number; it is left out");
    case SPEAN_HSDS_OBJECT:
        return json_is_object(value) ? NULL : _("this must be an object; it is left out");
    case SPEAN_HSDS_LIST:
        return json_is_array(value) ? NULL : _("this must be a list; it is left out");
    }
    return NULL;
}
