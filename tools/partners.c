#include "tools/partners.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "tools/grid.h"
#include "tools/i18n.h"
#include "tools/jsonget.h"
#include "tools/money.h"
#include "tools/timetext.h"

/* "all (1,204)", "2 waiting", or "?" when nothing is known. */
static void share_add(struct spean_grid *grid, const json_t *share)
{
    char count[SPEAN_MONEY_BYTES_MAX];
    if (!json_is_object(share)) {
        spean_grid_cell(grid, "?");
        return;
    }
    const int64_t missing = spean_jsonget_number(share, "missing");
    if (missing > 0) {
        spean_money_count(missing, count);
        spean_grid_cell(grid, _("%s waiting"), count);
        return;
    }
    spean_money_count(spean_jsonget_number(share, "entries"), count);
    spean_grid_cell(grid, _("all (%s)"), count);
}

static bool is_connected(const json_t *partner)
{
    return strcmp(spean_jsonget_text(partner, "state"), "connected") == 0;
}

static void partner_add(struct spean_grid *grid, const json_t *partner, int64_t now)
{
    char who[SPEAN_WHO_BYTES_MAX];
    char ago[SPEAN_TIMETEXT_BYTES_MAX];
    const char *const name = spean_jsonget_text(partner, "name");
    const char *const by = spean_jsonget_text(partner, "by");
    spean_jsonget_who(partner, "org", "name", who);
    spean_partners_seen(partner, now, ago);
    spean_grid_cell(grid, "%s", name[0] == '\0' ? who : name);
    share_add(grid, json_object_get(partner, "we_have"));
    share_add(grid, json_object_get(partner, "they_have"));
    spean_grid_cell(grid, "%s", ago);
    spean_grid_cell(grid, "%s", by[0] == '\0' ? "-" : by);
}

spean_err spean_partners_print(struct spean_out *out, const json_t *partners, int64_t now)
{
    assert(out != NULL);
    struct spean_grid *grid;
    const spean_err err = spean_grid_new(&grid);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_grid_column(grid, _("PARTNER"), false);
    spean_grid_column(grid, _("WE HAVE THEIRS"), false);
    spean_grid_column(grid, _("THEY HAVE OURS"), false);
    spean_grid_column(grid, _("LAST CONTACT"), false);
    spean_grid_column(grid, _("BY"), false);
    for (size_t i = 0; i < json_array_size(partners); i++) {
        partner_add(grid, json_array_get(partners, i), now);
    }
    spean_out_grid(out, grid);
    spean_grid_free(grid);

    for (size_t i = 0; i < json_array_size(partners); i++) {
        const json_t *const partner = json_array_get(partners, i);
        const char *const why = spean_jsonget_text(partner, "why");
        char who[SPEAN_WHO_BYTES_MAX];
        spean_jsonget_who(partner, "org", "name", who);
        if (why[0] != '\0') {
            spean_out_line(out, "%s: %s", who, why);
        }
    }
    return SPEAN_OK;
}

void spean_partners_seen(const json_t *partner, int64_t now, char ago[SPEAN_TIMETEXT_BYTES_MAX])
{
    assert(ago != NULL);
    int64_t contact = 0;
    if (is_connected(partner)) {
        contact = now;
    } else if (spean_timetext_parse(spean_jsonget_text(partner, "last_contact"), &contact) !=
               SPEAN_OK) {
        contact = 0;
    }
    spean_timetext_ago(now, contact, ago);
}

bool spean_partners_away(const json_t *partners, const char *org, int64_t now,
                         char ago[SPEAN_TIMETEXT_BYTES_MAX])
{
    assert(org != NULL);
    for (size_t i = 0; i < json_array_size(partners); i++) {
        const json_t *const partner = json_array_get(partners, i);
        if (strcmp(spean_jsonget_text(partner, "org"), org) == 0 && !is_connected(partner)) {
            spean_partners_seen(partner, now, ago);
            return true;
        }
    }
    return false;
}
