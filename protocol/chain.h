/*
 * protocol/chain.h - all versions held of one document, with every branch (P2.1, P3.9, P4.6).
 *
 * It orders and keeps; what a version means is not its business. Versions are numbered from 0 in
 * the order of arrival, so that each comes after those it follows. Signatures are not kept here: a
 * version is added when it has been judged.
 */
#ifndef SPEAN_PROTOCOL_CHAIN_H
#define SPEAN_PROTOCOL_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/document.h"
#include "protocol/err.h"
#include "protocol/id_map.h"
#include "protocol/limits.h"

#define SPEAN_CHAIN_NONE UINT32_MAX

struct spean_chain_version {
    struct spean_id id;
    uint64_t version;
    uint32_t previous; /* SPEAN_CHAIN_NONE for version 1. */
    uint32_t joined;   /* The other head that a charter version joins, or SPEAN_CHAIN_NONE. */
    bool is_head;      /* Nothing held follows it. */
    uint8_t *body;
    uint32_t body_len;
};

/* Read the fields; only this module writes them. */
struct spean_chain {
    struct spean_chain_version *versions;
    uint32_t versions_count;
    uint32_t versions_cap;
    uint32_t heads_count;
    struct spean_id_map numbers; /* By document id. */
};

void spean_chain_init(struct spean_chain *chain);
void spean_chain_fini(struct spean_chain *chain);

/* Return the number of a document, SPEAN_CHAIN_NONE if it is not held. */
uint32_t spean_chain_find(const struct spean_chain *chain, const struct spean_id *id);

/*
 * Say whether doc has a place in the chain, and give what it follows in *previous:
 * SPEAN_CHAIN_NONE for version 1.
 * SPEAN_EEXISTS: it is held. SPEAN_EGAP: what it follows is not. SPEAN_ECHAIN: its version is not
 * one above what it follows, or it is another version 1. SPEAN_ELIMIT: the chain is full;
 * reducing documents, which only cut or remove, have as much room again.
 */
SPEAN_CHECK spean_err spean_chain_place(const struct spean_chain *chain,
                                        const struct spean_document *doc, bool reducing,
                                        uint32_t *previous);

/* Add a document in the place found, and its body's bytes. SPEAN_ENOMEM: chain is as before. */
SPEAN_CHECK spean_err spean_chain_append(struct spean_chain *chain,
                                         const struct spean_document *doc, uint32_t previous,
                                         uint32_t joined);

/* Give version number again as a document without signatures; its views lie in the chain. */
void spean_chain_document(const struct spean_chain *chain, uint32_t number,
                          struct spean_document *doc);

/* Return the next head from number on, SPEAN_CHAIN_NONE after the last; begin with 0. */
uint32_t spean_chain_next_head(const struct spean_chain *chain, uint32_t number);

/* Say whether version number is ancestor, or follows it through previous versions alone. */
bool spean_chain_follows(const struct spean_chain *chain, uint32_t number, uint32_t ancestor);

/* Return the last version that both follow. Both are in the chain. */
uint32_t spean_chain_common(const struct spean_chain *chain, uint32_t a, uint32_t b);

/*
 * Add to marks (one for each version) those that version number follows through previous and joined
 * versions, and itself.
 */
void spean_chain_mark(const struct spean_chain *chain, uint32_t number, bool *marks);

#endif
