/*
 * bench_commit - what a signed, durable, local commit costs beside a bare LMDB commit.
 *
 *     bench_commit [--rounds N] [--json]
 *
 * Each round makes one of both, in turns, on one file system (that of TMPDIR): a change with a
 * sealed body of about 300 bytes, from drafting to durable; and one row of the same bytes (header,
 * body, signature) put by LMDB alone, opened like the store. Folding, between rounds, is not timed.
 * The ratio is that of the medians.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/schema_numbers.h"
#include "tests/bench/bare.h"
#include "tests/bench/frame.h"
#include "tests/bench/history.h"
#include "tests/bench/scratch.h"
#include "tests/unit/store/author_fixture.h"

#define ROUNDS_DEFAULT 500u
#define ROUNDS_MAX     100000u

struct options {
    uint32_t rounds;
    bool json;
};

/* -- Ours ------------------------------------------------------------------------------------ */

static struct spean_record_id create_case(struct author_fixture *f)
{
    static const uint8_t random[SPEAN_CHANGE_RANDOM_BYTES] = {1};
    struct spean_record_id record;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    assert_int_equal(
        spean_draft_create(draft, SPEAN_TYPE_CASE, random, (struct spean_view){0}, &record, NULL),
        SPEAN_OK);
    assert_int_equal(author_fixture_commit(f, A1, draft), SPEAN_OK);
    spean_draft_free(draft);
    return record;
}

/* Make one signed commit; give the seconds that it took and what P5.6 counts of it. */
static double commit_signed(struct author_fixture *f, const struct spean_record_id *record,
                            uint32_t round, uint32_t *bytes)
{
    uint8_t buf[HISTORY_NARRATIVE_BYTES];
    const struct spean_view value = history_narrative(round, buf);
    struct spean_author_done done;
    const double begun_s = scratch_now_s();
    struct spean_draft *draft = author_fixture_draft(f, A1);
    assert_int_equal(spean_draft_change(draft, record, SPEAN_TYPE_CASE, SPEAN_PART_CASE), SPEAN_OK);
    assert_int_equal(spean_draft_op(draft, SPEAN_FIELD_CASE_NARRATIVE, SPEAN_VERB_WRITE, value),
                     SPEAN_OK);
    assert_int_equal(
        spean_author_commit(&f->nodes[A1].author, draft, fixture_text("bench"), false, &done, NULL),
        SPEAN_OK);
    spean_draft_free(draft);
    const double took_s = scratch_now_s() - begun_s;
    author_fixture_fold(&f->nodes[A1]);
    *bytes = done.bytes;
    return took_s;
}

/* -- Bare ------------------------------------------------------------------------------------ */

static double commit_bare(struct bare *bare, MDB_dbi rows, uint32_t round, uint32_t bytes)
{
    uint8_t number[8];
    spean_u64_put(number, round);
    const double begun_s = scratch_now_s();
    bare_begin(bare);
    memset(bare_put(bare, rows, (struct spean_view){number, sizeof(number)}, bytes, MDB_APPEND),
           (int)(round & 0xffu), bytes);
    bare_commit(bare);
    return scratch_now_s() - begun_s;
}

/* -- Both ------------------------------------------------------------------------------------ */

static uint32_t measure(struct author_fixture *f, struct frame_times *ours,
                        struct frame_times *theirs)
{
    static const char *const no_name = NULL;
    char dir[FIXTURE_PATH_BYTES];
    struct bare bare;
    MDB_dbi rows;
    fixture_path(f->nodes[A1].store, "bare", dir);
    bare_open(&bare, dir, &no_name, 1, &rows);
    const struct spean_record_id record = create_case(f);
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < ours->count; i++) {
        ours->s[i] = commit_signed(f, &record, i, &bytes);
        bytes += SPEAN_SIGNATURE_BYTES;
        theirs->s[i] = commit_bare(&bare, rows, i, bytes);
    }
    bare_close(&bare);
    scratch_remove(dir);
    frame_times_sort(ours);
    frame_times_sort(theirs);
    return bytes;
}

static void print(const struct options *o, uint32_t bytes, const struct frame_times *ours,
                  const struct frame_times *theirs)
{
    const double signed_us = frame_times_us(ours, 0.5);
    const double bare_us = frame_times_us(theirs, 0.5);
    if (o->json) {
        (void)printf("{\"bench\":\"commit\",\"rounds\":%" PRIu32 ",\"bytes\":%" PRIu32
                     ",\"signed_us\":%.1f,\"bare_us\":%.1f,\"ratio\":%.3f}\n",
                     o->rounds, bytes, signed_us, bare_us, signed_us / bare_us);
        return;
    }
    (void)printf("A local commit: %" PRIu32 " rounds of %" PRIu32 " bytes, microseconds\n",
                 o->rounds, bytes);
    frame_times_print_head();
    frame_times_print("signed, durable commit", ours);
    frame_times_print("bare LMDB commit", theirs);
    (void)printf("  %-34s %10.3f\n", "ratio of the medians", signed_us / bare_us);
}

static const char usage_text[] =
    "Usage: bench_commit [--rounds N] [--json]\n"
    "Measure what a signed, durable, local commit costs beside a bare LMDB commit.\n"
    "\n"
    "  --rounds N  how many of each (500)\n"
    "  --json      print one object instead of a table\n"
    "  --help      print this\n";

int main(int argc, char **argv)
{
    struct options o = {.rounds = ROUNDS_DEFAULT};
    const struct frame_flag flags[] = {
        {.name = "rounds", .number = &o.rounds, .number_max = ROUNDS_MAX},
        {.name = "json", .given = &o.json},
    };
    frame_flags(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), usage_text);
    void *state = NULL;
    (void)author_fixture_setup(&state); /* Ends the program where it fails, as do all asserts. */
    struct frame_times ours;
    struct frame_times theirs;
    frame_times_new(&ours, o.rounds);
    frame_times_new(&theirs, o.rounds);
    const uint32_t bytes = measure(state, &ours, &theirs);
    print(&o, bytes, &ours, &theirs);
    frame_times_free(&ours);
    frame_times_free(&theirs);
    (void)author_fixture_teardown(&state);
    return 0;
}
