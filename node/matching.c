#include "node/matching.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "protocol/change.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "store/record_names.h"
#include "store/searchkey.h"

static struct spean_view view_of(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

static struct spean_matching_term *term_find(struct spean_matching_term *terms, size_t count,
                                             const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(terms[i].name, name) == 0) {
            return &terms[i];
        }
    }
    return NULL;
}

/* Read the terms out of a body that has nothing else. */
static bool body_read(struct spean_records *at, json_t *body, struct spean_matching_term *terms,
                      size_t count)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(body, key, value)
    {
        struct spean_matching_term *const term = term_find(terms, count, key);
        if (term == NULL) {
            spean_records_refuse(at, SPEAN_EINPUT, NULL,
                                 "the body has a name that is not known here",
                                 "docs/API.md lists what may stand there");
            return false;
        }
        if (!json_is_string(value) || json_string_length(value) > SPEAN_REQUEST_VALUE_BYTES) {
            char message[64];
            (void)snprintf(message, sizeof(message), "%s: expected a text of at most %u bytes",
                           term->name, SPEAN_REQUEST_VALUE_BYTES);
            spean_records_refuse(at, SPEAN_EINPUT, NULL, message, NULL);
            return false;
        }
        term->value = json_string_value(value);
    }
    return true;
}

bool spean_matching_read(struct spean_records *at, json_t *body, struct spean_matching_term *terms,
                         size_t count)
{
    assert(terms != NULL);
    if (body != NULL) {
        return body_read(at, body, terms, count);
    }
    for (size_t i = 0; i < count; i++) {
        terms[i].value = spean_request_query(at->request, terms[i].name);
    }
    return true;
}

bool spean_matching_query(struct spean_records *at, const struct spean_matching_term *term,
                          char **out)
{
    assert(out != NULL);
    if (term->value == NULL) {
        return true;
    }
    char *query = NULL;
    const spean_err err = spean_searchkey_query(view_of(term->value), &query);
    if (err == SPEAN_OK && query[0] != '\0') {
        *out = query;
        return true;
    }
    spean_searchkey_free(query);
    char message[64];
    (void)snprintf(message, sizeof(message), "%s: nothing in it can be looked for", term->name);
    spean_records_refuse(at, err == SPEAN_ENOMEM ? err : SPEAN_EINPUT, NULL,
                         err == SPEAN_ENOMEM ? NULL : message, NULL);
    return false;
}

bool spean_matching_text(struct spean_view value, const char *wanted)
{
    if (wanted == NULL) {
        return true;
    }
    const struct spean_view text = spean_records_text(value);
    return text.len == strlen(wanted) && memcmp(text.data, wanted, text.len) == 0;
}

struct spean_view spean_matching_sub(struct spean_view map, uint64_t sub)
{
    struct spean_view found = {NULL, 0};
    struct spean_reader r;
    spean_reader_init(&r, map);
    const uint32_t count = spean_reader_map(&r, SPEAN_SCHEMA_ELEMENTS_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        const uint64_t number = spean_reader_uint(&r, UINT64_MAX);
        const struct spean_view value = spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        if (number == sub) {
            found = spean_records_text(value);
        }
    }
    return spean_reader_end(&r) == SPEAN_OK ? found : (struct spean_view){NULL, 0};
}

bool spean_matching_member(const struct spean_part *part, uint64_t field, uint64_t sub,
                           const char *wanted)
{
    if (wanted == NULL) {
        return true;
    }
    const struct spean_field *const f =
        part == NULL ? NULL : spean_part_find(part, field, SPEAN_KIND_SET);
    const size_t count = f == NULL ? 0 : spean_field_elements_count(f);
    for (size_t i = 0; i < count; i++) {
        struct spean_view element;
        if (!spean_field_get_element(f, i, &element)) {
            continue;
        }
        const struct spean_view text =
            sub == 0 ? spean_records_text(element) : spean_matching_sub(element, sub);
        if (text.data != NULL && text.len == strlen(wanted) &&
            memcmp(text.data, wanted, text.len) == 0) {
            return true;
        }
    }
    return false;
}

bool spean_matching_words(struct spean_view text, const char *query)
{
    char *key = NULL;
    const bool found =
        spean_searchkey_new(text, &key) == SPEAN_OK && spean_searchkey_match(key, query);
    spean_searchkey_free(key);
    return found;
}

struct look {
    const char *query;
    bool found;
};

static spean_err look_at(void *ctx, struct spean_view text)
{
    struct look *const look = ctx;
    look->found = look->found || spean_matching_words(text, look->query);
    return SPEAN_OK;
}

bool spean_matching_names(const struct spean_part *part, const char *query)
{
    struct look look = {query, false};
    const spean_err err = part == NULL ? SPEAN_OK : spean_record_names(part, look_at, &look);
    assert(err == SPEAN_OK); /* Looking has none. */
    return look.found;
}
