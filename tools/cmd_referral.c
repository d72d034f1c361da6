#include "tools/groups.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "protocol/referral.h"
#include "tools/call.h"
#include "tools/client.h"
#include "tools/costs.h"
#include "tools/drafting.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/printing.h"
#include "tools/recording.h"
#include "tools/show.h"
#include "tools/stepping.h"

static void row_add(struct spean_grid *grid, const json_t *referral)
{
    char name[SPEAN_RECORDING_NAME_BYTES];
    char state[SPEAN_SHOW_STATE_BYTES];
    char from[SPEAN_WHO_BYTES_MAX];
    char to[SPEAN_WHO_BYTES_MAX];
    char by[SPEAN_WHEN_BYTES_MAX];
    spean_recording_name(referral, name);
    spean_show_state(referral, state);
    spean_jsonget_who(referral, "origin", "origin_name", from);
    spean_jsonget_who(referral, "target", "target_name", to);
    spean_jsonget_when(referral, "respond_by", by);
    spean_grid_cell(grid, "%s", name);
    spean_grid_cell(grid, "%s", state);
    spean_grid_cell(grid, "%s", from);
    spean_grid_cell(grid, "%s", to);
    spean_grid_cell(grid, "%s", spean_jsonget_text(referral, "urgency"));
    spean_grid_cell(grid, "%s", by);
}

static enum spean_exit box_print(struct spean_call *call, const char *box,
                                 struct spean_problem *problem)
{
    static const char *const columns[] = {N_("REFERRAL"), N_("STATE"),     N_("FROM"), N_("TO"),
                                          N_("URGENCY"),  N_("ANSWER BY"), NULL};
    char path[SPEAN_CLIENT_PATH_BYTES_MAX] = "/v1/referrals";
    const spean_err err = spean_listing_query(path, "box", box);
    return err == SPEAN_OK ? spean_listing_print(call, path, columns, row_add, problem)
                           : spean_problem_err(problem, err, "referral list");
}

static enum spean_exit inbox_run(struct spean_call *call, struct spean_problem *problem)
{
    return box_print(call, "in", problem);
}

static enum spean_exit outbox_run(struct spean_call *call, struct spean_problem *problem)
{
    return box_print(call, "out", problem);
}

static enum spean_exit list_run(struct spean_call *call, struct spean_problem *problem)
{
    return box_print(call, spean_call_value(call, "box"), problem);
}

/* What the reason of a step means. */
static const char *reason_label(const json_t *step, const json_t *codes, const char *lang)
{
    const char *const code = spean_jsonget_text(step, "step");
    const char *const list = spean_referral_reason_list(
        spean_referral_step_of((struct spean_view){(const uint8_t *)code, strlen(code)}));
    return list == NULL ? ""
                        : spean_show_label(codes, list, spean_jsonget_text(step, "reason"), lang);
}

/* The steps that both sides took, in the order that the daemon gives. */
static spean_err steps_print(struct spean_out *out, const json_t *steps, const json_t *codes,
                             const char *lang)
{
    struct spean_grid *grid;
    const spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_grid_column(grid, _("WHEN"), false);
    spean_grid_column(grid, _("SIDE"), false);
    spean_grid_column(grid, _("STEP"), false);
    spean_grid_column(grid, _("BY"), false);
    spean_grid_column(grid, _("REASON AND WHAT IT SAYS"), false);
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *const step = json_array_get(steps, i);
        char when[SPEAN_WHEN_BYTES_MAX];
        spean_jsonget_when(step, "at", when);
        spean_grid_cell(grid, "%s", when);
        spean_grid_cell(grid, "%s", spean_jsonget_text(step, "track"));
        spean_grid_cell(grid, "%s%s", spean_jsonget_text(step, "step"),
                        spean_jsonget_true(step, "misfit") ? _("  (does not fit)") : "");
        const char *const reason = spean_jsonget_text(step, "reason");
        const char *const label = reason_label(step, codes, lang);
        char *const says = spean_show_step(step, codes, lang);
        spean_grid_cell(grid, "%s", spean_jsonget_text(step, "actor"));
        spean_grid_cell(grid, "%s%s%s%s%s%s", reason, label[0] == '\0' ? "" : " (", label,
                        label[0] == '\0' ? "" : ")",
                        reason[0] != '\0' && says != NULL && says[0] != '\0' ? "; " : "",
                        says == NULL ? "" : says);
        free(says);
    }
    spean_out_line(out, "%s", "");
    spean_out_grid(out, grid);
    spean_grid_free(grid);
    return SPEAN_OK;
}

