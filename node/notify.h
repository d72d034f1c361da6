/* node/notify.h - tell systemd that the daemon is ready, alive or stopping (sd_notify). */
#ifndef SPEAN_NODE_NOTIFY_H
#define SPEAN_NODE_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "protocol/err.h"

#define SPEAN_NOTIFY_STATUS_BYTES_MAX 256u /* Longer status texts are cut. */
#define SPEAN_NOTIFY_WATCHDOG_S_MAX   86400u

/* Caller's memory. Without a supervisor fd is -1, and telling it anything succeeds. */
struct spean_notify {
    int fd;
    socklen_t to_len;
    struct sockaddr_un to;
};

/*
 * Prepare to speak to address, the value of NOTIFY_SOCKET: an absolute path, or an abstract name
 * behind '@'. NULL or "" means that nobody supervises us. Close it with spean_notify_fini().
 * SPEAN_EINPUT: the address is neither, or too long. SPEAN_EIO: no socket could be made. After
 * either n is as without a supervisor: log it and go on.
 */
SPEAN_CHECK spean_err spean_notify_init(struct spean_notify *n, const char *address);
void spean_notify_fini(struct spean_notify *n);

/*
 * Say that start-up is done, that the daemon is about to stop, or that it is alive.
 * SPEAN_EIO: the supervisor did not take it; there is nothing to do but to log it.
 */
SPEAN_CHECK spean_err spean_notify_ready(const struct spean_notify *n);
SPEAN_CHECK spean_err spean_notify_stopping(const struct spean_notify *n);
SPEAN_CHECK spean_err spean_notify_watchdog(const struct spean_notify *n);

/*
 * Read the values of WATCHDOG_USEC and WATCHDOG_PID (NULL: not set): every how many milliseconds
 * the process pid has to say that it is alive, which is half of what is allowed; 0 for never. A
 * value that is no number, is for another process, or is above SPEAN_NOTIFY_WATCHDOG_S_MAX is for
 * never.
 */
uint64_t spean_notify_watchdog_ms(const char *allowed_us, const char *for_pid, uint64_t pid);

/* Show one line in `systemctl status`. Control characters become spaces. Errors as above. */
SPEAN_CHECK spean_err spean_notify_status(const struct spean_notify *n, const char *text);

#endif
