#include "tests/bench/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/scratch.h"

#define JOURNAL_BYTES 1024u

/* A pipe whose ends no other child inherits. */
static void make_pipe(int fds[2])
{
    scratch_want(pipe(fds) == 0, "a pipe");
    for (size_t i = 0; i < 2; i++) {
        scratch_want(fcntl(fds[i], F_SETFD, FD_CLOEXEC) == 0, "to keep a pipe for one child");
    }
}

struct child child_start(const char *const *arguments)
{
    int pipes[2][2]; /* What is told, what is asked. */
    make_pipe(pipes[0]);
    make_pipe(pipes[1]);
    const pid_t pid = fork();
    scratch_want(pid >= 0, "to fork");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(pipes[0][1], STDOUT_FILENO);
        (void)dup2(pipes[1][0], STDIN_FILENO);
        (void)execv("/proc/self/exe", (char *const *)(uintptr_t)arguments);
        _exit(EXIT_FAILURE);
    }
    (void)close(pipes[0][1]);
    (void)close(pipes[1][0]);
    const struct child child = {pid, fdopen(pipes[0][0], "r"), fdopen(pipes[1][1], "w")};
    scratch_want(child.told != NULL && child.asked != NULL, "to talk with a child");
    return child;
}

void child_line(struct child *child, char line[CHILD_LINE_BYTES])
{
    scratch_want(fgets(line, CHILD_LINE_BYTES, child->told) != NULL, "a child to say something");
}

void child_ask(struct child *child, const char *line)
{
    (void)fprintf(child->asked, "%s\n", line);
    scratch_want(fflush(child->asked) == 0, "a child to listen");
}

void child_finish(struct child *child, void (*take)(void *ctx, const char *line), void *ctx)
{
    char line[CHILD_LINE_BYTES];
    int status = 0;
    (void)fclose(child->asked);
    while (fgets(line, sizeof(line), child->told) != NULL) {
        take(ctx, line);
    }
    (void)fclose(child->told);
    scratch_want(waitpid(child->pid, &status, 0) == child->pid, "to wait for a child");
    scratch_want(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS, "a child to end well");
}

int child_signal_descriptor(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)signal(SIGPIPE, SIG_IGN);
    scratch_want(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "to block signals");
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    scratch_want(fd >= 0, "a descriptor for signals");
    return fd;
}

void child_tell_endpoint(int journal_fd)
{
    static const char key[] = "endpoint=";
    char lines[JOURNAL_BYTES];
    const ssize_t len = read(journal_fd, lines, sizeof(lines) - 1);
    lines[len > 0 ? len : 0] = '\0';
    char *at = strstr(lines, key);
    scratch_want(at != NULL, "to learn where a node listens");
    at += sizeof(key) - 1;
    at += *at == '"' ? 1 : 0;
    at[strcspn(at, "\" \n")] = '\0';
    (void)printf("endpoint %s\n", at);
    (void)fflush(stdout);
}
