/* Codes and code lists: published by stewards, added by any member. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/codebook.h"
#include "node/handlers.h"
#include "node/records.h"
#include "protocol/codes.h"
#include "protocol/reader.h"
#include "protocol/schema_numbers.h"
#include "store/record.h"

#define KEY_BYTES   (2u * SPEAN_CODE_BYTES_MAX + 2u) /* "list/code" and a NUL. */
#define FIXED_BYTES 160u                             /* Two codes and what is around them. */
#define LABELS_LANG "en"                             /* Of a label that comes without one. */

typedef char code_text[SPEAN_CODE_BYTES_MAX + 1];

static struct spean_view view_of(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

/* -- Lists ----------------------------------------------------------------------------------- */

/* What a list of codes is made of. */
struct gathering {
    struct spean_records *at;
    const char *list; /* NULL: every one. */
    bool unmapped;    /* Only local codes that nobody has mapped. */
    json_t *seen;     /* "list/code", so that each stands there once. */
    json_t *items;
};

static void key_of(char out[KEY_BYTES], const char *list, const char *code)
{
    const int len = snprintf(out, KEY_BYTES, "%s/%s", list, code);
    assert(len > 0);
    assert((size_t)len < KEY_BYTES); /* Codes are at most SPEAN_CODE_BYTES_MAX long. */
}

static spean_err gather(struct gathering *g, const char *list, const char *code)
{
    char key[KEY_BYTES];
    key_of(key, list, code);
    if (json_object_get(g->seen, key) != NULL ||
        json_array_size(g->items) >= SPEAN_CODEBOOK_ITEMS_MAX) {
        return SPEAN_OK;
    }
    json_t *shown = NULL;
    const spean_err err = spean_codebook_show(g->at, list, code, &shown);
    if (err != SPEAN_OK) {
        return err;
    }
    const char *standing = json_string_value(json_object_get(shown, "standing"));
    const bool wanted = !g->unmapped || (standing != NULL && strcmp(standing, "local") == 0 &&
                                         json_object_get(shown, "mapped_to") == NULL);
    const bool done = json_object_set_new(g->seen, key, json_true()) == 0 &&
                      (!wanted || json_array_append(g->items, shown) == 0);
    json_decref(shown);
    return done ? SPEAN_OK : SPEAN_ENOMEM;
}

static spean_err gather_built_in(struct gathering *g)
{
    size_t count = 0;
    const struct spean_code *rows =
        g->list == NULL ? spean_codes_all(&count) : spean_codes_list(g->list, &count);
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < count && err == SPEAN_OK; i++) {
        err = gather(g, rows[i].list, rows[i].code);
    }
    return err;
}

/* A fixed field that is a code; false: it is none, and nobody can look for it. */
static bool fixed_code(const struct spean_records *at, const struct spean_record_id *record,
                       uint64_t field, code_text out)
{
    struct spean_record *held = NULL;
    struct spean_record_info info;
    struct spean_view value;
    struct spean_view code = {NULL, 0};
    if (spean_record_get(at->view.tx, at->view.keys, record, &held) != SPEAN_OK) {
        return false;
    }
    spean_record_get_info(held, &info);
    if (spean_fixed_get(info.fixed, field, &value)) {
        code = spean_records_text(value);
    }
    const bool valid = code.data != NULL && spean_codes_valid(code);
    if (valid) {
        memcpy(out, code.data, code.len);
        out[code.len] = '\0';
    }
    spean_record_free(held);
    return valid;
}

static spean_err next_record(const struct gathering *g, const struct spean_record_id *after,
                             struct spean_record_id *out)
{
    const struct spean_records *at = g->at;
    return g->list == NULL ? spean_record_next(at->view.tx, SPEAN_TYPE_CODE, after, out)
                           : spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_CODES_OF,
                                                 view_of(g->list), after, out);
}

