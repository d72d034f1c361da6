#include "node/when.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY_S        86400u
#define HOUR_S       3600u
#define MINUTE_S     60u
#define YEAR_MIN     1970u
#define YEAR_MAX     9999u
#define UTC_LEN      20u /* With the Z. */
#define OFFSET_LEN   25u /* With +hh:mm. */
#define OFFSET_PLACE 19u

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to the first day of year. */
static uint64_t days_before(unsigned year)
{
    const uint64_t past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

struct spean_day spean_when_day(uint64_t time_s)
{
    assert(time_s <= SPEAN_WHEN_MAX);

    uint64_t left = time_s / DAY_S;
    unsigned year = YEAR_MIN + (unsigned)(left / 366); /* At most a few years too early. */
    while (days_before(year + 1) <= left) {
        year++;
    }
    left -= days_before(year);
    unsigned month = 1;
    while (left >= days_in(year, month)) {
        left -= days_in(year, month);
        month++;
    }
    return (struct spean_day){
        .year = (uint16_t)year, .month = (uint8_t)month, .day = (uint8_t)(left + 1)};
}

spean_err spean_when_format(char out[SPEAN_WHEN_BYTES], uint64_t time_s)
{
    assert(out != NULL);
    if (time_s > SPEAN_WHEN_MAX) {
        return SPEAN_EINPUT;
    }
    const struct spean_day day = spean_when_day(time_s);
    const unsigned second = (unsigned)(time_s % DAY_S);
    char text[64]; /* More than is ever needed: the compiler knows no ranges. */
    (void)snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02uZ", day.year, day.month,
                   day.day, second / HOUR_S, second / MINUTE_S % 60, second % 60);
    assert(strlen(text) < SPEAN_WHEN_BYTES);
    memcpy(out, text, strlen(text) + 1);
    return SPEAN_OK;
}

/* Read count digits at place, at most max; *fits becomes false when they are none. */
static unsigned number_at(struct spean_view text, size_t place, size_t count, unsigned max,
                          bool *fits)
{
    unsigned value = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t byte = text.data[place + i];
        if (byte < '0' || byte > '9') {
            *fits = false;
            return 0;
        }
        value = value * 10 + (unsigned)(byte - '0');
    }
    *fits = *fits && value <= max;
    return value;
}

/* Whether text has the marks of the pattern, in which d stands for a digit. */
static bool has_marks(struct spean_view text)
{
    static const char marks[] = "dddd-dd-ddTdd:dd:dd";
    for (size_t i = 0; i < OFFSET_PLACE; i++) {
        if (marks[i] != 'd' && text.data[i] != (uint8_t)marks[i]) {
            return false;
        }
    }
    const uint8_t zone = text.data[OFFSET_PLACE];
    if (text.len == UTC_LEN) {
        return zone == 'Z';
    }
    return (zone == '+' || zone == '-') && text.data[OFFSET_PLACE + 3] == ':';
}

spean_err spean_when_parse(struct spean_view text, uint64_t *out)
{
    assert(out != NULL);
    if ((text.len != UTC_LEN && text.len != OFFSET_LEN) || !has_marks(text)) {
        return SPEAN_EINPUT;
    }
    bool fits = true;
    const unsigned year = number_at(text, 0, 4, YEAR_MAX, &fits);
    const unsigned month = number_at(text, 5, 2, 12, &fits);
    const unsigned day = number_at(text, 8, 2, 31, &fits);
    const unsigned hour = number_at(text, 11, 2, 23, &fits);
    const unsigned minute = number_at(text, 14, 2, 59, &fits);
    const unsigned second = number_at(text, 17, 2, 59, &fits);
    unsigned offset_s = 0;
    if (text.len == OFFSET_LEN) {
        offset_s = number_at(text, OFFSET_PLACE + 1, 2, 23, &fits) * HOUR_S;
        offset_s += number_at(text, OFFSET_PLACE + 4, 2, 59, &fits) * MINUTE_S;
    }
    if (!fits || year < YEAR_MIN || month == 0 || day == 0 || day > days_in(year, month)) {
        return SPEAN_EINPUT;
    }

    uint64_t days = days_before(year) + day - 1;
    for (unsigned m = 1; m < month; m++) {
        days += days_in(year, m);
    }
    const uint64_t local = days * DAY_S + hour * HOUR_S + minute * MINUTE_S + second;
    const bool ahead = text.data[OFFSET_PLACE] == '+';
    if (ahead && local < offset_s) {
        return SPEAN_EINPUT;
    }
    const uint64_t time_s = ahead ? local - offset_s : local + offset_s;
    if (time_s > SPEAN_WHEN_MAX) {
        return SPEAN_EINPUT;
    }
    *out = time_s;
    return SPEAN_OK;
}
