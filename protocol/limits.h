/* protocol/limits.h - every size, count and depth that somebody else can choose (P1.5).
 *
 * Each is checked before arithmetic and allocation. Limits bind adding, never removing.
 */
#ifndef SPEAN_PROTOCOL_LIMITS_H
#define SPEAN_PROTOCOL_LIMITS_H

#define SPEAN_DOCUMENT_BYTES_MAX      32768u /* The body of a statement or charter version. */
#define SPEAN_DOCUMENT_SIGNATURES_MAX 64u
#define SPEAN_DOCUMENT_VERSIONS_MAX   65536u /* Of one chain, all branches together. */
#define SPEAN_CHAIN_HEADS_MAX         15u    /* Of one chain; so many are told to a peer. */
#define SPEAN_ADMINS_MAX              16u
#define SPEAN_STEWARDS_MAX            64u
#define SPEAN_ORG_NODES_MAX           1024u /* Ever. */
#define SPEAN_ORG_NODES_OPEN_MAX      64u
#define SPEAN_ORG_GENERATIONS_MAX     1024u /* Of an org's sealing key. */
#define SPEAN_MEMBERS_MAX             4096u
#define SPEAN_LEDGER_NAME_BYTES_MAX   128u
#define SPEAN_ERASURE_DELAY_MAX       31536000u /* Seconds: a year. */

#define SPEAN_HEADER_BYTES_MAX 1024u
#define SPEAN_BODY_BYTES_MAX   61440u /* As stored. */
#define SPEAN_RUN_ENTRIES_MAX  256u
#define SPEAN_RUN_BYTES_MAX    131072u /* Headers and bodies, whether bodies travel or not (P5.6). */
#define SPEAN_HEADS_ROWS_MAX   1536u

#define SPEAN_CHANGE_OPERATIONS_MAX 256u
#define SPEAN_CONTEXT_ROWS_MAX      256u
#define SPEAN_VALUE_BYTES_MAX       32768u
#define SPEAN_ACTOR_BYTES_MAX       32u

#define SPEAN_GRANT_BOXES_MAX      64u
#define SPEAN_AUDIENCE_ORGS_MAX    64u
#define SPEAN_PART_GENERATIONS_MAX 1024u
#define SPEAN_PART_GRANTS_MAX      1024u /* In one log (P8.4). */

#define SPEAN_FRAME_BYTES_MAX   262144u /* One session message. */
#define SPEAN_PLACES_MAX        32u
#define SPEAN_WANTS_MAX         8u /* Requests open at once on one link, each way. */
#define SPEAN_FETCH_SEQS_MAX    256u
#define SPEAN_ASIDE_HELD_MAX    256u /* Places in one ASIDE. */
#define SPEAN_FRONTIER_LOGS_MAX 65536u

#endif