static spean_err gather_records(struct gathering *g)
{
    struct spean_record_id record;
    struct spean_record_id before;
    spean_err err = next_record(g, NULL, &record);
    while (err == SPEAN_OK) {
        code_text list;
        code_text code;
        if (fixed_code(g->at, &record, SPEAN_FIELD_CODE_LIST, list) &&
            fixed_code(g->at, &record, SPEAN_FIELD_CODE_CODE, code)) {
            err = gather(g, list, code);
        }
        before = record;
        err = err != SPEAN_OK ? err : next_record(g, &before, &record);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* The lists that the program knows, those with a record, and those that a code names. */
static spean_err gather_lists(struct gathering *g, uint64_t type, uint64_t field)
{
    struct spean_record_id record;
    struct spean_record_id before;
    spean_err err = spean_record_next(g->at->view.tx, type, NULL, &record);
    while (err == SPEAN_OK) {
        code_text list;
        if (fixed_code(g->at, &record, field, list) &&
            json_array_size(g->items) < SPEAN_CODEBOOK_ITEMS_MAX &&
            json_object_get(g->seen, list) == NULL) {
            json_t *shown = NULL;
            err = spean_codebook_show_list(g->at, list, &shown);
            if (err == SPEAN_OK && (json_object_set_new(g->seen, list, json_true()) != 0 ||
                                    json_array_append_new(g->items, shown) != 0)) {
                err = SPEAN_ENOMEM;
            }
        }
        before = record;
        err = err != SPEAN_OK ? err : spean_record_next(g->at->view.tx, type, &before, &record);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

static spean_err gather_built_in_lists(struct gathering *g)
{
    size_t count = 0;
    const struct spean_code *rows = spean_codes_all(&count);
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < count && err == SPEAN_OK; i++) {
        json_t *shown = NULL;
        if (i > 0 && strcmp(rows[i - 1].list, rows[i].list) == 0) {
            continue;
        }
        err = spean_codebook_show_list(g->at, rows[i].list, &shown);
        if (err == SPEAN_OK && (json_object_set_new(g->seen, rows[i].list, json_true()) != 0 ||
                                json_array_append_new(g->items, shown) != 0)) {
            err = SPEAN_ENOMEM;
        }
    }
    return err;
}

static bool gathering_begin(struct gathering *g)
{
    g->seen = json_object();
    g->items = json_array();
    return g->seen != NULL && g->items != NULL;
}

/* What comes after an item in a list: its list, and its code if it is one. */
static void cursor_of(const json_t *item, char out[KEY_BYTES])
{
    const char *list = json_string_value(json_object_get(item, "list"));
    const char *code = json_string_value(json_object_get(item, "code"));
    assert(list != NULL);
    if (code == NULL) {
        (void)snprintf(out, KEY_BYTES, "%s", list);
        return;
    }
    key_of(out, list, code);
}

/* Answer with the page that was asked for, of what was gathered. */
static void answer_page(struct gathering *g, spean_err err)
{
    struct spean_page page;
    if (err == SPEAN_OK && spean_request_page(g->at->request, &page) != SPEAN_OK) {
        spean_records_refuse(g->at, SPEAN_EINPUT, NULL, "limit: expected a number from 1 to 1000",
                             NULL);
        return;
    }
    json_t *items = err == SPEAN_OK ? json_array() : NULL;
    if (items == NULL) {
        spean_records_refuse(g->at, err != SPEAN_OK ? err : SPEAN_ENOMEM, NULL, NULL, NULL);
        return;
    }
    char cursor[KEY_BYTES] = "";
    size_t i = 0;
    const size_t count = json_array_size(g->items);
    while (i < count && page.after[0] != '\0' && strcmp(cursor, page.after) != 0) {
        cursor_of(json_array_get(g->items, i++), cursor);
    }
    bool done = true;
    for (; i < count && json_array_size(items) < page.limit && done; i++) {
        cursor_of(json_array_get(g->items, i), cursor);
        done = json_array_append(items, json_array_get(g->items, i)) == 0;
    }
    if (!done) {
        json_decref(items);
        spean_records_refuse(g->at, SPEAN_ENOMEM, NULL, NULL, NULL);
        return;
    }
    spean_reply_page(g->at->reply, items, i < count ? cursor : NULL);
}

static void gathering_end(struct gathering *g)
{
    json_decref(g->seen);
    json_decref(g->items);
}

static void codes_list(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (!spean_records_read(&at, request, ctx, reply)) {
        return;
    }
    const char *unmapped = spean_request_query(request, "unmapped");
    struct gathering g = {
        .at = &at, .list = spean_request_query(request, "list"), .unmapped = unmapped != NULL};
    if (g.list != NULL && !spean_codes_valid(view_of(g.list))) {
        spean_records_refuse(&at, SPEAN_EINPUT, NULL,
                             "list: expected the name of a list: at most 64 of a-z 0-9 _ . : -",
                             "see which there are: spean code list");
    } else if (unmapped != NULL && strcmp(unmapped, "1") != 0) {
        spean_records_refuse(&at, SPEAN_EINPUT, NULL, "unmapped: expected 1", NULL);
    } else {
        spean_err err = gathering_begin(&g) ? SPEAN_OK : SPEAN_ENOMEM;
        if (err == SPEAN_OK && !g.unmapped) {
            err = gather_built_in(&g);
        }
        answer_page(&g, err != SPEAN_OK ? err : gather_records(&g));
        gathering_end(&g);
    }
    spean_records_end(&at);
}

static void lists_list(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (!spean_records_read(&at, request, ctx, reply)) {
        return;
    }
    struct gathering g = {.at = &at};
    spean_err err = gathering_begin(&g) ? gather_built_in_lists(&g) : SPEAN_ENOMEM;
    if (err == SPEAN_OK) {
        err = gather_lists(&g, SPEAN_TYPE_CODE_LIST, SPEAN_FIELD_CODE_LIST_LIST);
    }
    if (err == SPEAN_OK) {
        err = gather_lists(&g, SPEAN_TYPE_CODE, SPEAN_FIELD_CODE_LIST);
    }
    answer_page(&g, err);
    gathering_end(&g);
    spean_records_end(&at);
}

static void code_get(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply)) {
        spean_records_get(&at, SPEAN_TYPE_CODE);
        spean_records_end(&at);
    }
}

/* -- Adding and changing --------------------------------------------------------------------- */

/* Read fixed[key], a code, into out. */
static bool read_code(struct spean_records *at, const json_t *fixed, const char *key, code_text out)
{
    const char *text = json_string_value(json_object_get(fixed, key));
    if (text == NULL || !spean_codes_valid(view_of(text))) {
        char message[96];
        (void)snprintf(message, sizeof(message),
                       "fixed.%s: expected a code: at most 64 of a-z 0-9 _ . : -", key);
        spean_records_refuse(at, SPEAN_EINPUT, NULL, message, NULL);
        return false;
    }
    memcpy(out, text, strlen(text) + 1);
    return true;
}

/* Read who is meant; code is "" for a whole list. */
static bool read_fixed(struct spean_records *at, bool is_code, code_text list, code_text code)
{
    const json_t *fixed = json_object_get(at->request->body, "fixed");
    code[0] = '\0';
    if (!json_is_object(fixed) || json_object_size(fixed) != (is_code ? 2 : 1)) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL,
                             is_code ? "fixed: list and code have to stand here"
                                     : "fixed: list has to stand here",
                             NULL);
        return false;
    }
    return read_code(at, fixed, "list", list) && (!is_code || read_code(at, fixed, "code", code));
}

