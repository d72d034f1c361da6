/*
 * tests/bench/history.h - logs as a busy organisation would have written them: cases, each begun by
 * a grant and a creating change, then changed again and again; every entry a signed commit.
 *
 * Work goes over the cases in turn, a few changes to one, then to the next: so a run bears dozens
 * of tags, and a batch of folding touches many parts. Of a hundred changes to a case eighty write a
 * text, twenty append an item to a list; five of the texts come with a member of a set by which the
 * case is found. Where two nodes write they take turns, and each names in the context of its
 * changes what it has read of the other.
 */
#ifndef SPEAN_TESTS_BENCH_HISTORY_H
#define SPEAN_TESTS_BENCH_HISTORY_H

#include <stdint.h>

#include "node/core.h"
#include "protocol/bytes.h"

#define HISTORY_WRITERS_MAX     2u
#define HISTORY_GRANTS_MAX      2000u
#define HISTORY_CHANGES_A_CASE  100u
#define HISTORY_CHANGES_A_BURST 5u
#define HISTORY_BODY_BYTES      296u /* Of a sealed change: the closest to 300 that is padded. */

/* Letters of a text that makes the sealed body of its change as long as the shortest, 296 bytes;
 * and room for it, encoded. */
#define HISTORY_NARRATIVE_LETTERS 120u
#define HISTORY_NARRATIVE_BYTES   128u

/* Encode such a text in buf: a number, with zeros before it. */
struct spean_view history_narrative(uint32_t number, uint8_t buf[HISTORY_NARRATIVE_BYTES]);

/* How many entries follow from so many changes, a multiple of HISTORY_CHANGES_A_CASE. */
uint64_t history_entries(uint32_t changes);

/*
 * Write changes changes, their grants and our agency record, which names endpoint as that of
 * the organisation's other node, to the core's own log; every second burst to that of the other
 * node, if other_seed, by which it signs, is not NULL. The core does not run.
 */
void history_write(struct spean_core *core, uint32_t changes, const char *endpoint,
                   const uint8_t *other_seed);

/* Write one case, and have both nodes in turn hand out its key, grants times in all: at most
 * HISTORY_GRANTS_MAX. The core does not run. */
void history_write_grants(struct spean_core *core, uint32_t grants, const uint8_t *other_seed);

#endif
