/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ACCESS_USERKEYS_H
#define ACCESS_USERKEYS_H

/* Check the name of an account that can have a file of keys.  Returns NULL, or
 * why it is refused.  A valid name can be part of a path and of a command in
 * authorized_keys without quoting. */
const char *keys_check_name(const char *name);

#endif
