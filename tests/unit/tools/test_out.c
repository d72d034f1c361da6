#include "tools/out.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A printer into memory; ended by assert_said(). */
struct printer {
    struct spean_out *out;
    struct spean_out_options options;
    char *results;
    char *talk;
    size_t results_len;
    size_t talk_len;
};

static void printer_open(struct printer *printer)
{
    printer->options.results = open_memstream(&printer->results, &printer->results_len);
    printer->options.talk = open_memstream(&printer->talk, &printer->talk_len);
    assert_non_null(printer->options.results);
    assert_non_null(printer->options.talk);
    assert_int_equal(spean_out_new(&printer->options, &printer->out), SPEAN_OK);
}

/* End the printer and compare all that it said. */
static void assert_said(struct printer *printer, const char *results, const char *talk)
{
    int number = -1;
    assert_int_equal(spean_out_finish(printer->out, &number), SPEAN_OK);
    assert_int_equal(number, 0);
    spean_out_free(printer->out);
    assert_int_equal(fclose(printer->options.results), 0);
    assert_int_equal(fclose(printer->options.talk), 0);
    assert_string_equal(printer->results, results);
    assert_string_equal(printer->talk, talk);
    free(printer->results);
    free(printer->talk);
}

static void say_everything(struct spean_out *out)
{
    json_t *const object = json_pack("{s:i}", "n", 1);
    spean_out_line(out, "line");
    spean_out_text(out, "first\nsecond");
    spean_out_json(out, object);
    spean_out_json_line(out, object);
    spean_out_done(out, "done");
    spean_out_note(out, "note");
    spean_out_next(out, "spean status");
    spean_out_warn(out, "warning");
    spean_out_progress(out, 0, "half");
    json_decref(object);
}

static void results_go_to_one_file_and_talk_to_the_other(void **state)
{
    (void)state;
    struct printer printer = {.options = {.unicode = true}};
    printer_open(&printer);
    say_everything(printer.out);
    assert_said(&printer, "line\n  first\n  second\n",
                "✔ done\nnote\nNext: spean status\n! warning\nhalf\n");
}

static void plain_marks_are_words(void **state)
{
    (void)state;
    struct printer printer = {.options = {.unicode = true, .plain = true}};
    printer_open(&printer);
    spean_out_done(printer.out, "done");
    assert_said(&printer, "", "ok: done\n");
    printer = (struct printer){.options = {.unicode = false}};
    printer_open(&printer);
    spean_out_done(printer.out, "done");
    assert_said(&printer, "", "ok: done\n");
}

static void quiet_leaves_results_and_warnings(void **state)
{
    (void)state;
    struct printer printer = {.options = {.quiet = true}};
    printer_open(&printer);
    say_everything(printer.out);
    assert_said(&printer, "line\n  first\n  second\n", "! warning\n");
}

/* So that both in one file or pipe read as they do on a terminal. */
static void talk_stands_behind_the_results_before_it(void **state)
{
    (void)state;
    struct printer printer = {.options = {.json = false}};
    printer_open(&printer);
    spean_out_line(printer.out, "line");
    spean_out_done(printer.out, "done");
    assert_int_equal(printer.results_len, strlen("line\n")); /* It was handed on. */
    assert_said(&printer, "line\n", "ok: done\n");
}

static void under_json_results_are_json_alone(void **state)
{
    (void)state;
    struct printer printer = {.options = {.json = true}};
    printer_open(&printer);
    say_everything(printer.out);
    assert_said(&printer, "{\n  \"n\": 1\n}\n{\"n\":1}\n", "! warning\n");
}

static void colour_surrounds_marks_and_never_data(void **state)
{
    (void)state;
    struct printer printer = {.options = {.talk_color = true, .unicode = true}};
    printer_open(&printer);
    spean_out_done(printer.out, "%s", "\x1b[31mdata");
    assert_said(&printer, "", "\x1b[32m✔\x1b[0m \xef\xbf\xbd[31mdata\n");
}

