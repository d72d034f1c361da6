/* What is set aside: judged and not folded, with the reasons, and what is beyond a cut. */
#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/handlers.h"
#include "node/json_value.h"
#include "node/records.h"
#include "protocol/aside.h"
#include "store/fold.h"
#include "store/log.h"
#include "store/logs.h"

#define CURSOR_BYTES 80u
#define ENTRY_BYTES  16u /* Of an entry's id, in a cursor and in the store's keys. */
#define ENTRY_HEX    (2u * ENTRY_BYTES)

/* Where a page goes on: first come entries that were judged, then those beyond a cut. */
struct cursor {
    bool beyond;
    uint32_t number;              /* Of the log. */
    uint64_t seq;                 /* At this or above, of what was judged. */
    struct spean_log_aside_at at; /* Behind this, of what is beyond a cut. */
};

/* Read a number and the dash behind it; NULL: it is none, or above max. */
static const char *read_number(const char *text, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    *out = value;
    return isdigit((unsigned char)text[0]) && errno == 0 && value <= max ? end : NULL;
}

/* A cursor is "<log number>-<seq>" of the last line, or "b<log number>-<seq>-<entry>". */
static bool read_after(const char *text, struct cursor *out)
{
    *out = (struct cursor){0};
    if (text[0] == '\0') {
        return true;
    }
    uint64_t number = 0;
    uint64_t seq = 0;
    out->beyond = text[0] == 'b';
    const char *rest = read_number(text + (out->beyond ? 1 : 0), UINT32_MAX, &number);
    rest = rest != NULL && *rest == '-' ? read_number(rest + 1, UINT64_MAX - 1, &seq) : NULL;
    out->number = (uint32_t)number;
    out->seq = seq + 1;
    out->at.seq = seq;
    if (rest == NULL || !out->beyond) {
        return rest != NULL && *rest == '\0';
    }
    size_t len = 0;
    return rest[0] == '-' && strlen(rest + 1) == ENTRY_HEX &&
           sodium_hex2bin(out->at.entry.bytes, ENTRY_BYTES, rest + 1, ENTRY_HEX, NULL, &len,
                          NULL) == 0 &&
           len == ENTRY_BYTES;
}

static void write_after(const struct cursor *cursor, char out[CURSOR_BYTES])
{
    char entry[ENTRY_HEX + 1];
    if (!cursor->beyond) {
        (void)snprintf(out, CURSOR_BYTES, "%u-%llu", (unsigned)cursor->number,
                       (unsigned long long)cursor->seq - 1);
        return;
    }
    (void)sodium_bin2hex(entry, sizeof(entry), cursor->at.entry.bytes, ENTRY_BYTES);
    (void)snprintf(out, CURSOR_BYTES, "b%u-%llu-%s", (unsigned)cursor->number,
                   (unsigned long long)cursor->at.seq, entry);
}

/* A line of a log; reason and text are its own. */
static json_t *line_of(struct spean_records *at, const struct spean_logs_row *row, uint64_t seq,
                       const char *reason, const char *text)
{
    json_t *line =
        json_pack("{s:o, s:o, s:s, s:s}", "log", spean_json_hex(row->log.bytes, SPEAN_ID_BYTES),
                  "seq", spean_json_u64(seq), "reason", reason, "text", text);
    if (line != NULL && !spean_json_set_org(line, "org", &row->org, &at->names)) {
        json_decref(line);
        return NULL;
    }
    return line;
}

/* The next line of what was judged. SPEAN_ENOTFOUND: no more. */
static spean_err judged_next(struct spean_records *at, struct cursor *cursor, json_t **line)
{
    struct spean_fold_aside aside;
    struct spean_logs_row row;
    spean_err err = spean_fold_aside_next(at->view.tx, cursor->number, cursor->seq, &aside);
    if (err == SPEAN_OK) {
        err = spean_logs_at(at->view.tx, aside.number, &row);
        err = err == SPEAN_ENOTFOUND ? SPEAN_ECORRUPT : err;
    }
    if (err != SPEAN_OK) {
        return err;
    }
    cursor->number = aside.number;
    cursor->seq = aside.seq + 1;
    *line = line_of(at, &row, aside.seq, spean_aside_name(aside.reason),
                    spean_aside_text(aside.reason));
    if (*line != NULL && !spean_json_set_time(*line, "since", aside.since_s)) {
        json_decref(*line);
        *line = NULL;
    }
    return *line == NULL ? SPEAN_ENOMEM : SPEAN_OK;
}

/* The next line of what is beyond a cut; what is damaged is for the check to tell. */
static spean_err beyond_next(struct spean_records *at, struct cursor *cursor, json_t **line)
{
    struct spean_logs_row row;
    struct spean_log_aside aside;
    spean_err err = spean_logs_next(at->view.tx, cursor->number, &row);
    while (err == SPEAN_OK) {
        if (row.number != cursor->number) {
            cursor->at = (struct spean_log_aside_at){0};
        }
        cursor->number = row.number;
        do {
            err = spean_log_aside_next(at->view.tx, &row, &cursor->at, &aside);
        } while (err == SPEAN_ECORRUPT && spean_tx_err(at->view.tx) == SPEAN_OK);
        if (err != SPEAN_ENOTFOUND) {
            break;
        }
        err = spean_logs_next(at->view.tx, row.number + 1, &row);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    *line = line_of(at, &row, aside.entry.header.seq, "beyond",
                    "it is beyond the cut of its log, or on another branch of it");
    if (*line != NULL && json_object_set_new(*line, "since", json_null()) != 0) {
        json_decref(*line);
        *line = NULL;
    }
    return *line == NULL ? SPEAN_ENOMEM : SPEAN_OK;
}

/* The next line of both; *cursor moves behind it. */
static spean_err line_next(struct spean_records *at, struct cursor *cursor, json_t **line)
{
    if (!cursor->beyond) {
        const spean_err err = judged_next(at, cursor, line);
        if (err != SPEAN_ENOTFOUND) {
            return err;
        }
        *cursor = (struct cursor){.beyond = true};
    }
    return beyond_next(at, cursor, line);
}

static void list(struct spean_records *at)
{
    struct spean_page page;
    struct cursor cursor = {0};
    char next[CURSOR_BYTES] = "";
    bool more = false;
    if (spean_request_page(at->request, &page) != SPEAN_OK || !read_after(page.after, &cursor)) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL, "limit or after is not what a page gave",
                             NULL);
        return;
    }
    json_t *items = json_array();
    spean_err err = items == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    while (err == SPEAN_OK && !more) {
        json_t *line = NULL;
        err = line_next(at, &cursor, &line);
        more = err == SPEAN_OK && json_array_size(items) == page.limit;
        if (more) {
            json_decref(line);
        } else if (err == SPEAN_OK) {
            write_after(&cursor, next);
            err = json_array_append_new(items, line) == 0 ? SPEAN_OK : SPEAN_ENOMEM;
        }
    }
    if (err != SPEAN_OK && err != SPEAN_ENOTFOUND) {
        json_decref(items);
        spean_records_refuse(at, err, NULL, NULL, NULL);
        return;
    }
    spean_reply_page(at->reply, items, more ? next : NULL);
}

static void aside_list(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply)) {
        list(&at);
        spean_records_end(&at);
    }
}

struct spean_route_group spean_aside_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/aside",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = aside_list},
    };
    return (struct spean_route_group){routes, 1};
}
