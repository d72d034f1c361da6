/* node/case_import.h - many cases at once, from another system or from our own export. */
#ifndef SPEAN_NODE_CASE_IMPORT_H
#define SPEAN_NODE_CASE_IMPORT_H

#include "node/records.h"

/*
 * Answer POST /v1/cases/import. A case is found again by {"source", "id"}: who named it, and how.
 * These make the record id of a new case, so that every node of the organisation comes to the same
 * one, and what was erased here does not come back under another id.
 */
void spean_case_import(struct spean_records *at);

#endif
