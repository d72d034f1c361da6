#include "node/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HOME "/home/sokha/spean"

struct file {
    char path[64];
    struct spean_config config;
    struct spean_config_error error;
};

static int file_make(void **state)
{
    struct file *file = calloc(1, sizeof(*file));
    assert_non_null(file);
    (void)snprintf(file->path, sizeof(file->path), "/tmp/spean-test-XXXXXX");
    const int fd = mkstemp(file->path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(spean_config_init(&file->config, HOME, &file->error), SPEAN_OK);
    *state = file;
    return 0;
}

static int file_drop(void **state)
{
    struct file *file = *state;
    assert_int_equal(unlink(file->path), 0);
    free(file);
    return 0;
}

static spean_err load_bytes(struct file *file, const char *bytes, size_t len)
{
    FILE *out = fopen(file->path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
    return spean_config_load(&file->config, file->path, &file->error);
}

static spean_err load(struct file *file, const char *text)
{
    return load_bytes(file, text, strlen(text));
}

/* The file must be refused at line with words, and change nothing. */
static void assert_refused(struct file *file, const char *text, unsigned line, const char *words)
{
    char place[96];
    const struct spean_config before = file->config;
    (void)snprintf(place, sizeof(place), "%s:%u: ", file->path, line);
    assert_int_equal(load(file, text), SPEAN_EINPUT);
    assert_memory_equal(file->error.text, place, strlen(place));
    assert_non_null(strstr(file->error.text, words));
    assert_memory_equal(&file->config, &before, sizeof(before));
}

static void defaults_are_those_of_the_header(void **state)
{
    const struct file *file = *state;
    assert_string_equal(file->config.home, HOME);
    assert_string_equal(file->config.listen, "");
    assert_string_equal(file->config.advertise, "");
    assert_string_equal(file->config.socks_proxy, "");
    assert_int_equal(file->config.map_gib, 32);
    assert_int_equal(file->config.log_quota_mib, 1024);
    assert_int_equal(file->config.retention_review_days, 365);
    assert_int_equal(file->config.retention_delete_days, 0);
    assert_int_equal(file->config.log_level, SPEAN_JOURNAL_INFO);
    assert_true(file->config.dial);
}

static void every_key_can_be_set_in_the_file(void **state)
{
    struct file *file = *state;
    assert_int_equal(load(file, "# our node\n"
                                "listen = *:7431 ; all addresses\n"
                                "advertise=kratie.example:7431\r\n"
                                "\n"
                                "map_gib: 64\n"
                                "log_quota_mib = 0\n"
                                "retention_review_days = 0\n"
                                "retention_delete_days = 36500\n"
                                "day_cap_bytes = 50000000000\n"
                                "socket = /run/spean/api.sock\n"
                                "socks_proxy = [::1]:9050\n"
                                "log_level = debug\n"
                                "dial = off"),
                     SPEAN_OK);
    assert_string_equal(file->config.listen, "*:7431");
    assert_string_equal(file->config.advertise, "kratie.example:7431");
    assert_int_equal(file->config.map_gib, 64);
    assert_int_equal(file->config.log_quota_mib, 0);
    assert_int_equal(file->config.retention_review_days, 0);
    assert_int_equal(file->config.retention_delete_days, 36500);
    assert_int_equal(file->config.day_cap_bytes, 50000000000u);
    assert_string_equal(file->config.socket, "/run/spean/api.sock");
    assert_string_equal(file->config.socks_proxy, "[::1]:9050");
    assert_int_equal(file->config.log_level, SPEAN_JOURNAL_DEBUG);
    assert_false(file->config.dial);
}

static void the_command_line_counts_more_than_the_file(void **state)
{
    struct file *file = *state;
    assert_int_equal(load(file, "map_gib = 64\nlisten = *:1\n"), SPEAN_OK);
    assert_int_equal(spean_config_set(&file->config, "map_gib", "8", &file->error), SPEAN_OK);
    assert_int_equal(spean_config_set(&file->config, "listen", "", &file->error), SPEAN_OK);
    assert_int_equal(file->config.map_gib, 8);
    assert_string_equal(file->config.listen, "");
}

static void an_unknown_key_is_named_with_its_line_and_a_suggestion(void **state)
{
    struct file *file = *state;
    assert_refused(file, "dial = on\n\nlistn = *:1\n", 3,
                   "unknown key 'listn'; did you mean 'listen'?");
    assert_refused(file, "logLevel = info\n", 1, "did you mean 'log_level'?");
    assert_refused(file, "Dial = on\n", 1, "did you mean 'dial'?");
    assert_refused(file, "colour_of_the_screen = red\n", 1, "unknown key 'colour_of_the_screen'");
    assert_null(strstr(file->error.text, "did you mean"));
}

static void a_key_given_twice_is_refused(void **state)
{
    struct file *file = *state;
    assert_refused(file, "dial = on\nlisten = *:1\ndial = on\n", 3, "'dial' is given twice");
    assert_refused(file, "listen = *:1\n  more\n", 2, "'listen' is given twice");
}

static void a_line_that_is_no_pair_is_refused_with_its_own_number(void **state)
{
    struct file *file = *state;
    assert_refused(file, "dial = on\nlisten\n", 2, "not 'key = value'");
    assert_refused(file, "dial\nlistn = *:1\n", 1, "not 'key = value'");
    assert_refused(file, "[node]\ndial = on\n", 2, "no sections");
    assert_refused(file, "= on\n", 1, "unknown key ''");
}

static void a_line_that_the_parser_would_cut_is_refused(void **state)
{
    struct file *file = *state;
    char text[SPEAN_CONFIG_LINE_BYTES_MAX + 32] = "dial = on\n#";
    const size_t begin = strlen(text);
    memset(text + begin, 'x', SPEAN_CONFIG_LINE_BYTES_MAX - 1);
    assert_int_equal(load(file, text), SPEAN_OK);
    text[begin + SPEAN_CONFIG_LINE_BYTES_MAX - 1] = 'x';
    assert_refused(file, text, 2, "longer than 190 bytes");
}

static void a_nul_that_would_hide_what_follows_is_refused(void **state)
{
    struct file *file = *state;
    static const char text[] = "dial = on\nlisten = *:1\0 hidden\n";
    assert_int_equal(load_bytes(file, text, sizeof(text) - 1), SPEAN_EINPUT);
    assert_non_null(strstr(file->error.text, ":2: "));
}

static void a_file_over_the_limit_is_refused(void **state)
{
    struct file *file = *state;
    char *text = malloc(SPEAN_CONFIG_FILE_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, '\n', SPEAN_CONFIG_FILE_BYTES_MAX + 1);
    assert_int_equal(load_bytes(file, text, SPEAN_CONFIG_FILE_BYTES_MAX), SPEAN_OK);
    assert_int_equal(load_bytes(file, text, SPEAN_CONFIG_FILE_BYTES_MAX + 1), SPEAN_ELIMIT);
    free(text);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    struct file *file = *state;
    static const mode_t modes[] = {0620, 0602, 0666};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(file->path, modes[i]), 0);
        assert_int_equal(spean_config_load(&file->config, file->path, &file->error), SPEAN_EDENIED);
    }
    assert_int_equal(chmod(file->path, 0644), 0);
    assert_int_equal(spean_config_load(&file->config, file->path, &file->error), SPEAN_OK);
}

