/*
 * bench_live - how long it takes from a commit at one node until it can be read at another.
 *
 * Two nodes of one organisation, each the daemon's whole core in a process of its own, over CURVE
 * on the loopback; they are connected and equal when measuring begins. In each round a is handed a
 * change to a case, as its local API hands it over, commits it and sends it on its way; b has
 * it durable, folds it, and finds it in the record. The time runs from handing it over until b
 * has read it.
 *
 * The limit, in two more processes, takes its turn after each round: a bare LMDB commit of as many
 * bytes, a ZeroMQ message of as many bytes over CURVE, a bare commit there, an empty answer.
 */
#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "node/queue.h"
#include "protocol/part.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"
#include "store/author.h"
#include "store/fold.h"
#include "store/record.h"
#include "tests/bench/bare.h"
#include "tests/bench/child.h"
#include "tests/bench/frame.h"
#include "tests/bench/history.h"
#include "tests/bench/scratch.h"
#include "tests/bench/world.h"

#define ROUNDS_DEFAULT  500u
#define ROUNDS_MAX      100000u
#define WARMING_ROUNDS  20u
#define MESSAGE_BYTES   525u /* Header, body and signature of such a commit. */
#define NUMBER_BYTES    32u
#define ADDRESS_BYTES   128u
#define CURVE_KEY_CHARS 41u
#define RATIO_GOAL      3.0

struct options {
    const char *role; /* NULL: the one that starts the others. */
    const char *dir;  /* Where the folder of the run is made; of a role: that folder. */
    const char *endpoint;
    const char *key; /* Of far, for near. */
    uint32_t rounds;
    bool json;
};

/* -- Node a, which writes -------------------------------------------------------------------- */

struct writing {
    struct spean_core *core;
    struct spean_record_id record; /* Once the first round has made it. */
    uint32_t round;
};

static void begin_change(struct writing *w, struct spean_draft *draft)
{
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
    if (w->round > 0) {
        scratch_need(spean_draft_change(draft, &w->record, SPEAN_TYPE_CASE, SPEAN_PART_CASE),
                     "to draft a change");
        return;
    }
    randombytes_buf(random, sizeof(random));
    scratch_need(spean_draft_create(draft, SPEAN_TYPE_CASE, random, (struct spean_view){0},
                                    &w->record, NULL),
                 "to draft a case");
}

/* A job on the thread of the core: what the API's handlers of writes do. */
static void write_round(struct spean_job *job, void *core)
{
    struct writing *w = job->data;
    const struct spean_log *own = spean_core_own_log(core);
    const struct spean_author author = {.db = spean_core_db(core),
                                        .keys = spean_core_keys(core),
                                        .authority = spean_core_authority(core),
                                        .log = own,
                                        .now_s = (uint64_t)time(NULL)};
    static const char actor[] = "bench";
    uint8_t buf[HISTORY_NARRATIVE_BYTES];
    struct spean_draft *draft = NULL;
    scratch_need(spean_draft_new(author.authority, own, &draft), "to begin a draft");
    begin_change(w, draft);
    scratch_need(spean_draft_op(draft, SPEAN_FIELD_CASE_NARRATIVE, SPEAN_VERB_WRITE,
                                history_narrative(w->round, buf)),
                 "to draft a text");
    scratch_need(spean_author_commit(&author, draft,
                                     (struct spean_view){(const uint8_t *)actor, sizeof(actor) - 1},
                                     false, NULL, NULL),
                 "to commit");
    spean_draft_free(draft);
    spean_core_committed(core);
    w->round++;
    spean_queue_answer(job);
}

