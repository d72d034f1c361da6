/* protocol/schema_table.h - the tables behind protocol/schema.h; nobody else includes this. */
#ifndef SPEAN_PROTOCOL_SCHEMA_TABLE_H
#define SPEAN_PROTOCOL_SCHEMA_TABLE_H

#include <stddef.h>

#include "protocol/schema.h"

/* Sorted by type, then number. */
extern const struct spean_schema_field spean_schema_table_fields[];
extern const size_t spean_schema_table_fields_count;

/* Sorted by number. */
extern const struct spean_schema_type spean_schema_table_types[];
extern const size_t spean_schema_table_types_count;

#endif
