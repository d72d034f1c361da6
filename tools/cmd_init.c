#include "tools/groups.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "protocol/text.h"
#include "store/file.h"
#include "store/recovery.h"
#include "store/secret.h"
#include "store/setup.h"
#include "tools/call.h"
#include "tools/choosing.h"
#include "tools/i18n.h"
#include "tools/idtext.h"
#include "tools/newnode.h"
#include "tools/unlocking.h"

#define WORDS_ASKED       3u
#define WORDS_PER_LINE    6u
#define TRIES_MAX         3u
#define SHEET_BYTES_MAX   2048u
#define WORD_BYTES_MAX    64u
#define QUESTION_BYTES    64u
#define SHEET_LINE_INDENT "   "

/* All secrets of one set-up, in one block of locked memory. */
struct secrets {
    struct spean_choosing node;
    struct spean_choosing admin;
    char words[SPEAN_RECOVERY_TEXT_BYTES];
    char sheet[SHEET_BYTES_MAX];
    char typed[SPEAN_RECOVERY_INPUT_BYTES_MAX];
    uint8_t recovery_seed[SPEAN_KEY_BYTES];
    uint8_t typed_seed[SPEAN_KEY_BYTES];
};

/* Lay the words out in numbered lines. */
static void sheet_write(const char *words, char sheet[SHEET_BYTES_MAX])
{
    size_t used = 0;
    unsigned number = 0;
    for (const char *at = words; *at != '\0'; number++) {
        const size_t len = strcspn(at, " ");
        const int put = snprintf(sheet + used, SHEET_BYTES_MAX - used, "%s%2u %-*.*s%s",
                                 number % WORDS_PER_LINE == 0 ? SHEET_LINE_INDENT : "", number + 1,
                                 (int)SPEAN_RECOVERY_WORD_BYTES_MAX + 2, (int)len, at,
                                 number % WORDS_PER_LINE == WORDS_PER_LINE - 1 ? "\n" : "");
        used += put < 0 ? 0 : (size_t)put; /* 24 words of 8 letters always fit. */
        at += len;
        at += *at == ' ';
    }
    sheet[used] = '\0';
}

/* Put the words into the file named by --sheet, or onto the terminal and nowhere else. */
static enum spean_exit sheet_show(struct spean_call *call, struct secrets *secrets,
                                  struct spean_problem *problem)
{
    const char *const path = spean_call_value(call, "sheet");
    if (path != NULL) {
        const spean_err err =
            spean_file_write_new(path, (struct spean_view){.data = (const uint8_t *)secrets->words,
                                                           .len = strlen(secrets->words)});
        return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, path);
    }
    sheet_write(secrets->words, secrets->sheet);
    struct spean_prompt *const prompt = spean_call_prompt(call);
    enum spean_exit exit = spean_prompt_show(
        prompt,
        _("! Recovery sheet, shown once. Write it on paper and keep it outside this office:\n"),
        problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_prompt_show(prompt, secrets->sheet, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        spean_problem_hint(problem, "%s",
                           _("give --sheet FILE to have the recovery words written there"));
    }
    return exit;
}

/* Copy word number (from 0) of words into out. */
static void word_at(const char *words, size_t number, char out[WORD_BYTES_MAX])
{
    for (size_t i = 0; i < number; i++) {
        words += strcspn(words, " ") + 1;
    }
    (void)snprintf(out, WORD_BYTES_MAX, "%.*s", (int)strcspn(words, " "), words);
}

/* Have one word typed back; a few wrong tries are forgiven. */
static enum spean_exit word_check(struct spean_call *call, struct secrets *secrets, size_t number,
                                  struct spean_problem *problem)
{
    struct spean_question question = spean_call_question(call, "recovery.words");
    char text[QUESTION_BYTES];
    char word[WORD_BYTES_MAX];
    word_at(secrets->words, number, word);
    (void)snprintf(text, sizeof(text), _("Type word %zu"), number + 1); /* Fits. */
    question.text = text;
    enum spean_exit exit = SPEAN_EXIT_DONE;
    bool same = false;
    for (unsigned i = 0; exit == SPEAN_EXIT_DONE && !same && i < TRIES_MAX; i++) {
        exit = spean_prompt_ask(spean_call_prompt(call), &question, secrets->typed, WORD_BYTES_MAX,
                                problem);
        for (char *at = secrets->typed; exit == SPEAN_EXIT_DONE && *at != '\0'; at++) {
            *at = (char)tolower((unsigned char)*at);
        }
        same = exit == SPEAN_EXIT_DONE && strcmp(secrets->typed, word) == 0;
    }
    sodium_memzero(word, sizeof(word));
    if (exit != SPEAN_EXIT_DONE || same) {
        return exit;
    }
    return spean_problem_usage(problem, _("that is not word %zu; nothing was made"), number + 1);
}

