#include "store/lobby.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/counter.h"
#include "store/seal.h"

#define INVITE_ELEMENTS    4u
#define INVITE_BYTES_MAX   96u
#define INVITE_SEALED_MAX  (INVITE_BYTES_MAX + SPEAN_SEAL_EXTRA_BYTES)
#define NEWCOMER_ELEMENTS  8u
#define NEWCOMER_BYTES_MAX (SPEAN_FRAME_BYTES_MAX + 256u)
#define STANDING_MAX       4u

struct spean_lobby_read {
    struct spean_lobby_newcomer newcomer;
    struct spean_view documents[SPEAN_LOBBY_DOCUMENTS_MAX];
    size_t plain_len;
    uint8_t plain[];
};

static struct spean_db_key invite_key(uint32_t number)
{
    struct spean_db_key key = {0};
    spean_db_key_put_u32(&key, number);
    return key;
}

/* Say in *full whether a table has max rows or more. */
static spean_err is_full(struct spean_tx *tx, enum spean_table table, uint32_t max, bool *full)
{
    uint64_t count = 0;
    const spean_err err = spean_tx_count(tx, table, (struct spean_view){0}, max, &count);
    *full = count >= max;
    return err;
}

/* -- Invitations ----------------------------------------------------------------------------- */

static spean_err invite_put(struct spean_tx *tx, const struct spean_keys *keys,
                            const struct spean_lobby_invite *invite)
{
    uint8_t buf[INVITE_BYTES_MAX];
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, INVITE_ELEMENTS);
    spean_writer_bin(&w, invite->secret, sizeof(invite->secret));
    spean_writer_uint(&w, invite->expires_s);
    spean_writer_bool(&w, invite->node);
    if (invite->used) {
        spean_writer_bin(&w, invite->newcomer.bytes, sizeof(invite->newcomer.bytes));
    } else {
        spean_writer_nil(&w);
    }
    struct spean_view plain;
    spean_err err = spean_writer_end(&w, &plain);
    assert(err == SPEAN_OK);
    const struct spean_db_key key = invite_key(invite->number);
    err = spean_seal_put(tx, keys, SPEAN_TABLE_INVITES, spean_db_key_view(&key), plain);
    sodium_memzero(buf, sizeof(buf));
    return err;
}

static spean_err invite_decode(uint32_t number, struct spean_view plain,
                               struct spean_lobby_invite *out)
{
    struct spean_lobby_invite invite = {.number = number};
    struct spean_reader r;
    spean_reader_init(&r, plain);
    (void)spean_reader_array(&r, INVITE_ELEMENTS, INVITE_ELEMENTS);
    spean_reader_bin_fixed(&r, invite.secret, sizeof(invite.secret));
    invite.expires_s = spean_reader_uint(&r, UINT64_MAX);
    invite.node = spean_reader_bool(&r);
    invite.used = !spean_reader_nil(&r);
    if (invite.used) {
        spean_reader_bin_fixed(&r, invite.newcomer.bytes, sizeof(invite.newcomer.bytes));
    }
    const spean_err err = spean_reader_end(&r);
    if (err == SPEAN_OK) {
        *out = invite;
    }
    sodium_memzero(&invite, sizeof(invite));
    return err == SPEAN_OK ? SPEAN_OK : SPEAN_ECORRUPT;
}

static spean_err invite_open(const struct spean_keys *keys, struct spean_view key,
                             struct spean_view sealed, struct spean_lobby_invite *out)
{
    uint32_t number;
    if (key.len != sizeof(number) || spean_db_key_u32_at(key, 0, &number) != SPEAN_OK ||
        sealed.len > INVITE_SEALED_MAX) {
        return SPEAN_ECORRUPT;
    }
    uint8_t plain[INVITE_SEALED_MAX];
    size_t len;
    spean_err err =
        spean_seal_open(keys, SPEAN_TABLE_INVITES, key, sealed, plain, sizeof(plain), &len);
    if (err == SPEAN_OK) {
        err = invite_decode(number, (struct spean_view){plain, len}, out);
    }
    sodium_memzero(plain, sizeof(plain));
    return err;
}

