/*
 * protocol/sync_internal.h - what the parts of the sync step share; for protocol/sync*.c only.
 *
 * One file, one duty: sync.c takes events and keeps effects; sync_session.c opens sessions and
 * exchanges documents; sync_compare.c finds what differs and proves equality; sync_want.c asks for
 * runs and takes them in; sync_serve.c answers requests and pushes; sync_bodies.c asks for bodies;
 * sync_fork.c tells a fork from a repetition; sync_aside.c fetches and serves what is beyond a cut.
 */
#ifndef SPEAN_PROTOCOL_SYNC_INTERNAL_H
#define SPEAN_PROTOCOL_SYNC_INTERNAL_H

#include "protocol/message.h"
#include "protocol/sync.h"

#define SYNC_APPENDS_MAX       16384u
#define SYNC_APPENDS_LINK_MAX  1024u /* An honest peer's runs fill the window long before. */
#define SYNC_EFFECTS_MAX       65536u
#define SYNC_WANT_BYTES_FIRST  (4u * SPEAN_RUN_BYTES_MAX)
#define SYNC_TARGETS_MAX       SPEAN_FRONTIER_LOGS_MAX
#define SYNC_ROUNDS_MAX        3u     /* Of documents in a row for what a peer names (P13.3). */
#define SYNC_PAUSE_MS          10000u /* After the disk was full. */
#define SYNC_CLOCK_TOLERANCE_S 3600u
#define SYNC_STALL_MS          60000u /* Without progress while something is owed. */
#define SYNC_RATE_FLOOR        200u   /* Bytes a second: no link that is of use is slower. */
#define SYNC_QUICK_MS          2000u  /* A quarter of the allowance comes within it: quick. */
#define SYNC_SLOW_MS           20000u /* It takes longer: slow, and less should be asked for. */
#define SYNC_ALLOWANCE_FIRST   16384u /* Bytes that are asked for before a link is known; */
#define SYNC_ALLOWANCE_MIN     4096u  /* and at least, however slow it is. */
#define SYNC_ALLOWANCE_STEP    4u

/* Where a session stands. */
enum link_phase {
    PHASE_HELLO,     /* HELLO not exchanged yet. */
    PHASE_DOCUMENTS, /* Documents are being exchanged. */
    PHASE_COMPARE,   /* DIGEST and ROWS. */
    PHASE_FETCH,     /* What differs is on its way; after equality: live. */
    PHASE_LOBBY,     /* A stranger with us, or we with an inviter. */
    PHASE_ENDED      /* REFUSE was sent or received; waits for PEER_DOWN. */
};

/* One WANT of ours. */
struct want {
    uint32_t id; /* 0: free. */
    struct spean_id log;
    bool asked;                 /* WANT was sent (its places were loaded). */
    bool no_more;               /* END came. */
    struct spean_place pending; /* Last entry taken in, durable or not. */
    struct spean_place durable;
    uint64_t first;    /* Seq that its first run began with; 0: none came. */
    uint64_t told;     /* What the peer said it held when this was opened. */
    uint64_t credit;   /* Bytes asked for and not received. */
    uint64_t debt;     /* Bytes received beyond the credit: the next credit pays for them. */
    uint64_t unstored; /* Bytes received and not durable. */
    uint32_t places_count;
    struct spean_place places[SPEAN_PLACES_MAX];
    uint32_t suspect_seen; /* Entries of the suspect found equal to ours. */
    uint8_t *suspect;      /* A run that may show a fork, while ours is loaded; else NULL. */
    size_t suspect_len;
    struct spean_place suspect_after;
};

/* One WANT of the peer's that we serve. */
struct serve {
    uint32_t id; /* 0: free. */
    struct spean_id log;
    uint32_t places_count; /* Until the first run was loaded; then one, the last place sent. */
    struct spean_place places[SPEAN_PLACES_MAX];
    int64_t credit; /* Bytes that may still be sent; the last run may overdraw it. */
    bool loading;
};

/* One FETCH of ours. */
struct fetch {
    uint32_t id; /* 0: free. */
    struct spean_id log;
    bool last;         /* BODIES without more came. */
    uint32_t unstored; /* PUT_BODIES under way. */
    uint32_t seqs_count;
    uint64_t seqs[SPEAN_FETCH_SEQS_MAX]; /* Asked for and not received, ascending. */
};

/* One FETCH of the peer's. */
struct answer {
    uint32_t fetch;
    bool unproven; /* It showed no proof, as a relay does (P13.10). */
};

/* Our ASIDE. */
struct aside {
    uint32_t id; /* 0: none. */
    struct spean_id log;
    bool asked; /* It was sent, and no answer came. */
    bool more;  /* Not all that is held was named in it. */
    struct spean_place after, last_held;
};

