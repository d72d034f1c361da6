/* Grants: whoever is named finds the key in a box of its own (P8). */
#include <assert.h>
#include <string.h>

#include "protocol/partkey.h"
#include "store/author_internal.h"
#include "store/context.h"
#include "store/handed.h"
#include "store/logs.h"
#include "store/record.h"
#include "store/secret.h"

/* What a part grant hands out, to whom. */
struct handing {
    struct spean_part_name part;
    uint32_t generation;
    const uint8_t *key;
    struct spean_id proof;
    struct spean_id owner;
    const struct spean_id *audience; /* Ascending. */
    uint32_t audience_count;
    struct spean_grant_lists lists;
};

const struct spean_author_key *spean_author_granted(const struct spean_author_work *work,
                                                    const struct spean_part_name *part)
{
    const struct spean_author_secrets *secrets = work->secrets;
    for (uint32_t i = 0; i < secrets->granted_count; i++) {
        const struct spean_author_key *key = &secrets->granted[i];
        if (key->part.part == part->part &&
            spean_record_id_equal(&key->part.record, &part->record)) {
            return key;
        }
    }
    return NULL;
}

/* Draw a new key for a part, to be granted by this commit. */
static const struct spean_author_key *draw_key(struct spean_author_work *work,
                                               const struct spean_part_name *part)
{
    struct spean_author_secrets *secrets = work->secrets;
    assert(secrets->granted_count < SPEAN_DRAFT_ITEMS_MAX); /* One for each item at most. */
    struct spean_author_key *key = &secrets->granted[secrets->granted_count];
    secrets->granted_count++;
    key->part = *part;
    spean_author_draw(work->author, key->key, sizeof(key->key));
    const struct spean_keyed_part keyed = spean_part_keyed(part);
    spean_partkey_proof(&key->proof, key->key, &keyed);
    return key;
}

/* -- Boxes ----------------------------------------------------------------------------------- */

/* Our organisation's newest sealing secret. An older one may be a thief's: it seals nothing. */
static spean_err own_secret(const struct spean_author *author,
                            const struct spean_org_secret **secret, uint32_t *generation)
{
    struct spean_authority_org own;
    const spean_err err = spean_authority_org(author->authority, &author->log->org, &own);
    if (err != SPEAN_OK) {
        return err;
    }
    if (own.org == NULL) {
        return SPEAN_EWAIT;
    }
    const struct spean_key *key = spean_org_sealing_get(own.org, own.org->generation);
    *secret = key == NULL ? NULL : spean_keys_org_find(author->keys, key);
    *generation = own.org->generation;
    return *secret == NULL ? SPEAN_EWAIT : SPEAN_OK;
}

/* The sealing key in force of an organisation that may be handed a key. */
static spean_err find_sealing(const struct spean_authority *authority, const struct spean_id *id,
                              const struct spean_key **key)
{
    struct spean_authority_org org;
    const spean_err err = spean_authority_org(authority, id, &org);
    if (err != SPEAN_OK || !org.active) {
        return SPEAN_EDENIED;
    }
    *key = org.org == NULL ? NULL : spean_org_sealing_get(org.org, org.org->generation);
    return *key == NULL ? SPEAN_ENOTFOUND : SPEAN_OK;
}

static spean_err fill_receivers(struct spean_author_work *work, const struct handing *h,
                                const struct spean_org_secret *secret,
                                struct spean_grant_receiver *receivers)
{
    for (uint32_t i = 0; i < h->audience_count; i++) {
        const struct spean_key *theirs = NULL;
        spean_err err = find_sealing(work->author->authority, &h->audience[i], &theirs);
        if (err != SPEAN_OK) {
            work->problem.has_org = true;
            work->problem.org = h->audience[i];
        }
        uint8_t *pair = work->secrets->pairs[i];
        if (err == SPEAN_OK) {
            err = spean_grant_pair(pair, secret->secret, &secret->key, theirs);
        }
        if (err != SPEAN_OK) {
            return err;
        }
        receivers[i] = (struct spean_grant_receiver){h->audience[i], pair};
    }
    return SPEAN_OK;
}

static void fill_outer(struct spean_author_work *work, const uint8_t *key,
                       struct spean_grant_outer *outer)
{
    outer->place.log = work->author->log->id;
    outer->place.seq = spean_author_seq(work);
    outer->key = key;
    spean_author_draw(work->author, outer->nonce, sizeof(outer->nonce));
}

