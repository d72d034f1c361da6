/* Who acts at this node. */
#include "store/person.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store/fixture.h"

static struct spean_person person(const char *name, enum spean_person_role role, uint32_t uid)
{
    struct spean_person made = {.role = role, .uid = uid};
    (void)snprintf(made.name, sizeof(made.name), "%s", name);
    return made;
}

static struct spean_persons persons;

static void add(const char *name, enum spean_person_role role, uint32_t uid)
{
    const struct spean_person made = person(name, role, uid);
    assert_int_equal(spean_persons_add(&persons, &made), SPEAN_OK);
}

static int begin(void **state)
{
    persons.count = 0;
    add("admin", SPEAN_PERSON_ADMIN, 0);
    add("sokha", SPEAN_PERSON_CASE_WORKER, 1000);
    return fixture_store_setup(state);
}

static void what_was_put_is_got_in_its_order(void **state)
{
    struct fixture *f = *state;
    static struct spean_persons got;
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_persons_get(tx, &got), SPEAN_OK);
    assert_int_equal(got.count, 0); /* Nobody was entered. */
    assert_int_equal(spean_persons_retire(&persons, "sokha"), SPEAN_OK);
    assert_int_equal(spean_persons_put(tx, &persons), SPEAN_OK);
    assert_int_equal(spean_persons_get(tx, &got), SPEAN_OK);
    assert_int_equal(got.count, 2);
    assert_string_equal(got.list[0].name, "admin");
    assert_int_equal(got.list[0].role, SPEAN_PERSON_ADMIN);
    assert_int_equal(got.list[1].uid, 1000);
    assert_true(got.list[1].retired);
    spean_tx_abort(tx);
}

static void a_damaged_row_is_told(void **state)
{
    struct fixture *f = *state;
    static struct spean_persons got;
    struct spean_tx *tx = NULL;
    uint8_t row[256];
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_persons_put(tx, &persons), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    const size_t len = fixture_get(f, SPEAN_TABLE_META, "persons", row, sizeof(row));
    for (size_t cut = 1; cut < len; cut++) {
        fixture_put(f, SPEAN_TABLE_META, "persons", (struct spean_view){row, cut});
        assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
        assert_int_equal(spean_persons_get(tx, &got), SPEAN_ECORRUPT);
        assert_int_equal(got.count, 0);
        spean_tx_abort(tx);
    }
}

static void a_pseudonym_is_given_once_and_a_user_is_one_person(void **state)
{
    (void)state;
    const struct spean_person same_name = person("sokha", SPEAN_PERSON_CASE_WORKER, 1001);
    const struct spean_person same_user = person("dara", SPEAN_PERSON_CASE_WORKER, 1000);
    assert_int_equal(spean_persons_add(&persons, &same_name), SPEAN_EEXISTS);
    assert_int_equal(spean_persons_add(&persons, &same_user), SPEAN_EEXISTS);
    assert_int_equal(spean_persons_retire(&persons, "sokha"), SPEAN_OK);
    assert_null(spean_persons_of(&persons, 1000));
    assert_int_equal(spean_persons_add(&persons, &same_name), SPEAN_EEXISTS); /* For ever. */
    assert_int_equal(spean_persons_add(&persons, &same_user), SPEAN_OK);
    assert_string_equal(spean_persons_of(&persons, 1000)->name, "dara");
}

static void what_is_no_pseudonym_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "two words", "so\nkha", "caf\xc3\xa9", "a/b", "\xff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct spean_person made = person(bad[i], SPEAN_PERSON_CASE_WORKER, 7);
        assert_int_equal(spean_persons_add(&persons, &made), SPEAN_EINPUT);
    }
    struct spean_person endless = person("x", SPEAN_PERSON_CASE_WORKER, 7);
    memset(endless.name, 'a', sizeof(endless.name));
    assert_int_equal(spean_persons_add(&persons, &endless), SPEAN_EINPUT);
    const struct spean_person roleless = person("x", (enum spean_person_role)0, 7);
    assert_int_equal(spean_persons_add(&persons, &roleless), SPEAN_EINPUT);
    assert_int_equal(persons.count, 2);
}

static void the_last_admin_stays(void **state)
{
    (void)state;
    assert_int_equal(spean_persons_retire(&persons, "nobody"), SPEAN_ENOTFOUND);
    assert_int_equal(spean_persons_retire(&persons, "admin"), SPEAN_EDENIED);
    add("second", SPEAN_PERSON_ADMIN, 5);
    assert_int_equal(spean_persons_retire(&persons, "admin"), SPEAN_OK);
    assert_int_equal(spean_persons_retire(&persons, "admin"), SPEAN_ESTATE);
    assert_int_equal(spean_persons_retire(&persons, "second"), SPEAN_EDENIED);
}

static void there_is_a_limit(void **state)
{
    (void)state;
    char name[16];
    while (persons.count < SPEAN_PERSONS_MAX) {
        (void)snprintf(name, sizeof(name), "p%u", persons.count);
        add(name, SPEAN_PERSON_CASE_WORKER, 2000 + persons.count);
    }
    const struct spean_person late = person("late", SPEAN_PERSON_CASE_WORKER, 9);
    assert_int_equal(spean_persons_add(&persons, &late), SPEAN_ELIMIT);
}

static void roles_are_called_as_they_are_read(void **state)
{
    (void)state;
    enum spean_person_role role = SPEAN_PERSON_ADMIN;
    for (int i = SPEAN_PERSON_CASE_WORKER; i <= SPEAN_PERSON_ADMIN; i++) {
        const char *const name = spean_person_role_name((enum spean_person_role)i);
        assert_int_equal(spean_person_role_read(name, &role), SPEAN_OK);
        assert_int_equal(role, i);
    }
    assert_int_equal(spean_person_role_read("root", &role), SPEAN_EINPUT);
    assert_int_equal(spean_person_role_read("", &role), SPEAN_EINPUT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_got_in_its_order),
        TEST(a_damaged_row_is_told),
        TEST(a_pseudonym_is_given_once_and_a_user_is_one_person),
        TEST(what_is_no_pseudonym_is_refused),
        TEST(the_last_admin_stays),
        TEST(there_is_a_limit),
        TEST(roles_are_called_as_they_are_read),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
