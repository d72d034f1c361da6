/* tools/i18n.h - every text that a person reads goes through gettext. */
#ifndef SPEAN_TOOLS_I18N_H
#define SPEAN_TOOLS_I18N_H

#include <libintl.h>

/*
 * _() translates where the text is used; N_() only marks a text in static data, which is then
 * passed through _() by whoever prints it. Format strings keep their conversions in order.
 */
#define _(text)  gettext(text)
#define N_(text) text

/* The form of a text that goes with count, which is not negative: "1 row", "2 rows". */
#define COUNTED_(count, one, many) ngettext(one, many, (unsigned long)(count))

/* Marks the two forms of a text in static data, which are then passed through COUNTED_(). */
#define N_COUNTED_(one, many) one, many

#define SPEAN_TEXT_DOMAIN "spean"

#endif
