/*
 * tests/support/vectorkit.h - reads the golden vectors of tests/vectors/ (as JSON, bytes in hex).
 *
 * Whatever is absent or malformed fails the test. What is returned lives until the kit is closed.
 */
#ifndef SPEAN_TESTS_SUPPORT_VECTORKIT_H
#define SPEAN_TESTS_SUPPORT_VECTORKIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/run.h"
#include "protocol/writer.h"

struct vectorkit; /* Opaque. */

/* Open tests/vectors/file. */
struct vectorkit *vectorkit_open(const char *file);
void vectorkit_close(struct vectorkit *kit);

/* The non-empty array of that name at the top of the file. */
const json_t *vectorkit_list(const struct vectorkit *kit, const char *name);

/* The object at the top of the file. */
const json_t *vectorkit_top(const struct vectorkit *kit);

/* A writer into a buffer of the kit that has room for any message. */
void vectorkit_writer(struct vectorkit *kit, struct spean_writer *w);

/* Zeroed memory of the kit. */
void *vectorkit_alloc(struct vectorkit *kit, size_t count, size_t size);

bool vector_has(const json_t *v, const char *key); /* It is there and not null. */
const json_t *vector_list(const json_t *v, const char *key);
uint32_t vector_count(const json_t *v, const char *key); /* Of an array. */
uint64_t vector_uint(const json_t *v, const char *key);
bool vector_bool(const json_t *v, const char *key);
const char *vector_text(const json_t *v, const char *key);
struct spean_view vector_str(const json_t *v, const char *key);
struct spean_view vector_hex(struct vectorkit *kit, const json_t *value);
struct spean_view vector_bytes(struct vectorkit *kit, const json_t *v, const char *key);
void vector_fixed(const json_t *v, const char *key, uint8_t *out, size_t len);
struct spean_id vector_id(const json_t *v, const char *key);
struct spean_key vector_key(const json_t *v, const char *key);
struct spean_tag vector_tag(const json_t *v, const char *key);
struct spean_record_id vector_record(const json_t *v, const char *key);
struct spean_handle vector_handle(const json_t *v, const char *key);
uint64_t vector_short(const json_t *v, const char *key); /* 8 bytes, as the number they are. */
struct spean_place vector_place(const json_t *v);        /* "seq" and "entry". */

/* Fail, and show both, where the bytes of v at key are others than ours. */
void assert_vector(const json_t *v, const char *key, const void *ours, size_t len);
void assert_vector_view(const json_t *v, const char *key, struct spean_view ours);

/* Fail unless err is what a decoder says of malformed bytes: SPEAN_EFORMAT or SPEAN_ELIMIT. */
void assert_refused(const json_t *v, spean_err err);

#endif
