#include "tools/joining.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <sodium.h>

#include "protocol/invite.h"
#include "protocol/text.h"
#include "store/secret.h"
#include "tools/choosing.h"
#include "tools/compose.h"
#include "tools/digits.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/input.h"
#include "tools/interrupt.h"
#include "tools/jsonget.h"
#include "tools/newnode.h"
#include "tools/out.h"
#include "tools/unlocking.h"
#include "tools/vformat.h"

#define TCP            "tcp://"
#define CODE_BYTES_MAX 512u
#define PAUSE_FIRST_MS 100u
#define PAUSE_LAST_MS  2000u
#define MS_PER_S       1000u
#define NS_PER_MS      1000000L

/* What an organisation and a further node of one do differently. */
struct way {
    bool node;
    const char *again;      /* The command that looks again. */
    const char *give;       /* The command that begins. */
    const char *invite;     /* The command by which they invite. */
    const char *other_kind; /* What to say to an invitation of the other kind. */
};

static const struct way of_org = {
    .again = "spean member join",
    .give = N_("give the invitation: spean member join --file FILE"),
    .invite = N_("ask for a new one: spean member invite"),
    .other_kind = N_("this invitation is for one more node: spean node join"),
};

static const struct way of_node = {
    .node = true,
    .again = "spean node join",
    .give = N_("give the invitation: spean node join --file FILE"),
    .invite = N_("make a new one on the other node: spean node invite"),
    .other_kind = N_("this invitation is for an organisation: spean member join"),
};

/* The invitation in words as somebody typed, pasted or saved it. */
struct invitation {
    char code[CODE_BYTES_MAX]; /* In its one spelling. */
    struct spean_invite invite;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* It exists on every POSIX system of today. */
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)(now.tv_nsec / NS_PER_MS);
}

static void pause_ms(unsigned ms)
{
    const struct timespec length = {.tv_sec = (time_t)(ms / MS_PER_S),
                                    .tv_nsec = (long)(ms % MS_PER_S) * NS_PER_MS};
    (void)nanosleep(&length, NULL); /* Broken off by a signal, which the caller looks for. */
}

static enum spean_exit refuse_expired(const struct way *way, struct spean_problem *problem)
{
    (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "expired", "%s",
                            _("the invitation has expired"));
    spean_problem_hint(problem, "%s", _(way->invite));
    return SPEAN_EXIT_STATE;
}

/* Read the code in text into *invitation. */
static enum spean_exit code_read(const struct way *way, const char *text,
                                 struct invitation *invitation, struct spean_problem *problem)
{
    spean_err err = spean_digits_fold(text, invitation->code, sizeof(invitation->code));
    if (err == SPEAN_OK) {
        for (char *at = invitation->code; *at != '\0'; at++) {
            *at = (char)toupper((unsigned char)*at);
        }
        const struct spean_view code = {(const uint8_t *)invitation->code,
                                        strlen(invitation->code)};
        err = spean_invite_decode(&invitation->invite, code);
    }
    if (err == SPEAN_EVERSION) {
        return spean_problem_err(problem, err, _("the invitation"));
    }
    if (err != SPEAN_OK) {
        (void)spean_problem_usage(problem, "%s", _("the invitation is incomplete or mistyped"));
        spean_problem_hint(
            problem, "%s",
            way->node ? _("copy the whole of it: it begins with SPEANNODE1: and has no gaps")
                      : _("copy the whole of it: it begins with SPEAN1: and has no gaps"));
        return SPEAN_EXIT_USAGE;
    }
    if (invitation->invite.node != way->node) {
        return spean_problem_usage(problem, "%s", _(way->other_kind));
    }
    return (int64_t)invitation->invite.expires < (int64_t)time(NULL) ? refuse_expired(way, problem)
                                                                     : SPEAN_EXIT_DONE;
}