/* Hand one change to the core, and wait for its answer. */
static void hand_over(struct writing *w, struct spean_queue *queue)
{
    struct spean_request *request = calloc(1, sizeof(*request));
    struct spean_job *job = NULL;
    scratch_want(request != NULL, "memory for a request");
    scratch_need(spean_job_new(request, &job), "memory for a job");
    job->run = write_round;
    job->data = w;
    scratch_need(spean_queue_submit(queue, job), "to hand over a change");
    do {
        struct pollfd item = {.fd = spean_queue_answers_fd(queue), .events = POLLIN};
        (void)poll(&item, 1, -1);
        job = spean_queue_collect(queue);
    } while (job == NULL);
    spean_job_free(job);
}

/* For each line that comes, write one change. */
static void *write_all(void *arg)
{
    struct writing *w = arg;
    char line[CHILD_LINE_BYTES];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        const double begun_s = scratch_now_s();
        hand_over(w, spean_core_queue(w->core));
        (void)printf("wrote %.9f %.9f\n", begun_s, scratch_now_s());
        (void)fflush(stdout);
    }
    (void)kill(getpid(), SIGTERM);
    return NULL;
}

static void be_a(const struct options *o)
{
    struct world_node node;
    pthread_t thread;
    const int signal_fd = child_signal_descriptor();
    world_open(&node, o->dir, "a", "", STDERR_FILENO, SPEAN_JOURNAL_ERROR);
    history_write(node.core, 0, o->endpoint, NULL); /* It dials the endpoint in its record. */
    spean_core_committed(node.core);
    struct writing writing = {.core = node.core};
    scratch_want(pthread_create(&thread, NULL, write_all, &writing) == 0, "a thread that writes");
    scratch_need(spean_core_run(node.core, signal_fd), "to run node a");
    (void)pthread_join(thread, NULL);
    world_close(&node);
}

/* -- Node b, which reads --------------------------------------------------------------------- */

static struct spean_core *reader; /* NULL in every other role. */
static uint32_t rounds_read;      /* Of the thread that folds. */

/* The number in the narrative of the part, plus 1; 0: it has none. */
static uint32_t number_in(const struct spean_part *part)
{
    struct spean_write write;
    struct spean_reader r;
    char text[HISTORY_NARRATIVE_LETTERS + 1] = {0};
    const struct spean_field *field =
        spean_part_find(part, SPEAN_FIELD_CASE_NARRATIVE, SPEAN_KIND_VALUE);
    if (field == NULL || spean_field_writes_count(field) != 1) {
        return 0;
    }
    spean_field_get_write(field, 0, &write);
    spean_reader_init(&r, write.value);
    (void)spean_reader_map(&r, 1);
    (void)spean_reader_str(&r, 0, HISTORY_NARRATIVE_LETTERS);
    const struct spean_view value = spean_reader_str(&r, 0, HISTORY_NARRATIVE_LETTERS);
    scratch_need(spean_reader_end(&r), "to read a text");
    memcpy(text, value.data, value.len);
    return (uint32_t)strtoul(text, NULL, 10) + 1;
}

/* Read the case as whoever asks for it does. */
static uint32_t read_case(void)
{
    struct spean_core_view view;
    struct spean_part_name name = {.part = SPEAN_PART_CASE};
    struct spean_part *part = NULL;
    uint32_t number = 0;
    scratch_need(spean_core_view_begin(reader, &view), "to look into the store of b");
    if (spean_record_next(view.tx, SPEAN_TYPE_CASE, NULL, &name.record) == SPEAN_OK &&
        spean_record_part(view.tx, view.keys, &name, &part) == SPEAN_OK) {
        number = number_in(part);
        spean_part_free(part);
    }
    spean_core_view_end(&view);
    return number;
}

spean_err __real_spean_fold_step(struct spean_fold *fold, const struct spean_authority *authority,
                                 uint32_t budget, uint64_t now_s, bool *more);
spean_err __wrap_spean_fold_step(struct spean_fold *fold, const struct spean_authority *authority,
                                 uint32_t budget, uint64_t now_s, bool *more);

