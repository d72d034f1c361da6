#include "tools/interrupt.h"

#include <signal.h>
#include <stddef.h>

#include "tools/i18n.h"

static volatile sig_atomic_t arrived;

static void remember(int signal_number)
{
    arrived = signal_number;
}

spean_err spean_interrupt_install(void)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
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

enum spean_exit spean_interrupt_problem(struct spean_problem *problem)
{
    return spean_problem_set(problem, SPEAN_EXIT_INTERRUPTED, "interrupted", "%s",
                             _("interrupted"));
}
