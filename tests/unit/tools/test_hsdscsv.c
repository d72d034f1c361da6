/* HSDS as a folder of CSV files: rows belong together by their ids, and none is lost silently. */
#include "tools/hsdscsv.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/tools/clikit.h"
#include "tools/hsds.h"
#include "tools/sink.h"

#define PATH_BYTES 192u

static char folder[PATH_BYTES];

struct reading {
    json_t *errors;
    json_t *organizations;
    struct spean_problem problem;
};

static int folder_make(void **state)
{
    (void)state;
    scratch_make(folder, sizeof(folder));
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static void put(const char *name, const char *text)
{
    char path[PATH_BYTES + 64];
    scratch_write(folder, name, text, path, sizeof(path));
}

static enum spean_exit try_read(struct reading *r)
{
    *r = (struct reading){.errors = json_array()};
    return spean_hsdscsv_read(folder, r->errors, &r->organizations, &r->problem);
}

static void read_all(struct reading *r)
{
    if (try_read(r) != SPEAN_EXIT_DONE) {
        fail_msg("%s", r->problem.message);
    }
}

static void reading_fini(struct reading *r)
{
    json_decref(r->errors);
    json_decref(r->organizations);
}

/* What stands under keys, one within the other; a number is a place in an array. */
static const json_t *at(const json_t *json, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        json = json_is_array(json) ? json_array_get(json, (size_t)((*keys)[0] - '0'))
                                   : json_object_get(json, *keys);
    }
    return json;
}
#define AT(JSON, ...) at((JSON), (const char *const[]){__VA_ARGS__, NULL})

static void assert_text(const json_t *json, const char *text)
{
    assert_non_null(json);
    assert_string_equal(json_string_value(json), text);
}

static void assert_one_error(const struct reading *r, const char *place)
{
    assert_int_equal(json_array_size(r->errors), 1);
    assert_text(AT(r->errors, "0", "place"), place);
    assert_true(json_string_length(AT(r->errors, "0", "error")) > 0);
}

/* -- Reading --------------------------------------------------------------------------------- */

static void rows_are_nested_by_what_they_name_at_any_depth(void **state)
{
    (void)state;
    struct reading r;
    put("organizations.csv", "id,name\no1,One\no2,Two\n");
    put("services.csv", "id,organization_id,name\ns1,o2,Help\n");
    put("locations.csv", "id,name\nl1,House\n");
    put("service_at_location.csv", "id,service_id,location_id\na1,s1,l1\n");
    put("addresses.csv", "id,location_id,city\nd1,l1,Phnom Penh\n");
    put("phones.csv", "id,contact_id,number\np1,c1,012\n");
    put("contacts.csv", "id,service_id,name\nc1,s1,Chan\n");
    put("languages.csv", "id,phone_id,code\ng1,p1,km\n");
    put("attributes.csv", "id,link_id,taxonomy_term_id\nt1,s1,x1\n");
    put("taxonomy_terms.csv", "id,code\nx1,legal\nx2,unused\n");
    read_all(&r);
    assert_int_equal(json_array_size(r.errors), 0);
    assert_int_equal(json_array_size(r.organizations), 2);
    assert_null(AT(r.organizations, "0", "services"));
    const json_t *const service = AT(r.organizations, "1", "services", "0");
    assert_text(AT(service, "name"), "Help");
    assert_text(AT(service, SPEAN_HSDS_PLACE), "services.csv, line 2");
    assert_text(AT(service, "contacts", "0", "phones", "0", "languages", "0", "code"), "km");
    assert_text(AT(service, "attributes", "0", "taxonomy_term", "code"), "legal");
    assert_text(AT(service, "service_at_locations", "0", "location", "addresses", "0", "city"),
                "Phnom Penh");
    reading_fini(&r);
}

static void a_row_that_belongs_to_nothing_is_told_with_its_line(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "id,organization_id\np1,o1\np2,o9\n", /* The one that it names is not there, */
        "id,organization_id\np1,o1\np2,\n",   /* it names none, */
        "id,organization_id\np1,o1\np2,O1\n", /* or not just so. */
    };
    put("organizations.csv", "id,name\no1,One\n");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct reading r;
        put("phones.csv", texts[i]);
        read_all(&r);
        assert_one_error(&r, "phones.csv, line 3");
        assert_int_equal(json_array_size(AT(r.organizations, "0", "phones")), 1);
        reading_fini(&r);
    }
}

