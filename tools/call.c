#include "tools/call.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "tools/i18n.h"
#include "tools/input.h"
#include "tools/vformat.h"

struct spean_call {
    const struct spean_parsed *parsed;
    struct spean_out *out;
    struct spean_prompt *prompt;
    struct spean_client *client; /* NULL until it is needed. */
    bool changed;
};

spean_err spean_call_new(const struct spean_parsed *parsed, struct spean_out *printer,
                         struct spean_prompt *prompt, struct spean_call **out)
{
    assert(parsed != NULL);
    assert(parsed->command != NULL);
    assert(printer != NULL);
    assert(prompt != NULL);
    assert(out != NULL);
    struct spean_call *const call = calloc(1, sizeof(*call));
    if (call == NULL) {
        return SPEAN_ENOMEM;
    }
    call->parsed = parsed;
    call->out = printer;
    call->prompt = prompt;
    *out = call;
    return SPEAN_OK;
}

void spean_call_free(struct spean_call *call)
{
    if (call == NULL) {
        return;
    }
    spean_client_free(call->client);
    free(call);
}

struct spean_out *spean_call_out(struct spean_call *call)
{
    assert(call != NULL);
    return call->out;
}

struct spean_prompt *spean_call_prompt(struct spean_call *call)
{
    assert(call != NULL);
    return call->prompt;
}

const struct spean_globals *spean_call_globals(const struct spean_call *call)
{
    assert(call != NULL);
    return &call->parsed->globals;
}

const char *spean_call_path(const struct spean_call *call)
{
    assert(call != NULL);
    return call->parsed->command->path;
}

/* Say whether the command has a flag or argument of this name: a handler asks for no other. */
static bool has_name(const struct spean_command *command, const char *name)
{
    for (const struct spean_flag *f = command->flags; f != NULL && f->name != NULL; f++) {
        if (strcmp(f->name, name) == 0) {
            return true;
        }
    }
    for (const struct spean_arg *a = command->args; a != NULL && a->name != NULL; a++) {
        if (strcmp(a->name, name) == 0) {
            return true;
        }
    }
    return false;
}

size_t spean_call_count(const struct spean_call *call, const char *name)
{
    assert(call != NULL);
    assert(has_name(call->parsed->command, name));
    size_t count = 0;
    for (size_t i = 0; i < call->parsed->values_count; i++) {
        count += strcmp(call->parsed->values[i].name, name) == 0;
    }
    return count;
}

const char *spean_call_value_at(const struct spean_call *call, const char *name, size_t index)
{
    assert(call != NULL);
    assert(has_name(call->parsed->command, name));
    for (size_t i = 0; i < call->parsed->values_count; i++) {
        const struct spean_value *const value = &call->parsed->values[i];
        if (strcmp(value->name, name) == 0 && index-- == 0) {
            return value->text;
        }
    }
    return NULL;
}

const char *spean_call_value(const struct spean_call *call, const char *name)
{
    return spean_call_value_at(call, name, 0);
}

bool spean_call_given(const struct spean_call *call, const char *name)
{
    return spean_call_value(call, name) != NULL;
}

uint64_t spean_call_number(const struct spean_call *call, const char *name, uint64_t absent)
{
    const char *const text = spean_call_value(call, name);
    return text == NULL ? absent : (uint64_t)strtoumax(text, NULL, 10); /* The parser checked it. */
}

static const struct spean_question *question_find(const struct spean_call *call, const char *name,
                                                  const char *flag)
{
    const struct spean_question *q = call->parsed->command->questions;
    for (; q != NULL && q->name != NULL; q++) {
        if ((name != NULL && strcmp(q->name, name) == 0) ||
            (flag != NULL && q->flag != NULL && strcmp(q->flag, flag) == 0)) {
            return q;
        }
    }
    return NULL;
}

enum spean_exit spean_call_private(struct spean_call *call, const char *name, size_t bytes_max,
                                   char **text, struct spean_problem *problem)
{
    assert(text != NULL);
    assert(bytes_max > 0);
    *text = NULL;
    const char *const spec = spean_call_value(call, name);
    if (spec != NULL) {
        return spean_input_text(spec, bytes_max, text, problem);
    }
    const struct spean_question *const found = question_find(call, NULL, name);
    if (found == NULL) {
        return SPEAN_EXIT_DONE;
    }
    char *const answer = malloc(bytes_max + 2);
    if (answer == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, name);
    }
    struct spean_question question = *found;
    question.text = _(found->text);
    const enum spean_exit exit =
        spean_prompt_ask(call->prompt, &question, answer, bytes_max + 1, problem);
    if (exit != SPEAN_EXIT_DONE) {
        sodium_memzero(answer, bytes_max + 2);
        free(answer);
        return exit;
    }
    *text = answer;
    return SPEAN_EXIT_DONE;
}

struct spean_question spean_call_question(const struct spean_call *call, const char *name)
{
    assert(call != NULL);
    assert(name != NULL);
    const struct spean_question *const found = question_find(call, name, NULL);
    assert(found != NULL); /* A handler asks what its command lists. */
    struct spean_question question = *found;
    question.text = _(found->text);
    return question;
}

