#include "tools/help.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tools/display.h"
#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/vformat.h"

#define NAME_BYTES_MAX 64u

/* Print text in lines of at most SPEAN_HELP_COLUMNS cells, broken at spaces. */
static void paragraph(struct spean_out *out, const char *text)
{
    while (*text != '\0') {
        const size_t len = spean_display_fit(text, SPEAN_HELP_COLUMNS);
        spean_out_line(out, "%.*s", (int)len, text);
        text += len;
        text += *text == ' ';
    }
}

static void upper(const char *name, char out[NAME_BYTES_MAX])
{
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < NAME_BYTES_MAX; i++) {
        out[i] = (char)toupper((unsigned char)name[i]);
    }
    out[i] = '\0';
}

/* Begin a table of two columns, what is typed and what it means; pairs_end() prints and frees. */
static spean_err pairs_begin(struct spean_grid **table)
{
    const spean_err err = spean_grid_new(table);
    if (err == SPEAN_OK) {
        spean_grid_column(*table, NULL, false);
        spean_grid_column(*table, NULL, false);
        spean_grid_wrap(*table, SPEAN_HELP_COLUMNS);
    }
    return err;
}

static void pairs_end(struct spean_out *out, struct spean_grid *table)
{
    spean_out_grid(out, table);
    spean_grid_free(table);
}

static spean_err flags_print(struct spean_out *out, const struct spean_flag *flags)
{
    struct spean_grid *table;
    const spean_err err = pairs_begin(&table);
    if (err != SPEAN_OK) {
        return err;
    }
    for (; flags != NULL && flags->name != NULL; flags++) {
        char letter[] = "-x, ";
        letter[1] = flags->letter;
        spean_grid_cell(table, "  %s--%s%s%s", flags->letter == '\0' ? "    " : letter, flags->name,
                        flags->value == NULL ? "" : " ", flags->value == NULL ? "" : flags->value);
        spean_grid_cell(table, "%s%s%s", _(flags->help), flags->required ? _(" (required)") : "",
                        flags->repeats ? _(" (may be repeated)") : "");
    }
    pairs_end(out, table);
    return SPEAN_OK;
}

static spean_err commands_print(struct spean_out *out, const struct spean_command *commands)
{
    struct spean_grid *table;
    const spean_err err = pairs_begin(&table);
    if (err != SPEAN_OK) {
        return err;
    }
    for (; commands->path != NULL; commands++) {
        spean_grid_cell(table, "  spean %s", commands->path);
        spean_grid_cell(table, "%s", _(commands->summary));
    }
    pairs_end(out, table);
    return SPEAN_OK;
}

#define EXIT_ROW(code, number, name, text) {number, text},
const struct spean_help_exit spean_help_exits[] = {SPEAN_EXIT_TABLE(EXIT_ROW){0, NULL}};
#undef EXIT_ROW

static spean_err exits_print(struct spean_out *out)
{
    struct spean_grid *table;
    const spean_err err = pairs_begin(&table);
    if (err != SPEAN_OK) {
        return err;
    }
    for (const struct spean_help_exit *e = spean_help_exits; e->text != NULL; e++) {
        spean_grid_cell(table, "  %d", e->number);
        spean_grid_cell(table, "%s", _(e->text));
    }
    pairs_end(out, table);
    return SPEAN_OK;
}

/* Put object into array or give up, and say so by NULL. Takes both. */
static json_t *append(json_t *array, json_t *object)
{
    if (json_array_append_new(array, object) != 0) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static const char *kind_name(enum spean_kind kind)
{
    switch (kind) {
    case SPEAN_KIND_NONE:
        return "none";
    case SPEAN_KIND_TEXT:
        return "text";
    case SPEAN_KIND_PRIVATE:
        return "private";
    case SPEAN_KIND_FILE:
        return "file";
    case SPEAN_KIND_NUMBER:
        return "number";
    case SPEAN_KIND_CHOICE:
        return "choice";
    case SPEAN_KIND_ID:
        return "id";
    }
    return "none";
}

static json_t *flags_json(const struct spean_flag *flags)
{
    json_t *array = json_array();
    for (; array != NULL && flags != NULL && flags->name != NULL; flags++) {
        const char letter[] = {flags->letter, '\0'};
        array = append(array, json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:b,s:b,s:s}", "name", flags->name,
                                        "letter", letter, "kind", kind_name(flags->kind), "value",
                                        flags->value, "choices", flags->choices, "required",
                                        flags->required, "repeats", flags->repeats, "help",
                                        _(flags->help)));
    }
    return array;
}

