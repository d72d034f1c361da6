#include "tools/htcds_words.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define OWN_PREFIX "htcds:"
#define NBSP       "\xc2\xa0" /* Labels in official files end with it. */

const char *const spean_htcds_methods[] = {"PhysicalThreats",
                                           "ThreatsLawEnforcement",
                                           "ThreatensChildrenFamily",
                                           "DebtBondage",
                                           "FalsePromises",
                                           "PhysicalAbuse",
                                           "SexualAbuse",
                                           "TakesEarnings",
                                           "RestrictsFinancialAccess",
                                           "RestrictsMedicalCare",
                                           "WithholdsNecessities",
                                           "PsychologicalAbuse",
                                           "PsychoactiveSubstance",
                                           "ExcessiveWorkingHours",
                                           "WithholdsDocuments",
                                           NULL};
const char *const spean_htcds_exploitation[] = {"ForcedLabour",
                                                "SexualExploitation",
                                                "ChildLabour",
                                                "ForcedMarriage",
                                                "Servitude",
                                                "ForcedMilitaryByNonStateActors",
                                                "OrganRemoval",
                                                "ForcedBegging",
                                                "ForcedAdoption",
                                                "Surrogacy",
                                                NULL};

/* Labels that are more than their code with spaces. */
static const struct {
    const char *label;
    const char *word;
} labels[] = {{"Threats of law enforcement", "ThreatsLawEnforcement"},
              {"Not Specified/Unknown", "NonSpecifiedUnknown"}};

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

bool spean_htcds_same(const char *a, const char *b)
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

/* The word behind a label, else text as it is. */
static const char *label_word(const char *text)
{
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (spean_htcds_same(text, labels[i].label)) {
            return labels[i].word;
        }
    }
    return text;
}

const char *spean_htcds_word_find(const char *const *list, const char *text)
{
    assert(list != NULL);
    const char *const word = label_word(text);
    for (; *list != NULL; list++) {
        if (spean_htcds_same(*list, word)) {
            return *list;
        }
    }
    return NULL;
}

/* Write the word that scheme has for a row: "HTCDS Feminine", "HTCDS MethodsOfControl=Debt...".
 * One that holds only under a condition, in brackets, is none. */
static bool mapped_word(const struct spean_code *row, const char *scheme,
                        char out[SPEAN_HTCDS_WORD_BYTES])
{
    const size_t scheme_len = strlen(scheme);
    for (const char *at = row->maps_to; *at != '\0';) {
        at += strspn(at, " ;");
        const size_t len = strcspn(at, ";");
        if (len > scheme_len && strncmp(at, scheme, scheme_len) == 0 && at[scheme_len] == ' ') {
            const char *word = at + scheme_len + 1;
            const char *const equals = memchr(word, '=', (size_t)(at + len - word));
            word = equals == NULL ? word : equals + 1;
            const size_t word_len = (size_t)(at + len - word);
            if (word_len == 0 || word_len >= SPEAN_HTCDS_WORD_BYTES ||
                memchr(word, '(', word_len) != NULL) {
                return false;
            }
            memcpy(out, word, word_len);
            out[word_len] = '\0';
            return true;
        }
        at += len;
    }
    return false;
}

static bool row_means(const struct spean_code *row, const char *text)
{
    static const char *const schemes[] = {"HTCDS", "Primero"};
    char word[SPEAN_HTCDS_WORD_BYTES];
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (mapped_word(row, schemes[i], word) && spean_htcds_same(word, label_word(text))) {
            return true;
        }
    }
    return spean_htcds_same(row->label_en, text);
}

bool spean_htcds_code_read(const char *list, const char *text, char out[SPEAN_CODE_BYTES_MAX + 1])
{
    const struct spean_view view = {(const uint8_t *)text, strlen(text)};
    const struct spean_code *row = spean_codes_find(list, view);
    size_t count = 0;
    const struct spean_code *const rows = spean_codes_list(list, &count);
    assert(rows != NULL || count == 0);
    for (size_t i = 0; row == NULL && i < count; i++) {
        row = row_means(&rows[i], text) ? &rows[i] : NULL;
    }
    const char *const code = row != NULL ? row->code : text;
    if (row == NULL && !spean_codes_valid(view)) {
        return false;
    }
    (void)snprintf(out, SPEAN_CODE_BYTES_MAX + 1, "%s", code); /* A code fits. */
    return true;
}

void spean_htcds_code_show(const char *list, const char *code, char out[SPEAN_HTCDS_WORD_BYTES])
{
    const struct spean_code *const row =
        spean_codes_find(list, (struct spean_view){(const uint8_t *)code, strlen(code)});
    if (row == NULL || !mapped_word(row, "HTCDS", out)) {
        (void)snprintf(out, SPEAN_HTCDS_WORD_BYTES, "%s", code); /* A code fits. */
    }
}

/* Write "physical_threats" as "PhysicalThreats". */
static void camel_write(const char *snake, char out[SPEAN_HTCDS_WORD_BYTES])
{
    size_t used = 0;
    bool upper = true;
    for (; *snake != '\0' && used < SPEAN_HTCDS_WORD_BYTES - 1; snake++) {
        if (*snake == '_') {
            upper = true;
            continue;
        }
        out[used++] = (char)(upper ? toupper((unsigned char)*snake) : *snake);
        upper = false;
    }
    out[used] = '\0';
}

bool spean_htcds_issue_show(const char *code, char out[SPEAN_HTCDS_WORD_BYTES])
{
    if (strncmp(code, OWN_PREFIX, strlen(OWN_PREFIX)) == 0) {
        camel_write(code + strlen(OWN_PREFIX), out);
    } else {
        const struct spean_code *const row =
            spean_codes_find("issue", (struct spean_view){(const uint8_t *)code, strlen(code)});
        if (row == NULL || !mapped_word(row, "HTCDS", out)) {
            return false;
        }
    }
    return spean_htcds_word_find(spean_htcds_methods, out) != NULL ||
           spean_htcds_word_find(spean_htcds_exploitation, out) != NULL;
}

void spean_htcds_issue_read(const char *word, char out[SPEAN_CODE_BYTES_MAX + 1])
{
    size_t count = 0;
    const struct spean_code *const rows = spean_codes_list("issue", &count);
    char mapped[SPEAN_HTCDS_WORD_BYTES];
    for (size_t i = count; i > 0; i--) {
        if (mapped_word(&rows[i - 1], "HTCDS", mapped) && strcmp(mapped, word) == 0) {
            (void)snprintf(out, SPEAN_CODE_BYTES_MAX + 1, "%s", rows[i - 1].code); /* Fits. */
            return;
        }
    }
    size_t used = (size_t)snprintf(out, SPEAN_CODE_BYTES_MAX + 1, OWN_PREFIX);
    for (const char *c = word; *c != '\0' && used + 2 < SPEAN_CODE_BYTES_MAX; c++) {
        if (isupper((unsigned char)*c) && c != word) {
            out[used++] = '_';
        }
        out[used++] = (char)tolower((unsigned char)*c);
    }
    out[used] = '\0';
}
