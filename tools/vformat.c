#include "tools/vformat.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

char *spean_vformat(const char *format, va_list args)
{
    assert(format != NULL);
    va_list again;
    va_copy(again, args);
    const int len = vsnprintf(NULL, 0, format, args);
    char *const text = len < 0 ? NULL : malloc((size_t)len + 1);
    if (text != NULL) {
        (void)vsnprintf(text, (size_t)len + 1, format, again); /* Measured above. */
    }
    va_end(again);
    return text;
}

char *spean_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *const text = spean_vformat(format, args);
    va_end(args);
    return text;
}
