/*
 * protocol/sync.h - the sync step: one event in, effects out (PROTOCOL.md, 13).
 *
 * The step function decides everything about sessions and does nothing: it knows no socket, file
 * or clock. The daemon, the simulator and the fuzzers drive it alike: hand it an event, carry out
 * the effects in order, report what came of them as further events. A promise to a peer (HELD,
 * HEAD, SYNCED) is an effect of the DURABLE event, never before it.
 *
 * It keeps the frontier and, per link, what a session needs; entries, bodies and documents stay in
 * the store. Authority over logs is asked of the authority that the caller lends; it changes only
 * between steps, and every change is followed by an AUTHORITY event.
 */
#ifndef SPEAN_PROTOCOL_SYNC_H
#define SPEAN_PROTOCOL_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/frontier.h"
#include "protocol/limits.h"
#include "protocol/run.h"

#define SPEAN_SYNC_LINKS_MAX        256u     /* Sessions at once. */
#define SPEAN_SYNC_WINDOW_BYTES     4194304u /* Asked for and not yet durable, per link. */
#define SPEAN_SYNC_WINDOW_ALL_BYTES 8388608u /* The same over all links. */
#define SPEAN_SYNC_FETCHES_MAX      8u       /* Open per link (P1.5). */
#define SPEAN_SYNC_PING_BUSY_MS     20000u
#define SPEAN_SYNC_PING_IDLE_MS     300000u
#define SPEAN_SYNC_PINGS_LOST_MAX   3u

struct spean_sync; /* Opaque. */

struct spean_sync_config {
    struct spean_handle handle; /* Of the ledger. */
    struct spean_id org;        /* Ours. */
    struct spean_key signing;   /* Of this node's open log. */
    struct spean_key transport; /* Ours: decides which of two links asks (P13.12). */
};

/* SPEAN_ENOMEM. authority is borrowed for the life of the sync. The caller frees *out. */
SPEAN_CHECK spean_err spean_sync_new(const struct spean_sync_config *config,
                                     const struct spean_authority *authority,
                                     struct spean_sync **out);
void spean_sync_free(struct spean_sync *sync); /* NULL is allowed. */

/*
 * Before the first event: tell what the store holds, log by log. A log that the store marks as
 * disputed (forked, no cut yet) or paused is excluded from digests and asked for no more.
 * SPEAN_ELIMIT, SPEAN_ENOMEM.
 */
enum spean_log_standing { SPEAN_LOG_GOING, SPEAN_LOG_DISPUTED, SPEAN_LOG_PAUSED };
SPEAN_CHECK spean_err spean_sync_hold(struct spean_sync *sync, const struct spean_id *log,
                                      const struct spean_place *head,
                                      enum spean_log_standing standing);

/* How a link came to be. */
enum spean_link_mode {
    SPEAN_LINK_MEMBER,  /* The key is an open node's of an active member. */
    SPEAN_LINK_LOBBY,   /* It is not; it dialled us (P12.2). */
    SPEAN_LINK_JOINING, /* We dialled it with an invitation and are no member yet (P12.3). */
};

enum spean_sync_event_kind {
    SPEAN_SYNC_PEER_UP,           /* up */
    SPEAN_SYNC_PEER_DOWN,         /* link only */
    SPEAN_SYNC_MESSAGE,           /* message */
    SPEAN_SYNC_ASK_AGAIN,         /* message: our JOIN or NODE; sent while the link is in a lobby */
    SPEAN_SYNC_DURABLE,           /* durable: APPEND, PUT_BODIES or SET_ASIDE reached the disk */
    SPEAN_SYNC_NOT_DURABLE,       /* durable: it could not be written (full); nothing was kept */
    SPEAN_SYNC_LOADED_RUN,        /* loaded_run: answers LOAD_RUN */
    SPEAN_SYNC_LOADED_PLACES,     /* loaded_places: answers LOAD_PLACES */
    SPEAN_SYNC_LOADED_BODIES,     /* loaded_bodies: answers LOAD_BODIES, once or more */
    SPEAN_SYNC_LOADED_LACKING,    /* loaded_lacking: answers LOAD_LACKING */
    SPEAN_SYNC_LOADED_HELD_ASIDE, /* loaded_held_aside: answers LOAD_HELD_ASIDE */
    SPEAN_SYNC_LOADED_BRANCH,     /* loaded_branch: answers LOAD_BRANCH */
    SPEAN_SYNC_LOADED_EVIDENCE,   /* message: one evidence; answers LOAD_EVIDENCE, any number */
    SPEAN_SYNC_LOADED_DOCUMENTS,  /* loaded_documents: answers LOAD_DOCUMENTS, once or more */
    SPEAN_SYNC_DOCUMENTS_PUT,     /* documents_put: answers PUT_DOCUMENTS */
    SPEAN_SYNC_AUTHORITY,         /* The authority changed, whoever changed it. */
    SPEAN_SYNC_COMMITTED,         /* committed: a local commit is durable */
    SPEAN_SYNC_CUT,               /* cut: a log was cut or chose a branch; its head moved back */
    SPEAN_SYNC_SAVING,            /* saving: ask for nothing and serve nothing, or go on (P13.9) */
    SPEAN_SYNC_PAUSED,            /* paused: a log was paused here, or goes on again */
    SPEAN_SYNC_LACKING,           /* New keys or grants: bodies may be lacking now that were not. */
    SPEAN_SYNC_RESUME,            /* Somebody made room, or does not want to wait: pauses end. */
    SPEAN_SYNC_TIMER,             /* now_ms only; at least once a second */
};

