/* tools/html.h - words of people within HTML. */
#ifndef SPEAN_TOOLS_HTML_H
#define SPEAN_TOOLS_HTML_H

#include <stdio.h>

/*
 * Write text with what HTML would read as its own written out, and line breaks as such. What could
 * command a terminal or turn lines round (tools/display.h) is shown as U+FFFD. The caller asks
 * ferror().
 */
void spean_html_write(FILE *file, const char *text);

#endif
