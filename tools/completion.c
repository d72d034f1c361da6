#include "tools/completion.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/i18n.h"

/*
 * bash and zsh share three functions that are made from the table and the function that finds out
 * where on the line we are; what follows differs. What a value may be is words to choose from, or
 * :file, :private (@FILE or -), :none for what nobody can guess; nothing at all: a flag without.
 */
#define SHARED_WHERE                                                                               \
    "# Set spean_at to the verb, spean_flag to the flag whose value comes next, spean_n to the\n"  \
    "# number of the argument that comes next, out of the words before the cursor.\n"              \
    "_spean_where() {\n"                                                                           \
    "    spean_at='' spean_flag='' spean_n=1 spean_verb=''\n"                                      \
    "    local word\n"                                                                             \
    "    for word in \"$@\"; do\n"                                                                 \
    "        case $word in\n"                                                                      \
    "        = | @) continue ;;\n"                                                                 \
    "        esac\n"                                                                               \
    "        if [ -n \"$spean_flag\" ]; then\n"                                                    \
    "            spean_flag=''\n"                                                                  \
    "            continue\n"                                                                       \
    "        fi\n"                                                                                 \
    "        case $word in\n"                                                                      \
    "        --*)\n"                                                                               \
    "            if [ -n \"$(_spean_value \"$spean_verb\" \"$word\")\" ]; then\n"                  \
    "                spean_flag=$word\n"                                                           \
    "            fi\n"                                                                             \
    "            continue\n"                                                                       \
    "            ;;\n"                                                                             \
    "        -*) continue ;;\n"                                                                    \
    "        esac\n"                                                                               \
    "        case \" $(_spean_next \"$spean_at\") \" in\n"                                         \
    "        *\" $word \"*)\n"                                                                     \
    "            spean_at=${spean_at:+$spean_at }$word\n"                                          \
    "            case $spean_verb in\n"                                                            \
    "            help) ;;\n"                                                                       \
    "            *) spean_verb=$spean_at ;;\n"                                                     \
    "            esac\n"                                                                           \
    "            case $spean_at in\n"                                                              \
    "            help) spean_at='' ;;\n"                                                           \
    "            esac\n"                                                                           \
    "            ;;\n"                                                                             \
    "        *) spean_n=$((spean_n + 1)) ;;\n"                                                     \
    "        esac\n"                                                                               \
    "    done\n"                                                                                   \
    "}\n"

/* In bash "@" ends a word of COMP_WORDS, but what is offered takes the place of it too. */
static const char bash_driver[] =
    "\n_spean() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} value\n"
    "    local spean_at spean_flag spean_n spean_verb\n"
    "    COMPREPLY=()\n"
    "    _spean_where \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"\n"
    "    case $current in\n"
    "    =) current='' ;;\n"
    "    esac\n"
    "    value=$(_spean_value \"$spean_verb\" \"${spean_flag:-$spean_n}\")\n"
    "    if [ -z \"$spean_flag\" ]; then\n"
    "        case $current in\n"
    "        -*) value=$(_spean_flags \"$spean_verb\") ;;\n"
    "        *) value=\"$(_spean_next \"$spean_at\") ${value#:none}\" ;;\n"
    "        esac\n"
    "    fi\n"
    "    case $value in\n"
    "    *:file*) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n"
    "    *:private*)\n"
    "        case $current in\n"
    "        '') COMPREPLY=(@ -) ;;\n"
    "        -*) ;;\n"
    "        *) COMPREPLY=($(compgen -P @ -f -- \"${current#@}\")) ;;\n"
    "        esac\n"
    "        compopt -o nospace 2>/dev/null\n"
    "        ;;\n"
    "    *:none*) ;;\n"
    "    *) COMPREPLY=($(compgen -W \"$value\" -- \"$current\")) ;;\n"
    "    esac\n"
    "    case $value in\n"
    "    *:file*) compopt -o filenames 2>/dev/null ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _spean spean\n";

