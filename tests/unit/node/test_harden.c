#include "node/harden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a child found; each is a bit of its exit status. */
#define CORE_WRONG   (1 << 0)
#define DUMP_WRONG   (1 << 1)
#define PRIVS_WRONG  (1 << 2)
#define UMASK_WRONG  (1 << 3)
#define FILES_WRONG  (1 << 4)
#define LOCKED_WRONG (1 << 5)
#define CALL_WRONG   (1 << 6)

/* Hardening cannot be undone, so each check has a process of its own. */
static int in_child(int (*check)(void))
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(check());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int hardened_values(void)
{
    char why[SPEAN_HARDEN_ERROR_BYTES] = "";
    struct rlimit core;
    struct rlimit files;
    struct rlimit locked;
    (void)umask(0);
    if (spean_harden(why) != SPEAN_OK || getrlimit(RLIMIT_CORE, &core) != 0 ||
        getrlimit(RLIMIT_NOFILE, &files) != 0 || getrlimit(RLIMIT_MEMLOCK, &locked) != 0) {
        return CALL_WRONG;
    }
    return (core.rlim_cur != 0 || core.rlim_max != 0 ? CORE_WRONG : 0) |
           (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 ? DUMP_WRONG : 0) |
           (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ? PRIVS_WRONG : 0) |
           (umask(0) != 077 ? UMASK_WRONG : 0) |
           (files.rlim_cur < SPEAN_HARDEN_FILES_MIN ? FILES_WRONG : 0) |
           (locked.rlim_cur < SPEAN_HARDEN_LOCKED_BYTES_MIN ? LOCKED_WRONG : 0);
}

static void the_kernel_confirms_every_step(void **state)
{
    (void)state;
    struct rlimit locked;
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &locked), 0);
    if (locked.rlim_max < SPEAN_HARDEN_LOCKED_BYTES_MIN) {
        skip(); /* This machine locks too little; the refusal is tested below. */
    }
    assert_int_equal(in_child(hardened_values), 0);
}

/* Exit status 0: it was refused as SPEAN_ELIMIT, with the remedy named. */
static int refusal_under(int resource, rlim_t most, const char *remedy)
{
    char why[SPEAN_HARDEN_ERROR_BYTES] = "";
    const struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
    if (setrlimit(resource, &limit) != 0) {
        return CALL_WRONG;
    }
    return spean_harden(why) == SPEAN_ELIMIT && strstr(why, remedy) != NULL ? 0 : FILES_WRONG;
}

static int too_few_files(void)
{
    return refusal_under(RLIMIT_NOFILE, SPEAN_HARDEN_FILES_MIN - 1, "LimitNOFILE");
}

static int too_little_locked(void)
{
    return refusal_under(RLIMIT_MEMLOCK, SPEAN_HARDEN_LOCKED_BYTES_MIN - 1, "LimitMEMLOCK");
}

static void too_low_a_limit_is_refused_with_its_remedy(void **state)
{
    (void)state;
    assert_int_equal(in_child(too_few_files), 0);
    assert_int_equal(in_child(too_little_locked), 0);
}

static int files_are_raised(void)
{
    char why[SPEAN_HARDEN_ERROR_BYTES] = "";
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return CALL_WRONG;
    }
    const rlim_t most =
        limit.rlim_max < SPEAN_HARDEN_FILES_WANTED ? limit.rlim_max : SPEAN_HARDEN_FILES_WANTED;
    limit.rlim_cur = SPEAN_HARDEN_FILES_MIN;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return CALL_WRONG;
    }
    /* Files come before locked memory, which this machine may refuse. */
    if (spean_harden(why) == SPEAN_EIO || getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return CALL_WRONG;
    }
    return limit.rlim_cur == most ? 0 : FILES_WRONG;
}

static void open_files_are_raised_as_far_as_is_wanted_and_allowed(void **state)
{
    (void)state;
    assert_int_equal(in_child(files_are_raised), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_confirms_every_step),
        cmocka_unit_test(too_low_a_limit_is_refused_with_its_remedy),
        cmocka_unit_test(open_files_are_raised_as_far_as_is_wanted_and_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
