/* store/recovery_words.h - the English word list of BIP-39, unchanged, in its order. */
#ifndef SPEAN_STORE_RECOVERY_WORDS_H
#define SPEAN_STORE_RECOVERY_WORDS_H

#define SPEAN_RECOVERY_LIST_COUNT 2048u

extern const char *const spean_recovery_list[SPEAN_RECOVERY_LIST_COUNT];

#endif