/* What a run is loaded for; comes back with it. COMPARE is answered before the next message of its
 * link is handed in. */
enum spean_load_purpose { SPEAN_LOAD_SERVE, SPEAN_LOAD_PUSH, SPEAN_LOAD_COMPARE };

struct spean_body_item {
    uint64_t seq;
    struct spean_view body;
};

/* Names one document of a chain (ledger id or org id). */
struct spean_document_name {
    struct spean_id chain;
    struct spean_title title;
};

/* A group of sealed bodies that we may read, or carry as a relay, and do not hold. */
struct spean_fetch_group {
    struct spean_id log;
    struct spean_tag tag;
    struct spean_id proof; /* All zero: we carry it, and cannot open it. */
    uint32_t seqs_count;   /* 1 to SPEAN_FETCH_SEQS_MAX. */
    const uint64_t *seqs;
};

/* Where a walk over what is lacking goes on; all zero: at its start. */
struct spean_fetch_at {
    bool carried; /* Among what we carry as a relay; what we may read comes before. */
    struct spean_tag tag;
    uint32_t number; /* Of the log, in the store. */
    uint64_t seq;
};

/* Everything behind a pointer or view is lent for the step. */
struct spean_sync_event {
    enum spean_sync_event_kind kind;
    uint64_t now_ms; /* Monotonic; never decides about data. */
    uint64_t now_s;  /* Wall clock; only told to peers in HELLO. */
    uint64_t link;   /* Id of the link; 0 where none is concerned. */
    union {
        struct {
            struct spean_key transport; /* The peer's, proven by CURVE. */
            bool dialled;               /* By us. */
            enum spean_link_mode mode;
            bool admitted;          /* MEMBER, and in the lobby until now: it is told. */
            struct spean_view join; /* JOINING: the encoded JOIN message to send. */
        } up;
        struct spean_view message;
        struct {
            uint64_t token; /* Of the effect. */
            bool bad;       /* PUT_BODIES: one did not match its header; the peer is refused. */
        } durable;
        struct {
            enum spean_load_purpose purpose;
            uint32_t want;
            struct spean_id log;
            bool served;           /* False: not held, or the asker may not have it. */
            struct spean_view run; /* Encoded; len 0 when there is nothing above. */
            uint64_t first_seq;
            struct spean_place last;
            uint32_t size; /* By P5.6. */
            bool more;     /* The store holds more above last. */
        } loaded_run;
        struct {
            struct spean_id log;
            uint32_t count; /* Descending; places whose signature is kept. */
            const struct spean_place *places;
        } loaded_places;
        struct {
            uint32_t fetch;
            uint32_t count; /* All that is held under the tag asked for: whether it is given, the
                               step decides. */
            const struct spean_body_item *items;
            bool more;
        } loaded_bodies;
        struct {
            uint32_t count; /* At most SPEAN_SYNC_FETCHES_MAX. */
            const struct spean_fetch_group *groups;
            bool more; /* The walk may go on at next. */
            struct spean_fetch_at next;
            uint64_t missing; /* Bodies we are entitled to and lack, from whomever. */
        } loaded_lacking;
        struct {
            uint32_t want;
            uint32_t count;                 /* At most SPEAN_ASIDE_HELD_MAX. */
            const struct spean_place *held; /* Ascending by seq, then entry. */
            bool more;                      /* There are others behind the last. */
            bool full;                      /* The quota is reached: nothing more is kept. */
        } loaded_held_aside;
        struct {
            uint32_t want;
            struct spean_id log;
            struct spean_id previous;
            struct spean_view run; /* Encoded; len 0: there is none. */
        } loaded_branch;
        struct {
            uint32_t count;
            const struct spean_view *documents;
            bool more;
        } loaded_documents;
        struct {
            spean_err err; /* Why one was refused (spean_documents_put()); SPEAN_OK: none was. */
        } documents_put;
        struct {
            struct spean_id log;
            struct spean_place head;
        } committed; /* Also for cut. */
        struct {
            struct spean_id log;
            bool paused;
        } paused;
        bool saving;
    } as;
};

