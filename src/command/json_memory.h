/* json_memory.h - memory for jansson: this process reads one JSON value at a time. */
#ifndef WEIR_COMMAND_JSON_MEMORY_H
#define WEIR_COMMAND_JSON_MEMORY_H

/* Makes jansson allocate by going through one area, which starts over whenever everything allocated
 * has been freed, as it is between two values. What does not fit comes from malloc, and
 * the process ends with an error where there is none. For a process
 * one thread of which reads JSON, before it does. */
void json_memory_init(void);

#endif
