#include "tools/nodechange.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "tools/approving.h"
#include "tools/compose.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/unlocking.h"

/* Say whether the row is meant by what was typed; id is that, read as an id, or "". */
static bool is_meant(const json_t *row, const char *typed, const char *id)
{
    return strcmp(spean_jsonget_text(row, "name"), typed) == 0 ||
           (id[0] != '\0' && strncmp(spean_jsonget_text(row, "signing"), id, strlen(id)) == 0);
}

enum spean_exit spean_nodechange_find(const struct spean_call *call, const json_t *list,
                                      const json_t **row, struct spean_problem *problem)
{
    assert(row != NULL);
    const char *const typed = spean_call_value(call, "node");
    const json_t *const items = json_object_get(list, "items");
    const json_t *found = NULL;
    struct spean_idtext id = {.text = ""};
    if (spean_idtext_parse(typed, &id) != SPEAN_OK || id.kind != SPEAN_IDTEXT_HEX) {
        id.text[0] = '\0';
    }
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *const item = json_array_get(items, i);
        if (!is_meant(item, typed, id.text)) {
            continue;
        }
        if (found != NULL) {
            return spean_problem_set(problem, SPEAN_EXIT_STATE, "ambiguous",
                                     _("more than one node is called %s, or begins so"), typed);
        }
        found = item;
    }
    if (found == NULL) {
        (void)spean_problem_set(problem, SPEAN_EXIT_NOT_FOUND, "not_found",
                                _("no node of this organisation is called %s, or begins so"),
                                typed);
        spean_problem_hint(problem, "%s", _("see them: spean node list"));
        return SPEAN_EXIT_NOT_FOUND;
    }
    *row = found;
    return SPEAN_EXIT_DONE;
}

static enum spean_exit refuse(spean_err err, struct spean_problem *problem)
{
    if (err == SPEAN_EDENIED) {
        (void)spean_problem_set(
            problem, SPEAN_EXIT_DENIED, "not_permitted", "%s",
            _("this admin key is another organisation's, or cannot decide alone"));
        spean_problem_hint(problem, "%s", _("give the right one with --admin-key FILE"));
        return SPEAN_EXIT_DENIED;
    }
    if (err == SPEAN_ESIGNATURE) {
        return spean_problem_set(problem, SPEAN_EXIT_INTEGRITY, "bad_signature", "%s",
                                 _("that node never agreed to be one of this organisation"));
    }
    if (err == SPEAN_ELIMIT) {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "last_node", "%s",
                                _("it is the last open node of this organisation"));
        spean_problem_hint(problem, "%s",
                           _("let another one in first: spean node invite; or leave the ledger, "
                             "which a steward decides"));
        return SPEAN_EXIT_STATE;
    }
    if (err == SPEAN_ESTATE) {
        return spean_problem_set(problem, SPEAN_EXIT_STATE, "wrong_state", "%s",
                                 _("the statement of this organisation says otherwise already"));
    }
    return spean_problem_err(problem, err, _("the statement"));
}

typedef spean_err compose(const struct spean_adminkey *, const json_t *, const json_t *,
                          struct spean_composed *);

