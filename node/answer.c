#include "node/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/name.h"
#include "node/when.h"
#include "protocol/text.h"
#include "store/setup.h"

#define PREFIX_DIGITS_MIN 4u
#define ID_DIGITS         (2u * SPEAN_ID_BYTES)

void spean_answer_hex(json_t *object, const char *key, const void *data, size_t len)
{
    char *text = malloc(2 * len + 1);
    if (text == NULL) {
        return;
    }
    spean_text_hex_encode(text, 2 * len + 1, (struct spean_view){data, len});
    (void)json_object_set_new(object, key, json_string(text));
    free(text);
}

void spean_answer_append_hex(json_t *array, const void *data, size_t len)
{
    json_t *holder = json_object();
    spean_answer_hex(holder, "hex", data, len);
    (void)json_array_append(array, json_object_get(holder, "hex"));
    json_decref(holder);
}

void spean_answer_items(struct spean_reply *reply, spean_err err, json_t *items)
{
    if (err == SPEAN_OK) {
        spean_reply_page(reply, items, NULL);
        return;
    }
    json_decref(items);
    spean_reply_error(reply, err, NULL, err == SPEAN_ELOCKED ? "unlock it: spean unlock" : NULL);
}

bool spean_answer_page(const struct spean_request *request, uint64_t max, struct spean_page *page,
                       uint64_t *after, struct spean_reply *reply)
{
    if (spean_request_page(request, page) != SPEAN_OK) {
        spean_reply_error(reply, SPEAN_EINPUT, "limit must be from 1 to 1000", NULL);
        return false;
    }
    if (spean_request_after(page, max, after) != SPEAN_OK) {
        spean_reply_error(reply, SPEAN_EINPUT, "after is no place of this list",
                          "give what next was of the page before");
        return false;
    }
    return true;
}

spean_err spean_answer_own_first(struct spean_core *core, uint8_t *buf, size_t cap, size_t *len)
{
    struct spean_tx *tx = NULL;
    struct spean_setup setup;
    struct spean_document doc;
    spean_err err = spean_tx_begin(spean_core_db(core), SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_setup_get(tx, &setup, &doc);
    if (err == SPEAN_OK && setup.statement.len == 0) {
        err = SPEAN_ESTATE;
    }
    if (err == SPEAN_OK && setup.statement.len > cap) {
        err = SPEAN_ELIMIT;
    }
    if (err == SPEAN_OK) {
        memcpy(buf, setup.statement.data, setup.statement.len);
        *len = setup.statement.len;
    }
    spean_tx_abort(tx);
    return err;
}

void spean_answer_org(json_t *object, const char *key, const char *name_key,
                      const struct spean_core_view *view, const struct spean_id *org)
{
    char name[SPEAN_ANSWER_NAME_BYTES];
    spean_answer_hex(object, key, org->bytes, sizeof(org->bytes));
    const bool known = spean_name_of_org(view, org, name, sizeof(name));
    (void)json_object_set_new(object, name_key, known ? json_string(name) : json_null());
}

void spean_answer_time(json_t *object, const char *key, uint64_t time_s)
{
    char text[SPEAN_WHEN_BYTES];
    const bool known = time_s > 0 && spean_when_format(text, time_s) == SPEAN_OK;
    (void)json_object_set_new(object, key, known ? json_string(text) : json_null());
}

static void refuse_hex(const char *key, struct spean_reply *reply)
{
    char message[128];
    (void)snprintf(message, sizeof(message), "%s must be bytes in lower-case hex", key);
    spean_reply_error(reply, SPEAN_EINPUT, message, NULL);
}

bool spean_answer_read_hex(const json_t *object, const char *key, size_t max, uint8_t **out,
                           size_t *len, struct spean_reply *reply)
{
    const char *text = json_string_value(json_object_get(object, key));
    const size_t digits = text != NULL ? strlen(text) : 0;
    if (digits == 0 || digits % 2 != 0 || digits / 2 > max) {
        refuse_hex(key, reply);
        return false;
    }
    uint8_t *bytes = malloc(digits / 2);
    if (bytes == NULL) {
        spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
        return false;
    }
    const struct spean_view view = {(const uint8_t *)text, digits};
    if (spean_text_hex_decode(bytes, digits / 2, view) != SPEAN_OK) {
        free(bytes);
        refuse_hex(key, reply);
        return false;
    }
    *out = bytes;
    *len = digits / 2;
    return true;
}

bool spean_answer_read_fixed(const json_t *object, const char *key, uint8_t *out, size_t len,
                             struct spean_reply *reply)
{
    const char *text = json_string_value(json_object_get(object, key));
    const struct spean_view view = {(const uint8_t *)text, text != NULL ? strlen(text) : 0};
    if (text == NULL || spean_text_hex_decode(out, len, view) != SPEAN_OK) {
        refuse_hex(key, reply);
        return false;
    }
    return true;
}

bool spean_answer_begin(struct spean_core *core, struct spean_core_view *view,
                        struct spean_reply *reply)
{
    const spean_err err = spean_core_view_begin(core, view);
    if (err != SPEAN_OK) {
        spean_reply_error(reply, err, NULL, NULL);
        return false;
    }
    return true;
}

bool spean_answer_is_dry(const struct spean_request *request)
{
    const char *value = spean_request_query(request, "dry_run");
    return value != NULL && strcmp(value, "1") == 0;
}

void spean_answer_written(struct spean_job *job, json_t *body)
{
    if (spean_answer_is_dry(job->request)) {
        /* Where memory lacks it is not said, and nobody relies on it. */
        (void)json_object_set_new(body, "dry_run", json_true());
    }
    spean_reply_take(&job->reply, body);
}
