/*
 * Requests to the local API, by the first byte: a query, a path, or JSON of any shape as an edit of
 * a record of each type. What is accepted holds what the schema asks for, and can be drafted.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "node/edit.h"
#include "node/request.h"
#include "node/routes.h"
#include "protocol/role.h"
#include "protocol/text.h"
#include "tests/fuzz/fuzz.h"

/* A text of its own, that ends with a NUL; the caller frees it. */
static char *text_of(const uint8_t *data, size_t size)
{
    char *const text = malloc(size + 1);
    assert(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    return text;
}

static void check_param(const struct spean_param *param)
{
    const struct spean_view value = {(const uint8_t *)param->value, strlen(param->value)};
    assert(spean_text_valid(value));
}

static void check_query(const uint8_t *data, size_t size)
{
    static struct spean_request request;
    struct spean_page page;
    char *const text = text_of(data, size);
    memset(&request, 0, sizeof(request));
    if (spean_request_query_read(&request, text) == SPEAN_OK) {
        for (uint32_t i = 0; i < request.query_count; i++) {
            check_param(&request.query[i]);
        }
        if (spean_request_page(&request, &page) == SPEAN_OK) {
            assert(page.limit >= 1 && page.limit <= SPEAN_PAGE_LIMIT_MAX);
        }
    } else {
        assert(request.query_count == 0);
    }
    char value[SPEAN_REQUEST_VALUE_BYTES + 1];
    if (spean_percent_decode(text, strlen(text), value) == SPEAN_OK) {
        assert(strlen(value) <= SPEAN_REQUEST_VALUE_BYTES);
    }
    free(text);
}

static void check_path(const uint8_t *data, size_t size)
{
    static struct spean_request request;
    static const char *const methods[] = {"GET", "POST", "PATCH", "DELETE"};
    size_t count = 0;
    const struct spean_route *const routes = spean_routes(&count);
    const struct spean_route *route = NULL;
    char allow[SPEAN_ROUTE_ALLOW_BYTES];
    char *const path = text_of(data, size);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        memset(&request, 0, sizeof(request));
        if (spean_route_find(routes, count, methods[i], path, &request, &route) == SPEAN_OK) {
            assert(strcmp(route->method, methods[i]) == 0);
            for (uint32_t k = 0; k < request.params_count; k++) {
                check_param(&request.params[k]);
            }
        }
    }
    spean_route_allow(routes, count, path, allow);
    free(path);
}

static void check_operation(const struct spean_schema_type *type,
                            const struct spean_edit_operation *op)
{
    assert(spean_schema_field(type->number, op->field->number) == op->field);
    spean_err err = spean_value_check(op->value);
    assert(err == SPEAN_OK);
    if (op->verb == SPEAN_VERB_ADD && op->field->kind == SPEAN_KIND_SET) {
        err = spean_schema_check_value(op->field, op->value);
        assert(err == SPEAN_OK);
    }
}

static void try_edit(const struct spean_schema_type *type, json_t *json)
{
    const struct spean_edit_subject subject = {.type = type->number, .roles = ~0u};
    struct spean_json_why why;
    struct spean_edit *edit = NULL;
    spean_err err = spean_edit_new(&edit);
    assert(err == SPEAN_OK);
    err = spean_edit_read(edit, &subject, json, &why);
    if (err == SPEAN_OK) {
        for (uint32_t i = 0; i < spean_edit_count(edit); i++) {
            check_operation(type, spean_edit_at(edit, i));
        }
    } else {
        assert(why.text[0] != '\0' || err == SPEAN_ENOMEM);
    }
    spean_edit_free(edit);
}

static void check_json(const uint8_t *data, size_t size)
{
    char where[SPEAN_JSON_WHERE_BYTES];
    json_t *json = NULL;
    if (spean_json_read((const char *)data, size, &json, where) != SPEAN_OK) {
        return;
    }
    assert(json_is_object(json));
    for (uint64_t number = 1; number <= SPEAN_TYPE_CODE; number++) {
        const struct spean_schema_type *const type = spean_schema_type(number);
        if (type != NULL) {
            try_edit(type, json);
        }
    }
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const uint8_t *, size_t) = {check_query, check_path, check_json};
    if (size > 0) {
        checks[data[0] % (sizeof(checks) / sizeof(checks[0]))](data + 1, size - 1);
    }
    return 0;
}
