#include "tools/closing.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "tools/client.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/recording.h"
#include "tools/show.h"
#include "tools/suggest.h"
#include "tools/timetext.h"

#define REASONS "closure_reason"

static bool in_words(const char *const *words, const char *text)
{
    size_t i = 0;
    while (words[i] != NULL && strcmp(words[i], text) != 0) {
        i++;
    }
    return words[i] != NULL;
}

/* Whether nobody works on a case of that status. */
static bool is_closed(const char *status)
{
    static const char *const closed[] = {"closed", "closed_referred", "duplicate", NULL};
    return in_words(closed, status);
}

/* Get the case, and see that it is closed, or that it is not. */
static enum spean_exit case_get(struct spean_call *call, bool closed, json_t **record,
                                struct spean_problem *problem)
{
    const struct spean_resource resource = {.collection = "cases",
                                            .id = spean_call_value(call, "case")};
    json_t *got = NULL;
    const enum spean_exit exit = spean_recording_get(call, &resource, &got, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    const json_t *const fields = json_object_get(got, "fields");
    if (is_closed(spean_jsonget_text(fields, "status")) == closed) {
        *record = got;
        return SPEAN_EXIT_DONE;
    }
    char name[SPEAN_RECORDING_NAME_BYTES];
    const char *const on = spean_jsonget_text(fields, "closed_on");
    spean_recording_name(got, name);
    if (closed) {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "not_closed", _("%s is not closed"),
                                name);
        spean_problem_hint(problem, _("look at it: spean case show %s"), name);
    } else {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "already_closed",
                                _("%s is closed already: %s, %s"), name,
                                spean_jsonget_text(fields, "status"), on[0] == '\0' ? "-" : on);
        spean_problem_hint(problem, _("to take it up again: spean case reopen %s"), name);
    }
    json_decref(got);
    return SPEAN_EXIT_STATE;
}

/* -- What is asked for ------------------------------------------------------------------------- */

/* See that some list has the code; otherwise say which one was probably meant. */
static enum spean_exit reason_check(struct spean_call *call, const char *reason,
                                    struct spean_problem *problem)
{
    json_t *list = NULL;
    enum spean_exit exit = spean_listing_get(call, "/v1/codes?list=" REASONS, &list, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    struct spean_suggestion best = {0};
    bool known = false;
    const json_t *const items = json_object_get(list, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *const code = spean_jsonget_text(json_array_get(items, i), "code");
        known = known || strcmp(code, reason) == 0;
        spean_suggest_offer(&best, reason, code);
    }
    if (!known) {
        exit = spean_problem_usage(problem, _("no list has the reason \"%s\""), reason);
        if (best.word != NULL) {
            spean_problem_hint(problem, _("did you mean %s? All of them: spean code list %s"),
                               best.word, REASONS);
        } else {
            spean_problem_hint(problem, _("see them: spean code list %s"), REASONS);
        }
    }
    json_decref(list);
    return exit;
}

/* Whether date a lies before b, as far as both are known: "2026" does not lie before "2026-11". */
static bool is_before(const char *a, const char *b)
{
    const size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    return strncmp(a, b, len) < 0;
}

/* See that the case can have been closed on that day. What is no date the daemon refuses. */
static enum spean_exit day_check(const char *on, const char *today, const json_t *record,
                                 struct spean_problem *problem)
{
    const char *const opened = spean_jsonget_text(json_object_get(record, "fields"), "opened_on");
    if (on[0] < '0' || on[0] > '9') {
        return SPEAN_EXIT_DONE;
    }
    if (is_before(today, on)) {
        (void)spean_problem_usage(problem, _("%s lies ahead"), on);
        spean_problem_hint(problem, _("today is %s; leave --on out for today"), today);
        return SPEAN_EXIT_USAGE;
    }
    if (is_before(on, opened)) {
        (void)spean_problem_usage(problem, _("%s is before the case was opened, on %s"), on,
                                  opened);
        spean_problem_hint(problem, "%s", _("give a later day with --on"));
        return SPEAN_EXIT_USAGE;
    }
    return SPEAN_EXIT_DONE;
}

/* -- Referrals --------------------------------------------------------------------------------- */

/* What goes on with a referral that is not at its end, by its state; NULL: it is. */
static const char *verb_of(const char *state, bool sent)
{
    static const struct {
        const char *state;
        const char *sent; /* Where the case's organisation sent it, and where it came by it. */
        const char *received;
    } rows[] = {
        {"sent", "cancel", "show"},      {"received", "cancel", "show"},
        {"accepted", "cancel", "start"}, {"in_progress", "cancel", "complete"},
        {"on_hold", "cancel", "start"},  {"cancel_pending", "show", "ack-cancel"},
        {"completed", "close", NULL},    {"unsuccessful", "close", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].state, state) == 0) {
            return sent ? rows[i].sent : rows[i].received;
        }
    }
    return NULL;
}