static void what_is_missing_or_no_file_is_told_apart(void **state)
{
    struct file *file = *state;
    assert_int_equal(spean_config_load(&file->config, "/nonexistent/spean.conf", &file->error),
                     SPEAN_ENOTFOUND);
    assert_int_equal(spean_config_load(&file->config, "/tmp", &file->error), SPEAN_EIO);
    assert_int_equal(spean_config_load(&file->config, "/dev/zero", &file->error), SPEAN_EIO);
}

static void values_that_do_not_fit_are_refused_and_change_nothing(void **state)
{
    struct file *file = *state;
    static const struct {
        const char *key;
        const char *value;
    } bad[] = {
        {"listen", "7431"},
        {"listen", "host:"},
        {"listen", ":7431"},
        {"listen", "host:0"},
        {"listen", "host:65536"},
        {"listen", "host:+1"},
        {"listen", "host:7431x"},
        {"listen", "ho st:1"},
        {"listen", "*a:1"},
        {"listen", "tcp://host:1"},
        {"listen", "[]:1"},
        {"listen", "[::1:1"},
        {"listen", "::1:7431"},
        {"listen", "[fe80::1%a]:1"},
        {"listen", "host:000001"},
        {"advertise", "*:7431"},
        {"socks_proxy", "*:9050"},
        {"map_gib", "0"},
        {"log_quota_mib", "1048577"},
        {"log_quota_mib", "-1"},
        {"map_gib", ""},
        {"map_gib", "-1"},
        {"map_gib", "4097"},
        {"map_gib", "99999999999"},
        {"map_gib", "32G"},
        {"socket", ""},
        {"socket", "spean.sock"},
        {"log_level", "loud"},
        {"log_level", "INFO"},
        {"log_level", ""},
        {"dial", "yes"},
        {"dial", ""},
        {"dial", "on off"},
    };
    const struct spean_config before = file->config;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(spean_config_set(&file->config, bad[i].key, bad[i].value, &file->error),
                         SPEAN_EINPUT);
        assert_non_null(strstr(file->error.text, "it must be"));
        assert_memory_equal(&file->config, &before, sizeof(before));
    }
}

static void an_endpoint_of_the_limit_is_taken_and_one_byte_more_is_refused(void **state)
{
    struct file *file = *state;
    char endpoint[SPEAN_ENDPOINT_BYTES_MAX + 2];
    memset(endpoint, 'a', sizeof(endpoint));
    memcpy(endpoint + SPEAN_ENDPOINT_BYTES_MAX - 2, ":1", sizeof(":1"));
    assert_int_equal(spean_config_set(&file->config, "advertise", endpoint, &file->error),
                     SPEAN_OK);
    memcpy(endpoint + SPEAN_ENDPOINT_BYTES_MAX - 2, "a:1", sizeof("a:1"));
    assert_int_equal(spean_config_set(&file->config, "advertise", endpoint, &file->error),
                     SPEAN_EINPUT);
}

