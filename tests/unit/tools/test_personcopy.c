/* A person's own copy of their case: what it tells, what it leaves out, and that nothing in it is
 * taken for markup. Values are made for every field and sub-field that the schema has. */
#include "tools/personcopy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/schema.h"
#include "tools/display.h"

#define MARK_BYTES 160u
#define EVIL       "<script>\"x\"&'y'</script>"

/* What docs/DECISIONS.md lets out of the office, as "field" or "field.sub-field ...". */
static const char *const hidden_fields[] = {"risk_level", "trafficking_status", "withhold_from",
                                            "referrals"};
static const char *const hidden_subs[] = {"contacts.ask_for",  "documents.holder.name",
                                          "debts.lender.name", "costs.paid_to.name",
                                          "costs.rule",        "employments.employer.agency"};
static const char *const told[] = {
    "narrative",        "names.full",        "birth_date",       "contacts.value",
    "documents.number", "documents.held_by", "costs.amount",     "costs.category",
    "debts.principal",  "debts.lender_kind", "employments.wage", "employments.employer.name",
    "opened_on",        "safe_contact.safe"};

/* -- A case with a value everywhere ---------------------------------------------------------- */

static json_t *leaf_make(const struct spean_schema_value *type, const char *mark)
{
    return type->type == SPEAN_VALUE_TEXT ? json_pack("{s:s}", "en", mark) : json_string(mark);
}

/* A map whose leaves, and those of the maps in it, are their names. */
static json_t *map_make(const struct spean_schema_map *map, const char *name, const char *suffix)
{
    json_t *const made = json_object();
    for (size_t i = 0; i < map->subs_count; i++) {
        const struct spean_schema_sub *const sub = &map->subs[i];
        char mark[MARK_BYTES];
        json_t *value = NULL;
        (void)snprintf(mark, sizeof(mark), "%s.%s%s", name, sub->name, suffix);
        if (sub->value.type != SPEAN_VALUE_MAP) {
            value = leaf_make(&sub->value, mark);
        } else {
            value = json_object();
            for (size_t k = 0; k < sub->value.map->subs_count; k++) {
                const struct spean_schema_sub *const inner = &sub->value.map->subs[k];
                (void)snprintf(mark, sizeof(mark), "%s.%s.%s%s", name, sub->name, inner->name,
                               suffix);
                assert_int_equal(
                    json_object_set_new(value, inner->name, leaf_make(&inner->value, mark)), 0);
            }
        }
        assert_int_equal(json_object_set_new(made, sub->name, value), 0);
    }
    return made;
}

static json_t *value_make(const struct spean_schema_field *field, const char *suffix)
{
    char mark[MARK_BYTES];
    (void)snprintf(mark, sizeof(mark), "%s%s", field->name, suffix);
    json_t *value = field->value.type == SPEAN_VALUE_MAP
                        ? map_make(field->value.map, field->name, suffix)
                        : leaf_make(&field->value, mark);
    if (field->kind == SPEAN_KIND_SET) {
        return json_pack("[o]", value);
    }
    if (field->kind == SPEAN_KIND_LIST) {
        return json_pack("[{s:s,s:b,s:o}]", "name", "0-1-0", "struck", 0, "item", value);
    }
    return value;
}

static json_t *case_make(const char *suffix)
{
    size_t count = 0;
    const struct spean_schema_field *const fields = spean_schema_fields(&count);
    json_t *const values = json_object();
    for (size_t i = 0; i < count; i++) {
        if (fields[i].type == SPEAN_TYPE_CASE) {
            assert_int_equal(
                json_object_set_new(values, fields[i].name, value_make(&fields[i], suffix)), 0);
        }
    }
    assert_true(json_object_size(values) > 30);
    return json_pack("{s:s,s:s,s:s,s:o}", "id", "THE-ID", "code", "THE-CODE", "owner_name",
                     "Bridge", "fields", values);
}

/* -- Its copy -------------------------------------------------------------------------------- */

