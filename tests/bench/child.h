/*
 * tests/bench/child.h - a benchmark in several processes: this program, started again in roles.
 *
 * A role tells by lines on its standard output, and may be asked by lines on its standard input.
 */
#ifndef SPEAN_TESTS_BENCH_CHILD_H
#define SPEAN_TESTS_BENCH_CHILD_H

#include <stdio.h>
#include <sys/types.h>

#define CHILD_LINE_BYTES 256u

/* -- For the one that starts them ------------------------------------------------------------ */

struct child {
    pid_t pid;
    FILE *told;  /* What it tells. */
    FILE *asked; /* What it is asked. */
};

/* Start this program with these arguments, the first is its name, the last NULL. It ends with the
 * process that started it. */
struct child child_start(const char *const *arguments);

/* Read the next line; a child that ends before it is a failure. */
void child_line(struct child *child, char line[CHILD_LINE_BYTES]);

/* Ask it something, a line without its end. */
void child_ask(struct child *child, const char *line);

/* Ask it nothing more, give each line that is left to take, and wait until it has ended well. */
void child_finish(struct child *child, void (*take)(void *ctx, const char *line), void *ctx);

/* -- For a role ------------------------------------------------------------------------------ */

/* Block SIGTERM, and give a descriptor that becomes readable when it comes. */
int child_signal_descriptor(void);

/* Tell "endpoint ADDRESS", which the journal wrote when the network was opened. */
void child_tell_endpoint(int journal_fd);

#endif
