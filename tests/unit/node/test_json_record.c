/* How a folded part is shown, and how an edit is read against it. */
#include "node/json_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/edit.h"
#include "node/json_value.h"
#include "protocol/change.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"

#define VALUE_BYTES 4096u
#define BODY_BYTES  8192u

static const struct spean_record_id record = {{7}};

static bool no_rows(void *ctx, const struct spean_context_row *row)
{
    (void)ctx;
    (void)row;
    return false;
}

/* Fold one operation, written by log at seq, into part. Nobody has read anybody. */
static void fold(struct spean_part *part, uint64_t type, uint64_t part_number, uint64_t log,
                 uint64_t seq, const struct spean_operation *operation)
{
    static uint8_t buf[BODY_BYTES];
    struct spean_view content;
    struct spean_change change = {.type = type,
                                  .record = record,
                                  .part = part_number,
                                  .schema_version = 1,
                                  .actor = {(const uint8_t *)"sokha", 5}};
    assert_int_equal(
        spean_change_encode(&change, operation, 1, NULL, 0, buf, sizeof(buf), &content), SPEAN_OK);
    assert_int_equal(spean_change_decode(content, &change), SPEAN_OK);
    struct spean_fold_input input = {.change = &change, .log = log, .seq = seq, .time = 100 * seq};
    input.entry.bytes[0] = (uint8_t)log;
    input.entry.bytes[1] = (uint8_t)seq;
    input.org.bytes[0] = (uint8_t)log;
    bool missing = false;
    assert_int_equal(spean_part_apply(part, &input, no_rows, NULL, &missing), SPEAN_OK);
}

/* The same with the value as JSON, of a field of the schema. */
static void fold_json(struct spean_part *part, uint64_t type, uint64_t log, uint64_t seq,
                      const char *name, enum spean_verb verb, const char *text)
{
    uint8_t buf[VALUE_BYTES];
    struct spean_writer w;
    struct spean_json_why why = {""};
    struct spean_operation operation;
    const struct spean_schema_field *field = spean_schema_field_by_name(type, name);
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(field);
    assert_non_null(json);
    spean_writer_init(&w, buf, sizeof(buf));
    if (spean_json_value_encode(&w, &field->value, name, json, &why) != SPEAN_OK) {
        fail_msg("%s", why.text);
    }
    operation = (struct spean_operation){
        .field = field->number, .kind = (uint64_t)field->kind, .verb = (uint64_t)verb};
    assert_int_equal(spean_writer_end(&w, &operation.value), SPEAN_OK);
    fold(part, type, (uint64_t)field->part, log, seq, &operation);
    json_decref(json);
}

static struct spean_part *new_part(uint64_t type, uint64_t part_number)
{
    struct spean_part *part = NULL;
    assert_int_equal(spean_part_new(&part, type, &record, part_number), SPEAN_OK);
    return part;
}

static const char *name_of(void *ctx, const struct spean_id *org)
{
    (void)ctx;
    return org->bytes[0] == 1 ? "Bridge" : NULL;
}

static const struct spean_json_names names = {name_of, NULL};

static json_t *show(const struct spean_part *part)
{
    json_t *object = json_object();
    assert_int_equal(spean_json_part_show(object, part, &names), SPEAN_OK);
    return object;
}

/* Expect JSON under fields[name]; text NULL: nothing. */
static void expect(const json_t *object, const char *name, const char *text)
{
    json_t *shown = json_object_get(json_object_get(object, "fields"), name);
    json_t *wanted = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    if (shown != wanted && json_equal(shown, wanted) != 1) {
        fail_msg("%s: %s, not %s", name, json_dumps(shown, JSON_ENCODE_ANY), text);
    }
    json_decref(wanted);
}

/* -- Showing --------------------------------------------------------------------------------- */

