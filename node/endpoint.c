#include "node/endpoint.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"
#include "store/record.h"

#define SUB_FIELDS_MAX 16u

static void read_text(struct spean_reader *r, char *out, size_t max)
{
    const struct spean_view text = spean_reader_str(r, 1, max);
    if (text.len > 0) {
        memcpy(out, text.data, text.len);
    }
    out[text.len] = '\0';
}

bool spean_endpoint_read(struct spean_view element, struct spean_node_endpoint *out)
{
    assert(out != NULL);
    struct spean_node_endpoint read = {.address = ""};
    struct spean_reader r;
    bool has_node = false;
    spean_reader_init(&r, element);
    const uint32_t fields = spean_reader_map(&r, SUB_FIELDS_MAX);
    for (uint32_t i = 0; i < fields && !spean_reader_failed(&r); i++) {
        const uint64_t field = spean_reader_uint(&r, UINT64_MAX);
        if (field == SPEAN_SUB_ENDPOINT_NODE_KEY) {
            spean_reader_bin_fixed(&r, read.node.bytes, sizeof(read.node.bytes));
            has_node = true;
        } else if (field == SPEAN_SUB_ENDPOINT_ADDRESS) {
            read_text(&r, read.address, SPEAN_NODE_ENDPOINT_ADDRESS_BYTES_MAX);
        } else if (field == SPEAN_SUB_ENDPOINT_KIND) {
            read_text(&r, read.kind, SPEAN_NODE_ENDPOINT_KIND_BYTES_MAX);
        } else if (field == SPEAN_SUB_ENDPOINT_NAME) {
            read_text(&r, read.name, SPEAN_NODE_ENDPOINT_NAME_BYTES_MAX);
        } else {
            (void)spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        }
    }
    if (spean_reader_end(&r) != SPEAN_OK || !has_node) {
        return false;
    }
    *out = read;
    return true;
}

bool spean_endpoint_at(const struct spean_part *part, size_t index, struct spean_node_endpoint *out,
                       struct spean_view *element)
{
    const struct spean_field *field =
        spean_part_find(part, SPEAN_FIELD_AGENCY_ENDPOINTS, SPEAN_KIND_SET);
    if (field == NULL || index >= spean_field_elements_count(field)) {
        return false;
    }
    struct spean_view bytes = {0};
    *out = (struct spean_node_endpoint){.address = ""};
    if (spean_field_get_element(field, index, &bytes)) {
        (void)spean_endpoint_read(bytes, out); /* Otherwise zeros: it is nobody's. */
    }
    if (element != NULL) {
        *element = bytes;
    }
    return true;
}

bool spean_endpoint_find(const struct spean_part *part, const struct spean_key *node,
                         struct spean_node_endpoint *out)
{
    struct spean_node_endpoint at;
    bool found = false;
    for (size_t i = 0; spean_endpoint_at(part, i, &at, NULL); i++) {
        if (!spean_key_equal(&at.node, node)) {
            continue;
        }
        if (!found) {
            *out = at;
            found = true;
            continue;
        }
        if (out->address[0] == '\0') {
            memcpy(out->address, at.address, sizeof(out->address));
        }
        if (out->name[0] == '\0') {
            memcpy(out->name, at.name, sizeof(out->name));
        }
    }
    return found;
}

static void write_text(struct spean_writer *w, uint64_t field, const char *text)
{
    if (text[0] != '\0') {
        spean_writer_uint(w, field);
        spean_writer_str(w, text, strlen(text));
    }
}

spean_err spean_endpoint_write(const struct spean_node_endpoint *endpoint, uint8_t *buf, size_t cap,
                               struct spean_view *out)
{
    const char *const texts[] = {endpoint->address, endpoint->kind, endpoint->name};
    uint32_t fields = 1;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fields += texts[i][0] != '\0';
    }
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_map(&w, fields);
    spean_writer_uint(&w, SPEAN_SUB_ENDPOINT_NODE_KEY);
    spean_writer_bin(&w, endpoint->node.bytes, sizeof(endpoint->node.bytes));
    write_text(&w, SPEAN_SUB_ENDPOINT_ADDRESS, endpoint->address);
    write_text(&w, SPEAN_SUB_ENDPOINT_KIND, endpoint->kind);
    write_text(&w, SPEAN_SUB_ENDPOINT_NAME, endpoint->name);
    return spean_writer_end(&w, out);
}

