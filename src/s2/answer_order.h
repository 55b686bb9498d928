/* answer_order.h - places in the order of names: bytes. */
#ifndef WEIR_S2_ANSWER_ORDER_H
#define WEIR_S2_ANSWER_ORDER_H

#include <weir/name.h>

/* The longest beginning of a text that has at most so many bytes, and no half of a character. */
struct weir_text s2_order_cut(struct weir_text text, size_t most);

/*
 * Something that a listing may start after, so that of the names that are left out by it none is
 * the stream (the basin) or comes behind it, and hardly any before it is left in. Is put into
 * `room`, of S2_ORDER_ROOM bytes; empty: nothing is before it.
 */
#define S2_ORDER_ROOM WEIR_STREAM_MAX
struct weir_text s2_order_before_stream(struct weir_text stream, char *room);
struct weir_text s2_order_before_basin(struct weir_text basin, char *room);

#endif
