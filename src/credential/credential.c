#include "credential/crypto.h"