/* The linker lets it pass through here (--wrap): behind it, what was folded can be read. */
spean_err __wrap_spean_fold_step(struct spean_fold *fold, const struct spean_authority *authority,
                                 uint32_t budget, uint64_t now_s, bool *more)
{
    const spean_err err = __real_spean_fold_step(fold, authority, budget, now_s, more);
    const uint32_t number = reader == NULL ? 0 : read_case();
    if (number > rounds_read) {
        rounds_read = number;
        (void)printf("read %.9f\n", scratch_now_s());
        (void)fflush(stdout);
    }
    return err;
}

static void be_b(const struct options *o)
{
    struct world_node node;
    int journal[2];
    const int signal_fd = child_signal_descriptor();
    scratch_want(pipe(journal) == 0, "a pipe for the journal");
    world_open(&node, o->dir, "b", "127.0.0.1:*", journal[1], SPEAN_JOURNAL_INFO);
    child_tell_endpoint(journal[0]);
    reader = node.core;
    scratch_need(spean_core_run(node.core, signal_fd), "to run node b");
    reader = NULL;
    world_close(&node);
}

/* -- The bare limit: near and far ------------------------------------------------------------ */

struct end {
    struct bare bare;
    MDB_dbi rows;
    uint64_t seq;
    uint8_t bytes[MESSAGE_BYTES];
};

static void need(int rc, const char *what)
{
    scratch_want(rc == 0, what);
}

static void open_end(struct end *end, const char *dir, const char *name)
{
    static const char *const no_name = NULL;
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, dir, name);
    bare_open(&end->bare, path, &no_name, 1, &end->rows);
    randombytes_buf(end->bytes, sizeof(end->bytes));
}

static void commit_bytes(struct end *end)
{
    uint8_t number[sizeof(end->seq)];
    spean_u64_put(number, ++end->seq);
    bare_begin(&end->bare);
    memcpy(bare_put(&end->bare, end->rows, (struct spean_view){number, sizeof(number)},
                    sizeof(end->bytes), MDB_APPEND),
           end->bytes, sizeof(end->bytes));
    bare_commit(&end->bare);
}

static void set_key(void *socket, int option, const char *key)
{
    need(zmq_setsockopt(socket, option, key, CURVE_KEY_CHARS), "to set a key");
}

/* Commit whatever comes, and answer when it is durable. */
static void be_far(const struct options *o)
{
    static struct end end;
    char public_key[CURVE_KEY_CHARS];
    char secret_key[CURVE_KEY_CHARS];
    char address[ADDRESS_BYTES];
    size_t len = sizeof(address);
    const int on = 1;
    const int signal_fd = child_signal_descriptor();
    open_end(&end, o->dir, "far");
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_REP);
    need(zmq_curve_keypair(public_key, secret_key), "to make keys");
    need(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof(on)), "to be a server");
    set_key(socket, ZMQ_CURVE_SECRETKEY, secret_key);
    need(zmq_bind(socket, "tcp://127.0.0.1:*"), "to bind");
    need(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address, &len), "to learn the address");
    (void)printf("far %s %s\n", address, public_key);
    (void)fflush(stdout);
    zmq_pollitem_t items[] = {{.socket = socket, .events = ZMQ_POLLIN},
                              {.fd = signal_fd, .events = ZMQ_POLLIN}};
    while (zmq_poll(items, 2, -1) > 0 && items[1].revents == 0) {
        scratch_want(zmq_recv(socket, end.bytes, sizeof(end.bytes), 0) == (int)sizeof(end.bytes),
                     "to receive");
        commit_bytes(&end);
        scratch_want(zmq_send(socket, "", 0, 0) == 0, "to answer");
    }
    (void)zmq_close(socket);
    (void)zmq_ctx_term(context);
    bare_close(&end.bare);
}

