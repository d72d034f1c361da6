#include "tools/groups.h"

#include <stddef.h>

const struct spean_group *const spean_groups[] = {
    &spean_group_help,
    &spean_group_init,
    &spean_group_version,
    NULL,
};
