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

#define SPEAN_TEXT_DOMAIN "spean"

#endif
