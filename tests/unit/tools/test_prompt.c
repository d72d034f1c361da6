#define _XOPEN_SOURCE 700 /* posix_openpt() */

#include "tools/prompt.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"
#include "tools/interrupt.h"

#define PATH_BYTES   128u
#define SHOWN_BYTES  4096u
#define ANSWER_BYTES 16u

static const struct spean_question name_question = {
    .name = "person.name", .flag = "name", .text = "Name"};
static const struct spean_question secret_question = {
    .name = "passphrase", .text = "Passphrase", .secret = true};

/* A person at a pseudo-terminal, who types when asked. */
struct person {
    int master;
    int slave; /* Held open, so that the terminal's settings outlive the question. */
    char path[PATH_BYTES];
    const char *types; /* NULL: sends SIGINT to the asker instead. */
    pthread_t asker;
    pthread_t thread;
    char shown[SHOWN_BYTES]; /* What the terminal showed until a line break came back. */
};

static void *person_live(void *context)
{
    struct person *const person = context;
    size_t used = 0;
    int typed = 0;
    while (used < SHOWN_BYTES - 1) {
        const ssize_t got = read(person->master, person->shown + used, SHOWN_BYTES - 1 - used);
        if (got <= 0) {
            break;
        }
        used += (size_t)got;
        person->shown[used] = '\0';
        if (!typed && strstr(person->shown, ": ") != NULL) {
            typed = 1;
            if (person->types == NULL) {
                (void)pthread_kill(person->asker, SIGINT);
                break;
            }
            if (write(person->master, person->types, strlen(person->types)) < 0) {
                break;
            }
        }
        if (typed && strchr(person->shown, '\n') != NULL) {
            break;
        }
    }
    return NULL;
}

static void person_start(struct person *person, const char *types)
{
    memset(person, 0, sizeof(*person));
    person->types = types;
    person->asker = pthread_self();
    person->master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(person->master >= 0);
    assert_int_equal(grantpt(person->master), 0);
    assert_int_equal(unlockpt(person->master), 0);
    (void)snprintf(person->path, sizeof(person->path), "%s", ptsname(person->master));
    person->slave = open(person->path, O_RDWR | O_NOCTTY);
    assert_true(person->slave >= 0);
    assert_int_equal(pthread_create(&person->thread, NULL, person_live, person), 0);
}

/* Wait for the person; the terminal must echo as before. */
static void person_end(struct person *person)
{
    struct termios settings;
    assert_int_equal(pthread_join(person->thread, NULL), 0);
    assert_int_equal(tcgetattr(person->slave, &settings), 0);
    assert_true((settings.c_lflag & ECHO) != 0);
    assert_int_equal(close(person->slave), 0);
    assert_int_equal(close(person->master), 0);
}

static enum spean_exit ask_person(const struct spean_question *question, const char *types,
                                  char answer[ANSWER_BYTES], char shown[SHOWN_BYTES],
                                  struct spean_problem *problem)
{
    struct person person;
    struct spean_prompt *prompt;
    person_start(&person, types);
    const struct spean_prompt_options options = {.terminal = person.path};
    assert_int_equal(spean_prompt_new(&options, &prompt), SPEAN_OK);
    const enum spean_exit exit = spean_prompt_ask(prompt, question, answer, ANSWER_BYTES, problem);
    person_end(&person);
    memcpy(shown, person.shown, SHOWN_BYTES);
    spean_prompt_free(prompt);
    return exit;
}

static void what_is_typed_is_the_answer_and_is_shown(void **state)
{
    (void)state;
    struct spean_problem problem;
    char answer[ANSWER_BYTES];
    char shown[SHOWN_BYTES];
    assert_int_equal(ask_person(&name_question, "Dara\n", answer, shown, &problem),
                     SPEAN_EXIT_DONE);
    assert_string_equal(answer, "Dara");
    assert_non_null(strstr(shown, "Name: Dara"));
}

static void a_secret_is_not_shown(void **state)
{
    (void)state;
    struct spean_problem problem;
    char answer[ANSWER_BYTES];
    char shown[SHOWN_BYTES];
    assert_int_equal(ask_person(&secret_question, "hunter2\n", answer, shown, &problem),
                     SPEAN_EXIT_DONE);
    assert_string_equal(answer, "hunter2");
    assert_null(strstr(shown, "hunter2"));
    assert_non_null(strstr(shown, "Passphrase: "));
}

static void an_overlong_empty_or_broken_answer_is_refused(void **state)
{
    (void)state;
    struct spean_problem problem;
    char answer[ANSWER_BYTES];
    char shown[SHOWN_BYTES];
    assert_int_equal(ask_person(&secret_question, "0123456789abcdef\n", answer, shown, &problem),
                     SPEAN_EXIT_USAGE);
    assert_int_equal(ask_person(&secret_question, "0123456789abcde\n", answer, shown, &problem),
                     SPEAN_EXIT_DONE);
    assert_int_equal(ask_person(&name_question, "\n", answer, shown, &problem), SPEAN_EXIT_USAGE);
    assert_int_equal(ask_person(&name_question, "\xff\n", answer, shown, &problem),
                     SPEAN_EXIT_USAGE);
    struct spean_question optional = name_question;
    optional.optional = true;
    assert_int_equal(ask_person(&optional, "\n", answer, shown, &problem), SPEAN_EXIT_DONE);
    assert_string_equal(answer, "");
}

