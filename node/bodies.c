/* Which sealed bodies travel to whom, and which we may read and lack (P6.4, P13.10). */
#include <string.h>

#include "node/core_internal.h"
#include "protocol/entry.h"
#include "store/carry.h"
#include "store/partkeys.h"

bool core_body_travels(void *ctx, const struct spean_header *header)
{
    struct core_travel *travel = ctx;
    if (travel->relay || !spean_header_is_sealed(header)) {
        return true; /* A grant bears the tag of what it gives the key of. */
    }
    struct core_travel_slot *slot = &travel->slots[header->tag.bytes[0] % CORE_TRAVEL_SLOTS];
    if (!slot->used || !spean_tag_equal(&slot->tag, &header->tag)) {
        const bool travels =
            spean_partkeys_travels(travel->tx, travel->core->keys, header, &travel->org);
        *slot = (struct core_travel_slot){true, header->tag, travels};
    }
    return slot->travels;
}

/* The groups of one round. Of the core's thread alone; too large for its stack. */
struct groups {
    struct spean_lacking lacking[SPEAN_SYNC_FETCHES_MAX];
    struct spean_fetch_group named[SPEAN_SYNC_FETCHES_MAX];
    uint32_t count;
};

static void name_group(struct groups *groups)
{
    const struct spean_lacking *lacking = &groups->lacking[groups->count];
    groups->named[groups->count++] = (struct spean_fetch_group){.log = lacking->log,
                                                                .tag = lacking->tag,
                                                                .proof = lacking->proof,
                                                                .seqs_count = lacking->seqs_count,
                                                                .seqs = lacking->seqs};
}

/* What we may read and the peer may hold; a locked node knows of nothing. */
static void find_readable(struct spean_core *core, struct spean_tx *tx, const struct spean_id *org,
                          struct spean_fetch_at *at, struct groups *groups)
{
    struct spean_lacking_at from = {.tag = at->tag, .seq = at->seq};
    while (groups->count < SPEAN_SYNC_FETCHES_MAX &&
           spean_partkeys_lacking(tx, core->keys, org, &from, &groups->lacking[groups->count]) ==
               SPEAN_OK) {
        name_group(groups);
    }
    at->tag = from.tag;
    at->seq = from.seq;
}

/* What we carry and the peer may hold: of logs of its org, or of any if it is a relay. */
static void find_carried(struct spean_tx *tx, const struct spean_id *org, struct spean_fetch_at *at,
                         struct groups *groups)
{
    struct spean_carry_at from = {.tag = at->tag, .number = at->number, .seq = at->seq};
    while (groups->count < SPEAN_SYNC_FETCHES_MAX &&
           spean_carry_lacking(tx, org, &from, &groups->lacking[groups->count]) == SPEAN_OK) {
        name_group(groups);
    }
    at->tag = from.tag;
    at->number = from.number;
    at->seq = from.seq;
}

void core_load_lacking(struct spean_core *core, const struct spean_sync_effect *effect)
{
    static _Thread_local struct groups groups; /* One for each core of the process. */
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        core_fail(core, err, "read");
        return;
    }
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_LACKING, .link = effect->link};
    struct spean_fetch_at *at = &event.as.loaded_lacking.next;
    const bool carries = effect->as.load_lacking.carries;
    const struct spean_id *org =
        effect->as.load_lacking.relay ? NULL : &effect->as.load_lacking.org;
    groups.count = 0;
    *at = effect->as.load_lacking.at;
    const bool room = core_room_takes_bodies(core);
    if (room && !at->carried) {
        find_readable(core, tx, org, at, &groups);
    }
    if (room && carries && groups.count < SPEAN_SYNC_FETCHES_MAX) {
        *at = at->carried ? *at : (struct spean_fetch_at){.carried = true};
        find_carried(tx, org, at, &groups);
    }
    event.as.loaded_lacking.groups = groups.named;
    event.as.loaded_lacking.count = groups.count;
    event.as.loaded_lacking.more = groups.count == SPEAN_SYNC_FETCHES_MAX;
    err = carries ? spean_carry_count(tx, &event.as.loaded_lacking.missing)
                  : spean_partkeys_lacking_count(tx, &event.as.loaded_lacking.missing);
    if (err != SPEAN_OK) {
        core_fail(core, err, "lacking");
    }
    core_step(core, &event);
    spean_tx_abort(tx);
}
