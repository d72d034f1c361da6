#include "tools/groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/client.h"
#include "tools/following.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"

#define WHAT_BYTES 512u

/* What an event is about: an organisation, or a record by its code or the beginning of its id. */
static void subject_write(const json_t *event, char out[SPEAN_WHO_BYTES_MAX])
{
    const char *const code = spean_jsonget_text(event, "code");
    out[0] = '\0';
    if (spean_jsonget_text(event, "org")[0] != '\0') {
        spean_jsonget_who(event, "org", "name", out);
    } else if (code[0] != '\0') {
        (void)snprintf(out, SPEAN_WHO_BYTES_MAX, "%s", code);
    } else if (spean_jsonget_text(event, "id")[0] != '\0') {
        spean_idtext_short(spean_jsonget_text(event, "id"), out);
    }
}

/* What is so now. */
static void what_write(const json_t *event, char out[WHAT_BYTES])
{
    const json_t *const problem =
        json_array_get(json_object_get(event, "problems"), 0); /* status has all of them. */
    const char *const state = spean_jsonget_text(event, "state");
    const char *const status = spean_jsonget_text(event, "status");
    const int64_t conflicts = spean_jsonget_number(event, "conflicts");
    const char *const text = state[0] != '\0' ? state : status;
    (void)snprintf(out, WHAT_BYTES, "%s%s%s", text,
                   json_is_true(json_object_get(event, "ok")) ? _("ok") : "",
                   json_is_string(problem) ? json_string_value(problem) : "");
    if (strcmp(spean_jsonget_text(event, "event"), "charter") == 0) {
        (void)snprintf(out, WHAT_BYTES, _("version %" PRId64),
                       spean_jsonget_number(event, "version"));
    }
    if (conflicts > 0) {
        (void)snprintf(out, WHAT_BYTES, "%s   %s", text, _("needs a decision"));
    }
    if (json_is_integer(json_object_get(event, "waiting"))) {
        (void)snprintf(out, WHAT_BYTES, _("%" PRId64 " to approve"),
                       spean_jsonget_number(event, "waiting"));
    }
}

static void event_print(struct spean_out *out, const json_t *event)
{
    char when[SPEAN_WHEN_BYTES_MAX];
    char who[SPEAN_WHO_BYTES_MAX];
    char what[WHAT_BYTES];
    spean_jsonget_when(event, "at", when);
    subject_write(event, who);
    what_write(event, what);
    spean_out_line(out, "%s   %s   %s   %s", when, spean_jsonget_text(event, "event"), who, what);
}

/* Print what there is page by page, and where to go on. */
static enum spean_exit print_all(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const uint64_t most = spean_call_number(call, "count", 0);
    uint64_t count = 0;
    const char *const after = spean_call_value(call, "after");
    json_t *last = json_string(after == NULL ? "" : after);
    enum spean_exit exit = SPEAN_EXIT_DONE;
    bool more = true;
    while (exit == SPEAN_EXIT_DONE && more) {
        char path[SPEAN_CLIENT_PATH_BYTES_MAX] = "/v1/events";
        json_t *page = NULL;
        if (spean_listing_query(path, "after", json_string_value(last)) != SPEAN_OK) {
            exit = spean_problem_usage(problem, "%s", _("what is asked for is too long"));
            break;
        }
        exit = spean_call_request(call, "GET", path, NULL, &page, problem);
        const json_t *const items = json_object_get(page, "items");
        for (size_t i = 0; i < json_array_size(items) && (most == 0 || count < most); i++) {
            const json_t *const event = json_array_get(items, i);
            spean_out_json_line(out, event);
            event_print(out, event);
            json_decref(last);
            last = json_incref(json_object_get(event, "cursor"));
            count++;
        }
        more = json_is_string(json_object_get(page, "next")) && (most == 0 || count < most);
        if (exit == SPEAN_EXIT_DONE && (most == 0 || count < most)) {
            json_decref(last); /* Records that could not be told of are passed over, too. */
            last = json_incref(json_object_get(page, "cursor"));
        }
        json_decref(page);
    }
    if (exit == SPEAN_EXIT_DONE) {
        spean_following_summary(out, count, last);
        spean_out_next(out, "spean events --follow --after %s",
                       json_is_string(last) ? json_string_value(last) : "now");
    }
    json_decref(last);
    return exit;
}

static enum spean_exit events_run(struct spean_call *call, struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX] = "/v1/events?follow=1";
    if (!spean_call_given(call, "follow")) {
        return print_all(call, problem);
    }
    const char *const after = spean_call_value(call, "after");
    if (spean_listing_query(path, "after", after) != SPEAN_OK) {
        return spean_problem_usage(problem, "%s", _("what is asked for is too long"));
    }
    json_t *const from = after == NULL || strcmp(after, "now") == 0 ? NULL : json_string(after);
    const struct spean_following what = {.path = path,
                                         .place = "cursor",
                                         .from = from,
                                         .count = spean_call_number(call, "count", 0),
                                         .print = event_print};
    const enum spean_exit exit = spean_following_run(call, &what, problem);
    json_decref(from);
    return exit;
}

static const struct spean_flag events_flags[] = {
    {.name = "after",
     .kind = SPEAN_KIND_TEXT,
     .value = "CURSOR",
     .help = N_("begin behind this place, which every event names; now: only what is to come")},
    {.name = "follow", .kind = SPEAN_KIND_NONE, .help = N_("go on as more happens")},
    SPEAN_FLAG_COUNT,
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "events",
        .summary = N_("Print what has changed, and what changes"),
        .text = N_("One line for each record at its last change, each member and charter, and with "
                   "--follow also for partners that come and go and for the health of the node. It "
                   "has ids, codes and states, and nothing that anybody wrote: for programs that "
                   "notify people. Go on later with --after and the last cursor; nothing is "
                   "missed, also when the node was started again meanwhile."),
        .flags = events_flags,
        .inverse = SPEAN_INVERSE_READS,
        .examples =
            (const char *const[]){"spean events", "spean events --follow --after now --json", NULL},
        .run = events_run,
    },
    {0},
};

const struct spean_group spean_group_events = {
    .name = "events",
    .summary = N_("What happens"),
    .commands = commands,
};