/* Get the code from the command line or the file; *given says whether there is one. */
static enum spean_exit invitation_get(struct spean_call *call, const struct way *way,
                                      struct invitation *invitation, bool *given,
                                      struct spean_problem *problem)
{
    const char *const word = spean_call_value(call, "code");
    const char *const path = spean_call_value(call, "file");
    *given = word != NULL || path != NULL;
    if (word != NULL && path != NULL) {
        return spean_problem_usage(problem, "%s", _("give the code or --file, not both"));
    }
    if (word != NULL) {
        return code_read(way, word, invitation, problem);
    }
    if (path == NULL) {
        return SPEAN_EXIT_DONE;
    }
    char *const spec = strcmp(path, "-") == 0 ? strdup(path) : spean_format("@%s", path);
    char *text = NULL;
    if (spec == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    enum spean_exit exit = spean_input_text(spec, CODE_BYTES_MAX, &text, problem);
    free(spec);
    if (exit == SPEAN_EXIT_DONE) {
        exit = code_read(way, text, invitation, problem);
        sodium_memzero(text, strlen(text));
        free(text);
    }
    return exit;
}

/* Say whether the daemon knocks at the door that the invitation names, or has been let in. */
static bool is_under_way(const json_t *joining, const struct invitation *invitation, bool given)
{
    const char *const state = spean_jsonget_text(joining, "state");
    if (strcmp(state, "member") == 0) {
        return true;
    }
    if (strcmp(state, "dialling") != 0 && strcmp(state, "waiting") != 0) {
        return false;
    }
    const char *const peer = spean_jsonget_text(joining, "peer");
    const size_t skip = strncmp(peer, TCP, strlen(TCP)) == 0 ? strlen(TCP) : 0;
    return !given || strcmp(peer + skip, invitation->invite.endpoint) == 0;
}

static enum spean_exit dry_run_tell(struct spean_call *call, const struct way *way,
                                    const struct invitation *invitation,
                                    struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *const object =
        json_pack("{s:b,s:s}", "dry_run", 1, "endpoint", invitation->invite.endpoint);
    if (object == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "member join");
    }
    spean_out_json(out, object);
    json_decref(object);
    spean_out_line(out,
                   way->node ? _("would ask the node at %s to take this node in")
                             : _("would ask the node at %s to take this organisation in"),
                   invitation->invite.endpoint);
    return SPEAN_EXIT_DONE;
}

/* Have the node agree to the ledger, unless its statement says so already. */
static enum spean_exit acceptance_get(struct spean_call *call, const json_t *node,
                                      const struct spean_handle *handle, json_t **acceptance,
                                      struct spean_problem *problem)
{
    if (spean_compose_node_opened(node, handle)) {
        return SPEAN_EXIT_DONE;
    }
    char hex[2 * SPEAN_HANDLE_BYTES + 1];
    spean_text_hex_encode(hex, sizeof(hex), (struct spean_view){handle->bytes, SPEAN_HANDLE_BYTES});
    json_t *const body = json_pack("{s:s}", "handle", hex);
    if (body == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "member join");
    }
    const enum spean_exit exit =
        spean_call_request(call, "POST", "/v1/node/accept", body, acceptance, problem);
    json_decref(body);
    return exit;
}

/* All versions of the statement, the last one behind those that the node has. NULL: no memory. */
static json_t *statements_make(const json_t *node, const struct spean_composed *last)
{
    json_t *const chain = json_copy(json_object_get(node, "statement"));
    if (chain != NULL && last->version > json_array_size(chain) &&
        json_array_append(chain, last->hex) != 0) {
        json_decref(chain);
        return NULL;
    }
    return chain;
}

/* Sign, and have the daemon knock. */
static enum spean_exit knock(struct spean_call *call, const struct spean_adminkey *admin,
                             const json_t *node, const struct invitation *invitation,
                             struct spean_problem *problem)
{
    const struct spean_handle *const handle = &invitation->invite.handle;
    struct spean_composed statement = {.hex = NULL};
    json_t *acceptance = NULL;
    json_t *reply = NULL;
    enum spean_exit exit = acceptance_get(call, node, handle, &acceptance, problem);
    if (exit == SPEAN_EXIT_DONE) {
        const spean_err err = spean_compose_node(admin, node, handle, acceptance, &statement);
        if (err == SPEAN_EDENIED) {
            exit = spean_problem_set(problem, SPEAN_EXIT_DENIED, "not_permitted", "%s",
                                     _("this admin key cannot speak for this organisation"));
        } else if (err == SPEAN_ESTATE) {
            exit = spean_problem_set(problem, SPEAN_EXIT_STATE, "wrong_state", "%s",
                                     _("this organisation belongs to another ledger"));
        } else if (err != SPEAN_OK) {
            exit = spean_problem_err(problem, err, "member join");
        }
    }
    if (exit == SPEAN_EXIT_DONE) {
        json_t *const body = json_pack("{s:s,s:o}", "code", invitation->code, "statements",
                                       statements_make(node, &statement));
        exit = body == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "member join")
                            : spean_call_request(call, "POST", "/v1/join", body, &reply, problem);
        json_decref(body);
    }
    json_decref(reply);
    json_decref(statement.hex);
    json_decref(acceptance);
    return exit;
}

/* A further node signs for itself: its daemon does, and no admin key is asked for. */
static enum spean_exit knock_as_node(struct spean_call *call, const struct invitation *invitation,
                                     struct spean_problem *problem)
{
    json_t *reply = NULL;
    json_t *const body = json_pack("{s:s}", "code", invitation->code);
    const enum spean_exit exit =
        body == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "node join")
                     : spean_call_request(call, "POST", "/v1/nodes/join", body, &reply, problem);
    json_decref(body);
    json_decref(reply);
    return exit;
}

