#include "tools/hsdscsv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/csv.h"
#include "tools/hsds.h"
#include "tools/i18n.h"
#include "tools/input.h"
#include "tools/jsonget.h"
#include "tools/sink.h"
#include "tools/vformat.h"

#define ID_BYTES     128u
#define PLACE_BYTES  96u
#define REASON_BYTES 192u
#define COLUMNS_MAX  12u

enum table {
    ORGANIZATIONS,
    IDENTIFIERS,
    SERVICES,
    LOCATIONS,
    CONTACTS,
    AT_LOCATIONS,
    ADDRESSES,
    PHONES,
    SCHEDULES,
    LANGUAGES,
    AREAS,
    ATTRIBUTES,
    TERMS,
    TABLES_COUNT
};

/* The files, and the columns that we write. */
static const struct {
    const char *name;
    const char *columns[COLUMNS_MAX];
} tables[TABLES_COUNT] = {
    [ORGANIZATIONS] = {"organizations",
                       {"id", "name", "alternate_name", "description", "email", "website"}},
    [IDENTIFIERS] = {"organization_identifiers",
                     {"id", "organization_id", "identifier_scheme", "identifier_type",
                      "identifier"}},
    [SERVICES] = {"services",
                  {"id", "organization_id", "name", "description", "status", "fees_description",
                   "eligibility_description", "assured_date"}},
    [LOCATIONS] = {"locations", {"id", "location_type", "organization_id"}},
    [CONTACTS] = {"contacts", {"id", "organization_id"}},
    [AT_LOCATIONS] = {"service_at_location", {"id", "service_id", "location_id"}},
    [ADDRESSES] = {"addresses",
                   {"id", "location_id", "address_1", "city", "postal_code", "country",
                    "address_type"}},
    [PHONES] = {"phones", {"id", "organization_id", "number", "extension", "type"}},
    [SCHEDULES] = {"schedules", {"id", "service_id", "location_id", "description"}},
    [LANGUAGES] = {"languages", {"id", "service_id", "location_id", "phone_id", "code"}},
    [AREAS] = {"service_areas", {"id", "service_id", "name"}},
    [ATTRIBUTES] = {"attributes", {"id", "link_id", "taxonomy_term_id", "link_entity"}},
    [TERMS] = {"taxonomy_terms", {"id", "code", "name", "taxonomy"}},
};

/* Which rows belong to which, and under what key; an outer table stands before an inner one. */
static const struct relation {
    enum table outer;
    enum table inner;
    const char *link;
    const char *key;
} relations[] = {
    {ORGANIZATIONS, IDENTIFIERS, "organization_id", "organization_identifiers"},
    {ORGANIZATIONS, SERVICES, "organization_id", "services"},
    {ORGANIZATIONS, LOCATIONS, "organization_id", "locations"},
    {ORGANIZATIONS, CONTACTS, "organization_id", "contacts"},
    {ORGANIZATIONS, PHONES, "organization_id", "phones"},
    {ORGANIZATIONS, ATTRIBUTES, "link_id", "attributes"},
    {SERVICES, AT_LOCATIONS, "service_id", "service_at_locations"},
    {SERVICES, CONTACTS, "service_id", "contacts"},
    {SERVICES, PHONES, "service_id", "phones"},
    {SERVICES, SCHEDULES, "service_id", "schedules"},
    {SERVICES, LANGUAGES, "service_id", "languages"},
    {SERVICES, AREAS, "service_id", "service_areas"},
    {SERVICES, ATTRIBUTES, "link_id", "attributes"},
    {LOCATIONS, ADDRESSES, "location_id", "addresses"},
    {LOCATIONS, CONTACTS, "location_id", "contacts"},
    {LOCATIONS, PHONES, "location_id", "phones"},
    {LOCATIONS, SCHEDULES, "location_id", "schedules"},
    {LOCATIONS, LANGUAGES, "location_id", "languages"},
    {AT_LOCATIONS, CONTACTS, "service_at_location_id", "contacts"},
    {AT_LOCATIONS, PHONES, "service_at_location_id", "phones"},
    {AT_LOCATIONS, SCHEDULES, "service_at_location_id", "schedules"},
    {CONTACTS, PHONES, "contact_id", "phones"},
    {PHONES, LANGUAGES, "phone_id", "languages"},
};
#define RELATIONS_COUNT (sizeof(relations) / sizeof(relations[0]))

