/* tools/script.h - the script in which a name is written. */
#ifndef SPEAN_TOOLS_SCRIPT_H
#define SPEAN_TOOLS_SCRIPT_H

/* Guess it by the first letter that tells one: a code of the list script, "latn" if none does. */
const char *spean_script_of(const char *name);

#endif
