#include "tools/htcds_words.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define OWN_PREFIX "htcds:"
#define STANDARD   "HTCDS"
#define OTHER      "Other" /* In both lists; ours say in which. */

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
                                           "OtherControl",
                                           NULL};
const char *const spean_htcds_exploitation[] = {
    "ForcedLabour",   "SexualExploitation", "ChildLabour",
    "ForcedMarriage", "Servitude",          "ForcedMilitaryByNonStateActors",
    "OrganRemoval",   "ForcedBegging",      "ForcedAdoption",
    "Surrogacy",      "OtherExploitation",  NULL};

/* Labels that are more than their code with spaces. */
static const struct {
    const char *label;
    const char *word;
} labels[] = {{"Threats of law enforcement", "ThreatsLawEnforcement"},
              {"Not Specified/Unknown", "NonSpecifiedUnknown"}};

/* The word behind a label, else text as it is. */
static const char *label_word(const char *text)
{
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (spean_codewords_same(text, labels[i].label)) {
            return labels[i].word;
        }
    }
    return text;
}

const char *spean_htcds_word_find(const char *const *list, const char *text)
{
    assert(list != NULL);
    const char *const word = label_word(text);
    const bool is_other = spean_codewords_same(text, OTHER);
    for (; *list != NULL; list++) {
        if (spean_codewords_same(*list, word) ||
            (is_other && strncmp(*list, OTHER, strlen(OTHER)) == 0)) {
            return *list;
        }
    }
    return NULL;
}

const char *spean_htcds_word_show(const char *word)
{
    assert(word != NULL);
    return strncmp(word, OTHER, strlen(OTHER)) == 0 ? OTHER : word;
}

bool spean_htcds_code_read(const struct spean_codewords *words, const char *list, const char *text,
                           char out[SPEAN_CODE_BYTES_MAX + 1])
{
    return spean_codewords_find(words, list, label_word(text), out) ||
           spean_codewords_take(words, list, text, out);
}

void spean_htcds_code_show(const struct spean_codewords *words, const char *list, const char *code,
                           char out[SPEAN_CODEWORDS_TERM_BYTES])
{
    if (!spean_codewords_term(words, list, code, STANDARD, out)) {
        (void)snprintf(out, SPEAN_CODEWORDS_TERM_BYTES, "%s", code); /* A code fits. */
    }
}

/* Write "physical_threats" as "PhysicalThreats". */
static void camel_write(const char *snake, char out[SPEAN_CODEWORDS_TERM_BYTES])
{
    size_t used = 0;
    bool upper = true;
    for (; *snake != '\0' && used < SPEAN_CODEWORDS_TERM_BYTES - 1; snake++) {
        if (*snake == '_') {
            upper = true;
            continue;
        }
        out[used++] = (char)(upper ? toupper((unsigned char)*snake) : *snake);
        upper = false;
    }
    out[used] = '\0';
}

bool spean_htcds_issue_show(const struct spean_codewords *words, const char *code,
                            char out[SPEAN_CODEWORDS_TERM_BYTES])
{
    if (strncmp(code, OWN_PREFIX, strlen(OWN_PREFIX)) == 0) {
        camel_write(code + strlen(OWN_PREFIX), out);
    } else if (!spean_codewords_term(words, "issue", code, STANDARD, out)) {
        return false;
    }
    return spean_htcds_word_find(spean_htcds_methods, out) != NULL ||
           spean_htcds_word_find(spean_htcds_exploitation, out) != NULL;
}

void spean_htcds_issue_read(const struct spean_codewords *words, const char *word,
                            char out[SPEAN_CODE_BYTES_MAX + 1])
{
    if (spean_codewords_mapped(words, "issue", word, STANDARD, out)) {
        return;
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
