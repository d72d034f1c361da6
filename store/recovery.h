/*
 * store/recovery.h - the recovery key as 24 words that people write down and type back.
 *
 * The words are BIP-39's for 256 bits: the seed and 8 bits of its SHA-256, in 24 groups of 11, each
 * the number of a word of the English list. The first four letters of a word tell it from all
 * others. The seed is the Ed25519 seed itself; BIP-39's stretching is not applied.
 */
#ifndef SPEAN_STORE_RECOVERY_H
#define SPEAN_STORE_RECOVERY_H

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_RECOVERY_WORDS_COUNT     24u
#define SPEAN_RECOVERY_WORD_BYTES_MAX  8u
#define SPEAN_RECOVERY_TEXT_BYTES      216u  /* 24 words, single blanks, and a NUL. */
#define SPEAN_RECOVERY_INPUT_BYTES_MAX 4096u /* What people type; more is no list of words. */

/* Write the words for seed into text, lower case, separated by single blanks, with a NUL. */
void spean_recovery_words(const uint8_t seed[SPEAN_KEY_BYTES],
                          char text[SPEAN_RECOVERY_TEXT_BYTES]);

/*
 * Find the seed that text stands for. Upper and lower case are alike; any blanks, tabs and line
 * ends separate; a word may be cut off after four letters or later. SPEAN_EINPUT      word *word
 * (from 1) is not in the list: ask for that word again SPEAN_EFORMAT     there are not 24 words but
 * *word SPEAN_ESIGNATURE  each word is one, but the checksum is wrong: one is wrong, or two changed
 *                     places; *word is 0
 *   SPEAN_ELIMIT      text is longer than SPEAN_RECOVERY_INPUT_BYTES_MAX; *word is 0
 * After an error seed is unchanged. text, and the wrong words, are as secret as the seed.
 */
SPEAN_CHECK spean_err spean_recovery_seed(struct spean_view text, uint8_t seed[SPEAN_KEY_BYTES],
                                          unsigned *word);

#endif