static bool is_steward(const struct spean_records *at)
{
    return spean_authority_is_steward(at->view.authority, spean_core_org(at->view.core));
}

/* Only a steward publishes: from others it would count nowhere, and people would not see why. */
static bool may_publish(struct spean_records *at, const struct spean_edit *edit, uint64_t published)
{
    for (uint32_t i = 0; i < spean_edit_count(edit); i++) {
        if (spean_edit_at(edit, i)->field->number == published && !is_steward(at)) {
            spean_records_refuse(at, SPEAN_EDENIED, "not_steward", "only stewards publish codes",
                                 "add it as a local code, and ask a steward to publish it");
            return false;
        }
    }
    return true;
}

/* A code that another one leads to has to be there, and to be another one. */
static bool leads_somewhere(struct spean_records *at, const struct spean_edit *edit,
                            const char *list, const char *code)
{
    for (uint32_t i = 0; i < spean_edit_count(edit); i++) {
        const struct spean_edit_operation *op = spean_edit_at(edit, i);
        const struct spean_view to = spean_records_text(op->value);
        struct spean_codebook_code found;
        code_text text;
        if ((op->field->number != SPEAN_FIELD_CODE_MAPPED_TO &&
             op->field->number != SPEAN_FIELD_CODE_SUPERSEDED_BY) ||
            !spean_codes_valid(to)) {
            continue; /* Cleared. */
        }
        memcpy(text, to.data, to.len);
        text[to.len] = '\0';
        const spean_err err = spean_codebook_find(at, list, text, &found);
        if (err != SPEAN_OK) {
            spean_records_refuse(at, err, NULL, NULL, NULL);
            return false;
        }
        if (strcmp(text, code) == 0 || found.standing == SPEAN_CODEBOOK_UNKNOWN) {
            char message[2 * SPEAN_CODE_BYTES_MAX + 64];
            (void)snprintf(message, sizeof(message), "%s: \"%s\" is no other code of the list %s",
                           op->field->name, text, list);
            spean_records_refuse(at, SPEAN_EINPUT, "unknown_code", message,
                                 "add that one first; spean code list shows what there is");
            return false;
        }
    }
    return true;
}