/* How far it came, and who proves it. */
static spean_err trail_print(struct spean_out *out, const json_t *trail)
{
    struct spean_grid *grid;
    const spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_grid_column(grid, _("DELIVERY"), false);
    spean_grid_column(grid, _("WHEN"), false);
    spean_grid_column(grid, _("KNOWN BY"), false);
    spean_grid_column(grid, "", false);
    for (size_t i = 0; i < json_array_size(trail); i++) {
        const json_t *const row = json_array_get(trail, i);
        char when[SPEAN_WHEN_BYTES_MAX];
        char by[SPEAN_WHO_BYTES_MAX];
        spean_jsonget_when(row, "at", when);
        spean_jsonget_who(row, "by", "by_name", by);
        spean_grid_cell(grid, "%s", spean_jsonget_text(row, "event"));
        spean_grid_cell(grid, "%s", when);
        spean_grid_cell(grid, "%s", by);
        spean_grid_cell(grid, "%s", spean_jsonget_text(row, "proof"));
    }
    spean_out_line(out, "%s", "");
    spean_out_grid(out, grid);
    spean_grid_free(grid);
    return SPEAN_OK;
}

static bool has_flag(const json_t *referral, const char *name)
{
    const json_t *const flags = json_object_get(referral, "flags");
    for (size_t i = 0; i < json_array_size(flags); i++) {
        const char *const flag = json_string_value(json_array_get(flags, i));
        if (flag != NULL && strcmp(flag, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Two nodes of one organisation stepped its track apart: whose it is to decide, and how. */
static void conflict_print(struct spean_out *out, const json_t *referral)
{
    static const char *const sides[] = {"origin", "target"};
    for (size_t i = 0; i < 2; i++) {
        char flag[32];
        char who[SPEAN_WHO_BYTES_MAX];
        char name[16];
        (void)snprintf(flag, sizeof(flag), "%s_conflict", sides[i]);
        (void)snprintf(name, sizeof(name), "%s_name", sides[i]);
        if (has_flag(referral, flag)) {
            spean_jsonget_who(referral, sides[i], name, who);
            spean_out_line(out,
                           _("! two nodes of %s took different steps at the same time; both stand "
                             "below, and the next step that %s takes decides"),
                           who, who);
        }
    }
}

static spean_err referral_print(struct spean_out *out, json_t *referral, const char *lang)
{
    static const char *const but[] = {"costs", "origin_steps", "target_steps", NULL};
    char state[SPEAN_SHOW_STATE_BYTES];
    char from[SPEAN_WHO_BYTES_MAX];
    char to[SPEAN_WHO_BYTES_MAX];
    spean_show_state(referral, state);
    spean_jsonget_who(referral, "origin", "origin_name", from);
    spean_jsonget_who(referral, "target", "target_name", to);
    spean_out_line(out, _("State: %s   from %s   to %s"), state, from, to);
    spean_err err = spean_show_record(out, referral, but, lang);
    json_t *const draft = json_object_get(referral, "draft");
    const char *const details = spean_jsonget_text(referral, "details");
    if (details[0] != '\0') {
        spean_out_line(out, "! %s", details);
    }
    conflict_print(out, referral);
    if (err == SPEAN_OK && json_is_object(draft)) {
        err = spean_show_object(out, draft);
    }
    if (err == SPEAN_OK) {
        err = spean_costs_print(out, referral, lang);
    }
    if (err == SPEAN_OK && json_array_size(json_object_get(referral, "steps")) > 0) {
        err = steps_print(out, json_object_get(referral, "steps"),
                          json_object_get(referral, "codes"), lang);
    }
    if (err == SPEAN_OK && json_array_size(json_object_get(referral, "trail")) > 0) {
        err = trail_print(out, json_object_get(referral, "trail"));
    }
    return err;
}

static enum spean_exit show_run(struct spean_call *call, struct spean_problem *problem)
{
    const struct spean_resource resource = {.collection = "referrals",
                                            .id = spean_call_value(call, "referral")};
    json_t *referral = NULL;
    const enum spean_exit exit = spean_recording_get(call, &resource, &referral, problem);
    if (referral == NULL) {
        return exit;
    }
    spean_out_json(spean_call_out(call), referral);
    const bool page = spean_call_given(call, "print") || spean_call_given(call, "html");
    const spean_err err =
        page ? spean_printing_page(spean_call_out(call), referral, spean_call_given(call, "html"),
                                   spean_call_globals(call)->lang)
             : referral_print(spean_call_out(call), referral, spean_call_globals(call)->lang);
    json_decref(referral);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "referral show");
}

#define REASON_FLAG(list)                                                                          \
    {                                                                                              \
        .name = "reason", .kind = SPEAN_KIND_TEXT, .value = "CODE", .required = true,              \
        .help = N_("why, a code of the list " list)                                                \
    }
#define CLOSING_NOTE_FLAG                                                                          \
    {                                                                                              \
        .name = "closing-note", .kind = SPEAN_KIND_PRIVATE, .value = "@FILE",                      \
        .help = N_("words for your partner, out of a file or from standard input")                 \
    }

static const struct spean_flag list_flags[] = {
    {.name = "box",
     .kind = SPEAN_KIND_CHOICE,
     .value = "BOX",
     .choices = "in|out|drafts",
     .help = N_("only what came in, what goes out, or what is not sent yet")},
    {0},
};

static const struct spean_flag create_flags[] = {
    {.name = "case", .kind = SPEAN_KIND_ID, .value = "CASE", .help = N_("the case it is about")},
    {.name = "to",
     .kind = SPEAN_KIND_ID,
     .value = "ORG",
     .help = N_("the member organisation that is asked")},
    {.name = "consent",
     .kind = SPEAN_KIND_ID,
     .value = "CONSENT",
     .help = N_("the consent under which it is sent")},
    {.name = "kind",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("referral, transfer or information_request; otherwise referral")},
    {.name = "service",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .repeats = true,
     .help = N_("what they are asked for, of the list service: legal, shelter")},
    {.name = "section",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .repeats = true,
     .help = N_("a part of the case that they get once they accept: identity, costs")},
    {.name = "urgency",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("emergency (24 h), urgent (72 h) or normal (2 weeks)")},
    {.name = "respond-by",
     .kind = SPEAN_KIND_TEXT,
     .value = "TIME",
     .help = N_("when an answer is needed: 2026-11-25T09:00:00Z, or 72h from now")},
    {.name = "reason",
     .kind = SPEAN_KIND_PRIVATE,
     .value = "@FILE",
     .help = N_("why, in words that they see at once, out of a file or from standard input")},
    SPEAN_FLAG_FROM,
    {0},
};

static const struct spean_flag amend_flags[] = {
    {.name = "respond-by",
     .kind = SPEAN_KIND_TEXT,
     .value = "TIME",
     .help = N_("when an answer is needed: 2026-11-25T09:00:00Z, or 72h from now")},
    SPEAN_FLAG_FROM,
    {0},
};

static const struct spean_flag accept_flags[] = {
    {.name = "assigned",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .required = true,
     .help = N_("who works on it, a pseudonym of small letters: worker-3")},
    {.name = "first-contact-by",
     .kind = SPEAN_KIND_TEXT,
     .value = "DATE",
     .required = true,
     .help = N_("until when the person is contacted: 2026-11-25")},
    {0},
};

static const struct spean_flag hold_flags[] = {
    REASON_FLAG("hold_reason"),
    {.name = "review-by",
     .kind = SPEAN_KIND_TEXT,
     .value = "DATE",
     .required = true,
     .help = N_("when it is looked at again: 2026-12-01")},
    {0},
};

static const struct spean_flag note_flags[] = {
    {.name = "text",
     .kind = SPEAN_KIND_PRIVATE,
     .value = "@FILE",
     .help = N_("the note, out of a file or from standard input")},
    {0},
};

static const struct spean_flag complete_flags[] = {
    {.name = "outcome",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .required = true,
     .help = N_("a code of the list outcome: service_provided, remedy_obtained")},
    {.name = "service",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .repeats = true,
     .help = N_("a service that was given, of the list service")},
    CLOSING_NOTE_FLAG,
    {0},
};

static const struct spean_flag redirect_flags[] = {
    {.name = "to",
     .kind = SPEAN_KIND_ID,
     .value = "ORG",
     .required = true,
     .help = N_("the member organisation that is to take it; the consent must name it")},
    {.name = "respond-by",
     .kind = SPEAN_KIND_TEXT,
     .value = "TIME",
     .required = true,
     .help = N_("when an answer is needed: 2026-11-25T09:00:00Z, or 72h from now")},
    {.name = "reason",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("why, a code of the list redirect_reason: better_placed, language")},
    {.name = "urgency",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("emergency, urgent or normal; otherwise as it came to you")},
    {.name = "service",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .repeats = true,
     .help = N_("what they are asked for; otherwise what you were asked for")},
    {0},
};

static const struct spean_flag show_flags[] = {
    {.name = "print",
     .kind = SPEAN_KIND_NONE,
     .help = N_("one page for paper, which says what is not on it")},
    {.name = "html",
     .kind = SPEAN_KIND_NONE,
     .help = N_("with --print: the page as HTML, to be printed by a browser")},
    {0},
};

static const struct spean_flag ack_cancel_flags[] = {
    {.name = "data-purged",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .required = true,
     .help = N_("whether what you have of it is destroyed: yes, no, kept")},
    {.name = "reason",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .help = N_("why it is kept, a code of the list deletion_reason")},
    {0},
};

static const struct spean_flag close_flags[] = {
    {.name = "client-informed",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .required = true,
     .help = N_("whether the person knows the result: yes, no, unsafe")},
    {.name = "next-step",
     .kind = SPEAN_KIND_TEXT,
     .value = "CODE",
     .required = true,
     .help = N_("what follows, of the list next_step: none, follow_up, new_referral")},
    {.name = "next-referral",
     .kind = SPEAN_KIND_ID,
     .value = "REFERRAL",
     .help = N_("the referral that follows")},
    {0},
};

static const struct spean_flag cancel_flags[] = {REASON_FLAG("cancel_reason"), {0}};
static const struct spean_flag error_flags[] = {REASON_FLAG("error_reason"), {0}};
static const struct spean_flag decline_flags[] = {REASON_FLAG("decline_reason"), {0}};
static const struct spean_flag fail_flags[] = {REASON_FLAG("fail_reason"), CLOSING_NOTE_FLAG, {0}};

static const struct spean_question note_questions[] = {
    {.name = "note", .flag = "text", .text = N_("The note")},
    {0},
};

static const struct spean_arg referral_args[] = {
    {.name = "referral", .kind = SPEAN_KIND_ID, .help = N_("its code, R-58Q2, or its id")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "referral inbox",
        .summary = N_("List what partners ask of you"),
        .text = N_("Referrals to your organisation, each with its state, its urgency and when "
                   "an answer is due."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean referral inbox", NULL},
        .run = inbox_run,
    },
    {
        .path = "referral outbox",
        .summary = N_("List what you asked of partners"),
        .text = N_("Referrals from your organisation, each with the state that both sides made"
                   " together."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean referral outbox", NULL},
        .run = outbox_run,
    },
    {
        .path = "referral list",
        .summary = N_("List referrals"),
        .text = N_("All referrals that your organisation has a part in, or those in one box."),
        .flags = list_flags,
        .inverse = SPEAN_INVERSE_READS,
        .examples =
            (const char *const[]){"spean referral list", "spean referral list --box drafts", NULL},
        .run = list_run,
    },
    {
        .path = "referral create",
        .summary = N_("Draft a referral"),
        .text = N_("Saves a draft: who is asked, for what, about which case, and which parts "
                   "of it they will get. Nobody sees a draft. What is personal comes from a "
                   "file, never as a word of the command."),
        .flags = create_flags,
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){"spean referral create --case KH-2611-0317-B --to 7f3a-91c4 "
                                  "--service legal --section costs --consent 91c4",
                                  "spean referral create --from referral.json", NULL},
        .run = spean_drafting_create,
    },
    {
        .path = "referral preview",
        .summary = N_("Show exactly what they will see"),
        .text = N_("Prints what they see when it arrives, what they get once they accept, and "
                   "what they never see. The exit code is 3 while it could not be sent as it "
                   "is."),
        .args = referral_args,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean referral preview R-58Q2", NULL},
        .run = spean_drafting_preview,
    },
    {
        .path = "referral send",
        .summary = N_("Sign, seal and send a draft"),
        .text = N_("Seals the referral for the organisation that is asked, signs it and hands "
                   "it to the node, which sends it by itself as soon as they can be reached. "
                   "Look at it with preview first."),
        .args = referral_args,
        .inverse = "referral cancel",
        .examples = (const char *const[]){"spean referral send R-58Q2", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral amend",
        .summary = N_("Change a referral that they have not accepted yet"),
        .text = N_("Changes fields of the referral. Once they have accepted, send a note "
                   "instead."),
        .flags = amend_flags,
        .args = referral_args,
        .inverse = "referral amend",
        .examples = (const char *const[]){"spean referral amend R-58Q2 --respond-by 72h", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral receive",
        .summary = N_("Say that it has arrived and was looked at"),
        .text = N_("Tells the partner that somebody has seen the referral. It may be left out."),
        .args = referral_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples = (const char *const[]){"spean referral receive R-58Q2", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral accept",
        .summary = N_("Accept a referral"),
        .text = N_("Your organisation takes it on: a pseudonym for who works on it, and until "
                   "when the person is contacted. The partner's node then gives you the "
                   "details."),
        .flags = accept_flags,
        .args = referral_args,
        .inverse = "referral fail",
        .examples =
            (const char *const[]){
                "spean referral accept R-58Q2 --assigned worker-3 --first-contact-by 2026-11-25",
                NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral decline",
        .summary = N_("Decline a referral"),
        .text =
            N_("Says no, with a reason. Nothing of it stays on your nodes, once each of them has "
               "heard of it."),
        .flags = decline_flags,
        .args = referral_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){"spean referral decline R-58Q2 --reason no_capacity", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral start",
        .summary = N_("Start to work on a referral, or go on with it"),
        .text = N_("Tells the partner that work has begun, or goes on after a pause."),
        .args = referral_args,
        .inverse = "referral hold",
        .examples = (const char *const[]){"spean referral start R-58Q2", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral hold",
        .summary = N_("Put a referral on hold"),
        .text = N_("Tells the partner that work pauses, why, and when you look at it again: from "
                   "that day on it counts as overdue."),
        .flags = hold_flags,
        .args = referral_args,
        .inverse = "referral start",
        .examples = (const char *const[]){"spean referral hold R-58Q2 --reason "
                                          "awaiting_documents --review-by 2026-12-01",
                                          NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral note",
        .summary = N_("Add a note to a referral"),
        .text = N_("Adds words that you and your partner see. They are asked for, or come from"
                   " a file."),
        .flags = note_flags,
        .args = referral_args,
        .questions = note_questions,
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){"spean referral note R-58Q2 --lang ja --text @note.txt", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral complete",
        .summary = N_("Complete a referral with its outcome"),
        .text = N_("Tells the partner what came of it."),
        .flags = complete_flags,
        .args = referral_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){
                "spean referral complete R-58Q2 --outcome remedy_obtained --service legal", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral fail",
        .summary = N_("End a referral without success"),
        .text = N_("Tells the partner that it did not work out, and why."),
        .flags = fail_flags,
        .args = referral_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples = (const char *const[]){"spean referral fail R-58Q2 --reason no_contact", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral redirect",
        .summary = N_("Pass a referral on to another organisation"),
        .text = N_("Sends what you were sent to somebody else, as a referral of yours under the "
                   "same consent, and ends yours. Refused where the consent does not name them; "
                   "then decline or fail it, so that the sender can ask the person."),
        .flags = redirect_flags,
        .args = referral_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples = (const char *const[]){"spean referral redirect R-58Q2 --to 7f3a-91c4 "
                                          "--respond-by 72h --reason better_placed",
                                          NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral cancel",
        .summary = N_("Cancel a referral that you sent"),
        .text = N_("Takes it back. Where they work on it already, it waits for them to "
                   "confirm."),
        .flags = cancel_flags,
        .args = referral_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){"spean referral cancel R-58Q2 --reason client_request", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral ack-cancel",
        .summary = N_("Confirm that a referral was cancelled"),
        .text = N_("Tells the partner that you have seen the cancellation, and whether what "
                   "you had is destroyed."),
        .flags = ack_cancel_flags,
        .args = referral_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){"spean referral ack-cancel R-58Q2 --data-purged yes", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral error",
        .summary = N_("Mark a referral as entered in error"),
        .text = N_("For a referral that should never have been sent; not after they accepted."),
        .flags = error_flags,
        .args = referral_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){"spean referral error R-58Q2 --reason wrong_target", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral close",
        .summary = N_("Close a referral that is settled"),
        .text = N_("Says whether the person knows the result, and what follows."),
        .flags = close_flags,
        .args = referral_args,
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){
                "spean referral close R-58Q2 --client-informed yes --next-step none", NULL},
        .run = spean_stepping_run,
    },
    {
        .path = "referral show",
        .summary = N_("Show a referral"),
        .text = N_("Prints the state, what you may see of it, the costs as a table, every step of "
                   "both sides, and how far it came by whose word."),
        .flags = show_flags,
        .args = referral_args,
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean referral show R-58Q2",
                                          "spean referral show R-58Q2 --print",
                                          "spean referral show R-58Q2 --print --html", NULL},
        .run = show_run,
    },
    {0},
};

const struct spean_group spean_group_referral = {
    .name = "referral",
    .summary = N_("Asking partners for help, and helping them"),
    .commands = commands,
};
