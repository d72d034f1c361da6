/*
 * node/core_internal.h - what the parts of the core share; for node/core*.c, driver.c, outbox.c,
 * dial.c and lobby.c only.
 */
#ifndef SPEAN_NODE_CORE_INTERNAL_H
#define SPEAN_NODE_CORE_INTERNAL_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "node/core.h"
#include "node/dialplan.h"
#include "node/joining.h"
#include "node/transport.h"
#include "protocol/run.h"
#include "store/fold.h"
#include "store/peer.h"
#include "store/room.h"

#define CORE_LINKS_MAX        SPEAN_SYNC_LINKS_MAX
#define CORE_OUTBOX_BYTES_MAX (32u * 1024u * 1024u) /* One link's; honest peers stay far below. */
#define CORE_BATCH_BYTES_MAX  (8u * 1024u * 1024u)
#define CORE_BATCH_TOKENS_MAX 1024u
#define CORE_MESSAGES_A_TURN  256u
#define CORE_JOBS_A_TURN      16u
#define CORE_HOLDS_MAX        256u
#define CORE_MET_MAX          64u
#define CORE_WAITING_MAX      32u
#define SYNC_WAIT_MAX_S       3600u
#define CORE_TICK_MS          1000u
#define CORE_DIAL_MS          10000u /* Between two looks for partners to dial. */
#define CORE_PLANS_MAX        SPEAN_TRANSPORT_DIALS_MAX
#define CORE_LOBBY_MS         900000u /* A stranger's link is ended then; who waits calls again. */
#define CORE_JOIN_MS          2000u   /* Between two questions whether we are approved. */
#define CORE_READERS_MS       60000u
#define CORE_DESTROY_MS       1000u  /* After somebody who read was in the way of destroying. */
#define CORE_SETTLE_MS        1000u  /* After something that passes was in the way of settling. */
#define CORE_BALLAST_MS       60000u /* Before what was let go of is made again. */
#define CORE_FOLD_ENTRIES     4096u  /* In one turn. */
#define CORE_VERIFY_MS        250u   /* From one slice to the next while there is other work. */

/* Who started the daemon, and what it was told last. */
struct core_supervisor {
    const struct spean_notify *notify; /* NULL: nobody wants to know. */
    uint64_t alive_ms, next_alive_ms;  /* 0: no watchdog. */
    char told[SPEAN_NOTIFY_STATUS_BYTES_MAX];
};

/* A message that waits because the pipe of its link is full. */
struct outbox_message {
    struct outbox_message *next;
    size_t len;
    uint8_t data[];
};

/* A link of the transport that the sync step knows. */
struct core_link {
    uint64_t id; /* 0: free. */
    struct spean_link *link;
    struct spean_key transport;
    bool dialled;
    bool lobby;      /* A stranger's. */
    bool unanswered; /* The peer does not answer. */
    uint64_t up_ms;
    uint64_t heard_s; /* When the last message came; 0: none has. */
    struct outbox_message *first, *last;
    size_t bytes;    /* In the outbox. */
    bool hung_up;    /* Sync is paused: likewise. */
    bool overflowed; /* More than it may hold: dropped when the turn ends. */
};

/* A peer that was met, until it is written down. */
struct peer_met {
    struct spean_peer peer;
    enum spean_peer_way way;
    uint64_t at_s;
};

/* What a peer told that it holds, until it is written down. */
struct peer_holds {
    struct spean_id org;
    struct spean_key signing;
    struct spean_id log;
    struct spean_place place;
};

/* An effect whose answer is another step: done when the step that gave it is over. */
struct deferred {
    struct deferred *next;
    struct spean_sync_effect effect;
    size_t len;
    max_align_t memory[]; /* What the effect points to. */
};

/* What went over the network today, and what of it was told to whom. */
struct core_traffic {
    uint64_t day;   /* Since 1970, UTC. */
    uint64_t bytes; /* Of messages, both ways. */
    bool changed;   /* Since it was written down. */
    bool saving;    /* The sync step was told that the cap is reached. */
    uint64_t next_write_ms;
};

struct core_verification;

/* A request that is answered when every reachable partner is in step, or its time is over. */
struct core_waiting {
    struct spean_job *job;
    uint64_t until_ms;
};

