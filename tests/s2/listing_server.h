/* listing_server.h - a server that lists names, as S2's does, and looks hard at what it is asked.
 */
#ifndef WEIR_TESTS_S2_LISTING_SERVER_H
#define WEIR_TESTS_S2_LISTING_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>

struct listing_server {
    const struct weir_text *names; /* in their order, each once */
    size_t count;
    bool of_basins;
    size_t most;      /* names that it sends at a time, whatever it is asked for */
    size_t questions; /* that it was asked */
    size_t items;     /* that it sent */
};

/* Answers the question; the answer, for the caller to free. The test fails if the question is not
 * one that a server would answer, asks with a limit that is none, or lacks the parameter `x=1`. */
char *listing_server_answer(struct listing_server *server, struct weir_text uri, size_t *length);

/* The place of the first name that is not before this one. */
size_t listing_server_find(const struct listing_server *server, struct weir_text name);

#endif
