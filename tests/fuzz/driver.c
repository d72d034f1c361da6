/*
 * Feeds a fuzz target every file of one folder, where libFuzzer is not there to do it. Prints the
 * name of each file first, so that the last line names the input that ended the process.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define PATH_BYTES_MAX  4096u
#define INPUT_BYTES_MAX (1u << 20)

/* Try the bytes in a block of exactly their size, so that ASan sees a read of one too many. */
static bool try_exact(const uint8_t *bytes, size_t len)
{
    uint8_t *const exact = malloc(len > 0 ? len : 1);
    if (exact == NULL) {
        return false;
    }
    memcpy(exact, bytes, len);
    (void)LLVMFuzzerTestOneInput(exact, len); /* A broken property does not return. */
    free(exact);
    return true;
}

static bool try_file(const char *path)
{
    static uint8_t buf[INPUT_BYTES_MAX];

    FILE *const file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    const size_t len = fread(buf, 1, sizeof(buf), file);
    const bool whole = ferror(file) == 0 && len < sizeof(buf);
    (void)fclose(file); /* Only read from. */
    if (!whole) {
        (void)fprintf(stderr, "%s: cannot be read, or is larger than an input may be\n", path);
        return false;
    }
    return try_exact(buf, len);
}

/* Try every file of the folder; return how many, or -1 after a failure. */
static int try_folder(const char *folder, DIR *dir)
{
    int tried = 0;
    for (;;) {
        errno = 0;
        const struct dirent *const entry = readdir(dir);
        if (entry == NULL) {
            return errno == 0 ? tried : -1;
        }
        if (entry->d_name[0] == '.') {
            continue;
        }
        char path[PATH_BYTES_MAX];
        const int len = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof(path)) {
            return -1;
        }
        (void)fprintf(stderr, "%s\n", entry->d_name);
        if (!try_file(path)) {
            return -1;
        }
        tried++;
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    DIR *const dir = opendir(argv[1]);
    if (dir == NULL) {
        perror(argv[1]);
        return 1;
    }
    const int tried = try_folder(argv[1], dir);
    (void)closedir(dir); /* Only read from. */
    if (tried <= 0) {
        (void)fprintf(stderr, "%s: no inputs, or not all could be read\n", argv[1]);
        return 1;
    }
    (void)printf("%d inputs\n", tried);
    return 0;
}
