/*
 * tests/bench/frame.h - what every benchmark has around what it measures: its flags, the folder of
 * its run, and times of which the median and the slow ones are told.
 */
#ifndef SPEAN_TESTS_BENCH_FRAME_H
#define SPEAN_TESTS_BENCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- Flags ----------------------------------------------------------------------------------- */

/* "--name VALUE", or "--name" alone. One of text, number and given is not NULL. */
struct frame_flag {
    const char *name;
    const char **text;
    uint32_t *number; /* 1 to number_max. */
    uint32_t number_max;
    bool *given;
};

/* Read the command line. --help prints usage and ends the process with 0; what no flag takes ends
 * it with frame_misused(). */
void frame_flags(int argc, char **argv, const struct frame_flag *flags, size_t count,
                 const char *usage);

/* Print usage on stderr and end the process with 2. */
_Noreturn void frame_misused(const char *usage);

/* -- The folder ------------------------------------------------------------------------------ */

/* Make the folder of the run in parent (tests/bench/scratch.h). When the process ends, however it
 * does, it is removed with the world in it (tests/bench/world.h) and the folders of these names;
 * NULL ends them. */
const char *frame_folder(const char *parent, const char *const *names);

/* -- Times ----------------------------------------------------------------------------------- */

/* In seconds, in the order of measuring until they are sorted. */
struct frame_times {
    double *s;
    uint32_t count;
};

void frame_times_new(struct frame_times *times, uint32_t count);
void frame_times_free(struct frame_times *times);
void frame_times_sort(struct frame_times *times);

/* The time below which a share of them is, in microseconds; they are sorted. */
double frame_times_us(const struct frame_times *times, double share);

/* Print a row of a table: name, median, 90 % and 99 %; and the head of such a table. */
void frame_times_print_head(void);
void frame_times_print(const char *name, const struct frame_times *times);

#endif
