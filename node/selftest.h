/* node/selftest.h - proves at start that a stranger's key is refused by this very libzmq. */
#ifndef SPEAN_NODE_SELFTEST_H
#define SPEAN_NODE_SELFTEST_H

#include "node/zap.h"
#include "protocol/err.h"

#define SPEAN_SELFTEST_DEADLINE_MS 5000

/*
 * Knock at a listener of our own, on loopback and in the domain SPEAN_ZAP_DOMAIN_SELFTEST, with a
 * key made up for it, and see it refused. zap, the handler of the context zmq, is worked
 * meanwhile; NULL: there is none. Call it before any data socket is bound.
 * SPEAN_EDENIED: the stranger was not refused: do not start. SPEAN_EIO: it could not be tried
 * within the deadline (no loopback, no descriptors): do not start either.
 */
SPEAN_CHECK spean_err spean_selftest_run(void *zmq, struct spean_zap *zap);

#endif
