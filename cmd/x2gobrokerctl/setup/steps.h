/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKERCTL_SETUP_STEPS_H
#define X2GOBROKERCTL_SETUP_STEPS_H

#include "step.h"

extern const struct step setup_steps[];
extern const size_t setup_nsteps;

/* Find out which profiles and servers there are.  -1: failed, with a message
 * printed. */
int	steps_find_site(struct setup *setup);

/* Fill in the texts.  -1: failed, with a message printed. */
int	steps_prepare(struct setup *setup);
void	steps_free(struct setup *setup);

/* May name be an account's, in a line of sshd_config? */
bool	steps_is_name(const char *name);

/* May text, which can be NULL, name an X2Go server? */
bool	steps_is_host(const char *text);

/* undo.c */
int	undo_main(const struct ctl *ctl);

#endif
