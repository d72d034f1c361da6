#include "tools/groups.h"

#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "protocol/version.h"
#include "tools/call.h"
#include "tools/doctor.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/out.h"

static bool is_state(const json_t *check, const char *state)
{
    return strcmp(spean_jsonget_text(check, "state"), state) == 0;
}

/* Add what the daemon finds; that there is none, or none that answers, is a finding, too. */
static spean_err ask_daemon(struct spean_call *call, json_t *checks)
{
    struct spean_problem problem = {.code = ""};
    json_t *reply = NULL;
    const enum spean_exit exit =
        spean_call_request(call, "GET", "/v1/doctor", NULL, &reply, &problem);
    if (exit == SPEAN_EXIT_NO_STORE) {
        return SPEAN_OK; /* It was told. */
    }
    if (exit != SPEAN_EXIT_DONE) {
        return spean_doctor_add(checks, "daemon", "attention", problem.message, problem.hint);
    }
    spean_err err = spean_doctor_add(checks, "daemon", "ok", _("it runs and answers"), NULL);
    if (err == SPEAN_OK && json_array_extend(checks, json_object_get(reply, "checks")) != 0) {
        err = SPEAN_ENOMEM;
    }
    json_decref(reply);
    return err;
}

/* The daemon and this command may be of two versions after an update. */
static spean_err compare_versions(struct spean_call *call, json_t *checks)
{
    struct spean_problem problem = {.code = ""};
    json_t *reply = NULL;
    if (spean_call_request(call, "GET", "/v1/version", NULL, &reply, &problem) != SPEAN_EXIT_DONE) {
        return SPEAN_OK; /* It was told that no daemon answers. */
    }
    const bool same = strcmp(spean_jsonget_text(reply, "program"), spean_version()) == 0;
    json_decref(reply);
    return same
               ? SPEAN_OK
               : spean_doctor_add(checks, "versions", "attention",
                                  _("the daemon that runs is of another version than this command"),
                                  _("start the daemon again"));
}

static void check_print(struct spean_out *out, const json_t *check)
{
    const char *const advice = spean_jsonget_text(check, "do");
    const char *const mark = is_state(check, "ok") ? "ok" : is_state(check, "unknown") ? "?" : "!";
    spean_out_line(out, "%-3s%-11s %s", mark, spean_jsonget_text(check, "check"),
                   spean_jsonget_text(check, "text"));
    if (advice[0] != '\0') {
        spean_out_line(out, "                  %s", advice);
    }
}

static enum spean_exit print(struct spean_call *call, json_t *checks, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    bool attention = false;
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *const check = json_array_get(checks, i);
        attention = attention || !(is_state(check, "ok") || is_state(check, "unknown"));
        check_print(out, check);
    }
    json_t *const all = json_pack("{s:O, s:b}", "checks", checks, "attention", attention);
    if (all == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "doctor");
    }
    spean_out_json(out, all);
    json_decref(all);
    if (!attention) {
        spean_out_done(out, "%s", _("nothing is wrong that can be seen from here"));
    }
    return attention ? SPEAN_EXIT_ATTENTION : SPEAN_EXIT_DONE;
}

static enum spean_exit doctor_run(struct spean_call *call, struct spean_problem *problem)
{
    char home[SPEAN_PATH_BYTES_MAX];
    enum spean_exit exit = spean_call_home(call, home, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    json_t *const checks = json_array();
    spean_err err = checks == NULL ? SPEAN_ENOMEM : spean_doctor_look(home, checks);
    if (err == SPEAN_OK) {
        err = ask_daemon(call, checks);
    }
    if (err == SPEAN_OK) {
        err = compare_versions(call, checks);
    }
    exit =
        err == SPEAN_OK ? print(call, checks, problem) : spean_problem_err(problem, err, "doctor");
    json_decref(checks);
    return exit;
}

static const struct spean_command commands[] = {
    {
        .path = "doctor",
        .summary = N_("Look for what goes wrong in an office, and say what to do"),
        .text = N_("Looks at the folder and its rights, the disk, the clock, and asks the daemon "
                   "about itself: hardening, lock, room, how long keys have been in use, whether "
                   "it can be called, and by which way each partner and this node can meet. It "
                   "works while the daemon does not run, and changes nothing. A line begins with "
                   "ok, ! where something is to be done, ? where it cannot be told from here. The "
                   "exit code is 3 where something is to be done."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean doctor", NULL},
        .run = doctor_run,
    },
    {0},
};

const struct spean_group spean_group_doctor = {
    .name = "doctor",
    .summary = N_("What goes wrong, and what to do"),
    .commands = commands,
};