/* One POST: what it is about, and the record that it changes. */
struct adding {
    struct spean_records *at;
    uint64_t type;
    code_text list;
    code_text code; /* "" for a whole list. */
    bool has;
    struct spean_record_id record;
};

/* Find the record that this organisation writes to. A steward takes over the one that counts;
 * others have their own, and none of what is known without them. */
static bool find_record(struct adding *adding)
{
    struct spean_records *at = adding->at;
    struct spean_codebook_code found;
    const spean_err err = adding->type == SPEAN_TYPE_CODE
                              ? spean_codebook_find(at, adding->list, adding->code, &found)
                              : spean_codebook_find_list(at, adding->list, &found);
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return false;
    }
    const bool steward = is_steward(at);
    adding->has = steward ? found.has_record : found.has_own;
    adding->record = steward ? found.record : found.own;
    if (!steward && !found.has_own && found.standing != SPEAN_CODEBOOK_UNKNOWN) {
        spean_records_refuse(at, SPEAN_EEXISTS, "code_exists",
                             "it is there already, and not yours to change",
                             "use it as it is, or ask a steward; spean code list shows it");
        return false;
    }
    return true;
}

/* Read the edit; item is all zero where a record is to be made. Languages that are there stay. */
static bool read_edit(const struct adding *adding, const struct spean_records_item *item,
                      struct spean_edit *edit)
{
    struct spean_records *at = adding->at;
    struct spean_edit_subject subject = {.type = adding->type,
                                         .roles = SPEAN_ROLE_OWNER | SPEAN_ROLE_MEMBER};
    if (item->record != NULL) {
        subject = spean_records_subject(at, item);
    }
    subject.import_lang = LABELS_LANG;
    struct spean_json_why why = {""};
    json_t *json = spean_records_body_without(at, "fixed");
    const spean_err err = json == NULL ? SPEAN_ENOMEM : spean_edit_read(edit, &subject, json, &why);
    json_decref(json);
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
        return false;
    }
    return adding->type == SPEAN_TYPE_CODE
               ? may_publish(at, edit, SPEAN_FIELD_CODE_PUBLISHED) &&
                     leads_somewhere(at, edit, adding->list, adding->code)
               : may_publish(at, edit, SPEAN_FIELD_CODE_LIST_PUBLISHED);
}

