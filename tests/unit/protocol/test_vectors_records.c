/* The bytes of tests/vectors/ about grants, erasures, changes and folded states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/change.h"
#include "protocol/erasure.h"
#include "protocol/fold.h"
#include "protocol/grant.h"
#include "protocol/limits.h"
#include "tests/support/vectorkit.h"

#define CONTENT_BYTES SPEAN_BODY_BYTES_MAX

static void *content_buf(struct vectorkit *kit)
{
    return vectorkit_alloc(kit, CONTENT_BYTES, 1);
}

/* Derive the pair keys and compare them; the receivers lend from the kit. */
static struct spean_grant_receiver *receivers_of(struct vectorkit *kit, const json_t *v,
                                                 bool of_nodes)
{
    const struct spean_key ours = vector_key(v, "author_public");
    const struct spean_view secret = vector_bytes(kit, v, "author_secret");
    struct spean_grant_receiver *const receivers =
        vectorkit_alloc(kit, vector_count(v, "receivers"), sizeof(*receivers));
    size_t i;
    json_t *row;
    json_array_foreach(vector_list(v, "receivers"), i, row)
    {
        const struct spean_key theirs = vector_key(row, "public");
        uint8_t *const key = vectorkit_alloc(kit, SPEAN_KEY_BYTES, 1);
        if (of_nodes) {
            assert_int_equal(spean_grant_node_pair(key, secret.data, &ours, &theirs), SPEAN_OK);
        } else {
            assert_int_equal(spean_grant_pair(key, secret.data, &ours, &theirs), SPEAN_OK);
        }
        assert_vector(row, "pair_key", key, SPEAN_KEY_BYTES);
        receivers[i].party = vector_id(row, "party");
        receivers[i].pair_key = key;
    }
    return receivers;
}

static struct spean_grant_outer outer_of(struct vectorkit *kit, const json_t *v, bool of_nodes)
{
    struct spean_grant_outer outer = {
        .place = {vector_id(v, "log"), vector_uint(v, "seq"), vector_id(v, "author")},
        .author_generation = vector_uint(v, "author_generation"),
        .key = vector_bytes(kit, v, "key").data,
        .receivers = receivers_of(kit, v, of_nodes),
        .receivers_count = vector_count(v, "receivers"),
    };
    vector_fixed(v, "nonce", outer.nonce, sizeof(outer.nonce));
    return outer;
}

static struct spean_grant_key *keys_of(struct vectorkit *kit, const json_t *v, const char *name)
{
    struct spean_grant_key *const keys = vectorkit_alloc(kit, vector_count(v, name), sizeof(*keys));
    size_t i;
    json_t *row;
    json_array_foreach(vector_list(v, name), i, row)
    {
        keys[i].generation = vector_uint(row, "generation");
        vector_fixed(row, "key", keys[i].key, sizeof(keys[i].key));
    }
    return keys;
}

static struct spean_context_row *rows_of(struct vectorkit *kit, const json_t *v)
{
    struct spean_context_row *const rows =
        vectorkit_alloc(kit, vector_count(v, "context"), sizeof(*rows));
    size_t i;
    json_t *row;
    json_array_foreach(vector_list(v, "context"), i, row)
    {
        rows[i] = (struct spean_context_row){vector_short(row, "log"), vector_uint(row, "seq"),
                                             vector_short(row, "entry")};
    }
    return rows;
}

/* Derive with the receiver's secret what the author derived with its own. */
static void receiver_pair(struct vectorkit *kit, const json_t *v, const json_t *row, bool of_nodes,
                          uint8_t out[SPEAN_KEY_BYTES])
{
    const struct spean_view secret = vector_bytes(kit, row, "secret");
    const struct spean_key ours = vector_key(row, "public");
    const struct spean_key theirs = vector_key(v, "author_public");
    if (of_nodes) {
        assert_int_equal(spean_grant_node_pair(out, secret.data, &ours, &theirs), SPEAN_OK);
    } else {
        assert_int_equal(spean_grant_pair(out, secret.data, &ours, &theirs), SPEAN_OK);
    }
}

