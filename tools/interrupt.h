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
 * order and ends with the problem made by spean_interrupt_problem(). */
bool spean_interrupted(void);

/*
 * Wait until fd can be read, or is at its end; false: one of the signals has arrived. It cannot
 * slip in unseen between looking and waiting, as it could before a plain read(). fd < FD_SETSIZE;
 * something wrong with fd is left for read() to tell.
 */
bool spean_interrupt_wait(int fd);

/* Describe it: exit 130. */
enum spean_exit spean_interrupt_problem(struct spean_problem *problem);

#endif
