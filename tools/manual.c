#include "tools/manual.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "protocol/version.h"
#include "tools/help.h"
#include "tools/i18n.h"

#define PAGE_DATE      "2026-11-22" /* When the form of the pages changed last. */
#define LINE_COLUMNS   78u
#define NAME_BYTES_MAX 128u

/* Write one character so that roff takes it for itself. */
static void char_put(FILE *page, utf8proc_int32_t c)
{
    static const struct {
        utf8proc_int32_t c;
        const char *as;
    } rows[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"}, {'`', "\\(ga"},
                {'^', "\\(ha"}, {'~', "\\(ti"}, {'"', "\\(dq"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].c == c) {
            (void)fputs(rows[i].as, page); /* The stream's error is looked at in the end. */
            return;
        }
    }
    if (c < 0x80) {
        (void)fputc(c, page);
    } else {
        (void)fprintf(page, "\\[u%04X]", (unsigned)c);
    }
}

/* Write bytes [text, text + len), which are UTF-8 from the table; a dot first begins no request. */
static void bytes_put(FILE *page, const char *text, size_t len)
{
    if (len > 0 && text[0] == '.') {
        (void)fputs("\\&", page);
    }
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t c;
        const utf8proc_ssize_t got =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(len - at), &c);
        char_put(page, got <= 0 ? '?' : c);
        at += got <= 0 ? 1 : (size_t)got;
    }
}

static void text_put(FILE *page, const char *text)
{
    bytes_put(page, text, strlen(text));
}

/* A paragraph, in lines of a readable length. */
static void paragraph_put(FILE *page, const char *text)
{
    size_t column = 0;
    for (const char *at = text; *at != '\0';) {
        const size_t len = strcspn(at, " ");
        if (column > 0 && column + 1 + len > LINE_COLUMNS) {
            (void)fputc('\n', page);
            column = 0;
        } else if (column > 0) {
            (void)fputc(' ', page);
            column++;
        }
        bytes_put(page, at, len);
        column += len;
        at += len;
        at += *at == ' ';
    }
    (void)fputc('\n', page);
}

/* A macro with one argument. */
static void macro_put(FILE *page, const char *macro, const char *text)
{
    (void)fprintf(page, ".%s \"", macro);
    text_put(page, text);
    (void)fputs("\"\n", page);
}

/* A term of a list and what it means. */
static void term_put(FILE *page, const char *term, const char *meaning)
{
    (void)fputs(".TP\n", page);
    macro_put(page, "B", term);
    paragraph_put(page, meaning);
}

static void upper_put(FILE *page, const char *name)
{
    for (; *name != '\0'; name++) {
        char_put(page, toupper((unsigned char)*name));
    }
}

/* Begin a page called name, "spean-agency-add". */
static void page_begin(FILE *page, const char *name, const char *summary)
{
    (void)fputs(".\\\" Made by spean help --man from the table of commands.\n.TH ", page);
    upper_put(page, name);
    (void)fprintf(page, " 1 " PAGE_DATE " \"spean %s\" \"spean manual\"\n", spean_version());
    macro_put(page, "SH", _("NAME"));
    text_put(page, name);
    (void)fputs(" \\- ", page);
    paragraph_put(page, summary);
}

static void flags_put(FILE *page, const struct spean_flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        (void)fputs(".TP\n.B ", page);
        if (flags->letter != '\0') {
            (void)fprintf(page, "\\-%c, ", flags->letter);
        }
        (void)fputs("\\-\\-", page);
        text_put(page, flags->name);
        if (flags->value != NULL) {
            (void)fputs(" \\fI", page);
            text_put(page, flags->value);
            (void)fputs("\\fP", page);
        }
        (void)fputc('\n', page);
        paragraph_put(page, _(flags->help));
        if (flags->choices != NULL) {
            macro_put(page, "I", flags->choices);
        }
        if (flags->required) {
            paragraph_put(page, _("(required)"));
        }
        if (flags->repeats) {
            paragraph_put(page, _("(may be repeated)"));
        }
    }
}