/* Every receiver finds its box by its hint and takes the key out of it. */
static void check_boxes(struct vectorkit *kit, const json_t *v,
                        const struct spean_grant_outer *outer, bool of_nodes)
{
    struct spean_grant grant;
    assert_int_equal(spean_grant_decode(vector_bytes(kit, v, "content"), &grant), SPEAN_OK);
    assert_int_equal(grant.boxes_count, outer->receivers_count);
    size_t i;
    json_t *row;
    json_array_foreach(vector_list(v, "receivers"), i, row)
    {
        bool found = false;
        const struct spean_view hint = vector_bytes(kit, row, "hint");
        for (uint32_t k = 0; k < grant.boxes_count; k++) {
            found = found || memcmp(grant.boxes[k].hint, hint.data, hint.len) == 0;
        }
        assert_true(found);
        uint8_t pair_key[1][SPEAN_KEY_BYTES];
        receiver_pair(kit, v, row, of_nodes, pair_key[0]);
        uint8_t key[SPEAN_KEY_BYTES];
        assert_int_equal(spean_grant_open(&grant, &outer->place, &outer->receivers[i].party,
                                          (const uint8_t(*)[SPEAN_KEY_BYTES])pair_key, 1, key),
                         SPEAN_OK);
        assert_memory_equal(key, outer->key, sizeof(key));
    }
}

static void part_grants_have_the_vectors_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("grants.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "part"), i, v)
    {
        const struct spean_grant_outer outer = outer_of(kit, v, false);
        const json_t *const words = json_object_get(v, "terms");
        struct spean_grant_terms terms = {
            .record = vector_record(words, "record"),
            .part = vector_uint(words, "part"),
            .generation = vector_uint(words, "generation"),
            .owner = vector_id(words, "owner"),
            .audience_count = vector_count(words, "audience"),
        };
        size_t k;
        json_t *org;
        json_array_foreach(vector_list(words, "audience"), k, org)
        {
            memcpy(terms.audience[k].bytes, vector_hex(kit, org).data, SPEAN_ID_BYTES);
        }
        const struct spean_grant_lists lists = {keys_of(kit, v, "older"), vector_count(v, "older"),
                                                rows_of(kit, v), vector_count(v, "context")};
        struct spean_view out;
        assert_int_equal(
            spean_grant_encode(&outer, &terms, &lists, content_buf(kit), CONTENT_BYTES, &out),
            SPEAN_OK);
        assert_vector_view(v, "content", out);
        check_boxes(kit, v, &outer, false);
    }
    vectorkit_close(kit);
}

static void org_key_grants_have_the_vectors_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("grants.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "orgkey"), i, v)
    {
        const struct spean_grant_outer outer = outer_of(kit, v, true);
        struct spean_view out;
        assert_int_equal(spean_grant_encode_secrets(&outer, keys_of(kit, v, "secrets"),
                                                    vector_count(v, "secrets"), content_buf(kit),
                                                    CONTENT_BYTES, &out),
                         SPEAN_OK);
        assert_vector_view(v, "content", out);
        check_boxes(kit, v, &outer, true);
    }
    vectorkit_close(kit);
}

