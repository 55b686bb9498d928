#include "model/recorded_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/generate.h"
#include "model/naive.h"
#include "model/report.h"

static void *keep(struct recorded_lines *lines, size_t size)
{
    lines->memory =
        must_grow(lines->memory, lines->memory_count, &lines->memory_room, sizeof *lines->memory);
    return lines->memory[lines->memory_count++] = must_allocate(size);
}

static struct weir_text keep_text(struct recorded_lines *lines, struct weir_text text)
{
    return naive_join(text, (struct weir_text){NULL, 0}, keep(lines, text.length));
}

static const struct weir_text *keep_texts(struct recorded_lines *lines,
                                          const struct weir_text *texts, size_t count)
{
    struct weir_text *kept = keep(lines, count * sizeof *kept);

    for (size_t i = 0; i < count; i++) {
        kept[i] = keep_text(lines, texts[i]);
    }
    return kept;
}

static struct weir_listing keep_listing(struct recorded_lines *lines, struct weir_listing listing)
{
    listing.exact = keep_texts(lines, listing.exact, listing.exact_count);
    listing.prefixes = keep_texts(lines, listing.prefixes, listing.prefix_count);
    return listing;
}

void record_line(void *context, const struct weir_difference *difference)
{
    struct recorded_lines *lines = context;
    const struct weir_name_set *sets[] = {difference->basins, difference->streams,
                                          difference->access_tokens};
    struct recorded_line line = {.change = difference->change, .operation = difference->operation};

    line.token_id = keep_text(lines, difference->token_id);
    for (int role = 0; role < 3; role++) {
        line.has_set[role] = sets[role] != NULL;
        if (sets[role] != NULL) {
            line.sets[role].included = keep_listing(lines, sets[role]->included);
            line.sets[role].except = keep_listing(lines, sets[role]->except);
        }
    }
    line.request = difference->request;
    line.request.basin = keep_text(lines, difference->request.basin);
    line.request.stream = keep_text(lines, difference->request.stream);
    line.request.access_token = keep_text(lines, difference->request.access_token);
    lines->lines = must_grow(lines->lines, lines->count, &lines->room, sizeof *lines->lines);
    lines->lines[lines->count++] = line;
}

void recorded_lines_fini(struct recorded_lines *lines)
{
    for (size_t i = 0; i < lines->memory_count; i++) {
        free(lines->memory[i]);
    }
    free(lines->memory);
    free(lines->lines);
    *lines = (struct recorded_lines){0};
}

static bool texts_same(const struct weir_text *left, size_t left_count,
                       const struct weir_text *right, size_t right_count)
{
    bool same = left_count == right_count;

    for (size_t i = 0; same && i < left_count; i++) {
        same = naive_same(left[i], right[i]);
    }
    return same;
}

static bool listings_same(const struct weir_listing *left, const struct weir_listing *right)
{
    return texts_same(left->exact, left->exact_count, right->exact, right->exact_count) &&
           texts_same(left->prefixes, left->prefix_count, right->prefixes, right->prefix_count);
}

static bool lines_same(const struct recorded_line *left, const struct recorded_line *right)
{
    bool same = left->change == right->change && left->operation == right->operation &&
                left->request.operation == right->request.operation &&
                naive_same(left->token_id, right->token_id) &&
                naive_same(left->request.basin, right->request.basin) &&
                naive_same(left->request.stream, right->request.stream) &&
                naive_same(left->request.access_token, right->request.access_token);

    for (int role = 0; same && role < 3; role++) {
        same = left->has_set[role] == right->has_set[role] &&
               listings_same(&left->sets[role].included, &right->sets[role].included) &&
               listings_same(&left->sets[role].except, &right->sets[role].except);
    }
    return same;
}

bool recorded_lines_same(const struct recorded_lines *left, const struct recorded_lines *right)
{
    bool same = left->count == right->count;

    for (size_t i = 0; same && i < left->count; i++) {
        same = lines_same(&left->lines[i], &right->lines[i]);
    }
    return same;
}

static void report_texts(const char *label, const struct weir_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        report_text(label, texts[i]);
    }
}

void report_line(const struct recorded_line *line)
{
    static const char *const roles[] = {"basins", "streams", "access tokens"};

    (void)fprintf(stderr, "  line: %s %s\n", weir_difference_change_name(line->change),
                  weir_operation_name(line->operation));
    for (int role = 0; role < 3; role++) {
        const struct weir_name_set *set = &line->sets[role];

        if (line->has_set[role]) {
            (void)fprintf(stderr, "  %s\n", roles[role]);
            report_texts("  exact", set->included.exact, set->included.exact_count);
            report_texts("  prefix", set->included.prefixes, set->included.prefix_count);
            report_texts("  except exact", set->except.exact, set->except.exact_count);
            report_texts("  except prefix", set->except.prefixes, set->except.prefix_count);
        }
    }
    report_request(&line->request);
}
