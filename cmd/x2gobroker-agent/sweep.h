/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AGENT_SWEEP_H
#define AGENT_SWEEP_H

#include "process.h"

/* Take out the lines that have expired, of all users that are noted in the
 * registry, each as that user.  What fails for one is logged, and done for the
 * others.  False: something has failed. */
bool	sweep_all(const struct process *process);

#endif
