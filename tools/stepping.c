#include "tools/stepping.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/out.h"
#include "tools/partners.h"
#include "tools/recording.h"
#include "tools/timetext.h"

#define FIELDS_MAX 6u
#define BOTH_SEE   N_("You and your partner see it; nobody else does.")

/* How a flag becomes a field of the request. */
enum form {
    FORM_WORD, /* A string as it is. */
    FORM_LIST, /* All its values, as an array. */
    FORM_ASKS, /* All its values, as services that are asked for. */
    FORM_ORG,  /* An organisation, by whole id. */
    FORM_TIME, /* A moment, or how long from now: spean_stepping_time(). */
    FORM_TEXT, /* Words of a person, by file or prompt, in the language of --lang. */
};

struct field {
    const char *flag; /* NULL: no more. */
    const char *key;
    enum form form;
};

struct step {
    const char *path; /* Of the command. */
    const char *verb; /* As the daemon's path has it. */
    bool takes_edit;  /* --from is an edit of the referral's fields. */
    struct field fields[FIELDS_MAX];
    const char *done; /* What was done, untranslated. */
    const char *note; /* Who will see it, untranslated. */
    const char *next; /* The next useful command; the referral's name follows it. */
};

static const struct step steps[] = {
    {
        .path = "referral send",
        .verb = "send",
        .done = N_("signed and sealed; it leaves by itself"),
        .note = N_("They see the preview when it arrives, and the rest once they accept. Offline "
                   "is normal: it waits for them."),
        .next = "spean referral show",
    },
    {
        .path = "referral amend",
        .verb = "amend",
        .takes_edit = true,
        .fields = {{"respond-by", "respond_by", FORM_TIME}},
        .done = N_("changed"),
        .note = BOTH_SEE,
        .next = "spean referral show",
    },
    {
        .path = "referral cancel",
        .verb = "cancel",
        .fields = {{"reason", "reason", FORM_WORD}},
        .done = N_("cancelled"),
        .note = N_("If they work on it already, they are asked to confirm."),
        .next = "spean referral show",
    },
    {
        .path = "referral error",
        .verb = "error",
        .fields = {{"reason", "reason", FORM_WORD}},
        .done = N_("marked as entered in error"),
        .note = BOTH_SEE,
        .next = "spean referral show",
    },
    {
        .path = "referral close",
        .verb = "close",
        .fields = {{"client-informed", "client_informed", FORM_WORD},
                   {"next-step", "next_step", FORM_WORD},
                   {"next-referral", "next_referral", FORM_WORD}},
        .done = N_("closed"),
        .note = BOTH_SEE,
        .next = "spean referral show",
    },
    {
        .path = "referral receive",
        .verb = "receive",
        .done = N_("received"),
        .note = N_("They see that somebody has looked at it."),
        .next = "spean referral accept",
    },
    {
        .path = "referral accept",
        .verb = "accept",
        .fields = {{"assigned", "assigned_ref", FORM_WORD},
                   {"first-contact-by", "first_contact_by", FORM_WORD}},
        .done = N_("accepted"),
        .note = N_("Their node now gives you the details by itself, if consent still holds."),
        .next = "spean referral show",
    },
    {
        .path = "referral decline",
        .verb = "decline",
        .fields = {{"reason", "reason", FORM_WORD}},
        .done = N_("declined"),
        .note = N_("Nothing of it stays on your nodes, once each of them has heard of it."),
        .next = "spean referral show",
    },
    {
        .path = "referral start",
        .verb = "start",
        .done = N_("started"),
        .note = BOTH_SEE,
        .next = "spean referral complete",
    },
    {
        .path = "referral hold",
        .verb = "hold",
        .fields = {{"reason", "reason", FORM_WORD}, {"review-by", "review_by", FORM_WORD}},
        .done = N_("put on hold"),
        .note = BOTH_SEE,
        .next = "spean referral start",
    },
    {
        .path = "referral note",
        .verb = "note",
        .fields = {{"text", "text", FORM_TEXT}},
        .done = N_("noted"),
        .note = BOTH_SEE,
        .next = "spean referral show",
    },
    {
        .path = "referral complete",
        .verb = "complete",
        .fields = {{"outcome", "outcome", FORM_WORD},
                   {"service", "services_provided", FORM_LIST},
                   {"closing-note", "closing_note", FORM_TEXT}},
        .done = N_("completed"),
        .note = N_("They see the outcome and can close it."),
        .next = "spean referral show",
    },
    {
        .path = "referral fail",
        .verb = "fail",
        .fields = {{"reason", "reason", FORM_WORD}, {"closing-note", "closing_note", FORM_TEXT}},
        .done = N_("ended without success"),
        .note = BOTH_SEE,
        .next = "spean referral show",
    },
    {
        .path = "referral redirect",
        .verb = "redirect",
        .fields = {{"to", "to", FORM_ORG},
                   {"reason", "reason", FORM_WORD},
                   {"respond-by", "respond_by", FORM_TIME},
                   {"urgency", "urgency", FORM_WORD},
                   {"service", "services", FORM_ASKS}},
        .done = N_("passed on"),
        .note = N_("They see the preview when it arrives, and what you could read of the rest once "
                   "they accept. Whoever sent it to you sees that it was passed on."),
        .next = "spean referral show",
    },
    {
        .path = "referral ack-cancel",
        .verb = "ack_cancel",
        .fields = {{"data-purged", "data_purged", FORM_WORD}, {"reason", "reason", FORM_WORD}},
        .done = N_("cancellation confirmed"),
        .note = BOTH_SEE,
        .next = "spean referral show",
    },
};

