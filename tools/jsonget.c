#include "tools/jsonget.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/idtext.h"
#include "tools/timetext.h"

const char *spean_jsonget_text(const json_t *object, const char *key)
{
    const char *const text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

int64_t spean_jsonget_number(const json_t *object, const char *key)
{
    const json_t *const value = json_object_get(object, key);
    if (json_is_integer(value)) {
        return json_integer_value(value);
    }
    const char *const text = json_string_value(value);
    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    char *end;
    errno = 0;
    const intmax_t number = strtoimax(text, &end, 10);
    const bool whole = *end == '\0' && errno == 0 && number >= INT64_MIN && number <= INT64_MAX;
    return whole ? (int64_t)number : 0;
}

bool spean_jsonget_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

void spean_jsonget_who(const json_t *object, const char *org_key, const char *name_key,
                       char out[SPEAN_WHO_BYTES_MAX])
{
    assert(out != NULL);
    const char *const name = spean_jsonget_text(object, name_key);
    char id[SPEAN_IDTEXT_SHORT_BYTES];
    spean_idtext_short(spean_jsonget_text(object, org_key), id);
    const int len = name[0] == '\0' ? snprintf(out, SPEAN_WHO_BYTES_MAX, "%s", id)
                                    : snprintf(out, SPEAN_WHO_BYTES_MAX, "%s (%s)", name, id);
    if (len < 0 || (unsigned)len >= SPEAN_WHO_BYTES_MAX) {
        (void)snprintf(out, SPEAN_WHO_BYTES_MAX, "%s", id); /* An absurd name; the id fits. */
    }
}

void spean_jsonget_when(const json_t *object, const char *key, char out[SPEAN_WHEN_BYTES_MAX])
{
    assert(out != NULL);
    int64_t seconds;
    char local[SPEAN_TIMETEXT_BYTES_MAX] = "-";
    if (spean_timetext_parse(spean_jsonget_text(object, key), &seconds) == SPEAN_OK) {
        spean_timetext_local(seconds, local);
    }
    (void)snprintf(out, SPEAN_WHEN_BYTES_MAX, "%s", local); /* Always fits. */
}
