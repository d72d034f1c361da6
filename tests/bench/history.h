/*
 * tests/bench/history.h - a log as a busy organisation would have written it: cases, each begun by
 * a grant and a creating change, then changed again and again; every entry a signed commit.
 *
 * Work goes over the cases in turn, a few changes to one, then to the next: so a run bears dozens
 * of tags, and a batch of folding touches many parts.
 */
#ifndef SPEAN_TESTS_BENCH_HISTORY_H
#define SPEAN_TESTS_BENCH_HISTORY_H

#include <stdint.h>

#include "node/core.h"

#define HISTORY_CHANGES_A_CASE  100u
#define HISTORY_CHANGES_A_BURST 5u
#define HISTORY_BODY_BYTES      296u /* Of a sealed change: the closest to 300 that is padded. */

/* How many entries follow from so many changes, a multiple of HISTORY_CHANGES_A_CASE. */
uint64_t history_entries(uint32_t changes);

/*
 * Write changes changes, their grants and our agency record, which names endpoint as that of
 * the organisation's other node, to the core's own log. The core does not run.
 */
void history_write(struct spean_core *core, uint32_t changes, const char *endpoint);

#endif
