/* node/harden.h - take from this process what a thief or an accident could use. */
#ifndef SPEAN_NODE_HARDEN_H
#define SPEAN_NODE_HARDEN_H

#include <stddef.h>

#include "protocol/err.h"

#define SPEAN_HARDEN_FILES_WANTED 4096u /* Descriptors: peers, clients, the store. */
#define SPEAN_HARDEN_FILES_MIN    256u  /* With fewer the node does not start. */
#define SPEAN_HARDEN_LOCKED_BYTES_MIN                                                              \
    1048576u /* Memory for keys that must not be swapped.                                          \
              */
#define SPEAN_HARDEN_ERROR_BYTES 256u

/*
 * Harden the process, before it makes threads or opens anything of value: no core dumps
 * (RLIMIT_CORE 0), not dumpable and not traceable by others (PR_SET_DUMPABLE 0), no new privileges
 * by exec, files made for the owner alone (umask 077), descriptors raised towards
 * SPEAN_HARDEN_FILES_WANTED, and lockable memory raised to what is allowed.
 * SPEAN_EIO: the kernel refuses one of them. SPEAN_ELIMIT: the limit on descriptors or on locked
 * memory is below the least we need and may not be raised. why then says which, and what helps, in
 * English. Do not go on after an error; what was done before it stays done.
 */
SPEAN_CHECK spean_err spean_harden(char why[SPEAN_HARDEN_ERROR_BYTES]);

#endif
