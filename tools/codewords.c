#include "tools/codewords.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tools/jsonget.h"

#define NBSP           "\xc2\xa0" /* Labels in official files end with it. */
#define PUBLISHED      "published"
#define UNKNOWN_BYTES  (2u * SPEAN_CODE_BYTES_MAX + 2u)
#define STANDARD_HTCDS "HTCDS"

spean_err spean_codewords_init(struct spean_codewords *words)
{
    assert(words != NULL);
    *words = (struct spean_codewords){.added = json_object(), .unknown = json_object()};
    if (words->added == NULL || words->unknown == NULL) {
        spean_codewords_fini(words);
        return SPEAN_ENOMEM;
    }
    return SPEAN_OK;
}

spean_err spean_codewords_add(struct spean_codewords *words, json_t *row)
{
    assert(words != NULL);
    const char *const list = spean_jsonget_text(row, "list");
    json_t *rows = json_object_get(words->added, list);
    if (spean_jsonget_text(row, "id")[0] == '\0') {
        return SPEAN_OK;
    }
    if (rows == NULL) {
        rows = json_array();
        if (json_object_set_new(words->added, list, rows) != 0) {
            return SPEAN_ENOMEM;
        }
    }
    return json_array_append(rows, row) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}

void spean_codewords_fini(struct spean_codewords *words)
{
    assert(words != NULL);
    json_decref(words->added);
    json_decref(words->unknown);
    *words = (struct spean_codewords){.added = NULL};
}

/* -- Comparing ------------------------------------------------------------------------------- */

/* Step over what does not count in a word. */
static const char *marks_skip(const char *text)
{
    for (;;) {
        if (strncmp(text, NBSP, 2) == 0) {
            text += 2;
        } else if (*text > 0 && isalnum((unsigned char)*text) == 0) {
            text++;
        } else {
            return text;
        }
    }
}

bool spean_codewords_same(const char *a, const char *b)
{
    assert(a != NULL);
    assert(b != NULL);
    for (;;) {
        a = marks_skip(a);
        b = marks_skip(b);
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
        a++;
        b++;
    }
}

/* -- The program's table --------------------------------------------------------------------- */

/* Write the next term that a row has of a standard: "HTCDS Feminine", "HTCDS
 * MethodsOfControl=Debt". One that holds only under a condition, in brackets, is none. *at is where
 * to go on; NULL: at the beginning. */
static bool term_next(const struct spean_code *row, const char *standard, const char **at,
                      char out[SPEAN_CODEWORDS_TERM_BYTES])
{
    const size_t standard_len = strlen(standard);
    *at = *at == NULL ? row->maps_to : *at;
    while (**at != '\0') {
        const char *const term = *at + strspn(*at, " ;");
        const size_t len = strcspn(term, ";");
        *at = term + len;
        if (len <= standard_len || strncmp(term, standard, standard_len) != 0 ||
            term[standard_len] != ' ') {
            continue;
        }
        const char *word = term + standard_len + 1;
        const char *const equals = memchr(word, '=', (size_t)(term + len - word));
        word = equals == NULL ? word : equals + 1;
        const size_t word_len = (size_t)(term + len - word);
        if (word_len > 0 && word_len < SPEAN_CODEWORDS_TERM_BYTES &&
            memchr(word, '(', word_len) == NULL) {
            memcpy(out, word, word_len);
            out[word_len] = '\0';
            return true;
        }
    }
    return false;
}

static bool row_has_term(const struct spean_code *row, const char *standard, const char *text)
{
    char term[SPEAN_CODEWORDS_TERM_BYTES];
    const char *at = NULL;
    while (term_next(row, standard, &at, term)) {
        if (spean_codewords_same(term, text)) {
            return true;
        }
    }
    return false;
}

static bool row_means(const struct spean_code *row, const char *text)
{
    static const char *const standards[] = {STANDARD_HTCDS, "Primero", "OSCaR"};
    for (size_t i = 0; i < sizeof(standards) / sizeof(standards[0]); i++) {
        if (row_has_term(row, standards[i], text)) {
            return true;
        }
    }
    return spean_codewords_same(row->label_en, text) ||
           (row->label_ja[0] != '\0' && strcmp(row->label_ja, text) == 0);
}

/* The code of the program's table; NULL: it has none. */
static const char *table_find(const char *list, const char *text)
{
    size_t count = 0;
    const struct spean_code *const rows = spean_codes_list(list, &count);
    assert(rows != NULL || count == 0);
    const struct spean_code *row =
        spean_codes_find(list, (struct spean_view){(const uint8_t *)text, strlen(text)});
    for (size_t i = 0; row == NULL && i < count; i++) {
        row = row_means(&rows[i], text) ? &rows[i] : NULL;
    }
    return row == NULL ? NULL : row->code;
}

/* -- Records --------------------------------------------------------------------------------- */

