/*
 * tests/sim/simnet.h - whole ledgers in one process on virtual time: nodes with stores in memory,
 * the real sync step, and a network that does what its seed says.
 */
#ifndef SPEAN_TESTS_SIM_SIMNET_H
#define SPEAN_TESTS_SIM_SIMNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/sync.h"

#define SIM_NODES_MAX 4u
#define SIM_SETTLE_MS 120000u /* Of virtual time; a ledger without faults is quiet by then. */

struct sim;

/* Chances in 1,000 for each message; and the ms it takes, at random up to this. */
struct sim_faults {
    uint64_t seed;
    uint32_t lost;
    uint32_t repeated;
    uint32_t reordered;
    uint32_t cut; /* The connection breaks instead. */
    uint32_t latency_ms;
};

extern const struct sim_faults sim_no_faults; /* And no latency. */

/* A ledger of count orgs with one node each, all members. Fails the test on error. */
struct sim *sim_new(uint32_t count, struct sim_faults faults);
void sim_free(struct sim *sim);

/* The same, but the last node is a second one of the first node's org. */
struct sim *sim_new_sharing(uint32_t count, struct sim_faults faults);

/* In a ledger of that kind: the org of the first node closes that node's log at seq, as node at
 * holds it; the statement appears there first. */
void sim_close_first(struct sim *sim, uint32_t at, uint64_t seq);

/* Entries of author's log that a node holds beyond its cut, and its room for more of them. */
uint32_t sim_aside(const struct sim *sim, uint32_t node, uint32_t author);
void sim_aside_room(struct sim *sim, uint32_t node, uint32_t entries);

/* From here on connections carry so many bytes a second, each way; 0: any number. */
void sim_rate(struct sim *sim, uint32_t bytes_per_s);

/* Let the faults end: from here on messages arrive, in order. */
void sim_heal(struct sim *sim);

/* Node from dials node to, and again whenever the connection is lost. */
void sim_dial(struct sim *sim, uint32_t from, uint32_t to);
void sim_hang_up(struct sim *sim, uint32_t from, uint32_t to); /* And stops dialling. */

/* Write count single-entry commits of public changes at a node. */
void sim_commit(struct sim *sim, uint32_t index, uint32_t count);

/* Write one commit whose body is sealed (some bytes) under a part key; audience by bits of nodes.
 */
void sim_commit_sealed(struct sim *sim, uint32_t index, uint8_t part, uint32_t audience);

/* Give a node the key of a part later: it may ask for the bodies now. */
void sim_grant(struct sim *sim, uint8_t part, uint32_t index);

/* Make a second chain of the node's log above seq, held by node at: a fork. */
void sim_fork(struct sim *sim, uint32_t author, uint64_t above, uint32_t at, uint32_t count);

/* Nodes that take no more than this many runs say that their disk is full after it. */
void sim_fill_disk(struct sim *sim, uint32_t index, uint32_t runs);

/* A node finds no room for documents, or does again. */
void sim_refuse_documents(struct sim *sim, uint32_t index, bool full);

/* Somebody made room at a node and does not want to wait. */
void sim_resume(struct sim *sim, uint32_t index);

/* The charter, written at node 0, removes the org of a node (cut at what node 0 holds). */
void sim_remove(struct sim *sim, uint32_t index);

/* The charter, written at node 0, names a node as its one relay, or none. */
void sim_relay(struct sim *sim, uint32_t index, bool named);

/* A node pauses the log of an author, or lets it go on. */
void sim_pause(struct sim *sim, uint32_t at, uint32_t author, bool paused);

/* A node saves its metered link, or does so no more (P13.9). */
void sim_save(struct sim *sim, uint32_t at, bool saving);

/* A branch of the charter at one node: count versions that follow what all nodes began with, and
 * set the erasure delay to delay and above, so that no two branches are equal. */
void sim_branch_charter(struct sim *sim, uint32_t at, uint32_t count, uint64_t delay);

/* The same of the statement of org: versions that set sealing keys from number key. */
void sim_branch_statement(struct sim *sim, uint32_t org, uint32_t at, uint32_t count, unsigned key);

