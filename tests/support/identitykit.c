#include "tests/support/identitykit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/sign.h"

void fixture_seed(uint8_t seed[SPEAN_KEY_BYTES], unsigned n)
{
    memset(seed, (int)(n & 0xffu), SPEAN_KEY_BYTES);
    seed[0] = (uint8_t)(n >> 8);
}

struct spean_key fixture_key(unsigned n)
{
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, n);
    struct spean_key key;
    spean_sign_public(&key, seed);
    return key;
}

struct spean_key fixture_x25519(unsigned n)
{
    struct spean_key key;
    memset(key.bytes, 0x55, sizeof(key.bytes));
    key.bytes[30] = (uint8_t)(n >> 8);
    key.bytes[31] = (uint8_t)n;
    return key;
}

struct spean_id fixture_id(unsigned n)
{
    struct spean_id id;
    memset(id.bytes, 0xee, sizeof(id.bytes));
    id.bytes[0] = (uint8_t)(n >> 8);
    id.bytes[1] = (uint8_t)n;
    return id;
}

struct spean_id fixture_recovery(unsigned n)
{
    const struct spean_key key = fixture_key(n);
    return spean_statement_recovery(&key);
}

struct spean_handle fixture_handle(unsigned n)
{
    struct spean_handle handle;
    memset(handle.bytes, (int)n, sizeof(handle.bytes));
    return handle;
}

struct spean_cut fixture_cut(uint64_t seq, unsigned n)
{
    struct spean_cut cut = {.closed = true, .seq = seq};
    if (seq > 0) {
        cut.entry = fixture_id(n);
    }
    return cut;
}

void fixture_sign(struct fixture_document *out, size_t len, struct fixture_signers signers)
{
    const struct spean_view body = {out->body, len};
    assert_int_equal(spean_document_begin(&out->doc, body), SPEAN_OK);
    for (size_t i = 0; i < signers.count; i++) {
        uint8_t seed[SPEAN_KEY_BYTES];
        fixture_seed(seed, signers.seeds[i]);
        assert_int_equal(spean_document_sign(&out->doc, seed), SPEAN_OK);
    }
    assert_int_equal(spean_document_encode(&out->doc, out->bytes, sizeof(out->bytes), &out->view),
                     SPEAN_OK);
    assert_int_equal(spean_document_decode(&out->doc, out->view), SPEAN_OK);
}

void fixture_statement(struct fixture_document *out, const struct spean_statement_draft *draft,
                       struct fixture_signers signers)
{
    struct spean_view body;
    assert_int_equal(spean_statement_compose(draft, out->body, sizeof(out->body), &body), SPEAN_OK);
    fixture_sign(out, body.len, signers);
}

void fixture_charter(struct fixture_document *out, const struct spean_charter_draft *draft,
                     struct fixture_signers signers)
{
    struct spean_view body;
    assert_int_equal(spean_charter_compose(draft, out->body, sizeof(out->body), &body), SPEAN_OK);
    fixture_sign(out, body.len, signers);
}

struct spean_statement_node fixture_node(unsigned n, const struct spean_id *org,
                                         const struct spean_handle *handle)
{
    struct spean_statement_node node = {.signing = fixture_key(n),
                                        .sealing = fixture_x25519(2 * n),
                                        .transport = fixture_x25519(2 * n + 1)};
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, n);
    spean_statement_accept(&node, org, handle, seed);
    return node;
}

void fixture_org_first(struct fixture_document *out, unsigned n)
{
    struct spean_key admin = fixture_key(n);
    const struct spean_id recovery = fixture_recovery(n + 1);
    const struct spean_key sealing = fixture_x25519(0x8000u + n);
    const struct spean_statement_draft draft = {.version = 1,
                                                .threshold = 1,
                                                .admins_count = 1,
                                                .admins = &admin,
                                                .recovery = &recovery,
                                                .generation = 1,
                                                .sealing = &sealing};
    fixture_statement(out, &draft, SIGNED_BY(n));
}

void fixture_org_node(struct fixture_document *out, const struct spean_document *before,
                      const struct spean_id *org, const struct spean_handle *handle,
                      bool first_nodes, unsigned node, unsigned n)
{
    struct spean_statement_node row = fixture_node(node, org, handle);
    const struct spean_statement_draft draft = {.version = before->version + 1,
                                                .previous = before->id,
                                                .handle = first_nodes ? handle : NULL,
                                                .nodes_count = 1,
                                                .nodes = &row};
    fixture_statement(out, &draft, SIGNED_BY(n));
}

void fixture_org_cut(struct fixture_document *out, const struct spean_document *before,
                     unsigned node, uint64_t seq, unsigned entry, unsigned n)
{
    struct spean_statement_cut cut = {.signing = fixture_key(node), .cut = fixture_cut(seq, entry)};
    const struct spean_statement_draft draft = {
        .version = before->version + 1, .previous = before->id, .cuts_count = 1, .cuts = &cut};
    fixture_statement(out, &draft, SIGNED_BY(n));
}

void fixture_genesis(struct fixture_document *out, const struct spean_id *org, unsigned n)
{
    static const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES] = {7};
    static const char name[] = "Bridge";
    const uint64_t delay = 259200;
    const uint64_t format = 1;
    const struct spean_id schema = fixture_id(0x7777);
    struct spean_steward steward = {.org = *org, .key = fixture_key(n)};
    struct spean_charter_member member = {.org = *org, .status = SPEAN_MEMBER_ACTIVE};
    const struct spean_charter_draft draft = {.version = 1,
                                              .threshold = 1,
                                              .stewards_count = 1,
                                              .stewards = &steward,
                                              .members_count = 1,
                                              .members = &member,
                                              .erasure_delay_s = &delay,
                                              .entry_format = &format,
                                              .schema = &schema,
                                              .name = {(const uint8_t *)name, sizeof(name) - 1},
                                              .random = random};
    fixture_charter(out, &draft, SIGNED_BY(n));
}

void fixture_charter_member(struct fixture_document *out, const struct spean_document *before,
                            const struct spean_id *org, enum spean_member_status status, unsigned n)
{
    struct spean_charter_member member = {.org = *org, .status = status};
    const struct spean_charter_draft draft = {.version = before->version + 1,
                                              .previous = before->id,
                                              .members_count = 1,
                                              .members = &member};
    fixture_charter(out, &draft, SIGNED_BY(n));
}
