#include "node/request.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/reply.h"
#include "protocol/text.h"

/* The JSON library frees what it read and does not wipe it. The request is ours, and ends here. */
static void wipe_secrets(const json_t *body)
{
    static const char *const names[] = {"passphrase", "credential"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const json_t *text = json_object_get(body, names[i]);
        if (json_is_string(text)) {
            sodium_memzero((void *)(uintptr_t)json_string_value(text), json_string_length(text));
        }
    }
}

void spean_request_free(struct spean_request *request)
{
    if (request == NULL) {
        return;
    }
    wipe_secrets(request->body);
    json_decref(request->body);
    free(request);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

/* Text that may be shown, logged and put into JSON: UTF-8 without control characters. */
static bool text_is_clean(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const uint8_t byte = (uint8_t)text[i];
        const uint8_t next = i + 1 < len ? (uint8_t)text[i + 1] : 0;
        /* U+0080 to U+009F are C2 80 to C2 9F. */
        if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next >= 0x80 && next < 0xa0)) {
            return false;
        }
    }
    return spean_text_valid((struct spean_view){.data = (const uint8_t *)text, .len = len});
}

spean_err spean_percent_decode(const char *text, size_t len,
                               char out[SPEAN_REQUEST_VALUE_BYTES + 1])
{
    size_t written = 0;
    size_t at = 0;
    while (at < len) {
        if (written == SPEAN_REQUEST_VALUE_BYTES) {
            return SPEAN_ELIMIT;
        }
        if (text[at] != '%') {
            out[written++] = text[at++];
            continue;
        }
        const int high = len - at > 2 ? hex_digit(text[at + 1]) : -1;
        const int low = len - at > 2 ? hex_digit(text[at + 2]) : -1;
        if (high < 0 || low < 0) {
            return SPEAN_EINPUT;
        }
        out[written++] = (char)(high << 4 | low);
        at += 3;
    }
    out[written] = '\0';
    return text_is_clean(out, written) ? SPEAN_OK : SPEAN_EINPUT;
}

static spean_err pair_read(struct spean_request *request, const char *pair, size_t len)
{
    const char *equals = memchr(pair, '=', len);
    if (equals == NULL || equals == pair) {
        return SPEAN_EINPUT;
    }
    if (request->query_count == SPEAN_QUERY_PAIRS_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_param *param = &request->query[request->query_count];
    const size_t name_len = (size_t)(equals - pair);
    spean_err err = spean_percent_decode(pair, name_len, param->name);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_percent_decode(equals + 1, len - name_len - 1, param->value);
    if (err != SPEAN_OK) {
        return err;
    }
    if (spean_request_query(request, param->name) != NULL) {
        return SPEAN_EINPUT;
    }
    request->query_count++;
    return SPEAN_OK;
}

spean_err spean_request_query_read(struct spean_request *request, const char *query)
{
    assert(request != NULL);
    request->query_count = 0;
    const char *at = query;
    while (at != NULL) {
        const size_t len = strcspn(at, "&");
        const spean_err err = pair_read(request, at, len);
        if (err != SPEAN_OK) {
            request->query_count = 0;
            return err;
        }
        at = at[len] == '&' ? at + len + 1 : NULL;
    }
    return SPEAN_OK;
}

static const char *param_find(const struct spean_param *params, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(params[i].name, name) == 0) {
            return params[i].value;
        }
    }
    return NULL;
}

const char *spean_request_param(const struct spean_request *request, const char *name)
{
    assert(request != NULL);
    const char *value = param_find(request->params, request->params_count, name);
    assert(value != NULL);
    return value;
}

const char *spean_request_query(const struct spean_request *request, const char *name)
{
    assert(request != NULL);
    return param_find(request->query, request->query_count, name);
}

spean_err spean_request_page(const struct spean_request *request, struct spean_page *out)
{
    assert(request != NULL);
    assert(out != NULL);
    const char *after = spean_request_query(request, "after");
    const char *limit = spean_request_query(request, "limit");
    uint64_t value = 0;
    if (limit != NULL &&
        (spean_digits_read(limit, SPEAN_PAGE_LIMIT_MAX, &value) != SPEAN_OK || value == 0)) {
        return SPEAN_EINPUT;
    }
    out->limit = limit != NULL ? (uint32_t)value : SPEAN_PAGE_LIMIT_DEFAULT;
    out->after = after != NULL ? after : "";
    return SPEAN_OK;
}

spean_err spean_request_after(const struct spean_page *page, uint64_t max, uint64_t *out)
{
    assert(page != NULL);
    assert(out != NULL);
    *out = 0;
    return page->after[0] == '\0' ? SPEAN_OK : spean_digits_read(page->after, max, out);
}

/*
 * The deepest nesting in text, counting brackets outside strings. jansson recurses once a level
 * and allows 2048 of them, so the depth is known before it starts.
 */
static size_t json_depth(const char *text, size_t len)
{
    size_t depth = 0;
    size_t deepest = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        if (quoted && c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '{' || c == '[')) {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if (!quoted && (c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

spean_err spean_json_read(const char *text, size_t len, json_t **out,
                          char where[SPEAN_JSON_WHERE_BYTES])
{
    assert(out != NULL);
    assert(where != NULL);
    where[0] = '\0';
    if (json_depth(text, len) > SPEAN_JSON_DEPTH_MAX) {
        return SPEAN_ELIMIT;
    }
    json_error_t error;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL) {
        /* Not error.text: it quotes what was near, which can be a person's name. */
        (void)snprintf(where, SPEAN_JSON_WHERE_BYTES, "line %d, column %d: %s", error.line,
                       error.column,
                       json_error_code(&error) == json_error_duplicate_key ? "a key is given twice"
                                                                           : "this is not JSON");
        return json_error_code(&error) == json_error_out_of_memory ? SPEAN_ENOMEM : SPEAN_EINPUT;
    }
    if (!json_is_object(value)) {
        json_decref(value);
        (void)snprintf(where, SPEAN_JSON_WHERE_BYTES, "the body must be one JSON object");
        return SPEAN_EINPUT;
    }
    *out = value;
    return SPEAN_OK;
}
