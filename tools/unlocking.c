#include "tools/unlocking.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/file.h"
#include "store/secret.h"
#include "tools/i18n.h"
#include "tools/input.h"
#include "tools/prompt.h"

#define ADMIN_KEY_NAME "spean-admin.key"

static bool given(const struct spean_call *call, const char *flag)
{
    return flag != NULL && spean_call_given(call, flag);
}

static enum spean_exit credential_read(const char *path, char *buf, size_t *len,
                                       struct spean_problem *problem)
{
    const spean_err err = spean_file_read(path, (uint8_t *)buf, SPEAN_UNLOCKING_BYTES, len);
    if (err != SPEAN_OK) {
        (void)spean_problem_err(problem, err, path);
        if (err == SPEAN_ENOTFOUND) {
            spean_problem_hint(problem, "%s",
                               _("look at the path, and whether the disk that holds it is there; "
                                 "without --credential the passphrase is asked for"));
        }
        return problem->exit;
    }
    if (*len != SPEAN_WRAP_CREDENTIAL_BYTES) {
        return spean_problem_usage(problem, _("%s: a credential is %u random bytes"), path,
                                   SPEAN_WRAP_CREDENTIAL_BYTES);
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit passphrase_read(struct spean_call *call, const struct spean_unlocking *names,
                                       char *buf, size_t *len, struct spean_problem *problem)
{
    if (given(call, names->passphrase_fd)) {
        const uint64_t fd = spean_call_number(call, names->passphrase_fd, 0);
        if (fd > INT_MAX) {
            return spean_problem_usage(problem, _("--%s is no descriptor"), names->passphrase_fd);
        }
        return spean_input_passphrase_fd((int)fd, buf, SPEAN_WRAP_PASSPHRASE_BYTES_MAX, len,
                                         problem);
    }
    if (given(call, names->passphrase_file)) {
        return spean_input_passphrase_file(spean_call_value(call, names->passphrase_file), buf,
                                           SPEAN_WRAP_PASSPHRASE_BYTES_MAX, len, problem);
    }
    const struct spean_question question = spean_call_question(call, names->question);
    const enum spean_exit exit =
        spean_prompt_ask(spean_call_prompt(call), &question, buf, SPEAN_UNLOCKING_BYTES, problem);
    *len = exit == SPEAN_EXIT_DONE ? strlen(buf) : 0;
    return exit;
}

enum spean_exit spean_unlocking_get(struct spean_call *call, const struct spean_unlocking *names,
                                    char *buf, struct spean_unlock *unlock,
                                    struct spean_problem *problem)
{
    assert(names != NULL);
    assert(buf != NULL);
    assert(unlock != NULL);
    if (given(call, names->credential) + given(call, names->passphrase_file) +
            given(call, names->passphrase_fd) >
        1) {
        return spean_problem_usage(problem, "%s",
                                   _("give only one way to unlock: see the flags of the command"));
    }
    const bool credential = given(call, names->credential);
    size_t len = 0;
    const enum spean_exit exit =
        credential ? credential_read(spean_call_value(call, names->credential), buf, &len, problem)
                   : passphrase_read(call, names, buf, &len, problem);
    *unlock = (struct spean_unlock){
        .kind = credential ? SPEAN_UNLOCK_CREDENTIAL : SPEAN_UNLOCK_PASSPHRASE,
        .bytes = {.data = (const uint8_t *)buf, .len = len},
    };
    return exit;
}

enum spean_exit spean_unlocking_admin_path(const char *chosen, char out[SPEAN_PATH_BYTES_MAX],
                                           struct spean_problem *problem)
{
    assert(out != NULL);
    const char *const home = getenv("HOME");
    if (chosen == NULL && (home == NULL || home[0] != '/')) {
        (void)spean_problem_usage(problem, "%s", _("there is no place for the admin key"));
        spean_problem_hint(problem, "%s", _("give --admin-key FILE"));
        return SPEAN_EXIT_USAGE;
    }
    const int len = chosen != NULL
                        ? snprintf(out, SPEAN_PATH_BYTES_MAX, "%s", chosen)
                        : snprintf(out, SPEAN_PATH_BYTES_MAX, "%s/" ADMIN_KEY_NAME, home);
    if (len < 0 || (unsigned)len >= SPEAN_PATH_BYTES_MAX) {
        return spean_problem_usage(problem, "%s", _("the path of the admin key is too long"));
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit admin_open(struct spean_call *call, const char *path, char *buf,
                                  struct spean_adminkey **admin, struct spean_problem *problem)
{
    static const struct spean_unlocking names = {.passphrase_file = "admin-passphrase-file",
                                                 .question = "admin.passphrase"};
    struct spean_unlock unlock;
    const enum spean_exit exit = spean_unlocking_get(call, &names, buf, &unlock, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    const spean_err err = spean_adminkey_read(path, &unlock, admin);
    if (err == SPEAN_OK) {
        return SPEAN_EXIT_DONE;
    }
    if (err == SPEAN_EPASSPHRASE) {
        return spean_problem_set(problem, SPEAN_EXIT_PASSPHRASE, "wrong_passphrase",
                                 _("this is not the passphrase of %s"), path);
    }
    (void)spean_problem_err(problem, err, path);
    if (err == SPEAN_ENOTFOUND) {
        spean_problem_hint(problem, "%s",
                           _("plug in the stick that holds it and give --admin-key FILE"));
    }
    return problem->exit;
}

enum spean_exit spean_unlocking_admin(struct spean_call *call, struct spean_adminkey **admin,
                                      struct spean_problem *problem)
{
    assert(call != NULL);
    assert(admin != NULL);
    char path[SPEAN_PATH_BYTES_MAX];
    enum spean_exit exit =
        spean_unlocking_admin_path(spean_call_value(call, "admin-key"), path, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    void *buf = NULL;
    const spean_err err = spean_secret_alloc(SPEAN_UNLOCKING_BYTES, &buf);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, path);
    }
    exit = admin_open(call, path, buf, admin, problem);
    spean_secret_free(buf);
    return exit;
}
