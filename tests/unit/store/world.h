/*
 * A ledger of four organisations with what they wrote, made in memory; and nodes, each with a store
 * of its own, to which it is handed entry by entry in whatever order a test wants.
 *
 * Organisation 0 is the steward. Each has one sealing key and one node, organisation 0 has a
 * second one that opens last. Logs: 0 to 3 of the organisations' first nodes, 4 of the second one.
 */
#ifndef SPEAN_TESTS_UNIT_STORE_WORLD_H
#define SPEAN_TESTS_UNIT_STORE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/change.h"
#include "protocol/grant.h"
#include "protocol/schema.h"
#include "store/fold.h"
#include "store/keystore.h"
#include "store/partkeys.h"
#include "store/record.h"
#include "tests/support/identitykit.h"
#include "tests/support/logkit.h"
#include "tests/unit/store/fixture.h"

#define WORLD_ORGS       4u
#define WORLD_LOGS       5u
#define WORLD_DOCS_MAX   24u
#define WORLD_OPS_MAX    4u
#define WORLD_ROWS_MAX   4u
#define WORLD_NOW_S      1800000000u
#define WORLD_BYTES_MAX  4096u
#define WORLD_PLACES_MAX 4u

struct world_org {
    struct spean_id id;
    unsigned admin;
    uint8_t secret[SPEAN_KEY_BYTES]; /* Of the sealing key. */
    struct spean_key sealing;
    struct fixture_document last; /* Newest statement version. */
};

struct world {
    struct world_org orgs[WORLD_ORGS];
    struct spean_id ledger;
    struct fixture_document charter; /* Newest version. */
    uint32_t docs_count;
    uint8_t *docs[WORLD_DOCS_MAX];
    size_t docs_len[WORLD_DOCS_MAX];
    struct logkit *logs[WORLD_LOGS];
    uint64_t clock; /* Of the next entry. */
    uint64_t salt;
};

/* An entry of a log. */
struct world_place {
    unsigned log;
    uint64_t seq;
};

/* One operation: value is a number below 128, or, if bytes are given, those. */
struct world_op {
    uint64_t field;
    uint64_t kind;
    uint64_t verb;
    uint8_t value;
    struct spean_view bytes;
};

/* A change. Rows name entries as (log, seq). */
struct world_change {
    uint64_t type;
    struct spean_record_id record;
    uint32_t part;
    const uint8_t *key; /* NULL: public. */
    uint32_t sealed_as; /* The part whose tag it bears; 0: its own. */
    bool creates;
    uint8_t random;
    struct spean_view fixed;
    uint32_t ops_count;
    struct world_op ops[WORLD_OPS_MAX];
    uint32_t rows_count;
    struct {
        unsigned log;
        uint64_t seq;
        bool lies; /* It names an entry that never was. */
    } rows[WORLD_ROWS_MAX];
};

struct world *world_new(void);
void world_free(struct world *w);
unsigned world_org_of(unsigned log);

/* The record that organisation org makes with a random of these bytes. */
struct spean_record_id world_record(const struct world *w, unsigned org, uint8_t random);

/* Fixed fields: none, or of a referral from one organisation to another; in buf of
 * WORLD_BYTES_MAX. */
struct spean_view world_fixed_none(void);
struct spean_view world_fixed_referral(const struct world *w, unsigned from, unsigned to,
                                       uint8_t *buf);

/* Append to a log; each an entry that ends a commit. Return its seq. */
uint64_t world_write(struct world *w, unsigned log, const struct world_change *change);
uint64_t world_raw(struct world *w, unsigned log, enum spean_entry_kind kind,
                   const struct spean_tag *tag, struct spean_view body);

struct world_grant {
    struct spean_record_id record;
    uint32_t part;
    uint64_t generation;
    const uint8_t *key;
    unsigned owner;
    unsigned audience;    /* Bit n: organisation n. */
    const uint8_t *older; /* A key of the generation before that comes along; NULL: none. */
    bool wrong_box;       /* The boxes do not open. */
    const uint8_t *boxed; /* What lies in the boxes instead of the key committed to; NULL: that. */
    bool sealed_alike;    /* And it opens what is sealed. */
    unsigned seen;        /* Log, of which this was read when granting; seq 0: none. */
    uint64_t seen_seq;
};
uint64_t world_grant(struct world *w, unsigned log, const struct world_grant *grant);

