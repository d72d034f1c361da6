#include "tools/groups.h"

#include "tools/call.h"
#include "tools/help.h"
#include "tools/i18n.h"

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
    size_t matched = 0;
    const struct spean_command *const command = spean_command_find(words, count, &matched);
    const struct spean_group *const group = count == 1 ? spean_group_find(words[0]) : NULL;
    spean_err err;
    if (count == 0) {
        err = spean_help_overview(out);
    } else if (command != NULL && matched == count) {
        err = spean_help_command(out, command);
    } else if (group != NULL) {
        err = spean_help_group(out, group);
    } else {
        return spean_command_unknown(words, count, problem);
    }
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "help");
}

static const struct spean_command commands[] = {
    {
        .path = "help",
        .summary = N_("Explain the commands, or one of them"),
        .text = N_("Without a verb it lists all commands, the flags that each of them takes and "
                   "the exit codes. With a verb it explains this command: its flags, arguments, "
                   "the questions it may ask, how to take it back, and examples."),
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
        .examples = (const char *const[]){"spean help", "spean help version", NULL},
        .run = help_run,
    },
    {0},
};

const struct spean_group spean_group_help = {
    .name = "help",
    .summary = N_("Help"),
    .commands = commands,
};
