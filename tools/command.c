#include "tools/command.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tools/i18n.h"
#include "tools/suggest.h"

#define PATH_BYTES_MAX 128u

const struct spean_flag spean_global_flags[] = {
    {.name = "json", .help = N_("print one JSON object (or JSON lines) on standard output")},
    {.name = "plain", .help = N_("no marks, no alignment: for screen readers and scripts")},
    {.name = "quiet", .letter = 'q', .help = N_("print results, warnings and errors only")},
    {.name = "dry-run", .letter = 'n', .help = N_("show what would be changed, change nothing")},
    {.name = "yes", .letter = 'y', .help = N_("answer harmless questions with yes")},
    {.name = "no-input", .help = N_("never ask; fail where an answer is missing")},
    {.name = "answers",
     .kind = SPEAN_KIND_FILE,
     .value = "FILE",
     .help = N_("take the answers to questions from FILE, lines \"name: answer\"")},
    {.name = "lang",
     .kind = SPEAN_KIND_CHOICE,
     .value = "LANG",
     .choices = "en|id|ja|km|vi",
     .help = N_("language of messages, where there is a translation, and of texts in records")},
    {.name = "color",
     .kind = SPEAN_KIND_CHOICE,
     .value = "WHEN",
     .choices = "auto|always|never",
     .help = N_("colour: auto, always or never; NO_COLOR is honoured")},
    {.name = "home",
     .kind = SPEAN_KIND_FILE,
     .value = "DIR",
     .help = N_("where the node lives; otherwise SPEAN_HOME or ~/.local/share/spean")},
    {.name = "socket",
     .kind = SPEAN_KIND_FILE,
     .value = "PATH",
     .help = N_("the daemon's socket; otherwise spean.sock in the home")},
    {.name = "help", .letter = 'h', .help = N_("show this help")},
    {0},
};

/* Count the words of path that argv begins with; 0 unless it is all of them. */
static size_t words_matched(const char *path, char *const *argv, size_t count)
{
    size_t words = 0;
    const char *at = path;
    while (*at != '\0') {
        const size_t len = strcspn(at, " ");
        if (words == count || strlen(argv[words]) != len || memcmp(argv[words], at, len) != 0) {
            return 0;
        }
        words++;
        at += len;
        at += *at == ' ';
    }
    return words;
}

const struct spean_command *spean_command_find(char *const *argv, size_t count, size_t *words)
{
    assert(words != NULL);
    const struct spean_command *found = NULL;
    size_t found_words = 0;
    for (size_t i = 0; spean_groups[i] != NULL; i++) {
        for (const struct spean_command *c = spean_groups[i]->commands; c->path != NULL; c++) {
            const size_t matched = words_matched(c->path, argv, count);
            if (matched > found_words) {
                found = c;
                found_words = matched;
            }
        }
    }
    *words = found_words;
    return found;
}

const struct spean_group *spean_group_find(const char *name)
{
    assert(name != NULL);
    for (size_t i = 0; spean_groups[i] != NULL; i++) {
        if (strcmp(spean_groups[i]->name, name) == 0) {
            return spean_groups[i];
        }
    }
    return NULL;
}

/* Offer every name and path to the first words typed; the more words agree, the better. */
static void offer_paths(struct spean_suggestion *best, char *const *argv, size_t count,
                        size_t words_min)
{
    const size_t words_max = count < SPEAN_COMMAND_WORDS_MAX ? count : SPEAN_COMMAND_WORDS_MAX;
    for (size_t words = words_max; words >= words_min; words--) {
        char typed[PATH_BYTES_MAX] = "";
        size_t used = 0;
        for (size_t i = 0; i < words; i++) {
            const int len =
                snprintf(typed + used, sizeof(typed) - used, "%s%s", i == 0 ? "" : " ", argv[i]);
            if (len < 0 || (size_t)len >= sizeof(typed) - used) {
                break; /* Longer than any command: the beginning is as far from all of them. */
            }
            used += (size_t)len;
        }
        for (size_t i = 0; spean_groups[i] != NULL; i++) {
            spean_suggest_offer(best, typed, spean_groups[i]->name);
            for (const struct spean_command *c = spean_groups[i]->commands; c->path != NULL; c++) {
                spean_suggest_offer(best, typed, c->path);
            }
        }
    }
}

enum spean_exit spean_command_unknown(char *const *argv, size_t count,
                                      struct spean_problem *problem)
{
    assert(count > 0);
    struct spean_suggestion best = {0};
    const bool in_group = count > 1 && spean_group_find(argv[0]) != NULL;
    offer_paths(&best, argv, count, in_group ? 2 : 1); /* The group itself would be nearest. */
    if (in_group) {
        (void)spean_problem_usage(problem, _("there is no command \"%s %s\""), argv[0], argv[1]);
    } else {
        (void)spean_problem_usage(problem, _("there is no command \"%s\""), argv[0]);
    }
    if (best.word != NULL) {
        spean_problem_hint(problem, _("did you mean \"spean %s\"?"), best.word);
    } else if (in_group) {
        spean_problem_hint(problem, _("see \"spean help %s\""), argv[0]);
    } else {
        spean_problem_hint(problem, "%s", _("see \"spean help\""));
    }
    return SPEAN_EXIT_USAGE;
}
