/* protocol/id_map.h - from ids and keys to the numbers of what they name. Nothing is taken out. */
#ifndef SPEAN_PROTOCOL_ID_MAP_H
#define SPEAN_PROTOCOL_ID_MAP_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_ID_MAP_NONE        UINT32_MAX
#define SPEAN_ID_MAP_ENTRIES_MAX (1u << 27) /* More than all documents of the largest ledger. */

struct spean_id_map_slot;

/* The caller's memory; the fields are this module's. All zero: empty. */
struct spean_id_map {
    struct spean_id_map_slot *slots;
    uint32_t slots_count; /* A power of two, or 0. */
    uint32_t entries_count;
};

void spean_id_map_init(struct spean_id_map *map);
void spean_id_map_fini(struct spean_id_map *map);

/* Return the number put for 32 bytes, SPEAN_ID_MAP_NONE for none. */
uint32_t spean_id_map_get(const struct spean_id_map *map, const uint8_t key[SPEAN_ID_BYTES]);

/*
 * Put a number (not SPEAN_ID_MAP_NONE) for 32 bytes, in the place of an earlier one.
 * SPEAN_ENOMEM, SPEAN_ELIMIT: no room; map is as before.
 */
SPEAN_CHECK spean_err spean_id_map_put(struct spean_id_map *map, const uint8_t key[SPEAN_ID_BYTES],
                                       uint32_t number);

#endif
