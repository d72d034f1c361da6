/* Whole records, page by page. */
#include <string.h>

#include "node/export.h"
#include "node/handlers.h"
#include "node/records.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"

static spean_err export_line(struct spean_records *at, const struct spean_records_item *item,
                             void *ctx, json_t **out)
{
    (void)ctx;
    return spean_export_record(at, item, out);
}

/* The types that are exported: those that people write. */
static const struct spean_schema_type *type_find(const char *name)
{
    static const uint64_t types[] = {SPEAN_TYPE_AGENCY, SPEAN_TYPE_CASE, SPEAN_TYPE_CONSENT,
                                     SPEAN_TYPE_REFERRAL};
    for (size_t i = 0; name != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
        const struct spean_schema_type *type = spean_schema_type(types[i]);
        if (strcmp(type->name, name) == 0) {
            return type;
        }
    }
    return NULL;
}

static void export_get(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    static const char *const params[] = {"limit", "after", "type"};
    struct spean_records at;
    if (!spean_records_read(&at, request, ctx, reply, params, sizeof(params) / sizeof(params[0]))) {
        return;
    }
    const struct spean_schema_type *type = type_find(spean_request_query(request, "type"));
    if (type == NULL) {
        spean_records_refuse(&at, SPEAN_EINPUT, NULL,
                             "type: expected agency, case, consent or referral", NULL);
    } else {
        const struct spean_records_listing listing = {.type = type->number, .line = export_line};
        spean_records_list(&at, &listing);
    }
    spean_records_end(&at);
}

struct spean_route_group spean_export_routes(void)
{
    static const struct spean_route routes[] = {
        {"GET", "/v1/export", SPEAN_ROUTE_READ, export_get, NULL, NULL},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