/* A prompt over answers in text; known questions are the two above. */
struct script {
    char folder[PATH_BYTES];
    char path[PATH_BYTES];
    struct spean_answers *answers;
    struct spean_prompt *prompt;
};

static void script_start(struct script *script, const char *text, bool yes)
{
    static struct spean_question known[3];
    known[0] = name_question;
    known[1] = secret_question;
    struct spean_problem problem;
    scratch_make(script->folder, sizeof(script->folder));
    scratch_write(script->folder, "answers", text, script->path, sizeof(script->path));
    assert_int_equal(spean_answers_load(script->path, known, &script->answers, &problem),
                     SPEAN_EXIT_DONE);
    const struct spean_prompt_options options = {
        .yes = yes, .answers = script->answers, .terminal = "/nonexistent"};
    assert_int_equal(spean_prompt_new(&options, &script->prompt), SPEAN_OK);
}

static void script_end(struct script *script)
{
    spean_prompt_free(script->prompt);
    spean_answers_free(script->answers);
    scratch_remove(script->folder);
}

static void answers_in_a_file_take_the_place_of_typing(void **state)
{
    (void)state;
    struct script script;
    struct spean_problem problem;
    char answer[ANSWER_BYTES];
    script_start(&script, "person.name: ដារា\npassphrase: @@x\n", false);
    assert_true(spean_prompt_scripted(script.prompt));
    assert_int_equal(spean_prompt_finish(script.prompt, &problem), SPEAN_EXIT_USAGE);
    assert_non_null(strstr(problem.message, "person.name"));
    assert_int_equal(
        spean_prompt_ask(script.prompt, &name_question, answer, sizeof(answer), &problem),
        SPEAN_EXIT_DONE);
    assert_string_equal(answer, "ដារា");
    assert_int_equal(
        spean_prompt_ask(script.prompt, &secret_question, answer, sizeof(answer), &problem),
        SPEAN_EXIT_DONE);
    assert_string_equal(answer, "@x");
    assert_int_equal(spean_prompt_finish(script.prompt, &problem), SPEAN_EXIT_DONE);
    script_end(&script);
}

static void an_answer_may_be_a_file_that_is_written_later(void **state)
{
    (void)state;
    struct script script;
    struct spean_problem problem;
    char answer[ANSWER_BYTES];
    char text[2 * PATH_BYTES];
    char later[PATH_BYTES];
    (void)snprintf(text, sizeof(text), "passphrase: @%s\n", "/nonexistent/later");
    script_start(&script, text, false);
    assert_int_equal(
        spean_prompt_ask(script.prompt, &secret_question, answer, sizeof(answer), &problem),
        SPEAN_EXIT_NOT_FOUND);
    script_end(&script);

    char place[PATH_BYTES];
    scratch_make(place, sizeof(place));
    (void)snprintf(text, sizeof(text), "passphrase: @%s/later\n", place);
    script_start(&script, text, false);
    scratch_write(place, "later", "from a file\n", later, sizeof(later));
    assert_int_equal(
        spean_prompt_ask(script.prompt, &secret_question, answer, sizeof(answer), &problem),
        SPEAN_EXIT_DONE);
    assert_string_equal(answer, "from a file");
    scratch_write(place, "later", "much longer than fits\n", later, sizeof(later));
    assert_int_equal(
        spean_prompt_ask(script.prompt, &secret_question, answer, sizeof(answer), &problem),
        SPEAN_EXIT_USAGE);
    script_end(&script);
    scratch_remove(place);
}

static void a_missing_answer_is_refused_with_its_name_and_flag(void **state)
{
    (void)state;
    struct script script;
    struct spean_problem problem;
    char answer[ANSWER_BYTES] = "before";
    script_start(&script, "", false);
    assert_int_equal(
        spean_prompt_ask(script.prompt, &name_question, answer, sizeof(answer), &problem),
        SPEAN_EXIT_USAGE);
    assert_non_null(strstr(problem.message, "\"person.name\""));
    assert_non_null(strstr(problem.hint, "--name"));
    assert_string_equal(answer, "before");
    script_end(&script);
}

static void nobody_is_asked_without_input_or_terminal(void **state)
{
    (void)state;
    const struct spean_prompt_options options[] = {
        {.no_input = true, .terminal = "/dev/null"},
        {.terminal = "/nonexistent/terminal"},
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        struct spean_prompt *prompt;
        struct spean_problem problem;
        char answer[ANSWER_BYTES];
        assert_int_equal(spean_prompt_new(&options[i], &prompt), SPEAN_OK);
        assert_int_equal(spean_prompt_ask(prompt, &name_question, answer, sizeof(answer), &problem),
                         SPEAN_EXIT_USAGE);
        assert_non_null(strstr(problem.hint, "--name"));
        assert_int_equal(spean_prompt_proceed(prompt, "Go on?", &problem), SPEAN_EXIT_USAGE);
        assert_non_null(strstr(problem.hint, "--yes"));
        assert_int_equal(spean_prompt_confirm(prompt, "Bridge", NULL, &problem), SPEAN_EXIT_USAGE);
        assert_non_null(strstr(problem.hint, "--confirm"));
        spean_prompt_free(prompt);
    }
}

