/*
 * node/json_record.h - records as the local API shows them (docs/API.md, Values).
 *
 * Everything here is about folded parts in memory; who reads them from the store is node/answer.h.
 */
#ifndef SPEAN_NODE_JSON_RECORD_H
#define SPEAN_NODE_JSON_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/fold.h"
#include "protocol/schema.h"

#define SPEAN_JSON_FIELD_BYTES 48u /* "#<number>/<kind>" and a NUL. */

/* Who knows what organisations are called. of NULL: nobody; then every name is null. */
struct spean_json_names {
    /* The name of org; NULL: not known. Lives until the next call. */
    const char *(*of)(void *ctx, const struct spean_id *org);
    void *ctx;
};

/*
 * Set object[key] to org in hex and object[key + "_name"] to its name. Returns false without
 * memory.
 */
bool spean_json_set_org(json_t *object, const char *key, const struct spean_id *org,
                        const struct spean_json_names *names);

/* Set object[key] to a time: RFC 3339, or a number beyond the year 9999. False without memory. */
bool spean_json_set_time(json_t *object, const char *key, uint64_t time_s);

/* The name of a field of a record type; "#<number>" for one that is not known. */
void spean_json_field_name(char out[SPEAN_JSON_FIELD_BYTES], uint64_t type, uint64_t number,
                           uint64_t kind);

/* Show an encoded map of fixed fields in *out, a new object. SPEAN_EFORMAT, SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_json_fixed_show(uint64_t type, struct spean_view fixed,
                                            const struct spean_json_names *names, json_t **out);

/*
 * Add what part holds to record["fields"] and record["conflicts"], objects, and to
 * record["unknown"], a number; they are made where they are missing. SPEAN_EFORMAT: a value that
 * the fold let in is none; fold anew. SPEAN_ENOMEM.
 */
SPEAN_CHECK spean_err spean_json_part_show(json_t *record, const struct spean_part *part,
                                           const struct spean_json_names *names);

/*
 * Show one field as in record["fields"] in *out; *out is NULL where nothing is to be shown: no
 * value, or an empty set. Errors as above.
 */
SPEAN_CHECK spean_err spean_json_field_show(uint64_t type, const struct spean_field *field,
                                            const struct spean_json_names *names, json_t **out);

/*
 * Show the operation at index of a change in *out, a new object: {"field", "verb", "value",
 * "item"}. verb is set, clear, add, remove, append or strike, or unknown for a kind that is not
 * known; item is the name of the list item that is appended or struck, else null, and the value of
 * a strike. Errors as above.
 */
SPEAN_CHECK spean_err spean_json_operation_show(const struct spean_fold_input *input,
                                                const struct spean_operation *op, uint32_t index,
                                                json_t **out);

#endif
