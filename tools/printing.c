#include "tools/printing.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/show.h"
#include "tools/timetext.h"

#define VALUE_BYTES_MAX 140u /* Of one value; the rest is cut. */
#define FIELDS_MAX      30u
#define STEPS_MAX       12u
#define ITEMS_MAX       3u /* Of one list; more are counted. */

/* Lines of the head, the headings and the end beside those of fields and steps. */
_Static_assert(FIELDS_MAX + STEPS_MAX + 18u <= SPEAN_PRINTING_LINES_MAX, "it is one page");

/* What was left out for want of room. */
struct left {
    unsigned fields;
    unsigned steps;
    bool cut;
};

/* Cut text to what a line takes, between characters. */
static void cut_text(char *text, struct left *left)
{
    size_t len = VALUE_BYTES_MAX;
    if (strlen(text) <= VALUE_BYTES_MAX) {
        return;
    }
    while (len > 0 && ((uint8_t)text[len] & 0xc0u) == 0x80u) {
        len--; /* A byte within a character. */
    }
    text[len] = '\0';
    left->cut = true;
}

static spean_err field_print(struct spean_out *out, const char *name, json_t *value,
                             struct left *left)
{
    const size_t count = json_is_array(value) ? json_array_size(value) : 0;
    if (count > ITEMS_MAX) {
        left->cut = true;
        spean_out_line(out, COUNTED_(count, "  %-22s %zu item", "  %-22s %zu items"), name, count);
        return SPEAN_OK;
    }
    char *const text = spean_show_value(value);
    if (text == NULL) {
        return SPEAN_ENOMEM;
    }
    const size_t before = strlen(text);
    cut_text(text, left);
    spean_out_line(out, "  %-22s %s%s", name, text, strlen(text) < before ? " ..." : "");
    free(text);
    return SPEAN_OK;
}

/* A list as its items alone, without who entered them when. */
static json_t *items_of(json_t *value)
{
    if (!json_is_array(value) || json_object_get(json_array_get(value, 0), "item") == NULL) {
        return json_incref(value);
    }
    json_t *const items = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *const row = json_array_get(value, i);
        if (!spean_jsonget_true(row, "struck") &&
            json_array_append(items, json_object_get(row, "item")) != 0) {
            json_decref(items);
            return NULL;
        }
    }
    return items;
}

static bool is_progress(const char *name)
{
    return strcmp(name, "origin_steps") == 0 || strcmp(name, "target_steps") == 0 ||
           strcmp(name, "purge_receipts") == 0;
}

static spean_err fields_print(struct spean_out *out, json_t *fields, struct left *left)
{
    const char *name;
    json_t *value;
    unsigned printed = 0;
    spean_err err = SPEAN_OK;
    spean_out_line(out, "%s", _("What this node may read of it"));
    json_object_foreach(fields, name, value)
    {
        if (err != SPEAN_OK || is_progress(name)) {
            continue;
        }
        if (printed == FIELDS_MAX) {
            left->fields++;
            continue;
        }
        json_t *const shown = items_of(value);
        err = shown == NULL ? SPEAN_ENOMEM : field_print(out, name, shown, left);
        json_decref(shown);
        printed++;
    }
    if (printed == 0) {
        spean_out_line(out, "  %s", _("nothing"));
    }
    return err;
}

static void steps_print(struct spean_out *out, const json_t *steps, struct left *left)
{
    const size_t count = json_array_size(steps);
    const size_t first = count > STEPS_MAX ? count - STEPS_MAX : 0;
    spean_out_line(out, "%s", _("Steps"));
    left->steps = (unsigned)first;
    for (size_t i = first; i < count; i++) {
        const json_t *const step = json_array_get(steps, i);
        char when[SPEAN_WHEN_BYTES_MAX];
        spean_jsonget_when(step, "at", when);
        spean_out_line(out, "  %-22s %-8s %s %s", when, spean_jsonget_text(step, "track"),
                       spean_jsonget_text(step, "step"), spean_jsonget_text(step, "reason"));
    }
}

static void head_print(struct spean_out *out, const json_t *referral)
{
    char today[SPEAN_TIMETEXT_BYTES_MAX];
    char from[SPEAN_WHO_BYTES_MAX];
    char to[SPEAN_WHO_BYTES_MAX];
    const char *const code = spean_jsonget_text(referral, "code");
    spean_timetext_today(today);
    spean_jsonget_who(referral, "origin", "origin_name", from);
    spean_jsonget_who(referral, "target", "target_name", to);
    spean_out_line(out, _("REFERRAL %s   printed %s"),
                   code[0] != '\0' ? code : spean_jsonget_text(referral, "id"), today);
    spean_out_line(out, _("From   %s"), from);
    spean_out_line(out, _("To     %s"), to);
    spean_out_line(out, _("State  %s"), spean_jsonget_text(referral, "state"));
    spean_out_line(out, "%s", "");
}

/* What nobody should look for on this page. */
static void rest_print(struct spean_out *out, const json_t *referral, const struct left *left)
{
    const json_t *const keys = json_object_get(json_object_get(referral, "waiting"), "keys");
    const char *const details = spean_jsonget_text(referral, "details");
    spean_out_line(out, "%s", _("Not on this page"));
    for (size_t i = 0; i < json_array_size(keys) && i < 2; i++) {
        spean_out_line(out, _("  the part %s: this node cannot read it, or it was erased"),
                       json_string_value(json_array_get(keys, i)));
    }
    if (details[0] != '\0') {
        spean_out_line(out, "  %s", details);
    }
    if (left->fields > 0) {
        spean_out_line(out, COUNTED_(left->fields, "  %u more field", "  %u more fields"),
                       left->fields);
    }
    if (left->steps > 0) {
        spean_out_line(out, COUNTED_(left->steps, "  %u earlier step", "  %u earlier steps"),
                       left->steps);
    }
    if (left->cut) {
        spean_out_line(out, "%s", _("  the whole of long lists and texts (spean referral show)"));
    }
    spean_out_line(out, "%s",
                   _("  the case itself, and whatever of it was not chosen for this referral"));
    spean_out_line(out, "%s", _("  comments and drafts that never leave one node"));
}

spean_err spean_printing_page(struct spean_out *out, json_t *referral)
{
    assert(out != NULL);
    assert(referral != NULL);

    struct left left = {.cut = false};
    head_print(out, referral);
    const spean_err err = fields_print(out, json_object_get(referral, "fields"), &left);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_out_line(out, "%s", "");
    steps_print(out, json_object_get(referral, "steps"), &left);
    spean_out_line(out, "%s", "");
    rest_print(out, referral, &left);
    return SPEAN_OK;
}
