/* token_help.h - what a token file looks like, for a person. */
#ifndef WEIR_COMMAND_TOKEN_HELP_H
#define WEIR_COMMAND_TOKEN_HELP_H

extern const char token_file_help[];

#endif
