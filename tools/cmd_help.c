#include "tools/groups.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/call.h"
#include "tools/completion.h"
#include "tools/help.h"
#include "tools/i18n.h"
#include "tools/manual.h"

/* What the words after "help" name. */
struct topic {
    const struct spean_command *command; /* Both NULL: everything. */
    const struct spean_group *group;
};

/* Print text, which is freed, line by line; under --json as the value of key. */
static enum spean_exit text_print(struct spean_out *out, const char *key, char *text,
                                  struct spean_problem *problem)
{
    json_t *const object = json_pack("{s:s}", key, text);
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (object == NULL) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "help");
    } else {
        spean_out_json(out, object);
        json_decref(object);
    }
    for (const char *line = text; exit == SPEAN_EXIT_DONE && *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        spean_out_line(out, "%.*s", (int)len, line);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    free(text);
    return exit;
}

static enum spean_exit manual_run(struct spean_out *out, const struct topic *topic,
                                  struct spean_problem *problem)
{
    char *page = NULL;
    const spean_err err = topic->group != NULL     ? spean_manual_group(topic->group, &page)
                          : topic->command != NULL ? spean_manual_command(topic->command, &page)
                                                   : spean_manual_overview(&page);
    return err == SPEAN_OK ? text_print(out, "man", page, problem)
                           : spean_problem_err(problem, err, "help");
}

static enum spean_exit completion_run(struct spean_out *out, const char *shell,
                                      struct spean_problem *problem)
{
    char *script = NULL;
    const spean_err err = spean_completion_make(shell, &script);
    return err == SPEAN_OK ? text_print(out, "completion", script, problem)
                           : spean_problem_err(problem, err, "help");
}

static enum spean_exit topic_run(struct spean_out *out, const struct topic *topic,
                                 struct spean_problem *problem)
{
    const spean_err err = topic->command != NULL ? spean_help_command(out, topic->command)
                          : topic->group != NULL ? spean_help_group(out, topic->group)
                                                 : spean_help_overview(out);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "help");
}

static enum spean_exit help_run(struct spean_call *call, struct spean_problem *problem)
{
    char *words[SPEAN_COMMAND_WORDS_MAX];
    const size_t count = spean_call_count(call, "verb");
    if (count > SPEAN_COMMAND_WORDS_MAX) {
        return spean_problem_usage(problem, "%s", _("no command has so many words"));
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = (char *)(uintptr_t)spean_call_value_at(call, "verb", i);
    }

    struct spean_out *const out = spean_call_out(call);
    const char *const shell = spean_call_value(call, "completion");
    const bool manual = spean_call_given(call, "man");
    if (shell != NULL && (manual || count > 0)) {
        return spean_problem_usage(problem, "%s", _("--completion is about all commands at once"));
    }
    size_t matched = 0;
    struct topic topic = {.command = spean_command_find(words, count, &matched)};
    topic.command = matched == count ? topic.command : NULL;
    topic.group = count == 1 ? spean_group_find(words[0]) : NULL;
    if (count > 0 && topic.command == NULL && topic.group == NULL) {
        return spean_command_unknown(words, count, problem);
    }
    return shell != NULL ? completion_run(out, shell, problem)
           : manual      ? manual_run(out, &topic, problem)
                         : topic_run(out, &topic, problem);
}

static const struct spean_flag help_flags[] = {
    {.name = "man", .help = N_("print the manual page instead: of a command, a group or all")},
    {.name = "completion",
     .kind = SPEAN_KIND_CHOICE,
     .value = "SHELL",
     .choices = SPEAN_COMPLETION_SHELLS,
     .help = N_("print what completes command lines in this shell")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "help",
        .summary = N_("Explain the commands, or one of them"),
        .text = N_("Without a verb it lists all commands, the flags that each of them takes and "
                   "the exit codes. With a verb it explains this command: its flags, arguments, "
                   "the questions it may ask, how to take it back, and examples. Manual pages and "
                   "what completes command lines in shells are made from the same table."),
        .flags = help_flags,
        .args =
            (const struct spean_arg[]){
                {
                    .name = "verb",
                    .kind = SPEAN_KIND_TEXT,
                    .optional = true,
                    .repeats = true,
                    .help = N_("the words of a command, or its first word"),
                },
                {0},
            },
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean help", "spean help version",
                                          "spean help --man agency | man -l -",
                                          "spean help --completion bash", NULL},
        .run = help_run,
    },
    {0},
};

const struct spean_group spean_group_help = {
    .name = "help",
    .summary = N_("Help"),
    .commands = commands,
};