/* The copy as text, which the caller frees. */
static char *copy_of(const json_t *record, const json_t *referrals, const char *lang)
{
    char *text = NULL;
    size_t len = 0;
    FILE *const file = open_memstream(&text, &len);
    assert_non_null(file);
    spean_personcopy_write(record, referrals, lang, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(strlen(text), len);
    return text;
}

/* Whether a mark stands there as a whole: "costs.rule", not "costs.ruler". */
static bool has(const char *text, const char *mark)
{
    char whole[MARK_BYTES];
    (void)snprintf(whole, sizeof(whole), "%s;", mark);
    return strstr(text, whole) != NULL;
}

static void the_interest_of_a_debt_is_told_with_its_unit_and_its_period(void **state)
{
    (void)state;
    json_t *const record = json_loads("{\"fields\":{\"debts\":[{\"name\":\"0-1-0\",\"struck\":"
                                      "false,\"item\":{\"rate\":3600}}]}}",
                                      0, NULL);
    assert_non_null(record);
    char *const text = copy_of(record, NULL, NULL);
    assert_non_null(strstr(text, "rate: 36 % a year"));
    assert_null(strstr(text, "3600"));
    free(text);
    json_decref(record);
}

static void what_is_the_persons_own_is_told(void **state)
{
    (void)state;
    json_t *const record = case_make(";");
    char *const text = copy_of(record, NULL, NULL);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        if (!has(text, told[i])) {
            fail_msg("the copy says nothing of %s", told[i]);
        }
    }
    free(text);
    json_decref(record);
}

static void other_people_and_what_the_office_notes_are_not(void **state)
{
    (void)state;
    json_t *const record = case_make(";");
    char *const text = copy_of(record, NULL, NULL);
    for (size_t i = 0; i < sizeof(hidden_subs) / sizeof(hidden_subs[0]); i++) {
        if (has(text, hidden_subs[i])) {
            fail_msg("the copy tells %s", hidden_subs[i]);
        }
    }
    for (size_t i = 0; i < sizeof(hidden_fields) / sizeof(hidden_fields[0]); i++) {
        char within[MARK_BYTES];
        assert_non_null(json_object_get(json_object_get(record, "fields"), hidden_fields[i]));
        (void)snprintf(within, sizeof(within), "%s.", hidden_fields[i]);
        assert_false(has(text, hidden_fields[i]));
        assert_null(strstr(text, within));
    }
    assert_null(strstr(text, "THE-ID"));
    free(text);
    json_decref(record);
}

/* Ids of agencies, of organisations and of other cases lead to somebody else. */
static void no_id_of_any_record_is_told(void **state)
{
    (void)state;
    size_t count = 0;
    json_t *const record = case_make(";");
    char *const text = copy_of(record, NULL, NULL);
    const struct spean_schema_field *const fields = spean_schema_fields(&count);
    for (size_t i = 0; i < count; i++) {
        const struct spean_schema_field *const field = &fields[i];
        const bool is_id = field->value.type == SPEAN_VALUE_RECORD ||
                           field->value.type == SPEAN_VALUE_ORG ||
                           field->value.type == SPEAN_VALUE_ITEM;
        if (field->type == SPEAN_TYPE_CASE && is_id) {
            assert_false(has(text, field->name));
        }
    }
    assert_null(strstr(text, ".agency;"));
    assert_null(strstr(text, ".org;"));
    free(text);
    json_decref(record);
}

static void what_was_struck_out_or_is_not_known_is_not_told(void **state)
{
    (void)state;
    json_t *const record = json_loads(
        "{\"owner_name\":\"Bridge\",\"fields\":{\"costs\":[{\"struck\":true,\"item\":{\"category\":"
        "\"STRUCK\"}},{\"struck\":false,\"item\":{\"category\":\"KEPT\",\"#900\":\"NEWER\"}}],"
        "\"#900\":\"NEWER\",\"later_field\":\"NEWER\",\"names\":[],\"contacts\":7,\"home\":null}}",
        0, NULL);
    assert_non_null(record);
    char *const text = copy_of(record, NULL, "km");
    assert_non_null(strstr(text, "KEPT"));
    assert_null(strstr(text, "STRUCK"));
    assert_null(strstr(text, "NEWER"));
    free(text);
    json_decref(record);
}