static void a_cell_without_a_heading_and_an_id_that_was_there_cost_their_row(void **state)
{
    (void)state;
    struct reading r;
    put("organizations.csv", "id,name\no1,One\no2,Two,beyond\no3,Three,\n,,\n,,beyond\n");
    read_all(&r);
    assert_int_equal(json_array_size(r.organizations), 2); /* An empty cell too many is none. */
    assert_int_equal(json_array_size(r.errors), 2);
    assert_text(AT(r.errors, "0", "place"), "organizations.csv, line 3");
    assert_non_null(strstr(json_string_value(AT(r.errors, "0", "error")), "cell 3"));
    assert_text(AT(r.errors, "1", "place"), "organizations.csv, line 6");
    reading_fini(&r);
    put("organizations.csv", "id,name\no1,First\no1,Second\n");
    put("phones.csv", "id,organization_id,number\np1,o1,012\n,o1,013\n,o1,014\n");
    read_all(&r);
    assert_one_error(&r, "organizations.csv, line 3");
    assert_non_null(
        strstr(json_string_value(AT(r.errors, "0", "error")), "organizations.csv, line 2"));
    assert_int_equal(json_array_size(r.organizations), 1);
    assert_text(AT(r.organizations, "0", "name"), "First");
    assert_int_equal(json_array_size(AT(r.organizations, "0", "phones")), 3); /* No id, no twin. */
    reading_fini(&r);
}

static void two_columns_of_one_name_are_refused(void **state)
{
    (void)state;
    struct reading r;
    put("organizations.csv", "id,name,name\no1,One,Two\n");
    assert_int_equal(try_read(&r), SPEAN_EXIT_USAGE);
    assert_non_null(strstr(r.problem.message, "columns 2 and 3 are both \"name\""));
    reading_fini(&r);
}

/* Ids are unique within a file, not over all: small registers count from 1 in each. */
static void a_row_is_not_placed_by_the_id_of_a_row_of_another_file(void **state)
{
    (void)state;
    struct reading r;
    put("organizations.csv", "id,name\n1,One\n");
    put("attributes.csv", "id,link_id,taxonomy_term_id\n5,1,2\n");
    put("taxonomy_terms.csv", "id,code\n2,legal\n");
    put("phones.csv", "id,organization_id,number\n2,9,012\n");
    read_all(&r);
    assert_one_error(&r, "phones.csv, line 2");
    reading_fini(&r);
    put("phones.csv", "id,organization_id,number\n2,1,012\n");
    put("locations.csv", "id,name\n2,House\n");
    read_all(&r);
    assert_one_error(&r, "locations.csv, line 2");
    reading_fini(&r);
}

/* Flat registers have columns that are called as what HSDS nests. */
static void a_column_called_like_a_nested_table_gives_way_to_it(void **state)
{
    (void)state;
    struct reading r;
    put("organizations.csv", "id,name,phones,services\no1,One,\"012, 013\",legal\n");
    put("phones.csv", "id,organization_id,number\np1,o1,014\np2,o1,015\n");
    read_all(&r);
    assert_int_equal(json_array_size(r.errors), 0);
    assert_text(AT(r.organizations, "0", "phones", "0", "number"), "014");
    assert_text(AT(r.organizations, "0", "phones", "1", "number"), "015");
    assert_text(AT(r.organizations, "0", "services"), "legal"); /* There is no such table. */
    reading_fini(&r);
}

static void empty_cells_say_nothing(void **state)
{
    (void)state;
    struct reading r;
    put("organizations.csv", "id,name,email\no1,One,\n,Two,a@b\n\n");
    read_all(&r);
    assert_int_equal(json_array_size(r.organizations), 2);
    assert_null(AT(r.organizations, "0", "email"));
    assert_null(AT(r.organizations, "1", "id"));
    reading_fini(&r);
}

