/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_SANDBOX_H
#define X2GOBROKER_SANDBOX_H

#include <stddef.h>

/* What a sandbox is made of.  A kernel may lack any of it. */
enum sandbox_part {
	SANDBOX_NO_NEW_PRIVS = 1,
	SANDBOX_LANDLOCK = 2,
	SANDBOX_SECCOMP = 4,
};

#define SANDBOX_TEXT_SIZE	64

/* Have libc read now what it would otherwise read when it needs it. */
void		 sandbox_prepare(void);

/* Give up for good everything but memory and the descriptors that are open: no
 * file can be opened, nothing connected to, nothing started.  Returns which
 * parts there are. */
unsigned int	 sandbox_enter(void);

/* Write into buf, for the log, what sandbox_enter() has returned.  Returns
 * buf. */
const char	*sandbox_describe(unsigned int parts,
		    char buf[static SANDBOX_TEXT_SIZE]);

#endif
