/* What nginx looks for in a dynamic module's file: the module, and its place among the others. Its
 * filters see an answer after the copy filter has it in memory, and before those that put
 * subrequests in order, compress, and send. */
#include <ngx_config.h>
#include <ngx_core.h>

extern ngx_module_t ngx_http_weir_module;

ngx_module_t *ngx_modules[] = {&ngx_http_weir_module, NULL};
char *ngx_module_names[] = {"ngx_http_weir_module", NULL};
char *ngx_module_order[] = {"ngx_http_weir_module", "ngx_http_copy_filter_module", NULL};
