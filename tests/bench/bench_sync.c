/*
 * bench_sync - how fast an empty node catches up with one that has written much.
 *
 * Two nodes of one organisation, each the daemon's whole core in a process of its own, over CURVE
 * on the loopback: a has written, b is empty. Measured is b, from the connection it accepts until
 * its last run is durable, while it folds as it does in production; then until all is folded. The
 * bare limit (limit.h) follows in a third process, on the same file system.
 */
#include <assert.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/body.h"
#include "store/entries.h"
#include "store/file.h"
#include "store/setup.h"
#include "tests/bench/child.h"
#include "tests/bench/frame.h"
#include "tests/bench/history.h"
#include "tests/bench/limit.h"
#include "tests/bench/scratch.h"
#include "tests/bench/tally.h"
#include "tests/bench/watch.h"
#include "tests/bench/world.h"

#define CHANGES_DEFAULT 200000u
#define CHANGES_MAX     2000000u
#define NUMBER_BYTES    32u
#define RATIO_GOAL      0.25
#define MEMORY_GOAL_MIB 64.0
#define MIB             (1024.0 * 1024.0)

static const char limit_name[] = "limit"; /* Of the folder that the bare limit works in. */

struct options {
    const char *role; /* NULL: the one that starts the others. */
    const char *dir;  /* Where the folder of the run is made; of a role: that folder. */
    const char *endpoint;
    uint32_t changes;
    bool json;
};

/* What the roles tell, each as a line "name value". */
struct results {
    double written_s;  /* Making a's history. */
    double a_folded_s; /* Folding it at a. */
    double sync_s;
    double fold_s; /* From the connection, too. */
    double wire_in, wire_out;
    double anonymous_max;
    double batches;
    double limit_s;
};

static const struct {
    const char *name;
    size_t offset;
} result_names[] = {
    {"written_s", offsetof(struct results, written_s)},
    {"a_folded_s", offsetof(struct results, a_folded_s)},
    {"sync_s", offsetof(struct results, sync_s)},
    {"fold_s", offsetof(struct results, fold_s)},
    {"wire_in", offsetof(struct results, wire_in)},
    {"wire_out", offsetof(struct results, wire_out)},
    {"anonymous_max", offsetof(struct results, anonymous_max)},
    {"batches", offsetof(struct results, batches)},
    {"limit_s", offsetof(struct results, limit_s)},
};

static void tell(const char *name, double value)
{
    (void)printf("%s %.6f\n", name, value);
    (void)fflush(stdout);
}

/* -- Roles ----------------------------------------------------------------------------------- */

/* The node that has written. It dials the endpoint in its agency record, and runs until SIGTERM. */
static void be_a(const struct options *o)
{
    struct world_node node;
    const int signal_fd = child_signal_descriptor();
    world_open(&node, o->dir, "a", "", STDERR_FILENO, SPEAN_JOURNAL_ERROR);
    const double begun_s = scratch_now_s();
    history_write(node.core, o->changes, o->endpoint, NULL);
    const double written_s = scratch_now_s();
    spean_core_committed(node.core); /* Folds it all. */
    tell("written_s", written_s - begun_s);
    tell("a_folded_s", scratch_now_s() - written_s);
    scratch_need(spean_core_run(node.core, signal_fd), "to run node a");
    world_close(&node);
}

static void write_batches(const char *dir)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, dir, "batches");
    const struct spean_view bytes = {(const uint8_t *)tally.rows,
                                     tally.rows_count * sizeof(tally.rows[0])};
    scratch_need(spean_file_write_new(path, bytes), "to write down the batches");
}

/* The empty node, which catches up and is watched. */
static void be_b(const struct options *o)
{
    struct world_node node;
    int journal[2];
    const int signal_fd = child_signal_descriptor();
    scratch_want(pipe(journal) == 0, "a pipe for the journal");
    world_open(&node, o->dir, "b", "127.0.0.1:*", journal[1], SPEAN_JOURNAL_INFO);
    child_tell_endpoint(journal[0]);
    tally.entries_max = history_entries(o->changes);
    struct watch *watch = watch_begin(node.core, journal[0], history_entries(o->changes));
    scratch_need(spean_core_run(node.core, signal_fd), "to run node b");
    const struct watch_seen seen = watch_end(watch);
    world_close(&node);
    scratch_want(tally.entries == history_entries(o->changes), "every entry to arrive once");
    write_batches(o->dir);
    tell("sync_s", tally.last_s - seen.connected_s);
    tell("fold_s", seen.folded_s - seen.connected_s);
    tell("wire_in", (double)seen.wire_in);
    tell("wire_out", (double)seen.wire_out);
    tell("anonymous_max", (double)seen.anonymous_max);
    tell("batches", tally.batches);
}

