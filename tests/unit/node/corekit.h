/*
 * Whole nodes in one process, as the daemon has them: a store, a core on a thread of its own, CURVE
 * on 127.0.0.1. Tests speak to them as the local API does.
 */
#ifndef SPEAN_TESTS_UNIT_NODE_COREKIT_H
#define SPEAN_TESTS_UNIT_NODE_COREKIT_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/config.h"
#include "node/core.h"
#include "node/journal.h"
#include "protocol/charter.h"
#include "tests/support/identitykit.h"

#define COREKIT_NODES      3u
#define COREKIT_PATH_BYTES 256u

/* One organisation with one node. Its admin, recovery and charter keys come from seed. */
struct corekit_node {
    unsigned seed;
    char dir[COREKIT_PATH_BYTES];
    struct spean_config config;
    struct spean_journal journal;
    struct spean_core *core; /* NULL: closed. */
    int stop_fd;             /* Readable: the core's thread ends; -1: there is none. */
    pthread_t thread;
    spean_err ended; /* What the core's thread ended with. */
    struct spean_id org;
    struct fixture_document first;  /* Its statement. */
    struct fixture_document second; /* The version that opens its node. */
    int status;                     /* Of the last answer. */
    json_t *answer;
};

struct corekit {
    struct corekit_node nodes[COREKIT_NODES];
    struct fixture_document charter; /* The last version. */
};

int corekit_setup(void **state);
int corekit_teardown(void **state);

/* Open a node and let it run, or open it without its thread; and end it. */
void corekit_start(struct corekit_node *node);
void corekit_start_locked(struct corekit_node *node);
void corekit_open(struct corekit_node *node);
void corekit_stop(struct corekit_node *node);

/* Keep a copy of the store of a node that is closed, and put it in the store's place. */
void corekit_keep_copy(const struct corekit_node *node);
void corekit_take_copy(const struct corekit_node *node);

/* Ask the local API. body is taken, NULL for none. The answer lives until the next one. */
json_t *corekit_call(struct corekit_node *node, const char *method, const char *target,
                     json_t *body);
json_t *corekit_ok(struct corekit_node *node, const char *method, const char *target, json_t *body);
void corekit_refused(struct corekit_node *node, const char *method, const char *target,
                     json_t *body, const char *code);

/* A string at a path such as "items.0.org"; "" if there is none. */
const char *corekit_text(const json_t *json, const char *path);
const json_t *corekit_at(const json_t *json, const char *path);

/* Ask with GET again and again until the string at path is text; fails the test after a while. */
void corekit_await(struct corekit_node *node, const char *target, const char *path,
                   const char *text);

/* Ask until the list there has an item of org, and return it. */
const json_t *corekit_await_org(struct corekit_node *node, const char *target,
                                const struct spean_id *org);

/* Ask until it is refused. */
void corekit_await_refused(struct corekit_node *node, const char *method, const char *target);

/* Read the len bytes that stand at path in hex. */
void corekit_read_hex(const json_t *json, const char *path, uint8_t *out, size_t len);

/* Bytes as a new JSON string of hex. */
json_t *corekit_hex(const void *data, size_t len);

/* Let a node make a statement that opens it, and others made of seeds, in a ledger. */
void corekit_accept(struct corekit_node *node, const struct spean_handle *handle,
                    unsigned others_count);

/* Found a ledger with this node as steward; or make the request of POST /v1/ledger for that. */
json_t *corekit_genesis(struct corekit *kit, struct corekit_node *node);
void corekit_found(struct corekit *kit, struct corekit_node *node);

/* An invitation; its text is written to code, which has room for SPEAN_INVITE_TEXT_LEN_MAX + 1. */
void corekit_invite(struct corekit_node *node, char *code);

/* Use it: the request of POST /v1/join with what corekit_accept() made. */
json_t *corekit_join_body(const struct corekit_node *node, const char *code);
void corekit_join(struct corekit_node *node, const char *code);

/* Sign the next version of the charter as the steward and post it there. */
void corekit_charter(struct corekit *kit, struct corekit_node *steward,
                     struct spean_charter_draft *draft);

/* The same, refused with this code: the charter stays as it was. */
void corekit_charter_refused(struct corekit *kit, struct corekit_node *steward,
                             struct spean_charter_draft *draft, const char *code);
void corekit_approve(struct corekit *kit, struct corekit_node *steward,
                     const struct corekit_node *newcomer);

/* Both nodes have nothing more to tell each other, and show the same digest. */
void corekit_await_equal(struct corekit_node *a, struct corekit_node *b);

#endif
