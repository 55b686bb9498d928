#include <weir/authority.h>