static enum spean_exit begin(struct spean_call *call, const struct invitation *invitation,
                             struct spean_problem *problem)
{
    json_t *node = NULL;
    struct spean_adminkey *admin = NULL;
    enum spean_exit exit = spean_call_request(call, "GET", "/v1/node", NULL, &node, problem);
    if (exit == SPEAN_EXIT_DONE && !spean_call_globals(call)->dry_run) {
        exit = spean_unlocking_admin(call, &admin, problem);
    }
    if (exit == SPEAN_EXIT_DONE && !spean_call_globals(call)->dry_run) {
        exit = knock(call, admin, node, invitation, problem);
    }
    spean_adminkey_free(admin);
    json_decref(node);
    return exit;
}

static void tell_in(struct spean_out *out, const struct way *way)
{
    if (way->node) {
        spean_out_done(out, "%s", _("this node is one of your organisation's"));
        spean_out_note(out, "%s",
                       _("It fetches what your organisation may read; that can take a while."));
    } else {
        spean_out_done(out, "%s", _("your organisation is a member of the ledger"));
        spean_out_note(out, "%s",
                       _("Every member sees its name, its nodes and the agencies it adds."));
    }
    spean_out_next(out, "spean status");
}

/* Say how it ended, or how it stands. */
static enum spean_exit tell(struct spean_call *call, const struct way *way, const json_t *joining,
                            struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const state = spean_jsonget_text(joining, "state");
    if (strcmp(state, "refused") == 0) {
        (void)spean_problem_set(problem, SPEAN_EXIT_DENIED, "refused", "%s",
                                way->node ? _("they sent this node away")
                                          : _("they sent this organisation away"));
        spean_problem_hint(problem, "%s", _("talk to them, and ask for another invitation"));
        return SPEAN_EXIT_DENIED;
    }
    if (strcmp(state, "expired") == 0) {
        return refuse_expired(way, problem);
    }
    spean_out_json(out, joining);
    if (strcmp(state, "member") == 0) {
        tell_in(out, way);
        return SPEAN_EXIT_DONE;
    }
    spean_out_note(out, "%s",
                   strcmp(state, "waiting") == 0
                       ? _("They have not approved yet. The node goes on waiting by itself.")
                       : _("Their node was not reached yet. The node goes on trying by itself."));
    spean_out_next(out, "%s", way->again);
    return SPEAN_EXIT_ATTENTION;
}

/* Show the digits once, as soon as there are any. */
static void digits_show(struct spean_call *call, const json_t *joining, bool *shown)
{
    struct spean_out *const out = spean_call_out(call);
    const char *const digits = spean_jsonget_text(joining, "digits");
    if (*shown || digits[0] == '\0' ||
        strcmp(spean_jsonget_text(joining, "state"), "member") == 0) {
        return;
    }
    *shown = true;
    spean_out_line(out, _("Digits:  %s"), digits);
    spean_out_note(out, "%s",
                   _("Call them, on a number that you know, and read them these digits. Theirs "
                     "must be the same: only then nobody is in between."));
}

static bool is_open(const json_t *joining)
{
    const char *const state = spean_jsonget_text(joining, "state");
    return strcmp(state, "dialling") == 0 || strcmp(state, "waiting") == 0;
}

/* Look until it is decided, time is up or the person has had enough. */
static enum spean_exit wait_and_tell(struct spean_call *call, const struct way *way,
                                     struct spean_problem *problem)
{
    const uint64_t wait_ms = spean_call_number(call, "wait", SPEAN_JOINING_WAIT_S) * MS_PER_S;
    const uint64_t start_ms = now_ms();
    unsigned step_ms = PAUSE_FIRST_MS;
    bool shown = false;
    for (;;) {
        json_t *joining = NULL;
        enum spean_exit exit = spean_call_request(call, "GET", "/v1/join", NULL, &joining, problem);
        if (joining == NULL) {
            return exit;
        }
        digits_show(call, joining, &shown);
        const uint64_t waited_ms = now_ms() - start_ms;
        if (!is_open(joining) || waited_ms >= wait_ms) {
            exit = tell(call, way, joining, problem);
            json_decref(joining);
            return exit;
        }
        spean_out_progress(spean_call_out(call), now_ms(), _("waiting for %s (%u s)"),
                           shown ? _("their approval") : _("their node"),
                           (unsigned)(waited_ms / MS_PER_S));
        json_decref(joining);
        pause_ms(step_ms);
        step_ms = step_ms * 2 > PAUSE_LAST_MS ? PAUSE_LAST_MS : step_ms * 2;
        if (spean_interrupted()) {
            (void)spean_interrupt_problem(problem);
            spean_problem_hint(problem, _("the node goes on by itself; look again: %s"),
                               way->again);
            return problem->exit;
        }
    }
}

