/* node/handlers.h - the groups of routes of the local API, for node/routes.c (docs/API.md). */
#ifndef SPEAN_NODE_HANDLERS_H
#define SPEAN_NODE_HANDLERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "node/core.h"
#include "node/queue.h"
#include "node/route.h"
#include "protocol/err.h"
#include "protocol/invite.h"
#include "store/fold.h"

/* A group is a static table; handlers get a struct spean_core as ctx and as core. */
struct spean_route_group {
    const struct spean_route *routes;
    size_t count;
};

struct spean_route_group spean_node_routes(void);   /* version, node, unlock, lock */
struct spean_route_group spean_status_routes(void); /* status, sync */
struct spean_route_group spean_plan_routes(void);   /* what sync would do */
struct spean_route_group spean_ledger_routes(void); /* ledger, charter, members */
struct spean_route_group spean_invite_routes(void); /* invitations */
struct spean_route_group spean_lobby_routes(void);  /* join, pending */
struct spean_route_group spean_nodes_routes(void);  /* the nodes of our organisation */
struct spean_route_group spean_person_routes(void); /* who uses this node */
struct spean_route_group spean_log_routes(void);    /* logs and their entries */
struct spean_route_group spean_check_routes(void);  /* verify */

struct spean_route_group spean_agency_routes(void);
struct spean_route_group spean_case_routes(void);
struct spean_route_group spean_consent_routes(void);
struct spean_route_group spean_referral_routes(void);
struct spean_route_group spean_aside_routes(void);   /* entries set aside */
struct spean_route_group spean_export_routes(void);  /* whole records */
struct spean_route_group spean_history_routes(void); /* what was written of them */
struct spean_route_group spean_code_routes(void);    /* codes and their lists */
struct spean_route_group spean_event_routes(void);   /* events */
struct spean_route_group spean_metrics_routes(void);
struct spean_route_group spean_doctor_routes(void);
struct spean_route_group spean_org_routes(void); /* org */

/* How our own way into the ledger stands. */
json_t *spean_join_answer(const struct spean_core *core);

/* Whether we may join by that invitation: it has not expired, and leads to no other ledger than the
 * one that we entered. False: reply says why not. */
bool spean_join_is_open(const struct spean_core *core, const struct spean_invite *invite,
                        struct spean_reply *reply);

/* Answer a request to join, which ended with err: how it stands, or the error. */
void spean_join_reply(const struct spean_core *core, struct spean_job *job, spean_err err);

/* Answer a request to send a newcomer away, which ended with err and needs no words of its own. */
void spean_refuse_reply(struct spean_job *job, spean_err err);

/* The list of partners, as in status. */
json_t *spean_status_partners(const struct spean_core_view *view);

/* {ok, problems} as in status; {} where the store cannot tell. */
json_t *spean_status_health(const struct spean_core_view *view);

/* How we are connected with a partner: "connected", "connecting", "offline", "refused". */
const char *spean_status_state(const struct spean_core_view *view, const struct spean_id *org);

/* When something of a partner last came here, in seconds since 1970; 0: never. */
uint64_t spean_status_last_contact(const struct spean_core_view *view, const struct spean_id *org);

/* What waits for people, as in status. */
json_t *spean_status_todo(const struct spean_core_view *view, const struct spean_fold_status *fold);

/* How many newcomers wait to be approved. */
uint32_t spean_status_pending(const struct spean_core_view *view);

#endif
