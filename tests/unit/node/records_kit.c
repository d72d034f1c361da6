#include "tests/unit/node/records_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/handlers.h"
#include "node/queue.h"
#include "node/referral_settle.h"
#include "node/request.h"
#include "node/route.h"
#include "store/body.h"
#include "store/partkeys.h"
#include "store/setup.h"

#define ROUTES_MAX 64u
#define PATH_BYTES 512u

/* -- A core that is as small as it can be ---------------------------------------------------- */

static struct author_node *node_of(const struct spean_core *core)
{
    return &core->f->nodes[core->who];
}

spean_err spean_core_view_begin(struct spean_core *core, struct spean_core_view *view)
{
    view->core = core;
    view->authority = node_of(core)->authority;
    view->keys = node_of(core)->keys;
    return spean_tx_begin(node_of(core)->store->db, SPEAN_TX_READ, &view->tx);
}

void spean_core_view_end(struct spean_core_view *view)
{
    spean_tx_abort(view->tx);
}

const struct spean_id *spean_core_org(const struct spean_core *core)
{
    return &node_of(core)->org;
}

struct spean_db *spean_core_db(struct spean_core *core)
{
    return node_of(core)->store->db;
}

struct spean_keys *spean_core_keys(struct spean_core *core)
{
    return node_of(core)->keys;
}

const struct spean_authority *spean_core_authority(const struct spean_core *core)
{
    return node_of(core)->authority;
}

const struct spean_log *spean_core_own_log(const struct spean_core *core)
{
    return node_of(core)->author.log;
}

const struct spean_config *spean_core_config(const struct spean_core *core)
{
    static const struct spean_config config = {.retention_review_days = 365,
                                               .retention_delete_days = 3650};
    (void)core;
    return &config;
}

void spean_core_committed(struct spean_core *core)
{
    author_fixture_fold(node_of(core));
}

bool spean_core_takes_writes(const struct spean_core *core)
{
    return !core->full;
}

void spean_core_urgent(struct spean_core *core)
{
    core->urgent = true;
}

bool spean_core_make_room(struct spean_core *core, const char *why)
{
    (void)core;
    (void)why;
    return false;
}

/* -- Requests -------------------------------------------------------------------------------- */

