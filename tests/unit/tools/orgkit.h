/*
 * tests/unit/tools/orgkit.h - an organisation with an admin key and a node, as a daemon would
 * speak of them.
 */
#ifndef SPEAN_TESTS_UNIT_TOOLS_ORGKIT_H
#define SPEAN_TESTS_UNIT_TOOLS_ORGKIT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "protocol/bytes.h"
#include "protocol/document.h"
#include "protocol/statement.h"
#include "store/adminkey.h"
#include "tools/compose.h"

#define ORGKIT_SECRET "correct horse battery"

struct orgkit {
    struct spean_adminkey *admin;
    struct spean_statement_node node;
    uint8_t signing_seed[SPEAN_KEY_BYTES];
    uint8_t first[SPEAN_DOCUMENT_ENCODED_BYTES_MAX]; /* Version 1 of the statement. */
    struct spean_view first_bytes;
};

/* Make one; fails the test if it cannot. */
void orgkit_make(struct orgkit *kit);
void orgkit_fini(struct orgkit *kit);

/* Write its admin key into folder/admin.key under ORGKIT_SECRET, and that into folder/secret. */
void orgkit_save(const struct orgkit *kit, const char *folder);

/* What GET /v1/node says before it is in a ledger, with these statements behind the first. */
json_t *orgkit_node(const struct orgkit *kit, json_t *more);

/* What POST /v1/node/accept answers for a handle. */
json_t *orgkit_accept(struct orgkit *kit, const struct spean_handle *handle);

/* The two versions of its statement that open its node in the ledger, as an array of hex. */
json_t *orgkit_opened(struct orgkit *kit, const struct spean_handle *handle);

/* Decode the hex string value; *buf (SPEAN_DOCUMENT_ENCODED_BYTES_MAX) holds the bytes. */
void orgkit_decode(const json_t *value, uint8_t *buf, struct spean_document *doc);

/* Write bytes as hex with a NUL, into memory that is valid until the third next call. */
const char *orgkit_hex(const uint8_t *bytes, size_t len);

#endif
