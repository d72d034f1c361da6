#include "tools/parse.h"

#include <assert.h>
#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "tools/digits.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/suggest.h"

#define LONG_BASE        256 /* getopt_long() values of long options start above every char. */
#define NUMBER_MAX       (UINT64_C(1) << 53) /* What JSON numbers carry without loss. */
#define NUMBER_BYTES_MAX 20u

/* The flags in force and what getopt_long() needs to know about them. */
struct flag_set {
    const struct spean_flag *flags[SPEAN_COMMAND_FLAGS_MAX];
    struct option options[SPEAN_COMMAND_FLAGS_MAX + 1];
    char letters[2 * SPEAN_COMMAND_FLAGS_MAX + 3];
    size_t count;
};

static void flag_set_add(struct flag_set *set, const struct spean_flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        assert(set->count < SPEAN_COMMAND_FLAGS_MAX);
        const bool takes_value = flags->kind != SPEAN_KIND_NONE;
        set->flags[set->count] = flags;
        set->options[set->count] = (struct option){
            .name = flags->name,
            .has_arg = takes_value ? required_argument : no_argument,
            .val = LONG_BASE + (int)set->count,
        };
        set->count++;
        if (flags->letter != '\0') {
            const size_t len = strlen(set->letters);
            set->letters[len] = flags->letter;
            set->letters[len + 1] = takes_value ? ':' : '\0';
            set->letters[len + 2] = '\0';
        }
    }
}

/* Sort what getopt_long() returned back into the table. NULL: a letter that no flag has. */
static const struct spean_flag *flag_of(const struct flag_set *set, int got)
{
    if (got >= LONG_BASE && (size_t)(got - LONG_BASE) < set->count) {
        return set->flags[got - LONG_BASE];
    }
    for (size_t i = 0; i < set->count; i++) {
        if (set->flags[i]->letter != '\0' && set->flags[i]->letter == got) {
            return set->flags[i];
        }
    }
    return NULL;
}

static enum spean_exit refuse_unknown_flag(const struct flag_set *set, const char *word,
                                           struct spean_problem *problem)
{
    char name[SPEAN_SUGGEST_BYTES_MAX + 1];
    const char *const bare = word + strspn(word, "-");
    const int len = (int)strcspn(bare, "=");
    struct spean_suggestion best = {0};
    if (snprintf(name, sizeof(name), "%.*s", len, bare) < (int)sizeof(name)) {
        for (size_t i = 0; i < set->count; i++) {
            spean_suggest_offer(&best, name, set->flags[i]->name);
        }
    }
    /* The value after '=' is left out: it may be what should not be on a screen. */
    (void)spean_problem_usage(problem, _("there is no flag \"%.*s\" here"), (int)strcspn(word, "="),
                              word);
    if (best.word != NULL) {
        spean_problem_hint(problem, _("did you mean --%s?"), best.word);
    }
    return SPEAN_EXIT_USAGE;
}

static bool in_choices(const char *choices, const char *text)
{
    const size_t len = strlen(text);
    for (const char *at = choices; *at != '\0';) {
        const size_t choice_len = strcspn(at, "|");
        if (choice_len == len && memcmp(at, text, len) == 0) {
            return true;
        }
        at += choice_len;
        at += *at == '|';
    }
    return false;
}

static enum spean_exit check_number(char **text, const char *shown, struct spean_problem *problem)
{
    char folded[NUMBER_BYTES_MAX];
    const spean_err err = spean_digits_fold(*text, folded, sizeof(folded));
    bool good = err == SPEAN_OK;
    for (size_t i = 0; good && folded[i] != '\0'; i++) {
        good = isdigit((unsigned char)folded[i]) != 0;
    }
    if (!good || strtoumax(folded, NULL, 10) > NUMBER_MAX) {
        return spean_problem_usage(problem, _("%s must be a whole number, not \"%s\""), shown,
                                   *text);
    }
    char *const copy = strdup(folded);
    if (copy == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, shown);
    }
    free(*text);
    *text = copy;
    return SPEAN_EXIT_DONE;
}