/* See that our log may have one grant more of a part, as many as this commit could make (P8.4). */
static spean_err check_room(const struct spean_author_work *work,
                            const struct spean_part_name *part)
{
    struct spean_logs_row row;
    uint32_t count = 0;
    uint64_t last_seq = 0;
    spean_err err = spean_logs_get(work->tx, &work->author->log->id, &row);
    if (err == SPEAN_OK) {
        err = spean_partkeys_grants(work->tx, part, row.number, &count, &last_seq);
    }
    if (err != SPEAN_OK) {
        return err == SPEAN_ENOTFOUND ? SPEAN_OK : err; /* Nothing is written in it yet. */
    }
    return count > SPEAN_PART_GRANTS_MAX - SPEAN_RUN_ENTRIES_MAX ? SPEAN_ELIMIT : SPEAN_OK;
}

static spean_err hand_out(struct spean_author_work *work, const struct handing *h, bool ends)
{
    const struct spean_org_secret *secret = NULL;
    uint32_t generation = 0;
    spean_err err = own_secret(work->author, &secret, &generation);
    if (err == SPEAN_OK) {
        err = check_room(work, &h->part);
    }
    struct spean_grant_receiver receivers[SPEAN_GRANT_BOXES_MAX];
    if (err == SPEAN_OK) {
        err = fill_receivers(work, h, secret, receivers);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_grant_outer outer = {
        .place.author = work->author->log->org,
        .author_generation = generation,
        .receivers = receivers,
        .receivers_count = h->audience_count,
    };
    fill_outer(work, h->key, &outer);
    struct spean_grant_terms terms = {
        .record = h->part.record,
        .part = h->part.part,
        .generation = h->generation,
        .owner = h->owner,
        .audience_count = h->audience_count,
    };
    (void)memcpy(terms.audience, h->audience, h->audience_count * sizeof(*h->audience));
    struct spean_view content;
    err = spean_grant_encode(&outer, &terms, &h->lists, work->content, SPEAN_BODY_BYTES_MAX,
                             &content);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_tag tag;
    spean_partkey_tag(&tag, &h->proof, &outer.place.log);
    return spean_author_public(work, SPEAN_ENTRY_GRANT, &tag, content, ends);
}

/* -- First keys ------------------------------------------------------------------------------ */

static spean_err hand_out_first(struct spean_author_work *work, const struct spean_part_name *part,
                                const struct spean_id *audience, uint32_t audience_count, bool ends)
{
    const struct spean_author_key *key = draw_key(work, part);
    const struct handing h = {
        .part = *part,
        .generation = 1,
        .key = key->key,
        .proof = key->proof,
        .owner = work->author->log->org,
        .audience = audience,
        .audience_count = audience_count,
    };
    return hand_out(work, &h, ends);
}

spean_err spean_author_put_own(struct spean_author_work *work, const struct spean_part_name *part)
{
    return hand_out_first(work, part, &work->author->log->org, 1, false);
}

/* A part that is held has a first key once. */
static spean_err put_first(struct spean_author_work *work, const struct spean_draft_item *item,
                           bool ends)
{
    const struct spean_part_name part = {item->record, item->part};
    const spean_err err =
        spean_partkeys_newest(work->tx, work->author->keys, &part, &work->secrets->held);
    if (err != SPEAN_ENOTFOUND) {
        return err == SPEAN_OK ? SPEAN_EEXISTS : err;
    }
    return hand_out_first(work, &part, item->audience, item->audience_count, ends);
}

/* -- Keys that are held ---------------------------------------------------------------------- */

/* A new generation goes to none who lacked the one before (P8.4), and says what was read of those
 * whom it leaves out (P8.5). */
static spean_err put_renewed(struct spean_author_work *work, const struct spean_draft_item *item,
                             bool ends)
{
    const struct spean_partkey *before = &work->secrets->held;
    if (!spean_partkeys_reaches(before, &work->author->log->org)) {
        return spean_author_deny(work, SPEAN_ASIDE_AUDIENCE);
    }
    for (uint32_t i = 0; i < item->audience_count; i++) {
        if (!spean_partkeys_reaches(before, &item->audience[i])) {
            work->problem.has_org = true;
            work->problem.org = item->audience[i];
            return spean_author_deny(work, SPEAN_ASIDE_LARGER);
        }
    }
    if (before->generation == SPEAN_PART_GENERATIONS_MAX) {
        return SPEAN_ELIMIT;
    }
    uint32_t rows_count = 0;
    const spean_err err = spean_context_part(work->tx, work->author->keys, work->author->authority,
                                             &work->author->log->id, &before->part, item->audience,
                                             item->audience_count, work->rows, &rows_count);
    if (err != SPEAN_OK) {
        return err;
    }
    const struct spean_author_key *key = draw_key(work, &before->part);
    const struct handing h = {
        .part = before->part,
        .generation = before->generation + 1,
        .lists = {.rows = work->rows, .rows_count = rows_count},
        .key = key->key,
        .proof = key->proof,
        .owner = before->owner,
        .audience = item->audience,
        .audience_count = item->audience_count,
    };
    return hand_out(work, &h, ends);
}

/* Whom a key is handed to: those named, and those who have the newest and can be reached. */
struct widened {
    uint32_t count;
    struct spean_id orgs[SPEAN_AUDIENCE_ORGS_MAX]; /* Ascending. */
};

static spean_err widen(const struct spean_author *author, const struct spean_draft_item *item,
                       const struct spean_partkey *newest, struct widened *out)
{
    out->count = item->audience_count;
    (void)memcpy(out->orgs, item->audience, item->audience_count * sizeof(*item->audience));
    for (uint32_t i = 0; i < newest->audience_count; i++) {
        const struct spean_id *org = &newest->audience[i];
        const struct spean_key *sealing = NULL;
        if (find_sealing(author->authority, org, &sealing) != SPEAN_OK) {
            continue; /* It has the key, or has no use for it any more. */
        }
        const spean_err err = spean_draft_add_org(out->orgs, &out->count, org);
        if (err != SPEAN_OK && err != SPEAN_EEXISTS) {
            return err;
        }
    }
    return SPEAN_OK;
}

/* Count the keys of a part, of all generations. */
static spean_err count_keys(struct spean_author_work *work, const struct spean_part_name *part,
                            uint32_t *count)
{
    struct spean_partkey *key = &work->secrets->held;
    spean_err err = spean_partkeys_next(work->tx, work->author->keys, part, 0, 0, key);
    for (*count = 0; err == SPEAN_OK; (*count)++) {
        err = spean_partkeys_next(work->tx, work->author->keys, part, key->generation,
                                  key->number + 1, key);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/*
 * Hand out every key of the part, the oldest first, each by a grant of its own: whoever is new
 * accepts a generation only when it has the one before (P8.4). Those who have the newest are named
 * and handed it again: otherwise they would not know of the new ones, and not accept a later
 * generation that goes to them.
 */
static spean_err put_more(struct spean_author_work *work, const struct spean_draft_item *item,
                          bool ends)
{
    struct spean_partkey *key = &work->secrets->held;
    const struct spean_part_name part = key->part;
    struct widened to;
    uint32_t count = 0;
    spean_err err = widen(work->author, item, key, &to);
    if (err == SPEAN_OK) {
        err = count_keys(work, &part, &count);
    }
    uint32_t generation = 0;
    uint32_t number = 0;
    for (uint32_t i = 0; i < count && err == SPEAN_OK; i++) {
        err = spean_partkeys_next(work->tx, work->author->keys, &part, generation, number, key);
        if (err != SPEAN_OK) {
            break;
        }
        const struct handing h = {
            .part = part,
            .generation = key->generation,
            .key = key->key,
            .proof = key->proof,
            .owner = key->owner,
            .audience = to.orgs,
            .audience_count = to.count,
        };
        err = hand_out(work, &h, ends && i == count - 1);
        generation = key->generation;
        number = key->number + 1;
    }
    return err;
}

/* -- Grants of a draft ----------------------------------------------------------------------- */

static spean_err put_to_held(struct spean_author_work *work, const struct spean_draft_item *item,
                             const struct spean_record_info *info, bool ends)
{
    if (item->type != info->type) {
        return SPEAN_EINPUT;
    }
    const bool is_owner = spean_id_equal(&info->owner, &work->author->log->org);
    if (!is_owner && item->how != SPEAN_GRANT_RENEW) {
        return spean_author_deny(work, SPEAN_ASIDE_OWNER);
    }
    const struct spean_part_name part = {item->record, item->part};
    bool erased = false;
    spean_err err = spean_author_erased(work, &part, &erased);
    if (err == SPEAN_OK && erased) {
        err = SPEAN_ESTATE; /* For ever: a new key would bring it back. */
    }
    if (err != SPEAN_OK) {
        return err;
    }
    if (item->how == SPEAN_GRANT_FIRST) {
        return put_first(work, item, ends);
    }
    err = spean_partkeys_newest(work->tx, work->author->keys, &part, &work->secrets->held);
    if (err != SPEAN_OK) {
        return err;
    }
    return item->how == SPEAN_GRANT_MORE ? put_more(work, item, ends)
                                         : put_renewed(work, item, ends);
}

spean_err spean_author_put_grant(struct spean_author_work *work,
                                 const struct spean_draft_item *item, bool ends)
{
    const struct spean_draft_item *creation = spean_draft_creation(work->draft, &item->record);
    if (creation != NULL) {
        if (item->type != creation->type) {
            return SPEAN_EINPUT;
        }
        if (item->how != SPEAN_GRANT_FIRST) {
            return SPEAN_ENOTFOUND;
        }
        const struct spean_part_name part = {item->record, item->part};
        return hand_out_first(work, &part, item->audience, item->audience_count, ends);
    }
    struct spean_record *record = NULL;
    spean_err err = spean_record_get(work->tx, work->author->keys, &item->record, &record);
    if (err == SPEAN_OK) {
        struct spean_record_info info;
        spean_record_get_info(record, &info);
        err = put_to_held(work, item, &info, ends);
    }
    spean_record_free(record);
    return err;
}

/* -- Org keys -------------------------------------------------------------------------------- */

/* Every other open node of the organisation gets a box, and so does this one. */
static spean_err fill_nodes(struct spean_author_work *work, struct spean_grant_receiver *receivers,
                            uint32_t *count)
{
    const struct spean_author *author = work->author;
    const uint32_t logs_count = spean_authority_logs_count(author->authority);
    *count = 0;
    for (uint32_t i = 0; i < logs_count; i++) {
        const struct spean_log *log = spean_authority_log_at(author->authority, i);
        if (log->status != SPEAN_LOG_OPEN || !spean_id_equal(&log->org, &author->log->org)) {
            continue;
        }
        if (*count == SPEAN_GRANT_BOXES_MAX) {
            return SPEAN_ELIMIT;
        }
        uint8_t *pair = work->secrets->pairs[*count];
        const spean_err err = spean_grant_node_pair(pair, spean_keys_sealing_secret(author->keys),
                                                    &author->log->sealing, &log->sealing);
        if (err != SPEAN_OK) {
            return err;
        }
        struct spean_grant_receiver *receiver = &receivers[*count];
        (void)memcpy(receiver->party.bytes, log->sealing.bytes, SPEAN_KEY_BYTES);
        receiver->pair_key = pair;
        (*count)++;
    }
    return *count > 1 ? SPEAN_OK : SPEAN_EEXISTS;
}

/* The secrets held whose public keys the statement in force names, one of each generation. */
static uint32_t collect_secrets(const struct spean_author *author, struct spean_grant_key *out)
{
    uint32_t count = 0;
    for (size_t i = 0; i < spean_keys_org_count(author->keys); i++) {
        const struct spean_org_secret *secret = spean_keys_org_at(author->keys, i);
        const struct spean_key *named =
            spean_authority_sealing(author->authority, &author->log->org, secret->generation);
        if (named == NULL || !spean_key_equal(named, &secret->key)) {
            continue;
        }
        assert(count < SPEAN_KEYS_ORG_MAX);
        out[count].generation = secret->generation;
        (void)memcpy(out[count].key, secret->secret, SPEAN_KEY_BYTES);
        count++;
    }
    return count;
}

/* Make the grant, and note in the same transaction whom the secrets up to generation go to. */
static spean_err put_secrets(struct spean_author_work *work, struct spean_grant_key *secrets,
                             uint32_t generation)
{
    struct spean_grant_receiver receivers[SPEAN_GRANT_BOXES_MAX];
    struct spean_grant_outer outer = {.receivers = receivers};
    (void)memcpy(outer.place.author.bytes, work->author->log->sealing.bytes, SPEAN_KEY_BYTES);
    spean_err err = fill_nodes(work, receivers, &outer.receivers_count);
    for (uint32_t i = 0; err == SPEAN_OK && i < outer.receivers_count; i++) {
        struct spean_key sealing;
        (void)memcpy(sealing.bytes, receivers[i].party.bytes, sizeof(sealing.bytes));
        err = spean_handed_put(work->tx, &sealing, generation);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    uint8_t *wrapping = work->secrets->wrapping;
    spean_author_draw(work->author, wrapping, SPEAN_KEY_BYTES);
    fill_outer(work, wrapping, &outer);
    const uint32_t count = collect_secrets(work->author, secrets);
    struct spean_view content;
    err = spean_grant_encode_secrets(&outer, secrets, count, work->content, SPEAN_BODY_BYTES_MAX,
                                     &content);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_id proof;
    struct spean_tag tag;
    spean_partkey_proof(&proof, wrapping, NULL);
    spean_partkey_tag(&tag, &proof, &outer.place.log);
    return spean_author_public(work, SPEAN_ENTRY_ORGKEY, &tag, content, true);
}

spean_err spean_author_orgkey(const struct spean_author *author, struct spean_author_done *done)
{
    struct spean_author_work *work = NULL;
    void *secrets = NULL;
    uint32_t generation = 0;
    spean_err err = spean_author_begin(&work, author);
    if (err == SPEAN_OK) {
        const struct spean_org_secret *newest = NULL;
        err = own_secret(author, &newest, &generation); /* Only whoever holds it hands it on. */
    }
    if (err == SPEAN_OK) {
        err = spean_secret_alloc(SPEAN_KEYS_ORG_MAX * sizeof(struct spean_grant_key), &secrets);
    }
    if (err == SPEAN_OK) {
        err = put_secrets(work, secrets, generation);
    }
    if (err == SPEAN_OK) {
        err = spean_author_finish(work, false, done);
    }
    spean_secret_free(secrets);
    spean_author_end(work);
    return err;
}
