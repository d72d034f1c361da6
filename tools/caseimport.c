#include "tools/caseimport.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <sodium.h>

#include "protocol/codes.h"
#include "protocol/text.h"
#include "tools/casekeys.h"
#include "tools/caserows.h"
#include "tools/codefetch.h"
#include "tools/codewords.h"
#include "tools/htcds.h"
#include "tools/i18n.h"
#include "tools/interrupt.h"
#include "tools/jsonget.h"
#include "tools/out.h"
#include "tools/recording.h"

#define SOURCE_FORM   "kobo" /* Its ids are drawn at random, so they need no other name. */
#define SOURCE_OWN    "spean"
#define SOURCE_FILE   "file"
#define HASH_BYTES    16u
#define NUMBERED_ROOM 32u
#define CHUNK_BYTES   ((size_t)4 << 20) /* Of the texts in one request. */

/* An import at work. */
struct import {
    struct spean_call *call;
    struct spean_caserows *rows;
    const char *path;
    const char *lang;
    const char *source;      /* Of rows that their system has a name for. */
    const char *file_source; /* Of rows without. */
    struct spean_codewords words;
    json_t *chunk;
    size_t chunk_bytes;
    json_t *errors; /* [{"place", "column", "error"}] */
    json_t *seen;   /* How often a row without a name came, by its hash. */
    json_int_t created;
    json_int_t changed;
    json_int_t unchanged;
    json_int_t failed;
    json_int_t rows_count;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* Cannot fail for this clock. */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum spean_exit no_memory(struct spean_problem *problem)
{
    return spean_problem_err(problem, SPEAN_ENOMEM, "case import");
}

/* Tell a row that went wrong: file, place, column, reason. The cell's content is not repeated. */
static enum spean_exit row_fail(struct import *import, const char *place, const char *column,
                                const char *reason, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(import->call);
    import->failed++;
    if (!spean_out_is_json(out)) {
        spean_out_warn(out, "%s: %s%s%s: %s", import->path, place, column == NULL ? "" : ", ",
                       column == NULL ? "" : column, reason);
        return SPEAN_EXIT_DONE;
    }
    if (json_array_size(import->errors) == SPEAN_CASEIMPORT_ERRORS_MAX) {
        return SPEAN_EXIT_DONE;
    }
    json_t *const error =
        json_pack("{s:s,s:s?,s:s}", "place", place, "column", column, "error", reason);
    return json_array_append_new(import->errors, error) == 0 ? SPEAN_EXIT_DONE : no_memory(problem);
}

/* -- Sending --------------------------------------------------------------------------------- */

static enum spean_exit reply_take(struct import *import, const json_t *reply,
                                  struct spean_problem *problem)
{
    const json_t *const results = json_object_get(reply, "results");
    import->created += spean_jsonget_number(reply, "created");
    import->changed += spean_jsonget_number(reply, "changed");
    import->unchanged += spean_jsonget_number(reply, "unchanged");
    enum spean_exit exit = SPEAN_EXIT_DONE;
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < json_array_size(results); i++) {
        const json_t *const row = json_array_get(results, i);
        const json_t *const error = json_object_get(row, "error");
        if (json_is_object(error)) {
            exit = row_fail(import, spean_jsonget_text(row, "place"), NULL,
                            spean_jsonget_text(error, "message"), problem);
        }
    }
    return exit;
}

static enum spean_exit chunk_send(struct import *import, struct spean_problem *problem)
{
    if (json_array_size(import->chunk) == 0) {
        return SPEAN_EXIT_DONE;
    }
    json_t *reply = NULL;
    json_t *const body = json_pack("{s:s,s:O}", "lang", import->lang == NULL ? "und" : import->lang,
                                   "items", import->chunk);
    if (body == NULL) {
        return no_memory(problem);
    }
    enum spean_exit exit =
        spean_call_exchange(import->call, "POST", "/v1/cases/import", body, &reply, problem);
    json_decref(body);
    if (exit == SPEAN_EXIT_DONE) {
        exit = reply_take(import, reply, problem);
        spean_out_progress(spean_call_out(import->call), now_ms(),
                           COUNTED_(import->rows_count, "%" JSON_INTEGER_FORMAT " row",
                                    "%" JSON_INTEGER_FORMAT " rows"),
                           import->rows_count);
    }
    json_decref(reply);
    import->chunk_bytes = 0;
    return json_array_clear(import->chunk) == 0 ? exit : no_memory(problem);
}