/* The entries of a, in memory: reading them from its store is not what is measured. */
struct loaded {
    uint64_t count;
    struct limit_entry *entries;
    uint8_t *bytes; /* What they are views of. */
};

/* Copy an entry, header and body, to at. */
static struct limit_entry copy_entry(uint8_t *at, const struct spean_run_entry *entry,
                                     struct spean_view body)
{
    assert(at != NULL);
    const struct spean_view header = entry->header_bytes;
    memcpy(at, header.data, header.len);
    memcpy(at + header.len, body.data, body.len);
    return (struct limit_entry){.header = {at, header.len},
                                .body = {at + header.len, body.len},
                                .tag = entry->header.tag}; /* All zero when it has none. */
}

static void read_entries(struct spean_tx *tx, struct loaded *loaded)
{
    struct spean_logs_row row;
    struct spean_entries_scan scan;
    struct spean_run_entry entry;
    scratch_need(spean_logs_next(tx, 0, &row), "to find the log of a");
    loaded->entries = calloc(row.head.seq, sizeof(*loaded->entries));
    loaded->bytes = malloc(row.bytes); /* Of all headers and bodies. */
    scratch_want(loaded->entries != NULL && loaded->bytes != NULL, "memory for entries");
    scratch_need(spean_entries_scan_init(&scan, tx, &row, 1), "to read the log of a");
    uint8_t *at = loaded->bytes;
    while (spean_entries_scan_next(&scan, &entry) == SPEAN_OK) {
        struct spean_view body;
        scratch_need(spean_body_get(tx, row.number, &entry.header, &body), "to read a body");
        loaded->entries[loaded->count] = copy_entry(at, &entry, body);
        loaded->count++;
        at += entry.header_bytes.len + body.len;
    }
    spean_entries_scan_fini(&scan);
}

static void load_entries(const char *dir, struct loaded *loaded)
{
    char home[SCRATCH_PATH_BYTES];
    char store[SCRATCH_PATH_BYTES];
    scratch_path(home, dir, "a");
    scratch_path(store, home, SPEAN_HOME_STORE);
    const struct spean_db_options options = {.dir = store};
    struct spean_db *db = NULL;
    struct spean_tx *tx = NULL;
    scratch_need(spean_db_open(&options, &db), "to open the store of a");
    scratch_need(spean_tx_begin(db, SPEAN_TX_READ, &tx), "to read the store of a");
    read_entries(tx, loaded);
    spean_tx_abort(tx);
    spean_db_close(db);
}

static void be_limit(const struct options *o)
{
    static uint32_t batches[TALLY_ROWS_MAX];
    char path[SCRATCH_PATH_BYTES];
    size_t len = 0;
    scratch_path(path, o->dir, "batches");
    scratch_need(spean_file_read(path, (uint8_t *)batches, sizeof(batches), &len),
                 "to read the batches");
    struct loaded loaded = {0};
    load_entries(o->dir, &loaded);
    const uint64_t expected = history_entries(o->changes);
    scratch_want(loaded.count >= expected, "every entry at a"); /* It may have written since. */
    scratch_path(path, o->dir, limit_name);
    tell("limit_s", limit_measure(path, loaded.entries, expected, batches,
                                  (uint32_t)(len / sizeof(batches[0]))));
    free(loaded.entries);
    free(loaded.bytes);
    scratch_remove(path);
}

/* -- The one that starts them ---------------------------------------------------------------- */

/* Run this program again, in a role. */
static struct child start(const struct options *o, const char *role, const char *endpoint)
{
    char changes[NUMBER_BYTES];
    (void)snprintf(changes, sizeof(changes), "%u", o->changes);
    const char *const arguments[] = {"bench_sync", "--role", role,         "--dir",  o->dir,
                                     "--changes",  changes,  "--endpoint", endpoint, NULL};
    return child_start(arguments);
}

static void keep_result(void *ctx, const char *line)
{
    struct results *results = ctx;
    char name[NUMBER_BYTES];
    double value = 0;
    scratch_want(sscanf(line, "%31s %lf", name, &value) == 2, "a result");
    for (size_t i = 0; i < sizeof(result_names) / sizeof(result_names[0]); i++) {
        if (strcmp(name, result_names[i].name) == 0) {
            memcpy((uint8_t *)results + result_names[i].offset, &value, sizeof(value));
        }
    }
}

static void measure(const struct options *o, struct results *results)
{
    char line[CHILD_LINE_BYTES];
    char endpoint[CHILD_LINE_BYTES];
    struct child b = start(o, "b", "");
    child_line(&b, line);
    scratch_want(sscanf(line, "endpoint %255s", endpoint) == 1, "the endpoint of node b");
    struct child a = start(o, "a", endpoint);
    child_finish(&b, keep_result, results);
    (void)kill(a.pid, SIGTERM);
    child_finish(&a, keep_result, results);
    struct child limit = start(o, "limit", "");
    child_finish(&limit, keep_result, results);
}

