#include "tools/printing.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/referral.h"
#include "protocol/schema.h"
#include "tools/display.h"
#include "tools/html.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/show.h"
#include "tools/timetext.h"

#define ROWS_MAX    34u /* Fields; what is beyond is counted. */
#define STEPS_MAX   4u  /* Of two lines each. */
#define LABEL_CELLS 20u
#define VALUE_CELLS (SPEAN_PRINTING_CELLS_MAX - LABEL_CELLS - 7u) /* With room for " ...". */
#define TEXT_LINES  8u                                            /* Of words of people; */
#define OTHER_LINES 3u                                            /* of anything else. */
#define HEAD_LINES  7u                  /* Head and headings, with the empty lines between. */
#define END_LINES   9u                  /* What is not on the page. */
#define LINE_BYTES  (VALUE_CELLS * 16u) /* Marks of Khmer take bytes and no cells. */

_Static_assert(HEAD_LINES + ROWS_MAX + 2u * STEPS_MAX + END_LINES + 2u <= SPEAN_PRINTING_LINES_MAX,
               "it is one page");

struct row {
    const char *label;
    char *value;
    bool is_words;  /* Of people: what is cut last. */
    unsigned lines; /* That it gets. */
};

struct page {
    struct spean_out *out;
    const char *lang;
    const json_t *codes;
    bool html;
    struct row rows[ROWS_MAX];
    size_t count;
    unsigned left_fields; /* What found no room, */
    size_t left_steps;
    bool cut; /* or not all of it. */
};

/* -- Lines ------------------------------------------------------------------------------------- */

/* How many bytes of text go into one line, broken behind a space where there is one. */
static size_t line_len(const char *text)
{
    char line[LINE_BYTES + 1];
    size_t len = 0;
    size_t broken = 0;
    while (text[len] != '\0' && len < LINE_BYTES - 4) {
        size_t next = len + 1;
        while (((uint8_t)text[next] & 0xc0u) == 0x80u) {
            next++; /* A byte within a character. */
        }
        (void)snprintf(line, sizeof(line), "%.*s", (int)next, text);
        if (spean_display_width(line) > VALUE_CELLS) {
            return broken > 0 ? broken : len;
        }
        len = next;
        const bool space = text[len - 1] == ' ';
        const bool none = len >= 3 && memcmp(text + len - 3, "\xe2\x80\x8b", 3) == 0;
        broken = space || none ? len : broken; /* Khmer: a space of no width. */
    }
    return len;
}

static unsigned lines_of(const char *text)
{
    unsigned count = 0;
    while (*text != '\0') {
        text += line_len(text);
        count++;
    }
    return count == 0 ? 1 : count;
}

/* text as it stands in HTML; NULL: no memory. The caller frees it. */
static char *safe_text(const char *text, size_t len, const char *more)
{
    char *safe = NULL;
    size_t safe_len = 0;
    char *const whole = malloc(len + strlen(more) + 1);
    FILE *const file = whole == NULL ? NULL : open_memstream(&safe, &safe_len);
    if (file == NULL) {
        free(whole);
        return NULL;
    }
    (void)memcpy(whole, text, len);
    (void)memcpy(whole + len, more, strlen(more) + 1);
    spean_html_write(file, whole);
    free(whole);
    if (fclose(file) != 0) {
        free(safe);
        return NULL;
    }
    return safe;
}

/* One line for the whole width; tag is its element in HTML. */
static spean_err line_print(const struct page *page, const char *tag, const char *text)
{
    if (!page->html) {
        spean_out_line(page->out, "%s%s", strcmp(tag, "p") == 0 ? "  " : "", text);
        return SPEAN_OK;
    }
    char *const safe = safe_text(text, strlen(text), "");
    if (safe == NULL) {
        return SPEAN_ENOMEM;
    }
    spean_out_line(page->out, "<%s>%s</%s>", tag, safe, tag);
    free(safe);
    return SPEAN_OK;
}

/* A line between, which HTML needs none of. */
static void gap_print(const struct page *page)
{
    if (!page->html) {
        spean_out_line(page->out, "%s", "");
    }
}

