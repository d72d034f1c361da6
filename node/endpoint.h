/*
 * node/endpoint.h - the nodes of an organisation as its own agency record names them: each with an
 * address to dial, a name, or both (SCHEMA.md, map endpoint).
 */
#ifndef SPEAN_NODE_ENDPOINT_H
#define SPEAN_NODE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/fold.h"
#include "store/db.h"
#include "store/draft.h"
#include "store/keystore.h"

#define SPEAN_NODE_ENDPOINT_ADDRESS_BYTES_MAX 256u
#define SPEAN_NODE_ENDPOINT_NAME_BYTES_MAX    64u
#define SPEAN_NODE_ENDPOINT_KIND_BYTES_MAX    64u
#define SPEAN_NODE_ENDPOINT_BYTES_MAX                                                              \
    (SPEAN_NODE_ENDPOINT_ADDRESS_BYTES_MAX + SPEAN_NODE_ENDPOINT_NAME_BYTES_MAX +                  \
     SPEAN_NODE_ENDPOINT_KIND_BYTES_MAX + 64u)

/* Plain value. What it does not have is "". */
struct spean_node_endpoint {
    struct spean_key node; /* Transport key. */
    char address[SPEAN_NODE_ENDPOINT_ADDRESS_BYTES_MAX + 1];
    char name[SPEAN_NODE_ENDPOINT_NAME_BYTES_MAX + 1];
    char kind[SPEAN_NODE_ENDPOINT_KIND_BYTES_MAX + 1];
};

/* Read an element of the field. False: it names no node, or is not as the schema says. */
bool spean_endpoint_read(struct spean_view element, struct spean_node_endpoint *out);

/* Give the element at index of a part of an agency record, and its bytes if element is not NULL.
 * False: no more. An element that cannot be read comes with a node of zeros. */
bool spean_endpoint_at(const struct spean_part *part, size_t index, struct spean_node_endpoint *out,
                       struct spean_view *element);

/* What the part says of a node: the first address and the first name there are. False: nothing. */
bool spean_endpoint_find(const struct spean_part *part, const struct spean_key *node,
                         struct spean_node_endpoint *out);

/* Whether the part names this address of the node. False also where part is NULL. */
bool spean_endpoint_has(const struct spean_part *part, const struct spean_key *node,
                        const char *address);

/* Encode an endpoint as an element at buf. SPEAN_ELIMIT: it does not fit into cap, for which
 * SPEAN_NODE_ENDPOINT_BYTES_MAX is always enough; *out is unchanged. */
SPEAN_CHECK spean_err spean_endpoint_write(const struct spean_node_endpoint *endpoint, uint8_t *buf,
                                           size_t cap, struct spean_view *out);

/*
 * Let a draft, which changes the record, take one address of a node out of the part and put one in;
 * "" is none, and part NULL is a record that is being made. The node keeps its name. Errors of
 * spean_draft_op().
 */
SPEAN_CHECK spean_err spean_endpoint_move(struct spean_draft *draft, const struct spean_part *part,
                                          const struct spean_key *node, const char *from,
                                          const char *to);

/* Let a draft name a node, with every address that it has. *changed: there was something to do. */
SPEAN_CHECK spean_err spean_endpoint_rename(struct spean_draft *draft,
                                            const struct spean_part *part,
                                            const struct spean_key *node, const char *name,
                                            bool *changed);

/*
 * Find the agency record that org made of itself, and its public part, which the caller frees.
 * SPEAN_ENOTFOUND: there is none yet. Others of spean_record_next().
 */
SPEAN_CHECK spean_err spean_endpoint_record(struct spean_tx *tx, const struct spean_keys *keys,
                                            const struct spean_id *org, struct spean_record_id *out,
                                            struct spean_part **part);

#endif