static struct spean_view encode_code(const char *code, uint8_t buf[SPEAN_CODE_BYTES_MAX + 8])
{
    struct spean_writer w;
    struct spean_view out;
    spean_writer_init(&w, buf, SPEAN_CODE_BYTES_MAX + 8);
    spean_writer_str(&w, code, strlen(code));
    const spean_err err = spean_writer_end(&w, &out);
    assert(err == SPEAN_OK);
    return out;
}

static void make_record(const struct adding *adding, const struct spean_edit *edit)
{
    struct spean_records *at = adding->at;
    uint8_t list[SPEAN_CODE_BYTES_MAX + 8];
    uint8_t code[SPEAN_CODE_BYTES_MAX + 8];
    uint8_t buf[FIXED_BYTES];
    const struct spean_records_fixed rows[2] = {
        {SPEAN_FIELD_CODE_LIST, encode_code(adding->list, list)},
        {SPEAN_FIELD_CODE_CODE, encode_code(adding->code, code)}};
    struct spean_view fixed;
    struct spean_record_id record;
    struct spean_draft *draft = NULL;
    const spean_err err = spean_records_fixed_encode(rows, adding->type == SPEAN_TYPE_CODE ? 2 : 1,
                                                     buf, sizeof(buf), &fixed);
    assert(err == SPEAN_OK); /* FIXED_BYTES are enough. */
    if (spean_records_draft(at, &draft) &&
        spean_records_create(at, draft, adding->type, NULL, fixed, edit, &record) &&
        spean_records_commit(at, draft)) {
        spean_records_answer_new(at, &record);
    }
    spean_draft_free(draft);
}

static void add(struct spean_records *at, uint64_t type)
{
    struct adding adding = {.at = at, .type = type};
    struct spean_records_item item = {.record = NULL};
    struct spean_edit *edit = NULL;
    if (!read_fixed(at, type == SPEAN_TYPE_CODE, adding.list, adding.code) ||
        !find_record(&adding) || (adding.has && !spean_records_take(at, &adding.record, &item))) {
        return;
    }
    if (spean_edit_new(&edit) != SPEAN_OK) {
        spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
    } else if (read_edit(&adding, &item, edit)) {
        if (!adding.has) {
            make_record(&adding, edit);
        } else if (spean_edit_count(edit) == 0 || spean_records_write_edit(at, &item, edit)) {
            spean_records_answer(at, &adding.record, spean_edit_count(edit) > 0);
        }
    }
    spean_edit_free(edit);
    spean_records_unload(&item);
}

static void add_code(struct spean_records *at)
{
    add(at, SPEAN_TYPE_CODE);
}

static void code_add(struct spean_job *job, void *core)
{
    spean_records_run(job, core, add_code);
}

static void add_list(struct spean_records *at)
{
    add(at, SPEAN_TYPE_CODE_LIST);
}

static void list_add(struct spean_job *job, void *core)
{
    spean_records_run(job, core, add_list);
}

struct spean_route_group spean_code_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/code-lists",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = lists_list},
        {.method = "POST", .path = "/v1/code-lists", .flags = SPEAN_ROUTE_WRITE, .run = list_add},
        {.method = "GET",
         .path = "/v1/codes",
         .flags = SPEAN_ROUTE_READ,
         .query = "list unmapped limit after",
         .read = codes_list},
        {.method = "POST", .path = "/v1/codes", .flags = SPEAN_ROUTE_WRITE, .run = code_add},
        {.method = "GET", .path = "/v1/codes/{id}", .flags = SPEAN_ROUTE_READ, .read = code_get},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
