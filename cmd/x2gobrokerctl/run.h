/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKERCTL_RUN_H
#define X2GOBROKERCTL_RUN_H

#include <stddef.h>

/* Run argv[0], a path, without a shell, with an empty environment and nothing
 * on its standard input.  *text, which is yours, is what it prints on both
 * outputs, ended by a NUL.  Returns its exit status, or -1 with *text NULL and
 * errno: it did not run, or was killed, or said more than max bytes. */
int	run_program(const char *const *argv, size_t max, char **text,
	    size_t *len);

#endif
