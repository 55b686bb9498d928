/*
 * write_workload.c - writes each workload for the engines that cannot make it themselves:
 *
 *     rivals_workload DIR
 *
 * DIR/SET.rules has a rule a line: id, basin prefix, basin, stream prefix, between tabs;
 * DIR/NAME.requests a request a line: id, basin, stream, and 1 if it is allowed, else 0.
 */
#include <stdio.h>
#include <stdlib.h>

#include "workload.h"

static FILE *file_make(const char *directory, const char *name, const char *ending)
{
    char path[4096];
    FILE *file = NULL;

    (void)snprintf(path, sizeof path, "%s/%s.%s", directory, name, ending);
    file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return file;
}

static void file_finish(FILE *file)
{
    if (fclose(file) != 0) {
        perror("rivals_workload");
        exit(EXIT_FAILURE);
    }
}

static void rules_write(const struct workload *workload, const char *directory)
{
    FILE *file = file_make(directory, workload->set, "rules");

    for (uint32_t i = 0; i < workload->rules; i++) {
        struct workload_rule rule;

        workload_rule(workload, i, &rule);
        (void)fprintf(file, "%s\t%s\t%s\t%s\n", rule.id, rule.basin_prefix, rule.basin,
                      rule.stream_prefix);
    }
    file_finish(file);
}

static void requests_write(const struct workload *workload, const char *directory)
{
    FILE *file = file_make(directory, workload->name, "requests");

    for (uint32_t i = 0; i < workload->requests; i++) {
        struct workload_request request;

        workload_request(workload, i, &request);
        (void)fprintf(file, "%s\t%s\t%s\t%d\n", request.id, request.basin, request.stream,
                      request.allowed);
    }
    file_finish(file);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: rivals_workload DIR\n");
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < WORKLOAD_COUNT; i++) {
        if (workload_of_rules(i) == i) {
            rules_write(&workloads[i], argv[1]);
        }
        requests_write(&workloads[i], argv[1]);
    }
    return EXIT_SUCCESS;
}
