#include "protocol/codes.h"

#include <assert.h>
#include <string.h>

static const struct spean_code codes[] = {
#include "protocol/codes_table.inc"
};

#define CODES_COUNT (sizeof(codes) / sizeof(codes[0]))

const struct spean_code *spean_codes_all(size_t *count)
{
    assert(count != NULL);
    *count = CODES_COUNT;
    return codes;
}

const struct spean_code *spean_codes_list(const char *list, size_t *count)
{
    assert(list != NULL);
    assert(count != NULL);

    size_t first = 0;
    while (first < CODES_COUNT && strcmp(codes[first].list, list) != 0) {
        first++;
    }
    size_t end = first;
    while (end < CODES_COUNT && strcmp(codes[end].list, list) == 0) {
        end++;
    }
    *count = end - first;
    return first == CODES_COUNT ? NULL : &codes[first];
}

static bool is_code(const struct spean_code *row, struct spean_view code)
{
    return strlen(row->code) == code.len && memcmp(row->code, code.data, code.len) == 0;
}

const struct spean_code *spean_codes_find(const char *list, struct spean_view code)
{
    size_t count = 0;
    const struct spean_code *rows = spean_codes_list(list, &count);
    if (code.len == 0) {
        return NULL; /* Its data may be NULL. */
    }
    for (size_t i = 0; i < count; i++) {
        if (is_code(&rows[i], code)) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool is_code_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
           byte == '.' || byte == ':' || byte == '-';
}

bool spean_codes_valid(struct spean_view code)
{
    if (code.len == 0 || code.len > SPEAN_CODE_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < code.len; i++) {
        if (!is_code_byte(code.data[i])) {
            return false;
        }
    }
    return true;
}
