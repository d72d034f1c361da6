/*
 * tests/support/identitykit.h - keys, statements and charters for tests, made from small numbers.
 *
 * Number n stands for the Ed25519 seed that is n over and over; so a test reads as who signed what.
 */
#ifndef SPEAN_TESTS_SUPPORT_IDENTITYKIT_H
#define SPEAN_TESTS_SUPPORT_IDENTITYKIT_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/charter.h"
#include "protocol/document.h"
#include "protocol/statement.h"

/* Who signs, as one argument: SIGNED_BY(1, 2). */
struct fixture_signers {
    const unsigned *seeds;
    size_t count;
};
#define SIGNED_BY(...)                                                                             \
    ((struct fixture_signers){(const unsigned[]){__VA_ARGS__},                                     \
                              sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned)})
#define SIGNED_BY_NOBODY ((struct fixture_signers){NULL, 0})

/* A document and the bytes that it is a view of; not to be copied. */
struct fixture_document {
    uint8_t body[SPEAN_DOCUMENT_BYTES_MAX];
    uint8_t bytes[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    struct spean_view view; /* Of the whole document, encoded. */
    struct spean_document doc;
};

void fixture_seed(uint8_t seed[SPEAN_KEY_BYTES], unsigned n);
struct spean_key fixture_key(unsigned n);    /* The Ed25519 public key of seed n. */
struct spean_key fixture_x25519(unsigned n); /* Some bytes; nothing here computes with them. */
struct spean_id fixture_id(unsigned n);
struct spean_id fixture_recovery(unsigned n); /* The hash of the recovery key of seed n. */
struct spean_handle fixture_handle(unsigned n);

/* Sign out->body, of len bytes, and encode and decode the whole. */
void fixture_sign(struct fixture_document *out, size_t len, struct fixture_signers signers);

/* Compose, sign, encode and decode; the test fails where that does. */
void fixture_statement(struct fixture_document *out, const struct spean_statement_draft *draft,
                       struct fixture_signers signers);
void fixture_charter(struct fixture_document *out, const struct spean_charter_draft *draft,
                     struct fixture_signers signers);

/* A node with keys made from n: signing key n, accepted for an org in a ledger. */
struct spean_statement_node fixture_node(unsigned n, const struct spean_id *org,
                                         const struct spean_handle *handle);

/* Version 1 with one admin key n, recovery key n + 1 and sealing key n + 2. */
void fixture_org_first(struct fixture_document *out, unsigned n);

/* The version after one given, signed by n alone, that opens one node, in the ledger if asked. */
void fixture_org_node(struct fixture_document *out, const struct spean_document *before,
                      const struct spean_id *org, const struct spean_handle *handle,
                      bool first_nodes, unsigned node, unsigned n);

/* The version after one given, signed by n alone, that cuts the log of one node. */
void fixture_org_cut(struct fixture_document *out, const struct spean_document *before,
                     unsigned node, uint64_t seq, unsigned entry, unsigned n);

/* A cut at seq with entry id n; seq 0 has none. */
struct spean_cut fixture_cut(uint64_t seq, unsigned n);

/* A genesis with one steward (charter key n) of the org, its only member. */
void fixture_genesis(struct fixture_document *out, const struct spean_id *org, unsigned n);

/* The version after one given, signed by n, that sets the standing of one org. */
void fixture_charter_member(struct fixture_document *out, const struct spean_document *before,
                            const struct spean_id *org, enum spean_member_status status,
                            unsigned n);

#endif
