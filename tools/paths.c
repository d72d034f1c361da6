#include "tools/paths.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/i18n.h"

/* Read a variable; one that holds no absolute path counts as not set, as the daemon does it. */
static const char *variable(const char *name)
{
    const char *const value = getenv(name);
    return value == NULL || value[0] != '/' ? NULL : value;
}

static enum spean_exit refuse_long(const char *path, struct spean_problem *problem)
{
    (void)spean_problem_usage(problem, _("the path is too long: %s"), path);
    spean_problem_hint(problem, "%s", _("use a shorter --home, or --socket in /run"));
    return SPEAN_EXIT_USAGE;
}

enum spean_exit spean_path_home(const char *given, char out[SPEAN_PATH_BYTES_MAX],
                                struct spean_problem *problem)
{
    assert(out != NULL);
    const struct {
        const char *base;
        const char *below;
    } places[] = {
        {given, ""},
        {variable("SPEAN_HOME"), ""},
        {variable("XDG_DATA_HOME"), "/spean"},
        {variable("HOME"), "/.local/share/spean"},
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (places[i].base == NULL) {
            continue;
        }
        const int len =
            snprintf(out, SPEAN_PATH_BYTES_MAX, "%s%s", places[i].base, places[i].below);
        return len < 0 || (unsigned)len >= SPEAN_PATH_BYTES_MAX
                   ? refuse_long(places[i].base, problem)
                   : SPEAN_EXIT_DONE;
    }
    (void)spean_problem_usage(problem, "%s", _("there is no home: HOME is not set"));
    spean_problem_hint(problem, "%s", _("give --home DIR"));
    return SPEAN_EXIT_USAGE;
}

enum spean_exit spean_path_socket(const char *given, const char *home,
                                  char out[SPEAN_SOCKET_PATH_BYTES_MAX],
                                  struct spean_problem *problem)
{
    assert(home != NULL);
    assert(out != NULL);
    const int len = given != NULL
                        ? snprintf(out, SPEAN_SOCKET_PATH_BYTES_MAX, "%s", given)
                        : snprintf(out, SPEAN_SOCKET_PATH_BYTES_MAX, "%s/" SPEAN_SOCKET_NAME, home);
    if (len < 0 || (unsigned)len >= SPEAN_SOCKET_PATH_BYTES_MAX) {
        return refuse_long(given != NULL ? given : home, problem);
    }
    return SPEAN_EXIT_DONE;
}
