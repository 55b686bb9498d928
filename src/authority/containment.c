#include "authority/containment.h"
