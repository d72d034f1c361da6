#include "tools/html.h"

#include <assert.h>

void spean_html_write(FILE *file, const char *text)
{
    assert(file != NULL);
    assert(text != NULL);

    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            (void)fputs("&amp;", file);
            break;
        case '<':
            (void)fputs("&lt;", file);
            break;
        case '>':
            (void)fputs("&gt;", file);
            break;
        case '"':
            (void)fputs("&quot;", file);
            break;
        case '\n':
            (void)fputs("<br>\n", file);
            break;
        default:
            (void)fputc(*text, file);
        }
    }
}