static void usage_put(FILE *page, const struct spean_command *command)
{
    (void)fputs(".B spean ", page);
    text_put(page, command->path);
    (void)fputs("\n[\\fI", page);
    text_put(page, _("FLAGS"));
    (void)fputs("\\fP]\n", page);
    for (const struct spean_arg *a = command->args; a != NULL && a->name != NULL; a++) {
        (void)fputs(a->optional ? "[\\fI" : "\\fI", page);
        upper_put(page, a->name);
        (void)fprintf(page, "\\fP%s%s\n", a->repeats ? "..." : "", a->optional ? "]" : "");
    }
}

/* What takes the command back. */
static void inverse_put(FILE *page, const struct spean_command *command)
{
    if (strcmp(command->inverse, SPEAN_INVERSE_READS) == 0) {
        paragraph_put(page, _("It changes nothing."));
    } else if (strcmp(command->inverse, SPEAN_INVERSE_NONE) == 0) {
        paragraph_put(page, _("It cannot be taken back."));
    } else {
        text_put(page, _("Undo:"));
        (void)fputs("\n.B spean ", page);
        text_put(page, command->inverse);
        (void)fputc('\n', page);
    }
}

static void command_put(FILE *page, const struct spean_command *command)
{
    paragraph_put(page, _(command->text));
    (void)fputs(".PP\n", page);
    inverse_put(page, command);
    for (const struct spean_arg *a = command->args; a != NULL && a->name != NULL; a++) {
        (void)fputs(".TP\n.I ", page);
        upper_put(page, a->name);
        (void)fputc('\n', page);
        paragraph_put(page, _(a->help));
    }
    flags_put(page, command->flags);
    const struct spean_question *q = command->questions;
    if (q != NULL) {
        (void)fputs(".PP\n", page);
        paragraph_put(page, _("Questions, by their names in a file for --answers:"));
    }
    for (; q != NULL && q->name != NULL; q++) {
        term_put(page, q->name, _(q->text));
    }
    (void)fputs(".PP\n", page);
    paragraph_put(page, _("Examples:"));
    (void)fputs(".PP\n.nf\n", page);
    for (const char *const *example = command->examples; *example != NULL; example++) {
        (void)fputs("    ", page);
        text_put(page, *example);
        (void)fputc('\n', page);
    }
    (void)fputs(".fi\n", page);
}

/* A page about count commands: a group's, or one. */
static void commands_page_put(FILE *page, const char *name, const char *summary,
                              const struct spean_command *commands, size_t count)
{
    page_begin(page, name, summary);
    macro_put(page, "SH", _("SYNOPSIS"));
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "" : ".br\n", page);
        usage_put(page, &commands[i]);
    }
    macro_put(page, "SH", _("DESCRIPTION"));
    for (size_t i = 0; i < count; i++) {
        char title[NAME_BYTES_MAX];
        (void)snprintf(title, sizeof(title), "spean %s", commands[i].path); /* Paths are short. */
        if (count > 1) {
            macro_put(page, "SS", title);
        }
        command_put(page, &commands[i]);
    }
    macro_put(page, "SH", _("SEE ALSO"));
    (void)fputs(".BR spean (1),\n.BR speand (8)\n", page);
}

static void groups_put(FILE *page)
{
    macro_put(page, "SH", _("COMMANDS"));
    for (size_t i = 0; spean_groups[i] != NULL; i++) {
        macro_put(page, "SS", _(spean_groups[i]->summary));
        for (const struct spean_command *c = spean_groups[i]->commands; c->path != NULL; c++) {
            char title[NAME_BYTES_MAX];
            (void)snprintf(title, sizeof(title), "spean %s", c->path); /* Paths are short. */
            term_put(page, title, _(c->summary));
        }
    }
}

static void exits_put(FILE *page)
{
    macro_put(page, "SH", _("EXIT STATUS"));
    for (const struct spean_help_exit *e = spean_help_exits; e->text != NULL; e++) {
        char number[16];
        (void)snprintf(number, sizeof(number), "%d", e->number); /* Fits. */
        term_put(page, number, _(e->text));
    }
}

