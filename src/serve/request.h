/* request.h - what MHD calls while requests come in: one thread at a time for each connection. */
#ifndef WEIR_SERVE_REQUEST_H
#define WEIR_SERVE_REQUEST_H

#include <stddef.h>

#include <microhttpd.h>

/* `context` is the site (server.h) in all of them. */
void request_connection_changed(void *context, struct MHD_Connection *mhd, void **connection,
                                enum MHD_ConnectionNotificationCode code);
void *request_begin(void *context, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result request_handle(void *context, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **state);
void request_completed(void *context, struct MHD_Connection *mhd, void **state,
                       enum MHD_RequestTerminationCode code);

#endif
