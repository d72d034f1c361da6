#include "tools/relaying.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "protocol/text.h"
#include "tools/compose.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/listing.h"
#include "tools/out.h"
#include "tools/unlocking.h"

/* What the argument means among the members. */
struct found {
    const json_t *member;
    const json_t *node;
    size_t count; /* Of nodes that may be meant. */
};

static bool begins(const json_t *row, const char *key, const char *prefix)
{
    return strncmp(spean_jsonget_text(row, key), prefix, strlen(prefix)) == 0;
}

/* Look among the open nodes of a member; with whole, all of them are meant. */
static void nodes_look(const json_t *member, const char *prefix, bool whole, struct found *found)
{
    const json_t *const nodes = json_object_get(member, "nodes");
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *const node = json_array_get(nodes, i);
        const bool open = strcmp(spean_jsonget_text(node, "standing"), "open") == 0;
        if (open && (whole || begins(node, "signing", prefix))) {
            *found = (struct found){member, node, found->count + 1};
        }
    }
}

static enum spean_exit node_find(const struct spean_call *call, const json_t *members,
                                 struct found *found, struct spean_problem *problem)
{
    const char *const prefix = spean_call_value(call, "node");
    const json_t *const items = json_object_get(members, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *const member = json_array_get(items, i);
        if (strcmp(spean_jsonget_text(member, "status"), "active") == 0) {
            nodes_look(member, prefix, begins(member, "org", prefix), found);
        }
    }
    if (found->count == 0) {
        (void)spean_problem_set(problem, SPEAN_EXIT_NOT_FOUND, "not_found",
                                _("no member and no open node of one begins with %s"), prefix);
        spean_problem_hint(problem, "%s", _("see who there is: spean member list"));
        return SPEAN_EXIT_NOT_FOUND;
    }
    if (found->count > 1) {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "ambiguous",
                                _("several nodes may be meant by %s"), prefix);
        spean_problem_hint(problem, "%s",
                           _("give the beginning of the node's signing key: spean member list "
                             "--json"));
        return SPEAN_EXIT_STATE;
    }
    return SPEAN_EXIT_DONE;
}

static bool hex_read(const json_t *row, const char *key, uint8_t *out, size_t len)
{
    const char *const text = spean_jsonget_text(row, key);
    const struct spean_view view = {.data = (const uint8_t *)text, .len = strlen(text)};
    return spean_text_hex_decode(out, len, view) == SPEAN_OK;
}

static enum spean_exit refuse(spean_err err, struct spean_problem *problem)
{
    if (err == SPEAN_EDENIED) {
        return spean_problem_set(problem, SPEAN_EXIT_DENIED, "not_permitted", "%s",
                                 _("this admin key is no steward's, or cannot decide alone"));
    }
    return spean_problem_err(problem, err, "member relay");
}

static void tell(struct spean_out *out, const char *who, bool named, uint64_t version)
{
    if (named) {
        spean_out_done(out, _("%s is a relay now   charter version %u"), who, (unsigned)version);
        spean_out_note(out, "%s",
                       _("It carries every sealed record and can open none that is not its own; "
                         "partners who are never online together sync through it."));
        spean_out_next(out, "spean member relay remove");
    } else {
        spean_out_done(out, _("%s is no relay any more   charter version %u"), who,
                       (unsigned)version);
        spean_out_note(out, "%s",
                       _("It gets no sealed record of others from now on. What it carried stays "
                         "there, closed, until its parties erase it."));
        spean_out_next(out, "spean member relay add");
    }
}

static enum spean_exit charter_send(struct spean_call *call, const struct spean_composed *version,
                                    const char *who, bool named, struct spean_problem *problem)
{
    json_t *reply = NULL;
    json_t *const body = json_pack("{s:O}", "document", version->hex);
    if (body == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "member relay");
    }
    const enum spean_exit exit =
        spean_call_request(call, "POST", "/v1/charter", body, &reply, problem);
    json_decref(body);
    if (reply == NULL) {
        return exit;
    }
    spean_out_json(spean_call_out(call), reply);
    json_decref(reply);
    tell(spean_call_out(call), who, named, version->version);
    return SPEAN_EXIT_DONE;
}

/* Compose the next version and send it. */
static enum spean_exit relay_set(struct spean_call *call, const json_t *charter,
                                 const struct found *found, bool named,
                                 struct spean_problem *problem)
{
    char who[SPEAN_WHO_BYTES_MAX];
    struct spean_relay relay;
    spean_jsonget_who(found->member, "org", "name", who);
    if (!hex_read(found->member, "org", relay.org.bytes, sizeof(relay.org.bytes)) ||
        !hex_read(found->node, "signing", relay.signing.bytes, sizeof(relay.signing.bytes))) {
        return spean_problem_err(problem, SPEAN_EFORMAT, "GET /v1/members");
    }
    struct spean_adminkey *admin = NULL;
    enum spean_exit exit = spean_unlocking_admin(call, &admin, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    struct spean_composed version;
    const spean_err err = spean_compose_relay(admin, charter, &relay, named, &version);
    spean_adminkey_free(admin);
    if (err == SPEAN_EEXISTS) {
        spean_out_json(spean_call_out(call), charter);
        spean_out_done(spean_call_out(call),
                       named ? _("%s is a relay already") : _("%s is no relay"), who);
        return SPEAN_EXIT_DONE;
    }
    if (err != SPEAN_OK) {
        return refuse(err, problem);
    }
    exit = charter_send(call, &version, who, named, problem);
    json_decref(version.hex);
    return exit;
}

static enum spean_exit run(struct spean_call *call, bool named, struct spean_problem *problem)
{
    struct found found = {0};
    json_t *members = NULL;
    json_t *charter = NULL;
    enum spean_exit exit = spean_listing_get(call, "/v1/members", &members, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = node_find(call, members, &found, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_request(call, "GET", "/v1/charter", NULL, &charter, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = relay_set(call, charter, &found, named, problem);
    }
    json_decref(members);
    json_decref(charter);
    return exit;
}

enum spean_exit spean_relaying_add(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    return run(call, true, problem);
}

enum spean_exit spean_relaying_remove(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    return run(call, false, problem);
}