/* Append a line of the list of referrals, with the command that goes on with it. */
static spean_err open_add(json_t *open, const json_t *item, const char *verb)
{
    char name[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(item, name);
    json_t *const row =
        json_pack("{s:O?,s:O?,s:O?,s:o}", "id", json_object_get(item, "id"), "code",
                  json_object_get(item, "code"), "state", json_object_get(item, "state"), "next",
                  json_sprintf("spean referral %s %s", verb, name));
    return row == NULL || json_array_append_new(open, row) != 0 ? SPEAN_ENOMEM : SPEAN_OK;
}

/* Append those of the case in one box that are not at their end. */
static enum spean_exit box_add(struct spean_call *call, const char *id, bool sent, json_t *open,
                               struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *list = NULL;
    spean_err err =
        spean_client_path(path, "/v1/referrals?box=%s&case=%s", sent ? "out" : "in", id);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "case close");
    }
    const enum spean_exit exit = spean_listing_get(call, path, &list, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    const json_t *const items = json_object_get(list, "items");
    for (size_t i = 0; err == SPEAN_OK && i < json_array_size(items); i++) {
        const json_t *const item = json_array_get(items, i);
        const char *const verb = verb_of(spean_jsonget_text(item, "state"), sent);
        err = verb == NULL ? SPEAN_OK : open_add(open, item, verb);
    }
    json_decref(list);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "case close");
}

/* Say which referrals of a case that is closed are not. */
static void open_tell(struct spean_out *out, const json_t *open)
{
    for (size_t i = 0; i < json_array_size(open); i++) {
        const json_t *const row = json_array_get(open, i);
        char name[SPEAN_RECORDING_NAME_BYTES];
        spean_recording_name(row, name);
        spean_out_warn(out, _("referral %s is not at its end [%s]: %s"), name,
                       spean_jsonget_text(row, "state"), spean_jsonget_text(row, "next"));
    }
}

/* -- Doing it ---------------------------------------------------------------------------------- */

/* What a change is told as: what was done, what a dry run would do. */
struct telling {
    const char *done;
    const char *would;
};

static void tell(struct spean_call *call, const json_t *reply, const struct telling *telling)
{
    struct spean_out *const out = spean_call_out(call);
    char name[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(reply, name);
    if (spean_call_globals(call)->dry_run) {
        spean_out_line(out, "%s   %s", name, telling->would);
        spean_out_note(out, "%s", _("This was a dry run: nothing was changed."));
        return;
    }
    spean_out_done(out, "%s   %s", name, telling->done);
    spean_show_retention(out, json_object_get(reply, "retention"));
    spean_out_note(out, "%s", _("Only your own organisation's nodes can read it."));
    spean_show_codes(out, reply);
    spean_out_next(out, "spean case show %s", name);
}

/* Have the daemon set the fields, which are taken (NULL: memory ran out), and tell; open: the
 * referrals that are not at their end, or NULL where none were looked for. */
static enum spean_exit fields_set(struct spean_call *call, const json_t *record, json_t *set,
                                  json_t *open, const struct telling *telling,
                                  struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *const body = json_pack("{s:o}", "set", set);
    const spean_err err =
        body == NULL ? SPEAN_ENOMEM
                     : spean_client_path(path, "/v1/cases/%s", spean_jsonget_text(record, "id"));
    json_t *reply = NULL;
    enum spean_exit exit = err == SPEAN_OK
                               ? spean_call_exchange(call, "PATCH", path, body, &reply, problem)
                               : spean_problem_err(problem, err, spean_call_path(call));
    json_decref(body);
    if (exit == SPEAN_EXIT_DONE && open != NULL &&
        json_object_set(reply, "open_referrals", open) != 0) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, spean_call_path(call));
    }
    if (exit == SPEAN_EXIT_DONE) {
        spean_out_json(spean_call_out(call), reply);
        tell(call, reply, telling);
    }
    json_decref(reply);
    return exit;
}

/* Close the case that record shows. */
static enum spean_exit close_it(struct spean_call *call, const json_t *record,
                                struct spean_problem *problem)
{
    const char *const reason = spean_call_value(call, "reason");
    const char *const id = spean_jsonget_text(record, "id");
    const char *on = spean_call_value(call, "on");
    char today[SPEAN_TIMETEXT_BYTES_MAX];
    spean_timetext_today(today);
    on = on == NULL ? today : on;
    enum spean_exit exit = day_check(on, today, record, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = reason_check(call, reason, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    json_t *const open = json_array();
    exit = open == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "case close")
                        : box_add(call, id, true, open, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = box_add(call, id, false, open, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        const struct telling telling = {_("closed"), _("would be closed")};
        exit = fields_set(call, record,
                          json_pack("{s:s,s:s,s:s}", "status", "closed", "closed_on", on,
                                    "closure_reason", reason),
                          open, &telling, problem);
    }
    if (exit == SPEAN_EXIT_DONE && json_array_size(open) > 0) {
        open_tell(spean_call_out(call), open);
        exit = SPEAN_EXIT_ATTENTION;
    }
    json_decref(open);
    return exit;
}

enum spean_exit spean_closing_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    json_t *record = NULL;
    enum spean_exit exit = case_get(call, false, &record, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = close_it(call, record, problem);
    }
    json_decref(record);
    return exit;
}

enum spean_exit spean_closing_reopen(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    const char *const status = spean_call_value(call, "status");
    json_t *record = NULL;
    if (status != NULL && is_closed(status)) {
        (void)spean_problem_usage(problem, _("with the status %s the case stays closed"), status);
        spean_problem_hint(problem, "%s", _("give another, or none: spean code list case_status"));
        return SPEAN_EXIT_USAGE;
    }
    enum spean_exit exit = case_get(call, true, &record, problem);
    if (exit == SPEAN_EXIT_DONE) {
        const struct telling telling = {_("taken up again"), _("would be taken up again")};
        exit = fields_set(call, record,
                          json_pack("{s:s,s:n,s:n}", "status", status == NULL ? "active" : status,
                                    "closed_on", "closure_reason"),
                          NULL, &telling, problem);
    }
    json_decref(record);
    return exit;
}
