/* Figures about this node, in the text format of Prometheus: GET /v1/metrics (docs/API.md). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "node/when.h"
#include "protocol/version.h"
#include "store/fold.h"
#include "store/logs.h"

#define ORG_LABEL_CHARS 16 /* Of an id in hex: as many as tell organisations apart. */

/* Say what a figure is; its values follow. All are gauges: nothing here only grows. */
static void head(FILE *out, const char *name, const char *help)
{
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void single(FILE *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, help);
    (void)fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void print_node(FILE *out, const struct spean_core_view *view)
{
    const struct spean_room *const room = &view->core->room;
    json_t *const health = spean_status_health(view);
    head(out, "spean_build_info", "Always 1; the version of the program.");
    (void)fprintf(out, "spean_build_info{version=\"%s\"} 1\n", spean_version());
    single(out, "spean_locked", "1 while the store is locked.", spean_keys_locked(view->keys));
    single(out, "spean_healthy", "1 while status has no problem to tell.",
           json_is_true(json_object_get(health, "ok")));
    single(out, "spean_store_used_bytes", "Bytes that the store holds.", room->used_bytes);
    single(out, "spean_store_left_bytes", "Bytes that the store may still grow by.",
           room->left_bytes);
    single(out, "spean_store_takes_writes", "0 while room is too short for what people write.",
           room->step < SPEAN_ROOM_NO_WRITES);
    json_decref(health);
}

static void print_logs(FILE *out, const struct spean_core_view *view)
{
    struct spean_logs_row row;
    uint64_t logs = 0;
    uint64_t entries = 0;
    uint32_t from = 0;
    while (spean_logs_next(view->tx, from, &row) == SPEAN_OK) {
        from = row.number + 1;
        logs++;
        entries += row.head.seq;
    }
    single(out, "spean_logs", "Logs of which something is held.", logs);
    single(out, "spean_entries", "Entries held of all logs.", entries);
}

static void print_fold(FILE *out, const struct spean_fold_status *fold)
{
    single(out, "spean_fold_behind_entries", "Entries that are not folded into records yet.",
           fold->entries_behind);
    single(out, "spean_fold_queued_entries", "Entries that are to be looked at again.",
           fold->queued);
    single(out, "spean_fold_aside_entries", "Entries that were judged and set aside.", fold->aside);
    single(out, "spean_bodies_missing", "Bodies that belong here and are not here yet.",
           fold->bodies_lacking);
}

static void print_todo(FILE *out, const struct spean_core_view *view,
                       const struct spean_fold_status *fold)
{
    json_t *const todo = spean_status_todo(view, fold);
    const char *kind = NULL;
    json_t *value = NULL;
    head(out, "spean_todo", "What waits for a person, by kind; of records 0 while locked.");
    json_object_foreach(todo, kind, value)
    {
        uint64_t count = 0;
        if (spean_json_get_u64(value, &count) == SPEAN_OK) {
            (void)fprintf(out, "spean_todo{kind=\"%s\"} %" PRIu64 "\n", kind, count);
        }
    }
    json_decref(todo);
}

static const char *org_of(const json_t *partner)
{
    const char *const org = json_string_value(json_object_get(partner, "org"));
    return org != NULL ? org : "";
}

static uint64_t is_connected(const json_t *partner)
{
    const char *const state = json_string_value(json_object_get(partner, "state"));
    return state != NULL && (strcmp(state, "connected") == 0 || strcmp(state, "connecting") == 0);
}

static uint64_t missing_of(const json_t *partner)
{
    uint64_t missing = 0;
    const json_t *const have = json_object_get(partner, "we_have");
    return spean_json_get_u64(json_object_get(have, "missing"), &missing) == SPEAN_OK ? missing : 0;
}

static uint64_t contact_of(const json_t *partner)
{
    uint64_t time_s = 0;
    const json_t *const last = json_object_get(partner, "last_contact");
    const struct spean_view text = {(const uint8_t *)json_string_value(last),
                                    json_string_length(last)};
    return text.len > 0 && spean_when_parse(text, &time_s) == SPEAN_OK ? time_s : 0;
}

/* One value for each partner, by its id: organisations are no secret, names are left out. */
static void print_partners(FILE *out, const json_t *partners)
{
    static const struct {
        const char *name;
        const char *help;
        uint64_t (*value)(const json_t *partner);
    } rows[] = {
        {"spean_partner_connected", "1 while a node of the partner is connected.", is_connected},
        {"spean_partner_missing_entries", "Entries of the partner known to exist and not here.",
         missing_of},
        {"spean_partner_last_contact_timestamp_seconds",
         "When something of the partner last came here; 0: never.", contact_of},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        head(out, rows[row].name, rows[row].help);
        for (size_t i = 0; i < json_array_size(partners); i++) {
            const json_t *const partner = json_array_get(partners, i);
            (void)fprintf(out, "%s{org=\"%.*s\"} %" PRIu64 "\n", rows[row].name, ORG_LABEL_CHARS,
                          org_of(partner), rows[row].value(partner));
        }
    }
}

static void get_metrics(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    struct spean_fold_status fold = {0};
    char *text = NULL;
    size_t len = 0;
    FILE *const out = open_memstream(&text, &len);
    if (out == NULL) {
        spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
        return;
    }
    bool good = spean_answer_begin(ctx, &view, reply);
    if (good) {
        const spean_err err = spean_fold_status(view.tx, view.authority, &fold);
        json_t *const partners = spean_status_partners(&view);
        print_node(out, &view);
        print_logs(out, &view);
        print_fold(out, &fold);
        print_todo(out, &view, &fold);
        print_partners(out, partners);
        json_decref(partners);
        spean_core_view_end(&view);
        if (err != SPEAN_OK) {
            spean_reply_error(reply, err, NULL, "check the store: spean verify");
            good = false;
        }
    }
    const bool whole = fclose(out) == 0;
    if (good && whole) {
        spean_reply_text(reply, text);
        return;
    }
    if (good) {
        spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
    }
    free(text);
}

struct spean_route_group spean_metrics_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET", .path = "/v1/metrics", .flags = SPEAN_ROUTE_READ, .read = get_metrics},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
