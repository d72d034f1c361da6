/*
 * protocol/message.h - the messages of a session, one frame each (PROTOCOL.md, 13.1).
 *
 * A decoded message is a set of views into its frame. Lists stay encoded: each has an iterator
 * that cannot fail, because decoding has walked every element once.
 */
#ifndef SPEAN_PROTOCOL_MESSAGE_H
#define SPEAN_PROTOCOL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/frontier.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/run.h"

#define SPEAN_VERSION_LOWEST     1u
#define SPEAN_VERSION_HIGHEST    1u
#define SPEAN_HANDLE_BYTES       16u
#define SPEAN_FRESH_BYTES        16u
#define SPEAN_FEATURES_MAX       64u
#define SPEAN_REFUSE_BYTES_MAX   256u
#define SPEAN_MESSAGE_ROWS_MAX   2048u /* In one ROWS; more rows go into further messages. */
#define SPEAN_MESSAGE_TITLES_MAX 1024u /* Chains in one TITLES. */
#define SPEAN_MESSAGE_HEADS_MAX  SPEAN_CHAIN_HEADS_MAX
#define SPEAN_MESSAGE_DOCS_MAX   256u
#define SPEAN_EXCLUDED_MAX       4096u
#define SPEAN_BUCKETS_BYTES      (SPEAN_BUCKETS_COUNT * SPEAN_BUCKET_DIGEST_BYTES)

enum spean_message_type {
    SPEAN_MESSAGE_HELLO = 1,
    SPEAN_MESSAGE_REFUSE = 2,
    SPEAN_MESSAGE_TITLES = 3,
    SPEAN_MESSAGE_DOCUMENTS = 4,
    SPEAN_MESSAGE_EVIDENCE = 5,
    SPEAN_MESSAGE_DIGEST = 6,
    SPEAN_MESSAGE_ROWS = 7,
    SPEAN_MESSAGE_WANT = 8,
    SPEAN_MESSAGE_RUN = 9,
    SPEAN_MESSAGE_END = 10,
    SPEAN_MESSAGE_MORE = 11,
    SPEAN_MESSAGE_FETCH = 12,
    SPEAN_MESSAGE_BODIES = 13,
    SPEAN_MESSAGE_HEAD = 14,
    SPEAN_MESSAGE_SYNCED = 15,
    SPEAN_MESSAGE_PING = 16,
    SPEAN_MESSAGE_PONG = 17,
    SPEAN_MESSAGE_HELD = 18,
    SPEAN_MESSAGE_OFFER = 20,
    SPEAN_MESSAGE_JOIN = 21,
    SPEAN_MESSAGE_CHALLENGE = 22,
    SPEAN_MESSAGE_STANDING = 23,
    SPEAN_MESSAGE_ASIDE = 24,
    SPEAN_MESSAGE_BRANCH = 25,
    SPEAN_MESSAGE_NODE = 26
};

enum spean_want_end { SPEAN_END_NO_MORE = 0, SPEAN_END_NOT_SERVED = 1 };

enum spean_standing {
    SPEAN_STANDING_WAITING = 1,
    SPEAN_STANDING_REFUSED = 2,
    SPEAN_STANDING_EXPIRED = 3,
    SPEAN_STANDING_MEMBER = 4
};

/* Say whether a newcomer that is told this need not ask again: nothing but another invitation
 * helps. */
bool spean_standing_is_final(uint64_t standing);

/* A list inside a message: count elements, still encoded, checked when the message was decoded. */
struct spean_list {
    uint32_t count;
    struct spean_view bytes;
};

struct spean_hello {
    uint64_t lowest;
    uint64_t highest;
    struct spean_handle handle;
    struct spean_id org;
    struct spean_key signing;
    struct spean_id authority;
    struct spean_id frontier;
    uint64_t time;
};