/* A folder that is being read. */
struct reading {
    json_t *rows[TABLES_COUNT]; /* Arrays. */
    json_t *ids[TABLES_COUNT];  /* The same rows by their id. */
    json_t *embedded;           /* Ids of locations that a service is at. */
    json_t *errors;
    size_t count;
    bool failed; /* Memory ran out. */
};

bool spean_hsdscsv_is(const char *path)
{
    struct stat facts;
    assert(path != NULL);
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* -- Reading --------------------------------------------------------------------------------- */

/* Tell what is wrong with a row, which is left out. */
static void row_fail(struct reading *r, const char *place, const char *reason)
{
    r->failed = json_array_append_new(
                    r->errors, json_pack("{s:s,s:s}", "place", place, "error", reason)) != 0 ||
                r->failed;
}

/* Whether the row that object was made of can be used; where not, why is told. */
static bool row_judge(struct reading *r, enum table table, const json_t *object, size_t heads,
                      const struct spean_csv_row *row)
{
    const char *const place = spean_jsonget_text(object, SPEAN_HSDS_PLACE);
    const json_t *const same = json_object_get(r->ids[table], spean_jsonget_text(object, "id"));
    char reason[REASON_BYTES];
    for (size_t i = heads; i < row->count; i++) {
        if (row->cells[i][0] != '\0') {
            (void)snprintf(reason, sizeof(reason),
                           _("cell %zu has no heading; the row is left out"), i + 1); /* Fits. */
            row_fail(r, place, reason);
            return false;
        }
    }
    if (same != NULL) {
        (void)snprintf(reason, sizeof(reason), _("id: %s has the same; this row is left out"),
                       spean_jsonget_text(same, SPEAN_HSDS_PLACE)); /* Cut is good enough. */
        row_fail(r, place, reason);
    }
    return same == NULL;
}

/* Make an object of a row; empty cells say nothing. */
static void row_take(struct reading *r, enum table table, const json_t *heads,
                     const struct spean_csv_row *row)
{
    char place[PLACE_BYTES];
    json_t *const object = json_object();
    for (size_t i = 0; i < row->count && i < json_array_size(heads); i++) {
        const char *const head = json_string_value(json_array_get(heads, i));
        if (row->cells[i][0] != '\0' &&
            json_object_set_new(object, head, json_string(row->cells[i])) != 0) {
            r->failed = true;
        }
    }
    (void)snprintf(place, sizeof(place), _("%s.csv, line %" PRIu64), tables[table].name,
                   row->line); /* Cut is good enough. */
    r->failed = json_object_set_new(object, SPEAN_HSDS_PLACE, json_string(place)) != 0 || r->failed;
    const char *const id = spean_jsonget_text(object, "id");
    bool empty = true;
    for (size_t i = 0; i < row->count; i++) {
        empty = empty && row->cells[i][0] == '\0';
    }
    if (!empty && row_judge(r, table, object, json_array_size(heads), row)) {
        r->failed = json_array_append(r->rows[table], object) != 0 || r->failed;
        r->failed = (id[0] != '\0' && json_object_set(r->ids[table], id, object) != 0) || r->failed;
    }
    json_decref(object);
}

/* Take the heads of a file's columns. One that stands there twice would hide cells. */
static enum spean_exit heads_take(const struct spean_csv_row *row, const char *path, json_t **heads,
                                  struct spean_problem *problem)
{
    *heads = json_array();
    for (size_t i = 0; i < row->count; i++) {
        for (size_t k = 0; k < i && row->cells[i][0] != '\0'; k++) {
            if (strcmp(row->cells[k], row->cells[i]) == 0) {
                return spean_problem_usage(problem, _("%s: columns %zu and %zu are both \"%s\""),
                                           path, k + 1, i + 1, row->cells[i]);
            }
        }
        if (json_array_append_new(*heads, json_string(row->cells[i])) != 0) {
            return spean_problem_err(problem, SPEAN_ENOMEM, path);
        }
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit rows_take(struct reading *r, enum table table, struct spean_csv *csv,
                                 const char *path, struct spean_problem *problem)
{
    struct spean_csv_row row;
    struct spean_csv_why why;
    json_t *heads = NULL;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    spean_err err = spean_csv_next(csv, &row, &why);
    while (exit == SPEAN_EXIT_DONE && (err == SPEAN_OK || err == SPEAN_EWAIT)) {
        if (err == SPEAN_EWAIT) {
            spean_csv_feed(csv, "", 0);
        } else if (r->count++ == SPEAN_HSDSCSV_ROWS_MAX) {
            exit = spean_problem_usage(problem, _("%s: more than %u rows"), path,
                                       SPEAN_HSDSCSV_ROWS_MAX);
        } else if (heads != NULL) {
            row_take(r, table, heads, &row);
        } else {
            exit = heads_take(&row, path, &heads, problem);
        }
        err = exit == SPEAN_EXIT_DONE ? spean_csv_next(csv, &row, &why) : err;
    }
    json_decref(heads);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    if (err == SPEAN_ENOMEM) {
        return spean_problem_err(problem, err, path);
    }
    if (err == SPEAN_ENOTFOUND) {
        return SPEAN_EXIT_DONE;
    }
    (void)spean_problem_usage(problem, _("%s, line %" PRIu64 ", column %" PRIu64 ": %s"), path,
                              why.line, why.column, why.text);
    if (why.hint != NULL) {
        spean_problem_hint(problem, "%s", why.hint);
    }
    return SPEAN_EXIT_USAGE;
}

/* Read one file; one that is not there has no rows, but organizations must be. */
static enum spean_exit table_read(struct reading *r, const char *folder, enum table table,
                                  struct spean_problem *problem)
{
    char *const spec = spean_format("@%s/%s.csv", folder, tables[table].name);
    struct spean_csv *csv = NULL;
    char *text = NULL;
    size_t len = 0;
    r->rows[table] = json_array();
    r->ids[table] = json_object();
    if (spec == NULL || r->rows[table] == NULL || r->ids[table] == NULL ||
        spean_csv_new(&csv) != SPEAN_OK) {
        free(spec);
        return spean_problem_err(problem, SPEAN_ENOMEM, folder);
    }
    enum spean_exit exit = spean_input_bytes(spec, SPEAN_INPUT_BYTES_MAX, &text, &len, problem);
    if (exit == SPEAN_EXIT_NOT_FOUND && table != ORGANIZATIONS) {
        *problem = (struct spean_problem){.exit = SPEAN_EXIT_DONE};
        exit = SPEAN_EXIT_DONE;
    } else if (exit == SPEAN_EXIT_DONE) {
        spean_csv_feed(csv, text, len);
        exit = rows_take(r, table, csv, spec + 1, problem);
    }
    spean_csv_free(csv);
    free(text);
    free(spec);
    return exit;
}

/* Put a row under key of the one that it names. False: there is no such row. */
static bool row_put(struct reading *r, const struct relation *relation, json_t *row)
{
    const char *const id = spean_jsonget_text(row, relation->link);
    json_t *const outer = json_object_get(r->ids[relation->outer], id);
    json_t *array = json_object_get(outer, relation->key);
    if (outer == NULL) {
        return false;
    }
    if (!json_is_array(array)) { /* None yet, or a column that is called like the table. */
        array = json_array();
        r->failed = json_object_set_new(outer, relation->key, array) != 0 || r->failed;
    }
    r->failed = json_array_append(array, row) != 0 || r->failed;
    return true;
}

/* Put what a row names by one id under key: a term, a location. */
static void rows_embed(struct reading *r, enum table table, const char *link, enum table other,
                       const char *key)
{
    for (size_t i = 0; i < json_array_size(r->rows[table]); i++) {
        json_t *const row = json_array_get(r->rows[table], i);
        json_t *const found = json_object_get(r->ids[other], spean_jsonget_text(row, link));
        if (found != NULL) {
            r->failed = json_object_set(row, key, found) != 0 || r->failed;
        }
        if (found != NULL && other == LOCATIONS) {
            const char *const id = spean_jsonget_text(found, "id");
            r->failed = json_object_set_new(r->embedded, id, json_true()) != 0 || r->failed;
        }
    }
}

/* Put every row of a table where it belongs, and tell of each that belongs nowhere. */
static void table_nest(struct reading *r, enum table table)
{
    for (size_t i = 0; i < json_array_size(r->rows[table]); i++) {
        json_t *const row = json_array_get(r->rows[table], i);
        bool placed = table == LOCATIONS &&
                      json_object_get(r->embedded, spean_jsonget_text(row, "id")) != NULL;
        for (size_t k = 0; k < RELATIONS_COUNT; k++) {
            if (relations[k].inner == table && row_put(r, &relations[k], row)) {
                placed = true;
            }
        }
        if (!placed) {
            row_fail(r, spean_jsonget_text(row, SPEAN_HSDS_PLACE),
                     _("it belongs to no row of the other files"));
        }
    }
}

enum spean_exit spean_hsdscsv_read(const char *path, json_t *errors, json_t **organizations,
                                   struct spean_problem *problem)
{
    assert(path != NULL);
    assert(organizations != NULL);
    struct reading r = {.errors = errors, .embedded = json_object()};
    enum spean_exit exit =
        r.embedded == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, path) : SPEAN_EXIT_DONE;
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < TABLES_COUNT; i++) {
        exit = table_read(&r, path, (enum table)i, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        rows_embed(&r, ATTRIBUTES, "taxonomy_term_id", TERMS, "taxonomy_term");
        rows_embed(&r, AT_LOCATIONS, "location_id", LOCATIONS, "location");
        for (size_t i = IDENTIFIERS; i < TERMS; i++) {
            table_nest(&r, (enum table)i);
        }
    }
    if (exit == SPEAN_EXIT_DONE && r.failed) {
        exit = spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    if (exit == SPEAN_EXIT_DONE) {
        *organizations = json_incref(r.rows[ORGANIZATIONS]);
    }
    json_decref(r.embedded);
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        json_decref(r.rows[i]);
        json_decref(r.ids[i]);
    }
    return exit;
}

/* -- Writing --------------------------------------------------------------------------------- */

struct spean_hsdscsv {
    char *path; /* Without a slash at the end. */
    char *part; /* Its name until it is whole. */
    FILE *files[TABLES_COUNT];
    json_t *terms; /* Written already, by taxonomy and code. */
    uint64_t rows; /* Written so far: it makes ids. */
};

/* Write the columns of a table that row has; link is the column that says where it belongs. */
static void row_write(struct spean_hsdscsv *csv, enum table table, const json_t *row,
                      const char *id, const char *link, const char *outer)
{
    const char *cells[COLUMNS_MAX];
    size_t count = 0;
    for (; count < COLUMNS_MAX && tables[table].columns[count] != NULL; count++) {
        const char *const column = tables[table].columns[count];
        cells[count] = spean_jsonget_text(row, column);
        cells[count] = link != NULL && strcmp(column, link) == 0 ? outer : cells[count];
        cells[count] = strcmp(column, "id") == 0 ? id : cells[count];
    }
    csv->rows++;
    spean_csv_write_row(csv->files[table], cells, count);
}

/* Write the term that an attribute names, once, and give its id. */
static spean_err term_write(struct spean_hsdscsv *csv, const json_t *attribute, char id[ID_BYTES])
{
    const json_t *const term = json_object_get(attribute, "taxonomy_term");
    (void)snprintf(id, ID_BYTES, "%s-%s", spean_jsonget_text(term, "taxonomy"),
                   spean_jsonget_text(term, "code")); /* Fits: two codes of ours. */
    if (json_object_get(csv->terms, id) != NULL) {
        return SPEAN_OK;
    }
    row_write(csv, TERMS, term, id, NULL, NULL);
    return json_object_set_new(csv->terms, id, json_true()) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}

/* Write one row within another, and give the id by which rows within it name it. */
static spean_err inner_write(struct spean_hsdscsv *csv, const struct relation *relation,
                             const json_t *row, const char *outer, char id[ID_BYTES])
{
    char term[ID_BYTES];
    (void)snprintf(id, ID_BYTES, "%.32s-%s-%" PRIu64, outer, tables[relation->inner].name,
                   csv->rows); /* Fits. */
    if (relation->inner != ATTRIBUTES) {
        row_write(csv, relation->inner, row, id, relation->link, outer);
        return SPEAN_OK;
    }
    const spean_err err = term_write(csv, row, term);
    json_t *const linked = json_pack("{s:s,s:s,s:s}", "link_id", outer, "taxonomy_term_id", term,
                                     "link_entity", spean_jsonget_text(row, "link_entity"));
    row_write(csv, ATTRIBUTES, linked, id, NULL, NULL);
    json_decref(linked);
    return err;
}

/* Write the rows two levels down: what belongs to a service, a location, a telephone. */
static spean_err leaves_write(struct spean_hsdscsv *csv, enum table table, const json_t *row,
                              const char *row_id)
{
    char id[ID_BYTES];
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < RELATIONS_COUNT; i++) {
        const json_t *const leaves =
            relations[i].outer == table ? json_object_get(row, relations[i].key) : NULL;
        for (size_t k = 0; err == SPEAN_OK && k < json_array_size(leaves); k++) {
            err = inner_write(csv, &relations[i], json_array_get(leaves, k), row_id, id);
        }
    }
    return err;
}

spean_err spean_hsdscsv_add(struct spean_hsdscsv *csv, const json_t *organization)
{
    assert(csv != NULL);
    const char *const own = spean_jsonget_text(organization, "id");
    char id[ID_BYTES];
    spean_err err = SPEAN_OK;
    row_write(csv, ORGANIZATIONS, organization, own, NULL, NULL);
    for (size_t i = 0; i < RELATIONS_COUNT; i++) {
        const json_t *const inner = relations[i].outer == ORGANIZATIONS
                                        ? json_object_get(organization, relations[i].key)
                                        : NULL;
        for (size_t k = 0; err == SPEAN_OK && k < json_array_size(inner); k++) {
            const json_t *const row = json_array_get(inner, k);
            err = inner_write(csv, &relations[i], row, own, id);
            err = err == SPEAN_OK ? leaves_write(csv, relations[i].inner, row, id) : err;
        }
    }
    return err;
}

static FILE *table_open(const char *folder, enum table table)
{
    char *const path = spean_format("%s/%s.csv", folder, tables[table].name);
    const int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *const file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL && fd >= 0) {
        (void)close(fd); /* Nothing was written. */
    }
    free(path);
    return file;
}

