/* A referral between two organisations, for tests that need one: A's case, its consent, steps. */
#ifndef SPEAN_TESTS_UNIT_NODE_REFERRAL_KIT_H
#define SPEAN_TESTS_UNIT_NODE_REFERRAL_KIT_H

#include <jansson.h>
#include <stdbool.h>

#include "node/todo.h"
#include "tests/unit/node/records_kit.h"

#define ID_BYTES   64u
#define BODY_BYTES 2048u

struct story {
    struct records_kit *kit;
    char org_a[2 * SPEAN_ID_BYTES + 1];
    char org_b[2 * SPEAN_ID_BYTES + 1];
    char org_c[2 * SPEAN_ID_BYTES + 1];
    char a_case[ID_BYTES];
    char consent[ID_BYTES];
    char referral[ID_BYTES]; /* The one that the functions below are about. */
};

#define TERMS_WIDE                                                                                 \
    "{\"purposes\": [\"refer\"], \"recipients\": [{\"kind\": \"partner_ngo\"}], \"sections\": "    \
    "[\"identity\", \"costs\"]}"

int story_setup(void **state);
int story_teardown(void **state);

/* A path of the API, and the id of an answer; a path lives until the next call. */
const char *path(const char *group, const char *id, const char *rest);
void keep(char out[ID_BYTES], json_t *answer);

void add_consent(struct story *s, const char *terms);

/* Make a draft of A's case to B; more is what the draft says beside the least, with a comma. */
void add_draft(struct story *s, const char *more);

/* What a draft says when it can be sent; and send one, so that B has it. */
const char *ready(const struct story *s, const char *urgency);
void send_it(struct story *s, const char *urgency);

/* Take a step, or see it refused for why. */
json_t *step(struct story *s, enum author_who who, const char *code, const char *body);
void assert_step_refused(struct story *s, enum author_who who, const char *code, const char *body,
                         const char *why);

/* C, whose kind of agency is this one, is known to all. */
void add_org_c(struct story *s, const char *kind);

/* B takes it, and gets the details. */
void take_it(struct story *s);

json_t *show(struct story *s, enum author_who who);

/* A step of a referral that is shown; steps of one second stand in any order. */
json_t *step_of(json_t *answer, const char *code);

/* What status counts. */
struct spean_todo_counts counts_of(struct story *s, enum author_who who);

/* Whether a list of strings that is shown has one. */
bool lists(json_t *answer, const char *list, const char *text);

#endif