enum spean_exit spean_call_home(struct spean_call *call, char out[SPEAN_PATH_BYTES_MAX],
                                struct spean_problem *problem)
{
    assert(call != NULL);
    return spean_path_home(call->parsed->globals.home, out, problem);
}

/* Make the client on first use: commands that need no daemon need no socket either. */
static enum spean_exit client_need(struct spean_call *call, struct spean_problem *problem)
{
    if (call->client != NULL) {
        return SPEAN_EXIT_DONE;
    }
    char home[SPEAN_PATH_BYTES_MAX];
    char socket_path[SPEAN_SOCKET_PATH_BYTES_MAX];
    enum spean_exit exit = spean_call_home(call, home, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_path_socket(call->parsed->globals.socket, home, socket_path, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_client_new(socket_path, home, &call->client, problem);
    }
    return exit;
}

/* Have a change checked but not made; give what the daemon says about it. */
static enum spean_exit request_check(struct spean_call *call, const char *method, const char *path,
                                     const json_t *body, json_t **reply,
                                     struct spean_problem *problem)
{
    char *const checked =
        spean_format("%s%cdry_run=1", path, strchr(path, '?') == NULL ? '?' : '&');
    if (checked == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "--dry-run");
    }
    enum spean_exit exit =
        spean_client_request(call->client, method, checked, body, reply, problem);
    free(checked);
    if (exit == SPEAN_EXIT_DONE && !json_is_true(json_object_get(*reply, "dry_run"))) {
        json_decref(*reply);
        *reply = NULL;
        exit = spean_problem_set(problem, SPEAN_EXIT_FAILED, "dry_run", "%s",
                                 _("the daemon does not say that this was a dry run"));
        spean_problem_hint(problem, "%s", _("the change may have been made: look"));
    }
    return exit;
}

/* Print what the daemon says about a change that was not made, and take the answer. */
static enum spean_exit check_print(struct spean_call *call, const char *method, const char *path,
                                   json_t *reply, struct spean_problem *problem)
{
    char *const text = json_dumps(reply, JSON_INDENT(2));
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (text == NULL) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, "--dry-run");
    } else {
        spean_out_json(call->out, reply);
        spean_out_line(call->out, "%s %s", method, path);
        spean_out_text(call->out, text);
        spean_out_note(call->out, "%s", _("This was a dry run: nothing was changed."));
    }
    free(text);
    json_decref(reply);
    return exit;
}

enum spean_exit spean_call_exchange(struct spean_call *call, const char *method, const char *path,
                                    const json_t *body, json_t **reply,
                                    struct spean_problem *problem)
{
    assert(call != NULL);
    assert(reply != NULL);
    *reply = NULL;
    const enum spean_exit exit = client_need(call, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    if (call->parsed->globals.dry_run && strcmp(method, "GET") != 0) {
        return request_check(call, method, path, body, reply, problem);
    }
    const enum spean_exit asked =
        spean_client_request(call->client, method, path, body, reply, problem);
    call->changed = call->changed || (asked == SPEAN_EXIT_DONE && strcmp(method, "GET") != 0 &&
                                      !json_is_false(json_object_get(*reply, "changed")));
    return asked;
}

bool spean_call_changed(const struct spean_call *call)
{
    assert(call != NULL);
    return call->changed;
}

enum spean_exit spean_call_lines(struct spean_call *call, const char *path, bool endless,
                                 spean_client_take *take, void *ctx, struct spean_problem *problem)
{
    assert(call != NULL);
    const enum spean_exit exit = client_need(call, problem);
    return exit == SPEAN_EXIT_DONE
               ? spean_client_lines(call->client, path, endless, take, ctx, problem)
               : exit;
}

enum spean_exit spean_call_ask(struct spean_call *call, const char *path, const json_t *body,
                               json_t **reply, struct spean_problem *problem)
{
    assert(call != NULL);
    assert(reply != NULL);
    *reply = NULL;
    const enum spean_exit exit = client_need(call, problem);
    return exit != SPEAN_EXIT_DONE
               ? exit
               : spean_client_request(call->client, "POST", path, body, reply, problem);
}

enum spean_exit spean_call_request(struct spean_call *call, const char *method, const char *path,
                                   const json_t *body, json_t **reply,
                                   struct spean_problem *problem)
{
    enum spean_exit exit = spean_call_exchange(call, method, path, body, reply, problem);
    if (exit == SPEAN_EXIT_DONE && call->parsed->globals.dry_run && strcmp(method, "GET") != 0) {
        exit = check_print(call, method, path, *reply, problem);
        *reply = NULL;
    }
    return exit;
}

enum spean_exit spean_call_wait(struct spean_call *call, long reply_ms,
                                struct spean_problem *problem)
{
    assert(call != NULL);
    const enum spean_exit exit = client_need(call, problem);
    if (exit == SPEAN_EXIT_DONE) {
        spean_client_wait(call->client, reply_ms);
    }
    return exit;
}
