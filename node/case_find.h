/* node/case_find.h - which cases somebody looks for. */
#ifndef SPEAN_NODE_CASE_FIND_H
#define SPEAN_NODE_CASE_FIND_H

#include <stdbool.h>

#include "node/records.h"
#include "protocol/consent.h"

/* What was asked for; all zero: every case. The texts belong to the request. */
struct spean_case_find {
    const char *status;
    const char *issue;
    const char *risk_level;
    bool due; /* Only those of which it is due to decide whether they are kept. */
    struct spean_day opened_from; /* Year 0: from the beginning. */
    struct spean_day opened_to;   /* Included; year 0: without end. */
    char *names;                  /* Query for names and codes (store/searchkey.h); or NULL. */
    char *contact;                /* Query for contacts; or NULL. */
};

/*
 * Read it from the query, or from the body where it may say whom: names and contacts stand in no
 * path. False: refused. Free with spean_case_find_fini(), also then.
 */
bool spean_case_find_read(struct spean_records *at, bool from_body, struct spean_case_find *out);
void spean_case_find_fini(struct spean_case_find *find);

/* For struct spean_records_listing: whether a case is among them; ctx is a spean_case_find. */
bool spean_case_find_wants(struct spean_records *at, const struct spean_records_item *item,
                           void *ctx);

#endif
