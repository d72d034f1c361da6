/*
 * node/import.h - many records at once, from somebody's file. For node/agency_import.c and
 * node/case_import.c, which say how a record of their type is found again and what a new one needs.
 */
#ifndef SPEAN_NODE_IMPORT_H
#define SPEAN_NODE_IMPORT_H

#include <stddef.h>

#include "node/json_value.h"
#include "node/records.h"

#define SPEAN_IMPORT_ITEMS_MAX  500u
#define SPEAN_IMPORT_NAME_BYTES 256u /* Of what a record is found again by. */

/* An item at work. */
struct spean_import_member {
    struct spean_edit *edit;
    json_t *match;  /* Borrowed from the item; NULL: it says nothing. */
    json_t *result; /* Borrowed: the array of results owns it. */
    char name[SPEAN_IMPORT_NAME_BYTES];
    size_t name_len; /* 0: it is found by nothing, and new. */
    bool is_new;
    struct spean_record_id record;
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES]; /* Of a new one. */
};

/* What differs between types. */
struct spean_import_kind {
    uint64_t type;
    uint32_t part; /* The one that is edited. */
    void *ctx;
    bool (*editable)(const struct spean_schema_field *field); /* NULL: every field. */

    /* Read member->match, which has no "record", into member->name, which does not begin with a 0
     * byte. SPEAN_EINPUT: *why says what is wrong with it. */
    spean_err (*read)(struct spean_import_member *member, void *ctx, struct spean_json_why *why);

    /*
     * Find the record of that name into member->record. SPEAN_ENOTFOUND: it is to be made, of
     * member->random, which is drawn already and may be replaced. Any other: the item fails.
     */
    spean_err (*find)(struct spean_records *at, struct spean_import_member *member, void *ctx,
                      struct spean_json_why *why);

    /* Add to the edit of a new one what it must have. Errors fail the item. */
    spean_err (*complete)(struct spean_records *at, struct spean_import_member *member, void *ctx,
                          struct spean_json_why *why);
};

/*
 * Answer POST of {"lang", "items": [{"place", "match", "edit"}]}: each item edits the record that
 * its match leads to, or makes it. Bringing the same again changes nothing. An item that is wrong
 * stops no other; items share commits, so that an import does not wait for the disk at each.
 */
void spean_import(struct spean_records *at, const struct spean_import_kind *kind);

#endif