static void what_is_safe_is_what_nobody_denies(void **state)
{
    (void)state;
    struct spean_part *part = new_part(SPEAN_TYPE_CASE, SPEAN_PART_CASE);
    fold_json(part, SPEAN_TYPE_CASE, 1, 1, "safe_contact", SPEAN_VERB_WRITE,
              "{\"safe\": true, \"may_leave_message\": true}");
    json_t *object = show(part);
    expect(object, "safe_contact", "{\"safe\": true, \"may_leave_message\": true}");
    json_decref(object);
    fold_json(part, SPEAN_TYPE_CASE, 2, 1, "safe_contact", SPEAN_VERB_WRITE,
              "{\"safe\": true, \"may_leave_message\": false}");
    object = show(part);
    expect(object, "safe_contact", "{\"safe\": true, \"may_leave_message\": false}");
    assert_int_equal(json_object_size(json_object_get(object, "conflicts")), 0);
    json_decref(object);
    fold_json(part, SPEAN_TYPE_CASE, 3, 1, "safe_contact", SPEAN_VERB_WRITE, "{\"safe\": false}");
    object = show(part);
    expect(object, "safe_contact", "{\"safe\": false, \"may_leave_message\": false}");
    json_decref(object);
    spean_part_free(part);
}

static void everybody_whom_somebody_withholds_it_from_is_shown_once(void **state)
{
    (void)state;
    struct spean_part *part = new_part(SPEAN_TYPE_CASE, SPEAN_PART_CASE);
    fold_json(part, SPEAN_TYPE_CASE, 1, 1, "withhold_from", SPEAN_VERB_WRITE,
              "[{\"kind\": \"broker\"}, {\"kind\": \"employer\"}]");
    fold_json(part, SPEAN_TYPE_CASE, 2, 1, "withhold_from", SPEAN_VERB_WRITE,
              "[{\"kind\": \"broker\"}, {\"kind\": \"embassy\"}]");
    json_t *object = show(part);
    expect(object, "withhold_from",
           "[{\"kind\": \"broker\"}, {\"kind\": \"employer\"}, {\"kind\": \"embassy\"}]");
    json_decref(object);
    spean_part_free(part);
}

static void fields_and_kinds_that_are_not_known_are_shown_by_number(void **state)
{
    (void)state;
    struct spean_part *part = new_part(SPEAN_TYPE_AGENCY, SPEAN_PART_PUBLIC);
    const uint8_t five = 5;
    const struct spean_view value = {&five, 1};
    fold(part, SPEAN_TYPE_AGENCY, 0, 1, 1,
         &(struct spean_operation){999, SPEAN_KIND_VALUE, 0, value, {0}});
    fold(part, SPEAN_TYPE_AGENCY, 0, 1, 2,
         &(struct spean_operation){SPEAN_FIELD_AGENCY_EMAIL, SPEAN_KIND_SET, 1, value, {0}});
    fold(part, SPEAN_TYPE_AGENCY, 0, 1, 3, &(struct spean_operation){27, 77, 9, value, {0}});
    json_t *object = show(part);
    expect(object, "#999", "5");
    expect(object, "#27/2", "[5]");
    expect(object, "email", NULL);
    assert_int_equal(json_integer_value(json_object_get(object, "unknown")), 1);
    json_decref(object);
    spean_part_free(part);
}

