/* What answers have in common: ids by their first digits, bytes in hex, dry runs. */
#include "node/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/text.h"
#include "tests/support/identitykit.h"

#define SEEDS_MAX 2000u /* Two of so many ids begin with the same four digits. */
#define DIGITS    (2u * SPEAN_ID_BYTES + 1u)

struct world {
    struct spean_authority *authority;
    struct spean_reply reply;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    assert_int_equal(spean_authority_new(&w->authority, NULL), SPEAN_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    spean_reply_fini(&w->reply);
    spean_authority_free(w->authority);
    free(w);
    return 0;
}

static struct spean_id add_org(struct world *w, unsigned seed)
{
    struct fixture_document *doc = calloc(1, sizeof(*doc));
    struct spean_authority_change change;
    assert_non_null(doc);
    fixture_org_first(doc, seed);
    assert_int_equal(spean_authority_add(w->authority, doc->view, SPEAN_PENDING_KEEP, &change),
                     SPEAN_OK);
    const struct spean_id id = doc->doc.id;
    free(doc);
    return id;
}

static void digits_of(const struct spean_id *id, char out[DIGITS])
{
    spean_text_hex_encode(out, DIGITS, (struct spean_view){id->bytes, SPEAN_ID_BYTES});
}

static void refused(struct world *w, const char *prefix, int status, const char *code, int exit)
{
    struct spean_id found;
    assert_false(spean_answer_find_org(w->authority, prefix, &found, &w->reply));
    assert_int_equal(w->reply.status, status);
    const json_t *error = json_object_get(w->reply.body, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    assert_int_equal(json_integer_value(json_object_get(error, "exit")), exit);
    assert_true(strlen(json_string_value(json_object_get(error, "hint"))) > 0);
}

/* -- Organisations by their first digits ------------------------------------------------------- */

static void an_organisation_is_found_by_four_digits_and_by_all_of_them(void **state)
{
    struct world *w = *state;
    struct spean_id found;
    char digits[DIGITS];
    const struct spean_id id = add_org(w, 1);
    digits_of(&id, digits);
    assert_true(spean_answer_find_org(w->authority, digits, &found, &w->reply));
    assert_true(spean_id_equal(&found, &id));
    digits[4] = '\0';
    assert_true(spean_answer_find_org(w->authority, digits, &found, &w->reply));
    digits[3] = '\0';
    refused(w, digits, 404, "not_found", 5);
}

static void what_no_organisation_begins_with_is_not_found(void **state)
{
    struct world *w = *state;
    char digits[DIGITS + 1];
    const struct spean_id id = add_org(w, 1);
    digits_of(&id, digits);
    digits[3] = digits[3] == '0' ? '1' : '0';
    refused(w, digits, 404, "not_found", 5);
    digits_of(&id, digits);
    strcat(digits, "0");
    refused(w, digits, 404, "not_found", 5);
    refused(w, "", 404, "not_found", 5);
    refused(w, "zzzz", 404, "not_found", 5);
}

/* Seeds of two organisations whose ids begin with the same two bytes. */
static void find_twins(unsigned *first, unsigned *second)
{
    static unsigned seeds[65536];
    struct fixture_document *doc = calloc(1, sizeof(*doc));
    assert_non_null(doc);
    memset(seeds, 0, sizeof(seeds));
    for (unsigned seed = 1; seed <= SEEDS_MAX; seed++) {
        fixture_org_first(doc, seed);
        const size_t at = (size_t)doc->doc.id.bytes[0] << 8 | doc->doc.id.bytes[1];
        if (seeds[at] != 0) {
            *first = seeds[at];
            *second = seed;
            free(doc);
            return;
        }
        seeds[at] = seed;
    }
    fail_msg("no two ids begin alike");
}

static void digits_that_several_organisations_begin_with_are_ambiguous(void **state)
{
    struct world *w = *state;
    unsigned first = 0;
    unsigned second = 0;
    char digits[DIGITS];
    struct spean_id found;
    find_twins(&first, &second);
    const struct spean_id id = add_org(w, first);
    (void)add_org(w, second);
    digits_of(&id, digits);
    assert_true(spean_answer_find_org(w->authority, digits, &found, &w->reply));
    digits[4] = '\0';
    refused(w, digits, 409, "ambiguous", 6);
}

/* -- Bytes ---------------------------------------------------------------------------------------
 */

static void bytes_that_are_not_hex_or_of_another_length_are_refused(void **state)
{
    struct world *w = *state;
    static const char *const wrong[] = {"", "0", "0g", "0A", "001", "000000", "00 0"};
    uint8_t out[2] = {7, 7};
    json_t *object = json_object();
    assert_false(spean_answer_read_fixed(object, "key", out, sizeof(out), &w->reply));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)json_object_set_new(object, "key", json_string(wrong[i]));
        assert_false(spean_answer_read_fixed(object, "key", out, sizeof(out), &w->reply));
        assert_int_equal(w->reply.status, 400);
    }
    (void)json_object_set_new(object, "key", json_integer(7));
    assert_false(spean_answer_read_fixed(object, "key", out, sizeof(out), &w->reply));
    (void)json_object_set_new(object, "key", json_string("00ff"));
    assert_true(spean_answer_read_fixed(object, "key", out, sizeof(out), &w->reply));
    assert_int_equal(out[1], 0xff);
    json_decref(object);
}

static void bytes_beyond_the_limit_are_refused_before_memory_is_taken(void **state)
{
    struct world *w = *state;
    uint8_t *out = NULL;
    size_t len = 0;
    json_t *object = json_pack("{s:s}", "key", "000102");
    assert_false(spean_answer_read_hex(object, "key", 2, &out, &len, &w->reply));
    assert_null(out);
    assert_int_equal(w->reply.status, 400);
    assert_true(spean_answer_read_hex(object, "key", 3, &out, &len, &w->reply));
    assert_int_equal(len, 3);
    assert_int_equal(out[2], 2);
    free(out);
    json_decref(object);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_organisation_is_found_by_four_digits_and_by_all_of_them),
        TEST(what_no_organisation_begins_with_is_not_found),
        TEST(digits_that_several_organisations_begin_with_are_ambiguous),
        TEST(bytes_that_are_not_hex_or_of_another_length_are_refused),
        TEST(bytes_beyond_the_limit_are_refused_before_memory_is_taken),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
