/* tests/unit/tools/schemakit.h - JSON of the API held to docs/SCHEMA.md, for what we ship as data.
 */
#ifndef SPEAN_TESTS_UNIT_TOOLS_SCHEMAKIT_H
#define SPEAN_TESTS_UNIT_TOOLS_SCHEMAKIT_H

#include <jansson.h>

#include "protocol/schema.h"

/* Fail unless every field of the edit exists in the type, has the kind that its part calls for, and
 * a value of its type; codes are to be known. */
void assert_edit_fits(enum spean_record_type type, json_t *edit);

/* Fail unless value fits; what names it in the message. */
void assert_value_fits(const struct spean_schema_value *type, json_t *value, const char *what);

#endif
