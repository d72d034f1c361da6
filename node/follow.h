/*
 * node/follow.h - answers of the local API that go on: JSON lines, as long as the client listens.
 *
 * A route that can be followed makes lines from a place on; nothing is kept for whoever follows but
 * the place. While a client has not read what was written to it, nothing more is made for it: a
 * slow one costs no memory and sees later what there is then. A line without anything in it says
 * every SPEAN_FOLLOW_ALIVE_MS that the node is there. One thread: that of the API.
 */
#ifndef SPEAN_NODE_FOLLOW_H
#define SPEAN_NODE_FOLLOW_H

#include <event2/http.h>
#include <stdint.h>

#include "node/reply.h"
#include "node/request.h"
#include "protocol/err.h"

#define SPEAN_FOLLOW_LOOK_MS  250u   /* From one look for news to the next. */
#define SPEAN_FOLLOW_ALIVE_MS 15000u /* Between two lines of any kind. */
#define SPEAN_FOLLOW_MAX      16u    /* Clients at one time; for the API, beyond it 503. */

struct spean_follow; /* Opaque. */

/* Say whether the request asks to follow: `?follow=1`. */
bool spean_follow_asked(const struct spean_request *request);

/*
 * Begin to answer http with what lines gives; request is taken, also on errors. timeout_ms: how
 * long the client may take to read. SPEAN_OK: *out, to be freed when the connection has gone, or
 * after spean_follow_end(). Other: nothing was sent, reply says why.
 */
SPEAN_CHECK spean_err spean_follow_new(struct evhttp_request *http, spean_reply_lines *lines,
                                       void *ctx, struct spean_request *request,
                                       uint32_t timeout_ms, struct spean_reply *reply,
                                       struct spean_follow **out);
void spean_follow_free(struct spean_follow *follow); /* NULL is allowed. */

/* Say nothing more and end the answer; evhttp says when it is written. */
void spean_follow_end(struct spean_follow *follow);

#endif
