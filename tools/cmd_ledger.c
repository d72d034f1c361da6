#include "tools/groups.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "protocol/limits.h"
#include "protocol/text.h"
#include "tools/call.h"
#include "tools/compose.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/jsonget.h"
#include "tools/out.h"
#include "tools/timetext.h"
#include "tools/unlocking.h"

#define SPAN_BYTES 64u

/* Describe what stands in the way of the document that was to be signed. */
static enum spean_exit refuse(spean_err err, struct spean_problem *problem)
{
    if (err == SPEAN_EDENIED) {
        (void)spean_problem_set(problem, SPEAN_EXIT_DENIED, "not_permitted", "%s",
                                _("this admin key cannot speak for the organisation of this node"));
        spean_problem_hint(problem, "%s", _("give its own with --admin-key FILE"));
        return SPEAN_EXIT_DENIED;
    }
    if (err == SPEAN_ESTATE) {
        return spean_problem_set(problem, SPEAN_EXIT_STATE, "wrong_state", "%s",
                                 _("this organisation belongs to a ledger already"));
    }
    if (err == SPEAN_EINPUT) {
        return spean_problem_usage(problem, _("--name is empty or longer than %u bytes"),
                                   SPEAN_LEDGER_NAME_BYTES_MAX);
    }
    return spean_problem_err(problem, err, "ledger found");
}

/* Have the daemon's node agree to the ledger. */
static enum spean_exit node_accept(struct spean_call *call, const struct spean_handle *handle,
                                   json_t **acceptance, struct spean_problem *problem)
{
    char hex[2 * SPEAN_HANDLE_BYTES + 1];
    spean_text_hex_encode(hex, sizeof(hex), (struct spean_view){handle->bytes, SPEAN_HANDLE_BYTES});
    json_t *const body = json_pack("{s:s}", "handle", hex);
    if (body == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "ledger found");
    }
    const enum spean_exit exit =
        spean_call_request(call, "POST", "/v1/node/accept", body, acceptance, problem);
    json_decref(body);
    return exit;
}

static enum spean_exit tell(struct spean_call *call, const json_t *ledger)
{
    struct spean_out *const out = spean_call_out(call);
    char id[SPEAN_IDTEXT_SHORT_BYTES];
    spean_idtext_short(spean_jsonget_text(ledger, "id"), id);
    spean_out_json(out, ledger);
    spean_out_done(out, _("ledger founded   %s   %s"), spean_jsonget_text(ledger, "name"), id);
    spean_out_note(out, "%s",
                   _("Your organisation is its only member and its steward: nobody comes in "
                     "without this admin key. Agencies that you add are for all members to see."));
    spean_out_next(out, "spean member invite");
    return SPEAN_EXIT_DONE;
}

static enum spean_exit dry_run_tell(struct spean_call *call, const char *name, uint64_t delay_s,
                                    struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *const object = json_pack("{s:b,s:s,s:I}", "dry_run", 1, "name", name, "erasure_delay_s",
                                     (json_int_t)delay_s);
    if (object == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "ledger found");
    }
    spean_out_json(out, object);
    json_decref(object);
    spean_out_line(out, _("would found the ledger \"%s\" with this organisation as its steward"),
                   name);
    return SPEAN_EXIT_DONE;
}

/* Send both documents and tell what the daemon made of them. */
static enum spean_exit found_send(struct spean_call *call, const struct spean_composed *charter,
                                  const struct spean_composed *statement,
                                  struct spean_problem *problem)
{
    json_t *reply = NULL;
    json_t *const body =
        json_pack("{s:O,s:O}", "charter", charter->hex, "statement", statement->hex);
    if (body == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "ledger found");
    }
    const enum spean_exit exit =
        spean_call_request(call, "POST", "/v1/ledger", body, &reply, problem);
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    const enum spean_exit told = tell(call, reply);
    json_decref(reply);
    return told;
}

