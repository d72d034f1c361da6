/* protocol/domains.h - every domain string: what is hashed or signed for one end serves no other.
 *
 * The table is P1.4 of docs/PROTOCOL.md; a string is used in one place only.
 */
#ifndef SPEAN_PROTOCOL_DOMAINS_H
#define SPEAN_PROTOCOL_DOMAINS_H

#define SPEAN_DOMAIN_BYTES_MAX 64u /* Without the length byte before it. */

#define SPEAN_DOMAIN_STATEMENT      "spean/statement/1"
#define SPEAN_DOMAIN_STATEMENT_SIGN "spean/statement-sign/1"
#define SPEAN_DOMAIN_CHARTER        "spean/charter/1"
#define SPEAN_DOMAIN_CHARTER_SIGN   "spean/charter-sign/1"
#define SPEAN_DOMAIN_RECOVERY       "spean/recovery/1"
#define SPEAN_DOMAIN_NODE           "spean/node/1"
#define SPEAN_DOMAIN_LOG            "spean/log/1"
#define SPEAN_DOMAIN_ENTRY          "spean/entry/1"
#define SPEAN_DOMAIN_BODY           "spean/body/1"
#define SPEAN_DOMAIN_COMMIT         "spean/commit/1"
#define SPEAN_DOMAIN_KEY_PROOF      "spean/key-proof/1"
#define SPEAN_DOMAIN_COMMITMENT     "spean/commitment/1"
#define SPEAN_DOMAIN_GRANT_PAIR     "spean/grant-pair/1"
#define SPEAN_DOMAIN_ORGKEY_PAIR    "spean/orgkey-pair/1"
#define SPEAN_DOMAIN_HINT           "spean/hint/1"
#define SPEAN_DOMAIN_RECORD         "spean/record/1"
#define SPEAN_DOMAIN_STATE          "spean/state/1"
#define SPEAN_DOMAIN_SCHEMA         "spean/schema/1"
#define SPEAN_DOMAIN_CONSENT_TERMS  "spean/consent-terms/1"
#define SPEAN_DOMAIN_AUTHORITY      "spean/authority/1"
#define SPEAN_DOMAIN_BUCKET         "spean/bucket/1"
#define SPEAN_DOMAIN_FRONTIER       "spean/frontier/1"
#define SPEAN_DOMAIN_INVITATION     "spean/invitation/1"
#define SPEAN_DOMAIN_JOIN           "spean/join/1"
#define SPEAN_DOMAIN_NODE_JOIN      "spean/node-join/1"
#define SPEAN_DOMAIN_DIGITS         "spean/digits/1"
#define SPEAN_DOMAIN_TEST           "spean/test/1"

#endif
