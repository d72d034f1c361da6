/* Referrals: drafts, what they would show, sending, steps. */
#include <stdio.h>
#include <string.h>

#include "node/handlers.h"
#include "node/json_value.h"
#include "node/referral.h"
#include "node/referral_redirect.h"
#include "protocol/schema_numbers.h"
#include "protocol/text.h"

/* -- Lists ----------------------------------------------------------------------------------- */

/* Which are asked for. */
struct filter {
    const char *box; /* "in", "out"; NULL: both. */
    bool by_case;
    struct spean_record_id record; /* Of the case. */
};

static bool in_box(struct spean_records *at, const struct spean_records_item *item, const char *box)
{
    struct spean_id party;
    const uint64_t field =
        strcmp(box, "in") == 0 ? SPEAN_FIELD_REFERRAL_TO : SPEAN_FIELD_REFERRAL_FROM;
    return spean_records_fixed_org(item, field, &party) &&
           spean_id_equal(&party, spean_core_org(at->view.core));
}

/* Whether the referral was made of the case, or is the one that brought it. */
static bool is_of_case(struct spean_records *at, const struct spean_records_item *item,
                       const struct spean_record_id *a_case)
{
    static const enum spean_lookup lookups[] = {SPEAN_LOOKUP_CASE_OF, SPEAN_LOOKUP_TRANSFERRED};
    const struct spean_view name = {item->info.record.bytes, SPEAN_RECORD_ID_BYTES};
    struct spean_record_id held;
    bool found = false;
    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]) && !found; i++) {
        found = spean_record_lookup(at->view.tx, at->view.keys, lookups[i], name, NULL, &held) ==
                    SPEAN_OK &&
                spean_record_id_equal(&held, a_case);
    }
    return found;
}

static bool is_wanted(struct spean_records *at, const struct spean_records_item *item, void *ctx)
{
    const struct filter *filter = ctx;
    return (filter->box == NULL || in_box(at, item, filter->box)) &&
           (!filter->by_case || is_of_case(at, item, &filter->record));
}

static spean_err fill_line(struct spean_records *at, const struct spean_records_item *item,
                           const struct spean_referral_now *now, json_t *line)
{
    const char *state = spean_referral_state_name(now->progress.state);
    const bool done =
        json_object_set_new(line, "state", json_string(state)) == 0 &&
        json_object_set_new(line, "flags", spean_referral_flags(at, item, now)) == 0 &&
        spean_json_set_org(line, "origin", &now->origin, &at->names) &&
        spean_json_set_org(line, "target", &now->target, &at->names) &&
        json_object_set_new(line, "draft", json_false()) == 0;
    if (!done) {
        return SPEAN_ENOMEM;
    }
    const spean_err err = spean_records_line_field(at, item, "urgency", line);
    return err != SPEAN_OK ? err : spean_records_line_field(at, item, "respond_by", line);
}

static spean_err referral_line(struct spean_records *at, const struct spean_records_item *item,
                               void *ctx, json_t **out)
{
    struct spean_referral_now now;
    json_t *line = NULL;
    (void)ctx;
    spean_err err = spean_records_line(at, item, &line);
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_referral_now_init(at, item, &now);
    if (err == SPEAN_OK) {
        err = fill_line(at, item, &now, line);
        spean_referral_now_fini(&now);
    }
    if (err != SPEAN_OK) {
        json_decref(line);
        return err;
    }
    *out = line;
    return SPEAN_OK;
}

/* One line of a draft; NULL: it is gone or was sent. */
static json_t *draft_line(struct spean_records *at, const char *hex)
{
    static const char *const kept[] = {"id",     "code",        "state",  "flags",
                                       "origin", "origin_name", "target", "target_name",
                                       "owner",  "owner_name"};
    struct spean_record_id record;
    struct spean_record *sent = NULL;
    json_t *draft = NULL;
    const struct spean_view text = {(const uint8_t *)hex, strlen(hex)};
    if (spean_text_hex_decode(record.bytes, SPEAN_RECORD_ID_BYTES, text) != SPEAN_OK) {
        return NULL;
    }
    if (spean_record_get(at->view.tx, at->view.keys, &record, &sent) == SPEAN_OK) {
        spean_record_free(sent);
        return NULL;
    }
    if (spean_records_local_get(at, &record, "draft", &draft) != SPEAN_OK || draft == NULL) {
        return NULL;
    }
    json_t *whole = spean_referral_draft_show(at, &record, draft);
    json_t *line = json_pack("{s:b, s:O?, s:O?, s:i}", "draft", true, "urgency",
                             json_object_get(draft, "urgency"), "respond_by",
                             json_object_get(draft, "respond_by"), "conflicts", 0);
    bool done = whole != NULL && line != NULL;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && done; i++) {
        done = json_object_set(line, kept[i], json_object_get(whole, kept[i])) == 0;
    }
    json_decref(whole);
    json_decref(draft);
    if (!done) {
        json_decref(line);
        return NULL;
    }
    return line;
}