static const char zsh_driver[] =
    "\n_spean() {\n"
    "    local value spean_at spean_flag spean_n spean_verb\n"
    "    _spean_where \"${(@)words[2,CURRENT-1]}\"\n"
    "    value=$(_spean_value \"$spean_verb\" \"${spean_flag:-$spean_n}\")\n"
    "    if [ -z \"$spean_flag\" ]; then\n"
    "        case $PREFIX in\n"
    "        -*) value=$(_spean_flags \"$spean_verb\") ;;\n"
    "        *) value=\"$(_spean_next \"$spean_at\") ${value#:none}\" ;;\n"
    "        esac\n"
    "    fi\n"
    "    case $value in\n"
    "    *:file*) _files ;;\n"
    "    *:private*)\n"
    "        if compset -P @; then\n"
    "            _files\n"
    "        else\n"
    "            compadd -S '' -- @ -\n"
    "        fi\n"
    "        ;;\n"
    "    *:none*) ;;\n"
    "    *) compadd -- ${=value} ;;\n"
    "    esac\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _spean ]; then\n"
    "    _spean \"$@\"\n"
    "else\n"
    "    compdef _spean spean\n"
    "fi\n";

static const char fish_driver[] =
    "function __spean_is\n"
    "    set -l at\n"
    "    for word in (commandline -opc)[2..-1]\n"
    "        if contains -- (string trim -- \"$at $word\") $__spean_verbs\n"
    "            set at (string trim -- \"$at $word\")\n"
    "            test \"$at\" = help; and set at\n"
    "        end\n"
    "    end\n"
    "    test \"$at\" = \"$argv[1]\"\n"
    "end\n"
    "complete -c spean -f\n";

/* Everything is written to a stream in memory, whose error is looked at in the end. */
static void put(FILE *script, const char *text)
{
    (void)fputs(text, script);
}

static void words_put(FILE *script, const char *choices)
{
    for (; *choices != '\0'; choices++) {
        (void)fputc(*choices == '|' ? ' ' : *choices, script);
    }
}

static void kind_put(FILE *script, enum spean_kind kind, const char *choices)
{
    switch (kind) {
    case SPEAN_KIND_CHOICE:
        words_put(script, choices);
        return;
    case SPEAN_KIND_FILE:
        put(script, ":file");
        return;
    case SPEAN_KIND_PRIVATE:
        put(script, ":private");
        return;
    case SPEAN_KIND_NONE:
    case SPEAN_KIND_TEXT:
    case SPEAN_KIND_NUMBER:
    case SPEAN_KIND_ID:
        put(script, ":none");
        return;
    }
}

/* Say whether word number n (from 0) of path is a word that no command before had there. */
static bool is_new(const struct spean_command *command, size_t len)
{
    for (size_t g = 0; spean_groups[g] != NULL; g++) {
        for (const struct spean_command *c = spean_groups[g]->commands; c->path != NULL; c++) {
            if (c == command) {
                return true;
            }
            if (strncmp(c->path, command->path, len) == 0 &&
                (c->path[len] == '\0' || c->path[len] == ' ')) {
                return false;
            }
        }
    }
    return true;
}

/* Call each for every beginning of a path: its first len bytes, of which the last word starts at
 * last; every beginning once. */
static void each_beginning(void (*each)(FILE *, const struct spean_command *, size_t last,
                                        size_t len, const char *),
                           FILE *script, const char *text)
{
    for (size_t g = 0; spean_groups[g] != NULL; g++) {
        for (const struct spean_command *c = spean_groups[g]->commands; c->path != NULL; c++) {
            for (size_t last = 0, len = strcspn(c->path, " ");;) {
                if (is_new(c, len)) {
                    each(script, c, last, len, text);
                }
                if (c->path[len] == '\0') {
                    break;
                }
                last = len + 1;
                len = last + strcspn(c->path + last, " ");
            }
        }
    }
}

