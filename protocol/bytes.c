#include "protocol/bytes.h"

#include <string.h>

int spean_id_compare(const struct spean_id *a, const struct spean_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool spean_id_equal(const struct spean_id *a, const struct spean_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool spean_record_id_equal(const struct spean_record_id *a, const struct spean_record_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool spean_tag_equal(const struct spean_tag *a, const struct spean_tag *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool spean_key_equal(const struct spean_key *a, const struct spean_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

int spean_key_compare(const struct spean_key *a, const struct spean_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool spean_handle_equal(const struct spean_handle *a, const struct spean_handle *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct spean_handle spean_handle_of(const struct spean_id *ledger)
{
    struct spean_handle handle;
    memcpy(handle.bytes, ledger->bytes, sizeof(handle.bytes));
    return handle;
}

void spean_u64_put(uint8_t out[8], uint64_t value)
{
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

uint64_t spean_u64_get(const uint8_t bytes[8])
{
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

uint64_t spean_short_of(const struct spean_id *id)
{
    return spean_u64_get(id->bytes);
}