enum spean_sync_effect_kind {
    SPEAN_SYNC_SEND,         /* message, to link */
    SPEAN_SYNC_DROP,         /* drop: end the link; on err != OK back off before dialling again */
    SPEAN_SYNC_APPEND,       /* append: make the run durable; then DURABLE with its token */
    SPEAN_SYNC_SET_ASIDE,    /* append: keep what of the run is beyond the cut; then DURABLE */
    SPEAN_SYNC_PUT_BODIES,   /* put_bodies: check against headers, make durable; then DURABLE */
    SPEAN_SYNC_LOAD_RUN,     /* load_run */
    SPEAN_SYNC_LOAD_PLACES,  /* load_places: head and 1, 2, 4 ... commits below (P13.6) */
    SPEAN_SYNC_LOAD_BODIES,  /* load_bodies */
    SPEAN_SYNC_LOAD_LACKING, /* load_lacking: what this peer may hold of what we lack */
    SPEAN_SYNC_LOAD_HELD_ASIDE, /* load_held_aside: what is set aside here already */
    SPEAN_SYNC_LOAD_BRANCH,     /* load_branch: a run of what is set aside, with its bodies */
    SPEAN_SYNC_LOAD_EVIDENCE,   /* What is kept about logs that are disputed. */
    SPEAN_SYNC_LOAD_DOCUMENTS,  /* load_documents */
    SPEAN_SYNC_PUT_DOCUMENTS,   /* put_documents: judge, make durable, then DOCUMENTS_PUT */
    SPEAN_SYNC_LOBBY_JOIN,      /* join: a newcomer's JOIN, for the node to judge and answer */
    SPEAN_SYNC_LOBBY_ANSWER,    /* answer: CHALLENGE or STANDING from the node we joined through */
    SPEAN_SYNC_EVIDENCE,        /* evidence: verified; keep one per log, mark it disputed, alarm */
    SPEAN_SYNC_PEER_HOLDS,      /* holds: the peer told that this place is durable there */
    SPEAN_SYNC_PEER_HOLDS_ALL,  /* holds_all: equality is proven, so all of this is durable there */
    SPEAN_SYNC_REPORT,          /* report: for logs, status and metrics */
};

enum spean_sync_report_kind {
    SPEAN_REPORT_SESSION_OPEN,  /* HELLO was exchanged; peer known. */
    SPEAN_REPORT_EQUAL,         /* Equality of headers proven; count = bodies we lack. */
    SPEAN_REPORT_UNEQUAL,       /* Both sides finished and do not hold the same headers; or, with
                                   SPEAN_EGAP, a document that the peer names cannot be had. */
    SPEAN_REPORT_PEER_BROKE,    /* The peer broke rule count (for example 1302); err. */
    SPEAN_REPORT_PEER_REFUSED,  /* The peer refused us for rule count. */
    SPEAN_REPORT_PEER_SILENT,   /* Pings lost: the session ends. */
    SPEAN_REPORT_UNANSWERED,    /* A PING is not answered; the session is not to be relied on. */
    SPEAN_REPORT_ANSWERED,      /* The peer spoke again after that. */
    SPEAN_REPORT_FORK,          /* A log forked; see EVIDENCE. */
    SPEAN_REPORT_CLOCK,         /* The peer's clock differs by count seconds: more than an hour. */
    SPEAN_REPORT_SET_ASIDE,     /* Entries of a closed log beyond its cut were offered. */
    SPEAN_REPORT_OWN_LOG_AHEAD, /* Signed entries of our own log to seq count came that we do not
                                   hold: stop signing, go on in a new log (P5.11). */
};