static void grants_whose_terms_are_malformed_are_refused(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("grants.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "refused_terms"), i, v)
    {
        const struct spean_grant_place place = {vector_id(v, "log"), vector_uint(v, "seq"),
                                                vector_id(v, "author")};
        struct spean_grant grant;
        struct spean_grant_terms terms;
        assert_int_equal(spean_grant_decode(vector_bytes(kit, v, "content"), &grant), SPEAN_OK);
        assert_refused(v, spean_grant_open_terms(&grant, &place, vector_bytes(kit, v, "key").data,
                                                 content_buf(kit), CONTENT_BYTES, &terms));
    }
    assert_true(i > 0);
    vectorkit_close(kit);
}

static void malformed_grants_and_erasures_are_refused(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    struct vectorkit *kit = vectorkit_open("grants.json");
    json_array_foreach(vectorkit_list(kit, "refused"), i, v)
    {
        struct spean_grant grant;
        assert_refused(v, spean_grant_decode(vector_bytes(kit, v, "encoded"), &grant));
    }
    vectorkit_close(kit);
    kit = vectorkit_open("erasures.json");
    json_array_foreach(vectorkit_list(kit, "refused"), i, v)
    {
        struct spean_erasure erasure;
        assert_refused(v, spean_erasure_decode(vector_bytes(kit, v, "encoded"), &erasure));
    }
    vectorkit_close(kit);
}

static const struct spean_view *reason_of(struct vectorkit *kit, const json_t *v)
{
    if (!vector_has(v, "reason")) {
        return NULL;
    }
    struct spean_view *const reason = vectorkit_alloc(kit, 1, sizeof(*reason));
    *reason = vector_bytes(kit, v, "reason");
    return reason;
}

static void erasures_have_the_vectors_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("erasures.json");
    struct spean_id proofs[8];
    struct spean_erasure_place places[8];
    struct spean_view out;
    size_t i;
    json_t *v;
    size_t k;
    json_t *row;
    json_array_foreach(vectorkit_list(kit, "parts"), i, v)
    {
        const struct spean_record_id record = vector_record(v, "record");
        json_array_foreach(vector_list(v, "proofs"), k, row)
        {
            memcpy(proofs[k].bytes, vector_hex(kit, row).data, SPEAN_ID_BYTES);
        }
        assert_int_equal(spean_erasure_encode_part(&record, vector_uint(v, "part"), proofs,
                                                   (uint32_t)k, reason_of(kit, v), content_buf(kit),
                                                   CONTENT_BYTES, &out),
                         SPEAN_OK);
        assert_vector_view(v, "content", out);
    }
    json_array_foreach(vectorkit_list(kit, "entries"), i, v)
    {
        json_array_foreach(vector_list(v, "places"), k, row)
        {
            places[k] = (struct spean_erasure_place){vector_id(row, "log"), vector_uint(row, "seq"),
                                                     vector_id(row, "entry")};
        }
        assert_int_equal(spean_erasure_encode_places(places, (uint32_t)k, reason_of(kit, v),
                                                     content_buf(kit), CONTENT_BYTES, &out),
                         SPEAN_OK);
        assert_vector_view(v, "content", out);
    }
    vectorkit_close(kit);
}