static void an_operation_says_what_it_did_also_to_what_is_not_known(void **state)
{
    (void)state;
    const uint8_t five = 5;
    const uint8_t nil = 0xc0;
    uint8_t name[SPEAN_DOT_BYTES_MAX];
    const struct spean_dot struck = {0xab, 3, 1};
    const struct spean_view value = {&five, 1};
    const struct spean_view dot = spean_dot_encode(&struck, name);
    const struct {
        struct spean_operation op;
        const char *shown;
    } rows[] = {
        {{999, SPEAN_KIND_VALUE, 0, value, {0}},
         "{\"field\": \"#999\", \"verb\": \"set\", \"value\": 5, \"item\": null}"},
        {{SPEAN_FIELD_AGENCY_EMAIL, SPEAN_KIND_VALUE, 0, {&nil, 1}, {0}},
         "{\"field\": \"email\", \"verb\": \"clear\", \"value\": null, \"item\": null}"},
        {{SPEAN_FIELD_AGENCY_EMAIL, SPEAN_KIND_SET, SPEAN_VERB_ADD, value, {0}},
         "{\"field\": \"#27/2\", \"verb\": \"add\", \"value\": 5, \"item\": null}"},
        {{999, SPEAN_KIND_SET, SPEAN_VERB_REMOVE, value, {0}},
         "{\"field\": \"#999\", \"verb\": \"remove\", \"value\": 5, \"item\": null}"},
        {{999, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, value, {0}},
         "{\"field\": \"#999\", \"verb\": \"append\", \"value\": 5,"
         " \"item\": \"00000000000000cd-9-4\"}"},
        {{999, SPEAN_KIND_LIST, SPEAN_VERB_STRIKE, dot, {0}},
         "{\"field\": \"#999\", \"verb\": \"strike\", \"value\": \"00000000000000ab-3-1\","
         " \"item\": \"00000000000000ab-3-1\"}"},
        {{27, 77, 9, value, {0}},
         "{\"field\": \"#27/77\", \"verb\": \"unknown\", \"value\": 5, \"item\": null}"},
    };
    const struct spean_change change = {.type = SPEAN_TYPE_AGENCY, .record = record};
    const struct spean_fold_input input = {.change = &change, .log = 0xcd, .seq = 9};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *shown = NULL;
        json_t *const expected = json_loads(rows[i].shown, 0, NULL);
        assert_non_null(expected);
        assert_int_equal(spean_json_operation_show(&input, &rows[i].op, 4, &shown), SPEAN_OK);
        if (!json_equal(shown, expected)) {
            fail_msg("%s, not %s", json_dumps(shown, 0), rows[i].shown);
        }
        json_decref(shown);
        json_decref(expected);
    }
}

static void siblings_are_a_conflict_with_their_authors(void **state)
{
    (void)state;
    struct spean_part *part = new_part(SPEAN_TYPE_AGENCY, SPEAN_PART_PUBLIC);
    fold_json(part, SPEAN_TYPE_AGENCY, 1, 1, "email", SPEAN_VERB_WRITE, "\"a@x\"");
    fold_json(part, SPEAN_TYPE_AGENCY, 2, 2, "email", SPEAN_VERB_WRITE, "\"b@x\"");
    json_t *object = show(part);
    expect(object, "email", "\"b@x\""); /* Written later. */
    const json_t *sides = json_object_get(json_object_get(object, "conflicts"), "email");
    assert_int_equal(json_array_size(sides), 2);
    const json_t *first = json_array_get(sides, 0);
    assert_string_equal(json_string_value(json_object_get(first, "value")), "a@x");
    assert_string_equal(json_string_value(json_object_get(first, "by_name")), "Bridge");
    assert_string_equal(json_string_value(json_object_get(first, "actor")), "sokha");
    assert_string_equal(json_string_value(json_object_get(first, "at")), "1970-01-01T00:01:40Z");
    assert_string_equal(json_string_value(json_object_get(first, "name")), "0000000000000001-1-0");
    assert_true(json_is_false(json_object_get(first, "provisional")));
    const json_t *second = json_array_get(sides, 1);
    assert_true(json_is_true(json_object_get(second, "provisional")));
    assert_true(json_is_null(json_object_get(second, "by_name")));
    json_decref(object);
    spean_part_free(part);
}

