#include "tools/choosing.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "store/file.h"
#include "tools/i18n.h"
#include "tools/input.h"
#include "tools/prompt.h"

/* Ask for a new passphrase; a person at a terminal types it twice. */
static enum spean_exit ask(struct spean_call *call, const char *name, struct spean_choosing *room,
                           struct spean_problem *problem)
{
    struct spean_prompt *const prompt = spean_call_prompt(call);
    struct spean_question question = spean_call_question(call, name);
    enum spean_exit exit =
        spean_prompt_ask(prompt, &question, room->chosen, sizeof(room->chosen), problem);
    if (exit != SPEAN_EXIT_DONE || spean_prompt_scripted(prompt)) {
        return exit;
    }
    question.text = _("The same once more");
    exit = spean_prompt_ask(prompt, &question, room->again, sizeof(room->again), problem);
    if (exit == SPEAN_EXIT_DONE && strcmp(room->chosen, room->again) != 0) {
        exit = spean_problem_usage(problem, "%s", _("the two passphrases differ"));
    }
    return exit;
}

static struct spean_unlock unlock_of(enum spean_unlock_kind kind, const struct spean_choosing *room,
                                     size_t len)
{
    return (struct spean_unlock){.kind = kind,
                                 .bytes = {.data = (const uint8_t *)room->chosen, .len = len}};
}

enum spean_exit spean_choosing_passphrase(struct spean_call *call, const char *file_flag,
                                          const char *question, struct spean_choosing *room,
                                          struct spean_unlock *unlock,
                                          struct spean_problem *problem)
{
    const char *const path = spean_call_value(call, file_flag);
    size_t len = 0;
    enum spean_exit exit;
    if (path != NULL) {
        exit = spean_input_passphrase_file(path, room->chosen, SPEAN_WRAP_PASSPHRASE_BYTES_MAX,
                                           &len, problem);
    } else {
        exit = ask(call, question, room, problem);
        len = exit == SPEAN_EXIT_DONE ? strlen(room->chosen) : 0;
    }
    *unlock = unlock_of(SPEAN_UNLOCK_PASSPHRASE, room, len);
    return exit;
}

/* Read the bytes that the system keeps for the node. */
static enum spean_exit credential_read(const char *path, struct spean_choosing *room,
                                       struct spean_unlock *unlock, struct spean_problem *problem)
{
    size_t len = 0;
    const spean_err err =
        spean_file_read(path, (uint8_t *)room->chosen, sizeof(room->chosen), &len);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, path);
    }
    if (len != SPEAN_WRAP_CREDENTIAL_BYTES) {
        return spean_problem_usage(problem, _("%s: a credential is %u random bytes"), path,
                                   SPEAN_WRAP_CREDENTIAL_BYTES);
    }
    *unlock = unlock_of(SPEAN_UNLOCK_CREDENTIAL, room, len);
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_choosing_node(struct spean_call *call, struct spean_choosing *room,
                                    struct spean_unlock *unlock, struct spean_problem *problem)
{
    const char *const path = spean_call_value(call, "credential");
    if (path != NULL) {
        return credential_read(path, room, unlock, problem);
    }
    if (!spean_call_given(call, "passphrase-fd")) {
        return spean_choosing_passphrase(call, "passphrase-file", "passphrase", room, unlock,
                                         problem);
    }
    size_t len = 0;
    const enum spean_exit exit =
        spean_input_passphrase_fd((int)spean_call_number(call, "passphrase-fd", 0), room->chosen,
                                  SPEAN_WRAP_PASSPHRASE_BYTES_MAX, &len, problem);
    *unlock = unlock_of(SPEAN_UNLOCK_PASSPHRASE, room, len);
    return exit;
}

enum spean_exit spean_choosing_check(struct spean_call *call, struct spean_problem *problem)
{
    const int given = spean_call_given(call, "credential") +
                      spean_call_given(call, "passphrase-file") +
                      spean_call_given(call, "passphrase-fd");
    if (given > 1) {
        return spean_problem_usage(
            problem, "%s",
            _("give only one of --credential, --passphrase-file and --passphrase-fd"));
    }
    if (spean_call_number(call, "passphrase-fd", 0) > INT_MAX) {
        return spean_problem_usage(problem, "%s", _("--passphrase-fd is no descriptor"));
    }
    return SPEAN_EXIT_DONE;
}
