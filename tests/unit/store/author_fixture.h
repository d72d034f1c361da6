/* Nodes of three organisations in one ledger, each with a store, keys and a fold of its own. */
#ifndef SPEAN_TESTS_UNIT_STORE_AUTHOR_FIXTURE_H
#define SPEAN_TESTS_UNIT_STORE_AUTHOR_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/fold.h"
#include "protocol/run.h"
#include "store/author.h"
#include "store/fold.h"
#include "store/keystore.h"
#include "store/logs.h"
#include "tests/support/identitykit.h"
#include "tests/unit/store/fixture.h"

#define AUTHOR_NOW_S   1800000000u
#define AUTHOR_STEWARD 51u /* The charter key of A, and its admin key. */
#define AUTHOR_ADMIN   1u

/* Two nodes of A, which is the steward, one of B, one of C. */
enum author_who { A1, A2, B1, C1, AUTHOR_NODES };

struct author_node {
    struct fixture *store;
    struct spean_keys *keys;
    struct spean_authority *authority;
    struct spean_fold *fold;
    struct spean_author author;
    struct spean_id org;
    struct spean_key signing;
};

struct author_fixture {
    struct author_node nodes[AUTHOR_NODES];
    struct spean_id absent;          /* A member whose statement nobody holds. */
    struct spean_id stranger;        /* No member. */
    struct fixture_document charter; /* The last version; and of A's statement. */
    struct fixture_document statement;
    struct spean_run *run;
    uint8_t *buf;
    uint8_t fixed[256];
    struct spean_author_done done; /* Of the last commit, like the next. */
    struct spean_author_problem problem;
};

/* A2 has its organisation's sealing secret only after author_fixture_setup(). */
int author_fixture_setup(void **state);
int author_fixture_setup_new_node(void **state);
int author_fixture_teardown(void **state);

/* Let every node hold a document. */
void author_fixture_add(struct author_fixture *f, const struct fixture_document *document);

void author_fixture_fold(struct author_node *node);

/* Copy what `from` holds and `to` lacks, every body that `to` can read, and fold. */
void author_fixture_copy(struct author_fixture *f, enum author_who from, enum author_who to);

struct spean_draft *author_fixture_draft(struct author_fixture *f, enum author_who who);

/* Commit and fold; the draft stays the caller's. */
spean_err author_fixture_commit(struct author_fixture *f, enum author_who who,
                                struct spean_draft *draft);

/* The head of the log that a node writes, as it holds it. */
struct spean_place author_fixture_head(struct author_fixture *f, enum author_who who);

/* Write an entry as it is, signed, past all that an author checks. */
void author_fixture_raw(struct author_fixture *f, enum author_who who, enum spean_entry_kind kind,
                        const struct spean_tag *tag, struct spean_view body);

/* Read a part that is folded; free it. NULL: it is not. */
struct spean_part *author_fixture_part(struct author_fixture *f, enum author_who who,
                                       const struct spean_record_id *record, uint32_t part);

/* The fixed fields of a referral from A to B; they live until the next call. */
struct spean_view author_fixture_referral(struct author_fixture *f);

/* How many entries a node set aside. */
uint32_t author_fixture_asides(struct author_fixture *f, enum author_who who);

#endif
