#include "node/records.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "node/answer.h"
#include "node/name.h"
#include "node/when.h"
#include "protocol/aside.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/author.h"

/* -- Names of organisations ------------------------------------------------------------------ */

static const char *name_of(void *ctx, const struct spean_id *org)
{
    struct spean_records *at = ctx;
    for (uint32_t i = 0; i < at->held_count; i++) {
        if (spean_id_equal(&at->held[i].org, org)) {
            return at->held[i].known ? at->held[i].text : NULL;
        }
    }
    if (at->view.tx == NULL) {
        return NULL;
    }
    if (at->held_count == SPEAN_RECORDS_NAMES_MAX) {
        at->held_count = 0; /* Forget all of them; they can be found again. */
    }
    struct spean_records_name *name = &at->held[at->held_count++];
    memset(name, 0, sizeof(*name));
    name->org = *org;
    name->known = spean_name_of_org(&at->view, org, name->text, sizeof(name->text));
    return name->known ? name->text : NULL;
}

/* -- A request at work ----------------------------------------------------------------------- */

static void prepare(struct spean_records *at, const struct spean_request *request,
                    struct spean_reply *reply)
{
    memset(at, 0, sizeof(*at));
    at->request = request;
    at->reply = reply;
    at->actor = "";
    at->names = (struct spean_json_names){name_of, at};
    const time_t now = time(NULL);
    at->now_s = now < 0 ? 0 : (uint64_t)now;
}

static void refuse_locked(struct spean_records *at)
{
    spean_records_refuse(at, SPEAN_ELOCKED, NULL, "the store is locked",
                         "unlock it first: spean unlock");
}

bool spean_records_read(struct spean_records *at, const struct spean_request *request, void *core,
                        struct spean_reply *reply)
{
    prepare(at, request, reply);
    const spean_err err = spean_core_view_begin(core, &at->view);
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return false;
    }
    if (spean_keys_locked(at->view.keys)) {
        refuse_locked(at);
        spean_records_end(at);
        return false;
    }
    return true;
}

void spean_records_on_view(struct spean_records *at, const struct spean_core_view *view,
                           struct spean_reply *reply)
{
    prepare(at, NULL, reply);
    at->view = *view;
}

spean_err spean_records_settle_begin(struct spean_records *at, void *core,
                                     struct spean_reply *reply)
{
    prepare(at, NULL, reply);
    at->writing = true;
    at->view.core = core;
    at->view.authority = spean_core_authority(core);
    at->view.keys = spean_core_keys(core);
    if (spean_keys_locked(at->view.keys)) {
        return SPEAN_ELOCKED;
    }
    return spean_tx_begin(spean_core_db(core), SPEAN_TX_READ, &at->view.tx);
}

bool spean_records_write(struct spean_records *at, struct spean_job *job, void *core)
{
    const spean_err err = spean_records_settle_begin(at, core, &job->reply);
    at->request = job->request;
    at->actor = job->request->actor;
    if (err == SPEAN_ELOCKED) {
        refuse_locked(at);
        return false;
    }
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return false;
    }
    at->dry_run = spean_answer_is_dry(job->request);
    return true;
}

void spean_records_end(struct spean_records *at)
{
    if (at->view.tx == NULL) {
        return;
    }
    if (at->writing) {
        spean_tx_abort(at->view.tx);
    } else {
        spean_core_view_end(&at->view);
    }
    at->view.tx = NULL;
}

/* -- Refusing -------------------------------------------------------------------------------- */

void spean_records_refuse(struct spean_records *at, spean_err err, const char *code,
                          const char *message, const char *hint)
{
    assert(err != SPEAN_OK);
    json_t *body = json_pack("{s:{s:s, s:s, s:s, s:i}}", "error", "code",
                             code != NULL ? code : spean_err_name(err), "message",
                             message != NULL ? message : spean_err_text(err), "hint",
                             hint != NULL ? hint : "", "exit", (int)spean_reply_exit(err));
    spean_reply_take(at->reply, body);
    at->reply->status = spean_reply_status(err);
}

void spean_records_refuse_why(struct spean_records *at, spean_err err,
                              const struct spean_json_why *why)
{
    const char *hint = err == SPEAN_EINPUT ? "correct this and send it again; nothing was changed"
                       : err == SPEAN_EDENIED ? "ask the organisation that owns the record"
                       : err == SPEAN_ELIMIT  ? "make it shorter, or several changes of it"
                                              : NULL;
    spean_records_refuse(at, err, NULL, why->text[0] != '\0' ? why->text : NULL, hint);
}

/* -- Values ---------------------------------------------------------------------------------- */

void spean_records_random(uint8_t out[SPEAN_CHANGE_RANDOM_BYTES])
{
    randombytes_buf(out, SPEAN_CHANGE_RANDOM_BYTES);
}

struct spean_day spean_records_today(const struct spean_records *at)
{
    return spean_when_day(at->now_s <= SPEAN_WHEN_MAX ? at->now_s : SPEAN_WHEN_MAX);
}

struct spean_view spean_records_encode_day(const struct spean_day *day, uint8_t buf[16])
{
    struct spean_writer w;
    struct spean_view out;
    spean_writer_init(&w, buf, 16);
    spean_writer_array(&w, 3);
    spean_writer_uint(&w, day->year);
    spean_writer_uint(&w, day->month);
    spean_writer_uint(&w, day->day);
    const spean_err err = spean_writer_end(&w, &out);
    assert(err == SPEAN_OK);
    return out;
}