struct spean_core {
    const struct spean_config *config;
    const struct spean_journal *journal;
    struct spean_db *db;
    struct spean_queue *queue;
    struct spean_id org;

    pthread_rwlock_t lock; /* Held for reading by views, for writing while what they read changes:
                            * keys to partners, public keys, joining and retired. */
    struct spean_keys *keys;
    struct spean_authority *authority;
    struct spean_partner partners[SPEAN_CORE_PARTNERS_MAX];
    uint32_t partners_count;

    bool has_public; /* The node's public keys are known: it was unlocked once. */
    struct spean_key signing, sealing, transport_key;

    struct spean_fold *fold; /* Once the public keys are known. */
    uint64_t next_fold_ms;   /* Folds by then even if messages keep coming. */
    struct joining joining;
    bool retired;       /* Our log was seen further on than we hold it: we write it no more. */
    bool lobby_pending; /* Newcomers may have become members. */

    bool entered; /* In, or joining, the ledger with this handle. */
    struct spean_handle handle;
    struct spean_transport *transport;
    struct spean_sync *sync;
    struct core_link links[CORE_LINKS_MAX];
    struct deferred *deferred_first, *deferred_last;

    struct spean_tx *batch; /* Open while runs are being taken in; NULL otherwise. */
    size_t batch_bytes;
    uint64_t batch_tokens[CORE_BATCH_TOKENS_MAX];
    bool batch_bad[CORE_BATCH_TOKENS_MAX]; /* A body was not what its header announced. */
    uint32_t batch_tokens_count;
    struct peer_holds holds[CORE_HOLDS_MAX];
    uint32_t holds_count;
    struct peer_met met[CORE_MET_MAX];
    uint32_t met_count;
    uint8_t *frame; /* SPEAN_FRAME_BYTES_MAX, for runs that are served. */
    struct spean_run *scratch;

    struct core_supervisor supervisor;
    uint64_t next_tick_ms, next_dial_ms, next_readers_ms;
    uint64_t next_destroy_ms; /* 0: nobody was in the way. */
    atomic_bool destroy_full; /* What was erased waits for room on the disk. */
    uint64_t next_settle_ms;  /* 0: nothing was in the way. */
    bool dial_now;            /* Somebody asked: whoever is not connected is dialled at once. */
    struct spean_dialplan plans[CORE_PLANS_MAX];
    uint32_t plans_count;
    bool sync_paused; /* A person wants it so. */
    struct core_traffic traffic;
    bool pause_pending; /* A log was paused in the batch. */
    bool fold_pending;  /* There may be something to fold. */
    bool fold_failed;   /* The disk was full, or memory: it is tried again with the next job or look
                           for partners. */
    struct spean_room room; /* As it was seen last; written under the lock. */
    uint64_t next_ballast_ms;
    uint64_t erasing_bytes; /* Of runs with erasures that were taken since there is no room. */
    bool urgent;         /* A revocation, a withdrawal or an erasure came that is not folded yet. */
    bool cuts_pending;   /* A full disk kept logs from being cut, */
    bool retire_pending; /* or from writing down that we are retired. */
    bool settle_pending; /* Records were folded: something may follow from them by itself. */
    struct core_waiting waiting[CORE_WAITING_MAX];
    uint32_t waiting_count;
    struct core_verification *verification; /* NULL: none is under way. */
    uint64_t next_verify_ms;                /* A slice is done by then even if messages come. */
    spean_err failed;                       /* The error that ends the process. */
};

uint64_t core_now_ms(void); /* Monotonic. */
uint64_t core_now_s(void);  /* Wall clock. */

/* An error after which the process must end. */
void core_fail(struct spean_core *core, spean_err err, const char *event);

/* Make this our way into a ledger; it is taken. Views see the one before or this one. */
void core_set_joining(struct spean_core *core, struct joining *joining);

/* -- driver.c: the sync step and its effects ------------------------------------------------- */

/* Take a step and carry out its effects; those whose answer is another step wait for core_drain().
 */
void core_step(struct spean_core *core, struct spean_sync_event *event);

/* Answer what is to be compared with a run that came: the next one may already be there. */
void core_compare(struct spean_core *core);

/* Carry out what waits, with all that follows from it. */
void core_drain(struct spean_core *core);

