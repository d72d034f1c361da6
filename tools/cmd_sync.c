#include "tools/groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/client.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/money.h"
#include "tools/out.h"
#include "tools/partners.h"
#include "tools/timetext.h"

#define WAIT_S_MAX      3600u /* What the daemon takes. */
#define REPLY_EXTRA_MS  30000L
#define SECONDS_IN_TEXT 24u
#define KILO            1000
#define MEGA            1000000
#define BYTES_TEXT      (SPEAN_MONEY_BYTES_MAX + 4u)

static enum spean_exit print(struct spean_call *call, const json_t *reply,
                             struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    spean_out_json(out, reply);
    const spean_err err =
        spean_partners_print(out, json_object_get(reply, "partners"), (int64_t)time(NULL));
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "sync now");
    }
    if (spean_jsonget_true(reply, "in_step")) {
        spean_out_done(out, "%s", _("in step with every partner"));
        return SPEAN_EXIT_DONE;
    }
    spean_out_note(out, "%s",
                   _("Not in step with everybody yet. The node goes on by itself; offline is "
                     "normal."));
    spean_out_next(out, "spean status");
    return SPEAN_EXIT_ATTENTION;
}

static enum spean_exit now_run(struct spean_call *call, struct spean_problem *problem)
{
    const uint64_t wait_s = spean_call_number(call, "wait", 0);
    char path[SPEAN_CLIENT_PATH_BYTES_MAX] = "/v1/sync";
    char seconds[SECONDS_IN_TEXT];
    if (wait_s > WAIT_S_MAX) {
        return spean_problem_usage(problem, _("--wait is more than %u seconds"), WAIT_S_MAX);
    }
    (void)snprintf(seconds, sizeof(seconds), "%" PRIu64, wait_s); /* 20 digits fit. */
    const spean_err err = wait_s == 0 ? SPEAN_OK : spean_listing_query(path, "wait_s", seconds);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "sync now");
    }
    json_t *reply = NULL;
    enum spean_exit exit = spean_call_wait(call, (long)wait_s * 1000L + REPLY_EXTRA_MS, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_request(call, "POST", path, NULL, &reply, problem);
    }
    if (reply == NULL) {
        return exit;
    }
    const enum spean_exit printed = print(call, reply, problem);
    json_decref(reply);
    return printed;
}

