#include "tools/hsds.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/tools/schemakit.h"

#define EXAMPLES "../shared/data/hsds/examples" /* From the top of the tree. */
#define SKIPPED  77

/* How many agencies the published examples hold; a file that is not here has none. */
static const struct {
    const char *name;
    size_t items;
} examples[] = {{"organization_full.json", 1},
                {"organization_list.json", 1},
                {"service_full.json", 1},
                {"service_at_location_full.json", 1},
                {"service_list.json", 1}};

static size_t example_items(const char *name)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        if (strcmp(examples[i].name, name) == 0) {
            return examples[i].items;
        }
    }
    return 0;
}

static void the_published_examples_are_understood_or_refused_whole(void **state)
{
    (void)state;
    DIR *const folder = opendir(EXAMPLES);
    assert_non_null(folder);
    size_t seen = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char path[512];
        const size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 5, ".json") != 0) {
            continue;
        }
        (void)snprintf(path, sizeof(path), EXAMPLES "/%s", entry->d_name);
        json_t *const file = json_load_file(path, 0, NULL);
        struct spean_hsds hsds;
        assert_non_null(file);
        assert_int_equal(spean_hsds_read(file, "en", NULL, NULL, NULL, &hsds), SPEAN_OK);
        if (json_array_size(hsds.items) < example_items(entry->d_name)) {
            fail_msg("%s: %s", entry->d_name, json_dumps(hsds.errors, 0));
        }
        for (size_t i = 0; i < json_array_size(hsds.items); i++) {
            assert_edit_fits(SPEAN_TYPE_AGENCY,
                             json_object_get(json_array_get(hsds.items, i), "edit"));
        }
        spean_hsds_fini(&hsds);
        json_decref(file);
        seen++;
    }
    (void)closedir(folder);
    assert_true(seen >= sizeof(examples) / sizeof(examples[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_examples_are_understood_or_refused_whole),
    };
    DIR *const folder = opendir(EXAMPLES);
    if (folder == NULL) {
        return SKIPPED;
    }
    (void)closedir(folder);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
