#include "tools/newnode.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "protocol/document.h"
#include "protocol/limits.h"
#include "protocol/pair.h"
#include "protocol/sign.h"
#include "protocol/statement.h"
#include "store/adminkey.h"
#include "store/db.h"
#include "store/file.h"
#include "store/keystore.h"
#include "store/person.h"
#include "store/secret.h"
#include "store/setup.h"
#include "tools/i18n.h"

#define STORE_UNFINISHED SPEAN_HOME_STORE ".new"

/* What is being made. All of it is freed by one function, however far it came. */
struct making {
    char store[SPEAN_PATH_BYTES_MAX];
    char unfinished[SPEAN_PATH_BYTES_MAX];
    struct spean_adminkey *admin;
    void *sealing; /* SPEAN_KEY_BYTES in locked memory. */
    struct spean_keys *keys;
    struct spean_db *db;
    uint8_t statement[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    struct spean_view statement_bytes;
};

static void making_fini(struct making *m)
{
    spean_keys_free(m->keys);
    spean_db_close(m->db);
    spean_secret_free(m->sealing);
    spean_adminkey_free(m->admin);
}

/* Put home and name together. SPEAN_ELIMIT: too long. */
static spean_err path_join(char out[SPEAN_PATH_BYTES_MAX], const char *home, const char *name)
{
    const int len = snprintf(out, SPEAN_PATH_BYTES_MAX, "%s/%s", home, name);
    return len < 0 || (unsigned)len >= SPEAN_PATH_BYTES_MAX ? SPEAN_ELIMIT : SPEAN_OK;
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

enum spean_exit spean_newnode_check(const char *home, const char *admin_path,
                                    struct spean_problem *problem)
{
    assert(home != NULL);
    char store[SPEAN_PATH_BYTES_MAX];
    char unfinished[SPEAN_PATH_BYTES_MAX];
    if (path_join(store, home, SPEAN_HOME_STORE) != SPEAN_OK ||
        path_join(unfinished, home, STORE_UNFINISHED) != SPEAN_OK) {
        return spean_problem_usage(problem, _("the path is too long: %s"), home);
    }
    if (exists(store)) {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "exists",
                                _("there is a node already in %s"), home);
        spean_problem_hint(problem, "%s", _("give another place with --home DIR"));
        return SPEAN_EXIT_STATE;
    }
    if (exists(unfinished)) {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "unfinished",
                                _("a set-up was broken off and left %s"), unfinished);
        if (admin_path != NULL) {
            spean_problem_hint(
                problem, _("nobody has used it yet: remove it, and %s if it is there"), admin_path);
        } else {
            spean_problem_hint(problem, "%s", _("nobody has used it yet: remove it"));
        }
        return SPEAN_EXIT_STATE;
    }
    if (admin_path != NULL && exists(admin_path)) {
        (void)spean_problem_set(problem, SPEAN_EXIT_STATE, "exists", _("%s is there already"),
                                admin_path);
        spean_problem_hint(problem, "%s", _("give another name with --admin-key FILE"));
        return SPEAN_EXIT_STATE;
    }
    const char *const refused = spean_db_filesystem_refused(home);
    if (refused != NULL) {
        return spean_problem_set(problem, SPEAN_EXIT_FAILED, "file_system",
                                 _("%s is on %s, which loses data: use a local disk"), home,
                                 refused);
    }
    return SPEAN_EXIT_DONE;
}

/* Make path and what is missing above it, each for its owner alone. */
static spean_err folders_make(const char *path)
{
    char part[SPEAN_PATH_BYTES_MAX];
    const size_t len = strlen(path);
    if (len == 0 || len >= sizeof(part)) {
        return SPEAN_EINPUT;
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0') {
            continue;
        }
        part[i] = '\0';
        if (mkdir(part, S_IRWXU) != 0 && errno != EEXIST) {
            return spean_file_err(errno);
        }
        part[i] = path[i];
    }
    return SPEAN_OK;
}

