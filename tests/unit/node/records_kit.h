/* The handlers of records on real stores: two organisations, and a core that is as small as it can
 * be. */
#ifndef SPEAN_TESTS_UNIT_NODE_RECORDS_KIT_H
#define SPEAN_TESTS_UNIT_NODE_RECORDS_KIT_H

#include <jansson.h>
#include <stdbool.h>

#include "node/core.h"
#include "tests/unit/store/author_fixture.h"

struct spean_core {
    struct author_fixture *f;
    enum author_who who;
    bool full;   /* There is room for nothing but what is urgent, */
    bool urgent; /* and something was. */
};

struct records_kit {
    struct author_fixture *f;
    struct spean_core cores[AUTHOR_NODES];
    struct spean_queue *queue;
    int status; /* Of the last answer. */
    json_t *answer;
};

int records_kit_setup(void **state);
int records_kit_teardown(void **state);

/* Send a request to a node; body is JSON text, NULL for none. The answer lives until the next. */
json_t *records_kit_call(struct records_kit *kit, enum author_who who, const char *method,
                         const char *target, const char *body);

/* The same, and expect 200. */
json_t *records_kit_ok(struct records_kit *kit, enum author_who who, const char *method,
                       const char *target, const char *body);

/* The same, and expect a refusal with this code. */
void assert_refused(struct records_kit *kit, enum author_who who, const char *method,
                    const char *target, const char *body, const char *code);

/* What stands in an answer at a path such as "fields.names.km" or "items.0.id"; NULL: nothing. */
json_t *records_kit_at(json_t *json, const char *path);
const char *records_kit_text(json_t *json, const char *path); /* Of a string there. */

/* Copy what `from` holds and `to` lacks, with the bodies that `to` may read, and fold. */
void records_kit_copy(struct records_kit *kit, enum author_who from, enum author_who to);

/* Let a node do what follows from what it folded, and from that; it comes to an end. */
void records_kit_settle(struct records_kit *kit, enum author_who who);

/* Let what A1 and B1 wrote reach each other, and each do what follows from it. */
void records_kit_meet(struct records_kit *kit);

/* The same of A1, B1 and C1, until a word has gone from one end to the other. */
void records_kit_meet_all(struct records_kit *kit);

/* How many entries a node has written. */
uint64_t records_kit_height(struct records_kit *kit, enum author_who who);

#endif
