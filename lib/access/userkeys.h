/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What x2gobroker_keys_*() judge names by.
 */
#ifndef ACCESS_USERKEYS_H
#define ACCESS_USERKEYS_H

/* What is wrong with name as the name of an account that has a key file, or
 * NULL.  A name that is in order can stand in a path and in a command of
 * authorized_keys as it is. */
const char *keys_check_name(const char *name);

#endif
