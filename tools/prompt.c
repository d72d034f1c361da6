#include "tools/prompt.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>
#include <utf8proc.h>

#include "protocol/text.h"
#include "tools/display.h"
#include "tools/i18n.h"
#include "tools/input.h"
#include "tools/interrupt.h"
#include "tools/vformat.h"

#define PROCEED_BYTES_MAX 16u

struct spean_prompt {
    struct spean_prompt_options options;
};

spean_err spean_prompt_new(const struct spean_prompt_options *options, struct spean_prompt **out)
{
    assert(options != NULL);
    assert(out != NULL);
    struct spean_prompt *const prompt = calloc(1, sizeof(*prompt));
    if (prompt == NULL) {
        return SPEAN_ENOMEM;
    }
    prompt->options = *options;
    *out = prompt;
    return SPEAN_OK;
}

void spean_prompt_free(struct spean_prompt *prompt)
{
    free(prompt);
}

bool spean_prompt_scripted(const struct spean_prompt *prompt)
{
    assert(prompt != NULL);
    return prompt->options.answers != NULL;
}

/* Say that nobody can be asked for question, why, and how to give the answer otherwise. */
static enum spean_exit refuse_unanswered(const struct spean_question *question, const char *why,
                                         struct spean_problem *problem)
{
    (void)spean_problem_usage(problem, _("an answer to \"%s\" is needed, and %s"), question->name,
                              why);
    if (question->flag != NULL) {
        spean_problem_hint(problem, _("give --%s, or \"%s: ...\" in a file with --answers"),
                           question->flag, question->name);
    } else {
        spean_problem_hint(problem, _("give \"%s: ...\" in a file with --answers"), question->name);
    }
    return SPEAN_EXIT_USAGE;
}

/* Write all of text to the terminal; a failure shows when the answer is read. */
static void terminal_write(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        const ssize_t put = write(fd, text, len);
        if (put <= 0) {
            return;
        }
        text += put;
        len -= (size_t)put;
    }
}

/* Read one line into buf. The rest of one that is too long is read away, not left for the shell. */
static enum spean_exit line_read(int fd, char *buf, size_t cap, struct spean_problem *problem)
{
    size_t used = 0;
    bool too_long = false;
    for (;;) {
        char byte;
        if (!spean_interrupt_wait(fd) || read(fd, &byte, 1) != 1) {
            return spean_interrupt_problem(problem); /* Ctrl-C, Ctrl-D, or the terminal is gone. */
        }
        if (byte == '\n') {
            break;
        }
        too_long = too_long || used == cap - 1;
        if (!too_long) {
            buf[used++] = byte;
        }
    }
    buf[used] = '\0';
    if (too_long) {
        return spean_problem_usage(problem, _("the answer is longer than %zu bytes"), cap - 1);
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit refuse_terminal(struct spean_problem *problem)
{
    return spean_problem_set(problem, SPEAN_EXIT_FAILED, "terminal", "%s",
                             _("the terminal cannot hide what is typed"));
}

/* Ask with text and read one line without echo. Hidden first: some people type before they are
 * asked. Stopping half-way is switched off, because the shell would be left without echo. */
static enum spean_exit secret_read(int fd, const char *text, char *buf, size_t cap,
                                   struct spean_problem *problem)
{
    struct termios before;
    struct sigaction stop_before;
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (tcgetattr(fd, &before) != 0) {
        return refuse_terminal(problem);
    }
    struct termios hidden = before;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    hidden.c_lflag |= ECHONL | ICANON;
    hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
    (void)sigaction(SIGTSTP, &ignore, &stop_before); /* A valid signal: cannot fail. */
    enum spean_exit exit;
    if (tcsetattr(fd, TCSAFLUSH, &hidden) != 0) {
        exit = refuse_terminal(problem);
    } else {
        terminal_write(fd, text);
        exit = line_read(fd, buf, cap, problem);
    }
    (void)tcsetattr(fd, TCSAFLUSH, &before); /* Nothing else is left to try. */
    (void)sigaction(SIGTSTP, &stop_before, NULL);
    return exit;
}

static enum spean_exit terminal_ask(const struct spean_prompt *prompt,
                                    const struct spean_question *question, char *buf, size_t cap,
                                    struct spean_problem *problem)
{
    const int fd = open(prompt->options.terminal, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return refuse_unanswered(question, _("there is no terminal to ask on"), problem);
    }
    char *const clean = spean_display_clean(question->text);
    char *const text = clean == NULL ? NULL : spean_format("%s: ", clean);
    enum spean_exit exit;
    if (text == NULL) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, question->name);
    } else if (question->secret) {
        exit = secret_read(fd, text, buf, cap, problem);
    } else {
        terminal_write(fd, text);
        exit = line_read(fd, buf, cap, problem);
    }
    free(text);
    free(clean);
    (void)close(fd); /* Nothing is pending on a terminal. */
    return exit;
}

