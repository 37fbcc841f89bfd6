/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of commands and options, in main.c: what there is to be parsed, to
 * be helped with, and to be completed.
 */
#ifndef X2GOBROKERCTL_COMMAND_H
#define X2GOBROKERCTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl.h"

struct option_row {
	const char *name;
	char letter;
	const char *argument;	/* NULL: there is none, the value is a bool */
	size_t offset;		/* of the value in struct ctl */
	const char *help;
};

struct command {
	const char *name;
	int (*run)(const struct ctl *ctl);
	const char *words;	/* how they are called */
	int least, most;	/* so many of them */
	unsigned int needs, takes;	/* options, a bit for each */
	const char *help;
};

/* From 0 on; NULL past the end. */
const struct command *command_get(size_t i);
const struct option_row *command_option(size_t i);

/* NULL: there is none. */
const struct command *command_find(const char *name);

/* Whether it takes option i; where command is NULL: whether all of them do. */
bool	command_takes(const struct command *command, size_t i);

#endif
