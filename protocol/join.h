/*
 * protocol/join.h - how a newcomer and the node that invited it know each other (P12.3).
 *
 * The MAC shows that the newcomer holds the invitation. The digits are compared by people over
 * another channel, because an invitation can be read on its way.
 */
#ifndef SPEAN_PROTOCOL_JOIN_H
#define SPEAN_PROTOCOL_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/invite.h"
#include "protocol/statement.h"

#define SPEAN_JOIN_MAC_BYTES   32u
#define SPEAN_JOIN_FRESH_BYTES 16u
#define SPEAN_JOIN_DIGITS_LEN  9u  /* "1234 5678" */
#define SPEAN_JOIN_LETTER_LEN  26u /* "12345678 12345678 12345678" */

/* What both sides know of one joining. */
struct spean_join {
    struct spean_handle handle;
    struct spean_key inviter;  /* Transport key. */
    struct spean_key newcomer; /* Transport key. */
    struct spean_id statement; /* Id of the newcomer's last statement version; of a further node of
                                  an org what spean_join_node() gives (P12.5). */
};

/* The hash that stands for a further node of org in its joining (P12.5); its transport key is the
 * link's, and not in it. */
struct spean_id spean_join_node(const struct spean_id *org,
                                const struct spean_statement_node *node);

/* Work out the MAC of a JOIN. secret is that of the invitation. */
void spean_join_mac(uint8_t mac[SPEAN_JOIN_MAC_BYTES], const struct spean_join *join,
                    const uint8_t secret[SPEAN_INVITE_SECRET_BYTES]);

/* Compare in constant time; false: answer as to an invitation that does not exist. */
bool spean_join_mac_valid(const uint8_t mac[SPEAN_JOIN_MAC_BYTES], const struct spean_join *join,
                          const uint8_t secret[SPEAN_INVITE_SECRET_BYTES]);

/* Write the eight digits of a joining over the network, 4 + 4, and a NUL. */
void spean_join_digits(char out[SPEAN_JOIN_DIGITS_LEN + 1], const struct spean_join *join,
                       const uint8_t fresh[SPEAN_JOIN_FRESH_BYTES]);

/* Write the 24 digits of a joining by files (a later step; the format is decided now), three groups
 * of eight, and a NUL. */
void spean_join_letter_digits(char out[SPEAN_JOIN_LETTER_LEN + 1], const struct spean_join *join,
                              const uint8_t fresh[SPEAN_JOIN_FRESH_BYTES]);

#endif
