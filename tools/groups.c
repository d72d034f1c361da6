#include "tools/groups.h"

#include <stddef.h>

/* In the order in which help shows them: setting up, daily work, looking after it. */
const struct spean_group *const spean_groups[] = {
    &spean_group_init,   &spean_group_status,  &spean_group_ledger,   &spean_group_member,
    &spean_group_node,   &spean_group_org,     &spean_group_person,   &spean_group_agency,
    &spean_group_case,   &spean_group_consent, &spean_group_referral, &spean_group_code,
    &spean_group_export, &spean_group_events,  &spean_group_sync,     &spean_group_log,
    &spean_group_doctor, &spean_group_verify,  &spean_group_metrics,  &spean_group_lock,
    &spean_group_unlock, &spean_group_help,    &spean_group_version,  NULL,
};