struct spean_sync_effect {
    enum spean_sync_effect_kind kind;
    uint64_t link;
    union {
        struct spean_view message;
        struct {
            spean_err err; /* SPEAN_OK: an orderly end. */
        } drop;
        struct {
            uint64_t token;
            const struct spean_run *run; /* Verified. Lent until the next step. */
            struct spean_key from;       /* Transport key of the peer. */
        } append;
        struct {
            uint64_t token;
            struct spean_id log;
            uint32_t count;
            const struct spean_body_item *items;
        } put_bodies;
        struct {
            enum spean_load_purpose purpose;
            uint32_t want;
            struct spean_id log;
            uint32_t places_count;            /* 0: from the first entry. */
            const struct spean_place *places; /* Start above the highest that is on our chain. */
            bool headers;                     /* Without any body. */
            uint32_t bytes_max;               /* One run, at least one entry's worth. */
            struct spean_id org;              /* Of the asker: decides which bodies travel, and */
            struct spean_key signing;         /* so does whether it is a relay when this is done. */
        } load_run;
        struct {
            struct spean_id log;
        } load_places;
        struct {
            uint32_t fetch;
            struct spean_id log;
            struct spean_tag tag;
            uint32_t count;
            const uint64_t *seqs;
        } load_bodies;
        struct {
            struct spean_id org;
            bool relay;               /* The peer is one: it may hold everything. */
            bool carries;             /* We are one, and lack what we cannot read, too. */
            struct spean_fetch_at at; /* Where the walk begins. */
        } load_lacking;
        struct {
            uint32_t want;
            struct spean_id log;
            struct spean_place after; /* Seq 0: from the start. */
        } load_held_aside;
        struct {
            uint32_t want;
            struct spean_id log;
            struct spean_place after;
            const struct spean_place *held; /* By the asker, ascending by seq, then entry. */
            uint32_t held_count;
            bool more; /* It holds others behind the last: only what is before is asked for. */
        } load_branch;
        struct {
            uint32_t count; /* In the order in which they are to be sent. */
            const struct spean_document_name *names;
        } load_documents;
        struct {
            uint32_t count;
            const struct spean_view *documents;
            bool lobby; /* From a stranger: keep only what advances chains that we hold. */
        } put_documents;
        struct {
            struct spean_key transport;
            struct spean_view message; /* The whole frame: JOIN, or NODE. */
        } join;
        struct {
            bool challenge;    /* Else standing. */
            uint8_t fresh[16]; /* Of CHALLENGE. */
            uint32_t standing; /* Of STANDING. */
        } answer;
        struct {
            struct spean_id log;
            struct spean_view bytes;
        } evidence;
        struct {
            struct spean_id org;
            struct spean_key signing;
            struct spean_id log;
            struct spean_place place;
        } holds;
        struct {
            struct spean_id org;
            struct spean_key signing;
            size_t count;
            const struct spean_frontier_row *rows; /* Ascending by log. */
        } holds_all;
        struct {
            enum spean_sync_report_kind kind;
            struct spean_id org; /* All zero when the peer is not known yet. */
            spean_err err;
            uint64_t count;
        } report;
    } as;
};

/*
 * Take one event. The effects are then read with spean_sync_effect() and stay valid, with all that
 * they point to, until the next step. SPEAN_ENOMEM: sessions may be broken; end the process.
 * Whatever a peer sends is no error of this function: it becomes SEND REFUSE and DROP effects.
 */
SPEAN_CHECK spean_err spean_sync_step(struct spean_sync *sync,
                                      const struct spean_sync_event *event);

uint32_t spean_sync_effects_count(const struct spean_sync *sync);
const struct spean_sync_effect *spean_sync_effect(const struct spean_sync *sync, uint32_t i);

/*
 * Say whether every session is in step as far as this node can tell: nothing is asked for and not
 * here, and each peer has said that it holds the last entry of our own log.
 */
bool spean_sync_is_quiet(const struct spean_sync *sync);

/* Say whether runs that were asked for are on their way: work that can wait should. */
bool spean_sync_fetching(const struct spean_sync *sync);

/* What is durably held, after the steps so far. Belongs to sync; changes with the next step. */
const struct spean_frontier *spean_sync_frontier(const struct spean_sync *sync);

/* Encode the answers of a node in its lobby (P12.3), for the caller to send to a lobby link. */
SPEAN_CHECK spean_err spean_sync_encode_challenge(const uint8_t fresh[16], uint8_t *buf, size_t cap,
                                                  struct spean_view *out);
SPEAN_CHECK spean_err spean_sync_encode_standing(uint32_t standing, uint8_t *buf, size_t cap,
                                                 struct spean_view *out);

#endif
