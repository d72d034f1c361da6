/* tools/groups.h - the groups of commands, one file cmd_*.c each. Sorted, one per line. */
#ifndef SPEAN_TOOLS_GROUPS_H
#define SPEAN_TOOLS_GROUPS_H

#include "tools/command.h"

extern const struct spean_group spean_group_agency;
extern const struct spean_group spean_group_case;
extern const struct spean_group spean_group_code;
extern const struct spean_group spean_group_consent;
extern const struct spean_group spean_group_doctor;
extern const struct spean_group spean_group_events;
extern const struct spean_group spean_group_export;
extern const struct spean_group spean_group_help;
extern const struct spean_group spean_group_init;
extern const struct spean_group spean_group_ledger;
extern const struct spean_group spean_group_lock;
extern const struct spean_group spean_group_log;
extern const struct spean_group spean_group_member;
extern const struct spean_group spean_group_metrics;
extern const struct spean_group spean_group_node;
extern const struct spean_group spean_group_org;
extern const struct spean_group spean_group_person;
extern const struct spean_group spean_group_referral;
extern const struct spean_group spean_group_status;
extern const struct spean_group spean_group_sync;
extern const struct spean_group spean_group_unlock;
extern const struct spean_group spean_group_verify;
extern const struct spean_group spean_group_version;

#endif
