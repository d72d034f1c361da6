#include "tools/interrupt.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/select.h>

#include "tools/i18n.h"

static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static volatile sig_atomic_t arrived;

static void remember(int signal_number)
{
    arrived = signal_number;
}

spean_err spean_interrupt_install(void)
{
    struct sigaction action = {.sa_handler = remember}; /* Without SA_RESTART: reads must end. */
    if (sigemptyset(&action.sa_mask) != 0) {
        return SPEAN_EIO;
    }
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (sigaction(taken[i], &action, NULL) != 0) {
            return SPEAN_EIO;
        }
    }
    return SPEAN_OK;
}

bool spean_interrupted(void)
{
    return arrived != 0;
}

bool spean_interrupt_wait(int fd)
{
    assert(fd >= 0);
    assert(fd < FD_SETSIZE);
    sigset_t ours;
    sigset_t before;
    (void)sigemptyset(&ours); /* These four fail only for signals that do not exist. */
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        (void)sigaddset(&ours, taken[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &ours, &before);
    while (!spean_interrupted()) {
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(fd, &readable);
        if (pselect(fd + 1, &readable, NULL, NULL, NULL, &before) >= 0 || errno != EINTR) {
            break;
        }
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return !spean_interrupted();
}

enum spean_exit spean_interrupt_problem(struct spean_problem *problem)
{
    return spean_problem_set(problem, SPEAN_EXIT_INTERRUPTED, "interrupted", "%s",
                             _("interrupted"));
}
