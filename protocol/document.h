/*
 * protocol/document.h - the signed envelope that charter versions and org statements share (P2).
 *
 * A document is a body and signatures over the body's id; the signatures are not part of the id.
 * Decoding checks the form alone. Whether the signatures hold is spean_document_verify(), and
 * whether their keys may sign is the business of protocol/org.h and protocol/ledger.h.
 */
#ifndef SPEAN_PROTOCOL_DOCUMENT_H
#define SPEAN_PROTOCOL_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/limits.h"
#include "protocol/writer.h"

/* The most that a whole document takes: body, heads of arrays, 64 signatures of 102 bytes. */
#define SPEAN_DOCUMENT_ENCODED_BYTES_MAX (SPEAN_DOCUMENT_BYTES_MAX + 16u + 64u * 102u)

enum spean_document_type { SPEAN_DOCUMENT_STATEMENT = 1, SPEAN_DOCUMENT_CHARTER = 2 };

struct spean_document_signature {
    struct spean_key key;
    struct spean_signature signature;
};

/* The views lie in the bytes that the document was decoded from or begun with. */
struct spean_document {
    enum spean_document_type type;
    struct spean_id id;
    uint64_t version;         /* From 1. */
    struct spean_id previous; /* All zero in version 1, which has none. */
    struct spean_view body;
    struct spean_view changes; /* The map of changes within the body, as encoded; canonical. */
    uint32_t signatures_count;
    struct spean_document_signature signatures[SPEAN_DOCUMENT_SIGNATURES_MAX]; /* By key. */
};

/*
 * Read a whole document from bytes, which must outlive it.
 * SPEAN_EFORMAT, SPEAN_ELIMIT: refuse it (P1.1, P1.5, P2.1, P2.2). SPEAN_EVERSION: its format is
 * newer than this program; refuse it and say so. *doc is then unspecified.
 */
SPEAN_CHECK spean_err spean_document_decode(struct spean_document *doc, struct spean_view bytes);

/* Begin a document without signatures from its body. Errors as in spean_document_decode(). */
SPEAN_CHECK spean_err spean_document_begin(struct spean_document *doc, struct spean_view body);

/*
 * Sign with an Ed25519 seed and keep the signatures in order.
 * SPEAN_EEXISTS: that key has signed. SPEAN_ELIMIT: it bears as many signatures as may be.
 */
SPEAN_CHECK spean_err spean_document_sign(struct spean_document *doc,
                                          const uint8_t seed[SPEAN_KEY_BYTES]);

/*
 * Encode body and signatures into buf; SPEAN_DOCUMENT_ENCODED_BYTES_MAX always suffices.
 * SPEAN_ELIMIT: it does not fit; *out is unchanged.
 */
SPEAN_CHECK spean_err spean_document_encode(const struct spean_document *doc, uint8_t *buf,
                                            size_t cap, struct spean_view *out);

/* Check every signature. SPEAN_ESIGNATURE: one does not hold; the document is invalid (P2.3). */
SPEAN_CHECK spean_err spean_document_verify(const struct spean_document *doc);

/*
 * Write what every body begins with: the array, format, type, version and previous (left out, as
 * nil, when version is 1). The caller writes the map of changes next.
 */
void spean_document_write_head(struct spean_writer *w, enum spean_document_type type,
                               uint64_t version, const struct spean_id *previous);

#endif
