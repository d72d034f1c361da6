/* The bytes of tests/vectors/ about org statements, charter versions and the digest over them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/authority.h"
#include "protocol/charter.h"
#include "protocol/document.h"
#include "protocol/limits.h"
#include "protocol/statement.h"
#include "tests/support/vectorkit.h"

static struct spean_cut cut_of(const json_t *row)
{
    struct spean_cut cut = {.closed = true, .seq = vector_uint(row, "seq")};
    if (vector_has(row, "entry")) {
        cut.entry = vector_id(row, "entry");
    }
    return cut;
}

static void take_admin(struct vectorkit *kit, struct spean_statement_draft *draft,
                       const json_t *words)
{
    const json_t *const admin = json_object_get(words, "admin");
    if (admin == NULL) {
        return;
    }
    draft->threshold = (uint32_t)vector_uint(admin, "threshold");
    draft->admins_count = vector_count(admin, "keys");
    draft->admins = vectorkit_alloc(kit, draft->admins_count, sizeof(*draft->admins));
    size_t i;
    json_t *key;
    json_array_foreach(vector_list(admin, "keys"), i, key)
    {
        const struct spean_view bytes = vector_hex(kit, key);
        for (size_t k = 0; k < SPEAN_KEY_BYTES; k++) {
            draft->admins[i].bytes[k] = bytes.data[k];
        }
    }
}

static void take_keys(struct vectorkit *kit, struct spean_statement_draft *draft,
                      const json_t *words)
{
    const json_t *const recovery = json_object_get(words, "recovery");
    if (recovery != NULL) {
        const struct spean_key public = vector_key(recovery, "public");
        struct spean_id *const hash = vectorkit_alloc(kit, 1, sizeof(*hash));
        *hash = spean_statement_recovery(&public);
        assert_vector(recovery, "hash", hash->bytes, sizeof(hash->bytes));
        draft->recovery = hash;
    }
    const json_t *const sealing = json_object_get(words, "sealing");
    if (sealing != NULL) {
        struct spean_key *const key = vectorkit_alloc(kit, 1, sizeof(*key));
        *key = vector_key(sealing, "key");
        draft->generation = (uint32_t)vector_uint(sealing, "generation");
        draft->sealing = key;
    }
    if (vector_has(words, "handle")) {
        struct spean_handle *const handle = vectorkit_alloc(kit, 1, sizeof(*handle));
        *handle = vector_handle(words, "handle");
        draft->handle = handle;
    }
}

static void take_nodes(struct vectorkit *kit, struct spean_statement_draft *draft,
                       const json_t *words, const struct spean_id *org)
{
    if (!vector_has(words, "nodes")) {
        return;
    }
    draft->nodes_count = vector_count(words, "nodes");
    draft->nodes = vectorkit_alloc(kit, draft->nodes_count, sizeof(*draft->nodes));
    size_t i;
    json_t *row;
    json_array_foreach(vector_list(words, "nodes"), i, row)
    {
        struct spean_statement_node *const node = &draft->nodes[i];
        node->signing = vector_key(row, "signing");
        node->sealing = vector_key(row, "sealing");
        node->transport = vector_key(row, "transport");
        spean_statement_accept(node, org, draft->handle,
                               vector_bytes(kit, row, "signing_seed").data);
        assert_vector(row, "acceptance", node->acceptance.bytes, sizeof(node->acceptance.bytes));
    }
}

static void take_org_cuts(struct vectorkit *kit, struct spean_statement_draft *draft,
                          const json_t *words)
{
    if (!vector_has(words, "cuts")) {
        return;
    }
    draft->cuts_count = vector_count(words, "cuts");
    draft->cuts = vectorkit_alloc(kit, draft->cuts_count, sizeof(*draft->cuts));
    size_t i;
    json_t *row;
    json_array_foreach(vector_list(words, "cuts"), i, row)
    {
        draft->cuts[i].signing = vector_key(row, "signing");
        draft->cuts[i].cut = cut_of(row);
    }
}

/* Compare the body, sign it with the vector's seeds, compare the whole. */
static void check_document(struct vectorkit *kit, const json_t *v, struct spean_view body)
{
    assert_vector_view(v, "body", body);
    struct spean_document doc;
    assert_int_equal(spean_document_begin(&doc, body), SPEAN_OK);
    assert_vector(v, "id", doc.id.bytes, sizeof(doc.id.bytes));
    size_t i;
    json_t *seed;
    json_array_foreach(vector_list(v, "signer_seeds"), i, seed)
    {
        assert_int_equal(spean_document_sign(&doc, vector_hex(kit, seed).data), SPEAN_OK);
    }
    struct spean_view out;
    assert_int_equal(
        spean_document_encode(&doc, vectorkit_alloc(kit, SPEAN_DOCUMENT_ENCODED_BYTES_MAX, 1),
                              SPEAN_DOCUMENT_ENCODED_BYTES_MAX, &out),
        SPEAN_OK);
    assert_vector_view(v, "encoded", out);
    assert_int_equal(spean_document_decode(&doc, out), SPEAN_OK);
    assert_int_equal(spean_document_verify(&doc), SPEAN_OK);
}

