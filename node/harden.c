#include "node/harden.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Say which step the kernel refused. */
static spean_err refused(const char *step, char why[SPEAN_HARDEN_ERROR_BYTES])
{
    (void)snprintf(why, SPEAN_HARDEN_ERROR_BYTES, "%s: %s", step, strerror(errno));
    return SPEAN_EIO;
}

static spean_err core_dumps_off(char why[SPEAN_HARDEN_ERROR_BYTES])
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) {
        return refused("core dumps cannot be turned off", why);
    }
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return refused("the process cannot be made undumpable", why);
    }
    return SPEAN_OK;
}

static spean_err privileges_fix(char why[SPEAN_HARDEN_ERROR_BYTES])
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return refused("new privileges cannot be refused", why);
    }
    (void)umask(077); /* Cannot fail; the old one is of no use. */
    return SPEAN_OK;
}

/* The soft limit to have: wanted, but not more than may be had and not less than there is. */
static rlim_t limit_choose(const struct rlimit *limit, rlim_t wanted)
{
    const rlim_t reachable = wanted < limit->rlim_max ? wanted : limit->rlim_max;
    return limit->rlim_cur > reachable ? limit->rlim_cur : reachable;
}

static spean_err files_raise(char why[SPEAN_HARDEN_ERROR_BYTES])
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return refused("the limit on open files cannot be read", why);
    }
    limit.rlim_cur = limit_choose(&limit, SPEAN_HARDEN_FILES_WANTED);
    if (limit.rlim_cur < SPEAN_HARDEN_FILES_MIN) {
        (void)snprintf(why, SPEAN_HARDEN_ERROR_BYTES,
                       "only %llu files may be open, %u are needed; raise LimitNOFILE in the unit, "
                       "or ulimit -n",
                       (unsigned long long)limit.rlim_cur, SPEAN_HARDEN_FILES_MIN);
        return SPEAN_ELIMIT;
    }
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return refused("the limit on open files cannot be raised", why);
    }
    return SPEAN_OK;
}

/* libsodium goes on silently when it may not lock memory, so this is where it is noticed. */
static spean_err locked_memory_raise(char why[SPEAN_HARDEN_ERROR_BYTES])
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
        return refused("the limit on locked memory cannot be read", why);
    }
    limit.rlim_cur = limit.rlim_max;
    if (limit.rlim_cur < SPEAN_HARDEN_LOCKED_BYTES_MIN) {
        (void)snprintf(
            why, SPEAN_HARDEN_ERROR_BYTES,
            "only %llu bytes of memory may be locked, %u are needed so that keys are not "
            "swapped to disk; raise LimitMEMLOCK in the unit, or ulimit -l",
            (unsigned long long)limit.rlim_cur, SPEAN_HARDEN_LOCKED_BYTES_MIN);
        return SPEAN_ELIMIT;
    }
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
        return refused("the limit on locked memory cannot be raised", why);
    }
    return SPEAN_OK;
}

spean_err spean_harden(char why[SPEAN_HARDEN_ERROR_BYTES])
{
    assert(why != NULL);
    static spean_err (*const steps[])(char why[SPEAN_HARDEN_ERROR_BYTES]) = {
        core_dumps_off, privileges_fix, files_raise, locked_memory_raise};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const spean_err err = steps[i](why);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}