enum spean_exit spean_stepping_time(const char *flag, const char *text, json_t **value,
                                    struct spean_problem *problem)
{
    assert(flag != NULL);
    assert(text != NULL);
    assert(value != NULL);
    int64_t seconds;
    char utc[SPEAN_TIMETEXT_BYTES_MAX];
    if (spean_timetext_parse(text, &seconds) != SPEAN_OK) {
        if (spean_timetext_span(text, &seconds) != SPEAN_OK) {
            (void)spean_problem_usage(problem, _("--%s cannot be \"%s\""), flag, text);
            spean_problem_hint(problem, "%s",
                               _("a time in UTC, 2026-11-25T09:00:00Z, or from now: 72h, 14d"));
            return SPEAN_EXIT_USAGE;
        }
        seconds += (int64_t)time(NULL);
    }
    spean_timetext_utc(seconds, utc);
    json_t *const made = json_string(utc);
    if (made == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, flag);
    }
    *value = made;
    return SPEAN_EXIT_DONE;
}

/* Get words that a person wrote; *value stays NULL where there are none. */
static enum spean_exit text_get(struct spean_call *call, const char *flag, json_t **value,
                                struct spean_problem *problem)
{
    char *text = NULL;
    enum spean_exit exit = spean_call_private(call, flag, SPEAN_STEPPING_TEXT_MAX, &text, problem);
    if (exit == SPEAN_EXIT_DONE && text != NULL && text[0] != '\0') {
        exit = spean_recording_text(call, text, value, problem);
    }
    if (text != NULL) {
        sodium_memzero(text, strlen(text));
        free(text);
    }
    return exit;
}

static enum spean_exit list_get(const struct spean_call *call, const struct field *field,
                                json_t **value, struct spean_problem *problem)
{
    const char *const flag = field->flag;
    json_t *const list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < spean_call_count(call, flag); i++) {
        const char *const given = spean_call_value_at(call, flag, i);
        good =
            json_array_append_new(list, field->form == FORM_ASKS ? json_pack("{s:s}", "code", given)
                                                                 : json_string(given)) == 0;
    }
    if (!good) {
        json_decref(list);
        return spean_problem_err(problem, SPEAN_ENOMEM, flag);
    }
    *value = list;
    return SPEAN_EXIT_DONE;
}

static enum spean_exit org_get(struct spean_call *call, const char *given, json_t **value,
                               struct spean_problem *problem)
{
    char org[SPEAN_RECORDING_ORG_BYTES];
    const enum spean_exit exit = spean_recording_org(call, given, org, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    *value = json_string(org);
    return *value == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, given) : SPEAN_EXIT_DONE;
}

