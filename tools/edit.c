#include "tools/edit.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "tools/i18n.h"
#include "tools/input.h"
#include "tools/vformat.h"

enum spean_exit spean_edit_json(const char *path, size_t bytes_max, json_t **out,
                                struct spean_problem *problem)
{
    assert(path != NULL);
    assert(out != NULL);
    char *const spec = strcmp(path, "-") == 0 ? strdup(path) : spean_format("@%s", path);
    if (spec == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, path);
    }
    char *text = NULL;
    const enum spean_exit exit = spean_input_text(spec, bytes_max, &text, problem);
    free(spec);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    json_error_t error;
    json_t *const value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    sodium_memzero(text, strlen(text));
    free(text);
    if (value == NULL) {
        return spean_problem_usage(problem, _("%s, line %d, column %d: %s"), path, error.line,
                                   error.column, error.text);
    }
    *out = value;
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_edit_read(const char *path, json_t **out, struct spean_problem *problem)
{
    json_t *object = NULL;
    const enum spean_exit exit = spean_edit_json(path, SPEAN_EDIT_FILE_BYTES_MAX, &object, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    if (!json_is_object(object)) {
        json_decref(object);
        return spean_problem_usage(problem, _("%s: this is no JSON object"), path);
    }
    *out = object;
    return SPEAN_EXIT_DONE;
}

static bool is_part(const char *key)
{
    static const char *const parts[] = {"set", "add", "remove", "append", "strike", "fixed"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strcmp(key, parts[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum spean_exit spean_edit_check(json_t *edit, struct spean_problem *problem)
{
    const char *key;
    json_t *part;
    json_object_foreach(edit, key, part)
    {
        if (!is_part(key) || !json_is_object(part)) {
            (void)spean_problem_usage(problem, _("\"%s\" is no part of an edit"), key);
            spean_problem_hint(problem, "%s",
                               _("an edit has the objects set, add, remove, append and strike, "
                                 "each with fields: {\"set\": {\"email\": \"...\"}}"));
            return SPEAN_EXIT_USAGE;
        }
    }
    return SPEAN_EXIT_DONE;
}

/* The object under part, made where it is not there; NULL: no memory. */
static json_t *part_need(json_t *edit, const char *part)
{
    json_t *object = json_object_get(edit, part);
    if (object != NULL) {
        return object;
    }
    object = json_object();
    return json_object_set_new(edit, part, object) == 0 ? object : NULL;
}

spean_err spean_edit_set(json_t *edit, const char *part, const char *field, json_t *value)
{
    assert(json_is_object(edit));
    json_t *const object = part_need(edit, part);
    if (object == NULL) {
        json_decref(value);
        return SPEAN_ENOMEM;
    }
    return json_object_set_new(object, field, value) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}

spean_err spean_edit_array_add(json_t *object, const char *key, json_t *value)
{
    assert(key != NULL);
    json_t *array = json_object_get(object, key);
    if (array == NULL) {
        array = json_array();
        if (json_object_set_new(object, key, array) != 0) {
            json_decref(value);
            return SPEAN_ENOMEM;
        }
    }
    if (!json_is_array(array)) {
        json_decref(value);
        return SPEAN_EINPUT;
    }
    return json_array_append_new(array, value) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
}

spean_err spean_edit_append(json_t *edit, const char *part, const char *field, json_t *value)
{
    assert(json_is_object(edit));
    return spean_edit_array_add(part_need(edit, part), field, value);
}

enum spean_exit spean_edit_pair(const char *flag, const char *text, const char *hint,
                                struct spean_edit_pair *out, struct spean_problem *problem)
{
    assert(text != NULL);
    assert(out != NULL);
    const size_t len = strcspn(text, "=");
    if (len == 0 || len >= sizeof(out->key) || text[len] != '=' || text[len + 1] == '\0') {
        (void)spean_problem_usage(problem, _("--%s cannot be \"%s\""), flag, text);
        spean_problem_hint(problem, "%s", hint);
        return SPEAN_EXIT_USAGE;
    }
    memcpy(out->key, text, len);
    out->key[len] = '\0';
    out->value = text + len + 1;
    return SPEAN_EXIT_DONE;
}