/* Note a meeting with a peer; and write down whom we met, and what peers said they hold. */
void core_note_met(struct spean_core *core, const struct spean_peer *peer, enum spean_peer_way way,
                   uint64_t at_s);
void core_write_peers(struct spean_core *core);

/* Commit the open batch, if any, and tell the sync step. After it no write transaction is open. */
void core_flush(struct spean_core *core);

/* Forget effects that wait, when the sync step ends. */
void core_drop_deferred(struct spean_core *core);

/* -- outbox.c: links and what waits to be sent on them --------------------------------------- */

struct core_link *core_link_add(struct spean_core *core, struct spean_link *link);
struct core_link *core_link_find(struct spean_core *core, uint64_t id); /* NULL: gone. */
void core_link_remove(struct spean_core *core, struct core_link *link);
void core_link_send(struct spean_core *core, struct core_link *link, struct spean_view message);

/* The pipe may take messages again. */
void core_link_flush(struct spean_core *core, struct core_link *link);

/* End links whose outbox overflowed, and those of strangers that stay for too long. */
void core_links_reap(struct spean_core *core);

/* -- network.c: the transport's callbacks ---------------------------------------------------- */

SPEAN_CHECK spean_err core_network_open(struct spean_core *core);
void core_network_close(struct spean_core *core);

/* -- room.c: what is taken and written while room is short ------------------------------------ */

/* Look how much room there is, say so when it is another step, make the ballast if it is missing.
 */
void core_room_look(struct spean_core *core);

/* Whether bodies, this body, this run are taken from peers; whether folding goes on. */
bool core_room_takes_bodies(const struct spean_core *core);
bool core_room_keeps_body(void *ctx, const struct spean_header *header); /* ctx: the core. */
bool core_room_takes_run(struct spean_core *core, const struct spean_run *run);
bool core_room_may_fold(const struct spean_core *core);

/* -- bodies.c: which sealed bodies may travel, and which we lack ------------------------------- */

/* What was found of the tags of one run: to look one up opens a sealed row. */
#define CORE_TRAVEL_SLOTS 16u
struct core_travel_slot {
    bool used;
    struct spean_tag tag;
    bool travels;
};

/* Whether the body of an entry may travel unasked to a node of org (P6.4). */
struct core_travel {
    struct spean_core *core;
    struct spean_tx *tx;
    struct spean_id org;
    bool relay;
    struct core_travel_slot slots[CORE_TRAVEL_SLOTS]; /* By the tag's first byte. */
};
bool core_body_travels(void *ctx, const struct spean_header *header);

void core_load_lacking(struct spean_core *core, const struct spean_sync_effect *effect);

/* -- quota.c: logs that grew too large, or that somebody paused ---------------------------------
 */

/* The batch has more of log: pause it if that is more than is kept of one. */
void core_quota_check(struct spean_core *core, struct spean_tx *tx, const struct spean_log *log);

/* What was paused is durable: the sync step asks for no more of it. */
void core_quota_tell(struct spean_core *core);

/* Pause a log of others, or let it go on, by another quota. SPEAN_ESTATE: it is disputed. Errors of
 * a commit. */
SPEAN_CHECK spean_err core_pause_log(struct spean_core *core, const struct spean_log *log,
                                     bool paused);

/* Name each log that is paused. */
void core_quota_problems(const struct spean_core_view *view, json_t *problems);

/* -- traffic.c: bytes of messages, the day's cap, and pausing -----------------------------------
 */

/* Read what was counted today, and whether sync is paused, from before the start. */
void core_traffic_load(struct spean_core *core, struct spean_tx *tx);

/* A message of len bytes went out or came in. */
void core_traffic_count(struct spean_core *core, size_t len);

/* Write the count down, if it changed; before the end, too. */
void core_traffic_write(struct spean_core *core);

/* A new day, the cap reached; once a second. */
void core_traffic_tick(struct spean_core *core);

/* Hang up on everybody and dial nobody, now and after every start; or go on. Errors of a commit. */
SPEAN_CHECK spean_err core_pause_sync(struct spean_core *core, bool paused);

/* What status says of it; names in problems what keeps sync from going on. */
json_t *core_traffic_status(const struct spean_core_view *view, json_t *problems);

/* -- change.c: acting on what documents changed ---------------------------------------------- */