/* -- One row --------------------------------------------------------------------------------- */

/* The name of a row that its system gave none: the hash of what it says, and the how-manyeth it is.
 */
static spean_err row_name(struct import *import, const struct spean_caserow *row,
                          char out[SPEAN_CASEROWS_ID_BYTES])
{
    uint8_t hash[HASH_BYTES];
    char hex[2 * HASH_BYTES + 1];
    char *const text = json_dumps(row->cells, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL) {
        return SPEAN_ENOMEM;
    }
    (void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)text, strlen(text), NULL,
                             0); /* These lengths it takes. */
    sodium_memzero(text, strlen(text));
    free(text);
    spean_text_hex_encode(hex, sizeof(hex), (struct spean_view){hash, sizeof(hash)});
    const json_int_t number = json_integer_value(json_object_get(import->seen, hex)) + 1;
    (void)snprintf(out, SPEAN_CASEROWS_ID_BYTES, "%s-%" JSON_INTEGER_FORMAT, hex,
                   number); /* Fits: 32 digits and a number. */
    return json_object_set_new(import->seen, hex, json_integer(number)) == 0 ? SPEAN_OK
                                                                             : SPEAN_ENOMEM;
}

/* Get the case that a row of our own export is about; NULL where this node has none. */
static enum spean_exit record_get(struct import *import, const char *id, json_t **record,
                                  struct spean_problem *problem)
{
    char path[SPEAN_CLIENT_PATH_BYTES_MAX];
    *record = NULL;
    if (spean_client_path(path, "/v1/cases/%s", id) != SPEAN_OK) {
        return SPEAN_EXIT_DONE;
    }
    const enum spean_exit exit =
        spean_call_exchange(import->call, "GET", path, NULL, record, problem);
    if (exit == SPEAN_EXIT_NOT_FOUND) {
        *problem = (struct spean_problem){.exit = SPEAN_EXIT_DONE};
        return SPEAN_EXIT_DONE;
    }
    return exit;
}

/* How the daemon finds the case again, a new object; NULL: no memory. */
static json_t *match_make(struct import *import, const struct spean_caserow *row,
                          const char *own_id, const json_t *record)
{
    char name[SPEAN_CASEROWS_ID_BYTES];
    if (record != NULL) {
        return json_pack("{s:s}", "record", spean_jsonget_text(record, "id"));
    }
    if (own_id[0] != '\0') {
        return json_pack("{s:s,s:s}", "source", SOURCE_OWN, "id", own_id);
    }
    if (row->id[0] != '\0') {
        return json_pack("{s:s,s:s}", "source", import->source, "id", row->id);
    }
    return row_name(import, row, name) != SPEAN_OK
               ? NULL
               : json_pack("{s:s,s:s}", "source", import->file_source, "id", name);
}

/* Put the edit, which is taken, into the chunk. */
static enum spean_exit item_add(struct import *import, const struct spean_caserow *row,
                                json_t *match, json_t *edit, struct spean_problem *problem)
{
    const size_t bytes = json_dumpb(edit, NULL, 0, JSON_COMPACT);
    json_t *const item =
        json_pack("{s:s,s:o,s:o}", "place", row->place, "match", match, "edit", edit);
    if (json_array_append_new(import->chunk, item) != 0) {
        return no_memory(problem);
    }
    import->chunk_bytes += bytes;
    const bool full = json_array_size(import->chunk) == SPEAN_CASEIMPORT_CHUNK ||
                      import->chunk_bytes > CHUNK_BYTES;
    return full ? chunk_send(import, problem) : SPEAN_EXIT_DONE;
}

static bool is_empty(const json_t *cells)
{
    const char *key;
    json_t *cell;
    json_object_foreach((json_t *)(uintptr_t)cells, key, cell)
    {
        if (json_string_length(cell) > 0) {
            return false;
        }
    }
    return true;
}

