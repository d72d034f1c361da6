/*
 * node/json_value.h - values of records as JSON, by their type in the schema (docs/API.md, Values).
 *
 * Showing never fails for what a value is: what the schema does not know, or what does not fit it,
 * is shown in a general form (a sub-field as "#9", bytes as hex). Reading is strict: what does not
 * fit is refused, and it is said where and what is expected.
 */
#ifndef SPEAN_NODE_JSON_VALUE_H
#define SPEAN_NODE_JSON_VALUE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/change.h"
#include "protocol/err.h"
#include "protocol/schema.h"
#include "protocol/writer.h"

#define SPEAN_JSON_WHY_BYTES  320u
#define SPEAN_JSON_ITEM_BYTES 64u /* "<log 16 hex>-<seq>-<index>" and a NUL. */

/* What is wrong with a value, for people: "costs[0].paid_on: expected a date such as ...". */
struct spean_json_why {
    char text[SPEAN_JSON_WHY_BYTES];
};

/*
 * Show an encoded value in *out, a new reference. type NULL: it is of a field that is not known.
 * SPEAN_EFORMAT: value is not one canonical value. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_json_value_show(const struct spean_schema_value *type,
                                            struct spean_view value, json_t **out);

/*
 * Encode json as a value of this type into w; name is what errors call it. SPEAN_EINPUT: it does
 * not fit, *why says where. SPEAN_ELIMIT: w is too small, or the value above SPEAN_VALUE_BYTES_MAX.
 * After an error w is of no use.
 */
SPEAN_CHECK spean_err spean_json_value_encode(struct spean_writer *w,
                                              const struct spean_schema_value *type,
                                              const char *name, json_t *json,
                                              struct spean_json_why *why);

/* Write the name of a list item. */
void spean_json_item_format(char out[SPEAN_JSON_ITEM_BYTES], const struct spean_dot *dot);

/* Read such a name. SPEAN_EINPUT: another form; *out is unchanged. */
SPEAN_CHECK spean_err spean_json_item_parse(const char *text, struct spean_dot *out);

/* Show a signed number: an integer, or a decimal string beyond SPEAN_JSON_INTEGER_MAX either way.
 */
json_t *spean_json_i64(int64_t value);

/* Show bytes as hex, a new reference; NULL: no memory. len is at most SPEAN_VALUE_BYTES_MAX. */
json_t *spean_json_hex(const void *data, size_t len);

/* Write "expected ..." for a value of this type, as *why does; cap is at least 1. */
void spean_json_expected(const struct spean_schema_value *type, char *out, size_t cap);

#endif
