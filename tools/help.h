/* tools/help.h - the table of commands as text for people and as JSON for programs. */
#ifndef SPEAN_TOOLS_HELP_H
#define SPEAN_TOOLS_HELP_H

#include "protocol/err.h"
#include "tools/command.h"
#include "tools/out.h"

#define SPEAN_HELP_COLUMNS 78u /* Paragraphs are wrapped here. */

/* The exit codes and what they mean; text NULL ends it. */
struct spean_help_exit {
    int number;
    const char *text;
};
extern const struct spean_help_exit spean_help_exits[];

/* Print all groups and what every command takes; one group; one command with everything about it.
 * Under --json: the same as one object. Failures are remembered by out; SPEAN_ENOMEM otherwise. */
SPEAN_CHECK spean_err spean_help_overview(struct spean_out *out);
SPEAN_CHECK spean_err spean_help_group(struct spean_out *out, const struct spean_group *group);
SPEAN_CHECK spean_err spean_help_command(struct spean_out *out,
                                         const struct spean_command *command);

#endif