/* Make the edit of a row and send it on; record is the case that it is about, if it names one. */
static enum spean_exit row_edit(struct import *import, const struct spean_caserow *row,
                                const char *own_id, const json_t *record,
                                struct spean_problem *problem)
{
    struct spean_htcds_why why;
    json_t *edit = NULL;
    const spean_err err =
        spean_htcds_edit(row->cells, record, import->lang, &import->words, &edit, &why);
    if (err == SPEAN_EINPUT) {
        return row_fail(import, row->place, why.column, why.text, problem);
    }
    if (err != SPEAN_OK) {
        return no_memory(problem);
    }
    if (record != NULL && json_object_size(edit) == 0) {
        import->unchanged++;
        json_decref(edit);
        return SPEAN_EXIT_DONE;
    }
    if (json_object_size(edit) == 0) {
        json_decref(edit);
        return row_fail(import, row->place, NULL, _("nothing in it is known to cases"), problem);
    }
    return item_add(import, row, match_make(import, row, own_id, record), edit, problem);
}

static enum spean_exit row_import(struct import *import, const struct spean_caserow *row,
                                  struct spean_problem *problem)
{
    const char *const own_id = spean_jsonget_text(row->cells, SPEAN_HTCDS_ID);
    json_t *record = NULL;
    import->rows_count++;
    if (row->error != NULL) {
        return row_fail(import, row->place, NULL, row->error, problem);
    }
    if (is_empty(row->cells)) {
        return SPEAN_EXIT_DONE; /* Templates come with numbered, empty rows. */
    }
    if (strlen(own_id) >= SPEAN_CASEROWS_ID_BYTES) {
        return row_fail(import, row->place, SPEAN_HTCDS_ID, _("this is no id"), problem);
    }
    enum spean_exit exit = SPEAN_EXIT_DONE;
    if (own_id[0] != '\0') {
        exit = record_get(import, own_id, &record, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = row_edit(import, row, own_id, record, problem);
    }
    json_decref(record);
    return exit;
}

/* -- The whole ------------------------------------------------------------------------------- */

static enum spean_exit tell(struct import *import, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(import->call);
    json_t *const left = spean_caserows_left(import->rows);
    const bool dry_run = spean_call_globals(import->call)->dry_run;
    json_t *const object =
        json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:O,s:O,s:O}", "dry_run", dry_run, "rows",
                  import->rows_count, "created", import->created, "changed", import->changed,
                  "unchanged", import->unchanged, "failed", import->failed, "errors",
                  import->errors, "left_out", left, "unknown_codes", import->words.unknown);
    if (object == NULL) {
        return no_memory(problem);
    }
    spean_out_progress_end(out);
    spean_out_json(out, object);
    json_decref(object);
    const char *key;
    json_t *count;
    json_object_foreach(left, key, count)
    {
        spean_out_note(
            out,
            COUNTED_(json_integer_value(count),
                     "left out: %s (%" JSON_INTEGER_FORMAT " time): cases have no field for it",
                     "left out: %s (%" JSON_INTEGER_FORMAT " times): cases have no field for it"),
            key, json_integer_value(count));
    }
    json_object_foreach(import->words.unknown, key, count)
    {
        spean_out_note(out,
                       _("in no code list: %s (%" JSON_INTEGER_FORMAT
                         " times): kept as it is; see spean code unmapped --in-use"),
                       key, json_integer_value(count));
    }
    spean_out_line(out,
                   _("created %" JSON_INTEGER_FORMAT ", changed %" JSON_INTEGER_FORMAT
                     ", unchanged %" JSON_INTEGER_FORMAT ", failed %" JSON_INTEGER_FORMAT),
                   import->created, import->changed, import->unchanged, import->failed);
    const bool none = import->failed > 0 && import->failed == import->rows_count;
    if (dry_run) {
        spean_out_note(out, "%s", _("This was a dry run: nothing was changed."));
    } else if (!none) {
        spean_out_done(out, _("%s imported; only your own organisation's nodes can read it"),
                       import->path);
        spean_out_next(out, "spean case list");
    }
    return import->failed == 0 ? SPEAN_EXIT_DONE : none ? SPEAN_EXIT_FAILED : SPEAN_EXIT_ATTENTION;
}

