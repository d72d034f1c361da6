#include "tools/program.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tools/answers.h"
#include "tools/call.h"
#include "tools/help.h"
#include "tools/i18n.h"
#include "tools/interrupt.h"
#include "tools/out.h"
#include "tools/parse.h"
#include "tools/prompt.h"

static struct spean_out_options out_options(const struct spean_globals *globals,
                                            const struct spean_surroundings *around)
{
    const bool always = globals->color == SPEAN_COLOR_ALWAYS;
    const bool may = globals->color == SPEAN_COLOR_AUTO && !around->no_color;
    return (struct spean_out_options){
        .results = around->results,
        .talk = around->talk,
        .json = globals->json,
        .plain = globals->plain,
        .quiet = globals->quiet,
        .unicode = around->unicode,
        .results_color = always || (may && around->results_terminal),
        .talk_color = always || (may && around->talk_terminal),
        .talk_terminal = around->talk_terminal,
    };
}

static const struct spean_command *command_of(const char *path)
{
    for (size_t i = 0; spean_groups[i] != NULL; i++) {
        for (const struct spean_command *c = spean_groups[i]->commands; c->path != NULL; c++) {
            if (strcmp(c->path, path) == 0) {
                return c;
            }
        }
    }
    return NULL;
}

/* The name of what a command is about, if it takes one id first; "" otherwise. */
static const char *subject_of(const struct spean_command *command)
{
    const bool takes = command != NULL && command->args != NULL && command->args[0].name != NULL &&
                       command->args[0].kind == SPEAN_KIND_ID;
    return takes ? command->args[0].name : "";
}

/* Say how a change is taken back, where a command does that: for the same thing, if it is named. */
static void undo_print(struct spean_out *out, const struct spean_call *call,
                       const struct spean_command *command)
{
    if (strcmp(command->inverse, SPEAN_INVERSE_READS) == 0 ||
        strcmp(command->inverse, SPEAN_INVERSE_NONE) == 0) {
        return;
    }
    const char *const subject = subject_of(command);
    const bool same =
        subject[0] != '\0' && strcmp(subject, subject_of(command_of(command->inverse))) == 0;
    const char *const id = same ? spean_call_value(call, subject) : NULL;
    if (id != NULL) {
        spean_out_note(out, _("Undo: spean %s %s"), command->inverse, id);
    } else {
        spean_out_note(out, _("Undo: spean %s"), command->inverse);
    }
}

/* Run the handler, and afterwards say if answers were left over: they were meant for something. */
static enum spean_exit handle(const struct spean_parsed *parsed, struct spean_out *out,
                              struct spean_prompt *prompt, struct spean_problem *problem)
{
    struct spean_call *call;
    const spean_err err = spean_call_new(parsed, out, prompt, &call);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, parsed->command->path);
    }
    enum spean_exit exit = parsed->command->run(call, problem);
    const bool worked = exit == SPEAN_EXIT_DONE || exit == SPEAN_EXIT_ATTENTION;
    if (worked && spean_call_changed(call)) {
        undo_print(out, call, parsed->command);
    }
    spean_call_free(call);
    struct spean_problem leftover = {0};
    if (worked && spean_prompt_finish(prompt, &leftover) != SPEAN_EXIT_DONE) {
        spean_out_warn(out, "%s", leftover.message);
        exit = SPEAN_EXIT_ATTENTION;
    }
    return exit;
}

static enum spean_exit command_run(const struct spean_parsed *parsed, struct spean_out *out,
                                   const struct spean_surroundings *around,
                                   struct spean_problem *problem)
{
    const struct spean_globals *const globals = &parsed->globals;
    struct spean_prompt_options options = {
        .yes = globals->yes, .no_input = globals->no_input, .terminal = around->terminal};
    if (globals->answers != NULL) {
        const enum spean_exit exit = spean_answers_load(
            globals->answers, parsed->command->questions, &options.answers, problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
    }
    struct spean_prompt *prompt = NULL;
    const spean_err err = spean_prompt_new(&options, &prompt);
    const enum spean_exit exit = err != SPEAN_OK
                                     ? spean_problem_err(problem, err, parsed->command->path)
                                     : handle(parsed, out, prompt, problem);
    spean_prompt_free(prompt);
    spean_answers_free(options.answers);
    return exit;
}

/* --help, for whatever was named. */
static enum spean_exit help_run(const struct spean_parsed *parsed, struct spean_out *out,
                                struct spean_problem *problem)
{
    const spean_err err = parsed->command != NULL ? spean_help_command(out, parsed->command)
                          : parsed->group != NULL ? spean_help_group(out, parsed->group)
                                                  : spean_help_overview(out);
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "help");
}

static enum spean_exit refuse_no_verb(const struct spean_parsed *parsed,
                                      struct spean_problem *problem)
{
    if (parsed->group == NULL) {
        (void)spean_problem_usage(problem, "%s", _("no command is given"));
        spean_problem_hint(problem, "%s", _("see \"spean help\""));
    } else {
        (void)spean_problem_usage(problem, _("\"%s\" needs a second word"), parsed->group->name);
        spean_problem_hint(problem, _("see \"spean help %s\""), parsed->group->name);
    }
    return SPEAN_EXIT_USAGE;
}

/* What was said may not have got through (a full disk, a closed pipe): then nothing is "done". */
static enum spean_exit finish(struct spean_out *out, const struct spean_surroundings *around,
                              enum spean_exit exit)
{
    int number = 0;
    const spean_err err = spean_out_finish(out, &number);
    if (err == SPEAN_OK) {
        return exit;
    }
    (void)fprintf(around->talk, "%s: %s\n", _("error: the output is not complete"),
                  number != 0
                      ? strerror(number)
                      : _(spean_err_text(err))); /* If this fails too, the exit code remains. */
    return exit == SPEAN_EXIT_DONE || exit == SPEAN_EXIT_ATTENTION ? SPEAN_EXIT_FAILED : exit;
}

enum spean_exit spean_program_run(int argc, char **argv, const struct spean_surroundings *around)
{
    assert(argv != NULL);
    assert(around != NULL);
    struct spean_problem problem = {0};
    struct spean_parsed parsed;
    enum spean_exit exit = spean_parse(argc, argv, &parsed, &problem);
    const struct spean_globals *const globals = &parsed.globals;
    if (globals->lang != NULL && setenv("LANGUAGE", globals->lang, 1) != 0) {
        exit = spean_problem_err(&problem, SPEAN_ENOMEM, "--lang");
    }

    const struct spean_out_options options = out_options(globals, around);
    struct spean_out *out;
    if (spean_out_new(&options, &out) != SPEAN_OK) {
        spean_parsed_fini(&parsed);
        return SPEAN_EXIT_FAILED;
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = globals->help            ? help_run(&parsed, out, &problem)
               : parsed.command != NULL ? command_run(&parsed, out, around, &problem)
                                        : refuse_no_verb(&parsed, &problem);
    }
    spean_out_problem(out, &problem);
    exit = finish(out, around, exit);
    spean_out_free(out);
    spean_parsed_fini(&parsed);
    return exit;
}
