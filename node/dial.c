/* Whom to call: every open node of a member whose agency record names an endpoint, and the node
 * that invited us. */
#include <stdio.h>
#include <string.h>

#include "node/core_internal.h"
#include "protocol/fold.h"
#include "protocol/message.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "store/record.h"

#define ENDPOINT_FIELDS_MAX 16u
#define ADDRESS_BYTES_MAX   256u

/* -- When to try again ----------------------------------------------------------------------- */

static struct core_redial *redial_of(struct spean_core *core, const struct spean_key *key)
{
    for (uint32_t i = 0; i < core->redials_count; i++) {
        if (spean_key_equal(&core->redials[i].transport, key)) {
            return &core->redials[i];
        }
    }
    return NULL;
}

void core_dial_failed(struct spean_core *core, const struct core_link *link)
{
    struct core_redial *redial = redial_of(core, &link->transport);
    if (!link->dialled || (redial == NULL && core->redials_count == CORE_REDIALS_MAX)) {
        return;
    }
    if (redial == NULL) {
        redial = &core->redials[core->redials_count++];
        *redial = (struct core_redial){.transport = link->transport};
    }
    uint64_t wait_ms = CORE_DIAL_MS;
    for (uint32_t i = 0; i < redial->failures && wait_ms < CORE_REDIAL_MS_MAX; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < CORE_REDIAL_MS_MAX ? wait_ms : CORE_REDIAL_MS_MAX;
    redial->failures += redial->failures < UINT32_MAX ? 1 : 0;
    redial->not_before_ms = core_now_ms() + wait_ms;
}

void core_dial_worked(struct spean_core *core, const struct core_link *link)
{
    struct core_redial *redial = redial_of(core, &link->transport);
    if (redial != NULL && link->dialled) {
        *redial = core->redials[--core->redials_count];
    }
}

/* Whether the transport waits before it tries that node again. */
static bool is_backing_off(enum spean_dial_state state)
{
    return state != SPEAN_DIAL_NONE && state != SPEAN_DIAL_TRYING && state != SPEAN_DIAL_UP;
}

static bool may_dial(struct spean_core *core, const struct spean_key *key)
{
    if (spean_key_equal(key, &core->transport_key)) {
        return false;
    }
    if (core->dial_now && is_backing_off(spean_transport_dial_state(core->transport, key))) {
        spean_transport_undial(core->transport, key);
    }
    const struct core_redial *redial = redial_of(core, key);
    return spean_transport_dial_state(core->transport, key) == SPEAN_DIAL_NONE &&
           (core->dial_now || redial == NULL || core_now_ms() >= redial->not_before_ms);
}

/* -- Dialling -------------------------------------------------------------------------------- */

static void dial(struct spean_core *core, const struct spean_key *key, const char *endpoint)
{
    if (!may_dial(core, key)) {
        return;
    }
    const spean_err err = spean_transport_dial(core->transport, key, endpoint);
    if (err != SPEAN_OK && err != SPEAN_EEXISTS) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "dial",
                            spean_journal_text("err", spean_err_name(err)));
    }
}

/* Read the map of one endpoint. False: it names no node, or no address that can be dialled. */
static bool read_endpoint(struct spean_view element, struct spean_key *key,
                          char address[ADDRESS_BYTES_MAX + 1])
{
    struct spean_reader r;
    bool has_key = false;
    address[0] = '\0';
    spean_reader_init(&r, element);
    const uint32_t fields = spean_reader_map(&r, ENDPOINT_FIELDS_MAX);
    for (uint32_t i = 0; i < fields && !spean_reader_failed(&r); i++) {
        const uint64_t field = spean_reader_uint(&r, UINT64_MAX);
        if (field == SPEAN_SUB_ENDPOINT_NODE_KEY) {
            spean_reader_bin_fixed(&r, key->bytes, sizeof(key->bytes));
            has_key = true;
        } else if (field == SPEAN_SUB_ENDPOINT_ADDRESS) {
            const struct spean_view text = spean_reader_str(&r, 1, ADDRESS_BYTES_MAX);
            memcpy(address, text.data != NULL ? text.data : (const uint8_t *)"", text.len);
            address[text.len] = '\0';
        } else {
            (void)spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        }
    }
    return spean_reader_end(&r) == SPEAN_OK && has_key && address[0] != '\0';
}

/* Dial the nodes that an agency record names, if they are its owner's: the relays among them, or
 * the others. */
static void dial_agency(struct spean_core *core, const struct spean_part *part, bool relays)
{
    struct spean_part_info info;
    spean_part_get_info(part, &info);
    const struct spean_field *field =
        spean_part_find(part, SPEAN_FIELD_AGENCY_ENDPOINTS, SPEAN_KIND_SET);
    for (size_t i = 0; field != NULL && i < spean_field_elements_count(field); i++) {
        struct spean_view element;
        struct spean_key key;
        char address[ADDRESS_BYTES_MAX + 1];
        if (!spean_field_get_element(field, i, &element) ||
            !read_endpoint(element, &key, address)) {
            continue;
        }
        const struct spean_log *log = spean_authority_log_by_transport(core->authority, &key);
        if (log != NULL && spean_id_equal(&log->org, &info.owner) && log->relay == relays) {
            dial(core, &key, address);
        }
    }
}

static void dial_agencies(struct spean_core *core, bool relays)
{
    struct spean_tx *tx = NULL;
    if (spean_tx_begin(core->db, SPEAN_TX_READ, &tx) != SPEAN_OK) {
        return;
    }
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    while (spean_record_next(tx, SPEAN_TYPE_AGENCY, after, &record) == SPEAN_OK) {
        const struct spean_part_name name = {record, SPEAN_PART_PUBLIC};
        struct spean_part *part = NULL;
        after = &record;
        if (spean_record_trunk(tx, core->keys, &name, &part) == SPEAN_OK) {
            dial_agency(core, part, relays);
            spean_part_free(part);
        }
    }
    spean_tx_abort(tx);
}

void core_dial(struct spean_core *core)
{
    core->next_dial_ms = core_now_ms() + CORE_DIAL_MS;
    if (core->transport == NULL || !core->config->dial) {
        return;
    }
    const bool member = spean_authority_is_member(core->authority, &core->org);
    const bool asks = core->joining.active && !spean_standing_is_final(core->joining.standing);
    if (asks && !member) {
        core->next_dial_ms = core_now_ms() + CORE_JOIN_MS;
    }
    if (asks || (core->joining.active && member)) {
        dial(core, &core->joining.transport, core->joining.endpoint);
        core_lobby_ask_again(core);
    }
    /* Through a relay everybody can be reached, should there be more than can be dialled. */
    dial_agencies(core, true);
    dial_agencies(core, false);
    core->dial_now = false;
}
