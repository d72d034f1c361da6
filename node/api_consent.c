/* Consents: what a person allowed, for ever as it was said, and whether it was withdrawn. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/handlers.h"
#include "node/records.h"
#include "node/withdrawal.h"
#include "protocol/consent.h"
#include "protocol/limits.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"

#define FIXED_BYTES_MAX (SPEAN_VALUE_BYTES_MAX + 64u)
#define LINE_FIELDS     2u

/* -- List and show --------------------------------------------------------------------------- */

struct filter {
    bool by_case;
    struct spean_record_id record;
};

static bool consent_wanted(struct spean_records *at, const struct spean_records_item *item,
                           void *ctx)
{
    const struct filter *filter = ctx;
    struct spean_record_id of;
    (void)at;
    return !filter->by_case || (spean_records_fixed_record(item, SPEAN_FIELD_CONSENT_CASE, &of) &&
                                spean_record_id_equal(&of, &filter->record));
}

static spean_err consent_line(struct spean_records *at, const struct spean_records_item *item,
                              void *ctx, json_t **out)
{
    static const char *const fields[LINE_FIELDS] = {"status", "withdrawn"};
    (void)ctx;
    json_t *line = NULL;
    json_t *fixed = NULL;
    spean_err err = spean_records_line(at, item, &line);
    for (size_t i = 0; i < LINE_FIELDS && err == SPEAN_OK; i++) {
        err = spean_records_line_field(at, item, fields[i], line);
    }
    if (err == SPEAN_OK) {
        err = spean_json_fixed_show(item->info.type, item->info.fixed, &at->names, &fixed);
    }
    if (err == SPEAN_OK && json_object_set_new(line, "fixed", fixed) != 0) {
        err = SPEAN_ENOMEM;
    }
    if (err != SPEAN_OK) {
        json_decref(line);
        return err == SPEAN_EFORMAT ? SPEAN_ECORRUPT : err;
    }
    *out = line;
    return SPEAN_OK;
}

static void consents_list(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (!spean_records_read(&at, request, ctx, reply)) {
        return;
    }
    const char *text = spean_request_query(request, "case");
    struct filter filter = {.by_case = text != NULL};
    if (text == NULL || spean_records_find(&at, SPEAN_TYPE_CASE, text, &filter.record)) {
        const struct spean_records_listing listing = {.type = SPEAN_TYPE_CONSENT,
                                                      .ctx = &filter,
                                                      .wants = consent_wanted,
                                                      .line = consent_line};
        spean_records_list(&at, &listing);
    }
    spean_records_end(&at);
}

static void consent_get(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply)) {
        spean_records_get(&at, SPEAN_TYPE_CONSENT);
        spean_records_end(&at);
    }
}

/* -- Add ------------------------------------------------------------------------------------- */

/* Encode the terms at buf, and see that this program would act on them. */
static bool read_terms(struct spean_records *at, json_t *terms, uint8_t *buf, size_t cap,
                       struct spean_view *out)
{
    struct spean_json_why why = {""};
    struct spean_writer w;
    struct spean_consent_terms decoded;
    const struct spean_schema_field *field =
        spean_schema_field(SPEAN_TYPE_CONSENT, SPEAN_FIELD_CONSENT_TERMS);
    spean_writer_init(&w, buf, cap);
    spean_err err = spean_json_value_encode(&w, &field->value, "fixed.terms", terms, &why);
    if (err == SPEAN_OK) {
        err = spean_writer_end(&w, out);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
        return false;
    }
    if (spean_consent_terms_decode(&decoded, *out) != SPEAN_OK || decoded.purposes.len == 0 ||
        decoded.recipients.len == 0) {
        spean_records_refuse(at, SPEAN_EINPUT, "terms_allow_nothing",
                             "terms without purposes and recipients allow nothing",
                             "say for what and to whom the person agreed; nothing can be added "
                             "later");
        return false;
    }
    return true;
}

/* Whoever acts without consent, in vital interest, says why, in words too, and who approved it. */
static bool check_override(struct spean_records *at, const json_t *terms)
{
    const json_t *override = json_object_get(terms, "override");
    const char *basis = json_string_value(json_object_get(terms, "legal_basis"));
    const json_t *note =
        json_object_get(json_object_get(at->request->body, "set"), "override_note");
    if (override == NULL ||
        (basis != NULL && strcmp(basis, "vital_interest") == 0 &&
         json_object_get(override, "reason") != NULL &&
         json_object_get(override, "approved_by_role") != NULL && json_object_size(note) > 0)) {
        return true;
    }
    spean_records_refuse(at, SPEAN_EINPUT, "override_incomplete",
                         "to act without consent takes the legal basis vital_interest, a reason, "
                         "who approved it, and why in words",
                         "give terms.legal_basis, terms.override.reason, "
                         "terms.override.approved_by_role and set.override_note");
    return false;
}

