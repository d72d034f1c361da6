#include "node/permit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *method;
    const char *path;
    enum spean_person_role role;
} needs[] = {
    {"GET", "/v1/code-lists", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/code-lists", SPEAN_PERSON_COORDINATOR},
    {"GET", "/v1/codes", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/codes", SPEAN_PERSON_COORDINATOR},
    {"GET", "/v1/codes/{id}", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/agencies", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/agencies", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/agencies/{id}", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/agencies/{id}/history", SPEAN_PERSON_CASE_WORKER},
    {"PATCH", "/v1/agencies/{id}", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/cases", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/cases", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/cases/find", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/cases/{id}", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/cases/{id}/history", SPEAN_PERSON_CASE_WORKER},
    {"PATCH", "/v1/cases/{id}", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/charter", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/consents", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/consents", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/consents/{id}", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/consents/{id}/withdraw", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/doctor", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/events", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/join", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/ledger", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/lock", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/logs", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/logs/{id}/entries", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/logs/{id}/entries/{seq}", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/members", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/metrics", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/node", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/nodes", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/org", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/referrals", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/referrals", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/referrals/{id}", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/referrals/{id}/history", SPEAN_PERSON_CASE_WORKER},
    {"PATCH", "/v1/referrals/{id}", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/referrals/{id}/preview", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/referrals/{id}/{step}", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/status", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/sync", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/sync/plan", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/unlock", SPEAN_PERSON_CASE_WORKER},
    {"GET", "/v1/version", SPEAN_PERSON_CASE_WORKER},
    {"POST", "/v1/agencies/import", SPEAN_PERSON_COORDINATOR},
    {"GET", "/v1/aside", SPEAN_PERSON_COORDINATOR},
    {"POST", "/v1/cases/import", SPEAN_PERSON_COORDINATOR},
    {"PUT", "/v1/cases/{id}/retention", SPEAN_PERSON_COORDINATOR},
    {"GET", "/v1/export", SPEAN_PERSON_COORDINATOR},
    {"GET", "/v1/pending", SPEAN_PERSON_COORDINATOR},
    {"GET", "/v1/persons", SPEAN_PERSON_COORDINATOR},
    {"POST", "/v1/sync/pause", SPEAN_PERSON_COORDINATOR},
    {"POST", "/v1/sync/resume", SPEAN_PERSON_COORDINATOR},
    {"POST", "/v1/verify", SPEAN_PERSON_COORDINATOR},
    {"POST", "/v1/charter", SPEAN_PERSON_ADMIN},
    {"GET", "/v1/invitations", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/invitations", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/invitations/{number}/cancel", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/join", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/ledger", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/logs/{id}/pause", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/logs/{id}/resume", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/node/accept", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/nodes/invitations", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/nodes/join", SPEAN_PERSON_ADMIN},
    {"PATCH", "/v1/nodes/{node}", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/nodes/{node}/refuse", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/pending/{org}/refuse", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/persons", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/persons/{name}/retire", SPEAN_PERSON_ADMIN},
    {"POST", "/v1/statement", SPEAN_PERSON_ADMIN},
};

#define NEEDS_COUNT (sizeof(needs) / sizeof(needs[0]))

bool spean_permit_needs(const char *method, const char *path, enum spean_person_role *out)
{
    for (size_t i = 0; i < NEEDS_COUNT; i++) {
        if (strcmp(needs[i].method, method) == 0 && strcmp(needs[i].path, path) == 0) {
            *out = needs[i].role;
            return true;
        }
    }
    return false;
}

static bool refuse(struct spean_reply *reply, const char *code, const char *message,
                   const char *hint)
{
    spean_reply_named(reply, SPEAN_EDENIED, code, message, hint);
    return false;
}

/* Judge the caller by the list of persons. */
static bool judge(const struct spean_persons *persons, enum spean_person_role needed,
                  struct spean_request *request, struct spean_reply *reply)
{
    const struct spean_person *person = spean_persons_of(persons, request->caller.uid);
    if (persons->count == 0 && (request->caller.uid == geteuid() || request->caller.uid == 0)) {
        request->actor[0] = '\0';
        return true;
    }
    if (person == NULL) {
        return refuse(reply, "unknown_person", "this user of the machine is no person of this node",
                      "an admin adds people: spean person add");
    }
    if (person->role < needed) {
        return refuse(reply, "role",
                      needed == SPEAN_PERSON_ADMIN ? "only an admin of this node may do this"
                                                   : "only a coordinator or an admin may do this",
                      "ask one: spean person list");
    }
    memcpy(request->actor, person->name, sizeof(person->name));
    return true;
}

bool spean_permit_check(const struct spean_route *route, struct spean_request *request, void *ctx,
                        struct spean_reply *reply)
{
    struct spean_core_view view;
    enum spean_person_role needed = SPEAN_PERSON_ADMIN;
    const bool known = spean_permit_needs(route->method, route->path, &needed);
    assert(known);
    (void)known;
    struct spean_persons *persons = malloc(sizeof(*persons));
    spean_err err = persons == NULL ? SPEAN_ENOMEM : spean_core_view_begin(ctx, &view);
    if (err == SPEAN_OK) {
        err = spean_persons_get(view.tx, persons);
        spean_core_view_end(&view);
    }
    bool may = false;
    if (err == SPEAN_OK) {
        may = judge(persons, needed, request, reply);
    } else {
        spean_reply_error(reply, err, NULL, "check the store: spean verify");
    }
    free(persons);
    return may;
}
