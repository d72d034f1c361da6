#include "tests/bench/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/scratch.h"
#include "tests/bench/world.h"

#define DECIMAL 10

/* -- Flags ----------------------------------------------------------------------------------- */

void frame_misused(const char *usage)
{
    (void)fputs(usage, stderr);
    exit(2);
}

static bool number_read(const struct frame_flag *flag, const char *text)
{
    char *end = NULL;
    errno = 0;
    const unsigned long number = strtoul(text, &end, DECIMAL);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || number == 0 ||
        number > flag->number_max) {
        return false;
    }
    *flag->number = (uint32_t)number;
    return true;
}

static const struct frame_flag *flag_find(const struct frame_flag *flags, size_t count,
                                          const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, flags[i].name) == 0) {
            return &flags[i];
        }
    }
    return NULL;
}

void frame_flags(int argc, char **argv, const struct frame_flag *flags, size_t count,
                 const char *usage)
{
    for (int i = 1; i < argc; i++) {
        const struct frame_flag *const flag = flag_find(flags, count, argv[i]);
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        }
        if (flag != NULL && flag->given != NULL) {
            *flag->given = true;
            continue;
        }
        i++;
        if (flag == NULL || i == argc || (flag->number != NULL && !number_read(flag, argv[i]))) {
            frame_misused(usage);
        }
        if (flag->text != NULL) {
            *flag->text = argv[i];
        }
    }
}

/* -- The folder ------------------------------------------------------------------------------ */

static char folder[SCRATCH_PATH_BYTES];
static const char *const *folder_names;

static void folder_remove(void)
{
    char path[SCRATCH_PATH_BYTES];
    for (size_t i = 0; folder_names[i] != NULL; i++) {
        scratch_path(path, folder, folder_names[i]);
        scratch_remove(path);
    }
    world_remove(folder);
    scratch_remove(folder);
}

const char *frame_folder(const char *parent, const char *const *names)
{
    folder_names = names;
    scratch_make(folder, parent);
    scratch_want(atexit(folder_remove) == 0, "to clean up at the end");
    return folder;
}

/* -- Times ----------------------------------------------------------------------------------- */

static int compare_s(const void *a, const void *b)
{
    const double *const left = a;
    const double *const right = b;
    return (*left > *right) - (*left < *right);
}

void frame_times_new(struct frame_times *times, uint32_t count)
{
    times->count = count;
    times->s = calloc(count, sizeof(*times->s));
    scratch_want(times->s != NULL, "memory for times");
}

void frame_times_free(struct frame_times *times)
{
    free(times->s);
}

void frame_times_sort(struct frame_times *times)
{
    qsort(times->s, times->count, sizeof(*times->s), compare_s);
}

double frame_times_us(const struct frame_times *times, double share)
{
    return times->s[(size_t)((double)(times->count - 1) * share)] * 1e6;
}

void frame_times_print_head(void)
{
    (void)printf("  %-34s %10s %10s %10s\n", "", "median", "90 %", "99 %");
}

void frame_times_print(const char *name, const struct frame_times *times)
{
    (void)printf("  %-34s %10.1f %10.1f %10.1f\n", name, frame_times_us(times, 0.5),
                 frame_times_us(times, 0.9), frame_times_us(times, 0.99));
}
