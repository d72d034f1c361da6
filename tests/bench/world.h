/*
 * tests/bench/world.h - one organisation with two nodes, a and b, in a ledger of its own.
 *
 * In a folder: the homes a and b, each with a store and a keystore, and a file with the documents
 * that make them members. Both hold the organisation's sealing secret, so both read everything.
 */
#ifndef SPEAN_TESTS_BENCH_WORLD_H
#define SPEAN_TESTS_BENCH_WORLD_H

#include <stdint.h>

#include "node/config.h"
#include "node/core.h"
#include "node/journal.h"
#include "protocol/bytes.h"

/* Make the folder's homes and documents. */
void world_make(const char *dir);

/* Remove all that world_make() and the nodes left; dir itself stays. */
void world_remove(const char *dir);

/* Give the seed by which the node in home dir/name, which is not open, signs. */
void world_seed(const char *dir, const char *name, uint8_t seed[SPEAN_KEY_BYTES]);

/* A node of the world, opened. */
struct world_node {
    struct spean_config config;
    struct spean_journal journal;
    struct spean_core *core;
};

/*
 * Open the node in home dir/name, unlocked, with its journal on journal_fd, and let it enter the
 * ledger. listen: as in node/config.h.
 */
void world_open(struct world_node *node, const char *dir, const char *name, const char *listen,
                int journal_fd, enum spean_journal_level level);
void world_close(struct world_node *node);

/* End the process unless every entry is folded: every key was found, every body opened, and every
 * change is in a record that can be read. The core folds no more. */
void world_check_folded(struct spean_core *core);

#endif
