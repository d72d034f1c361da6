#include "node/fold_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

spean_err spean_fold_text(const char *text, char **out)
{
    assert(text != NULL);
    assert(out != NULL);
    utf8proc_uint8_t *folded = NULL;
    const utf8proc_option_t options = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPAT |
                                      UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    const utf8proc_ssize_t len = utf8proc_map((const utf8proc_uint8_t *)text, 0, &folded, options);
    if (len < 0) {
        return len == UTF8PROC_ERROR_NOMEM ? SPEAN_ENOMEM : SPEAN_EINPUT;
    }
    *out = (char *)folded;
    return SPEAN_OK;
}

static bool within_string(const json_t *json, const char *folded)
{
    char *text = NULL;
    if (!json_is_string(json) || spean_fold_text(json_string_value(json), &text) != SPEAN_OK) {
        return false;
    }
    const bool found = strstr(text, folded) != NULL;
    free(text);
    return found;
}

static bool within_text(json_t *json, const char *folded)
{
    void *languages = json_object_iter(json);
    while (languages != NULL) {
        if (within_string(json_object_iter_value(languages), folded)) {
            return true;
        }
        languages = json_object_iter_next(json, languages);
    }
    return false;
}

bool spean_fold_text_within(json_t *json, const char *folded)
{
    assert(folded != NULL);
    if (json_is_object(json)) {
        return within_text(json, folded);
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (within_text(json_array_get(json, i), folded)) {
            return true;
        }
    }
    return false;
}
