#include "tools/groups.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/edit.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/out.h"
#include "tools/recording.h"
#include "tools/timetext.h"

/* The date given, or today, written into buf. */
static const char *today_or(const char *given, char buf[SPEAN_TIMETEXT_BYTES_MAX])
{
    if (given != NULL) {
        return given;
    }
    spean_timetext_today(buf);
    return buf;
}

/* The terms in the edit, made where there are none; they belong to the edit. NULL: no memory. */
static json_t *terms_need(json_t *edit)
{
    json_t *const terms = json_object_get(json_object_get(edit, "fixed"), "terms");
    if (json_is_object(terms)) {
        return terms;
    }
    if (spean_edit_set(edit, "fixed", "terms", json_object()) != SPEAN_OK) {
        return NULL;
    }
    return json_object_get(json_object_get(edit, "fixed"), "terms");
}

/* Put the flags of one value into the terms. */
static bool words_set(struct spean_call *call, json_t *terms)
{
    static const struct {
        const char *flag;
        const char *key;
        const char *absent; /* NULL: left out. */
    } rows[] = {{"basis", "legal_basis", "consent"},
                {"medium", "medium", NULL},
                {"indicated-by", "indicated_by", NULL},
                {"expires-on", "expires_on", NULL}};
    char today[SPEAN_TIMETEXT_BYTES_MAX];
    bool good = true;
    for (size_t i = 0; good && i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const given = spean_call_value(call, rows[i].flag);
        const bool there = json_object_get(terms, rows[i].key) != NULL;
        const char *const value = given != NULL || there ? given : rows[i].absent;
        good = value == NULL || json_object_set_new(terms, rows[i].key, json_string(value)) == 0;
    }
    const char *const from = spean_call_value(call, "effective-on");
    if (good && (from != NULL || json_object_get(terms, "effective_on") == NULL)) {
        good = json_object_set_new(terms, "effective_on", json_string(today_or(from, today))) == 0;
    }
    return good;
}

/* Put the organisations of --to among the recipients. */
static enum spean_exit receivers_add(struct spean_call *call, json_t *terms,
                                     struct spean_problem *problem)
{
    for (size_t i = 0; i < spean_call_count(call, "to"); i++) {
        char org[SPEAN_RECORDING_ORG_BYTES];
        const enum spean_exit exit =
            spean_recording_org(call, spean_call_value_at(call, "to", i), org, problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
        const spean_err err =
            spean_edit_array_add(terms, "recipients", json_pack("{s:s}", "org", org));
        if (err != SPEAN_OK) {
            return spean_problem_err(problem, err, "recipients");
        }
    }
    return SPEAN_EXIT_DONE;
}

/* Put the flags that repeat into the terms. */
static enum spean_exit lists_set(struct spean_call *call, json_t *terms,
                                 struct spean_problem *problem)
{
    static const struct {
        const char *flag;
        const char *key;
        const char *member; /* NULL: the value itself. */
    } rows[] = {{"purpose", "purposes", NULL},
                {"section", "sections", NULL},
                {"to-kind", "recipients", "kind"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t k = 0; k < spean_call_count(call, rows[i].flag); k++) {
            const char *const text = spean_call_value_at(call, rows[i].flag, k);
            const spean_err err = spean_edit_array_add(
                terms, rows[i].key,
                rows[i].member == NULL ? json_string(text)
                                       : json_pack("{s:s}", rows[i].member, text));
            if (err != SPEAN_OK) {
                return spean_problem_err(problem, err, rows[i].key);
            }
        }
    }
    return receivers_add(call, terms, problem);
}

/* Find the case and name it in the edit by its whole id: it is fixed for ever. */
static enum spean_exit case_set(struct spean_call *call, json_t *edit,
                                struct spean_problem *problem)
{
    const struct spean_resource resource = {.collection = "cases",
                                            .id = spean_call_value(call, "case")};
    json_t *record = NULL;
    const enum spean_exit exit = spean_recording_get(call, &resource, &record, problem);
    if (record == NULL) {
        return exit;
    }
    const spean_err err =
        spean_edit_set(edit, "fixed", "case", json_string(spean_jsonget_text(record, "id")));
    json_decref(record);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "--case");
}

