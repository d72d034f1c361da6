#include "node/notify.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define US_A_MS UINT64_C(1000)
#define US_A_S  UINT64_C(1000000)

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

/* Read a number in digits alone. */
static bool read_number(const char *text, uint64_t *out)
{
    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text)) {
        return false;
    }
    errno = 0;
    const unsigned long long number = strtoull(text, NULL, 10);
    *out = number;
    return errno == 0;
}

uint64_t spean_notify_watchdog_ms(const char *allowed_us, const char *for_pid, uint64_t pid)
{
    uint64_t us = 0;
    uint64_t whose = pid;
    if (allowed_us == NULL || !read_number(allowed_us, &us) ||
        us > (uint64_t)SPEAN_NOTIFY_WATCHDOG_S_MAX * US_A_S) {
        return 0;
    }
    if (for_pid != NULL && (!read_number(for_pid, &whose) || whose != pid)) {
        return 0;
    }
    return us / 2 / US_A_MS;
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
