#include "protocol/cut.h"

#include <assert.h>
#include <string.h>

void spean_cut_read(struct spean_reader *r, struct spean_cut *cut)
{
    assert(cut != NULL);

    memset(cut, 0, sizeof(*cut));
    cut->closed = true;
    cut->seq = spean_reader_uint(r, UINT64_MAX);
    const bool nil = spean_reader_nil(r);
    if (!nil) {
        spean_reader_bin_fixed(r, cut->entry.bytes, sizeof(cut->entry.bytes));
    }
    if (nil != (cut->seq == 0)) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

void spean_cut_write(struct spean_writer *w, const struct spean_cut *cut)
{
    assert(cut != NULL);

    spean_writer_uint(w, cut->seq);
    if (cut->seq == 0) {
        spean_writer_nil(w);
    } else {
        spean_writer_bin(w, cut->entry.bytes, sizeof(cut->entry.bytes));
    }
}

bool spean_cut_may_follow(const struct spean_cut *cut, const struct spean_cut *before)
{
    assert(cut != NULL);
    assert(before != NULL);

    return !before->closed || cut->seq < before->seq;
}

void spean_cut_join(struct spean_cut *cut, const struct spean_cut *other)
{
    assert(cut != NULL);
    assert(other != NULL);

    if (!other->closed) {
        return;
    }
    if (spean_cut_may_follow(other, cut)) {
        *cut = *other;
        return;
    }
    if (cut->seq == other->seq) {
        cut->torn = cut->torn || !spean_id_equal(&cut->entry, &other->entry);
    }
}

void spean_cut_settle(struct spean_cut *cut)
{
    assert(cut != NULL);

    if (cut->torn) {
        *cut = (struct spean_cut){.closed = true};
    }
}
