/* tools/sink.h - a file that an export writes: nobody else may read it, and it appears whole or not
 * at all. */
#ifndef SPEAN_TOOLS_SINK_H
#define SPEAN_TOOLS_SINK_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "tools/problem.h"

#define SPEAN_SINK_PART ".part" /* Behind its name until it is whole. */

/* Writes into file; it may leave errors of file to be found by whoever called it. */
typedef enum spean_exit spean_sink_fill(void *ctx, FILE *file, struct spean_problem *problem);

/*
 * Make the file path, mode 0600, of what fill writes. Until all is on disk the file has another
 * name beside it. Exit 6: path is there already, or what an export that was broken off left beside
 * it; nothing is overwritten. 5, 4, 1: no such folder, not permitted, it could not be written.
 * After these, and after an error of fill, it is not there. _rehearse() refuses a path that is
 * there, has fill write, and makes nothing.
 */
SPEAN_CHECK enum spean_exit spean_sink_write(const char *path, spean_sink_fill *fill, void *ctx,
                                             struct spean_problem *problem);
SPEAN_CHECK enum spean_exit spean_sink_rehearse(const char *path, spean_sink_fill *fill, void *ctx,
                                                struct spean_problem *problem);

/*
 * Refuse because of number, an errno that making path gave. _part() the same for a name with
 * SPEAN_SINK_PART that is taken. Both return the exit code.
 */
enum spean_exit spean_sink_refuse(const char *path, int number, struct spean_problem *problem);
enum spean_exit spean_sink_refuse_part(const char *part, struct spean_problem *problem);

/* Say whether anything has this name, be it a link that leads nowhere. */
bool spean_sink_is_there(const char *path);

/* Write value as one line of JSON. Exit 1: memory ran out, or it could not be written. */
SPEAN_CHECK enum spean_exit spean_sink_line(FILE *file, const json_t *value,
                                            struct spean_problem *problem);

/*
 * Write value as the next member of an array of JSON, of which count were written before; the
 * first opens the array. Exit 1: as above. _members_end() closes it, also where there was none.
 */
SPEAN_CHECK enum spean_exit spean_sink_member(FILE *file, json_int_t count, const json_t *value,
                                              struct spean_problem *problem);
void spean_sink_members_end(FILE *file, json_int_t count);

#endif