/* Decide whether there is something to begin, begin it, and wait. */
static enum spean_exit run_with(struct spean_call *call, const struct way *way,
                                const struct invitation *invitation, bool given,
                                struct spean_problem *problem)
{
    json_t *joining = NULL;
    enum spean_exit exit = spean_call_request(call, "GET", "/v1/join", NULL, &joining, problem);
    if (joining == NULL) {
        return exit;
    }
    const bool under_way = is_under_way(joining, invitation, given);
    const bool decided = strcmp(spean_jsonget_text(joining, "state"), "none") != 0;
    if (!under_way && !given && decided) {
        exit = tell(call, way, joining, problem);
        json_decref(joining);
        return exit;
    }
    json_decref(joining);
    if (!under_way && !given) {
        (void)spean_problem_usage(problem, "%s", _("this node is not joining anything"));
        spean_problem_hint(problem, "%s", _(way->give));
        return SPEAN_EXIT_USAGE;
    }
    const bool dry = spean_call_globals(call)->dry_run;
    if (!under_way && !way->node) {
        exit = begin(call, invitation, problem);
    } else if (!under_way && !dry) {
        exit = knock_as_node(call, invitation, problem);
    }
    if (!under_way && dry && exit == SPEAN_EXIT_DONE) {
        return dry_run_tell(call, way, invitation, problem);
    }
    return exit == SPEAN_EXIT_DONE ? wait_and_tell(call, way, problem) : exit;
}

enum spean_exit spean_joining_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    struct invitation invitation = {.code = ""};
    bool given = false;
    enum spean_exit exit = invitation_get(call, &of_org, &invitation, &given, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = run_with(call, &of_org, &invitation, given, problem);
    }
    sodium_memzero(&invitation, sizeof(invitation));
    return exit;
}

/* -- A node that is not there yet ------------------------------------------------------------ */

static enum spean_exit made_tell(struct spean_call *call, const char *home,
                                 const struct spean_newnode *node, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    char org[2 * SPEAN_ID_BYTES + 1];
    char signing[2 * SPEAN_KEY_BYTES + 1];
    char node_short[SPEAN_IDTEXT_SHORT_BYTES];
    spean_text_hex_encode(org, sizeof(org), (struct spean_view){node->org.bytes, SPEAN_ID_BYTES});
    spean_text_hex_encode(signing, sizeof(signing),
                          (struct spean_view){node->signing.bytes, SPEAN_KEY_BYTES});
    spean_idtext_short(signing, node_short);
    json_t *const object = json_pack("{s:s,s:s,s:s,s:s}", "state", "made", "org", org, "signing",
                                     signing, "home", home);
    if (object == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "node join");
    }
    spean_out_json(out, object);
    json_decref(object);
    spean_out_done(out, _("node created   node %s   home: %s"), node_short, home);
    spean_out_note(out, "%s",
                   _("It is empty so far. Start its daemon, then give the same invitation again."));
    spean_out_next(out, "speand --home %s", home);
    return SPEAN_EXIT_ATTENTION;
}

/* Ask what shall open the new node, and make its store. */
static enum spean_exit node_make(struct spean_call *call, const char *home,
                                 const struct invitation *invitation, struct spean_problem *problem)
{
    struct spean_newnode_further further = {.home = home, .org = invitation->invite.org};
    struct spean_newnode node;
    void *room = NULL;
    const spean_err err = spean_secret_alloc(sizeof(struct spean_choosing), &room);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "node join");
    }
    enum spean_exit exit = spean_choosing_node(call, room, &further.node, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_prompt_finish(spean_call_prompt(call), problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_newnode_make_further(&further, &node, problem);
    }
    spean_secret_free(room);
    return exit == SPEAN_EXIT_DONE ? made_tell(call, home, &node, problem) : exit;
}

enum spean_exit spean_joining_node_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    struct invitation invitation = {.code = ""};
    char home[SPEAN_PATH_BYTES_MAX];
    bool given = false;
    enum spean_exit exit = spean_choosing_check(call, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_home(call, home, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = invitation_get(call, &of_node, &invitation, &given, problem);
    }
    if (exit == SPEAN_EXIT_DONE && (spean_newnode_exists(home) || !given)) {
        exit = run_with(call, &of_node, &invitation, given, problem);
    } else if (exit == SPEAN_EXIT_DONE && spean_call_globals(call)->dry_run) {
        exit = dry_run_tell(call, &of_node, &invitation, problem);
    } else if (exit == SPEAN_EXIT_DONE) {
        exit = node_make(call, home, &invitation, problem);
    }
    sodium_memzero(&invitation, sizeof(invitation));
    return exit;
}