struct link {
    uint64_t id;
    enum spean_link_mode mode;
    enum link_phase phase;
    bool dialled;
    struct spean_key transport;
    struct spean_id org;
    struct spean_key signing;

    /* Documents. */
    bool hello_received;
    bool titles_sent, titles_received;
    bool documents_sent, documents_received;
    uint32_t puts;                    /* PUT_DOCUMENTS under way. */
    struct spean_id agreed;           /* Authority digest when documents were last exchanged. */
    bool documents_again;             /* The authority changed meanwhile. */
    uint32_t rounds_lacking;          /* In a row that left out a head that the peer named. */
    struct spean_title *their_titles; /* Collected from TITLES; flat, see titles_of. */
    struct their_chain *their_chains;
    uint32_t their_titles_count, their_chains_count;
    bool titles_ahead;          /* They belong to the round after this one. */
    uint32_t titles_messages;   /* Of their round. */
    struct spean_id titles_org; /* The last org named in them. */

    /* Comparison. */
    bool digest_sent, digest_received;
    uint8_t my_buckets[SPEAN_BUCKETS_BYTES];
    uint8_t their_buckets[SPEAN_BUCKETS_BYTES];
    uint64_t *excluded; /* Short names that either side excludes, ascending. */
    uint32_t excluded_count;
    bool rows_sent, rows_received;
    uint32_t rows_count;           /* Taken from ROWS that have more to come. */
    struct spean_id rows_log;      /* The last of them. */
    struct spean_frontier *target; /* For each log the higher of both sides' rows. */
    struct spean_frontier *theirs; /* Rows where they were ahead or differ, and what they told. */
    bool synced_sent, synced_received;
    bool fell_short;           /* SYNCED told less than was named. */
    uint32_t exclusions_named; /* s->exclusions_serial when DIGEST was sent. */
    size_t next_target;        /* Row of theirs to look at next. */
    uint64_t differing;        /* Buckets. */
    struct spean_id my_synced, their_synced;

    /* Requests. */
    struct want wants[SPEAN_WANTS_MAX];
    struct serve serves[SPEAN_WANTS_MAX];
    struct fetch fetches[SPEAN_SYNC_FETCHES_MAX];
    uint32_t answers_count; /* Of FETCHes of the peer's that are not answered whole. */
    struct answer answers[SPEAN_SYNC_FETCHES_MAX];
    struct aside aside;
    uint32_t next_aside;           /* Number of the log to ask about next. */
    uint32_t aside_answer;         /* The peer's ASIDE that is not answered; 0: none. */
    struct spean_frontier *owed;   /* Pushed to us while it came from elsewhere: HELD is due. */
    struct spean_frontier *pushed; /* Pushed and not yet HELD, by log. */
    bool lacking_loading;
    bool lacking_got;                 /* A fetch of this walk brought something. */
    bool lacking_again;               /* Something new came in since the walk began. */
    bool lacking_more;                /* The walk over what is lacking is not at its end. */
    struct spean_fetch_at lacking_at; /* Where it goes on. */
    uint64_t missing;
    uint64_t paused_until_ms;
    uint64_t allowance; /* Bytes that may be asked for and not yet durable: what it can carry. */
    uint64_t due_ms;    /* Since when more bytes are on their way, */
    uint64_t due_bytes; /* and how many of them came. */
    bool quick;         /* They came quickly when it was measured last. */

    /* Liveness. */
    uint64_t progress_ms; /* The last message but PING and PONG, or when nothing was owed. */
    uint64_t received_ms, pinged_ms;
    uint64_t ping_number;     /* Of the last PING: when it was sent. */
    uint64_t answered_number; /* Of the last PING that was answered. */
    uint32_t pings_lost;
    bool unanswered; /* It was reported that the peer does not answer. */
};

/* Heads of one chain as the peer told them. */
struct their_chain {
    struct spean_id chain;
    uint32_t first; /* In their_titles. */
    uint32_t count;
};

/* A run or bodies handed out to be made durable. */
struct append {
    uint64_t token;
    uint64_t link;
    uint32_t want;  /* 0: pushed. */
    uint32_t fetch; /* Not 0: bodies. */
    bool aside;     /* It goes to what is set aside; want is the ASIDE. */
    struct spean_id log;
    struct spean_place place;
    uint32_t size;
    bool lacks; /* Sealed bodies did not travel with the run. */
};