/* -- Printing -------------------------------------------------------------------------------- */

static void print_json(const struct options *o, const struct results *r)
{
    const double entries = (double)history_entries(o->changes);
    (void)printf("{\"bench\":\"sync\",\"ratio\":%.4f,\"entries\":%.0f,\"sync_s\":%.4f,"
                 "\"entries_per_s\":%.0f,\"limit_s\":%.4f,\"limit_entries_per_s\":%.0f,"
                 "\"fold_s\":%.4f,\"folded_per_s\":%.0f,\"batches\":%.0f,"
                 "\"wire_bytes_per_entry\":%.1f,\"wire_bytes_back_per_entry\":%.2f,"
                 "\"anonymous_max_mib\":%.1f}\n",
                 r->limit_s / r->sync_s, entries, r->sync_s, entries / r->sync_s, r->limit_s,
                 entries / r->limit_s, r->fold_s, entries / r->fold_s, r->batches,
                 r->wire_in / entries, r->wire_out / entries, r->anonymous_max / MIB);
}

static void print_table(const struct options *o, const struct results *r)
{
    const double entries = (double)history_entries(o->changes);
    const double ratio = r->limit_s / r->sync_s;
    const double mib = r->anonymous_max / MIB;
    (void)printf("Catching up over CURVE on the loopback: %.0f entries, each a commit\n", entries);
    (void)printf("  %-34s %10.0f entries/s  %8.3f s\n", "durable", entries / r->sync_s, r->sync_s);
    (void)printf("  %-34s %10.0f entries/s  %8.3f s\n", "bare limit, same batches",
                 entries / r->limit_s, r->limit_s);
    (void)printf("  %-34s %10.3f            goal %.2f: %s\n", "ratio to the limit", ratio,
                 RATIO_GOAL, ratio >= RATIO_GOAL ? "reached" : "NOT reached");
    (void)printf("  %-34s %10.0f entries/s  %8.3f s\n", "durable and folded", entries / r->fold_s,
                 r->fold_s);
    (void)printf("  %-34s %10.1f bytes/entry (%.2f back)\n", "on the wire", r->wire_in / entries,
                 r->wire_out / entries);
    (void)printf("  %-34s %10.1f MiB        goal %.0f: %s\n", "peak anonymous memory", mib,
                 MEMORY_GOAL_MIB, mib <= MEMORY_GOAL_MIB ? "reached" : "NOT reached");
    (void)printf("  %-34s %10.0f\n", "batches (fsyncs of runs)", r->batches);
    (void)printf("  %-34s %10.0f entries/s\n", "folding where it was written, alone",
                 entries / r->a_folded_s);
}

/* -- Options --------------------------------------------------------------------------------- */

static const char usage_text[] =
    "Usage: bench_sync [--changes N] [--dir DIR] [--json]\n"
    "Measure how fast an empty node catches up with another one on this machine.\n"
    "\n"
    "  --changes N  how many changes the other has written, a multiple of 100 (200000)\n"
    "  --dir DIR    where the stores go ($TMPDIR, or /tmp); its file system is measured too\n"
    "  --json       print one object instead of a table\n"
    "  --help       print this\n";

static void be(const struct options *o)
{
    if (strcmp(o->role, "a") == 0) {
        be_a(o);
    } else if (strcmp(o->role, "b") == 0) {
        be_b(o);
    } else {
        be_limit(o);
    }
}

int main(int argc, char **argv)
{
    static const char *const left[] = {limit_name, NULL};
    struct options o = {.changes = CHANGES_DEFAULT};
    const struct frame_flag flags[] = {
        {.name = "role", .text = &o.role},
        {.name = "dir", .text = &o.dir},
        {.name = "changes", .number = &o.changes, .number_max = CHANGES_MAX},
        {.name = "endpoint", .text = &o.endpoint},
        {.name = "json", .given = &o.json},
    };
    frame_flags(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), usage_text);
    if (o.changes % HISTORY_CHANGES_A_CASE != 0) {
        frame_misused(usage_text);
    }
    scratch_want(sodium_init() >= 0, "libsodium to start");
    if (o.role != NULL) {
        be(&o);
        return EXIT_SUCCESS;
    }
    struct results results = {0};
    o.dir = frame_folder(o.dir, left);
    world_make(o.dir);
    measure(&o, &results);
    if (o.json) {
        print_json(&o, &results);
    } else {
        print_table(&o, &results);
    }
    return EXIT_SUCCESS;
}