static void list_drafts(struct spean_records *at)
{
    struct spean_page page;
    json_t *drafts = NULL;
    if (spean_request_page(at->request, &page) != SPEAN_OK) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL, "limit: expected a number from 1 to 1000",
                             NULL);
        return;
    }
    const spean_err err = spean_records_drafts(at, &drafts);
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return;
    }
    json_t *items = json_array();
    const char *last = NULL;
    bool after = page.after[0] == '\0';
    bool more = false;
    for (size_t i = 0; i < json_array_size(drafts) && !more; i++) {
        const char *hex = json_string_value(json_array_get(drafts, i));
        if (hex == NULL || !after) {
            after = hex != NULL && strcmp(hex, page.after) == 0;
            continue;
        }
        if (json_array_size(items) == page.limit) {
            more = true;
            continue;
        }
        json_t *line = draft_line(at, hex);
        if (line != NULL) {
            (void)json_array_append_new(items, line); /* Out of memory: the list is shorter. */
        }
        last = hex;
    }
    spean_reply_page(at->reply, items, more ? last : NULL);
    json_decref(drafts);
}

static void referrals_list(const struct spean_request *request, void *ctx,
                           struct spean_reply *reply)
{
    struct spean_records at;
    if (!spean_records_read(&at, request, ctx, reply)) {
        return;
    }
    const char *box = spean_request_query(request, "box");
    const char *text = spean_request_query(request, "case");
    struct filter filter = {.box = box, .by_case = text != NULL};
    const bool drafts = box != NULL && strcmp(box, "drafts") == 0;
    if (drafts && text != NULL) {
        spean_records_refuse(&at, SPEAN_EINPUT, NULL, "case: not with box=drafts", NULL);
    } else if (drafts) {
        list_drafts(&at);
    } else if (box != NULL && strcmp(box, "in") != 0 && strcmp(box, "out") != 0) {
        spean_records_refuse(&at, SPEAN_EINPUT, NULL, "box: expected in, out or drafts", NULL);
    } else if (text == NULL || spean_records_find(&at, SPEAN_TYPE_CASE, text, &filter.record)) {
        const struct spean_records_listing listing = {
            .type = SPEAN_TYPE_REFERRAL, .ctx = &filter, .wants = is_wanted, .line = referral_line};
        spean_records_list(&at, &listing);
    }
    spean_records_end(&at);
}

/* -- Showing --------------------------------------------------------------------------------- */

static bool find(struct spean_records *at, struct spean_record_id *out)
{
    return spean_records_find(at, SPEAN_TYPE_REFERRAL, spean_request_param(at->request, "id"), out);
}

static void referral_get(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    struct spean_record_id record;
    if (spean_records_read(&at, request, ctx, reply)) {
        if (find(&at, &record)) {
            spean_referral_answer(&at, &record);
        }
        spean_records_end(&at);
    }
}

/* Load what is a draft still. */
static bool take_draft(struct spean_records *at, const struct spean_record_id *record, json_t **out)
{
    struct spean_record *sent = NULL;
    const spean_err err = spean_record_get(at->view.tx, at->view.keys, record, &sent);
    spean_record_free(sent);
    if (err == SPEAN_OK) {
        spean_records_refuse(at, SPEAN_ESTATE, "sent_already", "this referral was sent already",
                             "amend it while they have not answered: spean referral amend");
        return false;
    }
    if (!spean_referral_draft_take(at, record, out)) {
        return false;
    }
    if (*out == NULL) {
        spean_records_refuse(at, SPEAN_ENOTFOUND, NULL, "there is no such draft", NULL);
    }
    return *out != NULL;
}

static void show_preview(struct spean_records *at)
{
    struct spean_record_id record;
    struct spean_referral_plan plan;
    json_t *draft = NULL;
    json_t *preview = NULL;
    if (!find(at, &record) || !take_draft(at, &record, &draft)) {
        return;
    }
    if (spean_referral_plan_init(at, &record, draft, &plan)) {
        const spean_err err = spean_referral_preview(at, &plan, &preview);
        if (err != SPEAN_OK) {
            spean_records_refuse(at, err, NULL, NULL, NULL);
        } else {
            spean_reply_take(at->reply, preview);
        }
    }
    spean_referral_plan_fini(&plan);
    json_decref(draft);
}

static void referral_preview(const struct spean_request *request, void *ctx,
                             struct spean_reply *reply)
{
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply)) {
        show_preview(&at);
        spean_records_end(&at);
    }
}

/* -- Drafts ---------------------------------------------------------------------------------- */