/* Make the logs agree with their cuts, and tell the sync step. */
SPEAN_CHECK spean_err core_settle_logs(struct spean_core *core);

/* The same for charters and statements that are in force: with what is kept back if the disk is
 * full, and if that is not enough, again with every tick. */
void core_cut_logs(struct spean_core *core);

/* -- settle.c: what this node writes by itself, because a record says so ----------------------- */

void core_settle_records(struct spean_core *core);

/* -- waiting.c -------------------------------------------------------------------------------- */

/* Answer job when partners are in step, after wait_s at the latest. */
void core_wait_for_step(struct spean_core *core, struct spean_job *job, uint64_t wait_s);
void core_waiting_turn(struct spean_core *core, bool stopping);

/* -- api_check.c: the store is verified slice by slice ------------------------------------------
 */

/* Do a slice of the verification under way, if any; and end it early, answering err. */
void core_verify_turn(struct spean_core *core);
void core_verify_end(struct spean_core *core, spean_err err, const char *why);

/* -- daily.c ---------------------------------------------------------------------------------- */

/* Write a heads entry if one is due. */
void core_daily(struct spean_core *core);

/* -- destroying.c ------------------------------------------------------------------------------ */

/* Destroy what was erased and is due, unless something waits to be folded. */
void core_destroy(struct spean_core *core);

/* -- supervise.c ----------------------------------------------------------------------------- */

/* Tell what is due to be told. */
void core_supervise_turn(struct spean_core *core);

/* -- dial.c ---------------------------------------------------------------------------------- */

void core_dial(struct spean_core *core);

/* How the session on a link that we dialled went: node/dialplan.h. */
void core_dial_failed(struct spean_core *core, const struct core_link *link);
void core_dial_worked(struct spean_core *core, const struct core_link *link);

/* Peers hold entries of our own log that we do not: a copy or a backup of this node wrote, or we
 * are one. Write nothing more into it, now and after every start.
 */
void core_retire(struct spean_core *core);

/* What the store did not take of documents must not be in force: read the authority anew from it,
 * and begin every session anew. */
SPEAN_CHECK spean_err core_reload_authority(struct spean_core *core);

/* -- partner.c: what status says of partners ------------------------------------------------- */

void core_partner_report(struct spean_core *core, struct core_link *link,
                         const struct spean_sync_effect *effect);

/* A link of a partner's node goes, and is still among the links. */
void core_partner_down(struct spean_core *core, const struct core_link *link);

/* -- lobby.c --------------------------------------------------------------------------------- */

/* A newcomer's JOIN or NODE arrived: judge it, keep the newcomer, answer. */
void core_lobby_join(struct spean_core *core, const struct spean_sync_effect *effect);

/* Use an invitation, whose message joining is, and which is taken: keep it, enter the ledger with
 * this handle unless we did before, and call whoever invited us. Errors of a commit; those of
 * spean_core_enter(). */
SPEAN_CHECK spean_err core_lobby_join_by(struct spean_core *core, struct joining *joining,
                                         const struct spean_handle *handle);

/* The node that invited us answered. */
void core_lobby_answer(struct spean_core *core, const struct spean_sync_effect *effect);

/* Newcomers whom the charter names now are told, and forgotten. */
void core_lobby_settle(struct spean_core *core);

/*
 * Hand the org's secrets to its open nodes, if one of them lacks the newest (P12.5). With guests
 * only if a newcomer that this node let in is among its nodes now: that is at once; without, for
 * whoever was let in by a node that died of it, or forgot. The keys are not locked, and our own log
 * is in force. What fails is tried again.
 */
void core_lobby_hand_keys(struct spean_core *core, bool guests);

/* Whether this node is in the ledger: its org a member, and itself named by the org's statement. */
bool core_is_admitted(const struct spean_core *core);

/* Whether our own log was closed, by our organisation or a charter. */
bool core_is_closed(const struct spean_core *core);

/* Send JOIN again on a link that waits for an answer. */
void core_lobby_ask_again(struct spean_core *core);

/* The encoded JOIN for the node with this transport key; false: we do not join through it. */
bool core_lobby_join_message(struct spean_core *core, const struct spean_key *transport,
                             uint8_t *buf, size_t cap, struct spean_view *out);

#endif