/* A label and what it says, over as many lines as it gets; the rest is cut. */
static spean_err row_print(struct page *page, const char *label, const char *value, unsigned lines)
{
    const char *rest = value;
    for (unsigned i = 0; i < lines && (i == 0 || *rest != '\0'); i++) {
        const size_t len = line_len(rest);
        const bool cut = i + 1 == lines && rest[len] != '\0';
        if (!page->html) {
            spean_out_line(page->out, "  %-*s %.*s%s", (int)LABEL_CELLS, i == 0 ? label : "",
                           (int)len, rest, cut ? " ..." : "");
        }
        rest += len;
        page->cut = page->cut || cut;
    }
    if (!page->html) {
        return SPEAN_OK;
    }
    char *const safe = safe_text(value, (size_t)(rest - value), *rest == '\0' ? "" : " ...");
    char *const head = safe_text(label, strlen(label), "");
    if (safe != NULL && head != NULL) {
        spean_out_line(page->out, "<tr><th>%s</th><td>%s</td></tr>", head, safe);
    }
    const spean_err err = safe != NULL && head != NULL ? SPEAN_OK : SPEAN_ENOMEM;
    free(safe);
    free(head);
    return err;
}

/* -- Fields ------------------------------------------------------------------------------------ */

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

/* Costs as their sums; the table of them is a page of its own. */
static char *costs_text(const json_t *referral, const json_t *items)
{
    json_t *const derived = json_object_get(json_object_get(referral, "derived"), "costs");
    char *const sums = spean_show_value(json_object_get(derived, "sums"));
    char *text = NULL;
    size_t len = 0;
    FILE *const file = sums == NULL ? NULL : open_memstream(&text, &len);
    if (file != NULL) {
        (void)fprintf(
            file, COUNTED_(json_array_size(items), "%zu item, in all %s", "%zu items, in all %s"),
            json_array_size(items), sums);
        if (fclose(file) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(sums);
    return text;
}

static spean_err row_add(struct page *page, const json_t *referral, const char *name, json_t *value)
{
    const struct spean_schema_field *const field =
        spean_schema_field_by_name(SPEAN_TYPE_REFERRAL, name);
    struct row *const row = &page->rows[page->count];
    json_t *const shown = items_of(value);
    const bool costs = strcmp(name, "costs") == 0;
    if (shown == NULL) {
        return SPEAN_ENOMEM;
    }
    row->value = costs ? costs_text(referral, shown)
                       : spean_show_coded(shown, field == NULL ? NULL : &field->value, page->codes,
                                          page->lang);
    json_decref(shown);
    row->label = name;
    row->is_words =
        field != NULL && (field->value.type == SPEAN_VALUE_TEXT || strstr(name, "_notes") != NULL);
    row->lines = 1;
    page->count += row->value != NULL;
    return row->value == NULL ? SPEAN_ENOMEM : SPEAN_OK;
}

static spean_err rows_read(struct page *page, json_t *referral)
{
    const char *name;
    json_t *value;
    spean_err err = SPEAN_OK;
    json_object_foreach(json_object_get(referral, "fields"), name, value)
    {
        if (err != SPEAN_OK || is_progress(name)) {
            continue;
        }
        if (page->count == ROWS_MAX) {
            page->left_fields++;
            continue;
        }
        err = row_add(page, referral, name, value);
    }
    return err;
}

/* Whether a part was here and is not any more: nothing of it is waited for either. */
static bool is_erased(const json_t *referral, const char *number, const char *name)
{
    const json_t *const keys = json_object_get(json_object_get(referral, "waiting"), "keys");
    const json_t *const hashes = json_object_get(referral, "state_hash");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *const key = json_string_value(json_array_get(keys, i));
        if (key != NULL && strcmp(key, name) == 0) {
            return false;
        }
    }
    return json_is_object(hashes) && json_object_get(hashes, number) == NULL;
}

static const char *const parts[][2] = {{"2", "preview"}, {"3", "payload"}};

/* The lines that say what is not on the page, of which that something was cut may be one. */
static size_t end_lines(const struct page *page, const json_t *referral)
{
    const json_t *const keys = json_object_get(json_object_get(referral, "waiting"), "keys");
    size_t lines = 4u + (json_array_size(keys) < 2 ? json_array_size(keys) : 2);
    lines += spean_jsonget_text(referral, "details")[0] != '\0';
    lines += page->left_fields > 0;
    lines += page->left_steps > 0;
    for (size_t i = 0; i < 2; i++) {
        lines += is_erased(referral, parts[i][0], parts[i][1]);
    }
    return lines;
}

/* Give out the lines that are left: to words of people first. */
static void lines_give(struct page *page, unsigned left)
{
    for (unsigned turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < page->count; i++) {
            struct row *const row = &page->rows[i];
            const unsigned most = row->is_words ? TEXT_LINES : OTHER_LINES;
            const unsigned needs = lines_of(row->value);
            while (row->is_words == (turn == 0) && left > 0 && row->lines < most &&
                   row->lines < needs) {
                row->lines++;
                left--;
            }
        }
    }
}

