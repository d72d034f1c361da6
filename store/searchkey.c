#include "store/searchkey.h"

#include <assert.h>
#include <limits.h>
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "store/searchfold.h"

#define SMALL_D_STROKE 0x0111
#define MIDDLE_DOT     0x30fb /* Between the parts of a foreign name in kana. */

struct range {
    utf8proc_int32_t first;
    utf8proc_int32_t last;
};

/* Latin letters by block, as far as NFKC leaves them; what is none of them there has no marks. */
static const struct range latin[] = {
    {'a', 'z'},       {0x00c0, 0x00d6}, {0x00d8, 0x00f6}, {0x00f8, 0x02af}, {0x1d00, 0x1d25},
    {0x1d79, 0x1d9a}, {0x1e00, 0x1eff}, {0x2c60, 0x2c7f}, {0xa722, 0xa7ff}, {0xab30, 0xab64},
};

/* Scripts that are written without spaces: Thai, Lao, Myanmar, Khmer, kana and Chinese characters.
 */
static const struct range spaceless[] = {
    {0x0e00, 0x0eff}, {0x1000, 0x109f}, {0x1780, 0x17ff}, {0x19e0, 0x19ff},   {0x3005, 0x3007},
    {0x3040, 0x30ff}, {0x31f0, 0x31ff}, {0x3400, 0x9fff}, {0x20000, 0x3ffff},
};

static bool is_in(const struct range *ranges, size_t count, utf8proc_int32_t codepoint)
{
    for (size_t i = 0; i < count; i++) {
        if (codepoint >= ranges[i].first && codepoint <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static bool is_latin(utf8proc_int32_t codepoint)
{
    return is_in(latin, sizeof(latin) / sizeof(latin[0]), codepoint);
}

static bool is_spaceless(utf8proc_int32_t codepoint)
{
    return is_in(spaceless, sizeof(spaceless) / sizeof(spaceless[0]), codepoint);
}

static bool is_mark(utf8proc_int32_t codepoint)
{
    const utf8proc_category_t category = utf8proc_category(codepoint);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

static bool is_space(utf8proc_int32_t codepoint)
{
    const utf8proc_category_t category = utf8proc_category(codepoint);
    return codepoint == MIDDLE_DOT || (codepoint >= '\t' && codepoint <= '\r') ||
           category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

/* Take away in place what a key does not have, and return how many code points are left. */
static size_t reduce(utf8proc_int32_t *points, size_t count, bool join)
{
    size_t kept = 0;
    bool space = false;    /* One is due. */
    bool on_latin = false; /* Marks here are those of a Latin letter. */
    for (size_t i = 0; i < count; i++) {
        const utf8proc_int32_t point = points[i];
        if (is_space(point)) {
            space = kept > 0;
            on_latin = false;
            continue;
        }
        if (on_latin && is_mark(point)) {
            continue;
        }
        on_latin = is_latin(point);
        if (space && !(join && is_spaceless(points[kept - 1]) && is_spaceless(point))) {
            points[kept++] = ' '; /* In the place of one that was read. */
        }
        space = false;
        points[kept++] = point == SMALL_D_STROKE ? 'd' : point;
    }
    return kept;
}

static spean_err err_of(utf8proc_ssize_t got)
{
    return got == UTF8PROC_ERROR_NOMEM ? SPEAN_ENOMEM : SPEAN_EINPUT;
}

/* Make a key; join: without spaces in scripts that have none; fold: spellings that look alike are
 * one. */
static spean_err make(struct spean_view text, bool join, bool fold, char **out)
{
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                      UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    if (text.len > INT_MAX) {
        return SPEAN_EINPUT;
    }
    const utf8proc_ssize_t len = (utf8proc_ssize_t)text.len;
    const utf8proc_ssize_t count = utf8proc_decompose(text.data, len, NULL, 0, options);
    if (count < 0) {
        return err_of(count);
    }
    const size_t cap = (size_t)count + 1; /* Writing it back needs a byte more than there are. */
    utf8proc_int32_t *const points = calloc(cap, sizeof(*points));
    if (points == NULL) {
        return SPEAN_ENOMEM;
    }
    utf8proc_ssize_t got = utf8proc_decompose(text.data, len, points, count, options);
    if (got >= 0) {
        size_t kept = reduce(points, (size_t)got, join);
        kept = fold ? spean_searchfold(points, kept) : kept;
        got = utf8proc_reencode(points, (utf8proc_ssize_t)kept, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    }
    char *key = NULL;
    if (got >= 0) {
        key = malloc((size_t)got + 1);
    }
    if (key != NULL) {
        memcpy(key, points, (size_t)got);
        key[got] = '\0';
    }
    sodium_memzero(points, cap * sizeof(*points));
    free(points);
    if (key == NULL) {
        return got < 0 ? err_of(got) : SPEAN_ENOMEM;
    }
    *out = key;
    return SPEAN_OK;
}

spean_err spean_searchkey_new(struct spean_view text, char **out)
{
    assert(out != NULL);
    return make(text, true, true, out);
}

void spean_searchkey_free(char *key)
{
    if (key != NULL) {
        sodium_memzero(key, strlen(key));
        free(key);
    }
}

/* Words of a key, which are views of it. */
struct words {
    size_t count;
    struct spean_view at[SPEAN_SEARCHKEY_WORDS_MAX];
};

static void words_split(const char *key, struct words *words)
{
    words->count = 0;
    while (*key != '\0') {
        const bool last = words->count == SPEAN_SEARCHKEY_WORDS_MAX - 1;
        const size_t len = last ? strlen(key) : strcspn(key, " ");
        words->at[words->count++] = (struct spean_view){(const uint8_t *)key, len};
        key += len;
        key += *key == ' ' ? 1 : 0;
    }
}

static int words_compare(const void *a, const void *b)
{
    const struct spean_view *const left = a;
    const struct spean_view *const right = b;
    const size_t len = left->len < right->len ? left->len : right->len;
    const int order = memcmp(left->data, right->data, len);
    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

spean_err spean_searchkey_name(struct spean_view text, char **out)
{
    assert(out != NULL);
    char *key = NULL;
    /* Not folded: stores have lookups by these keys. */
    const spean_err err = make(text, true, false, &key);
    if (err != SPEAN_OK) {
        return err;
    }
    char *const sorted = malloc(strlen(key) + 1);
    if (sorted == NULL) {
        spean_searchkey_free(key);
        return SPEAN_ENOMEM;
    }
    struct words words;
    words_split(key, &words);
    qsort(words.at, words.count, sizeof(words.at[0]), words_compare);
    size_t len = 0;
    for (size_t i = 0; i < words.count; i++) {
        if (i > 0) {
            sorted[len++] = ' ';
        }
        memcpy(sorted + len, words.at[i].data, words.at[i].len);
        len += words.at[i].len;
    }
    sorted[len] = '\0';
    spean_searchkey_free(key);
    *out = sorted;
    return SPEAN_OK;
}

spean_err spean_searchkey_query(struct spean_view text, char **out)
{
    assert(out != NULL);
    return make(text, false, true, out);
}

bool spean_searchkey_match(const char *key, const char *query)
{
    assert(key != NULL);
    assert(query != NULL);
    struct words words;
    const size_t key_len = strlen(key);
    words_split(query, &words);
    for (size_t i = 0; i < words.count; i++) {
        /* memmem() is not POSIX; keys are short. */
        bool found = false;
        for (size_t at = 0; !found && key_len - at >= words.at[i].len; at++) {
            found = memcmp(key + at, words.at[i].data, words.at[i].len) == 0;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}
