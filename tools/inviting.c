#include "tools/inviting.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "store/file.h"
#include "tools/client.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/qr.h"
#include "tools/sink.h"
#include "tools/timetext.h"

#define EXPIRES_S          604800 /* A week. */
#define ENDPOINT_BYTES_MAX 256u
#define TCP                "tcp://"

/* What is asked of the daemon: how long, and where the newcomer shall knock. */
static enum spean_exit body_make(struct spean_call *call, json_t **body,
                                 struct spean_problem *problem)
{
    const char *const expires = spean_call_value(call, "expires");
    const char *const endpoint = spean_call_value(call, "endpoint");
    int64_t expires_s = EXPIRES_S;
    if (expires != NULL && spean_timetext_span(expires, &expires_s) != SPEAN_OK) {
        (void)spean_problem_usage(problem, _("--expires cannot be \"%s\""), expires);
        spean_problem_hint(problem, "%s", _("a number and s, m, h, d or w: 12h, 7d"));
        return SPEAN_EXIT_USAGE;
    }
    json_t *const object = json_pack("{s:I}", "expires_s", (json_int_t)expires_s);
    bool good = object != NULL;
    if (good && endpoint != NULL) {
        const bool has_scheme = strncmp(endpoint, TCP, strlen(TCP)) == 0;
        char full[ENDPOINT_BYTES_MAX];
        const int len = snprintf(full, sizeof(full), "%s%s", has_scheme ? "" : TCP, endpoint);
        if (len < 0 || (size_t)len >= sizeof(full)) {
            json_decref(object);
            return spean_problem_usage(problem, "%s", _("--endpoint is too long"));
        }
        good = json_object_set_new(object, "endpoint", json_string(full)) == 0;
    }
    if (!good) {
        json_decref(object);
        return spean_problem_err(problem, SPEAN_ENOMEM, spean_call_path(call));
    }
    *body = object;
    return SPEAN_EXIT_DONE;
}

/* Give the code: into a new file, or as a line and perhaps as a picture. */
static enum spean_exit tell(struct spean_call *call, const json_t *reply, bool node,
                            struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const path = spean_call_value(call, "out");
    const char *const code = spean_jsonget_text(reply, "code");
    const long long number = spean_jsonget_number(reply, "number");
    char when[SPEAN_WHEN_BYTES_MAX];
    if (path != NULL) {
        const spean_err err = spean_file_write_new(
            path, (struct spean_view){.data = (const uint8_t *)code, .len = strlen(code)});
        if (err != SPEAN_OK) {
            (void)spean_problem_err(problem, err, path);
            spean_problem_hint(problem, "%s",
                               _("an invitation was made, but nobody has it; make another one"));
            return problem->exit;
        }
    }
    spean_out_json(out, reply);
    if (path == NULL) {
        spean_out_line(out, "%s", code);
    }
    if (spean_call_given(call, "qr") && !spean_out_is_json(out)) {
        const spean_err err = spean_qr_print(out, code);
        if (err != SPEAN_OK) {
            return spean_problem_err(problem, err, "--qr");
        }
    }
    spean_jsonget_when(reply, "expires", when);
    if (node) {
        spean_out_done(out, _("invitation %lld made, for one node of ours, until %s"), number,
                       when);
        spean_out_note(out, "%s",
                       _("Carry it to the other machine. It lets nothing in by itself: you compare "
                         "eight digits and approve."));
        spean_out_next(out, "spean node list");
        return SPEAN_EXIT_DONE;
    }
    spean_out_done(out, _("invitation %lld made, for one organisation, until %s"), number, when);
    spean_out_note(out, "%s",
                   _("Give it to them by a way that you trust. It lets nobody in by itself: you "
                     "compare eight digits and approve."));
    spean_out_next(out, "spean member pending");
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_inviting_run(struct spean_call *call, bool node,
                                   struct spean_problem *problem)
{
    const char *const path = node ? "/v1/nodes/invitations" : "/v1/invitations";
    const char *const out = spean_call_value(call, "out");
    json_t *body = NULL;
    json_t *reply = NULL;
    if (out != NULL && spean_sink_is_there(out)) {
        return spean_sink_refuse(out, EEXIST, problem); /* Before an invitation is made in vain. */
    }
    enum spean_exit exit = body_make(call, &body, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_request(call, "POST", path, body, &reply, problem);
    }
    json_decref(body);
    if (reply != NULL) {
        exit = tell(call, reply, node, problem);
    }
    json_decref(reply);
    return exit;
}

static void invitation_add(struct spean_grid *grid, const json_t *item)
{
    char when[SPEAN_WHEN_BYTES_MAX];
    spean_jsonget_when(item, "expires", when);
    spean_grid_cell(grid, "%lld", (long long)spean_jsonget_number(item, "number"));
    spean_grid_cell(grid, "%s", when);
}

enum spean_exit spean_inviting_list(struct spean_call *call, bool node,
                                    struct spean_problem *problem)
{
    static const char *const columns[] = {N_("INVITATION"), N_("CAN BE USED UNTIL"), NULL};
    return spean_listing_print(
        call, node ? "/v1/invitations?for=node" : "/v1/invitations?for=organisation", columns,
        invitation_add, problem);
}

enum spean_exit spean_inviting_cancel(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    json_t *reply = NULL;
    const char *const number = spean_call_value(call, "number");
    const spean_err err = spean_client_path(path, "/v1/invitations/%s/cancel", number);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, spean_call_path(call));
    }
    const enum spean_exit exit = spean_call_request(call, "POST", path, NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    if (strcmp(spean_jsonget_text(reply, "for"), "node") == 0) {
        spean_out_done(out, _("invitation %s, for one node of ours, was taken back"), number);
        spean_out_next(out, "spean node invite");
    } else {
        spean_out_done(out, _("invitation %s, for one organisation, was taken back"), number);
        spean_out_next(out, "spean member invite");
    }
    spean_out_note(out, "%s", _("Whoever has its code gets nowhere with it."));
    json_decref(reply);
    return SPEAN_EXIT_DONE;
}
