/* tools/vformat.h - printf into memory of the right size. */
#ifndef SPEAN_TOOLS_VFORMAT_H
#define SPEAN_TOOLS_VFORMAT_H

#include <stdarg.h>

/* Format into a new string, which the caller frees. NULL: no memory, or a broken locale. */
char *spean_vformat(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
char *spean_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