/* Read how long an erasure can be stopped: "0", or a length of time. */
static enum spean_exit delay_get(const struct spean_call *call, uint64_t *delay_s,
                                 struct spean_problem *problem)
{
    const char *const text = spean_call_value(call, "erasure-delay");
    int64_t seconds = 0;
    *delay_s = SPEAN_COMPOSE_DELAY_S;
    if (text == NULL) {
        return SPEAN_EXIT_DONE;
    }
    const bool none = strcmp(text, "0") == 0;
    if (!none && (spean_timetext_span(text, &seconds) != SPEAN_OK ||
                  (uint64_t)seconds > SPEAN_ERASURE_DELAY_MAX)) {
        (void)spean_problem_usage(problem, _("--%s cannot be \"%s\""), "erasure-delay", text);
        spean_problem_hint(problem, "%s", _("a length of time up to a year, 72h or 3d; or 0"));
        return SPEAN_EXIT_USAGE;
    }
    *delay_s = (uint64_t)seconds;
    return SPEAN_EXIT_DONE;
}

/* Compose the charter, then the statement that opens this node in it. */
static enum spean_exit found_with(struct spean_call *call, const struct spean_adminkey *admin,
                                  const json_t *node, struct spean_problem *problem)
{
    const char *const name = spean_call_value(call, "name");
    uint8_t random[SPEAN_CHARTER_RANDOM_BYTES];
    struct spean_composed charter;
    struct spean_composed statement;
    uint64_t delay_s = 0;
    const enum spean_exit read = delay_get(call, &delay_s, problem);
    if (read != SPEAN_EXIT_DONE) {
        return read;
    }
    randombytes_buf(random, sizeof(random));
    spean_err err = spean_compose_genesis(admin, name, delay_s, random, &charter);
    if (err != SPEAN_OK) {
        return refuse(err, problem);
    }
    if (spean_call_globals(call)->dry_run) {
        json_decref(charter.hex);
        return dry_run_tell(call, name, delay_s, problem);
    }
    const struct spean_handle handle = spean_handle_of(&charter.id);
    json_t *acceptance = NULL;
    enum spean_exit exit = node_accept(call, &handle, &acceptance, problem);
    if (exit == SPEAN_EXIT_DONE) {
        err = spean_compose_node(admin, node, &handle, acceptance, &statement);
        if (err != SPEAN_OK) {
            exit = refuse(err, problem);
        } else {
            exit = found_send(call, &charter, &statement, problem);
            json_decref(statement.hex);
        }
    }
    json_decref(acceptance);
    json_decref(charter.hex);
    return exit;
}

