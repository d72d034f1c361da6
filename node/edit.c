#include "node/edit.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/json_record.h"
#include "protocol/limits.h"
#include "protocol/writer.h"

#define NAME_BYTES 96u /* Of a field and a number. */

struct spean_edit {
    struct spean_edit_operation operations[SPEAN_EDIT_OPERATIONS_MAX];
    uint32_t count;
    size_t used;
    uint8_t bytes[SPEAN_EDIT_BYTES_MAX];
};

/* One `name: value` of an edit at work. */
struct asking {
    struct spean_edit *edit;
    const struct spean_edit_subject *subject;
    const struct spean_schema_field *field;
    const struct spean_field *there; /* What is folded of it; NULL: nothing. */
    struct spean_json_why *why;
    char name[NAME_BYTES]; /* Of the value at hand, as errors call it. */
};

spean_err spean_edit_new(struct spean_edit **out)
{
    assert(out != NULL);
    struct spean_edit *edit = calloc(1, sizeof(*edit));
    if (edit == NULL) {
        return SPEAN_ENOMEM;
    }
    *out = edit;
    return SPEAN_OK;
}

void spean_edit_free(struct spean_edit *edit)
{
    if (edit != NULL) {
        sodium_memzero(edit->bytes, edit->used);
        free(edit);
    }
}

uint32_t spean_edit_count(const struct spean_edit *edit)
{
    return edit->count;
}

const struct spean_edit_operation *spean_edit_at(const struct spean_edit *edit, uint32_t index)
{
    assert(index < edit->count);
    return &edit->operations[index];
}

bool spean_edit_touches(const struct spean_edit *edit, uint32_t part)
{
    for (uint32_t i = 0; i < edit->count; i++) {
        if ((uint32_t)edit->operations[i].field->part == part) {
            return true;
        }
    }
    return false;
}

spean_err spean_edit_add(struct spean_edit *edit, const struct spean_schema_field *field,
                         enum spean_verb verb, struct spean_view value)
{
    assert(field != NULL);
    if (edit->count == SPEAN_EDIT_OPERATIONS_MAX || value.len > SPEAN_EDIT_BYTES_MAX - edit->used) {
        return SPEAN_ELIMIT;
    }
    uint8_t *copy = edit->bytes + edit->used;
    memmove(copy, value.data, value.len); /* It may lie at this very place. */
    edit->used += value.len;
    edit->operations[edit->count++] = (struct spean_edit_operation){field, verb, {copy, value.len}};
    return SPEAN_OK;
}

/* Encode json behind what is used already; spean_edit_add() then takes it over. name is what errors
 * call it. */
static spean_err encode(struct spean_edit *edit, const struct spean_schema_field *field,
                        const char *name, json_t *json, struct spean_json_why *why,
                        struct spean_view *out)
{
    struct spean_writer w;
    spean_writer_init(&w, edit->bytes + edit->used, SPEAN_EDIT_BYTES_MAX - edit->used);
    if (json_is_null(json) && field->kind == SPEAN_KIND_VALUE) {
        spean_writer_nil(&w);
        return spean_writer_end(&w, out);
    }
    const spean_err err = spean_json_value_encode(&w, &field->value, name, json, why);
    if (err == SPEAN_ELIMIT) {
        (void)snprintf(why->text, sizeof(why->text), "%s: too much for one edit", name);
    }
    return err != SPEAN_OK ? err : spean_writer_end(&w, out);
}

spean_err spean_edit_add_json(struct spean_edit *edit, uint64_t type, uint64_t number,
                              enum spean_verb verb, json_t *json, struct spean_json_why *why)
{
    const struct spean_schema_field *field = spean_schema_field(type, number);
    assert(field != NULL);
    struct spean_view value;
    const spean_err err = encode(edit, field, field->name, json, why, &value);
    return err != SPEAN_OK ? err : spean_edit_add(edit, field, verb, value);
}

