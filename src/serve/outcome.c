#include "serve/outcome.h"

#define OUTCOME_STATUS(constant, status, code) [OUTCOME_##constant] = (status),
#define OUTCOME_CODE(constant, status, code) [OUTCOME_##constant] = (code),
#define CALL_NAME(constant, name) [CALL_##constant] = (name),

unsigned outcome_status(enum outcome outcome)
{
    static const unsigned statuses[] = {OUTCOME_TABLE(OUTCOME_STATUS)};

    return statuses[outcome];
}

const char *outcome_code(enum outcome outcome)
{
    static const char *const codes[] = {OUTCOME_TABLE(OUTCOME_CODE)};

    return codes[outcome];
}

const char *call_name(enum call call)
{
    static const char *const names[] = {CALL_TABLE(CALL_NAME)};

    return names[call];
}
