#include "tools/following.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "tools/i18n.h"
#include "tools/interrupt.h"

struct course {
    const struct spean_following *what;
    struct spean_out *out;
    uint64_t count;
    json_t *last; /* Place of the last line; without one where it began, or NULL. */
    bool whole;   /* There were as many as asked for. */
};

static enum spean_exit line_take(void *ctx, const char *text, struct spean_problem *problem)
{
    struct course *const course = ctx;
    json_t *const line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(line)) {
        json_decref(line);
        return spean_problem_set(problem, SPEAN_EXIT_FAILED, "bad_reply", "%s",
                                 _("the daemon's reply is not a JSON object"));
    }
    spean_out_json_line(course->out, line);
    course->what->print(course->out, line);
    spean_out_flush(course->out);
    json_decref(course->last);
    course->last = json_incref(json_object_get(line, course->what->place));
    course->count++;
    json_decref(line);
    course->whole = course->count == course->what->count;
    return course->whole ? SPEAN_EXIT_INTERRUPTED : SPEAN_EXIT_DONE; /* Enough: break it off. */
}

void spean_following_summary(struct spean_out *out, uint64_t count, json_t *last)
{
    json_t *const summary =
        json_pack("{s:{s:I,s:O?}}", "summary", "lines", (json_int_t)count, "last", last);
    if (summary != NULL) { /* Without memory the lines before stand for themselves. */
        spean_out_json_line(out, summary);
    }
    json_decref(summary);
}

/* Say how to go on: nothing is lost by what broke it off. */
static void hint_place(const json_t *last, struct spean_problem *problem)
{
    if (json_is_string(last)) {
        spean_problem_hint(problem, _("when the daemon runs, go on with: --after %s"),
                           json_string_value(last));
    } else if (json_is_integer(last)) {
        spean_problem_hint(problem, _("when the daemon runs, go on with: --after %" PRId64),
                           (int64_t)json_integer_value(last));
    }
}

enum spean_exit spean_following_run(struct spean_call *call, const struct spean_following *what,
                                    struct spean_problem *problem)
{
    assert(what != NULL);
    struct course course = {
        .what = what, .out = spean_call_out(call), .last = json_deep_copy(what->from)};
    enum spean_exit exit = spean_call_lines(call, what->path, true, line_take, &course, problem);
    bool told = course.count > 0; /* Not after a refusal: then there was nothing to follow. */
    if (course.whole) {
        exit = SPEAN_EXIT_DONE;
    } else if (spean_interrupted()) {
        *problem = (struct spean_problem){.code = ""}; /* That is how it is meant to end. */
        exit = SPEAN_EXIT_INTERRUPTED;
    } else if (exit == SPEAN_EXIT_DONE) {
        told = true;
        exit = spean_problem_set(problem, SPEAN_EXIT_NO_DAEMON, "daemon_not_running", "%s",
                                 _("the daemon has ended what it was telling"));
    }
    if (problem->code[0] != '\0' && told) {
        hint_place(course.last, problem);
    }
    if (told || problem->code[0] == '\0') {
        spean_following_summary(course.out, course.count, course.last);
    }
    json_decref(course.last);
    return exit;
}
