/* Routes about the people who use this node. */
#include <stdlib.h>
#include <string.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/handlers.h"
#include "store/person.h"

static json_t *person_row(const struct spean_person *person)
{
    return json_pack("{s:s, s:s, s:I, s:b}", "name", person->name, "role",
                     spean_person_role_name(person->role), "uid", (json_int_t)person->uid,
                     "retired", (int)person->retired);
}

static void get_persons(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct spean_core_view view;
    struct spean_persons *persons = malloc(sizeof(*persons));
    if (persons == NULL) {
        spean_reply_error(reply, SPEAN_ENOMEM, NULL, NULL);
        return;
    }
    if (!spean_answer_begin(ctx, &view, reply)) {
        free(persons);
        return;
    }
    const spean_err err = spean_persons_get(view.tx, persons);
    spean_core_view_end(&view);
    if (err != SPEAN_OK) {
        spean_reply_error(reply, err, NULL, "check the store: spean verify");
    } else {
        json_t *items = json_array();
        for (uint32_t i = 0; i < persons->count; i++) {
            (void)json_array_append_new(items, person_row(&persons->list[i]));
        }
        spean_reply_page(reply, items, NULL);
    }
    free(persons);
}

/* Change the list by one of the two, in a transaction of its own. */
static spean_err change(struct spean_core *core, const struct spean_person *added,
                        const char *retired, bool dry)
{
    struct spean_tx *tx = NULL;
    struct spean_persons *persons = malloc(sizeof(*persons));
    spean_err err = persons == NULL ? SPEAN_ENOMEM : spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        free(persons);
        return err;
    }
    err = spean_persons_get(tx, persons);
    if (err == SPEAN_OK) {
        err = added != NULL ? spean_persons_add(persons, added)
                            : spean_persons_retire(persons, retired);
    }
    if (err == SPEAN_OK) {
        err = spean_persons_put(tx, persons);
    }
    free(persons);
    if (err != SPEAN_OK || dry) {
        spean_tx_abort(tx);
        return err;
    }
    return spean_tx_commit(tx);
}

/* What the request says of a new person. False: reply says what is missing. */
static bool read_person(const json_t *body, struct spean_person *person, struct spean_reply *reply)
{
    const char *name = json_string_value(json_object_get(body, "name"));
    const char *role = json_string_value(json_object_get(body, "role"));
    uint64_t uid = 0;
    *person = (struct spean_person){.name = ""};
    if (name == NULL || strlen(name) > SPEAN_PERSON_NAME_BYTES) {
        spean_reply_error(reply, SPEAN_EINPUT, "name must be a pseudonym of 1 to 32 bytes",
                          "letters, digits, '.', '_' and '-': partners see it");
        return false;
    }
    if (role == NULL || spean_person_role_read(role, &person->role) != SPEAN_OK) {
        spean_reply_error(reply, SPEAN_EINPUT, "role must be case_worker, coordinator or admin",
                          NULL);
        return false;
    }
    if (spean_json_get_u64(json_object_get(body, "uid"), &uid) != SPEAN_OK || uid >= UINT32_MAX) {
        spean_reply_error(reply, SPEAN_EINPUT, "uid must be the number of a user of this machine",
                          NULL);
        return false;
    }
    memcpy(person->name, name, strlen(name) + 1);
    person->uid = (uint32_t)uid;
    return true;
}

static void run_add(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    struct spean_person person;
    if (read_person(job->request->body, &person, &job->reply)) {
        const spean_err err = change(core, &person, NULL, spean_answer_is_dry(job->request));
        if (err == SPEAN_EINPUT) {
            spean_reply_error(&job->reply, err, "this is no pseudonym",
                              "letters, digits, '.', '_' and '-': partners see it");
        } else if (err == SPEAN_EEXISTS) {
            spean_reply_error(&job->reply, SPEAN_ESTATE,
                              "the pseudonym was given before, or that user is somebody already",
                              "spean person list");
        } else if (err != SPEAN_OK) {
            spean_reply_error(&job->reply, err, NULL, NULL);
        } else {
            spean_answer_written(job, person_row(&person));
        }
    }
    spean_queue_answer(job);
}

static void run_retire(struct spean_job *job, void *ctx)
{
    struct spean_core *core = ctx;
    const char *name = spean_request_param(job->request, "name");
    const spean_err err = change(core, NULL, name, spean_answer_is_dry(job->request));
    if (err == SPEAN_ENOTFOUND) {
        spean_reply_error(&job->reply, err, "nobody here has this pseudonym", "spean person list");
    } else if (err == SPEAN_ESTATE) {
        spean_reply_error(&job->reply, err, "that person is retired already", "spean person list");
    } else if (err == SPEAN_EDENIED) {
        spean_reply_named(&job->reply, SPEAN_ESTATE, "last_admin",
                          "it is the last admin of this node",
                          "add another one first: spean person add --role admin");
    } else if (err != SPEAN_OK) {
        spean_reply_error(&job->reply, err, NULL, NULL);
    } else {
        spean_answer_written(job, json_pack("{s:s, s:b}", "name", name, "retired", 1));
    }
    spean_queue_answer(job);
}

struct spean_route_group spean_person_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET",
         .path = "/v1/persons",
         .flags = SPEAN_ROUTE_READ,
         .query = "limit after",
         .read = get_persons},
        {.method = "POST",
         .path = "/v1/persons",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "name role uid",
         .run = run_add},
        {.method = "POST",
         .path = "/v1/persons/{name}/retire",
         .flags = SPEAN_ROUTE_WRITE,
         .body = "",
         .run = run_retire},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