static void the_home_folder_is_spean_home_or_follows_the_xdg_rules(void **state)
{
    struct file *file = *state;
    assert_int_equal(setenv("HOME", "/home/dara", 1), 0);
    assert_int_equal(setenv("XDG_DATA_HOME", "/data", 1), 0);
    assert_int_equal(setenv("SPEAN_HOME", "/srv/node", 1), 0);
    assert_int_equal(spean_config_init(&file->config, NULL, &file->error), SPEAN_OK);
    assert_string_equal(file->config.home, "/srv/node");
    assert_int_equal(unsetenv("SPEAN_HOME"), 0);
    assert_int_equal(spean_config_init(&file->config, NULL, &file->error), SPEAN_OK);
    assert_string_equal(file->config.home, "/data/spean");
    assert_int_equal(setenv("XDG_DATA_HOME", "relative", 1), 0);
    assert_int_equal(spean_config_init(&file->config, NULL, &file->error), SPEAN_OK);
    assert_string_equal(file->config.home, "/home/dara/.local/share/spean");
    assert_int_equal(unsetenv("XDG_DATA_HOME"), 0);
    assert_int_equal(unsetenv("HOME"), 0);
    assert_int_equal(spean_config_init(&file->config, NULL, &file->error), SPEAN_EINPUT);
    assert_int_equal(spean_config_init(&file->config, "relative", &file->error), SPEAN_EINPUT);
    assert_int_equal(spean_config_init(&file->config, "", &file->error), SPEAN_EINPUT);
}

static void a_home_folder_over_the_limit_is_refused(void **state)
{
    struct file *file = *state;
    char home[SPEAN_CONFIG_PATH_BYTES_MAX + 2];
    memset(home, 'a', sizeof(home));
    home[0] = '/';
    home[SPEAN_CONFIG_PATH_BYTES_MAX + 1] = '\0';
    assert_int_equal(spean_config_init(&file->config, home, &file->error), SPEAN_EINPUT);
    home[SPEAN_CONFIG_PATH_BYTES_MAX] = '\0';
    assert_int_equal(spean_config_init(&file->config, home, &file->error), SPEAN_OK);
}

static void the_socket_is_in_the_home_folder_unless_it_is_named(void **state)
{
    struct file *file = *state;
    assert_int_equal(spean_config_finish(&file->config, &file->error), SPEAN_OK);
    assert_string_equal(file->config.socket, HOME "/spean.sock");
    assert_int_equal(spean_config_set(&file->config, "socket", "/run/a", &file->error), SPEAN_OK);
    assert_int_equal(spean_config_finish(&file->config, &file->error), SPEAN_OK);
    assert_string_equal(file->config.socket, "/run/a");
}

static void a_socket_path_that_the_kernel_would_not_take_is_said_plainly(void **state)
{
    struct file *file = *state;
    char home[SPEAN_LOCAL_PATH_BYTES_MAX];
    memset(home, 'a', sizeof(home));
    home[0] = '/';
    home[SPEAN_LOCAL_PATH_BYTES_MAX - 10] = '\0';
    assert_int_equal(spean_config_init(&file->config, home, &file->error), SPEAN_OK);
    assert_int_equal(spean_config_finish(&file->config, &file->error), SPEAN_EINPUT);
    assert_non_null(strstr(file->error.text, "too long for a socket"));
    home[SPEAN_LOCAL_PATH_BYTES_MAX - 11] = '\0';
    assert_int_equal(spean_config_init(&file->config, home, &file->error), SPEAN_OK);
    assert_int_equal(spean_config_finish(&file->config, &file->error), SPEAN_OK);
    assert_int_equal(strlen(file->config.socket), SPEAN_LOCAL_PATH_BYTES_MAX);
}

int main(void)
{
#define FILED(test) cmocka_unit_test_setup_teardown(test, file_make, file_drop)
    const struct CMUnitTest tests[] = {
        FILED(defaults_are_those_of_the_header),
        FILED(every_key_can_be_set_in_the_file),
        FILED(the_command_line_counts_more_than_the_file),
        FILED(an_unknown_key_is_named_with_its_line_and_a_suggestion),
        FILED(a_key_given_twice_is_refused),
        FILED(a_line_that_is_no_pair_is_refused_with_its_own_number),
        FILED(a_line_that_the_parser_would_cut_is_refused),
        FILED(a_nul_that_would_hide_what_follows_is_refused),
        FILED(a_file_over_the_limit_is_refused),
        FILED(a_file_that_others_may_write_is_refused),
        FILED(what_is_missing_or_no_file_is_told_apart),
        FILED(values_that_do_not_fit_are_refused_and_change_nothing),
        FILED(an_endpoint_of_the_limit_is_taken_and_one_byte_more_is_refused),
        FILED(the_home_folder_is_spean_home_or_follows_the_xdg_rules),
        FILED(a_home_folder_over_the_limit_is_refused),
        FILED(the_socket_is_in_the_home_folder_unless_it_is_named),
        FILED(a_socket_path_that_the_kernel_would_not_take_is_said_plainly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