static enum spean_exit check_id(char **text, const char *shown, struct spean_problem *problem)
{
    struct spean_idtext id;
    const spean_err err = spean_idtext_parse(*text, &id);
    if (err == SPEAN_ESIGNATURE) {
        (void)spean_problem_usage(problem, _("%s: one character of \"%s\" is mistyped"), shown,
                                  *text);
        spean_problem_hint(problem, "%s", _("its check character does not fit the rest"));
        return SPEAN_EXIT_USAGE;
    }
    if (err != SPEAN_OK) {
        (void)spean_problem_usage(problem, _("%s: \"%s\" is neither an id nor a code"), shown,
                                  *text);
        spean_problem_hint(problem, "%s",
                           _("a code such as KH-2611-0317-B, an id, or at least 4 digits of one; "
                             "lists show them"));
        return SPEAN_EXIT_USAGE;
    }
    char *const copy = strdup(id.text);
    if (copy == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, shown);
    }
    free(*text);
    *text = copy;
    return SPEAN_EXIT_DONE;
}

static enum spean_exit check_private(const char *text, const char *shown,
                                     struct spean_problem *problem)
{
    if (strcmp(text, "-") == 0 || (text[0] == '@' && text[1] != '\0')) {
        return SPEAN_EXIT_DONE;
    }
    /* The value is not repeated: it is probably somebody's name. */
    (void)spean_problem_usage(problem, _("%s takes @FILE or - (standard input), not the text"),
                              shown);
    spean_problem_hint(problem, "%s", _("other users see command lines, and shells remember them"));
    return SPEAN_EXIT_USAGE;
}

/* Check *text, and bring numbers and ids into one form. shown: "--flag" or "ARGUMENT". */
static enum spean_exit check_value(enum spean_kind kind, const char *choices, char **text,
                                   const char *shown, struct spean_problem *problem)
{
    const size_t len = strlen(*text);
    if (len > SPEAN_PARSE_VALUE_BYTES_MAX) {
        (void)spean_problem_usage(problem, _("%s is too long"), shown);
        spean_problem_hint(problem, _("at most %u bytes"), SPEAN_PARSE_VALUE_BYTES_MAX);
        return SPEAN_EXIT_USAGE;
    }
    switch (kind) {
    case SPEAN_KIND_NONE:
        return SPEAN_EXIT_DONE;
    case SPEAN_KIND_PRIVATE:
        return check_private(*text, shown, problem);
    case SPEAN_KIND_NUMBER:
        return check_number(text, shown, problem);
    case SPEAN_KIND_ID:
        return check_id(text, shown, problem);
    case SPEAN_KIND_CHOICE:
        if (in_choices(choices, *text)) {
            return SPEAN_EXIT_DONE;
        }
        (void)spean_problem_usage(problem, _("%s cannot be \"%s\""), shown, *text);
        spean_problem_hint(problem, _("one of: %s"), choices);
        return SPEAN_EXIT_USAGE;
    case SPEAN_KIND_TEXT:
    case SPEAN_KIND_FILE:
        break;
    }
    if (len == 0) {
        return spean_problem_usage(problem, _("%s is empty"), shown);
    }
    return SPEAN_EXIT_DONE;
}

/* Keep one flag or argument. NULL: it is one too many, or memory ran out; problem says so. */
static struct spean_value *value_add(struct spean_parsed *parsed, const char *name,
                                     const char *text, struct spean_problem *problem)
{
    if (parsed->values_count == SPEAN_PARSE_VALUES_MAX) {
        (void)spean_problem_usage(problem, _("more than %u flags and arguments"),
                                  SPEAN_PARSE_VALUES_MAX);
        return NULL;
    }
    char *const copy = strdup(text);
    if (copy == NULL) {
        (void)spean_problem_err(problem, SPEAN_ENOMEM, name);
        return NULL;
    }
    struct spean_value *const value = &parsed->values[parsed->values_count++];
    value->name = name;
    value->text = copy;
    return value;
}

