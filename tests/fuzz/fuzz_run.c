/*
 * Runs and evidence of any bytes. A run that is accepted is encoded again to the same bytes, and
 * once it is signed it verifies under that key and no other. Two runs that follow one place make
 * evidence exactly when their first entries differ.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/evidence.h"
#include "protocol/run.h"
#include "protocol/sign.h"
#include "tests/fuzz/fuzz.h"

static const struct spean_id of_log = {{0x4c}};
static const uint8_t seed[SPEAN_KEY_BYTES] = {7};

static bool same(struct spean_view a, struct spean_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Encode a decoded run, with its bodies or without, under signature. */
static struct spean_view encode(const struct spean_run *run, bool bodies,
                                const struct spean_signature *signature, uint8_t *buf)
{
    struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX];
    for (uint32_t i = 0; i < spean_run_count(run); i++) {
        const struct spean_run_entry *e = spean_run_entry(run, i);
        sources[i].header = e->header_bytes;
        sources[i].body = bodies ? e->body : (struct spean_view){0};
    }
    struct spean_view out = {0};
    const spean_err err = spean_run_encode(sources, spean_run_count(run), signature, buf,
                                           SPEAN_FRAME_BYTES_MAX, &out);
    assert(err == SPEAN_OK);
    return out;
}

static spean_err decode(struct spean_run *run, struct spean_view bytes)
{
    uint64_t first = 0;
    const spean_err err = spean_run_first_seq(bytes, &first);
    if (err != SPEAN_OK || first == 0) {
        return err == SPEAN_OK ? SPEAN_EFORMAT : err;
    }
    const struct spean_place after = {first - 1, {{0}}};
    return spean_run_decode(run, bytes, &of_log, &after);
}

static bool ends_commit(const struct spean_run *run)
{
    const struct spean_run_entry *last = spean_run_entry(run, spean_run_count(run) - 1);
    return (last->header.flags & SPEAN_ENTRY_ENDS_COMMIT) != 0;
}

static void check_run(struct spean_run *run, struct spean_view bytes, uint8_t *buf)
{
    struct spean_key key;
    spean_sign_public(&key, seed);
    if (decode(run, bytes) != SPEAN_OK) {
        assert(spean_run_count(run) == 0);
        return;
    }
    assert(spean_run_count(run) <= SPEAN_RUN_ENTRIES_MAX);
    assert(spean_run_size(run) <= SPEAN_RUN_BYTES_MAX);
    assert(same(encode(run, true, spean_run_signature(run), buf), bytes));

    struct spean_signature signature;
    const struct spean_place last = spean_run_last(run);
    spean_commit_sign(&signature, &of_log, &last.entry, seed);
    const bool closed = ends_commit(run);
    spean_err err = decode(run, encode(run, true, &signature, buf));
    assert(err == SPEAN_OK);
    assert(spean_id_equal(&spean_run_entry(run, spean_run_count(run) - 1)->id, &last.entry));
    err = spean_run_verify(run, &key, NULL);
    assert(err == (closed ? SPEAN_OK : SPEAN_EFORMAT));
    key.bytes[0] ^= 1;
    err = spean_run_verify(run, &key, NULL);
    assert(err != SPEAN_OK);
}

/* The run without bodies, signed by us; *first is its first entry. False: not to be signed. */
static bool sign_half(struct spean_run *run, struct spean_view bytes, uint8_t *buf,
                      struct spean_view *out, struct spean_place *after, struct spean_id *first)
{
    if (decode(run, bytes) != SPEAN_OK || !ends_commit(run)) {
        return false;
    }
    struct spean_signature signature;
    const struct spean_place last = spean_run_last(run);
    spean_commit_sign(&signature, &of_log, &last.entry, seed);
    after->seq = spean_run_entry(run, 0)->header.seq - 1;
    *first = spean_run_entry(run, 0)->id;
    *out = encode(run, false, &signature, buf);
    return true;
}

static void check_pair(struct spean_run *run, struct spean_view a, struct spean_view b,
                       uint8_t *buf)
{
    struct spean_key key;
    spean_sign_public(&key, seed);
    struct spean_evidence e = {.log = of_log};
    struct spean_place after = {0};
    struct spean_id first[2];
    if (!sign_half(run, a, buf, &e.runs[0], &e.after, &first[0]) ||
        !sign_half(run, b, buf + SPEAN_FRAME_BYTES_MAX, &e.runs[1], &after, &first[1]) ||
        after.seq != e.after.seq) {
        return;
    }
    struct spean_view bytes = {0};
    spean_err err = spean_evidence_encode(&e, buf + (size_t)2 * SPEAN_FRAME_BYTES_MAX,
                                          SPEAN_EVIDENCE_BYTES_MAX, &bytes);
    assert(err == SPEAN_OK); /* Two runs of any form fit. */
    struct spean_evidence again;
    err = spean_evidence_decode(bytes, &again);
    assert(err == SPEAN_OK);
    err = spean_evidence_verify(&again, &key, NULL, run);
    assert(err == (spean_id_equal(&first[0], &first[1]) ? SPEAN_ESTATE : SPEAN_OK));
}

static void check_evidence(struct spean_run *run, struct spean_view bytes, uint8_t *buf)
{
    struct spean_key key;
    spean_sign_public(&key, seed);
    struct spean_evidence e;
    if (spean_evidence_decode(bytes, &e) != SPEAN_OK) {
        return;
    }
    struct spean_view again = {0};
    spean_err err = spean_evidence_encode(&e, buf, SPEAN_EVIDENCE_BYTES_MAX, &again);
    assert(err == SPEAN_OK);
    assert(same(again, bytes));
    err = spean_evidence_verify(&e, &key, NULL, run);
    assert(err != SPEAN_OK); /* Nobody else can sign for the key. */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spean_run *run = NULL;
    uint8_t *buf = malloc((size_t)3 * SPEAN_FRAME_BYTES_MAX);
    if (buf == NULL || spean_run_new(&run) != SPEAN_OK) {
        abort();
    }
    check_run(run, (struct spean_view){data, size}, buf);
    check_evidence(run, (struct spean_view){data, size}, buf);
    /* The first two bytes say where the second run begins. */
    if (size > 2) {
        const size_t len = (size_t)data[0] << 8 | data[1];
        const size_t split = len < size - 2 ? len : size - 2;
        check_pair(run, (struct spean_view){data + 2, split},
                   (struct spean_view){data + 2 + split, size - 2 - split}, buf);
    }
    spean_run_free(run);
    free(buf);
    return 0;
}
