#include "tests/bench/watch.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/fold.h"
#include "store/logs.h"
#include "tests/bench/scratch.h"
#include "tests/bench/world.h"

#define LOOK_MS        5
#define MEMORY_EVERY_S 0.05
#define PATIENCE_S     600.0
#define FDS_MAX        1024
#define LINE_BYTES     8192u

struct watch {
    struct spean_core *core;
    int journal_fd;
    uint64_t entries;
    double begun_s;
    double next_memory_s;
    bool durable;
    pthread_t thread;
    struct watch_seen seen;
};

/* Wait a little, and note when the journal tells of the connection. Errors are passed on. */
static void read_journal(struct watch *w)
{
    char lines[LINE_BYTES];
    struct pollfd item = {.fd = w->journal_fd, .events = POLLIN};
    if (poll(&item, 1, LOOK_MS) <= 0) {
        return;
    }
    const ssize_t len = read(w->journal_fd, lines, sizeof(lines) - 1);
    if (len <= 0) {
        return;
    }
    lines[len] = '\0';
    if (w->seen.connected_s <= 0 && strstr(lines, "event=accepted") != NULL) {
        w->seen.connected_s = scratch_now_s();
    }
    if (strstr(lines, " error ") != NULL) {
        (void)fputs(lines, stderr);
    }
}

static void sample_memory(struct watch *w)
{
    static const char key[] = "RssAnon:";
    char line[256];
    if (scratch_now_s() < w->next_memory_s) {
        return;
    }
    w->next_memory_s = scratch_now_s() + MEMORY_EVERY_S;
    /* The kernel keeps this count; adding up smaps_rollup would slow what is measured. */
    FILE *file = fopen("/proc/self/status", "r");
    scratch_want(file != NULL, "to read how much memory is used");
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, sizeof(key) - 1) == 0) {
            const uint64_t bytes = strtoull(line + sizeof(key) - 1, NULL, 10) * 1024;
            w->seen.anonymous_max = bytes > w->seen.anonymous_max ? bytes : w->seen.anonymous_max;
        }
    }
    (void)fclose(file);
}

static void count_wire(struct watch *w)
{
    for (int fd = 0; fd < FDS_MAX; fd++) {
        struct tcp_info info;
        socklen_t len = sizeof(info);
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0) {
            w->seen.wire_in += info.tcpi_bytes_received;
            w->seen.wire_out += info.tcpi_bytes_acked;
        }
    }
}

/* Look at the log that is not our own: how far it is held and folded. */
static void look(struct watch *w)
{
    struct spean_core_view view;
    struct spean_logs_row row;
    uint64_t folded = 0;
    if (spean_core_view_begin(w->core, &view) != SPEAN_OK) {
        return;
    }
    const struct spean_log *own = spean_core_own_log(w->core);
    spean_err err = spean_logs_next(view.tx, 0, &row);
    if (err == SPEAN_OK && own != NULL && spean_id_equal(&row.log, &own->id)) {
        err = spean_logs_next(view.tx, row.number + 1, &row);
    }
    if (err == SPEAN_OK) {
        err = spean_fold_cursor(view.tx, row.number, &folded);
    }
    spean_core_view_end(&view);
    if (err == SPEAN_OK && !w->durable && row.head.seq >= w->entries) {
        w->durable = true;
        count_wire(w);
    }
    if (err == SPEAN_OK && w->durable && folded >= w->entries) {
        w->seen.folded_s = scratch_now_s();
    }
}

static void *run(void *arg)
{
    struct watch *w = arg;
    while (w->seen.folded_s <= 0) {
        read_journal(w);
        sample_memory(w);
        look(w);
        scratch_want(scratch_now_s() - w->begun_s < PATIENCE_S, "to catch up before patience ends");
    }
    world_check_folded(w->core);
    (void)kill(getpid(), SIGTERM);
    return NULL;
}

struct watch *watch_begin(struct spean_core *core, int journal_fd, uint64_t entries)
{
    struct watch *w = calloc(1, sizeof(*w));
    scratch_want(w != NULL, "memory to watch");
    w->core = core;
    w->journal_fd = journal_fd;
    w->entries = entries;
    w->begun_s = scratch_now_s();
    scratch_want(pthread_create(&w->thread, NULL, run, w) == 0, "a thread to watch");
    return w;
}

struct watch_seen watch_end(struct watch *w)
{
    (void)pthread_join(w->thread, NULL);
    const struct watch_seen seen = w->seen;
    free(w);
    return seen;
}