static void data_cannot_fake_a_line_of_ours(void **state)
{
    (void)state;
    struct printer printer = {.options = {.unicode = true}};
    printer_open(&printer);
    spean_out_line(printer.out, "name %s", "x\n✔ all sent");
    spean_out_text(printer.out, "x\r\n✔ all sent\x1b[A");
    assert_said(&printer, "name x\xe2\x86\xb5✔ all sent\n  x\n  ✔ all sent\xef\xbf\xbd[A\n", "");
}

static void an_error_is_talk_for_people_and_one_object_for_programs(void **state)
{
    (void)state;
    struct spean_problem problem;
    (void)spean_problem_set(&problem, SPEAN_EXIT_STATE, "wrong_state", "it is \"closed\"");
    spean_problem_hint(&problem, "open it");
    struct printer printer = {.options = {.quiet = true}};
    printer_open(&printer);
    spean_out_problem(printer.out, &problem);
    assert_said(&printer, "", "error: it is \"closed\"\nhint: open it\n");

    printer = (struct printer){.options = {.json = true}};
    printer_open(&printer);
    spean_out_problem(printer.out, &problem);
    assert_said(&printer,
                "{\"error\": {\"code\": \"wrong_state\", "
                "\"message\": \"it is \\\"closed\\\"\", \"hint\": \"open it\"}}\n",
                "");

    printer = (struct printer){.options = {.json = true}};
    problem = (struct spean_problem){0};
    printer_open(&printer);
    spean_out_problem(printer.out, &problem);
    assert_said(&printer, "", "");
}

static void progress_overwrites_one_line_on_a_terminal(void **state)
{
    (void)state;
    struct printer printer = {.options = {.talk_terminal = true}};
    printer_open(&printer);
    spean_out_progress(printer.out, 0, "1 of 2");
    spean_out_progress(printer.out, 1, "2 of 2");
    spean_out_line(printer.out, "result");
    assert_said(&printer, "result\n", "1 of 2\r\x1b[K2 of 2\r\x1b[K");
}

static void progress_is_a_line_each_ten_seconds_elsewhere(void **state)
{
    (void)state;
    struct printer printer = {0};
    printer_open(&printer);
    spean_out_progress(printer.out, 5000, "a");
    spean_out_progress(printer.out, 14999, "b");
    spean_out_progress(printer.out, 15000, "c");
    spean_out_progress(printer.out, 15001, "d");
    assert_said(&printer, "", "a\nc\n");
}

static void a_full_disk_is_noticed_at_the_end_by_its_number(void **state)
{
    (void)state;
    FILE *const full = fopen("/dev/full", "w");
    if (full == NULL) {
        skip();
    }
    const struct spean_out_options options = {.results = full, .talk = stderr};
    struct spean_out *out;
    assert_int_equal(spean_out_new(&options, &out), SPEAN_OK);
    spean_out_line(out, "lost");
    spean_out_warn(out, "this is flushed behind it");
    errno = 0;
    int number = 0;
    assert_int_equal(spean_out_finish(out, &number), SPEAN_EIO);
    assert_int_equal(number, ENOSPC);
    spean_out_free(out);
    (void)fclose(full); /* It fails again. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_go_to_one_file_and_talk_to_the_other),
        cmocka_unit_test(plain_marks_are_words),
        cmocka_unit_test(quiet_leaves_results_and_warnings),
        cmocka_unit_test(talk_stands_behind_the_results_before_it),
        cmocka_unit_test(under_json_results_are_json_alone),
        cmocka_unit_test(colour_surrounds_marks_and_never_data),
        cmocka_unit_test(data_cannot_fake_a_line_of_ours),
        cmocka_unit_test(an_error_is_talk_for_people_and_one_object_for_programs),
        cmocka_unit_test(progress_overwrites_one_line_on_a_terminal),
        cmocka_unit_test(progress_is_a_line_each_ten_seconds_elsewhere),
        cmocka_unit_test(a_full_disk_is_noticed_at_the_end_by_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