/* Of a part of a referral between organisations 0 and 1: its first key, of which 0 is the owner and
 * which both have; a change of it without operations; and the change that creates the record
 * world_record(w, 0, random), whose fixed fields are in buf of WORLD_BYTES_MAX. */
#define WORLD_BOTH 3u
struct world_grant world_referral_grant(const struct spean_part_name *part, const uint8_t *key);
struct world_change world_referral_change(const struct spean_part_name *part, const uint8_t *key);
struct world_change world_referral_create(const struct world *w, const struct spean_part_name *part,
                                          const uint8_t *key, uint8_t random, uint8_t *buf);
uint64_t world_erase_part(struct world *w, unsigned log, const struct spean_part_name *part,
                          const uint8_t *key);
uint64_t world_erase_proof(struct world *w, unsigned log, const struct spean_part_name *part,
                           const struct spean_id *proof);
uint64_t world_erase_place(struct world *w, unsigned log, unsigned of, uint64_t seq);
uint64_t world_erase_places(struct world *w, unsigned log, const struct world_place *places,
                            uint32_t count);
uint64_t world_heads(struct world *w, unsigned log, unsigned of, uint64_t seq);
/* The organisation's secret, to a node with this sealing key. */
uint64_t world_orgkey(struct world *w, unsigned log, const struct spean_key *to);

/* Documents: the second node of organisation 0; a cut of a log; another steward. */
void world_open_second(struct world *w);
void world_cut(struct world *w, unsigned log, uint64_t seq);
void world_cut_at(struct world *w, unsigned log, uint64_t seq, const struct spean_id *entry);
void world_steward(struct world *w, unsigned org);

/* The charter names the node that writes a log as a relay. */
void world_relay(struct world *w, unsigned log);

/* -- Nodes ----------------------------------------------------------------------------------- */

struct node {
    struct world *w;
    unsigned org;
    unsigned log;
    void *fixture;
    struct spean_db *db;
    struct spean_keys *keys;
    struct spean_authority *authority;
    struct spean_fold *fold;
    struct spean_run *run;
    uint32_t docs_count; /* That it has. */
    uint32_t budget;     /* Of a step. */
};

/* A node of the organisation of a log, unlocked; it has the organisation's sealing secret. */
struct node *node_new(struct world *w, unsigned log);
struct node *node_new_bare(struct world *w, unsigned log); /* Without that secret. */
void node_free(struct node *n);

/* Take all documents that are new, and settle the logs. */
void node_documents(struct node *n);

/* The same, but no log is cut back yet. */
void node_documents_kept(struct node *n);

/* Hand over the next entries of a log, up to seq, with their bodies or without. */
void node_take(struct node *n, unsigned log, uint64_t seq, bool bodies);
void node_take_all(struct node *n);
uint64_t node_held(struct node *n, unsigned log);

/* Hand over a body by itself. */
void node_body(struct node *n, unsigned log, uint64_t seq);

/* Fold until there is no more to do, and check what came of it. */
void node_fold(struct node *n);

/* See that what was folded is what folding it again gives (store/check_records.h). */
void node_check(struct node *n);

struct spean_tx *node_read(struct node *n);

/* Hash everything that is shown: records, parts with their states, what is set aside and why. */
struct spean_id node_shown(struct node *n);

/* The reason for which an entry is set aside. */
enum spean_aside node_aside(struct node *n, unsigned log, uint64_t seq);

/* The number that is shown of a value field; 255: none, 254: a conflict. */
uint8_t node_value(struct node *n, const struct spean_part_name *name, uint64_t field);

/* Forget all entries and all that was folded, to begin again. */
void node_wipe(struct node *n);

#endif
