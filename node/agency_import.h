/* node/agency_import.h - many agencies at once, from somebody's register. */
#ifndef SPEAN_NODE_AGENCY_IMPORT_H
#define SPEAN_NODE_AGENCY_IMPORT_H

#include "node/records.h"

#define SPEAN_IMPORT_ITEMS_MAX 500u

/*
 * Answer POST /v1/agencies/import: each item edits the agency that has its identifier, or makes
 * it. Bringing the same again changes nothing. An item that is wrong stops no other; items share
 * commits, so that an import does not wait for the disk at each of them.
 */
void spean_agency_import(struct spean_records *at);

#endif
