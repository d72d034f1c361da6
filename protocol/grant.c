#include "protocol/grant.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/hash.h"
#include "protocol/pair.h"
#include "protocol/partkey.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

#define GRANT_ELEMENTS   5u
#define BOX_ELEMENTS     2u
#define TERMS_ELEMENTS   7u
#define SECRETS_ELEMENTS 3u
#define KEY_ELEMENTS     2u

#define GENERATIONS_MAX SPEAN_PART_GENERATIONS_MAX
static_assert(SPEAN_PART_GENERATIONS_MAX == SPEAN_ORG_GENERATIONS_MAX,
              "keys of parts and of organisations are read alike");

#define INDEX_BOX    0u /* u32 in the additional data: what of a grant is sealed. */
#define INDEX_SEALED 1u
#define INDEX_BYTES  4u
#define AD_BYTES     (SPEAN_ID_BYTES + 8u + INDEX_BYTES + SPEAN_GRANT_HINT_BYTES)

#define HEAD_BYTES_MAX   80u /* Array, commitment, nonce, generation, head of the sealed bin. */
#define BIN_HEAD_BYTES   3u
#define SEALED_BYTES_MAX 0xffffu

spean_err spean_grant_pair(uint8_t out[SPEAN_KEY_BYTES], const uint8_t secret[SPEAN_KEY_BYTES],
                           const struct spean_key *ours, const struct spean_key *theirs)
{
    return spean_pair_key(out, SPEAN_DOMAIN_GRANT_PAIR, secret, ours, theirs);
}

spean_err spean_grant_node_pair(uint8_t out[SPEAN_KEY_BYTES], const uint8_t secret[SPEAN_KEY_BYTES],
                                const struct spean_key *ours, const struct spean_key *theirs)
{
    return spean_pair_key(out, SPEAN_DOMAIN_ORGKEY_PAIR, secret, ours, theirs);
}

/* What a seal within a grant is bound to: the place, which seal it is, and a box to its hint. */
static struct spean_view bound_to(uint8_t buf[AD_BYTES], const struct spean_grant_place *place,
                                  uint8_t index, const uint8_t *hint)
{
    memcpy(buf, place->log.bytes, sizeof(place->log.bytes));
    spean_u64_put(buf + sizeof(place->log.bytes), place->seq);
    uint8_t *const at = buf + sizeof(place->log.bytes) + 8;
    memset(at, 0, INDEX_BYTES);
    at[INDEX_BYTES - 1] = index;
    if (hint == NULL) {
        return (struct spean_view){buf, AD_BYTES - SPEAN_GRANT_HINT_BYTES};
    }
    memcpy(at + INDEX_BYTES, hint, SPEAN_GRANT_HINT_BYTES);
    return (struct spean_view){buf, AD_BYTES};
}

/* Compute the hint of a box: only author and receiver can (P8.2). */
static void hint_of(uint8_t out[SPEAN_GRANT_HINT_BYTES], const uint8_t *pair_key,
                    const struct spean_id *author, const struct spean_id *receiver,
                    const struct spean_id *commitment, const uint8_t *nonce)
{
    uint8_t full[SPEAN_HASH_BYTES_MIN]; /* H8 is a cut H16. */
    struct spean_hash h;
    spean_hash_begin(&h, SPEAN_DOMAIN_HINT, sizeof(full));
    spean_hash_update(&h, pair_key, SPEAN_KEY_BYTES);
    spean_hash_update(&h, author->bytes, sizeof(author->bytes));
    spean_hash_update(&h, receiver->bytes, sizeof(receiver->bytes));
    spean_hash_update(&h, commitment->bytes, sizeof(commitment->bytes));
    spean_hash_update(&h, nonce, SPEAN_AEAD_NONCE_BYTES);
    spean_hash_end(&h, full, sizeof(full));
    memcpy(out, full, SPEAN_GRANT_HINT_BYTES);
}

static int hints_compare(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, SPEAN_GRANT_HINT_BYTES);
}