spean_err spean_lobby_add_invite(struct spean_tx *tx, const struct spean_keys *keys,
                                 const uint8_t secret[SPEAN_INVITE_SECRET_BYTES],
                                 uint64_t expires_s, bool node, uint32_t *number)
{
    assert(secret != NULL);
    assert(number != NULL);

    if (spean_keys_locked(keys)) {
        return SPEAN_ELOCKED;
    }
    bool full;
    spean_err err = is_full(tx, SPEAN_TABLE_INVITES, SPEAN_LOBBY_INVITES_MAX, &full);
    if (err != SPEAN_OK) {
        return err;
    }
    if (full) {
        return SPEAN_ELIMIT;
    }
    struct spean_lobby_invite invite = {.expires_s = expires_s, .node = node};
    (void)memcpy(invite.secret, secret, sizeof(invite.secret));
    err = spean_counter_next(tx, "invites", UINT32_MAX, &invite.number);
    if (err == SPEAN_OK) {
        err = invite_put(tx, keys, &invite);
    }
    if (err == SPEAN_OK) {
        *number = invite.number;
    }
    sodium_memzero(&invite, sizeof(invite));
    return err;
}

spean_err spean_lobby_next_invite(struct spean_tx *tx, const struct spean_keys *keys, uint32_t from,
                                  struct spean_lobby_invite *out)
{
    assert(out != NULL);

    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_INVITES, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_db_key at = invite_key(from);
    struct spean_view key;
    struct spean_view sealed;
    err = spean_cursor_seek(&cursor, spean_db_key_view(&at), &key, &sealed);
    spean_cursor_fini(&cursor);
    return err == SPEAN_OK ? invite_open(keys, key, sealed, out) : err;
}

spean_err spean_lobby_use_invite(struct spean_tx *tx, const struct spean_keys *keys,
                                 uint32_t number, const struct spean_key *newcomer)
{
    assert(newcomer != NULL);

    const struct spean_db_key key = invite_key(number);
    struct spean_view sealed;
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_INVITES, spean_db_key_view(&key), &sealed);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_lobby_invite invite;
    err = invite_open(keys, spean_db_key_view(&key), sealed, &invite);
    if (err != SPEAN_OK) {
        return err;
    }
    if (!invite.used) {
        invite.used = true;
        invite.newcomer = *newcomer;
        err = invite_put(tx, keys, &invite);
    } else if (!spean_key_equal(&invite.newcomer, newcomer)) {
        err = SPEAN_EEXISTS;
    }
    sodium_memzero(&invite, sizeof(invite));
    return err;
}

spean_err spean_lobby_del_invite(struct spean_tx *tx, uint32_t number)
{
    const struct spean_db_key key = invite_key(number);
    return spean_tx_del(tx, SPEAN_TABLE_INVITES, spean_db_key_view(&key));
}

/* -- Newcomers ------------------------------------------------------------------------------- */

static struct spean_view newcomer_key(const struct spean_key *transport)
{
    return (struct spean_view){transport->bytes, sizeof(transport->bytes)};
}

static void newcomer_write(struct spean_writer *w, const struct spean_lobby_newcomer *newcomer)
{
    spean_writer_array(w, NEWCOMER_ELEMENTS);
    spean_writer_bool(w, newcomer->node);
    spean_writer_bin(w, newcomer->org.bytes, sizeof(newcomer->org.bytes));
    spean_writer_uint(w, newcomer->invite);
    spean_writer_bin(w, newcomer->fresh, sizeof(newcomer->fresh));
    spean_writer_str(w, newcomer->digits, strnlen(newcomer->digits, SPEAN_JOIN_DIGITS_LEN));
    spean_writer_uint(w, newcomer->since_s);
    spean_writer_uint(w, newcomer->standing);
    spean_writer_array(w, newcomer->documents_count);
    for (uint32_t i = 0; i < newcomer->documents_count; i++) {
        spean_writer_bin(w, newcomer->documents[i].data, newcomer->documents[i].len);
    }
}

