/*
 * bench_fold - how fast entries become records, from nothing, and how fast grants of one part do.
 *
 * The changes: two nodes of one organisation have written (history.h); one has all of it in its
 * store and folds it as the daemon does. The bare limit opens as many boxes of the same length and
 * puts what was in them into one table, committed as often; a loop over the bare libraries, with
 * the boxes in memory.
 *
 * The grants: both nodes hand the key of one part out again and again, which no honest program
 * does; whoever holds the key can.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "protocol/bytes.h"
#include "store/db.h"
#include "tests/bench/bare.h"
#include "tests/bench/frame.h"
#include "tests/bench/history.h"
#include "tests/bench/scratch.h"
#include "tests/bench/world.h"

#define CHANGES_DEFAULT 200000u
#define CHANGES_MAX     2000000u
#define GRANTS_DEFAULT  1000u
#define RATE_GOAL       40000.0
#define MIB             (1024.0 * 1024.0)
#define CONTENT_BYTES                                                                              \
    (HISTORY_BODY_BYTES - crypto_aead_xchacha20poly1305_ietf_NPUBBYTES -                           \
     crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define BOXES         4096u /* In memory; they are opened again and again. */
#define BOX_BYTES     (CONTENT_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define AD_BYTES      72u /* Log, seq, tag: what a body is bound to. */
#define ROW_KEY_BYTES 12u

static const char limit_name[] = "limit"; /* Of the folder that the bare limit works in. */

struct options {
    const char *dir; /* Where the folder of the run is made. */
    uint32_t changes;
    uint32_t grants;
    bool json;
};

struct results {
    double fold_s;
    double cpu_s;       /* Of the fold, user and system. */
    double written_mib; /* By it, through system calls. */
    uint32_t commits;   /* Of the fold. */
    double limit_s;
    double grants_s;
};

/* -- Counting -------------------------------------------------------------------------------- */

static uint32_t commits;

spean_err __real_spean_tx_commit(struct spean_tx *tx);
spean_err __wrap_spean_tx_commit(struct spean_tx *tx);

spean_err __wrap_spean_tx_commit(struct spean_tx *tx)
{
    commits++;
    return __real_spean_tx_commit(tx);
}

/* -- The fold -------------------------------------------------------------------------------- */

static double cpu_s(void)
{
    struct rusage usage;
    scratch_want(getrusage(RUSAGE_SELF, &usage) == 0, "to ask for the time used");
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           ((double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec) / 1e6;
}

/* MiB that this process has written so far. */
static double written_mib(void)
{
    char line[128];
    double bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    scratch_want(file != NULL, "to read how much was written");
    while (fgets(line, sizeof(line), file) != NULL && sscanf(line, "wchar: %lf", &bytes) != 1) {
    }
    (void)fclose(file);
    return bytes / MIB;
}

/* Let a node fold what history wrote into its store. */
static struct results fold(struct spean_core *core)
{
    const uint32_t commits_before = commits;
    const double written_before = written_mib();
    const double cpu_before = cpu_s();
    const double begun_s = scratch_now_s();
    spean_core_committed(core); /* Folds it all. */
    const struct results r = {.fold_s = scratch_now_s() - begun_s,
                              .cpu_s = cpu_s() - cpu_before,
                              .written_mib = written_mib() - written_before,
                              .commits = commits - commits_before};
    world_check_folded(core);
    return r;
}

/* In a world of its own: write, then fold. grants > 0: of one part, instead of changes. */
static struct results measure_fold(const char *dir, uint32_t changes, uint32_t grants)
{
    struct world_node node;
    uint8_t other_seed[SPEAN_KEY_BYTES];
    world_make(dir);
    world_seed(dir, "b", other_seed);
    world_open(&node, dir, "a", "", STDERR_FILENO, SPEAN_JOURNAL_ERROR);
    if (grants > 0) {
        history_write_grants(node.core, grants, other_seed);
    } else {
        history_write(node.core, changes, "127.0.0.1:9", other_seed);
    }
    const struct results r = fold(node.core);
    world_close(&node);
    world_remove(dir);
    return r;
}

/* -- The bare limit -------------------------------------------------------------------------- */

struct limit {
    struct bare bare;
    MDB_dbi rows;
    uint8_t key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];
    uint8_t ad[AD_BYTES];
    uint8_t boxes[BOXES][BOX_BYTES];
};

static void seal_boxes(struct limit *l)
{
    uint8_t content[CONTENT_BYTES];
    randombytes_buf(l->key, sizeof(l->key));
    randombytes_buf(l->nonce, sizeof(l->nonce));
    for (uint32_t i = 0; i < BOXES; i++) {
        randombytes_buf(content, sizeof(content));
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(l->boxes[i], NULL, content,
                                                         sizeof(content), l->ad, sizeof(l->ad),
                                                         NULL, l->nonce, l->key);
    }
}