/* Copy value, or the text of the file that it names, into buf. */
static enum spean_exit answer_copy(const char *value, char *buf, size_t cap,
                                   const struct spean_question *question,
                                   struct spean_problem *problem)
{
    char *file_text = NULL;
    if (value[0] == '@' && value[1] != '@') {
        const enum spean_exit exit =
            spean_input_text(value, SPEAN_ANSWER_BYTES_MAX, &file_text, problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
        value = file_text;
    } else if (value[0] == '@') {
        value++;
    }
    const size_t len = strlen(value);
    const bool fits = len < cap;
    if (fits) {
        memcpy(buf, value, len + 1);
    }
    if (file_text != NULL) {
        sodium_memzero(file_text, len);
    }
    free(file_text);
    return fits ? SPEAN_EXIT_DONE
                : spean_problem_usage(problem, _("the answer to \"%s\" is longer than %zu bytes"),
                                      question->name, cap - 1);
}

enum spean_exit spean_prompt_ask(struct spean_prompt *prompt, const struct spean_question *question,
                                 char *buf, size_t cap, struct spean_problem *problem)
{
    assert(prompt != NULL);
    assert(question != NULL);
    assert(buf != NULL);
    assert(cap > 1);

    const struct spean_prompt_options *const options = &prompt->options;
    enum spean_exit exit;
    if (options->answers != NULL) {
        const char *const value = spean_answers_take(options->answers, question->name);
        exit = value != NULL ? answer_copy(value, buf, cap, question, problem)
                             : refuse_unanswered(question, _("the answers file has none"), problem);
    } else if (options->no_input) {
        exit = refuse_unanswered(question, _("--no-input forbids asking"), problem);
    } else {
        exit = terminal_ask(prompt, question, buf, cap, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    const struct spean_view text = {.data = (const uint8_t *)buf, .len = strlen(buf)};
    if (!spean_text_valid(text)) {
        return spean_problem_usage(problem, _("the answer to \"%s\" is not UTF-8"), question->name);
    }
    if (text.len == 0 && !question->optional) {
        return refuse_unanswered(question, _("the answer was empty"), problem);
    }
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_prompt_show(const struct spean_prompt *prompt, const char *text,
                                  struct spean_problem *problem)
{
    assert(prompt != NULL);
    assert(text != NULL);
    const struct spean_prompt_options *const options = &prompt->options;
    const bool nobody = options->no_input || options->answers != NULL;
    const int fd = nobody ? -1 : open(options->terminal, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return spean_problem_usage(problem, "%s", _("there is no terminal to show this on"));
    }
    terminal_write(fd, text);
    (void)close(fd); /* Nothing is pending on a terminal. */
    return SPEAN_EXIT_DONE;
}

static bool is_yes(const char *text)
{
    return strcasecmp(text, "yes") == 0 || strcasecmp(text, "y") == 0 ||
           strcmp(text, _("yes")) == 0;
}

enum spean_exit spean_prompt_proceed(struct spean_prompt *prompt, const char *text,
                                     struct spean_problem *problem)
{
    assert(prompt != NULL);
    assert(text != NULL);
    if (prompt->options.yes) {
        return SPEAN_EXIT_DONE;
    }
    char *const full = spean_format(_("%s [yes/no]"), text);
    if (full == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, text);
    }
    const struct spean_question question = {
        .name = SPEAN_ANSWER_PROCEED, .flag = "yes", .text = full, .optional = true};
    char answer[PROCEED_BYTES_MAX] = "";
    const enum spean_exit exit =
        spean_prompt_ask(prompt, &question, answer, sizeof(answer), problem);
    free(full);
    if (exit != SPEAN_EXIT_DONE || is_yes(answer)) {
        return exit;
    }
    return spean_problem_set(problem, SPEAN_EXIT_FAILED, "declined", "%s",
                             _("not confirmed; nothing was changed"));
}

/* Compare two names in NFC: Vietnamese keyboards give either form of the same letters. */
static bool same_name(const char *a, const char *b)
{
    utf8proc_uint8_t *const a_nfc = utf8proc_NFC((const utf8proc_uint8_t *)a);
    utf8proc_uint8_t *const b_nfc = utf8proc_NFC((const utf8proc_uint8_t *)b);
    const bool same =
        a_nfc != NULL && b_nfc != NULL && strcmp((const char *)a_nfc, (const char *)b_nfc) == 0;
    free(a_nfc);
    free(b_nfc);
    return same;
}

enum spean_exit spean_prompt_confirm(struct spean_prompt *prompt, const char *name,
                                     const char *given, struct spean_problem *problem)
{
    assert(prompt != NULL);
    assert(name != NULL);
    static const struct spean_question question = {
        .name = SPEAN_ANSWER_CONFIRM,
        .flag = "confirm",
        .text = N_("Type the organisation's name to go on"),
    };
    char typed[SPEAN_PROBLEM_TEXT_BYTES_MAX];
    if (given == NULL) {
        struct spean_question asked = question;
        asked.text = _(question.text);
        const enum spean_exit exit =
            spean_prompt_ask(prompt, &asked, typed, sizeof(typed), problem);
        if (exit != SPEAN_EXIT_DONE) {
            return exit;
        }
    }
    if (same_name(name, given != NULL ? given : typed)) {
        return SPEAN_EXIT_DONE;
    }
    (void)spean_problem_usage(problem, "%s",
                              _("that is not the organisation's name; nothing was changed"));
    spean_problem_hint(problem, _("it is \"%s\""), name);
    return SPEAN_EXIT_USAGE;
}

enum spean_exit spean_prompt_finish(const struct spean_prompt *prompt,
                                    struct spean_problem *problem)
{
    assert(prompt != NULL);
    if (prompt->options.answers == NULL) {
        return SPEAN_EXIT_DONE;
    }
    const char *const unused = spean_answers_unused(prompt->options.answers);
    if (unused == NULL) {
        return SPEAN_EXIT_DONE;
    }
    return spean_problem_usage(problem, _("the answer to \"%s\" was not asked for"), unused);
}