static json_t *args_json(const struct spean_arg *args)
{
    json_t *array = json_array();
    for (; array != NULL && args != NULL && args->name != NULL; args++) {
        array = append(array,
                       json_pack("{s:s,s:s,s:s?,s:b,s:b,s:s}", "name", args->name, "kind",
                                 kind_name(args->kind), "choices", args->choices, "optional",
                                 args->optional, "repeats", args->repeats, "help", _(args->help)));
    }
    return array;
}

static json_t *questions_json(const struct spean_question *questions)
{
    json_t *array = json_array();
    for (; array != NULL && questions != NULL && questions->name != NULL; questions++) {
        array = append(array, json_pack("{s:s,s:s?,s:s,s:b,s:b}", "name", questions->name, "flag",
                                        questions->flag, "text", _(questions->text), "secret",
                                        questions->secret, "optional", questions->optional));
    }
    return array;
}

static json_t *examples_json(const char *const *examples)
{
    json_t *array = json_array();
    for (; array != NULL && *examples != NULL; examples++) {
        array = append(array, json_string(*examples));
    }
    return array;
}

static bool changes(const struct spean_command *command)
{
    return strcmp(command->inverse, SPEAN_INVERSE_READS) != 0;
}

/* Give the verb that takes command back; NULL: there is none, or nothing to take back. */
static const char *inverse_of(const struct spean_command *command)
{
    const bool none = strcmp(command->inverse, SPEAN_INVERSE_NONE) == 0;
    return changes(command) && !none ? command->inverse : NULL;
}

static json_t *command_json(const struct spean_command *command)
{
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:b,s:s?,s:o}", "path", command->path, "summary",
                     _(command->summary), "text", _(command->text), "flags",
                     flags_json(command->flags), "args", args_json(command->args), "questions",
                     questions_json(command->questions), "changes", changes(command), "inverse",
                     inverse_of(command), "examples", examples_json(command->examples));
}

static json_t *group_json(const struct spean_group *group)
{
    json_t *array = json_array();
    for (const struct spean_command *c = group->commands; array != NULL && c->path != NULL; c++) {
        array = append(array, command_json(c));
    }
    return json_pack("{s:s,s:s,s:o}", "name", group->name, "summary", _(group->summary), "commands",
                     array);
}

