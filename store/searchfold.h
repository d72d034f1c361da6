/*
 * store/searchfold.h - spellings that look or sound alike in Khmer and kana, for looking only.
 *
 * In Khmer the parts of a syllable may be typed in several orders, the vowels oe and oo in one
 * piece or two, and two letters below the line are drawn the same; people see no difference and
 * cannot know which was typed. Japanese names are read in hiragana or in katakana, as the form has
 * it.
 */
#ifndef SPEAN_STORE_SEARCHFOLD_H
#define SPEAN_STORE_SEARCHFOLD_H

#include <stddef.h>
#include <stdint.h>

#define SPEAN_SEARCHFOLD_PARTS_MAX 16u /* Of one syllable; one with more stays as it is. */

/* Bring count code points, in place, into one spelling; return how many they are then. */
size_t spean_searchfold(int32_t *points, size_t count);

#endif
