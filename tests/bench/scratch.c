#include "tests/bench/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void scratch_need(spean_err err, const char *what)
{
    if (err != SPEAN_OK) {
        (void)fprintf(stderr, "bench: %s: %s\n", what, spean_err_text(err));
        exit(EXIT_FAILURE);
    }
}

void scratch_want(bool went_well, const char *what)
{
    if (!went_well) {
        (void)fprintf(stderr, "bench: failed: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

double scratch_now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void scratch_path(char path[SCRATCH_PATH_BYTES], const char *dir, const char *name)
{
    const int len = snprintf(path, SCRATCH_PATH_BYTES, "%s/%s", dir, name);
    scratch_want(len > 0 && (size_t)len < SCRATCH_PATH_BYTES, "a path that is short enough");
}

void scratch_make(char dir[SCRATCH_PATH_BYTES], const char *parent)
{
    const char *tmp = parent != NULL ? parent : getenv("TMPDIR");
    scratch_path(dir, tmp != NULL ? tmp : "/tmp", "spean-bench-XXXXXX");
    scratch_want(mkdtemp(dir) != NULL, "to make a folder for the run");
}

void scratch_remove(const char *dir)
{
    DIR *stream = opendir(dir);
    if (stream == NULL) {
        return;
    }
    for (const struct dirent *row = readdir(stream); row != NULL; row = readdir(stream)) {
        (void)unlinkat(dirfd(stream), row->d_name, 0); /* Fails on ".", ".." and folders. */
    }
    (void)closedir(stream);
    (void)rmdir(dir);
}