/* Put one field into the body, if its flag was given. */
static enum spean_exit field_set(struct spean_call *call, json_t *body, const struct field *field,
                                 struct spean_problem *problem)
{
    const char *const given = spean_call_value(call, field->flag);
    json_t *value = NULL;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (field->form == FORM_TEXT) {
        exit = text_get(call, field->flag, &value, problem);
    } else if (given == NULL) {
        return SPEAN_EXIT_DONE;
    } else if (field->form == FORM_LIST || field->form == FORM_ASKS) {
        exit = list_get(call, field, &value, problem);
    } else if (field->form == FORM_ORG) {
        exit = org_get(call, given, &value, problem);
    } else if (field->form == FORM_TIME) {
        exit = spean_stepping_time(field->flag, given, &value, problem);
    } else {
        value = json_string(given);
        exit =
            value == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, field->flag) : SPEAN_EXIT_DONE;
    }
    if (exit == SPEAN_EXIT_DONE && value != NULL &&
        json_object_set_new(body, field->key, value) != 0) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, field->flag);
    }
    return exit;
}

/* Make the request's body of the flags. */
static enum spean_exit body_make(struct spean_call *call, const struct step *step, json_t **body,
                                 struct spean_problem *problem)
{
    json_t *made = NULL;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (step->takes_edit) {
        exit = spean_recording_edit(call, &made, problem);
    } else {
        made = json_object();
        exit =
            made == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, step->verb) : SPEAN_EXIT_DONE;
    }
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < FIELDS_MAX && step->fields[i].flag != NULL;
         i++) {
        exit = field_set(call, made, &step->fields[i], problem);
    }
    if (exit == SPEAN_EXIT_DONE && step->takes_edit && json_object_size(made) == 0) {
        exit = spean_problem_usage(problem, "%s", _("nothing is to be changed"));
        spean_problem_hint(problem, _("give at least one flag: spean help %s"),
                           spean_call_path(call));
    }
    if (exit != SPEAN_EXIT_DONE) {
        json_decref(made);
        return exit;
    }
    *body = made;
    return SPEAN_EXIT_DONE;
}

/* The row of the command that runs. */
static const struct step *step_of(const struct spean_call *call)
{
    const char *const path = spean_call_path(call);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(steps[i].path, path) == 0) {
            return &steps[i];
        }
    }
    return NULL;
}

/* Say of what was just sent that it cannot be there yet, where that is so. What cannot be asked is
 * not said: it was sent all the same. */
static void away_tell(struct spean_call *call, const json_t *referral)
{
    struct spean_out *const out = spean_call_out(call);
    struct spean_problem ignored = {.code = ""};
    char ago[SPEAN_TIMETEXT_BYTES_MAX];
    char who[SPEAN_WHO_BYTES_MAX];
    json_t *status = NULL;
    if (spean_out_is_json(out) || spean_call_globals(call)->dry_run) {
        return;
    }
    if (spean_call_request(call, "GET", "/v1/status", NULL, &status, &ignored) == SPEAN_EXIT_DONE &&
        spean_partners_away(json_object_get(status, "partners"),
                            spean_jsonget_text(referral, "target"), (int64_t)time(NULL), ago)) {
        spean_jsonget_who(referral, "target", "target_name", who);
        spean_out_note(out, _("Not sent yet: %s is offline (last seen: %s)."), who, ago);
    }
    json_decref(status);
}

enum spean_exit spean_stepping_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    const struct step *const step = step_of(call);
    assert(step != NULL); /* Each command that names this handler has its row. */
    const struct spean_resource resource = {
        .collection = "referrals", .id = spean_call_value(call, "referral"), .verb = step->verb};
    struct spean_out *const out = spean_call_out(call);
    json_t *body = NULL;
    json_t *reply = NULL;
    enum spean_exit exit = body_make(call, step, &body, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_recording_send(call, "POST", &resource, body, &reply, problem);
    }
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    char name[SPEAN_RECORDING_NAME_BYTES];
    spean_recording_name(reply, name);
    spean_out_done(out, "%s   %s   [%s]", name, _(step->done), spean_jsonget_text(reply, "state"));
    if (strcmp(step->verb, "send") == 0) {
        away_tell(call, reply);
    }
    spean_out_note(out, "%s", _(step->note));
    spean_out_next(out, "%s %s", step->next, name);
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}
