/* Whole records, page by page. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "node/export.h"
#include "node/handlers.h"
#include "node/records.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"

#define TYPE_DIGITS_MAX 18u /* Fit uint64_t. */

static spean_err export_line(struct spean_records *at, const struct spean_records_item *item,
                             void *ctx, json_t **out)
{
    (void)ctx;
    return spean_export_record(at, item, out);
}

/* Find the type that is asked for: one that people write, by its name, or one that this program
 * does not know, by "#" and its number. */
static bool type_find(const char *name, uint64_t *out)
{
    static const uint64_t types[] = {SPEAN_TYPE_AGENCY,   SPEAN_TYPE_CASE,      SPEAN_TYPE_CONSENT,
                                     SPEAN_TYPE_REFERRAL, SPEAN_TYPE_CODE_LIST, SPEAN_TYPE_CODE};
    for (size_t i = 0; name != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(spean_schema_type(types[i])->name, name) == 0) {
            *out = types[i];
            return true;
        }
    }
    const size_t digits = name == NULL || name[0] != '#' ? 0 : strlen(name + 1);
    if (digits == 0 || digits > TYPE_DIGITS_MAX || strspn(name + 1, "0123456789") != digits) {
        return false;
    }
    *out = 0;
    for (size_t i = 1; i <= digits; i++) {
        *out = *out * 10 + (uint64_t)(name[i] - '0');
    }
    return spean_schema_type(*out) == NULL;
}

static void export_get(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    struct spean_records at;
    if (!spean_records_read(&at, request, ctx, reply)) {
        return;
    }
    uint64_t type = 0;
    if (!type_find(spean_request_query(request, "type"), &type)) {
        spean_records_refuse(&at, SPEAN_EINPUT, NULL,
                             "type: expected agency, case, consent, referral, code_list or code",
                             "or # and the number of a type that this program does not know");
    } else {
        const struct spean_records_listing listing = {.type = type, .line = export_line};
        spean_records_list(&at, &listing);
    }
    spean_records_end(&at);
}

struct spean_route_group spean_export_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/export",
         .flags = SPEAN_ROUTE_READ,
         .query = "type limit after",
         .read = export_get},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