static void organizations_are_needed_and_other_files_are_not(void **state)
{
    (void)state;
    struct reading r;
    assert_int_equal(try_read(&r), SPEAN_EXIT_NOT_FOUND);
    assert_null(r.organizations);
    reading_fini(&r);
    put("organizations.csv", "");
    read_all(&r);
    assert_int_equal(json_array_size(r.organizations), 0);
    reading_fini(&r);
}

static void a_file_that_is_no_csv_is_refused_with_its_name_and_line(void **state)
{
    (void)state;
    static const char *const texts[] = {"id,name\no1,\"One\",\"", "id,name\no1,\"One\"x\n",
                                        "id,name\no1,\xff\n"};
    put("organizations.csv", "id,name\no1,One\n");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct reading r;
        put("terms.csv", texts[i]); /* Not one of ours: not looked at. */
        put("services.csv", texts[i]);
        assert_int_equal(try_read(&r), SPEAN_EXIT_USAGE);
        assert_non_null(strstr(r.problem.message, "services.csv, line 2"));
        assert_null(r.organizations);
        reading_fini(&r);
    }
}

static void only_a_folder_is_one(void **state)
{
    (void)state;
    char path[PATH_BYTES + 64];
    scratch_write(folder, "file", "", path, sizeof(path));
    assert_true(spean_hsdscsv_is(folder));
    assert_false(spean_hsdscsv_is(path));
    assert_false(spean_hsdscsv_is("/nowhere/at/all"));
}

/* -- Writing --------------------------------------------------------------------------------- */

static void remove_folder(const char *path)
{
    char name[PATH_BYTES + 320];
    DIR *const dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        (void)unlink(name); /* "." and ".." stay. */
    }
    assert_int_equal(closedir(dir), 0);
    assert_int_equal(rmdir(path), 0);
}

static void what_was_written_is_read_again(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\":\"0123456789abcdef0123456789abcdef\",\"name\":\"=One, \\\"x\\\"\","
        "\"phones\":[{\"number\":\"012\",\"languages\":[{\"code\":\"km\"},{\"code\":\"vi\"}]},"
        "{\"number\":\"-013\"}],\"services\":[{\"name\":\"a\\nb\",\"schedules\":[{\"description\":"
        "\"9-5\"}]},{\"name\":\"c\",\"schedules\":[{\"description\":\"8-4\"}]}]}";
    char path[PATH_BYTES + 8];
    struct reading r = {.errors = json_array()};
    struct spean_hsdscsv *csv = NULL;
    struct stat facts;
    json_t *const organization = json_loads(text, 0, NULL);
    assert_non_null(organization);
    (void)snprintf(path, sizeof(path), "%s/csv", folder);
    assert_int_equal(spean_hsdscsv_open(path, &csv, &r.problem), SPEAN_EXIT_DONE);
    assert_int_equal(spean_hsdscsv_add(csv, organization), SPEAN_OK);
    assert_int_equal(spean_hsdscsv_close(csv, &r.problem), SPEAN_EXIT_DONE);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0700);
    assert_int_equal(spean_hsdscsv_read(path, r.errors, &r.organizations, &r.problem),
                     SPEAN_EXIT_DONE);
    assert_int_equal(json_array_size(r.errors), 0);
    assert_int_equal(json_array_size(r.organizations), 1);
    const json_t *const again = AT(r.organizations, "0");
    assert_text(AT(again, "id"), "0123456789abcdef0123456789abcdef");
    assert_text(AT(again, "name"), "=One, \"x\""); /* Without the guard of a formula. */
    assert_int_equal(json_array_size(AT(again, "phones")), 2);
    assert_text(AT(again, "phones", "0", "number"), "012");
    assert_int_equal(json_array_size(AT(again, "phones", "0", "languages")), 2);
    assert_text(AT(again, "phones", "0", "languages", "1", "code"), "vi");
    assert_text(AT(again, "phones", "1", "number"), "-013");
    assert_null(AT(again, "phones", "1", "languages"));
    assert_int_equal(json_array_size(AT(again, "services")), 2);
    assert_text(AT(again, "services", "0", "name"), "a\nb");
    assert_text(AT(again, "services", "0", "schedules", "0", "description"), "9-5");
    assert_text(AT(again, "services", "1", "schedules", "0", "description"), "8-4");
    remove_folder(path);
    json_decref(organization);
    reading_fini(&r);
}