struct spean_message {
    enum spean_message_type type;
    union {
        struct spean_hello hello;
        struct {
            uint64_t rule;
            struct spean_view text;
        } refuse;
        struct {
            struct spean_list charter; /* of titles, ascending by id: spean_title_next() */
            struct spean_list orgs;    /* of chains: spean_chain_next() */
            bool more;
        } titles;
        struct {
            struct spean_list documents; /* spean_document_next() */
            bool more;
        } documents; /* Also OFFER, where more is false. */
        struct spean_view evidence;
        struct {
            uint32_t excluded_count;
            struct spean_view excluded; /* 8 bytes each, big-endian, ascending, nothing between. */
            const uint8_t *buckets;     /* SPEAN_BUCKETS_BYTES */
        } digest;
        struct {
            uint64_t buckets;       /* Bit b: bucket b. */
            struct spean_list rows; /* spean_row_next() */
            bool more;
        } rows;
        struct {
            uint32_t want;
            struct spean_id log;
            uint32_t places_count;
            struct spean_place places[SPEAN_PLACES_MAX]; /* Descending by seq. */
            uint64_t bytes;
        } want;
        struct {
            uint32_t want;
            struct spean_id log;
            struct spean_place after; /* Seq 0: from the start. */
            uint32_t held_count;
            struct spean_place held[SPEAN_ASIDE_HELD_MAX]; /* Ascending by seq, then entry. */
            bool more;
        } aside;
        struct {
            uint32_t want;
            struct spean_id log;
            struct spean_id previous; /* All zero: the run begins at seq 1. */
            struct spean_view run;
        } branch;
        struct {
            uint32_t want;
            struct spean_id log;
            struct spean_view run;
        } run;
        struct {
            uint32_t want;
            uint64_t status; /* enum spean_want_end */
        } end;
        struct {
            uint32_t want;
            uint64_t bytes;
        } more;
        struct {
            uint32_t fetch;
            struct spean_id log;
            struct spean_tag tag;
            struct spean_id proof;
            uint32_t seqs_count;
            uint64_t seqs[SPEAN_FETCH_SEQS_MAX]; /* Ascending. */
        } fetch;
        struct {
            uint32_t fetch;
            struct spean_list items; /* spean_bodies_next() */
            bool more;
        } bodies;
        struct {
            struct spean_id log;
            struct spean_place place;
        } place; /* HEAD and HELD. */
        struct {
            struct spean_id frontier;
            uint64_t missing;
        } synced;
        uint64_t number; /* PING, PONG, STANDING (enum spean_standing). */
        struct {
            struct spean_handle handle;
            struct spean_list documents; /* spean_document_next() */
            struct spean_id mac;
        } join;
        struct {
            struct spean_handle handle;
            struct spean_id org;
            struct spean_key signing;
            struct spean_key sealing;
            struct spean_signature acceptance; /* P3.4; the transport key is the link's. */
            struct spean_id mac;
        } node;
        uint8_t fresh[SPEAN_FRESH_BYTES]; /* CHALLENGE. */
    } as;
};

/*
 * Decode a whole frame. Everything in *out lives as long as frame. SPEAN_EFORMAT: not canonical, an
 * unknown type, or out of order; SPEAN_ELIMIT: above a named limit; in both cases the peer broke
 * P13.1 and is refused. *out may have been changed by a failed call.
 */
SPEAN_CHECK spean_err spean_message_decode(struct spean_view frame, struct spean_message *out);

/* Take the next element of a list that spean_message_decode() gave; false at the end. */
bool spean_title_next(struct spean_list *list, uint64_t *version, struct spean_id *id);
bool spean_chain_next(struct spean_list *list, struct spean_id *org, struct spean_list *titles);
bool spean_document_next(struct spean_list *list, struct spean_view *document);
bool spean_row_next(struct spean_list *list, struct spean_frontier_row *row);
bool spean_bodies_next(struct spean_list *list, uint64_t *seq, struct spean_view *body);

/*
 * Encode at buf, *out is then the frame. Lists are given as already encoded elements with their
 * count (composed with protocol/writer.h). SPEAN_ELIMIT: cap is too small.
 */
SPEAN_CHECK spean_err spean_message_encode(const struct spean_message *m, uint8_t *buf, size_t cap,
                                           struct spean_view *out);

#endif
