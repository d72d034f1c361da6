/*
 * node/listener.h - the ROUTER that other nodes dial, and the links that come in by it.
 * Inner part of node/transport.h.
 */
#ifndef SPEAN_NODE_LISTENER_H
#define SPEAN_NODE_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/net.h"

#define SPEAN_LISTENER_REBIND_MS 20u   /* Between attempts: libzmq gives a port up by and by. */
#define SPEAN_LISTENER_TAKEN_MS  5000u /* An address still in use then is somebody else's. */
#define SPEAN_LISTENER_CUT_MS    2000u /* A refused peer that is still there then: rebind. */

struct spean_listener; /* Opaque. */

/*
 * Bind the endpoints, at most SPEAN_TRANSPORT_BINDS_MAX, of which a NULL ends the list; net is
 * borrowed for life. Errors as in spean_transport_new().
 */
SPEAN_CHECK spean_err spean_listener_new(struct spean_listener **out, struct spean_net *net,
                                         const char *const *binds);
void spean_listener_free(struct spean_listener *l); /* NULL is allowed. */

/* As spean_transport_bound(). */
const char *spean_listener_bound(const struct spean_listener *l, size_t i);

/* Append the sockets to poll at items[*count]. SPEAN_ELIMIT: no room. */
SPEAN_CHECK spean_err spean_listener_poll_items(const struct spean_listener *l,
                                                zmq_pollitem_t *items, size_t cap, size_t *count);

/* The earliest time at which something is due, UINT64_MAX for never. */
uint64_t spean_listener_due_ms(const struct spean_listener *l);

/* Take notice of connections that came and went, and look connections over when it is time. */
void spean_listener_watch(struct spean_listener *l);

/* Hand over at most budget messages; returns how many were read, handed over or not. */
size_t spean_listener_read(struct spean_listener *l, size_t budget);

/* Say what is owed (on_down, on_writable), forget connections that are gone, rebind if due. */
void spean_listener_settle(struct spean_listener *l);

/* As the functions of node/transport.h. */
spean_err spean_listener_send(struct spean_listener *l, struct spean_link *link,
                              struct spean_view view);
void spean_listener_reclassify(struct spean_listener *l);
void spean_listener_rebind(struct spean_listener *l);

/* How many links of the lobby are up. */
size_t spean_listener_lobby_count(const struct spean_listener *l);

#endif
