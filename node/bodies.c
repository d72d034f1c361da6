/* Which sealed bodies travel to whom, and which we may read and lack (P6.4, P13.10). */
#include <string.h>

#include "node/core_internal.h"
#include "protocol/entry.h"
#include "store/partkeys.h"

#define GROUPS_MAX 64u /* In one round; the next asks for the rest. */

static bool is_in_audience(const struct core_travel *travel, const struct spean_tag *tag)
{
    struct spean_audience audience;
    if (spean_partkeys_audience(travel->tx, travel->core->keys, tag, &audience) != SPEAN_OK) {
        return false;
    }
    for (uint32_t i = 0; i < audience.count; i++) {
        if (spean_id_equal(&audience.orgs[i], &travel->org)) {
            return true;
        }
    }
    return false;
}

bool core_body_travels(void *ctx, const struct spean_header *header)
{
    struct core_travel *travel = ctx;
    if (header->kind != SPEAN_ENTRY_CHANGE || !header->has_tag || travel->relay) {
        return true;
    }
    struct core_travel_slot *slot = &travel->slots[header->tag.bytes[0] % CORE_TRAVEL_SLOTS];
    if (!slot->used || !spean_tag_equal(&slot->tag, &header->tag)) {
        const bool travels = is_in_audience(travel, &header->tag);
        *slot = (struct core_travel_slot){true, header->tag, travels};
    }
    return slot->travels;
}

void core_load_lacking(struct spean_core *core, const struct spean_sync_effect *effect)
{
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        core_fail(core, err, "read");
        return;
    }
    static struct spean_lacking lacking[GROUPS_MAX]; /* Of the core's thread alone. */
    struct spean_fetch_group groups[GROUPS_MAX];
    struct spean_lacking_at at = {0};
    struct spean_sync_event event = {.kind = SPEAN_SYNC_LOADED_LACKING, .link = effect->link};
    event.as.loaded_lacking.groups = groups;
    const struct spean_id *org =
        effect->as.load_lacking.relay ? NULL : &effect->as.load_lacking.org;
    uint32_t count = 0;
    while (count < GROUPS_MAX &&
           spean_partkeys_lacking(tx, core->keys, org, &at, &lacking[count]) == SPEAN_OK) {
        groups[count] = (struct spean_fetch_group){.log = lacking[count].log,
                                                   .tag = lacking[count].tag,
                                                   .proof = lacking[count].proof,
                                                   .seqs_count = lacking[count].seqs_count,
                                                   .seqs = lacking[count].seqs};
        count++;
    }
    event.as.loaded_lacking.count = count;
    err = spean_partkeys_lacking_count(tx, &event.as.loaded_lacking.missing);
    if (err != SPEAN_OK) {
        core_fail(core, err, "lacking");
    }
    core_step(core, &event);
    spean_tx_abort(tx);
}
