#include "protocol/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/message.h"
#include "tests/support/logkit.h"

struct fixture {
    struct logkit *mine;
    struct logkit *theirs;
    struct spean_run *run;
    uint8_t *buf[3];
    struct spean_evidence evidence;
};

/* A log that forks after entry 3. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    for (size_t i = 0; i < 3; i++) {
        f->buf[i] = malloc(SPEAN_FRAME_BYTES_MAX);
        assert_non_null(f->buf[i]);
    }
    f->mine = logkit_new(5);
    logkit_fill(f->mine, 6);
    f->theirs = logkit_branch(f->mine, 3);
    logkit_add(f->theirs, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    assert_int_equal(spean_run_new(&f->run), SPEAN_OK);
    f->evidence.log = f->mine->log;
    f->evidence.after = logkit_place(f->mine, 3);
    f->evidence.runs[0] = logkit_run(f->mine, 4, 6, false, f->buf[0]);
    f->evidence.runs[1] = logkit_run(f->theirs, 4, 4, false, f->buf[1]);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < 3; i++) {
        free(f->buf[i]);
    }
    spean_run_free(f->run);
    logkit_free(f->mine);
    logkit_free(f->theirs);
    free(f);
    return 0;
}

static spean_err verify(struct fixture *f)
{
    return spean_evidence_verify(&f->evidence, &f->mine->signing, NULL, f->run);
}

static struct spean_view encoded(struct fixture *f)
{
    struct spean_view out = {0};
    assert_int_equal(spean_evidence_encode(&f->evidence, f->buf[2], SPEAN_FRAME_BYTES_MAX, &out),
                     SPEAN_OK);
    return out;
}

static void two_signed_branches_prove_a_fork_to_anybody(void **state)
{
    struct fixture *f = *state;
    struct spean_evidence back;
    assert_int_equal(spean_evidence_decode(encoded(f), &back), SPEAN_OK);
    f->evidence = back;
    assert_int_equal(verify(f), SPEAN_OK);
}

static void the_same_branch_twice_proves_nothing(void **state)
{
    struct fixture *f = *state;
    f->evidence.runs[1] = f->evidence.runs[0];
    assert_int_equal(verify(f), SPEAN_ESTATE);
}

static void a_longer_run_of_the_same_branch_proves_nothing(void **state)
{
    struct fixture *f = *state;
    f->evidence.runs[1] = logkit_run(f->mine, 4, 5, false, f->buf[1]);
    assert_int_equal(verify(f), SPEAN_ESTATE);
}

static void runs_that_start_at_another_place_are_refused(void **state)
{
    struct fixture *f = *state;
    f->evidence.runs[1] = logkit_run(f->mine, 5, 6, false, f->buf[1]);
    assert_int_equal(verify(f), SPEAN_EGAP);
}

static void somebody_elses_key_accuses_nobody(void **state)
{
    struct fixture *f = *state;
    struct logkit *other = logkit_new(6);
    assert_int_equal(spean_evidence_verify(&f->evidence, &other->signing, NULL, f->run),
                     SPEAN_ESIGNATURE);
    logkit_free(other);
}

static void evidence_carries_no_bodies(void **state)
{
    struct fixture *f = *state;
    f->evidence.runs[1] = logkit_run(f->theirs, 4, 4, true, f->buf[1]);
    assert_int_equal(verify(f), SPEAN_EFORMAT);
}

/* A run of the largest headers there are, which a later format may have. */
static struct spean_view largest_run(struct fixture *f, uint8_t fill, uint8_t *headers,
                                     uint8_t *buf)
{
    struct spean_run_source sources[SPEAN_RUN_ENTRIES_MAX];
    uint8_t rest[800] = {0xc5, 797 >> 8, 797 & 0xff}; /* One bin. */
    memset(rest + 3, fill, sizeof(rest) - 3);
    struct spean_header h = {.format = UINT64_MAX,
                             .seq = UINT32_MAX,
                             .time = INT64_MAX,
                             .kind = UINT64_MAX,
                             .flags = UINT64_MAX,
                             .has_tag = true,
                             .body_len = 1,
                             .rest = {rest, sizeof(rest)},
                             .rest_count = 1};
    uint32_t count = 0;
    for (size_t size = 0;; count++) {
        h.time = count % 2 == 0 ? INT64_MAX : 0; /* Deltas as long as they can be. */
        h.tag.bytes[0] = (uint8_t)count;         /* No two alike. */
        struct spean_view *header = &sources[count].header;
        assert_int_equal(spean_header_encode(&h, headers, SPEAN_HEADER_BYTES_MAX, header),
                         SPEAN_OK);
        size += header->len + 1;
        if (size > SPEAN_RUN_BYTES_MAX) {
            break;
        }
        spean_entry_id(&h.previous, &f->mine->log, *header);
        sources[count].body = (struct spean_view){0};
        headers += header->len;
        h.seq++;
    }
    assert_true(count > 128);
    const struct spean_signature signature = {{1}};
    struct spean_view out = {0};
    assert_int_equal(spean_run_encode(sources, count, &signature, buf, SPEAN_FRAME_BYTES_MAX, &out),
                     SPEAN_OK);
    return out;
}

/* Else whoever forks a log could do so without anybody being able to prove it. */
static void any_two_runs_fit(void **state)
{
    struct fixture *f = *state;
    uint8_t *headers = malloc(SPEAN_FRAME_BYTES_MAX);
    uint8_t *frame = malloc(SPEAN_FRAME_BYTES_MAX);
    struct spean_message *m = calloc(1, sizeof(*m));
    assert_true(headers != NULL && frame != NULL && m != NULL);
    f->evidence.after.seq = UINT32_MAX - 1;
    f->evidence.runs[0] = largest_run(f, 1, headers, f->buf[0]);
    f->evidence.runs[1] = largest_run(f, 2, headers, f->buf[1]);
    m->type = SPEAN_MESSAGE_EVIDENCE;
    assert_int_equal(
        spean_evidence_encode(&f->evidence, f->buf[2], SPEAN_EVIDENCE_BYTES_MAX, &m->as.evidence),
        SPEAN_OK);
    struct spean_view sent = {0};
    assert_int_equal(spean_message_encode(m, frame, SPEAN_FRAME_BYTES_MAX, &sent), SPEAN_OK);
    assert_int_equal(spean_message_decode(sent, m), SPEAN_OK);
    struct spean_evidence back;
    assert_int_equal(spean_evidence_decode(m->as.evidence, &back), SPEAN_OK);
    free(headers);
    free(frame);
    free(m);
}

static void evidence_truncated_at_any_byte_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct spean_view whole = encoded(f);
    for (size_t len = 0; len < whole.len; len++) {
        struct spean_evidence back;
        assert_int_not_equal(spean_evidence_decode((struct spean_view){whole.data, len}, &back),
                             SPEAN_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(two_signed_branches_prove_a_fork_to_anybody),
        T(the_same_branch_twice_proves_nothing),
        T(a_longer_run_of_the_same_branch_proves_nothing),
        T(runs_that_start_at_another_place_are_refused),
        T(somebody_elses_key_accuses_nobody),
        T(evidence_carries_no_bodies),
        T(any_two_runs_fit),
        T(evidence_truncated_at_any_byte_is_refused),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
