#include "tools/answers.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "tools/i18n.h"
#include "tools/input.h"
#include "tools/vformat.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789._-"
#define BLANKS     " \t\r"

struct answer {
    const char *name; /* Both point into the text of the file. */
    const char *value;
    bool used;
};

struct spean_answers {
    char *text;
    size_t text_len;
    struct answer answers[SPEAN_ANSWERS_COUNT_MAX];
    size_t count;
};

static bool is_known(const struct spean_question *known, const char *name)
{
    if (strcmp(name, SPEAN_ANSWER_PROCEED) == 0 || strcmp(name, SPEAN_ANSWER_CONFIRM) == 0) {
        return true;
    }
    for (; known != NULL && known->name != NULL; known++) {
        if (strcmp(known->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_given(const struct spean_answers *answers, const char *name)
{
    for (size_t i = 0; i < answers->count; i++) {
        if (strcmp(answers->answers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Read one line, which is cut into name and value in place. Values stay out of messages. */
static enum spean_exit line_read(struct spean_answers *answers, char *line, unsigned number,
                                 const struct spean_question *known, struct spean_problem *problem)
{
    char *const name = line + strspn(line, BLANKS);
    const size_t name_len = strspn(name, NAME_CHARS);
    if (name[0] == '\0' || name[0] == '#') {
        return SPEAN_EXIT_DONE;
    }
    if (name_len == 0 || name_len > SPEAN_ANSWERS_NAME_BYTES_MAX || name[name_len] != ':') {
        return spean_problem_usage(problem, _("answers, line %u: not \"name: answer\""), number);
    }
    name[name_len] = '\0';
    char *const value = name + name_len + 1 + strspn(name + name_len + 1, BLANKS);
    size_t value_len = strlen(value);
    while (value_len > 0 && strchr(BLANKS, value[value_len - 1]) != NULL) {
        value[--value_len] = '\0';
    }
    if (value_len > SPEAN_ANSWER_BYTES_MAX) {
        return spean_problem_usage(problem, _("answers, line %u: too long"), number);
    }
    if (!is_known(known, name)) {
        (void)spean_problem_usage(problem, _("answers, line %u: \"%s\" is never asked here"),
                                  number, name);
        spean_problem_hint(problem, "%s", _("\"spean help VERB\" lists the questions by name"));
        return SPEAN_EXIT_USAGE;
    }
    if (is_given(answers, name)) {
        return spean_problem_usage(problem, _("answers, line %u: \"%s\" is answered twice"), number,
                                   name);
    }
    if (answers->count == SPEAN_ANSWERS_COUNT_MAX) {
        return spean_problem_usage(problem, _("more than %u answers"), SPEAN_ANSWERS_COUNT_MAX);
    }
    answers->answers[answers->count++] = (struct answer){.name = name, .value = value};
    return SPEAN_EXIT_DONE;
}

/* Refuse a file that others can read. One that is not there is reported by reading it. */
static enum spean_exit exposure_check(const char *path, struct spean_problem *problem)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) ||
        (info.st_mode & (S_IRWXG | S_IRWXO)) == 0) {
        return SPEAN_EXIT_DONE;
    }
    (void)spean_problem_set(problem, SPEAN_EXIT_DENIED, "exposed",
                            _("%s can be read by others, and may hold secrets"), path);
    spean_problem_hint(problem, "chmod 600 %s", path);
    return SPEAN_EXIT_DENIED;
}

enum spean_exit spean_answers_load(const char *path, const struct spean_question *known,
                                   struct spean_answers **out, struct spean_problem *problem)
{
    assert(path != NULL);
    assert(out != NULL);
    struct spean_answers *answers = calloc(1, sizeof(*answers));
    char *const spec = spean_format("@%s", path);
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (answers == NULL || spec == NULL) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, path);
        goto out;
    }
    exit = exposure_check(path, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_input_text(spec, SPEAN_ANSWERS_FILE_BYTES_MAX, &answers->text, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        goto out;
    }

    answers->text_len = strlen(answers->text);
    unsigned number = 0;
    char *const end = answers->text + answers->text_len;
    for (char *line = answers->text; line < end && exit == SPEAN_EXIT_DONE;) {
        char *const line_end = line + strcspn(line, "\n");
        *line_end = '\0';
        exit = line_read(answers, line, ++number, known, problem);
        line = line_end + 1;
    }
out:
    free(spec);
    if (exit != SPEAN_EXIT_DONE) {
        spean_answers_free(answers);
        return exit;
    }
    *out = answers;
    return SPEAN_EXIT_DONE;
}

void spean_answers_free(struct spean_answers *answers)
{
    if (answers == NULL) {
        return;
    }
    if (answers->text != NULL) {
        sodium_memzero(answers->text, answers->text_len);
    }
    free(answers->text);
    free(answers);
}

const char *spean_answers_take(struct spean_answers *answers, const char *name)
{
    assert(answers != NULL);
    assert(name != NULL);
    for (size_t i = 0; i < answers->count; i++) {
        if (strcmp(answers->answers[i].name, name) == 0) {
            answers->answers[i].used = true;
            return answers->answers[i].value;
        }
    }
    return NULL;
}

const char *spean_answers_unused(const struct spean_answers *answers)
{
    assert(answers != NULL);
    for (size_t i = 0; i < answers->count; i++) {
        if (!answers->answers[i].used) {
            return answers->answers[i].name;
        }
    }
    return NULL;
}
