#include "tools/input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/text.h"
#include "tools/i18n.h"
#include "tools/interrupt.h"

#define CHUNK_BYTES 65536u
#define BOM         "\xef\xbb\xbf"
#define BOM_BYTES   3u

static enum spean_exit refuse_errno(const char *path, int number, struct spean_problem *problem)
{
    const enum spean_exit exit = number == ENOENT                      ? SPEAN_EXIT_NOT_FOUND
                                 : number == EACCES || number == EPERM ? SPEAN_EXIT_DENIED
                                                                       : SPEAN_EXIT_FAILED;
    return spean_problem_set(problem, exit, "file", "%s: %s", path, strerror(number));
}

/* Open spec without its '@'; *fd is standard input for "-". */
static enum spean_exit spec_open(const char *spec, int *fd, struct spean_problem *problem)
{
    if (strcmp(spec, "-") == 0) {
        *fd = STDIN_FILENO;
        return SPEAN_EXIT_DONE;
    }
    const char *const path = spec + (spec[0] == '@');
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return *fd < 0 ? refuse_errno(path, errno, problem) : SPEAN_EXIT_DONE;
}

/* read(), which Ctrl-C can end: -1 with EINTR. */
static ssize_t read_some(int fd, char *buf, size_t cap)
{
    if (fd < 0 || fd >= FD_SETSIZE) {
        errno = EBADF;
        return -1;
    }
    if (!spean_interrupt_wait(fd)) {
        errno = EINTR;
        return -1;
    }
    return read(fd, buf, cap);
}

static enum spean_exit refuse_read(const char *name, int number, struct spean_problem *problem)
{
    return spean_interrupted() ? spean_interrupt_problem(problem)
                               : refuse_errno(name, number, problem);
}

/* Read fd to its end into *text, whose room doubles up to bytes_max + 1. */
static enum spean_exit read_all(int fd, const char *name, size_t bytes_max, char **text,
                                size_t *len, struct spean_problem *problem)
{
    size_t room = bytes_max < CHUNK_BYTES ? bytes_max : CHUNK_BYTES;
    char *buf = malloc(room + 1);
    size_t used = 0;
    while (buf != NULL) {
        /* One byte beyond the limit is read, into the place of the NUL, to see that it is there. */
        const ssize_t got = read_some(fd, buf + used, room + (room == bytes_max) - used);
        if (got < 0) {
            const int number = errno;
            free(buf);
            return refuse_read(name, number, problem);
        }
        used += (size_t)got;
        if (used > bytes_max) {
            free(buf);
            return spean_problem_usage(problem, _("%s: more than %zu bytes"), name, bytes_max);
        }
        if (got == 0) {
            buf[used] = '\0';
            *text = buf;
            *len = used;
            return SPEAN_EXIT_DONE;
        }
        if (used == room && room < bytes_max) {
            room = room > bytes_max / 2 ? bytes_max : room * 2;
            char *const more = realloc(buf, room + 1);
            if (more == NULL) {
                free(buf);
            }
            buf = more;
        }
    }
    return spean_problem_err(problem, SPEAN_ENOMEM, name);
}

enum spean_exit spean_input_bytes(const char *spec, size_t bytes_max, char **text, size_t *len,
                                  struct spean_problem *problem)
{
    assert(spec != NULL);
    assert(text != NULL);
    assert(len != NULL);
    assert(bytes_max > 0);
    assert(bytes_max <= SPEAN_INPUT_BYTES_MAX);

    int fd;
    enum spean_exit exit = spec_open(spec, &fd, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    exit = read_all(fd, spec, bytes_max, text, len, problem);
    if (fd != STDIN_FILENO) {
        (void)close(fd); /* Only read from. */
    }
    return exit;
}

enum spean_exit spean_input_text(const char *spec, size_t bytes_max, char **text,
                                 struct spean_problem *problem)
{
    char *read_text = NULL;
    size_t len = 0;
    const enum spean_exit exit = spean_input_bytes(spec, bytes_max, &read_text, &len, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    assert(read_text != NULL);
    if (!spean_text_valid((struct spean_view){.data = (const uint8_t *)read_text, .len = len})) {
        free(read_text);
        return spean_problem_usage(problem, _("%s: this is not UTF-8 text"), spec);
    }
    if (len > 0 && read_text[len - 1] == '\n') {
        read_text[--len] = '\0';
    }
    if (len > 0 && read_text[len - 1] == '\r') {
        read_text[--len] = '\0';
    }
    if (strncmp(read_text, BOM, BOM_BYTES) == 0) {
        memmove(read_text, read_text + BOM_BYTES, len - BOM_BYTES + 1);
    }
    *text = read_text;
    return SPEAN_EXIT_DONE;
}

/* Read fd to its end into buf, not a byte through memory that is not the caller's. */
static enum spean_exit passphrase_read(int fd, const char *name, char *buf, size_t cap, size_t *len,
                                       struct spean_problem *problem)
{
    size_t used = 0;
    for (;;) {
        char beyond; /* Read here only when buf is full: a line break may still follow. */
        const bool full = used == cap;
        const ssize_t got = read_some(fd, full ? &beyond : buf + used, full ? 1 : cap - used);
        if (got < 0) {
            return refuse_read(name, errno, problem);
        }
        if (got == 0) {
            break;
        }
        if (full) {
            return spean_problem_usage(problem, _("%s: the passphrase is too long"), name);
        }
        used += (size_t)got;
    }
    if (used > 0 && buf[used - 1] == '\n') {
        used--;
    }
    if (used == 0 || memchr(buf, '\0', used) != NULL) {
        return spean_problem_usage(problem, _("%s: there is no passphrase in it"), name);
    }
    *len = used;
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_input_passphrase_file(const char *path, char *buf, size_t cap, size_t *len,
                                            struct spean_problem *problem)
{
    assert(path != NULL);
    assert(buf != NULL);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return refuse_errno(path, errno, problem);
    }
    struct stat info;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (fstat(fd, &info) != 0) {
        exit = refuse_errno(path, errno, problem);
    } else if (S_ISREG(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        exit = spean_problem_set(problem, SPEAN_EXIT_DENIED, "exposed",
                                 _("%s can be read by others, so it is no secret"), path);
        spean_problem_hint(problem, "chmod 600 %s", path);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = passphrase_read(fd, path, buf, cap, len, problem);
    }
    (void)close(fd); /* Only read from. */
    return exit;
}

enum spean_exit spean_input_passphrase_fd(int fd, char *buf, size_t cap, size_t *len,
                                          struct spean_problem *problem)
{
    assert(buf != NULL);
    return passphrase_read(fd, "--passphrase-fd", buf, cap, len, problem);
}
