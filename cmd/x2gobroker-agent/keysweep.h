/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_KEYSWEEP_H
#define X2GOBROKER_AGENT_KEYSWEEP_H

#include "process.h"

/* Take out the lines that have expired, of all users that are noted in the
 * registry, each as that user.  What fails for one is logged, and done for the
 * others.  False: something has failed. */
bool	keysweep_all(const struct process *process);

#endif
