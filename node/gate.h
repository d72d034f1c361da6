/* node/gate.h - what an HTTP request must look like before anything else is asked of it. */
#ifndef SPEAN_NODE_GATE_H
#define SPEAN_NODE_GATE_H

#include <event2/http.h>
#include <stdbool.h>

#include "node/reply.h"

/*
 * Check the header lines of a request that evhttp has parsed: names are HTTP tokens; one Host,
 * `localhost` or `spean`; Content-Length at most once, in digits, and never together with
 * Transfer-Encoding; a GET has no body; a body is not compressed and is application/json. Two
 * programs that read one request differently are how requests get smuggled, so nothing is
 * repaired. Returns true when all holds; otherwise false and the refusal is in reply.
 */
bool spean_gate_check(struct evhttp_request *http, struct spean_reply *reply);

#endif
