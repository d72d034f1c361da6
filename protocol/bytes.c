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

uint64_t spean_short_of(const struct spean_id *id)
{
    uint64_t value = 0;
    for (size_t i = 0; i < SPEAN_SHORT_BYTES; i++) {
        value = value << 8 | id->bytes[i];
    }
    return value;
}
