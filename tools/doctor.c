#include "tools/doctor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "store/db.h"
#include "store/setup.h"
#include "tools/i18n.h"
#include "tools/vformat.h"

#define TEXT_BYTES     512u
#define CLOCK_EARLIEST INT64_C(1764547200) /* 2025-12-01: this program is younger. */
#define OTHERS         (S_IRWXO)
#define GROUP_AND_ALL  (S_IRWXG | S_IRWXO)

spean_err spean_doctor_add(json_t *checks, const char *check, const char *state, const char *text,
                           const char *advice)
{
    json_t *const row = json_pack("{s:s, s:s, s:s, s:s?}", "check", check, "state", state, "text",
                                  text, "do", advice);
    return json_array_append_new(checks, row) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}

/* Check owner and mode of path. forbidden: rights that others must not have. */
static spean_err look_at_rights(json_t *checks, const char *check, const char *path,
                                mode_t forbidden)
{
    struct stat info;
    char text[TEXT_BYTES];
    char advice[TEXT_BYTES];
    if (lstat(path, &info) != 0) {
        (void)snprintf(text, sizeof(text), _("%s cannot be looked at"), path);
        return spean_doctor_add(checks, check, "attention", text,
                                _("run this as the user of the node"));
    }
    if (info.st_uid != geteuid() && geteuid() != 0) {
        (void)snprintf(text, sizeof(text), _("%s belongs to another user"), path);
        return spean_doctor_add(checks, check, "attention", text,
                                _("run this as the user of the node"));
    }
    if ((info.st_mode & forbidden) != 0) {
        (void)snprintf(text, sizeof(text), _("others may open %s"), path);
        (void)snprintf(advice, sizeof(advice), "chmod %s %s",
                       forbidden == GROUP_AND_ALL ? "go-rwx" : "o-rwx", path);
        return spean_doctor_add(checks, check, "attention", text, advice);
    }
    (void)snprintf(text, sizeof(text), _("%s is closed to others"), path);
    return spean_doctor_add(checks, check, "ok", text, NULL);
}

static spean_err look_at_disk(json_t *checks, const char *path)
{
    struct statvfs disk;
    char text[TEXT_BYTES];
    const char *const refused = spean_db_filesystem_refused(path);
    if (refused != NULL) {
        (void)snprintf(text, sizeof(text), _("the store lies on %s, which loses data"), refused);
        return spean_doctor_add(checks, "disk", "attention", text,
                                _("move it to a disk of this computer"));
    }
    if (statvfs(path, &disk) != 0) {
        return spean_doctor_add(checks, "disk", "unknown", _("the disk does not tell"), NULL);
    }
    const uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize; /* Of real disks: it fits. */
    const bool enough = left >= SPEAN_DOCTOR_DISK_BYTES_MIN;
    (void)snprintf(text, sizeof(text), _("%" PRIu64 " MiB left on the disk of the store"),
                   left >> 20);
    return spean_doctor_add(checks, "disk", enough ? "ok" : "attention", text,
                            enough ? NULL : _("make room on it"));
}

static spean_err look_at_clock(json_t *checks)
{
    const bool possible = (int64_t)time(NULL) >= CLOCK_EARLIEST;
    return spean_doctor_add(checks, "time", possible ? "ok" : "attention",
                            possible ? _("the clock shows a possible time")
                                     : _("the clock shows a time before this program was made"),
                            possible ? NULL : _("set the clock of this computer"));
}

spean_err spean_doctor_look(const char *home, json_t *checks)
{
    assert(home != NULL);
    char *const store = spean_format("%s/%s", home, SPEAN_HOME_STORE);
    if (store == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_err err;
    if (access(store, F_OK) != 0) {
        char text[TEXT_BYTES];
        (void)snprintf(text, sizeof(text), _("there is no node in %s"), home);
        err = spean_doctor_add(checks, "store", "attention", text,
                               _("make one: spean init, or say where it is: --home"));
    } else {
        err = look_at_rights(checks, "home", home, OTHERS);
        if (err == SPEAN_OK) {
            err = look_at_rights(checks, "store", store, GROUP_AND_ALL);
        }
        if (err == SPEAN_OK) {
            err = look_at_disk(checks, store);
        }
    }
    free(store);
    return err == SPEAN_OK ? look_at_clock(checks) : err;
}