/* Make the box of each receiver, sorted by hint. */
static spean_err make_boxes(const struct spean_grant_outer *outer,
                            const struct spean_id *commitment, struct spean_grant_box *boxes)
{
    for (uint32_t i = 0; i < outer->receivers_count; i++) {
        const struct spean_grant_receiver *const to = &outer->receivers[i];
        struct spean_grant_box made;
        hint_of(made.hint, to->pair_key, &outer->place.author, &to->party, commitment,
                outer->nonce);
        uint8_t ad[AD_BYTES];
        const spean_err err =
            spean_aead_seal(made.box, sizeof(made.box), to->pair_key, outer->nonce,
                            bound_to(ad, &outer->place, INDEX_BOX, made.hint),
                            (struct spean_view){outer->key, SPEAN_KEY_BYTES});
        assert(err == SPEAN_OK); /* A box is as long as a key and a tag. */

        uint32_t at = i;
        while (at > 0 && hints_compare(made.hint, boxes[at - 1].hint) < 0) {
            boxes[at] = boxes[at - 1];
            at--;
        }
        boxes[at] = made;
        if (at > 0 && hints_compare(made.hint, boxes[at - 1].hint) == 0) {
            return SPEAN_EINPUT;
        }
    }
    return SPEAN_OK;
}

/* Write what comes before the sealed section; return its length, which HEAD_BYTES_MAX bounds. */
static size_t write_head(uint8_t buf[HEAD_BYTES_MAX], const struct spean_grant_outer *outer,
                         const struct spean_id *commitment, size_t sealed_len)
{
    assert(sealed_len <= SEALED_BYTES_MAX);

    const uint8_t bin8[] = {0xc4, (uint8_t)sealed_len};
    const uint8_t bin16[BIN_HEAD_BYTES] = {0xc5, (uint8_t)(sealed_len >> 8), (uint8_t)sealed_len};
    struct spean_writer w;
    struct spean_view head = {NULL, 0};
    spean_writer_init(&w, buf, HEAD_BYTES_MAX);
    spean_writer_array(&w, GRANT_ELEMENTS);
    spean_writer_bin(&w, commitment->bytes, sizeof(commitment->bytes));
    spean_writer_bin(&w, outer->nonce, sizeof(outer->nonce));
    spean_writer_uint(&w, outer->author_generation);
    spean_writer_raw(&w, sealed_len <= UINT8_MAX ? (struct spean_view){bin8, sizeof(bin8)}
                                                 : (struct spean_view){bin16, sizeof(bin16)});
    const spean_err err = spean_writer_end(&w, &head);
    assert(err == SPEAN_OK); /* 1 + 34 + 26 + 9 + 3 bytes at most. */
    return head.len;
}

static spean_err write_boxes(const struct spean_grant_box *boxes, uint32_t count, uint8_t *buf,
                             size_t cap, size_t *len)
{
    struct spean_writer w;
    struct spean_view written = {NULL, 0};
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_array(&w, BOX_ELEMENTS);
        spean_writer_bin(&w, boxes[i].hint, sizeof(boxes[i].hint));
        spean_writer_bin(&w, boxes[i].box, sizeof(boxes[i].box));
    }
    const spean_err err = spean_writer_end(&w, &written);
    *len = written.len;
    return err;
}

/* Complete a grant of part, NULL for secrets, whose plaintext of plain_len bytes lies at buf +
 * HEAD_BYTES_MAX. */
static spean_err finish(const struct spean_grant_outer *outer, const struct spean_keyed_part *part,
                        size_t plain_len, uint8_t *buf, size_t cap, struct spean_view *out)
{
    struct spean_id proof;
    struct spean_id commitment;
    spean_partkey_proof(&proof, outer->key, part);
    spean_partkey_commitment(&commitment, &proof, &outer->place.log);

    uint8_t ad[AD_BYTES];
    uint8_t *const plain = buf + HEAD_BYTES_MAX;
    spean_err err = spean_aead_seal(plain, cap - HEAD_BYTES_MAX, outer->key, outer->nonce,
                                    bound_to(ad, &outer->place, INDEX_SEALED, NULL),
                                    (struct spean_view){plain, plain_len});
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_grant_box boxes[SPEAN_GRANT_BOXES_MAX];
    err = make_boxes(outer, &commitment, boxes);
    if (err != SPEAN_OK) {
        return err;
    }

    uint8_t head[HEAD_BYTES_MAX];
    const size_t sealed_len = plain_len + SPEAN_AEAD_TAG_BYTES;
    const size_t head_len = write_head(head, outer, &commitment, sealed_len);
    memcpy(buf, head, head_len);
    memmove(buf + head_len, plain, sealed_len);
    size_t boxes_len = 0;
    const size_t used = head_len + sealed_len;
    err = write_boxes(boxes, outer->receivers_count, buf + used, cap - used, &boxes_len);
    if (err == SPEAN_OK) {
        *out = (struct spean_view){buf, used + boxes_len};
    }
    return err;
}

