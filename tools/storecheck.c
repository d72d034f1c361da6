#include "tools/storecheck.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/check.h"
#include "store/check_records.h"
#include "store/documents.h"
#include "store/keystore.h"
#include "store/setup.h"
#include "tools/i18n.h"
#include "tools/interrupt.h"
#include "tools/paths.h"

#define PROBLEMS_SHOWN_MAX 100u
#define STORE_PATH_BYTES   (SPEAN_PATH_BYTES_MAX + sizeof("/" SPEAN_HOME_STORE))

/* A store that is being checked. */
struct checking {
    struct spean_db *db;
    struct spean_keys *keys;
    struct spean_authority *authority;
    struct spean_check *check;
    struct spean_check_records *records;
    json_t *problems;
};

static void checking_fini(struct checking *c)
{
    spean_check_records_free(c->records);
    spean_check_free(c->check);
    spean_authority_free(c->authority);
    spean_keys_free(c->keys);
    spean_db_close(c->db);
    json_decref(c->problems);
}

static void note(void *ctx, const struct spean_check_problem *problem)
{
    json_t *const problems = ctx;
    char text[SPEAN_CHECK_TEXT_BYTES];
    if (json_array_size(problems) < PROBLEMS_SHOWN_MAX) {
        spean_check_describe(problem, text);
        (void)json_array_append_new(problems, json_string(text));
    }
}

static enum spean_exit store_open(struct checking *c, const char *home,
                                  struct spean_problem *problem)
{
    char path[STORE_PATH_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s", home, SPEAN_HOME_STORE);
    const struct spean_db_options options = {.dir = path};
    const spean_err err = spean_db_open(&options, &c->db);
    if (err == SPEAN_ENOTFOUND) {
        (void)spean_problem_set(problem, SPEAN_EXIT_NO_STORE, "no_store",
                                _("no daemon answers, and there is no store in %s"), path);
        spean_problem_hint(problem, "%s", _("name the node's folder: --home"));
        return SPEAN_EXIT_NO_STORE;
    }
    if (err == SPEAN_EBUSY) {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "store_in_use", "%s",
                                _("no daemon answers, but another process has the store open"));
        spean_problem_hint(problem, "%s",
                           _("the daemon may be starting or stopping: try again in a moment"));
        return SPEAN_EXIT_STATE;
    }
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, path);
}

static enum spean_exit authority_load(struct checking *c, struct spean_problem *problem)
{
    spean_err err = spean_authority_new(&c->authority, NULL);
    if (err == SPEAN_OK) {
        err = spean_documents_load(c->db, c->authority);
    }
    if (err == SPEAN_ECORRUPT) {
        (void)spean_problem_set(
            problem, SPEAN_EXIT_INTEGRITY, "integrity", "%s",
            _("a document in the store is damaged or does not follow those before it"));
        spean_problem_hint(problem, "%s", _("do not start the node: restore a backup"));
        return SPEAN_EXIT_INTEGRITY;
    }
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "verify");
}

static enum spean_exit keys_open(struct checking *c, const struct spean_unlock *unlock,
                                 struct spean_problem *problem)
{
    spean_err err = spean_keys_new(&c->keys);
    if (err == SPEAN_OK && unlock != NULL) {
        err = spean_keys_unlock(c->keys, c->db, unlock);
    }
    return err == SPEAN_OK ? SPEAN_EXIT_DONE : spean_problem_err(problem, err, "verify");
}

/* Read whose node this is; *known is false where that cannot be read, which the node says itself
 * when it starts. */
static spean_err org_read(struct spean_db *db, struct spean_id *org, bool *known)
{
    struct spean_tx *tx = NULL;
    struct spean_setup setup;
    struct spean_document *const doc = malloc(sizeof(*doc));
    spean_err err = doc != NULL ? spean_tx_begin(db, SPEAN_TX_READ, &tx) : SPEAN_ENOMEM;
    if (err == SPEAN_OK) {
        *known = spean_setup_get(tx, &setup, doc) == SPEAN_OK;
        if (*known) {
            *org = setup.org;
        }
        spean_tx_abort(tx);
    }
    free(doc);
    return err;
}

static spean_err records_begin(struct checking *c)
{
    struct spean_id org;
    bool known = false;
    const spean_err err = org_read(c->db, &org, &known);
    return err == SPEAN_OK
               ? spean_check_records_new(c->db, c->authority, c->keys, known ? &org : NULL, note,
                                         c->problems, &c->records)
               : err;
}

/* Do both parts, slice by slice. *interrupted: somebody wants it to end. */
static spean_err check_all(struct checking *c, bool *interrupted)
{
    bool first_done = false;
    bool done = false;
    spean_err err = spean_check_new(c->db, c->authority, note, c->problems, &c->check);
    if (err == SPEAN_OK) {
        err = records_begin(c);
    }
    while (err == SPEAN_OK && !done && !*interrupted) {
        err = first_done ? spean_check_records_step(c->records, &done)
                         : spean_check_step(c->check, &first_done);
        *interrupted = spean_interrupted();
    }
    return err;
}

static json_t *answer_make(const struct checking *c)
{
    const uint64_t found =
        spean_check_problems(c->check) + spean_check_records_problems(c->records);
    return json_pack("{s:b, s:O, s:I, s:I, s:I, s:I, s:I}", "ok", found == 0, "problems",
                     c->problems, "problems_count", (json_int_t)found, "entries",
                     (json_int_t)spean_check_entries(c->check), "bodies",
                     (json_int_t)spean_check_bodies(c->check), "records",
                     (json_int_t)spean_check_records_parts(c->records), "not_checked",
                     (json_int_t)spean_check_records_skipped(c->records));
}

/* Check what was opened. */
static enum spean_exit check_opened(struct checking *c, json_t **reply,
                                    struct spean_problem *problem)
{
    bool interrupted = false;
    const spean_err err = check_all(c, &interrupted);
    if (err != SPEAN_OK) {
        return spean_problem_err(problem, err, "verify");
    }
    if (interrupted) {
        return spean_interrupt_problem(problem);
    }
    *reply = answer_make(c);
    return *reply == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "verify") : SPEAN_EXIT_DONE;
}

enum spean_exit spean_storecheck(const char *home, const struct spean_unlock *unlock,
                                 json_t **reply, struct spean_problem *problem)
{
    assert(home != NULL);
    assert(reply != NULL);

    struct checking c = {.problems = json_array()};
    enum spean_exit exit = c.problems != NULL ? store_open(&c, home, problem)
                                              : spean_problem_err(problem, SPEAN_ENOMEM, "verify");
    if (exit == SPEAN_EXIT_DONE) {
        exit = authority_load(&c, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = keys_open(&c, unlock, problem);
    }
    if (exit == SPEAN_EXIT_DONE) {
        exit = check_opened(&c, reply, problem);
    }
    checking_fini(&c);
    return exit;
}
