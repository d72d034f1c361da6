/* tools/interrupt.h - Ctrl-C and its relatives, seen at the next safe place. */
#ifndef SPEAN_TOOLS_INTERRUPT_H
#define SPEAN_TOOLS_INTERRUPT_H

#include <stdbool.h>

#include "protocol/err.h"
#include "tools/problem.h"

/*
 * Take SIGINT, SIGTERM, SIGHUP and SIGQUIT from now on: they break off a blocking call with EINTR
 * and are seen by spean_interrupted(); nothing else happens in the handler. SPEAN_EIO: not
 * possible, stop.
 */
SPEAN_CHECK spean_err spean_interrupt_install(void);

/* Say whether one of them has arrived. Whoever blocks or loops asks, puts the terminal back in
 * order and returns spean_interrupt_problem(). */
bool spean_interrupted(void);
enum spean_exit spean_interrupt_problem(struct spean_problem *problem);

#endif
