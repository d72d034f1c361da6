/*
 * HSDS in CSV files of any bytes. An input is files one after the other, each behind a line
 * "=== services". The folder is refused with a message, or every row that belongs to nothing is
 * named by its place; and what was read is HSDS that can be taken or refused like any.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/fuzz/fuzz.h"
#include "tools/hsds.h"
#include "tools/hsdscsv.h"

#define PATH_BYTES 96u
#define MARK       "=== "

static const char *const names[] = {"organizations",
                                    "organization_identifiers",
                                    "services",
                                    "locations",
                                    "contacts",
                                    "addresses",
                                    "service_at_location",
                                    "phones",
                                    "schedules",
                                    "languages",
                                    "service_areas",
                                    "attributes",
                                    "taxonomy_terms",
                                    "unheard_of"};
#define NAMES_COUNT (sizeof(names) / sizeof(names[0]))

static char folder[] = "/tmp/spean-fuzz-hsds-XXXXXX";
static bool made;

static void path_of(char path[PATH_BYTES], const char *name)
{
    (void)snprintf(path, PATH_BYTES, "%s/%s.csv", folder, name); /* Fits. */
}

static void files_remove(void)
{
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        char path[PATH_BYTES];
        path_of(path, names[i]);
        (void)unlink(path); /* Those that were not made are not there. */
    }
}

static void folder_remove(void)
{
    files_remove();
    (void)rmdir(folder); /* At the end of the process. */
}

static void file_write(const char *name, const char *data, size_t size)
{
    char path[PATH_BYTES];
    path_of(path, name);
    FILE *const file = fopen(path, "wb");
    assert(file != NULL);
    const size_t wrote = fwrite(data, 1, size, file);
    const int failed = fclose(file);
    assert(wrote == size);
    assert(failed == 0);
}

/* The name that a line stands for; NULL: it begins no file. */
static const char *name_of(const char *line, size_t len)
{
    const size_t mark = strlen(MARK);
    for (size_t i = 0; len > mark && memcmp(line, MARK, mark) == 0 && i < NAMES_COUNT; i++) {
        if (strlen(names[i]) == len - mark && memcmp(names[i], line + mark, len - mark) == 0) {
            return names[i];
        }
    }
    return NULL;
}

static void files_write(const char *data, size_t size)
{
    const char *name = "organizations";
    size_t start = 0;
    for (size_t at = 0; at < size;) {
        const char *const end = memchr(data + at, '\n', size - at);
        const size_t len = end == NULL ? size - at : (size_t)(end - (data + at));
        const char *const next = name_of(data + at, len);
        if (next != NULL) {
            file_write(name, data + start, at - start);
            name = next;
            start = at + len < size ? at + len + 1 : size;
        }
        at = at + len < size ? at + len + 1 : size;
    }
    file_write(name, data + start, size - start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!made) {
        made = mkdtemp(folder) != NULL;
        assert(made);
        const int failed = atexit(folder_remove);
        assert(failed == 0);
    }
    files_remove();
    files_write((const char *)data, size);
    json_t *const errors = json_array();
    json_t *organizations = NULL;
    struct spean_problem problem = {.exit = SPEAN_EXIT_DONE};
    const enum spean_exit exit = spean_hsdscsv_read(folder, errors, &organizations, &problem);
    assert(exit == SPEAN_EXIT_DONE || exit == SPEAN_EXIT_USAGE);
    assert((exit == SPEAN_EXIT_DONE) == (organizations != NULL));
    assert(exit == SPEAN_EXIT_DONE || problem.message[0] != '\0');
    for (size_t i = 0; i < json_array_size(errors); i++) {
        assert(json_string_length(json_object_get(json_array_get(errors, i), "place")) > 0);
    }
    struct spean_hsds read;
    if (organizations != NULL &&
        spean_hsds_read(organizations, "km", NULL, NULL, NULL, &read) == 0) {
        spean_hsds_fini(&read);
    }
    json_decref(organizations);
    json_decref(errors);
    return 0;
}