/* Write version 1 of the org's statement (P3.3) and give the org's id to the admin key. */
static spean_err statement_make(struct making *m, const uint8_t *recovery_seed)
{
    struct spean_key admin;
    struct spean_key recovery;
    struct spean_key sealing;
    spean_sign_public(&admin, spean_adminkey_admin_seed(m->admin));
    spean_sign_public(&recovery, recovery_seed);
    spean_x25519_public(&sealing, m->sealing);
    const struct spean_id recovery_hash = spean_statement_recovery(&recovery);
    const struct spean_statement_draft draft = {
        .version = 1,
        .threshold = 1,
        .admins_count = 1,
        .admins = &admin,
        .recovery = &recovery_hash,
        .generation = 1,
        .sealing = &sealing,
    };

    uint8_t buf[SPEAN_DOCUMENT_BYTES_MAX];
    struct spean_view body;
    struct spean_document doc;
    spean_err err = spean_statement_compose(&draft, buf, sizeof(buf), &body);
    if (err == SPEAN_OK) {
        err = spean_document_begin(&doc, body);
    }
    if (err == SPEAN_OK) {
        err = spean_document_sign(&doc, spean_adminkey_admin_seed(m->admin));
    }
    if (err == SPEAN_OK) {
        err = spean_document_encode(&doc, m->statement, sizeof(m->statement), &m->statement_bytes);
    }
    if (err == SPEAN_OK) {
        spean_adminkey_set_org(m->admin, &doc.id);
    }
    return err;
}

static spean_err setup_put(struct making *m, const struct spean_newnode_plan *plan,
                           struct spean_tx *tx)
{
    const struct spean_setup setup = {
        .statement = m->statement_bytes,
        .name = {.data = (const uint8_t *)plan->name, .len = strlen(plan->name)},
        .country = {.data = (const uint8_t *)plan->country, .len = strlen(plan->country)},
    };
    return spean_setup_put(tx, &setup);
}

/* Whoever sets a node up is its first admin. */
static spean_err first_person_put(struct spean_tx *tx)
{
    const struct spean_person person = {
        .name = SPEAN_PERSON_FIRST, .role = SPEAN_PERSON_ADMIN, .uid = (uint32_t)getuid()};
    struct spean_persons *persons = calloc(1, sizeof(*persons));
    spean_err err = persons == NULL ? SPEAN_ENOMEM : spean_persons_add(persons, &person);
    if (err == SPEAN_OK) {
        err = spean_persons_put(tx, persons);
    }
    free(persons);
    return err;
}

