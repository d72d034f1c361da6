/* node/agency_import.h - many agencies at once, from somebody's register. */
#ifndef SPEAN_NODE_AGENCY_IMPORT_H
#define SPEAN_NODE_AGENCY_IMPORT_H

#include "node/records.h"

/* Answer POST /v1/agencies/import: an agency is found again by an identifier, {"scheme", "value"}.
 */
void spean_agency_import(struct spean_records *at);

#endif