struct spean_view spean_records_encode_id(const void *bytes, size_t len, uint8_t buf[40])
{
    struct spean_writer w;
    struct spean_view out;
    spean_writer_init(&w, buf, 40);
    spean_writer_bin(&w, bytes, len);
    const spean_err err = spean_writer_end(&w, &out);
    assert(err == SPEAN_OK);
    return out;
}

struct spean_view spean_records_text(struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    const struct spean_view text = spean_reader_str(&r, 1, SPEAN_VALUE_BYTES_MAX);
    return spean_reader_end(&r) == SPEAN_OK ? text : (struct spean_view){NULL, 0};
}

spean_err spean_records_fixed_encode(const struct spean_records_fixed *given, uint32_t count,
                                     uint8_t *buf, size_t cap, struct spean_view *out)
{
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_map(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        assert(i == 0 || given[i - 1].field < given[i].field);
        spean_writer_uint(&w, given[i].field);
        spean_writer_raw(&w, given[i].value);
    }
    return spean_writer_end(&w, out);
}

/* -- Writing --------------------------------------------------------------------------------- */

bool spean_records_draft(struct spean_records *at, struct spean_draft **out)
{
    const spean_err err =
        spean_draft_new(at->view.authority, spean_core_own_log(at->view.core), out);
    if (err == SPEAN_ESTATE) {
        spean_records_refuse(at, err, "no_ledger", "this node is in no ledger that it may write to",
                             "found one or join one: spean member join, spean ledger found");
    } else if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
    }
    return err == SPEAN_OK;
}

/* What people are told where the text of the error alone would not help them. */
static const struct {
    spean_err err;
    const char *code;
    const char *message;
    const char *hint;
} commit_refusals[] = {
    {SPEAN_EDENIED, NULL, NULL, "ask the organisation that owns the record"},
    {SPEAN_ENOTFOUND, "details_not_here",
     "the part of the record that this changes has not arrived here",
     "try again when this node has met the other organisation's"},
    {SPEAN_EWAIT, NULL, "this node has not read all that it holds yet", "try again in a moment"},
    {SPEAN_ELIMIT, "too_large", "it is too large to be written at once",
     "make it shorter, or several changes of it"},
    {SPEAN_EFULL, NULL, NULL, "make room; spean status says how much is left"},
    {SPEAN_ESTATE, NULL, "this node's log is closed or disputed, or the record is erased",
     "spean status says more"},
};

static void refuse_commit(struct spean_records *at, spean_err err,
                          const struct spean_author_problem *problem)
{
    if (err == SPEAN_EDENIED && problem->has_org) {
        char message[SPEAN_RECORDS_NAME_BYTES + 64];
        const char *name = name_of(at, &problem->org);
        (void)snprintf(message, sizeof(message), "%s is no active member of the ledger",
                       name != NULL ? name : "an organisation it goes to");
        spean_records_refuse(at, err, "not_member", message, "choose another organisation");
        return;
    }
    const bool judged = err == SPEAN_EDENIED && problem->aside != SPEAN_ASIDE_NOT;
    for (size_t i = 0; i < sizeof(commit_refusals) / sizeof(commit_refusals[0]); i++) {
        if (commit_refusals[i].err == err) {
            spean_records_refuse(at, err, commit_refusals[i].code,
                                 judged ? spean_aside_text(problem->aside)
                                        : commit_refusals[i].message,
                                 commit_refusals[i].hint);
            return;
        }
    }
    spean_records_refuse(at, err, NULL, NULL, "spean status says more");
}

static spean_err commit(struct spean_records *at, struct spean_draft *draft,
                        struct spean_author_problem *problem)
{
    assert(at->writing);
    *problem = (struct spean_author_problem){.item = SPEAN_AUTHOR_NO_ITEM};
    const struct spean_author author = {
        .db = spean_core_db(at->view.core),
        .keys = at->view.keys,
        .authority = at->view.authority,
        .log = spean_core_own_log(at->view.core),
        .now_s = at->now_s,
    };
    const struct spean_view actor = {(const uint8_t *)at->actor, strlen(at->actor)};
    if (!at->urgent && !spean_core_takes_writes(at->view.core)) {
        return SPEAN_EFULL;
    }
    if (at->urgent) {
        spean_core_urgent(at->view.core);
    }
    spean_tx_abort(at->view.tx);
    at->view.tx = NULL;
    spean_err err = spean_author_commit(&author, draft, actor, at->dry_run, NULL, problem);
    if (err == SPEAN_EFULL && at->urgent && spean_core_make_room(at->view.core, "withdrawal")) {
        err = spean_author_commit(&author, draft, actor, at->dry_run, NULL, problem);
    }
    if (err == SPEAN_OK && !at->dry_run) {
        spean_core_committed(at->view.core);
    }
    const spean_err begun = spean_tx_begin(author.db, SPEAN_TX_READ, &at->view.tx);
    if (begun != SPEAN_OK) {
        at->view.tx = NULL;
        return err != SPEAN_OK ? err : begun;
    }
    return err;
}

spean_err spean_records_try_commit(struct spean_records *at, struct spean_draft *draft,
                                   uint32_t *item)
{
    struct spean_author_problem problem;
    const spean_err err = commit(at, draft, &problem);
    *item = problem.item;
    return err;
}

bool spean_records_commit(struct spean_records *at, struct spean_draft *draft)
{
    struct spean_author_problem problem;
    const spean_err err = commit(at, draft, &problem);
    if (err != SPEAN_OK) {
        refuse_commit(at, err, &problem);
    }
    return err == SPEAN_OK;
}
