#include "tests/unit/node/corekit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "node/queue.h"
#include "node/request.h"
#include "node/route.h"
#include "node/routes.h"
#include "protocol/invite.h"
#include "protocol/pair.h"
#include "protocol/schema.h"
#include "protocol/text.h"
#include "store/setup.h"

#define DEADLINE_MS  20000
#define PORT_FIRST   10240u
#define PORTS_COUNT  22528u
#define LOOK_MS      20
#define TARGET_BYTES 512u
#define HEX_BYTES    (2u * SPEAN_DOCUMENT_ENCODED_BYTES_MAX + 1u)

static const uint8_t credential[SPEAN_WRAP_CREDENTIAL_BYTES] = {9};

/* -- Making a node --------------------------------------------------------------------------- */

static void secret_of(uint8_t secret[SPEAN_KEY_BYTES], unsigned n)
{
    fixture_seed(secret, 0x4000u + n);
}

static void make_first(struct corekit_node *node)
{
    uint8_t secret[SPEAN_KEY_BYTES];
    struct spean_key admin = fixture_key(node->seed);
    struct spean_key sealing;
    const struct spean_id recovery = fixture_recovery(node->seed + 1);
    secret_of(secret, node->seed);
    spean_x25519_public(&sealing, secret);
    const struct spean_statement_draft draft = {.version = 1,
                                                .threshold = 1,
                                                .admins_count = 1,
                                                .admins = &admin,
                                                .recovery = &recovery,
                                                .generation = 1,
                                                .sealing = &sealing};
    fixture_statement(&node->first, &draft, SIGNED_BY(node->seed));
    node->org = node->first.doc.id;
}

static struct spean_unlock unlock_of(void)
{
    return (struct spean_unlock){.kind = SPEAN_UNLOCK_CREDENTIAL,
                                 .bytes = {credential, sizeof(credential)}};
}