static void check_statement(struct vectorkit *kit, const json_t *v, const struct spean_id *org)
{
    struct spean_statement_draft draft = {.version = vector_uint(v, "version")};
    if (vector_has(v, "previous")) {
        draft.previous = vector_id(v, "previous");
    }
    const json_t *const words = json_object_get(v, "changes");
    take_admin(kit, &draft, words);
    take_keys(kit, &draft, words);
    take_nodes(kit, &draft, words, org);
    take_org_cuts(kit, &draft, words);
    struct spean_view body;
    assert_int_equal(spean_statement_compose(&draft,
                                             vectorkit_alloc(kit, SPEAN_DOCUMENT_BYTES_MAX, 1),
                                             SPEAN_DOCUMENT_BYTES_MAX, &body),
                     SPEAN_OK);
    check_document(kit, v, body);
}

static void statements_have_the_vectors_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("documents.json");
    size_t i;
    json_t *chain;
    json_array_foreach(vectorkit_list(kit, "statements"), i, chain)
    {
        const struct spean_id org = vector_id(chain, "org");
        size_t k;
        json_t *v;
        json_array_foreach(vector_list(chain, "versions"), k, v)
        {
            check_statement(kit, v, &org);
        }
    }
    vectorkit_close(kit);
}

static void take_stewards(struct vectorkit *kit, struct spean_charter_draft *draft,
                          const json_t *words)
{
    const json_t *const stewards = json_object_get(words, "stewards");
    if (stewards == NULL) {
        return;
    }
    draft->threshold = (uint32_t)vector_uint(stewards, "threshold");
    draft->stewards_count = vector_count(stewards, "keys");
    draft->stewards = vectorkit_alloc(kit, draft->stewards_count, sizeof(*draft->stewards));
    size_t i;
    json_t *row;
    json_array_foreach(vector_list(stewards, "keys"), i, row)
    {
        draft->stewards[i].org = vector_id(row, "org");
        draft->stewards[i].key = vector_key(row, "key");
    }
}

static void take_members(struct vectorkit *kit, struct spean_charter_draft *draft,
                         const json_t *words)
{
    size_t i;
    json_t *row;
    if (vector_has(words, "members")) {
        draft->members_count = vector_count(words, "members");
        draft->members = vectorkit_alloc(kit, draft->members_count, sizeof(*draft->members));
        json_array_foreach(vector_list(words, "members"), i, row)
        {
            draft->members[i].org = vector_id(row, "org");
            draft->members[i].status = (enum spean_member_status)vector_uint(row, "status");
        }
    }
    if (vector_has(words, "relays")) {
        draft->has_relays = true;
        draft->relays_count = vector_count(words, "relays");
        draft->relays = vectorkit_alloc(kit, draft->relays_count, sizeof(*draft->relays));
        json_array_foreach(vector_list(words, "relays"), i, row)
        {
            draft->relays[i].org = vector_id(row, "org");
            draft->relays[i].signing = vector_key(row, "signing");
        }
    }
}

static void take_charter_cuts(struct vectorkit *kit, struct spean_charter_draft *draft,
                              const json_t *words)
{
    size_t i;
    json_t *row;
    if (vector_has(words, "cuts")) {
        draft->cuts_count = vector_count(words, "cuts");
        draft->cuts = vectorkit_alloc(kit, draft->cuts_count, sizeof(*draft->cuts));
        json_array_foreach(vector_list(words, "cuts"), i, row)
        {
            draft->cuts[i].org = vector_id(row, "org");
            draft->cuts[i].signing = vector_key(row, "signing");
            draft->cuts[i].cut = cut_of(row);
        }
    }
    if (vector_has(words, "pins")) {
        draft->pins_count = vector_count(words, "pins");
        draft->pins = vectorkit_alloc(kit, draft->pins_count, sizeof(*draft->pins));
        json_array_foreach(vector_list(words, "pins"), i, row)
        {
            draft->pins[i].org = vector_id(row, "org");
            draft->pins[i].statement = vector_id(row, "statement");
        }
    }
}

