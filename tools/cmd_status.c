#include "tools/groups.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/following.h"
#include "tools/i18n.h"
#include "tools/interrupt.h"
#include "tools/jsonget.h"
#include "tools/money.h"
#include "tools/out.h"
#include "tools/partners.h"

#define LINE_BYTES_MAX 512u
#define WATCH_S        2u

/* What waits for a person, in the order of urgency. */
static const struct {
    const char *key;
    const char *one;
    const char *many;
} todo_rows[] = {
    {"referrals_to_answer", N_COUNTED_("referral to answer", "referrals to answer")},
    {"unread", N_COUNTED_("unread", "unread")},
    {"overdue", N_COUNTED_("overdue", "overdue")},
    {"not_sent", N_COUNTED_("not sent yet", "not sent yet")},
    {"decisions", N_COUNTED_("needs a decision", "need a decision")},
    {"pending", N_COUNTED_("newcomer to approve", "newcomers to approve")},
    {"retention_due", N_COUNTED_("case whose time is up", "cases whose time is up")},
    {"aside", N_COUNTED_("set aside", "set aside")},
};

/* Put the counts that are not zero into one line; "" if there are none. */
static void todo_write(const json_t *todo, char line[LINE_BYTES_MAX])
{
    size_t used = 0;
    line[0] = '\0';
    for (size_t i = 0; i < sizeof(todo_rows) / sizeof(todo_rows[0]); i++) {
        const int64_t count = spean_jsonget_number(todo, todo_rows[i].key);
        if (count <= 0) {
            continue;
        }
        char number[SPEAN_MONEY_BYTES_MAX];
        spean_money_count(count, number);
        const int len =
            snprintf(line + used, LINE_BYTES_MAX - used, "%s%s %s", used == 0 ? "" : " · ", number,
                     COUNTED_(count, todo_rows[i].one, todo_rows[i].many));
        if (len < 0 || (size_t)len >= LINE_BYTES_MAX - used) {
            line[used] = '\0'; /* A translation beyond all measure. */
            return;
        }
        used += (size_t)len;
    }
}

static void health_print(struct spean_out *out, const json_t *health)
{
    const json_t *const problems = json_object_get(health, "problems");
    if (spean_jsonget_true(health, "ok")) {
        spean_out_line(out, "%s", _("Health:  ok"));
        return;
    }
    spean_out_line(out, "%s", _("Health:  not well"));
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *const problem = json_array_get(problems, i);
        const char *const text = json_string_value(problem);
        spean_out_line(out, "  %s", text == NULL ? spean_jsonget_text(problem, "message") : text);
    }
}

/* Bytes matter to those who set a cap. */
static void traffic_print(struct spean_out *out, const json_t *sync)
{
    char bytes[SPEAN_MONEY_BYTES_MAX];
    char cap[SPEAN_MONEY_BYTES_MAX];
    if (!json_is_integer(json_object_get(sync, "cap"))) {
        return;
    }
    spean_money_count(spean_jsonget_number(sync, "bytes_today"), bytes);
    spean_money_count(spean_jsonget_number(sync, "cap"), cap);
    spean_out_line(out, _("Traffic: %s of %s bytes today"), bytes, cap);
}

static enum spean_exit print(struct spean_call *call, const json_t *status,
                             struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    char todo[LINE_BYTES_MAX];
    const spean_err err =
        spean_partners_print(out, json_object_get(status, "partners"), (int64_t)time(NULL));
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "status");
    }
    todo_write(json_object_get(status, "todo"), todo);
    spean_out_line(out, _("To do:   %s"), todo[0] == '\0' ? _("nothing") : todo);
    traffic_print(out, json_object_get(status, "sync"));
    health_print(out, json_object_get(status, "health"));
    if (spean_jsonget_number(json_object_get(status, "todo"), "retention_due") > 0) {
        spean_out_next(out, "spean case list --due");
    }
    if (spean_jsonget_true(status, "locked")) {
        spean_out_line(out, "%s", _("The node is locked."));
        spean_out_next(out, "spean unlock");
    } else if (json_object_get(status, "ledger") == NULL ||
               json_is_null(json_object_get(status, "ledger"))) {
        spean_out_line(out, "%s", _("The node is in no ledger yet."));
        spean_out_next(out, "%s",
                       _("spean ledger found --name NAME   or   spean member join CODE"));
    }
    return spean_jsonget_true(status, "attention") ? SPEAN_EXIT_ATTENTION : SPEAN_EXIT_DONE;
}

