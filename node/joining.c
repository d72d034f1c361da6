#include "node/joining.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/message.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/seal.h"

#define JOINING_NODE_BYTES_MAX 512u

#define ROW_ELEMENTS  4u
#define ROW_BYTES_MAX (JOINING_FRAME_BYTES_MAX + 256u)

/* The key of the sealed row. */
static struct spean_view row_key(void)
{
    static const char name[] = "joining";
    return (struct spean_view){(const uint8_t *)name, sizeof(name) - 1};
}

void joining_fini(struct joining *j)
{
    if (j->frame != NULL) {
        sodium_memzero(j->frame, j->frame_len);
    }
    free(j->frame);
    memset(j, 0, sizeof(*j));
}

static spean_err compose(struct joining *j, const struct spean_join *join,
                         const struct spean_invite *invite, const struct spean_view *documents,
                         uint32_t documents_count)
{
    uint8_t *list = malloc(JOINING_FRAME_BYTES_MAX);
    j->frame = malloc(JOINING_FRAME_BYTES_MAX);
    if (list == NULL || j->frame == NULL) {
        free(list);
        return SPEAN_ENOMEM;
    }
    struct spean_writer w;
    spean_writer_init(&w, list, JOINING_FRAME_BYTES_MAX);
    for (uint32_t i = 0; i < documents_count; i++) {
        spean_writer_bin(&w, documents[i].data, documents[i].len);
    }
    struct spean_message m = {.type = SPEAN_MESSAGE_JOIN};
    m.as.join.handle = join->handle;
    m.as.join.documents.count = documents_count;
    spean_join_mac(m.as.join.mac.bytes, join, invite->secret);
    spean_err err = spean_writer_end(&w, &m.as.join.documents.bytes);
    struct spean_view frame = {0};
    if (err == SPEAN_OK) {
        err = spean_message_encode(&m, j->frame, JOINING_FRAME_BYTES_MAX, &frame);
    }
    j->frame_len = frame.len;
    free(list);
    return err == SPEAN_ELIMIT ? SPEAN_EINPUT : err;
}

/* What is known of the invitation, whatever joins by it. */
static void begin(struct joining *j, const struct spean_invite *invite,
                  const struct spean_id *statement)
{
    joining_fini(j);
    j->transport = invite->transport;
    j->statement = *statement;
    (void)snprintf(j->endpoint, sizeof(j->endpoint), "tcp://%s", invite->endpoint);
}

/* What was composed is in use now, unless err says that it could not be. */
static spean_err finish(struct joining *j, spean_err err)
{
    if (err != SPEAN_OK) {
        joining_fini(j);
        return err;
    }
    j->active = true;
    return SPEAN_OK;
}

spean_err joining_make(struct joining *j, const struct spean_invite *invite,
                       const struct spean_key *own_transport, const struct spean_id *statement,
                       const struct spean_view *documents, uint32_t documents_count)
{
    begin(j, invite, statement);
    const struct spean_join join = {.handle = invite->handle,
                                    .inviter = invite->transport,
                                    .newcomer = *own_transport,
                                    .statement = *statement};
    return finish(j, compose(j, &join, invite, documents, documents_count));
}

spean_err joining_make_node(struct joining *j, const struct spean_invite *invite,
                            const struct spean_statement_node *node)
{
    const struct spean_join join = {.handle = invite->handle,
                                    .inviter = invite->transport,
                                    .newcomer = node->transport,
                                    .statement = spean_join_node(&invite->org, node)};
    struct spean_message m = {.type = SPEAN_MESSAGE_NODE};
    m.as.node.handle = invite->handle;
    m.as.node.org = invite->org;
    m.as.node.signing = node->signing;
    m.as.node.sealing = node->sealing;
    m.as.node.acceptance = node->acceptance;
    begin(j, invite, &join.statement);
    spean_join_mac(m.as.node.mac.bytes, &join, invite->secret);
    j->frame = malloc(JOINING_NODE_BYTES_MAX);
    struct spean_view frame = {0};
    const spean_err err = j->frame == NULL
                              ? SPEAN_ENOMEM
                              : spean_message_encode(&m, j->frame, JOINING_NODE_BYTES_MAX, &frame);
    j->frame_len = frame.len;
    return finish(j, err);
}

spean_err joining_keep(const struct joining *j, struct spean_tx *tx, const struct spean_keys *keys)
{
    uint8_t *buf = malloc(ROW_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_writer w;
    struct spean_view row = {0};
    spean_writer_init(&w, buf, ROW_BYTES_MAX);
    spean_writer_array(&w, ROW_ELEMENTS);
    spean_writer_bin(&w, j->transport.bytes, sizeof(j->transport.bytes));
    spean_writer_str(&w, j->endpoint, strlen(j->endpoint));
    spean_writer_bin(&w, j->statement.bytes, sizeof(j->statement.bytes));
    spean_writer_bin(&w, j->frame, j->frame_len);
    spean_err err = spean_writer_end(&w, &row);
    if (err == SPEAN_OK) {
        err = spean_seal_put(tx, keys, SPEAN_TABLE_META, row_key(), row);
    }
    free(buf);
    return err;
}

static spean_err read_row(struct joining *j, struct spean_view row)
{
    struct spean_reader r;
    spean_reader_init(&r, row);
    (void)spean_reader_array(&r, ROW_ELEMENTS, ROW_ELEMENTS);
    spean_reader_bin_fixed(&r, j->transport.bytes, sizeof(j->transport.bytes));
    const struct spean_view endpoint = spean_reader_str(&r, 1, sizeof(j->endpoint) - 1);
    spean_reader_bin_fixed(&r, j->statement.bytes, sizeof(j->statement.bytes));
    const struct spean_view frame = spean_reader_bin(&r, 1, JOINING_FRAME_BYTES_MAX);
    if (spean_reader_end(&r) != SPEAN_OK) {
        return SPEAN_ECORRUPT;
    }
    memcpy(j->endpoint, endpoint.data, endpoint.len);
    j->frame = malloc(frame.len);
    if (j->frame == NULL) {
        return SPEAN_ENOMEM;
    }
    memcpy(j->frame, frame.data, frame.len);
    j->frame_len = frame.len;
    return SPEAN_OK;
}

spean_err joining_load(struct joining *j, struct spean_tx *tx, const struct spean_keys *keys)
{
    uint8_t *buf = malloc(ROW_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    size_t len = 0;
    joining_fini(j);
    spean_err err = spean_seal_get(tx, keys, SPEAN_TABLE_META, row_key(), buf, ROW_BYTES_MAX, &len);
    if (err == SPEAN_OK) {
        err = read_row(j, (struct spean_view){buf, len});
    }
    sodium_memzero(buf, len);
    free(buf);
    if (err != SPEAN_OK) {
        joining_fini(j);
        return err;
    }
    j->active = true;
    return SPEAN_OK;
}
