/*
 * tools/command.h - the one table of commands. Parsing, help and --json help all come from it.
 *
 * How to add a group of commands (say `agency`):
 *  1. Write tools/cmd_agency.c. It holds, as data, one array of struct spean_command that ends with
 *     {0}, and exports one group:
 *
 *         static const struct spean_command commands[] = {
 *             {
 *                 .path = "agency show",
 *                 .summary = N_("Show an agency"),
 *                 .text = N_("Prints every field of ..."),
 *                 .args = (const struct spean_arg[]){
 *                     {.name = "agency", .kind = SPEAN_KIND_ID, .help = N_("id, ...")}, {0}},
 *                 .inverse = SPEAN_INVERSE_READS,
 *                 .examples = (const char *const[]){"spean agency show 7f3a", NULL},
 *                 .run = agency_show,
 *             },
 *             {0},
 *         };
 *         const struct spean_group spean_group_agency = {
 *             .name = "agency", .summary = N_("Partner organisations, ..."), .commands = commands};
 *
 *  2. Declare spean_group_agency in tools/groups.h, list it in tools/groups.c and the source in
 *     tools/CMakeLists.txt (each list sorted, one per line).
 *  3. Write the handlers. A handler gets a struct spean_call (tools/call.h) and:
 *       - reads its flags and arguments with spean_call_value() and the like; the parser has
 *         already refused unknown, missing, repeated and malformed ones;
 *       - asks people with tools/prompt.h, through questions listed in .questions;
 *       - speaks to the daemon with spean_call_request(), which honours --dry-run;
 *       - prints with tools/out.h: results by spean_out_line(), _grid(), _json(); talk by
 *         spean_out_done() (what changed), spean_out_note() (who will see it), spean_out_next()
 *         (the next useful command). Under --json only _json() reaches stdout, so a handler calls
 *         both and needs no `if`. Data is made harmless there, not in handlers;
 *       - returns SPEAN_EXIT_DONE or SPEAN_EXIT_ATTENTION, or fills *problem and returns its exit
 *         code (`return spean_problem_set(problem, ...)`). It never prints its own errors.
 *     Personal data comes by SPEAN_KIND_PRIVATE flags (@file or - only) or by prompts, never as a
 *     plain value on the command line.
 *  4. tests/unit/tools/test_command.c checks every entry by itself; test the handler's own logic in
 *     test_cmd_agency.c: tests/unit/tools/clikit.h runs `spean` against a socket that plays the
 *     daemon. Give the command an example in tests/system/leaves.py: a test asks for it, and runs
 *     it with --json against real nodes. Manual page and completions follow by themselves.
 */
#ifndef SPEAN_TOOLS_COMMAND_H
#define SPEAN_TOOLS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/exit.h"
#include "tools/problem.h"

#define SPEAN_COMMAND_WORDS_MAX 3u  /* "log statement export" */
#define SPEAN_COMMAND_FLAGS_MAX 48u /* With the global ones. */
#define SPEAN_COMMAND_ARGS_MAX  4u

/* What a value must look like. The parser checks it and refuses with exit 2. */
enum spean_kind {
    SPEAN_KIND_NONE,    /* A flag that takes no value. */
    SPEAN_KIND_TEXT,    /* Anything that is not personal data; UTF-8. */
    SPEAN_KIND_PRIVATE, /* @FILE or - (standard input); the handler reads it with tools/input.h. */
    SPEAN_KIND_FILE,    /* A path. */
    SPEAN_KIND_NUMBER,  /* 0 to 2^53; Khmer and full-width digits become ASCII. */
    SPEAN_KIND_CHOICE,  /* One of the words in .choices. */
    SPEAN_KIND_ID,      /* An id, a unique prefix or a code; brought into one form (idtext.h). */
};

struct spean_flag {
    const char *name;    /* Without "--". NULL ends an array. */
    const char *value;   /* What stands for the value in help: "FILE". NULL for KIND_NONE. */
    const char *choices; /* "auto|always|never" for KIND_CHOICE, otherwise NULL. */
    const char *help;
    enum spean_kind kind;
    char letter; /* 0: no short form. */
    bool required;
    bool repeats; /* May be given up to SPEAN_PARSE_VALUES_MAX times. */
};

struct spean_arg {
    const char *name; /* "agency"; shown as AGENCY. NULL ends an array. */
    const char *choices;
    const char *help;
    enum spean_kind kind;
    bool optional; /* Only at the end. */
    bool repeats;  /* Only the last. */
};

/* A question that a command may ask. Its name is the key in an --answers file, and never changes.
 */
struct spean_question {
    const char *name; /* "person.name": a-z, 0-9, '.', '_' and '-'. NULL ends an array. */
    const char *flag; /* The KIND_PRIVATE flag of the command that gives it instead, or NULL. */
    const char *text; /* What the person is asked, without the colon. */
    bool secret;      /* Not shown while it is typed; ask with spean_prompt_ask() alone. */
    bool optional;    /* An empty answer is an answer. */
};

struct spean_call;

struct spean_command {
    const char *path;                       /* "agency add". NULL ends an array. */
    const char *summary;                    /* One line, no full stop. */
    const char *text;                       /* What it does, who will see it, what to know. */
    const struct spean_flag *flags;         /* Ends with {0}; may be NULL. */
    const struct spean_arg *args;           /* Ends with {0}; may be NULL. */
    const struct spean_question *questions; /* Ends with {0}; may be NULL. */
    const char *inverse;                    /* The verb that takes it back, or one of the below. */
    const char *const *examples;            /* Ends with NULL; at least one. */
    enum spean_exit (*run)(struct spean_call *call, struct spean_problem *problem);
};

#define SPEAN_INVERSE_READS "(changes nothing)"
#define SPEAN_INVERSE_NONE  "(cannot be taken back)"

struct spean_group {
    const char *name; /* First word of its commands' paths. */
    const char *summary;
    const struct spean_command *commands; /* Ends with {0}. */
};

/* Flags for commands of their kind; write them into a .flags list. */
#define SPEAN_FLAG_CONFIRM                                                                         \
    {                                                                                              \
        .name = "confirm", .kind = SPEAN_KIND_TEXT, .value = "NAME",                               \
        .help = N_("the organisation's name, to confirm without being asked")                      \
    }
#define SPEAN_FLAG_PASSPHRASE_FILE                                                                 \
    {                                                                                              \
        .name = "passphrase-file", .kind = SPEAN_KIND_FILE, .value = "FILE",                       \
        .help = N_("read the passphrase from FILE, which nobody else may read")                    \
    }
#define SPEAN_FLAG_PASSPHRASE_FD                                                                   \
    {                                                                                              \
        .name = "passphrase-fd", .kind = SPEAN_KIND_NUMBER, .value = "N",                          \
        .help = N_("read the passphrase from file descriptor N")                                   \
    }

/* The flags that every command takes. Ends with {0}. */
extern const struct spean_flag spean_global_flags[];

/* Every group, in the order of help; ends with NULL. */
extern const struct spean_group *const spean_groups[];

/*
 * Look up the command whose path is the longest match for the first words of argv[0..count), and
 * put into *words how many it took. NULL: no command begins like that.
 */
const struct spean_command *spean_command_find(char *const *argv, size_t count, size_t *words);

/* Look up a group by name. NULL: there is none. */
const struct spean_group *spean_group_find(const char *name);

/* Refuse words that name no command or group: "no command ...", with the nearest as the hint. */
enum spean_exit spean_command_unknown(char *const *argv, size_t count,
                                      struct spean_problem *problem);

#endif