static void a_folder_that_is_there_is_not_written_into(void **state)
{
    (void)state;
    struct spean_hsdscsv *csv = NULL;
    struct spean_problem problem = {.exit = SPEAN_EXIT_DONE};
    char path[PATH_BYTES + 8];
    assert_int_equal(spean_hsdscsv_open(folder, &csv, &problem), SPEAN_EXIT_STATE);
    assert_null(csv);
    scratch_write(folder, "file", "mine", path, sizeof(path));
    assert_int_equal(spean_hsdscsv_open(path, &csv, &problem), SPEAN_EXIT_STATE);
    assert_int_equal(spean_hsdscsv_open("/nowhere/at/all", &csv, &problem), SPEAN_EXIT_NOT_FOUND);
    assert_null(csv);
}

static void what_is_dropped_is_gone(void **state)
{
    (void)state;
    struct spean_hsdscsv *csv = NULL;
    struct spean_problem problem = {.exit = SPEAN_EXIT_DONE};
    struct stat facts;
    char path[PATH_BYTES + 8];
    char part[PATH_BYTES + 16];
    (void)snprintf(path, sizeof(path), "%s/csv", folder);
    (void)snprintf(part, sizeof(part), "%s" SPEAN_SINK_PART, path);
    assert_int_equal(spean_hsdscsv_open(path, &csv, &problem), SPEAN_EXIT_DONE);
    assert_int_equal(stat(part, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0700);
    assert_int_equal(stat(path, &facts), -1); /* It appears when it is whole. */
    spean_hsdscsv_drop(csv);
    assert_int_equal(stat(path, &facts), -1);
    assert_int_equal(stat(part, &facts), -1);
    spean_hsdscsv_drop(NULL);
}

static void a_folder_that_is_being_written_or_was_left_so_is_refused(void **state)
{
    (void)state;
    struct spean_hsdscsv *csv = NULL;
    struct spean_hsdscsv *second = NULL;
    struct spean_problem problem = {.exit = SPEAN_EXIT_DONE};
    char path[PATH_BYTES + 8];
    (void)snprintf(path, sizeof(path), "%s/csv/", folder);
    assert_int_equal(spean_hsdscsv_open(path, &csv, &problem), SPEAN_EXIT_DONE);
    assert_int_equal(spean_hsdscsv_open(path, &second, &problem), SPEAN_EXIT_STATE);
    assert_null(second);
    assert_non_null(strstr(problem.message, SPEAN_SINK_PART));
    spean_hsdscsv_drop(csv);
}

static void a_name_that_is_taken_meanwhile_is_left_alone(void **state)
{
    (void)state;
    struct spean_hsdscsv *csv = NULL;
    struct spean_problem problem = {.exit = SPEAN_EXIT_DONE};
    struct stat facts;
    char path[PATH_BYTES + 8];
    (void)snprintf(path, sizeof(path), "%s/csv", folder);
    assert_int_equal(spean_hsdscsv_open(path, &csv, &problem), SPEAN_EXIT_DONE);
    scratch_write(folder, "csv", "mine", path, sizeof(path));
    assert_int_equal(spean_hsdscsv_close(csv, &problem), SPEAN_EXIT_STATE);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_size, 4);
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_are_nested_by_what_they_name_at_any_depth),
        TEST(a_row_that_belongs_to_nothing_is_told_with_its_line),
        TEST(a_cell_without_a_heading_and_an_id_that_was_there_cost_their_row),
        TEST(two_columns_of_one_name_are_refused),
        TEST(a_row_is_not_placed_by_the_id_of_a_row_of_another_file),
        TEST(a_column_called_like_a_nested_table_gives_way_to_it),
        TEST(empty_cells_say_nothing),
        TEST(organizations_are_needed_and_other_files_are_not),
        TEST(a_file_that_is_no_csv_is_refused_with_its_name_and_line),
        TEST(only_a_folder_is_one),
        TEST(what_was_written_is_read_again),
        TEST(a_folder_that_is_there_is_not_written_into),
        TEST(what_is_dropped_is_gone),
        TEST(a_folder_that_is_being_written_or_was_left_so_is_refused),
        TEST(a_name_that_is_taken_meanwhile_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