/* Keep a draft and answer with it. */
static void keep_draft(struct spean_records *at, const struct spean_record_id *record,
                       json_t *draft)
{
    const spean_err err = at->dry_run ? SPEAN_OK : spean_records_draft_put(at, record, draft);
    if (err == SPEAN_ELIMIT) {
        spean_records_refuse(at, err, NULL, "there are too many drafts, or this one is too long",
                             "send or shorten some");
        return;
    }
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return;
    }
    spean_reply_take(at->reply, spean_referral_draft_show(at, record, draft));
}

static void add_draft(struct spean_records *at)
{
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
    struct spean_record_id record;
    json_t *draft = NULL;
    const struct spean_ledger *ledger = spean_authority_ledger(at->view.authority);
    if (ledger == NULL) {
        spean_records_refuse(at, SPEAN_ESTATE, "no_ledger", "this node is in no ledger",
                             "found one or join one: spean member join, spean ledger found");
        return;
    }
    if (!spean_referral_draft_read(at, NULL, at->request->body, &draft)) {
        return;
    }
    spean_records_random(random);
    spean_record_id_derive(&record, &ledger->id, spean_core_org(at->view.core), random);
    if (json_object_set_new(draft, "random", spean_json_hex(random, sizeof(random))) != 0) {
        spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
    } else {
        keep_draft(at, &record, draft);
    }
    json_decref(draft);
}

static void referral_add(struct spean_job *job, void *core)
{
    spean_records_run(job, core, add_draft);
}

static void edit_draft(struct spean_records *at)
{
    struct spean_record_id record;
    json_t *before = NULL;
    json_t *draft = NULL;
    if (!find(at, &record) || !take_draft(at, &record, &before)) {
        return;
    }
    if (spean_referral_draft_read(at, before, at->request->body, &draft)) {
        keep_draft(at, &record, draft);
    }
    json_decref(draft);
    json_decref(before);
}

static void referral_patch(struct spean_job *job, void *core)
{
    spean_records_run(job, core, edit_draft);
}

/* -- Steps ----------------------------------------------------------------------------------- */

static void send_draft(struct spean_records *at, const struct spean_record_id *record)
{
    struct spean_referral_plan plan;
    json_t *draft = NULL;
    if (!take_draft(at, record, &draft)) {
        return;
    }
    if (spean_referral_plan_init(at, record, draft, &plan) && spean_referral_send(at, &plan)) {
        /* A draft that could not be forgotten now is passed over from here on: it is a record. */
        const spean_err err = at->dry_run ? SPEAN_OK : spean_records_draft_put(at, record, NULL);
        if (err == SPEAN_OK || err == SPEAN_EFULL) {
            spean_referral_answer(at, record);
        } else {
            spean_records_refuse(at, err, NULL, NULL, NULL);
        }
    }
    spean_referral_plan_fini(&plan);
    json_decref(draft);
}

static void take_step(struct spean_records *at)
{
    struct spean_record_id record;
    const char *code = spean_request_param(at->request, "step");
    const enum spean_referral_step step =
        spean_referral_step_of((struct spean_view){(const uint8_t *)code, strlen(code)});
    if (!find(at, &record)) {
        return;
    }
    if (step == SPEAN_STEP_REDIRECT) {
        spean_referral_redirect(at, &record);
        return;
    }
    if (strcmp(code, "withdraw") == 0) {
        spean_referral_withdraw(at, &record);
        return;
    }
    if (step == SPEAN_STEP_UNKNOWN) {
        spean_referral_refuse(at, SPEAN_EINPUT, SPEAN_REFUSAL_UNKNOWN_STEP);
        return;
    }
    if (step == SPEAN_STEP_SEND) {
        send_draft(at, &record);
        return;
    }
    spean_referral_take_step(at, &record, step);
}

static void referral_step(struct spean_job *job, void *core)
{
    spean_records_run(job, core, take_step);
}

struct spean_route_group spean_referral_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/referrals",
         .flags = SPEAN_ROUTE_READ,
         .query = "box case limit after",
         .read = referrals_list},
        {.method = "POST",
         .path = "/v1/referrals",
         .flags = SPEAN_ROUTE_WRITE,
         .run = referral_add},
        {.method = "GET",
         .path = "/v1/referrals/{id}",
         .flags = SPEAN_ROUTE_READ,
         .read = referral_get},
        {.method = "PATCH",
         .path = "/v1/referrals/{id}",
         .flags = SPEAN_ROUTE_WRITE,
         .run = referral_patch},
        {.method = "GET",
         .path = "/v1/referrals/{id}/preview",
         .flags = SPEAN_ROUTE_READ,
         .read = referral_preview},
        {.method = "POST",
         .path = "/v1/referrals/{id}/{step}",
         .flags = SPEAN_ROUTE_WRITE,
         .run = referral_step},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