/* Pause everything, or let it go on. */
static enum spean_exit set_run(struct spean_call *call, bool paused, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit = spean_call_request(
        call, "POST", paused ? "/v1/sync/pause" : "/v1/sync/resume", NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    json_decref(reply);
    if (paused) {
        spean_out_done(out, "%s", _("sync is paused: nothing goes out or comes in"));
        spean_out_note(out, "%s",
                       _("Work goes on, and is kept here. It stays paused when the computer starts "
                         "again."));
        spean_out_next(out, "spean sync resume");
    } else {
        spean_out_done(out, "%s", _("sync goes on"));
        spean_out_next(out, "spean status");
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit pause_run(struct spean_call *call, struct spean_problem *problem)
{
    return set_run(call, true, problem);
}

static enum spean_exit resume_run(struct spean_call *call, struct spean_problem *problem)
{
    return set_run(call, false, problem);
}

/* "about 310 kB": what is shown is what is told apart. */
static void bytes_text(int64_t bytes, char out[BYTES_TEXT])
{
    char count[SPEAN_MONEY_BYTES_MAX];
    const char *const unit = bytes < KILO ? "B" : bytes < MEGA ? "kB" : "MB";
    const int64_t size = bytes < KILO ? 1 : bytes < MEGA ? KILO : MEGA;
    spean_money_count(bytes / size, count);
    (void)snprintf(out, BYTES_TEXT, "%s %s", count, unit);
}

/* One partner: what would come from it and go to it, and as of when that is known. */
static void plan_line(struct spean_out *out, const json_t *partner, int64_t now)
{
    const json_t *const fetch = json_object_get(partner, "fetch");
    const json_t *const send = json_object_get(partner, "send");
    char who[SPEAN_WHO_BYTES_MAX];
    char changes[2][SPEAN_MONEY_BYTES_MAX];
    char bytes[2][BYTES_TEXT];
    char ago[SPEAN_TIMETEXT_BYTES_MAX];
    int64_t contact = 0;
    spean_jsonget_who(partner, "org", "name", who);
    if (!json_is_object(fetch) || !json_is_object(send)) {
        spean_out_line(out, _("%s: never met, so nothing is known"), who);
        return;
    }
    spean_money_count(spean_jsonget_number(fetch, "changes"), changes[0]);
    spean_money_count(spean_jsonget_number(send, "changes"), changes[1]);
    bytes_text(spean_jsonget_number(fetch, "bytes"), bytes[0]);
    bytes_text(spean_jsonget_number(send, "bytes"), bytes[1]);
    spean_out_line(out,
                   COUNTED_(spean_jsonget_number(fetch, "changes"),
                            "%s: would fetch %s change, about %s; would send %s, about %s",
                            "%s: would fetch %s changes, about %s; would send %s, about %s"),
                   who, changes[0], bytes[0], changes[1], bytes[1]);
    if (!spean_jsonget_true(partner, "connected")) {
        if (spean_timetext_parse(spean_jsonget_text(partner, "last_contact"), &contact) !=
            SPEAN_OK) {
            contact = 0;
        }
        spean_timetext_ago(now, contact, ago);
        spean_out_line(out, _("  not connected; as it was when we last met: %s"), ago);
    }
}

static enum spean_exit plan_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit =
        spean_call_request(call, "GET", "/v1/sync/plan", NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    const json_t *const partners = json_object_get(reply, "partners");
    const json_t *const fetch = json_object_get(reply, "fetch");
    const int64_t now = (int64_t)time(NULL);
    for (size_t i = 0; i < json_array_size(partners); i++) {
        plan_line(out, json_array_get(partners, i), now);
    }
    char changes[SPEAN_MONEY_BYTES_MAX];
    char bytes[BYTES_TEXT];
    const int64_t count = spean_jsonget_number(fetch, "changes");
    spean_money_count(count, changes);
    bytes_text(spean_jsonget_number(fetch, "bytes"), bytes);
    spean_out_note(out,
                   COUNTED_(count, "Together %s change would be fetched, about %s.",
                            "Together %s changes would be fetched, about %s."),
                   changes, bytes);
    const int64_t bodies = spean_jsonget_number(reply, "missing_bodies");
    if (bodies > 0) {
        spean_money_count(bodies, changes);
        spean_out_note(out, _("Contents that are still missing here: %s."), changes);
    }
    if (spean_jsonget_true(reply, "paused")) {
        spean_out_note(out, "%s", _("Sync is paused: nothing goes out or comes in now."));
        spean_out_next(out, "spean sync resume");
    } else {
        spean_out_next(out, "spean sync now");
    }
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}

static const struct spean_command commands[] = {
    {
        .path = "sync now",
        .summary = N_("Dial every partner now, instead of when it is due"),
        .text = N_("The node dials by itself; this only saves waiting. With --wait it returns "
                   "once every partner that can be reached is in step. The exit code is 3 while "
                   "somebody is not."),
        .flags =
            (const struct spean_flag[]){
                {.name = "wait",
                 .kind = SPEAN_KIND_NUMBER,
                 .value = "SECONDS",
                 .help = N_("how long to wait at most, up to 3600; otherwise not at all")},
                {0},
            },
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean sync now", "spean sync now --wait 60", NULL},
        .run = now_run,
    },
    {
        .path = "sync plan",
        .summary = N_("Show what a sync would fetch and send, and do nothing"),
        .text = N_("For each partner: how many changes it has that are not here, and how many are "
                   "here and not there, whoever wrote them, by what it told last. A partner that "
                   "is not connected may have written more since, or got it from others. What "
                   "would be sent is weighed as it would travel, without contents that are not "
                   "for the other side; what would be fetched is estimated."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean sync plan", NULL},
        .run = plan_run,
    },
    {
        .path = "sync pause",
        .summary = N_("Let nothing go out or come in for now"),
        .text = N_("Hangs up on every partner and dials nobody until \"spean sync resume\", also "
                   "after a restart. For an expensive link, or while something is looked into. "
                   "Nobody is told why; to partners this node is offline."),
        .inverse = "sync resume",
        .examples = (const char *const[]){"spean sync pause", NULL},
        .run = pause_run,
    },
    {
        .path = "sync resume",
        .summary = N_("Sync again after a pause"),
        .text = N_("Dials partners at once, and answers them again."),
        .inverse = "sync pause",
        .examples = (const char *const[]){"spean sync resume", NULL},
        .run = resume_run,
    },
    {0},
};

const struct spean_group spean_group_sync = {
    .name = "sync",
    .summary = N_("Keeping in step with partners"),
    .commands = commands,
};