/* Write the row that says who the organisation is; plan NULL: another node knows more of it. */
static spean_err setup_write(struct making *m, const struct spean_newnode_plan *plan,
                             const struct spean_id *org)
{
    struct spean_tx *tx;
    spean_err err = spean_tx_begin(m->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = plan != NULL ? setup_put(m, plan, tx) : spean_setup_put_further(tx, org);
    if (err == SPEAN_OK) {
        err = first_person_put(tx);
    }
    if (err != SPEAN_OK) {
        spean_tx_abort(tx);
        return err;
    }
    return spean_tx_commit(tx);
}

/* Make the store under its unfinished name and then give it its own. */
static spean_err store_make(struct making *m, const struct spean_newnode_plan *plan,
                            const struct spean_unlock *unlock, const struct spean_id *org,
                            struct spean_key *signing)
{
    const struct spean_db_options options = {.dir = m->unfinished, .create = true};
    spean_err err = spean_db_open(&options, &m->db);
    if (err == SPEAN_OK) {
        err = spean_keys_new(&m->keys);
    }
    if (err == SPEAN_OK) {
        err = spean_keys_create(m->keys, m->db, unlock);
    }
    if (err == SPEAN_OK && plan != NULL) {
        err = spean_keys_add_org(m->keys, m->db, 1, m->sealing);
    }
    if (err == SPEAN_OK) {
        err = setup_write(m, plan, org);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    spean_sign_public(signing, spean_keys_signing_seed(m->keys));
    spean_db_close(m->db);
    m->db = NULL;
    if (rename(m->unfinished, m->store) != 0) {
        return spean_file_err(errno);
    }
    err = spean_file_sync_parent(m->store);
    if (err != SPEAN_OK) {
        (void)rename(m->store, m->unfinished); /* Its admin key is taken away again, too. */
    }
    return err;
}

/* Work out where everything goes, and make what is missing above it. */
static spean_err paths_make(struct making *m, const char *home)
{
    spean_err err = path_join(m->store, home, SPEAN_HOME_STORE);
    if (err == SPEAN_OK) {
        err = path_join(m->unfinished, home, STORE_UNFINISHED);
    }
    return err == SPEAN_OK ? folders_make(home) : err;
}

static enum spean_exit refuse(spean_err err, const char *what, struct spean_problem *problem)
{
    (void)spean_problem_err(problem, err, what);
    if (err == SPEAN_EMEMLOCK) {
        spean_problem_hint(problem, "%s", _("raise the limit on locked memory: ulimit -l"));
    }
    return problem->exit;
}

enum spean_exit spean_newnode_make(const struct spean_newnode_plan *plan, struct spean_newnode *out,
                                   struct spean_problem *problem)
{
    assert(plan != NULL);
    assert(plan->admin_path != NULL);
    assert(out != NULL);
    struct making m = {.admin = NULL};
    enum spean_exit exit = spean_newnode_check(plan->home, plan->admin_path, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    const char *what = plan->home;
    spean_err err = paths_make(&m, plan->home);
    if (err == SPEAN_OK) {
        what = _("keys");
        err = spean_secret_alloc(SPEAN_KEY_BYTES, &m.sealing);
    }
    if (err == SPEAN_OK) {
        randombytes_buf(m.sealing, SPEAN_KEY_BYTES);
        err = spean_adminkey_new(&m.admin);
    }
    if (err == SPEAN_OK) {
        err = statement_make(&m, plan->recovery_seed);
    }
    if (err == SPEAN_OK) {
        what = plan->admin_path;
        err = spean_adminkey_write(m.admin, plan->admin_path, &plan->admin);
    }
    if (err == SPEAN_OK) {
        what = m.unfinished;
        err = store_make(&m, plan, &plan->node, NULL, &out->signing);
        if (err != SPEAN_OK) {
            (void)unlink(plan->admin_path); /* Ours, and of no use; the hint is in the check. */
        }
    }
    if (err == SPEAN_OK) {
        out->org = *spean_adminkey_org(m.admin);
    } else {
        exit = refuse(err, what, problem);
    }
    making_fini(&m);
    return exit;
}

bool spean_newnode_exists(const char *home)
{
    assert(home != NULL);
    char store[SPEAN_PATH_BYTES_MAX];
    char unfinished[SPEAN_PATH_BYTES_MAX];
    return path_join(store, home, SPEAN_HOME_STORE) == SPEAN_OK &&
           path_join(unfinished, home, STORE_UNFINISHED) == SPEAN_OK &&
           (exists(store) || exists(unfinished));
}

enum spean_exit spean_newnode_make_further(const struct spean_newnode_further *further,
                                           struct spean_newnode *out, struct spean_problem *problem)
{
    assert(further != NULL);
    assert(out != NULL);
    struct making m = {.admin = NULL};
    enum spean_exit exit = spean_newnode_check(further->home, NULL, problem);
    if (exit != SPEAN_EXIT_DONE) {
        return exit;
    }
    const char *what = further->home;
    spean_err err = paths_make(&m, further->home);
    if (err == SPEAN_OK) {
        what = m.unfinished;
        err = store_make(&m, NULL, &further->node, &further->org, &out->signing);
    }
    if (err == SPEAN_OK) {
        out->org = further->org;
    } else {
        exit = refuse(err, what, problem);
    }
    making_fini(&m);
    return exit;
}
