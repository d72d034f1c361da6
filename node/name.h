/* node/name.h - what people call an organisation. */
#ifndef SPEAN_NODE_NAME_H
#define SPEAN_NODE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "node/core.h"
#include "protocol/bytes.h"

/*
 * Write the name of org, at most cap bytes with a NUL: from its own agency record, of the languages
 * there the first; of our own organisation else as it was set up. False: it is not known.
 */
bool spean_name_of_org(const struct spean_core_view *view, const struct spean_id *org, char *out,
                       size_t cap);

#endif