static bool value_given(const struct spean_parsed *parsed, const char *name)
{
    for (size_t i = 0; i < parsed->values_count; i++) {
        if (strcmp(parsed->values[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Put a global flag where it belongs. */
static void global_set(struct spean_globals *globals, const char *name, const char *text)
{
    const struct {
        const char *name;
        bool *flag;
        const char **text;
    } rows[] = {
        {"json", &globals->json, NULL},     {"plain", &globals->plain, NULL},
        {"quiet", &globals->quiet, NULL},   {"dry-run", &globals->dry_run, NULL},
        {"yes", &globals->yes, NULL},       {"no-input", &globals->no_input, NULL},
        {"help", &globals->help, NULL},     {"answers", NULL, &globals->answers},
        {"lang", NULL, &globals->lang},     {"home", NULL, &globals->home},
        {"socket", NULL, &globals->socket},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) != 0) {
            continue;
        }
        if (rows[i].flag != NULL) {
            *rows[i].flag = true;
        } else {
            *rows[i].text = text;
        }
        return;
    }
    assert(strcmp(name, "color") == 0); /* Every global flag has its place. */
    globals->color = strcmp(text, "always") == 0  ? SPEAN_COLOR_ALWAYS
                     : strcmp(text, "never") == 0 ? SPEAN_COLOR_NEVER
                                                  : SPEAN_COLOR_AUTO;
}

static bool is_global(const struct spean_flag *flag)
{
    for (const struct spean_flag *g = spean_global_flags; g->name != NULL; g++) {
        if (g == flag) {
            return true;
        }
    }
    return false;
}

static enum spean_exit flag_take(struct spean_parsed *parsed, const struct spean_flag *flag,
                                 const char *text, struct spean_problem *problem)
{
    char shown[SPEAN_SUGGEST_BYTES_MAX];
    (void)snprintf(shown, sizeof(shown), "--%s", flag->name);
    if (!flag->repeats && value_given(parsed, flag->name)) {
        return spean_problem_usage(problem, _("%s is given twice"), shown);
    }
    struct spean_value *const value =
        value_add(parsed, flag->name, text == NULL ? "" : text, problem);
    if (value == NULL) {
        return problem->exit;
    }
    const enum spean_exit exit =
        check_value(flag->kind, flag->choices, &value->text, shown, problem);
    if (exit == SPEAN_EXIT_DONE && is_global(flag)) {
        global_set(&parsed->globals, flag->name, value->text);
    }
    return exit;
}

/* Say whether word spells flag out. getopt_long() would take a unique beginning, too. */
static bool spelled_out(const char *word, const struct spean_flag *flag)
{
    if (strncmp(word, "--", 2) != 0) {
        return true; /* A letter. */
    }
    const size_t len = strcspn(word + 2, "=");
    return strlen(flag->name) == len && memcmp(word + 2, flag->name, len) == 0;
}

/* Read flags from argv until there is none, or with "+" in letters until the first other word. */
static enum spean_exit flags_read(struct spean_parsed *parsed, const struct flag_set *set, int argc,
                                  char **argv, struct spean_problem *problem)
{
    opterr = 0;
    optind = 0; /* glibc: start afresh. */
    for (;;) {
        const int got = getopt_long(argc, argv, set->letters, set->options, NULL);
        if (got == -1) {
            return SPEAN_EXIT_DONE;
        }
        /* The word at hand; an argument of its own stands behind it. */
        const bool apart = got >= LONG_BASE && optarg != NULL && optarg == argv[optind - 1];
        const char *const word = argv[apart ? optind - 2 : optind - 1];
        const struct spean_flag *const flag = flag_of(set, got);
        if (got == ':') {
            const struct spean_flag *const bare = flag_of(set, optopt);
            return spean_problem_usage(problem, _("--%s needs a value"), bare->name);
        }
        if (got == '?' && optopt >= LONG_BASE) {
            return spean_problem_usage(problem, _("--%s takes no value"),
                                       set->flags[optopt - LONG_BASE]->name);
        }
        if (got == '?' && optopt != 0) {
            const char letter[] = {'-', (char)optopt, '\0'};
            return refuse_unknown_flag(set, letter, problem);
        }
        if (got == '?' || flag == NULL || (got >= LONG_BASE && !spelled_out(word, flag))) {
            return refuse_unknown_flag(set, word, problem);
        }
        const enum spean_exit exit = flag_take(parsed, flag, optarg, problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
    }
}

static void upper_name(const char *name, char *out, size_t out_cap)
{
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < out_cap; i++) {
        out[i] = (char)toupper((unsigned char)name[i]);
    }
    out[i] = '\0';
}

static enum spean_exit args_read(struct spean_parsed *parsed, int count, char **words,
                                 struct spean_problem *problem)
{
    static const struct spean_arg none[] = {{0}};
    const struct spean_arg *arg = parsed->command->args == NULL ? none : parsed->command->args;
    char shown[SPEAN_SUGGEST_BYTES_MAX];
    bool had_one = false; /* A repeating argument is satisfied by one. */

    for (int i = 0; i < count; i++) {
        if (arg->name == NULL) {
            (void)spean_problem_usage(problem, "%s", _("there is an argument too many"));
            spean_problem_hint(problem, _("see \"spean help %s\""), parsed->command->path);
            return SPEAN_EXIT_USAGE;
        }
        upper_name(arg->name, shown, sizeof(shown));
        struct spean_value *const value = value_add(parsed, arg->name, words[i], problem);
        if (value == NULL) {
            return problem->exit;
        }
        const enum spean_exit exit =
            check_value(arg->kind, arg->choices, &value->text, shown, problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
        had_one = arg->repeats;
        arg += arg->repeats ? 0 : 1;
    }
    if (arg->name == NULL || arg->optional || had_one) {
        return SPEAN_EXIT_DONE;
    }
    upper_name(arg->name, shown, sizeof(shown));
    (void)spean_problem_usage(problem, _("%s is missing"), shown);
    spean_problem_hint(problem, _("see \"spean help %s\""), parsed->command->path);
    return SPEAN_EXIT_USAGE;
}

static enum spean_exit required_check(const struct spean_parsed *parsed,
                                      struct spean_problem *problem)
{
    const struct spean_flag *flag = parsed->command->flags;
    for (; flag != NULL && flag->name != NULL; flag++) {
        if (flag->required && !value_given(parsed, flag->name)) {
            (void)spean_problem_usage(problem, _("--%s is missing"), flag->name);
            spean_problem_hint(problem, _("see \"spean help %s\""), parsed->command->path);
            return SPEAN_EXIT_USAGE;
        }
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit words_check(int argc, char **argv, struct spean_problem *problem)
{
    if (argc < 1 || argc > (int)SPEAN_PARSE_WORDS_MAX) {
        return spean_problem_usage(problem, _("more than %u words"), SPEAN_PARSE_WORDS_MAX);
    }
    for (int i = 0; i < argc; i++) {
        const char *at = argv[i];
        for (utf8proc_int32_t codepoint; *at != '\0';) {
            const utf8proc_ssize_t got =
                utf8proc_iterate((const utf8proc_uint8_t *)at, -1, &codepoint);
            if (got <= 0) {
                return spean_problem_usage(problem, _("word %d is not UTF-8"), i);
            }
            at += got;
        }
    }
    return SPEAN_EXIT_DONE;
}

/* Read what follows the verb, which took argv up to (not including) argv[start]. */
static enum spean_exit rest_read(struct spean_parsed *parsed, int argc, char **argv, int start,
                                 struct spean_problem *problem)
{
    struct flag_set set = {.letters = ":"};
    flag_set_add(&set, spean_global_flags);
    flag_set_add(&set, parsed->command == NULL ? NULL : parsed->command->flags);

    /* getopt_long() skips the first word as the program's name: let it be the verb's last. */
    char **const rest = argv + start - 1;
    const int rest_count = argc - start + 1;
    enum spean_exit exit = flags_read(parsed, &set, rest_count, rest, problem);
    if (exit != SPEAN_EXIT_DONE || parsed->globals.help) {
        return exit;
    }
    if (parsed->command == NULL) {
        char *const pair[] = {rest[0], optind < rest_count ? rest[optind] : NULL};
        return pair[1] == NULL ? SPEAN_EXIT_DONE : spean_command_unknown(pair, 2, problem);
    }
    exit = args_read(parsed, rest_count - optind, rest + optind, problem);
    return exit == SPEAN_EXIT_DONE ? required_check(parsed, problem) : exit;
}

/* Take one global flag for printing an error, if its value (after "=", or next) is a good one. */
static void flag_guess(struct spean_globals *globals, const struct spean_flag *flag,
                       const char *word, const char *next)
{
    const size_t len = strlen(flag->name);
    const char *const end = word + 2 + len;
    if (strncmp(word + 2, flag->name, len) != 0 || (*end != '\0' && *end != '=')) {
        return;
    }
    const char *const value = *end == '=' ? end + 1 : next;
    if (flag->kind == SPEAN_KIND_NONE && *end == '\0') {
        global_set(globals, flag->name, "");
    } else if (flag->kind == SPEAN_KIND_CHOICE && value != NULL &&
               in_choices(flag->choices, value)) {
        global_set(globals, flag->name, value);
    }
}

/* After an error: take the global flags that stand behind the word in question, so that the error
 * is printed as it was asked for, wherever --json stands. Only words that look like one count. */
static void globals_guess(struct spean_globals *globals, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            continue;
        }
        for (const struct spean_flag *flag = spean_global_flags; flag->name != NULL; flag++) {
            flag_guess(globals, flag, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        }
    }
}

static enum spean_exit line_read(struct spean_parsed *parsed, int argc, char **argv,
                                 struct spean_problem *problem)
{
    struct flag_set set = {.letters = "+:"};
    flag_set_add(&set, spean_global_flags);
    enum spean_exit exit = words_check(argc, argv, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = flags_read(parsed, &set, argc, argv, problem);
    }
    if (exit != SPEAN_EXIT_DONE || optind == argc) {
        return exit;
    }

    const int verb = optind;
    size_t words = 0;
    parsed->command = spean_command_find(argv + verb, (size_t)(argc - verb), &words);
    if (parsed->command == NULL) {
        parsed->group = spean_group_find(argv[verb]);
        words = 1;
        const bool bare = verb + 1 == argc || argv[verb + 1][0] == '-';
        if (parsed->group == NULL || !bare) {
            return spean_command_unknown(argv + verb, (size_t)(argc - verb), problem);
        }
    }
    return rest_read(parsed, argc, argv, verb + (int)words, problem);
}

enum spean_exit spean_parse(int argc, char **argv, struct spean_parsed *parsed,
                            struct spean_problem *problem)
{
    assert(argv != NULL);
    assert(parsed != NULL);
    *parsed = (struct spean_parsed){0};
    const enum spean_exit exit = line_read(parsed, argc, argv, problem);
    if (exit != SPEAN_EXIT_DONE) {
        globals_guess(&parsed->globals, argc, argv);
    }
    return exit;
}

void spean_parsed_fini(struct spean_parsed *parsed)
{
    if (parsed == NULL) {
        return;
    }
    for (size_t i = 0; i < parsed->values_count; i++) {
        free(parsed->values[i].text);
    }
    parsed->values_count = 0;
}
