/* The bytes of tests/vectors/ about headers, runs, evidence, heads and frontiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/entry.h"
#include "protocol/evidence.h"
#include "protocol/frontier.h"
#include "protocol/heads.h"
#include "protocol/run.h"
#include "tests/support/vectorkit.h"

static void log_ids_follow_from_ledger_org_and_key(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("logs.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "ids"), i, v)
    {
        const struct spean_id ledger = vector_id(v, "ledger");
        const struct spean_id org = vector_id(v, "org");
        const struct spean_key signing = vector_key(v, "signing");
        struct spean_id log;
        spean_log_id(&log, &ledger, &org, &signing);
        assert_vector(v, "log", log.bytes, sizeof(log.bytes));
    }
    vectorkit_close(kit);
}

static struct spean_header header_of(struct vectorkit *kit, const json_t *v)
{
    struct spean_header h = {
        .format = vector_uint(v, "format"),
        .seq = vector_uint(v, "seq"),
        .previous = vector_id(v, "previous"),
        .time = vector_uint(v, "time"),
        .kind = vector_uint(v, "kind"),
        .flags = vector_uint(v, "flags"),
        .has_tag = vector_has(v, "tag"),
        .body_len = (uint32_t)vector_uint(v, "length"),
        .body_hash = vector_id(v, "body_hash"),
        .rest = vector_bytes(kit, v, "rest"),
        .rest_count = (uint32_t)vector_uint(v, "rest_count"),
    };
    if (h.has_tag) {
        h.tag = vector_tag(v, "tag");
    }
    return h;
}

static void headers_ids_and_signatures_are_the_vectors(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("logs.json");
    const struct spean_view seed = vector_bytes(kit, vectorkit_top(kit), "signing_seed");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "headers"), i, v)
    {
        const struct spean_header h = header_of(kit, v);
        const struct spean_id log = vector_id(v, "log");
        uint8_t buf[SPEAN_HEADER_BYTES_MAX];
        struct spean_view out;
        struct spean_id id;
        struct spean_signature sig;
        struct spean_header back;
        assert_int_equal(spean_header_encode(&h, buf, sizeof(buf), &out), SPEAN_OK);
        assert_vector_view(v, "header", out);
        assert_int_equal(spean_header_decode(out, &back), SPEAN_OK);
        assert_int_equal(back.rest_count, h.rest_count);
        assert_vector_view(v, "rest", back.rest);
        spean_entry_id(&id, &log, out);
        assert_vector(v, "entry", id.bytes, sizeof(id.bytes));
        spean_commit_sign(&sig, &log, &id, seed.data);
        assert_vector(v, "commit_signature", sig.bytes, sizeof(sig.bytes));
        if (vector_has(v, "body")) {
            struct spean_id hash;
            spean_body_hash(&hash, vector_bytes(kit, v, "body"));
            assert_vector(v, "body_hash", hash.bytes, sizeof(hash.bytes));
        }
    }
    vectorkit_close(kit);
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("logs.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "refused"), i, v)
    {
        struct spean_header h;
        assert_refused(v, spean_header_decode(vector_bytes(kit, v, "encoded"), &h));
    }
    vectorkit_close(kit);
}

static void malformed_runs_are_refused(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("runs.json");
    struct spean_run *run = NULL;
    assert_int_equal(spean_run_new(&run), SPEAN_OK);
    const struct spean_id log = {{1}};
    const struct spean_place start = {0};
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "refused"), i, v)
    {
        assert_refused(v, spean_run_decode(run, vector_bytes(kit, v, "encoded"), &log, &start));
        assert_int_equal(spean_run_count(run), 0);
    }
    spean_run_free(run);
    vectorkit_close(kit);
}

static void encode_run(struct vectorkit *kit, const json_t *v)
{
    struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX];
    size_t i;
    json_t *entry;
    json_array_foreach(vector_list(v, "entries"), i, entry)
    {
        sources[i].header = vector_bytes(kit, entry, "header");
        const bool travels = vector_has(entry, "body");
        sources[i].body = travels ? vector_bytes(kit, entry, "body") : (struct spean_view){0};
    }
    struct spean_signature sig;
    const bool is_signed = vector_has(v, "signature");
    if (is_signed) {
        vector_fixed(v, "signature", sig.bytes, sizeof(sig.bytes));
    }
    struct spean_view out;
    assert_int_equal(spean_run_encode(sources, (uint32_t)i, is_signed ? &sig : NULL,
                                      vectorkit_alloc(kit, SPEAN_FRAME_BYTES_MAX, 1),
                                      SPEAN_FRAME_BYTES_MAX, &out),
                     SPEAN_OK);
    assert_vector_view(v, "run", out);
}

static void check_decoded(const struct spean_run *run, const json_t *v)
{
    assert_int_equal(spean_run_count(run), vector_count(v, "entries"));
    assert_int_equal(spean_run_size(run), vector_uint(v, "size"));
    size_t i;
    json_t *entry;
    json_array_foreach(vector_list(v, "entries"), i, entry)
    {
        const struct spean_run_entry *const ours = spean_run_entry(run, (uint32_t)i);
        assert_vector_view(entry, "header", ours->header_bytes);
        assert_vector(entry, "entry", ours->id.bytes, sizeof(ours->id.bytes));
        if (vector_has(entry, "body")) {
            assert_vector_view(entry, "body", ours->body);
        } else {
            assert_int_equal(ours->body.len, 0);
        }
    }
}

static void runs_restore_headers_and_ids(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("runs.json");
    struct spean_run *run = NULL;
    assert_int_equal(spean_run_new(&run), SPEAN_OK);
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "runs"), i, v)
    {
        encode_run(kit, v);
        const struct spean_id log = vector_id(v, "log");
        const struct spean_key signing = vector_key(v, "signing");
        const struct spean_place after = vector_place(json_object_get(v, "after"));
        assert_int_equal(spean_run_decode(run, vector_bytes(kit, v, "run"), &log, &after),
                         SPEAN_OK);
        check_decoded(run, v);
        const struct spean_place last = spean_run_last(run);
        const bool is_signed = vector_has(v, "signature");
        assert_int_equal(spean_run_verify(run, &signing, is_signed ? NULL : &last), SPEAN_OK);
        assert_int_equal(spean_run_verify(run, &signing, NULL),
                         is_signed ? SPEAN_OK : SPEAN_ESIGNATURE);
    }
    spean_run_free(run);
    vectorkit_close(kit);
}

static void evidence_is_the_vectors_and_proves_a_fork(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("runs.json");
    struct spean_run *scratch = NULL;
    assert_int_equal(spean_run_new(&scratch), SPEAN_OK);
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "evidence"), i, v)
    {
        const json_t *const runs = vector_list(v, "runs");
        const struct spean_evidence e = {
            .log = vector_id(v, "log"),
            .after = vector_place(json_object_get(v, "after")),
            .runs = {vector_hex(kit, json_array_get(runs, 0)),
                     vector_hex(kit, json_array_get(runs, 1))},
        };
        const struct spean_key signing = vector_key(v, "signing");
        struct spean_evidence back;
        struct spean_view out;
        assert_int_equal(spean_evidence_encode(&e,
                                               vectorkit_alloc(kit, SPEAN_EVIDENCE_BYTES_MAX, 1),
                                               SPEAN_EVIDENCE_BYTES_MAX, &out),
                         SPEAN_OK);
        assert_vector_view(v, "evidence", out);
        assert_int_equal(spean_evidence_decode(out, &back), SPEAN_OK);
        assert_int_equal(spean_evidence_verify(&back, &signing, NULL, scratch), SPEAN_OK);
    }
    spean_run_free(scratch);
    vectorkit_close(kit);
}

static void check_frontier(const struct spean_frontier *f, const json_t *v)
{
    uint64_t shorts[8];
    struct spean_excluded excluded = {shorts, vector_count(v, "excluded")};
    assert_in_range(excluded.count, 0, 8);
    for (size_t i = 0; i < excluded.count; i++) {
        const json_t *const name = json_array_get(vector_list(v, "excluded"), i);
        uint8_t bytes[SPEAN_SHORT_BYTES];
        json_t *const row = json_pack("{sO}", "short", name);
        vector_fixed(row, "short", bytes, sizeof(bytes));
        json_decref(row);
        shorts[i] = spean_u64_get(bytes);
    }
    size_t bucket;
    json_t *expected;
    json_array_foreach(vector_list(v, "buckets"), bucket, expected)
    {
        uint8_t digest[SPEAN_BUCKET_DIGEST_BYTES];
        spean_frontier_bucket_digest(f, (uint32_t)bucket, excluded, digest);
        json_t *const row = json_pack("{sO}", "bucket", expected);
        assert_vector(row, "bucket", digest, sizeof(digest));
        json_decref(row);
    }
    assert_int_equal(bucket, SPEAN_BUCKETS_COUNT);
    struct spean_id digest;
    spean_frontier_digest(f, excluded, &digest);
    assert_vector(v, "frontier", digest.bytes, sizeof(digest.bytes));
}

static void frontiers_have_the_vectors_digests(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("frontiers.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "frontiers"), i, v)
    {
        struct spean_frontier *f = NULL;
        assert_int_equal(spean_frontier_new(&f), SPEAN_OK);
        size_t k;
        json_t *row;
        json_array_foreach(vector_list(v, "rows"), k, row)
        {
            const struct spean_id log = vector_id(row, "log");
            const struct spean_place head = vector_place(row);
            assert_int_equal(spean_frontier_set(f, &log, &head), SPEAN_OK);
        }
        check_frontier(f, v);
        spean_frontier_free(f);
    }
    vectorkit_close(kit);
}

static void heads_have_the_vectors_content(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("frontiers.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "heads"), i, v)
    {
        struct spean_heads_row *const rows =
            vectorkit_alloc(kit, vector_count(v, "rows"), sizeof(*rows));
        size_t k;
        json_t *row;
        json_array_foreach(vector_list(v, "rows"), k, row)
        {
            rows[k].log = vector_short(row, "log");
            rows[k].seq = vector_uint(row, "seq");
            vector_fixed(row, "entry", rows[k].entry, sizeof(rows[k].entry));
        }
        struct spean_view out;
        assert_int_equal(spean_heads_encode(rows, (uint32_t)k,
                                            vectorkit_alloc(kit, SPEAN_BODY_BYTES_MAX, 1),
                                            SPEAN_BODY_BYTES_MAX, &out),
                         SPEAN_OK);
        assert_vector_view(v, "content", out);
    }
    vectorkit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_ids_follow_from_ledger_org_and_key),
        cmocka_unit_test(headers_ids_and_signatures_are_the_vectors),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(malformed_runs_are_refused),
        cmocka_unit_test(runs_restore_headers_and_ids),
        cmocka_unit_test(evidence_is_the_vectors_and_proves_a_fork),
        cmocka_unit_test(frontiers_have_the_vectors_digests),
        cmocka_unit_test(heads_have_the_vectors_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
