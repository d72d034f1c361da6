/* protocol/role.h - whether a change's author may write what it writes (P9.4; SCHEMA.md, 3). */
#ifndef SPEAN_PROTOCOL_ROLE_H
#define SPEAN_PROTOCOL_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/aside.h"
#include "protocol/bytes.h"
#include "protocol/change.h"

/* Who wrote a change. */
struct spean_role_author {
    struct spean_id org;
    bool is_member;  /* Is or was: entries up to a removed member's cut still fold. */
    bool is_steward; /* The charter in force names the organisation as steward. */
};

/*
 * Judge a change that creates its record: its author derived the record's id from ledger, only
 * fixed fields are fixed, and a referral's `from` or an agency's `org` is the author itself; then
 * its operations like those of any other change.
 * SPEAN_ASIDE_NOT: fold it. SPEAN_ASIDE_RECORD, _FIXED, _PARTY, _WRITER: set it aside whole.
 */
enum spean_aside spean_role_judge_create(const struct spean_change *change,
                                         const struct spean_id *ledger,
                                         const struct spean_role_author *author);

/*
 * Judge another change to a record of type change->type whose creating change was written by owner
 * and fixed these fields (a map as in spean_change.fixed).
 * SPEAN_ASIDE_NOT: fold it. SPEAN_ASIDE_WRITER: set it aside whole.
 */
enum spean_aside spean_role_judge(const struct spean_change *change, const struct spean_id *owner,
                                  struct spean_view fixed, const struct spean_role_author *author);

#endif