/* Make the tables in the folder, each with its headings. On false errno says why. */
static bool tables_make(struct spean_hsdscsv *csv)
{
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        size_t count = 0;
        csv->files[i] = table_open(csv->part, (enum table)i);
        if (csv->files[i] == NULL) {
            return false;
        }
        while (count < COLUMNS_MAX && tables[i].columns[count] != NULL) {
            count++;
        }
        spean_csv_write_mark(csv->files[i]);
        spean_csv_write_row(csv->files[i], tables[i].columns, count);
    }
    return true;
}

static void csv_free(struct spean_hsdscsv *csv)
{
    json_decref(csv->terms);
    free(csv->path);
    free(csv->part);
    free(csv);
}

enum spean_exit spean_hsdscsv_open(const char *path, struct spean_hsdscsv **out,
                                   struct spean_problem *problem)
{
    assert(path != NULL);
    assert(out != NULL);
    if (spean_sink_is_there(path)) {
        return spean_sink_refuse(path, EEXIST, problem);
    }
    struct spean_hsdscsv *const csv = calloc(1, sizeof(*csv));
    if (csv == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    csv->path = strndup(path, len);
    csv->part = csv->path == NULL ? NULL : spean_format("%s" SPEAN_SINK_PART, csv->path);
    csv->terms = json_object();
    if (csv->path == NULL || csv->part == NULL || csv->terms == NULL) {
        csv_free(csv);
        return spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    if (mkdir(csv->part, S_IRWXU) != 0) {
        const enum spean_exit exit = errno == EEXIST ? spean_sink_refuse_part(csv->part, problem)
                                                     : spean_sink_refuse(path, errno, problem);
        csv_free(csv);
        return exit;
    }
    if (!tables_make(csv)) {
        const enum spean_exit exit = spean_sink_refuse(path, errno, problem);
        spean_hsdscsv_drop(csv);
        return exit;
    }
    *out = csv;
    return SPEAN_EXIT_DONE;
}

/* Close the files; false: one could not be written, and errno says why. */
static bool files_close(struct spean_hsdscsv *csv)
{
    bool good = true;
    errno = EIO; /* What ferror() tells of has left no reason. */
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        if (csv->files[i] != NULL) {
            good = fflush(csv->files[i]) == 0 && ferror(csv->files[i]) == 0 && good;
            good = fsync(fileno(csv->files[i])) == 0 && good;
            good = fclose(csv->files[i]) == 0 && good;
            csv->files[i] = NULL;
        }
    }
    return good;
}

enum spean_exit spean_hsdscsv_close(struct spean_hsdscsv *csv, struct spean_problem *problem)
{
    assert(csv != NULL);
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (!files_close(csv)) {
        exit = spean_sink_refuse(csv->path, errno, problem);
    } else if (spean_sink_is_there(csv->path)) {
        exit = spean_sink_refuse(csv->path, EEXIST, problem);
    } else if (rename(csv->part, csv->path) != 0) {
        exit = spean_sink_refuse(csv->path, errno, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        spean_hsdscsv_drop(csv);
        return exit;
    }
    csv_free(csv);
    return SPEAN_EXIT_DONE;
}

void spean_hsdscsv_drop(struct spean_hsdscsv *csv)
{
    if (csv == NULL) {
        return;
    }
    (void)files_close(csv); /* They are removed now. */
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        char *const path = spean_format("%s/%s.csv", csv->part, tables[i].name);
        if (path != NULL) {
            (void)unlink(path); /* Those that were not made are not there. */
        }
        free(path);
    }
    (void)rmdir(csv->part);
    csv_free(csv);
}
