/*
 * tests/bench/scratch.h - small things that the benchmarks share: time, a folder for the run, and
 * ending the process, with a word about why, when something fails.
 */
#ifndef SPEAN_TESTS_BENCH_SCRATCH_H
#define SPEAN_TESTS_BENCH_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/err.h"

#define SCRATCH_PATH_BYTES 512u

/* End the process with status 1 unless it went well; what says what was tried. */
void scratch_need(spean_err err, const char *what);
void scratch_want(bool went_well, const char *what);

/* Seconds of a clock that never goes back. */
double scratch_now_s(void);

/* Write dir/name into path. */
void scratch_path(char path[SCRATCH_PATH_BYTES], const char *dir, const char *name);

/* Make a new folder in parent (NULL: $TMPDIR, or /tmp). */
void scratch_make(char dir[SCRATCH_PATH_BYTES], const char *parent);

/* Remove a folder and the files in it; folders in it stay, and then so does it. */
void scratch_remove(const char *dir);

#endif