static void write_keys(struct spean_writer *w, const struct spean_grant_key *keys, uint32_t count)
{
    spean_writer_array(w, count);
    for (uint32_t i = 0; i < count; i++) {
        spean_writer_array(w, KEY_ELEMENTS);
        spean_writer_uint(w, keys[i].generation);
        spean_writer_bin(w, keys[i].key, sizeof(keys[i].key));
    }
}

/* Say whether keys strictly ascend from generation 1 to at most last. */
static bool keys_ascend(const struct spean_grant_key *keys, uint32_t count, uint64_t last)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (keys[i].generation <= before) {
            return false;
        }
        before = keys[i].generation;
    }
    return before <= last;
}

static bool ids_ascend(const struct spean_id *ids, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (spean_id_compare(&ids[i - 1], &ids[i]) >= 0) {
            return false;
        }
    }
    return true;
}

static bool outer_fits(const struct spean_grant_outer *outer)
{
    return outer->receivers_count >= 1 && outer->receivers_count <= SPEAN_GRANT_BOXES_MAX;
}

static bool terms_fit(const struct spean_grant_terms *terms, const struct spean_grant_lists *lists)
{
    if (terms->generation < 1 || terms->generation > SPEAN_PART_GENERATIONS_MAX) {
        return false;
    }
    if (terms->audience_count < 1 || terms->audience_count > SPEAN_AUDIENCE_ORGS_MAX) {
        return false;
    }
    if (terms->generation == 1 && lists->rows_count > 0) {
        return false;
    }
    return ids_ascend(terms->audience, terms->audience_count) &&
           keys_ascend(lists->older, lists->older_count, terms->generation - 1) &&
           spean_context_fits(lists->rows, lists->rows_count);
}

/* Seal what w wrote, or wipe it. */
static spean_err finish_or_wipe(const struct spean_grant_outer *outer,
                                const struct spean_keyed_part *part, const struct spean_writer *w,
                                uint8_t *buf, size_t cap, struct spean_view *out)
{
    struct spean_view plain = {NULL, 0};
    spean_err err = spean_writer_end(w, &plain);
    if (err == SPEAN_OK) {
        err = finish(outer, part, plain.len, buf, cap, out);
    }
    if (err != SPEAN_OK) {
        sodium_memzero(buf, cap);
    }
    return err;
}

spean_err spean_grant_encode(const struct spean_grant_outer *outer,
                             const struct spean_grant_terms *terms,
                             const struct spean_grant_lists *lists, uint8_t *buf, size_t cap,
                             struct spean_view *out)
{
    assert(outer != NULL);
    assert(terms != NULL);
    assert(lists != NULL);
    assert(buf != NULL);
    assert(out != NULL);