/* For each line that comes: commit, send, wait for the answer. */
static void be_near(const struct options *o)
{
    static struct end end;
    char public_key[CURVE_KEY_CHARS];
    char secret_key[CURVE_KEY_CHARS];
    char line[CHILD_LINE_BYTES];
    open_end(&end, o->dir, "near");
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_REQ);
    need(zmq_curve_keypair(public_key, secret_key), "to make keys");
    set_key(socket, ZMQ_CURVE_SERVERKEY, o->key);
    set_key(socket, ZMQ_CURVE_PUBLICKEY, public_key);
    set_key(socket, ZMQ_CURVE_SECRETKEY, secret_key);
    need(zmq_connect(socket, o->endpoint), "to connect");
    while (fgets(line, sizeof(line), stdin) != NULL) {
        const double begun_s = scratch_now_s();
        commit_bytes(&end);
        scratch_want(zmq_send(socket, end.bytes, sizeof(end.bytes), 0) == (int)sizeof(end.bytes),
                     "to send");
        scratch_want(zmq_recv(socket, line, sizeof(line), 0) == 0, "to receive an answer");
        (void)printf("near %.9f\n", scratch_now_s() - begun_s);
        (void)fflush(stdout);
    }
    (void)zmq_close(socket);
    (void)zmq_ctx_term(context);
    bare_close(&end.bare);
}

/* -- The one that starts them ---------------------------------------------------------------- */

struct results {
    struct frame_times live;     /* Handed over here until read there. */
    struct frame_times answered; /* Handed over here until answered here. */
    struct frame_times limit;
};

static struct child start(const struct options *o, const char *role, const char *endpoint,
                          const char *key)
{
    const char *const arguments[] = {"bench_live", "--role", role,    "--dir", o->dir,
                                     "--endpoint", endpoint, "--key", key,     NULL};
    return child_start(arguments);
}

/* Let both take their turn. */
static void do_round(struct child *a, struct child *b, struct child *near, struct results *r,
                     uint32_t index)
{
    char line[CHILD_LINE_BYTES];
    double begun_s = 0;
    double answered_s = 0;
    double read_s = 0;
    child_ask(a, "write");
    child_line(a, line);
    scratch_want(sscanf(line, "wrote %lf %lf", &begun_s, &answered_s) == 2, "a to write");
    child_line(b, line);
    scratch_want(sscanf(line, "read %lf", &read_s) == 1, "b to read");
    r->live.s[index] = read_s - begun_s;
    r->answered.s[index] = answered_s - begun_s;
    child_ask(near, "commit");
    child_line(near, line);
    scratch_want(sscanf(line, "near %lf", &r->limit.s[index]) == 1, "the bare limit");
}