static void a_secret_is_never_read_from_what_is_no_terminal(void **state)
{
    (void)state;
    const struct spean_prompt_options options = {.terminal = "/dev/null"};
    struct spean_prompt *prompt;
    struct spean_problem problem;
    char answer[ANSWER_BYTES];
    assert_int_equal(spean_prompt_new(&options, &prompt), SPEAN_OK);
    assert_int_equal(spean_prompt_ask(prompt, &secret_question, answer, sizeof(answer), &problem),
                     SPEAN_EXIT_FAILED);
    spean_prompt_free(prompt);
}

static void yes_answers_harmless_questions_only(void **state)
{
    (void)state;
    const struct spean_prompt_options options = {.yes = true, .no_input = true, .terminal = "/x"};
    struct spean_prompt *prompt;
    struct spean_problem problem;
    assert_int_equal(spean_prompt_new(&options, &prompt), SPEAN_OK);
    assert_int_equal(spean_prompt_proceed(prompt, "Go on?", &problem), SPEAN_EXIT_DONE);
    assert_int_equal(spean_prompt_confirm(prompt, "Bridge", NULL, &problem), SPEAN_EXIT_USAGE);
    spean_prompt_free(prompt);
}

static void anything_but_yes_is_a_no(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum spean_exit exit;
    } rows[] = {
        {"proceed: yes", SPEAN_EXIT_DONE},    {"proceed: Y", SPEAN_EXIT_DONE},
        {"proceed: no", SPEAN_EXIT_FAILED},   {"proceed:", SPEAN_EXIT_FAILED},
        {"proceed: yess", SPEAN_EXIT_FAILED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct script script;
        struct spean_problem problem;
        script_start(&script, rows[i].text, false);
        assert_int_equal(spean_prompt_proceed(script.prompt, "Go on?", &problem), rows[i].exit);
        script_end(&script);
    }
}

static void only_the_organisations_name_confirms_in_either_normal_form(void **state)
{
    (void)state;
    static const char nfc[] = "Hà Nội";
    static const char nfd[] = "Ha\xcc\x80 No\xcc\xa3\xcc\x82i";
    struct script script;
    struct spean_problem problem;
    script_start(&script, "confirm: Ha\xcc\x80 No\xcc\xa3\xcc\x82i\n", true);
    assert_int_equal(spean_prompt_confirm(script.prompt, nfc, NULL, &problem), SPEAN_EXIT_DONE);
    assert_int_equal(spean_prompt_confirm(script.prompt, nfc, nfd, &problem), SPEAN_EXIT_DONE);
    assert_int_equal(spean_prompt_confirm(script.prompt, nfc, nfc, &problem), SPEAN_EXIT_DONE);
    assert_int_equal(spean_prompt_confirm(script.prompt, nfc, "Ha Noi", &problem),
                     SPEAN_EXIT_USAGE);
    assert_int_equal(spean_prompt_confirm(script.prompt, nfc, "yes", &problem), SPEAN_EXIT_USAGE);
    assert_int_equal(spean_prompt_confirm(script.prompt, nfc, "", &problem), SPEAN_EXIT_USAGE);
    script_end(&script);
}

/* The last one: what it does to the process cannot be undone. */
static void an_interrupt_ends_the_question_and_the_terminal_echoes_again(void **state)
{
    (void)state;
    struct spean_problem problem;
    char answer[ANSWER_BYTES];
    char shown[SHOWN_BYTES];
    assert_int_equal(spean_interrupt_install(), SPEAN_OK);
    assert_false(spean_interrupted());
    assert_int_equal(ask_person(&secret_question, NULL, answer, shown, &problem),
                     SPEAN_EXIT_INTERRUPTED);
    assert_true(spean_interrupted());
    assert_string_equal(problem.code, "interrupted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_is_the_answer_and_is_shown),
        cmocka_unit_test(a_secret_is_not_shown),
        cmocka_unit_test(an_overlong_empty_or_broken_answer_is_refused),
        cmocka_unit_test(answers_in_a_file_take_the_place_of_typing),
        cmocka_unit_test(an_answer_may_be_a_file_that_is_written_later),
        cmocka_unit_test(a_missing_answer_is_refused_with_its_name_and_flag),
        cmocka_unit_test(nobody_is_asked_without_input_or_terminal),
        cmocka_unit_test(a_secret_is_never_read_from_what_is_no_terminal),
        cmocka_unit_test(yes_answers_harmless_questions_only),
        cmocka_unit_test(anything_but_yes_is_a_no),
        cmocka_unit_test(only_the_organisations_name_confirms_in_either_normal_form),
        cmocka_unit_test(an_interrupt_ends_the_question_and_the_terminal_echoes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
