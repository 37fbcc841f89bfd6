/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#define SANDBOX_TEXT_SIZE	64

/* Give up for good everything except memory and the open descriptors: the
 * process can open no file, connect to nothing and start nothing.  parts says,
 * for the log, which parts of the sandbox this kernel has: "no-new-privs
 * landlock seccomp", some of these, or "none". */
void	sandbox_enter(char parts[static SANDBOX_TEXT_SIZE]);

#endif
