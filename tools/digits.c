#include "tools/digits.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <utf8proc.h>

#define FOLDED_BYTES_MAX 256u

static bool is_space(utf8proc_int32_t codepoint)
{
    return utf8proc_category(codepoint) == UTF8PROC_CATEGORY_ZS ||
           (codepoint >= 0x200b && codepoint <= 0x200d) || codepoint == 0x2060 ||
           codepoint == 0xfeff || codepoint == '\t';
}

/* Give the ASCII character that codepoint stands for in a code; codepoint itself if none. */
static utf8proc_int32_t fold(utf8proc_int32_t codepoint)
{
    if (codepoint >= 0x17e0 && codepoint <= 0x17e9) {
        return codepoint - 0x17e0 + '0'; /* Khmer */
    }
    if (codepoint >= 0xff01 && codepoint <= 0xff5e) {
        return codepoint - 0xff01 + '!'; /* Full-width */
    }
    if (utf8proc_category(codepoint) == UTF8PROC_CATEGORY_PD || codepoint == 0x2212 ||
        codepoint == 0x30fc) { /* Minus; the long-vowel sign that kana keyboards give for '-'. */
        return '-';
    }
    return codepoint;
}

spean_err spean_digits_fold(const char *typed, char *out, size_t out_cap)
{
    assert(typed != NULL);
    assert(out != NULL);
    const size_t len = strlen(typed);
    char folded[FOLDED_BYTES_MAX];
    size_t used = 0;

    for (size_t at = 0; at < len;) {
        utf8proc_int32_t codepoint;
        const utf8proc_ssize_t bytes = utf8proc_iterate((const utf8proc_uint8_t *)typed + at,
                                                        (utf8proc_ssize_t)(len - at), &codepoint);
        if (bytes <= 0) {
            return SPEAN_EINPUT;
        }
        at += (size_t)bytes;
        if (is_space(codepoint)) {
            continue;
        }
        const utf8proc_int32_t ascii = fold(codepoint);
        if (ascii <= ' ' || ascii > '~') {
            return SPEAN_EINPUT;
        }
        if (used == sizeof(folded) - 1) {
            return SPEAN_ELIMIT;
        }
        folded[used++] = (char)ascii;
    }
    if (used == 0) {
        return SPEAN_EINPUT;
    }
    if (used >= out_cap) {
        return SPEAN_ELIMIT;
    }
    memcpy(out, folded, used);
    out[used] = '\0';
    return SPEAN_OK;
}