static spean_err rows_print(struct page *page)
{
    spean_err err = line_print(page, "h2", _("What this node may read of it"));
    if (err == SPEAN_OK && page->count == 0) {
        err = line_print(page, "p", _("nothing"));
    }
    if (page->html) {
        spean_out_line(page->out, "%s", "<table>");
    }
    for (size_t i = 0; i < page->count && err == SPEAN_OK; i++) {
        err = row_print(page, page->rows[i].label, page->rows[i].value, page->rows[i].lines);
    }
    if (page->html) {
        spean_out_line(page->out, "%s", "</table>");
    }
    gap_print(page);
    return err;
}

/* -- Around them ------------------------------------------------------------------------------- */

static spean_err steps_print(struct page *page, const json_t *steps)
{
    const size_t count = json_array_size(steps);
    const size_t first = count > STEPS_MAX ? count - STEPS_MAX : 0;
    spean_err err = line_print(page, "h2", _("Steps"));
    for (size_t i = first; i < count && err == SPEAN_OK; i++) {
        const json_t *const step = json_array_get(steps, i);
        const char *const code = spean_jsonget_text(step, "step");
        const char *const reason = spean_jsonget_text(step, "reason");
        const char *const list = spean_referral_reason_list(
            spean_referral_step_of((struct spean_view){(const uint8_t *)code, strlen(code)}));
        const char *const label =
            list == NULL ? "" : spean_show_label(page->codes, list, reason, page->lang);
        char when[SPEAN_WHEN_BYTES_MAX];
        char text[SPEAN_PRINTING_CELLS_MAX * 4];
        spean_jsonget_when(step, "at", when);
        char *const says = spean_show_step(step, page->codes, page->lang);
        (void)snprintf(text, sizeof(text), "%s   %s: %s   %.60s", when,
                       spean_jsonget_text(step, "track"), code, label[0] == '\0' ? reason : label);
        err = says == NULL ? SPEAN_ENOMEM : line_print(page, "p", text);
        if (err == SPEAN_OK && says[0] != '\0') {
            err = page->html ? line_print(page, "p", says) : row_print(page, "", says, 1);
        }
        free(says);
    }
    gap_print(page);
    return err;
}

static spean_err head_print(const struct page *page, const json_t *referral)
{
    char today[SPEAN_TIMETEXT_BYTES_MAX];
    char from[SPEAN_WHO_BYTES_MAX];
    char to[SPEAN_WHO_BYTES_MAX];
    char state[SPEAN_SHOW_STATE_BYTES];
    char lines[4][SPEAN_WHO_BYTES_MAX + 32];
    const char *const code = spean_jsonget_text(referral, "code");
    spean_timetext_today(today);
    spean_show_state(referral, state);
    spean_jsonget_who(referral, "origin", "origin_name", from);
    spean_jsonget_who(referral, "target", "target_name", to);
    (void)snprintf(lines[0], sizeof(lines[0]), _("REFERRAL %s   printed %s"),
                   code[0] != '\0' ? code : spean_jsonget_text(referral, "id"), today);
    (void)snprintf(lines[1], sizeof(lines[1]), _("From   %s"), from);
    (void)snprintf(lines[2], sizeof(lines[2]), _("To     %s"), to);
    (void)snprintf(lines[3], sizeof(lines[3]), _("State  %s"), state);
    if (page->html) {
        spean_out_line(page->out, "%s",
                       "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><style>"
                       "@page{size:A4;margin:12mm}body{font:9pt sans-serif}h1{font-size:13pt}"
                       "h2{font-size:10pt;margin:.6em 0 .2em}p{margin:.1em 0}"
                       "th{text-align:left;vertical-align:top;padding-right:1em}"
                       "</style></head><body>");
    }
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < 4 && err == SPEAN_OK; i++) {
        err = line_print(page, i == 0 ? "h1" : "div", lines[i]);
    }
    gap_print(page);
    return err;
}