static void make_store(struct corekit_node *node)
{
    char path[COREKIT_PATH_BYTES + 16];
    uint8_t secret[SPEAN_KEY_BYTES];
    const struct spean_unlock unlock = unlock_of();
    const struct spean_db_options options = {.dir = path, .create = true};
    const struct spean_setup setup = {.statement = node->first.view,
                                      .name = {(const uint8_t *)"Bridge", 6},
                                      .country = {(const uint8_t *)"KH", 2}};
    struct spean_db *db = NULL;
    struct spean_keys *keys = NULL;
    struct spean_tx *tx = NULL;
    (void)snprintf(path, sizeof(path), "%s/%s", node->dir, SPEAN_HOME_STORE);
    assert_int_equal(spean_db_open(&options, &db), SPEAN_OK);
    assert_int_equal(spean_keys_new(&keys), SPEAN_OK);
    assert_int_equal(spean_keys_create(keys, db, &unlock), SPEAN_OK);
    secret_of(secret, node->seed);
    assert_int_equal(spean_keys_add_org(keys, db, 1, secret), SPEAN_OK);
    assert_int_equal(spean_tx_begin(db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_setup_put(tx, &setup), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    spean_keys_free(keys);
    spean_db_close(db);
}

/* A port that was free a moment ago, below those that the kernel gives to outgoing connections. */
static unsigned free_port(void)
{
    for (;;) {
        const unsigned port = PORT_FIRST + randombytes_uniform(PORTS_COUNT);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_true(fd >= 0);
        const int rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
        (void)close(fd);
        if (rc == 0) {
            return port;
        }
        assert_int_equal(errno, EADDRINUSE);
    }
}

static void make_config(struct corekit_node *node)
{
    struct spean_config *config = &node->config;
    (void)snprintf(config->home, sizeof(config->home), "%s", node->dir);
    (void)snprintf(config->listen, sizeof(config->listen), "127.0.0.1:%u", free_port());
    (void)snprintf(config->advertise, sizeof(config->advertise), "%s", config->listen);
    config->map_gib = 1;
    config->dial = true;
    spean_journal_init(&node->journal, STDERR_FILENO, SPEAN_JOURNAL_ERROR, NULL);
}

int corekit_setup(void **state)
{
    struct corekit *kit = calloc(1, sizeof(*kit));
    assert_non_null(kit);
    for (unsigned i = 0; i < COREKIT_NODES; i++) {
        struct corekit_node *node = &kit->nodes[i];
        node->seed = 100 * (i + 1);
        node->stop_fd = -1;
        (void)snprintf(node->dir, sizeof(node->dir), "/tmp/spean-core-XXXXXX");
        assert_non_null(mkdtemp(node->dir));
        make_first(node);
        make_store(node);
        make_config(node);
    }
    *state = kit;
    return 0;
}

int corekit_teardown(void **state)
{
    struct corekit *kit = *state;
    char command[COREKIT_PATH_BYTES + 16];
    for (unsigned i = 0; i < COREKIT_NODES; i++) {
        corekit_stop(&kit->nodes[i]);
        json_decref(kit->nodes[i].answer);
        (void)snprintf(command, sizeof(command), "rm -rf %s", kit->nodes[i].dir);
        /* The folder is the kit's own. NOLINTNEXTLINE(cert-env33-c) */
        assert_int_equal(system(command), 0);
    }
    free(kit);
    return 0;
}

/* -- Its life -------------------------------------------------------------------------------- */

static void *run(void *arg)
{
    struct corekit_node *node = arg;
    node->ended = spean_core_run(node->core, node->stop_fd);
    return NULL;
}

static void open_with(struct corekit_node *node, const struct spean_unlock *unlock)
{
    char why[SPEAN_CORE_WHY_BYTES];
    if (spean_core_new(&node->config, &node->journal, unlock, &node->core, why) != SPEAN_OK) {
        fail_msg("%s", why);
    }
}

static void run_thread(struct corekit_node *node)
{
    node->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(node->stop_fd >= 0);
    assert_int_equal(pthread_create(&node->thread, NULL, run, node), 0);
}

void corekit_open(struct corekit_node *node)
{
    const struct spean_unlock unlock = unlock_of();
    open_with(node, &unlock);
}

void corekit_start(struct corekit_node *node)
{
    corekit_open(node);
    run_thread(node);
}

void corekit_start_locked(struct corekit_node *node)
{
    open_with(node, NULL);
    run_thread(node);
}

void corekit_stop(struct corekit_node *node)
{
    if (node->stop_fd >= 0) {
        const uint64_t one = 1;
        assert_int_equal(write(node->stop_fd, &one, sizeof(one)), sizeof(one));
        assert_int_equal(pthread_join(node->thread, NULL), 0);
        (void)close(node->stop_fd);
        node->stop_fd = -1;
        assert_int_equal(node->ended, SPEAN_OK);
    }
    spean_core_free(node->core);
    node->core = NULL;
}

static void copy_store(const struct corekit_node *node, const char *from, const char *to)
{
    char command[4 * COREKIT_PATH_BYTES];
    (void)snprintf(command, sizeof(command), "rm -rf %s/%s && cp -r %s/%s %s/%s", node->dir, to,
                   node->dir, from, node->dir, to);
    assert_null(node->core);
    /* The folder is the kit's own. NOLINTNEXTLINE(cert-env33-c) */
    assert_int_equal(system(command), 0);
}

void corekit_keep_copy(const struct corekit_node *node)
{
    copy_store(node, SPEAN_HOME_STORE, "copy");
}

void corekit_take_copy(const struct corekit_node *node)
{
    copy_store(node, "copy", SPEAN_HOME_STORE);
}

/* -- Asking it ------------------------------------------------------------------------------- */

static struct spean_request *request_of(const char *method, const char *target, json_t *body,
                                        const struct spean_route **route)
{
    size_t count = 0;
    const struct spean_route *routes = spean_routes(&count);
    char path[TARGET_BYTES];
    struct spean_request *request = calloc(1, sizeof(*request));
    assert_non_null(request);
    (void)snprintf(path, sizeof(path), "%s", target);
    char *query = strchr(path, '?');
    if (query != NULL) {
        *query++ = '\0';
    }
    assert_int_equal(spean_request_query_read(request, query), SPEAN_OK);
    request->body = body != NULL ? body : json_object();
    assert_int_equal(spean_route_find(routes, count, method, path, request, route), SPEAN_OK);
    return request;
}

static void run_write(struct corekit_node *node, const struct spean_route *route,
                      struct spean_request *request)
{
    struct spean_queue *queue = spean_core_queue(node->core);
    struct pollfd answered = {.fd = spean_queue_answers_fd(queue), .events = POLLIN};
    struct spean_job *job = NULL;
    assert_int_equal(spean_job_new(request, &job), SPEAN_OK);
    job->run = route->run;
    assert_int_equal(spean_queue_submit(queue, job), SPEAN_OK);
    assert_int_equal(poll(&answered, 1, DEADLINE_MS), 1);
    assert_ptr_equal(spean_queue_collect(queue), job);
    node->status = job->reply.status;
    node->answer = json_incref(job->reply.body);
    spean_job_free(job);
}

json_t *corekit_call(struct corekit_node *node, const char *method, const char *target,
                     json_t *body)
{
    const struct spean_route *route = NULL;
    struct spean_request *request = request_of(method, target, body, &route);
    json_decref(node->answer);
    node->answer = NULL;
    struct spean_reply reply = {0};
    const bool fits = spean_route_fits(route, request, &reply);
    if (fits && (route->flags & SPEAN_ROUTE_WRITE) != 0) {
        run_write(node, route, request);
    } else {
        if (fits) {
            route->read(request, node->core, &reply);
        }
        node->status = reply.status;
        node->answer = json_incref(reply.body);
        spean_reply_fini(&reply);
        spean_request_free(request);
    }
    assert_non_null(node->answer);
    return node->answer;
}

json_t *corekit_ok(struct corekit_node *node, const char *method, const char *target, json_t *body)
{
    json_t *answer = corekit_call(node, method, target, body);
    if (node->status != 200) {
        fail_msg("%s %s: %d %s", method, target, node->status, json_dumps(answer, 0));
    }
    return answer;
}

void corekit_refused(struct corekit_node *node, const char *method, const char *target,
                     json_t *body, const char *code)
{
    const json_t *answer = corekit_call(node, method, target, body);
    if (node->status < 400 || strcmp(corekit_text(answer, "error.code"), code) != 0) {
        fail_msg("%s %s: %d, not %s: %s", method, target, node->status, code,
                 json_dumps(answer, 0));
    }
}

const json_t *corekit_at(const json_t *json, const char *path)
{
    char text[TARGET_BYTES];
    char *rest = NULL;
    (void)snprintf(text, sizeof(text), "%s", path);
    for (const char *step = strtok_r(text, ".", &rest); step != NULL && json != NULL;
         step = strtok_r(NULL, ".", &rest)) {
        json = json_is_array(json) ? json_array_get(json, strtoul(step, NULL, 10))
                                   : json_object_get(json, step);
    }
    return json;
}

const char *corekit_text(const json_t *json, const char *path)
{
    const char *text = json_string_value(corekit_at(json, path));
    return text != NULL ? text : "";
}

/* Whether there is still time; lets a little of it pass. */
static bool may_look_again(int *waited_ms)
{
    (void)poll(NULL, 0, LOOK_MS);
    *waited_ms += LOOK_MS;
    return *waited_ms < DEADLINE_MS;
}

void corekit_await(struct corekit_node *node, const char *target, const char *path,
                   const char *text)
{
    int waited_ms = 0;
    while (strcmp(corekit_text(corekit_ok(node, "GET", target, NULL), path), text) != 0) {
        if (!may_look_again(&waited_ms)) {
            fail_msg("%s: %s is not %s: %s", target, path, text, json_dumps(node->answer, 0));
        }
    }
}

/* The item whose org is this one; NULL: none. */
static const json_t *item_of(const json_t *page, const struct spean_id *org)
{
    char text[2 * SPEAN_ID_BYTES + 1];
    size_t index = 0;
    const json_t *item = NULL;
    spean_text_hex_encode(text, sizeof(text), (struct spean_view){org->bytes, SPEAN_ID_BYTES});
    json_array_foreach(json_object_get(page, "items"), index, item)
    {
        if (strcmp(corekit_text(item, "org"), text) == 0) {
            return item;
        }
    }
    return NULL;
}

const json_t *corekit_await_org(struct corekit_node *node, const char *target,
                                const struct spean_id *org)
{
    int waited_ms = 0;
    const json_t *item = NULL;
    while ((item = item_of(corekit_ok(node, "GET", target, NULL), org)) == NULL) {
        if (!may_look_again(&waited_ms)) {
            fail_msg("%s: %s", target, json_dumps(node->answer, 0));
        }
    }
    return item;
}

void corekit_await_refused(struct corekit_node *node, const char *method, const char *target)
{
    int waited_ms = 0;
    while (corekit_call(node, method, target, NULL) != NULL && node->status < 400) {
        if (!may_look_again(&waited_ms)) {
            fail_msg("%s: %s", target, json_dumps(node->answer, 0));
        }
    }
}

json_t *corekit_hex(const void *data, size_t len)
{
    static char text[HEX_BYTES];
    assert_true(2 * len < sizeof(text));
    spean_text_hex_encode(text, sizeof(text), (struct spean_view){data, len});
    return json_string(text);
}

/* -- Ledgers --------------------------------------------------------------------------------- */

void corekit_read_hex(const json_t *json, const char *path, uint8_t *out, size_t len)
{
    const char *text = corekit_text(json, path);
    const struct spean_view view = {(const uint8_t *)text, strlen(text)};
    assert_int_equal(spean_text_hex_decode(out, len, view), SPEAN_OK);
}

void corekit_accept(struct corekit_node *node, const struct spean_handle *handle,
                    unsigned others_count)
{
    struct spean_statement_node rows[4];
    assert_true(others_count < 4);
    const json_t *own = corekit_ok(node, "GET", "/v1/node", NULL);
    corekit_read_hex(own, "signing", rows[0].signing.bytes, SPEAN_KEY_BYTES);
    corekit_read_hex(own, "sealing", rows[0].sealing.bytes, SPEAN_KEY_BYTES);
    corekit_read_hex(own, "transport", rows[0].transport.bytes, SPEAN_KEY_BYTES);
    json_t *body = json_object();
    (void)json_object_set_new(body, "handle", corekit_hex(handle->bytes, sizeof(handle->bytes)));
    const json_t *accepted = corekit_ok(node, "POST", "/v1/node/accept", body);
    corekit_read_hex(accepted, "acceptance", rows[0].acceptance.bytes,
                     sizeof(rows[0].acceptance.bytes));
    for (unsigned i = 0; i < others_count; i++) {
        rows[1 + i] = fixture_node(node->seed + 50 + i, &node->org, handle);
    }
    const struct spean_statement_draft draft = {.version = 2,
                                                .previous = node->first.doc.id,
                                                .handle = handle,
                                                .nodes_count = 1 + others_count,
                                                .nodes = rows};
    fixture_statement(&node->second, &draft, SIGNED_BY(node->seed));
}

static void make_genesis(struct corekit *kit, const struct corekit_node *node)
{
    static const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES] = {7};
    const uint64_t delay = 259200;
    const uint64_t format = 1;
    struct spean_id schema;
    struct spean_steward steward = {.org = node->org, .key = fixture_key(node->seed)};
    struct spean_charter_member member = {.org = node->org, .status = SPEAN_MEMBER_ACTIVE};
    spean_schema_hash(&schema);
    const struct spean_charter_draft draft = {.version = 1,
                                              .threshold = 1,
                                              .stewards_count = 1,
                                              .stewards = &steward,
                                              .members_count = 1,
                                              .members = &member,
                                              .erasure_delay_s = &delay,
                                              .entry_format = &format,
                                              .schema = &schema,
                                              .name = {(const uint8_t *)"Mekong", 6},
                                              .random = random};
    fixture_charter(&kit->charter, &draft, SIGNED_BY(node->seed));
}

json_t *corekit_genesis(struct corekit *kit, struct corekit_node *node)
{
    make_genesis(kit, node);
    const struct spean_handle handle = spean_handle_of(&kit->charter.doc.id);
    corekit_accept(node, &handle, 0);
    json_t *body = json_object();
    (void)json_object_set_new(body, "charter",
                              corekit_hex(kit->charter.view.data, kit->charter.view.len));
    (void)json_object_set_new(body, "statement",
                              corekit_hex(node->second.view.data, node->second.view.len));
    return body;
}

void corekit_found(struct corekit *kit, struct corekit_node *node)
{
    (void)corekit_ok(node, "POST", "/v1/ledger", corekit_genesis(kit, node));
}

void corekit_invite(struct corekit_node *node, char *code)
{
    const json_t *answer = corekit_ok(node, "POST", "/v1/invitations", NULL);
    (void)snprintf(code, SPEAN_INVITE_TEXT_LEN_MAX + 1, "%s", corekit_text(answer, "code"));
}

json_t *corekit_join_body(const struct corekit_node *node, const char *code)
{
    json_t *body = json_object();
    json_t *statements = json_array();
    (void)json_array_append_new(statements,
                                corekit_hex(node->first.view.data, node->first.view.len));
    (void)json_array_append_new(statements,
                                corekit_hex(node->second.view.data, node->second.view.len));
    (void)json_object_set_new(body, "code", json_string(code));
    (void)json_object_set_new(body, "statements", statements);
    return body;
}

void corekit_join(struct corekit_node *node, const char *code)
{
    struct spean_invite invite;
    const struct spean_view text = {(const uint8_t *)code, strlen(code)};
    assert_int_equal(spean_invite_decode(&invite, text), SPEAN_OK);
    corekit_accept(node, &invite.handle, 0);
    (void)corekit_ok(node, "POST", "/v1/join", corekit_join_body(node, code));
}

/* Sign the next version into *next; the request of POST /v1/charter with it. */
static json_t *charter_body(const struct corekit *kit, const struct corekit_node *steward,
                            struct spean_charter_draft *draft, struct fixture_document *next)
{
    draft->version = kit->charter.doc.version + 1;
    draft->previous = kit->charter.doc.id;
    fixture_charter(next, draft, SIGNED_BY(steward->seed));
    json_t *body = json_object();
    (void)json_object_set_new(body, "document", corekit_hex(next->view.data, next->view.len));
    return body;
}

void corekit_charter_refused(struct corekit *kit, struct corekit_node *steward,
                             struct spean_charter_draft *draft, const char *code)
{
    struct fixture_document *next = calloc(1, sizeof(*next));
    assert_non_null(next);
    json_t *body = charter_body(kit, steward, draft, next);
    corekit_refused(steward, "POST", "/v1/charter", body, code);
    free(next);
}

void corekit_charter(struct corekit *kit, struct corekit_node *steward,
                     struct spean_charter_draft *draft)
{
    struct fixture_document *next = calloc(1, sizeof(*next));
    assert_non_null(next);
    (void)corekit_ok(steward, "POST", "/v1/charter", charter_body(kit, steward, draft, next));
    kit->charter.doc.version = next->doc.version;
    kit->charter.doc.id = next->doc.id;
    free(next);
}

void corekit_approve(struct corekit *kit, struct corekit_node *steward,
                     const struct corekit_node *newcomer)
{
    struct spean_charter_member member = {.org = newcomer->org, .status = SPEAN_MEMBER_ACTIVE};
    struct spean_charter_draft draft = {.members_count = 1, .members = &member};
    corekit_charter(kit, steward, &draft);
}

void corekit_await_equal(struct corekit_node *a, struct corekit_node *b)
{
    int waited_ms = 0;
    for (;;) {
        const json_t *left = corekit_ok(a, "GET", "/v1/status", NULL);
        const json_t *right = corekit_ok(b, "GET", "/v1/status", NULL);
        if (strcmp(corekit_text(left, "digest"), corekit_text(right, "digest")) == 0 &&
            strcmp(corekit_text(left, "partners.0.state"), "connected") == 0 &&
            strcmp(corekit_text(right, "partners.0.state"), "connected") == 0) {
            return;
        }
        if (!may_look_again(&waited_ms)) {
            fail_msg("%s\n%s", json_dumps(left, 0), json_dumps(right, 0));
        }
    }
}
