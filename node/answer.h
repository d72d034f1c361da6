/* node/answer.h - what handlers of the local API say and read alike: ids, hex, errors. */
#ifndef SPEAN_NODE_ANSWER_H
#define SPEAN_NODE_ANSWER_H

#include <jansson.h>

#include "node/core.h"
#include "node/reply.h"
#include "node/request.h"
#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_ANSWER_NAME_BYTES 257u

/* Put bytes as hex under key. Does nothing when object is NULL: the reply says that memory ran out.
 */
void spean_answer_hex(json_t *object, const char *key, const void *data, size_t len);

/* Put an organisation's id under key, and its name, or null, beside it under name_key. */
void spean_answer_org(json_t *object, const char *key, const char *name_key,
                      const struct spean_core_view *view, const struct spean_id *org);

/* Put a time as RFC 3339 in UTC under key; 0 is null. */
void spean_answer_time(json_t *object, const char *key, uint64_t time_s);

/*
 * Read the hex string under key into *out, which the caller frees; at most max bytes. False: it is
 * missing or no hex, and reply says so.
 */
bool spean_answer_read_hex(const json_t *object, const char *key, size_t max, uint8_t **out,
                           size_t *len, struct spean_reply *reply);

/* The same for exactly len bytes. */
bool spean_answer_read_fixed(const json_t *object, const char *key, uint8_t *out, size_t len,
                             struct spean_reply *reply);

/* Begin a view for a read handler. False: reply says why not. */
bool spean_answer_begin(struct spean_core *core, struct spean_core_view *view,
                        struct spean_reply *reply);

/* Answer with a whole list, which is taken; or with err, if it could not be made. */
void spean_answer_items(struct spean_reply *reply, spean_err err, json_t *items);

/* Read limit and a cursor that is a number of at most max. False: reply says what is wrong. */
bool spean_answer_page(const struct spean_request *request, uint64_t max, struct spean_page *page,
                       uint64_t *after, struct spean_reply *reply);

/* Append bytes as hex to an array. */
void spean_answer_append_hex(json_t *array, const void *data, size_t len);

/* Copy version 1 of our own statement, as it was set up. Errors as spean_setup_get(); SPEAN_ELIMIT.
 * SPEAN_ESTATE: this is a further node of an organisation, which had it made elsewhere. */
SPEAN_CHECK spean_err spean_answer_own_first(struct spean_core *core, uint8_t *buf, size_t cap,
                                             size_t *len);

/* Whether the request is for a dry run: check everything, write nothing. */
bool spean_answer_is_dry(const struct spean_request *request);

/* Answer a write with body, which is taken, and say in it that nothing was done if it was a dry
 * run. */
void spean_answer_written(struct spean_job *job, json_t *body);

#endif
