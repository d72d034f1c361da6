#include "tools/out.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/display.h"
#include "tools/i18n.h"
#include "tools/vformat.h"

#define JSON_INDENT_SPACES 2

/* Escape sequences of our own; data cannot carry any. */
#define COLOR_BOLD   "\x1b[1m"
#define COLOR_GREEN  "\x1b[32m"
#define COLOR_YELLOW "\x1b[33m"
#define COLOR_RED    "\x1b[31m"
#define COLOR_END    "\x1b[0m"
#define LINE_CLEAR   "\r\x1b[K"

struct spean_out {
    struct spean_out_options options;
    bool progress_shown; /* An unfinished line stands on the terminal. */
    bool progress_told;
    uint64_t progress_ms; /* When a line was printed last, if told. */
    spean_err err;        /* Sticky: the first failure. */
    int number;           /* Its errno; 0: there was none. */
};

spean_err spean_out_new(const struct spean_out_options *options, struct spean_out **out)
{
    assert(options != NULL);
    assert(out != NULL);
    struct spean_out *const made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return SPEAN_ENOMEM;
    }
    made->options = *options;
    *out = made;
    return SPEAN_OK;
}

void spean_out_free(struct spean_out *out)
{
    free(out);
}

bool spean_out_is_json(const struct spean_out *out)
{
    assert(out != NULL);
    return out->options.json;
}

static void fail(struct spean_out *out, spean_err err)
{
    if (out->err == SPEAN_OK) {
        out->err = err;
        out->number = err == SPEAN_EIO ? errno : 0;
    }
}

/* Hand on what was put into file. */
static void flush(struct spean_out *out, FILE *file)
{
    errno = 0;
    if (fflush(file) != 0 || ferror(file)) {
        fail(out, SPEAN_EIO);
    }
}

static void put(struct spean_out *out, FILE *file, const char *text)
{
    if (fputs(text, file) == EOF) {
        fail(out, SPEAN_EIO);
    }
}

/* Write before, text made harmless, after. text NULL: memory ran out while making it. */
static void put_clean(struct spean_out *out, FILE *file, const char *before, const char *text,
                      const char *after)
{
    char *const clean = text == NULL ? NULL : spean_display_clean(text);
    if (clean == NULL) {
        fail(out, SPEAN_ENOMEM);
        return;
    }
    spean_out_progress_end(out);
    put(out, file, before);
    put(out, file, clean);
    put(out, file, after);
    free(clean);
}

/* One line of talk behind a mark; mark "" for none. */
static void put_talk(struct spean_out *out, const char *color, const char *mark, const char *text)
{
    flush(out, out->options.results); /* Talk stands behind the results that it is about. */
    const bool colored = out->options.talk_color && mark[0] != '\0';
    char *const before = spean_format("%s%s%s%s", colored ? color : "", mark,
                                      colored ? COLOR_END : "", mark[0] == '\0' ? "" : " ");
    if (before == NULL) {
        fail(out, SPEAN_ENOMEM);
        return;
    }
    put_clean(out, out->options.talk, before, text, "\n");
    free(before);
}

