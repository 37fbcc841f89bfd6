/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_KEYSWEEP_H
#define X2GOBROKER_AGENT_KEYSWEEP_H

#include "process.h"

/* Remove expired lines of all users in the registry, each as that user.  A
 * failure is logged, and the others are still swept.  False: one has failed. */
bool	keysweep_all(const struct process *process);

#endif