/* Wait, or until somebody presses Ctrl-C. */
static void pause_s(uint64_t seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};
    while (!spean_interrupted() && clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

/* Whether two answers tell a person the same: figures that never stand still do not count. */
static bool is_same(const json_t *a, const json_t *b)
{
    static const char *const restless[][2] = {
        {"room", "used_bytes"}, {"room", "left_bytes"}, {"sync", "bytes_today"}};
    json_t *const copies[] = {json_deep_copy(a), json_deep_copy(b)};
    for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
        for (size_t k = 0; k < sizeof(restless) / sizeof(restless[0]); k++) {
            /* What is not there need not be taken out. */
            (void)json_object_del(json_object_get(copies[i], restless[k][0]), restless[k][1]);
        }
    }
    const bool same = json_equal(copies[0], copies[1]) != 0;
    json_decref(copies[0]);
    json_decref(copies[1]);
    return same;
}

/* Print the status each time that it is another one. */
static enum spean_exit watch(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const uint64_t most = spean_call_number(call, "count", 0);
    json_t *last = NULL;
    uint64_t count = 0;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    while (!spean_interrupted() && (most == 0 || count < most)) {
        json_t *reply = NULL;
        exit = spean_call_request(call, "GET", "/v1/status", NULL, &reply, problem);
        if (reply == NULL) {
            break;
        }
        if (!is_same(reply, last)) {
            spean_out_json_line(out, reply);
            exit = print(call, reply, problem);
            spean_out_line(out, "%s", "");
            spean_out_flush(out);
            count++;
        }
        json_decref(last);
        last = reply;
        if (most == 0 || count < most) {
            pause_s(WATCH_S);
        }
    }
    json_decref(last);
    if (spean_interrupted()) {
        *problem = (struct spean_problem){.code = ""}; /* That is how it is meant to end. */
        exit = SPEAN_EXIT_INTERRUPTED;
    }
    if (problem->code[0] == '\0') {
        spean_following_summary(out, count, NULL);
    }
    return exit;
}

static enum spean_exit status_run(struct spean_call *call, struct spean_problem *problem)
{
    if (spean_call_given(call, "watch")) {
        return watch(call, problem);
    }
    json_t *reply = NULL;
    const enum spean_exit exit =
        spean_call_request(call, "GET", "/v1/status", NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(spean_call_out(call), reply);
    const enum spean_exit printed = print(call, reply, problem);
    json_decref(reply);
    return printed;
}

static const struct spean_command commands[] = {
    {
        .path = "status",
        .summary = N_("Show what is in step with whom, and what waits for you"),
        .text = N_("One line for each partner: what we have of theirs and they of ours, when they "
                   "were last seen, and by which way. Offline is normal: what waits leaves by "
                   "itself. The exit code is 3 while something waits for a person."),
        .flags =
            (const struct spean_flag[]){
                {.name = "watch",
                 .kind = SPEAN_KIND_NONE,
                 .help = N_("go on, and print it again whenever it has changed")},
                SPEAN_FLAG_COUNT,
                {0},
            },
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean status", "spean status --json",
                                          "spean status --watch", NULL},
        .run = status_run,
    },
    {0},
};

const struct spean_group spean_group_status = {
    .name = "status",
    .summary = N_("How things stand"),
    .commands = commands,
};
