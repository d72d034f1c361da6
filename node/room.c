/* Room: what is still taken and written as the disk or the map fills up, and what is kept back for
 * revocations, withdrawals and erasures. */
#include "node/core_internal.h"
#include "protocol/entry.h"

#define ERASING_BYTES_MAX (SPEAN_ROOM_BALLAST_BYTES / 4)

static const char *step_name(enum spean_room_step step)
{
    switch (step) {
    case SPEAN_ROOM_PLENTY:
        return "plenty";
    case SPEAN_ROOM_SHORT:
        return "short";
    case SPEAN_ROOM_NO_BODIES:
        return "no_bodies";
    case SPEAN_ROOM_NO_WRITES:
        return "no_writes";
    case SPEAN_ROOM_NONE:
        return "none";
    }
    return "none";
}

const char *spean_core_room_name(const struct spean_room *room)
{
    return step_name(room->step);
}

static void journal_step(struct spean_core *core, const struct spean_room *room)
{
    const enum spean_journal_level level =
        room->step >= SPEAN_ROOM_NO_BODIES ? SPEAN_JOURNAL_ERROR : SPEAN_JOURNAL_WARNING;
    SPEAN_JOURNAL_EVENT(core->journal, room->step == SPEAN_ROOM_PLENTY ? SPEAN_JOURNAL_INFO : level,
                        "room", spean_journal_text("step", step_name(room->step)),
                        spean_journal_number("left_mib", room->left_bytes >> 20));
}

/* There is no ballast, or a smaller one than there should be. */
static void make_ballast(struct spean_core *core, struct spean_room *room)
{
    const spean_err err = spean_room_make_ballast(core->db);
    room->ballast = err == SPEAN_OK || err == SPEAN_EEXISTS;
    if (err != SPEAN_EFULL) { /* That shows by itself, and is tried again. */
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_INFO, "ballast_made",
                            spean_journal_text("err", spean_err_name(err)));
    }
}

void core_room_look(struct spean_core *core)
{
    struct spean_room room;
    if (spean_room_look(core->db, &room) != SPEAN_OK) {
        return; /* What was seen last stands; writing meets what is in the way. */
    }
    const uint64_t now = core_now_ms();
    if (!room.ballast && room.step < SPEAN_ROOM_NO_WRITES && now >= core->next_ballast_ms) {
        core->next_ballast_ms = now + CORE_BALLAST_MS;
        make_ballast(core, &room);
    }
    if (room.step != core->room.step) {
        journal_step(core, &room);
        core->erasing_bytes = 0;
    }
    if (room.step < core->room.step) {
        core->fold_pending = true;   /* At its end what is lacking is asked for again, */
        core->settle_pending = true; /* and what we write by ourselves was held back, too. */
    }
    if (room.step != core->room.step || room.ballast != core->room.ballast ||
        room.left_bytes >> 20 != core->room.left_bytes >> 20) {
        (void)pthread_rwlock_wrlock(&core->lock);
        core->room = room;
        (void)pthread_rwlock_unlock(&core->lock);
    }
}

bool spean_core_make_room(struct spean_core *core, const char *why)
{
    const bool dropped = spean_room_drop_ballast(core->db);
    if (dropped) {
        core->next_ballast_ms = core_now_ms() + CORE_BALLAST_MS;
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "ballast_dropped",
                            spean_journal_text("why", why));
    }
    core_room_look(core);
    return dropped;
}

void spean_core_urgent(struct spean_core *core)
{
    core->urgent = true;
}

/* -- What is taken --------------------------------------------------------------------------- */

bool spean_core_takes_writes(const struct spean_core *core)
{
    return core->room.step < SPEAN_ROOM_NO_WRITES;
}

bool core_room_takes_bodies(const struct spean_core *core)
{
    return core->room.step < SPEAN_ROOM_NO_BODIES;
}

/* Of an entry that brings its body later, when somebody asks for it by the part's key (P13.10). */
bool core_room_keeps_body(void *ctx, const struct spean_header *header)
{
    const struct spean_core *core = ctx;
    return core_room_takes_bodies(core) || !spean_header_is_sealed(header);
}

static bool erases(const struct spean_run *run)
{
    for (uint32_t i = 0; i < spean_run_count(run); i++) {
        if (spean_run_entry(run, i)->header.kind == SPEAN_ENTRY_ERASURE) {
            return true;
        }
    }
    return false;
}

/* Whoever floods can put an erasure into every run: most of what is kept back is for documents. */
bool core_room_takes_run(struct spean_core *core, const struct spean_run *run)
{
    const bool none = core->room.step == SPEAN_ROOM_NONE;
    if (erases(run) && (!none || core->erasing_bytes < ERASING_BYTES_MAX)) {
        core->erasing_bytes += none ? spean_run_size(run) : 0;
        core->urgent = true;
        return true;
    }
    return !none;
}

bool core_room_may_fold(const struct spean_core *core)
{
    return core->room.step != SPEAN_ROOM_NONE || core->urgent;
}