static void nothing_more(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static void stop(struct child *child)
{
    (void)kill(child->pid, SIGTERM);
    child_finish(child, nothing_more, NULL);
}

static void measure(const struct options *o, struct results *r)
{
    char line[CHILD_LINE_BYTES];
    char endpoint[CHILD_LINE_BYTES];
    char address[ADDRESS_BYTES];
    char key[CURVE_KEY_CHARS];
    struct child b = start(o, "b", "", "");
    child_line(&b, line);
    scratch_want(sscanf(line, "endpoint %255s", endpoint) == 1, "the endpoint of node b");
    struct child a = start(o, "a", endpoint, "");
    struct child far = start(o, "far", "", "");
    child_line(&far, line);
    scratch_want(sscanf(line, "far %127s %40s", address, key) == 2, "the address of far");
    struct child near = start(o, "near", address, key);
    for (uint32_t i = 0; i < WARMING_ROUNDS; i++) {
        do_round(&a, &b, &near, r, 0);
    }
    for (uint32_t i = 0; i < o->rounds; i++) {
        do_round(&a, &b, &near, r, i);
    }
    child_finish(&near, nothing_more, NULL);
    stop(&far);
    stop(&a);
    stop(&b);
    frame_times_sort(&r->live);
    frame_times_sort(&r->answered);
    frame_times_sort(&r->limit);
}

/* -- Printing -------------------------------------------------------------------------------- */

static void print_json(const struct options *o, const struct results *r)
{
    const double live_50 = frame_times_us(&r->live, 0.5);
    const double live_99 = frame_times_us(&r->live, 0.99);
    const double limit_50 = frame_times_us(&r->limit, 0.5);
    const double limit_99 = frame_times_us(&r->limit, 0.99);
    (void)printf("{\"bench\":\"live\",\"ratio\":%.3f,\"ratio_99\":%.3f,\"rounds\":%u,"
                 "\"live_50_us\":%.1f,\"live_99_us\":%.1f,\"answered_50_us\":%.1f,"
                 "\"answered_99_us\":%.1f,\"limit_50_us\":%.1f,\"limit_99_us\":%.1f}\n",
                 live_50 / limit_50, live_99 / limit_99, o->rounds, live_50, live_99,
                 frame_times_us(&r->answered, 0.5), frame_times_us(&r->answered, 0.99), limit_50,
                 limit_99);
}

static void print_table(const struct options *o, const struct results *r)
{
    const double ratio = frame_times_us(&r->live, 0.5) / frame_times_us(&r->limit, 0.5);
    (void)printf("From a commit here until it can be read there: %u rounds, microseconds\n",
                 o->rounds);
    frame_times_print_head();
    frame_times_print("read there", &r->live);
    frame_times_print("answered here", &r->answered);
    frame_times_print("two bare commits and a round trip", &r->limit);
    (void)printf("  %-34s %10.3f %10s %10.3f  goal %.1f: %s\n", "ratio", ratio, "",
                 frame_times_us(&r->live, 0.99) / frame_times_us(&r->limit, 0.99), RATIO_GOAL,
                 ratio <= RATIO_GOAL ? "reached" : "NOT reached");
}

/* -- Options --------------------------------------------------------------------------------- */

static const char usage_text[] =
    "Usage: bench_live [--rounds N] [--dir DIR] [--json]\n"
    "Measure how long it takes until what is written at one node can be read at another.\n"
    "\n"
    "  --rounds N  how many changes, one after the other (500)\n"
    "  --dir DIR   where the stores go ($TMPDIR, or /tmp); its file system is measured too\n"
    "  --json      print one object instead of a table\n"
    "  --help      print this\n";

static void be(const struct options *o)
{
    if (strcmp(o->role, "a") == 0) {
        be_a(o);
    } else if (strcmp(o->role, "b") == 0) {
        be_b(o);
    } else if (strcmp(o->role, "far") == 0) {
        be_far(o);
    } else {
        be_near(o);
    }
}

int main(int argc, char **argv)
{
    static const char *const left[] = {"near", "far", NULL};
    struct options o = {.rounds = ROUNDS_DEFAULT};
    const struct frame_flag flags[] = {
        {.name = "role", .text = &o.role},
        {.name = "dir", .text = &o.dir},
        {.name = "endpoint", .text = &o.endpoint},
        {.name = "key", .text = &o.key},
        {.name = "rounds", .number = &o.rounds, .number_max = ROUNDS_MAX},
        {.name = "json", .given = &o.json},
    };
    frame_flags(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), usage_text);
    scratch_want(sodium_init() >= 0, "libsodium to start");
    if (o.role != NULL) {
        be(&o);
        return EXIT_SUCCESS;
    }
    struct results r = {0};
    frame_times_new(&r.live, o.rounds);
    frame_times_new(&r.answered, o.rounds);
    frame_times_new(&r.limit, o.rounds);
    o.dir = frame_folder(o.dir, left);
    world_make(o.dir);
    measure(&o, &r);
    if (o.json) {
        print_json(&o, &r);
    } else {
        print_table(&o, &r);
    }
    frame_times_free(&r.live);
    frame_times_free(&r.answered);
    frame_times_free(&r.limit);
    return EXIT_SUCCESS;
}
