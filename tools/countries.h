/* tools/countries.h - countries by the English names that forms and other systems write. */
#ifndef SPEAN_TOOLS_COUNTRIES_H
#define SPEAN_TOOLS_COUNTRIES_H

#include <stdbool.h>

/* Say whether text has the form of a code of ISO 3166: two capital letters. */
bool spean_countries_is_code(const char *text);

/* Give the code of the country that text is the code or a name of, text itself or constant; NULL:
 * none. Case and marks of ASCII make no difference in names. */
const char *spean_countries_find(const char *text);

#endif
