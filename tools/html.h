/* tools/html.h - words of people within HTML. */
#ifndef SPEAN_TOOLS_HTML_H
#define SPEAN_TOOLS_HTML_H

#include <stdio.h>

/* Write text with what HTML would read as its own written out, and line breaks as such. The caller
 * asks ferror(). */
void spean_html_write(FILE *file, const char *text);

#endif