/* Sign what change composes about row, and send it. *reply stays NULL under --dry-run. */
static enum spean_exit sign(struct spean_call *call, const json_t *row, compose *change,
                            json_t **reply, struct spean_problem *problem)
{
    struct spean_adminkey *admin = NULL;
    struct spean_composed version = {.hex = NULL};
    json_t *node = NULL;
    enum spean_exit exit = spean_call_request(call, "GET", "/v1/node", NULL, &node, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_unlocking_admin(call, &admin, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        const spean_err err = change(admin, node, row, &version);
        exit = err == SPEAN_OK ? SPEAN_EXIT_DONE : refuse(err, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        json_t *const body = json_pack("{s:O}", "document", version.hex);
        exit = body == NULL
                   ? spean_problem_err(problem, SPEAN_ENOMEM, spean_call_path(call))
                   : spean_call_request(call, "POST", "/v1/statement", body, reply, problem);
        json_decref(body);
    }
    json_decref(version.hex);
    spean_adminkey_free(admin);
    json_decref(node);
    return exit;
}

/* -- Letting in ------------------------------------------------------------------------------ */

static enum spean_exit waiting_check(const json_t *row, struct spean_problem *problem)
{
    const char *const standing = spean_jsonget_text(row, "standing");
    if (strcmp(standing, "waiting") == 0) {
        return SPEAN_EXIT_DONE;
    }
    (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "wrong_state", "%s",
                            strcmp(standing, "refused") == 0 ? _("that node was sent away")
                                                             : _("that node is in already"));
    spean_problem_hint(problem, "%s", _("see them: spean node list"));
    return SPEAN_EXIT_STATE;
}

static enum spean_exit approve(struct spean_call *call, const json_t *list,
                               struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const json_t *row = NULL;
    json_t *reply = NULL;
    char node[SPEAN_IDTEXT_SHORT_BYTES];
    char since[SPEAN_WHEN_BYTES_MAX];
    enum spean_exit exit = spean_nodechange_find(call, list, &row, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = waiting_check(row, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    spean_idtext_short(spean_jsonget_text(row, "signing"), node);
    spean_jsonget_when(row, "last_seen", since);
    spean_out_note(out, _("Node %s, waiting since %s."), node, since);
    exit = spean_approving_digits(call, row, "spean node refuse", problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = sign(call, row, spean_compose_further, &reply, problem);
    }
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    spean_out_done(out, _("node %s is one of this organisation's   statement version %u"), node,
                   (unsigned)spean_jsonget_number(reply, "version"));
    spean_out_note(out, "%s",
                   _("It receives everything that this organisation may read, and writes in its "
                     "name. A machine that is lost is shut out by spean node retire."));
    spean_out_next(out, "spean node rename %s NAME", node);
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

static enum spean_exit run(struct spean_call *call,
                           enum spean_exit (*act)(struct spean_call *, const json_t *,
                                                  struct spean_problem *),
                           struct spean_problem *problem)
{
    json_t *list = NULL;
    enum spean_exit exit = spean_listing_get(call, "/v1/nodes", &list, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = act(call, list, problem);
    }
    json_decref(list);
    return exit;
}

enum spean_exit spean_nodechange_approve(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    return run(call, approve, problem);
}

/* -- Retiring -------------------------------------------------------------------------------- */

/* Refuse, before anybody is asked anything, what the statement would refuse. */
static enum spean_exit retirable_check(const json_t *list, const json_t *row,
                                       struct spean_problem *problem)
{
    const json_t *const items = json_object_get(list, "items");
    unsigned open = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        open += strcmp(spean_jsonget_text(json_array_get(items, i), "standing"), "open") == 0;
    }
    if (strcmp(spean_jsonget_text(row, "standing"), "open") != 0) {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "wrong_state", "%s",
                                _("that node is not one of this organisation's now"));
        spean_problem_hint(problem, "%s", _("see them: spean node list"));
        return SPEAN_EXIT_STATE;
    }
    return open > 1 ? SPEAN_EXIT_DONE : refuse(SPEAN_ELIMIT, problem);
}

static enum spean_exit confirm(struct spean_call *call, struct spean_problem *problem)
{
    json_t *status = NULL;
    enum spean_exit exit = spean_call_request(call, "GET", "/v1/status", NULL, &status, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_prompt_confirm(spean_call_prompt(call), spean_jsonget_text(status, "name"),
                                    spean_call_value(call, "confirm"), problem);
    }
    json_decref(status);
    return exit;
}

static enum spean_exit retire(struct spean_call *call, const json_t *list,
                              struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const json_t *row = NULL;
    json_t *reply = NULL;
    char node[SPEAN_IDTEXT_SHORT_BYTES];
    enum spean_exit exit = spean_nodechange_find(call, list, &row, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = retirable_check(list, row, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    spean_idtext_short(spean_jsonget_text(row, "signing"), node);
    const unsigned seq = (unsigned)spean_jsonget_number(json_object_get(row, "head"), "seq");
    spean_out_note(out,
                   _("Node %s %s: what it wrote up to entry %u stays. What it may have written "
                     "since is set aside. It cannot be taken in again."),
                   node, spean_jsonget_text(row, "name"), seq);
    if (!spean_call_globals(call)->dry_run) {
        exit = confirm(call, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = sign(call, row, spean_compose_retired, &reply, problem);
    }
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    spean_out_done(out, _("node %s is retired   statement version %u"), node,
                   (unsigned)spean_jsonget_number(reply, "version"));
    spean_out_note(out, "%s",
                   _("Everybody who learns of it gives it nothing more. What it holds already, it "
                     "keeps: remove its home, and its passphrase from people's memory."));
    spean_out_next(out, "spean node list");
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_nodechange_retire(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    return run(call, retire, problem);
}