static void set_up_node(struct author_node *node)
{
    struct fixture_document *doc = calloc(1, sizeof(*doc));
    struct spean_tx *tx = NULL;
    assert_non_null(doc);
    fixture_org_first(doc, 77);
    const struct spean_setup setup = {
        .statement = doc->view,
        .name = {(const uint8_t *)"Bridge Legal Aid", 16},
        .country = {(const uint8_t *)"KH", 2},
    };
    assert_int_equal(spean_tx_begin(node->store->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_setup_put(tx, &setup), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    free(doc);
}

int records_kit_setup(void **state)
{
    struct records_kit *kit = calloc(1, sizeof(*kit));
    void *fixture = NULL;
    assert_non_null(kit);
    (void)author_fixture_setup(&fixture); /* Asserts inside. */
    kit->f = fixture;
    for (size_t i = 0; i < AUTHOR_NODES; i++) {
        kit->cores[i] = (struct spean_core){.f = kit->f, .who = (enum author_who)i};
        set_up_node(&kit->f->nodes[i]);
    }
    assert_int_equal(spean_queue_new(4, &kit->queue), SPEAN_OK);
    *state = kit;
    return 0;
}

int records_kit_teardown(void **state)
{
    struct records_kit *kit = *state;
    void *fixture = kit->f;
    json_decref(kit->answer);
    spean_queue_free(kit->queue);
    (void)author_fixture_teardown(&fixture);
    free(kit);
    return 0;
}

static size_t all_routes(struct spean_route all[ROUTES_MAX])
{
    const struct spean_route_group groups[] = {spean_agency_routes(),  spean_case_routes(),
                                               spean_consent_routes(), spean_referral_routes(),
                                               spean_aside_routes(),   spean_export_routes(),
                                               spean_code_routes(),    spean_history_routes()};
    size_t count = 0;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        assert_true(groups[i].count <= ROUTES_MAX - count);
        memcpy(&all[count], groups[i].routes, groups[i].count * sizeof(all[0]));
        count += groups[i].count;
    }
    spean_route_assert(all, count);
    return count;
}

/* Run a write as the daemon does; its job ends with the answer. */
static void run_write(struct records_kit *kit, const struct spean_route *route,
                      struct spean_request *request, enum author_who who)
{
    struct spean_job *job = NULL;
    assert_int_equal(spean_job_new(request, &job), SPEAN_OK);
    job->run = route->run;
    assert_int_equal(spean_queue_submit(kit->queue, job), SPEAN_OK);
    struct spean_job *taken = spean_queue_take(kit->queue);
    assert_ptr_equal(taken, job);
    job->run(job, &kit->cores[who]);
    assert_ptr_equal(spean_queue_collect(kit->queue), job);
    kit->status = job->reply.status;
    kit->answer = json_incref(job->reply.body);
    spean_job_free(job);
}

json_t *records_kit_call(struct records_kit *kit, enum author_who who, const char *method,
                         const char *target, const char *body)
{
    struct spean_route routes[ROUTES_MAX];
    const struct spean_route *route = NULL;
    const size_t count = all_routes(routes);
    char path[PATH_BYTES];
    char where[SPEAN_JSON_WHERE_BYTES];
    struct spean_request *request = calloc(1, sizeof(*request));
    assert_non_null(request);
    memcpy(request->actor, "admin", sizeof("admin"));
    (void)snprintf(path, sizeof(path), "%s", target);
    char *query = strchr(path, '?');
    if (query != NULL) {
        *query++ = '\0';
    }
    assert_int_equal(spean_request_query_read(request, query), SPEAN_OK);
    const char *text = body != NULL ? body : "{}";
    if (spean_json_read(text, strlen(text), &request->body, where) != SPEAN_OK) {
        fail_msg("%s: %s", where, text);
    }
    assert_int_equal(spean_route_find(routes, count, method, path, request, &route), SPEAN_OK);
    json_decref(kit->answer);
    kit->answer = NULL;
    struct spean_reply reply = {0};
    const bool fits = spean_route_fits(route, request, &reply);
    if (fits && (route->flags & SPEAN_ROUTE_WRITE) != 0) {
        run_write(kit, route, request, who);
    } else {
        if (fits) {
            route->read(request, &kit->cores[who], &reply);
        }
        kit->status = reply.status;
        kit->answer = json_incref(reply.body);
        spean_reply_fini(&reply);
        spean_request_free(request);
    }
    assert_non_null(kit->answer);
    return kit->answer;
}

json_t *records_kit_ok(struct records_kit *kit, enum author_who who, const char *method,
                       const char *target, const char *body)
{
    json_t *answer = records_kit_call(kit, who, method, target, body);
    if (kit->status != 200) {
        fail_msg("%s %s: %d %s", method, target, kit->status, json_dumps(answer, 0));
    }
    return answer;
}

void assert_refused(struct records_kit *kit, enum author_who who, const char *method,
                    const char *target, const char *body, const char *code)
{
    json_t *answer = records_kit_call(kit, who, method, target, body);
    const char *given = records_kit_text(answer, "error.code");
    if (kit->status < 400 || given == NULL || strcmp(given, code) != 0) {
        fail_msg("%s %s: %d, not %s: %s", method, target, kit->status, code, json_dumps(answer, 0));
    }
    assert_non_null(records_kit_text(answer, "error.message"));
}

json_t *records_kit_at(json_t *json, const char *path)
{
    char text[PATH_BYTES];
    char *rest = NULL;
    (void)snprintf(text, sizeof(text), "%s", path);
    for (char *step = strtok_r(text, ".", &rest); step != NULL && json != NULL;
         step = strtok_r(NULL, ".", &rest)) {
        json = json_is_array(json) ? json_array_get(json, strtoul(step, NULL, 10))
                                   : json_object_get(json, step);
    }
    return json;
}

const char *records_kit_text(json_t *json, const char *path)
{
    return json_string_value(records_kit_at(json, path));
}

/* Give `to` one group of bodies that it may read by now and that it lacks. */
static bool fetch_group(struct author_node *from, struct author_node *to)
{
    struct spean_lacking_at at = {0};
    struct spean_lacking *group = calloc(1, sizeof(*group));
    struct spean_logs_row row;
    struct spean_tx *reading = NULL;
    struct spean_tx *writing = NULL;
    bool got = false;
    assert_non_null(group);
    assert_int_equal(spean_tx_begin(to->store->db, SPEAN_TX_WRITE, &writing), SPEAN_OK);
    assert_int_equal(spean_tx_begin(from->store->db, SPEAN_TX_READ, &reading), SPEAN_OK);
    const spean_err err = spean_partkeys_lacking(writing, to->keys, NULL, &at, group);
    for (uint32_t i = 0; err == SPEAN_OK && i < group->seqs_count; i++) {
        struct spean_view body;
        const uint64_t seq = group->seqs[i];
        assert_int_equal(spean_logs_get(reading, &group->log, &row), SPEAN_OK);
        if (spean_body_load(reading, &row, &group->tag, seq, &body) == SPEAN_OK) {
            assert_int_equal(spean_logs_get(writing, &group->log, &row), SPEAN_OK);
            assert_int_equal(spean_body_put(writing, &row, seq, body), SPEAN_OK);
            assert_int_equal(spean_fold_body(writing, row.number, seq), SPEAN_OK);
            got = true;
        }
    }
    spean_tx_abort(reading);
    assert_int_equal(spean_tx_commit(writing), SPEAN_OK);
    free(group);
    return got;
}

void records_kit_copy(struct records_kit *kit, enum author_who from, enum author_who to)
{
    author_fixture_copy(kit->f, from, to);
    while (fetch_group(&kit->f->nodes[from], &kit->f->nodes[to])) {
        author_fixture_fold(&kit->f->nodes[to]);
    }
}

void records_kit_settle(struct records_kit *kit, enum author_who who)
{
    uint64_t height = 0;
    for (unsigned i = 0; height != records_kit_height(kit, who); i++) {
        bool more = false;
        assert_true(i < 4);
        height = records_kit_height(kit, who);
        assert_int_equal(spean_referral_settle(&kit->cores[who], &more), SPEAN_OK);
        assert_false(more);
    }
}

void records_kit_meet(struct records_kit *kit)
{
    records_kit_copy(kit, A1, B1);
    records_kit_copy(kit, B1, A1);
    records_kit_settle(kit, A1);
    records_kit_copy(kit, A1, B1);
    records_kit_settle(kit, B1);
    records_kit_copy(kit, B1, A1);
    records_kit_settle(kit, A1);
}

void records_kit_meet_all(struct records_kit *kit)
{
    static const enum author_who all[] = {A1, B1, C1};
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < 9; i++) {
            if (i / 3 != i % 3) {
                records_kit_copy(kit, all[i / 3], all[i % 3]);
            }
        }
        for (size_t i = 0; i < 3; i++) {
            records_kit_settle(kit, all[i]);
        }
    }
}

uint64_t records_kit_height(struct records_kit *kit, enum author_who who)
{
    return author_fixture_head(kit->f, who).seq;
}
