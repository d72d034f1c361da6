#include "tools/html.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "tools/display.h"

static void byte_write(FILE *file, char c)
{
    switch (c) {
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
        (void)fputs("<br>", file);
        break;
    default:
        (void)fputc(c, file);
    }
}

void spean_html_write(FILE *file, const char *text)
{
    assert(file != NULL);
    assert(text != NULL);

    for (size_t len = strlen(text); len > 0;) {
        bool harmless;
        const size_t bytes = spean_display_next(text, len, &harmless);
        if (bytes > 1 && harmless) {
            (void)fwrite(text, 1, bytes, file);
        } else if (harmless || text[0] == '\n') {
            byte_write(file, text[0]);
        } else if (text[0] == '\t') {
            byte_write(file, ' ');
        } else if (!(text[0] == '\r' && text[1] == '\n')) {
            (void)fputs("&#xfffd;", file);
        }
        text += bytes;
        len -= bytes;
    }
}
