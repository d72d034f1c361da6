#include "tests/support/foldkit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/domains.h"
#include "protocol/hash.h"

#define RECORD_TYPE 2u
#define PART_NUMBER 1u

static const struct spean_record_id record = {{0x11}};

struct foldkit *foldkit_new(void)
{
    struct foldkit *const k = calloc(1, sizeof(*k));
    assert(k != NULL);
    return k;
}

void foldkit_free(struct foldkit *k)
{
    free(k);
}

static struct spean_id id_of(uint64_t log, uint64_t seq)
{
    uint8_t place[16];
    struct spean_id id;
    spean_u64_put(place, log);
    spean_u64_put(place + 8, seq);
    spean_hash(id.bytes, sizeof(id.bytes), SPEAN_DOMAIN_TEST, place, sizeof(place));
    return id;
}

struct foldkit_entry *foldkit_add(struct foldkit *k, uint64_t log, uint64_t seq, uint64_t time)
{
    assert(k->count < FOLDKIT_ENTRIES_MAX);

    struct foldkit_entry *const e = &k->entries[k->count];
    k->count++;
    e->log = log;
    e->seq = seq;
    e->time = time;
    e->id = id_of(log, seq);
    return e;
}

struct foldkit_entry *foldkit_write(struct foldkit *k, uint64_t log, uint64_t seq, uint64_t kind,
                                    uint64_t verb, uint8_t value)
{
    struct foldkit_entry *const e = foldkit_add(k, log, seq, seq);
    e->ops_count = 1;
    e->ops[0] = (struct foldkit_op){.field = 16, .kind = kind, .verb = verb, .value = value};
    return e;
}

void foldkit_saw(struct foldkit_entry *e, uint64_t log, uint64_t seq)
{
    assert(e->rows_count < FOLDKIT_LOGS_MAX);

    e->rows[e->rows_count] = (struct foldkit_row){log, seq, false};
    e->rows_count++;
}

static struct spean_context_row row_of(const struct foldkit_row *row)
{
    const struct spean_id id = id_of(row->log, row->seq);
    const uint64_t entry = spean_short_of(&id);
    return (struct spean_context_row){row->log, row->seq, row->lies ? ~entry : entry};
}

static void seal(struct foldkit_entry *e)
{
    uint8_t values[FOLDKIT_OPS_MAX][SPEAN_DOT_BYTES_MAX];
    struct spean_operation ops[FOLDKIT_OPS_MAX];
    struct spean_context_row rows[FOLDKIT_LOGS_MAX];
    for (uint32_t i = 0; i < e->ops_count; i++) {
        const struct foldkit_op *const op = &e->ops[i];
        const bool strike = op->kind == SPEAN_KIND_LIST && op->verb == SPEAN_VERB_STRIKE;
        assert(op->value < 128);
        values[i][0] = op->value;
        ops[i] = (struct spean_operation){
            .field = op->field, .kind = op->kind, .verb = op->verb, .value = {values[i], 1}};
        if (strike) {
            ops[i].value = spean_dot_encode(&op->struck, values[i]);
        }
    }
    for (uint32_t i = 0; i < e->rows_count; i++) {
        rows[i] = row_of(&e->rows[i]);
    }
    const uint8_t fixed[] = {0x81, 0x01, e->fixed};
    const struct spean_change change = {
        .type = RECORD_TYPE,
        .record = record,
        .part = PART_NUMBER,
        .schema_version = 1,
        .actor = {(const uint8_t *)"k", 1},
        .creates = e->creates,
        .fixed = {fixed, sizeof(fixed)},
    };
    struct spean_view content = {NULL, 0};
    spean_err err = spean_change_encode(&change, ops, e->ops_count, rows, e->rows_count, e->content,
                                        sizeof(e->content), &content);
    assert(err == SPEAN_OK);
    err = spean_change_decode(content, &e->change);
    assert(err == SPEAN_OK);
}

void foldkit_seal(struct foldkit *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        seal(&k->entries[i]);
    }
}

struct spean_part *foldkit_part(void)
{
    struct spean_part *part = NULL;
    const spean_err err = spean_part_new(&part, RECORD_TYPE, &record, PART_NUMBER);
    assert(err == SPEAN_OK);
    return part;
}

static bool row_counts(void *ctx, const struct spean_context_row *row)
{
    const struct foldkit *const k = ctx;
    for (uint32_t i = 0; i < k->count; i++) {
        const struct foldkit_entry *const e = &k->entries[i];
        if (k->arrived[i] && e->log == row->log && e->seq == row->seq) {
            return spean_short_of(&e->id) == row->entry;
        }
    }
    return false;
}

static void apply(struct foldkit *k, struct spean_part *part, uint32_t index)
{
    const struct foldkit_entry *const e = &k->entries[index];
    const struct spean_fold_input input = {.change = &e->change,
                                           .log = e->log,
                                           .seq = e->seq,
                                           .entry = e->id,
                                           .time = e->time,
                                           .org = {{(uint8_t)e->log}}};
    const spean_err err = spean_part_apply(part, &input, row_counts, k, &k->missing[index]);
    assert(err == SPEAN_OK);
}

void foldkit_arrive(struct foldkit *k, struct spean_part *part, uint32_t index)
{
    k->arrived[index] = true;
    apply(k, part, index);
    for (uint32_t i = 0; i < k->count; i++) {
        if (k->arrived[i] && k->missing[i]) {
            apply(k, part, i);
        }
    }
}

struct spean_part *foldkit_fold(struct foldkit *k, const uint32_t *order)
{
    memset(k->arrived, 0, sizeof(k->arrived));
    memset(k->missing, 0, sizeof(k->missing));
    struct spean_part *const part = foldkit_part();
    for (uint32_t i = 0; i < k->count; i++) {
        foldkit_arrive(k, part, order != NULL ? order[i] : i);
    }
    return part;
}

struct spean_view foldkit_state(const struct spean_part *part, uint8_t *buf)
{
    struct spean_view state = {NULL, 0};
    assert(spean_part_encoded_max(part) <= FOLDKIT_STATE_BYTES);
    const spean_err err = spean_part_encode(part, buf, spean_part_encoded_max(part), &state);
    assert(err == SPEAN_OK);
    return state;
}

void foldkit_reload(struct spean_part **part)
{
    uint8_t *const buf = malloc(FOLDKIT_STATE_BYTES);
    assert(buf != NULL);
    struct spean_part *back = NULL;
    const spean_err err = spean_part_decode(foldkit_state(*part, buf), &back);
    assert(err == SPEAN_OK);
    spean_part_free(*part);
    *part = back;
    free(buf);
}

uint8_t foldkit_number(struct spean_view value)
{
    assert(value.len == 1);
    return value.data[0];
}
