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
#include <getopt.h>
#include <inttypes.h>
#include <lmdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
#include "tests/bench/child.h"
#include "tests/bench/history.h"
#include "tests/bench/scratch.h"
#include "tests/bench/world.h"

#define ROUNDS_DEFAULT  500u
#define ROUNDS_MAX      100000u
#define WARMING_ROUNDS  20u
#define NARRATIVE       120u /* Letters, as in bench_commit. */
#define VALUE_BYTES     256u
#define MESSAGE_BYTES   525u /* Header, body and signature of such a commit. */
#define MAP_BYTES       1073741824u
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
    scratch_need(spean_writer_end(&w, &out), "to encode a text");
    return out;
}

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
    uint8_t buf[VALUE_BYTES];
    struct spean_draft *draft = NULL;
    scratch_need(spean_draft_new(author.authority, own, &draft), "to begin a draft");
    begin_change(w, draft);
    scratch_need(spean_draft_op(draft, SPEAN_FIELD_CASE_NARRATIVE, SPEAN_VERB_WRITE,
                                narrative(w->round, buf, sizeof(buf))),
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
    char text[NARRATIVE + 1] = {0};
    const struct spean_field *field =
        spean_part_find(part, SPEAN_FIELD_CASE_NARRATIVE, SPEAN_KIND_VALUE);
    if (field == NULL || spean_field_writes_count(field) != 1) {
        return 0;
    }
    spean_field_get_write(field, 0, &write);
    spean_reader_init(&r, write.value);
    (void)spean_reader_map(&r, 1);
    (void)spean_reader_str(&r, 0, NARRATIVE);
    const struct spean_view value = spean_reader_str(&r, 0, NARRATIVE);
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

struct bare {
    MDB_env *env;
    MDB_dbi rows;
    uint64_t seq;
    uint8_t bytes[MESSAGE_BYTES];
};

static void need(int rc, const char *what)
{
    scratch_want(rc == 0, what);
}

static void open_bare(struct bare *bare, const char *dir, const char *name)
{
    char path[SCRATCH_PATH_BYTES];
    MDB_txn *txn = NULL;
    scratch_path(path, dir, name);
    need(mkdir(path, S_IRWXU), "to make a folder for the bare limit");
    need(mdb_env_create(&bare->env), "to make an environment");
    need(mdb_env_set_mapsize(bare->env, MAP_BYTES), "to set the size of the map");
    need(mdb_env_open(bare->env, path, MDB_NOTLS, S_IRUSR | S_IWUSR), "to open an environment");
    need(mdb_txn_begin(bare->env, NULL, 0, &txn), "to begin a bare transaction");
    need(mdb_dbi_open(txn, NULL, 0, &bare->rows), "to open a table");
    need(mdb_txn_commit(txn), "to commit a table");
    randombytes_buf(bare->bytes, sizeof(bare->bytes));
}

static void commit_bare(struct bare *bare)
{
    uint8_t number[sizeof(bare->seq)];
    MDB_txn *txn = NULL;
    spean_u64_put(number, ++bare->seq);
    MDB_val key = {sizeof(number), number};
    MDB_val value = {sizeof(bare->bytes), bare->bytes};
    need(mdb_txn_begin(bare->env, NULL, 0, &txn), "to begin a bare transaction");
    need(mdb_put(txn, bare->rows, &key, &value, MDB_APPEND), "to put a bare row");
    need(mdb_txn_commit(txn), "to commit a bare row");
}

static void set_key(void *socket, int option, const char *key)
{
    need(zmq_setsockopt(socket, option, key, CURVE_KEY_CHARS), "to set a key");
}

/* Commit whatever comes, and answer when it is durable. */
static void be_far(const struct options *o)
{
    static struct bare bare;
    char public_key[CURVE_KEY_CHARS];
    char secret_key[CURVE_KEY_CHARS];
    char address[ADDRESS_BYTES];
    size_t len = sizeof(address);
    const int on = 1;
    const int signal_fd = child_signal_descriptor();
    open_bare(&bare, o->dir, "far");
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
        scratch_want(zmq_recv(socket, bare.bytes, sizeof(bare.bytes), 0) == (int)sizeof(bare.bytes),
                     "to receive");
        commit_bare(&bare);
        scratch_want(zmq_send(socket, "", 0, 0) == 0, "to answer");
    }
    (void)zmq_close(socket);
    (void)zmq_ctx_term(context);
    mdb_env_close(bare.env);
}

/* For each line that comes: commit, send, wait for the answer. */
static void be_near(const struct options *o)
{
    static struct bare bare;
    char public_key[CURVE_KEY_CHARS];
    char secret_key[CURVE_KEY_CHARS];
    char line[CHILD_LINE_BYTES];
    open_bare(&bare, o->dir, "near");
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_REQ);
    need(zmq_curve_keypair(public_key, secret_key), "to make keys");
    set_key(socket, ZMQ_CURVE_SERVERKEY, o->key);
    set_key(socket, ZMQ_CURVE_PUBLICKEY, public_key);
    set_key(socket, ZMQ_CURVE_SECRETKEY, secret_key);
    need(zmq_connect(socket, o->endpoint), "to connect");
    while (fgets(line, sizeof(line), stdin) != NULL) {
        const double begun_s = scratch_now_s();
        commit_bare(&bare);
        scratch_want(zmq_send(socket, bare.bytes, sizeof(bare.bytes), 0) == (int)sizeof(bare.bytes),
                     "to send");
        scratch_want(zmq_recv(socket, line, sizeof(line), 0) == 0, "to receive an answer");
        (void)printf("near %.9f\n", scratch_now_s() - begun_s);
        (void)fflush(stdout);
    }
    (void)zmq_close(socket);
    (void)zmq_ctx_term(context);
    mdb_env_close(bare.env);
}

