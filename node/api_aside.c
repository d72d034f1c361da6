/* What was judged and is not folded, with the reasons. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/handlers.h"
#include "node/json_value.h"
#include "node/records.h"
#include "protocol/aside.h"
#include "store/fold.h"
#include "store/logs.h"

#define CURSOR_BYTES 40u

/* The cursor is "<log number>-<seq>" of the last line. */
static bool read_after(const char *text, uint32_t *number, uint64_t *seq)
{
    *number = 0;
    *seq = 0;
    if (text[0] == '\0') {
        return true;
    }
    if (strspn(text, "0123456789-") != strlen(text) || strlen(text) >= CURSOR_BYTES) {
        return false;
    }
    char *end = NULL;
    errno = 0;
    const unsigned long long log = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '-' || log > UINT32_MAX) {
        return false;
    }
    char *last = NULL;
    const unsigned long long entry = strtoull(end + 1, &last, 10);
    if (errno != 0 || last == end + 1 || *last != '\0' || entry == ULLONG_MAX) {
        return false;
    }
    *number = (uint32_t)log;
    *seq = entry + 1;
    return true;
}

static json_t *aside_line(struct spean_records *at, const struct spean_fold_aside *aside)
{
    struct spean_logs_row row;
    if (spean_logs_at(at->view.tx, aside->number, &row) != SPEAN_OK) {
        return NULL;
    }
    json_t *line =
        json_pack("{s:o, s:o, s:s, s:s}", "log", spean_json_hex(row.log.bytes, SPEAN_ID_BYTES),
                  "seq", spean_json_u64(aside->seq), "reason", spean_aside_name(aside->reason),
                  "text", spean_aside_text(aside->reason));
    if (line == NULL || !spean_json_set_org(line, "org", &row.org, &at->names) ||
        !spean_json_set_time(line, "since", aside->since_s)) {
        json_decref(line);
        return NULL;
    }
    return line;
}

static void list(struct spean_records *at)
{
    struct spean_page page;
    uint32_t number = 0;
    uint64_t seq = 0;
    char next[CURSOR_BYTES] = "";
    bool more = false;
    if (spean_request_page(at->request, &page) != SPEAN_OK ||
        !read_after(page.after, &number, &seq)) {
        spean_records_refuse(at, SPEAN_EINPUT, NULL, "limit or after is not what a page gave",
                             NULL);
        return;
    }
    json_t *items = json_array();
    spean_err err = items == NULL ? SPEAN_ENOMEM : SPEAN_OK;
    while (err == SPEAN_OK) {
        struct spean_fold_aside aside;
        err = spean_fold_aside_next(at->view.tx, number, seq, &aside);
        if (err == SPEAN_OK && json_array_size(items) == page.limit) {
            more = true;
            break;
        }
        if (err == SPEAN_OK && json_array_append_new(items, aside_line(at, &aside)) != 0) {
            err = SPEAN_ENOMEM;
        }
        if (err == SPEAN_OK) {
            number = aside.number;
            seq = aside.seq + 1;
            (void)snprintf(next, sizeof(next), "%u-%llu", (unsigned)number,
                           (unsigned long long)aside.seq);
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
    static const char *const params[] = {"limit", "after"};
    struct spean_records at;
    if (spean_records_read(&at, request, ctx, reply, params, 2)) {
        list(&at);
        spean_records_end(&at);
    }
}

struct spean_route_group spean_aside_routes(void)
{
    static const struct spean_route routes[] = {
        {"GET", "/v1/aside", SPEAN_ROUTE_READ, aside_list, NULL, NULL},
    };
    return (struct spean_route_group){routes, 1};
}
