/*
 * tools/jsonget.h - reading what the daemon answered.
 *
 * The daemon keeps docs/API.md, but a newer one may say less or more: what is absent or of another
 * type reads as empty, so a handler prints what there is.
 */
#ifndef SPEAN_TOOLS_JSONGET_H
#define SPEAN_TOOLS_JSONGET_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define SPEAN_WHO_BYTES_MAX  320u /* A name of an organisation and its short id. */
#define SPEAN_WHEN_BYTES_MAX 96u

/* The string under key; "" if there is none. It belongs to object. */
const char *spean_jsonget_text(const json_t *object, const char *key);

/* The whole number under key, also when it travels as a decimal string; 0 if there is none. */
int64_t spean_jsonget_number(const json_t *object, const char *key);

/* Say whether true stands under key. */
bool spean_jsonget_true(const json_t *object, const char *key);

/* Write the name of an organisation and the short form of its id: "Tokyo Support (7f3a-91c4)". */
void spean_jsonget_who(const json_t *object, const char *org_key, const char *name_key,
                       char out[SPEAN_WHO_BYTES_MAX]);

/* Write the time under key for a person, in local time with its zone; "-" if there is none. */
void spean_jsonget_when(const json_t *object, const char *key, char out[SPEAN_WHEN_BYTES_MAX]);

#endif