static void surroundings_put(FILE *page)
{
    macro_put(page, "SH", _("ENVIRONMENT"));
    term_put(page, "SPEAN_HOME", _("where the node lives, unless --home says so"));
    term_put(page, "NO_COLOR", _("if set to something: no colour, unless --color says always"));
    term_put(page, "LANGUAGE, LC_ALL, LC_MESSAGES, LANG",
             _("the language of messages, unless --lang says so"));
    macro_put(page, "SH", _("FILES"));
    term_put(page, "~/.local/share/spean", _("the node's home, if nothing else is said"));
}

static void overview_page_put(FILE *page)
{
    page_begin(page, "spean", _("refer people between organisations, and keep their cases"));
    macro_put(page, "SH", _("SYNOPSIS"));
    (void)fputs(".B spean\n\\fICOMMAND\\fP [\\fIFLAGS\\fP] [\\fIARGUMENTS\\fP]\n", page);
    macro_put(page, "SH", _("DESCRIPTION"));
    paragraph_put(page, _("Speaks to the node of this organisation, speand, which keeps in step "
                          "with the nodes of partner organisations by itself. Results go to "
                          "standard output, everything else to standard error. Personal data is "
                          "never taken from the command line: flags for it take @FILE, or - for "
                          "standard input, and questions are asked at the terminal."));
    groups_put(page);
    macro_put(page, "SH", _("OPTIONS"));
    paragraph_put(page, _("Every command takes these:"));
    flags_put(page, spean_global_flags);
    exits_put(page);
    surroundings_put(page);
    macro_put(page, "SH", _("SEE ALSO"));
    for (size_t i = 0; spean_groups[i] != NULL; i++) {
        (void)fputs(".BR spean\\-", page);
        text_put(page, spean_groups[i]->name);
        (void)fputs(" (1),\n", page);
    }
    (void)fputs(".BR speand (8)\n", page);
}

/* What a page is about; all NULL: everything. */
struct subject {
    const struct spean_group *group;
    const struct spean_command *command;
};

static void page_put(FILE *page, const struct subject *subject)
{
    char name[NAME_BYTES_MAX];
    if (subject->group != NULL) {
        size_t count = 0;
        while (subject->group->commands[count].path != NULL) {
            count++;
        }
        (void)snprintf(name, sizeof(name), "spean-%s", subject->group->name); /* Short. */
        commands_page_put(page, name, _(subject->group->summary), subject->group->commands, count);
    } else if (subject->command != NULL) {
        (void)snprintf(name, sizeof(name), "spean-%s", subject->command->path); /* Short. */
        for (char *at = name; *at != '\0'; at++) {
            *at = *at == ' ' ? '-' : *at;
        }
        commands_page_put(page, name, _(subject->command->summary), subject->command, 1);
    } else {
        overview_page_put(page);
    }
}

static spean_err page_make(const struct subject *subject, char **out)
{
    char *text = NULL;
    size_t len = 0;
    FILE *const page = open_memstream(&text, &len);
    if (page == NULL) {
        return SPEAN_ENOMEM;
    }
    page_put(page, subject);
    const bool failed = ferror(page) != 0;
    if (fclose(page) != 0 || failed) {
        free(text);
        return SPEAN_ENOMEM;
    }
    *out = text;
    return SPEAN_OK;
}

spean_err spean_manual_overview(char **out)
{
    assert(out != NULL);
    return page_make(&(struct subject){0}, out);
}

spean_err spean_manual_group(const struct spean_group *group, char **out)
{
    assert(group != NULL);
    assert(out != NULL);
    return page_make(&(struct subject){.group = group}, out);
}

spean_err spean_manual_command(const struct spean_command *command, char **out)
{
    assert(command != NULL);
    assert(out != NULL);
    return page_make(&(struct subject){.command = command}, out);
}