/* Open one box into the row under seq. */
static void take_box(struct limit *l, uint64_t seq)
{
    uint8_t key[ROW_KEY_BYTES] = {0};
    spean_u64_put(key + ROW_KEY_BYTES - sizeof(seq), seq);
    uint8_t *const row = bare_put(&l->bare, l->rows, (struct spean_view){key, sizeof(key)},
                                  CONTENT_BYTES, MDB_APPEND);
    const int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
        row, NULL, NULL, l->boxes[seq % BOXES], BOX_BYTES, l->ad, sizeof(l->ad), l->nonce, l->key);
    scratch_want(rc == 0, "to open a box");
}

static double measure_limit(const char *dir, uint32_t changes, uint32_t commits_count)
{
    static const char *const no_name = NULL;
    static struct limit l;
    char path[SCRATCH_PATH_BYTES];
    const uint32_t batch = changes / commits_count + 1;
    scratch_path(path, dir, limit_name);
    seal_boxes(&l);
    bare_open(&l.bare, path, &no_name, 1, &l.rows);
    bare_begin(&l.bare);
    const double begun_s = scratch_now_s();
    for (uint32_t i = 0; i < changes; i++) {
        take_box(&l, i + 1);
        if ((i + 1) % batch == 0) {
            bare_commit(&l.bare);
            bare_begin(&l.bare);
        }
    }
    bare_commit(&l.bare);
    const double took_s = scratch_now_s() - begun_s;
    bare_close(&l.bare);
    scratch_remove(path);
    return took_s;
}

/* -- Printing -------------------------------------------------------------------------------- */

static void print_json(const struct options *o, const struct results *r)
{
    (void)printf("{\"bench\":\"fold\",\"ratio\":%.4f,\"changes\":%u,\"fold_s\":%.4f,"
                 "\"changes_per_s\":%.0f,\"cpu_s\":%.4f,\"written_mib\":%.1f,\"commits\":%u,"
                 "\"limit_s\":%.4f,"
                 "\"limit_changes_per_s\":%.0f,\"grants\":%u,\"grants_s\":%.4f,"
                 "\"grants_per_s\":%.0f}\n",
                 r->limit_s / r->fold_s, o->changes, r->fold_s, o->changes / r->fold_s, r->cpu_s,
                 r->written_mib, r->commits, r->limit_s, o->changes / r->limit_s, o->grants,
                 r->grants_s, o->grants / r->grants_s);
}

static void print_table(const struct options *o, const struct results *r)
{
    const double rate = o->changes / r->fold_s;
    (void)printf("Folding from nothing: %u changes, %u commits\n", o->changes, r->commits);
    (void)printf("  %-34s %10.0f changes/s  %8.3f s\n", "folded", rate, r->fold_s);
    (void)printf("  %-34s %10.0f changes/s  %8.3f s\n", "by the time of the processor",
                 o->changes / r->cpu_s, r->cpu_s);
    (void)printf("  %-34s %10.1f MiB\n", "written", r->written_mib);
    (void)printf("  %-34s %10.0f changes/s  %8.3f s\n", "bare limit", o->changes / r->limit_s,
                 r->limit_s);
    (void)printf("  %-34s %10.3f\n", "ratio to the limit", r->limit_s / r->fold_s);
    (void)printf("  %-34s %10.0f            %s\n", "goal, changes/s", RATE_GOAL,
                 rate >= RATE_GOAL ? "reached" : "NOT reached");
    (void)printf("  %-34s %10.0f grants/s   %8.3f s for %u\n", "grants of one part",
                 o->grants / r->grants_s, r->grants_s, o->grants);
}

/* -- Options --------------------------------------------------------------------------------- */

static const char usage_text[] =
    "Usage: bench_fold [--changes N] [--grants N] [--dir DIR] [--json]\n"
    "Measure how fast a node folds what is in its store, from nothing.\n"
    "\n"
    "  --changes N  how many changes, a multiple of 100 (200000)\n"
    "  --grants N   how many grants of one part, at most 2000 (1000)\n"
    "  --dir DIR    where the stores go ($TMPDIR, or /tmp); its file system is measured too\n"
    "  --json       print one object instead of a table\n"
    "  --help       print this\n";

int main(int argc, char **argv)
{
    static const char *const left[] = {limit_name, NULL};
    struct options o = {.changes = CHANGES_DEFAULT, .grants = GRANTS_DEFAULT};
    const struct frame_flag flags[] = {
        {.name = "changes", .number = &o.changes, .number_max = CHANGES_MAX},
        {.name = "grants", .number = &o.grants, .number_max = HISTORY_GRANTS_MAX},
        {.name = "dir", .text = &o.dir},
        {.name = "json", .given = &o.json},
    };
    frame_flags(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), usage_text);
    if (o.changes % HISTORY_CHANGES_A_CASE != 0) {
        frame_misused(usage_text);
    }
    scratch_want(sodium_init() >= 0, "libsodium to start");
    const char *const dir = frame_folder(o.dir, left);
    struct results r = measure_fold(dir, o.changes, 0);
    r.limit_s = measure_limit(dir, o.changes, r.commits);
    r.grants_s = measure_fold(dir, 0, o.grants).fold_s;
    if (o.json) {
        print_json(&o, &r);
    } else {
        print_table(&o, &r);
    }
    return EXIT_SUCCESS;
}
