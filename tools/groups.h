/* tools/groups.h - the groups of commands, one file cmd_*.c each. Sorted, one per line. */
#ifndef SPEAN_TOOLS_GROUPS_H
#define SPEAN_TOOLS_GROUPS_H

#include "tools/command.h"

extern const struct spean_group spean_group_help;
extern const struct spean_group spean_group_init;
extern const struct spean_group spean_group_version;

#endif
