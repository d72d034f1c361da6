#include "tools/sink.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/i18n.h"
#include "tools/vformat.h"

struct spean_sink {
    FILE *file;
    char *path;
    char *part; /* Its name until it is whole. */
};

static enum spean_exit refuse(const char *path, int number, struct spean_problem *problem)
{
    const enum spean_exit exit = number == ENOENT                      ? SPEAN_EXIT_NOT_FOUND
                                 : number == EACCES || number == EPERM ? SPEAN_EXIT_DENIED
                                 : number == EEXIST                    ? SPEAN_EXIT_STATE
                                                                       : SPEAN_EXIT_FAILED;
    (void)spean_problem_set(problem, exit, number == EEXIST ? "exists" : "file", "%s: %s", path,
                            strerror(number));
    if (number == EEXIST) {
        spean_problem_hint(problem, "%s", _("give another name, or remove it first"));
    }
    return exit;
}

static void sink_free(struct spean_sink *sink)
{
    free(sink->path);
    free(sink->part);
    free(sink);
}

enum spean_exit spean_sink_open(const char *path, struct spean_sink **out,
                                struct spean_problem *problem)
{
    assert(path != NULL);
    assert(out != NULL);
    if (access(path, F_OK) == 0) {
        return refuse(path, EEXIST, problem);
    }
    struct spean_sink *const sink = calloc(1, sizeof(*sink));
    if (sink == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    sink->path = strdup(path);
    sink->part = spean_format("%s.part", path);
    if (sink->path == NULL || sink->part == NULL) {
        sink_free(sink);
        return spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    const int fd = open(sink->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    sink->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (sink->file == NULL) {
        const int number = errno;
        if (fd >= 0) {
            (void)close(fd); /* Nothing was written. */
        }
        sink_free(sink);
        return refuse(path, number, problem);
    }
    *out = sink;
    return SPEAN_EXIT_DONE;
}

FILE *spean_sink_file(struct spean_sink *sink)
{
    assert(sink != NULL);
    return sink->file;
}

enum spean_exit spean_sink_close(struct spean_sink *sink, struct spean_problem *problem)
{
    assert(sink != NULL);
    const bool written =
        fflush(sink->file) == 0 && ferror(sink->file) == 0 && fsync(fileno(sink->file)) == 0;
    const int write_number = errno;
    if (!written) {
        const enum spean_exit exit = refuse(sink->path, write_number, problem);
        spean_sink_drop(sink);
        return exit;
    }
    /* link() would overwrite nothing in any case, but memory sticks know no links. */
    errno = EEXIST;
    if (access(sink->path, F_OK) == 0 || rename(sink->part, sink->path) != 0) {
        const enum spean_exit exit = refuse(sink->path, errno, problem);
        spean_sink_drop(sink);
        return exit;
    }
    spean_sink_drop(sink);
    return SPEAN_EXIT_DONE;
}

void spean_sink_drop(struct spean_sink *sink)
{
    if (sink != NULL) {
        (void)fclose(sink->file); /* What counts was flushed and is on disk. */
        (void)unlink(sink->part); /* Gone already, where it has its own name now. */
        sink_free(sink);
    }
}