static void list_items_bear_names_and_show_when_they_are_struck(void **state)
{
    (void)state;
    struct spean_part *part = new_part(SPEAN_TYPE_CASE, SPEAN_PART_CASE);
    uint8_t buf[SPEAN_DOT_BYTES_MAX];
    const struct spean_dot dot = {1, 1, 0};
    fold_json(part, SPEAN_TYPE_CASE, 1, 1, "contacts", SPEAN_VERB_APPEND, "{\"value\": \"1\"}");
    fold_json(part, SPEAN_TYPE_CASE, 1, 2, "contacts", SPEAN_VERB_APPEND, "{\"value\": \"2\"}");
    fold(part, SPEAN_TYPE_CASE, 1, 1, 3,
         &(struct spean_operation){SPEAN_FIELD_CASE_CONTACTS,
                                   SPEAN_KIND_LIST,
                                   SPEAN_VERB_STRIKE,
                                   spean_dot_encode(&dot, buf),
                                   {0}});
    json_t *object = show(part);
    const json_t *items = json_object_get(json_object_get(object, "fields"), "contacts");
    assert_int_equal(json_array_size(items), 2);
    const json_t *first = json_array_get(items, 0);
    assert_true(json_is_true(json_object_get(first, "struck")));
    assert_string_equal(json_string_value(json_object_get(first, "name")), "0000000000000001-1-0");
    assert_true(json_is_false(json_object_get(json_array_get(items, 1), "struck")));
    json_decref(object);
    spean_part_free(part);
}

static void a_cleared_value_and_an_emptied_set_are_not_shown(void **state)
{
    (void)state;
    struct spean_part *part = new_part(SPEAN_TYPE_AGENCY, SPEAN_PART_PUBLIC);
    const uint8_t nil = 0xc0;
    fold(part, SPEAN_TYPE_AGENCY, 0, 1, 1,
         &(struct spean_operation){SPEAN_FIELD_AGENCY_EMAIL, SPEAN_KIND_VALUE, 0, {&nil, 1}, {0}});
    fold_json(part, SPEAN_TYPE_AGENCY, 1, 2, "languages", SPEAN_VERB_ADD, "\"km\"");
    fold_json(part, SPEAN_TYPE_AGENCY, 1, 3, "languages", SPEAN_VERB_REMOVE, "\"km\"");
    json_t *object = show(part);
    assert_int_equal(json_object_size(json_object_get(object, "fields")), 0);
    json_decref(object);
    spean_part_free(part);
}

/* -- Editing --------------------------------------------------------------------------------- */

static spean_err read_edit(const struct spean_edit_subject *subject, const char *text,
                           struct spean_edit **out, struct spean_json_why *why)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    assert_int_equal(spean_edit_new(out), SPEAN_OK);
    const spean_err err = spean_edit_read(*out, subject, json, why);
    json_decref(json);
    return err;
}

/* Read an edit of an agency, and expect so many operations. */
static void expect_operations(const struct spean_part *part, const char *lang, const char *text,
                              uint32_t count)
{
    struct spean_edit *edit = NULL;
    struct spean_json_why why;
    const struct spean_edit_subject subject = {.type = SPEAN_TYPE_AGENCY,
                                               .roles = SPEAN_ROLE_OWNER | SPEAN_ROLE_MEMBER,
                                               .parts = {part},
                                               .import_lang = lang};
    const spean_err err = read_edit(&subject, text, &edit, &why);
    if (err != SPEAN_OK) {
        fail_msg("%s: %s", text, why.text);
    }
    assert_int_equal(spean_edit_count(edit), count);
    spean_edit_free(edit);
}