struct spean_sync {
    struct spean_sync_config config;
    const struct spean_authority *authority;
    struct spean_id own_log; /* All zero while the ledger is not known. */
    bool relay;              /* The charter names this node as one: it pushes (P13.9). */
    struct spean_frontier *frontier;
    bool saving; /* Nothing is asked for or served (P13.9). */
    uint64_t now_ms, now_s;

    struct link *links[SPEAN_SYNC_LINKS_MAX];

    uint64_t *excluded; /* Short names of disputed and paused logs, ascending. */
    uint32_t excluded_count, excluded_cap;
    uint32_t exclusions_serial; /* Counts the changes. */

    struct append *appends; /* In order of token. */
    uint32_t appends_count, appends_cap;
    uint64_t next_token;
    uint32_t next_request;
    uint64_t window_used; /* Credit given and bytes unstored, over all links. */

    struct spean_run *run;   /* The run of the event in hand. */
    struct spean_run *other; /* For comparing two. */

    struct spean_sync_effect *effects;
    uint32_t effects_count, effects_cap;
    struct arena_block *blocks; /* What effects point to; freed with the next step. */
    spean_err failed;           /* SPEAN_ENOMEM in this step. */
};

/* -- sync.c ---------------------------------------------------------------------------------- */

/* Memory until the next step, or NULL; then the step fails with SPEAN_ENOMEM. */
void *sync_alloc(struct spean_sync *s, size_t len);

/* Add an effect about link (NULL: none); never NULL, but lost when memory ran out. */
struct spean_sync_effect *sync_effect(struct spean_sync *s, enum spean_sync_effect_kind kind,
                                      const struct link *link);

/* Encode m and send it to link. */
void sync_send(struct spean_sync *s, struct link *link, const struct spean_message *m);

/* Report about link. */
void sync_report(struct spean_sync *s, const struct link *link, enum spean_sync_report_kind kind,
                 spean_err err, uint64_t count);

/* Hand on the peer's word that it holds log up to place. */
void sync_peer_holds(struct spean_sync *s, const struct link *link, const struct spean_id *log,
                     const struct spean_place *place);

/* The peer broke a rule: refuse it by number, drop it, apply nothing more of it. */
void sync_refuse(struct spean_sync *s, struct link *link, uint64_t rule, spean_err err);

/* End a link without blaming the peer. */
void sync_end(struct spean_sync *s, struct link *link, spean_err err);

struct link *sync_link(struct spean_sync *s, uint64_t id); /* NULL: gone. */

/* Note that memory ran out. */
void sync_no_memory(struct spean_sync *s);

/* Make err, unless SPEAN_OK, the outcome of the step. */
void sync_try(struct spean_sync *s, spean_err err);

/* Whether the peer still is what its HELLO said (P13.4). */
bool sync_peer_stands(const struct spean_sync *s, const struct link *link);

/* Whether the charter names the peer as a relay. */
bool sync_peer_is_relay(const struct spean_sync *s, const struct link *link);

bool sync_is_excluded(const struct spean_sync *s, const struct spean_id *log);
void sync_exclude(struct spean_sync *s, const struct spean_id *log);
void sync_include(struct spean_sync *s, const struct spean_id *log);

/* Say whether requests go over this link (P13.12). */
bool sync_asks(const struct spean_sync *s, const struct link *link);

/* Begin an append and return it; NULL: no memory, or link had too many and was ended. */
struct append *sync_append_begin(struct spean_sync *s, struct link *link);

/* -- sync_session.c -------------------------------------------------------------------------- */