bool spean_endpoint_has(const struct spean_part *part, const struct spean_key *node,
                        const char *address)
{
    struct spean_node_endpoint at;
    for (size_t i = 0; part != NULL && spean_endpoint_at(part, i, &at, NULL); i++) {
        if (spean_key_equal(&at.node, node) && strcmp(at.address, address) == 0) {
            return true;
        }
    }
    return false;
}

static spean_err write_op(struct spean_draft *draft, enum spean_verb verb, struct spean_view value)
{
    return spean_draft_op(draft, SPEAN_FIELD_AGENCY_ENDPOINTS, verb, value);
}

static spean_err put(struct spean_draft *draft, const struct spean_node_endpoint *endpoint)
{
    uint8_t buf[SPEAN_NODE_ENDPOINT_BYTES_MAX];
    struct spean_view element = {0};
    const spean_err err = spean_endpoint_write(endpoint, buf, sizeof(buf), &element);
    return err == SPEAN_OK ? write_op(draft, SPEAN_VERB_ADD, element) : err;
}

spean_err spean_endpoint_move(struct spean_draft *draft, const struct spean_part *part,
                              const struct spean_key *node, const char *from, const char *to)
{
    struct spean_node_endpoint kept = {.address = ""};
    struct spean_node_endpoint at;
    struct spean_view element = {0};
    spean_err err = SPEAN_OK;
    bool named = false; /* By an element that stays. */
    if (part != NULL) {
        (void)spean_endpoint_find(part, node, &kept); /* False: it has no name. */
    }
    for (size_t i = 0; err == SPEAN_OK && part != NULL && spean_endpoint_at(part, i, &at, &element);
         i++) {
        if (!spean_key_equal(&at.node, node)) {
            continue;
        }
        if (from[0] != '\0' && strcmp(at.address, from) == 0) {
            err = write_op(draft, SPEAN_VERB_REMOVE, element);
        } else {
            named = named || at.name[0] != '\0';
        }
    }
    if (err != SPEAN_OK || (to[0] == '\0' && (named || kept.name[0] == '\0'))) {
        return err;
    }
    struct spean_node_endpoint added = {.node = *node};
    memcpy(added.name, kept.name, sizeof(added.name));
    if (strlen(to) > SPEAN_NODE_ENDPOINT_ADDRESS_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    memcpy(added.address, to, strlen(to) + 1);
    return put(draft, &added);
}

spean_err spean_endpoint_rename(struct spean_draft *draft, const struct spean_part *part,
                                const struct spean_key *node, const char *name, bool *changed)
{
    struct spean_node_endpoint at;
    struct spean_view element = {0};
    bool known = false;
    spean_err err = strlen(name) > SPEAN_NODE_ENDPOINT_NAME_BYTES_MAX ? SPEAN_ELIMIT : SPEAN_OK;
    *changed = false;
    for (size_t i = 0; err == SPEAN_OK && spean_endpoint_at(part, i, &at, &element); i++) {
        if (!spean_key_equal(&at.node, node)) {
            continue;
        }
        known = true;
        if (strcmp(at.name, name) == 0) {
            continue;
        }
        memcpy(at.name, name, strlen(name) + 1);
        *changed = true;
        err = write_op(draft, SPEAN_VERB_REMOVE, element);
        if (err == SPEAN_OK) {
            err = put(draft, &at);
        }
    }
    if (err == SPEAN_OK && !known) {
        struct spean_node_endpoint alone = {.node = *node};
        memcpy(alone.name, name, strlen(name) + 1);
        *changed = true;
        err = put(draft, &alone);
    }
    return err;
}

spean_err spean_endpoint_record(struct spean_tx *tx, const struct spean_keys *keys,
                                const struct spean_id *org, struct spean_record_id *out,
                                struct spean_part **part)
{
    const struct spean_record_id *after = NULL;
    struct spean_record_id record;
    spean_err err = SPEAN_OK;
    while ((err = spean_record_next(tx, SPEAN_TYPE_AGENCY, after, &record)) == SPEAN_OK) {
        const struct spean_part_name name = {record, SPEAN_PART_PUBLIC};
        struct spean_part_info info;
        struct spean_view fixed;
        struct spean_part *found = NULL;
        after = &record;
        if (spean_record_trunk(tx, keys, &name, &found) != SPEAN_OK) {
            continue;
        }
        spean_part_get_info(found, &info);
        if (info.created && spean_id_equal(&info.owner, org) &&
            spean_fixed_get(info.fixed, SPEAN_FIELD_AGENCY_ORG, &fixed)) {
            *out = record;
            *part = found;
            return SPEAN_OK;
        }
        spean_part_free(found);
    }
    return err;
}
