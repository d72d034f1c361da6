#include "tools/approving.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/compose.h"
#include "tools/digits.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/unlocking.h"

#define DIGITS_BYTES_MAX 64u

/* Write the digits alone, however they were typed. False: something else is among them. */
static bool digits_only(const char *typed, char out[DIGITS_BYTES_MAX])
{
    char folded[DIGITS_BYTES_MAX];
    size_t used = 0;
    if (spean_digits_fold(typed, folded, sizeof(folded)) != SPEAN_OK) {
        return false;
    }
    for (const char *at = folded; *at != '\0'; at++) {
        if (*at >= '0' && *at <= '9') {
            out[used++] = *at;
        } else if (*at != '-') {
            return false;
        }
    }
    out[used] = '\0';
    return used > 0;
}

/* Find the one newcomer whose id begins with the argument; *row belongs to list. */
static enum spean_exit newcomer_find(const struct spean_call *call, const json_t *list,
                                     const json_t **row, struct spean_problem *problem)
{
    const char *const prefix = spean_call_value(call, "org");
    const json_t *const items = json_object_get(list, "items");
    const json_t *found = NULL;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *const item = json_array_get(items, i);
        if (strncmp(spean_jsonget_text(item, "org"), prefix, strlen(prefix)) != 0) {
            continue;
        }
        if (found != NULL) {
            return spean_problem_set(problem, SPEAN_EXIT_STATE, "ambiguous",
                                     _("more than one newcomer's id begins with %s"), prefix);
        }
        found = item;
    }
    if (found == NULL) {
        (void)spean_problem_set(problem, SPEAN_EXIT_NOT_FOUND, "not_found",
                                _("no newcomer's id begins with %s"), prefix);
        spean_problem_hint(problem, "%s", _("see who waits: spean member pending"));
        return SPEAN_EXIT_NOT_FOUND;
    }
    *row = found;
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_approving_digits(struct spean_call *call, const json_t *row,
                                       const char *refuse, struct spean_problem *problem)
{
    char typed[DIGITS_BYTES_MAX] = "";
    const char *const flag = spean_call_value(call, "digits");
    if (flag == NULL) {
        const struct spean_question question = spean_call_question(call, "digits");
        const enum spean_exit exit =
            spean_prompt_ask(spean_call_prompt(call), &question, typed, sizeof(typed), problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
    }
    char theirs[DIGITS_BYTES_MAX];
    char ours[DIGITS_BYTES_MAX];
    if (!digits_only(flag == NULL ? typed : flag, theirs)) {
        return spean_problem_usage(problem, "%s", _("these are not eight digits"));
    }
    if (!digits_only(spean_jsonget_text(row, "digits"), ours) || strcmp(theirs, ours) != 0) {
        (void)spean_problem_set(problem, SPEAN_EXIT_INTEGRITY, "digits_differ", "%s",
                                _("the digits differ; nobody was let in"));
        spean_problem_hint(problem,
                           _("read them again; if they still differ, somebody is in between: %s, "
                             "and invite them another way"),
                           refuse);
        return SPEAN_EXIT_INTEGRITY;
    }
    return SPEAN_EXIT_DONE;
}

/* Check what the newcomer brings before anybody is asked anything. */
static enum spean_exit newcomer_check(const json_t *row, const json_t *charter,
                                      struct spean_id *org, struct spean_problem *problem)
{
    struct spean_handle handle;
    spean_err err = spean_compose_handle(charter, &handle);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, _("the charter"));
    }
    err = spean_compose_newcomer(row, &handle, org);
    if (err == SPEAN_OK) {
        return SPEAN_EXIT_DONE;
    }
    if (err == SPEAN_ENOMEM) {
        return spean_problem_err(problem, err, "member approve");
    }
    (void)spean_problem_set(problem, SPEAN_EXIT_INTEGRITY, spean_err_name(err), "%s",
                            _("what the newcomer says about itself does not hold"));
    spean_problem_hint(problem, "%s", _("send it away: spean member refuse"));
    return SPEAN_EXIT_INTEGRITY;
}

static enum spean_exit refuse(spean_err err, struct spean_problem *problem)
{
    if (err == SPEAN_EDENIED) {
        return spean_problem_set(problem, SPEAN_EXIT_DENIED, "not_permitted", "%s",
                                 _("this admin key is no steward's, or cannot decide alone"));
    }
    if (err == SPEAN_ESTATE) {
        return spean_problem_set(problem, SPEAN_EXIT_STATE, "wrong_state", "%s",
                                 _("this organisation was removed, which is for ever"));
    }
    return spean_problem_err(problem, err, "member approve");
}

static enum spean_exit charter_send(struct spean_call *call, const struct spean_composed *version,
                                    const json_t *row, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    char who[SPEAN_WHO_BYTES_MAX];
    json_t *reply = NULL;
    json_t *const body = json_pack("{s:O}", "document", version->hex);
    if (body == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "member approve");
    }
    const enum spean_exit exit =
        spean_call_request(call, "POST", "/v1/charter", body, &reply, problem);
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    spean_jsonget_who(row, "org", "name", who);
    spean_out_json(out, reply);
    json_decref(reply);
    spean_out_done(out, _("%s is a member now   charter version %u"), who,
                   (unsigned)version->version);
    spean_out_note(out, "%s",
                   _("It receives every agency and can be sent referrals; what was sealed for "
                     "others stays closed to it."));
    spean_out_next(out, "spean member list");
    return SPEAN_EXIT_DONE;
}

/* Compose the next version and send it. */
static enum spean_exit let_in(struct spean_call *call, const json_t *charter, const json_t *row,
                              const struct spean_id *org, struct spean_problem *problem)
{
    struct spean_adminkey *admin = NULL;
    enum spean_exit exit = spean_unlocking_admin(call, &admin, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    struct spean_composed version;
    const spean_err err = spean_compose_member(admin, charter, org, &version);
    spean_adminkey_free(admin);
    if (err == SPEAN_EEXISTS) {
        spean_out_json(spean_call_out(call), charter);
        spean_out_done(spean_call_out(call), "%s", _("it is a member already"));
        return SPEAN_EXIT_DONE;
    }
    if (err != SPEAN_OK) {
        return refuse(err, problem);
    }
    exit = charter_send(call, &version, row, problem);
    json_decref(version.hex);
    return exit;
}

/* Show who it is, compare, and let it in. */
static enum spean_exit approve(struct spean_call *call, const json_t *list,
                               struct spean_problem *problem)
{
    const json_t *row = NULL;
    json_t *charter = NULL;
    struct spean_id org;
    char who[SPEAN_WHO_BYTES_MAX];
    char since[SPEAN_WHEN_BYTES_MAX];
    enum spean_exit exit = newcomer_find(call, list, &row, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_request(call, "GET", "/v1/charter", NULL, &charter, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = newcomer_check(row, charter, &org, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        spean_jsonget_who(row, "org", "name", who);
        spean_jsonget_when(row, "since", since);
        spean_out_note(spean_call_out(call), _("Organisation %s, waiting since %s."), who, since);
        exit = spean_approving_digits(call, row, "spean member refuse", problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = let_in(call, charter, row, &org, problem);
    }
    json_decref(charter);
    return exit;
}

enum spean_exit spean_approving_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    json_t *list = NULL;
    enum spean_exit exit = spean_listing_get(call, "/v1/pending", &list, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = approve(call, list, problem);
    }
    json_decref(list);
    return exit;
}
