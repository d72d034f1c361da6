/*
 * store/room.h - how much room a store has left, what may still be written, and the ballast.
 *
 * Room is what the store may still grow by: the lesser of what is left of the map and of the disk,
 * and the pages within the file that wait to be used again. Long before there is none, steps follow
 * each other: first no bodies are taken, then nothing is written here, then nothing is taken from
 * peers. Revocations (org statements, charters and what they cut), withdrawals of consents and
 * erasures are never refused by a step.
 *
 * What they need is kept back. On the disk that is the ballast, a file beside data.mdb whose blocks
 * are allocated and hold nothing: it is let go of when one of them meets a full disk, and made
 * again when there is room. In the map it is as many bytes that the steps never count as room. The
 * steps are the same whether the ballast is there or was let go of, so that nothing else uses up
 * what it freed.
 */
#ifndef SPEAN_STORE_ROOM_H
#define SPEAN_STORE_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/err.h"
#include "store/db.h"

/* The steps: so much of what the store may become at most is used. */
#define SPEAN_ROOM_SHORT_PERCENT  70u
#define SPEAN_ROOM_BODIES_PERCENT 85u
#define SPEAN_ROOM_WRITES_PERCENT 95u

#define SPEAN_ROOM_BALLAST_BYTES 67108864u /* Where the store may become large enough: */
#define SPEAN_ROOM_BALLAST_SHARE 8u        /* at most this part of what it may become. */

enum spean_room_step {
    SPEAN_ROOM_PLENTY,
    SPEAN_ROOM_SHORT,     /* Say so to people. */
    SPEAN_ROOM_NO_BODIES, /* Of sealed bodies that can be fetched later, take none from peers. */
    SPEAN_ROOM_NO_WRITES, /* Refuse what people write here, too. */
    SPEAN_ROOM_NONE,      /* Only what is kept back is left: take nothing from peers, either. */
};

struct spean_room {
    uint64_t used_bytes; /* By rows, and what holds them together. */
    uint64_t left_bytes; /* Without what is kept back. */
    bool ballast;        /* It is there, whole. */
    enum spean_room_step step;
};

/* The step for so much used and left. */
enum spean_room_step spean_room_step_of(uint64_t used_bytes, uint64_t left_bytes);

/*
 * Look how much room there is. Two system calls while there is plenty; beyond that it walks the
 * list of free pages, so no more than once a second then. A quota of the file system, or a limit of
 * the process, is not seen here: writing meets it (SPEAN_EFULL). SPEAN_EIO: the file system could
 * not be asked; others as spean_db_stat().
 */
SPEAN_CHECK spean_err spean_room_look(struct spean_db *db, struct spean_room *out);

/* Make the ballast, if there is none and room for it. SPEAN_EEXISTS: it is there. SPEAN_EFULL:
 * later. SPEAN_EDENIED, SPEAN_EIO: it cannot be made; the store goes on without. */
SPEAN_CHECK spean_err spean_room_make_ballast(struct spean_db *db);

/* Let go of the ballast: call it when a revocation or an erasure met SPEAN_EFULL, then write it
 * again. False: there was none. */
bool spean_room_drop_ballast(struct spean_db *db);

#endif
