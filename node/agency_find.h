/* node/agency_find.h - which agencies somebody looks for. */
#ifndef SPEAN_NODE_AGENCY_FIND_H
#define SPEAN_NODE_AGENCY_FIND_H

#include <stdbool.h>

#include "node/records.h"

/* What was asked for; all zero: every agency. The texts belong to the request. */
struct spean_agency_find {
    const char *kind;
    const char *country;
    const char *status;
    const char *service;
    const char *language;
    char *words; /* Query for names, aliases and identifiers (store/searchkey.h); or NULL. */
};

/* Read it from the query. False: refused. Free with spean_agency_find_fini(), also then. */
bool spean_agency_find_read(struct spean_records *at, struct spean_agency_find *out);
void spean_agency_find_fini(struct spean_agency_find *find);

/* For struct spean_records_listing: whether an agency is among them; ctx is a
 * spean_agency_find. */
bool spean_agency_find_wants(struct spean_records *at, const struct spean_records_item *item,
                             void *ctx);

#endif
