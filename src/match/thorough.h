/* thorough.h - what single checks and batches do where quick.h says nothing. */
#ifndef WEIR_MATCH_THOROUGH_H
#define WEIR_MATCH_THOROUGH_H

#include <weir/decision.h>

/* As weir_check. Never inlined: the quick way must not save registers for this one. */
struct weir_decision weir_check_thoroughly(const struct weir_image *image,
                                           struct weir_text token_id,
                                           const struct weir_request *request,
                                           struct weir_instant now);

#endif
