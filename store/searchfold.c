#include "store/searchfold.h"

#include <assert.h>
#include <stdbool.h>

#define HIRAGANA_FIRST   0x3041
#define HIRAGANA_LAST    0x3096
#define HIRAGANA_ITERATE 0x309d /* And its voiced form behind it. */
#define KATAKANA_FROM    0x60   /* Behind the hiragana of the same sound. */

#define KHMER_FIRST       0x1780
#define KHMER_LETTER_LAST 0x17b3
#define KHMER_MARK_FIRST  0x17b6
#define KHMER_MARK_LAST   0x17dd
#define KHMER_COENG       0x17d2 /* The letter behind it goes below the line. */
#define KHMER_DA          0x178a
#define KHMER_TA          0x178f
#define KHMER_RO          0x179a
#define KHMER_AA          0x17b6
#define KHMER_II          0x17b8
#define KHMER_OE          0x17be
#define KHMER_E           0x17c1
#define KHMER_AI          0x17c3
#define KHMER_OO          0x17c4
#define KHMER_AU          0x17c5
#define KHMER_SHIFT_FIRST 0x17c9
#define KHMER_SHIFT_LAST  0x17ca
#define KHMER_ROBAT       0x17cc

/* A mark of a syllable, or a letter below the line. */
struct part {
    int32_t point;
    bool is_below;
};

static bool is_letter(int32_t point)
{
    return point >= KHMER_FIRST && point <= KHMER_LETTER_LAST;
}

/* Where a part stands among those of its syllable, as The Unicode Standard has them. */
static unsigned rank_of(const struct part *part)
{
    const int32_t point = part->point;
    if (part->is_below) {
        return point == KHMER_RO ? 2 : 1; /* That one goes around the others. */
    }
    if (point == KHMER_ROBAT) {
        return 0;
    }
    if (point >= KHMER_SHIFT_FIRST && point <= KHMER_SHIFT_LAST) {
        return 3;
    }
    if (point >= KHMER_E && point <= KHMER_AI) {
        return 4; /* Drawn to the left. */
    }
    return point >= KHMER_AA && point <= KHMER_AU ? 5 : 6;
}

/* Read the parts behind a letter. Returns how many there are; *used is how many points they take.
 * More than fit: 0 parts. */
static size_t parts_read(const int32_t *points, size_t count,
                         struct part parts[SPEAN_SEARCHFOLD_PARTS_MAX], size_t *used)
{
    size_t parts_count = 0;
    size_t at = 0;
    while (at < count && points[at] >= KHMER_MARK_FIRST && points[at] <= KHMER_MARK_LAST) {
        const bool is_below =
            points[at] == KHMER_COENG && at + 1 < count && is_letter(points[at + 1]);
        at += is_below ? 1 : 0;
        if (parts_count == SPEAN_SEARCHFOLD_PARTS_MAX) {
            *used = 0;
            return 0;
        }
        const int32_t point = is_below && points[at] == KHMER_DA ? KHMER_TA : points[at];
        parts[parts_count++] = (struct part){point, is_below};
        at++;
    }
    *used = at;
    return parts_count;
}

/* Sort few parts, those of one rank as they came. */
static void parts_sort(struct part *parts, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct part part = parts[i];
        size_t at = i;
        for (; at > 0 && rank_of(&parts[at - 1]) > rank_of(&part); at--) {
            parts[at] = parts[at - 1];
        }
        parts[at] = part;
    }
}

/* The vowel that two pieces are; 0: they are two. */
static int32_t vowel_of(const struct part *left, const struct part *right)
{
    const bool is_pair = !left->is_below && !right->is_below && left->point == KHMER_E;
    return is_pair && right->point == KHMER_AA   ? KHMER_OO
           : is_pair && right->point == KHMER_II ? KHMER_OE
                                                 : 0;
}

/* Write parts, of which there were at least as many points. Returns how many points they are. */
static size_t parts_write(const struct part *parts, size_t count, int32_t *out)
{
    size_t written = 0;
    for (size_t i = 0; i < count; i++) {
        const int32_t vowel = i + 1 < count ? vowel_of(&parts[i], &parts[i + 1]) : 0;
        if (parts[i].is_below) {
            out[written++] = KHMER_COENG;
        }
        out[written++] = vowel != 0 ? vowel : parts[i].point;
        i += vowel != 0 ? 1 : 0;
    }
    return written;
}

static int32_t kana_of(int32_t point)
{
    const bool is_hiragana = (point >= HIRAGANA_FIRST && point <= HIRAGANA_LAST) ||
                             (point >= HIRAGANA_ITERATE && point <= HIRAGANA_ITERATE + 1);
    return is_hiragana ? point + KATAKANA_FROM : point;
}

size_t spean_searchfold(int32_t *points, size_t count)
{
    assert(points != NULL || count == 0);
    size_t written = 0;
    size_t at = 0;
    while (at < count) {
        struct part parts[SPEAN_SEARCHFOLD_PARTS_MAX];
        const int32_t point = points[at++];
        size_t used = 0;
        points[written++] = kana_of(point);
        if (is_letter(point)) {
            const size_t parts_count = parts_read(points + at, count - at, parts, &used);
            parts_sort(parts, parts_count);
            written += parts_write(parts, parts_count, points + written);
            at += used;
        }
    }
    return written;
}
