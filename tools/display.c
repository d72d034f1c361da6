#include "tools/display.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#define REPLACEMENT       "\xef\xbf\xbd"
#define LINE_BREAK        "\xe2\x86\xb5"
#define REPLACEMENT_BYTES 3u  /* Of either. */
#define ESCAPE_BYTES      12u /* Two \uXXXX: a surrogate pair. */

/* Decode one code point of text; 1 byte and -1 where it is not UTF-8. len > 0. */
static size_t next(const char *text, size_t len, utf8proc_int32_t *codepoint)
{
    const utf8proc_ssize_t got =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, codepoint);
    if (got <= 0) {
        *codepoint = -1;
        return 1;
    }
    return (size_t)got;
}

static size_t codepoint_width(utf8proc_int32_t codepoint)
{
    if (codepoint < 0 || utf8proc_category(codepoint) == UTF8PROC_CATEGORY_MC) {
        return 1;
    }
    return (size_t)utf8proc_charwidth(codepoint);
}

static size_t width_of(const char *text, size_t len)
{
    size_t width = 0;
    bool wide = false; /* The cluster at hand began with a wide code point. */
    utf8proc_int32_t before = 0;
    utf8proc_int32_t state = 0;

    for (size_t at = 0; at < len;) {
        utf8proc_int32_t codepoint;
        at += next(text + at, len - at, &codepoint);
        const bool starts = before <= 0 || codepoint < 0 ||
                            utf8proc_grapheme_break_stateful(before, codepoint, &state);
        if (starts) {
            wide = codepoint_width(codepoint) == 2;
            width += codepoint_width(codepoint);
        } else if (!wide) {
            width += codepoint_width(codepoint);
        }
        before = codepoint;
    }
    return width;
}

size_t spean_display_width(const char *text)
{
    assert(text != NULL);
    return width_of(text, strlen(text));
}

size_t spean_display_fit(const char *text, size_t cells)
{
    assert(text != NULL);
    size_t fits = strcspn(text, " ");
    while (text[fits] != '\0') {
        const size_t longer = fits + 1 + strcspn(text + fits + 1, " ");
        if (width_of(text, longer) > cells) {
            break;
        }
        fits = longer;
    }
    return fits;
}

bool spean_display_unsafe(int32_t codepoint)
{
    static const struct {
        int32_t first;
        int32_t last;
    } ranges[] = {
        {0x0000, 0x001f},   /* C0: escape sequences begin here. */
        {0x007f, 0x009f},   /* Delete and C1: 0x9b is an escape sequence in one character. */
        {0x2028, 0x202e},   /* Line and paragraph separators, embeddings, overrides. */
        {0x2066, 0x2069},   /* Isolates. */
        {0xfff9, 0xfffb},   /* Interlinear annotation. */
        {0xe0000, 0xe007f}, /* Tags: text that nobody sees. */
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (codepoint >= ranges[i].first && codepoint <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

size_t spean_display_next(const char *text, size_t len, bool *harmless)
{
    assert(text != NULL);
    assert(len > 0);
    assert(harmless != NULL);
    utf8proc_int32_t codepoint;
    const size_t bytes = next(text, len, &codepoint);
    *harmless = codepoint >= 0 && !spean_display_unsafe(codepoint);
    return bytes;
}

/* What stands for the first character of text instead; NULL: it stands itself. */
static const char *stand_in(const char *text, bool harmless)
{
    if (text[0] == '\t') {
        return " ";
    }
    if (text[0] == '\n') {
        return LINE_BREAK;
    }
    if (text[0] == '\r' && text[1] == '\n') {
        return "";
    }
    return harmless ? NULL : REPLACEMENT;
}

char *spean_display_clean(const char *text)
{
    assert(text != NULL);
    const size_t len = strlen(text);
    if (len > (SIZE_MAX - 1) / REPLACEMENT_BYTES) {
        return NULL;
    }
    char *clean = malloc(len * REPLACEMENT_BYTES + 1);
    if (clean == NULL) {
        return NULL;
    }

    size_t used = 0;
    for (size_t at = 0; at < len;) {
        bool harmless;
        const size_t bytes = spean_display_next(text + at, len - at, &harmless);
        const char *const instead = stand_in(text + at, harmless);
        const size_t put = instead == NULL ? bytes : strlen(instead);
        memcpy(clean + used, instead == NULL ? text + at : instead, put);
        used += put;
        at += bytes;
    }
    clean[used] = '\0';
    return clean;
}

/* Write codepoint as JSON escapes into out, which has room for two. */
static size_t escape(char *out, utf8proc_int32_t codepoint)
{
    if (codepoint < 0x10000) {
        return (size_t)snprintf(out, ESCAPE_BYTES + 1, "\\u%04X", (unsigned)codepoint);
    }
    const unsigned rest = (unsigned)codepoint - 0x10000u;
    return (size_t)snprintf(out, ESCAPE_BYTES + 1, "\\u%04X\\u%04X", 0xd800u + (rest >> 10),
                            0xdc00u + (rest & 0x3ffu));
}

char *spean_display_escape_json(const char *json)
{
    assert(json != NULL);
    const size_t len = strlen(json);
    size_t unsafe = 0;
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t codepoint;
        at += next(json + at, len - at, &codepoint);
        unsafe += spean_display_unsafe(codepoint) && codepoint != '\n';
    }
    if (unsafe > (SIZE_MAX - len - 1) / ESCAPE_BYTES) {
        return NULL;
    }
    char *safe = malloc(len + unsafe * ESCAPE_BYTES + 1);
    if (safe == NULL) {
        return NULL;
    }

    size_t used = 0;
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t codepoint;
        const size_t bytes = next(json + at, len - at, &codepoint);
        if (spean_display_unsafe(codepoint) && codepoint != '\n') {
            used += escape(safe + used, codepoint);
        } else {
            memcpy(safe + used, json + at, bytes);
            used += bytes;
        }
        at += bytes;
    }
    safe[used] = '\0';
    return safe;
}
