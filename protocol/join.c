#include "protocol/join.h"

#include <assert.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/hash.h"

#define GROUP_LEN    8u
#define GROUP_MOD    UINT64_C(100000000)
#define GROUPS_COUNT 3u

struct spean_id spean_join_node(const struct spean_id *org, const struct spean_statement_node *node)
{
    assert(org != NULL);
    assert(node != NULL);

    struct spean_hash h;
    struct spean_id id;
    spean_hash_begin(&h, SPEAN_DOMAIN_NODE_JOIN, sizeof(id.bytes));
    spean_hash_update(&h, org->bytes, sizeof(org->bytes));
    spean_hash_update(&h, node->signing.bytes, sizeof(node->signing.bytes));
    spean_hash_update(&h, node->sealing.bytes, sizeof(node->sealing.bytes));
    spean_hash_update(&h, node->acceptance.bytes, sizeof(node->acceptance.bytes));
    spean_hash_end(&h, id.bytes, sizeof(id.bytes));
    return id;
}

static void update_join(struct spean_hash *h, const struct spean_join *join)
{
    spean_hash_update(h, join->handle.bytes, sizeof(join->handle.bytes));
    spean_hash_update(h, join->inviter.bytes, sizeof(join->inviter.bytes));
    spean_hash_update(h, join->newcomer.bytes, sizeof(join->newcomer.bytes));
    spean_hash_update(h, join->statement.bytes, sizeof(join->statement.bytes));
}

void spean_join_mac(uint8_t mac[SPEAN_JOIN_MAC_BYTES], const struct spean_join *join,
                    const uint8_t secret[SPEAN_INVITE_SECRET_BYTES])
{
    assert(mac != NULL);
    assert(join != NULL);
    assert(secret != NULL);

    struct spean_hash h;
    spean_hash_begin_keyed(&h, SPEAN_DOMAIN_JOIN, secret, SPEAN_INVITE_SECRET_BYTES,
                           SPEAN_JOIN_MAC_BYTES);
    update_join(&h, join);
    spean_hash_end(&h, mac, SPEAN_JOIN_MAC_BYTES);
}

bool spean_join_mac_valid(const uint8_t mac[SPEAN_JOIN_MAC_BYTES], const struct spean_join *join,
                          const uint8_t secret[SPEAN_INVITE_SECRET_BYTES])
{
    uint8_t expected[SPEAN_JOIN_MAC_BYTES];
    spean_join_mac(expected, join, secret);
    const bool valid = sodium_memcmp(mac, expected, sizeof(expected)) == 0;
    sodium_memzero(expected, sizeof(expected));
    return valid;
}

static void digits_hash(uint8_t out[SPEAN_ID_BYTES], const struct spean_join *join,
                        const uint8_t *fresh)
{
    assert(join != NULL);
    assert(fresh != NULL);

    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_DIGITS, SPEAN_ID_BYTES);
    update_join(&h, join);
    spean_hash_update(&h, fresh, SPEAN_JOIN_FRESH_BYTES);
    spean_hash_end(&h, out, SPEAN_ID_BYTES);
}

/* Write the group of eight digits that the eight bytes at word give. */
static void group_write(char out[GROUP_LEN], const uint8_t *word)
{
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(value); i++) {
        value = value << 8 | word[i];
    }
    value %= GROUP_MOD;
    for (size_t i = GROUP_LEN; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
}

void spean_join_digits(char out[SPEAN_JOIN_DIGITS_LEN + 1], const struct spean_join *join,
                       const uint8_t fresh[SPEAN_JOIN_FRESH_BYTES])
{
    assert(out != NULL);

    uint8_t hash[SPEAN_ID_BYTES];
    digits_hash(hash, join, fresh);
    char group[GROUP_LEN];
    group_write(group, hash);
    memcpy(out, group, GROUP_LEN / 2);
    out[GROUP_LEN / 2] = ' ';
    memcpy(out + GROUP_LEN / 2 + 1, group + GROUP_LEN / 2, GROUP_LEN / 2);
    out[SPEAN_JOIN_DIGITS_LEN] = '\0';
}

void spean_join_letter_digits(char out[SPEAN_JOIN_LETTER_LEN + 1], const struct spean_join *join,
                              const uint8_t fresh[SPEAN_JOIN_FRESH_BYTES])
{
    assert(out != NULL);

    uint8_t hash[SPEAN_ID_BYTES];
    digits_hash(hash, join, fresh);
    for (size_t i = 0; i < GROUPS_COUNT; i++) {
        group_write(out + i * (GROUP_LEN + 1), hash + i * sizeof(uint64_t));
        out[i * (GROUP_LEN + 1) + GROUP_LEN] = i + 1 < GROUPS_COUNT ? ' ' : '\0';
    }
}
