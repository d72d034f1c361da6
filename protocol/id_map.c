#include "protocol/id_map.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"

#define FIRST_SLOTS 8u

struct spean_id_map_slot {
    uint8_t key[SPEAN_ID_BYTES];
    uint32_t number; /* SPEAN_ID_MAP_NONE: the slot is free. */
};

void spean_id_map_init(struct spean_id_map *map)
{
    assert(map != NULL);

    memset(map, 0, sizeof(*map));
}

void spean_id_map_fini(struct spean_id_map *map)
{
    assert(map != NULL);

    free(map->slots);
    memset(map, 0, sizeof(*map));
}

/* The slot of key, or the free one where it belongs. Keys are hashes or points: they scatter. */
static struct spean_id_map_slot *slot_of(const struct spean_id_map *map, const uint8_t *key)
{
    assert(map->entries_count < map->slots_count);

    const uint32_t mask = map->slots_count - 1;
    uint32_t at = (uint32_t)spean_u64_get(key) & mask;
    while (map->slots[at].number != SPEAN_ID_MAP_NONE &&
           memcmp(map->slots[at].key, key, SPEAN_ID_BYTES) != 0) {
        at = (at + 1) & mask;
    }
    return &map->slots[at];
}

uint32_t spean_id_map_get(const struct spean_id_map *map, const uint8_t key[SPEAN_ID_BYTES])
{
    assert(map != NULL);
    assert(key != NULL);

    return map->slots_count == 0 ? SPEAN_ID_MAP_NONE : slot_of(map, key)->number;
}

static spean_err grow(struct spean_id_map *map)
{
    const uint32_t count = map->slots_count == 0 ? FIRST_SLOTS : map->slots_count * 2;
    struct spean_id_map grown = {.slots = spean_alloc_array(count, sizeof(*map->slots)),
                                 .slots_count = count};
    if (grown.slots == NULL) {
        return SPEAN_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        grown.slots[i].number = SPEAN_ID_MAP_NONE;
    }
    for (uint32_t i = 0; i < map->slots_count; i++) {
        if (map->slots[i].number != SPEAN_ID_MAP_NONE) {
            *slot_of(&grown, map->slots[i].key) = map->slots[i];
            grown.entries_count++;
        }
    }
    free(map->slots);
    *map = grown;
    return SPEAN_OK;
}

spean_err spean_id_map_put(struct spean_id_map *map, const uint8_t key[SPEAN_ID_BYTES],
                           uint32_t number)
{
    assert(map != NULL);
    assert(key != NULL);
    assert(number != SPEAN_ID_MAP_NONE);

    if (map->entries_count == SPEAN_ID_MAP_ENTRIES_MAX) {
        return SPEAN_ELIMIT;
    }
    /* A quarter stays free, so that a search for what is not there ends soon. */
    if (map->entries_count >= map->slots_count / 4 * 3) {
        const spean_err err = grow(map);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    struct spean_id_map_slot *const slot = slot_of(map, key);
    const bool added = slot->number == SPEAN_ID_MAP_NONE;
    memcpy(slot->key, key, SPEAN_ID_BYTES);
    slot->number = number;
    map->entries_count += added ? 1 : 0;
    return SPEAN_OK;
}
