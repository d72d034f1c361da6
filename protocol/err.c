#include "protocol/err.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name;
    const char *text;
} errs[] = {
#define SPEAN_ERR_ROW(code, name, text) [code] = {name, text},
    SPEAN_ERR_TABLE(SPEAN_ERR_ROW)
#undef SPEAN_ERR_ROW
};

const char *spean_err_name(spean_err err)
{
    assert((size_t)err < SPEAN_ERRS_COUNT);
    return errs[err].name;
}

const char *spean_err_text(spean_err err)
{
    assert((size_t)err < SPEAN_ERRS_COUNT);
    return errs[err].text;
}