/* Whether two nodes name the same digest over all documents. */
bool sim_authority_equal(const struct sim *sim, uint32_t a, uint32_t b);
uint32_t sim_heads(const struct sim *sim, uint32_t at, uint32_t org); /* Of org's statement. */
uint32_t sim_charter_heads(const struct sim *sim, uint32_t at);

/* Run for ms of virtual time. */
void sim_run(struct sim *sim, uint64_t ms);

/* Run until all connected nodes are quiet, at most ms; says whether they got quiet. */
bool sim_settle(struct sim *sim, uint64_t ms);

/* Run until they are, at most SIM_SETTLE_MS, and see that every chain verifies. */
void sim_settle_all(struct sim *sim);

/* Whether a node says that all its sessions are quiet. */
bool sim_quiet(const struct sim *sim, uint32_t index);

/* What is held. */
bool sim_equal(const struct sim *sim, uint32_t a, uint32_t b); /* Frontiers without disputed. */
uint64_t sim_height(const struct sim *sim, uint32_t node, uint32_t author);
uint32_t sim_bodies(const struct sim *sim, uint32_t node, uint32_t author); /* Bodies held. */
bool sim_fetching(const struct sim *sim, uint32_t node); /* Runs it asked for are on their way. */
/* What a peer told a node last that it holds of author's log; 0: nothing. */
uint64_t sim_told(const struct sim *sim, uint32_t node, uint32_t peer, uint32_t author);
bool sim_disputed(const struct sim *sim, uint32_t node, uint32_t author);
void sim_check(const struct sim *sim); /* Every chain verifies; else the test fails. */

/* Counts since the start. */
struct sim_counts {
    uint64_t messages;
    uint64_t bytes;
    uint64_t by_type[32];
    uint64_t equal; /* Reports of equality. */
    uint64_t broke; /* Reports of peers that broke a rule. */
    uint64_t last_rule;
    uint64_t drops;
    uint64_t effects_most;  /* Of one step. */
    uint64_t by_report[16]; /* By enum spean_sync_report_kind. */
};
struct sim_counts sim_counts(const struct sim *sim);

/* Every message as "A>B HELLO" or "A>B RUN C 1-20", one a line; for transcripts. */
const char *sim_transcript(const struct sim *sim);
void sim_transcript_clear(struct sim *sim);

/* Hand a node a frame as if node from had sent it over their connection. */
void sim_inject(struct sim *sim, uint32_t from, uint32_t to, struct spean_view frame);

/* -- To play a node by hand -- */

/* Lose every message that a node sends, from here on. */
void sim_silence(struct sim *sim, uint32_t node);

/* Lose every message to a node as well: what is said in its name does not confuse it. */
void sim_deafen(struct sim *sim, uint32_t node);

bool sim_connected(const struct sim *sim, uint32_t a, uint32_t b);

/* The last frame of a type that from sent to to, also if it was lost; len 0 if there is none. It
 * lives until the next one. */
struct spean_view sim_last(const struct sim *sim, uint32_t from, uint32_t to, uint64_t type);

/* The tag under which an author seals a part. */
struct spean_tag sim_tag(const struct sim *sim, uint32_t author, uint8_t part);

struct spean_id sim_log(const struct sim *sim, uint32_t author);

/* The place of an entry as a node holds it; seq 0: the place before the first. */
struct spean_place sim_place(const struct sim *sim, uint32_t node, uint32_t author, uint64_t seq);

/* Entries first to last as a node holds them, as a run with bodies. buf: SPEAN_FRAME_BYTES_MAX. */
struct spean_view sim_run_of(const struct sim *sim, uint32_t node, uint32_t author, uint64_t first,
                             uint64_t last, uint8_t *buf);

/* The pipes of a node are full, or not any more: meanwhile it loads no run and no body for anybody,
 * as the daemon does. */
void sim_full_pipe(struct sim *sim, uint32_t node, bool full);

/* What a node's store has not reported durable yet. */
uint32_t sim_unstored(const struct sim *sim, uint32_t node);

/* The node goes on from an older copy of its store: it holds only count entries of author's log. */
void sim_restore(struct sim *sim, uint32_t index, uint32_t author, uint64_t count);

#endif