/* Read what newcomer_write() wrote; documents are views into the bytes. */
static spean_err newcomer_read(struct spean_lobby_read *read)
{
    struct spean_lobby_newcomer *newcomer = &read->newcomer;
    struct spean_reader r;
    spean_reader_init(&r, (struct spean_view){read->plain, read->plain_len});
    (void)spean_reader_array(&r, NEWCOMER_ELEMENTS, NEWCOMER_ELEMENTS);
    newcomer->node = spean_reader_bool(&r);
    spean_reader_bin_fixed(&r, newcomer->org.bytes, sizeof(newcomer->org.bytes));
    newcomer->invite = (uint32_t)spean_reader_uint(&r, UINT32_MAX);
    spean_reader_bin_fixed(&r, newcomer->fresh, sizeof(newcomer->fresh));
    const struct spean_view digits = spean_reader_str(&r, 0, SPEAN_JOIN_DIGITS_LEN);
    if (digits.len > 0) {
        (void)memcpy(newcomer->digits, digits.data, digits.len);
    }
    newcomer->since_s = spean_reader_uint(&r, UINT64_MAX);
    newcomer->standing = (uint32_t)spean_reader_uint(&r, STANDING_MAX);
    newcomer->documents_count = spean_reader_array(&r, 0, SPEAN_LOBBY_DOCUMENTS_MAX);
    for (uint32_t i = 0; i < newcomer->documents_count && !spean_reader_failed(&r); i++) {
        read->documents[i] = spean_reader_bin(&r, 1, SPEAN_FRAME_BYTES_MAX);
    }
    newcomer->documents = read->documents;
    return spean_reader_end(&r) == SPEAN_OK ? SPEAN_OK : SPEAN_ECORRUPT;
}

static spean_err newcomer_admit(struct spean_tx *tx, const struct spean_key *transport)
{
    struct spean_view value;
    spean_err err = spean_tx_get(tx, SPEAN_TABLE_NEWCOMERS, newcomer_key(transport), &value);
    if (err != SPEAN_ENOTFOUND) {
        return err;
    }
    bool full;
    err = is_full(tx, SPEAN_TABLE_NEWCOMERS, SPEAN_LOBBY_NEWCOMERS_MAX, &full);
    return err == SPEAN_OK && full ? SPEAN_ELIMIT : err;
}

spean_err spean_lobby_put_newcomer(struct spean_tx *tx, const struct spean_keys *keys,
                                   const struct spean_lobby_newcomer *newcomer)
{
    assert(newcomer != NULL);
    assert(newcomer->standing <= STANDING_MAX);

    if (spean_keys_locked(keys)) {
        return SPEAN_ELOCKED;
    }
    if (newcomer->documents_count > SPEAN_LOBBY_DOCUMENTS_MAX) {
        return SPEAN_ELIMIT;
    }
    spean_err err = newcomer_admit(tx, &newcomer->transport);
    if (err != SPEAN_OK) {
        return err;
    }
    uint8_t *buf = malloc(NEWCOMER_BYTES_MAX);
    if (buf == NULL) {
        return SPEAN_ENOMEM;
    }
    struct spean_writer w;
    spean_writer_init(&w, buf, NEWCOMER_BYTES_MAX);
    newcomer_write(&w, newcomer);
    struct spean_view plain;
    err = spean_writer_end(&w, &plain);
    if (err == SPEAN_OK) {
        err = spean_seal_put(tx, keys, SPEAN_TABLE_NEWCOMERS, newcomer_key(&newcomer->transport),
                             plain);
    }
    free(buf);
    return err;
}