static void what_would_change_nothing_is_left_out(void **state)
{
    (void)state;
    struct spean_part *part = new_part(SPEAN_TYPE_AGENCY, SPEAN_PART_PUBLIC);
    expect_operations(part, NULL, "{}", 0);
    expect_operations(part, NULL, "{\"set\": {\"email\": null}}", 0);
    expect_operations(part, NULL, "{\"remove\": {\"languages\": [\"km\"]}}", 0);
    expect_operations(part, NULL, "{\"add\": {\"languages\": [\"km\", \"km\"]}}", 1);
    fold_json(part, SPEAN_TYPE_AGENCY, 1, 1, "email", SPEAN_VERB_WRITE, "\"a@x\"");
    fold_json(part, SPEAN_TYPE_AGENCY, 1, 2, "languages", SPEAN_VERB_ADD, "\"km\"");
    fold_json(part, SPEAN_TYPE_AGENCY, 1, 3, "licence_status", SPEAN_VERB_APPEND,
              "{\"status\": \"valid\"}");
    expect_operations(part, NULL, "{\"set\": {\"email\": \"a@x\"}}", 0);
    expect_operations(part, NULL, "{\"set\": {\"email\": \"b@x\"}}", 1);
    expect_operations(part, NULL, "{\"set\": {\"email\": null}}", 1);
    expect_operations(part, NULL, "{\"add\": {\"languages\": [\"km\"]}}", 0);
    expect_operations(part, NULL, "{\"remove\": {\"languages\": [\"km\", \"km\"]}}", 1);
    /* Two equal items may both be meant; only an import does not say so. */
    const char *const again = "{\"append\": {\"licence_status\": [{\"status\": \"valid\"}]}}";
    expect_operations(part, NULL, again, 1);
    expect_operations(part, "km", again, 0);
    /* Choosing the value that is shown anyway ends a conflict. */
    fold_json(part, SPEAN_TYPE_AGENCY, 2, 1, "email", SPEAN_VERB_WRITE, "\"b@x\"");
    expect_operations(part, NULL, "{\"set\": {\"email\": \"b@x\"}}", 1);
    spean_part_free(part);
}

static void a_member_that_is_not_understood_can_be_removed_as_it_is_shown(void **state)
{
    (void)state;
    struct spean_part *part = new_part(SPEAN_TYPE_AGENCY, SPEAN_PART_PUBLIC);
    static const uint8_t newer[] = {0x82, 0x01, 0xa1, '5', 0x63, 0x07}; /* {1: "5", 99: 7} */
    fold(part, SPEAN_TYPE_AGENCY, 0, 1, 1,
         &(struct spean_operation){SPEAN_FIELD_AGENCY_PHONES,
                                   SPEAN_KIND_SET,
                                   SPEAN_VERB_ADD,
                                   {newer, sizeof(newer)},
                                   {0}});
    struct spean_edit *edit = NULL;
    struct spean_json_why why;
    const struct spean_edit_subject subject = {
        .type = SPEAN_TYPE_AGENCY, .roles = SPEAN_ROLE_OWNER, .parts = {part}};
    assert_int_equal(read_edit(&subject,
                               "{\"remove\": {\"phones\": [{\"number\": \"5\", \"#99\": 7}]}}",
                               &edit, &why),
                     SPEAN_OK);
    assert_int_equal(spean_edit_count(edit), 1);
    assert_int_equal(spean_edit_at(edit, 0)->value.len, sizeof(newer));
    assert_memory_equal(spean_edit_at(edit, 0)->value.data, newer, sizeof(newer));
    spean_edit_free(edit);
    spean_part_free(part);
}