/* Fill the edit with everything that --from did not say. */
static enum spean_exit record_fill(struct spean_call *call, json_t *edit,
                                   struct spean_problem *problem)
{
    json_t *const terms = terms_need(edit);
    enum spean_exit exit = case_set(call, edit, problem);
    if (exit == SPEAN_EXIT_DONE && (terms == NULL || !words_set(call, terms))) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "consent record");
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = lists_set(call, terms, problem);
    }
    const bool says = json_object_get(json_object_get(edit, "set"), "status") != NULL;
    if (exit == SPEAN_EXIT_DONE && !says &&
        spean_edit_set(edit, "set", "status", json_string("given")) != SPEAN_OK) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "consent record");
    }
    return exit;
}

static enum spean_exit record_run(struct spean_call *call, struct spean_problem *problem)
{
    static const struct spean_resource consents = {.collection = "consents"};
    struct spean_out *const out = spean_call_out(call);
    json_t *edit = NULL;
    json_t *reply = NULL;
    enum spean_exit exit = spean_recording_edit(call, &edit, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = record_fill(call, edit, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_recording_send(call, "POST", &consents, edit, &reply, problem);
    }
    json_decref(edit);
    if (reply == NULL) {
        return exit;
    }
    char name[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(reply, name);
    json_decref(reply);
    spean_out_done(out, _("consent recorded   %s"), name);
    spean_out_note(out, "%s",
                   _("Its terms never change; a wider consent is a new one. Only your own "
                     "organisation reads it; a referral carries its terms."));
    spean_out_next(out, "spean referral create --case %s --consent %s --to ORG --service CODE",
                   spean_call_value(call, "case"), name);
    return SPEAN_EXIT_DONE;
}

static enum spean_exit show_run(struct spean_call *call, struct spean_problem *problem)
{
    const struct spean_resource consent = {.collection = "consents",
                                           .id = spean_call_value(call, "consent")};
    return spean_recording_show(call, &consent, problem);
}

/* Withdraw a consent of ours; or, of a partner's, the one that the referral named came under. */
static enum spean_exit withdrawal_send(struct spean_call *call, json_t *body, json_t **reply,
                                       struct spean_problem *problem)
{
    static const char *const collections[] = {"consents", "referrals"};
    enum spean_exit exit = SPEAN_EXIT_NOT_FOUND;
    for (size_t i = 0; i < 2 && exit == SPEAN_EXIT_NOT_FOUND; i++) {
        const struct spean_resource resource = {.collection = collections[i],
                                                .id = spean_call_value(call, "consent"),
                                                .verb = "withdraw"};
        *problem = (struct spean_problem){.code = ""};
        exit = spean_recording_send(call, "POST", &resource, body, reply, problem);
    }
    if (exit == SPEAN_EXIT_NOT_FOUND) {
        (void)spean_problem_set(problem, exit, "not_found", "%s",
                                _("there is no consent and no referral of that id or code"));
        spean_problem_hint(problem, "%s",
                           _("a partner's consent is named by a referral that came under it: "
                             "spean referral inbox"));
    }
    return exit;
}

static enum spean_exit withdraw_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    char today[SPEAN_TIMETEXT_BYTES_MAX];
    if (!spean_call_globals(call)->dry_run) {
        const enum spean_exit exit = spean_prompt_proceed(
            spean_call_prompt(call),
            _("This is for ever, and reaches everybody who got a referral under it. Withdraw?"),
            problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
    }
    json_t *const body = json_pack("{s:s,s:s}", "on", today_or(spean_call_value(call, "on"), today),
                                   "channel", spean_call_value(call, "channel"));
    if (body == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "consent withdraw");
    }
    json_t *reply = NULL;
    const enum spean_exit exit = withdrawal_send(call, body, &reply, problem);
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    const bool theirs = strcmp(spean_jsonget_text(reply, "type"), "referral") == 0;
    json_decref(reply);
    spean_out_done(out, "%s", _("consent withdrawn"));
    spean_out_note(out, "%s",
                   theirs
                       ? _("Whoever sent you the referral says so to everybody that holds one "
                           "under it. What you hold of the person is erased.")
                       : _("Every referral under it says so to the partner that has it. To share "
                           "again, the person gives a new consent."));
    spean_out_next(out, theirs ? "spean referral inbox" : "spean referral outbox");
    return SPEAN_EXIT_DONE;
}

static const struct spean_flag record_flags[] = {
    {.name = "case",
     .kind = SPEAN_KIND_ID,
     .value = "CASE",
     .required = true,
     .help = N_("whose consent it is, by the case")},
    {.name = "purpose",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .repeats = true,
     .help = N_("what for, a code of the list purpose: refer, assist")},
    {.name = "to",
     .kind = SPEAN_KIND_ID,
     .value = "ORG",
     .repeats = true,
     .help = N_("an organisation that may receive it")},
    {.name = "to-kind",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .repeats = true,
     .help = N_("a kind of agency that may receive it, of the list agency_kind")},
    {.name = "section",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .repeats = true,
     .help = N_("a part of the case that may be shown, of the list section: identity, costs")},
    {.name = "basis",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("a code of the list legal_basis; otherwise consent")},
    {.name = "medium",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("how it was given: paper, verbal, electronic")},
    {.name = "indicated-by",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("who gave it: self, parent, legal_guardian")},
    {.name = "effective-on",
     .kind = SPEAN_KIND_TEXT,
     .value = "DATE",
     .help = N_("the first day on which it holds; otherwise today")},
    {.name = "expires-on",
     .kind = SPEAN_KIND_TEXT,
     .value = "DATE",
     .help = N_("the last day on which it holds: 2027-05-31")},
    SPEAN_FLAG_FROM,
    {0},
};

static const struct spean_flag withdraw_flags[] = {
    {.name = "channel",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .required = true,
     .help = N_("how the person said so, of the list withdrawal_channel: phone, verbal, paper")},
    {.name = "on",
     .kind = SPEAN_KIND_TEXT,
     .value = "DATE",
     .help = N_("when the person said so; otherwise today")},
    {0},
};

static const struct spean_arg consent_args[] = {
    {.name = "consent", .kind = SPEAN_KIND_ID, .help = N_("its id, or the beginning of it")},
    {0},
};

static const struct spean_arg withdraw_args[] = {
    {.name = "consent",
     .kind = SPEAN_KIND_ID,
     .help = N_("its id; of a partner's, the referral that came to you under it: R-58Q2")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "consent record",
        .summary = N_("Record what a person allows"),
        .text = N_("Writes down a consent: what for, to whom, which parts of the case, until "
                   "when. Without it nothing is sent. The flags are codes, never words about the "
                   "person; a note, or more terms, come from a file."),
        .flags = record_flags,
        .inverse = "consent withdraw",
        .examples = (const char *const[]){"spean consent record --case KH-2611-0317-B --purpose "
                                          "refer --to 7f3a-91c4 --section identity --section costs",
                                          NULL},
        .run = record_run,
    },
    {
        .path = "consent show",
        .summary = N_("Show a consent"),
        .text = N_("Prints the terms of a consent, and whether it was withdrawn."),
        .args = consent_args,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean consent show 91c4-7f3a", NULL},
        .run = show_run,
    },
    {
        .path = "consent withdraw",
        .summary = N_("Withdraw a consent, because the person says so"),
        .text = N_("The person can say so at any time, in any way, to anybody. It holds for "
                   "ever and reaches every partner that holds a referral under this consent. Where "
                   "the person tells you, and a partner recorded the consent, name the referral."),
        .flags = withdraw_flags,
        .args = withdraw_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples = (const char *const[]){"spean consent withdraw 91c4-7f3a --channel phone",
                                          "spean consent withdraw R-58Q2 --channel verbal", NULL},
        .run = withdraw_run,
    },
    {0},
};

const struct spean_group spean_group_consent = {
    .name = "consent",
    .summary = N_("What persons allow"),
    .commands = commands,
};
