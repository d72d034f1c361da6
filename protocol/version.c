#include "protocol/version.h"

/* Made by CMake from the project's version: one string literal. */
static const char text[] =
#include "protocol/version_text.inc"
    ;

const char *spean_version(void)
{
    return text;
}
