/* protocol/domains.h - every domain string: what is hashed or signed for one end serves no other.
 */
#ifndef SPEAN_PROTOCOL_DOMAINS_H
#define SPEAN_PROTOCOL_DOMAINS_H

#define SPEAN_DOMAIN_BYTES_MAX 64u /* Without the length byte before it. */

#define SPEAN_DOMAIN_TEST "spean/test/1"

#endif