/* Print object, which is taken; NULL: memory ran out while it was made. */
static spean_err print_json(struct spean_out *out, json_t *object)
{
    if (object == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_out_json(out, object);
    json_decref(object);
    return SPEAN_OK;
}

spean_err spean_help_overview(struct spean_out *out)
{
    assert(out != NULL);
    if (spean_out_is_json(out)) {
        json_t *array = json_array();
        for (size_t i = 0; array != NULL && spean_groups[i] != NULL; i++) {
            array = append(array, group_json(spean_groups[i]));
        }
        return print_json(out, json_pack("{s:o,s:o}", "groups", array, "global_flags",
                                         flags_json(spean_global_flags)));
    }
    spean_out_line(out, "%s", _("spean - a shared referral ledger among partner organisations"));
    spean_out_line(out, "%s", "");
    spean_out_line(out, "%s", _("Usage: spean VERB [FLAGS] [ARGUMENTS]"));
    spean_err err = SPEAN_OK;
    for (size_t i = 0; err == SPEAN_OK && spean_groups[i] != NULL; i++) {
        spean_out_line(out, "%s", "");
        spean_out_line(out, "%s", _(spean_groups[i]->summary));
        err = commands_print(out, spean_groups[i]->commands);
    }
    if (err == SPEAN_OK) {
        spean_out_line(out, "%s", "");
        spean_out_line(out, "%s", _("Flags of every command"));
        err = flags_print(out, spean_global_flags);
    }
    if (err == SPEAN_OK) {
        spean_out_line(out, "%s", "");
        spean_out_line(out, "%s", _("Exit codes"));
        err = exits_print(out);
    }
    return err;
}

spean_err spean_help_group(struct spean_out *out, const struct spean_group *group)
{
    assert(out != NULL);
    assert(group != NULL);
    if (spean_out_is_json(out)) {
        return print_json(out, group_json(group));
    }
    spean_out_line(out, "%s", _(group->summary));
    const spean_err err = commands_print(out, group->commands);
    spean_out_line(out, "%s", "");
    spean_out_line(out, "%s", _("More about one: spean help VERB"));
    return err;
}

/* The usage line: "Usage: spean agency show [FLAGS] AGENCY". */
static spean_err usage_print(struct spean_out *out, const struct spean_command *command)
{
    char *line = spean_format(_("Usage: spean %s [FLAGS]"), command->path);
    const struct spean_arg *arg = command->args;
    for (; line != NULL && arg != NULL && arg->name != NULL; arg++) {
        char name[NAME_BYTES_MAX];
        upper(arg->name, name);
        char *const longer = spean_format("%s %s%s%s%s", line, arg->optional ? "[" : "", name,
                                          arg->repeats ? "..." : "", arg->optional ? "]" : "");
        free(line);
        line = longer;
    }
    if (line == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_out_line(out, "%s", line);
    free(line);
    return SPEAN_OK;
}

static spean_err args_print(struct spean_out *out, const struct spean_arg *args)
{
    struct spean_grid *table;
    const spean_err err = pairs_begin(&table);
    if (err != SPEAN_OK) {
        return err;
    }
    for (; args != NULL && args->name != NULL; args++) {
        char name[NAME_BYTES_MAX];
        upper(args->name, name);
        spean_grid_cell(table, "  %s", name);
        spean_grid_cell(table, "%s", _(args->help));
    }
    pairs_end(out, table);
    return SPEAN_OK;
}

static spean_err questions_print(struct spean_out *out, const struct spean_question *questions)
{
    struct spean_grid *table;
    const spean_err err = pairs_begin(&table);
    if (err != SPEAN_OK) {
        return err;
    }
    for (; questions->name != NULL; questions++) {
        spean_grid_cell(table, "  %s", questions->name);
        spean_grid_cell(table, "%s%s", _(questions->text),
                        questions->optional ? _(" (may be empty)") : "");
    }
    spean_out_line(out, "%s", "");
    spean_out_line(out, "%s", _("Questions, by their names in an --answers file"));
    pairs_end(out, table);
    return SPEAN_OK;
}

/* Print a command line, over several lines, before flags, where it is long. */
static void example_print(struct spean_out *out, const char *example)
{
    const char *indent = "  ";
    while (strlen(indent) + strlen(example) > SPEAN_HELP_COLUMNS) {
        size_t len = 0;
        for (const char *at = strstr(example, " --"); at != NULL; at = strstr(at + 1, " --")) {
            const size_t before = (size_t)(at - example);
            len = len == 0 || strlen(indent) + before + 2 <= SPEAN_HELP_COLUMNS ? before : len;
        }
        if (len == 0) {
            break; /* Nowhere to break it. */
        }
        spean_out_line(out, "%s%.*s \\", indent, (int)len, example);
        example += len + 1;
        indent = "      ";
    }
    spean_out_line(out, "%s%s", indent, example);
}

/* What takes it back, and how it is typed. */
static void ending_print(struct spean_out *out, const struct spean_command *command)
{
    spean_out_line(out, "%s", "");
    if (inverse_of(command) != NULL) {
        spean_out_line(out, _("Undo: spean %s"), inverse_of(command));
    } else {
        spean_out_line(out, "%s",
                       changes(command) ? _("It cannot be taken back.") : _("It changes nothing."));
    }
    spean_out_line(out, "%s", "");
    spean_out_line(out, "%s", _("Examples"));
    for (const char *const *example = command->examples; *example != NULL; example++) {
        example_print(out, *example);
    }
    spean_out_line(out, "%s", "");
    spean_out_line(out, "%s", _("Flags of every command and exit codes: spean help"));
}

spean_err spean_help_command(struct spean_out *out, const struct spean_command *command)
{
    assert(out != NULL);
    assert(command != NULL);
    if (spean_out_is_json(out)) {
        return print_json(out, command_json(command));
    }
    spean_out_line(out, "spean %s - %s", command->path, _(command->summary));
    spean_out_line(out, "%s", "");
    spean_err err = usage_print(out, command);
    spean_out_line(out, "%s", "");
    paragraph(out, _(command->text));
    if (err == SPEAN_OK && command->args != NULL) {
        spean_out_line(out, "%s", "");
        err = args_print(out, command->args);
    }
    if (err == SPEAN_OK && command->flags != NULL) {
        spean_out_line(out, "%s", "");
        err = flags_print(out, command->flags);
    }
    if (err == SPEAN_OK && command->questions != NULL) {
        err = questions_print(out, command->questions);
    }
    if (err == SPEAN_OK) {
        ending_print(out, command);
    }
    return err;
}