static void put_talk_format(struct spean_out *out, const char *color, const char *mark,
                            const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static void put_talk_format(struct spean_out *out, const char *color, const char *mark,
                            const char *format, va_list args)
{
    char *const text = spean_vformat(format, args);
    put_talk(out, color, mark, text);
    free(text);
}

static bool talks(const struct spean_out *out)
{
    return !out->options.quiet && !out->options.json;
}

void spean_out_line(struct spean_out *out, const char *format, ...)
{
    assert(out != NULL);
    if (out->options.json) {
        return;
    }
    va_list args;
    va_start(args, format);
    char *const text = spean_vformat(format, args);
    va_end(args);
    put_clean(out, out->options.results, "", text, "\n");
    free(text);
}

void spean_out_text(struct spean_out *out, const char *text)
{
    assert(out != NULL);
    assert(text != NULL);
    if (out->options.json) {
        return;
    }
    for (const char *at = text; *at != '\0';) {
        const size_t len = strcspn(at, "\n");
        const bool cr = at[len] == '\n' && len > 0 && at[len - 1] == '\r';
        char *const line = strndup(at, cr ? len - 1 : len);
        put_clean(out, out->options.results, "  ", line, "\n");
        free(line);
        at += len;
        at += *at == '\n';
    }
}

void spean_out_grid(struct spean_out *out, const struct spean_grid *table)
{
    assert(out != NULL);
    assert(table != NULL);
    if (out->options.json) {
        return;
    }
    const bool bold = out->options.results_color && !out->options.plain;
    spean_out_progress_end(out);
    const spean_err err = spean_grid_write(table, out->options.results, out->options.plain,
                                           bold ? COLOR_BOLD : "", bold ? COLOR_END : "");
    if (err != SPEAN_OK) {
        fail(out, err);
    }
}

static void put_json(struct spean_out *out, const json_t *object, size_t flags)
{
    char *const text = json_dumps(object, flags);
    char *const safe = text == NULL ? NULL : spean_display_escape_json(text);
    free(text);
    if (safe == NULL) {
        fail(out, SPEAN_ENOMEM);
        return;
    }
    put(out, out->options.results, safe);
    put(out, out->options.results, "\n");
    free(safe);
}

void spean_out_json(struct spean_out *out, const json_t *object)
{
    assert(out != NULL);
    assert(json_is_object(object));
    if (out->options.json) {
        put_json(out, object, JSON_INDENT(JSON_INDENT_SPACES));
    }
}

void spean_out_json_line(struct spean_out *out, const json_t *object)
{
    assert(out != NULL);
    assert(json_is_object(object));
    if (out->options.json) {
        put_json(out, object, JSON_COMPACT);
    }
}

void spean_out_done(struct spean_out *out, const char *format, ...)
{
    assert(out != NULL);
    if (!talks(out)) {
        return;
    }
    const bool mark = out->options.unicode && !out->options.plain;
    va_list args;
    va_start(args, format);
    put_talk_format(out, COLOR_GREEN, mark ? "\xe2\x9c\x94" : "ok:", format, args); /* U+2714 */
    va_end(args);
}

void spean_out_note(struct spean_out *out, const char *format, ...)
{
    assert(out != NULL);
    if (!talks(out)) {
        return;
    }
    va_list args;
    va_start(args, format);
    put_talk_format(out, "", "", format, args);
    va_end(args);
}

void spean_out_next(struct spean_out *out, const char *format, ...)
{
    assert(out != NULL);
    if (!talks(out)) {
        return;
    }
    va_list args;
    va_start(args, format);
    put_talk_format(out, COLOR_BOLD, _("Next:"), format, args);
    va_end(args);
}

void spean_out_warn(struct spean_out *out, const char *format, ...)
{
    assert(out != NULL);
    va_list args;
    va_start(args, format);
    put_talk_format(out, COLOR_YELLOW, "!", format, args);
    va_end(args);
}

static void put_problem_json(struct spean_out *out, const struct spean_problem *problem)
{
    json_t *const object = json_pack("{s:{s:s,s:s,s:s}}", "error", "code", problem->code, "message",
                                     problem->message, "hint", problem->hint);
    if (object == NULL) {
        fail(out, SPEAN_ENOMEM);
        return;
    }
    put_json(out, object, 0); /* One line: it may end a stream of lines. */
    json_decref(object);
}

void spean_out_problem(struct spean_out *out, const struct spean_problem *problem)
{
    assert(out != NULL);
    assert(problem != NULL);
    if (problem->code[0] == '\0') {
        return;
    }
    if (out->options.json) {
        put_problem_json(out, problem);
        return;
    }
    put_talk(out, COLOR_RED, _("error:"), problem->message);
    if (problem->hint[0] != '\0') {
        put_talk(out, COLOR_BOLD, _("hint:"), problem->hint);
    }
}

void spean_out_progress(struct spean_out *out, uint64_t now_ms, const char *format, ...)
{
    assert(out != NULL);
    flush(out, out->options.results); /* Whoever reads them need not wait with us. */
    const bool due = out->options.talk_terminal || !out->progress_told ||
                     now_ms - out->progress_ms >= SPEAN_OUT_PROGRESS_MS;
    if (!talks(out) || !due) {
        return;
    }
    va_list args;
    va_start(args, format);
    char *const text = spean_vformat(format, args);
    va_end(args);
    const bool over = out->options.talk_terminal && !out->options.plain;
    put_clean(out, out->options.talk, "", text, over ? "" : "\n");
    free(text);
    out->progress_shown = over;
    out->progress_told = true;
    out->progress_ms = now_ms;
    flush(out, out->options.talk);
}

void spean_out_progress_end(struct spean_out *out)
{
    assert(out != NULL);
    if (out->progress_shown) {
        out->progress_shown = false;
        put(out, out->options.talk, LINE_CLEAR);
    }
}

void spean_out_flush(struct spean_out *out)
{
    assert(out != NULL);
    flush(out, out->options.results);
}

spean_err spean_out_finish(struct spean_out *out, int *number)
{
    assert(out != NULL);
    assert(number != NULL);
    spean_out_progress_end(out);
    flush(out, out->options.results);
    flush(out, out->options.talk);
    *number = out->number;
    return out->err;
}