/* Write the last word if what stands before it is the beginning asked for. */
static void next_word_put(FILE *script, const struct spean_command *command, size_t last,
                          size_t len, const char *above)
{
    const size_t above_len = strlen(above);
    const size_t before = last == 0 ? 0 : last - 1;
    if (before == above_len && memcmp(command->path, above, above_len) == 0) {
        (void)fprintf(script, "%.*s ", (int)(len - last), command->path + last);
    }
}

static void next_case_put(FILE *script, const struct spean_command *command, size_t last,
                          size_t len, const char *text)
{
    (void)last;
    (void)text;
    char above[64];
    (void)snprintf(above, sizeof(above), "%.*s", (int)len, command->path); /* Paths are short. */
    (void)fprintf(script, "    '%s') echo '", above);
    each_beginning(next_word_put, script, above);
    put(script, "' ;;\n");
}

static void flag_names_put(FILE *script, const struct spean_flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        (void)fprintf(script, "--%s ", flags->name);
    }
}

static void values_put(FILE *script, const char *path, const struct spean_flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        if (flags->kind != SPEAN_KIND_NONE) {
            (void)fprintf(script, "    %s%s%s' --%s') echo '", path == NULL ? "*" : "'",
                          path == NULL ? "" : path, path == NULL ? "" : "'", flags->name);
            kind_put(script, flags->kind, flags->choices);
            put(script, "' ;;\n");
        }
    }
}

static void arg_values_put(FILE *script, const struct spean_command *command)
{
    unsigned number = 1;
    for (const struct spean_arg *a = command->args; a != NULL && a->name != NULL; a++) {
        if (a->repeats) {
            (void)fprintf(script, "    '%s '[1-9]*) echo '", command->path);
        } else {
            (void)fprintf(script, "    '%s %u') echo '", command->path, number);
        }
        number++;
        kind_put(script, a->kind, a->choices);
        put(script, "' ;;\n");
    }
}

/* Write what bash and zsh share. */
static void shared_put(FILE *script)
{
    put(script,
        "# The words that may follow a verb.\n_spean_next() {\n    case $1 in\n    '') echo '");
    each_beginning(next_word_put, script, "");
    put(script, "' ;;\n");
    each_beginning(next_case_put, script, NULL);
    put(script, "    esac\n}\n# The flags of a verb.\n_spean_flags() {\n    case $1 in\n");
    for (size_t g = 0; spean_groups[g] != NULL; g++) {
        for (const struct spean_command *c = spean_groups[g]->commands; c->path != NULL; c++) {
            (void)fprintf(script, "    '%s') echo '", c->path);
            flag_names_put(script, c->flags);
            put(script, "' ;;\n");
        }
    }
    put(script, "    esac\n    echo '");
    flag_names_put(script, spean_global_flags);
    put(script, "'\n}\n# What the value of a verb's flag, or its argument of a number, may be.\n"
                "_spean_value() {\n    case \"$1 $2\" in\n");
    for (size_t g = 0; spean_groups[g] != NULL; g++) {
        for (const struct spean_command *c = spean_groups[g]->commands; c->path != NULL; c++) {
            values_put(script, c->path, c->flags);
            arg_values_put(script, c);
        }
    }
    values_put(script, NULL, spean_global_flags);
    put(script, "    esac\n}\n" SHARED_WHERE);
}

/* A word of fish within single quotes. */
static void fish_quote(FILE *script, const char *text, size_t len)
{
    (void)fputc('\'', script);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\'' || text[i] == '\\') {
            (void)fputc('\\', script);
        }
        (void)fputc(text[i], script);
    }
    (void)fputc('\'', script);
}

static void fish_path_put(FILE *script, const struct spean_command *command, size_t last,
                          size_t len, const char *text)
{
    (void)last;
    (void)text;
    (void)fprintf(script, " '%.*s'", (int)len, command->path);
}

