/* tools/exit.h - what a script learns from `spean`: its exit codes. They never change meaning. */
#ifndef SPEAN_TOOLS_EXIT_H
#define SPEAN_TOOLS_EXIT_H

#include "tools/i18n.h"

/*
 * X(code, number, code name in JSON, text). A handler returns one of them; 0 and "attention"
 * mean that the work was done. A script treats a number that it does not know as a failure.
 */
#define SPEAN_EXIT_TABLE(X)                                                                        \
    X(SPEAN_EXIT_DONE, 0, "done", N_("done, or nothing to do"))                                    \
    X(SPEAN_EXIT_FAILED, 1, "failed", N_("failed"))                                                \
    X(SPEAN_EXIT_USAGE, 2, "usage", N_("wrong usage"))                                             \
    X(SPEAN_EXIT_ATTENTION, 3, "attention", N_("done, and something needs your attention"))        \
    X(SPEAN_EXIT_DENIED, 4, "not_permitted", N_("not permitted"))                                  \
    X(SPEAN_EXIT_NOT_FOUND, 5, "not_found", N_("not found"))                                       \
    X(SPEAN_EXIT_STATE, 6, "wrong_state", N_("changed meanwhile, or in the wrong state"))          \
    X(SPEAN_EXIT_NO_DAEMON, 7, "daemon_not_running", N_("the daemon is not running"))              \
    X(SPEAN_EXIT_NO_PEER, 8, "peer_unreachable", N_("the partner cannot be reached"))              \
    X(SPEAN_EXIT_INTEGRITY, 9, "integrity", N_("integrity failure"))                               \
    X(SPEAN_EXIT_NO_STORE, 10, "no_store", N_("there is no store"))                                \
    X(SPEAN_EXIT_LOCKED, 11, "locked", N_("the store is locked"))                                  \
    X(SPEAN_EXIT_PASSPHRASE, 12, "wrong_passphrase", N_("wrong passphrase"))                       \
    X(SPEAN_EXIT_INTERRUPTED, 130, "interrupted", N_("interrupted"))

#define SPEAN_EXIT_ENUM(code, number, name, text) code = (number),
enum spean_exit { SPEAN_EXIT_TABLE(SPEAN_EXIT_ENUM) };
#undef SPEAN_EXIT_ENUM

#endif
