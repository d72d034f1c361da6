#include "tools/problem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/i18n.h"

/* vsnprintf() cuts between bytes; take away what it left of a last, incomplete character. */
static void cut_at_character(char *text)
{
    size_t len = strlen(text);
    size_t start = len;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0u) == 0x80u) {
        start--;
    }
    if (start == 0) {
        return;
    }
    const unsigned char lead = (unsigned char)text[start - 1];
    const size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (len - (start - 1) < want) {
        text[start - 1] = '\0';
    }
}

static void text_format(char *text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void text_format(char *text, const char *format, va_list args)
{
    const int len = vsnprintf(text, SPEAN_PROBLEM_TEXT_BYTES_MAX, format, args);
    if (len < 0) {
        text[0] = '\0'; /* Only a broken locale does this; the code still tells. */
    }
    if (len >= (int)SPEAN_PROBLEM_TEXT_BYTES_MAX) {
        cut_at_character(text);
    }
}

enum spean_exit spean_problem_set(struct spean_problem *problem, enum spean_exit exit,
                                  const char *code, const char *format, ...)
{
    assert(problem != NULL);
    assert(exit != SPEAN_EXIT_DONE);

    problem->exit = exit;
    (void)snprintf(problem->code, sizeof(problem->code), "%s", code); /* Cut is as good. */
    problem->hint[0] = '\0';
    va_list args;
    va_start(args, format);
    text_format(problem->message, format, args);
    va_end(args);
    return exit;
}

void spean_problem_hint(struct spean_problem *problem, const char *format, ...)
{
    assert(problem != NULL);
    va_list args;
    va_start(args, format);
    text_format(problem->hint, format, args);
    va_end(args);
}

enum spean_exit spean_problem_usage(struct spean_problem *problem, const char *format, ...)
{
    assert(problem != NULL);
    (void)spean_problem_set(problem, SPEAN_EXIT_USAGE, "usage", "%s", "");
    va_list args;
    va_start(args, format);
    text_format(problem->message, format, args);
    va_end(args);
    return SPEAN_EXIT_USAGE;
}

enum spean_exit spean_problem_err(struct spean_problem *problem, spean_err err, const char *what)
{
    return spean_problem_set(problem, spean_exit_of(err), spean_err_name(err), "%s: %s", what,
                             _(spean_err_text(err)));
}

enum spean_exit spean_exit_of(spean_err err)
{
    static const struct {
        spean_err err;
        enum spean_exit exit;
    } rows[] = {
        {SPEAN_OK, SPEAN_EXIT_DONE},
        {SPEAN_EDENIED, SPEAN_EXIT_DENIED},
        {SPEAN_ENOTFOUND, SPEAN_EXIT_NOT_FOUND},
        {SPEAN_ESTATE, SPEAN_EXIT_STATE},
        {SPEAN_EEXISTS, SPEAN_EXIT_STATE},
        {SPEAN_EFORK, SPEAN_EXIT_INTEGRITY},
        {SPEAN_ESIGNATURE, SPEAN_EXIT_INTEGRITY},
        {SPEAN_ECHAIN, SPEAN_EXIT_INTEGRITY},
        {SPEAN_ECORRUPT, SPEAN_EXIT_INTEGRITY},
        {SPEAN_ELOCKED, SPEAN_EXIT_LOCKED},
        {SPEAN_EPASSPHRASE, SPEAN_EXIT_PASSPHRASE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].err == err) {
            return rows[i].exit;
        }
    }
    return SPEAN_EXIT_FAILED;
}