/* Somebody may look at the file in a terminal, and a browser turns text round where it is told to.
 */
static void no_value_commands_a_terminal_or_turns_lines_round(void **state)
{
    (void)state;
    static const char evil[] = "\x1b[2J\xc2\x9b\x7f\xe2\x80\xae\xe2\x81\xa7 a\r\nb\tc";
    json_t *const record = case_make(evil);
    json_t *const referrals = json_pack("[{s:s,s:s}]", "target_name", evil, "state", "sent");
    char *const text = copy_of(record, referrals, "en");
    for (size_t at = 0; text[at] != '\0';) {
        bool harmless = false;
        const size_t bytes = spean_display_next(text + at, strlen(text + at), &harmless);
        assert_true(harmless || text[at] == '\n');
        at += bytes;
    }
    assert_non_null(strstr(text, " a<br>b c"));
    free(text);
    json_decref(referrals);
    json_decref(record);
}

/* Nothing that anybody wrote, wherever it stands, becomes a tag or ends an attribute. */
static void no_value_is_taken_for_markup(void **state)
{
    (void)state;
    json_t *const record = case_make(EVIL);
    json_t *const referrals = json_pack("[{s:s,s:s}]", "target_name", EVIL, "state", EVIL);
    json_t *const narrative = json_pack("{s:s}", "\"><script>", EVIL);
    assert_int_equal(json_object_set_new(json_object_get(record, "fields"), "narrative", narrative),
                     0);
    assert_int_equal(json_object_set_new(record, "owner_name", json_string(EVIL)), 0);
    char *const text = copy_of(record, referrals, "\"><script>");
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "\"x\""));
    assert_non_null(strstr(text, "&lt;script&gt;&quot;x&quot;&amp;"));
    free(text);
    json_decref(referrals);
    json_decref(record);
}

static void every_language_of_what_was_said_is_there(void **state)
{
    (void)state;
    json_t *const record = json_loads("{\"fields\":{\"narrative\":{\"km\":\"KHMER\\nTWO\",\"ja\":"
                                      "\"JAPANESE\"}}}",
                                      0, NULL);
    char *const text = copy_of(record, NULL, "vi");
    assert_non_null(strstr(text, "<html lang=\"vi\">"));
    assert_non_null(strstr(text, "<span lang=\"km\">KHMER<br>TWO</span>"));
    assert_non_null(strstr(text, "<span lang=\"ja\">JAPANESE</span>"));
    free(text);
    json_decref(record);
}

static void who_was_told_of_the_case_is_said(void **state)
{
    (void)state;
    json_t *const record = json_pack("{s:{}}", "fields");
    json_t *const referrals =
        json_pack("[{s:s,s:s,s:s}]", "target_name", "Tokyo Support", "state", "on_hold", "id", "R");
    char *const text = copy_of(record, referrals, NULL);
    assert_non_null(strstr(text, "Tokyo Support (on hold)"));
    free(text);
    json_decref(referrals);
    json_t *const none = json_array();
    char *const empty = copy_of(record, none, NULL);
    assert_null(strstr(empty, "<dt>")); /* No heading over nothing. */
    free(empty);
    json_decref(none);
    json_decref(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_the_persons_own_is_told),
        cmocka_unit_test(the_interest_of_a_debt_is_told_with_its_unit_and_its_period),
        cmocka_unit_test(other_people_and_what_the_office_notes_are_not),
        cmocka_unit_test(no_id_of_any_record_is_told),
        cmocka_unit_test(what_was_struck_out_or_is_not_known_is_not_told),
        cmocka_unit_test(no_value_commands_a_terminal_or_turns_lines_round),
        cmocka_unit_test(no_value_is_taken_for_markup),
        cmocka_unit_test(every_language_of_what_was_said_is_there),
        cmocka_unit_test(who_was_told_of_the_case_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
