/*
 * tools/edit.h - edits and other JSON objects that a person hands to a command (docs/API.md).
 *
 * What is personal comes this way and never on the command line. The daemon judges the fields; here
 * only the form is checked, so that a mistake is told with its line.
 */
#ifndef SPEAN_TOOLS_EDIT_H
#define SPEAN_TOOLS_EDIT_H

#include <stddef.h>

#include <jansson.h>

#include "tools/problem.h"

#define SPEAN_EDIT_FILE_BYTES_MAX ((size_t)1 << 20) /* What the daemon takes for one request. */
#define SPEAN_EDIT_KEY_BYTES      129u              /* A scheme, the longest of keys, with a NUL. */

/*
 * Read JSON, an array or an object, from path, "-" for standard input, at most bytes_max bytes,
 * into *out; the caller frees it. Exit 2: it is no JSON, names a key twice, or is too long; the
 * message has the line and the column. Otherwise as spean_input_bytes(). _read() takes one object
 * of at most SPEAN_EDIT_FILE_BYTES_MAX.
 */
SPEAN_CHECK enum spean_exit spean_edit_json(const char *path, size_t bytes_max, json_t **out,
                                            struct spean_problem *problem);
SPEAN_CHECK enum spean_exit spean_edit_read(const char *path, json_t **out,
                                            struct spean_problem *problem);

/*
 * Refuse an edit with a part that is none: exit 2 for what is not set, add, remove, append, strike
 * or fixed, or is no object.
 */
SPEAN_CHECK enum spean_exit spean_edit_check(json_t *edit, struct spean_problem *problem);

/* Put value, which is taken also after an error, under part and field of an edit: ("set", "email",
 * ...). NULL stands for memory that ran out before. SPEAN_ENOMEM. */
SPEAN_CHECK spean_err spean_edit_set(json_t *edit, const char *part, const char *field,
                                     json_t *value);

/*
 * Append value, taken likewise, to the array under part and field: ("add", "languages", ...).
 * SPEAN_EINPUT: a file gave something else there. _array_add() the same under key of any object.
 */
SPEAN_CHECK spean_err spean_edit_append(json_t *edit, const char *part, const char *field,
                                        json_t *value);
SPEAN_CHECK spean_err spean_edit_array_add(json_t *object, const char *key, json_t *value);

/* What a flag such as --name km=... says. */
struct spean_edit_pair {
    char key[SPEAN_EDIT_KEY_BYTES];
    const char *value; /* Of the text it was read from. */
};

/* Read the text of --flag at its first sign of equality. Exit 2: it is not of that form, with the
 * hint. */
SPEAN_CHECK enum spean_exit spean_edit_pair(const char *flag, const char *text, const char *hint,
                                            struct spean_edit_pair *out,
                                            struct spean_problem *problem);

#endif