static void only_what_the_roles_may_write_is_edited(void **state)
{
    (void)state;
    static const struct {
        unsigned roles;
        const char *text;
        spean_err err;
    } rows[] = {
        {SPEAN_ROLE_MEMBER, "{\"set\": {\"email\": \"a@x\"}}", SPEAN_EDENIED},
        {SPEAN_ROLE_OWNER, "{\"append\": {\"observations\": [{\"type\": \"fee\"}]}}",
         SPEAN_EDENIED},
        {SPEAN_ROLE_MEMBER, "{\"append\": {\"observations\": [{\"type\": \"fee\"}]}}", SPEAN_OK},
        {0, "{\"set\": {\"email\": \"a@x\"}}", SPEAN_EDENIED},
        {SPEAN_ROLE_OWNER, "{\"set\": {\"org\": \"00\"}}", SPEAN_EINPUT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spean_edit *edit = NULL;
        struct spean_json_why why = {""};
        const struct spean_edit_subject subject = {.type = SPEAN_TYPE_AGENCY,
                                                   .roles = rows[i].roles};
        assert_int_equal(read_edit(&subject, rows[i].text, &edit, &why), rows[i].err);
        assert_true(rows[i].err == SPEAN_OK || why.text[0] != '\0');
        spean_edit_free(edit);
    }
}

static void a_refusal_names_the_item_of_the_list_and_the_field_within(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"{\"append\": {\"costs\": [{\"category\": \"fee\"}, {\"amount\": 5}]}}",
         "costs[1].amount: expected money"},
        {"{\"append\": {\"costs\": [{\"paid\": 1}]}}", "costs[0]: paid: there is no such field"},
        {"{\"append\": {\"debts\": [{\"principal\": {\"amount\": 1, \"currency\": \"JPY\"}}]}}",
         "debts[0].principal: expected money"},
        {"{\"add\": {\"issues\": [\"debt\", \"wage\", 5]}}", "issues[2]: expected a code"},
        {"{\"set\": {\"home\": 5}}", "home: expected a place"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spean_edit *edit = NULL;
        struct spean_json_why why = {""};
        const struct spean_edit_subject subject = {.type = SPEAN_TYPE_CASE,
                                                   .roles = SPEAN_ROLE_OWNER};
        assert_int_equal(read_edit(&subject, rows[i].text, &edit, &why), SPEAN_EINPUT);
        if (strncmp(why.text, rows[i].why, strlen(rows[i].why)) != 0) {
            fail_msg("\"%s\" does not begin with \"%s\"", why.text, rows[i].why);
        }
        spean_edit_free(edit);
    }
}

static void an_edit_that_is_too_large_is_refused(void **state)
{
    (void)state;
    json_t *list = json_array();
    for (unsigned i = 0; i < SPEAN_EDIT_OPERATIONS_MAX; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "x-%u", i);
        assert_int_equal(json_array_append_new(list, json_string(text)), 0);
    }
    json_t *json = json_pack("{s:{s:o}}", "add", "languages", list);
    const struct spean_edit_subject subject = {.type = SPEAN_TYPE_AGENCY,
                                               .roles = SPEAN_ROLE_OWNER};
    struct spean_edit *edit = NULL;
    struct spean_json_why why;
    assert_int_equal(spean_edit_new(&edit), SPEAN_OK);
    assert_int_equal(spean_edit_read(edit, &subject, json, &why), SPEAN_OK);
    assert_int_equal(spean_edit_count(edit), SPEAN_EDIT_OPERATIONS_MAX);
    spean_edit_free(edit);
    assert_int_equal(json_array_append_new(list, json_string("one-more")), 0);
    assert_int_equal(spean_edit_new(&edit), SPEAN_OK);
    assert_int_equal(spean_edit_read(edit, &subject, json, &why), SPEAN_ELIMIT);
    assert_non_null(strstr(why.text, "languages"));
    spean_edit_free(edit);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_safe_is_what_nobody_denies),
        cmocka_unit_test(everybody_whom_somebody_withholds_it_from_is_shown_once),
        cmocka_unit_test(fields_and_kinds_that_are_not_known_are_shown_by_number),
        cmocka_unit_test(an_operation_says_what_it_did_also_to_what_is_not_known),
        cmocka_unit_test(siblings_are_a_conflict_with_their_authors),
        cmocka_unit_test(list_items_bear_names_and_show_when_they_are_struck),
        cmocka_unit_test(a_cleared_value_and_an_emptied_set_are_not_shown),
        cmocka_unit_test(what_would_change_nothing_is_left_out),
        cmocka_unit_test(a_member_that_is_not_understood_can_be_removed_as_it_is_shown),
        cmocka_unit_test(only_what_the_roles_may_write_is_edited),
        cmocka_unit_test(an_edit_that_is_too_large_is_refused),
        cmocka_unit_test(a_refusal_names_the_item_of_the_list_and_the_field_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