/* -- What is there already ------------------------------------------------------------------- */

static bool view_equal(struct spean_view a, struct spean_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Whether every sibling has this value, so that writing it again says nothing new. */
static bool all_say(const struct spean_field *there, struct spean_view value)
{
    const size_t count = there == NULL ? 0 : spean_field_writes_count(there);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(there, i, &write);
        if (!view_equal(write.value, value)) {
            return false;
        }
    }
    return count > 0;
}

static bool has_element(const struct spean_field *there, struct spean_view value)
{
    const size_t count = there == NULL ? 0 : spean_field_elements_count(there);
    for (size_t i = 0; i < count; i++) {
        struct spean_view element;
        if (spean_field_get_element(there, i, &element) && view_equal(element, value)) {
            return true;
        }
    }
    return false;
}

static bool has_item(const struct spean_field *there, struct spean_view value)
{
    const size_t count = there == NULL ? 0 : spean_field_writes_count(there);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(there, i, &write);
        if (!write.struck && view_equal(write.value, value)) {
            return true;
        }
    }
    return false;
}

/* Whether this edit itself has said so of a field already. */
static bool asked(const struct asking *a, struct spean_view value)
{
    for (uint32_t i = 0; i < a->edit->count; i++) {
        const struct spean_edit_operation *operation = &a->edit->operations[i];
        if (operation->field == a->field && view_equal(operation->value, value)) {
            return true;
        }
    }
    return false;
}

/* -- The five verbs -------------------------------------------------------------------------- */

static spean_err refuse(const struct asking *a, spean_err err, const char *text)
{
    (void)snprintf(a->why->text, sizeof(a->why->text), "%s: %s", a->field->name, text);
    return err;
}

static bool is_text(const struct asking *a)
{
    return a->field->value.type == SPEAN_VALUE_TEXT && !a->field->value.array;
}

/* In an import: give text its language, and keep the languages that are there. *out is new. */
static spean_err import_value(const struct asking *a, json_t *json, bool keep, json_t **out)
{
    const char *lang = a->subject->import_lang;
    if (lang == NULL || !is_text(a) || json_is_null(json)) {
        *out = json_incref(json);
        return SPEAN_OK;
    }
    json_t *text = json_is_string(json) ? json_pack("{s:O}", lang, json) : json_incref(json);
    json_t *merged = NULL;
    spean_err err = text == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    if (err == SPEAN_OK && keep && a->there != NULL) {
        err = spean_json_field_show(a->subject->type, a->there, NULL, &merged);
    }
    if (err == SPEAN_OK && json_is_object(merged) && json_is_object(text)) {
        err = json_object_update(merged, text) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
        json_decref(text);
        text = merged;
        merged = NULL;
    }
    json_decref(merged);
    if (err != SPEAN_OK) {
        json_decref(text);
        return err;
    }
    *out = text;
    return SPEAN_OK;
}

static spean_err read_set(const struct asking *a, json_t *json)
{
    if (a->field->kind == SPEAN_KIND_SET) {
        return refuse(a, SPEAN_EINPUT, "it has several values; use add and remove");
    }
    if (a->field->kind == SPEAN_KIND_LIST) {
        return refuse(a, SPEAN_EINPUT, "it is a list; use append and strike");
    }
    if (a->field->kind == SPEAN_KIND_ONE_WAY) {
        return refuse(a, SPEAN_EINPUT, "it is written by withdrawing the consent");
    }
    json_t *wanted = NULL;
    spean_err err = import_value(a, json, true, &wanted);
    struct spean_view value = {NULL, 0};
    if (err == SPEAN_OK) {
        err = encode(a->edit, a->field, a->name, wanted, a->why, &value);
    }
    const bool nothing_to_clear = json_is_null(wanted) && a->there == NULL;
    json_decref(wanted);
    if (err != SPEAN_OK || nothing_to_clear || all_say(a->there, value)) {
        return err;
    }
    return spean_edit_add(a->edit, a->field, SPEAN_VERB_WRITE, value);
}