/* -- The one that starts them ---------------------------------------------------------------- */

/* Times of all rounds, in seconds. */
struct times {
    double *s;
    uint32_t count;
};

struct results {
    struct times live;     /* Handed over here until read there. */
    struct times answered; /* Handed over here until answered here. */
    struct times limit;
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

static int compare_s(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;
    return (*left > *right) - (*left < *right);
}

static void allocate(struct times *times, uint32_t count)
{
    times->count = count;
    times->s = calloc(count + WARMING_ROUNDS, sizeof(*times->s));
    scratch_want(times->s != NULL, "memory for times");
}

static void sort(struct times *times)
{
    qsort(times->s, times->count, sizeof(*times->s), compare_s);
}

static void nothing_more(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static void end(struct child *child)
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
    end(&far);
    end(&a);
    end(&b);
    sort(&r->live);
    sort(&r->answered);
    sort(&r->limit);
}

static char run_dir[SCRATCH_PATH_BYTES];

/* Remove what the run left, also when something failed. */
static void remove_run(void)
{
    static const char *const names[] = {"near", "far"};
    char path[SCRATCH_PATH_BYTES];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        scratch_path(path, run_dir, names[i]);
        scratch_remove(path);
    }
    world_remove(run_dir);
    scratch_remove(run_dir);
}

/* -- Printing -------------------------------------------------------------------------------- */

/* The time below which a share of them is, in microseconds. */
static double quantile_us(const struct times *times, double share)
{
    return times->s[(size_t)((double)(times->count - 1) * share)] * 1e6;
}

static void print_json(const struct options *o, const struct results *r)
{
    const double live_50 = quantile_us(&r->live, 0.5);
    const double live_99 = quantile_us(&r->live, 0.99);
    const double limit_50 = quantile_us(&r->limit, 0.5);
    const double limit_99 = quantile_us(&r->limit, 0.99);
    (void)printf("{\"bench\":\"live\",\"ratio\":%.3f,\"ratio_99\":%.3f,\"rounds\":%u,"
                 "\"live_50_us\":%.1f,\"live_99_us\":%.1f,\"answered_50_us\":%.1f,"
                 "\"answered_99_us\":%.1f,\"limit_50_us\":%.1f,\"limit_99_us\":%.1f}\n",
                 live_50 / limit_50, live_99 / limit_99, o->rounds, live_50, live_99,
                 quantile_us(&r->answered, 0.5), quantile_us(&r->answered, 0.99), limit_50,
                 limit_99);
}

static void print_row(const char *name, const struct times *times)
{
    (void)printf("  %-34s %10.1f %10.1f %10.1f\n", name, quantile_us(times, 0.5),
                 quantile_us(times, 0.9), quantile_us(times, 0.99));
}

static void print_table(const struct options *o, const struct results *r)
{
    const double ratio = quantile_us(&r->live, 0.5) / quantile_us(&r->limit, 0.5);
    (void)printf("From a commit here until it can be read there: %u rounds, microseconds\n",
                 o->rounds);
    (void)printf("  %-34s %10s %10s %10s\n", "", "median", "90 %", "99 %");
    print_row("read there", &r->live);
    print_row("answered here", &r->answered);
    print_row("two bare commits and a round trip", &r->limit);
    (void)printf("  %-34s %10.3f %10s %10.3f  goal %.1f: %s\n", "ratio", ratio, "",
                 quantile_us(&r->live, 0.99) / quantile_us(&r->limit, 0.99), RATIO_GOAL,
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

static bool parse(int argc, char **argv, struct options *o)
{
    static const struct option table[] = {
        {"role", required_argument, NULL, 'r'},     {"dir", required_argument, NULL, 'd'},
        {"endpoint", required_argument, NULL, 'e'}, {"key", required_argument, NULL, 'k'},
        {"rounds", required_argument, NULL, 'n'},   {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    int opt = 0;
    while ((opt = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (opt) {
        case 'r':
            o->role = optarg;
            break;
        case 'd':
            o->dir = optarg;
            break;
        case 'e':
            o->endpoint = optarg;
            break;
        case 'k':
            o->key = optarg;
            break;
        case 'n':
            o->rounds = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'j':
            o->json = true;
            break;
        case 'h':
            (void)fputs(usage_text, stdout);
            exit(EXIT_SUCCESS);
        default:
            return false;
        }
    }
    return optind == argc && o->rounds > 0 && o->rounds <= ROUNDS_MAX;
}

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
    struct options o = {.rounds = ROUNDS_DEFAULT};
    if (!parse(argc, argv, &o)) {
        (void)fputs(usage_text, stderr);
        return 2;
    }
    scratch_want(sodium_init() >= 0, "libsodium to start");
    if (o.role != NULL) {
        be(&o);
        return EXIT_SUCCESS;
    }
    struct results r = {0};
    allocate(&r.live, o.rounds);
    allocate(&r.answered, o.rounds);
    allocate(&r.limit, o.rounds);
    scratch_make(run_dir, o.dir);
    o.dir = run_dir;
    scratch_want(atexit(remove_run) == 0, "to clean up at the end");
    world_make(run_dir);
    measure(&o, &r);
    if (o.json) {
        print_json(&o, &r);
    } else {
        print_table(&o, &r);
    }
    free(r.live.s);
    free(r.answered.s);
    free(r.limit.s);
    return EXIT_SUCCESS;
}