static enum spean_exit rows_import(struct import *import, struct spean_problem *problem)
{
    struct spean_caserow row;
    bool more = true;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    while (exit == SPEAN_EXIT_DONE && more) {
        exit = spean_caserows_next(import->rows, &row, &more, problem);
        if (exit == SPEAN_EXIT_DONE && spean_interrupted()) {
            exit = spean_interrupt_problem(problem);
        }
        if (exit == SPEAN_EXIT_DONE && more) {
            exit = row_import(import, &row, problem);
        }
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = chunk_send(import, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        return tell(import, problem);
    }
    if (import->rows_count > 0) {
        spean_out_progress_end(spean_call_out(import->call));
        spean_problem_hint(problem,
                           _("cases before this were imported (%" JSON_INTEGER_FORMAT
                             " made, %" JSON_INTEGER_FORMAT
                             " changed); import the same file again to go on"),
                           import->created, import->changed);
    }
    return exit;
}

static bool has_suffix(const char *path, const char *suffix)
{
    const size_t len = strlen(path);
    return len > strlen(suffix) && strcmp(path + len - strlen(suffix), suffix) == 0;
}

static enum spean_caserows_format format_of(const char *given, const char *path)
{
    if (given == NULL) {
        return has_suffix(path, ".json") ? SPEAN_CASEROWS_JSON : SPEAN_CASEROWS_CSV;
    }
    return strcmp(given, "json") == 0      ? SPEAN_CASEROWS_JSON
           : strcmp(given, "primero") == 0 ? SPEAN_CASEROWS_PRIMERO
           : strcmp(given, "oscar") == 0   ? SPEAN_CASEROWS_OSCAR
                                           : SPEAN_CASEROWS_CSV;
}

/* Whether the file is our own export of everything, which is for reading. */
static enum spean_exit lines_refuse(const char *given, const char *path,
                                    struct spean_problem *problem)
{
    if (given != NULL || !has_suffix(path, ".jsonl")) {
        return SPEAN_EXIT_DONE;
    }
    (void)spean_problem_usage(problem, _("%s: JSON Lines are not for importing"), path);
    spean_problem_hint(problem, "%s",
                       _("export cases as csv or json; give --format if it is one of these"));
    return SPEAN_EXIT_USAGE;
}

/* Work out what the names of rows belong to: the ids of two systems may be alike. */
static enum spean_exit source_find(struct import *import,
                                   const struct spean_caserows_options *options,
                                   struct spean_problem *problem)
{
    const char *const given = spean_call_value(import->call, "source");
    const char *const own = spean_casekeys_source(options->format);
    if (given != NULL &&
        !spean_codes_valid((struct spean_view){(const uint8_t *)given, strlen(given)})) {
        (void)spean_problem_usage(problem, _("--source cannot be \"%s\""), given);
        spean_problem_hint(problem, "%s", _("use small letters, digits, _ . : and -"));
        return SPEAN_EXIT_USAGE;
    }
    if (options->id_column != NULL && given == NULL && own == NULL) {
        (void)spean_problem_usage(problem, "%s", _("it is not said whose names these are"));
        spean_problem_hint(problem, "%s",
                           _("give --source NAME too, the same for every file of that system: two "
                             "systems may use the same numbers"));
        return SPEAN_EXIT_USAGE;
    }
    import->source = given != NULL ? given : own != NULL ? own : SOURCE_FORM;
    import->file_source = given != NULL ? given : SOURCE_FILE;
    return SPEAN_EXIT_DONE;
}

enum spean_exit spean_caseimport_run(struct spean_call *call, struct spean_problem *problem)
{
    assert(call != NULL);
    const char *const header = spean_call_value(call, "header");
    struct spean_caserows_options options = {.path = spean_call_value(call, "file"),
                                             .id_column = spean_call_value(call, "id-column")};
    struct import import = {
        .call = call, .path = options.path, .lang = spean_call_globals(call)->lang};
    options.format = format_of(spean_call_value(call, "format"), options.path);
    if (header != NULL) {
        options.header = strcmp(header, "names") == 0 ? SPEAN_CASEROWS_HEADER_NAMES
                                                      : SPEAN_CASEROWS_HEADER_LABELS;
    }
    enum spean_exit exit = lines_refuse(spean_call_value(call, "format"), options.path, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = source_find(&import, &options, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_caserows_open(&options, &import.rows, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_codefetch_all(call, &import.words, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        spean_caserows_free(import.rows);
        return exit;
    }
    import.chunk = json_array();
    import.errors = json_array();
    import.seen = json_object();
    exit = import.chunk == NULL || import.errors == NULL || import.seen == NULL
               ? no_memory(problem)
               : rows_import(&import, problem);
    json_decref(import.chunk);
    json_decref(import.errors);
    json_decref(import.seen);
    spean_codewords_fini(&import.words);
    spean_caserows_free(import.rows);
    return exit;
}
