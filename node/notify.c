#include "node/notify.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

spean_err spean_notify_init(struct spean_notify *n, const char *address)
{
    assert(n != NULL);

    struct spean_notify made = {.fd = -1};
    *n = made;
    if (address == NULL || address[0] == '\0') {
        return SPEAN_OK;
    }
    const size_t len = strlen(address);
    if ((address[0] != '/' && address[0] != '@') || len < 2 || len >= sizeof(made.to.sun_path)) {
        return SPEAN_EINPUT;
    }

    made.to.sun_family = AF_UNIX;
    memcpy(made.to.sun_path, address, len);
    if (address[0] == '@') {
        made.to.sun_path[0] = '\0'; /* An abstract name: its length ends it, no zero does. */
    }
    made.to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    made.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (made.fd < 0) {
        return SPEAN_EIO;
    }
    *n = made;
    return SPEAN_OK;
}

void spean_notify_fini(struct spean_notify *n)
{
    assert(n != NULL);

    if (n->fd >= 0) {
        (void)close(n->fd); /* Nothing is buffered in it that could be lost. */
    }
    n->fd = -1;
}

static spean_err tell(const struct spean_notify *n, const char *state)
{
    assert(n != NULL);

    if (n->fd < 0) {
        return SPEAN_OK;
    }
    const size_t len = strlen(state);
    const ssize_t sent = sendto(n->fd, state, len, MSG_NOSIGNAL | MSG_DONTWAIT,
                                (const struct sockaddr *)&n->to, n->to_len);
    return sent == (ssize_t)len ? SPEAN_OK : SPEAN_EIO;
}

spean_err spean_notify_ready(const struct spean_notify *n)
{
    return tell(n, "READY=1");
}

spean_err spean_notify_stopping(const struct spean_notify *n)
{
    return tell(n, "STOPPING=1");
}

spean_err spean_notify_watchdog(const struct spean_notify *n)
{
    return tell(n, "WATCHDOG=1");
}

spean_err spean_notify_status(const struct spean_notify *n, const char *text)
{
    assert(text != NULL);

    char state[sizeof("STATUS=") + SPEAN_NOTIFY_STATUS_BYTES_MAX];
    (void)snprintf(state, sizeof(state), "STATUS=%s", text); /* Cutting it is meant. */
    for (char *c = state; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ') {
            *c = ' '; /* A line feed would begin another assignment, READY=1 for instance. */
        }
    }
    return tell(n, state);
}
