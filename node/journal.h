/*
 * node/journal.h - one line on stderr per thing that happened:
 *
 *     2026-11-22T09:12:05Z warning event=peer_drop peer=3fa2 err=bad_signature
 *
 * Never give it names, case text, payloads, whole keys or secrets. A line leaves by one write(2),
 * so threads may share a struct spean_journal.
 */
#ifndef SPEAN_NODE_JOURNAL_H
#define SPEAN_NODE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define SPEAN_JOURNAL_FIELDS_MAX      12u
#define SPEAN_JOURNAL_VALUE_BYTES_MAX 128u  /* Of a text value; the rest becomes "...". */
#define SPEAN_JOURNAL_LINE_BYTES_MAX  1024u /* Fields that do not fit are left out: cut=1. */

enum spean_journal_level {
    SPEAN_JOURNAL_ERROR,   /* Somebody has to act. */
    SPEAN_JOURNAL_WARNING, /* A peer, a file or the machine misbehaves; we carry on. */
    SPEAN_JOURNAL_INFO,
    SPEAN_JOURNAL_DEBUG,
};

/* Caller's memory. */
struct spean_journal {
    int fd;
    enum spean_journal_level level_max; /* Less important lines are not written. */
    bool journal;                       /* Begin lines with the priority that journald reads. */
};

/* key=value; key is lower case letters and underscores. Text is borrowed for the call. */
struct spean_journal_field {
    const char *key;
    const char *text; /* NULL: the value is number. */
    uint64_t number;
};

static inline struct spean_journal_field spean_journal_text(const char *key, const char *text)
{
    return (struct spean_journal_field){.key = key, .text = text != NULL ? text : ""};
}

static inline struct spean_journal_field spean_journal_number(const char *key, uint64_t number)
{
    return (struct spean_journal_field){.key = key, .number = number};
}

/*
 * Log to fd what is as important as level_max or more. journal_stream is the value of
 * JOURNAL_STREAM or NULL: when it names the file behind fd, lines carry journald's priority.
 */
void spean_journal_init(struct spean_journal *log, int fd, enum spean_journal_level level_max,
                        const char *journal_stream);

/* Write one line. It never fails: when stderr cannot take it, there is nowhere to say so. */
void spean_journal_write(const struct spean_journal *log, enum spean_journal_level level,
                         const char *event, const struct spean_journal_field *fields,
                         size_t fields_count);

/*
 * The line itself with its line feed, at most SPEAN_JOURNAL_LINE_BYTES_MAX bytes and a zero behind
 * it. Anything but plain characters makes a value quoted; bytes outside printable ASCII become
 * \xNN. Returns its length.
 */
size_t spean_journal_format(char line[SPEAN_JOURNAL_LINE_BYTES_MAX + 1], bool journal, time_t now,
                            enum spean_journal_level level, const char *event,
                            const struct spean_journal_field *fields, size_t fields_count);

/* SPEAN_JOURNAL_EVENT(log, SPEAN_JOURNAL_INFO, "peer_up", spean_journal_text("peer", "3fa2"), ...)
 */
#define SPEAN_JOURNAL_EVENT(log, level, event, ...)                                                \
    spean_journal_write((log), (level), (event),                                                   \
                        (const struct spean_journal_field[]){__VA_ARGS__},                         \
                        sizeof((const struct spean_journal_field[]){__VA_ARGS__}) /                \
                            sizeof(struct spean_journal_field))

#endif