void sync_session_ask_again(struct spean_sync *s, struct link *link, struct spean_view join);
void sync_session_up(struct spean_sync *s, struct link *link, struct spean_view join);
void sync_session_hello(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_session_titles(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_session_documents(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_session_documents_put(struct spean_sync *s, struct link *link, spean_err err);
void sync_session_loaded_documents(struct spean_sync *s, struct link *link,
                                   const struct spean_sync_event *event);
void sync_session_authority(struct spean_sync *s, struct link *link);
void sync_session_admitted(struct spean_sync *s, struct link *link);
void sync_session_offered(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_session_lobby(struct spean_sync *s, struct link *link, const struct spean_message *m,
                        struct spean_view frame);

/* -- sync_compare.c -------------------------------------------------------------------------- */

/* Take the frontier as it is now for the link's target; its digest goes to my_synced. */
void sync_compare_snapshot(struct spean_sync *s, struct link *link);

/* Both HELLOs named the same frontier: nothing to compare. */
void sync_compare_equal(struct spean_sync *s, struct link *link);

void sync_compare_begin(struct spean_sync *s, struct link *link);
void sync_compare_digest(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_compare_rows(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_compare_synced(struct spean_sync *s, struct link *link, const struct spean_message *m);

void sync_compare_send_synced(struct spean_sync *s, struct link *link);

/* If SYNCED told less than was named, and all of it came meanwhile (from others), say it again. */
void sync_compare_caught_up(struct spean_sync *s, struct link *link);

/* If nothing is left to fetch from this peer, count what is lacking and say SYNCED. */
void sync_compare_settle(struct spean_sync *s, struct link *link);

/* The peer told where it stands with a log. */
void sync_compare_told(struct spean_sync *s, struct link *link, const struct spean_id *log,
                       const struct spean_place *place);

/* The peer announced a head. */
void sync_compare_head(struct spean_sync *s, struct link *link, const struct spean_message *m);

/* -- sync_want.c ----------------------------------------------------------------------------- */

/* Ask for the next logs in which the peer is ahead. */
void sync_want_next(struct spean_sync *s, struct link *link);
void sync_want_places(struct spean_sync *s, const struct spean_sync_event *event);
void sync_want_run(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_want_end(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_want_durable(struct spean_sync *s, const struct append *a);
void sync_want_not_durable(struct spean_sync *s, const struct append *a);
void sync_want_close(struct spean_sync *s, struct link *link, struct want *w);
/* A run that may show a fork came, of so many bytes; it only repeated, so the next is asked for. */
void sync_want_suspected(struct spean_sync *s, struct link *link, struct want *w, uint64_t bytes);
void sync_want_repeated(struct spean_sync *s, struct link *link, struct want *w);
/* Let every link look again for what it may ask. */
void sync_want_again(struct spean_sync *s);
/* Give up every WANT for log; says whether there was one. */
bool sync_want_abandon(struct spean_sync *s, const struct spean_id *log);
bool sync_want_open(const struct link *link); /* Any WANT of ours is under way. */

/* Take in a run that follows *after; verified here. want NULL: pushed. */
void sync_want_take(struct spean_sync *s, struct link *link, struct want *w,
                    const struct spean_id *log, struct spean_view run,
                    const struct spean_place *after);

/* -- sync_serve.c ---------------------------------------------------------------------------- */

void sync_serve_want(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_serve_more(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_serve_loaded(struct spean_sync *s, struct link *link,
                       const struct spean_sync_event *event);
void sync_serve_fetch(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_serve_bodies(struct spean_sync *s, struct link *link,
                       const struct spean_sync_event *event);

/* The head of log moved here: push it to, or announce it on, every live link but from. */
void sync_serve_moved(struct spean_sync *s, const struct spean_id *log, const struct link *from);

/* The link is in step as of what was compared: tell it what moved meanwhile. */
void sync_serve_since(struct spean_sync *s, struct link *link);
void sync_serve_held(struct spean_sync *s, struct link *link, const struct spean_message *m);

/* -- sync_bodies.c --------------------------------------------------------------------------- */

/* Walk over what is lacking, from the start. */
void sync_bodies_load(struct spean_sync *s, struct link *link);
void sync_bodies_lacking(struct spean_sync *s, struct link *link,
                         const struct spean_sync_event *event);
void sync_bodies_received(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_bodies_durable(struct spean_sync *s, const struct append *a, bool stored, bool bad);
bool sync_bodies_open(const struct link *link); /* Any FETCH of ours is under way. */

/* -- sync_aside.c ---------------------------------------------------------------------------- */

/* Both have said SYNCED: ask for what is set aside of our org's logs. */
void sync_aside_begin(struct spean_sync *s, struct link *link);
void sync_aside_held(struct spean_sync *s, struct link *link, const struct spean_sync_event *event);
/* The run in hand ends beyond the cut of log. */
void sync_aside_offered(struct spean_sync *s, struct link *link, const struct spean_log *log);
void sync_aside_branch(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_aside_durable(struct spean_sync *s, const struct append *a, bool stored);
bool sync_aside_end(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_aside_serve(struct spean_sync *s, struct link *link, const struct spean_message *m);
void sync_aside_loaded(struct spean_sync *s, struct link *link,
                       const struct spean_sync_event *event);
bool sync_aside_open(const struct link *link); /* An ASIDE of ours waits for its answer. */

/* -- sync_fork.c ----------------------------------------------------------------------------- */

/* The peer sent a run that starts at or below our head: find out what it means. */
void sync_fork_suspect(struct spean_sync *s, struct link *link, struct want *w,
                       struct spean_view run, const struct spean_place *after);
void sync_fork_loaded(struct spean_sync *s, struct link *link, struct want *w,
                      const struct spean_sync_event *event);
void sync_fork_evidence(struct spean_sync *s, struct link *link, const struct spean_message *m);

#endif