/* Read "fixed": the case and the terms, at buf. */
static bool read_fixed(struct spean_records *at, uint8_t *buf, size_t cap, struct spean_view *out)
{
    uint8_t terms_buf[SPEAN_VALUE_BYTES_MAX + 16];
    uint8_t id[40];
    struct spean_record_id record;
    struct spean_view terms;
    json_t *fixed = json_object_get(at->request->body, "fixed");
    json_t *terms_json = json_object_get(fixed, "terms");
    if (terms_json == NULL || json_object_size(fixed) != 2 ||
        json_object_get(fixed, "case") == NULL) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL,
                             "fixed: expected {\"case\": ..., \"terms\": {...}}", NULL);
        return false;
    }
    if (!spean_records_find_json(at, SPEAN_TYPE_CASE, "fixed.case", json_object_get(fixed, "case"),
                                 &record) ||
        !check_override(at, terms_json) ||
        !read_terms(at, terms_json, terms_buf, sizeof(terms_buf), &terms)) {
        return false;
    }
    const struct spean_records_fixed rows[] = {
        {SPEAN_FIELD_CONSENT_CASE,
         spean_records_encode_id(record.bytes, SPEAN_RECORD_ID_BYTES, id)},
        {SPEAN_FIELD_CONSENT_TERMS, terms},
    };
    const spean_err err = spean_records_fixed_encode(rows, 2, buf, cap, out);
    if (err != SPEAN_OK) {
        spean_records_refuse_draft(at, err);
    }
    return err == SPEAN_OK;
}

static bool read_new(struct spean_records *at, struct spean_edit *edit)
{
    const struct spean_edit_subject subject = {
        .type = SPEAN_TYPE_CONSENT,
        .roles = SPEAN_ROLE_OWNER | SPEAN_ROLE_MEMBER,
    };
    struct spean_json_why why = {""};
    json_t *json = spean_records_body_without(at, "fixed");
    spean_err err = json == NULL ? SPEAN_ENOMEM : spean_edit_read(edit, &subject, json, &why);
    json_decref(json);
    bool gives_status = false;
    for (uint32_t i = 0; err == SPEAN_OK && i < spean_edit_count(edit); i++) {
        gives_status =
            gives_status || spean_edit_at(edit, i)->field->number == SPEAN_FIELD_CONSENT_STATUS;
    }
    if (err == SPEAN_OK && !gives_status) {
        json_t *given = json_string("given");
        err = given == NULL
                  ? SPEAN_ENOMEM
                  : spean_edit_add_json(edit, SPEAN_TYPE_CONSENT, SPEAN_FIELD_CONSENT_STATUS,
                                        SPEAN_VERB_WRITE, given, &why);
        json_decref(given);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
    }
    return err == SPEAN_OK;
}

static void add_consent(struct spean_records *at)
{
    uint8_t buf[FIXED_BYTES_MAX];
    struct spean_view fixed;
    struct spean_record_id record;
    struct spean_edit *edit = NULL;
    struct spean_draft *draft = NULL;
    if (!read_fixed(at, buf, sizeof(buf), &fixed)) {
        return;
    }
    if (spean_edit_new(&edit) != SPEAN_OK) {
        spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
        return;
    }
    if (read_new(at, edit) && spean_records_draft(at, &draft) &&
        spean_records_create(at, draft, SPEAN_TYPE_CONSENT, NULL, fixed, edit, &record) &&
        spean_records_commit(at, draft)) {
        spean_records_answer_new(at, &record);
    }
    spean_draft_free(draft);
    spean_edit_free(edit);
}

static void consent_add(struct spean_job *job, void *core)
{
    spean_records_run(job, core, add_consent);
}

/* -- Withdraw -------------------------------------------------------------------------------- */

static void withdraw(struct spean_records *at)
{
    struct spean_record_id record;
    struct spean_records_item item = {.record = NULL};
    uint8_t buf[SPEAN_WITHDRAWAL_BYTES_MAX];
    struct spean_view value;
    at->urgent = true;
    if (!spean_records_find(at, SPEAN_TYPE_CONSENT, spean_request_param(at->request, "id"),
                            &record) ||
        !spean_records_take(at, &record, &item)) {
        return;
    }
    if (spean_withdrawal_is_set(&item, SPEAN_PART_CONSENT, SPEAN_FIELD_CONSENT_WITHDRAWN)) {
        spean_records_answer(at, &record, false);
    } else if (spean_withdrawal_read(at, buf, sizeof(buf), &value)) {
        struct spean_draft *draft = NULL;
        bool more = false;
        if (spean_records_draft(at, &draft)) {
            spean_err err = spean_withdrawal_draft_consent(draft, &record, value);
            if (err == SPEAN_OK) {
                err = spean_withdrawal_draft_referrals(at, draft, &record, value, &more);
            }
            /* Where there are more referrals than fit, the rest follows by itself. */
            if (err != SPEAN_OK) {
                spean_records_refuse_draft(at, err);
            } else if (spean_records_commit(at, draft)) {
                spean_records_answer(at, &record, true);
            }
        }
        spean_draft_free(draft);
    }
    spean_records_unload(&item);
}

static void consent_withdraw(struct spean_job *job, void *core)
{
    spean_records_run(job, core, withdraw);
}

struct spean_route_group spean_consent_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/consents",
         .flags = SPEAN_ROUTE_READ,
         .query = "case limit after",
         .read = consents_list},
        {.method = "POST", .path = "/v1/consents", .flags = SPEAN_ROUTE_WRITE, .run = consent_add},
        {.method = "GET",
         .path = "/v1/consents/{id}",
         .flags = SPEAN_ROUTE_READ,
         .read = consent_get},
        {.method = "POST",
         .path = "/v1/consents/{id}/withdraw",
         .flags = SPEAN_ROUTE_WRITE,
         .run = consent_withdraw},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
