/* tools/display.h - text on a terminal: how wide it is, and data that must not command it. */
#ifndef SPEAN_TOOLS_DISPLAY_H
#define SPEAN_TOOLS_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Count the cells that text takes, character cluster by cluster: a cluster that begins wide (kanji,
 * kana, emoji) takes 2; otherwise its code points add up, where spacing marks (Khmer vowels) take
 * the one cell that terminals give them and other marks none. Bytes that are not UTF-8 take 1.
 */
size_t spean_display_width(const char *text);

/* How many bytes of text stand in a line of so many cells, broken at a space; all of the first word
 * where that alone is longer. */
size_t spean_display_fit(const char *text, size_t cells);

/*
 * Say whether a code point could make a terminal do something, or show a line as what it is not:
 * C0 and C1 controls, line and paragraph separators, bidirectional overrides and isolates, tags.
 * Zero-width space and joiners are allowed: Khmer is written with them.
 */
bool spean_display_unsafe(int32_t codepoint);

/* Give the bytes of the first character of text, which has len > 0; *harmless is false where it is
 * unsafe, or where these are not UTF-8. */
size_t spean_display_next(const char *text, size_t len, bool *harmless);

/*
 * Copy text with each unsafe code point and each byte that is not UTF-8 replaced by U+FFFD. A line
 * break becomes U+21B5, a sign for one, so that data never starts a line of its own; tabs become
 * spaces. NULL: no memory. The caller frees it.
 */
char *spean_display_clean(const char *text);

/*
 * Copy JSON text with the unsafe code points written as \u escapes: the value is the same, the
 * terminal stays whole. Line breaks between members stay. NULL: no memory. The caller frees it.
 */
char *spean_display_escape_json(const char *json);

#endif