static enum spean_exit found_run(struct spean_call *call, struct spean_problem *problem)
{
    json_t *node = NULL;
    enum spean_exit exit = spean_call_request(call, "GET", "/v1/node", NULL, &node, problem);
    if (node == NULL) {
        return exit;
    }
    struct spean_adminkey *admin = NULL;
    if (spean_jsonget_true(node, "in_ledger")) {
        exit = refuse(SPEAN_ESTATE, problem);
    } else {
        exit = spean_unlocking_admin(call, &admin, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = found_with(call, admin, node, problem);
    }
    spean_adminkey_free(admin);
    json_decref(node);
    return exit;
}

/* Write a length of time in the largest unit that it is a whole number of. */
static void span_write(int64_t seconds, char out[SPAN_BYTES])
{
    const int64_t day = 24 * 60 * 60;
    const int64_t hour = 60 * 60;
    const int64_t minute = 60;
    if (seconds == 0) {
        (void)snprintf(out, SPAN_BYTES, "%s", _("not at all"));
    } else if (seconds % day == 0) {
        (void)snprintf(out, SPAN_BYTES,
                       COUNTED_(seconds / day, "%" PRId64 " day", "%" PRId64 " days"),
                       seconds / day);
    } else if (seconds % hour == 0) {
        (void)snprintf(out, SPAN_BYTES,
                       COUNTED_(seconds / hour, "%" PRId64 " hour", "%" PRId64 " hours"),
                       seconds / hour);
    } else if (seconds % minute == 0) {
        (void)snprintf(out, SPAN_BYTES,
                       COUNTED_(seconds / minute, "%" PRId64 " minute", "%" PRId64 " minutes"),
                       seconds / minute);
    } else {
        (void)snprintf(out, SPAN_BYTES,
                       COUNTED_(seconds, "%" PRId64 " second", "%" PRId64 " seconds"), seconds);
    }
}

static void stewards_add(struct spean_grid *grid, const json_t *stewards)
{
    size_t i;
    json_t *steward;
    json_array_foreach(stewards, i, steward)
    {
        char brief[SPEAN_IDTEXT_SHORT_BYTES];
        spean_idtext_short(spean_jsonget_text(steward, "org"), brief);
        spean_grid_cell(grid, "%s", i == 0 ? _("stewards") : "");
        spean_grid_cell(grid, "%s   %s", spean_jsonget_text(steward, "name"), brief);
    }
}

/* Print what the charter says, without what only programs compare. */
static spean_err ledger_print(struct spean_out *out, const json_t *ledger)
{
    char span[SPAN_BYTES];
    struct spean_grid *grid;
    const spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    span_write(spean_jsonget_number(ledger, "erasure_delay_s"), span);
    spean_grid_column(grid, NULL, false);
    spean_grid_column(grid, NULL, false);
    spean_grid_cell(grid, "%s", _("name"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(ledger, "name"));
    spean_grid_cell(grid, "%s", _("id"));
    spean_grid_cell(grid, "%s", spean_jsonget_text(ledger, "id"));
    spean_grid_cell(grid, "%s", _("version of its charter"));
    spean_grid_cell(grid, "%" PRId64, spean_jsonget_number(ledger, "version"));
    spean_grid_cell(grid, "%s", _("members"));
    spean_grid_cell(grid, "%" PRId64, spean_jsonget_number(ledger, "members"));
    stewards_add(grid, json_object_get(ledger, "stewards"));
    spean_grid_cell(grid, "%s", _("stewards that a change needs"));
    spean_grid_cell(grid, "%" PRId64, spean_jsonget_number(ledger, "threshold"));
    spean_grid_cell(grid, "%s", _("an erasure can be stopped for"));
    spean_grid_cell(grid, "%s", span);
    spean_out_grid(out, grid);
    spean_grid_free(grid);
    return SPEAN_OK;
}

static enum spean_exit show_run(struct spean_call *call, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *reply = NULL;
    const enum spean_exit exit =
        spean_call_request(call, "GET", "/v1/ledger", NULL, &reply, problem);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(out, reply);
    const spean_err err = ledger_print(out, reply);
    json_decref(reply);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "ledger show");
}

static const struct spean_flag found_flags[] = {
    {.name = "name",
     .kind = SPEAN_KIND_TEXT,
     .value = "NAME",
     .required = true,
     .help = N_("what the partners will call the ledger; it never changes")},
    {.name = "erasure-delay",
     .kind = SPEAN_KIND_TEXT,
     .value = "TIME",
     .help = N_("how long an erasure can be stopped before it destroys: 72h; 3d if not given")},
    SPEAN_FLAG_ADMIN_KEY,
    SPEAN_FLAG_ADMIN_PASSPHRASE_FILE,
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "ledger found",
        .summary = N_("Found a ledger that partners can be invited to"),
        .text = N_("Signs, with the admin key, the charter of a new ledger: your organisation is "
                   "its first member and its steward. An organisation belongs to one ledger; if "
                   "partners have one already, join theirs. Nothing leaves this machine before "
                   "somebody is invited."),
        .flags = found_flags,
        .questions = (const struct spean_question[]){SPEAN_QUESTION_ADMIN_PASSPHRASE, {0}},
        .inverse = SPEAN_INVERSE_NONE,
        .examples =
            (const char *const[]){"spean ledger found --name \"Mekong Referral Ledger\"", NULL},
        .run = found_run,
    },
    {
        .path = "ledger show",
        .summary = N_("Show the ledger: its rules, stewards and members"),
        .text = N_("Prints what the charter in force says: the name, who the stewards are and how "
                   "many of them a change needs, and how long an erasure can be stopped."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean ledger show", NULL},
        .run = show_run,
    },
    {0},
};

const struct spean_group spean_group_ledger = {
    .name = "ledger",
    .summary = N_("The ledger that partners share"),
    .commands = commands,
};
