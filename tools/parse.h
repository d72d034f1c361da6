/* tools/parse.h - the command line, checked against the table. */
#ifndef SPEAN_TOOLS_PARSE_H
#define SPEAN_TOOLS_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/command.h"
#include "tools/problem.h"

#define SPEAN_PARSE_WORDS_MAX       256u   /* Words on the command line. */
#define SPEAN_PARSE_VALUES_MAX      128u   /* Flags and arguments given. */
#define SPEAN_PARSE_VALUE_BYTES_MAX 65536u /* Bytes of one value. */

enum spean_color { SPEAN_COLOR_AUTO, SPEAN_COLOR_ALWAYS, SPEAN_COLOR_NEVER };

struct spean_globals {
    bool json;
    bool plain;
    bool quiet;
    bool dry_run;
    bool yes;
    bool no_input;
    bool help;
    enum spean_color color;
    const char
        *answers; /* These four: NULL when not given; they live as long as argv and values. */
    const char *lang;
    const char *home;
    const char *socket;
};

/* One flag or argument that was given. */
struct spean_value {
    const char *name; /* From the table. */
    char *text;       /* Ours; "" for a flag without a value. */
};

struct spean_parsed {
    struct spean_globals globals;
    const struct spean_command *command; /* NULL: only help was asked for. */
    const struct spean_group *group;     /* Set when only a group was named. */
    struct spean_value values[SPEAN_PARSE_VALUES_MAX];
    size_t values_count;
};

/*
 * Read argv[0..argc); argv may be reordered. With --help, nothing else is required. Flags may stand
 * before the verb (global ones) or after it, in any order; abbreviations are refused, because a new
 * flag would change what they mean; "--" ends flags. Without a verb: command is NULL and, after
 * "spean agency", group is set; the caller shows help and exits 2.
 * Anything else that is wrong is exit 2 with the word in question and a suggestion. --json,
 * --plain,
 * --quiet, --lang and --color are set then wherever they stand, behind the word in question too, so
 * that the error can be printed as asked.
 * The caller frees with spean_parsed_fini(), after an error too. Not for several threads: getopt.
 */
SPEAN_CHECK enum spean_exit spean_parse(int argc, char **argv, struct spean_parsed *parsed,
                                        struct spean_problem *problem);
void spean_parsed_fini(struct spean_parsed *parsed);

#endif