static bool added_has_term(const json_t *row, const char *standard, const char *text)
{
    const json_t *const mappings = json_object_get(row, "mappings");
    for (size_t i = 0; i < json_array_size(mappings); i++) {
        const json_t *const mapping = json_array_get(mappings, i);
        if ((standard == NULL ||
             spean_codewords_same(spean_jsonget_text(mapping, "scheme"), standard)) &&
            spean_codewords_same(spean_jsonget_text(mapping, "value"), text)) {
            return true;
        }
    }
    return false;
}

static bool added_means(const json_t *row, const char *text)
{
    const char *lang;
    json_t *label;
    json_object_foreach(json_object_get(row, "labels"), lang, label)
    {
        if (json_is_string(label) && spean_codewords_same(json_string_value(label), text)) {
            return true;
        }
    }
    return strcmp(spean_jsonget_text(row, "code"), text) == 0 || added_has_term(row, NULL, text);
}

/* The code that a record of list gives a text, of those that are published or of the others; NULL:
 * none does. */
static const char *added_find(const struct spean_codewords *words, const char *list,
                              const char *text, bool published)
{
    const json_t *const rows = words == NULL ? NULL : json_object_get(words->added, list);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *const row = json_array_get(rows, i);
        const bool is_published = strcmp(spean_jsonget_text(row, "standing"), PUBLISHED) == 0;
        if (is_published == published && added_means(row, text)) {
            const char *const mapped = spean_jsonget_text(row, "mapped_to");
            return mapped[0] != '\0' ? mapped : spean_jsonget_text(row, "code");
        }
    }
    return NULL;
}

/* -- Both ------------------------------------------------------------------------------------ */

static bool code_write(const char *code, char out[SPEAN_CODE_BYTES_MAX + 1])
{
    if (code == NULL || strlen(code) > SPEAN_CODE_BYTES_MAX) {
        return false;
    }
    memcpy(out, code, strlen(code) + 1);
    return true;
}

bool spean_codewords_find(const struct spean_codewords *words, const char *list, const char *text,
                          char out[SPEAN_CODE_BYTES_MAX + 1])
{
    assert(list != NULL);
    assert(text != NULL);
    if (marks_skip(text)[0] == '\0') {
        return false; /* Nothing is in it that tells words apart. */
    }
    return code_write(added_find(words, list, text, true), out) ||
           code_write(table_find(list, text), out) ||
           code_write(added_find(words, list, text, false), out);
}

bool spean_codewords_take(const struct spean_codewords *words, const char *list, const char *text,
                          char out[SPEAN_CODE_BYTES_MAX + 1])
{
    if (spean_codewords_find(words, list, text, out)) {
        return true;
    }
    if (!spean_codes_valid((struct spean_view){(const uint8_t *)text, strlen(text)})) {
        return false;
    }
    if (words != NULL && words->unknown != NULL) {
        char name[UNKNOWN_BYTES];
        (void)snprintf(name, sizeof(name), "%s %s", list, text); /* Fits: two codes. */
        const json_int_t before = json_integer_value(json_object_get(words->unknown, name));
        (void)json_object_set_new(words->unknown, name,
                                  json_integer(before + 1)); /* It is a count for people. */
    }
    return code_write(text, out);
}

bool spean_codewords_term(const struct spean_codewords *words, const char *list, const char *code,
                          const char *standard, char out[SPEAN_CODEWORDS_TERM_BYTES])
{
    assert(code != NULL);
    const json_t *const rows = words == NULL ? NULL : json_object_get(words->added, list);
    const struct spean_code *const row =
        spean_codes_find(list, (struct spean_view){(const uint8_t *)code, strlen(code)});
    const char *at = NULL;
    if (row != NULL && term_next(row, standard, &at, out)) {
        return true;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *const added = json_array_get(rows, i);
        const json_t *const mappings = json_object_get(added, "mappings");
        for (size_t k = 0;
             strcmp(spean_jsonget_text(added, "code"), code) == 0 && k < json_array_size(mappings);
             k++) {
            const json_t *const mapping = json_array_get(mappings, k);
            const char *const term = spean_jsonget_text(mapping, "value");
            if (spean_codewords_same(spean_jsonget_text(mapping, "scheme"), standard) &&
                term[0] != '\0' && strlen(term) < SPEAN_CODEWORDS_TERM_BYTES) {
                memcpy(out, term, strlen(term) + 1);
                return true;
            }
        }
    }
    return false;
}

bool spean_codewords_mapped(const struct spean_codewords *words, const char *list, const char *term,
                            const char *standard, char out[SPEAN_CODE_BYTES_MAX + 1])
{
    size_t count = 0;
    const struct spean_code *const rows = spean_codes_list(list, &count);
    assert(rows != NULL || count == 0);
    for (size_t i = count; i > 0; i--) {
        if (row_has_term(&rows[i - 1], standard, term)) {
            return code_write(rows[i - 1].code, out);
        }
    }
    const json_t *const added = words == NULL ? NULL : json_object_get(words->added, list);
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *const row = json_array_get(added, i);
        if (added_has_term(row, standard, term)) {
            return code_write(spean_jsonget_text(row, "code"), out);
        }
    }
    return false;
}
