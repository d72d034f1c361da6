#include "store/handed.h"

#include <assert.h>
#include <stddef.h>

#define VALUE_BYTES 8u

static struct spean_db_key row_key(const struct spean_key *sealing)
{
    static const uint8_t name[] = {'h', 'a', 'n', 'd', 'e', 'd', '/'};
    struct spean_db_key key = {0};
    spean_db_key_put_bytes(&key, name, sizeof(name));
    spean_db_key_put_bytes(&key, sealing->bytes, sizeof(sealing->bytes));
    return key;
}

/* Up to which generation this node has the secrets, as is known; 0: nothing is. */
static spean_err handed_get(struct spean_tx *tx, const struct spean_key *sealing,
                            uint64_t *generation)
{
    const struct spean_db_key key = row_key(sealing);
    struct spean_view value;
    *generation = 0;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_META, spean_db_key_view(&key), &value);
    if (err == SPEAN_ENOTFOUND) {
        return SPEAN_OK;
    }
    if (err == SPEAN_OK && value.len != VALUE_BYTES) {
        return SPEAN_ECORRUPT;
    }
    if (err == SPEAN_OK) {
        *generation = spean_u64_get(value.data);
    }
    return err;
}

spean_err spean_handed_put(struct spean_tx *tx, const struct spean_key *sealing,
                           uint64_t generation)
{
    assert(sealing != NULL);

    uint64_t known = 0;
    const spean_err err = handed_get(tx, sealing, &known);
    if (err != SPEAN_OK || known >= generation) {
        return err;
    }
    const struct spean_db_key key = row_key(sealing);
    uint8_t value[VALUE_BYTES];
    spean_u64_put(value, generation);
    return spean_tx_put(tx, SPEAN_TABLE_META, spean_db_key_view(&key),
                        (struct spean_view){value, sizeof(value)});
}

/* The next log of org at or behind *at, which is then behind it; NULL: no more. */
static const struct spean_log *next_of(const struct spean_authority *authority,
                                       const struct spean_id *org, uint32_t *at)
{
    while (*at < spean_authority_logs_count(authority)) {
        const struct spean_log *const log = spean_authority_log_at(authority, (*at)++);
        if (spean_id_equal(&log->org, org)) {
            return log;
        }
    }
    return NULL;
}

spean_err spean_handed_seen(struct spean_tx *tx, const struct spean_authority *authority,
                            const struct spean_log *author, uint32_t boxes_count,
                            uint64_t generation)
{
    assert(author != NULL);

    uint32_t nodes_count = 0;
    for (uint32_t at = 0; next_of(authority, &author->org, &at) != NULL;) {
        nodes_count++;
    }
    spean_err err = spean_handed_put(tx, &author->sealing, generation);
    const struct spean_log *node = NULL;
    for (uint32_t at = 0; err == SPEAN_OK && boxes_count >= nodes_count &&
                          (node = next_of(authority, &author->org, &at)) != NULL;) {
        err = spean_handed_put(tx, &node->sealing, generation);
    }
    return err;
}

spean_err spean_handed_lacks(struct spean_tx *tx, const struct spean_authority *authority,
                             const struct spean_log *node, bool *lacks)
{
    assert(node != NULL);
    assert(lacks != NULL);

    struct spean_authority_org org;
    uint64_t known = 0;
    spean_err err = spean_authority_org(authority, &node->org, &org);
    if (err == SPEAN_OK) {
        err = handed_get(tx, &node->sealing, &known);
    }
    *lacks = err == SPEAN_OK && org.org != NULL && known < org.org->generation;
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_handed_owes(struct spean_tx *tx, const struct spean_authority *authority,
                            const struct spean_log *own, bool *owes)
{
    assert(own != NULL);
    assert(owes != NULL);

    spean_err err = SPEAN_OK;
    const struct spean_log *node = NULL;
    *owes = false;
    for (uint32_t at = 0;
         err == SPEAN_OK && !*owes && (node = next_of(authority, &own->org, &at)) != NULL;) {
        if (node->status == SPEAN_LOG_OPEN && !spean_id_equal(&node->id, &own->id)) {
            err = spean_handed_lacks(tx, authority, node, owes);
        }
    }
    return err;
}