/* One word that may follow a verb, with what it is for where it ends a command. */
static void fish_verb_put(FILE *script, const struct spean_command *command, size_t last,
                          size_t len, const char *text)
{
    (void)text;
    const bool whole = command->path[len] == '\0';
    const size_t before = last == 0 ? 0 : last - 1;
    const struct spean_group *const group = last == 0 ? spean_group_find(command->path) : NULL;
    const char *const summary = whole           ? _(command->summary)
                                : group == NULL ? ""
                                                : _(group->summary);
    (void)fprintf(script, "complete -c spean -n \"__spean_is '%.*s'\" -a '%.*s' -d ", (int)before,
                  command->path, (int)(len - last), command->path + last);
    fish_quote(script, summary, strlen(summary));
    put(script, "\n");
}

static void fish_flags_put(FILE *script, const char *path, const struct spean_flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        put(script, "complete -c spean");
        if (path != NULL) {
            (void)fprintf(script, " -n \"__spean_is '%s'\"", path);
        }
        (void)fprintf(script, " -l %s", flags->name);
        if (flags->letter != '\0') {
            (void)fprintf(script, " -s %c", flags->letter);
        }
        const bool file = flags->kind == SPEAN_KIND_FILE || flags->kind == SPEAN_KIND_PRIVATE;
        put(script, file ? " -r -F" : flags->kind == SPEAN_KIND_NONE ? "" : " -x");
        if (flags->kind == SPEAN_KIND_CHOICE) {
            put(script, " -a '");
            words_put(script, flags->choices);
            put(script, "'");
        }
        put(script, " -d ");
        fish_quote(script, _(flags->help), strlen(_(flags->help)));
        put(script, "\n");
    }
}

static void fish_args_put(FILE *script, const struct spean_command *command)
{
    for (const struct spean_arg *a = command->args; a != NULL && a->name != NULL; a++) {
        if (a->kind == SPEAN_KIND_FILE) {
            (void)fprintf(script, "complete -c spean -n \"__spean_is '%s'\" -F\n", command->path);
        } else if (a->kind == SPEAN_KIND_CHOICE) {
            (void)fprintf(script, "complete -c spean -n \"__spean_is '%s'\" -a '", command->path);
            words_put(script, a->choices);
            put(script, "'\n");
        }
    }
}

static void fish_put(FILE *script)
{
    put(script, "set -g __spean_verbs");
    each_beginning(fish_path_put, script, NULL);
    put(script, "\n");
    put(script, fish_driver);
    each_beginning(fish_verb_put, script, NULL);
    for (size_t g = 0; spean_groups[g] != NULL; g++) {
        for (const struct spean_command *c = spean_groups[g]->commands; c->path != NULL; c++) {
            fish_flags_put(script, c->path, c->flags);
            fish_args_put(script, c);
        }
    }
    fish_flags_put(script, NULL, spean_global_flags);
}

static void script_put(FILE *script, const char *shell)
{
    const bool zsh = strcmp(shell, "zsh") == 0;
    put(script, zsh ? "#compdef spean\n" : "");
    (void)fprintf(script, "# Made by spean help --completion %s from the table of commands.\n",
                  shell);
    if (strcmp(shell, "fish") == 0) {
        fish_put(script);
        return;
    }
    shared_put(script);
    put(script, zsh ? zsh_driver : bash_driver);
}

spean_err spean_completion_make(const char *shell, char **out)
{
    assert(shell != NULL);
    assert(out != NULL);
    char *text = NULL;
    size_t len = 0;
    FILE *const script = open_memstream(&text, &len);
    if (script == NULL) {
        return SPEAN_ENOMEM;
    }
    script_put(script, shell);
    const bool failed = ferror(script) != 0;
    if (fclose(script) != 0 || failed) {
        free(text);
        return SPEAN_ENOMEM;
    }
    *out = text;
    return SPEAN_OK;
}
