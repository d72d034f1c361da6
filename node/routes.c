#include "node/routes.h"

#include <assert.h>
#include <string.h>

#include "node/handlers.h"

#define ROUTES_MAX 128u

const struct spean_route *spean_routes(size_t *count)
{
    static struct spean_route all[ROUTES_MAX]; /* Filled once, before there are threads. */
    static size_t all_count;
    const struct spean_route_group groups[] = {
        spean_node_routes(),    spean_status_routes(),   spean_plan_routes(),
        spean_ledger_routes(),  spean_lobby_routes(),    spean_log_routes(),
        spean_check_routes(),   spean_agency_routes(),   spean_case_routes(),
        spean_consent_routes(), spean_referral_routes(), spean_aside_routes(),
        spean_export_routes(),  spean_nodes_routes(),    spean_person_routes(),
        spean_code_routes(),    spean_event_routes(),    spean_metrics_routes(),
        spean_doctor_routes(),  spean_org_routes(),      spean_invite_routes(),
        spean_history_routes(),
    };
    for (size_t i = 0; all_count == 0 || i > 0; i++) {
        if (i == sizeof(groups) / sizeof(groups[0])) {
            break;
        }
        assert(groups[i].count <= ROUTES_MAX - all_count);
        memcpy(&all[all_count], groups[i].routes, groups[i].count * sizeof(all[0]));
        all_count += groups[i].count;
    }
    *count = all_count;
    return all;
}
