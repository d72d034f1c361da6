#include "protocol/aside.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name;
    const char *text;
} asides[] = {
#define SPEAN_ASIDE_ROW(code, name, text) [code] = {name, text},
    SPEAN_ASIDE_TABLE(SPEAN_ASIDE_ROW)
#undef SPEAN_ASIDE_ROW
};

const char *spean_aside_name(enum spean_aside aside)
{
    assert((size_t)aside < SPEAN_ASIDES_COUNT);
    return asides[aside].name;
}

const char *spean_aside_text(enum spean_aside aside)
{
    assert((size_t)aside < SPEAN_ASIDES_COUNT);
    return asides[aside].text;
}
