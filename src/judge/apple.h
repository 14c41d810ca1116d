/* Apple's own services, which Apple documents as never inspectable ("Use Apple products on
 * enterprise networks", support.apple.com/101555): attempts that fail there say nothing about an
 * app. */
#ifndef PINWATCH_JUDGE_APPLE_H
#define PINWATCH_JUDGE_APPLE_H

#include <stdbool.h>

#include "base/sv.h"

bool apple_service(struct sv host);

#endif