static const uint64_t *number(struct vectorkit *kit, const json_t *words, const char *key)
{
    if (!vector_has(words, key)) {
        return NULL;
    }
    uint64_t *const value = vectorkit_alloc(kit, 1, sizeof(*value));
    *value = vector_uint(words, key);
    return value;
}

static const struct spean_id *id(struct vectorkit *kit, const json_t *words, const char *key)
{
    if (!vector_has(words, key)) {
        return NULL;
    }
    struct spean_id *const value = vectorkit_alloc(kit, 1, sizeof(*value));
    *value = vector_id(words, key);
    return value;
}

static void check_charter(struct vectorkit *kit, const json_t *v)
{
    const json_t *const words = json_object_get(v, "changes");
    struct spean_charter_draft draft = {
        .version = vector_uint(v, "version"),
        .quota_bytes = number(kit, words, "quota_bytes"),
        .heads_interval_s = number(kit, words, "heads_interval_s"),
        .erasure_delay_s = number(kit, words, "erasure_delay_s"),
        .entry_format = number(kit, words, "entry_format"),
        .schema = id(kit, words, "schema"),
        .join = id(kit, words, "join"),
    };
    if (vector_has(v, "previous")) {
        draft.previous = vector_id(v, "previous");
    } else {
        draft.name = vector_str(words, "ledger_name");
        draft.random = vector_bytes(kit, words, "random").data;
    }
    take_stewards(kit, &draft, words);
    take_members(kit, &draft, words);
    take_charter_cuts(kit, &draft, words);
    struct spean_view body;
    assert_int_equal(spean_charter_compose(&draft,
                                           vectorkit_alloc(kit, SPEAN_DOCUMENT_BYTES_MAX, 1),
                                           SPEAN_DOCUMENT_BYTES_MAX, &body),
                     SPEAN_OK);
    check_document(kit, v, body);
}

static void charter_versions_have_the_vectors_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("documents.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "charters"), i, v)
    {
        check_charter(kit, v);
    }
    const struct spean_id ledger = vector_id(vectorkit_top(kit), "ledger");
    const struct spean_handle handle = spean_handle_of(&ledger);
    assert_vector(vectorkit_top(kit), "handle", handle.bytes, sizeof(handle.bytes));
    vectorkit_close(kit);
}

static void malformed_statements_and_charters_are_refused(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("documents.json");
    struct spean_statement *const statement = vectorkit_alloc(kit, 1, sizeof(*statement));
    struct spean_charter *const charter = vectorkit_alloc(kit, 1, sizeof(*charter));
    struct spean_document doc;
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "refused_statements"), i, v)
    {
        const spean_err err = spean_document_begin(&doc, vector_bytes(kit, v, "encoded"));
        assert_refused(v, err == SPEAN_OK ? spean_statement_decode(statement, &doc) : err);
    }
    json_array_foreach(vectorkit_list(kit, "refused_charters"), i, v)
    {
        const spean_err err = spean_document_begin(&doc, vector_bytes(kit, v, "encoded"));
        assert_refused(v, err == SPEAN_OK ? spean_charter_decode(charter, &doc) : err);
    }
    vectorkit_close(kit);
}

static void every_document_is_accepted_and_gives_the_vectors_digest(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("authority.json");
    struct spean_authority *authority = NULL;
    assert_int_equal(spean_authority_new(&authority, NULL), SPEAN_OK);
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "steps"), i, v)
    {
        struct spean_authority_change change;
        struct spean_id digest;
        assert_int_equal(spean_authority_add(authority, vector_bytes(kit, v, "document"),
                                             SPEAN_PENDING_REFUSE, &change),
                         SPEAN_OK);
        spean_authority_digest(authority, &digest);
        assert_vector(v, "digest", digest.bytes, sizeof(digest.bytes));
    }
    spean_authority_free(authority);
    vectorkit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_have_the_vectors_bytes),
        cmocka_unit_test(charter_versions_have_the_vectors_bytes),
        cmocka_unit_test(malformed_statements_and_charters_are_refused),
        cmocka_unit_test(every_document_is_accepted_and_gives_the_vectors_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
