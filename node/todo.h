/* node/todo.h - what waits for a person, counted for status. */
#ifndef SPEAN_NODE_TODO_H
#define SPEAN_NODE_TODO_H

#include <stdint.h>

#include "node/core.h"

struct spean_todo_counts {
    uint32_t referrals_to_answer; /* To us, not accepted or declined yet. */
    uint32_t unread;              /* Of these, those that nobody said were received. */
    uint32_t overdue;             /* Referrals in which something promised or asked for is late. */
    uint32_t not_sent;            /* Drafts. */
    uint32_t decisions;           /* Fields with a conflict. */
    uint32_t retention_due;       /* Cases to look at again, or to delete. */
};

/* Count; what cannot be read, because the keys are locked, is not counted. */
void spean_todo_count(const struct spean_core_view *view, struct spean_todo_counts *out);

#endif