static spean_err read_add(const struct asking *a, json_t *json)
{
    if (a->field->kind != SPEAN_KIND_SET) {
        return refuse(a, SPEAN_EINPUT, "add is for fields with several values; use set or append");
    }
    json_t *wanted = NULL;
    spean_err err = import_value(a, json, false, &wanted);
    struct spean_view value = {NULL, 0};
    if (err == SPEAN_OK) {
        err = encode(a->edit, a->field, a->name, wanted, a->why, &value);
    }
    json_decref(wanted);
    if (err != SPEAN_OK || has_element(a->there, value) || asked(a, value)) {
        return err;
    }
    return spean_edit_add(a->edit, a->field, SPEAN_VERB_ADD, value);
}

/* Members are found as they are shown: one that a newer program wrote cannot be encoded here. */
static spean_err read_remove(const struct asking *a, json_t *json)
{
    if (a->field->kind != SPEAN_KIND_SET) {
        return refuse(a, SPEAN_EINPUT, "remove is for fields with several values");
    }
    const size_t count = a->there == NULL ? 0 : spean_field_elements_count(a->there);
    for (size_t i = 0; i < count; i++) {
        struct spean_view element;
        if (!spean_field_get_element(a->there, i, &element)) {
            continue;
        }
        json_t *shown = NULL;
        const spean_err err = spean_json_value_show(&a->field->value, element, &shown);
        if (err != SPEAN_OK) {
            return err;
        }
        const bool found = json_equal(shown, json) == 1;
        json_decref(shown);
        if (found) {
            return asked(a, element)
                       ? SPEAN_OK
                       : spean_edit_add(a->edit, a->field, SPEAN_VERB_REMOVE, element);
        }
    }
    return SPEAN_OK; /* It is not in it; nothing is to be done. */
}

static spean_err read_append(const struct asking *a, json_t *json)
{
    if (a->field->kind != SPEAN_KIND_LIST) {
        return refuse(a, SPEAN_EINPUT, "append is for lists; use set or add");
    }
    struct spean_view value = {NULL, 0};
    const spean_err err = encode(a->edit, a->field, a->name, json, a->why, &value);
    const bool is_import = a->subject->import_lang != NULL;
    if (err != SPEAN_OK || (is_import && (has_item(a->there, value) || asked(a, value)))) {
        return err;
    }
    return spean_edit_add(a->edit, a->field, SPEAN_VERB_APPEND, value);
}

static spean_err read_strike(const struct asking *a, json_t *json)
{
    struct spean_dot name;
    if (a->field->kind != SPEAN_KIND_LIST) {
        return refuse(a, SPEAN_EINPUT, "strike is for lists");
    }
    if (!json_is_string(json) ||
        spean_json_item_parse(json_string_value(json), &name) != SPEAN_OK) {
        return refuse(a, SPEAN_EINPUT, "expected the name of an item, as the record shows it");
    }
    uint8_t buf[SPEAN_DOT_BYTES_MAX];
    const struct spean_view value = spean_dot_encode(&name, buf);
    const size_t count = a->there == NULL ? 0 : spean_field_writes_count(a->there);
    for (size_t i = 0; i < count; i++) {
        struct spean_write write;
        spean_field_get_write(a->there, i, &write);
        if (spean_dot_compare(&write.dot, &name) != 0) {
            continue;
        }
        if (write.struck || asked(a, value)) {
            return SPEAN_OK;
        }
        return spean_edit_add(a->edit, a->field, SPEAN_VERB_STRIKE, value);
    }
    return refuse(a, SPEAN_ENOTFOUND, "there is no item of that name");
}

/* -- A whole edit ---------------------------------------------------------------------------- */

