/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKERCTL_ENDALL_H
#define X2GOBROKERCTL_ENDALL_H

#include "view.h"

/* suspend and, if ends, terminate with --all.  Returns an exit status. */
int	endall_run(struct view *view, bool ends);

#endif