static void record_ids_follow_from_ledger_org_and_random(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("changes.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "records"), i, v)
    {
        const struct spean_id ledger = vector_id(v, "ledger");
        const struct spean_id org = vector_id(v, "org");
        struct spean_record_id record;
        spean_record_id_derive(&record, &ledger, &org, vector_bytes(kit, v, "random").data);
        assert_vector(v, "record", record.bytes, sizeof(record.bytes));
    }
    vectorkit_close(kit);
}

static void check_change(struct vectorkit *kit, const json_t *v)
{
    struct spean_change change = {
        .type = vector_uint(v, "type"),
        .record = vector_record(v, "record"),
        .part = vector_uint(v, "part"),
        .schema_version = vector_uint(v, "schema"),
        .actor = vector_str(v, "actor"),
        .creates = vector_has(v, "create"),
    };
    if (change.creates) {
        const json_t *const create = json_object_get(v, "create");
        vector_fixed(create, "random", change.random, sizeof(change.random));
        change.fixed = vector_bytes(kit, create, "fixed");
    }
    struct spean_operation operations[8];
    size_t operations_count;
    json_t *row;
    json_array_foreach(vector_list(v, "operations"), operations_count, row)
    {
        operations[operations_count] = (struct spean_operation){
            .field = vector_uint(row, "field"),
            .kind = vector_uint(row, "kind"),
            .verb = vector_uint(row, "verb"),
            .value = vector_bytes(kit, row, "value"),
        };
    }
    struct spean_view out;
    assert_int_equal(spean_change_encode(&change, operations, (uint32_t)operations_count,
                                         rows_of(kit, v), vector_count(v, "context"),
                                         content_buf(kit), CONTENT_BYTES, &out),
                     SPEAN_OK);
    assert_vector_view(v, "content", out);
}

static void changes_have_the_vectors_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("changes.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "changes"), i, v)
    {
        check_change(kit, v);
    }
    vectorkit_close(kit);
}

static void malformed_changes_are_refused(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("changes.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "refused"), i, v)
    {
        struct spean_change change;
        assert_refused(v, spean_change_decode(vector_bytes(kit, v, "encoded"), &change));
    }
    vectorkit_close(kit);
}

/* Say whether a row names an entry of the history. */
static bool row_counts(void *ctx, const struct spean_context_row *row)
{
    size_t i;
    json_t *entry;
    json_array_foreach(vector_list(ctx, "accepted"), i, entry)
    {
        const struct spean_id own = vector_id(entry, "entry");
        if (vector_short(entry, "log") == row->log && vector_uint(entry, "seq") == row->seq &&
            spean_short_of(&own) == row->entry) {
            return true;
        }
    }
    return false;
}

static void apply(struct vectorkit *kit, struct spean_part *part, const json_t *v, size_t index)
{
    const json_t *const row = json_array_get(vector_list(v, "changes"), index);
    struct spean_change change;
    assert_int_equal(spean_change_decode(vector_bytes(kit, row, "content"), &change), SPEAN_OK);
    const struct spean_fold_input input = {
        .change = &change,
        .log = vector_short(row, "log"),
        .seq = vector_uint(row, "seq"),
        .entry = vector_id(row, "entry"),
        .time = vector_uint(row, "time"),
        .org = vector_id(row, "org"),
    };
    bool rows_missing = false;
    assert_int_equal(
        spean_part_apply(part, &input, row_counts, (void *)(uintptr_t)v, &rows_missing), SPEAN_OK);
}

static void check_state(struct vectorkit *kit, const struct spean_part *part, const json_t *v)
{
    const size_t cap = spean_part_encoded_max(part);
    struct spean_view state;
    assert_int_equal(spean_part_encode(part, vectorkit_alloc(kit, cap, 1), cap, &state), SPEAN_OK);
    assert_vector_view(v, "state", state);
    struct spean_id hash;
    spean_part_hash(&hash, state);
    assert_vector(v, "hash", hash.bytes, sizeof(hash.bytes));
    struct spean_part *back = NULL;
    assert_int_equal(spean_part_decode(state, &back), SPEAN_OK);
    assert_int_equal(spean_part_encode(back, vectorkit_alloc(kit, cap, 1), cap, &state), SPEAN_OK);
    assert_vector_view(v, "state", state);
    spean_part_free(back);
}

static void histories_fold_to_the_vectors_state_in_any_order(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("states.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "histories"), i, v)
    {
        const struct spean_record_id record = vector_record(v, "record");
        const size_t count = vector_count(v, "changes");
        for (size_t shift = 0; shift <= count; shift++) {
            struct spean_part *part = NULL;
            assert_int_equal(
                spean_part_new(&part, vector_uint(v, "type"), &record, vector_uint(v, "part")),
                SPEAN_OK);
            for (size_t k = 0; k < count; k++) {
                apply(kit, part, v, (count - k + shift) % count); /* Backwards from anywhere. */
            }
            check_state(kit, part, v);
            for (size_t k = 0; k < count; k++) {
                apply(kit, part, v, k); /* Again changes nothing. */
            }
            check_state(kit, part, v);
            spean_part_free(part);
        }
    }
    vectorkit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(part_grants_have_the_vectors_bytes),
        cmocka_unit_test(org_key_grants_have_the_vectors_bytes),
        cmocka_unit_test(grants_whose_terms_are_malformed_are_refused),
        cmocka_unit_test(malformed_grants_and_erasures_are_refused),
        cmocka_unit_test(erasures_have_the_vectors_bytes),
        cmocka_unit_test(record_ids_follow_from_ledger_org_and_random),
        cmocka_unit_test(changes_have_the_vectors_bytes),
        cmocka_unit_test(malformed_changes_are_refused),
        cmocka_unit_test(histories_fold_to_the_vectors_state_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