static spean_err find_field(struct asking *a, const char *name)
{
    const uint64_t type = a->subject->type;
    const struct spean_schema_type *known = spean_schema_type(type);
    assert(known != NULL);
    a->field = spean_schema_field_by_name(type, name);
    if (a->field == NULL) {
        (void)snprintf(a->why->text, sizeof(a->why->text),
                       "%.64s: a record of type %s has no such field", name, known->name);
        return SPEAN_EINPUT;
    }
    if (a->field->kind == SPEAN_KIND_FIXED) {
        return refuse(a, SPEAN_EINPUT, "it is set when the record is made, and never afterwards");
    }
    if (!spean_schema_may_write(a->field->number, a->subject->roles)) {
        return refuse(a, SPEAN_EDENIED, "only others may write this field");
    }
    if (a->subject->editable != NULL && !a->subject->editable(a->field)) {
        return refuse(a, SPEAN_EINPUT, "it is not edited by hand; the node writes it itself");
    }
    const struct spean_part *part = a->subject->parts[a->field->part];
    a->there =
        part == NULL ? NULL : spean_part_find(part, a->field->number, (uint64_t)a->field->kind);
    return SPEAN_OK;
}

typedef spean_err read_one(const struct asking *a, json_t *json);

static const struct verb {
    const char *name;
    read_one *read;
    bool many; /* Its values are arrays of what read() takes. */
} verbs[] = {
    {"set", read_set, false},      {"add", read_add, true},       {"remove", read_remove, true},
    {"append", read_append, true}, {"strike", read_strike, true},
};

/* What errors call the value at hand: "costs", or "costs[1]" where there are several. */
static void name_value(struct asking *a, bool many, size_t index)
{
    if (many) {
        (void)snprintf(a->name, sizeof(a->name), "%s[%zu]", a->field->name, index);
    } else {
        (void)snprintf(a->name, sizeof(a->name), "%s", a->field->name);
    }
}

static spean_err read_verb(struct asking *a, const struct verb *verb, json_t *fields)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(fields, name, value)
    {
        spean_err err = find_field(a, name);
        if (err == SPEAN_OK && verb->many && !json_is_array(value)) {
            err = refuse(a, SPEAN_EINPUT, "expected a list of what is to be changed");
        }
        const size_t count = verb->many ? json_array_size(value) : 1;
        for (size_t i = 0; i < count && err == SPEAN_OK; i++) {
            name_value(a, verb->many, i);
            err = verb->read(a, verb->many ? json_array_get(value, i) : value);
        }
        if (err == SPEAN_ELIMIT && a->why->text[0] == '\0') {
            err = refuse(a, SPEAN_ELIMIT, "too much for one edit; make several");
        }
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

spean_err spean_edit_read(struct spean_edit *edit, const struct spean_edit_subject *subject,
                          json_t *json, struct spean_json_why *why)
{
    assert(edit != NULL);
    assert(subject != NULL);
    assert(why != NULL);
    why->text[0] = '\0';
    if (!json_is_object(json)) {
        (void)snprintf(why->text, sizeof(why->text),
                       "expected an object with set, add, remove, "
                       "append or strike");
        return SPEAN_EINPUT;
    }
    const size_t verbs_count = sizeof(verbs) / sizeof(verbs[0]);
    const char *key = NULL;
    json_t *fields = NULL;
    json_object_foreach(json, key, fields)
    {
        size_t i = 0;
        while (i < verbs_count && strcmp(verbs[i].name, key) != 0) {
            i++;
        }
        if (i == verbs_count || !json_is_object(fields)) {
            (void)snprintf(why->text, sizeof(why->text),
                           "%.64s: expected set, add, remove, append or strike, each an object",
                           key);
            return SPEAN_EINPUT;
        }
    }
    struct asking a = {.edit = edit, .subject = subject, .why = why};
    for (size_t i = 0; i < verbs_count; i++) {
        json_t *of_verb = json_object_get(json, verbs[i].name);
        const spean_err err = of_verb == NULL ? SPEAN_OK : read_verb(&a, &verbs[i], of_verb);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}
