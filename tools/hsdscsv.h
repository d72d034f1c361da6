/*
 * tools/hsdscsv.h - HSDS as a folder of CSV files, one for each kind of object: organizations.csv,
 * services.csv, phones.csv, ... Rows belong together by their ids.
 */
#ifndef SPEAN_TOOLS_HSDSCSV_H
#define SPEAN_TOOLS_HSDSCSV_H

#include <stdbool.h>

#include <jansson.h>

#include "tools/problem.h"

#define SPEAN_HSDSCSV_ROWS_MAX 500000u /* Of all files together. */

/* Say whether path is a folder, and so HSDS in this form. */
bool spean_hsdscsv_is(const char *path);

/*
 * Read the folder into *organizations, an array as HSDS 3 JSON nests it, each with its place under
 * SPEAN_HSDS_PLACE; and append to errors, {"place", "error"}, each row that is left out: it belongs
 * to nothing, has cells without a heading, or the id of a row before it. Exit 2: a file is no CSV,
 * has two columns of one name, or is too large; 5: there is no organizations.csv. Files that tell
 * nothing of agencies are not looked at.
 */
SPEAN_CHECK enum spean_exit spean_hsdscsv_read(const char *path, json_t *errors,
                                               json_t **organizations,
                                               struct spean_problem *problem);

struct spean_hsdscsv; /* Opaque: a folder that is being written. */

/* Begin the folder, mode 0700, under another name beside it, with a head in each file. Refuses as
 * spean_sink_write() does. */
SPEAN_CHECK enum spean_exit spean_hsdscsv_open(const char *path, struct spean_hsdscsv **out,
                                               struct spean_problem *problem);

/* Add an organization of tools/hsdsout.h. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_hsdscsv_add(struct spean_hsdscsv *csv, const json_t *organization);

/* Give the folder its name, once all is on disk, and free csv. Exit 1: not all could be written; 6:
 * path is there by now. After either it is gone again. */
SPEAN_CHECK enum spean_exit spean_hsdscsv_close(struct spean_hsdscsv *csv,
                                                struct spean_problem *problem);

/* Take everything back and free csv. NULL is allowed. */
void spean_hsdscsv_drop(struct spean_hsdscsv *csv);

#endif
