/* node/agency_import.h - many agencies at once, from somebody's register. */
#ifndef SPEAN_NODE_AGENCY_IMPORT_H
#define SPEAN_NODE_AGENCY_IMPORT_H

#include <stdbool.h>

#include "node/records.h"
#include "protocol/schema.h"

/* Answer POST /v1/agencies/import: an agency is found again by an identifier, {"scheme", "value"}.
 */
void spean_agency_import(struct spean_records *at);

/* Say whether people edit this field of an agency: where nodes are and what they are called is
 * written by the nodes, and by PATCH /v1/nodes/{node}, which is an admin's. */
bool spean_agency_editable(const struct spean_schema_field *field);

#endif
