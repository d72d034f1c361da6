/*
 * tools/hsds.h - agencies out of HSDS 3 JSON (Open Referral's Human Services Data Specification).
 *
 * Understood are an organization, a service or a service at a location that brings its
 * organization along, an array of these, and a page of them ({"contents": [...]}). Names in HSDS
 * have no language; the caller says which it is. Nothing is dropped silently: what an item has and
 * an agency has no field for is counted by its name, and what is malformed is told with its place.
 */
#ifndef SPEAN_TOOLS_HSDS_H
#define SPEAN_TOOLS_HSDS_H

#include <jansson.h>

#include "protocol/err.h"
#include "tools/codewords.h"

#define SPEAN_HSDS_FILE_BYTES_MAX ((size_t)64 << 20)
#define SPEAN_HSDS_ROWS_MAX       100000u
#define SPEAN_HSDS_PARTS_MAX      256u /* Phones, services, ... of one agency, each. */

#define SPEAN_HSDS_PLACE  "_place" /* A key that we set: where a row of an array comes from. */
#define SPEAN_HSDS_ID_LEN 32u      /* Of an id that may be a record of ours: hex digits. */

struct spean_hsds {
    json_t *items;  /* [{"place", "match": {"scheme", "value"}, "edit": {...}}] (docs/API.md), with
                       "id" where the file has one that may be a record of ours. */
    json_t *errors; /* [{"place": "$.contents[3].phones[0].number", "error": "..."}] */
    json_t *left;   /* {"organization.logo": 12}: what has no field here, and how often. */
    size_t failed;  /* Rows of which nothing could be taken; each has an error. */
};

/*
 * Read file, whose texts are in lang; kind and country (may be NULL) stand in where an item says
 * none; words says what terms mean (may be NULL). *out is freed with spean_hsds_fini(). A file that
 * is no HSDS gives errors, not items. SPEAN_ELIMIT: more than SPEAN_HSDS_ROWS_MAX rows.
 * SPEAN_ENOMEM. After an error *out is unchanged.
 */
SPEAN_CHECK spean_err spean_hsds_read(const json_t *file, const char *lang, const char *kind,
                                      const char *country, const struct spean_codewords *words,
                                      struct spean_hsds *out);
/* The "id" of an organization or item that may be a record of ours; NULL: it is none. */
const char *spean_hsds_own_id(const json_t *object);

void spean_hsds_fini(struct spean_hsds *hsds);

#endif
