#include "store/recovery.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "store/recovery_words.h"

#define WORD_BITS   11u
#define PREFIX_MIN  4u
#define CODED_BYTES (SPEAN_KEY_BYTES + 1) /* The seed and one byte of checksum. */

_Static_assert(CODED_BYTES * 8 == SPEAN_RECOVERY_WORDS_COUNT * WORD_BITS, "no bit is left over");
_Static_assert(SPEAN_RECOVERY_LIST_COUNT == 1u << WORD_BITS, "each group names a word");

static uint8_t checksum(const uint8_t seed[SPEAN_KEY_BYTES])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(hash, seed, SPEAN_KEY_BYTES); /* Never fails. */
    const uint8_t first = hash[0];
    sodium_memzero(hash, sizeof(hash));
    return first;
}

static unsigned group_get(const uint8_t coded[CODED_BYTES], size_t group)
{
    unsigned value = 0;
    for (size_t bit = group * WORD_BITS; bit < (group + 1) * WORD_BITS; bit++) {
        value = value << 1 | ((unsigned)coded[bit / 8] >> (7 - bit % 8) & 1u);
    }
    return value;
}

/* The bits of the group are 0 before. */
static void group_set(uint8_t coded[CODED_BYTES], size_t group, unsigned value)
{
    for (size_t i = 0; i < WORD_BITS; i++) {
        const size_t bit = group * WORD_BITS + i;
        const unsigned one = value >> (WORD_BITS - 1 - i) & 1u;
        coded[bit / 8] = (uint8_t)(coded[bit / 8] | one << (7 - bit % 8));
    }
}

void spean_recovery_words(const uint8_t seed[SPEAN_KEY_BYTES], char text[SPEAN_RECOVERY_TEXT_BYTES])
{
    assert(seed != NULL);
    assert(text != NULL);

    uint8_t coded[CODED_BYTES];
    (void)memcpy(coded, seed, SPEAN_KEY_BYTES);
    coded[SPEAN_KEY_BYTES] = checksum(seed);
    size_t pos = 0;
    for (size_t i = 0; i < SPEAN_RECOVERY_WORDS_COUNT; i++) {
        const char *word = spean_recovery_list[group_get(coded, i)];
        const size_t len = strlen(word);
        assert(len < SPEAN_RECOVERY_TEXT_BYTES - pos);
        (void)memcpy(text + pos, word, len);
        pos += len;
        text[pos++] = ' ';
    }
    text[pos - 1] = '\0';
    sodium_memzero(coded, sizeof(coded));
}

/* Whether word, in small letters, stands for that word of the list. */
static bool stands_for(const char *listed, const char *word, size_t len)
{
    return strncmp(listed, word, len) == 0 && (listed[len] == '\0' || len >= PREFIX_MIN);
}

/* The number of a word of the list; SPEAN_RECOVERY_LIST_COUNT when it is none. */
static unsigned word_find(const char *word, size_t len)
{
    unsigned i = 0;
    while (i < SPEAN_RECOVERY_LIST_COUNT && !stands_for(spean_recovery_list[i], word, len)) {
        i++;
    }
    return i;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static unsigned words_count(struct spean_view text)
{
    unsigned count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += !is_blank(text.data[i]) && (i == 0 || is_blank(text.data[i - 1]));
    }
    return count;
}

/* Copy the next word behind *pos in small letters. Returns its length, 0 when it cannot be one. */
static size_t word_next(struct spean_view text, size_t *pos,
                        char word[SPEAN_RECOVERY_WORD_BYTES_MAX])
{
    while (*pos < text.len && is_blank(text.data[*pos])) {
        (*pos)++;
    }
    size_t len = 0;
    for (; *pos < text.len && !is_blank(text.data[*pos]); (*pos)++) {
        const uint8_t c = text.data[*pos];
        const bool upper = c >= 'A' && c <= 'Z';
        if (len == SPEAN_RECOVERY_WORD_BYTES_MAX || (!upper && (c < 'a' || c > 'z'))) {
            return 0;
        }
        word[len++] = (char)(upper ? c - 'A' + 'a' : c);
    }
    return len;
}

/* Read the words into coded, which is zero. Returns the number of the first wrong one, or 0. */
static unsigned words_read(struct spean_view text, uint8_t coded[CODED_BYTES])
{
    char word[SPEAN_RECOVERY_WORD_BYTES_MAX];
    unsigned wrong = 0;
    size_t pos = 0;
    for (unsigned i = 0; i < SPEAN_RECOVERY_WORDS_COUNT && wrong == 0; i++) {
        const size_t len = word_next(text, &pos, word);
        const unsigned number =
            len > 0 ? word_find(word, len) : (unsigned)SPEAN_RECOVERY_LIST_COUNT;
        if (number == SPEAN_RECOVERY_LIST_COUNT) {
            wrong = i + 1;
        } else {
            group_set(coded, i, number);
        }
    }
    sodium_memzero(word, sizeof(word));
    return wrong;
}

spean_err spean_recovery_seed(struct spean_view text, uint8_t seed[SPEAN_KEY_BYTES], unsigned *word)
{
    assert(seed != NULL);
    assert(word != NULL);

    *word = 0;
    if (text.len > SPEAN_RECOVERY_INPUT_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }
    const unsigned count = words_count(text);
    if (count != SPEAN_RECOVERY_WORDS_COUNT) {
        *word = count;
        return SPEAN_EFORMAT;
    }
    uint8_t coded[CODED_BYTES] = {0};
    spean_err err = SPEAN_OK;
    *word = words_read(text, coded);
    if (*word != 0) {
        err = SPEAN_EINPUT;
    } else if (checksum(coded) != coded[SPEAN_KEY_BYTES]) {
        err = SPEAN_ESIGNATURE;
    } else {
        (void)memcpy(seed, coded, SPEAN_KEY_BYTES);
    }
    sodium_memzero(coded, sizeof(coded));
    return err;
}
