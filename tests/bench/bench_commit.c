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
#include <errno.h>
#include <inttypes.h>
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "protocol/schema_numbers.h"
#include "protocol/writer.h"
#include "tests/unit/store/author_fixture.h"

#define ROUNDS_DEFAULT 500u
#define ROUNDS_MAX     100000u
#define NARRATIVE      120u /* Letters; the sealed body is then as long as the shortest one, 296. */
#define BARE_MAP_BYTES 1073741824u

struct options {
    uint32_t rounds;
    bool json;
};

/* The times of one kind of commit, in nanoseconds. */
struct times {
    uint64_t *ns;
    uint32_t count;
};

struct bare {
    MDB_env *env;
    MDB_dbi rows;
    char dir[FIXTURE_PATH_BYTES];
    uint8_t bytes[1024];
};

static uint64_t now_ns(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare_ns(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

/* The time below which a share of them is; times are sorted. */
static double quantile_us(const struct times *times, double share)
{
    const uint32_t index = (uint32_t)((double)(times->count - 1) * share);
    return (double)times->ns[index] / 1000.0;
}

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

static struct spean_view narrative(uint32_t round, uint8_t *buf, size_t cap)
{
    char text[NARRATIVE + 1];
    (void)snprintf(text, sizeof(text), "%0*" PRIu32, (int)NARRATIVE, round);
    struct spean_writer w;
    struct spean_view out;
    spean_writer_init(&w, buf, cap);
    spean_writer_map(&w, 1);
    spean_writer_str(&w, "en", 2);
    spean_writer_str(&w, text, NARRATIVE);
    assert_int_equal(spean_writer_end(&w, &out), SPEAN_OK);
    return out;
}

/* Make one signed commit; give how long it took and what P5.6 counts of it. */
static uint64_t commit_signed(struct author_fixture *f, const struct spean_record_id *record,
                              uint32_t round, uint32_t *bytes)
{
    uint8_t buf[NARRATIVE + 16u];
    const struct spean_view value = narrative(round, buf, sizeof(buf));
    struct spean_author_done done;
    const uint64_t start = now_ns();
    struct spean_draft *draft = author_fixture_draft(f, A1);
    assert_int_equal(spean_draft_change(draft, record, SPEAN_TYPE_CASE, SPEAN_PART_CASE), SPEAN_OK);
    assert_int_equal(spean_draft_op(draft, SPEAN_FIELD_CASE_NARRATIVE, SPEAN_VERB_WRITE, value),
                     SPEAN_OK);
    assert_int_equal(
        spean_author_commit(&f->nodes[A1].author, draft, fixture_text("bench"), false, &done, NULL),
        SPEAN_OK);
    spean_draft_free(draft);
    const uint64_t took = now_ns() - start;
    author_fixture_fold(&f->nodes[A1]);
    *bytes = done.bytes;
    return took;
}

/* -- Bare ------------------------------------------------------------------------------------ */

static void open_bare(struct bare *bare, const struct fixture *beside)
{
    fixture_path(beside, "bare", bare->dir);
    assert_int_equal(mkdir(bare->dir, 0700), 0);
    assert_int_equal(mdb_env_create(&bare->env), 0);
    assert_int_equal(mdb_env_set_mapsize(bare->env, BARE_MAP_BYTES), 0);
    assert_int_equal(mdb_env_open(bare->env, bare->dir, MDB_NOTLS, 0600), 0);
    MDB_txn *txn;
    assert_int_equal(mdb_txn_begin(bare->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &bare->rows), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void close_bare(struct bare *bare)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    mdb_env_close(bare->env);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[FIXTURE_PATH_BYTES + 16u];
        (void)snprintf(path, sizeof(path), "%s/%s", bare->dir, names[i]);
        (void)remove(path); /* Nothing depends on it. */
    }
    (void)remove(bare->dir);
}

static uint64_t commit_bare(struct bare *bare, uint32_t round, uint32_t bytes)
{
    assert_true(bytes <= sizeof(bare->bytes));
    uint8_t number[8];
    spean_u64_put(number, round);
    (void)memset(bare->bytes, (int)(round & 0xffu), bytes);
    MDB_val key = {sizeof(number), number};
    MDB_val value = {bytes, bare->bytes};
    const uint64_t start = now_ns();
    MDB_txn *txn;
    assert_int_equal(mdb_txn_begin(bare->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_put(txn, bare->rows, &key, &value, MDB_APPEND), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    return now_ns() - start;
}

/* -- Both ------------------------------------------------------------------------------------ */

static uint32_t measure(struct author_fixture *f, struct times *ours, struct times *theirs)
{
    struct bare bare;
    open_bare(&bare, f->nodes[A1].store);
    const struct spean_record_id record = create_case(f);
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < ours->count; i++) {
        ours->ns[i] = commit_signed(f, &record, i, &bytes);
        bytes += SPEAN_SIGNATURE_BYTES;
        theirs->ns[i] = commit_bare(&bare, i, bytes);
    }
    close_bare(&bare);
    qsort(ours->ns, ours->count, sizeof(*ours->ns), compare_ns);
    qsort(theirs->ns, theirs->count, sizeof(*theirs->ns), compare_ns);
    return bytes;
}

static void print(const struct options *options, uint32_t bytes, const struct times *ours,
                  const struct times *theirs)
{
    const double ratio = quantile_us(ours, 0.5) / quantile_us(theirs, 0.5);
    if (options->json) {
        (void)printf("{\"bench\":\"commit\",\"rounds\":%" PRIu32 ",\"bytes\":%" PRIu32
                     ",\"signed_us\":%.1f,\"bare_us\":%.1f,\"ratio\":%.3f}\n",
                     options->rounds, bytes, quantile_us(ours, 0.5), quantile_us(theirs, 0.5),
                     ratio);
        return;
    }
    (void)printf("%" PRIu32 " rounds of %" PRIu32 " bytes; microseconds\n\n", options->rounds,
                 bytes);
    (void)printf("%-22s %10s %10s %10s\n", "", "median", "90 %", "99 %");
    const struct times *const rows[] = {ours, theirs};
    static const char *const names[] = {"signed, durable commit", "bare LMDB commit"};
    for (size_t i = 0; i < 2; i++) {
        (void)printf("%-22s %10.1f %10.1f %10.1f\n", names[i], quantile_us(rows[i], 0.5),
                     quantile_us(rows[i], 0.9), quantile_us(rows[i], 0.99));
    }
    (void)printf("\nratio of the medians   %10.3f\n", ratio);
}

static bool read_options(int argc, char **argv, struct options *out)
{
    *out = (struct options){.rounds = ROUNDS_DEFAULT};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            out->json = true;
            continue;
        }
        if (strcmp(argv[i], "--rounds") != 0 || i + 1 == argc) {
            return false;
        }
        i++;
        char *end = NULL;
        errno = 0;
        const unsigned long rounds = strtoul(argv[i], &end, 10);
        if (errno != 0 || *end != '\0' || rounds == 0 || rounds > ROUNDS_MAX) {
            return false;
        }
        out->rounds = (uint32_t)rounds;
    }
    return true;
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
    struct options options;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(usage_text, stdout);
        return 0;
    }
    if (!read_options(argc, argv, &options)) {
        (void)fputs(usage_text, stderr);
        return 2;
    }
    void *state = NULL;
    (void)author_fixture_setup(&state); /* Ends the program where it fails, as do all asserts. */
    struct times ours = {calloc(options.rounds, sizeof(uint64_t)), options.rounds};
    struct times theirs = {calloc(options.rounds, sizeof(uint64_t)), options.rounds};
    assert_non_null(ours.ns);
    assert_non_null(theirs.ns);
    const uint32_t bytes = measure(state, &ours, &theirs);
    print(&options, bytes, &ours, &theirs);
    free(ours.ns);
    free(theirs.ns);
    (void)author_fixture_teardown(&state);
    return 0;
}
