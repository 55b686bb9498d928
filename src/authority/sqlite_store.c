#include "authority/store.h"
