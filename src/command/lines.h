/* lines.h - a file read line by line, however long it is. */
#ifndef WEIR_COMMAND_LINES_H
#define WEIR_COMMAND_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/name.h>

/* The lines of a descriptor. Memory is in proportion to the longest line. */
struct lines {
    int descriptor;
    char *buffer;
    size_t capacity;
    size_t begin;    /* of the line that comes next */
    size_t searched; /* up to here no line ends */
    size_t end;      /* of what has been read */
    bool ended;      /* there is no more to read */
    uint64_t number; /* of the line given out last, from 1 */
};

enum lines_result {
    LINES_LINE,  /* `*line` is the next line, without its end; it lives until the next call */
    LINES_EMPTY, /* the next line has to be read first: lines_read */
    LINES_END    /* there are no more lines */
};

/*
 * Takes the next line of what has been read. A line longer than `longest` is given out cut short,
 * but longer than `longest`, as soon as that much of it is there. The last line needs no end.
 */
enum lines_result lines_next(struct lines *lines, size_t longest, struct weir_text *line);

/* Reads some more, and may wait for it. False on an error, for which errno is set. */
bool lines_read(struct lines *lines);

void lines_release(struct lines *lines);

#endif