/* A script gives all words back, from where it keeps them. */
static enum spean_exit words_check(struct spean_call *call, struct secrets *secrets,
                                   struct spean_problem *problem)
{
    const struct spean_question question = spean_call_question(call, "recovery.words");
    const enum spean_exit exit = spean_prompt_ask(spean_call_prompt(call), &question,
                                                  secrets->typed, sizeof(secrets->typed), problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    const struct spean_view typed = {.data = (const uint8_t *)secrets->typed,
                                     .len = strlen(secrets->typed)};
    unsigned word = 0;
    if (spean_recovery_seed(typed, secrets->typed_seed, &word) != SPEAN_OK ||
        sodium_memcmp(secrets->typed_seed, secrets->recovery_seed, SPEAN_KEY_BYTES) != 0) {
        return spean_problem_usage(problem, "%s",
                                   _("these are not the recovery words; nothing was made"));
    }
    return SPEAN_EXIT_DONE;
}

/* Draw the recovery key, show its words and have them typed back. It is kept nowhere. */
static enum spean_exit recovery_agree(struct spean_call *call, struct secrets *secrets,
                                      struct spean_problem *problem)
{
    randombytes_buf(secrets->recovery_seed, sizeof(secrets->recovery_seed));
    spean_recovery_words(secrets->recovery_seed, secrets->words);
    enum spean_exit exit = sheet_show(call, secrets, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    if (spean_prompt_scripted(spean_call_prompt(call))) {
        return words_check(call, secrets, problem);
    }
    const size_t third = SPEAN_RECOVERY_WORDS_COUNT / WORDS_ASKED; /* One out of each third. */
    for (size_t i = 0; exit == SPEAN_EXIT_DONE && i < WORDS_ASKED; i++) {
        exit = word_check(call, secrets, i * third + randombytes_uniform((uint32_t)third), problem);
    }
    return exit;
}

static enum spean_exit words_of_org_check(const char *name, const char *country,
                                          struct spean_problem *problem)
{
    if (strlen(country) != SPEAN_SETUP_COUNTRY_LEN || !isupper((unsigned char)country[0]) ||
        !isupper((unsigned char)country[1])) {
        (void)spean_problem_usage(problem, _("--country cannot be \"%s\""), country);
        spean_problem_hint(problem, "%s", _("two capital letters by ISO 3166: KH, VN, JP, ID"));
        return SPEAN_EXIT_USAGE;
    }
    if (strlen(name) > SPEAN_SETUP_NAME_BYTES_MAX) {
        return spean_problem_usage(problem, _("--org is longer than %u bytes"),
                                   SPEAN_SETUP_NAME_BYTES_MAX);
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit tell(struct spean_call *call, const struct spean_newnode_plan *plan,
                            const struct spean_newnode *node, struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    char org[2 * SPEAN_ID_BYTES + 1];
    char signing[2 * SPEAN_KEY_BYTES + 1];
    char org_short[SPEAN_IDTEXT_SHORT_BYTES];
    char node_short[SPEAN_IDTEXT_SHORT_BYTES];
    spean_text_hex_encode(org, sizeof(org), (struct spean_view){node->org.bytes, SPEAN_ID_BYTES});
    spean_text_hex_encode(signing, sizeof(signing),
                          (struct spean_view){node->signing.bytes, SPEAN_KEY_BYTES});
    spean_idtext_short(org, org_short);
    spean_idtext_short(signing, node_short);
    json_t *const object = json_pack("{s:s,s:s,s:s,s:s}", "org", org, "signing", signing,
                                     "admin_key", plan->admin_path, "home", plan->home);
    if (object == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "init");
    }
    spean_out_json(out, object);
    json_decref(object);
    spean_out_done(out, _("organisation created   org %s   admin key: %s (move it to a USB stick)"),
                   org_short, plan->admin_path);
    spean_out_done(out, _("node created           node %s   home: %s"), node_short, plan->home);
    spean_out_note(out, "%s", _("Nobody else knows of it until you found or join a ledger."));
    spean_out_next(out, "speand --home %s", plan->home);
    return SPEAN_EXIT_DONE;
}

/* Ask everything, and only then make anything. */
static enum spean_exit ask_and_make(struct spean_call *call, struct spean_newnode_plan *plan,
                                    struct secrets *secrets, struct spean_problem *problem)
{
    enum spean_exit exit = spean_choosing_node(call, &secrets->node, &plan->node, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_choosing_passphrase(call, "admin-passphrase-file", "admin.passphrase",
                                         &secrets->admin, &plan->admin, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = recovery_agree(call, secrets, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_prompt_finish(spean_call_prompt(call), problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    plan->recovery_seed = secrets->recovery_seed;
    struct spean_newnode node;
    exit = spean_newnode_make(plan, &node, problem);
    return exit == SPEAN_EXIT_DONE ? tell(call, plan, &node, problem) : exit;
}

static enum spean_exit dry_run_tell(struct spean_call *call, const struct spean_newnode_plan *plan,
                                    struct spean_problem *problem)
{
    struct spean_out *const out = spean_call_out(call);
    json_t *const object =
        json_pack("{s:b,s:s,s:s}", "dry_run", 1, "admin_key", plan->admin_path, "home", plan->home);
    if (object == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "init");
    }
    spean_out_json(out, object);
    json_decref(object);
    spean_out_line(out, _("would make a node in %s and an admin key in %s"), plan->home,
                   plan->admin_path);
    return SPEAN_EXIT_DONE;
}

static enum spean_exit init_run(struct spean_call *call, struct spean_problem *problem)
{
    char home[SPEAN_PATH_BYTES_MAX];
    char admin_path[SPEAN_PATH_BYTES_MAX];
    struct spean_newnode_plan plan = {.home = home,
                                      .admin_path = admin_path,
                                      .name = spean_call_value(call, "org"),
                                      .country = spean_call_value(call, "country")};
    enum spean_exit exit = words_of_org_check(plan.name, plan.country, problem);
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_choosing_check(call, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_call_home(call, home, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_unlocking_admin_path(spean_call_value(call, "admin-key"), admin_path, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = spean_newnode_check(home, admin_path, problem);
    }
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    if (spean_call_globals(call)->dry_run) {
        return dry_run_tell(call, &plan, problem);
    }

    void *secrets = NULL;
    const spean_err err = spean_secret_alloc(sizeof(struct secrets), &secrets);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "init");
    }
    exit = ask_and_make(call, &plan, secrets, problem);
    spean_secret_free(secrets);
    return exit;
}

static const struct spean_flag init_flags[] = {
    {.name = "org",
     .kind = SPEAN_KIND_TEXT,
     .value = "NAME",
     .required = true,
     .help = N_("the organisation's name, which partners will see")},
    {.name = "country",
     .kind = SPEAN_KIND_TEXT,
     .value = "CC",
     .required = true,
     .help = N_("the country of its office by ISO 3166: KH, VN, JP, ID")},
    {.name = "admin-key",
     .kind = SPEAN_KIND_FILE,
     .value = "FILE",
     .help = N_("where to write the admin key; otherwise ~/spean-admin.key")},
    {.name = "sheet",
     .kind = SPEAN_KIND_FILE,
     .value = "FILE",
     .help = N_("write the recovery words to a new FILE instead of showing them")},
    SPEAN_CHOOSING_FLAGS,
    SPEAN_FLAG_ADMIN_PASSPHRASE_FILE,
    {0},
};

static const struct spean_question init_questions[] = {
    {.name = "passphrase", .text = N_("A passphrase for this node"), .secret = true},
    {.name = "admin.passphrase", .text = N_("Another one for the admin key"), .secret = true},
    {.name = "recovery.words", .text = N_("All recovery words, one after the other")},
    {0},
};

static const struct spean_command commands[] = {
    {
        .path = "init",
        .summary = N_("Set up an organisation and its first node"),
        .text = N_("Makes the organisation's keys and the node's store. The recovery words are "
                   "shown once, on the terminal only, and have to be typed back before anything "
                   "is made: with them, and with nothing else, the organisation gets its keys "
                   "back after a theft or a fire. The admin key is a file under its own "
                   "passphrase; keep it on a USB stick, away from this machine. Nothing leaves "
                   "this machine."),
        .flags = init_flags,
        .questions = init_questions,
        .inverse = SPEAN_INVERSE_NONE,
        .examples = (const char *const[]){"spean init --org \"Bridge Legal Aid Phnom Penh\" "
                                          "--country KH",
                                          NULL},
        .run = init_run,
    },
    {0},
};

const struct spean_group spean_group_init = {
    .name = "init",
    .summary = N_("Set up"),
    .commands = commands,
};
