#include "tools/sink.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/i18n.h"
#include "tools/vformat.h"

enum spean_exit spean_sink_refuse(const char *path, int number, struct spean_problem *problem)
{
    assert(path != NULL);
    if (number == EEXIST) {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "exists", _("%s is there already"),
                                path);
        spean_problem_hint(problem, "%s", _("give another name, or remove it first"));
        return SPEAN_EXIT_STATE;
    }
    const enum spean_exit exit = number == ENOENT                      ? SPEAN_EXIT_NOT_FOUND
                                 : number == EACCES || number == EPERM ? SPEAN_EXIT_DENIED
                                                                       : SPEAN_EXIT_FAILED;
    return spean_problem_set(problem, exit, "file", "%s: %s", path, strerror(number));
}

bool spean_sink_is_there(const char *path)
{
    assert(path != NULL);
    struct stat info;
    return lstat(path, &info) == 0;
}

enum spean_exit spean_sink_refuse_part(const char *part, struct spean_problem *problem)
{
    const enum spean_exit exit = spean_sink_refuse(part, EEXIST, problem);
    spean_problem_hint(problem, "%s",
                       _("an export goes on, or was broken off; in that case remove it: what it "
                         "holds is not sealed"));
    return exit;
}

static enum spean_exit begin(const char *path, const char *part, FILE **file,
                             struct spean_problem *problem)
{
    if (spean_sink_is_there(path)) {
        return spean_sink_refuse(path, EEXIST, problem);
    }
    /* Never into a file that is there: it could be open to others, or somebody's own. */
    const int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 && errno == EEXIST) {
        return spean_sink_refuse_part(part, problem);
    }
    FILE *const opened = fd < 0 ? NULL : fdopen(fd, "w");
    if (opened == NULL) {
        const int number = errno;
        if (fd >= 0) {
            (void)close(fd); /* Nothing was written. */
            (void)unlink(part);
        }
        return spean_sink_refuse(path, number, problem);
    }
    *file = opened;
    return SPEAN_EXIT_DONE;
}

/* Have it on disk, and give it its name. */
static enum spean_exit finish(FILE *file, const char *path, const char *part,
                              struct spean_problem *problem)
{
    const bool failed = ferror(file) != 0; /* Why, nobody remembers. */
    errno = EIO;
    if (failed || fflush(file) != 0 || fsync(fileno(file)) != 0) {
        return spean_sink_refuse(path, errno, problem);
    }
    /* link() would overwrite nothing in any case, but memory sticks know no links. */
    if (spean_sink_is_there(path)) {
        return spean_sink_refuse(path, EEXIST, problem);
    }
    return rename(part, path) == 0 ? SPEAN_EXIT_DONE : spean_sink_refuse(path, errno, problem);
}

enum spean_exit spean_sink_rehearse(const char *path, spean_sink_fill *fill, void *ctx,
                                    struct spean_problem *problem)
{
    assert(path != NULL);
    assert(fill != NULL);
    if (spean_sink_is_there(path)) {
        return spean_sink_refuse(path, EEXIST, problem);
    }
    FILE *const nowhere = fopen("/dev/null", "we");
    if (nowhere == NULL) {
        return spean_sink_refuse("/dev/null", errno, problem);
    }
    const enum spean_exit exit = fill(ctx, nowhere, problem);
    (void)fclose(nowhere); /* Nothing of it counts. */
    return exit;
}

enum spean_exit spean_sink_write(const char *path, spean_sink_fill *fill, void *ctx,
                                 struct spean_problem *problem)
{
    assert(path != NULL);
    assert(fill != NULL);
    FILE *file = NULL;
    char *const part = spean_format("%s" SPEAN_SINK_PART, path);
    if (part == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    enum spean_exit exit = begin(path, part, &file, problem);
    if (exit != SPEAN_EXIT_DONE) {
        free(part);
        return exit;
    }
    exit = fill(ctx, file, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = finish(file, path, part, problem);
    }
    (void)fclose(file); /* What counts was flushed and is on disk. */
    if (exit != SPEAN_EXIT_DONE) {
        (void)unlink(part); /* What is left of it has the name by which the next one is refused. */
    }
    free(part);
    return exit;
}

/* Write value as JSON, without spaces or line breaks. */
static enum spean_exit value_write(FILE *file, const json_t *value, struct spean_problem *problem)
{
    errno = ENOMEM;
    return json_dumpf(value, file, JSON_COMPACT) == 0
               ? SPEAN_EXIT_DONE
               : spean_problem_set(problem, SPEAN_EXIT_FAILED, "file", "%s", strerror(errno));
}

enum spean_exit spean_sink_line(FILE *file, const json_t *value, struct spean_problem *problem)
{
    assert(file != NULL);
    const enum spean_exit exit = value_write(file, value, problem);
    (void)fputc('\n', file); /* ferror() tells at the end. */
    return exit;
}

enum spean_exit spean_sink_member(FILE *file, json_int_t count, const json_t *value,
                                  struct spean_problem *problem)
{
    assert(file != NULL);
    (void)fputs(count == 0 ? "[\n" : ",\n", file); /* As above. */
    return value_write(file, value, problem);
}

void spean_sink_members_end(FILE *file, json_int_t count)
{
    assert(file != NULL);
    (void)fputs(count == 0 ? "[\n]\n" : "\n]\n", file); /* As above. */
}
