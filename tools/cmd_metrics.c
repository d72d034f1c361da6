#include "tools/groups.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tools/call.h"
#include "tools/i18n.h"
#include "tools/out.h"

struct metrics {
    struct spean_out *out;
    json_t *list; /* Of what was read so far. */
};

/* Read `name{label="value"} 1`, as this project's daemon writes it; NULL: it is not of that form,
 * or there is no memory. */
static json_t *sample_read(const char *line)
{
    const char *const space = strrchr(line, ' ');
    const size_t name_len = strcspn(line, "{ ");
    json_t *labels = json_object();
    if (space == NULL || name_len == 0) {
        json_decref(labels);
        return NULL;
    }
    if (line[name_len] == '{') {
        const char *const label = line + name_len + 1;
        const size_t len = strcspn(label, "=");
        const char *const value = label + len + (label[len] == '=') + 1;
        (void)json_object_setn_new(labels, label, len, json_stringn(value, strcspn(value, "\"")));
    }
    return json_pack("{s:s%, s:o, s:I}", "name", line, name_len, "labels", labels, "value",
                     (json_int_t)strtoll(space + 1, NULL, 10));
}

static enum spean_exit line_take(void *ctx, const char *line, struct spean_problem *problem)
{
    struct metrics *const metrics = ctx;
    spean_out_line(metrics->out, "%s", line);
    if (line[0] == '#' || !spean_out_is_json(metrics->out)) {
        return SPEAN_EXIT_DONE;
    }
    if (json_array_append_new(metrics->list, sample_read(line)) != 0) {
        return spean_problem_set(problem, SPEAN_EXIT_FAILED, "bad_reply", "%s",
                                 _("the daemon's figures cannot be read"));
    }
    return SPEAN_EXIT_DONE;
}

static enum spean_exit metrics_run(struct spean_call *call, struct spean_problem *problem)
{
    struct metrics metrics = {.out = spean_call_out(call), .list = json_array()};
    if (metrics.list == NULL) {
        return spean_problem_err(problem, SPEAN_ENOMEM, "metrics");
    }
    const enum spean_exit exit =
        spean_call_lines(call, "/v1/metrics", false, line_take, &metrics, problem);
    json_t *const all = json_pack("{s:o}", "metrics", metrics.list); /* It takes the list. */
    if (exit == SPEAN_EXIT_DONE && all != NULL) {
        spean_out_json(metrics.out, all);
    }
    json_decref(all);
    return all == NULL ? spean_problem_err(problem, SPEAN_ENOMEM, "metrics") : exit;
}

static const struct spean_command commands[] = {
    {
        .path = "metrics",
        .summary = N_("Print figures for Prometheus"),
        .text = N_("Prints how the node is in the text format that Prometheus reads, for a file "
                   "of its node exporter or for a look. It names organisations by the beginning "
                   "of their ids, and nobody else. docs/API.md lists every figure."),
        .inverse = SPEAN_INVERSE_READS,
        .examples = (const char *const[]){"spean metrics", NULL},
        .run = metrics_run,
    },
    {0},
};

const struct spean_group spean_group_metrics = {
    .name = "metrics",
    .summary = N_("Figures for monitoring"),
    .commands = commands,
};