/* What nobody should look for on this page: parts first. */
static spean_err parts_print(const struct page *page, const json_t *referral)
{
    const json_t *const keys = json_object_get(json_object_get(referral, "waiting"), "keys");
    const char *const details = spean_jsonget_text(referral, "details");
    char text[SPEAN_PRINTING_CELLS_MAX * 4];
    spean_err err = SPEAN_OK;
    for (size_t i = 0; i < json_array_size(keys) && i < 2 && err == SPEAN_OK; i++) {
        (void)snprintf(text, sizeof(text), _("the part %.20s: this node has not got its key"),
                       json_string_value(json_array_get(keys, i)));
        err = line_print(page, "p", text);
    }
    for (size_t i = 0; i < 2 && err == SPEAN_OK; i++) {
        if (is_erased(referral, parts[i][0], parts[i][1])) {
            (void)snprintf(text, sizeof(text), _("the part %s: it was erased here"), parts[i][1]);
            err = line_print(page, "p", text);
        }
    }
    return err == SPEAN_OK && details[0] != '\0' ? line_print(page, "p", details) : err;
}

static spean_err rest_print(const struct page *page, const json_t *referral)
{
    char text[SPEAN_PRINTING_CELLS_MAX * 4];
    spean_err err = line_print(page, "h2", _("Not on this page"));
    if (err == SPEAN_OK) {
        err = parts_print(page, referral);
    }
    if (err == SPEAN_OK && page->left_fields > 0) {
        (void)snprintf(text, sizeof(text),
                       COUNTED_(page->left_fields, "%u more field", "%u more fields"),
                       page->left_fields);
        err = line_print(page, "p", text);
    }
    if (err == SPEAN_OK && page->left_steps > 0) {
        (void)snprintf(text, sizeof(text),
                       COUNTED_(page->left_steps, "%zu earlier step", "%zu earlier steps"),
                       page->left_steps);
        err = line_print(page, "p", text);
    }
    if (err == SPEAN_OK && page->cut) {
        err = line_print(page, "p", _("the whole of long lists and texts (spean referral show)"));
    }
    if (err == SPEAN_OK) {
        err = line_print(page, "p",
                         _("the case itself, and whatever of it was not chosen for this referral"));
    }
    if (err == SPEAN_OK) {
        err = line_print(page, "p", _("comments and drafts that never leave one node"));
    }
    if (page->html) {
        spean_out_line(page->out, "%s", "</body></html>");
    }
    return err;
}

spean_err spean_printing_page(struct spean_out *out, json_t *referral, bool html, const char *lang)
{
    assert(out != NULL);
    assert(referral != NULL);

    struct page page = {
        .out = out, .lang = lang, .codes = json_object_get(referral, "codes"), .html = html};
    const json_t *const steps = json_object_get(referral, "steps");
    const size_t shown = json_array_size(steps) < STEPS_MAX ? json_array_size(steps) : STEPS_MAX;
    page.left_steps = json_array_size(steps) - shown;
    spean_err err = rows_read(&page, referral);
    if (err == SPEAN_OK) {
        const size_t taken = HEAD_LINES + 2u * shown + 2u + end_lines(&page, referral) + page.count;
        lines_give(&page, (unsigned)(SPEAN_PRINTING_LINES_MAX - taken));
        err = head_print(&page, referral);
    }
    if (err == SPEAN_OK) {
        err = rows_print(&page);
    }
    if (err == SPEAN_OK) {
        err = steps_print(&page, steps);
    }
    if (err == SPEAN_OK) {
        err = rest_print(&page, referral);
    }
    for (size_t i = 0; i < page.count; i++) {
        free(page.rows[i].value);
    }
    return err;
}
