/*
 * node/dialer.h - the DEALERs that dial other nodes, one for each key, and their links.
 * Inner part of node/transport.h.
 */
#ifndef SPEAN_NODE_DIALER_H
#define SPEAN_NODE_DIALER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/net.h"

#define SPEAN_DIALER_LASTED_MS      60000u /* A link of this age was a good one. */
#define SPEAN_DIALER_DROP_LINGER_MS 1000   /* For the last word to a peer that we drop. */

struct spean_dialer; /* Opaque. */

/* net is borrowed for life. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_dialer_new(struct spean_dialer **out, struct spean_net *net);

/* Sets zmq_stays in net when a socket had to be left open. */
void spean_dialer_free(struct spean_dialer *d); /* NULL is allowed. */

/* Append the sockets to poll at items[*count]. SPEAN_ELIMIT: no room. */
SPEAN_CHECK spean_err spean_dialer_poll_items(const struct spean_dialer *d, zmq_pollitem_t *items,
                                              size_t cap, size_t *count);

/* The earliest time at which something is due, UINT64_MAX for never. */
uint64_t spean_dialer_due_ms(const struct spean_dialer *d);

/* Dial what is due, and take notice of links that came and went. */
void spean_dialer_watch(struct spean_dialer *d);

/* Hand over at most budget messages in all and each of each link; returns how many were read. */
size_t spean_dialer_read(struct spean_dialer *d, size_t budget, size_t each);

/* Say what is owed (on_down, on_writable), close what ended, forget what is not dialled. */
void spean_dialer_settle(struct spean_dialer *d);

/* As the functions of node/transport.h; classify() has been asked about key. */
SPEAN_CHECK spean_err spean_dialer_dial(struct spean_dialer *d, const struct spean_key *key,
                                        const char *endpoint);
void spean_dialer_undial(struct spean_dialer *d, const struct spean_key *key);
enum spean_dial_state spean_dialer_state(const struct spean_dialer *d, const struct spean_key *key);
spean_err spean_dialer_send(struct spean_dialer *d, struct spean_link *link,
                            struct spean_view view);
void spean_dialer_drop(struct spean_dialer *d, struct spean_link *link);
void spean_dialer_reclassify(struct spean_dialer *d);

#endif
