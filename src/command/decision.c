#include "decision.h"

#include <stdio.h>

#include "report.h"

void decision_lines_init(struct decision_lines *lines)
{
    for (int reason = 0; reason < WEIR_REASON_COUNT; reason++) {
        bool allow = reason == WEIR_ALLOWED;

        (void)snprintf(lines->text[reason], sizeof lines->text[reason],
                       "{\"allow\":%s,\"reason\":\"%s\"}\n", allow ? "true" : "false",
                       weir_reason_name((enum weir_reason)reason));
        lines->whole[reason] = text_of(lines->text[reason]);
    }
    (void)snprintf(lines->text[WEIR_REASON_COUNT], sizeof lines->text[WEIR_REASON_COUNT],
                   "{\"allow\":true,\"reason\":\"%s\",\"stream\":\"",
                   weir_reason_name(WEIR_ALLOWED));
    lines->before_stream = text_of(lines->text[WEIR_REASON_COUNT]);
}

void decision_write(struct output *output, const struct decision_lines *lines,
                    const struct weir_request *request, struct weir_decision decision)
{
    if (!weir_allowed(decision) ||
        weir_operation_target(request->operation) != WEIR_TARGET_STREAM) {
        struct weir_text line = lines->whole[decision.reason];

        output_bytes(output, line.bytes, line.length);
        return;
    }
    output_bytes(output, lines->before_stream.bytes, lines->before_stream.length);
    output_escaped(output, weir_compiled_token_stream_prefix(decision.token));
    output_escaped(output, request->stream);
    output_string(output, "\"}\n");
}