    if (!outer_fits(outer) || outer->author_generation == 0 ||
        outer->author_generation > SPEAN_ORG_GENERATIONS_MAX || !terms_fit(terms, lists)) {
        return SPEAN_EINPUT;
    }
    if (cap < HEAD_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_writer w;
    spean_writer_init(&w, buf + HEAD_BYTES_MAX, cap - HEAD_BYTES_MAX);
    spean_writer_array(&w, TERMS_ELEMENTS);
    spean_writer_bin(&w, terms->record.bytes, sizeof(terms->record.bytes));
    spean_writer_uint(&w, terms->part);
    spean_writer_uint(&w, terms->generation);
    spean_writer_bin(&w, terms->owner.bytes, sizeof(terms->owner.bytes));
    spean_writer_array(&w, terms->audience_count);
    for (uint32_t i = 0; i < terms->audience_count; i++) {
        spean_writer_bin(&w, terms->audience[i].bytes, sizeof(terms->audience[i].bytes));
    }
    write_keys(&w, lists->older, lists->older_count);
    spean_context_write(&w, lists->rows, lists->rows_count);
    const struct spean_keyed_part part = {terms->record, terms->part};
    return finish_or_wipe(outer, &part, &w, buf, cap, out);
}

spean_err spean_grant_encode_secrets(const struct spean_grant_outer *outer,
                                     const struct spean_grant_key *secrets, uint32_t secrets_count,
                                     uint8_t *buf, size_t cap, struct spean_view *out)
{
    assert(outer != NULL);
    assert(secrets != NULL);
    assert(buf != NULL);
    assert(out != NULL);

    if (!outer_fits(outer) || outer->author_generation != 0 || secrets_count == 0 ||
        secrets_count > SPEAN_PART_GENERATIONS_MAX ||
        !keys_ascend(secrets, secrets_count, SPEAN_ORG_GENERATIONS_MAX)) {
        return SPEAN_EINPUT;
    }
    if (cap < HEAD_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    struct spean_writer w;
    spean_writer_init(&w, buf + HEAD_BYTES_MAX, cap - HEAD_BYTES_MAX);
    spean_writer_array(&w, SECRETS_ELEMENTS);
    spean_writer_uint(&w, 0);
    spean_writer_uint(&w, secrets[secrets_count - 1].generation);
    write_keys(&w, secrets, secrets_count);
    return finish_or_wipe(outer, NULL, &w, buf, cap, out);
}

static void read_boxes(struct spean_reader *r, struct spean_grant *g)
{
    g->boxes_count = spean_reader_array(r, 1, SPEAN_GRANT_BOXES_MAX);
    for (uint32_t i = 0; i < g->boxes_count && !spean_reader_failed(r); i++) {
        struct spean_grant_box *const box = &g->boxes[i];
        (void)spean_reader_array(r, BOX_ELEMENTS, BOX_ELEMENTS);
        spean_reader_bin_fixed(r, box->hint, sizeof(box->hint));
        spean_reader_bin_fixed(r, box->box, sizeof(box->box));
        if (i > 0 && hints_compare(box->hint, g->boxes[i - 1].hint) <= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
    }
}

spean_err spean_grant_decode(struct spean_view content, struct spean_grant *out)
{
    assert(out != NULL);

    struct spean_grant g = {0};
    struct spean_reader r;
    spean_reader_init(&r, content);
    (void)spean_reader_array(&r, GRANT_ELEMENTS, GRANT_ELEMENTS);
    spean_reader_bin_fixed(&r, g.commitment.bytes, sizeof(g.commitment.bytes));
    spean_reader_bin_fixed(&r, g.nonce, sizeof(g.nonce));
    g.author_generation = spean_reader_uint(&r, SPEAN_ORG_GENERATIONS_MAX);
    g.sealed = spean_reader_bin(&r, SPEAN_AEAD_TAG_BYTES, SPEAN_BODY_BYTES_MAX);
    read_boxes(&r, &g);
    const spean_err err = spean_reader_end(&r);
    if (err == SPEAN_OK) {
        *out = g;
    }
    return err;
}

/* Return the box with this hint, or NULL. */
static const struct spean_grant_box *find_box(const struct spean_grant *grant, const uint8_t *hint)
{
    for (uint32_t i = 0; i < grant->boxes_count; i++) {
        if (hints_compare(grant->boxes[i].hint, hint) == 0) {
            return &grant->boxes[i];
        }
    }
    return NULL;
}

spean_err spean_grant_open(const struct spean_grant *grant, const struct spean_grant_place *place,
                           const struct spean_id *party,
                           const uint8_t (*pair_keys)[SPEAN_KEY_BYTES], size_t pair_keys_count,
                           uint8_t key[SPEAN_KEY_BYTES])
{
    assert(grant != NULL);
    assert(place != NULL);
    assert(party != NULL);
    assert(pair_keys != NULL || pair_keys_count == 0);
    assert(key != NULL);

    for (size_t i = 0; i < pair_keys_count; i++) {
        uint8_t hint[SPEAN_GRANT_HINT_BYTES];
        hint_of(hint, pair_keys[i], &place->author, party, &grant->commitment, grant->nonce);
        const struct spean_grant_box *const box = find_box(grant, hint);
        if (box == NULL) {
            continue;
        }
        uint8_t found[SPEAN_KEY_BYTES];
        uint8_t ad[AD_BYTES];
        const spean_err err = spean_aead_open(found, sizeof(found), pair_keys[i], grant->nonce,
                                              bound_to(ad, place, INDEX_BOX, hint),
                                              (struct spean_view){box->box, sizeof(box->box)});
        if (err == SPEAN_OK) {
            memcpy(key, found, sizeof(found));
        }
        sodium_memzero(found, sizeof(found));
        return err;
    }
    return SPEAN_ENOTFOUND;
}

/* What comes out is the author's only once the caller has compared the commitment. */
static spean_err open_sealed(const struct spean_grant *grant, const struct spean_grant_place *place,
                             const uint8_t key[SPEAN_KEY_BYTES], uint8_t *buf, size_t cap,
                             struct spean_view *plain)
{
    uint8_t ad[AD_BYTES];
    const spean_err err = spean_aead_open(buf, cap, key, grant->nonce,
                                          bound_to(ad, place, INDEX_SEALED, NULL), grant->sealed);
    if (err == SPEAN_OK) {
        *plain = (struct spean_view){buf, grant->sealed.len - SPEAN_AEAD_TAG_BYTES};
    }
    return err;
}

static uint64_t read_key(struct spean_reader *r, uint8_t key[SPEAN_KEY_BYTES])
{
    (void)spean_reader_array(r, KEY_ELEMENTS, KEY_ELEMENTS);
    const uint64_t generation = spean_reader_uint(r, GENERATIONS_MAX);
    spean_reader_bin_fixed(r, key, SPEAN_KEY_BYTES);
    return generation;
}

/* Read keys that ascend from generation 1; return the highest generation, 0 for none. */
static uint64_t read_keys(struct spean_reader *r, uint32_t *count, struct spean_view *keys)
{
    *count = spean_reader_array(r, 0, SPEAN_PART_GENERATIONS_MAX);
    const uint8_t *const start = r->pos;
    uint64_t last = 0;
    uint8_t key[SPEAN_KEY_BYTES];
    for (uint32_t i = 0; i < *count && !spean_reader_failed(r); i++) {
        const uint64_t generation = read_key(r, key);
        if (generation <= last) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        last = generation;
    }
    sodium_memzero(key, sizeof(key));
    *keys = (struct spean_view){start, (size_t)(r->pos - start)};
    return last;
}

spean_err spean_grant_open_terms(const struct spean_grant *grant,
                                 const struct spean_grant_place *place,
                                 const uint8_t key[SPEAN_KEY_BYTES], uint8_t *buf, size_t cap,
                                 struct spean_grant_terms *terms)
{
    assert(grant != NULL);
    assert(place != NULL);
    assert(buf != NULL);
    assert(terms != NULL);

    struct spean_view plain;
    spean_err err = open_sealed(grant, place, key, buf, cap, &plain);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_grant_terms t = {0};
    struct spean_reader r;
    spean_reader_init(&r, plain);
    (void)spean_reader_array(&r, TERMS_ELEMENTS, TERMS_ELEMENTS);
    spean_reader_bin_fixed(&r, t.record.bytes, sizeof(t.record.bytes));
    t.part = spean_reader_uint(&r, UINT64_MAX);
    t.generation = spean_reader_uint(&r, SPEAN_PART_GENERATIONS_MAX);
    spean_reader_bin_fixed(&r, t.owner.bytes, sizeof(t.owner.bytes));
    t.audience_count = spean_reader_array(&r, 1, SPEAN_AUDIENCE_ORGS_MAX);
    for (uint32_t i = 0; i < t.audience_count && !spean_reader_failed(&r); i++) {
        spean_reader_bin_fixed(&r, t.audience[i].bytes, sizeof(t.audience[i].bytes));
    }
    const uint64_t last = read_keys(&r, &t.older_count, &t.older);
    t.rows = spean_context_read(&r, &t.rows_count);
    const bool first_with_rows = t.generation == 1 && t.rows_count > 0;
    if (t.generation <= last || first_with_rows || !ids_ascend(t.audience, t.audience_count)) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    err = spean_reader_end(&r);
    const struct spean_keyed_part part = {t.record, t.part};
    if (err == SPEAN_OK && !spean_partkey_commits(key, &part, &place->log, &grant->commitment)) {
        err = SPEAN_ESIGNATURE;
    }
    if (err == SPEAN_OK) {
        *terms = t;
    }
    return err;
}

spean_err spean_grant_open_secrets(const struct spean_grant *grant,
                                   const struct spean_grant_place *place,
                                   const uint8_t key[SPEAN_KEY_BYTES], uint8_t *buf, size_t cap,
                                   struct spean_grant_secrets *secrets)
{
    assert(grant != NULL);
    assert(place != NULL);
    assert(buf != NULL);
    assert(secrets != NULL);

    struct spean_view plain;
    spean_err err = open_sealed(grant, place, key, buf, cap, &plain);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_grant_secrets s = {0};
    struct spean_reader r;
    spean_reader_init(&r, plain);
    (void)spean_reader_array(&r, SECRETS_ELEMENTS, SECRETS_ELEMENTS);
    const uint64_t form = spean_reader_uint(&r, UINT64_MAX);
    s.generation = spean_reader_uint(&r, SPEAN_ORG_GENERATIONS_MAX);
    const uint64_t last = read_keys(&r, &s.secrets_count, &s.secrets);
    if (form != 0 || last == 0 || last != s.generation) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    err = spean_reader_end(&r);
    if (err == SPEAN_OK && !spean_partkey_commits(key, NULL, &place->log, &grant->commitment)) {
        err = SPEAN_ESIGNATURE;
    }
    if (err == SPEAN_OK) {
        *secrets = s;
    }
    return err;
}

bool spean_grant_key_next(struct spean_view *left, struct spean_grant_key *out)
{
    assert(left != NULL);
    assert(out != NULL);

    if (left->len == 0) {
        return false;
    }
    struct spean_reader r;
    spean_reader_init(&r, *left);
    out->generation = read_key(&r, out->key);
    assert(!spean_reader_failed(&r)); /* Opening has read it. */
    *left = (struct spean_view){r.pos, (size_t)(r.end - r.pos)};
    return true;
}

static bool in_audience(const struct spean_grant_facts *facts, const struct spean_id *org)
{
    for (uint32_t i = 0; i < facts->audience_count; i++) {
        if (spean_id_equal(&facts->audience[i], org)) {
            return true;
        }
    }
    return false;
}

/* Say whether org is in the audience of an accepted grant of that generation. */
static bool was_granted(const struct spean_grant_facts *accepted, uint32_t count,
                        const struct spean_grant_facts *grant, uint64_t generation,
                        const struct spean_id *org)
{
    for (uint32_t i = 0; i < count; i++) {
        if (accepted[i].generation == generation &&
            spean_id_equal(&accepted[i].owner, &grant->owner) && in_audience(&accepted[i], org)) {
            return true;
        }
    }
    return false;
}

/* Say whether the key of the grant was accepted under the same generation. */
static bool is_known_key(const struct spean_grant_facts *accepted, uint32_t count,
                         const struct spean_grant_facts *grant)
{
    for (uint32_t i = 0; i < count; i++) {
        if (accepted[i].generation == grant->generation &&
            spean_id_equal(&accepted[i].owner, &grant->owner) &&
            spean_id_equal(&accepted[i].proof, &grant->proof)) {
            return true;
        }
    }
    return false;
}

static bool has_generation(const struct spean_grant_facts *accepted, uint32_t count,
                           const struct spean_grant_facts *grant, uint64_t generation)
{
    for (uint32_t i = 0; i < count; i++) {
        if (accepted[i].generation == generation &&
            spean_id_equal(&accepted[i].owner, &grant->owner)) {
            return true;
        }
    }
    return false;
}

enum spean_aside spean_grant_judge(const struct spean_grant_facts *accepted,
                                   uint32_t accepted_count, const struct spean_grant_facts *grant,
                                   const struct spean_id *record_owner)
{
    assert(accepted != NULL || accepted_count == 0);
    assert(grant != NULL);
    assert(grant->generation > 0);

    const bool by_owner = spean_id_equal(&grant->author, &grant->owner);
    if (record_owner != NULL && !spean_id_equal(&grant->owner, record_owner)) {
        return SPEAN_ASIDE_OWNER;
    }
    if (grant->generation == 1) {
        return by_owner ? SPEAN_ASIDE_NOT : SPEAN_ASIDE_OWNER; /* (a), and (c) of generation 1. */
    }
    if (by_owner && is_known_key(accepted, accepted_count, grant)) {
        return SPEAN_ASIDE_NOT; /* (c) */
    }

    if (!in_audience(grant, &grant->owner)) {
        return SPEAN_ASIDE_OWNER; /* Nobody shuts an owner out of its record. */
    }
    const uint64_t before = grant->generation - 1;
    if (!has_generation(accepted, accepted_count, grant, before)) {
        return SPEAN_ASIDE_GENERATION;
    }
    if (!was_granted(accepted, accepted_count, grant, before, &grant->author)) {
        return SPEAN_ASIDE_AUDIENCE;
    }
    for (uint32_t i = 0; i < grant->audience_count; i++) {
        if (!was_granted(accepted, accepted_count, grant, before, &grant->audience[i])) {
            return SPEAN_ASIDE_LARGER;
        }
    }
    return SPEAN_ASIDE_NOT; /* (b) */
}

/* What the grants of each generation, which are numbered from 1, say to a change. */
struct standing {
    bool granted[SPEAN_PART_GENERATIONS_MAX + 1]; /* There is an accepted one. */
    bool in[SPEAN_PART_GENERATIONS_MAX + 1];      /* To the change's organisation. */
    bool covers[SPEAN_PART_GENERATIONS_MAX + 1];
    bool missing[SPEAN_PART_GENERATIONS_MAX + 1]; /* It would, if its row counted. */
};

/* Note whether the context of a grant covers a change. Before its own place, its log is implied. */
static void note_cover(struct standing *s, const struct spean_grant_facts *grant,
                       const struct spean_grant_change *change, spean_row_counts *row_counts,
                       void *ctx)
{
    if (grant->log == change->log) {
        s->covers[grant->generation] |= change->seq < grant->seq;
        return;
    }
    struct spean_view left = grant->rows;
    struct spean_context_row row;
    while (spean_context_row_next(&left, &row)) {
        if (row.log == change->log && row.seq >= change->seq) {
            const bool counts = row_counts(ctx, &row);
            s->covers[grant->generation] |= counts;
            s->missing[grant->generation] |= !counts;
        }
    }
}

bool spean_grant_left_out(const struct spean_grant_facts *accepted, uint32_t accepted_count,
                          const struct spean_id *record_owner,
                          const struct spean_grant_change *change, spean_row_counts *row_counts,
                          void *ctx, bool *rows_missing)
{
    assert(accepted != NULL || accepted_count == 0);
    assert(record_owner != NULL);
    assert(change != NULL);
    assert(row_counts != NULL);
    assert(rows_missing != NULL);

    struct standing s = {0};
    uint64_t back = 0; /* The last generation up to the change's own that its organisation had. */
    for (uint32_t i = 0; i < accepted_count; i++) {
        const struct spean_grant_facts *const grant = &accepted[i];
        assert(grant->generation <= SPEAN_PART_GENERATIONS_MAX); /* Opening has bounded it. */
        if (!spean_id_equal(&grant->owner, record_owner)) {
            continue;
        }
        s.granted[grant->generation] = true;
        note_cover(&s, grant, change, row_counts, ctx);
        if (in_audience(grant, &change->org)) {
            s.in[grant->generation] = true;
            const bool later = grant->generation > back;
            back = later && grant->generation <= change->generation ? grant->generation : back;
        }
    }
    *rows_missing = false;
    bool left_out = false;
    for (uint64_t g = back + 1; g <= SPEAN_PART_GENERATIONS_MAX; g++) {
        if (s.in[g - 1] && s.granted[g] && !s.in[g] && !s.covers[g]) {
            left_out = true;
            *rows_missing |= s.missing[g];
        }
    }
    return left_out;
}
