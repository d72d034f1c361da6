/* protocol/cut.h - the place where a log was closed (P3.7), and the lower of two. */
#ifndef SPEAN_PROTOCOL_CUT_H
#define SPEAN_PROTOCOL_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

/* All zero: the log is open. */
struct spean_cut {
    bool closed;
    uint64_t seq;          /* The last entry that counts; 0: none does. */
    struct spean_id entry; /* Its id; all zero when seq is 0. */
    bool torn;             /* Between join and settle: branches name other entries of this seq. */
};

/* Read seq and entry id, nil for seq 0: two values of an array that the caller has entered. */
void spean_cut_read(struct spean_reader *r, struct spean_cut *cut);
void spean_cut_write(struct spean_writer *w, const struct spean_cut *cut);

/* Say whether a log that is closed at before (or open) may be cut here: only ever lower. */
bool spean_cut_may_follow(const struct spean_cut *cut, const struct spean_cut *before);

/*
 * Join all branches' cuts of a log in any order, then settle: the lowest binds. Where branches name
 * different entries of that seq, no place below is known to all, so nothing of the log stands:
 * seq 0 (P3.9).
 */
void spean_cut_join(struct spean_cut *cut, const struct spean_cut *other);
void spean_cut_settle(struct spean_cut *cut);

#endif
