/* recorded_lines.h - differences, copied to be looked at after the visit. */
#ifndef WEIR_TESTS_RECORDED_LINES_H
#define WEIR_TESTS_RECORDED_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/difference.h>

struct recorded_line {
    struct weir_text token_id;
    enum weir_difference_change change;
    enum weir_operation operation;
    bool has_set[3]; /* by enum weir_set_role */
    struct weir_name_set sets[3];
    struct weir_request request;
};

struct recorded_lines {
    struct recorded_line *lines;
    size_t count;
    size_t room;
    void **memory;
    size_t memory_count;
    size_t memory_room;
};

/* A weir_difference_visitor whose context is a struct recorded_lines, all zero
 * at first. */
void record_line(void *context, const struct weir_difference *difference);
void recorded_lines_fini(struct recorded_lines *lines);

bool recorded_lines_same(const struct recorded_lines *left, const struct recorded_lines *right);

/* To stderr. */
void report_line(const struct recorded_line *line);

#endif