void spean_lobby_read_free(struct spean_lobby_read *read)
{
    free(read);
}

const struct spean_lobby_newcomer *spean_lobby_read_newcomer(const struct spean_lobby_read *read)
{
    assert(read != NULL);
    return &read->newcomer;
}

static spean_err newcomer_open(const struct spean_keys *keys, struct spean_view key,
                               struct spean_view sealed, struct spean_lobby_read **out)
{
    if (key.len != SPEAN_KEY_BYTES || sealed.len > NEWCOMER_BYTES_MAX + SPEAN_SEAL_EXTRA_BYTES) {
        return SPEAN_ECORRUPT;
    }
    struct spean_lobby_read *read = calloc(1, sizeof(*read) + sealed.len);
    if (read == NULL) {
        return SPEAN_ENOMEM;
    }
    (void)memcpy(read->newcomer.transport.bytes, key.data, SPEAN_KEY_BYTES);
    spean_err err = spean_seal_open(keys, SPEAN_TABLE_NEWCOMERS, key, sealed, read->plain,
                                    sealed.len, &read->plain_len);
    if (err == SPEAN_OK) {
        err = newcomer_read(read);
    }
    if (err != SPEAN_OK) {
        spean_lobby_read_free(read);
        return err;
    }
    *out = read;
    return SPEAN_OK;
}

spean_err spean_lobby_get_newcomer(struct spean_tx *tx, const struct spean_keys *keys,
                                   const struct spean_key *transport, struct spean_lobby_read **out)
{
    assert(transport != NULL);
    assert(out != NULL);

    const struct spean_view key = newcomer_key(transport);
    struct spean_view sealed;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_NEWCOMERS, key, &sealed);
    return err == SPEAN_OK ? newcomer_open(keys, key, sealed, out) : err;
}

spean_err spean_lobby_next_newcomer(struct spean_tx *tx, const struct spean_keys *keys,
                                    const struct spean_key *after, struct spean_lobby_read **out)
{
    assert(out != NULL);

    struct spean_cursor cursor;
    spean_err err = spean_cursor_init(&cursor, tx, SPEAN_TABLE_NEWCOMERS, (struct spean_view){0});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_view key;
    struct spean_view sealed;
    if (after == NULL) {
        err = spean_cursor_first(&cursor, &key, &sealed);
    } else {
        err = spean_cursor_seek(&cursor, newcomer_key(after), &key, &sealed);
        if (err == SPEAN_OK && key.len == SPEAN_KEY_BYTES &&
            memcmp(key.data, after->bytes, SPEAN_KEY_BYTES) == 0) {
            err = spean_cursor_next(&cursor, &key, &sealed);
        }
    }
    spean_cursor_fini(&cursor);
    return err == SPEAN_OK ? newcomer_open(keys, key, sealed, out) : err;
}

spean_err spean_lobby_each_newcomer(struct spean_tx *tx, const struct spean_keys *keys,
                                    spean_err (*visit)(void *, const struct spean_lobby_newcomer *),
                                    void *ctx)
{
    assert(visit != NULL);

    struct spean_lobby_read *read = NULL;
    struct spean_key after;
    const struct spean_key *from = NULL;
    spean_err err = SPEAN_OK;
    while ((err = spean_lobby_next_newcomer(tx, keys, from, &read)) == SPEAN_OK) {
        const struct spean_lobby_newcomer *newcomer = spean_lobby_read_newcomer(read);
        after = newcomer->transport;
        from = &after;
        err = visit(ctx, newcomer);
        spean_lobby_read_free(read);
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

spean_err spean_lobby_del_newcomer(struct spean_tx *tx, const struct spean_key *transport)
{
    assert(transport != NULL);
    return spean_tx_del(tx, SPEAN_TABLE_NEWCOMERS, newcomer_key(transport));
}
