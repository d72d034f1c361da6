/*
 * tools/manual.h - the table of commands as manual pages, in the man(7) macros that groff and
 * mandoc read. All bytes are ASCII; other characters are written by their number.
 */
#ifndef SPEAN_TOOLS_MANUAL_H
#define SPEAN_TOOLS_MANUAL_H

#include "protocol/err.h"
#include "tools/command.h"

/*
 * Write spean(1), which lists every command and explains flags, exit codes, environment and files;
 * the page of a group, spean-agency(1); the page of one command, spean-agency-add(1). The caller
 * frees *out. SPEAN_ENOMEM: *out is unchanged.
 */
SPEAN_CHECK spean_err spean_manual_overview(char **out);
SPEAN_CHECK spean_err spean_manual_group(const struct spean_group *group, char **out);
SPEAN_CHECK spean_err spean_manual_command(const struct spean_command *command, char **out);

#endif
