#include "store/person.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/reader.h"
#include "protocol/writer.h"

/* The row is [1, [[name: str, role: uint, uid: uint, retired: bool], ...]]. */
#define FORMAT        1u
#define ROW_FIELDS    2u
#define PERSON_FIELDS 4u
#define ROW_BYTES_MAX (SPEAN_PERSONS_MAX * (SPEAN_PERSON_NAME_BYTES + 16u) + 16u)

static const char name_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

static const char *const role_names[] = {
    [SPEAN_PERSON_CASE_WORKER] = "case_worker",
    [SPEAN_PERSON_COORDINATOR] = "coordinator",
    [SPEAN_PERSON_ADMIN] = "admin",
};

static struct spean_view row_key(void)
{
    static const char name[] = "persons";
    return (struct spean_view){(const uint8_t *)name, sizeof(name) - 1};
}

const char *spean_person_role_name(enum spean_person_role role)
{
    assert(role >= SPEAN_PERSON_CASE_WORKER && role <= SPEAN_PERSON_ADMIN);
    return role_names[role];
}

spean_err spean_person_role_read(const char *name, enum spean_person_role *out)
{
    assert(name != NULL);
    assert(out != NULL);
    for (unsigned i = SPEAN_PERSON_CASE_WORKER; i <= SPEAN_PERSON_ADMIN; i++) {
        if (strcmp(role_names[i], name) == 0) {
            *out = (enum spean_person_role)i;
            return SPEAN_OK;
        }
    }
    return SPEAN_EINPUT;
}

static bool is_person(const struct spean_person *person)
{
    const size_t len = strnlen(person->name, sizeof(person->name));
    return len > 0 && len < sizeof(person->name) && strspn(person->name, name_chars) == len &&
           person->role >= SPEAN_PERSON_CASE_WORKER && person->role <= SPEAN_PERSON_ADMIN;
}

static const struct spean_person *find(const struct spean_persons *persons, const char *name)
{
    for (uint32_t i = 0; i < persons->count; i++) {
        if (strcmp(persons->list[i].name, name) == 0) {
            return &persons->list[i];
        }
    }
    return NULL;
}

static void person_read(struct spean_reader *r, struct spean_person *person)
{
    *person = (struct spean_person){.name = ""};
    (void)spean_reader_array(r, PERSON_FIELDS, PERSON_FIELDS);
    const struct spean_view name = spean_reader_str(r, 1, SPEAN_PERSON_NAME_BYTES);
    if (name.len > 0) {
        memcpy(person->name, name.data, name.len);
    }
    person->role = (enum spean_person_role)spean_reader_uint(r, SPEAN_PERSON_ADMIN);
    person->uid = (uint32_t)spean_reader_uint(r, UINT32_MAX);
    person->retired = spean_reader_bool(r);
}

spean_err spean_persons_get(struct spean_tx *tx, struct spean_persons *out)
{
    assert(tx != NULL);
    assert(out != NULL);
    struct spean_view row;
    out->count = 0;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_META, row_key(), &row);
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
    }
    struct spean_reader r;
    spean_reader_init(&r, row);
    (void)spean_reader_array(&r, ROW_FIELDS, ROW_FIELDS);
    const bool known = spean_reader_uint(&r, UINT64_MAX) == FORMAT;
    const uint32_t count = spean_reader_array(&r, 0, SPEAN_PERSONS_MAX);
    bool good = known;
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        person_read(&r, &out->list[i]);
        good = good && is_person(&out->list[i]);
    }
    if (spean_reader_end(&r) != SPEAN_OK || !good) {
        return SPEAN_ECORRUPT;
    }
    out->count = count;
    return SPEAN_OK;
}

spean_err spean_persons_put(struct spean_tx *tx, const struct spean_persons *persons)
{
    assert(tx != NULL);
    assert(persons != NULL);
    assert(persons->count <= SPEAN_PERSONS_MAX);
    uint8_t *buf = malloc(ROW_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_writer w;
    struct spean_view row = {0};
    spean_writer_init(&w, buf, ROW_BYTES_MAX);
    spean_writer_array(&w, ROW_FIELDS);
    spean_writer_uint(&w, FORMAT);
    spean_writer_array(&w, persons->count);
    for (uint32_t i = 0; i < persons->count; i++) {
        const struct spean_person *const person = &persons->list[i];
        spean_writer_array(&w, PERSON_FIELDS);
        spean_writer_str(&w, person->name, strlen(person->name));
        spean_writer_uint(&w, person->role);
        spean_writer_uint(&w, person->uid);
        spean_writer_bool(&w, person->retired);
    }
    spean_err err = spean_writer_end(&w, &row);
    if (err == SPEAN_OK) {
        err = spean_tx_put(tx, SPEAN_TABLE_META, row_key(), row);
    }
    free(buf);
    return err;
}

spean_err spean_persons_add(struct spean_persons *persons, const struct spean_person *person)
{
    assert(persons != NULL);
    assert(person != NULL);
    if (!is_person(person) || person->retired) {
        return SPEAN_EINPUT;
    }
    if (find(persons, person->name) != NULL || spean_persons_of(persons, person->uid) != NULL) {
        return SPEAN_EEXISTS;
    }
    if (persons->count == SPEAN_PERSONS_MAX) {
        return SPEAN_ELIMIT;
    }
    persons->list[persons->count++] = *person;
    return SPEAN_OK;
}

spean_err spean_persons_retire(struct spean_persons *persons, const char *name)
{
    assert(persons != NULL);
    assert(name != NULL);
    const struct spean_person *const found = find(persons, name);
    uint32_t admins = 0;
    if (found == NULL) {
        return SPEAN_ENOTFOUND;
    }
    if (found->retired) {
        return SPEAN_ESTATE;
    }
    for (uint32_t i = 0; i < persons->count; i++) {
        admins += persons->list[i].role == SPEAN_PERSON_ADMIN && !persons->list[i].retired;
    }
    if (found->role == SPEAN_PERSON_ADMIN && admins == 1) {
        return SPEAN_EDENIED;
    }
    persons->list[found - persons->list].retired = true;
    return SPEAN_OK;
}

const struct spean_person *spean_persons_of(const struct spean_persons *persons, uint32_t uid)
{
    assert(persons != NULL);
    for (uint32_t i = 0; i < persons->count; i++) {
        if (!persons->list[i].retired && persons->list[i].uid == uid) {
            return &persons->list[i];
        }
    }
    return NULL;
}
