/* tools/following.h - what goes on: JSON lines of the daemon as they come, for people or programs.
 */
#ifndef SPEAN_TOOLS_FOLLOWING_H
#define SPEAN_TOOLS_FOLLOWING_H

#include <stdint.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/out.h"
#include "tools/problem.h"

/* The flag by which a command that goes on comes to an end. */
#define SPEAN_FLAG_COUNT                                                                           \
    {                                                                                              \
        .name = "count", .kind = SPEAN_KIND_NUMBER, .value = "N",                                  \
        .help = N_("end after N of them; otherwise Ctrl-C ends it")                                \
    }

/* How to follow, and where from. */
struct spean_following {
    const char *path;   /* With its query. */
    const char *place;  /* The member of a line that says where to go on: "cursor", "seq". */
    const json_t *from; /* The place to begin behind, where one was named; otherwise NULL. */
    uint64_t count;     /* How many lines; 0: without end. */
    void (*print)(struct spean_out *out, const json_t *line); /* For a person. */
};

/*
 * Print each line, at once, under --json as it is; at the end, also after Ctrl-C, there a last line
 * {"summary": {"lines": n, "last": place or null}} (without lines the one that was begun behind),
 * which an error, if there is one, follows as one more line, with the place to go on from as its
 * hint. SPEAN_EXIT_DONE: there were as many as asked for. Exit 130: interrupted. 7: the daemon
 * ended it. Others as spean_call_lines().
 */
SPEAN_CHECK enum spean_exit spean_following_run(struct spean_call *call,
                                                const struct spean_following *what,
                                                struct spean_problem *problem);

/* Print the summary of a command that printed count lines, for --json. last may be NULL. */
void spean_following_summary(struct spean_out *out, uint64_t count, json_t *last);

#endif
