#include "node/reply.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define U64_DIGITS_MAX 20u

static const struct {
    int status;
    enum spean_exit_code exit;
} outcomes[SPEAN_ERRS_COUNT] = {
    [SPEAN_OK] = {200, SPEAN_REPLY_EXIT_OK},
    [SPEAN_EFORMAT] = {422, SPEAN_REPLY_EXIT_INTEGRITY},
    [SPEAN_ELIMIT] = {422, SPEAN_REPLY_EXIT_FAILED},
    [SPEAN_ESIGNATURE] = {422, SPEAN_REPLY_EXIT_INTEGRITY},
    [SPEAN_ECHAIN] = {409, SPEAN_REPLY_EXIT_INTEGRITY},
    [SPEAN_EGAP] = {409, SPEAN_REPLY_EXIT_STATE},
    [SPEAN_EFORK] = {409, SPEAN_REPLY_EXIT_INTEGRITY},
    [SPEAN_EDENIED] = {403, SPEAN_REPLY_EXIT_DENIED},
    [SPEAN_ESTATE] = {409, SPEAN_REPLY_EXIT_STATE},
    [SPEAN_EWAIT] = {409, SPEAN_REPLY_EXIT_STATE},
    [SPEAN_ENOTFOUND] = {404, SPEAN_REPLY_EXIT_NOTFOUND},
    [SPEAN_EEXISTS] = {409, SPEAN_REPLY_EXIT_STATE},
    [SPEAN_EINPUT] = {400, SPEAN_REPLY_EXIT_USAGE},
    [SPEAN_EVERSION] = {422, SPEAN_REPLY_EXIT_FAILED},
    [SPEAN_EPASSPHRASE] = {403, SPEAN_REPLY_EXIT_PASSPHRASE},
    [SPEAN_ELOCKED] = {423, SPEAN_REPLY_EXIT_LOCKED},
    [SPEAN_EBUSY] = {503, SPEAN_REPLY_EXIT_FAILED},
    [SPEAN_EFULL] = {507, SPEAN_REPLY_EXIT_FAILED},
    [SPEAN_ECORRUPT] = {500, SPEAN_REPLY_EXIT_INTEGRITY},
    [SPEAN_EIO] = {500, SPEAN_REPLY_EXIT_FAILED},
    [SPEAN_ENOMEM] = {503, SPEAN_REPLY_EXIT_FAILED},
    [SPEAN_EMEMLOCK] = {503, SPEAN_REPLY_EXIT_FAILED},
};

void spean_reply_fini(struct spean_reply *reply)
{
    assert(reply != NULL);
    json_decref(reply->body);
    free(reply->text);
    memset(reply, 0, sizeof(*reply));
}

int spean_reply_status(spean_err err)
{
    assert((size_t)err < SPEAN_ERRS_COUNT);
    assert(outcomes[err].status != 0);
    return outcomes[err].status;
}

enum spean_exit_code spean_reply_exit(spean_err err)
{
    assert((size_t)err < SPEAN_ERRS_COUNT);
    return outcomes[err].exit;
}

static void reply_set(struct spean_reply *reply, int status, json_t *body)
{
    json_decref(reply->body);
    free(reply->text);
    reply->status = status;
    reply->body = body;
    reply->text = NULL;
    reply->follow = NULL;
}

void spean_reply_take(struct spean_reply *reply, json_t *body)
{
    assert(reply != NULL);
    assert(body == NULL || json_is_object(body));
    reply_set(reply, spean_reply_status(SPEAN_OK), body);
}

void spean_reply_text(struct spean_reply *reply, char *text)
{
    assert(reply != NULL);
    reply_set(reply, spean_reply_status(SPEAN_OK), NULL);
    reply->text = text;
}

void spean_reply_go_on(struct spean_reply *reply, spean_reply_lines *follow)
{
    assert(reply != NULL);
    assert(follow != NULL);
    reply_set(reply, spean_reply_status(SPEAN_OK), NULL);
    reply->follow = follow;
}

void spean_reply_page(struct spean_reply *reply, json_t *items, const char *next)
{
    assert(reply != NULL);
    /* "s?" writes null for NULL; "o" releases items also when packing fails. */
    reply_set(reply, spean_reply_status(SPEAN_OK),
              json_pack("{s:o, s:s?}", "items", items, "next", next));
}

static void refuse(struct spean_reply *reply, int status, spean_err err, const char *code,
                   const char *message, const char *hint)
{
    assert(reply != NULL);
    assert(status >= 400);
    assert(err != SPEAN_OK);
    reply_set(reply, status,
              json_pack("{s:{s:s, s:s, s:s, s:i}}", "error", "code", code, "message",
                        message != NULL ? message : spean_err_text(err), "hint",
                        hint != NULL ? hint : "", "exit", (int)spean_reply_exit(err)));
}

void spean_reply_refuse(struct spean_reply *reply, int status, spean_err err, const char *message,
                        const char *hint)
{
    refuse(reply, status, err, spean_err_name(err), message, hint);
}

void spean_reply_named(struct spean_reply *reply, spean_err err, const char *code,
                       const char *message, const char *hint)
{
    refuse(reply, spean_reply_status(err), err, code, message, hint);
}

void spean_reply_error(struct spean_reply *reply, spean_err err, const char *message,
                       const char *hint)
{
    spean_reply_refuse(reply, spean_reply_status(err), err, message, hint);
}

json_t *spean_json_u64(uint64_t value)
{
    if (value <= SPEAN_JSON_INTEGER_MAX) {
        return json_integer((json_int_t)value);
    }
    char text[U64_DIGITS_MAX + 1];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value); /* Always fits. */
    return json_string(text);
}

spean_err spean_digits_read(const char *text, uint64_t max, uint64_t *out)
{
    assert(text != NULL);
    assert(out != NULL);
    const size_t len = strnlen(text, U64_DIGITS_MAX + 1); /* Bounded before any arithmetic. */
    if (len == 0 || len > U64_DIGITS_MAX) {
        return SPEAN_EINPUT;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return SPEAN_EINPUT;
        }
        const uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return SPEAN_EINPUT;
        }
        value = value * 10 + digit;
    }
    if (value > max) {
        return SPEAN_EINPUT;
    }
    *out = value;
    return SPEAN_OK;
}

spean_err spean_json_get_u64(const json_t *value, uint64_t *out)
{
    assert(out != NULL);
    if (json_is_string(value)) {
        return spean_digits_read(json_string_value(value), UINT64_MAX, out);
    }
    if (!json_is_integer(value)) {
        return SPEAN_EINPUT;
    }
    const json_int_t number = json_integer_value(value);
    if (number < 0 || (uint64_t)number > SPEAN_JSON_INTEGER_MAX) {
        return SPEAN_EINPUT;
    }
    *out = (uint64_t)number;
    return SPEAN_OK;
}
