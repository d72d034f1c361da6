/* tools/spean.c - the command `spean`: sets up the process and runs one command. */
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sodium.h>

#include "tools/i18n.h"
#include "tools/interrupt.h"
#include "tools/program.h"
#include "tools/prompt.h"

/* Secrets and names pass through this process: no core file, no debugger of the same user. */
static bool harden(void)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) == 0;
}

static void locale_prepare(void)
{
    (void)setlocale(LC_ALL, "");         /* An unknown locale leaves "C", in English. */
    (void)setlocale(LC_NUMERIC, "C");    /* Numbers in JSON have a point. */
    (void)textdomain(SPEAN_TEXT_DOMAIN); /* Without catalogues texts stay English. */
    (void)bindtextdomain(SPEAN_TEXT_DOMAIN, SPEAN_LOCALE_DIR);
    (void)bind_textdomain_codeset(SPEAN_TEXT_DOMAIN, "UTF-8");
}

static bool is_set(const char *variable)
{
    const char *const value = getenv(variable);
    return value != NULL && value[0] != '\0';
}

int main(int argc, char **argv)
{
    if (!harden() || sodium_init() < 0 || spean_interrupt_install() != SPEAN_OK) {
        (void)fputs("spean: this system refuses what keeps secrets safe\n", stderr);
        return SPEAN_EXIT_FAILED;
    }
    locale_prepare();

    const char *const term = getenv("TERM");
    const bool capable = term != NULL && strcmp(term, "dumb") != 0;
    const struct spean_surroundings around = {
        .results = stdout,
        .talk = stderr,
        .terminal = SPEAN_PROMPT_TERMINAL,
        .results_terminal = capable && isatty(STDOUT_FILENO) == 1,
        .talk_terminal = capable && isatty(STDERR_FILENO) == 1,
        .unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .no_color = is_set("NO_COLOR"),
    };
    const enum spean_exit exit_code = spean_program_run(argc, argv, &around);
    return spean_interrupted() ? SPEAN_EXIT_INTERRUPTED : (int)exit_code;
}
